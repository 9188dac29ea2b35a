package sane

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"motcua/drivers/scan"
)

// lacking are claims that older kernels cannot keep; doctor tells of them.
var lacking = map[string]string{"signals": "since Linux 6.12"}

func TestTry(t *testing.T) {
	o := testBackend(t)
	o.Hide = []string{t.TempDir()}
	held, err := Try(t.Context(), o)
	if err != nil || len(held) != len(attempts) {
		t.Fatalf("%d of %d attempts, %v", len(held), len(attempts), err)
	}
	for i, h := range held {
		if why := lacking[attempts[i].name]; !h.Holds && why != "" {
			t.Logf("not so: %s (%s)", h.Claim, why)
		} else if !h.Holds {
			t.Errorf("not so: %s", h.Claim)
		}
	}
}

// An attempt that would fail anyway proves nothing: in a worker without bounds each must come through.
func TestTry_sees_an_open_worker(t *testing.T) {
	anyway := map[string]string{"kernel rings": "many machines switch them off", foreign: "some kernels are built without"}
	if os.Geteuid() != 0 {
		for _, name := range []string{"programs' files", "namespaces", "packets"} {
			anyway[name] = "only root may"
		}
	}
	o := testBackend(t)
	o.Hide, o.loose = []string{t.TempDir()}, true
	held, err := Try(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	for i, h := range held {
		if why, may := anyway[attempts[i].name]; h.Holds && !may {
			t.Errorf("%s: a worker without bounds did not come through", h.Claim)
		} else if h.Holds {
			t.Log(why)
		}
	}
}

// Where a secret lies, nothing above it is open, and everything beside it is.
func TestAround(t *testing.T) {
	dir := t.TempDir()
	for _, d := range []string{"a/data", "a/b", "c"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(filepath.Join(dir, "a/data"), filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	got := around(dir, []string{filepath.Join(dir, "a/data")})
	slices.Sort(got)
	if want := []string{filepath.Join(dir, "a/b"), filepath.Join(dir, "c")}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	for _, p := range allowed(nil, nil).read {
		for _, s := range withheld {
			if p == "/" || p == s || strings.HasPrefix(s, p+"/") {
				t.Errorf("%s opens %s", p, s)
			}
		}
	}
}

// A scanner whose backend needs what is withheld scans all the same, and says so; one that does not stays within its bounds.
func TestBoundsCostNoScanner(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "calibration")
	if err := os.WriteFile(secret, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		needs string
		loose bool
	}{"nothing withheld": {"", false}, "a withheld file": {"needs=" + secret + "\n", true}} {
		t.Run(name, func(t *testing.T) {
			d, o := play(t, "vendor", fi7260+c.needs)
			o.Hide = []string{filepath.Dir(secret)}
			if err := d.Load(2); err != nil {
				t.Fatal(err)
			}
			s := open(t, o, "sane:"+d.ID)
			pages, err := all(t.Context(), s, scan.Settings{Source: scan.ADF, Mode: scan.Gray, DPI: 100})
			if err != nil || len(pages) != 2 {
				t.Fatalf("%d pages, %v", len(pages), err)
			}
			if s.o.loose != c.loose || (s.Info().Note != "") != c.loose {
				t.Errorf("without bounds: %t, note %q", s.o.loose, s.Info().Note)
			}
			status, err := os.ReadFile("/proc/" + strconv.Itoa(s.worker.cmd.Process.Pid) + "/status")
			if err != nil || strings.Contains(string(status), "Seccomp:\t2") == c.loose {
				t.Errorf("the worker's filter: %v", err)
			}
		})
	}
	if unix.Access(secret, unix.R_OK) != nil {
		t.Error("the file is not there any more")
	}
}

// A scanner that was asleep fails to open at first, and no bounds are to blame for that: its backend keeps them.
func TestASleepingScannerKeepsItsBounds(t *testing.T) {
	d, o := play(t, "vendor", fi7260)
	const tries = 2 // by the device's name and by the backend's: all that one worker tries
	if err := errors.Join(d.Load(1), d.Sleep(tries)); err != nil {
		t.Fatal(err)
	}
	s := open(t, o, "sane:"+d.ID)
	pages, err := all(t.Context(), s, scan.Settings{Source: scan.ADF, Mode: scan.Gray, DPI: 100})
	if err != nil || len(pages) != 1 {
		t.Fatalf("%d pages, %v", len(pages), err)
	}
	if s.o.loose || s.Info().Note != "" {
		t.Errorf("without bounds: %t, note %q", s.o.loose, s.Info().Note)
	}
}

// Brother's pdsseries opens its device only where no name is given (NAPS2 718).
func TestBackendThatTakesNoName(t *testing.T) {
	d, o := play(t, "brother_pdsseries", fi7260+"nameless=1\n")
	if err := d.Load(2); err != nil {
		t.Fatal(err)
	}
	s := open(t, o, "sane:"+d.ID)
	for range 2 {
		pages, err := all(t.Context(), s, scan.Settings{Source: scan.ADF, Mode: scan.Gray, DPI: 100, MaxPages: 1})
		if err != nil || len(pages) != 1 || s.o.loose {
			t.Fatalf("%d pages, %v, without bounds %t", len(pages), err, s.o.loose)
		}
	}
}
