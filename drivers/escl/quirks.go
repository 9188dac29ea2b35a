package escl

import (
	"net/http"
	"strings"
	"time"
)

// traits are the ways in which a device departs from the standard and that cannot be seen in what it does.
type traits struct {
	hostLocalhost bool          // it takes jobs only from itself, and believes whoever says so
	portInHost    bool          // it wants the port in the Host header even where that is the usual one
	maxDPI        int           // it announces more than it has
	keepJob       bool          // deleting a finished job hangs it
	pageDelay     time.Duration // asked sooner for the next sheet, it says that there is none
}

// quirk is a habit with the devices it was met on and the report it came from. What a device is called is compared
// with what its capabilities say; names are compared without regard to case.
type quirk struct {
	make, model, server string // each empty: any; model may end in *
	report              string
	traits              traits
}

var quirks = []quirk{
	{server: "HP_Compact_Server", traits: traits{hostLocalhost: true},
		report: "github.com/alexpevzner/sane-airscan/issues/116"},
	{model: "HP LaserJet MFP M630", traits: traits{hostLocalhost: true},
		report: "github.com/alexpevzner/sane-airscan/issues/98"},
	{model: "HP Color LaserJet FlowMFP M578", traits: traits{hostLocalhost: true},
		report: "github.com/alexpevzner/sane-airscan/commit/cc19e6c"},
	{make: "EPSON", traits: traits{portInHost: true},
		report: "github.com/alexpevzner/sane-airscan/issues/136"},
	{make: "Brother", traits: traits{pageDelay: 500 * time.Millisecond},
		report: "github.com/alexpevzner/sane-airscan/issues/347 and 39"},
	{model: "B205", traits: traits{keepJob: true}, report: "github.com/alexpevzner/sane-airscan/commit/6e5222c"},
	{model: "B215", traits: traits{keepJob: true}, report: "github.com/alexpevzner/sane-airscan/commit/6e5222c"},
	{model: "Canon iR2625/2630", traits: traits{maxDPI: 300},
		report: "github.com/alexpevzner/sane-airscan/issues/57"},
}

// answers are the habits that need no device's name: they are told by the answer, and all devices are met so. They are
// kept here as a list of what is tolerated and whom it was met on; job.go and capabilities.go do it.
//
//	no page with 404 or 410 while the job goes on: not yet        Xerox B205, B215 (sane-airscan commit 6e5222c), WorkCentre 3345 (97fafe2)
//	no page with 409 and a completed job: the stack's end         AirSane (AirSane issues 76, 112)
//	no page with 500 and a completed job: the stack's end         told of by users of several makes; played by printer.Habits.EndCode
//	a message with 200 in place of a page: the stack's end         Lexmark MB2236adw, Xerox WorkCentre 3225 (sane-airscan issue 103)
//	a loaded feeder, though an empty one, while no job runs       AirSane before 2026 (pull request 135)
//	one sheet a job, the others stay in the feeder                Ricoh Aficio MP 201 (sane-airscan issue 334)
//	409 for an empty feeder                                       AirSane (issue 76)
//	409 for black and white: no such mode                         told of by users; grey is taken and said
//	an empty feeder that is jammed once the job runs              Xerox WorkCentre 3345 (sane-airscan commit 97fafe2), Canon MF410 (issue 98)
//	503 while the lamp warms or the device wakes                  HP LaserJet M28w, M630 (sane-airscan issue 38), Kyocera M5526cdw (179)
//	a completed job that has a page to transfer for ever          ScanBridge issue 68
//	"ScannerAdfProcessing" in place of empty                      Kyocera (sane-airscan), EPSON WF-2930 (issues 357, 385)
//	one page a job, the other sheets run through                  EPSON WF-2930 (sane-airscan issues 357, 385), by its "FeederCapacity" of 1
//	a completed job without a page, paper in the feeder           NAPS2's server (NAPS2 issue 699), "ScannedAdfLoaded" in place of loaded
//	an empty feeder while the job's pages still come              HP ScanJet Pro 4500 fn1 (node-hp-scan-to pull request 1331)
//	a comment before the state, a prefix that nothing declares    HP LaserJet (ScanBridge issue 39)
//	a feeder that is described for both sides alone               AirSane before July 2025 (pull request 130)
//	503 before each page                                          HP LaserJet MFP M234sdw (node-hp-scan-to issue 1427)
//	Location with localhost, half an IPv6 address, a slash        HP M630, Xerox B205 (sane-airscan commit 6e5222c)
//	a connection that breaks after the job's headers              Kyocera ECOSYS M6526cdn (sane-airscan issue 163)

// traitsOf gathers what is known of a device.
func traitsOf(c *capabilities, answer http.Header) (t traits) {
	for _, q := range quirks {
		if !q.fits(c, answer.Get("Server")) {
			continue
		}
		t.hostLocalhost = t.hostLocalhost || q.traits.hostLocalhost
		t.portInHost = t.portInHost || q.traits.portInHost
		t.keepJob = t.keepJob || q.traits.keepJob
		t.maxDPI = max(t.maxDPI, q.traits.maxDPI)
		t.pageDelay = max(t.pageDelay, q.traits.pageDelay)
	}
	return t
}

func (q quirk) fits(c *capabilities, server string) bool {
	model := c.Model
	if len(q.model) > 0 && strings.HasPrefix(strings.ToLower(q.model), strings.ToLower(c.Vendor)) {
		model = c.Vendor + " " + c.Model
	}
	return (q.make == "" || strings.EqualFold(q.make, c.Vendor)) &&
		(q.model == "" || strings.EqualFold(q.model, model)) &&
		(q.server == "" || q.server == server)
}
