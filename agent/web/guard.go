package web

import (
	"errors"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"motcua/agent/portal"
	"motcua/agent/web/screen"
)

// policy is the content security policy of every page: nothing inline, nothing from elsewhere, no frame, and no second window: the kiosk's
// compositor would lay one over the page, which goes on saying that it is seen. Files are handed out to be saved (of PDFs, too), which
// is why the sandbox does them no harm: a browser shows no PDF within one.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
	"connect-src 'self'; media-src 'self' blob:; font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; " +
	"sandbox allow-scripts allow-same-origin allow-forms allow-modals allow-downloads"

// guard lets only our own pages talk to us. The kiosk's browser may be pointed at any web page, and any
// web page may try to reach a server on loopback; so: the Host must be ours (a rebinding name is not),
// a request that names its origin must come from us, and whatever changes something needs the token of
// its session, which no other origin can read.
func (s *Site) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		secure(w.Header())
		refuse := func(status int, why string) {
			s.Log.Warn("request refused", "why", why, "method", r.Method)
			http.Error(w, http.StatusText(status), status)
		}
		if !s.ours(r.Host) {
			refuse(http.StatusMisdirectedRequest, "host")
			return
		}
		if screen.OddPath(r.URL) {
			refuse(http.StatusBadRequest, "path")
			return
		}
		if s.Options.Portal != nil && strings.HasPrefix(r.URL.Path, portal.PathPrefix) {
			s.Desk.ServeHTTP(w, r) // answers the extension's own origin only, and needs a code from the screen
			return
		}
		if status, why := foreign(r); why != "" {
			if status == http.StatusMethodNotAllowed {
				w.Header().Set("Allow", "GET, HEAD, POST")
			}
			refuse(status, why)
			return
		}
		rc := http.NewResponseController(w)
		_ = rc.SetWriteDeadline(time.Now().Add(screen.AnswerTime))
		if !safe(r) {
			s.receive(w, r, rc, next)
			return
		}
		if r.ContentLength != 0 { // nothing of ours sends one, and nobody would read it
			w.Header().Set("Connection", "close")
			_ = rc.SetReadDeadline(time.Now().Add(time.Second))
			refuse(http.StatusBadRequest, "body")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// secure sets what every answer tells the browser to keep to.
func secure(h http.Header) {
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "same-origin") // with no-referrer, forms would name their origin "null"
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=(), usb=(), serial=()")
	h.Set("Cache-Control", "no-store")
}

func safe(r *http.Request) bool { return r.Method == http.MethodGet || r.Method == http.MethodHead }

// foreign tells why a request is none that a page of ours makes; an empty why is none. It is stricter than net/http.CrossOriginProtection,
// which lets pass what another site only asks to see, and a form of a client that names no origin: here pages show somebody's papers, and
// who changes something is a browser of today.
func foreign(r *http.Request) (status int, why string) {
	if !safe(r) && r.Method != http.MethodPost {
		return http.StatusMethodNotAllowed, "method"
	}
	origin, site := r.Header.Get("Origin"), r.Header.Get("Sec-Fetch-Site")
	if origin != "" && !sameOrigin(origin, r) {
		return http.StatusForbidden, "origin"
	}
	// A link on another page may lead to the start, and nowhere else.
	begins := safe(r) && r.URL.Path == "/" && r.Header.Get("Sec-Fetch-Mode") == "navigate"
	if (site == "cross-site" || site == "same-site") && !begins {
		return http.StatusForbidden, "fetch site"
	}
	if !safe(r) && origin == "" && site != "same-origin" {
		return http.StatusForbidden, "no origin"
	}
	return 0, ""
}

// receive takes the body of a request that changes something, and hands the request on.
func (s *Site) receive(w http.ResponseWriter, r *http.Request, rc *http.ResponseController, next http.Handler) {
	session, ok := s.SessionOf(r)
	err := screen.ErrBadToken
	if ok {
		r, err = s.Receive(w, r, session)
		_ = rc.SetWriteDeadline(time.Now().Add(screen.AnswerTime)) // from now: the body took its own time
	}
	if err != nil {
		s.refuseBody(w, r, err)
		return
	}
	next.ServeHTTP(w, r)
}

// refuseBody answers a request whose body was not read, or not to its end.
func (s *Site) refuseBody(w http.ResponseWriter, r *http.Request, err error) {
	s.Log.Warn("request refused", "why", why(err), "method", r.Method)
	// What else is under way is not waited for.
	w.Header().Set("Connection", "close")
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(time.Second))
	var large *http.MaxBytesError
	status := http.StatusBadRequest
	switch {
	case errors.Is(err, screen.ErrBadToken) && r.Header.Get("X-CSRF-Token") == "":
		// A form of a visit that has ended in the meantime is no attack: begin anew. A forged one gets nothing done either way.
		s.Render(w, r, http.StatusForbidden, "expired", screen.View{})
		return
	case errors.Is(err, screen.ErrOtherVisit):
		s.elsewhere(w, r)
		return
	case errors.As(err, &large) && screen.TakesFiles(r.URL.Path):
		s.Render(w, r, http.StatusRequestEntityTooLarge, "toolarge", screen.View{Back: beforeFiles(r.URL.Path)})
		return
	case errors.Is(err, screen.ErrNoRoom):
		s.Fail(w, r, http.StatusTooManyRequests, "fault.uploading")
		return
	case errors.Is(err, screen.ErrManyParts):
		s.Render(w, r, http.StatusRequestEntityTooLarge, "toolarge", screen.View{Back: beforeFiles(r.URL.Path)})
		return
	case errors.Is(err, screen.ErrOddText):
		s.Fail(w, r, http.StatusUnprocessableEntity, "fault.odd-text")
		return
	case errors.Is(err, screen.ErrBadToken):
		status = http.StatusForbidden
	case errors.Is(err, screen.ErrMediaType):
		status = http.StatusUnsupportedMediaType
	case errors.As(err, &large):
		status = http.StatusRequestEntityTooLarge
	case errors.Is(err, os.ErrDeadlineExceeded):
		status = http.StatusRequestTimeout
	}
	http.Error(w, http.StatusText(status), status)
}

// beforeFiles is the page on which files for an address are chosen.
func beforeFiles(path string) string {
	if path == "/upload" {
		return "/scan"
	}
	return path
}

// elsewhere tells whoever uses the page of a visit that another window of this screen has another one open by now. Nothing of
// what the page sent was done.
func (s *Site) elsewhere(w http.ResponseWriter, r *http.Request) {
	onward := "/"
	if t := s.Session(w, r).Sitting(); t != nil {
		onward = s.WhereTo(t.Visit.State())
	}
	s.Render(w, r, http.StatusConflict, "elsewhere", screen.View{Path: "/", Body: onward})
}

// why names a refusal for the log: nothing of what was sent.
func why(err error) string {
	for _, known := range []error{screen.ErrBadToken, screen.ErrNoRoom, screen.ErrMediaType, screen.ErrManyParts, screen.ErrOddText,
		screen.ErrOtherVisit} {
		if errors.Is(err, known) {
			return known.Error()
		}
	}
	return "body"
}

// ours tells whether a Host header names this kiosk.
func (s *Site) ours(host string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	name = strings.ToLower(strings.Trim(name, "[]"))
	if name == "localhost" || slices.Contains(s.Options.Hosts, name) || slices.Contains(s.Options.Hosts, host) {
		return true
	}
	ip := net.ParseIP(name)
	return ip != nil && ip.IsLoopback()
}

func sameOrigin(origin string, r *http.Request) bool {
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" {
		return false
	}
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	return u.Scheme == scheme && u.Host == r.Host
}
