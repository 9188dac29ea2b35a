package sign_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"encoding/hex"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/smallstep/pkcs7"

	"motcua/agent/sign"
	"motcua/ocr/pdfa"
)

// soft is a key in memory.
type soft struct {
	key   crypto.Signer
	cert  *x509.Certificate
	chain []*x509.Certificate
}

func (s soft) Certificate() *x509.Certificate { return s.cert }
func (s soft) Chain() []*x509.Certificate     { return s.chain }
func (s soft) Sign(digest []byte, hash crypto.Hash) ([]byte, error) {
	return s.key.Sign(rand.Reader, digest, hash)
}

// key is a soft key with a certificate of the office's authority.
func (o *office) key(t testing.TB, change func(*x509.Certificate)) soft {
	t.Helper()
	k := keyEC(t)
	return soft{k, o.issue(t, o.root, k.Public(), change), []*x509.Certificate{o.root}}
}

// placed is a file with a signature's dictionary of these entries, in which CONTENTS is room for the signature and RANGE what it covers;
// and what is to be signed of it.
func placed(t testing.TB, entries string) (file []byte, begin int, covered []byte) {
	t.Helper()
	return placedOn(scan(t, pdfa.A2b, 595, 842), entries)
}

func placedOn(base []byte, entries string) (file []byte, begin int, covered []byte) {
	const room, covers = 16000, "[0 000000 000000 000000]"
	place := "<" + strings.Repeat("0", room) + ">"
	form := string(base) + "9 0 obj\n<< " + entries + " >>\nendobj\n%%EOF\n"
	form = strings.NewReplacer("CONTENTS", place, "RANGE", covers).Replace(form)
	begin = strings.LastIndex(form, place)
	end := begin + len(place)
	file = []byte(strings.Replace(form, covers, fmt.Sprintf("[0 %06d %06d %06d]", begin, end, len(form)-end), 1))
	return file, begin, append(bytes.Clone(file[:begin]), file[end:]...)
}

// foreign signs a file as other programs do: entries of the dictionary in an order of their own, PKCS #7 without the attributes of PAdES.
func foreign(t testing.TB, k soft, entries string, digest asn1.ObjectIdentifier, attributes ...pkcs7.Attribute) []byte {
	t.Helper()
	out, begin, covered := placed(t, entries)
	sd, err := pkcs7.NewSignedData(covered)
	if err != nil {
		t.Fatal(err)
	}
	sd.SetDigestAlgorithm(digest)
	if err := sd.AddSigner(k.cert, k.key, pkcs7.SignerInfoConfig{ExtraSignedAttributes: attributes}); err != nil {
		t.Fatal(err)
	}
	sd.Detach()
	der, err := sd.Finish()
	if err != nil {
		t.Fatal(err)
	}
	hex.Encode(out[begin+1:], der)
	return out
}

// What other programs signed is read: their dictionaries have another order, and theirs is another kind of signature.
func TestOtherProgramsSignatures(t *testing.T) {
	o := newOffice(t)
	k := o.key(t, same)
	for name, entries := range map[string]string{
		"contents_first": "/Contents CONTENTS /ByteRange RANGE /SubFilter /adbe.pkcs7.detached /M (D:20990101)",
		"range_first":    "/ByteRange RANGE /SubFilter /adbe.pkcs7.detached /Contents CONTENTS",
		"far_apart":      "/Contents CONTENTS /Reason (" + strings.Repeat("x", 3000) + ") /SubFilter /adbe.pkcs7.detached /ByteRange RANGE",
	} {
		t.Run(name, func(t *testing.T) {
			if name == "contents_first" {
				entries = strings.Replace(entries, "20990101", time.Now().UTC().Format("20060102150405")+"Z", 1)
			}
			vs, err := sign.Verify(foreign(t, k, entries, pkcs7.OIDDigestAlgorithmSHA256), o.roots())
			if err != nil || len(vs) != 1 || !vs[0].Good() || vs[0].Level != "" || vs[0].Claimed.IsZero() {
				t.Errorf("%+v %v", vs, err)
			}
		})
	}
}

