// Package line makes HTTP requests that get through, or end, on poor lines. In go files that say whom to
// trust, a body and a limit; out come a client and a body that is limited and watched. It promises: no
// request stands still for longer than it was given patience; a redirect carries nothing elsewhere.
package line

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// TLS says whom to trust and who we are. The zero TLS trusts the system's authorities and shows no certificate.
type TLS struct {
	CAFile     string // PEM; trusted instead of the system's authorities
	CertFile   string // PEM; this kiosk's certificate (mTLS), read again at each handshake so that renewal needs no restart
	KeyFile    string // PEM
	ServerName string // where the certificate names another host than the address does
}

// Config returns what crypto/tls needs.
func (t TLS) Config() (*tls.Config, error) {
	conf := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: t.ServerName}
	if t.CAFile != "" {
		pem, err := os.ReadFile(t.CAFile)
		if err != nil {
			return nil, fmt.Errorf("read hub's CA: %w", err)
		}
		conf.RootCAs = x509.NewCertPool()
		if !conf.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("read hub's CA: %s holds no PEM certificate", t.CAFile)
		}
	}
	if t.CertFile != "" || t.KeyFile != "" {
		load := func() (*tls.Certificate, error) {
			c, err := tls.LoadX509KeyPair(t.CertFile, t.KeyFile)
			if err != nil {
				return nil, fmt.Errorf("read kiosk's certificate: %w", err)
			}
			return &c, nil
		}
		if _, err := load(); err != nil {
			return nil, err
		}
		conf.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return load() }
	}
	return conf, nil
}

// NewClient returns an HTTP client made for uploads over poor lines.
func NewClient(t TLS) (*http.Client, error) {
	conf, err := t.Config()
	if err != nil {
		return nil, err
	}
	dial := &net.Dialer{
		Timeout:         20 * time.Second,
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 15 * time.Second, Interval: 5 * time.Second, Count: 3},
		Control: func(_, _ string, c syscall.RawConn) (err error) {
			// A line that is half open swallows bytes until the kernel's buffers are full; this makes the
			// kernel give up on unacknowledged bytes instead of after a quarter of an hour.
			if e := c.Control(func(fd uintptr) {
				err = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, 30_000)
			}); e != nil {
				return e
			}
			return err
		},
	}
	// HTTP/1.1 only: uploads that share one HTTP/2 connection would all break with it.
	http1 := new(http.Protocols)
	http1.SetHTTP1(true)
	return &http.Client{
		CheckRedirect: NoRedirect,
		Transport: &http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			DialContext:         dial.DialContext,
			TLSClientConfig:     conf,
			TLSHandshakeTimeout: 20 * time.Second,
			IdleConnTimeout:     60 * time.Second,
			MaxIdleConnsPerHost: idleMost,
			WriteBufferSize:     writeBuffer,
			Protocols:           http1,
		},
	}, nil
}

// idleMost is how many connections to one hub are kept: two submissions travel at a time, and each has three that are being
// prepared behind it and some that are being proved after it.
const idleMost = 16

// writeBuffer is how many bytes of a request are gathered before they go: small enough that a body which waits for something
// before its last byte is on its way meanwhile.
const writeBuffer = 32 << 10

// NoRedirect keeps a token and citizens' papers from being carried to another address.
func NoRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// Loopback reports whether a host is this machine, where http:// is no danger.
func Loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
