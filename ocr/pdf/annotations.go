package pdf

import (
	"fmt"
	"math"

	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/model"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/types"
)

// What an annotation's flags say of its being seen on a screen (ISO 32000-1, table 165).
const (
	annotHidden = 1 << 1
	annotNoView = 1 << 5
)

// mostDrawn is how many annotations of one page are drawn: a form has some hundred fields, only a bomb has more than this.
const mostDrawn = 5000

// annotated says whether there are pages with something laid over them that can be seen: what was typed into a form, the mark of
// a signature, a stamp.
func annotated(ctx *model.Context) (yes bool) {
	defer func() {
		if recover() != nil { // pdfcpu's dereferencing panics on some odd objects
			yes = false
		}
	}()
	for n := 1; n <= ctx.PageCount; n++ {
		page, _, _, err := ctx.PageDict(n, false)
		if err == nil && page != nil && len(laidOver(ctx, page)) > 0 {
			return true
		}
	}
	return false
}

// flattened is the file as a reader shows it: each page with its annotations' appearances drawn as part of it, which MuPDF's
// binding leaves out. ok is false where that can't be done.
func flattened(data []byte) (out []byte, ok bool) {
	defer func() {
		if recover() != nil {
			out, ok = nil, false
		}
	}()
	ctx, err := structure(data) // a copy of its own: it is written anew
	if err != nil {
		return nil, false
	}
	for n := 1; n <= ctx.PageCount; n++ {
		page, _, inherited, err := ctx.PageDict(n, false)
		if err != nil || page == nil {
			return nil, false
		}
		if over := laidOver(ctx, page); len(over) > 0 {
			if err := lay(ctx, page, inherited.Resources, over); err != nil {
				return nil, false
			}
		}
	}
	return rewritten(ctx)
}

// drawn is one appearance and where it comes to lie.
type drawn struct {
	form types.Object // a form XObject, by reference
	at   [6]float64   // from its own space to the page's
}

// laidOver are the appearances that a screen shows over a page, the lowest first.
func laidOver(ctx *model.Context, page types.Dict) []drawn {
	o, found := page.Find("Annots")
	if !found {
		return nil
	}
	annots, err := ctx.DereferenceArray(o)
	if err != nil {
		return nil
	}
	var out []drawn
	for _, o := range annots[:min(len(annots), mostDrawn)] {
		d, err := ctx.DereferenceDict(o)
		if err != nil || d == nil {
			continue
		}
		if one, ok := seen(ctx, d); ok {
			out = append(out, one)
		}
	}
	return out
}

// seen is how one annotation is seen; not ok if it isn't.
func seen(ctx *model.Context, d types.Dict) (drawn, bool) {
	if flags := d.IntEntry("F"); flags != nil && *flags&(annotHidden|annotNoView) != 0 {
		return drawn{}, false
	}
	if kind := d.NameEntry("Subtype"); kind != nil && *kind == "Popup" { // shown when it is opened
		return drawn{}, false
	}
	if _, optional := d.Find("OC"); optional { // who sees it depends on the reader
		return drawn{}, false
	}
	look, ok := appearance(ctx, d)
	if !ok {
		return drawn{}, false
	}
	stream, _, err := ctx.DereferenceStreamDict(look)
	if err != nil || stream == nil {
		return drawn{}, false
	}
	rect, ok := numbers(ctx, d, "Rect", 4)
	if !ok {
		return drawn{}, false
	}
	box, ok := numbers(ctx, stream.Dict, "BBox", 4)
	if !ok {
		return drawn{}, false
	}
	m, ok := numbers(ctx, stream.Dict, "Matrix", 6)
	if !ok {
		m = []float64{1, 0, 0, 1, 0, 0}
	}
	at, ok := fitted(box, m, rect)
	return drawn{look, at}, ok
}

// appearance is an annotation's normal appearance, in its state if it has several.
func appearance(ctx *model.Context, d types.Dict) (types.Object, bool) {
	o, found := d.Find("AP")
	if !found {
		return nil, false
	}
	all, err := ctx.DereferenceDict(o)
	if err != nil {
		return nil, false
	}
	look, found := all.Find("N")
	if !found {
		return nil, false
	}
	of, err := ctx.Dereference(look)
	if err != nil {
		return nil, false
	}
	if states, several := of.(types.Dict); several {
		state := d.NameEntry("AS")
		if state == nil {
			return nil, false
		}
		if look, found = states.Find(*state); !found {
			return nil, false
		}
	}
	_, reference := look.(types.IndirectRef)
	return look, reference
}

