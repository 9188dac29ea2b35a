// Package recent keeps the newest lines of the daemon's log in memory, for the technician's page and the
// diagnostics bundle. In go slog records on their way to another handler; out come that handler's
// results unchanged, and copies of the last lines. It promises bounded memory; what must not be logged
// must not be logged by whoever logs.
package recent

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"
)

// Line is one record as text.
type Line struct {
	Time  time.Time  `json:"time"`
	Level slog.Level `json:"level"`
	Text  string     `json:"text"`
}

// Lines holds the newest lines.
type Lines struct {
	mu   sync.Mutex // guards ring and next
	ring []Line
	next int
}

// New makes room for n lines.
func New(n int) *Lines { return &Lines{ring: make([]Line, 0, n)} }

// All gives the lines, the newest last.
func (l *Lines) All() []Line {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append(append([]Line{}, l.ring[l.next:]...), l.ring[:l.next]...)
}

func (l *Lines) add(line Line) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.ring) < cap(l.ring) {
		l.ring = append(l.ring, line)
		return
	}
	l.ring[l.next] = line
	l.next = (l.next + 1) % len(l.ring)
}

// Handler passes records on to next and keeps them.
func (l *Lines) Handler(next slog.Handler) slog.Handler {
	text := &strings.Builder{}
	keep := slog.NewTextHandler(text, &slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: bare})
	return &handler{next: next, lines: l, text: text, keep: keep, mu: &sync.Mutex{}}
}

// bare drops what a Line has fields for.
func bare(groups []string, a slog.Attr) slog.Attr {
	if len(groups) == 0 && (a.Key == slog.TimeKey || a.Key == slog.LevelKey) {
		return slog.Attr{}
	}
	if len(groups) == 0 && a.Key == slog.MessageKey {
		return slog.Attr{Key: "msg", Value: a.Value}
	}
	return a
}

type handler struct {
	next  slog.Handler
	lines *Lines

	mu   *sync.Mutex // guards text, which keep writes to
	text *strings.Builder
	keep slog.Handler
}

func (h *handler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.next.Enabled(ctx, level)
}

func (h *handler) Handle(ctx context.Context, r slog.Record) error {
	h.mu.Lock()
	h.text.Reset()
	err := h.keep.Handle(ctx, r)
	text := strings.TrimPrefix(strings.TrimSpace(h.text.String()), "msg=")
	h.mu.Unlock()
	if err == nil {
		h.lines.add(Line{r.Time, r.Level, text})
	}
	return h.next.Handle(ctx, r)
}

func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	c := *h
	c.next, c.keep = h.next.WithAttrs(attrs), h.keep.WithAttrs(attrs)
	return &c
}

func (h *handler) WithGroup(name string) slog.Handler {
	c := *h
	c.next, c.keep = h.next.WithGroup(name), h.keep.WithGroup(name)
	return &c
}
