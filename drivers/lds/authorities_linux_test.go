package lds_test

import (
	"bytes"
	"encoding/base64"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"motcua/drivers/lds"
	"motcua/drivers/lds/chip"
	"motcua/drivers/lds/internal/tlv"
)

// handedOut makes a master list as states publish it, signed by OpenSSL, of the certificates given and a broken one.
func handedOut(t *testing.T, certs ...[]byte) (list []byte, signer []byte) {
	t.Helper()
	dir := t.TempDir()
	set := tlv.Append(nil, 0x31, bytes.Join(certs, nil))
	content := tlv.Append(nil, 0x30, []byte{0x02, 0x01, 0x00}, set)
	if err := os.WriteFile(filepath.Join(dir, "content"), content, 0o600); err != nil {
		t.Fatal(err)
	}
	run := func(args ...string) {
		t.Helper()
		cmd := exec.Command("openssl", args...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("openssl %v: %v\n%s", args, err, out)
		}
	}
	run("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "key", "-out", "signer.pem", "-subj", "/C=ZZ/CN=Invented list signer",
		"-days", "30")
	run("cms", "-sign", "-in", "content", "-binary", "-nodetach", "-outform", "DER", "-out", "list.ml", "-signer", "signer.pem", "-inkey",
		"key", "-md", "sha256",
		"-econtent_type", "2.23.136.1.1.2", "-nosmimecap")
	read := func(name string) []byte {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	return read("list.ml"), read("signer.pem")
}

func der(t *testing.T, file []byte) []byte {
	t.Helper()
	b, _ := pem.Decode(file)
	if b == nil {
		t.Fatal("no PEM")
	}
	return b.Bytes
}

func TestParseAuthorities(t *testing.T) {
	state, err := chip.NewState(today)
	if err != nil {
		t.Fatal(err)
	}
	i := issue(t, invented())
	if err := state.Sign(i.files); err != nil {
		t.Fatal(err)
	}
	csca := der(t, state.CSCA())
	// A certificate on a curve that nobody knows.
	broken := bytes.Clone(csca)
	at := bytes.Index(broken, []byte{0x2b, 0x81, 0x04, 0x00, 0x22}) // P-384
	if at < 0 {
		t.Fatal("the curve is not where it was")
	}
	broken[at+4] = 0x7f
	list, signerPEM := handedOut(t, broken, csca)
	pinned, err := lds.ParseCertificates(signerPEM)
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := lds.ParseCertificates(i.csca)
	if err != nil {
		t.Fatal(err)
	}
	altered := bytes.Clone(list)
	altered[bytes.Index(altered, csca)+40] ^= 1
	fold := func(b []byte) string {
		text := base64.StdEncoding.EncodeToString(b)
		var out strings.Builder
		for n := 0; n < len(text); n += 70 {
			out.WriteString(text[n:min(n+70, len(text))] + "\n ")
		}
		return strings.TrimSuffix(out.String(), " ")
	}
	ldif := "version: 1\n\ndn: c=VN,dc=data,dc=download,dc=pkd,dc=icao,dc=int\nobjectClass: top\nuserCertificate;binary:: " + fold(csca) +
		"\ndn: c=ZZ\ncACertificate;binary:: " + fold(broken) + "\n"
	lists := "dn: cn=list,c=ZZ\npkdMasterListContent:: " + fold(list) + "\n"
	for name, c := range map[string]struct {
		file   []byte
		pinned []*lds.Certificate
		left   int
		ok     bool
	}{
		"PEM":             {state.CSCA(), nil, 0, true},
		"DER, one broken": {append(bytes.Clone(broken), csca...), nil, 1, true},
		"PEM, one broken": {append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: broken}), state.CSCA()...), nil, 1,
			true},
		"master list":                  {list, pinned, 1, true},
		"master list, nobody pinned":   {list, nil, 0, false},
		"master list of a stranger":    {list, stranger, 0, false},
		"master list that was altered": {altered, pinned, 0, false},
		"LDIF":                         {[]byte(ldif), nil, 1, true},
		"LDIF with Windows lines":      {[]byte(strings.ReplaceAll(ldif, "\n", "\r\n")), nil, 1, true},
		"LDIF of master lists":         {[]byte(lists), pinned, 1, true},
		"broken ones only":             {broken, nil, 0, false},
		"a text":                       {[]byte("no certificate"), nil, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			all, left, err := lds.ParseAuthorities(c.file, c.pinned)
			if (err == nil) != c.ok || len(left) != c.left {
				t.Fatalf("%d certificates, left out %v, %v", len(all), left, err)
			}
			if !c.ok {
				return
			}
			for _, e := range left {
				if !strings.Contains(e.Error(), "Invented CSCA") {
					t.Errorf("the one that was left out has no name: %v", e)
				}
			}
			if card := read(t, i, i.files, lds.Options{Trusted: all}); card.Authentic.Trust != lds.Verified {
				t.Errorf("%+v", card.Authentic)
			}
		})
	}
}
