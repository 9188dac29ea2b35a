package form

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"motcua/agent/procedure"
)

// Sheet is a filled form: paragraphs and tables in their order.
type Sheet struct {
	Title   string // of the file
	Subject string // code and name of the procedure, and the sources
	Made    time.Time
	Blocks  []any // Paragraph or Table
}

// String gives kind and size only: a form is full of personal data.
func (s Sheet) String() string { return fmt.Sprintf("sheet(%d blocks)", len(s.Blocks)) }

// GoString is String, for %#v.
func (s Sheet) GoString() string { return s.String() }

// Run is a piece of a paragraph in one style. A Gap is a missing answer: dots, to the end of the line where
// it is the last run.
type Run struct {
	Text         string
	Bold, Italic bool
	Filled       bool // an answer, not the form's own words
	Gap          bool
}

// Paragraph is lines that wrap.
type Paragraph struct {
	Runs   []Run
	Align  Align
	Size   float64 // points
	Before float64 // points of room above
	Keep   bool    // stands on one page with the block after it
}

// Table is rows of cells; widths are shares that sum to 1.
type Table struct {
	Widths []float64
	Rows   [][]Cell
	Before float64 // points of room above
}

// Cell is a cell of a table.
type Cell struct {
	Paragraphs []Paragraph
	Border     bool
}

// Sizes of print in points, as Decree 30/2020's annex sets official papers: 13 for the text.
const (
	textSize  = 13
	tableSize = 11.5
	titleSize = 14
	noteSize  = 9
	rowGap    = 2.5 // points above a line of the form
)

// Fill lays out a form with a procedure's answers. office is the unit the kiosk stands in ("Phường Bến
// Thành, Thành phố Hồ Chí Minh"); made is when it was filled.
func (l *Layout) Fill(p *procedure.Procedure, values map[string]procedure.Answer, office string, made time.Time) Sheet {
	a := answers{p: p, values: asked(p, values), office: inSentence(office), today: made.Format(time.DateOnly)}
	s := Sheet{Title: sentenceCase(l.Title), Made: made,
		Subject: fmt.Sprintf("%s %s. %s (tra cứu %s)", p.Code, p.Name.VI, strings.Join(l.Sources, "; "), shownDate(string(l.LookedUp)))}
	add := func(b any) { s.Blocks = append(s.Blocks, b) }
	if l.Number != "" {
		add(Paragraph{Runs: []Run{{Text: l.Number, Italic: true}}, Align: Right, Size: noteSize + 1})
	}
	add(Paragraph{Runs: []Run{{Text: "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", Bold: true}}, Align: Center, Size: textSize})
	add(Paragraph{Runs: []Run{{Text: "Độc lập - Tự do - Hạnh phúc", Bold: true}}, Align: Center, Size: textSize})
	add(Paragraph{Runs: []Run{{Text: l.Title, Bold: true}}, Align: Center, Size: titleSize, Before: 14})
	add(Paragraph{Size: 6})
	for _, b := range l.Body {
		add(a.block(b))
		s.keep(b)
	}
	if len(l.Notes) > 0 {
		add(Paragraph{Runs: []Run{{Text: "Chú thích:", Bold: true, Italic: true}}, Size: noteSize, Before: 12, Keep: true})
		for i, note := range l.Notes {
			add(Paragraph{Runs: []Run{{Text: note, Italic: true}}, Size: noteSize, Keep: i < len(l.Notes)-1})
		}
	}
	add(Paragraph{Runs: []Run{{Text: "Theo mẫu: " + strings.Join(l.Sources, "; ") + ". Tra cứu ngày " + shownDate(string(l.LookedUp)) + ".",
		Italic: true}},
		Size: noteSize - 1, Before: 8})
	return s
}

// signedWith is how many lines before the places to sign stay with them: at least the place and the day, so that nobody signs an
// empty page.
const signedWith = 2

// keep ties what stands last, a table or places to sign, to the lines that lead to it.
func (s *Sheet) keep(b Block) {
	lines := 0
	switch {
	case b.Signatures != nil:
		lines = signedWith
	case b.Table != nil, b.List != nil:
		lines = 1
	}
	for i := len(s.Blocks) - 2; i >= 0 && lines > 0; i, lines = i-1, lines-1 {
		p, ok := s.Blocks[i].(Paragraph)
		if !ok {
			return
		}
		p.Keep = true
		s.Blocks[i] = p
	}
}

// Attach adds lines under a heading at the end of the form, before its sources; no lines add nothing.
func (s *Sheet) Attach(heading string, lines []string) {
	if len(lines) == 0 {
		return
	}
	more := []any{Paragraph{Runs: []Run{{Text: heading, Bold: true}}, Size: noteSize + 1, Before: 10}}
	for _, line := range lines {
		more = append(more, Paragraph{Runs: []Run{{Text: "- " + line}}, Size: noteSize + 1})
	}
	s.Blocks = slices.Insert(s.Blocks, len(s.Blocks)-1, more...)
}

// asked leaves what the form asks for: answers the law makes needless stay off the paper.
func asked(p *procedure.Procedure, values map[string]procedure.Answer) map[string]procedure.Answer {
	complete := p.Complete(values)
	for i := range p.Fields {
		id := p.Fields[i].ID
		if role, ok := p.Role(p.Fields[i].Group); !p.Asked(id, values) && (!ok || role.Same == nil || needless(p, &p.Fields[i], complete)) {
			delete(complete, id)
		}
	}
	return complete
}

// needless tells whether a field is off the form for a reason other than that its person is another one.
func needless(p *procedure.Procedure, f *procedure.Field, complete map[string]procedure.Answer) bool {
	role, _ := p.Role(f.Group)
	for _, c := range f.When {
		if c.Field != role.Same.When.Field && !p.Holds(c, complete) {
			return true
		}
	}
	return false
}

