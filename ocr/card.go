package ocr

import (
	"context"
	"image"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"motcua/ocr/field"
	"motcua/ocr/find"
	"motcua/ocr/lines"
	"motcua/ocr/mrz"
	"motcua/ocr/page"
	"motcua/ocr/paper"
	"motcua/ocr/qr"
	"motcua/ocr/vn"
)

// readSide is one side of a paper as read.
type readSide struct {
	Kind     paper.Kind
	Side     string // "front", "back" or ""
	Page     int
	Quad     paper.Quad // upright
	Turn     int        // clockwise degrees the paper was turned
	Readings map[paper.Name][]paper.Evidence
	MRZ      *mrz.Data
	CodeOf   paper.Kind // of which kind of paper its QR symbol is: BHYT, or CCCD for any identity card; "" without one
	Stuck    bool       // a symbol on it can't be the paper's own: not of a card's size or place, or one of two kinds
	Labels   int
	Uncoded  bool // by its print it is a card without a QR symbol, though one stands on it
	Sure     bool // it is an identity card, even if not which: by its marks and codes together
	Text     string
	Copy     string      // what the symbol on a certified copy says
	Words    string      // all that was read, folded
	Legible  int         // how many words of it were read well
	Part     *paper.Part // for a copy of the paper, where that is wanted
}

func (f *readSide) add(n paper.Name, r paper.Evidence) {
	if r.Value == "" || !onCalendar(n, r.Value) {
		return
	}
	r.Page = f.Page
	f.Readings[n] = append(f.Readings[n], r)
}

// card is a card-shaped paper being read.
type card struct {
	edges            bool // its edges were seen; else it is a heap of print, or a whole sheet
	hasMRZ           bool // lines like an MRZ's stand at its foot
	img              *image.Gray
	plane            find.Plane
	quad             paper.Quad
	lines            []image.Rectangle
	all              []image.Rectangle // every line, those of an MRZ too
	codes            []qr.Symbol
	plain            bool // the page has colour, by which stamps were taken off
	stamps           find.Stamps
	toned            sync.Once // guards the two tones, of which tones tells
	paper, brightest int
	known            map[image.Rectangle][]lines.Word // lines that the vote on the way up has read
}

// Widths a card is cut out at: less loses tone marks, more costs time.
const (
	leastWidth = 1000
	mostWidth  = 1280
)

func cut(p page.Picture, o find.Outline) *card {
	fine := max(1, int(o.Width/(0.95*leastWidth))) // pixels of the page to one of the cutting
	w := int(min(max(o.Width/float64(fine), leastWidth), mostWidth))
	c := cutTo(p, o, w)
	if p.Red != nil {
		c.stamps = find.Unstamp(c.img, p.Red, o.Quad, p.RedScale(), c.plane.Height/8)
	}
	return c
}

// mostCut bounds the pixels of a cutting: a sheet twice as long as it is wide at its full width. What is longer, and no paper, is cut out
// smaller: a strip of 32 by 32,800 pixels made up to a sheet's width would be a thousand million.
const mostCut = 2 * widest * widest

// cutTo cuts out o so that it is w pixels wide, or less where it is very long.
func cutTo(p page.Picture, o find.Outline, w int) *card {
	w = max(1, min(w, int(math.Sqrt(mostCut*o.Width/o.Height))))
	h := max(1, int(float64(w)*o.Height/o.Width))
	c := &card{quad: o.Quad, plane: find.NewPlane(o.Quad, w, h)}
	c.img = c.plane.Cut(p.Gray, int(o.Width/float64(w)+0.1))
	c.plain = p.Red != nil
	return c
}

// ink is the print of the cutting.
func (c *card) ink(window int) find.Ink {
	k := find.NewInk(c.img, window, contrast(c.img))
	if c.plain {
		return k.Unstamped()
	}
	return k
}

// flip turns the card by 180 degrees.
func (c *card) flip() {
	q := c.quad
	c.quad = paper.Quad{q[2], q[3], q[0], q[1]}
	c.plane = find.NewPlane(c.quad, c.plane.Width, c.plane.Height)
	c.img = page.Turn(c.img, 180)
	c.stamps = c.stamps.Turned(2)
	c.known = nil
	w, h := c.plane.Width, c.plane.Height
	for i, r := range c.lines {
		c.lines[i] = image.Rect(w-r.Max.X, h-r.Max.Y, w-r.Min.X, h-r.Min.Y)
	}
	slices.Reverse(c.lines)
	for i := range c.codes {
		for k, p := range c.codes[i].Where {
			c.codes[i].Where[k] = paper.Point{X: float64(w) - p.X, Y: float64(h) - p.Y}
		}
	}
}

