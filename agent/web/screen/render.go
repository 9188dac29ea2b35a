package screen

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"os/exec"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"motcua/agent/procedure"
	"motcua/agent/sign"
	"motcua/agent/staff"
	"motcua/agent/visit"
)

// View is what every page is made from.
type View struct {
	Page    string
	Lang    string
	Size    string
	CSRF    string
	Ward    string
	Demo    bool
	Path    string // of this page, to come back to after a switch of language
	Title   string
	Read    string // what is read aloud: the question and its sentence
	Steps   []step
	Back    string
	Commits bool // the button onward gives or sends something: it lies where no page before has one
	Visit   bool // somebody sits here: silence counts
	Helped  bool // a volunteer has the screen
	Called  bool
	Staffed bool // the screen is a volunteer's own
	Voice   bool // the kiosk can read aloud where the browser cannot
	Print   bool // the receipt can be printed here, by the browser
	Slips   bool // there is a receipt printer
	Files   bool // the browser can open a file dialog
	CanPark bool // a visit can be left for later
	Parked  bool // this one is
	CanHelp bool // a volunteer may sign in here
	Signs   bool // whoever is signed in here signs copies
	Silence silence
	Returns int // seconds without a touch until a page that is no visit's gives way to the first one; 0: it stays
	Body    any
}

// step is one mark of the progress line.
type step struct {
	Name string
	Now  bool
	Done bool
}

// pages are the templates, one set a language.
type pages struct {
	Sets map[string]map[string]*template.Template // language, page
}

// functionsOf gives what templates may call, for a language and the sums of the static files.
type functionsOf func(lang string, sums map[string]string) template.FuncMap

// loadPages reads the templates of a folder: each of them and its layout.html make one page.
func loadPages(folder string, functions functionsOf) (*pages, error) {
	sums, err := sumAssets()
	if err != nil {
		return nil, err
	}
	all, err := fs.Glob(Files, folder+"/*.html")
	if err != nil {
		return nil, err
	}
	p := &pages{Sets: map[string]map[string]*template.Template{}}
	for _, lang := range Languages {
		layout, err := template.New("layout.html").Funcs(functions(lang, sums)).ParseFS(Files, folder+"/layout.html")
		if err != nil {
			return nil, fmt.Errorf("read templates: %w", err)
		}
		p.Sets[lang] = map[string]*template.Template{}
		for _, file := range all {
			name := strings.TrimSuffix(path.Base(file), ".html")
			if name == "layout" {
				continue
			}
			set, err := layout.Clone()
			if err != nil {
				return nil, err
			}
			if _, err := set.ParseFS(Files, file); err != nil {
				return nil, fmt.Errorf("read templates: %w", err)
			}
			p.Sets[lang][name] = set
		}
	}
	return p, nil
}

// Clock is a time as receipts tell it: Vietnam's, whatever zone the machine was set to.
func Clock(t time.Time) string { return t.In(sign.Hanoi).Format("15:04 02/01/2006") }

// citizenFunctions are what the citizen's templates call.
func citizenFunctions(words *catalogue) functionsOf {
	return func(lang string, sums map[string]string) template.FuncMap {
		return template.FuncMap{
			"t":             func(key string, pairs ...any) string { return words.Say(lang, key, pairs...) },
			"in":            func(t procedure.Text) string { return t.In(lang) },
			"money":         func(n int64) string { return Money(lang, n) },
			"date":          func(iso string) string { return ShownDate(iso) },
			"clock":         Clock,
			"asset":         func(name string) string { return "/static/" + name + "?v=" + sums[name] },
			"optional":      func(t procedure.Text) string { return optional(t.In(lang), words.Say(lang, "about.optional")) },
			"picture":       picture,
			"firstSentence": firstSentence,
			"how":           how,
			"helpTopics":    func() []string { return helpTopics },
			"others": func() []string {
				return slices.DeleteFunc(slices.Clone(Languages), func(l string) bool { return l == lang })
			},
			"inLanguage": func(l, key string) string { return words.Say(l, key) },
			"add":        func(a, b int) int { return a + b },
		}
	}
}

func sumAssets() (map[string]string, error) {
	sums := map[string]string{}
	err := fs.WalkDir(Files, "static", func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := Files.ReadFile(file)
		sum := sha256.Sum256(data)
		sums[strings.TrimPrefix(file, "static/")] = hex.EncodeToString(sum[:6])
		return err
	})
	return sums, err
}

// Assets serves the static files; with their sum in the address they may be kept.
func Assets() http.Handler {
	server := http.FileServerFS(Files)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/") || r.URL.Path == "" {
			http.NotFound(w, r)
			return
		}
		if r.URL.Query().Get("v") != "" {
			w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
		}
		server.ServeHTTP(w, r)
	})
}

// startPage is the kiosk's first page.
const startPage = "start"

