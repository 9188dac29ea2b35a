package cli

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"motcua/agent/config"
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
		if err := c.run(p, streams, cmp.Or(p.config, systemConfig)); !errors.Is(err, daemon.ErrRestart) {
			return err
		}
	}
}

// provenSuffix is behind the name of the configuration file in that of the last one that ran.
const provenSuffix = ".proven"

// run runs the daemon with the file's configuration, and where that one doesn't run with the last that did: a mistake in the
// file must not leave a ward without its counter. The file itself is left as it is, for whoever corrects it.
func (c *runCommand) run(p *program, streams daemon.Streams, file string) error {
	text, _ := os.ReadFile(file) // what is wrong with it configuration tells
	proven, _ := os.ReadFile(file + provenSuffix)
	other := len(proven) > 0 && !bytes.Equal(proven, text)

	cfg, err := p.configuration()
	well := false
	if err == nil {
		err = daemon.Run(p.ctx, streams, c.at(cfg), file, daemon.Attempt{Unproven: other, Well: func() {
			well = true
			if len(text) == 0 || bytes.Equal(proven, text) {
				return
			}
			if err := keepProven(file+provenSuffix, text); err != nil {
				fmt.Fprintf(p.err, "motcua: keep the configuration that ran: %v\n", err)
			}
		}})
	}
	if err == nil || well || !other || p.ctx.Err() != nil || errors.Is(err, daemon.ErrRestart) {
		return err
	}
	fmt.Fprintf(p.err, "motcua: the configuration %s does not work, going back to the last one that ran: %v\n", file, err)
	last := *p
	last.config = file + provenSuffix
	cfg, loading := last.configuration()
	if loading != nil {
		return errors.Join(err, loading)
	}
	return daemon.Run(p.ctx, streams, c.at(cfg), file, daemon.Attempt{Instead: err.Error()})
}

func (c *runCommand) at(cfg config.Config) config.Config {
	cfg.Web.Listen = cmp.Or(c.Listen, cfg.Web.Listen)
	return cfg
}

// keepProven writes the text whole or not at all.
func keepProven(name string, text []byte) error {
	fresh, err := os.CreateTemp(filepath.Dir(name), ".proven-*")
	if err != nil {
		return err
	}
	defer os.Remove(fresh.Name()) // a no-op after the rename
	_, err = fresh.Write(text)
	if err = errors.Join(err, fresh.Sync(), fresh.Close()); err != nil {
		return err
	}
	return os.Rename(fresh.Name(), name)
}
