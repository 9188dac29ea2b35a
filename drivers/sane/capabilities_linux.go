package sane

import (
	"math"
	"slices"
	"strings"
	"unicode"

	"motcua/drivers/scan"
)

// Every backend names its sources and modes its own way; these tables say what a name means, with one backend (or maker's
// driver) that uses it. A name is what the first row says that fits; no row: unknown. The empty meaning is for what a
// counter has no use for, such as film and the back alone. Names are compared without regard to case; " fb " fits a word.

type meaning[T any] struct {
	words []string // one of them is in the name
	means T
}

var sourceNames = []meaning[scan.Source]{
	// fujitsu, hp5590; "ADF both sides"
	{[]string{"duplex", "both", "double-sided", "2-sided", "two-sided"}, scan.ADFDuplex},
	// epson2, avision, hp5590, pixma
	{[]string{"transparen", "tpu", "tma", "negative", "slide", "film", "positive"}, ""},
	// canon_dr, fujitsu; hpaio
	{[]string{"card", "back", "rear", "camera"}, ""},
	// kvs40xx "adf", kodakaio "Document Feeder"; Kyocera's document processor
	{[]string{" dp ", "adf", "feeder", "automatic document", "sheetfeed", "sheet feed", "sheet-feed", " front ", " simplex "}, scan.ADF},
	// kvs40xx "fb", epsonscan2, avision, microtek
	{[]string{"flatbed", "flat bed", "flat-bed", " fb ", "platen", "document table", " normal ", "glass", "reflective"}, scan.Flatbed},
}

var modeNames = []meaning[scan.Mode]{
	// xerox_mfp, brscan4 "Gray[Error Diffusion]"
	{[]string{"halftone", "half tone", "half-tone", "dropout", "drop-out", "infrared", "diffusion", "dither"}, ""},
	// kvs1025 "bw", Kodak "Bitonal"
	{[]string{"lineart", "line art", "line-art", "binary", "bitonal", "black", " bw ", " b w ", "monochrome", " mono ", "threshold", "text",
		"1-bit", "1 bit"}, scan.Lineart},
	{[]string{"gray", "grey"}, scan.Gray},
	{[]string{"color", "colour", "rgb", "24-bit", "24bit"}, scan.Color}, // brscan4 "24bit Color[Fast]"
}

func named[T any](table []meaning[T], name string) (means T, known bool) {
	lower := strings.ToLower(name)
	spaced := " " + strings.Join(strings.FieldsFunc(lower, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }), " ") +
		" "
	for _, row := range table {
		for _, w := range row.words {
			if strings.Contains(lower, w) || strings.Contains(spaced, w) {
				return row.means, true
			}
		}
	}
	return means, false
}

func sourceNamed(name string) scan.Source {
	s, _ := named(sourceNames, name)
	return s
}

func modeNamed(name string) scan.Mode {
	m, _ := named(modeNames, name)
	return m
}

// pick gives the first of a device's names that means what is wanted.
func pick[T comparable](names []string, means func(string) T, wanted T) (string, bool) {
	for _, n := range names {
		if means(n) == wanted {
			return n, true
		}
	}
	return "", false
}

// usualDPIs are listed for a device that takes any resolution in a range.
var usualDPIs = []int{75, 100, 150, 200, 300, 400, 600, 1200}

