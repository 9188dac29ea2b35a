package web

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/skip2/go-qrcode"

	"motcua/agent/procedure"
	"motcua/agent/visit"
	"motcua/queue"
)

type receiptBody struct {
	Code      string
	Spelled   []string // the code in groups, to be read out
	Proc      *procedure.Procedure
	Delivered bool
	Offline   bool
	Time      time.Time
	Facts     visit.Facts
	Account   Account
	Purpose   string // what the payment says
}

func (s *CitizenPages) receipt(w http.ResponseWriter, r *http.Request, at seat) {
	if at.state.Step != visit.Receipt {
		http.Redirect(w, r, s.whereTo(at.state), http.StatusSeeOther)
		return
	}
	_ = at.visit.Touch(s.now())
	b := receiptBody{Code: at.state.Code, Spelled: strings.Split(at.state.Code, "-"), Proc: at.proc, Time: at.state.Confirmed,
		Facts: at.state.Facts, Account: s.o.Account, Purpose: purpose(at.state.Code)}
	if sub, err := s.o.Queue.Get(at.state.Code); err == nil {
		b.Delivered = sub.State.Sent()
		b.Offline = !b.Delivered && (sub.Attempts > 0 || s.o.Online != nil && !s.o.Online())
	}
	s.render(w, r, http.StatusOK, "receipt", view{Steps: s.steps(at.lang, visit.Receipt),
		Read: s.words.say(at.lang, "receipt.title") + ". " + s.words.say(at.lang, "receipt.lead") + " " + strings.Join(strings.Split(at.state.Code, ""), " "),
		Body: b})
}

func (s *CitizenPages) receiptCode(w http.ResponseWriter, r *http.Request, at seat) {
	if at.state.Code == "" {
		http.NotFound(w, r)
		return
	}
	sendQR(w, r, at.state.Code)
}

// receiptLive tells the receipt when the submission has arrived at the far side, or that it waits.
func (s *CitizenPages) receiptLive(w http.ResponseWriter, r *http.Request, at seat) {
	if at.state.Code == "" {
		http.NotFound(w, r)
		return
	}
	out, err := newStream(w)
	if err != nil {
		return
	}
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	last := ""
	for beats := 0; ; beats++ {
		now := "waiting"
		sub, err := s.o.Queue.Get(at.state.Code)
		switch {
		case err != nil:
			now = "" // not known any more: say nothing
		case sub.State.Sent():
			now = "delivered"
		case sub.Attempts > 0 || s.o.Online != nil && !s.o.Online():
			now = "offline"
		}
		if now != last && now != "" {
			if out.send(event{Kind: now, Text: s.words.say(at.lang, "receipt."+now)}) != nil {
				return
			}
			last = now
		}
		if beats%30 == 29 && out.beat() != nil {
			return
		}
		select {
		case <-tick.C:
		case <-at.table.ctx.Done():
			return
		case <-r.Context().Done():
			return
		}
	}
}

// sendQR draws a QR code as a picture of squares.
func sendQR(w http.ResponseWriter, r *http.Request, text string) {
	code, err := qrcode.New(text, qrcode.Medium)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "image/svg+xml")
	_, _ = w.Write(squares(code.Bitmap()))
}

type statusBody struct {
	Asked string
	Found bool
	State string // key
	Proc  *procedure.Procedure
	Sub   queue.Submission
	Error string
}

// status says where a submission stands. It needs the code alone and shows nothing of what was handed in.
func (s *CitizenPages) status(w http.ResponseWriter, r *http.Request) {
	sess := s.session(w, r)
	lang := sess.language()
	back := "/"
	if t := sess.sitting(); t != nil {
		_ = t.visit.Touch(s.now())
		back = s.whereTo(t.visit.State())
	}
	b := statusBody{}
	code := http.StatusOK
	if r.Method == http.MethodPost {
		b.Asked = strings.ToUpper(strings.TrimSpace(r.PostForm.Get("code")))
		sub, err := s.o.Queue.Get(b.Asked)
		switch {
		case b.Asked == "" || len(b.Asked) > 20 || errors.Is(err, queue.ErrNotFound):
			code, b.Error = http.StatusNotFound, s.words.say(lang, "status.unknown")
		case err != nil:
			s.log.Error("status", "error", err)
			code, b.Error = http.StatusServiceUnavailable, s.words.say(lang, "fault")
		default:
			b.Found, b.Sub, b.State = true, sub, "stands."+string(sub.State)
			b.Proc, _ = s.o.Procedures().Get(sub.Labels["procedure"])
		}
	}
	s.render(w, r, code, "status", view{Back: back, Path: "/status", Body: b})
}
