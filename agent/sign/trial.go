package sign

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"time"
)

// Trial is a key in memory, with a certificate of an authority that was made with it and that nobody else trusts: for trying
// the program out. It says so in the names that a signature shows.
type Trial struct {
	key  crypto.Signer
	cert *x509.Certificate
	root *x509.Certificate
}

// trialLasts is how long a trial's certificates are valid.
const trialLasts = 30 * 24 * time.Hour

// NewTrial makes a key whose certificate names this office.
func NewTrial(organisation string, now time.Time) (*Trial, error) {
	issuer, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make a key to try out: %w", err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make a key to try out: %w", err)
	}
	t := &Trial{key: key}
	of := func(serial int64, name, organisation string) *x509.Certificate {
		c := &x509.Certificate{SerialNumber: big.NewInt(serial), NotBefore: now.Add(-time.Hour), NotAfter: now.Add(trialLasts),
			Subject: pkix.Name{CommonName: name, Country: []string{"VN"}}}
		if organisation != "" {
			c.Subject.Organization = []string{organisation}
		}
		return c
	}
	root := of(1, "CA DÙNG THỬ (không có giá trị)", "")
	root.IsCA, root.BasicConstraintsValid, root.KeyUsage = true, true, x509.KeyUsageCertSign
	if t.root, err = certified(root, root, issuer.Public(), issuer); err != nil {
		return nil, err
	}
	cert := of(2, "CÁN BỘ DÙNG THỬ", organisation)
	cert.KeyUsage = x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment
	t.cert, err = certified(cert, t.root, key.Public(), issuer)
	return t, err
}

func certified(c, by *x509.Certificate, public crypto.PublicKey, key crypto.Signer) (*x509.Certificate, error) {
	der, err := x509.CreateCertificate(rand.Reader, c, by, public, key)
	if err != nil {
		return nil, fmt.Errorf("make a certificate to try out: %w", err)
	}
	return x509.ParseCertificate(der)
}

// Root is the authority, for who wants to trust it.
func (t *Trial) Root() *x509.Certificate { return t.root }

// Certificate is the signer's.
func (t *Trial) Certificate() *x509.Certificate { return t.cert }

// Chain is the authority's certificate.
func (t *Trial) Chain() []*x509.Certificate { return []*x509.Certificate{t.root} }

// Sign signs a digest by ECDSA.
func (t *Trial) Sign(digest []byte, hash crypto.Hash) ([]byte, error) {
	value, err := t.key.Sign(rand.Reader, digest, hash)
	if err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	return value, nil
}
