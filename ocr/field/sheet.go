package field

import (
	"regexp"
	"slices"
	"strings"

	"motcua/ocr/paper"
)

var sheetTitles = []struct {
	text string
	kind paper.Kind
}{
	{"GIAYKHAISINH", paper.KhaiSinh},
	{"TRICHLUCKHAISINH", paper.KhaiSinh},
	{"XACNHANTHONGTINVECUTRU", paper.CT07},
	{"MAUCTBANHANHKEMTHEO", paper.CT07},
}

// Of a sheet, the first value of each name counts: the person it is about comes first, parents and householders after.
var sheetLabels = map[paper.Kind][]label{
	paper.KhaiSinh: {
		{paper.RegisterNumber, "SO"},
		{paper.FullName, "HOCHUDEMTEN"}, {paper.FullName, "HOVATEN"}, {paper.FullName, "HOCHUDEMVATEN"},
		{paper.DateOfBirth, "NGAYTHANGNAMSINH"}, {paper.DateOfBirth, "SINHNGAY"}, {stop, "GHIBANGCHU"}, {stop, "NAMSINH"},
		{paper.Sex, "GIOITINH"}, {paper.Ethnicity, "DANTOC"}, {paper.Nationality, "QUOCTICH"},
		{paper.PlaceOfBirth, "NOISINH"}, {paper.PlaceOfOrigin, "QUEQUAN"}, {paper.Number, "SODINHDANHCANHAN"},
		{paper.MotherName, "HOCHUDEMTENNGUOIME"}, {paper.MotherName, "HOVATENNGUOIME"}, {paper.MotherName, "HOCHUDEMVATENNGUOIME"},
		{paper.FatherName, "HOCHUDEMTENNGUOICHA"}, {paper.FatherName, "HOVATENNGUOICHA"}, {paper.FatherName, "HOCHUDEMVATENNGUOICHA"},
		{stop, "HOCHUDEMTENNGUOIDIKHAISINH"}, {stop, "HOVATENNGUOIDIKHAISINH"}, {stop, "GIAYTOTUYTHAN"}, {stop, "NOICUTRU"},
		{stop, "NOIDANGKYKHAISINH"}, {stop, "NOIDANGKY"}, {paper.DateOfIssue, "NGAYTHANGNAMDANGKY"},
		{stop, "NGUOIKYGIAYKHAISINH"}, {stop, "CHUTICH"}, {stop, "GIAYKHAISINH"},
	},
	paper.CT07: {
		{paper.FullName, "HOCHUDEMVATEN"}, {paper.FullName, "HOVATEN"}, {stop, "HOCHUDEMVATENCHUHO"}, {stop, "HOVATENCHUHO"},
		{paper.DateOfBirth, "NGAYTHANGNAMSINH"}, {paper.Sex, "GIOITINH"},
		{paper.Number, "SODINHDANHCANHAN"}, {paper.Number, "SODINHDANHCANHANCMND"}, {stop, "SODINHDANHCANHANCUACHUHO"},
		{paper.Ethnicity, "DANTOC"}, {paper.Religion, "TONGIAO"}, {paper.Nationality, "QUOCTICH"}, {paper.PlaceOfOrigin, "QUEQUAN"},
		{paper.PlaceOfResidence, "NOITHUONGTRU"}, {stop, "NOITAMTRU"}, {stop, "NOIOHIENTAI"}, {stop, "QUANHEVOICHUHO"},
		{stop, "THONGTINCACTHANHVIENKHACTRONGHOGIADINH"}, {stop, "THOIHANCUAXACNHAN"}, {stop, "CONGANXACNHANTHONGTIN"}, {stop, "THEODENGHICUA"},
	},
}

// otherPersons are the labels from which on a paper is about somebody else than its holder: a child's parents, a household.
var otherPersons = []string{
	"HOCHUDEMTENNGUOIME", "HOVATENNGUOIME", "HOCHUDEMVATENNGUOIME", "HOCHUDEMTENNGUOICHA", "HOVATENNGUOICHA", "HOCHUDEMVATENNGUOICHA",
	"HOCHUDEMVATENCHUHO", "HOVATENCHUHO", "QUANHEVOICHUHO", "SODINHDANHCANHANCUACHUHO", "THONGTINCACTHANHVIENKHACTRONGHOGIADINH",
}

// ofNobody are the fields that stand there all the same.
var ofNobody = []paper.Name{paper.MotherName, paper.FatherName, paper.DateOfIssue}

// Sheet reads an A4 paper: a birth certificate, a residence confirmation, or any other, of which only the text is kept.
func Sheet(runs []Run) Side {
	s := Side{Kind: paper.Other, Values: map[paper.Name]Value{}}
	for _, r := range runs {
		letters, _, _ := plain(texts(r))
		if _, _, errors := search(letters, "DANGKYKHAISINH", allowed(len("DANGKYKHAISINH"))); errors <= allowed(len("DANGKYKHAISINH")) {
			continue // a label of the card of 2024, and but two letters from a title
		}
		for _, t := range sheetTitles {
			if from, to, errors := search(letters, t.text, allowed(len(t.text))); s.Kind == paper.Other && to > from && errors <= allowed(len(t.text)) && len(letters) < len(t.text)*3 {
				s.Kind = t.kind
			}
		}
	}
	labels, known := sheetLabels[s.Kind]
	if !known {
		return s
	}
	places := find(runs, labels)
	groups := gather(places)
	labelled := map[int]bool{}
	for _, p := range places {
		labelled[p.run] = true
	}
	others := len(runs) // from this run on the paper is about somebody else
	for _, p := range places {
		if slices.Contains(otherPersons, p.label.text) {
			others = min(others, p.run)
		}
	}
	seen := map[paper.Name]bool{}
	for _, g := range groups {
		if g.name == stop || seen[g.name] || g.run >= others && !slices.Contains(ofNobody, g.name) {
			continue
		}
		// A value that cannot be read is not the next person's.
		seen[g.name] = true
		s.Labels++
		read := reader(g.name)
		if g.name == paper.FullName || g.name == paper.FatherName || g.name == paper.MotherName {
			read = func(p []piece) (Value, bool) { return personName(p, true) }
		}
		if v, ok := valueBy(read, runs, g, groups, labelled); ok {
			s.Values[g.name] = v
		}
	}
	if _, ok := s.Values[paper.RegisterNumber]; s.Kind == paper.KhaiSinh && !ok {
		// "Số" is short, and often lost: above the first label nothing else is a number and a year.
		first := slices.IndexFunc(places, func(p place) bool { return p.label.name != stop })
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

// register is a number in a register: figures, perhaps with a year or letters behind a stroke.
func register(p []piece) (Value, bool) {
	for i, w := range p {
		t := strings.Trim(w.text, " .:,;")
		if t != "" && strings.ContainsAny(t[:1], "0123456789") {
			used := p[i : i+1]
			v := whole(used)
			v.Text = t
			return v, true
		}
	}
	return Value{}, false
}
