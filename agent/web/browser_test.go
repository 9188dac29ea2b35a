package web

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io/fs"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"motcua/agent/answer"
	"motcua/agent/chromiumtest"
	"motcua/agent/procedure"
	"motcua/agent/sign"
	"motcua/agent/web/screen"
	"motcua/configs"
	"motcua/drivers/scan"
	"motcua/drivers/simulated"
	"motcua/ocr"
	"motcua/queue"
	"motcua/queue/seal"
)

// patience bounds every wait: for a thing that a sound kiosk does at once, on a machine that has other work to do.
const patience = 10 * time.Minute

// await looks until it is so; it does not give up before patience has run out.
func await(t testing.TB, what string, so func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !so(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited for %s in vain", what)
		}
	}
}

// holds waits until a script says yes on a page that is fully there. Between two pages it cannot be asked.
func holds(t testing.TB, ctx context.Context, what, script string) {
	t.Helper()
	if err := chromiumtest.Until(ctx, script); err != nil {
		t.Fatalf("waited for %s in vain: %v", what, err)
	}
}

var update = flag.Bool("update", false, "write the screenshots anew")

// kiosk is a whole counter: real pages, real recognition, real queue, a simulated scanner with the
// specimens of the demo.
type kiosk struct {
	site    *Site
	server  *httptest.Server
	queue   *queue.Queue
	answers *answer.Store
	scanner *simulated.Scanner
	asked   atomic.Int64 // requests under way, but for streams
}

// serve answers by the site, and counts.
func (k *kiosk) serve(w http.ResponseWriter, r *http.Request) {
	if !strings.HasSuffix(r.URL.Path, "/live") {
		k.asked.Add(1)
		defer k.asked.Add(-1)
	}
	k.site.ServeHTTP(w, r)
}

// rest waits until what was asked for is done: a page may be here before what follows from it was kept.
func (k *kiosk) rest(t testing.TB) {
	t.Helper()
	await(t, "the requests to end", func() bool { return k.asked.Load() == 0 })
}

func procedures(t testing.TB) func() *procedure.Catalog {
	t.Helper()
	sub, err := fs.Sub(configs.FS, "procedures")
	if err != nil {
		t.Fatal(err)
	}
	catalog, err := procedure.Load(sub)
	if err != nil {
		t.Fatal(err)
	}
	return func() *procedure.Catalog { return catalog }
}

func newKiosk(t testing.TB, change ...func(*screen.Options)) *kiosk {
	t.Helper()
	q, _, err := queue.Open(t.Context(), t.TempDir(), queue.Options{MinFree: -1})
	if err != nil {
		t.Fatal(err)
	}
	var onGlass []simulated.Sheet
	for _, s := range specimens(t) {
		onGlass = append(onGlass, drawn(s))
	}
	dir := t.TempDir()
	answers, err := answer.OpenStore(t.Context(), dir, seal.NewFile(filepath.Join(dir, "key")), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	k := &kiosk{queue: q, answers: answers, scanner: simulated.New(onGlass, simulated.Options{LinesPerSecond: 6000})}
	o := screen.Options{
		Inquiry:    answer.NewInquiry(answers, time.Now),
		Procedures: procedures(t), Reader: recogniser(t), Queue: q,
		Scanner: func() screen.Scanner { return k.scanner }, Source: scan.Flatbed,
		Ward: "Phường Bến Nghé", Kiosk: "kiosk-1", Print: true,
		Account: screen.Account{BIN: "970436", Number: "0123456789", Name: "UBND PHUONG BEN NGHE", Bank: "Vietcombank"},
		Log:     slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelInfo})),
	}
	for _, f := range change {
		f(&o)
	}
	if k.site, err = New(o); err != nil {
		t.Fatal(err)
	}
	k.server = httptest.NewServer(http.HandlerFunc(k.serve))
	ctx, stop := context.WithCancel(context.Background())
	ran := make(chan error, 1)
	go func() { ran <- k.site.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ran; err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		k.server.Close()
		if err := q.Close(); err != nil {
			t.Error(err)
		}
	})
	return k
}

// reader is the recogniser of all kiosks: its engines take seconds to start. endReader ends it.
var (
	reader = sync.OnceValues(func() (*ocr.Reader, error) {
		r, err := ocr.New(ocr.Options{Limits: ocr.Limits{Time: patience, FileTime: patience}})
		if err == nil {
			endReader = r.Close
		}
		return r, err
	})
	endReader = func() error { return nil }
)

func recogniser(t testing.TB) *ocr.Reader {
	t.Helper()
	r, err := reader()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// browsers are those of all tests of this package, wholeBrowsers those that anything is measured in: a kiosk has the whole one.
var (
	browsers      chromiumtest.Pool
	wholeBrowsers = chromiumtest.Pool{Whole: true}
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "token-worker" { // the process that holds a token's library
		if err := sign.Serve(os.Stdin); err != nil {
			os.Exit(1)
		}
		return
	}
	code := m.Run()
	browsers.Close()
	wholeBrowsers.Close()
	if err := endReader(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, "end the recogniser:", err)
		code = 1
	}
	os.Exit(code)
}

