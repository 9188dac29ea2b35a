package seal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/google/go-tpm/tpm2"
	"github.com/google/go-tpm/tpm2/transport"
	"github.com/google/go-tpm/tpm2/transport/linuxtpm"
	"github.com/google/go-tpm/tpm2/transport/linuxudstpm"
)

// TPM is a vault whose file only the TPM 2.0 chip of this machine can open: a disk that is taken out, copied
// or thrown away tells nothing. The keys are sealed under the chip's storage root key, which is made anew
// from the chip's seed each time, so nothing takes up the chip's memory; they travel to and from the
// chip encrypted. By themselves they are not bound to a boot state: an update of the kernel must not lock a kiosk out. See Bound.
type TPM struct {
	path, device string
	pcrs         []uint
}

// DefaultTPM is the kernel's resource manager, which lets several programs use one chip.
const DefaultTPM = "/dev/tpmrm0"

// NewTPM names the file for the sealed keys and the chip's device, or the socket of a TPM emulator.
func NewTPM(path, device string) *TPM { return &TPM{path: path, device: device} }

func (t *TPM) String() string { return fmt.Sprintf("TPM %s with file %s", t.device, t.path) }

// sealedFile is the vault's file; all in it is safe to be seen.
type sealedFile struct {
	Format string      `json:"format"` // "motcua-tpm-1", or "motcua-tpm-2" where it is bound to a boot state
	Keys   []sealedKey `json:"keys"`
	Boot   []register  `json:"boot,omitempty"` // what the machine had booted when the keys were sealed; to say what changed
}

type sealedKey struct {
	ID      string `json:"id"`
	Public  []byte `json:"public"`
	Private []byte `json:"private"`
}

const (
	sealedFormat = "motcua-tpm-1"
	boundFormat  = "motcua-tpm-2"
)

// read gives the file as it stands; one that is not there is none.
func (t *TPM) read() (file sealedFile, there bool, err error) {
	data, err := readPrivate(t.path)
	if errors.Is(err, fs.ErrNotExist) {
		return file, false, nil
	}
	if err != nil {
		return file, false, fmt.Errorf("read sealed kiosk key: %w", err)
	}
	if err := json.Unmarshal(data, &file); err != nil || !file.known() {
		return file, false, fmt.Errorf("read sealed kiosk key: %s is damaged; put it back from your backup", t.path)
	}
	return file, true, nil
}

// Load unseals the keys.
func (t *TPM) Load(ctx context.Context) ([]Key, error) {
	file, there, err := t.read()
	if err != nil || !there {
		return nil, err
	}
	var keys []Key
	err = t.session(ctx, func(chip transport.TPM, root *tpm2.CreatePrimaryResponse) error {
		if err := file.booted(chip, t.path); err != nil {
			return err
		}
		for _, s := range file.Keys {
			k, err := unsealKey(chip, root, s, file.registers())
			if errors.Is(err, tpm2.TPMRCPolicyFail) {
				return &BootError{File: t.path, ID: file.Keys[0].ID, Others: len(file.Keys) - 1}
			}
			if err != nil {
				return err
			}
			if k.ID().String() != s.ID {
				return errors.New("it gave another key than was sealed")
			}
			keys = append(keys, k)
		}
		return nil
	})
	var boot *BootError
	if errors.As(err, &boot) {
		return nil, fmt.Errorf("unseal kiosk key with the TPM %s: %w", t.device, err)
	}
	if err != nil {
		return nil, fmt.Errorf("unseal kiosk key with the TPM %s: %w; a key sealed by another machine's chip can't be opened here", t.device, err)
	}
	return keys, nil
}

