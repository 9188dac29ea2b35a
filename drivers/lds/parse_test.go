package lds

import (
	"bytes"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"motcua/drivers/lds/chip"
	"motcua/drivers/lds/internal/tlv"
)

var now = time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)

// entry is one entry of DG13 with strings of one kind.
func entry(id byte, tag uint32, texts ...string) []byte {
	parts := [][]byte{tlv.Append(nil, 0x02, []byte{id})}
	for _, s := range texts {
		parts = append(parts, tlv.Append(nil, tag, []byte(s)))
	}
	return tlv.Append(nil, 0x30, parts...)
}

func TestDG13(t *testing.T) {
	name := entry(2, 0x0c, "Nguyễn Thị Bưởi")
	number := entry(1, 0x13, "079195001234")
	wrap := func(parts ...[]byte) []byte { return tlv.Append(nil, 0x6d, parts...) }
	both := map[string]string{"number": "079195001234", "full_name": "Nguyễn Thị Bưởi"}
	plus := func(more ...string) map[string]string {
		m := maps.Clone(both)
		for i := 0; i < len(more); i += 2 {
			m[more[i]] = more[i+1]
		}
		return m
	}
	for _, tc := range []struct {
		name    string
		file    []byte
		fields  map[string]string
		unknown map[int]string
		twice   []string
	}{
		{"entries right below the tag", wrap(number, name), both, nil, nil},
		{"in a sequence", wrap(tlv.Append(nil, 0x30, number, name)), both, nil, nil},
		{"in a set behind a version", wrap(tlv.Append(nil, 0x30, []byte{2, 1, 0}, tlv.Append(nil, 0x31, number, name))), both, nil, nil},
		{"a sequence of version and entries is no entry", wrap(tlv.Append(nil, 0x30, []byte{2, 1, 0}, tlv.Append(nil, 0x30, number, name))), both,
			nil, nil},
		{"unknown entries are kept", wrap(number, name, entry(16, 0x13, "0123456789ABCDEF"), entry(99, 0x0c, "Gì đó")), both,
			map[int]string{16: "0123456789ABCDEF", 99: "Gì đó"}, nil},
		{"parents", wrap(number, name, tlv.Append(nil, 0x30, []byte{2, 1, 13}, tlv.Append(nil, 0x30, []byte("\x0c\x03Cha")),
			tlv.Append(nil, 0x30, []byte("\x0c\x03M\xe1\xba")))),
			plus("father_name", "Cha"), nil, nil},
		{"no father", wrap(number, name, tlv.Append(nil, 0x30, []byte{2, 1, 13}, tlv.Append(nil, 0x30, []byte("\x0c\x00")),
			tlv.Append(nil, 0x30, []byte("\x0c\x04Trai")))), plus("mother_name", "Trai"), nil, nil},
		{"one parent alone is not guessed to be the father", wrap(number, name,
			tlv.Append(nil, 0x30, []byte{2, 1, 13}, tlv.Append(nil, 0x30, []byte("\x0c\x04Trai")))), both, map[int]string{13: "Trai"}, nil},
		{"empty spouse", wrap(number, name, entry(14, 0x0c)), both, nil, nil},
		{"spouse", wrap(number, name, tlv.Append(nil, 0x30, []byte{2, 1, 14}, tlv.Append(nil, 0x30, []byte("\x0c\x03Vui")))),
			plus("spouse_name", "Vui"), nil, nil},
		{"dates become ISO", wrap(number, name, entry(3, 0x13, "05/03/1995"), entry(11, 0x13, "10/05/2021"), entry(12, 0x0c, "không thời hạn")),
			plus("date_of_birth", "1995-03-05", "date_of_issue", "2021-05-10", "date_of_expiry", "Không thời hạn"), nil, nil},
		{"an impossible date stays as it is told", wrap(number, name, entry(3, 0x13, "31/02/1995")), plus("date_of_birth", "31/02/1995"), nil,
			nil},
		{"decomposed letters and stray blanks", wrap(number, entry(2, 0x0c, " Nguye\u0302\u0303n  Thi\u0323\tBu\u031bo\u031b\u0309i\x00")), both,
			nil, nil},
		{"UTF-16", wrap(number, name, tlv.Append(nil, 0x30, []byte{2, 1, 6}, []byte{0x1e, 8, 0, 'K', 0, 'i', 0, 'n', 0, 'h'})),
			plus("ethnicity", "Kinh"), nil, nil},
		{"told twice differently", wrap(number, name, entry(2, 0x0c, "Lê Văn Khác")), both, nil, []string{"full_name"}},
		{"told twice alike", wrap(number, name, name), both, nil, nil},
		{"bytes that are no text give no value", wrap(number, name, entry(6, 0x0c, "Kinh\xff")), both, nil, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d, err := parseDG13(tc.file)
			if err != nil || !maps.Equal(d.fields, tc.fields) || !maps.Equal(d.unknown, tc.unknown) || !slices.Equal(d.twice, tc.twice) {
				t.Errorf("%q %v %q %v", d.fields, d.unknown, d.twice, err)
			}
		})
	}
	for _, bad := range [][]byte{nil, {0x6d, 0}, {0x6d, 5, 0x30}, wrap([]byte{0x30, 2, 5, 0}), {0x61, 0}} {
		if _, err := parseDG13(bad); err == nil {
			t.Errorf("%X was taken", bad)
		}
	}
}

