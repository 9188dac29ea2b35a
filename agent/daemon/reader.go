package daemon

import (
	"fmt"
	"log/slog"
	"maps"
	"sync"

	"motcua/agent/config"
	"motcua/ocr"
)

// OpenReader makes a recogniser whose parsers run in child processes; forbidden is told of calls they were ended for.
func OpenReader(cfg config.Config, forbidden func(call string)) (*ocr.Reader, error) {
	r, err := ocr.New(ocr.Options{
		Worker:  []string{"/proc/self/exe", "ocr-worker"}, // this very binary, also after its file was replaced by an update,
		Workers: cfg.Reading.Workers, Forbidden: forbidden,
		Limits: ocr.Limits{
			Bytes: int64(cfg.Reading.MaxBytes), Pages: cfg.Reading.MaxPages,
			Pixels: cfg.Reading.MaxPixels, Time: cfg.Reading.PageTime.D(),
		},
	})
	if err != nil {
		return nil, fmt.Errorf("start recognition: %w", err)
	}
	return r, nil
}

// LogForbidden tells of a system call that a worker was ended for.
func LogForbidden(log *slog.Logger) func(string) {
	return func(call string) {
		log.Error("a recognition worker was ended for a forbidden system call: a hostile file, or a library that this build does not know",
			"call", call)
	}
}

// held counts the system calls that recognition's workers were ended for.
type held struct {
	log   *slog.Logger
	mu    sync.Mutex // guards calls
	calls map[string]int
}

func newHeld(log *slog.Logger) *held { return &held{log: log, calls: map[string]int{}} }

func (h *held) add(call string) {
	LogForbidden(h.log)(call)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.calls[call]++
}

func (h *held) list() map[string]int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return maps.Clone(h.calls)
}
