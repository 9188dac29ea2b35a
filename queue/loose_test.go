package queue

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"
)

// TestReadOnlyWithoutAKey: a queue on a disk that turned read-only is listed although its kiosk key is gone, or nobody ever
// made one; nothing in it can be opened.
func TestReadOnlyWithoutAKey(t *testing.T) {
	for name, many := range map[string]int{"key_gone": 1, "never_used": 0} {
		t.Run(name, func(t *testing.T) {
			dir := memoryDir(t)
			q := mustOpen(t, dir, Options{})
			if many > 0 {
				mustEnqueue(t, q, draft("A", 1))
			} else if err := q.update(func(tx *bolt.Tx) error { return tx.Bucket(bucketMeta).Delete(keyKiosk) }); err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(q.Close(), os.Remove(filepath.Join(dir, "kiosk.key"))); err != nil {
				t.Fatal(err)
			}
			q = mustOpen(t, dir, Options{disk: unwritableDisk{osDisk{}}})
			if _, err := q.Enqueue(t.Context(), draft("B", 1)); !errors.Is(err, ErrReadOnly) {
				t.Fatal(err)
			}
			list, err := q.List(Filter{})
			if err != nil || len(list) != many {
				t.Fatal(list, err)
			}
			if _, err := q.Verify(t.Context()); err != nil {
				t.Fatal(err)
			}
			if _, err := q.Found(t.Context()); err != nil {
				t.Fatal(err)
			}
			if many > 0 {
				if _, err := q.Content(t.Context(), "A"); err == nil {
					t.Fatal("it was opened without a key")
				}
			}
		})
	}
}

// TestOneStuckBlobStopsNoWipe: a blob that the drive does not let go of keeps its mark; all others are wiped, also those that
// come after it, and a drop of another one succeeds.
func TestOneStuckBlobStopsNoWipe(t *testing.T) {
	d := &stuckDisk{disk: osDisk{}, id: "A"}
	q := mustOpen(t, memoryDir(t), Options{disk: d, Parallel: 1})
	for _, id := range []string{"A", "B", "C", "D"} {
		mustEnqueue(t, q, draft(id, 1))
	}
	if err := q.Drop(t.Context(), "A"); err == nil {
		t.Fatal("the disk let it go")
	}
	if err := q.Drop(t.Context(), "B"); err != nil {
		t.Fatalf("one is stuck and another can't be dropped: %v", err)
	}
	gone := func(id string) bool {
		_, err := os.Stat(q.path(place{0, id}))
		return errors.Is(err, os.ErrNotExist)
	}
	if !gone("B") || gone("A") {
		t.Fatal("B is not wiped, or A was removed unwiped")
	}
	_, _ = q.DeliverDue(t.Context(), &hub{}) // says that A is still there
	if !gone("C") || !gone("D") {
		t.Fatal("what was delivered is not wiped because another blob is stuck")
	}
	d.id = ""
	if n, err := q.wipeMarked(); n != 1 || err != nil || !gone("A") {
		t.Fatal(n, err)
	}
}

// TestMendedRecordIsTheNewest: a record that was built again from its card, and then was lost with the whole index, does not
// come back as what it was before.
func TestMendedRecordIsTheNewest(t *testing.T) {
	dir := memoryDir(t)
	o := Options{Retention: -1, RetryFirst: time.Nanosecond, RetryMax: time.Nanosecond}
	q := mustOpen(t, dir, o)
	mustEnqueue(t, q, draft("A", 1))
	h := &hub{fail: func(Submission) error { return errors.New("away") }}
	for range 4 {
		_, _ = q.DeliverDue(t.Context(), h) // revisions that lie about on free pages
	}
	before, err := q.stored("A")
	if err != nil {
		t.Fatal(err)
	}
	err = q.updateOnce(func(tx *bolt.Tx) error { return tx.Bucket(bucketRecord).Put(number(before.Seq), []byte("bent")) })
	if err != nil {
		t.Fatal(err)
	}
	mended, err := q.stored("A")
	if err != nil || mended.Revision <= before.Revision {
		t.Fatalf("revision %d after %d, %v", mended.Revision, before.Revision, err)
	}
}

