package audit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// clock steps a day at a time from the middle of a month, so that a few entries cross into the next.
func clock() func() time.Time {
	var mu sync.Mutex
	t := time.Date(2026, 11, 25, 8, 0, 0, 0, time.UTC)
	return func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		t = t.Add(24 * time.Hour)
		return t
	}
}

func write(t *testing.T, dir string, n int) Head {
	t.Helper()
	l, err := Open(dir, clock())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for i := range n {
		if err := l.Append(Event{Actor: "citizen", Act: VisitBegan, Visit: fmt.Sprint("v", i)}); err != nil {
			t.Fatal(err)
		}
	}
	return l.Head()
}

func TestChainHoldsOverMonthsAndRestarts(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, 10)
	head := write(t, dir, 5)
	if head.Seq != 15 {
		t.Fatalf("head %d, want 15", head.Seq)
	}
	names, _ := files(dir)
	if len(names) != 2 {
		t.Fatalf("files %v, want two months", names)
	}
	seen := 0
	first, last, err := Verify(context.Background(), dir, &head, func(Entry) { seen++ })
	if err != nil || last != head || first.Seq != 1 || seen != 15 {
		t.Fatalf("first %v last %v seen %d err %v", first, last, seen, err)
	}
	if err := os.Remove(filepath.Join(dir, names[0])); err != nil {
		t.Fatal(err)
	}
	if first, _, err := Verify(context.Background(), dir, &head, nil); err != nil || first.Seq == 1 {
		t.Fatalf("after an old month was archived: first %v, %v", first, err)
	}
}

func TestVerifyFindsEveryTampering(t *testing.T) {
	cases := map[string]func(lines [][]byte) [][]byte{
		"changed": func(l [][]byte) [][]byte {
			l[1] = bytes.Replace(l[1], []byte("citizen"), []byte("nobody1"), 1)
			return l
		},
		"removed":  func(l [][]byte) [][]byte { return append(l[:1:1], l[2:]...) },
		"swapped":  func(l [][]byte) [][]byte { l[1], l[2] = l[2], l[1]; return l },
		"doubled":  func(l [][]byte) [][]byte { return append(l[:2:2], l[1:]...) },
		"cut off":  func(l [][]byte) [][]byte { return l[:len(l)-1] },
		"not json": func(l [][]byte) [][]byte { l[0] = []byte("{"); return l },
		"first gone": func(l [][]byte) [][]byte {
			l[1] = bytes.Replace(l[1], []byte(`"seq":2`), []byte(`"seq":1`), 1)
			return l[1:]
		},
	}
	for name, tamper := range cases {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			head := write(t, dir, 4)
			path := filepath.Join(dir, "audit-2026-11.jsonl")
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			lines := tamper(bytes.Split(bytes.TrimSpace(data), []byte("\n")))
			if err := os.WriteFile(path, append(bytes.Join(lines, []byte("\n")), '\n'), 0o600); err != nil {
				t.Fatal(err)
			}
			var broken *Break
			if _, _, err := Verify(context.Background(), dir, &head, nil); !errors.As(err, &broken) {
				t.Fatalf("tampering not found: %v", err)
			}
		})
	}
}

func TestChainWrittenAnewIsFoundByTheNotedHead(t *testing.T) {
	dir, forged := t.TempDir(), t.TempDir()
	head := write(t, dir, 3)
	l, err := Open(forged, clock())
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := l.Append(Event{Actor: "citizen", Act: VisitEnded}); err != nil {
			t.Fatal(err)
		}
	}
	l.Close()
	if _, _, err := Verify(context.Background(), forged, nil, nil); err != nil {
		t.Fatalf("a forged chain is consistent in itself: %v", err)
	}
	var broken *Break
	if _, _, err := Verify(context.Background(), forged, &head, nil); !errors.As(err, &broken) {
		t.Fatalf("forged chain passed: %v", err)
	}
}

