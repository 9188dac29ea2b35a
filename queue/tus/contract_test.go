package tus

import (
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"motcua/queue"
	"motcua/queue/receive"
	"motcua/queue/sinktest"
)

// through makes sinks for a hub that is reached by between.
func through(url string, between http.RoundTripper) func(*testing.T) queue.Sink {
	return func(t *testing.T) queue.Sink {
		t.Helper()
		s, err := New(Options{Endpoint: url, Client: &http.Client{Transport: between}, ChunkSize: 512 << 10, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
}

func TestContract(t *testing.T) {
	t.Parallel()
	t.Run("tusd", func(t *testing.T) {
		sinktest.Run(t, sinktest.Far{Start: func(t *testing.T, between http.RoundTripper) sinktest.Place {
			hub := startTusd(t, nil)
			return sinktest.Place{
				Sink:    through(hub.url, between),
				Arrived: func(t *testing.T, id string) []string { return hub.arrived(t)[id] },
			}
		}})
	})
	t.Run("receiver", func(t *testing.T) {
		sinktest.Run(t, sinktest.Far{Start: func(t *testing.T, between http.RoundTripper) sinktest.Place {
			hub := startOffice(t, nil, receive.Options{})
			return sinktest.Place{
				Sink: through(hub.url, between),
				Arrived: func(t *testing.T, id string) []string {
					text, err := os.ReadFile(filepath.Join(hub.dir, id, "receipt.json"))
					if errors.Is(err, fs.ErrNotExist) {
						return nil
					}
					var r receive.Receipt
					if err = errors.Join(err, json.Unmarshal(text, &r)); err != nil {
						t.Fatal(err)
					}
					return []string{r.SHA256}
				},
				Occupy: func(t *testing.T, id string) {
					other := sinktest.NewBundle(777)
					if err := through(hub.url, http.DefaultTransport)(t).Deliver(t.Context(), queue.Submission{ID: id, Code: "7K3P-92QX"}, other,
						&sinktest.Notes{}); err != nil {
						t.Fatal(err)
					}
				},
			}
		}})
	})
}