func (o option) dpis() []int {
	var list []int
	if o.hasRange {
		for _, d := range usualDPIs {
			if float64(d) >= o.minimum && float64(d) <= o.maximum {
				list = append(list, d)
			}
		}
	}
	for _, w := range o.words {
		list = append(list, int(w))
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// atLeast is the resolution to ask for: the lowest the device has that loses nothing.
func (o option) atLeast(dpi int) float64 {
	if len(o.words) == 0 {
		return float64(dpi)
	}
	best := slices.Max(o.words)
	for _, w := range o.words {
		if w >= float64(dpi) && w < best {
			best = w
		}
	}
	return best
}

// millimetres converts a length the device gives in pixels.
func (o option) millimetres(v float64, dpi float64) float64 {
	if o.pixel && dpi > 0 {
		return v / dpi * 25.4
	}
	return v
}

func (o option) units(mm float64, dpi float64) float64 {
	if o.pixel && dpi > 0 {
		return math.Round(mm / 25.4 * dpi)
	}
	return mm
}

// first gives the first of the named options that the device has now.
func first(all map[string]option, names ...string) (option, bool) {
	for _, n := range names {
		if o, ok := all[n]; ok {
			return o, true
		}
	}
	return option{}, false
}

// duplexSwitch finds the option by which some backends turn their feeder to both sides; Canon's own needs it whatever the source is
// called (simple-scan pull request 2). Of its words that are not both sides, one side is what a switch says that has more of them.
func duplexSwitch(all map[string]option) (o option, on, off string, ok bool) {
	for _, name := range []string{"duplex", "adf-mode", "adf_mode", "duplexscan", "ScanMode"} {
		o, has := all[name]
		switch {
		case !has || !o.settable:
		case o.isBool():
			return o, "yes", "no", true
		case o.isString():
			for _, s := range o.strings {
				switch {
				case strings.EqualFold(s, "duplex"):
					on = s
				case !strings.EqualFold(off, "simplex"):
					off = s
				}
			}
			if on != "" && off != "" {
				return o, on, off, true
			}
		}
	}
	return option{}, "", "", false
}

// resolutionNames are the options of a resolution, that across the sheet before that along it. Ricoh's backend has its own.
var resolutionNames = []string{"resolution", "x-resolution", "Xresolution", "y-resolution", "Yresolution"}

// read asks an open device what it can do. It changes the device's source while it asks.
func (h handle) caps(sheetfed bool) (*caps, error) {
	all, err := h.options()
	if err != nil {
		return nil, err
	}
	c := &caps{Areas: map[scan.Source]scan.Area{}}
	source, hasSource := first(all, "source", "doc-source")
	_, _, _, canDuplex := duplexSwitch(all)
	names := source.strings
	if hasSource && !source.settable && len(names) > 0 { // it is chosen at the device: there is the one that is chosen
		name, err := h.text(source)
		if err != nil {
			return nil, err
		}
		names = []string{name}
	}
	if !hasSource || len(names) == 0 {
		names = []string{"Flatbed"}
		if sheetfed {
			names = []string{"ADF"}
		}
	}
	if !slices.ContainsFunc(names, func(name string) bool { return sourceNamed(name) != "" }) {
		c.Sources = []scan.Source{scan.Flatbed} // by its own default, see setSource
		if sheetfed {
			c.Sources = []scan.Source{scan.ADF}
		}
		if area := h.area(all); area != (scan.Area{}) {
			c.Areas[c.Sources[0]] = area
		}
	}
	if all, err = h.trySources(c, all, names); err != nil {
		return nil, err
	}
	if canDuplex && slices.Contains(c.Sources, scan.ADF) && !slices.Contains(c.Sources, scan.ADFDuplex) {
		c.Sources = append(c.Sources, scan.ADFDuplex)
	}
	c.Modes = modes(all)
	if resolution, ok := first(all, resolutionNames...); ok {
		c.DPIs = resolution.dpis()
	}
	return c, nil
}

// trySources sets each source that is known by name, to learn its area, and gives the options as they stand then.
func (h handle) trySources(c *caps, all map[string]option, names []string) (_ map[string]option, err error) {
	source, has := first(all, "source", "doc-source")
	for _, name := range names {
		s := sourceNamed(name)
		if s == "" || slices.Contains(c.Sources, s) {
			continue
		}
		c.Sources = append(c.Sources, s)
		if has && source.settable && source.isString() {
			if err := h.setString(source, name); err != nil {
				continue
			}
			if all, err = h.options(); err != nil {
				return nil, err
			}
		}
		if area := h.area(all); area != (scan.Area{}) {
			c.Areas[s] = area
		}
	}
	return all, nil
}

// modes are those that the options offer.
func modes(all map[string]option) (found []scan.Mode) {
	for _, name := range all["mode"].strings {
		if m := modeNamed(name); m != "" && !slices.Contains(found, m) {
			found = append(found, m)
		}
	}
	if slices.Contains(all["depth"].words, 1) && !slices.Contains(found, scan.Lineart) {
		found = append(found, scan.Lineart)
	}
	return found
}

// area is the largest page of the source that is set: that of the sheet, where the window follows what is told of it.
func (h handle) area(all map[string]option) scan.Area {
	dpi := 0.0
	if resolution, ok := first(all, resolutionNames...); ok {
		dpi, _ = h.number(resolution)
	}
	length := func(a axis) float64 {
		o, ok := all[a.paper]
		if ok && o.settable && o.hasRange {
			return math.Round(o.millimetres(o.maximum-o.minimum, dpi)*10) / 10
		}
		// From where the window may begin: its end may have a least value of its own (kvs40xx: the smallest sheet).
		o = all[a.to]
		return math.Round(o.millimetres(o.maximum-min(o.minimum, all[a.from].minimum), dpi)*10) / 10
	}
	area := scan.Area{Width: length(across), Height: length(along)}
	if area.Width <= 0 || area.Height <= 0 {
		return scan.Area{}
	}
	return area
}
