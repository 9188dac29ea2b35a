package conform

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"regexp"
	"slices"
	"strings"
	"unicode/utf16"

	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/types"
)

// Namespaces of XMP that are judged here.
const (
	nsRDF       = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
	nsDC        = "http://purl.org/dc/elements/1.1/"
	nsXMP       = "http://ns.adobe.com/xap/1.0/"
	nsPDF       = "http://ns.adobe.com/pdf/1.3/"
	nsPDFAID    = "http://www.aiim.org/pdfa/ns/id/"
	nsExtension = "http://www.aiim.org/pdfa/ns/extension/"
	nsSchema    = "http://www.aiim.org/pdfa/ns/schema#"
	nsProperty  = "http://www.aiim.org/pdfa/ns/property#"
	nsField     = "http://www.aiim.org/pdfa/ns/field#"
	nsType      = "http://www.aiim.org/pdfa/ns/type#"
	nsXML       = "http://www.w3.org/XML/1998/namespace"
)

// predefined are the schemas that our files use, with the types of their properties (XMP specification, September 2005).
var predefined = map[string]map[string]string{
	nsDC: {"contributor": "bag Text", "coverage": "Text", "creator": "seq Text", "date": "seq Date", "description": "Lang Alt",
		"format": "Text", "identifier": "Text",
		"language": "bag Text", "publisher": "bag Text", "relation": "bag Text", "rights": "Lang Alt", "source": "Text", "subject": "bag Text",
		"title": "Lang Alt", "type": "bag Text"},
	nsXMP: {"Advisory": "bag Text", "BaseURL": "Text", "CreateDate": "Date", "CreatorTool": "Text", "Identifier": "bag Text", "Label": "Text",
		"MetadataDate": "Date",
		"ModifyDate":   "Date", "Nickname": "Text", "Rating": "Real", "Thumbnails": "alt any"},
	nsPDF:    {"Keywords": "Text", "PDFVersion": "Text", "Producer": "Text"},
	nsPDFAID: {"part": "Integer", "amd": "Text", "corr": "Text", "conformance": "Text"},
}

// node is an element of the packet.
type node struct {
	name  xml.Name
	attrs []xml.Attr
	kids  []*node
	text  string
}

func (n *node) attr(space, local string) string {
	for _, a := range n.attrs {
		if a.Name.Space == space && a.Name.Local == local {
			return a.Value
		}
	}
	return ""
}

func (n *node) child(space, local string) *node {
	for _, k := range n.kids {
		if k.name == (xml.Name{Space: space, Local: local}) {
			return k
		}
	}
	return nil
}

// parsed reads XML into nodes.
func parsed(data []byte) (*node, error) {
	d := xml.NewDecoder(bytes.NewReader(data))
	root := &node{}
	stack := []*node{root}
	for {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		top := stack[len(stack)-1]
		switch t := t.(type) {
		case xml.StartElement:
			k := &node{name: t.Name, attrs: slices.Clone(t.Attr)}
			top.kids = append(top.kids, k)
			stack = append(stack, k)
		case xml.EndElement:
			stack = stack[:len(stack)-1]
		case xml.CharData:
			top.text += string(t)
		}
	}
	return root, nil
}

// find gives the first element of a name, at any depth.
func (n *node) find(space, local string) *node {
	if n.name == (xml.Name{Space: space, Local: local}) {
		return n
	}
	for _, k := range n.kids {
		if f := k.find(space, local); f != nil {
			return f
		}
	}
	return nil
}

// packet is what an XMP packet says: its properties by namespace and name.
type packet map[xml.Name]*node

var oddHeader = regexp.MustCompile(`<\?xpacket[^>]*\b(bytes|encoding)\s*=`)

func (c *checker) metadata(root types.Dict) {
	s, data, ok := c.stream(root["Metadata"])
	if !ok {
		c.say("6.7.2", "6.6.2.1", "the catalog has no metadata")
		return
	}
	if c.one() && len(s.FilterPipeline) > 0 {
		c.say("6.7.2", "", "the metadata is packed")
	}
	if oddHeader.Match(data) {
		c.say("6.7.5", "6.6.2.1", "the packet's header has bytes or encoding")
	}
	data = plainXML(data)
	doc, err := parsed(data)
	if err != nil {
		c.say("6.7.9", "6.6.2.1", "the metadata is not well formed")
		return
	}
	rdf := doc.find(nsRDF, "RDF")
	if rdf == nil {
		c.say("6.7.9", "6.6.2.1", "the metadata has no RDF")
		return
	}
	p := properties(rdf)
	c.identification(p, data)
	c.prefixes(data)
	c.described(p, c.extensions(p))
	if c.one() {
		c.information(p)
	}
}

