package citizen

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"motcua/agent/counter"
	"motcua/agent/procedure"
	"motcua/agent/visit"
	"motcua/agent/web/screen"
	"motcua/ocr/paper"
)

type checkBody struct {
	Open   []row // what must be looked at before going on
	Groups []group
	First  string // address of the first open question
	Faces  []int  // pictures from chips, of persons without a group of their own; for staff
	Proc   *procedure.Procedure
}

type group struct {
	Name procedure.Text // empty for the matter itself
	Rows []row
	Face int // the picture from the person's chip, for staff; 0: none
}

type row struct {
	ID     string
	Label  procedure.Text
	Asks   procedure.Text // with its person
	Shown  string         // the value as people write it
	Source string         // key
	Crop   bool
	Open   bool
	Empty  bool
	Why    string // sentence: why it should be looked at
	Old    string // an address as the paper has it, where the form has another name for the place
}

// check shows the whole form, each value beside the piece of paper it was read from.
func (s *Pages) check(w http.ResponseWriter, r *http.Request, at screen.Seat) {
	if !screen.NeedProcedure(w, r, at) {
		return
	}
	if at.State.Busy {
		http.Redirect(w, r, "/scan", http.StatusSeeOther)
		return
	}
	if err := at.Visit.Go(s.Now(), visit.Check); err != nil {
		s.TurnAway(w, r, at, err)
		return
	}
	b := checkBody{Proc: at.Proc}
	where := map[string]int{}
	faces := facesOf(at)
	for i := range at.Proc.Fields {
		f := &at.Proc.Fields[i]
		e, ok := at.State.Entry(f.ID)
		if !ok || e.Idle {
			continue
		}
		one := s.row(at.Lang, f, e)
		one.Asks = at.Proc.Asks(f)
		if one.Open {
			if b.First == "" {
				b.First = "/check/" + f.ID
			}
			b.Open = append(b.Open, one)
			continue
		}
		n, ok := where[f.Group]
		if !ok {
			n = len(b.Groups)
			where[f.Group] = n
			g := group{}
			if role, ok := at.Proc.Role(f.Group); ok {
				g.Name = role.Name
			}
			b.Groups = append(b.Groups, g)
		}
		b.Groups[n].Rows = append(b.Groups[n].Rows, one)
	}
	for group, face := range faces {
		if n, ok := where[group]; ok {
			b.Groups[n].Face = face
		} else {
			b.Faces = append(b.Faces, face)
		}
	}
	slices.Sort(b.Faces)
	s.Render(w, r, http.StatusOK, "check", screen.View{Steps: s.Steps(at.Lang, visit.Check), Back: "/papers", Body: b})
}

// facesOf tells, where staff is signed in, which picture from a chip belongs to which person: whose number it is.
func facesOf(at screen.Seat) map[string]int {
	faces := map[string]int{}
	if !at.Session.Staffed() {
		return faces
	}
	for i := range at.Proc.Fields {
		f := &at.Proc.Fields[i]
		if e, ok := at.State.Entry(f.ID); ok && !e.Idle && e.Text != "" {
			if n := at.Table.Faces.Of(e.Text); n > 0 {
				faces[f.Group] = n
			}
		}
	}
	return faces
}

func (s *Pages) row(lang string, f *procedure.Field, e visit.Entry) row {
	return row{ID: f.ID, Label: f.Label, Shown: shown(lang, f, e.Text), Source: sourceKey(e), Crop: e.Where != nil,
		Open: e.Open(), Empty: e.Text == "", Why: s.why(lang, f, e), Old: before(e)}
}

// before is an address as its paper has it, where the form says it otherwise: under the names of today.
func before(e visit.Entry) string {
	if e.Text == "" || e.Text == e.Old {
		return ""
	}
	return e.Old
}

func sourceKey(e visit.Entry) string {
	switch {
	case e.Text == "":
		return "source.none"
	case e.Source == paper.User && !e.Seen:
		return "source.default"
	case e.Seen && e.Source != paper.User:
		return "source.confirmed"
	}
	return "source." + string(e.Source)
}

