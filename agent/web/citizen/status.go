package citizen

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"motcua/agent/answer"
	"motcua/agent/audit"
	"motcua/agent/procedure"
	"motcua/agent/web/screen"
	"motcua/queue"
)

// "Tra cứu hồ sơ": where a dossier stands, by receipt code and year of birth, at any kiosk of the ward. What is shown stays for
// a short while only; a result is shown, printed, and then wiped from this kiosk.

type statusBody struct {
	Code  string // as it was typed
	Year  string
	Error string
	Found *found
}

// found is a dossier as its citizen sees it.
type found struct {
	Code    string
	Proc    *procedure.Procedure
	Since   time.Time
	State   string // "received", as the office says it; one of the queue's where the office has not answered
	Words   string // key of the state's title; its text is Words + ".text"
	At      time.Time
	Reasons []answer.Reason
	Text    string // as the officer wrote it
	Result  bool   // it lies here and can be shown
	Coming  bool   // it is announced and has not come yet
	Taken   bool   // it was handed over, here or at another kiosk, and wiped
	Lapsed  bool   // it was wiped here although nobody fetched it
	Add     bool   // papers can be added at this kiosk
}

// statusStays is how long the page of a dossier stays on a screen that nobody touches, in seconds.
const statusStays = int(screen.InquiryStays / time.Second)

// firstYear is the earliest year of birth that is taken for one.
const firstYear = 1900

func (s *Pages) status(w http.ResponseWriter, r *http.Request) {
	sess := s.Session(w, r)
	back := "/"
	if t := sess.Sitting(); t != nil {
		_ = t.Visit.Touch(s.Now())
		back = s.WhereTo(t.Visit.State())
	}
	b, code := statusBody{}, http.StatusOK
	if r.Method == http.MethodPost {
		b.Code, b.Year = strings.TrimSpace(r.PostForm.Get("code")), strings.TrimSpace(r.PostForm.Get("year"))
		code = s.inquire(r, sess, &b)
	} else {
		b.Code = strings.TrimSpace(r.URL.Query().Get("code"))
		if _, ok := queue.ParseCode(b.Code); !ok {
			b.Code = ""
		}
	}
	if b.Found != nil {
		w.Header().Set("Refresh", strconv.Itoa(statusStays)+"; url=/")
	}
	s.Render(w, r, code, "status", screen.View{Back: back, Path: "/status", Body: b})
}

// inquire answers a question, and gives the status code of the page.
func (s *Pages) inquire(r *http.Request, sess *screen.Session, b *statusBody) int {
	say := func(key string) string { return s.Words.Say(sess.Language(), key) }
	sess.ForgetInquiry()
	code, ok := queue.ParseCode(b.Code)
	if !ok {
		b.Error = say("status.slip")
		return http.StatusUnprocessableEntity
	}
	year, err := strconv.Atoi(b.Year)
	if err != nil || year < firstYear || year > s.Now().Year() {
		b.Error = say("status.no-year")
		return http.StatusUnprocessableEntity
	}
	if s.Options.Inquiry == nil {
		b.Error = say("status.away")
		return http.StatusServiceUnavailable
	}
	record, err := s.Options.Inquiry.Ask(r.Context(), code, year)
	switch {
	case errors.Is(err, answer.ErrNoMatch):
		b.Error = say("status.unknown")
		return http.StatusNotFound
	case errors.Is(err, answer.ErrTooMany):
		b.Error = say("status.wait")
		return http.StatusTooManyRequests
	case err != nil:
		if r.Context().Err() == nil {
			s.Log.Error("status", "error", err)
		}
		b.Error = say("fault")
		return http.StatusServiceUnavailable
	}
	sess.Inquired(record.Submission, s.Now())
	s.Note(audit.Event{Actor: "citizen", Act: audit.DossierAsked, Submission: record.Submission, Procedure: record.Procedure})
	b.Found = s.found(code, record)
	return http.StatusOK
}

// found is what is told of a record.
func (s *Pages) found(code string, r answer.Record) *found {
	f := &found{Code: code, Proc: s.Procedure(r.Procedure), Since: r.Received, At: r.At, State: string(r.State), Text: r.Text,
		Words: "answer." + string(r.State), Taken: !r.Collected.IsZero(), Lapsed: !r.Lapsed.IsZero()}
	if r.State == "" {
		f.State, f.Words = "unknown", "stands.unknown"
		if sub, err := s.Options.Queue.Get(r.Submission); err == nil {
			f.State, f.Words, f.Since = string(sub.State), "stands."+string(sub.State), sub.Created
		}
		return f
	}
	if !s.Words.Has("vi", f.Words) {
		f.Words = "answer.other" // of a later program: told as what it is not known to be
	}
	for _, code := range r.Reasons {
		if reason, ok := answer.ReasonOf(code); ok {
			f.Reasons = append(f.Reasons, reason)
		}
	}
	if r.Result != nil && !f.Taken && !f.Lapsed {
		_, data, err := s.Options.Inquiry.Result(r.Submission)
		clear(data)
		f.Result, f.Coming = err == nil, err != nil
	}
	f.Add = r.State == answer.NeedsMore && f.Proc != nil
	return f
}

