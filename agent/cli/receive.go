package cli

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"

	"golang.org/x/sync/errgroup"

	"motcua/agent/daemon"
	"motcua/queue/line"
	"motcua/queue/receive"
)

type receiveCommand struct {
	Listen    string `default:"127.0.0.1:8443" help:"Address to listen on."`
	Dir       string `required:"" type:"path" help:"Submissions are laid in this folder, one folder each."`
	Kiosks    string `type:"path" placeholder:"FILE" help:"Who may send: a line a kiosk, name and token, sha256:DIGEST or certificate."`
	ClientCA  string `name:"client-ca" type:"path" placeholder:"FILE" help:"PEM authority of the kiosks; the common name is the kiosk."`
	TokenFile string `type:"path" placeholder:"FILE" help:"File with one bearer token for all kiosks; --kiosks gives each its own."`
	Identity  string `type:"path" placeholder:"FILE" help:"The office's age identity; without it sealed submissions are kept sealed."`
	Cert      string `type:"path" placeholder:"FILE" help:"PEM certificate; with --key, serves HTTPS. Read again when it changes."`
	Key       string `type:"path" placeholder:"FILE" help:"PEM key of the certificate."`
	Insecure  bool   `help:"Listen beyond this machine although anybody could read, or anybody could send."`
}

// check refuses what would let the whole network read or send.
func (c *receiveCommand) check() error {
	if (c.Cert == "") != (c.Key == "") {
		return errors.New("--cert and --key belong together")
	}
	if c.ClientCA != "" && c.Cert == "" {
		return errors.New("--client-ca needs --cert and --key: certificates are shown within TLS only")
	}
	host, _, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return fmt.Errorf("--listen: %w", err)
	}
	if line.Loopback(host) || c.Insecure {
		return nil
	}
	switch {
	case c.Cert == "":
		return fmt.Errorf("%s is beyond this machine, and without --cert and --key everybody on the way could read citizens' papers; "+
			"--insecure if that is meant", c.Listen)
	case c.Kiosks == "" && c.ClientCA == "" && c.TokenFile == "":
		return fmt.Errorf("%s is beyond this machine, and without --kiosks or --client-ca anybody could send; --insecure if that is meant",
			c.Listen)
	}
	return nil
}

// secured puts TLS over a listener where a certificate is given; it is read anew at every handshake.
// officerCA, where it is given, is a further authority whose certificates may be shown.
func (c *receiveCommand) secured(l net.Listener, officerCA string) (net.Listener, error) {
	if c.Cert == "" {
		return l, nil
	}
	load := func() (*tls.Certificate, error) {
		pair, err := tls.LoadX509KeyPair(c.Cert, c.Key)
		if err != nil {
			return nil, fmt.Errorf("read certificate: %w", err)
		}
		return &pair, nil
	}
	if _, err := load(); err != nil {
		return nil, err
	}
	conf := &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return load() }}
	var err error
	if conf.ClientCAs, err = authorities(c.ClientCA, officerCA); err != nil {
		return nil, err
	}
	if conf.ClientCAs != nil {
		conf.ClientAuth = tls.RequireAndVerifyClientCert
		if c.Kiosks != "" {
			conf.ClientAuth = tls.VerifyClientCertIfGiven // some may come with tokens
		}
	}
	return tls.NewListener(l, conf), nil
}

// receiver opens the receiving folder; came is told of each new submission.
func (c *receiveCommand) receiver(p *program, log *slog.Logger, came func()) (*receive.Receiver, *receive.Kiosks, error) {
	token, err := daemon.Secret(c.TokenFile)
	if err != nil {
		return nil, nil, unusable(err)
	}
	var kiosks *receive.Kiosks
	if c.Kiosks != "" {
		if kiosks, err = receive.OpenKiosks(c.Kiosks); err != nil {
			return nil, nil, unusable(err)
		}
	}
	keys, err := identities(c.Identity)
	if err != nil {
		return nil, nil, unusable(err)
	}
	r, err := receive.New(receive.Options{
		Dir: c.Dir, Token: token, Kiosks: kiosks, Identities: keys, Log: log,
		Received: func(r receive.Receipt) {
			fmt.Fprintf(p.out, "received %s %s, %d bytes\n", r.Code, r.ID, r.Size)
			came()
		},
	})
	if err != nil {
		return nil, nil, fmt.Errorf("open receiving folder: %w", err)
	}
	return r, kiosks, nil
}

// listen opens the address, with TLS where a certificate is given.
func (c *receiveCommand) listen(officerCA string) (net.Listener, error) {
	l, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return nil, fmt.Errorf("listen for kiosks: %w", err)
	}
	secured, err := c.secured(l, officerCA)
	if err != nil {
		return nil, unusable(errors.Join(err, l.Close()))
	}
	return secured, nil
}

func (c *receiveCommand) scheme() string {
	if c.Cert != "" {
		return "https"
	}
	return "http"
}

func (c *receiveCommand) Run(p *program) error {
	if err := c.check(); err != nil {
		return unusable(err)
	}
	log := slog.New(slog.NewTextHandler(p.err, nil))
	receiver, _, err := c.receiver(p, log, func() {})
	if err != nil {
		return err
	}
	defer receiver.Close()
	listener, err := c.listen("")
	if err != nil {
		return err
	}
	fmt.Fprintf(p.out, "receiving at %s://%s%s into %s\n", c.scheme(), listener.Addr(), receive.Path, c.Dir)

	mux := http.NewServeMux()
	mux.Handle(receive.Path, receiver)
	group, ctx := errgroup.WithContext(p.ctx)
	group.Go(func() error { return receiver.Run(ctx) })
	group.Go(func() error { return daemon.Serve(ctx, listener, mux, "", "") })
	return daemon.Ended(p.ctx, group.Wait())
}
