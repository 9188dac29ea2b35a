package attack

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"image"
	"image/png"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"

	"motcua/agent/portal"
)

// shippedExtensions are the folders of extensions as the package lays them, by the folder here that stands for each: what the package
// makes is made for the test's daemon.
func shippedExtensions(t *testing.T, d *daemon, temp string) map[string]string {
	t.Helper()
	list, err := os.ReadFile(packaging + "nfpm.yaml")
	if err != nil {
		t.Fatal(err)
	}
	const unpacked, home = "/usr/share/chromium/extensions", "/usr/share/motcua/portal" // Debian's Chromium's, the package's
	found := map[string]string{}
	for _, m := range regexp.MustCompile(`- src: (\S+)\n\s+dst: (\S+)`).FindAllStringSubmatch(string(list), -1) {
		from, to := m[1], m[2]
		switch {
		case to == home && from == "./dist/portal":
			dir := filepath.Join(temp, "portal")
			binary, err := packer()
			if err != nil {
				t.Fatal(err)
			}
			pack := exec.Command(binary, "-o", dir, "-home", home, "-daemon", d.base)
			pack.Dir = "../.."
			if out, err := pack.CombinedOutput(); err != nil {
				t.Fatalf("pack the extension: %v %s", err, out)
			}
			found[dir] = home
		case strings.HasPrefix(to, unpacked+"/"):
			dir := filepath.Join(temp, "extensions")
			if err := os.CopyFS(filepath.Join(dir, filepath.Base(to)), os.DirFS(filepath.Join("../..", from))); err != nil {
				t.Fatal(err)
			}
			found[dir] = unpacked
		}
	}
	return found
}

// origins are the portal's and those that it leads to, among them such as the extension doesn't know by name, or may not look into.
var origins = []string{"dichvucong.gov.vn", "lienthong.dichvucong.gov.vn", "a.dvc.moc.gov.vn", "moi.dichvucong.gov.vn",
	"sso.dancuquocgia.gov.vn", "dichvucongnganhtuphap.moj.gov.vn",
	"tokhaidientu.moj.gov.vn", "dichvucongnnmt.mae.gov.vn", "dvc.moet.gov.vn", "dvc.moc.gov.vn"}

// signedIn is a page of any of the origins that leaves what a signed-in session leaves, and says what was left before.
const signedIn = `<!doctype html><title>Cổng</title><body><script>
	const held = () => [document.cookie, localStorage.who, sessionStorage.who].filter(Boolean).join();
	document.body.dataset.left = held();
	document.cookie = "session=somebody; Secure; Max-Age=3600"; localStorage.who = sessionStorage.who = "somebody";
	indexedDB.open("who").onsuccess = () => document.body.dataset.kept = held();
</script>`

// eForm is some of the ministry's form, by the web components of package portal's tests.
const eForm = `<!doctype html><title>e-form</title><body><form>
	<label>a <x-input name="HoVaTenC"></x-input></label><label>b <x-input name="NDK_HoVaTen"></x-input></label>
	<button>Gửi</button></form><script type="application/json" id="settings">{}</script><script src="/standin.js"></script>`

func nationalPortal(t *testing.T) *httptest.Server {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/standin.js":
			http.ServeFile(w, r, "../portal/testdata/standin.js")
		case strings.HasPrefix(r.URL.Path, "/e-form/"):
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_, _ = w.Write([]byte(eForm))
		default:
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_, _ = w.Write([]byte(signedIn))
		}
	}))
	t.Cleanup(server.Close)
	return server
}

// toConfirm walks a visit to its last page but one, as the pages' own forms do.
const toConfirm = `void (async () => {
	const csrf = document.querySelector('meta[name="csrf"]').content;
	const headers = { "X-CSRF-Token": csrf };
	const post = (path, more) => fetch(path, { method: "POST", body: new URLSearchParams({ csrf, ...more }), headers });
	const page = async (path) => { const a = await fetch(path); return [new URL(a.url).pathname, await a.text()]; };
	await post("/begin", { lang: "vi" });
	await post("/choose/2.000635", {});
	await post("/consent", { agreed: "yes" });
	const file = new FormData();
	file.append("csrf", csrf);
	file.append("file", new Blob([Uint8Array.from(atob("%s"), (c) => c.charCodeAt(0))], { type: "image/png" }), "a.png");
	await fetch("/upload", { method: "POST", body: file, headers: { "X-CSRF-Token": csrf } });
	for (let at; [at] = await page("/wanted"), at.startsWith("/wanted/");) await post(at, { way: "counter" });
	for (let n = 0; n < 60; n++) {
		const [at, list] = await page("/check");
		const next = at === "/check" && /href="(\/check\/[a-z_]+)" aria-label="Xem/.exec(list);
		if (!next && at === "/check") break;
		if (!next) { await new Promise((go) => setTimeout(go, 200)); continue; }
		const [, asks] = await page(next[1]);
		const radio = /type="radio" name="value" value="([^"]+)"/.exec(asks);
		await post(next[1], { value: asks.includes('data-pad="date"') ? "25/12/1950" : asks.includes('data-pad="digits"') ?
			asks.includes("12 số") ? "001150012345" : "1" : radio ? radio[1] : asks.includes('type="checkbox"') ? "yes" : "Nguyễn Thị Hoa" });
	}
	location.assign("/confirm");
})(); ""`

