package web

import (
	"errors"
	"net/http"
	"strings"

	"motcua/agent/audit"
	"motcua/agent/settings"
	"motcua/agent/staff"
	"motcua/agent/strict"
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
func (s *TechnicianPages) configPage(w http.ResponseWriter, r *http.Request, m staff.Member) {
	if s.o.Console.Settings == nil {
		s.notFound(w, r)
		return
	}
	file := s.o.Console.Settings
	lang := s.session(w, r).language()
	v := consoleView{Member: m, Done: s.said(r, lang)}
	text, err := file.Text()
	if id := r.URL.Query().Get("version"); id != "" && err == nil {
		text, err = file.Version(id)
		v.Done = s.words.say(lang, "config.version")
	}
	if err != nil {
		v.Fault = err.Error()
	}
	s.showConfig(w, r, http.StatusOK, v, configBody{Text: string(text)})
}

func (s *TechnicianPages) showConfig(w http.ResponseWriter, r *http.Request, status int, v consoleView, b configBody) {
	var err error
	b.Path = s.o.Console.Settings.Path()
	b.Restart = s.o.Console.Restart != nil
	if b.Versions, err = s.o.Console.Settings.Versions(); err != nil && v.Fault == "" {
		v.Fault = err.Error()
	}
	v.Body = b
	s.renderConsole(w, r, status, "config", v)
}

// configAct checks a text, and puts it in force if that was asked and there is no mistake in it.
func (s *TechnicianPages) configAct(w http.ResponseWriter, r *http.Request, m staff.Member) {
	if s.o.Console.Settings == nil {
		s.notFound(w, r)
		return
	}
	text := strings.ReplaceAll(r.PostForm.Get("text"), "\r\n", "\n") // forms send CRLF
	b := configBody{Text: text}
	v := consoleView{Member: m}
	err := s.o.Console.Settings.Check([]byte(text))
	if err == nil && r.PostForm.Get("act") == "apply" {
		if err = s.o.Console.Settings.Apply([]byte(text), m.Name); err == nil {
			s.note(audit.Event{Actor: actor(m), Act: audit.ConfigChanged})
			done(w, r, "/console/config", "applied")
			return
		}
	}
	switch {
	case errors.As(err, &b.Problems):
	case err != nil:
		v.Fault = err.Error()
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
func (s *TechnicianPages) restart(w http.ResponseWriter, r *http.Request, m staff.Member) {
	if s.o.Console.Restart == nil {
		s.notFound(w, r)
		return
	}
	s.note(audit.Event{Actor: actor(m), Act: audit.DaemonStopped, Reason: "restart"})
	s.renderConsole(w, r, http.StatusOK, "restart", consoleView{Member: m})
	s.o.Console.Restart()
}