// browser opens a window that knows nothing of any other, with a screen of that size.
func browser(t testing.TB, width, height int64) context.Context {
	t.Helper()
	return browsers.Window(t, width, height)
}

// screens of the two kinds of kiosk.
var screens = []struct {
	name          string
	width, height int64
}{
	{"landscape", 1920, 1080},
	{"portrait", 1080, 1920},
}

// shot keeps a picture of the page, small enough for the repository.
func shot(t testing.TB, ctx context.Context, name string) {
	t.Helper()
	if !*update {
		return
	}
	holds(t, ctx, "the pictures", `[...document.images].every((i) => i.complete ||
		i.loading === "lazy" && i.getBoundingClientRect().top > innerHeight)`)
	holds(t, ctx, "the page's movements to end", `document.getAnimations().every((a) => a.playState !== "running" ||
		a.effect.getComputedTiming().endTime === Infinity)`)
	data, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join("screenshots", name+".png")
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestCompression}
	if err := encoder.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	if b.Len() > 290_000 { // a scan is on it: fewer colours
		b.Reset()
		if err := encoder.Encode(&b, fewColours(img)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// fewColours is a picture in 256 colours: those most of it has are kept as they are (the page's own), the others (a scan's) by their
// neighbourhoods.
func fewColours(img image.Image) *image.Paletted {
	const own, near = 160, 4 // colours kept as they are; bits a channel that make a neighbourhood
	most := func(n map[color.RGBA]int) []color.RGBA {
		return slices.SortedFunc(maps.Keys(n), func(a, b color.RGBA) int {
			return cmp.Or(n[b]-n[a], cmp.Compare(a.R, b.R), cmp.Compare(a.G, b.G), cmp.Compare(a.B, b.B))
		})
	}
	bounds, exact, around := img.Bounds(), map[color.RGBA]int{}, map[color.RGBA]int{}
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			exact[color.RGBAModel.Convert(img.At(x, y)).(color.RGBA)]++
		}
	}
	colours := most(exact)
	kept := min(own, len(colours))
	for _, c := range colours[kept:] {
		half := uint8(1) << (7 - near)
		middle := func(v uint8) uint8 { return v>>(8-near)<<(8-near) | half }
		around[color.RGBA{R: middle(c.R), G: middle(c.G), B: middle(c.B), A: 255}] += exact[c]
	}
	var few color.Palette
	for _, c := range append(colours[:kept:kept], most(around)...)[:min(256, kept+len(around))] {
		few = append(few, c)
	}
	nearest := map[color.RGBA]uint8{}
	for c := range exact {
		nearest[c] = uint8(few.Index(c))
	}
	p := image.NewPaletted(bounds, few)
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			p.SetColorIndex(x, y, nearest[color.RGBAModel.Convert(img.At(x, y)).(color.RGBA)])
		}
	}
	return p
}

func pathOf(ctx context.Context, t testing.TB) string {
	t.Helper()
	return eval[string](t, ctx, "location.pathname")
}

// press clicks what a finger would and waits for the page it leads to.
func press(t testing.TB, ctx context.Context, selector string, to string) {
	t.Helper()
	click(t, ctx, selector)
	arrive(t, ctx, to)
}

// pastPapers goes on from the scanned papers to the form; papers that were not recognised are brought to the counter.
func pastPapers(t testing.TB, ctx context.Context, look func(string)) {
	t.Helper()
	from := pathOf(ctx, t)
	for {
		click(t, ctx, ".way .go")
		left(t, ctx, from)
		if from = pathOf(ctx, t); !strings.HasPrefix(from, "/wanted/") {
			arrive(t, ctx, "/check")
			return
		}
		look("wanted")
		eval[bool](t, ctx, `document.querySelector('[name="way"][value="counter"]').checked = true`)
	}
}

func arrive(t testing.TB, ctx context.Context, to string) {
	t.Helper()
	err := chromiumtest.Until(ctx, `location.pathname.startsWith("`+to+`")`)
	if errors.Is(err, chromiumtest.ErrNever) {
		t.Fatalf("wanted %s, still on %s: %s", to, pathOf(ctx, t), strings.Join(strings.Fields(text(t, ctx, "main")), " "))
	}
	if err != nil {
		t.Fatalf("wanted %s: %v", to, err)
	}
}

func text(t testing.TB, ctx context.Context, selector string) string {
	t.Helper()
	s, err := chromedp.Run(ctx, chromedp.Text(chromedp.CSS(selector)))
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(s)
}

func eval[T any](t testing.TB, ctx context.Context, script string) T {
	t.Helper()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](script))
	if err != nil {
		t.Fatalf("%v in %s", err, script)
	}
	return v
}

