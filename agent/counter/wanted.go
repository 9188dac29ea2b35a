package counter

import (
	"slices"

	"motcua/agent/procedure"
	"motcua/agent/visit"
	"motcua/ocr"
	"motcua/ocr/paper"
)

// Scanned is the answer that a paper is among the scanned pages, where recognition can't tell.
const Scanned procedure.WayID = "scanned"

// Want is a paper of a procedure and how it is given in a visit.
type Want struct {
	Paper procedure.Paper
	Here  bool            // recognised among what was scanned, as the paper of the person it must be of
	Way   procedure.Way   // how it is given instead; the zero Way where nobody has said
	Ways  []procedure.Way // what may be answered
}

// Open tells whether somebody must still say how the paper is given.
func (w Want) Open() bool { return !w.Paper.Optional && !w.Here && w.Way.ID == "" }

// Wanted says of each paper of the procedure whether it lies here, and how it is given else.
func Wanted(p *procedure.Procedure, state visit.State) []Want {
	docs, _ := gather(state.Papers)
	docs = laid(ocr.Join(docs), state.Readings)
	who := p.Assign(docs)
	var wants []Want
	for _, d := range p.Papers {
		w := Want{Paper: d, Here: here(d, docs, who), Ways: d.Offers()}
		if len(state.Papers) > 0 && (len(d.Kinds) == 0 || !w.Here) {
			w.Ways = append([]procedure.Way{{ID: Scanned}}, w.Ways...)
		}
		for _, way := range w.Ways {
			if string(way.ID) == state.Ways[d.ID] {
				w.Way = way
			}
		}
		wants = append(wants, w)
	}
	return wants
}

// Ways says how the papers are given that were not scanned.
func Ways(p *procedure.Procedure, state visit.State) map[string]procedure.WayID {
	ways := map[string]procedure.WayID{}
	for _, w := range Wanted(p, state) {
		if !w.Here && w.Way.ID != "" && w.Way.ID != Scanned {
			ways[w.Paper.ID] = w.Way.ID
		}
	}
	return ways
}

// here tells whether a paper was recognised: one of its kinds, of the person whose it must be.
func here(d procedure.Paper, docs []paper.Document, who procedure.Assignment) bool {
	if d.Role == "" {
		return slices.ContainsFunc(docs, func(doc paper.Document) bool { return slices.Contains(d.Kinds, doc.Type) })
	}
	return slices.ContainsFunc(who[d.Role], func(i int) bool { return slices.Contains(d.Kinds, docs[i].Type) })
}
