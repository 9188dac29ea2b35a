package address

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"motcua/ocr/vn"
)

// bareName is a unit's name as two sources may spell it: without its kind, tones, blanks and what stands in brackets, and
// with the letters that are written either way.
func bareName(name string) string {
	name = regexp.MustCompile(`\(.*?\)`).ReplaceAllString(strings.ToLower(name), "")
	name = regexp.MustCompile(`^\s*((một )?phần( của)? )?(xã|phường|thị trấn|đặc khu|tỉnh|thành phố)\s+`).ReplaceAllString(name, "")
	name = strings.NewReplacer("y", "i", "x", "s").Replace(strings.ToLower(vn.Fold(name)))
	return regexp.MustCompile(`[^a-z0-9]`).ReplaceAllString(name, "")
}

// Two hundred units drawn at random, and all splits, against what a third source says each unit of today was made of
// (github.com/thanglequoc/vietnamese-provinces-database, sapnhap-bando-crawler/donvi_tinhthanh.json; MOTCUA_UNITS_THIRD names
// that file).
func TestThirdSource(t *testing.T) {
	file := os.Getenv("MOTCUA_UNITS_THIRD")
	if file == "" {
		t.Skip("MOTCUA_UNITS_THIRD names no file")
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var units []struct{ Ma, Ten, Magoc, Truocsapnhap string }
	if err := json.Unmarshal(data, &units); err != nil {
		t.Fatal(err)
	}
	madeOf := map[string][]string{}
	for _, u := range units {
		names := []string{bareName(u.Ten)} // "giữ nguyên": it was this before
		if !strings.EqualFold(u.Truocsapnhap, "giữ nguyên") {
			names = nil
			for _, part := range regexp.MustCompile(`,| và `).Split(u.Truocsapnhap, -1) {
				names = append(names, bareName(part))
			}
		}
		madeOf[u.Ma] = names
	}
	named := func(o old, code string) bool {
		name := bareName(o.names[0])
		return slices.ContainsFunc(madeOf[code], func(part string) bool {
			return part != "" &&
				vn.Edits([]rune(name), []rune(part)) <= len(name)/6
		})
	}
	var single []old
	for _, olds := range shipped(t).old {
		for _, o := range olds {
			if o.kind == Moved {
				single = append(single, o)
			}
		}
	}
	slices.SortFunc(single, func(a, b old) int {
		return strings.Compare(strings.Join(a.names[:], "|"), strings.Join(b.names[:], "|"))
	})
	agree := 0
	for _, o := range single {
		if named(o, o.to[0]) {
			agree++
		}
	}
	rng := rand.New(rand.NewPCG(2026, 11))
	drawn := 0
	for _, i := range rng.Perm(len(single))[:200] {
		if named(single[i], single[i].to[0]) {
			drawn++
		} else {
			t.Errorf("%v is not among what %s was made of: %v", single[i].names, single[i].to[0], madeOf[single[i].to[0]])
		}
	}
	t.Logf("%d of 200 drawn units agree; of all, %d of %d", drawn, agree, len(single))
}
