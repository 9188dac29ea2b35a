package serial

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// decode turns one frame into text in NFC. It says no where the bytes are not text in the wanted
// encoding: a frame is never repaired, because a code read a second time costs the citizen a second
// and a wrong value costs a trip.
func decode(frame []byte, encoding string) (string, bool) {
	text, ok := "", false
	switch encoding {
	case "utf-8":
		text, ok = string(frame), utf8.Valid(frame)
	case "tcvn3":
		text, ok = fromTCVN3(frame)
	default:
		// Vietnamese in TCVN3 is practically never well-formed UTF-8: its letters stand alone among
		// ASCII, where UTF-8 wants a lead byte followed by continuation bytes.
		if utf8.Valid(frame) {
			text, ok = string(frame), true
		} else {
			text, ok = fromTCVN3(frame)
		}
	}
	if !ok {
		return "", false
	}
	text = norm.NFC.String(text)
	for _, r := range text {
		// Tab and the separators FS, GS, RS and US stand inside some codes (PDF417, GS1); any other
		// control character is line noise.
		if unicode.IsControl(r) && r != '\t' && (r < 0x1c || r > 0x1f) || r == utf8.RuneError || r == 0xfeff {
			return "", false
		}
	}
	return text, true
}

// tcvn3 is the upper half of TCVN 5712:1993 VN3 ("ABC"). It has no capitals with tone marks: fonts
// ending in H draw the small ones as capitals.
var tcvn3 = map[byte]rune{
	0xa1: 'Ă', 0xa2: 'Â', 0xa3: 'Ê', 0xa4: 'Ô', 0xa5: 'Ơ', 0xa6: 'Ư', 0xa7: 'Đ',
	0xa8: 'ă', 0xa9: 'â', 0xaa: 'ê', 0xab: 'ô', 0xac: 'ơ', 0xad: 'ư', 0xae: 'đ',
	0xb5: 'à', 0xb6: 'ả', 0xb7: 'ã', 0xb8: 'á', 0xb9: 'ạ',
	0xbb: 'ằ', 0xbc: 'ẳ', 0xbd: 'ẵ', 0xbe: 'ắ', 0xc6: 'ặ',
	0xc7: 'ầ', 0xc8: 'ẩ', 0xc9: 'ẫ', 0xca: 'ấ', 0xcb: 'ậ',
	0xcc: 'è', 0xce: 'ẻ', 0xcf: 'ẽ', 0xd0: 'é', 0xd1: 'ẹ',
	0xd2: 'ề', 0xd3: 'ể', 0xd4: 'ễ', 0xd5: 'ế', 0xd6: 'ệ',
	0xd7: 'ì', 0xd8: 'ỉ', 0xdc: 'ĩ', 0xdd: 'í', 0xde: 'ị',
	0xdf: 'ò', 0xe1: 'ỏ', 0xe2: 'õ', 0xe3: 'ó', 0xe4: 'ọ',
	0xe5: 'ồ', 0xe6: 'ổ', 0xe7: 'ỗ', 0xe8: 'ố', 0xe9: 'ộ',
	0xea: 'ờ', 0xeb: 'ở', 0xec: 'ỡ', 0xed: 'ớ', 0xee: 'ợ',
	0xef: 'ù', 0xf1: 'ủ', 0xf2: 'ũ', 0xf3: 'ú', 0xf4: 'ụ',
	0xf5: 'ừ', 0xf6: 'ử', 0xf7: 'ữ', 0xf8: 'ứ', 0xf9: 'ự',
	0xfa: 'ỳ', 0xfb: 'ỷ', 0xfc: 'ỹ', 0xfd: 'ý', 0xfe: 'ỵ',
}

func fromTCVN3(frame []byte) (string, bool) {
	var text strings.Builder
	letters := 0
	for _, b := range frame {
		if b < 0x80 {
			text.WriteByte(b)
			continue
		}
		r, ok := tcvn3[b]
		if !ok {
			return "", false
		}
		letters++
		text.WriteRune(r)
	}
	// Every syllable has at most three letters outside ASCII (đượ…) and is followed by a space or bar:
	// a frame made mostly of them is noise that happens to hit the table.
	if 4*letters > 3*len(frame) {
		return "", false
	}
	return capitals(text.String()), true
}

// capitals restores the capitals TCVN3 cannot write: in a word whose plain letters are all capitals,
// the letters with tone marks are capitals too.
func capitals(text string) string {
	var out strings.Builder
	for len(text) > 0 {
		n := strings.IndexFunc(text, func(r rune) bool { return !unicode.IsLetter(r) })
		switch {
		case n == 0:
			_, n = utf8.DecodeRuneInString(text)
			out.WriteString(text[:n])
		default:
			if n < 0 {
				n = len(text)
			}
			word := text[:n]
			upper, lower := 0, 0
			for _, r := range word {
				switch {
				case r >= 'A' && r <= 'Z' || strings.ContainsRune("ĂÂÊÔƠƯĐ", r):
					upper++
				case r >= 'a' && r <= 'z' || strings.ContainsRune("ăâêôơưđ", r):
					lower++
				}
			}
			if upper > 0 && lower == 0 && upper+lower < utf8.RuneCountInString(word) && !titleCase(word) {
				word = strings.ToUpper(word)
			}
			out.WriteString(word)
		}
		text = text[n:]
	}
	return out.String()
}

// titleCase tells "Tú" (a name of one capital and one letter with a tone mark) from "TÚ", which TCVN3
// writes the same. A name in a QR is in title case, so two letters are taken as that.
func titleCase(word string) bool { return utf8.RuneCountInString(word) == 2 }
