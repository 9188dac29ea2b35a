package office

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"motcua/agent/answer"
)

// Dossier is what came from a citizen, with what the office did about it.
type Dossier struct {
	Number    uint64    `json:"number"` // of this desk, in the order of filing
	ID        string    `json:"id"`     // of the submission
	Code      string    `json:"code"`   // of the citizen's receipt
	SHA256    string    `json:"sha256"` // of the bundle as it was sent
	Kiosk     string    `json:"kiosk,omitempty"`
	Ward      string    `json:"ward,omitempty"`
	Procedure string    `json:"procedure,omitempty"`
	Title     string    `json:"title,omitempty"` // the procedure's name
	Person    string    `json:"person,omitempty"`
	Names     []string  `json:"names,omitempty"`
	Numbers   []string  `json:"numbers,omitempty"`   // personal numbers
	Born      []int     `json:"born,omitempty"`      // years of birth of whom an answer may be told
	Certified []string  `json:"certified,omitempty"` // numbers in a register of certifications that its signed copies bear
	Received  time.Time `json:"received"`
	Sealed    bool      `json:"sealed,omitempty"` // its content can't be opened with the keys of this desk

	State    answer.State `json:"state"`
	Reasons  []string     `json:"reasons,omitempty"` // codes of answer.Listed
	Text     string       `json:"text,omitempty"`
	Answer   uint64       `json:"answer"`   // running number of the answer that the kiosks get
	Revision uint64       `json:"revision"` // one more with every change; Act wants the one that was seen
	Changed  time.Time    `json:"changed"`
	Files    []File       `json:"files"`
	Result   string       `json:"result,omitempty"` // name of the file that the citizen gets
	Handed   *Handed      `json:"handed,omitempty"` // the result is in its citizen's hand
	History  []Step       `json:"history"`
	Added    []Supplement `json:"added,omitempty"`
}

// File is one file of a dossier.
type File struct {
	Name      string    `json:"name"`
	MediaType string    `json:"media_type,omitempty"`
	Size      int64     `json:"size"`
	SHA256    string    `json:"sha256"`
	From      string    `json:"from,omitempty"` // the supplement that brought it; empty: the first submission, or an officer
	Of        string    `json:"of,omitempty"`   // the file that this one is a signed version of
	By        string    `json:"by,omitempty"`   // the officer who added it
	Added     time.Time `json:"added"`
	Place     string    `json:"place"` // below files/
}

// Handed is when and where a kiosk handed a result over, as it told.
type Handed struct {
	At     time.Time `json:"at"`
	Kiosk  string    `json:"kiosk"`
	SHA256 string    `json:"sha256"` // of the result
}

// Step is one change of a dossier.
type Step struct {
	At       time.Time    `json:"at"`
	By       string       `json:"by,omitempty"` // sign-in name; empty: it came from a kiosk
	State    answer.State `json:"state"`
	Reasons  []string     `json:"reasons,omitempty"` // codes of answer.Listed
	Text     string       `json:"text,omitempty"`
	Revision uint64       `json:"revision"`
	File     string       `json:"file,omitempty"`    // that was added
	Handed   string       `json:"handed,omitempty"`  // the kiosk that handed the result over
	Offered  string       `json:"offered,omitempty"` // the kiosk whose word of that is taken back
}

// Supplement is a later submission to the same dossier.
type Supplement struct {
	ID       string    `json:"id"`
	Code     string    `json:"code"`
	SHA256   string    `json:"sha256"`
	Kiosk    string    `json:"kiosk,omitempty"`
	Received time.Time `json:"received"`
	Number   uint64    `json:"number,omitempty"` // of the dossier that it was while nobody could open it
}

// submissions lists all that came to a dossier, the first one first.
func (d *Dossier) submissions() []Supplement {
	return append([]Supplement{{ID: d.ID, Code: d.Code, SHA256: d.SHA256, Kiosk: d.Kiosk, Received: d.Received}}, d.Added...)
}

// File finds a file by its name.
func (d *Dossier) File(name string) (File, bool) {
	i := slices.IndexFunc(d.Files, func(f File) bool { return f.Name == name })
	if i < 0 {
		return File{}, false
	}
	return d.Files[i], true
}

// Initials are those of the person, as the line shows them: "N.V.A."
func (d *Dossier) Initials() string {
	var b strings.Builder
	for _, word := range strings.Fields(d.Person) {
		for _, letter := range word {
			b.WriteRune(letter)
			b.WriteByte('.')
			break
		}
	}
	return strings.ToUpper(b.String())
}

// String names the dossier by its number, and nothing of a person.
func (d Dossier) String() string { return fmt.Sprintf("dossier(%d, %s)", d.Number, d.State) }

// GoString is String, for %#v.
func (d Dossier) GoString() string { return d.String() }

// LogValue keeps personal data out of logs.
func (d Dossier) LogValue() slog.Value { return slog.StringValue(d.String()) }

// clone gives a copy that may be changed.
func (r *record) clone() *record {
	c := *r
	c.Files, c.History, c.Added = slices.Clone(r.Files), slices.Clone(r.History), slices.Clone(r.Added)
	c.Reasons, c.Names, c.Numbers = slices.Clone(r.Reasons), slices.Clone(r.Names), slices.Clone(r.Numbers)
	c.Certified = slices.Clone(r.Certified)
	return &c
}
