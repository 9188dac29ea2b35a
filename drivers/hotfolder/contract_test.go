package hotfolder

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"motcua/drivers/scan"
	"motcua/drivers/scantest"
)

func TestContract(t *testing.T) {
	dir := t.TempDir()
	want := make([][]byte, 5)
	for i := range want {
		want[i] = jpeg(t, i+1)
	}
	clear := func(t *testing.T) {
		t.Helper()
		names, err := filepath.Glob(filepath.Join(dir, "*.jpg"))
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range names {
			os.Remove(n)
		}
	}
	o := quick(dir)
	scantest.Run(t, scantest.Bench{
		Source: scan.ADF, Waits: true,
		Open: func(t *testing.T) scantest.Scanner {
			f, err := Open(o)
			if err != nil {
				t.Fatal(err)
			}
			return f
		},
		Load: func(t *testing.T, n int) {
			clear(t)
			at := time.Now().Add(-time.Minute)
			for i := range n {
				put(t, dir, fmt.Sprintf("page%d.jpg", i+1), want[i])
				if err := os.Chtimes(filepath.Join(dir, fmt.Sprintf("page%d.jpg", i+1)), at, at.Add(time.Duration(i)*time.Second)); err != nil {
					t.Fatal(err)
				}
			}
		},
		Which: func(p scan.Page) (int, error) {
			for i, w := range want {
				if bytes.Equal(p.Encoded, w) {
					return i + 1, nil
				}
			}
			return 0, errors.New("it is none of the files")
		},
		Away: func(t *testing.T) func() {
			if err := os.Rename(dir, dir+"-away"); err != nil {
				t.Fatal(err)
			}
			return func() {
				if err := os.Rename(dir+"-away", dir); err != nil {
					t.Fatal(err)
				}
			}
		},
	})
}
