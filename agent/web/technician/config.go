package technician

import (
	"errors"
	"net/http"
	"strings"

	"motcua/agent/audit"
	"motcua/agent/settings"
	"motcua/agent/staff"
	"motcua/agent/strict"
	"motcua/agent/web/screen"
)

type configBody struct {
	Path     string
	Text     string
	Problems strict.Problems
	Checked  bool // there are none
	Versions []settings.Version
	Restart  bool
}

// configPage shows what is in force, or a version that was.
func (s *Pages) configPage(w http.ResponseWriter, r *http.Request, m staff.Member) {
	if s.Options.Console.Settings == nil {
		s.NotFound(w, r)
		return
	}
	file := s.Options.Console.Settings
	lang := s.Session(w, r).Language()
	v := screen.ConsoleView{Member: m, Done: s.Said(r, lang)}
	text, err := file.Text()
	if id := r.URL.Query().Get("version"); id != "" && err == nil {
		text, err = file.Version(id)
		v.Done = s.Words.Say(lang, "config.version")
	}
	if err != nil {
		v.Fault = s.Explain(s.lang(r), err)
	}
	s.showConfig(w, r, http.StatusOK, v, configBody{Text: string(text)})
}

func (s *Pages) showConfig(w http.ResponseWriter, r *http.Request, status int, v screen.ConsoleView, b configBody) {
	var err error
	b.Path = s.Options.Console.Settings.Path()
	b.Restart = s.Options.Console.Restart != nil
	if b.Versions, err = s.Options.Console.Settings.Versions(); err != nil && v.Fault == "" {
		v.Fault = s.Explain(s.lang(r), err)
	}
	v.Body = b
	s.RenderConsole(w, r, status, "config", v)
}

// configAct checks a text, and puts it in force if that was asked and there is no mistake in it.
func (s *Pages) configAct(w http.ResponseWriter, r *http.Request, m staff.Member) {
	if s.Options.Console.Settings == nil {
		s.NotFound(w, r)
		return
	}
	text := strings.ReplaceAll(r.PostForm.Get("text"), "\r\n", "\n") // forms send CRLF
	b := configBody{Text: text}
	v := screen.ConsoleView{Member: m}
	err := s.Options.Console.Settings.Check([]byte(text))
	if err == nil && r.PostForm.Get("act") == "apply" {
		if err = s.Options.Console.Settings.Apply([]byte(text), m.Name); err == nil {
			s.Note(audit.Event{Actor: screen.Actor(m), Act: audit.ConfigChanged})
			screen.Done(w, r, "/console/config", "applied")
			return
		}
	}
	switch {
	case errors.As(err, &b.Problems):
		b.Problems = s.Problems(s.lang(r), b.Problems)
	case err != nil:
		v.Fault = s.Explain(s.lang(r), err)
	default:
		b.Checked = true
	}
	status := http.StatusOK
	if err != nil {
		status = http.StatusUnprocessableEntity
	}
	s.showConfig(w, r, status, v, b)
}

// restart ends the daemon; whoever runs it starts it again.
func (s *Pages) restart(w http.ResponseWriter, r *http.Request, m staff.Member) {
	if s.Options.Console.Restart == nil {
		s.NotFound(w, r)
		return
	}
	s.Note(audit.Event{Actor: screen.Actor(m), Act: audit.DaemonStopped, Reason: "restart"})
	s.RenderConsole(w, r, http.StatusOK, "restart", screen.ConsoleView{Member: m})
	s.Options.Console.Restart()
}
