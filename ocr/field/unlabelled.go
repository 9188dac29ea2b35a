package field

import (
	"slices"
	"strings"
	"time"

	"motcua/ocr/paper"
	"motcua/ocr/vn"
)

// unlabelled gives values whose label was not read to the only field they can belong to: an address that the
// gazetteer knows, a date that fits nothing else, a name, the nationality. What is found so is always flagged.
func unlabelled(s *Side, runs []Run, labelled map[int]bool) {
	front := s.Side == "front"
	if front && s.Kind != paper.Passport {
		s.loneSex(runs)
		s.loneName(runs, labelled)
	}
	for i, r := range runs {
		if labelled[i] || s.taken(r) {
			continue
		}
		if s.loneAddress(r) || s.loneDay(r) {
			continue
		}
		if front && s.Kind != paper.CMND {
			s.loneNationality(r)
		}
	}
	if front {
		s.birthOfNumber(runs)
	} else {
		s.lastDay(runs)
	}
}

// taken says whether a run is part of a value that was found.
func (s *Side) taken(r Run) bool {
	for _, v := range s.Values {
		if v.Box.Overlaps(r.Box) {
			return true
		}
	}
	return false
}

func (s *Side) absent(n paper.Name) bool {
	_, ok := s.Values[n]
	return !ok
}

// give notes a value that was found without its label.
func (s *Side) give(n paper.Name, v Value) {
	v.Conf, v.Low = min(v.Conf, sure), min(v.Low, sure)
	v.Doubts = append(v.Doubts, paper.LowConfidence)
	s.Values[n] = v
}

// loneSex finds the sex behind the rest of its label: "Nam" is also the end of Việt Nam and of many names.
func (s *Side) loneSex(runs []Run) {
	for _, r := range runs {
		p := pieces(r)
		for i, w := range p {
			before := ""
			if i > 0 {
				before = vn.Plain(strings.Trim(p[i-1].text, ".,:;/"))
			}
			v, ok := sex(p[i : i+1])
			if ok && s.absent(paper.Sex) && (v.Text == "Nữ" && len([]rune(w.text)) == 2 && before != "VIET" || before == "TINH" ||
				before == "SEX") {
				s.give(paper.Sex, v)
			}
		}
	}
}

// loneName finds a line of capitals that begins with a family name and is nothing but a name.
func (s *Side) loneName(runs []Run, labelled map[int]bool) {
	if !s.absent(paper.FullName) {
		return
	}
	for i, r := range runs {
		v, ok := personName(pieces(r), false)
		if ok && !labelled[i] && !s.taken(r) && v.Text == vn.NFC(r.Text()) && len(r.Words) >= 2 && isName(v.Text) {
			s.give(paper.FullName, v)
			return
		}
	}
}

// addresses are the two fields of a side that are places, the upper first; none where a place alone says nothing.
func (s *Side) addresses() (first, second paper.Name, two bool) {
	switch {
	case s.Kind == paper.Passport, s.Kind == paper.CanCuoc && s.Side == "front":
		return "", "", false
	case s.Side == "front":
		return paper.PlaceOfOrigin, paper.PlaceOfResidence, true
	case s.Kind == paper.CanCuoc || !s.absent(paper.PlaceOfResidence) || !s.absent(paper.PlaceOfBirth):
		return paper.PlaceOfResidence, paper.PlaceOfBirth, true
	}
	return "", "", false
}

// loneAddress takes a run that is an address: of two, the upper is the first; one alone is the missing one.
func (s *Side) loneAddress(r Run) bool {
	first, second, two := s.addresses()
	v, ok := somewhere(pieces(r))
	if !ok || !two || strings.Count(v.Text, ",") < 1 || vn.Locate(v.Text).District == "" {
		return false
	}
	noFirst, noSecond := s.absent(first), s.absent(second)
	switch {
	case noFirst && noSecond, noFirst && r.Box.Min.Y < s.Values[second].Box.Min.Y:
		s.give(first, v)
	case noSecond && !noFirst && r.Box.Min.Y > s.Values[first].Box.Max.Y-r.Box.Dy()/2:
		s.give(second, v)
	}
	return true
}

