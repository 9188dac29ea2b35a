package technician

import (
	"errors"
	"net/http"
	"strings"

	"motcua/agent/audit"
	"motcua/agent/staff"
	"motcua/agent/web/screen"
)

// rosterPath is the page of those who may sign in.
const rosterPath = "/console/staff"

type rosterBody struct {
	Members []staff.Member
	Name    string // what was typed, after a mistake
	Remove  string // the name to be removed, before it is
}

func (s *Pages) rosterPage(w http.ResponseWriter, r *http.Request, m staff.Member) {
	lang := s.Session(w, r).Language()
	why := s.Refused(r, rosterPath)
	typed, _ := why.Body.(string)
	s.RenderConsole(w, r, why.Status, "staff", screen.ConsoleView{Member: m, Done: s.Said(r, lang), Fault: why.Fault,
		Body: rosterBody{Members: s.Options.Console.Roster.Members(), Name: typed, Remove: r.URL.Query().Get("remove")}})
}

// rosterAct adds, removes, or gives a new PIN.
func (s *Pages) rosterAct(w http.ResponseWriter, r *http.Request, m staff.Member) {
	form := r.PostForm
	name := strings.ToLower(strings.TrimSpace(form.Get("name")))
	var err error
	said := form.Get("act")
	switch said {
	case "added":
		err = s.Options.Console.Roster.Add(name, staff.Role(form.Get("role")), form.Get("pin"))
	case "removed":
		err = s.Options.Console.Roster.Remove(name)
	case "pin-changed":
		err = s.Options.Console.Roster.SetPIN(name, form.Get("pin"))
	default:
		s.NotFound(w, r)
		return
	}
	if err != nil {
		lang := s.Session(w, r).Language()
		s.Refuse(w, r, rosterPath, screen.Refused{Status: http.StatusUnprocessableEntity, Fault: s.Words.Say(lang, rosterFault(err)), Body: name})
		return
	}
	s.Refused(r, rosterPath) // of a try before that no page has told of
	if said != "added" {
		s.DropMember(name, m.Name == name && said == "pin-changed", s.tokenOf(r))
	}
	s.Note(audit.Event{Actor: screen.Actor(m), Act: audit.StaffChanged, Reason: said + ":" + name})
	screen.Done(w, r, rosterPath, said)
}

func rosterFault(err error) string {
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

func (s *Pages) tokenOf(r *http.Request) string {
	if sess, ok := s.SessionOf(r); ok {
		return sess.Token
	}
	return ""
}
