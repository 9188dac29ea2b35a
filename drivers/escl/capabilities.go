package escl

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"motcua/drivers/scan"
)

// What a scanner answers is XML in two namespaces, whose versions and prefixes differ from maker to maker:
// elements are matched by their local names. Sizes are in 1/300 inch.

type capabilitiesXML struct {
	XMLName      xml.Name
	MakeAndModel string
	Manufacturer string
	SerialNumber string
	UUID         string
	Platen       *inputCapsXML    `xml:"Platen>PlatenInputCaps"`
	Simplex      *inputCapsXML    `xml:"Adf>AdfSimplexInputCaps"`
	Duplex       *inputCapsXML    `xml:"Adf>AdfDuplexInputCaps"`
	AdfOptions   []string         `xml:"Adf>AdfOptions>AdfOption"`
	AdfCapacity  number           `xml:"Adf>FeederCapacity"`
	Justify      string           `xml:"Adf>Justification>XImagePosition"`
	Profiles     []settingsProXML `xml:"SettingProfiles>SettingProfile"`
}

type inputCapsXML struct {
	MinWidth, MaxWidth, MinHeight, MaxHeight number
	Profiles                                 []settingsProXML `xml:"SettingProfiles>SettingProfile"`
}

type settingsProXML struct {
	Name       string   `xml:"name,attr"`
	Ref        string   `xml:"ref,attr"`
	ColorModes []string `xml:"ColorModes>ColorMode"`
	Formats    []string `xml:"DocumentFormats>DocumentFormat"`
	FormatsExt []string `xml:"DocumentFormats>DocumentFormatExt"`
	Discrete   []number `xml:"SupportedResolutions>DiscreteResolutions>DiscreteResolution>XResolution"`
	Range      rangeXML `xml:"SupportedResolutions>XResolutionRange"`
	SpecRange  rangeXML `xml:"SupportedResolutions>ResolutionRange>XResolution"`
}

type rangeXML struct{ Min, Max, Step number }

// number is an integer as scanners write it: with spaces, signs or a fraction; anything else is 0.
type number int

func (n *number) UnmarshalText(text []byte) error {
	v, err := strconv.ParseFloat(string(bytes.TrimSpace(text)), 64)
	if err == nil && !math.IsNaN(v) && math.Abs(v) < 1e6 {
		*n = number(v)
	}
	return nil
}

// capabilities is what a scanner can do, in our words.
type capabilities struct {
	Vendor, Model, UUID string
	Inputs              map[scan.Source]input
	oneSheet            bool // its feeder takes one sheet at a time, it says
	traits              traits
}

// input is what one source can do.
type input struct {
	Modes            []scan.Mode
	DPIs             []int
	Formats          []string
	Ext              bool   // it wants DocumentFormatExt too
	MaxWidth, Height int    // in 1/300 inch, 0 where it does not say
	Justify          string // on which side of a feeder sheets lie: left, center, right; empty where it does not say
}

// parse reads XML from a device: an encoding it declares wrongly, a byte order mark, a lower-case
// doctype and undeclared entities are no reason to refuse it.
func parse(data []byte, into any) error {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	data = bytes.ReplaceAll(data, []byte("<!doctype"), []byte("<!DOCTYPE"))
	d := xml.NewDecoder(bytes.NewReader(data))
	d.Strict = false
	d.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil }
	return d.Decode(into)
}