func (a answers) block(b Block) any {
	switch {
	case b.Digits != nil:
		return a.digits(*b.Digits)
	case b.Table != nil:
		return a.table(*b.Table)
	case b.List != nil:
		return a.list(*b.List)
	case b.Signatures != nil:
		return a.signatures(*b.Signatures)
	}
	runs := a.runs(b.Line)
	for i := range runs {
		runs[i].Bold, runs[i].Italic = runs[i].Bold || b.Bold, runs[i].Italic || b.Italic
	}
	return Paragraph{Runs: runs, Align: b.Align, Size: textSize, Before: rowGap}
}

// digits is a label and a box for each digit of a number.
func (a answers) digits(d Digits) Table {
	const label = 0.46 // of the line
	t := Table{Widths: []float64{label}, Before: rowGap}
	row := []Cell{{Paragraphs: []Paragraph{{Runs: a.runs(d.Label), Size: textSize}}}}
	value := []rune(a.values[d.Field].Text)
	for i := range d.Boxes {
		t.Widths = append(t.Widths, (1-label)/float64(d.Boxes))
		digit := ""
		if i < len(value) {
			digit = string(value[i])
		}
		row = append(row, Cell{Border: true, Paragraphs: []Paragraph{{Runs: []Run{{Text: digit, Filled: true}}, Align: Center, Size: textSize}}})
	}
	t.Rows = [][]Cell{row}
	return t
}

func (a answers) table(c Columns) Table {
	t := Table{Widths: shares(c.Widths, len(c.Head)), Before: rowGap, Rows: [][]Cell{heading(c.Head)}}
	for _, row := range c.Rows {
		var cells []Cell
		for i, template := range row {
			runs := a.runs(template)
			for k := range runs {
				runs[k].Bold = i == 0
			}
			cells = append(cells, Cell{Border: true, Paragraphs: []Paragraph{{Runs: runs, Size: tableSize}}})
		}
		t.Rows = append(t.Rows, cells)
	}
	return t
}

func (a answers) list(l List) Table {
	t := Table{Widths: shares(l.Widths, len(l.Head)), Before: rowGap, Rows: [][]Cell{heading(l.Head)}}
	f, _ := a.p.Field(l.Field)
	var lines [][]string
	for line := range strings.Lines(a.values[l.Field].Text) {
		if row := f.Row(line); len(row) > 0 {
			lines = append(lines, row)
		}
	}
	for n := range max(l.Blank, len(lines)) {
		texts := make([]string, len(l.Head))
		if n < len(lines) {
			texts[0] = fmt.Sprint(n + 1)
			copy(texts[1:], lines[n])
		}
		var cells []Cell
		for _, text := range texts {
			cells = append(cells, Cell{Border: true, Paragraphs: []Paragraph{{Runs: []Run{{Text: text, Filled: true}}, Size: tableSize}}})
		}
		t.Rows = append(t.Rows, cells)
	}
	return t
}

func heading(texts []string) []Cell {
	var cells []Cell
	for _, text := range texts {
		cells = append(cells, Cell{Border: true, Paragraphs: []Paragraph{{Runs: []Run{{Text: text, Bold: true}}, Align: Center,
			Size: tableSize}}})
	}
	return cells
}

// signatureRoom is how many empty lines there are to sign on.
const signatureRoom = 4

func (a answers) signatures(s Signatures) Table {
	size := float64(textSize)
	if len(s.Places) > 2 {
		size = 9.5
	}
	t := Table{Widths: shares(nil, len(s.Places)), Before: 12}
	var row []Cell
	for _, place := range s.Places {
		c := Cell{Border: s.Boxed}
		line := func(template string, bold, italic bool) {
			if template == "" {
				return
			}
			runs := a.runs(template)
			for i := range runs {
				runs[i].Bold, runs[i].Italic = bold, italic
			}
			c.Paragraphs = append(c.Paragraphs, Paragraph{Runs: runs, Align: Center, Size: size})
		}
		line(place.Date, false, true)
		line(place.Title, true, false)
		line(place.Note, false, true)
		for range signatureRoom {
			c.Paragraphs = append(c.Paragraphs, Paragraph{Size: size})
		}
		line(place.Name, true, false)
		for _, more := range place.Lines {
			line(more, false, false)
		}
		row = append(row, c)
	}
	t.Rows = [][]Cell{row}
	// A single place stands in the right half, as on every form.
	if len(s.Places) == 1 {
		t.Widths, t.Rows[0] = []float64{0.5, 0.5}, []Cell{{}, row[0]}
	}
	return t
}

func shares(given []int, n int) []float64 {
	out := make([]float64, n)
	sum := 0
	for _, w := range given {
		sum += w
	}
	for i := range out {
		out[i] = 1 / float64(n)
		if sum > 0 {
			out[i] = float64(given[i]) / float64(sum)
		}
	}
	return out
}

// inSentence writes a unit's name as it stands in a sentence: "Phường Bến Thành" → "phường Bến Thành".
func inSentence(office string) string {
	r, n := utf8.DecodeRuneInString(office)
	if n == 0 {
		return ""
	}
	return string(unicode.ToLower(r)) + office[n:]
}

// sentenceCase writes a title in capitals as a name: "TỜ KHAI ĐĂNG KÝ" → "Tờ khai đăng ký".
func sentenceCase(title string) string {
	r, n := utf8.DecodeRuneInString(title)
	if n == 0 {
		return ""
	}
	return string(unicode.ToUpper(r)) + strings.ToLower(title[n:])
}
