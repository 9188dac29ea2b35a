package web

import (
	"bufio"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"motcua/agent/programtest"
	"motcua/agent/tether"
)

// shipped is `motcua run --demo` as a process.
type shipped struct {
	t       *testing.T
	binary  string
	dir     string
	listen  string
	daemon  *exec.Cmd
	drained chan struct{}
	words   []string // what it has said; to be read after drained only
}

// start runs the daemon and gives its address, which stays the same when it is started again.
func (s *shipped) start() string {
	s.t.Helper()
	s.daemon = exec.Command(s.binary, "run", "--demo", "--listen", s.listen)
	s.daemon.Dir = s.dir
	said, err := s.daemon.StdoutPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	s.daemon.Stderr = s.daemon.Stdout
	if err := tether.Start(s.daemon); err != nil {
		s.t.Fatal(err)
	}
	address := make(chan string, 1)
	s.drained, s.words = make(chan struct{}), nil
	go func() {
		defer close(s.drained)
		lines := bufio.NewScanner(said)
		for lines.Scan() {
			s.words = append(s.words, lines.Text())
			if _, at, ok := strings.Cut(lines.Text(), "Motcua is at "); ok {
				address <- strings.TrimSuffix(at, "/")
			}
		}
	}()
	select {
	case at := <-address:
		s.listen = strings.TrimPrefix(at, "http://")
		return at
	case <-s.drained:
		s.t.Fatalf("the daemon ended before it told its address: %s", s.last())
	case <-time.After(patience):
		_ = s.daemon.Process.Signal(syscall.SIGQUIT) // it tells where it stands
		<-s.drained
		s.t.Fatalf("the daemon told no address in %s: %s", patience, s.last())
	}
	return ""
}

// last is what a daemon that has ended said at its end.
func (s *shipped) last() string {
	const most = 200 // lines: the error, or where the goroutines stood
	return strings.Join(s.words[max(0, len(s.words)-most):], "\n\t")
}

// kill ends the daemon without a word.
func (s *shipped) kill() {
	_ = s.daemon.Process.Kill()
	<-s.drained
	_ = s.daemon.Wait()
}

func (s *shipped) stop() {
	_ = s.daemon.Process.Signal(syscall.SIGTERM)
	<-s.drained
	if err := s.daemon.Wait(); err != nil {
		s.t.Errorf("the daemon ended with %v: %s", err, s.last())
	}
}

// The citizen's way against the program as it is shipped, from the first touch to the files at the receiver. On every
// page the daemon is killed and started again: the visit goes on where it was, and what the screen says is so.
func TestCitizenAtTheDaemon(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	binary, err := programtest.Build(dir, "motcua", "motcua/agent")
	if err != nil {
		t.Fatal(err)
	}
	d := &shipped{t: t, binary: binary, dir: dir, listen: "127.0.0.1:0"}
	k := &kiosk{server: &httptest.Server{URL: d.start()}}
	t.Cleanup(func() { d.stop() })
	ctx := browser(t, 1920, 1080)
	killed := map[string]bool{}
	toReceipt(t, ctx, k, "2.000815", func(page string) {
		if killed[page] || page == "start" || page == "choose" { // nobody has done anything yet
			return
		}
		killed[page] = true
		if page == "question" {
			eval[bool](t, ctx, `(() => { const f = document.querySelector("#value"); if (!f) return false; f.value = "Đang viết dở";
				f.dispatchEvent(new Event("input", {bubbles: true})); return true; })()`)
			holds(t, ctx, "what is written to be kept", `performance.getEntriesByType("resource")
				.some((r) => r.name.endsWith("/typing") && r.responseStatus === 204)`)
		}
		d.kill()
		d.start()
		switch page {
		case "scanning":
			holds(t, ctx, "word that the scan was broken off", `/gián đoạn/.test(document.querySelector("[data-fault]")?.textContent)`)
			click(t, ctx, "[data-ended] .go")
			holds(t, ctx, "the page to scan from", `document.querySelector("#scan")`)
			press(t, ctx, "#scan .go", "/scan")
		case "question":
			do(t, ctx, chromedp.Reload())
			if got := eval[string](t, ctx, `document.querySelector("#value").value`); got != "Đang viết dở" {
				t.Errorf("what was being written came back as %q", got)
			}
			eval[bool](t, ctx, `(document.querySelector("#value").value = "", true)`)
		default:
			do(t, ctx, chromedp.Reload())
		}
	})
	if len(killed) < 9 {
		t.Errorf("killed on %v only", killed)
	}
	holds(t, ctx, "word that it was sent", `/^Hồ sơ đã đến/.test(document.querySelector("[data-receipt]")?.textContent.trim())`)
	code := text(t, ctx, ".code")
	click(t, ctx, ".way .go")
	holds(t, ctx, "the first page", `location.pathname === "/"`)
	if left, err := filepath.Glob(filepath.Join(dir, "var", "drafts", "*", "*")); err != nil || len(left) != 0 {
		t.Errorf("of the finished visit %s there is left %v, %v", code, left, err)
	}
	forms, err := filepath.Glob(filepath.Join(dir, "var", "received", "*", "form.json"))
	if err != nil || len(forms) != 1 {
		t.Fatalf("%d forms at the receiver, %v", len(forms), err)
	}
	pages, _ := filepath.Glob(filepath.Join(filepath.Dir(forms[0]), "page-*"))
	if len(pages) == 0 {
		t.Error("no page at the receiver")
	}
	if form, err := os.ReadFile(forms[0]); err != nil || !strings.Contains(string(form), `"2.000815"`) {
		t.Errorf("form.json: %v", err)
	}
}
