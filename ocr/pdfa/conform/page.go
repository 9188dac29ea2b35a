package conform

import (
	"slices"

	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/types"
)

// Kinds of annotations that are allowed (ISO 19005-1, 6.5.2; ISO 19005-2, 6.3.1).
var (
	annots1 = []string{"Text", "Link", "FreeText", "Line", "Square", "Circle", "Highlight", "Underline", "Squiggly", "StrikeOut", "Stamp",
		"Ink", "Popup", "Widget", "PrinterMark", "TrapNet"}
	annots2 = append([]string{"Polygon", "PolyLine", "Caret", "FileAttachment", "Watermark", "Redact"}, annots1...)
)

// pages looks at every page: contents, annotations, boxes.
func (c *checker) pages() {
	if err := c.ctx.EnsurePageCount(); err != nil {
		return
	}
	defer c.fonts()
	for n := 1; n <= c.ctx.PageCount; n++ {
		page, _, inherited, err := c.ctx.PageDict(n, false)
		if err != nil || page == nil {
			continue
		}
		if _, found := page.Find("AA"); found {
			c.say("6.6.2", "6.5.2", "a page has additional actions")
		}
		if _, found := page.Find("PresSteps"); found {
			c.say("", "6.10", "a page has presentation steps")
		}
		d := drawing{resources: c.dict(page, "Resources")}
		if d.resources == nil && inherited != nil {
			d.resources, d.inherited = inherited.Resources, true
		}
		c.content(c.contents(page), d)
		for _, k := range []string{"MediaBox", "CropBox", "BleedBox", "TrimBox", "ArtBox"} {
			c.box(page, k)
		}
		for _, o := range c.array(page, "Annots") {
			if d, ok := c.deref(o).(types.Dict); ok {
				c.annotation(d)
			}
		}
	}
}

// box holds a page's size, its own or what it inherits, against what readers must take (ISO 19005-2, 6.1.13).
func (c *checker) box(page types.Dict, key string) {
	a := c.array(page, key)
	for up := page; a == nil && (key == "MediaBox" || key == "CropBox"); a = c.array(up, key) {
		if up = c.dict(up, "Parent"); up == nil {
			break
		}
	}
	if len(a) != 4 {
		return
	}
	for i := range 2 {
		if d := c.number(a[2+i], 0) - c.number(a[i], 0); d < 3 || d > 14400 {
			c.say("", "6.1.13", "a page is too small or too large")
		}
	}
}

func (c *checker) contents(page types.Dict) []byte {
	o, found := page.Find("Contents")
	if !found {
		return nil
	}
	var all []byte
	if a, ok := c.deref(o).(types.Array); ok {
		for _, part := range a {
			_, data, _ := c.stream(part)
			all = append(append(all, data...), '\n')
		}
		return all
	}
	_, data, _ := c.stream(o)
	return data
}

func (c *checker) annotation(d types.Dict) {
	subtype := c.name(d, "Subtype")
	allowed := annots2
	if c.one() {
		allowed = annots1
	}
	if !slices.Contains(allowed, subtype) {
		c.say("6.5.2", "6.3.1", "there is an annotation %s", subtype)
	}
	c.flags(d, subtype)
	if c.one() && c.partly(d, "CA") {
		c.say("6.5.3", "", "an annotation is half transparent")
	}
	if subtype == "Widget" {
		for _, k := range []string{"A", "AA"} {
			if _, found := d.Find(k); found {
				c.say("6.6.2", "6.4.1", "a form field has an action")
			}
		}
	} else if _, found := d.Find("AA"); found {
		c.say("6.6.2", "6.5.2", "an annotation has additional actions")
	}
	c.appearance(d, subtype)
}

// flags looks at those of an annotation.
func (c *checker) flags(d types.Dict, subtype string) {
	const (
		invisible, hidden, printed, noView, toggle = 1, 2, 4, 32, 256
	)
	flags := d.IntEntry("F")
	if subtype == "Popup" && !(c.one() && flags != nil) {
		return
	}
	switch {
	case flags == nil:
		c.say("6.5.3", "6.3.2", "an annotation has no flags")
	case *flags&printed == 0, *flags&(invisible|hidden|noView) != 0, *flags&toggle != 0 && !c.one():
		c.say("6.5.3", "6.3.2", "an annotation has flags %d", *flags)
	case !c.one() && subtype == "Text" && *flags&(8|16) != 8|16:
		c.say("", "6.3.2", "a note turns or grows with the page")
	}
}

func (c *checker) appearance(d types.Dict, subtype string) {
	empty := false
	if r := c.array(d, "Rect"); len(r) == 4 {
		empty = r[0].PDFString() == r[2].PDFString() && r[1].PDFString() == r[3].PDFString()
	}
	ap := c.dict(d, "AP")
	if ap == nil {
		if !c.one() && !empty && subtype != "Popup" && subtype != "Link" {
			c.say("", "6.3.3", "an annotation has no appearance")
		}
		if c.one() && subtype == "Widget" {
			c.say("6.9", "", "a form field has no appearance")
		}
		return
	}
	for k := range ap {
		if k != "N" {
			c.say("6.5.3", "6.3.3", "an annotation has several appearances")
		}
	}
	n := c.get(ap, "N")
	_, stream := n.(types.StreamDict)
	states, several := n.(types.Dict)
	looks := []types.Object{ap["N"]}
	for _, o := range states {
		looks = append(looks, o)
	}
	for _, o := range looks {
		if s, data, ok := c.stream(o); ok {
			c.form(s)
			c.content(data, drawing{resources: c.dict(s.Dict, "Resources")})
		}
	}
	c.pictures(d, subtype, stream, several)
}

// pictures looks whether a button has a picture for each of its states, as it must, and all others one.
func (c *checker) pictures(d types.Dict, subtype string, stream, several bool) {
	kind := d
	for up := d; c.name(kind, "FT") == "" && up != nil; {
		up = c.dict(up, "Parent")
		kind = up
	}
	if button := subtype == "Widget" && c.name(kind, "FT") == "Btn"; button && !several || !button && !stream {
		c.say("6.5.3", "6.3.3", "an annotation's appearance is no picture, or a button's not one for each of its states")
	}
}
