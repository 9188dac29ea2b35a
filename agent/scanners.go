package main

import (
	"context"
	"errors"
	"fmt"
	"image"
	"iter"
	"path/filepath"
	"strings"
	"sync"

	"motcua/agent/config"
	"motcua/configs"
	"motcua/drivers/escl"
	"motcua/drivers/feed"
	"motcua/drivers/hotfolder"
	"motcua/drivers/sane"
	"motcua/drivers/scan"
	"motcua/drivers/simulated"
	"motcua/drivers/v4l2"
	"motcua/ocr/specimen"
)

func saneOptions(c config.Scanner) sane.Options {
	return sane.Options{Worker: self("sane-worker"), Stall: c.Watchdog.D(), Set: c.Set}
}

func esclOptions(c config.Config) escl.Options {
	return escl.Options{Pins: filepath.Join(c.Data, "scanners"), Stall: c.Scanner.Watchdog.D()}
}

// openScanner opens what the configuration names, without touching it where the driver can wait: a device
// that is not there yet is found when it is used.
func openScanner(cfg config.Config) (device, error) {
	d, err := openDriver(cfg)
	if err != nil {
		return nil, err
	}
	return &fed{d, feed.Filter{DropBlank: cfg.Scanner.DropBlank, Crop: cfg.Scanner.Crop, DoubleFeed: 1.3}}, nil
}

func openDriver(cfg config.Config) (device, error) {
	c := cfg.Scanner
	switch driver, rest, _ := strings.Cut(c.Device, ":"); driver {
	case "", "auto":
		return &automatic{cfg: cfg}, nil
	case "sane":
		return sane.Open(saneOptions(c), c.Device), nil
	case "escl":
		return escl.Open(esclOptions(cfg), c.Device)
	case "v4l2":
		return v4l2.Open(v4l2.Options{}, c.Device), nil
	case "hotfolder":
		return hotfolder.Open(hotfolder.Options{Dir: rest})
	case "simulated":
		return openSpecimens(simulated.Options{})
	case "none":
		return nil, unusable(fmt.Errorf("the configuration says scanner.device: none; name one with --device"))
	default:
		return nil, unusable(fmt.Errorf("device %q: the id must begin with sane:, escl:, v4l2:, hotfolder: or be simulated; see motcua devices", c.Device))
	}
}

// fed is a scanner whose feeder's pages are looked after: blank backs are left out, a double feed is marked.
type fed struct {
	device
	filter feed.Filter
}

// Scan filters what comes from the feeder; a page laid on the glass on purpose stays as it is.
func (f *fed) Scan(ctx context.Context, s scan.Settings) iter.Seq2[scan.Page, error] {
	pages := f.device.Scan(ctx, s)
	if s.Source == scan.ADF || s.Source == scan.ADFDuplex {
		return f.filter.Pages(pages)
	}
	return pages
}

// automatic is the first scanner there is: by SANE, else on the network. It is looked for at each scan
// until one was found, and again when that one is gone.
type automatic struct {
	cfg config.Config

	mu    sync.Mutex // guards found
	found device
}

// Info describes what was found last.
func (a *automatic) Info() scan.Info {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.found == nil {
		return scan.Info{ID: "auto", Kind: "scanner", Sources: []scan.Source{scan.Flatbed}}
	}
	return a.found.Info()
}

// Scan finds a scanner if need be, and scans.
func (a *automatic) Scan(ctx context.Context, s scan.Settings) iter.Seq2[scan.Page, error] {
	return func(yield func(scan.Page, error) bool) {
		d, err := a.find(ctx)
		if err != nil {
			yield(scan.Page{}, err)
			return
		}
		for page, err := range d.Scan(ctx, s) {
			if errors.Is(err, &scan.Fault{Code: scan.NoDevice}) || errors.Is(err, &scan.Fault{Code: scan.Unplugged}) {
				a.forget()
			}
			if !yield(page, err) {
				return
			}
		}
	}
}

func (a *automatic) find(ctx context.Context) (device, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.found != nil {
		return a.found, nil
	}
	// What is plugged in here is found at once; SANE's own search of the network takes seconds.
	local, localErr := sane.ListLocal(ctx, saneOptions(a.cfg.Scanner))
	if len(local) == 0 {
		local, localErr = sane.List(ctx, saneOptions(a.cfg.Scanner))
	}
	if len(local) > 0 {
		a.found = sane.Open(saneOptions(a.cfg.Scanner), local[0].ID)
		return a.found, nil
	}
	network, err := escl.List(ctx, esclOptions(a.cfg))
	if len(network) > 0 {
		a.found, err = escl.Open(esclOptions(a.cfg), network[0].ID)
		return a.found, err
	}
	return nil, &scan.Fault{Code: scan.NoDevice, Device: "scanner", Err: errors.Join(localErr, err),
		Technician: "no scanner was found: plug one in and switch it on, then look at `motcua devices` and `motcua doctor`"}
}

func (a *automatic) forget() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.found != nil {
		a.found.Close()
		a.found = nil
	}
}

// Close lets the device go.
func (a *automatic) Close() error {
	a.forget()
	return nil
}

// specimens is the demo's scanner: invented persons' papers, drawn as they come under the lamp.
type specimens struct{ *simulated.Scanner }

func (specimens) Close() error { return nil }

func openSpecimens(o simulated.Options) (device, error) {
	drawn, err := specimen.Load(configs.FS, "specimens")
	if err != nil {
		return nil, err
	}
	var sheets []simulated.Sheet
	for _, s := range drawn {
		sheet := simulated.Sheet{Front: pixels(s.DrawFront), DPI: s.Front.DPI}
		if s.Back != nil {
			sheet.Back = pixels(s.DrawBack)
		}
		sheets = append(sheets, sheet)
	}
	return specimens{simulated.New(sheets, o)}, nil
}

func pixels(draw func() (specimen.Page, error)) func() (image.Image, error) {
	return func() (image.Image, error) {
		page, err := draw()
		return page.RGBA, err
	}
}
