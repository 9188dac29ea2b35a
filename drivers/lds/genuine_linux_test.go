package lds_test

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"testing"

	"motcua/drivers/lds"
	"motcua/drivers/lds/chip"
	"motcua/drivers/lds/internal/tlv"
)

// A chip on whose key the mapping of PACE rests proves itself by that alone.
func TestGenuineByMapping(t *testing.T) {
	for name, hidden := range map[string]bool{"key in DG14": false, "key in EF.CardSecurity alone": true} {
		t.Run(name, func(t *testing.T) {
			secret, err := chip.NewSecret(13)
			if err != nil {
				t.Fatal(err)
			}
			keys := chip.Keys{Map: secret, Hidden: hidden}
			i, state := provingIn(t, keys)
			security := func(s *chip.State, k chip.Keys) []byte {
				file, err := s.CardSecurity(k)
				if err != nil {
					t.Fatal(err)
				}
				return file
			}
			genuine := security(state, keys)
			another, err := chip.NewSecret(13)
			if err != nil {
				t.Fatal(err)
			}
			foreign, err := chip.NewState(today)
			if err != nil {
				t.Fatal(err)
			}
			way := []chip.PACE{{Suite: 2, Parameter: 13, Mapping: 6}, {Suite: 4, Parameter: 13}}
			for kind, lie := range map[string]struct {
				pace     []chip.PACE
				secret   *chip.Secret
				security []byte
				trust    lds.Trust
			}{
				"as issued":                                   {way, secret, genuine, lds.Verified},
				"a copy with a key of its own":                {way, another, genuine, lds.Copied},
				"a copy that signs its own key":               {way, another, security(foreign, chip.Keys{Map: another}), lds.Unproven},
				"a copy that sends no proof":                  {way, nil, genuine, lds.Copied},
				"a copy that sends none and has no such file": {way, nil, nil, lds.Unproven},
				"a copy that offers another mapping":          {way[1:], nil, nil, lds.Unproven},
				"a copy that offers BAC":                      {nil, nil, nil, lds.Unproven},
			} {
				t.Run(kind, func(t *testing.T) {
					o := i.options()
					o.PACE, o.Keys.Map, o.CardSecurity = lie.pace, lie.secret, lie.security
					card, err := lds.Read(t.Context(), direct{chip.New(i.files, o)}, lds.Access{CAN: i.can, MRZ: i.key},
						lds.Options{Trusted: i.trusted, Now: today})
					if err != nil {
						t.Fatal(err)
					}
					if card.Authentic.Trust != lie.trust || (card.Authentic.Proof == "PACE-CAM") != (lie.trust == lds.Verified) {
						t.Errorf("over %s: %+v, want %s", card.Access, card.Authentic, lie.trust)
					}
					if lie.trust == lds.Copied && len(card.Fields) > 0 {
						t.Error("a copy gave values")
					}
				})
			}
		})
	}
}

// A chip without a security object, or with one that can't be read, is told by that: what its key for the mapping proves is of no
// data that anybody signed.
func TestMappingProvesNothingUnsigned(t *testing.T) {
	secret, err := chip.NewSecret(13)
	if err != nil {
		t.Fatal(err)
	}
	another, err := chip.NewSecret(13)
	if err != nil {
		t.Fatal(err)
	}
	keys := chip.Keys{Map: secret, Hidden: true}
	i, state := provingIn(t, keys)
	security, err := state.CardSecurity(keys)
	if err != nil {
		t.Fatal(err)
	}
	for kind, object := range map[string]struct {
		file  []byte
		trust lds.Trust
	}{"none": {nil, lds.Unsigned}, "nonsense": {[]byte{0x77, 0x01, 0x00}, lds.Forged}} {
		for whose, key := range map[string]*chip.Secret{"its own key": secret, "another key": another} {
			o, files := i.options(), maps.Clone(i.files)
			o.PACE, o.Keys.Map, o.CardSecurity = []chip.PACE{{Suite: 2, Parameter: 13, Mapping: 6}}, key, security
			if files[0x1d] = object.file; object.file == nil {
				delete(files, 0x1d)
			}
			card, err := lds.Read(t.Context(), direct{chip.New(files, o)}, lds.Access{CAN: i.can, MRZ: i.key},
				lds.Options{Trusted: i.trusted, Now: today})
			if err != nil {
				t.Fatal(err)
			}
			if card.Authentic.Trust != object.trust || card.Authentic.Proof != "" {
				t.Errorf("security object %s, %s: %+v, want %s without a proof", kind, whose, card.Authentic, object.trust)
			}
		}
	}
}

