package web

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"motcua/agent/audit"
	"motcua/agent/config"
	"motcua/agent/dossier"
	"motcua/agent/procedure"
	"motcua/agent/settings"
	"motcua/agent/staff"
	"motcua/agent/staff/stafftest"
	"motcua/agent/web/screen"
	"motcua/configs"
	"motcua/drivers/scan"
	"motcua/drivers/simulated"
	"motcua/ocr/paper"
	"motcua/queue"
)

const (
	techPIN      = "704182"
	volunteerPIN = "480213"
)

// staffKiosk is a kiosk with everything the console works on, real but for the paper on its scanner.
type staffKiosk struct {
	site      *Site
	url       string
	queue     *queue.Queue
	roster    *staff.Roster
	trail     *audit.Log
	restarted bool
	installed string

	mu      sync.Mutex // guards devices
	devices []screen.Device
}

func (c *staffKiosk) plugged(context.Context) []screen.Device {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.devices
}

func newCounter(t *testing.T) *staffKiosk {
	t.Helper()
	dir := t.TempDir()
	c := &staffKiosk{devices: []screen.Device{{ID: "sane:test:0", Kind: "flatbed scanner", Name: "Noname", State: "ready", OK: true}}}
	var err error
	if c.queue, _, err = queue.Open(context.Background(), filepath.Join(dir, "queue"), queue.Options{MinFree: -1}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.queue.Close() })
	c.roster = stafftest.Open(t, stafftest.Member{Name: "tech", Role: staff.Technician, PIN: techPIN},
		stafftest.Member{Name: "hoa", Role: staff.Volunteer, PIN: volunteerPIN})
	if c.trail, err = audit.Open(filepath.Join(dir, "audit"), time.Now); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.trail.Close() })
	defaults, err := config.Default(configs.FS)
	if err != nil {
		t.Fatal(err)
	}
	shipped, err := configs.FS.ReadFile(config.DefaultFile)
	if err != nil {
		t.Fatal(err)
	}
	sheet := func() (image.Image, error) {
		page := image.NewRGBA(image.Rect(0, 0, 620, 877))
		for i := range page.Pix {
			page.Pix[i] = 255
		}
		for x := 100; x < 300; x++ {
			page.Set(x, 200, color.Black)
		}
		return page, nil
	}
	scanner := simulated.New([]simulated.Sheet{{Front: sheet, DPI: 75}}, simulated.Options{})
	procedures := &procedure.Catalog{All: []*procedure.Procedure{{Code: "2.000815",
		Name: procedure.Text{VI: "Chứng thực bản sao từ bản chính"}}}}
	c.site, err = New(screen.Options{
		Procedures: func() *procedure.Catalog { return procedures },
		Scanner:    func() screen.Scanner { return scanner },
		Reader:     recogniser(t), Queue: c.queue, Ward: "Phường Thử", Audit: c.trail.Append,
		Console: screen.Console{
			Roster:   c.roster,
			Settings: settings.New(filepath.Join(dir, "motcua.yaml"), filepath.Join(dir, "versions"), defaults, shipped, time.Now),
			Backlog:  c.queue,
			Devices:  c.plugged,
			Doctor: func(context.Context) []screen.Finding {
				return []screen.Finding{{OK: true, What: "recognition: a specimen card is read in 52 ms, 9 fields right"},
					{OK: true, What: "disk: 41.0 GB free"},
					{What: "readers: no card reader is plugged in", Mend: "Plug a contactless card reader (ISO 14443, CCID) into a USB port, " +
						"or leave chip reading switched off."}}
			},
			Log: func() []screen.LogLine {
				return []screen.LogLine{{Time: time.Now(), Level: "WARN", Text: "hub does not answer"}}
			},
			Diagnostics: func(_ context.Context, w io.Writer) error { _, err := io.WriteString(w, "PK"); return err },
			AuditDir:    filepath.Join(dir, "audit"),
			Restart:     func() { c.restarted = true },
			Update: func(archive, signature []byte) (int, error) {
				if string(signature) != "right" {
					return 0, errors.New("the bundle is not signed by the configured key")
				}
				c.installed = string(archive)
				return 1, nil
			},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- c.site.Run(ctx) }()
	server := httptest.NewServer(c.site)
	t.Cleanup(func() { server.Close(); cancel(); <-ended })
	c.url = server.URL
	return c
}

// client is one browser: cookies, and the token of the page it saw last.
type client struct {
	t    *testing.T
	c    *staffKiosk
	http *http.Client
	csrf string
	body string
}

func (c *staffKiosk) client(t *testing.T) *client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &client{t: t, c: c, http: &http.Client{Jar: jar}}
}

