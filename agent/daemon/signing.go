package daemon

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"motcua/agent/config"
	"motcua/agent/doctor"
	"motcua/agent/sign"
	"motcua/agent/web/screen"
)

// OpenSigner opens a token with its PIN for as many signatures as are wanted; done ends the session. The mark's organisation
// is the office's.
type OpenSigner func(ctx context.Context, pin string, mark sign.Mark) (s *sign.Signer, done func(), err error)

// Signing opens the configured token in this machine: for commands, for the desk and at the kiosk's screen.
func Signing(cfg config.Config) OpenSigner {
	return func(ctx context.Context, pin string, mark sign.Mark) (*sign.Signer, func(), error) {
		token, err := sign.Open(ctx, sign.TokenConfig{Module: cfg.Sign.Module, Slot: cfg.Sign.Slot, Certificate: cfg.Sign.Certificate}, pin)
		if err != nil {
			return nil, nil, err
		}
		mark.Organisation = cfg.Sign.Organisation
		s := &sign.Signer{Key: token, Now: time.Now, Mark: mark}
		if cfg.Sign.TSA != "" {
			s.TSA = &sign.TSA{URL: cfg.Sign.TSA}
		}
		if err := s.Check(); err != nil { // before anything is made
			token.Close()
			return nil, nil, err
		}
		return s, token.Close, nil
	}
}

// registerFile holds the numbers of certified copies, in the data folder. It names no person.
const registerFile = "certified.jsonl"

// Register opens the register of certifications of a kiosk.
func Register(cfg config.Config) (*sign.Register, error) {
	return sign.OpenRegister(filepath.Join(cfg.Data, registerFile), cfg.Sign.Book, cfg.Kiosk.ID)
}

// openSigning gives what officers sign with at the screen; nil where the configuration lets nobody.
func openSigning(cfg config.Config, demo *demo) (*screen.Signing, error) {
	if !cfg.Sign.Kiosk && demo == nil {
		return nil, nil
	}
	register, err := Register(cfg)
	if err != nil {
		return nil, err
	}
	s := &screen.Signing{Open: Signing(cfg), Register: register}
	if demo != nil && !cfg.Sign.Kiosk {
		s.Open = demo.sign
	}
	return s, nil
}

// checkSigning looks at what can be seen without a PIN: a token itself is opened when somebody signs.
func checkSigning(cfg config.Config) []doctor.Finding {
	var findings []doctor.Finding
	switch _, err := os.Stat(cfg.Sign.Module); {
	case cfg.Sign.Module == "":
		findings = append(findings, doctor.Good("nothing is signed at this machine"))
	case err != nil:
		findings = append(findings, doctor.Bad("the library of the signing token is not there: "+cfg.Sign.Module,
			"install what the token's maker ships, or correct sign.module"))
	default:
		findings = append(findings, doctor.Good("the library of the signing token is there"))
	}
	roots, err := Trust(cfg.Sign.Trust)
	switch {
	case err != nil:
		findings = append(findings, doctor.Bad("the authorities of signatures can't be read: "+err.Error(),
			"put their certificates (PEM, *.pem or *.crt) into the folder of sign.trust"))
	case roots == nil && cfg.Sign.Module != "":
		findings = append(findings, doctor.Doubt("no authority of signatures is known: nobody can say of a signed copy that it is good",
			"put the authorities' certificates into a folder and name it in sign.trust"))
	}
	return findings
}

// Trust reads the authorities of a folder, each file *.pem or *.crt, and their lists of withdrawn certificates, *.crl; nil where no folder
// is named.
func Trust(folder string) (*sign.Trust, error) {
	if folder == "" {
		return nil, nil
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, fmt.Errorf("read trusted authorities: %w", err)
	}
	trust, n := &sign.Trust{Roots: x509.NewCertPool()}, 0
	for _, e := range entries {
		ext := filepath.Ext(e.Name())
		if ext != ".pem" && ext != ".crt" && ext != ".crl" {
			continue
		}
		data, err := os.ReadFile(filepath.Join(folder, e.Name()))
		if err != nil {
			return nil, fmt.Errorf("read trusted authorities: %w", err)
		}
		if ext == ".crl" {
			if block, _ := pem.Decode(data); block != nil {
				data = block.Bytes
			}
			list, err := x509.ParseRevocationList(data)
			if err != nil {
				return nil, fmt.Errorf("read the list of withdrawn certificates %s: %w", e.Name(), err)
			}
			trust.Lists = append(trust.Lists, list)
		} else if trust.Roots.AppendCertsFromPEM(data) {
			n++
		}
	}
	if n == 0 {
		return nil, errors.New(folder + " holds no certificate (PEM, *.pem or *.crt)")
	}
	return trust, nil
}
