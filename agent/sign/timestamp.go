package sign

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"time"

	"github.com/smallstep/pkcs7"
)

// TSA is a time stamp authority that speaks RFC 3161 over HTTP.
type TSA struct {
	URL    string
	Client *http.Client
}

// A time stamp is a few kilobytes; its authority answers within seconds or not at all.
const (
	mostStamp = 1 << 20
	tsaWait   = 15 * time.Second
)

type messageImprint struct {
	Hash   pkix.AlgorithmIdentifier
	Digest []byte
}

type stampRequest struct {
	Version  int
	Imprint  messageImprint
	Nonce    *big.Int
	CertsReq bool
}

type stampResponse struct {
	Status struct {
		Status int
		Text   asn1.RawValue `asn1:"optional"`
		Fail   asn1.RawValue `asn1:"optional"`
	}
	Token asn1.RawValue `asn1:"optional"`
}

type tstInfo struct {
	Version  int
	Policy   asn1.ObjectIdentifier
	Imprint  messageImprint
	Serial   *big.Int
	Time     time.Time     `asn1:"generalized"`
	Accuracy asn1.RawValue `asn1:"optional"`
	Ordering bool          `asn1:"optional,default:false"`
	Nonce    *big.Int      `asn1:"optional"`
	TSA      asn1.RawValue `asn1:"optional,tag:0"`
	Extra    asn1.RawValue `asn1:"optional,tag:1"`
}

// Stamp asks for the time of a signature's value, and takes only an answer to this very question.
func (t *TSA) Stamp(ctx context.Context, value []byte) ([]byte, error) {
	away := func(err error) error {
		return failed(NoTimeStamp, err, "The time stamp authority does not answer as it should: try again, or leave sign.tsa empty to sign "+
			"without a time stamp.")
	}
	digest := sha256.Sum256(value)
	nonce, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 64))
	if err != nil {
		return nil, away(err)
	}
	body, err := asn1.Marshal(stampRequest{1, messageImprint{sha256ID, digest[:]}, nonce, true})
	if err != nil {
		return nil, away(err)
	}
	ctx, cancel := context.WithTimeout(ctx, tsaWait)
	defer cancel()
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, t.URL, bytes.NewReader(body))
	if err != nil {
		return nil, away(err)
	}
	q.Header.Set("Content-Type", "application/timestamp-query")
	client := t.Client
	if client == nil {
		client = http.DefaultClient
	}
	a, err := client.Do(q)
	if err != nil {
		return nil, away(err)
	}
	defer a.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(a.Body, mostStamp))
	switch {
	case err != nil:
		return nil, away(err)
	case a.StatusCode != http.StatusOK:
		return nil, away(fmt.Errorf("it says %s", a.Status))
	}
	var r stampResponse
	if _, err := asn1.Unmarshal(answer, &r); err != nil {
		return nil, away(err)
	}
	if r.Status.Status > 1 { // granted, or granted with changes
		return nil, away(fmt.Errorf("it refuses with status %d", r.Status.Status))
	}
	info, _, err := stamped(r.Token.FullBytes, value)
	if err != nil {
		return nil, away(err)
	}
	if info.Nonce == nil || info.Nonce.Cmp(nonce) != 0 {
		return nil, away(errors.New("it answers another question"))
	}
	return r.Token.FullBytes, nil
}

// stamped reads a time stamp token, and fails unless it is of this value and its own signature is sound.
func stamped(token, value []byte) (tstInfo, *pkcs7.PKCS7, error) {
	var info tstInfo
	p, err := pkcs7.Parse(token)
	if err != nil {
		return info, nil, fmt.Errorf("read time stamp: %w", err)
	}
	if err := p.Verify(); err != nil {
		return info, nil, fmt.Errorf("check time stamp: %w", err)
	}
	if _, err := asn1.Unmarshal(p.Content, &info); err != nil {
		return info, nil, fmt.Errorf("read time stamp: %w", err)
	}
	digest := sha256.Sum256(value)
	if !info.Imprint.Hash.Algorithm.Equal(oidSHA256) || !bytes.Equal(info.Imprint.Digest, digest[:]) {
		return info, nil, errors.New("the time stamp is of something else")
	}
	return info, p, nil
}

// stampFilter is the kind of a time stamp over a whole file (ISO 32000-2, 12.8.5): nobody signed by it.
const stampFilter = "ETSI.RFC3161"

// documentStamp checks a time stamp over the file.
func (v *Verdict) documentStamp(raw, signed []byte, trust *Trust) {
	var outer asn1.RawValue
	if _, err := asn1.Unmarshal(raw, &outer); err != nil {
		v.blame(Unreadable)
		return
	}
	info, stamp, err := stamped(outer.FullBytes, signed)
	if err != nil {
		v.blame(OddTimeStamp)
		return
	}
	v.Intact, v.InTime, v.Stamped = true, true, info.Time
	v.stamper(stamp, info.Time, trust)
	v.Trusted = v.Proved
	v.blame(OnlyTime)
}