// TestDamagedNote: a sink is never shown a note that is not what it wrote; one of an older build is shown as it is.
func TestDamagedNote(t *testing.T) {
	q := mustOpen(t, memoryDir(t), Options{})
	mustEnqueue(t, q, draft("A", 1))
	n := &note{q: q, id: "A"}
	put := func(value []byte) {
		t.Helper()
		if err := q.update(func(tx *bolt.Tx) error { return tx.Bucket(bucketNote).Put([]byte("A"), value) }); err != nil {
			t.Fatal(err)
		}
	}
	loads := func(want string) {
		t.Helper()
		if got, err := n.Load(); got != want || err != nil {
			t.Fatalf("%q %v, want %q", got, err, want)
		}
	}
	const text = `{"url":"https://hub.example/files/1"}`
	if err := n.Save(text); err != nil {
		t.Fatal(err)
	}
	loads(text)
	put([]byte(text))
	loads(text)
	bent := withSum([]byte("A"), []byte(text))
	bent[len(bent)-3] ^= 1
	put(bent)
	loads("")
	put(withSum([]byte("B"), []byte(text))) // of another submission
	loads("")
}

// TestEventNumbersOutliveTheIndex: a follower that remembers the last number misses nothing after the index was lost.
func TestEventNumbersOutliveTheIndex(t *testing.T) {
	dir := memoryDir(t)
	q := mustOpen(t, dir, Options{Outbox: true})
	for _, id := range []string{"A", "B", "C"} {
		mustEnqueue(t, q, draft(id, 1))
	}
	told, err := q.Events(0, 10)
	if err != nil || len(told) != 3 {
		t.Fatal(told, err)
	}
	last := told[2].Seq
	if err := errors.Join(q.Taken(last), q.Close(), os.Remove(filepath.Join(dir, "index.db"))); err != nil {
		t.Fatal(err)
	}
	q = mustOpen(t, dir, Options{Outbox: true})
	mustEnqueue(t, q, draft("NEW", 1))
	events, err := q.Events(last, 10)
	if err != nil || len(events) == 0 || events[len(events)-1].ID != "NEW" {
		t.Fatalf("after %d: %+v %v", last, events, err)
	}
}

// TestBriefList: a brief list tells all that a full one does but the parts, whatever the labels and names hold.
func TestBriefList(t *testing.T) {
	q := mustOpen(t, memoryDir(t), Options{})
	for i, label := range []string{`"parts":[`, `],"size":1,`, `x"],"size":`, "", `\"parts":[`} {
		d := draft(fmt.Sprint("S", i), i)
		d.Labels["procedure"] = label
		d.Parts[0].MediaType = `application/json; odd="],"size":"`
		mustEnqueue(t, q, d)
	}
	all, err := q.List(Filter{})
	if err != nil || len(all) != 5 {
		t.Fatal(all, err)
	}
	brief, err := q.List(Filter{Brief: true})
	if err != nil || len(brief) != len(all) {
		t.Fatal(brief, err)
	}
	for i := range all {
		if len(brief[i].Parts) > 0 || len(all[i].Parts) == 0 {
			t.Errorf("%d parts in the brief list, %d in the full one", len(brief[i].Parts), len(all[i].Parts))
		}
		if all[i].Parts = nil; !reflect.DeepEqual(all[i], brief[i]) {
			t.Errorf("%+v, briefly %+v", all[i], brief[i])
		}
	}
}

// sameAsJSON: a line for another process is what encoding/json makes of the submission without its parts, to the byte, and is
// read back as it was.
func sameAsJSON(t *testing.T, s Submission) {
	t.Helper()
	s.Parts = nil
	want, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.AppendBrief([]byte("before"))
	if err != nil || string(got) != "before"+string(want) {
		t.Fatalf("%v\n%s\n%s", err, got, want)
	}
	var by Submission
	if err := json.Unmarshal(want, &by); err != nil {
		t.Fatal(err)
	}
	if back, err := ParseBrief(want); err != nil || !reflect.DeepEqual(back, by) {
		t.Fatalf("%v\n%+v\n%+v", err, back, by)
	}
	if _, err := ParseBrief(want[:len(want)-1]); err == nil {
		t.Fatalf("read although it was cut short: %s", want)
	}
}

