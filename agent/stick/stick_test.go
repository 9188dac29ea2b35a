package stick_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"motcua/agent/stick"
	"motcua/agent/stick/sticktest"
)

const limit = 1 << 20

var (
	jpeg = []byte("\xFF\xD8\xFF\xE0 a picture as far as its first bytes tell")
	pdf  = []byte("%PDF-1.7 a file as far as its first bytes tell")
)

func write(t *testing.T, dir, name string, data []byte) {
	t.Helper()
	name = filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

func list(t *testing.T, f *stick.Folder, since time.Time) stick.Listing {
	t.Helper()
	l, err := f.List(t.Context(), "visit", since)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func names(files []stick.File) (all []string) {
	for _, f := range files {
		all = append(all, filepath.Join(f.Folder, f.Name))
	}
	slices.Sort(all)
	return all
}

// What a hostile stick holds shows as what it is, or not at all; nothing but plain files of the stick itself is opened.
func TestHostileStick(t *testing.T) {
	if !sticktest.CanMount(t) {
		return
	}
	folder, secret := t.TempDir(), filepath.Join(t.TempDir(), "secret.jpg")
	write(t, "/", secret, jpeg)
	f := stick.New(folder, limit, time.Now)
	began := time.Now()
	f.State()
	sticktest.Plug(t, folder, "sdb1", func(dir string) {
		write(t, dir, "giấy khai sinh.pdf", pdf)
		write(t, dir, "DCIM/100/IMG_1.JPG", jpeg)
		write(t, dir, "no ending", jpeg)
		write(t, dir, "anh\u202Egpj.exe", jpeg)
		write(t, dir, "dòng\n<script>\x1b[2J.jpg", jpeg)
		write(t, dir, "bad\xff\xfeutf.jpg", jpeg)
		write(t, dir, "z"+strings.Repeat("\u0301\u0316", 40)+".jpg", jpeg)
		write(t, dir, strings.Repeat("dài ", 40)+"cuối.jpg", jpeg)
		write(t, dir, "program.jpg", []byte("MZ program"))
		write(t, dir, "empty.pdf", nil)
		write(t, dir, "đơn.docx", []byte("PK\x03\x04"))
		write(t, dir, "tệp nén.zip", []byte("PK\x03\x04"))
		write(t, dir, "setup.exe", []byte("MZ"))
		write(t, dir, ".hidden.jpg", jpeg)
		write(t, dir, "System Volume Information/x.jpg", jpeg)
		write(t, dir, "a/b/c/d/e/f/g/deep.jpg", jpeg)
		big, err := os.Create(filepath.Join(dir, "huge.pdf")) // as large as it says, without taking that room
		if err != nil {
			t.Fatal(err)
		}
		_, _ = big.Write(pdf)
		if err := errors.Join(big.Truncate(1<<40), big.Close()); err != nil {
			t.Fatal(err)
		}
		for link, to := range map[string]string{"link.jpg": secret, "up.jpg": "../../" + filepath.Base(secret), "folder": filepath.Dir(secret),
			"proc": "/proc/self/fd", "in.jpg": "no ending"} {
			if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
				t.Fatal(err)
			}
		}
		if err := unix.Mkfifo(filepath.Join(dir, "pipe.jpg"), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := unix.Mknod(filepath.Join(dir, "zero.jpg"), unix.S_IFCHR|0o666, int(unix.Mkdev(1, 5))); err != nil {
			t.Logf("no device node in this namespace: %v", err)
		}
		if err := os.Mkdir(filepath.Join(dir, "another"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := unix.Mount("tmpfs", filepath.Join(dir, "another"), "tmpfs", 0, ""); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = unix.Unmount(filepath.Join(dir, "another"), unix.MNT_DETACH) })
		write(t, dir, "another/on another mount.jpg", jpeg)
	})
	l := list(t, f, began)
	want := []string{"DCIM/100/IMG_1.JPG", "anh\uFFFDgpj.exe", "bad\uFFFDutf.jpg", strings.Repeat("dài ", 11) + "dài…dài cuối.jpg",
		"dòng\uFFFD<script>\uFFFD[2J.jpg", "giấy khai sinh.pdf", "no ending", "z\u0316\u0316.jpg"}
	slices.Sort(want)
	if got := names(l.Files); !slices.Equal(got, want) {
		t.Errorf("offered are %q,\nnot %q", got, want)
	}
	why := map[string]stick.Why{}
	for _, r := range l.Refused {
		why[r.Name] = r.Why
	}
	if fmt.Sprint(why) != "map[empty.pdf:empty huge.pdf:too-large program.jpg:damaged tệp nén.zip:archive đơn.docx:office]" {
		t.Errorf("refused are %v", why)
	}
	if l.Others != 1 || !l.More || l.Sticks != 1 || l.Early || l.Closed {
		t.Errorf("%d others, more %t, %d sticks, early %t, closed %t", l.Others, l.More, l.Sticks, l.Early, l.Closed)
	}
	for _, file := range l.Files {
		data, err := f.Take(t.Context(), "visit", file.ID)
		if err != nil || !bytes.Equal(data, jpeg) && !bytes.Equal(data, pdf) {
			t.Errorf("%q: %q, %v", file.Name, data, err)
		}
		named := [...]string{f.NameOf("visit", file.ID), f.NameOf("another visit", file.ID), f.NameOf("visit", "x")}
		if named != [...]string{file.Name, "", ""} {
			t.Errorf("named %q, listed as %q", named, file.Name)
		}
		if _, err := f.Take(t.Context(), "another visit", file.ID); !errors.Is(err, stick.ErrGone) {
			t.Errorf("%q was given to another visit: %v", file.Name, err)
		}
	}
	if s := fmt.Sprintf("%v %+v %v", l.Files[0], l.Files, l); strings.Contains(s, "khai sinh") {
		t.Errorf("a name shows in %q", s)
	}
}

// Only a stick is read that came after the visit began, and that is mounted as it should be.
func TestWhichSticks(t *testing.T) {
	if !sticktest.CanMount(t) {
		return
	}
	folder := t.TempDir()
	one := func(dir string) { write(t, dir, "a.jpg", jpeg) }
	forgotten := sticktest.Plug(t, folder, "sda1", one)
	f := stick.New(folder, limit, time.Now)
	if l := list(t, f, time.Time{}); len(l.Files) != 0 || !l.Early {
		t.Errorf("before the program ran: %d files, early %t", len(l.Files), l.Early)
	}
	forgotten.Pull()
	before := f.State()
	s := sticktest.Plug(t, folder, "sda1", one)
	if f.State() == before {
		t.Error("a stick that came changes no state")
	}
	if l := list(t, f, time.Now()); len(l.Files) != 0 || !l.Early {
		t.Errorf("a visit that began after it: %d files, early %t", len(l.Files), l.Early)
	}
	began := time.Now()
	s.Pull()
	f.State() // as Run sees it
	s = sticktest.Plug(t, folder, "sda1", one)
	l := list(t, f, began)
	if len(l.Files) != 1 || l.Early {
		t.Fatalf("pulled and plugged in again: %d files, early %t", len(l.Files), l.Early)
	}
	for name, flags := range map[string]uintptr{"writable": unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC,
		"with devices": unix.MS_RDONLY | unix.MS_NOSUID | unix.MS_NOEXEC, "with programs": unix.MS_RDONLY | unix.MS_NOSUID | unix.MS_NODEV} {
		s.Remount(flags)
		if got := list(t, f, began); len(got.Files) != 0 || !got.Closed {
			t.Errorf("%s: %d files, closed %t", name, len(got.Files), got.Closed)
		}
		if _, err := f.Take(t.Context(), "visit", l.Files[0].ID); !errors.Is(err, stick.ErrGone) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if wrong, err := f.Check(); err != nil || len(wrong) != 1 {
		t.Errorf("a technician is told %q, %v", wrong, err)
	}
	if err := os.Mkdir(filepath.Join(folder, "sdc1"), 0o755); err != nil { // what the unit leaves where mounting failed
		t.Fatal(err)
	}
	s.Pull()
	if got := list(t, f, began); len(got.Files) != 0 || !got.Closed || got.Early {
		t.Errorf("not mounted: %d files, closed %t, early %t", len(got.Files), got.Closed, got.Early)
	}
	if _, err := f.Take(t.Context(), "visit", l.Files[0].ID); !errors.Is(err, stick.ErrGone) {
		t.Errorf("pulled: %v", err)
	}
}

// watched is a folder that was looked at once, before any stick came.
func watched(t *testing.T) (folder string, f *stick.Folder, began time.Time) {
	t.Helper()
	folder = t.TempDir()
	f, began = stick.New(folder, limit, time.Now), time.Now()
	f.State()
	return folder, f, began
}

// Another person's stick that the kernel gives the same numbers, with a file of the same name, size and time, is another stick.
func TestStickInTheSamePlace(t *testing.T) {
	if !sticktest.CanMount(t) {
		return
	}
	folder, f, began := watched(t)
	changed := began.Add(-time.Hour).Truncate(time.Second)
	plug := func(last byte) *sticktest.Stick {
		return sticktest.Plug(t, folder, "sdb1", func(dir string) {
			write(t, dir, "a.jpg", append(jpeg, last))
			if err := os.Chtimes(filepath.Join(dir, "a.jpg"), changed, changed); err != nil {
				t.Fatal(err)
			}
		})
	}
	s := plug('1')
	before := f.State()
	id := list(t, f, began).Files[0].ID
	for range 50 { // the kernel's numbers come again soon, not always at once
		s.Pull()
		f.State()
		if s = plug('2'); f.State() == before {
			break
		}
	}
	t.Logf("the same numbers again: %t", f.State() == before)
	if data, err := f.Take(t.Context(), "visit", id); !errors.Is(err, stick.ErrGone) {
		t.Errorf("a file of another stick: %d bytes, %v", len(data), err)
	}
}

// A file is given whole, as it was listed, or not at all.
func TestFileThatChanges(t *testing.T) {
	if !sticktest.CanMount(t) {
		return
	}
	folder, f, began := watched(t)
	s := sticktest.Plug(t, folder, "sdb1", func(dir string) { write(t, dir, "a.jpg", append(jpeg, make([]byte, 4096)...)) })
	for name, change := range map[string]func(string) error{
		"shorter": func(file string) error { return os.Truncate(file, 100) },
		"newer":   func(file string) error { return os.Chtimes(file, time.Time{}, time.Now().Add(time.Second)) },
		"longer":  func(file string) error { return os.Truncate(file, limit+1) },
		"a link":  func(file string) error { return errors.Join(os.Remove(file), os.Symlink("/etc/passwd", file)) },
		"a pipe":  func(file string) error { return errors.Join(os.Remove(file), unix.Mkfifo(file, 0o644)) },
	} {
		s.Change(func(dir string) {
			_ = os.Remove(filepath.Join(dir, "a.jpg"))
			write(t, dir, "a.jpg", append(jpeg, make([]byte, 4096)...))
		})
		id := list(t, f, began).Files[0].ID
		s.Change(func(dir string) {
			if err := change(filepath.Join(dir, "a.jpg")); err != nil {
				t.Fatal(err)
			}
		})
		if data, err := f.Take(t.Context(), "visit", id); !errors.Is(err, stick.ErrChanged) && !errors.Is(err, stick.ErrGone) || data != nil {
			t.Errorf("%s: %d bytes, %v", name, len(data), err)
		}
	}
}

// What is too much is told.
func TestManyFiles(t *testing.T) {
	if !sticktest.CanMount(t) {
		return
	}
	folder, f, began := watched(t)
	sticktest.Plug(t, folder, "sdb1", func(dir string) {
		for n := range 6000 {
			write(t, dir, fmt.Sprintf("%02d/%d.jpg", n/100, n), jpeg)
		}
	})
	if l := list(t, f, began); !l.More || len(l.Files) < 100 || len(l.Files) > 300 {
		t.Errorf("%d files, more %t", len(l.Files), l.More)
	}
}

// File systems as they are on sticks, on a loop device: those of them that this machine's kernel has, and ext4, which all have.
func TestRealFileSystems(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("a loop device takes root")
	}
	tried := 0
	for kind, c := range map[string]struct{ make, options string }{
		"vfat": {"mkfs.vfat", ",utf8"}, "exfat": {"mkfs.exfat", ",utf8"}, "ext4": {"mkfs.ext4", ""}} {
		image := filepath.Join(t.TempDir(), "stick")
		if err := os.WriteFile(image, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		from := t.TempDir()
		write(t, from, "DCIM/Ảnh thẻ.JPG", jpeg)
		args := []string{image}
		if kind == "ext4" {
			args = []string{"-q", "-d", from, image}
		}
		if err := os.Truncate(image, 40<<20); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command(c.make, args...).CombinedOutput(); err != nil {
			t.Logf("no %s here: %v %s", c.make, err, out)
			continue
		}
		folder := t.TempDir()
		f := stick.New(folder, limit, time.Now)
		f.State()
		began := time.Now()
		s, ok := sticktest.PlugImage(t, folder, "sdb1", kind, image, c.options)
		if !ok {
			continue
		}
		tried++
		l := list(t, f, began)
		if want := map[bool]int{true: 1}[kind == "ext4"]; l.Sticks != 1 || len(l.Files) != want {
			t.Errorf("%s: %d sticks, files %q", kind, l.Sticks, names(l.Files))
		}
		s.Pull()
		for _, file := range l.Files {
			if _, err := f.Take(t.Context(), "visit", file.ID); !errors.Is(err, stick.ErrGone) {
				t.Errorf("%s: pulled: %v", kind, err)
			}
		}
	}
	if tried == 0 {
		t.Error("no file system could be mounted")
	}
}
