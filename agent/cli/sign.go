package cli

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"motcua/agent/config"
	"motcua/agent/daemon"
	"motcua/agent/sign"
)

// signer opens the configured token with a PIN asked for once, for all files of the command.
func (p *program) signer(cfg config.Config, form, number string) (*sign.Signer, func(), error) {
	if !slices.Contains(sign.Forms, form) {
		return nil, nil, config.Unusable(fmt.Errorf("--form must be one of %s, not %q", strings.Join(sign.Forms, ", "), form))
	}
	pin := ""
	if cfg.Sign.Module != "" {
		var err error
		if pin, err = p.readSecret("PIN"); err != nil {
			return nil, nil, err
		}
	}
	return daemon.Signing(cfg)(p.ctx, pin, sign.Mark{Form: form, Number: number})
}

type verifyCommand struct {
	Trust string   `type:"path" placeholder:"DIR" help:"Folder of authorities' certificates (default: as configured)."`
	Part  string   `type:"path" name:"signed" placeholder:"FILE" help:"Write the file as it was signed, without what was added since."`
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
	trust, err := daemon.Trust(folder)
	if err != nil {
		return config.Unusable(err)
	}
	if c.Part != "" && len(c.Files) != 1 {
		return config.Unusable(errors.New("--signed takes one file"))
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
		found, err := sign.Verify(data, trust)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		good = good && sign.Sound(found)
		part, _ := sign.SignedPart(data, trust)
		if err := p.verdict(name, found, part != nil); err != nil {
			return err
		}
		if c.Part == "" {
			continue
		}
		if part == nil {
			return config.Unusable(fmt.Errorf("%s: there is no part that is signed and good, with something added since", name))
		}
		if err := writeWhole(c.Part, part); err != nil {
			return err
		}
	}
	if !good {
		return told(1)
	}
	return nil
}

// verdict tells what was found; part says that the file as it was signed is good, and that something was added to it.
func (p *program) verdict(name string, found []sign.Verdict, part bool) error {
	if p.json {
		if found == nil {
			found = []sign.Verdict{}
		}
		return p.printJSON(map[string]any{"file": name, "good": sign.Sound(found), "signed_part_good": part, "signatures": found})
	}
	if len(found) == 0 {
		_, err := fmt.Fprintf(p.out, "%s: chưa ký số / not signed\n", name)
		return err
	}
	word := "KHÔNG hợp lệ / NOT good"
	if part {
		word = "tệp đã được thêm sau khi ký; phần đã ký thì hợp lệ (--signed TỆP lấy đúng phần đó) / " +
			"something was added since; what was signed is good (--signed FILE writes that)"
	}
	if sign.Sound(found) {
		word = "hợp lệ / good"
		if last := found[len(found)-1]; len(found) > 1 {
			word = fmt.Sprintf("hợp lệ theo chữ ký sau cùng, của %s / good by the last signature, of %s", last.Signer, last.Signer)
		}
	}
	if _, err := fmt.Fprintf(p.out, "%s: %s\n", name, word); err != nil {
		return err
	}
	for i, v := range found {
		if v.Why == sign.Added && i < len(found)-1 {
			v.Problem = "what was added since stands on the later signature: see who signed last"
		}
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
		fmt.Fprintf(&b, "     lúc / at: %s, dấu thời gian của / time stamp of %s%s\n", v.Stamped.Local().Format(verdictTime), v.Stamper,
			map[bool]string{false: " (máy này không biết / not known here)"}[v.Proved])
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
	if v.Good() && !v.Asked {
		b.WriteString("     thu hồi / withdrawn: không hỏi được ở đây / could not be asked here\n")
	}
	if v.Problem != "" {
		fmt.Fprintf(&b, "     lưu ý / note: %s\n", v.Problem)
	}
	return b.String()
}
