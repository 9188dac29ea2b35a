package web

import (
	"bytes"
	"fmt"
	"image/jpeg"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"motcua/agent/stick"
	"motcua/agent/stick/sticktest"
	"motcua/agent/web/screen"
)

// sticky is a kiosk that takes sticks, which are mounted in folder.
func sticky(t *testing.T, folder string, log *bytes.Buffer) *kiosk {
	t.Helper()
	sticks := stick.New(folder, 3<<20, time.Now)
	sticks.State()
	return newKiosk(t, patient, func(o *screen.Options) {
		o.Sticks, o.UploadLimit = sticks, 3<<20
		if log != nil {
			o.Log = slog.New(slog.NewTextHandler(&locked{b: log}, nil))
		}
	})
}

// locked is a buffer that several write to.
type locked struct {
	mu sync.Mutex
	b  *bytes.Buffer
}

func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// card is a picture of a specimen.
func card(t *testing.T) []byte {
	t.Helper()
	img, err := drawn(specimens(t)[0]).Front()
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func lay(t *testing.T, files map[string][]byte) func(dir string) {
	return func(dir string) {
		for name, data := range files {
			if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

var stickID = regexp.MustCompile(`name="file" value="([^"]+)"`)

// What a stick does not give is told in the citizen's words; nothing of it is taken then, and none of its names stands in the log.
func TestStickInTheCitizensWords(t *testing.T) {
	if !sticktest.CanMount(t) {
		return
	}
	folder, log := t.TempDir(), &bytes.Buffer{}
	k := sticky(t, folder, log)
	files := map[string][]byte{"thẻ của Lê Thị Mẫu.png": onePixel(t), "hỏng.pdf": []byte("%PDF-1.7\nnothing"),
		"đơn.docx": []byte("PK\x03\x04")}
	forgotten := sticktest.Plug(t, folder, "sda1", lay(t, files))
	h := k.hand(t).toScan("2.000815").want(200, "/scan", "Lấy tệp từ USB")
	if strings.Contains(h.body, `type="file"`) {
		t.Error("the page still opens the browser's dialog")
	}
	h.get("/stick").want(200, "/stick", "Cắm USB vào máy", "đã cắm từ trước khi ông/bà bắt đầu")
	if stickID.MatchString(h.body) {
		t.Error("a stick that somebody forgot is listed")
	}
	forgotten.Pull()
	h.get("/stick/state")
	s := sticktest.Plug(t, folder, "sda1", lay(t, files))
	h.get("/stick").want(200, "/stick", "thẻ của Lê Thị Mẫu.png", "đơn.docx", "Tệp văn bản")
	ids := stickID.FindAllStringSubmatch(h.body, -1)
	if len(ids) != 2 {
		t.Fatalf("%d files are listed", len(ids))
	}
	h.post("/stick").want(400, "/stick", "Chưa chọn tệp nào")
	h.post("/stick", "file", "AAAA").want(422, "/stick", "Chưa lấy tệp nào")
	other := k.hand(t).toScan("2.000815") // began later: the stick is not theirs
	other.post("/stick", "file", ids[0][1]).want(422, "/stick", "Chưa lấy tệp nào", "đã cắm từ trước")
	s.Change(func(dir string) {
		for name := range files {
			_ = os.Chtimes(filepath.Join(dir, name), time.Time{}, time.Now().Add(time.Minute))
		}
	})
	h.post("/stick", "file", ids[0][1]).want(422, "/stick", "đã thay đổi")
	id := stickID.FindAllStringSubmatch(h.body, -1)[0][1]
	s.Pull()
	h.post("/stick", "file", id).want(422, "/stick", "đã bị rút ra", "Cắm USB vào máy")
	for _, v := range k.site.Sessions.Visits() {
		if n := len(v.Visit.State().Papers); n != 0 {
			t.Errorf("%d papers were taken", n)
		}
	}
	if strings.Contains(log.String(), "Mẫu") || strings.Contains(log.String(), "docx") {
		t.Errorf("a name stands in the log: %s", log)
	}
}

// A citizen plugs a stick in, sees what lies on it, and hands a picture in, by touch alone.
func TestStickByTouch(t *testing.T) {
	t.Parallel()
	if !sticktest.CanMount(t) {
		return
	}
	folder := t.TempDir()
	k := sticky(t, folder, nil)
	ctx := browser(t, 1024, 768)
	do(t, ctx, chromedp.EmulateViewport(1024, 768, chromedp.EmulateTouch))
	do(t, ctx, chromedp.Navigate(k.server.URL+"/"))
	for _, step := range [][2]string{{".button.huge", "/choose"}, {`a[href="/choose/2.000815"]`, "/choose/"}, {".way .go", "/consent"}} {
		tap(t, ctx, step[0])
		arrive(t, ctx, step[1])
	}
	tap(t, ctx, `[name="agreed"]`)
	tap(t, ctx, ".way .go")
	arrive(t, ctx, "/scan")
	tap(t, ctx, `a[href="/stick"]`)
	arrive(t, ctx, "/stick")
	if got := text(t, ctx, "h1"); got != "Cắm USB vào máy" {
		t.Errorf("without a stick: %s", got)
	}
	picture := card(t)
	files := map[string][]byte{"DCIM/Camera/thẻ căn cước.jpg": picture,
		"đơn xin.docx": []byte("PK\x03\x04"), "dài\u202Egpj.exe": picture,
		"<b onclick=alert(1)>.jpg": picture, "phim.mp4": []byte("\x00\x00\x00\x18ftypmp42"), "setup.exe": []byte("MZ")}
	for n := range 14 {
		files[fmt.Sprintf("ảnh %02d.png", n)] = onePixel(t)
	}
	sticktest.Plug(t, folder, "sdb1", func(dir string) {
		lay(t, files)(dir)
		for name := range files { // the card is the newest
			when := time.Now().Add(-24 * time.Hour)
			if strings.HasPrefix(name, "DCIM") {
				when = time.Now()
			}
			_ = os.Chtimes(filepath.Join(dir, name), when, when)
		}
	})
	holds(t, ctx, "the files", `document.querySelectorAll("[name=file]").length === 12`) // the page looks by itself
	holds(t, ctx, "the card's picture", `document.querySelector(".thumb img").naturalWidth > 100`)
	if got := text(t, ctx, ".picks li"); !strings.Contains(got, "thẻ căn cước.jpg") || !strings.Contains(got, "DCIM/Camera") {
		t.Errorf("first stands %q", got)
	}
	tap(t, ctx, ".picks label")
	shot(t, ctx, "landscape/stick")
	tap(t, ctx, ".pages a")
	holds(t, ctx, "the older files", `location.search === "?page=1" && document.querySelectorAll("[name=file]").length === 5`)
	tap(t, ctx, ".pages a")
	holds(t, ctx, "the newer files", `location.search === "?page=0" && document.querySelectorAll("[name=file]").length === 12`)
	tap(t, ctx, ".picks label")
	tap(t, ctx, ".way .go")
	arrive(t, ctx, "/papers")
	state := k.site.Sessions.Visits()[0].Visit.State()
	if len(state.Papers) != 1 || len(state.Papers[0].Documents) == 0 {
		t.Errorf("%d papers; recognised: %v", len(state.Papers), len(state.Papers) > 0 && len(state.Papers[0].Documents) > 0)
	}
}

// Where the page runs in the kiosk's own browser, whose policy opens no file dialog, and no stick is taken, no button opens one.
func TestNoFileDialogAtTheKiosksOwnScreen(t *testing.T) {
	c := newClock()
	k := newKiosk(t, func(o *screen.Options) { o.Scanner, o.Clock = nil, c.now })
	h := k.hand(t).toScan("2.000815").want(200, "/scan", `type="file"`)
	resp, err := http.Get(k.server.URL + "/away") // as the keeper of that browser does (motcua screen)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	for path, said := range map[string]string{"/scan": "Xin gọi tình nguyện viên", "/verify": "máy của cán bộ"} {
		if h.get(path).want(200, path, said); strings.Contains(h.body, `type="file"`) {
			t.Errorf("%s opens a file dialog", path)
		}
	}
	site := k.server.Config.Handler // a volunteer's computer
	k.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.RemoteAddr = "192.0.2.7:40000"
		site.ServeHTTP(w, r)
	}))
	t.Cleanup(k.server.Close)
	k.hand(t).toScan("2.000815").want(200, "/scan", `type="file"`)
	c.pass(time.Minute) // the keeper is gone, and with it that browser
	h.get("/scan").want(200, "/scan", `type="file"`)
}