// Render writes a citizen's page.
func (s *Host) Render(w http.ResponseWriter, r *http.Request, status int, page string, v View) {
	sess := s.Session(w, r)
	sess.mu.Lock()
	v.Lang, v.Size, v.CSRF = sess.lang, sess.size, sess.CSRF
	sess.mu.Unlock()
	v.Page, v.Ward, v.Demo = page, s.Options.Ward, s.Options.Demo
	if v.Path == "" {
		v.Path = "/"
		if r.Method == http.MethodGet {
			v.Path = r.URL.Path
		}
	}
	if t := sess.Sitting(); t != nil {
		v.CSRF = sess.form(t)
		state := t.Visit.State()
		v.Visit, v.Called, v.Helped = true, !state.Called.IsZero(), state.Channel == visit.Volunteer
		v.Silence = s.Silence(t)
		v.Parked = !t.Parked().IsZero()
	}
	var member staff.Member
	member, v.Staffed = s.SignedIn(r)
	if !v.Visit && !v.Staffed && page != startPage && DeviceOf(r) == ownScreen {
		v.Returns = int(s.Options.Citizen.Silence.Seconds())
	}
	v.Signs = v.Staffed && member.Role == staff.Officer && s.Officers()
	v.Voice = s.Voice != ""
	v.Print = s.Options.Print
	v.Slips = s.Options.PrintSlip != nil
	v.Files = s.filesHere(r)
	v.CanPark = s.CanPark()
	v.CanHelp = s.Options.Console.Roster != nil
	if v.Title == "" {
		v.Title = s.Words.Say(v.Lang, page+".title")
	}
	if v.Read == "" {
		v.Read = v.Title
		if s.Words.Has(v.Lang, page+".lead") {
			v.Read += ". " + s.Words.Say(v.Lang, page+".lead")
		}
	}
	s.send(w, r, status, s.pages.Sets[v.Lang][page], page, v)
}

// send makes a page in memory first, so that a mistake in a template gives a whole error page instead of half a page.
func (s *Host) send(w http.ResponseWriter, r *http.Request, status int, set *template.Template, page string, v any) {
	var b bytes.Buffer
	if err := set.ExecuteTemplate(&b, "layout.html", v); err != nil {
		s.Log.Error("render", "page", page, "error", err)
		http.Error(w, s.Words.Say(s.Session(w, r).Language(), "fault"), http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(b.Len()))
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(b.Bytes()) // the browser may have gone
	}
}

// the steps a citizen sees, and the visit's steps each of them covers.
var shownSteps = []struct {
	key  string
	step []visit.Step
}{
	{"step.choose", []visit.Step{visit.Choose, visit.Consent}},
	{"step.scan", []visit.Step{visit.Scan, visit.Papers}},
	{"step.check", []visit.Step{visit.Check}},
	{"step.confirm", []visit.Step{visit.Confirm}},
	{"step.receipt", []visit.Step{visit.Receipt}},
}

// Steps are the marks of the progress line while the visit is at a step.
func (s *Host) Steps(lang string, now visit.Step) []step {
	steps := make([]step, len(shownSteps))
	done := true
	for i, shown := range shownSteps {
		steps[i].Name = s.Words.Say(lang, shown.key)
		for _, one := range shown.step {
			if one == now {
				steps[i].Now, done = true, false
			}
		}
		steps[i].Done = done
	}
	return steps
}

// Money writes đồng the way each language does: 10.000 đ, 10,000 VND.
func Money(lang string, n int64) string {
	digits := strconv.FormatInt(n, 10)
	sep, unit := ".", " đ"
	if lang == "en" {
		sep, unit = ",", " VND"
	}
	var b strings.Builder
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteString(sep)
		}
		b.WriteRune(d)
	}
	return b.String() + unit
}

// ShownDate writes an ISO date the way it stands on papers; anything else stays as it is.
func ShownDate(iso string) string {
	t, err := time.Parse(time.DateOnly, iso)
	if err != nil {
		return iso
	}
	return t.Format("02/01/2006")
}

// optional is the mark of a paper that may be left out, unless its name says so already.
func optional(name, mark string) string {
	if strings.Contains(strings.ToLower(name), strings.Trim(strings.ToLower(mark), "()")) {
		return ""
	}
	return mark
}

func firstSentence(s string) string {
	first, _, more := strings.Cut(s, ". ")
	if more {
		return first + "."
	}
	return s
}

// helpTopics are what troubles people at the counter, in the order they ask.
var helpTopics = []string{"account", "sim", "pay", "device", "unread", "after", "privacy"}

// how names the drawing that shows where the paper goes.
func how(scanner, feeder bool) string {
	switch {
	case !scanner:
		return "pictures/upload.svg"
	case feeder:
		return "pictures/feeder.svg"
	}
	return "pictures/glass.svg"
}

// picture names the drawing of a procedure among the static files.
func picture(p *procedure.Procedure) string {
	for _, name := range []string{p.Icon, string(p.Topic)} {
		if _, err := fs.Stat(Files, "static/pictures/"+name+".svg"); name != "" && err == nil {
			return "pictures/" + name + ".svg"
		}
	}
	return "pictures/paper.svg"
}

// voice finds espeak-ng, which speaks where the browser has no voice of its own.
func voice() string {
	path, err := exec.LookPath("espeak-ng")
	if err != nil {
		return ""
	}
	return path
}
