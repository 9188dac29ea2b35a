package scan

import (
	"fmt"
	"strconv"
	"strings"
)

// A4 is the sheet a feeder is set to where nothing else is known: ISO 216.
var A4 = Area{Width: 210, Height: 297}

// MaxArea bounds a window that nobody asked for: A3 with a finger's breadth around it, which is the largest glass and the
// widest feeder of an office. Feeders that allow metres would give them (2.75 m at 300 dpi are 481 MB).
var MaxArea = Area{Width: 320, Height: 440}

// papers are the sizes that have a name here: ISO 216, and the American ones that documents from abroad come in.
var papers = map[string]Area{
	"a3": {297, 420}, "a4": A4, "a5": {148, 210}, "a6": {105, 148}, "letter": {215.9, 279.4}, "legal": {215.9, 355.6},
}

// Paper reads a size: a name such as a4, or width × height in millimetres such as 210x356. The empty name is A4.
func Paper(name string) (Area, error) {
	name = strings.ToLower(strings.TrimSpace(name))
	if name == "" {
		return A4, nil
	}
	if a, known := papers[name]; known {
		return a, nil
	}
	w, h, ok := strings.Cut(name, "x")
	width, errW := strconv.ParseFloat(strings.TrimSpace(w), 64)
	height, errH := strconv.ParseFloat(strings.TrimSpace(h), 64)
	if !ok || errW != nil || errH != nil || !(width >= 25 && width <= MaxArea.Width && height >= 25 && height <= maxLength) {
		return Area{}, fmt.Errorf("paper %q is none of a3, a4, a5, a6, letter, legal, nor millimetres such as 210x356", name)
	}
	return Area{Width: width, Height: height}, nil
}

// maxLength bounds what may be asked for on purpose: a metre, as long as a strip of receipts.
const maxLength = 1000.0 // mm
