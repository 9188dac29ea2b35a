package person_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"motcua/agent/dossier"
	"motcua/agent/person"
	"motcua/queue"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]person.Query{
		"079 204 659 924":                       {Number: "079204659924"},
		"025123456":                             {Number: "025123456"},
		"Kiều  Minh Long 14/1/2004":             {Name: "Kiều Minh Long", Birth: "2004-01-14"},
		"KIỀU MINH LONG, 2004-01-14":            {Name: "KIỀU MINH LONG", Birth: "2004-01-14"},
		"Lò Thị Mẩy 1950":                       {Name: "Lò Thị Mẩy", Birth: "1950"},
		"Kie\u0302\u0300u Minh Long 14.01.2004": {Name: "Kiều Minh Long", Birth: "2004-01-14"},
	} {
		got, err := person.Parse(text)
		if err != nil || got.Number != want.Number || got.Name != want.Name || got.Birth != want.Birth {
			t.Errorf("case %d letters long: number %t, name %t, birth %q, %v", len(text), got.Number == want.Number, got.Name == want.Name,
				got.Birth, err)
		}
	}
	for _, text := range []string{"", "12345", "Kiều Minh Long", "14/01/2004", "Kiều Minh Long 31/02/2004"} {
		if _, err := person.Parse(text); !errors.Is(err, person.ErrQuery) {
			t.Errorf("%q: %v", text, err)
		}
	}
	if said := fmt.Sprintf("%v %+v %#v", person.Query{Number: "079204659924"}, person.Query{Name: "LONG"},
		person.Query{Number: "079204659924"}); strings.ContainsAny(said, "0L") {
		t.Errorf("a query prints itself: %s", said)
	}
}

