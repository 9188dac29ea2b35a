package web

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"mime/multipart"
	"net/http"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"motcua/agent/answer"
	"motcua/agent/visit"
	"motcua/agent/web/screen"
	"motcua/drivers/scan"
	"motcua/ocr"
	"motcua/queue"
)

func read(t testing.TB, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func onePixel(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	img := image.NewGray(image.Rect(0, 0, 400, 300))
	for i := range img.Pix {
		img.Pix[i] = 0xEE
	}
	img.Set(200, 150, color.Black)
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// clock is moved by the test.
type clock struct {
	mu sync.Mutex // guards t
	t  time.Time
}

func newClock() *clock { return &clock{t: time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// follow reads the visit's events until one of the kinds comes.
func (h *hand) follow(kinds ...string) screen.Event {
	h.t.Helper()
	return h.followAt("/scan", kinds...)
}

// followAt is follow for the scan of that page.
func (h *hand) followAt(page string, kinds ...string) screen.Event {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), patience)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, h.base+page+"/live", nil)
	if err != nil {
		h.t.Fatal(err)
	}
	answer, err := (&http.Client{Jar: h.http.Jar}).Do(r)
	if err != nil {
		h.t.Fatal(err)
	}
	defer answer.Body.Close()
	lines := bufio.NewScanner(answer.Body)
	for lines.Scan() {
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		if !ok {
			continue
		}
		var e screen.Event
		if err := json.Unmarshal([]byte(data), &e); err != nil {
			h.t.Fatal(err)
		}
		for _, k := range kinds {
			if e.Kind == k {
				return e
			}
		}
	}
	h.t.Fatalf("no event %v came: %v", kinds, lines.Err())
	return screen.Event{}
}

// bring says of every required paper that was not recognised that it is brought to the counter.
func (h *hand) bring() *hand {
	h.t.Helper()
	for range 10 {
		if h.get("/wanted"); !strings.HasPrefix(h.at, "/wanted/") {
			return h
		}
		h.post(h.at, "way", "counter")
	}
	h.t.Fatal("the questions on papers do not end")
	return h
}

// fillIn answers every open question by hand.
func (h *hand) fillIn() *hand {
	h.t.Helper()
	h.bring()
	next := regexp.MustCompile(`href="(/check/[a-z_]+)" aria-label="Xem`)
	for range 40 {
		h.get("/check")
		m := next.FindStringSubmatch(h.body)
		if m == nil {
			return h.want(200, "/check")
		}
		h.get(m[1])
		value := "Nguyễn Thị Hoa"
		switch {
		case strings.Contains(h.body, `data-pad="date"`):
			value = "25/12/1950"
		case strings.Contains(h.body, `data-pad="digits"`):
			value = "1"
			if strings.Contains(h.body, "12 số") {
				value = "001150012345"
			}
		case strings.Contains(h.body, `type="radio"`):
			value = regexp.MustCompile(`type="radio" name="value" value="([^"]+)"`).FindStringSubmatch(h.body)[1]
		case strings.Contains(h.body, `type="checkbox"`):
			value = "yes"
		}
		if h.post(m[1], "value", value); h.code != 200 {
			h.t.Fatalf("%s was refused: %s", m[1], h.at)
		}
	}
	h.t.Fatal("the questions do not end")
	return h
}

func TestHandedInByFileWithoutScanner(t *testing.T) {
	t.Parallel()
	k := newKiosk(t, func(o *screen.Options) { o.Scanner = nil })
	h := k.hand(t).toScan("2.000815").want(200, "/scan", "chưa nối máy quét")
	page := onePixel(t)
	h.upload("giấy.png", page)
	if e := h.follow("done", "fault"); e.Kind != "done" {
		t.Fatalf("ended with %s: %s", e.Kind, e.Text)
	}
	h.get("/papers").want(200, "/papers", "chưa nhận ra")
	h.fillIn()
	h.get("/confirm").want(200, "/confirm", "Gửi hồ sơ")
	h.post("/confirm").want(200, "/receipt", "Hồ sơ đã được nhận")
	code := regexp.MustCompile(`class="code">([^<]+)`).FindStringSubmatch(h.body)[1]
	sub, err := k.queue.Get(code)
	if err != nil {
		t.Fatal(err)
	}
	t.Run("page_bytes_are_those_that_were_handed_in", func(t *testing.T) {
		for _, p := range sub.Parts {
			if strings.HasPrefix(p.Name, "page-") && (p.Size != int64(len(page)) || p.MediaType != "image/png") {
				t.Errorf("%s: %d bytes of %s", p.Name, p.Size, p.MediaType)
			}
		}
	})
	t.Run("sending_again_doubles_nothing", func(t *testing.T) {
		h.post("/confirm").want(200, "/receipt", code)
		all, err := k.queue.List(queue.Filter{})
		if err != nil || len(all) != 1 {
			t.Errorf("%d submissions, %v", len(all), err)
		}
	})
	t.Run("the_code_and_the_year_tell_where_it_stands_and_nothing_else", func(t *testing.T) {
		if err := k.answers.Expect(answer.Answer{Submission: sub.ID, Code: sub.Code, Procedure: "2.000815", Born: []int{1955},
			At: sub.Created}); err != nil {
			t.Fatal(err)
		}
		s := k.hand(t).get("/status?code="+code).want(200, "/status", code)
		s.post("/status", "code", strings.ToLower(code), "year", "1955").want(200, "/status", "Đang chờ gửi")
		if strings.Contains(s.body, "Nguyễn Thị Hoa") || strings.Contains(s.body, "1955") {
			t.Error("what was handed in is shown for a code")
		}
		s.post("/status", "code", code).want(422, "/status", "4 số")
		s.post("/status", "code", code, "year", "1956").want(404, "/status", "không có hồ sơ nào")
		wrong := s.body
		s.post("/status", "code", "2222-2239", "year", "1955").want(404, "/status", "không có hồ sơ nào")
		if strings.ReplaceAll(wrong, code, "2222-2239") != strings.ReplaceAll(s.body, "1955", "1956") {
			t.Error("a wrong year is told otherwise than an unknown code")
		}
		s.post("/status", "code", "AAAA-AAAA", "year", "1955").want(422, "/status", "chữ chưa đúng")
	})
	t.Run("finishing_clears_the_browser", func(t *testing.T) {
		client := *h.http
		client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		r, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, k.server.URL+"/leave", strings.NewReader("csrf="+h.csrf))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", k.server.URL)
		answer, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		if got := answer.Header.Get("Clear-Site-Data"); !strings.Contains(got, "cache") || !strings.Contains(got, "cookies") {
			t.Errorf("Clear-Site-Data: %q", got)
		}
		h.get("/receipt").want(200, "/")
	})
}

