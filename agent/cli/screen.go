package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/user"
	"strconv"
	"strings"
	"time"
)

// screenCommand waits until the screen's address is served by the user that the daemon runs as: the kiosk's browser must not
// show citizens what another program has put there.
type screenCommand struct {
	Listen string        `default:"127.0.0.1:8080" help:"The screen's address."`
	User   string        `default:"motcua" help:"Who must serve it."`
	Wait   time.Duration `default:"1m" help:"How long to wait for it."`
}

func (c *screenCommand) Run(p *program) error {
	address, err := netip.ParseAddrPort(c.Listen)
	if err != nil {
		return unusable(fmt.Errorf("--listen: %w", err))
	}
	owner, err := user.Lookup(c.User)
	if err != nil {
		return unusable(fmt.Errorf("--user: %w", err))
	}
	ctx, cancel := context.WithTimeout(p.ctx, c.Wait)
	defer cancel()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		uid, err := listener(address)
		switch {
		case err == nil && uid == owner.Uid:
			return nil
		case err == nil:
			return fmt.Errorf("%s is served by user %s, not by %s: the screen stays dark; ss -ltnp shows that program, end it",
				c.Listen, uid, c.User)
		case !errors.Is(err, os.ErrNotExist):
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("nobody serves %s: systemctl status motcua tells why", c.Listen)
		}
	}
}

// listener gives the user who listens at an IPv4 address, from /proc/net/tcp (proc(5)); os.ErrNotExist where nobody does.
func listener(address netip.AddrPort) (uid string, err error) {
	f, err := os.Open("/proc/net/tcp")
	if err != nil {
		return "", fmt.Errorf("look for who serves %s: %w", address, err)
	}
	defer f.Close()
	ip := address.Addr().As4()
	any := fmt.Sprintf("00000000:%04X", address.Port())
	want := fmt.Sprintf("%02X%02X%02X%02X:%04X", ip[3], ip[2], ip[1], ip[0], address.Port()) // the kernel prints it as it lies in memory
	const listening = "0A"
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		if len(words) < 8 || words[3] != listening || words[1] != want && words[1] != any {
			continue
		}
		if _, err := strconv.Atoi(words[7]); err != nil {
			return "", fmt.Errorf("look for who serves %s: %w", address, err)
		}
		return words[7], nil
	}
	if err := lines.Err(); err != nil {
		return "", fmt.Errorf("look for who serves %s: %w", address, err)
	}
	return "", os.ErrNotExist
}
