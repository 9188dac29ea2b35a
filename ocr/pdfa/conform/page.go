package conform

import (
	"bytes"
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
		resources := c.dict(page, "Resources")
		if resources == nil && inherited != nil {
			resources = inherited.Resources
		}
		c.content(c.contents(page), resources)
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

// box holds a page's size against what readers must take (ISO 19005-2, 6.1.13).
func (c *checker) box(page types.Dict, key string) {
	a := c.array(page, key)
	if len(a) != 4 {
		return
	}
	var v [4]float64
	for i, o := range a {
		switch n := c.deref(o).(type) {
		case types.Integer:
			v[i] = float64(n)
		case types.Float:
			v[i] = float64(n)
		}
	}
	for i := range 2 {
		if d := v[2+i] - v[i]; d < 3 || d > 14400 {
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
	if _, data, ok := c.stream(ap["N"]); ok {
		c.content(data, c.dict(c.deref(ap["N"]).(types.StreamDict).Dict, "Resources"))
	}
	n := c.get(ap, "N")
	_, stream := n.(types.StreamDict)
	button := subtype == "Widget" && c.name(d, "FT") == "Btn"
	_, dict := n.(types.Dict)
	if !stream && !(dict && button) {
		c.say("6.5.3", "6.3.3", "an annotation's appearance is no picture")
	}
}

// operators of ISO 32000-1, annex A.
var operators = bytes.Fields([]byte(`
	b B b* B* BDC BI BMC BT BX c cm CS cs d d0 d1 Do DP EI EMC ET EX f F f* G g gs h i ID j J K k l M m MP n q Q re RG rg ri
	s S SC sc SCN scn sh T* Tc Td TD Tf TJ Tj TL Tm Tr Ts Tw Tz v w W W* y ' "`))

// content goes through the operators of a content stream: colours, rendering intents, nesting, and what no reader must know.
func (c *checker) content(data []byte, resources types.Dict) {
	depth, lenient := 0, 0
	var last []byte
	l := lexer{data: data}
	for {
		token, operand, ok := l.next()
		if !ok {
			return
		}
		if operand {
			last = token
			if len(token) > 1 && token[0] == '/' && len(token)-1 > longestName {
				c.say("6.1.12", "6.1.13", "a name is too long")
			}
			continue
		}
		switch string(token) {
		case "q":
			if depth++; depth > mostDepth {
				c.say("6.1.12", "6.1.13", "graphics states are nested %d deep", depth)
			}
		case "Q":
			depth--
		case "EI":
			c.inline(l.inline)
		case "BX":
			lenient++
		case "EX":
			lenient--
		default:
			known := c.colours(string(token), last, resources) || lenient != 0 ||
				slices.ContainsFunc(operators, func(o []byte) bool { return bytes.Equal(o, token) })
			if !known {
				c.say("6.2.10", "6.2.2", "there is no operator %.10q", token)
			}
		}
		last = nil
	}
}

// inline looks at an image that stands in a content stream.
func (c *checker) inline(image []byte) {
	if bytes.Contains(image, []byte("LZW")) {
		c.say("6.1.10", "6.1.10", "an inline image is packed by LZW")
	}
	asked := slices.ContainsFunc(bytes.Fields(image), func(b []byte) bool { return string(b) == "/I" || string(b) == "/Interpolate" })
	if asked && bytes.Contains(image, []byte("true")) {
		c.say("6.2.4", "6.2.8.1", "an inline image is interpolated")
	}
}

// deviceSpaces are the colour spaces that operators set.
var deviceSpaces = map[string]types.Name{"rg": "DeviceRGB", "RG": "DeviceRGB", "k": "DeviceCMYK", "K": "DeviceCMYK", "g": "DeviceGray",
	"G": "DeviceGray"}

// colours looks at the operators that choose colours or show something; false where the operator is none of them. last is its operand.
func (c *checker) colours(operator string, last []byte, resources types.Dict) bool {
	if space, ok := deviceSpaces[operator]; ok {
		c.used(space, resources, 0)
		return true
	}
	switch named := len(last) > 1; operator {
	case "cs", "CS":
		if named {
			c.used(types.Name(last[1:]), resources, 0)
		}
	case "ri":
		if named && !slices.Contains(renderingIntents, string(last[1:])) {
			c.say("6.2.9", "6.2.6", "there is no rendering intent %s", last[1:])
		}
	case "Do":
		if named {
			c.shown(string(last[1:]), resources)
		}
	default:
		return false
	}
	return true
}

// shown looks at a picture or a form as it is shown under resources.
func (c *checker) shown(name string, resources types.Dict) {
	o := c.dict(resources, "XObject")[name]
	s, data, ok := c.stream(o)
	if !ok {
		return
	}
	switch c.name(s.Dict, "Subtype") {
	case "Image":
		mask, _ := c.get(s.Dict, "ImageMask").(types.Boolean)
		if space := s.Dict["ColorSpace"]; space != nil && !bool(mask) {
			c.used(space, resources, 0)
		}
	case "Form":
		if slices.Contains(c.within, o) || len(c.within) > 30 {
			return
		}
		c.within = append(c.within, o)
		own := c.dict(s.Dict, "Resources")
		if own == nil {
			own = resources
		}
		c.content(data, own)
		c.within = c.within[:len(c.within)-1]
	}
}

// lexer takes a content stream apart.
type lexer struct {
	data   []byte
	at     int
	inline []byte // dictionary of the latest inline image
}

func blank(b byte) bool {
	return b == ' ' || b == '\n' || b == '\r' || b == '\t' || b == '\f' || b == 0
}

func delimiter(b byte) bool { return bytes.IndexByte([]byte("()<>[]{}/%"), b) >= 0 }

// next gives a token, and whether it is an operand.
func (l *lexer) next() (token []byte, operand, ok bool) {
	if l.skip(); l.at >= len(l.data) {
		return nil, false, false
	}
	start := l.at
	switch b := l.data[l.at]; {
	case b == '(':
		l.literal()
		return l.data[start:l.at], true, true
	case b == '[' || b == ']' || b == '<' || b == '>' || b == '{' || b == '}' || b == ')':
		l.at++
		if b == '<' && l.at < len(l.data) && l.data[l.at] != '<' {
			for l.at < len(l.data) && l.data[l.at] != '>' {
				l.at++
			}
		}
		return l.data[start:l.at], true, true
	}
	l.at++
	for l.at < len(l.data) && !blank(l.data[l.at]) && !delimiter(l.data[l.at]) {
		l.at++
	}
	token = l.data[start:l.at]
	if value(token) {
		return token, true, true
	}
	if string(token) == "BI" {
		l.image()
		return []byte("EI"), false, true
	}
	return token, false, true
}

// skip goes over blanks and comments.
func (l *lexer) skip() {
	for l.at < len(l.data) && (blank(l.data[l.at]) || l.data[l.at] == '%') {
		if l.data[l.at] == '%' {
			for l.at < len(l.data) && !eol(l.data[l.at]) {
				l.at++
			}
			continue
		}
		l.at++
	}
}

// value says whether a word is an operand: a name, a number or one of the three words for values.
func value(token []byte) bool {
	switch c := token[0]; c {
	case '/', '+', '-', '.':
		return true
	default:
		return c >= '0' && c <= '9' || slices.Contains([]string{"true", "false", "null"}, string(token))
	}
}

// literal passes a string in brackets.
func (l *lexer) literal() {
	depth := 0
	for ; l.at < len(l.data); l.at++ {
		switch l.data[l.at] {
		case '\\':
			l.at++
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				l.at++
				return
			}
		}
	}
}

// image passes an inline image.
func (l *lexer) image() {
	id := bytes.Index(l.data[l.at:], []byte("ID"))
	if id < 0 {
		l.at = len(l.data)
		return
	}
	l.inline = l.data[l.at : l.at+id]
	for at := l.at + id + 2; at+2 <= len(l.data); at++ {
		if string(l.data[at:at+2]) == "EI" && blank(l.data[at-1]) && (at+2 == len(l.data) || blank(l.data[at+2])) {
			l.at = at + 2
			return
		}
	}
	l.at = len(l.data)
}
