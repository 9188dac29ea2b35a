package web

import (
	"bytes"
	"crypto/x509"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"motcua/agent/sign"
	"motcua/agent/web/screen"
)

// eCopy is a signed PDF of two pages, and the authority of its signature.
func eCopy(t *testing.T) ([]byte, *x509.Certificate) {
	t.Helper()
	key, err := sign.NewTrial("Phường Mẫu", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	s := sign.Signer{Key: key, Now: time.Now, Mark: sign.Mark{Form: "SAO Y", Organisation: "UBND PHƯỜNG MẪU", Number: "118/2026"}}
	var out bytes.Buffer
	if err := s.Sign(t.Context(), twoPages(t), &out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes(), key.Root()
}

// Whoever signs a file last may have laid something over its pages: the signature before says so.
func TestVerifyPage_signed_again(t *testing.T) {
	first, root := eCopy(t)
	key, err := sign.NewTrial("Người Khác", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	s := sign.Signer{Key: key, Now: time.Now, Mark: sign.Mark{Form: "SAO Y", Organisation: "NGƯỜI KHÁC"}}
	if err := s.Sign(t.Context(), first, &out); err != nil {
		t.Fatal(err)
	}
	trust := x509.NewCertPool()
	trust.AddCert(root)
	trust.AddCert(key.Root())
	k := newKiosk(t, func(o *screen.Options) { o.Trust = &sign.Trust{Roots: trust} })
	h := k.hand(t).get("/verify")
	h.uploadTo("/verify", "ban-sao.pdf", out.Bytes()).want(200, "/verify",
		`class="verdict good"`, "Phường Mẫu", "Người Khác", "hãy xem ai ký sau cùng")
}

// A person who was given an e-copy learns in plain words whether to take it.
func TestVerifyPage(t *testing.T) {
	signed, root := eCopy(t)
	stranger, _ := eCopy(t)
	trust := x509.NewCertPool()
	trust.AddCert(root)
	k := newKiosk(t, func(o *screen.Options) { o.Trust = &sign.Trust{Roots: trust} })
	changed := bytes.Replace(signed, []byte("/MediaBox [0 0"), []byte("/MediaBox [0 9"), 1)
	if bytes.Equal(changed, signed) {
		t.Fatal("nothing was changed")
	}
	h := k.hand(t).get("/verify").want(200, "/verify", "Chọn tệp PDF")
	for name, c := range map[string]struct {
		file   []byte
		status int
		says   string
	}{
		"good":                  {signed, 200, `class="verdict good"`},
		"of_a_stranger":         {stranger, 200, `class="verdict open"`},
		"something_added":       {append(bytes.Clone(signed), "\n%%EOF\n"...), 200, "Có nội dung được thêm vào sau khi ký."},
		"what_was_signed":       {append(bytes.Clone(signed), "\n%%EOF\n"...), 200, `class="verdict part"`},
		"added_to_a_stranger's": {append(bytes.Clone(stranger), "\n%%EOF\n"...), 200, `class="verdict bad"`},
		"changed":               {changed, 200, `class="verdict bad"`},
		"not_signed":            {twoPages(t), 422, "chưa có chữ ký số"},
		"no_PDF":                {[]byte("GIF89a"), 422, "không phải PDF"},
		"another_office_signed": {stranger[:len(stranger)-3], 200, `class="verdict bad"`},
	} {
		t.Run(name, func(t *testing.T) {
			h.get("/verify")
			h.uploadTo("/verify", "ban-sao.pdf", c.file).want(c.status, "/verify", c.says)
			if name == "good" {
				h.want(200, "/verify", "CÁN BỘ DÙNG THỬ", "CA DÙNG THỬ", "Theo đồng hồ của người ký",
					"ở đây không hỏi được", `src="data:image/jpeg;base64,`)
			}
			if strings.Contains(h.body, `class="verdict good"`) != (name == "good") {
				t.Error("the verdict is another one")
			}
		})
	}
}

// The page as it is seen.
func TestVerifyPage_in_the_browser(t *testing.T) {
	t.Parallel()
	signed, root := eCopy(t)
	trust := x509.NewCertPool()
	trust.AddCert(root)
	file := filepath.Join(t.TempDir(), "ban-sao.pdf")
	if err := os.WriteFile(file, signed, 0o600); err != nil {
		t.Fatal(err)
	}
	k := newKiosk(t, func(o *screen.Options) { o.Trust = &sign.Trust{Roots: trust} })
	ctx := browser(t, 1024, 768)
	do(t, ctx, chromedp.Navigate(k.server.URL+"/verify"))
	settled(t, ctx)
	do(t, ctx, chromedp.SetUploadFiles(chromedp.CSS("#file"), []string{file}))
	holds(t, ctx, "a verdict", `!!document.querySelector(".verdict.good")`)
	fitsOn(t, ctx, "verdict", [][2]int64{{1024, 768}, {768, 1024}}, []string{"m", "xl"})
	axe(t, ctx, "verdict")
}
