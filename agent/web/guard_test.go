package web

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"motcua/agent/web/screen"
)

// hand is somebody's browser without JavaScript: it keeps cookies, fills in the token of forms and
// names its origin.
type hand struct {
	t    testing.TB
	base string
	http *http.Client
	csrf string
	body string // of the last page
	at   string // its path
	code int
}

func (k *kiosk) hand(t testing.TB) *hand {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &hand{t: t, base: k.server.URL, http: &http.Client{Jar: jar, Timeout: patience}}
}

var tokenForm = regexp.MustCompile(`name="csrf" value="([^"]+)"`)

func (h *hand) do(r *http.Request) *hand {
	h.t.Helper()
	answer, err := h.http.Do(r)
	if err != nil {
		h.t.Fatal(err)
	}
	body, err := io.ReadAll(answer.Body)
	_ = answer.Body.Close()
	if err != nil {
		h.t.Fatal(err)
	}
	h.body, h.code, h.at = string(body), answer.StatusCode, answer.Request.URL.Path
	if m := tokenForm.FindStringSubmatch(h.body); m != nil {
		h.csrf = m[1]
	}
	return h
}

func (h *hand) get(path string) *hand {
	h.t.Helper()
	r, err := http.NewRequestWithContext(h.t.Context(), http.MethodGet, h.base+path, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	return h.do(r)
}

func (h *hand) post(path string, pairs ...string) *hand {
	h.t.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Add(pairs[i], pairs[i+1])
	}
	if !form.Has("csrf") {
		form.Set("csrf", h.csrf)
	}
	r, err := http.NewRequestWithContext(h.t.Context(), http.MethodPost, h.base+path, strings.NewReader(form.Encode()))
	if err != nil {
		h.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", h.base)
	return h.do(r)
}

// upload hands in a file as a form does.
func (h *hand) upload(name string, data []byte) *hand {
	h.t.Helper()
	return h.uploadTo("/upload", name, data)
}

func (h *hand) uploadTo(path, name string, files ...[]byte) *hand {
	h.t.Helper()
	var b bytes.Buffer
	form := multipart.NewWriter(&b)
	_ = form.WriteField("csrf", h.csrf) // into memory
	for i, data := range files {
		part, err := form.CreateFormFile("file", strings.Repeat("x", i)+name)
		if err != nil {
			h.t.Fatal(err)
		}
		_, _ = part.Write(data)
	}
	_ = form.Close()
	r, err := http.NewRequestWithContext(h.t.Context(), http.MethodPost, h.base+path, &b)
	if err != nil {
		h.t.Fatal(err)
	}
	r.Header.Set("Content-Type", form.FormDataContentType())
	r.Header.Set("Origin", h.base)
	return h.do(r)
}

func (h *hand) want(code int, at string, sentences ...string) *hand {
	h.t.Helper()
	if h.code != code || h.at != at {
		h.t.Fatalf("got %d at %s, want %d at %s", h.code, h.at, code, at)
	}
	for _, s := range sentences {
		if !strings.Contains(h.body, s) {
			h.t.Fatalf("%s does not say %q", at, s)
		}
	}
	return h
}

// toScan walks to the page where papers are laid on the glass.
func (h *hand) toScan(code string) *hand {
	h.t.Helper()
	h.get("/").want(200, "/")
	h.post("/begin", "lang", "vi").want(200, "/choose")
	h.post("/choose/"+code).want(200, "/consent")
	return h.post("/consent", "agreed", "yes").want(200, "/scan")
}

func TestGuard(t *testing.T) {
	k := newKiosk(t)
	victim := k.hand(t).get("/").want(200, "/")
	other := k.hand(t).get("/").want(200, "/")
	type header = map[string]string
	own := header{"Origin": k.server.URL}
	for name, c := range map[string]struct {
		method, path string
		host         string
		header       header
		form         url.Values
		want         int
	}{
		"own_start":                    {path: "/", want: 200},
		"localhost_by_name":            {path: "/", host: "localhost:8080", want: 200},
		"loopback_six":                 {path: "/", host: "[::1]:8080", want: 200},
		"rebinding_name":               {path: "/", host: "kiosk.evil.example", want: 421},
		"rebinding_name_with_our_port": {path: "/", host: "evil.example:8080", want: 421},
		"name_that_begins_like_an_ip":  {path: "/", host: "127.0.0.1.evil.example", want: 421},
		"address_that_is_not_ours":     {path: "/", host: "192.0.2.7", want: 421},
		"no_host":                      {path: "/", host: " ", want: 421},
		"own_form":                     {method: "POST", path: "/begin", header: own, form: url.Values{"csrf": {victim.csrf}}, want: 303},
		"other_origin": {method: "POST", path: "/begin", header: header{"Origin": "https://evil.example"},
			form: url.Values{"csrf": {victim.csrf}}, want: 403},
		"origin_of_another_port": {method: "POST", path: "/begin", header: header{"Origin": "http://127.0.0.1:1"},
			form: url.Values{"csrf": {victim.csrf}}, want: 403},
		"origin_with_another_scheme": {method: "POST", path: "/begin",
			header: header{"Origin": strings.Replace(k.server.URL, "http:", "https:", 1)}, form: url.Values{"csrf": {victim.csrf}}, want: 403},
		"opaque_origin": {method: "POST", path: "/begin", header: header{"Origin": "null"},
			form: url.Values{"csrf": {victim.csrf}}, want: 403},
		"no_origin_at_all":             {method: "POST", path: "/begin", form: url.Values{"csrf": {victim.csrf}}, want: 403},
		"forged_form_without_token":    {method: "POST", path: "/begin", header: own, form: url.Values{}, want: 403},
		"forged_form_with_other_token": {method: "POST", path: "/begin", header: own, form: url.Values{"csrf": {other.csrf}}, want: 403},
		"token_in_header_of_no_session": {method: "POST", path: "/stay", header: header{"Origin": k.server.URL, "X-CSRF-Token": "guess"},
			want: 403},
		"cross_site_read": {path: "/check", header: header{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}, want: 403},
		"cross_site_link_inside": {path: "/check", header: header{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"},
			want: 403},
		"cross_site_link_to_the_start": {path: "/", header: header{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}, want: 200},
		"same_site_other_port_read":    {path: "/", header: header{"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "no-cors"}, want: 403},
		"put":                          {method: "PUT", path: "/begin", header: own, want: 405},
		"delete":                       {method: "DELETE", path: "/papers/p1", header: own, want: 405},
		"options_gets_no_cors":         {method: "OPTIONS", path: "/begin", header: header{"Origin": "https://evil.example"}, want: 405},
		"json": {method: "POST", path: "/begin",
			header: header{"Origin": k.server.URL, "Content-Type": "application/json"}, form: url.Values{"a": {"b"}}, want: 415},
		"oversize_form": {method: "POST", path: "/begin", header: own,
			form: url.Values{"csrf": {victim.csrf}, "x": {strings.Repeat("x", screen.FormLimit)}}, want: 413},
		"up_and_out":              {path: "/static/../web.go", want: 400},
		"up_and_out_escaped":      {path: "/static/%2e%2e/web.go", want: 400},
		"up_and_out_half_escaped": {path: "/static/..%2fweb.go", want: 400},
		"backslash":               {path: "/static/..%5cweb.go", want: 400},
		"zero_byte":               {path: "/static/app.css%00.html", want: 400},
		"double_slash":            {path: "//evil.example/", want: 400},
		"folder_listing":          {path: "/static/pictures/", want: 404},
		"template_source":         {path: "/static/templates/layout.html", want: 404},
		"page_that_is_not_there":  {path: "/admin.php", want: 404},
	} {
		t.Run(name, func(t *testing.T) {
			method := c.method
			if method == "" {
				method = http.MethodGet
			}
			body := c.form.Encode()
			host := strings.TrimPrefix(k.server.URL, "http://")
			if c.host != "" {
				host = c.host
			}
			base, _ := url.Parse(k.server.URL)
			var raw strings.Builder // as an attacker would write it, not as a client would clean it
			fmt.Fprintf(&raw, "%s %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\nContent-Length: %d\r\n", method, c.path, host, len(body))
			for _, cookie := range victim.http.Jar.Cookies(base) {
				fmt.Fprintf(&raw, "Cookie: %s\r\n", cookie)
			}
			if _, other := c.header["Content-Type"]; !other && method == http.MethodPost {
				raw.WriteString("Content-Type: application/x-www-form-urlencoded\r\n")
			}
			for name, value := range c.header {
				fmt.Fprintf(&raw, "%s: %s\r\n", name, value)
			}
			raw.WriteString("\r\n" + body)
			line, err := net.Dial("tcp", base.Host)
			if err != nil {
				t.Fatal(err)
			}
			defer line.Close()
			go func() { _, _ = io.WriteString(line, raw.String()) }() // the server may answer before it has read all
			answer, err := http.ReadResponse(bufio.NewReader(line), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer answer.Body.Close()
			if answer.StatusCode != c.want {
				t.Errorf("got %d, want %d", answer.StatusCode, c.want)
			}
			if answer.Header.Get("Access-Control-Allow-Origin") != "" {
				t.Error("a foreign origin may read")
			}
			if got := answer.Header.Get("Content-Security-Policy"); answer.StatusCode != 400 &&
				(!strings.Contains(got, "default-src 'none'") || strings.Contains(got, "unsafe")) {
				t.Errorf("policy %q", got)
			}
			if got := answer.Header.Get("Cache-Control"); answer.StatusCode == 200 && got != "no-store" {
				t.Errorf("page may be kept: %q", got)
			}
		})
	}
	t.Run("oversize_upload", func(t *testing.T) {
		small := newKiosk(t, func(o *screen.Options) { o.UploadLimit = 1 << 20 })
		h := small.hand(t).toScan("2.000815")
		h.upload("big.jpg", make([]byte, 3<<20)).want(413, "/upload", "Tệp này lớn quá")
	})
	t.Run("cookie", func(t *testing.T) {
		answer, err := http.Get(k.server.URL)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		for _, c := range answer.Cookies() {
			if !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Path != "/" || len(c.Value) < 32 {
				t.Errorf("cookie %s: HttpOnly %t, SameSite %v", c.Name, c.HttpOnly, c.SameSite)
			}
		}
	})
	t.Run("another_visitors_pages_are_not_seen", func(t *testing.T) {
		mine := k.hand(t).toScan("2.000815")
		mine.upload("a.png", onePixel(t))
		stranger := k.hand(t).get("/papers/p1/picture")
		if stranger.at != "/" {
			t.Errorf("a stranger was shown %s", stranger.at)
		}
	})
	t.Run("redirects_stay_here", func(t *testing.T) {
		for _, to := range []string{"https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)"} {
			victim.get("/")
			victim.post("/size", "size", "l", "to", to).want(200, "/")
		}
	})
}

func FuzzLocal(f *testing.F) {
	for _, s := range []string{"/check", "//x", "/\\x", "http://x", ""} {
		f.Add(s)
	}
	base, _ := url.Parse("http://127.0.0.1/")
	f.Fuzz(func(t *testing.T, to string) {
		u, err := base.Parse(screen.Local(to))
		if err == nil && u.Host != base.Host {
			t.Errorf("leads to %s", u.Host)
		}
	})
}
