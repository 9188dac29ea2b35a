package sane

import (
	"context"
	"errors"
	"fmt"
	"image"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"motcua/drivers/scan"
)

// The test binary is its own worker.
func TestMain(m *testing.M) {
	if os.Getenv("MOTCUA_TEST_SANE_WORKER") == "1" {
		if err := Serve(context.Background(), os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	if env := os.Getenv("MOTCUA_TEST_SANE_DAEMON"); env != "" { // for TestKill: scan slowly until killed
		s := Open(Options{Worker: []string{os.Args[0]}, Env: strings.Split(env, "|"),
			Set: []string{"read-delay=yes", "read-delay-duration=200000"}}, "sane:test:0")
		for range s.Scan(context.Background(), scan.Settings{DPI: 600, Lines: func(scan.Band) { fmt.Println(s.worker.cmd.Process.Pid) }}) {
		}
		os.Exit(0)
	}
	dir, err := os.MkdirTemp("", "motcua-sane-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	officeDir = dir
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// patience bounds every wait for a thing that a sound driver does at once, on a machine that has other work to do.
const patience = time.Minute

// testBackend sets up SANE's own test backend (real code from sane-backends, without a device) alone.
func testBackend(t testing.TB, set ...string) Options {
	t.Helper()
	return backends(t, []string{"test"}, "number_of_devices 2\nmode Color\ndepth 8\nresolution 100\ngeometry_max 300\nbr_x 210\nbr_y 297\n",
		set...)
}

func backends(t testing.TB, names []string, testConf string, set ...string) Options {
	t.Helper()
	if _, err := exec.LookPath("scanimage"); err != nil {
		t.Fatal("SANE is not installed: run .ci/setup test")
	}
	dir := t.TempDir()
	for name, text := range map[string]string{"dll.conf": strings.Join(names, "\n") + "\n", "test.conf": testConf} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return Options{
		Worker: []string{os.Args[0]}, Env: []string{"MOTCUA_TEST_SANE_WORKER=1", "SANE_CONFIG_DIR=" + dir, "GORACE=atexit_sleep_ms=0"},
		Set: set, Stall: 20 * time.Second,
	}
}

func open(t testing.TB, o Options, id string) *Scanner {
	t.Helper()
	s := Open(o, id)
	t.Cleanup(func() { s.Close() })
	return s
}

// all scans to the end.
func all(ctx context.Context, s *Scanner, set scan.Settings) (pages []scan.Page, err error) {
	for p, err := range s.Scan(ctx, set) {
		if err != nil {
			return pages, err
		}
		pages = append(pages, p)
	}
	return pages, nil
}

func TestList(t *testing.T) {
	infos, err := List(t.Context(), testBackend(t))
	if err != nil {
		t.Fatal(err)
	}
	if len(infos) != 2 || infos[0].ID != "sane:test:0" || infos[1].ID != "sane:test:1" || infos[0].Vendor != "Noname" ||
		infos[0].Driver != "sane" {
		t.Fatalf("got %+v", infos)
	}
}

func TestFinders_see_a_device_come_and_go_in_time(t *testing.T) {
	o := testBackend(t)
	conf := filepath.Join(strings.TrimPrefix(o.Env[1], "SANE_CONFIG_DIR="), "test.conf")
	number := func(n int) {
		if err := os.WriteFile(conf, fmt.Appendf(nil, "number_of_devices %d\n", n), 0o600); err != nil {
			t.Error(err)
		}
	}
	number(1)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	want := []string{"sane:test:0 true", "sane:test:1 true", "sane:test:1 false"}
	var began time.Time
	for c := range scan.Watch(ctx, Finders(o)...) {
		if got := fmt.Sprint(c.Info.ID, " ", c.Present); c.Err != nil || got != want[0] {
			t.Fatalf("%s, %v; want %s", got, c.Err, want[0])
		}
		if !began.IsZero() {
			t.Logf("%s was seen after %v", want[0], time.Since(began)) // 2 s are promised, on a machine with nothing else to do
		}
		if want = want[1:]; len(want) == 0 {
			cancel()
			break
		}
		number(len(want))
		began = time.Now()
	}
	if len(want) > 0 {
		t.Errorf("not seen: %v", want)
	}
}

func TestProbe_reads_capabilities_from_the_device(t *testing.T) {
	s := open(t, testBackend(t), "sane:test:0")
	info, err := s.Probe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprint(info.Sources, info.Modes, info.DPIs, info.Areas)
	want := "[flatbed adf] [gray color lineart] [75 100 150 200 300 400 600 1200] map[adf:{300 300} flatbed:{300 300}]"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// reference scans the same page with SANE's own program. scanimage now and then never ends, the page
// written or not: it is killed then, and run again.
func reference(t *testing.T, o Options, args ...string) image.Image {
	t.Helper()
	for range 5 {
		file := filepath.Join(t.TempDir(), "page.pnm")
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		c := exec.CommandContext(ctx, "scanimage", append([]string{"-d", "test:0", "--format=pnm", "-o", file}, args...)...)
		c.Env = append(os.Environ(), o.Env...)
		c.WaitDelay = time.Second // a process of its backend may hold on to the pipe
		out, err := c.CombinedOutput()
		locked := ctx.Err() != nil && t.Context().Err() == nil
		cancel()
		if locked {
			t.Log("scanimage did not end")
			continue
		}
		if err != nil {
			t.Fatalf("scanimage: %v: %s", err, out)
		}
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return pnm(t, data)
	}
	t.Fatal("scanimage did not end within a minute, five times")
	return nil
}

// pnm reads what scanimage writes: P4, P5 or P6 with comments in the header.
func pnm(t *testing.T, data []byte) image.Image {
	t.Helper()
	var fields []string
	for len(fields) < 4 && !(len(fields) == 3 && fields[0] == "P4") {
		line, rest, ok := strings.Cut(string(data), "\n")
		if !ok {
			t.Fatal("no PNM header")
		}
		data = []byte(rest)
		if !strings.HasPrefix(line, "#") {
			fields = append(fields, strings.Fields(line)...)
		}
	}
	var w, h int
	fmt.Sscan(fields[1], &w)
	fmt.Sscan(fields[2], &h)
	r := image.Rect(0, 0, w, h)
	switch fields[0] {
	case "P4":
		img := image.NewPaletted(r, scan.Bilevel)
		n := (w + 7) / 8
		for y := range h {
			for x := range w {
				img.Pix[y*w+x] = data[y*n+x/8] >> (7 - x%8) & 1
			}
		}
		return img
	case "P5":
		return &image.Gray{Pix: data[:w*h], Stride: w, Rect: r}
	}
	img := image.NewRGBA(r)
	if fields[3] == "65535" { // two bytes a sample, high byte first
		for i := range 3 * w * h {
			data[i] = data[2*i]
		}
	}
	for i := range w * h {
		copy(img.Pix[4*i:], []byte{data[3*i], data[3*i+1], data[3*i+2], 255})
	}
	return img
}

func same(a, b image.Image) error {
	if a.Bounds() != b.Bounds() {
		return fmt.Errorf("bounds %v and %v", a.Bounds(), b.Bounds())
	}
	r := a.Bounds()
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			r1, g1, b1, _ := a.At(x, y).RGBA()
			r2, g2, b2, _ := b.At(x, y).RGBA()
			if r1 != r2 || g1 != g2 || b1 != b2 {
				return fmt.Errorf("pixel %d,%d: %v and %v", x, y, a.At(x, y), b.At(x, y))
			}
		}
	}
	return nil
}

func TestScan_gives_the_pixels_scanimage_gives(t *testing.T) {
	for name, c := range map[string]struct {
		set  scan.Settings
		opts []string
		args []string
	}{
		"color":   {scan.Settings{Mode: scan.Color}, nil, []string{"--mode=Color"}},
		"gray":    {scan.Settings{Mode: scan.Gray}, nil, []string{"--mode=Gray"}},
		"lineart": {scan.Settings{Mode: scan.Lineart}, nil, []string{"--mode=Gray", "--depth=1"}},
		"three pass": {scan.Settings{Mode: scan.Color}, []string{"three-pass=yes", "three-pass-order=GBR"},
			[]string{"--mode=Color", "--three-pass=yes", "--three-pass-order=GBR"}},
		"color of 16 bits": {scan.Settings{Mode: scan.Color}, []string{"depth=16"}, []string{"--mode=Color", "--depth=16"}},
		"short reads":      {scan.Settings{Mode: scan.Color}, []string{"read-limit=yes", "read-limit-size=7"}, []string{"--mode=Color"}},
		"slow reads":       {scan.Settings{Mode: scan.Gray}, []string{"read-delay=yes", "read-delay-duration=5000"}, []string{"--mode=Gray"}},
		"fuzzy parameters": {scan.Settings{Mode: scan.Color}, []string{"fuzzy-parameters=yes"}, []string{"--mode=Color"}},
		"non-blocking":     {scan.Settings{Mode: scan.Color}, []string{"non-blocking=yes"}, []string{"--mode=Color"}},
	} {
		t.Run(name, func(t *testing.T) {
			o := testBackend(t, append([]string{"test-picture=Color pattern"}, c.opts...)...)
			c.set.DPI, c.set.Area = 75, scan.Area{Width: 100, Height: 60}
			var lines []scan.Band
			c.set.Lines = func(b scan.Band) { b.Image = nil; lines = append(lines, b) }
			pages, err := all(t.Context(), open(t, o, "sane:test:0"), c.set)
			if err != nil {
				t.Fatal(err)
			}
			if len(pages) != 1 || pages[0].Number != 1 || pages[0].DPI != 75 || pages[0].Back {
				t.Fatalf("got %d pages", len(pages))
			}
			want := reference(t, o, append(c.args, "--test-picture=Color pattern", "--resolution=75", "-x", "100", "-y", "60")...)
			if err := same(pages[0].Image, want); err != nil {
				t.Error(err)
			}
			y := 0
			for _, b := range lines {
				if b.Y != y || b.Page != 1 || b.Total != want.Bounds().Dy() {
					t.Fatalf("band at line %d of %d, want %d", b.Y, b.Total, y)
				}
				y += b.Height
			}
			if y != want.Bounds().Dy() {
				t.Errorf("%d lines announced of %d", y, want.Bounds().Dy())
			}
		})
	}
}

// scanimage does not strip the wasted bytes, so the same picture without waste is the reference.
func TestScan_wasted_pixels_at_the_end_of_lines(t *testing.T) {
	set := scan.Settings{DPI: 75, Area: scan.Area{Width: 100, Height: 60}}
	whole, err := all(t.Context(), open(t, testBackend(t, "test-picture=Grid"), "sane:test:0"), set)
	if err != nil {
		t.Fatal(err)
	}
	cut, err := all(t.Context(), open(t, testBackend(t, "test-picture=Grid", "ppl-loss=11"), "sane:test:0"), set)
	if err != nil {
		t.Fatal(err)
	}
	r := whole[0].Image.Bounds()
	r.Max.X -= 11
	if err := same(cut[0].Image, whole[0].Image.(*image.RGBA).SubImage(r)); err != nil {
		t.Error(err)
	}
}

func TestScan_hand_scanner_of_unknown_length(t *testing.T) {
	o := testBackend(t, "hand-scanner=yes", "test-picture=Grid")
	set := scan.Settings{DPI: 100}
	unknown := true
	set.Lines = func(b scan.Band) { unknown = unknown && b.Total == 0 }
	pages, err := all(t.Context(), open(t, o, "sane:test:0"), set)
	if err != nil {
		t.Fatal(err)
	}
	want := reference(t, o, "--mode=Color", "--resolution=100", "--hand-scanner=yes", "--test-picture=Grid")
	if err := same(pages[0].Image, want); err != nil {
		t.Error(err)
	}
	if !unknown {
		t.Error("a length was announced that the device did not know")
	}
}

func TestScan_feeder_gives_ten_pages_in_order_and_ends(t *testing.T) {
	s := open(t, testBackend(t), "sane:test:0")
	for round := range 2 {
		pages, err := all(t.Context(), s, scan.Settings{Source: scan.ADF, DPI: 50})
		if err != nil {
			t.Fatal(err)
		}
		if len(pages) != 10 {
			t.Fatalf("round %d: %d pages, want the 10 that the test backend feeds", round, len(pages))
		}
		for i, p := range pages {
			if p.Number != i+1 {
				t.Errorf("page %d is numbered %d", i+1, p.Number)
			}
		}
	}
	pages, err := all(t.Context(), s, scan.Settings{Source: scan.ADF, DPI: 50, MaxPages: 3})
	if err != nil || len(pages) != 3 {
		t.Fatalf("%d pages of at most 3: %v", len(pages), err)
	}
}

func TestScan_every_status_becomes_a_fault_and_the_next_scan_works(t *testing.T) {
	for name, code := range map[string]scan.Code{
		"UNSUPPORTED": scan.Unsupported, "CANCELLED": scan.Cancelled, "DEVICE_BUSY": scan.Busy, "INVAL": scan.Unsupported,
		"EOF": scan.IOError, "JAMMED": scan.Jammed, "NO_DOCS": scan.NoDocuments, "COVER_OPEN": scan.CoverOpen,
		"IO_ERROR": scan.IOError, "NO_MEM": scan.OutOfMemory, "ACCESS_DENIED": scan.AccessDenied,
	} {
		t.Run(name, func(t *testing.T) {
			o := testBackend(t, "read-return-value=SANE_STATUS_"+name)
			s := open(t, o, "sane:test:0")
			_, err := all(t.Context(), s, scan.Settings{DPI: 50})
			var f *scan.Fault
			if !errors.As(err, &f) {
				t.Fatalf("got %v, want a fault", err)
			}
			if f.Code != code || f.Device != "sane:test:0" || f.Technician == "" {
				t.Errorf("got %q for %s, want %q: %v", f.Code, f.Device, code, err)
			}
			s.o.Set = []string{"read-return-value=Default"}
			if pages, err := all(t.Context(), s, scan.Settings{DPI: 50}); err != nil || len(pages) != 1 {
				t.Errorf("after the fault: %d pages, %v", len(pages), err)
			}
		})
	}
}

func TestScan_cancel_in_mid_page_leaves_the_device_ready(t *testing.T) {
	slow := testBackend(t, "read-delay=yes", "read-delay-duration=200000")
	s := open(t, slow, "sane:test:0")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	began := time.Time{}
	_, err := all(ctx, s, scan.Settings{DPI: 300, Lines: func(scan.Band) {
		if began.IsZero() {
			began = time.Now()
			cancel()
		}
	}})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	if d := time.Since(began); d > patience {
		t.Errorf("stopping took %v", d)
	}
	worker := s.worker
	s.o.Set = []string{"read-delay=no"}
	if pages, err := all(t.Context(), s, scan.Settings{DPI: 50}); err != nil || len(pages) != 1 {
		t.Fatalf("after the cancel: %d pages, %v", len(pages), err)
	}
	if s.worker != worker {
		t.Error("the worker had to be killed: the device was not left ready")
	}
}

func TestScan_breaking_off_leaves_the_device_ready(t *testing.T) {
	s := open(t, testBackend(t), "sane:test:0")
	for range s.Scan(t.Context(), scan.Settings{Source: scan.ADF, DPI: 200}) {
		break
	}
	worker := s.worker
	if pages, err := all(t.Context(), s, scan.Settings{DPI: 50}); err != nil || len(pages) != 1 {
		t.Fatalf("after the break: %d pages, %v", len(pages), err)
	}
	if s.worker != worker || worker == nil {
		t.Error("the worker had to be killed: the device was not left ready")
	}
}

func TestScan_second_job_finds_the_scanner_busy(t *testing.T) {
	s := open(t, testBackend(t), "sane:test:0")
	for range s.Scan(t.Context(), scan.Settings{DPI: 50}) {
		if _, err := all(t.Context(), s, scan.Settings{}); !errors.Is(err, &scan.Fault{Code: scan.Busy}) {
			t.Errorf("got %v", err)
		}
	}
}

func TestScan_missing_device(t *testing.T) {
	s := open(t, testBackend(t), "sane:test:7")
	if _, err := all(t.Context(), s, scan.Settings{}); !errors.Is(err, &scan.Fault{Code: scan.NoDevice}) {
		t.Errorf("got %v", err)
	}
}

func TestClose_inside_the_loop_that_hears_of_a_fault(t *testing.T) {
	s := open(t, testBackend(t), "sane:test:7")
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		for _, err := range s.Scan(t.Context(), scan.Settings{}) {
			if err != nil {
				s.Close()
			}
		}
	}()
	select {
	case <-closed:
	case <-time.After(patience):
		t.Fatal("Close waits for the scan that waits for Close")
	}
}

func TestOpen_names(t *testing.T) {
	o := testBackend(t)
	for _, id := range []string{"sane:", "sane:test", "sane:test:1", "sane:frontend-TESTER"} {
		t.Run(id, func(t *testing.T) {
			if pages, err := all(t.Context(), open(t, o, id), scan.Settings{DPI: 50}); err != nil || len(pages) != 1 {
				t.Errorf("%d pages, %v", len(pages), err)
			}
		})
	}
}

func TestScan_device_comes_back_by_itself(t *testing.T) {
	o := testBackend(t)
	conf := filepath.Join(strings.TrimPrefix(o.Env[1], "SANE_CONFIG_DIR="), "dll.conf")
	s := open(t, o, "sane:frontend-tester")
	for _, plugged := range []bool{false, true} {
		backend := ""
		if plugged {
			backend = "test\n"
		}
		if err := os.WriteFile(conf, []byte(backend), 0o600); err != nil {
			t.Fatal(err)
		}
		pages, err := all(t.Context(), s, scan.Settings{DPI: 50})
		if plugged && (err != nil || len(pages) != 1) {
			t.Errorf("plugged in: %d pages, %v", len(pages), err)
		}
		if !plugged && !errors.Is(err, &scan.Fault{Code: scan.NoDevice}) {
			t.Errorf("pulled out: %v", err)
		}
	}
}

// Without a device the test backend reads through a null pointer: a real crash in a real backend.
func TestScan_crashing_backend_costs_one_scan(t *testing.T) {
	o := backends(t, []string{"test"}, "number_of_devices 0\n")
	s := open(t, o, "sane:test:0")
	_, err := all(t.Context(), s, scan.Settings{DPI: 50})
	if !errors.Is(err, &scan.Fault{Code: scan.IOError}) || !strings.Contains(err.Error(), "crashed") {
		t.Fatalf("got %v", err)
	}
	dir := strings.TrimPrefix(o.Env[1], "SANE_CONFIG_DIR=")
	if err := os.WriteFile(filepath.Join(dir, "test.conf"), []byte("number_of_devices 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if pages, err := all(t.Context(), s, scan.Settings{DPI: 50}); err != nil || len(pages) != 1 {
		t.Fatalf("%d pages, %v", len(pages), err)
	}
}

func TestScan_killed_worker_costs_one_scan(t *testing.T) {
	s := open(t, testBackend(t), "sane:test:0")
	killed := false
	_, err := all(t.Context(), s, scan.Settings{DPI: 600, Lines: func(scan.Band) {
		if !killed {
			killed = true
			s.worker.kill()
		}
	}})
	if !errors.Is(err, &scan.Fault{Code: scan.IOError}) {
		t.Fatalf("got %v", err)
	}
	if pages, err := all(t.Context(), s, scan.Settings{DPI: 50}); err != nil || len(pages) != 1 {
		t.Fatalf("%d pages, %v", len(pages), err)
	}
}

func TestKill_daemon_takes_its_worker_with_it(t *testing.T) {
	o := testBackend(t)
	daemon := exec.Command(os.Args[0])
	daemon.Env = append(os.Environ(), "MOTCUA_TEST_SANE_DAEMON="+strings.Join(o.Env, "|"))
	out, err := daemon.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := daemon.Start(); err != nil {
		t.Fatal(err)
	}
	var pid int
	_, err = fmt.Fscan(out, &pid)
	daemon.Process.Kill()
	daemon.Wait()
	if err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		// Whoever adopts it may be slow to bury it: a zombie is dead.
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil || strings.Contains(string(status), ") Z ") {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("worker %d lives on: %s", pid, status)
		}
	}
}

func TestScan_worker_is_let_go_when_idle(t *testing.T) {
	o := testBackend(t)
	o.Idle = 200 * time.Millisecond
	s := open(t, o, "sane:test:0")
	if _, err := all(t.Context(), s, scan.Settings{DPI: 50}); err != nil {
		t.Fatal(err)
	}
	s.slot <- struct{}{}
	if s.worker == nil {
		t.Skip("the machine is so slow that the worker has gone already")
	}
	pid := s.worker.cmd.Process.Pid
	<-s.slot
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		if _, err := os.Stat(fmt.Sprintf("/proc/%d", pid)); errors.Is(err, os.ErrNotExist) {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the worker is still there")
		}
	}
	if pages, err := all(t.Context(), s, scan.Settings{DPI: 50}); err != nil || len(pages) != 1 {
		t.Fatalf("%d pages, %v", len(pages), err)
	}
}
