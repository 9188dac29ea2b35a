package ocr

import (
	"context"
	"image"
	"strings"

	"golang.org/x/sync/errgroup"

	"motcua/ocr/field"
	"motcua/ocr/paper"
	"motcua/ocr/tess"
	"motcua/ocr/vn"
)

// lookAgain reads the values that no code gives a second time, from the same place at another scale: what the model
// guesses at, it seldom guesses twice alike. Two readings that agree are worth much more than one; of two that differ in
// their marks alone the more likely syllables are taken, and the value stays in doubt.
func (l *local) lookAgain(ctx context.Context, c *card, side field.Side, f *face) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(lanes)
	type look struct {
		name paper.Name
		text string
		ok   bool
	}
	looks := make([]look, 0, len(side.Values))
	for n := range side.Values {
		if !f.proven(n) {
			looks = append(looks, look{name: n})
		}
	}
	for i := range looks {
		g.Go(func() error {
			v := side.Values[looks[i].name]
			rows := make([][]tess.Word, len(v.Rows))
			for k, r := range v.Rows {
				room := max(3, r.Dy()/7)
				box := image.Rect(r.Min.X-2*room, r.Min.Y-room, r.Max.X+2*room, r.Max.Y+room).Intersect(c.img.Bounds())
				if box.Dx() < 4 || box.Dy() < 4 {
					continue
				}
				words, err := l.engines.line(ctx, c.img.SubImage(box).(*image.Gray), secondHeight)
				if err != nil {
					return err
				}
				rows[k] = words
			}
			looks[i].text, _, looks[i].ok = field.Again(looks[i].name, rows)
			if looks[i].name == paper.Number && len(v.Rows) == 1 {
				// No check digit guards a printed number: another model must read the same figures.
				r := v.Rows[0]
				box := r.Inset(-max(4, r.Dy()/5)).Intersect(c.img.Bounds())
				if !box.Empty() {
					other, err := l.engines.figures(ctx, c.img.SubImage(box).(*image.Gray))
					if err != nil {
						return err
					}
					looks[i].ok = looks[i].ok && other == v.Text
				}
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	for _, k := range looks {
		v := side.Values[k.name]
		switch {
		case !k.ok:
		case vn.Same(k.text, v.Text):
			v.Twice = true
		case vn.Plain(k.text) == vn.Plain(v.Text) && isName(k.name):
			v.Text = likelier(v.Text, k.text)
		}
		side.Values[k.name] = v
	}
	return nil
}

// secondHeight is what the second reading's strips are brought to.
const secondHeight = 56

// proven says whether an exact code gave the field.
func (f *face) proven(n paper.Name) bool {
	for _, r := range f.Readings[n] {
		if r.exact() && !(n == paper.FullName && r.Source == paper.MRZ) {
			return true
		}
	}
	return false
}

func isName(n paper.Name) bool {
	return n == paper.FullName || n == paper.FatherName || n == paper.MotherName
}

// likelier takes of each pair of syllables the one that is known in names.
func likelier(a, b string) string {
	x, y := strings.Fields(a), strings.Fields(b)
	if len(x) != len(y) {
		return a
	}
	for i := range x {
		if i == 0 {
			p, _ := vn.Family(x[0])
			q, _ := vn.Family(y[0])
			if q > p {
				x[0] = y[0]
			}
		} else if vn.Syllable(y[i]) && !vn.Syllable(x[i]) {
			x[i] = y[i]
		}
	}
	return strings.Join(x, " ")
}

// plausibleName: a known family name first, and syllables after it that can be spelled.
func plausibleName(s string) bool {
	w := strings.Fields(s)
	if len(w) < 2 {
		return false
	}
	if _, known := vn.Family(w[0]); !known {
		return false
	}
	for _, x := range w[1:] {
		if !vn.Syllable(x) {
			return false
		}
	}
	return true
}

// streetWords are what addresses begin with.
var streetWords = "|" + strings.Join(foldAll("Tổ", "Thôn", "Xóm", "Ấp", "Ngõ", "Ngách", "Hẻm", "Số", "Khu", "Phố", "Đường", "Bản", "Làng", "Buôn", "Phường", "Xã", "Huyện", "Quận",
	"Thị", "Trấn", "Thành", "Tỉnh", "Cách", "Mạng", "Tháng", "Trưng", "Kiệt", "Biên", "Phủ", "Đoài", "Thượng", "Hạ"), "|") + "|"

// plausiblePlace: it ends in a district of a province, and every word is known in names or places.
func plausiblePlace(s string, least int) bool {
	p := vn.Locate(s)
	if p.Province.Code == "" || p.District == "" || strings.Count(s, ",")+1 < least {
		return false
	}
	// What begins with a lone word is mostly the rest of a row that was lost.
	first, _, _ := strings.Cut(s, ",")
	if len(strings.Fields(first)) < 2 {
		return false
	}
	for _, w := range strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune(" ,.-/()", r) }) {
		if strings.ContainsAny(w, "0123456789") {
			continue
		}
		// That it can be spelled is not enough: nghỉ is as good a word as nghi, and communes are in no list here.
		if !vn.PlaceSyllable(w) && !vn.Syllable(w) && !strings.Contains(streetWords, "|"+vn.Fold(w)+"|") {
			return false
		}
	}
	return true
}
