package attack

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/remote"

	"motcua/agent/tether"
)

const packaging = "../../configs/packaging/"

// The kiosk's screen as it is shipped: the unit's Chromium with its policy and its keyboard, on an X server without a screen.
// What it can't show: cage and Wayland (the keyboard is compiled by the same library that cage has it from), and Chromium's own
// sandbox, which root can't use.
type screen struct {
	t       *testing.T
	display string
	ctx     context.Context // of the one page
	portal  string          // an address besides the daemon's that may be opened
	more    []string        // arguments of Chromium's besides the unit's
	free    bool            // without the shipped policy
	pid     int             // of what runs the browser
	home    string          // what the browser may write, its downloads among it
	said    lines
	ended   chan struct{} // closed when the browser, and what runs it, has ended
}

// openScreen shows the daemon's first page. shipped is the kiosk's keyboard; else it is an ordinary one.
func openScreen(t *testing.T, d *daemon, shipped bool) *screen {
	t.Helper()
	s := &screen{t: t, display: xServer(t)}
	if shipped {
		s.loadKeyboard()
	}
	return s.show(d)
}

func (s *screen) show(d *daemon) *screen {
	s.t.Helper()
	temp := s.begin(d, []string{"chromium"}, "--ozone-platform=x11", "DISPLAY="+s.display)
	s.attach(d, temp)
	s.run(chromedp.WaitVisible(chromedp.CSS("form[action='/begin'] button")))
	s.wait("its window", func() bool { return len(s.windows()) > 0 })
	return s
}

// begin starts the unit's Chromium by a command line that runs it, and gives the folder that its profile is in.
func (s *screen) begin(d *daemon, command []string, platform string, env ...string) (temp string) {
	t := s.t
	t.Helper()
	temp, err := os.MkdirTemp("", "mo")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(temp) })
	u, err := url.Parse(d.base)
	if err != nil {
		t.Fatal(err)
	}
	policy, err := os.ReadFile(packaging + "chromium-policy.json")
	if err != nil {
		t.Fatal(err)
	}
	managed := filepath.Join(temp, "policies", "managed")
	if err := os.MkdirAll(managed, 0o755); err != nil {
		t.Fatal(err)
	}
	if s.home = temp; s.free {
		policy = []byte(`{"DeveloperToolsAvailability": 2}`)
	}
	policy = bytes.ReplaceAll(policy, []byte("127.0.0.1:8080"), []byte(u.Host)) // the daemon of a test has another port
	if s.portal != "" {                                                         // as an office does that fills the portal's forms at its kiosk
		policy = bytes.Replace(policy, []byte(`"URLAllowlist": [`), []byte(`"URLAllowlist": ["`+s.portal+`", `), 1)
	}
	if !bytes.Contains(policy, []byte(`"DeveloperToolsAvailability": 2`)) {
		t.Fatal("the policy leaves the developer's tools open")
	}
	// the test looks in by them
	policy = bytes.Replace(policy, []byte(`"DeveloperToolsAvailability": 2`), []byte(`"DeveloperToolsAvailability": 1`), 1)
	if err := os.WriteFile(filepath.Join(managed, "motcua.json"), policy, 0o644); err != nil {
		t.Fatal(err)
	}
	covers := []string{filepath.Join(temp, "policies"), "/etc/chromium/policies"}
	for from, to := range shippedExtensions(t, d, temp) {
		covers = append(covers, from, to)
	}
	for _, dir := range []string{temp, filepath.Join(temp, "policies"), managed} { // to who runs the browser
		if err := os.Chown(dir, 65534, 65534); err != nil && slices.Contains(command, "setpriv") {
			t.Fatal(err)
		}
	}
	for i := 1; i < len(covers); i += 2 {
		_ = os.MkdirAll(covers[i], 0o755) // to be covered below, for Chromium alone
	}
	const cover = `while [ "$1" != -- ]; do mount --bind "$1" "$2" || exit; shift 2; done; shift; exec "$@"`
	args := append([]string{"-m", "sh", "-c", cover, "sh"}, append(append(covers, "--"), command...)...)
	args = append(append(append(args, "--no-sandbox", "--remote-debugging-port=0"), s.more...),
		unitArguments(t, filepath.Join(temp, "profile"), platform, d.base+"/")...)
	cmd := exec.Command("unshare", args...)
	cmd.Env = append(append(os.Environ(), "TMPDIR="+temp, "HOME="+temp, "XDG_RUNTIME_DIR="+temp, "DBUS_SESSION_BUS_ADDRESS=disabled:"), env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Stderr = &s.said
	cmd.WaitDelay = patience // a helper of the browser may hold the pipe
	if err := tether.Start(cmd); err != nil {
		t.Fatal(err)
	}
	s.pid, s.ended = cmd.Process.Pid, make(chan struct{})
	go func() { defer close(s.ended); _ = cmd.Wait() }()
	t.Cleanup(func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL); <-s.ended })
	return temp
}

