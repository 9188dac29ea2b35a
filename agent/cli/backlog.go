package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"motcua/agent/audit"
	"motcua/agent/config"
	"motcua/agent/control"
	"motcua/agent/daemon"
	"motcua/agent/person"
	"motcua/queue"
)

// backlog is the queue as commands use it: through the daemon's socket where one runs, else by opening
// the data folder.
type backlog interface {
	Enqueue(ctx context.Context, d queue.Draft) (queue.Submission, error)
	Get(ctx context.Context, idOrCode string) (queue.Submission, error)
	Each(ctx context.Context, f queue.Filter, do func(queue.Submission) error) error
	Retry(ctx context.Context, idOrCode string) error
	RetryAll(ctx context.Context) (int, error)
	RetryHeld(ctx context.Context, reason string) (int, error)
	Found(ctx context.Context) ([]queue.Found, error)
	TakeFound(ctx context.Context, name string) (queue.Submission, error)
	DropFound(ctx context.Context, name string) (queue.Found, error)
	Drop(ctx context.Context, idOrCode string) error
	Content(ctx context.Context, w io.Writer, idOrCode string) (sha256 string, err error)
	Person(ctx context.Context, q person.Query) (person.Found, error)
	Export(ctx context.Context, w io.Writer, e control.Export) error
	Import(ctx context.Context, r io.Reader, keys control.Keys) (queue.Imported, error)
	Verify(ctx context.Context) (queue.Verified, error)
	Rekey(ctx context.Context, to string) (int, error)
	Close() error
}

// errNoData says that a command that only looks found nothing to look at.
var errNoData = errors.New("there is no data folder yet")

// openBacklog finds the queue. With create, the data folder is made; without, its absence is errNoData.
func (p *program) openBacklog(cfg config.Config, create bool) (backlog, error) {
	if _, err := os.Stat(cfg.Data); errors.Is(err, fs.ErrNotExist) && !create {
		return nil, fmt.Errorf("%w at %s: nothing was submitted here; name another with --data", errNoData, cfg.Data)
	}
	if client, err := control.Dial(p.ctx, cfg.Data); err == nil {
		return client, nil
	}
	return p.openLocal(cfg)
}

// openLocal opens the data folder itself; it fails while a daemon has it.
func (p *program) openLocal(cfg config.Config) (*local, error) {
	if err := daemon.MakeDataFolder(cfg.Data); err != nil {
		return nil, err
	}
	warnings := slog.New(slog.NewTextHandler(p.err, &slog.HandlerOptions{Level: slog.LevelWarn}))
	q, repairs, err := daemon.OpenQueue(p.ctx, cfg, warnings)
	if err != nil {
		return nil, err
	}
	if repairs.Any() {
		fmt.Fprintf(p.err, "motcua: the queue was repaired: %s\n", repairs)
	}
	if q.ReadOnly() != nil {
		return &local{cfg, q, nil, warnings}, nil
	}
	log, err := audit.Open(filepath.Join(cfg.Data, "audit"), time.Now)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open audit log: %w", err), q.Close())
	}
	return &local{cfg, q, log, warnings}, nil
}

// local is a backlog in this process.
type local struct {
	cfg   config.Config
	queue *queue.Queue
	audit *audit.Log // nil on a disk that is read-only
	log   *slog.Logger
}

func (l *local) note(act audit.Act, s queue.Submission) error {
	if l.audit == nil {
		l.log.Warn("not in the audit log, the disk is read-only: note it by hand", "act", string(act), "submission", s.ID)
		return nil
	}
	return l.audit.Append(audit.Event{Actor: "system", Act: act, Submission: s.ID, Procedure: s.Labels["procedure"], Reason: "command-line"})
}

func (l *local) Enqueue(ctx context.Context, d queue.Draft) (queue.Submission, error) {
	// What can't be noted is refused before it is accepted, never after.
	if err := l.note(audit.SubmissionOffered, queue.Submission{ID: d.ID, Labels: d.Labels}); err != nil {
		return queue.Submission{}, err
	}
	s, err := l.queue.Enqueue(ctx, d)
	if err == nil {
		l.told(audit.SubmissionAccepted, s)
	}
	return s, err
}

