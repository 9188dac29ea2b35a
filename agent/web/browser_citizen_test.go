package web

import (
	"context"
	"fmt"
	"image"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"motcua/agent/visit"
	"motcua/agent/web/citizen"
	"motcua/agent/web/screen"
	"motcua/drivers/simulated"
	"motcua/ocr/specimen"
)

// toQuestion brings the browser to a question of a form, with a page of the counter's scanner behind it.
func toQuestion(t testing.TB, ctx context.Context, k *kiosk, field string) {
	t.Helper()
	do(t, ctx, chromedp.Navigate(k.server.URL+"/"))
	press(t, ctx, ".button.huge", "/choose")
	press(t, ctx, `a[href="/choose/2.000815"]`, "/choose/")
	press(t, ctx, ".way .go", "/consent")
	consent(t, ctx)
	press(t, ctx, "#scan .go", "/scan")
	arrive(t, ctx, "/papers")
	if field != "" {
		do(t, ctx, chromedp.Navigate(k.server.URL+"/check/"+field))
		arrive(t, ctx, "/check/"+field)
	}
}

func do(t testing.TB, ctx context.Context, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(ctx, steps...); err != nil {
		t.Fatal(err)
	}
}

// left waits until the page is another one.
func left(t testing.TB, ctx context.Context, from string) {
	t.Helper()
	holds(t, ctx, "leaving "+from, `location.pathname !== "`+from+`"`)
}

func TestSilenceClearsTheScreen(t *testing.T) {
	t.Parallel()
	// so long that no slow machine reaches them by itself
	limits := visit.Limits{Silence: time.Hour, Warning: 20 * time.Minute, Helping: 5 * time.Hour}
	k := newKiosk(t, func(o *screen.Options) { o.Citizen = limits })
	ctx := browser(t, 1080, 1920)
	toQuestion(t, ctx, k, "applicant_name")
	// The page's clock is put on: nobody has to sit through the silence.
	pass := func(d time.Duration) {
		t.Helper()
		eval[bool](t, ctx, fmt.Sprintf(`(() => { const now = performance.now.bind(performance);
			performance.now = () => now() + %d; return true })()`, d.Milliseconds()))
	}
	if eval[bool](t, ctx, `document.querySelector("#silence").checkVisibility()`) {
		t.Fatal("the warning shows before anybody was silent")
	}
	pass(limits.Silence - limits.Warning/2)
	name := eval[string](t, ctx, `document.querySelector("#value").value`)
	if name == "" {
		t.Fatal("no name was read: the test would show nothing")
	}
	shown(t, ctx, "#silence", true)
	shot(t, ctx, "portrait/silence")
	click(t, ctx, "[data-stay]")
	shown(t, ctx, "#silence", false)
	if at := pathOf(ctx, t); at != "/check/applicant_name" {
		t.Fatalf("staying led to %s", at)
	}
	t.Run("help_on_its_way_holds_the_visit_covered", func(t *testing.T) {
		eval[bool](t, ctx, `(() => { const f = document.querySelector("#value"); f.value = "Trần Thị";
			f.dispatchEvent(new Event("input", {bubbles: true})); return true; })()`)
		press(t, ctx, `form[action="/call"] button`, "/check/applicant_name")
		holds(t, ctx, "word that help was called", `document.querySelector(".called")`)
		if got := eval[string](t, ctx, `document.querySelector("#value").value`); got != "Trần Thị" {
			t.Errorf("what was being written came back as %q", got)
		}
		pass(limits.Silence + time.Minute)
		shown(t, ctx, "#cover", true)
		if eval[bool](t, ctx, `document.querySelector("#silence").checkVisibility()`) {
			t.Error("the visit counts down while help is on its way")
		}
		shot(t, ctx, "portrait/cover")
		click(t, ctx, "[data-uncover]")
		shown(t, ctx, "#cover", false)
		click(t, ctx, `form[action="/call"] button`)
		holds(t, ctx, "the end of the call", `!document.querySelector(".called")`)
		eval[bool](t, ctx, `(() => { const f = document.querySelector("#value"); f.value = "`+name+`"; return true; })()`)
	})
	pass(limits.Silence - limits.Warning/2)
	shown(t, ctx, "#silence", true)
	pass(limits.Silence)
	holds(t, ctx, "the start page", `location.pathname === "/"`)
	t.Run("server_has_forgotten", func(t *testing.T) {
		if n := len(k.site.Sessions.Visits()); n != 0 {
			t.Errorf("%d visits", n)
		}
	})
	t.Run("history_shows_nothing", func(t *testing.T) {
		entries, err := chromedp.Run(ctx, chromedp.NavigationEntries())
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries.Entries {
			if strings.Contains(e.URL+e.Title, name) {
				t.Error("the history names the person")
			}
			if !strings.HasPrefix(e.URL, k.server.URL) {
				continue
			}
			do(t, ctx, chromedp.NavigateToHistoryEntry(e.ID))
			holds(t, ctx, "the start page", `location.pathname === "/"`)
			if html := eval[string](t, ctx, `document.documentElement.outerHTML`); strings.Contains(html, name) || pathOf(ctx, t) != "/" {
				t.Errorf("going back to %s shows the visit", strings.TrimPrefix(e.URL, k.server.URL))
			}
		}
	})
	t.Run("nothing_is_stored", func(t *testing.T) {
		if left := eval[int](t, ctx, `localStorage.length + sessionStorage.length`); left != 0 {
			t.Errorf("%d things stored in the page", left)
		}
	})
}

