package queue

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"time"

	"filippo.io/age"
)

// An export is an age file of a tar archive, so that an office can open it with standard tools when no
// kiosk is left (`age -d -i key.txt export.age | tar x`):
//
//	motcua-export.json          what this is and how many submissions it holds
//	<id>/submission.json        the submission as `queue show --json` prints it
//	<id>/bundle.zip             the bundle as the hub would get it (bundle.zip.age if sealed to the office)
const exportFormat = "motcua-export-1"

type exportHeading struct {
	Format  string    `json:"format"`
	Created time.Time `json:"created"`
	Count   int       `json:"count"`
}

const (
	exportHeadingName = "motcua-export.json"
	exportRecordName  = "submission.json"
	exportBundleName  = "bundle.zip"
)

// Export writes submissions to w as one file that only the recipients can open; without ids or codes, all
// that were not delivered. It is the way out for a kiosk that never gets its network back, and may run
// beside everything else. The submissions stay queued: should both ways lead to the hub, it keeps one
// copy of each.
func (q *Queue) Export(ctx context.Context, w io.Writer, to []age.Recipient, idsOrCodes ...string) (n int, err error) {
	leave, err := q.enterReading()
	if err != nil {
		return 0, err
	}
	defer leave()
	ids, err := q.exported(idsOrCodes)
	if err != nil {
		return 0, fmt.Errorf("export: %w", err)
	}
	sealed, err := age.Encrypt(w, to...)
	if err != nil {
		return 0, fmt.Errorf("export: seal: %w", err)
	}
	t := tar.NewWriter(sealed)
	if err := tarJSON(t, exportHeadingName, exportHeading{exportFormat, q.wall().UTC(), len(ids)}); err != nil {
		return 0, fmt.Errorf("export: %w", err)
	}
	for _, id := range ids {
		err := q.exportOne(ctx, t, id)
		if errors.Is(err, ErrWiped) || errors.Is(err, ErrNotFound) {
			continue // delivered meanwhile
		}
		if err != nil {
			return n, fmt.Errorf("export %s: %w", id, err)
		}
		n++
	}
	if err := errors.Join(t.Close(), sealed.Close()); err != nil {
		return n, fmt.Errorf("export: %w", err)
	}
	return n, nil
}

func (q *Queue) exported(idsOrCodes []string) ([]string, error) {
	var ids []string
	for _, name := range idsOrCodes {
		s, err := q.Get(name)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if s.Wiped {
			return nil, fmt.Errorf("%s: %w", name, ErrWiped)
		}
		ids = append(ids, s.ID)
	}
	if len(idsOrCodes) > 0 {
		return ids, nil
	}
	all, err := q.List(Filter{States: []State{Queued, Sending, Held}})
	if err != nil {
		return nil, err
	}
	for _, s := range all {
		ids = append(ids, s.ID)
	}
	return ids, nil
}

func (q *Queue) exportOne(ctx context.Context, t *tar.Writer, id string) error {
	c, err := q.Content(ctx, id)
	if err != nil {
		return err
	}
	defer c.Close()
	s := c.Submission()
	if err := tarJSON(t, path.Join(id, exportRecordName), s); err != nil {
		return err
	}
	name := exportBundleName
	if s.Sealed {
		name += ".age"
	}
	if err := t.WriteHeader(&tar.Header{Name: path.Join(id, name), Mode: 0o600, Size: c.Size(), ModTime: s.Created}); err != nil {
		return err
	}
	_, err = io.Copy(t, withContext{ctx, io.NewSectionReader(c, 0, c.Size())})
	return err
}

func tarJSON(t *tar.Writer, name string, v any) error {
	data, err := json.MarshalIndent(v, "", "\t")
	if err != nil {
		return err
	}
	data = append(data, '\n')
	if err := t.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: int64(len(data))}); err != nil {
		return err
	}
	_, err = t.Write(data)
	return err
}

// Imported is what an Import came to.
type Imported struct {
	Accepted []string // ids that are queued here now
	Known    int      // were here already, in whatever state
}

// Import queues the submissions of an export, under the ids and codes that they had, as durably as Enqueue does.
// Importing a file twice, or what is here already, doubles nothing. On an error what was accepted before it
// stays accepted: import again.
func (q *Queue) Import(ctx context.Context, r io.Reader, with ...age.Identity) (Imported, error) {
	var in Imported
	leave, err := q.enter()
	if err != nil {
		return in, err
	}
	defer leave()
	plain, err := age.Decrypt(r, with...)
	if err != nil {
		return in, fmt.Errorf("import: open: %w", err)
	}
	t := tar.NewReader(plain)
	var heading exportHeading
	if err := nextJSON(t, exportHeadingName, &heading); err != nil {
		return in, fmt.Errorf("import: %w", err)
	}
	if heading.Format != exportFormat {
		return in, errors.New("import: the file is an export of a version that this program does not know")
	}
	for range heading.Count {
		err := q.importOne(ctx, t, &in)
		if errors.Is(err, io.EOF) {
			break // some were delivered while the export was written
		}
		if err != nil {
			return in, fmt.Errorf("import: submission %d: %w", len(in.Accepted)+in.Known+1, err)
		}
	}
	return in, nil
}

func (q *Queue) importOne(ctx context.Context, t *tar.Reader, in *Imported) error {
	var s Submission
	h, err := t.Next()
	if err != nil {
		return err // io.EOF: the end
	}
	if err := decodeJSON(t, h, &s); err != nil {
		return err
	}
	code, ok := ParseCode(s.Code)
	if !ok || code != s.Code || !validID(s.ID) || h.Name != path.Join(s.ID, exportRecordName) {
		return errors.New("its description can't be used")
	}
	h, err = t.Next()
	if err != nil {
		return noEOF(err)
	}
	if path.Dir(h.Name) != s.ID || h.Size != s.Size {
		return errors.New("its bundle is missing")
	}
	if _, err := q.stored(s.ID); err == nil {
		in.Known++
		return nil
	}
	want := s.SHA256
	fresh := Submission{ID: s.ID, Code: s.Code, Labels: s.Labels, Parts: s.Parts, Created: s.Created, Sealed: s.Sealed}
	_, err = q.accept(ctx, fresh, func(w *bodyWriter, _ *Submission) error {
		sum := sha256.New()
		if _, err := io.Copy(io.MultiWriter(w, sum), withContext{ctx, t}); err != nil {
			return noEOF(err)
		}
		if hexSum(sum) != want {
			return fmt.Errorf("%w: digest differs", errDamaged)
		}
		return nil
	})
	if err != nil {
		return err
	}
	in.Accepted = append(in.Accepted, s.ID)
	return nil
}

func nextJSON(t *tar.Reader, name string, v any) error {
	h, err := t.Next()
	if err != nil {
		return noEOF(err)
	}
	if h.Name != name {
		return errors.New("the file is not an export")
	}
	return decodeJSON(t, h, v)
}

func decodeJSON(t *tar.Reader, h *tar.Header, v any) error {
	const most = 1 << 20
	if h.Size > most {
		return errors.New("a description is too large")
	}
	data, err := io.ReadAll(t)
	if err != nil {
		return noEOF(err)
	}
	if err := json.Unmarshal(data, v); err != nil {
		return errors.New("a description can't be read")
	}
	return nil
}

func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