// Each way to pass off another file, another signer or another time is told for what it is.
func TestForgersAttempts(t *testing.T) {
	o := newOffice(t)
	k := o.key(t, same)
	whole := scan(t, pdfa.A2b, 595, 842)
	good := signed(t, &sign.Signer{Key: k, Now: time.Now, Mark: mark}, whole)
	year := 365 * 24 * time.Hour
	dated := func(from, to time.Duration, at time.Duration) []byte {
		k := o.key(t, func(c *x509.Certificate) { c.NotBefore, c.NotAfter = time.Now().Add(from), time.Now().Add(to) })
		inside := time.Now().Add((from + to) / 2) // its own program refuses to sign at any other time
		out := foreignAt(t, k, time.Now().Add(at), inside)
		return out
	}
	used := func(uses ...x509.ExtKeyUsage) []byte {
		k := o.key(t, func(c *x509.Certificate) { c.ExtKeyUsage = uses })
		return signed(t, &sign.Signer{Key: k, Now: time.Now}, whole)
	}
	update := func(data []byte, body string) []byte { // a page's content put in the place of another, as a reader takes it
		return append(bytes.Clone(data), "\n13 0 obj\n<< /Length 3 >>\nstream\n"+body+"\nendstream\nendobj\nxref\n13 1\n0000000000 00000 n \n"+
			"trailer\n<< /Size 40 /Root 1 0 R /Prev 9 >>\nstartxref\n9\n%%EOF\n"...)
	}
	short, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	weakKey := soft{short, o.issue(t, o.root, short.Public(), same), nil}
	const plain = "/Contents CONTENTS /SubFilter /adbe.pkcs7.detached /ByteRange RANGE"
	for name, c := range map[string]struct {
		file []byte
		why  sign.Blame
	}{
		"nothing":                   {good, ""},
		"content_replaced":          {update(good, "q Q"), sign.Added},
		"hidden_content_shown":      {append(bytes.Clone(good), "\nxref\n0 0\ntrailer\n<< /Root 2 0 R >>\nstartxref\n9\n%%EOF\n"...), sign.Added},
		"range_of_one_part":         {ranged(t, good, "[0 100]"), sign.Uncovered},
		"range_of_three":            {ranged(t, good, "[0 10 20 10 40 10]"), sign.Uncovered},
		"range_elsewhere":           {ranged(t, good, "12 0 R"), sign.Uncovered},
		"range_from_4":              {ranged(t, good, "[4 100 300 10]"), sign.Uncovered},
		"range_with_a_hole":         {ranged(t, good, "[0 100 300 10]"), sign.Uncovered},
		"range_negative":            {ranged(t, good, "[0 100 -300 10]"), sign.Uncovered},
		"another_range_in_comment":  {append([]byte("%PDF-1.7 %/ByteRange[0 1 2]\n"), good...), sign.Uncovered},
		"not_yet_valid":             {dated(24*time.Hour, year, 0), sign.OutOfTime},
		"ended_when_signed":         {dated(-year, -24*time.Hour, 0), sign.OutOfTime},
		"ended_since":               {dated(-year, -24*time.Hour, -48*time.Hour), sign.EndedSince},
		"of_tomorrow":               {dated(-year, year, 24*time.Hour), sign.Ahead},
		"by_a_web_server":           {used(x509.ExtKeyUsageServerAuth), sign.NotForFiles},
		"by_a_time_stamp_authority": {used(x509.ExtKeyUsageTimeStamping), sign.NotForFiles},
		"by_a_person":               {used(x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageEmailProtection), ""},
		"by_sha1":                   {foreign(t, k, plain, pkcs7.OIDDigestAlgorithmSHA1), sign.Weak},
		"by_a_short_key":            {foreign(t, weakKey, plain, pkcs7.OIDDigestAlgorithmSHA256), sign.Weak},
		"by_an_unknown_authority":   {signed(t, &sign.Signer{Key: newOffice(t).key(t, same), Now: time.Now}, whole), sign.NotTrusted},
	} {
		t.Run(name, func(t *testing.T) {
			vs, err := sign.Verify(c.file, o.roots())
			if err != nil || len(vs) == 0 || vs[0].Why != c.why || sign.Sound(vs) != (c.why == "") {
				t.Errorf("%+v %v, want %q", vs, err, c.why)
			}
		})
	}
	// Who has no key can still write a time outside the certificate's: that excuses no signature.
	t.Run("nobody_signed_out_of_time", func(t *testing.T) {
		forged := broken(t, dated(-year, -24*time.Hour, 0))
		vs, err := sign.Verify(forged, o.roots())
		if err != nil || len(vs) != 1 || vs[0].Intact || vs[0].Why != sign.Changed {
			t.Errorf("%+v %v", vs, err)
		}
		vs, err = sign.Verify(signed(t, &sign.Signer{Key: k, Now: time.Now}, forged), o.roots())
		if err != nil || len(vs) != 2 || sign.Sound(vs) {
			t.Errorf("accepted with a good signature behind it: %+v %v", vs, err)
		}
	})
	t.Run("somebody_else_signs_what_he_changed", func(t *testing.T) {
		other := o.key(t, func(c *x509.Certificate) { c.Subject.CommonName = "Người khác" })
		twice := signed(t, &sign.Signer{Key: other, Now: time.Now}, good)
		vs, err := sign.Verify(twice, o.roots())
		if err != nil || len(vs) != 2 || vs[0].Why != sign.Added || vs[0].Good() || vs[1].Signer != "Người khác" {
			t.Errorf("%+v %v", vs, err)
		}
	})
}