// TestBriefScan: what a brief list reads by itself of any record is what encoding/json reads of it, and only what is odd
// is left to that.
func TestBriefScan(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	signs := []rune(`ab"\,:{}[]1Ễ<&` + "\n\u2028\ufffd")
	text := func() string {
		var s []rune
		for range rng.IntN(12) {
			s = append(s, signs[rng.IntN(len(signs))])
		}
		return string(s)
	}
	plain := func() string { return strings.Repeat("từ chối ", rng.IntN(3)) }
	at := func() time.Time {
		return time.Unix(rng.Int64N(4e9), rng.Int64N(1e9)).In(time.FixedZone("", 3600*rng.IntN(3)))
	}
	scanned := 0
	for i := range 4_000 {
		word := plain
		if i%4 == 0 {
			word = text
		}
		r := &record{Seq: rng.Uint64() >> rng.IntN(64), Segment: rng.Uint64() >> 1, Stored: rng.Int64(), Due: rng.Int64() >> rng.IntN(63),
			Revision: uint64(i), HeldBy: word(), HeldAt: -rng.Int64(), Session: rng.Int64(), Elapsed: time.Duration(rng.Int64())}
		r.ID, r.Code, r.State, r.SHA256, r.LastError = word(), word(), append(States, "odd")[rng.IntN(len(States)+1)], word(), word()
		r.Size, r.Attempts, r.Sealed, r.Wiped, r.Created = rng.Int64(), rng.IntN(9), i%2 == 0, i%3 == 0, at()
		if i%5 == 0 {
			r.NextAttempt, r.Delivered, r.Acknowledged = at(), at(), at()
		}
		for range rng.IntN(3) {
			r.Parts = append(r.Parts, PartInfo{Name: word(), MediaType: word(), Size: rng.Int64(), SHA256: word()})
		}
		if i%7 > 0 {
			r.Labels = map[string]string{"a": word(), word(): "b"}
		}
		data, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		sameAsJSON(t, r.Submission)
		want, got := new(record), new(record)
		if err := json.Unmarshal(data, want); err != nil {
			t.Fatal(err)
		}
		if want.Parts = nil; !scanBrief(data, got) {
			continue
		}
		if scanned++; !reflect.DeepEqual(got, want) {
			t.Fatalf("%s:\n%+v\n%+v", data, got, want)
		}
		for cut := 0; i%50 == 0 && cut < len(data); cut++ {
			if scanBrief(data[:cut], new(record)) {
				t.Fatalf("read to its end: %s", data[:cut])
			}
		}
	}
	later := `{"id":"a","parts":[{"name":"p","size":1}],"sha256":"ab","tags":["x"],"size":2,"attempts":0,"seq":1}`
	if r := new(record); scanBrief([]byte(later), r) && r.SHA256 != "ab" {
		t.Error("of a record of a later build, in another order, the digest is lost")
	}
	if scanned < 1_000 {
		t.Errorf("only %d were read without encoding/json", scanned)
	}
	broken := Submission{LastError: "cut in \xe1\xbb", Labels: map[string]string{"\xff": "\x7f"}}
	broken.Created = time.Unix(0, 0).UTC()
	sameAsJSON(t, broken)
	broken.Created = time.Date(12_000, 1, 1, 0, 0, 0, 0, time.UTC)
	if line, err := broken.AppendBrief(nil); err == nil {
		t.Errorf("no clock shows such a time: %s", line)
	}
}

// BenchmarkList lists 100,000 that wait, as the command does.
func BenchmarkList(b *testing.B) {
	q := mustOpen(b, backlog(b, 100_000), Options{})
	for name, f := range map[string]Filter{"brief": {Brief: true}, "full": {}} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				n := 0
				if err := q.Each(b.Context(), f, func(Submission) error { n++; return nil }); err != nil || n < 100_000 {
					b.Fatal(n, err)
				}
			}
			b.ReportMetric(float64(residentFile(b))/(1<<20), "mapped-MiB")
		})
	}
}
