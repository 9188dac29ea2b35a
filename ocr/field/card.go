package field

import (
	"image"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"motcua/ocr/fields"
	"motcua/ocr/kinds"
	"motcua/ocr/lines"
	"motcua/ocr/paper"
	"motcua/ocr/vn"
)

// Value is what stands behind a label.
type Value struct {
	Text   string
	Box    image.Rectangle
	Rows   []image.Rectangle // its lines
	Reread bool              // its rows alone were read alike by the same reader
	Second bool              // and by another
	Marks  paper.Marks       // how clearly the marks of its letters were told
	Fits   []string          // values of codes that the rows' pixels may as well be
	Conf   float64           // of the least sure word, the reader's own
	Low    float64           // of the least sure letter
	Doubts []paper.Doubt
	// Choices are other values that may be meant: what another reader saw, or the names of a list with the same letters.
	Choices []string
}

// Side is what one side of a card says.
type Side struct {
	Kind   paper.Kind // "" if nothing told it
	Side   string     // "front", "back" or ""
	Values map[paper.Name]Value
	Labels int // how many labels and titles were found
	Marks  int // how many marks that only one kind of card has
	// Weak is when all marks are such as other papers about a person bear, too; Motto, when they stand under the state's motto.
	Weak, Motto bool
	// Likely is which identity card it would be, if it is one, where its marks are too few to tell.
	Likely paper.Kind
	// Persons is how many cards' labels stand there: more than one where no card's edge could be seen and several
	// lie on the page, of whom nothing says which value is whose.
	Persons int
}

// stop is the name of labels whose value is not wanted: they only end the value before them.
const stop paper.Name = ""

// Card reads one side of a card or a passport's page: first it tells the kind, then it looks for that kind's labels. Where nothing
// tells it, Kind is empty and the labels of identity cards are looked for, of which the other side may tell the kind.
func Card(runs []Run) Side {
	lines := linesOf(runs)
	s := Side{Values: map[paper.Name]Value{}}
	kind, titles := s.tell(runs, lines)
	if kind == nil {
		return s
	}
	labels := labelsOf(runs, kind)
	s.Labels = titles + len(labels.groups)
	if kind == &kinds.Unknown || kind.Identity && kind.Shape == kinds.Card {
		told := s.Kind != ""
		s.identityCard(lines, labels.places, labels.groups)
		if s.Likely = s.Kind; !told && (s.Marks < enoughMarks || s.Weak) {
			s.Kind = ""
		}
	}
	s.Persons = persons(runs, labels.groups)
	s.takeLabelled(runs, kind, labels)
	s.joinNames()
	if !kind.Identity && slices.Contains(kind.Optional, paper.DateOfIssue) {
		s.daySpelled(runs)
	}
	if kind == &kinds.Unknown || kind.Identity {
		s.withoutLabels(runs, lines, labels.places, labels.runs)
	}
	tidy(s.Values)
	return s
}

// takeLabelled takes the values that stand by a kind's labels.
func (s *Side) takeLabelled(runs []Run, kind *kinds.Kind, labels labels) {
	var halves []group
	for _, g := range labels.groups {
		if g.name == stop {
			continue
		}
		if slices.ContainsFunc(labels.groups, func(o group) bool { return g.goesOn(o, runs) }) {
			halves = append(halves, g) // the value stands behind the other half
			continue
		}
		s.takeValue(runs, kind, labels, g)
	}
	for _, g := range halves {
		if _, ok := s.Values[g.name]; !ok {
			s.takeValue(runs, kind, labels, g)
		}
	}
}

// goesOn says whether a label's other language stands right behind it on its line, in a run of its own.
func (g group) goesOn(o group, runs []Run) bool {
	if g.name != o.name || g.of != o.of || g.run == o.run || g.to < len(runs[g.run].Words) || o.from > 0 {
		return false
	}
	a, b := labelBox(runs[g.run], g), labelBox(runs[o.run], o)
	return sameLine(a, b) && b.Min.X >= a.Max.X && b.Min.X < a.Max.X+2*a.Dy()
}

// takeValue takes the value that stands by one label.
func (s *Side) takeValue(runs []Run, kind *kinds.Kind, labels labels, g group) {
	read := reader(g.name)
	if !kind.Identity && fields.TypeOf(g.name) == fields.PersonName && kind != &kinds.Unknown {
		read = titledName // identity cards have names in capitals
	}
	v, ok := valueBy(read, runs, g, labels.groups, labels.runs)
	if !ok {
		return
	}
	if g.either {
		v.Doubts = append(v.Doubts, paper.Incomplete)
	}
	old, twice := s.Values[g.name]
	differ := twice && !kind.Identity && kind != &kinds.Unknown && old.Text != v.Text
	if twice && (old.Conf >= v.Conf || g.weak) {
		v = old
	}
	if differ { // one of the two labels is another field's
		v.Doubts = append(v.Doubts, paper.Disagreement)
	}
	s.Values[g.name] = v
}

