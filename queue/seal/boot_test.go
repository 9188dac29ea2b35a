package seal

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-tpm/tpm2"
	"github.com/google/go-tpm/tpm2/transport"
)

// measure writes something into a register, as a changed boot loader would.
func measure(t *testing.T, v *TPM, pcr uint) {
	t.Helper()
	err := v.session(t.Context(), func(chip transport.TPM, _ *tpm2.CreatePrimaryResponse) error {
		digest := sha256.Sum256([]byte("another boot loader"))
		_, err := tpm2.PCRExtend{
			PCRHandle: tpm2.AuthHandle{Handle: tpm2.TPMHandle(pcr), Auth: tpm2.PasswordAuth(nil)},
			Digests:   tpm2.TPMLDigestValues{Digests: []tpm2.TPMTHA{{HashAlg: tpm2.TPMAlgSHA256, Digest: digest[:]}}},
		}.Execute(chip)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A key that is bound stays shut once the machine boots something else, says what changed, and is bound anew when it is put back.
func TestBoundToWhatIsBooted(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "kiosk.key.tpm")
	state := t.TempDir()
	k, older := NewKey(), NewKey()
	t.Run("opens_while_nothing_changes", func(t *testing.T) {
		plain := NewTPM(path, startTPM(t, state))
		v := plain.Bound(7, 4, 4)
		if err := v.Save(ctx, []Key{k, older}); err != nil {
			t.Fatal(err)
		}
		for _, v := range []*TPM{v, plain} { // what the file says counts, not what is configured
			if keys, err := v.Load(ctx); err != nil || len(keys) != 2 || keys[0] != k || keys[1] != older {
				t.Fatal(keys, err)
			}
		}
		measure(t, v, 5) // a register that it is not bound to
		if _, err := v.Load(ctx); err != nil {
			t.Fatal(err)
		}
		if bound, err := plain.Bindings(ctx); err != nil || !slices.Equal(bound, []uint{4, 7}) {
			t.Fatal(bound, err)
		}
	})
	t.Run("after_a_reboot", func(t *testing.T) {
		v := NewTPM(path, startTPM(t, state)).Bound(4, 7)
		for range 20 {
			if keys, err := v.Load(ctx); err != nil || len(keys) != 2 {
				t.Fatal(keys, err)
			}
		}
	})
	t.Run("shut_after_another_boot", func(t *testing.T) {
		v := NewTPM(path, startTPM(t, state)).Bound(4, 7)
		measure(t, v, 4)
		_, err := v.Load(ctx)
		var boot *BootError
		if !errors.As(err, &boot) || len(boot.Changed) != 1 || boot.Changed[0] != 4 || boot.ID != k.ID().String() {
			t.Fatalf("%v", err)
		}
		if text := err.Error(); !strings.Contains(text, "boot loader") || !strings.Contains(text, "queue key restore") {
			t.Error(text)
		}
		if bound, err := v.Bindings(ctx); !errors.As(err, &boot) || !slices.Equal(bound, []uint{4, 7}) {
			t.Error(bound, err)
		}
		for range 20 { // it takes up none of the chip's memory
			if _, err := v.Load(ctx); !errors.As(err, &boot) {
				t.Fatal(err)
			}
		}
		t.Run("also_with_a_file_that_lies", func(t *testing.T) {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			var file sealedFile
			if err := json.Unmarshal(data, &file); err != nil {
				t.Fatal(err)
			}
			if err := v.session(ctx, func(chip transport.TPM, _ *tpm2.CreatePrimaryResponse) (err error) {
				file.Boot, err = readRegisters(chip, []uint{4, 7})
				return err
			}); err != nil {
				t.Fatal(err)
			}
			for name, boot := range map[string][]register{"of_now": file.Boot, "of_another_register": {{16, file.Boot[1].SHA256}}, "none": nil} {
				lie := sealedFile{Format: boundFormat, Keys: file.Keys, Boot: boot}
				if boot == nil {
					lie.Format = sealedFormat
				}
				if data, err = json.Marshal(lie); err != nil {
					t.Fatal(err)
				}
				other := NewTPM(filepath.Join(t.TempDir(), "lie"), v.device)
				if err := os.WriteFile(other.path, data, 0o600); err != nil {
					t.Fatal(err)
				}
				if keys, err := other.Load(ctx); err == nil {
					t.Errorf("%s: the chip gave %d keys", name, len(keys))
				}
			}
		})
		if err := v.Save(ctx, []Key{k}); err != nil { // the way back: the same key, bound to what is booted now
			t.Fatal(err)
		}
		if keys, err := v.Load(ctx); err != nil || len(keys) != 1 || keys[0] != k {
			t.Fatal(keys, err)
		}
	})
}
