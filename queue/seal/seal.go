// Package seal keeps the kiosk's key and wraps data keys with it. In go 32-byte keys that a Vault (a
// root-only file, or a TPM 2.0) holds, and the secrets of single submissions; out come short wrapped
// secrets that may lie on disk in the clear. It promises that a wrapped secret opens only with the key
// and for the name it was wrapped for, and that a key never shows in a log or an error.
//
// Wrapping is XChaCha20-Poly1305 with a random nonce and the name as associated data; the bulk of a
// submission is sealed elsewhere, by age.
package seal

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"golang.org/x/crypto/chacha20poly1305"
)

// Key is one kiosk key. It prints as its id only.
type Key struct {
	secret [chacha20poly1305.KeySize]byte
}

// ID names a key without telling it.
type ID [8]byte

// String is 16 hex figures.
func (id ID) String() string { return hex.EncodeToString(id[:]) }

// NewKey makes a random key.
func NewKey() Key {
	var k Key
	rand.Read(k.secret[:]) // never fails since Go 1.24
	return k
}

// ID is derived one-way from the key.
func (k Key) ID() ID {
	m := hmac.New(sha256.New, k.secret[:])
	m.Write([]byte("motcua kiosk key id 1"))
	return ID(m.Sum(nil)[:len(ID{})])
}

// LogValue and Format keep the secret out of every log and error.
func (k Key) LogValue() slog.Value { return slog.StringValue("kiosk key " + k.ID().String()) }

// Format prints the id whatever the verb.
func (k Key) Format(f fmt.State, _ rune) { io.WriteString(f, "kiosk key "+k.ID().String()) }

// Vault holds kiosk keys across power cuts.
type Vault interface {
	// Load gives the keys, the current one first; none and no error where nothing was saved yet.
	Load(ctx context.Context) ([]Key, error)
	// Save replaces all keys durably; what was saved before can't be had from the vault any more. No keys
	// empty it.
	Save(ctx context.Context, keys []Key) error
	// String says where the keys are, for the technician.
	String() string
}

// ErrWrongKey says that none of the keys at hand opens a wrapped secret.
var ErrWrongKey = errors.New("sealed under another kiosk key")

// Ring is a set of keys: the first wraps, all unwrap. The zero Ring has none: it opens nothing and must not wrap.
type Ring struct{ keys []Key }

// NewRing makes a ring of at least one key.
func NewRing(current Key, older ...Key) *Ring {
	return &Ring{keys: append([]Key{current}, older...)}
}

// Current is the id of the key that wraps.
func (r *Ring) Current() ID { return r.keys[0].ID() }

// Has reports whether the ring holds the key.
func (r *Ring) Has(id ID) bool {
	for _, k := range r.keys {
		if k.ID() == id {
			return true
		}
	}
	return false
}

// Keys lists the ring's keys, the current one first.
func (r *Ring) Keys() []Key { return append([]Key(nil), r.keys...) }

// Wrap seals a secret for name: key id, nonce, ciphertext with tag.
func (r *Ring) Wrap(name string, secret []byte) []byte {
	k := r.keys[0]
	id := k.ID()
	aead, err := chacha20poly1305.NewX(k.secret[:])
	if err != nil {
		panic(err) // the key's length is fixed by its type
	}
	out := make([]byte, len(id)+chacha20poly1305.NonceSizeX, len(id)+chacha20poly1305.NonceSizeX+len(secret)+chacha20poly1305.Overhead)
	copy(out, id[:])
	nonce := out[len(id):]
	rand.Read(nonce)
	return aead.Seal(out, nonce, secret, associated(name))
}

// Unwrap opens what Wrap made for the same name.
func (r *Ring) Unwrap(name string, wrapped []byte) ([]byte, error) {
	id, ok := WrappedBy(wrapped)
	if !ok {
		return nil, errors.New("wrapped key is cut short")
	}
	for _, k := range r.keys {
		if k.ID() != id {
			continue
		}
		aead, err := chacha20poly1305.NewX(k.secret[:])
		if err != nil {
			panic(err)
		}
		nonce := wrapped[len(id) : len(id)+chacha20poly1305.NonceSizeX]
		secret, err := aead.Open(nil, nonce, wrapped[len(id)+chacha20poly1305.NonceSizeX:], associated(name))
		if err != nil {
			return nil, fmt.Errorf("unwrap with kiosk key %s: %w", id, err)
		}
		return secret, nil
	}
	return nil, fmt.Errorf("%w (%s)", ErrWrongKey, id)
}

// WrappedBy tells under which key a secret was wrapped.
func WrappedBy(wrapped []byte) (ID, bool) {
	if len(wrapped) < len(ID{})+chacha20poly1305.NonceSizeX+chacha20poly1305.Overhead {
		return ID{}, false
	}
	return ID(wrapped[:len(ID{})]), true
}

func associated(name string) []byte { return []byte("motcua data key 1\x00" + name) }
