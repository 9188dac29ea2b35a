package daemon

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"motcua/agent/config"
	"motcua/agent/staff"
	"motcua/configs"
	"motcua/queue/receive"
)

// demo is the receiving office inside the process.
type demo struct {
	receiver *receive.Receiver
	listener net.Listener
}

// Demo says how the demo differs from what it is without being told.
type Demo struct {
	Folder string // where all data lies; empty: ./var
	File   string // configuration; empty: what the technician's page made of the default
	Listen string // address of the screen; empty: the configured one
}

// RunDemo runs everything on a machine without any device, until ctx ends.
func RunDemo(ctx context.Context, s Streams, d Demo) error {
	folder, err := filepath.Abs(cmp.Or(d.Folder, "var"))
	if err != nil {
		return config.Unusable(err)
	}
	if err := MakeDataFolder(folder); err != nil {
		return err
	}
	inbox := filepath.Join(folder, "received")
	log, err := config.Default(configs.FS)
	if err != nil {
		return err
	}
	receiver, err := receive.New(receive.Options{Dir: inbox, Log: Logger(s.Err, log.Log)})
	if err != nil {
		return fmt.Errorf("open the demo's receiver: %w", err)
	}
	defer receiver.Close()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("open the demo's receiver: %w", err)
	}
	defer listener.Close()

	fmt.Fprintf(s.Out, "Demo: invented papers on a simulated scanner. Delivered files appear in %s\n", inbox)
	if err := demoStaff(s.Out, folder); err != nil {
		return err
	}
	office := &demo{receiver, listener}
	for {
		cfg, file, err := d.config(folder)
		if err != nil {
			return err
		}
		cfg.Upload.Tus.Endpoint = "http://" + listener.Addr().String() + receive.Path
		if err := run(ctx, s, cfg, file, Attempt{}, office); !errors.Is(err, ErrRestart) {
			return err
		}
	}
}

// config is the default, or what the technician's page made of it, with the demo's own ends.
func (d Demo) config(folder string) (cfg config.Config, file string, err error) {
	if cfg, err = config.Default(configs.FS); err != nil {
		return cfg, "", err
	}
	if file = d.File; file == "" {
		file = filepath.Join(folder, config.DefaultFile)
	}
	data, err := os.ReadFile(file)
	if err == nil {
		cfg, err = config.Load(cfg, file, data)
	} else if d.File == "" && errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	if err != nil {
		return cfg, file, config.Unusable(err)
	}
	cfg.Data = folder
	cfg.Kiosk.ID = "demo"
	if cfg.Kiosk.Ward == "" {
		cfg.Kiosk.Ward = "Phường Mẫu (chạy thử)"
	}
	cfg.Scanner.Device = "simulated"
	cfg.Web.Print = true // by the browser's own dialog
	cfg.Upload.To = config.ToTus
	if d.Listen != "" {
		cfg.Web.Listen = d.Listen
	}
	return cfg, file, nil
}

// demoStaff lets a newcomer see the staff's pages. Their PINs are known to everybody, so they exist in the
// demo's folder only.
func demoStaff(out io.Writer, folder string) error {
	roll, err := staff.Open(filepath.Join(folder, rosterFile), time.Now, nil)
	if err != nil {
		return err
	}
	for _, m := range []struct {
		name string
		role staff.Role
		pin  string
	}{{"tinhnguyen", staff.Volunteer, "258036"}, {"kythuat", staff.Technician, "147960"}} {
		if err := roll.Add(m.name, m.role, m.pin); err != nil && !errors.Is(err, staff.ErrExists) {
			return fmt.Errorf("add the demo's %s: %w", m.role, err)
		}
		fmt.Fprintf(out, "Sign in as %s: %s, PIN %s\n", m.role, m.name, m.pin)
	}
	return nil
}

func (d *demo) run(ctx context.Context) error {
	mux := http.NewServeMux()
	mux.Handle(receive.Path, d.receiver)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return d.receiver.Run(ctx) })
	group.Go(func() error { return Serve(ctx, d.listener, mux, "", "") })
	return group.Wait()
}