// The keyboard by its keys, as a finger presses them.
func TestOnScreenKeyboard(t *testing.T) {
	t.Parallel()
	k := newKiosk(t)
	ctx := browser(t, 1920, 1080)
	toQuestion(t, ctx, k, "applicant_name")
	pressKeys := `(keys) => {
		const board = document.querySelector("#keyboard"), field = document.querySelector("#value, #code");
		const press = (b) => { for (const kind of ["pointerdown", "pointerup"])
			b.dispatchEvent(new PointerEvent(kind, {bubbles: true, cancelable: true})); };
		field.focus(); field.setSelectionRange(field.value.length, field.value.length);
		for (const k of keys) {
			if (/\d/.test(k) !== !board.querySelector('[data-letter="q"]') && !board.classList.contains("pad"))
				press([...board.querySelectorAll(".key")].find((b) => ["123", "ABC"].includes(b.textContent)));
			const b = [...board.querySelectorAll(".key")].find((b) => k === " " ?
				b.classList.contains("wide") : (b.dataset.letter || b.textContent) === k);
			if (!b) throw new Error("no key " + k);
			press(b);
		}
		return field.value;
	}`
	typed := func(keys string) string {
		t.Helper()
		return eval[string](t, ctx, fmt.Sprintf(`(() => { document.querySelector("#value, #code").value = ""; return (%s)(%q); })()`, pressKeys,
			keys))
	}
	if eval[bool](t, ctx, `!document.querySelector("#keyboard").hidden`) {
		t.Error("the keyboard hides a value that only needs a yes")
	}
	click(t, ctx, "#value")
	if eval[bool](t, ctx, `document.querySelector("#keyboard").hidden`) {
		t.Fatal("touching the field brings no keyboard")
	}
	shot(t, ctx, "landscape/keyboard")
	t.Run("telex", func(t *testing.T) {
		for keys, want := range map[string]string{
			"nguyeenx": "Nguyễn", "nguyeexn": "Nguyễn", "nguyenxe": "Nguyễn", "dduwcs": "Đức", "ddaats": "Đất",
			"hoaf": "Hòa", "hoangf": "Hoàng",
			"thuyr": "Thủy", "quyeenf": "Quyền", "quys": "Quý", "giaf": "Già", "gias": "Giá", "giuwx": "Giữ", "truwowngf": "Trường",
			"truowngf": "Trường",
			"uowcs":    "Ước", "khuyur": "Khuỷu", "toans": "Toán", "toasn": "Toán", "huwowngj": "Hượng",
			"aa": "Â", "aaa": "Aa", "dd": "Đ", "ddd": "Dd",
			"w": "Ư", "ass": "As", "as": "Á", "asz": "A", "asf": "À", "xuaan": "Xuân", "binhf": "Bình", "phuwowng": "Phương", "baor": "Bảo",
			"huynhf":    "Huỳnh",
			"thij binh": "Thị Binh", "vuwowng": "Vương", "yeens": "Yến", "ngoc": "Ngoc", "ngocj": "Ngọc", "taam": "Tâm", "quoocs": "Quốc",
			"khoai": "Khoai", "ngoaif": "Ngoài",
			"thuowr": "Thuở", "thuowngf": "Thường", "dduwowngf": "Đường",
			"dduongwf": "Đường", "nuowcs": "Nước", "ww": "W", "www": "Ww", "ooo": "Oo",
			"eee": "Ee",
			"uww": "Uw", "offf": "Off", "asss": "Ass",
			"ddoongf": "Đồng", "nguwowif": "Người", "khuya": "Khuya", "ngoeor": "Ngoẻo", "gif": "Gì",
			"giengs": "Giéng",
			"quowr":  "Quở", "huow": "Huơ", "huou": "Huou",
			"khuowngr": "Khưởng", "thuyeenf": "Thuyền", "aasm": "Ấm", "aws": "Ắ", "uowf": "Ườ",
			"loan": "Loan", "tuwf": "Từ", "muwowif": "Mười", "cuwar": "Cửa", "mia": "Mia", "miaf": "Mìa", "luaanj": "Luận", "sowr": "Sở",
			"nghieepj": "Nghiệp",
		} {
			if got := typed(keys); got != want {
				t.Errorf("%s gives %s, want %s", keys, got, want)
			}
		}
	})
	t.Run("capitals", func(t *testing.T) {
		do(t, ctx, chromedp.Navigate(k.server.URL+"/check/document")) // a field that begins no word by itself
		arrive(t, ctx, "/check/document")
		for keys, want := range map[string]string{
			"nguyeenx": "nguyễn", "dduwowngf": "đường", "w": "ư", "ww": "w", "aa": "â", "aaa": "aa", "dd": "đ", "ddd": "dd", "hoaf": "hòa",
			"ass":        "as",
			"⇧dduwowngf": "Đường", "⇧d⇧duwowngf": "Đường", "⇧w": "Ư",
			"⇧a⇧a": "Â", "⇧aas": "Ấ", "⇧oonf": "Ồn", "⇧a⇧a⇧a": "AA", "soos 12": "số 12",
			"⇧uowcs": "Ước",
		} {
			if got := typed(keys); got != want {
				t.Errorf("%s gives %s, want %s", keys, got, want)
			}
		}
		do(t, ctx, chromedp.Navigate(k.server.URL+"/check/applicant_name"))
		arrive(t, ctx, "/check/applicant_name")
		click(t, ctx, "#value")
	})
	t.Run("letters_and_tones_have_keys", func(t *testing.T) {
		for _, c := range []struct{ keys, want string }{{"đưcá", "Đức"}, {"nguyênã", "Nguyễn"},
			{"hoaà", "Hòa"}, {"anạ", "Ạn"}, {"á", "Á"},
			{"há", "Há"}, {"hả", "Hả"}} {
			if got := typed(c.keys); got != c.want {
				t.Errorf("%s gives %s, want %s", c.keys, got, c.want)
			}
		}
	})
	t.Run("erasing", func(t *testing.T) {
		if got := typed("hoaf⌫"); got != "Hò" {
			t.Errorf("%q", got)
		}
	})
	t.Run("number_pad_for_dates", func(t *testing.T) {
		do(t, ctx, chromedp.Navigate(k.server.URL+"/check/applicant_birth"))
		arrive(t, ctx, "/check/applicant_birth")
		click(t, ctx, "#value")
		if got := typed("25121950"); got != "25/12/1950" {
			t.Errorf("%q", got)
		}
		if got := typed("1/2/1950"); got != "1/2/1950" {
			t.Errorf("%q", got)
		}
		shot(t, ctx, "landscape/pad")
	})
	t.Run("typing_and_sending_by_finger", func(t *testing.T) {
		do(t, ctx, chromedp.Navigate(k.server.URL+"/check/applicant_name"))
		arrive(t, ctx, "/check/applicant_name")
		click(t, ctx, "#value")
		typed("tranaf thij binhf")
		if got := eval[string](t, ctx, `document.querySelector("#value").value`); got != "Trần Thị Bình" {
			t.Fatalf("%q", got)
		}
		click(t, ctx, ".way .go")
		left(t, ctx, "/check/applicant_name")
		do(t, ctx, chromedp.Navigate(k.server.URL+"/check"))
		arrive(t, ctx, "/check")
		if all := text(t, ctx, "main"); !strings.Contains(all, "Trần Thị Bình") {
			t.Error("the typed name is not in the form")
		}
	})
}

