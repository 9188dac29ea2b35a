package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"golang.org/x/sys/unix"

	"motcua/agent/chromiumtest"
	"motcua/agent/tether"
)

// browsers are those of all tests of this package.
var browsers chromiumtest.Pool

// A newcomer starts the demo, opens the printed address in a browser, and walks from choice to receipt; the
// delivered files are there. Everything real but the scanner: the built binary, Chromium, queue, upload.
func TestDemoFromChoiceToDeliveredFiles(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	address, desk := startDemo(t, data)
	walk := walker{t, browsers.Window(t, 1920, 1080)}
	code := walk.handIn(address)
	if !walk.is(`document.querySelectorAll("main img, main svg").length > 0`) {
		t.Error("the receipt has no QR code")
	}
	deliveredForm(t, data)
	// Beyond the receiver's folder nothing lies in the clear.
	leaks := exec.Command("grep", "-r", "-a", "-l", "--exclude-dir=received", "079090012345", data)
	if out, err := leaks.Output(); err == nil {
		t.Errorf("in the clear: %s", out)
	}
	walk.circle(address, desk, code)
}

// handIn walks from the start to the receipt, and gives its code.
func (w walker) handIn(address string) string {
	w.t.Helper()
	walk, t := w, w.t
	walk.do(chromedp.Navigate(address))
	walk.press(".button.huge", "/choose")
	walk.press(`a[href="/choose/2.000815"]`, "/choose/")
	walk.press(".way .go", "/consent")
	walk.is(`document.querySelector('[name="agreed"]').checked = true`)
	walk.press(".way .go", "/scan")
	walk.press("#scan .go", "/papers")
	walk.press(".way .go", "/wanted/original") // the certified copy's original isn't recognised: it is asked for
	walk.is(`document.querySelector('[name="way"][value="counter"]').checked = true`)
	walk.press(".way .go", "/check")
	for range 20 {
		if !walk.is(`!!document.querySelector(".doubtful")`) {
			break
		}
		walk.press(".way .go", "/check/")
		// What is doubtful was read from a specimen, so a look confirms it.
		walk.is(`(() => { const c = document.querySelector(".choice input");
			if (c && !document.querySelector(".choice input:checked")) c.checked = true; return true })()`)
		walk.is(`(() => { document.documentElement.dataset.old = "1"; return true })()`)
		walk.tap(".way .go")
		walk.until(`document.readyState === "complete" && !document.documentElement.dataset.old`)
	}
	walk.press(".way .go", "/confirm")
	walk.press(".way .go", "/receipt")
	code := walk.text(".code")
	if !regexp.MustCompile(`^[0-9A-Z]{4}-[0-9A-Z]{4}$`).MatchString(code) {
		t.Fatalf("the receipt's code is %q", code)
	}
	return code
}

// deliveredForm looks at what arrived.
func deliveredForm(t *testing.T, data string) {
	t.Helper()
	var form struct {
		Schema    string
		Procedure struct{ Code string }
		Channel   string
		Values    []struct{ ID, Value string }
		Pages     []struct {
			Name string
			Size int64
		}
	}
	folder := delivered(t, filepath.Join(data, "received"))
	text, err := os.ReadFile(filepath.Join(folder, "form.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &form); err != nil {
		t.Fatal(err)
	}
	if form.Schema != "motcua/form/1" || form.Procedure.Code != "2.000815" || form.Channel != "self" {
		t.Errorf("delivered form: %s %s %s", form.Schema, form.Procedure.Code, form.Channel)
	}
	number := slices.IndexFunc(form.Values, func(v struct{ ID, Value string }) bool { return v.ID == "applicant_number" })
	if number < 0 || form.Values[number].Value != "079090012345" {
		t.Errorf("%d values were delivered, or not those of the specimen", len(form.Values))
	}
	for _, p := range form.Pages {
		info, err := os.Stat(filepath.Join(folder, p.Name))
		if err != nil || info.Size() != p.Size {
			t.Errorf("page %s: %v", p.Name, err)
		}
	}
}

// patience bounds every wait for a thing that a sound program does at once, on a machine that has other work to do.
const patience = 10 * time.Minute

func startDemo(t *testing.T, data string) (address, desk string) {
	t.Helper()
	demo := exec.Command(built(t), "run", "--demo", "--data", data, "--listen", "127.0.0.1:0")
	demo.Stderr = t.Output()
	out, err := demo.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := tether.Start(demo); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := demo.Process.Signal(unix.SIGTERM); err != nil {
			t.Error(err)
		}
		if err := demo.Wait(); err != nil {
			t.Errorf("the demo did not end well: %v", err)
		}
	})
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if address, ok := strings.CutPrefix(lines.Text(), "Motcua is at "); ok {
			return address, desk
		}
		if _, at, ok := strings.Cut(lines.Text(), "at the officer's desk "); ok {
			desk = at
		}
	}
	t.Fatalf("the demo printed no address: %v", lines.Err())
	return "", ""
}

// delivered waits for the one folder that arrives.
func delivered(t *testing.T, inbox string) string {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		found, err := filepath.Glob(filepath.Join(inbox, "*", "form.json"))
		if err != nil {
			t.Fatal(err)
		}
		if len(found) == 1 {
			return filepath.Dir(found[0])
		}
	}
	t.Fatal("nothing was delivered")
	return ""
}

// walker presses what a finger would.
type walker struct {
	t   *testing.T
	ctx context.Context
}

func (w walker) do(actions ...chromedp.Action[chromedp.Void]) {
	w.t.Helper()
	if err := chromedp.Do(w.ctx, actions...); err != nil {
		w.t.Fatal(err)
	}
}

func (w walker) press(selector, to string) {
	w.t.Helper()
	w.tap(selector)
	w.until(`document.readyState === "complete" && location.pathname.startsWith("` + to + `")`)
}

// tap touches what a citizen's page shows: taps count when the page has been on the screen for a moment.
func (w walker) tap(selector string) {
	w.t.Helper()
	w.until(`"settled" in document.documentElement.dataset`)
	w.do(chromedp.Click(chromedp.CSS(selector)))
}

func (w walker) is(script string) bool {
	w.t.Helper()
	yes, err := chromedp.Run(w.ctx, chromedp.Evaluate[bool](script))
	if err != nil {
		w.t.Fatalf("%v in %s", err, script)
	}
	return yes
}

func (w walker) until(script string) {
	w.t.Helper()
	if err := chromiumtest.Until(w.ctx, script); err != nil {
		w.t.Fatalf("%s: %v; the page says: %s", script, err, strings.Join(strings.Fields(w.text("main")), " "))
	}
}

func (w walker) text(selector string) string {
	w.t.Helper()
	s, err := chromedp.Run(w.ctx, chromedp.Text(chromedp.CSS(selector)))
	if err != nil {
		w.t.Fatal(err)
	}
	return strings.TrimSpace(s)
}
