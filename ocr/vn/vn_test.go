package vn

import (
	"slices"
	"testing"

	"golang.org/x/text/unicode/norm"
)

func TestSixtyThreeBecameThirtyFour(t *testing.T) {
	if n := len(Provinces()); n != 63 {
		t.Errorf("%d provinces before July 2025", n)
	}
	if n := len(ProvincesSince2025()); n != 34 {
		t.Errorf("%d provinces since", n)
	}
	for _, p := range Provinces() {
		if len(Districts(p.Code)) < 6 {
			t.Errorf("%s has %d districts", p.Name, len(Districts(p.Code)))
		}
		if !norm.NFC.IsNormalString(p.Name + p.Into + districts[p.Code]) {
			t.Errorf("%s is not NFC", p.Name)
		}
		if q, ok := ProvinceByName("Tỉnh " + p.Name); !ok || q.Code != p.Code {
			t.Errorf("%s not found by name", p.Name)
		}
		if _, ok := ProvinceByName(p.Into); !ok {
			t.Errorf("%s not found by name", p.Into)
		}
	}
}

func TestParsePersonalNumber(t *testing.T) {
	for _, c := range []struct {
		number, province, sex string
		year                  int
		err                   error
	}{
		{"079090012345", "Hồ Chí Minh", "Nam", 1990, nil},
		{"001185004567", "Hà Nội", "Nữ", 1985, nil},
		{"079204659924", "Hồ Chí Minh", "Nam", 2004, nil},
		{"036316000001", "Nam Định", "Nữ", 2016, nil},
		{"003090012345", "", "", 0, ErrProvince},
		{"07909001234", "", "", 0, ErrDigits},
		{"07909001234O", "", "", 0, ErrDigits},
		{"", "", "", 0, ErrDigits},
	} {
		n, err := ParsePersonalNumber(c.number)
		if err != c.err || n.Province.Name != c.province || n.Sex != c.sex || n.Year != c.year {
			t.Errorf("%s: %+v, %v", c.number, n, err)
		}
		if err == nil && CenturyDigit(c.year, c.sex) != c.number[3] {
			t.Errorf("%s: century digit %c", c.number, CenturyDigit(c.year, c.sex))
		}
	}
}

func TestFoldKeepsWordsApart(t *testing.T) {
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"hòa", "hoà", true}, {"Thúy", "thuý", true}, {"HÒA BÌNH", "Hoà  Bình", true}, {"quý", "qúy", true},
		{norm.NFD.String("Nguyễn"), "NGUYỄN", true}, {"Bà Rịa - Vũng Tàu", "Bà Rịa Vũng Tàu", true},
		{"hòa", "hỏa", false}, {"Đức", "Dức", false}, {"Hà", "Hả", false}, {"Trân", "Trần", false}, {"ươ", "ưo", false}, {"12", "1 2", false},
	} {
		if Same(c.a, c.b) != c.same {
			t.Errorf("Same(%q, %q) = %t", c.a, c.b, !c.same)
		}
	}
}

func TestPlain(t *testing.T) {
	if s := Plain("Nguyễn Thị Đào Ưng ĐẶNG"); s != "NGUYEN THI DAO UNG DANG" {
		t.Error(s)
	}
}

func TestLegacyEncodings(t *testing.T) {
	for _, c := range []struct{ vni, tcvn3, want string }{
		{"Nguye\xe3n Va\xean Th\xf6\xf4ng", "Nguy\xd4n V\xa8n Th\xad\xacng", "Nguyễn Văn Thương"},
		{"\xd1\xf6\xf4\xf8ng Hoa\xf8 B\xecnh", "\xa7\xad\xeang Ho\xb5 B\xd7nh", "Đường Hoà Bình"},
		{"NA\xcaM \xd1?", "N\xa1M \xa7?", "NĂM Đ?"},
	} {
		if got := DecodeVNI([]byte(c.vni)); got != c.want {
			t.Errorf("VNI: %q, want %q", got, c.want)
		}
		if got := DecodeTCVN3([]byte(c.tcvn3), false); got != c.want {
			t.Errorf("TCVN3: %q, want %q", got, c.want)
		}
	}
	if got := DecodeTCVN3([]byte("nguy\xd4n"), true); got != "NGUYỄN" {
		t.Error(got)
	}
	if len(tcvn3) != 0xff-0xa1+1 {
		t.Errorf("table of %d", len(tcvn3))
	}
}