// contrast is what separates print from guilloche: a share of the way from the paper to the blackest ink.
func contrast(g *image.Gray) int {
	var hist [256]int
	n := 0
	for y := 0; y < g.Rect.Dy(); y += 3 {
		for x := 0; x < g.Rect.Dx(); x += 3 {
			hist[g.Pix[y*g.Stride+x]]++
			n++
		}
	}
	at := func(share float64) int {
		left := int(share * float64(n))
		for v, c := range hist {
			if left -= c; left < 0 {
				return v
			}
		}
		return 255
	}
	return min(max((at(0.5)-at(0.01))/5, 16), 45)
}

func (c *card) findLines() {
	h := c.img.Bounds().Dy()
	c.lines = find.Lines(c.ink(41), max(10, h/54), h/12)
}

// cutLevel cuts an outline out, and where no edges say how it lies, once more as its print lies.
func cutLevel(p page.Picture, o find.Outline, edges bool) *card {
	c := cut(p, o)
	if !edges {
		if level, crooked := o.Levelled(find.Slope(c.img)); crooked {
			c = cut(p, level)
		}
	}
	c.edges = edges
	return c
}

// codes cuts one card-shaped paper out of a page, turns it upright and reads its exact codes.
func (l *local) codes(ctx context.Context, p page.Picture, o find.Outline, edges bool, number int) (*card, *readSide, error) {
	c := cutLevel(p, o, edges)
	var work sync.WaitGroup
	work.Go(func() { c.codes = qr.Find(c.img, qr.QRCode|qr.Code128) })
	c.findLines()
	work.Wait()
	var worn []qr.Symbol
	if img := c.img; len(c.codes) == 0 { // one looks harder, and meanwhile at the print
		work.Go(func() { worn = qr.FindWorn(img) })
	}
	up, sure := c.upright()
	var err error
	if !sure {
		up, err = l.vote(ctx, c)
	}
	work.Wait()
	if err != nil {
		return nil, nil, err
	}
	if len(worn) > 0 {
		c.codes = worn
		up, _ = c.upright()
	}
	if !up {
		c.flip()
	}
	f := &readSide{Page: number, Quad: c.quad, Turn: turnOf(c.quad), Readings: map[paper.Name][]paper.Evidence{}}
	for _, s := range c.codes {
		f.code(s, c)
		f.Stuck = f.Stuck || s.QR && !c.bears(s)
	}
	mrzRows, rest := c.mrzOf(c.lines)
	if len(mrzRows) > 0 {
		if err := l.readMRZ(c, mrzRows, f, likeMRZ); err != nil {
			return nil, nil, err
		}
		if c.hasMRZ = f.MRZ != nil || c.level(c.wide(c.lines)); !c.hasMRZ { // an address that fills the card
			rest = c.lines
		}
	}
	if f.MRZ == nil {
		// A scratch parts a row; but print in two columns looks the same, so that only an MRZ without fault counts.
		joined := rows(c.lines)
		if mrzRows, others := c.mrzOf(joined); len(mrzRows) > 0 && c.level(c.wide(joined)) {
			if err := l.readMRZ(c, mrzRows, f, func(z mrz.Data) bool { return likeMRZ(z) && z.Whole() }); err != nil {
				return nil, nil, err
			}
			if f.MRZ != nil {
				rest, c.hasMRZ = others, true
			}
		}
	}
	c.all, c.lines = c.lines, rest
	return c, f, nil
}

// print reads what stands beside the codes. known are the values that QR symbols on the same page give.
func (l *local) print(ctx context.Context, c *card, f *readSide, known codeValues) (*readSide, error) {
	rest := c.lines
	top, front := c.below(f)
	if front {
		rest = slices.DeleteFunc(slices.Clone(rest), func(r image.Rectangle) bool { return r.Max.Y < top })
	}
	words, err := l.lines(ctx, c, rest)
	if err != nil {
		return nil, err
	}
	runs := field.Runs(words)
	side := field.Card(runs)
	if front && !showsBearer(side) { // the card of 2024 has its symbol there on the back, where an address stands beside it
		front = false
		if words, err = l.lines(ctx, c, c.lines); err != nil {
			return nil, err
		}
		runs = field.Runs(words)
		side = field.Card(runs)
	}
	f.index(words)
	f.tellKind(&side, c.edges)
	if front && side.Side != "back" && (side.Kind == "" && f.Sure || side.Kind == paper.CCCD2016) {
		f.Uncoded = side.Kind == paper.CCCD2016
		side.Kind, side.Side = paper.CCCD, "front"
	}
	if err := l.reread(ctx, c, side, f, known); err != nil {
		return nil, err
	}
	f.take(side, c)
	if f.Kind == "" || f.Kind == paper.Other {
		f.Text = field.Text(runs)
	}
	return f, nil
}

