package seal

import (
	"fmt"
	"strings"

	"filippo.io/age"
)

// ParseRecipients reads public keys of an office as age writes them ("age1…"), blank lines and lines that
// begin with # aside.
func ParseRecipients(text string) ([]age.Recipient, error) {
	r, err := age.ParseRecipients(strings.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("read the office's public key: %w", err)
	}
	return r, nil
}

// ParseIdentities reads secret keys as age-keygen writes them. The text is not repeated in errors.
func ParseIdentities(text string) ([]age.Identity, error) {
	ids, err := age.ParseIdentities(strings.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("read secret key: it is not as age-keygen writes it")
	}
	return ids, nil
}

// ToPassphrase and FromPassphrase seal and open by a passphrase, stretched by scrypt.
func ToPassphrase(passphrase string) (age.Recipient, error) {
	r, err := age.NewScryptRecipient(passphrase)
	if err != nil {
		return nil, fmt.Errorf("seal by passphrase: %w", err)
	}
	return r, nil
}

// FromPassphrase opens what ToPassphrase sealed.
func FromPassphrase(passphrase string) (age.Identity, error) {
	id, err := age.NewScryptIdentity(passphrase)
	if err != nil {
		return nil, fmt.Errorf("open by passphrase: %w", err)
	}
	return id, nil
}
