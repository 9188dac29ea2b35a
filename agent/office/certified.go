package office

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	bolt "go.etcd.io/bbolt"
)

// keyCertified, in bucketMeta, is the last dossier whose forms were looked through for the numbers of certified copies. Programs
// that did not note them filed dossiers without.
var keyCertified = []byte("certified")

// certifiedStep is after how many dossiers the pass notes how far it came: a cut costs no more than reading so many forms again.
const certifiedStep = 100

// noteCertified looks through the forms of dossiers that were filed before numbers of certified copies were noted, once, in the order
// of filing, one at a time so that the line goes on meanwhile. A form that can't be read is passed over: the papers are there.
func (s *Store) noteCertified(ctx context.Context) error {
	var done uint64
	err := s.db.View(func(tx *bolt.Tx) error {
		if v := tx.Bucket(bucketMeta).Get(keyCertified); len(v) == 8 {
			done = binary.BigEndian.Uint64(v)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("read the desk's index: %w", err)
	}
	s.acting.Lock()
	last := s.lastNumber
	s.acting.Unlock()
	for n := done + 1; n <= last && ctx.Err() == nil; n++ {
		if err := s.certifyAnew(n); err != nil {
			return err
		}
		if n%certifiedStep != 0 && n != last {
			continue
		}
		err := s.db.Update(func(tx *bolt.Tx) error { return tx.Bucket(bucketMeta).Put(keyCertified, number(n)) })
		if err != nil {
			return fmt.Errorf("write the desk's index: %w", err)
		}
	}
	return ctx.Err()
}

// certifyAnew notes the numbers on one dossier's copies as its forms have them.
func (s *Store) certifyAnew(n uint64) error {
	s.acting.Lock()
	defer s.acting.Unlock()
	s.mu.RLock()
	was := s.records[n]
	s.mu.RUnlock()
	if was == nil || was.Sealed {
		return nil
	}
	r := was.clone()
	r.Certified = nil
	for _, f := range r.Files {
		if !f.form() {
			continue
		}
		text, err := s.openSealed(r, f)
		if err != nil {
			s.o.Log.Warn("a form can't be read; the numbers of its copies are not compared", "dossier", n, "error", err)
			return nil
		}
		var read form
		err = json.NewDecoder(io.LimitReader(text, textLimit)).Decode(&read)
		_ = text.Close() // it was only read
		if err != nil {  // damaged behind its beginning, maybe: what was noted at its filing stays
			s.o.Log.Warn("a form can't be read; the numbers of its copies are not compared", "dossier", n)
			return nil
		}
		r.certify(read)
	}
	if slices.Equal(r.Certified, was.Certified) {
		return nil
	}
	return s.merge(r, nil)
}

// form says whether a file is what a kiosk sent as the form of its submission.
func (f File) form() bool {
	return f.By == "" && strings.TrimPrefix(f.Name, f.From+"-") == formName
}