func specimens(t testing.TB) []specimen.Sheet {
	t.Helper()
	sheets, err := specimen.Load(os.DirFS("../../configs"), "specimens")
	if err != nil {
		t.Fatal(err)
	}
	return sheets
}

func drawn(s specimen.Sheet) simulated.Sheet {
	return simulated.Sheet{Front: drawnOnce(s.Name, func() (image.Image, error) { p, err := s.DrawFront(); return p.RGBA, err })}
}

// drawings are the pictures that were drawn, by name: drawing a page costs many times what reading it does.
var drawings sync.Map // name → func() (image.Image, error)

// drawnOnce draws the picture of that name when it is first wanted, for all tests.
func drawnOnce(name string, draw func() (image.Image, error)) func() (image.Image, error) {
	kept, _ := drawings.LoadOrStore(name, sync.OnceValues(draw))
	return kept.(func() (image.Image, error))
}

// unfit is the specimen of a worn card, of somebody born three years later than the number says.
func unfit(t testing.TB) specimen.Sheet {
	t.Helper()
	all := specimens(t)
	s := all[slices.IndexFunc(all, func(s specimen.Sheet) bool { return s.Name == "05-worn-code" })]
	card := &s.Front.Papers[0].Person
	card.Birth = card.Birth.AddDate(3, 0, 0)
	s.Name += " three years later" // another drawing
	return s
}