// Save seals the keys and replaces the file. Without keys the file is removed.
func (t *TPM) Save(ctx context.Context, keys []Key) error {
	if len(keys) == 0 {
		if err := erasePrivate(t.path); err != nil {
			return fmt.Errorf("remove sealed kiosk key: %w", err)
		}
		return nil
	}
	file := sealedFile{Format: sealedFormat}
	err := t.session(ctx, func(chip transport.TPM, root *tpm2.CreatePrimaryResponse) error {
		var err error
		if file.Boot, err = readRegisters(chip, t.pcrs); err != nil {
			return err
		}
		if len(file.Boot) > 0 {
			file.Format = boundFormat
		}
		for _, k := range keys {
			s, err := sealKey(chip, root, k, file.Boot)
			if err != nil {
				return err
			}
			file.Keys = append(file.Keys, s)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("seal kiosk key with the TPM %s: %w", t.device, err)
	}
	data, err := json.MarshalIndent(file, "", "\t")
	if err != nil {
		return err
	}
	if err := replacePrivate(t.path, append(data, '\n')); err != nil {
		return fmt.Errorf("save sealed kiosk key: %w", err)
	}
	return nil
}

// open retries for a moment: without a resource manager the device admits one program at a time.
func (t *TPM) open(ctx context.Context) (transport.TPMCloser, error) {
	info, err := os.Stat(t.device)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errors.New("there is no such device; enable the TPM in the firmware, or use a key file")
	}
	if err != nil {
		return nil, err
	}
	connect := linuxtpm.Open
	if info.Mode()&os.ModeSocket != 0 {
		connect = linuxudstpm.Open
	}
	for try := 0; ; try++ {
		chip, err := connect(t.device)
		if err == nil || try == 10 {
			return chip, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// session opens the chip and its storage root key for do.
func (t *TPM) session(ctx context.Context, do func(transport.TPM, *tpm2.CreatePrimaryResponse) error) (err error) {
	chip, err := t.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, chip.Close()) }()
	root, err := tpm2.CreatePrimary{
		PrimaryHandle: tpm2.TPMRHOwner,
		InPublic:      tpm2.New2B(tpm2.ECCSRKTemplate),
	}.Execute(chip)
	if err != nil {
		return fmt.Errorf("make storage root key: %w", err)
	}
	defer func() {
		_, e := tpm2.FlushContext{FlushHandle: root.ObjectHandle}.Execute(chip)
		err = errors.Join(err, e)
	}()
	return do(chip, root)
}

// private is a session salted with the root key, which encrypts what goes into the chip (intoChip) or comes
// out of it (outOfChip): who listens on the bus sees no key.
func private(root *tpm2.CreatePrimaryResponse, encrypt encryption) (tpm2.Session, error) {
	public, err := root.OutPublic.Contents()
	if err != nil {
		return nil, err
	}
	return tpm2.HMAC(tpm2.TPMAlgSHA256, 16,
		encrypt(128),
		tpm2.Salted(root.ObjectHandle, *public)), nil
}

// encryption names a direction; go-tpm's own type for it can't be named.
type encryption func(tpm2.TPMKeyBits) tpm2.AuthOption

func intoChip(bits tpm2.TPMKeyBits) tpm2.AuthOption { return tpm2.AESEncryption(bits, tpm2.EncryptIn) }

func outOfChip(bits tpm2.TPMKeyBits) tpm2.AuthOption {
	return tpm2.AESEncryption(bits, tpm2.EncryptOut)
}

func sealKey(chip transport.TPM, root *tpm2.CreatePrimaryResponse, k Key, boot []register) (sealedKey, error) {
	policy, err := bootPolicy(boot)
	if err != nil {
		return sealedKey{}, err
	}
	session, err := private(root, intoChip)
	if err != nil {
		return sealedKey{}, err
	}
	made, err := tpm2.Create{
		ParentHandle: tpm2.AuthHandle{Handle: root.ObjectHandle, Name: root.Name, Auth: session},
		InSensitive: tpm2.TPM2BSensitiveCreate{Sensitive: &tpm2.TPMSSensitiveCreate{
			Data: tpm2.NewTPMUSensitiveCreate(&tpm2.TPM2BSensitiveData{Buffer: k.secret[:]}),
		}},
		InPublic: tpm2.New2B(tpm2.TPMTPublic{
			Type:    tpm2.TPMAlgKeyedHash,
			NameAlg: tpm2.TPMAlgSHA256,
			ObjectAttributes: tpm2.TPMAObject{
				FixedTPM: true, FixedParent: true, UserWithAuth: len(boot) == 0, NoDA: true,
			},
			AuthPolicy: policy,
		}),
	}.Execute(chip)
	if err != nil {
		return sealedKey{}, err
	}
	return sealedKey{
		ID:      k.ID().String(),
		Public:  tpm2.Marshal(made.OutPublic),
		Private: tpm2.Marshal(made.OutPrivate),
	}, nil
}

func unsealKey(chip transport.TPM, root *tpm2.CreatePrimaryResponse, s sealedKey, bound []uint) (k Key, err error) {
	public, err := tpm2.Unmarshal[tpm2.TPM2BPublic](s.Public)
	if err != nil {
		return k, err
	}
	secret, err := tpm2.Unmarshal[tpm2.TPM2BPrivate](s.Private)
	if err != nil {
		return k, err
	}
	session, err := private(root, intoChip)
	if err != nil {
		return k, err
	}
	loaded, err := tpm2.Load{
		ParentHandle: tpm2.AuthHandle{Handle: root.ObjectHandle, Name: root.Name, Auth: session},
		InPrivate:    *secret,
		InPublic:     *public,
	}.Execute(chip)
	if err != nil {
		return k, err
	}
	defer func() {
		_, e := tpm2.FlushContext{FlushHandle: loaded.ObjectHandle}.Execute(chip)
		err = errors.Join(err, e)
	}()
	if session, err = opening(root, bound); err != nil {
		return k, err
	}
	opened, err := tpm2.Unseal{
		ItemHandle: tpm2.AuthHandle{Handle: loaded.ObjectHandle, Name: loaded.Name, Auth: session},
	}.Execute(chip)
	if err != nil {
		return k, err
	}
	defer clear(opened.OutData.Buffer)
	if len(opened.OutData.Buffer) != len(k.secret) {
		return k, errors.New("what was sealed is no kiosk key")
	}
	copy(k.secret[:], opened.OutData.Buffer)
	return k, nil
}
