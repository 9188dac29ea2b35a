package line

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"time"
)

// Certificate is one that a connection depends on.
type Certificate struct {
	What string // whose it is, as a person says it
	File string
	Ends time.Time
	Err  error // it can't be read
}

// Certificates lists this kiosk's certificate and, of the authorities in CAFile, the one that ends last: as long as one is
// good the hub can have a certificate that is trusted.
func (t TLS) Certificates() []Certificate {
	var all []Certificate
	look := func(what, file string, pick func([]*x509.Certificate) time.Time) {
		if file == "" {
			return
		}
		c := Certificate{What: what, File: file}
		chain, err := readPEM(file)
		if err != nil {
			c.Err = fmt.Errorf("read %s: %w", what, err)
		} else {
			c.Ends = pick(chain)
		}
		all = append(all, c)
	}
	look("this kiosk's certificate", t.CertFile, func(chain []*x509.Certificate) time.Time {
		ends := chain[0].NotAfter // and of what comes with it, whichever ends first
		for _, c := range chain {
			if c.NotAfter.Before(ends) {
				ends = c.NotAfter
			}
		}
		return ends
	})
	look("the hub's authority", t.CAFile, func(trusted []*x509.Certificate) time.Time {
		var ends time.Time
		for _, c := range trusted {
			if c.NotAfter.After(ends) {
				ends = c.NotAfter
			}
		}
		return ends
	})
	return all
}

func readPEM(file string) ([]*x509.Certificate, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var all []*x509.Certificate
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			continue
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		all = append(all, c)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%s holds no PEM certificate", file)
	}
	return all, nil
}
