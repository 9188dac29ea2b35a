package desk

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"motcua/agent/answer"
	"motcua/agent/chromiumtest"
	"motcua/agent/office"
	"motcua/queue/receive"
)

// patience bounds every wait for what a sound desk does at once, on a machine that has other work.
const patience = 10 * time.Minute

// browsers take the signer's own certificate, as its installer has the PC trust it.
var browsers = chromiumtest.Pool{Flags: []chromiumtest.Flag{{Name: "ignore-certificate-errors", Value: true}}}

type officer struct {
	t   testing.TB
	ctx context.Context
}

func (o officer) do(actions ...chromedp.Action[chromedp.Void]) {
	o.t.Helper()
	if err := chromedp.Do(o.ctx, actions...); err != nil {
		o.t.Fatal(err)
	}
}

func (o officer) holds(script string) {
	o.t.Helper()
	err := chromiumtest.Until(o.ctx, script)
	if err == nil {
		return
	}
	where, _ := chromedp.Run(o.ctx, chromedp.Evaluate[string](`location.href + " " + document.querySelector("main").innerText.slice(0, 400)`))
	o.t.Fatalf("%s: %v, on %s", script, err, where)
}

func (o officer) key(keys ...string) {
	o.t.Helper()
	for _, k := range keys {
		o.do(chromedp.KeyEvent(k))
	}
}

// record presses Ctrl and Enter, and waits for the page after.
func (o officer) record() {
	o.t.Helper()
	if _, err := chromedp.Run(o.ctx, chromedp.Evaluate[bool](`document.documentElement.dataset.old = "1", true`)); err != nil {
		o.t.Fatal(err)
	}
	o.do(chromedp.KeyEvent(kb.Enter, chromedp.KeyModifiers(chromedp.ModifierCtrl)))
	o.holds(`!document.documentElement.dataset.old`)
}

// signIn signs in by keys.
func (o officer) signIn(base string) {
	o.t.Helper()
	o.do(chromedp.Navigate(base + "/desk/"))
	o.holds(`document.activeElement.id === "name"`)
	o.key(officerName, kb.Tab, officerPIN, kb.Enter)
	o.holds(`location.pathname === "/desk/"`)
}

func (o officer) shot(name string) {
	o.t.Helper()
	folder := os.Getenv("MOTCUA_SHOTS")
	if folder == "" {
		return
	}
	o.holds(`[...document.images].every((i) => i.complete || i.loading === "lazy")`)
	data, err := chromedp.Run(o.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		o.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, name+".png"), data, 0o600); err != nil {
		o.t.Fatal(err)
	}
}

// axe-core 4.14 (MPL-2.0), the rules of WCAG 2.2 up to AAA and its best practices. It lies with the kiosk's pages.
const axeRun = `axe.run(document, {runOnly: ["wcag2a","wcag2aa","wcag2aaa","wcag21a","wcag21aa","wcag21aaa","wcag22aa",
		"best-practice"], rules: {"color-contrast-enhanced": {enabled: true}, "target-size": {enabled: true}}})
	.then((r) => r.passes.length < 15 ? ["axe checked only " + r.passes.length + " rules"] :
		r.violations.map((v) => v.id + ": " + v.help + " " +
			v.nodes.slice(0, 3).map((n) => n.html.slice(0, 160) + " " + (n.any[0]?.message || "")).join(" | ")))`

func (o officer) axe(page string) {
	o.t.Helper()
	source, err := os.ReadFile("../../web/testdata/axe.min.js")
	if err != nil {
		o.t.Fatal(err)
	}
	if _, err := chromedp.Run(o.ctx, chromedp.Evaluate[bool](string(source)+";true")); err != nil {
		o.t.Fatal(err)
	}
	found, err := chromedp.Run(o.ctx, chromedp.Evaluate[[]string](axeRun, chromedp.EvalAwaitPromise))
	if err != nil {
		o.t.Fatal(err)
	}
	for _, v := range found {
		o.t.Errorf("%s: %s", page, v)
	}
}

var screens = []struct{ width, height int64 }{{1366, 768}, {1920, 1080}}

