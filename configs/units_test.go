package configs_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// programs are what a unit starts.
var programs = regexp.MustCompile(`(?m)^(Exec\w+=[-+!]*)\S+`)

// Each service's unit is one that systemd takes, without a line it doesn't know, and is exposed no more than it was. The program
// and what it asks for at run time can't be tried here: systemd wants to be process 1.
func TestUnits(t *testing.T) {
	for unit, most := range map[string]string{"motcua.service": "25", "motcua-office.service": "22",
		"motcua-kiosk.service": "24", "motcua-stick@.service": "41"} { // tenths of systemd's exposure level
		text, err := os.ReadFile(filepath.Join("packaging", unit))
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), unit)
		there := programs.ReplaceAllString(string(text), "$1/bin/true") // verify wants the programs
		if err := os.WriteFile(file, []byte(there), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command("systemd-analyze", "security", "--offline=true", "--threshold="+most, file).CombinedOutput(); err != nil {
			t.Errorf("%s (package systemd): %v\n%s", unit, err, out)
		}
		out, err := exec.Command("systemd-analyze", "verify", "--man=no", "--recursive-errors=no", file).CombinedOutput()
		for line := range strings.Lines(string(out)) {
			if strings.Contains(line, unit+":") { // of other units of this machine it says more
				t.Errorf("%s: %v: %s", unit, err, line)
			}
		}
	}
}