func TestMRZ(t *testing.T) {
	vietnamese := "IDVNM2046599247079204659924<<70401146M2901145VNM<<<<<<<<<<<6KIEU<<MINH<QUYEN<LONG<<<<<<<<<"
	digit := func(s string) string { d, _ := checkDigit(s); return s + string(d) }
	passport := "P<VNMNGUYEN<<THI<BUOI<<<<<<<<<<<<<<<<<<<<<<<" + digit("C12345674") + "VNM" + digit("240305") + "F" + digit("340305") +
		"<<<<<<<<<<<<<<" + "<" + "0"
	for _, tc := range []struct {
		name, text string
		want       map[string]string
		key        Key
		doubtful   []string
	}{
		{"card", vietnamese, map[string]string{"number": "079204659924", "sex": "Nam", "nationality": "Việt Nam", "date_of_birth": "2004-01-14",
			"date_of_expiry": "2029-01-14"},
			Key{"204659924", "040114", "290114"}, nil},
		{"card without end", vietnamese[:38] + "9912315" + vietnamese[45:],
			map[string]string{"number": "079204659924", "sex": "Nam", "nationality": "Việt Nam", "date_of_birth": "2004-01-14",
				"date_of_expiry": "Không thời hạn"},
			Key{"204659924", "040114", "991231"}, nil},
		{"personal number misread", vietnamese[:20] + "5" + vietnamese[21:],
			map[string]string{"number": "079205659924", "sex": "Nam", "nationality": "Việt Nam", "date_of_birth": "2004-01-14",
				"date_of_expiry": "2029-01-14"},
			Key{"204659924", "040114", "290114"}, []string{"number"}},
		{"long number of 9303-11, D.2", "I<UTOD23145890<7349<<<<<<<<<<<" + "3407127M9507122UTO<<<<<<<<<<<2" + "STEVENSON<<PETER<<<<<<<<<<<<<<",
			map[string]string{"document_number": "D23145890734", "sex": "Nam", "nationality": "UTO", "date_of_birth": "1934-07-12",
				"date_of_expiry": "2095-07-12"}, Key{"D23145890734", "340712", "950712"}, nil},
		{"passport of a child or of someone of 102", passport, map[string]string{"document_number": "C12345674", "sex": "Nữ",
			"nationality": "Việt Nam", "date_of_birth": "2024-03-05", "date_of_expiry": "2034-03-05"},
			Key{"C12345674", "240305", "340305"}, []string{"date_of_birth"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			m, err := parseMRZ(tc.text)
			if err != nil {
				t.Fatal(err)
			}
			if got := m.fields(now); !maps.Equal(got, tc.want) {
				t.Errorf("fields %q", got)
			}
			if got := m.doubtful(now); !slices.Equal(got, tc.doubtful) {
				t.Errorf("doubtful %q", got)
			}
			if key, err := KeyOf(m.lines); err != nil || key != tc.key {
				t.Errorf("key %s %s %s, %v", key.Number, key.Birth, key.Expiry, err)
			}
		})
	}
	misread := []string{vietnamese[:7] + "5" + vietnamese[8:30], vietnamese[30:60], vietnamese[60:]}
	if _, err := KeyOf(misread); err == nil {
		t.Error("a key with a wrong check digit was taken")
	}
	for _, bad := range []string{"", "abc", vietnamese + "<", vietnamese[:89] + "é"} {
		if _, err := parseMRZ(bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

// The key from the front is that from the back.
func TestCardKey(t *testing.T) {
	for _, p := range []chip.Person{
		{Number: "079195001234", Sex: "Nữ", Birth: time.Date(1995, 3, 5, 0, 0, 0, 0, time.UTC),
			Expiry: time.Date(2035, 3, 5, 0, 0, 0, 0, time.UTC)},
		{Number: "001060004321", Sex: "Nam", Birth: time.Date(1960, 12, 31, 0, 0, 0, 0, time.UTC)},
	} {
		expiry := endless
		if !p.Expiry.IsZero() {
			expiry = p.Expiry.Format(time.DateOnly)
		}
		got, err := CardKey(p.Number, p.Birth.Format(time.DateOnly), expiry)
		want, err2 := KeyOf(p.MRZ())
		if err != nil || err2 != nil || got != want {
			t.Errorf("%s %s %s, %v, %v", got.Number, got.Birth, got.Expiry, err, err2)
		}
	}
	for _, bad := range [][3]string{{"123", "1995-03-05", "2035-03-05"}, {"079195001234", "1995", "2035-03-05"},
		{"079195001234", "1995-03-05", ""}} {
		if _, err := CardKey(bad[0], bad[1], bad[2]); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

func TestDG2(t *testing.T) {
	jpeg := append([]byte{0xff, 0xd8, 0xff, 0xe0}, bytes.Repeat([]byte{7}, 300)...)
	files := chip.Person{Number: "079195001234", Sex: "Nữ", Face: jpeg}.Groups()
	got, kind, err := parseDG2(files[2])
	if err != nil || kind != "image/jpeg" || !bytes.Equal(got, jpeg) {
		t.Errorf("%d bytes of %s, %v", len(got), kind, err)
	}
	newer := tlv.Append(nil, 0x75, tlv.Append(nil, 0x7f61, []byte{2, 1, 1},
		tlv.Append(nil, 0x7f60, tlv.Append(nil, 0x7f2e, tlv.Append(nil, 0xa1, []byte("header"), jpeg)))))
	if got, kind, err := parseDG2(newer); err != nil || kind != "image/jpeg" || !bytes.Equal(got, jpeg) {
		t.Errorf("ISO 39794: %d bytes of %s, %v", len(got), kind, err)
	}
	if _, _, err := parseDG2(tlv.Append(nil, 0x75)); err == nil {
		t.Error("an empty DG2 was taken")
	}
}

var update = flag.Bool("update", false, "make the signed seed files in testdata anew")

// seedGroups are the files of an invented person, signed, as seeds for fuzzing. The signature lies in
// testdata, because a seed must be the same in every process that fuzzes.
func seedGroups(f *testing.F) (chip.Files, []*Certificate) {
	files := chip.Person{Number: "079195001234", Name: "Nguyễn Thị Bưởi", Latin: "NGUYEN<<THI<BUOI", Sex: "Nữ", Birth: now, Issue: now,
		Father: "Nguyễn Văn Mít", Mother: "Trần Thị Ổi", Face: []byte("\xff\xd8\xff\xe0")}.Groups()
	if *update {
		state, err := chip.NewState(now)
		if err != nil {
			f.Fatal(err)
		}
		if err := state.Sign(files); err != nil {
			f.Fatal(err)
		}
		for name, content := range map[string][]byte{"sod": files[0x1d], "csca.pem": state.CSCA()} {
			if err := os.WriteFile(filepath.Join("testdata", name), content, 0o644); err != nil {
				f.Fatal(err)
			}
		}
	}
	file := func(name string) []byte {
		content, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		return content
	}
	files[0x1d] = file("sod")
	trusted, err := ParseCertificates(file("csca.pem"))
	if err != nil {
		f.Fatal(err)
	}
	return files, trusted
}

func FuzzDG13(f *testing.F) {
	files, _ := seedGroups(f)
	f.Add(files[13])
	f.Add(tlv.Append(nil, 0x6d, entry(13, 0x0c, "Cha", "Mẹ"), entry(200, 0x13, "x")))
	f.Add([]byte{0x6d, 0x82, 0xff, 0xff, 0x30})
	f.Fuzz(func(t *testing.T, file []byte) {
		d, err := parseDG13(file)
		if err != nil {
			return
		}
		for name, value := range d.fields {
			if value == "" || clean(value) != value {
				t.Errorf("%s is %q", name, value)
			}
		}
	})
}

func FuzzDG2(f *testing.F) {
	files, _ := seedGroups(f)
	f.Add(files[2])
	f.Fuzz(func(t *testing.T, file []byte) {
		if picture, kind, err := parseDG2(file); err == nil && (len(picture) == 0 || kind == "" || len(picture) > len(file)) {
			t.Errorf("%d bytes of %q", len(picture), kind)
		}
	})
}

func FuzzDG1(f *testing.F) {
	files, _ := seedGroups(f)
	f.Add(files[1])
	f.Fuzz(func(t *testing.T, file []byte) {
		m, err := parseDG1(file)
		if err != nil {
			return
		}
		for name, value := range m.fields(now) {
			if value == "" {
				t.Errorf("%s is empty", name)
			}
		}
		m.doubtful(now)
		KeyOf(m.lines)
	})
}

// FuzzSOD also holds passive authentication to its promise: nothing that was altered is Verified.
func FuzzSOD(f *testing.F) {
	files, trusted := seedGroups(f)
	f.Add(files[0x1d])
	seed, err := parseSOD(files[0x1d])
	if err != nil {
		f.Fatal(err)
	}
	groups := map[int][]byte{1: files[1], 2: files[2], 13: files[13]}
	forged := maps.Clone(groups)
	forged[13] = tlv.Append(nil, 0x6d, entry(2, 0x0c, "Lê Văn Giả"))
	if got := seed.authenticate(groups, "VNM", trusted, now); got.Trust != Verified {
		f.Fatalf("the seed is %+v", got)
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		s, err := parseSOD(file)
		if err != nil {
			return
		}
		if got := s.authenticate(forged, "VNM", trusted, now); got.Trust == Verified {
			t.Error("forged data verified")
		}
		s.authenticate(groups, "VNM", trusted, now)
	})
}

func FuzzCertificates(f *testing.F) {
	_, trusted := seedGroups(f)
	f.Add(trusted[0].raw)
	f.Fuzz(func(t *testing.T, file []byte) { ParseCertificates(file) })
}