// tell tells a card's kind by its title or its marks, and gives the row whose labels are to be looked for: kinds.Unknown where nothing
// tells it, nil of a paper that is none of ours.
func (s *Side) tell(runs []Run, lines []line) (kind *kinds.Kind, titles int) {
	s.Kind, s.Side, titles = titled(lines)
	best, marks := marked(lines)
	s.Marks = marks
	k, known := kinds.Of(s.Kind)
	switch {
	case s.Kind == paper.Other:
		s.Labels, s.Marks = titles, 0
		return nil, titles
	case known && s.Kind != "":
		return k, titles
	case best != nil && (!best.Identity || best.Shape == kinds.Booklet) && marks >= enoughMarks:
		s.Kind = best.ID
		return best, titles
	}
	if strange(lines) || headed(runs, lines) {
		s.Marks = 0
	}
	s.Weak = s.Marks > 0 && !strong(lines) && !half(lines)
	s.Motto = s.Weak && under(lines)
	return &kinds.Unknown, titles
}

// labels are those of a paper's fields where they stand.
type labels struct {
	places []place
	groups []group
	runs   map[int]bool // in which any stands
}

func labelsOf(runs []Run, kind *kinds.Kind) labels {
	l := labels{places: find(runs, kind.Labels), runs: map[int]bool{}}
	slices.SortStableFunc(l.places, func(a, b place) int { return a.run - b.run })
	behind(l.places)
	l.groups = gather(l.places)
	for _, g := range l.groups { // not every place: "Hương Sơ" and "Tổ 5, Số 3" are rows of an address
		l.runs[g.run] = true
	}
	return l
}

// behind gives labels that name another field behind another label that field. Where neither that label nor another of the field was read,
// nothing says which of the two they name.
func behind(places []place) {
	for i, p := range places {
		if p.label.Behind == "" {
			continue
		}
		if stops(places[:i], p.label.Behind) {
			places[i].label.Field = p.label.There
		} else if !stops(places, p.label.Behind) &&
			!slices.ContainsFunc(places, func(o place) bool { return o.label.Field == p.label.There }) {
			places[i].either = true
		}
	}
}

// persons is how many persons' cards have these labels.
func persons(runs []Run, groups []group) int {
	heads := map[paper.Name][]group{}
	for _, g := range groups {
		heads[g.name] = append(heads[g.name], g)
	}
	most := 1
	for _, n := range []paper.Name{paper.FullName, paper.DateOfBirth, paper.Sex} {
		most = max(most, apart(runs, heads[n]))
	}
	return most
}

// identityCard tells the side of an identity card, and which of the four it may be, by the labels it has.
func (s *Side) identityCard(lines []line, places []place, groups []group) {
	c := cardLabels{places: places, fields: map[paper.Name]bool{}, english: inEnglish(lines)}
	for _, g := range groups {
		c.fields[g.name] = true
	}
	switch {
	case s.Kind == paper.CCCD2016 && c.english:
		s.Kind = paper.CCCD
	case s.Kind == paper.CanCuoc && s.Side == "front" && c.any(paper.PlaceOfOrigin, paper.PlaceOfResidence, paper.DateOfExpiry) &&
		!c.says(canCuocLabels...):
		s.Kind = paper.CCCD // half of "CĂN CƯỚC CÔNG DÂN": the newer card says these on its back, which may be on the same sheet
	case s.Kind == "":
		s.Side = c.side(s.Side)
	}
	switch {
	case s.Kind != "":
	case s.Side == "front":
		s.Kind = c.front()
	case s.Side == "back":
		s.Kind = c.back()
	}
}

// cardLabels are the labels of a side of an identity card.
type cardLabels struct {
	places  []place
	fields  map[paper.Name]bool
	english bool // any stands there in English, too
}

func (c cardLabels) any(names ...paper.Name) bool {
	return slices.ContainsFunc(names, func(n paper.Name) bool { return c.fields[n] })
}

func (c cardLabels) all(names ...paper.Name) bool {
	return !slices.ContainsFunc(names, func(n paper.Name) bool { return !c.fields[n] })
}

// says says whether a label stands there in one of these forms.
func (c cardLabels) says(texts ...string) bool { return stops(c.places, texts...) }

// side tells front from back where no title does; it is told as it was if the labels don't say.
func (c cardLabels) side(told string) string {
	switch {
	case c.any(paper.FullName, paper.DateOfBirth):
		return "front"
	case c.says("DACDIEMNHANDANG", "PERSONALIDENTIFICATION", "NGONTROTRAI", "NGONTROPHAI", "LEFTINDEXFINGER", "RIGHTINDEXFINGER",
		"DAUVETRIENG"), c.any(paper.DateOfIssue, paper.PlaceOfResidence, paper.PlaceOfBirth):
		return "back"
	}
	return told
}

// canCuocLabels are printed on the card of 2024 and on no other.
var canCuocLabels = []string{"HOCHUDEMVATENKHAISINH", "PERSONALIDENTIFICATIONNUMBER"}

// front is the kind of card that has these labels on its front, "" where more than one may.
func (c cardLabels) front() paper.Kind {
	switch {
	case c.says("HOVATENKHAISINH"), c.says(canCuocLabels...):
		return paper.CanCuoc
	case !c.english && c.all(paper.Nationality, paper.PlaceOfOrigin, paper.DateOfExpiry):
		return paper.CCCD2016 // the chip card says all this in English, too, and the one before it had no nationality
	case c.says("NGUYENQUAN", "NOIDKHKTHUONGTRU", "NOIDKNKTHUONGTRU", "NOIDANGKYHOKHAUTHUONGTRU", "NOIDKTHUONGTRU"):
		return paper.CMND
	case c.english && c.says("HOCHUDEMVATEN", "NGAYTHANGNAMSINH"):
		return paper.CanCuoc // the chip card before it says "Ngày sinh" and "Họ và tên"
	case c.english:
		return paper.CCCD
	}
	return ""
}

