package ocr

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"

	"motcua/ocr/paper"
)

// The confidence that a field is given is how often values of which the same is known were right on the tuning pages. `make calibrate`
// counts that and writes calibration.json; whether a value needs a look is decided before, by doubts, and never by this number.

//go:embed calibration.json
var calibration []byte

// Calibration is what calibration.json holds: how many values of each class were read, and how many of them right.
type Calibration struct {
	Command string           `json:"command"`
	Date    string           `json:"date"`
	Classes map[string]Count `json:"classes"` // by Class
}

// Count is how many values were read, and how many of them were right.
type Count struct {
	Values int `json:"values"`
	Right  int `json:"right"`
}

// weight is how many values the share of all in review, or of all that are not, counts for in that of a class: few
// say little by themselves.
const weight = 10

// The least and the most that is given out: a share of all-right values says no more than their number allows.
const (
	leastGiven = 0.01
	mostGiven  = 0.9995
)

// Class names what is known of how a field was read: whether a person must look and why, which source leads, and which others say the same;
// of print alone, what the engines said of it.
func Class(f paper.Field) string {
	var b strings.Builder
	if f.Review {
		fmt.Fprintf(&b, "look: %s, ", gravest(f.Doubts))
	}
	b.WriteString(string(f.Source))
	for _, a := range f.Agrees {
		fmt.Fprintf(&b, "=%s", a)
	}
	if f.Source != paper.OCR || len(f.Agrees) > 0 {
		return b.String()
	}
	i := slices.IndexFunc(f.Evidence, func(e paper.Evidence) bool { return e.Source == paper.OCR && e.Value == f.Value })
	if i < 0 {
		return b.String()
	}
	e := f.Evidence[i]
	switch {
	case e.Settled:
	case e.Reread && e.Second:
		b.WriteString(", both engines")
	case e.Reread:
		b.WriteString(", reread")
	case e.Second:
		b.WriteString(", second engine")
	default:
		b.WriteString(", once")
	}
	if e.Marks != "" {
		fmt.Fprintf(&b, ", marks %s", e.Marks)
	}
	if f.Review && !e.Settled {
		fmt.Fprintf(&b, ", letters from %g", floor(e.Conf))
	}
	return b.String()
}

// letterSteps part the probabilities of a value's least sure letter.
var letterSteps = []float64{0.95, 0.8, 0.5, 0}

func floor(conf float64) float64 {
	if i := slices.IndexFunc(letterSteps, func(s float64) bool { return conf >= s }); i >= 0 {
		return letterSteps[i]
	}
	return 0 // no probability: a worker that a hostile file took over may say anything
}

// gravest is the doubt that says most of whether a value is right.
func gravest(ds []paper.Doubt) paper.Doubt {
	for _, d := range []paper.Doubt{paper.Disagreement, paper.ImpossibleDate, paper.NumberMismatch, paper.Incomplete, paper.Unknown,
		paper.CheckDigit, paper.Unseen, paper.LowConfidence} {
		if slices.Contains(ds, d) {
			return d
		}
	}
	return ""
}

// shares are the shares of calibration.json.
var shares = sync.OnceValue(func() map[string]float64 {
	var c Calibration
	if err := json.Unmarshal(calibration, &c); err != nil {
		panic(fmt.Sprintf("ocr: calibration.json: %v", err)) // it is part of the program
	}
	out := map[string]float64{}
	rest := map[bool]Count{}
	for name, n := range c.Classes {
		all := rest[isLook(name)]
		rest[isLook(name)] = Count{all.Values + n.Values, all.Right + n.Right}
	}
	out[""], out[look] = rest[false].share(mostGiven), rest[true].share(0.5)
	for name, n := range c.Classes {
		if isLook(name) {
			out[name] = n.share(out[look])
		} else {
			out[name] = n.share(out[""])
		}
	}
	return out
})

// look begins the classes of values that need a look, and names all of them together; "" names the others.
const look = "look: "

func isLook(class string) bool { return strings.HasPrefix(class, look) }

// share is the share that was right, drawn towards that of all the like.
func (n Count) share(all float64) float64 {
	return min(max((float64(n.Right)+weight*all)/(float64(n.Values)+weight), leastGiven), mostGiven)
}

// calibrated is the confidence that a settled field is given.
func calibrated(f paper.Field) float64 {
	switch f.Source {
	case paper.User, paper.Chip: // what a person said, and what is signed, is drawn on no page
		if !f.Review {
			return certainty(f.Source)
		}
	}
	class := Class(f)
	if s, ok := shares()[class]; ok {
		return s
	}
	if isLook(class) {
		return shares()[look]
	}
	return shares()[""]
}
