package procedure

import (
	"cmp"
	"fmt"
	"log/slog"
	"slices"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"motcua/agent/address"
	"motcua/ocr/kinds"
	"motcua/ocr/paper"
	"motcua/ocr/vn"
)

// The doubts that prefilling adds to those of recognition.
const (
	OtherPerson paper.Doubt = "other-person" // the value was taken from another person's paper, as a guess
	DoesNotFit  paper.Doubt = "does-not-fit" // the value does not fit the field's rule
	SplitUnit   paper.Doubt = "split-unit"   // the address names a unit that was divided in 2025: somebody has to choose
	UnsureUnit  paper.Doubt = "unsure-unit"  // the address names a unit of before 2025, and it isn't sure what it is today
)

// Answer is what a field of the form holds, and how far it can be trusted.
type Answer struct {
	Text       string        `json:"value"`
	Source     paper.Source  `json:"source"`         // user: typed or confirmed by a person
	From       string        `json:"from,omitempty"` // "applicant.full_name"
	Confidence float64       `json:"confidence"`
	Review     bool          `json:"review"` // a person must look before it is used
	Doubts     []paper.Doubt `json:"doubts,omitempty"`
	Old        string        `json:"old,omitempty"`    // an address as the paper has it, with units of before July 2025
	Offers     []string      `json:"offers,omitempty"` // what an address may be today, where somebody has to choose
	Looked     string        `json:"looked,omitempty"` // who looked at it and said so: "citizen", or a volunteer's sign-in name
	Document   int           `json:"document"`         // index into the documents given to Prefill; -1 where there is none
	Page       int           `json:"page,omitempty"`
	Where      *paper.Quad   `json:"where,omitempty"`
}

// String gives kind and length only: a careless %v leaks nothing.
func (v Answer) String() string {
	return fmt.Sprintf("value(%s, %d letters, review=%t)", v.Source, utf8.RuneCountInString(v.Text), v.Review)
}

// GoString is String, for %#v.
func (v Answer) GoString() string { return v.String() }

// LogValue keeps the value out of logs.
func (v Answer) LogValue() slog.Value { return slog.StringValue(v.String()) }

// Assignment says which documents (by index) are whose, by role. A role may have several papers: an
// identity card and a residence confirmation.
type Assignment map[string][]int

// Identity tells whether a kind of paper says who somebody is.
func Identity(k paper.Kind) bool { return kinds.Identity(k) }

// takes tells whether a paper of this kind identifies the role.
func (r Role) takes(k paper.Kind) bool {
	if len(r.Papers) == 0 {
		return Identity(k)
	}
	return slices.Contains(r.Papers, k)
}

// Assign guesses whose papers were laid on the glass: papers of one person go together, and each person
// takes the first role that is free and fits the kind of paper and the sex. Roles are filled in the
// order of the procedure, so the file's author decides who is asked for first.
func (p *Procedure) Assign(docs []paper.Document) Assignment {
	who := Assignment{}
	type person struct {
		number string
		role   string
	}
	var known []person
next:
	for i, d := range docs {
		if len(d.Fields) == 0 {
			continue
		}
		number := d.Fields[paper.Number].Value
		for _, k := range known {
			if number != "" && k.number == number {
				who[k.role] = append(who[k.role], i)
				continue next
			}
		}
		sex := d.Fields[paper.Sex].Value
		for _, r := range p.Roles {
			if len(who[r.ID]) > 0 && !sheet(docs[who[r.ID][0]], d) {
				continue
			}
			if r.takes(d.Type) && (r.Sex == "" || sex == "" || r.Sex == sex) {
				who[r.ID] = append(who[r.ID], i)
				known = append(known, person{number, r.ID})
				continue next
			}
		}
	}
	return who
}

// sheet tells whether b may be the other half of a: two sides of one card that were scanned as two
// pages and of which only one carries the number.
func sheet(a, b paper.Document) bool {
	if a.Type != b.Type || !Identity(a.Type) || len(a.Sides) != 1 || len(b.Sides) != 1 || a.Sides[0] == b.Sides[0] {
		return false
	}
	x, y := a.Fields[paper.Number].Value, b.Fields[paper.Number].Value
	return x == "" || y == "" || x == y
}