// back is the kind of card that has these labels on its back, "" where more than one may.
func (c cardLabels) back() paper.Kind {
	switch {
	case c.any(paper.PlaceOfBirth), c.all(paper.PlaceOfResidence, paper.DateOfExpiry):
		return paper.CanCuoc // no other card has these on its back
	case c.english && c.says("DACDIEMNHANDANG"):
		return paper.CCCD // the only card that says this in English, too
	case c.any(paper.Ethnicity, paper.Religion), c.says("DAUVETRIENGVADIHINH", "DAUVETRIENG"):
		return paper.CMND // no later card says these in print
	}
	return ""
}

// inEnglish says whether a card's labels stand there in English, too: the barcode card's are Vietnamese alone, though a translation
// beside it says all of it in English.
func inEnglish(lines []line) bool {
	english, alone := false, 0
	for _, l := range lines {
		for _, t := range bilingual {
			vietnamese, other := l.near(t[0]), l.near(t[1])
			if vietnamese && other {
				return true
			}
			if vietnamese {
				alone++
			}
			english = english || other
		}
	}
	for _, l := range lines {
		english = english || slices.ContainsFunc([]string{"PLACEOF", "CITIZENIDENTITY", "PERSONALIDENTIFICATION", "DATEMONTHYEAR", "IDENTITYCARD",
			"SOCIALISTREPUBLIC"}, l.near)
	}
	return english && alone < fewestAlone
}

// fewestAlone is how many labels without English make a card Vietnamese, whatever is written in English beside it: of a worn card the
// English of one or two is lost.
const fewestAlone = 3

// bilingual are labels as they stand on one line of the cards since 2021.
var bilingual = [][2]string{
	{"HOVATEN", "FULLNAME"}, {"NGAYSINH", "DATEOFBIRTH"}, {"NGAYTHANGNAMSINH", "DATEOFBIRTH"},
	{"QUOCTICH", "NATIONALITY"}, {"QUEQUAN", "PLACEOFORIGIN"}, {"NOITHUONGTRU", "PLACEOFRESIDENCE"}, {"COGIATRIDEN", "DATEOFEXPIRY"},
}

// near says whether a text stands in the line with no more than one letter misread.
func (l line) near(text string) bool {
	_, _, errors := search(l.letters, text, 1)
	return errors <= 1
}

// withoutLabels looks for values of identity papers whose labels were not read.
func (s *Side) withoutLabels(runs []Run, lines []line, places []place, labelled map[int]bool) {
	if _, ok := s.Values[paper.DateOfIssue]; !ok && s.Side != "front" && s.Kind != paper.Passport {
		for _, r := range runs { // "Ngày 06 tháng 09 năm 2012" under no label
			if v, ok := spelledDay(r); ok {
				s.Values[paper.DateOfIssue] = v
				if s.Side == "" {
					s.Side = "back"
				}
				if s.Kind == "" && !inEnglish(lines) && stops(places, "DACDIEMNHANDANG") && s.Marks >= enoughMarks {
					s.Kind = paper.CCCD2016 // later cards have the day in figures
				}
				break
			}
		}
	}
	if _, ok := s.Values[paper.Number]; !ok && s.Side != "back" { // there twelve figures are part of an MRZ that was not read
		if v, ok := loneNumber(runs, s.Kind == paper.CMND); ok {
			s.Values[paper.Number] = v
		}
	}
	unlabelled(s, runs, labelled)
}

// daySpelled takes the day of issue of a card that says it above the signature, under no label: "…, ngày/date 28
// tháng/month 10 năm/year 2015". Of several days none is taken. One in Vietnamese alone is doubted: who certifies a copy writes a day
// below it, and "Sinh ngày" may have lost its first word.
func (s *Side) daySpelled(runs []Run) {
	if _, ok := s.Values[paper.DateOfIssue]; ok {
		return
	}
	var found []Value
	for _, r := range runs {
		if v, ok := spelledDay(r); ok && !s.within(v.Box) {
			letters, _, _ := plain(texts(r))
			if text := string(letters); !strings.Contains(text, "DATE") && !strings.Contains(text, "MONTH") && !strings.Contains(text, "YEAR") {
				v.Doubts = append(v.Doubts, paper.Incomplete)
			}
			found = append(found, v)
		}
	}
	if len(found) == 1 {
		s.Values[paper.DateOfIssue] = found[0]
	}
}

// within says whether a place is that of a value, or overlaps one's.
func (s *Side) within(box image.Rectangle) bool {
	for _, v := range s.Values {
		if v.Box.Overlaps(box) {
			return true
		}
	}
	return false
}

