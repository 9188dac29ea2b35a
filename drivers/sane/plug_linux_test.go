package sane

import (
	"errors"
	"strings"
	"testing"
	"time"

	"motcua/drivers/scan"
)

// A scanner that was pulled out while its worker had it open, and is back under another name, gives its first page at the first
// wish. No such place is on this machine's bus, so the driver sees that the old one is gone.
func TestScan_plugged_in_elsewhere_costs_no_scan(t *testing.T) {
	d, o := play(t, "fujitsu", fi7260)
	if err := d.Move("libusb:250:001"); err != nil {
		t.Fatal(err)
	}
	s := open(t, o, "sane:fujitsu:libusb:250:001")
	if _, err := s.Probe(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s.Met() {
		t.Error("a device whose place on the bus is empty counts as there")
	}
	for _, place := range []string{"libusb:250:002", "libusb:251:001"} {
		if err := errors.Join(d.Move(place), d.Load(2)); err != nil {
			t.Fatal(err)
		}
		pages, err := all(t.Context(), s, scan.Settings{Source: scan.ADF, Mode: scan.Gray, DPI: 50})
		if len(pages) != 2 || err != nil {
			t.Errorf("at %s: %d pages, %v", place, len(pages), err)
		}
		if !strings.HasSuffix(s.name, place) {
			t.Errorf("it is called %s", s.name)
		}
	}
}

// Whoever wants to scan while the device is only asked what it can do waits for that, and is not told that it is in use.
func TestScan_waits_for_a_probe(t *testing.T) {
	d, o := play(t, "fujitsu", fi7260)
	if err := d.Load(1); err != nil {
		t.Fatal(err)
	}
	s := open(t, o, "sane:"+d.ID)
	s.slot <- struct{}{} // a Probe that takes long
	ended := make(chan struct{})
	s.mu.Lock()
	s.probing = ended
	s.mu.Unlock()
	time.AfterFunc(3*busyWait, func() {
		s.mu.Lock()
		s.probing = nil
		s.mu.Unlock()
		<-s.slot
		close(ended)
	})
	pages, err := all(t.Context(), s, scan.Settings{Source: scan.ADF, Mode: scan.Gray, DPI: 50})
	if len(pages) != 1 || err != nil {
		t.Errorf("%d pages, %v", len(pages), err)
	}
	if !s.Met() {
		t.Error("it has said what it can do")
	}
}
