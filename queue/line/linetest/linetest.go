// Package linetest is what tests put before a far side: an authority that makes certificates, and a real nginx that ends TLS and
// wants one of every kiosk.
package linetest

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

	"motcua/queue/line"
)

// Front is an authority and the nginx before a far side, in a folder of its own. All of it ends with the test.
type Front struct {
	Host string // what nginx and its certificate are called

	dir    string
	socket string
	key    *ecdsa.PrivateKey
	cert   *x509.Certificate
}

// NewFront makes the folder, the authority and the certificate of host.
func NewFront(t *testing.T, host string) *Front {
	t.Helper()
	dir, err := os.MkdirTemp("", "ngx") // a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	f := &Front{Host: host, dir: dir, socket: filepath.Join(dir, "s")}
	f.Issue(t, "ca", time.Now().Add(time.Hour))
	f.Issue(t, host, time.Now().Add(time.Hour))
	return f
}

// Issue makes a certificate, or a new one in place of it; the first is the authority's own.
func (f *Front) Issue(t *testing.T, name string, until time.Time) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: until}
	if f.cert == nil {
		c.IsCA, c.BasicConstraintsValid, c.KeyUsage = true, true, x509.KeyUsageCertSign
		f.key, f.cert = key, c
	}
	der, err := x509.CreateCertificate(rand.Reader, c, f.cert, &key.PublicKey, f.key)
	if err != nil {
		t.Fatal(err)
	}
	if f.cert == c {
		if f.cert, err = x509.ParseCertificate(der); err != nil {
			t.Fatal(err)
		}
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for file, block := range map[string]*pem.Block{name + ".pem": {Type: "CERTIFICATE", Bytes: der},
		name + ".key": {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(filepath.Join(f.dir, file), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// Start runs nginx with lines for its http section (may be empty) and for its server.
func (f *Front) Start(t *testing.T, section, server string) {
	t.Helper()
	conf := fmt.Sprintf(`daemon off; master_process off; worker_processes 1; pid %[1]s/pid; error_log stderr;
events {}
http {
	access_log off; client_body_temp_path %[1]s/body; proxy_temp_path %[1]s/proxy;
	fastcgi_temp_path %[1]s/f; uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/c;
	%[4]s
	server {
		listen unix:%[2]s ssl; server_name %[3]s; ssl_certificate %[1]s/%[3]s.pem; ssl_certificate_key %[1]s/%[3]s.key;
		ssl_client_certificate %[1]s/ca.pem; ssl_verify_client on;
		%[5]s
	}
}`, f.dir, f.socket, f.Host, section, server)
	if err := os.WriteFile(filepath.Join(f.dir, "nginx.conf"), []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("nginx", "-e", "stderr", "-p", f.dir, "-c", filepath.Join(f.dir, "nginx.conf"))
	var said strings.Builder
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	gone := make(chan error, 1)
	go func() { gone <- cmd.Wait() }()
	t.Cleanup(func() { _, _ = cmd.Process.Kill(), <-gone })
	for {
		if c, err := net.Dial("unix", f.socket); err == nil {
			c.Close()
			return
		}
		select {
		case err := <-gone:
			gone <- err
			t.Fatalf("nginx ended: %v\n%s", err, said.String())
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// Client is a kiosk's HTTP client with the certificate of a name; whatever it asks, nginx is asked.
func (f *Front) Client(t *testing.T, name string) *http.Client {
	t.Helper()
	client, err := line.NewClient(line.TLS{CAFile: filepath.Join(f.dir, "ca.pem"), CertFile: filepath.Join(f.dir, name+".pem"),
		KeyFile: filepath.Join(f.dir, name+".key")})
	if err != nil {
		t.Fatal(err)
	}
	client.Transport.(*http.Transport).DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", f.socket)
	}
	t.Cleanup(client.CloseIdleConnections)
	return client
}
