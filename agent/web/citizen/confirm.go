package citizen

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
	"motcua/agent/web/screen"
	"motcua/agent/web/vietqr"
)

type confirmBody struct {
	Proc    *procedure.Procedure
	Pages   int
	Fee     int64
	Account screen.Account
	Notes   []counter.Note // what to look at again
	Wants   []counter.Want
	Portal  bool // the portal's own form can be filled
	Form    bool // there is an official form to look at
	Fault   string
}

func (s *Pages) confirm(w http.ResponseWriter, r *http.Request, at screen.Seat) {
	if !screen.NeedProcedure(w, r, at) {
		return
	}
	if err := at.Visit.Go(s.Now(), visit.Confirm); err != nil {
		s.TurnAway(w, r, at, err)
		return
	}
	if len(at.State.Papers) == 0 && len(at.State.Ways) == 0 {
		http.Redirect(w, r, "/scan", http.StatusSeeOther)
		return
	}
	if to := openPaper(at); to != "" {
		http.Redirect(w, r, to, http.StatusSeeOther)
		return
	}
	s.showConfirm(w, r, at, http.StatusOK, "")
}

func (s *Pages) showConfirm(w http.ResponseWriter, r *http.Request, at screen.Seat, status int, fault string) {
	b := confirmBody{Proc: at.Proc, Pages: counter.Pages(at.State.Papers), Account: s.Options.Account, Fault: fault}
	b.Fee = at.Proc.Price(counter.Values(at.State.Form), b.Pages)
	b.Notes = s.notes(r, at)
	b.Wants, b.Form = counter.Wanted(at.Proc, at.State), s.Options.Form != nil && s.Options.Form(at.Proc) != nil
	b.Portal = s.onPortal(at)
	s.Render(w, r, status, "confirm", screen.View{Steps: s.Steps(at.Lang, visit.Confirm), Back: "/check", Path: "/confirm",
		Commits: true, Body: b})
}

// purpose is what stands on the bank statement: the receipt's code, and nobody's name.
func purpose(code string) string { return "HS " + strings.ReplaceAll(code, "-", "") }

// payment draws the VietQR of the fee, with the code of the receipt as its reference.
func (s *Pages) payment(w http.ResponseWriter, r *http.Request, at screen.Seat) {
	if at.State.Code == "" || s.Options.Account.Number == "" || at.State.Facts.Fee == 0 {
		http.NotFound(w, r)
		return
	}
	to := s.Options.Account
	text, err := vietqr.Transfer{BIN: to.BIN, Account: to.Number, Amount: at.State.Facts.Fee, Purpose: purpose(at.State.Code)}.Encode()
	if err != nil {
		http.NotFound(w, r)
		return
	}
	sendQR(w, r, text)
}

// notes looks at the papers once more before they are sent.
func (s *Pages) notes(r *http.Request, at screen.Seat) (notes []counter.Note) {
	_ = at.Visit.Use(func(papers []visit.Paper) error { // fails only where the visit has just ended
		notes = counter.Precheck(papers, s.Now(), func(id string) image.Image {
			data, err := at.Table.Pictures.Get(fmt.Sprintf("%s/1/%d", id, smallWidth), func() ([]byte, error) {
				i := slices.IndexFunc(papers, func(p visit.Paper) bool { return p.ID == id })
				return s.Options.Reader.Preview(r.Context(), papers[i].Data, 1, smallWidth)
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

func (s *Pages) submit(w http.ResponseWriter, r *http.Request, at screen.Seat) {
	if at.State.Step == visit.Receipt { // pressed twice
		http.Redirect(w, r, "/receipt", http.StatusSeeOther)
		return
	}
	if !screen.NeedProcedure(w, r, at) {
		return
	}
	_ = at.Visit.Note(s.Now(), screen.Facts(at.State, at.Proc)) // refused where it was sent already
	accepted, err := s.Office().Submit(r.Context(), s.Options.Queue, at.Visit, at.Proc, s.Consent(at.Lang), s.Now())
	var invalid *dossier.InvalidError
	switch {
	case err == nil:
	case errors.As(err, &invalid):
		http.Redirect(w, r, "/check", http.StatusSeeOther)
		return
	case errors.Is(err, visit.ErrOver), errors.Is(err, visit.ErrOpen), errors.Is(err, visit.ErrNotYet), errors.Is(err, visit.ErrSubmitted):
		s.TurnAway(w, r, at, err)
		return
	default:
		s.Log.Error("enqueue", "visit", at.State.ID, "error", err)
		s.showConfirm(w, r, at, http.StatusServiceUnavailable, s.Words.Say(at.Lang, screen.QueueFault(err)))
		return
	}
	at.Table.Pictures.Wipe()
	at.Table.Faces.Wipe()
	at.Table.Live.Reset()
	s.Log.Info("submission accepted", "visit", at.State.ID, "submission", accepted.ID)
	s.Note(audit.Event{Actor: who(at.State), Act: audit.SubmissionAccepted, Submission: accepted.ID, Procedure: at.Proc.Code})
	http.Redirect(w, r, "/receipt", http.StatusSeeOther)
}

func who(state visit.State) string {
	if state.Staff != "" {
		return state.Staff
	}
	return "citizen"
}
