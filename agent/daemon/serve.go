package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"time"

	"motcua/agent/metrics"
	"motcua/ocr"
	"motcua/queue"

	systemd "github.com/coreos/go-systemd/v22/daemon"
	"golang.org/x/sync/errgroup"
)

func serveMetrics(ctx context.Context, address string, figures *metrics.Metrics, q *queue.Queue) error {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("open metrics.listen: %w", err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", figures.Handler())
	mux.Handle("GET /healthz", health(q))
	return Serve(ctx, l, mux, "", "")
}

// listenScreen takes the configured address; the demo takes the next free port where that one is taken.
func listenScreen(address string, next bool) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	host, port, splitting := net.SplitHostPort(address)
	n, _ := strconv.Atoi(port)
	for i := 1; err != nil && next && splitting == nil && i <= 20; i++ {
		var later error
		if l, later = net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(n+i))); later == nil {
			return l, nil
		}
	}
	if err != nil {
		return nil, fmt.Errorf("open the screen's address: %w; is another motcua running? Choose another with --listen or web.listen", err)
	}
	return l, nil
}

// warm starts the recognisers while the first citizen still reads the first page.
func warm(ctx context.Context, reader *ocr.Reader, log *slog.Logger) error {
	if err := reader.Warm(ctx); err != nil && ctx.Err() == nil {
		log.Error("recognition did not start; run motcua doctor", "error", err)
	}
	return nil
}

func deliver(ctx context.Context, q *queue.Queue, sink queue.Sink) error {
	if sink != nil {
		return q.Run(ctx, sink)
	}
	if _, err := q.Sweep(ctx); err != nil && ctx.Err() == nil && !errors.Is(err, queue.ErrReadOnly) {
		return fmt.Errorf("wipe delivered submissions: %w", err)
	}
	<-ctx.Done()
	return nil
}

// health answers whether the queue can still be asked; it says nothing about anybody.
func health(q *queue.Queue) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if _, err := q.Stats(); err != nil {
			http.Error(w, "the queue does not answer", http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ok")
	})
}

// watchdog tells systemd that the daemon is ready, and goes on telling it while a page and the queue
// answer. Without systemd it does nothing.
func watchdog(ctx context.Context, q *queue.Queue, address string, log *slog.Logger, ready chan<- struct{}) error {
	tell := func(state string) {
		if _, err := systemd.SdNotify(false, state); err != nil {
			log.Warn("tell systemd", "error", err)
		}
	}
	alive := func() error {
		ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, address+"healthz", nil)
		if err != nil {
			return err
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return err
		}
		response.Body.Close()
		if response.StatusCode != http.StatusOK {
			return fmt.Errorf("health: %s", response.Status)
		}
		return nil
	}
	interval, err := systemd.SdWatchdogEnabled(false)
	if err != nil || interval <= 0 {
		interval = 30 * time.Second
	}
	if err := alive(); err != nil && ctx.Err() == nil {
		return fmt.Errorf("the screen does not answer: %w", err)
	}
	tell(systemd.SdNotifyReady)
	close(ready)
	tick := time.NewTicker(interval / 3)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			tell(systemd.SdNotifyStopping)
			return nil
		case <-tick.C:
		}
		if err := alive(); err != nil {
			if ctx.Err() == nil {
				log.Error("not well", "error", err)
			}
			continue
		}
		tell(systemd.SdNotifyWatchdog)
		if stats, err := q.Stats(); err == nil {
			tell(fmt.Sprintf("STATUS=%d waiting, %d held", stats.Count[queue.Queued]+stats.Count[queue.Sending], stats.Count[queue.Held]))
		}
	}
}

// Serve answers on a listener until ctx ends, then lets requests under way finish for a while. It keeps a bounded number of connections.
func Serve(ctx context.Context, l net.Listener, h http.Handler, cert, key string) error {
	server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, ConnState: newCrowd().watch}
	var group errgroup.Group
	done := make(chan struct{})
	group.Go(func() error {
		select {
		case <-ctx.Done():
		case <-done:
			return nil
		}
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
		defer cancel()
		if err := server.Shutdown(grace); err != nil {
			return server.Close() // a browser that keeps an event stream open must not hold up the end
		}
		return nil
	})
	var err error
	if cert != "" {
		err = server.ServeTLS(l, cert, key)
	} else {
		err = server.Serve(l)
	}
	close(done)
	if closing := group.Wait(); errors.Is(err, http.ErrServerClosed) {
		return closing
	}
	return err
}

// Ended is what something that serves until ctx ends has ended with: told to end, also while it starts, it did as it was told.
func Ended(ctx context.Context, err error) error {
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		return nil
	}
	return err
}
