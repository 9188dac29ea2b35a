package cli

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"motcua/agent/chromiumtest"
	"motcua/agent/portal"
	"motcua/agent/procedure"
	"motcua/configs"
	"motcua/ocr/pdfa"
	"motcua/ocr/pdfa/conform"
)

// How a person at a screen is played: a look at a page before a press, and the time that a letter takes on a touch keyboard.
const (
	aLook   = 1500 * time.Millisecond
	aLetter = 150 * time.Millisecond
)

// birthTime is how long a newcomer may need.
const birthTime = 3 * time.Minute

// A newcomer registers a birth from a scanned card: the form on the screen, the official form as PDF and DOCX, PDF/A of each paper, the
// portal's form filled; then an officer at the kiosk signs a certified copy, and motcua verify says so. Real: the binary, Chromium with the
// extension, the queue and the receiver. Played: the scanner and its papers, the portal (portalStandIn), the token, and the person, who
// knows what to answer.
func TestBirthRegistrationSoak(t *testing.T) {
	if os.Getenv("MOTCUA_SOAK") == "" {
		t.Skip("set MOTCUA_SOAK=1 (make soak): it pauses as a person does")
	}
	data := t.TempDir()
	address, _ := startDemo(t, data)
	k := walker{t, chromiumtest.Whole(t, withExtension(t, address, portalStandIn(t))...)}
	began := time.Now()
	step := func(what string) { t.Logf("%6.1f s: %s", time.Since(began).Seconds(), what) }

	k.do(chromedp.Navigate(address))
	k.pressed(".button.huge", "/choose")
	k.do(chromedp.Navigate(address + "choose/1.001193"))
	k.pressed(".way .go", "/consent")
	k.is(`document.querySelector('[name="agreed"]').checked = true`)
	k.pressed(".way .go", "/scan")
	k.pressed("#scan .go", "/papers")
	step("the card is scanned and read")
	k.answerAll("/confirm", birthAnswers())
	step("the form is whole")
	k.pressed(`a[href="/confirm/form"]`, "/confirm/form")
	k.until(`[...document.querySelectorAll("main img")].some((i) => i.complete && i.naturalWidth > 300)`)
	k.pressed(".way .go", "/confirm")
	step("the official form is looked at")
	k.fillPortal()
	step("the portal's form is filled")
	k.pressed(".way .go", "/receipt")
	step("handed in: " + k.text(".code"))
	k.do(chromedp.Navigate(address))

	k.signCopy(address)
	step("an officer has signed a copy")
	t.Logf("%.0f s in all, with pauses of %v a page and %v a letter; the bar is %v", time.Since(began).Seconds(), aLook, aLetter, birthTime)
	k.filed(data)
}

func (w walker) pressed(selector, to string) {
	w.t.Helper()
	time.Sleep(aLook)
	w.press(selector, to)
}

// birthAnswers is what the person says where the papers say nothing, by field; what is not here is answered by its kind.
func birthAnswers() map[string]string {
	return map[string]string{
		"relation": "father", "child_name": "TRẦN GIA THỬ", "child_birth": time.Now().AddDate(0, 0, -14).Format("02/01/2006"), "child_sex": "Nam",
		"child_birthplace": "Bệnh viện Mẫu, Phường Ba Đình, Thành phố Hà Nội", "child_origin": "Phường Ba Đình, Thành phố Hà Nội",
		"mother_name": "LÊ THỊ THỬ", "mother_birth": "02/03/1993", "mother_number": "001193000012", "married": "no",
	}
}

// answerAll goes on, question by question, until the page to is reached.
func (w walker) answerAll(to string, answers map[string]string) {
	w.t.Helper()
	for range 80 {
		path := w.valueOf(`location.pathname`)
		if strings.HasPrefix(path, to) {
			return
		}
		pause := aLook
		switch {
		case strings.HasPrefix(path, "/wanted/"):
			w.is(`(() => { const ways = [...document.querySelectorAll('[name="way"]')];
				(ways.find((x) => x.value === "lookup") || ways.find((x) => x.value === "counter") || ways[0]).checked = true; return true })()`)
		case strings.HasPrefix(path, "/check/"):
			value, given := answers[strings.TrimPrefix(path, "/check/")]
			typed := w.valueOf(fmt.Sprintf(`(() => {
				const box = document.querySelector("#value"), want = %q, given = %t;
				if (!box) {
					const all = [...document.querySelectorAll('.choice input')];
					const one = all.find((c) => c.value === want) || all.find((c) => c.checked) || all[0];
					if (one) one.checked = true;
					return "";
				}
				if (!given && box.value) return "";
				box.value = given ? want : box.dataset.pad === "date" ? "25/12/2015" : box.dataset.pad === "digits" ? "001193000012" : "Nguyễn Thử";
				return box.value;
			})()`, value, given))
			pause += time.Duration(len([]rune(typed))) * aLetter
		}
		time.Sleep(pause)
		w.is(`(document.documentElement.dataset.old = "1", true)`)
		w.tap(".way .go")
		w.until(`document.readyState === "complete" && !document.documentElement.dataset.old`)
	}
	w.t.Fatalf("the questions don't end; the page says: %s", w.text("main"))
}

