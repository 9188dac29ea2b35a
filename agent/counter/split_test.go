package counter

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"motcua/agent/visit"
	"motcua/ocr/paper"
)

func card(number string) []paper.Document {
	return []paper.Document{{Type: paper.CCCD, Fields: map[paper.Name]paper.Field{paper.Number: {Value: number}}}}
}

func sheetOf(id string, docs ...paper.Document) visit.Paper {
	return visit.Paper{ID: id, Documents: docs}
}

func ids(parcels []Parcel) string {
	var out []string
	for _, p := range parcels {
		one := strings.Join(idsOf(p.Papers), "+")
		if p.Procedure != "" {
			one = p.Procedure + ":" + one
		}
		if p.Doubt != "" {
			one += "(" + p.Doubt + ")"
		}
		out = append(out, one)
	}
	return strings.Join(out, " ")
}

func idsOf(papers []visit.Paper) []string {
	var pages []string
	for _, page := range papers {
		pages = append(pages, page.ID)
	}
	return pages
}

func separator(procedure string) paper.Document {
	return paper.Document{Type: paper.Separator, Text: procedure, Fields: map[paper.Name]paper.Field{}}
}

// backOf is the reverse of a sheet.
func backOf(id string, docs ...paper.Document) visit.Paper {
	return visit.Paper{ID: id, Documents: docs, Back: true}
}

func TestSplit(t *testing.T) {
	a, b := card("001090000001")[0], card("001090000002")[0]
	back := paper.Document{Type: paper.CCCD, Sides: []string{"back"}, Fields: map[paper.Name]paper.Field{}}
	unread := paper.Document{Type: paper.Other, Text: "TỜ NGĂN HỒ SƠ\nĐặt tờ này trước giấy tờ"}
	full := strings.Repeat("1+", visit.MaxPapers-1) + "1(full)"
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
		"sheets_before_the_first_card":         {[]visit.Paper{sheetOf("1"), sheetOf("2", a), sheetOf("3", b)}, "1+2(order) 3(order)"},
		"a_sheet_before_the_only_card":         {[]visit.Paper{sheetOf("1"), sheetOf("2", a)}, "1+2"},
		"a_known_number_again_later":           {[]visit.Paper{sheetOf("1", a), sheetOf("2", b), sheetOf("3", a), sheetOf("4")}, "1+3+4 2"},
		"two_people_on_one_page_stay_together": {[]visit.Paper{sheetOf("1", a, b), sheetOf("2", b)}, "1+2"},
		"nobody_recognised":                    {[]visit.Paper{sheetOf("1"), sheetOf("2")}, "1+2"},
		"empty":                                {nil, ""},
		"what_lies_between_separators_is_one_submission": {[]visit.Paper{sheetOf("s", separator("A")), sheetOf("1", a), sheetOf("2", b),
			sheetOf("s", separator("B")), sheetOf("3", a)}, "A:1+2 B:3"},
		"a_separator_without_a_procedure": {[]visit.Paper{sheetOf("s", separator("")), sheetOf("1", a), sheetOf("s", separator("")),
			sheetOf("2"), sheetOf("3", b)}, "1 2+3"},
		"persons_before_the_first_separator": {[]visit.Paper{sheetOf("1", a), sheetOf("2", b), sheetOf("s", separator("A")), sheetOf("3")},
			"1 2 A:3"},
		"separators_printed_on_both_sides": {[]visit.Paper{sheetOf("s", separator("A")), backOf("s", separator("A")), sheetOf("1", a),
			backOf("2"), sheetOf("s", separator("B")), backOf("s", unread), sheetOf("3", b)}, "A:1+2 B:3"},
		"a_blank_back_goes_with_its_separator": {[]visit.Paper{sheetOf("s", separator("A")), backOf("x"), sheetOf("1", a), backOf("2")},
			"A:1+2"},
		"no_front_goes_with_a_separator": {[]visit.Paper{sheetOf("s", separator("A")), sheetOf("1"), sheetOf("2", a)}, "A:1+2"},
		"a_separator_whose_code_can't_be_read": {[]visit.Paper{sheetOf("s", separator("A")), sheetOf("1", a), sheetOf("s", unread),
			sheetOf("2", b)}, "A:1 2(separator)"},
		"nothing_behind_the_last_separator": {[]visit.Paper{sheetOf("s", separator("A")), sheetOf("1"), sheetOf("s", separator("B"))}, "A:1"},
		"a_full_stack":                      {slices.Repeat([]visit.Paper{sheetOf("1")}, visit.MaxPapers)[:visit.MaxPapers], full},
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
			separators := 0
			for i := range rapid.IntRange(0, 30).Draw(t, "pages") {
				p := sheetOf(fmt.Sprint(i))
				if p.Back = rapid.Bool().Draw(t, "back"); rapid.IntRange(0, 5).Draw(t, "separator") == 0 {
					p.Documents = []paper.Document{separator("A")}
					separators++
				}
				for range rapid.IntRange(0, 2).Draw(t, "cards") {
					p.Documents = append(p.Documents, card(rapid.SampledFrom([]string{"", "1", "2", "3"}).Draw(t, "number"))...)
				}
				stack = append(stack, p)
			}
			seen := map[string]int{}
			for _, person := range Split(stack) {
				if len(person.Papers) == 0 {
					t.Fatal("a person without a page")
				}
				for _, p := range person.Papers {
					seen[p.ID]++
				}
			}
			out := 0
			for _, p := range stack {
				if seen[p.ID] > 1 || seen[p.ID] == 0 && !separates(p) && !(p.Back && blank(p)) {
					t.Fatalf("page %s went to %d persons", p.ID, seen[p.ID])
				}
				if seen[p.ID] == 0 {
					out++
				}
			}
			if out > 2*separators {
				t.Fatalf("%d pages are left out beside %d separators", out, separators)
			}
		})
	})
}

