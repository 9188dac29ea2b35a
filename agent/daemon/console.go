package daemon

import (
	"context"
	"io"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"motcua/agent/audit"
	"motcua/agent/config"
	"motcua/agent/diagnostics"
	"motcua/agent/doctor"
	"motcua/agent/recent"
	"motcua/agent/settings"
	"motcua/agent/staff"
	"motcua/agent/station"
	"motcua/agent/web/screen"
	"motcua/configs"
	"motcua/ocr"
	"motcua/queue"
)

// examiner is what the technician's pages and the diagnostics bundle ask of a running daemon.
type examiner struct {
	cfg      config.Config
	reader   *ocr.Reader
	queue    *queue.Queue
	auditLog *audit.Log
	lines    *recent.Lines

	mu       sync.Mutex // guards the findings, and keeps examinations from running side by side
	findings []doctor.Finding
	examined time.Time
}

// fresh is how long an examination holds: the console asks at every page.
const fresh = 15 * time.Second

func (e *examiner) examine(ctx context.Context) []doctor.Finding {
	e.mu.Lock()
	defer e.mu.Unlock()
	if time.Since(e.examined) > fresh {
		e.findings, e.examined = doctor.Examine(ctx, Checks(e.cfg, e.reader)), time.Now()
	}
	return e.findings
}

func (e *examiner) webFindings(ctx context.Context) []screen.Finding {
	var out []screen.Finding
	for _, f := range e.examine(ctx) {
		out = append(out, screen.Finding{OK: f.State != doctor.Broken, Warn: f.State == doctor.Look, What: f.Area + ": " + f.What, Mend: f.Mend})
	}
	return out
}

func (e *examiner) devices(ctx context.Context) []screen.Device {
	found, _ := station.Devices(ctx, e.cfg) // what does not answer is doctor's to tell
	var out []screen.Device
	for _, d := range found {
		out = append(out, screen.Device{ID: d.ID, Kind: d.Kind, Name: d.Name, State: d.State, OK: d.State == station.Ready, Known: d.Profile,
			Note: d.Note})
	}
	return out
}

func (e *examiner) log() []screen.LogLine {
	var out []screen.LogLine
	for _, l := range e.lines.All() {
		out = append(out, screen.LogLine{Time: l.Time, Level: l.Level.String(), Text: l.Text})
	}
	return out
}

func (e *examiner) bundle(ctx context.Context, w io.Writer) error {
	devices, _ := station.Devices(ctx, e.cfg)
	in := diagnostics.Input{
		Time: time.Now(), Config: e.cfg, Findings: e.examine(ctx), Log: e.lines.All(), Devices: devices, AuditHead: e.auditLog.Head().String(),
	}
	if stats, err := e.queue.Stats(); err == nil {
		in.Stats = &stats
	}
	if subs, err := e.queue.List(queue.Filter{Newest: true, Limit: 1000}); err == nil {
		in.Submissions = subs
	}
	return diagnostics.Write(w, in)
}

// openConsole gives the staff's pages what they work on.
func openConsole(e *examiner, path string, roster *staff.Roster, restart func()) (screen.Console, error) {
	defaults, err := config.Default(configs.FS)
	if err != nil {
		return screen.Console{}, err
	}
	shipped, err := configs.FS.ReadFile(config.DefaultFile)
	if err != nil {
		return screen.Console{}, err
	}
	file := settings.New(path, filepath.Join(e.cfg.Data, "config-versions"), defaults, shipped, time.Now)
	file.Try = func(cfg config.Config) error { return TryConfig(cfg, e.cfg, slog.New(slog.DiscardHandler)) }
	return screen.Console{
		Roster:      roster,
		Settings:    file,
		Backlog:     e.queue,
		Devices:     e.devices,
		Doctor:      e.webFindings,
		Log:         e.log,
		Diagnostics: e.bundle,
		AuditDir:    filepath.Join(e.cfg.Data, "audit"),
		Restart:     restart,
		Office:      e.cfg.Kiosk.Ward,
	}, nil
}

// follow writes into the audit log what becomes of submissions after they were accepted.
func follow(ctx context.Context, q *queue.Queue, auditLog *audit.Log, office *answers, log *slog.Logger) error {
	steps, cancel := q.Subscribe()
	defer cancel()
	for {
		select {
		case <-ctx.Done():
			return nil
		case s, open := <-steps:
			if !open {
				return nil
			}
			if s.State == queue.Delivered {
				office.settle(ctx, q, s.ID, log)
			}
			switch s.State {
			case queue.Delivered, queue.Acknowledged:
				if s.State == queue.Acknowledged && s.Acknowledged.After(s.Delivered) {
					break // its delivery is noted already
				}
				note(log, auditLog, audit.Event{Actor: "system", Act: audit.SubmissionDone, Submission: s.ID, Procedure: s.Labels["procedure"]})
			case queue.Held:
				note(log, auditLog, audit.Event{Actor: "system", Act: audit.SubmissionHeld, Submission: s.ID, Procedure: s.Labels["procedure"]})
			}
		}
	}
}
