package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
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

	wrappedFile = "wrapped.key" // in the store's folder
	wrappedRoll = "staff.key"   // in the data folder, beside the list of staff
)

// storeKeys is the vault of a store's keys. Older builds kept them where the kiosk key lay, not under it; those files stay until this
// build has run well, since whoever goes back to the one before needs them (settleKeys).
type storeKeys struct {
	*seal.Wrapped
	file   string
	before seal.Vault
}

func keysOf(cfg config.Config, store string) *storeKeys {
	if store == staffStore {
		file := filepath.Join(cfg.Data, wrappedRoll)
		return &storeKeys{seal.NewWrapped(file, store, Vault(cfg)), file, seal.NewTPM(filepath.Join(cfg.Data, rosterKey), cfg.Queue.TPM)}
	}
	dir := filepath.Join(cfg.Data, store)
	file := filepath.Join(dir, wrappedFile)
	return &storeKeys{seal.NewWrapped(file, store, Vault(cfg)), file, vaultIn(cfg, dir)}
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

// adopt wraps the keys that an older build kept. Keys under a kiosk key that is not this one's are set aside, for that one may come
// back; the store then begins anew, and says what it can't open.
func (k *storeKeys) adopt(ctx context.Context, log *slog.Logger) error {
	keys, err := k.Wrapped.Load(ctx)
	if errors.Is(err, seal.ErrWrongKey) {
		aside := k.file + ".aside-" + time.Now().UTC().Format("20060102T150405")
		log.Error("keys that another kiosk key opens are set aside", "file", aside, "error", err)
		keys, err = nil, os.Rename(k.file, aside)
	}
	if err != nil {
		return err
	}
	all, err := k.Load(ctx)
	if err != nil || len(all) == len(keys) {
		return err
	}
	if err := k.Save(ctx, all); err != nil { // on a disk that is read-only, say: Load finds them where they were
		log.Error("keys of an older build are not under the kiosk key yet", "error", err)
	}
	return nil
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
func settleKeys(ctx context.Context, cfg config.Config, roll *staff.Roll, log *slog.Logger) {
	var errs []error
	for _, store := range []string{draftStore, answerStore} {
		errs = append(errs, keysOf(cfg, store).settle(ctx))
	}
	var err error
	if roll.Plain() {
		err = sealRoster(ctx, cfg, roll)
	}
	if err == nil {
		err = keysOf(cfg, staffStore).settle(ctx)
	}
	if err := errors.Join(append(errs, err)...); err != nil && ctx.Err() == nil {
		log.Error("keys of an older build lie beside the kiosk key still", "error", err)
	}
}

// sealRoster seals the list of staff by its current key.
func sealRoster(ctx context.Context, cfg config.Config, roll *staff.Roll) error {
	keys, err := keysOf(cfg, staffStore).Wrapped.Load(ctx)
	if err != nil || len(keys) == 0 {
		return err
	}
	return roll.Seal(seal.NewRing(keys[0], keys[1:]...))
}

// settleLater calls settleKeys when the daemon has been well for the time of a trial.
func (p *parts) settleLater(ctx context.Context, ready <-chan struct{}) error {
	if provenWell(ctx, ready) {
		settleKeys(ctx, p.cfg, p.roll, p.log)
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
	if !p.roll.Plain() { // or settleKeys does: an older build that is gone back to reads it plain only
		errs = append(errs, sealRoster(ctx, p.cfg, p.roll))
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
