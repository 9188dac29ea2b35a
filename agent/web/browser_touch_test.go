package web

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"motcua/agent/visit"
	"motcua/agent/web/screen"
	"motcua/drivers/simulated"
)

// A rhythm is how a hand touches: the pauses before each tap after the first.
type rhythm []time.Duration

// How long a finger stays down in a tap.
const tapTime = 60 * time.Millisecond

// finger puts a finger (id) down at a place, or takes all up again.
func finger(t testing.TB, ctx context.Context, kind input.DispatchTouchEventType, points ...*input.TouchPoint) {
	t.Helper()
	if points == nil {
		points = []*input.TouchPoint{}
	}
	if _, err := chromedp.Call(ctx, input.DispatchTouchEvent, input.DispatchTouchEventParams{Type: kind, TouchPoints: points}); err != nil {
		t.Fatal(err)
	}
}

func point(x, y, id, radius float64) *input.TouchPoint {
	return &input.TouchPoint{X: x, Y: y, ID: &id, RadiusX: &radius, RadiusY: &radius}
}

// centre is a script's function that scrolls a thing into view and gives it with its middle; null where there is none.
const centre = `(q) => { const b = document.querySelector(q); if (!b) return null;
	b.scrollIntoView({block: "nearest", behavior: "instant"});
	const r = b.getBoundingClientRect(); return {b, x: r.x + r.width / 2, y: r.y + r.height / 2}; }`

// middle scrolls a thing into view and gives its middle.
func middle(t testing.TB, ctx context.Context, selector string) (x, y float64) {
	t.Helper()
	at := eval[[]float64](t, ctx, `(() => { const c = (`+centre+`)('`+selector+`'); return c ? [c.x, c.y] : []; })()`)
	if len(at) != 2 {
		t.Fatalf("no %s on %s", selector, pathOf(ctx, t))
	}
	return at[0], at[1]
}

// tap touches a thing when the page takes it.
func tap(t testing.TB, ctx context.Context, selector string) {
	t.Helper()
	settled(t, ctx)
	taps(t, ctx, selector, nil)
}

// taps touches a thing with a rhythm; the taps after the first go to the same place, whatever lies there by then.
func taps(t testing.TB, ctx context.Context, selector string, r rhythm) {
	t.Helper()
	x, y := middle(t, ctx, selector)
	for i := range len(r) + 1 {
		if i > 0 {
			rest(ctx, r[i-1])
		}
		finger(t, ctx, input.DispatchTouchEventTypeTouchStart, point(x, y, 1, 6))
		rest(ctx, tapTime)
		finger(t, ctx, input.DispatchTouchEventTypeTouchEnd)
	}
}

// settled waits until a page takes taps; the staff's pages take them at once.
func settled(t testing.TB, ctx context.Context) {
	t.Helper()
	holds(t, ctx, "a page that takes taps",
		`!window.pass?.(100) && ("settled" in document.documentElement.dataset || "idle" in document.body.dataset)`)
}

// patient has visits that no slow machine brings to fall silent.
func patient(o *screen.Options) { o.Citizen = visit.Limits{Silence: time.Hour, Warning: time.Minute} }

// handsClock gives the pages a clock on which only the hand's own time passes, so that its rhythm stays a hand's on a machine that has
// other work to do. A page waits besides while settled is asked for, as a person does.
func handsClock(t testing.TB, ctx context.Context) {
	t.Helper()
	if _, err := chromedp.Call(ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{
		Source: `(() => { let now = 0; performance.now = () => now; window.pass = (ms) => { now += ms; }; })()`}); err != nil {
		t.Fatal(err)
	}
}

// rest lets a hand's own time pass, which is what is tested, also on the page's clock where that is the hand's.
func rest(ctx context.Context, d time.Duration) {
	time.Sleep(d)
	// A page that goes away meanwhile has no clock; the one that comes begins its own.
	_, _ = chromedp.Run(ctx, chromedp.Evaluate[bool](fmt.Sprintf(`!window.pass?.(%d)`, d.Milliseconds())))
}

