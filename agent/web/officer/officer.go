// Package officer has the pages of an officer who certifies copies at a kiosk: each page of a copy is held against the original
// in hand, what was compared waits, and all that waits is signed with one PIN and handed in. In go the visits of the line; out
// come submissions with signed copies. It promises: nothing is signed that its officer did not compare; a copy is signed and
// its submission accepted, or neither; where signing fails all of it waits as it did before, and a sentence says why.
package officer

import (
	"bytes"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"motcua/agent/dossier"
	"motcua/agent/report"
	"motcua/agent/sign"
	"motcua/agent/staff"
	"motcua/agent/visit"
	"motcua/agent/web/screen"
)

// Pages are the officer's.
type Pages struct {
	*screen.Host
	signing sync.Mutex // held while something is signed: a wrong PIN that is sent twice costs two tries of a token
}

// New makes the officer's pages.
func New(h *screen.Host) *Pages { return &Pages{Host: h} }

// Routes adds the pages to a mux.
func (s *Pages) Routes(mux *http.ServeMux) {
	mux.HandleFunc("GET "+homePage, s.Need(staff.Officer, s.home))
	mux.HandleFunc("POST /officer/sign", s.Need(staff.Officer, s.sign))
	mux.HandleFunc("GET /officer/signed", s.Need(staff.Officer, s.signedPage))
	mux.HandleFunc("GET /officer/book", s.Need(staff.Officer, s.book))
	mux.HandleFunc("GET /officer/book.csv", s.Need(staff.Officer, s.bookFile))
	mux.HandleFunc("GET /officer/compare", s.seated(s.compare))
	mux.HandleFunc("POST /officer/compare", s.seated(s.mark))
	mux.HandleFunc("POST /officer/ready", s.seated(s.ready))
	mux.HandleFunc("GET /officer/copy/{n}/{page}", s.seated(s.picture))
}

// seated runs a handler for an officer who has a visit open.
func (s *Pages) seated(f func(http.ResponseWriter, *http.Request, screen.Seat, staff.Member)) http.HandlerFunc {
	return s.Need(staff.Officer, func(w http.ResponseWriter, r *http.Request, m staff.Member) {
		if s.Session(w, r).Sitting() == nil {
			http.Redirect(w, r, "/officer", http.StatusSeeOther)
			return
		}
		s.Seated(func(w http.ResponseWriter, r *http.Request, at screen.Seat) { f(w, r, at, m) })(w, r)
	})
}

type homeBody struct {
	Waiting []screen.Waiting // compared by this officer
	Line    int              // others that wait in the line
	Open    bool             // a visit is before the officer
	Forms   []string
	Form    string
}

// homePage is where an officer signs.
const homePage = "/officer"

func (s *Pages) home(w http.ResponseWriter, r *http.Request, m staff.Member) {
	sess := s.Session(w, r)
	why := s.Refused(r, homePage)
	b := homeBody{Open: sess.Sitting() != nil, Forms: sign.Forms}
	b.Form, _ = why.Body.(string)
	for _, t := range s.Sessions.Lined() {
		if t.Signable(m.Name) {
			b.Waiting = append(b.Waiting, s.Waiting(t, sess.Language()))
		} else {
			b.Line++
		}
	}
	s.RenderConsole(w, r, why.Status, "officer", screen.ConsoleView{Member: m, Done: s.Said(r, sess.Language()), Fault: why.Fault, Body: b})
}

type compareBody struct {
	screen.Compared
	N, Page  int // what is shown, from 0
	Of       int // pages of the copy
	Same     bool
	Left     bool
	Title    string
	Whole    bool
	Previous string // addresses
	Next     string
}

