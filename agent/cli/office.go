package cli

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"text/tabwriter"
	"time"

	"golang.org/x/sync/errgroup"

	"motcua/agent/answer"
	"motcua/agent/config"
	"motcua/agent/daemon"
	"motcua/agent/office"
	"motcua/agent/office/desk"
	"motcua/agent/sign"
	"motcua/ocr"
	"motcua/queue/receive"
)

type officeCommand struct {
	Serve   officeServeCommand   `cmd:"" default:"withargs" help:"Receive submissions and serve the officer's desk (the default)."`
	Officer officeOfficerCommand `cmd:"" help:"Who may sign in at the desk."`
}

type officeServeCommand struct {
	receiveCommand `embed:""`
	collectFrom    `embed:""`
	publishTo      `embed:""`

	OfficerCA string                   `name:"officer-ca" type:"path" help:"PEM authority of officers' certificates, named as they sign in."`
	Ward      string                   `help:"The ward's name, shown on the desk's pages."`
	Host      []string                 `help:"Names by which the desk is reached without TLS, besides this machine's own."`
	Keep      time.Duration            `default:"0" placeholder:"2160h" help:"How long a closed dossier is kept; 0: for good."`
	KeepOf    map[string]time.Duration `name:"keep-of" placeholder:"CODE=720h" help:"The same for one procedure."`
	Signer    string                   `default:"wss://127.0.0.1:8987" help:"The government's signer on an officer's PC; empty: not used."`
}

// check refuses what would let the whole network in.
func (c *officeServeCommand) check() error {
	if err := c.receiveCommand.check(); err != nil {
		return err
	}
	switch {
	case c.OfficerCA != "" && c.Cert == "":
		return errors.New("--officer-ca needs --cert and --key: certificates are shown within TLS only")
	case c.OfficerCA != "" && c.Kiosks == "":
		return errors.New("--officer-ca needs --kiosks: else an officer's certificate would let a kiosk send")
	}
	return nil
}

// keep says how long a procedure's dossiers are kept.
func (c *officeServeCommand) keep(procedure string) time.Duration {
	if d, ok := c.KeepOf[procedure]; ok {
		return d
	}
	return c.Keep
}

// Run serves receiver, answers and desk at one address, from one folder.
func (c *officeServeCommand) Run(p *program) error {
	if err := c.check(); err != nil {
		return unusable(err)
	}
	cfg, err := p.configuration()
	if err != nil {
		return err
	}
	officers, err := authorities(c.OfficerCA)
	if err != nil {
		return unusable(err)
	}
	trust, err := daemon.Trust(cfg.Sign.Trust)
	if err != nil {
		return unusable(err)
	}
	log := slog.New(slog.NewTextHandler(p.err, nil))
	o, err := daemon.OpenOffice(p.ctx, daemon.OfficeOptions{Dir: c.Dir, Keep: c.keep, Log: log})
	if err != nil {
		return daemon.Ended(p.ctx, err)
	}
	defer o.Close()
	receiver, kiosks, err := c.receiver(p, log, o.Inbox.Wake)
	if err != nil {
		return err
	}
	defer receiver.Close()
	reader, err := ocr.New(ocr.Options{})
	if err != nil {
		return fmt.Errorf("open the pages' reader: %w", err)
	}
	defer reader.Close()
	pages, err := desk.New(desk.Options{Store: o.Store, Roster: o.Roster, Officers: officers, Kiosks: kiosks, Preview: reader.Preview,
		Sign: tokenOf(cfg), Signer: c.Signer, Trust: trust, Ward: c.Ward, Hosts: c.Host, Log: log})
	if err != nil {
		return err
	}
	listener, err := c.listen(c.OfficerCA)
	if err != nil {
		return err
	}
	fmt.Fprintf(p.out, "receiving at %s://%s%s into %s\n", c.scheme(), listener.Addr(), receive.Path, c.Dir)
	fmt.Fprintf(p.out, "the officer's desk is at %s://%s%s\n", c.scheme(), listener.Addr(), desk.Path)

	mux := http.NewServeMux()
	mux.Handle(receive.Path, receiver)
	mux.Handle(answer.Path, answer.NewServer(o.Store, receiver.Enter, log))
	mux.Handle(desk.Path, pages)
	mux.Handle("GET /{$}", http.RedirectHandler(desk.Path, http.StatusSeeOther))
	if err := unseal(p, o.Store, c.Identity, log); err != nil {
		return daemon.Ended(p.ctx, err)
	}
	further, err := c.further(p, o.Store, log)
	if err != nil {
		return unusable(err)
	}
	group, ctx := errgroup.WithContext(p.ctx)
	for _, run := range further {
		group.Go(func() error { return run(ctx) })
	}
	group.Go(func() error { return receiver.Run(ctx) })
	group.Go(func() error { return o.Run(ctx) })
	group.Go(func() error { return pages.Run(ctx) })
	group.Go(func() error { return daemon.Serve(ctx, listener, mux, "", "") })
	return daemon.Ended(p.ctx, group.Wait())
}

