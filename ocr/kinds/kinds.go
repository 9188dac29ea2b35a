// Package kinds is the table of papers that recognition knows: one file a kind, with what it is called, how it is told, which labels
// stand on it, which codes it bears, and since when. It is plain data; nothing is read here.
//
// How a kind is told: by its own title, or by two of its own marks where the title can't be read. A paper that no row tells is
// paper.Other, and nothing on it is believed: a default is the doubtful one. Texts are plain capitals without spaces or signs, as
// vn.Plain makes them, and are found with a few letters misread.
//
// To add a kind, write its file and its row in All.
package kinds

import (
	"slices"

	"motcua/ocr/paper"
)

// Shape is what a paper looks like on the glass.
type Shape int

// The shapes.
const (
	Card    Shape = iota // ID-1 and its like, with edges
	Booklet              // a passport's data page
	Sheet                // A4, A5
)

// Title is what a paper calls itself.
type Title struct {
	Text string
	Side string // the side it stands on: "front", "back" or ""
	// Shared is a title that other states' papers bear, too: it tells the kind only beside one of its own marks.
	Shared bool
}

// Mark is something printed that no other kind has, in any of these forms: a label, mostly. Two different ones tell the kind.
type Mark []string

// Label is the printed name of a field. A label without a field ends the value before it.
type Label struct {
	Field paper.Name
	Text  string
	// Of is whose field it is, where a paper is about several persons: from its label on, what names nobody is theirs.
	Of Person
	// Behind another label it is the name of another field: "Số" is a residence card's, and behind "Mang hộ chiếu của" the passport's.
	Behind string
	There  paper.Name
}

// Person is someone a paper is about.
type Person string

// Holder is whom the paper is about; the others have fields of their own.
const (
	Holder    Person = ""
	Somebody  Person = "somebody" // whose data is not wanted: an informant, a head of household
	Mother    Person = "mother"
	Father    Person = "father"
	Wife      Person = "wife"
	Husband   Person = "husband"
	Applicant Person = "applicant"
)

// Kind is one kind of paper.
type Kind struct {
	ID       paper.Kind
	VI, EN   string // its name
	Shape    Shape
	Titles   []Title
	Marks    []Mark
	Labels   []Label
	Required []paper.Name            // what a clean scan of it always gives: the test of its specimen demands them
	Optional []paper.Name            // what else it may bear
	CodeSide string                  // the side its QR symbol stands on; "": it has none
	Beside   map[string][]paper.Name // by side: fields of its QR symbol that stand there in print, too
	Identity bool                    // it proves who somebody is
	English  bool                    // its labels stand there in English, too: where none does, marks tell another paper
	// EndsOnBirthday is a card that expires on its bearer's birthday (Law 59/2014/QH13, article 21; Law 26/2023/QH15, article 21).
	EndsOnBirthday bool
	First          string // ISO date on which the first was issued; "" if unknown or long ago
	Source         string // where this was learned
}

// All are the kinds, in the order in which a paper is held against them.
var All = []*Kind{&cccd, &canCuoc, &cccd2016, &cmnd, &passport, &gplx, &bhyt, &theTamTru, &theThuongTru,
	&khaiSinh, &trichLucKhaiSinh, &ketHon, &trichLucKetHon, &honNhan, &chungSinh, &baoTu, &trichLucKhaiTu, &ct07}

// Of gives a kind's row; paper.Other and what is unknown have none.
func Of(id paper.Kind) (*Kind, bool) {
	i := slices.IndexFunc(All, func(k *Kind) bool { return k.ID == id })
	if i < 0 {
		return &Kind{ID: id}, false
	}
	return All[i], true
}

// Identity says whether a paper of this kind says who somebody is.
func Identity(id paper.Kind) bool {
	k, _ := Of(id)
	return k.Identity
}

// IsSheet says whether a paper of this kind is a sheet; one of an unknown kind is taken for one.
func IsSheet(id paper.Kind) bool {
	k, known := Of(id)
	return !known || k.Shape == Sheet
}

// IDs lists the kinds, paper.Other at the end.
func IDs() []paper.Kind {
	var out []paper.Kind
	for _, k := range All {
		out = append(out, k.ID)
	}
	return append(out, paper.Other)
}

func labels(field paper.Name, texts ...string) []Label {
	var out []Label
	for _, t := range texts {
		out = append(out, Label{Field: field, Text: t})
	}
	return out
}

// of makes labels those of a person.
func of(p Person, list []Label) []Label {
	out := slices.Clone(list)
	for i := range out {
		out[i].Of = p
	}
	return out
}

// stop are labels that only end the value before them.
func stop(texts ...string) []Label { return labels("", texts...) }
