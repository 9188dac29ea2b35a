package lds_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"motcua/drivers/lds"
	"motcua/drivers/lds/chip"
	"motcua/drivers/pcsc"
	"motcua/drivers/pcsc/vpcd"
	"motcua/drivers/scan"
)

var today = time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)

func day(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 0, 0, 0, 0, time.UTC) }

// invented is nobody.
func invented() chip.Person {
	return chip.Person{
		Number: "079195001234", OldNumber: "023456789", Name: "Nguyễn Thị Bưởi", Latin: "NGUYEN<<THI<BUOI",
		Birth: day(1995, 3, 5), Issue: day(2021, 5, 10), Expiry: day(2035, 3, 5), Sex: "Nữ", Ethnicity: "Kinh", Religion: "Không",
		Origin: "Xã Thử Nghiệm, Huyện Mẫu, Bến Tre", Residence: "12 Đường Số 3, Phường Thử Nghiệm, TP. Hồ Chí Minh",
		Marks: "Nốt ruồi C: 2cm trên trước đuôi mắt trái", Father: "Nguyễn Văn Mít", Mother: "Trần Thị Ổi",
		Face: append([]byte("\x00\x00\x00\x0cjP  \r\n\x87\n"), bytes.Repeat([]byte{0xa5, 0x5a}, 7500)...),
	}
}

var inventedFields = map[string]string{
	"number": "079195001234", "old_number": "023456789", "full_name": "Nguyễn Thị Bưởi", "date_of_birth": "1995-03-05", "sex": "Nữ",
	"nationality": "Việt Nam", "ethnicity": "Kinh", "religion": "Không", "place_of_origin": "Xã Thử Nghiệm, Huyện Mẫu, Bến Tre",
	"place_of_residence":      "12 Đường Số 3, Phường Thử Nghiệm, TP. Hồ Chí Minh",
	"personal_identification": "Nốt ruồi C: 2cm trên trước đuôi mắt trái",
	"date_of_issue":           "2021-05-10", "date_of_expiry": "2035-03-05",
	"father_name": "Nguyễn Văn Mít", "mother_name": "Trần Thị Ổi",
}

// direct is the card without a reader between.
type direct struct{ *chip.Chip }

func (d direct) Transmit(ctx context.Context, apdu []byte) ([]byte, error) {
	return d.Chip.Transmit(apdu), ctx.Err()
}

type issued struct {
	files   chip.Files
	trusted []*lds.Certificate
	csca    []byte
	mrz     []string
	can     string
	key     lds.Key
}

func issue(t testing.TB, p chip.Person) issued {
	t.Helper()
	state, err := chip.NewState(today)
	if err != nil {
		t.Fatal(err)
	}
	files := p.Groups()
	if err := state.Sign(files); err != nil {
		t.Fatal(err)
	}
	trusted, err := lds.ParseCertificates(state.CSCA())
	if err != nil {
		t.Fatal(err)
	}
	can, err := lds.CAN(p.Number)
	if err != nil {
		t.Fatal(err)
	}
	key, err := lds.KeyOf(p.MRZ())
	if err != nil {
		t.Fatal(err)
	}
	return issued{files, trusted, state.CSCA(), p.MRZ(), can, key}
}

func (i issued) options() chip.Options {
	return chip.Options{CAN: i.can, MRZ: i.mrz, BAC: true, PACE: ways(2, 13)}
}

// ways are pairs of suite and curve.
func ways(numbers ...int) (all []chip.PACE) {
	for pair := range slices.Chunk(numbers, 2) {
		all = append(all, chip.PACE{Suite: pair[0], Parameter: pair[1]})
	}
	return all
}

func code(c scan.Code) error { return &scan.Fault{Code: c} }

