package lds_test

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"motcua/drivers/lds"
	"motcua/drivers/lds/chip"
	"motcua/drivers/scan"
)

// distortions are what a card made to deceive does to one of its answers.
var distortions = map[string]func(data, before []byte) []byte{
	"its first byte turned": func(data, _ []byte) []byte { return turned(data, 0) },
	"its last byte turned":  func(data, _ []byte) []byte { return turned(data, len(data)-1) },
	"one in the middle":     func(data, _ []byte) []byte { return turned(data, len(data)/2) },
	"its half":              func(data, _ []byte) []byte { return data[:len(data)/2] },
	"nothing":               func([]byte, []byte) []byte { return nil },
	"noughts":               func(data, _ []byte) []byte { return make([]byte, len(data)) },
	"twice over":            func(data, _ []byte) []byte { return append(bytes.Clone(data), data...) },
	"the one before":        func(_, before []byte) []byte { return before },
	"an endless length": func([]byte, []byte) []byte {
		return append([]byte{0x7f, 0x61, 0x84, 0xff, 0xff, 0xff, 0xff}, make([]byte, 300)...)
	},
}

func turned(data []byte, i int) []byte {
	if i >= 0 && i < len(data) {
		data[i] ^= 0x41
	}
	return data
}

// A card that lies in any one step gives a clear fault, or a card that is not believed, or the truth; never another value
// that is called verified, and never a reading without end.
func TestLies(t *testing.T) {
	keys, err := chip.NewKeys(true, 2)
	if err != nil {
		t.Fatal(err)
	}
	if keys.Map, err = chip.NewSecret(13); err != nil {
		t.Fatal(err)
	}
	keys.Hidden = true
	i, state := provingIn(t, keys)
	security, err := state.CardSecurity(keys)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"bac": "challenge bac select sealed", "pace": "EF.CardAccess nonce mapping key token EF.CardSecurity sealed"}
	both := []string{"EF.COM", "EF.SOD", "DG1", "DG2", "DG13", "DG14", "DG15", "signature", "agreement"}
	tried, refused := 0, 0
	for _, access := range []string{"pace", "bac"} {
		var steps []string
		answers := map[string]int{}
		options := func(lie func(string, []byte) []byte) chip.Options {
			o := i.options()
			o.Keys, o.CardSecurity, o.Lie = keys, security, lie
			o.PACE = []chip.PACE{{Suite: 2, Parameter: 13, Mapping: 6}}
			if access == "bac" {
				o.PACE = nil
			}
			return o
		}
		key := lds.Access{CAN: i.can, MRZ: i.key}
		honest := chip.New(i.files, options(func(step string, data []byte) []byte {
			if answers[step]++; answers[step] == 1 {
				steps = append(steps, step)
			}
			return data
		}))
		card, err := lds.Read(t.Context(), direct{honest}, key, lds.Options{Trusted: i.trusted, Now: today})
		if err != nil || card.Authentic.Trust != lds.Verified || !maps.Equal(card.Fields, inventedFields) {
			t.Fatalf("%v, %v", card, err)
		}
		for _, step := range append(both, strings.Fields(want[access])...) {
			if !slices.Contains(steps, step) {
				t.Fatalf("over %s the step %q did not come: %v", access, step, steps)
			}
		}
		for _, step := range steps {
			for how, distort := range distortions {
				for _, at := range []int{1, 3} { // the first answer of the step, and a later one
					if answers[step] < at {
						continue
					}
					n, before := 0, []byte{}
					c := chip.New(i.files, options(func(s string, data []byte) []byte {
						if s != step {
							return data
						}
						n++
						told := data
						if n == at {
							told = distort(bytes.Clone(data), before)
						}
						before = data
						return told
					}))
					tried++
					name := fmt.Sprintf("over %s, %s number %d: %s", access, step, at, how)
					// The picture takes most of a reading; it is left out where the lie is not about it.
					o := lds.Options{Trusted: i.trusted, Now: today, WithoutFace: step != "DG2" && step != "EF.COM"}
					got, err := lds.Read(t.Context(), direct{c}, key, o)
					if c.Commands > 2*honest.Commands+20 {
						t.Errorf("%s: %d commands", name, c.Commands)
					}
					var known *scan.Fault
					switch {
					case err != nil && !errors.As(err, &known):
						t.Errorf("%s: an error that nobody can mend: %v", name, err)
					case err != nil || got.Authentic.Trust != lds.Verified:
						refused++
					default:
						for field, value := range got.Fields {
							if inventedFields[field] != value {
								t.Errorf("%s: a false %s is called verified", name, field)
							}
						}
						if len(got.Face) > 0 && !bytes.Equal(got.Face, invented().Face) || !slices.Equal(got.MRZ, i.mrz) {
							t.Errorf("%s: a false picture or MRZ is called verified", name)
						}
					}
				}
			}
		}
	}
	t.Logf("%d lies, %d of them refused, the others without effect", tried, refused)
	if refused < tried/2 {
		t.Error("most lies had no effect: they are none")
	}
}
