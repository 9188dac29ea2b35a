// Package stick lists and reads what a citizen brings on a USB stick, so that a kiosk's page can offer it and no browser opens a
// file dialog. In goes a folder in which the system mounts each stick by itself (the package's rule does, see configs/packaging/sticks);
// out come the pictures and PDFs of the sticks that came after a moment, and the bytes of one that is chosen.
//
// It promises: nothing is written; only a stick is read that is mounted read-only, without devices, programs and privileges; no path
// leaves the stick (openat2 without symlinks, mounts and ways up), and nothing but a plain file is opened; depth, number, size and
// time are bounded; names come out such that they show as what they are; a file that changes while it is read is not given; and a
// stick that hangs holds up nobody but who asks for it. It remembers no name: a File's ID is the sealed way to it.
package stick

import (
	"cmp"
	"context"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/chacha20poly1305"
	"golang.org/x/sys/unix"

	"motcua/ocr/page"
)

// What is looked at of a stick.
const (
	maxSticks  = 8
	maxDepth   = 5     // folders below a stick's first; phones lay pictures three deep
	maxEntries = 5_000 // names of files and folders, all sticks together
	maxFiles   = 240   // that are offered
	maxRefused = 20    // that are told by name
	maxPath    = 1024  // bytes

	listTime = 10 * time.Second // a slow stick of 5,000 files takes five
	readTime = 40 * time.Second // 30 MB from a stick of 1 MB/s
	piece    = 1 << 20          // bytes that are read at once
	sniffed  = 1024             // bytes that tell a file's kind
)

// What Take and List answer where they can't give.
var (
	ErrGone     = errors.New("stick: not there any more, or not to be read")
	ErrChanged  = errors.New("stick: the file changed since it was listed, or while it was read")
	ErrTooLarge = errors.New("stick: the file is too large")
	ErrSlow     = errors.New("stick: it does not answer in time")
)

// Why says what keeps a file from being taken.
type Why string

// The reasons, for the catalogue of words.
const (
	WhyTooLarge Why = "too-large"
	WhyEmpty    Why = "empty"
	WhyOffice   Why = "office"  // a text or table of an office program
	WhyArchive  Why = "archive" // files packed into one
	WhyFilm     Why = "film"
	WhyDamaged  Why = "damaged" // named like a picture or a PDF, and none
)

// File is one that may be taken, or is told why not. Name and Folder are safe to show; they are personal data.
type File struct {
	ID      string
	Name    string
	Folder  string // below the stick; empty for its first
	Size    int64  // bytes
	Changed time.Time
	Why     Why
}

// String keeps names out of logs.
func (File) String() string { return "file on a stick" }

// Listing is what lies on the sticks.
type Listing struct {
	Files   []File // may be taken, newest first
	Refused []File // look like somebody's papers, and can't be taken: with Why
	Others  int    // files of other kinds
	More    bool   // there is more than was looked at
	Sticks  int    // that were listed
	Early   bool   // one is plugged in that was there before
	Closed  bool   // one came that the system did not mount, or not as it should
}

// String keeps names out of logs.
func (l Listing) String() string { return fmt.Sprintf("%d files on sticks", len(l.Files)) }

// mounted is a stick.
type mounted struct {
	name  string // of its folder
	mount uint64
	dev   uint64
	since time.Time // when it came; zero: before this program ran
	turn  uint64    // how many had come before: the kernel gives a mount's number again
	open  bool      // mounted as it should
}

// Folder is where sticks appear. Run must be running for it to know when they came.
type Folder struct {
	dir   string
	limit int64
	now   func() time.Time
	seal  cipher.AEAD

	mu     sync.Mutex // guards what follows
	sticks []mounted
	known  bool   // sticks was filled once
	turns  uint64 // how many sticks have come

	one  chan struct{} // holds one while a stick is read
	jobs sync.WaitGroup
}

