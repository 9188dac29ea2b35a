package web

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// The screens that wards have, and the sizes of text a person may choose on each.
var (
	wardScreens = [][2]int64{{1024, 768}, {1280, 800}, {1366, 768}, {1920, 1080}, {1080, 1920}, {768, 1024}}
	textSizes   = []string{"m", "l", "xl"}
)

// unreachable looks at everything a finger or an eye needs on a page: each must be wholly on the screen when it is
// scrolled to, under nothing else, and not cut; with the keyboard up, its field and all its keys at once.
const unreachable = `(() => {
	const out = [], W = innerWidth, H = innerHeight, root = document.documentElement;
	const name = (e) => (e.id ?
		"#" + e.id : e.className ? e.tagName.toLowerCase() + "." + [...e.classList].join(".") : e.tagName.toLowerCase()) + " “" +
			(e.textContent.trim() || e.getAttribute("aria-label") || e.value || "").replace(/\s+/g, " ").slice(0, 24) + "”";
	const box = (e) => e.getBoundingClientRect();
	const seen = (e) => { for (const [x, y] of [[.5, .5], [.12, .2], [.88, .2], [.12, .8], [.88, .8]]) {
		const r = box(e), hit = document.elementFromPoint(r.x + r.width * x, r.y + r.height * y);
		if (!hit || !(e.contains(hit) || hit.contains(e) ||
			hit.closest("label")?.contains(e) || hit.matches("input[type=file]"))) return hit ? name(hit) : "nothing";
	} return ""; };
	const shown = (e) => e.checkVisibility({ visibilityProperty: true }) && box(e).width > 1 && !e.closest(".skip");
	const open = document.querySelector("dialog[open]"), within = open || document;
	const tools = [...document.querySelectorAll(".bar .tool")].filter(shown).map((e) => box(e).top);
	if (W >= 1024 && Math.max(...tools) - Math.min(...tools) > 20) out.push("the tools above stand in two rows");
	for (const e of document.querySelectorAll(".row dd .value .empty"))
		if (W >= 1024 && shown(e) && e.getClientRects().length > 1) out.push(name(e) + " is squeezed");
	if (root.scrollWidth > W) out.push("the page is " + (root.scrollWidth - W) + " px too wide");
	const field = document.activeElement?.matches("[data-pad]") && root.dataset.keyboard ? document.activeElement : null;
	if (field) {
		field.scrollIntoView({ block: "center", behavior: "instant" });
		for (const e of [field, ...document.querySelectorAll(".key"), ...document.querySelectorAll(".way .button")]) if (shown(e)) {
			const r = box(e), over = seen(e);
			if (r.top < 0 || r.bottom > H + 1 || r.left < 0 || r.right > W + 1) out.push(name(e) + " is off the screen while the keyboard is up");
			else if (over) out.push(name(e) + " lies under " + over + " while the keyboard is up");
			if (e.matches(".key") && (r.width < 44 || r.height < 44))
				out.push(name(e) + " is a small key: " + Math.round(r.width) + "×" + Math.round(r.height));
		}
	}
	for (const e of within.querySelectorAll("a[href], button:not(.below), input:not([type=hidden]):not([type=file]), " +
		"textarea, select, summary, label.choice, .code, .qr, dialog[open] p")) {
		if (!shown(e)) continue;
		if (!e.closest(".dock, dialog")) {
			e.scrollIntoView({ block: "center", behavior: "instant" });
			dispatchEvent(new Event("scroll")); // what follows it does so at once
		}
		const r = box(e);
		if (r.left < -1 || r.right > W + 1) out.push(name(e) + " is cut at the side");
		if (r.height < H * .55 && (r.top < -1 || r.bottom > H + 1)) out.push(name(e) + " is off the screen");
		if (e.matches("input:not([type=checkbox]):not([type=radio]), textarea[data-line]") &&
			(e.scrollWidth > e.clientWidth + 1 || e.scrollHeight > e.clientHeight + 1)) out.push(name(e) + " shows a part of its value");
		const over = r.height < H * .55 ? seen(e) : "";
		if (over) out.push(name(e) + " lies under " + over);
	}
	for (const e of within.querySelectorAll("main *, .bar *, .way *, dialog[open] *")) {
		if (!shown(e) || e.clientWidth === 0 ||
			e.matches("input, textarea, select, svg, svg *, .sheet, .sheet *, .bed, .thumb, .thumb *") ||
			e.closest(".scroll, table, .keyboard") || getComputedStyle(e).overflowX === "auto") continue;
		if (e.scrollWidth > e.clientWidth + 1) out.push(name(e) + " is cut by " + (e.scrollWidth - e.clientWidth) + " px");
	}
	return [...new Set(out)];
})()`

