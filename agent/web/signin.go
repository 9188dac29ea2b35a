package web

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"

	"motcua/agent/audit"
	"motcua/agent/staff"
)

// signedFor is how long somebody stays signed in without touching the screen.
const signedFor = 10 * time.Minute

// doorOpen is how long the sign-in stays on a citizen's screen when nobody touches it.
const doorOpen = time.Minute

func (s *Host) staffRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /staff", s.signInPage)
	mux.HandleFunc("POST /staff", s.signIn)
	mux.HandleFunc("POST /staff/out", s.signOut)
}

// signedIn tells who of the staff sits at this browser.
func (s *Host) signedIn(r *http.Request) (staff.Member, bool) {
	sess, ok := s.sessionOf(r)
	if !ok {
		return staff.Member{}, false
	}
	sess.mu.Lock()
	defer sess.mu.Unlock()
	return sess.member, sess.member.Name != "" && s.now().Before(sess.until)
}

// need runs a handler for somebody who is signed in with a role that covers the needed one.
func (s *Host) need(role staff.Role, f func(http.ResponseWriter, *http.Request, staff.Member)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		member, ok := s.signedIn(r)
		if !ok {
			to := "/staff"
			if r.Method == http.MethodGet {
				to += "?to=" + r.URL.EscapedPath()
			}
			http.Redirect(w, r, to, http.StatusSeeOther)
			return
		}
		if !member.Role.Covers(role) {
			s.log.Warn("request refused", "why", "role", "path", r.Pattern)
			s.note(audit.Event{Actor: actor(member), Act: audit.RequestRefused, Reason: "role"})
			s.renderConsole(w, r, http.StatusForbidden, "refused", consoleView{Member: member})
			return
		}
		if sess, ok := s.sessionOf(r); ok {
			sess.mu.Lock()
			sess.until = s.now().Add(signedFor)
			sess.mu.Unlock()
		}
		f(w, r, member)
	}
}

// deviceOf tells where a PIN is typed: the kiosk's own screen, or another machine of the office.
func deviceOf(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if ip := net.ParseIP(host); err != nil || ip == nil || ip.IsLoopback() {
		return "screen"
	}
	return host
}

// SignOut ends every session of a member at once.
func (s *Host) SignOut(name string) { s.sessions.dropMember(name, false, "") }

func actor(m staff.Member) string { return string(m.Role) + ":" + m.Name }

func home(role staff.Role) string {
	if role == staff.Technician {
		return "/console"
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
	if m, ok := s.signedIn(r); ok {
		http.Redirect(w, r, home(m.Role), http.StatusSeeOther)
		return
	}
	s.renderConsole(w, r, http.StatusOK, "signin", consoleView{Body: signInBody{
		To: r.URL.Query().Get("to"), None: len(s.o.Console.Roll.Members()) == 0}})
}

// signIn checks the PIN and, if it is right, moves the browser to a new session: a cookie that was
// planted or seen before is worth nothing after. A visit that was open on this screen goes on, helped.
func (s *Host) signIn(w http.ResponseWriter, r *http.Request) {
	name, to := r.PostForm.Get("name"), r.PostForm.Get("to")
	member, err := s.o.Console.Roll.SignIn(name, r.PostForm.Get("pin"), deviceOf(r))
	if err != nil {
		body := signInBody{To: to, Name: name, Wrong: "signin.wrong"}
		status := http.StatusForbidden
		switch {
		case errors.Is(err, staff.ErrLocked):
			body.Wrong = "signin.locked"
			body.Wait = max(1, int(member.LockedUntil.Sub(s.now()).Round(time.Minute).Minutes()))
			status = http.StatusTooManyRequests
			s.note(audit.Event{Actor: "system", Act: audit.StaffLocked}) // the name may be anything that was typed, a citizen's too
		case errors.Is(err, staff.ErrBusy):
			body.Wrong, body.Wait, status = "signin.locked", 1, http.StatusTooManyRequests
		case errors.Is(err, staff.ErrWrongPIN):
			s.note(audit.Event{Actor: "system", Act: audit.SignInFailed})
		default:
			s.log.Error("sign in", "error", err)
			body.Wrong, status = "fault", http.StatusInternalServerError
		}
		s.renderConsole(w, r, status, "signin", consoleView{Body: body})
		return
	}
	lang, size := "vi", "m"
	var open *table
	if old, ok := s.sessionOf(r); ok {
		old.mu.Lock()
		lang, size, open = old.lang, old.size, old.table
		old.table = nil
		old.mu.Unlock()
		s.sessions.drop(old)
	}
	fresh := &session{token: secret(), csrf: secret(), lang: lang, size: size, seen: s.now(),
		member: member, until: s.now().Add(signedFor)}
	s.sessions.add(fresh)
	http.SetCookie(w, cookie(r, fresh.token))
	s.note(audit.Event{Actor: actor(member), Act: audit.SignedIn})
	if open != nil && s.seat(r, fresh, open, member) == nil {
		s.helped(member, open.visit.ID)
	}
	if to = local(to); to == "/" {
		to = home(member.Role)
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

func (s *Host) signOut(w http.ResponseWriter, r *http.Request) {
	if sess, ok := s.sessionOf(r); ok {
		if m, in := s.signedIn(r); in {
			s.note(audit.Event{Actor: actor(m), Act: audit.SignedOut})
		}
		s.handBack(r.Context(), sess)
		s.sessions.drop(sess)
	}
	w.Header().Set("Clear-Site-Data", `"cache", "cookies", "storage"`)
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// handBack puts what a volunteer leaves open into the line, where the next one finds it.
func (s *Host) handBack(ctx context.Context, sess *session) {
	sess.mu.Lock()
	t := sess.table
	sess.table = nil
	sess.mu.Unlock()
	if t != nil {
		s.putBack(ctx, t)
	}
}
