// Package citizen has the pages of somebody who hands in papers: choose, consent, scan, look at the papers, answer what is
// open, confirm, receipt; and help, status and leaving on every one of them.
package citizen

import (
	"net/http"
	"sync"

	"motcua/agent/web/screen"
)

// Pages are the citizen's.
type Pages struct {
	*screen.Host
	speaking sync.Mutex // held while it speaks
}

// New makes the citizen's pages.
func New(h *screen.Host) *Pages { return &Pages{Host: h} }

// Routes adds the pages to a mux.
func (s *Pages) Routes(mux *http.ServeMux) {
	mux.HandleFunc("GET /{$}", s.start)
	mux.HandleFunc("POST /begin", s.beginVisit)
	mux.HandleFunc("POST /speak", s.speak)
	mux.HandleFunc("GET /alive", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	mux.HandleFunc("POST /language", s.setLanguage)
	mux.HandleFunc("POST /size", s.setSize)

	mux.HandleFunc("GET /choose", s.Seated(s.choose))
	mux.HandleFunc("GET /choose/{code}", s.Seated(s.about))
	mux.HandleFunc("POST /choose/{code}", s.Seated(s.pick))
	mux.HandleFunc("GET /privacy", s.privacy)
	mux.HandleFunc("GET /consent", s.Seated(s.consent))
	mux.HandleFunc("POST /consent", s.Seated(s.agree))

	mux.HandleFunc("GET /scan", s.Seated(s.scanPage))
	mux.HandleFunc("POST /scan", s.Seated(s.scanStart))
	mux.HandleFunc("POST /scan/stop", s.Seated(s.scanStop))
	mux.HandleFunc("GET /scan/live", s.Seated(s.scanLive))
	mux.HandleFunc("GET /scan/strip/{n}", s.Seated(s.scanStrip))
	mux.HandleFunc("POST /upload", s.Seated(s.upload))
	mux.HandleFunc("GET /stick", s.Seated(s.stickPage))
	mux.HandleFunc("POST /stick", s.Seated(s.stickTake))
	mux.HandleFunc("GET /stick/state", s.Seated(s.stickState))
	mux.HandleFunc("GET /stick/picture", s.Seated(s.stickPicture))
	mux.HandleFunc("POST /typed", s.Seated(s.typed))
	mux.HandleFunc("GET /papers", s.Seated(s.papers))
	mux.HandleFunc("POST /papers/{id}/move", s.Seated(s.moveSheet))
	mux.HandleFunc("POST /papers/{id}/{act}", s.Seated(s.changePaper))
	mux.HandleFunc("GET /papers/{id}/picture", s.Seated(s.picture))

	mux.HandleFunc("POST /without", s.Seated(s.without))
	mux.HandleFunc("GET /wanted", s.Seated(s.wanted))
	mux.HandleFunc("GET /wanted/{paper}", s.Seated(s.wantedPaper))
	mux.HandleFunc("POST /wanted/{paper}", s.Seated(s.giveInstead))

	mux.HandleFunc("GET /check", s.Seated(s.check))
	mux.HandleFunc("GET /check/{field}", s.Seated(s.question))
	mux.HandleFunc("POST /check/{field}", s.Seated(s.answer))
	mux.HandleFunc("POST /check/{field}/typing", s.Seated(s.typing))
	mux.HandleFunc("GET /check/{field}/whole", s.Seated(s.whole))
	mux.HandleFunc("GET /check/{field}/crop", s.Seated(s.crop))

	mux.HandleFunc("GET /confirm", s.Seated(s.confirm))
	mux.HandleFunc("GET /receipt/vietqr.svg", s.Seated(s.payment))
	mux.HandleFunc("POST /confirm", s.Seated(s.submit))
	mux.HandleFunc("POST /confirm/portal", s.Seated(s.portalCode))
	mux.HandleFunc("GET /confirm/form", s.Seated(s.formPage))
	mux.HandleFunc("GET /confirm/form/{n}", s.Seated(s.formPicture))
	mux.HandleFunc("GET /confirm/form.pdf", s.Seated(s.formFile))
	mux.HandleFunc("GET /confirm/form.docx", s.Seated(s.formFile))
	mux.HandleFunc("GET /receipt", s.Seated(s.receipt))
	mux.HandleFunc("POST /receipt/print", s.Seated(s.printReceipt))
	mux.HandleFunc("GET /receipt/code.svg", s.Seated(s.receiptCode))
	mux.HandleFunc("GET /receipt/live", s.Seated(s.receiptLive))

	mux.HandleFunc("GET /later", s.Seated(s.later))
	mux.HandleFunc("POST /later", s.Seated(s.park))
	mux.HandleFunc("POST /later/forget", s.Seated(s.unpark))
	mux.HandleFunc("GET /resume", s.resume)
	mux.HandleFunc("POST /resume", s.resume)

	mux.HandleFunc("POST /stay", s.Seated(s.stay))
	mux.HandleFunc("POST /leave", s.leave)
	mux.HandleFunc("POST /call", s.Seated(s.call))
	mux.HandleFunc("GET /status", s.status)
	mux.HandleFunc("POST /status", s.status)
	mux.HandleFunc("GET /status/result", s.inquired(s.result))
	mux.HandleFunc("GET /status/result/{n}", s.inquired(s.resultPicture))
	mux.HandleFunc("POST /status/collected", s.inquired(s.collected))
	mux.HandleFunc("POST /status/add", s.inquired(s.supplement))
	mux.HandleFunc("POST /status/done", s.statusDone)
	mux.HandleFunc("GET /help", s.help)
	mux.HandleFunc("GET /verify", s.verify)
	mux.HandleFunc("POST /verify", s.verify)
	mux.HandleFunc("POST /verify/print", s.verifyPrint)
	mux.HandleFunc("POST /verify/scan", s.verifyScan)
	mux.HandleFunc("GET /verify/live", s.verifyLive)
}
