package conform

import (
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/types"
)

// Limits of ISO 32000-1, annex C, and of PDF 1.4, appendix C.
const (
	longestName     = 127
	longestString1  = 65535
	longestString2  = 32767
	mostArray1      = 8191
	mostDictionary1 = 4095
	mostReal1       = 32767
	mostDepth       = 28
	mostColorants1  = 8
	mostColorants2  = 32
	mostCID         = 65535
)

// objects looks at every object by itself.
func (c *checker) objects() {
	for n, e := range c.ctx.Table {
		if e == nil || e.Free || e.Object == nil || n == 0 {
			continue
		}
		c.object(e.Object, 0)
	}
}

func (c *checker) object(o types.Object, depth int) {
	if depth > 100 {
		return
	}
	switch o := o.(type) {
	case types.Array:
		if c.one() && len(o) > mostArray1 {
			c.say("6.1.12", "", "an array is too long")
		}
		c.space(o)
		for _, v := range o {
			c.object(v, depth+1)
		}
	case types.Dict:
		c.dictionary(o, depth)
	case types.StreamDict:
		c.streamDictionary(o)
		c.dictionary(o.Dict, depth)
	default:
		c.limit(o)
	}
}

// limit looks at the limits of what is no container.
func (c *checker) limit(o types.Object) {
	switch o := o.(type) {
	case types.Name:
		if len(o) > longestName {
			c.say("6.1.12", "6.1.13", "a name is too long")
		}
	case types.StringLiteral:
		if text, err := types.Unescape(string(o)); err == nil {
			c.long(len(text))
		}
	case types.HexLiteral:
		c.long(len(o) / 2)
	case types.Integer:
		if int64(o) > 2147483647 || int64(o) < -2147483648 {
			c.say("6.1.12", "6.1.13", "a number is too large")
		}
	case types.Float:
		if c.one() && (float64(o) > mostReal1 || float64(o) < -mostReal1) {
			c.say("6.1.12", "", "a number is too large")
		}
	}
}

// long looks at the length of a string.
func (c *checker) long(n int) {
	if n > longestString1 || !c.one() && n > longestString2 {
		c.say("6.1.12", "6.1.13", "a string is too long")
	}
}

func (c *checker) dictionary(d types.Dict, depth int) {
	if c.one() && len(d) > mostDictionary1 {
		c.say("6.1.12", "", "a dictionary is too large")
	}
	switch c.name(d, "Type") {
	case "ExtGState":
		c.state(d)
	case "XRef":
		c.say("6.1.4", "", "the cross-reference table is a stream")
	case "Filespec", "F":
		if _, found := d.Find("EF"); found && c.one() {
			c.say("6.1.11", "", "a file is embedded")
		}
	}
	if s := c.name(d, "S"); s != "" {
		c.action(d, s)
	}
	if g := c.dict(d, "Group"); g != nil && c.one() && c.name(g, "S") == "Transparency" {
		c.say("6.4", "", "there is a transparency group")
	}
	for k, v := range d {
		if len(k) > longestName {
			c.say("6.1.12", "6.1.13", "a name is too long")
		}
		c.object(v, depth+1)
	}
}

// Actions that change what is seen, or reach outside the file.
var forbiddenActions = []string{"Launch", "Sound", "Movie", "ResetForm", "ImportData", "JavaScript", "Hide", "SetOCGState", "Rendition",
	"Trans", "GoTo3DView", "SetState", "NOP"}

func (c *checker) action(d types.Dict, s string) {
	if slices.Contains(forbiddenActions, s) {
		if s == "Trans" && c.name(d, "Type") != "Action" {
			return
		}
		c.say("6.6.1", "6.5.1", "there is an action %s", s)
	}
	if n := c.name(d, "N"); s == "Named" && !slices.Contains([]string{"NextPage", "PrevPage", "FirstPage", "LastPage"}, n) {
		c.say("6.6.1", "6.5.1", "there is a named action %s", n)
	}
}

// state looks at a graphics state.
func (c *checker) state(d types.Dict) {
	if _, found := d.Find("TR"); found {
		c.say("6.2.8", "6.2.5", "a graphics state has a transfer function")
	}
	if n := c.get(d, "TR2"); n != nil {
		if v, ok := n.(types.Name); !ok || v != "Default" {
			c.say("6.2.8", "6.2.5", "a graphics state has a transfer function")
		}
	}
	if _, found := d.Find("HTP"); found {
		c.say("", "6.2.5", "a graphics state has a halftone phase")
	}
	if h := c.dict(d, "HT"); h != nil {
		if t := h.IntEntry("HalftoneType"); t != nil && *t != 1 && *t != 5 {
			c.say("", "6.2.5", "a halftone is of type %d", *t)
		}
		if _, found := h.Find("HalftoneName"); found {
			c.say("", "6.2.5", "a halftone has a name")
		}
	}
	c.intentName(d, "RI")
	if c.one() {
		c.opaque(d)
	}
}

// partly says whether an entry is a number other than 1.
func (c *checker) partly(d types.Dict, key string) bool {
	switch v := c.get(d, key).(type) {
	case types.Float:
		return math.Abs(float64(v)-1) > 1e-6
	case types.Integer:
		return v != 1
	}
	return false
}

// opaque looks for what lets something shine through, which PDF/A-1 forbids.
func (c *checker) opaque(d types.Dict) {
	if m := c.get(d, "SMask"); m != nil && m != types.Name("None") {
		c.say("6.4", "", "there is a soft mask")
	}
	if c.partly(d, "CA") || c.partly(d, "ca") {
		c.say("6.4", "", "something is half transparent")
	}
	if m := c.name(d, "BM"); m != "" && m != "Normal" && m != "Compatible" {
		c.say("6.4", "", "something is blended")
	}
}

