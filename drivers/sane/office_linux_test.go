package sane

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"motcua/drivers/scan"
)

// office builds testdata/office.c, a backend with a duplex feeder and bad habits, and gives options that
// load it.
func office(t *testing.T, habit string) Options {
	t.Helper()
	dir, err := officeBackend()
	if err != nil {
		t.Fatal(err)
	}
	o := backends(t, []string{"office"}, "")
	o.Env = append(o.Env, "LD_LIBRARY_PATH="+dir, "OFFICE="+habit)
	return o
}

var officeDir string // removed by TestMain

var officeBackend = sync.OnceValues(func() (string, error) {
	library := filepath.Join(officeDir, "libsane-office.so.1")
	if out, err := exec.Command("gcc", "-shared", "-fPIC", "-O1", "-o", library, "testdata/office.c").CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the backend: %w: %s", err, out)
	}
	return officeDir, nil
})

func TestOffice_capabilities(t *testing.T) {
	s := open(t, office(t, ""), "sane:office:one")
	info, err := s.Probe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprint(info.Sources, info.Modes, info.DPIs, info.Areas)
	// 80 × 60 pixels at 100 dpi.
	want := "[flatbed adf adf-duplex] [lineart gray color] [100 200 300] map[adf:{20.3 22.9} adf-duplex:{20.3 22.9} flatbed:{20.3 15.2}]"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// number reads which page a grey page is, and checks that all its lines are that page's.
func number(p scan.Page) (int, error) {
	g, ok := p.Image.(*image.Gray)
	if !ok {
		return 0, fmt.Errorf("a %T", p.Image)
	}
	for y := range g.Rect.Dy() {
		if g.Pix[y*g.Stride] != g.Pix[0] || int(g.Pix[y*g.Stride+1]) != y {
			return 0, fmt.Errorf("line %d is line %d of page %d", y, g.Pix[y*g.Stride+1], g.Pix[y*g.Stride]/16)
		}
	}
	return int(g.Pix[0] / 16), nil
}

func TestOffice_duplex_gives_fronts_and_backs_in_order(t *testing.T) {
	for _, habit := range []string{"", "print", "warm", "busy", "padded", "late"} {
		t.Run(habit, func(t *testing.T) {
			t.Parallel()
			s := open(t, office(t, habit), "sane:office")
			pages, err := all(t.Context(), s, scan.Settings{Source: scan.ADFDuplex, Mode: scan.Gray, DPI: 150})
			if err != nil {
				t.Fatal(err)
			}
			if len(pages) != 6 {
				t.Fatalf("%d pages, want 6", len(pages))
			}
			for i, p := range pages {
				if n, err := number(p); n != i+1 || err != nil || p.Number != i+1 || p.Back != (i%2 == 1) || p.DPI != 200 ||
					p.Image.Bounds().Dy() != 90 {
					t.Errorf("page %d is page %d of %d dpi, back %v: %v", i+1, n, p.DPI, p.Back, err)
				}
			}
		})
	}
}

func TestOffice_sheetfed_scanner_without_a_choice_of_sources(t *testing.T) {
	s := open(t, office(t, "sheetfed"), "sane:office:one")
	info, err := s.Probe(t.Context())
	if err != nil || fmt.Sprint(info.Sources) != "[adf]" {
		t.Errorf("%v, %v", info.Sources, err)
	}
	if pages, err := all(t.Context(), s, scan.Settings{Mode: scan.Gray}); err != nil || len(pages) != 6 {
		t.Errorf("%d pages, %v", len(pages), err)
	}
}

func TestOffice_area_in_pixels(t *testing.T) {
	s := open(t, office(t, ""), "sane:office")
	pages, err := all(t.Context(), s, scan.Settings{Mode: scan.Lineart, DPI: 100, Area: scan.Area{Width: 10.16, Height: 5.08}})
	if err != nil {
		t.Fatal(err)
	}
	if b := pages[0].Image.Bounds(); b.Dx() != 40 || b.Dy() != 20 {
		t.Errorf("got %v, want 40 × 20", b)
	}
	if _, ok := pages[0].Image.(*image.Paletted); !ok {
		t.Errorf("lineart is a %T", pages[0].Image)
	}
}

func TestOffice_faults(t *testing.T) {
	for habit, c := range map[string]struct {
		source scan.Source
		code   scan.Code
		words  string
		pages  int
	}{
		"hang-start": {scan.ADF, scan.TimedOut, "did not answer", 1},
		"hang-read":  {scan.Flatbed, scan.TimedOut, "did not answer", 0},
		"crash-read": {scan.ADF, scan.IOError, "crashed", 1},
		"short":      {scan.Flatbed, scan.IOError, "broke off after 30 of 60 lines", 0},
		"jpeg":       {scan.Flatbed, scan.Unsupported, "frame format 11", 0},
		"locked":     {scan.Flatbed, scan.IOError, "transport lock", 0},
	} {
		t.Run(habit, func(t *testing.T) {
			t.Parallel()
			o := office(t, habit)
			o.Stall = 500 * time.Millisecond
			s := open(t, o, "sane:office:one")
			began := time.Now()
			pages, err := all(t.Context(), s, scan.Settings{Source: c.source, Mode: scan.Gray, DPI: 100})
			var f *scan.Fault
			if !errors.As(err, &f) || f.Code != c.code || !strings.Contains(err.Error(), c.words) || len(pages) != c.pages {
				t.Errorf("%d pages, %v; want %d, %s with %q", len(pages), err, c.pages, c.code, c.words)
			}
			if d := time.Since(began); d > patience {
				t.Errorf("it took %v", d)
			}
			s.o.Env = append(s.o.Env, "OFFICE=")
			if pages, err := all(t.Context(), s, scan.Settings{Mode: scan.Gray, DPI: 100}); habit != "locked" && (err != nil || len(pages) != 1) {
				t.Errorf("afterwards: %d pages, %v", len(pages), err)
			}
		})
	}
}

// A backend that never comes back from a read is the worst a cancel can meet: it ends all the same, and
// soon.
func TestOffice_cancel_of_a_backend_that_hangs(t *testing.T) {
	s := open(t, office(t, "hang-read"), "sane:office:one")
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	began := time.Now()
	_, err := all(ctx, s, scan.Settings{Mode: scan.Gray, DPI: 100})
	if d := time.Since(began); !errors.Is(err, context.DeadlineExceeded) || d > patience {
		t.Errorf("%v after %v", err, d)
	}
}

// A sheet that jams while the loop looks at the one before is no trouble of the next scan, though nobody hears of it where the loop is
// broken off: a backend may want to be stopped first. Whether the fault was read by then makes no difference.
func TestOffice_jam_behind_a_loop_that_is_broken_off(t *testing.T) {
	for _, read := range []bool{true, false} {
		t.Run(fmt.Sprint("read=", read), func(t *testing.T) {
			s := open(t, office(t, "jam-read"), "sane:office:one")
			for p, err := range s.Scan(t.Context(), scan.Settings{Source: scan.ADF, Mode: scan.Gray, DPI: 100}) {
				if err != nil || p.Number != 1 {
					t.Fatal(p.Number, err)
				}
				if read {
					awaitReadAhead(t)
				}
				break
			}
			if pages, err := all(t.Context(), s, scan.Settings{Mode: scan.Gray, DPI: 100}); err != nil || len(pages) != 1 {
				t.Errorf("afterwards: %d pages, %v", len(pages), err)
			}
		})
	}
}

// awaitReadAhead waits until the job that runs has read to its end what follows the page in hand. No more than the goroutines' stacks
// say so: the loop that would be told is the one that waits here.
func awaitReadAhead(t *testing.T) {
	t.Helper()
	stacks := make([]byte, 1<<20)
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if !bytes.Contains(stacks[:runtime.Stack(stacks, true)], []byte("sane.(*job).read(")) {
			return
		}
	}
	t.Fatal("what follows is not read while a page is looked at")
}
