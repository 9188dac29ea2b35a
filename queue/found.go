package queue

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	bolt "go.etcd.io/bbolt"

	"motcua/queue/seal"
)

// A file among the blobs that the index does not know is never destroyed by the queue itself: it is moved to the folder
// found/, as <id>.<why>, and stays there until a person takes it in again or drops it.

// Why a blob was set aside.
const (
	whyUnknown    = "unknown"    // whole; the index does not know it
	whyElsewhere  = "elsewhere"  // whole; the index knows the submission at another place
	whyDamaged    = "damaged"    // cut short, overwritten, or the card of another submission
	whyUnreadable = "unreadable" // the disk gave an error, twice
	whyOtherKey   = "other-key"  // sealed under a kiosk key that is not at hand
)

// Found is a blob that was set aside.
type Found struct {
	Name       string     `json:"name"`                 // of the file; what TakeFound and DropFound want
	Why        string     `json:"why"`                  // unknown, elsewhere, damaged, unreadable, other-key
	Size       int64      `json:"size"`                 // bytes of the file
	Submission Submission `json:"submission,omitzero"`  // from its card; empty where that can't be read
	Fault      string     `json:"fault,omitempty"`      // why it can't be taken in; empty = it can
	Here       State      `json:"here,omitempty"`       // state of the submission of the same id that the queue has
	HereWiped  bool       `json:"here_wiped,omitempty"` // and its content was wiped after delivery
	folder     string
}

func (q *Queue) foundPath() string { return filepath.Join(q.dir, foundName) }

func (q *Queue) damagedPath() string { return filepath.Join(q.dir, damagedName) }

// cutFound splits the name of a file that was set aside; an id has no dot.
func cutFound(name string) (id, why string, ok bool) {
	id, rest, ok := strings.Cut(name, ".")
	why, _, _ = strings.Cut(rest, ".")
	return id, why, ok
}

// setAside moves a file from the blobs to found/. It is one rename, so a cut leaves it here or there.
func (q *Queue) setAside(at place, name, why string) (string, error) {
	id := strings.TrimSuffix(name, partialSuffix)
	if err := q.disk.MkdirAll(q.foundPath()); err != nil {
		return "", err
	}
	aside := freeName(filepath.Join(q.foundPath(), id+"."+why))
	if err := q.disk.Rename(q.path(place{at.segment, name}), aside); err != nil {
		return "", fmt.Errorf("set blob aside: %w", err)
	}
	if err := errors.Join(q.disk.SyncDir(q.foundPath()), q.disk.SyncDir(q.segmentPath(at.segment)), q.disk.SyncDir(q.dir)); err != nil {
		return "", fmt.Errorf("set blob aside: %w", err)
	}
	q.log.Warn("blob set aside", "submission", id, "why", why)
	q.countFound()
	return filepath.Base(aside), nil
}

// countFound keeps the number of files that were set aside, which Stats tells.
func (q *Queue) countFound() {
	q.found.Store(int64(CountFound(q.dir)))
}

// CountFound counts what was set aside in a queue's folder, whether the queue is open or not.
func CountFound(dir string) (n int) {
	for _, name := range []string{foundName, damagedName} {
		if names, err := (osDisk{}).List(filepath.Join(dir, name)); err == nil {
			n += len(names)
		}
	}
	return n
}

const (
	foundName   = "found"
	damagedName = "damaged" // where builds before layout 3 put what they could not put back into a lost index
)

// Found lists what was set aside. It first looks through all folders of blobs for strays, where the disk can be written.
func (q *Queue) Found(ctx context.Context) ([]Found, error) {
	leave, err := q.enterReading()
	if err != nil {
		return nil, err
	}
	defer leave()
	if q.ReadOnly() == nil {
		if err := q.patrol(ctx); err != nil {
			return nil, fmt.Errorf("look for strays: %w", err)
		}
	}
	return q.listFound(ctx)
}

