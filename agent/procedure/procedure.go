// Package procedure is what a ward office can do for a citizen, as data. In go YAML files (one a
// procedure, see configs/procedures) and recognised papers; out come forms: which fields they have,
// what is already known for them and from which paper, and what is still wrong. It promises that a value
// nobody has looked at and that may be wrong carries Review, and that a new procedure needs no Go.
package procedure

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"motcua/agent/address"
	"motcua/ocr/paper"
)

// Text is a sentence in the two languages of the kiosk.
type Text struct {
	VI string `yaml:"vi" json:"vi"`
	EN string `yaml:"en" json:"en"`
}

// In gives the sentence in a language: English for "en", Vietnamese for anything else.
func (t Text) In(language string) string {
	if language == "en" && t.EN != "" {
		return t.EN
	}
	return t.VI
}

// Level is how much of a procedure can be done online (Decree 42/2022).
type Level string

// The two levels; reports carry the older numbers (Decree 43/2011) beside them.
const (
	Full    Level = "toàn trình" // formerly level 4: all of it
	Partial Level = "một phần"   // formerly level 3: the citizen comes once, to pay or to collect
)

// Number is the level's number under Decree 43/2011, 4 or 3.
func (l Level) Number() int {
	if l == Full {
		return 4
	}
	return 3
}

// UnmarshalText accepts the two names only.
func (l *Level) UnmarshalText(text []byte) error {
	switch s := Level(text); s {
	case Full, Partial:
		*l = s
		return nil
	}
	return fmt.Errorf("must be %q or %q, not %q", Full, Partial, text)
}

// Topic groups procedures on the first page.
type Topic string

// The topics, in the order they are shown.
const (
	Certify   Topic = "chung-thuc" // certified copies and signatures
	Civil     Topic = "ho-tich"    // birth, death, marriage, extracts
	Residence Topic = "cu-tru"     // permanent and temporary residence, stays
)

// Topics lists all topics in the order they are shown.
var Topics = []Topic{Certify, Civil, Residence}

// Name is the topic in words.
func (t Topic) Name() Text {
	switch t {
	case Certify:
		return Text{"Chứng thực", "Certified copies and signatures"}
	case Civil:
		return Text{"Hộ tịch", "Birth, death, marriage"}
	case Residence:
		return Text{"Cư trú", "Residence"}
	}
	return Text{string(t), string(t)}
}

// UnmarshalText accepts the known topics only.
func (t *Topic) UnmarshalText(text []byte) error {
	for _, known := range Topics {
		if Topic(text) == known {
			*t = known
			return nil
		}
	}
	return fmt.Errorf("must be one of %v, not %q", Topics, text)
}

// Procedure is one entry of the national database, as the kiosk offers it.
type Procedure struct {
	Code     string   `yaml:"code" json:"code"` // "2.000815"
	Name     Text     `yaml:"name" json:"name"`
	Plain    Text     `yaml:"plain" json:"plain"`     // the name in a citizen's own words
	Summary  Text     `yaml:"summary" json:"summary"` // one or two sentences: who needs it, what comes out
	Topic    Topic    `yaml:"topic" json:"topic"`
	Icon     string   `yaml:"icon" json:"icon"`         // name of a picture of the web interface; "" for the topic's
	Keywords []string `yaml:"keywords" json:"keywords"` // what people type who do not know the name
	Level    Level    `yaml:"level" json:"level"`
	Fee      Fee      `yaml:"fee" json:"fee"`
	Time     Text     `yaml:"time" json:"time"` // "trong ngày làm việc" / "the same working day"
	Papers   []Paper  `yaml:"papers" json:"papers"`
	Roles    []Role   `yaml:"roles" json:"roles"`
	Fields   []Field  `yaml:"fields" json:"fields"`
	Form     FormUse  `yaml:"form" json:"form"`

	Sources    []string `yaml:"sources" json:"sources"`       // where fee, time, level and papers were found
	LookedUp   Day      `yaml:"looked_up" json:"looked_up"`   // when that was; "" in files older than the key
	Unverified []string `yaml:"unverified" json:"unverified"` // for the technician: what no source settles

	units *address.Table // turns addresses into those of today; nil: they stay as they are
}