func TestRead(t *testing.T) {
	i := issue(t, invented())
	type way struct {
		name   string
		chip   func(*chip.Options)
		access lds.Access
		want   string
	}
	list := []way{
		{"BAC only", func(o *chip.Options) { o.PACE = nil }, lds.Access{MRZ: i.key}, "BAC"},
		{"BAC where only the MRZ is known and PACE fails by mapping", func(o *chip.Options) { o.PACE = ways(2, 2) }, lds.Access{MRZ: i.key},
			"BAC"},
		{"MRZ where the CAN is wrong", func(o *chip.Options) {}, lds.Access{CAN: "000000", MRZ: i.key}, "PACE-MRZ"},
		{"parameters that must be named", func(o *chip.Options) { o.BAC, o.PACE, o.WantsParameter = false, ways(2, 13), true },
			lds.Access{CAN: i.can}, "PACE-CAN"},
		{"CAN before MRZ", func(o *chip.Options) {}, lds.Access{CAN: i.can, MRZ: i.key}, "PACE-CAN"},
		{"the strongest of several", func(o *chip.Options) { o.PACE = ways(1, 12, 4, 16, 2, 13) }, lds.Access{CAN: i.can}, "PACE-CAN"},
	}
	for suite, name := range []string{1: "3DES", 2: "AES-128", 3: "AES-192", 4: "AES-256"} {
		for curve := 8; curve <= 18 && suite > 0; curve++ {
			if testing.Short() && curve != 13 {
				continue
			}
			set := func(o *chip.Options) { o.BAC, o.PACE = false, ways(suite, curve) }
			list = append(list, way{fmt.Sprintf("PACE %s curve %d", name, curve), set, lds.Access{CAN: i.can}, "PACE-CAN"})
			if curve == 13 {
				list = append(list, way{fmt.Sprintf("PACE %s by MRZ", name), set, lds.Access{MRZ: i.key}, "PACE-MRZ"})
			}
		}
	}
	for mapping, name := range map[int]string{1: "DH generic", 3: "DH integrated", 4: "ECDH integrated"} {
		for suite := 1; suite <= 4; suite++ {
			for parameter := range 3 {
				if mapping == 4 {
					parameter = []int{8, 13, 17}[parameter]
				}
				list = append(list, way{fmt.Sprintf("PACE %s, suite %d, parameters %d", name, suite, parameter),
					func(o *chip.Options) {
						o.BAC, o.PACE = false, []chip.PACE{{Suite: suite, Parameter: parameter, Mapping: mapping}}
					}, lds.Access{CAN: i.can}, "PACE-CAN"})
			}
		}
	}
	for _, w := range list {
		t.Run(w.name, func(t *testing.T) {
			o := i.options()
			w.chip(&o)
			card, err := lds.Read(t.Context(), direct{chip.New(i.files, o)}, w.access, lds.Options{Trusted: i.trusted, Now: today})
			if err != nil {
				t.Fatal(err)
			}
			if card.Access != w.want {
				t.Errorf("access %s, want %s", card.Access, w.want)
			}
			if !maps.Equal(card.Fields, inventedFields) {
				t.Errorf("fields %q", card.Fields)
			}
			if !slices.Equal(card.MRZ, i.mrz) || len(card.Doubtful) > 0 || card.Unknown[16] == "" || card.FaceType != "image/jp2" ||
				!bytes.Equal(card.Face, invented().Face) {
				t.Errorf("%v, doubtful %v", card, card.Doubtful)
			}
			if card.Authentic.Trust != lds.Verified || !slices.Equal(card.Authentic.Groups, []int{1, 2, 13}) {
				t.Errorf("authentic %+v", card.Authentic)
			}
			if printed := fmt.Sprintf("%v %+v %#v %v", card, card, card, w.access); strings.Contains(printed, "Nguy") ||
				strings.Contains(printed, i.can) {
				t.Errorf("personal data in %s", printed)
			}
		})
	}
}

