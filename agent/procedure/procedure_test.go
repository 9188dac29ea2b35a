package procedure

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"motcua/agent/strict"
	"motcua/ocr/paper"
)

var today = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

func shipped(t *testing.T) *Catalog {
	t.Helper()
	c, err := Check(os.DirFS("../../configs/procedures"))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func get(t *testing.T, code string) *Procedure {
	t.Helper()
	p, err := shipped(t).Get(code)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func card(name, number, born, sex string) paper.Document {
	field := func(v string) paper.Field {
		return paper.Field{Value: v, Source: paper.QR, Agrees: []paper.Source{paper.MRZ}, Confidence: 0.999, Page: 1}
	}
	return paper.Document{Type: paper.CCCD, Page: 1, Sides: []string{"front", "back"}, Fields: map[paper.Name]paper.Field{
		paper.FullName: field(name), paper.Number: field(number), paper.DateOfBirth: field(born), paper.Sex: field(sex),
		paper.Nationality: field("Việt Nam"), paper.PlaceOfResidence: field("12 Hàng Thử, Phường Mẫu, Hà Nội"),
		paper.PlaceOfOrigin: field("Xã Mẫu, Nam Định"), paper.DateOfIssue: field("2021-05-10"),
	}}
}

func TestShippedProcedures(t *testing.T) {
	c := shipped(t)
	for _, p := range c.All {
		if len(p.Sources) == 0 || p.LookedUp == "" {
			t.Errorf("%s says nowhere where its facts come from, and when they were looked up", p.Code)
		}
		for _, text := range []string{p.Summary.VI, p.Fee.Note.VI, p.Time.VI} {
			if strings.Contains(text, "chưa xác minh") {
				t.Errorf("%s shows as a fact what no source settles: %s", p.Code, text)
			}
		}
	}
	for _, code := range []string{"2.000815", "2.000884", "1.001193", "1.000656", "1.000894", "1.004873", "2.000635", "1.004884", "1.004222",
		"1.004194", "2.001159",
		"1.002755", "1.010038", "1.003197", "1.010028", "1.010041", "1.003677", "1.004859", "1.001022", "1.004746", "2.002516"} {
		if _, err := c.Get(code); err != nil {
			t.Error(err)
		}
	}
	if c.All[0].Topic != Certify {
		t.Errorf("first topic is %s", c.All[0].Topic)
	}
}

// What lies on kiosks from before forms, conditions and persons' parts still loads, and asks what it asked.
func TestReleasedProceduresLoad(t *testing.T) {
	c, err := Load(os.DirFS("testdata/released"))
	if err != nil {
		t.Fatal(err)
	}
	p, err := c.Get("1.001193")
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Fields) != 20 || p.Form.Layout != "" || !p.Asked("father_residence", nil) {
		t.Errorf("%d fields, form %q", len(p.Fields), p.Form.Layout)
	}
}

// A value that every field can take must exist, or a citizen could never finish the form.
func TestEveryShippedFormCanBeFilled(t *testing.T) {
	for _, p := range shipped(t).All {
		docs := []paper.Document{card("Lê Thị Mẫu", "001199000001", "1999-01-02", "Nữ"),
			card("Trần Văn Thử", "001099000002", "1999-03-04", "Nam")}
		values := p.Prefill(docs, p.Assign(docs))
		for i := range p.Fields {
			f := &p.Fields[i]
			v := values[f.ID]
			if v.Text == "" && f.Required {
				switch f.Type {
				case Choice:
					v.Text = f.Choices[0].Value
				case Date, PastDate:
					v.Text = "2026-03-01"
				case Integer:
					v.Text = fmt.Sprint(max(f.Min, 1))
				case Person:
					v.Text = "001199000001"
				case Phone:
					v.Text = "0912345678"
				case Tick:
					v.Text = "yes"
				default:
					v.Text = "Nguyễn Thử"
				}
			}
			v.Review = false
			values[f.ID] = v
		}
		if complaints := p.Validate(values, today); len(complaints) > 0 {
			t.Errorf("%s: %v", p.Code, complaints)
		}
	}
}

func TestGet(t *testing.T) {
	c := shipped(t)
	if p, err := c.Get("2.000815.000.00.00.H26"); err != nil || p.Code != "2.000815" {
		t.Errorf("the long form of a code gives %v, %v", p, err)
	}
	_, err := c.Get("2.000851")
	var unknown *UnknownError
	if !errors.As(err, &unknown) || unknown.Near[0].Code != "2.000815" {
		t.Errorf("got %v", err)
	}
}

func TestFee(t *testing.T) {
	fee := get(t, "2.000815").Fee
	for _, c := range []struct {
		pages, copies int
		want          int64
	}{
		{1, 1, 2000}, {2, 1, 4000}, {3, 1, 5000}, {3, 2, 10000}, {198, 1, 200000}, {500, 3, 600000}, {0, 1, 0},
	} {
		if got := fee.Total(c.pages, c.copies); got != c.want {
			t.Errorf("%d pages, %d copies: %d, want %d", c.pages, c.copies, got, c.want)
		}
	}
	extract := get(t, "2.000635")
	if got := extract.Price(map[string]Answer{"copies": {Text: "3"}}, 2); got != 24000 {
		t.Errorf("three extracts cost %d", got)
	}
	if get(t, "2.000815").Price(map[string]Answer{"pages": {Text: "3"}, "copies": {Text: "2"}}, 9) != 10000 {
		t.Error("the pages that were typed must count, not those that were scanned")
	}
}

func TestAssign(t *testing.T) {
	birth := get(t, "1.001193")
	mother, father := card("Lê Thị Mẫu", "001199000001", "1999-01-02", "Nữ"), card("Trần Văn Thử", "001099000002", "1999-03-04", "Nam")
	t.Run("each parent by sex, whatever the order", func(t *testing.T) {
		who := birth.Assign([]paper.Document{mother, father})
		if fmt.Sprint(who) != "map[father:[1] mother:[0]]" {
			t.Errorf("got %v", who)
		}
	})
	t.Run("two papers of one person stay together", func(t *testing.T) {
		who := birth.Assign([]paper.Document{mother, mother})
		if fmt.Sprint(who) != "map[mother:[0 1]]" {
			t.Errorf("got %v", who)
		}
	})
	t.Run("two sides on two pages are one card", func(t *testing.T) {
		front, back := card("Lê Thị Mẫu", "001199000001", "1999-01-02", "Nữ"), paper.Document{
			Type: paper.CCCD, Sides: []string{"back"}, Fields: map[paper.Name]paper.Field{paper.DateOfIssue: {Value: "2021-05-10"}}}
		front.Sides = []string{"front"}
		who := get(t, "1.004873").Assign([]paper.Document{front, back})
		if fmt.Sprint(who) != "map[applicant:[0 1]]" {
			t.Errorf("got %v", who)
		}
	})
	t.Run("a third person of the same sex is the applicant", func(t *testing.T) {
		who := birth.Assign([]paper.Document{mother, father, card("Lê Thị Bà", "001160000003", "1960-01-02", "Nữ")})
		if fmt.Sprint(who) != "map[applicant:[2] father:[1] mother:[0]]" {
			t.Errorf("got %v", who)
		}
	})
}

func TestPrefill(t *testing.T) {
	p := get(t, "1.004873")
	t.Run("takes value, source and place", func(t *testing.T) {
		docs := []paper.Document{card("Lê Thị Mẫu", "001199000001", "1999-01-02", "Nữ")}
		v := p.Prefill(docs, p.Assign(docs))["applicant_name"]
		if v.Text != "Lê Thị Mẫu" || v.Source != paper.QR || v.Review || v.From != "applicant.full_name" || v.Page != 1 {
			t.Errorf("%#v", v)
		}
	})
	t.Run("keeps the flag of recognition", func(t *testing.T) {
		doc := card("Lê Thị Mẫu", "001199000001", "1999-01-02", "Nữ")
		f := doc.Fields[paper.FullName]
		f.Review, f.Doubts = true, []paper.Doubt{paper.LowConfidence}
		doc.Fields[paper.FullName] = f
		v := p.Prefill([]paper.Document{doc}, Assignment{"applicant": {0}})["applicant_name"]
		if !v.Review || v.Doubts[0] != paper.LowConfidence {
			t.Errorf("%#v", v)
		}
	})
	t.Run("doubts what does not fit the field", func(t *testing.T) {
		doc := card("Lê Thị Mẫu", "00119900000", "1999-01-02", "Nữ")
		v := p.Prefill([]paper.Document{doc}, Assignment{"applicant": {0}})["applicant_number"]
		if !v.Review || v.Doubts[0] != DoesNotFit {
			t.Errorf("%#v %v", v, v.Doubts)
		}
	})
	t.Run("doubts two papers that differ", func(t *testing.T) {
		a, b := card("Lê Thị Mẫu", "001199000001", "1999-01-02", "Nữ"), card("Lê Thị Mâu", "001199000001", "1999-01-02", "Nữ")
		v := p.Prefill([]paper.Document{a, b}, Assignment{"applicant": {0, 1}})["applicant_name"]
		if !v.Review || v.Doubts[0] != paper.Disagreement {
			t.Errorf("%#v %v", v, v.Doubts)
		}
	})
	t.Run("two spellings of a tone are no disagreement", func(t *testing.T) {
		a, b := card("Lê Thị Hòa", "001199000001", "1999-01-02", "Nữ"), card("LÊ THỊ HOÀ", "001199000001", "1999-01-02", "Nữ")
		if v := p.Prefill([]paper.Document{a, b}, Assignment{"applicant": {0, 1}})["applicant_name"]; v.Review {
			t.Errorf("%#v %v", v, v.Doubts)
		}
	})
	t.Run("a guess from another person's paper is never silent", func(t *testing.T) {
		birth := get(t, "1.001193")
		docs := []paper.Document{card("Lê Thị Mẫu", "001199000001", "1999-01-02", "Nữ")}
		v := birth.Prefill(docs, birth.Assign(docs))["applicant_name"]
		if v.Text == "" || !v.Review || v.Doubts[0] != OtherPerson {
			t.Errorf("%#v %v", v, v.Doubts)
		}
	})
	t.Run("unknown stays empty, default is given", func(t *testing.T) {
		values := p.Prefill(nil, nil)
		if values["applicant_name"].Text != "" || values["applicant_ethnicity"].Text != "Kinh" || values["applicant_name"].Document != -1 {
			t.Errorf("%#v", values)
		}
	})
}

func TestValidate(t *testing.T) {
	for _, c := range []struct {
		name  string
		field Field
		text  string
		want  string
	}{
		{"required", Field{Type: Line, Required: true}, " ", Missing},
		{"optional", Field{Type: Date}, "", ""},
		{"a name takes Vietnamese letters", Field{Type: Name}, "Nguyễn Thị Ánh-Tuyết", ""},
		{"a name takes no digits", Field{Type: Name}, "Nguyễn 0 An", Letters},
		{"control characters", Field{Type: Line}, "a\x00b", Letters},
		{"line break in one line", Field{Type: Line}, "a\nb", Letters},
		{"line break in lines", Field{Type: Lines}, "a\nb", ""},
		{"no such day", Field{Type: Date}, "2025-02-29", NotADate},
		{"leap day", Field{Type: Date}, "2024-02-29", ""},
		{"tomorrow", Field{Type: PastDate}, "2026-03-03", FutureDate},
		{"of a birth the year alone", Field{Type: PastDate, From: []Source{{"person", paper.DateOfBirth}}}, "1950", ""},
		{"a year to come", Field{Type: PastDate, From: []Source{{"person", paper.DateOfBirth}}}, "2027", FutureDate},
		{"of an issue the day is known", Field{Type: PastDate, From: []Source{{"person", paper.DateOfIssue}}}, "1950", NotADate},
		{"today", Field{Type: PastDate}, "2026-03-02", ""},
		{"12 digits", Field{Type: Person}, "001199000001", ""},
		{"9 digits", Field{Type: Person}, "123456789", ""},
		{"11 digits", Field{Type: Person}, "00119900000", NotANumber},
		{"phone", Field{Type: Phone}, "0912345678", ""},
		{"phone without 0", Field{Type: Phone}, "912345678", NotANumber},
		{"email", Field{Type: Email}, "a@example.vn", ""},
		{"email with a name", Field{Type: Email}, "A <a@example.vn>", Pattern},
		{"integer below", Field{Type: Integer, Min: 1}, "0", TooSmall},
		{"integer above", Field{Type: Integer, Min: 1, Max: 5}, "6", TooLarge},
		{"too long by default", Field{Type: Line}, strings.Repeat("ữ", MaxLength+1), TooLong},
		{"letters are counted, not bytes", Field{Type: Line}, strings.Repeat("ữ", MaxLength), ""},
		{"choice", Field{Type: Choice, Choices: []Option{{Value: "a"}}}, "b", NoChoice},
		{"tick", Field{Type: Tick, Required: true}, "no", NoChoice},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := c.field.check(c.text, today); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
	t.Run("what needs a look and got none is refused", func(t *testing.T) {
		p := &Procedure{Fields: []Field{{ID: "a", Type: Line}}}
		got := p.Validate(map[string]Answer{"a": {Text: "x", Review: true}}, today)
		if len(got) != 1 || got[0].Code != Unreviewed {
			t.Errorf("got %v", got)
		}
	})
}

func TestNormal(t *testing.T) {
	for _, c := range []struct {
		kind     Type
		in, want string
	}{
		{Date, "2/9/2025", "2025-09-02"}, {Date, "31/02/2025", "31/02/2025"}, {Date, "02.09.2025", "2025-09-02"},
		{Phone, "+84 912 345 678", "0912345678"}, {Person, "001 199 000 001", "001199000001"},
		{Name, "  Lê   Thị Mẫu ", "Lê Thị Mẫu"}, {Lines, "a\n b", "a\n b"},
	} {
		if got := (&Field{Type: c.kind}).Normal(c.in); got != c.want {
			t.Errorf("%s %q: %q, want %q", c.kind, c.in, got, c.want)
		}
	}
}

func TestLoadListsEveryMistakeWithItsLine(t *testing.T) {
	data, err := fs.ReadFile(os.DirFS("testdata/released"), "2.000884.yaml")
	if err != nil {
		t.Fatal(err)
	}
	broken := string(data)
	for old, with := range map[string]string{
		"level: một phần":              "level: mức 3",
		"type: name":                   "typ: name",
		"from: [applicant.number]":     "from: [aplicant.number, number]",
		"flat: 10000":                  "flat: ten",
		`pattern: ""`:                  "",
		"kinds: [cccd, can-cuoc":       "kinds: [ccd, can-cuoc",
		"topic: chung-thuc":            "topic: other",
		"  - id: copies\n    label":    "  - id: document\n    label",
		"type: personal-number":        "type: number",
		"    max: 50\n":                "    max: 50\n    max: 60\n",
		`    default: "1"` + "\n":      `    default: "0"` + "\n",
		"name: {vi: \"Người yêu cầu\"": "name: {v: \"Người yêu cầu\"",
	} {
		broken = strings.Replace(broken, old, with, 1)
	}
	_, err = Load(fstest.MapFS{"2.000884.yaml": {Data: []byte(broken)}})
	var problems strict.Problems
	if !errors.As(err, &problems) {
		t.Fatalf("got %v", err)
	}
	for _, want := range []string{
		`level: must be "toàn trình" or "một phần", not "mức 3"`,
		`typ: is not a key known here; did you mean "type"?`,
		`"aplicant" is not one of the roles`,
		`must be written role.field`,
		`fee.flat: must be a whole number, not "ten"`,
		`kinds[0]: is not a kind of paper`,
		`topic: must be one of`,
		`"document" is used twice`,
		`is set twice`,
		`default: does not fit its own field: too-small`,
		`name.v: is not a key known here; did you mean "vi"?`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in\n%v", want, err)
		}
	}
	for _, told := range []string{"topic: is missing", "level: is missing"} { // what is there and wrong is one mistake, not two
		if strings.Contains(err.Error(), told) {
			t.Errorf("%q in\n%v", told, err)
		}
	}
	if n := strings.Count(err.Error(), "needs a type"); n != 1 { // of "typ", and not of a type that is none
		t.Errorf("a type is missed %d times in\n%v", n, err)
	}
	for _, p := range problems {
		if p.Line == 0 || p.Column == 0 || p.File != "2.000884.yaml" {
			t.Errorf("without a place: %v", p)
		}
	}
}

func TestValuesDoNotLeakIntoLogs(t *testing.T) {
	v := Answer{Text: "secret", Source: paper.User}
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		if s := fmt.Sprintf(format, map[string]Answer{"a": v}); strings.Contains(s, "secret") {
			t.Errorf("%s prints %s", format, s)
		}
	}
}

