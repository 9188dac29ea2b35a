package screen

import (
	"sync"

	"motcua/ocr/qr"
)

// copyCodes leads the symbol of a printed certified copy, from a reader at the counter, to the pages that wait for one.
type copyCodes struct {
	mu      sync.Mutex // guards waiting
	waiting map[chan string]bool
}

// CopyCode gives the symbol of a printed certified copy to the pages that wait for one; false where none does, or where the text is
// nothing of the kind.
func (s *Host) CopyCode(text string) bool {
	if _, _, ok := qr.Copy(text); !ok {
		return false
	}
	c := &s.copyCodes
	c.mu.Lock()
	defer c.mu.Unlock()
	for page := range c.waiting {
		select {
		case page <- text:
		default: // it was given one already
		}
	}
	return len(c.waiting) > 0
}

// AwaitCopyCode gives the symbols that are read until done is called.
func (s *Host) AwaitCopyCode() (codes <-chan string, done func()) {
	c := &s.copyCodes
	c.mu.Lock()
	defer c.mu.Unlock()
	page := make(chan string, 1)
	if c.waiting == nil {
		c.waiting = map[chan string]bool{}
	}
	c.waiting[page] = true
	return page, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.waiting, page)
	}
}