// New gives the sticks that appear as mounted folders in dir; limit is the most bytes of a file.
func New(dir string, limit int64, now func() time.Time) *Folder {
	key := make([]byte, chacha20poly1305.KeySize)
	_, _ = rand.Read(key)                 // never fails since Go 1.24
	seal, _ := chacha20poly1305.NewX(key) // the key has its size
	return &Folder{dir: dir, limit: limit, now: now, seal: seal, one: make(chan struct{}, 1)}
}

// Run notes when sticks come and go until ctx ends, then waits for what is being read.
func (f *Folder) Run(ctx context.Context) error {
	defer f.jobs.Wait()
	mounts, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return fmt.Errorf("watch for sticks: %w", err)
	}
	defer mounts.Close()
	for ctx.Err() == nil {
		f.look()
		wait := []unix.PollFd{{Fd: int32(mounts.Fd()), Events: unix.POLLPRI}} // proc(5): told when a mount comes or goes
		if _, err := unix.Poll(wait, 1000); err != nil && !errors.Is(err, unix.EINTR) {
			return fmt.Errorf("watch for sticks: %w", err)
		}
	}
	return nil
}

// State changes whenever a stick comes or goes.
func (f *Folder) State() string {
	var b strings.Builder
	for _, s := range f.look() {
		fmt.Fprintf(&b, "%d.%d.%t ", s.mount, s.dev, s.open)
	}
	return b.String()
}

// look sees which sticks are there.
func (f *Folder) look() []mounted {
	f.mu.Lock()
	defer f.mu.Unlock()
	var now []mounted
	harmless := harmlessMounts()
	for _, name := range f.names() {
		s, ok := f.stat(name, harmless)
		if !ok {
			continue
		}
		if i := slices.IndexFunc(f.sticks, func(o mounted) bool { return o.name == s.name && o.mount == s.mount && o.dev == s.dev }); i >= 0 {
			s.since, s.turn = f.sticks[i].since, f.sticks[i].turn
		} else {
			s.turn = f.turns
			f.turns++
			if f.known {
				s.since = f.now()
			}
		}
		now = append(now, s)
	}
	f.sticks, f.known = now, true
	return slices.Clone(now)
}

func (f *Folder) names() []string {
	d, err := os.Open(f.dir)
	if err != nil {
		return nil // no stick was mounted yet
	}
	defer d.Close()
	names, _ := d.Readdirnames(maxSticks) // what could be read
	slices.Sort(names)
	return names
}

// stat looks at a stick's folder, beside the mounts that are harmless; ok is false for what is no folder.
func (f *Folder) stat(name string, harmless []uint64) (s mounted, ok bool) {
	fd, err := f.root(name, unix.O_PATH)
	if err != nil {
		return s, false
	}
	defer unix.Close(fd)
	// The file system itself is not asked: what a stick that answers nothing kept here, all that look at sticks would wait for.
	// vfat's statfs reads the whole table of clusters.
	var st unix.Statx_t
	if unix.Statx(fd, "", unix.AT_EMPTY_PATH|unix.AT_NO_AUTOMOUNT|unix.AT_STATX_DONT_SYNC, unix.STATX_MNT_ID, &st) != nil {
		return s, false
	}
	s = mounted{name: name, mount: st.Mnt_id, dev: uint64(st.Dev_major)<<32 | uint64(st.Dev_minor)}
	s.open = st.Attributes&unix.STATX_ATTR_MOUNT_ROOT != 0 && slices.Contains(harmless, s.mount)
	return s, true
}

// harmlessMounts reads which mounts are read-only, without devices, programs and privileges, from lines of proc(5)'s mountinfo.
func harmlessMounts() (ids []uint64) {
	info, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil // none is known to be
	}
	for line := range strings.Lines(string(info)) {
		fields := strings.Fields(line)
		if len(fields) < 6 {
			continue
		}
		id, err := strconv.ParseUint(fields[0], 10, 64)
		options := strings.Split(fields[5], ",")
		lacks := func(o string) bool { return !slices.Contains(options, o) }
		if err == nil && !slices.ContainsFunc([]string{"ro", "nosuid", "nodev", "noexec"}, lacks) {
			ids = append(ids, id)
		}
	}
	return ids
}