func TestLocate(t *testing.T) {
	for address, want := range map[string][2]string{
		"Tổ 5, Yên Hòa, Cầu Giấy, Hà Nội":                {"Hà Nội", "Cầu Giấy"},
		"12/4 Lê Lợi, Bến Nghé, Quận 1, TP. Hồ Chí Minh": {"Hồ Chí Minh", "Quận 1"},
		"Phường Thuận Hóa, Huế":                          {"Thừa Thiên Huế", ""},
		"Thủ Dầu Một, Hồ Chí Minh":                       {"Hồ Chí Minh", "Thủ Dầu Một"},
		"Xã Kim Chung, Tỉnh Hà Tây":                      {"", ""},
	} {
		got := Locate(address)
		if got.Province.Name != want[0] || got.District != want[1] {
			t.Errorf("%s: %+v", address, got)
		}
	}
}

func TestCommunes(t *testing.T) {
	old, now := 0, 0
	for _, p := range Provinces() {
		for _, d := range Districts(p.Code) {
			old += len(Communes(p.Code, d))
		}
	}
	for _, p := range ProvincesSince2025() {
		n := len(CommunesSince2025(p))
		if n == 0 {
			t.Errorf("%s has no communes", p)
		}
		now += n
	}
	if old < 11_000 || now != 3321 { // Resolutions 1656 to 1689/NQ-UBTVQH15 of June 2025
		t.Errorf("%d communes until July 2025, %d since", old, now)
	}
	for address, want := range map[string]Place{
		"Tổ 5, Yên Hòa, Cầu Giấy, Hà Nội":               {Commune: "Yên Hoà"},
		"Xã Đồng Văn, Huyện Bình Liêu, Tỉnh Quảng Ninh": {Commune: "Đồng Văn"},
		"Đồng Vàn, Bình Liêu, Quảng Ninh":               {Near: "Đồng Văn"},
		"Đồng Vn, Bình Liêu, Quảng Ninh":                {Near: "Đồng Văn"},
		"Kỳ Phú, Bình Liêu, Quảng Ninh":                 {},
		"12/4 Lê Lợi, Phường 05, Quận 3, Hồ Chí Minh":   {Commune: "Phường 5"},
		"12/4 Lê Lợi, Phường 77, Quận 3, Hồ Chí Minh":   {},
		"Phường Thuận Hóa, Huế":                         {Commune: "Thuận Hóa"},
		"Thị trấn Phú Phong, Huyện Tây Sơn, Bình Định":  {Commune: "Phú Phong"},
	} {
		got := Locate(address)
		if Fold(got.Commune) != Fold(want.Commune) || got.Near != want.Near {
			t.Errorf("%s: %+v", address, got)
		}
	}
}

func TestSpelledAcceptsEveryListedName(t *testing.T) {
	for _, l := range [][]Share{families, maleMiddle, femaleMiddle, maleGiven, femaleGiven} {
		for _, s := range l {
			if s.Text != "H'" && !Spelled(s.Text) {
				t.Errorf("%q is refused", s.Text)
			}
			if !norm.NFC.IsNormalString(s.Text) {
				t.Errorf("%q is not NFC", s.Text)
			}
		}
	}
	for _, w := range []string{"Nguyên", "Giếng", "Quỳnh", "Khuyến", "Thuở", "Gì", "Nghiêng", "Ủy"} {
		if !Spelled(w) {
			t.Errorf("%q is refused", w)
		}
	}
	for _, w := range []string{"Nguyển1", "Bc", "Hàc", "Tràt", "Wan", "Nguyêễn", "Fam", "", "Hlk"} {
		if Spelled(w) {
			t.Errorf("%q is accepted", w)
		}
	}
}

func TestNameScore(t *testing.T) {
	if s := NameScore("NGUYỄN THỊ THU HÀ"); s != 1 {
		t.Error(s)
	}
	if s := NameScore("NGUYEEN TBI XXX"); s != 0 {
		t.Error(s)
	}
}

