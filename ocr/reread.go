package ocr

import (
	"context"
	"image"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"motcua/ocr/field"
	"motcua/ocr/fields"
	"motcua/ocr/find"
	"motcua/ocr/lines"
	"motcua/ocr/paper"
	"motcua/ocr/vn"
)

// reread reads the values that no code gives again, from their rows alone: by the network, and where that leaves a
// doubt by Tesseract, which learned from other print and seldom makes the same mistake. It takes a dozen times as long.
func (l *local) reread(ctx context.Context, c *card, side field.Side, f *readSide, known codeValues) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(lanes)
	var names []paper.Name
	for n := range side.Values {
		if !f.proven(n, side.Values[n].Text, known) {
			names = append(names, n)
		}
	}
	values := make([]field.Value, len(names))
	for i, n := range names {
		values[i] = side.Values[n]
		g.Go(func() error {
			if err := l.compare(c, known[n], &values[i]); err != nil {
				return err
			}
			return l.rereadValue(ctx, c, n, &values[i], isSheet(side.Kind))
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	for i, n := range names {
		side.Values[n] = values[i]
	}
	return nil
}

// rereadValue notes which engines see the same in a value's rows alone.
func (l *local) rereadValue(ctx context.Context, c *card, n paper.Name, v *field.Value, sheet bool) error {
	cuts, err := c.rereadRows(n, v)
	if err != nil {
		return err
	}
	if !sheet && wholeDay(n, v.Text) && lostFigure.MatchString(cuts[0].text()) {
		v.Doubts = append(v.Doubts, paper.LowConfidence)
	}
	if c.partLost(n, v) {
		v.Doubts = append(v.Doubts, paper.Incomplete)
	}
	if len(v.Doubts) == 0 && trusted(n, printed(*v)) {
		return nil
	}
	second, err := l.readAgain(ctx, c, n, v.Rows)
	if err != nil {
		return err
	}
	v.Second = samePrint(n, second, v.Text)
	if err := l.respell(c, v, n); err != nil {
		return err
	}
	switch {
	case v.Second || vn.Plain(second) != vn.Plain(v.Text):
	case isName(n):
		v.Choices = slices.Insert(v.Choices, 0, second)
	case isPlace(n):
		a, b := vn.Locate(v.Text), vn.Locate(second)
		if a.Commune == "" && b.Commune != "" && a.District == b.District {
			// Of two readings of the same letters the one that is in the gazetteer; it stays in doubt.
			v.Text, v.Reread, v.Marks = second, false, paper.MarksOpen
		}
	}
	return nil
}

// rereadRows reads a value's rows again by the networks: notes whether that of lines reads the same, and for what nothing but its letters
// speaks tells the marks of each.
func (c *card) rereadRows(n paper.Name, v *field.Value) ([]rowsCut, error) {
	byLetters := isName(n) || isPlace(n) && !listedPlace(n, v.Text)
	wides := []int{0}
	if byLetters {
		wides = append(wides, wider)
	}
	v.Reread = true
	var cuts []rowsCut
	for _, wide := range wides {
		k, err := c.cutRows(v.Rows, wide, byLetters)
		if err != nil {
			return nil, err
		}
		again, _, _ := field.FromRows(n, k.words)
		v.Reread = v.Reread && samePrint(n, again, v.Text)
		cuts = append(cuts, k)
	}
	if !byLetters {
		return cuts, nil
	}
	if err := c.tellMarks(n, v, cuts); err != nil {
		return nil, err
	}
	if c.strayDot(v) {
		v.Marks = paper.MarksOpen
	}
	return cuts, nil
}

// samePrint says whether another reading of a value's rows says the same: of an address the same commas and strokes, too.
func samePrint(n paper.Name, again, text string) bool {
	return again != "" && vn.Same(again, text) && (!isPlace(n) || parting(field.Tidied(n, again)) == parting(text))
}

// parting is an address's plain letters and figures with the signs that part it.
func parting(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == ',' || r == '/' {
			return r
		}
		return -1
	}, vn.Plain(s))
}

// readAgain reads the rows of a value by themselves by the second engine, and takes the value from them.
func (l *local) readAgain(ctx context.Context, c *card, n paper.Name, rows []image.Rectangle) (string, error) {
	words := make([][]lines.Word, len(rows))
	for i, r := range rows {
		strip := c.rowStrip(r, 0)
		if strip == nil {
			continue
		}
		var err error
		if words[i], err = l.engines.second(ctx, strip); err != nil {
			return "", err
		}
	}
	text, _, _ := field.FromRows(n, words)
	return text, nil
}

