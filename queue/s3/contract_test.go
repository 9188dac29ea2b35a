package s3

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
	"github.com/minio/minio-go/v7"

	"motcua/queue"
	"motcua/queue/sinktest"
)

func TestContract(t *testing.T) {
	t.Parallel()
	sinktest.Run(t, sinktest.Far{Large: 2*minPart + 1000, Start: func(t *testing.T, between http.RoundTripper) sinktest.Place {
		store := httptest.NewServer(gofakes3.New(s3mem.New(), gofakes3.WithLogger(gofakes3.DiscardLog())).Server())
		t.Cleanup(store.Close)
		open := func(t *testing.T, over http.RoundTripper) *Sink {
			s, err := New(Options{Endpoint: store.URL, Bucket: bucket, AccessKey: "kiosk", SecretKey: "invented-secret",
				Client: &http.Client{Transport: over}, PartSize: minPart})
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
		direct := open(t, http.DefaultTransport)
		if err := direct.client.MakeBucket(t.Context(), bucket, minio.MakeBucketOptions{}); err != nil {
			t.Fatal(err)
		}
		return sinktest.Place{
			Sink: func(t *testing.T) queue.Sink { return open(t, between) },
			Arrived: func(t *testing.T, id string) []string {
				o, err := direct.client.Client.GetObject(t.Context(), bucket, id+".zip", minio.GetObjectOptions{})
				if err != nil {
					t.Fatal(err)
				}
				defer o.Close()
				sum := sha256.New()
				if _, err := io.Copy(sum, o); minio.ToErrorResponse(err).Code == minio.NoSuchKey {
					return nil
				} else if err != nil {
					t.Fatal(err)
				}
				return []string{hex.EncodeToString(sum.Sum(nil))}
			},
			Occupy: func(t *testing.T, id string) {
				if _, err := direct.client.Client.PutObject(t.Context(), bucket, id+".zip", strings.NewReader("other"), 5,
					minio.PutObjectOptions{}); err != nil {
					t.Fatal(err)
				}
			},
		}
	}})
}