// valueOf is what a script gives.
func (w walker) valueOf(script string) string {
	w.t.Helper()
	s, err := chromedp.Run(w.ctx, chromedp.Evaluate[string](script))
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

// withExtension are the flags of a Chromium that has the extension, asking the daemon at address, and that finds the portal at stand.
func withExtension(t *testing.T, address string, stand *httptest.Server) []chromiumtest.Flag {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("../portal/extension")); err != nil {
		t.Fatal(err)
	}
	at := fmt.Appendf(nil, `{"daemon": %q}`, strings.TrimSuffix(address, "/"))
	if err := os.WriteFile(filepath.Join(dir, "address.json"), at, 0o600); err != nil {
		t.Fatal(err)
	}
	return chromiumtest.Extension(dir, "MAP *.gov.vn:443 "+stand.Listener.Addr().String())
}

// portalStandIn is the ministry's form of a birth registration: the fields that our map knows, drawn by the web components that the tests
// of package portal have. It can't show what the real form checks.
func portalStandIn(t *testing.T) *httptest.Server {
	t.Helper()
	catalog, err := procedure.Check(configs.Procedures())
	if err != nil {
		t.Fatal(err)
	}
	maps, err := portal.Load(configs.Portal(), catalog)
	if err != nil {
		t.Fatal(err)
	}
	components, err := os.ReadFile("../portal/testdata/standin.js")
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	b.WriteString(`<!doctype html><html><title>e-form</title><body><form>`)
	for _, f := range maps["1.001193"].Pages[0].Fields {
		kind, options := "x-input", ""
		switch {
		case f.Take != "":
			kind = "x-select-area"
		case f.Value != "":
			kind, options = "x-radio", f.Value+"=Có|0=Không"
		}
		const drawn = `<div class="form-group"><label>%s</label><%[2]s name="%[3]s" data-means="%[3]s" options="%[4]s"></%[2]s></div>`
		fmt.Fprintf(&b, drawn, html.EscapeString(f.Label), kind, f.Name, options)
	}
	b.WriteString(`<button type="submit">Gửi</button></form><script type="application/json" id="settings">{}</script><script>`)
	b.Write(components)
	b.WriteString(`</script></body></html>`)
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte(b.String()))
	}))
	s.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

// fillPortal asks for a code, gives it to the extension, opens the portal's form and has it filled.
func (w walker) fillPortal() {
	t := w.t
	t.Helper()
	w.pressed(`form[action="/confirm/portal"] button`, "/confirm/portal")
	code := strings.ReplaceAll(w.text(".code"), " ", "")
	popup := w.anotherTab()
	popup.do(chromedp.Navigate(portal.Origin + "/popup.html"))
	time.Sleep(aLook + time.Duration(len(code))*aLetter)
	popup.do(chromedp.SendKeys(chromedp.CSS("#code"), code), chromedp.Click(chromedp.CSS("form button")))
	popup.until(`document.body.dataset.done === "1"`)
	form := w.anotherTab()
	form.do(chromedp.Navigate("https://tokhaidientu.moj.gov.vn/e-form/x"))
	form.until(`document.readyState === "complete" && !!document.querySelector("motcua-panel")`)
	time.Sleep(aLook)
	// The panel lies in a closed shadow; what its button tells the tab's frames is told here in its place.
	popup.until(`(chrome.tabs.query({url: "https://*.gov.vn/*"}).then((all) => all.forEach((tab) =>
		chrome.tabs.sendMessage(tab.id, {kind: "fill"}))), true)`)
	form.until(`!!document.querySelector("motcua-panel").dataset.open`)
	child := birthAnswers()
	for name, want := range map[string]string{"HoTenKS": child["child_name"], "NgaySinhChon": child["child_birth"]} {
		if got := form.valueOf(fmt.Sprintf(`window.valueOf(document.querySelector('[data-means=%q]'))`, name)); got != want {
			t.Errorf("%s on the portal is not what the form says", name)
		}
	}
	if form.is(`window.record.submits > 0`) {
		t.Error("the portal's form was sent by itself")
	}
	t.Logf("on the portal: %s of %s fields filled, %s listed for the person", form.valueOf(
		`String([...document.querySelectorAll("[data-means]")].filter((e) => window.valueOf(e)).length)`),
		form.valueOf(`String(document.querySelectorAll("[data-means]").length)`),
		form.valueOf(`document.querySelector("motcua-panel").dataset.open`))
	w.pressed(".way .go", "/confirm")
}

