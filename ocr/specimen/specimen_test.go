package specimen

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"testing"

	"motcua/ocr/paper"
)

func TestMRZ(t *testing.T) {
	p := Person{Number: "079204659924", FullName: "Kiều Minh Quyền Long", Sex: "Nam"}
	l := td1(p)
	if l[0] != "IDVNM2046599247079204659924<<7" {
		t.Error(l[0])
	}
	if l[2] != "KIEU<<MINH<QUYEN<LONG<<<<<<<<<" {
		t.Error(l[2])
	}
}

// wants says how many fields the true values of a kind have at least.
var wants = map[paper.Kind]int{paper.CCCD: 9, paper.CanCuoc: 9, paper.CCCD2016: 9, paper.CMND: 6, paper.Passport: 9,
	paper.KhaiSinh: 12, paper.CT07: 10, paper.Other: 0}

func TestDraw(t *testing.T) {
	sets := []string{"", Clean, Office, Bad, Photo}
	i := uint64(0)
	for _, kind := range slices.Sorted(maps.Keys(wants)) {
		want := wants[kind]
		for range samples() {
			i++
			set := sets[i%5]
			p := InventFor(kind, i)
			if err := missing(p); err != nil {
				t.Fatal(err)
			}
			spec := Spec{Papers: []Paper{{Kind: kind, Person: p}}, Tight: set == Photo}
			d := Damage{Set: set, Seed: i, NoCodes: i%3 == 2}
			img, truth, err := Draw(spec, i, d)
			if err != nil {
				t.Fatal(err)
			}
			if n := len(truth.Papers[0].Fields); n < want {
				t.Errorf("%s %s: %d fields", kind, set, n)
			}
			b, _, err := Encode(img, 300, d)
			if err != nil {
				t.Fatal(err)
			}
			if dir := os.Getenv("SPECIMEN_OUT"); dir != "" {
				os.WriteFile(fmt.Sprintf("%s/%s-%s-%d.jpg", dir, kind, set, i), b, 0o600)
			}
		}
	}
}

// missing checks that all fonts have all letters of a person's values.
func missing(p Person) error {
	for _, f := range []*typeface{sans, sansBold, serif, serifBold, serifItalic, dejavu, dejavuBold, dserif, dserifBold, typed} {
		for _, r := range p.FullName + p.Origin + p.Residence + p.Father + p.Mother {
			if _, err := f.glyph(r); err != nil {
				return err
			}
		}
	}
	return nil
}

func samples() int {
	n, err := strconv.Atoi(os.Getenv("SPECIMEN_N"))
	if err != nil {
		return 1
	}
	return n
}