func parseCapabilities(data []byte) (*capabilities, error) {
	var x capabilitiesXML
	if err := parse(data, &x); err != nil {
		return nil, fmt.Errorf("read ScannerCapabilities: %w", err)
	}
	if x.XMLName.Local != "ScannerCapabilities" {
		return nil, fmt.Errorf("read ScannerCapabilities: the answer is <%s>", x.XMLName.Local)
	}
	model := strings.TrimSpace(strings.ToValidUTF8(x.MakeAndModel, "?"))
	vendor := strings.TrimSpace(strings.ToValidUTF8(x.Manufacturer, "?"))
	if vendor == "" {
		vendor, _, _ = strings.Cut(model, " ")
	}
	c := &capabilities{
		Vendor: vendor, Model: strings.TrimSpace(strings.TrimPrefix(model, vendor)),
		UUID: normalUUID(x.UUID), Inputs: map[scan.Source]input{}, oneSheet: x.AdfCapacity == 1,
	}
	named := map[string]settingsProXML{}
	for _, list := range [][]settingsProXML{x.Profiles, x.Platen.profiles(), x.Simplex.profiles(), x.Duplex.profiles()} {
		for _, p := range list {
			if p.Name != "" && p.Ref == "" {
				named[p.Name] = p
			}
		}
	}
	for source, in := range map[scan.Source]*inputCapsXML{scan.Flatbed: x.Platen, scan.ADF: x.Simplex, scan.ADFDuplex: x.Duplex} {
		if in != nil {
			i := in.input(named, x.Profiles)
			if source != scan.Flatbed {
				i.Justify = strings.ToLower(strings.TrimSpace(x.Justify))
			}
			c.Inputs[source] = i
		}
	}
	// Some devices describe the feeder once and say "Duplex" among its options.
	if simplex, ok := c.Inputs[scan.ADF]; ok && x.Duplex == nil && slices.Contains(x.AdfOptions, "Duplex") {
		c.Inputs[scan.ADFDuplex] = simplex
	}
	// And some describe it for both sides alone; a job says which it wants (AirSane pull request 130).
	if duplex, ok := c.Inputs[scan.ADFDuplex]; ok && x.Simplex == nil {
		c.Inputs[scan.ADF] = duplex
	}
	if len(c.Inputs) == 0 {
		return nil, fmt.Errorf("read ScannerCapabilities: neither glass nor feeder")
	}
	return c, nil
}

func (in *inputCapsXML) profiles() []settingsProXML {
	if in == nil {
		return nil
	}
	return in.Profiles
}

func (in *inputCapsXML) input(named map[string]settingsProXML, common []settingsProXML) input {
	var out input
	out.MaxWidth, out.Height = max(int(in.MaxWidth), 0), max(int(in.MaxHeight), 0)
	profiles := in.Profiles
	if len(profiles) == 0 {
		profiles = common
	}
	for _, p := range profiles {
		if p.Ref != "" {
			p = named[p.Ref]
		}
		for _, m := range p.ColorModes {
			if mode := modes[strings.TrimSpace(m)]; mode != "" && !slices.Contains(out.Modes, mode) {
				out.Modes = append(out.Modes, mode)
			}
		}
		for _, f := range slices.Concat(p.Formats, p.FormatsExt) {
			if f = strings.ToLower(strings.TrimSpace(f)); f != "" && !slices.Contains(out.Formats, f) {
				out.Formats = append(out.Formats, f)
			}
		}
		out.Ext = out.Ext || len(p.FormatsExt) > 0
		for _, d := range p.Discrete {
			if d > 0 {
				out.DPIs = append(out.DPIs, int(d))
			}
		}
		for _, r := range []rangeXML{p.Range, p.SpecRange} {
			for _, d := range []int{75, 100, 150, 200, 300, 400, 600, 1200} {
				if d >= int(r.Min) && d <= int(r.Max) {
					out.DPIs = append(out.DPIs, d)
				}
			}
		}
	}
	slices.Sort(out.DPIs)
	out.DPIs = slices.Compact(out.DPIs)
	return out
}

var modes = map[string]scan.Mode{"RGB24": scan.Color, "Grayscale8": scan.Gray, "BlackAndWhite1": scan.Lineart}

// dpi is the lowest resolution that loses nothing, or the highest there is.
func (in input) dpi(wanted int) int {
	for _, d := range in.DPIs {
		if d >= wanted {
			return d
		}
	}
	if len(in.DPIs) > 0 {
		return in.DPIs[len(in.DPIs)-1]
	}
	return wanted
}

// format chooses how pages come: JPEG is smallest and every device's best-tried one; black and white
// does not survive it.
func (in input) format(mode scan.Mode) string {
	order := []string{"image/jpeg", "image/png", "application/pdf", "image/tiff"}
	if mode == scan.Lineart {
		order = []string{"image/png", "image/tiff", "application/pdf", "image/jpeg"}
	}
	for _, f := range order {
		if slices.Contains(in.Formats, f) {
			return f
		}
	}
	return "image/jpeg"
}