// Every page is free of what axe-core finds, in both sizes of an office's screen, and nothing runs off its side.
func TestEveryPageIsAccessible(t *testing.T) {
	list := filepath.Join(t.TempDir(), "kiosks")
	if err := os.WriteFile(list, []byte("kiosk-1 0123456789abcdef1\nkiosk-4 0123456789abcdef4\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	kiosks, err := receive.OpenKiosks(list)
	if err != nil {
		t.Fatal(err)
	}
	s := newStandIn(t, newAuthority(t))
	w := newWard(t, func(o *Options) { o.Kiosks, o.Signer = kiosks, s.address() })
	w.file("s1", "Nguyễn Thị Thử")
	w.file("s2", "Trần Văn Mẫu Thử Có Tên Rất Dài")
	if _, err := w.store.Act(t.Context(), "s2", office.Act{By: "lan", Revision: 1, State: answer.NeedsMore,
		Reasons: []string{"unreadable"}, Text: "Trang 2 bị mờ."}); err != nil {
		t.Fatal(err)
	}
	for _, kiosk := range []string{"kiosk-2", "kiosk-2", "kiosk-3"} { // the second key of one is refused, and shown
		w.store.Enrol(t.Context(), kiosk, newRecipient(t))
	}
	if err := w.store.Revoke(t.Context(), kiosks, "kiosk-3", "lan"); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(list+".part", "in the way"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := w.store.Revoke(t.Context(), kiosks, "kiosk-4", "lan"); err == nil {
		t.Fatal("revoked whole") // else its row is not that of one that may still send
	}
	first, err := w.store.Get("s1")
	if err != nil {
		t.Fatal(err)
	}
	w.file("s3", "Lê Văn Thử", func(r *receive.Receipt) { r.Code = first.Code })
	for _, screen := range screens {
		t.Run(fmt.Sprintf("%dx%d", screen.width, screen.height), func(t *testing.T) {
			o := officer{t, browsers.Window(t, screen.width, screen.height)}
			o.do(chromedp.Navigate(w.server.URL + "/desk/signin"))
			o.axe("sign-in")
			o.signIn(w.server.URL)
			for _, path := range []string{"/desk/?tab=all", "/desk/d/1", "/desk/d/2", "/desk/kiosks", "/desk/kiosks?ask=kiosk-1",
				"/desk/figures", "/desk/d/3", "/desk/?q=khong-co", "/desk/d/99"} {
				o.do(chromedp.Navigate(w.server.URL + path))
				o.holds(`true`)
				o.axe(path)
				o.holds(`document.documentElement.scrollWidth <= innerWidth`)
				o.shot(fmt.Sprintf("%d-%s", screen.width, strings.Trim(strings.NewReplacer("/", "-", "?", "-", "=", "-").Replace(path), "-")))
			}
			o.do(chromedp.Navigate(w.server.URL + "/desk/d/1"))
			o.key("j", "j")
			o.holds(`document.querySelector("#m-applicant_number.now") && document.querySelector(".pages").scrollTop > 0`)
			o.key("1")
			o.holds(`document.activeElement.name === "reason"`)
			o.axe("choosing reasons")
			o.shot(fmt.Sprintf("%d-choosing", screen.width))
			// The mark lies on the page where the value is.
			where, err := chromedp.Run(o.ctx, chromedp.Evaluate[[]float64](`(() => {
				const m = document.querySelector("#m-applicant_number").getBoundingClientRect();
				const p = document.querySelector(".picture img").getBoundingClientRect();
				return [(m.x - p.x) / p.width, (m.y - p.y) / p.height] })()`))
			if err != nil || len(where) != 2 || where[0] < .07 || where[0] > .09 || where[1] < .79 || where[1] > .81 {
				t.Errorf("the mark lies at %v, %v", where, err)
			}
		})
	}
}

// The line shows what comes; an officer signs on the PC with the government's signer, which a stand-in is, in the browser.
func TestLineAndSignerInTheBrowser(t *testing.T) {
	s := newStandIn(t, newAuthority(t))
	w := newWard(t, func(o *Options) { o.Signer = s.address() })
	w.file("s1", "Nguyễn Thị Thử")
	o := officer{t, browsers.Window(t, 1366, 768)}
	o.signIn(w.server.URL)
	o.holds(`document.querySelectorAll(".row").length === 1`)
	o.key("j")
	w.file("s2", "Trần Văn Thử") // the line loads itself anew, and the row that was chosen stays so
	o.holds(`document.querySelectorAll(".row").length === 2 && document.activeElement.getAttribute("href") === "/desk/d/1"`)
	o.do(chromedp.Navigate(w.server.URL + "/desk/d/1"))
	o.holds(`!document.getElementById("signer").hidden`)
	o.do(chromedp.Evaluate[chromedp.Void](`document.querySelector("#sign [name=file]").focus()`))
	o.key(" ")
	o.do(chromedp.Evaluate[chromedp.Void](`document.getElementById("signer").focus()`))
	o.key(kb.Enter)
	o.holds(`document.querySelector("#sign").textContent.includes("copy-0001-cccd-da-ky.pdf")`)
	if r := <-s.got; r.Status != 0 {
		t.Errorf("the desk answered the signer %+v", r)
	}
}

// What comes after the line's page was made and before it listens is shown all the same.
func TestLineMissesNothing(t *testing.T) {
	w := newWard(t)
	var once sync.Once
	front := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/desk/changed" {
			once.Do(func() { w.file("s1", "Nguyễn Thị Thử") })
		}
		w.desk.ServeHTTP(rw, r)
	}))
	defer front.Close()
	defer front.CloseClientConnections()
	o := officer{t, browsers.Window(t, 1366, 768)}
	o.signIn(front.URL)
	o.holds(`document.querySelectorAll(".row").length === 1`)
}

