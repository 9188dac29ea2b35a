package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"time"

	"filippo.io/age"
	"golang.org/x/sys/unix"

	"motcua/agent/audit"
	"motcua/agent/config"
	"motcua/agent/control"
	"motcua/queue"
	"motcua/queue/seal"
)

// backlog is the queue as commands use it: through the daemon's socket where one runs, else by opening
// the data folder.
type backlog interface {
	Enqueue(ctx context.Context, d queue.Draft) (queue.Submission, error)
	Get(ctx context.Context, idOrCode string) (queue.Submission, error)
	List(ctx context.Context, f queue.Filter) ([]queue.Submission, error)
	Retry(ctx context.Context, idOrCode string) error
	RetryAll(ctx context.Context) (int, error)
	Drop(ctx context.Context, idOrCode string) error
	Content(ctx context.Context, w io.Writer, idOrCode string) (sha256 string, err error)
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
	if err := makeDataFolder(cfg.Data); err != nil {
		return nil, err
	}
	q, repairs, err := openQueue(p.ctx, cfg, slog.New(slog.NewTextHandler(p.err, &slog.HandlerOptions{Level: slog.LevelWarn})))
	if err != nil {
		return nil, err
	}
	if repairs.Any() {
		fmt.Fprintf(p.err, "motcua: the queue was repaired: %s\n", repairs)
	}
	log, err := audit.Open(filepath.Join(cfg.Data, "audit"), time.Now)
	if err != nil {
		q.Close()
		return nil, fmt.Errorf("open audit log: %w", err)
	}
	return &local{cfg, q, log}, nil
}

// makeDataFolder makes the folder for its owner only, or says how to mend what stands in the way.
func makeDataFolder(dir string) error {
	err := os.MkdirAll(dir, 0o700)
	if err == nil {
		// A folder that is there already may still not be writable; find out before anything is begun.
		err = writable(dir)
	}
	return folderError(dir, err)
}

// folderError says how to mend what stands in the way of the data folder.
func folderError(dir string, err error) error {
	if err == nil {
		return nil
	}
	if !errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("the data folder %s can't be used: %w; name another with --data", dir, err)
	}
	if owner := ownerOf(dir); owner != "" {
		return fmt.Errorf("the data folder %s may not be used by this user, it is %s's: run sudo -u %s motcua …, or name another with --data", dir, owner, owner)
	}
	return fmt.Errorf("the data folder %s may not be made by this user: let root make it for them (install -d -m 700 -o USER), or name another with --data", dir)
}

// ownerOf names the user a folder belongs to; "" where it is not there or not to be seen.
func ownerOf(dir string) string {
	var st unix.Stat_t
	if unix.Stat(dir, &st) != nil {
		return ""
	}
	id := strconv.FormatUint(uint64(st.Uid), 10)
	if u, err := user.LookupId(id); err == nil {
		return u.Username
	}
	return "#" + id // as sudo takes it
}

