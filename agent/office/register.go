package office

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"

	bolt "go.etcd.io/bbolt"

	"motcua/agent/audit"
)

// The register is what the desk knows of the kiosks once more, in a sealed file beside the index, as cards are of dossiers: when the
// index is lost, or put back from an older copy, a revoked kiosk stays out and a stolen credential finds the kiosk's key bound.
// Which of the two is newer, the number of changes says. It is written after the index; Open makes up for a cut between them.
const registerName = "kiosk-register"

var keyKiosks = []byte("kiosks") // in bucketMeta: how often what is known of the kiosks was changed

// register is the file's content.
type register struct {
	Changes uint64                `json:"changes"`
	Bound   map[string]string     `json:"bound"`
	Revoked map[string]revocation `json:"revoked"`
}

// out tells whether a kiosk was revoked.
func (k *kiosks) out(kiosk string) bool {
	_, out := k.revoked[kiosk]
	return out
}

func (k *kiosks) clear() {
	*k = kiosks{bound: map[string]string{}, revoked: map[string]revocation{}, shown: map[string]shown{}}
}

// readKiosks reads what is known of the kiosks from the index, and from the register where that one is newer.
func (s *Store) readKiosks(tx *bolt.Tx) error {
	s.kiosks.clear()
	err := tx.Bucket(bucketKiosk).ForEach(func(k, v []byte) error {
		s.kiosks.bound[string(k)] = string(v)
		return nil
	})
	if err != nil {
		return err
	}
	err = tx.Bucket(bucketRevoked).ForEach(func(k, v []byte) error {
		at, key, _ := strings.Cut(string(v), " ")
		s.kiosks.revoked[string(k)] = revocation{at, key}
		return nil
	})
	if err != nil {
		return err
	}
	if v := tx.Bucket(bucketMeta).Get(keyKiosks); len(v) == 8 {
		s.kiosks.changes = binary.BigEndian.Uint64(v)
	} else if len(s.kiosks.bound)+len(s.kiosks.revoked) > 0 {
		s.kiosks.changes = 1 // by a program that did not count them
	}
	r, err := s.readRegister()
	if err != nil {
		return err
	}
	if r.Changes <= s.kiosks.changes {
		return nil
	}
	s.o.Log.Warn("the index knows less of the kiosks than the register beside it: the register counts", "bound", len(r.Bound),
		"revoked", len(r.Revoked))
	s.kiosks.clear()
	s.kiosks.changes = r.Changes
	maps.Copy(s.kiosks.bound, r.Bound)
	maps.Copy(s.kiosks.revoked, r.Revoked)
	return s.kiosks.put(tx)
}

// put writes what is known of the kiosks into the index.
func (k *kiosks) put(tx *bolt.Tx) error {
	values := map[string]map[string]string{string(bucketKiosk): k.bound, string(bucketRevoked): {}}
	for name, was := range k.revoked {
		values[string(bucketRevoked)][name] = strings.TrimSpace(was.At + " " + was.Key)
	}
	for name, want := range values {
		b := tx.Bucket([]byte(name))
		var over [][]byte
		err := b.ForEach(func(k, _ []byte) error {
			if _, some := want[string(k)]; !some {
				over = append(over, bytes.Clone(k))
			}
			return nil
		})
		if err != nil {
			return err
		}
		for _, k := range over {
			if err := b.Delete(k); err != nil {
				return err
			}
		}
		for k, v := range want {
			if string(b.Get([]byte(k))) == v {
				continue
			}
			if err := b.Put([]byte(k), []byte(v)); err != nil {
				return err
			}
		}
	}
	return tx.Bucket(bucketMeta).Put(keyKiosks, number(k.changes))
}

// changeKiosks changes what is known of the kiosks: in the index, with the audit log's event, in memory, in the register. acting
// is held; change is called twice.
func (s *Store) changeKiosks(e *audit.Event, change func(*kiosks)) error {
	s.mu.RLock()
	after := s.kiosks.clone()
	s.mu.RUnlock()
	change(&after)
	after.changes++
	err := s.db.Update(func(tx *bolt.Tx) error {
		if err := after.put(tx); err != nil || e == nil {
			return err
		}
		return post(tx, *e)
	})
	if err != nil {
		return err
	}
	s.mu.Lock()
	change(&s.kiosks)
	s.kiosks.changes = after.changes
	s.tell()
	s.mu.Unlock()
	if err := s.writeRegister(&after); err != nil { // it stands in the index: the next change, or Open, writes it again
		s.o.Log.Error("write the register of kiosks", "error", err)
	}
	return nil
}

func (k *kiosks) clone() kiosks {
	var c kiosks
	c.clear()
	c.changes = k.changes
	maps.Copy(c.bound, k.bound)
	maps.Copy(c.revoked, k.revoked)
	return c
}

func (s *Store) writeRegister(k *kiosks) error {
	sealed, err := s.wrap(registerName, register{k.changes, k.bound, k.revoked})
	if err != nil {
		return fmt.Errorf("write the register of kiosks: %w", err)
	}
	return writeWhole(filepath.Join(s.dir, registerName), sealed)
}

// readRegister reads the register; none where there is none. One that does not open is set aside and told.
func (s *Store) readRegister() (r register, err error) {
	at := filepath.Join(s.dir, registerName)
	sealed, err := os.ReadFile(at)
	if errors.Is(err, fs.ErrNotExist) {
		return r, nil
	}
	if err != nil {
		return r, fmt.Errorf("read the register of kiosks: %w", err)
	}
	plain, err := s.ring.Unwrap(registerName, sealed)
	if err == nil {
		err = json.Unmarshal(plain, &r)
	}
	if err != nil {
		aside := fmt.Sprintf("%s.damaged-%d", at, s.o.Now().UnixNano())
		s.o.Log.Error("the register of kiosks can't be read and is set aside; what the index knows of them counts", "error", err)
		if err := os.Rename(at, aside); err != nil {
			return register{}, fmt.Errorf("set aside the register of kiosks: %w", err)
		}
		return register{}, nil
	}
	return r, nil
}

// registered makes up for a register that was not written when the power failed, or by a program that had none.
func (s *Store) registered() error {
	r, err := s.readRegister()
	if err != nil || r.Changes >= s.kiosks.changes {
		return err
	}
	return s.writeRegister(&s.kiosks)
}
