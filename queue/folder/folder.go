// Package folder delivers submissions to a folder, as on a mounted share of the office. In goes a
// bundle; out comes one file DIR/<submission id>.zip (.zip.age where it is sealed to the office).
//
// It promises: the file appears whole and durable, by one rename, or not at all; delivering again finds
// it there; a file that another made is never overwritten; nothing is written into the empty place where
// a share should be mounted. A share that hangs inside the kernel can't be left by ctx.
package folder

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"motcua/queue"
	"motcua/queue/line"
)

// Options say where the folder is.
type Options struct {
	Dir     string
	Mounted bool       // Dir must be a mount point: an unmounted share is not there, not an empty folder
	Limit   line.Limit // nil = as fast as it goes
}

// Sink is a queue.Sink for one folder.
type Sink struct{ o Options }

// New checks the options. It does not touch the folder, which may be mounted later.
func New(o Options) (*Sink, error) {
	if !filepath.IsAbs(o.Dir) {
		return nil, fmt.Errorf("folder %q: must be an absolute path", o.Dir)
	}
	return &Sink{o}, nil
}

// Hub names the far side, for the queue's circuit breaker.
func (s *Sink) Hub() string { return s.o.Dir }

// Probe reports whether the folder is there and can be written to.
func (s *Sink) Probe(context.Context) error {
	if err := s.there(); err != nil {
		return err
	}
	f, err := os.CreateTemp(s.o.Dir, ".motcua-probe-")
	if err != nil {
		return fmt.Errorf("write to %s: %w", s.o.Dir, cause(err))
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

func (s *Sink) there() error {
	info, err := os.Stat(s.o.Dir)
	if err != nil {
		return fmt.Errorf("open folder %s: %w", s.o.Dir, cause(err))
	}
	if !info.IsDir() {
		return fmt.Errorf("open folder %s: is a file", s.o.Dir)
	}
	if !s.o.Mounted {
		return nil
	}
	up, err := os.Stat(filepath.Dir(s.o.Dir))
	if err != nil {
		return fmt.Errorf("open folder %s: %w", s.o.Dir, cause(err))
	}
	a, ok1 := info.Sys().(*syscall.Stat_t)
	b, ok2 := up.Sys().(*syscall.Stat_t)
	if ok1 && ok2 && a.Dev == b.Dev {
		return fmt.Errorf("open folder %s: the share is not mounted", s.o.Dir)
	}
	return nil
}

// cause drops the path, which the caller names, from a file error.
func cause(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// full is how long to leave a share without space alone.
const full = 5 * time.Minute

// Deliver writes the bundle beside its place, checks what was written, and renames it.
func (s *Sink) Deliver(ctx context.Context, sub queue.Submission, b queue.Bundle, _ queue.Notes) error {
	if strings.ContainsAny(sub.ID, "/\\\x00") || strings.HasPrefix(sub.ID, ".") || sub.ID == "" {
		return queue.Permanent(errors.New("deliver to folder: the submission's id is no file name"))
	}
	if err := s.there(); err != nil {
		return err
	}
	name := sub.ID + ".zip"
	if sub.Sealed {
		name += ".age"
	}
	path := filepath.Join(s.o.Dir, name)
	switch f, err := os.Open(path); {
	case err == nil:
		defer f.Close()
		return s.same(ctx, f, sub, b)
	case !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("deliver %s to %s: %w", sub.ID, s.o.Dir, cause(err))
	}
	err := s.write(ctx, path, b)
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("deliver %s to %s: %w", sub.ID, s.o.Dir, context.Cause(ctx))
	case errors.Is(err, fs.ErrExist):
		// Somebody put it there since: look what it is next time.
		return fmt.Errorf("deliver %s to %s: the file has just appeared there", sub.ID, s.o.Dir)
	case errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT):
		return queue.RetryAfter(fmt.Errorf("deliver %s: %s is full", sub.ID, s.o.Dir), full)
	case err != nil:
		var closed interface{ RetryIn() time.Duration }
		err := fmt.Errorf("deliver %s to %s: %w", sub.ID, s.o.Dir, cause(err))
		if errors.As(err, &closed) {
			return queue.RetryAfter(err, closed.RetryIn())
		}
		return err
	}
	return nil
}

// same accepts a file that is there already if it is this bundle.
func (s *Sink) same(ctx context.Context, f *os.File, sub queue.Submission, b queue.Bundle) error {
	hash := sha256.New()
	n, err := copyUntil(ctx, hash, f, nil)
	if err != nil {
		return fmt.Errorf("check %s in %s: %w", sub.ID, s.o.Dir, cause(err))
	}
	if n != b.Size() || hex.EncodeToString(hash.Sum(nil)) != b.SHA256() {
		return queue.Permanent(fmt.Errorf("deliver %s to %s: another file of this name is there", sub.ID, s.o.Dir))
	}
	return nil
}

func (s *Sink) write(ctx context.Context, path string, b queue.Bundle) (err error) {
	part := filepath.Join(s.o.Dir, "."+filepath.Base(path)+".part")
	f, err := os.OpenFile(part, os.O_CREATE|os.O_TRUNC|os.O_RDWR, 0o640)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			// What is left is overwritten by the next try, if it can't be removed now.
			_ = os.Remove(part)
		}
	}()
	hash := sha256.New()
	_, err = copyUntil(ctx, io.MultiWriter(f, hash), io.NewSectionReader(b, 0, b.Size()), s.o.Limit)
	if err == nil && hex.EncodeToString(hash.Sum(nil)) != b.SHA256() {
		err = errors.New("the bundle changed while it was read")
	}
	if err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e // network file systems report a failed write only now
	}
	if err != nil {
		return err
	}
	// A share's server may have lost what its client believes to be written.
	if info, err := os.Stat(part); err != nil {
		return err
	} else if info.Size() != b.Size() {
		return fmt.Errorf("the share holds %d of %d bytes", info.Size(), b.Size())
	}
	if err := unix.Renameat2(unix.AT_FDCWD, part, unix.AT_FDCWD, path, unix.RENAME_NOREPLACE); err != nil {
		if !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.ENOSYS) && !errors.Is(err, unix.ENOTSUP) {
			return err
		}
		// Not every network file system can; the check before was all there is.
		if err := os.Rename(part, path); err != nil {
			return err
		}
	}
	d, err := os.Open(s.o.Dir)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Sync(); err != nil && !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.ENOTSUP) {
		return err
	}
	return nil
}

// copyUntil copies in pieces, and stops between two of them when ctx ends.
func copyUntil(ctx context.Context, w io.Writer, r io.Reader, l line.Limit) (total int64, err error) {
	buf := make([]byte, 256<<10)
	for {
		if err := ctx.Err(); err != nil {
			return total, err
		}
		n, err := io.ReadFull(r, buf)
		if n > 0 {
			if l != nil {
				if err := l.WaitN(ctx, n); err != nil {
					return total, err
				}
			}
			if _, err := w.Write(buf[:n]); err != nil {
				return total, err
			}
			total += int64(n)
		}
		switch {
		case err == io.EOF || err == io.ErrUnexpectedEOF:
			return total, nil
		case err != nil:
			return total, err
		}
	}
}
