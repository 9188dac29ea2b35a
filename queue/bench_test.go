package queue

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"filippo.io/age"
	bolt "go.etcd.io/bbolt"
)

// The benchmarks compare in one run, turn about, because a shared disk is fast in one minute and slow in the next.
// Medians, because one fsync in a hundred waits for somebody else's. Run them with
//
//	go test -run '^$' -bench . ./queue

func median(ds []time.Duration) time.Duration {
	slices.Sort(ds)
	return ds[len(ds)/2]
}

// twoMB is a submission of 2 MB: a form and two pages of bytes that don't compress, as JPEG does not.
func twoMB(id string) (Draft, []byte) {
	all := make([]byte, 2<<20)
	rand.Read(all)
	d := Draft{ID: id}
	d.Parts = append(d.Parts,
		FromBytes("form.json", "application/json", all[:4<<10]),
		FromBytes("page-0001.jpg", "image/jpeg", all[4<<10:1<<20]),
		FromBytes("page-0002.jpg", "image/jpeg", all[1<<20:]))
	return d, all
}

// BenchmarkEnqueue accepts 2 MB durably, against writing and fsyncing the same bytes to a plain file.
func BenchmarkEnqueue(b *testing.B) { benchmarkEnqueue(b, b.TempDir()) }

// BenchmarkEnqueueFastDisk is the same on a disk whose plain write takes about 2 ms, where nothing hides what the queue
// itself costs: ext4 in a file in memory. It takes root, for the mount.
func BenchmarkEnqueueFastDisk(b *testing.B) { benchmarkEnqueue(b, fastDisk(b)) }

func fastDisk(b *testing.B) string {
	const size = 1 << 30
	memory := memoryDir(b)
	image, dir := filepath.Join(memory, "disk"), filepath.Join(memory, "mounted")
	if os.Geteuid() != 0 {
		b.Skip("mounting a disk takes root")
	}
	// Written through: the first touch of a page of memory costs more than the disk.
	if err := errors.Join(os.WriteFile(image, make([]byte, size), 0o600), os.Mkdir(dir, 0o700)); err != nil {
		b.Fatal(err)
	}
	for _, c := range [][]string{{"mkfs.ext4", "-q", "-E", "nodiscard,lazy_itable_init=0,lazy_journal_init=0", image},
		{"mount", "-o", "loop,nodiscard", image, dir}} {
		if out, err := exec.CommandContext(b.Context(), c[0], c[1:]...).CombinedOutput(); err != nil {
			b.Skipf("no disk can be made here: %s: %v: %s", c[0], err, out)
		}
	}
	b.Cleanup(func() {
		if out, err := exec.Command("umount", dir).CombinedOutput(); err != nil {
			b.Errorf("umount: %v: %s", err, out)
		}
	})
	return dir
}

func benchmarkEnqueue(b *testing.B, dir string) {
	q := mustOpen(b, filepath.Join(dir, "queue"), Options{})
	d, all := twoMB("")
	var plain, queued, unsafely []time.Duration
	for i := 0; b.Loop(); i++ {
		d.ID = fmt.Sprintf("B%08d", i)
		name := filepath.Join(dir, fmt.Sprint("plain", i))
		plainly := func() {
			start := time.Now()
			f, err := os.Create(name)
			if err != nil {
				b.Fatal(err)
			}
			_, err = f.Write(all)
			if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
				b.Fatal(err)
			}
			plain = append(plain, time.Since(start))
		}
		enqueue := func() {
			start := time.Now()
			mustEnqueue(b, q, d)
			queued = append(queued, time.Since(start))
		}
		if i%2 == 0 {
			plainly()
			enqueue()
		} else {
			enqueue()
			plainly()
		}
		unsafely = append(unsafely, hashSealWrite(b, name+".sealed", all))
		// What stays would make the next write into memory that was never touched.
		if err := errors.Join(os.Remove(name), q.Drop(b.Context(), d.ID)); err != nil {
			b.Fatal(err)
		}
	}
	if err := q.Close(); err != nil {
		b.Fatal(err)
	}
	p, e, u := median(plain), median(queued), median(unsafely)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(p.Microseconds())/1000, "plain-ms")
	b.ReportMetric(float64(e.Microseconds())/1000, "enqueue-ms")
	b.ReportMetric(float64(e)/float64(p), "x-plain")
	b.ReportMetric(float64(u.Microseconds())/1000, "no-sync-ms")
	b.ReportMetric(float64(u)/float64(p), "no-sync-x-plain")
}

// hashSealWrite is the least that any order of things has to do before the first byte may count: hash once, seal and write at the
// same time, with the keys made beforehand and nothing synced. What accepting takes beyond it is the second digest, the syncs and
// the record.
func hashSealWrite(b *testing.B, name string, all []byte) time.Duration {
	own, err := age.GenerateX25519Identity()
	if err != nil {
		b.Fatal(err)
	}
	buf := bufio.NewWriterSize(nil, blobPiece)
	var head bytes.Buffer
	buf.Reset(&head)
	w, err := age.Encrypt(buf, own.Recipient())
	if err = errors.Join(err, buf.Flush()); err != nil {
		b.Fatal(err)
	}
	start := time.Now()
	f, err := os.Create(name)
	if err != nil {
		b.Fatal(err)
	}
	buf.Reset(f)
	var hashing sync.WaitGroup
	hashing.Go(func() { sha256.Sum256(all) })
	_, err = buf.Write(head.Bytes())
	for piece := range slices.Chunk(all, fanBlockSize) {
		_, e := w.Write(piece)
		err = errors.Join(err, e)
	}
	err = errors.Join(err, w.Close(), buf.Flush(), f.Close())
	hashing.Wait()
	took := time.Since(start)
	if err = errors.Join(err, os.Remove(name)); err != nil {
		b.Fatal(err)
	}
	return took
}