// untold looks at what ends under the bar below: the page says that it goes on, and at its end nothing is under the bar. A thing that
// is scrolled to before it is looked at tells none of that.
const untold = `(() => {
	const out = [], root = document.documentElement, dock = document.querySelector(".dock"), below = document.querySelector(".below");
	if (!document.querySelector(".way") || root.dataset.keyboard || document.querySelector("dialog[open]")) return out;
	const parts = [...document.querySelectorAll("main *")].filter((e) => e.checkVisibility({ visibilityProperty: true }) &&
		e.getBoundingClientRect().width > 1 && !e.parentElement.closest(".thumb, .bed, svg"));
	const under = () => parts.filter((e) => e.getBoundingClientRect().bottom > dock.getBoundingClientRect().top + 2).
		map((e) => e.tagName.toLowerCase() + "." + e.className + " “" + e.textContent.trim().replace(/\s+/g, " ").slice(0, 24) + "”");
	const at = (top) => { scrollTo({ top, behavior: "instant" }); dispatchEvent(new Event("scroll")); return !!below && !below.hidden; };
	let told = at(0), ends = under();
	if (ends.length > 0 && !told) out.push(ends.at(-1) + " ends under the bar, and the page doesn't say that it goes on");
	if (ends.length === 0 && told) out.push("the page says that it goes on, and it ends here");
	told = at(root.scrollHeight);
	for (const what of under()) out.push(what + " stays under the bar at the end of the page");
	if (told) out.push("the page says at its end that it goes on");
	at(0);
	return out;
})()`

// fits looks at the page that is open on every screen with every size of text.
func fits(t testing.TB, ctx context.Context, page string) {
	t.Helper()
	fitsOn(t, ctx, page, wardScreens, textSizes)
}

// fitsOn looks on some screens with some sizes.
func fitsOn(t testing.TB, ctx context.Context, page string, screens [][2]int64, sizes []string) {
	t.Helper()
	holds(t, ctx, "a page that takes taps", `"settled" in document.documentElement.dataset || !document.querySelector("[data-read]")`)
	was := eval[string](t, ctx, `document.documentElement.dataset.size || ""`)
	for _, screen := range screens {
		do(t, ctx, chromedp.EmulateViewport(screen[0], screen[1]))
		frames(t, ctx, screen)
		if folder := os.Getenv("SHOTS"); folder != "" { // to look at
			name := fmt.Sprintf("%s-%dx%d-", strings.NewReplacer("/", "_", " ", "_").Replace(page), screen[0], screen[1])
			keepShots(t, ctx, filepath.Join(folder, name), sizes)
		}
		if found := eval[[]string](t, ctx, fmt.Sprintf(everySize, unreachable, untold, strings.Join(sizes, `","`))); len(found) > 0 {
			t.Errorf("%s at %d×%d:\n\t%s", page, screen[0], screen[1], strings.Join(found, "\n\t"))
		}
	}
	eval[bool](t, ctx, fmt.Sprintf(`(document.documentElement.dataset.size = %q, true)`, was))
	do(t, ctx, chromedp.EmulateViewport(1024, 768))
}