// Every fault of a scanner ends in a sentence in the citizen's language with a way on, never in Go's words.
func TestEveryScannerFaultHasAWayOn(t *testing.T) {
	t.Parallel()
	k := newKiosk(t)
	h := k.hand(t).toScan("2.000815")
	codes := regexp.MustCompile(`(?m)^\s+\w+\s+Code += "([a-z-]+)"`).FindAllStringSubmatch(read(t, "../../drivers/scan/fault.go"), -1)
	if len(codes) < 5 {
		t.Fatalf("only %d codes were found in the source", len(codes))
	}
	for _, found := range codes {
		code := found[1]
		t.Run(code, func(t *testing.T) {
			h.t = t
			h.get("/scan").want(200, "/scan")
			k.scanner.Fail(scan.Code(code))
			h.post("/scan")
			e := h.follow("fault", "done")
			if want := k.site.Words.Say("vi", "fault."+code); e.Kind != "fault" || e.Text != want {
				t.Errorf("%s: %q, want %q", e.Kind, e.Text, want)
			}
			h.get("/scan").want(200, "/scan", "Quét")
		})
	}
}

func TestBadFilesAreRefusedInTheCitizensWords(t *testing.T) {
	t.Parallel()
	k := newKiosk(t)
	var tall bytes.Buffer
	if err := jpeg.Encode(&tall, image.NewGray(image.Rect(0, 0, 9000, 9000)), &jpeg.Options{Quality: 1}); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"text_renamed_jpg": {[]byte("hello, I am text"), "problem." + ocr.NotAnImage},
		"letter":           {[]byte("PK\x03\x04 a text processor wrote this"), "problem." + ocr.Unsupported},
		"empty":            {nil, "problem." + ocr.EmptyFile},
		"cut_jpeg":         {tall.Bytes()[:200], "problem." + ocr.Damaged},
		"broken_pdf":       {[]byte("%PDF-1.7\nnothing"), "problem." + ocr.Damaged},
	} {
		t.Run(name, func(t *testing.T) {
			h := k.hand(t).toScan("2.000815")
			h.upload("scan.jpg", c.data)
			want := k.site.Words.Say("vi", c.want)
			if strings.Contains(h.body, want) {
				return
			}
			if e := h.follow("fault", "done"); e.Kind != "fault" || e.Text != want {
				t.Errorf("%s %q, want %q", e.Kind, e.Text, want)
			}
			h.get("/papers").want(200, "/scan") // it was not kept
		})
	}
}

