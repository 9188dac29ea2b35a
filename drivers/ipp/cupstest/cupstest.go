// Package cupstest runs a real CUPS for tests, whose printer is a folder: what is printed is appended to the file "printed" in it. A
// file there that is named for a state ("media-empty-error", "media-jam-warning", "cover-open-error") holds the printer in it.
package cupstest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// Printed is the file in the printer's folder that holds what it printed.
const Printed = "printed"

const patience = 2 * time.Minute

// backend is what CUPS calls to reach a printer (backend(7)): this one's printer is a folder, into which it prints while there is
// paper; it tells CUPS of the rest in the words of its own backends. How a printer's electronics tell it, it can't show.
const backend = `#!/bin/sh
[ $# -eq 0 ] && { echo 'direct paper "Unknown" "Paper in a folder"'; exit 0; }
dir=${DEVICE_URI#paper:}
for reason in media-empty-error media-jam-warning cover-open-error; do
	while [ -e "$dir/$reason" ]; do echo "STATE: +$reason" >&2; sleep 0.1; done
	echo "STATE: -$reason" >&2
done
[ -e "$dir/broken" ] && exit 4
cat "${6:--}" >>"$dir/printed"
`

// Start starts a CUPS of its own with one raw queue, "phieu", whose printer is the folder that is given back.
func Start(t testing.TB) (uri, folder string) {
	t.Helper()
	root, err := os.MkdirTemp("", "cups") // a short path, open to the user that backends run as
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(root) })
	folder = filepath.Join(root, "paper")
	write := func(name, text string, mode os.FileMode) {
		t.Helper()
		file := filepath.Join(root, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(text), mode)); err != nil {
			t.Fatal(err)
		}
	}
	write("bin/backend/paper", backend, 0o755)
	for _, part := range []string{"daemon", "notifier", "filter", "cgi-bin", "driver", "monitor"} {
		_ = os.Symlink(filepath.Join("/usr/lib/cups", part), filepath.Join(root, "bin", part)) // what is not there is not needed
	}
	for _, dir := range []string{"paper", "spool", "cache", "state", "log", "tmp"} {
		if err := errors.Join(os.MkdirAll(filepath.Join(root, dir), 0o777), os.Chmod(filepath.Join(root, dir), 0o777)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(root, 0o755); err != nil {
		t.Fatal(err)
	}
	write("files.conf", fmt.Sprintf("ServerRoot %[1]s\nServerBin %[1]s/bin\nRequestRoot %[1]s/spool\nCacheDir %[1]s/cache\n"+
		"StateDir %[1]s/state\nTempDir %[1]s/tmp\nAccessLog %[1]s/log/access\nErrorLog %[1]s/log/error\nPageLog %[1]s/log/page\n", root), 0o644)
	write("printers.conf", "<Printer phieu>\nDeviceURI paper:"+folder+"\nState Idle\n"+
		"Accepting Yes\nShared No\nErrorPolicy retry-job\n</Printer>\n", 0o644)
	write("raw.convs", "", 0o644)
	address := FreePort(t)
	write("cupsd.conf", "Listen "+address+"\nLogLevel info\nBrowsing Off\nDefaultAuthType None\nWebInterface No\n"+
		"<Location />\nOrder allow,deny\nAllow all\n</Location>\n"+
		"<Policy default>\n<Limit All>\nOrder allow,deny\nAllow all\n</Limit>\n</Policy>\n", 0o644)
	ctx, stop := context.WithCancel(context.Background())
	program, err := exec.LookPath("cupsd")
	if err != nil {
		program = "/usr/sbin/cupsd" // which is on no user's path but root's
	}
	daemon := exec.CommandContext(ctx, program, "-f", "-c", filepath.Join(root, "cupsd.conf"), "-s", filepath.Join(root, "files.conf"))
	var said bytes.Buffer
	daemon.Stdout, daemon.Stderr = &said, &said
	daemon.Cancel = func() error { return daemon.Process.Signal(os.Interrupt) }
	daemon.WaitDelay = 10 * time.Second
	if err := daemon.Start(); err != nil {
		t.Fatalf("cupsd (Debian package cups-daemon): %v", err)
	}
	t.Cleanup(func() {
		stop()
		_ = daemon.Wait()
		if t.Failed() {
			log, _ := os.ReadFile(filepath.Join(root, "log/error"))
			t.Logf("%s%s", said.String(), log)
		}
	})
	for end := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		c, err := net.Dial("tcp", address)
		if err == nil {
			c.Close()
			break
		}
		if time.Now().After(end) {
			t.Fatal("cupsd does not answer")
		}
	}
	return "ipp://" + address + "/printers/phieu", folder
}

// FreePort gives a port that the kernel has just had free: cupsd can't be handed a socket of ours.
func FreePort(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
