package vn

import (
	"slices"
	"strings"
	"sync"
)

// ethnicities are the 54 peoples of the statistics office's list (Decision 121-TCTK/PPCĐ, 1979), in all the ways papers spell them.
var ethnicities = strings.Split("Kinh, Tày, Thái, Mường, Khmer, Khơ-me, Khơ me, Hoa, Nùng, Mông, H'Mông, HMông, Dao, Gia Rai, Gia-rai, "+
	"Ê Đê, Ê-đê, Ba Na, Ba-na, Sán Chay, Chăm, "+
	"Cơ Ho, Cơ-ho, Xơ Đăng, Xơ-đăng, Sán Dìu, Hrê, Ra Glai, Ra-glai, Raglay, Mnông, M'Nông, Thổ, Xtiêng, X'Tiêng, Khơ Mú, Khơ-mú, Bru Vân "+
	"Kiều, Bru - Vân Kiều, "+
	"Cơ Tu, Cơ-tu, Giáy, Tà Ôi, Tà-ôi, Mạ, Gié Triêng, Giẻ-Triêng, Co, Chơ Ro, Chơ-ro, Xinh Mun, Xinh-mun, Hà Nhì, Chu Ru, Chu-ru, Lào, La "+
	"Chí, Kháng, Phù Lá, La Hủ, "+
	"La Ha, Pà Thẻn, Lự, Ngái, Chứt, Lô Lô, Mảng, Cơ Lao, Co Lao, Bố Y, Cống, Si La, Pu Péo, Brâu, Ơ Đu, Rơ Măm, Rơ-măm", ", ")

// religions are those papers name; "Không" is none.
var religions = strings.Split("Không, Phật giáo, Công giáo, Thiên chúa giáo, Thiên Chúa, Tin lành, Cao Đài, Phật giáo Hòa Hảo, Hòa Hảo, "+
	"Hồi giáo, Bà La Môn", ", ")

// Ethnicity finds the people whose name this is, or, if it is none's, the one whose name has the same plain letters.
func Ethnicity(s string) (name string, ok bool) { return only(ethnicities, s) }

// Religion does the same for religions.
func Religion(s string) (name string, ok bool) { return only(religions, s) }

// Listed says whether a value is the name of a people or a religion, mark for mark.
func Listed(s string) bool {
	same := func(e string) bool { return Same(e, s) }
	return slices.ContainsFunc(ethnicities, same) || slices.ContainsFunc(religions, same)
}

// only prefers what is the same word; no two of a list differ by their marks alone.
func only(list []string, s string) (string, bool) {
	if i := slices.IndexFunc(list, func(e string) bool { return Same(e, s) }); i >= 0 {
		return list[i], true
	}
	if i := slices.IndexFunc(list, func(e string) bool { return Plain(e) == Plain(NFC(s)) }); i >= 0 {
		return list[i], true
	}
	return "", false
}

// ProvinceLike finds the one province, of before or since July 2025, whose name has these plain letters; it is
// what a name with lost or misread tone marks can only have been.
func ProvinceLike(s string) (name string, ok bool) {
	return onlyOf(provinceLetters(), s)
}

// DistrictLike finds the one district of a province (or of those merged with it) with these plain letters.
func DistrictLike(p Province, s string) (name string, ok bool) {
	var found string
	for _, d := range districtLetters()[bare(s)] {
		if d.into != p.Into {
			continue
		}
		if Same(d.name, s) {
			return d.name, true
		}
		if found != "" && !Same(d.name, found) {
			return "", false
		}
		found = d.name
	}
	return found, found != ""
}

type districtOf struct{ name, into string }

var districtLetters = sync.OnceValue(func() map[string][]districtOf {
	index := map[string][]districtOf{}
	for _, p := range provinces {
		for _, d := range Districts(p.Code) {
			k := bare(d)
			index[k] = append(index[k], districtOf{d, p.Into})
		}
	}
	return index
})

var provinceLetters = sync.OnceValue(func() map[string][]string {
	index := map[string][]string{}
	for _, p := range provinces {
		for _, n := range []string{p.Name, p.Into} {
			k := bare(n)
			if len(index[k]) == 0 || index[k][len(index[k])-1] != n && index[k][0] != n {
				index[k] = append(index[k], n)
			}
		}
	}
	return index
})

func onlyOf(index map[string][]string, s string) (string, bool) {
	l := index[bare(s)]
	for _, n := range l {
		if Same(n, s) {
			return n, true
		}
	}
	if len(l) != 1 {
		return "", false
	}
	return l[0], true
}

// bare is a name's plain letters without signs between them.
func bare(s string) string {
	return strings.Join(strings.FieldsFunc(Plain(NFC(s)), func(r rune) bool { return r == ' ' || r == '-' }), " ")
}
