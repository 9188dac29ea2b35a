package web

import (
	"context"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/css"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/chromedp"
)

// A line is written in one font: one that lacks letters of Vietnamese (Liberation Sans does) mixes those of another into every word.
func TestWordsAreOfOneFont(t *testing.T) {
	k := newKiosk(t)
	ctx := browser(t, 1024, 768)
	do(t, ctx, chromedp.Navigate(k.server.URL+"/help"))
	eval[bool](t, ctx, `(document.querySelector("h1").textContent = "ĂÂĐÊÔƠƯ ắằẳẵặ ấầẩẫậ ếềểễệ ốồổỗộ ớờởỡợ ứừửữự ỳỷỹỵ", true)`)
	if _, err := chromedp.Call(ctx, css.Enable, cdp.Empty{}); err != nil {
		t.Fatal(err)
	}
	var used css.GetPlatformFontsForNodeResult
	await(t, "the fonts of the title", func() bool { // the browser numbers its nodes anew as a page comes to rest
		document, err := chromedp.Call(ctx, dom.GetDocument, dom.GetDocumentParams{})
		if err != nil {
			return false
		}
		title, err := chromedp.Call(ctx, dom.QuerySelector, dom.QuerySelectorParams{NodeID: document.Root.NodeID, Selector: "h1"})
		if err != nil {
			return false
		}
		used, err = chromedp.Call(ctx, css.GetPlatformFontsForNode, css.GetPlatformFontsForNodeParams{NodeID: title.NodeID})
		return err == nil && len(used.Fonts) > 0
	})
	if len(used.Fonts) != 1 {
		t.Errorf("%d fonts in one line: %+v", len(used.Fonts), used.Fonts)
	}
}

// disorder lists where a screen reader, which goes by the order of the page's source, would read otherwise than an eye: a control
// before the page's heading, something in the page that stands above what comes before it, or an attribute that jumps.
const disorder = `(() => {
	const found = [], main = document.querySelector("main"), h1 = main?.querySelector("h1");
	const told = (e) => (e.getAttribute("aria-label") || e.textContent || e.id || e.tagName).trim().slice(0, 40);
	if (document.querySelectorAll("main").length !== 1 || document.querySelectorAll("h1").length !== 1 || !h1)
		found.push("not one main part with one heading");
	for (const e of document.querySelectorAll("[aria-owns], [aria-flowto]")) found.push("jumps: " + told(e));
	for (const e of document.querySelectorAll("[tabindex]")) if (e.tabIndex > 0) found.push("comes out of turn by Tab: " + told(e));
	const shown = (e) => e.checkVisibility({visibilityProperty: true, opacityProperty: true}) && e.getBoundingClientRect().height > 0;
	const parts = [...document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea, h1, h2, h3, main p, main li")]
		.filter(shown);
	const before = (a, b) => a.compareDocumentPosition(b) & Node.DOCUMENT_POSITION_FOLLOWING;
	for (const e of parts)
		if (h1 && main.contains(e) && e.matches("a, button, input, select, textarea") && before(e, h1))
			found.push("before the heading: " + told(e));
	const inside = parts.filter((e) => main?.contains(e) && getComputedStyle(e).position !== "absolute" && !e.closest(".visually-hidden"));
	for (let i = 1; i < inside.length; i++) {
		const a = inside[i - 1].getBoundingClientRect(), b = inside[i].getBoundingClientRect();
		if (!inside[i - 1].contains(inside[i]) && b.bottom <= a.top + 1 && b.right > a.left && b.left < a.right)
			found.push("stands above " + told(inside[i - 1]) + ", and is read after it: " + told(inside[i]));
	}
	const bar = document.querySelector(".way");
	if (bar && main && before(bar, main)) found.push("the buttons that lead on are read before the page");
	return found;
})()`

// inOrder checks that a page is read as it is seen.
func inOrder(t testing.TB, ctx context.Context, page string) {
	t.Helper()
	for _, what := range eval[[]string](t, ctx, disorder) {
		t.Errorf("%s: %s", page, what)
	}
}