// everySize is a script that looks at a page with one size of text after the other. What follows a new layout a frame later (the
// room kept above the bar) follows at once here: nothing need be painted to be measured.
const everySize = `((look, sizes) => sizes.flatMap((size) => {
	document.documentElement.dataset.size = size;
	dispatchEvent(new Event("keyboard"));
	return look().map((what) => "text " + size + ": " + what);
}))(() => [...%s, ...%s], ["%s"])`

// frames waits until the window has its new size, and for two frames more: what follows it is in place after them.
func frames(t testing.TB, ctx context.Context, screen [2]int64) {
	t.Helper()
	sized := fmt.Sprintf(`new Promise((done) => {
		let left = 2;
		const frame = () => { if (innerWidth === %d && innerHeight === %d && left-- === 0) done(true); else requestAnimationFrame(frame); };
		frame();
	})`, screen[0], screen[1])
	if _, err := chromedp.Run(ctx, chromedp.Evaluate[bool](sized, chromedp.EvalAwaitPromise)); err != nil {
		t.Fatal(err)
	}
}

// keepShots keeps a picture of the page with each size of text.
func keepShots(t testing.TB, ctx context.Context, name string, sizes []string) {
	t.Helper()
	for _, size := range sizes {
		eval[bool](t, ctx, fmt.Sprintf(`(document.documentElement.dataset.size = %q, true)`, size))
		data, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
		if err == nil {
			err = os.WriteFile(name+size+".png", data, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// Every page of a citizen's visit, on every screen that wards have.
func TestPagesFitTheScreen(t *testing.T) {
	t.Parallel()
	k := newKiosk(t, withStaff(t), patient)
	ctx := browser(t, 1024, 768)
	seen := map[string]bool{}
	toReceipt(t, ctx, k, "2.000815", func(page string) {
		if !seen[page] && page != "scanning" { // which goes on by itself
			fits(t, ctx, page)
			axe(t, ctx, page)
		}
		seen[page] = true
	})
	receiptAtFirstGlance(t, ctx)
	for _, page := range []string{"/", "/help", "/privacy", "/status", "/verify", "/nowhere"} {
		do(t, ctx, chromedp.Navigate(k.server.URL+page))
		fits(t, ctx, page)
		axe(t, ctx, page)
	}
	toQuestion(t, ctx, k, "")
	for _, field := range []string{"applicant_name", "applicant_birth", "applicant_number", "applicant_residence", "document", "copies"} {
		do(t, ctx, chromedp.Navigate(k.server.URL+"/check/"+field))
		settled(t, ctx)
		fits(t, ctx, field)
		if !eval[bool](t, ctx, `(document.querySelector("#value").focus(), !!document.documentElement.dataset.keyboard)`) {
			t.Fatalf("%s brings no keyboard", field)
		}
		fits(t, ctx, field+" with its keyboard")
		axe(t, ctx, field+" with its keyboard")
	}
	do(t, ctx, chromedp.Navigate(k.server.URL+"/takeover"))
	fits(t, ctx, "takeover")
	axe(t, ctx, "takeover")
	for _, dialog := range []string{"#silence", "#ask-leave", "#away"} {
		eval[bool](t, ctx, `(document.querySelector("dialog[open]")?.close(), document.querySelector("`+dialog+`").showModal(), true)`)
		fits(t, ctx, dialog)
	}
}

// Every page of the staff on the same screens.
func TestStaffPagesFitTheScreen(t *testing.T) {
	t.Parallel()
	c := newCounter(t)
	ctx := browser(t, 1024, 768)
	do(t, ctx, chromedp.Navigate(c.url+"/staff"))
	fits(t, ctx, "signin")
	do(t, ctx, chromedp.SendKeys(chromedp.CSS("#name"), "tech"), chromedp.SendKeys(chromedp.CSS("#pin"), techPIN+"\r"))
	arrive(t, ctx, "/console")
	for _, page := range eval[[]string](t, ctx, `[...document.querySelectorAll("nav a")].map((a) => a.getAttribute("href"))`) {
		do(t, ctx, chromedp.Navigate(c.url+page))
		fits(t, ctx, page)
	}
}
