package daemon

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"motcua/agent/metrics"
	"motcua/queue"
	"motcua/queue/tus"
)

// Causes come from real failures of real connections, wrapped as a sink wraps them.
func TestCauseOfAFailedDelivery(t *testing.T) {
	get := func(client *http.Client, url string) error {
		response, err := client.Get(url)
		if err == nil {
			response.Body.Close()
			return errors.New("it answered")
		}
		return fmt.Errorf("upload: %w", err)
	}
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := closed.Addr().String()
	closed.Close()
	strange := httptest.NewTLSServer(http.NotFoundHandler())
	defer strange.Close()
	stop := make(chan struct{})
	silent := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-stop }))
	defer silent.Close()
	defer close(stop)
	for want, err := range map[string]error{
		causeUnreachable: get(http.DefaultClient, "http://"+address),
		causeCertificate: get(&http.Client{}, strange.URL),
		causeTimeout:     get(&http.Client{Timeout: 50 * time.Millisecond}, silent.URL),
		causeName:        fmt.Errorf("upload: %w", &net.DNSError{Err: "no such host", Name: "hub.invalid", IsNotFound: true}),
		causeHeld:        queue.Permanent(errors.New("refused")),
		causeBusy:        queue.RetryAfter(errors.New("busy"), time.Minute),
		causeOther:       errors.New("the hub answers 500"),
	} {
		if got := cause(err); got != want {
			t.Errorf("%v: %s, want %s", err, got, want)
		}
	}
	if got := cause(fmt.Errorf("upload: %w", context.DeadlineExceeded)); got != causeTimeout {
		t.Errorf("deadline: %s", got)
	}
}

// Counting takes nothing away of what the queue asks a sink for.
func TestCountingKeepsWhatASinkCanDo(t *testing.T) {
	s, err := tus.New(tus.Options{Endpoint: "https://hub.example.vn/files/"})
	if err != nil {
		t.Fatal(err)
	}
	c := counting(s, &metrics.Metrics{})
	if _, ok := c.(queue.Hub); !ok {
		t.Error("the hub's name is lost: each submission would have a breaker of its own")
	}
	if _, ok := c.(queue.Described); !ok {
		t.Error("what the hub says of itself is lost: nothing held heals")
	}
	if p, ok := c.(queue.Preparing); !ok || !p.Prepares() {
		t.Error("it does not prepare any more")
	}
}
