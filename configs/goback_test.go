package configs

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// systemctl stands for systemd, which needs to be the first process of a machine: it runs the unit's program once for a start
// and takes its exit for how the daemon is. What it can't show is systemd's own order of things, and how long a start takes.
const systemctl = `#!/bin/sh
set -eu
state=$MOTCUA_ROOT/state
conf=$MOTCUA_ROOT/etc/systemd/system/motcua.service.d/before.conf
echo "$*" >>"$MOTCUA_ROOT/calls"
case $1 in
restart)
	program=/usr/bin/motcua
	if [ -e "$conf" ]; then program=$(sed -n 's/^ExecStart=\(..*\) run .*/\1/p' "$conf"); fi
	if "$MOTCUA_ROOT$program"; then echo active; else echo failed; fi >"$state"
	;;
is-active) grep -qx active "$state" ;;
is-failed) grep -qx failed "$state" ;;
show) case "$*" in *ActiveState*motcua-trial.service) cat "$MOTCUA_ROOT/trial" ;; *) echo 0 ;; esac ;;
esac
`

func TestGoBackAfterABadUpgrade(t *testing.T) {
	const well, ill = "#!/bin/sh\n# 1\nexit 0\n", "#!/bin/sh\nexit 1\n"
	script, err := filepath.Abs("packaging/goback")
	if err != nil {
		t.Fatal(err)
	}
	type machine struct {
		root string
		run  func(act string) (string, error)
	}
	start := func(t *testing.T) machine {
		root := t.TempDir()
		write := func(name, text string) {
			path := filepath.Join(root, name)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		write("bin/systemctl", systemctl)
		write("usr/bin/motcua", well)
		write("state", "active\n")
		write("trial", "inactive\n")
		return machine{root, func(act string) (string, error) {
			cmd := exec.CommandContext(t.Context(), "sh", script, act)
			cmd.Env = []string{"MOTCUA_ROOT=" + root, "MOTCUA_MINUTE=1", "PATH=" + filepath.Join(root, "bin") + ":" + os.Getenv("PATH")}
			out, err := cmd.CombinedOutput()
			return string(out), err
		}}
	}
	upgrade := func(t *testing.T, m machine, program string) (string, error) {
		if out, err := m.run("keep"); err != nil {
			t.Fatal(err, out)
		}
		if err := os.WriteFile(filepath.Join(m.root, "usr/bin/motcua"), []byte(program), 0o755); err != nil {
			t.Fatal(err)
		}
		_ = os.Remove(filepath.Join(m.root, "etc/systemd/system/motcua.service.d/before.conf")) // as postinst does; may be absent
		cmd := exec.CommandContext(t.Context(), filepath.Join(m.root, "bin/systemctl"), "restart", "motcua.service")
		cmd.Env = []string{"MOTCUA_ROOT=" + m.root, "PATH=" + os.Getenv("PATH")}
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatal(err, string(out))
		}
		return m.run("watch")
	}
	state := func(t *testing.T, m machine) (is string, before bool) {
		data, err := os.ReadFile(filepath.Join(m.root, "state"))
		if err != nil {
			t.Fatal(err)
		}
		_, err = os.Stat(filepath.Join(m.root, "etc/systemd/system/motcua.service.d/before.conf"))
		return strings.TrimSpace(string(data)), err == nil
	}
	t.Run("good_upgrade_stays", func(t *testing.T) {
		m := start(t)
		if out, err := upgrade(t, m, well+"# 2\n"); err != nil {
			t.Fatal(err, out)
		}
		if is, before := state(t, m); is != "active" || before {
			t.Errorf("%s, before %t", is, before)
		}
	})
	t.Run("bad_upgrade_goes_back_and_the_next_is_tried", func(t *testing.T) {
		m := start(t)
		out, err := upgrade(t, m, ill)
		if is, before := state(t, m); err != nil || is != "active" || !before || !strings.Contains(out, "program from before runs") {
			t.Fatalf("%s, before %t, %v\n%s", is, before, err, out)
		}
		// A second bad one: what is kept is the one that was well, not the first bad one.
		out, err = upgrade(t, m, ill+"# again\n")
		if is, before := state(t, m); err != nil || is != "active" || !before {
			t.Fatalf("%s, before %t, %v\n%s", is, before, err, out)
		}
		out, err = upgrade(t, m, well+"# mended\n")
		if is, before := state(t, m); err != nil || is != "active" || before {
			t.Fatalf("%s, before %t, %v\n%s", is, before, err, out)
		}
	})
	t.Run("upgrade_within_a_trial_keeps_what_was_well", func(t *testing.T) {
		m := start(t)
		if out, err := m.run("keep"); err != nil {
			t.Fatal(err, out)
		}
		// It starts, and its minute is not over: nobody knows yet that it will not last.
		for name, text := range map[string]string{"usr/bin/motcua": well + "# on trial\n", "trial": "activating\n"} {
			if err := os.WriteFile(filepath.Join(m.root, name), []byte(text), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		if out, err := m.run("keep"); err != nil {
			t.Fatal(err, out)
		}
		kept, err := os.ReadFile(filepath.Join(m.root, "usr/lib/motcua/before/motcua"))
		if err != nil || string(kept) != well {
			t.Errorf("kept %q, %v", kept, err)
		}
	})
	t.Run("neither_runs", func(t *testing.T) {
		m := start(t)
		if out, err := m.run("keep"); err != nil {
			t.Fatal(err, out)
		}
		kept := filepath.Join(m.root, "usr/lib/motcua/before/motcua")
		if err := os.WriteFile(kept, []byte(ill+"# newer queue\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(m.root, "usr/bin/motcua"), []byte(ill), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(m.root, "state"), []byte("failed\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		out, err := m.run("watch")
		if _, before := state(t, m); err == nil || before || !strings.Contains(out, "does not run either") {
			t.Errorf("before %t, %v\n%s", before, err, out)
		}
		if _, err := os.Stat(kept); err != nil {
			t.Error("the kept program is gone:", err)
		}
	})
	t.Run("undo", func(t *testing.T) {
		m := start(t)
		if out, err := upgrade(t, m, ill); err != nil {
			t.Fatal(err, out)
		}
		if out, err := m.run("undo"); err != nil {
			t.Fatal(err, out)
		}
		if _, before := state(t, m); before {
			t.Error("the program from before still takes its place")
		}
	})
}
