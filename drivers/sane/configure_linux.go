package sane

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"motcua/drivers/scan"
)

// unsupportedError says which wish the device has no option for.
type unsupportedError struct{ wish string }

func (e unsupportedError) Error() string { return "the device has no " + e.wish }

// configure sets the device up for a scan. Order matters: the
// source decides which modes, resolutions and sizes there are, and the profile's own options come before the size
// because some of them switch it off (hand scanners).
func (h handle) configure(r request, sheetfed bool) (c configured, err error) {
	if c.source, err = h.setSource(r.Source, sheetfed); err != nil {
		return c, err
	}
	if c.instead, err = h.setMode(r.Mode); err != nil {
		return c, err
	}
	if c.dpi, err = h.setResolution(r.DPI); err != nil {
		return c, err
	}
	for _, set := range r.Prefer {
		name, value, _ := strings.Cut(set, "=")
		all, err := h.options()
		if err != nil {
			return c, err
		}
		if o, ok := all[name]; ok && o.settable {
			_ = h.set(o, value) // a model that knows the option but not the value keeps its own
		}
	}
	for _, set := range r.Set {
		name, value, _ := strings.Cut(set, "=")
		all, err := h.options()
		if err != nil {
			return c, err
		}
		o, ok := all[name]
		if !ok {
			return c, unsupportedError{fmt.Sprintf("option %q, which is to be set", name)}
		}
		if err := h.set(o, value); err != nil {
			return c, fmt.Errorf("set %s: %w", name, err)
		}
	}
	return c, h.setArea(c.source, r.Area, r.Longest, float64(c.dpi))
}

// configured is what the device was brought to.
type configured struct {
	source  scan.Source
	dpi     int
	instead scan.Mode // the mode, where it is not the one that was asked for
}

// setSource chooses where sheets come from. A device whose names for it nobody has met is left at its default: that
// scans, and one that was forced to a guess would not.
func (h handle) setSource(wanted scan.Source, sheetfed bool) (scan.Source, error) {
	all, err := h.options()
	if err != nil {
		return "", err
	}
	source := wanted
	o, choice := first(all, "source", "doc-source")
	known := choice && slices.ContainsFunc(o.strings, func(name string) bool { return sourceNamed(name) != "" })
	switch {
	case known && o.settable:
		var name string
		if source, name, err = chooseSource(all, o.strings, wanted); err != nil {
			return "", err
		}
		if err := h.setString(o, name); err != nil {
			return "", err
		}
	case known:
		return h.sourceThere(o, wanted)
	case source == "":
		if source = scan.Flatbed; sheetfed {
			source = scan.ADF
		}
	case choice && !sheetfed && source != scan.Flatbed:
		return "", unsupportedError{fmt.Sprintf("source %q under a name that is known; its sources are %s: name one by set: [%s=…] in its "+
			"profile",
			wanted, strings.Join(o.strings, ", "), o.name)}
	}
	if source == scan.Flatbed {
		return source, nil
	}
	if all, err = h.options(); err != nil {
		return "", err
	}
	if o, on, off, ok := duplexSwitch(all); ok {
		if source == scan.ADFDuplex {
			off = on
		}
		return source, h.set(o, off)
	}
	return source, nil
}

// sourceThere is the source of a device at which it is chosen by hand, or by where paper lies.
func (h handle) sourceThere(o option, wanted scan.Source) (scan.Source, error) {
	name, err := h.text(o)
	if err != nil {
		return "", err
	}
	there := sourceNamed(name)
	if there == "" || wanted != "" && wanted != there {
		return "", unsupportedError{fmt.Sprintf("source %q now: it is chosen at the device, where it is %q", wanted, name)}
	}
	return there, nil
}

// chooseSource gives the device's name for the wanted source, or for the first one it has where none is wanted.
func chooseSource(all map[string]option, names []string, wanted scan.Source) (scan.Source, string, error) {
	if wanted == "" {
		for _, s := range []scan.Source{scan.Flatbed, scan.ADF, scan.ADFDuplex} {
			if name, found := pick(names, sourceNamed, s); found {
				return s, name, nil
			}
		}
	}
	name, found := pick(names, sourceNamed, wanted)
	if !found && wanted == scan.ADFDuplex {
		if _, _, _, can := duplexSwitch(all); can {
			name, found = pick(names, sourceNamed, scan.ADF)
		}
	}
	if !found {
		return "", "", unsupportedError{fmt.Sprintf("source %q", wanted)}
	}
	return wanted, name, nil
}

// setMode sets the wanted colours, or the best there are where none are wanted. A device that has no black and white gives
// grey, which is told by instead.
func (h handle) setMode(wanted scan.Mode) (instead scan.Mode, err error) {
	all, err := h.options()
	if err != nil {
		return "", err
	}
	oneBit := false
	if o, ok := all["mode"]; ok && o.isString() && o.settable {
		name, found := "", false
		for _, mode := range wishes(wanted) {
			if name, found = pick(o.strings, modeNamed, mode); found {
				break
			}
		}
		if !found && wanted == scan.Lineart {
			name, found = pick(o.strings, modeNamed, scan.Gray)
			if oneBit = found && bitsOf(all, 1); found && !oneBit {
				instead = scan.Gray
			}
		}
		strange := !slices.ContainsFunc(o.strings, func(name string) bool { return modeNamed(name) != "" })
		if !found && !(wanted == "" && strange) {
			return "", unsupportedError{fmt.Sprintf("mode %q", wanted)}
		}
		if found {
			if err := h.setString(o, name); err != nil {
				return "", err
			}
		}
	}
	return instead, h.setDepth(wanted, oneBit)
}

// bitsOf reports whether the device can be set to so many bits a sample.
func bitsOf(all map[string]option, bits float64) bool {
	depth, ok := all["depth"]
	return ok && slices.Contains(depth.words, bits)
}

