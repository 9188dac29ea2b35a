package cli

import (
	"cmp"
	"errors"

	"motcua/agent/daemon"
)

type runCommand struct {
	Demo   bool   `help:"Try it without any device: specimen papers on a simulated scanner, a receiver in the process, all data under ./var."`
	Listen string `placeholder:"HOST:PORT" help:"Address of the screen instead of the configured one."`
}

func (c *runCommand) Run(p *program) error {
	streams := daemon.Streams{Out: p.out, Err: p.err}
	if c.Demo {
		return daemon.RunDemo(p.ctx, streams, daemon.Demo{Folder: p.data, File: p.config, Listen: c.Listen})
	}
	for {
		cfg, err := p.configuration()
		if err != nil {
			return err
		}
		if c.Listen != "" {
			cfg.Web.Listen = c.Listen
		}
		if err := daemon.Run(p.ctx, streams, cfg, cmp.Or(p.config, systemConfig)); !errors.Is(err, daemon.ErrRestart) {
			return err
		}
	}
}
