package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"os/user"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	systemd "github.com/coreos/go-systemd/v22/daemon"

	"motcua/agent/web/screen"
)

// screenCommand waits until the screen's address is served by the user that the daemon runs as: the kiosk's browser must not
// show citizens what another program has put there. Then it runs the browser, if it is told one, tells systemd so, and ends it when that
// has shown nothing of ours for too long; the unit starts it anew, at the first page.
type screenCommand struct {
	Browser []string `arg:"" optional:"" passthrough:"" help:"The browser to run, with its arguments."`

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
			return c.keep(p.ctx, "http://"+c.Listen+"/away")
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

// keep runs the browser until it ends, or shows nothing of ours for longer than the daemon allows.
func (c *screenCommand) keep(ctx context.Context, address string) error {
	if len(c.Browser) > 0 && c.Browser[0] == "--" {
		c.Browser = c.Browser[1:]
	}
	if len(c.Browser) == 0 {
		return nil
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	cmd := exec.CommandContext(ctx, c.Browser[0], c.Browser[1:]...)
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "NOTIFY_SOCKET=") }) // that is ours
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) } // its renderers, too
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start the browser: %w", err)
	}
	if _, err := systemd.SdNotify(false, systemd.SdNotifyReady); err != nil {
		cancel(nil)
		_ = cmd.Wait() // it was killed
		return fmt.Errorf("tell systemd that the screen has begun: %w", err)
	}
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		ask := func(ctx context.Context, query string) (screen.Shown, error) { return askShown(ctx, address+query) }
		if why := watchScreen(ctx, ask, func() work { return workOf(cmd.Process.Pid) }); why != nil {
			cancel(why)
		}
	}()
	err := cmd.Wait()
	cause := context.Cause(ctx)
	cancel(nil)
	<-watched
	switch {
	case errors.Is(cause, errAway):
		return cause
	case err != nil:
		return fmt.Errorf("the browser ended: %w", err)
	}
	return nil
}

func askShown(ctx context.Context, address string) (now screen.Shown, err error) {
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return now, err
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return now, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return now, fmt.Errorf("ask what the screen shows: %s", answer.Status)
	}
	const most = 1 << 10
	if err := json.NewDecoder(io.LimitReader(answer.Body, most)).Decode(&now); err != nil {
		return now, fmt.Errorf("ask what the screen shows: %w", err)
	}
	return now, nil
}
