package answer

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"filippo.io/age"
)

// schema is in every sealed answer, so that nothing else that opens with a kiosk's key is taken for one.
const schema = "motcua/answer/1"

// answerLimit bounds the bytes of an answer without its result.
const answerLimit = 64 << 10

type sealed struct {
	Schema string `json:"schema"`
	Answer
}

// Seal seals an answer to kiosks: an age file of its JSON.
func Seal(a Answer, to ...age.Recipient) ([]byte, error) {
	if err := a.Validate(); err != nil {
		return nil, err
	}
	text, err := json.Marshal(sealed{schema, a})
	if err != nil {
		return nil, fmt.Errorf("seal answer %d: %w", a.Number, err)
	}
	defer clear(text)
	var out bytes.Buffer
	if err := SealTo(&out, bytes.NewReader(text), to...); err != nil {
		return nil, fmt.Errorf("seal answer %d: %w", a.Number, err)
	}
	return out.Bytes(), nil
}

// SealTo seals a result to kiosks as it is read.
func SealTo(w io.Writer, r io.Reader, to ...age.Recipient) error {
	in, err := age.Encrypt(w, to...)
	if err != nil {
		return err
	}
	if _, err := io.Copy(in, r); err != nil {
		return err
	}
	return in.Close()
}

// Open opens what Seal made. Nothing that is not whole and valid comes out; errors repeat nothing of it.
func Open(data []byte, with ...age.Identity) (Answer, error) {
	if len(data) > answerLimit {
		return Answer{}, errors.New("open answer: it is too large for one")
	}
	plain, err := age.Decrypt(bytes.NewReader(data), with...)
	if err != nil {
		return Answer{}, fmt.Errorf("open answer: %w", err)
	}
	text, err := io.ReadAll(plain)
	if err != nil {
		return Answer{}, fmt.Errorf("open answer: %w", err)
	}
	defer clear(text)
	var s sealed
	if json.Unmarshal(text, &s) != nil || s.Schema != schema {
		return Answer{}, errors.New("open answer: it is none that this program knows")
	}
	return s.Answer, s.Validate()
}