// broken changes a bit of the signature proper, as who has no key would write any.
func broken(t testing.TB, data []byte) []byte {
	t.Helper()
	at := bytes.Index(data, []byte("/Contents <")) + len("/Contents <")
	der := make([]byte, bytes.IndexByte(data[at:], '>')/2)
	if _, err := hex.Decode(der, data[at:at+2*len(der)]); err != nil {
		t.Fatal(err)
	}
	var outer asn1.RawValue
	if _, err := asn1.Unmarshal(der, &outer); err != nil {
		t.Fatal(err)
	}
	p, err := pkcs7.Parse(outer.FullBytes)
	if err != nil {
		t.Fatal(err)
	}
	value := p.Signers[0].EncryptedDigest
	der[bytes.LastIndex(der, value)+len(value)-1] ^= 1
	out := bytes.Clone(data)
	hex.Encode(out[at:], der)
	return out
}

// foreignAt signs as of a time, by a certificate that may not be valid then.
func foreignAt(t testing.TB, k soft, says, inside time.Time) []byte {
	t.Helper()
	s := &sign.Signer{Key: k, Now: func() time.Time { return inside }}
	calls := 0
	s.Now = func() time.Time { // asked by Check, then for the dictionary, then by Check again
		if calls++; calls == 2 {
			return says
		}
		return inside
	}
	return signed(t, s, scan(t, pdfa.A2b, 595, 842))
}

// ranged puts another byte range in the place of the file's own.
func ranged(t testing.TB, data []byte, to string) []byte {
	t.Helper()
	at := bytes.Index(data, []byte("/ByteRange [")) + len("/ByteRange ")
	end := at + bytes.IndexByte(data[at:], ']') + 1
	return bytes.Replace(data, data[at:end], []byte(to+strings.Repeat(" ", max(0, end-at-len(to)))), 1)
}

