// Package daemon is the program that runs all day: it builds screen, scanner, readers, recognition, queue and upload in
// one visible order (Run), runs them until its context ends, and takes them down in the opposite order. The parts that
// commands need alone open here too, each by what the configuration says of it.
package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"time"

	"motcua/agent/audit"
	"motcua/agent/config"
	"motcua/agent/control"
	"motcua/agent/draft"
	"motcua/agent/metrics"
	"motcua/agent/procedure"
	"motcua/agent/profile"
	"motcua/agent/recent"
	"motcua/agent/staff"
	"motcua/agent/station"
	"motcua/agent/stick"
	"motcua/agent/version"
	"motcua/agent/web"
	"motcua/drivers/scan"
	"motcua/ocr"
	"motcua/queue"
	"motcua/queue/announce"
	"motcua/queue/line"

	"golang.org/x/sync/errgroup"
)

// ErrRestart ends a daemon that is to come back with its configuration read anew.
var ErrRestart = errors.New("restart")

// Streams is where a daemon says things: its address on Out, its log on Err.
type Streams struct{ Out, Err io.Writer }

// Run builds the daemon from the inside out, runs it until ctx ends, and takes it down in the opposite order. file is
// the configuration that a technician changes. It ends with ErrRestart when the configuration is to be read anew.
// a says what is known of the configuration.
func Run(ctx context.Context, s Streams, cfg config.Config, file string, a Attempt) error {
	return run(ctx, s, cfg, file, a, nil)
}

// run is Run, and with it the demo's receiving office, if there is one.
func run(ctx context.Context, streams Streams, cfg config.Config, file string, attempt Attempt, demo *demo) (err error) {
	lines := recent.New(500)
	running, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	p := &parts{cfg: cfg, file: file, attempt: attempt, demo: demo, started: time.Now(), lines: lines,
		log: slog.New(lines.Handler(Logger(streams.Err, cfg.Log).Handler())), running: running, cancel: cancel}
	ready := attempt.limit(cancel)
	defer func() { err = errors.Join(err, p.close()) }()
	for _, open := range []func() error{p.openRecords, p.openDelivery, p.openReading, p.openScanner, p.openPages, p.listen} {
		if err := open(); err != nil {
			if told := Ended(ctx, err); told != nil {
				return told
			}
			p.log.Info("stopped while it was starting", "part", err)
			return nil
		}
	}
	note(p.log, p.auditLog, audit.Event{Actor: "system", Act: audit.DaemonStarted})
	group, ctx := errgroup.WithContext(running)
	p.runCounter(ctx, group)
	p.runScreen(ctx, group, ready)
	p.runReports(ctx, group)
	debug.FreeOSMemory() // what building took is not needed to run; a kiosk idles for hours
	fmt.Fprintf(streams.Out, "Motcua is at %s\n", p.address)
	fmt.Fprintf(streams.Out, "Staff sign in at %sstaff; at the screen, hold the emblem for two seconds\n", p.address)
	p.log.Info("running", "address", p.address, "data", cfg.Data, "upload", cfg.Upload.To, "procedures", len(p.catalog.All))
	err = Ended(running, group.Wait())
	for _, why := range []error{errNotWell, ErrRestart} {
		if errors.Is(context.Cause(running), why) {
			err = errors.Join(err, why)
		}
	}
	note(p.log, p.auditLog, audit.Event{Actor: "system", Act: audit.DaemonStopped})
	p.log.Info("stopped")
	return err
}

// parts is what a daemon is built of, in the order in which it is opened.
type parts struct {
	cfg     config.Config
	file    string // of the configuration that a technician changes
	attempt Attempt
	demo    *demo
	started time.Time
	lines   *recent.Lines
	log     *slog.Logger
	running context.Context
	cancel  context.CancelCauseFunc

	catalog   *procedure.Catalog
	roster    *staff.Roster
	queue     *queue.Queue
	auditLog  *audit.Log
	sink      queue.Sink
	announcer *announce.Announcer
	held      *held
	reader    *ocr.Reader
	profiles  profile.Profiles
	scanner   station.Scanner
	sticks    *stick.Folder
	figures   *metrics.Metrics
	examiner  *examiner
	office    *answers
	drafts    *draft.Store
	accepting counted
	offer     *offer
	site      *web.Site
	printJobs *station.PrintJobs
	readers   func(context.Context) error
	screen    net.Listener
	socket    *control.Listener
	address   string // of the citizens' screen

	opened []closing
}

// closing takes down a part.
type closing struct {
	what  string
	close func() error
}

func (p *parts) closeLater(what string, close func() error) {
	p.opened = append(p.opened, closing{what, close})
}

