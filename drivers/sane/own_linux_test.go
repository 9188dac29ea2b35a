package sane

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"motcua/drivers/scan"
)

// built is the helper as it is installed.
func built(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), Helper)
	if out, err := exec.Command("go", "build", "-o", file, "./worker").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return file
}

var (
	helperMu   sync.Mutex // guards helperFile
	helperFile string
)

// installed is the helper, built once for many tests.
func installed(t *testing.T) string {
	t.Helper()
	helperMu.Lock()
	defer helperMu.Unlock()
	if helperFile == "" {
		text, err := os.ReadFile(built(t))
		if err != nil {
			t.Fatal(err)
		}
		helperFile = filepath.Join(officeDir, Helper) // which TestMain removes
		if err := os.WriteFile(helperFile, text, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return helperFile
}

// The helper does what the whole program does as a worker, within the same bounds.
func TestHelper_scans_and_is_held(t *testing.T) {
	d, o := play(t, "fujitsu", fi7260)
	o.Worker = []string{built(t)}
	if err := d.Load(3); err != nil {
		t.Fatal(err)
	}
	s := open(t, o, "sane:"+d.ID)
	pages, err := all(t.Context(), s, scan.Settings{Source: scan.ADF, Mode: scan.Gray, DPI: 100})
	if len(pages) != 3 || err != nil || s.Info().Note != "" {
		t.Errorf("%d pages, %v; %s", len(pages), err, s.Info().Note)
	}
	held, err := Try(t.Context(), o)
	if err != nil || len(held) != len(attempts) {
		t.Fatal(held, err)
	}
	for _, h := range held {
		if !h.Holds {
			t.Errorf("%s: no", h.Claim)
		}
	}
}

// A helper is taken beside the program or in the package's folder, and none that another than the program's owner could have
// laid there or changed.
func TestHelper_is_found_and_not_anybodys(t *testing.T) {
	root := t.TempDir()
	lay := func(name string, mode os.FileMode) string {
		t.Helper()
		file := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte("#!/bin/sh\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(file, mode); err != nil {
			t.Fatal(err)
		}
		return file
	}
	program := lay("usr/bin/motcua", 0o755)
	if got := helperOf(program); got != "" {
		t.Errorf("found %s where none is", got)
	}
	installed := lay("usr/lib/motcua/"+Helper, 0o755)
	if got := helperOf(program); got != installed {
		t.Errorf("found %q, want %s", got, installed)
	}
	beside := lay("usr/bin/"+Helper, 0o755)
	if got := helperOf(program); got != beside {
		t.Errorf("found %q, want %s", got, beside)
	}
	for _, mode := range []os.FileMode{0o775, 0o757, 0o644} {
		if err := os.Chmod(beside, mode); err != nil {
			t.Fatal(err)
		}
		if got := helperOf(program); got != installed {
			t.Errorf("mode %v: found %q", mode, got)
		}
	}
	if err := os.Chmod(beside, 0o755); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(root, "usr/sbin", Helper)
	if err := errors.Join(os.Mkdir(filepath.Dir(link), 0o755), os.Symlink(beside, link)); err != nil {
		t.Fatal(err)
	}
	if got := helperOf(lay("usr/sbin/motcua", 0o755)); got != installed {
		t.Errorf("a link, which whoever laid it may turn elsewhere: found %q", got)
	}
	if os.Getuid() != 0 {
		return // only root can give a file away
	}
	if err := os.Chown(beside, 1234, -1); err != nil {
		t.Fatal(err)
	}
	if got := helperOf(program); got != installed {
		t.Errorf("somebody else's: found %q", got)
	}
}

// What daemon and worker say has a number, which the helper's file is named by: whoever changes it raises the number in Helper,
// the Makefile and the package, and then what stands here.
func TestHelper_is_numbered(t *testing.T) {
	got := fmt.Sprintln(shape(reflect.TypeFor[request]())) + fmt.Sprintln(shape(reflect.TypeFor[reply]())) +
		fmt.Sprintln(ringSize, leastRoom, mostOwed, maxFrame, ringEnv, allowance{}.environment(), Helper)
	const want = "{Op string;Local bool;Device string;Prefer []string;Set []string;Source string;Mode string;DPI int;MaxPages int;" +
		"Area {Width float64;Height float64;};Longest float64;Pieces int;}\n" +
		"{Kind string;Version string;Devices []{Name string;Vendor string;Model string;Type string;};Caps []{Sources []string;" +
		"Modes []string;DPIs []int;Areas map {Width float64;Height float64;};};Frame []{Format int;Last bool;BytesPerLine int;" +
		"PixelsPerLine int;Lines int;Depth int;};DPI int;Source string;Instead string;Status int;During string;Text string;}\n" +
		"4194304 524288 524288 1048576 MOTCUA_SANE_RING [MOTCUA_SANE_READ= MOTCUA_SANE_DEVICES= MOTCUA_SANE_WRITE=] motcua-sane-worker-1\n"
	if got != want {
		t.Errorf("daemon and worker say\n%swant\n%s", got, want)
	}
	for file, line := range map[string]string{
		"../../Makefile":                    "\nSANE_WORKER := " + Helper + "\n",
		"../../configs/packaging/nfpm.yaml": "\n    dst: /usr/lib/motcua/" + Helper + "\n",
	} {
		text, err := os.ReadFile(file)
		if err != nil || !strings.Contains(string(text), line) {
			t.Errorf("%s has no line %q: %v", file, line, err)
		}
	}
}

func shape(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Struct:
		s := "{"
		for f := range t.Fields() {
			s += f.Name + " " + shape(f.Type) + ";"
		}
		return s + "}"
	case reflect.Pointer, reflect.Slice:
		return "[]" + shape(t.Elem())
	case reflect.Map:
		return "map " + shape(t.Elem())
	}
	return t.Kind().String()
}

// With Ready, a scan finds its worker started, also after one that was let go or died, and after a Close none is left.
func TestReady(t *testing.T) {
	d, o := play(t, "fujitsu", fi7260)
	o.Ready, o.Idle = true, 50*time.Millisecond
	s := Open(o, "sane:"+d.ID)
	held := func(look func()) {
		s.slot <- struct{}{}
		defer func() { <-s.slot }()
		look()
	}
	var spare *conn
	// next waits until another worker than the last one is ready.
	next := func() {
		t.Helper()
		before := spare
		for end := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
			held(func() { spare = s.spare })
			if spare != nil && spare != before {
				return
			}
			if time.Now().After(end) {
				t.Fatal("no worker is made ready")
			}
		}
	}
	scans := func(with func(used *conn) bool) {
		t.Helper()
		if err := d.Load(1); err != nil {
			t.Fatal(err)
		}
		for p, err := range s.Scan(t.Context(), scan.Settings{Source: scan.ADF, Mode: scan.Gray, DPI: 100}) {
			if err != nil {
				t.Fatal(err)
			}
			if !with(s.worker) { // the loop has the slot
				t.Errorf("page %d came from another worker", p.Number)
			}
		}
	}
	next()
	scans(func(used *conn) bool { return used == spare })
	next() // the one before was let go
	scans(func(used *conn) bool { return used == spare })
	next()
	_ = spare.cmd.Process.Kill() // one that dies costs nothing
	_, _ = spare.cmd.Process.Wait()
	scans(func(used *conn) bool { return used != spare })
	next()
	t.Setenv("SANE_DEBUG_DLL", "0") // what it was told of the machine is no more so
	scans(func(used *conn) bool { return used != spare })
	next()
	replaced := strings.TrimPrefix(d.Env[0], "SANE_CONFIG_DIR=")
	if err := errors.Join(os.Rename(replaced, replaced+".old"), os.CopyFS(replaced, os.DirFS(replaced+".old"))); err != nil {
		t.Fatal(err)
	}
	scans(func(used *conn) bool { return used != spare }) // its bounds hold it to the folder that was there
	next()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if s.spare != nil || s.worker != nil || spare.cmd.ProcessState == nil {
		t.Errorf("after Close a worker is left: %v", spare.cmd.ProcessState)
	}
	s.rest() // a timer that had gone off before
	s.closing.Wait()
	if s.spare != nil {
		t.Error("a closed scanner makes a worker ready")
	}
	if c := ahead(Options{Worker: o.Worker, Env: o.Env}); c != nil {
		t.Error("a worker is made ready where nobody asked for it")
	}
}

