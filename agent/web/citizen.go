package web

import (
	"net/http"
	"sync"
)

// CitizenPages are the citizen's.
type CitizenPages struct {
	*Host
	speaking sync.Mutex // held while it speaks
}

// NewCitizen makes the citizen's pages.
func NewCitizen(h *Host) *CitizenPages { return &CitizenPages{Host: h} }

// Routes adds the pages to a mux.
func (s *CitizenPages) Routes(mux *http.ServeMux) {
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
