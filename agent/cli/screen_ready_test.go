package cli

import (
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// systemd hears that the screen has begun once the browser runs, and not before; the browser doesn't get at systemd's socket.
func TestScreenTellsThatItHasBegun(t *testing.T) {
	dir := t.TempDir()
	socket := filepath.Join(dir, "notify")
	told, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer told.Close()
	t.Setenv("NOTIFY_SOCKET", socket)
	seen, down := filepath.Join(dir, "seen"), "http://127.0.0.1:1/away" // nobody answers there
	if err := (&screenCommand{Browser: []string{filepath.Join(dir, "no browser")}}).keep(t.Context(), down); err == nil {
		t.Fatal("a browser that isn't there has begun")
	}
	browser := []string{"/bin/sh", "-c", `printf %s "$NOTIFY_SOCKET" >"$0"`, seen}
	if err := (&screenCommand{Browser: browser}).keep(t.Context(), down); err != nil {
		t.Fatal(err)
	}
	if err := told.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	said := make([]byte, 100)
	n, err := told.Read(said)
	if err != nil || string(said[:n]) != "READY=1" {
		t.Errorf("systemd is told %q: %v", said[:n], err)
	}
	_ = told.SetReadDeadline(time.Now())
	if n, err := told.Read(said); err == nil {
		t.Errorf("a browser that did not begin is told too, or this one twice: %q", said[:n])
	}
	if b, err := os.ReadFile(seen); err != nil || len(b) > 0 {
		t.Errorf("the browser has %q: %v", b, err)
	}
}
