package daemon

import (
	"io"
	"log/slog"
	"testing"
)

// A demo that has run for as long as its keys take to settle starts again: its list of staff is sealed by then.
func TestDemoStartsAgainAfterItsStaffWereSealed(t *testing.T) {
	cfg := older(t)
	roster := start(t, cfg)
	if err := demoStaff(t.Context(), io.Discard, cfg); err != nil {
		t.Fatal(err)
	}
	settleKeys(t.Context(), cfg, roster, slog.Default())
	if roster.Plain() {
		t.Fatal("the list of staff is not sealed")
	}
	if err := demoStaff(t.Context(), io.Discard, cfg); err != nil {
		t.Errorf("the demo does not start again: %v", err)
	}
}
