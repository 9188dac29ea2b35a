package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"motcua/agent/config"
	"motcua/agent/daemon"
	"motcua/agent/ecopy"
	"motcua/agent/sign"
	"motcua/ocr"
	"motcua/ocr/pdfa"
)

type pdfCommand struct {
	Out     string      `short:"o" required:"" placeholder:"FILE.pdf|DIR/" help:"A file for all pages, or a folder for a file a paper."`
	Level   string      `help:"PDF/A level, 2b or 1b (default: as configured)." placeholder:"LEVEL"`
	MaxPage config.Size `help:"Most bytes of a page's picture, such as 300kB (default: as configured)." placeholder:"SIZE"`
	Sign    bool        `help:"Sign by the configured token; the PIN is asked for once, or read from standard input."`
	Form    string      `default:"SAO Y" help:"Form of copy that the mark of a signed one shows." placeholder:"FORM"`
	Number  string      `help:"Running number of the register of certifications, for the mark." placeholder:"N"`
	Files   []string    `arg:"" name:"file" help:"Scans: images or PDFs; - reads standard input."`
}

// Run makes digitised copies. Every file is read before any copy is written, so that bad input leaves nothing behind.
func (c *pdfCommand) Run(p *program) error {
	cfg, err := p.configuration()
	if err != nil {
		return err
	}
	o := daemon.CopyOptions(cfg)
	o.Now = time.Now()
	if c.Level != "" {
		o.Level = pdfa.Level(c.Level)
		if o.Level != pdfa.A1b && o.Level != pdfa.A2b {
			return config.Unusable(fmt.Errorf("--level must be 2b or 1b, not %q", c.Level))
		}
	}
	if c.MaxPage > 0 {
		o.MaxPage = int(c.MaxPage)
	}
	var signer *sign.Signer
	if c.Sign {
		if slices.Contains(c.Files, "-") {
			return config.Unusable(errors.New("with --sign standard input is for the PIN: name the scans' files"))
		}
		var done func()
		if signer, done, err = p.signer(cfg, c.Form, c.Number); err != nil {
			return err
		}
		defer done()
	}
	reader, err := daemon.OpenReader(cfg, daemon.LogForbidden(daemon.Logger(p.err, cfg.Log)))
	if err != nil {
		return err
	}
	defer reader.Close()
	copies, err := c.read(p, cfg, reader)
	if err != nil {
		return err
	}
	for i, one := range c.named(copies) {
		if err := writeCopy(p.ctx, one.path, reader, one.Copy, o, signer); err != nil {
			return err
		}
		if err := c.say(p, i, one); err != nil {
			return err
		}
	}
	return nil
}

// read recognises all files. What cannot be read whole is not copied: a copy must not lack a page.
func (c *pdfCommand) read(p *program, cfg config.Config, reader *ocr.Reader) ([]ecopy.Copy, error) {
	var copies []ecopy.Copy
	var bad []error
	var piped []byte // standard input comes once
	results := ecopy.ReadAll(len(c.Files), func(i int) ocr.Result {
		data, problem := load(p.in, c.Files[i], int64(cfg.Reading.MaxBytes))
		if problem != nil {
			return ocr.Result{Problem: problem}
		}
		if c.Files[i] == "-" {
			piped = data
		}
		return reader.Read(p.ctx, ocr.Input{Name: c.Files[i], Data: data, Words: true})
	})
	if err := p.ctx.Err(); err != nil {
		return nil, err
	}
	for i, name := range c.Files {
		if problem := results[i].Problem; problem != nil {
			bad = append(bad, fmt.Errorf("%s: %s", name, problem.Message))
			continue
		}
		again := func() ([]byte, error) { // memory holds one file at a time
			data, problem := load(p.in, name, int64(cfg.Reading.MaxBytes))
			if problem != nil {
				return nil, problem
			}
			return data, nil
		}
		if name == "-" {
			again = func() ([]byte, error) { return piped, nil }
		}
		copies = append(copies, ecopy.Of(name, again, results[i].Documents)...)
	}
	if len(bad) > 0 {
		return nil, config.Unusable(errors.Join(bad...))
	}
	if len(copies) == 0 {
		return nil, config.Unusable(errors.New("there is no page to copy"))
	}
	return copies, nil
}

type namedCopy struct {
	path string
	ecopy.Copy
}

// named says where each copy goes.
func (c *pdfCommand) named(copies []ecopy.Copy) []namedCopy {
	info, err := os.Stat(c.Out)
	if !strings.HasSuffix(c.Out, "/") && (err != nil || !info.IsDir()) {
		return []namedCopy{{c.Out, ecopy.Together(copies)}}
	}
	var out []namedCopy
	for i, one := range copies {
		out = append(out, namedCopy{filepath.Join(c.Out, fmt.Sprintf("%02d-%s.pdf", i+1, one.Kinds()[0])), one})
	}
	return out
}

func (c *pdfCommand) say(p *program, i int, one namedCopy) error {
	if p.json {
		return p.printJSON(map[string]any{"file": one.path, "pages": one.Pages(), "kinds": one.Kinds()})
	}
	var kinds []string
	for _, k := range one.Kinds() {
		kinds = append(kinds, string(k))
	}
	_, err := fmt.Fprintf(p.out, "%s: %d page(s), %s\n", one.path, one.Pages(), strings.Join(kinds, ", "))
	return err
}

// writeCopy puts a copy in its place whole, and signed where it is to be, or not at all.
func writeCopy(ctx context.Context, path string, reader *ocr.Reader, one ecopy.Copy, o ecopy.Options, signer *sign.Signer) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return whole(path, func(f *os.File) error {
		if signer == nil {
			return ecopy.Write(ctx, f, reader, one, o)
		}
		var b bytes.Buffer
		if err := ecopy.Write(ctx, &b, reader, one, o); err != nil {
			return err
		}
		return signer.Sign(ctx, b.Bytes(), f)
	})
}
