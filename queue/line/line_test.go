package line

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"
)

// authority is a CA made for a test.
type authority struct {
	t    *testing.T
	dir  string
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
	file string
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{t: t, dir: t.TempDir()}
	a.key = a.newKey()
	a.cert = a.sign(&x509.Certificate{Subject: pkix.Name{CommonName: "test CA"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign}, a.key, nil)
	a.file = a.write("ca.pem", "CERTIFICATE", a.cert.Raw)
	return a
}

func (a *authority) newKey() *ecdsa.PrivateKey {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	return k
}

func (a *authority) sign(c *x509.Certificate, key *ecdsa.PrivateKey, usage []x509.ExtKeyUsage) *x509.Certificate {
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		a.t.Fatal(err)
	}
	c.SerialNumber, c.NotBefore, c.NotAfter, c.ExtKeyUsage = serial, time.Now().Add(-time.Hour), time.Now().Add(time.Hour), usage
	parent := a.cert
	if parent == nil {
		parent = c
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	signed, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return signed
}

func (a *authority) write(name, kind string, der []byte) string {
	path := filepath.Join(a.dir, name)
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		a.t.Fatal(err)
	}
	return path
}

// issue writes a certificate and its key.
func (a *authority) issue(name string, usage x509.ExtKeyUsage) (certFile, keyFile string) {
	key := a.newKey()
	c := a.sign(&x509.Certificate{Subject: pkix.Name{CommonName: name}, DNSNames: []string{name}, KeyUsage: x509.KeyUsageDigitalSignature},
		key, []x509.ExtKeyUsage{usage})
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		a.t.Fatal(err)
	}
	return a.write(name+".pem", "CERTIFICATE", c.Raw), a.write(name+".key", "PRIVATE KEY", der)
}

// hub asks every client for a certificate of the authority and answers with its name.
func (a *authority) hub() string {
	cert, key := a.issue("hub.example.vn", x509.ExtKeyUsageServerAuth)
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		a.t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, r.TLS.PeerCertificates[0].Subject.CommonName+" "+r.Proto)
	}))
	s.TLS = &tls.Config{Certificates: []tls.Certificate{pair}, ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert}
	s.Config.ErrorLog = nil
	s.StartTLS()
	a.t.Cleanup(s.Close)
	return s.URL
}

func get(t *testing.T, url string, o TLS) (string, error) {
	t.Helper()
	c, err := NewClient(o)
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseIdleConnections()
	resp, err := c.Get(url)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return string(text), err
}

func TestMutualTLS(t *testing.T) {
	ours, theirs := newAuthority(t), newAuthority(t)
	url := ours.hub()
	cert, key := ours.issue("kiosk-7", x509.ExtKeyUsageClientAuth)
	otherCert, otherKey := theirs.issue("kiosk-8", x509.ExtKeyUsageClientAuth)
	good := TLS{CAFile: ours.file, CertFile: cert, KeyFile: key, ServerName: "hub.example.vn"}
	if got, err := get(t, url, good); err != nil || got != "kiosk-7 HTTP/1.1" {
		t.Fatalf("%q, %v", got, err)
	}
	for name, o := range map[string]TLS{
		"no_certificate":            {CAFile: ours.file, ServerName: "hub.example.vn"},
		"anothers_certificate":      {CAFile: ours.file, CertFile: otherCert, KeyFile: otherKey, ServerName: "hub.example.vn"},
		"hub_of_another_authority":  {CAFile: theirs.file, CertFile: cert, KeyFile: key, ServerName: "hub.example.vn"},
		"system_authorities":        {CertFile: cert, KeyFile: key, ServerName: "hub.example.vn"},
		"hub_under_another_name":    {CAFile: ours.file, CertFile: cert, KeyFile: key, ServerName: "other.example.vn"},
		"hub_whose_name_is_not_set": {CAFile: ours.file, CertFile: cert, KeyFile: key},
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := get(t, url, o); err == nil {
				t.Errorf("got %q", got)
			}
		})
	}
}