// signCopy has an officer certify a copy at the kiosk's screen.
func (w walker) signCopy(address string) {
	w.t.Helper()
	w.do(chromedp.Navigate(address + "staff"))
	w.until(`!!document.querySelector("#pin")`)
	time.Sleep(aLook + 11*aLetter)
	w.do(chromedp.SendKeys(chromedp.CSS("#name"), "canbo"), chromedp.SendKeys(chromedp.CSS("#pin"), "714283"+kb.Enter))
	w.until(`document.readyState === "complete" && location.pathname === "/officer"`)
	time.Sleep(aLook)
	w.do(chromedp.Click(chromedp.CSS(`form[action="/desk/new"] button`)))
	w.until(`document.readyState === "complete" && location.pathname === "/choose"`)
	w.do(chromedp.Navigate(address + "choose/2.000815"))
	w.pressed(".way .go", "/consent")
	w.is(`document.querySelector('[name="agreed"]').checked = true`)
	w.pressed(".way .go", "/scan")
	w.pressed("#scan .go", "/papers")
	w.answerAll("/confirm", nil)
	w.pressed(`a[href="/officer/compare"]`, "/officer/compare")
	for range 20 { // page by page
		w.until(heard + `(!!document.querySelector("[action='/officer/ready']") ||
			document.querySelector("figure img")?.naturalWidth > 100)`)
		if w.is(`!!document.querySelector("[action='/officer/ready']")`) {
			break
		}
		time.Sleep(2 * aLook)
		w.is(`(document.documentElement.dataset.old = "1", true)`)
		w.do(chromedp.KeyEvent("s"))
		w.until(`document.readyState === "complete" && !document.documentElement.dataset.old`)
	}
	time.Sleep(aLook)
	w.do(chromedp.KeyEvent("k"))
	w.until(`document.readyState === "complete" && location.pathname === "/officer" && !!document.querySelector("#pin")`)
	time.Sleep(aLook + 6*aLetter)
	w.do(chromedp.SendKeys(chromedp.CSS("#pin"), "471147"+kb.Enter))
	w.until(`document.readyState === "complete" && location.pathname === "/officer/signed"`)
}

// filed looks at what the office got: PDF/A of each paper, the official form, and one signed copy that motcua verify accepts.
func (w walker) filed(data string) {
	t := w.t
	t.Helper()
	var copies []string
	w.wait("two submissions to be delivered", func() bool {
		forms, _ := filepath.Glob(filepath.Join(data, "received", "*", "form.json"))
		copies, _ = filepath.Glob(filepath.Join(data, "received", "*", "copy-*.pdf"))
		return len(forms) == 2 && len(copies) >= 2
	})
	for file, begin := range map[string]string{"form.pdf": "%PDF-", "form.docx": "PK"} { // of the birth: certification has no form
		found, _ := filepath.Glob(filepath.Join(data, "received", "*", file))
		if len(found) != 1 {
			t.Errorf("%d submissions have %s", len(found), file)
			continue
		}
		if content, err := os.ReadFile(found[0]); err != nil || !strings.HasPrefix(string(content), begin) {
			t.Errorf("%s is no such file: %v", file, err)
		}
	}
	signed := 0
	for _, name := range copies {
		file, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if found, err := conform.Check(file, pdfa.A2b); err != nil || len(found) > 0 {
			t.Errorf("%s is no PDF/A: %v %v", filepath.Base(name), found, err)
		}
		if !bytes.Contains(file, []byte("/ByteRange")) {
			continue
		}
		signed++
		said, err := exec.Command(built(t), "verify", "--trust", filepath.Join(data, "trust"), name).Output()
		if err != nil || !strings.Contains(string(said), "hợp lệ / good") {
			t.Errorf("motcua verify: %v: %s", err, said)
		}
		t.Logf("motcua verify: %s", said)
	}
	if signed != 1 {
		t.Errorf("%d copies are signed", signed)
	}
}

func (w walker) wait(what string, done func() bool) {
	w.t.Helper()
	for end := time.Now().Add(patience); !done(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			w.t.Fatalf("waited for %s in vain", what)
		}
	}
}
