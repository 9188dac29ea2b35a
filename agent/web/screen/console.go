package screen

import (
	"context"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"strings"
	"time"

	"motcua/agent/settings"
	"motcua/agent/staff"
	"motcua/queue"
)

// Console is what the technician's pages work on; with a nil Roster there are no staff pages at all. What
// else is nil leaves its page out.
type Console struct {
	Roster      *staff.Roster
	Settings    *settings.File
	Backlog     Backlog
	Devices     func(context.Context) []Device
	Doctor      func(context.Context) []Finding
	Log         func() []LogLine // the newest last
	Diagnostics func(context.Context, io.Writer) error
	AuditDir    string
	Signing     *Signing // what officers sign copies with at this screen; nil: they can't, and officers have no part here
	Restart     func()   // ends the daemon so that it comes back with the new configuration
	Office      string   // heading of reports

	// Update installs a bundle of procedures with its minisign signature and gives how many there are.
	// Its error says in one sentence what is wrong with the bundle.
	Update func(archive, signature []byte) (int, error)
}

// Backlog is the queue as a technician sees it; *queue.Queue is one.
type Backlog interface {
	List(queue.Filter) ([]queue.Submission, error)
	Stats() (queue.Stats, error)
	Retry(ctx context.Context, idOrCode string) error
	RetryAll(ctx context.Context) (int, error)
	Drop(ctx context.Context, idOrCode string) error
}

// Device is one device at the counter.
type Device struct {
	ID    string
	Kind  string // "flatbed scanner", "serial port", …
	Name  string
	State string // what is the matter, in a technician's words; shown where it is not OK
	OK    bool
	Known string // what its make goes by
	Note  string // what a technician should know of that make
}

// Sort is the kind as it is named on the page: SANE's drivers and our own have many words for few things.
func (d Device) Sort() string {
	switch {
	case strings.Contains(d.Kind, "camera"):
		return "camera"
	case strings.Contains(d.Kind, "serial"):
		return "serial"
	case strings.Contains(d.Kind, "chip"):
		return "chip"
	case strings.Contains(d.Kind, "folder"):
		return "folder"
	case strings.Contains(d.Kind, "network"):
		return "network"
	case strings.Contains(d.Kind, "feeder"), strings.Contains(d.Kind, "sheetfed"):
		return "feeder"
	case strings.Contains(d.Kind, "flatbed"):
		return "flatbed"
	}
	return "scanner"
}

// Finding is one thing that doctor looked at.
type Finding struct {
	OK   bool
	Warn bool // works, but somebody should look
	What string
	Mend string
}

// LogLine is one line of the daemon's log.
type LogLine struct {
	Said  string // the same in the language of the screen, where it has words there
	Time  time.Time
	Level string // DEBUG, INFO, WARN, ERROR
	Text  string
}

// ConsoleView is what a staff page is made from.
type ConsoleView struct {
	Page   string
	Lang   string
	CSRF   string
	Ward   string
	Demo   bool
	Path   string
	Title  string
	Member staff.Member
	Nav    []navItem
	Home   string // the citizen's page that this screen goes back to
	Idle   int    // seconds without a touch until it does
	Done   string // sentence about what was just done
	Fault  string // sentence about what could not be done
	Body   any
}

type navItem struct {
	Path string
	Name string
	Key  string // keyboard shortcut
	Now  bool
}

// the pages of the console in the order of its menu; a page is left out where its part is missing.
func (s *Host) nav(lang, page string, role staff.Role) []navItem {
	c := s.Options.Console
	var items []navItem
	add := func(there bool, path, key, shortcut string) {
		if there {
			items = append(items, navItem{path, s.Words.Say(lang, key), shortcut, key == "nav."+page})
		}
	}
	tech := role == staff.Technician
	add(tech, "/console", "nav.home", "1")
	add(tech && c.Devices != nil, "/console/devices", "nav.devices", "2")
	add(tech && c.Backlog != nil, "/console/queue", "nav.queue", "3")
	add(tech && c.Doctor != nil, "/console/doctor", "nav.doctor", "4")
	add(tech && c.Log != nil, "/console/log", "nav.log", "5")
	add(tech && c.Settings != nil, "/console/config", "nav.config", "6")
	add(tech, "/console/procedures", "nav.procedures", "p")
	add(tech, "/console/staff", "nav.staff", "7")
	add(tech && c.AuditDir != "", "/console/audit", "nav.audit", "8")
	add(c.Backlog != nil, "/report", "nav.report", "9")
	add(tech && c.Diagnostics != nil, "/console/diagnostics", "nav.diagnostics", "0")
	add(role == staff.Officer, "/officer", "nav.officer", "o")
	add(true, "/desk", "nav.desk", "d")
	add(true, "/verify", "nav.verify", "v")
	return items
}