// Chip authentication modulo a prime, which older passports have.
func TestGenuineModuloPrime(t *testing.T) {
	for parameter := range 3 {
		for _, suite := range []int{1, 2, 4} {
			t.Run(fmt.Sprintf("group %d, suite %d", parameter, suite), func(t *testing.T) {
				t.Parallel()
				secret, err := chip.NewSecret(parameter)
				if err != nil {
					t.Fatal(err)
				}
				another, err := chip.NewSecret(parameter)
				if err != nil {
					t.Fatal(err)
				}
				i := proving(t, chip.Keys{Prime: secret, Suite: suite})
				for trust, keys := range map[lds.Trust]chip.Keys{
					lds.Verified: {Prime: secret, Suite: suite},
					lds.Copied:   {Prime: another, Suite: suite},
					lds.Unproven: {Prime: secret, Suite: suite, Refuse: true},
				} {
					o := i.options()
					o.Keys = keys
					card, err := lds.Read(t.Context(), direct{chip.New(i.files, o)}, lds.Access{CAN: i.can}, lds.Options{Trusted: i.trusted, Now: today})
					if err != nil {
						t.Fatal(err)
					}
					if card.Authentic.Trust != trust || (card.Authentic.Proof == "chip authentication") != (trust == lds.Verified) {
						t.Errorf("%+v, want %s", card.Authentic, trust)
					}
				}
			})
		}
	}
}

// A key that is signed for the chip and of a kind nobody here speaks is no proof, and no reason to read nothing.
func TestForeignKeyIsNoProof(t *testing.T) {
	secret, err := chip.NewSecret(0)
	if err != nil {
		t.Fatal(err)
	}
	state, err := chip.NewState(today)
	if err != nil {
		t.Fatal(err)
	}
	i := issue(t, invented())
	if err := (chip.Keys{Prime: secret, Suite: 2}).AddTo(i.files); err != nil {
		t.Fatal(err)
	}
	x942 := []byte{0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3e, 0x02, 0x01}
	at := bytes.Index(i.files[14], x942)
	i.files[14][at+len(x942)-1] = 0x7f // an algorithm that there is not
	if err := state.Sign(i.files); err != nil {
		t.Fatal(err)
	}
	if i.trusted, err = lds.ParseCertificates(state.CSCA()); err != nil {
		t.Fatal(err)
	}
	card := read(t, i, i.files, lds.Options{Trusted: i.trusted})
	if card.Authentic.Trust != lds.Unproven || !maps.Equal(card.Fields, inventedFields) {
		t.Errorf("%+v, %d fields", card.Authentic, len(card.Fields))
	}
}

// proving is a card whose chip can show that it is no copy.
func proving(t *testing.T, keys chip.Keys) issued {
	t.Helper()
	i, _ := provingIn(t, keys)
	return i
}

func provingIn(t *testing.T, keys chip.Keys) (issued, *chip.State) {
	t.Helper()
	state, err := chip.NewState(today)
	if err != nil {
		t.Fatal(err)
	}
	i := issue(t, invented())
	if err := keys.AddTo(i.files); err != nil {
		t.Fatal(err)
	}
	if err := state.Sign(i.files); err != nil {
		t.Fatal(err)
	}
	if i.trusted, err = lds.ParseCertificates(state.CSCA()); err != nil {
		t.Fatal(err)
	}
	return i, state
}

func TestGenuine(t *testing.T) {
	for name, c := range map[string]struct {
		rsa   bool
		suite int
		only  string
	}{
		"RSA and 3DES": {true, 1, ""}, "RSA and AES-256": {true, 4, ""}, "curve and AES-128": {false, 2, ""}, "curve and 3DES": {false, 1, ""},
		"active alone": {true, 2, "active"}, "chip alone": {false, 3, "chip"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			keys, err := chip.NewKeys(c.rsa, c.suite)
			if err != nil {
				t.Fatal(err)
			}
			want := "active authentication, chip authentication"
			switch c.only {
			case "active":
				keys.Agree, want = nil, "active authentication"
			case "chip":
				keys.Active, want = nil, "chip authentication"
			}
			i := proving(t, keys)
			others, err := chip.NewKeys(c.rsa, c.suite)
			if err != nil {
				t.Fatal(err)
			}
			if c.only == "active" {
				others.Agree = nil
			}
			if c.only == "chip" {
				others.Active = nil
			}
			refusing, short, exact := keys, keys, keys
			refusing.Refuse, short.Short, exact.Exact = true, 1, true
			for kind, lie := range map[string]struct {
				keys  chip.Keys
				files chip.Files
				trust lds.Trust
				proof string
			}{
				"as issued":                        {keys, i.files, lds.Verified, want},
				"as issued, and signs a byte less": {short, i.files, lds.Verified, want},
				"as issued, and gives no more":     {exact, i.files, lds.Verified, want},
				"a copy with keys of its own":      {others, i.files, lds.Copied, ""},
				"a copy without keys":              {chip.Keys{}, i.files, lds.Unproven, ""},
				"a chip that refuses":              {refusing, i.files, lds.Unproven, ""},
				"a copy that leaves the keys out":  {chip.Keys{}, without(without(i.files, 14), 15), lds.Unproven, ""},
			} {
				t.Run(kind, func(t *testing.T) {
					for _, bac := range []bool{false, true} {
						o := i.options()
						o.Keys = lie.keys
						if bac {
							o.PACE = nil
						}
						card, err := lds.Read(t.Context(), direct{chip.New(lie.files, o)}, lds.Access{CAN: i.can, MRZ: i.key},
							lds.Options{Trusted: i.trusted, Now: today})
						if err != nil {
							t.Fatal(err)
						}
						if card.Authentic.Trust != lie.trust || card.Authentic.Proof != lie.proof {
							t.Errorf("over %s: %+v, want %s by %q", card.Access, card.Authentic, lie.trust, lie.proof)
						}
						if lie.trust == lds.Copied && len(card.Fields) > 0 {
							t.Error("a copy gave values")
						}
						if lie.trust == lds.Verified && !maps.Equal(card.Fields, inventedFields) {
							t.Errorf("fields %v", card.Fields)
						}
					}
				})
			}
		})
	}
}

