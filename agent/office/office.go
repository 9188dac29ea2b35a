// Package office keeps what a ward's kiosks sent, until an officer has answered it and its time is over. In go submissions
// that were proved whole (File) and what officers decide (Act, Attach); out come dossiers in their order (List, Search, Get,
// Open), answers with running numbers for the kiosks (Answers), and a day as a ZIP (Export).
//
// It promises: a submission is filed once, by its id and digest, however often and from wherever it comes; what File or Act
// returned without error is on the disk, and a machine that is switched off at any write loses none of it and does none of
// it twice; two officers never overwrite each other (ErrStale); every act stands in the audit log, once; nothing lies on the
// disk in the clear. A lost index is built again from the cards beside the files.
//
// On the disk, in one folder: desk.db is a bbolt index of sealed records; kiosk-register is what it knows of the kiosks, once more;
// files/<submission>/ holds the sealed files, numbered,
// and a card: the record once more. Keys of dossiers stand in their records, which are sealed under the desk's key (queue/seal).
package office

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"motcua/agent/audit"
	"motcua/queue/seal"
)

// The reasons to refuse.
var (
	ErrUnknown  = errors.New("office: no such dossier")
	ErrStale    = errors.New("office: somebody else changed the dossier meanwhile")
	ErrOther    = errors.New("office: a submission of this id was filed with other content")
	ErrUnproved = errors.New("office: the submission is not what its manifest says")
	ErrNotNow   = errors.New("office: the dossier's state does not allow that")
	ErrNoReason = errors.New("office: say why")
	ErrLocked   = errors.New("office: another process has the desk's folder open")
	ErrNoKey    = errors.New("office: the key of this desk is not there")
)

// AuditLog is the audit log; *audit.Log is one.
type AuditLog interface {
	Append(audit.Event) error
	Noted(audit.Event) (bool, error)
}

// Options say how a desk works.
type Options struct {
	Vault    seal.Vault                           // holds the desk's key; the first Open makes one
	AuditLog AuditLog                             // nil: acts are not recorded
	Keep     func(procedure string) time.Duration // how long after its end a dossier is kept; nil or 0: for good
	Now      func() time.Time                     // nil: time.Now
	Log      *slog.Logger                         // nil: slog.Default()
}

// Store is one ward's dossiers. It is safe for concurrent use; one process may have a folder open.
type Store struct {
	o    Options
	dir  string
	name string // random, made with the index
	ring *seal.Ring
	db   *bolt.DB

	acting     sync.Mutex // held while something changes; guards the two counters
	lastNumber uint64
	lastAnswer uint64

	mu      sync.RWMutex // guards what follows
	records map[uint64]*record
	ids     map[string]uint64   // submissions, supplements too
	codes   map[string][]uint64 // folded, as they are typed; more than one: a kiosk gave a code that was another dossier's
	copies  map[string][]uint64 // by the folded numbers of their certified copies; more than one: two kiosks gave one number

	kiosks  kiosks
	changed chan struct{} // closed and made anew when something changes
}

// record is a dossier as it lies on the disk.
type record struct {
	Dossier
	Key string `json:"key"` // age identity of its files
}

const (
	schema    = 1
	filesName = "files"
	cardName  = "card"
	indexName = "desk.db"
)

var (
	bucketMeta    = []byte("meta")
	bucketRecord  = []byte("record")  // number → sealed record
	bucketAnswer  = []byte("answer")  // counts the answers; nothing lies in it
	bucketOutbox  = []byte("outbox")  // event for the audit log, until it stands there
	bucketKiosk   = []byte("kiosk")   // name → the public key that answers are sealed to
	bucketRevoked = []byte("revoked") // name → when an officer revoked it, and the key it was bound to
	bucketGone    = []byte("gone")    // id → digest and day of what is past its time, so that it is not filed anew

	keySchema = []byte("schema")
	keySealed = []byte("key")
	keyDesk   = []byte("desk")  // random name of this desk's store
	keyLast   = []byte("last")  // the record whose card may be older than the index
	keyClock  = []byte("clock") // what the clock showed at the last sweep that trusted it, in seconds
	keyDoubt  = []byte("doubt") // what it showed when it began to be doubted
)

