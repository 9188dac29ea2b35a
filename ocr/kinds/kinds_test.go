package kinds_test

import (
	"slices"
	"strings"
	"testing"

	"motcua/ocr/fields"
	"motcua/ocr/kinds"
	"motcua/ocr/paper"
)

// A row that forgets something is found here, and not by an office.
func TestEveryRowIsWhole(t *testing.T) {
	known := map[paper.Name]bool{kinds.Surname: true, kinds.Given: true, kinds.Birth: true, "": true}
	for _, f := range fields.All {
		if known[f.Name] || f.VI == "" || f.EN == "" {
			t.Errorf("field %s stands twice, or has no name in a language", f.Name)
		}
		known[f.Name] = true
	}
	seen := map[paper.Kind]bool{}
	titles := map[string]paper.Kind{}
	for _, k := range kinds.All {
		t.Run(string(k.ID), func(t *testing.T) {
			if k.ID == "" || k.ID == paper.Other || seen[k.ID] || k.VI == "" || k.EN == "" || k.Source == "" || len(k.Titles) == 0 ||
				len(k.Labels) == 0 || len(k.Required) == 0 {
				t.Errorf("%s: stands twice, or lacks a name, a title, labels, required fields or its source", k.ID)
			}
			seen[k.ID] = true
			text := func(s string) {
				if s == "" || strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
					t.Errorf("%q is not in plain capitals", s)
				}
			}
			for _, title := range k.Titles {
				text(title.Text)
				if other, twice := titles[title.Text]; twice {
					t.Errorf("%s is also the title of %s", title.Text, other)
				}
				if slices.Contains(kinds.Unlike, title.Text) {
					t.Errorf("%s is also the title of no kind", title.Text)
				}
				titles[title.Text] = k.ID
			}
			labelled := map[paper.Name]bool{}
			for _, l := range k.Labels {
				text(l.Text)
				labelled[l.Field] = true
				if !known[l.Field] {
					t.Errorf("label %s is of a field without a row: %s", l.Text, l.Field)
				}
			}
			for _, m := range k.Marks {
				for _, s := range m {
					text(s)
				}
			}
			byOther := []paper.Name{paper.OldNumber, paper.WifeBirth, paper.HusbandBirth} // by a code, by where it stands
			for _, n := range slices.Concat(k.Required, k.Optional) {
				if !labelled[n] && !slices.Contains(byOther, n) && n != paper.DateOfIssue {
					t.Errorf("%s has no label", n)
				}
			}
			for side, beside := range k.Beside {
				if side == "" || len(beside) == 0 {
					t.Errorf("the code's fields on side %q", side)
				}
			}
			if (k.CodeSide == "") != (len(k.Beside) == 0) {
				t.Error("it has a code and nothing beside it, or the other way round")
			}
			if k.Shape == kinds.Card && len(k.Marks) < 2 {
				t.Error("nothing tells it without its title")
			}
		})
	}
}

func TestDefaultIsTheDoubtfulOne(t *testing.T) {
	for _, id := range []paper.Kind{paper.Other, "", "something-new", paper.GPLX, paper.BHYT, paper.TheTamTru, paper.ChungSinh} {
		if kinds.Identity(id) {
			t.Errorf("%q proves who somebody is", id)
		}
	}
	if !kinds.Identity(paper.CCCD) || !kinds.IsSheet(paper.Other) || kinds.IsSheet(paper.GPLX) {
		t.Error("a chip card proves who somebody is, and is no sheet")
	}
}
