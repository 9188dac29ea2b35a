package counter

import (
	"image"
	"image/color"
	"testing"
	"time"

	"motcua/agent/visit"
	"motcua/ocr/paper"
)

func TestPrecheck(t *testing.T) {
	now := time.Date(2026, 11, 29, 9, 0, 0, 0, time.UTC)
	grey := func(of uint8, print bool) image.Image {
		img := image.NewGray(image.Rect(0, 0, 100, 140))
		for i := range img.Pix {
			img.Pix[i] = of
		}
		for x := 10; print && x < 90; x++ {
			for y := 20; y < 30; y++ {
				img.Set(x, y, color.Gray{20})
			}
		}
		return img
	}
	card := func(number, name, side, expiry string) []paper.Document {
		return []paper.Document{{Type: paper.CCCD, Sides: []string{side}, Fields: map[paper.Name]paper.Field{
			paper.Number: {Value: number}, paper.FullName: {Value: name}, paper.DateOfExpiry: {Value: expiry}}}}
	}
	sheet := func(id, bytes string, docs ...paper.Document) visit.Paper {
		return visit.Paper{ID: id, Data: []byte(bytes), Documents: docs}
	}
	for name, c := range map[string]struct {
		papers  []visit.Paper
		picture image.Image
		want    string
	}{
		"sound":      {[]visit.Paper{sheet("p1", "a", card("1", "Trần An", "front", "2030-01-01")...), sheet("p2", "b")}, grey(240, true), ""},
		"last_day":   {[]visit.Paper{sheet("p1", "a", card("1", "Trần An", "front", "2026-11-29")...)}, nil, ""},
		"expired":    {[]visit.Paper{sheet("p1", "a", card("1", "Trần An", "front", "2026-11-27")...)}, nil, NoteExpired},
		"same_bytes": {[]visit.Paper{sheet("p1", "a"), sheet("p2", "a")}, grey(240, true), NoteDoubled},
		"same_side": {[]visit.Paper{sheet("p1", "a", card("1", "Trần An", "front", "")...),
			sheet("p2", "b", card("1", "Trần An", "front", "")...)}, nil, NoteDoubled},
		"another_name": {[]visit.Paper{sheet("p1", "a", card("1", "Trần An", "front", "")...),
			sheet("p2", "b", card("1", "Trần Ân", "back", "")...)}, nil, NoteNames},
		"empty":         {[]visit.Paper{sheet("p1", "a")}, grey(240, false), NoteEmpty},
		"dark":          {[]visit.Paper{sheet("p1", "a")}, grey(10, true), NoteDark},
		"could_not_say": {[]visit.Paper{sheet("p1", "a")}, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := ""
			for _, n := range Precheck(c.papers, now, func(string) image.Image { return c.picture }) {
				got += n.Code
			}
			if got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}