// inquired gives the submission that somebody at this screen may look at, or leads to the question.
func (s *Pages) inquired(f func(http.ResponseWriter, *http.Request, *screen.Session, string)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		sess := s.Session(w, r)
		submission := sess.Inquiry(s.Now())
		if submission == "" || s.Options.Inquiry == nil {
			http.Redirect(w, r, "/status", http.StatusSeeOther)
			return
		}
		f(w, r, sess, submission)
	}
}

type resultBody struct {
	Pages  []int
	Name   string
	SHA256 string // of what is shown: a newer one is not wiped for it
}

// result shows a result, page by page.
func (s *Pages) result(w http.ResponseWriter, r *http.Request, _ *screen.Session, submission string) {
	file, data, err := s.Options.Inquiry.Result(submission)
	if err != nil {
		http.Redirect(w, r, "/status", http.StatusSeeOther)
		return
	}
	defer clear(data)
	b := resultBody{Name: file.Name, SHA256: file.SHA256}
	for n := 1; n <= resultPages; n++ {
		if _, err := s.Options.Reader.Preview(r.Context(), data, n, probeWidth); err != nil {
			break // it has no more; one that can't be drawn at all is handed over at the counter
		}
		b.Pages = append(b.Pages, n)
	}
	s.Note(audit.Event{Actor: "citizen", Act: audit.ResultShown, Submission: submission})
	w.Header().Set("Refresh", strconv.Itoa(statusStays)+"; url=/")
	s.Render(w, r, http.StatusOK, "result", screen.View{Back: "/status", Path: "/status", Body: b})
}

const (
	resultPages = 30 // most pages of a result that are shown
	probeWidth  = 32 // pixels: to find out whether there is a page
)

// resultWidth is the width of a result's picture in pixels: A4 at 150 dpi, as a printer still sets small type.
const resultWidth = 1240

func (s *Pages) resultPicture(w http.ResponseWriter, r *http.Request, _ *screen.Session, submission string) {
	n, err := strconv.Atoi(r.PathValue("n"))
	if err != nil {
		http.NotFound(w, r)
		return
	}
	_, data, err := s.Options.Inquiry.Result(submission)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	defer clear(data)
	picture, err := s.Options.Reader.Preview(r.Context(), data, n, resultWidth)
	if err != nil {
		s.Log.Error("show result", "submission", submission, "error", err)
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", http.DetectContentType(picture))
	w.Header().Set("Content-Length", fmt.Sprint(len(picture)))
	_, _ = w.Write(picture)
}

// collected wipes a result that its citizen has in hand.
func (s *Pages) collected(w http.ResponseWriter, r *http.Request, sess *screen.Session, submission string) {
	err := s.Options.Inquiry.Wipe(submission, r.PostForm.Get("result"), s.Now())
	if errors.Is(err, answer.ErrUnknown) { // the office gave another one meanwhile: it is shown
		http.Redirect(w, r, "/status/result", http.StatusSeeOther)
		return
	}
	if err != nil {
		s.Log.Error("wipe result", "submission", submission, "error", err)
		s.Fail(w, r, http.StatusInternalServerError, "fault")
		return
	}
	s.Note(audit.Event{Actor: "citizen", Act: audit.ResultWiped, Submission: submission})
	sess.ForgetInquiry()
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// supplement begins a visit that adds papers to the dossier that was asked about.
func (s *Pages) supplement(w http.ResponseWriter, r *http.Request, sess *screen.Session, submission string) {
	code := r.PostForm.Get("procedure")
	if s.Procedure(code) == nil {
		http.Redirect(w, r, "/status", http.StatusSeeOther)
		return
	}
	if s.Full(w, r) {
		return
	}
	sess.ForgetInquiry()
	t := s.Begin(sess)
	if err := t.Visit.Supplement(s.Now(), code, submission); err != nil {
		s.TurnAway(w, r, screen.Seat{Session: sess, Table: t, Visit: t.Visit, State: t.Visit.State(), Lang: sess.Language()}, err)
		return
	}
	s.Keep(t, sess)
	s.Log.Info("visit began", "visit", t.Visit.ID, "supplements", submission)
	s.Note(audit.Event{Actor: "citizen", Act: audit.VisitBegan, Visit: t.Visit.ID})
	http.Redirect(w, r, s.WhereTo(t.Visit.State()), http.StatusSeeOther)
}

// statusDone ends what was looked at.
func (s *Pages) statusDone(w http.ResponseWriter, r *http.Request) {
	s.Session(w, r).ForgetInquiry()
	http.Redirect(w, r, "/", http.StatusSeeOther)
}
