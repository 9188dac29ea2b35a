package field

import (
	"image"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"motcua/ocr/paper"
	"motcua/ocr/vn"
)

// Value is what stands behind a label.
type Value struct {
	Text   string
	Box    image.Rectangle
	Rows   []image.Rectangle // its lines
	Again  bool              // its rows alone were read alike by the same reader
	Twice  bool              // and by another
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
	// Persons is how many cards' labels stand there: more than one where no card's edge could be seen and several
	// lie on the page, of whom nothing says which value is whose.
	Persons int
}

// titles tell the kind of paper and side. Longer ones come first where one contains another.
var titles = []struct {
	text string
	kind paper.Kind
	side string
}{
	{"CITIZENIDENTITYCARD", paper.CCCD, "front"},
	{"CANCUOCCONGDAN", paper.CCCD2016, "front"}, // and CCCD, if anything English stands on it
	{"IDENTITYCARD", paper.CanCuoc, "front"},
	{"GIAYCHUNGMINHNHANDAN", paper.CMND, "front"},
	{"CHUNGMINHNHANDAN", paper.CMND, "front"},
	{"HOCHIEUPASSPORT", paper.Passport, ""},
}

// stop is the name of labels whose value is not wanted: they only end the value before them.
const stop paper.Name = ""

// A passport may give the family name and the others under labels of their own.
const (
	surname paper.Name = "surname"
	given   paper.Name = "given names"
)

