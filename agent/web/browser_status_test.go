package web

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"motcua/agent/answer"
	"motcua/agent/web/screen"
)

// "Tra cứu hồ sơ" by finger, from the code on the slip to the result that is wiped; each page on the smallest screens, lying
// and upright, in the smallest and the largest text, and by axe.
func TestStatusByTouch(t *testing.T) {
	t.Parallel()
	k := newKiosk(t, patient, func(o *screen.Options) { o.Print = true })
	ctx := browser(t, 1024, 768)
	looks := func(name string) {
		fitsOn(t, ctx, name, [][2]int64{{1024, 768}, {1280, 800}, {768, 1024}}, []string{"m", "xl"})
		axe(t, ctx, name)
	}
	a := k.answered(t, 1, answer.NeedsMore, nil)
	ask := func(state string) {
		t.Helper()
		do(t, ctx, chromedp.Navigate(k.server.URL+"/status?code="+a.Code))
		settled(t, ctx)
		for _, digit := range "1955" {
			holds(t, ctx, "a key", fmt.Sprintf(`(() => { document.querySelector("#pressed")?.removeAttribute("id");
				const key = [...document.querySelectorAll(".key")].find((k) => k.textContent.trim() === "%c" && k.checkVisibility());
				return key ? (key.id = "pressed", true) : false; })()`, digit))
			taps(t, ctx, "#pressed", nil)
		}
		holds(t, ctx, "the year", `document.querySelector("#year").value === "1955"`)
		taps(t, ctx, ".way .go", nil)
		holds(t, ctx, "the dossier", `!!document.querySelector(".answer.`+state+`") && document.readyState === "complete"`)
		settled(t, ctx)
	}
	a.Text = strings.Repeat("Bản chụp trang 2 bị mờ, xin mang theo bản gốc. ", 40)
	a.Number, a.Reasons = 2, []string{"side-missing", "unreadable", "paper-missing"}
	if _, err := k.answers.Take(a, a.At); err != nil {
		t.Fatal(err)
	}
	ask("needs-more")
	looks("status-needs-more")
	a = k.answered(t, 3, answer.Done, twoPages(t))
	ask("done")
	axe(t, ctx, "status-done")
	show := func() {
		t.Helper()
		taps(t, ctx, `a.go[href="/status/result"]`, nil)
		arrive(t, ctx, "/status/result")
		settled(t, ctx)
	}
	show()
	holds(t, ctx, "its pages", `[...document.querySelectorAll("img.result")].length === 2 &&
		[...document.images].every((i) => i.complete && i.naturalWidth > 0)`)
	looks("result")
	prints(t, ctx, 2)
	ask("done") // anew: who looks for longer than InquiryStays is led to the start
	show()
	taps(t, ctx, `form[action="/status/collected"] button`, nil)
	holds(t, ctx, "the start", `location.pathname === "/" && document.readyState === "complete"`)
	if _, _, err := k.answers.Result(a.Submission); err != answer.ErrUnknown {
		t.Errorf("the result is still here: %v", err)
	}
}

// prints lays the open result out on paper, as a printer with margins of its own takes it and as one that goes by the page.
func prints(t *testing.T, ctx context.Context, pages int) {
	t.Helper()
	for _, own := range []bool{true, false} {
		sheets, err := chromedp.Run(ctx, chromedp.PrintToPDF(chromedp.PDFPaper(chromedp.PaperA4),
			func(p *page.PrintToPDFParams) { p.PreferCSSPageSize = new(!own) }))
		if err != nil {
			t.Fatal(err)
		}
		if n := len(regexp.MustCompile(`/Type\s*/Page\b`).FindAll(sheets, -1)); n != pages {
			t.Errorf("a result of %d pages is printed on %d sheets (margins of the printer: %t)", pages, n, own)
		}
		if folder := os.Getenv("SHOTS"); folder != "" { // to look at
			if err := os.WriteFile(filepath.Join(folder, fmt.Sprintf("result-%t.pdf", own)), sheets, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}
