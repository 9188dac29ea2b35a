package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"

	"filippo.io/age"
	"golang.org/x/sync/errgroup"

	"motcua/agent/daemon"
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
	token, err := daemon.Secret(c.TokenFile)
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
	group.Go(func() error { return daemon.Serve(ctx, listener, mux, c.Cert, c.Key) })
	if err := group.Wait(); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}
