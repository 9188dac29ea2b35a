package answer

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"motcua/queue/line"
	"motcua/queue/natstest"
)

// halfOpen is a line to a server of which nothing comes back after so many bytes, as through a router that lost its table; frozen is
// closed then.
func halfOpen(t *testing.T, to string, after int64) (address string, frozen <-chan struct{}) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	silent, over := make(chan struct{}), make(chan struct{})
	var once sync.Once
	var lines sync.WaitGroup
	t.Cleanup(func() { l.Close(); close(over); lines.Wait() })
	lines.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			lines.Go(func() {
				defer client.Close()
				server, err := net.Dial("tcp", to)
				if err != nil {
					return
				}
				defer server.Close()
				lines.Go(func() { io.Copy(server, client); server.Close() })
				if n, _ := io.Copy(client, io.LimitReader(server, after)); n == after {
					once.Do(func() { close(silent) })
					<-over
				}
			})
		}
	})
	return l.Addr().String(), silent
}

// random bytes, which no compression makes shorter than the line lets through.
func random(n int) []byte {
	out := make([]byte, n)
	r := rand.NewChaCha8([32]byte{1})
	r.Read(out)
	return out
}

// A kiosk whose line goes silent in the middle of a result can still be stopped, and is not deaf for as long as a large result may take.
func TestProvinceSilentInTheMiddleOfAResult(t *testing.T) {
	hub := natstest.Start(t, t.TempDir(), natstest.AnyPort)
	provide(t, hub.URL())
	d := newDesk("desk-1")
	publisher, err := NewPublisher(connectTo(hub.URL()), "ward-7", d, quiet)
	if err != nil {
		t.Fatal(err)
	}
	runs(t, publisher.Run)
	address, frozen := halfOpen(t, hub.Address(), 300<<10)
	k := kiosk(t, "nats://"+address, "kiosk-a", t.TempDir(), nil)
	d.answers("A", Done, random(1<<20))
	select {
	case <-frozen:
	case <-time.After(time.Minute):
		t.Fatal("the line did not fall silent")
	}
	k.stop() // fails where it does not end
	if r, err := k.in.Store.ByCode(codeOf("A")); err != nil || r.State != Done {
		t.Errorf("the answer itself: %v, %v", r.State, err)
	}
}

// A result that is laid out anew, since one more kiosk is sealed to, loses the pieces of before; a kiosk that has just begun to read those
// gives them up, and takes the new ones.
func TestProvinceResultLaidOutAnewWhileItIsRead(t *testing.T) {
	hub := natstest.Start(t, t.TempDir(), natstest.AnyPort)
	js := provide(t, hub.URL())
	results, err := js.ObjectStore(t.Context(), ResultsBucket)
	if err != nil {
		t.Fatal(err)
	}
	d := newDesk("desk-1")
	result := random(300 << 10)
	a := d.answers("A", Done, result)
	in := &Intake{Store: openAt(t, t.TempDir()), Queue: delivered(t), Log: quiet, Clock: func() time.Time { return noon }}
	if _, err := in.Store.Take(a, noon); err != nil {
		t.Fatal(err)
	}
	sub, err := NewSubscriber(connectTo(hub.URL()), "ward-7", "kiosk-a", in)
	if err != nil {
		t.Fatal(err)
	}
	sub.stall = 100 * time.Millisecond
	lay := func() {
		t.Helper()
		var sealed bytes.Buffer
		if err := SealTo(&sealed, bytes.NewReader(result), in.Store.Recipient()); err != nil {
			t.Fatal(err)
		}
		if _, err := results.PutBytes(t.Context(), resultName("ward-7", a), sealed.Bytes()); err != nil {
			t.Fatal(err)
		}
	}
	lay()
	chunks, err := js.Stream(t.Context(), "OBJ_"+ResultsBucket)
	if err != nil {
		t.Fatal(err)
	}
	if err := chunks.Purge(t.Context(), jetstream.WithPurgeSubject("$O."+ResultsBucket+".C.>")); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := sub.result(ctx, results, a); !errors.Is(err, line.ErrStalled) {
		t.Fatalf("a result whose pieces were purged: %v", err)
	}
	sub.stall = callTime
	lay()
	if err := sub.result(ctx, results, a); err != nil {
		t.Fatal(err)
	}
	if _, data, err := in.Store.Result("A"); err != nil || !bytes.Equal(data, result) {
		t.Errorf("laid out anew: %d bytes, %v", len(data), err)
	}
}

// noDataUntil is an object that gives nothing for a while, as nats.go's does when its deadline is near, and then all.
type noDataUntil struct {
	until time.Time
	data  io.Reader
}

func (r *noDataUntil) Read(p []byte) (int, error) {
	if time.Now().Before(r.until) {
		time.Sleep(lookEvery)
		return 0, os.ErrDeadlineExceeded
	}
	return r.data.Read(p)
}

func TestPatientReader(t *testing.T) {
	for _, c := range []struct {
		silent time.Duration
		want   error
	}{{silence / 2, nil}, {3 * silence / 2, line.ErrStalled}} {
		synctest.Test(t, func(t *testing.T) {
			r := &patientReader{from: &noDataUntil{time.Now().Add(c.silent), strings.NewReader("whole")}, most: silence, heard: time.Now()}
			got, err := io.ReadAll(r)
			if !errors.Is(err, c.want) || err == nil && string(got) != "whole" {
				t.Errorf("silent for %v: %q, %v", c.silent, got, err)
			}
		})
	}
}

// A desk that stops in the middle of a result is given up, and the next round takes it.
func TestPullerSilentInTheMiddleOfAResult(t *testing.T) {
	d := newDesk("desk-1")
	result := random(1 << 20)
	d.answers("A", Done, result)
	server := NewServer(d, func(http.ResponseWriter, *http.Request) (string, bool) { return "kiosk-a", true }, quiet)
	var silent bool
	ended := make(chan struct{})
	desk := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !silent || !strings.HasSuffix(r.URL.Path, "/result") {
			server.ServeHTTP(w, r)
			return
		}
		whole := httptest.NewRecorder()
		server.ServeHTTP(whole, r)
		for key, values := range whole.Header() {
			w.Header()[key] = values
		}
		w.Write(whole.Body.Bytes()[:whole.Body.Len()/2])
		w.(http.Flusher).Flush()
		select {
		case <-r.Context().Done():
		case <-ended:
		}
	}))
	t.Cleanup(func() { close(ended); desk.Close() })
	s := openAt(t, t.TempDir())
	p, err := NewPuller(PullOptions{URL: desk.URL + Path, Token: "x", Wait: time.Second},
		&Intake{Store: s, Queue: delivered(t), Log: quiet, Clock: func() time.Time { return noon }})
	if err != nil {
		t.Fatal(err)
	}
	silent, p.stall = true, 100*time.Millisecond
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if _, err := p.Round(ctx); !errors.Is(err, line.ErrStalled) {
		t.Fatalf("a desk that stops in the middle: %v", err)
	}
	silent, p.stall = false, silence
	if _, err := p.Round(ctx); err != nil {
		t.Fatal(err)
	}
	if _, data, err := s.Result("A"); err != nil || !bytes.Equal(data, result) {
		t.Errorf("the result of the next round: %d bytes, %v", len(data), err)
	}
}
