package tus

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"motcua/queue"
	"motcua/queue/line"
)

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

// startNginx runs a real nginx as the front of a hub, on a socket in dir; it ends with the test.
func startNginx(t *testing.T, dir, server string) (socket string) {
	t.Helper()
	socket = filepath.Join(dir, "s")
	conf := fmt.Sprintf(`daemon off; master_process off; worker_processes 1; pid %[1]s/pid; error_log stderr;
events {}
http {
	access_log off; client_body_temp_path %[1]s/body; proxy_temp_path %[1]s/proxy;
	fastcgi_temp_path %[1]s/f; uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/c;
	server { listen unix:%[2]s ssl; server_name hub.example.vn; ssl_certificate %[1]s/hub.example.vn.pem;
		ssl_certificate_key %[1]s/hub.example.vn.key;
		ssl_client_certificate %[1]s/ca.pem; ssl_verify_client on; %[3]s }
}`, dir, socket, server)
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
	for {
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
}

// TestExpiredCertificateAtNginx: a front that wants a kiosk's certificate says 400 when it has run out. That is not the hub's
// word: the whole backlog waits, the technician reads who answered, and with a new certificate all of it arrives.
func TestExpiredCertificateAtNginx(t *testing.T) {
	dir, err := os.MkdirTemp("", "ngx") // a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	hub := startTusd(t, nil)
	ca := newAuthority(t, dir)
	ca.issue(t, "hub.example.vn", time.Now().Add(time.Hour))
	ca.issue(t, "kiosk", time.Now().Add(-time.Hour))
	socket := startNginx(t, dir, fmt.Sprintf(`client_max_body_size 100k;
		location /files/ { proxy_pass %s; proxy_request_buffering off; proxy_http_version 1.1; }`, hub.Server.URL))
	client, err := line.NewClient(line.TLS{CAFile: filepath.Join(dir, "ca.pem"), CertFile: filepath.Join(dir, "kiosk.pem"),
		KeyFile: filepath.Join(dir, "kiosk.key")})
	if err != nil {
		t.Fatal(err)
	}
	transport := client.Transport.(*http.Transport)
	transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", socket)
	}
	defer transport.CloseIdleConnections()
	s, err := New(Options{Endpoint: "https://hub.example.vn/files/", Client: client})
	if err != nil {
		t.Fatal(err)
	}

	kiosk := t.TempDir()
	open := func() *queue.Queue {
		q, _, err := queue.Open(t.Context(), kiosk, queue.Options{MinFree: -1})
		if err != nil {
			t.Fatal(err)
		}
		return q
	}
	q := open()
	const n = 5
	for i := range n {
		if _, err := q.Enqueue(t.Context(), queue.Draft{ID: fmt.Sprint("K", i),
			Parts: []queue.Part{queue.FromBytes("form.json", "application/json", make([]byte, 200<<10))}}); err != nil {
			t.Fatal(err)
		}
	}
	if pass, err := q.DeliverDue(t.Context(), s); err == nil || pass.Held > 0 || pass.Delivered > 0 {
		t.Fatalf("%+v %v", pass, err)
	}
	all, err := q.List(queue.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	for _, sub := range all {
		if sub.State != queue.Queued || sub.Attempts > 0 && !strings.Contains(sub.LastError, "not the hub but nginx") {
			t.Errorf("%s: %s", sub.State, sub.LastError)
		}
	}
	if err := s.Probe(t.Context()); err == nil || !strings.Contains(err.Error(), "nginx") {
		t.Errorf("probe: %v", err)
	}

	// The certificate is renewed in its place; nginx takes no more than 100 kB at once, which is found out. A restart
	// spares the test the minutes for which a hub is left alone that refuses everybody.
	ca.issue(t, "kiosk", time.Now().Add(time.Hour))
	transport.CloseIdleConnections()
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}
	q = open()
	defer q.Close()
	if _, err := q.RetryAll(t.Context()); err != nil {
		t.Fatal(err)
	}
	if pass, err := q.DeliverDue(t.Context(), s); err != nil || pass.Delivered != n {
		t.Fatalf("%+v %v", pass, err)
	}
	arrived := hub.arrived(t)
	for i := range n {
		if got := arrived[fmt.Sprint("K", i)]; len(got) != 1 {
			t.Errorf("K%d arrived %d times", i, len(got))
		}
	}
}