// respell reads a name again where it can't be Vietnamese as it stands: its family is nobody's, or a word can't be spelled so. If the
// print's own pixels leave open that one of the possible ones stands there, that is taken, and the name stays in review with what was
// read as a choice. Print that is clear stays as it is, whatever a list says.
func (l *local) respell(c *card, v *field.Value, n paper.Name) error {
	if !isName(n) {
		return nil
	}
	words := strings.Fields(v.Text)
	var others []string
	for i, w := range words {
		candidates := append(vn.Respelled(w), vn.Parted(w)...)
		if _, known := vn.Family(w); i == 0 && !known {
			for _, a := range vn.Alike(w) {
				if _, known := vn.Family(a); known {
					candidates = append(candidates, strings.ToUpper(a))
				}
			}
		}
		for _, o := range candidates {
			other := slices.Clone(words)
			other[i] = o
			others = append(others, strings.Join(other, " "))
		}
	}
	read := *v
	read.Fits = nil
	if err := l.compare(c, others, &read); err != nil || len(read.Fits) != 1 {
		return err
	}
	v.Choices = slices.Insert(slices.DeleteFunc(v.Choices, func(o string) bool { return o == read.Fits[0] }), 0, v.Text)
	v.Text, v.Reread, v.Second, v.Marks = read.Fits[0], false, false, paper.MarksOpen
	return nil
}

// partLost says whether what stands beside or over a value's rows tells that they have lost a part.
func (c *card) partLost(n paper.Name, v *field.Value) bool {
	switch {
	case slices.ContainsFunc(v.Rows, c.stamps.Hurt): // both engines have read the half of a red figure alike, as another one
		return true
	case len(v.Rows) == 0, fixedLength(n, v.Text):
		return false
	case isName(n) && c.inkBehind(v.Rows[len(v.Rows)-1]):
		return true
	}
	return slices.ContainsFunc(v.Rows, c.letterBeside) || slices.ContainsFunc(v.Rows, c.washedOut)
}

// What stands beside a row and is no word, in heights of the row.
const (
	letterRoom = 0.12 // between two letters
	letterFar  = 0.8  // of a letter's far end
	letterInk  = 0.08 // of a square as high as the row: less are specks and guilloche
)

// letterBeside says whether ink stands right before or behind a row that no line was made of: its first or last letter.
func (c *card) letterBeside(row image.Rectangle) bool {
	h := float64(row.Dy())
	if row.Dy() < leastRow {
		return false
	}
	near, far := int(letterRoom*h), int(letterFar*h)
	for _, square := range []image.Rectangle{
		image.Rect(row.Min.X-far, row.Min.Y+row.Dy()/4, row.Min.X-near, row.Max.Y-row.Dy()/4),
		image.Rect(row.Max.X+near, row.Min.Y+row.Dy()/4, row.Max.X+far, row.Max.Y-row.Dy()/4),
	} {
		square = square.Intersect(c.img.Rect)
		if square.Dx()*2 < far-near || c.taken(square) {
			continue
		}
		about := square.Inset(-2 * row.Dy()).Intersect(c.img.Rect)
		k := find.NewInk(c.img.SubImage(about).(*image.Gray), 41, contrast(c.img))
		if float64(k.Count(square.Sub(about.Min))) > letterInk*h*h {
			return true
		}
	}
	return false
}

// taken says whether lines of print stand in a square, beside the one that a row is of.
func (c *card) taken(square image.Rectangle) bool {
	for _, words := range c.known {
		for _, w := range words {
			if w.Box.Overlaps(square) {
				return true
			}
		}
	}
	return false
}

// inkBehind says whether anything that may be letters stands behind a row of words: a faint last name is no line's any more,
// and nothing else tells that it is missing.
func (c *card) inkBehind(row image.Rectangle) bool {
	h := row.Dy()
	behind := image.Rect(row.Max.X+h/3, row.Min.Y+h/8, row.Max.X+3*h, row.Max.Y-h/4).Intersect(c.img.Bounds())
	if h < leastRow || behind.Dx() < h {
		return false
	}
	about := image.Rect(behind.Min.X-2*h, behind.Min.Y-h, behind.Max.X+2*h, behind.Max.Y+h).Intersect(c.img.Bounds())
	k := find.NewInk(c.img.SubImage(about).(*image.Gray), 41, contrast(c.img))
	return k.Count(behind.Sub(about.Min))*10 > h*h
}

// lostFigure is a day or a month of one figure. Cards and passports print two of each, 01/10/2025: one was lost. Both engines have read the
// 11 of a narrow face as 1.
var lostFigure = regexp.MustCompile(`(^|[^0-9])([0-9][/.-][0-9]{1,2}|[0-9]{2}[/.-][0-9])[/.-][0-9]{4}`)

// wholeDay says whether a value is a day of which no part is open.
func wholeDay(n paper.Name, text string) bool {
	return fields.TypeOf(n).IsDate() && len(text) == len(time.DateOnly)
}

