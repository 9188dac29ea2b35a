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
	taken := func(r Run) bool {
		for _, v := range s.Values {
			if v.Box.Overlaps(r.Box) {
				return true
			}
		}
		return false
	}
	give := func(n paper.Name, v Value) {
		v.Conf, v.Low = min(v.Conf, sure), min(v.Low, sure)
		v.Doubts = append(v.Doubts, paper.LowConfidence)
		s.Values[n] = v
	}
	absent := func(n paper.Name) bool {
		_, ok := s.Values[n]
		return !ok
	}
	if s.Side == "front" && absent(paper.Sex) && s.Kind != paper.Passport {
		for _, r := range runs {
			p := pieces(r)
			for i, w := range p {
				before := ""
				if i > 0 {
					before = vn.Plain(strings.Trim(p[i-1].text, ".,:;/"))
				}
				// "Nam" is also the end of Việt Nam and of many names: only behind the rest of its label.
				if v, ok := sex(p[i : i+1]); ok && (v.Text == "Nữ" && len([]rune(w.text)) == 2 || before == "TINH" || before == "SEX") && absent(paper.Sex) && before != "VIET" {
					give(paper.Sex, v)
				}
			}
		}
	}
	if s.Side == "front" && absent(paper.FullName) && s.Kind != paper.Passport {
		// A line of capitals that begins with a family name and is nothing but a name.
		for i, r := range runs {
			if v, ok := personName(pieces(r), false); ok && !labelled[i] && !taken(r) && v.Text == vn.NFC(r.Text()) && len(r.Words) >= 2 && isName(v.Text) {
				give(paper.FullName, v)
				break
			}
		}
	}
	addresses := []paper.Name{paper.PlaceOfOrigin, paper.PlaceOfResidence}
	if s.Side != "front" {
		addresses = nil
		if s.Kind == paper.CanCuoc || !absent(paper.PlaceOfResidence) || !absent(paper.PlaceOfBirth) {
			addresses = []paper.Name{paper.PlaceOfResidence, paper.PlaceOfBirth}
		}
	}
	if s.Kind == paper.Passport || s.Kind == paper.CanCuoc && s.Side == "front" {
		addresses = nil
	}
	for i, r := range runs {
		if labelled[i] || taken(r) {
			continue
		}
		if v, ok := somewhere(pieces(r)); ok && len(addresses) == 2 && strings.Count(v.Text, ",") >= 1 && vn.Locate(v.Text).District != "" {
			// Of two, the upper is the first; one alone is the missing one.
			first, second := addresses[0], addresses[1]
			switch {
			case absent(first) && !absent(second) && r.Box.Min.Y < s.Values[second].Box.Min.Y, absent(first) && absent(second):
				give(first, v)
			case absent(second) && !absent(first) && r.Box.Min.Y > s.Values[first].Box.Max.Y-r.Box.Dy()/2:
				give(second, v)
			}
			continue
		}
		if v, ok := day(pieces(r), false); ok && len(v.Doubts) == 0 {
			d, err := time.Parse(time.DateOnly, v.Text)
			switch {
			case err != nil || s.Kind == paper.Passport:
			case s.Side != "front":
				if absent(paper.DateOfIssue) && (s.Kind != paper.CanCuoc || !absent(paper.DateOfExpiry)) && d.Year() >= 1980 {
					give(paper.DateOfIssue, v)
				}
			case absent(paper.DateOfBirth) && s.Values[paper.DateOfExpiry].Text != v.Text && d.Year() < 2020 &&
				(fits(s.Values[paper.Number].Text, d) || s.Kind == paper.CMND && d.Year() < 2003):
				give(paper.DateOfBirth, v)
			case absent(paper.DateOfExpiry) && d.Year() >= 2020 && s.Kind != paper.CanCuoc:
				give(paper.DateOfExpiry, v)
			}
			continue
		}
		if absent(paper.Nationality) && s.Side == "front" && s.Kind != paper.CMND {
			letters, _, _ := plain(texts(r))
			if from, to, e := search(letters, "VIETNAM", 1); e <= 1 && from == 0 && to == len(letters) && !absent(paper.Sex) && r.Box.Min.Y > s.Values[paper.Number].Box.Max.Y {
				v := whole(pieces(r))
				v.Text = "Việt Nam"
				give(paper.Nationality, v)
			}
		}
	}
	// A date may also stand behind a label that was not read; the personal number knows the year of birth.
	if s.Side == "front" && absent(paper.DateOfBirth) && s.Values[paper.Number].Text != "" {
		var found []Value
		for _, v := range dates(runs) {
			if d, err := time.Parse(time.DateOnly, v.Text); err == nil && fits(s.Values[paper.Number].Text, d) {
				found = append(found, v)
			}
		}
		if len(found) == 1 {
			give(paper.DateOfBirth, found[0])
		}
	}
	if s.Side != "front" && s.Kind != paper.Passport && absent(paper.DateOfIssue) && (s.Kind != paper.CanCuoc || !absent(paper.DateOfExpiry)) {
		found := slices.DeleteFunc(dates(runs), func(v Value) bool { return v.Box.Overlaps(s.Values[paper.DateOfExpiry].Box) })
		if len(found) == 1 {
			give(paper.DateOfIssue, found[0])
		}
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
