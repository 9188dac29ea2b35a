package answer

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"motcua/agent/dossier"
	"motcua/ocr/vn"
)

// others are persons of a form who are not the ones that hand it in.
var others = []string{"child", "deceased", "subject", "recognised", "claimant"}

// applicant is the role of who hands a form in, where it is none of the parties themselves.
const applicant = "applicant"

// Born gives the years of birth of those to whom it may be told where a dossier stands: of the applicant, else of the
// parties (bride and groom). In goes form.json; without a year in it nothing comes out.
func Born(form []byte) []int {
	// Less than dossier.Form on purpose: a kiosk of a later version may say what this one does not know, such as another level.
	var f struct{ Values []struct{ ID, Value string } }
	if json.Unmarshal(form, &f) != nil {
		return nil
	}
	values := make([]dossier.FormValue, len(f.Values))
	for i, v := range f.Values {
		values[i] = dossier.FormValue{ID: v.ID, Value: v.Value}
	}
	return BornIn(values)
}

// BornIn is Born of a form's values.
func BornIn(values []dossier.FormValue) []int {
	byRole := map[string]int{}
	for _, v := range values {
		role, part, ok := strings.Cut(v.ID, "_")
		if !ok || slices.Contains(others, role) {
			continue
		}
		switch part {
		case "birth":
			if y := year(v.Value); y != 0 {
				byRole[role] = y
			}
		case "number":
			if y := yearOfNumber(v.Value); y != 0 && byRole[role] == 0 {
				byRole[role] = y
			}
		}
	}
	if y := byRole[applicant]; y != 0 {
		return []int{y}
	}
	var years []int
	for _, y := range byRole {
		years = append(years, y)
	}
	slices.Sort(years)
	return slices.Compact(years)
}

// year reads the year of a date as forms have it: ISO 8601, or the year alone.
func year(date string) int {
	text, _, _ := strings.Cut(date, "-")
	y, err := strconv.Atoi(text)
	if err != nil || len(text) != 4 || y < 1850 {
		return 0
	}
	return y
}

// yearOfNumber reads the year of birth in a personal number.
func yearOfNumber(number string) int {
	n, err := vn.ParsePersonalNumber(number)
	if err != nil {
		return 0
	}
	return n.Year
}
