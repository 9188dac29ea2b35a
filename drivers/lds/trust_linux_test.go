package lds_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"motcua/drivers/lds"
	"motcua/drivers/lds/chip"
	"motcua/drivers/lds/internal/tlv"
)

func read(t *testing.T, i issued, files chip.Files, o lds.Options) lds.Card {
	t.Helper()
	if o.Now.IsZero() {
		o.Now = today
	}
	card, err := lds.Read(t.Context(), direct{chip.New(files, i.options())}, lds.Access{CAN: i.can}, o)
	if err != nil {
		t.Fatal(err)
	}
	return card
}

func TestTrust(t *testing.T) {
	i := issue(t, invented())
	other := issue(t, invented())
	forged := invented()
	forged.Name = "Lê Văn Giả"
	sod := bytes.Clone(i.files[0x1d])
	sod[len(sod)-1] ^= 1 // the signature's last byte
	hashes := bytes.Clone(i.files[0x1d])
	object, err := chip.SecurityObject(i.files)
	if err != nil {
		t.Fatal(err)
	}
	hashes[bytes.Index(hashes, object)+len(object)-1] ^= 1 // DG13's hash
	// A clever forger signs himself and calls himself as the state does.
	state, err := chip.NewState(today)
	if err != nil {
		t.Fatal(err)
	}
	foreign, err := chip.NewStateOf("LA", today)
	if err != nil {
		t.Fatal(err)
	}
	abroad := forged.Groups()
	if err := foreign.Sign(abroad); err != nil {
		t.Fatal(err)
	}
	neighbour, err := lds.ParseCertificates(foreign.CSCA())
	if err != nil {
		t.Fatal(err)
	}
	self := forged.Groups()
	if err := state.Sign(self); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name  string
		files chip.Files
		o     lds.Options
		want  lds.Trust
		why   string
	}{
		{"as issued", i.files, lds.Options{Trusted: i.trusted}, lds.Verified, ""},
		{"as issued, several CSCAs trusted", i.files, lds.Options{Trusted: append(other.trusted, i.trusted...)}, lds.Verified, ""},
		{"as issued, no CSCA configured", i.files, lds.Options{}, lds.UnknownSigner, "no CSCA certificate is configured"},
		{"of another state of the same name", self, lds.Options{Trusted: i.trusted}, lds.UnknownSigner, "not issued by a configured CSCA"},
		{"signed by another country on the list", abroad, lds.Options{Trusted: append(neighbour, i.trusted...)}, lds.UnknownSigner,
			"not issued by a configured CSCA"},
		{"signed by the one country on the list", abroad, lds.Options{Trusted: neighbour}, lds.UnknownSigner,
			"of the state that issued it (VNM)"},
		{"years later", i.files, lds.Options{Trusted: i.trusted, Now: today.AddDate(6, 0, 0)}, lds.Expired, "not valid on this day"},
		{"name exchanged", with(i.files, 13, forged.Groups()[13]), lds.Options{Trusted: i.trusted}, lds.Forged, "DG13 is not as it was signed"},
		{"face exchanged", with(i.files, 2, append(bytes.Clone(i.files[2][:len(i.files[2])-1]), 0)), lds.Options{Trusted: i.trusted}, lds.Forged,
			"DG2 is not as it was signed"},
		{"signature altered", with(i.files, 0x1d, sod), lds.Options{Trusted: i.trusted}, lds.Forged, "signature"},
		{"hash altered to fit", with(i.files, 0x1d, hashes), lds.Options{Trusted: i.trusted}, lds.Forged, "DG13"},
		{"no security object", without(i.files, 0x1d), lds.Options{Trusted: i.trusted}, lds.Unsigned, "no EF.SOD"},
		{"rubbish for a security object", with(i.files, 0x1d, []byte{0x77, 2, 0x30, 0}), lds.Options{Trusted: i.trusted}, lds.Forged, "EF.SOD"},
		{"the security object of another card", with(i.files, 0x1d, other.files[0x1d]), lds.Options{Trusted: append(other.trusted, i.trusted...)},
			lds.Verified, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			card := read(t, i, tc.files, tc.o)
			if card.Authentic.Trust != tc.want || !strings.Contains(card.Authentic.Reason, tc.why) {
				t.Errorf("%+v, want %s because %q", card.Authentic, tc.want, tc.why)
			}
		})
	}
}

