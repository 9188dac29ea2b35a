package field

import (
	"fmt"
	"strings"
	"time"

	"motcua/ocr/paper"
	"motcua/ocr/vn"
)

// Forever is how a card without an expiry date says so.
const Forever = "Không thời hạn"

// day reads a date as printed, day before month; an expiry may also be Forever.
func day(p []piece, expiry bool) (Value, bool) {
	if expiry {
		for n := min(4, len(p)); n >= 3; n-- {
			for i := 0; i+n <= len(p); i++ {
				var ws []string
				for _, w := range p[i : i+n] {
					ws = append(ws, w.text)
				}
				letters, _, _ := plain(ws)
				if _, _, e := search(letters, "KHONGTHOIHAN", 2); e <= 2 && len(letters) <= 15 {
					v := whole(p[i : i+n])
					v.Text = Forever
					return v, true
				}
			}
		}
	}
	// dd/mm/yyyy in one word or torn into several; the separators are often misread.
	for n := 1; n <= 5; n++ {
		for i := 0; i+n <= len(p); i++ {
			var b strings.Builder
			for k, w := range p[i : i+n] {
				if k > 0 {
					b.WriteByte(' ')
				}
				b.WriteString(w.text)
			}
			iso, odd, ok := date(b.String())
			if !ok {
				continue
			}
			v := whole(p[i : i+n])
			if !likelyYear(iso[:4]) && (iso[0] == '4' || iso[0] == '7') && likelyYear("1"+iso[1:4]) { // no paper is of 4979
				iso, odd = "1"+iso[1:], true
			}
			v.Text = iso
			if odd {
				v.Conf = min(v.Conf, 0.6)
			}
			if t, err := time.Parse(time.DateOnly, iso); err != nil || t.Year() < 1880 || t.Year() > 2150 {
				v.Doubts = append(v.Doubts, paper.ImpossibleDate)
			}
			return v, true
		}
	}
	return Value{}, false
}

// birthday reads a day of birth, or the year alone.
func birthday(p []piece) (Value, bool) {
	if v, ok := day(p, false); ok {
		return v, true
	}
	return yearAlone(p)
}

// yearAlone reads a birth of which only the year is known: "1950", "00/00/1950", "--/--/1950", and nothing else on the line.
func yearAlone(p []piece) (Value, bool) {
	var b strings.Builder
	for _, w := range p {
		b.WriteString(w.text)
	}
	year := strings.TrimLeft(strings.Trim(b.String(), " .,:;"), "0/-_.… ")
	if len(p) == 0 || len(p) > 5 || len(year) != 4 || strings.Trim(year, "0123456789") != "" || !likelyYear(year) {
		return Value{}, false
	}
	v := whole(p)
	v.Text = year
	return v, true
}

// date accepts dd/mm/yyyy with /, - or . between (odd: another sign, or a letter read for a digit), and "ngày 1
// tháng 2 năm 2003".
func date(s string) (iso string, odd, ok bool) {
	if d, m, y, whole, ok := spelled(s); ok {
		return isoDay(d, m, y), !whole, true
	}
	var groups []string
	var cur []byte
	var between []string
	sep := ""
	started := false
	for _, r := range s {
		if c := digit(r); c != 0 {
			if r > '9' {
				odd = true
			}
			if len(cur) == 0 && started {
				between = append(between, sep)
			}
			cur = append(cur, c)
			started = true
			sep = ""
			continue
		}
		if len(cur) > 0 {
			groups = append(groups, string(cur))
			cur = nil
		}
		sep += string(r)
	}
	if len(cur) > 0 {
		groups = append(groups, string(cur))
	}
	all := strings.Join(groups, "")
	switch {
	case len(groups) == 3 && len(groups[0]) <= 2 && len(groups[1]) <= 2 && len(groups[2]) == 4:
		for _, b := range between {
			if t := strings.TrimSpace(b); t != "/" && t != "-" && t != "." {
				odd = true
			}
		}
		if strings.HasPrefix(strings.TrimSpace(s), "/") {
			odd = true
		}
		if len(groups[0]) == 1 || len(groups[1]) == 1 { // printed dates have two figures each: one may be lost
			odd = true
		}
		return groups[2] + "-" + two(groups[1]) + "-" + two(groups[0]), odd, true
	case len(all) == 10 && (all[2] == '1' || all[2] == '7') && (all[5] == '1' || all[5] == '7'): // a slash read as 1 or 7
		return fmt.Sprintf("%s-%s-%s", all[6:], all[3:5], all[:2]), true, true
	case len(all) == 8 && len(groups) <= 3 && len(groups) > 1: // a slash was lost
		return fmt.Sprintf("%s-%s-%s", all[4:], all[2:4], all[:2]), true, true
	case len(groups) == 2 && len(groups[0]) == 5 && len(groups[1]) == 4 && (all[2] == '1' || all[2] == '7'): // one slash was read as 1 or 7
		return fmt.Sprintf("%s-%s-%s", groups[1], all[3:5], all[:2]), true, true
	case len(groups) == 2 && len(groups[0]) == 2 && len(groups[1]) == 7 && (all[4] == '1' || all[4] == '7'):
		return fmt.Sprintf("%s-%s-%s", all[5:], all[2:4], all[:2]), true, true
	}
	return "", false, false
}

// likelyYear says whether a paper can bear the year.
func likelyYear(y string) bool { return y >= "1880" && y <= "2099" }

// spelled reads "ngày 01 tháng 02 năm 2003". whole says that no figure is missing: days below ten and the months one and two
// are written with a nought before them (Decree 30/2020/ND-CP, appendix I).
func spelled(s string) (d, m, y int, whole, ok bool) {
	whole = true
	f := strings.Fields(strings.ToLower(vn.Plain(strings.NewReplacer(",", " ", ".", " ", ":", " ").Replace(s))))
	get := func(word string) (int, bool) {
		for i := 0; i+1 < len(f); i++ {
			if f[i] == word {
				n := 0
				if _, err := fmt.Sscanf(f[i+1], "%d", &n); err == nil {
					if len(f[i+1]) == 1 && (word != "thang" || n < 3) {
						whole = false
					}
					return n, true
				}
			}
		}
		return 0, false
	}
	d, a := get("ngay")
	m, b := get("thang")
	y, c := get("nam")
	return d, m, y, whole, a && b && c && y > 1800 && y < 2200 && m <= 99 && d <= 99
}

func two(s string) string {
	if len(s) == 1 {
		return "0" + s
	}
	return s
}

func isoDay(d, m, y int) string { return fmt.Sprintf("%04d-%02d-%02d", y, m, d) }
