package sign

import (
	"testing"
	"time"
)

// What is certified after midnight stands in the new month, also on a machine whose clock is set to another zone.
func TestMonthIsVietnams(t *testing.T) {
	late := time.Date(2026, 11, 30, 17, 13, 0, 0, time.UTC) // 00:13 on the first of December in Hà Nội
	if got := MonthOf(late); got != "2026-12" {
		t.Errorf("%v stands in %s", late, got)
	}
	if c := (Certified{At: late}); !c.Month(MonthOf(late)) {
		t.Error("the month of a line is not the month that is asked for")
	}
}
