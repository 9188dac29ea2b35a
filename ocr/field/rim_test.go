package field

import (
	"slices"
	"testing"

	"motcua/ocr/paper"
)

func TestARimIsDroppedAndTold(t *testing.T) {
	row := func(line int, words ...piece) []piece {
		for i := range words {
			words[i].line = line
		}
		return words
	}
	good := func(text string) piece { return piece{text: text, conf: 0.98, low: 0.9} }
	bad := func(text string) piece { return piece{text: text, conf: 0.3, low: 0.1} }
	for _, c := range []struct {
		words []piece
		want  string
		doubt bool
	}{
		{row(1, bad("oe"), good("Nam"), good("Thái,"), good("Phú"), good("Bình")), "Nam Thái, Phú Bình", true},
		{slices.Concat(row(1, good("Quận"), good("1,"), good("Hồ"), good("Chí"), bad("v,"), bad("LF")), row(2, good("Minh"))),
			"Quận 1, Hồ Chí Minh", true},
		{row(1, bad("12"), good("Hùng"), good("Vương,"), good("Cẩm"), good("Sơn")), "12 Hùng Vương, Cẩm Sơn", false},
		{row(1, good("Ea"), good("Tam,"), good("Đắk"), good("Lắk")), "Ea Tam, Đắk Lắk", false},
		{row(1, bad("Ea"), bad("Tam"), good("Lắk")), "Ea Tam Lắk", false}, // all of it was read badly: its confidence says so
		{row(1, good("Phường"), good("8"), good("Đam"), good("Rông,"), good("Lâm"), good("Đồng")),
			"Phường 8 Đam Rông, Lâm Đồng", true},
		{row(1, good("Phường"), good("8,"), good("Đam"), good("Rông")), "Phường 8, Đam Rông", false},
	} {
		v, ok := somewhere(c.words)
		if !ok || v.Text != c.want || slices.Contains(v.Doubts, paper.Incomplete) != c.doubt {
			t.Errorf("got %q %v, want %q, doubted %v", v.Text, v.Doubts, c.want, c.doubt)
		}
	}
}
