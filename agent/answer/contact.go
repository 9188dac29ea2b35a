package answer

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"filippo.io/age"

	"motcua/agent/draft"
	"motcua/queue/seal"
)

// Contact is how a kiosk stands with the desk: what a technician asks when no answers come.
type Contact struct {
	Heard time.Time `json:"heard,omitzero"` // when the desk, or the province's store, was heard last
	// Cause is why it is not heard now: of those that Intake counts "line", "refused", "key", "not-the-desk"; "": it is.
	Cause string    `json:"cause,omitempty"`
	Since time.Time `json:"since,omitzero"` // of the cause
	Key   string    `json:"-"`              // fingerprint of the kiosk's key; "": it has none yet
}

// contactName is the draft that a Contact lies in, contactEvery how often it is written while nothing changes.
const (
	contactName  = "contact"
	contactEvery = 10 * time.Minute
)

// contacts are the causes that keep a kiosk from hearing the desk.
var contacts = map[string]bool{"line": true, "refused": true, "key": true, "not-the-desk": true}

// noteContact writes down that the desk was heard (cause ""), or why not. It may be lost: the next one says the same.
func (s *Store) noteContact(cause string, now time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.contact
	switch {
	case cause == "":
		c.Heard, c.Cause, c.Since = now.UTC(), "", time.Time{}
	case cause != c.Cause:
		c.Cause, c.Since = cause, now.UTC()
	}
	quiet := now.Sub(s.contacted)
	if c.Cause == s.contact.Cause && quiet >= 0 && quiet < contactEvery {
		s.contact = c
		return nil
	}
	if err := s.drafts.Keep(contactName, c); err != nil {
		return fmt.Errorf("note how the kiosk stands with the desk: %w", err)
	}
	s.contact, s.contacted = c, now
	return nil
}

// ReadContact reads how the kiosk whose store is in dir stands with the desk, beside a daemon that may be running.
func ReadContact(ctx context.Context, dir string, vault seal.Vault) (c Contact, err error) {
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return c, nil
	}
	if keys, err := vault.Load(ctx); err != nil || len(keys) == 0 { // opening would make one, of the wrong user
		return c, err
	}
	drafts, err := draft.Open(ctx, dir, vault)
	if err != nil {
		return c, fmt.Errorf("open answers: %w", err)
	}
	if err := drafts.Take(contactName, &c); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return c, fmt.Errorf("read how the kiosk stands with the desk: %w", err)
	}
	var text string
	switch err := drafts.Take(identityName, &text); {
	case errors.Is(err, fs.ErrNotExist):
		return c, nil
	case err != nil:
		return c, fmt.Errorf("read the kiosk's key for answers: %w", err)
	}
	own, err := age.ParseX25519Identity(text)
	if err != nil {
		return c, errors.New("read the kiosk's key for answers: it is none")
	}
	c.Key = Fingerprint(own.Recipient().String())
	return c, nil
}
