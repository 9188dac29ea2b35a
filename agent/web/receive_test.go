package web

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"motcua/agent/web/screen"
	"motcua/ocr/paper"
)

// half begins an upload of size bytes and sends only the beginning; what the server answers before it has all comes back.
func half(t *testing.T, base string, cookies []*http.Cookie, header map[string]string, begin string, size int) net.Conn {
	t.Helper()
	u, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	line, err := net.Dial("tcp", u.Host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { line.Close() })
	var raw strings.Builder
	fmt.Fprintf(&raw, "POST /upload HTTP/1.1\r\nHost: %s\r\nOrigin: %s\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: "+
		"%d\r\n", u.Host, base, size)
	for _, c := range cookies {
		fmt.Fprintf(&raw, "Cookie: %s=%s\r\n", c.Name, c.Value)
	}
	for name, value := range header {
		fmt.Fprintf(&raw, "%s: %s\r\n", name, value)
	}
	raw.WriteString("\r\n" + begin)
	if _, err := io.WriteString(line, raw.String()); err != nil {
		t.Fatal(err)
	}
	return line
}

// status waits for the answer's first line.
func status(t *testing.T, line net.Conn) int {
	t.Helper()
	_ = line.SetReadDeadline(time.Now().Add(patience))
	answer, err := http.ReadResponse(bufio.NewReader(line), nil)
	if err != nil {
		t.Fatalf("no answer: %v", err)
	}
	answer.Body.Close()
	return answer.StatusCode
}

func part(name, value string) string {
	return "--b\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + value + "\r\n"
}

const filePart = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.jpg\"\r\n\r\n"

// Nothing of a body is waited for before it is known whose it is: each of these is answered although the rest never comes.
func TestUploadIsRefusedBeforeItIsRead(t *testing.T) {
	k := newKiosk(t)
	h := k.hand(t).toScan("2.000815")
	base, _ := url.Parse(k.server.URL)
	mine := h.http.Jar.Cookies(base)
	other := k.hand(t).get("/")
	for name, c := range map[string]struct {
		cookies []*http.Cookie
		header  map[string]string
		begin   string
		want    int
	}{
		"no_session": {begin: part("csrf", h.csrf) + filePart, want: 403},
		"unknown_session": {cookies: []*http.Cookie{{Name: screen.CookieName, Value: "x"}}, begin: part("csrf", h.csrf) + filePart,
			want: 403},
		"token_of_another":      {cookies: mine, begin: part("csrf", other.csrf) + filePart, want: 403},
		"no_token_first":        {cookies: mine, begin: filePart + strings.Repeat("x", screen.TokenLimit+1), want: 403},
		"endless_token":         {cookies: mine, begin: part("csrf", strings.Repeat("x", 2*screen.TokenLimit)), want: 403},
		"wrong_token_in_header": {cookies: mine, header: map[string]string{"X-CSRF-Token": "x"}, begin: filePart, want: 403},
	} {
		t.Run(name, func(t *testing.T) {
			if got := status(t, half(t, k.server.URL, c.cookies, c.header, c.begin, 20<<20)); got != c.want {
				t.Errorf("got %d, want %d", got, c.want)
			}
		})
	}
	t.Run("body_of_a_get", func(t *testing.T) {
		line, err := net.Dial("tcp", base.Host)
		if err != nil {
			t.Fatal(err)
		}
		defer line.Close()
		fmt.Fprintf(line, "GET / HTTP/1.1\r\nHost: %s\r\nContent-Length: 1000000\r\n\r\n", base.Host)
		if got := status(t, line); got != 400 {
			t.Errorf("got %d", got)
		}
	})
}

// A browser sends one form with files at a time, and all browsers together a few.
func TestUploadsAtOnce(t *testing.T) {
	k := newKiosk(t)
	base, _ := url.Parse(k.server.URL)
	begun := func(h *hand) net.Conn {
		return half(t, k.server.URL, h.http.Jar.Cookies(base), nil, part("csrf", h.csrf)+filePart+"x", 20<<20)
	}
	waitFor := func(n int) {
		t.Helper()
		for end := time.Now().Add(patience); len(k.site.Uploads) != n; time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("%d uploads are under way, want %d", len(k.site.Uploads), n)
			}
		}
	}
	first := k.hand(t).toScan("2.000815")
	line := begun(first)
	waitFor(1)
	if got := status(t, begun(first)); got != 429 {
		t.Errorf("a second one of the same browser: %d", got)
	}
	lines := []net.Conn{line}
	for n := 2; n <= screen.UploadsAtOnce; n++ {
		lines = append(lines, begun(k.hand(t).toScan("2.000815")))
		waitFor(n)
	}
	last := k.hand(t).toScan("2.000815")
	if got := status(t, begun(last)); got != 429 {
		t.Errorf("one more than fit: %d", got)
	}
	for _, l := range lines {
		l.Close()
	}
	waitFor(0)
	last.upload("a.png", onePixel(t)).want(200, "/scan")
}

