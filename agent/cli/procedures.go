package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"text/tabwriter"
	"time"

	"motcua/agent/config"
	"motcua/agent/control"
	"motcua/agent/daemon"
	"motcua/agent/procedure"
	"motcua/agent/procedure/bundle"
)

type proceduresCommand struct {
	List   proceduresListCommand   `cmd:"" help:"List the procedures that are offered."`
	Update proceduresUpdateCommand `cmd:"" help:"Install a signed bundle of procedures; a running daemon offers it at once."`
}

type proceduresListCommand struct{}

func (proceduresListCommand) Run(p *program) error {
	_, catalog, err := p.procedures()
	if err != nil {
		return err
	}
	if p.json {
		return p.printJSON(catalog.All)
	}
	t := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
	for _, one := range catalog.All {
		fmt.Fprintf(t, "%s\t%s\t%s\n", one.Code, one.Level, one.Name.VI)
	}
	return t.Flush()
}

type proceduresUpdateCommand struct {
	Bundle    string `arg:"" help:"ZIP of the procedures' YAML files." type:"path"`
	Signature string `help:"Its signature by minisign (default: the bundle's name with .minisig)." type:"path" placeholder:"FILE"`
}

func (c *proceduresUpdateCommand) Run(p *program) error {
	cfg, err := p.configuration()
	if err != nil {
		return err
	}
	if cfg.Procedures.Signer == "" {
		return unusable(errors.New("procedures.signer is not configured: put the minisign public key of who signs updates there"))
	}
	if cfg.Procedures.Dir != "" {
		return unusable(fmt.Errorf("the procedures come from the folder procedures.dir (%s): change the files there, or empty that key",
			cfg.Procedures.Dir))
	}
	if c.Signature == "" {
		c.Signature = c.Bundle + ".minisig"
	}
	archive, err := readSmall(c.Bundle)
	if err != nil {
		return unusable(err)
	}
	signature, err := readSmall(c.Signature)
	if err != nil {
		return unusable(err)
	}
	store, err := bundle.Open(daemon.InstalledProcedures(cfg), cfg.Procedures.Signer)
	if err != nil {
		return unusable(err)
	}
	catalog, signed, err := store.Install(archive, signature)
	switch {
	case errors.Is(err, bundle.ErrSignature), errors.Is(err, bundle.ErrOlder), errors.Is(err, bundle.ErrContent):
		return unusable(fmt.Errorf("%s: %w; nothing was changed", filepath.Base(c.Bundle), err))
	case err != nil:
		return err
	}
	if client, err := control.Dial(p.ctx, cfg.Data); err == nil {
		defer client.Close()
		if _, err := client.Reload(p.ctx); err != nil {
			return fmt.Errorf("the procedures are installed, but the running daemon keeps to the old ones: %w", err)
		}
	}
	if p.json {
		return p.printJSON(struct {
			Procedures int       `json:"procedures"`
			Signed     time.Time `json:"signed"`
		}{len(catalog.All), signed})
	}
	fmt.Fprintf(p.out, "%d procedures, signed %s, are installed\n", len(catalog.All), signed.Format(time.DateTime))
	return nil
}

// readSmall reads a file of at most the size of a bundle.
func readSmall(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, bundle.MaxSize+1))
	if err == nil && len(data) > bundle.MaxSize {
		err = fmt.Errorf("%s is larger than %d MB", filepath.Base(name), bundle.MaxSize>>20)
	}
	return data, err
}

// procedures loads the configuration, and the procedures that the office offers by it.
func (p *program) procedures() (config.Config, *procedure.Catalog, error) {
	cfg, err := p.configuration()
	if err != nil {
		return cfg, nil, err
	}
	catalog, err := daemon.LoadProcedures(cfg)
	return cfg, catalog, err
}
