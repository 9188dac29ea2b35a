package attack

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// The drop-in that an office adds lets the kiosk's browser out, as systemd itself reads the shipped unit with it and without; nothing else
// of the unit changes. That the kernel holds what systemd was told is `make boot-trial`'s.
func TestPortalDropInOpensTheNetwork(t *testing.T) {
	t.Parallel()
	const systemd, unit = "/lib/systemd/systemd", "motcua-kiosk.service"
	if _, err := os.Stat(systemd); err != nil {
		t.Skip(err)
	}
	says := func(dropIn bool) string {
		dir, err := os.MkdirTemp("", "motcua-units") // below t.TempDir() nobody may look
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.RemoveAll(dir) })
		files := map[string]string{unit: unit}
		if dropIn {
			files["portal.conf"] = unit + ".d/portal.conf"
		}
		for from, to := range files {
			data, err := os.ReadFile(packaging + from)
			if err != nil {
				t.Fatal(err)
			}
			name := filepath.Join(dir, to)
			if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(name, data, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		c := exec.CommandContext(ctx, systemd, "--test", "--user", "--unit="+unit)
		c.Dir, c.Env = dir, []string{"XDG_RUNTIME_DIR=" + dir, "SYSTEMD_UNIT_PATH=" + dir + ":", "PATH=" + os.Getenv("PATH"), "HOME=" + dir}
		if os.Getuid() == 0 { // it refuses to play a person's as root
			c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
			if err := os.Chown(dir, 65534, 65534); err != nil {
				t.Fatal(err)
			}
		}
		out, err := c.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %.2000s", err, out)
		}
		_, part, found := strings.Cut(string(out), "-> Unit "+unit+":")
		if !found {
			t.Fatalf("systemd knows no %s: %.2000s", unit, out)
		}
		part, _, _ = strings.Cut(part, "-> Unit ")
		return strings.ReplaceAll(part, dir, "")
	}
	var shut, open []string
	for _, one := range []struct {
		text string
		into *[]string
	}{{says(false), &shut}, {says(true), &open}} {
		for line := range strings.Lines(one.text) {
			if line = strings.TrimSpace(line); strings.HasPrefix(line, "IPAddressDeny:") || strings.HasPrefix(line, "IPAddressAllow:") {
				*one.into = append(*one.into, line)
			}
		}
		slices.Sort(*one.into)
	}
	const loopback = "IPAddressAllow: 127.0.0.0/8 IPAddressAllow: ::1/128"
	if got := strings.Join(shut, " "); got != loopback+" IPAddressDeny: 0.0.0.0/0 IPAddressDeny: ::/0" {
		t.Errorf("as it is shipped: %s", got)
	}
	if got := strings.Join(open, " "); got != loopback {
		t.Errorf("with the drop-in: %s", got)
	}
}
