package web

import (
	"bufio"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The citizen's way against the program as it is shipped: `motcua run --demo`, from the first touch to
// the files at the receiver.
func TestCitizenAtTheDaemon(t *testing.T) {
	dir := t.TempDir()
	binary := filepath.Join(dir, "motcua")
	if out, err := exec.Command("go", "build", "-o", binary, "motcua/agent").CombinedOutput(); err != nil {
		t.Fatalf("build the daemon: %v\n%s", err, out)
	}
	daemon := exec.Command(binary, "run", "--demo", "--listen", "127.0.0.1:0")
	daemon.Dir = dir
	said, err := daemon.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	daemon.Stderr = daemon.Stdout
	if err := daemon.Start(); err != nil {
		t.Fatal(err)
	}
	address := make(chan string, 1)
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		lines := bufio.NewScanner(said)
		for lines.Scan() {
			if _, at, ok := strings.Cut(lines.Text(), "Motcua is at "); ok {
				address <- strings.TrimSuffix(at, "/")
			}
		}
	}()
	t.Cleanup(func() {
		_ = daemon.Process.Signal(syscall.SIGTERM)
		<-drained
		if err := daemon.Wait(); err != nil {
			t.Errorf("the daemon ended with %v", err)
		}
	})
	k := &kiosk{server: &httptest.Server{}}
	select {
	case k.server.URL = <-address:
	case <-time.After(patience):
		t.Fatal("the daemon told no address")
	}
	ctx := browser(t, 1920, 1080)
	toReceipt(t, ctx, k, "2.000815", func(string) {})
	await(t, "word that it was sent", func() bool { return strings.Contains(text(t, ctx, "[data-receipt]"), "Đã gửi đến phường") })
	forms, err := filepath.Glob(filepath.Join(dir, "var", "received", "*", "form.json"))
	if err != nil || len(forms) != 1 {
		t.Fatalf("%d forms at the receiver, %v", len(forms), err)
	}
	pages, _ := filepath.Glob(filepath.Join(filepath.Dir(forms[0]), "page-*"))
	if len(pages) == 0 {
		t.Error("no page at the receiver")
	}
	if form, err := os.ReadFile(forms[0]); err != nil || !strings.Contains(string(form), `"2.000815"`) {
		t.Errorf("form.json: %v", err)
	}
}
