// Package counter is the main job of the kiosk without its screen: papers and readings are laid into the form of a
// procedure (Fill, Form), a stack is divided into persons (Split), a confirmed form is packed with its papers (Pack) and
// handed to the queue once (Submit). Screens and commands only translate: whichever of them was used, the same papers
// and the same answers give the same submission.
package counter

import (
	"math"
	"time"

	"motcua/agent/procedure"
	"motcua/agent/visit"
	"motcua/ocr"
	"motcua/ocr/paper"
	"motcua/ocr/vn"
)

// Fill lays what is known from all papers and readings of a visit into the form of the procedure. What a person typed
// or confirmed stays.
func Fill(v *visit.Visit, p *procedure.Procedure, now time.Time) error {
	state := v.State()
	if err := v.Fill(now, Form(p, state.Papers, state.Readings, now)); err != nil {
		return err
	}
	return Rest(v, p, now)
}

// Rest lets go of the fields that the answers so far make needless, and asks for those that they make necessary.
func Rest(v *visit.Visit, p *procedure.Procedure, now time.Time) error {
	given := Values(v.State().Form)
	idle, missing := map[string]bool{}, map[string]bool{}
	for i := range p.Fields {
		f := &p.Fields[i]
		if !p.Asked(f.ID, given) {
			idle[f.ID] = true
		} else if given[f.ID].Text == "" && p.Required(f, given) {
			missing[f.ID] = true
		}
	}
	return v.Rest(now, idle, missing)
}

// Form gives an entry for every field of the procedure, in its order: what the papers and readings say of it, marked
// for a look where that may be wrong. The papers' bytes are not needed.
func Form(p *procedure.Procedure, papers []visit.Paper, readings []visit.Reading, now time.Time) []visit.Entry {
	docs, places := gather(papers)
	docs = laid(ocr.Join(docs), readings)
	values := p.Prefill(docs, p.Assign(docs))
	form := make([]visit.Entry, len(p.Fields))
	shared := map[paper.Quad]int{} // a code on the card gives many values: its picture says nothing to people
	for _, val := range values {
		if val.Where != nil {
			shared[*val.Where]++
		}
	}
	for i := range p.Fields {
		f := &p.Fields[i]
		val := values[f.ID]
		if val.Where != nil && (shared[*val.Where] > 1 || square(*val.Where)) && val.Document >= 0 && docs[val.Document].Where != nil {
			val.Page, val.Where = docs[val.Document].Page, docs[val.Document].Where
		}
		e := visit.Entry{Name: f.ID, Answer: val, Read: val.Text}
		required := p.Required(f, values)
		e.Review = val.Review && (val.Text != "" || required)
		e.Document, e.Page, e.Where = -1, 0, nil
		if place, ok := places[val.Page]; ok && val.Where != nil {
			e.Paper, e.Page, e.Where = place.paper, place.page, val.Where
		}
		if val.Text == "" || val.Source == paper.User {
			e.Fault = p.Check(f, val.Text, values, now)
		}
		form[i] = e
	}
	return form
}

// Values are the entries of a form as the procedure judges them.
func Values(form []visit.Entry) map[string]procedure.Answer {
	values := make(map[string]procedure.Answer, len(form))
	for _, e := range form {
		a := e.Answer
		a.Offers, a.Document, a.Page, a.Where = nil, -1, 0, nil // where it stands is told beside the form (see places)
		values[e.Name] = a
	}
	return values
}

// squareness bounds height to width of a region that is a QR code's and not a line of print's; print on a card is at
// least three times as wide as it is high.
const squareness = 1.33

// square tells the picture of a QR code from that of print.
func square(q paper.Quad) bool {
	w, h := math.Hypot(q[1].X-q[0].X, q[1].Y-q[0].Y), math.Hypot(q[3].X-q[0].X, q[3].Y-q[0].Y)
	return h > 0 && w/h > 1/squareness && w/h < squareness
}

// place is a page of a paper, 1-based.
type place struct {
	paper string
	page  int
}

// gather lists the documents of all papers with their pages counted through, and where each such page is.
func gather(papers []visit.Paper) ([]paper.Document, map[int]place) {
	var docs []paper.Document
	places := map[int]place{}
	before := 0
	for _, p := range papers {
		pages := max(p.Pages, 1)
		for n := 1; n <= pages; n++ {
			places[before+n] = place{p.ID, n}
		}
		for _, d := range p.Documents {
			d.Page += before
			fields := make(map[paper.Name]paper.Field, len(d.Fields))
			for name, f := range d.Fields {
				where := f.Page
				f = f.Moved(before)
				if where == 0 && f.Where != nil {
					f.Page = d.Page
				}
				fields[name] = f
			}
			d.Fields = fields
			docs = append(docs, d)
		}
		before += pages
	}
	return docs, places
}

// Pages counts the pages of papers: a PDF may have several.
func Pages(papers []visit.Paper) int {
	n := 0
	for _, p := range papers {
		n += max(p.Pages, 1)
	}
	return n
}

// laid is documents with the readings of the same cards over them; a reading that may stand alone and has
// no card among them is a document without a page.
func laid(docs []paper.Document, readings []visit.Reading) []paper.Document {
	for _, r := range readings {
		found := false
		for i := range docs {
			if same(docs[i], r.Values) {
				ocr.Merge(&docs[i], r.Source, r.Values)
				found = true
			}
		}
		if !found && r.Alone {
			d := paper.Document{Type: paper.CCCD, Fields: map[paper.Name]paper.Field{}}
			ocr.Merge(&d, r.Source, r.Values)
			docs = append(docs, d)
		}
	}
	return docs
}

// same tells whether a reading is of the card that was scanned: by its number, or where that was misread
// by name and date of birth.
func same(d paper.Document, values map[paper.Name]string) bool {
	is := func(n paper.Name) bool {
		return values[n] != "" && vn.Same(d.Fields[n].Value, values[n])
	}
	return is(paper.Number) || is(paper.FullName) && is(paper.DateOfBirth)
}
