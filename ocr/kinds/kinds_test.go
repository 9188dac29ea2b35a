package kinds_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"

	"motcua/ocr/fields"
	"motcua/ocr/kinds"
	"motcua/ocr/paper"
	"motcua/ocr/vn"
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
			if k.ID == "" || k.ID == paper.Other || seen[k.ID] {
				t.Errorf("ID %q is empty, paper.Other or another row's, too", k.ID)
			}
			seen[k.ID] = true
			for name, empty := range map[string]bool{"VI": k.VI == "", "EN": k.EN == "", "Source": k.Source == "", "Titles": len(k.Titles) == 0,
				"Labels": len(k.Labels) == 0, "Required": len(k.Required) == 0} {
				if empty {
					t.Errorf("%s is empty", name)
				}
			}
			text := func(s string) {
				if s == "" || strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
					letters := strings.Map(func(r rune) rune {
						if r < 'A' || r > 'Z' {
							return -1
						}
						return r
					}, vn.Plain(s))
					t.Errorf("%q is not in plain capitals: write %q", s, letters)
				}
			}
			for _, title := range k.Titles {
				text(title.Text)
				if other, twice := titles[title.Text]; twice {
					t.Errorf("%s is also the title of %s", title.Text, other)
				}
				if slices.Contains(kinds.Unlike, title.Text) {
					t.Errorf("%s stands in Unlike, too (foreign.go): a paper that bears it is of no kind", title.Text)
				}
				titles[title.Text] = k.ID
			}
			labelled := map[paper.Name]bool{}
			for _, l := range k.Labels {
				text(l.Text)
				labelled[l.Field] = true
				if !known[l.Field] {
					t.Errorf("label %s is of a field without a row in ocr/fields: %s", l.Text, l.Field)
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
					t.Errorf("%s is in Required or Optional and has no label", n)
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
				t.Errorf("%d Marks: a card needs two to be told where its title can't be read", len(k.Marks))
			}
		})
	}
}

// A constant that no row tells compiles, and nothing is ever of that kind; so does a row that All leaves out.
func TestEveryConstantHasItsRow(t *testing.T) {
	rows := map[string]bool{string(paper.Other): true, string(paper.Separator): true} // told by package qr
	for _, k := range kinds.All {
		rows[string(k.ID)] = true
	}
	for name, text := range constants(t, "Kind") {
		if !rows[text] {
			t.Errorf("paper.%s (%q) has no row in kinds.All (ocr/kinds/kinds.go)", name, text)
		}
	}
	for name, text := range constants(t, "Name") {
		if !slices.Contains(paper.Names(), paper.Name(text)) {
			t.Errorf("paper.%s (%q) is not in paper.Names (ocr/paper/paper.go): no procedure may ask for it", name, text)
		}
		if !slices.ContainsFunc(fields.All, func(r fields.Row) bool { return string(r.Name) == text }) {
			t.Errorf("paper.%s (%q) has no row in fields.All (ocr/fields/fields.go)", name, text)
		}
	}
}

// constants are those of one type in package paper, with their texts.
func constants(t *testing.T, of string) map[string]string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../paper/paper.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		v, ok := n.(*ast.ValueSpec)
		if !ok || len(v.Values) != 1 {
			return true
		}
		typ, named := v.Type.(*ast.Ident)
		lit, text := v.Values[0].(*ast.BasicLit)
		if named && text && typ.Name == of {
			out[v.Names[0].Name], _ = strconv.Unquote(lit.Value)
		}
		return true
	})
	if len(out) == 0 {
		t.Fatalf("no constants of type %s in paper.go", of)
	}
	return out
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
