package daemon

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"motcua/agent/audit"
	"motcua/agent/config"
	"motcua/agent/counter"
	"motcua/agent/draft"
	"motcua/agent/metrics"
	"motcua/agent/portal"
	"motcua/agent/station"
	"motcua/agent/stick"
	"motcua/agent/visit"
	"motcua/agent/web"
	"motcua/agent/web/screen"
	"motcua/configs"
	"motcua/ocr"
	"motcua/queue"
)

func openSite(cfg config.Config, offer *offer, q counted, auditLog *audit.Log, reader screen.Reader, copies counter.MakeCopies,
	scanner station.Scanner, console screen.Console, demo bool, log *slog.Logger, drafts *draft.Store, sticks *stick.Folder,
	jobs *station.PrintJobs, forget func()) (*web.Site, error) {
	maps, err := portal.Load(configs.Portal(), offer.Load())
	if err != nil { // procedures of another day than the maps: those are filled by hand
		log.Warn("maps of the portal that do not fit the procedures", "error", err)
	}
	trust, err := Trust(cfg.Sign.Trust)
	if err != nil { // signatures are told as those of strangers then
		log.Warn("authorities of signatures", "error", err)
	}
	o := screen.Options{
		Procedures: offer.Load,
		Trust:      trust,
		Portal:     maps,
		Form:       offer.layout,
		Source:     cfg.Scanner.Source,
		DPI:        cfg.Scanner.DPI,
		Reader:     reader,
		Copies:     copies,
		Queue:      q,
		Audit:      auditLog.Append,
		Log:        log,
		Ward:       cfg.Kiosk.Ward,
		Kiosk:      cfg.Kiosk.ID,
		Hosts:      cfg.Web.Hosts,
		Demo:       demo,
		Online: func() bool {
			stats, err := q.Stats()
			return err == nil && cfg.Upload.To != config.ToNone && !stats.Paused.After(time.Now())
		},
		Privacy: screen.Privacy{Controller: cfg.Privacy.Controller, Processor: cfg.Privacy.Processor, Contact: cfg.Privacy.Contact,
			Recipients: cfg.Privacy.Recipients, Kept: cfg.Queue.Keep.D(),
			Compared: comparedFor(cfg)},
		Account:     screen.Account{BIN: cfg.Payment.BIN, Number: cfg.Payment.Account, Name: cfg.Payment.Name, Bank: cfg.Payment.Bank},
		Citizen:     visit.Limits{Silence: cfg.Web.Silence.D(), Warning: cfg.Web.Warning.D()},
		Helped:      visit.Limits{Silence: cfg.Web.HelpedSilence.D(), Warning: cfg.Web.HelpedWarning.D()},
		UploadLimit: int64(cfg.Web.UploadLimit),
		Forget:      forget,
		Print:       cfg.Web.Print,
		PrintSlip:   station.ReceiptPrinter(cfg, jobs),
		PrintSheet:  station.SheetPrinter(cfg, jobs),
		Compared:    cfg.Sign.Wait.D(),
		Later:       time.Duration(cfg.Web.LaterDays) * 24 * time.Hour,
		Console:     console,
	}
	if sticks != nil {
		o.Sticks = sticks
	}
	if drafts != nil {
		o.Drafts = drafts
	}
	if q.office != nil {
		o.Inquiry = q.office
	}
	if scanner != nil {
		o.Scanner = func() screen.Scanner { return countedScanner{scanner, q.figures} }
	}
	site, err := web.New(o)
	if err != nil {
		return nil, fmt.Errorf("build the screen: %w", err)
	}
	return site, nil
}

// openAuditLog opens the audit log. On a disk that is read-only nothing is accepted and nothing of a citizen's changes;
// what staff do meanwhile is kept in memory, where it lasts until the machine is switched off.
func openAuditLog(cfg config.Config, q *queue.Queue, log *slog.Logger) (*audit.Log, error) {
	dir := filepath.Join(cfg.Data, "audit")
	if q.ReadOnly() != nil {
		dir = fmt.Sprintf("/dev/shm/motcua-audit-%d", os.Getuid())
		log.Error("the disk is read-only: nothing is accepted; what waits can be listed and exported", "audit", dir)
	}
	auditLog, err := audit.Open(dir, time.Now)
	if err != nil {
		return nil, fmt.Errorf("open audit log: %w", err)
	}
	return auditLog, nil
}

// counted is the queue with its acceptances noted and counted.
type counted struct {
	*queue.Queue
	figures  *metrics.Metrics
	auditLog *audit.Log
	office   *answers
	log      *slog.Logger
}

// Enqueue accepts a submission and counts it. It refuses what could not be noted in the audit log, before it is
// accepted; that of the acceptance itself may then fail without anybody being told otherwise than in the log.
func (c counted) Enqueue(ctx context.Context, d queue.Draft) (queue.Submission, error) {
	offered := audit.Event{Actor: "system", Act: audit.SubmissionOffered, Submission: d.ID, Procedure: d.Labels["procedure"]}
	if err := c.auditLog.Append(offered); err != nil {
		return queue.Submission{}, fmt.Errorf("nothing is accepted that can't be noted: %w", err)
	}
	s, err := c.Queue.Enqueue(ctx, d)
	if err == nil {
		c.figures.Accepted(s)
		if err := c.office.expect(s, d); err != nil {
			c.log.Warn("a submission can't be looked up before the office answers", "submission", s.ID, "error", err)
		}
	}
	return s, err
}

// timed is the reader with its readings counted.
type timed struct {
	*ocr.Reader
	figures *metrics.Metrics
}

// Read recognises an input and counts it.
func (t timed) Read(ctx context.Context, in ocr.Input) ocr.Result {
	r := t.Reader.Read(ctx, in)
	t.figures.Read(r)
	return r
}

// comparedFor is how long what an officer compared may lie here unsigned; 0 where no officer compares here.
func comparedFor(cfg config.Config) time.Duration {
	if !cfg.Sign.Kiosk {
		return 0
	}
	return cfg.Sign.Wait.D()
}