// joinNames makes one name of a family name and the others, printed apart.
func (s *Side) joinNames() {
	a, okA := s.Values[kinds.Surname]
	b, okB := s.Values[kinds.Given]
	delete(s.Values, kinds.Surname)
	delete(s.Values, kinds.Given)
	if !okA && !okB {
		return
	}
	v := b
	switch {
	case !okA: // the rest of a name says nothing of what is missing
		v.Doubts = append(v.Doubts, paper.Incomplete)
	case !okB:
		v = a
		v.Doubts = append(v.Doubts, paper.Incomplete)
	default:
		v = Value{Text: a.Text + " " + b.Text, Box: a.Box.Union(b.Box), Rows: append(slices.Clone(a.Rows), b.Rows...),
			Conf: min(a.Conf, b.Conf), Low: min(a.Low, b.Low)}
		for _, part := range []Value{a, b} {
			if strings.Contains(part.Text, " ") { // a part by itself may be one word
				v.Doubts = append(v.Doubts, part.Doubts...)
			}
		}
	}
	s.Values[paper.FullName] = v
}

// apart counts labels of one field that are not the two languages of one: those stand on one line or on the next.
func apart(runs []Run, groups []group) int {
	n := 0
	for i, g := range groups {
		a := runs[g.run].Box
		if i == 0 || !slices.ContainsFunc(groups[:i], func(o group) bool {
			b := runs[o.run].Box
			return abs(a.Min.Y-b.Min.Y) < 3*max(a.Dy(), b.Dy()) && a.Min.X < b.Max.X+8*b.Dy() && b.Min.X < a.Max.X+8*a.Dy()
		}) {
			n++
		}
	}
	return n
}

func texts(r Run) []string {
	out := make([]string, len(r.Words))
	for i, w := range r.Words {
		out[i] = w.Text
	}
	return out
}

func stops(places []place, texts ...string) bool {
	return slices.ContainsFunc(places, func(p place) bool { return slices.Contains(texts, p.label.Text) })
}

// group is one field's label: its Vietnamese and its English name where they stand side by side.
type group struct {
	name     paper.Name
	of       kinds.Person
	run      int
	from, to int
	inside   int
	weak     bool // a short label that stands for many things
	either   bool // it may as well name another field
}

func gather(places []place) []group {
	slices.SortFunc(places, func(a, b place) int {
		if a.run != b.run {
			return a.run - b.run
		}
		return a.from - b.from
	})
	var out []group
	for _, p := range places {
		if len(p.label.Text) < 4 && p.from > 0 {
			continue // "Số 13" within an address is no label
		}
		if n := len(out); n > 0 {
			if g := &out[n-1]; g.run == p.run && g.name == p.label.Field && g.of == p.label.Of && p.from-g.to <= 2 {
				g.to, g.inside = max(g.to, p.to), p.inside
				g.weak = g.weak && len(p.label.Text) < 4
				continue
			}
		}
		out = append(out, group{p.label.Field, p.label.Of, p.run, p.from, p.to, p.inside, len(p.label.Text) < 4, p.either})
	}
	return out
}

// valueBy takes what stands behind a label, as f reads it: on its line, then, where the field may have more lines or the line is empty,
// below it.
func valueBy(f func([]piece) (Value, bool), runs []Run, g group, groups []group, labelled map[int]bool) (Value, bool) {
	if f == nil {
		return Value{}, false
	}
	s := finder{runs: runs, labelled: labelled, at: g.run, label: labelBox(runs[g.run], g)}
	s.height = max(s.label.Dy(), leastLabelHeight)
	s.left = s.begin(g, groups)
	got := s.behind(g, groups)
	v, ok := f(got)
	if ok && !multiline(g.name) {
		return s.wholeDay(g, v), true
	}
	v, ok = s.below(f, got, v, ok, multiline(g.name))
	v = s.wholeDay(g, v)
	if ok {
		if t := fields.TypeOf(g.name); (t == fields.PersonName || t == fields.Place || t == fields.Text) && s.indented(v) {
			v.Doubts = append(v.Doubts, paper.Incomplete)
		}
		return v, true
	}
	if isDate(g.name) {
		return s.nearby(f)
	}
	return v, ok
}

// leastLabelConf is how sure a word before a label must be to be taken for the label's beginning: dark parts of a photo are no word.
const leastLabelConf = 0.5

// leastLabelHeight is the height in pixels that a label is taken to have at least: thinner ones are worn.
const leastLabelHeight = 8

// finder is a search for the value of one label among the runs.
type finder struct {
	runs     []Run
	labelled map[int]bool // runs in which labels stand
	at       int          // the label's run
	label    image.Rectangle
	height   int // of the label
	left     int // where the label begins in the first of its languages
}

func labelBox(r Run, g group) image.Rectangle {
	box := r.Words[g.from].Box
	for _, w := range r.Words[g.from:g.to] {
		box = box.Union(w.Box)
	}
	return box
}

// begin is where a label begins of which only the second language was read ("Nơi thường trúiPlace of residence"): with the words that stand
// close before it and are of no other label.
func (s finder) begin(g group, groups []group) int {
	words := s.runs[g.run].Words
	left := s.label.Min.X
	for i := g.from - 1; i >= 0; i-- {
		other := slices.ContainsFunc(groups, func(o group) bool { return o.run == g.run && o.from <= i && i < o.to })
		if w := words[i]; other || left-w.Box.Max.X > s.height || !strings.ContainsFunc(w.Text, unicode.IsLetter) || w.Conf < leastLabelConf {
			break
		}
		left = words[i].Box.Min.X
	}
	for _, o := range groups { // of a card cut out askew the two languages are two runs
		if o.name != g.name || o.run == g.run {
			continue
		}
		if box := labelBox(s.runs[o.run], o); abs(box.Min.Y+box.Max.Y-s.label.Min.Y-s.label.Max.Y) < 2*s.height && left-box.Max.X < 2*s.height {
			left = min(left, box.Min.X)
		}
	}
	return left
}

