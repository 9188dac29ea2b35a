package sign_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"image"
	"image/draw"
	"image/png"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"motcua/agent/sign"
	"motcua/ocr/jpeg"
	"motcua/ocr/paper"
	ocrpdf "motcua/ocr/pdf"
	"motcua/ocr/pdfa"
	"motcua/ocr/pdfa/conform"
	"motcua/ocr/qr"
)

const softHSM = "/usr/lib/softhsm/libsofthsm2.so"

const pin = "4711"

// office is a ward's certificate authority with what it issues. All of it is invented.
type office struct {
	root    *x509.Certificate
	rootKey crypto.Signer
	dir     string
}

func newOffice(t testing.TB) *office {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	o := &office{rootKey: key, dir: t.TempDir()}
	o.root = o.issue(t, nil, key.Public(), func(c *x509.Certificate) {
		c.Subject = pkix.Name{CommonName: "CA thử nghiệm", Country: []string{"VN"}}
		c.IsCA, c.BasicConstraintsValid, c.KeyUsage = true, true, x509.KeyUsageCertSign|x509.KeyUsageCRLSign
	})
	return o
}

// issue makes a certificate; parent nil signs itself.
func (o *office) issue(t testing.TB, parent *x509.Certificate, public crypto.PublicKey, change func(*x509.Certificate)) *x509.Certificate {
	t.Helper()
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<60))
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: serial, NotBefore: time.Now().Add(-24 * time.Hour), NotAfter: time.Now().Add(365 * 24 * time.Hour),
		Subject: pkix.Name{CommonName: "Ủy ban nhân dân phường Mẫu", Organization: []string{"Phường Mẫu"},
			Country: []string{"VN"}},
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment}
	change(c)
	if parent == nil {
		parent = c
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, public, o.rootKey)
	if err != nil {
		t.Fatal(err)
	}
	out, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func (o *office) roots() *sign.Trust {
	p := x509.NewCertPool()
	p.AddCert(o.root)
	return &sign.Trust{Roots: p}
}

func write(t testing.TB, name string, kind string, der []byte) {
	t.Helper()
	if err := os.WriteFile(name, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
}

func command(t testing.TB, argv ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, argv[0], argv[1:]...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v: %s", strings.Join(argv[:2], " "), err, out)
	}
	return string(out)
}

// token puts a key and its certificate into SoftHSM, which stands for an officer's token.
func (o *office) token(t testing.TB, key crypto.Signer, change func(*x509.Certificate)) sign.TokenConfig {
	t.Helper()
	store := filepath.Join(o.dir, "tokens")
	if err := os.MkdirAll(store, 0o700); err != nil {
		t.Fatal(err)
	}
	conf := filepath.Join(o.dir, "softhsm2.conf")
	if err := os.WriteFile(conf, []byte("directories.tokendir = "+store+"\nobjectstore.backend = file\nlog.level = ERROR\n"),
		0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SOFTHSM2_CONF", conf)
	command(t, "softhsm2-util", "--init-token", "--free", "--label", "officer", "--so-pin", "0000", "--pin", pin)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(o.dir, "key.pem")
	write(t, file, "PRIVATE KEY", der)
	command(t, "softhsm2-util", "--import", file, "--token", "officer", "--label", "sign", "--id", "01", "--pin", pin)
	cert := o.issue(t, o.root, key.Public(), change)
	for i, c := range []*x509.Certificate{cert, o.root} {
		name := filepath.Join(o.dir, "cert.der")
		if err := os.WriteFile(name, c.Raw, 0o600); err != nil {
			t.Fatal(err)
		}
		command(t, "pkcs11-tool", "--module", softHSM, "--token-label", "officer", "--login", "--pin", pin, "--write-object", name, "--type",
			"cert",
			"--id", fmt.Sprintf("%02d", i+1), "--label", []string{"sign", "root"}[i])
	}
	return sign.TokenConfig{Module: softHSM}
}

// TestMain lets the test's own program be the process that holds a token's library.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "token-worker" {
		if err := sign.Serve(os.Stdin); err != nil {
			os.Exit(1)
		}
		return
	}
	m.Run()
}

func same(*x509.Certificate) {}

