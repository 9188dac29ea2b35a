package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"motcua/agent/config"
	"motcua/agent/staff"
	"motcua/queue/seal"
)

// The stores beside the queue that have keys of their own, all wrapped by the kiosk key: on a stolen disk none of them opens without it,
// and whoever has the kiosk key's way back has theirs.
const (
	draftStore  = "drafts"
	answerStore = "answers"
	staffStore  = "staff"

	wrappedFile   = "wrapped.key" // in the store's folder
	wrappedRoster = "staff.key"   // in the data folder, beside the list of staff
)

// storeKeys is the vault of a store's keys. Older builds kept them where the kiosk key lay, not under it; those files stay until this
// build has run well, since whoever goes back to the one before needs them (settleKeys).
type storeKeys struct {
	*seal.Wrapped
	store, file string
	kiosk       seal.Vault
	before      seal.Vault
}

func keysOf(cfg config.Config, store string) *storeKeys {
	if store == staffStore {
		file := filepath.Join(cfg.Data, wrappedRoster)
		return newStoreKeys(file, store, Vault(cfg), seal.NewTPM(filepath.Join(cfg.Data, rosterKey), cfg.Queue.TPM))
	}
	dir := filepath.Join(cfg.Data, store)
	file := filepath.Join(dir, wrappedFile)
	return newStoreKeys(file, store, Vault(cfg), vaultIn(cfg, dir))
}

func newStoreKeys(file, store string, kiosk, before seal.Vault) *storeKeys {
	return &storeKeys{seal.NewWrapped(file, store, kiosk), store, file, kiosk, before}
}

// wrappedStores are the vaults that are wrapped anew when the kiosk key is changed.
func wrappedStores(cfg config.Config) []*seal.Wrapped {
	return []*seal.Wrapped{keysOf(cfg, draftStore).Wrapped, keysOf(cfg, answerStore).Wrapped, keysOf(cfg, staffStore).Wrapped}
}

// Load gives the keys, and those that an older build kept: before they are wrapped, or where it ran again since. It writes nothing.
func (k *storeKeys) Load(ctx context.Context) ([]seal.Key, error) {
	keys, err := k.Wrapped.Load(ctx)
	if err != nil {
		return nil, err
	}
	older, err := k.before.Load(ctx)
	if len(keys) > 0 && err != nil {
		return keys, nil // settle tells
	}
	return append(keys, without(older, keys)...), err
}

// asideMark stands in the name of a file of keys that was set aside, before the time of that.
const asideMark = ".aside-"

// adopt wraps the keys that an older build kept. Keys under a kiosk key that is not this one's are set aside, for that one may come
// back; the store then begins anew, and says what it can't open. When that one is back, so are they.
func (k *storeKeys) adopt(ctx context.Context, log *slog.Logger) error {
	keys, err := k.Wrapped.Load(ctx)
	if errors.Is(err, seal.ErrWrongKey) {
		aside := k.file + asideMark + time.Now().UTC().Format("20060102T150405.000")
		log.Error("keys that another kiosk key opens are set aside", "file", aside, "error", err)
		keys, err = nil, os.Rename(k.file, aside)
	}
	if err != nil {
		return err
	}
	all, err := k.Load(ctx)
	if err != nil {
		return err
	}
	back, files := k.comeBack(ctx)
	all = append(all, without(back, all)...)
	if len(all) > len(keys) {
		if err := k.Save(ctx, all); err != nil { // on a disk that is read-only, say: Load finds them where they were
			log.Error("keys of an older build are not under the kiosk key yet", "error", err)
			return nil
		}
	}
	for _, file := range files {
		log.Warn("keys that were set aside open again", "file", file)
		if err := k.at(file).Save(ctx, nil); err != nil {
			log.Error("keys that were set aside lie there still", "error", err)
		}
	}
	return nil
}

// at is the vault of the same store in another file.
func (k *storeKeys) at(file string) *seal.Wrapped { return seal.NewWrapped(file, k.store, k.kiosk) }

// comeBack gives the keys that were set aside and that the kiosk key opens by now, with their files.
func (k *storeKeys) comeBack(ctx context.Context) (keys []seal.Key, files []string) {
	for _, file := range k.aside() {
		if some, err := k.at(file).Load(ctx); err == nil {
			keys, files = append(keys, without(some, keys)...), append(files, file)
		}
	}
	return keys, files
}