// attach looks into the browser: at its page that is the daemon's.
func (s *screen) attach(d *daemon, temp string) {
	t := s.t
	t.Helper()
	port := filepath.Join(temp, "profile", "DevToolsActivePort")
	var socket string
	s.wait("Chromium", func() bool {
		data, err := os.ReadFile(port)
		if number, path, ok := strings.Cut(strings.TrimSpace(string(data)), "\n"); err == nil && ok {
			socket = "ws://" + net.JoinHostPort("127.0.0.1", number) + path
		}
		return socket != ""
	})
	alloc, cancelAlloc := remote.NewAllocator(t.Context(), socket, remote.NoModifyURL)
	t.Cleanup(cancelAlloc)
	lister, cancelLister := chromedp.NewContext(alloc)
	t.Cleanup(cancelLister)
	var id target.ID
	s.wait("the first page", func() bool {
		targets, err := chromedp.Targets(lister)
		for _, one := range targets {
			// Its title is the page's own once that has come: before, there is nothing in it to attach to.
			if err == nil && one.Type == "page" && strings.HasPrefix(one.URL, d.base) && strings.HasSuffix(one.Title, "Motcua") {
				id = one.TargetID
			}
		}
		return id != ""
	})
	var cancel context.CancelFunc
	s.ctx, cancel = chromedp.NewContext(alloc, chromedp.WithTargetID(id))
	t.Cleanup(cancel)
	if err := chromedp.Do(s.ctx); err != nil { // attaches for good; a first call with a time limit would close the page with it
		t.Fatal(err)
	}
	// The page that was found may still be a part of the way there: while the browser goes on to the next document there is nothing
	// to run a script in, and it says so.
	s.wait("the first page's button", func() bool {
		ctx, cancel := context.WithTimeout(s.ctx, patience)
		defer cancel()
		ready, err := chromedp.Run(ctx, chromedp.Evaluate[bool](
			`document.readyState == "complete" && !!document.querySelector("form[action='/begin'] button")`))
		return err == nil && ready
	})
}

// unitArguments are Chromium's in motcua-kiosk.service, for another platform, profile and address.
func unitArguments(t *testing.T, profile, platform, address string) []string {
	t.Helper()
	unit, err := os.ReadFile(packaging + "motcua-kiosk.service")
	if err != nil {
		t.Fatal(err)
	}
	_, line, ok := strings.Cut(strings.ReplaceAll(string(unit), "\\\n", " "), "/usr/bin/chromium ")
	line, _, _ = strings.Cut(line, "\n")
	if !ok {
		t.Fatal("the unit starts no Chromium")
	}
	var args []string
	for _, a := range strings.Fields(line) {
		switch {
		case strings.HasPrefix(a, "--ozone-platform"):
			a = platform
		case strings.HasPrefix(a, "--user-data-dir="):
			a = "--user-data-dir=" + profile
		case strings.HasPrefix(a, "--disk-cache-dir="):
			a = "--disk-cache-dir=" + profile + "-cache"
		case strings.HasPrefix(a, "http://"):
			a = address
		}
		args = append(args, a)
	}
	return args
}

