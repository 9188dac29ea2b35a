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
	faults := slices.Sorted(maps.Keys(b.Faults))
	for n := range scans {
		stack := 1
		if !b.Single {
			stack = 1 + r.IntN(b.Pages)
		}
		b.Load(t, stack)
		manner, at := "", 1+r.IntN(stack)
		var ended, broken bool
		switch r.IntN(4) {
		case 0:
			manner = faults[r.IntN(len(faults))]
			b.Fail(t, manner, at)
			count.Faults++
		case 1:
			ended = true
			count.Cancelled++
		case 2:
			broken = true
			count.Broken++
		}
		ctx, cancel := context.WithCancel(t.Context())
		got := 0
		var err error
		for p, e := range s.Scan(ctx, b.settings()) {
			if err = e; e != nil {
				break
			}
			got++
			if side, wrong := b.Which(p); side != got || wrong != nil {
				t.Fatalf("scan %d: page %d is side %d, %v", n, got, side, wrong)
			}
			if got == at && ended {
				cancel()
			}
			if got == at && broken {
				break
			}
		}
		cancel()
		count.Scans, count.Pages = count.Scans+1, count.Pages+got
		switch {
		case manner != "":
			if want := b.Faults[manner]; got != min(want.Pages, 1)*(at-1) || !errors.Is(err, &scan.Fault{Code: want.Code}) {
				t.Fatalf("scan %d: %s at page %d of %d: %d pages, %v", n, manner, at, stack, got, err)
			}
		case ended:
			if got < at || err != nil && !errors.Is(err, context.Canceled) {
				t.Fatalf("scan %d ended after page %d of %d: %d pages, %v", n, at, stack, got, err)
			}
		case broken && got == at && err == nil, err == nil && got == stack:
		default:
			t.Fatalf("scan %d: %d of %d pages, %v", n, got, stack, err)
		}
	}
	return count
}

// Share is how many of so many scans each of the devices gets: rounded up.
func Share(scans, devices int) int { return (scans + devices - 1) / devices }
