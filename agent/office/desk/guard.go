package desk

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"motcua/agent/audit"
	"motcua/agent/staff"
)

const (
	cookieName = "motcua-desk"
	langCookie = "motcua-desk-lang" // a stranger's language; an officer's stands in the session
	signedFor  = 20 * time.Minute   // without a request
	formLimit  = 64 << 10           // bytes of a form without a file
	fileLimit  = 64 << 20           // of one with a file; answer.ResultLimit
)

// session is one browser.
type session struct {
	token, csrf string

	signing sync.Mutex // held while this officer signs: a PIN that is sent twice costs two tries of a token

	mu      sync.Mutex // guards the rest
	lang    string
	officer string // sign-in name; "": nobody yet
	seen    time.Time
	flash   string             // shown once: what was done
	refused map[uint64]refusal // signing, by the number of the dossier whose page tells of it once
}

// refusal is why a form with the token's PIN was refused.
type refusal struct {
	status int
	key    string
}

// sessions are those of officers who signed in. A stranger has none: the token of the forms shown to him is signed, so that
// however many ask nobody's is pushed out.
type sessions struct {
	key [32]byte   // of the process; signs strangers' tokens
	mu  sync.Mutex // guards all
	all map[string]*session
}

func newSessions() *sessions {
	a := &sessions{all: map[string]*session{}}
	rand.Read(a.key[:]) // never fails
	return a
}

// stranger is the session of a cookie that nobody signed in with: made anew for each request, kept nowhere.
func (a *sessions) stranger(token, lang string) *session {
	mac := hmac.New(sha256.New, a.key[:])
	mac.Write([]byte(token))
	return &session{token: token, csrf: hex.EncodeToString(mac.Sum(nil)), lang: lang}
}

func (a *sessions) sweep(now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for token, s := range a.all {
		s.mu.Lock()
		old := now.Sub(s.seen) > signedFor
		s.mu.Unlock()
		if old {
			delete(a.all, token)
		}
	}
}

// begin makes an officer's session, in place of another one: a cookie that was planted is worth nothing after a sign-in.
func (d *Desk) begin(w http.ResponseWriter, r *http.Request, officer, lang string) *session {
	s := &session{token: rand.Text(), csrf: rand.Text(), officer: officer, lang: lang, seen: d.now()}
	a := d.sessions
	a.mu.Lock()
	if c, err := r.Cookie(cookieName); err == nil {
		delete(a.all, c.Value)
	}
	a.all[s.token] = s
	a.mu.Unlock()
	setCookie(w, r, cookieName, s.token)
	return s
}

func setCookie(w http.ResponseWriter, r *http.Request, name, value string) {
	http.SetCookie(w, &http.Cookie{Name: name, Value: value, Path: Path, HttpOnly: true, SameSite: http.SameSiteStrictMode,
		Secure: r.TLS != nil})
}

// sessionOf gives the browser's session: an officer's, or a stranger's; nil where it has no cookie of ours.
func (d *Desk) sessionOf(r *http.Request) *session {
	c, err := r.Cookie(cookieName)
	if err != nil || len(c.Value) != len(rand.Text()) {
		return nil
	}
	d.sessions.mu.Lock()
	s := d.sessions.all[c.Value]
	d.sessions.mu.Unlock()
	if s != nil {
		return s
	}
	lang := languages[0]
	if c, err := r.Cookie(langCookie); err == nil && slices.Contains(languages, c.Value) {
		lang = c.Value
	}
	return d.sessions.stranger(c.Value, lang)
}

// session gives the browser's session, a stranger's for a newcomer.
func (d *Desk) session(w http.ResponseWriter, r *http.Request) *session {
	if s := d.sessionOf(r); s != nil {
		return s
	}
	s := d.sessions.stranger(rand.Text(), languages[0])
	setCookie(w, r, cookieName, s.token)
	return s
}

// guard lets only the desk's own pages ask, and nothing be changed without the token of the session.
func (d *Desk) guard(next http.Handler) http.Handler {
	policy := "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; form-action 'self'; " +
		"base-uri 'none'; frame-ancestors 'none'; connect-src 'self'"
	if d.o.Signer != "" {
		policy += " " + d.o.Signer
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		if r.TLS == nil && !d.ours(r.Host) { // with TLS a foreign name fails by its certificate
			http.Error(w, http.StatusText(http.StatusMisdirectedRequest), http.StatusMisdirectedRequest)
			return
		}
		if strings.HasPrefix(r.URL.Path, signerPath) { // no browser: the signer has its ticket
			next.ServeHTTP(w, r)
			return
		}
		site := r.Header.Get("Sec-Fetch-Site")
		safe := r.Method == http.MethodGet || r.Method == http.MethodHead
		if origin := r.Header.Get("Origin"); origin != "" && !sameOrigin(origin, r) ||
			(site == "cross-site" || site == "same-site") && (!safe || r.URL.Path != Path || r.Header.Get("Sec-Fetch-Mode") != "navigate") {
			http.Error(w, http.StatusText(http.StatusForbidden), http.StatusForbidden)
			return
		}
		if !safe && !d.owned(w, r) {
			return
		}
		next.ServeHTTP(w, r)
	})
}

