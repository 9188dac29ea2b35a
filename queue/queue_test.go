package queue

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// marker stands for a citizen's data: it must not be found in any file of a queue.
const marker = "NGUYỄN THỊ BÍ MẬT 079190099999"

func draft(id string, pages int) Draft {
	d := Draft{ID: id, Labels: map[string]string{"procedure": "2.000815", "channel": "self"}}
	d.Parts = append(d.Parts, FromBytes("form.json", "application/json", fmt.Appendf(nil, `{"full_name":%q,"of":%q}`, marker, id)))
	for i := range pages {
		page := bytes.Repeat([]byte(marker), 2000+i)
		d.Parts = append(d.Parts, FromBytes(fmt.Sprintf("page-%04d.jpg", i+1), "image/jpeg", page))
	}
	return d
}

func mustOpen(t testing.TB, dir string, o Options) *Queue {
	t.Helper()
	q, _ := mustOpenRepairs(t, dir, o)
	return q
}

func mustOpenRepairs(t testing.TB, dir string, o Options) (*Queue, Repairs) {
	t.Helper()
	if o.MinFree == 0 {
		o.MinFree = -1
	}
	q, repairs, err := Open(context.Background(), dir, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := q.Close(); err != nil {
			t.Error(err)
		}
	})
	return q, repairs
}

