package web

import (
	"errors"
	"net/http"
	"time"

	"motcua/agent/audit"
	"motcua/agent/dossier"
	"motcua/agent/procedure"
	"motcua/agent/visit"
	"motcua/agent/web/vietqr"
	"motcua/ocr/paper"
	"motcua/queue"
)

type confirmBody struct {
	Proc    *procedure.Procedure
	Pages   int
	Fee     int64
	Account Account
	Purpose string // what the payment says
	Fault   string
}

func (s *Site) confirm(w http.ResponseWriter, r *http.Request, at seat) {
	if !needProcedure(w, r, at) {
		return
	}
	if err := at.visit.Go(s.now(), visit.Confirm); err != nil {
		s.turnAway(w, r, at, err)
		return
	}
	if len(at.state.Papers) == 0 {
		http.Redirect(w, r, "/scan", http.StatusSeeOther)
		return
	}
	s.showConfirm(w, r, at, http.StatusOK, "")
}

func (s *Site) showConfirm(w http.ResponseWriter, r *http.Request, at seat, status int, fault string) {
	b := confirmBody{Proc: at.proc, Pages: pageCount(at.state), Account: s.o.Account, Fault: fault}
	b.Fee = at.proc.Price(values(at.state), b.Pages)
	b.Purpose = purpose(at.state)
	s.render(w, r, status, "confirm", view{Steps: s.steps(at.lang, visit.Confirm), Back: "/check", Path: "/confirm", Commits: true, Body: b})
}

func pageCount(state visit.State) int {
	n := 0
	for _, p := range state.Papers {
		n += max(p.Pages, 1)
	}
	return n
}

// values are the form as the procedure judges it.
func values(state visit.State) map[string]procedure.Value {
	values := make(map[string]procedure.Value, len(state.Form))
	for _, e := range state.Form {
		values[e.Name] = procedure.Value{Text: e.Value, Source: e.Source, From: e.From, Confidence: e.Confidence,
			Review: e.Review, Doubts: e.Doubts, Document: -1}
	}
	return values
}

// purpose is what stands on the bank statement: it finds the visit again and names nobody.
func purpose(state visit.State) string {
	id := state.ID
	if len(id) > 10 {
		id = id[len(id)-10:]
	}
	return "LE PHI " + state.Procedure[max(0, len(state.Procedure)-6):] + " " + id
}

// payment draws the VietQR of the fee.
func (s *Site) payment(w http.ResponseWriter, r *http.Request, at seat) {
	if at.proc == nil || s.o.Account.Number == "" {
		http.NotFound(w, r)
		return
	}
	fee := at.proc.Price(values(at.state), pageCount(at.state))
	text, err := vietqr.Transfer{BIN: s.o.Account.BIN, Account: s.o.Account.Number, Amount: fee, Purpose: purpose(at.state)}.Encode()
	if err != nil || fee == 0 {
		http.NotFound(w, r)
		return
	}
	sendQR(w, r, text)
}

func (s *Site) submit(w http.ResponseWriter, r *http.Request, at seat) {
	if at.state.Step == visit.Receipt { // pressed twice
		http.Redirect(w, r, "/receipt", http.StatusSeeOther)
		return
	}
	if !needProcedure(w, r, at) {
		return
	}
	now := s.now()
	if err := at.visit.Ready(now); err != nil {
		s.turnAway(w, r, at, err)
		return
	}
	var accepted queue.Submission
	err := at.visit.Use(func(papers []visit.Paper) error {
		draft, err := s.pack(at, papers, now).Draft()
		if err != nil {
			return err
		}
		accepted, err = s.o.Queue.Enqueue(r.Context(), draft)
		return err
	})
	var invalid *dossier.InvalidError
	switch {
	case errors.As(err, &invalid):
		faults := map[string]string{}
		for _, c := range invalid.Complaints {
			faults[c.Field] = c.Code
		}
		_ = at.visit.Judge(now, faults)
		http.Redirect(w, r, "/check", http.StatusSeeOther)
		return
	case errors.Is(err, visit.ErrOver):
		s.turnAway(w, r, at, err)
		return
	case err != nil:
		s.log.Error("enqueue", "visit", at.state.ID, "error", err)
		s.showConfirm(w, r, at, http.StatusServiceUnavailable, s.words.say(at.lang, queueFault(err)))
		return
	}
	// Accepted fails only if another press was quicker: the same visit, the same submission.
	_ = at.visit.Accepted(now, accepted.Code)
	at.table.pictures.wipe()
	at.table.live.reset()
	s.log.Info("submission accepted", "visit", at.state.ID, "submission", accepted.ID)
	s.note(audit.Event{Actor: who(at.state), Act: audit.SubmissionAccepted, Submission: accepted.ID, Procedure: at.proc.Code})
	http.Redirect(w, r, "/receipt", http.StatusSeeOther)
}

func who(state visit.State) string {
	if state.Staff != "" {
		return state.Staff
	}
	return "citizen"
}

// pack makes the dossier of a visit. The visit's id is the submission's, so that a press of Send whose
// answer was lost doubles nothing.
func (s *Site) pack(at seat, papers []visit.Paper, now time.Time) dossier.Dossier {
	state := at.state
	d := dossier.Dossier{
		ID: state.ID, Procedure: at.proc, Values: values(state), Ward: s.o.Ward, Kiosk: s.o.Kiosk,
		Consent: dossier.Consent{Version: consentVersion, Purpose: s.consentText(at.lang), Language: at.lang, Given: state.Consented},
		Channel: dossier.Self, Operator: state.Staff, Started: state.Started, Confirmed: now,
	}
	if state.Channel == visit.Volunteer {
		d.Channel = dossier.Volunteer
	}
	for _, p := range papers {
		page := dossier.Page{Data: p.Data, MediaType: p.MediaType, Kind: paper.Other}
		if len(p.Documents) > 0 {
			page.Kind = p.Documents[0].Type
		}
		for _, want := range at.proc.Papers {
			for _, k := range want.Kinds {
				if k == page.Kind && page.Paper == "" {
					page.Paper = want.ID
				}
			}
		}
		d.Pages = append(d.Pages, page)
	}
	d.Documents, _ = gather(papers)
	return d
}

// consentText is the text that was agreed to, as it was shown.
func (s *Site) consentText(lang string) string {
	text := ""
	for _, key := range []string{"consent.what", "consent.why", "consent.long", "consent.right"} {
		text += s.words.say(lang, key) + "\n"
	}
	return text
}