// root opens a stick's folder.
func (f *Folder) root(name string, flags uint64) (int, error) {
	dir, err := unix.Open(f.dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	defer unix.Close(dir)
	return unix.Openat2(dir, name, &unix.OpenHow{Flags: flags | unix.O_DIRECTORY | unix.O_NOFOLLOW | unix.O_CLOEXEC,
		Resolve: unix.RESOLVE_BENEATH | unix.RESOLVE_NO_SYMLINKS | unix.RESOLVE_NO_MAGICLINKS})
}

// within opens what lies on a stick, whose folder is root. A FIFO does not hold it up, and a device is not opened: nodev.
func within(root int, way string, flags uint64) (*os.File, error) {
	fd, err := unix.Openat2(root, way, &unix.OpenHow{
		Flags:   flags | unix.O_RDONLY | unix.O_NONBLOCK | unix.O_NOCTTY | unix.O_NOFOLLOW | unix.O_CLOEXEC,
		Resolve: unix.RESOLVE_BENEATH | unix.RESOLVE_NO_SYMLINKS | unix.RESOLVE_NO_MAGICLINKS | unix.RESOLVE_NO_XDEV})
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), fmt.Sprintf("/proc/self/fd/%d", fd)), nil // a name by which os finds what is in a folder
}

// do runs what reads a stick, one at a time. A stick that hangs keeps it: the kernel can't be hurried.
func do[T any](ctx context.Context, f *Folder, limit time.Duration, read func(context.Context) (T, error)) (T, error) {
	var none T
	ctx, cancel := context.WithTimeoutCause(ctx, limit, ErrSlow)
	defer cancel()
	select {
	case f.one <- struct{}{}:
	case <-ctx.Done():
		return none, context.Cause(ctx)
	}
	type answer struct {
		got T
		err error
	}
	done := make(chan answer, 1)
	f.jobs.Go(func() {
		defer func() { <-f.one }()
		got, err := read(ctx)
		done <- answer{got, err}
	})
	select {
	case a := <-done:
		if ctx.Err() != nil && a.err != nil {
			a.err = context.Cause(ctx)
		}
		return a.got, a.err
	case <-ctx.Done():
		return none, context.Cause(ctx)
	}
}

// List lists what the sticks hold that came after a moment, for the visit that began then.
func (f *Folder) List(ctx context.Context, visit string, since time.Time) (Listing, error) {
	return do(ctx, f, listTime, func(ctx context.Context) (Listing, error) {
		l := lister{Folder: f, visit: visit}
		for _, s := range f.look() {
			switch {
			case !s.since.After(since):
				l.Early = true
			case !s.open:
				l.Closed = true
			default:
				l.Sticks++
				l.stick(ctx, s)
			}
		}
		if ctx.Err() != nil {
			return Listing{}, ctx.Err()
		}
		slices.SortStableFunc(l.Files, func(a, b File) int {
			return cmp.Or(b.Changed.Compare(a.Changed), cmp.Compare(a.Folder, b.Folder), cmp.Compare(a.Name, b.Name))
		})
		if len(l.Files) > maxFiles {
			l.Files, l.More = l.Files[:maxFiles], true
		}
		return l.Listing, nil
	})
}

// lister walks sticks.
type lister struct {
	*Folder
	Listing
	visit string
	seen  int // entries
}

func (l *lister) stick(ctx context.Context, s mounted) {
	root, err := l.root(s.name, unix.O_RDONLY)
	if err != nil {
		l.Closed = true
		return
	}
	defer unix.Close(root)
	for folders := []string{"."}; len(folders) > 0 && ctx.Err() == nil; folders = folders[1:] { // the first folders first
		folders = append(folders, l.folder(ctx, s, root, folders[0])...)
	}
}