// writable tells whether a folder can take a file, without leaving anything there.
func writable(dir string) error {
	f, err := os.CreateTemp(dir, ".probe-*")
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

func openQueue(ctx context.Context, cfg config.Config, log *slog.Logger) (*queue.Queue, queue.Repairs, error) {
	o := queue.Options{
		Vault:     vault(cfg),
		MinFree:   int64(cfg.Queue.MinFree),
		Retention: cfg.Queue.Keep.D(),
		Parallel:  cfg.Queue.Workers,
		Outbox:    cfg.Announce.URL != "",
		Log:       log,
	}
	if cfg.Queue.SealTo != "" {
		recipient, err := age.ParseX25519Recipient(cfg.Queue.SealTo)
		if err != nil {
			return nil, queue.Repairs{}, fmt.Errorf("queue.seal_to: %w", err)
		}
		o.Office = []age.Recipient{recipient}
		o.OfficeOnly = cfg.Queue.OfficeOnly
	}
	q, repairs, err := queue.Open(ctx, filepath.Join(cfg.Data, "queue"), o)
	if errors.Is(err, queue.ErrLocked) {
		if client, dialing := control.Dial(ctx, cfg.Data); dialing == nil {
			defer client.Close()
			if s, asking := client.Status(ctx); asking == nil {
				return nil, repairs, fmt.Errorf("a daemon is running in %s already, at %s (process %d)", cfg.Data, s.Address, s.PID)
			}
		}
		return nil, repairs, fmt.Errorf("the data folder %s is in use by another motcua that does not answer: wait for it to end, or look for it with `ps`", cfg.Data)
	}
	if err != nil {
		return nil, repairs, fmt.Errorf("open queue in %s: %w", cfg.Data, err)
	}
	return q, repairs, nil
}

// vault is where the kiosk's key lies. "auto" keeps to where it is, and takes a TPM for a new queue where
// there is one.
func vault(cfg config.Config) seal.Vault {
	inFile, inTPM := vaults(cfg)
	switch cfg.Queue.Key {
	case "file":
		return inFile
	case "tpm":
		return inTPM
	}
	if exists(filepath.Join(cfg.Data, "queue", tpmFile)) {
		return inTPM
	}
	if exists(filepath.Join(cfg.Data, "queue", keyFile)) || unix.Access(seal.DefaultTPM, unix.R_OK|unix.W_OK) != nil {
		return inFile
	}
	return inTPM
}

const (
	keyFile = "kiosk.key"
	tpmFile = "kiosk.tpm"
)

func vaults(cfg config.Config) (inFile, inTPM seal.Vault) {
	dir := filepath.Join(cfg.Data, "queue")
	return seal.NewFile(filepath.Join(dir, keyFile)), seal.NewTPM(filepath.Join(dir, tpmFile), seal.DefaultTPM)
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

// rekey makes a new kiosk key; to says where it goes from now on: "file", "tpm", or "" to stay.
func rekey(ctx context.Context, cfg config.Config, q *queue.Queue, to string) (int, error) {
	inFile, inTPM := vaults(cfg)
	switch to {
	case "":
		return q.Rekey(ctx, nil)
	case vaultName(cfg):
		return q.Rekey(ctx, nil)
	case "file":
		return q.Rekey(ctx, inFile)
	case "tpm":
		return q.Rekey(ctx, inTPM)
	}
	return 0, fmt.Errorf("a kiosk key lies in a file or in the tpm, not in %q", to)
}

func vaultName(cfg config.Config) string {
	if _, ok := vault(cfg).(*seal.TPM); ok {
		return "tpm"
	}
	return "file"
}

// local is a backlog in this process.
type local struct {
	cfg   config.Config
	queue *queue.Queue
	audit *audit.Log
}

func (l *local) note(act audit.Act, s queue.Submission) error {
	return l.audit.Append(audit.Event{Actor: "system", Act: act, Submission: s.ID, Procedure: s.Labels["procedure"], Reason: "command-line"})
}

func (l *local) Enqueue(ctx context.Context, d queue.Draft) (queue.Submission, error) {
	s, err := l.queue.Enqueue(ctx, d)
	if err != nil {
		return s, err
	}
	return s, l.note(audit.SubmissionAccepted, s)
}

func (l *local) Get(_ context.Context, idOrCode string) (queue.Submission, error) {
	return l.queue.Get(idOrCode)
}

func (l *local) List(_ context.Context, f queue.Filter) ([]queue.Submission, error) {
	return l.queue.List(f)
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
	return l.note(act, s)
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

func (l *local) Export(ctx context.Context, w io.Writer, e control.Export) error {
	to, err := e.Recipients()
	if err != nil {
		return err
	}
	if _, err := l.queue.Export(ctx, w, to, e.Submissions...); err != nil {
		return err
	}
	return l.note(audit.SubmissionExported, queue.Submission{})
}

func (l *local) Import(ctx context.Context, r io.Reader, keys control.Keys) (queue.Imported, error) {
	with, err := keys.Identities()
	if err != nil {
		return queue.Imported{}, err
	}
	done, err := l.queue.Import(ctx, r, with...)
	for _, id := range done.Accepted {
		if s, getting := l.queue.Get(id); getting == nil {
			err = errors.Join(err, l.note(audit.SubmissionAccepted, s))
		}
	}
	return done, err
}

func (l *local) Verify(ctx context.Context) (queue.Verified, error) { return l.queue.Verify(ctx) }

func (l *local) Rekey(ctx context.Context, to string) (int, error) {
	return rekey(ctx, l.cfg, l.queue, to)
}

func (l *local) Close() error { return errors.Join(l.queue.Close(), l.audit.Close()) }
