package specimen

import (
	"bytes"
	"fmt"
	"maps"
	"math"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/pdfcpu/pdfcpu/pkg/api"

	"motcua/ocr/paper"
	"motcua/ocr/vn"
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
			spec := Spec{Papers: []Paper{{Kind: kind, Person: p}}, Tight: set == Photo, DPI: dpi()}
			d := Damage{Set: set, Seed: i, NoCodes: i%3 == 2}
			img, truth, err := Draw(spec, i, d)
			if err != nil {
				t.Fatal(err)
			}
			if n := len(truth.Papers[0].Fields); n < want {
				t.Errorf("%s %s: %d fields", kind, set, n)
			}
			b, _, err := Encode(img, dpi(), d)
			if err != nil {
				t.Fatal(err)
			}
			if dir := os.Getenv("SPECIMEN_OUT"); dir != "" {
				os.WriteFile(fmt.Sprintf("%s/%s-%s-%d.jpg", dir, kind, set, i), b, 0o600)
			}
		}
	}
}

// Nobody may come out of the lists whose numbers, dates and names contradict each other: recognition would be
// right to doubt them.
func TestInventedPersonsAreConsistent(t *testing.T) {
	for kind := range wants {
		for seed := range uint64(300) {
			p := InventFor(kind, seed)
			n, err := vn.ParsePersonalNumber(p.Number)
			if err != nil || n.Year != p.Birth.Year() || n.Sex != p.Sex {
				t.Errorf("%s %d: number %s, born %s, %s, %v", kind, seed, p.Number, iso(p.Birth), p.Sex, err)
			}
			if !p.Expiry.IsZero() && !p.Expiry.After(p.Issue) || kind != paper.KhaiSinh && !p.Issue.After(p.Birth.AddDate(14, 0, 0)) &&
				kind != paper.CanCuoc {
				t.Errorf("%s %d: born %s, issued %s, expires %s", kind, seed, iso(p.Birth), iso(p.Issue), iso(p.Expiry))
			}
			if vn.Locate(p.Origin).District == "" || vn.Locate(p.Residence).Province.Name == "" {
				t.Errorf("%s %d: %s; %s", kind, seed, p.Origin, p.Residence)
			}
			if err := missing(p); err != nil {
				t.Error(err)
			}
		}
	}
}

// missing checks that all fonts have all letters of a person's values.
func missing(p Person) error {
	for _, f := range []*typeface{sans, sansBold, serif, serifBold, serifItalic, dejavu, dejavuBold, dserif, dserifBold, typed} {
		for _, r := range p.FullName + strings.ToUpper(p.FullName) + p.Origin + p.Residence + p.Father + p.Mother {
			if _, err := f.glyph(r); err != nil {
				return err
			}
		}
	}
	return nil
}

// dpi is low where nobody looks at the pictures.
func dpi() int {
	if os.Getenv("SPECIMEN_OUT") == "" {
		return 120
	}
	return 300
}

func samples() int {
	n, err := strconv.Atoi(os.Getenv("SPECIMEN_N"))
	if err != nil {
		return 1
	}
	return n
}

func TestPDF(t *testing.T) {
	var pages [][]byte
	for i, set := range []string{Clean, Bad} {
		d := Damage{Set: set, Seed: 0}
		img, _, err := Draw(Spec{Papers: []Paper{{Kind: paper.CMND, Person: InventFor(paper.CMND, uint64(i))}}, DPI: 100}, 1, d)
		if err != nil {
			t.Fatal(err)
		}
		b, _, err := Encode(img, 100, d)
		if err != nil {
			t.Fatal(err)
		}
		pages = append(pages, b)
	}
	pdf, err := PDF(pages, 100)
	if err != nil {
		t.Fatal(err)
	}
	n, err := api.PageCount(bytes.NewReader(pdf), nil)
	if err != nil || n != 2 {
		t.Errorf("%d pages, %v", n, err)
	}
	dims, err := api.PageDims(bytes.NewReader(pdf), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range dims {
		if math.Abs(d.Width-595) > 3 || math.Abs(d.Height-842) > 3 {
			t.Errorf("page of %.0f × %.0f points, want A4", d.Width, d.Height)
		}
	}
}

// The same seed must give the same page, or no figure of the benchmark could be repeated.
func TestDrawRepeats(t *testing.T) {
	spec := Spec{Papers: []Paper{{Kind: paper.CanCuoc, Person: InventFor(paper.CanCuoc, 5), Rotation: 90, Skew: 4}}, DPI: 120}
	a, ta, err := Draw(spec, 5, Damage{Set: Photo, Seed: 5})
	if err != nil {
		t.Fatal(err)
	}
	b, tb, err := Draw(spec, 5, Damage{Set: Photo, Seed: 5})
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(a.Pix, b.Pix) || !reflect.DeepEqual(ta, tb) {
		t.Error("two drawings differ")
	}
}

// Where a field is said to lie there must be ink on the page.
func TestTruthPointsAtTheField(t *testing.T) {
	for _, rotation := range []int{0, 90, 180, 270} {
		spec := Spec{Papers: []Paper{{Kind: paper.CCCD, Person: InventFor(paper.CCCD, 3), Rotation: rotation, Skew: 3}}, DPI: 150}
		img, truth, err := Draw(spec, 9, Damage{})
		if err != nil {
			t.Fatal(err)
		}
		for n, q := range truth.Papers[0].Fields2D {
			dark, all := 0, 0
			for i := range 60 {
				for j := range 12 {
					u, v := (float64(i)+0.5)/60, (float64(j)+0.5)/12
					x := (1-v)*((1-u)*q[0].X+u*q[1].X) + v*((1-u)*q[3].X+u*q[2].X)
					y := (1-v)*((1-u)*q[0].Y+u*q[1].Y) + v*((1-u)*q[3].Y+u*q[2].Y)
					all++
					if c := img.RGBAAt(int(x), int(y)); int(c.R)+int(c.G)+int(c.B) < 300 {
						dark++
					}
				}
			}
			if share := float64(dark) / float64(all); share < 0.04 || share > 0.6 {
				t.Errorf("%d degrees: %s has %.0f %% ink where it should lie", rotation, n, share*100)
			}
		}
	}
}
