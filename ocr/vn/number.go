package vn

import "errors"

// PersonalNumber is what the 12 digits of a Vietnamese personal number say about their bearer
// (Decree 137/2015, Circular 59/2021/TT-BCA): PPP G YY NNNNNN.
type PersonalNumber struct {
	Province Province
	Sex      string // "Nam" or "Nữ"
	Year     int    // of birth, four digits
}

// Errors ParsePersonalNumber gives.
var (
	ErrDigits   = errors.New("a personal number has 12 digits")
	ErrProvince = errors.New("no province has this code")
)

// ParsePersonalNumber takes 12 digits apart. It accepts nothing else: separators are the caller's to
// remove. Anything it returns can be held against the printed birth date and sex. A century digit
// beyond 3 is legal (4/5 = born 2100–2199 …) and returned as it is written.
func ParsePersonalNumber(s string) (PersonalNumber, error) {
	if len(s) != 12 {
		return PersonalNumber{}, ErrDigits
	}
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return PersonalNumber{}, ErrDigits
		}
	}
	p, ok := ProvinceByCode(s[:3])
	if !ok {
		return PersonalNumber{}, ErrProvince
	}
	g := int(s[3] - '0')
	n := PersonalNumber{Province: p, Sex: "Nam", Year: 1900 + 100*(g/2) + 10*int(s[4]-'0') + int(s[5]-'0')}
	if g%2 == 1 {
		n.Sex = "Nữ"
	}
	return n, nil
}

// CenturyDigit is the fourth digit of the number of a person born in year with this sex.
func CenturyDigit(year int, sex string) byte {
	g := byte(year/100-19) * 2
	if sex == "Nữ" {
		g++
	}
	return '0' + g
}
