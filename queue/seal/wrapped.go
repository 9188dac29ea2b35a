package seal

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
)

// Wrapped is a vault for the keys of another store, in a file wrapped by the kiosk key: without that key it opens nothing, wherever the
// kiosk key lies and whatever it is bound to; and with the kiosk key's way back it has one.
type Wrapped struct {
	path, name string
	kiosk      Vault
}

// ErrNoKiosk says that there is no kiosk key to wrap with.
var ErrNoKiosk = errors.New("there is no kiosk key yet")

// NewWrapped names the file, the store whose keys it has, and the vault of the kiosk key.
func NewWrapped(path, store string, kiosk Vault) *Wrapped {
	return &Wrapped{path, "keys of " + store, kiosk}
}

func (w *Wrapped) String() string { return "file " + w.path + " under the kiosk key" }

// ring gives the kiosk key, and the one before while it is being changed.
func (w *Wrapped) ring(ctx context.Context) (*Ring, error) {
	keys, err := w.kiosk.Load(ctx)
	if err != nil {
		return nil, err
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("%w: %s", ErrNoKiosk, w.kiosk)
	}
	return NewRing(keys[0], keys[1:]...), nil
}

// Load gives the keys; the error is ErrWrongKey where they are wrapped by another kiosk key.
func (w *Wrapped) Load(ctx context.Context) ([]Key, error) {
	data, err := readPrivate(w.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", w.name, err)
	}
	ring, err := w.ring(ctx)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", w.name, err)
	}
	return w.open(ring, data)
}

func (w *Wrapped) open(ring *Ring, data []byte) ([]Key, error) {
	plain, err := ring.Unwrap(w.name, data)
	if err != nil {
		return nil, fmt.Errorf("read %s: %s: %w", w.name, w.path, err)
	}
	defer clear(plain)
	keys, err := parseKeyLines(plain)
	if err == nil && len(keys) == 0 {
		err = errors.New("holds none")
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %s %w", w.name, w.path, err)
	}
	return keys, nil
}

// Save replaces the keys; without any the file is removed. Where the kiosk key is changed meanwhile they are wrapped by the new one.
func (w *Wrapped) Save(ctx context.Context, keys []Key) error {
	if len(keys) == 0 {
		if err := erasePrivate(w.path); err != nil {
			return fmt.Errorf("remove %s: %w", w.name, err)
		}
		return nil
	}
	ring, err := w.ring(ctx)
	for err == nil {
		if err = w.replace(ring, keys); err != nil {
			break
		}
		by := ring.Current()
		if ring, err = w.ring(ctx); err == nil && ring.Current() == by {
			return nil
		}
	}
	return fmt.Errorf("save %s: %w", w.name, err)
}

func (w *Wrapped) replace(ring *Ring, keys []Key) error {
	text := keyLines(keys)
	defer clear(text)
	return replacePrivate(w.path, ring.Wrap(w.name, text))
}

// Rewrap has the keys wrapped by the ring's current key, and puts a new one before them: what the old kiosk key opened may have been
// copied with it. Done already, and no file, are no error; a file under a key that the ring does not have is ErrWrongKey, and stays.
func (w *Wrapped) Rewrap(ring *Ring) error {
	data, err := readPrivate(w.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("wrap %s anew: %w", w.name, err)
	}
	keys, err := w.open(ring, data)
	if err != nil {
		return err
	}
	if by, _ := WrappedBy(data); by == ring.Current() {
		return nil
	}
	if err := w.replace(ring, append([]Key{NewKey()}, keys...)); err != nil {
		return fmt.Errorf("wrap %s anew: %w", w.name, err)
	}
	return nil
}
