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
	places := find(runs, kind.Labels)
	groups := gather(places)
	labelled := map[int]bool{}
	for _, p := range places {
		labelled[p.run] = true
	}
	others := len(runs) // from this run on the paper is about somebody else
	for _, p := range places {
		if p.label.Of != kinds.Holder {
			others = min(others, p.run)
		}
	}
	seen := map[paper.Name]bool{}
	person := kinds.Holder
	for _, g := range groups {
		if g.of != kinds.Holder {
			person = g.of
		}
		if g.name == kinds.Birth {
			if g.name = kinds.BirthOf[person]; g.name == "" {
				continue
			}
			g.of = person
		}
		if g.name == stop || seen[g.name] || g.run >= others && g.of == kinds.Holder && g.name != paper.DateOfIssue {
			continue
		}
		// A value that cannot be read is not the next person's.
		seen[g.name] = true
		s.Labels++
		read := reader(g.name)
		if fields.TypeOf(g.name) == fields.PersonName {
			read = func(p []piece) (Value, bool) { return personName(p, true) }
		}
		if v, ok := valueBy(read, runs, g, groups, labelled); ok {
			s.Values[g.name] = v
		}
	}
	if _, ok := s.Values[paper.RegisterNumber]; s.Kind == paper.KhaiSinh && !ok {
		// "Số" is short, and often lost: above the first label nothing else is a number and a year.
		first := slices.IndexFunc(places, func(p place) bool { return p.label.Field != stop })
		for i, r := range runs {
			if first < 0 || i >= places[first].run {
				break
			}
			if v, ok := register(pieces(r)); ok && len(r.Words) == 1 && numberOfYear.MatchString(v.Text) {
				s.Values[paper.RegisterNumber] = v
			}
		}
	}
	if _, ok := s.Values[paper.DateOfIssue]; s.Kind == paper.CT07 && !ok {
		// "…, ngày 09 tháng 12 năm 2023" above the title.
		for _, r := range runs {
			if v, ok := spelledDay(r); ok {
				s.Values[paper.DateOfIssue] = v
				break
			}
		}
	}
	tidy(s.Values)
	return s
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
		if string(letters) == "NGAY" {
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
