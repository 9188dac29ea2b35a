package lds_test

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"

	"motcua/drivers/lds"
	"motcua/drivers/lds/chip"
)

// Chips in the field give 160 bytes at once and refuse more, refuse to be read beyond a file's end, or end the session with whatever
// they refuse (readers for phones open them anew then: NFCPassportReader 24, 89 and its reading of data groups). All is read of them.
func TestHabits(t *testing.T) {
	keys, err := chip.NewKeys(true, 2)
	if err != nil {
		t.Fatal(err)
	}
	i := proving(t, keys)
	refusing := keys
	refusing.Refuse = true
	for name, c := range map[string]struct {
		change  func(*chip.Options)
		without []byte
		trust   lds.Trust
	}{
		"160 bytes at once":                        {func(o *chip.Options) { o.MostRead = 160 }, nil, lds.Verified},
		"64 bytes at once":                         {func(o *chip.Options) { o.MostRead = 64 }, nil, lds.Verified},
		"160 bytes at once, else the session ends": {func(o *chip.Options) { o.MostRead, o.Curt = 160, true }, nil, lds.Verified},
		"64 bytes at once, else the session ends":  {func(o *chip.Options) { o.MostRead, o.Curt = 64, true }, nil, lds.Verified},
		"nothing beyond the end":                   {func(o *chip.Options) { o.Strict = true }, nil, lds.Verified},
		"nothing beyond the end, else it ends":     {func(o *chip.Options) { o.Strict, o.Curt = true, true }, nil, lds.Verified},
		"a file that is missing ends the session":  {func(o *chip.Options) { o.Curt = true }, []byte{0x1e}, lds.Verified},
		"two files that are missing end it":        {func(o *chip.Options) { o.Curt = true }, []byte{0x1e, 2}, lds.Verified},
		"no security object, which ends it":        {func(o *chip.Options) { o.Curt = true }, []byte{0x1d}, lds.Unsigned},
		"it refuses to prove itself":               {func(o *chip.Options) { o.Keys = refusing }, nil, lds.Unproven},
		"it refuses to prove itself, and ends it":  {func(o *chip.Options) { o.Keys, o.Curt = refusing, true }, nil, lds.Unproven},
		"it lacks the key's group, and ends it":    {func(o *chip.Options) { o.Curt = true }, []byte{15}, lds.Unproven},
		"it ends at every turn, and is short": {func(o *chip.Options) { o.Curt, o.MostRead, o.NoMaster = true, 100, true }, []byte{0x1e},
			lds.Verified},
	} {
		for _, way := range []string{"BAC", "PACE-CAN", "PACE-CAM"} {
			t.Run(fmt.Sprintf("%s, by %s", name, way), func(t *testing.T) {
				t.Parallel()
				o := i.options()
				o.Keys = keys
				switch way {
				case "BAC":
					o.PACE = nil
				case "PACE-CAM":
					o.PACE = []chip.PACE{{Suite: 2, Parameter: 13, Mapping: 6}} // and it has no EF.CardSecurity
				}
				c.change(&o)
				files := i.files
				for _, id := range c.without {
					files = without(files, id)
				}
				card, err := lds.Read(t.Context(), direct{chip.New(files, o)}, lds.Access{CAN: i.can, MRZ: i.key},
					lds.Options{Trusted: i.trusted, Now: today})
				if err != nil {
					t.Fatal(err)
				}
				if card.Authentic.Trust != c.trust || !maps.Equal(card.Fields, inventedFields) {
					t.Errorf("%+v, want %s; %d fields", card.Authentic, c.trust, len(card.Fields))
				}
				if face := !bytes.Contains(c.without, []byte{2}); face != bytes.Equal(card.Face, invented().Face) {
					t.Errorf("a picture of %d bytes", len(card.Face))
				}
			})
		}
	}
}

// curtCopy says something else in place of its first "6988": that the session's keys are not its own.
type curtCopy struct {
	direct
	answer []byte
	told   bool
}

func (c *curtCopy) Transmit(ctx context.Context, apdu []byte) ([]byte, error) {
	b, err := c.direct.Transmit(ctx, apdu)
	if !c.told && bytes.Equal(b, []byte{0x69, 0x88}) {
		b, c.told = c.answer, true
	}
	return b, err
}

