package form

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"
	"unicode"

	"motcua/agent/procedure"
	"motcua/agent/strict"
	"motcua/ocr/paper"
)

var (
	folder = os.DirFS("../../configs/procedures")
	made   = time.Date(2026, 11, 29, 9, 30, 0, 0, time.UTC)
)

const office = "Phường Bến Thành, Thành phố Hồ Chí Minh"

// blank is one of the shipped forms, and how much is written into it.
type blank struct {
	*procedure.Procedure
	length length
}

// forms are all shipped forms, each filled with nothing, a little and as much as it takes.
func forms(t *testing.T) iter.Seq2[blank, Sheet] {
	t.Helper()
	catalog, layouts := shipped(t)
	return func(yield func(blank, Sheet) bool) {
		for _, p := range catalog.All {
			layout, ok := layouts.Of(p)
			for _, l := range []length{empty, short, long} {
				if ok && !yield(blank{p, l}, layout.Fill(p, filled(p, l), office, made)) {
					return
				}
			}
		}
	}
}

func shipped(t *testing.T) (*procedure.Catalog, Layouts) {
	t.Helper()
	catalog, err := procedure.Load(folder)
	if err != nil {
		t.Fatal(err)
	}
	layouts, err := Load(catalog, folder)
	if err != nil {
		t.Fatal(err)
	}
	return catalog, layouts
}

// length is how much is written into each field of a test's form.
type length string

const (
	empty length = "empty"
	short length = "short"
	long  length = "long" // as much as the field takes, with a word that no line can hold
)

// filled gives every field of a procedure an answer of a length. Answers are told apart by their field, so
// that one in the wrong place is seen.
func filled(p *procedure.Procedure, l length) map[string]procedure.Answer {
	values := map[string]procedure.Answer{}
	for i := range p.Fields {
		f := &p.Fields[i]
		text := ""
		if l != empty {
			text = sample(f, l)
		}
		values[f.ID] = procedure.Answer{Text: text, Source: paper.User, Confidence: 1, Document: -1}
	}
	return values
}

func sample(f *procedure.Field, l length) string {
	most := f.MaxLength
	if most == 0 {
		most = procedure.MaxLength
	}
	switch f.Type {
	case procedure.Date, procedure.PastDate:
		return "2005-03-15"
	case procedure.Person:
		return "079190012345"
	case procedure.Phone:
		return "0912345678"
	case procedure.Email:
		return f.ID + "@example.vn"
	case procedure.Integer:
		return fmt.Sprint(max(f.Max, f.Min))
	case procedure.Tick:
		return "yes"
	case procedure.Choice:
		return f.Choices[len(f.Choices)-1].Value
	}
	if len(f.Columns) > 0 {
		row := "Nguyễn Thị Ánh Tuyết; 15/03/2005; Nữ; 079190012345; con"
		if l == long {
			return strings.TrimSpace(strings.Repeat(row+"\n", 12))
		}
		return row
	}
	if l == long {
		words := "Nguyễn Thị Ửng Hồng " + strings.Repeat("W", 90) + " thôn Ngưỡng Thượng, xã Bằng Đường, "
		return string([]rune(strings.Repeat(words, most/len([]rune(words))+1))[:most])
	}
	return "Ngưỡng " + strings.ReplaceAll(f.ID, "_", " ")
}

// TestEveryForm renders each form empty, short and long as PDF and DOCX: nothing runs over, and both say the
// same words in the same order. With FORMS_OUT set to a folder, the files and pictures are kept there.
func TestEveryForm(t *testing.T) {
	for _, tool := range []string{"pdftotext", "pdftoppm"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is not installed", tool)
		}
	}
	for f, sheet := range forms(t) {
		t.Run(f.Code+"/"+string(f.length), func(t *testing.T) {
			t.Parallel()
			pdf, docx := files(t, sheet)
			keep(t, f.Code+"-"+string(f.length), pdf, docx)
			inside(t, pdf)
			inPDF, inDOCX := bare(pdfText(t, pdf, "-raw")), bare(docxText(t, docx))
			if inPDF != inDOCX {
				t.Errorf("PDF and DOCX differ: %s", difference(inPDF, inDOCX))
			}
		})
	}
}

