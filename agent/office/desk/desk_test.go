package desk

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"io"
	"log/slog"
	"math/big"
	"mime/multipart"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"filippo.io/age"
	"golang.org/x/net/websocket"

	"motcua/agent/answer"
	"motcua/agent/audit"
	"motcua/agent/office"
	"motcua/agent/sign"
	"motcua/agent/staff"
	"motcua/agent/staff/stafftest"
	"motcua/ocr"
	"motcua/ocr/paper"
	"motcua/ocr/pdfa"
	"motcua/queue/receive"
	"motcua/queue/seal"
)

const (
	officerName = "hoa"
	officerPIN  = "258036"
)

// reader makes the pages' pictures for all desks: its workers take long to start.
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

// TestMain lets the test's own program be the process that holds a token's library.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "token-worker" {
		if err := sign.Serve(os.Stdin); err != nil {
			os.Exit(1)
		}
		return
	}
	code := m.Run()
	browsers.Close()
	if err := endReader(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, "end the recogniser:", err)
		code = 1
	}
	os.Exit(code)
}

// ward is a whole desk: real store, audit log, roster and recognition's pages. Every person in it is invented.
type ward struct {
	t      testing.TB
	dir    string
	store  *office.Store
	roster *Roster
	desk   *Desk
	server *httptest.Server
}

