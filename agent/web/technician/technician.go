// Package technician has the console: devices, queue, doctor, log, configuration, procedures, staff, audit log and diagnostics.
package technician

import (
	"bytes"
	"errors"
	"net/http"
	"slices"

	"motcua/agent/audit"
	"motcua/agent/staff"
	"motcua/agent/web/screen"
	"motcua/queue"
)

// Pages are the console's.
type Pages struct{ *screen.Host }

// New makes the console's pages.
func New(h *screen.Host) *Pages { return &Pages{h} }

// Routes adds the pages to a mux.
func (s *Pages) Routes(mux *http.ServeMux) {
	tech := func(pattern string, f func(http.ResponseWriter, *http.Request, staff.Member)) {
		mux.HandleFunc(pattern, s.Need(staff.Technician, f))
	}
	tech("GET /console", s.consoleHome)
	tech("GET /console/devices", s.devicesPage)
	tech("GET /console/devices/live", s.devicesLive)
	tech("POST /console/devices/scan", s.testScan)
	tech("POST /console/devices/print", s.testPrint)
	tech("GET /console/queue", s.queuePage)
	tech("POST /console/queue/{act}", s.queueAct)
	tech("GET /console/log", s.logPage)
	tech("GET /console/doctor", s.doctorPage)
	tech("GET /console/config", s.configPage)
	tech("POST /console/config", s.configAct)
	tech("POST /console/restart", s.restart)
	tech("GET /console/procedures", s.proceduresPage)
	tech("POST /console/procedures", s.updateProcedures)
	tech("GET "+rosterPath, s.rosterPage)
	tech("POST "+rosterPath, s.rosterAct)
	tech("GET /console/audit", s.auditPage)
	tech("GET /console/diagnostics", s.diagnosticsPage)
	tech("POST /console/diagnostics", s.diagnostics)
}

type homeBody struct {
	Stats    queue.Stats
	Queued   int64
	Held     int64
	Sent     int64
	Problems []screen.Finding // of doctor, without what is well
	Devices  []screen.Device
	Room     string
}

func (s *Pages) consoleHome(w http.ResponseWriter, r *http.Request, m staff.Member) {
	var b homeBody
	c := s.Options.Console
	v := screen.ConsoleView{Member: m}
	if c.Backlog != nil {
		stats, err := c.Backlog.Stats()
		if err != nil {
			v.Fault = s.Explain(s.lang(r), err)
		}
		b.Stats = stats
		b.Queued = stats.Count[queue.Queued] + stats.Count[queue.Sending]
		b.Held, b.Sent = stats.Count[queue.Held], stats.Count[queue.Delivered]+stats.Count[queue.Acknowledged]
		b.Room = screen.ShownBytes(stats.Free)
	}
	if c.Devices != nil {
		b.Devices = s.devices(r.Context())
	}
	if c.Doctor != nil {
		b.Problems = slices.DeleteFunc(s.findings(r), func(f screen.Finding) bool { return f.OK && !f.Warn })
	}
	v.Body = b
	s.RenderConsole(w, r, http.StatusOK, "home", v)
}

// findings are doctor's, in the language of the screen.
func (s *Pages) findings(r *http.Request) []screen.Finding {
	return s.Findings(s.lang(r), slices.Clone(s.Options.Console.Doctor(r.Context())))
}

// lang is the language of the screen that asks.
func (s *Pages) lang(r *http.Request) string {
	if sess, ok := s.SessionOf(r); ok {
		return sess.Language()
	}
	return "vi"
}

func (s *Pages) doctorPage(w http.ResponseWriter, r *http.Request, m staff.Member) {
	if s.Options.Console.Doctor == nil {
		s.NotFound(w, r)
		return
	}
	found := s.findings(r)
	rank := func(f screen.Finding) int {
		switch {
		case !f.OK:
			return 0
		case f.Warn:
			return 1
		}
		return 2
	}
	slices.SortStableFunc(found, func(a, b screen.Finding) int { return rank(a) - rank(b) })
	s.RenderConsole(w, r, http.StatusOK, "doctor", screen.ConsoleView{Member: m, Body: found})
}

var logLevels = []string{"DEBUG", "INFO", "WARN", "ERROR"}

type logBody struct {
	Level  string
	Levels []string
	Lines  []screen.LogLine
}

func (s *Pages) logPage(w http.ResponseWriter, r *http.Request, m staff.Member) {
	if s.Options.Console.Log == nil {
		s.NotFound(w, r)
		return
	}
	b := logBody{Level: r.URL.Query().Get("level"), Levels: logLevels}
	least := slices.Index(logLevels, b.Level)
	if least < 0 {
		b.Level, least = "INFO", 1
	}
	lang := s.Session(w, r).Language()
	for _, line := range s.Options.Console.Log() {
		if slices.Index(logLevels, line.Level) >= least {
			line.Said = s.Logged(lang, line.Text)
			b.Lines = append(b.Lines, line)
		}
	}
	slices.Reverse(b.Lines)
	s.RenderConsole(w, r, http.StatusOK, "log", screen.ConsoleView{Member: m, Body: b})
}

func (s *Pages) diagnosticsPage(w http.ResponseWriter, r *http.Request, m staff.Member) {
	s.RenderConsole(w, r, http.StatusOK, "diagnostics", screen.ConsoleView{Member: m})
}

// diagnostics sends the bundle. It is made in memory first: half an archive helps nobody.
func (s *Pages) diagnostics(w http.ResponseWriter, r *http.Request, m staff.Member) {
	if s.Options.Console.Diagnostics == nil {
		s.NotFound(w, r)
		return
	}
	var b bytes.Buffer
	if err := s.Options.Console.Diagnostics(r.Context(), &b); err != nil {
		s.RenderConsole(w, r, http.StatusInternalServerError, "diagnostics", screen.ConsoleView{Member: m, Fault: s.Explain(s.lang(r), err)})
		return
	}
	s.Note(audit.Event{Actor: screen.Actor(m), Act: audit.DiagnosticsTaken})
	h := w.Header()
	h.Set("Content-Type", "application/zip")
	h.Set("Content-Disposition", `attachment; filename="motcua-diagnostics-`+s.Now().Format("20060102-1504")+`.zip"`)
	_, _ = w.Write(b.Bytes()) // the browser may have gone
}

type auditBody struct {
	Head    string
	First   uint64
	Broken  string
	Entries []audit.Entry // the newest first
}

// auditShown is how many entries a page holds.
const auditShown = 200

func (s *Pages) auditPage(w http.ResponseWriter, r *http.Request, m staff.Member) {
	if s.Options.Console.AuditDir == "" {
		s.NotFound(w, r)
		return
	}
	var b auditBody
	first, last, err := audit.Verify(r.Context(), s.Options.Console.AuditDir, nil, func(e audit.Entry) {
		if len(b.Entries) == 2*auditShown {
			b.Entries = append(b.Entries[:0], b.Entries[auditShown:]...)
		}
		b.Entries = append(b.Entries, e)
	})
	b.Head, b.First = last.String(), first.Seq
	var broken *audit.Break
	switch {
	case errors.As(err, &broken):
		b.Broken = broken.Error()
	case err != nil:
		b.Broken = err.Error()
	}
	if len(b.Entries) > auditShown {
		b.Entries = b.Entries[len(b.Entries)-auditShown:]
	}
	slices.Reverse(b.Entries)
	s.RenderConsole(w, r, http.StatusOK, "audit", screen.ConsoleView{Member: m, Body: b})
}