func keyRSA(t testing.TB) crypto.Signer {
	t.Helper()
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func keyEC(t testing.TB) crypto.Signer {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func opened(t testing.TB, c sign.TokenConfig) *sign.Token {
	t.Helper()
	tok, err := sign.Open(t.Context(), c, pin)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tok.Close)
	return tok
}

// scan is a copy of one page, w × h points.
func scan(t testing.TB, level pdfa.Level, w, h float64) []byte {
	t.Helper()
	img := image.NewGray(image.Rect(0, 0, 100, 100))
	for i := range img.Pix {
		img.Pix[i] = 255
	}
	data, err := jpeg.Encode(img, 80)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	out, err := pdfa.New(&b, pdfa.Info{Level: level, Title: "Bản sao", Tool: "Motcua test", Created: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	if err := out.Add(pdfa.Page{Width: w, Height: h, JPEG: data, Gray: true, Pixels: [2]int{100, 100},
		Corners: [3]paper.Point{{}, {X: w}, {Y: h}}}); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

var mark = sign.Mark{Form: "SAO Y", Organisation: "ỦY BAN NHÂN DÂN PHƯỜNG MẪU, THÀNH PHỐ HỒ CHÍ MINH", Number: "118/2026"}

func signed(t testing.TB, s *sign.Signer, pdf []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := s.Sign(t.Context(), pdf, &b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func saved(t testing.TB, pdf []byte) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "a.pdf")
	if err := os.WriteFile(name, pdf, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// authority is a time stamp authority: openssl ts behind HTTP.
func (o *office) authority(t testing.TB) *httptest.Server {
	t.Helper()
	key := keyRSA(t)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	cert := o.issue(t, o.root, key.Public(), func(c *x509.Certificate) {
		c.Subject.CommonName = "TSA thử nghiệm"
		c.ExtKeyUsage, c.KeyUsage = nil, x509.KeyUsageDigitalSignature
		// Time stamping must be critical (RFC 3161, 2.3).
		c.ExtraExtensions = []pkix.Extension{{Id: []int{2, 5, 29, 37}, Critical: true,
			Value: []byte{0x30, 0x0A, 0x06, 0x08, 0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x08}}}
	})
	dir := t.TempDir()
	write(t, filepath.Join(dir, "key.pem"), "PRIVATE KEY", der)
	write(t, filepath.Join(dir, "cert.pem"), "CERTIFICATE", cert.Raw)
	conf := "[tsa]\ndefault_tsa = it\n[it]\nserial = " + dir + "/serial\nsigner_cert = " + dir + "/cert.pem\nsigner_key = " + dir +
		"/key.pem\nsigner_digest = sha256\n" +
		"default_policy = 1.2.3.4.1\ndigests = sha256\naccuracy = secs:1\ness_cert_id_alg = sha256\ncrypto_device = builtin\n"
	if err := errors.Join(os.WriteFile(filepath.Join(dir, "conf"), []byte(conf), 0o600),
		os.WriteFile(filepath.Join(dir, "serial"), []byte("01\n"), 0o600)); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		query, answer := filepath.Join(dir, "query"), filepath.Join(dir, "answer")
		if err := os.WriteFile(query, body, 0o600); err != nil {
			t.Error(err)
		}
		out, err := exec.CommandContext(r.Context(), "openssl", "ts", "-reply", "-config", filepath.Join(dir, "conf"), "-queryfile", query,
			"-out", answer).CombinedOutput()
		if err != nil {
			t.Errorf("%v: %s", err, out)
		}
		data, err := os.ReadFile(answer)
		if err != nil {
			t.Error(err)
		}
		w.Header().Set("Content-Type", "application/timestamp-reply")
		_, _ = w.Write(data)
	}))
	t.Cleanup(server.Close)
	return server
}

func TestSign(t *testing.T) {
	for name, key := range map[string]func(testing.TB) crypto.Signer{"rsa": keyRSA, "ec": keyEC} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t)
			s := &sign.Signer{Key: opened(t, o.token(t, key(t), same)), Now: time.Now, Mark: mark}
			pdf := scan(t, pdfa.A2b, 595.2, 841.9)
			out := signed(t, s, pdf)
			if !bytes.HasPrefix(out, pdf) {
				t.Error("what was there before is not as it was")
			}
			vs, err := sign.Verify(out, o.roots())
			if err != nil || len(vs) != 1 || !vs[0].Good() || vs[0].Level != "B-B" || vs[0].Signer != "Ủy ban nhân dân phường Mẫu" ||
				vs[0].Issuer != "CA thử nghiệm" {
				t.Fatalf("%+v %v", vs, err)
			}
			if vs[0].Before != fmt.Sprintf("%x", sha256.Sum256(pdf)) {
				t.Error("the copy before it was signed is not told")
			}
			// The file holds no more room than the signature takes: nobody can pack it.
			spare := regexp.MustCompile(`/Contents <[0-9a-f]*?(0*)>`).FindSubmatch(out)
			if spare == nil {
				t.Fatal("there is no signature")
			}
			if len(spare[1]) > 100 {
				t.Errorf("%d digits are left of the signature's room", len(spare[1]))
			}
			// Programs that are not ours say the same.
			file := saved(t, out)
			said := command(t, "pdfsig", "-nocert", file)
			for _, want := range []string{"Signature is Valid", "ETSI.CAdES.detached", "Total document signed", "SHA-256"} {
				if !strings.Contains(said, want) {
					t.Errorf("pdfsig says nothing of %q: %s", want, said)
				}
			}
			if check := command(t, "qpdf", "--check", file); !strings.Contains(check, "No syntax or stream encoding errors") ||
				strings.Contains(check, "WARNING") {
				t.Error(check)
			}
			if gs := command(t, "gs", "-q", "-dNOPAUSE", "-dBATCH", "-sDEVICE=nullpage", file); strings.TrimSpace(gs) != "" {
				t.Errorf("Ghostscript: %s", gs)
			}
			text := strings.Join(strings.Fields(command(t, "pdftotext", file, "-")), " ")
			if !strings.Contains(text, "SAO Y Số: 118/2026 ỦY BAN NHÂN DÂN PHƯỜNG MẪU, THÀNH PHỐ HỒ CHÍ MINH 20") ||
				!strings.HasSuffix(text, "+07:00") {
				t.Errorf("the mark says %q", text)
			}
			if fonts := command(t, "pdffonts", file); !strings.Contains(fonts, "LiberationSerif") || strings.Contains(fonts, "no  no") {
				t.Error(fonts)
			}
			if found, err := conform.Check(out, pdfa.A2b); err != nil || len(found) > 0 {
				t.Errorf("the signed file is no PDF/A: %v %v", found, err)
			}
			// The symbol on a print leads back to the copy.
			picture := filepath.Join(t.TempDir(), "seen")
			command(t, "pdftoppm", "-r", "300", "-png", "-singlefile", file, picture)
			if got, want := symbol(t, picture+".png"), mark.Code(sha256.Sum256(pdf)); got != want {
				t.Errorf("the symbol says %q, not %q", got, want)
			}
			// The pages that our own screens show have the mark as well.
			if ours, theirs := darkTop(shown(t, out)), darkTop(decoded(t, picture+".png")); ours < theirs*8/10 || ours > theirs*12/10 || ours == 0 {
				t.Errorf("%d points of the mark are seen here, %d by poppler", ours, theirs)
			}
			// A second officer may sign what the first has signed; the first signature is then of an earlier state.
			twice := signed(t, s, out)
			vs, err = sign.Verify(twice, o.roots())
			if err != nil || len(vs) != 2 || !vs[0].Intact || vs[0].Whole || !vs[1].Good() {
				t.Errorf("%+v %v", vs, err)
			}
		})
	}
}

