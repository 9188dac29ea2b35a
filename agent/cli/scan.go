package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"motcua/agent/station"
	"motcua/drivers/scan"
)

type scanCommand struct {
	Device string      `default:"" help:"Id in motcua devices, or its beginning (default: the configured one, else the first found)."`
	Source scan.Source `enum:"flatbed,adf,adf-duplex," default:"" help:"flatbed, adf or adf-duplex (default: the scanner's first)."`
	DPI    int         `name:"dpi" default:"0" help:"Dots per inch (default: the configured one)."`
	Mode   scan.Mode   `enum:"color,gray,lineart," default:"" help:"color, gray or lineart (default: color, or the best the scanner has)."`
	Pages  int         `default:"0" help:"Stop after so many pages."`
	Out    string      `short:"o" required:"" type:"path" placeholder:"DIR" help:"Folder the pages are written to."`
}

func (c *scanCommand) Run(p *program) error {
	cfg, err := p.configuration()
	if err != nil {
		return err
	}
	if c.Device != "" {
		cfg.Scanner.Device = c.Device
	}
	if c.DPI == 0 {
		c.DPI = cfg.Scanner.DPI
	}
	if c.DPI < 50 || c.DPI > 1200 {
		return unusable(fmt.Errorf("--dpi must be between 50 and 1200, not %d", c.DPI))
	}
	if c.Source != "" {
		cfg.Scanner.Source = c.Source
	}
	profiles, err := station.LoadProfiles(cfg)
	if err != nil {
		return err
	}
	scanner, err := station.OpenScanner(cfg, profiles, false)
	if err != nil {
		return err
	}
	defer scanner.Close()
	settings := scan.Settings{Source: cfg.Scanner.Source, Mode: c.Mode, DPI: c.DPI, MaxPages: c.Pages, Reuse: true}
	pages := []scannedPage{}
	for page, err := range scanner.Scan(p.ctx, settings) {
		if err != nil {
			return faultError(err)
		}
		kept, err := c.keep(page)
		if err != nil {
			return err
		}
		if page.Instead != "" && page.Number == 1 {
			fmt.Fprintf(p.err, "motcua: the scanner has no mode %s: its pages are %s\n", c.Mode, page.Instead)
		}
		pages = append(pages, kept)
		if !p.json {
			fmt.Fprintln(p.out, kept.File)
		}
	}
	if c.Pages > 0 && len(pages) == c.Pages && feeds(settings.Source, scanner.Info().Sources) {
		fmt.Fprintf(p.err, "motcua: stopped at --pages %d, as asked: what still lies in the feeder was not scanned\n", c.Pages)
	}
	if p.json {
		return p.printJSON(pages)
	}
	return nil
}

// scannedPage is a line of --json.
type scannedPage struct {
	File      string `json:"file"`
	Page      int    `json:"page"`
	Back      bool   `json:"back"`
	MediaType string `json:"media_type"`
	Bytes     int    `json:"bytes"`
	DPI       int    `json:"dpi"`
}

// keep writes a page into the folder, which is made only now: a scan that gives nothing leaves nothing.
func (c *scanCommand) keep(page scan.Page) (scannedPage, error) {
	data, mediaType, err := scan.Encode(page)
	if err != nil {
		return scannedPage{}, fmt.Errorf("encode page %d: %w", page.Number, err)
	}
	if err := os.MkdirAll(c.Out, 0o700); err != nil {
		return scannedPage{}, fmt.Errorf("make folder for the pages: %w", err)
	}
	name := filepath.Join(c.Out, fmt.Sprintf("page-%04d%s", page.Number, extension(mediaType)))
	if err := writeWhole(name, data); err != nil {
		return scannedPage{}, fmt.Errorf("write page %d: %w", page.Number, err)
	}
	return scannedPage{name, page.Number, page.Back, mediaType, len(data), page.DPI}, nil
}

// feeds tells whether a scan went on by itself from sheet to sheet: the source that was asked for, else the scanner's first.
func feeds(source scan.Source, have []scan.Source) bool {
	if source == "" && len(have) > 0 {
		source = have[0]
	}
	return source == scan.ADF || source == scan.ADFDuplex
}

// faultError says a device fault in the technician's words.
func faultError(err error) error {
	var fault *scan.Fault
	if errors.As(err, &fault) {
		return fmt.Errorf("scan: %w (%s)", fault, fault.Code)
	}
	return fmt.Errorf("scan: %w", err)
}

func extension(mediaType string) string {
	switch mediaType {
	case "image/jpeg":
		return ".jpg"
	case "image/png":
		return ".png"
	case "image/tiff":
		return ".tiff"
	case "application/pdf":
		return ".pdf"
	}
	return ".bin"
}

// writeWhole puts a file in place at once: a full disk leaves nothing half written.
func writeWhole(name string, data []byte) error {
	return whole(name, func(f *os.File) error {
		_, err := f.Write(data)
		return err
	})
}