// info puts the capabilities into a device's description.
func (c *capabilities) info(id string) scan.Info {
	i := scan.Info{ID: id, Driver: "escl", Vendor: c.Vendor, Model: c.Model, Kind: "network scanner", Areas: map[scan.Source]scan.Area{}}
	for _, source := range []scan.Source{scan.Flatbed, scan.ADF, scan.ADFDuplex} {
		in, ok := c.Inputs[source]
		if !ok {
			continue
		}
		i.Sources = append(i.Sources, source)
		for _, m := range in.Modes {
			if !slices.Contains(i.Modes, m) {
				i.Modes = append(i.Modes, m)
			}
		}
		i.DPIs = append(i.DPIs, in.DPIs...)
		if in.MaxWidth > 0 && in.Height > 0 {
			i.Areas[source] = scan.Area{Width: millimetres(in.MaxWidth), Height: millimetres(in.Height)}
		}
	}
	slices.Sort(i.DPIs)
	i.DPIs = slices.Compact(i.DPIs)
	return i
}

func millimetres(px300 int) float64 { return math.Round(float64(px300)/300*254) / 10 }

// normalUUID makes the forms a UUID is written in comparable.
func normalUUID(s string) string {
	s = strings.ToLower(strings.TrimSpace(s))
	return strings.TrimPrefix(s, "urn:uuid:")
}

// statusXML is ScannerStatus.
type statusXML struct {
	XMLName  xml.Name
	State    string
	AdfState string
	Jobs     []jobXML `xml:"Jobs>JobInfo"`
}

type jobXML struct {
	JobUri           string
	JobUuid          string
	JobState         string
	ImagesToTransfer number
	Reasons          []string `xml:"JobStateReasons>JobStateReason"`
}

func parseStatus(data []byte) (*statusXML, error) {
	var x statusXML
	if err := parse(data, &x); err != nil {
		return nil, fmt.Errorf("read ScannerStatus: %w", err)
	}
	if x.XMLName.Local != "ScannerStatus" {
		return nil, fmt.Errorf("read ScannerStatus: the answer is <%s>", x.XMLName.Local)
	}
	x.State, x.AdfState = strings.TrimSpace(x.State), strings.TrimSpace(x.AdfState)
	return &x, nil
}

// feeder is the fault the feeder's state stands for, or "" where it is in order or not known.
func (s *statusXML) feeder() scan.Code {
	switch s.AdfState {
	case "ScannerAdfEmpty":
		return scan.NoDocuments
	case "ScannerAdfJam", "ScannerAdfMispick", "ScannerAdfDuplexPageTooShort", "ScannerAdfDuplexPageTooLong", "ScannerAdfInputTrayFailed":
		return scan.Jammed
	case "ScannerAdfHatchOpen", "ScannerAdfDoorOpen", "ScannerAdfCoverOpen", "ScannerAdfInputTrayOverloaded":
		return scan.CoverOpen
	case "ScannerAdfMultipickDetected", "ScannerAdfMultiPick", "ScannerAdfMultipick", "ScannerAdfDoubleFeed":
		return scan.DoubleFeed
	}
	return ""
}

// strange reports a state of the feeder that is neither a fault nor in order, as far as anybody here knows. "ScannedAdfLoaded" is what
// NAPS2's server says.
func (s *statusXML) strange() bool {
	switch s.AdfState {
	case "", "ScannerAdfLoaded", "ScannedAdfLoaded", "ScannerAdfProcessing":
		return false
	}
	return s.feeder() == ""
}

// loaded reports a feeder that says that paper lies in it.
func (s *statusXML) loaded() bool {
	return s.AdfState == "ScannerAdfLoaded" || s.AdfState == "ScannedAdfLoaded"
}

// job finds the job by the last part of its path; makers write the rest differently.
func (s *statusXML) job(path string) (jobXML, bool) {
	id := lastPart(path)
	for _, j := range s.Jobs {
		if id != "" && (lastPart(j.JobUri) == id || normalUUID(j.JobUuid) == normalUUID(id)) {
			return j, true
		}
	}
	return jobXML{}, false
}

func lastPart(path string) string {
	path = strings.TrimRight(strings.TrimSpace(path), "/")
	return path[strings.LastIndexByte(path, '/')+1:]
}