// behind are the words on the label's line, up to the next label, and beyond a gap where the line ends with them.
func (s finder) behind(g group, groups []group) []piece {
	run := s.runs[g.run]
	end := len(run.Words)
	for _, o := range groups {
		if o.run == g.run && o.from >= g.to && o.from < end {
			end = o.from
		}
	}
	var got []piece
	if g.inside > 0 { // the label's last word goes on with the value's first
		w := run.Words[g.to-1]
		letters := []rune(w.Text)
		box := w.Box
		box.Min.X += box.Dx() * g.inside / max(1, len(letters))
		got = append(got, piece{string(letters[g.inside:]), box, w.Conf, w.Low, 0})
	}
	got = append(got, piecesOf(run.Words[g.to:end], 0)...)
	if end < len(run.Words) {
		return got
	}
	for i, r := range s.runs {
		r = r.from(run.Box.Max.X + s.height/4) // the colon may have begun it
		if i != g.run && !s.labelled[i] && r.Box.Min.X >= run.Box.Max.X-s.height && r.Box.Min.X < run.Box.Max.X+8*s.height &&
			overlapY(r.Box, s.label)*2 >= min(r.Box.Dy(), s.label.Dy()) && r.Box.Max.X > run.Box.Max.X {
			return append(got, piecesOf(r.Words, 0)...)
		}
	}
	return got
}

// mostRows is how many rows below its label a value may have.
const mostRows = 3

// below reads on in the rows below: those that begin near the label's column or under the value, until the next label.
func (s finder) below(f func([]piece) (Value, bool), got []piece, v Value, ok, rows bool) (Value, bool) {
	at := s.runs[s.at].Box
	if len(got) == 0 {
		at = s.label
	}
	for row := 1; row <= mostRows; row++ {
		box, more, found := s.row(at, row)
		if !found {
			break
		}
		at = box
		if w, fits := f(append(slices.Clone(got), more...)); fits {
			v, ok = w, true
			got = append(got, more...)
		} else if !ok {
			if w, fits := f(more); fits {
				v, ok = w, true
				got = more
			}
		}
		if ok && !rows {
			break
		}
	}
	return v, ok
}

// row is the next row below a box, as the n-th of the value.
func (s finder) row(from image.Rectangle, n int) (image.Rectangle, []piece, bool) {
	best := -1
	for i, r := range s.runs {
		if r = r.from(s.left - s.height); i == s.at || !s.follows(r.Box, from) || specks(r) && r.Box.Min.X > s.left+s.height {
			continue
		}
		if best < 0 || r.Box.Min.Y < s.runs[best].Box.Min.Y-s.height/2 ||
			r.Box.Min.Y < s.runs[best].Box.Min.Y+s.height/2 && r.Box.Min.X < s.runs[best].Box.Min.X {
			best = i
		}
	}
	if best < 0 || s.labelled[best] || numbered(s.runs[best]) || numeral(s.runs, best, s.labelled) {
		return from, nil, false
	}
	r := s.runs[best].from(s.left - s.height)
	return r.Box, piecesOf(r.Words, n), true
}

// What specks make that were taken for a row: a word or two of a few letters, all badly read.
const (
	mostSpecks = 4 // letters
	specksConf = 0.5
)

// specks says whether a run is nothing but specks.
func specks(r Run) bool {
	letters := 0
	for _, w := range r.Words {
		if w.Conf >= specksConf {
			return false
		}
		letters += len([]rune(w.Text))
	}
	return letters <= mostSpecks
}

// follows says whether a row stands right below a box and in the label's column.
func (s finder) follows(row, from image.Rectangle) bool {
	switch {
	case row.Min.Y+row.Max.Y <= from.Min.Y+from.Max.Y+s.height, row.Min.Y > from.Max.Y+s.height*7/4:
		return false
	case row.Max.X < s.left, row.Min.X > s.label.Max.X+10*s.height, row.Min.X < s.left-3*s.height:
		return false
	}
	return overlapY(row, from)*2 <= min(row.Dy(), from.Dy())
}

// indented says whether a row of a value below the label begins far to its right: it has lost its first words.
func (s finder) indented(v Value) bool {
	return slices.ContainsFunc(v.Rows, func(r image.Rectangle) bool {
		return r.Min.Y > s.label.Max.Y-s.height/3 && r.Min.X > s.left+s.height*3/2
	})
}

// widestGap is how far behind its label a value begins at most, in heights of the label: farther away its first figures are lost.
const widestGap = 2

// wholeDay doubts a year of birth by itself where a day and a month had room before it: what is left of a day is no year alone.
func (s finder) wholeDay(g group, v Value) Value {
	if fields.TypeOf(g.name) != fields.Birthday || len(v.Text) != len("1950") || slices.Contains(v.Doubts, paper.Incomplete) {
		return v
	}
	beside := overlapY(v.Box, s.label)*2 > min(v.Box.Dy(), s.label.Dy())
	if beside && v.Box.Min.X > s.label.Max.X+widestGap*s.height || !beside && s.indented(v) {
		v.Doubts = append(v.Doubts, paper.Incomplete)
	}
	return v
}