func (q *Queue) listFound(ctx context.Context) ([]Found, error) {
	var list []Found
	for _, folder := range []string{q.foundPath(), q.damagedPath()} {
		names, err := q.disk.List(folder)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("list what was set aside: %w", err)
		}
		slices.Sort(names)
		for _, name := range names {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			f := Found{Name: name, folder: folder}
			f.look(q)
			list = append(list, f)
		}
	}
	return list, nil
}

// look reads the card of a file that was set aside and says whether it could be taken in.
func (f *Found) look(q *Queue) {
	id, why, ok := cutFound(f.Name)
	if !ok {
		why = whyDamaged
	}
	f.Why = why
	file, err := q.disk.Open(filepath.Join(f.folder, f.Name))
	if err != nil {
		f.Fault = err.Error()
		return
	}
	defer file.Close()
	f.Size, _ = file.Size()
	r, err := readCard(file)
	if err == nil && r.ID != id {
		err = fmt.Errorf("%w: it is the blob of %s", errDamaged, r.ID)
	}
	if err == nil && !r.Sealed {
		var slots [2][]byte
		if slots, err = readSlots(file); err == nil {
			err = q.checkSlots(slots)
		}
	}
	if r.ID != "" {
		r.State = ""
		f.Submission = r.Submission
	}
	if err != nil {
		f.Fault = err.Error()
	}
	if here, err := q.stored(id); err == nil {
		f.Here, f.HereWiped = here.State, here.Wiped
	}
}

// one finds a file that was set aside by its name, or by the id or code of its submission where only one has it.
func (q *Queue) one(ctx context.Context, name string) (Found, error) {
	list, err := q.listFound(ctx)
	if err != nil {
		return Found{}, err
	}
	code, isCode := ParseCode(name)
	var fits []Found
	for _, f := range list {
		if f.Name == name {
			return f, nil
		}
		if f.Submission.ID == name || (isCode && f.Submission.Code == code) {
			fits = append(fits, f)
		}
	}
	switch len(fits) {
	case 0:
		return Found{}, fmt.Errorf("%w among what was set aside", ErrNotFound)
	case 1:
		return fits[0], nil
	}
	return Found{}, fmt.Errorf("%w: %d files were set aside for it: name the file", ErrState, len(fits))
}

// TakeFound queues the submission of a file that was set aside, after proving it against its digests, as durably as
// Enqueue does. One whose record is here while its blob is missing or damaged gets the blob back. Cut off, the
// file is set aside again by the next start.
func (q *Queue) TakeFound(ctx context.Context, name string) (Submission, error) {
	leave, err := q.enter()
	if err != nil {
		return Submission{}, err
	}
	defer leave()
	// A rotation would look for the blob in found/ and for its record, and miss it on its way between.
	q.rekeying.Lock()
	defer q.rekeying.Unlock()
	f, err := q.one(ctx, name)
	if err != nil {
		return Submission{}, err
	}
	r, err := q.takeFound(ctx, f)
	if err != nil {
		return Submission{}, fmt.Errorf("take in %s: %w", f.Name, err)
	}
	q.countFound()
	q.log.Info("submission taken in", "submission", r.ID)
	q.changes.tell(r.Submission)
	return r.Submission, nil
}

func (q *Queue) takeFound(ctx context.Context, f Found) (*record, error) {
	if f.Fault != "" {
		return nil, errors.New(f.Fault)
	}
	id := f.Submission.ID
	release, err := q.own(ctx, id)
	if err != nil {
		return nil, err
	}
	defer release()
	path := filepath.Join(f.folder, f.Name)
	card, err := q.prove(ctx, path)
	if err != nil {
		return nil, err
	}
	here, err := q.stored(id)
	switch {
	case errors.Is(err, ErrNotFound):
		return q.takeNew(f, card)
	case err != nil:
		return nil, err
	case here.Wiped:
		return nil, fmt.Errorf("%w: the submission was delivered on %s and its content wiped", ErrState, here.Delivered.Format("2006-01-02"))
	case here.SHA256 != card.SHA256:
		return nil, fmt.Errorf("%w: a submission of the same id and other content is in the queue", ErrState)
	}
	if _, err := q.verifyContent(ctx, id); err == nil {
		return nil, fmt.Errorf("%w: the same submission is in the queue, whole (%s)", ErrState, here.State)
	} else if !errors.Is(err, errDamaged) && !errors.Is(err, seal.ErrWrongKey) {
		return nil, err
	}
	return q.giveBack(f, here)
}