var cardLabels = []label{
	{paper.Number, "SODINHDANHCANHAN"}, {paper.Number, "PERSONALIDENTIFICATIONNUMBER"}, {paper.Number, "SOCANCUOC"}, {paper.Number, "SONO"},
	{paper.Number, "SO"},
	{paper.FullName, "HOVATEN"}, {paper.FullName, "FULLNAME"}, {paper.FullName, "HOCHUDEMVATENKHAISINH"}, {paper.FullName, "HOCHUDEMVATEN"}, {paper.FullName, "HOTEN"},
	{paper.FullName, "HOVATENKHAISINH"},
	{surname, "HOSURNAME"}, {surname, "SURNAME"}, {given, "CHUDEMVATENGIVENNAMES"}, {given, "GIVENNAMES"},
	{stop, "HOVATENGOIKHAC"}, {stop, "HOTENGOIKHAC"},
	{paper.DateOfBirth, "NGAYSINH"}, {paper.DateOfBirth, "DATEOFBIRTH"}, {paper.DateOfBirth, "SINHNGAY"}, {paper.DateOfBirth, "NGAYTHANGNAMSINH"},
	{paper.Sex, "GIOITINH"}, {paper.Sex, "SEX"},
	{paper.Nationality, "QUOCTICH"}, {paper.Nationality, "NATIONALITY"},
	{paper.PlaceOfOrigin, "QUEQUAN"}, {paper.PlaceOfOrigin, "PLACEOFORIGIN"}, {paper.PlaceOfOrigin, "NGUYENQUAN"},
	{paper.PlaceOfBirth, "NOIDANGKYKHAISINH"}, {paper.PlaceOfBirth, "PLACEOFBIRTH"}, {paper.PlaceOfBirth, "PLACEOFBIRTHREGISTRATION"}, {paper.PlaceOfBirth, "NOISINH"},
	{paper.PlaceOfResidence, "NOITHUONGTRU"}, {paper.PlaceOfResidence, "PLACEOFRESIDENCE"}, {paper.PlaceOfResidence, "NOICUTRU"},
	{paper.PlaceOfResidence, "NOIDKHKTHUONGTRU"}, {paper.PlaceOfResidence, "NOIDANGKYHOKHAUTHUONGTRU"}, {paper.PlaceOfResidence, "NOIDKNKTHUONGTRU"}, {paper.PlaceOfResidence, "NOIDKTHUONGTRU"},
	{paper.DateOfExpiry, "COGIATRIDEN"}, {paper.DateOfExpiry, "DATEOFEXPIRY"}, {paper.DateOfExpiry, "NGAYTHANGNAMHETHAN"},
	{paper.DateOfIssue, "NGAYTHANGNAMCAP"}, {paper.DateOfIssue, "DATEOFISSUE"}, {paper.DateOfIssue, "NGAYTHANGNAM"}, {paper.DateOfIssue, "DATEMONTHYEAR"}, {paper.DateOfIssue, "NGAYCAP"},
	{paper.Ethnicity, "DANTOC"}, {paper.Religion, "TONGIAO"},
	{stop, "DACDIEMNHANDANG"}, {stop, "PERSONALIDENTIFICATION"}, {stop, "DAUVETRIENGVADIHINH"}, {stop, "DAUVETRIENG"}, {stop, "DIHINH"},
	{stop, "NGONTROTRAI"}, {stop, "NGONTROPHAI"}, {stop, "LEFTINDEXFINGER"}, {stop, "RIGHTINDEXFINGER"},
	{stop, "CUCTRUONG"}, {stop, "GIAMDOC"}, {stop, "CUCCANHSAT"}, {stop, "DKQLCUTRUVADLQGVEDANCU"}, {stop, "CUCCANHSATQUANLYHANHCHINHVETRATTUXAHOI"}, {stop, "BOCONGAN"}, {stop, "MINISTRYOFPUBLICSECURITY"},
	{stop, "CONGHOAXAHOICHUNGHIAVIETNAM"}, {stop, "DOCLAPTUDOHANHPHUC"}, {stop, "SOCIALISTREPUBLICOFVIETNAM"}, {stop, "INDEPENDENCEFREEDOMHAPPINESS"},
	{stop, "CANCUOCCONGDAN"}, {stop, "CITIZENIDENTITYCARD"}, {stop, "IDENTITYCARD"}, {stop, "CANCUOC"}, {stop, "GIAYCHUNGMINHNHANDAN"}, {stop, "CHUNGMINHNHANDAN"},
	{paper.DocumentNumber, "SOHOCHIEUPASSPORTNO"}, {paper.DocumentNumber, "SOHOCHIEUPASSPORT"}, {paper.DocumentNumber, "SOHOCHIEU"}, {paper.DocumentNumber, "PASSPORTNO"}, {paper.DocumentNumber, "HOCHIEUSO"}, {paper.Number, "SOGCMND"}, {paper.Number, "IDCARDNO"}, {paper.Number, "SODDCNCMND"}, {paper.Number, "PERSONALNO"},
	{stop, "NOICAP"}, {stop, "PLACEOFISSUE"}, {stop, "HOCHIEUPASSPORT"}, {stop, "LOAITYPE"}, {stop, "MASOCODE"},
	{stop, "MAUSPECIMEN"}, {stop, "SPECIMEN"},
}

