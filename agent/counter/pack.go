package counter

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"motcua/agent/dossier"
	"motcua/agent/form"
	"motcua/agent/procedure"
	"motcua/agent/visit"
	"motcua/ocr/paper"
	"motcua/queue"
)

// Queue accepts submissions durably: once Enqueue has returned without an error, nothing of the submission is lost.
type Queue interface {
	Enqueue(ctx context.Context, d queue.Draft) (queue.Submission, error)
}

// Office is where the counter stands.
type Office struct {
	Ward  string
	Kiosk string
	Form  func(*procedure.Procedure) *form.Layout // the official form, nil where there is none; a nil Form: none at all
	// Copies makes the digitised copies of the papers; nil: none are sent.
	Copies MakeCopies
	// Certified says that the copies are what is handed in: where they fail, nothing is. Else the pages go without them.
	Certified bool
}

// Matter is what is submitted, beside the form and the papers.
type Matter struct {
	ID string // of the submission; the same ID again gives the same submission. "" lets the queue make one
	// Supplements is the submission that this one adds papers to; its procedure is a Supplement. "": none.
	Supplements string
	Procedure   *procedure.Procedure
	Ways        map[string]procedure.WayID // how papers are given that were not scanned, by the paper's id
	Consent     dossier.Consent
	Channel     dossier.Channel
	Operator    string // the volunteer's sign-in name, where one helped
	Started     time.Time
	Confirmed   time.Time
}

// Pack makes the dossier of a form and its papers, which must have their bytes.
func (o Office) Pack(ctx context.Context, m Matter, entries []visit.Entry, papers []visit.Paper) dossier.Dossier {
	d := dossier.Dossier{
		ID: m.ID, Procedure: m.Procedure, Values: Values(entries), Ways: m.Ways, Ward: o.Ward, Kiosk: o.Kiosk,
		Supplements: m.Supplements, Consent: m.Consent, Channel: m.Channel, Operator: m.Operator, Started: m.Started, Confirmed: m.Confirmed,
	}
	if o.Form != nil && m.Supplements == "" {
		d.Form = o.Form(m.Procedure)
	}
	d.Documents, _ = gather(papers)
	names := named(m.Procedure, papers, d.Documents)
	for i, p := range papers {
		page := dossier.Page{MediaType: p.MediaType, Pages: max(p.Pages, 1), Kind: paper.Other}
		page.Data, page.Turn = turnedPage(p.Data, p.MediaType, p.Turn)
		if len(p.Documents) > 0 {
			page.Kind = p.Documents[0].Type
		}
		page.Paper = names[i]
		d.Pages = append(d.Pages, page)
	}
	d.Places = places(entries, papers)
	if o.Copies != nil && len(papers) > 0 {
		// A copy that cannot be made never holds up a submission: the pages themselves are in it.
		if d.Copies, d.CopyFault = o.Copies(ctx, papers, m.Confirmed); d.CopyFault != nil {
			d.Copies = nil
		}
	}
	return d
}

// Submit hands the confirmed form of a visit to the queue and ends the visit's work with the receipt's code. The
// visit's id is the submission's, so that a press of Send whose answer was lost doubles nothing.
//
// It fails with *dossier.InvalidError, after the visit's entries were told their faults, where the form may not be
// submitted; with an error of the visit where it is not that far (visit.ErrOpen, visit.ErrNotYet, visit.ErrSubmitted,
// visit.ErrOver); else with the queue's own. Nothing was accepted then.
func (o Office) Submit(ctx context.Context, q Queue, v *visit.Visit, p *procedure.Procedure, consent dossier.Consent,
	now time.Time) (queue.Submission, error) {
	began := time.Now()
	sent, err := v.Sending(now)
	if err != nil {
		return queue.Submission{}, err
	}
	defer func() { sent(now.Add(time.Since(began))) }()
	state := v.State()
	m := Matter{ID: v.ID, Supplements: state.Supplements, Procedure: p, Consent: consent, Channel: dossier.Self, Operator: state.Staff,
		Started: state.Started, Confirmed: now,
		Ways: Ways(p, state)}
	m.Consent.Given = state.Consented
	if state.Channel == visit.Volunteer {
		m.Channel = dossier.Volunteer
	}
	var accepted queue.Submission
	err = v.Use(func(papers []visit.Paper) error {
		packed := o.Pack(ctx, m, state.Form, papers)
		if o.Certified && packed.CopyFault != nil {
			return packed.CopyFault
		}
		draft, err := packed.Draft()
		if err != nil {
			return err
		}
		if accepted, err = q.Enqueue(ctx, draft); err != nil {
			return fmt.Errorf("accept submission: %w", err)
		}
		return nil
	})
	var invalid *dossier.InvalidError
	if errors.As(err, &invalid) {
		faults := map[string]string{}
		for _, c := range invalid.Complaints {
			faults[c.Field] = c.Code
		}
		return queue.Submission{}, errors.Join(err, v.Judge(now, faults))
	}
	if err != nil {
		return queue.Submission{}, err
	}
	// Accepted fails only if another press was quicker: the same visit, the same submission.
	_ = v.Accepted(now, accepted.Code)
	return accepted, nil
}

// named tells which of the procedure's papers each paper is: by its kind, and by whose it is where the procedure asks it of
// several persons. "" where that isn't known: a father's card is not the mother's.
func named(p *procedure.Procedure, papers []visit.Paper, docs []paper.Document) []string {
	roles := make([]string, len(docs))
	for role, owned := range p.Assign(docs) {
		for _, i := range owned {
			roles[i] = role
		}
	}
	names, first := make([]string, len(papers)), 0
	for i, one := range papers {
		last := first + len(one.Documents)
		if first < last {
			names[i] = nameOf(p, docs[first].Type, roles[first])
		}
		first = last
	}
	return names
}

func nameOf(p *procedure.Procedure, kind paper.Kind, role string) string {
	var fit []procedure.Paper
	for _, want := range p.Papers {
		if slices.Contains(want.Kinds, kind) {
			fit = append(fit, want)
		}
	}
	for _, want := range fit {
		if len(fit) == 1 || want.Role == "" || want.Role == role {
			return want.ID
		}
	}
	return ""
}