// owned reads a form that changes something, and answers where it is not of the session.
func (d *Desk) owned(w http.ResponseWriter, r *http.Request) bool {
	limit := int64(formLimit)
	if strings.HasSuffix(r.URL.Path, "/result") {
		limit = fileLimit + formLimit
		if s := d.sessionOf(r); s == nil || s.officer == "" {
			limit = formLimit
		}
	}
	_ = http.NewResponseController(w).SetReadDeadline(d.now().Add(2 * time.Minute))
	r.Body = http.MaxBytesReader(w, r.Body, limit)
	// A file stays in memory: a temporary one would hold it in the clear.
	err := r.ParseMultipartForm(limit)
	if errors.Is(err, http.ErrNotMultipart) {
		err = r.ParseForm()
	}
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		http.Error(w, http.StatusText(http.StatusRequestEntityTooLarge), http.StatusRequestEntityTooLarge)
		return false
	}
	s := d.sessionOf(r)
	if err != nil || s == nil || subtle.ConstantTimeCompare([]byte(s.csrf), []byte(r.PostFormValue("csrf"))) != 1 {
		http.Redirect(w, r, "/desk/signin?again=1", http.StatusSeeOther) // a page of a session that has ended
		return false
	}
	_ = http.NewResponseController(w).SetReadDeadline(time.Time{})
	return true
}

func (d *Desk) ours(host string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	name = strings.ToLower(strings.Trim(name, "[]"))
	ip := net.ParseIP(name)
	return name == "localhost" || ip != nil && ip.IsLoopback() || slices.Contains(d.o.Hosts, name) || slices.Contains(d.o.Hosts, host)
}

func sameOrigin(origin string, r *http.Request) bool {
	u, err := url.Parse(origin)
	return err == nil && u.Host == r.Host && u.Scheme == scheme(r)
}

func scheme(r *http.Request) string {
	if r.TLS != nil {
		return "https"
	}
	return "http"
}

// officer runs a handler for somebody who is signed in and still on the roster.
func (d *Desk) officer(f func(http.ResponseWriter, *http.Request, *session)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s := d.sessionOf(r)
		if s == nil || s.officer == "" {
			if s = d.byCertificate(w, r); s == nil {
				http.Redirect(w, r, "/desk/signin", http.StatusSeeOther)
				return
			}
		}
		_, known, err := d.o.Roster.Officer(s.officer)
		s.mu.Lock()
		over := d.now().Sub(s.seen) > signedFor
		s.seen = d.now()
		s.mu.Unlock()
		if err != nil {
			d.log.Error("read the list of officers", "error", err)
		}
		if !known || over {
			d.end(s)
			http.Redirect(w, r, "/desk/signin", http.StatusSeeOther)
			return
		}
		f(w, r, s)
	}
}

func (d *Desk) end(s *session) {
	d.sessions.mu.Lock()
	defer d.sessions.mu.Unlock()
	delete(d.sessions.all, s.token)
}

// byCertificate signs an officer in whose browser showed a certificate of the officers' authority.
func (d *Desk) byCertificate(w http.ResponseWriter, r *http.Request) *session {
	if d.o.Officers == nil || r.TLS == nil || len(r.TLS.PeerCertificates) == 0 {
		return nil
	}
	cert := r.TLS.PeerCertificates[0]
	between := x509.NewCertPool()
	for _, c := range r.TLS.PeerCertificates[1:] {
		between.AddCert(c)
	}
	// Kiosks may show certificates at the same address; theirs are of another authority.
	if _, err := cert.Verify(x509.VerifyOptions{Roots: d.o.Officers, Intermediates: between, CurrentTime: d.now(),
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}); err != nil {
		return nil
	}
	m, known, err := d.o.Roster.Officer(cert.Subject.CommonName)
	if err != nil || !known {
		return nil
	}
	d.note(audit.Event{Actor: "officer:" + m.Name, Act: audit.SignedIn, Reason: "certificate"})
	return d.begin(w, r, m.Name, "vi")
}

type signInBody struct {
	Name  string
	Wrong string
	Wait  int
	None  bool
	Demo  string
}