// showsBearer says whether a side bears what the fronts of cards do: the bearer's name, number or birth.
func showsBearer(s field.Side) bool {
	_, number := s.Values[paper.Number]
	_, name := s.Values[paper.FullName]
	_, birth := s.Values[paper.DateOfBirth]
	return number || name || birth
}

// shown is a value in the form it is printed in: names on cards stand in capitals.
func shown(n paper.Name, v string) string {
	if n == paper.FullName {
		return strings.ToUpper(v)
	}
	return v
}

func (c *card) pageQuad(q paper.Quad) paper.Quad {
	for i, p := range q {
		q[i] = c.plane.Page(p.X, p.Y)
	}
	return q
}

// upright tells from exact codes which way up the card lies: a QR has a top, and an MRZ stands at
// the foot.
func (c *card) upright() (up, sure bool) {
	for _, s := range c.codes {
		if s.QR {
			return s.Where[1].X > s.Where[0].X, true
		}
	}
	rows := c.wide(c.lines)
	if len(rows) >= 2 && c.level(rows) && !c.paragraph(rows) {
		h := c.plane.Height
		first, last := rows[0], rows[len(rows)-1]
		if first.Min.Y > h/2 {
			return true, true
		}
		if last.Max.Y < h/2 {
			return false, true
		}
	}
	return true, false
}

// paragraph says whether rows are some of more lines that begin and end together: set text, of which no MRZ has so many.
func (c *card) paragraph(rows []image.Rectangle) bool {
	first, last := rows[0], rows[len(rows)-1]
	return slices.ContainsFunc(c.lines, func(r image.Rectangle) bool {
		above, below := first.Min.Y-r.Max.Y, r.Min.Y-last.Max.Y
		beside := above > -r.Dy()/3 && above < 2*r.Dy() || below > -r.Dy()/3 && below < 2*r.Dy()
		return beside && !slices.Contains(rows, r) && near(r.Dy(), first.Dy(), 0.6) && c.level(append([]image.Rectangle{r}, rows...))
	})
}

// level says whether rows begin and end together, as an MRZ's do; an address has ragged ends.
func (c *card) level(rows []image.Rectangle) bool {
	return !slices.ContainsFunc(rows, func(r image.Rectangle) bool {
		return abs(r.Min.X-rows[0].Min.X) > rows[0].Dy() || abs(r.Max.X-rows[0].Max.X) > rows[0].Dy() || r.Dx()*4 < c.plane.Width*3
	})
}

// wide are neighbouring lines that fill the card from side to side with letters of one size, as a machine readable
// MRZ does.
func (c *card) wide(lines []image.Rectangle) []image.Rectangle {
	var best []image.Rectangle
	most := 0 // how far the best reach together: an address may have as many lines, but they end where its words do
	for i, a := range lines {
		if a.Dx()*10 < c.plane.Width*7 {
			continue
		}
		group := []image.Rectangle{a}
		last := a
		for _, b := range lines[i+1:] {
			if b.Dx()*10 < c.plane.Width*5 {
				continue
			}
			gap := b.Min.Y - last.Max.Y
			if gap > -last.Dy()/3 && gap < last.Dy()*2 && near(b.Dy(), a.Dy(), 0.6) && abs(b.Min.X-a.Min.X) < a.Dy()*2 {
				group = append(group, b)
				last = b
			}
		}
		reach := 0
		for _, r := range group {
			reach += r.Dx()
		}
		if len(group) <= 4 && reach > most {
			best, most = group, reach
		}
	}
	if len(best) < 2 {
		return nil
	}
	return best
}

func near(a, b int, by float64) bool { return math.Abs(float64(a)/float64(b)-1) < by }

func abs(n int) int { return max(n, -n) }

