package sane

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"motcua/drivers/scan"
)

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestCheck_healthy(t *testing.T) {
	for _, f := range Check(t.Context(), testBackend(t)) {
		if !f.OK && strings.HasPrefix(f.What, "SANE") {
			t.Errorf("%+v", f)
		}
	}
}

func TestCheck_no_backend_and_crashing_backend(t *testing.T) {
	f := Check(t.Context(), backends(t, nil, ""))
	if f[0].OK || !strings.Contains(f[0].Mend, "dll.conf") {
		t.Errorf("%+v", f[0])
	}
	f = Check(t.Context(), Options{Worker: []string{"/bin/sh", "-c", "echo SIGSEGV >&2; kill -SEGV $$"}})
	if f[1].OK || !strings.Contains(f[1].What, "crashes") {
		t.Errorf("%+v", f[1])
	}
}

// A USB bus as sysfs shows it: a scanner udev knows, one it does not know, and a mouse.
func TestCheck_USB_scanners(t *testing.T) {
	dir := t.TempDir()
	device := func(name, vendor, product, title, dev string, number int, class string) {
		for file, text := range map[string]string{
			"idVendor": vendor, "idProduct": product, "product": title, "manufacturer": "Acme", "dev": dev,
			"busnum": "1", "devnum": fmt.Sprint(number), name + ":1.0/bInterfaceClass": class,
		} {
			write(t, filepath.Join(dir, "sys", name, file), text+"\n")
		}
	}
	device("1-1", "04a9", "190e", "LiDE", "189:4", 5, "ff")
	device("1-2", "04b8", "0142", "V39", "189:5", 6, "ff")
	device("1-3", "046d", "c077", "Mouse", "189:6", 7, "03")
	write(t, filepath.Join(dir, "udev", "c189:4"), "E:ID_MODEL=x\nE:libsane_matched=yes\n")
	for _, c := range []struct {
		usable string
		want   []string
	}{
		{"", []string{"false LiDE group scanner", "false V39 udev rule 04b8"}},
		{"/dev/bus/usb/001/005", []string{"true LiDE", "false V39 60-scanner.rules"}},
	} {
		m := machine{sys: filepath.Join(dir, "sys"), udev: filepath.Join(dir, "udev"), usable: func(node string) bool { return node == c.usable }}
		got := m.check()
		if len(got) != len(c.want) {
			t.Fatalf("got %+v", got)
		}
		for i, f := range got {
			for _, word := range strings.Fields(c.want[i]) {
				if !strings.Contains(fmt.Sprint(f.OK, f.What, f.Mend), word) {
					t.Errorf("%+v lacks %q", f, word)
				}
			}
		}
	}
}

// The real saned, on a loopback address it knows and on one it was not told of.
func TestCheck_saned(t *testing.T) {
	if _, err := exec.LookPath("saned"); err != nil {
		t.Fatal("saned is not installed: run .ci/setup test")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := l.Addr().String()
	_, port, _ := net.SplitHostPort(at)
	l.Close()
	config := t.TempDir()
	write(t, filepath.Join(config, "net.conf"), "# hosts\nconnect_timeout = 3\n"+at+"\n")
	if f := checkHosts(t.Context(), config); len(f) != 1 || f[0].OK || !strings.Contains(f[0].Mend, "saned.socket") {
		t.Fatalf("not running: %+v", f)
	}
	o := testBackend(t)
	write(t, filepath.Join(strings.TrimPrefix(o.Env[1], "SANE_CONFIG_DIR="), "saned.conf"), "")
	saned := exec.Command("saned", "-l", "-e", "-b", "127.0.0.1", "-p", port)
	saned.Env = append(os.Environ(), o.Env...)
	if err := saned.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		saned.Process.Kill()
		saned.Wait()
	}()
	var f []scan.Finding
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if f = checkHosts(t.Context(), config); f[0].OK {
			break
		}
	}
	if !f[0].OK {
		t.Fatalf("running: %+v", f)
	}
}

// What saned does with a host that saned.conf does not name: it hangs up. It always lets its own machine
// in, so that this cannot be tried with the real one over loopback.
func TestCheck_saned_that_hangs_up(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	done := make(chan struct{})
	go func() {
		defer close(done)
		if c, err := l.Accept(); err == nil {
			c.Close()
		}
	}()
	if f := checkHost(t.Context(), "office", l.Addr().String()); f.OK || !strings.Contains(f.Mend, "saned.conf") {
		t.Errorf("%+v", f)
	}
	<-done
}
