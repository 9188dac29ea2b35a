package specimen

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"motcua/ocr/paper"
	"motcua/ocr/vn"
)

// Person is an invented person with everything papers say of people. Names are in title case.
type Person struct {
	Number      string // 12 digits
	OldNumber   string // 9 digits, or empty
	FullName    string
	Birth       time.Time
	Sex         string // "Nam" or "Nữ"
	Nationality string // "Việt Nam"
	Ethnicity   string
	Religion    string
	Origin      string
	Residence   string
	BirthPlace  string // where the birth was registered (2024 card, passport, birth certificate)
	Marks       string // "Nốt ruồi C: 1cm trên sau mép trái"
	Issue       time.Time
	Expiry      time.Time // zero: "Không thời hạn"
	Father      string
	Mother      string
	FatherBirth time.Time
	MotherBirth time.Time
	Passport    string // number of the passport
	Register    string // number in the register of births
	Relation    string // to the head of the household
	Head        string // of the household

	like string  // which look-alike is drawn
	code *Person // of whom the card's QR symbol speaks; nil: of this one
}

// Invent makes up a person. The same seed gives the same person, now and in later versions of the lists only as far as the lists stay.
func Invent(seed uint64) Person {
	rng := rand.New(rand.NewPCG(seed, 0x766e))
	return invent(rng, "", 0)
}

// InventFor makes up a person who can hold this kind of paper: born, and given it, in years that fit.
func InventFor(kind paper.Kind, seed uint64) Person {
	rng := rand.New(rand.NewPCG(seed, 0x766e))
	from, years := 1945, 60 // of birth
	issued, days := time.Date(2021, 1, 1, 0, 0, 0, 0, time.UTC), 1250
	switch kind {
	case paper.CanCuoc:
		issued, days = time.Date(2024, 7, 1, 0, 0, 0, 0, time.UTC), 700
		years = 72
	case paper.CCCD2016:
		issued, days = time.Date(2016, 1, 1, 0, 0, 0, 0, time.UTC), 1800
		years = 56
	case paper.CMND:
		from, years = 1940, 50
		issued, days = time.Date(2006, 1, 1, 0, 0, 0, 0, time.UTC), 3400
	case paper.Passport:
		from, years = 1950, 53
		issued, days = time.Date(2017, 1, 1, 0, 0, 0, 0, time.UTC), 3300
	case paper.KhaiSinh:
		from, years = 2016, 10
	case paper.CT07:
		issued, days = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC), 900
	}
	p := invent(rng, "", from+rng.IntN(years))
	p.Issue = issued.AddDate(0, 0, rng.IntN(days))
	if kind == paper.CMND && p.OldNumber == "" { // the twelve-digit card came late
		p.Issue = time.Date(2012, 7, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, rng.IntN(1200))
	}
	p.Expiry = expiry(p.Birth, p.Issue)
	if (kind == paper.CanCuoc || kind == paper.CT07) && !p.Issue.Before(time.Date(2025, 7, 1, 0, 0, 0, 0, time.UTC)) {
		p.Residence = street(rng) + somePlace(rng).since2025(rng)
	}
	return p
}

func invent(rng *rand.Rand, sex string, year int) Person {
	p := Person{Nationality: "Việt Nam", Ethnicity: "Kinh", Religion: "Không", Sex: sex}
	if p.Sex == "" {
		p.Sex = []string{"Nam", "Nữ"}[rng.IntN(2)]
	}
	if year == 0 {
		year = 1945 + rng.IntN(62)
	}
	p.Birth = day(rng, year)
	family := pick(rng, vn.Families())
	p.FullName = name(rng, family, p.Sex)
	if rng.IntN(30) == 0 {
		list := highland[p.Sex]
		p.FullName = list[rng.IntN(len(list))]
	}
	home := somePlace(rng)
	p.Number = fmt.Sprintf("%s%c%02d%06d", home.Province.Code, vn.CenturyDigit(year, p.Sex), year%100, rng.IntN(1_000_000))
	if year < 2001 && rng.IntN(4) > 0 {
		p.OldNumber = fmt.Sprintf("%s%07d", oldPrefix(home.Province.Code), rng.IntN(10_000_000))
	}
	p.Origin = home.String()
	p.BirthPlace = home.String()
	live := home
	if rng.IntN(3) > 0 {
		live = somePlace(rng)
	}
	p.Residence = street(rng) + live.String()
	p.Marks = mark(rng)
	if rng.IntN(12) == 0 {
		p.Ethnicity = []string{"Tày", "Thái", "Mường", "Khmer", "Hoa", "Nùng", "Mông", "Dao", "Gia Rai", "Ê Đê", "Ba Na", "Chăm",
			"Sán Dìu"}[rng.IntN(13)]
	}
	if rng.IntN(8) == 0 {
		p.Religion = []string{"Phật giáo", "Công giáo", "Tin lành", "Cao Đài", "Phật giáo Hòa Hảo"}[rng.IntN(5)]
	}
	p.Issue = time.Date(2021, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, rng.IntN(1200))
	p.Expiry = expiry(p.Birth, p.Issue)
	p.Father = name(rng, family, "Nam")
	p.Mother = name(rng, pick(rng, vn.Families()), "Nữ")
	p.FatherBirth = day(rng, year-20-rng.IntN(20))
	p.MotherBirth = day(rng, year-18-rng.IntN(20))
	p.Passport = fmt.Sprintf("%c%07d", "BCEKNP"[rng.IntN(6)], rng.IntN(10_000_000))
	p.Register = fmt.Sprintf("%d/%d", 1+rng.IntN(480), max(p.Birth.Year(), 1990))
	p.Head = p.Father
	p.Relation = map[string]string{"Nam": "Con trai", "Nữ": "Con gái"}[p.Sex]
	return p
}

