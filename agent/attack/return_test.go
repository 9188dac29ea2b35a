package attack

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// elsewhere is where the browser can be that has none of our pages.
var elsewhere = []struct {
	name string
	long bool // in the soak only
	cage bool // under the unit's compositor, without a screen; else on an X server
	ours bool // Chromium loads its error page again by itself, and then it is a page of ours, which gives way to the first one
	open func(s *screen, d *daemon)
}{
	{name: "portal tab under cage", cage: true, open: func(s *screen, _ *daemon) { s.newTab(s.portal + "/form") }},
	{name: "nothing is drawn any more, under cage", cage: true, open: func(s *screen, _ *daemon) { s.stopDrawing() }},
	{name: "portal in the page's place", long: true, open: func(s *screen, _ *daemon) { s.follow(s.portal + "/form") }},
	{name: "a PDF under cage", long: true, cage: true, open: func(s *screen, _ *daemon) { s.follow(s.portal + "/paper.pdf") }},
	{name: "error page, the daemon was away", long: true, ours: true, open: func(s *screen, d *daemon) {
		d.stop()
		s.text(`setTimeout(() => location.assign("/privacy"), 0); ""`)
		s.wait("Chromium's error page", func() bool {
			for _, at := range s.pages() {
				if strings.HasPrefix(at, "chrome-error:") {
					return true
				}
			}
			return !s.reaches(d)
		})
		d.run()
	}},
}

// newTab opens one beside the page, as the portal's extension does.
func (s *screen) newTab(address string) {
	s.t.Helper()
	tab, cancel := chromedp.NewContext(s.ctx, chromedp.WithNewWindow(false))
	s.t.Cleanup(cancel)
	if err := chromedp.Do(tab, chromedp.Navigate(address)); err != nil {
		s.t.Fatal(err)
	}
}

// follow presses a link to an address.
func (s *screen) follow(address string) {
	s.text(`(() => { const a = document.createElement("a"); a.href = "` + address + `"; a.id = "out";
		a.textContent = "out"; document.querySelector("main").prepend(a); return ""; })()`)
	s.wait("a page that takes taps", s.settled)
	s.run(chromedp.Click(chromedp.CSS("#out")))
}

// reaches tells whether a page of the daemon's is open.
func (s *screen) reaches(d *daemon) bool {
	for _, at := range s.pages() {
		if strings.HasPrefix(at, d.base) {
			return true
		}
	}
	return false
}

// stopDrawing halts the process that draws: the page runs on, and nobody sees what it does.
func (s *screen) stopDrawing() {
	s.t.Helper()
	children := map[int][]int{}
	for _, name := range must(filepath.Glob("/proc/[0-9]*/stat")) {
		data, _ := os.ReadFile(name)
		_, words, _ := strings.Cut(string(data), ") ") // no program here has one in its name
		var pid, parent int
		var state string
		if _, err := fmt.Sscan(filepath.Base(filepath.Dir(name)), &pid); err != nil {
			s.t.Fatal(err)
		}
		if _, err := fmt.Sscan(words, &state, &parent); err == nil { // else it has ended
			children[parent] = append(children[parent], pid)
		}
	}
	halted := 0
	for all := []int{s.pid}; len(all) > 0; all = all[1:] {
		line, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", all[0]))
		if strings.Contains(string(line), "--type=gpu-process") {
			if err := syscall.Kill(all[0], syscall.SIGSTOP); err != nil {
				s.t.Fatal(err)
			}
			halted++
		}
		all = append(all, children[all[0]]...)
	}
	if halted == 0 {
		s.t.Fatal("no process draws")
	}
}

func must(names []string, err error) []string {
	if err != nil {
		panic(err)
	}
	return names
}

// nobody is a user who may do as little as the screen's.
const nobody = "65534"