// TestTrustMadeByOpenSSL checks security objects and certificates that another implementation made, with
// the algorithms and encodings states use and crypto/x509 refuses in part.
func TestTrustMadeByOpenSSL(t *testing.T) {
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Fatal("openssl makes the certificates of this test (apt-get install openssl)")
	}
	for _, tc := range []struct {
		name string
		key  []string // openssl genpkey …
		cms  []string
		dgst string
	}{
		{"RSA PKCS#1", []string{"-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"}, nil, "sha256"},
		{"RSA PSS", []string{"-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"}, []string{"-keyopt", "rsa_padding_mode:pss"}, "sha256"},
		{"P-256", []string{"-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"}, nil, "sha256"},
		{"P-521 SHA-512", []string{"-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521"}, nil, "sha512"},
		{"brainpoolP256r1", []string{"-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:brainpoolP256r1"}, nil, "sha256"},
		{"brainpoolP384r1 spelled out", []string{"-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:brainpoolP384r1", "-pkeyopt",
			"ec_param_enc:explicit"}, nil, "sha384"},
		{"P-384 by key identifier", []string{"-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"}, []string{"-keyid"}, "sha384"},
		{"SHA-1", []string{"-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"}, nil, "sha1"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := t.TempDir()
			run := func(args ...string) {
				t.Helper()
				cmd := exec.Command("openssl", args...)
				cmd.Dir = dir
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Fatalf("openssl %v: %v\n%s", args, err, out)
				}
			}
			i := issue(t, invented())
			object, err := chip.SecurityObject(i.files)
			if err != nil {
				t.Fatal(err)
			}
			write := func(name, text string) {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			write("object", string(object))
			write("ds.ext", "keyUsage=critical,digitalSignature\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n")
			run(append([]string{"genpkey", "-out", "ca.key"}, tc.key...)...)
			run(append([]string{"genpkey", "-out", "ds.key"}, tc.key...)...)
			run("req", "-x509", "-new", "-key", "ca.key", "-"+tc.dgst, "-subj", "/C=VN/CN=Invented CSCA", "-days", "3650", "-out", "ca.pem",
				"-addext", "keyUsage=critical,keyCertSign")
			run("req", "-new", "-key", "ds.key", "-"+tc.dgst, "-subj", "/C=VN/CN=Invented DS", "-out", "ds.csr")
			run("x509", "-req", "-in", "ds.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-"+tc.dgst, "-days", "3650", "-set_serial", "77", "-extfile",
				"ds.ext", "-out", "ds.pem")
			run(append([]string{"cms", "-sign", "-in", "object", "-binary", "-nodetach", "-outform", "DER", "-out", "sod", "-signer", "ds.pem",
				"-inkey", "ds.key",
				"-md", tc.dgst, "-econtent_type", "2.23.136.1.1.1", "-nosmimecap"}, tc.cms...)...)
			pem, err := os.ReadFile(filepath.Join(dir, "ca.pem"))
			if err != nil {
				t.Fatal(err)
			}
			trusted, err := lds.ParseCertificates(pem)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(trusted[0].Subject(), "Invented CSCA") {
				t.Errorf("subject %q", trusted[0].Subject())
			}
			sod, err := os.ReadFile(filepath.Join(dir, "sod"))
			if err != nil {
				t.Fatal(err)
			}
			now := lds.Options{Trusted: trusted, Now: time.Now()}
			card := read(t, i, with(i.files, 0x1d, tlv.Append(nil, 0x77, sod)), now)
			if card.Authentic.Trust != lds.Verified {
				t.Errorf("%+v", card.Authentic)
			}
			bad := bytes.Clone(sod)
			bad[bytes.Index(bad, object)+5] ^= 1
			if card := read(t, i, with(i.files, 0x1d, tlv.Append(nil, 0x77, bad)), now); card.Authentic.Trust != lds.Forged {
				t.Errorf("altered: %+v", card.Authentic)
			}
		})
	}
}

func TestParseCertificates(t *testing.T) {
	if _, err := lds.ParseCertificates([]byte("no certificate")); err == nil {
		t.Error("took what is none")
	}
	state, err := chip.NewState(today)
	if err != nil {
		t.Fatal(err)
	}
	both := append(state.CSCA(), state.CSCA()...)
	if all, err := lds.ParseCertificates(both); err != nil || len(all) != 2 {
		t.Errorf("%d certificates, %v", len(all), err)
	}
}
