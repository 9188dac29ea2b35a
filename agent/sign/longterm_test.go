package sign_test

import (
	"bytes"
	"compress/zlib"
	"crypto/rand"
	"crypto/x509"
	"encoding/hex"
	"math/big"
	"testing"
	"time"

	"motcua/agent/sign"
	"motcua/ocr/pdfa"
)

// A file for years: what shows that the certificate was good, and a time stamp over all, stand behind the signature. What was signed is
// there as it was, the lists in the file are heard, and the time stamp proves the time; that something was added is said all the same.
func TestLongTerm(t *testing.T) {
	o, other := newOffice(t), newOffice(t)
	k := o.key(t, same)
	plain := signed(t, &sign.Signer{Key: k, Now: time.Now}, scan(t, pdfa.A2b, 595, 842))
	revoked := func(by *office, entries ...x509.RevocationListEntry) []byte {
		issuer := *by.root
		issuer.KeyUsage |= x509.KeyUsageCRLSign
		der, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: time.Now().Add(time.Minute),
			NextUpdate: time.Now().Add(time.Hour), RevokedCertificateEntries: entries}, &issuer, by.rootKey)
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	with := func(file, list []byte, pack bool) []byte {
		if !pack {
			return behind(file, "", list)
		}
		var b bytes.Buffer
		w := zlib.NewWriter(&b)
		_, _ = w.Write(list)
		_ = w.Close()
		return behind(file, "/Filter /FlateDecode ", b.Bytes())
	}
	stamped := func(file []byte, by *office) []byte {
		out, begin, covered := placedOn(file, "/Type /DocTimeStamp /SubFilter /ETSI.RFC3161 /Contents CONTENTS /ByteRange RANGE")
		token, err := (&sign.TSA{URL: by.authority(t).URL}).Stamp(t.Context(), covered)
		if err != nil {
			t.Fatal(err)
		}
		hex.Encode(out[begin+1:], token)
		return out
	}
	changed := bytes.Replace(plain, []byte("MediaBox"), []byte("MediaBux"), 1)
	years := func() time.Time { return time.Now().Add(3 * 365 * 24 * time.Hour) }
	withdrawn := x509.RevocationListEntry{SerialNumber: k.cert.SerialNumber, RevocationTime: time.Now().Add(-time.Hour)}
	for name, c := range map[string]struct {
		file   []byte
		now    func() time.Time
		why    sign.Blame // of the signature
		proved bool
		asked  bool
		part   bool
	}{
		"nothing_added":            {plain, nil, "", false, false, false},
		"a_list":                   {with(plain, revoked(o), false), nil, sign.Added, false, true, true},
		"a_packed_list":            {with(plain, revoked(o), true), nil, sign.Added, false, true, true},
		"a_stranger's_list":        {with(plain, revoked(other), false), nil, sign.Added, false, false, true},
		"a_list_that_has_it":       {with(plain, revoked(o, withdrawn), true), nil, sign.Withdrawn, false, true, false},
		"list_and_time":            {stamped(with(plain, revoked(o), false), o), nil, sign.Added, true, true, true},
		"years_later":              {stamped(with(plain, revoked(o), false), o), years, sign.Added, true, true, true},
		"years_later,_no_time":     {with(plain, revoked(o), false), years, sign.Added, false, true, false},
		"years_later,_a_stranger":  {stamped(with(plain, revoked(o), false), other), years, sign.Added, false, true, false},
		"changed_before_the_stamp": {stamped(changed, o), nil, sign.Changed, false, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			trust := o.roots()
			trust.Now = c.now
			vs, err := sign.Verify(c.file, trust)
			if err != nil || len(vs) == 0 || vs[0].Why != c.why || vs[0].Proved != c.proved || vs[0].Asked != c.asked {
				t.Errorf("%+v %v, want %q", vs, err, c.why)
			}
			if sign.Sound(vs) != (c.why == "") {
				t.Error("a file to which something was added is good, or one that is whole is not")
			}
			part, found := sign.SignedPart(c.file, trust)
			if (part != nil) != c.part || c.part && (!bytes.Equal(part, plain) || !sign.Sound(found)) {
				t.Errorf("the signed part: %d bytes of %d, %+v", len(part), len(plain), found)
			}
		})
	}
}