// nearby finds a date beside two stacked labels, on neither's line.
func (s finder) nearby(f func([]piece) (Value, bool)) (v Value, ok bool) {
	near := -1
	for i, r := range s.runs {
		if s.labelled[i] || r.Box.Min.X < s.label.Max.X-s.height || r.Box.Min.X > s.label.Max.X+6*s.height ||
			r.Box.Max.Y < s.label.Min.Y-s.height || r.Box.Min.Y > s.label.Max.Y+s.height {
			continue
		}
		if w, fits := f(pieces(r)); fits && (near < 0 || abs(r.Box.Min.Y-s.label.Min.Y) < abs(s.runs[near].Box.Min.Y-s.label.Min.Y)) {
			near, v, ok = i, w, true
		}
	}
	return v, ok
}

func abs(n int) int { return max(n, -n) }

func pieces(r Run) []piece { return piecesOf(r.Words, 0) }

// piecesOf are words as pieces of a value's n-th row.
func piecesOf(words []lines.Word, n int) []piece {
	var out []piece
	for _, w := range words {
		out = append(out, piece{w.Text, w.Box, w.Conf, w.Low, n})
	}
	return out
}

func overlapY(a, b image.Rectangle) int { return min(a.Max.Y, b.Max.Y) - max(a.Min.Y, b.Min.Y) }

// piece is a word of a value; line counts from the label's.
type piece struct {
	text      string
	box       image.Rectangle
	conf, low float64
	line      int
}

func multiline(n paper.Name) bool { return fields.TypeOf(n) == fields.Place }

func isDate(n paper.Name) bool { return fields.TypeOf(n).IsDate() }

// reader is how a field's value is taken from words.
func reader(n paper.Name) func([]piece) (Value, bool) {
	switch n {
	case kinds.Surname, kinds.Given:
		return capitalName
	case kinds.Birth:
		return birthday
	case stop:
		return nil
	}
	switch fields.TypeOf(n) {
	case fields.Personal:
		return number
	case fields.PersonName:
		return capitalName
	case fields.Serial:
		return serial
	case fields.Register:
		return register
	case fields.Birthday:
		return birthday
	case fields.Day:
		return func(p []piece) (Value, bool) { return day(p, false) }
	case fields.Expiry:
		return func(p []piece) (Value, bool) { return day(p, true) }
	case fields.Sex:
		return sex
	case fields.Nation:
		return nationality
	case fields.Place:
		return somewhere
	case fields.Class:
		return class
	}
	return words
}

func whole(p []piece) Value {
	v := Value{Conf: 1, Low: 1}
	for i, w := range p {
		if i == 0 {
			v.Box = w.box
		}
		v.Box = v.Box.Union(w.box)
		if n := len(v.Rows); i > 0 && p[i-1].line == w.line {
			v.Rows[n-1] = v.Rows[n-1].Union(w.box)
		} else {
			v.Rows = append(v.Rows, w.box)
		}
		v.Conf, v.Low = min(v.Conf, w.conf), min(v.Low, w.low)
	}
	return v
}

// digit is the digit a sign in a number was read for; 0 if it is none.
func digit(r rune) byte {
	switch r {
	case 'O', 'o', 'Q', 'D', 'Ô', 'ơ', 'Ơ', 'ô':
		return '0'
	case 'I', 'l', 'i', '|', '!', 'ì', 'í':
		return '1'
	case 'Z', 'z':
		return '2'
	case 'S', 's':
		return '5'
	case 'B':
		return '8'
	}
	if r >= '0' && r <= '9' {
		return byte(r)
	}
	return 0
}

func number(p []piece) (Value, bool) {
	// Twelve or nine digits, perhaps read as several words. The cells of a comb make twelve.
	if v, ok := digits(p, 12, 12); ok {
		return v, true
	}
	return digits(p, 9, 3)
}

// noNo is what may be left of "No." right before a number.
var noNo = regexp.MustCompile(`^N[oO0º°ơ]?[.:,;]+`)

// digits finds so many digits in at most so many words.
func digits(p []piece, count, words int) (Value, bool) {
	for n := 1; n <= words; n++ {
		for i := 0; i+n <= len(p); i++ {
			if n > 3 && slices.ContainsFunc(p[i:i+n], func(w piece) bool { return len(w.text) > 8 }) {
				continue // of many words only those that a comb's cells make
			}
			var d []byte
			odd := 0
			for _, w := range p[i : i+n] {
				for _, r := range noNo.ReplaceAllString(w.text, "") {
					c := digit(r)
					switch {
					case c == 0 && (r == '.' || r == ',' || r == ':' || r == ' ' || r == '\'' || r == '-' || r == '_'):
					case c == 0:
						odd += 10
					case r > '9':
						odd++
						d = append(d, c)
					default:
						d = append(d, c)
					}
				}
			}
			if len(d) == count && odd <= 2 {
				v := whole(p[i : i+n])
				v.Text = string(d)
				if odd > 0 {
					v.Conf = min(v.Conf, 0.5)
				}
				return v, true
			}
		}
	}
	return Value{}, false
}