// backlog makes a queue with n submissions in seconds: many records to a transaction, and for blobs further names
// of a few real ones, which is all the same to what is measured.
func backlog(b *testing.B, n int) string {
	dir := b.TempDir()
	q, _, err := Open(context.Background(), dir, Options{MinFree: -1})
	if err != nil {
		b.Fatal(err)
	}
	const perFile = 50_000 // ext4 allows 65,000 names
	var first *record
	for from := 0; from < n; from += segmentFill {
		segment := uint64(from / segmentFill)
		if err := os.MkdirAll(q.segmentPath(segment), 0o700); err != nil {
			b.Fatal(err)
		}
		if from%perFile < segmentFill {
			s := mustEnqueue(b, q, Draft{
				Labels: map[string]string{"procedure": "2.000815", "channel": "self", "level": "full", "ward": "00001"},
				Parts:  twoKB(),
			})
			if first, err = q.stored(s.ID); err != nil {
				b.Fatal(err)
			}
		}
		err := q.update(func(tx *bolt.Tx) error {
			for i := range min(segmentFill, n-from) {
				r := *first
				r.ID, r.Code, r.Segment = fmt.Sprintf("01K0000000%016d", from+i), newCode(), segment
				if err := os.Link(q.path(first.place()), q.path(r.place())); err != nil {
					return err
				}
				if err := q.insert(tx, &r, true); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	if err := q.Close(); err != nil {
		b.Fatal(err)
	}
	return dir
}

func twoKB() (ps []Part) {
	for p := range 4 {
		ps = append(ps, FromBytes(fmt.Sprintf("page-%04d.jpg", p+1), "image/jpeg", make([]byte, 512)))
	}
	return ps
}

// BenchmarkBacklog starts, and enqueues, with nothing queued and with 100,000.
func BenchmarkBacklog(b *testing.B) {
	const many = 100_000
	dirs := [2]string{backlog(b, 0), backlog(b, many)}
	var start, enqueue, claim [2][]time.Duration
	var heap, resident [2]uint64
	for i := 0; b.Loop(); i++ {
		for _, which := range []int{i % 2, 1 - i%2} {
			at := time.Now()
			q, _, err := Open(context.Background(), dirs[which], Options{MinFree: -1})
			if err != nil {
				b.Fatal(err)
			}
			start[which] = append(start[which], time.Since(at))
			for range 5 {
				d := draft("", 1)
				at = time.Now()
				s := mustEnqueue(b, q, d)
				enqueue[which] = append(enqueue[which], time.Since(at))
				at = time.Now()
				r, _, err := q.claim(turn{}, q.now())
				if err != nil {
					b.Fatal(err)
				}
				claim[which] = append(claim[which], time.Since(at))
				if err := settled(context.Background(), q, r, Permanent(fmt.Errorf("back to where it was"))); err != nil {
					b.Fatal(err)
				}
				// Each round leaves the backlog as it was.
				if err := q.Retry(context.Background(), r.ID); err != nil {
					b.Fatal(err)
				}
				if err := q.Drop(context.Background(), s.ID); err != nil {
					b.Fatal(err)
				}
			}
			runtime.GC()
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			heap[which] = m.HeapAlloc
			resident[which] = residentMemory(b)
			if err := q.Close(); err != nil {
				b.Fatal(err)
			}
		}
	}
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	ratio := func(ds [2][]time.Duration) float64 { return float64(median(ds[1])) / float64(median(ds[0])) }
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(ms(median(start[0])), "start-0-ms")
	b.ReportMetric(ms(median(start[1])), "start-100k-ms")
	b.ReportMetric(ratio(start), "x-start")
	b.ReportMetric(ms(median(enqueue[0])), "enqueue-0-ms")
	b.ReportMetric(ms(median(enqueue[1])), "enqueue-100k-ms")
	b.ReportMetric(ratio(enqueue), "x-enqueue")
	b.ReportMetric(ratio(claim), "x-claim")
	b.ReportMetric(float64(heap[0])/(1<<20), "heap-0-MiB")
	b.ReportMetric(float64(heap[1])/(1<<20), "heap-100k-MiB")
	b.ReportMetric((float64(resident[1])-float64(resident[0]))/(1<<20), "resident-more-MiB")
}

// residentMemory is what the process holds for itself: pages of the mapped index are the kernel's cache.
func residentMemory(b *testing.B) uint64 { return memory(b, "RssAnon") }

// residentFile is what it holds of mapped files, its own program among them.
func residentFile(b *testing.B) uint64 { return memory(b, "RssFile") }

// memory reads a figure of this process in bytes.
func memory(b *testing.B, name string) uint64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Fatal(err)
	}
	for line := range bytes.Lines(status) {
		var kb uint64
		if figure, ok := strings.CutPrefix(string(line), name+":"); ok {
			fmt.Sscanf(figure, "%d kB", &kb)
			return kb << 10
		}
	}
	b.Fatal("no", name)
	return 0
}