func TestClearAnswers(t *testing.T) {
	i := issue(t, invented())
	otherKey := i.key
	otherKey.Number = "195001235"
	for _, tc := range []struct {
		name   string
		chip   func(*chip.Options)
		files  chip.Files
		access lds.Access
		want   scan.Code
	}{
		{"wrong CAN", nil, i.files, lds.Access{CAN: "123456"}, lds.WrongCAN},
		{"wrong MRZ by PACE", nil, i.files, lds.Access{MRZ: otherKey}, lds.WrongMRZ},
		{"wrong MRZ by BAC", func(o *chip.Options) { o.PACE = nil }, i.files, lds.Access{MRZ: otherKey}, lds.WrongMRZ},
		{"wrong CAN and wrong MRZ", nil, i.files, lds.Access{CAN: "123456", MRZ: otherKey}, lds.WrongMRZ},
		{"CAN given, chip has BAC only", func(o *chip.Options) { o.PACE = nil }, i.files, lds.Access{CAN: i.can}, lds.UnsupportedCard},
		{"no ICAO application", func(o *chip.Options) { o.PACE, o.BAC = nil, false }, nil, lds.Access{MRZ: i.key}, lds.UnsupportedCard},
		{"no way of access in common", func(o *chip.Options) { o.PACE, o.BAC = nil, false }, i.files, lds.Access{MRZ: i.key},
			lds.UnsupportedCard},
		{"DG1 is missing", nil, without(i.files, 1), lds.Access{CAN: i.can}, lds.DamagedChip},
		{"DG1 is rubbish", nil, with(i.files, 1, []byte{0x61, 3, 0x5f, 0x1f, 0}), lds.Access{CAN: i.can}, lds.DamagedChip},
		{"a file that claims too much", nil, with(i.files, 2, []byte{0x75, 0x83, 0xff, 0xff, 0xff, 0}), lds.Access{CAN: i.can}, lds.DamagedChip},
		{"a file shorter than it claims", nil, with(i.files, 2, i.files[2][:500]), lds.Access{CAN: i.can}, lds.DamagedChip},
	} {
		t.Run(tc.name, func(t *testing.T) {
			o := i.options()
			if tc.chip != nil {
				tc.chip(&o)
			}
			card, err := lds.Read(t.Context(), direct{chip.New(tc.files, o)}, tc.access, lds.Options{Now: today})
			var fault *scan.Fault
			if !errors.As(err, &fault) || fault.Code != tc.want || !strings.HasSuffix(fault.Technician, ".") {
				t.Fatalf("got %v, want %s", err, tc.want)
			}
			if card.Fields != nil || card.Face != nil {
				t.Error("a card that could not be read gave data")
			}
			if strings.Contains(err.Error(), "123456") || strings.Contains(err.Error(), "0791") {
				t.Errorf("key in the error: %v", err)
			}
		})
	}
}

func with(f chip.Files, id byte, file []byte) chip.Files {
	f = maps.Clone(f)
	f[id] = file
	return f
}

func without(f chip.Files, id byte) chip.Files {
	f = maps.Clone(f)
	delete(f, id)
	return f
}

// altered changes one byte of every response from the nth on.
type altered struct {
	direct
	n, from int
}

func (a *altered) Transmit(ctx context.Context, apdu []byte) ([]byte, error) {
	b, err := a.direct.Transmit(ctx, apdu)
	if a.n++; a.n > a.from && len(b) > 2 {
		b[len(b)/2] ^= 0x10
	}
	return b, err
}

func TestAlteredOnTheWayIsNeverTaken(t *testing.T) {
	i := issue(t, invented())
	for from := range 25 {
		_, err := lds.Read(t.Context(), &altered{direct: direct{chip.New(i.files, i.options())}, from: from}, lds.Access{CAN: i.can, MRZ: i.key},
			lds.Options{Now: today})
		var fault *scan.Fault
		if !errors.As(err, &fault) {
			t.Errorf("altered from response %d on: %v", from, err)
		}
	}
}

