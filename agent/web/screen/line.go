package screen

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"

	"motcua/agent/audit"
	"motcua/agent/counter"
	"motcua/agent/procedure"
	"motcua/agent/staff"
	"motcua/agent/visit"
)

// lineLimits is how long a visit may wait in the volunteers' line before it is wiped: a working day.
var lineLimits = visit.Limits{Silence: 12 * time.Hour}

// waits is how long a visit goes on waiting in the line: one that an officer compared until it is signed, over a night or a
// weekend, counted from when it was compared, however often the machine is switched off meanwhile.
func (s *Host) waits(ready bool, since time.Time) visit.Limits {
	if !ready || s.Options.Compared <= lineLimits.Silence {
		return lineLimits
	}
	return visit.Limits{Silence: min(s.Options.Compared-s.Now().Sub(since), s.Options.Compared)}
}

// Waiting is a visit as the line shows it.
type Waiting struct {
	ID     string
	Who    string // the name that was read, for the volunteer who has the person before them
	What   string
	Step   string
	Open   int
	Pages  int
	Called bool
	Since  time.Time
	Doubt  string // key of a sentence: how the papers were parted wants a look
}

// Waiting says how a visit stands, for the line.
func (s *Host) Waiting(t *Table, lang string) Waiting {
	state := t.Visit.State()
	w := Waiting{ID: state.ID, Open: len(state.Open()), Pages: counter.Pages(state.Papers),
		Called: !state.Called.IsZero(), Since: state.Started,
		Step: s.Words.Say(lang, "desk.step."+string(state.Step))}
	if t.Doubt != "" {
		w.Doubt = "doubt." + t.Doubt
	}
	if p, err := s.Options.Procedures().Get(state.Procedure); err == nil {
		w.What = p.Plain.In(lang)
	}
	for _, e := range state.Form {
		if strings.HasSuffix(e.From, ".full_name") && e.Text != "" {
			w.Who = e.Text
			break
		}
	}
	return w
}

// Seat puts a visit before the volunteer. One that was open goes back to the line, unless it is done.
func (s *Host) Seat(r *http.Request, sess *Session, t *Table, m staff.Member) error {
	if err := t.Visit.TakeOver(s.Now(), m.Name, s.Options.Helped); err != nil {
		return err
	}
	t.opened()
	sess.mu.Lock()
	old := sess.table
	sess.table = t
	sess.mu.Unlock()
	s.Keep(t, sess)
	if old != nil && old != t {
		s.putBack(r.Context(), old)
	}
	return nil
}

// putBack puts a visit that a volunteer had open into the line, unless it is done or has nothing in it.
func (s *Host) putBack(ctx context.Context, t *Table) {
	state := t.Visit.State()
	if state.Begun() {
		t.compared.mu.Lock()
		limits := s.waits(t.compared.ready, t.compared.since)
		t.compared.mu.Unlock()
		_ = t.Visit.TakeOver(s.Now(), state.Staff, limits) // fails where it has just ended
		s.Sessions.enqueue(t)
		s.Keep(t, nil)
		return
	}
	why := "left"
	if state.Code != "" {
		why = "finished"
	}
	s.EndVisit(ctx, t, why)
}

// Helped notes that a member of the staff took a visit over.
func (s *Host) Helped(m staff.Member, id string) {
	s.Log.Info("visit taken over", "visit", id)
	s.Note(audit.Event{Actor: Actor(m), Act: audit.HelpTaken, Visit: id})
}

// portion is what one person gets of a stack that is being dealt.
type portion struct {
	ID        string   // of the person's visit
	Papers    []string // by id, in their order
	Procedure string   `json:",omitempty"` // see counter.Parcel
	Doubt     string   `json:",omitempty"`
}

// Deal makes a visit of each person in the stack and puts them in the line. The bytes are copied, and the stack is forgotten
// when each person is kept; only then may anybody work on them. Who gets what is kept before that: where the daemon ends
// meanwhile, the stack is dealt to its end as it was begun, also by a build that would divide it otherwise, and nobody comes twice.
func (s *Host) Deal(stack *Table, p *procedure.Procedure, name string) {
	consented := stack.Visit.State().Consented
	_ = stack.Visit.TakeOver(s.Now(), name, lineLimits) // fails where it has just ended
	_ = stack.Visit.Use(func(papers []visit.Paper) error {
		if stack.division == nil {
			stack.division = divide(stack, papers)
		}
		return nil
	})
	s.Keep(stack, nil) // and that it waits no more: after a restart nobody may lay its sheets otherwise
	var dealt []*Table
	_ = stack.Visit.Use(func(papers []visit.Paper) error {
		for _, portion := range stack.division {
			id := portion.ID
			if _, err := s.Options.Queue.Get(id); err == nil || stack.parted[id] {
				continue
			}
			t := s.newTable(id)
			t.of = stack.Visit.ID
			s.hand(t, portion.parcel(papers), p, consented, name)
			dealt = append(dealt, t)
			s.Keep(t, nil)
			s.Note(audit.Event{Actor: string(staff.Volunteer) + ":" + name, Act: audit.VisitBegan, Visit: t.Visit.ID})
		}
		return nil
	})
	if !slices.ContainsFunc(dealt, func(t *Table) bool { return !s.safe(t) }) {
		s.forget(stack)
	}
	s.Sessions.enqueue(dealt...) // before the stack is gone: at no moment is anybody nowhere
	stack.Visit.Wipe()
}

