package folder

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"motcua/queue"
	"motcua/queue/sinktest"
)

func TestContract(t *testing.T) {
	sinktest.Run(t, sinktest.Far{NoLine: true, Start: func(t *testing.T, _ http.RoundTripper) sinktest.Place {
		dir := t.TempDir()
		return sinktest.Place{
			Sink: func(t *testing.T) queue.Sink {
				s, err := New(Options{Dir: dir})
				if err != nil {
					t.Fatal(err)
				}
				return s
			},
			Arrived: func(t *testing.T, id string) []string {
				data, err := os.ReadFile(filepath.Join(dir, id+".zip"))
				if errors.Is(err, fs.ErrNotExist) {
					return nil
				}
				if err != nil {
					t.Fatal(err)
				}
				sum := sha256.Sum256(data)
				return []string{hex.EncodeToString(sum[:])}
			},
			Occupy: func(t *testing.T, id string) {
				if err := os.WriteFile(filepath.Join(dir, id+".zip"), []byte("other"), 0o600); err != nil {
					t.Fatal(err)
				}
			},
		}
	}})
}
