package main

import (
	"context"
	"fmt"
	"image"
	"strings"

	"motcua/agent/config"
	"motcua/configs"
	"motcua/drivers/sane"
	"motcua/drivers/scan"
	"motcua/drivers/simulated"
	"motcua/ocr/specimen"
)

func saneOptions(c config.Scanner) sane.Options {
	return sane.Options{Worker: self("sane-worker"), Stall: c.Watchdog.D()}
}

// openScanner opens what the configuration names. "auto" is the first scanner found.
func openScanner(ctx context.Context, c config.Scanner) (device, error) {
	switch driver, _, _ := strings.Cut(c.Device, ":"); driver {
	case "", "auto":
		found, err := sane.List(ctx, saneOptions(c))
		if err != nil {
			return nil, faultError(err)
		}
		if len(found) == 0 {
			return nil, &scan.Fault{Code: scan.NoDevice, Device: "scanner",
				Technician: "no scanner was found: plug one in and switch it on, then look at `motcua devices` and `motcua doctor`"}
		}
		return sane.Open(saneOptions(c), found[0].ID), nil
	case "sane":
		return sane.Open(saneOptions(c), c.Device), nil
	case "simulated":
		return openSpecimens(simulated.Options{})
	case "none":
		return nil, unusable(fmt.Errorf("the configuration says scanner.device: none; name one with --device"))
	default:
		return nil, unusable(fmt.Errorf("device %q: the id must begin with sane:, escl:, hotfolder: or be simulated; see motcua devices", c.Device))
	}
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
		sheet := simulated.Sheet{Front: draw(s.Front, s), DPI: s.Front.DPI}
		if s.Back != nil {
			sheet.Back = draw(*s.Back, s)
		}
		sheets = append(sheets, sheet)
	}
	return specimens{simulated.New(sheets, o)}, nil
}

func draw(side specimen.Spec, s specimen.Sheet) func() (image.Image, error) {
	return func() (image.Image, error) {
		page, _, err := specimen.Draw(side, s.Seed, s.Damage)
		return page, err
	}
}
