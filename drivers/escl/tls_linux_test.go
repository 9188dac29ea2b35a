package escl

import (
	"bufio"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"motcua/drivers/escl/printer"
	"motcua/drivers/scan"
)

// tunnel puts OpenSSL's TLS, by socat, before a device that speaks in the clear, and gives the address.
func tunnel(t *testing.T, device string, certificate []string, options string) string {
	t.Helper()
	dir := t.TempDir()
	pem := filepath.Join(dir, "device.pem")
	args := append([]string{"req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=scanner", "-days", "2", "-keyout", pem, "-out",
		pem + ".crt"}, certificate...)
	if out, err := exec.Command("openssl", args...).CombinedOutput(); err != nil {
		t.Fatalf("openssl: %v\n%s", err, out)
	}
	crt, err := os.ReadFile(pem + ".crt")
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(pem, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write(crt); err != nil {
		t.Fatal(err)
	}
	f.Close()
	socat := exec.Command("socat", "-d", "-d", "openssl-listen:0,bind=127.0.0.1,fork,verify=0,cert="+pem+options,
		"tcp:"+strings.TrimPrefix(device, "http://"))
	say, err := socat.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	socat.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // it makes a process for each connection
	if err := socat.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { syscall.Kill(-socat.Process.Pid, syscall.SIGKILL); <-done; socat.Wait() })
	at := make(chan string, 1)
	go func() {
		defer close(done)
		listening := regexp.MustCompile(`listening on .* (127\.0\.0\.1:\d+)`)
		for lines := bufio.NewScanner(say); lines.Scan(); {
			if m := listening.FindStringSubmatch(lines.Text()); m != nil {
				select {
				case at <- m[1]:
				default: // it says so again for each connection
				}
			}
		}
		close(at)
	}()
	address, ok := <-at
	if !ok {
		t.Fatal("socat does not listen")
	}
	return "https://" + address
}

// What scanners of fifteen years speak is spoken, by OpenSSL's own server.
func TestTLS_of_old_devices(t *testing.T) {
	for name, c := range map[string]struct {
		certificate []string
		options     string
	}{
		"of today":            {nil, ""},
		"1.0":                 {nil, ",openssl-min-proto-version=TLS1.0,openssl-max-proto-version=TLS1.0,cipher=ALL:@SECLEVEL=0"},
		"1.0 and keys by RSA": {nil, ",openssl-min-proto-version=TLS1.0,openssl-max-proto-version=TLS1.0,cipher=AES128-SHA:@SECLEVEL=0"},
		"1.2 and keys by RSA": {nil, ",openssl-max-proto-version=TLS1.2,cipher=AES256-SHA:@SECLEVEL=0"},
		"a negative serial":   {[]string{"-set_serial", "-12345"}, ""},
		"signed with SHA-1":   {[]string{"-sha1"}, ",openssl-max-proto-version=TLS1.2,cipher=ALL:@SECLEVEL=0"},
		"all of it": {[]string{"-sha1", "-set_serial", "-1"},
			",openssl-min-proto-version=TLS1.0,openssl-max-proto-version=TLS1.0,cipher=AES128-SHA:@SECLEVEL=0"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := printer.New(printer.Habits{})
			p.Feed(sheets(t, 2)...)
			server := httptest.NewServer(p)
			defer server.Close()
			s := openAt(t, tunnel(t, server.URL, c.certificate, c.options)+"/eSCL", Options{Pins: filepath.Join(t.TempDir(), "scanners")})
			pages, err := all(t.Context(), s, scan.Settings{Source: scan.ADF, DPI: 300})
			if err != nil {
				t.Fatal(err)
			}
			compare(t, pages, sheets(t, 2), 0)
		})
	}
}

// A device whose TLS cannot be spoken is said to be that, and nothing is sent in the clear instead.
func TestTLS_that_cannot_be_spoken(t *testing.T) {
	p := printer.New(printer.Habits{})
	plain := httptest.NewServer(p) // answers a handshake with HTTP
	defer plain.Close()
	s := openAt(t, strings.Replace(plain.URL, "http:", "https:", 1)+"/eSCL", Options{})
	_, err := all(t.Context(), s, scan.Settings{})
	var f *scan.Fault
	if !errors.As(err, &f) || f.Code != scan.Insecure || !strings.Contains(f.Technician, "encrypted connection") ||
		strings.Contains(f.Technician, "cable") {
		t.Errorf("got %v", err)
	}
	if len(p.Tickets) > 0 {
		t.Error("a job reached the device in the clear")
	}
}

func TestTLS_never_gives_way_to_plain_HTTP(t *testing.T) {
	p := printer.New(printer.Habits{})
	p.Lay(sheet(t, 1))
	plain, secure := httptest.NewServer(p), httptest.NewTLSServer(p)
	defer plain.Close()
	defer secure.Close()
	o := Options{Pins: filepath.Join(t.TempDir(), "scanners")}
	if _, err := all(t.Context(), openAt(t, secure.URL+"/eSCL", o), scan.Settings{}); err != nil {
		t.Fatal(err)
	}
	jobs := len(p.Tickets)
	refused := func(what, address string, o Options) {
		t.Helper()
		_, err := all(t.Context(), openAt(t, address, o), scan.Settings{})
		if !errors.Is(err, &scan.Fault{Code: scan.Insecure}) || len(p.Tickets) != jobs {
			t.Errorf("%s: %v, %d jobs", what, err, len(p.Tickets)-jobs)
		}
	}
	refused("a device that was seen on TLS", plain.URL+"/eSCL", o)
	down := httptest.NewTLSServer(http.RedirectHandler(plain.URL+"/eSCL/ScannerCapabilities", http.StatusMovedPermanently))
	defer down.Close()
	refused("sent from TLS to plain HTTP", down.URL+"/eSCL", Options{})

	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, secure.URL+r.URL.Path, http.StatusMovedPermanently)
	}))
	defer up.Close()
	for range 2 { // the second time it is known
		if _, err := all(t.Context(), openAt(t, up.URL+"/eSCL", o), scan.Settings{}); err != nil {
			t.Errorf("sent from plain HTTP to TLS: %v", err)
		}
	}
}

// A kiosk whose folder cannot be written scans all the same; the key is known as long as the process runs.
func TestTLS_without_a_place_to_keep_keys(t *testing.T) {
	p := printer.New(printer.Habits{})
	p.Lay(sheet(t, 1))
	secure := httptest.NewTLSServer(p)
	defer secure.Close()
	s := openAt(t, secure.URL+"/eSCL", Options{Pins: filepath.Join(t.TempDir(), "not", "there", "scanners")})
	for range 2 {
		if pages, err := all(t.Context(), s, scan.Settings{}); err != nil || len(pages) != 1 {
			t.Fatalf("%d pages, %v", len(pages), err)
		}
	}
	if s.trust.notKept() == nil {
		t.Error("nobody is told that the key was not kept")
	}
}