// Whatever is open, the kiosk's browser ends when it has shown no page of ours for as long as a visit may be silent, and with it the
// unit's cage; systemd starts both anew, at the first page.
func TestKioskReturns(t *testing.T) {
	t.Parallel() // else its last part waits alone
	for _, c := range elsewhere {
		t.Run(strings.ReplaceAll(c.name, " ", "_"), func(t *testing.T) {
			if c.long && os.Getenv("MOTCUA_SOAK") == "" {
				t.Skip("in the soak")
			}
			t.Parallel()
			const silence = 15 * time.Second
			d := startWith(t, "  silence: 15s\n  warning: 5s\n")
			u, err := url.Parse(d.base)
			if err != nil {
				t.Fatal(err)
			}
			text, err := os.ReadFile(d.config)
			if err != nil {
				t.Fatal(err)
			}
			again := strings.Replace(string(text), "127.0.0.1:0", u.Host, 1) // at the same address, if it is started again
			if err := os.WriteFile(d.config, []byte(again), 0o600); err != nil {
				t.Fatal(err)
			}
			s := &screen{t: t, portal: portalStandIn(t)}
			me, err := user.Current()
			if err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(filepath.Dir(d.binary), 0o755); err != nil {
				t.Fatal(err)
			}
			command := []string{d.binary, "screen", "--listen", u.Host, "--user", me.Username, "--", "chromium"}
			var temp string
			if c.cage {
				temp = s.beginCage(d, command)
			} else {
				s.display = xServer(t)
				temp = s.begin(d, command, "--ozone-platform=x11", "DISPLAY="+s.display)
			}
			s.attach(d, temp)
			begun := time.Now()
			c.open(s, d)
			returned := false
			for ended := false; !ended && !returned; {
				select {
				case <-s.ended:
					ended = true
				case <-time.After(time.Second):
					if c.ours {
						at, err := s.open()
						returned = err == nil && slices.Equal(at, []string{d.base + "/"})
					}
				}
				if time.Since(begun) > patience {
					t.Fatalf("the browser still shows something else: %s", &s.said)
				}
			}
			took := time.Since(begun)
			if returned {
				t.Logf("%-32s it is at the first page after %v", c.name, took.Round(time.Second))
				return
			}
			t.Logf("%-32s the browser is ended after %v", c.name, took.Round(time.Second))
			if !strings.Contains(s.said.String(), "started anew") {
				t.Errorf("it ended by itself: %s", &s.said)
			}
			if took < silence {
				t.Errorf("ended after %v: somebody may have been reading", took)
			}
		})
	}
}

// beginCage starts a command in the unit's compositor, without a screen.
func (s *screen) beginCage(d *daemon, command []string) (temp string) {
	cage := []string{"setpriv", "--pdeathsig", "KILL", "--reuid=" + nobody, "--regid=" + nobody, "--clear-groups", // cage refuses root
		"cage", "-d", "--"}
	return s.begin(d, append(cage, command...), "--ozone-platform=wayland",
		"WLR_BACKENDS=headless", "WLR_RENDERER=pixman", "WLR_LIBINPUT_NO_DEVICES=1", "DISPLAY=", "WAYLAND_DISPLAY=")
}

// A browser that hangs before it has shown a page is ended soon, and with it cage; the next one then shows the first page.
func TestKioskComesUp(t *testing.T) {
	t.Parallel()
	d := start(t)
	u, err := url.Parse(d.base)
	if err != nil {
		t.Fatal(err)
	}
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Dir(d.binary), 0o755); err != nil {
		t.Fatal(err)
	}
	mark := filepath.Join(t.TempDir(), "tried")
	for dir := filepath.Dir(mark); dir != os.TempDir(); dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	const hangsOnce = `mark=$1; shift; if [ -e "$mark" ]; then exec "$@"; fi; : >"$mark"; exec sleep 1000`
	command := []string{d.binary, "screen", "--listen", u.Host, "--user", me.Username, "--", "sh", "-c", hangsOnce, "sh", mark, "chromium"}
	first := &screen{t: t}
	begun := time.Now()
	first.beginCage(d, command)
	select {
	case <-first.ended:
	case <-time.After(patience):
		t.Fatalf("a browser that hangs is still there after %v: %s", patience, &first.said)
	}
	t.Logf("a browser that hangs is ended after %v", time.Since(begun).Round(time.Second))
	if !strings.Contains(first.said.String(), "started anew") {
		t.Errorf("it ended by itself: %s", &first.said)
	}
	second := &screen{t: t}
	second.attach(d, second.beginCage(d, command))
}

// portalStandIn serves a page and a file of another place.
func portalStandIn(t *testing.T) string {
	mux := http.NewServeMux()
	mux.HandleFunc("/form", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("<!doctype html><title>form</title><input>"))
	})
	mux.HandleFunc("/paper.pdf", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/pdf")
		_, _ = w.Write(slowPDF(1))
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL
}
