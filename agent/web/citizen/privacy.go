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
	say := func(key string, pairs ...any) string { return s.Words.Say(lang, key, pairs...) }
	controller, contact := p.Controller, p.Contact
	if controller == "" {
		controller = say("privacy.office")
	}
	if contact == "" {
		contact = say("privacy.counter")
	}
	who := say("privacy.who.text", "controller", controller)
	if p.Processor != "" {
		who += " " + say("privacy.who.processor", "processor", p.Processor)
	}
	to := say("privacy.to.text")
	if len(p.Recipients) > 0 {
		to += " " + say("privacy.to.others", "recipients", strings.Join(p.Recipients, "; "))
	}
	long := say("privacy.long.text")
	switch hours := int(p.Kept.Round(time.Hour) / time.Hour); {
	case hours >= 48:
		long = say("privacy.long.days", "n", hours/24)
	case hours > 1:
		long = say("privacy.long.hours", "n", hours)
	}
	if hours := int(p.Compared / time.Hour); hours > 0 {
		long += " " + say("privacy.long.compared", "n", hours)
	}
	answer := func(topic, text string) privacyAnswer { return privacyAnswer{say(topic), text} }
	return []privacyAnswer{
		answer("privacy.who", who), answer("privacy.to", to), answer("privacy.long", long), answer("privacy.rights", say("privacy.rights.text")),
		answer("privacy.use", say("privacy.use.text", "contact", contact)), answer("privacy.children", say("privacy.children.text")),
		answer("privacy.others", say("privacy.others.text")), answer("privacy.breach", say("privacy.breach.text", "controller", controller)),
	}
}
