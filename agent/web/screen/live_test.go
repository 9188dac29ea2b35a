package screen

import (
	"errors"
	"testing"
)

// A browser that follows at once to the next page, while the end of a scan still goes out to it, isn't told of it again; one that the
// end can't reach is.
func TestEndIsToldWhileItGoesOut(t *testing.T) {
	errGone := errors.New("the browser is gone")
	for _, end := range []string{"fault", "full", "done"} {
		l := newLive()
		l.Reset()
		l.Send(Event{Kind: end})
		scan, past, _ := l.since(-1, 0)
		if err := l.say(scan, past[0], func(Event) error { return errGone }); !errors.Is(err, errGone) || !l.Untold() {
			t.Errorf("%s: a browser that is gone (%v) was told: %v", end, err, !l.Untold())
		}
		asked := false
		if err := l.say(scan, past[0], func(Event) error { asked = l.Untold(); return nil }); err != nil || asked || l.Untold() {
			t.Errorf("%s: untold while it goes out %v, after it %v, %v", end, asked, l.Untold(), err)
		}
		// Another screen of the same visit that is gone takes nothing back.
		if l.say(scan, past[0], func(Event) error { return errGone }) == nil || l.Untold() {
			t.Errorf("%s: a second screen that is gone makes it untold", end)
		}
		l.Reset()
		l.Send(Event{Kind: end})
		if _ = l.say(scan, past[0], func(Event) error { return nil }); !l.Untold() {
			t.Errorf("%s: the end of an earlier scan told the next one's", end)
		}
	}
}