func xServer(t *testing.T) string {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	cmd := exec.Command("Xvfb", "-displayfd", "3", "-screen", "0", "1280x800x24", "-nolisten", "tcp", "-noreset")
	cmd.ExtraFiles = []*os.File{w}
	if err := tether.Start(cmd); err != nil {
		t.Fatalf("start Xvfb (Debian package xvfb): %v", err)
	}
	w.Close()
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	_ = r.SetReadDeadline(time.Now().Add(patience))
	number, err := bufio.NewReader(r).ReadString('\n') // to its end: a server whose pipe breaks ends
	if err != nil {
		t.Fatalf("Xvfb told no display: %v", err)
	}
	return ":" + strings.TrimSpace(number)
}

// compileKeyboard compiles the shipped keyboard the way cage does: by libxkbcommon and the unit's environment.
func compileKeyboard(t *testing.T) []byte {
	t.Helper()
	xkb, err := filepath.Abs(packaging + "xkb")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("xkbcli", "compile-keymap", "--rules", "motcua", "--layout", "us")
	cmd.Env = append(os.Environ(), "XKB_CONFIG_EXTRA_PATH="+xkb)
	keymap, err := cmd.Output()
	if err != nil {
		t.Fatalf("compile the keyboard (Debian package libxkbcommon-tools): %v", err)
	}
	return keymap
}

func (s *screen) loadKeyboard() {
	s.t.Helper()
	keymap := compileKeyboard(s.t)
	const core, test, own = "3", "5", "7" // Xvfb's keyboards: the one that programs see, and those that keys come from
	for _, device := range []string{own, test, core} {
		cmd := exec.Command("xkbcomp", "-w0", "-i", device, "-", s.display)
		cmd.Stdin = bytes.NewReader(keymap)
		if out, err := cmd.CombinedOutput(); err != nil {
			s.t.Fatalf("load the keyboard: %v %s", err, out)
		}
	}
}

func (s *screen) wait(what string, done func() bool) {
	s.t.Helper()
	for end := time.Now().Add(patience); !done(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			s.t.Fatalf("waited in vain for %s; the browser said %s", what, &s.said)
		}
	}
}

func (s *screen) run(actions ...chromedp.Action[chromedp.Void]) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		s.t.Fatal(err)
	}
}

// text runs a script that gives text. Between two pages there is nothing that could run it, and of a page that has just begun there is
// nothing yet to be asked: then it waits for the next one, and for that to be there.
func (s *screen) text(script string) (got string) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.ctx, patience)
	defer cancel()
	s.wait("a page for "+script, func() bool {
		state, err := chromedp.Run(ctx, chromedp.Evaluate[string]("document.readyState"))
		if err == nil && state != "loading" {
			got, err = chromedp.Run(ctx, chromedp.Evaluate[string](script))
		}
		if err != nil && !betweenPages(err) {
			s.t.Fatalf("%v in %s", err, script)
		}
		return err == nil && state != "loading"
	})
	return got
}

// betweenPages says whether an error is the browser's word for a page that is gone while the next isn't there yet, so that nothing ran.
func betweenPages(err error) bool {
	return strings.Contains(err.Error(), "Cannot find default execution context") ||
		strings.Contains(err.Error(), "Cannot find context with specified id")
}

// settled tells whether the page takes taps yet: not so soon after it came, and each that comes too early asks for a rest besides.
func (s *screen) settled() bool {
	s.t.Helper()
	return s.text(`String("settled" in document.documentElement.dataset)`) == "true"
}

