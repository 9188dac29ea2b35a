package ocr

import (
	"testing"
	"time"

	"motcua/ocr/field"
	"motcua/ocr/paper"
)

// sureOf is print that two readers read alike.
func sureOf(v string) []paper.Evidence {
	return []paper.Evidence{{Value: v, Source: paper.OCR, Conf: 0.99, Reread: true, Second: true}}
}

// A card ends on its bearer's birthday, at 14, 25, 40 or 60, and later than two years after it is issued. What two readers
// read alike is doubted if it doesn't: a figure of two ones reads as one on a tight cutting, by either.
func TestExpiryFollowsBirth(t *testing.T) {
	for _, c := range []struct {
		why                 string
		kind                paper.Kind
		born, issue, expiry string
		doubted             bool
	}{
		{"on the birthday, at 40", paper.CCCD, "1988-11-23", "2021-06-01", "2028-11-23", false},
		{"the month lost a stroke", paper.CCCD, "1988-11-23", "2021-06-01", "2028-01-23", true},
		{"the day", paper.CCCD, "1988-11-23", "2021-06-01", "2028-11-22", true},
		{"the year", paper.CanCuoc, "1988-11-23", "2024-08-01", "2029-11-23", true},
		{"issued before the limit of two years", paper.CCCD, "1988-11-23", "2023-08-01", "2048-11-23", true},
		{"issued within two years before 25", paper.CCCD, "1998-05-02", "2022-01-05", "2038-05-02", false},
		{"then 25 has passed", paper.CCCD, "1998-05-02", "2022-01-05", "2023-05-02", true},
		{"a child's card since 2024", paper.CanCuoc, "2018-02-10", "2024-09-01", "2032-02-10", false},
		{"born on a leap day, on the last of February", paper.CCCD, "1996-02-29", "2021-06-01", "2036-02-28", false},
		{"born on a leap day", paper.CCCD, "1996-02-29", "2022-06-01", "2036-02-29", false},
		{"no end, at 61", paper.CCCD, "1960-02-03", "2021-06-01", field.Forever, false},
		{"no end, at 33", paper.CCCD, "1988-02-03", "2021-06-01", field.Forever, true},
		{"only the year of birth is known", paper.CCCD, "1950", "2021-06-01", field.Forever, false},
		{"a passport knows no such rule", paper.Passport, "1988-11-23", "2021-06-01", "2031-06-01", false},
	} {
		f := settle(c.kind, map[paper.Name][]paper.Evidence{paper.DateOfBirth: sureOf(c.born), paper.DateOfIssue: sureOf(c.issue),
			paper.DateOfExpiry: sureOf(c.expiry)})
		if got := f[paper.DateOfExpiry].Review; got != c.doubted {
			t.Errorf("%s: review %t, doubts %v", c.why, got, f[paper.DateOfExpiry].Doubts)
		}
	}
}

// An MRZ has two figures for a year. Which century is meant the paper's other dates say.
func TestCenturiesFitEachOther(t *testing.T) {
	ofMRZ := func(v string) paper.Evidence {
		return paper.Evidence{Value: v, Source: paper.MRZ, Conf: certainty(paper.MRZ)}
	}
	now := time.Date(2026, 11, 29, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		why                string
		birth, expiry      string // as the MRZ's reader gives them
		issue              string
		born, ends         string
		birthPrint, exPrnt string
	}{
		{why: "a passport that ended long ago", birth: "1960-05-01", expiry: "2098-05-01", issue: "1988-05-01", born: "1960-05-01",
			ends: "1998-05-01"},
		{why: "older than the day of issue", birth: "2011-03-04", expiry: "2000-01-02", issue: "1990-01-02", born: "1911-03-04",
			ends: "2000-01-02"},
		{why: "older than the day of expiry", birth: "2011-03-04", expiry: "2000-01-02", born: "1911-03-04", ends: "2000-01-02"},
		{why: "print knows", birth: "2020-07-01", expiry: "2030-07-01", birthPrint: "1920-07-01", born: "1920-07-01", ends: "2030-07-01"},
		{why: "nothing to settle", birth: "2001-07-01", expiry: "2041-07-01", issue: "2024-01-01", born: "2001-07-01", ends: "2041-07-01"},
	} {
		all := map[paper.Name][]paper.Evidence{paper.DateOfBirth: {ofMRZ(c.birth)}, paper.DateOfExpiry: {ofMRZ(c.expiry)}}
		if c.issue != "" {
			all[paper.DateOfIssue] = sureOf(c.issue)
		}
		if c.birthPrint != "" {
			all[paper.DateOfBirth] = append(all[paper.DateOfBirth], sureOf(c.birthPrint)...)
		}
		settleCenturies(all, now)
		if b, e := all[paper.DateOfBirth][0].Value, all[paper.DateOfExpiry][0].Value; b != c.born || e != c.ends {
			t.Errorf("%s: born %s, ends %s", c.why, b, e)
		}
	}
}