// Open opens or makes a desk's folder. A crash is made up for: what was filed and not indexed is indexed, what was not yet
// noted in the audit log is noted.
func Open(ctx context.Context, dir string, o Options) (*Store, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if err := os.MkdirAll(filepath.Join(dir, filesName), 0o700); err != nil {
		return nil, fmt.Errorf("open desk: %w", err)
	}
	s := &Store{o: o, dir: dir, records: map[uint64]*record{}, ids: map[string]uint64{}, codes: map[string][]uint64{},
		copies: map[string][]uint64{}, changed: make(chan struct{})}
	if err := tidy(filepath.Join(dir, indexName)); err != nil {
		return nil, err
	}
	var err error
	s.db, err = bolt.Open(filepath.Join(dir, indexName), 0o600, &bolt.Options{Timeout: time.Second})
	if errors.Is(err, bolterrors.ErrTimeout) {
		return nil, ErrLocked
	}
	if err != nil {
		return nil, fmt.Errorf("open the desk's index: %w", err)
	}
	if err := s.open(ctx); err != nil {
		return nil, errors.Join(err, s.db.Close())
	}
	return s, nil
}

// open reads what is there, in the order in which one thing stands on the other: key, index, cards, audit log.
func (s *Store) open(ctx context.Context) error {
	if err := s.unlock(ctx); err != nil {
		return err
	}
	var last uint64
	err := s.db.Update(func(tx *bolt.Tx) error {
		for _, b := range [][]byte{bucketMeta, bucketRecord, bucketAnswer, bucketOutbox, bucketKiosk, bucketRevoked, bucketGone} {
			if _, err := tx.CreateBucketIfNotExists(b); err != nil {
				return err
			}
		}
		meta := tx.Bucket(bucketMeta)
		if v := meta.Get(keySchema); v == nil {
			if err := meta.Put(keySchema, number(schema)); err != nil {
				return err
			}
		} else if n := binary.BigEndian.Uint64(v); n > schema {
			return fmt.Errorf("the desk was written by a newer version of this program (%d)", n)
		}
		if v := meta.Get(keyDesk); v != nil {
			s.name = string(v)
		} else {
			s.name = rand.Text()
			if err := meta.Put(keyDesk, []byte(s.name)); err != nil {
				return err
			}
		}
		id := s.ring.Current()
		if err := meta.Put(keySealed, id[:]); err != nil {
			return err
		}
		if v := meta.Get(keyLast); v != nil {
			last = binary.BigEndian.Uint64(v)
		}
		if err := s.readKiosks(tx); err != nil {
			return err
		}
		s.lastNumber, s.lastAnswer = tx.Bucket(bucketRecord).Sequence(), tx.Bucket(bucketAnswer).Sequence()
		return tx.Bucket(bucketRecord).ForEach(func(k, v []byte) error {
			seq := binary.BigEndian.Uint64(k)
			r, err := s.unwrap(recordName(seq), v)
			if err != nil {
				return fmt.Errorf("read dossier %d: %w", seq, err)
			}
			s.remember(r)
			return nil
		})
	})
	if err != nil {
		return fmt.Errorf("read the desk's index: %w", err)
	}
	if r := s.records[last]; r != nil {
		if err := s.writeCard(filepath.Join(s.dir, filesName, r.ID), r); err != nil {
			return err
		}
	}
	if err := s.registered(); err != nil {
		return err
	}
	if err := s.adopt(ctx); err != nil {
		return err
	}
	return s.flush(true)
}

// unlock gets the desk's key. A desk that was sealed is never given a new one: it would hide all that lies there.
func (s *Store) unlock(ctx context.Context) error {
	keys, err := s.o.Vault.Load(ctx)
	if err != nil {
		return fmt.Errorf("load the desk's key from %s: %w", s.o.Vault, err)
	}
	if len(keys) == 0 {
		used, err := s.used()
		if err != nil {
			return err
		}
		if used {
			return fmt.Errorf("%w (%s)", ErrNoKey, s.o.Vault)
		}
		keys = []seal.Key{seal.NewKey()}
		if err := s.o.Vault.Save(ctx, keys); err != nil {
			return fmt.Errorf("save the desk's key in %s: %w", s.o.Vault, err)
		}
	}
	s.ring = seal.NewRing(keys[0], keys[1:]...)
	return nil
}

