package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"path/filepath"

	"golang.org/x/sync/errgroup"

	"motcua/agent/config"
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
	cfg, err := config.Default(configs.FS)
	if err != nil {
		return err
	}
	if p.config != "" {
		if cfg, err = p.configuration(); err != nil {
			return err
		}
	}
	folder := p.data
	if folder == "" {
		folder = "var"
	}
	if cfg.Data, err = filepath.Abs(folder); err != nil {
		return unusable(err)
	}
	if err := makeDataFolder(cfg.Data); err != nil {
		return err
	}
	inbox := filepath.Join(cfg.Data, "received")
	receiver, err := receive.New(receive.Options{Dir: inbox, Log: logger(p.err, cfg.Log)})
	if err != nil {
		return fmt.Errorf("open the demo's receiver: %w", err)
	}
	defer receiver.Close()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("open the demo's receiver: %w", err)
	}
	defer listener.Close()

	cfg.Kiosk.ID = "demo"
	if cfg.Kiosk.Ward == "" {
		cfg.Kiosk.Ward = "Phường Mẫu (chạy thử)"
	}
	cfg.Scanner.Device = "simulated"
	cfg.Upload.To = config.ToTus
	cfg.Upload.Tus.Endpoint = "http://" + listener.Addr().String() + receive.Path
	if c.Listen != "" {
		cfg.Web.Listen = c.Listen
	}
	fmt.Fprintf(p.out, "Demo: invented papers on a simulated scanner. Delivered files appear in %s\n", inbox)
	return runDaemon(p, cfg, &demo{receiver, listener})
}

func (d *demo) run(ctx context.Context) error {
	mux := http.NewServeMux()
	mux.Handle(receive.Path, d.receiver)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return d.receiver.Run(ctx) })
	group.Go(func() error { return serve(ctx, d.listener, mux, "", "") })
	return group.Wait()
}