var bound = regexp.MustCompile(`xmlns:([^\s=]+)\s*=\s*["']([^"']+)["']`)

// prefixes looks at what the namespaces of described schemas are called; their names are prescribed.
func (c *checker) prefixes(data []byte) {
	called := map[string]string{nsExtension: "pdfaExtension", nsSchema: "pdfaSchema", nsProperty: "pdfaProperty", nsType: "pdfaType",
		nsField: "pdfaField"}
	for _, m := range bound.FindAllSubmatch(data, -1) {
		if want := called[string(m[2])]; want != "" && want != string(m[1]) {
			c.say("6.7.8", "6.6.2.3.3", "the namespace %s has another prefix", want)
		}
	}
}

// properties are those of all descriptions.
func properties(rdf *node) packet {
	p := packet{}
	for _, d := range rdf.kids {
		for _, a := range d.attrs {
			if a.Name.Space != nsRDF && a.Name.Space != "xmlns" && a.Name.Local != "xmlns" && a.Name.Space != nsXML {
				p[a.Name] = &node{name: a.Name, text: a.Value}
			}
		}
		for _, k := range d.kids {
			p[k.name] = k
		}
	}
	return p
}

// described looks for each property in the schema of its own.
func (c *checker) described(p packet, own map[xml.Name]string) {
	for name, n := range p {
		if table, known := predefined[name.Space]; known {
			want, found := table[name.Local]
			later := (name.Local == "Label" || name.Local == "Rating") && name.Space == nsXMP || name.Local == "corr" && name.Space == nsPDFAID
			if !found || c.one() && later {
				c.say("6.7.9", "6.6.2.3.1", "there is no property %s in its schema", name.Local)
			} else if !n.is(want) {
				c.say("6.7.9", "6.6.2.3.1", "the property %s is no %s", name.Local, want)
			}
			continue
		}
		if name.Space == nsExtension || elsewhere(name.Space) {
			continue
		}
		want, described := own[name]
		switch {
		case !described:
			c.say("6.7.9", "6.6.2.3.1", "the property %s is described nowhere", name.Local)
		case !n.is(want):
			c.say("6.7.9", "6.6.2.3.1", "the property %s is no %s", name.Local, want)
		}
	}
}

// plainXML brings a packet to UTF-8, without what stands before it.
func plainXML(data []byte) []byte {
	// UTF-32
	if wide := len(data) > 8 && len(data)%4 == 0; wide && (bytes.HasPrefix(data, []byte{0, 0}) || bytes.Equal(data[2:4], []byte{0, 0})) {
		big := data[0] == 0 && data[1] == 0
		var text []rune
		for i := 0; i < len(data); i += 4 {
			r := rune(data[i])<<24 | rune(data[i+1])<<16 | rune(data[i+2])<<8 | rune(data[i+3])
			if !big {
				r = rune(data[i+3])<<24 | rune(data[i+2])<<16 | rune(data[i+1])<<8 | rune(data[i])
			}
			text = append(text, r)
		}
		data = []byte(string(text))
	}
	if len(data) > 2 && (data[0] == 0xFE && data[1] == 0xFF || data[0] == 0xFF && data[1] == 0xFE || data[0] == 0 || data[1] == 0) {
		big := data[0] == 0xFE || data[0] == 0
		var units []uint16
		for i := 0; i+1 < len(data); i += 2 {
			a, b := uint16(data[i]), uint16(data[i+1])
			if !big {
				a, b = b, a
			}
			units = append(units, a<<8|b)
		}
		data = []byte(string(utf16.Decode(units)))
	}
	return bytes.TrimPrefix(bytes.TrimSpace(data), []byte("\xEF\xBB\xBF"))
}

// elsewhere says whether a namespace is one of XMP's own that is not judged here.
func elsewhere(ns string) bool {
	return strings.HasPrefix(ns, "http://ns.adobe.com/") || strings.HasPrefix(ns, "http://ns.useplus.org/") ||
		strings.HasPrefix(ns, "http://iptc.org/")
}

// identification looks for the part and the level that the file claims.
func (c *checker) identification(p packet, data []byte) {
	part, level := p[xml.Name{Space: nsPDFAID, Local: "part"}], p[xml.Name{Space: nsPDFAID, Local: "conformance"}]
	want := string(c.level[:1])
	switch {
	case part == nil || level == nil:
		c.say("6.7.11", "6.6.4", "the metadata does not say which part and level")
	case strings.TrimSpace(part.text) != want:
		c.say("6.7.11", "6.6.4", "the metadata says part %.8s", part.text)
	case !slices.Contains([]string{"A", "B", "U"}, level.text) || c.one() && level.text == "U":
		c.say("6.7.11", "6.6.4", "the metadata says level %.8s", level.text)
	}
	if !bytes.Contains(data, []byte("xmlns:pdfaid")) {
		c.say("6.7.11", "6.6.4", "the identification has another prefix")
	}
}

