// Package hotfolder is a scanner made of a folder into which any vendor's scanner program writes: files go
// in, pages come out in the order they were written.
//
// It promises that a file is taken only when it is complete, by one process only, never twice, and never
// lost: a file is claimed by renaming it into a work folder (durably) and is deleted when the page has been
// handed over and taken; what a killed process had claimed is offered again by the next one. What cannot
// be read is set aside beside a note that says why.
package hotfolder

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"
	"motcua/drivers/scan"
)

// Options says where and how patiently. Only Dir is needed.
type Options struct {
	Dir      string
	Work     string        // on the same file system; empty: Dir/.taken
	Rejected string        // on the same file system; empty: Dir/rejected
	Settle   time.Duration // a file that has not changed for so long may be complete; 0: a second
	GiveUp   time.Duration // one that is still not complete after so long without a change is set aside; 0: a minute
	Wait     time.Duration // how long Scan waits for the first file; 0: a minute
	Quiet    time.Duration // Scan ends when nothing more came for so long; 0: three seconds
}

const maxFile = 256 << 20

// Folder is the scanner. One process at a time has it.
type Folder struct {
	o     Options
	id    string
	lock  *os.File
	watch *fsnotify.Watcher
	slot  chan struct{} // who holds it takes files

	// Guarded by slot:
	left  []string // claimed by a process that was killed; they come first
	seen  map[string]sight
	count int
}

// sight is how a file looked and since when it looks so.
type sight struct {
	size  int64
	mtime time.Time
	since time.Time
}

// ErrInUse says that another process has the folder.
var ErrInUse = errors.New("another process takes files from this folder")

// Open makes the folders and looks for what a killed process left.
func Open(o Options) (*Folder, error) {
	o.Work = cmp.Or(o.Work, filepath.Join(o.Dir, ".taken"))
	o.Rejected = cmp.Or(o.Rejected, filepath.Join(o.Dir, "rejected"))
	o.Settle = cmp.Or(o.Settle, time.Second)
	o.GiveUp = cmp.Or(o.GiveUp, time.Minute)
	o.Wait = cmp.Or(o.Wait, time.Minute)
	o.Quiet = cmp.Or(o.Quiet, 3*time.Second)
	for _, dir := range []string{o.Dir, o.Work, o.Rejected} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, fmt.Errorf("open hot folder: %w", err)
		}
	}
	f := &Folder{o: o, id: "hotfolder:" + o.Dir, slot: make(chan struct{}, 1), seen: map[string]sight{}}
	var err error
	if f.lock, err = os.OpenFile(filepath.Join(o.Work, ".lock"), os.O_CREATE|os.O_RDWR, 0o600); err != nil {
		return nil, fmt.Errorf("open hot folder: %w", err)
	}
	if err := lockAlone(f.lock); err != nil {
		f.lock.Close()
		return nil, fmt.Errorf("open hot folder %s: %w", o.Dir, err)
	}
	if err := f.probe(); err != nil {
		f.lock.Close()
		return nil, err
	}
	entries, err := os.ReadDir(o.Work)
	if err != nil {
		f.lock.Close()
		return nil, fmt.Errorf("open hot folder: %w", err)
	}
	for _, e := range entries { // in the order of claiming: names begin with a running number
		number, _, isClaim := strings.Cut(e.Name(), "-")
		if n, err := strconv.Atoi(number); isClaim && err == nil {
			f.left = append(f.left, filepath.Join(o.Work, e.Name()))
			f.count = max(f.count, n)
		}
	}
	// Without notice (a network share, or no inotify left) the folder is still looked at twice a second.
	if f.watch, err = fsnotify.NewWatcher(); err == nil {
		_ = f.watch.Add(o.Dir)
	}
	return f, nil
}

// probe finds out at the start, not at the first page, whether files can be claimed by renaming.
func (f *Folder) probe() error {
	t, err := os.CreateTemp(f.o.Dir, ".motcua-*")
	if err != nil {
		return fmt.Errorf("open hot folder: %w", err)
	}
	t.Close()
	defer os.Remove(t.Name())
	for _, dir := range []string{f.o.Work, f.o.Rejected} {
		to := filepath.Join(dir, filepath.Base(t.Name()))
		if err := os.Rename(t.Name(), to); err != nil {
			return fmt.Errorf("open hot folder: files cannot be moved to %s, which must be on the same file system: %w", dir, err)
		}
		if err := os.Rename(to, t.Name()); err != nil {
			return fmt.Errorf("open hot folder: %w", err)
		}
	}
	return nil
}

