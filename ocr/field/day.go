package field

import (
	"fmt"
	"regexp"
	"slices"
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
	if v, ok := yearAlone(p); ok { // before a day: "00/00/1950" has the form of one
		return v, true
	}
	return day(p, false)
}

// yearAlone reads a birth of which only the year is known: "1950", "00/00/1950", "--/--/1950", and nothing else on the line. Of what is
// left of a day that was lost in part, "/1950", the year is doubted.
func yearAlone(p []piece) (Value, bool) {
	var b strings.Builder
	for _, w := range p {
		b.WriteString(w.text)
	}
	text := strings.Trim(b.String(), " .,:;")
	year := strings.TrimLeft(text, "0/-_.… ")
	if len(p) == 0 || len(p) > 5 || len(year) != 4 || strings.Trim(year, "0123456789") != "" || !likelyYear(year) {
		return Value{}, false
	}
	v := whole(p)
	v.Text = year
	if before := strings.TrimSuffix(text, year); before != "" && !noDay.MatchString(before) {
		v.Doubts = append(v.Doubts, paper.Incomplete)
	}
	return v, true
}

// noDay is what stands in the place of a day and a month that nobody knows.
var noDay = regexp.MustCompile(`^(00|--|__|…|\.{2,}) ?[/.-] ?(00|--|__|…|\.{2,}) ?[/.-] ?$`)

// date accepts dd/mm/yyyy with /, - or . between (odd: another sign, or a letter read for a digit), and "ngày 1
// tháng 2 năm 2003".
func date(s string) (iso string, odd, ok bool) {
	if d, m, y, whole, ok := spelled(s); ok {
		return isoDay(d, m, y), !whole, true
	}
	f := figuresOf(s)
	if g := f.groups; len(g) == 3 && len(g[0]) <= 2 && len(g[1]) <= 2 && len(g[2]) == 4 {
		odd = f.letters || f.oddSigns() || strings.HasPrefix(strings.TrimSpace(s), "/") ||
			len(g[0]) == 1 || len(g[1]) == 1 // printed dates have two figures each: one may be lost
		return g[2] + "-" + two(g[1]) + "-" + two(g[0]), odd, true
	}
	iso, ok = f.withoutStrokes()
	return iso, ok, ok
}

// figures are the groups of figures of a text.
type figures struct {
	groups  []string
	between []string // what stands before each but the first
	letters bool     // one of them was read as a letter
}

func figuresOf(s string) figures {
	var f figures
	var sep strings.Builder
	open := false // a group
	for _, r := range s {
		c := digit(r)
		if c == 0 {
			open = false
			sep.WriteRune(r)
			continue
		}
		f.letters = f.letters || r > '9'
		if !open {
			if len(f.groups) > 0 {
				f.between = append(f.between, sep.String())
			}
			f.groups = append(f.groups, "")
			open = true
		}
		f.groups[len(f.groups)-1] += string(c)
		sep.Reset()
	}
	return f
}

// oddSigns says whether anything but the strokes of a date stands between the groups.
func (f figures) oddSigns() bool {
	return slices.ContainsFunc(f.between, func(b string) bool {
		t := strings.TrimSpace(b)
		return t != "/" && t != "-" && t != "."
	})
}

// withoutStrokes reads a date of whose strokes one or both were lost, or read as figures.
func (f figures) withoutStrokes() (iso string, ok bool) {
	all, g := strings.Join(f.groups, ""), f.groups
	stroke := func(at int) bool { return all[at] == '1' || all[at] == '7' }
	switch {
	case len(all) == 10 && stroke(2) && stroke(5):
		return all[6:] + "-" + all[3:5] + "-" + all[:2], true
	case len(all) == 8 && (len(g) == 2 || len(g) == 3):
		return all[4:] + "-" + all[2:4] + "-" + all[:2], true
	case len(g) == 2 && len(g[0]) == 5 && len(g[1]) == 4 && stroke(2):
		return g[1] + "-" + all[3:5] + "-" + all[:2], true
	case len(g) == 2 && len(g[0]) == 2 && len(g[1]) == 7 && stroke(4):
		return all[5:] + "-" + all[2:4] + "-" + all[:2], true
	}
	return "", false
}

// likelyYear says whether a paper can bear the year.
func likelyYear(y string) bool { return y >= "1880" && y <= "2099" }

// spelled reads "ngày 01 tháng 02 năm 2003", and "ngày/date 01 tháng/month 02 năm/year 2003".
// whole says that no figure is missing: days below ten and the months one and two
// are written with a nought before them (Decree 30/2020/ND-CP, appendix I).
func spelled(s string) (d, m, y int, whole, ok bool) {
	whole = true
	f := strings.Fields(strings.ToLower(vn.Plain(strings.NewReplacer(",", " ", ".", " ", ":", " ", "/ ", "/").Replace(s))))
	get := func(word string) (int, bool) {
		for i := 0; i+1 < len(f); i++ {
			if head, _, _ := strings.Cut(f[i], "/"); head == word {
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
