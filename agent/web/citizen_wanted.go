package web

import (
	"net/http"

	"motcua/agent/counter"
	"motcua/agent/visit"
)

// wantedBody is the question how a required paper is given that was not recognised among the scanned ones.
type wantedBody struct {
	Want    counter.Want
	Missing bool // pressed on without an answer
}

// openPaper is the address of the first required paper that nobody has said anything of; "" if there is none.
func openPaper(at seat) string {
	for _, w := range counter.Wanted(at.proc, at.visit.State()) {
		if w.Open() {
			return "/wanted/" + w.Paper.ID
		}
	}
	return ""
}

// wanted leads to the first open question on papers, then to the form.
func (s *CitizenPages) wanted(w http.ResponseWriter, r *http.Request, at seat) {
	if !needProcedure(w, r, at) {
		return
	}
	to := openPaper(at)
	if to == "" {
		to = "/check"
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

func (s *CitizenPages) wantedPaper(w http.ResponseWriter, r *http.Request, at seat) {
	if want, ok := s.want(w, r, at); ok {
		s.askWanted(w, r, at, want, http.StatusOK)
	}
}

func (s *CitizenPages) askWanted(w http.ResponseWriter, r *http.Request, at seat, want counter.Want, status int) {
	back := "/papers"
	if len(at.state.Papers) == 0 {
		back = "/scan"
	}
	s.render(w, r, status, "wanted", view{Steps: s.steps(at.lang, visit.Papers), Back: back, Path: "/wanted/" + want.Paper.ID,
		Title: want.Paper.Name.In(at.lang), Body: wantedBody{want, status != http.StatusOK}})
}

func (s *CitizenPages) want(w http.ResponseWriter, r *http.Request, at seat) (counter.Want, bool) {
	if !needProcedure(w, r, at) {
		return counter.Want{}, false
	}
	for _, want := range counter.Wanted(at.proc, at.state) {
		if want.Paper.ID == r.PathValue("paper") {
			return want, true
		}
	}
	s.notFound(w, r)
	return counter.Want{}, false
}

// giveInstead takes the answer how a paper is given.
func (s *CitizenPages) giveInstead(w http.ResponseWriter, r *http.Request, at seat) {
	want, ok := s.want(w, r, at)
	if !ok {
		return
	}
	for _, way := range want.Ways {
		if string(way.ID) != r.PostForm.Get("way") {
			continue
		}
		if err := at.visit.Give(s.now(), want.Paper.ID, string(way.ID)); err != nil {
			s.turnAway(w, r, at, err)
			return
		}
		http.Redirect(w, r, "/wanted", http.StatusSeeOther)
		return
	}
	s.askWanted(w, r, at, want, http.StatusUnprocessableEntity)
}

// without goes on with no paper to scan: the form is filled by hand, and each required paper is asked for.
func (s *CitizenPages) without(w http.ResponseWriter, r *http.Request, at seat) {
	if !needProcedure(w, r, at) {
		return
	}
	if err := counter.Fill(at.visit, at.proc, s.now()); err != nil {
		s.turnAway(w, r, at, err)
		return
	}
	http.Redirect(w, r, "/wanted", http.StatusSeeOther)
}
