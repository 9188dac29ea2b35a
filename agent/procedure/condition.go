package procedure

import (
	"fmt"
	"slices"
	"strings"

	"motcua/agent/strict"
	"motcua/ocr/paper"
)

// Op is how a condition looks at a field.
type Op string

// The ways to look at a field.
const (
	Given  Op = ""   // "field": there is an answer
	Empty  Op = "!"  // "!field": there is none
	Is     Op = "="  // "field=a|b": the answer is one of these
	IsNone Op = "!=" // "field!=a|b": it is none of these
)

// Condition is what must hold of another answer for a field to be asked.
type Condition struct {
	Field  string
	Op     Op
	Values []string
}

// UnmarshalText reads "field", "!field", "field=a|b" or "field!=a|b".
func (c *Condition) UnmarshalText(text []byte) error {
	s := string(text)
	if field, values, ok := strings.Cut(s, "!="); ok {
		*c = Condition{strings.TrimSpace(field), IsNone, strings.Split(strings.TrimSpace(values), "|")}
	} else if field, values, ok := strings.Cut(s, "="); ok {
		*c = Condition{strings.TrimSpace(field), Is, strings.Split(strings.TrimSpace(values), "|")}
	} else if field, ok := strings.CutPrefix(s, "!"); ok {
		*c = Condition{Field: strings.TrimSpace(field), Op: Empty}
	} else {
		*c = Condition{Field: strings.TrimSpace(s)}
	}
	if !idForm.MatchString(c.Field) {
		return fmt.Errorf("must be written field, !field, field=a|b or field!=a|b, not %q", text)
	}
	return nil
}

// MarshalText is the inverse of UnmarshalText.
func (c Condition) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// String is the condition as procedures write it.
func (c Condition) String() string {
	switch c.Op {
	case Empty:
		return "!" + c.Field
	case Is, IsNone:
		return c.Field + string(c.Op) + strings.Join(c.Values, "|")
	}
	return c.Field
}

// not is the condition that holds where c does not.
func (c Condition) not() Condition {
	c.Op = map[Op]Op{Given: Empty, Empty: Given, Is: IsNone, IsNone: Is}[c.Op]
	return c
}

func (c Condition) holds(text string) bool {
	switch c.Op {
	case Empty:
		return text == ""
	case Is:
		return slices.Contains(c.Values, text)
	case IsNone:
		return !slices.Contains(c.Values, text)
	}
	return text != ""
}

// Asked tells whether a field is asked, given the other answers. The answer of a field that is itself not
// asked counts as none. What is only asked under answers other than some waits for a required one that is still to come: who asks for
// himself is not told first of all that another person's name is lacking.
func (p *Procedure) Asked(id string, values map[string]Answer) bool {
	return p.asked(id, values, len(p.Fields))
}

func (p *Procedure) asked(id string, values map[string]Answer, depth int) bool {
	f, ok := p.Field(id)
	if !ok || depth == 0 { // a circle of conditions is refused when the file is read
		return ok
	}
	for _, c := range f.When {
		text := ""
		asked := p.asked(c.Field, values, depth-1)
		if asked {
			text = values[c.Field].Text
		}
		other, _ := p.Field(c.Field) // it is there: the file was examined
		waits := c.Op == IsNone && text == "" && asked && other.Required
		if waits || !c.holds(text) {
			return false
		}
	}
	return true
}

// Holds tells whether a condition holds of the answers as they are.
func (p *Procedure) Holds(c Condition, values map[string]Answer) bool {
	return c.holds(values[c.Field].Text)
}

// Complete is the answers as they are handed in. What is not asked is left out, unless it is known without
// a doubt; a person who is another one of the procedure has that one's answers.
func (p *Procedure) Complete(values map[string]Answer) map[string]Answer {
	out := make(map[string]Answer, len(values))
	for i := range p.Fields {
		f := &p.Fields[i]
		v := values[f.ID]
		if p.Asked(f.ID, values) {
			out[f.ID] = v
			continue
		}
		if v.Review || v.Source == paper.User {
			v = Answer{Source: paper.User, Document: -1}
		}
		if same, ok := p.same(f, values); ok {
			v = same
		}
		out[f.ID] = v
	}
	return out
}

// same gives the answer of the person who stands for the person of f.
func (p *Procedure) same(f *Field, values map[string]Answer) (Answer, bool) {
	role, ok := p.Role(f.Group)
	if !ok || role.Same == nil {
		return Answer{}, false
	}
	standing, ok := role.Same.standing(values[role.Same.When.Field].Text)
	if !ok {
		return Answer{}, false
	}
	other := standing + strings.TrimPrefix(f.ID, role.ID)
	if _, ok := p.Field(other); !ok {
		return Answer{}, false
	}
	return values[other], true
}

// Required tells whether a field must be answered, given the other answers: always, or since its person stands for
// another one of whom the form must say it.
func (p *Procedure) Required(f *Field, values map[string]Answer) bool {
	if f.Required || f.Group == "" {
		return f.Required
	}
	part := strings.TrimPrefix(f.ID, f.Group)
	return slices.ContainsFunc(p.Roles, func(r Role) bool {
		if r.Same == nil {
			return false
		}
		standing, ok := r.Same.standing(values[r.Same.When.Field].Text)
		other, found := p.Field(r.ID + part)
		return ok && standing == f.Group && found && other.Required
	})
}

// examineWhen checks that conditions name other fields of the procedure, and answers these can have.
func (p *Procedure) examineWhen(field *Field, f *strict.File) {
	for _, c := range field.When {
		p.answers(c, field.at+".when", f)
		if p.leads(c.Field, field.ID, len(p.Fields)) {
			f.Problem(field.at+".when", "%s and %s wait for each other", field.ID, c.Field)
		}
	}
}

// answers checks that a condition is of a field that there is, and of answers it can have.
func (p *Procedure) answers(c Condition, at string, f *strict.File) {
	other, ok := p.Field(c.Field)
	if !ok {
		f.Problem(at, "%q is not a field of this procedure%s", c.Field, strict.Meant(c.Field, p.ids()))
		return
	}
	if other.Type != Choice {
		return
	}
	for _, v := range c.Values {
		if !slices.ContainsFunc(other.Choices, func(o Option) bool { return o.Value == v }) {
			f.Problem(at, "%q is not an answer of %s", v, c.Field)
		}
	}
}

// leads tells whether the conditions of a field lead to another one.
func (p *Procedure) leads(from, to string, depth int) bool {
	if from == to || depth == 0 {
		return true
	}
	f, ok := p.Field(from)
	return ok && slices.ContainsFunc(f.When, func(c Condition) bool { return p.leads(c.Field, to, depth-1) })
}

func (p *Procedure) ids() []string {
	ids := make([]string, len(p.Fields))
	for i := range p.Fields {
		ids[i] = p.Fields[i].ID
	}
	return ids
}
