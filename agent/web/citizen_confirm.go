package web

import (
	"errors"
	"fmt"
	"image"
	"net/http"
	"slices"
	"strings"

	"motcua/agent/audit"
	"motcua/agent/counter"
	"motcua/agent/dossier"
	"motcua/agent/procedure"
	"motcua/agent/visit"
	"motcua/agent/web/vietqr"
)

type confirmBody struct {
	Proc    *procedure.Procedure
	Pages   int
	Fee     int64
	Account Account
	Notes   []counter.Note // what to look at again
	Wants   []counter.Want
	Portal  bool // the portal's own form can be filled
	Form    bool // there is an official form to look at
	Fault   string
}

func (s *CitizenPages) confirm(w http.ResponseWriter, r *http.Request, at seat) {
	if !needProcedure(w, r, at) {
		return
	}
	if err := at.visit.Go(s.now(), visit.Confirm); err != nil {
		s.turnAway(w, r, at, err)
		return
	}
	if len(at.state.Papers) == 0 && len(at.state.Ways) == 0 {
		http.Redirect(w, r, "/scan", http.StatusSeeOther)
		return
	}
	if to := openPaper(at); to != "" {
		http.Redirect(w, r, to, http.StatusSeeOther)
		return
	}
	s.showConfirm(w, r, at, http.StatusOK, "")
}

func (s *CitizenPages) showConfirm(w http.ResponseWriter, r *http.Request, at seat, status int, fault string) {
	b := confirmBody{Proc: at.proc, Pages: counter.Pages(at.state.Papers), Account: s.o.Account, Fault: fault}
	b.Fee = at.proc.Price(counter.Values(at.state.Form), b.Pages)
	b.Notes = s.notes(r, at)
	b.Wants, b.Form = counter.Wanted(at.proc, at.state), s.o.Form != nil && s.o.Form(at.proc) != nil
	b.Portal = s.onPortal(at)
	s.render(w, r, status, "confirm", view{Steps: s.steps(at.lang, visit.Confirm), Back: "/check", Path: "/confirm", Commits: true, Body: b})
}

// facts are what the receipt says of the submission.
func facts(at seat) visit.Facts {
	f := visit.Facts{Pages: counter.Pages(at.state.Papers)}
	f.Fee = at.proc.Price(counter.Values(at.state.Form), f.Pages)
	for _, e := range at.state.Form {
		if field, ok := at.proc.Field(e.Name); ok && field.Type == procedure.Name && e.Value != "" && !e.Idle {
			for _, word := range strings.Fields(e.Value) {
				f.Initials += string([]rune(word)[:1]) + "."
			}
			break
		}
	}
	f.Initials = strings.ToUpper(f.Initials)
	return f
}

// purpose is what stands on the bank statement: the receipt's code, and nobody's name.
func purpose(code string) string { return "HS " + strings.ReplaceAll(code, "-", "") }

// payment draws the VietQR of the fee, with the code of the receipt as its reference.
func (s *CitizenPages) payment(w http.ResponseWriter, r *http.Request, at seat) {
	if at.state.Code == "" || s.o.Account.Number == "" || at.state.Facts.Fee == 0 {
		http.NotFound(w, r)
		return
	}
	text, err := vietqr.Transfer{BIN: s.o.Account.BIN, Account: s.o.Account.Number, Amount: at.state.Facts.Fee, Purpose: purpose(at.state.Code)}.Encode()
	if err != nil {
		http.NotFound(w, r)
		return
	}
	sendQR(w, r, text)
}

// notes looks at the papers once more before they are sent.
func (s *CitizenPages) notes(r *http.Request, at seat) (notes []counter.Note) {
	_ = at.visit.Use(func(papers []visit.Paper) error { // fails only where the visit has just ended
		notes = counter.Precheck(papers, s.now(), func(id string) image.Image {
			data, err := at.table.pictures.get(fmt.Sprintf("%s/1/%d", id, smallWidth), func() ([]byte, error) {
				i := slices.IndexFunc(papers, func(p visit.Paper) bool { return p.ID == id })
				return s.o.Reader.Preview(r.Context(), papers[i].Data, 1, smallWidth)
			})
			if err != nil {
				return nil // a page that cannot be drawn is told where it is shown
			}
			return counter.Picture(data)
		})
		return nil
	})
	return notes
}

func (s *CitizenPages) submit(w http.ResponseWriter, r *http.Request, at seat) {
	if at.state.Step == visit.Receipt { // pressed twice
		http.Redirect(w, r, "/receipt", http.StatusSeeOther)
		return
	}
	if !needProcedure(w, r, at) {
		return
	}
	_ = at.visit.Note(s.now(), facts(at)) // refused where it was sent already
	consent := dossier.Consent{Version: consentVersion, Purpose: s.consentText(at.lang), Language: at.lang}
	accepted, err := s.office().Submit(r.Context(), s.o.Queue, at.visit, at.proc, consent, s.now())
	var invalid *dossier.InvalidError
	switch {
	case err == nil:
	case errors.As(err, &invalid):
		http.Redirect(w, r, "/check", http.StatusSeeOther)
		return
	case errors.Is(err, visit.ErrOver), errors.Is(err, visit.ErrOpen), errors.Is(err, visit.ErrNotYet), errors.Is(err, visit.ErrSubmitted):
		s.turnAway(w, r, at, err)
		return
	default:
		s.log.Error("enqueue", "visit", at.state.ID, "error", err)
		s.showConfirm(w, r, at, http.StatusServiceUnavailable, s.words.say(at.lang, queueFault(err)))
		return
	}
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

// office is where this kiosk stands.
func (s *CitizenPages) office() counter.Office {
	return counter.Office{Ward: s.o.Ward, Kiosk: s.o.Kiosk, Form: s.o.Form, Copies: s.o.Copies}
}

// consentText is the text that was agreed to, as it was shown.
func (s *CitizenPages) consentText(lang string) string {
	text := ""
	for _, key := range []string{"consent.what", "consent.why", "consent.long", "consent.right"} {
		text += s.words.say(lang, key) + "\n"
	}
	return text
}