// The symbol stands where it should on a page that leaves states open and its coordinates scaled.
func TestSymbolOnAnUnevenPage(t *testing.T) {
	o := newOffice(t)
	s := &sign.Signer{Key: opened(t, o.token(t, keyRSA(t), same)), Now: time.Now, Mark: mark}
	const content = "Q q 0.2 0 0 0.2 50 50 cm q (Q Q) pop q"
	var b bytes.Buffer
	var at []int
	b.WriteString("%PDF-1.7\n")
	for i, o := range []string{"<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
		"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R >>",
		fmt.Sprintf("<< /Length %d >>\nstream\n%s\nendstream", len(content), content)} {
		at = append(at, b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	table := b.Len()
	b.WriteString("xref\n0 5\n0000000000 65535 f \n")
	for _, a := range at {
		fmt.Fprintf(&b, "%010d 00000 n \n", a)
	}
	fmt.Fprintf(&b, "trailer\n<< /Size 5 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n", table)
	file := saved(t, signed(t, s, b.Bytes()))
	picture := filepath.Join(t.TempDir(), "seen")
	command(t, "pdftoppm", "-r", "300", "-png", "-singlefile", file, picture)
	if got, want := symbol(t, picture+".png"), mark.Code(sha256.Sum256(b.Bytes())); got != want {
		t.Errorf("the symbol says %q, not %q", got, want)
	}
}

// shown is page 1 as our own screens show it, at 300 dpi.
func shown(t testing.TB, data []byte) image.Image {
	t.Helper()
	d, err := ocrpdf.Open(data)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	img, _, err := d.Rasterise(1, 300, 1e8)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// darkTop counts the dark points of the corner in which the mark stands, 75 by 20 mm.
func darkTop(img image.Image) (n int) {
	b := img.Bounds()
	for y := b.Min.Y; y < b.Min.Y+236; y++ {
		for x := b.Max.X - 886; x < b.Max.X; x++ {
			if r, _, _, _ := img.At(x, y).RGBA(); r < 0x8000 {
				n++
			}
		}
	}
	return n
}

func decoded(t testing.TB, name string) image.Image {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	img, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// symbol reads the QR symbol in a picture.
func symbol(t testing.TB, name string) string {
	t.Helper()
	img := decoded(t, name)
	const corner = 300 // pixels, an inch
	gray := image.NewGray(image.Rect(0, 0, corner, corner))
	draw.Draw(gray, gray.Rect, img, img.Bounds().Max.Sub(image.Pt(corner, corner)), draw.Src)
	for _, s := range qr.Find(gray, qr.QRCode) {
		return s.Text
	}
	return ""
}

// The mark of a card's copy stands above the card, not on it.
func TestMarkLeavesSmallPapersFree(t *testing.T) {
	o := newOffice(t)
	s := &sign.Signer{Key: opened(t, o.token(t, keyEC(t), same)), Now: time.Now, Mark: mark}
	out := signed(t, s, scan(t, pdfa.A1b, 242.6, 153))
	if found, err := conform.Check(out, pdfa.A1b); err != nil || len(found) > 0 {
		t.Errorf("the signed file is no PDF/A: %v %v", found, err)
	}
	file := saved(t, out)
	text := command(t, "pdftotext", "-bbox", file, "-")
	size := regexp.MustCompile(`<page width="([0-9.]+)" height="([0-9.]+)"`).FindStringSubmatch(text)
	lowest := 0.0
	for _, m := range regexp.MustCompile(`yMax="([0-9.]+)"`).FindAllStringSubmatch(text, -1) {
		var y float64
		if _, err := fmt.Sscan(m[1], &y); err != nil {
			t.Fatal(err)
		}
		lowest = max(lowest, y)
	}
	var h float64
	if len(size) != 3 {
		t.Fatal(text)
	}
	if _, err := fmt.Sscan(size[2], &h); err != nil {
		t.Fatal(err)
	}
	if lowest == 0 || lowest > h-153 {
		t.Errorf("the mark reaches down to %.0f, the card begins at %.0f", lowest, h-153)
	}
}

func TestTimeStamp(t *testing.T) {
	o := newOffice(t)
	server := o.authority(t)
	s := &sign.Signer{Key: opened(t, o.token(t, keyRSA(t), same)), Now: time.Now, TSA: &sign.TSA{URL: server.URL}}
	out := signed(t, s, scan(t, pdfa.A2b, 595, 842))
	vs, err := sign.Verify(out, o.roots())
	if err != nil || len(vs) != 1 || !vs[0].Good() || vs[0].Level != "B-T" || vs[0].Stamper != "TSA thử nghiệm" ||
		time.Since(vs[0].Stamped).Abs() > time.Hour {
		t.Fatalf("%+v %v", vs, err)
	}
	if said := command(t, "pdfsig", "-nocert", saved(t, out)); !strings.Contains(said, "Signature is Valid") {
		t.Error(said)
	}
	t.Run("away", func(t *testing.T) {
		server.Close()
		var b bytes.Buffer
		if err := s.Sign(t.Context(), scan(t, pdfa.A2b, 595, 842), &b); !sign.Is(err, sign.NoTimeStamp) || b.Len() > 0 {
			t.Errorf("%v, %d bytes written", err, b.Len())
		}
	})
	t.Run("answers_another_question", func(t *testing.T) {
		other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "0") }))
		defer other.Close()
		s.TSA = &sign.TSA{URL: other.URL}
		if err := s.Sign(t.Context(), scan(t, pdfa.A2b, 595, 842), io.Discard); !sign.Is(err, sign.NoTimeStamp) {
			t.Error(err)
		}
	})
}

