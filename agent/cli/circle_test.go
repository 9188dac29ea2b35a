package cli

import (
	"bytes"
	"context"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"codeberg.org/go-pdf/fpdf"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// circle is what follows a receipt: the officer asks for more, the citizen reads it at the kiosk and adds a paper, the officer
// finishes the dossier with a result, and the citizen prints it, and has it wiped.
func (k walker) circle(address, desk, code string) {
	t := k.t
	t.Helper()
	officer := k.anotherTab()
	officer.signIn(desk)
	officer.open(desk, "", code)
	officer.until(`!!document.querySelector(".values .value img") && !!document.querySelector(".mark")`)
	officer.do(chromedp.KeyEvent("1"))
	officer.until(`!!document.activeElement.closest(".reasons")`)
	officer.do(chromedp.KeyEvent(" "))
	officer.record("needs-more")

	k.ask(address, code, "needs-more")
	k.press(`form[action="/status/add"] button`, "/consent")
	k.supplement()
	officer.open(desk, "", code)
	officer.until(`!!document.querySelector("figcaption .tag.looked")`) // the paper that was added
	officer.do(chromedp.KeyEvent("2"))
	officer.record("eligible")
	k.ask(address, code, "eligible")

	officer.open(desk, "?tab=eligible", code)
	officer.attach(twoPages(t))
	officer.do(chromedp.KeyEvent("3"))
	officer.until(`document.activeElement.id === "text"`)
	officer.do(chromedp.KeyEvent("Mời ông/bà đến nhận bản chính."))
	officer.record("done")

	k.ask(address, code, "done")
	k.until(`document.querySelector("main").textContent.includes("Mời ông/bà đến nhận bản chính.")`)
	k.takeResult()
	k.ask(address, code, "done")
	if k.is(`!!document.querySelector('a[href="/status/result"]')`) {
		t.Error("a result that was taken is still shown")
	}
}

// anotherTab is somebody else's, in the same browser.
func (k walker) anotherTab() walker {
	tab, end := chromedp.NewContext(k.ctx)
	ctx, endTime := context.WithTimeout(tab, 4*patience)
	k.t.Cleanup(func() { endTime(); end() })
	return walker{k.t, ctx}
}

// heard goes before what is waited for at the desk: before a page is complete nobody listens to its keys.
const heard = `document.readyState === "complete" && `

func (k walker) signIn(desk string) {
	k.t.Helper()
	k.do(chromedp.Navigate(desk))
	k.until(heard + `document.activeElement.id === "name"`)
	k.do(chromedp.KeyEvent("canbo"), chromedp.KeyEvent(kb.Tab), chromedp.KeyEvent("714283"), chromedp.KeyEvent(kb.Enter))
	k.until(heard + `location.pathname === "/desk/"`)
}

// open opens the dossier of a receipt from the line, once it is there.
func (k walker) open(desk, tab, code string) {
	k.t.Helper()
	k.do(chromedp.Navigate(desk + tab))
	k.until(heard + `!!document.querySelector(".row")?.textContent.includes("` + code + `")`)
	k.do(chromedp.KeyEvent("j"), chromedp.KeyEvent(kb.Enter))
	k.until(heard + `!!document.querySelector(".sides") && document.querySelector(".facts").textContent.includes("` + code + `")`)
}

// record has the chosen state recorded.
func (k walker) record(state string) {
	k.t.Helper()
	if !k.is(`document.querySelector('[data-state="` + state + `"]').checked`) {
		k.t.Fatalf("%s is not what was chosen", state)
	}
	k.do(chromedp.KeyEvent(kb.Enter, chromedp.KeyModifiers(chromedp.ModifierCtrl)))
	k.until(heard + `!!document.querySelector(".notice.good")`)
}

// attach gives a dossier its result.
func (k walker) attach(result []byte) {
	k.t.Helper()
	file := filepath.Join(k.t.TempDir(), "result.pdf")
	if err := os.WriteFile(file, result, 0o600); err != nil {
		k.t.Fatal(err)
	}
	k.do(chromedp.SetUploadFiles(chromedp.CSS("#file"), []string{file}), chromedp.Click(chromedp.CSS(`form[action$="/result"] button`)))
	k.until(heard + `!!document.querySelector(".notice.good") && document.querySelector("form.act").textContent.includes("ket-qua.pdf")`)
	k.is(`(document.activeElement.blur(), true)`)
}

// ask asks at the kiosk where a dossier stands, until it is told that state: the answer is on its way.
func (k walker) ask(address, code, state string) {
	k.t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(500 * time.Millisecond) { // eight at once, then one in 15 s
		k.do(chromedp.Navigate(address + "status?code=" + url.QueryEscape(code)))
		k.is(`(document.querySelector("#year").value = "1990", document.documentElement.dataset.old = "1", true)`)
		k.tap(".way .go")
		k.until(`document.readyState === "complete" && !document.documentElement.dataset.old`)
		if k.is(`!!document.querySelector(".answer.` + state + `")`) {
			return
		}
		if time.Now().After(end) {
			k.t.Fatalf("never told %s; the page says: %s", state, k.text("main"))
		}
	}
}

// supplement walks from consent to the receipt of one more paper.
func (k walker) supplement() {
	k.t.Helper()
	k.is(`document.querySelector('[name="agreed"]').checked = true`)
	k.press(".way .go", "/scan")
	k.press("#scan .go", "/papers")
	k.press(".way .go", "/check")
	k.press(".way .go", "/confirm")
	k.press(".way .go", "/receipt")
	if code := k.text(".code"); !regexp.MustCompile(`^[0-9A-Z]{4}-[0-9A-Z]{4}$`).MatchString(code) {
		k.t.Errorf("the supplement's code is %q", code)
	}
}

// takeResult prints a result, as the browser lays it out on paper, and takes it.
func (k walker) takeResult() {
	k.t.Helper()
	k.press(`a[href="/status/result"]`, "/status/result")
	k.until(`[...document.querySelectorAll("img.result")].length === 2 && [...document.images].every((i) => i.complete && i.naturalWidth > 0)`)
	k.is(`(window.print = () => { document.documentElement.dataset.printed = "1" }, true)`)
	k.tap("[data-print]")
	k.until(`document.documentElement.dataset.printed === "1"`)
	sheets, err := chromedp.Run(k.ctx, chromedp.PrintToPDF(chromedp.PDFPaper(chromedp.PaperA4)))
	if err != nil {
		k.t.Fatal(err)
	}
	if n := len(regexp.MustCompile(`/Type\s*/Page\b`).FindAll(sheets, -1)); n != 2 {
		k.t.Errorf("the result of 2 pages is printed on %d", n)
	}
	k.press(`form[action="/status/collected"] button`, "/")
	k.until(`location.pathname === "/"`)
}

// twoPages is an invented result.
func twoPages(t *testing.T) []byte {
	t.Helper()
	pdf := fpdf.New("P", "mm", "A4", "")
	for n := range 2 {
		pdf.AddPage()
		pdf.SetFont("Helvetica", "", 24)
		pdf.Cell(100, 20, "INVENTED RESULT "+strconv.Itoa(n+1))
	}
	var out bytes.Buffer
	if err := pdf.Output(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