func FuzzFold(f *testing.F) {
	f.Add("Hòa")
	f.Add("Ia H'Drai, Kon Tum")
	f.Fuzz(func(t *testing.T, s string) {
		if !Same(s, norm.NFD.String(s)) {
			t.Errorf("%q differs from its decomposition", s)
		}
		Plain(s)
		Locate(s)
		Spelled(s)
		NameScore(s)
		DecodeVNI([]byte(s))
		DecodeTCVN3([]byte(s), true)
	})
}

func TestAlike(t *testing.T) {
	if got := Alike("NGUYÊN"); len(got) != 2 || got[0] != "Nguyễn" || got[1] != "Nguyên" {
		t.Error(got)
	}
	if got := Alike("zzz"); got != nil {
		t.Error(got)
	}
	if !PlaceSyllable("NGHỆ") || PlaceSyllable("Nghễ") {
		t.Error("place syllables")
	}
}

func TestSameName(t *testing.T) {
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"H'Lina Êban", "H’LINA ÊBAN", true}, {"H' Duyên Buôn Yă", "H'Duyên Buôn Yă", true}, {"K'Brơm", "KBRƠM", true},
		{"H'Hùng", "H HÙNG", true},
		{"Nguyễn Văn An", "NGUYỄN VĂNAN", false}, {"H'Hùng", "H'HUNG", false},
	} {
		if SameName(c.a, c.b) != c.same {
			t.Errorf("%q and %q: %t", c.a, c.b, !c.same)
		}
	}
}

func TestRespelled(t *testing.T) {
	for word, want := range map[string]string{"ĐUỢC": "ĐƯỢC", "NGUYÊN": "", "HƯƠNG": "", "HUƠNG": "HƯƠNG", "đuòng": "đường"} {
		got := Respelled(word)
		if want == "" && len(got) > 0 || want != "" && !slices.Contains(got, want) {
			t.Errorf("%q gives %q", word, got)
		}
		for _, g := range got {
			if !Spelled(g) || Plain(g) != Plain(word) {
				t.Errorf("%q gives %q", word, g)
			}
		}
	}
}

func TestParted(t *testing.T) {
	for word, want := range map[string][]string{"MÃTHỊ": {"MÃ THỊ"}, "HOA": nil, "NGUYỄN": nil, "ĐỖVĂN": {"ĐỖ VĂN"}, "XYZ": nil, "": nil} {
		if got := Parted(word); !slices.Equal(got, want) {
			t.Errorf("%q gives %q, want %q", word, got, want)
		}
	}
}

func TestDotUsual(t *testing.T) {
	for word, want := range map[string]bool{"THỊ": true, "Thị": true, "Tận": false, "TRẠNG": false, "Thịnh": true, "Lộc": true, "AN": true,
		"": true} {
		if got := DotUsual(word); got != want {
			t.Errorf("%s: %t", word, got)
		}
	}
}

func TestClosedLists(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{first(Ethnicity("Kính")), "Kinh"}, {first(Ethnicity("BA NA")), "Ba Na"}, {first(Ethnicity("Xyz")), ""},
		{first(Religion("Khong")), "Không"},
		{first(ProvinceLike("VINH LONG")), "Vĩnh Long"}, {first(ProvinceLike("Lại Châu")), "Lai Châu"}, {first(ProvinceLike("Hà Nội")), "Hà Nội"},
		{first(ProvinceLike("Ha Tay")), ""},
		{first(DistrictLike(province("079"), "Củ Chỉ")), "Củ Chi"}, {first(DistrictLike(province("096"), "Phu Tan")), "Phú Tân"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
	for _, e := range ethnicities {
		if n, ok := Ethnicity(e); !ok || !Same(n, e) || !Listed(e) {
			t.Errorf("%q is found as %q", e, n)
		}
	}
	if Listed("Kính") || Listed("") {
		t.Error("a mark makes another word")
	}
}

func first(s string, _ bool) string { return s }

func province(code string) Province {
	p, _ := ProvinceByCode(code)
	return p
}
