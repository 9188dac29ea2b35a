package queue

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"
)

// TestOneFailureSpoilsNobodyElsesCommit: who fails within a common transaction is told alone, and leaves nothing.
func TestOneFailureSpoilsNobodyElsesCommit(t *testing.T) {
	q := mustOpen(t, memoryDir(t), Options{})
	bad := errors.New("no")
	var all sync.WaitGroup
	for i := range 200 {
		all.Go(func() {
			key := fmt.Appendf(nil, "test %03d", i)
			err := q.together(func(tx *bolt.Tx) error {
				if err := tx.Bucket(bucketMeta).Put(key, []byte("x")); err != nil {
					return err
				}
				if i%3 == 0 {
					return bad
				}
				return nil
			})
			if (i%3 == 0) != errors.Is(err, bad) {
				t.Errorf("%d: %v", i, err)
			}
		})
	}
	all.Wait()
	if err := q.view(func(tx *bolt.Tx) error {
		for i := range 200 {
			if there := tx.Bucket(bucketMeta).Get(fmt.Appendf(nil, "test %03d", i)) != nil; there == (i%3 == 0) {
				t.Errorf("%d is there: %v", i, there)
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// TestKeptUntilAcknowledged: content stays until the far side said that it lies before those it is for, and retention
// after that; meanwhile it can be sent again.
func TestKeptUntilAcknowledged(t *testing.T) {
	ctx := t.Context()
	now := time.Date(2026, 11, 29, 9, 0, 0, 0, time.UTC)
	opened := now
	q := mustOpen(t, memoryDir(t), Options{Parallel: 1, Retention: time.Hour, UntilAcknowledged: true,
		wall: func() time.Time { return now }, elapsed: func() time.Duration { return now.Sub(opened) }})
	mustEnqueue(t, q, draft("A", 1))
	if err := q.Acknowledge(ctx, "A"); !errors.Is(err, ErrState) {
		t.Fatalf("what was never delivered is acknowledged: %v", err)
	}
	h := &hub{}
	if pass, err := q.DeliverDue(ctx, h); err != nil || pass.Delivered != 1 {
		t.Fatal(pass, err)
	}
	now = now.Add(100 * time.Hour)
	if n, err := q.Sweep(ctx); err != nil || n != 0 {
		t.Fatalf("%d wiped before they were acknowledged: %v", n, err)
	}
	if err := q.Retry(ctx, "A"); err != nil {
		t.Fatal(err)
	}
	if pass, err := q.DeliverDue(ctx, h); err != nil || pass.Delivered != 1 || h.calls != 2 {
		t.Fatal(pass, err, h.calls)
	}
	for range 2 {
		if err := q.Acknowledge(ctx, "A"); err != nil {
			t.Fatal(err)
		}
	}
	mustState(t, q, "A", Acknowledged)
	if n, err := q.Sweep(ctx); err != nil || n != 0 {
		t.Fatal(n, err)
	}
	now = now.Add(61 * time.Minute)
	if n, err := q.Sweep(ctx); err != nil || n != 1 {
		t.Fatal(n, err)
	}
	if err := q.Retry(ctx, "A"); !errors.Is(err, ErrWiped) {
		t.Fatal(err)
	}
	if v, err := q.Verify(ctx); err != nil || len(v.Faults) > 0 {
		t.Fatal(v, err)
	}
}
