package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"text/tabwriter"
	"time"

	"motcua/agent/config"
	"motcua/agent/control"
	"motcua/agent/procedure"
	"motcua/agent/procedure/bundle"
	"motcua/configs"
)

// installedDir is where signed updates of procedures lie.
func installedDir(cfg config.Config) string { return filepath.Join(cfg.Data, "procedures") }

// procedureFiles says where the procedures come from: the configured folder, the newest signed update, or
// those built in. signed is zero but for an update.
func procedureFiles(cfg config.Config) (files fs.FS, signed time.Time, err error) {
	if cfg.Procedures.Dir != "" {
		return os.DirFS(cfg.Procedures.Dir), signed, nil
	}
	files, signed, err = bundle.Current(installedDir(cfg))
	if errors.Is(err, fs.ErrPermission) {
		return nil, signed, folderError(cfg.Data, err)
	}
	if err != nil || files != nil {
		return files, signed, err
	}
	files, err = fs.Sub(configs.FS, "procedures")
	return files, signed, err
}

// loadProcedures reads the procedures and leaves those that the office offers.
func loadProcedures(cfg config.Config) (*procedure.Catalog, error) {
	files, _, err := procedureFiles(cfg)
	if err != nil {
		return nil, err
	}
	catalog, err := procedure.Load(files)
	if err != nil {
		return nil, unusable(fmt.Errorf("procedures:\n%w", err))
	}
	return offered(catalog, cfg.Procedures.Offer)
}

func offered(catalog *procedure.Catalog, codes []string) (*procedure.Catalog, error) {
	if len(codes) == 0 {
		return catalog, nil
	}
	for _, code := range codes {
		if _, err := catalog.Get(code); err != nil {
			return nil, unusable(fmt.Errorf("procedures.offer: %w", err))
		}
	}
	left := &procedure.Catalog{}
	for _, p := range catalog.All {
		if slices.Contains(codes, p.Code) {
			left.All = append(left.All, p)
		}
	}
	return left, nil
}

// offer is what the daemon offers now; an update shows at once.
type offer struct {
	atomic.Pointer[procedure.Catalog]
	cfg config.Config
}

func newOffer(cfg config.Config, catalog *procedure.Catalog) *offer {
	o := &offer{cfg: cfg}
	o.Store(catalog)
	return o
}

// reload reads the procedures anew; on an error the old ones stay.
func (o *offer) reload() (int, error) {
	catalog, err := loadProcedures(o.cfg)
	if err != nil {
		return 0, err
	}
	o.Store(catalog)
	return len(catalog.All), nil
}

// updater installs a signed bundle from the technician's page; nil where the kiosk takes none.
func (o *offer) updater() func(archive, signature []byte) (int, error) {
	if o.cfg.Procedures.Signer == "" || o.cfg.Procedures.Dir != "" {
		return nil
	}
	return func(archive, signature []byte) (int, error) {
		store, err := bundle.Open(installedDir(o.cfg), o.cfg.Procedures.Signer)
		if err != nil {
			return 0, err
		}
		if _, _, err := store.Install(archive, signature); err != nil {
			return 0, err
		}
		return o.reload()
	}
}

type proceduresCommand struct {
	List   proceduresListCommand   `cmd:"" help:"List the procedures that are offered."`
	Update proceduresUpdateCommand `cmd:"" help:"Install a signed bundle of procedures; a running daemon offers it at once."`
}

type proceduresListCommand struct{}

func (proceduresListCommand) Run(p *program) error {
	cfg, err := p.configuration()
	if err != nil {
		return err
	}
	catalog, err := loadProcedures(cfg)
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
		return unusable(fmt.Errorf("the procedures come from the folder procedures.dir (%s): change the files there, or empty that key", cfg.Procedures.Dir))
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
	store, err := bundle.Open(installedDir(cfg), cfg.Procedures.Signer)
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
