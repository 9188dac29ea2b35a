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
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"time"

	"motcua/agent/audit"
	"motcua/agent/config"
	"motcua/agent/control"
	"motcua/agent/counter"
	"motcua/agent/draft"
	"motcua/agent/metrics"
	"motcua/agent/portal"
	"motcua/agent/recent"
	"motcua/agent/station"
	"motcua/agent/version"
	"motcua/agent/visit"
	"motcua/agent/web"
	"motcua/agent/web/screen"
	"motcua/configs"
	"motcua/ocr"
	"motcua/queue"
	"motcua/queue/line"

	systemd "github.com/coreos/go-systemd/v22/daemon"
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
	log := slog.New(lines.Handler(Logger(streams.Err, cfg.Log).Handler()))
	started := time.Now()
	running, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	ready := attempt.limit(cancel)
	closing := func(what string, close func() error) {
		if e := close(); e != nil {
			err = errors.Join(err, fmt.Errorf("close %s: %w", what, e))
		}
	}

	catalog, err := LoadProcedures(cfg)
	if err != nil {
		return err
	}
	if err := MakeDataFolder(cfg.Data); err != nil {
		return err
	}
	roll, err := OpenRoster(running, cfg)
	if err != nil {
		return err
	}
	q, repairs, err := OpenQueue(running, cfg, log)
	if err != nil {
		return err
	}
	defer closing("queue", q.Close)
	if repairs.Any() {
		log.Warn("the queue was repaired", "repairs", repairs.String())
	}
	ledger, err := openLedger(cfg, q, log)
	if err != nil {
		return err
	}
	defer closing("audit log", ledger.Close)
	sink, err := OpenSink(cfg, log)
	if err != nil {
		return err
	}
	announcer, err := openAnnouncer(cfg, q, ledger, log)
	if err != nil {
		return err
	}
	held := newHeld(log)
	reader, err := OpenReader(cfg, held.add)
	if err != nil {
		return err
	}
	defer closing("recognition", reader.Close)
	profiles, err := station.LoadProfiles(cfg)
	if err != nil {
		return err
	}
	var scanner station.Scanner
	if cfg.Scanner.Device != "none" {
		if scanner, err = station.OpenScanner(cfg, profiles); err != nil {
			return err
		}
		defer closing("scanner", scanner.Close)
	}
	figures := metrics.New(q, version.String())
	figures.Watch(func() []line.Certificate { return certificates(cfg) })
	examiner := &examiner{cfg: cfg, reader: reader, queue: q, ledger: ledger, lines: lines}
	console, err := openConsole(examiner, file, roll, func() { cancel(ErrRestart) })
	if err != nil {
		return err
	}
	offer, err := newOffer(cfg, catalog)
	if err != nil {
		return err
	}
	console.Update = offer.updater()
	office, err := openAnswers(running, cfg, q, figures, log)
	if err != nil {
		return err
	}
	accepting := counted{q, figures, ledger, office, log}
	site, err := openSite(cfg, offer, accepting, ledger, timed{reader, figures}, Copies(cfg, reader), scanner, console, demo != nil, log,
		openDrafts(ctx, cfg, log), func() {
			reader.Renew()
			runtime.GC()         // buffers in pools outlive one collection
			debug.FreeOSMemory() // what was freed goes back to the kernel, which hands it out empty
		})
	if err != nil {
		return err
	}
	readers, err := station.OpenReaders(cfg.Readers, profiles, site, log)
	if err != nil {
		return err
	}
	screen, err := listenScreen(cfg.Web.Listen, demo != nil)
	if err != nil {
		return err
	}
	defer screen.Close()
	socket, err := control.Listen(cfg.Data)
	if err != nil && q.ReadOnly() == nil {
		return err
	}
	if err == nil {
		defer socket.Close()
	} else {
		log.Warn("commands read the queue by themselves", "error", err)
	}

	address := "http://" + screen.Addr().String() + "/"
	note(log, ledger, audit.Event{Actor: "system", Act: audit.DaemonStarted})
	commands := &control.Server{
		Queue: accepting,
		Status: func() control.Status {
			stats, _ := q.Stats()
			return control.Status{PID: os.Getpid(), Version: version.String(), Started: started, Address: address, Upload: cfg.Upload.To,
				Queue: stats, Forbidden: held.list(), Instead: attempt.Instead}
		},
		Noted: func(act string, s queue.Submission) {
			note(log, ledger, audit.Event{Actor: "system", Act: audit.Act("submission." + act), Submission: s.ID, Procedure: s.Labels["procedure"],
				Reason: "command-line"})
		},
		Rekey:       func(ctx context.Context, to string) (int, error) { return Rekey(ctx, cfg, q, to) },
		Diagnostics: examiner.bundle,
		Reload:      offer.reload,
		Audit:       func() (audit.Kept, error) { return KeptAudit(q) },
		Staff:       roll.Members,
		ChangeStaff: staffCommands(roll, site.SignOut, ledger, log),
	}
	pages := http.NewServeMux()
	pages.Handle("GET /healthz", health(q))
	pages.Handle("/", site)

	group, ctx := errgroup.WithContext(running)
	group.Go(func() error { return warm(ctx, reader, log) })
	if p, ok := scanner.(station.Prober); ok {
		group.Go(func() error {
			// The first citizen's screen then says rightly where to lay the paper. A scanner that is not there yet is
			// found when it is used.
			if info, err := p.Probe(ctx); err == nil {
				log.Info("scanner", "id", info.ID, "sources", info.Sources)
			}
			return nil
		})
	}
	group.Go(func() error { return deliver(ctx, q, counting(sink, figures)) })
	group.Go(func() error { return site.Run(ctx) })
	if socket != nil {
		group.Go(func() error { return Serve(ctx, socket, socket.Guard(commands.Handler()), "", "") })
	}
	group.Go(func() error { return Serve(ctx, screen, pages, "", "") })
	group.Go(func() error { return watchdog(ctx, q, address, log, ready) })
	group.Go(func() error { return follow(ctx, q, ledger, office, log) })
	if office != nil && office.run != nil {
		group.Go(func() error { return office.run(ctx) })
	}
	group.Go(func() error { return readers(ctx) })
	group.Go(func() error { return attempt.prove(ctx, ready, log) })
	group.Go(func() error { return keepHead(ctx, cfg, q, ledger, log) })
	if cfg.Metrics.Listen != "" {
		group.Go(func() error { return serveMetrics(ctx, cfg.Metrics.Listen, figures, q) })
	}
	if announcer != nil {
		group.Go(func() error { return announcer.Run(ctx) })
	}
	if demo != nil {
		group.Go(func() error { return demo.run(ctx, cfg.Kiosk.Ward, reader) })
	}
	debug.FreeOSMemory() // what building took is not needed to run; a kiosk idles for hours
	fmt.Fprintf(streams.Out, "Motcua is at %s\n", address)
	fmt.Fprintf(streams.Out, "Staff sign in at %sstaff; at the screen, hold the emblem for two seconds\n", address)
	log.Info("running", "address", address, "data", cfg.Data, "upload", cfg.Upload.To, "procedures", len(catalog.All))
	err = stopped(group.Wait())
	if errors.Is(context.Cause(running), errNotWell) {
		err = errors.Join(err, errNotWell)
	}
	if errors.Is(context.Cause(running), ErrRestart) {
		err = errors.Join(err, ErrRestart)
	}
	note(log, ledger, audit.Event{Actor: "system", Act: audit.DaemonStopped})
	log.Info("stopped")
	return err
}

