// Package station is the devices of one counter: which scanners and readers the configuration and the profiles of makes
// name, opened, tuned, listed, watched and examined. Pages and readings come out; what they are for is not known here.
// Drivers are asked for by the registry (drivers/all) and named nowhere in the agent.
package station

import (
	"context"
	"errors"
	"fmt"
	"image"
	"io/fs"
	"iter"
	"os"
	"slices"
	"sync"

	"motcua/agent/config"
	"motcua/agent/profile"
	"motcua/configs"
	"motcua/drivers/all"
	"motcua/drivers/feed"
	"motcua/drivers/scan"
	"motcua/drivers/simulated"
	"motcua/ocr/specimen"
)

// options are what drivers want to know.
func options(cfg config.Config) all.Options {
	return all.Options{Configured: cfg.Scanner.Device, Data: cfg.Data, Stall: cfg.Scanner.Watchdog.D(),
		Set: cfg.Scanner.Set, Sheets: specimens}
}

// LoadProfiles reads what is known of makes of devices: the office's own folder first, then what is built in.
func LoadProfiles(cfg config.Config) (profile.Profiles, error) {
	builtIn, err := fs.Sub(configs.FS, "devices")
	if err != nil {
		return nil, err
	}
	folders := []fs.FS{builtIn}
	if cfg.Devices.Profiles != "" {
		if _, err := os.ReadDir(cfg.Devices.Profiles); err != nil {
			return nil, config.Unusable(fmt.Errorf("devices.profiles: %w", err))
		}
		folders = []fs.FS{os.DirFS(cfg.Devices.Profiles), builtIn}
	}
	all, err := profile.Load(folders...)
	if err != nil {
		return nil, config.Unusable(fmt.Errorf("device profiles:\n%w", err))
	}
	return all, nil
}

// OpenScanner opens what the configuration names, without touching it where the driver can wait: a device
// that is not there yet is found when it is used. With ready, for a daemon, what the driver needs is started ahead of each scan.
func OpenScanner(cfg config.Config, profiles profile.Profiles, ready bool) (Scanner, error) {
	if c := cfg.Scanner.Device; c == "" || c == "auto" {
		return &automatic{cfg: cfg, profiles: profiles, ready: ready, looking: make(chan struct{}, 1)}, nil
	}
	return openTuned(cfg, profiles, cfg.Scanner.Device, ready)
}

// openTuned opens one device and tunes it as its profile says.
func openTuned(cfg config.Config, profiles profile.Profiles, id string, ready bool) (Scanner, error) {
	known := profiles.For(id)
	own := cfg.Scanner
	cfg.Scanner = known.Tune(own)
	d, err := openDriver(cfg, id, known.Scanner.Set, ready)
	if err != nil {
		return nil, err
	}
	paper, err := scan.Paper(cfg.Scanner.Paper)
	if err != nil {
		return nil, config.Unusable(fmt.Errorf("scanner.paper: %w", err))
	}
	return &fed{Scanner: d, source: cfg.Scanner.Source, fixed: own.Source != "", paper: paper, longest: known.Scanner.Longest,
		filter: feed.Filter{DropBlank: own.DropBlank, Crop: cfg.Scanner.Crop, DoubleFeed: 1.3}}, nil
}

func openDriver(cfg config.Config, id string, preferred []string, ready bool) (Scanner, error) {
	if id == "none" {
		return nil, config.Unusable(errors.New("the configuration says scanner.device: none; name one with --device"))
	}
	if _, known := all.For(id); !known {
		return nil, config.Unusable(fmt.Errorf("device %q: the id must begin with %s; see motcua devices", id, all.Schemes()))
	}
	o := options(cfg)
	o.Prefer, o.Ready = preferred, ready
	return all.Open(o, id)
}

// Prober is a device that can be asked what it can do.
type Prober interface {
	Probe(ctx context.Context) (scan.Info, error)
}

// fed is a scanner whose feeder's pages are looked after: blank backs are left out, a double feed is marked.
// Where papers lie is settled here too, because a device may be asked for what it can do only once it is open.
type fed struct {
	Scanner
	source  scan.Source // the configuration's or the profile's; empty: the scanner's first
	fixed   bool        // the configuration says so: a scanner without it is a fault
	paper   scan.Area   // what the feeder is fed with
	longest float64     // mm, of a sheet whose end the scanner sees
	filter  feed.Filter
}

