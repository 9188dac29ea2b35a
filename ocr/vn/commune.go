package vn

import (
	_ "embed"
	"strings"
	"sync"
)

// communes are the wards, communes and townships by district, as the statistics office listed them at any time from October
// 2019 to February 2025, and since the reform of 1 July 2025 by province: one district or province a line, "022 Bình Liêu: …"
// with the code the personal number has, "Cần Thơ: …" without. The office publishes the list as facts of law; `go run ./ocr/lab/communes`
// takes it from github.com/daohoangson/dvhcvn (its history) and, for the 3,321 since 2025, from
// github.com/thanglequoc/vietnamese-provinces-database (MIT).
//
//go:embed communes.txt
var communes string

// communeIndex has the lists by folded place: "022 bình liêu", "cần thơ".
var communeIndex = sync.OnceValue(func() map[string]string {
	index := map[string]string{}
	for line := range strings.Lines(communes) {
		place, list, ok := strings.Cut(strings.TrimSpace(line), ": ")
		if !ok {
			continue
		}
		code, name, old := strings.Cut(place, " ")
		if old && len(code) == 3 && code[0] >= '0' && code[0] <= '9' {
			index[code+" "+Fold(name)] = list
		} else {
			index[Fold(place)] = list
		}
	}
	return index
})

// Communes lists the wards, communes and townships that a district of a province (by its code) had until July 2025, without
// "Xã" and the like, but "Phường 5".
func Communes(code, district string) []string {
	return listed(code + " " + Fold(district))
}

// CommunesSince2025 lists those of a province by its name since 1 July 2025.
func CommunesSince2025(province string) []string { return listed(Fold(province)) }

func listed(key string) []string {
	list := communeIndex()[key]
	if list == "" {
		return nil
	}
	return strings.Split(list, ", ")
}

// commune looks a part of an address up among names. twin says that another name differs from it by its marks or one letter
// only; if it is none of them but differs from one by no more, near is that one.
func commune(part string, names []string) (known string, twin bool, near string) {
	part = strings.TrimSpace(part)
	bare := trimUnit(part)
	if bare != "" && bare[0] >= '0' && bare[0] <= '9' {
		bare = "Phường " + strings.TrimLeft(bare, "0")
	}
	full, plain := Fold(bare), Plain(bare)
	whole := Fold(part)
	for _, n := range names {
		switch f := Fold(n); {
		case f == full, f == whole:
			known = n
		case oneOff(plain, Plain(n)):
			if !strings.HasPrefix(n, "Phường ") || plain == Plain(n) { // numbers are not each other's misreading
				near = n
			}
		}
	}
	if known != "" {
		return known, near != "", ""
	}
	return "", false, near
}

// oneOff says whether two words of plain capitals are the same but for one letter.
func oneOff(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	if len(b)-len(a) > 1 || len(a) < 4 && a != b {
		return a == b
	}
	i := 0
	for i < len(a) && a[i] == b[i] {
		i++
	}
	j := 0
	for j < len(a)-i && a[len(a)-1-j] == b[len(b)-1-j] {
		j++
	}
	return i+j >= len(b)-1
}

var communeSyllables = sync.OnceValue(func() map[string]bool {
	known := map[string]bool{}
	for _, list := range communeIndex() {
		for _, w := range strings.FieldsFunc(Fold(list), func(r rune) bool { return r == ' ' || r == ',' || r == '-' }) {
			known[w] = true
		}
	}
	return known
})