// Of several files that are handed in at once, each that is no paper is told by its name.
func TestBadFilesAreNamed(t *testing.T) {
	t.Parallel()
	k := newKiosk(t)
	say := func(name, problem string) string {
		return k.site.Words.Say("vi", "file.named", "name", name, "why", k.site.Words.Say("vi", "problem."+problem))
	}
	good, broken, letter := onePixel(t), []byte("%PDF-1.7\nnothing"), []byte("PK\x03\x04 a letter")
	k.hand(t).toScan("2.000815").uploadTo("/upload", "y.jpg", good, letter, good, letter).want(422, "/upload",
		say("xy.jpg", ocr.Unsupported), say("xxxy.jpg", ocr.Unsupported))
	k.hand(t).toScan("2.000815").uploadTo("/upload", "y.jpg", letter, letter, letter, letter, letter).want(422, "/upload",
		say("xxy.jpg", ocr.Unsupported), k.site.Words.Say("vi", "file.more", "n", 2))
	h := k.hand(t).toScan("2.000815").uploadTo("/upload", "y.jpg", good, broken, broken)
	want := say("xy.jpg", ocr.Damaged) + " " + say("xxy.jpg", ocr.Damaged)
	if e := h.follow("fault", "done"); e.Kind != "fault" || e.Text != want {
		t.Errorf("%s %q, want %q", e.Kind, e.Text, want)
	}
}

// What fails at once has failed before the browser asks for the page of it: that page tells of it all the same, once.
func TestWhatFailsAtOnceIsTold(t *testing.T) {
	t.Parallel()
	k := newKiosk(t)
	h := k.hand(t).toScan("2.000815")
	seated := func() *screen.Table { return k.site.Sessions.Visits()[0] }
	for name, begin := range map[string]func(){
		"file":    func() { h.upload("scan.jpg", []byte("\xff\xd8\xff\xe0 no picture")) },
		"scanner": func() { k.scanner.Fail(scan.NoDocuments); h.post("/scan") },
	} {
		t.Run(name, func(t *testing.T) {
			h.t = t
			begin()
			await(t, "the end of it", func() bool { return !seated().Visit.State().Busy && seated().Live.Untold() })
			h.get("/scan").want(200, "/scan", `data-live="/scan"`)
			if e := h.follow("fault", "done"); e.Kind != "fault" || e.Text == "" {
				t.Fatalf("told %s %q", e.Kind, e.Text)
			}
			if h.get("/scan").want(200, "/scan", `id="scan"`); strings.Contains(h.body, "data-live") {
				t.Error("told for ever")
			}
		})
	}
}

