package web

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"

	"motcua/agent/web/screen"
)

// inView says whether all of a thing is on the screen as the page stands, above the bar below.
func inView(t testing.TB, ctx context.Context, selector string) bool {
	t.Helper()
	return eval[bool](t, ctx, `(() => { const r = document.querySelector('`+selector+`').getBoundingClientRect();
		return r.height > 0 && r.top >= 0 && r.bottom <= document.querySelector(".dock").getBoundingClientRect().top + 1; })()`)
}

// What a page asks for is seen without scrolling by somebody who has chosen the largest text on a cheap kiosk's screen.
func TestWhatIsAskedForIsInView(t *testing.T) {
	t.Parallel()
	k := newKiosk(t, withStaff(t), func(o *screen.Options) { o.Demo = true })
	ctx := browser(t, 1366, 768)
	do(t, ctx, chromedp.Navigate(k.server.URL+"/"))
	for _, size := range []string{"l", "xl"} {
		click(t, ctx, `form[action="/size"] button`)
		holds(t, ctx, "text "+size, `document.documentElement.dataset.size === "`+size+`"`)
	}
	seen := func(what string, selectors ...string) {
		t.Helper()
		for _, s := range selectors {
			if !inView(t, ctx, s) {
				t.Errorf("%s: %s is not in view", what, s)
			}
		}
	}
	press(t, ctx, ".button.huge", "/choose")
	if cut := eval[string](t, ctx, `[...document.querySelectorAll(".card *")].find((e) => e.scrollHeight > e.clientHeight + 1 &&
		getComputedStyle(e).overflow === "hidden")?.textContent || ""`); cut != "" {
		t.Errorf("a card's words are cut: %s", cut)
	}
	press(t, ctx, `a[href="/choose/1.001193"]`, "/choose/")
	press(t, ctx, ".way .go", "/consent")
	click(t, ctx, ".way .go")
	holds(t, ctx, "word that the box is to be ticked", `document.querySelector("#error")`)
	seen("consent refused", "#error", "label.choice")
	consent(t, ctx)
	seen("the page to scan from", "#scan .go")
	click(t, ctx, `form[action="/call"] button`)
	holds(t, ctx, "word that help was called", `document.querySelector(".called")`)
	if !eval[bool](t, ctx, `(() => { const box = (q) => document.querySelector(q).getBoundingClientRect();
		return box(".called").bottom <= box("main").top + 1 && Math.abs(box(".dock").bottom - innerHeight) < 2; })()`) {
		t.Error("help called: its word doesn't stand above the page, or the bar not at the bottom")
	}
	press(t, ctx, "#scan .go", "/scan")
	if !eval[bool](t, ctx, `(() => { const bed = document.querySelector(".bed"); if (!bed) return true; // the page has come
		document.querySelector("[data-sheet]").replaceChildren();
		return bed.offsetHeight > innerHeight * .4 && bed.offsetWidth > innerHeight * .25; })()`) {
		t.Error("scanning: before the first line the scanner's glass is a speck")
	}
}

// The receipt's state and code are seen without scrolling on every screen with every size of text, and with the usual text its symbol,
// all of it where there is room; elsewhere touches on the mark that the page goes on bring the rest above the bar.
func receiptAtFirstGlance(t *testing.T, ctx context.Context) {
	t.Helper()
	set := func(screen [2]int64, size string) {
		do(t, ctx, chromedp.EmulateViewport(screen[0], screen[1], chromedp.EmulateTouch))
		frames(t, ctx, screen)
		eval[bool](t, ctx, `(document.documentElement.dataset.size = "`+size+`", scrollTo(0, 0), dispatchEvent(new Event("keyboard")))`)
	}
	was := eval[string](t, ctx, `document.documentElement.dataset.size || ""`)
	for _, screen := range wardScreens {
		for _, size := range textSizes {
			set(screen, size)
			parts := []string{".where", ".code", ".ticket .qr", ".take"}
			switch {
			case size != "m":
				parts = parts[:2]
			case screen[1] < 1080:
				parts = parts[:3]
			}
			for _, part := range parts {
				if !inView(t, ctx, part) {
					t.Errorf("receipt at %d×%d, text %s: %s is not in view", screen[0], screen[1], size, part)
				}
			}
		}
	}
	set([2]int64{1024, 768}, "xl")
	for touches := 0; !inView(t, ctx, ".take"); touches++ {
		if touches > 5 {
			t.Fatal("touches on the mark that the page goes on don't lead to its end")
		}
		at := eval[float64](t, ctx, "scrollY")
		tap(t, ctx, ".below")
		holds(t, ctx, "a page that has moved", fmt.Sprintf(
			"scrollY >= Math.min(%f + innerHeight / 4, document.documentElement.scrollHeight - innerHeight - 1)", at))
	}
	shown(t, ctx, ".below", false)
	set([2]int64{1024, 768}, was)
}

