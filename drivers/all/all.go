// Package all is the registry of scanner drivers: one line a driver, with the scheme its devices' ids begin with. Whoever
// opens, lists, watches or examines scanners asks here and knows no driver by name; a new one is a line of Drivers.
package all

import (
	"context"
	"fmt"
	"iter"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"motcua/drivers/escl"
	"motcua/drivers/hotfolder"
	"motcua/drivers/scan"
	"motcua/drivers/simulated"
)

// Scanner is what every driver's devices are.
type Scanner interface {
	Info() scan.Info
	Scan(ctx context.Context, s scan.Settings) iter.Seq2[scan.Page, error]
	Close() error
}

// Options is what drivers want to know. The zero value works, but for the simulated one, which wants sheets.
type Options struct {
	Configured string        // the id of the device the configuration names, if any
	Data       string        // the folder for what drivers keep, such as the keys of network scanners; empty: they keep nothing
	Worker     []string      // the command that runs sane.Serve; empty: what stands beside this program, or the program itself
	Ready      bool          // the device is used day by day: what it needs is started ahead
	Stall      time.Duration // a device that shows no sign of life for so long has timed out
	Set        []string      // SANE options of the device
	Prefer     []string      // those of a whole family, set before them on models that have them
	Sheets     func() ([]simulated.Sheet, error)
}

func (o Options) escl() escl.Options {
	pins := ""
	if o.Data != "" {
		pins = filepath.Join(o.Data, "scanners")
	}
	return escl.Options{Pins: pins, Stall: o.Stall}
}

// Driver is one kind of scanners.
type Driver struct {
	Scheme string // ids begin with it and a colon, or are it
	What   string // its devices, for messages
	Alone  bool   // an id may be the scheme alone
	Note   string // what a technician should know of it

	Network bool // its devices are not at this machine: to find them takes seconds

	Open func(o Options, id string) (Scanner, error) // touches nothing where the driver can wait
	// List gives the devices there are. nearby leaves out those that take long to be found.
	List func(ctx context.Context, o Options, nearby bool) ([]scan.Info, error)
	// Find looks for devices again and again.
	Find func(o Options) []scan.Finder
	// Check examines the driver, and the device of that id; an empty one is any. nil: there is nothing to examine.
	Check func(ctx context.Context, o Options, id string) []scan.Finding
}

// Drivers are all there are, in the order in which "auto" asks them.
var Drivers = slices.Concat(local, []Driver{
	{Scheme: "escl", What: "network scanners", Network: true, Open: openESCL, List: listESCL, Find: findESCL, Check: checkESCL},
}, cameras, []Driver{
	{Scheme: "hotfolder", What: "scan folder", Open: openFolder, List: listFolder, Check: checkFolder},
	{Scheme: "simulated", What: "simulated scanner", Alone: true, Open: openSimulated},
})

// Examine is Check, for a driver that may have none.
func (d Driver) Examine(ctx context.Context, o Options, id string) []scan.Finding {
	if d.Check == nil {
		return nil
	}
	return d.Check(ctx, o, id)
}

// For gives the driver of an id.
func For(id string) (Driver, bool) {
	scheme, rest, colon := strings.Cut(id, ":")
	i := slices.IndexFunc(Drivers, func(d Driver) bool { return d.Scheme == scheme })
	if i < 0 || !Drivers[i].Alone && (!colon || rest == "" && scheme != "sane") {
		return Driver{}, false
	}
	return Drivers[i], true
}

// Open names a device by its id.
func Open(o Options, id string) (Scanner, error) {
	d, ok := For(id)
	if !ok {
		return nil, fmt.Errorf("device %q: the id must begin with %s; see motcua devices", id, Schemes())
	}
	return d.Open(o, id)
}

// Schemes says how ids begin, for a sentence: "sane:, escl: or be simulated".
func Schemes() string {
	var with, alone []string
	for _, d := range Drivers {
		if d.Alone {
			alone = append(alone, d.Scheme)
		} else {
			with = append(with, d.Scheme+":")
		}
	}
	return strings.Join(with, ", ") + " or be " + strings.Join(alone, ", ")
}

func openESCL(o Options, id string) (Scanner, error) { return escl.Open(o.escl(), id) }

func listESCL(ctx context.Context, o Options, _ bool) ([]scan.Info, error) {
	return escl.List(ctx, o.escl())
}

// named are the ids of the configuration that belong to a scheme.
func (o Options) named(scheme string) []string {
	if strings.HasPrefix(o.Configured, scheme+":") {
		return []string{o.Configured}
	}
	return nil
}

func findESCL(o Options) []scan.Finder {
	return []scan.Finder{escl.Finder(o.escl(), o.named("escl")...)}
}

func checkESCL(ctx context.Context, o Options, id string) []scan.Finding {
	if id == "" {
		return escl.Check(ctx, o.escl())
	}
	return escl.Check(ctx, o.escl(), id)
}

func folder(id string) hotfolder.Options {
	return hotfolder.Options{Dir: strings.TrimPrefix(id, "hotfolder:")}
}

func openFolder(_ Options, id string) (Scanner, error) { return hotfolder.Open(folder(id)) }

// listFolder gives the folder that is configured: any other is just a folder.
func listFolder(_ context.Context, o Options, _ bool) (all []scan.Info, _ error) {
	for _, id := range o.named("hotfolder") {
		all = append(all, scan.Info{ID: id, Driver: "hotfolder", Model: folder(id).Dir, Kind: "folder", Sources: []scan.Source{scan.ADF}})
	}
	return all, nil
}

func checkFolder(ctx context.Context, _ Options, id string) []scan.Finding {
	if id == "" {
		return nil
	}
	return hotfolder.Check(ctx, folder(id))
}

func openSimulated(o Options, _ string) (Scanner, error) {
	if o.Sheets == nil {
		return nil, fmt.Errorf("open the simulated scanner: no sheets lie beside it")
	}
	sheets, err := o.Sheets()
	if err != nil {
		return nil, fmt.Errorf("open the simulated scanner: %w", err)
	}
	return simulated.New(sheets, simulated.Options{}), nil
}