// wholePaper opens the paper of a question: all of it is on the screen before it is enlarged.
func wholePaper(t testing.TB, ctx context.Context) {
	t.Helper()
	for _, screen := range wardScreens {
		do(t, ctx, chromedp.EmulateViewport(screen[0], screen[1]))
		frames(t, ctx, screen)
		click(t, ctx, "[data-whole]")
		holds(t, ctx, "the whole paper", `(() => { const i = document.querySelector("#whole img"); return i.complete && i.naturalWidth > 0; })()`)
		if cut := eval[string](t, ctx, `(() => { const i = document.querySelector("#whole img").getBoundingClientRect(),
			l = document.querySelector(".loupe").getBoundingClientRect();
			return i.top < l.top - 1 || i.bottom > l.bottom + 1 || i.left < l.left - 1 || i.right > l.right + 1
				? Math.round(i.width) + "×" + Math.round(i.height) + " in " + Math.round(l.width) + "×" + Math.round(l.height) : ""; })()`); cut != "" {
			t.Errorf("at %d×%d the whole paper is cut: %s", screen[0], screen[1], cut)
		}
		click(t, ctx, "#whole [data-close]")
		shown(t, ctx, "#whole", false)
	}
}

// line is the wire between browser and daemon; cut, it refuses and drops every connection.
type line struct {
	addr, to string
	mu       sync.Mutex // guards the rest
	listener net.Listener
	open     map[net.Conn]bool
}

func newLine(t *testing.T, to string) *line {
	l := &line{addr: "127.0.0.1:0", to: to, open: map[net.Conn]bool{}}
	l.mend(t)
	t.Cleanup(l.cut)
	return l
}

