package portal

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Origin is the extension's own: its id follows from the key in extension/manifest.json.
const Origin = "chrome-extension://bhognjkpnadceldbnedgoinbinakpkgh"

// PathPrefix begins the addresses that only the extension may ask.
const PathPrefix = "/portal/"

// Change is a form of the portal that is not as the map knows it; names only, nothing of a person.
type Change struct {
	Procedure string
	Page      string
	Unknown   []string // names the form has and the map hasn't
	Lost      []string // names the map has and the form hasn't
	Seen      time.Time
}

// requestLimit is the most a request of the extension weighs.
const requestLimit = 16 << 10

// ServeHTTP answers the extension, and nobody else: POST claim (code), here (token, acted) and changed (token, page, unknown, lost).
func (d *Desk) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	if r.Header.Get("Origin") != Origin {
		http.Error(w, http.StatusText(http.StatusForbidden), http.StatusForbidden)
		return
	}
	h.Set("Access-Control-Allow-Origin", Origin)
	h.Set("Vary", "Origin")
	if r.Method != http.MethodPost {
		h.Set("Allow", http.MethodPost)
		http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, requestLimit)
	if err := r.ParseForm(); err != nil {
		http.Error(w, http.StatusText(http.StatusBadRequest), http.StatusBadRequest)
		return
	}
	switch strings.TrimPrefix(r.URL.Path, PathPrefix) {
	case "claim":
		d.claim(w, r)
	case "here":
		left := d.Here(r.PostForm.Get("token"), r.PostForm.Get("acted") != "")
		if left <= 0 {
			http.Error(w, http.StatusText(http.StatusGone), http.StatusGone)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]int{"left": int(left.Seconds())})
	case "changed":
		d.tellChanged(w, r)
	default:
		http.NotFound(w, r)
	}
}

func (d *Desk) claim(w http.ResponseWriter, r *http.Request) {
	work, err := d.Claim(r.PostForm.Get("code"))
	switch {
	case errors.Is(err, ErrCode):
		http.Error(w, http.StatusText(http.StatusNotFound), http.StatusNotFound)
	case errors.Is(err, ErrTries):
		http.Error(w, http.StatusText(http.StatusTooManyRequests), http.StatusTooManyRequests)
	case err != nil:
		http.Error(w, http.StatusText(http.StatusGone), http.StatusGone) // the visit has moved on
	default:
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(work) // a browser that has gone away has no use for it
	}
}

// plainName is what names of form fields are made of; anything else could be a person's text.
var plainName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_.\[\]-]{0,79}$`)

// maxNames bounds what one report may say.
const maxNames = 60

func names(text string) []string {
	list := slices.DeleteFunc(strings.Fields(text), func(s string) bool { return !plainName.MatchString(s) })
	return list[:min(len(list), maxNames)]
}

func (d *Desk) tellChanged(w http.ResponseWriter, r *http.Request) {
	c := Change{Page: r.PostForm.Get("page"), Unknown: names(r.PostForm.Get("unknown")), Lost: names(r.PostForm.Get("lost"))}
	news, ok := d.changed(r.PostForm.Get("token"), &c)
	if !ok {
		http.Error(w, http.StatusText(http.StatusForbidden), http.StatusForbidden)
		return
	}
	if news && d.log != nil {
		d.log.Warn("a form of the portal has changed", slog.String("procedure", c.Procedure), slog.String("page", c.Page),
			slog.Any("unknown", c.Unknown), slog.Any("lost", c.Lost))
	}
	w.WriteHeader(http.StatusNoContent)
}

// Changes lists the forms that were last seen to differ from their maps, for the technician.
func (d *Desk) Changes() []Change {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.changes)
}
