package web

import (
	"net/http"

	"motcua/agent/audit"
	"motcua/agent/portal"
	"motcua/agent/procedure"
	"motcua/agent/staff"
)

type proceduresBody struct {
	All     []*procedure.Procedure
	Update  bool            // updates are taken
	Changes []portal.Change // forms of the portal that are not as their maps know them
}

func (s *TechnicianPages) proceduresPage(w http.ResponseWriter, r *http.Request, m staff.Member) {
	s.showProcedures(w, r, http.StatusOK, consoleView{Member: m, Done: s.said(r, s.session(w, r).language())})
}

func (s *TechnicianPages) showProcedures(w http.ResponseWriter, r *http.Request, status int, v consoleView) {
	v.Body = proceduresBody{All: s.o.Procedures().All, Update: s.o.Console.Update != nil, Changes: s.desk.Changes()}
	s.renderConsole(w, r, status, "procedures", v)
}

// updateProcedures takes a signed bundle.
func (s *TechnicianPages) updateProcedures(w http.ResponseWriter, r *http.Request, m staff.Member) {
	if s.o.Console.Update == nil {
		s.notFound(w, r)
		return
	}
	v := consoleView{Member: m}
	archive, okA := uploaded(r, "bundle")
	signature, okS := uploaded(r, "signature")
	if !okA || !okS {
		v.Fault = s.words.say(s.session(w, r).language(), "procedures.missing")
		s.showProcedures(w, r, http.StatusBadRequest, v)
		return
	}
	if _, err := s.o.Console.Update(archive, signature); err != nil {
		v.Fault = err.Error()
		s.showProcedures(w, r, http.StatusUnprocessableEntity, v)
		return
	}
	s.note(audit.Event{Actor: actor(m), Act: audit.ProceduresUpdated})
	done(w, r, "/console/procedures", "updated")
}

func uploaded(r *http.Request, name string) ([]byte, bool) {
	files := filesOf(r, name)
	if len(files) != 1 {
		return nil, false
	}
	return files[0].data, len(files[0].data) > 0
}