// loneNumber is a number whose label was not read. One of nine figures may be anything but on the card that has such.
func loneNumber(runs []Run, nine bool) (Value, bool) {
	for _, r := range runs {
		if v, ok := number(pieces(r)); ok && (len(v.Text) == 12 || nine) {
			return v, true
		}
	}
	return Value{}, false
}

// capitalName takes the capitals of a name.
func capitalName(p []piece) (Value, bool) { return personName(p, false) }

// titledName does so on a form, where words may also only begin with one.
func titledName(p []piece) (Value, bool) { return personName(p, true) }

// longestSyllable is how many letters a word of a name has at most.
const longestSyllable = 12

func personName(p []piece, titled bool) (Value, bool) {
	var out []string
	var used []piece
	misread := false
	for _, w := range p {
		t := strings.TrimFunc(w.text, func(r rune) bool { return !unicode.IsLetter(r) })
		if t == "" {
			continue
		}
		if !ofName(t, titled) {
			if len(out) > 0 {
				misread = restOfName(t)
				break // the name has ended
			}
			continue
		}
		if len(out) == 0 && restOfLabel(t) {
			continue
		}
		out = append(out, strings.ToUpper(t))
		used = append(used, w)
	}
	if len(out) == 0 || len(out) == 1 && len([]rune(out[0])) < 2 {
		return Value{}, false
	}
	v := whole(used)
	v.Text = vn.NFC(strings.Join(out, " "))
	if len(out) == 1 || misread || torn(used) {
		v.Doubts = append(v.Doubts, paper.Incomplete)
	}
	return v, true
}

// ofName says whether a word can be one of a name: in capitals, or titled, with a capital and small letters.
func ofName(t string, titled bool) bool {
	upper, lower := 0, 0
	strange := false
	for _, r := range t {
		switch {
		case unicode.IsUpper(r):
			upper++
		case unicode.IsLower(r):
			lower++
		case r == '\'' || r == '’' || r == '-' || r == '.':
		default:
			strange = true
		}
	}
	letters := []rune(t)
	switch {
	case strange, len(letters) > longestSyllable:
		return false
	case lower <= upper:
		return true
	}
	return titled && unicode.IsUpper(letters[0]) && upper == 1 && lower < 10
}

// restOfName says whether a word that none of a name can be is one all the same, with a sign in it that was misread: B1NH.
func restOfName(t string) bool {
	capitals, figures := 0, 0
	for _, r := range t {
		switch {
		case unicode.IsUpper(r):
			capitals++
		case unicode.IsDigit(r):
			figures++
		}
	}
	return capitals > figures && figures > 0
}

// restOfLabel says whether a word is what is left of "Full name".
func restOfLabel(t string) bool {
	p := vn.Plain(t)
	return strings.HasPrefix("FULLNAME", p) || strings.HasPrefix(p, "FU") && len(p) <= 4
}

// torn says whether two words stand so far apart on a line that one between them may be lost.
func torn(p []piece) bool {
	for i := 1; i < len(p); i++ {
		a, b := p[i-1].box, p[i].box
		if p[i-1].line == p[i].line && float64(b.Min.X-a.Max.X) > 1.2*float64(max(a.Dy(), b.Dy())) {
			return true
		}
	}
	return false
}

func sex(p []piece) (Value, bool) {
	for _, w := range p {
		t := strings.TrimFunc(w.text, func(r rune) bool { return !unicode.IsLetter(r) })
		letters, _, _ := plain([]string{t})
		switch string(letters) {
		case "NAM", "NAMM":
			v := whole([]piece{w})
			v.Text = "Nam"
			return v, true
		case "NU", "NUF", "NUU": // "NữỮ" is a wide gap read twice
			v := whole([]piece{w})
			v.Text = "Nữ"
			return v, true
		}
	}
	return Value{}, false
}

func nationality(p []piece) (Value, bool) {
	v, ok := words(p)
	if !ok {
		return v, false
	}
	letters, _, _ := plain([]string{v.Text})
	if from, to, e := search(letters, "VIETNAM", 1); e <= 1 && (len(letters) <= 9 || from > 0 && to == len(letters)) {
		v.Text = "Việt Nam"
		if e > 0 {
			v.Conf = min(v.Conf, 0.9)
		}
		return v, true
	}
	if _, _, e := search(letters, "VIETNAMVIETNAMESE", 2); e <= 2 { // a passport says it twice
		v.Text = "Việt Nam"
		return v, true
	}
	v.Doubts = append(v.Doubts, paper.Unknown)
	return v, len(letters) > 1
}

func words(p []piece) (Value, bool) {
	var out []string
	var used []piece
	for _, w := range p {
		t := strings.TrimFunc(w.text, func(r rune) bool { return !unicode.IsLetter(r) })
		if t != "" {
			out, used = append(out, t), append(used, w)
		}
	}
	if len(out) == 0 {
		return Value{}, false
	}
	v := whole(used)
	v.Text = vn.NFC(strings.Join(out, " "))
	return v, true
}