func newWard(t testing.TB, change ...func(*Options)) *ward {
	t.Helper()
	dir := t.TempDir()
	auditLog, err := audit.Open(filepath.Join(dir, "audit"), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	store, err := office.Open(t.Context(), filepath.Join(dir, "desk"), office.Options{Vault: seal.NewFile(filepath.Join(dir, "key")),
		AuditLog: auditLog, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	officers := filepath.Join(dir, "officers.json")
	stafftest.Write(t, officers, stafftest.Member{Name: officerName, Role: staff.Officer, PIN: officerPIN})
	roster := NewRoster(officers)
	reader, err := reader()
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Store: store, Roster: roster, Preview: reader.Preview, Ward: "Phường Mẫu", Log: log}
	for _, f := range change {
		f(&o)
	}
	d, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	w := &ward{t: t, dir: dir, store: store, roster: roster, desk: d, server: httptest.NewServer(d)}
	t.Cleanup(func() {
		w.server.CloseClientConnections()
		w.server.Close()
		if err := errors.Join(store.Close(), auditLog.Close()); err != nil {
			t.Error(err)
		}
	})
	return w
}

// drawn is a page with lines of print on it.
func drawn() []byte {
	page := image.NewGray(image.Rect(0, 0, 1240, 1754))
	draw.Draw(page, page.Bounds(), image.White, image.Point{}, draw.Src)
	for line := range 30 {
		for word := range 5 {
			box := image.Rect(100+word*210, 100+line*52, 280+word*210, 118+line*52)
			draw.Draw(page, box, image.NewUniform(color.Gray{Y: 40}), image.Point{}, draw.Src)
		}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, page, nil); err != nil {
		panic(err) // memory only
	}
	return b.Bytes()
}

// scanned is a digitised copy of one page.
func scanned(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	out, err := pdfa.New(&b, pdfa.Info{Level: "2b", Title: "Bản sao", Tool: "Motcua test", Created: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	page := pdfa.Page{Width: 595, Height: 842, JPEG: drawn(), Gray: true, Pixels: [2]int{1240, 1754}, Corners: [3]paper.Point{{}, {X: 595},
		{Y: 842}}}
	if err := errors.Join(out.Add(page), out.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// file files a dossier as a kiosk sends it: a value that was read and looked at, a doubted one, a page and its copy.
func (w *ward) file(id, name string, change ...func(*receive.Receipt)) office.Dossier {
	w.t.Helper()
	form := fmt.Sprintf(`{"schema":"motcua/form/1","procedure":{"code":"2.000815",
			"name":"Chứng thực bản sao từ bản chính","level":"toàn trình"},
		"ward":"Phường Mẫu","kiosk":"kiosk-1","channel":"self","values":[
		{"id":"applicant_name","label":"Họ, chữ đệm, tên","value":%q,"source":"qr","from":"applicant.full_name","confidence":0.99,
			"looked":true,"looked_by":"citizen",
			"place":{"page":"page-0001.jpg","x":0.08,"y":0.05,"w":0.3,"h":0.02}},
		{"id":"applicant_number","label":"Số định danh cá nhân","value":"079190012345","source":"ocr","from":"applicant.number",
			"confidence":0.6,"doubts":["check-digit"],
			"place":{"page":"page-0001.jpg","x":0.08,"y":0.8,"w":0.3,"h":0.02}},
		{"id":"applicant_birth","label":"Ngày sinh","value":"1990-02-03","source":"user","confidence":0}],
		"pages":[{"name":"page-0001.jpg","media_type":"image/jpeg"}],"copies":[{"name":"copy-0001-cccd.pdf",
			"title":"Thẻ căn cước công dân"}]}`, name)
	parts := fstest.MapFS{"form.json": {Data: []byte(form)}, "page-0001.jpg": {Data: drawn()}, "copy-0001-cccd.pdf": {Data: scanned(w.t)}}
	type part struct {
		Name   string `json:"name"`
		Size   int    `json:"size"`
		SHA256 string `json:"sha256"`
	}
	var list []part
	for name, f := range parts {
		sum := sha256.Sum256(f.Data)
		list = append(list, part{name, len(f.Data), hex.EncodeToString(sum[:])})
	}
	sum := sha256.Sum256([]byte(id))
	code := strings.ToUpper(hex.EncodeToString(sum[:4]))
	code = code[:4] + "-" + code[4:]
	manifest, err := json.Marshal(map[string]any{"id": id, "code": code, "parts": list})
	if err != nil {
		w.t.Fatal(err)
	}
	parts["manifest.json"] = &fstest.MapFile{Data: manifest}
	r := receive.Receipt{ID: id, Code: code, SHA256: hex.EncodeToString(sum[:]), Kiosk: "kiosk-1", Received: time.Now().Add(-time.Hour)}
	for _, f := range change {
		f(&r)
	}
	if filed, err := w.store.File(w.t.Context(), r, parts); err != nil || !filed {
		w.t.Fatalf("filed %t, %v", filed, err)
	}
	one, err := w.store.Get(id)
	if err != nil {
		w.t.Fatal(err)
	}
	return one
}

// browser is an officer's browser without its screen.
type browser struct {
	t      testing.TB
	client *http.Client
	base   string
	csrf   string
}

func (w *ward) browser(t testing.TB) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{t: t, client: &http.Client{Jar: jar, Timeout: 2 * time.Minute}, base: w.server.URL}
}

func (w *ward) signedIn(t testing.TB) *browser {
	t.Helper()
	b := w.browser(t)
	b.get("/desk/signin")
	if _, page := b.post("/desk/signin", url.Values{"name": {officerName}, "pin": {officerPIN}}); !strings.Contains(page,
		"Danh sách hồ sơ") {
		t.Fatal("not signed in")
	}
	return b
}

var csrfField = regexp.MustCompile(`name="csrf" value="([^"]+)"`)

func (b *browser) read(r *http.Response, err error) (int, string) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	if m := csrfField.FindStringSubmatch(string(body)); m != nil {
		b.csrf = m[1]
	}
	return r.StatusCode, string(body)
}

func (b *browser) get(path string) (int, string) {
	b.t.Helper()
	return b.read(b.client.Get(b.base + path))
}

func (b *browser) post(path string, form url.Values) (int, string) {
	b.t.Helper()
	if !form.Has("csrf") {
		form.Set("csrf", b.csrf)
	}
	return b.read(b.client.PostForm(b.base+path, form))
}

// Without a sign-in nothing is seen, and nothing is changed without the token of one's own session.
func TestStrangersSeeAndChangeNothing(t *testing.T) {
	w := newWard(t)
	one := w.file("s1", "Nguyễn Thị Thử")
	stranger := w.browser(t)
	for _, path := range []string{"/desk/", "/desk/d/1", "/desk/d/1/page/page-0001.jpg", "/desk/d/1/crop/applicant_name",
		"/desk/d/1/file/form.json",
		"/desk/d/1/revision", "/desk/kiosks", "/desk/changed", "/desk/?q=thu"} {
		if _, page := stranger.get(path); !strings.Contains(page, `action="/desk/signin"`) || strings.Contains(page, "Thử") {
			t.Errorf("%s shows more than the sign-in", path)
		}
	}
	act := url.Values{"revision": {"1"}, "state": {"eligible"}}
	stranger.get("/desk/signin")
	stranger.post("/desk/d/1/act", act)
	officer := w.signedIn(t)
	act.Set("csrf", "another")
	officer.post("/desk/d/1/act", act)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.server.URL+"/desk/signin", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Host = "rebound.example"
	if status, _ := stranger.read(stranger.client.Do(request)); status != http.StatusMisdirectedRequest {
		t.Errorf("a foreign host name is answered with %d", status)
	}
	if now, err := w.store.Get(one.ID); err != nil || now.Revision != 1 {
		t.Errorf("somebody changed it: revision %d, %v", now.Revision, err)
	}
	if status, page := w.browser(t).get("/desk/signin"); status != http.StatusOK || strings.Contains(page, "chưa có cán bộ") {
		t.Error("no sign-in page")
	}
}

// The page that tells of a wrong PIN is no answer to it: it can be loaded again without the PIN being sent again.
func TestSignInIsSentOnce(t *testing.T) {
	w := newWard(t)
	b := w.browser(t)
	b.get("/desk/signin")
	b.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	if status, _ := b.post("/desk/signin", url.Values{"name": {officerName}, "pin": {"000000"}}); status != http.StatusSeeOther {
		t.Errorf("a wrong PIN is answered with %d", status)
	}
	if status, page := b.get("/desk/signin"); status != http.StatusForbidden || !strings.Contains(page, `value="`+officerName+`"`) ||
		!strings.Contains(page, `role="alert"`) {
		t.Errorf("nothing is told of a wrong PIN: %d", status)
	}
	if status, page := b.get("/desk/signin"); status != http.StatusOK || strings.Contains(page, `role="alert"`) {
		t.Errorf("loaded again: %d", status)
	}
	planted := base64.RawURLEncoding.EncodeToString([]byte(`{"Name":"x","Wrong":"signin.none"}`))
	address, err := url.Parse(w.server.URL + "/desk/")
	if err != nil {
		t.Fatal(err)
	}
	b.client.Jar.SetCookies(address, []*http.Cookie{{Name: wrongCookie, Value: planted, Path: "/desk/"}})
	if status, page := b.get("/desk/signin"); status != http.StatusOK || strings.Contains(page, `role="alert"`) {
		t.Errorf("a cookie that is not the desk's chooses the sentence: %d", status)
	}
}

// An act that was overtaken is refused, with what was typed still there; an officer taken off the roster is out at once.
func TestActsOfTwoOfficers(t *testing.T) {
	w := newWard(t)
	w.file("s1", "Nguyễn Thị Thử")
	b := w.signedIn(t)
	_, page := b.get("/desk/d/1")
	for _, want := range []string{"Nguyễn Thị Thử", "số kiểm tra không khớp", "người nộp đã xem và xác nhận",
		`id="m-applicant_number"`,
		"copy-0001-cccd.pdf"} {
		if !strings.Contains(page, want) {
			t.Errorf("the dossier's page lacks %q", want)
		}
	}
	if _, err := w.store.Act(t.Context(), "s1", office.Act{By: "lan", Revision: 1, State: answer.Eligible}); err != nil {
		t.Fatal(err)
	}
	status, page := b.post("/desk/d/1/act", url.Values{"revision": {"1"}, "state": {"refused"}, "reason": {"withdrawn"},
		"text": {"Đã rút đơn hôm qua"}})
	if status != http.StatusConflict || !strings.Contains(page, "Đã rút đơn hôm qua") ||
		!strings.Contains(page, "vừa làm hồ sơ này thay đổi") {
		t.Errorf("overtaken: %d", status)
	}
	status, page = b.post("/desk/d/1/act", url.Values{"revision": {"2"}, "state": {"needs-more"}})
	if status != http.StatusUnprocessableEntity || !strings.Contains(page, "Chọn một lý do") {
		t.Errorf("without a reason: %d", status)
	}
	status, _ = b.post("/desk/d/1/act", url.Values{"revision": {"2"}, "state": {"refused"}, "reason": {"withdrawn", "no-such"}})
	if status != http.StatusOK {
		t.Errorf("refused: %d", status)
	}
	now, err := w.store.Get("s1")
	if err != nil || now.State != answer.Refused || len(now.Reasons) != 1 || now.History[2].By != officerName {
		t.Errorf("%v, %v", now, err)
	}
	if err := w.roster.Remove(officerName); err != nil {
		t.Fatal(err)
	}
	if _, page = b.get("/desk/d/1"); !strings.Contains(page, `action="/desk/signin"`) {
		t.Error("who was taken off the roster still sees dossiers")
	}
}

func TestPagesCropsAndFiles(t *testing.T) {
	w := newWard(t)
	w.file("s1", "Nguyễn Thị Thử")
	b := w.signedIn(t)
	for path, size := range map[string]image.Point{"/desk/d/1/page/page-0001.jpg": {X: 1240, Y: 1754},
		"/desk/d/1/page/copy-0001-cccd.pdf": {}} {
		status, body := b.get(path)
		picture, _, err := image.DecodeConfig(strings.NewReader(body))
		if status != http.StatusOK || err != nil || size.X > 0 && (picture.Width != size.X || picture.Height != size.Y) {
			t.Errorf("%s: %d, %dx%d, %v", path, status, picture.Width, picture.Height, err)
		}
	}
	_, body := b.get("/desk/d/1/crop/applicant_number")
	if part, _, err := image.DecodeConfig(strings.NewReader(body)); err != nil || part.Width < 350 || part.Width > 450 || part.Height > 100 {
		t.Errorf("the value's place is cut out as %dx%d, %v", part.Width, part.Height, err)
	}
	if status, _ := b.get("/desk/d/1/crop/applicant_birth"); status != http.StatusNotFound {
		t.Error("a value without a place has a picture")
	}
	if status, body := b.get("/desk/d/1/file/copy-0001-cccd.pdf"); status != http.StatusOK || !strings.HasPrefix(body, "%PDF-") {
		t.Errorf("download: %d", status)
	}
	for _, path := range []string{"/desk/d/2", "/desk/d/x", "/desk/d/1/file/..%2f..%2fkey", "/desk/d/1/page/none.jpg"} {
		if status, _ := b.get(path); status != http.StatusNotFound && status != http.StatusBadRequest {
			t.Errorf("%s: %d", path, status)
		}
	}
	status, body := b.post("/desk/export", url.Values{"day": {time.Now().Format(time.DateOnly)}})
	if status != http.StatusOK || !strings.HasPrefix(body, "PK") {
		t.Errorf("export: %d", status)
	}
}

// A result is attached and reaches the answer; what is no PDF does not.
func TestResult(t *testing.T) {
	w := newWard(t)
	one := w.file("s1", "Nguyễn Thị Thử")
	b := w.signedIn(t)
	give := func(content []byte, revision string) int {
		var body bytes.Buffer
		form := multipart.NewWriter(&body)
		for k, v := range map[string]string{"csrf": b.csrf, "revision": revision} {
			if err := form.WriteField(k, v); err != nil {
				t.Fatal(err)
			}
		}
		file, err := form.CreateFormFile("file", "trich luc.pdf")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := file.Write(content); err != nil || form.Close() != nil {
			t.Fatal(err)
		}
		status, _ := b.read(b.client.Post(w.server.URL+"/desk/d/1/result", form.FormDataContentType(), &body))
		return status
	}
	if status := give([]byte("<html>"), "1"); status != http.StatusUnprocessableEntity {
		t.Errorf("no PDF: %d", status)
	}
	if status := give(scanned(t), "1"); status != http.StatusOK {
		t.Fatalf("attach: %d", status)
	}
	b.post("/desk/d/1/act", url.Values{"revision": {"2"}, "state": {"done"}})
	list, err := w.store.Answers(t.Context(), 0, 9)
	if err != nil || len(list) != 1 || list[0].Result == nil || list[0].Result.Name != resultName || list[0].Submission != one.ID {
		t.Errorf("the answer: %v, %v", list, err)
	}
}

// authority issues certificates. All of it is invented.
type authority struct {
	t    testing.TB
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
}

func newAuthority(t testing.TB) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	a := &authority{t: t, key: key}
	a.cert = a.issue("CA thử nghiệm", key.Public(), func(c *x509.Certificate) { c.IsCA, c.KeyUsage = true, x509.KeyUsageCertSign })
	return a
}

func (a *authority) issue(name string, public crypto.PublicKey, change func(*x509.Certificate)) *x509.Certificate {
	a.t.Helper()
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<60))
	if err != nil {
		a.t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: serial, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		Subject:               pkix.Name{CommonName: name},
		BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment}
	change(c)
	parent := a.cert
	if parent == nil {
		parent = c
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, public, a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	out, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return out
}

func (a *authority) pool() *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(a.cert)
	return p
}

func (a *authority) client(name string) tls.Certificate {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	cert := a.issue(name, key.Public(), func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} })
	return tls.Certificate{Certificate: [][]byte{cert.Raw}, PrivateKey: key}
}

