package citizen

import (
	"net/http"
	"strings"
	"time"

	"github.com/skip2/go-qrcode"

	"motcua/agent/procedure"
	"motcua/agent/slip"
	"motcua/agent/visit"
	"motcua/agent/web/screen"
)

type receiptBody struct {
	Code      string
	Spelled   []string // the code in groups, to be read out
	Proc      *procedure.Procedure
	Delivered bool
	Offline   bool
	Time      time.Time
	Facts     visit.Facts
	Account   screen.Account
	Purpose   string // what the payment says
	Said      string // key: what became of printing it
	Cause     string // key: why it wasn't printed, and what to do
}

func (s *Pages) receipt(w http.ResponseWriter, r *http.Request, at screen.Seat) {
	if at.State.Step != visit.Receipt {
		http.Redirect(w, r, s.WhereTo(at.State), http.StatusSeeOther)
		return
	}
	_ = at.Visit.Touch(s.Now())
	b := receiptBody{Code: at.State.Code, Spelled: strings.Split(at.State.Code, "-"), Proc: at.Proc, Time: at.State.Confirmed,
		Facts: at.State.Facts, Account: s.Options.Account, Purpose: purpose(at.State.Code)}
	switch r.URL.Query().Get("printed") {
	case "yes":
		b.Said = "receipt.printed"
	case "enough":
		b.Said = "receipt.enough"
	case "no":
		b.Said = "receipt.unprinted"
		if why := "print." + r.URL.Query().Get("why"); s.Words.Has(at.Lang, why) {
			b.Cause = why
		}
	}
	if sub, err := s.Options.Queue.Get(at.State.Code); err == nil {
		b.Delivered = sub.State.Sent()
		b.Offline = !b.Delivered && (sub.Attempts > 0 || s.Options.Online != nil && !s.Options.Online())
	}
	s.Render(w, r, http.StatusOK, "receipt", screen.View{Steps: s.Steps(at.Lang, visit.Receipt),
		Read: s.Words.Say(at.Lang, "receipt.title") + ". " + s.Words.Say(at.Lang, "receipt.lead") + " " +
			strings.Join(strings.Split(at.State.Code, ""), " "),
		Body: b})
}

// printReceipt prints the receipt on the receipt printer: what the screen shows of it, no more.
func (s *Pages) printReceipt(w http.ResponseWriter, r *http.Request, at screen.Seat) {
	if at.State.Code == "" || s.Options.PrintSlip == nil {
		s.NotFound(w, r)
		return
	}
	_ = at.Visit.Touch(s.Now())
	undo, ok := at.Table.PrintsSlip()
	if !ok {
		http.Redirect(w, r, "/receipt?printed=enough", http.StatusSeeOther)
		return
	}
	said := "yes"
	if err := s.Options.PrintSlip(r.Context(), s.slip(at)); err != nil {
		undo()
		s.Log.Error("print receipt", "visit", at.State.ID, "error", err)
		said = "no"
		if why, ok := strings.CutPrefix(s.Unprinted(err), "print."); ok {
			said += "&why=" + why
		}
	}
	http.Redirect(w, r, "/receipt?printed="+said, http.StatusSeeOther)
}

// slip is the receipt in words.
func (s *Pages) slip(at screen.Seat) slip.Slip {
	say := func(key string, pairs ...any) string { return s.Words.Say(at.Lang, key, pairs...) }
	out := slip.Slip{Office: s.Options.Ward, Title: say("receipt.title"), Code: at.State.Code, Foot: say("receipt.take")}
	if at.Proc != nil {
		out.Lines = append(out.Lines, at.Proc.Plain.In(at.Lang), say("about.time")+": "+at.Proc.Time.In(at.Lang))
	}
	facts := at.State.Facts
	about := say("papers.pages", "n", facts.Pages)
	if facts.Initials != "" {
		about = facts.Initials + " · " + about
	}
	out.Lines = append(out.Lines, about)
	if facts.Fee > 0 {
		out.Lines = append(out.Lines, say("about.cost")+": "+screen.Money(at.Lang, facts.Fee))
		if to := s.Options.Account; to.Number != "" {
			out.Lines = append(out.Lines, to.Name, to.Bank+" · "+to.Number, purpose(at.State.Code))
		}
	}
	out.Lines = append(out.Lines, screen.Clock(at.State.Confirmed))
	return out
}

func (s *Pages) receiptCode(w http.ResponseWriter, r *http.Request, at screen.Seat) {
	if at.State.Code == "" {
		http.NotFound(w, r)
		return
	}
	sendQR(w, r, at.State.Code) // a reader types it into the page that asks where a dossier stands
}

// receiptLive tells the receipt when the submission has arrived at the far side, or that it waits.
func (s *Pages) receiptLive(w http.ResponseWriter, r *http.Request, at screen.Seat) {
	if at.State.Code == "" {
		http.NotFound(w, r)
		return
	}
	out, err := screen.NewStream(w)
	if err != nil {
		return
	}
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	last := ""
	for beats := 0; ; beats++ {
		now := "waiting"
		sub, err := s.Options.Queue.Get(at.State.Code)
		switch {
		case err != nil:
			now = "" // not known any more: say nothing
		case sub.State.Sent():
			now = "delivered"
		case sub.Attempts > 0 || s.Options.Online != nil && !s.Options.Online():
			now = "offline"
		}
		if now != last && now != "" {
			if out.Send(screen.Event{Kind: now, Text: s.Words.Say(at.Lang, "receipt."+now)}) != nil {
				return
			}
			last = now
		}
		if beats%30 == 29 && out.Beat() != nil {
			return
		}
		select {
		case <-tick.C:
		case <-at.Table.Context.Done():
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