// fitted lays the box of an appearance, as its own matrix turns it, into the annotation's rectangle (ISO 32000-1, 12.5.5).
func fitted(box, m, rect []float64) (at [6]float64, ok bool) {
	left, bottom, right, top := math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)
	for _, c := range [4][2]float64{{box[0], box[1]}, {box[2], box[1]}, {box[0], box[3]}, {box[2], box[3]}} {
		x, y := m[0]*c[0]+m[2]*c[1]+m[4], m[1]*c[0]+m[3]*c[1]+m[5]
		left, right, bottom, top = min(left, x), max(right, x), min(bottom, y), max(top, y)
	}
	x0, x1 := min(rect[0], rect[2]), max(rect[0], rect[2])
	y0, y1 := min(rect[1], rect[3]), max(rect[1], rect[3])
	if right <= left || top <= bottom || x1 <= x0 || y1 <= y0 {
		return at, false
	}
	sx, sy := (x1-x0)/(right-left), (y1-y0)/(top-bottom)
	return [6]float64{sx, 0, 0, sy, x0 - left*sx, y0 - bottom*sy}, true
}

// numbers are the n numbers of an array in a dictionary.
func numbers(ctx *model.Context, d types.Dict, key string, n int) ([]float64, bool) {
	o, found := d.Find(key)
	if !found {
		return nil, false
	}
	a, err := ctx.DereferenceArray(o)
	if err != nil || len(a) != n {
		return nil, false
	}
	out := make([]float64, n)
	for i, o := range a {
		if out[i], err = ctx.DereferenceNumber(o); err != nil || math.IsInf(out[i], 0) || math.IsNaN(out[i]) {
			return nil, false
		}
	}
	return out, true
}

// lay draws appearances at the end of a page's own content, and takes the annotations away.
func lay(ctx *model.Context, page, inherited types.Dict, over []drawn) error {
	resources := inherited
	if o, found := page.Find("Resources"); found {
		var err error
		if resources, err = ctx.DereferenceDict(o); err != nil {
			return err
		}
	}
	resources = cloned(resources)
	objects := types.Dict{}
	if o, found := resources.Find("XObject"); found {
		old, err := ctx.DereferenceDict(o)
		if err != nil {
			return err
		}
		objects = cloned(old)
	}
	var draw []byte
	for i, one := range over {
		name := fmt.Sprintf("Laid%d", i)
		objects[name] = one.form
		draw = fmt.Appendf(draw, "q %.4f %.4f %.4f %.4f %.4f %.4f cm /%s Do Q\n", one.at[0], one.at[1], one.at[2], one.at[3], one.at[4],
			one.at[5], name)
	}
	resources["XObject"] = objects
	contents, err := around(ctx, page, draw)
	if err != nil {
		return err
	}
	page["Resources"], page["Contents"] = resources, contents
	delete(page, "Annots")
	return nil
}

// around is a page's content between saved states and what is drawn behind it.
func around(ctx *model.Context, page types.Dict, draw []byte) (types.Array, error) {
	var own types.Array
	if o, found := page.Find("Contents"); found {
		content, err := ctx.Dereference(o)
		if err != nil {
			return nil, err
		}
		if parts, several := content.(types.Array); several {
			own = parts
		} else {
			own = types.Array{o}
		}
	}
	opens, closes := Balance(ContentOf(ctx, own))
	before, err := added(ctx, []byte(opens))
	if err != nil {
		return nil, err
	}
	behind, err := added(ctx, append([]byte(closes+"\n"), draw...))
	if err != nil {
		return nil, err
	}
	return append(append(types.Array{before}, own...), behind), nil
}

// ContentOf is what the streams of a page's content say together; one that can't be read is as empty as a reader takes it for.
func ContentOf(ctx *model.Context, parts types.Array) (content []byte) {
	for _, o := range parts {
		s, _, err := ctx.DereferenceStreamDict(o)
		if err == nil && s != nil && s.Decode() == nil {
			content = append(append(content, s.Content...), '\n')
		}
	}
	return content
}

// added puts a new stream into the file.
func added(ctx *model.Context, content []byte) (types.Object, error) {
	s, err := ctx.NewStreamDictForBuf(content)
	if err != nil {
		return nil, err
	}
	if err := s.Encode(); err != nil {
		return nil, err
	}
	ref, err := ctx.IndRefForNewObject(*s)
	if err != nil {
		return nil, err
	}
	return *ref, nil
}

// cloned is a dictionary of its own with the same entries.
func cloned(d types.Dict) types.Dict {
	out := make(types.Dict, len(d)+1)
	for k, v := range d {
		out[k] = v
	}
	return out
}
