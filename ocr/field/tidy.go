package field

import (
	"slices"
	"strings"
	"unicode"

	"motcua/ocr/fields"
	"motcua/ocr/paper"
	"motcua/ocr/vn"
)

// tidy goes over the values once they are cut out: what is not theirs is dropped (the end of a label, the next
// item of a form, specks read as stops), and a province, district, people or religion that the law's list doesn't have gives way to
// the only one there with the same letters. A letter or mark that was changed so is always flagged; nothing is changed
// where two words could have been meant, and nothing ever in the name of a person.
func tidy(values map[paper.Name]Value) {
	for n, v := range values {
		switch fields.TypeOf(n) {
		case fields.Place:
			tidyPlace(n, &v)
		case fields.PersonName:
			tidyName(&v)
		case fields.People:
			closed(&v, vn.Ethnicity)
		case fields.Faith:
			closed(&v, vn.Religion)
		}
		values[n] = v
	}
}

// sure is the most confidence a value keeps of which something was chosen and not read: under what needs no look.
const sure = 0.9

// chosen notes that the text is not what was read, letter for letter.
func (v *Value) chosen(text string) {
	if text == v.Text {
		return
	}
	v.Text = text
	v.Conf, v.Low = min(v.Conf, sure), min(v.Low, sure)
	v.doubt(paper.LowConfidence)
}

// closed is a value out of a list that the law closes.
func closed(v *Value, find func(string) (string, bool)) {
	name, ok := find(v.Text)
	switch {
	case !ok:
		v.Doubts = append(v.Doubts, paper.Unknown)
	case vn.Same(name, v.Text):
		v.Text = name
	default:
		v.chosen(name)
	}
}

// tidyName leaves a name as it was read. A family name that nobody bears, or a word that cannot be spelled so, is doubted, and the
// names with the same letters are offered: rare names exist, and of what a list would have changed in them hardly any was right.
func tidyName(v *Value) {
	words := strings.Fields(v.Text)
	for i, w := range words {
		_, family := vn.Family(w)
		if i == 0 && !family || !vn.Spelled(w) { // H' and K' lose their apostrophe easily, and no list says what such names are
			v.doubt(paper.LowConfidence)
		}
		if i == 0 && family || i > 0 && vn.Syllable(w) {
			continue
		}
		for _, a := range vn.Alike(w) {
			if _, known := vn.Family(a); i == 0 && !known || len(v.Choices) == mostChoices {
				continue
			}
			other := slices.Clone(words)
			other[i] = strings.ToUpper(a)
			v.Choices = append(v.Choices, strings.Join(other, " "))
		}
	}
}

// mostChoices is how many names are offered beside the one that was read.
const mostChoices = 3

func (v *Value) doubt(d paper.Doubt) {
	if !slices.Contains(v.Doubts, d) {
		v.Doubts = append(v.Doubts, d)
	}
}

// remains are ends of labels that may be left before an address.
var remains = []string{"PLACEOFORIGIN", "OFORIGIN", "ORIGIN", "PLACEOFRESIDENCE", "OFRESIDENCE", "RESIDENCE", "PLACEOFBIRTH", "OFBIRTH",
	"PLACEOFBIRTHREGISTRATION", "OFBIRTHREGISTRATION", "BIRTHREGISTRATION", "REGISTRATION",
	"NOIDKHKTHUONGTRU", "THUONGTRU", "HKTHUONGTRU", "KHAISINH", "DANGKYKHAISINH"}

// tails begin what stands below an address and is not its.
var tails = []string{"Nơi thường", "Nơi cư trú", "Nơi tạm", "Nơi ở", "Nơi đăng ký", "Nơi ĐKHK", "Công an", "Có giá trị", "Place of",
	"Date of", "Ngày, tháng"}