func mustEnqueue(t testing.TB, q *Queue, d Draft) Submission {
	t.Helper()
	s, err := q.Enqueue(context.Background(), d)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func mustState(t testing.TB, q *Queue, id string, want State) Submission {
	t.Helper()
	s, err := q.Get(id)
	if err != nil {
		t.Fatal(err)
	}
	if s.State != want {
		t.Fatalf("%s is %s, want %s (%s)", id, s.State, want, s.LastError)
	}
	return s
}

// settled ends the delivery of a claimed submission by cause.
func settled(ctx context.Context, q *Queue, r *record, cause error) error {
	return q.settle(r, q.outcome(ctx, r, *r, cause))
}

// hub is a far side in memory: it keeps one copy of each id, checks digests, and fails as told.
type hub struct {
	mu    sync.Mutex
	got   map[string][]byte
	order []string
	calls int
	fail  func(s Submission) error
}

func (*hub) Probe(context.Context) error { return nil }

func (h *hub) Deliver(ctx context.Context, s Submission, b Bundle, n Notes) error {
	h.mu.Lock()
	h.calls++
	fail := h.fail
	h.mu.Unlock()
	if fail != nil {
		if err := fail(s); err != nil {
			return err
		}
	}
	data, err := io.ReadAll(io.NewSectionReader(b, 0, b.Size()))
	if err != nil {
		return err
	}
	sum := sha256.Sum256(data)
	if hex.EncodeToString(sum[:]) != b.SHA256() {
		return errors.New("digest does not fit")
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.got == nil {
		h.got = map[string][]byte{}
	}
	if was, ok := h.got[s.ID]; ok {
		if !bytes.Equal(was, data) {
			return errors.New("two bundles under one id")
		}
		return nil
	}
	h.got[s.ID] = data
	h.order = append(h.order, s.ID)
	return nil
}

func noMarker(t testing.TB, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, m := range []string{marker, marker[:20], "BÍ MẬT"} {
			if bytes.Contains(data, []byte(m)) {
				t.Errorf("%s holds plain text", path)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestEnqueue(t *testing.T) {
	dir := t.TempDir()
	q := mustOpen(t, dir, Options{Retention: time.Hour})
	s := mustEnqueue(t, q, draft("01ABC", 3))

	outer := t // subtests below share the reopened queue
	t.Run("survives_reopening", func(t *testing.T) {
		if err := q.Close(); err != nil {
			t.Fatal(err)
		}
		q = mustOpen(outer, dir, Options{Retention: time.Hour})
		got := mustState(t, q, s.ID, Queued)
		if fmt.Sprint(got) != fmt.Sprint(s) {
			t.Fatalf("got %+v\nwant %+v", got, s)
		}
	})
	t.Run("same_id_returns_the_first", func(t *testing.T) {
		again := mustEnqueue(t, q, draft("01ABC", 1))
		if again.Code != s.Code || len(again.Parts) != 4 {
			t.Fatalf("got %+v", again)
		}
		if n, _ := q.List(Filter{}); len(n) != 1 {
			t.Fatalf("%d submissions", len(n))
		}
	})
	t.Run("same_id_at_once_makes_one", func(t *testing.T) {
		var wg sync.WaitGroup
		codes := make([]string, 8)
		for i := range codes {
			wg.Go(func() {
				s, err := q.Enqueue(context.Background(), draft("01DEF", 1))
				if err != nil {
					t.Error(err)
				}
				codes[i] = s.Code
			})
		}
		wg.Wait()
		if len(slices.Compact(codes)) != 1 {
			t.Fatalf("codes %v", codes)
		}
	})
	t.Run("is_found_by_code_however_typed", func(t *testing.T) {
		for _, code := range []string{s.Code, strings.ToLower(s.Code), strings.ReplaceAll(s.Code, "-", " "),
			strings.ReplaceAll(s.Code, "5", "S")} {
			if got, err := q.Get(code); err != nil || got.ID != s.ID {
				t.Errorf("%q: %v %v", code, got.ID, err)
			}
		}
	})
	t.Run("bundle_is_a_zip_with_manifest_last", func(t *testing.T) {
		c, err := q.Content(context.Background(), s.ID)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		z, err := zip.NewReader(c, c.Size())
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, f := range z.File {
			names = append(names, f.Name)
			if f.Method != zip.Store {
				t.Errorf("%s is compressed", f.Name)
			}
		}
		if want := []string{"form.json", "page-0001.jpg", "page-0002.jpg", "page-0003.jpg", "manifest.json"}; !slices.Equal(names, want) {
			t.Fatalf("got %v", names)
		}
		f, err := z.Open("form.json")
		if err != nil {
			t.Fatal(err)
		}
		if data, _ := io.ReadAll(f); !strings.Contains(string(data), marker) {
			t.Fatal("form is not what was put in")
		}
	})
	t.Run("nothing_is_readable_on_disk", func(t *testing.T) { noMarker(t, dir) })
	t.Run("refuses", func(t *testing.T) {
		for name, d := range map[string]Draft{
			"no_parts":        {},
			"path_as_id":      {ID: "../x", Parts: draft("", 0).Parts},
			"path_as_name":    {Parts: []Part{FromBytes("../x", "", nil)}},
			"manifest_taken":  {Parts: []Part{FromBytes("manifest.json", "", nil)}},
			"two_of_one_name": {Parts: []Part{FromBytes("a", "", nil), FromBytes("a", "", nil)}},
		} {
			if _, err := q.Enqueue(context.Background(), d); err == nil {
				t.Errorf("%s was accepted", name)
			}
		}
	})
	t.Run("part_that_fails_leaves_nothing", func(t *testing.T) {
		d := draft("01BAD", 1)
		d.Parts = append(d.Parts, Part{Name: "x", Open: func() (io.ReadCloser, error) { return nil, io.ErrUnexpectedEOF }})
		if _, err := q.Enqueue(context.Background(), d); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Fatal(err)
		}
		if found, _ := filepath.Glob(filepath.Join(dir, "blobs", "*", "01BAD*")); found != nil {
			t.Fatal(found)
		}
		mustEnqueue(t, q, draft("01BAD", 1))
	})
}

func TestSecondProcessIsLockedOut(t *testing.T) {
	dir := t.TempDir()
	mustOpen(t, dir, Options{})
	if _, _, err := Open(context.Background(), dir, Options{}); !errors.Is(err, ErrLocked) {
		t.Fatalf("got %v", err)
	}
}

func TestRunDelivers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := mustOpen(t, t.TempDir(), Options{Parallel: 1, Retention: -1})
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		var ids []string
		for i := range 5 {
			ids = append(ids, mustEnqueue(t, q, draft(fmt.Sprintf("S%02d", i), 1)).ID)
		}
		bad := errors.New("507 no room")
		h := &hub{fail: func(s Submission) error {
			switch s.ID {
			case "S01":
				return Permanent(errors.New("400 the form lacks a signature"))
			case "S02":
				return bad
			}
			return nil
		}}
		done := make(chan error)
		go func() { done <- q.Run(ctx, h) }()
		time.Sleep(time.Minute)
		synctest.Wait()

		if want := []string{"S00", "S03", "S04"}; !slices.Equal(h.order, want) {
			t.Fatalf("order %v, want %v", h.order, want)
		}
		s := mustState(t, q, "S01", Held)
		if s.LastError != "400 the form lacks a signature" {
			t.Fatalf("held with %q", s.LastError)
		}
		s = mustState(t, q, "S02", Queued)
		if s.LastError != bad.Error() || s.NextAttempt.IsZero() || s.Attempts < 3 || s.Attempts > 7 {
			t.Fatalf("got %+v", s)
		}
		h.mu.Lock()
		h.fail = nil
		h.mu.Unlock()
		if err := q.Retry(ctx, "S01"); err != nil {
			t.Fatal(err)
		}
		if err := q.Retry(ctx, "S02"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		for _, id := range ids {
			mustState(t, q, id, Delivered)
		}
		cancel()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	})
}

func TestDropAndWipe(t *testing.T) {
	dir := t.TempDir()
	q := mustOpen(t, dir, Options{})
	ctx := context.Background()
	a, b := mustEnqueue(t, q, draft("A", 2)), mustEnqueue(t, q, draft("B", 2))
	if err := q.Drop(ctx, a.Code); err != nil {
		t.Fatal(err)
	}
	if _, err := q.Get("A"); !errors.Is(err, ErrNotFound) {
		t.Fatal(err)
	}
	if pass, err := q.DeliverDue(ctx, &hub{}); err != nil || pass.Delivered != 1 {
		t.Fatal(pass, err)
	}
	s := mustState(t, q, b.ID, Delivered)
	if !s.Wiped {
		t.Fatal("content is still there")
	}
	if _, err := q.Content(ctx, b.ID); !errors.Is(err, ErrWiped) {
		t.Fatal(err)
	}
	if found, _ := filepath.Glob(filepath.Join(dir, "blobs", "*", "*")); found != nil {
		t.Fatal(found)
	}
	st, err := q.Stats()
	if err != nil || st.Count[Delivered] != 1 || st.Bytes[Delivered] != 0 || st.Count[Queued] != 0 {
		t.Fatalf("%+v %v", st, err)
	}
}

func TestWipeDestroysKeyInPlace(t *testing.T) {
	dir := t.TempDir()
	q := mustOpen(t, dir, Options{})
	mustEnqueue(t, q, draft("A", 2))
	blob := filepath.Join(dir, "blobs", "00000000", "A")
	second := filepath.Join(t.TempDir(), "second-name")
	if err := os.Link(blob, second); err != nil { // what the disk's blocks hold after the unlink
		t.Fatal(err)
	}
	before, _ := os.ReadFile(second)
	if err := q.Drop(context.Background(), "A"); err != nil {
		t.Fatal(err)
	}
	after, err := os.ReadFile(second)
	if err != nil || len(after) != len(before) {
		t.Fatal(err)
	}
	if !bytes.Equal(after[:2*headerSize], make([]byte, 2*headerSize)) {
		t.Fatal("header is still there")
	}
}

func TestCode(t *testing.T) {
	for range 200 {
		code := newCode()
		if got, ok := ParseCode(code); !ok || got != code {
			t.Fatalf("%s is not accepted", code)
		}
		bare := strings.ReplaceAll(code, "-", "")
		for i := range bare {
			for _, c := range codeAlphabet {
				if wrong := bare[:i] + string(c) + bare[i+1:]; wrong != bare {
					if _, ok := ParseCode(wrong); ok {
						t.Fatalf("%s is taken for %s", wrong, code)
					}
				}
			}
			j := rand.IntN(len(bare))
			swapped := []byte(bare)
			swapped[i], swapped[j] = swapped[j], swapped[i]
			if _, ok := ParseCode(string(swapped)); ok && string(swapped) != bare {
				t.Fatalf("%s is taken for %s", swapped, code)
			}
		}
	}
}