func (l *line) mend(t *testing.T) {
	t.Helper()
	listener, err := net.Listen("tcp", l.addr)
	if err != nil {
		t.Fatal(err)
	}
	l.mu.Lock()
	l.listener, l.addr = listener, listener.Addr().String()
	l.mu.Unlock()
	go func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", l.to)
			if err != nil {
				_ = near.Close()
				continue
			}
			l.mu.Lock()
			l.open[near], l.open[far] = true, true
			l.mu.Unlock()
			go func() { _, _ = io.Copy(near, far); _ = near.Close() }()
			go func() { _, _ = io.Copy(far, near); _ = far.Close() }()
		}
	}()
}

func (l *line) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	_ = l.listener.Close()
	for c := range l.open {
		_ = c.Close()
	}
	clear(l.open)
}

// The way between page and daemon is cut, and comes back: nothing is lost and nobody sees an error page.
func TestNetworkCut(t *testing.T) {
	t.Parallel()
	k := newKiosk(t)
	ctx := browser(t, 1920, 1080)
	line := newLine(t, strings.TrimPrefix(k.server.URL, "http://"))
	k.server.URL = "http://" + line.addr
	toQuestion(t, ctx, k, "document")
	eval[string](t, ctx, `document.querySelector("#value").value = "Bằng lái xe"`)
	line.cut()
	click(t, ctx, ".way .go")
	shown(t, ctx, "#away", true)
	shot(t, ctx, "landscape/away")
	eval[bool](t, ctx, `window.tries = performance.getEntriesByType("resource").filter((r) => r.name.endsWith("/alive")).length, true`)
	holds(t, ctx, "more tries to reach the daemon", `performance.getEntriesByType("resource")
		.filter((r) => r.name.endsWith("/alive")).length > tries + 1`)
	if at := pathOf(ctx, t); at != "/check/document" {
		t.Fatalf("left for %s", at)
	}
	line.mend(t)
	left(t, ctx, "/check/document")
	do(t, ctx, chromedp.Navigate(k.server.URL+"/check"))
	arrive(t, ctx, "/check")
	if !strings.Contains(text(t, ctx, "main"), "Bằng lái xe") {
		t.Error("what was typed before the cut is lost")
	}
}

// axe-core 4.14 (MPL-2.0), the rules of WCAG 2.2 up to AAA and its best practices.
const axeRun = `axe.run(document, {runOnly: ["wcag2a","wcag2aa","wcag2aaa","wcag21a","wcag21aa","wcag21aaa","wcag22aa","best-practice"],
	rules: {"color-contrast-enhanced": {enabled: true}, "target-size": {enabled: true}}})
	.then((r) => r.passes.length < 15 ? ["axe checked only " + r.passes.length + " rules"] :
		r.violations.map((v) => v.id + ": " + v.help + " " + v.nodes.slice(0, 3)
			.map((n) => n.html.slice(0, 160) + " " + (n.any[0]?.message || "")).join(" | ")))`