func TestTornLineIsCutAndRecorded(t *testing.T) {
	for cut := 1; cut < 120; cut += 7 {
		dir := t.TempDir()
		write(t, dir, 3)
		path := filepath.Join(dir, "audit-2026-11.jsonl")
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data[:len(data)-cut], 0o600); err != nil {
			t.Fatal(err)
		}
		l, err := Open(dir, clock())
		if err != nil {
			t.Fatal(err)
		}
		l.Close()
		var acts []Act
		if _, last, err := Verify(context.Background(), dir, nil, func(e Entry) { acts = append(acts, e.Act) }); err != nil || last.Seq != 3 ||
			acts[2] != LogRepaired {
			t.Fatalf("cut %d: last %v acts %v err %v", cut, last, acts, err)
		}
	}
}

func TestPersonalDataIsRefused(t *testing.T) {
	for _, ev := range []Event{
		{Actor: "citizen", Act: VisitBegan, Reason: "NGUYỄN VĂN AN"},
		{Actor: "citizen", Act: VisitBegan, Reason: "Nguyen Van An"},
		{Actor: "citizen", Act: FieldsCorrected, Fields: []string{"079090012345"}},
		{Actor: "Số 5 Lê Lợi", Act: VisitBegan},
		{Actor: "citizen", Act: Act(strings.Repeat("x", 65))},
		{Act: VisitBegan},
	} {
		l, err := Open(t.TempDir(), clock())
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Append(ev); !errors.Is(err, ErrNotACode) {
			t.Errorf("accepted: %v", err)
		}
		if head := l.Head(); head != origin {
			t.Errorf("refused event moved the head to %v", head)
		}
		l.Close()
	}
}

func TestOneWriterOnly(t *testing.T) {
	dir := t.TempDir()
	l, err := Open(dir, clock())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if _, err := Open(dir, clock()); err == nil {
		t.Fatal("a second writer got in")
	}
}

func TestClockSetBackKeepsOrder(t *testing.T) {
	dir := t.TempDir()
	times := []time.Time{time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC), time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC)}
	i := -1
	l, err := Open(dir, func() time.Time { i++; return times[i] })
	if err != nil {
		t.Fatal(err)
	}
	for range times {
		if err := l.Append(Event{Actor: "system", Act: DaemonStarted}); err != nil {
			t.Fatal(err)
		}
	}
	l.Close()
	if _, last, err := Verify(context.Background(), dir, nil, nil); err != nil || last.Seq != 2 {
		t.Fatalf("last %v, %v", last, err)
	}
}

func TestConcurrentAppend(t *testing.T) {
	dir := t.TempDir()
	l, err := Open(dir, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 10 {
				if err := l.Append(Event{Actor: "citizen", Act: PaperRead, Reason: "cccd"}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	l.Close()
	if _, last, err := Verify(context.Background(), dir, nil, nil); err != nil || last.Seq != 80 {
		t.Fatalf("last %v, %v", last, err)
	}
}

// Whoever could not see the end of Append finds out whether the entry is there, and only for that very event.
func TestNoted(t *testing.T) {
	dir := t.TempDir()
	now := time.Date(2026, 10, 31, 9, 0, 0, 0, time.UTC)
	l, err := Open(dir, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	e := Event{Actor: "officer:hoa", Act: DossierAnswered, Submission: "s1", Reason: "done/3"}
	if noted, err := l.Noted(e); noted || err != nil {
		t.Errorf("an empty log: %t, %v", noted, err)
	}
	if err := l.Append(e); err != nil {
		t.Fatal(err)
	}
	now = now.AddDate(0, 0, 1) // the next month's file
	if err := l.Append(Event{Actor: "officer:hoa", Act: DossierAnswered, Submission: "s2", Reason: "done/3"}); err != nil {
		t.Fatal(err)
	}
	if noted, err := l.Noted(e); !noted || err != nil {
		t.Errorf("what was noted: %t, %v", noted, err)
	}
	e.Reason = "done/4"
	if noted, err := l.Noted(e); noted || err != nil {
		t.Errorf("another revision: %t, %v", noted, err)
	}
}