// Info names the source that is taken where nobody asks for one first.
func (f *fed) Info() scan.Info {
	info := f.Scanner.Info()
	switch at := slices.Index(info.Sources, f.source); {
	case at > 0:
		info.Sources = slices.Concat([]scan.Source{f.source}, info.Sources[:at], info.Sources[at+1:])
	case len(info.Sources) == 0 && f.source != "":
		info.Sources = []scan.Source{f.source}
	}
	return info
}

// Probe asks the device what it can do.
func (f *fed) Probe(ctx context.Context) (scan.Info, error) {
	if p, ok := f.Scanner.(Prober); ok {
		if _, err := p.Probe(ctx); err != nil {
			return f.Info(), err
		}
	}
	return f.Info(), nil
}

// Met reports whether the device has said what it can do, and is still there.
func (f *fed) Met() bool { return met(f.Scanner) }

// Scan filters what comes from the feeder; a page laid on the glass on purpose stays as it is.
func (f *fed) Scan(ctx context.Context, s scan.Settings) iter.Seq2[scan.Page, error] {
	return func(yield func(scan.Page, error) bool) {
		s.Source = f.choose(ctx, s.Source)
		if s.Source != scan.ADF && s.Source != scan.ADFDuplex {
			f.Scanner.Scan(ctx, s)(yield)
			return
		}
		if s.Area == (scan.Area{}) {
			s.Area, s.Longest = f.paper, f.longest
		}
		passed := 0
		for page, err := range f.filter.Pages(f.stack(ctx, s, &passed)) {
			if err == nil {
				passed++
			}
			if !yield(page, err) {
				return
			}
		}
	}
}

// stack gives the driver's pages until as many passed the filter as were asked for, in whole sheets: those that it left out take
// nobody's room, and what lies behind them in the feeder is not to stay there unseen.
func (f *fed) stack(ctx context.Context, s scan.Settings, passed *int) iter.Seq2[scan.Page, error] {
	return func(yield func(scan.Page, error) bool) {
		most, before, lines := s.MaxPages, 0, s.Lines
		for {
			came := 0
			if lines != nil {
				s.Lines = func(b scan.Band) { b.Page += before; lines(b) }
			}
			for page, err := range f.Scanner.Scan(ctx, s) {
				if came == 0 && before > 0 && errors.Is(err, &scan.Fault{Code: scan.NoDocuments}) {
					return // those were the last
				}
				came++
				page.Number += before
				if !yield(page, err) || err != nil {
					return
				}
			}
			before += came
			left := most - *passed
			if s.Source == scan.ADFDuplex {
				left = left / 2 * 2
			}
			if most == 0 || came < s.MaxPages || left <= 0 {
				return
			}
			s.MaxPages = left
		}
	}
}

// choose gives a source that the scanner has: what was asked for before the scanner was known is only a guess, and
// so is what a profile says of a whole family.
func (f *fed) choose(ctx context.Context, asked scan.Source) scan.Source {
	if asked == "" {
		asked = f.source
	}
	if f.fixed {
		return asked
	}
	if len(f.Scanner.Info().Sources) == 0 {
		_, _ = f.Probe(ctx) // what is wrong with it the scan will say
	}
	have := f.Scanner.Info().Sources
	if len(have) == 0 || slices.Contains(have, asked) {
		return asked
	}
	return f.Info().Sources[0]
}

// automatic is the first scanner there is: one at this machine, else one on the network, and before all others one
// whose profile says so. It is looked for at each scan until one was found, and again when that one is gone.
type automatic struct {
	cfg      config.Config
	profiles profile.Profiles
	ready    bool

	looking chan struct{} // who holds it looks for a device; the others wait for what is found

	mu     sync.Mutex // guards found and closed
	found  Scanner
	closed bool
}

// Info describes what was found last.
func (a *automatic) Info() scan.Info {
	if d := a.current(); d != nil {
		return d.Info()
	}
	return scan.Info{ID: "auto", Kind: "scanner"}
}

// current is the device that was found, nil where none was.
func (a *automatic) current() Scanner {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.found
}

// Probe finds a scanner and asks it what it can do.
func (a *automatic) Probe(ctx context.Context) (scan.Info, error) { return a.probe(ctx, false) }

// ProbeNearby is Probe that does not search the network, which takes seconds.
func (a *automatic) ProbeNearby(ctx context.Context) (scan.Info, error) { return a.probe(ctx, true) }

func (a *automatic) probe(ctx context.Context, nearby bool) (scan.Info, error) {
	d, err := a.find(ctx, nearby)
	if err != nil {
		return a.Info(), err
	}
	p, ok := d.(Prober)
	if !ok {
		return d.Info(), nil
	}
	info, err := p.Probe(ctx)
	if isAway(err) {
		a.forget(d)
	}
	return info, err
}

