package citizen

import (
	"net/http"

	"motcua/agent/counter"
	"motcua/agent/visit"
	"motcua/agent/web/screen"
)

// wantedBody is the question how a required paper is given that was not recognised among the scanned ones.
type wantedBody struct {
	Want    counter.Want
	Missing bool // pressed on without an answer
}

// openPaper is the address of the first required paper that nobody has said anything of; "" if there is none.
func openPaper(at screen.Seat) string {
	for _, w := range counter.Wanted(at.Proc, at.Visit.State()) {
		if w.Open() {
			return "/wanted/" + w.Paper.ID
		}
	}
	return ""
}

// wanted leads to the first open question on papers, then to the form.
func (s *Pages) wanted(w http.ResponseWriter, r *http.Request, at screen.Seat) {
	if !screen.NeedProcedure(w, r, at) {
		return
	}
	to := openPaper(at)
	if to == "" {
		to = "/check"
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

func (s *Pages) wantedPaper(w http.ResponseWriter, r *http.Request, at screen.Seat) {
	if want, ok := s.want(w, r, at); ok {
		s.askWanted(w, r, at, want, http.StatusOK)
	}
}

func (s *Pages) askWanted(w http.ResponseWriter, r *http.Request, at screen.Seat, want counter.Want, status int) {
	back := "/papers"
	if len(at.State.Papers) == 0 {
		back = "/scan"
	}
	title, missing := want.Paper.Name.In(at.Lang), status != http.StatusOK
	if missing {
		title = s.Words.Say(at.Lang, "complaint.missing.choice") + " " + title
	}
	s.Render(w, r, status, "wanted", screen.View{Steps: s.Steps(at.Lang, visit.Papers), Back: back, Path: "/wanted/" + want.Paper.ID,
		Title: title, Body: wantedBody{want, missing}})
}

func (s *Pages) want(w http.ResponseWriter, r *http.Request, at screen.Seat) (counter.Want, bool) {
	if !screen.NeedProcedure(w, r, at) {
		return counter.Want{}, false
	}
	for _, want := range counter.Wanted(at.Proc, at.State) {
		if want.Paper.ID == r.PathValue("paper") {
			return want, true
		}
	}
	s.NotFound(w, r)
	return counter.Want{}, false
}

// giveInstead takes the answer how a paper is given.
func (s *Pages) giveInstead(w http.ResponseWriter, r *http.Request, at screen.Seat) {
	want, ok := s.want(w, r, at)
	if !ok {
		return
	}
	for _, way := range want.Ways {
		if string(way.ID) != r.PostForm.Get("way") {
			continue
		}
		if err := at.Visit.Give(s.Now(), want.Paper.ID, string(way.ID)); err != nil {
			s.TurnAway(w, r, at, err)
			return
		}
		http.Redirect(w, r, "/wanted", http.StatusSeeOther)
		return
	}
	s.askWanted(w, r, at, want, http.StatusUnprocessableEntity)
}

// without goes on with no paper to scan: the form is filled by hand, and each required paper is asked for.
func (s *Pages) without(w http.ResponseWriter, r *http.Request, at screen.Seat) {
	if !screen.NeedProcedure(w, r, at) {
		return
	}
	if err := counter.Fill(at.Visit, at.Proc, s.Now()); err != nil {
		s.TurnAway(w, r, at, err)
		return
	}
	http.Redirect(w, r, "/wanted", http.StatusSeeOther)
}
