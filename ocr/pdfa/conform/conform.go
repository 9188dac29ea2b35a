// Package conform says where a PDF breaks the rules of PDF/A-1b (ISO 19005-1) or PDF/A-2b (ISO 19005-2): those rules that files
// of this project can touch. In go bytes, out come findings with the clause of the standard; none means that nothing was found,
// which is no certificate. TestCorpus measures it against veraPDF's own files.
package conform

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"slices"

	"github.com/pdfcpu/pdfcpu/pkg/api"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/model"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/types"

	"motcua/ocr/pdfa"
)

// Finding is one broken rule.
type Finding struct {
	Clause string // of ISO 19005-1 or -2, such as "6.1.3"
	Text   string
}

// String is "clause: what is wrong".
func (f Finding) String() string { return f.Clause + ": " + f.Text }

// checker goes through one file.
type checker struct {
	level   pdfa.Level
	data    []byte
	ctx     *model.Context
	out     []Finding
	within  []types.Object // the content streams being gone through, so that none is looked at inside itself
	shownIn []*typeface
	live    map[int64]bool // where the objects of the cross-reference table begin
}

// Check looks for broken rules. It fails where the file cannot be read at all.
func Check(pdf []byte, level pdfa.Level) (found []Finding, err error) {
	c := &checker{level: level, data: pdf, live: map[int64]bool{}}
	defer func() {
		if r := recover(); r != nil { // pdfcpu on odd files
			found, err = c.out, errors.New("read PDF: its structure is damaged")
		}
	}()
	c.file()
	api.DisableConfigDir()
	conf := model.NewDefaultConfiguration()
	conf.ValidationMode = model.ValidationRelaxed
	if c.ctx, err = api.ReadContext(bytes.NewReader(pdf), conf); err != nil {
		return c.out, fmt.Errorf("read PDF: %w", err)
	}
	root, err := c.ctx.Catalog()
	if err != nil {
		return c.out, fmt.Errorf("read PDF: %w", err)
	}
	for _, e := range c.ctx.Table {
		if e != nil && !e.Free && e.Offset != nil {
			c.live[*e.Offset] = true
		}
	}
	c.bodies()
	c.catalog(root)
	c.objects()
	c.pages()
	return c.out, nil
}

// say notes a broken rule; the clauses are those of the two parts, "" where a part has no such rule.
func (c *checker) say(one, two, format string, args ...any) {
	clause := two
	if c.level == pdfa.A1b {
		clause = one
	}
	f := Finding{clause, fmt.Sprintf(format, args...)}
	if clause != "" && !slices.Contains(c.out, f) {
		c.out = append(c.out, f)
	}
}

func (c *checker) one() bool { return c.level == pdfa.A1b }

// deref is an object itself, nil where there is none.
func (c *checker) deref(o types.Object) types.Object {
	o, err := c.ctx.Dereference(o)
	if err != nil {
		return nil
	}
	return o
}

// get is the entry of a dictionary itself.
func (c *checker) get(d types.Dict, key string) types.Object {
	o, found := d.Find(key)
	if !found {
		return nil
	}
	return c.deref(o)
}

func (c *checker) dict(d types.Dict, key string) types.Dict {
	switch o := c.get(d, key).(type) {
	case types.Dict:
		return o
	case types.StreamDict:
		return o.Dict
	}
	return nil
}

func (c *checker) array(d types.Dict, key string) types.Array {
	a, _ := c.get(d, key).(types.Array)
	return a
}

func (c *checker) name(d types.Dict, key string) string {
	n, _ := c.get(d, key).(types.Name)
	return string(n)
}

// stream is the decoded content of a stream.
func (c *checker) stream(o types.Object) (types.StreamDict, []byte, bool) {
	s, ok := c.deref(o).(types.StreamDict)
	if !ok {
		return s, nil, false
	}
	if len(s.FilterPipeline) == 0 {
		return s, s.Raw, true
	}
	if err := s.Decode(); err != nil {
		return s, nil, true
	}
	return s, s.Content, true
}

// catalog looks at what the whole file has.
func (c *checker) catalog(root types.Dict) {
	c.metadata(root)
	c.intents(root)
	if form := c.dict(root, "AcroForm"); form != nil {
		if b, ok := c.get(form, "NeedAppearances").(types.Boolean); ok && bool(b) {
			c.say("6.9", "6.4.1", "a form's appearances are left to the reader")
		}
		if _, found := form.Find("XFA"); found {
			c.say("", "6.4.2", "a form is XFA")
		}
		for _, o := range c.array(form, "Fields") {
			if field, ok := c.deref(o).(types.Dict); ok {
				c.field(field, 0)
			}
		}
	}
	if _, found := root.Find("NeedsRendering"); found && !c.one() {
		c.say("", "6.4.2", "the catalog has NeedsRendering")
	}
	if _, found := root.Find("AA"); found {
		c.say("6.6.2", "6.5.2", "the catalog has additional actions")
	}
	c.permissions(c.dict(root, "Perms"))
	if oc := c.dict(root, "OCProperties"); oc != nil {
		c.say("6.1.13", "", "there are optional contents")
		c.optional(oc)
	}
	if names := c.dict(root, "Names"); names != nil {
		if _, found := names.Find("EmbeddedFiles"); found && c.one() {
			c.say("6.1.11", "", "files are embedded")
		}
		if _, found := names.Find("AlternatePresentations"); found {
			c.say("", "6.10", "there are alternate presentations")
		}
		if _, found := names.Find("JavaScript"); found {
			c.say("6.6.1", "6.5.1", "there are scripts")
		}
	}
	if _, found := root.Find("Requirements"); found {
		c.say("", "6.11", "the catalog has requirements")
	}
}