// Prefill gives a value for every field of the form, empty where nothing is known.
func (p *Procedure) Prefill(docs []paper.Document, who Assignment) map[string]Answer {
	values := make(map[string]Answer, len(p.Fields))
	for i := range p.Fields {
		f := &p.Fields[i]
		values[f.ID] = p.prefill(f, docs, who)
	}
	return values
}

func (p *Procedure) prefill(f *Field, docs []paper.Document, who Assignment) Answer {
	for n, source := range f.From {
		v, ok := read(source, docs, who)
		if !ok {
			continue
		}
		if n > 0 && source.Role != f.From[0].Role {
			v.doubt(OtherPerson)
		}
		switch f.Type {
		case Choice:
			v.Text = f.option(v.Text)
		case Address:
			p.toToday(&v)
		}
		if what := f.check(v.Text, noClock); what != "" {
			v.doubt(DoesNotFit)
		}
		return v
	}
	return Answer{Text: f.Default, Source: paper.User, Document: -1, Confidence: 1}
}

// toToday turns an address from a paper into that of today where one unit is sure, and offers the choices where
// it isn't; the paper's text is kept.
func (p *Procedure) toToday(v *Answer) {
	if p.units == nil {
		return
	}
	switch a := p.units.Convert(v.Text); a.State {
	case address.Moved:
		v.Old, v.Text = v.Text, a.Text
	case address.Split:
		v.Old, v.Offers = v.Text, a.Offer
		v.doubt(SplitUnit)
	case address.Unsure:
		v.Old, v.Offers = v.Text, a.Offer
		v.doubt(UnsureUnit)
	}
}

// read takes a field from a person's papers: the most trusted reading, doubted where another of the
// person's papers says something else.
func read(s Source, docs []paper.Document, who Assignment) (Answer, bool) {
	var best Answer
	found := false
	for _, i := range who[s.Role] {
		if i < 0 || i >= len(docs) {
			continue
		}
		f, ok := field(docs[i], s.Field)
		if !ok || f.Value == "" || s.Field == paper.DateOfIssue && !Identity(docs[i].Type) {
			continue // a residence confirmation has a date of issue, too: not the one that forms ask for
		}
		v := Answer{
			Text: norm.NFC.String(f.Value), Source: f.Source, From: s.String(), Confidence: f.Confidence,
			Review: f.Review, Doubts: slices.Clone(f.Doubts), Document: i, Page: f.Page, Where: f.Where,
		}
		switch {
		case !found:
			best, found = v, true
		case vn.Same(v.Text, best.Text):
			// The same on two papers: no reason for a new doubt, none to drop an old one.
		case !v.Review && best.Review:
			best = v
			best.doubt(paper.Disagreement)
		default:
			best.doubt(paper.Disagreement)
		}
	}
	return best, found
}

// field gives what a document says, and what its kind says of itself.
func field(d paper.Document, name paper.Name) (paper.Field, bool) {
	text := ""
	switch name {
	case Kind:
		text = string(d.Type)
	case Issuer:
		text = issuers[d.Type]
	default:
		f, ok := d.Fields[name]
		return f, ok
	}
	// The kind was told by the title and marks of the paper, or by its code: what was read.
	return paper.Field{Value: text, Source: cmp.Or(d.Fields[paper.Number].Source, paper.OCR), Confidence: 1, Page: d.Page},
		Identity(d.Type) && text != ""
}

func (v *Answer) doubt(d paper.Doubt) {
	v.Review = true
	if !slices.Contains(v.Doubts, d) {
		v.Doubts = append(v.Doubts, d)
	}
}

// option gives the choice that a read value means, or the value itself.
func (f *Field) option(text string) string {
	for _, o := range f.Choices {
		if vn.Same(o.Value, text) || vn.Same(o.Label.VI, text) {
			return o.Value
		}
	}
	return text
}