func TestInterleave(t *testing.T) {
	a, b, c := card("001090000001")[0], card("001090000002")[0], card("001090000003")[0]
	for name, c := range map[string]struct {
		stack []visit.Paper
		want  string
		err   error
	}{
		"turned_over_as_a_whole": {[]visit.Paper{sheetOf("1", a), sheetOf("2", b), backOf("2b", b), backOf("1b", a)}, "1 1b 2 2b", nil},
		"numbers_on_few_backs": {[]visit.Paper{sheetOf("1", a), sheetOf("2"), sheetOf("3"), backOf("3b"), backOf("2b"), backOf("1b", a)},
			"1 1b 2 2b 3 3b", nil},
		"laid_back_in_the_same_order": {[]visit.Paper{sheetOf("1", a), sheetOf("2", b), sheetOf("3", c), backOf("1b", a), backOf("2b", b),
			backOf("3b", c)},
			"1 1b 2 2b 3 3b", nil},
		"no_backs":                 {[]visit.Paper{sheetOf("1", a), sheetOf("2", b)}, "1 2", nil},
		"a_sheet_missed_its_back":  {[]visit.Paper{sheetOf("1", a), sheetOf("2", b), backOf("1b", a)}, "", ErrUneven},
		"a_sheet_missed_its_front": {[]visit.Paper{sheetOf("1", a), backOf("2b", b), backOf("1b", a)}, "", ErrUneven},
		// Once a front was fed double with its neighbour, once a back: as many, but not of the same sheets.
		"one_missing_on_either_side": {[]visit.Paper{sheetOf("1", a), sheetOf("3", c), backOf("3b", c), backOf("2b", b)}, "", ErrUnlike},
		"separators_tell_the_order": {[]visit.Paper{sheetOf("s", separator("A")), sheetOf("1"), sheetOf("2"), backOf("sb", separator("A")),
			backOf("1b"),
			backOf("2b")}, "s sb 1 1b 2 2b", nil},
		"separators_lie_elsewhere": {[]visit.Paper{sheetOf("s", separator("A")), sheetOf("1"), sheetOf("2"), backOf("1b"),
			backOf("sb", separator("A")),
			backOf("2b")}, "", ErrUnlike},
		"another_separators_back": {[]visit.Paper{sheetOf("s", separator("A")), sheetOf("t", separator("B")), sheetOf("1", a), sheetOf("2", b),
			backOf("2b", b), backOf("1b", a), backOf("sb", separator("A")), backOf("tb", separator("B"))}, "", ErrUnlike},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Interleave(c.stack)
			if strings.Join(idsOf(got), " ") != c.want || !errors.Is(err, c.err) {
				t.Errorf("%v, %v; want %q, %v", idsOf(got), err, c.want, c.err)
			}
		})
	}
}

// Backs that say nothing of whose they are fit in either order.
func TestAmbiguous(t *testing.T) {
	a, b := card("001090000001")[0], card("001090000002")[0]
	for name, c := range map[string]struct {
		stack []visit.Paper
		want  bool
	}{
		"nothing_on_the_backs": {[]visit.Paper{sheetOf("1", a), sheetOf("2", b), backOf("x"), backOf("y")}, true},
		"one_number_tells":     {[]visit.Paper{sheetOf("1", a), sheetOf("2", b), backOf("x"), backOf("1b", a)}, false},
		"a_separator_tells":    {[]visit.Paper{sheetOf("s", separator("A")), sheetOf("1", a), backOf("1b"), backOf("sb", separator("A"))}, false},
		"a_single_sheet":       {[]visit.Paper{sheetOf("1", a), backOf("x")}, false},
	} {
		if got := Ambiguous(c.stack); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

// Where a sheet went missing, backs go where their number says, the others to nobody, and each is doubted.
func TestSplitApart(t *testing.T) {
	a, b := card("001090000001")[0], card("001090000002")[0]
	stack := []visit.Paper{sheetOf("1", a), sheetOf("2", b), sheetOf("3"), backOf("x"), backOf("sb", separator("A")), backOf("1b", a)}
	if got, want := ids(SplitApart(stack)), "1+1b(backs) 2+3(backs) x(backs)"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestStranger(t *testing.T) {
	p := catalog(t).All[0]
	one, other := card("001090000001")[0], card("001090000002")[0]
	places := 0
	for _, r := range p.Roles {
		if len(r.Papers) == 0 || slices.Contains(r.Papers, paper.CCCD) {
			places++
		}
	}
	papers := []visit.Paper{sheetOf("1", one), sheetOf("2", one)}
	if places == 0 || Stranger(p, papers) {
		t.Fatalf("the applicant is a stranger; %d places", places)
	}
	for i := range places {
		papers = append(papers, sheetOf("x", card(fmt.Sprintf("00109000001%d", i))[0]))
	}
	if papers = append(papers, sheetOf("3", other)); !Stranger(p, papers) {
		t.Error("one card too many is not told")
	}
	papers = papers[:len(papers)-2] // each place is taken
	nameless := paper.Document{Type: paper.CCCD, Fields: map[paper.Name]paper.Field{paper.FullName: {Value: "LÊ THỊ MẪU"}}}
	if Stranger(p, append(slices.Clone(papers), sheetOf("4", paper.Document{Type: paper.CCCD, Fields: map[paper.Name]paper.Field{}}))) {
		t.Error("a card without a name or number is a stranger's")
	}
	if !Stranger(p, append(papers, sheetOf("5", nameless))) {
		t.Error("a card whose number can't be read is not told")
	}
}
