package escl

import (
	"encoding/xml"
	"fmt"
	"slices"

	"motcua/drivers/scan"
)

// settingsXML is the ticket of a job. Element order is the schema's; some devices insist on it.
type settingsXML struct {
	XMLName xml.Name `xml:"scan:ScanSettings"`
	Scan    string   `xml:"xmlns:scan,attr"`
	PWG     string   `xml:"xmlns:pwg,attr"`
	Version string   `xml:"pwg:Version"`
	Intent  string   `xml:"scan:Intent"`
	Region  struct {
		Units  string `xml:"pwg:ContentRegionUnits"`
		Height int    `xml:"pwg:Height"`
		Width  int    `xml:"pwg:Width"`
		X      int    `xml:"pwg:XOffset"`
		Y      int    `xml:"pwg:YOffset"`
	} `xml:"pwg:ScanRegions>pwg:ScanRegion"`
	InputSource string `xml:"pwg:InputSource"`
	ColorMode   string `xml:"scan:ColorMode"`
	Format      string `xml:"pwg:DocumentFormat"`
	FormatExt   string `xml:"scan:DocumentFormatExt,omitempty"`
	XResolution int    `xml:"scan:XResolution"`
	YResolution int    `xml:"scan:YResolution"`
	Duplex      *bool  `xml:"scan:Duplex"`
}

// ticket is a job as it is wished, in the device's words where they are known.
type ticket struct {
	source scan.Source
	mode   scan.Mode
	wanted scan.Mode // what was asked for; empty: the best
	dpi    int
	in     input
	area   scan.Area
}

// ticket says what is wished.
func (c *capabilities) ticket(set scan.Settings) (ticket, error) {
	t := ticket{source: set.Source, wanted: set.Mode, area: set.Area}
	if t.source == "" {
		for _, t.source = range []scan.Source{scan.Flatbed, scan.ADF} {
			if _, has := c.Inputs[t.source]; has {
				break
			}
		}
	}
	var has bool
	if t.in, has = c.Inputs[t.source]; !has {
		return t, &codeError{scan.Unsupported, fmt.Errorf("the device has no source %q", t.source)}
	}
	if t.mode, has = t.in.mode(set.Mode); !has {
		return t, &codeError{scan.Unsupported, fmt.Errorf("the device has no mode %q", set.Mode)}
	}
	t.dpi = set.DPI
	if t.dpi == 0 {
		t.dpi = 300
	}
	if t.dpi = t.in.dpi(t.dpi); c.traits.maxDPI > 0 {
		t.dpi = min(t.dpi, c.traits.maxDPI)
	}
	return t, nil
}

// mode is the one to ask for: the best there is where none is wished, and grey for a device that has no black and white.
func (in input) mode(wanted scan.Mode) (scan.Mode, bool) {
	wishes := []scan.Mode{wanted}
	switch wanted {
	case "":
		wishes = []scan.Mode{scan.Color, scan.Gray, scan.Lineart}
	case scan.Lineart:
		wishes = []scan.Mode{scan.Lineart, scan.Gray}
	}
	if len(in.Modes) == 0 {
		return wishes[0], true
	}
	for _, m := range wishes {
		if slices.Contains(in.Modes, m) {
			return m, true
		}
	}
	return "", false
}

// xml is the ticket as it is sent.
func (t ticket) xml() ([]byte, error) {
	x := settingsXML{
		Scan: "http://schemas.hp.com/imaging/escl/2011/05/03", PWG: "http://www.pwg.org/schemas/2010/12/sm",
		Version: "2.0", Intent: "TextAndGraphic", InputSource: "Feeder", Format: t.in.format(t.mode),
		XResolution: t.dpi, YResolution: t.dpi,
	}
	for name, m := range modes {
		if m == t.mode {
			x.ColorMode = name
		}
	}
	if t.in.Ext {
		x.FormatExt = x.Format
	}
	if t.source == scan.Flatbed {
		x.InputSource = "Platen"
	} else {
		duplex := t.source == scan.ADFDuplex
		x.Duplex = &duplex
	}
	x.Region.Units = "escl:ThreeHundredthsOfInches"
	x.Region.X, x.Region.Width, x.Region.Height = t.region()
	body, err := xml.Marshal(x)
	return append([]byte(xml.Header), body...), err
}

// region is the window in 1/300 inch. In a feeder it is the sheet's, where the device says on which side sheets lie, and
// else as wide as the feeder; of the glass it is all that an office's papers can cover.
func (t ticket) region() (x, width, height int) {
	sheet, most := t.area, scan.MaxArea
	if t.source != scan.Flatbed {
		most = scan.A4
	}
	if sheet.Width == 0 {
		sheet.Width = most.Width
	}
	if sheet.Height == 0 {
		sheet.Height = most.Height
	}
	if t.in.MaxWidth == 0 && t.source == scan.Flatbed { // a glass that doesn't tell its size is hardly larger than A4
		sheet = scan.Area{Width: min(sheet.Width, scan.A4.Width), Height: min(sheet.Height, scan.A4.Height)}
	}
	width, height = within(sheet.Width, t.in.MaxWidth), within(sheet.Height, t.in.Height)
	room := t.in.MaxWidth - width
	if t.source == scan.Flatbed || room <= 0 {
		return 0, width, height
	}
	switch t.in.Justify {
	case "left":
		return 0, width, height
	case "center":
		return room / 2, width, height
	case "right":
		return room, width, height
	}
	return 0, t.in.MaxWidth, height
}

// within is a length in 1/300 inch, at most what the device has, where it says so.
func within(mm float64, limit int) int {
	px := int(mm/25.4*300 + 0.5)
	if limit > 0 {
		return min(px, limit)
	}
	return px
}
