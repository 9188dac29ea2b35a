package answer

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// What could not be told because the line was bad just then is told a minute later, not an hour; an account that may never tell it is
// asked ever more seldom.
func TestRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r rest
		if r.ends() != nil || !r.over() {
			t.Fatal("rests before anything failed")
		}
		begun := time.Now()
		var lasted []time.Duration
		for range 8 {
			r.note(false)
			if r.over() {
				t.Fatal("does not rest after a failure")
			}
			<-r.ends()
			if !r.over() || r.ends() != nil {
				t.Fatal("still rests after its end")
			}
			lasted = append(lasted, time.Since(begun))
			begun = time.Now()
		}
		for i, want := range []time.Duration{1, 2, 4, 8, 16, 32, 60, 60} {
			if lasted[i] != want*time.Minute {
				t.Errorf("rest %d lasted %v, want %v", i, lasted[i], want*time.Minute)
			}
		}
		k := kioskSet{kept: r}
		k.took(true, nil)
		if k.kept.pause != r.pause {
			t.Error("what was not tried counts as done")
		}
		k.took(false, nil)
		k.took(false, errors.New("denied"))
		if d := time.Until(k.kept.until); d != restFirst {
			t.Errorf("after a word was taken away: %v", d)
		}
		r.note(true)
		r.note(false)
		if d := time.Until(r.until); d != restFirst {
			t.Errorf("after it went well once: %v", d)
		}
	})
}