// TestCertificateIsRenewed: the daemon runs on while another program replaces the files.
func TestCertificateIsRenewed(t *testing.T) {
	a := newAuthority(t)
	url := a.hub()
	cert, key := a.issue("kiosk-7", x509.ExtKeyUsageClientAuth)
	c, err := NewClient(TLS{CAFile: a.file, CertFile: cert, KeyFile: key, ServerName: "hub.example.vn"})
	if err != nil {
		t.Fatal(err)
	}
	ask := func() string {
		defer c.CloseIdleConnections()
		resp, err := c.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		text, _ := io.ReadAll(resp.Body)
		return string(text)
	}
	if got := ask(); !strings.HasPrefix(got, "kiosk-7 ") {
		t.Fatal(got)
	}
	newCert, newKey := a.issue("kiosk-7-renewed", x509.ExtKeyUsageClientAuth)
	for from, to := range map[string]string{newCert: cert, newKey: key} {
		if err := os.Rename(from, to); err != nil {
			t.Fatal(err)
		}
	}
	if got := ask(); !strings.HasPrefix(got, "kiosk-7-renewed ") {
		t.Errorf("hub still sees %q", got)
	}
}

func TestBadFiles(t *testing.T) {
	a := newAuthority(t)
	cert, key := a.issue("kiosk-7", x509.ExtKeyUsageClientAuth)
	empty := filepath.Join(a.dir, "empty")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, o := range map[string]TLS{
		"no_ca":         {CAFile: filepath.Join(a.dir, "none")},
		"empty_ca":      {CAFile: empty},
		"no_key":        {CertFile: cert},
		"no_cert":       {KeyFile: key},
		"not_a_pair":    {CertFile: a.file, KeyFile: key},
		"empty_certkey": {CertFile: empty, KeyFile: empty},
	} {
		if _, err := NewClient(o); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}

func TestRedirectIsNotFollowed(t *testing.T) {
	elsewhere := 0
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere++ }))
	defer other.Close()
	hub := httptest.NewServer(http.RedirectHandler(other.URL, http.StatusTemporaryRedirect))
	defer hub.Close()
	c, err := NewClient(TLS{})
	if err != nil {
		t.Fatal(err)
	}
	resp, err := c.Post(hub.URL, "application/octet-stream", strings.NewReader("papers"))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusTemporaryRedirect || elsewhere != 0 {
		t.Errorf("%d, %d requests went elsewhere", resp.StatusCode, elsewhere)
	}
}

// TestWatch: what stands still ends, what only waits for its limit does not.
func TestWatch(t *testing.T) {
	patience := Patience{Stall: 60 * time.Millisecond, Answer: 120 * time.Millisecond}
	t.Run("no_answer_to_a_request_without_body", func(t *testing.T) {
		ctx, w := NewWatch(t.Context(), patience)
		defer w.Stop()
		<-ctx.Done()
		if err := w.Reason(errors.New("canceled")); !errors.Is(err, ErrStalled) {
			t.Error(err)
		}
	})
	t.Run("nobody_takes_the_next_piece", func(t *testing.T) {
		ctx, w := NewWatch(t.Context(), patience)
		defer w.Stop()
		start := time.Now()
		if _, err := w.Body(strings.NewReader("papers"), 6, nil).Read(make([]byte, 2)); err != nil {
			t.Fatal(err)
		}
		<-ctx.Done()
		if d := time.Since(start); d < patience.Stall || !errors.Is(w.Reason(nil), ErrStalled) {
			t.Errorf("ended after %v: %v", d, w.Reason(nil))
		}
	})
	t.Run("no_answer_after_the_last_byte", func(t *testing.T) {
		ctx, w := NewWatch(t.Context(), patience)
		defer w.Stop()
		start := time.Now()
		if got, err := io.ReadAll(w.Body(strings.NewReader("papers"), 6, nil)); err != nil || string(got) != "papers" {
			t.Fatal(string(got), err)
		}
		<-ctx.Done()
		if d := time.Since(start); d < patience.Answer-time.Millisecond {
			t.Errorf("ended after %v, the far side may work for %v", d, patience.Answer)
		}
	})
	t.Run("slow_limit", func(t *testing.T) {
		ctx, w := NewWatch(t.Context(), patience)
		defer w.Stop()
		content := bytes.Repeat([]byte("x"), 3*piece)
		got, err := io.ReadAll(w.Body(bytes.NewReader(content), int64(len(content)), every(150*time.Millisecond)))
		if err != nil || !bytes.Equal(got, content) || ctx.Err() != nil {
			t.Errorf("%d bytes, %v, %v", len(got), err, context.Cause(ctx))
		}
	})
	t.Run("stopped_by_the_caller", func(t *testing.T) {
		parent, cancel := context.WithCancelCause(t.Context())
		_, w := NewWatch(parent, patience)
		defer w.Stop()
		shut := errors.New("shutting down")
		cancel(shut)
		if err := w.Reason(shut); !errors.Is(err, shut) {
			t.Error(err)
		}
	})
	t.Run("unreadable", func(t *testing.T) {
		_, w := NewWatch(t.Context(), patience)
		defer w.Stop()
		bad := errors.New("bad sector")
		if _, err := io.ReadAll(w.Body(iotest.ErrReader(bad), 6, nil)); !errors.Is(err, bad) {
			t.Error(err)
		}
	})
}