// What a day may be by its year alone: cards were issued since 1980, their bearers born before 2020 (of a CMND before 2003), and cards
// that end do so after 2020.
const (
	firstIssue    = 1980
	lastBirth     = 2020
	lastCMNDBirth = 2003
	firstExpiry   = 2020
)

// loneDay takes a run that is a day.
func (s *Side) loneDay(r Run) bool {
	v, ok := day(pieces(r), false)
	if !ok || len(v.Doubts) > 0 {
		return false
	}
	d, err := time.Parse(time.DateOnly, v.Text)
	if err != nil || s.Kind == paper.Passport {
		return true
	}
	fitsBirth := fits(s.Values[paper.Number].Text, d) || s.Kind == paper.CMND && d.Year() < lastCMNDBirth
	switch {
	case s.Side != "front":
		if s.absent(paper.DateOfIssue) && s.issueIsLast() && d.Year() >= firstIssue {
			s.give(paper.DateOfIssue, v)
		}
	case s.absent(paper.DateOfBirth) && s.Values[paper.DateOfExpiry].Text != v.Text && d.Year() < lastBirth && fitsBirth:
		s.give(paper.DateOfBirth, v)
	case s.absent(paper.DateOfExpiry) && d.Year() >= firstExpiry && s.Kind != paper.CanCuoc:
		s.give(paper.DateOfExpiry, v)
	}
	return true
}

// issueIsLast says whether a day that is left on a back is that of issue: the card of 2024 has its expiry there, too.
func (s *Side) issueIsLast() bool { return s.Kind != paper.CanCuoc || !s.absent(paper.DateOfExpiry) }

// loneNationality takes a run that is nothing but "Việt Nam", below the number.
func (s *Side) loneNationality(r Run) {
	letters, _, _ := plain(texts(r))
	from, to, e := search(letters, "VIETNAM", 1)
	if e <= 1 && from == 0 && to == len(letters) && s.absent(paper.Nationality) && !s.absent(paper.Sex) &&
		r.Box.Min.Y > s.Values[paper.Number].Box.Max.Y {
		v := whole(pieces(r))
		v.Text = "Việt Nam"
		s.give(paper.Nationality, v)
	}
}

// birthOfNumber finds the only day of the year that the personal number names, behind a label that was not read.
func (s *Side) birthOfNumber(runs []Run) {
	number := s.Values[paper.Number].Text
	if !s.absent(paper.DateOfBirth) || number == "" {
		return
	}
	var found []Value
	for _, v := range dates(runs) {
		if d, err := time.Parse(time.DateOnly, v.Text); err == nil && fits(number, d) {
			found = append(found, v)
		}
	}
	if len(found) == 1 {
		s.give(paper.DateOfBirth, found[0])
	}
}

// lastDay takes the only day that is left on a back for that of issue.
func (s *Side) lastDay(runs []Run) {
	if s.Kind == paper.Passport || !s.absent(paper.DateOfIssue) || !s.issueIsLast() {
		return
	}
	found := slices.DeleteFunc(dates(runs), func(v Value) bool { return v.Box.Overlaps(s.Values[paper.DateOfExpiry].Box) })
	if len(found) == 1 {
		s.give(paper.DateOfIssue, found[0])
	}
}

// dates are the words that are whole dates.
func dates(runs []Run) (found []Value) {
	for _, r := range runs {
		for i, w := range r.Words {
			if !wholeDate(w.Text) {
				continue
			}
			if v, ok := day(pieces(Run{Words: r.Words[i : i+1], Box: w.Box}), false); ok && len(v.Doubts) == 0 {
				found = append(found, v)
			}
		}
	}
	return found
}

// isName says whether every word is known in names, the first as a family's.
func isName(s string) bool {
	for i, w := range strings.Fields(s) {
		_, family := vn.Family(w)
		if i == 0 && !family || i > 0 && !vn.Syllable(w) {
			return false
		}
	}
	return true
}

// fits says whether a personal number can belong to someone born on this day.
func fits(number string, born time.Time) bool {
	p, err := vn.ParsePersonalNumber(number)
	return err == nil && p.Year == born.Year()
}
