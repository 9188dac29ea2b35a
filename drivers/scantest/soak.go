package scantest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"motcua/drivers/scan"
)

// Counts is what a soak did.
type Counts struct{ Devices, Scans, Pages, Faults, Cancelled, Broken int }

func (c Counts) String() string {
	return fmt.Sprintf("%d devices, %d scans, %d pages, %d faults, %d cancelled, %d broken off", c.Devices, c.Scans, c.Pages, c.Faults,
		c.Cancelled, c.Broken)
}

// Makes counts by the make of a device, which its name begins with.
type Makes map[string]Counts

// Add counts a device's soak.
func (m Makes) Add(device string, c Counts) {
	name, _, _ := strings.Cut(device, "-")
	sum := m[name]
	m[name] = Counts{sum.Devices + c.Devices, sum.Scans + c.Scans, sum.Pages + c.Pages, sum.Faults + c.Faults,
		sum.Cancelled + c.Cancelled, sum.Broken + c.Broken}
}

// Log tells the counts make by make.
func (m Makes) Log(t *testing.T) {
	for _, name := range slices.Sorted(maps.Keys(m)) {
		t.Logf("%s: %v", name, m[name])
	}
}

// Soak scans again and again while things go wrong at random: a fault, an end of the wish, a loop that is broken off. Every
// page that comes must be the right one; a scan that nothing disturbs gives all of its stack; a fault is told as what it is.
func Soak(t *testing.T, b Bench, scans int, r *rand.Rand) Counts {
	s := b.Open(t)
	defer s.Close()
	count := Counts{Devices: 1}
	for n := range scans {
		d := disturb(b, r)
		b.Load(t, d.stack)
		switch {
		case d.manner != "":
			b.Fail(t, d.manner, d.at)
			count.Faults++
		case d.ended:
			count.Cancelled++
		case d.broken:
			count.Broken++
		}
		got, err := d.scan(t, b, s)
		count.Scans, count.Pages = count.Scans+1, count.Pages+got
		if !d.fits(b, got, err) {
			t.Fatalf("scan %d, %+v: %d pages, %v", n, d, got, err)
		}
	}
	return count
}

// disturbance is what goes wrong in one scan of a soak: one of its last three, or nothing.
type disturbance struct {
	stack, at     int    // pages; the one at which it happens, from 1
	manner        string // of the bench's faults
	ended, broken bool   // nobody wants it any more; the loop is left
}

func disturb(b Bench, r *rand.Rand) disturbance {
	d := disturbance{stack: 1}
	if !b.Single {
		d.stack = 1 + r.IntN(b.Pages)
	}
	d.at = 1 + r.IntN(d.stack)
	switch r.IntN(4) {
	case 0:
		faults := slices.Sorted(maps.Keys(b.Faults))
		d.manner = faults[r.IntN(len(faults))]
	case 1:
		d.ended = true
	case 2:
		d.broken = true
	}
	return d
}

// scan gives how many pages came, each the right one, and how it ended.
func (d disturbance) scan(t *testing.T, b Bench, s Scanner) (got int, err error) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for p, e := range s.Scan(ctx, b.settings()) {
		if e != nil {
			return got, e
		}
		got++
		if side, wrong := b.Which(p); side != got || wrong != nil {
			t.Fatalf("%+v: page %d is side %d, %v", d, got, side, wrong)
		}
		if got == d.at && d.ended {
			cancel()
		}
		if got == d.at && d.broken {
			break
		}
	}
	return got, nil
}

// fits tells whether a scan ended as its disturbance lets it.
func (d disturbance) fits(b Bench, got int, err error) bool {
	switch {
	case d.manner != "":
		want := b.Faults[d.manner]
		return got == min(want.Pages, 1)*(d.at-1) && errors.Is(err, &scan.Fault{Code: want.Code})
	case d.ended:
		return got >= d.at && (err == nil || errors.Is(err, context.Canceled))
	case d.broken && got == d.at:
		return err == nil
	}
	return err == nil && got == d.stack
}

// Share is how many of so many scans each of the devices gets: rounded up.
func Share(scans, devices int) int { return (scans + devices - 1) / devices }
