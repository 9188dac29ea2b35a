package cli

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"strconv"
	"testing"
)

func TestListener(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := netip.MustParseAddrPort(l.Addr().String())
	if uid, err := listener(at); err != nil || uid != strconv.Itoa(os.Getuid()) {
		t.Errorf("served by %q, %v", uid, err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if uid, err := listener(at); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("served by %q, %v", uid, err)
	}
}
