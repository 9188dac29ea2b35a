package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"golang.org/x/sys/unix"

	"motcua/agent/control"
	"motcua/agent/daemon"
	"motcua/agent/staff"
)

type staffCommand struct {
	List   staffListCommand   `cmd:"" help:"List who may sign in at the kiosk."`
	Add    staffAddCommand    `cmd:"" help:"Let somebody sign in; the PIN is asked for, or read from standard input."`
	Pin    staffPinCommand    `cmd:"" help:"Give a new PIN, and unlock."`
	Remove staffRemoveCommand `cmd:"" help:"Let somebody sign in no more."`
}

// roster is the list of staff: the running daemon's, or, without one, the file.
type roster interface {
	Staff(context.Context) ([]staff.Member, error)
	ChangeStaff(context.Context, control.StaffChange) error
}

// roster finds the list. A file that is changed beside a running daemon would not be seen by it, and be written over.
func (p *program) roster() (_ roster, done func(), _ error) {
	cfg, err := p.configuration()
	if err != nil {
		return nil, nil, err
	}
	client, err := control.Dial(p.ctx, cfg.Data)
	if err == nil {
		return client, func() { _ = client.Close() }, nil // each change has had its answer
	}
	if !errors.Is(err, control.ErrNoDaemon) || errors.Is(err, context.DeadlineExceeded) {
		return nil, nil, fmt.Errorf("a daemon has the list of staff and does not answer: %w", err)
	}
	roster, err := daemon.OpenRoster(p.ctx, cfg)
	if err != nil {
		return nil, nil, err
	}
	return rosterHere{roster}, func() {}, nil
}

type rosterHere struct{ *staff.Roster }

func (r rosterHere) Staff(context.Context) ([]staff.Member, error) { return r.Members(), nil }

func (r rosterHere) ChangeStaff(_ context.Context, c control.StaffChange) error {
	return daemon.ChangeRoster(r.Roster, c)
}

type staffListCommand struct{}

func (staffListCommand) Run(p *program) error {
	roster, done, err := p.roster()
	if err != nil {
		return err
	}
	defer done()
	members, err := roster.Staff(p.ctx)
	if err != nil {
		return err
	}
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
	return p.changeStaff(control.StaffChange{Act: control.StaffAdd, Name: c.Name, Role: c.Role})
}

type staffPinCommand struct {
	Name string `arg:"" help:"Sign-in name."`
}

func (c *staffPinCommand) Run(p *program) error {
	return p.changeStaff(control.StaffChange{Act: control.StaffPIN, Name: c.Name})
}

type staffRemoveCommand struct {
	Name string `arg:"" help:"Sign-in name."`
}

func (c *staffRemoveCommand) Run(p *program) error {
	return p.changeStaff(control.StaffChange{Act: control.StaffRemove, Name: c.Name})
}

// changeStaff makes a change, after asking for the PIN that it needs.
func (p *program) changeStaff(c control.StaffChange) error {
	roster, done, err := p.roster()
	if err != nil {
		return err
	}
	defer done()
	if c.Act != control.StaffRemove {
		if c.PIN, err = p.readSecret("PIN"); err != nil {
			return err
		}
	}
	return refused(roster.ChangeStaff(p.ctx, c))
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

// readLine asks for one line. What is personal never stands on the command line, where other users would see it.
func (p *program) readLine(what string) (string, error) {
	if f, ok := p.in.(*os.File); ok {
		if _, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS); err == nil {
			fmt.Fprintf(p.err, "%s: ", what)
		}
	}
	line, err := bufio.NewReader(p.in).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("read %s: %w", what, err)
	}
	return strings.TrimSpace(line), nil
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
