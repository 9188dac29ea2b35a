package form

import (
	"strings"
	"time"
)

var digits = []string{"không", "một", "hai", "ba", "bốn", "năm", "sáu", "bảy", "tám", "chín"}

// dateInWords writes an ISO date as civil-status forms do: "Ngày mười lăm tháng ba năm hai nghìn không trăm
// linh năm". What is no full date gives nothing.
func dateInWords(iso string) string {
	t, err := time.Parse(time.DateOnly, iso)
	if err != nil {
		return ""
	}
	day := numberInWords(t.Day())
	if t.Day() <= 10 {
		day = "mùng " + day
	}
	month := numberInWords(int(t.Month()))
	if t.Month() == time.April {
		month = "tư" // the fourth month is never "bốn"
	}
	return "Ngày " + day + ", tháng " + month + ", năm " + numberInWords(t.Year())
}

// numberInWords writes 0 to 9999.
func numberInWords(n int) string {
	var parts []string
	if n >= 1000 {
		parts = append(parts, digits[n/1000], "nghìn", digits[n%1000/100], "trăm")
	} else if n >= 100 {
		parts = append(parts, digits[n/100], "trăm")
	}
	rest := n % 100
	switch {
	case rest == 0 && n > 0:
		// Round hundreds end with the hundred; "hai nghìn không trăm" is plainly "hai nghìn".
		if n >= 1000 && n%1000 == 0 {
			parts = parts[:2]
		}
	case rest < 10 && n >= 100:
		parts = append(parts, "linh", digits[rest])
	case rest < 10:
		parts = append(parts, digits[rest])
	default:
		parts = append(parts, tens(rest)...)
	}
	return strings.Join(parts, " ")
}

// tens writes 10 to 99: mười lăm, hai mươi mốt, hai mươi tư, hai mươi lăm.
func tens(n int) []string {
	var parts []string
	if n < 20 {
		parts = append(parts, "mười")
	} else {
		parts = append(parts, digits[n/10], "mươi")
	}
	switch unit := n % 10; {
	case unit == 0:
	case unit == 1 && n > 20:
		parts = append(parts, "mốt")
	case unit == 4 && n > 20:
		parts = append(parts, "tư")
	case unit == 5:
		parts = append(parts, "lăm")
	default:
		parts = append(parts, digits[unit])
	}
	return parts
}
