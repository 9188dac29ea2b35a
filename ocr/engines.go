package ocr

import (
	"context"
	"image"
	"strings"

	"golang.org/x/sync/errgroup"

	"motcua/ocr/ctc"
	"motcua/ocr/find"
	"motcua/ocr/lines"
	"motcua/ocr/tess"
)

// engines are what reads print in one process: the project's own network, which reads every line, and an engine that learned from other
// print, warm instances of Tesseract, which reads a second time what a person would otherwise have to look at.
type engines struct{ text lines.Engine }

const mrzAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789<"

// lanes is how many engines of a kind work at once on one page: as many as a kiosk has cores.
const lanes = 2

func newEngines() *engines {
	return &engines{
		text: tess.NewPool(lanes, func() (*tess.Engine, error) { return tess.Open("vie") }),
	}
}

func (e *engines) warm(ctx context.Context) error {
	if _, err := ctc.Load(); err != nil {
		return err
	}
	return e.text.Warm(ctx)
}

func (e *engines) close() {
	e.text.Close()
}

// lines reads each line of img by itself, all lanes at work, and gives the words of each. all are the lines that stand
// on img, from which a strip keeps clear.
func (e *engines) lines(ctx context.Context, img *image.Gray, boxes, all []image.Rectangle) ([][]lines.Word, error) {
	network, err := ctc.Load()
	if err != nil {
		return nil, err
	}
	found := make([][]lines.Word, len(boxes))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(lanes)
	for i, box := range boxes {
		g.Go(func() error {
			found[i] = words(network.Read(strip(img, box, all)), box)
			return ctx.Err()
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return found, nil
}

// words parts the letters of a line at its spaces.
func words(letters []ctc.Letter, line image.Rectangle) []lines.Word {
	var out []lines.Word
	open := false
	for _, l := range letters {
		if l.Sign == ' ' {
			open = false
			continue
		}
		at := image.Rect(l.From, line.Min.Y, l.To, line.Max.Y)
		if !open {
			out = append(out, lines.Word{Box: at, Conf: 1, Low: 1})
			open = true
		}
		w := &out[len(out)-1]
		w.Text += string(l.Sign)
		w.Box = w.Box.Union(at)
		w.Conf, w.Low = min(w.Conf, l.Prob), min(w.Low, l.Prob)
	}
	return out
}

// machine reads the rows of an MRZ.
func (e *engines) machine(img *image.Gray, rows []image.Rectangle) ([]string, error) {
	network, err := ctc.Load()
	if err != nil {
		return nil, err
	}
	var out []string
	for _, r := range rows {
		var b strings.Builder
		for _, l := range network.ReadOnly(strip(img, r, rows), mrzAlphabet) {
			b.WriteRune(l.Sign)
		}
		out = append(out, b.String())
	}
	return out, nil
}

// lineHeight is what Tesseract's strips are brought to: near what the model was trained on. Its own shrinking of larger
// lines loses tone marks on capitals.
const lineHeight = 40

// second reads one strip by Tesseract; boxes come back in the pixels of the strip.
func (e *engines) second(ctx context.Context, s *image.Gray) ([]lines.Word, error) {
	b := s.Bounds()
	w := max(1, (b.Dx()*lineHeight+b.Dy()/2)/b.Dy())
	words, err := e.text.Read(ctx, find.Resize(s, w, lineHeight), 300)
	fx, fy := float64(b.Dx())/float64(w), float64(b.Dy())/lineHeight
	for i, o := range words {
		r := o.Box
		words[i].Box = image.Rect(b.Min.X+int(float64(r.Min.X)*fx), b.Min.Y+int(float64(r.Min.Y)*fy), b.Min.X+int(float64(r.Max.X)*fx+0.5),
			b.Min.Y+int(float64(r.Max.Y)*fy+0.5))
	}
	return words, err
}

// strip is a line with a little room around it, but nothing of its neighbours.
func strip(img *image.Gray, box image.Rectangle, all []image.Rectangle) *image.Gray {
	return img.SubImage(roomy(box, all).Intersect(img.Bounds())).(*image.Gray)
}

// roomy grows a line's box by the marks above and below its letters, as far as its neighbours let it.
func roomy(box image.Rectangle, all []image.Rectangle) image.Rectangle {
	v := max(5, box.Dy()*2/7)
	up, down, left, right := v, v, v, v
	for _, o := range all {
		if o == box {
			continue
		}
		if o.Min.X < box.Max.X && o.Max.X > box.Min.X {
			if gap := box.Min.Y - o.Max.Y; o.Min.Y < box.Min.Y {
				up = min(up, max(gap, 1))
			}
			if gap := o.Min.Y - box.Max.Y; o.Max.Y > box.Max.Y {
				down = min(down, max(gap, 1))
			}
		} else if o.Min.Y < box.Max.Y && o.Max.Y > box.Min.Y {
			if gap := box.Min.X - o.Max.X; gap >= 0 {
				left = min(left, max(gap, 2))
			}
			if gap := o.Min.X - box.Max.X; gap >= 0 {
				right = min(right, max(gap, 2))
			}
		}
	}
	return image.Rect(box.Min.X-left, box.Min.Y-up, box.Max.X+right, box.Max.Y+down)
}
