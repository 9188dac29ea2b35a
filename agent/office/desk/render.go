package desk

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"motcua/agent/answer"
)

//go:embed static templates words
var files embed.FS

var languages = []string{"vi", "en"}

// catalogue holds every sentence of the pages, by language and key.
type catalogue map[string]map[string]string

func loadWords() (catalogue, error) {
	c := catalogue{}
	for _, lang := range languages {
		data, err := files.ReadFile("words/" + lang + ".yaml")
		if err != nil {
			return nil, fmt.Errorf("read the desk's words: %w", err)
		}
		words := map[string]string{}
		if err := yaml.Unmarshal(data, &words); err != nil {
			return nil, fmt.Errorf("read the desk's words in %s: %w", lang, err)
		}
		c[lang] = words
	}
	return c, nil
}

// say gives the sentence of a key; pairs fill its {gaps}.
func (c catalogue) say(lang, key string, pairs ...any) string {
	s, ok := c[lang][key]
	if !ok {
		if s, ok = c["vi"][key]; !ok {
			return key[strings.LastIndexByte(key, '.')+1:] // a code that the words lack stands for itself
		}
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		s = strings.ReplaceAll(s, "{"+fmt.Sprint(pairs[i])+"}", fmt.Sprint(pairs[i+1]))
	}
	return s
}

type page = *template.Template

func (d *Desk) loadPages() (map[string]map[string]page, error) {
	all, err := fs.Glob(files, "templates/*.html")
	if err != nil {
		return nil, err
	}
	sets := map[string]map[string]page{}
	for _, lang := range languages {
		layout, err := template.New("layout.html").Funcs(d.functions(lang)).ParseFS(files, "templates/layout.html")
		if err != nil {
			return nil, fmt.Errorf("read the desk's templates: %w", err)
		}
		sets[lang] = map[string]page{}
		for _, file := range all {
			name := strings.TrimSuffix(path.Base(file), ".html")
			if name == "layout" {
				continue
			}
			set, err := layout.Clone()
			if err != nil {
				return nil, err
			}
			if sets[lang][name], err = set.ParseFS(files, file); err != nil {
				return nil, fmt.Errorf("read the desk's templates: %w", err)
			}
		}
	}
	return sets, nil
}

func (d *Desk) functions(lang string) template.FuncMap {
	return template.FuncMap{
		"t":     func(key string, pairs ...any) string { return d.words.say(lang, key, pairs...) },
		"word":  func(family string, code any) string { return d.words.say(lang, family+"."+fmt.Sprint(code)) },
		"asset": func(name string) string { return "/desk/static/" + name + "?v=" + d.sums[name] },
		"plain": visible,
		"clock": func(t time.Time) string { return t.Local().Format("15:04 02/01/2006") },
		"age":   func(t time.Time) string { return d.age(lang, t) },
		"date": func(text string) string {
			if t, err := time.Parse(time.DateOnly, text); err == nil {
				return t.Format("02/01/2006")
			}
			return text
		},
		"reason": func(code string) string {
			r, ok := answer.ReasonOf(code)
			if !ok {
				return code
			}
			if lang == "vi" {
				return r.Words.VI
			}
			return r.Words.EN
		},
		"size": func(n int64) string {
			const kilo, mega = 1 << 10, 1 << 20
			if n < mega {
				return fmt.Sprintf("%d kB", (n+kilo-1)/kilo)
			}
			return fmt.Sprintf("%.1f MB", float64(n)/mega)
		},
	}
}

// age is how long something waits, in the largest unit that says it.
func (d *Desk) age(lang string, since time.Time) string {
	switch waits := d.now().Sub(since); {
	case waits < time.Minute:
		return d.words.say(lang, "age.now")
	case waits < time.Hour:
		return d.words.say(lang, "age.minutes", "n", int(waits.Minutes()))
	case waits < 24*time.Hour:
		return d.words.say(lang, "age.hours", "n", int(waits.Hours()))
	default:
		return d.words.say(lang, "age.days", "n", int(waits.Hours()/24))
	}
}

func sumStatic() (map[string]string, error) {
	sums := map[string]string{}
	err := fs.WalkDir(files, "static", func(file string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := files.ReadFile(file)
		sum := sha256.Sum256(data)
		sums[strings.TrimPrefix(file, "static/")] = hex.EncodeToString(sum[:6])
		return err
	})
	return sums, err
}

// kept lets browsers keep static files that are asked for with their sum.
func kept(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("v") != "" {
			w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
		}
		next.ServeHTTP(w, r)
	})
}

// view is what every page is made from.
type view struct {
	Page, Lang, CSRF, Ward, Officer, Path, Title, Flash string
	Kiosks                                              bool
	Body                                                any
}

func (d *Desk) render(w http.ResponseWriter, r *http.Request, status int, name string, body any) {
	s := d.session(w, r)
	s.mu.Lock()
	v := view{Page: name, Lang: s.lang, CSRF: s.csrf, Ward: d.o.Ward, Officer: s.officer, Path: r.URL.RequestURI(), Body: body,
		Kiosks: d.o.Kiosks != nil || d.o.Store.HasKiosks()}
	if r.Method == http.MethodGet && name != "signin" {
		v.Flash, s.flash = s.flash, ""
	}
	s.mu.Unlock()
	if r.Method != http.MethodGet {
		v.Path = Path
	}
	v.Title = d.words.say(v.Lang, name+".title")
	if t, ok := body.(interface {
		title(catalogue, string) string
	}); ok {
		v.Title = t.title(d.words, v.Lang)
	}
	var b bytes.Buffer
	if err := d.pages[v.Lang][name].ExecuteTemplate(&b, "layout.html", v); err != nil {
		d.log.Error("render", "page", name, "error", err)
		http.Error(w, d.words.say(v.Lang, "fault"), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // the browser may have gone
}

// fault is the body of the page that says what went wrong and what to do next.
type fault struct {
	Key  string
	Back string
}

func (d *Desk) fail(w http.ResponseWriter, r *http.Request, status int, key, back string) {
	d.render(w, r, status, "fault", fault{key, back})
}

// done redirects to where the officer goes on, and says there what was done.
func (d *Desk) done(w http.ResponseWriter, r *http.Request, s *session, to, key string, pairs ...any) {
	s.mu.Lock()
	s.flash = d.words.say(s.lang, key, pairs...)
	s.mu.Unlock()
	http.Redirect(w, r, to, http.StatusSeeOther)
}
