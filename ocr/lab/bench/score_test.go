package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"motcua/ocr"
	"motcua/ocr/paper"
	"motcua/ocr/specimen"
)

func TestSame(t *testing.T) {
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"NGUYỄN VĂN AN", "Nguyễn Văn An", true},
		{"Hòa Bình", "Hoà  Bình", true},
		{"12/4 Lê Lợi, Quận 1", "12/4 Lê Lợi, Quận 1", true},
		{"Phan Rang - Tháp Chàm", "Phan Rang-Tháp Chàm", true},
		{"Phan Rang - Tháp Chàm", "Phan Rang Tháp Chàm", false},
		{"12/4 Lê Lợi, Quận 1", "124 Lê Lợi, Quận 1", false},
		{"12/4 Lê Lợi, Quận 1", "12/4 Lê Lợi Quận 1", false},
		{"Phú", "Phu", false},
		{"", "", false},
	} {
		if same(paper.PlaceOfResidence, c.a, c.b) != c.same {
			t.Errorf("same(%q, %q) = %t", c.a, c.b, !c.same)
		}
	}
}

// Pages that another program drew come with what stands on them.
func TestElsewhere(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "office")
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := elsewhere(dir); err == nil {
		t.Error("an empty directory is no set of pages")
	}
	write("001-cccd.png", "\x89PNG")
	pages, err := elsewhere(dir)
	if err != nil || len(pages) != 1 || pages[0].name() != "office-001-cccd" {
		t.Fatalf("%v, %v", pages, err)
	}
	if _, _, err := pages[0].page(""); err == nil {
		t.Error("a page without its truth was taken")
	}
	write("001-cccd.json", `{"type":"cccd","fields":{"number":"079090012345","old_number":"024567891"},"rotation":90,"code_intact":true}`)
	data, truth, err := pages[0].page("")
	if err != nil || len(data) != 4 || len(truth.Papers) != 1 {
		t.Fatalf("%d bytes, %v, %v", len(data), truth, err)
	}
	p := truth.Papers[0]
	if _, printed := p.Printed[paper.OldNumber]; p.Kind != paper.CCCD || p.Rotation != 90 || !p.Code || printed ||
		p.Fields[paper.OldNumber] == "" {
		t.Errorf("%+v", p)
	}
}

// A field that is wrong and not flagged must be counted, whatever else is right.
func TestTallyCountsSilentErrors(t *testing.T) {
	truth := specimen.Truth{Papers: []specimen.PaperTruth{{Kind: paper.CCCD, Sides: []string{"front", "back"},
		Fields:  map[paper.Name]string{paper.Number: "079090012345", paper.Sex: "Nam", paper.FullName: "LÊ AN", paper.OldNumber: "024567891"},
		Printed: map[paper.Name]string{paper.Number: "", paper.Sex: "", paper.FullName: ""}}}}
	out := ocr.Result{Documents: []paper.Document{{Type: paper.CCCD, Fields: map[paper.Name]paper.Field{
		paper.Number:       {Value: "079090012346", Source: paper.OCR, Confidence: 0.995},
		paper.Sex:          {Value: "Nữ", Source: paper.OCR, Review: true},
		paper.DateOfExpiry: {Value: "2030-01-01", Source: paper.OCR},
	}}}}
	tl := newTally("office")
	wrong := tl.add(page{set: "office"}, truth, out, time.Second)
	s := tl.ways[alone]
	if s == nil || s.total != 3 || s.exact != 0 || s.silent != 1 || s.missing != 1 || s.flagged != 1 || s.confidentBad != 1 {
		t.Errorf("%+v", s)
	}
	if tl.invented != 1 {
		t.Errorf("%d invented", tl.invented)
	}
	silent := 0
	for _, w := range wrong {
		if strings.HasPrefix(w, "!!") {
			silent++
		}
	}
	if silent != 2 {
		t.Errorf("%d marked in %q", silent, wrong)
	}
}

func TestMatchGoesByPlace(t *testing.T) {
	at := func(x float64) paper.Quad {
		return paper.Quad{{X: x, Y: 0}, {X: x + 10, Y: 0}, {X: x + 10, Y: 10}, {X: x, Y: 10}}
	}
	left, right := at(0), at(20)
	docs := []paper.Document{{Type: paper.CCCD, Where: &right}, {Type: paper.CCCD, Where: &left}}
	p := specimen.PaperTruth{Kind: paper.CCCD, Where: map[specimen.Side]paper.Quad{specimen.Front: left}}
	if found := match([]specimen.PaperTruth{p}, docs); found[0] != 1 {
		t.Errorf("matched %d", found)
	}
	if found := match([]specimen.PaperTruth{p}, nil); found[0] != -1 {
		t.Errorf("matched %d of nothing", found)
	}
	// One card was not found: the other person's is not taken for it.
	other := specimen.PaperTruth{Kind: paper.CCCD, Where: map[specimen.Side]paper.Quad{specimen.Front: at(40)}}
	if found := match([]specimen.PaperTruth{other, p}, docs[1:]); found[0] != -1 || found[1] != 0 {
		t.Errorf("matched %d of one document for two papers", found)
	}
}

func TestPlanRepeats(t *testing.T) {
	kinds := map[paper.Kind]int{}
	codes := 0
	for seed := range uint64(64) {
		a, b := plan("bad", seed, flags{}, nil), plan("bad", seed, flags{}, nil)
		if a.print != b.print {
			t.Errorf("seed %d differs", seed)
		}
		kinds[a.kind()]++
		if !a.damage.NoCodes {
			codes++
		}
	}
	if len(kinds) != 8 || kinds[paper.CCCD] < 20 || codes != 32 {
		t.Errorf("%v, %d with codes", kinds, codes)
	}
}
