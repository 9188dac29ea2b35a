package hotfolder

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"motcua/drivers/scan"
)

// TestMain lets the test binary be the process that is killed.
func TestMain(m *testing.M) {
	if dir := os.Getenv("MOTCUA_TEST_HOTFOLDER"); dir != "" {
		f, err := Open(quick(dir))
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		for {
			t, err := f.Next(context.Background(), time.Hour)
			if err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
			// What a consumer does: keep the page, idempotently by what is in it, then finish the file.
			if err := os.WriteFile(filepath.Join(dir, "kept", t.Name), t.Page.Encoded, 0o600); err != nil {
				os.Exit(1)
			}
			if t.Done() != nil {
				os.Exit(1)
			}
		}
	}
	os.Exit(m.Run())
}

func quick(dir string) Options {
	return Options{Dir: dir, Settle: 20 * time.Millisecond, GiveUp: 300 * time.Millisecond, Wait: 2 * time.Second,
		Quiet: 200 * time.Millisecond}
}

func open(t *testing.T, o Options) *Folder {
	t.Helper()
	f, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func jpeg(t testing.TB, n int) []byte {
	t.Helper()
	img := image.NewGray(image.Rect(0, 0, 60+n, 40))
	data, _, err := scan.Encode(scan.Page{Image: img, DPI: 300})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func put(t *testing.T, dir, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
		t.Fatal(err)
	}
}

func all(ctx context.Context, f *Folder, set scan.Settings) (pages []scan.Page, err error) {
	for p, err := range f.Scan(ctx, set) {
		if err != nil {
			return pages, err
		}
		pages = append(pages, p)
	}
	return pages, nil
}

func TestScan_takes_files_in_the_order_they_were_written_and_deletes_them(t *testing.T) {
	dir := t.TempDir()
	f := open(t, quick(dir))
	same := time.Now()
	for _, n := range []int{10, 9, 2, 1} {
		name := fmt.Sprintf("Scan%d.JPG", n)
		put(t, dir, name, jpeg(t, n))
		if err := os.Chtimes(filepath.Join(dir, name), same, same); err != nil {
			t.Fatal(err)
		}
	}
	put(t, dir, "a-later-one.jpg", jpeg(t, 11))
	os.Chtimes(filepath.Join(dir, "a-later-one.jpg"), same, same.Add(time.Second))
	pages, err := all(t.Context(), f, scan.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	if len(pages) != 5 {
		t.Fatalf("%d pages", len(pages))
	}
	for i, n := range []int{1, 2, 9, 10, 11} {
		if !bytes.Equal(pages[i].Encoded, jpeg(t, n)) || pages[i].Number != i+1 || pages[i].MediaType != "image/jpeg" {
			t.Errorf("page %d is not file %d", i+1, n)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*.*")); len(left) > 1 { // .taken
		t.Errorf("left behind: %v", left)
	}
	if _, err := all(t.Context(), open(t, quick(t.TempDir())), scan.Settings{}); !errors.Is(err, &scan.Fault{Code: scan.NoDocuments}) {
		t.Errorf("empty folder: %v", err)
	}
}

func TestScan_waits_for_a_file_that_is_being_written(t *testing.T) {
	for name, write := range map[string]func(path string, data []byte) error{
		"slowly, in pieces": func(path string, data []byte) error {
			f, err := os.Create(path)
			if err != nil {
				return err
			}
			for len(data) > 0 {
				n := min(len(data), 1+len(data)/3)
				if _, err := f.Write(data[:n]); err != nil {
					return err
				}
				data = data[n:]
				time.Sleep(60 * time.Millisecond) // longer than Settle
			}
			return f.Close()
		},
		"held open when complete": func(path string, data []byte) error {
			f, err := os.Create(path)
			if err != nil {
				return err
			}
			// An end marker in the middle, and then a pause: only the open file tells.
			if _, err := f.Write(data); err != nil {
				return err
			}
			time.Sleep(150 * time.Millisecond)
			if _, err := f.Write([]byte("thumbnail")); err != nil {
				return err
			}
			return f.Close()
		},
		"by another name, then renamed": func(path string, data []byte) error {
			part := path + ".part"
			if err := os.WriteFile(part, data[:10], 0o644); err != nil {
				return err
			}
			time.Sleep(100 * time.Millisecond)
			if err := os.WriteFile(part, data, 0o644); err != nil {
				return err
			}
			return os.Rename(part, path)
		},
		"empty first, then closed and opened again": func(path string, data []byte) error {
			if err := os.WriteFile(path, nil, 0o644); err != nil {
				return err
			}
			time.Sleep(100 * time.Millisecond)
			return os.WriteFile(path, data, 0o644)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			o := quick(dir)
			o.GiveUp, o.Wait = time.Minute, time.Minute // the writer pauses, and a busy machine stretches its pauses
			f := open(t, o)
			wrote := make(chan error, 1)
			go func() { wrote <- write(filepath.Join(dir, "page.jpg"), jpeg(t, 5)) }()
			pages, err := all(t.Context(), f, scan.Settings{})
			if err != nil {
				t.Fatal(err)
			}
			if err := <-wrote; err != nil {
				t.Fatal(err)
			}
			if len(pages) != 1 || !bytes.HasPrefix(pages[0].Encoded, jpeg(t, 5)) {
				t.Errorf("%d pages", len(pages))
			}
			if strings.HasPrefix(name, "held") && !bytes.HasSuffix(pages[0].Encoded, []byte("thumbnail")) {
				t.Error("taken before it was complete")
			}
		})
	}
}

func TestScan_sets_aside_what_cannot_be_read_and_says_why(t *testing.T) {
	dir := t.TempDir()
	f := open(t, quick(dir))
	put(t, dir, "1.docx", []byte("PK\x03\x04 not a scan"))
	put(t, dir, "2.jpg", jpeg(t, 2)[:200])
	put(t, dir, "3.pdf", nil)
	put(t, dir, "4.jpg", jpeg(t, 4))
	put(t, dir, strings.Repeat("x", 251)+".txt", []byte("a name as long as names can be"))
	for n := range 4 {
		name := []string{"1.docx", "2.jpg", "3.pdf", "4.jpg"}[n]
		when := time.Now().Add(time.Duration(n) * time.Millisecond)
		os.Chtimes(filepath.Join(dir, name), when, when)
	}
	pages, err := all(t.Context(), f, scan.Settings{})
	if err != nil || len(pages) != 1 || !bytes.Equal(pages[0].Encoded, jpeg(t, 4)) {
		t.Errorf("%d pages, %v", len(pages), err)
	}
	for name, why := range map[string]string{"1.docx": "neither JPEG", "2.jpg": "breaks off", "3.pdf": "empty"} {
		reason, err := os.ReadFile(filepath.Join(dir, "rejected", name+".reason.txt"))
		if err != nil || !strings.Contains(string(reason), why) {
			t.Errorf("%s: %q, %v", name, reason, err)
		}
		if _, err := os.Stat(filepath.Join(dir, "rejected", name)); err != nil {
			t.Error(err)
		}
	}
	findings := Check(t.Context(), Options{Dir: dir})
	if len(findings) != 2 || !findings[0].OK || findings[1].OK || !strings.HasPrefix(findings[1].What, "4 scanned files") {
		t.Errorf("findings: %+v", findings)
	}
}

func TestScan_folder_that_is_away_comes_back(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "share")
	f := open(t, quick(dir))
	away := dir + "-away"
	if err := os.Rename(dir, away); err != nil {
		t.Fatal(err)
	}
	if _, err := all(t.Context(), f, scan.Settings{}); !errors.Is(err, &scan.Fault{Code: scan.NoDevice}) {
		t.Errorf("got %v", err)
	}
	if err := os.Rename(away, dir); err != nil {
		t.Fatal(err)
	}
	put(t, dir, "1.jpg", jpeg(t, 1))
	if pages, err := all(t.Context(), f, scan.Settings{MaxPages: 1}); err != nil || len(pages) != 1 {
		t.Errorf("%d pages, %v", len(pages), err)
	}
}

func TestErrors_do_not_name_files(t *testing.T) {
	dir := t.TempDir()
	f := open(t, quick(dir))
	put(t, dir, "Nguyen-Van-An.jpg", jpeg(t, 1))
	taken, err := f.Next(t.Context(), time.Second)
	if err != nil || taken == nil {
		t.Fatal(err)
	}
	if err := os.Remove(taken.path); err != nil {
		t.Fatal(err)
	}
	err = taken.Done()
	if err == nil || strings.Contains(err.Error(), "Nguyen") {
		t.Errorf("got %v", err)
	}
	if fault := f.fault(&os.LinkError{Op: "rename", Old: "Nguyen-Van-An.jpg", New: "x", Err: syscall.EIO}); strings.Contains(fault.Error(),
		"Nguyen") {
		t.Errorf("got %v", fault)
	}
}

func TestOpen_second_process_is_told(t *testing.T) {
	dir := t.TempDir()
	open(t, quick(dir))
	if _, err := Open(quick(dir)); !errors.Is(err, ErrInUse) {
		t.Errorf("got %v", err)
	}
}

func TestNext_unfinished_file_is_offered_again(t *testing.T) {
	dir := t.TempDir()
	first, err := Open(quick(dir))
	if err != nil {
		t.Fatal(err)
	}
	put(t, dir, "page-1.jpg", jpeg(t, 1))
	put(t, dir, "page-2.jpg", jpeg(t, 2))
	for range 2 {
		if taken, err := first.Next(t.Context(), time.Minute); err != nil || taken == nil {
			t.Fatal(taken, err)
		}
	}
	first.Close()
	second := open(t, quick(dir))
	for n := range 2 {
		taken, err := second.Next(t.Context(), time.Minute)
		if err != nil || taken == nil || taken.Name != fmt.Sprintf("page-%d.jpg", n+1) || !bytes.Equal(taken.Page.Encoded, jpeg(t, n+1)) {
			t.Fatal(taken, err)
		}
		if err := taken.Done(); err != nil {
			t.Fatal(err)
		}
	}
	if taken, err := second.Next(t.Context(), 50*time.Millisecond); taken != nil || err != nil {
		t.Error("a finished file came again", taken, err)
	}
}

// TestKill_loses_nothing kills the taking process at random moments while files come in. Every file must
// end up kept, whole, and none may be left over.
func TestKill_loses_nothing(t *testing.T) {
	rounds, files := 8, 5
	if os.Getenv("MOTCUA_SOAK") == "1" {
		rounds = 300
	}
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "kept"), 0o700); err != nil {
		t.Fatal(err)
	}
	for round := range rounds {
		taker := exec.Command(os.Args[0])
		taker.Env = append(os.Environ(), "MOTCUA_TEST_HOTFOLDER="+dir)
		if err := taker.Start(); err != nil {
			t.Fatal(err)
		}
		for i := range files {
			n := round*files + i
			put(t, dir, fmt.Sprintf("scan-%05d.jpg", n), jpeg(t, n%50))
			time.Sleep(time.Duration(n*7919%13) * time.Millisecond)
		}
		time.Sleep(time.Duration(round*104729%97) * time.Millisecond)
		taker.Process.Signal(syscall.SIGKILL)
		taker.Wait()
	}
	f := open(t, quick(dir))
	left := func() []string {
		come, _ := filepath.Glob(filepath.Join(dir, "scan-*"))
		taken, _ := filepath.Glob(filepath.Join(dir, ".taken", "0*"))
		return append(come, taken...)
	}
	for len(left()) > 0 {
		taken, err := f.Next(t.Context(), time.Minute)
		if err != nil || taken == nil {
			t.Fatalf("nothing is taken of %v: %v", left(), err)
		}
		put(t, filepath.Join(dir, "kept"), taken.Name, taken.Page.Encoded)
		if err := taken.Done(); err != nil {
			t.Fatal(err)
		}
	}
	for n := range rounds * files {
		data, err := os.ReadFile(filepath.Join(dir, "kept", fmt.Sprintf("scan-%05d.jpg", n)))
		if err != nil || !bytes.Equal(data, jpeg(t, n%50)) {
			t.Errorf("file %d: %d bytes, %v", n, len(data), err)
		}
	}
	if left := left(); len(left) > 0 {
		t.Errorf("left over: %v", left)
	}
	t.Logf("%d kills, %d files, none lost", rounds, rounds*files)
}
