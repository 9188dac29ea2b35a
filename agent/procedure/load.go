package procedure

import (
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"motcua/agent/address"
	"motcua/agent/strict"
	"motcua/ocr/kinds"
	"motcua/ocr/paper"
)

// Catalog is all procedures a kiosk offers, in the order of topic and code.
type Catalog struct {
	All []*Procedure
}

// Get gives a procedure by its code; "2.000815" and "2.000815.000.00.00.H26" are the same one.
func (c *Catalog) Get(code string) (*Procedure, error) {
	short := code
	if parts := strings.SplitN(code, ".", 3); len(parts) == 3 {
		short = parts[0] + "." + parts[1]
	}
	for _, p := range c.All {
		if p.Code == code || p.Code == short {
			return p, nil
		}
	}
	return nil, &UnknownError{Code: code, Near: c.near(code)}
}

// Use lets the procedures fill addresses as they are today.
func (c *Catalog) Use(units *address.Table) {
	for _, p := range c.All {
		p.units = units
	}
}

// UnknownError is a code that is not in the catalogue.
type UnknownError struct {
	Code string
	Near []*Procedure // what may have been meant; all procedures where nothing is near
}

func (e *UnknownError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "procedure %q is not known; nearest are:", e.Code)
	for _, p := range e.Near {
		fmt.Fprintf(&b, "\n  %-9s  %s", p.Code, p.Name.VI)
	}
	return b.String()
}

func (c *Catalog) near(code string) []*Procedure {
	codes := make([]string, len(c.All))
	for i, p := range c.All {
		codes[i] = p.Code
	}
	var near []*Procedure
	for _, k := range strict.Near(code, codes, 3) {
		near = append(near, c.All[slices.Index(codes, k)])
	}
	if len(near) == 0 {
		return c.All
	}
	return near
}

// FormPrefix begins the names of the files beside the procedures that lay out official forms (see agent/form).
const FormPrefix = "form."

// Load reads every *.yaml file of a folder but the layouts of forms. All mistakes of all files come back at once, as
// strict.Problems.
func Load(fsys fs.FS) (*Catalog, error) { return load(fsys, false) }

// Check is Load with the rules that came after files were in the field: those still load, new ones are held to
// them. A name behind `from:` that nothing is ever read under would leave its field empty for ever.
func Check(fsys fs.FS) (*Catalog, error) { return load(fsys, true) }

func load(fsys fs.FS, all bool) (*Catalog, error) {
	names, err := fs.Glob(fsys, "*.yaml")
	if err != nil {
		return nil, fmt.Errorf("list procedures: %w", err)
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("no procedure in the folder: it needs at least one *.yaml file")
	}
	var problems strict.Problems
	catalog := &Catalog{}
	from := map[string]string{}
	for _, name := range names {
		if strings.HasPrefix(path.Base(name), FormPrefix) {
			continue
		}
		data, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, fmt.Errorf("read procedure: %w", err)
		}
		p := &Procedure{}
		file := strict.Decode(name, data, p)
		p.expand(file)
		p.examine(file)
		if all {
			p.checkNames(file)
		}
		if other := from[p.Code]; other != "" {
			file.Problem("code", "%q is also the code of %s", p.Code, other)
		} else if p.Code != "" && p.Code != strings.TrimSuffix(path.Base(name), ".yaml") {
			file.Problem("code", "the file must be named %s.yaml, after its code", p.Code)
		}
		from[p.Code] = name
		problems = append(problems, file.Problems()...)
		catalog.All = append(catalog.All, p)
	}
	if err := problems.Err(); err != nil {
		return nil, err
	}
	slices.SortStableFunc(catalog.All, func(a, b *Procedure) int {
		if a.Topic != b.Topic {
			return slices.Index(Topics, a.Topic) - slices.Index(Topics, b.Topic)
		}
		return strings.Compare(a.Code, b.Code)
	})
	return catalog, nil
}