// compare shows a page of a copy, the first that was not compared unless another is asked for.
func (s *Pages) compare(w http.ResponseWriter, r *http.Request, at screen.Seat, m staff.Member) {
	if !s.confirmable(w, r, at) {
		return
	}
	c, err := s.Compare(r.Context(), at.Table, m.Name)
	if err != nil || len(c.Copies) == 0 {
		if err != nil {
			s.Log.Error("make copies to compare", "visit", at.State.ID, "error", err)
		}
		s.RenderConsole(w, r, http.StatusUnprocessableEntity, "compare", screen.ConsoleView{Member: m,
			Fault: s.Words.Say(at.Lang, "compare.no-copies"), Body: compareBody{}})
		return
	}
	b := compareBody{Compared: c, Whole: c.Whole()}
	b.N, b.Page = asked(r, c)
	one := c.Copies[b.N]
	b.Of, b.Same, b.Left, b.Title = len(one.Pages), one.Pages[b.Page], one.Left, one.Title
	b.Previous, b.Next = beside(c, b.N, b.Page)
	s.RenderConsole(w, r, http.StatusOK, "compare", screen.ConsoleView{Member: m, Body: b})
}

// confirmable leads to what is still open before a visit can be sent.
func (s *Pages) confirmable(w http.ResponseWriter, r *http.Request, at screen.Seat) bool {
	if !screen.NeedProcedure(w, r, at) {
		return false
	}
	if err := at.Visit.Go(s.Now(), visit.Confirm); err != nil {
		s.TurnAway(w, r, at, err)
		return false
	}
	return true
}

// named is the page that a request names; not ok where there is no such page.
func named(r *http.Request, c screen.Compared) (n, page int, ok bool) {
	n, err := strconv.Atoi(r.FormValue("copy"))
	page, err2 := strconv.Atoi(r.FormValue("page"))
	return n, page, err == nil && err2 == nil && n >= 0 && n < len(c.Copies) && page >= 0 && page < len(c.Copies[n].Pages)
}

// asked is the page that the address names, else the first that is open, else the first.
func asked(r *http.Request, c screen.Compared) (n, page int) {
	if n, page, ok := named(r, c); ok {
		return n, page
	}
	for n, one := range c.Copies {
		if page := slices.Index(one.Pages, false); page >= 0 && !one.Left {
			return n, page
		}
	}
	return 0, 0
}

// beside gives the addresses of the pages before and after one.
func beside(c screen.Compared, n, page int) (previous, next string) {
	var all []string
	now := 0
	for i, one := range c.Copies {
		for p := range one.Pages {
			if i == n && p == page {
				now = len(all)
			}
			all = append(all, address(i, p))
		}
	}
	if now > 0 {
		previous = all[now-1]
	}
	if now+1 < len(all) {
		next = all[now+1]
	}
	return previous, next
}

func address(n, page int) string {
	return "/officer/compare?copy=" + strconv.Itoa(n) + "&page=" + strconv.Itoa(page)
}

// mark notes what the officer found on a page.
func (s *Pages) mark(w http.ResponseWriter, r *http.Request, at screen.Seat, m staff.Member) {
	if !s.confirmable(w, r, at) {
		return
	}
	c, err := s.Compare(r.Context(), at.Table, m.Name)
	if err != nil || len(c.Copies) == 0 {
		http.Redirect(w, r, "/officer/compare", http.StatusSeeOther)
		return
	}
	n, page, ok := named(r, c)
	of := r.PostForm.Get("of")
	if !ok || of != c.Of { // the papers are others by now than those that were looked at
		http.Redirect(w, r, "/officer/compare", http.StatusSeeOther)
		return
	}
	switch r.PostForm.Get("found") {
	case "same":
		at.Table.SamePage(of, n, page)
	case "leave":
		at.Table.LeaveCopy(of, n, true)
	case "take":
		at.Table.LeaveCopy(of, n, false)
	}
	http.Redirect(w, r, "/officer/compare", http.StatusSeeOther)
}

// ready puts the visit among those that wait for the PIN.
func (s *Pages) ready(w http.ResponseWriter, r *http.Request, at screen.Seat, m staff.Member) {
	c, err := s.Compare(r.Context(), at.Table, m.Name)
	if err != nil || !c.Whole() || at.Visit.Ready(s.Now()) != nil {
		http.Redirect(w, r, "/officer/compare", http.StatusSeeOther)
		return
	}
	at.Table.ReadyToSign(s.Now())
	s.HandBack(r.Context(), at.Session)
	http.Redirect(w, r, "/officer", http.StatusSeeOther)
}