func openSite(cfg config.Config, offer *offer, q counted, ledger *audit.Log, reader screen.Reader, copies counter.MakeCopies,
	scanner station.Scanner, console screen.Console, demo bool, log *slog.Logger, drafts *draft.Store, forget func()) (*web.Site, error) {
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
		Audit:      ledger.Append,
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
			Recipients: cfg.Privacy.Recipients, Kept: cfg.Queue.Keep.D()},
		Account:     screen.Account{BIN: cfg.Payment.BIN, Number: cfg.Payment.Account, Name: cfg.Payment.Name, Bank: cfg.Payment.Bank},
		Citizen:     visit.Limits{Silence: cfg.Web.Silence.D(), Warning: cfg.Web.Warning.D()},
		Helped:      visit.Limits{Silence: cfg.Web.HelpedSilence.D(), Warning: cfg.Web.HelpedWarning.D()},
		UploadLimit: int64(cfg.Web.UploadLimit),
		Forget:      forget,
		Print:       cfg.Web.Print,
		PrintSlip:   station.ReceiptPrinter(cfg),
		PrintSheet:  station.SheetPrinter(cfg),
		Later:       time.Duration(cfg.Web.LaterDays) * 24 * time.Hour,
		Console:     console,
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

// openLedger opens the audit log. On a disk that is read-only nothing is accepted and nothing of a citizen's changes;
// what staff do meanwhile is kept in memory, where it lasts until the machine is switched off.
func openLedger(cfg config.Config, q *queue.Queue, log *slog.Logger) (*audit.Log, error) {
	dir := filepath.Join(cfg.Data, "audit")
	if q.ReadOnly() != nil {
		dir = fmt.Sprintf("/dev/shm/motcua-audit-%d", os.Getuid())
		log.Error("the disk is read-only: nothing is accepted; what waits can be listed and exported", "audit", dir)
	}
	ledger, err := audit.Open(dir, time.Now)
	if err != nil {
		return nil, fmt.Errorf("open audit log: %w", err)
	}
	return ledger, nil
}

// counted is the queue with its acceptances noted and counted.
type counted struct {
	*queue.Queue
	figures *metrics.Metrics
	ledger  *audit.Log
	office  *answers
	log     *slog.Logger
}