var (
	dates    = regexp.MustCompile(`^\d{4}(-\d\d(-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?)?)?)?$`)
	integers = regexp.MustCompile(`^[+-]?\d+$`)
	reals    = regexp.MustCompile(`^[+-]?(\d+\.?\d*|\.\d+)$`)
)

// each says whether all items of a container are of a type.
func (n *node) each(inner string) bool {
	return inner == "any" || !slices.ContainsFunc(n.kids, func(li *node) bool { return !li.is(inner) })
}

// is says whether a property has a type of XMP.
func (n *node) is(want string) bool {
	if n.child(nsRDF, "value") != nil { // qualified
		n = n.child(nsRDF, "value")
	} else if d := n.child(nsRDF, "Description"); d != nil && d.child(nsRDF, "value") != nil {
		n = d.child(nsRDF, "value")
	}
	container := ""
	for _, k := range n.kids {
		if k.name.Space == nsRDF && slices.Contains([]string{"Alt", "Bag", "Seq"}, k.name.Local) {
			container = strings.ToLower(k.name.Local)
		}
	}
	kind, inner, several := strings.Cut(strings.ToLower(want[:min(4, len(want))])+want[min(4, len(want)):], " ")
	switch {
	case want == "Lang Alt":
		return container == "alt" && !slices.ContainsFunc(n.child(nsRDF, "Alt").kids, func(li *node) bool { return li.attr(nsXML, "lang") == "" })
	case several && slices.Contains([]string{"bag", "seq", "alt"}, kind):
		return container == kind && !slices.ContainsFunc(n.kids, func(box *node) bool { return !box.each(inner) })
	}
	if container != "" || len(n.kids) > 0 || n.attr(nsRDF, "parseType") == "Resource" {
		return !slices.Contains(simple, want)
	}
	text := n.text
	switch want {
	case "Date":
		return dates.MatchString(text)
	case "Integer":
		return integers.MatchString(text)
	case "Real":
		return reals.MatchString(text)
	case "Boolean":
		return text == "True" || text == "False"
	}
	return slices.Contains(simple, want)
}

// simple are the types that are one text.
var simple = []string{"Text", "Date", "Integer", "Real", "Boolean", "URI", "URL", "ProperName", "AgentName", "MIMEType", "Locale",
	"RenditionClass", "GUID", "XPath", "Rational", "Choice"}

// extensions reads the schemas that a file describes itself.
func (c *checker) extensions(p packet) map[xml.Name]string {
	own := map[xml.Name]string{}
	schemas := p[xml.Name{Space: nsExtension, Local: "schemas"}]
	if schemas == nil {
		return own
	}
	bag := schemas.child(nsRDF, "Bag")
	if bag == nil {
		c.say("6.7.8", "6.6.2.3.3", "the schemas are no bag")
		return own
	}
	for _, li := range bag.kids {
		li = li.described()
		space := li.child(nsSchema, "namespaceURI")
		for _, field := range []string{"schema", "namespaceURI", "prefix"} {
			if f := li.field(nsSchema, field); f == nil || !f.is("Text") {
				c.say("6.7.8", "6.6.2.3.3", "a schema has no %s", field)
			}
		}
		if space == nil {
			space = li.field(nsSchema, "namespaceURI")
		}
		known := c.valueTypes(li)
		properties := li.child(nsSchema, "property")
		if properties == nil {
			continue
		}
		seq := properties.child(nsRDF, "Seq")
		if seq == nil {
			c.say("6.7.8", "6.6.2.3.3", "a schema's properties are no sequence")
			continue
		}
		for _, one := range seq.kids {
			one = one.described()
			name, kind := c.property(one, known)
			if space != nil && name != "" {
				own[xml.Name{Space: space.text, Local: name}] = kind
			}
		}
	}
	return own
}

// described is the node itself, or the description that RDF lets stand within it.
func (n *node) described() *node {
	if d := n.child(nsRDF, "Description"); d != nil {
		return d
	}
	return n
}

// field is a field of a structure, given as an element or as an attribute.
func (n *node) field(space, local string) *node {
	if f := n.child(space, local); f != nil {
		return f
	}
	if v := n.attr(space, local); v != "" {
		return &node{text: v}
	}
	return nil
}

