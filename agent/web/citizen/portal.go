package citizen

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"motcua/agent/counter"
	"motcua/agent/dossier"
	"motcua/agent/portal"
	"motcua/agent/procedure"
	"motcua/agent/visit"
	"motcua/agent/web/screen"
	"motcua/ocr/paper"
)

// The way into the portal's own form: a one-time code on the screen, which the browser extension trades for the
// answers and copies of this visit.

type portalBody struct {
	Code    []string // in groups, to be typed
	Minutes int
}

// onPortal tells whether the visit's procedure can be filled on the portal.
func (s *Pages) onPortal(at screen.Seat) bool {
	return at.Proc != nil && s.Options.Portal[at.Proc.Code] != nil
}

// portalCode opens a code for a visit whose form is whole.
func (s *Pages) portalCode(w http.ResponseWriter, r *http.Request, at screen.Seat) {
	if !screen.NeedProcedure(w, r, at) {
		return
	}
	if err := at.Visit.Go(s.Now(), visit.Confirm); err != nil || !s.onPortal(at) {
		s.TurnAway(w, r, at, errors.Join(err, visit.ErrNotYet))
		return
	}
	v, p := at.Visit, at.Proc
	code, err := s.Desk.Offer(v.ID, portal.Job{Work: func() (portal.Work, error) { return s.work(s.Ending, v, p) }, Here: s.onScreen(v)})
	if err != nil {
		s.Log.Error("portal code", "visit", at.State.ID, "error", err)
		s.Fail(w, r, http.StatusInternalServerError, "fault")
		return
	}
	half := len(code) / 2
	s.Render(w, r, http.StatusOK, "portal", screen.View{Steps: s.Steps(at.Lang, visit.Confirm), Back: "/confirm", Path: "/confirm",
		Body: portalBody{[]string{code[:half], code[half:]}, int(portal.CodeLife.Minutes())}})
}

// portalSilence is how long a visit may be silent on the portal's pages in the kiosk's own browser: to sign in there takes a minute
// or two on the person's own phone, without a touch of the screen.
const portalSilence = 3 * time.Minute

// onScreen is what the extension tells of a visit whose form is filled in the kiosk's own browser: while the person does something
// there, and as long again as they may be silent, the visit goes on and the screen isn't lost.
func (s *Pages) onScreen(v *visit.Visit) func(acted bool) time.Duration {
	var mu sync.Mutex
	acted := s.Now()
	return func(now bool) time.Duration {
		mu.Lock()
		defer mu.Unlock()
		if left, _ := v.Silence(s.Now()); left == 0 {
			return 0
		}
		if now {
			acted = s.Now()
		}
		held := portalSilence - s.Now().Sub(acted)
		if now || held > v.Limits().Silence { // less than that is the visit's own to count
			_ = v.Touch(s.Now())
		}
		s.OnPortal()
		left, _ := v.Silence(s.Now())
		return max(held, left)
	}
}

// work is what the extension is given: the visit's answers as they are when the code is named, and its papers.
func (s *Pages) work(ctx context.Context, v *visit.Visit, p *procedure.Procedure) (portal.Work, error) {
	state := v.State()
	if state.Step != visit.Confirm || len(state.Open()) > 0 {
		return portal.Work{}, visit.ErrNotYet // the visit has moved on, or is over
	}
	w := s.Options.Portal.Plan(p, counter.Values(state.Form), p.Units())
	err := v.Use(func(papers []visit.Paper) error {
		d := s.Office().Pack(ctx, counter.Matter{Procedure: p, Confirmed: s.Now()}, state.Form, papers)
		for i, c := range d.Copies {
			w.Files = append(w.Files, portal.File{Paper: whichPaper(p, state, c.Kind), Name: fmt.Sprintf("giay-to-%d.pdf", i+1),
				MediaType: "application/pdf", Data: c.Data})
		}
		if len(d.Copies) == 0 {
			for i, page := range d.Pages { // the pages' bytes are wiped with the visit: the plan takes its own
				w.Files = append(w.Files, portal.File{Paper: whichPaper(p, state, page.Kind), Name: pageName(i, page),
					MediaType: page.MediaType, Data: slices.Clone(page.Data)})
			}
		}
		return nil
	})
	return w, err
}

func pageName(i int, p dossier.Page) string {
	_, kind, _ := strings.Cut(p.MediaType, "/")
	return fmt.Sprintf("giay-to-%d.%s", i+1, strings.Replace(kind, "jpeg", "jpg", 1))
}

// whichPaper is the paper of the procedure that a scanned one is: by its kind, or by what the person said of the
// sheets that aren't recognised, where that is one paper only.
func whichPaper(p *procedure.Procedure, state visit.State, kind paper.Kind) string {
	said := ""
	for _, w := range counter.Wanted(p, state) {
		if slices.Contains(w.Paper.Kinds, kind) {
			return w.Paper.ID
		}
		if w.Way.ID == counter.Scanned && len(w.Paper.Kinds) == 0 {
			if said != "" {
				return ""
			}
			said = w.Paper.ID
		}
	}
	return said
}
