package escl

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// inNamespace says, in the environment of this test's second process, that it is alone in a network of its own.
const inNamespace = "MOTCUA_TEST_NETWORK"

// TestList_of_a_network_without_a_default_route looks for scanners in a network of its own, in which avahi announces five
// scanners by one responder, on an interface that no route but its own leads to. The list is what was announced, and what
// avahi's own browser says.
func TestList_of_a_network_without_a_default_route(t *testing.T) {
	if os.Getenv(inNamespace) != "" {
		alone(t)
		return
	}
	// The mount namespace is for avahi's folder of services. A user namespace would not do: avahi wants its own user.
	argv := []string{"unshare", "--net", "--mount", os.Args[0], "-test.run=^" + t.Name() + "$", "-test.timeout=60s", "-test.v"}
	if os.Geteuid() != 0 {
		argv = append([]string{"sudo", "-n", "--preserve-env=" + inNamespace}, argv...)
	}
	c := exec.CommandContext(t.Context(), argv[0], argv[1:]...)
	c.Env = append(os.Environ(), inNamespace+"=1")
	c.Cancel = func() error { return c.Process.Signal(syscall.SIGTERM) }
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("in a network of its own: %v\n%s", err, out)
	}
	t.Logf("in a network of its own:\n%s", out)
}

func alone(t *testing.T) {
	run := func(args ...string) {
		t.Helper()
		if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
	}
	run("ip", "link", "set", "lo", "up")
	run("ip", "link", "add", "office", "type", "veth", "peer", "name", "wall")
	run("ip", "address", "add", "10.77.0.1/24", "dev", "office")
	if infos, err := List(t.Context(), Options{}); err != nil || len(infos) != 0 {
		t.Errorf("no interface is up: %v, %v", infos, err)
	}
	run("ip", "link", "set", "wall", "up")
	run("ip", "link", "set", "office", "up")
	if out, _ := exec.Command("ip", "route", "show", "default").Output(); len(out) > 0 {
		t.Fatalf("there is a default route: %s", out)
	}
	infos, err := List(t.Context(), Options{})
	if err != nil || len(infos) != 0 {
		t.Errorf("nobody announces: %v, %v", infos, err)
	}
	var want []string
	folder := t.TempDir()
	for n := range 5 {
		kind, scheme := "_uscan._tcp", "http"
		if n == 3 {
			kind, scheme = "_uscans._tcp", "https"
		}
		service := fmt.Sprintf(`<?xml version="1.0"?><!DOCTYPE service-group SYSTEM "avahi-service.dtd"><service-group>
<name>Scanner %d</name><service><type>%s</type><port>%d</port><txt-record>ty=Acme Office %d</txt-record><txt-record>rs=eSCL</txt-record>
<txt-record>uuid=00000000-0000-4000-8000-00000000000%d</txt-record>
<txt-record>is=platen,adf</txt-record><txt-record>cs=color,grayscale</txt-record><txt-record>duplex=T</txt-record>
</service></service-group>`, n, kind, 8000+n, n, n)
		if err := os.WriteFile(filepath.Join(folder, fmt.Sprintf("%d.service", n)), []byte(service), 0o644); err != nil {
			t.Fatal(err)
		}
		want = append(want, fmt.Sprintf("escl:%s://10.77.0.1:%d/eSCL", scheme, 8000+n))
	}
	slices.Sort(want)
	// And one of them twice, in the clear too: it is listed once, by its address with TLS.
	twice := strings.NewReplacer("_uscans._tcp", "_uscan._tcp", "Scanner 3", "Scanner 3 in the clear", "8003", "8103")
	data, err := os.ReadFile(filepath.Join(folder, "3.service"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "3b.service"), []byte(twice.Replace(string(data))), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	run("mount", "--bind", folder, "/etc/avahi/services")
	config := filepath.Join(t.TempDir(), "avahi.conf")
	if err := os.WriteFile(config, []byte("[server]\nhost-name=office\nuse-ipv6=no\nenable-dbus=yes\n"+
		"[publish]\npublish-workstation=no\n[rlimits]\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	run("mount", "-t", "tmpfs", "run", "/run")
	// airscan-discover asks avahi by the system's bus: this namespace has one of its own.
	if err := os.Mkdir("/run/dbus", 0o755); err != nil {
		t.Fatal(err)
	}
	bus := exec.Command("dbus-daemon", "--system", "--nofork", "--nopidfile", "--nosyslog", "--print-address")
	bus.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	ready, err := bus.StdoutPipe()
	if err == nil {
		err = bus.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() { bus.Process.Kill(); bus.Wait() }()
	if _, err := bufio.NewReader(ready).ReadString('\n'); err != nil {
		t.Fatalf("the bus: %v", err)
	}
	avahi := exec.Command("avahi-daemon", "--no-drop-root", "--no-chroot", "--no-rlimits", "-f", config)
	var say strings.Builder
	avahi.Stdout, avahi.Stderr = &say, &say
	avahi.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := avahi.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { avahi.Process.Kill(); avahi.Wait() }()

	// avahi probes the names for a second before it answers.
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	var got []string
	for ctx.Err() == nil {
		infos, err := List(ctx, Options{})
		if err != nil {
			t.Fatalf("%v\n%s", err, &say)
		}
		got = got[:0]
		for _, i := range infos {
			got = append(got, i.ID)
		}
		slices.Sort(got)
		if slices.Equal(got, want) {
			break
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("found %q\nwant %q\n%s", got, want, &say)
	}
	// sane-airscan's own search, in the same network: the same scanners. It tells each by the loopback too, since this machine announces
	// them, and the one that is announced twice by both its names.
	out, err := exec.CommandContext(ctx, "airscan-discover").CombinedOutput()
	if err != nil {
		t.Fatalf("airscan-discover: %v\n%s", err, out)
	}
	var theirs []string
	for _, line := range strings.Split(string(out), "\n") {
		_, where, _ := strings.Cut(line, " = ")
		if address, protocol, ok := strings.Cut(where, ", "); ok && strings.TrimSpace(protocol) == "eSCL" {
			if id := "escl:" + strings.TrimRight(address, "/"); !strings.Contains(id, "127.0.0.1") && !strings.Contains(id, ":8103") {
				theirs = append(theirs, id)
			}
		}
	}
	slices.Sort(theirs)
	t.Logf("airscan-discover:\n%s", out)
	if !slices.Equal(theirs, want) {
		t.Errorf("airscan-discover found %q, want %q", theirs, want)
	}
	// What cannot be asked is told, not taken for an empty network.
	if _, err := List(t.Context(), Options{Interface: "nowhere"}); err == nil {
		t.Error("an interface that is not there gave no error")
	}
}