// Card reads one side of an identity card.
func Card(runs []Run) Side {
	s := Side{Values: map[paper.Name]Value{}}
	english := 0
	best := 0
	for _, r := range runs {
		letters, _, _ := plain(texts(r))
		for _, t := range titles {
			from, to, errors := search(letters, t.text, allowed(len(t.text)))
			if to <= from || errors > allowed(len(t.text)) {
				continue
			}
			s.Labels++
			if len(t.text)-3*errors > best {
				best, s.Kind, s.Side = len(t.text)-3*errors, t.kind, t.side
			}
			break
		}
		if _, _, e := search(letters, "CANCUOC", 0); s.Kind == "" && e == 0 && len(letters) < 10 {
			s.Kind, s.Side = paper.CanCuoc, "front"
		}
		for _, t := range []string{"FULLNAME", "DATEOFBIRTH", "PLACEOF", "NATIONALITY", "DATEOFEXPIRY", "CITIZENIDENTITY", "PERSONALIDENTIFICATION", "DATEMONTHYEAR"} {
			if _, _, e := search(letters, t, 1); e <= 1 {
				english++
			}
		}
	}
	places := find(runs, cardLabels)
	heads := map[paper.Name][]group{}
	groups := gather(places)
	names := map[paper.Name]bool{}
	for _, g := range groups {
		s.Labels++
		heads[g.name] = append(heads[g.name], g)
		if g.name != stop {
			names[g.name] = true
		}
	}
	switch {
	case s.Kind == paper.CCCD2016 && english >= 1:
		s.Kind = paper.CCCD
	case s.Kind == paper.CanCuoc && s.Side == "front" && (names[paper.PlaceOfOrigin] || names[paper.PlaceOfResidence] || names[paper.DateOfExpiry]):
		s.Kind = paper.CCCD // half of "CĂN CƯỚC CÔNG DÂN": the newer card says these on its back
	case s.Kind == "" && (names[paper.FullName] || names[paper.DateOfBirth]):
		s.Side = "front"
	case s.Kind == "" && (stops(places, "DACDIEMNHANDANG", "PERSONALIDENTIFICATION", "NGONTROTRAI", "NGONTROPHAI", "LEFTINDEXFINGER", "RIGHTINDEXFINGER", "DAUVETRIENG") || names[paper.DateOfIssue]):
		s.Side = "back"
	case s.Kind == "" && (names[paper.PlaceOfResidence] || names[paper.PlaceOfBirth]):
		s.Side = "back"
	}
	if s.Kind == "" && s.Side == "front" && english == 0 && names[paper.Nationality] && names[paper.PlaceOfOrigin] && names[paper.DateOfExpiry] {
		s.Kind = paper.CCCD2016 // the chip card says all this in English, too, and the one before it had no nationality
	}
	if s.Kind == "" && s.Side == "front" && stops(places, "HOCHUDEMVATENKHAISINH", "HOVATENKHAISINH", "PERSONALIDENTIFICATIONNUMBER") {
		s.Kind = paper.CanCuoc
	}
	if s.Side == "back" && s.Kind == "" && (names[paper.PlaceOfBirth] || names[paper.PlaceOfResidence] && names[paper.DateOfExpiry]) {
		s.Kind = paper.CanCuoc // no other card has these on its back
	}
	if s.Kind == "" && s.Side == "back" && english > 0 && stops(places, "DACDIEMNHANDANG") {
		s.Kind = paper.CCCD // the only card that says this in English, too
	}
	if s.Kind == "" && s.Side == "back" && (names[paper.Ethnicity] || names[paper.Religion] || stops(places, "DAUVETRIENGVADIHINH", "DAUVETRIENG")) {
		s.Kind = paper.CMND // no later card says these in print
	}
	s.Persons = 1
	for _, n := range []paper.Name{paper.FullName, paper.DateOfBirth, paper.Sex} {
		s.Persons = max(s.Persons, apart(runs, heads[n]))
	}
	labelled := map[int]bool{}
	for _, p := range places {
		labelled[p.run] = true
	}
	for _, g := range groups {
		if g.name == stop {
			continue
		}
		v, ok := value(runs, g, groups, labelled)
		if !ok {
			continue
		}
		if old, twice := s.Values[g.name]; twice && (old.Conf >= v.Conf || g.weak) {
			continue
		}
		s.Values[g.name] = v
	}
	s.joinNames()
	if _, ok := s.Values[paper.DateOfIssue]; !ok && s.Side != "front" && s.Kind != paper.Passport {
		for _, r := range runs { // "Ngày 06 tháng 09 năm 2012" under no label
			if v, ok := spelledDay(r); ok {
				s.Values[paper.DateOfIssue] = v
				if s.Side == "" {
					s.Side = "back"
				}
				if s.Kind == "" && english == 0 && stops(places, "DACDIEMNHANDANG") {
					s.Kind = paper.CCCD2016 // later cards have the day in figures
				}
				break
			}
		}
	}
	if _, ok := s.Values[paper.Number]; !ok {
		if v, ok := loneNumber(runs, s.Kind == paper.CMND); ok {
			s.Values[paper.Number] = v
		}
	}
	unlabelled(&s, runs, labelled)
	tidy(s.Values)
	return s
}

