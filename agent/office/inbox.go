package office

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"motcua/queue/receive"
)

// Inbox files what a receiver lays into its folder, one folder a submission, and takes away what was filed.
type Inbox struct {
	Dir   string
	Store *Store
	Keep  bool // leave the folders; they are in the clear then
	Log   *slog.Logger

	wake    chan struct{}
	refused map[string]bool // told of already
}

// lookEvery is how often the folder is looked at without being told: other programs put submissions there, too.
const lookEvery = 5 * time.Second

// NewInbox makes an inbox; Run files.
func NewInbox(dir string, s *Store, keep bool, log *slog.Logger) *Inbox {
	return &Inbox{Dir: dir, Store: s, Keep: keep, Log: log, wake: make(chan struct{}, 1), refused: map[string]bool{}}
}

// Wake says that something came. It never blocks.
func (in *Inbox) Wake() {
	select {
	case in.wake <- struct{}{}:
	default:
	}
}

// Run files what is there, and then what comes, until ctx ends.
func (in *Inbox) Run(ctx context.Context) error {
	if err := in.tidy(); err != nil {
		return err
	}
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		if err := in.Take(ctx); err != nil && ctx.Err() == nil {
			in.Log.Error("file what was received", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-in.wake:
		case <-tick.C:
		}
	}
}

const (
	receiversOwn = ".motcua"
	filedPrefix  = "filed-"
)

// tidy removes what was filed and not yet taken away when the machine stopped.
func (in *Inbox) tidy() error {
	left, err := filepath.Glob(filepath.Join(in.Dir, receiversOwn, filedPrefix+"*"))
	if err != nil {
		return fmt.Errorf("take away what was filed: %w", err)
	}
	for _, folder := range left {
		if err := os.RemoveAll(folder); err != nil {
			return fmt.Errorf("take away what was filed: %w", err)
		}
	}
	return nil
}

// Take files all that lies in the folder now. What can't be filed stays, and is told once.
func (in *Inbox) Take(ctx context.Context) error {
	entries, err := os.ReadDir(in.Dir)
	if err != nil {
		return fmt.Errorf("look into the receiver's folder: %w", err)
	}
	var all error
	for _, e := range entries {
		if !e.IsDir() || strings.HasPrefix(e.Name(), ".") || ctx.Err() != nil {
			continue
		}
		if err := in.take(ctx, e.Name()); err != nil && !in.refused[e.Name()] {
			in.refused[e.Name()] = true
			all = errors.Join(all, fmt.Errorf("submission %s: %w", e.Name(), err))
		}
	}
	return all
}

func (in *Inbox) take(ctx context.Context, name string) error {
	if in.Keep && in.Store.of(name) != nil {
		return nil
	}
	folder := filepath.Join(in.Dir, name)
	text, err := os.ReadFile(filepath.Join(folder, receiptName))
	if errors.Is(err, os.ErrNotExist) {
		return nil // not a submission
	}
	if err != nil {
		return fmt.Errorf("read receipt: %w", err)
	}
	var r receive.Receipt
	if err := json.Unmarshal(text, &r); err != nil || r.ID != name {
		return fmt.Errorf("%w: its receipt can't be read, or names another submission", ErrUnproved)
	}
	filed, err := in.Store.File(ctx, r, os.DirFS(folder))
	if err != nil {
		return err
	}
	if filed {
		in.Log.Info("filed", "submission", r.ID, "kiosk", r.Kiosk)
	}
	if in.Keep {
		return nil
	}
	// Out of the way by one rename first: a half removed folder would look like a damaged submission.
	away := filepath.Join(in.Dir, receiversOwn, filedPrefix+name)
	if err := os.MkdirAll(filepath.Dir(away), 0o700); err != nil {
		return fmt.Errorf("take away what was filed: %w", err)
	}
	if err := os.RemoveAll(away); err != nil {
		return fmt.Errorf("take away what was filed: %w", err)
	}
	if err := os.Rename(folder, away); err != nil {
		return fmt.Errorf("take away what was filed: %w", err)
	}
	return os.RemoveAll(away)
}