// Of files that are handed in together, one that is no paper leaves none of the others taken in and never read.
func TestFilesAreTakenTogetherOrNotAtAll(t *testing.T) {
	k := newKiosk(t)
	h := k.hand(t).toScan("2.000815")
	var b bytes.Buffer
	form := multipart.NewWriter(&b)
	_ = form.WriteField("csrf", h.csrf) // into memory
	for _, data := range [][]byte{onePixel(t), []byte("PK\x03\x04 a text processor wrote this")} {
		part, err := form.CreateFormFile("file", "a")
		if err != nil {
			t.Fatal(err)
		}
		_, _ = part.Write(data)
	}
	_ = form.Close()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.base+"/upload", &b)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", form.FormDataContentType())
	r.Header.Set("Origin", h.base)
	h.do(r).want(422, "/upload", k.site.Words.Say("vi", "problem."+ocr.Unsupported))
	if papers := k.site.Sessions.Visits()[0].Visit.State().Papers; len(papers) != 0 {
		t.Errorf("%v was taken in", papers)
	}
}

// The last paper that finds room is read as the others are.
func TestLastPaperIsRead(t *testing.T) {
	k := newKiosk(t)
	h := k.hand(t).toScan("2.000815")
	v := k.site.Sessions.Visits()[0].Visit
	for range visit.MaxPapers - 1 {
		if _, err := v.Add(time.Now(), visit.Paper{Data: onePixel(t), MediaType: "image/png"}); err != nil {
			t.Fatal(err)
		}
	}
	h.upload("a.png", onePixel(t))
	h.follow("done")
	if papers := v.State().Papers; len(papers) != visit.MaxPapers || papers[visit.MaxPapers-1].Reading {
		t.Errorf("%d papers, the last unread", len(papers))
	}
}

func TestSilenceEndsTheVisitOnTheServerToo(t *testing.T) {
	c := newClock()
	k := newKiosk(t, func(o *screen.Options) { o.Clock = c.now })
	h := k.hand(t).toScan("2.000815")
	h.upload("a.png", onePixel(t))
	h.follow("done")
	c.pass(89 * time.Second)
	k.site.Sweep()
	h.get("/papers").want(200, "/papers")
	c.pass(91 * time.Second)
	k.site.Sweep()
	for _, page := range []string{"/choose", "/consent", "/scan", "/papers", "/papers/p1/picture", "/check", "/confirm", "/receipt"} {
		h.get(page).want(200, "/")
	}
	if n := len(k.site.Sessions.Visits()); n != 0 {
		t.Errorf("%d visits are still held", n)
	}
}

// From every step the page has a way back and a way on, and pages asked for out of turn lead to where
// the visit stands.
func TestNoDeadEnds(t *testing.T) {
	k := newKiosk(t)
	h := k.hand(t)
	h.get("/check").want(200, "/")
	h.get("/")
	h.post("/begin").want(200, "/choose", `class="button back" href="/"`)
	for _, early := range []string{"/consent", "/scan", "/papers", "/check", "/confirm", "/receipt"} {
		h.get(early).want(200, "/choose")
	}
	h.get("/choose/2.000815").want(200, "/choose/2.000815", `class="button back" href="/choose"`)
	h.get("/choose/9.999999").want(200, "/choose")
	h.post("/choose/2.000815").want(200, "/consent", `class="button back" href="/choose/2.000815"`)
	for _, early := range []string{"/scan", "/papers", "/check", "/confirm"} {
		h.get(early).want(200, "/consent")
	}
	h.post("/consent", "agreed", "yes").want(200, "/scan", `class="button back" href="/consent"`)
	for _, early := range []string{"/papers", "/check", "/confirm"} {
		h.get(early).want(200, "/scan")
	}
	h.upload("a.png", onePixel(t))
	h.follow("done")
	h.get("/papers").want(200, "/papers", `class="button back" href="/scan"`)
	h.get("/confirm").want(200, "/check", `class="button back" href="/papers"`)
	h.get("/check/no_such_field").want(200, "/check")
	h.post("/papers/p1/turn").want(200, "/papers", "turn90")
	h.post("/papers/p99/turn").want(200, "/papers")
	h.post("/papers/p1/remove").want(200, "/papers", "Lấy lại tờ đó")
	h.post("/papers/last/undo").want(200, "/papers", "/papers/p1/picture")
	h.post("/papers/last/undo").want(200, "/papers")
	h.get("/help").want(200, "/help", `class="button back"`)
	h.get("/no/such/page").want(404, "/no/such/page", "Về trang đầu")
	t.Run("english", func(t *testing.T) {
		h.post("/language", "lang", "en", "to", "/help").want(200, "/help", "How can we help?")
	})
}

