package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"motcua/agent/audit"
	"motcua/agent/control"
	"motcua/agent/daemon"
	"motcua/agent/diagnostics"
	"motcua/agent/doctor"
	"motcua/agent/station"
)

type diagnosticsCommand struct {
	Out string `short:"o" type:"path" placeholder:"FILE" help:"The file to make (default: motcua-diagnostics-TIME.zip here)."`
}

// Run packs the daemon's own view where one runs, else what can be seen from outside.
func (c *diagnosticsCommand) Run(p *program) error {
	cfg, err := p.configuration()
	if err != nil {
		return err
	}
	now := time.Now()
	if c.Out == "" {
		c.Out = "motcua-diagnostics-" + now.Format("20060102-150405") + ".zip"
	}
	err = whole(c.Out, func(f *os.File) error {
		if client, err := control.Dial(p.ctx, cfg.Data); err == nil {
			defer client.Close()
			return client.Diagnostics(p.ctx, f)
		}
		devices, _ := station.Devices(p.ctx, cfg)
		in := diagnostics.Input{Time: now, Config: cfg, Findings: doctor.Examine(p.ctx, daemon.Checks(cfg, nil)), Devices: devices}
		if _, last, err := audit.Verify(p.ctx, filepath.Join(cfg.Data, "audit"), nil, nil); err == nil {
			in.AuditHead = last.String()
		}
		return diagnostics.Write(f, in)
	})
	if err != nil {
		return fmt.Errorf("make diagnostics bundle: %w", err)
	}
	if p.json {
		return p.printJSON(struct {
			File string `json:"file"`
		}{c.Out})
	}
	fmt.Fprintf(p.out, "%s (no personal data is in it)\n", c.Out)
	return nil
}