// wishes are the modes that will do, the best first.
func wishes(wanted scan.Mode) []scan.Mode {
	if wanted == "" {
		return []scan.Mode{scan.Color, scan.Gray, scan.Lineart}
	}
	return []scan.Mode{wanted}
}

// setDepth takes eight bits a channel, or the one bit by which some devices make black and white of grey.
func (h handle) setDepth(wanted scan.Mode, oneBit bool) error {
	all, err := h.options()
	if err != nil {
		return err
	}
	bits := 8.0
	if oneBit {
		bits = 1
	}
	depth, ok := all["depth"]
	if !ok || !depth.settable || len(depth.words) > 0 && !slices.Contains(depth.words, bits) {
		if oneBit {
			return unsupportedError{fmt.Sprintf("mode %q", wanted)}
		}
		return nil
	}
	_, err = h.setNumber(depth, bits)
	return err
}

// setResolution gives what the device made of the wish.
func (h handle) setResolution(wanted int) (dpi int, err error) {
	for _, name := range resolutionNames {
		all, err := h.options()
		if err != nil {
			return 0, err
		}
		o, ok := all[name]
		if !ok || !o.settable {
			continue
		}
		got, err := h.setNumber(o, o.atLeast(wanted))
		if err != nil {
			return 0, err
		}
		dpi = int(math.Round(got))
	}
	return dpi, nil
}

// axis is one direction of the window: the options for the sheet's size, where the window begins and where it ends.
type axis struct{ paper, from, to string }

var (
	across = axis{"page-width", "tl-x", "br-x"}
	along  = axis{"page-height", "tl-y", "br-y"}
)

// setArea opens the window on the sheet. Where papers are fed, their size is asked for: many feeders allow metres, would
// scan all of them, and some first want to be told the size of the sheet, at which their window grows (fujitsu, canon_dr
// and epjitsu: man pages, "page-height"). Where along the width of a feeder a sheet lies is known only to those; of any
// other the whole width is taken. The glass is taken as a whole.
func (h handle) setArea(source scan.Source, asked scan.Area, longest, dpi float64) error {
	if err := h.setPaperSize(); err != nil {
		return err
	}
	for _, side := range []struct {
		axis
		asked, sheet, most float64 // mm
	}{{across, asked.Width, scan.A4.Width, scan.MaxArea.Width}, {along, asked.Height, scan.A4.Height, scan.MaxArea.Height}} {
		all, err := h.options()
		if err != nil {
			return err
		}
		_, sized := all[side.paper]
		mm := side.asked
		switch {
		case source == scan.Flatbed && mm == 0:
			mm = side.most
		case source != scan.Flatbed && mm == 0:
			mm = side.sheet
		}
		if source != scan.Flatbed && side.axis == across && !sized {
			mm = side.most
		}
		if side.axis == along && longest > mm && source != scan.Flatbed && h.seesEnd(all) {
			mm = longest
		}
		if err := h.setAxis(side.axis, mm, dpi); err != nil {
			return err
		}
	}
	return nil
}

// endSensors are switches with which a page ends where its sheet does: man sane-fujitsu, "ald".
var endSensors = []string{"ald"}

// seesEnd reports whether the device ends a page at the end of its sheet, however long the window is.
func (h handle) seesEnd(all map[string]option) bool {
	o, ok := first(all, endSensors...)
	if !ok || !o.isBool() {
		return false
	}
	on, err := h.flag(o)
	return err == nil && on
}

// windowSlack is how far a window may fall short of what was asked before it is set again: backends round to their
// motor's steps, which are below a millimetre.
const windowSlack = 1.0 // mm

// setAxis opens the window so far along one direction, as far as the device goes. Every step may change the range of
// the next one, so the options are read anew before each, and the outcome is looked at: some backends grow the window
// only when it is set a second time.
func (h handle) setAxis(a axis, mm, dpi float64) error {
	for range 3 {
		var from float64
		for _, name := range []string{a.paper, a.from, a.to} {
			all, err := h.options()
			if err != nil {
				return err
			}
			o, ok := all[name]
			if !ok || !o.settable {
				continue
			}
			v := o.upTo(from + o.units(mm, dpi))
			if name == a.from {
				v = o.minimum
			}
			got, err := h.setNumber(o, v)
			if err != nil {
				return fmt.Errorf("set %s: %w", name, err)
			}
			if name == a.from {
				from = got
			}
		}
		all, err := h.options()
		if err != nil {
			return err
		}
		end, ok := all[a.to]
		if !ok || !end.settable {
			return nil
		}
		at, err := h.number(end)
		if err != nil || at >= end.upTo(from+end.units(mm, dpi))-end.units(windowSlack, dpi) {
			return err
		}
	}
	return nil // it is the device's last word
}

// upTo is the value nearest to v that the option can take, a larger one where it has only a list.
func (o option) upTo(v float64) float64 {
	switch {
	case o.hasRange:
		return min(max(v, o.minimum), o.maximum)
	case len(o.words) > 0:
		best := slices.Max(o.words)
		for _, w := range o.words {
			if w >= v && w < best {
				best = w
			}
		}
		return best
	}
	return v
}

// setPaperSize names A4 to devices that know papers by name and have a window only for the ones without (Panasonic's
// kvs20xx: man sane-kvs20xx).
func (h handle) setPaperSize() error {
	all, err := h.options()
	if err != nil {
		return err
	}
	o, ok := all["paper-size"]
	if _, window := all["br-y"]; window || !ok || !o.settable || !o.isString() {
		return nil
	}
	for _, name := range o.strings {
		if strings.EqualFold(strings.TrimSpace(name), "A4") {
			return h.setString(o, name)
		}
	}
	return nil
}
