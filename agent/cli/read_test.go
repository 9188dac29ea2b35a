package cli

import (
	"slices"
	"testing"

	"motcua/ocr/paper"
)

// What a paper always bears and wasn't read is said: an empty line is no line, and the technician would take the paper for whole.
func TestUnreadFieldsAreTold(t *testing.T) {
	value := func(names ...paper.Name) map[paper.Name]paper.Field {
		all := map[paper.Name]paper.Field{}
		for _, n := range names {
			all[n] = paper.Field{Value: "x"}
		}
		return all
	}
	front := []string{"front"}
	for name, c := range map[string]struct {
		d    paper.Document
		want []paper.Name
	}{
		"whole front": {paper.Document{Type: paper.CCCD, Sides: front, Fields: value(paper.Number, paper.FullName, paper.DateOfBirth)}, nil},
		"no name": {paper.Document{Type: paper.CCCD, Sides: front, Fields: value(paper.Number, paper.DateOfBirth)},
			[]paper.Name{paper.FullName}},
		"the back alone":   {paper.Document{Type: paper.CCCD, Sides: []string{"back"}, Fields: value(paper.DateOfIssue)}, nil},
		"a sheet":          {paper.Document{Type: paper.KhaiSinh, Fields: value(paper.FullName)}, []paper.Name{paper.DateOfBirth}},
		"an unknown paper": {paper.Document{Type: paper.Other}, nil},
	} {
		if got := unread(c.d); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
