package web

import (
	"archive/zip"
	"context"
	"crypto"
	"crypto/x509"
	"encoding/json"
	"io"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"motcua/agent/counter"
	"motcua/agent/dossier"
	"motcua/agent/draft"
	"motcua/agent/ecopy"
	"motcua/agent/sign"
	"motcua/agent/staff/stafftest"
	"motcua/agent/web/screen"
	"motcua/ocr"
	"motcua/ocr/pdfa"
	"motcua/queue"
)

const (
	officerPIN = "714283"
	tokenPIN   = "4711"
)

// token is the officer's: a key in memory behind a PIN, which can be pulled out.
type token struct {
	*sign.Trial
	left   int // signatures until it is pulled out; below 0: it stays
	opened int
}

func (k *token) Sign(digest []byte, hash crypto.Hash) ([]byte, error) {
	if k.left == 0 {
		return nil, &sign.Error{Failure: sign.NoToken, Text: "pulled out"}
	}
	k.left--
	return k.Trial.Sign(digest, hash)
}

func (k *token) open(_ context.Context, pin string, mark sign.Mark) (*sign.Signer, func(), error) {
	if pin != tokenPIN {
		return nil, nil, &sign.Error{Failure: sign.WrongPIN, Text: "wrong"}
	}
	k.opened++
	mark.Organisation = "UBND PHƯỜNG MẪU"
	return &sign.Signer{Key: k, Now: time.Now, Mark: mark}, func() {}, nil
}

// withOfficer gives a kiosk at which officer hoa signs.
func withOfficer(t testing.TB, k *token) func(*screen.Options) {
	t.Helper()
	return withOfficerIn(t, t.TempDir(), k)
}

func withOfficerIn(t testing.TB, dir string, k *token) func(*screen.Options) {
	t.Helper()
	register, err := sign.OpenRegister(filepath.Join(dir, "certified"), "SCT/BS", "")
	if err != nil {
		t.Fatal(err)
	}
	roster := stafftest.Open(t, volunteerLan, technicianMinh, officerHoa)
	return func(o *screen.Options) {
		o.Console.Roster = roster
		o.Copies = counter.Copier{Reader: o.Reader.(*ocr.Reader), Options: ecopy.Options{Level: pdfa.A2b, Tool: "Motcua test"}}.Copies
		o.Console.Signing = &screen.Signing{Open: k.open, Register: register}
	}
}

