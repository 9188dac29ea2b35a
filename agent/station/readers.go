package station

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"motcua/agent/config"
	"motcua/agent/profile"
	"motcua/agent/visit"
	"motcua/drivers/lds"
	"motcua/drivers/pcsc"
	"motcua/drivers/scan"
	"motcua/drivers/serial"
	"motcua/ocr"
	"motcua/ocr/paper"
)

// Visits is where readings go; *web.Site is one.
type Visits interface {
	Expects() []visit.Card // cards that open visits have read
	Offer(src paper.Source, values map[paper.Name]string) bool
	// CopyCode gives the symbol of a printed certified copy to the screen that waits for one; false: none does.
	CopyCode(text string) bool
	Trouble(err error) // says at the screen what to do about a card that cannot be read
	// WantsFace reports whether somebody of the staff would see the picture of the card with that number; Face gives it.
	// The caller wipes it afterwards.
	WantsFace(number string) bool
	Face(number string, picture []byte)
}

// OpenReaders makes the readers of the counter; run gives their readings to the visits until its context
// ends. Nothing that was read is logged.
func OpenReaders(c config.Readers, profiles profile.Profiles, v Visits, log *slog.Logger) (run func(context.Context) error, err error) {
	desk := &lineDesk{visits: v, log: log, profiles: profiles}
	for _, line := range c.Serial {
		r, err := desk.reader(profiles.Line(line))
		if err != nil {
			return nil, fmt.Errorf("readers.serial: %w", err)
		}
		desk.named = append(desk.named, r)
	}
	if c.Known {
		desk.bus = &serial.Bus{Profiles: c.Serial}
	}
	trusted, left := authorities(c.CSCA)
	for _, problem := range left {
		log.Warn("CSCA certificate left out", "error", problem)
	}
	return func(ctx context.Context) error {
		group, ctx := errgroup.WithContext(ctx)
		group.Go(func() error { return desk.run(ctx) })
		if c.Known {
			h := &hidDesk{lines: desk, profiles: profiles, log: log}
			group.Go(func() error { return h.run(ctx) })
		}
		if c.Chip {
			d := &chipDesk{visits: v, trusted: trusted, log: log, service: pcsc.Service{}}
			group.Go(func() error { return d.run(ctx) })
		}
		if err := group.Wait(); !errors.Is(err, context.Canceled) {
			return err
		}
		return nil
	}, nil
}

// lineDesk reads codes that come on serial lines: those the configuration names, and those whose make a profile
// knows, from the moment they are plugged in.
type lineDesk struct {
	visits   Visits
	log      *slog.Logger
	profiles profile.Profiles
	named    []*serial.Reader
	bus      *serial.Bus // where known makes are looked for; nil: nowhere

	mu   sync.Mutex // guards the fields below
	seed maphash.Seed
	last map[string]lastCode // by port
}

func (d *lineDesk) reader(line serial.Profile) (*serial.Reader, error) {
	return serial.New(line, func(s serial.State) { d.log.Info("serial reader", "state", fmt.Sprint(s)) })
}

func (d *lineDesk) run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	start := func(r *serial.Reader) {
		group.Go(func() error { return r.Run(ctx, d.take) })
	}
	for _, r := range d.named {
		start(r)
	}
	if d.bus != nil {
		group.Go(func() error {
			started := map[string]bool{} // one that was pulled out is used again by its own reader
			return d.bus.Watch(ctx, func(ports []serial.Port) {
				for _, line := range knownLines(d.profiles, ports) {
					if started[line.Port] {
						continue
					}
					started[line.Port] = true
					r, err := d.reader(line)
					if err != nil {
						d.log.Error("serial reader", "port", line.Port, "error", err)
						continue
					}
					start(r)
				}
			})
		})
	}
	return group.Wait()
}