// Vietnamese cards were met that know no master file and give EF.CardAccess only where it is selected.
func TestCardAccess(t *testing.T) {
	i := issue(t, invented())
	for name, change := range map[string]func(*chip.Options){
		"no master file":       func(o *chip.Options) { o.NoMaster = true },
		"no short identifiers": func(o *chip.Options) { o.NoShortID = true },
		"neither":              func(o *chip.Options) { o.NoMaster, o.NoShortID = true, true },
		"neither, and more ways than one read": func(o *chip.Options) {
			o.NoMaster, o.NoShortID, o.PACE = true, true, ways(1, 12, 2, 13, 3, 14, 4, 16, 1, 13, 2, 12, 3, 16, 4, 17)
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := i.options()
			o.BAC = false
			change(&o)
			card, err := lds.Read(t.Context(), direct{chip.New(i.files, o)}, lds.Access{CAN: i.can}, lds.Options{Trusted: i.trusted, Now: today})
			if err != nil || card.Access != "PACE-CAN" || !maps.Equal(card.Fields, inventedFields) {
				t.Errorf("%v, %v", card, err)
			}
		})
	}
}

// BAC takes the last nine digits of the number, which is what the front and the MRZ say.
func TestBACByTheFront(t *testing.T) {
	i := issue(t, invented())
	p := invented()
	key, err := lds.CardKey(p.Number, "1995-03-05", "2035-03-05")
	if err != nil || key != i.key || key.Number != p.Number[3:] {
		t.Fatalf("%v %v", key, err)
	}
	o := i.options()
	o.PACE, o.NoMaster, o.NoShortID = nil, true, true
	if card, err := lds.Read(t.Context(), direct{chip.New(i.files, o)}, lds.Access{MRZ: key}, lds.Options{Now: today}); err != nil ||
		card.Access != "BAC" {
		t.Errorf("%v, %v", card, err)
	}
}

func TestDG13WithSixteen(t *testing.T) {
	i := issue(t, invented())
	p := invented()
	p.OldNumber, p.Code16 = "", "023456789"
	files := p.Groups()
	card := read(t, i, with(i.files, 13, files[13]), lds.Options{})
	if card.Fields["old_number"] != "023456789" || card.Unknown[16] != "" {
		t.Errorf("old number %q, unknown %v", card.Fields["old_number"], card.Unknown)
	}
	if card := read(t, i, i.files, lds.Options{}); card.Fields["old_number"] != invented().OldNumber ||
		card.Unknown[16] != "0123456789ABCDEF" {
		t.Errorf("unknown %v", card.Unknown)
	}
}

// A security object whose lengths are told by an end, and whose hashes come in pieces, is the same security object.
func TestSecurityObjectNotInDER(t *testing.T) {
	keys, err := chip.NewKeys(true, 2)
	if err != nil {
		t.Fatal(err)
	}
	i := proving(t, keys)
	for id, file := range i.files {
		if message, ok := tlv.Find(file, 0x77); ok {
			i.files[id] = tlv.Append(nil, 0x77, withEnds(t, message, 0))
		}
	}
	o := i.options()
	o.Keys = keys
	card, err := lds.Read(t.Context(), direct{chip.New(i.files, o)}, lds.Access{CAN: i.can}, lds.Options{Trusted: i.trusted, Now: today})
	if err != nil || card.Authentic.Trust != lds.Verified || !maps.Equal(card.Fields, inventedFields) {
		t.Errorf("%+v, %v", card.Authentic, err)
	}
}

// withEnds writes a signed message's frame with ends in place of lengths, and what is signed in pieces; certificates and the signer's
// part stay as they are.
func withEnds(t *testing.T, message []byte, depth int) (out []byte) {
	t.Helper()
	objects, err := tlv.All(message)
	if err != nil {
		t.Fatal(err)
	}
	end := []byte{0, 0}
	for _, o := range objects {
		switch {
		case o.Tag == 0x04 && depth == 5:
			out = append(out, 0x24, 0x80)
			for piece := range slices.Chunk(o.Value, 100) {
				out = tlv.Append(out, 0x04, piece)
			}
			out = append(out, end...)
		case o.Tag == 0xa0 && depth < 5, o.Tag == 0x30 && depth < 4:
			out = append(append(append(out, byte(o.Tag), 0x80), withEnds(t, o.Value, depth+1)...), end...)
		default:
			out = append(out, o.Raw...)
		}
	}
	return out
}
