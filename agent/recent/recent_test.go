package recent

import (
	"fmt"
	"io"
	"log/slog"
	"sync"
	"testing"
)

func TestKeepsTheNewest(t *testing.T) {
	lines := New(3)
	log := slog.New(lines.Handler(slog.NewTextHandler(io.Discard, nil)))
	for i := range 5 {
		log.With("visit", i).Info("scan", "pages", i)
	}
	log.Debug("not at this level")
	got := ""
	for _, l := range lines.All() {
		got += l.Text + ";"
	}
	if want := "scan visit=2 pages=2;scan visit=3 pages=3;scan visit=4 pages=4;"; got != want {
		t.Errorf("got %s", got)
	}
}

func TestManyAtOnce(t *testing.T) {
	lines := New(100)
	log := slog.New(lines.Handler(slog.NewTextHandler(io.Discard, nil)))
	var wait sync.WaitGroup
	for i := range 8 {
		wait.Go(func() {
			mine := log.WithGroup(fmt.Sprint("g", i)).With("a", 1)
			for range 50 {
				mine.Warn("x", "b", 2)
				lines.All()
			}
		})
	}
	wait.Wait()
	for _, l := range lines.All() {
		if len(l.Text) != len("x g0.a=1 g0.b=2") {
			t.Fatalf("a torn line: %q", l.Text)
		}
	}
}
