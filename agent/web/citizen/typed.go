package citizen

import (
	"net/http"

	"motcua/agent/counter"
	"motcua/agent/visit"
	"motcua/agent/web/screen"
	"motcua/ocr"
	"motcua/ocr/paper"
)

// typed takes the text of a card's QR symbol from a reader that types it like a keyboard (a wedge) into the visit's
// page; static/wedge.js tells it from fingers. It answers 204 if the visit took all of it, and else a sentence for the
// person at the screen.
func (s *Pages) typed(w http.ResponseWriter, r *http.Request, at screen.Seat) {
	say := func(status int, key string) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(s.Words.Say(at.Lang, key)))
	}
	if at.State.Consented.IsZero() || at.State.Step == visit.Receipt || at.Proc == nil {
		say(http.StatusConflict, "typed.early")
		return
	}
	values, torn, ok := ocr.ParseQR(r.PostFormValue("text"))
	if !ok {
		say(http.StatusUnprocessableEntity, "typed.unknown")
		return
	}
	if err := at.Visit.Hold(s.Now(), visit.Reading{Source: paper.QR, Values: values, Alone: true}); err != nil {
		s.TurnAway(w, r, at, err)
		return
	}
	if err := counter.Fill(at.Visit, at.Proc, s.Now()); err != nil {
		s.Log.Error("fill form", "visit", at.State.ID, "error", err)
	}
	if torn {
		say(http.StatusOK, "fault.torn-code") // the rest of it was taken
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
