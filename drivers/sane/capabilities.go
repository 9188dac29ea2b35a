package sane

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"motcua/drivers/scan"
)

// Every backend names its sources and modes its own way ("ADF Duplex", "Automatic Document Feeder(left
// aligned,Duplex)", "24bit Color[Fast]"); these two say what a name means. The empty answer is for what a
// counter has no use for, such as film and the back alone.

func sourceNamed(name string) scan.Source {
	n := strings.ToLower(name)
	has := func(words ...string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(n, w) })
	}
	switch {
	case has("transparen", "tpu", "negative", "slide", "film", "card", "back") && !has("duplex", "both"):
		return ""
	case has("duplex", "both"):
		return scan.ADFDuplex
	case has("adf", "feeder", "automatic"):
		return scan.ADF
	case has("flatbed", "platen", "document table", "normal", "glass"):
		return scan.Flatbed
	}
	return ""
}

func modeNamed(name string) scan.Mode {
	n := strings.ToLower(name)
	has := func(words ...string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(n, w) })
	}
	switch {
	case has("halftone", "dropout", "drop-out", "infrared", "diffusion", "dither"):
		return ""
	case has("lineart", "line art", "binary", "black", "monochrome", "threshold", "text"):
		return scan.Lineart
	case has("gray", "grey"):
		return scan.Gray
	case has("color", "colour", "rgb"):
		return scan.Color
	}
	return ""
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