func tidyPlace(n paper.Name, v *Value) {
	v.Text = hyphens(smallL(v.Text))
	s := v.Text
	s = dropLabel(s)
	s = dropTail(s)
	s = strings.NewReplacer("Ÿ", "Ỷ", "ÿ", "ỷ").Replace(s) // the former is no letter of the language
	s = dropStops(s)
	// the highland "Ia" (water) begins many names, no number nor small letter does
	s = strings.NewReplacer(" 1a ", " Ia ", " la ", " Ia ").Replace(" " + s)[1:]
	s = hyphens(parted(settlePlace(s)))
	s = strings.Trim(s, " ,.:/-")
	if s == "" {
		return
	}
	v.chosen(vn.NFC(s))
	where := vn.Locate(v.Text)
	if where.Province.Name == "" {
		v.Doubts = append(v.Doubts, paper.Unknown)
		return
	}
	if n != paper.PlaceOfBirth && strings.Count(v.Text, ",") == 0 {
		v.Doubts = append(v.Doubts, paper.Incomplete)
	}
}

// smallL writes l for a capital I between a letter and a small one: most fonts draw the two alike, and no word is written so ("Kly",
// "Plei").
func smallL(s string) string {
	letters := []rune(s)
	for i, r := range letters {
		if r == 'I' && i > 0 && i+1 < len(letters) && unicode.IsLetter(letters[i-1]) && unicode.IsLower(letters[i+1]) {
			letters[i] = 'l'
		}
	}
	return string(letters)
}

// thin are the signs within names that are thin and often not read.
const thin = "-'"

// hyphens gives the names of places that have a hyphen or an apostrophe these again: no letter of the name changes.
func hyphens(s string) string {
	parts := strings.Split(s, ", ")
	last := len(parts) - 1
	p, ok := vn.ProvinceByName(parts[last])
	if !ok {
		return s
	}
	// restore looks a part up among names; "Tỉnh" or "Phường" may stand before it.
	restore := func(i int, names ...string) {
		words := strings.Fields(parts[i])
		if strings.Contains(parts[i], "'") {
			return
		}
		for _, name := range names {
			for k := range min(len(words), 2) {
				if strings.ContainsAny(name, thin) && vn.Same(strings.Join(words[k:], " "), name) {
					parts[i] = like(parts[i], strings.Join(append(slices.Clone(words[:k]), name), " "))
					return
				}
			}
		}
	}
	restore(last, p.Name)
	if last > 0 {
		name, ok := vn.DistrictLike(p, parts[last-1])
		if ok && strings.ContainsAny(name, thin) && vn.Same(name, parts[last-1]) {
			parts[last-1] = like(parts[last-1], name)
		}
		restore(last-1, vn.CommunesSince2025(p.Name)...)
		if ok && last > 1 {
			restore(last-2, vn.Communes(p.Code, name)...)
		}
	}
	return strings.Join(parts, ", ")
}

// dropLabel takes the end of a label away from before an address. A word that can be Vietnamese is only taken with
// others that cannot.
func dropLabel(s string) string {
	words := strings.Fields(s)
	best, cut := 0.34, 0
	for k := 1; k <= min(6, len(words)-1); k++ {
		letters, _, _ := plain(words[:k])
		foreign := false
		for _, w := range words[:k] {
			foreign = foreign || !vn.Spelled(w)
		}
		if !foreign || len(letters) < 5 || strings.ContainsRune(strings.Join(words[:k], ""), ',') {
			continue
		}
		for _, r := range remains {
			if off := float64(vn.Edits(letters, []byte(r))) / float64(max(len(letters), len(r))); off < best {
				best, cut = off, k
			}
		}
	}
	return strings.Join(words[cut:], " ")
}

// dropTail ends an address where a form's next item begins: "… Hòa Bình 2. Nơi tạm trú".
func dropTail(s string) string {
	for _, t := range tails {
		if i := strings.Index(s, " "+t); i > 0 {
			s = s[:i]
		}
	}
	words := strings.Fields(s)
	if len(words) < 3 {
		return s
	}
	for i := 2; i < len(words); i++ {
		w, stop := strings.CutSuffix(words[i], ".")
		if !stop || strings.HasSuffix(words[i-1], ",") {
			continue
		}
		if strings.Trim(w, "IVX") == "" || len(w) == 1 && w[0] >= '1' && w[0] <= '9' {
			return strings.Join(words[:i], " ")
		}
	}
	// An item's number alone is left where its words were not read on.
	if last := words[len(words)-1]; (last == "II" || last == "III" || len(last) == 1 && last[0] >= '1' && last[0] <= '9') &&
		vn.Locate(strings.Join(words[:len(words)-1], " ")).Province.Name != "" {
		return strings.Join(words[:len(words)-1], " ")
	}
	return s
}