// The mark that a page goes on is gone when its end is reached: what lies there then takes no tap of the same hand.
func TestTapWhereTheMarkBelowWas(t *testing.T) {
	t.Parallel()
	k := newKiosk(t)
	ctx := browser(t, 1024, 768)
	do(t, ctx, chromedp.EmulateViewport(1024, 768, chromedp.EmulateTouch))
	handsClock(t, ctx)
	do(t, ctx, chromedp.Navigate(k.server.URL+"/"))
	tap(t, ctx, ".button.huge")
	arrive(t, ctx, "/choose")
	settled(t, ctx)
	eval[bool](t, ctx, `(() => { window.ups = window.got = 0;
		addEventListener("pointerup", () => { window.ups++; }, true);
		document.addEventListener("click", () => { window.got++; }); // what the page holds back doesn't come here
		scrollTo({ top: document.documentElement.scrollHeight - innerHeight - 60, behavior: "instant" }); return true; })()`)
	shown(t, ctx, ".below", true)
	settled(t, ctx)
	x, y := middle(t, ctx, ".below")
	touch := func() {
		finger(t, ctx, input.DispatchTouchEventTypeTouchStart, point(x, y, 1, 6))
		finger(t, ctx, input.DispatchTouchEventTypeTouchEnd)
	}
	touch()
	shown(t, ctx, ".below", false)
	rest(ctx, 200*time.Millisecond)
	touch()
	holds(t, ctx, "both touches", `window.ups === 2`)
	settled(t, ctx)
	if got := eval[int](t, ctx, `window.got ?? 0`); got != 1 || pathOf(ctx, t) != "/choose" {
		t.Errorf("the tap after the mark's own counted: %d taps, now on %s", got, pathOf(ctx, t))
	}
}

// A finger that stays on the erasing key erases on; one that stays on a letter writes it once.
func TestErasingKeyRepeats(t *testing.T) {
	t.Parallel()
	k := newKiosk(t)
	ctx := browser(t, 1366, 768)
	toQuestion(t, ctx, k, "applicant_name")
	click(t, ctx, "#value")
	hold := func(selector string) {
		x, y := middle(t, ctx, selector)
		finger(t, ctx, input.DispatchTouchEventTypeTouchStart, point(x, y, 1, 6))
	}
	up := func() { finger(t, ctx, input.DispatchTouchEventTypeTouchEnd) }
	hold(`[aria-label="Xóa"]`)
	holds(t, ctx, "an empty field", `document.querySelector("#value").value === ""`)
	up()
	hold(`[data-letter="b"]`)
	holds(t, ctx, "a letter", `document.querySelector("#value").value === "B"`)
	time.Sleep(time.Second) // a hand's own time
	up()
	if got := eval[string](t, ctx, `document.querySelector("#value").value`); got != "B" {
		t.Errorf("a letter held for a second wrote %q", got)
	}
}

// The field has lost the focus to a touch beside it, so that the keys are drawn anew under the finger: one touch erases one letter.
func TestErasingKeyAfterATouchBeside(t *testing.T) {
	t.Parallel()
	k := newKiosk(t)
	ctx := browser(t, 1366, 768)
	toQuestion(t, ctx, k, "applicant_name")
	click(t, ctx, "#value")
	eval[string](t, ctx, `(() => { const value = document.querySelector("#value"); value.value = "Nguyễn"; value.blur(); return ""; })()`)
	x, y := middle(t, ctx, `[aria-label="Xóa"]`)
	finger(t, ctx, input.DispatchTouchEventTypeTouchStart, point(x, y, 1, 6))
	finger(t, ctx, input.DispatchTouchEventTypeTouchEnd)
	time.Sleep(time.Second) // longer than a key is held before it repeats
	if got := eval[string](t, ctx, `document.querySelector("#value").value`); got != "Nguyễ" {
		t.Errorf("one touch left %q", got)
	}
}