// told notes what is done already: that it could not be noted is said, and no reason to call the deed failed.
func (l *local) told(act audit.Act, s queue.Submission) {
	if err := l.note(act, s); err != nil {
		l.log.Error("audit", "act", string(act), "submission", s.ID, "error", err)
	}
}

func (l *local) Get(_ context.Context, idOrCode string) (queue.Submission, error) {
	return l.queue.Get(idOrCode)
}

func (l *local) Each(ctx context.Context, f queue.Filter, do func(queue.Submission) error) error {
	return l.queue.Each(ctx, f, do)
}

func (l *local) RetryHeld(ctx context.Context, reason string) (int, error) {
	return l.queue.RetryHeld(ctx, reason)
}

func (l *local) Found(ctx context.Context) ([]queue.Found, error) { return l.queue.Found(ctx) }

func (l *local) TakeFound(ctx context.Context, name string) (queue.Submission, error) {
	s, err := l.queue.TakeFound(ctx, name)
	if err == nil {
		l.told(audit.SubmissionTakenIn, s)
	}
	return s, err
}

func (l *local) DropFound(ctx context.Context, name string) (queue.Found, error) {
	f, err := l.queue.DropFound(ctx, name)
	if err == nil {
		l.told(audit.SubmissionDropped, f.Submission)
	}
	return f, err
}

func (l *local) Retry(ctx context.Context, idOrCode string) error {
	return l.act(ctx, audit.SubmissionRetried, idOrCode, l.queue.Retry)
}

func (l *local) Drop(ctx context.Context, idOrCode string) error {
	return l.act(ctx, audit.SubmissionDropped, idOrCode, l.queue.Drop)
}

func (l *local) act(ctx context.Context, act audit.Act, idOrCode string, do func(context.Context, string) error) error {
	s, err := l.queue.Get(idOrCode)
	if err != nil {
		return err
	}
	if err := do(ctx, s.ID); err != nil {
		return err
	}
	l.told(act, s)
	return nil
}

func (l *local) RetryAll(ctx context.Context) (int, error) { return l.queue.RetryAll(ctx) }

func (l *local) Content(ctx context.Context, w io.Writer, idOrCode string) (string, error) {
	c, err := l.queue.Content(ctx, idOrCode)
	if err != nil {
		return "", err
	}
	defer c.Close()
	// Noted before the first byte is shown: what cannot be noted is not shown.
	if err := l.note(audit.SubmissionExported, c.Submission()); err != nil {
		return "", err
	}
	_, err = io.Copy(w, io.NewSectionReader(c, 0, c.Size()))
	return c.SHA256(), err
}

func (l *local) Person(ctx context.Context, q person.Query) (person.Found, error) {
	// Noted before anything is looked into: what cannot be noted is not.
	if err := l.note(audit.SubmissionExported, queue.Submission{}); err != nil {
		return person.Found{}, err
	}
	found, err := person.Find(ctx, l.queue, q)
	for _, r := range found.Records {
		if noting := l.note(audit.SubmissionExported, r.Submission()); noting != nil {
			return person.Found{}, noting
		}
	}
	return found, err
}

func (l *local) Export(ctx context.Context, w io.Writer, e control.Export) error {
	to, err := e.Recipients()
	if err != nil {
		return err
	}
	if err := l.note(audit.SubmissionExported, queue.Submission{}); err != nil {
		return err
	}
	_, err = l.queue.Export(ctx, w, to, e.Submissions...)
	return err
}

func (l *local) Import(ctx context.Context, r io.Reader, keys control.Keys) (queue.Imported, error) {
	with, err := keys.Identities()
	if err != nil {
		return queue.Imported{}, err
	}
	done, err := l.queue.Import(ctx, r, with...)
	for _, id := range done.Accepted {
		if s, getting := l.queue.Get(id); getting == nil {
			l.told(audit.SubmissionAccepted, s)
		}
	}
	return done, err
}

func (l *local) Verify(ctx context.Context) (queue.Verified, error) { return l.queue.Verify(ctx) }

func (l *local) Rekey(ctx context.Context, to string) (int, error) {
	return daemon.Rekey(ctx, l.cfg, l.queue, to)
}

func (l *local) Close() error {
	if l.audit == nil {
		return l.queue.Close()
	}
	return errors.Join(l.queue.Close(), l.audit.Close())
}
