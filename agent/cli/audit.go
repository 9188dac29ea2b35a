package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"motcua/agent/audit"
)

type auditCommand struct {
	Verify auditVerifyCommand `cmd:"" help:"Check the chain of the audit log from its first entry to its last."`
	Show   auditShowCommand   `cmd:"" help:"Print the audit log."`
}

type auditVerifyCommand struct {
	Head string `placeholder:"SEQ:HASH" help:"An entry that must be there, as an earlier verify printed it: shows that the end was not cut off."`
}

func (c *auditVerifyCommand) Run(p *program) error {
	dir, err := p.auditFolder()
	if err != nil {
		return err
	}
	var known *audit.Head
	if c.Head != "" {
		head, err := audit.ParseHead(c.Head)
		if err != nil {
			return unusable(fmt.Errorf("--head: %w", err))
		}
		known = &head
	}
	first, last, err := audit.Verify(p.ctx, dir, known, nil)
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
	}
	if broken != nil {
		if p.json {
			return told(1)
		}
		return fmt.Errorf("the audit log was changed: %w", broken)
	}
	return nil
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
		_, printing = fmt.Fprintf(p.out, "%d  %s  %-20s %-22s %s\n", e.Seq, local8(e.Time), e.Actor, e.Act, oneLine(e.Submission+" "+e.Visit+" "+e.Procedure+" "+e.Reason))
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