// somewhere is an address: words and numbers over several lines.
func somewhere(p []piece) (Value, bool) {
	p, cut := withoutRim(p)
	var out []string
	var used []piece
	letters := 0
	for _, w := range p {
		t, ok := addressWord(w.text)
		if !ok || t == "-" && len(used) == 0 {
			continue
		}
		for _, r := range t {
			if unicode.IsLetter(r) {
				letters++
			}
		}
		out, used = append(out, t), append(used, w)
	}
	if letters < fewestLetters {
		return Value{}, false
	}
	v := whole(used)
	s := strings.NewReplacer(" ,", ",", " .", ".", ",,", ",").Replace(strings.Join(out, " "))
	v.Text = vn.NFC(strings.Trim(s, " ,.:/-"))
	if torn(used) || cut || unparted.MatchString(v.Text) {
		v.Doubts = append(v.Doubts, paper.Incomplete)
	}
	return v, true
}

// fewestLetters is how many letters the name of a place has at least.
const fewestLetters = 3

// addressWord is a word of an address without the specks about it; false if nothing else is left.
func addressWord(t string) (string, bool) {
	t = strings.TrimFunc(t, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune(",.()/-", r)
	})
	if strings.Trim(t, ":.,/-()") == "" && t != "-" {
		return "", false
	}
	if bare := strings.TrimSuffix(t, "."); bare != t && len([]rune(bare)) > 2 {
		return bare, true // dust: only TP., Q., P. and their like are printed with a full stop
	}
	return t, true
}

// unparted is a numbered unit with a name right behind it: a comma is small, and easily lost.
var unparted = regexp.MustCompile(`(?i:phường|quận|tổ|thôn|xóm|ấp|khu phố|đội) \d+ \p{Lu}`)

// withoutRim drops what the rim of a stamp, a photo or the card makes at a row's ends: a sign or two, read badly among
// words that were read well. A value that lost one is to be looked at.
func withoutRim(p []piece) (kept []piece, cut bool) {
	junk := func(w piece, rest []piece) bool {
		letters := 0
		for _, r := range w.text {
			if unicode.IsDigit(r) {
				return false // of a house number every sign counts
			}
			if unicode.IsLetter(r) {
				letters++
			}
		}
		good := 0
		for _, o := range rest {
			if o.conf > 0.9 {
				good++
			}
		}
		return letters <= 2 && w.conf < 0.55 && good > 1
	}
	for len(p) > 0 {
		n := 1
		for n < len(p) && p[n].line == p[0].line {
			n++
		}
		row := p[:n]
		for len(row) > 1 && junk(row[0], row[1:]) {
			row, cut = row[1:], true
		}
		for len(row) > 1 && junk(row[len(row)-1], row[:len(row)-1]) {
			row, cut = row[:len(row)-1], true
		}
		kept = append(kept, row...)
		p = p[n:]
	}
	return kept, cut
}

// serial is the number of a paper: a passport's one or two letters and six to eight figures, or the nine to fifteen letters and figures of
// a licence, an insurance or a residence card, printed with stops perhaps.
func serial(p []piece) (Value, bool) {
	for i := range p {
		for n := 1; n <= 4 && i+n <= len(p); n++ {
			var b strings.Builder
			for _, w := range p[i : i+n] {
				b.WriteString(w.text)
			}
			t := strings.ReplaceAll(strings.Trim(b.String(), " .:,/|"), ".", "")
			head := strings.IndexFunc(t, unicode.IsDigit)
			if head < 0 || head > 2 || strings.Trim(t[:head], "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" || strings.Trim(t[head:], "0123456789") != "" {
				break
			}
			if figures := len(t) - head; head > 0 && figures >= 6 && figures <= 13 || head == 0 && figures >= 9 && figures <= 13 {
				v := whole(p[i : i+n])
				v.Text = t
				return v, true
			}
		}
	}
	return Value{}, false
}

// class is the class of a licence: a letter or two with a figure, several with commas perhaps.
func class(p []piece) (Value, bool) {
	for i, w := range p {
		t := strings.Trim(w.text, " .:,/|")
		if licenceClass.MatchString(t) {
			v := whole(p[i : i+1])
			v.Text = t
			return v, true
		}
	}
	return Value{}, false
}

// licenceClass are the classes to 2024 and since (Law 36/2024/QH15, article 57).
var licenceClass = regexp.MustCompile(`^(A[1-4]?|B[12]?|C1?|D[12]?|E|F[BCDE][12]?|[BCD]1?E|D2E)$`)

// numeral says whether a run is nothing but the number of an item whose text stands beside it.
func numeral(runs []Run, i int, labelled map[int]bool) bool {
	r := runs[i]
	head := strings.Trim(r.Words[0].Text, ".,:;")
	if len(r.Words) > 1 || head == "" || len(head) > 4 || strings.Trim(head, "0123456789IVXl|") != "" {
		return false
	}
	for j, o := range runs {
		if j != i && sameLine(o.Box, r.Box) && o.Box.Min.X >= r.Box.Max.X && o.Box.Min.X < r.Box.Max.X+4*r.Box.Dy() &&
			(labelled[j] || len(o.Words) > 3) {
			return true
		}
	}
	return false
}

// numbered says whether a line begins a new item of a form: "2." or "II.".
func numbered(r Run) bool {
	head, found := strings.CutSuffix(r.Words[0].Text, ".")
	return found && len(r.Words) > 1 && len(head) <= 3 && head != "" &&
		(strings.Trim(head, "0123456789") == "" || strings.Trim(head, "IVX") == "")
}