// Close gives the folder back. What was taken and not finished is offered again by the next Open.
func (f *Folder) Close() error {
	f.slot <- struct{}{}
	defer func() { <-f.slot }()
	if f.watch != nil {
		_ = f.watch.Close() // it was only read
	}
	return f.lock.Close()
}

// Info describes the folder as a device.
func (f *Folder) Info() scan.Info {
	return scan.Info{ID: f.id, Driver: "hotfolder", Vendor: "", Model: f.o.Dir, Kind: "folder for scanned files",
		Sources: []scan.Source{scan.ADF}}
}

// Scan yields the files that are there and those that come while it waits, each as one page. A page is
// finished, and its file deleted, when the loop comes round or is left: whoever must not lose it before it
// is safely kept uses Next. The folder is one scan's until its loop ends: else a second person's scan would get the first one's
// pages. The settings' source, mode and resolution are the vendor's program's affair.
func (f *Folder) Scan(ctx context.Context, set scan.Settings) iter.Seq2[scan.Page, error] {
	return func(yield func(scan.Page, error) bool) {
		release, err := f.hold()
		if err != nil {
			yield(scan.Page{}, err)
			return
		}
		defer release()
		wait := f.o.Wait
		for number := 1; set.MaxPages == 0 || number <= set.MaxPages; number++ {
			t, err := f.next(ctx, wait)
			if t == nil && err == nil {
				if number == 1 {
					fault := scan.NewFault(f.id, scan.NoDocuments, nil)
					fault.Technician = "No file came into " + f.o.Dir + ". Check that the scanner's program is set to write JPEG, PNG, TIFF or PDF there."
					yield(scan.Page{}, fault)
				}
				return
			}
			if err != nil {
				yield(scan.Page{}, err)
				return
			}
			t.Page.Number = number
			more := yield(t.Page, nil)
			if err := t.Done(); err != nil && more {
				yield(scan.Page{}, f.fault(err))
				return
			}
			if !more {
				return
			}
			wait = f.o.Quiet
		}
	}
}

// Taken is a file that this process has claimed.
type Taken struct {
	Page scan.Page
	Name string // what the vendor's program called it
	path string
}

// Done deletes the file: its page is kept elsewhere now.
func (t *Taken) Done() error {
	if err := os.Remove(t.path); err != nil {
		return fmt.Errorf("finish a scanned file: %w", nameless(err))
	}
	return syncDir(filepath.Dir(t.path))
}

// Next claims the next complete file, waiting for one; nil without an error means that none came in time. A
// file that is just being written is waited for longer.
func (f *Folder) Next(ctx context.Context, wait time.Duration) (*Taken, error) {
	release, err := f.hold()
	if err != nil {
		return nil, err
	}
	defer release()
	return f.next(ctx, wait)
}

// hold takes the slot, or says that another scan has it.
func (f *Folder) hold() (release func(), err error) {
	select {
	case f.slot <- struct{}{}:
		return func() { <-f.slot }, nil
	default:
		return nil, scan.NewFault(f.id, scan.Busy, nil)
	}
}

// next is Next for who holds the slot.
func (f *Folder) next(ctx context.Context, wait time.Duration) (*Taken, error) {
	deadline := time.Now().Add(wait)
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if len(f.left) > 0 {
			path := f.left[0]
			f.left = f.left[1:]
			if t, err := f.take(path); t != nil || err != nil {
				return t, err
			}
			continue
		}
		name, waiting, err := f.complete()
		if err != nil {
			return nil, f.fault(err)
		}
		if name != "" {
			path, err := f.claim(name)
			if err != nil {
				return nil, f.fault(err)
			}
			if path == "" {
				continue // somebody was quicker
			}
			if t, err := f.take(path); t != nil || err != nil {
				return t, err
			}
			continue
		}
		if waiting == 0 && !time.Now().Before(deadline) {
			return nil, nil
		}
		f.pause(ctx, min(f.o.Settle/4, time.Second/2))
	}
}

