package daemon

import (
	"errors"
	"fmt"
	"io/fs"
	"motcua/agent/address"
	"motcua/agent/config"
	"motcua/agent/form"
	"motcua/agent/procedure"
	"motcua/agent/procedure/bundle"
	"motcua/configs"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"
)

// InstalledProcedures is where signed updates of procedures lie.
func InstalledProcedures(cfg config.Config) string { return filepath.Join(cfg.Data, "procedures") }

// procedureFiles says where the procedures come from: the configured folder, the newest signed update, or
// those built in. signed is zero but for an update.
func procedureFiles(cfg config.Config) (files fs.FS, signed time.Time, err error) {
	if cfg.Procedures.Dir != "" {
		return os.DirFS(cfg.Procedures.Dir), signed, nil
	}
	files, signed, err = bundle.Current(InstalledProcedures(cfg))
	if errors.Is(err, fs.ErrPermission) {
		return nil, signed, folderError(cfg.Data, err)
	}
	if err != nil || files != nil {
		return files, signed, err
	}
	return configs.Procedures(), signed, nil
}

// LoadProcedures reads the procedures and leaves those that the office offers.
func LoadProcedures(cfg config.Config) (*procedure.Catalog, error) {
	files, _, err := procedureFiles(cfg)
	if err != nil {
		return nil, err
	}
	catalog, err := procedure.Load(files)
	if err != nil {
		return nil, config.Unusable(fmt.Errorf("procedures:\n%w", err))
	}
	units, err := loadUnits(files)
	if err != nil {
		return nil, config.Unusable(err)
	}
	catalog.Use(units)
	return offered(catalog, cfg.Procedures.Offer)
}

// loadUnits reads the table of administrative units that came with the procedures, or the built-in one.
func loadUnits(files fs.FS) (*address.Table, error) {
	units, err := address.Load(files)
	if errors.Is(err, fs.ErrNotExist) {
		return address.Load(configs.Units())
	}
	return units, err
}

func offered(catalog *procedure.Catalog, codes []string) (*procedure.Catalog, error) {
	if len(codes) == 0 {
		return catalog, nil
	}
	for _, code := range codes {
		if _, err := catalog.Get(code); err != nil {
			return nil, config.Unusable(fmt.Errorf("procedures.offer: %w", err))
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

// LoadForms reads the official forms of procedures that LoadProcedures gave.
func LoadForms(cfg config.Config, catalog *procedure.Catalog) (form.Layouts, error) {
	files, _, err := procedureFiles(cfg)
	if err != nil {
		return nil, err
	}
	// A folder or an update that brings a procedure but not its form has the form from here.
	layouts, err := form.Load(catalog, files, configs.Procedures())
	if err != nil {
		return nil, config.Unusable(fmt.Errorf("forms:\n%w", err))
	}
	return layouts, nil
}

// offer is what the daemon offers now; an update shows at once.
type offer struct {
	atomic.Pointer[procedure.Catalog]
	forms atomic.Pointer[form.Layouts]
	cfg   config.Config
}

func newOffer(cfg config.Config, catalog *procedure.Catalog) (*offer, error) {
	layouts, err := LoadForms(cfg, catalog)
	if err != nil {
		return nil, err
	}
	o := &offer{cfg: cfg}
	o.Store(catalog)
	o.forms.Store(&layouts)
	return o, nil
}

// layout gives a procedure's official form; nil where it has none.
func (o *offer) layout(p *procedure.Procedure) *form.Layout { return o.forms.Load().Layout(p) }

// reload reads the procedures anew; on an error the old ones stay.
func (o *offer) reload() (int, error) {
	catalog, err := LoadProcedures(o.cfg)
	if err != nil {
		return 0, err
	}
	layouts, err := LoadForms(o.cfg, catalog)
	if err != nil {
		return 0, err
	}
	o.Store(catalog)
	o.forms.Store(&layouts)
	return len(catalog.All), nil
}

// updater installs a signed bundle from the technician's page; nil where the kiosk takes none.
func (o *offer) updater() func(archive, signature []byte) (int, error) {
	if o.cfg.Procedures.Signer == "" || o.cfg.Procedures.Dir != "" {
		return nil
	}
	return func(archive, signature []byte) (int, error) {
		store, err := bundle.Open(InstalledProcedures(o.cfg), o.cfg.Procedures.Signer)
		if err != nil {
			return 0, err
		}
		if _, _, err := store.Install(archive, signature); err != nil {
			return 0, err
		}
		return o.reload()
	}
}
