package cli

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func said(t *testing.T, args ...string) string {
	t.Helper()
	var out, errs bytes.Buffer
	if code := Main(args, strings.NewReader(""), &out, &errs); code != 0 {
		t.Fatalf("motcua %v: exit %d: %s", args, code, errs.String())
	}
	return out.String()
}

// Every command of the contract has its place in the manual.
func TestManualNamesEveryCommand(t *testing.T) {
	manual := said(t, "manual")
	for _, command := range []string{"run", "read", "scan", "submit", "queue list", "queue show", "queue retry", "queue export",
		"queue drop", "devices", "doctor", "config check", "report", "receive", "audit verify", "staff add"} {
		if !strings.Contains(manual, "\n.B motcua "+command+"\n") {
			t.Errorf("%s is not in the manual", command)
		}
	}
	if strings.Contains(manual, "worker") {
		t.Error("a hidden command is in the manual")
	}
}

// The script is tried by the shell it is for.
func TestCompletionInBash(t *testing.T) {
	t.Parallel()
	script := filepath.Join(t.TempDir(), "motcua.bash")
	if err := os.WriteFile(script, []byte(said(t, "completion")), 0o600); err != nil {
		t.Fatal(err)
	}
	for line, want := range map[string]string{
		"queue li": "list", "re": "read report receive", "read --t": "--timings", "audit ": "verify show", "sane-": "",
	} {
		args := append([]string{"-c", `source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($#-1)); _motcua; echo "${COMPREPLY[*]}"`,
			"bash", script, "motcua"}, strings.Split(line, " ")...)
		out, err := exec.Command("bash", args...).Output()
		if got := strings.TrimSpace(string(out)); err != nil || !strings.HasPrefix(got, want) || (want == "" && got != "") {
			t.Errorf("%q completes to %q, want %q (%v)", line, got, want, err)
		}
	}
}
