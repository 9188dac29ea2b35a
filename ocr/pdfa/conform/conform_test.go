package conform_test

import (
	"bytes"
	"image"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"motcua/ocr/jpeg"
	"motcua/ocr/paper"
	"motcua/ocr/pdfa"
	"motcua/ocr/pdfa/conform"
)

func copyOf(t testing.TB, level pdfa.Level) []byte {
	t.Helper()
	data, err := jpeg.Encode(image.NewGray(image.Rect(0, 0, 20, 20)), 80)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	w, err := pdfa.New(&b, pdfa.Info{Level: level, Title: "Giấy khai sinh", Tool: "Motcua test",
		Created:     time.Date(2026, 11, 29, 8, 0, 0, 0, time.FixedZone("", 7*3600)),
		Descriptive: pdfa.Descriptive{Kind: "Giấy khai sinh", Issued: "2016-03-20", Holder: "TRỊNH GIA MẪN", Number: "118"}})
	if err != nil {
		t.Fatal(err)
	}
	words := []paper.Word{{Text: "Số", Where: paper.Quad{{X: 10, Y: 10}, {X: 30, Y: 10}, {X: 30, Y: 20}, {X: 10, Y: 20}}}}
	if err := w.Add(pdfa.Page{Width: 200, Height: 300, JPEG: data, Gray: true, Pixels: [2]int{20, 20},
		Corners: [3]paper.Point{{}, {X: 200}, {Y: 300}}, Words: words}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// What we write keeps every rule we know, and each of these changes breaks the one that it is about.
func TestCheck(t *testing.T) {
	for _, level := range pdfa.Levels {
		data := copyOf(t, level)
		found, err := conform.Check(data, level)
		if err != nil || len(found) > 0 {
			t.Errorf("%s: %v %v", level, found, err)
		}
		for name, change := range map[string][2]string{
			"level":     {"<pdfaid:part>" + string(level[:1]), "<pdfaid:part>7"},
			"intent":    {"/GTS_PDFA1", "/GTS_PDFX1"},
			"end":       {"%%EOF\n", "%%EOF\nx"},
			"binary":    {"%\xE2\xE3\xCF\xD3", "%abcd"},
			"language":  {"<dc:language><rdf:Bag>", "<dc:language><rdf:Bog>"},
			"undefined": {"<motcua:kind>", "<motcua:kint>"},
			"length":    {"/Length ", "/Length 9"},
		} {
			if !bytes.Contains(data, []byte(change[0])) {
				t.Fatalf("%s: there is no %q", name, change[0])
			}
			broken := bytes.Replace(data, []byte(change[0]), []byte(change[1]), 1)
			if found, err := conform.Check(broken, level); len(found) == 0 && err == nil {
				t.Errorf("%s: %s is not seen", level, name)
			}
		}
	}
}

// foreign are clauses about what no file of ours has: types of properties in schemas that we do not write, blending, JPEG 2000,
// colorants, files in files, permissions, .notdef shown.
var foreign = []string{"1b 6.7.2", "2b 6.6.2.3.1", "2b 6.2.10", "2b 6.2.8.3", "2b 6.2.4.4", "2b 6.2.4.2", "2b 6.1.12", "2b 6.8",
	"2b 6.2.11.8", "2b 6.9"}

// leastAgreement is the share of the corpus's files about rules that are checked which must be judged as their makers do; no file that
// keeps the rules may be blamed at all. What is left are fonts of Adobe's compact format, which no file of ours has.
const leastAgreement = 0.95

// TestCorpus holds the checker against the files of veraPDF's corpus, in the folder that MOTCUA_PDFA_CORPUS names (the checkout of
// github.com/veraPDF/veraPDF-corpus): how many it judges as their makers do, clause by clause. They are not ours to keep.
func TestCorpus(t *testing.T) {
	folder := os.Getenv("MOTCUA_PDFA_CORPUS")
	if folder == "" {
		t.Skip("MOTCUA_PDFA_CORPUS names no folder")
	}
	type count struct{ right, all, missed, wrongly int }
	seen := map[string]map[string]bool{} // by rule: files that break it, and whether that was found
	byRule := map[string]*count{}
	file := regexp.MustCompile(`(\d+(?:-\d+)+-t\d+)-(pass|fail)`)
	for part, level := range map[string]pdfa.Level{"PDF_A-1b": pdfa.A1b, "PDF_A-2b": pdfa.A2b} {
		err := filepath.WalkDir(filepath.Join(folder, part), func(path string, d fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".pdf") {
				return err
			}
			m := file.FindStringSubmatch(filepath.Base(path))
			if m == nil {
				return nil
			}
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			found, problem := conform.Check(data, level)
			clean := len(found) == 0 && problem == nil
			rule := string(level) + " " + strings.ReplaceAll(m[1], "-", ".")
			c := byRule[rule]
			if c == nil {
				c, seen[rule] = &count{}, map[string]bool{}
				byRule[rule] = c
			}
			if m[2] == "fail" {
				seen[rule][filepath.Base(path)] = !clean
			}
			c.all++
			switch {
			case clean == (m[2] == "pass"):
				c.right++
			case clean:
				c.missed++
			default:
				c.wrongly++
			}
			if os.Getenv("MOTCUA_PDFA_SHOW") != "" && clean != (m[2] == "pass") {
				t.Logf("%s: %v %v", filepath.Base(path), found, problem)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	sums := map[string]*count{}
	add := func(group string, c *count) {
		s := sums[group]
		if s == nil {
			s = &count{}
			sums[group] = s
		}
		s.right, s.all, s.missed, s.wrongly = s.right+c.right, s.all+c.all, s.missed+c.missed, s.wrongly+c.wrongly
	}
	for _, rule := range slices.Sorted(maps.Keys(byRule)) {
		c := byRule[rule]
		add("all rules", c)
		checked := len(seen[rule]) == 0 || slices.Contains(slices.Collect(maps.Values(seen[rule])), true)
		how := ""
		switch {
		case slices.ContainsFunc(foreign, func(f string) bool { return strings.HasPrefix(rule, f) }):
			how = "of no file of ours"
		case !checked:
			how = "not checked"
			add("rules that our files touch", c)
		default:
			add("rules that our files touch", c)
			add("rules that our files touch and that are checked", c)
		}
		t.Logf("%-18s %3d of %3d, %d missed, %d wrongly blamed %s", rule, c.right, c.all, c.missed, c.wrongly, how)
	}
	for _, group := range slices.Sorted(maps.Keys(sums)) {
		s := sums[group]
		if share := float64(s.right) / float64(s.all); strings.HasSuffix(group, "checked") && share < leastAgreement || s.wrongly > 0 {
			t.Errorf("%s: too many are judged otherwise than by their makers", group)
		}
		t.Logf("%s: agreement %.1f %%: %d of %d files; %d broken rules missed, %d files wrongly blamed", group,
			100*float64(s.right)/float64(s.all), s.right, s.all, s.missed, s.wrongly)
	}
}