// Doubtful tells whether no source settles a fact of the procedure ("level", "fee", "time"): it isn't shown as one.
func (p *Procedure) Doubtful(fact string) bool {
	return slices.ContainsFunc(p.Unverified, func(s string) bool { return strings.HasPrefix(s, fact+":") })
}

// Units is the table that addresses are filled by; nil where there is none.
func (p *Procedure) Units() *address.Table { return p.units }

// FormUse names the official form of a procedure and what only this procedure says on it.
type FormUse struct {
	Layout string `yaml:"layout" json:"layout"` // a file form.<layout>.yaml beside the procedure; "": there is no form
	// further texts the layout names, made of the fields: "Đăng ký tạm trú tại {new_address}"
	Texts map[string]string `yaml:"texts" json:"texts"`
}

// Day is a date as ISO 8601.
type Day string

// UnmarshalText accepts days that exist.
func (d *Day) UnmarshalText(text []byte) error {
	if _, err := time.Parse(time.DateOnly, string(text)); err != nil {
		return fmt.Errorf("must be a day such as 2026-11-29, not %q", text)
	}
	*d = Day(text)
	return nil
}

// Paper is something to bring.
type Paper struct {
	ID       string       `yaml:"id" json:"id"`
	Name     Text         `yaml:"name" json:"name"`
	Hint     Text         `yaml:"hint" json:"hint"`
	Kinds    []paper.Kind `yaml:"kinds" json:"kinds"` // kinds recognition knows it by; empty: it is only attached
	Role     string       `yaml:"role" json:"role"`   // whose it is; "" where it belongs to nobody
	Optional bool         `yaml:"optional" json:"optional"`
	Ways     []Way        `yaml:"ways" json:"ways"` // how it may be given instead of a scan, besides bringing it to the counter
}

// Role is a person in a procedure: applicant, father, mother, …
type Role struct {
	ID       string       `yaml:"id" json:"id"`
	Name     Text         `yaml:"name" json:"name"`
	Papers   []paper.Kind `yaml:"papers" json:"papers"` // kinds that say who it is; empty: any identity paper
	Sex      string       `yaml:"sex" json:"sex"`       // "Nam" or "Nữ" where only one is possible
	Optional bool         `yaml:"optional" json:"optional"`
	Same     *Same        `yaml:"same" json:"same"` // when this is one of the other persons
}

// Same says when a person of a procedure is another one of it: the subject is the requester where the
// relation is "self". The person's own fields are not asked then; what is known of the other stands for them.
// Role may name several, "mother|father", each for the answer at its place in When: "relation=mother|father".
type Same struct {
	Role string    `yaml:"role" json:"role"`
	When Condition `yaml:"when" json:"when"`
}

// roles are those that may stand for the person.
func (s *Same) roles() []string { return strings.Split(s.Role, "|") }

// standing is the role that stands for the person, where the answer says so.
func (s *Same) standing(answer string) (string, bool) {
	roles := s.roles()
	if len(roles) == 1 {
		return roles[0], s.When.holds(answer)
	}
	if i := slices.Index(s.When.Values, answer); s.When.Op == Is && i >= 0 && i < len(roles) {
		return roles[i], true
	}
	return "", false
}

// Type is what kind of value a field takes; it chooses the keyboard and the check.
type Type string

// The types.
const (
	Line     Type = "line"            // one line of text
	Lines    Type = "lines"           // several lines
	Name     Type = "name"            // a person's name
	Address  Type = "address"         // one line, longer
	Date     Type = "date"            // ISO 8601; shown as dd/mm/yyyy
	PastDate Type = "past-date"       // a date not after today
	Person   Type = "personal-number" // 12 digits, or 9 of an old identity card
	Phone    Type = "phone"           // a Vietnamese telephone number
	Email    Type = "email"
	Integer  Type = "integer"
	Choice   Type = "choice"
	Tick     Type = "tick" // "yes" or ""
)