// prove reads a blob whole and compares it with its own card.
func (q *Queue) prove(ctx context.Context, path string) (*record, error) {
	file, err := q.disk.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	r, err := readCard(file)
	if err != nil {
		return nil, err
	}
	q.headers.RLock()
	c, err := openContent(file, r, q.currentRing())
	q.headers.RUnlock()
	if err != nil {
		return nil, err
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, withContext{ctx, io.NewSectionReader(c, 0, c.Size())}); err != nil {
		return nil, err
	}
	if hexSum(sum) != r.SHA256 {
		return nil, fmt.Errorf("%w: the bundle's digest differs", errDamaged)
	}
	return &r, nil
}

// takeNew puts the blob among the others and then its record into the index.
func (q *Queue) takeNew(f Found, r *record) (*record, error) {
	segment, leave, err := q.enterSegment()
	if err != nil {
		return nil, err
	}
	defer leave()
	r.reset(segment)
	if err := q.place(f, r.place()); err != nil {
		return nil, err
	}
	return r, q.update(func(tx *bolt.Tx) error { return q.insert(tx, r, true) })
}

// reset makes a record that came from a card one that waits to be delivered.
func (r *record) reset(segment uint64) {
	r.Segment, r.State, r.Due, r.Attempts, r.LastError, r.HeldBy = segment, Queued, 0, 0, "", ""
}

// giveBack puts the blob to the record that lacks it.
func (q *Queue) giveBack(f Found, was *record) (*record, error) {
	if was.State == Sending || q.isRead(was.ID) {
		return nil, fmt.Errorf("%w: it is being sent or read, try again when that has ended", ErrState)
	}
	if err := q.disk.MkdirAll(q.segmentPath(was.Segment)); err != nil {
		return nil, err
	}
	if _, err := q.setAside(was.place(), was.ID, whyDamaged); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err := q.place(f, was.place()); err != nil {
		return nil, err
	}
	moved := was
	err := q.update(func(tx *bolt.Tx) error {
		now, err := recordByID(tx, was.ID)
		if err != nil || now.State != Held {
			return err
		}
		moved, err = q.release1(tx, now)
		return err
	})
	return moved, err
}

func (q *Queue) place(f Found, to place) error {
	if err := q.disk.Rename(filepath.Join(f.folder, f.Name), q.path(to)); err != nil {
		return err
	}
	return errors.Join(q.disk.SyncDir(q.segmentPath(to.segment)), q.disk.SyncDir(f.folder))
}

// DropFound destroys a file that was set aside: a person's command.
func (q *Queue) DropFound(ctx context.Context, name string) (Found, error) {
	leave, err := q.enter()
	if err != nil {
		return Found{}, err
	}
	defer leave()
	q.rekeying.Lock() // as TakeFound: what is taken in meanwhile must not be overwritten at its new place
	defer q.rekeying.Unlock()
	f, err := q.one(ctx, name)
	if err != nil {
		return f, err
	}
	if err := wipeBlob(q.disk, filepath.Join(f.folder, f.Name)); err != nil {
		return f, fmt.Errorf("drop %s: %w", f.Name, err)
	}
	if err := q.disk.SyncDir(f.folder); err != nil {
		return f, fmt.Errorf("drop %s: %w", f.Name, err)
	}
	q.countFound()
	q.log.Info("found blob dropped", "name", f.Name)
	return f, nil
}