// divide says who gets what of a stack.
func divide(stack *Table, papers []visit.Paper) []portion {
	parcels := parted(papers, stack.TwoSided)
	if last := len(parcels) - 1; stack.Doubt != "" && last >= 0 && parcels[last].Doubt == "" {
		parcels[last].Doubt = stack.Doubt
	}
	division := make([]portion, len(parcels))
	for n, parcel := range parcels {
		division[n] = portion{ID: personOf(stack.Visit.ID, n), Procedure: parcel.Procedure, Doubt: parcel.Doubt}
		for _, page := range parcel.Papers {
			division[n].Papers = append(division[n].Papers, page.ID)
		}
	}
	return division
}

// parcel is a portion with its papers.
func (d portion) parcel(papers []visit.Paper) counter.Parcel {
	parcel := counter.Parcel{Procedure: d.Procedure, Doubt: d.Doubt}
	for _, id := range d.Papers {
		if i := slices.IndexFunc(papers, func(p visit.Paper) bool { return p.ID == id }); i >= 0 {
			parcel.Papers = append(parcel.Papers, papers[i])
		}
	}
	return parcel
}

// parted divides a stack; one whose sides can't be laid together is divided as far as anything says whose they are.
func parted(papers []visit.Paper, twoSided bool) []counter.Parcel {
	if !twoSided {
		return counter.Split(papers)
	}
	whole, err := counter.Interleave(papers)
	if err != nil {
		return counter.SplitApart(papers)
	}
	parcels := counter.Split(whole)
	for i := range parcels {
		if parcels[i].Doubt == "" && counter.Ambiguous(papers) {
			parcels[i].Doubt = counter.DoubtOrder
		}
	}
	return parcels
}

// hand lays what a stack held for one submission into its visit.
func (s *Host) hand(t *Table, parcel counter.Parcel, p *procedure.Procedure, consented time.Time, name string) {
	t.Doubt = parcel.Doubt
	if parcel.Procedure != "" {
		if named := s.Procedure(parcel.Procedure); named != nil {
			p = named
		} else {
			t.Doubt = counter.DoubtProcedure
		}
	}
	if t.Doubt == "" && counter.Stranger(p, parcel.Papers) {
		t.Doubt = counter.DoubtStranger
	}
	now := s.Now()
	_ = t.Visit.Pick(now, p.Code) // a new visit refuses none of these
	_ = t.Visit.Agree(consented)
	_ = t.Visit.TakeOver(now, name, lineLimits)
	for _, page := range parcel.Papers {
		page.Data = append([]byte(nil), page.Data...) // the stack's copy is wiped
		if _, err := t.Visit.Add(now, page); err != nil {
			s.Log.Error("deal", "visit", t.Visit.ID, "error", err)
		}
	}
	if err := counter.Fill(t.Visit, p, now); err != nil {
		s.Log.Error("fill form", "visit", t.Visit.ID, "error", err)
	}
}

// Divide deals a stack that waits no more, after what a stopped scan left unread was read.
func (s *Host) Divide(stack *Table, p *procedure.Procedure, name string) {
	if !slices.ContainsFunc(stack.Visit.State().Papers, func(p visit.Paper) bool { return p.Reading }) {
		s.Deal(stack, p, name)
		return
	}
	_ = stack.Visit.TakeOver(s.Now(), name, lineLimits) // fails where it has just ended
	s.Keep(stack, nil)
	s.readOn(stack, nil)
}

// AwaitRest has a stack wait, for a working day, until somebody scans its backs or what else is missing, or says that this is
// all. What a stopped scan left unread is read meanwhile.
func (s *Host) AwaitRest(stack *Table, name string) {
	_ = stack.Visit.TakeOver(s.Now(), name, lineLimits) // fails where it has just ended
	s.Keep(stack, nil)
	s.readOn(stack, nil)
}

// Half gives a stack that waits for the rest of its papers; nil where there is none of this id.
func (s *Host) Half(id string) *Table {
	for _, t := range s.Sessions.Halves() {
		if t.Visit.ID == id {
			return t
		}
	}
	return nil
}

// personOf is the id of the nth person of a stack: of the stack's time, and the same whenever the stack is dealt.
func personOf(stack string, n int) string {
	id, err := ulid.ParseStrict(stack)
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "motcua person %d of stack %s", n, stack))
	_ = id.SetEntropy(sum[:10]) // ten bytes are what it takes
	return id.String()
}