func newToken(t testing.TB) *token {
	t.Helper()
	trial, err := sign.NewTrial("Phường Mẫu", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return &token{Trial: trial, left: -1}
}

func (h *hand) officer() *hand {
	h.t.Helper()
	h.get("/staff")
	return h.post("/staff", "name", "hoa", "pin", officerPIN).want(200, "/officer", "Chứng thực bản sao điện tử")
}

// toConfirm walks an officer's visit to its last step, with one sheet scanned.
func (h *hand) toConfirm() *hand {
	h.t.Helper()
	h.post("/desk/new").want(200, "/choose")
	h.post("/choose/2.000815").want(200, "/consent")
	h.post("/consent", "agreed", "yes").want(200, "/scan")
	h.upload("a.png", onePixel(h.t))
	h.follow("done")
	h.fillIn()
	return h.get("/confirm").want(200, "/confirm", "/officer/compare")
}

var comparedPage = regexp.MustCompile(`name="of" value="(\w+)">` +
	`<input type="hidden" name="copy" value="(\d+)"><input type="hidden" name="page" value="(\d+)"`)

// compared finds every page to be the same as the original, and lets the visit wait for the PIN.
func (h *hand) compared() *hand {
	h.t.Helper()
	for range 20 {
		h.get("/officer/compare").want(200, "/officer/compare")
		if strings.Contains(h.body, `action="/officer/ready"`) {
			return h.post("/officer/ready").want(200, "/officer", `name="visit"`)
		}
		m := comparedPage.FindStringSubmatch(h.body)
		if m == nil {
			break
		}
		h.post("/officer/compare", "of", m[1], "copy", m[2], "page", m[3], "found", "same")
	}
	h.t.Fatal("the comparison does not end")
	return h
}

func (h *hand) waiting() (ids []string) {
	for _, m := range regexp.MustCompile(`name="visit" id="[^"]*" value="([^"]+)"`).FindAllStringSubmatch(h.body, -1) {
		ids = append(ids, m[1])
	}
	return ids
}

// parts gives the files of a submission.
func (k *kiosk) parts(t *testing.T, id string) map[string][]byte {
	t.Helper()
	c, err := k.queue.Content(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	z, err := zip.NewReader(c, c.Size())
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]byte{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if out[f.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
		r.Close()
	}
	return out
}

// certified checks a submission with signed copies and gives the numbers they have. Without a token nobody's authority is known.
func (k *kiosk) certified(t *testing.T, tok *token, id string) (numbers []string) {
	t.Helper()
	roots := x509.NewCertPool()
	if tok != nil {
		roots.AddCert(tok.Root())
	}
	parts := k.parts(t, id)
	var form dossier.Form
	for name, data := range parts {
		if strings.HasSuffix(name, "form.json") {
			if err := json.Unmarshal(data, &form); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, c := range form.Copies {
		if c.Signature == nil {
			continue
		}
		found, err := sign.Verify(partNamed(parts, c.Name), &sign.Trust{Roots: roots})
		if err != nil || len(found) != 1 || !found[0].Intact || sign.Sound(found) != (tok != nil) || c.Signature.Officer != "hoa" ||
			c.Signature.Form != "SAO Y" {
			t.Errorf("%s: %+v %v", c.Name, found, err)
		}
		numbers = append(numbers, c.Signature.Number)
	}
	return numbers
}

func partNamed(parts map[string][]byte, name string) []byte {
	for full, data := range parts {
		if strings.HasSuffix(full, name) {
			return data
		}
	}
	return nil
}

func (k *kiosk) submissions(t *testing.T) []queue.Submission {
	t.Helper()
	all, err := k.queue.List(queue.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// An officer compares the pages of two persons' copies and signs all with one PIN.
func TestOfficerSignsManyWithOnePIN(t *testing.T) {
	tok := newToken(t)
	k := newKiosk(t, withStaff(t), withDrafts(t), withOfficer(t, tok))
	h := k.hand(t).officer()
	for range 2 {
		h.toConfirm()
		h.get("/officer/compare").want(200, "/officer/compare", `src="/officer/copy/0/0"`)
		if h.get("/officer/copy/0/0"); !strings.HasPrefix(h.body, "\xff\xd8") {
			t.Error("the page of the copy is not shown")
		}
		h.compared()
	}
	ids := h.waiting()
	if len(ids) != 2 {
		t.Fatalf("%d wait", len(ids))
	}
	if h.post("/desk/next").want(200, "/choose"); len(h.get("/officer").waiting()) != 2 { // nobody else is in the line
		t.Error("what was compared is opened again as the next person's")
	}
	sent := func(pin string) *hand {
		return h.post("/officer/sign", "visit", ids[0], "visit", ids[1], "form", "SAO Y", "pin", pin)
	}
	sent("0000").want(422, "/officer", "PIN không đúng")
	if n := len(k.submissions(t)); n != 0 {
		t.Fatalf("%d were sent with a wrong PIN", n)
	}
	sent(tokenPIN).want(200, "/officer/signed", "Đã ký số và gửi 2 hồ sơ.")
	if tok.opened != 1 {
		t.Errorf("the PIN was needed %d times", tok.opened)
	}
	var numbers []string
	for _, s := range k.submissions(t) {
		if !strings.Contains(h.body, s.Code) {
			t.Error("a code is not told")
		}
		numbers = append(numbers, k.certified(t, tok, s.ID)...)
	}
	if got := strings.Join(numbers, ", "); len(numbers) != 2 || !strings.Contains(got, "1/20") || !strings.Contains(got, "2/20") {
		t.Errorf("numbers %s", got)
	}
	h.get("/officer/book").want(200, "/officer/book", k.submissions(t)[0].Code)
	h.get("/officer").want(200, "/officer", "Chưa có hồ sơ nào chờ ký")
}

// What an officer compared waits over a weekend, sealed, also while the machine is off; not for ever, and nothing else waits so long.
func TestComparedWaitsOverAWeekend(t *testing.T) {
	t.Parallel()
	now := newClock()
	k := newKiosk(t, withStaff(t), withDrafts(t), withOfficer(t, newToken(t)), func(o *screen.Options) {
		o.Clock, o.Compared = now.now, 72*time.Hour
	})
	drafts := func(want int) {
		t.Helper()
		k.site.Sweep()
		if ids, err := k.site.Options.Drafts.(*draft.Store).IDs(); err != nil || len(ids) != want {
			t.Fatalf("%v after: %d drafts, want %d, %v", now.now().Sub(newClock().now()), len(ids), want, err)
		}
	}
	k.hand(t).officer().toConfirm().compared().toConfirm() // the second is open at the screen
	now.pass(16 * time.Hour)
	drafts(2)
	now.pass(13 * time.Hour)
	drafts(1)
	for _, off := range []time.Duration{20 * time.Hour, 20 * time.Hour} { // switched on again, it does not begin anew
		now.pass(off)
		k = k.again(t)
		drafts(1)
		if ids := k.hand(t).officer().waiting(); len(ids) != 1 {
			t.Fatalf("%d wait", len(ids))
		}
	}
	now.pass(4 * time.Hour)
	drafts(0)
}

// The token is pulled out between two persons: the first is whole, the second waits unsigned and is signed later, under the
// number it had.
func TestTokenPulledOut(t *testing.T) {
	tok := newToken(t)
	k := newKiosk(t, withStaff(t), withDrafts(t), withOfficer(t, tok))
	h := k.hand(t).officer()
	for range 2 {
		h.toConfirm().compared()
	}
	ids := h.waiting()
	tok.left = 1
	h.post("/officer/sign", "visit", ids[0], "visit", ids[1], "form", "SAO Y", "pin", tokenPIN).
		want(422, "/officer", "Đã ký và gửi 1 hồ sơ rồi dừng lại", "vừa bị rút ra")
	if n := len(k.submissions(t)); n != 1 {
		t.Fatalf("%d were sent", n)
	}
	tok.left = -1
	if ids = h.waiting(); len(ids) != 1 {
		t.Fatalf("%d wait", len(ids))
	}
	h.post("/officer/sign", "visit", ids[0], "form", "SAO Y", "pin", tokenPIN).want(200, "/officer/signed")
	if numbers := k.certified(t, tok, ids[0]); len(numbers) != 1 || !strings.HasPrefix(numbers[0], "2/") {
		t.Errorf("%v", numbers)
	}
	last, err := k.queue.Get(ids[0])
	if err != nil {
		t.Fatal(err)
	}
	h.get("/receipt").want(200, "/receipt", last.Code)
}

// Nothing is signed that was not compared as it lies now, nor by anybody else.
func TestOnlyWhatWasComparedIsSigned(t *testing.T) {
	tok := newToken(t)
	k := newKiosk(t, withStaff(t), withDrafts(t), withOfficer(t, tok))
	h := k.hand(t).officer().toConfirm()
	id := k.site.Sessions.Visits()[0].Visit.ID
	h.post("/officer/ready").want(200, "/officer/compare") // nothing was looked at
	h.post("/officer/sign", "visit", id, "form", "SAO Y", "pin", tokenPIN)
	h.compared()
	// Somebody opens it and turns the sheet: what was compared is void.
	lan := k.hand(t).signIn("lan", volunteerPIN)
	lan.get("/officer").want(403, "/officer")
	lan.post("/officer/sign", "visit", id, "form", "SAO Y", "pin", tokenPIN).want(403, "/officer/sign")
	lan.post("/desk/open/" + id)
	lan.post("/papers/p1/turn")
	lan.get("/confirm").want(200, "/confirm")
	lan.post("/staff/out")
	h.get("/officer").want(200, "/officer")
	h.post("/officer/sign", "visit", id, "form", "SAO Y", "pin", tokenPIN).want(422, "/officer", "Hãy mở hồ sơ và đối chiếu lại")
	if n := len(k.submissions(t)); n != 0 {
		t.Fatalf("%d were sent", n)
	}
	h.post("/desk/open/" + id)
	h.get("/confirm")
	h.compared()
	h.post("/officer/sign", "visit", id, "form", "SAO Y", "pin", tokenPIN).want(200, "/officer/signed")
	if numbers := k.certified(t, tok, id); len(numbers) != 1 {
		t.Errorf("%v", numbers)
	}
}

// A paper that is left out is sent as it is; a visit of which nothing is signed does not wait for a PIN.
func TestPaperLeftUnsigned(t *testing.T) {
	tok := newToken(t)
	k := newKiosk(t, withStaff(t), withDrafts(t), withOfficer(t, tok))
	h := k.hand(t).officer().toConfirm()
	of := comparedPage.FindStringSubmatch(h.get("/officer/compare").body)[1]
	h.post("/officer/compare", "of", of, "copy", "0", "page", "0", "found", "leave").want(200, "/officer/compare", "Ký giấy này")
	if strings.Contains(h.body, "/officer/ready") {
		t.Error("nothing is signed, and it may wait for the PIN")
	}
	h.post("/confirm").want(200, "/receipt")
	if numbers := k.certified(t, tok, k.submissions(t)[0].ID); len(numbers) != 0 {
		t.Errorf("%v", numbers)
	}
}

// Where the kiosk is not set up for it, an officer can't even sign in.
func TestOfficerHasNoPartHere(t *testing.T) {
	k := newKiosk(t, withStaff(t), func(o *screen.Options) {
		o.Console.Roster = stafftest.Open(t, volunteerLan, technicianMinh, officerHoa)
	})
	h := k.hand(t).get("/staff")
	h.post("/staff", "name", "hoa", "pin", officerPIN).want(403, "/staff", "không dùng để ký số")
	h.get("/officer").want(404, "/officer")
}

// posts counts the forms that reach the kiosk.
func (k *kiosk) posts(t *testing.T) *atomic.Int32 {
	t.Helper()
	n := &atomic.Int32{}
	k.server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			n.Add(1)
		}
		k.site.ServeHTTP(w, r)
	})
	return n
}

// reloaded types a wrong PIN, loads the page that tells so again, and looks whether the PIN was sent again.
func reloaded(t *testing.T, ctx context.Context, posts *atomic.Int32, keys func()) {
	t.Helper()
	before := posts.Load()
	keys()
	holds(t, ctx, "that the PIN is wrong", `document.readyState === "complete" && document.querySelector("[role=alert]")`)
	do(t, ctx, chromedp.Reload())
	holds(t, ctx, "the form once more", `document.readyState === "complete" && document.querySelector("#pin") &&
		!document.querySelector("[role=alert]")`)
	if n := posts.Load() - before; n != 1 {
		t.Errorf("%s was sent %d times", pathOf(ctx, t), n)
	}
}

// A page that tells of a wrong PIN can be loaded again: that sends no PIN.
func TestPINIsSentOnce(t *testing.T) {
	t.Parallel()
	k := newKiosk(t, withStaff(t), withOfficer(t, newToken(t)))
	posts := k.posts(t)
	ctx := browser(t, 1366, 768)
	do(t, ctx, chromedp.Navigate(k.server.URL+"/staff"))
	typed := func(name, pin string) func() {
		return func() {
			do(t, ctx, chromedp.SendKeys(chromedp.CSS("#name"), name), chromedp.SendKeys(chromedp.CSS("#pin"), pin+"\r"))
		}
	}
	reloaded(t, ctx, posts, typed("minh", "111333"))
	typed("minh", techPIN)()
	arrive(t, ctx, "/console")
	do(t, ctx, chromedp.Navigate(k.server.URL+"/console/staff"))
	reloaded(t, ctx, posts, typed("la", "1"))
	h := k.hand(t).toScan("2.000815") // a citizen's screen
	h.post("/takeover", "name", "lan", "pin", "000000").want(403, "/takeover", "không đúng", `value="lan"`)
	h.get("/takeover").want(200, "/takeover")
}

// The officer's pages as they are seen, by keys.
func TestOfficer_in_the_browser(t *testing.T) {
	t.Parallel()
	k := newKiosk(t, withStaff(t), withOfficer(t, newToken(t)))
	posts := k.posts(t)
	h := k.hand(t).officer().toConfirm()
	id := k.site.Sessions.Visits()[0].Visit.ID
	h.post("/staff/out")
	ctx := browser(t, 1366, 768)
	do(t, ctx, chromedp.Navigate(k.server.URL+"/staff"), chromedp.SendKeys(chromedp.CSS("#name"), "hoa"),
		chromedp.SendKeys(chromedp.CSS("#pin"), officerPIN+"\r"))
	arrive(t, ctx, "/officer")
	eval[bool](t, ctx, `(document.querySelector("[data-press=n]").click(), true)`)
	arrive(t, ctx, "/check")
	do(t, ctx, chromedp.Navigate(k.server.URL+"/officer/compare"))
	holds(t, ctx, "the page of the copy", `document.querySelector("figure img")?.naturalWidth > 100`)
	fitsOn(t, ctx, "compare", [][2]int64{{1024, 768}, {768, 1024}}, []string{"m", "xl"})
	axe(t, ctx, "compare")
	do(t, ctx, chromedp.KeyEvent("s")) // the only page
	holds(t, ctx, "the way on", `document.querySelector("[action='/officer/ready']")`)
	do(t, ctx, chromedp.KeyEvent("k"))
	holds(t, ctx, "those that wait", `location.pathname === "/officer"`)
	fitsOn(t, ctx, "officer", [][2]int64{{1024, 768}, {768, 1024}}, []string{"m", "xl"})
	axe(t, ctx, "officer")
	reloaded(t, ctx, posts, func() { do(t, ctx, chromedp.SendKeys(chromedp.CSS("#pin"), "0000\r")) })
	do(t, ctx, chromedp.SendKeys(chromedp.CSS("#pin"), tokenPIN+"\r"))
	arrive(t, ctx, "/officer/signed")
	axe(t, ctx, "signed")
	if _, err := k.queue.Get(id); err != nil {
		t.Error(err)
	}
	do(t, ctx, chromedp.Navigate(k.server.URL+"/officer/book"))
	axe(t, ctx, "book")
}

// What an officer says of a page counts for the page that was shown, not for another that came in its place.
func TestOnlyAPageThatWasShownIsTheSame(t *testing.T) {
	k := newKiosk(t, withStaff(t), withOfficer(t, newToken(t)))
	h := k.hand(t).officer().toConfirm()
	shown := comparedPage.FindStringSubmatch(h.get("/officer/compare").body)
	h.post("/officer/compare", "of", shown[1], "copy", "7", "page", "0", "found", "same").want(200, "/officer/compare")
	if strings.Contains(h.body, "/officer/ready") {
		t.Error("a page that there is not stands for another one")
	}
	page := *h // stays as it is in another window
	h.post("/papers/p1/turn")
	h.get("/confirm").want(200, "/confirm")
	page.post("/officer/compare", "of", shown[1], "copy", shown[2], "page", shown[3], "found", "same").want(200, "/officer/compare")
	if strings.Contains(page.body, "/officer/ready") {
		t.Error("a page is the same that nobody has seen as it lies now")
	}
}

// A form that is sent twice gives the token one PIN, no PIN is none of its tries, and a visit that somebody has taken meanwhile
// is told.
func TestTokenIsAskedOnce(t *testing.T) {
	tok := newToken(t)
	k := newKiosk(t, withStaff(t), withDrafts(t), withOfficer(t, tok))
	tries, opening, open := atomic.Int32{}, make(chan bool), make(chan bool)
	answer := sync.OnceFunc(func() { close(open) })
	t.Cleanup(answer)
	k.site.Options.Console.Signing.Open = func(ctx context.Context, pin string, mark sign.Mark) (*sign.Signer, func(), error) {
		if tries.Add(1) == 1 {
			close(opening)
			<-open
		}
		return tok.open(ctx, pin, mark)
	}
	h := k.hand(t).officer()
	for range 2 {
		h.toConfirm().compared()
	}
	ids := h.waiting()
	press := func(h *hand, pin string) *hand {
		return h.post("/officer/sign", "visit", ids[0], "visit", ids[1], "form", "SAO Y", "pin", pin)
	}
	press(h, "").want(422, "/officer", "Hãy nhập PIN")
	first := *h
	done := make(chan bool)
	go func() {
		defer close(done)
		press(&first, "0000")
	}()
	<-opening
	press(h, "0000").want(409, "/officer", "Máy đang ký")
	answer()
	<-done
	first.want(422, "/officer", "PIN không đúng")
	if n := tries.Load(); n != 1 {
		t.Errorf("the token was given %d PINs", n)
	}
	lan := k.hand(t).signIn("lan", volunteerPIN)
	lan.post("/desk/open/" + ids[1])
	lan.get("/papers").want(200, "/papers")
	press(h, tokenPIN).want(422, "/officer", "Đã ký và gửi 1 hồ sơ rồi dừng lại", "đối chiếu lại")
	lan.post("/staff/out") // and leaves it at the papers
	press(h, tokenPIN).want(422, "/officer", "đối chiếu lại")
	h.post("/desk/next").want(200, "/check") // it is open to be compared again
	h.get("/confirm")
	h.compared()
	press(h, tokenPIN).want(200, "/officer/signed")
	press(h, tokenPIN).want(200, "/officer/signed") // the form is sent again
}
