package specimen

import (
	"fmt"
	"strings"
	"time"

	"motcua/ocr/vn"
)

// check is the check digit of ICAO 9303-3, 4.9.
func check(s string) byte {
	sum := 0
	for i, c := range []byte(s) {
		v := 0
		switch {
		case c >= '0' && c <= '9':
			v = int(c - '0')
		case c >= 'A' && c <= 'Z':
			v = int(c-'A') + 10
		}
		sum += v * [3]int{7, 3, 1}[i%3]
	}
	return '0' + byte(sum%10)
}

func padTo(s string, n int) string {
	if len(s) > n {
		return s[:n]
	}
	return s + strings.Repeat("<", n-len(s))
}

func mrzName(full string, n int) string {
	words := strings.Fields(vn.Plain(full))
	for i, w := range words {
		words[i] = strings.Map(func(r rune) rune {
			if r >= 'A' && r <= 'Z' {
				return r
			}
			return -1
		}, w)
	}
	return padTo(words[0]+"<<"+strings.Join(words[1:], "<"), n)
}

func mrzExpiry(p Person) string {
	if p.Expiry.IsZero() {
		return "991231" // what cards without an end of validity carry
	}
	return p.Expiry.Format("060102")
}

func mrzSex(p Person) string {
	if p.Sex == "Nữ" {
		return "F"
	}
	return "M"
}

// td1 is the machine readable zone of the chip cards, three lines of 30.
func td1(p Person) [3]string {
	short := p.Number[3:]
	one := padTo("IDVNM"+short+string(check(short))+p.Number+"<<", 29)
	// The last position is a check digit over document number and optional data, as the cards carry it.
	one += string(check(p.Number))
	birth := p.Birth.Format("060102")
	birth += string(check(birth))
	exp := mrzExpiry(p)
	exp += string(check(exp))
	two := birth + mrzSex(p) + exp + "VNM" + strings.Repeat("<", 11)
	two += string(check(one[5:30] + two[0:7] + two[8:15] + two[18:29]))
	return [3]string{one, two, mrzName(p.FullName, 30)}
}

// td3 is the machine readable zone of a passport, two lines of 44.
func td3(p Person, expiry time.Time) [2]string {
	one := padTo("P<VNM"+mrzName(p.FullName, 39), 44)
	number := padTo(p.Passport, 9)
	number += string(check(number))
	birth := p.Birth.Format("060102")
	birth += string(check(birth))
	exp := expiry.Format("060102")
	exp += string(check(exp))
	personal := padTo(p.Number, 14)
	personal += string(check(personal))
	two := number + "VNM" + birth + mrzSex(p) + exp + personal
	return [2]string{one, two + string(check(number+birth+exp+personal))}
}

// qrText is what the symbol on the chip card says.
func qrText(p Person) string {
	if p.code != nil {
		return qrText(*p.code)
	}
	return fmt.Sprintf("%s|%s|%s|%s|%s|%s|%s", p.Number, p.OldNumber, p.FullName, p.Birth.Format("02012006"), p.Sex, p.Residence,
		p.Issue.Format("02012006"))
}