// sightWidth is the width of a page's picture in pixels: A4 at 190 dpi, so that small print can be compared.
const sightWidth = 1600

func (s *Pages) picture(w http.ResponseWriter, r *http.Request, at screen.Seat, _ staff.Member) {
	n, err := strconv.Atoi(r.PathValue("n"))
	page, err2 := strconv.Atoi(r.PathValue("page"))
	if err != nil || err2 != nil || page < 0 {
		http.NotFound(w, r)
		return
	}
	_ = at.Visit.Touch(s.Now())
	data, err := s.CopyPage(r.Context(), at.Table, n, page, sightWidth)
	if err != nil {
		if r.Context().Err() == nil {
			s.Log.Warn("picture of a copy", "visit", at.State.ID, "error", err)
		}
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", http.DetectContentType(data))
	w.Header().Set("Content-Length", strconv.Itoa(len(data)))
	_, _ = w.Write(data)
}

// signingTime bounds one signing of all that waits: a token takes about a second a copy.
const signingTime = 10 * time.Minute

// sign signs what was chosen, with one PIN, one submission after the other; it stops at the first that can't be signed.
func (s *Pages) sign(w http.ResponseWriter, r *http.Request, m staff.Member) {
	form := r.PostForm.Get("form")
	refuse := func(status int, key string, pairs ...any) {
		said := s.Words.Say(s.Session(w, r).Language(), key, pairs...)
		s.Refuse(w, r, homePage, screen.Refused{Status: status, Fault: said, Body: form})
	}
	chosen := r.PostForm["visit"]
	switch {
	case !slices.Contains(sign.Forms, form):
		refuse(http.StatusUnprocessableEntity, "officer.no-form")
		return
	case len(chosen) == 0:
		refuse(http.StatusUnprocessableEntity, "officer.none-chosen")
		return
	case r.PostForm.Get("pin") == "": // a token may count that as a wrong one
		refuse(http.StatusUnprocessableEntity, "officer.no-pin")
		return
	case !s.signing.TryLock():
		refuse(http.StatusConflict, "officer.signing")
		return
	}
	defer s.signing.Unlock()
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(signingTime))
	signer, done, err := s.Options.Console.Signing.Open(r.Context(), r.PostForm.Get("pin"), sign.Mark{Form: form})
	if err != nil {
		refuse(http.StatusUnprocessableEntity, s.fault(err))
		return
	}
	defer done()
	signed, err := s.signAll(w, r, m, signer, chosen)
	if len(signed) > 0 { // else the same form was sent again: what it did is told still
		s.Session(w, r).KeepSigned(signed)
	}
	s.Refused(r, homePage) // of a try before that no page has told of
	switch {
	case err != nil && len(signed) == 0:
		refuse(http.StatusUnprocessableEntity, s.fault(err))
	case err != nil:
		refuse(http.StatusUnprocessableEntity, "officer.stopped", "n", len(signed), "why", s.Words.Say(s.Session(w, r).Language(), s.fault(err)))
	default:
		http.Redirect(w, r, "/officer/signed", http.StatusSeeOther)
	}
}