// aside lists the files of keys that were set aside, the newest first.
func (k *storeKeys) aside() []string {
	entries, err := os.ReadDir(filepath.Dir(k.file))
	if err != nil {
		return nil
	}
	var files []string
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), filepath.Base(k.file)+asideMark) {
			files = append(files, filepath.Join(filepath.Dir(k.file), e.Name()))
		}
	}
	slices.Sort(files)
	slices.Reverse(files)
	return files
}

// without gives those of some keys that are not among others.
func without(some, others []seal.Key) []seal.Key {
	return slices.DeleteFunc(slices.Clone(some), func(k seal.Key) bool {
		return slices.ContainsFunc(others, func(o seal.Key) bool { return o.ID() == k.ID() })
	})
}

// settle removes what an older build kept, once the same keys are there wrapped. What can't be read stays, but for a file whose removal
// was cut off.
func (k *storeKeys) settle(ctx context.Context) error {
	keys, err := k.Wrapped.Load(ctx)
	if err != nil || len(keys) == 0 {
		return err
	}
	older, err := k.before.Load(ctx)
	if errors.Is(err, seal.ErrErased) {
		older, err = nil, nil
	}
	if err != nil {
		return err
	}
	if len(without(older, keys)) > 0 {
		return fmt.Errorf("%s: not all its keys are wrapped", k.before)
	}
	return k.before.Save(ctx, nil)
}

// settleKeys takes away what only an older build needs, and seals the list of staff, once the daemon has been well for a minute: an
// upgrade that is not is gone back from (motcua-trial.service).
func settleKeys(ctx context.Context, cfg config.Config, roster *staff.Roster, log *slog.Logger) {
	var errs []error
	for _, store := range []string{draftStore, answerStore} {
		errs = append(errs, keysOf(cfg, store).settle(ctx))
	}
	var err error
	if roster.Plain() {
		err = sealRoster(ctx, cfg, roster)
	}
	if err == nil {
		err = keysOf(cfg, staffStore).settle(ctx)
	}
	if err := errors.Join(append(errs, err)...); err != nil && ctx.Err() == nil {
		log.Error("keys of an older build lie beside the kiosk key still", "error", err)
	}
}

// sealRoster seals the list of staff by its current key.
func sealRoster(ctx context.Context, cfg config.Config, roster *staff.Roster) error {
	keys, err := keysOf(cfg, staffStore).Wrapped.Load(ctx)
	if err != nil || len(keys) == 0 {
		return err
	}
	return roster.Seal(seal.NewRing(keys[0], keys[1:]...))
}

// settleLater calls settleKeys when the daemon has been well for the time of a trial.
func (p *parts) settleLater(ctx context.Context, ready <-chan struct{}) error {
	if provenWell(ctx, ready) {
		settleKeys(ctx, p.cfg, p.roster, p.log)
	}
	return nil
}

// renewKeys has the stores go on with the keys that came before theirs when the kiosk key was changed.
func (p *parts) renewKeys(ctx context.Context) {
	var errs []error
	if p.drafts != nil {
		errs = append(errs, p.drafts.Renew(ctx, keysOf(p.cfg, draftStore)))
	}
	if p.office != nil {
		errs = append(errs, p.office.store.Renew(ctx, keysOf(p.cfg, answerStore)))
	}
	if !p.roster.Plain() { // or settleKeys does: an older build that is gone back to reads it plain only
		errs = append(errs, sealRoster(ctx, p.cfg, p.roster))
	}
	if err := errors.Join(errs...); err != nil {
		p.log.Warn("new drafts, answers and staff are sealed by the new keys after a restart only", "error", err)
	}
}

// openRing gives the ring of a store's keys, nil where it has none.
func openRing(ctx context.Context, k *storeKeys) (*seal.Ring, error) {
	keys, err := k.Load(ctx)
	if err != nil {
		return nil, fmt.Errorf("%w; if the kiosk key was lost, motcua queue key restore brings these back, too", err)
	}
	if len(keys) == 0 {
		return nil, nil
	}
	return seal.NewRing(keys[0], keys[1:]...), nil
}
