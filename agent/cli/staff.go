package cli

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"golang.org/x/sys/unix"

	"motcua/agent/daemon"
	"motcua/agent/staff"
)

type staffCommand struct {
	List   staffListCommand   `cmd:"" help:"List who may sign in at the kiosk."`
	Add    staffAddCommand    `cmd:"" help:"Let somebody sign in; the PIN is asked for, or read from standard input."`
	Pin    staffPinCommand    `cmd:"" help:"Give a new PIN, and unlock."`
	Remove staffRemoveCommand `cmd:"" help:"Let somebody sign in no more."`
}

func (p *program) roll() (*staff.Roll, error) {
	cfg, err := p.configuration()
	if err != nil {
		return nil, err
	}
	return daemon.OpenRoster(cfg)
}

type staffListCommand struct{}

func (staffListCommand) Run(p *program) error {
	roll, err := p.roll()
	if err != nil {
		return err
	}
	members := roll.Members()
	if p.json {
		if members == nil {
			members = []staff.Member{}
		}
		return p.printJSON(members)
	}
	if len(members) == 0 {
		fmt.Fprintln(p.out, "nobody may sign in yet: motcua staff add NAME technician")
		return nil
	}
	t := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
	for _, m := range members {
		locked := ""
		if m.LockedUntil.After(time.Now()) {
			locked = "locked until " + local8(m.LockedUntil)
		}
		fmt.Fprintf(t, "%s\t%s\t%s\n", m.Name, m.Role, locked)
	}
	return t.Flush()
}

type staffAddCommand struct {
	Name string     `arg:"" help:"Sign-in name: small letters, digits, hyphens."`
	Role staff.Role `arg:"" enum:"volunteer,technician" help:"volunteer or technician."`
}

func (c *staffAddCommand) Run(p *program) error {
	return p.withPIN(func(roll *staff.Roll, pin string) error { return roll.Add(c.Name, c.Role, pin) })
}

type staffPinCommand struct {
	Name string `arg:"" help:"Sign-in name."`
}

func (c *staffPinCommand) Run(p *program) error {
	return p.withPIN(func(roll *staff.Roll, pin string) error { return roll.SetPIN(c.Name, pin) })
}

type staffRemoveCommand struct {
	Name string `arg:"" help:"Sign-in name."`
}

func (c *staffRemoveCommand) Run(p *program) error {
	roll, err := p.roll()
	if err != nil {
		return err
	}
	return refused(roll.Remove(c.Name))
}

func (p *program) withPIN(do func(*staff.Roll, string) error) error {
	roll, err := p.roll()
	if err != nil {
		return err
	}
	pin, err := p.readSecret("PIN")
	if err != nil {
		return err
	}
	return refused(do(roll, pin))
}

// refused marks what the person typed wrongly.
func refused(err error) error {
	for _, typed := range []error{staff.ErrWeakPIN, staff.ErrBadName, staff.ErrBadRole, staff.ErrExists, staff.ErrNotFound} {
		if errors.Is(err, typed) {
			return unusable(err)
		}
	}
	return err
}

// readSecret asks at a terminal without echo, or takes the first line of standard input. A secret never
// stands on the command line, where other users would see it.
func (p *program) readSecret(what string) (string, error) {
	if f, ok := p.in.(*os.File); ok {
		fd := int(f.Fd())
		if before, err := unix.IoctlGetTermios(fd, unix.TCGETS); err == nil {
			silent := *before
			silent.Lflag &^= unix.ECHO
			if err := unix.IoctlSetTermios(fd, unix.TCSETS, &silent); err != nil {
				return "", fmt.Errorf("read %s: %w", what, err)
			}
			defer func() { _ = unix.IoctlSetTermios(fd, unix.TCSETS, before) }()
			fmt.Fprintf(p.err, "%s: ", what)
			defer fmt.Fprintln(p.err)
		}
	}
	line, err := bufio.NewReader(p.in).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("read %s: %w", what, err)
	}
	return strings.TrimSpace(line), nil
}