// Every failure is a sentence, and leaves nothing.
func TestFailures(t *testing.T) {
	o := newOffice(t)
	conf := o.token(t, keyEC(t), same)
	for name, c := range map[string]struct {
		change func(*sign.TokenConfig)
		pin    string
		want   sign.Failure
	}{
		"no_library":       {func(c *sign.TokenConfig) { c.Module = "/usr/lib/nothing.so" }, pin, sign.NoModule},
		"not_set_up":       {func(c *sign.TokenConfig) { c.Module = "" }, pin, sign.NoModule},
		"no_such_token":    {func(c *sign.TokenConfig) { c.Slot = "another" }, pin, sign.NoToken},
		"wrong_pin":        {func(*sign.TokenConfig) {}, "9999", sign.WrongPIN},
		"no_such_certific": {func(c *sign.TokenConfig) { c.Certificate = "another" }, pin, sign.NoCertificate},
	} {
		t.Run(name, func(t *testing.T) {
			cc := conf
			c.change(&cc)
			tok, err := sign.Open(t.Context(), cc, c.pin)
			if !sign.Is(err, c.want) || tok != nil || strings.Contains(err.Error(), c.pin) {
				t.Errorf("%v", err)
			}
		})
	}
	tok := opened(t, conf)
	for name, c := range map[string]struct {
		now  time.Duration
		want sign.Failure
	}{"ended": {2 * 365 * 24 * time.Hour, sign.Ended}, "clock_off": {-5 * 365 * 24 * time.Hour, sign.NotYet}} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			s := &sign.Signer{Key: tok, Now: func() time.Time { return time.Now().Add(c.now) }}
			if err := s.Sign(t.Context(), scan(t, pdfa.A2b, 595, 842), &b); !sign.Is(err, c.want) || b.Len() > 0 {
				t.Errorf("%v, %d bytes", err, b.Len())
			}
		})
	}
	t.Run("no_pdf", func(t *testing.T) {
		s := &sign.Signer{Key: tok, Now: time.Now}
		for _, data := range []string{"", "%PDF-1.7\nnothing", "%PDF-1.7\nstartxref\n3\n%%EOF"} {
			if err := s.Sign(t.Context(), []byte(data), io.Discard); !sign.Is(err, sign.NotSignable) {
				t.Errorf("%q: %v", data, err)
			}
		}
	})
}

