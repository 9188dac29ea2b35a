package main

import (
	"context"
	"errors"
	"fmt"
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

// demo runs everything on a machine without any device; all data lies under ./var (or --data).
func (c *runCommand) demo(p *program) error {
	folder := p.data
	if folder == "" {
		folder = "var"
	}
	folder, err := filepath.Abs(folder)
	if err != nil {
		return unusable(err)
	}
	if err := makeDataFolder(folder); err != nil {
		return err
	}
	inbox := filepath.Join(folder, "received")
	log, err := config.Default(configs.FS)
	if err != nil {
		return err
	}
	receiver, err := receive.New(receive.Options{Dir: inbox, Log: logger(p.err, log.Log)})
	if err != nil {
		return fmt.Errorf("open the demo's receiver: %w", err)
	}
	defer receiver.Close()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("open the demo's receiver: %w", err)
	}
	defer listener.Close()

	fmt.Fprintf(p.out, "Demo: invented papers on a simulated scanner. Delivered files appear in %s\n", inbox)
	if err := demoStaff(p, folder); err != nil {
		return err
	}
	office := &demo{receiver, listener}
	for {
		cfg, file, err := c.demoConfig(p, folder)
		if err != nil {
			return err
		}
		cfg.Upload.Tus.Endpoint = "http://" + listener.Addr().String() + receive.Path
		if err := runDaemon(p, cfg, file, office); !errors.Is(err, errRestart) {
			return err
		}
	}
}

// demoConfig is the default, or what the technician's page made of it, with the demo's own ends.
func (c *runCommand) demoConfig(p *program, folder string) (cfg config.Config, file string, err error) {
	if cfg, err = config.Default(configs.FS); err != nil {
		return cfg, "", err
	}
	if file = p.config; file == "" {
		file = filepath.Join(folder, config.DefaultFile)
	}
	data, err := os.ReadFile(file)
	if err == nil {
		cfg, err = config.Load(cfg, file, data)
	} else if p.config == "" && errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	if err != nil {
		return cfg, file, unusable(err)
	}
	cfg.Data = folder
	cfg.Kiosk.ID = "demo"
	if cfg.Kiosk.Ward == "" {
		cfg.Kiosk.Ward = "Phường Mẫu (chạy thử)"
	}
	cfg.Scanner.Device = "simulated"
	cfg.Upload.To = config.ToTus
	if c.Listen != "" {
		cfg.Web.Listen = c.Listen
	}
	return cfg, file, nil
}

// demoStaff lets a newcomer see the staff's pages. Their PINs are known to everybody, so they exist in the
// demo's folder only.
func demoStaff(p *program, folder string) error {
	roll, err := staff.Open(filepath.Join(folder, rollFile), time.Now)
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
		fmt.Fprintf(p.out, "Sign in as %s: %s, PIN %s\n", m.role, m.name, m.pin)
	}
	return nil
}

func (d *demo) run(ctx context.Context) error {
	mux := http.NewServeMux()
	mux.Handle(receive.Path, d.receiver)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return d.receiver.Run(ctx) })
	group.Go(func() error { return serve(ctx, d.listener, mux, "", "") })
	return group.Wait()
}