// pause waits until something happens in the folder, and not longer than a moment: a file that has
// stopped changing gives no notice.
func (f *Folder) pause(ctx context.Context, moment time.Duration) {
	t := time.NewTimer(max(moment, 5*time.Millisecond))
	defer t.Stop()
	var events <-chan fsnotify.Event
	if f.watch != nil {
		events = f.watch.Events
	}
	select {
	case <-ctx.Done():
	case <-t.C:
	case <-events:
	}
}

// complete gives the file that was written first if it may be taken, and otherwise how many are waited for.
func (f *Folder) complete() (name string, waiting int, err error) {
	entries, err := os.ReadDir(f.o.Dir)
	if err != nil {
		return "", 0, err
	}
	now := time.Now()
	there := map[string]sight{}
	var names []string
	for _, e := range entries {
		if temporary(e.Name()) || !e.Type().IsRegular() {
			continue
		}
		info, err := e.Info()
		if err != nil {
			continue // gone since
		}
		s := sight{size: info.Size(), mtime: info.ModTime(), since: now}
		if before, known := f.seen[e.Name()]; known && before.size == s.size && before.mtime.Equal(s.mtime) {
			s.since = before.since
		}
		there[e.Name()] = s
		names = append(names, e.Name())
	}
	f.seen = there
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(there[a].mtime.Compare(there[b].mtime), natural(a, b))
	})
	if len(names) == 0 {
		return "", 0, nil
	}
	// A later file may be complete first; taking it now would change the order.
	first := names[0]
	s, path := there[first], filepath.Join(f.o.Dir, first)
	quiet := now.Sub(s.since)
	if quiet < f.o.Settle || beingWritten(path) {
		return "", len(names), nil
	}
	mediaType, whole := look(path, s.size)
	if quiet < f.o.GiveUp && (s.size == 0 || mediaType != "" && !whole) {
		return "", len(names), nil
	}
	return first, 0, nil
}

// temporary reports names that programs use while they write.
func temporary(name string) bool {
	n := strings.ToLower(name)
	if strings.HasPrefix(n, ".") || strings.HasPrefix(n, "~") || strings.HasSuffix(n, "~") {
		return true
	}
	return slices.Contains([]string{".tmp", ".temp", ".part", ".partial", ".filepart", ".crdownload", ".swp", ".lock"}, filepath.Ext(n))
}

// natural compares names as people number them: page2 comes before page10.
func natural(a, b string) int {
	for a != "" && b != "" {
		da, db := digits(a), digits(b)
		if da > 0 && db > 0 {
			na, nb := strings.TrimLeft(a[:da], "0"), strings.TrimLeft(b[:db], "0")
			if c := cmp.Or(len(na)-len(nb), strings.Compare(na, nb)); c != 0 {
				return c
			}
			a, b = a[da:], b[db:]
			continue
		}
		if a[0] != b[0] {
			return int(a[0]) - int(b[0])
		}
		a, b = a[1:], b[1:]
	}
	return len(a) - len(b)
}

func digits(s string) int {
	n := 0
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return n
}

// look tells from a file's ends what it is and whether it goes to its end.
func look(path string, size int64) (mediaType string, whole bool) {
	file, err := openSeen(path)
	if err != nil {
		return "", false
	}
	defer file.Close()
	head, tail := make([]byte, 8), make([]byte, 1024)
	n, _ := file.ReadAt(head, 0)
	m, _ := file.ReadAt(tail, max(0, size-int64(len(tail))))
	return scan.Sniff(head[:n], tail[:m])
}

// claim moves a file into the work folder, durably; an empty path means that it was no longer there.
func (f *Folder) claim(name string) (path string, err error) {
	f.count++
	short := name[max(0, len(name)-200):] // a number and a note's ending must still fit
	path = filepath.Join(f.o.Work, fmt.Sprintf("%09d-%s", f.count, short))
	if err := os.Rename(filepath.Join(f.o.Dir, name), path); errors.Is(err, fs.ErrNotExist) {
		return "", nil
	} else if err != nil {
		return "", err
	}
	return path, errors.Join(syncDir(f.o.Work), syncDir(f.o.Dir))
}

