package ocr

import (
	"encoding/json"
	"fmt"
	"image"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"motcua/ocr/field"
	"motcua/ocr/lines"
	"motcua/ocr/paper"
)

// The two sides of a card come to the same document whether they were read at once or one by one, with a draft on disk between; what a
// reader at the counter adds comes to the same whether it came before or after the second side. Random sources, odds and doubts.
func TestEvidenceIsKept(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 8))
	value := map[paper.Name][]string{
		paper.Number: {"001199000001", "001199000007"}, paper.FullName: {"LÊ THỊ MẪU", "LÊ THỊ MẬU"},
		paper.DateOfBirth: {"1999-03-12", "1999-03-17"}, paper.Sex: {"Nữ"}, paper.DateOfIssue: {"2021-05-01"}, paper.DateOfExpiry: {"2039-03-12"},
	}
	any := func(n paper.Name, source paper.Source) paper.Evidence {
		e := paper.Evidence{Value: value[n][rng.IntN(len(value[n]))], Source: source, Conf: certainty(source)}
		if source == paper.OCR {
			e.Conf, e.Reread, e.Second = rng.Float64(), rng.IntN(2) == 0, rng.IntN(3) == 0
			if rng.IntN(5) == 0 {
				e.Doubts = []paper.Doubt{paper.Incomplete}
			}
		}
		return e
	}
	for i := range 400 {
		side := func(name string, page int, sources map[paper.Name][]paper.Source) *readSide {
			f := &readSide{Kind: paper.CCCD, Side: name, Page: page, Sure: true, Labels: 1, Readings: map[paper.Name][]paper.Evidence{}}
			for _, n := range paper.Names() { // in one order, so that the same seed gives the same sides
				for _, s := range sources[n] {
					f.add(n, any(n, s))
				}
			}
			return f
		}
		front := side("front", 1, map[paper.Name][]paper.Source{paper.Number: {paper.QR, paper.OCR}, paper.FullName: {paper.QR, paper.OCR},
			paper.DateOfBirth: {paper.OCR}, paper.Sex: {paper.OCR}, paper.DateOfExpiry: {paper.OCR}})
		back := side("back", 2, map[paper.Name][]paper.Source{paper.Number: {paper.MRZ}, paper.FullName: {paper.MRZ},
			paper.DateOfBirth: {paper.MRZ}, paper.DateOfIssue: {paper.OCR}})
		back.Readings[paper.Number][0].Value = front.best(paper.Number) // else they are two persons'
		now := time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
		alone := func(f *readSide) paper.Document {
			own := *f
			own.Readings = map[paper.Name][]paper.Evidence{}
			for n, rs := range f.Readings {
				own.Readings[n] = slices.Clone(rs)
			}
			return stored(t, document([]*readSide{&own}, now))
		}
		var joined []paper.Document
		a, b := alone(front), alone(back)
		if joined = Join([]paper.Document{a, b}); len(joined) != 1 {
			continue
		}
		// What the sides were doubted for by themselves stays: no doubt goes by joining.
		once := document([]*readSide{front, back}, now)
		for n, f := range once.Fields {
			got := joined[0].Fields[n]
			if got.Value != f.Value || got.Source != f.Source || !slices.Equal(got.Agrees, f.Agrees) || f.Review && !got.Review {
				t.Fatalf("run %d, %s: one by one %v %v of %s, at once %v %v of %s", i, n, got.Review, got.Doubts, got.Source, f.Review,
					f.Doubts, f.Source)
			}
			if f.Review == got.Review && slices.Equal(f.Doubts, got.Doubts) && f.Confidence != got.Confidence {
				t.Fatalf("run %d, %s: confidence %v one by one, %v at once", i, n, got.Confidence, f.Confidence)
			}
		}
		// A reader that says again what is known changes nothing.
		chip := map[paper.Name]string{paper.Number: "001199000001"}
		Merge(&joined[0], paper.ChipUnchecked, chip)
		again := stored(t, joined[0])
		Merge(&again, paper.ChipUnchecked, chip)
		if !reflect.DeepEqual(stored(t, again), stored(t, joined[0])) {
			t.Fatalf("run %d: read again, a chip changes what it changed before", i)
		}
	}
}