// close takes the parts down, the last opened first.
func (p *parts) close() (err error) {
	for _, c := range slices.Backward(p.opened) {
		if e := c.close(); e != nil {
			err = errors.Join(err, fmt.Errorf("close %s: %w", c.what, e))
		}
	}
	return err
}

// openRecords opens what the kiosk keeps: procedures, staff, queue and audit log.
func (p *parts) openRecords() (err error) {
	if p.catalog, err = LoadProcedures(p.cfg); err != nil {
		return err
	}
	if err = MakeDataFolder(p.cfg.Data); err != nil {
		return err
	}
	var repairs queue.Repairs
	if p.queue, repairs, err = OpenQueue(p.running, p.cfg, p.log); err != nil {
		return err
	}
	p.closeLater("queue", p.queue.Close)
	if repairs.Any() {
		p.log.Warn("the queue was repaired", "repairs", repairs.String())
	}
	if p.queue.ReadOnly() == nil {
		if err := keyRoster(p.running, p.cfg, p.log); err != nil { // it stays as it is
			p.log.Error("the list of staff is not sealed by a key under the kiosk's", "error", err)
		}
	}
	if p.roster, err = OpenRoster(p.running, p.cfg); err != nil {
		return err
	}
	if p.auditLog, err = openAuditLog(p.cfg, p.queue, p.log); err != nil {
		return err
	}
	p.closeLater("audit log", p.auditLog.Close)
	return nil
}

// openDelivery opens the ways out.
func (p *parts) openDelivery() (err error) {
	if p.sink, err = OpenSink(p.cfg, p.log); err != nil {
		return err
	}
	p.announcer, err = openAnnouncer(p.cfg, p.queue, p.auditLog, p.log)
	return err
}

func (p *parts) openReading() (err error) {
	p.held = newHeld(p.log)
	if p.reader, err = OpenReader(p.cfg, p.held.add); err != nil {
		return err
	}
	p.closeLater("recognition", p.reader.Close)
	return nil
}

func (p *parts) openScanner() (err error) {
	if p.profiles, err = station.LoadProfiles(p.cfg); err != nil || p.cfg.Scanner.Device == "none" {
		return err
	}
	if p.scanner, err = station.OpenScanner(p.cfg, p.profiles, true); err != nil {
		return err
	}
	p.closeLater("scanner", p.scanner.Close)
	return nil
}

// openPages builds what the screens show, and the readers, which put what they read on them.
func (p *parts) openPages() (err error) {
	p.figures = metrics.New(p.queue, version.String())
	p.figures.Watch(func() []line.Certificate { return certificates(p.cfg) })
	p.examiner = &examiner{cfg: p.cfg, reader: p.reader, queue: p.queue, auditLog: p.auditLog, lines: p.lines}
	console, err := openConsole(p.examiner, p.file, p.roster, func() { p.cancel(ErrRestart) })
	if err != nil {
		return err
	}
	if p.offer, err = newOffer(p.cfg, p.catalog); err != nil {
		return err
	}
	console.Update = p.offer.updater()
	if console.Signing, err = openSigning(p.cfg, p.demo); err != nil {
		return err
	}
	if p.office, err = openAnswers(p.running, p.cfg, p.queue, p.figures, p.log); err != nil {
		return err
	}
	p.drafts = openDrafts(p.running, p.cfg, p.log)
	p.printJobs = station.OpenPrintJobs(p.cfg, p.log)
	p.accepting = counted{p.queue, p.figures, p.auditLog, p.office, p.log}
	p.site, err = openSite(p.cfg, p.offer, p.accepting, p.auditLog, timed{p.reader, p.figures}, Copies(p.cfg, p.reader), p.scanner,
		console, p.demo != nil, p.log, p.drafts, p.openSticks(), p.printJobs, func() {
			p.reader.Renew()
			runtime.GC()         // buffers in pools outlive one collection
			debug.FreeOSMemory() // what was freed goes back to the kernel, which hands it out empty
		})
	if err != nil {
		return err
	}
	p.readers, err = station.OpenReaders(p.cfg.Readers, p.profiles, p.site, p.log)
	return err
}

// openSticks gives where citizens' USB sticks appear, nil where none are taken.
func (p *parts) openSticks() *stick.Folder {
	if p.cfg.Sticks.Folder != "" {
		p.sticks = stick.New(p.cfg.Sticks.Folder, int64(p.cfg.Web.UploadLimit), time.Now)
	}
	return p.sticks
}

