package configs_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// programs are what a unit starts.
var programs = regexp.MustCompile(`(?m)^(Exec\w+=[-+!]*)\S+`)

// Each service's unit is one that systemd takes, without a line it doesn't know, and is exposed no more than it was. The program
// and what it asks for at run time can't be tried here: systemd wants to be process 1.
func TestUnits(t *testing.T) {
	for unit, most := range map[string]string{"motcua.service": "25", "motcua-office.service": "22",
		"motcua-kiosk.service": "23", "motcua-stick@.service": "41"} { // tenths of systemd's exposure level
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

// What a unit ends when it starts has ended before it begins: a login on the screen's console hung up on what started there.
func TestUnitsWaitForWhatTheyEnd(t *testing.T) {
	names, err := filepath.Glob("packaging/*.service")
	if err != nil {
		t.Fatal(err)
	}
	ends := 0
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		after := regexp.MustCompile(`(?m)^After=(.*)$`).FindSubmatch(text)
		for _, m := range regexp.MustCompile(`(?m)^Conflicts=(.*)$`).FindAllSubmatch(text, -1) {
			for _, other := range strings.Fields(string(m[1])) {
				if strings.HasSuffix(other, ".target") { // of the way down: what is told to stop for it goes first
					continue
				}
				if ends++; after == nil || !slices.Contains(strings.Fields(string(after[1])), other) {
					t.Errorf("%s ends %s and does not wait for its end", name, other)
				}
			}
		}
	}
	if ends == 0 {
		t.Error("no unit ends another: nothing was looked at")
	}
}

// No unit logs somebody in: a login's programs leave the unit for their session's (systemd.exec(5), PAMName), so that what a unit says
// of addresses, devices, memory and swap holds for none of them. And a program that makes sockets gets a folder it can reach: /run/user
// is not, by ProtectHome. The screen stayed dark.
func TestUnitsKeepTheirPrograms(t *testing.T) {
	names, err := filepath.Glob("packaging/*.service")
	if err != nil {
		t.Fatal(err)
	}
	screens := 0
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if regexp.MustCompile(`(?m)^PAMName=`).Match(text) {
			t.Errorf("%s logs somebody in: its programs leave it", name)
		}
		if !bytes.Contains(text, []byte("/usr/bin/cage")) {
			continue
		}
		screens++
		own := regexp.MustCompile(`(?m)^RuntimeDirectory=(\S+)$`).FindSubmatch(text)
		if own == nil || !bytes.Contains(text, []byte("XDG_RUNTIME_DIR=/run/"+string(own[1])+" ")) {
			t.Errorf("%s: the compositor has no folder for its socket", name)
		}
	}
	if screens == 0 {
		t.Error("no unit starts the screen: nothing was looked at")
	}
}