// unseal opens what came sealed before the desk was given the office's key. What does not open is told, and stays.
func unseal(p *program, store *office.Store, identity string, log *slog.Logger) error {
	keys, err := identities(identity)
	if err != nil {
		return unusable(err)
	}
	opened, err := store.Unseal(p.ctx, keys)
	for _, code := range opened {
		fmt.Fprintf(p.out, "opened %s\n", code)
	}
	if err != nil && p.ctx.Err() == nil {
		log.Error("open what came sealed", "error", err)
	}
	return p.ctx.Err()
}

// further is what a desk of a province does besides: take submissions out of a tusd's store, lay answers out in JetStream.
func (c *officeServeCommand) further(p *program, store *office.Store, log *slog.Logger) (run []func(context.Context) error, err error) {
	from, err := c.store()
	if err != nil {
		return nil, err
	}
	if from != nil {
		keys, err := identities(c.Identity)
		if err != nil {
			return nil, err
		}
		collector, err := c.collector(p, from, store, keys, log)
		if err != nil {
			return nil, err
		}
		run = append(run, collector.Run)
	}
	publisher, err := c.publisher(store, log)
	if err != nil {
		return nil, err
	}
	if publisher != nil {
		run = append(run, publisher.Run)
	}
	return run, nil
}

// tokenOf opens the configured token in this machine; nil where none is configured.
func tokenOf(cfg config.Config) func(ctx context.Context, pin, form string) (*sign.Signer, func(), error) {
	if cfg.Sign.Module == "" {
		return nil
	}
	open := daemon.Signing(cfg)
	return func(ctx context.Context, pin, form string) (*sign.Signer, func(), error) {
		return open(ctx, pin, sign.Mark{Form: form})
	}
}

// authorities reads files of PEM certificates; nil where none is named.
func authorities(files ...string) (*x509.CertPool, error) {
	var pool *x509.CertPool
	for _, file := range files {
		if file == "" {
			continue
		}
		pem, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("read an authority: %w", err)
		}
		if pool == nil {
			pool = x509.NewCertPool()
		}
		if !pool.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("read an authority: %s holds no PEM certificate", file)
		}
	}
	return pool, nil
}

type officeOfficerCommand struct {
	List   officerListCommand   `cmd:"" help:"List who may sign in."`
	Add    officerAddCommand    `cmd:"" help:"Let somebody sign in; the PIN is asked for, or read from standard input."`
	Pin    officerPinCommand    `cmd:"" help:"Give a new PIN, and unlock."`
	Remove officerRemoveCommand `cmd:"" help:"Let somebody sign in no more, at once."`
}

// officerDir names the desk that the list is of.
type officerDir struct {
	Dir string `required:"" type:"existingdir" help:"The office's folder, as motcua office has it."`
}

type officerListCommand struct {
	officerDir `embed:""`
}

func (c *officerListCommand) Run(p *program) error {
	roster, err := daemon.OfficeRoster(c.Dir)
	if err != nil {
		return err
	}
	members, err := roster.Members()
	if err != nil {
		return err
	}
	if p.json {
		return p.printJSON(members)
	}
	t := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
	for _, m := range members {
		fmt.Fprintf(t, "%s\t%s\n", m.Name, m.Role)
	}
	return t.Flush()
}

type officerAddCommand struct {
	officerDir `embed:""`
	Name       string `arg:"" help:"Sign-in name: small letters, digits, hyphens."`
}

func (c *officerAddCommand) Run(p *program) error {
	return changeOfficer(c.officerDir, func(r *desk.Roster) error {
		pin, err := p.readSecret("PIN")
		if err != nil {
			return err
		}
		return r.Add(c.Name, pin)
	})
}

type officerPinCommand struct {
	officerDir `embed:""`
	Name       string `arg:"" help:"Sign-in name."`
}

func (c *officerPinCommand) Run(p *program) error {
	return changeOfficer(c.officerDir, func(r *desk.Roster) error {
		pin, err := p.readSecret("PIN")
		if err != nil {
			return err
		}
		return r.SetPIN(c.Name, pin)
	})
}

type officerRemoveCommand struct {
	officerDir `embed:""`
	Name       string `arg:"" help:"Sign-in name."`
}

func (c *officerRemoveCommand) Run(*program) error {
	return changeOfficer(c.officerDir, func(r *desk.Roster) error { return r.Remove(c.Name) })
}

func changeOfficer(d officerDir, change func(*desk.Roster) error) error {
	roster, err := daemon.OfficeRoster(d.Dir)
	if err != nil {
		return err
	}
	return refused(change(roster))
}