// Certificates of the officers' authority let in who is on the roster; a kiosk's, of another authority, does not, whatever
// its name.
func TestSignInByCertificate(t *testing.T) {
	officers, kiosks := newAuthority(t), newAuthority(t)
	w := newWard(t, func(o *Options) { o.Officers = officers.pool() })
	server := httptest.NewUnstartedServer(w.desk)
	both := x509.NewCertPool()
	both.AddCert(officers.cert)
	both.AddCert(kiosks.cert)
	server.TLS = &tls.Config{ClientAuth: tls.VerifyClientCertIfGiven, ClientCAs: both}
	server.StartTLS()
	defer server.Close()
	for name, c := range map[string]struct {
		cert tls.Certificate
		in   bool
	}{
		"an officer's":              {officers.client(officerName), true},
		"one who left":              {officers.client("lan"), false},
		"a kiosk named as one":      {kiosks.client(officerName), false},
		"a browser that shows none": {tls.Certificate{}, false},
	} {
		b := w.browser(t)
		conf := &tls.Config{RootCAs: x509.NewCertPool()}
		conf.RootCAs.AddCert(server.Certificate())
		if c.cert.PrivateKey != nil {
			conf.Certificates = []tls.Certificate{c.cert}
		}
		b.client.Transport, b.base = &http.Transport{TLSClientConfig: conf}, server.URL
		_, page := b.get("/desk/")
		if in := strings.Contains(page, "Danh sách hồ sơ"); in != c.in {
			t.Errorf("%s: let in %t", name, in)
		}
	}
}

