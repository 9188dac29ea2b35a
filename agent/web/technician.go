package web

import (
	"bytes"
	"errors"
	"net/http"
	"slices"

	"motcua/agent/audit"
	"motcua/agent/staff"
	"motcua/queue"
)

// TechnicianPages are the console's.
type TechnicianPages struct {
	*Host
	phrases *phrases
}

// NewTechnician makes the console's pages; it fails only on a mistake in the program's own catalogue.
func NewTechnician(h *Host) (*TechnicianPages, error) {
	p, err := loadPhrases()
	if err != nil {
		return nil, err
	}
	return &TechnicianPages{h, p}, nil
}

// Routes adds the pages to a mux.
func (s *TechnicianPages) Routes(mux *http.ServeMux) {
	tech := func(pattern string, f func(http.ResponseWriter, *http.Request, staff.Member)) {
		mux.HandleFunc(pattern, s.need(staff.Technician, f))
	}
	tech("GET /console", s.consoleHome)
	tech("GET /console/devices", s.devicesPage)
	tech("GET /console/devices/live", s.devicesLive)
	tech("POST /console/devices/scan", s.testScan)
	tech("GET /console/queue", s.queuePage)
	tech("POST /console/queue/{act}", s.queueAct)
	tech("GET /console/log", s.logPage)
	tech("GET /console/doctor", s.doctorPage)
	tech("GET /console/config", s.configPage)
	tech("POST /console/config", s.configAct)
	tech("POST /console/restart", s.restart)
	tech("GET /console/procedures", s.proceduresPage)
	tech("POST /console/procedures", s.updateProcedures)
	tech("GET /console/staff", s.rollPage)
	tech("POST /console/staff", s.rollAct)
	tech("GET /console/audit", s.auditPage)
	tech("GET /console/diagnostics", s.diagnosticsPage)
	tech("POST /console/diagnostics", s.diagnostics)
}

type homeBody struct {
	Stats    queue.Stats
	Queued   int64
	Held     int64
	Sent     int64
	Problems []Finding // of doctor, without what is well
	Devices  []Device
	Room     string
}

func (s *TechnicianPages) consoleHome(w http.ResponseWriter, r *http.Request, m staff.Member) {
	var b homeBody
	c := s.o.Console
	v := consoleView{Member: m}
	if c.Backlog != nil {
		stats, err := c.Backlog.Stats()
		if err != nil {
			v.Fault = err.Error()
		}
		b.Stats = stats
		b.Queued = stats.Count[queue.Queued] + stats.Count[queue.Sending]
		b.Held, b.Sent = stats.Count[queue.Held], stats.Count[queue.Delivered]+stats.Count[queue.Acknowledged]
		b.Room = shownBytes(stats.Free)
	}
	if c.Devices != nil {
		b.Devices = s.devices(r.Context())
	}
	if c.Doctor != nil {
		b.Problems = slices.DeleteFunc(s.findings(r), func(f Finding) bool { return f.OK && !f.Warn })
	}
	v.Body = b
	s.renderConsole(w, r, http.StatusOK, "home", v)
}

// findings are doctor's, in the language of the screen.
func (s *TechnicianPages) findings(r *http.Request) []Finding {
	found := slices.Clone(s.o.Console.Doctor(r.Context()))
	if sess, ok := s.sessionOf(r); ok && sess.language() == "vi" {
		for i := range found {
			found[i] = s.phrases.finding(found[i])
		}
	}
	return found
}

func (s *TechnicianPages) doctorPage(w http.ResponseWriter, r *http.Request, m staff.Member) {
	if s.o.Console.Doctor == nil {
		s.notFound(w, r)
		return
	}
	found := s.findings(r)
	rank := func(f Finding) int {
		switch {
		case !f.OK:
			return 0
		case f.Warn:
			return 1
		}
		return 2
	}
	slices.SortStableFunc(found, func(a, b Finding) int { return rank(a) - rank(b) })
	s.renderConsole(w, r, http.StatusOK, "doctor", consoleView{Member: m, Body: found})
}

var logLevels = []string{"DEBUG", "INFO", "WARN", "ERROR"}

type logBody struct {
	Level  string
	Levels []string
	Lines  []LogLine
}

func (s *TechnicianPages) logPage(w http.ResponseWriter, r *http.Request, m staff.Member) {
	if s.o.Console.Log == nil {
		s.notFound(w, r)
		return
	}
	b := logBody{Level: r.URL.Query().Get("level"), Levels: logLevels}
	least := slices.Index(logLevels, b.Level)
	if least < 0 {
		b.Level, least = "INFO", 1
	}
	for _, line := range s.o.Console.Log() {
		if slices.Index(logLevels, line.Level) >= least {
			b.Lines = append(b.Lines, line)
		}
	}
	slices.Reverse(b.Lines)
	s.renderConsole(w, r, http.StatusOK, "log", consoleView{Member: m, Body: b})
}

func (s *TechnicianPages) diagnosticsPage(w http.ResponseWriter, r *http.Request, m staff.Member) {
	s.renderConsole(w, r, http.StatusOK, "diagnostics", consoleView{Member: m})
}

// diagnostics sends the bundle. It is made in memory first: half an archive helps nobody.
func (s *TechnicianPages) diagnostics(w http.ResponseWriter, r *http.Request, m staff.Member) {
	if s.o.Console.Diagnostics == nil {
		s.notFound(w, r)
		return
	}
	var b bytes.Buffer
	if err := s.o.Console.Diagnostics(r.Context(), &b); err != nil {
		s.renderConsole(w, r, http.StatusInternalServerError, "diagnostics", consoleView{Member: m, Fault: err.Error()})
		return
	}
	s.note(audit.Event{Actor: actor(m), Act: audit.DiagnosticsTaken})
	h := w.Header()
	h.Set("Content-Type", "application/zip")
	h.Set("Content-Disposition", `attachment; filename="motcua-diagnostics-`+s.now().Format("20060102-1504")+`.zip"`)
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

func (s *TechnicianPages) auditPage(w http.ResponseWriter, r *http.Request, m staff.Member) {
	if s.o.Console.AuditDir == "" {
		s.notFound(w, r)
		return
	}
	var b auditBody
	first, last, err := audit.Verify(r.Context(), s.o.Console.AuditDir, nil, func(e audit.Entry) {
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
	s.renderConsole(w, r, http.StatusOK, "audit", consoleView{Member: m, Body: b})
}
