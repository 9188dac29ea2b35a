package daemon

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"time"
)

// wire is a connection in memory that comes from an address.
type wire struct {
	net.Conn
	from, to net.Addr
}

func (w wire) RemoteAddr() net.Addr { return w.from }
func (w wire) LocalAddr() net.Addr  { return w.to }

// street hands a server connections that come from anywhere.
type street struct {
	come chan net.Conn
	gone chan struct{}
}

func (s *street) Accept() (net.Conn, error) {
	select {
	case c := <-s.come:
		return c, nil
	case <-s.gone:
		return nil, net.ErrClosed
	}
}
func (s *street) Close() error   { close(s.gone); return nil }
func (s *street) Addr() net.Addr { return at("192.0.2.1:8080") }

func at(address string) net.Addr {
	a, err := net.ResolveTCPAddr("tcp", address)
	if err != nil {
		panic(err)
	}
	return a
}

// Nobody fills a listener: not one neighbour, not all of them, not a program of this machine; and none of them takes the place of another
// kind, the kiosk's own screen first.
func TestCrowd(t *testing.T) {
	s := &street{come: make(chan net.Conn), gone: make(chan struct{})}
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() {
		served <- Serve(ctx, s, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "page") }), "", "")
	}()
	defer func() {
		cancel()
		if err := <-served; err != nil {
			t.Error(err)
		}
	}()
	open := func(from, to string) net.Conn {
		near, far := net.Pipe()
		t.Cleanup(func() { near.Close() })
		s.come <- wire{far, at(from), at(to)}
		return near
	}
	answers := func(c net.Conn) bool {
		_ = c.SetDeadline(time.Now().Add(time.Minute))
		if _, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
			return false
		}
		r, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			return false
		}
		_, err = io.Copy(io.Discard, r.Body)
		return err == nil && r.Body.Close() == nil
	}
	const kiosk = "192.0.2.1:8080"
	crowds := []struct {
		name string
		most int
		from func(i int) string
		to   string
	}{
		{"one neighbour", addressMost, func(int) string { return "192.0.2.66:5000" }, kiosk},
		{"one of IPv6 with many addresses", addressMost,
			func(i int) string { return fmt.Sprintf("[2001:db8::%x]:5000", i+1) }, "[2001:db8::1:1]:8080"},
		{"all together", othersMost - 2*addressMost, func(i int) string { return fmt.Sprintf("198.51.100.%d:5000", i%250) }, kiosk},
		{"a program of this machine", ownMost, func(int) string { return "127.0.0.1:5000" }, "127.0.0.1:8080"},
	}
	var first net.Conn
	for _, c := range crowds {
		if !answers(open("127.0.0.1:4000", "127.0.0.1:8080")) && c.most != ownMost {
			t.Fatalf("before %s: the kiosk's own screen is locked out", c.name)
		}
		kept := 0
		for i := range c.most + 40 {
			if conn := open(c.from(i), c.to); answers(conn) {
				if kept++; first == nil {
					first = conn
				}
			}
		}
		if kept > c.most || kept < c.most-len(crowds) { // the screen's own are among the last
			t.Errorf("%s: %d connections are kept, want %d", c.name, kept, c.most)
		}
		t.Logf("%s: %d of %d are kept", c.name, kept, c.most+40)
	}
	// A place that gets free is given again.
	first.Close()
	for end := time.Now().Add(time.Minute); !answers(open("192.0.2.66:5001", kiosk)); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the place of a connection that ended stays taken")
		}
	}
}
