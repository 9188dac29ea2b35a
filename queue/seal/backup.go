package seal

import (
	"bytes"
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"strings"

	"filippo.io/age"
)

// A kiosk key has two ways back to a machine that lost it: a file that the office's key opens, and words on paper.

// SealKeys writes keys to w so that only the recipients can read them, as an age file of the lines of a key file.
func SealKeys(w io.Writer, keys []Key, to ...age.Recipient) error {
	sealed, err := age.Encrypt(w, to...)
	if err != nil {
		return fmt.Errorf("seal kiosk key: %w", err)
	}
	text := keyLines(keys)
	defer clear(text)
	if _, err := sealed.Write(text); err != nil {
		return fmt.Errorf("seal kiosk key: %w", err)
	}
	return sealed.Close()
}

// OpenKeys reads what SealKeys wrote.
func OpenKeys(r io.Reader, with ...age.Identity) ([]Key, error) {
	plain, err := age.Decrypt(r, with...)
	if err != nil {
		return nil, fmt.Errorf("open kiosk key: %w", err)
	}
	text, err := io.ReadAll(io.LimitReader(plain, 64<<10))
	if err != nil {
		return nil, fmt.Errorf("open kiosk key: %w", err)
	}
	defer clear(text)
	keys, err := parseKeyLines(text)
	if err == nil && len(keys) == 0 {
		err = errors.New("it holds none")
	}
	if err != nil {
		return nil, fmt.Errorf("open kiosk key: %w", err)
	}
	return keys, nil
}

func keyLines(keys []Key) []byte {
	var b bytes.Buffer
	b.WriteString(fileHeading)
	for _, k := range keys {
		fmt.Fprintf(&b, "motcua-key-1 %s\n", base64.StdEncoding.EncodeToString(k.secret[:]))
	}
	return b.Bytes()
}

// phraseAlphabet is Crockford's: no I, L, O or U, so that what is read from paper can't be mistaken.
var phraseAlphabet = base32.NewEncoding("0123456789ABCDEFGHJKMNPQRSTVWXYZ").WithPadding(base32.NoPadding)

// phraseGroup is how many characters stand together.
const phraseGroup = 5

// Phrase is the key for paper: twelve groups of letters and digits, a checksum within. Whoever reads it can
// read what waits in the queue.
func (k Key) Phrase() string {
	raw := binary.BigEndian.AppendUint32(k.secret[:len(k.secret):len(k.secret)], crc32.ChecksumIEEE(k.secret[:]))
	text := phraseAlphabet.EncodeToString(raw)
	text += strings.Repeat("0", (phraseGroup-len(text)%phraseGroup)%phraseGroup)
	var groups []string
	for i := 0; i < len(text); i += phraseGroup {
		groups = append(groups, text[i:i+phraseGroup])
	}
	return strings.Join(groups, " ")
}

// ParsePhrase reads a phrase as people type it: any case, O for 0, I and L for 1, any spaces and hyphens. A slip is told.
func ParsePhrase(text string) (Key, error) {
	var k Key
	var chars strings.Builder
	for _, r := range strings.ToUpper(text) {
		switch {
		case strings.ContainsRune(" \t\r\n-", r):
			continue
		case r == 'O':
			r = '0'
		case r == 'I' || r == 'L':
			r = '1'
		}
		chars.WriteRune(r)
	}
	whole := phraseAlphabet.EncodedLen(len(k.secret) + crc32.Size)
	if padded := (whole + phraseGroup - 1) / phraseGroup * phraseGroup; chars.Len() != padded {
		return k, fmt.Errorf("read the words of the kiosk key: they are %d letters and digits, %d were given", padded, chars.Len())
	}
	raw, err := phraseAlphabet.DecodeString(chars.String()[:whole])
	if err != nil {
		return k, errors.New("read the words of the kiosk key: a sign is there that the words never have")
	}
	defer clear(raw)
	secret, sum := raw[:len(k.secret)], binary.BigEndian.Uint32(raw[len(k.secret):])
	if crc32.ChecksumIEEE(secret) != sum {
		return k, errors.New("read the words of the kiosk key: something was mistyped, compare them group by group")
	}
	copy(k.secret[:], secret)
	return k, nil
}
