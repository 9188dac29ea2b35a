package sign_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/smallstep/pkcs7"
	"golang.org/x/crypto/ocsp"

	"motcua/agent/sign"
	"motcua/ocr/pdfa"
)

// behind puts a stream behind a signature, as a file for years has its evidence; entries are more of its dictionary.
func behind(file []byte, entries string, body []byte) []byte {
	file = fmt.Appendf(bytes.Clone(file), "8 0 obj\n<< %s/Length %d >>\nstream\n", entries, len(body))
	return append(append(file, body...), "\nendstream\nendobj\n%%EOF\n"...)
}

// An authority's answer for one certificate counts as its list does, wherever the file brings it, if the authority gave it, or who is
// certified for answering: another customer of the same authority says nothing of this one.
func TestAnswerForOneCertificate(t *testing.T) {
	o, other := newOffice(t), newOffice(t)
	k := o.key(t, same)
	issued := func(change func(*x509.Certificate)) (*x509.Certificate, crypto.Signer) {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		return o.issue(t, o.root, key.Public(), change), key
	}
	responder, responderKey := issued(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageOCSPSigning} })
	ended, endedKey := issued(func(c *x509.Certificate) {
		c.ExtKeyUsage, c.NotAfter = []x509.ExtKeyUsage{x509.ExtKeyUsageOCSPSigning}, time.Now().Add(-time.Hour)
	})
	customer, customerKey := issued(same)
	answer := func(status int, by *x509.Certificate, key crypto.Signer, change func(*ocsp.Response)) []byte {
		r := ocsp.Response{Status: status, SerialNumber: k.cert.SerialNumber, ThisUpdate: time.Now().Add(-time.Minute),
			NextUpdate: time.Now().Add(time.Hour), RevokedAt: time.Now().Add(-time.Hour)}
		if by != o.root && by != other.root {
			r.Certificate = by
		}
		change(&r)
		der, err := ocsp.CreateResponse(o.root, by, r, key)
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	asItIs := func(*ocsp.Response) {}
	old := func(r *ocsp.Response) {
		r.ThisUpdate, r.NextUpdate = time.Now().Add(-2*time.Hour), time.Now().Add(-time.Hour)
	}
	since := func(r *ocsp.Response) { // made after it was signed, and run out since
		r.ThisUpdate, r.NextUpdate = time.Now().Add(time.Minute), time.Now().Add(2*time.Minute)
	}
	years := func() time.Time { return time.Now().Add(300 * 24 * time.Hour) }
	for name, c := range map[string]struct {
		answer []byte
		now    func() time.Time
		why    sign.Blame // of the answer inside the signature
		asked  bool
	}{
		"good":                        {answer(ocsp.Good, o.root, o.rootKey, asItIs), nil, "", true},
		"good,_by_its_responder":      {answer(ocsp.Good, responder, responderKey, asItIs), nil, "", true},
		"good,_says_another_customer": {answer(ocsp.Good, customer, customerKey, asItIs), nil, "", false},
		"good,_says_a_stranger":       {answer(ocsp.Good, other.root, other.rootKey, asItIs), nil, "", false},
		"good,_by_one_that_has_ended": {answer(ocsp.Good, ended, endedKey, asItIs), nil, "", false},
		"unknown":                     {answer(ocsp.Unknown, o.root, o.rootKey, asItIs), nil, "", false},
		"good,_of_another": {answer(ocsp.Good, o.root, o.rootKey, func(r *ocsp.Response) { r.SerialNumber = big.NewInt(7) }), nil, "",
			false},
		"good,_long_ago":        {answer(ocsp.Good, o.root, o.rootKey, old), nil, "", false},
		"good,_of_then":         {answer(ocsp.Good, o.root, o.rootKey, since), years, "", true},
		"withdrawn":             {answer(ocsp.Revoked, o.root, o.rootKey, asItIs), nil, sign.Withdrawn, true},
		"withdrawn,_long_ago":   {answer(ocsp.Revoked, o.root, o.rootKey, old), nil, sign.Withdrawn, false},
		"withdrawn,_a_stranger": {answer(ocsp.Revoked, other.root, other.rootKey, asItIs), nil, "", false},
		"no_answer":             {[]byte{0x30, 0x03, 0x0a, 0x01, 0x03}, nil, "", false}, // "try later"
	} {
		t.Run(name, func(t *testing.T) {
			trust := o.roots()
			trust.Now = c.now
			attribute := struct {
				Answers []asn1.RawValue `asn1:"explicit,tag:1"`
			}{[]asn1.RawValue{{FullBytes: c.answer}}}
			carried := foreign(t, k, "/Contents CONTENTS /ByteRange RANGE /SubFilter /adbe.pkcs7.detached", pkcs7.OIDDigestAlgorithmSHA256,
				pkcs7.Attribute{Type: asn1.ObjectIdentifier{1, 2, 840, 113583, 1, 1, 8}, Value: attribute})
			vs, err := sign.Verify(carried, trust)
			if err != nil || len(vs) != 1 || vs[0].Why != c.why || vs[0].Good() != (c.why == "") || vs[0].Asked != c.asked {
				t.Errorf("inside: %+v %v", vs, err)
			}
			why := c.why
			if why == "" {
				why = sign.Added
			}
			vs, err = sign.Verify(behind(signed(t, &sign.Signer{Key: k, Now: time.Now}, scan(t, pdfa.A2b, 595, 842)), "", c.answer), trust)
			if err != nil || len(vs) != 1 || vs[0].Why != why || vs[0].Asked != c.asked {
				t.Errorf("behind: %+v %v", vs, err)
			}
		})
	}
}