// mrzOf parts the card's lines that belong to an MRZ from the others; lines are those in which its rows
// are looked for.
func (c *card) mrzOf(lines []image.Rectangle) (mrzRows, rest []image.Rectangle) {
	rows := c.wide(lines)
	if len(rows) == 0 || rows[0].Min.Y < c.plane.Height/2 {
		return nil, c.lines
	}
	top := rows[0].Min.Y - rows[0].Dy()/3
	for _, r := range c.lines {
		if r.Min.Y >= top {
			mrzRows = append(mrzRows, r)
		} else {
			rest = append(rest, r)
		}
	}
	return mrzRows, rest
}

// voters is how many lines vote on the way up, and plain how many of their letters at least must read as words for one way to be it: an
// MRZ that was destroyed has the longest lines and reads alike both ways, and is no vote.
const (
	voters     = 3
	plainVote  = 16
	plainShare = 0.6
)

// vote reads the longest lines as they lie, and unless that was plain to read, also turned over, and keeps the way that
// reads better. Where neither is plain, the next longest vote, too.
func (l *local) vote(ctx context.Context, c *card) (up bool, err error) {
	if len(longest(c.lines, voters)) == 0 {
		return true, nil
	}
	score := func(n int) (read float64, plain bool, err error) {
		words, err := l.lines(ctx, c, longest(c.lines, n))
		all := 0.0
		for _, w := range words {
			all += float64(len([]rune(w.Text)))
		}
		read = legible(words)
		return read, read > plainVote && read > plainShare*all, err
	}
	a, plain, err := score(voters)
	if err != nil || plain {
		return true, err
	}
	c.flip()
	b, plain, err := score(voters)
	c.flip()
	if err != nil || plain || len(c.lines) <= voters {
		return a >= b, err
	}
	if a, plain, err = score(2 * voters); err != nil || plain {
		return true, err
	}
	c.flip()
	b, _, err = score(2 * voters)
	c.flip()
	return a >= b, err
}

// lines reads lines of c, those that were read before not again. Words are numbered by their line's place in boxes.
func (l *local) lines(ctx context.Context, c *card, boxes []image.Rectangle) ([]lines.Word, error) {
	var fresh []image.Rectangle
	for _, b := range boxes {
		if _, known := c.known[b]; !known {
			fresh = append(fresh, b)
		}
	}
	read, err := l.engines.lines(ctx, c.img, fresh, c.lines)
	if err != nil {
		return nil, err
	}
	if c.known == nil {
		c.known = map[image.Rectangle][]lines.Word{}
	}
	for i, b := range fresh {
		c.known[b] = read[i]
	}
	var all []lines.Word
	for i, b := range boxes {
		for _, w := range c.known[b] {
			w.Line = i
			all = append(all, w)
		}
	}
	return all, nil
}

func longest(lines []image.Rectangle, n int) []image.Rectangle {
	var out []image.Rectangle
	for range n {
		best := -1
		for i, r := range lines {
			taken := false
			for _, o := range out {
				taken = taken || o == r
			}
			if !taken && r.Dy() > 10 && (best < 0 || r.Dx() > lines[best].Dx()) {
				best = i
			}
		}
		if best < 0 {
			break
		}
		out = append(out, lines[best])
	}
	return out
}

// legible sums the letters read with confidence. Of what stands on its head much reads as letters, too, but hardly as
// syllables.
func legible(words []lines.Word) float64 {
	s := 0.0
	for _, w := range words {
		n := len([]rune(w.Text))
		if n < 2 || w.Conf < 0.6 {
			continue
		}
		if n > 2 && !vn.Spelled(w.Text) {
			n = 1
		}
		s += w.Conf * float64(n)
	}
	return s
}

// turnOf is how far clockwise a paper with this upright outline was turned.
func turnOf(q paper.Quad) int {
	a := math.Atan2(q[1].Y-q[0].Y, q[1].X-q[0].X) * 180 / math.Pi
	return ((int(math.Round(a/90))*90)%360 + 360) % 360
}

// readMRZ reads an MRZ: by its own classifier, which takes a few milliseconds, and by the network of
// lines where check digits say that was not enough. What accept refuses is none.
func (l *local) readMRZ(c *card, mrzRows []image.Rectangle, f *readSide, accept func(mrz.Data) bool) error {
	box := mrzRows[0]
	for _, r := range mrzRows[1:] {
		box = box.Union(r)
	}
	var lines []string
	joined := rows(mrzRows)
	for _, r := range mrz.Read(c.img, joined) {
		lines = append(lines, r.Text)
	}
	z, err := mrz.Parse(lines, l.now())
	if err != nil || !z.Whole() {
		other, e := l.engines.machine(c.img, joined)
		if e != nil {
			return e
		}
		if o, e := mrz.Parse(other, l.now()); e == nil && (err != nil || o.Proofs() > z.Proofs()) {
			z, err = o, nil
		}
	}
	if err != nil || !accept(z) {
		return nil
	}
	f.MRZ = &z
	where := c.plane.Quad(box)
	f.takeMRZ(z, &where)
	return nil
}