// Enqueue accepts a submission and counts it. It refuses what could not be noted in the audit log, before it is
// accepted; that of the acceptance itself may then fail without anybody being told otherwise than in the log.
func (c counted) Enqueue(ctx context.Context, d queue.Draft) (queue.Submission, error) {
	offered := audit.Event{Actor: "system", Act: audit.SubmissionOffered, Submission: d.ID, Procedure: d.Labels["procedure"]}
	if err := c.ledger.Append(offered); err != nil {
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

func serveMetrics(ctx context.Context, address string, figures *metrics.Metrics, q *queue.Queue) error {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("open metrics.listen: %w", err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", figures.Handler())
	mux.Handle("GET /healthz", health(q))
	return Serve(ctx, l, mux, "", "")
}

// listenScreen takes the configured address; the demo takes the next free port where that one is taken.
func listenScreen(address string, next bool) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	host, port, splitting := net.SplitHostPort(address)
	n, _ := strconv.Atoi(port)
	for i := 1; err != nil && next && splitting == nil && i <= 20; i++ {
		var later error
		if l, later = net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(n+i))); later == nil {
			return l, nil
		}
	}
	if err != nil {
		return nil, fmt.Errorf("open the screen's address: %w; is another motcua running? Choose another with --listen or web.listen", err)
	}
	return l, nil
}

// warm starts the recognisers while the first citizen still reads the first page.
func warm(ctx context.Context, reader *ocr.Reader, log *slog.Logger) error {
	if err := reader.Warm(ctx); err != nil && ctx.Err() == nil {
		log.Error("recognition did not start; run motcua doctor", "error", err)
	}
	return nil
}

func deliver(ctx context.Context, q *queue.Queue, sink queue.Sink) error {
	if sink != nil {
		return q.Run(ctx, sink)
	}
	if _, err := q.Sweep(ctx); err != nil && ctx.Err() == nil && !errors.Is(err, queue.ErrReadOnly) {
		return fmt.Errorf("wipe delivered submissions: %w", err)
	}
	<-ctx.Done()
	return nil
}

// health answers whether the queue can still be asked; it says nothing about anybody.
func health(q *queue.Queue) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if _, err := q.Stats(); err != nil {
			http.Error(w, "the queue does not answer", http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ok")
	})
}

// watchdog tells systemd that the daemon is ready, and goes on telling it while a page and the queue
// answer. Without systemd it does nothing.
func watchdog(ctx context.Context, q *queue.Queue, address string, log *slog.Logger, ready chan<- struct{}) error {
	tell := func(state string) {
		if _, err := systemd.SdNotify(false, state); err != nil {
			log.Warn("tell systemd", "error", err)
		}
	}
	alive := func() error {
		ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, address+"healthz", nil)
		if err != nil {
			return err
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return err
		}
		response.Body.Close()
		if response.StatusCode != http.StatusOK {
			return fmt.Errorf("health: %s", response.Status)
		}
		return nil
	}
	interval, err := systemd.SdWatchdogEnabled(false)
	if err != nil || interval <= 0 {
		interval = 30 * time.Second
	}
	if err := alive(); err != nil && ctx.Err() == nil {
		return fmt.Errorf("the screen does not answer: %w", err)
	}
	tell(systemd.SdNotifyReady)
	close(ready)
	tick := time.NewTicker(interval / 3)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			tell(systemd.SdNotifyStopping)
			return nil
		case <-tick.C:
		}
		if err := alive(); err != nil {
			if ctx.Err() == nil {
				log.Error("not well", "error", err)
			}
			continue
		}
		tell(systemd.SdNotifyWatchdog)
		if stats, err := q.Stats(); err == nil {
			tell(fmt.Sprintf("STATUS=%d waiting, %d held", stats.Count[queue.Queued]+stats.Count[queue.Sending], stats.Count[queue.Held]))
		}
	}
}

// Serve answers on a listener until ctx ends, then lets requests under way finish for a while.
func Serve(ctx context.Context, l net.Listener, h http.Handler, cert, key string) error {
	server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute}
	var group errgroup.Group
	done := make(chan struct{})
	group.Go(func() error {
		select {
		case <-ctx.Done():
		case <-done:
			return nil
		}
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
		defer cancel()
		if err := server.Shutdown(grace); err != nil {
			return server.Close() // a browser that keeps an event stream open must not hold up the end
		}
		return nil
	})
	var err error
	if cert != "" {
		err = server.ServeTLS(l, cert, key)
	} else {
		err = server.Serve(l)
	}
	close(done)
	if closing := group.Wait(); errors.Is(err, http.ErrServerClosed) {
		return closing
	}
	return err
}

// stopped turns the end by a signal into no error.
func stopped(err error) error {
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// note records an act; the log is told where that could not be done.
func note(log *slog.Logger, ledger *audit.Log, ev audit.Event) {
	if err := ledger.Append(ev); err != nil {
		log.Error("audit", "act", string(ev.Act), "error", err)
	}
}
