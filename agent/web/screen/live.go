package screen

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Event is one thing that happened at a scan, for the screen.
type Event struct {
	Kind    string `json:"kind"` // progress, strip, page, read, fault, full (some found no room; Page: so many did), done
	Page    int    `json:"page,omitempty"`
	Percent int    `json:"percent,omitempty"`
	Strip   int    `json:"strip,omitempty"` // number of a picture at /scan/strip/
	Key     string `json:"key,omitempty"`   // catalogue key of a sentence; the stream puts it in words
	Text    string `json:"text,omitempty"`
	To      string `json:"to,omitempty"`   // where the screen goes on
	Next    bool   `json:"next,omitempty"` // of a full stack that is dealt: what is left is the next one
}

// live tells every screen of a visit what the scanner and recognition do. A screen that comes late is
// told what it missed since the scan began.
type live struct {
	mu     sync.Mutex // guards the rest
	scan   int        // counts scans, so that a stream notices a new one
	told   bool       // a screen was told how this one ended
	past   []Event
	strips [][]byte
	subs   map[chan struct{}]bool
	closed bool
}

func newLive() *live { return &live{subs: map[chan struct{}]bool{}} }

func (l *live) wake() {
	for c := range l.subs {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}

// Reset begins a new scan.
func (l *live) Reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range l.strips {
		clear(s)
	}
	l.past, l.strips, l.told = nil, nil, false
	l.scan++
}

// never tells whether no scan has begun here yet.
func (l *live) never() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.scan == 0
}

// ends tells whether nothing of a scan comes after an event.
func (e Event) ends() bool { return e.Kind == "fault" || e.Kind == "full" || e.Kind == "done" }

// Untold tells whether a scan has ended and no screen knows how: what fails at once has failed before its page is asked for.
func (l *live) Untold() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return !l.told && slices.ContainsFunc(l.past, Event.ends)
}

// say tells a screen an event of a scan. How a scan ended counts as told before it goes out, since a fast browser asks for the next
// page while it still does, and as untold again where it can't go out.
func (l *live) say(scan int, e Event, send func(Event) error) error {
	if !e.ends() || !l.tell(scan, true) {
		return send(e)
	}
	err := send(e)
	if err != nil {
		l.tell(scan, false)
	}
	return err
}

// tell notes whether a screen was told how a scan ended, and says whether that is news.
func (l *live) tell(scan int, told bool) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.scan != scan || l.told == told {
		return false
	}
	l.told = told
	return true
}

// Send tells every screen of the visit; progress takes the place of older progress.
func (l *live) Send(e Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n := len(l.past); e.Kind == "progress" && n > 0 && l.past[n-1].Kind == "progress" {
		l.past[n-1] = e
	} else {
		l.past = append(l.past, e)
	}
	l.wake()
}

// strip keeps a picture of the lines that just arrived.
func (l *live) strip(page int, jpeg []byte) {
	l.mu.Lock()
	n := len(l.strips)
	l.strips = append(l.strips, jpeg)
	l.mu.Unlock()
	l.Send(Event{Kind: "strip", Page: page, Strip: n})
}

func (l *live) picture(n int) ([]byte, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n < 0 || n >= len(l.strips) || l.closed {
		return nil, false
	}
	return append([]byte(nil), l.strips[n]...), true
}

func (l *live) wipe() {
	l.Reset()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	l.wake()
}

// since gives the events from the nth on of the scan the caller knows, or all of a newer scan.
func (l *live) since(scan, n int) (now int, events []Event, closed bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if scan != l.scan {
		n = 0
	}
	return l.scan, append([]Event(nil), l.past[min(n, len(l.past)):]...), l.closed
}

// news gives what a stream that was sent that many events of a scan, last at the end, has not shown yet, and where it stands now.
func (l *live) news(scan, sent int, last Event) (nowScan, nowSent int, events []Event, closed bool) {
	now, events, closed := l.since(scan, sent)
	if now != scan {
		sent = 0
	}
	if len(events) == 0 && sent > 0 { // the last one may have been replaced by newer progress
		if _, again, _ := l.since(now, sent-1); len(again) == 1 && again[0] != last {
			events, sent = again, sent-1
		}
	}
	return now, sent, events, closed
}

func (l *live) subscribe() (<-chan struct{}, func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := make(chan struct{}, 1)
	l.subs[c] = true
	return c, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.subs, c)
	}
}

// stream writes server-sent events.
type stream struct {
	w  http.ResponseWriter
	rc *http.ResponseController
}

// NewStream begins an answer of server-sent events.
func NewStream(w http.ResponseWriter) (*stream, error) {
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	s := &stream{w: w, rc: http.NewResponseController(w)}
	s.allow()
	w.WriteHeader(http.StatusOK)
	return s, s.rc.Flush()
}

// allow gives the browser time for what is written next: a stream as a whole lasts as long as it likes.
func (s *stream) allow() { _ = s.rc.SetWriteDeadline(time.Now().Add(AnswerTime)) }

// Send writes one event, as JSON.
func (s *stream) Send(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	s.allow()
	if _, err := fmt.Fprintf(s.w, "data: %s\n\n", b); err != nil {
		return err
	}
	return s.rc.Flush()
}

// Beat keeps the connection and tells a dead one.
func (s *stream) Beat() error {
	s.allow()
	if _, err := fmt.Fprint(s.w, ": \n\n"); err != nil {
		return err
	}
	return s.rc.Flush()
}

// Watch streams the visit's events until the browser goes or the visit ends.
// With ?new it begins with what happens from now on.
func (s *Host) Watch(w http.ResponseWriter, r *http.Request, t *Table, lang string) {
	out, err := NewStream(w)
	if err != nil {
		return
	}
	if !r.URL.Query().Has("new") && t.Live.never() && !t.Visit.State().Busy {
		// The screen shows a scan that this process knows nothing of: the daemon was restarted in it.
		_ = out.Send(Event{Kind: "fault", Text: s.Words.Say(lang, "scan.broken")})
		return
	}
	changed, done := t.Live.subscribe()
	defer done()
	beat := time.NewTicker(15 * time.Second)
	defer beat.Stop()
	var last Event
	scan, sent := -1, 0
	if r.URL.Query().Has("new") {
		now, past, _ := t.Live.since(-1, 0)
		scan, sent = now, len(past)
		if sent > 0 {
			last = past[sent-1]
		}
		if out.Beat() != nil {
			return
		}
	}
	for {
		var events []Event
		var closed bool
		scan, sent, events, closed = t.Live.news(scan, sent, last)
		for _, e := range events {
			last = e
			if e.Key != "" {
				e.Text = s.Words.Say(lang, e.Key, "n", e.Page)
			}
			if t.Live.say(scan, e, func(e Event) error { return out.Send(e) }) != nil {
				return
			}
		}
		sent += len(events)
		if closed {
			_ = out.Send(Event{Kind: "over", To: "/"})
			return
		}
		select {
		case <-changed:
		case <-beat.C:
			if out.Beat() != nil {
				return
			}
		case <-r.Context().Done():
			return
		case <-s.Ending.Done():
			return
		}
	}
}