// folder lists one folder, and gives those in it.
func (l *lister) folder(ctx context.Context, s mounted, root int, way string) (deeper []string) {
	d, err := within(root, way, unix.O_DIRECTORY)
	if err != nil {
		return nil
	}
	defer d.Close()
	for ctx.Err() == nil {
		entries, err := d.ReadDir(128)
		for _, e := range entries {
			if l.seen++; l.seen > maxEntries {
				l.More = true
				return nil
			}
			under := path.Join(way, e.Name())
			switch kind := e.Type(); {
			case len(under) > maxPath || hidden(e.Name()):
			case kind.IsDir() && strings.Count(under, "/") >= maxDepth:
				l.More = true
			case kind.IsDir():
				deeper = append(deeper, under)
			case kind.IsRegular():
				l.file(s, root, under)
			}
		}
		if err != nil || len(entries) == 0 {
			break // its end, or all that can be read of it
		}
	}
	slices.Sort(deeper)
	return deeper
}

// hidden tells what systems lay down for themselves.
func hidden(name string) bool {
	return strings.HasPrefix(name, ".") || strings.HasPrefix(name, "$") || name == "System Volume Information" || name == "LOST.DIR" ||
		name == "lost+found"
}

// file lists a plain file.
func (l *lister) file(s mounted, root int, way string) {
	f, err := within(root, way, 0)
	if err != nil {
		return
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return
	}
	head := make([]byte, sniffed)
	defer clear(head)
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return
	}
	folder := path.Dir(way)
	if folder == "." {
		folder = ""
	}
	shown := File{Name: Shown(path.Base(way)), Folder: Shown(folder), Size: info.Size(), Changed: info.ModTime()}
	kind, _ := page.Sniff(head[:n])
	switch {
	case kind != "" && info.Size() > l.limit:
		shown.Why = WhyTooLarge
	case kind == "":
		shown.Why = whyNot(path.Ext(way), info.Size())
	}
	switch {
	case kind != "" && shown.Why == "":
		shown.ID = l.id(l.visit, place{[]byte(s.name), s.mount, s.dev, s.turn, []byte(way), info.Size(), info.ModTime()})
		l.Files = append(l.Files, shown)
	case shown.Why == "":
		l.Others++
	case len(l.Refused) < maxRefused:
		l.Refused = append(l.Refused, shown)
	default:
		l.More = true
	}
}

// What names end in that people take for papers, and that stand for what can't be taken.
var (
	pictures = []string{".jpg", ".jpeg", ".png", ".pdf", ".tif", ".tiff", ".heic", ".heif", ".avif", ".webp", ".bmp", ".gif", ".jp2"}
	office   = []string{".doc", ".docx", ".docm", ".odt", ".rtf", ".xls", ".xlsx", ".ods", ".ppt", ".pptx", ".txt", ".htm", ".html"}
	archives = []string{".zip", ".rar", ".7z", ".gz", ".tar"}
	films    = []string{".mp4", ".mov", ".avi", ".3gp", ".mkv"}
)

// whyNot says why a file that is of no kind that is taken can't be; "" for one that nobody takes for a paper.
func whyNot(ending string, size int64) Why {
	ending = strings.ToLower(ending)
	switch {
	case slices.Contains(pictures, ending) && size == 0:
		return WhyEmpty
	case slices.Contains(pictures, ending):
		return WhyDamaged
	case slices.Contains(office, ending):
		return WhyOffice
	case slices.Contains(archives, ending):
		return WhyArchive
	case slices.Contains(films, ending):
		return WhyFilm
	}
	return ""
}

// place is what an ID seals: the way to a file, and what it was when it was listed.
type place struct {
	Stick   []byte // names as they lie there, which may be no text
	Mount   uint64
	Dev     uint64
	Turn    uint64
	Way     []byte
	Size    int64
	Changed time.Time
}

// String keeps the way out of logs.
func (place) String() string { return "way to a file on a stick" }