// Whoever stops in the middle of a form is let go, and nothing of it is kept.
func TestUploadEndsInTime(t *testing.T) {
	k := newKiosk(t)
	h := k.hand(t).toScan("2.000815")
	base, _ := url.Parse(k.server.URL)
	var cookie *http.Cookie
	for _, c := range h.http.Jar.Cookies(base) {
		cookie = c
	}
	synctest.Test(t, func(t *testing.T) {
		for name, c := range map[string]struct {
			path, media, begin string
			within             time.Duration
		}{
			"form":   {"/begin", "application/x-www-form-urlencoded", "csrf=" + h.csrf, screen.FormTime},
			"upload": {"/upload", "multipart/form-data; boundary=b", part("csrf", h.csrf) + filePart + "x", screen.UploadTime},
		} {
			near, far := net.Pipe() // its deadlines follow the bubble's clock
			defer near.Close()
			server := &http.Server{Handler: k.site}
			served := make(chan error, 1)
			go func() { served <- server.Serve(&oneLine{far, make(chan struct{})}) }()
			begun := time.Now()
			go fmt.Fprintf(near, "POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: http://127.0.0.1\r\nCookie: %s=%s\r\nContent-Type: "+
				"%s\r\nContent-Length: 100000\r\n\r\n%s",
				c.path, cookie.Name, cookie.Value, c.media, c.begin)
			answer, err := http.ReadResponse(bufio.NewReader(near), nil)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if took := time.Since(begun); took > c.within+5*time.Second || answer.StatusCode < 400 {
				t.Errorf("%s: %d after %v", name, answer.StatusCode, took)
			}
			near.Close()
			server.Close()
			<-served
		}
		synctest.Wait()
	})
	if n := len(k.site.Uploads); n != 0 {
		t.Errorf("%d uploads are still under way", n)
	}
}

// oneLine is a listener of one connection.
type oneLine struct {
	conn net.Conn
	end  chan struct{}
}

func (l *oneLine) Accept() (net.Conn, error) {
	if c := l.conn; c != nil {
		l.conn = nil
		return c, nil
	}
	<-l.end
	return nil, net.ErrClosed
}
func (l *oneLine) Close() error {
	select {
	case <-l.end:
	default:
		close(l.end)
	}
	return nil
}
func (l *oneLine) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }

// Signs that make a name look other than it is are refused in what people type and in what codes carry.
func TestOddText(t *testing.T) {
	for text, odd := range map[string]bool{
		"Nguyễn Thị Ánh Đào": false, "dòng một\r\ndòng hai\t": false, "": false,
		"An\u202etxt.exe": true, "An\u2066x": true, "An\u200f": true, "An\x00": true, "An\x1b[31m": true, "An\u0085": true, "An\xff": true,
		"An\ufeff": true, "An\u2028": true,
	} {
		if got := screen.OddText(text); got != odd {
			t.Errorf("%q is odd: %v", text, got)
		}
	}
	k := newKiosk(t)
	h := k.hand(t).get("/")
	h.post("/begin", "lang", "vi", "x", "a\u202eb")
	if h.code != http.StatusUnprocessableEntity {
		t.Errorf("a form with a direction sign: %d", h.code)
	}
	k.hand(t).toScan("2.000815")
	if k.site.Offer(paper.QR, map[paper.Name]string{paper.FullName: "An\u202eB"}) {
		t.Error("a code with a direction sign was taken")
	}
}

// Redirects are parsed as a browser would, which takes tabs and line ends out of an address.
func TestLocal(t *testing.T) {
	for to, want := range map[string]string{
		"/check":              "/check",
		"/check?x=1&y=2":      "/check?x=1&y=2",
		"/\t/evil.example":    "/",
		"/\n/evil.example":    "/",
		"/\r/evil.example":    "/",
		"\t//evil.example":    "/",
		" //evil.example":     "/",
		"/%09/evil.example":   "/",
		"/\\evil.example":     "/",
		"/%5cevil.example":    "/",
		"//evil.example":      "/",
		"https:/evil.example": "/",
		"http:evil.example":   "/",
		"/..//evil.example":   "/",
		"/x\u0000":            "/",
		"":                    "/",
	} {
		if got := screen.Local(to); got != want {
			t.Errorf("%q leads to %q, want %q", to, got, want)
		}
	}
}