func TestImpossibleDateIsNoValue(t *testing.T) {
	f := &readSide{Readings: map[paper.Name][]paper.Evidence{}}
	for _, v := range []string{"2144-44-44", "2021-02-30", "1988-13-01", "0000-00-00", "9999-01-01"} {
		f.add(paper.DateOfExpiry, paper.Evidence{Value: v, Source: paper.MRZ})
		f.add(paper.DateOfBirth, paper.Evidence{Value: v, Source: paper.OCR})
	}
	f.add(paper.DateOfIssue, paper.Evidence{Value: "1950", Source: paper.OCR}) // of an issue the day is known
	if len(f.Readings) != 0 {
		t.Errorf("%d fields", len(f.Readings))
	}
	f.add(paper.DateOfBirth, paper.Evidence{Value: "1950", Source: paper.OCR})
	f.add(paper.DateOfExpiry, paper.Evidence{Value: field.Forever, Source: paper.OCR})
	if len(f.Readings) != 2 {
		t.Errorf("%d fields", len(f.Readings))
	}
}

// A year of birth is a value, and the number's century and year confirm it.
func TestYearOfBirth(t *testing.T) {
	f := settle(paper.CCCD, map[paper.Name][]paper.Evidence{paper.DateOfBirth: sureOf("1950"), paper.Number: sureOf("079150012345"),
		paper.Sex: sureOf("Nữ")})
	if b := f[paper.DateOfBirth]; b.Value != "1950" || b.Review {
		t.Errorf("%v, doubts %v", b, b.Doubts)
	}
	f = settle(paper.CCCD, map[paper.Name][]paper.Evidence{paper.DateOfBirth: sureOf("1951"), paper.Number: sureOf("079150012345")})
	if !f[paper.DateOfBirth].Review || !f[paper.Number].Review {
		t.Error("the number is of another year")
	}
}

// A day of expiry that was hard to read but comes to the one that the birth asks for needs no look, and neither does an MRZ's sex that
// the number's fourth figure says, too; any other doubt stays.
func TestOtherFieldsSettleADoubt(t *testing.T) {
	faint := func(v string) []paper.Evidence {
		return []paper.Evidence{{Value: v, Source: paper.OCR, Conf: 0.6, Doubts: []paper.Doubt{paper.LowConfidence}}}
	}
	for expiry, doubted := range map[string]bool{"2028-11-23": false, "2028-11-28": true, "2029-11-23": true} {
		f := settle(paper.CCCD, map[paper.Name][]paper.Evidence{paper.DateOfBirth: sureOf("1988-11-23"), paper.DateOfExpiry: faint(expiry)})
		if f[paper.DateOfExpiry].Review != doubted {
			t.Errorf("%s: doubts %v", expiry, f[paper.DateOfExpiry].Doubts)
		}
	}
	for sex, doubted := range map[string]bool{"Nữ": false, "Nam": true} {
		f := settle(paper.CanCuoc, map[paper.Name][]paper.Evidence{paper.Number: {{Value: "079188012345", Source: paper.MRZ,
			Conf: certainty(paper.MRZ)}},
			paper.Sex: {{Value: sex, Source: paper.MRZ, Conf: 0.6, Doubts: []paper.Doubt{paper.CheckDigit}}}})
		if f[paper.Sex].Review != doubted {
			t.Errorf("%s: doubts %v", sex, f[paper.Sex].Doubts)
		}
	}
	f := settle(paper.CCCD, map[paper.Name][]paper.Evidence{paper.DateOfBirth: faint("1988-11-23"), paper.DateOfExpiry: faint("2028-11-23")})
	if !f[paper.DateOfExpiry].Review || !f[paper.DateOfBirth].Review {
		t.Error("two faint days don't confirm each other")
	}
}

// An MRZ has no tones: it may not make a name without its marks look confirmed.
func TestMRZSaysNothingOfTones(t *testing.T) {
	f := settle(paper.CCCD, map[paper.Name][]paper.Evidence{paper.FullName: {
		{Value: "TRINH NGOC ANH", Source: paper.MRZ, Conf: 0.6},
		{Value: "TRỊNH NGỌC ANH", Source: paper.OCR, Conf: 0.9, Reread: true},
	}})[paper.FullName]
	if len(f.Agrees) != 0 || f.Value != "TRỊNH NGỌC ANH" || !f.Review {
		t.Errorf("%v agrees %v", f, f.Agrees)
	}
}