// onto follows the browser's one page to what it shows next.
func (s *screen) onto(what string, fits func(address string) bool) {
	s.t.Helper()
	var id target.ID
	s.wait(what, func() bool {
		targets, err := chromedp.Targets(s.ctx)
		for _, one := range targets {
			if err == nil && one.Type == "page" && fits(one.URL) {
				id = one.TargetID
			}
		}
		return id != ""
	})
	ctx, cancel := chromedp.NewContext(s.ctx, chromedp.WithTargetID(id))
	s.t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		s.t.Fatal(err)
	}
	s.ctx = ctx
	s.wait(what+" to be whole", func() bool { return s.text(`document.readyState`) == "complete" })
}

// buttonOf finds a button by its words, also in closed shadows.
func buttonOf(n *cdp.Node, words string) *cdp.Node {
	if n.NodeName == "BUTTON" && len(n.Children) > 0 && strings.Contains(n.Children[0].NodeValue, words) {
		return n
	}
	for _, list := range [][]*cdp.Node{n.Children, n.ShadowRoots} {
		for _, child := range list {
			if found := buttonOf(child, words); found != nil {
				return found
			}
		}
	}
	return nil
}

// press touches a button that the extension has drawn over a page, where the page itself can't reach.
func (s *screen) press(words string) {
	s.t.Helper()
	var x, y float64
	s.wait(words, func() bool {
		ctx, cancel := context.WithTimeout(s.ctx, patience)
		defer cancel()
		whole, pierce := int64(-1), true
		document, err := chromedp.Call(ctx, dom.GetDocument, dom.GetDocumentParams{Depth: &whole, Pierce: &pierce})
		if err != nil {
			return false
		}
		button := buttonOf(document.Root, words)
		if button == nil {
			return false
		}
		box, err := chromedp.Call(ctx, dom.GetBoxModel, dom.GetBoxModelParams{BackendNodeID: button.BackendNodeID})
		if err != nil {
			return false
		}
		x, y = (box.Model.Content[0]+box.Model.Content[2])/2, (box.Model.Content[1]+box.Model.Content[5])/2
		return true
	})
	s.run(chromedp.MouseClickXY(x, y))
}

// A form of the portal is filled on the kiosk's own screen under the policy and by the unit that are shipped: the extension is there, fills
// what the person has handed in, sends nothing, leads back to the visit, and the next person finds nothing of the one before.
func TestKioskFillsThePortal(t *testing.T) {
	t.Parallel()
	d := startWith(t, "  silence: 1h\n") // a slow machine's walk is no silence
	stand := nationalPortal(t)
	s := &screen{t: t, display: xServer(t), more: []string{"--host-resolver-rules=MAP *.gov.vn:443 " + stand.Listener.Addr().String(),
		"--ignore-certificate-errors", "--disable-features=HttpsUpgrades"}}
	temp := s.begin(d, []string{"chromium"}, "--ozone-platform=x11", "DISPLAY="+s.display)
	s.attach(d, temp)
	s.wait("the extension", func() bool {
		targets, err := chromedp.Targets(s.ctx)
		for _, one := range targets {
			if err == nil && strings.HasPrefix(one.URL, portal.Origin+"/") {
				return true
			}
		}
		return false
	})

	var paper bytes.Buffer
	if err := png.Encode(&paper, image.NewGray(image.Rect(0, 0, 400, 300))); err != nil {
		t.Fatal(err)
	}
	s.text(fmt.Sprintf(toConfirm, base64.StdEncoding.EncodeToString(paper.Bytes())))
	s.wait("the whole form", func() bool {
		return s.text(`location.pathname`) == "/confirm" && s.text(`document.readyState`) == "complete"
	})
	s.text(`document.querySelector('form[action="/confirm/portal"]').submit(); ""`)
	s.run(chromedp.WaitVisible(chromedp.CSS("#here button")))
	atPortal := func(at string) bool { return strings.HasPrefix(at, "https://dichvucong.gov.vn/") }
	s.wait("a page that takes taps", s.settled)
	s.run(chromedp.Click(chromedp.CSS("#here button:enabled")))
	s.wait("the portal to open", func() bool { return slices.ContainsFunc(s.pages(), atPortal) })
	s.onto("the portal", atPortal)
	if s.reaches(d) {
		t.Errorf("the visit's page is still open: %s", s.pages())
	}

	s.run(chromedp.Navigate("https://tokhaidientu.moj.gov.vn/e-form/x"))
	s.press("Điền tờ khai")
	s.wait("the filled form", func() bool { return s.text(`document.documentElement.dataset.motcuaFilled || ""`) == "2" })
	for _, name := range []string{"HoVaTenC", "NDK_HoVaTen"} {
		if got := s.text(`document.querySelector('x-input[name="` + name + `"] input').value`); got != "Nguyễn Thị Hoa" {
			t.Errorf("%s is %q", name, got)
		}
	}
	if sent := s.text(`JSON.stringify(window.record)`); sent != `{"submits":0,"enters":0,"attached":0}` {
		t.Errorf("something was sent: %s", sent)
	}

	left := func(host string) string {
		s.run(chromedp.Navigate("https://" + host + "/"))
		s.wait(host+" to keep something", func() bool { return strings.Count(s.text(`document.body.dataset.kept || ""`), "somebody") == 3 })
		return s.text(`document.body.dataset.left`)
	}
	for _, host := range origins {
		left(host)
	}
	left("moi.dichvucong.gov.vn")
	s.press("về máy một cửa")
	s.onto("the visit", func(at string) bool { return at == d.base+"/confirm" })
	if pages := s.pages(); len(pages) != 1 {
		t.Errorf("the portal is still open: %s", pages)
	}
	for _, host := range origins {
		if got := left(host); got != "" {
			t.Errorf("%s still knows the person before: %q", host, got)
		}
	}
}