// consoleFunctions are what the staff's templates call.
func consoleFunctions(words *catalogue, said *phrases) functionsOf {
	return func(lang string, sums map[string]string) template.FuncMap {
		return template.FuncMap{
			"t": func(key string, pairs ...any) string { return words.Say(lang, key, pairs...) },
			"phrase": func(english string) string {
				if lang != "vi" {
					return english
				}
				return said.say(english)
			},
			"word": func(family string, code any) string { return words.word(lang, family, fmt.Sprint(code)) },
			"actor": func(actor string) string {
				role, name, named := strings.Cut(actor, ":")
				if out := words.word(lang, "actor", role); named {
					return out + " " + name
				} else {
					return out
				}
			},
			"asset": func(name string) string { return "/static/" + name + "?v=" + sums[name] },
			"clock": func(t time.Time) string {
				if t.IsZero() {
					return "–"
				}
				return t.Local().Format("15:04:05 02/01/2006")
			},
			"short": func(t time.Time) string { return t.Local().Format("15:04 02/01") },
			"bytes": ShownBytes,
			"count": func(stats queue.Stats, state queue.State) int64 { return stats.Count[state] },
			"lower": strings.ToLower,
			"inc":   func(n int) int { return n + 1 },
		}
	}
}

// RenderConsole writes a page of the staff.
func (s *Host) RenderConsole(w http.ResponseWriter, r *http.Request, status int, page string, v ConsoleView) {
	sess := s.Session(w, r)
	sess.mu.Lock()
	v.Lang, v.CSRF = sess.lang, sess.CSRF
	sess.mu.Unlock()
	v.Page, v.Ward, v.Demo = page, s.Options.Ward, s.Options.Demo
	v.Path = "/staff"
	if r.Method == http.MethodGet {
		v.Path = r.URL.Path
	}
	v.Title = s.Words.Say(v.Lang, "console."+page)
	v.Home, v.Idle = "/", int(doorOpen.Seconds())
	if t := sess.Sitting(); t != nil && !sess.Staffed() {
		v.Home = s.WhereTo(t.Visit.State())
	}
	if v.Member.Name != "" {
		v.Idle = int(SignedFor.Seconds())
		v.Nav = s.nav(v.Lang, page, v.Member.Role)
	}
	s.send(w, r, status, s.Console.Sets[v.Lang][page], page, v)
}

// Done leads back to a page with a sentence about what was done there. The sentence is named by a key,
// so that a link can't put words on the screen.
func Done(w http.ResponseWriter, r *http.Request, page, key string) {
	http.Redirect(w, r, page+"?done="+key, http.StatusSeeOther)
}

// Said puts the sentence that done named on a page.
func (s *Host) Said(r *http.Request, lang string) string {
	key := "done." + r.URL.Query().Get("done")
	if !s.Words.Has(lang, key) {
		return ""
	}
	return s.Words.Say(lang, key)
}

// ShownBytes is a size in bytes as people write it: 1.2 MB.
func ShownBytes(n int64) string {
	units := []string{"B", "kB", "MB", "GB", "TB"}
	f, i := float64(n), 0
	for f >= 1000 && i < len(units)-1 {
		f, i = f/1000, i+1
	}
	if i == 0 || f >= 100 {
		return fmt.Sprintf("%.0f %s", f, units[i])
	}
	return fmt.Sprintf("%.1f %s", f, units[i])
}
