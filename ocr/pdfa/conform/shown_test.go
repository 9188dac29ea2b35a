package conform_test

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/go-fonts/liberation/liberationserifregular"

	"motcua/ocr/pdfa"
	"motcua/ocr/pdfa/conform"
)

// body is an object of our own copy, without its number.
func body(t *testing.T, copied []byte, reference string) []byte {
	t.Helper()
	m := regexp.MustCompile(reference + ` (\d+) 0 R`).FindSubmatch(copied)
	if m == nil {
		t.Fatalf("the copy has no %s", reference)
	}
	_, rest, found := bytes.Cut(copied, []byte("\n"+string(m[1])+" 0 obj\n"))
	b, _, ends := bytes.Cut(rest, []byte("\nendobj"))
	if !found || !ends {
		t.Fatalf("the copy has no object %s", m[1])
	}
	return b
}

// drawn is a file of one page that shows content with resources. Its objects from 10 on are more.
func drawn(t *testing.T, level pdfa.Level, intent bool, resources, content string, more ...[]byte) []byte {
	t.Helper()
	copied := copyOf(t, level)
	intents := ""
	if intent {
		intents = "/OutputIntents [ << /Type /OutputIntent /S /GTS_PDFA1 /OutputConditionIdentifier (sRGB) /DestOutputProfile 5 0 R >> ]"
	}
	objects := map[int][]byte{
		1: []byte("<< /Type /Catalog /Pages 2 0 R /Metadata 4 0 R " + intents + " >>"),
		2: []byte("<< /Type /Pages /Count 1 /Kids [ 3 0 R ] >>"),
		3: []byte("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 300] /Contents 6 0 R /Resources << " + resources + " >> >>"),
		4: body(t, copied, "/Metadata"),
		5: body(t, copied, "/DestOutputProfile"),
		6: pdfa.Stream("", []byte(content)),
		7: []byte("null"), 8: []byte("null"), 9: []byte("null"),
	}
	for i, m := range more {
		objects[10+i] = m
	}
	var b bytes.Buffer
	b.WriteString("%PDF-1.4\n%\xE2\xE3\xCF\xD3\n")
	table := fmt.Sprintf("xref\n0 %d\n0000000000 65535 f \n", len(objects)+1)
	for n := 1; n <= len(objects); n++ {
		table += fmt.Sprintf("%010d 00000 n \n", b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", n, objects[n])
	}
	fmt.Fprintf(&b, "%strailer\n<< /Size %d /Root 1 0 R /ID [ <01> <01> ] >>\nstartxref\n%d\n%%%%EOF\n", table, len(objects)+1, b.Len())
	return b.Bytes()
}

// What is shown decides: a rule is broken by what the page draws, and by nothing that only lies in the file.
func TestOnlyWhatIsShownBreaksARule(t *testing.T) {
	font, err := pdfa.NewSubset("ABCDEF+Serif", liberationserifregular.TTF, "xin")
	if err != nil {
		t.Fatal(err)
	}
	letters := font.Objects(10)
	serif := slices.Collect(func(yield func([]byte) bool) {
		for _, o := range letters {
			if !yield(o) {
				return
			}
		}
	})
	changed := func(n int, from, to string) [][]byte {
		if !bytes.Contains(serif[n], []byte(from)) {
			t.Fatalf("the font's object %d has no %q", n, from)
		}
		out := slices.Clone(serif)
		out[n] = bytes.Replace(out[n], []byte(from), []byte(to), 1)
		return out
	}
	// A list of three glyphs, none of which is drawn.
	listed := append(changed(2, "/StemV 80", "/StemV 80 /CIDSet 15 0 R"), pdfa.Stream("", []byte{0xE0}))
	const text = "BT /F 12 Tf 10 10 Td "
	say := "0 g " + text + font.Show("xin") + " Tj ET"
	const drawings = "<< /Type /Font /Subtype /Type3 /FontBBox [0 0 9 9] /FontMatrix [.1 0 0 .1 0 0] /FirstChar 97 /LastChar 97 /Widths [7] " +
		"/Encoding << /Differences [97 /a] >> /CharProcs << /a 11 0 R >> /Resources << >> >>"
	form := func(entries, content string) []byte {
		return pdfa.Stream("/Type /XObject /Subtype /Form /BBox [0 0 9 9] "+entries, []byte(content))
	}
	glyph := func(content string) [][]byte { return [][]byte{[]byte(drawings), pdfa.Stream("", []byte(content))} }
	const letter = "0 g " + text + "(a) Tj ET"
	fonts := "/Font << /F 10 0 R >>"
	tile := pdfa.Stream("/PatternType 1 /PaintType 1 /TilingType 1 /BBox [0 0 9 9] /XStep 9 /YStep 9 /Resources << >>",
		[]byte("1 0 0 rg 0 0 5 5 re f"))
	// In PDF/A-1 a subset must have a list of its glyphs.
	for name, c := range map[string]struct {
		resources, content string
		more               [][]byte
		none               bool // no output intent
		one, two           string
	}{
		"a font":                     {fonts, say, serif, false, "6.3.5", ""},
		"a font that is not there":   {fonts, say, changed(2, "/FontFile2", "/FontFileX"), false, "6.3.4", "6.2.11.4.1"},
		"nobody sees the text":       {fonts, "3 Tr " + say, changed(2, "/FontFile2", "/FontFileX"), false, "", ""},
		"nobody shows the font":      {fonts, "", changed(2, "/FontFile2", "/FontFileX"), false, "", ""},
		"which glyph is which":       {fonts, say, changed(1, "/CIDToGIDMap /Identity", ""), false, "6.3.3.2", "6.2.11.3.2"},
		"widths":                     {fonts, say, changed(1, "/W [ ", "/W [ 0 9 300 "), false, "6.3.5", ""},
		"widths of what is shown":    {fonts, say, changed(1, "/DW 1000 /W", "/DW 999 /X"), false, "6.3.6", "6.2.11.5"},
		"glyphs that are not listed": {fonts, say, listed, false, "6.3.5", "6.2.11.4.2"},
		"a glyph beyond the font":    {fonts, "0 g " + text + "<FFF0> Tj ET", serif, false, "6.3.4", "6.2.11.4.1"},
		"a drawn glyph":              {fonts, letter, glyph("7 0 d0 0 0 5 5 re f"), false, "", ""},
		"a drawn glyph's width":      {fonts, letter, glyph("5 0 d0 0 0 5 5 re f"), false, "6.3.6", "6.2.11.5"},
		"a drawn glyph's colour":     {fonts, letter, glyph("7 0 d0 0 0 0 1 k f"), false, "6.2.3.3", "6.2.4.3"},
		"a glyph without colours":    {fonts, letter, glyph("7 0 0 0 5 5 d1 0 0 0 1 k f"), false, "", ""},
		"black by itself":            {"", "0 0 5 5 re f", nil, true, "6.2.3.3", "6.2.4.3"},
		"black with an intent":       {"", "0 0 5 5 re f", nil, false, "", ""},
		"a picture in the stream":    {"", "BI /W 1 /H 1 /BPC 8 /CS /RGB ID abc EI", nil, true, "6.2.3.3", "6.2.4.3"},
		"its rendering intent":       {"", "BI /W 1 /H 1 /BPC 8 /CS /RGB /Intent /Mine ID abc EI", nil, false, "6.2.9", "6.2.6"},
		"a pattern":                  {"/Pattern << /P 10 0 R >>", "/Pattern cs /P scn 0 0 5 5 re f", [][]byte{tile}, true, "6.2.3.3", "6.2.4.3"},
		"a pattern that lies there":  {"/Pattern << /P 10 0 R >>", "", [][]byte{tile}, true, "", ""},
		"a shading": {"/Shading << /S 10 0 R >>", "/S sh",
			[][]byte{[]byte("<< /ShadingType 2 /ColorSpace /DeviceRGB >>")}, true, "6.2.3.3", "6.2.4.3"},
		"a form of PostScript": {"/XObject << /X 10 0 R >>", "/X Do",
			[][]byte{form("/PS (x) /Resources << >>", "")}, false, "6.2.5", "6.2.9.1"},
		"one that lies there": {"/XObject << /X 10 0 R >>", "", [][]byte{form("/PS (x) /Resources << >>", "")}, false, "", ""},
		"what lies above": {"/XObject << /X 10 0 R >> /ColorSpace << /C /DeviceRGB >>", "/X Do",
			[][]byte{form("", "/C cs 0 0 5 5 re f")}, false, "", "6.2.2"},
		"an odd digit":            {fonts, "0 g " + text + "<001> Tj ET", serif, false, "6.1.6", "6.1.6"},
		"no digit":                {fonts, "0 g " + text + "<0G> Tj ET", serif, false, "6.1.6", "6.1.6"},
		"a property list":         {"", "/Span << /MCID 0 >> BDC EMC", nil, false, "", ""},
		"a long string":           {"", text + "(" + strings.Repeat("x", 40000) + ") Tj ET", nil, false, "", "6.1.13"},
		"a large number":          {"", "40000.5 0 m", nil, false, "6.1.12", ""},
		"a larger number":         {"", "3000000000 0 m", nil, false, "6.1.12", "6.1.13"},
		"an operator in brackets": {"", "BX foo EX", nil, false, "6.2.10", "6.2.2"},
	} {
		for level, want := range map[pdfa.Level]string{pdfa.A1b: c.one, pdfa.A2b: c.two} {
			found, err := conform.Check(drawn(t, level, !c.none, c.resources, c.content, c.more...), level)
			if err != nil {
				t.Errorf("%s, %s: %v", name, level, err)
				continue
			}
			broken := slices.ContainsFunc(found, func(f conform.Finding) bool { return f.Clause == want })
			if want == "" && len(found) > 0 || want != "" && !broken {
				t.Errorf("%s, %s: want %s, found %v", name, level, strconv.Quote(want), found)
			}
		}
	}
}
