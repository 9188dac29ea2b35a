package queue

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"motcua/queue/seal"
)

// wayBackName is a note in the queue's folder of which kiosk key a way back was made; it holds the key's id only.
const wayBackName = "kiosk.way-back"

// KeyWayBack gives the kiosk keys of the queue in dir to make, which seals them to the office or prints them, and notes that
// the current one has a way back. It needs no open queue.
func KeyWayBack(ctx context.Context, dir string, vault seal.Vault, make func(keys []seal.Key) error) error {
	keys, err := vault.Load(ctx)
	if err != nil {
		return err
	}
	if len(keys) == 0 {
		return fmt.Errorf("%w: %s holds none", ErrNoKey, vault)
	}
	if err := make(keys); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, wayBackName), []byte(keys[0].ID().String()+"\n"), 0o600); err != nil {
		return fmt.Errorf("note that the kiosk key has a way back: %w", err)
	}
	return nil
}

// RestoreKey puts kiosk keys back where none is. It never replaces one: that might be the right one. fresh is false where the
// key was there already.
func RestoreKey(ctx context.Context, vault seal.Vault, keys []seal.Key) (fresh bool, err error) {
	there, err := vault.Load(ctx)
	var boot *seal.BootError
	if errors.As(err, &boot) {
		if boot.ID != keys[0].ID().String() {
			return false, fmt.Errorf("%s holds another key, %s: move it away first, it may be needed", vault, boot.ID)
		}
		if boot.Others >= len(keys) {
			return false, fmt.Errorf("%s holds an older key, too, which the backup does not: a rotation had not come to its end. "+
				"Move the file away first, it is needed once the machine boots as before", vault)
		}
		return false, vault.Save(ctx, keys) // the very key, sealed to what the machine boots now
	}
	if err != nil {
		return false, err
	}
	if len(there) > 0 {
		if there[0].ID() == keys[0].ID() {
			return false, nil
		}
		return false, fmt.Errorf("%s holds another key, %s: move it away first, it may be needed", vault, there[0].ID())
	}
	return true, vault.Save(ctx, keys)
}

// ErrNoWayBack says that the kiosk key has no way back, which what was asked may need.
var ErrNoWayBack = errors.New("the kiosk key has no way back yet: motcua queue key backup makes one")

// ResealKey saves the kiosk keys of the queue in dir anew in their vault, which may bind them to other than before. It needs no
// open queue, and a way back of the current key: what binds it may change without a word.
func ResealKey(ctx context.Context, dir string, vault seal.Vault) (seal.ID, error) {
	keys, err := vault.Load(ctx)
	if err != nil {
		return seal.ID{}, err
	}
	if len(keys) == 0 {
		return seal.ID{}, fmt.Errorf("%w: %s holds none", ErrNoKey, vault)
	}
	if len(keys) > 1 {
		return seal.ID{}, errors.New("a rotation of the kiosk key has not come to its end: motcua queue rekey goes on with it")
	}
	if noted, err := os.ReadFile(filepath.Join(dir, wayBackName)); err != nil || strings.TrimSpace(string(noted)) != keys[0].ID().String() {
		return seal.ID{}, ErrNoWayBack
	}
	return keys[0].ID(), vault.Save(ctx, keys)
}

// loose is a vault for keys that have no way back yet: bound to what the machine boots they would be lost with its next update,
// and with them all that waits. ResealKey binds them.
func loose(v seal.Vault) seal.Vault {
	if b, ok := v.(interface{ Loose() seal.Vault }); ok {
		return b.Loose()
	}
	return v
}

// tellLoose tells who wanted the key bound that it is not.
func (q *Queue) tellLoose(v seal.Vault) {
	if b, ok := v.(interface{ Binds() []uint }); ok && len(b.Binds()) > 0 {
		q.log.Warn("the new kiosk key is bound to no boot state before it has a way back: motcua queue key backup, then motcua queue key reseal")
	}
}

// hasWayBack reports whether a way back was made of the current kiosk key.
func (q *Queue) hasWayBack() bool {
	text, err := os.ReadFile(filepath.Join(q.dir, wayBackName))
	if errors.Is(err, fs.ErrNotExist) || err != nil {
		return false
	}
	return strings.TrimSpace(string(text)) == q.currentRing().Current().String()
}