// id seals a way for a visit.
func (f *Folder) id(visit string, w place) string {
	plain, _ := json.Marshal(w) // of strings and numbers
	nonce := make([]byte, chacha20poly1305.NonceSizeX, chacha20poly1305.NonceSizeX+len(plain)+chacha20poly1305.Overhead)
	_, _ = rand.Read(nonce)
	return base64.RawURLEncoding.EncodeToString(f.seal.Seal(nonce, nonce, plain, []byte(visit)))
}

// Take reads a file that was listed for a visit. The caller wipes what it gets.
func (f *Folder) Take(ctx context.Context, visit, id string) ([]byte, error) {
	w, err := f.open(visit, id)
	if err != nil {
		return nil, err
	}
	return do(ctx, f, readTime, func(ctx context.Context) ([]byte, error) { return f.read(ctx, w) })
}

// NameOf gives the name, safe to show, of a file that was listed for a visit; "" of another one.
func (f *Folder) NameOf(visit, id string) string {
	w, err := f.open(visit, id)
	if err != nil {
		return ""
	}
	return Shown(path.Base(string(w.Way)))
}

// open gives the way that an id of a visit seals.
func (f *Folder) open(visit, id string) (w place, err error) {
	sealed, err := base64.RawURLEncoding.DecodeString(id)
	if err != nil || len(sealed) < chacha20poly1305.NonceSizeX {
		return place{}, ErrGone
	}
	plain, err := f.seal.Open(nil, sealed[:chacha20poly1305.NonceSizeX], sealed[chacha20poly1305.NonceSizeX:], []byte(visit))
	if err != nil || json.Unmarshal(plain, &w) != nil {
		return place{}, ErrGone
	}
	return w, nil
}

// read reads a file that is still what was listed, to its end.
func (f *Folder) read(ctx context.Context, w place) (data []byte, err error) {
	defer func() {
		if err != nil || ctx.Err() != nil {
			clear(data)
			data, err = nil, cmp.Or(err, ctx.Err())
		}
	}()
	there := slices.ContainsFunc(f.look(), func(s mounted) bool {
		return s.open && s.name == string(w.Stick) && s.mount == w.Mount && s.dev == w.Dev && s.turn == w.Turn
	})
	if !there {
		return nil, ErrGone
	}
	root, err := f.root(string(w.Stick), unix.O_RDONLY)
	if err != nil {
		return nil, ErrGone
	}
	defer unix.Close(root)
	file, err := within(root, string(w.Way), 0)
	if err != nil {
		return nil, ErrGone
	}
	defer file.Close()
	same := func() bool {
		info, err := file.Stat()
		return err == nil && info.Mode().IsRegular() && info.Size() == w.Size && info.ModTime().Equal(w.Changed)
	}
	if !same() {
		return nil, ErrChanged
	}
	if w.Size > f.limit {
		return nil, ErrTooLarge
	}
	data = make([]byte, w.Size)
	if err := fill(ctx, data, file); err != nil {
		return data, err
	}
	if !same() {
		return data, ErrChanged
	}
	return data, nil
}

// fill reads a file piece by piece, until ctx ends.
func fill(ctx context.Context, data []byte, file io.Reader) error {
	for at := 0; at < len(data); {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		n, err := io.ReadFull(file, data[at:min(at+piece, len(data))])
		if at += n; errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return ErrChanged
		} else if err != nil {
			return ErrGone
		}
	}
	return nil
}

// Check looks whether the folder is there and what is mounted in it as it should be, for a technician; it names no file.
func (f *Folder) Check() (wrong []string, err error) {
	if info, err := os.Stat(f.dir); err != nil {
		return nil, err
	} else if !info.IsDir() {
		return nil, fmt.Errorf("%s is no folder", f.dir)
	}
	for _, s := range f.look() {
		if !s.open {
			wrong = append(wrong, filepath.Join(f.dir, Shown(s.name)))
		}
	}
	return wrong, nil
}