// Met reports whether a scanner was found, and is still there.
func (a *automatic) Met() bool {
	d := a.current()
	return d != nil && met(d)
}

// isAway reports whether an error says that the device is not there: another may be.
func isAway(err error) bool {
	return errors.Is(err, &scan.Fault{Code: scan.NoDevice}) || errors.Is(err, &scan.Fault{Code: scan.Unplugged})
}

// Scan finds a scanner if need be, and scans.
func (a *automatic) Scan(ctx context.Context, s scan.Settings) iter.Seq2[scan.Page, error] {
	return func(yield func(scan.Page, error) bool) {
		d, err := a.find(ctx, false)
		if err != nil {
			yield(scan.Page{}, err)
			return
		}
		for page, err := range d.Scan(ctx, s) {
			if isAway(err) {
				a.forget(d)
			}
			if !yield(page, err) {
				return
			}
		}
	}
}

func (a *automatic) find(ctx context.Context, nearby bool) (Scanner, error) {
	select {
	case a.looking <- struct{}{}:
		defer func() { <-a.looking }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if d := a.current(); d != nil {
		return d, nil
	}
	best, err := a.look(ctx, nearby)
	if err != nil {
		return nil, err
	}
	d, err := openTuned(a.cfg, a.profiles, best.ID, a.ready)
	if err != nil {
		return nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return nil, errors.Join(errors.New("the scanner is closed"), d.Close())
	}
	a.found = d
	return d, nil
}

// look gives the device to take. What is plugged in here is found at once; a search of the network takes seconds.
func (a *automatic) look(ctx context.Context, nearbyOnly bool) (best scan.Info, err error) {
	o := options(a.cfg)
	var found, named []scan.Info
	var errs error
	for _, nearby := range []bool{true, false} {
		if nearbyOnly && !nearby {
			break
		}
		for _, driver := range all.Drivers {
			if driver.List == nil || driver.Note != "" { // one that a technician should look at first
				continue
			}
			if nearbyOnly && driver.Network {
				continue
			}
			more, err := driver.List(ctx, o, nearby)
			errs = errors.Join(errs, err)
			for _, info := range more {
				if info.ByName != "" {
					named = append(named, info)
				} else {
					found = append(found, info)
				}
			}
			var auto string
			if best, auto = a.profiles.Best(found); best.ID != "" && auto != profile.Avoid {
				return best, nil
			}
		}
	}
	if best.ID != "" {
		return best, nil
	}
	fault := &scan.Fault{Code: scan.NoDevice, Device: "scanner", Err: errs,
		Technician: "no scanner was found: plug one in and switch it on, then look at `motcua devices` and `motcua doctor`"}
	if len(named) > 0 {
		fault.Technician = fmt.Sprintf("a scanner was found that must be named: %s; to use it, set scanner.device: %s", named[0].ByName,
			named[0].ID)
	}
	return scan.Info{}, fault
}

// forget lets go of a device that is away. Where another was found meanwhile, who forgot the first closed it, and the new one stays.
func (a *automatic) forget(gone Scanner) {
	a.mu.Lock()
	if a.found != gone {
		a.mu.Unlock()
		return
	}
	a.found = nil
	a.mu.Unlock()
	_ = gone.Close() // it is gone or broken: what it says of it changes nothing
}

// Close lets the device go.
func (a *automatic) Close() error {
	a.mu.Lock()
	a.closed = true
	d := a.found
	a.mu.Unlock()
	if d != nil {
		a.forget(d)
	}
	return nil
}

// specimens are the demo's sheets: invented persons' papers, drawn as they come under the lamp.
func specimens() (sheets []simulated.Sheet, err error) {
	drawn, err := specimen.Load(configs.FS, "specimens")
	if err != nil {
		return nil, err
	}
	for _, s := range drawn {
		sheet := simulated.Sheet{Front: pixels(s.DrawFront), DPI: s.Front.DPI}
		if s.Back != nil {
			sheet.Back = pixels(s.DrawBack)
		}
		sheets = append(sheets, sheet)
	}
	return sheets, nil
}

func pixels(draw func() (specimen.Page, error)) func() (image.Image, error) {
	return func() (image.Image, error) {
		page, err := draw()
		return page.RGBA, err
	}
}

// Scanner is a scanner that is held open.
type Scanner = all.Scanner