// listen takes the screen's address and the commands' socket.
func (p *parts) listen() (err error) {
	if p.screen, err = listenScreen(p.cfg.Web.Listen, p.demo != nil); err != nil {
		return err
	}
	p.closeLater("screen", func() error { _ = p.screen.Close(); return nil }) // its server has mostly closed it
	p.address = "http://" + p.screen.Addr().String() + "/"
	socket, err := control.Listen(p.cfg.Data)
	if err != nil {
		if p.queue.ReadOnly() == nil {
			return err
		}
		p.log.Warn("commands read the queue by themselves", "error", err)
		return nil
	}
	p.socket = socket
	p.closeLater("commands' socket", func() error { _ = p.socket.Close(); return nil })
	return nil
}

// commands answers the command line.
func (p *parts) commands() *control.Server {
	return &control.Server{
		Queue: p.accepting,
		Status: func() control.Status {
			stats, _ := p.queue.Stats()
			return control.Status{PID: os.Getpid(), Version: version.String(), Started: p.started, Address: p.address,
				Upload: p.cfg.Upload.To, Queue: stats, Forbidden: p.held.list(), Instead: p.attempt.Instead}
		},
		Noted: func(act string, s queue.Submission) {
			note(p.log, p.auditLog, audit.Event{Actor: "system", Act: audit.Act("submission." + act), Submission: s.ID,
				Procedure: s.Labels["procedure"], Reason: "command-line"})
		},
		Rekey: func(ctx context.Context, to string) (int, error) {
			n, err := Rekey(ctx, p.cfg, p.queue, to)
			if err == nil {
				p.renewKeys(ctx)
			}
			return n, err
		},
		Diagnostics: p.examiner.bundle,
		Reload:      p.offer.reload,
		Audit:       func() (audit.Kept, error) { return KeptAudit(p.queue) },
		Staff:       p.roster.Members,
		ChangeStaff: staffCommands(p.roster, p.site.SignOut, p.auditLog, p.log),
	}
}

// runCounter runs scanner, readers, recognition and delivery.
func (p *parts) runCounter(ctx context.Context, group *errgroup.Group) {
	group.Go(func() error { return warm(ctx, p.reader, p.log) })
	if p.scanner != nil {
		group.Go(func() error { // the first citizen's screen then says rightly where to lay the paper
			return station.Follow(ctx, p.scanner, func(info scan.Info) { p.log.Info("scanner", "id", info.ID, "sources", info.Sources) })
		})
	}
	group.Go(func() error { return deliver(ctx, p.queue, counting(p.sink, p.figures)) })
	group.Go(func() error { return p.readers(ctx) })
	group.Go(func() error { return p.printJobs.Run(ctx) })
	if p.sticks != nil {
		group.Go(func() error {
			if err := p.sticks.Run(ctx); err != nil { // when a visit begins and when sticks are listed is looked, too
				p.log.Error("sticks that come and go are not noticed at once", "error", err)
			}
			return nil
		})
	}
}

// runScreen serves the pages and the command line, and watches that they answer.
func (p *parts) runScreen(ctx context.Context, group *errgroup.Group, ready chan struct{}) {
	pages := http.NewServeMux()
	pages.Handle("GET /healthz", health(p.queue))
	pages.Handle("/", p.site)
	group.Go(func() error { return p.site.Run(ctx) })
	if p.socket != nil {
		group.Go(func() error { return Serve(ctx, p.socket, p.socket.Guard(p.commands().Handler()), "", "") })
	}
	group.Go(func() error { return Serve(ctx, p.screen, pages, "", "") })
	group.Go(func() error { return watchdog(ctx, p.queue, p.address, p.log, ready) })
	group.Go(func() error { return p.attempt.prove(ctx, ready, p.log) })
	if p.queue.ReadOnly() == nil {
		group.Go(func() error { return p.settleLater(ctx, ready) })
	}
}

// runReports runs what tells of the kiosk and hears from the office.
func (p *parts) runReports(ctx context.Context, group *errgroup.Group) {
	group.Go(func() error { return follow(ctx, p.queue, p.auditLog, p.office, p.log) })
	if p.office != nil && p.office.run != nil {
		group.Go(func() error { return p.office.run(ctx) })
	}
	group.Go(func() error { return keepHead(ctx, p.cfg, p.queue, p.auditLog, p.log) })
	if p.cfg.Metrics.Listen != "" {
		group.Go(func() error { return serveMetrics(ctx, p.cfg.Metrics.Listen, p.figures, p.queue) })
	}
	if p.announcer != nil {
		group.Go(func() error { return p.announcer.Run(ctx) })
	}
	if p.demo != nil {
		group.Go(func() error { return p.demo.run(ctx, p.cfg.Kiosk.Ward, p.reader) })
	}
}

// note records an act; the log is told where that could not be done.
func note(log *slog.Logger, auditLog *audit.Log, ev audit.Event) {
	if err := auditLog.Append(ev); err != nil {
		log.Error("audit", "act", string(ev.Act), "error", err)
	}
}
