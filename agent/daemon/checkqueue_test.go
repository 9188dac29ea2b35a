package daemon

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"

	"motcua/agent/config"
	"motcua/agent/doctor"
)

// TestCertificatesThatEnd: a month before the end somebody should look, a week before it is urgent.
func TestCertificatesThatEnd(t *testing.T) {
	now := time.Now()
	file := filepath.Join(t.TempDir(), "kiosk.pem")
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for left, want := range map[time.Duration]doctor.State{
		31 * 24 * time.Hour: doctor.OK,
		29 * 24 * time.Hour: doctor.Look,
		6 * 24 * time.Hour:  doctor.Broken,
		-time.Hour:          doctor.Broken,
	} {
		template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: now.Add(-time.Hour * 24 * 365), NotAfter: now.Add(left)}
		der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
		var cfg config.Config
		cfg.Upload.To = config.ToTus
		cfg.Upload.Tus.CertFile = file
		if got := checkCertificates(cfg, now); len(got) != 1 || got[0].State != want {
			t.Errorf("%v left: %+v", left, got)
		}
	}
}
