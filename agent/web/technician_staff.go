package web

import (
	"errors"
	"net/http"
	"strings"

	"motcua/agent/audit"
	"motcua/agent/staff"
)

type rollBody struct {
	Members []staff.Member
	Name    string // what was typed, after a mistake
	Remove  string // the name to be removed, before it is
}

func (s *TechnicianPages) rollPage(w http.ResponseWriter, r *http.Request, m staff.Member) {
	lang := s.session(w, r).language()
	s.renderConsole(w, r, http.StatusOK, "staff", consoleView{Member: m, Done: s.said(r, lang),
		Body: rollBody{Members: s.o.Console.Roll.Members(), Remove: r.URL.Query().Get("remove")}})
}

// rollAct adds, removes, or gives a new PIN.
func (s *TechnicianPages) rollAct(w http.ResponseWriter, r *http.Request, m staff.Member) {
	form := r.PostForm
	name := strings.ToLower(strings.TrimSpace(form.Get("name")))
	var err error
	said := form.Get("act")
	switch said {
	case "added":
		err = s.o.Console.Roll.Add(name, staff.Role(form.Get("role")), form.Get("pin"))
	case "removed":
		err = s.o.Console.Roll.Remove(name)
	case "pin-changed":
		err = s.o.Console.Roll.SetPIN(name, form.Get("pin"))
	default:
		s.notFound(w, r)
		return
	}
	if err != nil {
		lang := s.session(w, r).language()
		s.renderConsole(w, r, http.StatusUnprocessableEntity, "staff", consoleView{Member: m,
			Fault: s.words.say(lang, rollFault(err)), Body: rollBody{Members: s.o.Console.Roll.Members(), Name: name}})
		return
	}
	if said != "added" {
		s.sessions.dropMember(name, m.Name == name && said == "pin-changed", s.tokenOf(r))
	}
	s.note(audit.Event{Actor: actor(m), Act: audit.StaffChanged, Reason: said + ":" + name})
	done(w, r, "/console/staff", said)
}

func rollFault(err error) string {
	for known, key := range map[error]string{
		staff.ErrBadName: "staff.bad-name", staff.ErrBadRole: "staff.bad-role", staff.ErrWeakPIN: "staff.weak-pin",
		staff.ErrExists: "staff.exists", staff.ErrNotFound: "staff.not-found", staff.ErrLastAdmin: "staff.last",
	} {
		if errors.Is(err, known) {
			return key
		}
	}
	return "fault"
}

func (s *TechnicianPages) tokenOf(r *http.Request) string {
	if sess, ok := s.sessionOf(r); ok {
		return sess.token
	}
	return ""
}