// fixedLength says whether a value is of a kind that would be seen to lack a part: twelve figures, or a day.
func fixedLength(n paper.Name, text string) bool {
	t := fields.TypeOf(n)
	return t == fields.Personal && len(text) == 12 || wholeDay(n, text) || t == fields.Sex || t == fields.Nation
}

// How glare shows: as a patch brighter than the card's brightest print-free paper, or as bright as can be.
const (
	glareTone  = 253  // of 255
	glareAbove = 6    // tones above brightPaper
	tintTone   = 245  // paper as bright as this has no tint that glare could stand out from
	glareShare = 0.6  // of a square as high as the row, before or behind it
	glareRim   = 0.02 // of the card's width, in which the lid may be seen
)

// washedOut says whether a lamp's reflection lies before or behind a row of words on a tinted card: what stood there is lost, and nothing
// else tells that it is missing.
func (c *card) washedOut(row image.Rectangle) bool {
	h := row.Dy()
	paper, brightest := c.tones()
	if h < leastRow || paper > tintTone {
		return false
	}
	glare := uint8(min(glareTone, brightest+glareAbove))
	rim := int(glareRim * float64(c.plane.Width))
	for _, at := range []int{row.Min.X - h - h/4, row.Max.X + h/4} {
		square := image.Rect(at, row.Min.Y, at+h, row.Max.Y).Intersect(c.img.Rect.Inset(rim))
		bright := 0
		for y := square.Min.Y; y < square.Max.Y; y++ {
			for _, v := range c.img.Pix[c.img.PixOffset(square.Min.X, y):][:square.Dx()] {
				if v >= glare {
					bright++
				}
			}
		}
		if square.Dx()*2 > h && float64(bright) > glareShare*float64(square.Dx()*square.Dy()) {
			return true
		}
	}
	return false
}

// leastRow is the height in pixels of a row that anything can be told of what stands about it.
const leastRow = 8

// tones are those of most of the cutting, its paper's, and of the brightest tenth of it.
func (c *card) tones() (paper, brightest int) {
	c.toned.Do(func() {
		var hist [256]int
		n := 0
		for y := 0; y < c.img.Rect.Dy(); y += 3 {
			for x := 0; x < c.img.Rect.Dx(); x += 3 {
				hist[c.img.Pix[y*c.img.Stride+x]]++
				n++
			}
		}
		share := func(tenths int) (tone int) {
			for left := n * tenths / 10; tone < 255 && left > hist[tone]; tone++ {
				left -= hist[tone]
			}
			return tone
		}
		c.paper, c.brightest = share(5), share(9)
	})
	return c.paper, c.brightest
}

// rowStrip cuts out a row of words with the room that its line has and so many pixels more; nil where that is too little to hold any.
func (c *card) rowStrip(row image.Rectangle, wide int) *image.Gray {
	box := c.around(row).Inset(-wide).Intersect(c.img.Bounds())
	if box.Dx() < 4 || box.Dy() < 4 {
		return nil
	}
	return c.img.SubImage(box).(*image.Gray)
}

// around is a row of words with as much room above and below as its line has.
func (c *card) around(row image.Rectangle) image.Rectangle {
	box := row.Inset(-max(4, row.Dy()*3/10)) // the last letter may be wider than its place was taken to be
	box.Min.Y, box.Max.Y = row.Min.Y, row.Max.Y
	for _, l := range c.lines {
		if middle := (l.Min.Y + l.Max.Y) / 2; middle > row.Min.Y && middle < row.Max.Y && l.Overlaps(row) {
			r := roomy(l, c.lines)
			box.Min.Y, box.Max.Y = min(box.Min.Y, r.Min.Y), max(box.Max.Y, r.Max.Y)
		}
	}
	return box
}

// proven says whether an exact code gave the field, and print says no other than it. Print that says what another card's code says
// and not what its own does is looked at again: the codes may have changed places.
func (f *readSide) proven(n paper.Name, text string, known codeValues) bool {
	if slices.ContainsFunc(f.Readings[n], func(r paper.Evidence) bool {
		return r.Source == paper.QR && !same(n, r, paper.Evidence{Value: text})
	}) {
		return false
	}
	if slices.Contains(known[n], shown(n, text)) || len(known[n]) == 1 && vn.Same(known[n][0], text) {
		return true
	}
	for _, r := range f.Readings[n] {
		if exact(r) && !(n == paper.FullName && r.Source == paper.MRZ) && same(n, r, paper.Evidence{Value: text}) {
			return true
		}
	}
	return false
}

func isPlace(n paper.Name) bool { return fields.TypeOf(n) == fields.Place }

func isName(n paper.Name) bool { return fields.TypeOf(n) == fields.PersonName }