var (
	codeForm = regexp.MustCompile(`^[0-9]\.[0-9]{6}$`)
	idForm   = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
	known    = kinds.IDs()
)

// examine checks what the YAML's shape alone cannot say, and prepares patterns.
func (p *Procedure) examine(f *strict.File) {
	x := &examination{p: p, File: f, ids: map[string]bool{}}
	if !codeForm.MatchString(p.Code) {
		f.Problem("code", "must look like 2.000815, not %q", p.Code)
	}
	x.both("name", p.Name)
	x.both("plain", p.Plain)
	x.both("summary", p.Summary)
	x.both("time", p.Time)
	if p.Topic == "" && !f.Has("topic") { // else it was told already what is wrong with it
		f.Problem("topic", "is missing: one of %v", Topics)
	}
	if p.Level == "" && !f.Has("level") {
		f.Problem("level", "is missing: %q or %q", Full, Partial)
	}
	p.Fee.examine(f, x.either)
	x.roles()
	x.papers()
	x.fields()
}

// examination is a file of a procedure that is being judged.
type examination struct {
	*strict.File
	p   *Procedure
	ids map[string]bool // used so far, with the list's name before each
}

// both demands a text in both languages.
func (x *examination) both(path string, t Text) {
	if t.VI == "" {
		x.Problem(path, "needs a Vietnamese text: vi")
	}
	if t.EN == "" {
		x.Problem(path, "needs an English text: en")
	}
}

// either demands a text in both languages or none.
func (x *examination) either(path string, t Text) {
	if t != (Text{}) {
		x.both(path, t)
	}
}

// unique demands an id that no other entry of the same list has.
func (x *examination) unique(path, id string) {
	list := path[:strings.IndexByte(path, '[')]
	switch {
	case !idForm.MatchString(id):
		x.Problem(path, "needs an id of small letters, digits and _, not %q", id)
	case x.ids[list+id]:
		x.Problem(path+".id", "%q is used twice", id)
	}
	x.ids[list+id] = true
}

func (x *examination) kinds(path string, ks []paper.Kind) {
	for i, k := range ks {
		if !slices.Contains(known, k) {
			x.Problem(fmt.Sprintf("%s[%d]", path, i), "is not a kind of paper; known are %v", known)
		}
	}
}

// role demands that a role is one of the procedure's.
func (x *examination) role(path, id string) {
	if _, ok := x.p.Role(id); !ok && id != "" {
		x.Problem(path, "%q is not one of the roles of this procedure", id)
	}
}

func (x *examination) roles() {
	if len(x.p.Roles) == 0 {
		x.Problem("roles", "at least one role is needed: who asks for it?")
	}
	for i, r := range x.p.Roles {
		at := fmt.Sprintf("roles[%d]", i)
		x.unique(at, r.ID)
		x.both(at+".name", r.Name)
		x.kinds(at+".papers", r.Papers)
		if r.Sex != "" && r.Sex != "Nam" && r.Sex != "Nữ" {
			x.Problem(at+".sex", "must be Nam or Nữ, not %q", r.Sex)
		}
		if r.Same == nil {
			continue
		}
		roles, when := r.Same.roles(), r.Same.When
		for _, id := range roles {
			x.role(at+".same.role", id)
		}
		if len(roles) > 1 && (when.Op != Is || len(when.Values) != len(roles)) {
			x.Problem(at+".same.when", "must name an answer for each of the %d roles, such as relation=mother|father", len(roles))
		}
		x.p.answers(when, at+".same.when", x.File)
	}
}

func (x *examination) papers() {
	for i, d := range x.p.Papers {
		at := fmt.Sprintf("papers[%d]", i)
		x.unique(at, d.ID)
		x.both(at+".name", d.Name)
		x.either(at+".hint", d.Hint)
		x.kinds(at+".kinds", d.Kinds)
		x.role(at+".role", d.Role)
		for k, w := range d.Ways {
			w.examine(fmt.Sprintf("%s.ways[%d]", at, k), x.File)
		}
	}
}

