package sane

import (
	"fmt"
	"image"
	"testing"

	"motcua/drivers/scan"
)

func TestNames(t *testing.T) {
	for name, want := range map[string]scan.Source{
		"Flatbed": scan.Flatbed, "FlatBed": scan.Flatbed, "fb": scan.Flatbed, "Normal": scan.Flatbed, "Document Table": scan.Flatbed,
		"Reflective": scan.Flatbed, "Scanner Glass": scan.Flatbed, "Platen": scan.Flatbed,
		"adf": scan.ADF, "ADF Front": scan.ADF, "ADF Simplex": scan.ADF, "Document Feeder": scan.ADF, "Automatic Document Feeder": scan.ADF,
		"Automatic Document Feeder(left aligned)": scan.ADF, "Automatic Document Feeder(centrally aligned)": scan.ADF,
		"Sheetfeed Scanner": scan.ADF, "Feeder (front)": scan.ADF, "DP": scan.ADF,
		"ADF Duplex": scan.ADFDuplex, "Duplex": scan.ADFDuplex, "ADF both sides": scan.ADFDuplex, "2-sided (Binding Top)": scan.ADFDuplex,
		"Automatic Document Feeder(left aligned,Duplex)": scan.ADFDuplex, "Automatic Document Feeder(centrally aligned,Duplex)": scan.ADFDuplex,
		"ADF_FRONT": scan.ADF, "ADF_BOTH": scan.ADFDuplex, "ADF_BACK": "", // simple-scan pull request 2
		"ADF Back": "", "Card Front": "", "Transparency Unit": "", "TMA Slides": "", "Negative": "", "Film": "", "Slide": "", "TPU8x10": "",
		"Camera": "", "Auto": "", "Xyz": "",
	} {
		if got := sourceNamed(name); got != want {
			t.Errorf("source %q means %q, want %q", name, got, want)
		}
	}
	for name, want := range map[string]scan.Mode{
		"Color": scan.Color, "24bit Color[Fast]": scan.Color, "RGB": scan.Color, "Color - 16 Million Colors": scan.Color,
		"color (24-bit)": scan.Color,
		"Gray":           scan.Gray, "Grayscale: 256 Levels": scan.Gray, "True Gray": scan.Gray, "8-bit Grayscale": scan.Gray, "grey": scan.Gray,
		"Lineart": scan.Lineart, "LineArt": scan.Lineart, "bw": scan.Lineart, "B/W": scan.Lineart, "Bitonal": scan.Lineart,
		"Black & White": scan.Lineart, "Black and White: Line Art": scan.Lineart, "Binary": scan.Lineart, "Monochrome": scan.Lineart,
		"Text/Line Art": scan.Lineart,
		"16 bits gray":  scan.Gray, "24bit Color": scan.Color, // scanservjs 573, 11
		"Halftone": "", "Gray[Error Diffusion]": "", "Black & White: Halftone": "", "Color Halftone": "", "Infrared": "", "Xyz": "",
	} {
		if got := modeNamed(name); got != want {
			t.Errorf("mode %q means %q, want %q", name, got, want)
		}
	}
}

// A scanner whose names nobody has met is used at its default, whatever that is; only what is asked for by name, and
// cannot be found, is a fault.
func TestNames_that_nobody_knows_still_scan(t *testing.T) {
	for _, kind := range []string{"flatbed scanner", "sheetfed scanner"} {
		t.Run(kind, func(t *testing.T) {
			d, o := play(t, "strange", "type="+kind+"\nsource=Primary|Secondary\nmode=Alpha|Beta\nresolution=100|300\n"+
				"x=216\ny=300\nglass-x=216\nglass-y=297\n")
			if err := d.Load(1); err != nil {
				t.Fatal(err)
			}
			s := open(t, o, "sane:"+d.ID)
			info, err := s.Probe(t.Context())
			want := scan.Flatbed
			if kind == "sheetfed scanner" {
				want = scan.ADF
			}
			if err != nil || fmt.Sprint(info.Sources) != fmt.Sprintf("[%s]", want) {
				t.Errorf("sources %v, %v", info.Sources, err)
			}
			for _, source := range []scan.Source{"", want} {
				if err := d.Load(1); err != nil {
					t.Fatal(err)
				}
				pages, err := all(t.Context(), s, scan.Settings{Source: source, DPI: 100, MaxPages: 1})
				if err != nil || len(pages) != 1 {
					t.Fatalf("source %q: %d pages, %v", source, len(pages), err)
				}
				if b := pages[0].Image.Bounds(); b.Dy() < 1168 || b.Dy() > 1182 {
					t.Errorf("source %q: %v", source, b)
				}
				if _, isColor := pages[0].Image.(*image.RGBA); !isColor {
					t.Errorf("source %q: a %T", source, pages[0].Image)
				}
			}
		})
	}
}

// Black and white that a device has not comes in grey, and says so.
func TestMode_in_place_of_another(t *testing.T) {
	d, o := play(t, "grey", "source=Flatbed|ADF\nmode=Gray|Color\nresolution=100|300\nglass-x=216\nglass-y=297\n")
	s := open(t, o, "sane:"+d.ID)
	for mode, want := range map[scan.Mode]scan.Mode{scan.Lineart: scan.Gray, scan.Gray: "", "": ""} {
		pages, err := all(t.Context(), s, scan.Settings{Mode: mode, DPI: 100})
		if err != nil || len(pages) != 1 || pages[0].Instead != want {
			t.Fatalf("%q: %d pages, %v", mode, len(pages), err)
		}
	}
}