func TestCertificateNotForSigning(t *testing.T) {
	o := newOffice(t)
	conf := o.token(t, keyEC(t), func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyAgreement })
	s := &sign.Signer{Key: opened(t, conf), Now: time.Now}
	if err := s.Sign(t.Context(), scan(t, pdfa.A2b, 595, 842), io.Discard); !sign.Is(err, sign.NotForSigning) {
		t.Error(err)
	}
}

// No change of one byte, none of what is added or left out, passes for the file that was signed.
func TestChangesAreSeen(t *testing.T) {
	o := newOffice(t)
	s := &sign.Signer{Key: opened(t, o.token(t, keyEC(t), same)), Now: time.Now, Mark: mark}
	out := signed(t, s, scan(t, pdfa.A2b, 595, 842))
	good := func(data []byte) bool {
		vs, err := sign.Verify(data, o.roots())
		return err == nil && len(vs) == 1 && vs[0].Good()
	}
	if !good(out) {
		t.Fatal("the file itself is not good")
	}
	gap := bytes.Index(out, []byte("/Contents <")) + len("/Contents <")
	end := gap + bytes.IndexByte(out[gap:], '>')
	for i := 0; i < len(out); i += 1 + len(out)/400 {
		if i >= gap && i < end { // the signature itself is not signed: of the certificates in it some are only for convenience
			continue
		}
		changed := bytes.Clone(out)
		changed[i] ^= 1
		if good(changed) {
			t.Errorf("byte %d of %d was changed, and the file is good", i, len(out))
		}
	}
	for name, data := range map[string][]byte{
		"something_added": append(bytes.Clone(out), "\n%%EOF\n"...),
		"cut":             out[:len(out)-1],
		"in_the_gap":      bytes.Replace(out, []byte(strings.Repeat("0", 10)+">"), []byte("> /E (xxx)>"), 1),
	} {
		t.Run(name, func(t *testing.T) {
			if bytes.Equal(data, out) {
				t.Fatal("nothing was changed")
			}
			if good(data) {
				t.Error("the file is good")
			}
		})
	}
	t.Run("of_another_authority", func(t *testing.T) {
		vs, err := sign.Verify(out, newOffice(t).roots())
		if err != nil || len(vs) != 1 || vs[0].Trusted || !vs[0].Intact || vs[0].Good() || vs[0].Problem == "" {
			t.Errorf("%+v %v", vs, err)
		}
	})
	t.Run("not_signed", func(t *testing.T) {
		if vs, err := sign.Verify(scan(t, pdfa.A2b, 595, 842), o.roots()); err != nil || len(vs) != 0 {
			t.Errorf("%+v %v", vs, err)
		}
	})
}

func FuzzVerify(f *testing.F) {
	f.Add([]byte("%PDF-1.7\n<< /ByteRange [0 60 70 10] /Contents <0000> /SubFilter /ETSI.CAdES.detached /M (D:20261129) >>\n%%EOF"))
	f.Add([]byte("%PDF-1.7 /ByteRange [0 1 999999999999999 2]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		vs, err := sign.Verify(data, nil)
		for _, v := range vs {
			if v.Good() {
				t.Errorf("good without a root: %+v %v", v, err)
			}
		}
	})
}
