package answer

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"motcua/queue/line"
	"motcua/queue/receive"
)

// Behind a real nginx that ends TLS and asks kiosks for certificates, the desk knows each by its own name (queue/receive/README.md
// has the lines for nginx): answers come, another kiosk's name gets nothing, a revoked one is out, and what nginx itself says of
// a certificate that has run out is not taken for the desk's word.
func TestAnswersThroughNginxWithCertificates(t *testing.T) {
	dir, err := os.MkdirTemp("", "ngx") // a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	list := filepath.Join(dir, "kiosks")
	if err := os.WriteFile(list, []byte("kiosk-1 invented-token-of-kiosk-1\nkiosk-2 invented-token-of-kiosk-2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	kiosks, err := receive.OpenKiosks(list)
	if err != nil {
		t.Fatal(err)
	}
	receiver, err := receive.New(receive.Options{Dir: t.TempDir(), Kiosks: kiosks, Log: quiet})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { receiver.Close() })
	d := newDesk("desk-1")
	desk := httptest.NewServer(NewServer(d, receiver.Enter, quiet))
	t.Cleanup(desk.Close)

	ca := newAuthority(t, dir)
	ca.issue(t, "desk.example.vn", time.Now().Add(time.Hour))
	for name, until := range map[string]time.Duration{"kiosk-1": time.Hour, "kiosk-2": time.Hour, "kiosk-3": time.Hour, "late": -time.Hour} {
		ca.issue(t, name, time.Now().Add(until))
	}
	socket := startNginx(t, dir, desk.URL)
	asks := func(name string) (*Puller, *Store, *string) {
		t.Helper()
		client, err := line.NewClient(line.TLS{CAFile: filepath.Join(dir, "ca.pem"), CertFile: filepath.Join(dir, name+".pem"),
			KeyFile: filepath.Join(dir, name+".key")})
		if err != nil {
			t.Fatal(err)
		}
		client.Transport.(*http.Transport).DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", socket)
		}
		t.Cleanup(client.CloseIdleConnections)
		s, cause := openAt(t, t.TempDir()), new(string)
		p, err := NewPuller(PullOptions{URL: "https://desk.example.vn/answers/", Client: client, Wait: time.Second},
			&Intake{Store: s, Queue: delivered(t), Log: quiet, Clock: func() time.Time { return noon }, Wrong: func(c string) { *cause = c }})
		if err != nil {
			t.Fatal(err)
		}
		return p, s, cause
	}
	d.answers("A", Done, []byte("invented result"))
	first, store, cause := asks("kiosk-1")
	if _, err := first.Round(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, data, err := store.Result("A"); err != nil || string(data) != "invented result" {
		t.Errorf("the result: %q, %v", data, err)
	}
	if d.kiosks["kiosk-1"] != store.Recipient().String() {
		t.Errorf("the desk knows %v", d.kiosks)
	}
	if p, _, cause := asks("kiosk-3"); true { // of the authority, and in no list
		if _, err := p.Round(t.Context()); err == nil || *cause != "refused" {
			t.Errorf("a kiosk that is in no list: %v, %s", err, *cause)
		}
	}
	if p, s, cause := asks("late"); true {
		if _, err := p.Round(t.Context()); err == nil || *cause == "" || s.Cursor() != (Cursor{}) || errors.Is(err, ErrTurnedOut) {
			t.Errorf("a certificate that has run out: %v, %s", err, *cause)
		}
	}
	if err := kiosks.Revoke("kiosk-1", "hoa", noon); err != nil {
		t.Fatal(err)
	}
	d.answers("B", Received, nil)
	if _, err := first.Round(t.Context()); err == nil || *cause != "refused" {
		t.Errorf("revoked: %v, %s", err, *cause)
	}
	second, store, _ := asks("kiosk-2")
	if _, err := second.Round(t.Context()); err != nil {
		t.Error(err)
	}
	if r, err := store.ByCode(codeOf("B")); err != nil || r.State != Received {
		t.Errorf("the other kiosk: %v, %v", r, err)
	}
}

// startNginx runs a real nginx before a desk, on a socket in dir; it ends with the test. Its lines are those of the README.
func startNginx(t *testing.T, dir, desk string) (socket string) {
	t.Helper()
	socket = filepath.Join(dir, "s")
	conf := fmt.Sprintf(`daemon off; master_process off; worker_processes 1; pid %[1]s/pid; error_log stderr;
events {}
http {
	access_log off; client_body_temp_path %[1]s/body; proxy_temp_path %[1]s/proxy;
	fastcgi_temp_path %[1]s/f; uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/c;
	map $ssl_client_s_dn $kiosk_token {
		default "";
		"CN=kiosk-1" invented-token-of-kiosk-1;
		"CN=kiosk-2" invented-token-of-kiosk-2;
	}
	server {
		listen unix:%[2]s ssl; server_name desk.example.vn;
		ssl_certificate %[1]s/desk.example.vn.pem; ssl_certificate_key %[1]s/desk.example.vn.key;
		ssl_client_certificate %[1]s/ca.pem; ssl_verify_client on;
		location /answers/ { proxy_pass %[3]s; proxy_http_version 1.1; proxy_read_timeout 60s;
			proxy_set_header Authorization "Bearer $kiosk_token"; }
	}
}`, dir, socket, desk)
	if err := os.WriteFile(filepath.Join(dir, "nginx.conf"), []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("nginx", "-e", "stderr", "-p", dir, "-c", filepath.Join(dir, "nginx.conf"))
	var said strings.Builder
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	gone := make(chan error, 1)
	go func() { gone <- cmd.Wait() }()
	t.Cleanup(func() { _ = cmd.Process.Kill(); <-gone })
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); {
		if c, err := net.Dial("unix", socket); err == nil {
			c.Close()
			return socket
		}
		select {
		case err := <-gone:
			gone <- err
			t.Fatalf("nginx ended: %v\n%s", err, said.String())
		case <-time.After(10 * time.Millisecond):
		}
	}
	t.Fatal("nginx does not listen")
	return ""
}

// authority makes certificates.
type authority struct {
	dir  string
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
}

func newAuthority(t *testing.T, dir string) *authority {
	t.Helper()
	a := &authority{dir: dir}
	a.issue(t, "ca", time.Now().Add(time.Hour))
	return a
}

// issue writes NAME.pem and NAME.key; the first is the authority's own.
func (a *authority) issue(t *testing.T, name string, until time.Time) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: until}
	if a.cert == nil {
		c.IsCA, c.BasicConstraintsValid, c.KeyUsage = true, true, x509.KeyUsageCertSign
		a.key, a.cert = key, c
	}
	der, err := x509.CreateCertificate(rand.Reader, c, a.cert, &key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	if a.cert == c {
		if a.cert, err = x509.ParseCertificate(der); err != nil {
			t.Fatal(err)
		}
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for file, block := range map[string]*pem.Block{name + ".pem": {Type: "CERTIFICATE", Bytes: der},
		name + ".key": {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(filepath.Join(a.dir, file), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