// Close waits for a timer that has gone off, too, and for the worker that it starts.
func TestCloseWaitsForRest(t *testing.T) {
	_, o := play(t, "fujitsu", fi7260)
	o.Ready, o.Idle = true, time.Nanosecond
	for range 20 {
		s := Open(o, "sane:")
		if err := s.take(t.Context()); err != nil {
			t.Fatal(err)
		}
		s.replace(nil) // none is ready: the timer that release sets starts one
		s.release()
		runtime.Gosched()
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		stacks := make([]byte, 1<<20)
		if stacks = stacks[:runtime.Stack(stacks, true)]; bytes.Contains(stacks, []byte("sane.(*Scanner).rest")) ||
			bytes.Contains(stacks, []byte("sane.ahead")) {
			t.Fatal("after Close a worker is being started")
		}
	}
}

// A worker that nobody asked anything, as one that was ready and not needed, has not touched libsane, also at its end.
func TestReady_unneeded(t *testing.T) {
	cmd, err := command(t.Context(), Options{Worker: []string{built(t)}, Env: []string{"SANE_DEBUG_DLL=255"}})
	if err != nil {
		t.Fatal(err)
	}
	pages, err := newRing()
	if err != nil {
		t.Fatal(err)
	}
	defer pages.close()
	cmd.ExtraFiles, cmd.Env = []*os.File{pages.file}, append(cmd.Env, ringEnv+"="+ringFile)
	if said, err := cmd.CombinedOutput(); err != nil || len(said) > 0 {
		t.Errorf("%v: %s", err, said)
	}
}
