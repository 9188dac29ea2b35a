package screen

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"

	"motcua/agent/audit"
	"motcua/agent/staff"
)

// SignedFor is how long somebody stays signed in without touching the screen.
const SignedFor = 10 * time.Minute

// doorOpen is how long the sign-in stays on a citizen's screen when nobody touches it.
const doorOpen = time.Minute

// StaffRoutes adds the pages where staff sign in and out.
func (s *Host) StaffRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /staff", s.signInPage)
	mux.HandleFunc("POST /staff", s.signIn)
	mux.HandleFunc("POST /staff/out", s.signOut)
}

// SignedIn tells who of the staff sits at this browser.
func (s *Host) SignedIn(r *http.Request) (staff.Member, bool) {
	sess, ok := s.SessionOf(r)
	if !ok {
		return staff.Member{}, false
	}
	sess.mu.Lock()
	defer sess.mu.Unlock()
	return sess.member, sess.member.Name != "" && s.Now().Before(sess.until)
}

// Need runs a handler for somebody who is signed in with a role that covers the needed one.
func (s *Host) Need(role staff.Role, f func(http.ResponseWriter, *http.Request, staff.Member)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		member, ok := s.SignedIn(r)
		if !ok {
			to := "/staff"
			if r.Method == http.MethodGet {
				to += "?to=" + r.URL.EscapedPath()
			}
			http.Redirect(w, r, to, http.StatusSeeOther)
			return
		}
		if !member.Role.Covers(role) {
			s.Log.Warn("request refused", "why", "role", "path", r.Pattern)
			s.Note(audit.Event{Actor: Actor(member), Act: audit.RequestRefused, Reason: "role"})
			s.RenderConsole(w, r, http.StatusForbidden, "refused", ConsoleView{Member: member})
			return
		}
		if sess, ok := s.SessionOf(r); ok {
			sess.mu.Lock()
			sess.until = s.Now().Add(SignedFor)
			sess.mu.Unlock()
		}
		f(w, r, member)
	}
}

// ownScreen is the kiosk's own screen, as DeviceOf names it.
const ownScreen = "screen"

// DeviceOf tells where a PIN is typed: the kiosk's own screen, or another machine of the office.
func DeviceOf(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if ip := net.ParseIP(host); err != nil || ip == nil || ip.IsLoopback() {
		return ownScreen
	}
	return host
}

// errNotHere refuses an officer at a kiosk where officers have nothing to do.
var errNotHere = errors.New("officers don't sign in at this kiosk")

// SignInAs checks a member's PIN, and that the member has a part at this kiosk. Its errors are the roster's, and one more.
func (s *Host) SignInAs(name, pin, device string) (staff.Member, error) {
	m, err := s.Options.Console.Roster.SignIn(name, pin, device)
	if err == nil && m.Role == staff.Officer && !s.Officers() {
		return staff.Member{}, errNotHere
	}
	return m, err
}

// SignOut ends every session of a member at once.
func (s *Host) SignOut(name string) { s.DropMember(name, false, "") }

// Actor names a member in the audit log: role:name.
func Actor(m staff.Member) string { return string(m.Role) + ":" + m.Name }

func home(role staff.Role) string {
	switch role {
	case staff.Technician:
		return "/console"
	case staff.Officer:
		return "/officer"
	}
	return "/desk"
}

type signInBody struct {
	To    string
	Name  string
	Wrong string // catalogue key
	Wait  int    // minutes until a locked name may try again
	None  bool   // nobody can sign in yet
}

func (s *Host) signInPage(w http.ResponseWriter, r *http.Request) {
	if m, ok := s.SignedIn(r); ok {
		http.Redirect(w, r, home(m.Role), http.StatusSeeOther)
		return
	}
	why := s.Refused(r, "/staff")
	body, ok := why.Body.(signInBody)
	if !ok {
		body.To = r.URL.Query().Get("to")
	}
	body.None = len(s.Options.Console.Roster.Members()) == 0
	s.RenderConsole(w, r, why.Status, "signin", ConsoleView{Body: body})
}

// signIn checks the PIN and, if it is right, moves the browser to a new session: a cookie that was
// planted or seen before is worth nothing after. A visit that was open on this screen goes on, helped.
func (s *Host) signIn(w http.ResponseWriter, r *http.Request) {
	name, to := r.PostForm.Get("name"), r.PostForm.Get("to")
	member, err := s.SignInAs(name, r.PostForm.Get("pin"), DeviceOf(r))
	if err != nil {
		body := signInBody{To: to, Name: name, Wrong: "signin.wrong"}
		status := http.StatusForbidden
		switch {
		case errors.Is(err, errNotHere):
			body.Wrong = "signin.not-here"
			s.Note(audit.Event{Actor: "system", Act: audit.RequestRefused, Reason: "role"})
		case errors.Is(err, staff.ErrLocked):
			body.Wrong = "signin.locked"
			body.Wait = max(1, int(member.LockedUntil.Sub(s.Now()).Round(time.Minute).Minutes()))
			status = http.StatusTooManyRequests
			s.Note(audit.Event{Actor: "system", Act: audit.StaffLocked}) // the name may be anything that was typed, a citizen's too
		case errors.Is(err, staff.ErrBusy):
			body.Wrong, body.Wait, status = "signin.locked", 1, http.StatusTooManyRequests
		case errors.Is(err, staff.ErrWrongPIN):
			s.Note(audit.Event{Actor: "system", Act: audit.SignInFailed})
		default:
			s.Log.Error("sign in", "error", err)
			body.Wrong, status = "fault", http.StatusInternalServerError
		}
		s.Refuse(w, r, "/staff", Refused{Status: status, Body: body})
		return
	}
	lang, size := "vi", "m"
	var open *Table
	if old, ok := s.SessionOf(r); ok {
		old.mu.Lock()
		lang, size, open = old.lang, old.size, old.table
		old.table = nil
		old.mu.Unlock()
		s.Sessions.Drop(old)
	}
	fresh := &Session{Token: secret(), CSRF: secret(), lang: lang, size: size, seen: s.Now(),
		member: member, until: s.Now().Add(SignedFor)}
	s.Sessions.add(fresh)
	http.SetCookie(w, cookie(r, fresh.Token))
	s.Note(audit.Event{Actor: Actor(member), Act: audit.SignedIn})
	if open != nil && s.Seat(r, fresh, open, member) == nil {
		s.Helped(member, open.Visit.ID)
	}
	if to = Local(to); to == "/" {
		to = home(member.Role)
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

func (s *Host) signOut(w http.ResponseWriter, r *http.Request) {
	if sess, ok := s.SessionOf(r); ok {
		if m, in := s.SignedIn(r); in {
			s.Note(audit.Event{Actor: Actor(m), Act: audit.SignedOut})
		}
		s.HandBack(r.Context(), sess)
		s.Sessions.Drop(sess)
	}
	w.Header().Set("Clear-Site-Data", `"cache", "cookies", "storage"`)
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// HandBack puts what a volunteer leaves open into the line, where the next one finds it.
func (s *Host) HandBack(ctx context.Context, sess *Session) {
	sess.mu.Lock()
	t := sess.table
	sess.table = nil
	sess.mu.Unlock()
	if t != nil {
		s.putBack(ctx, t)
	}
}
