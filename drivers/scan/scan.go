// Package scan is the vocabulary every scanner driver shares: what is asked of a scanner (Settings),
// what it gives (Page, and Band while a page is still under the lamp), and what can go wrong (Fault).
// It holds plain data; drivers (sane, escl, hotfolder, simulated) stand beside it.
package scan

import "image"

// Source is where the scanner takes its sheets from.
type Source string

// The sources a kiosk knows, spelled as on the command line.
const (
	Flatbed   Source = "flatbed"
	ADF       Source = "adf"
	ADFDuplex Source = "adf-duplex"
)

// Mode is the colour mode of a scan.
type Mode string

// The modes a kiosk knows.
const (
	Color   Mode = "color"
	Gray    Mode = "gray"
	Lineart Mode = "lineart"
)

// Settings is one scan job. A zero field means the driver's default: flatbed, colour (or the best there is), 300 dpi, the
// whole glass or an A4 sheet, no page limit.
type Settings struct {
	Source   Source
	Mode     Mode
	DPI      int
	MaxPages int // 0: until the feeder is empty (a flatbed always gives one)
	Area     Area
	Longest  float64 // mm: so long a sheet is scanned where the device itself sees its end; 0: as long as Area

	// Reuse says that a page's Image is wanted only until the loop asks for the next one, which may then lie in its memory. A
	// stack costs a driver that sees pixels one page of memory then, and not one for each sheet.
	Reuse bool

	// Lines, if set, is called from the scanning goroutine as scan lines arrive, so that a page can be
	// shown and recognised before the lamp returns. It must not block and must not keep Band.Image.
	Lines func(Band)
}

// Area is a size in millimetres: on the glass from its upper left corner, in a feeder that of the sheet, wherever in its
// width sheets lie. Zero is the whole glass, at most MaxArea, or an A4 sheet.
type Area struct {
	Width, Height float64
}

// Band is a strip of a page that has just arrived.
type Band struct {
	Page   int // 1-based, in feeding order
	Y      int // first line of the strip
	Height int // lines in the strip
	Total  int // lines expected for the page; 0 where the scanner does not know (hand scanners)
	Image  image.Image
}

// Page is one complete side of a sheet. Exactly one of Image and Encoded is set: drivers that see
// pixels (SANE) give Image, drivers that are handed files (eSCL, hot folder) give Encoded as it came.
type Page struct {
	Number    int  // 1-based, in feeding order
	Back      bool // the reverse side in a duplex scan
	DPI       int  // 0 where unknown
	Image     image.Image
	Encoded   []byte // JPEG, PNG, TIFF or a PDF with one or more pages
	MediaType string // of Encoded

	// Instead is the mode the page came in where the device has not the one that was asked for.
	Instead Mode

	// Suspect says what may be wrong with the page though it came: DoubleFeed where it is much longer than
	// its neighbours.
	Suspect Code
}

// Info describes a device as a technician would look for it.
type Info struct {
	ID      string // what --device takes, e.g. "sane:test:0", "escl:http://…/eSCL", "simulated"
	Driver  string // sane, escl, hotfolder, simulated
	Vendor  string
	Model   string
	Kind    string // flatbed scanner, sheetfed scanner, …
	Sources []Source
	Modes   []Mode
	DPIs    []int           // a driver whose device takes any value in a range lists the usual ones
	Areas   map[Source]Area // the largest page each source takes, where the device says so
	Note    string          // what a technician should know of it
	ByName  string          // why it is used only where the configuration names it; empty: it may be taken as found
}