// knownLines are the settings of the readers that are plugged in, whose make a profile knows and that no line of the
// configuration names.
func knownLines(profiles profile.Profiles, ports []serial.Port) (lines []serial.Profile) {
	for _, port := range ports {
		if line, known := profiles.Reader(port.Name); known && port.Profile == "" && port.Device != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

// What a reader sends may be no card's code, or not all of one; the person at the screen is told.
const (
	noRead   scan.Code = "no-read"
	notACard scan.Code = "not-a-card"
	tornCode scan.Code = "torn-code"
)

// noReads are what readers send when they saw no code: Datalogic's and Cognex's default, Honeywell's, Keyence's.
var noReads = []string{"NR", "NOREAD", "NO READ", "NO_READ", "ERROR"}

// sameCode is how long a code that is still held before the reader comes again and again.
const sameCode = 3 * time.Second

func (d *lineDesk) take(reading serial.Reading) {
	if d.repeats(reading) {
		return
	}
	tell := func(code scan.Code) { d.visits.Trouble(scan.NewFault(reading.Port, code, nil)) }
	if slices.Contains(noReads, strings.ToUpper(reading.Text)) {
		tell(noRead)
		return
	}
	if d.visits.CopyCode(reading.Text) {
		d.log.Info("the code of a printed copy was read", "port", reading.Port)
		return
	}
	values, torn, ok := ocr.ParseQR(reading.Text)
	if !ok {
		d.log.Info("a code was read that is no identity card's", "port", reading.Port)
		tell(notACard)
		return
	}
	d.log.Info("card code read", "port", reading.Port, "torn", torn, "taken", d.visits.Offer(paper.QR, values))
	if torn {
		tell(tornCode)
	}
}

// repeats reports whether a port gives the code it gave a moment ago. Only a hash of it is kept.
func (d *lineDesk) repeats(r serial.Reading) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.last == nil {
		d.last, d.seed = map[string]lastCode{}, maphash.MakeSeed()
	}
	now := lastCode{maphash.String(d.seed, r.Text), r.At}
	before := d.last[r.Port]
	d.last[r.Port] = now
	return before.hash == now.hash && r.At.Sub(before.at) < sameCode
}

type lastCode struct {
	hash uint64
	at   time.Time
}

// chipDesk reads cards that are laid on chip readers. A chip opens by the number printed on its card, so
// a card that is laid down waits until a visit has read that number.
type chipDesk struct {
	visits  Visits
	trusted []*lds.Certificate
	log     *slog.Logger
	service pcsc.Service
}

func (d *chipDesk) run(ctx context.Context) error {
	var jobs sync.WaitGroup
	defer jobs.Wait()
	ctx, end := context.WithCancel(ctx)
	defer end()
	lifted := map[string]context.CancelFunc{} // by reader: ends the reading of the card that lay there
	return d.service.Watch(ctx, func(e pcsc.Event) {
		if lift := lifted[e.Reader]; lift != nil {
			lift()
			delete(lifted, e.Reader)
		}
		if e.Kind != pcsc.CardInserted {
			if e.Fault != nil {
				d.log.Warn("chip reader", "code", e.Fault.Code)
			}
			return
		}
		card, lift := context.WithCancel(ctx)
		lifted[e.Reader] = lift
		jobs.Go(func() {
			defer lift()
			if err := d.read(card, e.Reader); err != nil && card.Err() == nil {
				d.log.Warn("chip not read", "reader", e.Reader, "code", faultCode(err))
				d.visits.Trouble(err)
			}
		})
	})
}

// read tries each card that was read once: a chip slows down with every wrong key.
func (d *chipDesk) read(ctx context.Context, reader string) error {
	var tried []visit.Card
	slips := 0
	tick := time.NewTicker(300 * time.Millisecond)
	defer tick.Stop()
	for {
		for _, card := range d.visits.Expects() {
			if slices.Contains(tried, card) {
				continue
			}
			tried = append(tried, card)
			values, source, err := d.open(ctx, reader, keys(card))
			number := strings.Clone(string(values[paper.Number]))
			if errors.Is(err, &scan.Fault{Code: lds.WrongCAN}) || errors.Is(err, &scan.Fault{Code: lds.WrongMRZ}) {
				continue
			}
			if errors.Is(err, &scan.Fault{Code: pcsc.CardPulled}) && slips < 5 {
				// It slipped, or another was laid in its place so quickly that nobody saw it go.
				slips, tried = slips+1, nil
				break
			}
			if err == nil {
				d.log.Info("chip read", "reader", reader, "source", source, "taken", d.visits.Offer(source, values))
				if source == paper.Chip {
					err = d.face(ctx, reader, number, keys(card))
				}
			}
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// face reads the picture of a card that proved itself, which takes ten times as long as all else: only once somebody of the
// staff has the visit before them, while the card lies there. A picture that cannot be had is no trouble of the citizen's.
func (d *chipDesk) face(ctx context.Context, reader, number string, access lds.Access) error {
	tick := time.NewTicker(300 * time.Millisecond)
	defer tick.Stop()
	for !d.visits.WantsFace(number) {
		select {
		case <-ctx.Done():
			return nil // it was lifted
		case <-tick.C:
		}
	}
	chip, err := d.chip(ctx, reader, access, false)
	if err != nil || chip.Authentic.Trust != lds.Verified || len(chip.Face) == 0 || chip.Fields[string(paper.Number)] != number {
		if ctx.Err() == nil {
			d.log.Warn("picture of a chip not read", "reader", reader, "code", faultCode(err))
		}
		return nil
	}
	d.visits.Face(number, chip.Face)
	clear(chip.Face)
	d.log.Info("picture of a chip read", "reader", reader)
	return nil
}

// chip reads a card's chip, without its picture or with it.
func (d *chipDesk) chip(ctx context.Context, reader string, access lds.Access, withoutFace bool) (lds.Card, error) {
	card, err := d.service.Connect(ctx, reader)
	if err != nil {
		return lds.Card{}, err
	}
	defer card.Close()
	return lds.Read(ctx, card, access, lds.Options{Trusted: d.trusted, WithoutFace: withoutFace})
}

// keys are what opens a card's chip, as far as it was read: cards without PACE need the MRZ's data.
func keys(card visit.Card) lds.Access {
	var a lds.Access
	if can, err := lds.CAN(card.Number); err == nil {
		a.CAN = can
	}
	if key, err := lds.CardKey(card.Number, card.Birth, card.Expiry); err == nil {
		a.MRZ = key
	}
	return a
}

// open reads the chip. Only what a configured CSCA's signer has signed, on a chip that is no copy, is a chip's word; a
// chip of an unknown signer, or one that cannot show what it is, is worth less than print. Data that was altered, or that
// was copied from another chip, is not taken at all.
func (d *chipDesk) open(ctx context.Context, reader string, access lds.Access) (map[paper.Name]string, paper.Source, error) {
	chip, err := d.chip(ctx, reader, access, true)
	if err != nil {
		return nil, "", err
	}
	source := paper.ChipUnchecked
	switch trust := chip.Authentic.Trust; {
	case trust == lds.Verified:
		source = paper.Chip
	case trust == lds.Copied:
		return nil, "", &scan.Fault{Code: copiedChip, Device: reader, Technician: "The chip is a copy: " + chip.Authentic.Reason}
	case trust == lds.Forged:
		return nil, "", &scan.Fault{Code: notAuthentic, Device: reader,
			Technician: "The chip's data is not as it was signed: " + chip.Authentic.Reason}
	default:
		d.log.Warn("chip not checked", "reader", reader, "trust", trust, "reason", chip.Authentic.Reason)
	}
	if len(chip.Skipped) > 0 {
		d.log.Warn("data groups of a chip were left out: nobody here can make them out", "reader", reader, "groups", chip.Skipped)
	}
	values := map[paper.Name]string{}
	for name, value := range chip.Fields {
		if !slices.Contains(chip.Doubtful, name) {
			values[paper.Name(name)] = value
		}
	}
	return values, source, nil
}

// The faults of a chip whose data cannot be taken.
const (
	notAuthentic scan.Code = "damaged-chip"
	copiedChip   scan.Code = "copied-chip"
)

func faultCode(err error) string {
	var fault *scan.Fault
	if errors.As(err, &fault) {
		return string(fault.Code)
	}
	return "failed"
}