// short are the abbreviations that end in a stop.
var short = map[string]bool{"TP": true, "TX": true, "TT": true, "P": true, "Q": true, "H": true, "T": true, "X": true, "KP": true,
	"KDC": true, "ST": true, "TDP": true}

// dropStops takes a speck read as a stop behind a whole word for nothing, or for a comma where the gazetteer then knows the
// place and otherwise doesn't.
func dropStops(s string) string {
	words := strings.Fields(s)
	var at []int
	for i, w := range words[:max(0, len(words)-1)] {
		t, stop := strings.CutSuffix(w, ".")
		if stop && t != "" && !short[vn.Plain(t)] && strings.IndexFunc(t, unicode.IsDigit) < 0 {
			at = append(at, i)
		}
	}
	if len(at) == 0 || len(at) > 5 {
		return s
	}
	best, most := "", -1
	for choice := range 1 << len(at) {
		try := append([]string(nil), words...)
		for k, i := range at {
			try[i] = strings.TrimSuffix(try[i], ".")
			if choice>>k&1 == 1 {
				try[i] += ","
			}
		}
		text := strings.Join(try, " ")
		where := vn.Locate(text)
		score := 0
		if where.Province.Name != "" {
			score += 2
		}
		if where.District != "" {
			score++
		}
		if score > most {
			best, most = text, score
		}
	}
	return best
}

// settlePlace gives the last parts of an address the only names of a province and its district that have their
// letters, and joins or parts them where only that makes a place.
func settlePlace(s string) string {
	parts := strings.Split(s, ",")
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	if vn.Locate(s).Province.Name == "" {
		parts = settleProvince(parts)
	}
	last := len(parts) - 1
	if last < 1 {
		return strings.Join(parts, ", ")
	}
	where := vn.Locate(strings.Join(parts, ", "))
	if where.Province.Name != "" && where.District == "" {
		if name, ok := vn.DistrictLike(where.Province, parts[last-1]); ok {
			parts[last-1] = like(parts[last-1], name)
		}
	}
	return strings.Join(parts, ", ")
}

// longestProvince is how many words stand before, behind or in the name of a province at most, specks among them.
const longestProvince = 5

// settleProvince looks for the name of a province in the last part of an address.
func settleProvince(parts []string) []string {
	last := len(parts) - 1
	if name, ok := vn.ProvinceLike(parts[last]); ok {
		parts[last] = like(parts[last], name)
		return parts
	}
	words := strings.Fields(parts[last])
	if more, ok := partProvince(parts[:last], words); ok {
		parts = more
		last = len(parts) - 1
	}
	missing := func() bool { return vn.Locate(strings.Join(parts, ", ")).Province.Name == "" }
	// Specks behind it: "Đồng Nai DD vo".
	for k := min(len(words)-1, longestProvince); k >= 1 && missing(); k-- {
		if name, ok := vn.ProvinceLike(strings.Join(words[:k], " ")); ok &&
			(!spelledAll(words[k:]) || len([]rune(strings.Join(words[k:], ""))) == 1) {
			parts[last] = like(strings.Join(words[:k], " "), name)
		}
	}
	if n := len(words); missing() && n >= 3 && n <= longestProvince+3 {
		if name, ok := amidSpecks(words); ok {
			parts[last] = like(parts[last], name)
		}
	}
	return parts
}

// partProvince parts the words of an address's last part where a comma was lost, or something else stands before the province's name.
func partProvince(before, words []string) ([]string, bool) {
	if len(before) == 0 {
		return nil, false
	}
	for k := 1; k < len(words) && k <= longestProvince; k++ {
		name, ok := vn.ProvinceLike(strings.Join(words[k:], " "))
		if ok && len(words)-k >= 2 && !slices.Contains(unitWords, words[k-1]) && spelledAll(words[:k]) {
			return append(slices.Clone(before), strings.Join(words[:k], " "), like(strings.Join(words[k:], " "), name)), true
		}
	}
	return nil, false
}