// A copy that answers without protection where it has to show the key that was signed is a copy: opened anew, it would be read with
// the proof it didn't give.
func TestCopyThatEndsTheSession(t *testing.T) {
	for _, suite := range []int{1, 2} {
		keys, err := chip.NewKeys(false, suite)
		if err != nil {
			t.Fatal(err)
		}
		keys.Active = nil
		i := proving(t, keys)
		for _, status := range []string{"\x6a\x82", "\x69\x82", "\x67\x00", "\x90\x00"} {
			o := i.options()
			if o.Keys, err = chip.NewKeys(false, suite); err != nil { // its own
				t.Fatal(err)
			}
			c := &curtCopy{direct: direct{chip.New(i.files, o)}, answer: []byte(status)}
			card, err := lds.Read(t.Context(), c, lds.Access{CAN: i.can, MRZ: i.key}, lds.Options{Trusted: i.trusted, Now: today})
			if err != nil {
				t.Fatal(err)
			}
			if !c.told || card.Authentic.Trust != lds.Copied || len(card.Fields) > 0 {
				t.Errorf("suite %d, answer %x: %+v, %d fields", suite, status, card.Authentic, len(card.Fields))
			}
		}
	}
}

// A data group that this program can't make out costs neither the others nor the card's authenticity: it is named.
func TestGroupThatNobodyUnderstands(t *testing.T) {
	state, err := chip.NewState(today)
	if err != nil {
		t.Fatal(err)
	}
	trusted, err := lds.ParseCertificates(state.CSCA())
	if err != nil {
		t.Fatal(err)
	}
	i := issue(t, invented())
	for name, c := range map[string]struct {
		change  map[byte][]byte
		skipped []int
		full    string
	}{
		"a picture of another kind":   {map[byte][]byte{2: {0x75, 3, 0x02, 1, 0}}, []int{2}, invented().Name},
		"DG13 of another kind":        {map[byte][]byte{13: {0x6d, 3, 0x04, 1, 0}}, []int{13}, ""},
		"neither can be made out":     {map[byte][]byte{2: {0x75, 0}, 13: {0x6d, 2, 0x30, 9}}, []int{2, 13}, ""},
		"all of them can be made out": {nil, nil, invented().Name},
	} {
		t.Run(name, func(t *testing.T) {
			files := maps.Clone(i.files)
			for id, file := range c.change {
				files[id] = file
			}
			if err := state.Sign(files); err != nil {
				t.Fatal(err)
			}
			card := read(t, i, files, lds.Options{Trusted: trusted})
			if card.Authentic.Trust != lds.Verified || !slices.Equal(card.Skipped, c.skipped) || card.Fields["full_name"] != c.full ||
				card.Fields["number"] != invented().Number {
				t.Errorf("%+v, skipped %v, %d fields", card.Authentic, card.Skipped, len(card.Fields))
			}
		})
	}
}

// counting counts how often PACE was begun with the number on the front.
type counting struct {
	direct
	byCAN int
}

func (c *counting) Transmit(ctx context.Context, apdu []byte) ([]byte, error) {
	if len(apdu) > 1 && apdu[1] == 0x22 && bytes.Contains(apdu, []byte{0x83, 1, 2}) {
		c.byCAN++
	}
	return c.direct.Transmit(ctx, apdu)
}

// A number that the chip has refused is not tried again where it has to be opened anew: a chip slows down with every wrong key.
func TestRefusedNumberIsTriedOnce(t *testing.T) {
	i := issue(t, invented())
	o := i.options()
	o.Curt, o.MostRead = true, 100
	c := &counting{direct: direct{chip.New(without(i.files, 0x1e), o)}}
	card, err := lds.Read(t.Context(), c, lds.Access{CAN: "000000", MRZ: i.key}, lds.Options{Trusted: i.trusted, Now: today})
	if err != nil || card.Access != "PACE-MRZ" || card.Authentic.Trust != lds.Verified {
		t.Fatalf("%v, %+v, %v", card, card.Authentic, err)
	}
	if c.byCAN != 1 {
		t.Errorf("the number was tried %d times", c.byCAN)
	}
}
