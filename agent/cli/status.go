package cli

import (
	"fmt"
	"text/tabwriter"

	"motcua/agent/control"
	"motcua/queue"
)

type statusCommand struct{}

// Run asks the daemon only: it never opens the data folder itself.
func (statusCommand) Run(p *program) error {
	cfg, err := p.configuration()
	if err != nil {
		return err
	}
	client, err := control.Dial(p.ctx, cfg.Data)
	if err != nil {
		return fmt.Errorf("no daemon is running in %s: start it with motcua run", cfg.Data)
	}
	defer client.Close()
	s, err := client.Status(p.ctx)
	if err != nil {
		return err
	}
	if p.json {
		return p.printJSON(s)
	}
	t := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "address\t%s\n", s.Address)
	fmt.Fprintf(t, "process\t%d, since %s\n", s.PID, local8(s.Started))
	fmt.Fprintf(t, "version\t%s\n", s.Version)
	fmt.Fprintf(t, "upload\t%s\n", s.Upload)
	for _, state := range queue.States {
		fmt.Fprintf(t, "%s\t%d\n", state, s.Queue.Count[state])
	}
	if s.Queue.Found > 0 {
		fmt.Fprintf(t, "set aside\t%d (motcua queue found)\n", s.Queue.Found)
	}
	if s.Queue.ReadOnly != "" {
		fmt.Fprintf(t, "read-only\t%s\n", s.Queue.ReadOnly)
	}
	return t.Flush()
}
