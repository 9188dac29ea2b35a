package counter

import (
	"fmt"
	"motcua/agent/visit"
	"motcua/ocr/paper"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func card(number string) []paper.Document {
	return []paper.Document{{Type: paper.CCCD, Fields: map[paper.Name]paper.Field{paper.Number: {Value: number}}}}
}

func sheetOf(id string, docs ...paper.Document) visit.Paper {
	return visit.Paper{ID: id, Documents: docs}
}

func ids(persons [][]visit.Paper) string {
	var out []string
	for _, p := range persons {
		var pages []string
		for _, page := range p {
			pages = append(pages, page.ID)
		}
		out = append(out, strings.Join(pages, "+"))
	}
	return strings.Join(out, " ")
}

func TestSplit(t *testing.T) {
	a, b := card("001090000001")[0], card("001090000002")[0]
	back := paper.Document{Type: paper.CCCD, Sides: []string{"back"}, Fields: map[paper.Name]paper.Field{}}
	for name, c := range map[string]struct {
		stack []visit.Paper
		want  string
	}{
		"one_card_each": {[]visit.Paper{sheetOf("1", a), sheetOf("2", b)}, "1 2"},
		"back_without_number_stays_with_it": {[]visit.Paper{sheetOf("1", a), sheetOf("2", back), sheetOf("3", b), sheetOf("4", back)},
			"1+2 3+4"},
		"back_with_the_number_joins": {[]visit.Paper{sheetOf("1", a), sheetOf("2", a), sheetOf("3", b)}, "1+2 3"},
		"attached_sheets_follow_their_card": {[]visit.Paper{sheetOf("1", a), sheetOf("2"), sheetOf("3"), sheetOf("4", b), sheetOf("5")},
			"1+2+3 4+5"},
		"sheets_before_the_first_card":         {[]visit.Paper{sheetOf("1"), sheetOf("2", a), sheetOf("3", b)}, "1+2 3"},
		"a_known_number_again_later":           {[]visit.Paper{sheetOf("1", a), sheetOf("2", b), sheetOf("3", a), sheetOf("4")}, "1+3+4 2"},
		"two_people_on_one_page_stay_together": {[]visit.Paper{sheetOf("1", a, b), sheetOf("2", b)}, "1+2"},
		"nobody_recognised":                    {[]visit.Paper{sheetOf("1"), sheetOf("2")}, "1+2"},
		"empty":                                {nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := ids(Split(c.stack)); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
	t.Run("every_page_goes_to_exactly_one_person", func(t *testing.T) {
		rapid.Check(t, func(t *rapid.T) {
			var stack []visit.Paper
			for i := range rapid.IntRange(0, 30).Draw(t, "pages") {
				p := sheetOf(fmt.Sprint(i))
				for range rapid.IntRange(0, 2).Draw(t, "cards") {
					p.Documents = append(p.Documents, card(rapid.SampledFrom([]string{"", "1", "2", "3"}).Draw(t, "number"))...)
				}
				stack = append(stack, p)
			}
			seen := map[string]int{}
			for _, person := range Split(stack) {
				if len(person) == 0 {
					t.Fatal("a person without a page")
				}
				for _, p := range person {
					seen[p.ID]++
				}
			}
			for _, p := range stack {
				if seen[p.ID] != 1 {
					t.Fatalf("page %s went to %d persons", p.ID, seen[p.ID])
				}
			}
		})
	})
}
