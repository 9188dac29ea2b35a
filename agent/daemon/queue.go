package daemon

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"motcua/agent/config"
	"motcua/agent/control"
	"motcua/agent/draft"
	"motcua/queue"
	"motcua/queue/seal"
	"os"
	"os/user"
	"path/filepath"
	"strconv"

	"filippo.io/age"
	"golang.org/x/sys/unix"
)

// MakeDataFolder makes the folder for its owner only, or says how to mend what stands in the way.
func MakeDataFolder(dir string) error {
	err := os.MkdirAll(dir, 0o700)
	if err == nil {
		// A folder that is there already may still not be writable; find out before anything is begun.
		err = writable(dir)
	}
	if errors.Is(err, unix.EROFS) {
		return nil // the queue opens for reading, and says so
	}
	return folderError(dir, err)
}

// folderError says how to mend what stands in the way of the data folder.
func folderError(dir string, err error) error {
	if err == nil {
		return nil
	}
	if !errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("the data folder %s can't be used: %w; name another with --data", dir, err)
	}
	if owner := ownerOf(dir); owner != "" {
		return fmt.Errorf("the data folder %s may not be used by this user, it is %s's: run sudo -u %s motcua …, or name another with --data",
			dir, owner, owner)
	}
	return fmt.Errorf("the data folder %s may not be made by this user: let root make it for them (install -d -m 700 -o USER), or name "+
		"another with --data", dir)
}

// ownerOf names the user a folder belongs to; "" where it is not there or not to be seen.
func ownerOf(dir string) string {
	var st unix.Stat_t
	if unix.Stat(dir, &st) != nil {
		return ""
	}
	id := strconv.FormatUint(uint64(st.Uid), 10)
	if u, err := user.LookupId(id); err == nil {
		return u.Username
	}
	return "#" + id // as sudo takes it
}

// writable tells whether a folder can take a file, without leaving anything there.
func writable(dir string) error {
	f, err := os.CreateTemp(dir, ".probe-*")
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// OpenQueue opens the queue as the configuration says; for reading only, where the disk is read-only.
func OpenQueue(ctx context.Context, cfg config.Config, log *slog.Logger) (*queue.Queue, queue.Repairs, error) {
	o := queue.Options{
		Vault:     Vault(cfg),
		Stores:    wrappedStores(cfg),
		MinFree:   int64(cfg.Queue.MinFree),
		Retention: cfg.Queue.Keep.D(),
		Records:   cfg.Queue.Records.D(),
		Parallel:  cfg.Queue.Workers,
		Outbox:    cfg.Announce.URL != "",
		Log:       log,

		UntilAcknowledged: cfg.Queue.Until == "acknowledged",
	}
	if cfg.Queue.SealTo != "" {
		recipient, err := age.ParseX25519Recipient(cfg.Queue.SealTo)
		if err != nil {
			return nil, queue.Repairs{}, fmt.Errorf("queue.seal_to: %w", err)
		}
		o.Office = []age.Recipient{recipient}
		o.OfficeOnly = cfg.Queue.OfficeOnly
	}
	q, repairs, err := queue.Open(ctx, filepath.Join(cfg.Data, "queue"), o)
	if errors.Is(err, queue.ErrLocked) {
		if client, dialing := control.Dial(ctx, cfg.Data); dialing == nil {
			defer client.Close()
			if s, asking := client.Status(ctx); asking == nil {
				return nil, repairs, fmt.Errorf("a daemon is running in %s already, at %s (process %d)", cfg.Data, s.Address, s.PID)
			}
		}
		return nil, repairs, fmt.Errorf("the data folder %s is in use by another motcua that does not answer: wait for it to end, or look for "+
			"it with `ps`", cfg.Data)
	}
	if err != nil {
		return nil, repairs, fmt.Errorf("open queue in %s: %w", cfg.Data, err)
	}
	return q, repairs, nil
}

// Vault is where the kiosk's key lies. "auto" keeps to where it is, and takes a TPM for a new queue where
// there is one.
func Vault(cfg config.Config) seal.Vault {
	inFile, inTPM := vaults(cfg)
	switch cfg.Queue.Key {
	case "file":
		return inFile
	case "tpm":
		return inTPM
	}
	if exists(filepath.Join(cfg.Data, "queue", tpmFile)) {
		return inTPM
	}
	if exists(filepath.Join(cfg.Data, "queue", keyFile)) || unix.Access(cfg.Queue.TPM, unix.R_OK|unix.W_OK) != nil {
		return inFile
	}
	return inTPM
}

const (
	keyFile = "kiosk.key"
	tpmFile = "kiosk.tpm"
)

func vaults(cfg config.Config) (inFile, inTPM seal.Vault) {
	dir := filepath.Join(cfg.Data, "queue")
	return seal.NewFile(filepath.Join(dir, keyFile)), seal.NewTPM(filepath.Join(dir, tpmFile), cfg.Queue.TPM).Bound(cfg.Queue.Boot...)
}

// openDrafts opens the store of unfinished visits, with keys of its own under the kiosk's. Without it the counter works on, and its
// screens say that nothing is kept over a restart.
func openDrafts(ctx context.Context, cfg config.Config, log *slog.Logger) *draft.Store {
	store, err := (*draft.Store)(nil), makeStore(ctx, cfg, draftStore, log)
	if err == nil {
		store, err = draft.Open(ctx, filepath.Join(cfg.Data, draftStore), keysOf(cfg, draftStore))
	}
	if err != nil {
		log.Error("unfinished visits are not kept over a restart", "error", err)
		return nil
	}
	return store
}

// makeStore makes a store's folder and sees that its keys are under the kiosk's.
func makeStore(ctx context.Context, cfg config.Config, store string, log *slog.Logger) error {
	if err := os.MkdirAll(filepath.Join(cfg.Data, store), 0o700); err != nil {
		return err
	}
	return keysOf(cfg, store).adopt(ctx, log)
}

// vaultIn is where older builds kept the key of a store in a folder of its own.
func vaultIn(cfg config.Config, dir string) seal.Vault {
	if exists(filepath.Join(dir, tpmFile)) || vaultName(cfg) == "tpm" && !exists(filepath.Join(dir, keyFile)) {
		return seal.NewTPM(filepath.Join(dir, tpmFile), cfg.Queue.TPM)
	}
	return seal.NewFile(filepath.Join(dir, keyFile))
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

// Rekey makes a new kiosk key; to says where it goes from now on: "file", "tpm", or "" to stay.
func Rekey(ctx context.Context, cfg config.Config, q *queue.Queue, to string) (int, error) {
	inFile, inTPM := vaults(cfg)
	switch to {
	case "":
		return q.Rekey(ctx, nil)
	case vaultName(cfg):
		return q.Rekey(ctx, nil)
	case "file":
		return q.Rekey(ctx, inFile)
	case "tpm":
		return q.Rekey(ctx, inTPM)
	}
	return 0, fmt.Errorf("a kiosk key lies in a file or in the tpm, not in %q", to)
}

// KeyPlace says where the kiosk's key lies: "tpm" or "file".
func KeyPlace(cfg config.Config) string { return vaultName(cfg) }

func vaultName(cfg config.Config) string {
	if _, ok := Vault(cfg).(*seal.TPM); ok {
		return "tpm"
	}
	return "file"
}