// take reads a claimed file. Nil without an error: it could not be read and was set aside.
func (f *Folder) take(path string) (*Taken, error) {
	_, name, _ := strings.Cut(filepath.Base(path), "-")
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, f.fault(err)
	}
	switch {
	case !info.Mode().IsRegular():
		return nil, f.reject(path, name, "It is not a file.")
	case info.Size() == 0:
		return nil, f.reject(path, name, "It is empty: the scanner's program made it and never wrote to it.")
	case info.Size() > maxFile:
		return nil, f.reject(path, name, "It is larger than 256 MB. Scan with a lower resolution.")
	}
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrPermission) {
		return nil, f.reject(path, name, "It may not be read by this account. Let the scanner's program write files that the kiosk's user can "+
			"read.")
	}
	if err != nil {
		return nil, f.fault(err)
	}
	mediaType, whole := scan.SniffAll(data)
	switch {
	case mediaType == "":
		return nil, f.reject(path, name, "It is neither JPEG, PNG, TIFF nor PDF. Set the scanner's program to one of these.")
	case !whole:
		return nil, f.reject(path, name, "It breaks off in the middle: the scanner's program ended before it was done. Scan the page again.")
	}
	return &Taken{Page: scan.Page{Number: 1, Encoded: data, MediaType: mediaType}, Name: name, path: path}, nil
}

// reject sets a claimed file aside with the reason beside it.
func (f *Folder) reject(path, name, reason string) error {
	to := filepath.Join(f.o.Rejected, name)
	for n := 2; ; n++ {
		if _, err := os.Lstat(to); errors.Is(err, fs.ErrNotExist) {
			break
		}
		to = filepath.Join(f.o.Rejected, fmt.Sprintf("%s-%d%s", strings.TrimSuffix(name, filepath.Ext(name)), n, filepath.Ext(name)))
	}
	// The reason first: a file without one would be a riddle.
	if err := os.WriteFile(to+".reason.txt", []byte(reason+"\n"), 0o600); err != nil {
		return f.fault(err)
	}
	if err := os.Rename(path, to); err != nil {
		return f.fault(err)
	}
	return nil
}

func (f *Folder) fault(err error) error {
	code, mend := scan.IOError, "The folder "+f.o.Dir+" cannot be read. Check the disk and the share it lies on."
	switch {
	case errors.Is(err, fs.ErrNotExist):
		code, mend = scan.NoDevice, "The folder "+f.o.Dir+" is not there. Check that its share is mounted; it is used again as soon as it is "+
			"back."
	case errors.Is(err, fs.ErrPermission):
		code, mend = scan.AccessDenied, "The folder "+f.o.Dir+" may not be used by this account. Give the kiosk's user the right to read and "+
			"write there."
	}
	return &scan.Fault{Code: code, Device: f.id, Technician: mend, Err: nameless(err)}
}

// nameless takes a file's name out of an error: people name scans after citizens, and errors are logged.
func nameless(err error) error {
	var path *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &path):
		return fmt.Errorf("%s: %w", path.Op, path.Err)
	case errors.As(err, &link):
		return fmt.Errorf("%s: %w", link.Op, link.Err)
	}
	return err
}

// Check looks at the folder without taking it, for `motcua doctor`.
func Check(_ context.Context, o Options) []scan.Finding {
	info, err := os.Stat(o.Dir)
	f := &Folder{o: o, id: "hotfolder:" + o.Dir}
	var fault *scan.Fault
	switch {
	case err != nil && errors.As(f.fault(err), &fault):
		return []scan.Finding{{What: "Hot folder " + o.Dir + ": " + err.Error(), Mend: fault.Technician}}
	case !info.IsDir():
		return []scan.Finding{{What: "Hot folder " + o.Dir + " is a file", Mend: "Name a folder in the configuration."}}
	case !usable(o.Dir):
		return []scan.Finding{{What: "Hot folder " + o.Dir + " may not be used by this account",
			Mend: "Give the kiosk's user the right to read and write there."}}
	}
	findings := []scan.Finding{{OK: true, What: "Hot folder " + o.Dir + " can be used"}}
	rejected := cmp.Or(o.Rejected, filepath.Join(o.Dir, "rejected"))
	if notes, _ := filepath.Glob(filepath.Join(rejected, "*.reason.txt")); len(notes) > 0 {
		findings = append(findings, scan.Finding{
			What: fmt.Sprintf("%d scanned files were set aside in %s", len(notes), rejected),
			Mend: "Read the .reason.txt beside each, scan again what is needed, and delete them: they hold citizens' papers.",
		})
	}
	return findings
}