func TestWrongAnswersAreToldInTheCitizensWords(t *testing.T) {
	k := newKiosk(t)
	h := k.hand(t).toScan("2.000815")
	h.upload("a.png", onePixel(t))
	h.follow("done")
	h.get("/check")
	for _, c := range []struct{ field, value, says string }{
		{"applicant_name", "", "Cần điền chỗ này"},
		{"applicant_name", "N4m", "chỉ viết chữ"},
		{"applicant_number", "123", "12 chữ số"},
		{"applicant_birth", "31/02/1950", "25/12/1950"},
		{"applicant_birth", "01/01/2999", "chưa đến"},
		{"copies", "0", "nhỏ nhất là 1"},
		{"form_of_copy", "gold", "một trong các câu trả lời"},
	} {
		h.post("/check/"+c.field, "value", c.value).want(422, "/check/"+c.field, c.says)
		kept := strings.Contains(h.body, `value="`+c.value+`"`) || strings.Contains(h.body, ">"+c.value+"</textarea>")
		if c.value != "" && !kept && c.field != "form_of_copy" {
			t.Errorf("%s: what was typed is gone", c.field)
		}
		title, _, _ := strings.Cut(h.body, "</title>")
		if !strings.Contains(title, c.says) || !strings.Contains(h.body, `aria-describedby="error"`) {
			t.Errorf("%s: a screen reader is not told at once", c.field)
		}
	}
	h.post("/check/applicant_birth", "value", "1.2.1950").want(200, h.at)
	h.get("/check/applicant_birth").want(200, "/check/applicant_birth", `value="01/02/1950"`)
}

type fullQueue struct{ screen.Queue }

func (fullQueue) Enqueue(context.Context, queue.Draft) (queue.Submission, error) {
	return queue.Submission{}, queue.ErrFull
}

func TestFullQueueKeepsTheVisit(t *testing.T) {
	k := newKiosk(t, func(o *screen.Options) { o.Queue = fullQueue{o.Queue} })
	h := k.hand(t).toScan("2.000815")
	h.upload("a.png", onePixel(t))
	h.follow("done")
	h.fillIn()
	h.get("/confirm")
	h.post("/confirm").want(503, "/confirm", "Máy đã đầy")
	h.get("/check").want(200, "/check", "Nguyễn Thị Hoa")
}

func TestReceiptSaysThatItIsSavedHereWhenTheHubIsDown(t *testing.T) {
	k := newKiosk(t, func(o *screen.Options) { o.Online = func() bool { return false } })
	h := k.hand(t).toScan("2.000815")
	h.upload("a.png", onePixel(t))
	h.follow("done")
	h.fillIn()
	h.get("/confirm")
	h.post("/confirm").want(200, "/receipt", "Đã lưu an toàn tại đây")
}

func TestCallForHelp(t *testing.T) {
	k := newKiosk(t)
	h := k.hand(t)
	h.get("/")
	h.post("/begin")
	h.post("/call", "to", "/choose").want(200, "/choose", "Đã gọi tình nguyện viên")
	h.post("/call", "to", "/choose", "off", "1").want(200, "/choose", "Gọi người giúp")
}
