package web

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"motcua/agent/web/screen"
)

// A page of no visit that nobody touches gives way to the first one, whatever was typed into it; touched, it stays.
func TestPagesWithoutAVisitReturn(t *testing.T) {
	const silence = time.Hour // so long that no slow machine reaches it by itself
	k := newKiosk(t, withStaff(t), func(o *screen.Options) { o.Citizen.Silence = silence })
	ctx := browser(t, 1080, 1920)
	pass := func(d time.Duration) {
		t.Helper()
		eval[bool](t, ctx, fmt.Sprintf(`(() => { const now = performance.now.bind(performance);
			performance.now = () => now() + %d; return true })()`, d.Milliseconds()))
	}
	for _, path := range []string{"/privacy", "/status", "/verify"} {
		do(t, ctx, chromedp.Navigate(k.server.URL+path))
		holds(t, ctx, "the page's own time", `document.body.dataset.returns === "3600"`)
		pass(silence - time.Minute)
		eval[bool](t, ctx, `document.body.dispatchEvent(new PointerEvent("pointerdown", {bubbles: true}))`)
		pass(2 * time.Minute)
		looked(t, ctx)
		if at := pathOf(ctx, t); at != path {
			t.Errorf("%s: touched a moment ago, it gave way to %s", path, at)
		}
		pass(silence)
		holds(t, ctx, path+" gives way to the first page", `location.pathname === "/"`)
	}
	pass(2 * silence)
	if eval[bool](t, ctx, `"returns" in document.body.dataset`) {
		t.Error("the first page itself is loaded again and again")
	}
}

// looked waits until the page has looked whether anybody is there: its timers of one pace go off in the order in which they were set, and
// the first of this one may come before the page's.
func looked(t testing.TB, ctx context.Context) {
	t.Helper()
	if _, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`new Promise((done) => {
		let left = 2;
		const timer = setInterval(() => { if (--left === 0) { clearInterval(timer); done(true); } }, 1000);
	})`, chromedp.EvalAwaitPromise)); err != nil {
		t.Fatal(err)
	}
}