type every time.Duration

func (e every) WaitN(ctx context.Context, _ int) error {
	time.Sleep(time.Duration(e))
	return ctx.Err()
}

func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		"  two\r\n lines\t": "two lines",
		"bell\a\x1b[31m":    "bell [31m",
		"không có chỗ":      "không có chỗ",
		"\xff\xfe":          "",
	} {
		if got := Clean(in); got != want {
			t.Errorf("Clean(%q) = %q, want %q", in, got, want)
		}
	}
	if n := len([]rune(Clean(strings.Repeat("ờ", 1000)))); n != wordsLimit+1 {
		t.Errorf("%d runes kept", n)
	}
}

// TestCertificates: of a chain the first to end counts, of authorities the last.
func TestCertificates(t *testing.T) {
	a, b := newAuthority(t), newAuthority(t)
	cert, key := a.issue("kiosk-7", x509.ExtKeyUsageClientAuth)
	both := filepath.Join(a.dir, "both.pem")
	var all []byte
	for _, f := range []string{a.file, b.file} {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, data...)
	}
	if err := os.WriteFile(both, all, 0o600); err != nil {
		t.Fatal(err)
	}
	list := TLS{CAFile: both, CertFile: cert, KeyFile: key}.Certificates()
	if len(list) != 2 || list[0].Err != nil || list[1].Err != nil || list[1].Ends.Before(a.cert.NotAfter) ||
		list[1].Ends.Before(b.cert.NotAfter) {
		t.Fatalf("%+v", list)
	}
	if left := time.Until(list[0].Ends); left <= 0 || left > time.Hour {
		t.Fatal(left)
	}
	if list := (TLS{CertFile: key}).Certificates(); len(list) != 1 || list[0].Err == nil {
		t.Fatalf("a key was taken for a certificate: %+v", list)
	}
}

// TestNoAnswerGiven: who says nothing of the answer is not cut off as soon as the last byte is away.
func TestNoAnswerGiven(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, w := NewWatch(t.Context(), Patience{Stall: time.Second})
		defer w.Stop()
		if _, err := io.ReadAll(w.Body(strings.NewReader("papers"), 6, nil)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(3 * time.Second)
		synctest.Wait()
		if ctx.Err() != nil {
			t.Fatal(context.Cause(ctx))
		}
		time.Sleep(2 * time.Second)
		if synctest.Wait(); ctx.Err() == nil {
			t.Error("it is waited for ever")
		}
	})
}

// TestPause: while this side is waited for nothing is taken for a line that stands still; afterwards it is.
func TestPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, w := NewWatch(t.Context(), Patience{Stall: time.Second, Answer: time.Second})
		defer w.Stop()
		body := w.Body(iotest.OneByteReader(strings.NewReader("abcdef")), 6, nil)
		one := make([]byte, 1)
		if _, err := body.Read(one); err != nil {
			t.Fatal(err)
		}
		w.Pause()
		time.Sleep(time.Hour)
		synctest.Wait()
		if ctx.Err() != nil {
			t.Fatal(context.Cause(ctx))
		}
		if _, err := body.Read(one); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if !errors.Is(context.Cause(ctx), ErrStalled) {
			t.Fatal(context.Cause(ctx))
		}
	})
}
