package seal

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestRing(t *testing.T) {
	old, current := NewKey(), NewKey()
	secret := []byte("data key of one submission")
	wrapped := NewRing(old).Wrap("A", secret)
	both := NewRing(current, old)

	if got, err := both.Unwrap("A", wrapped); err != nil || !bytes.Equal(got, secret) {
		t.Fatal(got, err)
	}
	if _, err := both.Unwrap("B", wrapped); err == nil {
		t.Error("opened for another submission")
	}
	if _, err := NewRing(current).Unwrap("A", wrapped); !errors.Is(err, ErrWrongKey) {
		t.Errorf("another key: %v", err)
	}
	for i := range wrapped {
		bent := bytes.Clone(wrapped)
		bent[i] ^= 1
		if _, err := both.Unwrap("A", bent); err == nil {
			t.Errorf("opened with byte %d bent", i)
		}
		if _, err := both.Unwrap("A", wrapped[:i]); err == nil {
			t.Errorf("opened when cut to %d bytes", i)
		}
	}
	if by, _ := WrappedBy(both.Wrap("A", secret)); by != current.ID() {
		t.Error("did not wrap with the current key")
	}
}

func TestKeyPrintsNothingOfItself(t *testing.T) {
	k := NewKey()
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%q", "%d"} {
		for _, s := range []string{fmt.Sprintf(verb, k), fmt.Sprintf(verb, []Key{k})} {
			if !strings.Contains(s, "kiosk key "+k.ID().String()) || strings.Contains(s, fmt.Sprintf("%x", k.secret[:4])) {
				t.Errorf("%s prints %s", verb, s)
			}
		}
	}
}

// vaultKeepsItsPromises is what every vault must do.
func vaultKeepsItsPromises(t *testing.T, v Vault, path string) {
	t.Helper()
	ctx := context.Background()
	if keys, err := v.Load(ctx); err != nil || len(keys) != 0 {
		t.Fatal("fresh vault:", keys, err)
	}
	old, current := NewKey(), NewKey()
	if err := v.Save(ctx, []Key{old}); err != nil {
		t.Fatal(err)
	}
	second := filepath.Join(t.TempDir(), "blocks") // what the disk still holds once the name is gone
	if err := os.Link(path, second); err != nil {
		t.Fatal(err)
	}
	if err := v.Save(ctx, []Key{current, old}); err != nil {
		t.Fatal(err)
	}
	keys, err := v.Load(ctx)
	if err != nil || len(keys) != 2 || keys[0] != current || keys[1] != old {
		t.Fatal("two keys:", keys, err)
	}
	blocks, err := os.ReadFile(second)
	if err != nil || len(bytes.Trim(blocks, "\x00")) != 0 {
		t.Errorf("the file before was not overwritten (%d bytes, %v)", len(blocks), err)
	}
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, plain := v.(*File); !plain && (bytes.Contains(file, current.secret[:]) ||
		bytes.Contains(file, []byte(base64.StdEncoding.EncodeToString(current.secret[:])))) {
		t.Error("key is readable in the file")
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := v.Load(ctx); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("a file that others may read: %v", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, file[:len(file)/2], 0o600); err != nil {
		t.Fatal(err)
	}
	if keys, err := v.Load(ctx); err == nil && len(keys) == 2 {
		t.Error("a file cut in half was taken")
	} else if err != nil && strings.Contains(err.Error(), base64.StdEncoding.EncodeToString(current.secret[:])[:12]) {
		t.Error("the error tells the key")
	}
	if err := v.Save(ctx, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Error("emptied vault left its file")
	}
}

func TestFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "kiosk.key")
	vaultKeepsItsPromises(t, NewFile(path), path)
}

func TestTPM(t *testing.T) {
	path := filepath.Join(t.TempDir(), "kiosk.key.tpm")
	vaultKeepsItsPromises(t, NewTPM(path, startTPM(t, t.TempDir())), path)
}

func TestTPMAfterPowerCycleAndInAnotherMachine(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "kiosk.key.tpm")
	chip := t.TempDir()
	k := NewKey()
	t.Run("first_power_on", func(t *testing.T) {
		if err := NewTPM(path, startTPM(t, chip)).Save(ctx, []Key{k}); err != nil {
			t.Fatal(err)
		}
	})
	t.Run("power_cycle", func(t *testing.T) {
		v := NewTPM(path, startTPM(t, chip))
		for range 20 { // more than the chip has room for, were anything left behind in it
			if keys, err := v.Load(ctx); err != nil || len(keys) != 1 || keys[0] != k {
				t.Fatal(keys, err)
			}
		}
	})
	t.Run("another_machine", func(t *testing.T) {
		if keys, err := NewTPM(path, startTPM(t, t.TempDir())).Load(ctx); err == nil {
			t.Fatal("another chip opened it:", keys)
		}
	})
	t.Run("no_chip", func(t *testing.T) {
		_, err := NewTPM(path, filepath.Join(t.TempDir(), "none")).Load(ctx)
		if err == nil || !strings.Contains(err.Error(), "no such device") {
			t.Fatal(err)
		}
	})
}

// startTPM runs swtpm, a whole TPM 2.0 in software, with its non-volatile memory in state. It speaks what
// a chip speaks; what it can't show is a chip's slowness and a bus that somebody listens to.
func startTPM(t *testing.T, state string) (socket string) {
	t.Helper()
	bin, err := exec.LookPath("swtpm")
	if err != nil {
		t.Fatal("swtpm is not installed: apt-get install swtpm")
	}
	dir, err := os.MkdirTemp("", "tpm") // a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	socket = filepath.Join(dir, "s")
	cmd := exec.Command(bin, "socket", "--tpm2", "--tpmstate", "dir="+state,
		"--server", "type=unixio,path="+socket, "--ctrl", "type=unixio,path="+socket+".ctrl",
		"--flags", "not-need-init,startup-clear")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Signal(os.Interrupt)
		cmd.Wait()
	})
	// Bound is not yet listening: each socket is waited for itself.
	end := time.Now().Add(2 * time.Minute)
	for _, at := range []string{socket + ".ctrl", socket} {
		for {
			c, err := net.Dial("unix", at)
			if err == nil {
				c.Close()
				break
			}
			if time.Now().After(end) {
				cmd.Process.Kill()
				t.Fatalf("swtpm does not answer: %v: %s", err, out.String())
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
	return socket
}