// joinNames makes one name of a family name and the others, printed apart.
func (s *Side) joinNames() {
	a, okA := s.Values[surname]
	b, okB := s.Values[given]
	delete(s.Values, surname)
	delete(s.Values, given)
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
		v = Value{Text: a.Text + " " + b.Text, Box: a.Box.Union(b.Box), Rows: append(slices.Clone(a.Rows), b.Rows...), Conf: min(a.Conf, b.Conf), Low: min(a.Low, b.Low)}
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
	return slices.ContainsFunc(places, func(p place) bool { return slices.Contains(texts, p.label.text) })
}

// group is one field's label: its Vietnamese and its English name where they stand side by side.
type group struct {
	name     paper.Name
	run      int
	from, to int
	inside   int
	weak     bool // a short label that stands for many things
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
		if len(p.label.text) < 4 && p.from > 0 {
			continue // "Số 13" within an address is no label
		}
		if n := len(out); n > 0 {
			if g := &out[n-1]; g.run == p.run && g.name == p.label.name && p.from-g.to <= 2 {
				g.to, g.inside = max(g.to, p.to), p.inside
				g.weak = g.weak && len(p.label.text) < 4
				continue
			}
		}
		out = append(out, group{p.label.name, p.run, p.from, p.to, p.inside, len(p.label.text) < 4})
	}
	return out
}

// value takes what stands behind a label: on its line, then, where the field may have more lines or the line is
// empty, below it.
func value(runs []Run, g group, groups []group, labelled map[int]bool) (Value, bool) {
	return valueBy(reader(g.name), runs, g, groups, labelled)
}

func valueBy(f func([]piece) (Value, bool), runs []Run, g group, groups []group, labelled map[int]bool) (Value, bool) {
	run := runs[g.run]
	end := len(run.Words)
	for _, o := range groups {
		if o.run == g.run && o.from >= g.to && o.from < end {
			end = o.from
		}
	}
	var got []piece
	if g.inside > 0 {
		w := run.Words[g.to-1]
		rest := string([]rune(w.Text)[g.inside:])
		box := w.Box
		box.Min.X += box.Dx() * g.inside / max(1, len([]rune(w.Text)))
		got = append(got, piece{rest, box, w.Conf, w.Low, 0})
	}
	for _, w := range run.Words[g.to:end] {
		got = append(got, piece{w.Text, w.Box, w.Conf, w.Low, 0})
	}
	labelBox := run.Words[g.from].Box
	for _, w := range run.Words[g.from:g.to] {
		labelBox = labelBox.Union(w.Box)
	}
	h := max(labelBox.Dy(), 8)
	if end == len(run.Words) { // the line may go on after a gap
		for i, r := range runs {
			if i != g.run && !labelled[i] && r.Box.Min.X >= run.Box.Max.X && r.Box.Min.X < run.Box.Max.X+8*h && overlapY(r.Box, labelBox)*2 >= min(r.Box.Dy(), labelBox.Dy()) {
				for _, w := range r.Words {
					got = append(got, piece{w.Text, w.Box, w.Conf, w.Low, 0})
				}
				break
			}
		}
	}
	if f == nil {
		return Value{}, false
	}
	// Below: lines that begin near the label's column or under the value, until the next label.
	below := func(from image.Rectangle, line int) (image.Rectangle, []piece, bool) {
		best := -1
		for i, r := range runs {
			r = r.from(labelBox.Min.X - h)
			if i == g.run || r.Box.Min.Y+r.Box.Max.Y <= from.Min.Y+from.Max.Y+h {
				continue
			}
			if r.Box.Min.Y > from.Max.Y+h*7/4 || r.Box.Max.X < labelBox.Min.X || r.Box.Min.X > labelBox.Max.X+10*h || r.Box.Min.X < labelBox.Min.X-3*h {
				continue
			}
			if overlapY(r.Box, from)*2 > min(r.Box.Dy(), from.Dy()) {
				continue
			}
			if best < 0 || r.Box.Min.Y < runs[best].Box.Min.Y-h/2 || r.Box.Min.Y < runs[best].Box.Min.Y+h/2 && r.Box.Min.X < runs[best].Box.Min.X {
				best = i
			}
		}
		if best < 0 || labelled[best] || numbered(runs[best]) || numeral(runs, best, labelled) {
			return from, nil, false
		}
		var out []piece
		r := runs[best].from(labelBox.Min.X - h)
		for _, w := range r.Words {
			out = append(out, piece{w.Text, w.Box, w.Conf, w.Low, line})
		}
		return r.Box, out, true
	}
	v, ok := f(got)
	if ok && !multiline(g.name) {
		return v, true
	}
	at := run.Box
	if len(got) == 0 {
		at = labelBox
	}
	for line := 1; line <= 3; line++ {
		box, more, found := below(at, line)
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
		if ok && !multiline(g.name) {
			break
		}
	}
	if ok {
		// A row below the label that begins far to its right has lost its first words.
		for _, r := range v.Rows {
			if r.Min.Y > labelBox.Max.Y-h/3 && r.Min.X > labelBox.Min.X+h*3/2 {
				v.Doubts = append(v.Doubts, paper.Incomplete)
				break
			}
		}
		return v, true
	}
	// A date beside two stacked labels stands on neither's line.
	if isDate(g.name) {
		near := -1
		for i, r := range runs {
			if labelled[i] || r.Box.Min.X < labelBox.Max.X-h || r.Box.Min.X > labelBox.Max.X+6*h || r.Box.Max.Y < labelBox.Min.Y-h || r.Box.Min.Y > labelBox.Max.Y+h {
				continue
			}
			if w, fits := f(pieces(r)); fits && (near < 0 || abs(r.Box.Min.Y-labelBox.Min.Y) < abs(runs[near].Box.Min.Y-labelBox.Min.Y)) {
				near, v, ok = i, w, true
			}
		}
	}
	return v, ok
}