// files are a form's two.
func files(t testing.TB, sheet Sheet) (pdf, docx []byte) {
	t.Helper()
	pdf, err := sheet.PDF()
	if err != nil {
		t.Fatal(err)
	}
	if docx, err = sheet.DOCX(); err != nil {
		t.Fatal(err)
	}
	return pdf, docx
}

// TestLibreOfficeReadsTheDOCX lets LibreOffice turn each DOCX into a PDF and compares its words with ours. It
// takes minutes, so it runs only where it is asked for: make test-libreoffice.
func TestLibreOfficeReadsTheDOCX(t *testing.T) {
	if os.Getenv("LIBREOFFICE") == "" {
		t.Skip("set LIBREOFFICE=1 (make test-libreoffice)")
	}
	dir := t.TempDir()
	texts := map[string]string{}
	var names []string
	for f, sheet := range forms(t) {
		pdf, docx := files(t, sheet)
		name := filepath.Join(dir, f.Code+"-"+string(f.length)+".docx")
		if err := os.WriteFile(name, docx, 0o600); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
		texts[name] = bare(pdfText(t, pdf, "-raw"))
	}
	arguments := append([]string{"-env:UserInstallation=file://" + t.TempDir(), "--headless", "--convert-to", "pdf", "--outdir", dir},
		names...)
	if out, err := exec.CommandContext(t.Context(), "soffice", arguments...).CombinedOutput(); err != nil {
		t.Fatalf("soffice: %v\n%s", err, out)
	}
	for _, name := range names {
		pdf, err := os.ReadFile(strings.TrimSuffix(name, ".docx") + ".pdf")
		if err != nil {
			t.Error(err)
			continue
		}
		// Letters that its font lacks LibreOffice prints from another one, after the rest of the line: their order
		// in the file says nothing. TestEveryForm compares the order.
		if got, want := sorted(bare(pdfText(t, pdf, "-raw"))), sorted(texts[name]); got != want {
			t.Errorf("%s: LibreOffice and our PDF differ: %s", filepath.Base(name), difference(got, want))
		}
		if out := os.Getenv("FORMS_OUT"); out != "" {
			if err := os.WriteFile(filepath.Join(out, strings.TrimSuffix(filepath.Base(name), ".docx")+"-libreoffice.pdf"), pdf, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func sorted(text string) string {
	letters := []rune(text)
	slices.Sort(letters)
	return string(letters)
}

func keep(t *testing.T, name string, pdf, docx []byte) {
	dir := os.Getenv("FORMS_OUT")
	if dir == "" {
		return
	}
	base := filepath.Join(dir, name)
	for suffix, data := range map[string][]byte{".pdf": pdf, ".docx": docx} {
		if err := os.WriteFile(base+suffix, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := exec.CommandContext(t.Context(), "pdftoppm", "-r", "70", "-png", base+".pdf", base).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

func pdfText(t *testing.T, pdf []byte, mode string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "form.pdf")
	if err := os.WriteFile(name, pdf, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), "pdftotext", mode, "-enc", "UTF-8", name, "-").Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

var wordBox = regexp.MustCompile(`<word xMin="([0-9.]+)" yMin="([0-9.-]+)" xMax="([0-9.]+)" yMax="([0-9.]+)">([^<]*)</word>`)

// inside checks that every word lies within the margins, as a reader of the PDF that isn't ours sees it, and
// that no two words lie over each other.
func inside(t *testing.T, pdf []byte) {
	t.Helper()
	const point = 25.4 / 72
	for page, text := range strings.Split(pdfText(t, pdf, "-bbox"), "<page ") {
		type box struct {
			x0, y0, x1, y1 float64
			text           string
		}
		var boxes []box
		for _, m := range wordBox.FindAllStringSubmatch(text, -1) {
			var b box
			for i, v := range []*float64{&b.x0, &b.y0, &b.x1, &b.y1} {
				if _, err := fmt.Sscan(m[i+1], v); err != nil {
					t.Fatal(err)
				}
			}
			b.text = m[5]
			if b.x0*point < marginLeft-0.5 || b.x1*point > pageWidth-marginRight+0.5 || b.y1*point > pageHeight-marginBottom+3 {
				t.Errorf("page %d: %q runs out of the page: %.0f–%.0f mm", page, b.text, b.x0*point, b.x1*point)
			}
			boxes = append(boxes, b)
		}
		for i, a := range boxes {
			for _, b := range boxes[i+1:] {
				across := min(a.x1, b.x1) - max(a.x0, b.x0)
				down := min(a.y1, b.y1) - max(a.y0, b.y0)
				if across > 1.5 && down > 0.5*min(a.y1-a.y0, b.y1-b.y0) {
					t.Errorf("page %d: %q and %q lie over each other", page, a.text, b.text)
				}
			}
		}
	}
}

// Nobody signs a page on which nothing stands that is signed; notes are not torn apart, and no table from the line above it.
func TestWhatBelongsTogetherStandsOnOnePage(t *testing.T) {
	t.Parallel()
	for f, sheet := range forms(t) {
		data, err := sheet.PDF()
		if err != nil {
			t.Fatal(err)
		}
		pages := strings.Split(pdfText(t, data, "-raw"), "\f")
		words := func(runs []Run) string {
			text := ""
			for _, r := range runs {
				text += r.Text
			}
			return bare(text)
		}
		for i, b := range sheet.Blocks {
			line, ok := b.(Paragraph)
			if !ok || !line.Keep || i+1 == len(sheet.Blocks) {
				continue
			}
			next, ok := sheet.Blocks[i+1].(Paragraph)
			if table, is := sheet.Blocks[i+1].(Table); is {
				cells := table.Rows[0]
				next, ok = cells[len(cells)-1].Paragraphs[0], true
			}
			if !ok || slices.ContainsFunc(line.Runs, func(r Run) bool { return r.Gap || r.Filled && f.length == long }) {
				continue // where an answer breaks is not known here
			}
			if a, b := words(line.Runs), words(next.Runs); !slices.ContainsFunc(pages, func(page string) bool {
				_, after, found := strings.Cut(bare(page), a)
				return found && strings.Contains(after, b)
			}) {
				t.Errorf("%s, %s: block %d stands on another page than what belongs to it", f.Code, f.length, i)
			}
		}
		for n, page := range pages {
			if text := strings.TrimSpace(page); n > 0 && strings.HasPrefix(text, "Người yêu cầu\n(Ký") {
				t.Errorf("%s, %s: page %d begins with the place to sign", f.Code, f.length, n+1)
			}
			if strings.HasSuffix(strings.TrimSpace(page), "Chú thích:") || strings.HasPrefix(strings.TrimSpace(page), "(5)") {
				t.Errorf("%s, %s: the notes are torn apart at page %d", f.Code, f.length, n+1)
			}
		}
	}
}

// docxText is the text of word/document.xml in its order.
func docxText(t *testing.T, docx []byte) string {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(docx), int64(len(docx)))
	if err != nil {
		t.Fatal(err)
	}
	f, err := z.Open("word/document.xml")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var b strings.Builder
	d := xml.NewDecoder(f)
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return b.String()
		}
		if err != nil {
			t.Fatal(err)
		}
		if c, ok := token.(xml.CharData); ok {
			b.Write(c)
		}
	}
}

// bare drops blanks and dots: where lines break and how long leaders are differs by program.
func bare(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || r == '.' || r == '…' || r == '\f' {
			return -1
		}
		return r
	}, text)
}

func difference(a, b string) string {
	x, y := []rune(a), []rune(b)
	for i := range min(len(x), len(y)) {
		if x[i] != y[i] {
			return fmt.Sprintf("at %d: %q, %q", i, string(x[max(0, i-20):min(len(x), i+30)]), string(y[max(0, i-20):min(len(y), i+30)]))
		}
	}
	return fmt.Sprintf("%d and %d letters, one ends with %q", len(x), len(y), string(append(x, y...)[max(0, len(x)+len(y)-60):]))
}

// Every answer of a filled form stands on it, but those no line of the form asks for.
func TestAnswersStandOnTheForm(t *testing.T) {
	catalog, layouts := shipped(t)
	for _, p := range catalog.All {
		layout, ok := layouts.Of(p)
		if !ok {
			continue
		}
		named := map[string]bool{}
		for _, b := range layout.Body {
			for _, template := range b.templates() {
				for _, text := range append([]string{template}, values(p.Form.Texts)...) {
					for _, m := range place.FindAllStringSubmatch(text, -1) {
						named[m[1]] = true
						if m[3] == "identity" {
							for _, part := range []string{"_number", "_paper", "_issued", "_issuer"} {
								named[m[1]+part] = true
							}
						}
					}
				}
				if b.List != nil {
					named[b.List.Field] = true
				}
			}
		}
		for _, r := range p.Roles { // whoever stands for another person has that one's places
			for i := range p.Fields {
				id := p.Fields[i].ID
				if r.Same != nil && strings.HasPrefix(id, r.ID+"_") && named[id] {
					named[r.Same.Role+strings.TrimPrefix(id, r.ID)] = true
				}
			}
		}
		for i := range p.Fields {
			id := p.Fields[i].ID
			if named[id] || slices.Contains(offForm[p.Code], id) || strings.HasSuffix(id, "_phone") {
				continue
			}
			t.Errorf("%s: the form has no place for %s", p.Code, id)
		}
	}
}

// offForm lists what is asked for another reason than the form, and why.
var offForm = map[string][]string{
	"1.001193": {"married"},             // opens the line on the marriage
	"1.000894": {},                      //
	"1.004884": {"declared"},            // the declaration is printed, and signed
	"1.004222": {"applicant_residence"}, // CT01 has no line for it; the officer finds the person by it
	"1.004194": {"applicant_residence"}, //
	"1.002755": {"applicant_residence"}, //
	"1.003677": {"applicant_residence"}, //
}

func values(m map[string]string) []string {
	var all []string
	for _, v := range m {
		all = append(all, v)
	}
	return all
}

func TestFootnotesAreRules(t *testing.T) {
	catalog, layouts := shipped(t)
	p, err := catalog.Get("1.004873")
	if err != nil {
		t.Fatal(err)
	}
	layout, _ := layouts.Of(p)
	answers := filled(p, short)
	set := func(id, text string) { answers[id] = procedure.Answer{Text: text, Source: paper.User, Document: -1} }
	set("relation", "child")
	set("subject_ethnicity", "Mường")
	text := func() string {
		var b strings.Builder
		for _, block := range layout.Fill(p, answers, office, made).Blocks {
			if paragraph, ok := block.(Paragraph); ok {
				for _, r := range paragraph.Runs {
					b.WriteString(r.Text)
				}
				b.WriteByte('\n')
			}
		}
		return b.String()
	}
	if got := text(); strings.Contains(got, "Mường") || strings.Contains(got, "subject residence") {
		t.Error("sex, ethnicity, nationality and residence are off the form where the number is given")
	}
	set("subject_number", "")
	if got := text(); !strings.Contains(got, "Mường") || !strings.Contains(got, "subject residence") {
		t.Errorf("without a number they stand on it:\n%s", got)
	}
	set("relation", "self")
	got := text()
	if strings.Contains(got, "subject name") || strings.Count(got, "Ngưỡng applicant name") < 2 {
		t.Errorf("who asks for themselves is the subject, too:\n%s", got)
	}
	if !strings.Contains(got, "phường Bến Thành, Thành phố Hồ Chí Minh") {
		t.Error("the form is addressed to the office")
	}
}

func TestNothingIsInvented(t *testing.T) {
	catalog, layouts := shipped(t)
	for _, p := range catalog.All {
		layout, ok := layouts.Of(p)
		if !ok {
			continue
		}
		for _, block := range layout.Fill(p, map[string]procedure.Answer{}, "", made).Blocks {
			if paragraph, ok := block.(Paragraph); ok {
				for _, r := range paragraph.Runs {
					if r.Filled && r.Text != "" && r.Text != Ticked && r.Text != Unticked && !slices.Contains([]string{"29", "11", "2026"}, r.Text) {
						t.Errorf("%s: an empty form says %q", p.Code, r.Text)
					}
				}
			}
		}
	}
}

func BenchmarkPDF(b *testing.B) {
	catalog, err := procedure.Load(folder)
	if err != nil {
		b.Fatal(err)
	}
	layouts, err := Load(catalog, folder)
	if err != nil {
		b.Fatal(err)
	}
	p, _ := catalog.Get("1.001193")
	layout, _ := layouts.Of(p)
	sheet := layout.Fill(p, filled(p, short), office, made)
	for b.Loop() {
		if _, err := sheet.PDF(); err != nil {
			b.Fatal(err)
		}
	}
}

func TestDateInWords(t *testing.T) {
	for iso, want := range map[string]string{
		"2005-03-15": "Ngày mười lăm, tháng ba, năm hai nghìn không trăm linh năm",
		"2000-04-01": "Ngày mùng một, tháng tư, năm hai nghìn",
		"1954-10-21": "Ngày hai mươi mốt, tháng mười, năm một nghìn chín trăm năm mươi tư",
		"2026-12-31": "Ngày ba mươi mốt, tháng mười hai, năm hai nghìn không trăm hai mươi sáu",
		"2010-11-11": "Ngày mười một, tháng mười một, năm hai nghìn không trăm mười",
		"1985-01-10": "Ngày mùng mười, tháng một, năm một nghìn chín trăm tám mươi lăm",
		"1950":       "", "": "", "31/12/2026": "",
	} {
		if got := dateInWords(iso); got != want {
			t.Errorf("%s: %q, want %q", iso, got, want)
		}
	}
}

func TestSameSheetSameBytes(t *testing.T) {
	catalog, layouts := shipped(t)
	p, _ := catalog.Get("1.001193")
	layout, _ := layouts.Of(p)
	var first [2][]byte
	for round := range 2 {
		sheet := layout.Fill(p, filled(p, short), office, made)
		pdf, docx := files(t, sheet)
		if round == 1 && (!bytes.Equal(pdf, first[0]) || !bytes.Equal(docx, first[1])) {
			t.Error("a form that is made again has other bytes: a submission sent twice would differ")
		}
		first = [2][]byte{pdf, docx}
	}
}

func TestALetterTheFontLacksIsSeen(t *testing.T) {
	sheet := Sheet{Blocks: []any{Paragraph{Runs: []Run{{Text: "Trần 李 Ửng Đ"}}, Size: textSize}}}
	pdf, err := sheet.PDF()
	if err != nil {
		t.Fatal(err)
	}
	if got := pdfText(t, pdf, "-raw"); !strings.Contains(got, "Trần □ Ửng Đ") {
		t.Errorf("got %q", got)
	}
}

func TestLoadListsEveryMistake(t *testing.T) {
	files := fstest.MapFS{}
	for _, name := range []string{"1.004873.yaml", "form.tinh-trang-hon-nhan.yaml", "1.010041.yaml", "form.ct01.yaml"} {
		data, err := fs.ReadFile(folder, name)
		if err != nil {
			t.Fatal(err)
		}
		files[name] = &fstest.MapFile{Data: data}
	}
	change := func(name string, pairs ...string) {
		text := string(files[name].Data)
		for i := 0; i < len(pairs); i += 2 {
			if !strings.Contains(text, pairs[i]) {
				t.Fatalf("%s has no %q", name, pairs[i])
			}
			text = strings.Replace(text, pairs[i], pairs[i+1], 1)
		}
		files[name] = &fstest.MapFile{Data: []byte(text)}
	}
	change("form.tinh-trang-hon-nhan.yaml", "{applicant_name}", "{aplicant_name}", "{applicant_birth}", "{applicant_birth|word}",
		"looked_up: 2026-11-29", "looked_up: yesterday", "{relation}", "{relation", "align: center", "align: middle")
	change("form.ct01.yaml", "{text:request}", "{text:reqest}", "boxes: 12", "boxes: 99")
	catalog, err := procedure.Load(files)
	if err != nil {
		t.Fatal(err)
	}
	_, err = Load(catalog, files)
	var problems strict.Problems
	if !errors.As(err, &problems) {
		t.Fatalf("got %v", err)
	}
	for _, want := range []string{
		`there is no field "aplicant_name"; did you mean "applicant_name"?`,
		`there is no filter "word"; did you mean "words"?`,
		`must be a day such as 2026-11-29`,
		`braces or brackets do not close`,
		`must be center or right`,
		`there is no text "reqest" under form.texts`,
		`must be 1 to 20`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in\n%v", want, err)
		}
	}
	for _, p := range problems {
		if p.Line < 2 {
			t.Errorf("without a place: %v", p)
		}
	}
}