// TestThroughReader goes the whole way: this process → pcscd → its driver → a card on a TCP cable.
func TestThroughReader(t *testing.T) {
	i := issue(t, invented())
	d, err := vpcd.Start(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	service := pcsc.Service{Socket: d.Socket}
	events := make(chan pcsc.Event, 100)
	watching, stop := context.WithCancel(t.Context())
	watched := make(chan error, 1)
	go func() { watched <- service.Watch(watching, func(e pcsc.Event) { events <- e }) }()
	defer func() { stop(); <-watched }()
	await := func(kind pcsc.Kind) {
		t.Helper()
		deadline := time.After(2 * time.Minute)
		for {
			select {
			case e := <-events:
				if e.Kind == kind {
					return
				}
			case <-deadline:
				t.Fatalf("no %s", kind)
			}
		}
	}
	before := false
	insert := func(o chip.Options) (remove func()) {
		t.Helper()
		if before { // pcscd looks every 0.4 s: a card changed faster than that would be the same to it
			await(pcsc.CardRemoved)
		}
		before = true
		remove, err := d.Insert(chip.New(i.files, o))
		if err != nil {
			t.Fatal(err)
		}
		await(pcsc.CardInserted)
		return remove
	}
	read := func(ctx context.Context, a lds.Access, o lds.Options) (lds.Card, error) {
		t.Helper()
		card, err := service.Connect(t.Context(), vpcd.Reader)
		if err != nil {
			t.Fatal(err)
		}
		defer card.Close()
		o.Trusted, o.Now = i.trusted, today
		return lds.Read(ctx, card, a, o)
	}

	bac := i.options()
	bac.PACE = nil
	for name, o := range map[string]chip.Options{"PACE-CAN": i.options(), "BAC": bac} {
		t.Run(name, func(t *testing.T) {
			remove := insert(o)
			defer remove()
			a := lds.Access{CAN: i.can}
			if name == "BAC" {
				a = lds.Access{MRZ: i.key}
			}
			var steps []lds.Progress
			start := time.Now()
			card, err := read(t.Context(), a, lds.Options{Progress: func(p lds.Progress) { steps = append(steps, p) }})
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%s: %d bytes of face read in %s", card.Access, len(card.Face), time.Since(start).Round(time.Millisecond))
			if card.Access != name || !maps.Equal(card.Fields, inventedFields) || card.Authentic.Trust != lds.Verified {
				t.Errorf("%v %+v", card, card.Authentic)
			}
			last := steps[len(steps)-1]
			if last.File != "DG2" || last.Read != last.Size || last.Size < 15000 || last.Step != last.Of || len(steps) < 60 {
				t.Errorf("progress ends with %+v after %d steps", last, len(steps))
			}
		})
	}
	t.Run("wrong CAN, then the right one", func(t *testing.T) {
		defer insert(i.options())()
		if _, err := read(t.Context(), lds.Access{CAN: "999999"}, lds.Options{}); !errors.Is(err, code(lds.WrongCAN)) {
			t.Errorf("wrong CAN: %v", err)
		}
		if _, err := read(t.Context(), lds.Access{CAN: i.can}, lds.Options{WithoutFace: true}); err != nil {
			t.Errorf("right CAN after it: %v", err)
		}
	})
	t.Run("card pulled in the middle", func(t *testing.T) {
		remove := insert(i.options())
		pulled := func(p lds.Progress) {
			if p.File == "DG2" && p.Read > 3000 {
				remove()
			}
		}
		card, err := read(t.Context(), lds.Access{CAN: i.can}, lds.Options{Progress: pulled})
		if !errors.Is(err, code(pcsc.CardPulled)) || !strings.Contains(err.Error(), "read DG2") || card.Fields != nil {
			t.Errorf("%v, %v", card, err)
		}
	})
	t.Run("given up in the middle", func(t *testing.T) {
		defer insert(i.options())()
		ctx, cancel := context.WithCancel(t.Context())
		_, err := read(ctx, lds.Access{CAN: i.can}, lds.Options{Progress: func(p lds.Progress) {
			if p.File == "DG2" {
				cancel()
			}
		}})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
		if _, err := read(t.Context(), lds.Access{CAN: i.can}, lds.Options{WithoutFace: true}); err != nil {
			t.Errorf("the card after it: %v", err)
		}
	})
	t.Run("large blocks", func(t *testing.T) {
		defer insert(i.options())()
		start := time.Now()
		card, err := read(t.Context(), lds.Access{CAN: i.can}, lds.Options{Block: 4000})
		if err != nil || !bytes.Equal(card.Face, invented().Face) {
			t.Errorf("%v, %v", card, err)
		}
		t.Logf("in blocks of 4000: %s", time.Since(start).Round(time.Millisecond))
	})
}