// likeMRZ tells an MRZ from a form's figures or a letter's wide print, of whose check digits one fits by chance in ten.
func likeMRZ(z mrz.Data) bool {
	n := z.Proofs()
	if z.Passport {
		// Two fit by chance in a hundred, and there are many ways to lay a torn MRZ of a card into a passport's two lines.
		return n >= 2 && (n > 2 || strings.HasPrefix(z.Lines[0], "P")) && !strings.Contains(z.DocumentNumber.Text, "<")
	}
	return n >= 2 || n == 1 && strings.Contains(strings.Join(z.Lines, ""), "VNM")
}

// rows joins boxes that stand on one line.
func rows(boxes []image.Rectangle) []image.Rectangle {
	var out []image.Rectangle
	for _, b := range boxes {
		if n := len(out); n > 0 && 2*(min(out[n-1].Max.Y, b.Max.Y)-max(out[n-1].Min.Y, b.Min.Y)) > min(out[n-1].Dy(), b.Dy()) {
			out[n-1] = out[n-1].Union(b)
			continue
		}
		out = append(out, b)
	}
	return out
}

// takeMRZ adds what an MRZ says.
func (f *readSide) takeMRZ(z mrz.Data, where *paper.Quad) {
	// A check digit fits by chance in one of ten: of an MRZ that is mostly torn, it proves nothing.
	torn := z.Proofs() < 3
	put := func(n paper.Name, v mrz.Value, text string) {
		if text == "" {
			return
		}
		r := paper.Evidence{Value: text, Source: paper.MRZ, Conf: 0.6, Where: where}
		switch {
		case z.Foreign() && !z.Passport: // a card or visa of another state: no kind of ours
			r.Doubts = []paper.Doubt{paper.Unknown}
		case torn:
			r.Doubts = []paper.Doubt{paper.CheckDigit}
		case v.Proven && z.Composite:
			r.Conf = certainty(paper.MRZ)
		case v.Proven:
			r.Conf = 0.97
		default:
			r.Doubts = []paper.Doubt{paper.CheckDigit}
		}
		f.add(n, r)
	}
	put(paper.Number, z.PersonalNumber, z.PersonalNumber.Text)
	if z.Passport || z.Foreign() {
		put(paper.DocumentNumber, z.DocumentNumber, z.DocumentNumber.Text)
	}
	put(paper.DateOfBirth, z.Birth, z.Birth.Text)
	expiry := z.Expiry.Text
	if strings.HasSuffix(expiry, "99-12-31") && !z.Passport {
		expiry = field.Forever
	}
	put(paper.DateOfExpiry, z.Expiry, expiry)
	// Sex and nationality have no check digit of their own and are not in the composite.
	put(paper.Sex, mrz.Value{Proven: z.Sex.Proven}, map[string]string{"M": "Nam", "F": "Nữ"}[z.Sex.Text])
	put(paper.Nationality, mrz.Value{Proven: z.Nationality.Proven}, map[string]string{"VNM": "Việt Nam"}[z.Nationality.Text])
	if name := strings.TrimSpace(z.Family + " " + z.Given); z.Family != "" {
		f.add(paper.FullName, paper.Evidence{Value: name, Source: paper.MRZ, Conf: 0.6, Doubts: []paper.Doubt{paper.Incomplete}, Where: where})
	}
}

// now is the clock the parsers are given.
func (l *local) now() time.Time { return time.Now() }

// below says under which height the print of a chip card's front begins that is worth reading: its QR stands in the upper
// right corner beside titles only.
func (c *card) below(f *readSide) (top int, front bool) {
	for _, s := range c.codes {
		if !s.QR || len(f.Readings[paper.Number]) == 0 || f.MRZ != nil || c.hasMRZ { // the card of 2024 has it on its back
			continue
		}
		mid := (s.Where[0].X + s.Where[2].X) / 2
		if s.Where[2].Y < float64(c.plane.Height)*0.45 && mid > float64(c.plane.Width)*0.6 {
			return int(s.Where[2].Y), true
		}
	}
	return 0, false
}

func (f *readSide) hasQR() bool {
	return slices.ContainsFunc(f.Readings[paper.Number], func(r paper.Evidence) bool { return r.Source == paper.QR })
}
