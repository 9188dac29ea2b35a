package counter

import (
	"errors"
	"slices"
	"strings"

	"motcua/agent/procedure"
	"motcua/agent/visit"
	"motcua/ocr"
	"motcua/ocr/paper"
	"motcua/ocr/vn"
)

// Parcel is what a stack holds for one submission.
type Parcel struct {
	Papers    []visit.Paper
	Procedure string // that the separator sheet before it names; "" for the procedure of the whole stack
	Doubt     string // why a person must look at how it was parted; "" where nothing speaks against it
}

// The doubts of a parcel.
const (
	DoubtSeparator = "separator"         // the separator sheet before it couldn't be read
	DoubtProcedure = "unknown-procedure" // its separator names a procedure that is not offered here
	DoubtStranger  = "stranger"          // there is a card in it of somebody whom the procedure has no place for
	DoubtFull      = "full"              // the stack was longer than one scan takes, and ended here
	DoubtBacks     = "backs"             // backs of which nothing says whose they are
	DoubtOrder     = "order"             // nothing says that the sheets lie in the order in which they were parted
	DoubtBroken    = "broken"            // the scan broke off here, and the rest of it may still come
)

// separatorTitle is what stands on a separator sheet in large print, as vn.Plain has it, without spaces.
const separatorTitle = "TONGANHOSO"

// Split parts a stack of pages into submissions, in the order of the stack. What lies behind a separator sheet is one
// submission, up to the next separator. What lies before the first separator is parted by persons: an identity paper with a
// number not seen before begins a person; one with a known number goes to that person, wherever it lies; any other page
// (the back of a card without a number, an attached sheet) goes to the person before it, and pages before the first identity
// paper to the first person: then the others may have theirs before their cards, too, and each is doubted. Nothing but the
// separators, with their blank backs, is left out.
func Split(stack []visit.Paper) []Parcel {
	var parcels []Parcel
	begin := slices.IndexFunc(stack, separates)
	if begin < 0 {
		begin = len(stack)
	}
	for _, papers := range persons(stack[:begin]) {
		parcels = append(parcels, Parcel{Papers: papers})
	}
	if len(parcels) > 1 && len(identities(stack[0].Documents)) == 0 {
		for i := range parcels {
			parcels[i].Doubt = DoubtOrder
		}
	}
	var now Parcel
	fresh := false // the page before was a separator
	for _, p := range stack[begin:] {
		switch {
		case separates(p):
			if sheet := separatorOf(p); !fresh || !p.Back || now.Doubt != "" { // else the back of one that was read
				if len(now.Papers) > 0 {
					parcels = append(parcels, now)
				}
				now = sheet
			}
			fresh = true
		case fresh && p.Back && blank(p):
			fresh = false
		default:
			now.Papers = append(now.Papers, p)
			fresh = false
		}
	}
	if len(now.Papers) > 0 {
		parcels = append(parcels, now)
	}
	if len(stack) >= visit.MaxPapers && len(parcels) > 0 {
		parcels[len(parcels)-1].Doubt = DoubtFull
	}
	return parcels
}

// separates tells a separator sheet: by its code, or by its title where the code can't be read.
func separates(p visit.Paper) bool {
	return slices.ContainsFunc(p.Documents, func(d paper.Document) bool { return d.Type == paper.Separator }) ||
		len(p.Documents) == 1 && p.Documents[0].Type == paper.Other && titled(p.Documents[0].Text)
}

func titled(text string) bool {
	return strings.Contains(strings.ReplaceAll(strings.Join(strings.Fields(vn.Plain(text)), ""), "-", ""), separatorTitle)
}

// separatorOf is an empty parcel as its separator sheet has it.
func separatorOf(p visit.Paper) Parcel {
	for _, d := range p.Documents {
		if d.Type == paper.Separator {
			return Parcel{Procedure: d.Text}
		}
	}
	return Parcel{Doubt: DoubtSeparator}
}

// blank tells a page on which nothing at all was read.
func blank(p visit.Paper) bool {
	return p.Problem == "" && !p.Reading && !slices.ContainsFunc(p.Documents, func(d paper.Document) bool {
		return d.Type != paper.Other || strings.TrimSpace(d.Text) != "" || len(d.Fields) > 0
	})
}

// persons parts pages without separators.
func persons(stack []visit.Paper) [][]visit.Paper {
	var persons [][]visit.Paper
	of := map[string]int{} // personal number → person
	now := -1
	var before []visit.Paper
	for _, p := range stack {
		numbers := identities(p.Documents)
		for _, n := range numbers {
			if at, known := of[n]; known {
				now = at
			}
		}
		fresh := len(numbers) > 0
		for _, n := range numbers {
			if _, known := of[n]; known {
				fresh = false
			}
		}
		switch {
		case fresh:
			persons = append(persons, before)
			before = nil
			now = len(persons) - 1
		case now < 0:
			before = append(before, p)
			continue
		}
		for _, n := range numbers {
			of[n] = now
		}
		persons[now] = append(persons[now], p)
	}
	if len(before) > 0 {
		persons = append(persons, before)
	}
	return persons
}

