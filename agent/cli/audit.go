package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"motcua/agent/audit"
	"motcua/agent/config"
	"motcua/agent/control"
	"motcua/agent/daemon"
)

type auditCommand struct {
	Verify auditVerifyCommand `cmd:"" help:"Check the chain of the audit log from its first entry to its last."`
	Show   auditShowCommand   `cmd:"" help:"Print the audit log."`
}

type auditVerifyCommand struct {
	Head  string `placeholder:"SEQ:HASH" help:"An entry that must be there, as verify or a heartbeat told it (default: the queue's)."`
	Moved bool   `help:"Old months were moved to an archive: the log need not begin where it did."`
}

func (c *auditVerifyCommand) Run(p *program) error {
	cfg, err := p.configuration()
	if err != nil {
		return err
	}
	dir := filepath.Join(cfg.Data, "audit")
	kept, err := p.keptAudit(cfg)
	if err != nil {
		return err
	}
	if c.Head != "" {
		if _, err := audit.ParseHead(c.Head); err != nil {
			return unusable(fmt.Errorf("--head: %w", err))
		}
		kept.Head = c.Head
	}
	if _, err := os.Stat(dir); err != nil && kept.Head == "" {
		return fmt.Errorf("there is no audit log in %s: %w", cfg.Data, err)
	}
	first, last, err := audit.VerifyKept(p.ctx, dir, kept, c.Moved, nil)
	var broken *audit.Break
	if err != nil && !errors.As(err, &broken) {
		return err
	}
	if p.json {
		if err := p.printJSON(struct {
			OK    bool   `json:"ok"`
			First uint64 `json:"first"`
			Last  uint64 `json:"last"`
			Head  string `json:"head"`
			Error string `json:"error,omitempty"`
		}{broken == nil, first.Seq, last.Seq, last.String(), text(err)}); err != nil {
			return err
		}
	} else if broken == nil {
		fmt.Fprintf(p.out, "the chain holds: entries %d to %d\nhead %s\n", first.Seq, last.Seq, last)
		if kept.Head == "" {
			fmt.Fprintln(p.out, "nothing is kept of it outside: that no end was cut off can't be told")
		}
	}
	if broken != nil {
		if p.json {
			return told(1)
		}
		return fmt.Errorf("the audit log was changed: %w", broken)
	}
	return nil
}

// keptAudit asks the daemon, or the queue, what is kept of the audit log.
func (p *program) keptAudit(cfg config.Config) (audit.Kept, error) {
	client, err := control.Dial(p.ctx, cfg.Data)
	if err == nil {
		defer client.Close()
		return client.Audit(p.ctx)
	}
	if _, err := os.Stat(filepath.Join(cfg.Data, "queue")); err != nil {
		return audit.Kept{}, nil
	}
	q, _, err := daemon.OpenQueue(p.ctx, cfg, daemon.Logger(p.err, cfg.Log))
	if err != nil {
		return audit.Kept{}, err
	}
	defer q.Close()
	return daemon.KeptAudit(q)
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

type auditShowCommand struct{}

func (auditShowCommand) Run(p *program) error {
	dir, err := p.auditFolder()
	if err != nil {
		return err
	}
	var printing error
	_, _, err = audit.Verify(p.ctx, dir, nil, func(e audit.Entry) {
		if printing != nil {
			return
		}
		if p.json {
			printing = p.printJSON(e)
			return
		}
		_, printing = fmt.Fprintf(p.out, "%d  %s  %-20s %-22s %s\n", e.Seq, local8(e.Time), e.Actor, e.Act,
			oneLine(e.Submission+" "+e.Visit+" "+e.Procedure+" "+e.Reason))
	})
	return errors.Join(err, printing)
}

func (p *program) auditFolder() (string, error) {
	cfg, err := p.configuration()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cfg.Data, "audit")
	if _, err := os.Stat(dir); err != nil {
		return "", fmt.Errorf("there is no audit log in %s: %w", cfg.Data, err)
	}
	return dir, nil
}