func abs(n int) int { return max(n, -n) }

func pieces(r Run) []piece {
	var out []piece
	for _, w := range r.Words {
		out = append(out, piece{w.Text, w.Box, w.Conf, w.Low, 0})
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

func multiline(n paper.Name) bool {
	return n == paper.PlaceOfOrigin || n == paper.PlaceOfResidence || n == paper.PlaceOfBirth
}

func isDate(n paper.Name) bool {
	return n == paper.DateOfBirth || n == paper.DateOfExpiry || n == paper.DateOfIssue
}

// reader is how a field's value is taken from words.
func reader(n paper.Name) func([]piece) (Value, bool) {
	switch n {
	case paper.Number:
		return number
	case paper.FullName, paper.FatherName, paper.MotherName, surname, given:
		return func(p []piece) (Value, bool) { return personName(p, false) }
	case paper.DocumentNumber:
		return passportNumber
	case paper.RegisterNumber:
		return register
	case paper.DateOfBirth:
		return birthday
	case paper.DateOfIssue:
		return func(p []piece) (Value, bool) { return day(p, false) }
	case paper.DateOfExpiry:
		return func(p []piece) (Value, bool) { return day(p, true) }
	case paper.Sex:
		return sex
	case paper.Nationality:
		return nationality
	case paper.PlaceOfOrigin, paper.PlaceOfResidence, paper.PlaceOfBirth:
		return somewhere
	case paper.Ethnicity, paper.Religion:
		return words
	}
	return nil
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
				for _, r := range w.text {
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

// personName takes the capitals of a name; on a form also words that only begin with one.
func personName(p []piece, titled bool) (Value, bool) {
	var out []string
	var used []piece
	for _, w := range p {
		t := strings.TrimFunc(w.text, func(r rune) bool { return !unicode.IsLetter(r) })
		if t == "" {
			continue
		}
		upper, lower := 0, 0
		for _, r := range t {
			switch {
			case unicode.IsUpper(r):
				upper++
			case unicode.IsLower(r):
				lower++
			case r == '\'' || r == '’' || r == '-' || r == '.':
			default:
				lower += 10
			}
		}
		head := []rune(t)[0]
		if lower > upper && !(titled && unicode.IsUpper(head) && upper == 1 && lower < 10) || len([]rune(t)) > 12 {
			if len(out) > 0 {
				break // the name has ended
			}
			continue
		}
		if plain := vn.Plain(t); len(out) == 0 && (strings.HasPrefix("FULLNAME", plain) || strings.HasPrefix(plain, "FU") && len(plain) <= 4) {
			continue // what is left of the label
		}
		out = append(out, strings.ToUpper(t))
		used = append(used, w)
	}
	if len(out) == 0 || len(out) == 1 && len([]rune(out[0])) < 2 {
		return Value{}, false
	}
	v := whole(used)
	v.Text = vn.NFC(strings.Join(out, " "))
	if len(out) == 1 || torn(used) {
		v.Doubts = append(v.Doubts, paper.Incomplete)
	}
	return v, true
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
	var b strings.Builder
	var used []piece
	letters := 0
	for _, w := range p {
		t := strings.TrimFunc(w.text, func(r rune) bool {
			return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != ',' && r != '.' && r != '(' && r != ')' && r != '/' && r != '-'
		})
		if bare := strings.Trim(t, ":.,/-()"); bare == "" && (t != "-" || len(used) == 0) {
			continue
		}
		if bare := strings.TrimSuffix(t, "."); bare != t && len([]rune(bare)) > 2 {
			t = bare // dust: only TP., Q., P. and their like are printed with a full stop
		}
		if len(used) > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(t)
		for _, r := range t {
			if unicode.IsLetter(r) {
				letters++
			}
		}
		used = append(used, w)
	}
	if letters < 3 {
		return Value{}, false
	}
	v := whole(used)
	s := strings.NewReplacer(" ,", ",", " .", ".", ",,", ",").Replace(b.String())
	v.Text = vn.NFC(strings.Trim(s, " ,.:/-"))
	if torn(used) || cut || unparted.MatchString(v.Text) {
		v.Doubts = append(v.Doubts, paper.Incomplete)
	}
	return v, true
}

// unparted is a numbered unit with a name right behind it: a comma is small, and easily lost.
var unparted = regexp.MustCompile(`(?i:phường|quận|tổ|thôn|xóm|ấp|khu phố|đội) \d+ \p{Lu}`)

// withoutRim drops what the rim of a seal, a photo or the card makes at a row's ends: a sign or two, read badly among
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

// passportNumber is one or two letters and six to eight digits.
func passportNumber(p []piece) (Value, bool) {
	for _, w := range p {
		t := strings.Trim(w.text, " .:,/|")
		head, tail := 0, 0
		for _, r := range t {
			switch {
			case r >= 'A' && r <= 'Z' && tail == 0:
				head++
			case r >= '0' && r <= '9':
				tail++
			default:
				head = 9
			}
		}
		if head >= 1 && head <= 2 && tail >= 6 && tail <= 8 {
			v := whole([]piece{w})
			v.Text = t
			return v, true
		}
	}
	return Value{}, false
}

// numeral says whether a run is nothing but the number of an item whose text stands beside it.
func numeral(runs []Run, i int, labelled map[int]bool) bool {
	r := runs[i]
	head := strings.Trim(r.Words[0].Text, ".,:;")
	if len(r.Words) > 1 || head == "" || len(head) > 4 || strings.Trim(head, "0123456789IVXl|") != "" {
		return false
	}
	for j, o := range runs {
		if j != i && sameLine(o.Box, r.Box) && o.Box.Min.X >= r.Box.Max.X && o.Box.Min.X < r.Box.Max.X+4*r.Box.Dy() && (labelled[j] || len(o.Words) > 3) {
			return true
		}
	}
	return false
}

// numbered says whether a line begins a new item of a form: "2." or "II.".
func numbered(r Run) bool {
	head, found := strings.CutSuffix(r.Words[0].Text, ".")
	return found && len(r.Words) > 1 && len(head) <= 3 && head != "" && (strings.Trim(head, "0123456789") == "" || strings.Trim(head, "IVX") == "")
}