// toReceipt walks the citizen's way; look is called on every page.
func toReceipt(t testing.TB, ctx context.Context, k *kiosk, code string, look func(page string)) {
	t.Helper()
	if err := chromedp.Do(ctx, chromedp.Navigate(k.server.URL+"/")); err != nil {
		t.Fatal(err)
	}
	look("start")
	press(t, ctx, ".button.huge", "/choose")
	look("choose")
	press(t, ctx, `a[href="/choose/`+code+`"]`, "/choose/")
	look("about")
	press(t, ctx, ".way .go", "/consent")
	look("consent")
	consent(t, ctx)
	look("scan")
	press(t, ctx, "#scan .go", "/scan")
	holds(t, ctx, "a page that grows, or that has come",
		`document.querySelector(".sheet img:nth-child(8)") || location.pathname === "/papers"`)
	if pathOf(ctx, t) == "/scan" { // a busy machine may look too late
		look("scanning")
	}
	arrive(t, ctx, "/papers")
	look("papers")
	pastPapers(t, ctx, look)
	look("check")
	for range 30 {
		if !eval[bool](t, ctx, `!!document.querySelector(".doubtful")`) {
			break
		}
		press(t, ctx, ".way .go", "/check/")
		for strings.HasPrefix(pathOf(ctx, t), "/check/") {
			look("question")
			answerByHand(t, ctx)
		}
	}
	look("form")
	press(t, ctx, ".way .go", "/confirm")
	look("confirm")
	press(t, ctx, ".way .go", "/receipt")
	look("receipt")
}

// click presses a mouse's button on the middle of a thing, when the page takes it and nothing lies over it.
func click(t testing.TB, ctx context.Context, selector string) {
	t.Helper()
	settled(t, ctx)
	var at []float64
	await(t, selector+" within reach on "+pathOf(ctx, t), func() bool {
		at = eval[[]float64](t, ctx, `(() => { const c = (`+centre+`)('`+selector+`'), on = c && document.elementFromPoint(c.x, c.y);
			return on && (c.b.contains(on) || on.closest("label")?.control === c.b) ? [c.x, c.y] : []; })()`)
		return len(at) == 2
	})
	do(t, ctx, chromedp.MouseClickXY(at[0], at[1]))
}

// shown waits until a thing is on the screen, or no more.
func shown(t testing.TB, ctx context.Context, selector string, yes bool) {
	t.Helper()
	holds(t, ctx, fmt.Sprintf("%s shown: %v", selector, yes),
		fmt.Sprintf("document.querySelector(%q)?.checkVisibility() === %v", selector, yes))
}

// consent ticks and agrees.
func consent(t testing.TB, ctx context.Context) {
	t.Helper()
	click(t, ctx, `[name="agreed"]`)
	press(t, ctx, ".way .go", "/scan")
}

// answerByHand fills a question the way a person with the paper in hand would.
func answerByHand(t testing.TB, ctx context.Context) {
	t.Helper()
	script := `(() => {
		const f = document.querySelector("#value"), c = document.querySelector(".choice input");
		if (f && !f.value)
			f.value = {digits: /[Pp]hone|thoại/.test(document.querySelector("h1").textContent) ? "0912345678" : "2",
				date: "01/02/2024", name: "Trần Thị Bình"}[f.dataset.pad] || "Bằng tốt nghiệp";
		if (c && !document.querySelector(".choice input:checked")) c.checked = true;
		document.documentElement.dataset.seen = "1";
		return location.pathname;
	})()`
	before := eval[string](t, ctx, script)
	click(t, ctx, ".way .go")
	holds(t, ctx, "the next page", `!document.documentElement.dataset.seen`)
	if pathOf(ctx, t) == before {
		t.Fatalf("the answer to %s was refused: %s", before, text(t, ctx, "main"))
	}
}

// The citizen's way on both kinds of kiosk, each page of it accessible.
func TestCitizen(t *testing.T) {
	t.Parallel()
	for _, screen := range screens {
		t.Run(screen.name, func(t *testing.T) {
			k := newKiosk(t)
			ctx := browser(t, screen.width, screen.height)
			seen := map[string]bool{}
			toReceipt(t, ctx, k, "2.000815", func(page string) {
				if !seen[page] {
					shot(t, ctx, screen.name+"/"+page)
					if screen.name == "portrait" && page != "scanning" { // which changes under axe's hands
						accessible(t, ctx, page)
					}
				}
				seen[page] = true
			})
			code := text(t, ctx, ".code")
			sub, err := k.queue.Get(code)
			if err != nil {
				t.Fatalf("the code on the receipt is not in the queue: %v", err)
			}
			if sub.Labels["procedure"] != "2.000815" || sub.Labels["channel"] != "self" || len(sub.Parts) < 2 {
				t.Errorf("submission: %v, %d parts", sub.Labels, len(sub.Parts))
			}
		})
	}
}