// signAll signs and hands in the chosen visits, as far as it comes. One that doesn't wait any more, and was not handed in
// either, is somebody else's by now: screen.ErrOtherPapers.
func (s *Pages) signAll(w http.ResponseWriter, r *http.Request, m staff.Member, signer *sign.Signer, chosen []string) (
	[]screen.Signed, error) {
	sess := s.Session(w, r)
	var out []screen.Signed
	for _, t := range s.Sessions.Lined() {
		if !slices.Contains(chosen, t.Visit.ID) || !t.Signable(m.Name) || s.Sessions.Unline(t.Visit.ID) == nil {
			continue
		}
		shown := s.Waiting(t, sess.Language())
		if err := s.Certify(r.Context(), t, signer, m, sess.Language()); err != nil {
			s.LineUp(t)
			return out, err
		}
		out = append(out, screen.Signed{Who: shown.Who, What: shown.What, Code: t.Visit.State().Code})
		if len(chosen) == 1 && sess.Sitting() == nil && s.Seat(r, sess, t, m) == nil {
			continue // its receipt can be shown and printed
		}
		s.EndVisit(r.Context(), t, "finished")
	}
	for _, id := range chosen {
		if _, err := s.Options.Queue.Get(id); err != nil {
			return out, screen.ErrOtherPapers
		}
	}
	return out, nil
}

// fault is the key of the sentence about a failure.
func (s *Pages) fault(err error) string {
	var failed *sign.Error
	var invalid *dossier.InvalidError
	switch {
	case errors.As(err, &failed):
		s.Log.Warn("sign copies", "failure", string(failed.Failure))
		return "sign." + string(failed.Failure)
	case errors.Is(err, screen.ErrOtherPapers), errors.Is(err, visit.ErrOpen), errors.Is(err, visit.ErrNotYet), errors.As(err, &invalid):
		return "officer.changed"
	}
	s.Log.Error("sign copies", "error", err)
	return screen.QueueFault(err)
}

type signedBody struct {
	Signed  []screen.Signed
	Receipt bool // the receipt of the only one is before the officer
}

func (s *Pages) signedPage(w http.ResponseWriter, r *http.Request, m staff.Member) {
	sess := s.Session(w, r)
	b := signedBody{Signed: sess.SignedLast()}
	if t := sess.Sitting(); t != nil && t.Visit.State().Step == visit.Receipt {
		b.Receipt = true
	}
	if len(b.Signed) == 0 {
		http.Redirect(w, r, "/officer", http.StatusSeeOther)
		return
	}
	s.RenderConsole(w, r, http.StatusOK, "signed", screen.ConsoleView{Member: m, Body: b})
}

type bookBody struct {
	Month string
	Name  string // of the book, as the marks on its copies have it
	Lines []bookLine
}

type bookLine struct {
	sign.Certified
	Code string // of the submission; empty: the copy was never handed in, its number says nothing
}

// book shows the register of certifications of a month, to be printed.
func (s *Pages) book(w http.ResponseWriter, r *http.Request, m staff.Member) {
	month, register := s.month(r)
	b := bookBody{Month: month, Name: register.Book()}
	for _, e := range register.In(month) {
		b.Lines = append(b.Lines, bookLine{Certified: e, Code: s.codeOf(e.Submission)})
	}
	s.RenderConsole(w, r, http.StatusOK, "book", screen.ConsoleView{Member: m, Body: b})
}

// month is the month that is asked for, else this one, and the register.
func (s *Pages) month(r *http.Request) (string, *sign.Register) {
	month := r.URL.Query().Get("month")
	if _, err := time.Parse("2006-01", month); err != nil {
		month = sign.MonthOf(s.Now())
	}
	return month, s.Options.Console.Signing.Register
}

func (s *Pages) codeOf(submission string) string {
	sub, err := s.Options.Queue.Get(submission)
	if err != nil {
		return ""
	}
	return sub.Code
}

// bookFile gives the register of a month as a table, to be joined with those of the ward's other kiosks.
func (s *Pages) bookFile(w http.ResponseWriter, r *http.Request, m staff.Member) {
	month, register := s.month(r)
	var b bytes.Buffer
	if err := report.WriteCSV(&b, register.Table(s.Options.Kiosk, register.In(month), s.codeOf)); err != nil {
		s.Log.Error("register as CSV", "error", err)
		s.RenderConsole(w, r, http.StatusInternalServerError, "book", screen.ConsoleView{Member: m, Body: bookBody{Month: month}})
		return
	}
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="motcua-so-chung-thuc-`+month+`.csv"`)
	_, _ = w.Write(b.Bytes()) // the browser may have gone
}