// shown writes a value the way people do.
func shown(lang string, f *procedure.Field, value string) string {
	switch f.Type {
	case procedure.Date, procedure.PastDate:
		return screen.ShownDate(value)
	case procedure.Choice:
		for _, o := range f.Choices {
			if o.Value == value {
				return o.Label.In(lang)
			}
		}
	case procedure.Tick:
		if value != "" {
			return "✓"
		}
	}
	return value
}

// why says in one sentence what the person should do with an open value.
func (s *Pages) why(lang string, f *procedure.Field, e visit.Entry) string {
	switch {
	case e.Fault != "":
		return s.complaint(lang, f, e.Fault)
	case !e.Review:
		return ""
	case len(e.Doubts) > 0:
		return s.Words.Say(lang, "doubt."+string(e.Doubts[0]))
	}
	return s.Words.Say(lang, "doubt")
}

func (s *Pages) complaint(lang string, f *procedure.Field, code string) string {
	longest := f.MaxLength
	if longest == 0 {
		longest = procedure.MaxLength
	}
	key := "complaint." + code
	if special := key + "." + string(f.Type); s.Words.Has(lang, special) {
		key = special
	}
	out := s.Words.Say(lang, key, "min", f.MinLength, "max", longest, "from", f.Min, "to", f.Max)
	if code == procedure.Pattern && f.Example != "" {
		out += " " + s.Words.Say(lang, "complaint.example", "example", f.Example)
	}
	return out
}

type questionBody struct {
	Field   *procedure.Field
	Asks    procedure.Text // the question, with the person it is about
	Value   string         // as typed or shown
	Crop    bool
	Doubt   string
	Old     string // an address as the paper has it, where the form has another name for the place
	Renamed bool   // it was the machine that gave it today's name
	Error   string
	Number  int      // of the open questions, 1-based; 0 when the person came to change a value
	Count   int      // open questions
	Offers  []string // what an address may be today
	Pad     string   // which on-screen keyboard: text, name, digits, date, none
	Numeric bool
}

func (s *Pages) entry(w http.ResponseWriter, r *http.Request, at screen.Seat) (*procedure.Field, visit.Entry, bool) {
	if !screen.NeedProcedure(w, r, at) {
		return nil, visit.Entry{}, false
	}
	f, ok := at.Proc.Field(r.PathValue("field"))
	e, filled := at.State.Entry(r.PathValue("field"))
	if !ok || !filled || e.Idle {
		http.Redirect(w, r, "/check", http.StatusSeeOther)
		return nil, e, false
	}
	return f, e, true
}

// question asks for one value, with the piece of paper it was read from.
func (s *Pages) question(w http.ResponseWriter, r *http.Request, at screen.Seat) {
	f, e, ok := s.entry(w, r, at)
	if !ok {
		return
	}
	if err := at.Visit.Go(s.Now(), visit.Check); err != nil {
		s.TurnAway(w, r, at, err)
		return
	}
	fault := ""
	if e.Seen && e.Fault != "" {
		fault = s.complaint(at.Lang, f, e.Fault)
	}
	value := shownInput(f, e.Text)
	if e.Typing { // begun before somebody changed the language, called for help, or the power failed
		value = e.Typed
	}
	s.ask(w, r, at, f, e, http.StatusOK, value, fault)
}

