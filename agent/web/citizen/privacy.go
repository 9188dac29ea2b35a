package citizen

import (
	"net/http"
	"strings"
	"time"

	"motcua/agent/web/screen"
)

// privacyAnswer is one question about people's data, answered for this kiosk.
type privacyAnswer struct{ Question, Answer string }

// privacy tells what the law on personal data has people told before they agree (Law 91/2025/QH15): who decides and who
// handles, to whom it goes, how long it stays, which rights there are and how they are used, what holds for children (article 24)
// and for others whom papers name. It can be read at any time, also without a visit.
func (s *Pages) privacy(w http.ResponseWriter, r *http.Request) {
	sess, back := s.Session(w, r), "/"
	if t := sess.Sitting(); t != nil {
		_ = t.Visit.Touch(s.Now())
		back = s.WhereTo(t.Visit.State())
	}
	s.Render(w, r, http.StatusOK, "privacy", screen.View{Back: back, Path: "/privacy", Body: s.privacyAnswers(sess.Language())})
}

func (s *Pages) privacyAnswers(lang string) []privacyAnswer {
	p := s.Options.Privacy
	say := func(key string, pairs ...any) string { return s.Words.Say(lang, "privacy."+key, pairs...) }
	controller, contact := p.Controller, p.Contact
	if controller == "" {
		controller = say("office")
	}
	if contact == "" {
		contact = say("counter")
	}
	who := say("who.text", "controller", controller)
	if p.Processor != "" {
		who += " " + say("who.processor", "processor", p.Processor)
	}
	to := say("to.text")
	if len(p.Recipients) > 0 {
		to += " " + say("to.others", "recipients", strings.Join(p.Recipients, "; "))
	}
	long := say("long.text")
	switch hours := int(p.Kept.Round(time.Hour) / time.Hour); {
	case hours >= 48:
		long = say("long.days", "n", hours/24)
	case hours > 1:
		long = say("long.hours", "n", hours)
	}
	answer := func(topic, text string) privacyAnswer { return privacyAnswer{say(topic), text} }
	return []privacyAnswer{
		answer("who", who), answer("to", to), answer("long", long), answer("rights", say("rights.text")),
		answer("use", say("use.text", "contact", contact)), answer("children", say("children.text")),
		answer("others", say("others.text")), answer("breach", say("breach.text", "controller", controller)),
	}
}
