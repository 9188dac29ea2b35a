package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"filippo.io/age"
	"golang.org/x/sync/errgroup"

	"motcua/queue/receive"
)

type receiveCommand struct {
	Listen    string `default:"127.0.0.1:8443" help:"Address to listen on."`
	Dir       string `required:"" type:"path" help:"Submissions are laid in this folder, one folder each."`
	TokenFile string `type:"path" placeholder:"FILE" help:"File with the bearer token that kiosks must show."`
	Identity  string `type:"path" placeholder:"FILE" help:"The office's age identity; without it sealed submissions are kept sealed."`
	Cert      string `type:"path" placeholder:"FILE" help:"PEM certificate; with --key, serves HTTPS."`
	Key       string `type:"path" placeholder:"FILE" help:"PEM key of the certificate."`
}

func (c *receiveCommand) Run(p *program) error {
	if (c.Cert == "") != (c.Key == "") {
		return unusable(errors.New("--cert and --key belong together"))
	}
	token, err := secret(c.TokenFile)
	if err != nil {
		return unusable(err)
	}
	var identities []age.Identity
	if c.Identity != "" {
		f, err := os.Open(c.Identity)
		if err != nil {
			return unusable(fmt.Errorf("read the office's key: %w", err))
		}
		identities, err = age.ParseIdentities(f)
		f.Close()
		if err != nil {
			return unusable(fmt.Errorf("read the office's key: %w", err))
		}
	}
	log := slog.New(slog.NewTextHandler(p.err, nil))
	receiver, err := receive.New(receive.Options{
		Dir: c.Dir, Token: token, Identities: identities, Log: log,
		Received: func(r receive.Receipt) { fmt.Fprintf(p.out, "received %s %s, %d bytes\n", r.Code, r.ID, r.Size) },
	})
	if err != nil {
		return fmt.Errorf("open receiving folder: %w", err)
	}
	defer receiver.Close()
	listener, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("listen for kiosks: %w", err)
	}
	scheme := "http"
	if c.Cert != "" {
		scheme = "https"
	}
	fmt.Fprintf(p.out, "receiving at %s://%s%s into %s\n", scheme, listener.Addr(), receive.Path, c.Dir)

	mux := http.NewServeMux()
	mux.Handle(receive.Path, receiver)
	group, ctx := errgroup.WithContext(p.ctx)
	group.Go(func() error { return receiver.Run(ctx) })
	group.Go(func() error { return serve(ctx, listener, mux, c.Cert, c.Key) })
	return stopped(group.Wait())
}

// serve answers on a listener until ctx ends, then lets requests under way finish for a while.
func serve(ctx context.Context, l net.Listener, h http.Handler, cert, key string) error {
	server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute}
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

// stopped turns the end by a signal into no error.
func stopped(err error) error {
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// secret reads a one-line secret from a file; "" names none.
func secret(file string) (string, error) {
	if file == "" {
		return "", nil
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("read secret: %w", err)
	}
	text := strings.TrimSpace(string(data))
	if text == "" || strings.ContainsAny(text, "\r\n") {
		return "", fmt.Errorf("read secret: %s must hold one line", file)
	}
	return text, nil
}
