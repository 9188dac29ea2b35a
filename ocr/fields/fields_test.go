package fields_test

import (
	"slices"
	"strings"
	"testing"

	"motcua/ocr/fields"
	"motcua/ocr/paper"
)

// A field without a row is read, compared and trusted as loose text, and one without a name in paper.Names can't be used by a procedure.
func TestEveryNameHasOneRow(t *testing.T) {
	rows := map[paper.Name]int{}
	for _, r := range fields.All {
		rows[r.Name]++
		if r.VI == "" || r.EN == "" || r.VI == r.EN {
			t.Errorf("%s is called %q and %q", r.Name, r.VI, r.EN)
		}
		if !slices.Contains(paper.Names(), r.Name) {
			t.Errorf("%s is not in paper.Names (ocr/paper/paper.go): no procedure may ask for it", r.Name)
		}
		if fields.TypeOf(r.Name) != r.Type {
			t.Errorf("%s is of type %d, in its row %d", r.Name, fields.TypeOf(r.Name), r.Type)
		}
	}
	for _, n := range paper.Names() {
		if rows[n] != 1 {
			t.Errorf("%s has %d rows in fields.All", n, rows[n])
		}
	}
}

// What no row tells is doubted most: no list and no form of a date may vouch for it.
func TestUnknownFieldIsLooseText(t *testing.T) {
	if got := fields.TypeOf("shoe_size"); got != fields.Text || got.IsDate() {
		t.Errorf("type %d", got)
	}
}

// A date that isn't typed as one would be passed on as it was read, 31/02 and all.
func TestDatesAreDates(t *testing.T) {
	for _, r := range fields.All {
		date := strings.Contains(string(r.Name), "date") || r.Name == paper.ValidFrom
		if r.Type.IsDate() != date {
			t.Errorf("%s: a date %t, typed as one %t", r.Name, date, r.Type.IsDate())
		}
	}
}
