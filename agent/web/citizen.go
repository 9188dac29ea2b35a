package web

import (
	"errors"
	"net/http"

	"motcua/agent/procedure"
	"motcua/agent/visit"
	"motcua/queue"
)

// seat is what a citizen's handler works with.
type seat struct {
	session *session
	table   *table
	visit   *visit.Visit
	state   visit.State
	lang    string
	proc    *procedure.Procedure // nil until one is chosen
}

func (s *Site) citizenRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /{$}", s.start)
	mux.HandleFunc("POST /begin", s.beginVisit)
	mux.HandleFunc("POST /speak", s.speak)
	mux.HandleFunc("GET /alive", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	mux.HandleFunc("POST /language", s.setLanguage)
	mux.HandleFunc("POST /size", s.setSize)

	mux.HandleFunc("GET /choose", s.seated(s.choose))
	mux.HandleFunc("GET /choose/{code}", s.seated(s.about))
	mux.HandleFunc("POST /choose/{code}", s.seated(s.pick))
	mux.HandleFunc("GET /consent", s.seated(s.consent))
	mux.HandleFunc("POST /consent", s.seated(s.agree))

	mux.HandleFunc("GET /scan", s.seated(s.scanPage))
	mux.HandleFunc("POST /scan", s.seated(s.scanStart))
	mux.HandleFunc("POST /scan/stop", s.seated(s.scanStop))
	mux.HandleFunc("GET /scan/live", s.seated(s.scanLive))
	mux.HandleFunc("GET /scan/strip/{n}", s.seated(s.scanStrip))
	mux.HandleFunc("POST /upload", s.seated(s.upload))
	mux.HandleFunc("POST /typed", s.seated(s.typed))
	mux.HandleFunc("GET /papers", s.seated(s.papers))
	mux.HandleFunc("POST /papers/{id}/move", s.seated(s.moveSheet))
	mux.HandleFunc("POST /papers/{id}/{act}", s.seated(s.changePaper))
	mux.HandleFunc("GET /papers/{id}/picture", s.seated(s.picture))

	mux.HandleFunc("POST /without", s.seated(s.without))
	mux.HandleFunc("GET /wanted", s.seated(s.wanted))
	mux.HandleFunc("GET /wanted/{paper}", s.seated(s.wantedPaper))
	mux.HandleFunc("POST /wanted/{paper}", s.seated(s.giveInstead))

	mux.HandleFunc("GET /check", s.seated(s.check))
	mux.HandleFunc("GET /check/{field}", s.seated(s.question))
	mux.HandleFunc("POST /check/{field}", s.seated(s.answer))
	mux.HandleFunc("POST /check/{field}/typing", s.seated(s.typing))
	mux.HandleFunc("GET /check/{field}/whole", s.seated(s.whole))
	mux.HandleFunc("GET /check/{field}/crop", s.seated(s.crop))

	mux.HandleFunc("GET /confirm", s.seated(s.confirm))
	mux.HandleFunc("GET /receipt/vietqr.svg", s.seated(s.payment))
	mux.HandleFunc("POST /confirm", s.seated(s.submit))
	mux.HandleFunc("POST /confirm/portal", s.seated(s.portalCode))
	mux.HandleFunc("GET /confirm/form", s.seated(s.formPage))
	mux.HandleFunc("GET /confirm/form/{n}", s.seated(s.formPicture))
	mux.HandleFunc("GET /confirm/form.pdf", s.seated(s.formFile))
	mux.HandleFunc("GET /confirm/form.docx", s.seated(s.formFile))
	mux.HandleFunc("GET /receipt", s.seated(s.receipt))
	mux.HandleFunc("GET /receipt/code.svg", s.seated(s.receiptCode))
	mux.HandleFunc("GET /receipt/live", s.seated(s.receiptLive))

	mux.HandleFunc("POST /stay", s.seated(s.stay))
	mux.HandleFunc("POST /leave", s.leave)
	mux.HandleFunc("POST /call", s.seated(s.call))
	mux.HandleFunc("GET /status", s.status)
	mux.HandleFunc("POST /status", s.status)
	mux.HandleFunc("GET /help", s.help)
}

// seated runs a handler for somebody who has begun a visit; others are shown the start.
func (s *Site) seated(f func(http.ResponseWriter, *http.Request, seat)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		sess := s.session(w, r)
		t := sess.sitting()
		if t == nil {
			http.Redirect(w, r, "/", http.StatusSeeOther)
			return
		}
		at := seat{session: sess, table: t, visit: t.visit, state: t.visit.State(), lang: sess.language()}
		if at.state.Procedure != "" {
			at.proc, _ = s.o.Procedures().Get(at.state.Procedure) // nil if it was taken away meanwhile
		}
		f(w, r, at)
		// Before the answer to a form leaves: it is short, and is sent when this returns. What it says is kept, then.
		s.keep(t, sess)
	}
}

// turnAway leads to the page where the visit really stands; every refusal of the state machine ends
// here, so there is no dead end.
func (s *Site) turnAway(w http.ResponseWriter, r *http.Request, at seat, err error) {
	to := "/"
	switch {
	case errors.Is(err, visit.ErrOver):
	case errors.Is(err, visit.ErrSubmitted):
		to = "/receipt"
	case errors.Is(err, visit.ErrOpen), errors.Is(err, visit.ErrNoField):
		to = "/check"
	case errors.Is(err, visit.ErrNoPaper), errors.Is(err, visit.ErrFull):
		to = "/papers"
	case errors.Is(err, visit.ErrNotYet):
		to = s.whereTo(at.visit.State())
	default:
		s.log.Error("visit", "visit", at.state.ID, "error", err)
		s.fail(w, r, http.StatusInternalServerError, "fault")
		return
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// whereTo is the page of the first step that is not done.
func (s *Site) whereTo(state visit.State) string {
	switch {
	case state.Step == visit.Receipt:
		return "/receipt"
	case state.Procedure == "":
		return "/choose"
	case state.Consented.IsZero():
		return "/consent"
	case len(state.Papers) == 0 && len(state.Ways) == 0:
		return "/scan"
	}
	return "/check"
}

// needProcedure sends a visit whose procedure is not (or no longer) offered to choose one.
func needProcedure(w http.ResponseWriter, r *http.Request, at seat) bool {
	if at.proc != nil {
		return true
	}
	http.Redirect(w, r, "/choose", http.StatusSeeOther)
	return false
}

// fail shows a sentence of the catalogue with ways onward.
func (s *Site) fail(w http.ResponseWriter, r *http.Request, status int, key string) {
	lang := s.session(w, r).language()
	s.render(w, r, status, "fault", view{Title: s.words.say(lang, "fault.title"), Path: "/", Back: "/",
		Body: s.words.say(lang, key)})
}

func (s *Site) notFound(w http.ResponseWriter, r *http.Request) {
	s.fail(w, r, http.StatusNotFound, "fault.no-page")
}

// queueFault is the sentence for a submission the queue did not take.
func queueFault(err error) string {
	switch {
	case errors.Is(err, queue.ErrFull):
		return "fault.queue-full"
	case errors.Is(err, queue.ErrReadOnly):
		return "fault.disk"
	}
	return "fault.not-saved"
}
