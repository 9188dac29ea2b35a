package sane

import (
	"image"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"

	"motcua/drivers/scan"
)

// A worker that was taken over can neither take the memory away under the daemon nor have it grow.
func TestRing_keeps_its_size(t *testing.T) {
	r, err := newRing()
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	fd := int(r.file.Fd())
	for _, size := range []int64{0, ringSize / 2, 2 * ringSize} {
		if err := unix.Ftruncate(fd, size); err == nil {
			t.Errorf("it was made %d bytes large", size)
		}
	}
	if n, err := unix.Pwrite(fd, make([]byte, 100), ringSize-50); n > 50 || err == nil && n == 100 {
		t.Errorf("%d bytes were written past the end, %v", n, err)
	}
}

// A page is the daemon's own: what is written into the memory after its pixels were taken does not change it.
func TestRing_a_page_does_not_change_after_it_came(t *testing.T) {
	r, err := newRing()
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	theirs, err := unix.Mmap(int(r.file.Fd()), 0, ringSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unix.Munmap(theirs) }()
	copy(theirs, "abcdef")
	page := &canvas{}
	if err := page.begin(params{Format: formatGray, Last: true, BytesPerLine: 3, PixelsPerLine: 3, Lines: 2, Depth: 8}); err != nil {
		t.Fatal(err)
	}
	there, err := pixels(r.mem, piece{0, 6}.bytes())
	if err != nil {
		t.Fatal(err)
	}
	if err := page.write(there); err != nil {
		t.Fatal(err)
	}
	copy(theirs, "!!!!!!")
	if got := string(page.strip(0, 2).(*image.Gray).Pix); got != "abcdef" {
		t.Errorf("the page is %q", got)
	}
}

// Room is given again as soon as it was taken, from the beginning, never where the daemon has yet to look, and a wait for it ends.
func TestLane(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLane(make([]byte, 4*leastRoom))
		for i := range 4 {
			p, ok := l.room(leastRoom)
			if want := (piece{i * leastRoom, (i + 1) * leastRoom}); !ok || p != want {
				t.Fatalf("%v, want %v", p, want)
			}
			l.send(p)
		}
		got := make(chan piece)
		wait := func() {
			p, ok := l.room(3 * leastRoom)
			if !ok {
				p = piece{-1, -1}
			}
			got <- p
		}
		go wait()
		synctest.Wait()
		select {
		case p := <-got:
			t.Fatalf("%v was given, and is not free", p)
		default:
		}
		l.taken(2)
		if p := <-got; p != (piece{0, 2 * leastRoom}) {
			t.Errorf("%v is free", p)
		}
		l.send(piece{0, 2 * leastRoom})
		go wait()
		synctest.Wait()
		l.stop(true)
		if p := <-got; p.from != -1 {
			t.Errorf("%v was given after the scan was broken off", p)
		}
		l.stop(false)
		l.taken(1 << 40) // who says so is mistaken
		l.taken(-1)
		if p, ok := l.room(1 << 30); !ok || p != (piece{0, 4 * leastRoom}) {
			t.Errorf("%v of all", p)
		}
	})
}

// Where red, green and blue come one after the other, nothing shows through of the page whose memory it was.
func TestCanvas_reused_shows_nothing_of_the_page_before(t *testing.T) {
	first := &canvas{}
	p := params{Format: formatRGB, Last: true, BytesPerLine: 30, PixelsPerLine: 10, Lines: 4, Depth: 8}
	if err := first.begin(p); err != nil {
		t.Fatal(err)
	}
	if err := first.write([]byte(strings.Repeat("\xaa", 120))); err != nil {
		t.Fatal(err)
	}
	second := first.next()
	p.Format, p.BytesPerLine = formatGreen, 10
	if err := second.begin(p); err != nil {
		t.Fatal(err)
	}
	if err := second.write(make([]byte, 25)); err != nil {
		t.Fatal(err)
	}
	got := second.strip(0, second.height).(*image.RGBA)
	if &got.Pix[0] != &first.pix[0] || got.Rect.Dy() != 2 {
		t.Fatalf("%d lines in other memory", got.Rect.Dy())
	}
	for i, v := range got.Pix {
		if want := uint8(255); i%4 != 3 && v != 0 || i%4 == 3 && v != want {
			t.Fatalf("byte %d is %d", i, v)
		}
	}
}

// The next sheet is read to its end while the loop looks at the one before, and a loop that is broken off then leaves the
// scanner ready.
func TestScan_reads_ahead(t *testing.T) {
	d, o := play(t, "fujitsu", fi7260)
	s := open(t, o, "sane:"+d.ID)
	for _, broken := range []bool{true, false} {
		if err := d.Load(3); err != nil {
			t.Fatal(err)
		}
		n := 0
		for p, err := range s.Scan(t.Context(), scan.Settings{Source: scan.ADF, Mode: scan.Gray, DPI: 300, Reuse: true}) {
			if err != nil {
				t.Fatal(err)
			}
			n++
			if got, err := side(p); got != n || err != nil {
				t.Fatalf("page %d is side %d, %v", n, got, err)
			}
			if n > 1 {
				continue
			}
			feeder := filepath.Join(strings.TrimPrefix(d.Env[0], "SANE_CONFIG_DIR="), "feeder")
			for end := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
				if left, _ := os.ReadFile(feeder); strings.TrimSpace(string(left)) == "0" {
					break
				}
				if time.Now().After(end) {
					t.Fatal("the third sheet is not fed while the first is looked at")
				}
			}
			if broken {
				break
			}
		}
		if want := map[bool]int{true: 1, false: 3}[broken]; n != want {
			t.Errorf("%d pages, want %d", n, want)
		}
	}
}

// A worker that ends while nobody scans, as one does whose backend crashes then or that the kernel takes for its memory, costs the
// next scan nothing.
func TestScan_after_an_idle_worker_ended(t *testing.T) {
	s := open(t, testBackend(t), "sane:test:0")
	set := scan.Settings{DPI: 50, Mode: scan.Gray}
	if pages, err := all(t.Context(), s, set); err != nil || len(pages) != 1 {
		t.Fatal(len(pages), err)
	}
	if err := s.worker.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(patience); !s.worker.ended(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("its end is not seen")
		}
	}
	if pages, err := all(t.Context(), s, set); err != nil || len(pages) != 1 {
		t.Errorf("%d pages, %v", len(pages), err)
	}
}