// duplexSwitch finds the option by which some backends turn their one feeder source to both sides.
func duplexSwitch(all map[string]option) (o option, on, off string, ok bool) {
	for _, name := range []string{"duplex", "adf-mode", "adf_mode", "duplexscan"} {
		o, has := all[name]
		switch {
		case !has || !o.settable:
		case o.isBool():
			return o, "yes", "no", true
		case o.isString():
			for _, s := range o.strings {
				if strings.EqualFold(s, "duplex") {
					on = s
				} else {
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
	if !hasSource || len(names) == 0 {
		names = []string{"Flatbed"}
		if sheetfed {
			names = []string{"ADF"}
		}
	}
	for _, name := range names {
		s := sourceNamed(name)
		if s == "" || slices.Contains(c.Sources, s) {
			continue
		}
		c.Sources = append(c.Sources, s)
		if hasSource && source.settable && source.isString() {
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
	if canDuplex && slices.Contains(c.Sources, scan.ADF) && !slices.Contains(c.Sources, scan.ADFDuplex) {
		c.Sources = append(c.Sources, scan.ADFDuplex)
	}
	if mode, ok := all["mode"]; ok {
		for _, name := range mode.strings {
			if m := modeNamed(name); m != "" && !slices.Contains(c.Modes, m) {
				c.Modes = append(c.Modes, m)
			}
		}
	}
	if depth, ok := all["depth"]; ok && slices.Contains(depth.words, 1) && !slices.Contains(c.Modes, scan.Lineart) {
		c.Modes = append(c.Modes, scan.Lineart)
	}
	if resolution, ok := first(all, "resolution", "x-resolution"); ok {
		c.DPIs = resolution.dpis()
	}
	return c, nil
}

func (h handle) area(all map[string]option) scan.Area {
	x, okX := all["br-x"]
	y, okY := all["br-y"]
	if !okX || !okY || !x.hasRange || !y.hasRange {
		return scan.Area{}
	}
	dpi := 0.0
	if resolution, ok := first(all, "resolution", "x-resolution"); ok {
		dpi, _ = h.number(resolution)
	}
	return scan.Area{
		Width:  math.Round(x.millimetres(x.maximum-x.minimum, dpi)*10) / 10,
		Height: math.Round(y.millimetres(y.maximum-y.minimum, dpi)*10) / 10,
	}
}

// unsupportedError says which wish the device has no option for.
type unsupportedError struct{ wish string }

func (e unsupportedError) Error() string { return "the device has no " + e.wish }

// configure sets the device up for a scan and gives the resolution it will use. Order matters: the
// source decides which modes, resolutions and sizes there are, and the profile's own options come
// before the size because some of them switch it off (hand scanners).
func (h handle) configure(r request, sheetfed bool) (source scan.Source, dpi int, err error) {
	all, err := h.options()
	if err != nil {
		return "", 0, err
	}
	reload := func() error {
		all, err = h.options()
		return err
	}
	source = r.Source
	if o, ok := first(all, "source", "doc-source"); ok && o.isString() && len(o.strings) > 0 {
		name, found := "", false
		if source == "" {
			for _, s := range []scan.Source{scan.Flatbed, scan.ADF, scan.ADFDuplex} {
				if name, found = pick(o.strings, sourceNamed, s); found {
					source = s
					break
				}
			}
		} else if name, found = pick(o.strings, sourceNamed, source); !found && source == scan.ADFDuplex {
			if _, _, _, can := duplexSwitch(all); can {
				name, found = pick(o.strings, sourceNamed, scan.ADF)
			}
		}
		if !found {
			return "", 0, unsupportedError{fmt.Sprintf("source %q", r.Source)}
		}
		if err := h.setString(o, name); err != nil {
			return "", 0, err
		}
		if err := reload(); err != nil {
			return "", 0, err
		}
	} else if source == "" {
		if source = scan.Flatbed; sheetfed {
			source = scan.ADF
		}
	}
	if o, on, off, ok := duplexSwitch(all); ok && source != scan.Flatbed {
		value := off
		if source == scan.ADFDuplex {
			value = on
		}
		if err := h.set(o, value); err != nil {
			return "", 0, err
		}
		if err := reload(); err != nil {
			return "", 0, err
		}
	}
	if err := h.setMode(all, r.Mode); err != nil {
		return "", 0, err
	}
	if err := reload(); err != nil {
		return "", 0, err
	}
	for _, name := range []string{"resolution", "x-resolution", "y-resolution"} {
		o, ok := all[name]
		if !ok || !o.settable {
			continue
		}
		got, err := h.setNumber(o, o.atLeast(r.DPI))
		if err != nil {
			return "", 0, err
		}
		dpi = int(math.Round(got))
	}
	for _, set := range r.Prefer {
		if err := reload(); err != nil {
			return "", 0, err
		}
		name, value, _ := strings.Cut(set, "=")
		if o, ok := all[name]; ok && o.settable {
			_ = h.set(o, value) // a model that knows the option but not the value keeps its own
		}
	}
	for _, set := range r.Set {
		if err := reload(); err != nil {
			return "", 0, err
		}
		name, value, _ := strings.Cut(set, "=")
		o, ok := all[name]
		if !ok {
			return "", 0, unsupportedError{fmt.Sprintf("option %q, which is to be set", name)}
		}
		if err := h.set(o, value); err != nil {
			return "", 0, fmt.Errorf("set %s: %w", name, err)
		}
	}
	if err := reload(); err != nil {
		return "", 0, err
	}
	return source, dpi, h.setArea(all, r.Area, float64(dpi))
}

func (h handle) setMode(all map[string]option, wanted scan.Mode) error {
	oneBit := false
	if o, ok := all["mode"]; ok && o.isString() {
		name, found := pick(o.strings, modeNamed, wanted)
		if !found && wanted == scan.Lineart {
			name, oneBit = pick(o.strings, modeNamed, scan.Gray)
			found = oneBit
		}
		if !found {
			return unsupportedError{fmt.Sprintf("mode %q", wanted)}
		}
		if err := h.setString(o, name); err != nil {
			return err
		}
	}
	all, err := h.options()
	if err != nil {
		return err
	}
	depth, ok := all["depth"]
	if !ok || !depth.settable {
		if oneBit {
			return unsupportedError{fmt.Sprintf("mode %q", wanted)}
		}
		return nil
	}
	bits := 8.0
	if oneBit {
		bits = 1
	}
	if len(depth.words) > 0 && !slices.Contains(depth.words, bits) {
		if oneBit {
			return unsupportedError{fmt.Sprintf("mode %q", wanted)}
		}
		return nil
	}
	_, err = h.setNumber(depth, bits)
	return err
}

// setArea opens the window as far as it goes, or as far as is asked for.
func (h handle) setArea(all map[string]option, area scan.Area, dpi float64) error {
	for _, side := range []struct {
		paper, from, to string
		mm              float64
	}{{"page-width", "tl-x", "br-x", area.Width}, {"page-height", "tl-y", "br-y", area.Height}} {
		for _, name := range []string{side.paper, side.from, side.to} {
			o, ok := all[name]
			if !ok || !o.settable {
				continue
			}
			v := o.maximum
			switch {
			case name == side.from:
				v = o.minimum
			case !o.hasRange:
				continue
			case side.mm > 0:
				v = o.minimum + o.units(side.mm, dpi)
			}
			if _, err := h.setNumber(o, v); err != nil {
				return fmt.Errorf("set %s: %w", name, err)
			}
		}
		var err error
		if all, err = h.options(); err != nil {
			return err
		}
	}
	return nil
}
