package procedure

import (
	"fmt"
	"regexp"
	"slices"

	"motcua/agent/strict"
)

// WayID is how a required paper is given.
type WayID string

// The ways besides a scan. Bringing the paper to the counter is open for every paper.
const (
	ByNumber WayID = "number"  // the personal number, or number and date of issue, instead of the paper
	InVNeID  WayID = "vneid"   // shown to the officer in VNeID
	LookedUp WayID = "lookup"  // the office draws it from the databases
	Counter  WayID = "counter" // brought to the counter
)

// WayIDs lists the ways in the order they are offered.
var WayIDs = []WayID{ByNumber, InVNeID, LookedUp, Counter}

// UnmarshalText accepts the known ways only.
func (w *WayID) UnmarshalText(text []byte) error {
	if !slices.Contains(WayIDs, WayID(text)) {
		return fmt.Errorf("must be one of %v, not %q", WayIDs, text)
	}
	*w = WayID(text)
	return nil
}

// Way is one way to give a paper without scanning it, and the law that opens it.
type Way struct {
	ID  WayID  `yaml:"id" json:"id"`
	Law string `yaml:"law" json:"law"` // "Nghị định 18/2026/NĐ-CP, Điều 13"; "" for the counter only
}

// caseNumbers are those of the result of a step in the ministry's list, in brackets at the end of a rule.
var caseNumbers = regexp.MustCompile(` \(KQ\d+(, KQ\d+)*\)$`)

// Rule is the law as the person reads it, without the numbers that only officers look up.
func (w Way) Rule() string { return caseNumbers.ReplaceAllString(w.Law, "") }

// Text is the way as the person chooses it.
func (w WayID) Text() Text {
	switch w {
	case ByNumber:
		return Text{"Dùng số định danh, không cần quét giấy", "By the personal number, without a scan"}
	case InVNeID:
		return Text{"Xuất trình trên VNeID cho cán bộ", "Shown to the officer in VNeID"}
	case LookedUp:
		return Text{"Cơ quan tự tra cứu", "The office looks it up"}
	}
	if w == Counter {
		return Text{"Tôi mang ra quầy", "I bring it to the counter"}
	}
	return Text{"Có trong các trang đã quét", "It is among the scanned pages"}
}

func (w Way) examine(at string, f *strict.File) {
	if w.ID != Counter && w.Law == "" {
		f.Problem(at, "needs law: by which rule the paper falls away")
	}
}

// Offers lists the ways a paper may be given without a scan; the counter is always the last.
func (d Paper) Offers() []Way {
	offers := slices.DeleteFunc(slices.Clone(d.Ways), func(w Way) bool { return w.ID == Counter })
	return append(offers, Way{ID: Counter})
}

// Way gives one of the ways a paper may be given.
func (d Paper) Way(id WayID) (Way, bool) {
	for _, w := range d.Offers() {
		if w.ID == id {
			return w, true
		}
	}
	return Way{}, false
}