// stored is a document as a draft on disk gives it back.
func stored(t *testing.T, d paper.Document) paper.Document {
	b, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	var out paper.Document
	if err := json.Unmarshal(b, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// Evidence says what it holds to nobody who prints it.
func TestEvidenceKeepsItsValueOutOfLogs(t *testing.T) {
	e := paper.Evidence{Value: "LÊ THỊ MẪU", Source: paper.OCR}
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		if got := fmt.Sprintf(format, e); got != fmt.Sprintf("evidence(ocr, %d bytes)", len(e.Value)) {
			t.Errorf("%s tells more than the length", format)
		}
	}
}

// Every confidence that is given out is one that calibration.json counted, and what needs a look is given less than what doesn't.
func TestConfidenceIsCounted(t *testing.T) {
	all := shares()
	if len(all) < 10 {
		t.Fatalf("only %d classes", len(all))
	}
	for class, share := range all {
		if share < leastGiven || share > mostGiven {
			t.Errorf("%q: %v", class, share)
		}
	}
	if all[look] >= all[""] {
		t.Errorf("in review %v, not in review %v", all[look], all[""])
	}
}

// Ink beside a row that nothing was read from is a letter that was lost: the Q of "Quỳnh" on a clear card, which no line took in.
func TestLetterBesideARow(t *testing.T) {
	img := image.NewGray(image.Rect(0, 0, 400, 100))
	for i := range img.Pix {
		img.Pix[i] = 230
	}
	for i := range 6 { // six letters of 16 × 24 at 40, 64, 88 …
		for y := 40; y < 64; y++ {
			for x := 40 + 24*i; x < 56+24*i; x++ {
				if x < 44+24*i || x >= 52+24*i || y < 44 {
					img.Pix[img.PixOffset(x, y)] = 20
				}
			}
		}
	}
	whole := image.Rect(40, 40, 176, 64)
	read := func(r image.Rectangle) *card {
		return &card{img: img, known: map[image.Rectangle][]lines.Word{r: {{Text: "x", Box: r}}}}
	}
	for _, c := range []struct {
		name string
		row  image.Rectangle
		lost bool
	}{
		{"all of it", whole, false},
		{"without its first letter", image.Rect(64, 40, 176, 64), true},
		{"without its last letter", image.Rect(40, 40, 152, 64), true},
	} {
		v := &field.Value{Text: "Uỳnh", Rows: []image.Rectangle{c.row}}
		if got := read(c.row).partLost(paper.PlaceOfOrigin, v); got != c.lost {
			t.Errorf("%s: lost %t", c.name, got)
		}
	}
	// What stands there was read as a label's word: nothing is lost.
	beside := read(image.Rect(64, 40, 176, 64))
	beside.known[whole] = []lines.Word{{Text: "n:", Box: image.Rect(40, 40, 56, 64)}}
	v := &field.Value{Text: "Uỳnh", Rows: []image.Rectangle{image.Rect(64, 40, 176, 64)}}
	if beside.partLost(paper.PlaceOfOrigin, v) {
		t.Error("a label's last word is taken for a lost letter")
	}
}

// A field whose input is counted on after others keeps its evidence on the same page as itself, and the original as it was.
func TestFieldMovedToOtherPages(t *testing.T) {
	f := paper.Field{Value: "x", Page: 1, Evidence: []paper.Evidence{{Page: 1, Source: paper.OCR}, {Source: paper.QR}}}
	m := f.Moved(3)
	if m.Page != 4 || m.Evidence[0].Page != 4 || m.Evidence[1].Page != 0 {
		t.Errorf("pages %d, %d, %d", m.Page, m.Evidence[0].Page, m.Evidence[1].Page)
	}
	if f.Page != 1 || f.Evidence[0].Page != 1 {
		t.Error("the field itself was moved")
	}
}
