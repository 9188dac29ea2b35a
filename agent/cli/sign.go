package cli

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"motcua/agent/config"
	"motcua/agent/sign"
)

// signer opens the configured token with a PIN asked for once, for all files of the command.
func (p *program) signer(cfg config.Config, form, number string) (*sign.Signer, func(), error) {
	if !slices.Contains(sign.Forms, form) {
		return nil, nil, config.Unusable(fmt.Errorf("--form must be one of %s, not %q", strings.Join(sign.Forms, ", "), form))
	}
	s := &sign.Signer{Now: time.Now, Mark: sign.Mark{Form: form, Organisation: cfg.Sign.Organisation, Number: number}}
	if cfg.Sign.TSA != "" {
		s.TSA = &sign.TSA{URL: cfg.Sign.TSA}
	}
	pin := ""
	if cfg.Sign.Module != "" {
		var err error
		if pin, err = p.readSecret("PIN"); err != nil {
			return nil, nil, err
		}
	}
	token, err := sign.Open(sign.TokenConfig{Module: cfg.Sign.Module, Slot: cfg.Sign.Slot, Certificate: cfg.Sign.Certificate}, pin)
	if err != nil {
		return nil, nil, err
	}
	s.Key = token
	if err := s.Check(); err != nil { // before anything is read and made
		token.Close()
		return nil, nil, err
	}
	return s, token.Close, nil
}

type verifyCommand struct {
	Trust string   `type:"path" placeholder:"DIR" help:"Folder of authorities' certificates (default: as configured)."`
	Files []string `arg:"" name:"file" help:"PDFs."`
}

// Run says who signed each file. Exit code 0 only if every file is signed, unchanged since, by a trusted authority's certificate.
func (c *verifyCommand) Run(p *program) error {
	cfg, err := p.configuration()
	if err != nil {
		return err
	}
	folder := c.Trust
	if folder == "" {
		folder = cfg.Sign.Trust
	}
	roots, err := trusted(folder)
	if err != nil {
		return config.Unusable(err)
	}
	good := true
	for _, name := range c.Files {
		data, problem := load(p.in, name, int64(cfg.Reading.MaxBytes))
		if problem != nil {
			return config.Unusable(fmt.Errorf("%s: %s", name, problem.Message))
		}
		if !bytes.HasPrefix(data, []byte("%PDF-")) {
			return config.Unusable(fmt.Errorf("%s: this is no PDF", name))
		}
		found, err := sign.Verify(data, roots)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		good = good && sound(found)
		if err := p.verdict(name, found); err != nil {
			return err
		}
	}
	if !good {
		return told(1)
	}
	return nil
}

// sound says whether a file may be accepted: its last signature covers all of it and is good, and none before it is broken.
func sound(found []sign.Verdict) bool {
	return len(found) > 0 && found[len(found)-1].Good() && !slices.ContainsFunc(found, func(v sign.Verdict) bool { return !v.Intact })
}

func (p *program) verdict(name string, found []sign.Verdict) error {
	if p.json {
		if found == nil {
			found = []sign.Verdict{}
		}
		return p.printJSON(map[string]any{"file": name, "good": sound(found), "signatures": found})
	}
	if len(found) == 0 {
		_, err := fmt.Fprintf(p.out, "%s: chưa ký số / not signed\n", name)
		return err
	}
	word := "KHÔNG hợp lệ / NOT good"
	if sound(found) {
		word = "hợp lệ / good"
	}
	if _, err := fmt.Fprintf(p.out, "%s: %s\n", name, word); err != nil {
		return err
	}
	for i, v := range found {
		if _, err := fmt.Fprint(p.out, describe(i+1, v)); err != nil {
			return err
		}
	}
	return nil
}

const verdictTime = "15:04:05 02/01/2006 -07:00"

func describe(n int, v sign.Verdict) string {
	var b strings.Builder
	fmt.Fprintf(&b, "  %d. người ký / signed by: %s\n", n, v.Signer)
	fmt.Fprintf(&b, "     chứng thư do / certified by: %s\n", v.Issuer)
	switch {
	case !v.Stamped.IsZero():
		fmt.Fprintf(&b, "     lúc / at: %s, dấu thời gian của / time stamp of %s\n", v.Stamped.Local().Format(verdictTime), v.Stamper)
	case !v.Claimed.IsZero():
		fmt.Fprintf(&b, "     lúc / at: %s, theo đồng hồ người ký / by the signer's clock\n", v.Claimed.Format(verdictTime))
	}
	unchanged := "không / no"
	if v.Intact && v.Whole {
		unchanged = "có / yes"
	}
	fmt.Fprintf(&b, "     nguyên vẹn từ khi ký / unchanged since: %s\n", unchanged)
	if v.Intact && v.Before != "" {
		fmt.Fprintf(&b, "     bản trước khi ký / before it was signed: sha256:%s\n", v.Before)
	}
	if v.Problem != "" {
		fmt.Fprintf(&b, "     lưu ý / note: %s\n", v.Problem)
	}
	return b.String()
}

// trusted loads the authorities of a folder; none where there is no folder.
func trusted(folder string) (*x509.CertPool, error) {
	if folder == "" {
		return nil, nil
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, fmt.Errorf("read trusted authorities: %w", err)
	}
	pool, n := x509.NewCertPool(), 0
	for _, e := range entries {
		if ext := filepath.Ext(e.Name()); ext != ".pem" && ext != ".crt" {
			continue
		}
		data, err := os.ReadFile(filepath.Join(folder, e.Name()))
		if err != nil {
			return nil, fmt.Errorf("read trusted authorities: %w", err)
		}
		if pool.AppendCertsFromPEM(data) {
			n++
		}
	}
	if n == 0 {
		return nil, errors.New(folder + " holds no certificate (PEM, *.pem or *.crt)")
	}
	return pool, nil
}
