package vn

import (
	"strings"

	"golang.org/x/text/unicode/norm"
)

// tcvn3 is the upper half of TCVN 5712:1993 from 0xA1, as the ABC fonts (.VnTime, .VnArial) use it.
var tcvn3 = []rune("ĂÂÊÔƠƯĐăâêôơưđẰ\u0300\u0309\u0303\u0301\u0323àảãáạẲằẳẵắẴẮẦẨẪẤỀ" +
	"ặầẩẫấậèỂẻẽéẹềểễếệìỉỄẾỒĩíịòỔỏõóọồổỗốộờởỡớợùỖủũúụừửữứựỳỷỹýỵỐ")

// DecodeTCVN3 turns TCVN3 bytes into Unicode. In the fonts whose names end in H every letter is a
// capital; the bytes don't say so, hence upper is the caller's knowledge.
func DecodeTCVN3(b []byte, upper bool) string {
	var s strings.Builder
	for _, c := range b {
		if c >= 0xa1 {
			s.WriteRune(tcvn3[c-0xa1])
		} else {
			s.WriteByte(c & 0x7f)
		}
	}
	out := norm.NFC.String(s.String())
	if upper {
		out = strings.ToUpper(out)
	}
	return out
}

// vniMarks follow their vowel; small letters here, capitals lie 0x20 lower.
var vniMarks = map[byte]string{
	0xf9: "\u0301", 0xf8: "\u0300", 0xfb: "\u0309", 0xf5: "\u0303", 0xef: "\u0323",
	0xe2: "\u0302", 0xe1: "\u0302\u0301", 0xe0: "\u0302\u0300", 0xe5: "\u0302\u0309", 0xe3: "\u0302\u0303", 0xe4: "\u0302\u0323",
	0xea: "\u0306", 0xe9: "\u0306\u0301", 0xe8: "\u0306\u0300", 0xfa: "\u0306\u0309", 0xfc: "\u0306\u0303", 0xeb: "\u0306\u0323",
}

// vniLetters stand alone.
var vniLetters = map[byte]string{
	0xf1: "đ", 0xf4: "ơ", 0xf6: "ư", 0xed: "í", 0xec: "ì", 0xe6: "ỉ", 0xf3: "ĩ", 0xf2: "ị", 0xee: "ỵ",
}

// DecodeVNI turns VNI-Windows bytes into Unicode.
func DecodeVNI(b []byte) string {
	var s strings.Builder
	for _, c := range b {
		low, capital := c, false
		if c >= 0xc0 && c < 0xe0 {
			low, capital = c+0x20, true
		}
		if m, ok := vniMarks[low]; ok {
			s.WriteString(m)
			continue
		}
		l, ok := vniLetters[low]
		switch {
		case !ok && c < 0x80:
			s.WriteByte(c)
		case !ok:
			s.WriteRune('\uFFFD')
		case capital:
			s.WriteString(strings.ToUpper(l))
		default:
			s.WriteString(l)
		}
	}
	return norm.NFC.String(s.String())
}