func (x *examination) fields() {
	if len(x.p.Fields) == 0 {
		x.Problem("fields", "at least one field is needed")
	}
	for i := range x.p.Fields {
		field := &x.p.Fields[i]
		x.unique(field.at, field.ID)
		x.both(field.at+".label", field.Label)
		x.either(field.at+".hint", field.Hint)
		x.role(field.at+".group", field.Group)
		for k, s := range field.From {
			if s.Role != "" {
				x.role(fmt.Sprintf("%s.from[%d]", field.at, k), s.Role)
			}
		}
		field.examine(field.at, x.File, x.both)
		x.p.examineWhen(field, x.File)
	}
}

// Names lists what may stand behind a role in `from:`.
func Names() []string {
	var names []string
	for _, n := range append(paper.Names(), Kind, Issuer) {
		names = append(names, string(n))
	}
	return names
}

// checkNames checks that every source is something recognition can read.
func (p *Procedure) checkNames(f *strict.File) {
	known := Names()
	for i := range p.Fields {
		for k, s := range p.Fields[i].From {
			if s.Field != "" && !slices.Contains(known, string(s.Field)) {
				f.Problem(fmt.Sprintf("%s.from[%d]", p.Fields[i].at, k), "%q is nothing that is read from papers%s", s.Field,
					strict.Meant(string(s.Field), known))
			}
		}
	}
}

func (fee Fee) examine(f *strict.File, either func(string, Text)) {
	either("fee.note", fee.Note)
	if fee.Flat < 0 || fee.Copy < 0 || fee.Cap < 0 {
		f.Problem("fee", "must not be negative")
	}
	last := 0
	for i, s := range fee.Pages {
		at := fmt.Sprintf("fee.pages[%d]", i)
		if s.Each <= 0 {
			f.Problem(at, "needs each: the price of a page in đồng")
		}
		if s.UpTo == 0 && i < len(fee.Pages)-1 {
			f.Problem(at, "needs up_to: only the last step may be without an end")
		}
		if s.UpTo != 0 && s.UpTo <= last {
			f.Problem(at+".up_to", "must be greater than the step before it")
		}
		last = s.UpTo
	}
}

func (field *Field) examine(at string, f *strict.File, both func(string, Text)) {
	if field.Type == "" && !f.Has(at+".type") { // a wrong one has been told
		f.Problem(at, "needs a type")
	}
	if field.Pattern != "" {
		pattern, err := regexp.Compile("^(?:" + field.Pattern + ")$")
		if err != nil {
			f.Problem(at+".pattern", "is not a regular expression: %v", err)
		}
		field.pattern = pattern
	}
	if (field.Type == Choice) != (len(field.Choices) > 0) {
		f.Problem(at, "choices and type: choice belong together")
	}
	for i, o := range field.Choices {
		both(fmt.Sprintf("%s.choices[%d].label", at, i), o.Label)
		if o.Value == "" {
			f.Problem(fmt.Sprintf("%s.choices[%d]", at, i), "needs a value")
		}
	}
	if len(field.Columns) > 0 && field.Type != Lines {
		f.Problem(at+".columns", "are for a field of type: lines")
	}
	if field.MaxLength != 0 && field.MaxLength < field.MinLength {
		f.Problem(at+".max_length", "must not be less than min_length")
	}
	if field.Max != 0 && field.Max < field.Min {
		f.Problem(at+".max", "must not be less than min")
	}
	if field.Type != Integer && (field.Min != 0 || field.Max != 0) {
		f.Problem(at, "min and max are for integers; for text take min_length and max_length")
	}
	if field.Default != "" {
		if code := field.check(field.Default, noClock); code != "" {
			f.Problem(at+".default", "does not fit its own field: %s", code)
		}
	}
}
