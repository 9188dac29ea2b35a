package ocr

import (
	"regexp"
	"slices"
	"strings"

	"motcua/ocr/paper"
	"motcua/ocr/vn"
)

// Whether names and places can be what they were read as: by the lists of families, syllables, words of addresses, and the gazetteer.

// plausibleName: a known family name first, and known syllables of names after it.
func plausibleName(s string) bool {
	w := strings.Fields(s)
	if len(w) < 2 {
		return false
	}
	if _, known := vn.Family(w[0]); !known {
		return false
	}
	for _, x := range w[1:] {
		if !vn.Syllable(x) {
			return false
		}
	}
	return true
}

// spelledName: a known family name, and one to five syllables as Vietnamese spells them, known as names or not.
func spelledName(s string) bool {
	w := strings.Fields(s)
	if len(w) == 0 {
		return false
	}
	if _, known := vn.Family(w[0]); !known {
		return false
	}
	for _, x := range w {
		if !vn.Spelled(x) {
			return false
		}
	}
	return len(w) >= 2 && len(w) <= 6
}

// plausiblePlace: it ends in a province and has a part before it (of the old form a district of that province), and all its
// words can be spelled or are known.
func plausiblePlace(n paper.Name, s string) bool {
	p := vn.Locate(s)
	parts := strings.Count(s, ",") + 1
	switch {
	case p.Province.Code == "", dated.MatchString(s):
		return false
	case lostApostrophe.MatchString(s), lostStroke.MatchString(s):
		return false
	case n == paper.PlaceOfBirth && parts == 1: // a passport names the province only
		return true
	case p.District != "" && parts < least(n):
		return false
	case p.District == "" && p.Commune == "" && !since2025(s):
		return false
	}
	// What begins with a lone word is mostly the rest of a row that was lost.
	first, _, _ := strings.Cut(s, ",")
	if len(strings.Fields(first)) < 2 {
		return false
	}
	for _, w := range placeWords(s) {
		if !vn.Spelled(w) && !isKnown(w) {
			return false
		}
	}
	return true
}

// dated is a day within an address: the card's expiry, that stands beside it. A street of the 30th of April has no year.
var dated = regexp.MustCompile(`(^|[ ,])[0-9]{1,2}/[0-9]{1,2}/[0-9]{4}`)

// lostApostrophe is a highland name of whose apostrophe nothing was read: "Đạ M Rong" for "Đạ M' Rong". Units ("Lô B, …") have a comma or a
// stop behind them.
var lostApostrophe = regexp.MustCompile(`(^|[ ,])[BDHKMNRT] \p{Lu}`)

// lostStroke is a house's number of whose hairline nothing was read: "250 29 Nguyễn Du" for "250/29 Nguyễn Du".
var lostStroke = regexp.MustCompile(`(^|[ ,])[0-9]+ [0-9]+([ ,]|$)`)

// listedPlace says whether a place of origin or birth is a commune, its district and its province, or since July 2025 without a
// district, all in the gazetteer, so that a wrong mark in any of them would have made it another or none.
func listedPlace(n paper.Name, s string) bool {
	p := vn.Locate(s)
	if n == paper.PlaceOfResidence || p.Commune == "" || p.Twin {
		return false
	}
	parts := 2
	if p.District != "" {
		parts = 3
	}
	return strings.Count(s, ",")+1 == parts
}

// least is how many parts an address of the old form has: a residence begins with a house, a street or a hamlet.
func least(n paper.Name) int {
	if n == paper.PlaceOfResidence {
		return 4
	}
	return 3
}

// since2025 tells an address without a district (Resolution 202/2025/QH15): its last part but one is a ward or a commune
// and says so.
func since2025(s string) bool {
	parts := strings.Split(s, ",")
	return len(parts) >= 2 && vn.OfCommune(parts[len(parts)-2])
}

func placeWords(s string) []string {
	var out []string
	for _, w := range strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune(" ,.-/()", r) }) {
		if !strings.ContainsAny(w, "0123456789") {
			out = append(out, w)
		}
	}
	return out
}

// knownWords: every word is known in names or places. That it can be spelled is less: nghỉ is as good a word as nghi.
func knownWords(s string) bool {
	for _, w := range placeWords(s) {
		if !isKnown(w) {
			return false
		}
	}
	return true
}

func isKnown(w string) bool {
	return roman.MatchString(w) || slices.Contains(shortUnits, strings.ToUpper(w)) || vn.PlaceSyllable(w) || vn.Syllable(w) ||
		strings.Contains(streetWords, "|"+vn.Fold(w)+"|")
}

// roman are the numbers of hamlets in the west: ấp Thành III.
var roman = regexp.MustCompile(`^(I{1,3}|IV|VI{0,3}|IX|X)$`)

// shortUnits are the short forms of units in addresses, behind which a stop may stand.
var shortUnits = strings.Fields("TP TX TT P Q H T X KP KDC TDP KV ĐT QL TL")

// streetWords are what addresses begin with.
var streetWords = "|" + strings.Join(foldAll("Tổ", "Thôn", "Xóm", "Ấp", "Ngõ", "Ngách", "Hẻm", "Số", "Khu", "Phố",
	"Đường", "Bản", "Làng", "Buôn", "Phường", "Xã", "Huyện", "Quận",
	"Thị", "Trấn", "Thành", "Tỉnh", "Cách", "Mạng", "Tháng", "Trưng", "Kiệt", "Biên", "Phủ", "Đoài", "Thượng", "Hạ",
	"Duẩn", "Phóng", "Trứ", "Quát", "Ngữ", "Dã", "Trạc", "Xiển", "Duật", "Siêu", "Trỗi", "Giót", "Xô", "Lãn"), // whom streets are named after
	"|") + "|"

func foldAll(all ...string) []string {
	for i, s := range all {
		all[i] = vn.Fold(s)
	}
	return all
}