// A certificate that was withdrawn is told by its authority's own list; what a trusted time stamp shows to be older counts on.
func TestWithdrawn(t *testing.T) {
	o, other := newOffice(t), newOffice(t)
	k := o.key(t, same)
	list := func(by *office, since time.Duration, reason int) []*x509.RevocationList {
		issuer := *by.root
		issuer.KeyUsage |= x509.KeyUsageCRLSign
		der, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: time.Now(),
			NextUpdate: time.Now().Add(time.Hour), RevokedCertificateEntries: []x509.RevocationListEntry{{SerialNumber: k.cert.SerialNumber,
				RevocationTime: time.Now().Add(since), ReasonCode: reason}}}, &issuer, by.rootKey)
		if err != nil {
			t.Fatal(err)
		}
		l, err := x509.ParseRevocationList(der)
		if err != nil {
			t.Fatal(err)
		}
		return []*x509.RevocationList{l}
	}
	old := func(lists []*x509.RevocationList) []*x509.RevocationList { // another should have followed
		lists[0].NextUpdate = time.Now().Add(-time.Minute)
		return lists
	}
	server, unknown := o.authority(t), other.authority(t)
	plain := signed(t, &sign.Signer{Key: k, Now: time.Now}, scan(t, pdfa.A2b, 595, 842))
	stamped := signed(t, &sign.Signer{Key: k, Now: time.Now, TSA: &sign.TSA{URL: server.URL}}, scan(t, pdfa.A2b, 595, 842))
	byStranger := signed(t, &sign.Signer{Key: k, Now: time.Now, TSA: &sign.TSA{URL: unknown.URL}}, scan(t, pdfa.A2b, 595, 842))
	const before, after = -time.Hour, time.Hour
	years := func() time.Time { return time.Now().Add(3 * 365 * 24 * time.Hour) }
	for name, c := range map[string]struct {
		file  []byte
		lists []*x509.RevocationList
		now   func() time.Time
		why   sign.Blame
		asked bool
	}{
		"no_list":                     {plain, nil, nil, "", false},
		"before":                      {plain, list(o, before, 4), nil, sign.Withdrawn, true},
		"before_though_stamped":       {stamped, list(o, before, 4), nil, sign.Withdrawn, true},
		"after_without_a_stamp":       {plain, list(o, after, 4), nil, sign.Withdrawn, true},
		"after_with_a_stamp":          {stamped, list(o, after, 4), nil, "", true},
		"after_a_stranger's_stamp":    {byStranger, list(o, after, 4), nil, sign.Withdrawn, true},
		"stolen_after_a_stamp":        {stamped, list(o, after, 1), nil, sign.Withdrawn, true},
		"list_of_another_authority":   {plain, list(other, before, 4), nil, "", false},
		"by_a_list_of_yesterday":      {plain, old(list(o, before, 4)), nil, sign.Withdrawn, false},
		"not_by_a_list_of_yesterday":  {stamped, old(list(o, after, 4)), nil, "", false},
		"years_later":                 {plain, nil, years, sign.EndedSince, false},
		"years_later_stamped":         {stamped, nil, years, "", false},
		"years_later_strangers_stamp": {byStranger, nil, years, sign.EndedSince, false},
	} {
		t.Run(name, func(t *testing.T) {
			trust := o.roots()
			trust.Lists, trust.Now = c.lists, c.now
			vs, err := sign.Verify(c.file, trust)
			if err != nil || len(vs) != 1 || vs[0].Why != c.why || vs[0].Good() != (c.why == "") || vs[0].Asked != c.asked {
				t.Errorf("%+v %v, want %q", vs, err, c.why)
			}
		})
	}
	t.Run("a_stamp_over_the_file_is_nobody's_signature", func(t *testing.T) {
		out, begin, covered := placed(t, "/Type /DocTimeStamp /SubFilter /ETSI.RFC3161 /Contents CONTENTS /ByteRange RANGE")
		token, err := (&sign.TSA{URL: server.URL}).Stamp(t.Context(), covered)
		if err != nil {
			t.Fatal(err)
		}
		hex.Encode(out[begin+1:], token)
		for _, c := range []struct {
			file []byte
			why  sign.Blame
		}{{out, sign.OnlyTime}, {bytes.Replace(out, []byte("MediaBox"), []byte("MediaBux"), 1), sign.OddTimeStamp}} {
			vs, err := sign.Verify(c.file, o.roots())
			if err != nil || len(vs) != 1 || vs[0].Why != c.why || sign.Sound(vs) || vs[0].Proved != (c.why == sign.OnlyTime) {
				t.Errorf("%+v %v", vs, err)
			}
		}
	})
}