// expiry follows Article 21 of Law 59/2014: the cards are renewed at 25, 40 and 60; one issued in the
// two years before such a birthday serves until the next.
func expiry(birth, issue time.Time) time.Time {
	ages := []int{25, 40, 60}
	if !issue.Before(time.Date(2024, 7, 1, 0, 0, 0, 0, time.UTC)) { // Law 26/2023/QH15, article 21
		ages = []int{14, 25, 40, 60}
	}
	for _, age := range ages {
		if b := birth.AddDate(age, 0, 0); issue.AddDate(2, 0, 0).Before(b) {
			return b
		}
	}
	return time.Time{}
}

func day(rng *rand.Rand, year int) time.Time {
	return time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, rng.IntN(365))
}

func pick(rng *rand.Rand, list []vn.Share) string {
	total := 0
	for _, s := range list {
		total += s.Share
	}
	n := rng.IntN(total)
	for _, s := range list {
		if n -= s.Share; n < 0 {
			return s.Text
		}
	}
	return list[0].Text
}

func name(rng *rand.Rand, family, sex string) string {
	parts := []string{family}
	switch rng.IntN(10) {
	case 0:
	case 1, 2:
		parts = append(parts, pick(rng, vn.Middles(sex)), pick(rng, vn.Middles(sex)))
	default:
		parts = append(parts, pick(rng, vn.Middles(sex)))
	}
	return strings.Join(append(parts, pick(rng, vn.Givens(sex))), " ")
}

// highland are names as the peoples of the mountains bear them: other syllables, apostrophes, no middle name.
var highland = map[string][]string{
	"Nam": {"Giàng A Páo", "Y Thông Niê", "Lò Văn Pậu", "Sùng Mí Sính", "Điểu K'Ré", "Rơ Châm Hyơnh", "A Viết Thị", "Thào Seo Lùng", "K'Brêu",
		"Bàn Tài Siểu"},
	"Nữ": {"H'Bia Niê", "Sùng Thị Máy", "Ksor H'Lê", "Vàng Thị Mỷ", "Quàng Thị Ọi", "Lò Thị Pỏm", "Thị Prơn", "Y Blúi", "Giàng Thị Dợ",
		"Ka Thẻo"},
}

func street(rng *rand.Rand) string {
	hamlets := []string{"Đông", "Đoài", "Thượng", "Hạ", "Trung", "Tân Lập", "Phú Lộc", "Hòa Bình", "An Thịnh", "Cầu Đất", "Bến Tre", "Mỹ Hưng",
		"Gò Đậu"}
	streets := []string{"Trần Phú", "Lê Lợi", "Nguyễn Huệ", "Hai Bà Trưng", "Lý Thường Kiệt", "Quang Trung", "Hùng Vương", "Phan Đình Phùng",
		"Điện Biên Phủ", "Cách Mạng Tháng 8", "30 Tháng 4", "Nguyễn Thị Minh Khai", "Lạc Long Quân"}
	n := 1 + rng.IntN(420)
	switch rng.IntN(8) {
	case 0:
		return fmt.Sprintf("Tổ %d, ", 1+rng.IntN(60))
	case 1:
		return fmt.Sprintf("Thôn %s, ", hamlets[rng.IntN(len(hamlets))])
	case 2:
		return fmt.Sprintf("Xóm %d, ", 1+rng.IntN(20))
	case 3:
		return fmt.Sprintf("%d %s, ", n, streets[rng.IntN(len(streets))])
	case 4:
		return fmt.Sprintf("%d/%d %s, ", n, 1+rng.IntN(80), streets[rng.IntN(len(streets))])
	case 5:
		return fmt.Sprintf("Số %d, Ngõ %d, %s, ", n%60+1, n, streets[rng.IntN(len(streets))])
	case 6:
		return fmt.Sprintf("Ấp %s, ", hamlets[rng.IntN(len(hamlets))])
	default:
		return fmt.Sprintf("Khu phố %d, ", 1+rng.IntN(12))
	}
}

func mark(rng *rand.Rand) string {
	what := []string{"Nốt ruồi", "Sẹo chấm", "Nốt ruồi", "Sẹo thẳng", "Nốt ruồi"}[rng.IntN(5)]
	return fmt.Sprintf("%s C: %s %s %s", what, []string{"1cm", "0,5cm", "2cm", "1,5cm", "3cm", "2,5cm"}[rng.IntN(6)],
		[]string{"trên trước", "dưới sau", "trên sau", "dưới trước", "dưới", "trên"}[rng.IntN(6)],
		[]string{"cánh mũi phải", "mép trái", "đuôi mắt trái", "đầu lông mày phải", "đuôi mắt phải", "mép phải", "cánh mũi trái"}[rng.IntN(7)])
}

// oldPrefix begins a nine-digit identity card number; provinces had prefixes of two or three digits.
func oldPrefix(code string) string {
	switch code {
	case "001":
		return "01"
	case "079":
		return "02"
	case "031":
		return "03"
	case "038":
		return "17"
	case "040":
		return "18"
	case "048":
		return "20"
	case "092":
		return "36"
	}
	return fmt.Sprintf("%02d", 4+int(code[1]-'0')*3+int(code[2]-'0')%3)
}
