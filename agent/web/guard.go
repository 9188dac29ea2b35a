package web

import (
	"crypto/subtle"
	"mime"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// formLimit is the most a form without a file may weigh.
const formLimit = 64 << 10

// policy is the content security policy of every page: nothing inline, nothing from elsewhere, no frame.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
	"connect-src 'self'; media-src 'self' blob:; font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// guard lets only our own pages talk to us. The kiosk's browser may be pointed at any web page, and any
// web page may try to reach a server on loopback; so: the Host must be ours (a rebinding name is not),
// a request that names its origin must come from us, and whatever changes something needs the token of
// its session, which no other origin can read.
func (s *Site) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "same-origin") // with no-referrer, forms would name their origin "null"
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=(), usb=(), serial=()")
		h.Set("Cache-Control", "no-store")

		refuse := func(status int, why string) {
			s.log.Warn("request refused", "why", why, "method", r.Method)
			http.Error(w, http.StatusText(status), status)
		}
		if !s.ours(r.Host) {
			refuse(http.StatusMisdirectedRequest, "host")
			return
		}
		if oddPath(r.URL) {
			refuse(http.StatusBadRequest, "path")
			return
		}
		safe := r.Method == http.MethodGet || r.Method == http.MethodHead
		if !safe && r.Method != http.MethodPost {
			h.Set("Allow", "GET, HEAD, POST")
			refuse(http.StatusMethodNotAllowed, "method")
			return
		}
		origin, site := r.Header.Get("Origin"), r.Header.Get("Sec-Fetch-Site")
		if origin != "" && !sameOrigin(origin, r) {
			refuse(http.StatusForbidden, "origin")
			return
		}
		// A link on another page may lead to the start, and nowhere else.
		if (site == "cross-site" || site == "same-site") &&
			(!safe || r.URL.Path != "/" || r.Header.Get("Sec-Fetch-Mode") != "navigate") {
			refuse(http.StatusForbidden, "fetch site")
			return
		}
		if safe {
			next.ServeHTTP(w, r)
			return
		}
		if origin == "" && site != "same-origin" {
			refuse(http.StatusForbidden, "no origin")
			return
		}
		if !s.readForm(w, r) {
			return
		}
		session, ok := s.sessionOf(r)
		token := r.Header.Get("X-CSRF-Token")
		if token == "" {
			token = r.PostForm.Get("csrf")
		}
		if !ok || subtle.ConstantTimeCompare([]byte(token), []byte(session.csrf)) != 1 {
			// A form of a visit that has ended in the meantime is no attack: begin anew. A forged one
			// gets nothing done either way.
			s.log.Warn("request refused", "why", "form token", "method", r.Method)
			if r.Header.Get("X-CSRF-Token") != "" {
				http.Error(w, http.StatusText(http.StatusForbidden), http.StatusForbidden)
				return
			}
			s.render(w, r, http.StatusForbidden, "expired", view{})
			return
		}
		next.ServeHTTP(w, r)
	})
}

// readForm parses the body within its limits and wholly in memory, since a temporary file would hold
// personal data in the clear.
func (s *Site) readForm(w http.ResponseWriter, r *http.Request) bool {
	media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	limit := int64(formLimit)
	upload := media == "multipart/form-data" && (r.URL.Path == "/upload" || r.URL.Path == "/console/procedures")
	if upload {
		limit = s.o.UploadLimit + formLimit
	}
	r.Body = http.MaxBytesReader(w, r.Body, limit)
	var err error
	switch {
	case upload:
		err = r.ParseMultipartForm(limit + formLimit)
	case media == "application/x-www-form-urlencoded" || r.ContentLength == 0:
		err = r.ParseForm()
	default:
		http.Error(w, http.StatusText(http.StatusUnsupportedMediaType), http.StatusUnsupportedMediaType)
		return false
	}
	if err == nil {
		return true
	}
	s.log.Warn("request refused", "why", "body", "method", r.Method)
	if upload {
		s.render(w, r, http.StatusRequestEntityTooLarge, "toolarge", view{Back: "/scan"})
		return false
	}
	http.Error(w, http.StatusText(http.StatusRequestEntityTooLarge), http.StatusRequestEntityTooLarge)
	return false
}

// ours tells whether a Host header names this kiosk.
func (s *Site) ours(host string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	name = strings.ToLower(strings.Trim(name, "[]"))
	if name == "localhost" || slices.Contains(s.o.Hosts, name) || slices.Contains(s.o.Hosts, host) {
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

// oddPath finds what no link of ours contains.
func oddPath(u *url.URL) bool {
	raw := strings.ToLower(u.EscapedPath())
	return !strings.HasPrefix(u.Path, "/") || strings.Contains(u.Path, "..") || strings.ContainsAny(u.Path, "\\\x00") ||
		strings.Contains(u.Path, "//") || strings.Contains(raw, "%2f") || strings.Contains(raw, "%5c")
}