// put queues a birth registration by a mother for a child, with a table of witnesses.
func put(t *testing.T, q *queue.Queue, values ...[2]string) queue.Submission {
	t.Helper()
	form := dossier.Form{Schema: dossier.Schema, Consent: dossier.Consent{Purpose: "Chỉ để gửi hồ sơ này", Given: time.Now()}}
	form.Procedure.Name = "Đăng ký khai sinh"
	for _, v := range values {
		form.Values = append(form.Values, dossier.FormValue{ID: v[0], Label: v[0], Value: v[1]})
	}
	body, err := json.Marshal(form)
	if err != nil {
		t.Fatal(err)
	}
	s, err := q.Enqueue(t.Context(), queue.Draft{Labels: map[string]string{"procedure": "1.001193"}, Parts: []queue.Part{
		queue.FromBytes("form.json", "application/json", body), queue.FromBytes("page-0001.jpg", "image/jpeg", []byte("x"))}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func open(t *testing.T, o queue.Options) *queue.Queue {
	t.Helper()
	o.MinFree = -1
	q, _, err := queue.Open(t.Context(), t.TempDir(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { q.Close() })
	return q
}

func ids(r person.Record) string {
	var all []string
	for _, v := range r.Values {
		all = append(all, v.ID)
	}
	return strings.Join(all, " ")
}

// Of a submission that names several people each is given what is about that person, and no more.
func TestFindGivesOnePersonOnly(t *testing.T) {
	q := open(t, queue.Options{})
	mother, father := "079190000011", "079088000022"
	birth := put(t, q, [2]string{"relation", "mother"}, [2]string{"child_name", "Lý Mẫu Bé"}, [2]string{"child_birth", "2026-11-02"},
		[2]string{"mother_name", "LÊ THỊ MẪU"}, [2]string{"mother_birth", "1990-03-04"}, [2]string{"mother_number", mother},
		[2]string{"father_name", "LÝ VĂN MẪU"}, [2]string{"father_number", father},
		[2]string{"members", "Trần Mẫu; 079099000033; con\nLê Mẫu Hai; 01/02/1950; mẹ"})
	put(t, q, [2]string{"applicant_name", "ĐỖ VĂN THỬ"}, [2]string{"applicant_number", "079099000044"})
	for name, c := range map[string]struct {
		query person.Query
		want  string
	}{
		"by number":           {person.Query{Number: mother}, "mother_name mother_birth mother_number"},
		"the other parent":    {person.Query{Number: father}, "father_name father_number"},
		"by name and birth":   {person.Query{Name: "lý mẫu bé", Birth: "2026-11-02"}, "child_name child_birth"},
		"by the year":         {person.Query{Name: "Lê Thị Mẫu", Birth: "1990"}, "mother_name mother_birth mother_number"},
		"in a table":          {person.Query{Number: "079099000033"}, "members"},
		"in a table, by name": {person.Query{Name: "Lê Mẫu Hai", Birth: "1950-02-01"}, "members"},
		"by code":             {person.Query{Codes: []string{birth.Code}}, ""},
		"another of the name": {person.Query{Name: "LÊ THỊ MẪU", Birth: "1991-03-04"}, "-"},
		"nobody":              {person.Query{Number: "079099000055"}, "-"},
	} {
		t.Run(name, func(t *testing.T) {
			found, err := person.Find(t.Context(), q, c.query)
			if err != nil {
				t.Fatal(err)
			}
			if c.want == "-" {
				if len(found.Records) != 0 || found.Looked != 2 {
					t.Errorf("%d records of %d", len(found.Records), found.Looked)
				}
				return
			}
			if len(found.Records) != 1 || found.Records[0].ID != birth.ID || ids(found.Records[0]) != c.want {
				t.Fatalf("%v, want the values %s", found.Records, c.want)
			}
			if r := found.Records[0]; len(r.Values)+r.Others != 9 || len(r.Files) != 3 {
				t.Errorf("%d values, %d others, files %v", len(r.Values), r.Others, r.Files)
			}
		})
	}
	t.Run("one line of a table", func(t *testing.T) {
		found, err := person.Find(t.Context(), q, person.Query{Number: "079099000033"})
		if err != nil || len(found.Records) != 1 {
			t.Fatalf("%v, %v", found.Records, err)
		}
		if got := found.Records[0].Values[0].Value; got != "Trần Mẫu; 079099000033; con" {
			t.Error("the other line was given too")
		}
		var text bytes.Buffer
		if err := person.Explain(&text, "Phường Mẫu", time.Now(), found); err != nil || strings.Contains(text.String(), "Lê Mẫu Hai") ||
			!strings.Contains(text.String(), birth.Code) || !strings.Contains(text.String(), "Chỉ để gửi hồ sơ này") {
			t.Errorf("%v\n%s", err, text.String())
		}
	})
}

// A name without a date of birth may be somebody else's: nothing of it is given, and its code is told.
func TestSameNameWithoutBirth(t *testing.T) {
	q := open(t, queue.Options{})
	s := put(t, q, [2]string{"applicant_name", "ĐỖ VĂN THỬ"}, [2]string{"applicant_number", "079099000044"})
	put(t, q, [2]string{"applicant_name", "ĐỖ VĂN THỬ"}, [2]string{"applicant_birth", "1970-01-01"})
	found, err := person.Find(t.Context(), q, person.Query{Name: "Đỗ Văn Thử", Birth: "1999-01-01"})
	if err != nil || len(found.Records) != 0 || len(found.Perhaps) != 1 || found.Perhaps[0] != s.Code {
		t.Errorf("%d records, perhaps %v, %v", len(found.Records), found.Perhaps, err)
	}
}

// What could not be looked into is told.
func TestFindTellsWhatItDidNotSee(t *testing.T) {
	key, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	q := open(t, queue.Options{Office: []age.Recipient{key.Recipient()}, OfficeOnly: true})
	s := put(t, q, [2]string{"applicant_number", "079099000044"})
	found, err := person.Find(t.Context(), q, person.Query{Number: "079099000044"})
	if err != nil || len(found.Records) != 0 || found.Sealed != 1 || found.Looked != 0 {
		t.Errorf("%d records, %d sealed, %d looked into, %v", len(found.Records), found.Sealed, found.Looked, err)
	}
	found, err = person.Find(t.Context(), q, person.Query{Codes: []string{s.Code}})
	if err != nil || len(found.Records) != 1 || found.Records[0].NoContent != "sealed-to-office" {
		t.Errorf("%v, %v", found.Records, err)
	}
	if _, err := person.Find(t.Context(), q, person.Query{Codes: []string{"0000-0000"}}); !errors.Is(err, queue.ErrNotFound) {
		t.Errorf("an unknown code: %v", err)
	}
}