var csrfForm = regexp.MustCompile(`name="csrf"[^>]*(?:value|content)="([^"]+)"`)

func (b *client) do(r *http.Request) (status int, path string) {
	b.t.Helper()
	answer, err := b.http.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	b.body = string(body)
	if m := csrfForm.FindStringSubmatch(b.body); m != nil {
		b.csrf = m[1]
	}
	return answer.StatusCode, answer.Request.URL.Path
}

func (b *client) get(path string) (int, string) {
	b.t.Helper()
	r, err := http.NewRequest(http.MethodGet, b.c.url+path, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.do(r)
}

func (b *client) post(path string, pairs ...string) (int, string) {
	b.t.Helper()
	form := url.Values{"csrf": {b.csrf}}
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	r, err := http.NewRequest(http.MethodPost, b.c.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", b.c.url)
	return b.do(r)
}

func (b *client) signIn(name, pin string) (int, string) {
	b.t.Helper()
	b.get("/staff")
	return b.post("/staff", "name", name, "pin", pin)
}

var consolePages = []string{"/console", "/console/devices", "/console/queue", "/console/queue?state=held", "/console/queue?state=delivered",
	"/console/doctor", "/console/procedures", "/console/log", "/console/config", "/console/staff", "/console/audit", "/console/diagnostics",
	"/report"}

func TestConsole_every_page_in_both_languages(t *testing.T) {
	c := newCounter(t)
	b := c.client(t)
	if status, path := b.signIn("tech", techPIN); status != http.StatusOK || path != "/console" {
		t.Fatalf("%d %s", status, path)
	}
	for _, lang := range screen.Languages {
		b.post("/language", "lang", lang, "to", "/console")
		for _, page := range consolePages {
			if status, path := b.get(page); status != http.StatusOK || path != strings.Split(page, "?")[0] {
				t.Errorf("%s %s: %d %s", lang, page, status, path)
			}
			if !strings.Contains(b.body, `lang="`+lang+`"`) || strings.Contains(b.body, c.site.Words.Say(lang, "fault")) {
				t.Errorf("%s %s: a sentence is missing", lang, page)
			}
		}
	}
}

func TestConsole_is_closed_to_everybody_else(t *testing.T) {
	c := newCounter(t)
	stranger := c.client(t)
	volunteer := c.client(t)
	if status, _ := volunteer.signIn("hoa", volunteerPIN); status != http.StatusOK && status != http.StatusNotFound {
		t.Fatal(status)
	}
	for _, page := range consolePages {
		if _, path := stranger.get(page); path != "/staff" {
			t.Errorf("a stranger saw %s", page)
		}
		if page == "/report" {
			continue
		}
		if status, _ := volunteer.get(page); status != http.StatusForbidden {
			t.Errorf("a volunteer saw %s: %d", page, status)
		}
	}
	if status, _ := volunteer.get("/report"); status != http.StatusOK {
		t.Errorf("a volunteer may see the report: %d", status)
	}
	for _, act := range []string{"/console/queue/drop", "/console/config", "/console/restart", "/console/staff", "/console/diagnostics",
		"/console/devices/scan", "/console/procedures"} {
		if status, _ := volunteer.post(act, "id", "x", "act", "apply", "text", ""); status != http.StatusForbidden {
			t.Errorf("a volunteer did %s: %d", act, status)
		}
		stranger.get("/staff")
		if _, path := stranger.post(act); path != "/staff" {
			t.Errorf("a stranger did %s", act)
		}
	}
	if c.restarted {
		t.Error("restarted")
	}
}

// A cookie that was seen before signing in, or after signing out, is worth nothing.
func TestSignIn_changes_the_session(t *testing.T) {
	c := newCounter(t)
	b := c.client(t)
	b.get("/staff")
	home, _ := url.Parse(c.url)
	before := b.http.Jar.Cookies(home)[0].Value
	b.post("/staff", "name", "tech", "pin", techPIN)
	after := b.http.Jar.Cookies(home)[0].Value
	if before == after {
		t.Fatal("the session's token stayed the same")
	}
	for name, stolen := range map[string]string{"planted": before, "signed out": after} {
		if name == "signed out" {
			b.get("/console")
			b.post("/staff/out")
		}
		thief := c.client(t)
		thief.http.Jar.SetCookies(home, []*http.Cookie{{Name: screen.CookieName, Value: stolen, Path: "/"}})
		if _, path := thief.get("/console"); path != "/staff" {
			t.Errorf("%s cookie opened the console", name)
		}
	}
}

func TestSignIn_wrong_PIN_locks_and_is_recorded_without_the_name(t *testing.T) {
	c := newCounter(t)
	b := c.client(t)
	for range 4 {
		if status, _ := b.signIn("hoa", "111222"); status != http.StatusForbidden {
			t.Fatalf("status %d", status)
		}
	}
	b.signIn("Nguyễn Văn An", "111222")
	if status, _ := b.signIn("hoa", "111222"); status != http.StatusTooManyRequests {
		t.Fatalf("not locked: %d", status)
	}
	if status, _ := b.signIn("hoa", volunteerPIN); status != http.StatusTooManyRequests {
		t.Fatalf("the right PIN got through the lock: %d", status)
	}
	failed, locked := 0, 0
	if _, _, err := audit.Verify(context.Background(), c.site.Options.Console.AuditDir, nil, func(e audit.Entry) {
		switch e.Act {
		case audit.SignInFailed:
			failed++
		case audit.StaffLocked:
			locked++
		}
	}); err != nil || failed != 5 || locked != 2 {
		t.Errorf("failed %d, locked %d, %v", failed, locked, err)
	}
}

func TestSignIn_ends_by_itself(t *testing.T) {
	c := newCounter(t)
	now := time.Now()
	c.site.Now = func() time.Time { return now }
	b := c.client(t)
	b.signIn("tech", techPIN)
	now = now.Add(screen.SignedFor - time.Second)
	if _, path := b.get("/console"); path != "/console" {
		t.Fatal("signed out too early")
	}
	now = now.Add(screen.SignedFor + time.Second)
	if _, path := b.get("/console"); path != "/staff" {
		t.Fatal("still signed in")
	}
}

func TestQueuePage_retries_and_removes_only_after_asking(t *testing.T) {
	c := newCounter(t)
	s, err := c.queue.Enqueue(context.Background(), queue.Draft{
		Labels: map[string]string{dossier.LabelProcedure: "2.000815", dossier.LabelLevel: "toàn trình", dossier.LabelChannel: "self"},
		Parts:  []queue.Part{queue.FromBytes("form.json", "application/json", []byte("{}"))}})
	if err != nil {
		t.Fatal(err)
	}
	b := c.client(t)
	b.signIn("tech", techPIN)
	b.get("/console/queue")
	if !strings.Contains(b.body, s.Code) || strings.Contains(b.body, `action="/console/queue/drop"`) {
		t.Fatal("the list must show the code, and no way to remove in one press")
	}
	b.get("/console/queue?drop=" + s.ID)
	if !strings.Contains(b.body, `action="/console/queue/drop"`) {
		t.Fatal("no way to remove")
	}
	if status, _ := b.post("/console/queue/retry", "id", s.ID, "state", "open"); status != http.StatusOK ||
		!strings.Contains(b.body, `role="status"`) {
		t.Fatalf("retry: %d", status)
	}
	b.get("/report")
	if !strings.Contains(b.body, "Chứng thực bản sao từ bản chính") {
		t.Error("the report does not count it")
	}
	for file, begins := range map[string]string{"report.csv": "\ufeff", "report.pdf": "%PDF-"} {
		if status, _ := b.get("/report/" + file); status != http.StatusOK || !strings.HasPrefix(b.body, begins) {
			t.Errorf("%s: %d %.20q", file, status, b.body)
		}
	}
	b.get("/console/queue")
	b.post("/console/queue/drop", "id", s.ID)
	if _, err := c.queue.Get(s.ID); err == nil {
		t.Error("still there")
	}
	b.post("/console/queue/drop", "id", s.ID)
	if !strings.Contains(b.body, c.site.Words.Say("vi", "done.changed")) {
		t.Error("removing twice must say that the list is newer")
	}
}

func TestConfigPage_checks_before_it_applies(t *testing.T) {
	c := newCounter(t)
	b := c.client(t)
	b.signIn("tech", techPIN)
	b.get("/console/config")
	if status, _ := b.post("/console/config", "act", "apply", "text",
		"kiosk:\r\n  idd: x\r\nweb:\r\n  silence: soon\r\n"); status != http.StatusUnprocessableEntity ||
		!strings.Contains(b.body, "2:3") || !strings.Contains(b.body, "4:") {
		t.Fatalf("%d %s", status, b.body)
	}
	if _, err := os.Stat(c.site.Options.Console.Settings.Path()); err == nil {
		t.Fatal("mistakes were written")
	}
	b.post("/console/config", "act", "apply", "text", "kiosk: {id: kiosk-7}\n")
	if text, err := c.site.Options.Console.Settings.Text(); err != nil || string(text) != "kiosk: {id: kiosk-7}\n" {
		t.Fatalf("%q %v", text, err)
	}
	b.get("/console/config")
	version := regexp.MustCompile(`\?version=([^"]+-shipped)"`).FindStringSubmatch(b.body)
	if version == nil {
		t.Fatal("nothing to go back to")
	}
	b.get("/console/config?version=" + version[1])
	if !strings.Contains(b.body, "workers:") {
		t.Error("the shipped version is not shown")
	}
	b.get("/console/config")
	b.post("/console/restart")
	if !c.restarted {
		t.Error("no restart")
	}
}

func TestStaffPage_a_removed_member_is_signed_out(t *testing.T) {
	c := newCounter(t)
	b, hoa := c.client(t), c.client(t)
	b.signIn("tech", techPIN)
	hoa.signIn("hoa", volunteerPIN)
	b.get("/console/staff")
	b.post("/console/staff", "act", "added", "name", "Lan", "role", "volunteer", "pin", "123456")
	if !strings.Contains(b.body, c.site.Words.Say("vi", "staff.weak-pin")) {
		t.Error("a weak PIN was not refused in words")
	}
	b.post("/console/staff", "act", "removed", "name", "hoa")
	if _, path := hoa.get("/report"); path != "/staff" {
		t.Error("a removed member is still signed in")
	}
	b.post("/console/staff", "act", "removed", "name", "tech")
	if !strings.Contains(b.body, c.site.Words.Say("vi", "staff.last")) {
		t.Error("the last technician could be removed")
	}
}

func TestDevicesPage_shows_a_change_by_itself(t *testing.T) {
	t.Parallel()
	c := newCounter(t)
	b := c.client(t)
	b.signIn("tech", techPIN)
	r, _ := http.NewRequest(http.MethodGet, c.url+"/console/devices/live", nil)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	answer, err := b.http.Do(r.WithContext(ctx))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	lines := bufio.NewScanner(answer.Body)
	next := func() string {
		for lines.Scan() {
			if strings.HasPrefix(lines.Text(), "data:") {
				return lines.Text()
			}
		}
		t.Fatalf("the stream ended: %v", lines.Err())
		return ""
	}
	if line := next(); !strings.Contains(line, "Noname") {
		t.Fatal(line)
	}
	c.mu.Lock()
	c.devices = append(c.devices, screen.Device{ID: "serial:x", Name: "<b>Reader</b>", State: "ready", OK: true})
	c.mu.Unlock()
	began := time.Now()
	if line := next(); !strings.Contains(line, "&lt;b&gt;Reader") && !strings.Contains(line, `\u0026lt;b`) {
		t.Fatal(line)
	}
	t.Logf("shown after %v; 2 s are promised on a machine that has nothing else to do", time.Since(began))
}

func TestTestScan_shows_the_page_once_or_the_technicians_sentence(t *testing.T) {
	t.Parallel()
	c := newCounter(t)
	b := c.client(t)
	b.signIn("tech", techPIN)
	b.get("/console/devices")
	b.post("/console/devices/scan")
	if !strings.Contains(b.body, `src="data:image/jpeg;base64,`) {
		t.Errorf("no picture: %s", b.body)
	}
	say := func(key string, pairs ...any) string { return c.site.Words.Say("vi", key, pairs...) }
	if !strings.Contains(b.body, "<li>"+say("paper.other")) && !strings.Contains(b.body, "<li>"+say("paper.cccd")) {
		t.Error("what was read on it is not told")
	}
	c.site.Scanner().(*simulated.Scanner).Fail(scan.CoverOpen)
	b.post("/console/devices/scan")
	if !strings.Contains(b.body, `role="alert"`) || strings.Contains(b.body, "data:image") {
		t.Error("the fault is not shown")
	}
	if !strings.Contains(b.body, "Đóng nắp") {
		t.Error("nor in Vietnamese what to do")
	}
}

// A technician sees that a reader works, also while nobody has a visit open, and no value of the card.
func TestTestReading(t *testing.T) {
	c := newCounter(t)
	b := c.client(t)
	b.signIn("tech", techPIN)
	say := func(key string, pairs ...any) string { return c.site.Words.Say("vi", key, pairs...) }
	if b.get("/console/devices"); !strings.Contains(b.body, say("devices.reading.none")) {
		t.Error("something was read before anything was")
	}
	c.site.Offer(paper.QR, map[paper.Name]string{paper.Number: "001090000001", paper.FullName: "Trần Văn Mẫu"})
	b.get("/console/devices")
	if !strings.Contains(b.body, say("source.qr")+", "+say("devices.fields", "n", 2)) || strings.Contains(b.body, "001090000001") ||
		strings.Contains(b.body, "Mẫu") {
		t.Error("the reading is not told, or too much of it")
	}
	c.site.Trouble(scan.NewFault("reader", "torn-code", nil))
	if b.get("/console/devices"); !strings.Contains(b.body, say("fault.torn-code")) {
		t.Error("the reader's trouble is not told")
	}
}

func TestProceduresPage_takes_signed_bundles_only(t *testing.T) {
	c := newCounter(t)
	b := c.client(t)
	b.signIn("tech", techPIN)
	send := func(signature string) int {
		b.get("/console/procedures")
		var body bytes.Buffer
		form := multipart.NewWriter(&body)
		form.WriteField("csrf", b.csrf)
		for name, text := range map[string]string{"bundle": "a zip", "signature": signature} {
			w, err := form.CreateFormFile(name, name)
			if err != nil {
				t.Fatal(err)
			}
			io.WriteString(w, text)
		}
		form.Close()
		r, err := http.NewRequest(http.MethodPost, c.url+"/console/procedures", &body)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", form.FormDataContentType())
		r.Header.Set("Origin", c.url)
		status, _ := b.do(r)
		return status
	}
	if status := send("wrong"); status != http.StatusUnprocessableEntity || c.installed != "" || !strings.Contains(b.body, "not signed by") {
		t.Fatalf("%d", status)
	}
	if status := send(""); status != http.StatusBadRequest || c.installed != "" {
		t.Fatalf("%d", status)
	}
	if status := send("right"); status != http.StatusOK || c.installed != "a zip" || !strings.Contains(b.body, `role="status"`) {
		t.Fatalf("%d %q", status, c.installed)
	}
}