// The answer is another program's.
func TestAnswerOfOpenSSL(t *testing.T) {
	o := newOffice(t)
	k := o.key(t, same)
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	write(t, in("root.pem"), "CERTIFICATE", o.root.Raw)
	write(t, in("cert.pem"), "CERTIFICATE", k.cert.Raw)
	der, err := x509.MarshalPKCS8PrivateKey(o.rootKey)
	if err != nil {
		t.Fatal(err)
	}
	write(t, in("root.key"), "PRIVATE KEY", der)
	for name, c := range map[string]struct {
		line string // of OpenSSL's own index of an authority
		why  sign.Blame
	}{
		"good":      {"V\t%s\t\t%X\tunknown\t/CN=x\n", sign.Added},
		"withdrawn": {"R\t%s\t260101000000Z,keyCompromise\t%X\tunknown\t/CN=x\n", sign.Withdrawn},
	} {
		t.Run(name, func(t *testing.T) {
			serial := k.cert.SerialNumber.Bytes()
			index := fmt.Sprintf(c.line, k.cert.NotAfter.UTC().Format("060102150405Z"), serial)
			if err := os.WriteFile(in("index"), []byte(index), 0o600); err != nil {
				t.Fatal(err)
			}
			command(t, "openssl", "ocsp", "-issuer", in("root.pem"), "-cert", in("cert.pem"), "-reqout", in("question"))
			command(t, "openssl", "ocsp", "-index", in("index"), "-CA", in("root.pem"), "-rsigner", in("root.pem"), "-rkey", in("root.key"),
				"-reqin", in("question"), "-ndays", "1", "-respout", in("answer"))
			answer, err := os.ReadFile(in("answer"))
			if err != nil {
				t.Fatal(err)
			}
			vs, err := sign.Verify(behind(signed(t, &sign.Signer{Key: k, Now: time.Now}, scan(t, pdfa.A2b, 595, 842)), "", answer), o.roots())
			if err != nil || len(vs) != 1 || vs[0].Why != c.why || !vs[0].Asked {
				t.Errorf("%+v %v, want %q", vs, err, c.why)
			}
		})
	}
}
