package screen

import (
	"testing"
	"time"
)

// A receipt tells Vietnam's time on a machine that was set up with another zone.
func TestClock(t *testing.T) {
	if got := Clock(time.Date(2026, time.November, 30, 19, 31, 0, 0, time.UTC)); got != "02:31 01/12/2026" {
		t.Errorf("got %s", got)
	}
}