var renderingIntents = []string{"RelativeColorimetric", "AbsoluteColorimetric", "Perceptual", "Saturation"}

func (c *checker) intentName(d types.Dict, key string) {
	if n := c.name(d, key); n != "" && !slices.Contains(renderingIntents, n) {
		c.say("6.2.9", "6.2.6", "there is no rendering intent %s", n)
	}
}

func (c *checker) streamDictionary(s types.StreamDict) {
	for _, k := range []string{"F", "FFilter", "FDecodeParms"} {
		if _, found := s.Find(k); found {
			c.say("6.1.7", "6.1.7.1", "a stream lies outside the file")
		}
	}
	for _, f := range s.FilterPipeline {
		switch {
		case f.Name == "LZWDecode", f.Name == "LZW":
			c.say("6.1.10", "6.1.7.2", "a stream is packed by LZW")
		case f.Name == "Crypt":
			c.say("", "6.1.7.2", "a stream is encrypted")
		}
	}
	if n := s.IntEntry("Length"); n != nil && len(s.Raw) > 0 && !within(s.Raw, *n) {
		c.say("6.1.7", "6.1.7.1", "a stream is not as long as it says")
	}
}

// within allows for the end of line that may follow a stream's bytes.
func within(raw []byte, n int) bool {
	d := len(raw) - n
	return d == 0 || d > 0 && d <= 2 && strings.Trim(string(raw[n:]), "\r\n") == ""
}

func (c *checker) image(d types.Dict) {
	if _, found := d.Find("Alternates"); found {
		c.say("6.2.4", "6.2.8.1", "an image has alternates")
	}
	if _, found := d.Find("OPI"); found {
		c.say("6.2.4", "6.2.8.1", "an image has OPI")
	}
	if b, ok := c.get(d, "Interpolate").(types.Boolean); ok && bool(b) {
		c.say("6.2.4", "6.2.8.1", "an image is interpolated")
	}
	c.intentName(d, "Intent")
	if m := c.get(d, "SMask"); c.one() && m != nil && m != types.Name("None") {
		c.say("6.4", "", "an image has a soft mask")
	}
	if n := d.IntEntry("BitsPerComponent"); n != nil && !slices.Contains([]int{1, 2, 4, 8, 16}, *n) {
		c.say("", "6.2.8.1", "an image has %d bits", *n)
	}
}

func (c *checker) form(s types.StreamDict) {
	if _, found := s.Find("OPI"); found {
		c.say("6.2.5", "6.2.9.1", "a form has OPI")
	}
	if _, found := s.Find("PS"); found || c.name(s.Dict, "Subtype2") == "PS" {
		c.say("6.2.5", "6.2.9.1", "a form has PostScript")
	}
	if _, found := s.Find("Ref"); found {
		c.say("6.2.6", "6.2.9.3", "a form refers to another file")
	}
}

// space looks at a colour space that is an array.
func (c *checker) space(a types.Array) {
	if len(a) < 2 {
		return
	}
	kind, _ := c.deref(a[0]).(types.Name)
	switch kind {
	case "ICCBased":
		c.profile(a[1], false)
	case "Separation":
		if n, _ := c.deref(a[1]).(types.Name); !utf8.ValidString(string(n)) {
			c.say("", "6.1.8", "a colorant's name is not written in UTF-8")
		}
	case "DeviceN":
		names, _ := c.deref(a[1]).(types.Array)
		if c.one() && len(names) > mostColorants1 || len(names) > mostColorants2 {
			c.say("6.1.12", "6.1.13", "a colour space has %d colorants", len(names))
		}
		for _, o := range names {
			if n, _ := c.deref(o).(types.Name); !utf8.ValidString(string(n)) {
				c.say("", "6.1.8", "a colorant's name is not written in UTF-8")
			}
		}
	}
}

// used looks at a colour space as it is used under resources: a device's own colours need an output intent or a space that
// stands for them there.
func (c *checker) used(o types.Object, resources types.Dict, depth int) {
	switch o := c.deref(o).(type) {
	case types.Name:
		spaces := c.dict(resources, "ColorSpace")
		if named := spaces[string(o)]; named != nil && depth < 8 {
			c.used(named, resources, depth+1)
			return
		}
		if base, ok := strings.CutPrefix(string(o), "Device"); ok && spaces["Default"+base] != nil {
			return
		}
		c.device(o)
	case types.Array:
		if len(o) < 2 || depth > 8 {
			return
		}
		kind, _ := c.deref(o[0]).(types.Name)
		switch kind {
		case "Indexed", "Pattern":
			c.used(o[1], resources, depth+1)
		case "Separation", "DeviceN":
			if len(o) > 2 {
				c.used(o[2], resources, depth+1)
			}
		}
	}
}

// device looks whether a device's own colours have an output intent that says what they are.
func (c *checker) device(o types.Object) {
	n, ok := o.(types.Name)
	if !ok {
		return
	}
	intent := c.intent()
	switch {
	case (n == "DeviceRGB" || n == "RGB") && intent != "RGB ",
		(n == "DeviceCMYK" || n == "CMYK") && intent != "CMYK",
		(n == "DeviceGray" || n == "G") && intent == "":
		c.say("6.2.3.3", "6.2.4.3", "%s has no output intent", n)
	}
}