func (c *checker) property(n *node, known []string) (name, kind string) {
	for _, field := range []string{"name", "valueType", "category", "description"} {
		f := n.field(nsProperty, field)
		if f == nil || !f.is("Text") {
			c.say("6.7.8", "6.6.2.3.3", "a property has no %s", field)
			continue
		}
		switch field {
		case "name":
			name = f.text
		case "valueType":
			kind = f.text
			base := kind[strings.LastIndexByte(kind, ' ')+1:]
			if !slices.Contains(simple, base) && base != "Alt" && !slices.Contains(known, base) && !slices.Contains(structures, base) {
				c.say("6.7.8", "6.6.2.3.3", "there is no type %.20s", kind)
			}
		case "category":
			if f.text != "internal" && f.text != "external" {
				c.say("6.7.8", "6.6.2.3.3", "there is no category %.20s", f.text)
			}
		}
	}
	return name, kind
}

// structures are XMP's own.
var structures = strings.Fields("Dimensions Font Colorant Thumbnail ResourceEvent ResourceRef Version Job Flash OECF/SFR CFAPattern " +
	"DeviceSettings Time Timecode Media Marker Track")

// valueTypes reads the types that a schema describes.
func (c *checker) valueTypes(schema *node) []string {
	types := schema.child(nsSchema, "valueType")
	if types == nil {
		return nil
	}
	seq := types.child(nsRDF, "Seq")
	if seq == nil {
		c.say("6.7.8", "6.6.2.3.3", "a schema's types are no sequence")
		return nil
	}
	var out []string
	for _, li := range seq.kids {
		for _, field := range []string{"type", "namespaceURI", "prefix", "description"} {
			f := li.field(nsType, field)
			if f == nil || !f.is("Text") {
				c.say("6.7.8", "6.6.2.3.3", "a type has no %s", field)
			} else if field == "type" {
				out = append(out, f.text)
			}
		}
		c.typeFields(li)
	}
	return out
}

// typeFields looks at what a described type consists of.
func (c *checker) typeFields(one *node) {
	one = one.described()
	fields := one.child(nsType, "field")
	if fields == nil {
		c.say("", "6.6.2.3.3", "a type has no fields")
		return
	}
	seq := fields.child(nsRDF, "Seq")
	if seq == nil {
		c.say("6.7.8", "6.6.2.3.3", "a type's fields are no sequence")
		return
	}
	for _, li := range seq.kids {
		li = li.described()
		for _, field := range []string{"name", "valueType", "description"} {
			if f := li.field(nsField, field); f == nil || !f.is("Text") {
				c.say("6.7.8", "6.6.2.3.3", "a field of a type has no %s", field)
			}
		}
	}
}

// information holds the document information against the packet (ISO 19005-1, 6.7.3).
func (c *checker) information(p packet) {
	if c.ctx.Info == nil {
		return
	}
	info, err := c.ctx.DereferenceDict(*c.ctx.Info)
	if err != nil || info == nil {
		return
	}
	for key, name := range map[string]xml.Name{"Title": {Space: nsDC, Local: "title"}, "Author": {Space: nsDC, Local: "creator"},
		"Subject": {Space: nsDC, Local: "description"}, "Keywords": {Space: nsPDF, Local: "Keywords"},
		"Creator": {Space: nsXMP, Local: "CreatorTool"}, "Producer": {Space: nsPDF, Local: "Producer"},
		"CreationDate": {Space: nsXMP, Local: "CreateDate"}, "ModDate": {Space: nsXMP, Local: "ModifyDate"}} {
		o := c.get(info, key)
		if o == nil {
			continue
		}
		text, err := c.ctx.DereferenceStringOrHexLiteral(o, 0, nil)
		if err != nil {
			c.say("6.7.3", "", "the document information has a %s that is no text", key)
			continue
		}
		n := p[name]
		if n == nil || !agrees(key, text, n) {
			c.say("6.7.3", "", "the metadata says otherwise than the document information of its %s", key)
		}
	}
}

func agrees(key, text string, n *node) bool {
	said := n.text
	for _, box := range n.kids {
		if box.name.Space != nsRDF {
			continue
		}
		if box.name.Local == "Seq" && len(box.kids) != 1 {
			return false
		}
		for i, li := range box.kids {
			if i == 0 || li.attr(nsXML, "lang") == "x-default" {
				said = li.text
			}
		}
	}
	if strings.HasSuffix(key, "Date") {
		return strings.HasPrefix(text, "D:") && moment(text) == moment(said)
	}
	return strings.TrimRight(text, "\x00") == said
}

var digitsOnly = regexp.MustCompile(`\d`)

// moment is a date in either spelling as its digits, to the second, with its zone.
func moment(s string) string {
	zone := "Z"
	if i := strings.LastIndexAny(s, "+-"); i > 9 {
		zone = string(s[i]) + strings.Join(digitsOnly.FindAllString(s[i:], -1), "")
		s = s[:i]
	}
	if zone == "+0000" || zone == "-0000" || zone == "+00" || zone == "-00" {
		zone = "Z"
	}
	d := strings.Join(digitsOnly.FindAllString(s, -1), "")
	return d[:min(14, len(d))] + zone
}
