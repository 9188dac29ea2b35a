package scan

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"
)

// counter is a set of devices that a test plugs and pulls.
type counter struct {
	mu    sync.Mutex
	infos []Info
	err   error
	asked int
}

func (c *counter) set(err error, ids ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.err, c.infos = err, nil
	for _, id := range ids {
		c.infos = append(c.infos, Info{ID: id})
	}
}

func (c *counter) list(context.Context) ([]Info, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked++
	return c.infos, c.err
}

func TestWatch_tells_of_every_change_once(t *testing.T) {
	var c counter
	c.set(nil, "a", "b")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	slow := Finder{Name: "slow", List: func(ctx context.Context) ([]Info, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}}
	steps := []struct {
		want string
		next func()
	}{
		{"fake a true <nil>", nil},
		{"fake b true <nil>", func() { c.set(nil, "b") }},
		{"fake a false <nil>", func() { c.set(errors.New("bus is down")) }},
		{"fake  false bus is down", func() { c.set(nil, "b", "c") }},
		{"fake  false <nil>", nil},
		{"fake c true <nil>", cancel},
	}
	n := 0
	for change := range Watch(ctx, Finder{Name: "fake", List: c.list, Every: 5 * time.Millisecond}, slow) {
		if got := fmt.Sprint(change.Driver, " ", change.Info.ID, " ", change.Present, " ", change.Err); got != steps[n].want {
			t.Fatalf("change %d: %s, want %s", n, got, steps[n].want)
		}
		if steps[n].next != nil {
			steps[n].next()
		}
		n++
	}
	if n != len(steps) {
		t.Errorf("%d changes, want %d", n, len(steps))
	}
}

func TestWatch_leaves_no_goroutine_behind(t *testing.T) {
	before := runtime.NumGoroutine()
	for range 20 {
		var c counter
		c.set(nil, "a")
		for range Watch(t.Context(), Finder{List: c.list}, Finder{List: c.list}) {
			break
		}
	}
	for end := time.Now().Add(time.Minute); runtime.NumGoroutine() > before; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d goroutines, %d before", runtime.NumGoroutine(), before)
		}
	}
}

func TestWatch_slow_list_is_asked_for_less_often(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	asked := 0
	for range Watch(ctx, Finder{Every: time.Millisecond, List: func(context.Context) ([]Info, error) {
		asked++
		time.Sleep(50 * time.Millisecond)
		return nil, nil
	}}) {
	}
	if asked > 5 {
		t.Errorf("asked %d times in a second, though each took 50 ms", asked)
	}
}