// The button takes a kiosk's credential away while it is sending: it is refused within a second, and another one goes on.
func TestRevokedKioskIsRefusedAtOnce(t *testing.T) {
	list := filepath.Join(t.TempDir(), "kiosks")
	if err := os.WriteFile(list, []byte("kiosk-1 0123456789abcdef1\nkiosk-2 0123456789abcdef2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	kiosks, err := receive.OpenKiosks(list)
	if err != nil {
		t.Fatal(err)
	}
	w := newWard(t, func(o *Options) { o.Kiosks = kiosks })
	receiver, err := receive.New(receive.Options{Dir: t.TempDir(), Kiosks: kiosks, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer receiver.Close()
	hub := httptest.NewServer(receiver)
	defer hub.Close()
	ask := func(token string) int {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodOptions, hub.URL+receive.Path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+token)
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		return answer.StatusCode
	}
	sending := newSending(t, hub.URL, "0123456789abcdef1")
	if ask("0123456789abcdef1") != http.StatusNoContent {
		t.Fatal("the kiosk is not let in")
	}
	b := w.signedIn(t)
	if _, page := b.get("/desk/kiosks?ask=kiosk-1"); !strings.Contains(page, "Thu hồi ngay") {
		t.Error("nobody is asked first")
	}
	b.post("/desk/kiosks", url.Values{"kiosk": {"kiosk-1"}})
	begun := time.Now()
	if one, other := ask("0123456789abcdef1"), ask("0123456789abcdef2"); one != http.StatusUnauthorized || other != http.StatusNoContent {
		t.Errorf("after the button: %d, the other %d", one, other)
	}
	t.Logf("refused %v after the button's answer", time.Since(begun).Round(time.Millisecond))
	took := sending.cutOff(t)
	t.Logf("what it was sending was cut off after %v", took.Round(time.Millisecond))
	if took > 10*time.Second { // a second on a machine that has nothing else to do
		t.Errorf("it took %v", took)
	}
	if _, page := b.get("/desk/kiosks"); !strings.Contains(page, "Cho máy hoạt động lại") {
		t.Error("it can't be let in again")
	}
	b.post("/desk/kiosks", url.Values{"kiosk": {"kiosk-1"}, "act": {"allow"}})
	if one := ask("0123456789abcdef1"); one != http.StatusNoContent {
		t.Errorf("let in again: %d", one)
	}
}

// A revoking that came as far as the answers, and not to the list, is no revoking: the page says that the kiosk may still send, and
// has the button for the rest.
func TestRevokedByHalf(t *testing.T) {
	list := filepath.Join(t.TempDir(), "kiosks")
	if err := os.WriteFile(list, []byte("kiosk-1 0123456789abcdef1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	kiosks, err := receive.OpenKiosks(list)
	if err != nil {
		t.Fatal(err)
	}
	w := newWard(t, func(o *Options) { o.Kiosks = kiosks })
	b := w.signedIn(t)
	inTheWay := filepath.Join(list+".part", "folder")
	if err := os.MkdirAll(inTheWay, 0o700); err != nil {
		t.Fatal(err)
	}
	b.post("/desk/kiosks", url.Values{"kiosk": {"kiosk-1"}})
	_, page := b.get("/desk/kiosks")
	if !strings.Contains(page, "vẫn gửi được") || !strings.Contains(page, "?ask=kiosk-1") {
		t.Errorf("the page does not say that the kiosk may still send, or can't revoke it:\n%s", page)
	}
	if err := os.RemoveAll(list + ".part"); err != nil {
		t.Fatal(err)
	}
	b.post("/desk/kiosks", url.Values{"kiosk": {"kiosk-1"}})
	if _, page := b.get("/desk/kiosks"); strings.Contains(page, "vẫn gửi được") || strings.Contains(page, "?ask=kiosk-1") {
		t.Errorf("revoked:\n%s", page)
	}
	if names, err := kiosks.Names(); err != nil || len(names) != 0 {
		t.Errorf("still in the list: %v, %v", names, err)
	}
}

// Another key that came with a kiosk's credential is shown to the officers, and is sealed to once one allows it.
func TestAnotherKeyOfAKiosk(t *testing.T) {
	w := newWard(t)
	b := w.signedIn(t)
	if status, _ := b.get("/desk/kiosks"); status != http.StatusNotFound {
		t.Errorf("without any kiosk: %d", status)
	}
	keys := []string{"age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p", newRecipient(t), newRecipient(t)}
	for _, key := range keys[:2] {
		w.store.Enrol(t.Context(), "kiosk-1", key) // the second is refused
	}
	_, page := b.get("/desk/kiosks")
	for _, want := range []string{answer.Fingerprint(keys[0]), "Cho dùng khóa " + answer.Fingerprint(keys[1])} {
		if !strings.Contains(page, want) {
			t.Errorf("not on the page: %s", want)
		}
	}
	w.store.Enrol(t.Context(), "kiosk-1", keys[2]) // while the officer looks
	if status, _ := b.post("/desk/kiosks", url.Values{"kiosk": {"kiosk-1"}, "act": {"allow"},
		"key": {keys[1]}}); status != http.StatusConflict {
		t.Errorf("a key that is not the one shown last was allowed: %d", status)
	}
	b.get("/desk/kiosks")
	b.post("/desk/kiosks", url.Values{"kiosk": {"kiosk-1"}, "act": {"allow"}, "key": {keys[2]}})
	if err := w.store.Enrol(t.Context(), "kiosk-1", keys[2]); err != nil {
		t.Error(err)
	}
}

// The ward's figures by week: what came, what officers answered, how long it took; as a page and as CSV.
func TestFigures(t *testing.T) {
	monday := time.Date(2026, 11, 2, 0, 0, 0, 0, time.Local)
	now := monday.AddDate(0, 0, 18)
	w := newWard(t, func(o *Options) { o.Now = func() time.Time { return now } })
	b := w.signedIn(t)
	for id, day := range map[string]int{"s1": 0, "s2": 1, "s3": 8} {
		w.file(id, "Lê Thị Thử", func(r *receive.Receipt) { r.Received = monday.AddDate(0, 0, day).Add(9 * time.Hour) })
	}
	for id, state := range map[string]answer.State{"s1": answer.NeedsMore, "s3": answer.Eligible} {
		if _, err := w.store.Act(t.Context(), id, office.Act{By: "lan", Revision: 1, State: state, Text: "Xem lại."}); err != nil {
			t.Fatal(err)
		}
	}
	_, page := b.get("/desk/figures")
	for _, want := range []string{"02/11–08/11/2026</th><td>2</td><td>1</td><td>1</td><td>0</td><td>0</td><td>–</td>",
		"09/11–15/11/2026</th><td>1</td><td>1</td><td>0</td>", "Cả kỳ</th><td>3</td><td>2</td>", "2.000815 Chứng thực bản sao"} {
		if !strings.Contains(page, want) {
			t.Errorf("not on the page: %s", want)
		}
	}
	status, table := b.get("/desk/figures.csv?from=2026-11-01&to=2026-11-30")
	if want := "2026-W45,2026-11-02,2026-11-08,2,1,1,0,0,,\r\n2026-W46,2026-11-09,2026-11-15,1,1,0,0,0,,\r\n"; status != http.StatusOK ||
		!strings.HasSuffix(table, want) {
		t.Errorf("%d: %q", status, table)
	}
	if status, page := b.get("/desk/figures?from=2026-11-30&to=2026-11-01"); status != http.StatusUnprocessableEntity ||
		!strings.Contains(page, "ngày đầu không sau") {
		t.Errorf("days that can't be: %d", status)
	}
}

// A code that was another dossier's is said wherever it leads.
func TestCodeOfTwoDossiers(t *testing.T) {
	w := newWard(t)
	b := w.signedIn(t)
	first := w.file("s1", "Lê Thị Thử")
	w.file("s2", "Trần Văn Thử", func(r *receive.Receipt) { r.Code = first.Code })
	for path, want := range map[string]string{
		"/desk/?q=" + first.Code: "Trùng mã với hồ sơ số 2", "/desk/?q=s2": "Trùng mã với hồ sơ số 1",
		"/desk/d/1": `<a href="/desk/d/2">2</a>`,
		"/desk/d/2": `<a href="/desk/d/1">1</a>`,
	} {
		if _, page := b.get(path); !strings.Contains(page, want) {
			t.Errorf("%s does not say %q", path, want)
		}
	}
}

func newRecipient(t *testing.T) string {
	t.Helper()
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	return id.Recipient().String()
}

// However many strangers ask, an officer's form keeps its token, and nobody who is signed in is turned out.
func TestStrangersPushNobodyOut(t *testing.T) {
	w := newWard(t)
	in := w.signedIn(t)
	b := w.browser(t)
	b.get("/desk/signin")
	csrf := b.csrf
	for range 600 {
		stranger := w.browser(t)
		stranger.get("/desk/signin")
		if stranger.csrf == csrf {
			t.Fatal("two browsers have one token")
		}
	}
	if n := len(w.desk.sessions.all); n != 1 {
		t.Errorf("%d sessions are kept", n)
	}
	if status, _ := b.post("/desk/signin", url.Values{"name": {officerName}, "pin": {officerPIN}}); status != http.StatusOK {
		t.Errorf("signing in after the strangers: %d", status)
	}
	for _, one := range []*browser{in, b} {
		if _, page := one.get("/desk/"); !strings.Contains(page, "/desk/out") {
			t.Error("an officer was turned out")
		}
	}
	// A token of one cookie is worth nothing with another.
	thief := w.browser(t)
	thief.get("/desk/signin")
	thief.csrf = csrf
	if _, page := thief.post("/desk/language", url.Values{"lang": {"en"}}); strings.Contains(page, "Tiếng Việt") {
		t.Error("a token of another browser was taken")
	}
}

// sending is a kiosk in the middle of an upload.
type sending struct {
	more  *io.PipeWriter
	ended chan struct{}
}

func newSending(t *testing.T, hub, token string) *sending {
	t.Helper()
	body, more := io.Pipe()
	s := &sending{more, make(chan struct{})}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, hub+receive.Path, body)
	if err != nil {
		t.Fatal(err)
	}
	const size = 100 << 20
	r.ContentLength = -1
	meta := "submission czE=,sha256 " + "ZTNiMGM0NDI5OGZjMWMxNDlhZmJmNGM4OTk2ZmI5MjQyN2FlNDFlNDY0OWI5MzRjYTQ5NTk5MWI3ODUyYjg1NQ=="
	for k, v := range map[string]string{"Authorization": "Bearer " + token, "Tus-Resumable": "1.0.0", "Upload-Length": fmt.Sprint(size),
		"Upload-Metadata": meta, "Content-Type": "application/offset+octet-stream"} {
		r.Header.Set(k, v)
	}
	go func() {
		defer close(s.ended)
		if answer, err := http.DefaultClient.Do(r); err == nil {
			answer.Body.Close()
		}
		more.CloseWithError(io.ErrClosedPipe)
	}()
	if _, err := more.Write(make([]byte, 1<<16)); err != nil {
		t.Fatal(err)
	}
	return s
}

// cutOff goes on sending until the receiver ends it, and says how long that took.
func (s *sending) cutOff(t *testing.T) time.Duration {
	t.Helper()
	begun := time.Now()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for end := time.After(2 * time.Minute); ; {
		select {
		case <-s.ended:
			return time.Since(begun)
		case <-end:
			t.Fatal("a revoked kiosk may go on with what it was sending")
		case <-tick.C:
			_, _ = s.more.Write(make([]byte, 1024)) // ends when the answer has come
		}
	}
}

// softKey signs as a token in an officer's PC does.
type softKey struct {
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
}

func (k softKey) Certificate() *x509.Certificate { return k.cert }
func (softKey) Chain() []*x509.Certificate       { return nil }
func (k softKey) Sign(digest []byte, hash crypto.Hash) ([]byte, error) {
	return k.key.Sign(rand.Reader, digest, hash)
}

// standIn behaves as the government's signer is described: it takes a request by a WebSocket within TLS, fetches the file,
// signs it and posts it back. It can't show how the real one looks, which versions of its protocol are out there, or what it
// sends over the socket at the end.
type standIn struct {
	t      testing.TB
	signer *sign.Signer
	spoil  func([]byte) []byte
	socket *httptest.Server
	got    chan reply
}

func newStandIn(t testing.TB, a *authority) *standIn {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	cert := a.issue("Nguyễn Thị Cán Bộ", key.Public(), func(*x509.Certificate) {})
	s := &standIn{t: t, signer: &sign.Signer{Key: softKey{key, cert}, Now: time.Now}, got: make(chan reply, 9)}
	mux := http.NewServeMux()
	for _, path := range []string{signCopy, signApproved} {
		mux.Handle(path, websocket.Server{Handler: s.serve}) // a browser's origin is the desk
	}
	s.socket = httptest.NewTLSServer(mux)
	t.Cleanup(s.socket.Close)
	return s
}

func (s *standIn) address() string { return "wss" + strings.TrimPrefix(s.socket.URL, "https") }

func (s *standIn) serve(c *websocket.Conn) {
	var asked request
	if err := websocket.JSON.Receive(c, &asked); err != nil {
		return
	}
	r, err := s.do(asked)
	if err != nil {
		r = reply{Status: 1, Message: err.Error()}
	}
	s.got <- r
	_ = websocket.JSON.Send(c, r)
}

// do fetches, signs and gives back.
func (s *standIn) do(asked request) (r reply, err error) {
	file, err := http.Get(asked.FileName)
	if err != nil {
		return r, err
	}
	defer file.Body.Close()
	pdf, err := io.ReadAll(file.Body)
	if err != nil || file.StatusCode != http.StatusOK {
		return r, fmt.Errorf("fetch: %s, %w", file.Status, err)
	}
	var out bytes.Buffer
	if err := s.signer.Sign(s.t.Context(), pdf, &out); err != nil {
		return r, err
	}
	signed := out.Bytes()
	if s.spoil != nil {
		signed = s.spoil(signed)
	}
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormFile(uploadField, "signed.pdf")
	if err != nil {
		return r, err
	}
	if _, err := part.Write(signed); err != nil || form.Close() != nil {
		return r, err
	}
	answer, err := http.Post(asked.FileUploadHandler, form.FormDataContentType(), &body)
	if err != nil {
		return r, err
	}
	defer answer.Body.Close()
	return r, json.NewDecoder(answer.Body).Decode(&r)
}

// asked gets from the desk what its page would send to the signer.
func asked(t testing.TB, b *browser, file, revision string) (way string, r request, status int) {
	t.Helper()
	status, body := b.post("/desk/d/1/ticket", url.Values{"file": {file}, "revision": {revision}})
	if status != http.StatusOK {
		return "", r, status
	}
	var both struct {
		Socket  string
		Request request
	}
	if err := json.Unmarshal([]byte(body), &both); err != nil {
		t.Fatal(err)
	}
	return both.Socket, both.Request, status
}

// What the signer on the officer's PC gives back is kept only if it is the very file, signed and whole; a ticket is good once.
func TestSignerOnTheOfficersPC(t *testing.T) {
	s := newStandIn(t, newAuthority(t))
	w := newWard(t, func(o *Options) { o.Signer = s.address() })
	w.file("s1", "Nguyễn Thị Thử")
	b := w.signedIn(t)
	const name = "copy-0001-cccd.pdf"
	way, request, _ := asked(t, b, name, "1")
	if way != s.address()+signCopy {
		t.Errorf("a copy is signed at %s", way)
	}
	for what, spoil := range map[string]func([]byte) []byte{
		"another file":    func(signed []byte) []byte { return append([]byte("%PDF-1.4\n"), signed...) },
		"one byte less":   func(signed []byte) []byte { return signed[:len(signed)-1] },
		"a changed byte":  func(signed []byte) []byte { signed[200] ^= 1; return signed },
		"not signed":      func([]byte) []byte { return scanned(t) },
		"added to later":  func(signed []byte) []byte { return append(signed, "\n% more\n"...) },
		"something empty": func([]byte) []byte { return nil },
	} {
		s.spoil = spoil
		if r, err := s.do(request); err != nil || r.Status == 0 {
			t.Errorf("%s was taken: %+v, %v", what, r, err)
		}
	}
	s.spoil = nil
	if r, err := s.do(request); err != nil || r.Status != 0 || r.FileName != "copy-0001-cccd-da-ky.pdf" {
		t.Fatalf("the signed file: %+v, %v", r, err)
	}
	if _, err := s.do(request); err == nil {
		t.Error("a ticket was good twice")
	}
	if _, _, status := asked(t, b, name, "1"); status != http.StatusConflict {
		t.Errorf("a page that was overtaken got a ticket: %d", status)
	}
	one, err := w.store.Get("s1")
	if err != nil {
		t.Fatal(err)
	}
	f, ok := one.File("copy-0001-cccd-da-ky.pdf")
	if !ok || f.Of != name || f.By != officerName {
		t.Errorf("kept as %+v", f)
	}
}

// An officer who is taken off the roster while a file waits for a signature gets and gives nothing by that ticket.
func TestTicketsEndWithTheirOfficer(t *testing.T) {
	s := newStandIn(t, newAuthority(t))
	w := newWard(t, func(o *Options) { o.Signer = s.address() })
	w.file("s1", "Nguyễn Thị Thử")
	_, request, _ := asked(t, w.signedIn(t), "copy-0001-cccd.pdf", "1")
	if err := w.roster.Remove(officerName); err != nil {
		t.Fatal(err)
	}
	if r, err := s.do(request); err == nil && r.Status == 0 {
		t.Errorf("the signed file was taken: %+v", r)
	}
	if one, err := w.store.Get("s1"); err != nil || one.Revision != 1 {
		t.Errorf("revision %d, %v", one.Revision, err)
	}
}

// Signs that can't be seen, or that turn the direction of writing, are shown as what they are: a hostile kiosk may send them.
func TestOddSignsAreShown(t *testing.T) {
	w := newWard(t)
	w.file("s1", "\u202eThử Thị \u200bMẫu") // the line and the dossier's head are of the record
	b := w.signedIn(t)
	for _, path := range []string{"/desk/", "/desk/d/1"} {
		if _, page := b.get(path); strings.ContainsAny(page, "\u202e\u200b") {
			t.Errorf("%s shows signs that nobody sees", path)
		}
	}
	var f form
	if err := json.Unmarshal([]byte(`{"Values":[{"ID":"a","Label":"Tên","Value":"A\u202eB\u200bC\u0007D","Old":"\u2066x"}],
		"Pages":[{"Name":"p","From":"\u202e"}],`+
		`"papers_not_scanned":[{"Name":"\u202e"}],"copies":[{"Title":"\u202e"}],"Operator":"\u202e","copy_fault":"\u202e"}`), &f); err != nil {
		t.Fatal(err)
	}
	f.show()
	said := fmt.Sprintf("%+v", f)
	if strings.ContainsAny(said, "\u202e\u200b\u0007\u2066") || f.Values[0].Value != "A\ufffdB\ufffdC\ufffdD" || f.Values[0].Label != "Tên" {
		t.Errorf("%q", said)
	}
	if got := visible("hai dòng\ncó\ttab, Kie\u0302\u0300u"); got != "hai dòng\ncó\ttab, Kie\u0302\u0300u" {
		t.Errorf("%q", got)
	}
}

// The token in the desk's machine signs many files with one PIN; SoftHSM stands for it. A wrong PIN is told.
func TestSignByTheDesksToken(t *testing.T) {
	const module, pin = "/usr/lib/softhsm/libsofthsm2.so", "4711"
	dir := t.TempDir()
	conf := filepath.Join(dir, "softhsm2.conf")
	settings := "directories.tokendir = " + dir + "\nobjectstore.backend = file\nlog.level = ERROR\n"
	if err := os.WriteFile(conf, []byte(settings), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SOFTHSM2_CONF", conf)
	run := func(argv ...string) {
		t.Helper()
		if out, err := exec.CommandContext(t.Context(), argv[0], argv[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v: %s", argv[0], err, out)
		}
	}
	a := newAuthority(t)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name string, data []byte) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	run("softhsm2-util", "--init-token", "--free", "--label", "officer", "--so-pin", "0000", "--pin", pin)
	run("softhsm2-util", "--import", write("key.pem", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), "--token",
		"officer", "--label", "sign", "--id", "01", "--pin", pin)
	cert := a.issue("Ủy ban nhân dân phường Mẫu", key.Public(), func(*x509.Certificate) {})
	run("pkcs11-tool", "--module", module, "--token-label", "officer", "--login", "--pin", pin, "--write-object",
		write("cert.der", cert.Raw), "--type", "cert", "--id", "01", "--label", "sign")

	asked := 0
	w := newWard(t, func(o *Options) {
		o.Sign = func(ctx context.Context, pin, form string) (*sign.Signer, func(), error) {
			asked++
			token, err := sign.Open(ctx, sign.TokenConfig{Module: module}, pin)
			if err != nil {
				return nil, nil, err
			}
			return &sign.Signer{Key: token, Now: time.Now, Mark: sign.Mark{Form: form, Organisation: "Phường Mẫu"}}, token.Close, nil
		}
	})
	w.file("s1", "Nguyễn Thị Thử")
	b := w.signedIn(t)
	form := url.Values{"file": {"copy-0001-cccd.pdf"}, "revision": {"1"}, "pin": {"0001"}, "form": {"SAO Y"}}
	if status, page := b.post("/desk/d/1/sign", form); status != http.StatusUnprocessableEntity ||
		!strings.Contains(page, "PIN của thiết bị ký số không đúng") {
		t.Errorf("a wrong PIN: %d", status)
	}
	if asked != 1 {
		t.Errorf("the token was given %d PINs", asked)
	}
	if status, page := b.get("/desk/d/1"); status != http.StatusOK || strings.Contains(page, "không đúng") { // loaded again
		t.Errorf("a page that told of a wrong PIN tells of it again: %d", status)
	}
	form.Set("pin", "")
	form.Set("csrf", b.csrf)
	if status, page := b.post("/desk/d/1/sign", form); status != http.StatusUnprocessableEntity || asked != 1 ||
		!strings.Contains(page, "Hãy nhập PIN") {
		t.Errorf("no PIN: %d, the token was given %d", status, asked)
	}
	b.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	form.Set("pin", "0001")
	if status, _ := b.post("/desk/d/1/sign", form); status != http.StatusSeeOther {
		t.Errorf("a PIN is answered by a page, which sends it again when it is loaded again: %d", status)
	}
	b.client.CheckRedirect = nil
	form.Set("pin", pin)
	if status, _ := b.post("/desk/d/1/sign", form); status != http.StatusOK {
		t.Fatalf("sign: %d", status)
	}
	one, err := w.store.Get("s1")
	if err != nil {
		t.Fatal(err)
	}
	data, err := w.store.Read(one, "copy-0001-cccd-da-ky.pdf")
	if err != nil {
		t.Fatal(err)
	}
	found, err := sign.Verify(data, &sign.Trust{Roots: a.pool()})
	if err != nil || len(found) != 1 || !found[0].Good() {
		t.Errorf("the signature: %+v, %v", found, err)
	}
}

// Every sentence exists in both languages, with the same gaps.
func TestWords(t *testing.T) {
	words, err := loadWords()
	if err != nil {
		t.Fatal(err)
	}
	gaps := regexp.MustCompile(`\{[a-z]+\}`)
	for key, vi := range words["vi"] {
		en, ok := words["en"][key]
		if !ok || strings.Join(gaps.FindAllString(vi, -1), "") != strings.Join(gaps.FindAllString(en, -1), "") {
			t.Errorf("%s: %q, %q", key, vi, en)
		}
	}
	if len(words["vi"]) != len(words["en"]) {
		t.Errorf("%d and %d sentences", len(words["vi"]), len(words["en"]))
	}
	for _, s := range answer.States {
		for _, family := range []string{"state.", "act.", "acted.", "key."} {
			if _, ok := words["vi"][family+string(s)]; !ok && s != answer.Received {
				t.Errorf("no word for %s%s", family, s)
			}
		}
	}
}