// A citizen's way by touch. Whatever the rhythm of the hand, each touch leads one page on, and nothing is
// agreed to, answered or sent by a tap that fell on the page before.
func TestTapsOfThePageBefore(t *testing.T) {
	t.Parallel()
	k := newKiosk(t, patient)
	k.scanner = simulated.New([]simulated.Sheet{drawn(unfit(t))}, simulated.Options{LinesPerSecond: -1})
	ctx := browser(t, 1024, 768)
	do(t, ctx, chromedp.EmulateViewport(1024, 768, chromedp.EmulateTouch))
	handsClock(t, ctx)
	ms := time.Millisecond
	for name, hand := range map[string]rhythm{
		"double": {130 * ms},
		"triple": {220 * ms, 220 * ms},
	} {
		t.Run(name, func(t *testing.T) {
			do(t, ctx, chromedp.Navigate(k.server.URL+"/"))
			settled(t, ctx)
			var now *screen.Table
			step := func(selector, to string, holds func(visit.State) bool, what string) {
				t.Helper()
				taps(t, ctx, selector, hand)
				arrive(t, ctx, to)
				settled(t, ctx)
				if at := pathOf(ctx, t); at != to && to != "/choose/" && to != "/wanted/" && !strings.HasPrefix(to, "/check") {
					t.Fatalf("%s led past %s to %s", selector, to, at)
				}
				if now = k.site.Sessions.Visits()[0]; holds != nil && !holds(now.Visit.State()) {
					t.Fatalf("after %s: %s", to, what)
				}
			}
			unconsented := func(s visit.State) bool { return s.Consented.IsZero() }
			step(".button.huge", "/choose", nil, "")
			step(`a[href="/choose/2.000815"]`, "/choose/", func(s visit.State) bool { return s.Procedure == "" },
				"the tap after chose the procedure")
			step(".way .go", "/consent", unconsented, "consent was recorded unread")
			tap(t, ctx, `[name="agreed"]`)
			step(".way .go", "/scan", func(s visit.State) bool { return !s.Consented.IsZero() && len(s.Papers) == 0 && !s.Busy },
				"the scan began by itself")
			taps(t, ctx, "#scan .go", hand)
			arrive(t, ctx, "/papers")
			settled(t, ctx)
			step(".way .go", "/wanted/", func(s visit.State) bool { return len(s.Papers) == 1 && len(s.Ways) == 0 },
				"papers changed, or one was said to be brought")
			tap(t, ctx, `[name="way"][value="counter"]`)
			step(".way .go", "/check", func(s visit.State) bool { return len(s.Ways) == 1 }, "the way of the original wasn't kept")
			for open := len(now.Visit.State().Open()); open > 0; open-- {
				if !strings.HasPrefix(pathOf(ctx, t), "/check/") {
					step(".way .go", "/check/", nil, "")
				}
				eval[bool](t, ctx, `(() => { const f = document.querySelector("#value"), c = document.querySelector(".choice input");
					if (f && !f.value) f.value = f.dataset.pad === "date" ? "01/02/2020" : "2";
						if (c) c.checked = true; document.activeElement.blur(); return true; })()`)
				step(".way .go", "/check", func(s visit.State) bool { return len(s.Open()) == open-1 }, "a value was taken for looked at")
			}
			step(".way .go", "/confirm", func(s visit.State) bool { return s.Code == "" }, "the dossier was sent unseen")
			step(".way .go", "/receipt", func(s visit.State) bool { return s.Code != "" }, "the dossier was not sent")
			taps(t, ctx, ".way .go", hand)
			await(t, "the end of the visit", func() bool { return len(k.site.Sessions.Visits()) == 0 })
			holds(t, ctx, "the first page", `location.pathname === "/"`)
			settled(t, ctx)
		})
	}
	t.Run("held_no_longer_than_the_page_says", func(t *testing.T) {
		do(t, ctx, chromedp.Navigate(k.server.URL+"/"))
		eval[bool](t, ctx, `(() => { for (const a of document.getAnimations()) a.playbackRate = 1e-6; return true; })()`)
		settled(t, ctx)
		held := eval[[]string](t, ctx, `[...document.querySelectorAll(".bar, main, .way")]
			.filter((e) => getComputedStyle(e).pointerEvents === "none").map((e) => e.className)`)
		if len(held) > 0 {
			t.Errorf("the page takes taps, and the style sheet holds %q back", held)
		}
	})
	t.Run("resting_palm", func(t *testing.T) {
		do(t, ctx, chromedp.Navigate(k.server.URL+"/"))
		tap(t, ctx, ".button.huge")
		arrive(t, ctx, "/choose")
		tap(t, ctx, `a[href="/choose/2.000815"]`)
		arrive(t, ctx, "/choose/")
		settled(t, ctx)
		x, y := middle(t, ctx, ".way .go")
		palm := point(x-150, y, 2, 40)
		finger(t, ctx, input.DispatchTouchEventTypeTouchStart, point(x, y, 1, 6))
		finger(t, ctx, input.DispatchTouchEventTypeTouchEnd)
		finger(t, ctx, input.DispatchTouchEventTypeTouchStart, palm)
		arrive(t, ctx, "/consent")
		rest(ctx, 300*ms)
		finger(t, ctx, input.DispatchTouchEventTypeTouchEnd)
		settled(t, ctx)
		if at := pathOf(ctx, t); at != "/consent" {
			t.Errorf("the palm led to %s", at)
		}
	})
}

