package procedure

import (
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"motcua/ocr/paper"
)

// Who registers a birth is mostly its mother or father, and is asked no second time; the form has that person's answers as the
// requester's. What is asked of the requester alone stays asked, and of whom stands for another what the form must say is demanded.
func TestRequesterIsOneOfTheParents(t *testing.T) {
	p, err := shipped(t).Get("1.001193")
	if err != nil {
		t.Fatal(err)
	}
	known := func(relation string) map[string]Answer {
		values := map[string]Answer{}
		for id, text := range map[string]string{"relation": relation, "mother_name": "Trần Thị Mẫu", "mother_birth": "1995-03-04",
			"mother_number": "001195000001", "child_name": "Lê Mẫu", "child_birth": "2026-02-20", "child_sex": "Nam",
			"child_birthplace": "Trạm y tế Mẫu", "child_ethnicity": "Kinh", "child_nationality": "Việt Nam", "child_origin": "Xã Mẫu"} {
			values[id] = Answer{Text: text, Source: paper.User, Document: -1}
		}
		// what recognition guesses of the requester: the only card that lay there
		values["applicant_name"] = Answer{Text: "Trần Thị Mẫu", Source: paper.OCR, Review: true, Doubts: []paper.Doubt{OtherPerson}}
		return values
	}
	missing := func(values map[string]Answer) (ids []string) {
		for _, c := range p.Validate(values, today) {
			ids = append(ids, c.Field+" "+c.Code)
		}
		return ids
	}
	t.Run("mother", func(t *testing.T) {
		values := known("mother")
		for _, part := range []string{"name", "birth", "number", "paper", "issued", "issuer", "residence"} {
			if p.Asked("applicant_"+part, values) {
				t.Errorf("the mother is asked for applicant_%s", part)
			}
		}
		if !p.Asked("applicant_phone", values) {
			t.Error("nobody is asked for a telephone number")
		}
		if got := missing(values); len(got) > 0 {
			t.Errorf("refused: %v", got)
		}
		complete := p.Complete(values)
		for _, part := range []string{"name", "birth", "number"} {
			if got, want := complete["applicant_"+part].Text, values["mother_"+part].Text; got != want {
				t.Errorf("the form has %q as applicant_%s, want %q", got, part, want)
			}
		}
	})
	t.Run("father_without_his_card", func(t *testing.T) {
		got := missing(known("father"))
		for _, id := range []string{"father_name", "father_birth", "father_number"} {
			if !slices.Contains(got, id+" missing") {
				t.Errorf("%s may stay empty, and with it the requester's: %v", id, got)
			}
		}
	})
	t.Run("grandparent", func(t *testing.T) {
		values := known("grandparent")
		if got := missing(values); !slices.Contains(got, "applicant_name unreviewed") || !slices.Contains(got, "applicant_birth missing") ||
			slices.Contains(got, "father_name missing") {
			t.Errorf("got %v", got)
		}
	})
}

func TestEachStandingRoleHasItsAnswer(t *testing.T) {
	data, err := os.ReadFile("../../configs/procedures/1.001193.yaml")
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	for _, c := range []struct{ with, says string }{
		{`when: "relation=mother"`, "an answer for each of the 2 roles"},
		{`when: "relation!=mother|father"`, "an answer for each of the 2 roles"},
		{`when: "relation=mother|aunt"`, `"aunt" is not an answer of relation`},
	} {
		broken := strings.Replace(text, `when: "relation=mother|father"`, c.with, 1)
		if _, err := Load(fstest.MapFS{"1.001193.yaml": {Data: []byte(broken)}}); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", c.with, err)
		}
	}
}
