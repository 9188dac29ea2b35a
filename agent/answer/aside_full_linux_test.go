package answer

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"motcua/queue/seal"
)

// A disk that takes nothing more while an identity comes back costs none: the start fails, and the next one has all of them.
//
// It runs as a process of its own: the limit holds for all that a process writes, go test's own list of opened files too.
func TestKeyThatComesBackToAFullDisk(t *testing.T) {
	const alone = "MOTCUA_FULL_DISK"
	if os.Getenv(alone) == "" {
		again := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
		again.Env = append(os.Environ(), alone+"=1")
		said, err := again.CombinedOutput()
		if err != nil || !bytes.Contains(said, []byte("--- PASS: "+t.Name())) {
			t.Fatalf("%v: %s", err, said)
		}
		return
	}
	l := loseKey(t)
	between := openAt(t, l.dir).Recipient().String()
	vault := seal.NewFile(filepath.Join(l.dir, "key"))
	now, err := vault.Load(t.Context())
	if err == nil {
		err = vault.Save(t.Context(), append(now, l.keys...))
	}
	if err != nil {
		t.Fatal(err)
	}
	signal.Ignore(syscall.SIGXFSZ)
	defer signal.Reset(syscall.SIGXFSZ)
	var usual syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &usual); err != nil {
		t.Fatal(err)
	}
	full := syscall.Rlimit{Cur: 0, Max: usual.Max} // no file grows
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &full); err != nil {
		t.Fatal(err)
	}
	_, err = OpenStore(t.Context(), l.dir, vault, quiet)
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &usual); err != nil {
		t.Fatal(err)
	}
	if err == nil || !errors.Is(err, syscall.EFBIG) {
		t.Fatalf("it starts all the same: %v", err)
	}
	s := openAt(t, l.dir)
	if s.Recipient().String() != l.was || len(s.identities()) != 2 {
		t.Errorf("by %s of %d keys, not by %s", s.Recipient(), len(s.identities()), l.was)
	}
	others, err := filepath.Glob(filepath.Join(l.dir, otherPrefix+strings.ToLower(Fingerprint(between))))
	if err != nil || len(others) != 1 {
		t.Errorf("the key of between is not kept: %v %v", others, err)
	}
	if _, err := os.Stat(filepath.Join(l.dir, identityName)); err != nil {
		t.Error(err)
	}
	l.has(t, s)
}