// typing keeps what has been written into a field so far.
func (s *Pages) typing(w http.ResponseWriter, r *http.Request, at screen.Seat) {
	if err := at.Visit.Type(s.Now(), r.PathValue("field"), r.PostForm.Get("value")); err != nil {
		http.Error(w, http.StatusText(http.StatusConflict), http.StatusConflict)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func shownInput(f *procedure.Field, value string) string {
	if f.Type == procedure.Date || f.Type == procedure.PastDate {
		return screen.ShownDate(value)
	}
	return value
}

func (s *Pages) ask(w http.ResponseWriter, r *http.Request, at screen.Seat, f *procedure.Field, e visit.Entry,
	status int, value, fault string) {
	b := questionBody{Field: f, Value: value, Crop: e.Where != nil, Error: fault, Offers: e.Offers, Pad: pad(f.Type)}
	b.Asks = at.Proc.Asks(f)
	b.Old, b.Renamed = before(e), e.Source != paper.User
	if e.Review {
		b.Doubt = s.why(at.Lang, f, visit.Entry{Answer: procedure.Answer{Review: true, Doubts: e.Doubts}})
	}
	if open := at.State.Open(); slices.Contains(open, f.ID) {
		b.Number, b.Count = slices.Index(open, f.ID)+1, len(open)
	}
	title := b.Asks.In(at.Lang)
	read := title + ". " + f.Hint.In(at.Lang) + " "
	if b.Old != "" {
		read += s.Words.Say(at.Lang, "check.old", "old", b.Old) + " "
	}
	read += b.Doubt + " " + fault + " " + shown(at.Lang, f, e.Text)
	if fault != "" { // a screen reader says a page's title first
		title = fault + " " + title
	}
	s.Render(w, r, status, "question", screen.View{Steps: s.Steps(at.Lang, visit.Check), Back: s.pageBefore(at, f.ID),
		Path: "/check/" + f.ID, Title: title, Read: read, Body: b})
}

// pageBefore is the page a person came from: the open question before this one, or the whole form.
func (s *Pages) pageBefore(at screen.Seat, id string) string {
	open := at.State.Open()
	if i := slices.Index(open, id); i > 0 {
		return "/check/" + open[i-1]
	}
	return "/check"
}

// pad is the on-screen keyboard that fits a type of value.
func pad(t procedure.Type) string {
	switch t {
	case procedure.Date, procedure.PastDate:
		return "date"
	case procedure.Person, procedure.Phone, procedure.Integer:
		return "digits"
	case procedure.Name:
		return "name"
	case procedure.Email:
		return "email"
	case procedure.Choice, procedure.Tick:
		return "none"
	}
	return "text"
}

// answer takes a confirmed or typed value and leads to the next open one.
func (s *Pages) answer(w http.ResponseWriter, r *http.Request, at screen.Seat) {
	f, e, ok := s.entry(w, r, at)
	if !ok {
		return
	}
	typed := r.PostForm.Get("value")
	if offer := r.PostForm.Get("offer"); slices.Contains(e.Offers, offer) {
		typed = offer
	}
	value := f.Normal(typed)
	now := s.Now()
	fault := at.Proc.Check(f, value, counter.Values(at.State.Form), now)
	if err := errors.Join(at.Visit.Answer(now, f.ID, value, fault), counter.Rest(at.Visit, at.Proc, now)); err != nil {
		s.TurnAway(w, r, at, err)
		return
	}
	at.State = at.Visit.State()
	if fault != "" {
		e, _ := at.State.Entry(f.ID)
		s.ask(w, r, at, f, e, http.StatusUnprocessableEntity, typed, s.complaint(at.Lang, f, fault))
		return
	}
	to := "/check"
	if r.PostForm.Get("then") != "form" {
		if open := at.State.Open(); len(open) > 0 {
			to = "/check/" + open[0]
			for _, id := range open { // the next one after this, as the paper is read
				if fieldIndex(at.Proc, id) > fieldIndex(at.Proc, f.ID) {
					to = "/check/" + id
					break
				}
			}
		}
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

func fieldIndex(p *procedure.Procedure, id string) int {
	return slices.IndexFunc(p.Fields, func(f procedure.Field) bool { return f.ID == id })
}

// crop shows the piece of paper a value was read from.
func (s *Pages) crop(w http.ResponseWriter, r *http.Request, at screen.Seat) {
	e, ok := at.State.Entry(r.PathValue("field"))
	if !ok || e.Where == nil {
		http.NotFound(w, r)
		return
	}
	s.sendPicture(w, r, at, screen.CropKey(e), func(ctx context.Context) ([]byte, error) { return s.Cut(ctx, at.Visit, e) })
}

// whole shows all of the paper a value was read from, with its place marked.
func (s *Pages) whole(w http.ResponseWriter, r *http.Request, at screen.Seat) {
	e, ok := at.State.Entry(r.PathValue("field"))
	if !ok || e.Where == nil {
		http.NotFound(w, r)
		return
	}
	s.sendPicture(w, r, at, "whole/"+screen.CropKey(e), func(ctx context.Context) (out []byte, err error) {
		err = at.Visit.Use(func(papers []visit.Paper) error {
			for _, p := range papers {
				if p.ID == e.Paper {
					out, err = s.marked(ctx, p, e)
					return err
				}
			}
			return visit.ErrNoPaper
		})
		return out, err
	})
}
