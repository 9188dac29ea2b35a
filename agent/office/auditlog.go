package office

import (
	"encoding/json"
	"fmt"

	bolt "go.etcd.io/bbolt"

	"motcua/agent/audit"
)

// An act and its entry in the audit log lie in two files. The act's own transaction puts the event into the outbox; it is
// taken out when the log has it. A crash between these two leaves an event that may stand in the log already: Open looks.

// post puts an event into the outbox.
func post(tx *bolt.Tx, e audit.Event) error {
	out := tx.Bucket(bucketOutbox)
	n, err := out.NextSequence()
	if err != nil {
		return err
	}
	data, err := json.Marshal(e)
	if err != nil {
		return err
	}
	return out.Put(number(n), data)
}

// flush moves the outbox into the audit log. With look set an event may be in the log already.
func (s *Store) flush(look bool) error {
	if s.o.AuditLog == nil {
		return s.db.Update(func(tx *bolt.Tx) error {
			c := tx.Bucket(bucketOutbox).Cursor()
			for k, _ := c.First(); k != nil; k, _ = c.First() {
				if err := c.Delete(); err != nil {
					return err
				}
			}
			return nil
		})
	}
	for {
		var key []byte
		var e audit.Event
		err := s.db.View(func(tx *bolt.Tx) error {
			k, v := tx.Bucket(bucketOutbox).Cursor().First()
			if k == nil {
				return nil
			}
			key = append(key, k...)
			return json.Unmarshal(v, &e)
		})
		if err != nil || key == nil {
			return err
		}
		noted := false
		if look {
			if noted, err = s.o.AuditLog.Noted(e); err != nil {
				return fmt.Errorf("look into the audit log: %w", err)
			}
			look = false // the others come after this one
		}
		if !noted {
			if err := s.o.AuditLog.Append(e); err != nil {
				return err
			}
		}
		if err := s.db.Update(func(tx *bolt.Tx) error { return tx.Bucket(bucketOutbox).Delete(key) }); err != nil {
			return fmt.Errorf("clear the outbox: %w", err)
		}
	}
}

// ready refuses an act while what was done before is not in the audit log.
func (s *Store) ready() error {
	if err := s.flush(true); err != nil {
		return fmt.Errorf("nothing is done that can't be noted: %w", err)
	}
	return nil
}

// actor is how the audit log names an officer.
func actor(name string) string {
	if name == "" {
		return "system"
	}
	return "officer:" + name
}