// x asks or tells the X server.
func (s *screen) x(args ...string) string {
	cmd := exec.Command("xdotool", args...)
	cmd.Env = append(os.Environ(), "DISPLAY="+s.display)
	out, _ := cmd.Output() // "nothing found" is an answer, too
	return strings.TrimSpace(string(out))
}

// windows are those that can be seen, by their names.
func (s *screen) windows() []string {
	var names []string
	for _, id := range strings.Fields(s.x("search", "--onlyvisible", "--name", ".")) {
		names = append(names, s.x("getwindowname", id))
	}
	slices.Sort(names)
	return names
}

// pages are the browser's tabs and windows, by their addresses.
func (s *screen) pages() []string {
	s.t.Helper()
	at, err := s.open()
	if err != nil {
		s.t.Fatal(err)
	}
	return at
}

// open is pages for a browser that may have ended.
func (s *screen) open() ([]string, error) {
	ctx, cancel := context.WithTimeout(s.ctx, patience)
	defer cancel()
	targets, err := chromedp.Targets(ctx)
	if err != nil {
		return nil, err
	}
	var at []string
	for _, one := range targets {
		if one.Type == "page" || one.Type == "app" || one.Type == "other" && strings.HasPrefix(one.URL, "chrome://") {
			at = append(at, one.URL)
		}
	}
	slices.Sort(at)
	return at, nil
}

// seen are windows, pages, and what was saved.
func (s *screen) seen() string {
	saved, _ := filepath.Glob(filepath.Join(s.home, "*", "*"+fetched+"*"))
	more, _ := filepath.Glob(filepath.Join(s.home, "*"+fetched+"*"))
	return fmt.Sprint(s.windows(), s.pages(), append(saved, more...))
}

// settles gives what is to be seen once it has changed from before, or some time after nothing did.
func (s *screen) settles(before string, within time.Duration) string {
	for end := time.Now().Add(within); time.Now().Before(end); time.Sleep(150 * time.Millisecond) { // a look takes three programs
		if now := s.seen(); now != before {
			return now
		}
	}
	return before
}

// chords are the keys that lead out of a browser, as key codes of a PC keyboard: what a finger, or a reader that types, sends.
var chords = []struct{ name, codes string }{
	{"Ctrl+O", "37+32"}, {"Ctrl+P", "37+33"}, {"Ctrl+T", "37+28"}, {"Ctrl+N", "37+57"}, {"Ctrl+Shift+N", "37+50+57"},
	{"Ctrl+L", "37+46"}, {"Ctrl+H", "37+43"}, {"Ctrl+J", "37+44"}, {"Ctrl+U", "37+30"}, {"Ctrl+S", "37+39"}, {"Ctrl+Shift+I", "37+50+31"},
	{"Shift+Esc", "50+9"}, {"F1", "67"}, {"F11", "95"}, {"F12", "96"}, {"Alt+F", "64+41"}, {"Alt+Home", "64+110"},
	{"Ctrl+W", "37+25"}, {"Ctrl+Shift+W", "37+50+25"}, {"Alt+F4", "64+70"}, {"Ctrl+Shift+Q", "37+50+24"},
}

// Nothing that is typed leads away from the page, and what is meant to be typed arrives.
func TestKioskKeys(t *testing.T) {
	t.Parallel()
	d := start(t)
	s := openScreen(t, d, true)
	before := s.seen()
	for _, c := range chords {
		s.x("key", "--clearmodifiers", c.codes)
		now := s.settles(before, 300*time.Millisecond)
		t.Logf("%-13s %s", c.name, map[bool]string{true: "nothing happens", false: now}[now == before])
		if now != before {
			t.Errorf("%s: %s, before %s", c.name, now, before)
			before = now
		}
	}
	s.text(`(() => { const i = document.createElement("input"); i.id = "probe";
		document.querySelector("main").append(i); i.focus(); return ""; })()`)
	for _, code := range []string{"38", "50+56", "10", "57", "22", "54"} { // a B 1 n, the last taken back, c
		s.x("key", code)
	}
	s.wait("what was typed", func() bool { return s.text(`document.querySelector("#probe").value`) == "aB1c" })
	if now := s.seen(); now != before { // what the last of the keys did, on a machine that is slow to show it
		t.Errorf("after all of them: %s, before %s", now, before)
	}
}