var types = []Type{Line, Lines, Name, Address, Date, PastDate, Person, Phone, Email, Integer, Choice, Tick}

// UnmarshalText accepts the known types only.
func (t *Type) UnmarshalText(text []byte) error {
	if !slices.Contains(types, Type(text)) {
		return fmt.Errorf("must be one of %v, not %q", types, text)
	}
	*t = Type(text)
	return nil
}

// Option is one answer of a choice.
type Option struct {
	Value string `yaml:"value" json:"value"`
	Label Text   `yaml:"label" json:"label"`
	Form  string `yaml:"form" json:"form"` // how the official form words it; "" for the Vietnamese label
}

// Field is one question of the form.
type Field struct {
	ID        string   `yaml:"id" json:"id"`
	Label     Text     `yaml:"label" json:"label"`
	Hint      Text     `yaml:"hint" json:"hint"`
	Group     string   `yaml:"group" json:"group"` // a role's id: the heading it stands under; "" for the matter itself
	Type      Type     `yaml:"type" json:"type"`
	Required  bool     `yaml:"required" json:"required"`
	Default   string   `yaml:"default" json:"default"`
	Pattern   string   `yaml:"pattern" json:"pattern"` // the whole value must match
	Example   string   `yaml:"example" json:"example"` // shown when the value does not fit
	Choices   []Option `yaml:"choices" json:"choices"`
	MinLength int      `yaml:"min_length" json:"min_length"` // letters; 0: no limit
	MaxLength int      `yaml:"max_length" json:"max_length"` // letters; 0: 500
	Min       int      `yaml:"min" json:"min"`               // of an integer
	Max       int      `yaml:"max" json:"max"`               // of an integer; 0: no limit
	From      []Source `yaml:"from" json:"from"`             // the first that is known fills the field

	// When says under which answers the field is asked at all; every condition must hold.
	When []Condition `yaml:"when" json:"when"`
	// Columns name what stands in a line of a field of type lines, separated by ";": one person a line.
	Columns []string `yaml:"columns" json:"columns"`

	// An entry with Person stands for several fields, one for each of Parts, named <person>_<part>.
	Person       string   `yaml:"person" json:"-"`
	Parts        []string `yaml:"parts" json:"-"`
	UnlessNumber []string `yaml:"unless_number" json:"-"` // the parts that a personal number makes needless
	FromRoles    []string `yaml:"from_roles" json:"-"`    // whose papers fill them; empty: the person's own

	pattern *regexp.Regexp
	at      string // where the file says it: "fields[3]"
}

// Source names a recognised field of a person's papers: "applicant.full_name".
type Source struct {
	Role  string     `json:"role"`
	Field paper.Name `json:"field"`
}

// String is "role.field", as procedures write it.
func (s Source) String() string { return s.Role + "." + string(s.Field) }

// MarshalText is the inverse of UnmarshalText.
func (s Source) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads "role.field".
func (s *Source) UnmarshalText(text []byte) error {
	role, field, ok := strings.Cut(string(text), ".")
	if !ok || role == "" || field == "" {
		return fmt.Errorf("must be written role.field, such as applicant.full_name, not %q", text)
	}
	*s = Source{role, paper.Name(field)}
	return nil
}

// Field gives a field by its id.
func (p *Procedure) Field(id string) (*Field, bool) {
	for i := range p.Fields {
		if p.Fields[i].ID == id {
			return &p.Fields[i], true
		}
	}
	return nil, false
}

// Role gives a role by its id.
func (p *Procedure) Role(id string) (*Role, bool) {
	for i := range p.Roles {
		if p.Roles[i].ID == id {
			return &p.Roles[i], true
		}
	}
	return nil, false
}