// hold keeps a finger on a thing, trembling a little, until the page is another one or patience ends.
func hold(t testing.TB, ctx context.Context, selector, until string) {
	t.Helper()
	x, y := middle(t, ctx, selector)
	finger(t, ctx, input.DispatchTouchEventTypeTouchStart, point(x, y, 1, 6))
	finger(t, ctx, input.DispatchTouchEventTypeTouchMove, point(x+4, y+3, 1, 7))
	holds(t, ctx, "what holding the emblem leads to", `location.pathname === "`+until+`"`)
	finger(t, ctx, input.DispatchTouchEventTypeTouchEnd)
}

// The staff's door by touch alone: from a citizen's page to the desk and back.
func TestStaffDoor(t *testing.T) {
	t.Parallel()
	k := newKiosk(t, withStaff(t))
	k.scanner = simulated.New([]simulated.Sheet{drawn(unfit(t))}, simulated.Options{LinesPerSecond: -1})
	ctx := browser(t, 1024, 768)
	toQuestion(t, ctx, k, "document")
	do(t, ctx, chromedp.EmulateViewport(1024, 768, chromedp.EmulateTouch))
	tap(t, ctx, ".brand") // a short touch is none of it
	arrive(t, ctx, "/help")
	do(t, ctx, chromedp.Navigate(k.server.URL+"/check/document"))
	settled(t, ctx)
	hold(t, ctx, ".brand", "/staff")
	key := func(kind string, text string) {
		t.Helper()
		for _, one := range text {
			tap(t, ctx, `.key[data-`+kind+`="`+string(one)+`"]`)
		}
	}
	holds(t, ctx, "the keys", `document.documentElement.dataset.keyboard`)
	if found := eval[[]string](t, ctx, unreachable); len(found) > 0 {
		t.Errorf("the sign-in: %s", strings.Join(found, "\n"))
	}
	key("letter", "lan")
	tap(t, ctx, "#pin")
	key("digit", volunteerPIN)
	tap(t, ctx, ".signin .go")
	arrive(t, ctx, "/desk")
	if visits := k.site.Sessions.Visits(); len(visits) != 1 || visits[0].Visit.State().Staff != "lan" {
		t.Error("the citizen's visit was not kept for the volunteer")
	}
	hold(t, ctx, ".brand", "/")
	do(t, ctx, chromedp.Navigate(k.server.URL+"/desk"))
	arrive(t, ctx, "/staff")
	if n := len(k.site.Sessions.Lined()); n != 1 {
		t.Errorf("%d visits in the line", n)
	}
	tap(t, ctx, ".tools .button")
	holds(t, ctx, "the citizen's screen", `location.pathname === "/"`)
}
