package field

import (
	"regexp"
	"slices"
	"strings"

	"motcua/ocr/fields"
	"motcua/ocr/kinds"
	"motcua/ocr/paper"
)

// Sheet reads an A4 paper: a birth certificate, a residence confirmation, or any other, of which only the text is kept.
func Sheet(runs []Run) Side {
	s := Side{Kind: sheetKind(linesOf(runs)), Values: map[paper.Name]Value{}}
	kind, known := kinds.Of(s.Kind)
	if !known {
		return s
	}
	labels := labelsOf(runs, kind)
	for _, g := range ofPersons(labels, len(runs)) {
		// A value that cannot be read is not the next person's.
		s.Labels++
		read := reader(g.name)
		if fields.TypeOf(g.name) == fields.PersonName {
			read = titledName
		}
		if v, ok := valueBy(read, runs, g, labels.groups, labels.runs); ok {
			s.Values[g.name] = v
		}
	}
	if _, ok := s.Values[paper.RegisterNumber]; s.Kind == paper.KhaiSinh && !ok {
		s.loneRegister(runs, labels.places)
	}
	if _, ok := s.Values[paper.DateOfIssue]; s.Kind == paper.CT07 && !ok {
		s.dayAbove(runs)
	}
	tidy(s.Values)
	return s
}

// ofPersons are the first labels of every field, each of the person it belongs to; those of the bearer end where somebody else's begin.
func ofPersons(l labels, end int) []group {
	others := end // from this run on the paper is about somebody else
	for _, p := range l.places {
		if p.label.Of != kinds.Holder {
			others = min(others, p.run)
		}
	}
	var out []group
	seen := map[paper.Name]bool{}
	person := kinds.Holder
	for i := range l.groups {
		g := &l.groups[i]
		if g.of != kinds.Holder {
			person = g.of
		}
		own := *g
		if g.name == kinds.Birth {
			own.name, own.of = kinds.BirthOf[person], person
		}
		if own.name == "" || seen[own.name] || g.run >= others && own.of == kinds.Holder && own.name != paper.DateOfIssue {
			continue
		}
		seen[own.name] = true
		out = append(out, own)
	}
	return out
}

// loneRegister takes a birth certificate's number that has lost its "Số", which is short: above the first label nothing else is a number
// and a year.
func (s *Side) loneRegister(runs []Run, places []place) {
	first := slices.IndexFunc(places, func(p place) bool { return p.label.Field != stop })
	if first < 0 {
		return
	}
	for _, r := range runs[:places[first].run] {
		if v, ok := register(pieces(r)); ok && len(r.Words) == 1 && numberOfYear.MatchString(v.Text) {
			s.Values[paper.RegisterNumber] = v
		}
	}
}

// dayAbove takes the day of issue of "…, ngày 09 tháng 12 năm 2023" above the title.
func (s *Side) dayAbove(runs []Run) {
	for _, r := range runs {
		if v, ok := spelledDay(r); ok {
			s.Values[paper.DateOfIssue] = v
			return
		}
	}
}

var numberOfYear = regexp.MustCompile(`^[0-9]{1,5}/(19|20)[0-9]{2}$`)

// spelledDay is a date in words and figures anywhere in a run.
func spelledDay(r Run) (Value, bool) {
	d, m, y, full, ok := spelled(r.Text())
	if !ok {
		return Value{}, false
	}
	p := pieces(r)
	for i, w := range p {
		letters, _, _ := plain([]string{w.text})
		if string(letters) == "NGAY" || string(letters) == "NGAYDATE" {
			v := whole(p[i:])
			v.Text = isoDay(d, m, y)
			if !full {
				v.Doubts = append(v.Doubts, paper.Incomplete)
			}
			return v, true
		}
	}
	return Value{}, false
}

// Text is all that was read, line by line.
func Text(runs []Run) string {
	var b strings.Builder
	for i, r := range runs {
		if i > 0 {
			if sameLine(runs[i-1].Box, r.Box) {
				b.WriteString("  ")
			} else {
				b.WriteByte('\n')
			}
		}
		b.WriteString(r.Text())
	}
	return b.String()
}

// registered is a whole number in a register: with the year or the letters of its kind ("45/TLKS-BS") behind the stroke, or without one.
var registered = regexp.MustCompile(`^[0-9]{1,6}(/((19|20)[0-9]{2}|[A-ZĐ0-9-]*[A-ZĐ]{2}))?$`)

// register is a number in a register: figures, perhaps with a year or letters behind a stroke. A year that lacks a figure is doubted.
func register(p []piece) (Value, bool) {
	for i, w := range p {
		t := strings.Trim(w.text, " .:,;")
		if t != "" && strings.ContainsAny(t[:1], "0123456789") {
			used := p[i : i+1]
			v := whole(used)
			v.Text = t
			if !registered.MatchString(t) {
				v.Doubts = append(v.Doubts, paper.Incomplete)
			}
			return v, true
		}
	}
	return Value{}, false
}
