package queue

import (
	"bytes"
	"context"
	"crypto/sha256"
	"io"
	"os"
	"path/filepath"
	"testing"

	"filippo.io/age"

	"motcua/queue/seal"
)

// memoryFile is a blob in memory, for reading.
type memoryFile struct {
	file
	*bytes.Reader
}

func (f memoryFile) Size() (int64, error)                    { return f.Reader.Size(), nil }
func (f memoryFile) ReadAt(p []byte, off int64) (int, error) { return f.Reader.ReadAt(p, off) }
func (f memoryFile) Close() error                            { return nil }

// FuzzBlob: whatever lies in the blobs' folder, it gives content whose every byte is authenticated, or an error.
func FuzzBlob(f *testing.F) {
	for _, name := range []string{"B", "C", "E"} {
		data, err := os.ReadFile(filepath.Join("testdata/layout-1/blobs/00000000", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
		f.Add(data[:len(data)/2])
	}
	keys, err := seal.NewFile(privateCopy(f, "testdata/layout-1/kiosk.key")).Load(context.Background())
	if err != nil {
		f.Fatal(err)
	}
	ring := seal.NewRing(keys[0])
	f.Fuzz(func(t *testing.T, data []byte) {
		blob := memoryFile{Reader: bytes.NewReader(data)}
		r, err := readCard(blob)
		if err != nil {
			return
		}
		if r.Stored < 0 || r.Stored > int64(len(data)) {
			r.Stored = int64(len(data))
		}
		c, err := openContent(blob, r, ring)
		if err != nil {
			return
		}
		if _, err := io.Copy(io.Discard, io.NewSectionReader(c, 0, min(c.Size(), 1<<20))); err != nil {
			return
		}
	})
}

// FuzzImport: whatever an export holds once it is opened, nothing is stored that does not fit its digest.
func FuzzImport(f *testing.F) {
	ctx := context.Background()
	q := mustOpen(f, f.TempDir(), Options{})
	mustEnqueue(f, q, draft("A", 0))
	var export bytes.Buffer
	if _, err := q.Export(ctx, &export, recipients()); err != nil {
		f.Fatal(err)
	}
	r, err := age.Decrypt(&export, officeKey)
	if err != nil {
		f.Fatal(err)
	}
	plain, err := io.ReadAll(r)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(plain)
	f.Add(bytes.Replace(plain, []byte("A/"), []byte("../"), 1))
	f.Add(bytes.ReplaceAll(plain, []byte(`"A"`), []byte(`"B"`)))
	to := mustOpen(f, f.TempDir(), Options{})
	f.Fuzz(func(t *testing.T, data []byte) {
		var sealed bytes.Buffer
		w, err := age.Encrypt(&sealed, officeKey.Recipient())
		if err != nil {
			t.Fatal(err)
		}
		w.Write(data)
		w.Close()
		in, _ := to.Import(ctx, &sealed, officeKey)
		for _, id := range in.Accepted {
			c, err := to.Content(ctx, id)
			if err != nil {
				t.Fatal(err)
			}
			sum := sha256.New()
			if n, err := io.Copy(sum, io.NewSectionReader(c, 0, c.Size())); err != nil || n != c.Size() || hexSum(sum) != c.SHA256() {
				t.Fatal("what was imported does not fit its digest", n, err)
			}
			c.Close()
			if err := to.Drop(ctx, id); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func privateCopy(f *testing.F, path string) string {
	data, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	to := filepath.Join(f.TempDir(), filepath.Base(path))
	if err := os.WriteFile(to, data, 0o600); err != nil {
		f.Fatal(err)
	}
	return to
}
