package pcsc

import (
	"fmt"
	"slices"
	"testing"
)

// The virtual reader cannot be plugged in and out of a running pcscd, so what Watch makes of that is
// shown on the states pcscd would send.
func TestChanges(t *testing.T) {
	reader := func(name string, counter uint32) state { return state{name: name, counter: counter, flags: 2} }
	card := func(name string, counter uint32) state {
		return state{name: name, counter: counter, flags: flagPresent, atr: []byte{0x3b}}
	}
	mute := state{name: "A", counter: 1, flags: flagPresent | flagSwallowed}
	for _, tc := range []struct {
		name          string
		before, after []state
		want          []string
	}{
		{"nothing", []state{card("A", 1)}, []state{card("A", 1)}, nil},
		{"plugged in", nil, []state{reader("A", 0)}, []string{"reader-added A"}},
		{"plugged in with a card on it", nil, []state{card("A", 0)}, []string{"reader-added A", "card-inserted A"}},
		{"pulled out", []state{reader("A", 0), reader("B", 0)}, []state{reader("B", 0)}, []string{"reader-removed A"}},
		{"pulled out with a card on it", []state{card("A", 1)}, nil, []string{"card-removed A", "reader-removed A"}},
		{"card put in", []state{reader("A", 0)}, []state{card("A", 1)}, []string{"card-inserted A"}},
		{"card taken away", []state{card("A", 1)}, []state{reader("A", 2)}, []string{"card-removed A"}},
		{"card changed between two looks", []state{card("A", 1)}, []state{card("A", 3)}, []string{"card-removed A", "card-inserted A"}},
		{"card that does not answer", []state{reader("A", 0)}, []state{mute}, []string{"card-inserted A card-mute"}},
		{"readers in another order", []state{reader("A", 0), card("B", 1)}, []state{card("B", 1), reader("A", 0)}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var got []string
			changes(tc.before, tc.after, func(e Event) {
				text := fmt.Sprintf("%s %s", e.Kind, e.Reader)
				if e.Fault != nil {
					text += " " + string(e.Fault.Code)
				}
				got = append(got, text)
			})
			if !slices.Equal(got, tc.want) {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}