// identities lists the personal numbers on a page.
func identities(docs []paper.Document) []string {
	var numbers []string
	for _, d := range docs {
		if n := d.Fields[paper.Number].Value; n != "" && procedure.Identity(d.Type) {
			numbers = append(numbers, n)
		}
	}
	return numbers
}

// Stranger tells whether there is an identity paper among a submission's whose bearer has no place in the procedure: a sheet
// that fell to the wrong person, or a separator that was forgotten. Where the number can't be read, the name tells.
func Stranger(p *procedure.Procedure, papers []visit.Paper) bool {
	docs, _ := gather(papers)
	docs = ocr.Join(docs)
	numbers, names := map[string]bool{}, map[string]bool{}
	for _, all := range p.Assign(docs) {
		for _, i := range all {
			numbers[docs[i].Fields[paper.Number].Value] = true
			names[vn.Plain(docs[i].Fields[paper.FullName].Value)] = true
		}
	}
	return slices.ContainsFunc(docs, func(d paper.Document) bool {
		number, name := d.Fields[paper.Number].Value, vn.Plain(d.Fields[paper.FullName].Value)
		if !procedure.Identity(d.Type) || number == "" && name == "" {
			return false
		}
		return number != "" && !numbers[number] || number == "" && !names[name]
	})
}

// What speaks against laying fronts and backs of a stack together.
var (
	ErrUneven = errors.New("there are not as many backs as fronts")
	ErrUnlike = errors.New("fronts and backs that would lie together are of different persons")
)

// Interleave lays the two sides of each sheet together: of a stack whose fronts were scanned first, and then, turned over as a
// whole, its backs, the last sheet's first. Where a back bears the number of a person it must be the one on its front, and the
// back of a separator must lie under its front; where that fails, and also with the backs in the order of the fronts, nobody
// knows which sheet is missing: ErrUneven, ErrUnlike.
func Interleave(stack []visit.Paper) ([]visit.Paper, error) {
	fronts, backs := sides(stack)
	switch {
	case len(backs) == 0:
		return stack, nil
	case len(fronts) != len(backs):
		return nil, ErrUneven
	}
	turned := slices.Clone(backs)
	slices.Reverse(turned)
	for _, order := range [][]visit.Paper{turned, backs} {
		if alike(fronts, order) {
			var out []visit.Paper
			for i, f := range fronts {
				out = append(out, f, order[i])
			}
			return out, nil
		}
	}
	return nil, ErrUnlike
}

// Ambiguous tells that Interleave has nothing to go by: the backs would fit in the other order as well.
func Ambiguous(stack []visit.Paper) bool {
	fronts, backs := sides(stack)
	if len(fronts) < 2 || len(fronts) != len(backs) {
		return false
	}
	turned := slices.Clone(backs)
	slices.Reverse(turned)
	return alike(fronts, turned) && alike(fronts, backs)
}

func sides(stack []visit.Paper) (fronts, backs []visit.Paper) {
	for _, p := range stack {
		if p.Back {
			backs = append(backs, p)
		} else {
			fronts = append(fronts, p)
		}
	}
	return fronts, backs
}

// alike tells that no sheet would have two persons' numbers on its two sides, or a separator on one of them that doesn't belong
// to the other.
func alike(fronts, backs []visit.Paper) bool {
	for i := range fronts {
		f, b := identities(fronts[i].Documents), identities(backs[i].Documents)
		switch {
		case separates(backs[i]) && !separates(fronts[i]), separates(fronts[i]) && len(b) > 0:
			return false
		case separates(backs[i]):
			one, other := separatorOf(fronts[i]), separatorOf(backs[i])
			if one.Doubt == "" && other.Doubt == "" && one.Procedure != other.Procedure {
				return false
			}
		}
		if len(f) > 0 && len(b) > 0 && !slices.ContainsFunc(b, func(n string) bool { return slices.Contains(f, n) }) {
			return false
		}
	}
	return true
}

// SplitApart is Split for a stack whose sides can't be laid together: backs go where their number says, and those of which
// nothing says whose they are into a parcel of their own, for a person to move.
func SplitApart(stack []visit.Paper) []Parcel {
	fronts, backs := sides(stack)
	parcels := Split(fronts)
	lost := Parcel{Doubt: DoubtBacks}
	for _, b := range backs {
		if separates(b) {
			continue
		}
		numbers := identities(b.Documents)
		at := slices.IndexFunc(parcels, func(p Parcel) bool {
			return slices.ContainsFunc(p.Papers, func(one visit.Paper) bool {
				return slices.ContainsFunc(identities(one.Documents), func(n string) bool { return slices.Contains(numbers, n) })
			})
		})
		if at < 0 {
			lost.Papers = append(lost.Papers, b)
		} else {
			parcels[at].Papers = append(parcels[at].Papers, b)
		}
	}
	for i := range parcels {
		parcels[i].Doubt = DoubtBacks
	}
	if len(lost.Papers) > 0 {
		parcels = append(parcels, lost)
	}
	return parcels
}