// permissions looks at what a file says that may be done with it (ISO 19005-2, 6.1.12).
func (c *checker) permissions(perms types.Dict) {
	for k := range perms {
		if k != "UR3" && k != "DocMDP" {
			c.say("", "6.1.12", "there are permissions of the kind %.20s", k)
		}
	}
	if perms["DocMDP"] == nil {
		return
	}
	for _, o := range c.array(c.dict(perms, "DocMDP"), "Reference") {
		ref, _ := c.deref(o).(types.Dict)
		for _, k := range []string{"DigestLocation", "DigestMethod", "DigestValue"} {
			if _, found := ref.Find(k); found {
				c.say("", "6.1.12", "a signature's reference has a digest of its own")
			}
		}
	}
}

// field looks at a form field and those below it.
func (c *checker) field(d types.Dict, depth int) {
	if _, found := d.Find("AA"); found {
		c.say("6.6.2", "6.4.1", "a form field has additional actions")
	}
	if _, found := d.Find("A"); found && !c.one() {
		c.say("", "6.4.1", "a form field has an action")
	}
	for _, o := range c.array(d, "Kids") {
		if kid, ok := c.deref(o).(types.Dict); ok && depth < 50 {
			c.field(kid, depth+1)
		}
	}
}

// optional looks at optional content configurations (ISO 19005-2, 6.9).
func (c *checker) optional(oc types.Dict) {
	configs := []types.Dict{c.dict(oc, "D")}
	for _, o := range c.array(oc, "Configs") {
		if d, ok := c.deref(o).(types.Dict); ok {
			configs = append(configs, d)
		}
	}
	seen := map[string]bool{}
	for _, d := range configs {
		if d == nil {
			continue
		}
		n := ""
		if o := c.get(d, "Name"); o != nil {
			n = o.PDFString()
		}
		if n == "" || seen[n] {
			c.say("", "6.9", "an optional content configuration has no name of its own")
		}
		seen[n] = true
		if _, found := d.Find("AS"); found {
			c.say("", "6.9", "an optional content configuration has AS")
		}
	}
}

// registered are printing conditions of the ICC's Characterization Data Registry.
var registered = regexp.MustCompile(`CGATS|FOGRA|IFRA|JC\d|JCN|JCW|EUROSB|PSR|SWOP|GRACoL|SNAP`)

// intents looks at output intents and remembers what colours they allow.
func (c *checker) intents(root types.Dict) {
	var profile types.Object
	for _, o := range c.array(root, "OutputIntents") {
		d, ok := c.deref(o).(types.Dict)
		if !ok {
			continue
		}
		if _, found := d.Find("DestOutputProfileRef"); found && !c.one() {
			c.say("", "6.2.3", "an output intent refers to a profile elsewhere")
		}
		ref, found := d.Find("DestOutputProfile")
		if !found {
			if o := c.get(d, "OutputConditionIdentifier"); o != nil && c.name(d, "S") == "GTS_PDFA1" && !registered.MatchString(o.PDFString()) {
				c.say("6.2.2", "", "an output intent has neither a profile nor a condition that is registered")
			}
			continue
		}
		if profile != nil && ref != profile {
			c.say("6.2.2", "6.2.3", "two output intents have different profiles")
		}
		profile = ref
		if c.name(d, "S") == "GTS_PDFA1" || !c.one() {
			c.profile(ref, true)
		}
	}
}

// profile looks at an ICC profile.
func (c *checker) profile(o types.Object, output bool) {
	s, data, ok := c.stream(o)
	if !ok || len(data) < 132 || string(data[36:40]) != "acsp" {
		c.say("6.2.2", "6.2.3", "an output profile is no ICC profile")
		return
	}
	most := byte(4)
	if c.one() {
		most = 2
	}
	class, space := string(data[12:16]), string(data[16:20])
	n := s.IntEntry("N")
	comps := map[string]int{"RGB ": 3, "GRAY": 1, "CMYK": 4, "Lab ": 3}[space]
	if output {
		if data[8] > most || class != "prtr" && class != "mntr" || comps == 0 || space == "Lab " {
			c.say("6.2.2", "6.2.3", "an output profile is of version %d, class %s, colours %s", data[8], class, space)
		}
		return
	}
	if data[8] > most || !slices.Contains([]string{"prtr", "mntr", "scnr", "spac"}, class) || comps == 0 || n == nil || *n != comps {
		c.say("6.2.3.2", "6.2.4.2", "a profile of a colour space is of version %d, class %s, colours %s", data[8], class, space)
	}
}

// intent is the colour space of the PDF/A output intent, "" where there is none.
func (c *checker) intent() string {
	root, err := c.ctx.Catalog()
	if err != nil {
		return ""
	}
	for _, o := range c.array(root, "OutputIntents") {
		d, ok := c.deref(o).(types.Dict)
		if !ok || c.name(d, "S") != "GTS_PDFA1" {
			continue
		}
		if ref, found := d.Find("DestOutputProfile"); found {
			if _, data, ok := c.stream(ref); ok && len(data) > 20 {
				return string(data[16:20])
			}
		}
	}
	return ""
}