func (d *Desk) signInPage(w http.ResponseWriter, r *http.Request) {
	if s := d.sessionOf(r); s != nil && s.officer != "" || d.byCertificate(w, r) != nil {
		http.Redirect(w, r, Path, http.StatusSeeOther)
		return
	}
	body := signInBody{Demo: d.o.Demo}
	if members, err := d.o.Roster.Members(); err == nil {
		body.None = len(members) == 0
	}
	status := http.StatusOK
	if r.URL.Query().Has("again") {
		body.Wrong = "signin.again"
	}
	if why, ok := takeWrong(w, r); ok {
		body.Name, body.Wrong, body.Wait = why.Name, why.Wrong, why.Wait
		status = wrongSignIns[why.Wrong]
	}
	d.render(w, r, status, "signin", body)
}

func (d *Desk) signIn(w http.ResponseWriter, r *http.Request) {
	name := r.PostFormValue("name")
	device, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		device = r.RemoteAddr
	}
	m, err := d.o.Roster.SignIn(name, r.PostFormValue("pin"), device)
	if err == nil && m.Role != staff.Officer {
		err = staff.ErrWrongPIN
	}
	if err == nil {
		lang := d.session(w, r).lang
		takeWrong(w, r)
		d.begin(w, r, m.Name, lang)
		d.note(audit.Event{Actor: "officer:" + m.Name, Act: audit.SignedIn})
		http.Redirect(w, r, Path, http.StatusSeeOther)
		return
	}
	body := wrongSignIn{Name: name, Wrong: "signin.wrong"}
	switch {
	case errors.Is(err, staff.ErrLocked):
		body.Wrong = "signin.locked"
		body.Wait = max(1, int(m.LockedUntil.Sub(d.now()).Round(time.Minute).Minutes()))
		d.note(audit.Event{Actor: "system", Act: audit.StaffLocked})
	case errors.Is(err, staff.ErrBusy):
		body.Wrong, body.Wait = "signin.locked", 1
	case errors.Is(err, staff.ErrWrongPIN):
		d.note(audit.Event{Actor: "system", Act: audit.SignInFailed})
	default:
		d.log.Error("sign in", "error", err)
		body.Wrong = "fault"
	}
	tellWrong(w, r, body)
}

// wrongSignIn is why nobody was signed in. It goes to the next showing of the page in a cookie of its own: a stranger has no session.
type wrongSignIn struct {
	Name  string
	Wrong string // key of the sentence
	Wait  int    // minutes
}

// wrongSignIns are the sentences that the page shows, with their status.
var wrongSignIns = map[string]int{"signin.wrong": http.StatusForbidden, "signin.locked": http.StatusTooManyRequests,
	"fault": http.StatusInternalServerError}

const (
	wrongCookie = "motcua-desk-wrong"
	nameMost    = 64 // bytes of a name that is filled in again
)

// tellWrong sends the browser back to the page. The answer to a PIN is never a page: one that is loaded again sends its PIN again.
func tellWrong(w http.ResponseWriter, r *http.Request, why wrongSignIn) {
	if len(why.Name) > nameMost {
		why.Name = ""
	}
	text, err := json.Marshal(why)
	if err == nil {
		setCookie(w, r, wrongCookie, base64.RawURLEncoding.EncodeToString(text))
	}
	http.Redirect(w, r, "/desk/signin", http.StatusSeeOther)
}

// takeWrong takes what the page has to tell.
func takeWrong(w http.ResponseWriter, r *http.Request) (why wrongSignIn, ok bool) {
	c, err := r.Cookie(wrongCookie)
	if err != nil {
		return why, false
	}
	http.SetCookie(w, &http.Cookie{Name: wrongCookie, Path: Path, MaxAge: -1})
	text, err := base64.RawURLEncoding.DecodeString(c.Value)
	if err != nil || json.Unmarshal(text, &why) != nil || wrongSignIns[why.Wrong] == 0 {
		return wrongSignIn{}, false
	}
	return why, true
}

func (d *Desk) signOut(w http.ResponseWriter, r *http.Request) {
	if s := d.sessionOf(r); s != nil {
		if s.officer != "" {
			d.note(audit.Event{Actor: "officer:" + s.officer, Act: audit.SignedOut})
		}
		d.end(s)
	}
	w.Header().Set("Clear-Site-Data", `"cache"`)
	http.Redirect(w, r, "/desk/signin", http.StatusSeeOther)
}

func (d *Desk) language(w http.ResponseWriter, r *http.Request) {
	s := d.session(w, r)
	if lang := r.PostFormValue("lang"); slices.Contains(languages, lang) {
		s.mu.Lock()
		s.lang = lang
		s.mu.Unlock()
		setCookie(w, r, langCookie, lang)
	}
	to := r.PostFormValue("to")
	if !strings.HasPrefix(to, Path) || strings.ContainsAny(to, "\\\r\n") {
		to = Path
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}
