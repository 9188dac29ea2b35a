package seal

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/google/go-tpm/tpm2"
	"github.com/google/go-tpm/tpm2/transport"
)

// Bound gives the same vault, whose keys, once they are saved, open only while the machine has booted what it had booted then:
// while the chip's registers (PCRs, bank SHA-256) named by pcrs hold the same. The firmware, the boot loader and the kernel
// write there what they start (TCG PC Client Platform Firmware Profile, table 1). Without pcrs nothing is bound.
//
// A key that is bound is lost with an update that changes what is booted: it needs a way back.
func (t *TPM) Bound(pcrs ...int) *TPM {
	bound := &TPM{path: t.path, device: t.device}
	for _, n := range pcrs {
		bound.pcrs = append(bound.pcrs, uint(n))
	}
	slices.Sort(bound.pcrs)
	bound.pcrs = slices.Compact(bound.pcrs)
	return bound
}

// Loose gives the same vault, whose keys are bound to nothing once they are saved: for keys that have no way back yet.
func (t *TPM) Loose() Vault { return t.Bound() }

// Binds says to which registers keys are bound when they are saved.
func (t *TPM) Binds() []uint { return slices.Clone(t.pcrs) }

// Bindings says to which registers the keys that are saved are bound; none where nothing is saved. A *BootError tells which of
// them hold something else now: the keys would not open.
func (t *TPM) Bindings(ctx context.Context) ([]uint, error) {
	file, there, err := t.read()
	if err != nil || !there || len(file.Boot) == 0 {
		return nil, err
	}
	chip, err := t.open(ctx)
	if err != nil {
		return nil, fmt.Errorf("ask the TPM %s: %w", t.device, err)
	}
	return file.registers(), errors.Join(file.booted(chip, t.path), chip.Close())
}

// BootError says that this machine has booted other than when its key was sealed.
type BootError struct {
	File    string
	ID      string // of the key that is sealed
	Others  int    // older keys that are sealed with it: a rotation had not come to its end
	Changed []uint // registers that hold something else; none where the chip refused all the same
}

func (e *BootError) Error() string {
	var what []string
	for _, n := range e.Changed {
		what = append(what, fmt.Sprintf("%d (%s)", n, registerName(n)))
	}
	changed := "what was measured"
	if len(what) > 0 {
		changed = "register " + strings.Join(what, ", ")
	}
	return fmt.Sprintf("this machine did not boot what the key is bound to: %s changed. After an update of firmware, boot loader or kernel "+
		"put the key back "+
		"(motcua queue key restore --words, or with the office's file). If nobody updated it, somebody else did: take the kiosk out of "+
		"service and tell the office", changed)
}

// registerName says what is measured into a register (TCG PC Client Platform Firmware Profile, table 1; GRUB's manual, 19.4).
func registerName(n uint) string {
	switch n {
	case 0:
		return "firmware"
	case 1:
		return "settings of the firmware"
	case 2, 3:
		return "firmware of cards"
	case 4:
		return "boot loader"
	case 5:
		return "table of partitions"
	case 7:
		return "Secure Boot"
	case 8:
		return "command line of the kernel"
	case 9:
		return "kernel and initial RAM disk"
	}
	return "of the system"
}

// register is what a PCR held.
type register struct {
	PCR    uint   `json:"pcr"`
	SHA256 string `json:"sha256"`
}

func (f sealedFile) known() bool {
	return len(f.Keys) > 0 && (f.Format == sealedFormat && len(f.Boot) == 0 || f.Format == boundFormat && len(f.Boot) > 0)
}

func (f sealedFile) registers() []uint {
	var all []uint
	for _, r := range f.Boot {
		all = append(all, r.PCR)
	}
	return all
}

// booted compares the registers with what the file says they held. It is for the words alone: that the key stays shut is the
// chip's doing, whatever stands in the file.
func (f sealedFile) booted(chip transport.TPM, path string) error {
	now, err := readRegisters(chip, f.registers())
	if err != nil {
		return err
	}
	var changed []uint
	for i, r := range now {
		if r.SHA256 != f.Boot[i].SHA256 {
			changed = append(changed, r.PCR)
		}
	}
	if len(changed) > 0 {
		return &BootError{File: path, ID: f.Keys[0].ID, Others: len(f.Keys) - 1, Changed: changed}
	}
	return nil
}

func selection(pcrs ...uint) tpm2.TPMLPCRSelection {
	return tpm2.TPMLPCRSelection{PCRSelections: []tpm2.TPMSPCRSelection{{Hash: tpm2.TPMAlgSHA256,
		PCRSelect: tpm2.PCClientCompatible.PCRs(pcrs...)}}}
}

func readRegisters(chip transport.TPM, pcrs []uint) ([]register, error) {
	var all []register
	for _, n := range pcrs {
		read, err := tpm2.PCRRead{PCRSelectionIn: selection(n)}.Execute(chip)
		if err != nil {
			return nil, fmt.Errorf("read register %d: %w", n, err)
		}
		if len(read.PCRValues.Digests) != 1 {
			return nil, fmt.Errorf("read register %d: the chip has no bank SHA-256", n)
		}
		all = append(all, register{n, hex.EncodeToString(read.PCRValues.Digests[0].Buffer)})
	}
	return all, nil
}

// bootPolicy is the policy of a key that is bound to what registers hold; empty for none.
func bootPolicy(boot []register) (tpm2.TPM2BDigest, error) {
	if len(boot) == 0 {
		return tpm2.TPM2BDigest{}, nil
	}
	held := sha256.New()
	var pcrs []uint
	for _, r := range boot {
		value, err := hex.DecodeString(r.SHA256)
		if err != nil {
			return tpm2.TPM2BDigest{}, fmt.Errorf("register %d: %w", r.PCR, err)
		}
		held.Write(value)
		pcrs = append(pcrs, r.PCR)
	}
	policy, err := tpm2.NewPolicyCalculator(tpm2.TPMAlgSHA256)
	if err != nil {
		return tpm2.TPM2BDigest{}, err
	}
	step := tpm2.PolicyPCR{PcrDigest: tpm2.TPM2BDigest{Buffer: held.Sum(nil)}, Pcrs: selection(pcrs...)}
	if err := step.Update(policy); err != nil {
		return tpm2.TPM2BDigest{}, err
	}
	return tpm2.TPM2BDigest{Buffer: policy.Hash().Digest}, nil
}

// opening is the session that takes a key out of the chip.
func opening(root *tpm2.CreatePrimaryResponse, bound []uint) (tpm2.Session, error) {
	if len(bound) == 0 {
		return private(root, outOfChip)
	}
	public, err := root.OutPublic.Contents()
	if err != nil {
		return nil, err
	}
	const nonce = 16 // bytes
	return tpm2.Policy(tpm2.TPMAlgSHA256, nonce, func(chip transport.TPM, session tpm2.TPMISHPolicy, _ tpm2.TPM2BNonce) error {
		_, err := tpm2.PolicyPCR{PolicySession: session, Pcrs: selection(bound...)}.Execute(chip)
		return err
	}, outOfChip(128), tpm2.Salted(root.ObjectHandle, *public)), nil
}