func axe(t testing.TB, ctx context.Context, page string) {
	t.Helper()
	source, err := os.ReadFile("testdata/axe.min.js")
	if err != nil {
		t.Fatal(err)
	}
	eval[bool](t, ctx, string(source)+";true")
	found, err := chromedp.Run(ctx, chromedp.Evaluate[[]string](axeRun, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range found {
		t.Errorf("%s: %s", page, v)
	}
}

// small lists what a finger has to hit and is under 60 px.
const small = `[...document.querySelectorAll("a[href], button, summary, .choice, " +
	"input:not([type=hidden]):not([type=file]):not([type=radio]):not([type=checkbox]), textarea")]
	.filter((e) => e.checkVisibility({visibilityProperty: true}) && !e.classList.contains("skip"))
	.map((e) => [e, e.getBoundingClientRect()]).filter(([e, r]) => r.height < 60 || r.width < 60)
	.map(([e, r]) => e.outerHTML.slice(0, 90) + " " + Math.round(r.width) + "x" + Math.round(r.height))`

// accessible checks the page that is open: for axe, for a screen reader's order, and for fingers.
func accessible(t testing.TB, ctx context.Context, page string) {
	t.Helper()
	axe(t, ctx, page)
	inOrder(t, ctx, page)
	for _, s := range eval[[]string](t, ctx, small) {
		t.Errorf("%s: too small for a finger: %s", page, s)
	}
	// A page that has just come is laid out in steps: it must come to rest no wider than the screen.
	holds(t, ctx, page+" to be no wider than the screen", `document.documentElement.scrollWidth <= innerWidth`)
}

// The pages that are not on the way that TestCitizen goes.
func TestEveryPageIsAccessible(t *testing.T) {
	t.Parallel()
	k := newKiosk(t)
	ctx := browser(t, 1080, 1920)
	look := func(page string) { accessible(t, ctx, page) }
	for _, page := range []string{"help", "status"} {
		do(t, ctx, chromedp.Navigate(k.server.URL+"/"+page))
		look(page)
	}
	for _, size := range []string{"l", "xl"} {
		eval[bool](t, ctx, `document.querySelector('[name=size]').click(), true`)
		holds(t, ctx, "text of size "+size, `document.documentElement.dataset.size === "`+size+`"`)
		look("status-" + size)
	}
}

// Read aloud by espeak-ng (Debian package espeak-ng), since Chromium on a kiosk has no voice of its own.
func TestReadAloud(t *testing.T) {
	t.Parallel()
	k := newKiosk(t)
	h := k.hand(t).get("/").want(200, "/")
	h.post("/speak", "text", "Nộp hồ sơ tại đây").want(200, "/speak")
	if !strings.HasPrefix(h.body, "RIFF") || len(h.body) < 10_000 {
		t.Fatalf("%d bytes are no speech", len(h.body))
	}
	h.post("/speak", "text", strings.Repeat("a", citizen.LongestSpeech+1)).want(404, "/speak")
	ctx := browser(t, 1920, 1080)
	do(t, ctx, chromedp.Navigate(k.server.URL+"/"))
	click(t, ctx, "[data-aloud]")
	holds(t, ctx, "speech after a press on the button", `performance.getEntriesByType("resource")
		.some((r) => r.name.endsWith("/speak") && r.responseStatus === 200)`)
}

// A worn card whose number does not fit the birth date, so that recognition has to doubt it however well
// it reads: what is doubted stands first, marked, and is asked one by one with the piece of the card beside it; only
// then can the form be sent.
func TestDoubtfulValuesAreAskedOneByOne(t *testing.T) {
	t.Parallel()
	k := newKiosk(t)
	k.scanner = simulated.New([]simulated.Sheet{drawn(unfit(t))}, simulated.Options{LinesPerSecond: -1})
	ctx := browser(t, 1920, 1080)
	toQuestion(t, ctx, k, "")
	pastPapers(t, ctx, func(string) {})
	shot(t, ctx, "landscape/doubt")
	open := eval[int](t, ctx, `document.querySelectorAll(".row.open").length`)
	if open == 0 {
		t.Fatal("nothing on a worn card is doubted")
	}
	if first := eval[bool](t, ctx, `document.querySelector("main section").classList.contains("doubtful")`); !first {
		t.Error("doubtful values do not stand first")
	}
	do(t, ctx, chromedp.Navigate(k.server.URL+"/confirm"))
	arrive(t, ctx, "/check") // not before they were looked at
	press(t, ctx, ".way .go", "/check/")
	shot(t, ctx, "landscape/question")
	axe(t, ctx, "question")
	wholePaper(t, ctx)
	for n := 1; strings.HasPrefix(pathOf(ctx, t), "/check/"); n++ {
		if n > open {
			t.Fatalf("more questions than the %d that were open", open)
		}
		answerByHand(t, ctx)
	}
	press(t, ctx, ".way .go", "/confirm")
}