// amidSpecks finds a province between the parts of whose name specks stand: "Đồng cái lái PP Tháp".
func amidSpecks(words []string) (string, bool) {
	for k := 1; k < len(words); k++ {
		for m := k + 1; m < len(words); m++ {
			if name, ok := vn.ProvinceLike(strings.Join(slices.Concat(words[:k], words[m:]), " ")); ok {
				return name, true
			}
		}
	}
	return "", false
}

// unitWords begin the name of a place in an address, or are what such a beginning ends with.
var unitWords = []string{"Tỉnh", "tỉnh", "Thành", "phố", "Phố", "TP", "TP.", "Huyện", "Quận", "Thị", "xã", "trấn", "Xã", "Phường"}

// parted gives an address the commas back that were lost, for they are small: before a word that only begins the name of a
// place, and where the gazetteer knows what then stands behind it.
func parted(s string) string {
	if !strings.Contains(s, ",") {
		return s // the name of a hospital, or of a province by itself
	}
	var parts []string
	for _, part := range strings.Split(s, ", ") {
		parts = append(parts, beforeUnits(part)...)
	}
	if where := vn.Locate(strings.Join(parts, ", ")); where.Province.Name != "" && where.District == "" && where.Commune == "" &&
		where.Near == "" {
		parts = partAt(parts, len(parts)-2, func(p vn.Place) bool { return p.District != "" && p.Commune != "" })
	}
	if where := vn.Locate(strings.Join(parts, ", ")); where.District != "" && where.Commune == "" && where.Near == "" {
		parts = partAt(parts, len(parts)-3, func(p vn.Place) bool { return p.Commune != "" })
	}
	return strings.Join(parts, ", ")
}

// beforeUnits parts the words of one part of an address before such as only begin the name of a place.
func beforeUnits(part string) []string {
	if institution(part) {
		return []string{strings.Join(strings.Fields(part), " ")}
	}
	var out []string
	words := strings.Fields(part)
	from := 0
	for i := 2; i+1 < len(words); i++ {
		unit := slices.Contains([]string{"Xã", "Phường", "Huyện", "Quận", "Tỉnh"}, words[i]) ||
			slices.Contains([]string{"Thị xã", "Thị trấn", "Thành phố"}, words[i]+" "+words[i+1])
		if unit && i-from >= 2 {
			out = append(out, strings.Join(words[from:i], " "))
			from = i
		}
	}
	return append(out, strings.Join(words[from:], " "))
}

// partAt splits the i-th part of an address so that test holds of the whole; the longer name of a place goes before the shorter.
func partAt(parts []string, i int, test func(vn.Place) bool) []string {
	if i < 0 || institution(parts[i]) || test(vn.Locate(strings.Join(parts, ", "))) {
		return parts
	}
	words := strings.Fields(parts[i])
	for k := 1; k < len(words); k++ {
		try := slices.Concat(parts[:i], []string{strings.Join(words[:k], " "), strings.Join(words[k:], " ")}, parts[i+1:])
		if test(vn.Locate(strings.Join(try, ", "))) {
			return try
		}
	}
	return parts
}

// institution says whether a part of an address is a hospital's or an office's name, in which that of a place stands without
// a comma before it.
func institution(part string) bool {
	p := strings.ReplaceAll(vn.Plain(part), " ", "")
	return slices.ContainsFunc([]string{"BENHVIEN", "TRAMYTE", "TRAMXA", "TRUNGTAMYTE", "PHONGKHAM", "NHAHOSINH", "UYBANNHANDAN", "UBND"},
		func(head string) bool { return strings.HasPrefix(p, head) })
}

func spelledAll(words []string) bool {
	for _, w := range words {
		if !vn.Spelled(w) {
			return false
		}
	}
	return true
}

// like spells name in capitals where what it stands for was.
func like(was, name string) string {
	if was == strings.ToUpper(was) {
		return strings.ToUpper(name)
	}
	return name
}