// used tells whether anything was sealed in this folder.
func (s *Store) used() (bool, error) {
	used := false
	err := s.db.View(func(tx *bolt.Tx) error {
		meta := tx.Bucket(bucketMeta)
		used = meta != nil && meta.Get(keySealed) != nil
		return nil
	})
	if err != nil || used {
		return used, err
	}
	entries, err := os.ReadDir(filepath.Join(s.dir, filesName))
	return len(entries) > 0, err
}

// Close ends the desk's work in its folder.
func (s *Store) Close() error {
	s.acting.Lock()
	defer s.acting.Unlock()
	return s.db.Close()
}

// Changed gives a channel that is closed when something changes after the call.
func (s *Store) Changed() <-chan struct{} {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.changed
}

func number(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

func recordName(seq uint64) string { return fmt.Sprintf("dossier/%d", seq) }

// wrap seals a value of the index for the place where it lies.
func (s *Store) wrap(name string, v any) ([]byte, error) {
	plain, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	defer clear(plain)
	return s.ring.Wrap(name, plain), nil
}

func (s *Store) unwrap(name string, sealed []byte) (*record, error) {
	plain, err := s.ring.Unwrap(name, sealed)
	if err != nil {
		return nil, err
	}
	defer clear(plain)
	r := &record{}
	return r, json.Unmarshal(plain, r)
}

// remember puts a record into the lists in memory, in place of the one before.
func (s *Store) remember(r *record) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lastNumber, s.lastAnswer = max(s.lastNumber, r.Number), max(s.lastAnswer, r.Answer)
	s.records[r.Number] = r
	for _, one := range r.submissions() {
		s.ids[one.ID] = r.Number
		claim(s.codes, foldCode(one.Code), r.Number)
	}
	for _, number := range r.Certified {
		claim(s.copies, strings.ToLower(number), r.Number)
	}
	s.tell()
}

// tell wakes who waits for a change; mu is held.
func (s *Store) tell() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// forget takes a record out of the lists in memory; mu is held.
func (s *Store) forget(r *record) {
	delete(s.records, r.Number)
	for _, one := range r.submissions() {
		delete(s.ids, one.ID)
		release(s.codes, foldCode(one.Code), r.Number)
	}
	for _, number := range r.Certified {
		release(s.copies, strings.ToLower(number), r.Number)
	}
}

// save puts a record and what it gives to the audit log into the index, in one transaction.
func (s *Store) save(r *record, e *audit.Event) error { return s.merge(r, nil, *e) }

// merge does the same, and takes a dossier out that became part of the record; nil: none did.
func (s *Store) merge(r, joined *record, events ...audit.Event) error {
	err := s.db.Update(func(tx *bolt.Tx) error {
		records, answers := tx.Bucket(bucketRecord), tx.Bucket(bucketAnswer)
		if err := records.SetSequence(max(records.Sequence(), r.Number)); err != nil {
			return err
		}
		if err := answers.SetSequence(max(answers.Sequence(), r.Answer)); err != nil {
			return err
		}
		sealed, err := s.wrap(recordName(r.Number), r)
		if err != nil {
			return err
		}
		if err := records.Put(number(r.Number), sealed); err != nil {
			return err
		}
		if joined != nil {
			if err := records.Delete(number(joined.Number)); err != nil {
				return err
			}
		}
		if err := tx.Bucket(bucketMeta).Put(keyLast, number(r.Number)); err != nil {
			return err
		}
		for _, e := range events {
			if err := post(tx, e); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("write the desk's index: %w", err)
	}
	if joined != nil {
		s.mu.Lock()
		s.forget(joined)
		s.mu.Unlock()
	}
	s.remember(r)
	if err := s.writeCard(filepath.Join(s.dir, filesName, r.ID), r); err != nil { // it stands in the index: Open writes the card again
		s.o.Log.Error("write a dossier's card", "dossier", r.Number, "error", err)
	}
	if err := s.flush(false); err != nil {
		s.o.Log.Error("an act waits to be noted in the audit log", "dossier", r.Number, "error", err)
	}
	return nil
}
