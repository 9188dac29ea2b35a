package web

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"motcua/agent/staff"
	"motcua/agent/staff/stafftest"
	"motcua/agent/web/screen"
	"motcua/queue"
)

var (
	volunteerLan   = stafftest.Member{Name: "lan", Role: staff.Volunteer, PIN: volunteerPIN}
	technicianMinh = stafftest.Member{Name: "minh", Role: staff.Technician, PIN: techPIN}
	officerHoa     = stafftest.Member{Name: "hoa", Role: staff.Officer, PIN: officerPIN}
)

// withStaff gives a kiosk a volunteer (lan) and a technician (minh).
func withStaff(t testing.TB) func(*screen.Options) {
	t.Helper()
	roster := stafftest.Open(t, volunteerLan, technicianMinh)
	return func(o *screen.Options) {
		o.Console.Roster = roster
		o.Console.Backlog, _ = o.Queue.(screen.Backlog)
	}
}

func (h *hand) signIn(name, pin string) *hand {
	h.t.Helper()
	h.get("/staff")
	h.post("/staff", "name", name, "pin", pin)
	return h.get("/desk").want(200, "/desk")
}

func TestDeskIsForStaff(t *testing.T) {
	k := newKiosk(t, withStaff(t))
	h := k.hand(t).toScan("2.000815")
	h.get("/desk").want(200, "/staff")
	h.post("/desk/new").want(200, "/staff")
	lan := k.hand(t).signIn("lan", volunteerPIN)
	lan.get("/console").want(403, "/console")
}

func TestTakeOver(t *testing.T) {
	k := newKiosk(t, withStaff(t))
	citizen := k.hand(t).toScan("2.000815")
	citizen.upload("a.png", onePixel(t))
	citizen.follow("done")
	citizen.post("/call", "to", "/papers").want(200, "/papers", "Người giúp chạm vào đây")

	t.Run("from_the_desk_the_visit_moves", func(t *testing.T) {
		lan := k.hand(t).signIn("lan", volunteerPIN)
		if !strings.Contains(lan.body, "đang gọi giúp") {
			t.Fatal("the call does not show at the desk")
		}
		id := k.site.Sessions.Visits()[0].Visit.ID
		lan.post("/desk/take/"+id).want(200, "/check")
		citizen.get("/papers").want(200, "/", "Người giúp đã nhận hồ sơ") // the citizen's screen shows nothing of it any more
		lan.fillIn()
		lan.get("/confirm")
		lan.post("/confirm").want(200, "/receipt", "Người tiếp theo")
		subs, err := k.queue.List(queue.Filter{})
		if err != nil || len(subs) != 1 || subs[0].Labels["channel"] != "volunteer" {
			t.Fatalf("%v, %v", subs, err)
		}
		lan.get("/desk").want(200, "/desk", "<b>1</b><span>có tình nguyện viên giúp</span>")
	})
	t.Run("at_the_citizens_screen_by_pin", func(t *testing.T) {
		citizen := k.hand(t).toScan("2.000815")
		citizen.get("/takeover").want(200, "/takeover")
		citizen.post("/takeover", "name", "lan", "pin", "000000").want(403, "/takeover", "không đúng")
		citizen.post("/takeover", "name", "lan", "pin", volunteerPIN).want(200, "/scan")
		citizen.get("/desk").want(200, "/staff") // the PIN opened this visit only
	})
	t.Run("signing_out_wipes_the_line", func(t *testing.T) {
		lan := k.hand(t).signIn("lan", volunteerPIN)
		lan.post("/desk/new").want(200, "/choose")
		before := len(k.site.Sessions.Visits())
		lan.get("/desk")
		lan.post("/staff/out")
		if after := len(k.site.Sessions.Visits()); after != before-1 {
			t.Errorf("%d visits before, %d after", before, after)
		}
	})
}

// keystroke is how long a key takes somebody who types now and then (Card, Moran, Newell: The Keystroke-Level Model, 1980).
const keystroke = 280 * time.Millisecond

// A volunteer scans a stack and works it off by keys alone, without a mouse.
func TestBatchByKeysAlone(t *testing.T) {
	t.Parallel()
	k := newKiosk(t, withStaff(t))
	k.scanner.Load(3)
	ctx := browser(t, 1920, 1080)
	pressed := 0
	keys := func(s string) {
		t.Helper()
		pressed++
		if err := chromedp.Do(ctx, chromedp.KeyEvent(s)); err != nil {
			t.Fatal(err)
		}
	}
	if err := chromedp.Do(ctx, chromedp.Navigate(k.server.URL+"/staff")); err != nil {
		t.Fatal(err)
	}
	if err := chromedp.Do(ctx, chromedp.SendKeys(chromedp.CSS(`[name=name]`), "lan"),
		chromedp.SendKeys(chromedp.CSS(`[name=pin]`), volunteerPIN+"\r")); err != nil {
		t.Fatal(err)
	}
	arrive(t, ctx, "/desk")
	keys("a")
	keys("b")
	arrive(t, ctx, "/desk/batch")
	holds(t, ctx, "the stack to be read", `location.pathname === "/desk"`)
	shot(t, ctx, "landscape/desk")
	axe(t, ctx, "desk")
	began := time.Now()
	waiting := eval[int](t, ctx, `document.querySelectorAll('form[action^="/desk/open"]').length`)
	if waiting < 2 {
		t.Fatalf("%d persons came out of the stack: %s", waiting, text(t, ctx, "main"))
	}
	pressed = 0
	for range waiting {
		keys("n")
		arrive(t, ctx, "/check")
		for range 40 {
			at := pathOf(ctx, t)
			if strings.HasPrefix(at, "/receipt") {
				break
			}
			eval[string](t, ctx, `document.documentElement.dataset.seen = "1";
				(() => { const f = document.querySelector("#value"); if (f && !f.value) {
					f.value = f.dataset.pad === "date" ? "01/02/2020" : "1"; f.blur(); }
					return location.pathname })()`)
			if ways := eval[int](t, ctx, `document.querySelector("[name=way]:checked") ? 0 :
				document.querySelectorAll("[name=way]").length`); ways > 0 {
				keys(strconv.Itoa(ways)) // the last answer: it is brought to the counter
				holds(t, ctx, "the answer to be chosen", `document.querySelector("[name=way]:checked")`)
			}
			keys("\r")
			holds(t, ctx, "the next page", `!document.documentElement.dataset.seen`)
		}
		if at := pathOf(ctx, t); at != "/receipt" {
			t.Fatalf("keys alone do not lead from %s on: %s", at, text(t, ctx, "main"))
		}
	}
	t.Logf("%d citizens with ready papers in %.1f s", waiting, time.Since(began).Seconds())
	hands := time.Duration(pressed) * keystroke * 10 / time.Duration(waiting)
	t.Logf("%d keys for %d citizens: the hands of a volunteer are busy for %.1f s with ten", pressed, waiting, hands.Seconds())
	if hands > time.Minute {
		t.Errorf("ten citizens with ready papers take a volunteer's hands %v", hands)
	}
	subs, err := k.queue.List(queue.Filter{})
	if err != nil || len(subs) != waiting {
		t.Fatalf("%d submissions of %d persons, %v", len(subs), waiting, err)
	}
	if slices.ContainsFunc(subs, func(s queue.Submission) bool { return s.Labels["channel"] != "volunteer" }) {
		t.Error("counted as a citizen's own")
	}
}