// The walk above must be able to fail: with an ordinary keyboard it does.
func TestKioskKeysOfAnOrdinaryKeyboard(t *testing.T) {
	t.Parallel()
	d := start(t)
	s := openScreen(t, d, false)
	before := s.seen()
	s.x("key", "37+28") // Ctrl+T
	if now := s.settles(before, patience); now == before {
		t.Error("Ctrl+T did nothing on an ordinary keyboard: the walk sees nothing")
	} else {
		t.Logf("Ctrl+T: %s", now)
	}
}

// touches are what a finger may set off in a page, whoever wrote it: a button of the page's, or one that a script adds, so that what the
// browser gives to a touch alone is given.
var touches = []struct{ name, script string }{
	{"file button", `document.querySelector("#file").click()`},
	{"another file button", `Object.assign(document.createElement("input"), { type: "file" }).click()`},
	{"folder button", `Object.assign(document.createElement("input"), { type: "file", webkitdirectory: true }).click()`},
	{"folder picker", `showDirectoryPicker().catch(() => {})`},
	{"place to save", `showSaveFilePicker().catch(() => {})`},
	{"print", `print()`},
	{"download", `Object.assign(document.createElement("a"), { href: "data:text/plain,x", download: fetched }).click()`},
}

// fetched is the name of what the page has the browser save.
const fetched = "fetched.txt"

// touch has a finger set one of them off, and gives what is to be seen before and after it, once that differs or some time later.
func (s *screen) touch(script string, within time.Duration) (before, after string) {
	s.t.Helper()
	s.text(`(() => { document.querySelector("#touched")?.remove();
		const b = Object.assign(document.createElement("button"), { id: "touched", textContent: "x", type: "button" });
		const fetched = "` + fetched + `";
		b.addEventListener("click", (e) => { e.preventDefault(); b.dataset.done = "yes"; setTimeout(() => { ` + script + ` }, 0); });
		document.querySelector("main").prepend(b); b.scrollIntoView({ block: "center" }); return ""; })()`)
	before = s.seen()
	s.wait("a page that takes taps", s.settled)
	s.run(chromedp.Click(chromedp.CSS("#touched")))
	// A touch that doesn't arrive would show that nothing happens, whatever it would have done.
	if got := s.text(`document.querySelector("#touched").dataset.done || ""`); got != "yes" {
		s.t.Fatal("the touch does not arrive")
	}
	return before, s.settles(before, within)
}

// toTheFiles opens the page that takes files.
func (s *screen) toTheFiles() {
	s.t.Helper()
	s.text(`void (async () => {
		const csrf = document.querySelector('meta[name="csrf"]').content;
		for (const [path, more] of [["/begin", { lang: "vi" }], ["/choose/2.000815", {}], ["/consent", { agreed: "yes" }]])
			await fetch(path, { method: "POST", body: new URLSearchParams({ csrf, ...more }), headers: { "X-CSRF-Token": csrf } });
		location.assign("/scan");
	})(); ""`)
	// On the way there is nothing to run a script in, and the browser says so.
	s.wait("the page that takes files", func() bool {
		ctx, cancel := context.WithTimeout(s.ctx, patience)
		defer cancel()
		there, err := chromedp.Run(ctx, chromedp.Evaluate[bool](
			`location.pathname === "/scan" && document.readyState === "complete" && !!document.querySelector("#file")`))
		return err == nil && there
	})
}