// Two officers have one dossier open: the second act is not done, what was typed stays, and who comes back to the page is told.
func TestTwoOfficersInTheBrowser(t *testing.T) {
	w := newWard(t)
	one := w.file("s1", "Nguyễn Thị Thử")
	a := officer{t, browsers.Window(t, 1366, 768)}
	ctx, end := chromedp.NewContext(a.ctx, chromedp.WithNewBrowserContext()) // a browser of its own: nothing is shared
	t.Cleanup(end)
	b := officer{t, ctx}
	for _, o := range []officer{a, b} {
		o.signIn(w.server.URL)
		o.do(chromedp.Navigate(w.server.URL + "/desk/d/1"))
		o.holds(`document.querySelector(".sides")`)
	}
	b.key("1", " ")
	b.do(chromedp.Evaluate[chromedp.Void](`document.getElementById("text").focus()`))
	b.do(chromedp.KeyEvent("Xin mang bản gốc."))
	a.key("2")
	a.record()
	b.do(chromedp.Evaluate[chromedp.Void](`dispatchEvent(new Event("focus"))`)) // as when an officer comes back to the window
	b.holds(`!document.getElementById("overtaken").hidden`)
	b.record()
	b.holds(`document.getElementById("wrong") && document.getElementById("text").value === "Xin mang bản gốc." &&
		document.querySelector(".reasons input:checked")`)
	b.shot("two-officers")
	if now, err := w.store.Get(one.ID); err != nil || now.State != answer.Eligible || now.Revision != 2 {
		t.Errorf("it is %s, revision %d, %v", now.State, now.Revision, err)
	}
	b.record() // the officer has seen it, and means it
	if now, err := w.store.Get(one.ID); err != nil || now.State != answer.NeedsMore || now.Text != "Xin mang bản gốc." {
		t.Errorf("it is %s: %v", now.State, err)
	}
}

// A hundred dossiers are handled by keys alone; the time of each is printed.
func TestHundredDossiersByKeys(t *testing.T) {
	if testing.Short() {
		t.Skip("takes minutes")
	}
	const dossiers = 100
	w := newWard(t)
	for i := range dossiers {
		w.file(fmt.Sprintf("s%d", i+1), "Nguyễn Thị Thử")
	}
	o := officer{t, browsers.Window(t, 1366, 768)}
	o.signIn(w.server.URL)
	o.key("j", kb.Enter)
	o.holds(`document.querySelector(".sides")`)
	want := map[answer.State]int{}
	var times []time.Duration
	for i := range dossiers {
		begun := time.Now()
		o.holds(fmt.Sprintf(`document.querySelector(".sides")?.dataset.number === "%d"`, i+1))
		o.key("j", "j") // the doubted value and its place
		o.holds(`document.querySelector("#m-applicant_number.now")`)
		switch i % 4 {
		case 0:
			o.key("2")
			want[answer.Eligible]++
		case 1:
			o.key("1", " ", kb.Tab, " ")
			want[answer.NeedsMore]++
		case 2:
			o.key("3")
			o.do(chromedp.KeyEvent("Mời ông/bà đến nhận bản chính."))
			want[answer.Done]++
		default:
			o.key("4", " ")
			want[answer.Refused]++
		}
		o.record()
		times = append(times, time.Since(begun))
		t.Logf("dossier %d: %v", i+1, times[i].Round(time.Millisecond))
	}
	o.holds(`location.pathname === "/desk/"`)
	slices.Sort(times)
	t.Logf("%d dossiers by keys: median %v, slowest %v", dossiers, times[dossiers/2].Round(time.Millisecond),
		times[dossiers-1].Round(time.Millisecond))
	got := w.store.Counts()
	for state, n := range want {
		if got[state] != n {
			t.Errorf("%d are %s, not %d", got[state], state, n)
		}
	}
	for _, d := range w.store.List(office.Filter{}) {
		if d.Revision != 2 {
			t.Errorf("dossier %d was changed %d times", d.Number, d.Revision-1)
		}
	}
}