// Each required paper says by which law it may fall away. These are the ones that no law lets fall away: what the office is to sign or to
// judge, and a guest's own paper.
func TestRequiredPapersSayTheLaw(t *testing.T) {
	none := []string{"2.000884 document_paper", "1.001022 proof", "1.004746 old_certificate", "1.004859 evidence", "1.004884 evidence",
		"2.001159 guest_identity"}
	catalog := shipped(t)
	ways := map[WayID]int{}
	var without []string
	for _, p := range catalog.All {
		for _, paper := range p.Papers {
			if paper.Optional {
				continue
			}
			offers := paper.Offers()
			if offers[len(offers)-1].ID != Counter {
				t.Errorf("%s, %s cannot be brought to the counter", p.Code, paper.ID)
			}
			for _, way := range offers {
				ways[way.ID]++
				if way.Law == "" && way.ID != Counter {
					t.Errorf("%s, %s: %s names no law", p.Code, paper.ID, way.ID)
				}
			}
			if len(offers) == 1 {
				without = append(without, p.Code+" "+paper.ID)
			}
		}
	}
	slices.Sort(none)
	slices.Sort(without)
	if !slices.Equal(without, none) {
		t.Errorf("papers without a shorter way: %q, want %q", without, none)
	}
	for _, id := range WayIDs {
		if ways[id] == 0 {
			t.Errorf("no required paper is given by %s", id)
		}
	}
	t.Logf("%d required papers are offered: %v", ways[Counter], ways)
}