// By touch alone: file buttons and pickers, printing, downloads.
func TestKioskTouch(t *testing.T) {
	t.Parallel()
	d := start(t)
	s := openScreen(t, d, true)
	s.toTheFiles()
	for _, act := range touches {
		before, now := s.touch(act.script, time.Second)
		t.Logf("%-20s %s", act.name, map[bool]string{true: "nothing opens", false: now}[now == before])
		if now != before {
			t.Errorf("%s: %s, before %s", act.name, now, before)
		}
	}
	if s.text(`document.querySelector("h1").textContent`) == "" {
		t.Error("the page hangs")
	}
}

// seconds are the ways to a second window; under cage one would lie over the page, which goes on saying that it is seen.
var seconds = []struct{ name, script string }{
	{"window", `window.open(location.href, "", "popup,width=300,height=200")`},
	{"tab", `window.open(location.href)`},
	{"link", `Object.assign(document.createElement("a"), { href: location.href, target: "_blank" }).click()`},
	{"form", `document.body.append(Object.assign(document.createElement("form"), { action: location.href, target: "_blank", id: "second" }));
		document.querySelector("#second").submit()`},
}

// No page of ours opens a second window or tab, whatever a script in it asks for; a page of another place does, at the same touches.
func TestKioskHasOneWindow(t *testing.T) {
	t.Parallel()
	d := start(t)
	s := &screen{t: t, display: xServer(t), portal: portalStandIn(t)}
	s.loadKeyboard()
	s.show(d)
	for _, act := range seconds {
		before, now := s.touch(act.script, time.Second)
		t.Logf("%-8s %s", act.name, map[bool]string{true: "nothing opens", false: now}[now == before])
		if now != before {
			t.Errorf("%s: %s, before %s", act.name, now, before)
		}
	}
	s.text(`setTimeout(() => location.assign("` + s.portal + `/form"), 0); ""`)
	s.wait("the other place", func() bool { return slices.Contains(s.pages(), s.portal+"/form") })
	for _, act := range seconds {
		s.text(`(() => { document.querySelector("#touched")?.remove();
			const b = Object.assign(document.createElement("button"), { id: "touched", textContent: "x", type: "button" });
			b.addEventListener("click", () => { ` + act.script + ` }); document.body.append(b); return ""; })()`)
		before := s.seen()
		s.run(chromedp.Click(chromedp.CSS("#touched")))
		if s.settles(before, patience) == before {
			t.Errorf("%s opens nothing elsewhere either: the walk sees nothing", act.name)
		}
	}
}

// The touches above must be able to open something: in a browser without the shipped policy each does.
func TestKioskTouchWithoutPolicy(t *testing.T) {
	t.Parallel() // else its last part waits alone
	d := start(t)
	for _, act := range touches {
		t.Run(strings.ReplaceAll(act.name, " ", "_"), func(t *testing.T) { // each on its own: a dialog covers the page
			t.Parallel()
			s := (&screen{t: t, display: xServer(t), free: true}).show(d)
			s.toTheFiles()
			before, now := s.touch(act.script, patience)
			t.Logf("%-20s %s", act.name, now)
			if now == before {
				t.Errorf("%s opens nothing without the policy either: the walk sees nothing", act.name)
			}
		})
	}
}

// What the compositor gives no key for, it can't act on either: the console's switches among them.
func TestKioskKeyboardHasNoOtherKeys(t *testing.T) {
	_, symbols, ok := strings.Cut(string(compileKeyboard(t)), "xkb_symbols")
	if !ok {
		t.Fatal("no keymap")
	}
	for _, key := range []string{"Control", "Alt", "Meta", "Super", "Hyper", "Escape", "Menu", "Print", "F1", "F4", "F12", "XF86", "Sys_Req"} {
		for line := range strings.Lines(symbols) {
			if strings.Contains(line, " "+key) && strings.Contains(line, "[") && !strings.Contains(line, "ISO_Left_Tab") {
				t.Errorf("a key means %s: %s", key, strings.TrimSpace(line))
			}
		}
	}
}
