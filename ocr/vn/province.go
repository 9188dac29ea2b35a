// Package vn holds what is known about Vietnamese names, places and numbers: the province codes of
// the personal number, the provinces before and after July 2025, districts, the syllables names are
// made of, spelling variants, and the two 8-bit encodings that preceded Unicode.
//
// In go strings as read from a paper; out come facts and a degree of plausibility. The package never
// changes a value: it lets a caller doubt a reading or choose between two readings that are as good
// as each other. Lists are facts of law where a law is named, and plain knowledge elsewhere; a name
// missing from them proves nothing.
package vn

import "sync"

// Province is a province or a city under central government.
type Province struct {
	Code string // three digits of the personal number (Circular 59/2021/TT-BCA, annex)
	Name string // without "Tỉnh" or "Thành phố", as printed on cards
	Into string // the province it has belonged to since 1 July 2025 (Resolution 202/2025/QH15)
}

// provinces are the 63 codes that personal numbers begin with. Cards keep them whatever is merged.
var provinces = []Province{
	{"001", "Hà Nội", "Hà Nội"},
	{"002", "Hà Giang", "Tuyên Quang"},
	{"004", "Cao Bằng", "Cao Bằng"},
	{"006", "Bắc Kạn", "Thái Nguyên"},
	{"008", "Tuyên Quang", "Tuyên Quang"},
	{"010", "Lào Cai", "Lào Cai"},
	{"011", "Điện Biên", "Điện Biên"},
	{"012", "Lai Châu", "Lai Châu"},
	{"014", "Sơn La", "Sơn La"},
	{"015", "Yên Bái", "Lào Cai"},
	{"017", "Hòa Bình", "Phú Thọ"},
	{"019", "Thái Nguyên", "Thái Nguyên"},
	{"020", "Lạng Sơn", "Lạng Sơn"},
	{"022", "Quảng Ninh", "Quảng Ninh"},
	{"024", "Bắc Giang", "Bắc Ninh"},
	{"025", "Phú Thọ", "Phú Thọ"},
	{"026", "Vĩnh Phúc", "Phú Thọ"},
	{"027", "Bắc Ninh", "Bắc Ninh"},
	{"030", "Hải Dương", "Hải Phòng"},
	{"031", "Hải Phòng", "Hải Phòng"},
	{"033", "Hưng Yên", "Hưng Yên"},
	{"034", "Thái Bình", "Hưng Yên"},
	{"035", "Hà Nam", "Ninh Bình"},
	{"036", "Nam Định", "Ninh Bình"},
	{"037", "Ninh Bình", "Ninh Bình"},
	{"038", "Thanh Hóa", "Thanh Hóa"},
	{"040", "Nghệ An", "Nghệ An"},
	{"042", "Hà Tĩnh", "Hà Tĩnh"},
	{"044", "Quảng Bình", "Quảng Trị"},
	{"045", "Quảng Trị", "Quảng Trị"},
	{"046", "Thừa Thiên Huế", "Huế"},
	{"048", "Đà Nẵng", "Đà Nẵng"},
	{"049", "Quảng Nam", "Đà Nẵng"},
	{"051", "Quảng Ngãi", "Quảng Ngãi"},
	{"052", "Bình Định", "Gia Lai"},
	{"054", "Phú Yên", "Đắk Lắk"},
	{"056", "Khánh Hòa", "Khánh Hòa"},
	{"058", "Ninh Thuận", "Khánh Hòa"},
	{"060", "Bình Thuận", "Lâm Đồng"},
	{"062", "Kon Tum", "Quảng Ngãi"},
	{"064", "Gia Lai", "Gia Lai"},
	{"066", "Đắk Lắk", "Đắk Lắk"},
	{"067", "Đắk Nông", "Lâm Đồng"},
	{"068", "Lâm Đồng", "Lâm Đồng"},
	{"070", "Bình Phước", "Đồng Nai"},
	{"072", "Tây Ninh", "Tây Ninh"},
	{"074", "Bình Dương", "Hồ Chí Minh"},
	{"075", "Đồng Nai", "Đồng Nai"},
	{"077", "Bà Rịa - Vũng Tàu", "Hồ Chí Minh"},
	{"079", "Hồ Chí Minh", "Hồ Chí Minh"},
	{"080", "Long An", "Tây Ninh"},
	{"082", "Tiền Giang", "Đồng Tháp"},
	{"083", "Bến Tre", "Vĩnh Long"},
	{"084", "Trà Vinh", "Vĩnh Long"},
	{"086", "Vĩnh Long", "Vĩnh Long"},
	{"087", "Đồng Tháp", "Đồng Tháp"},
	{"089", "An Giang", "An Giang"},
	{"091", "Kiên Giang", "An Giang"},
	{"092", "Cần Thơ", "Cần Thơ"},
	{"093", "Hậu Giang", "Cần Thơ"},
	{"094", "Sóc Trăng", "Cần Thơ"},
	{"095", "Bạc Liêu", "Cà Mau"},
	{"096", "Cà Mau", "Cà Mau"},
}

// Provinces lists the 63 provinces before July 2025 in the order of their codes.
func Provinces() []Province { return append([]Province(nil), provinces...) }

// ProvinceByCode finds the province whose code begins a personal number.
func ProvinceByCode(code string) (Province, bool) {
	for _, p := range provinces {
		if p.Code == code {
			return p, true
		}
	}
	return Province{}, false
}

// ProvinceByName finds a province of before or after July 2025 by its name in any spelling variant,
// with or without "Tỉnh", "Thành phố" or "TP.". For a name of after July 2025 only (Huế), the
// province it came from is returned.
func ProvinceByName(name string) (Province, bool) {
	p, ok := provinceIndex()[Fold(trimUnit(name))]
	return p, ok
}

var provinceIndex = sync.OnceValue(func() map[string]Province {
	index := map[string]Province{}
	for _, p := range provinces {
		index[Fold(p.Name)] = p
	}
	for code, names := range map[string][]string{"046": {"Huế"}, "077": {"Bà Rịa Vũng Tàu", "BR-VT"},
		"079": {"TP.HCM", "HCM", "Sài Gòn"}, "066": {"Đắc Lắc", "Đắk Lăk", "Daklak"}} {
		p, _ := ProvinceByCode(code)
		for _, n := range names {
			index[Fold(n)] = p
		}
	}
	return index
})

// ProvincesSince2025 names the 34 provinces since 1 July 2025.
func ProvincesSince2025() []string {
	var names []string
	seen := map[string]bool{}
	for _, p := range provinces {
		if !seen[p.Into] {
			seen[p.Into] = true
			names = append(names, p.Into)
		}
	}
	return names
}
