package technician

import (
	"net/http"

	"motcua/agent/audit"
	"motcua/agent/portal"
	"motcua/agent/procedure"
	"motcua/agent/staff"
	"motcua/agent/web/screen"
)

type proceduresBody struct {
	All     []*procedure.Procedure
	Update  bool            // updates are taken
	Changes []portal.Change // forms of the portal that are not as their maps know them
}

func (s *Pages) proceduresPage(w http.ResponseWriter, r *http.Request, m staff.Member) {
	s.showProcedures(w, r, http.StatusOK, screen.ConsoleView{Member: m, Done: s.Said(r, s.Session(w, r).Language())})
}

func (s *Pages) showProcedures(w http.ResponseWriter, r *http.Request, status int, v screen.ConsoleView) {
	v.Body = proceduresBody{All: s.Options.Procedures().All, Update: s.Options.Console.Update != nil, Changes: s.Desk.Changes()}
	s.RenderConsole(w, r, status, "procedures", v)
}

// updateProcedures takes a signed bundle.
func (s *Pages) updateProcedures(w http.ResponseWriter, r *http.Request, m staff.Member) {
	if s.Options.Console.Update == nil {
		s.NotFound(w, r)
		return
	}
	v := screen.ConsoleView{Member: m}
	archive, okA := uploaded(r, "bundle")
	signature, okS := uploaded(r, "signature")
	if !okA || !okS {
		v.Fault = s.Words.Say(s.Session(w, r).Language(), "procedures.missing")
		s.showProcedures(w, r, http.StatusBadRequest, v)
		return
	}
	if _, err := s.Options.Console.Update(archive, signature); err != nil {
		v.Fault = s.Explain(s.lang(r), err)
		s.showProcedures(w, r, http.StatusUnprocessableEntity, v)
		return
	}
	s.Note(audit.Event{Actor: screen.Actor(m), Act: audit.ProceduresUpdated})
	screen.Done(w, r, "/console/procedures", "updated")
}

func uploaded(r *http.Request, name string) ([]byte, bool) {
	files := screen.FilesOf(r, name)
	if len(files) != 1 {
		return nil, false
	}
	return files[0].Data, len(files[0].Data) > 0
}
