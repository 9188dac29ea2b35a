package sane

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"

	"motcua/drivers/scan"
)

// aheadPages are so many pages that a job has in memory at one time: the one that the loop looks at, and the next one, which
// comes in meanwhile.
const aheadPages = 2

// aheadBands are so many strips that wait at most for a loop that looks at the one before: it is woken once for several of them, and
// the next one is there when it has done with one. A page of A4 comes in about nine.
const aheadBands = 8

// job is one scan as its worker tells it, read while the loop looks at the page before.
type job struct {
	c   *conn
	s   *Scanner
	set scan.Settings

	events chan event
	empty  chan *canvas // pages to be filled

	// For whoever saw events closed.
	finished bool  // the worker is done with it
	fault    error // why it is, where not because there was no more
}

// event is a strip that arrived, a page that is whole, or why there are no more.
type event struct {
	band scan.Band
	page *canvas
	told scan.Page
	err  error
}

// pages runs one job. finished tells that the worker is done with it, broken that the loop was.
func (s *Scanner) pages(ctx context.Context, c *conn, set scan.Settings, yield func(scan.Page, error) bool) (finished, broken bool,
	err error) {
	r := request{Op: "scan", Device: s.name, Prefer: s.o.Prefer, Set: s.o.Set, Source: set.Source, Mode: set.Mode, DPI: cmp.Or(set.DPI, 300),
		MaxPages: set.MaxPages, Area: set.Area, Longest: set.Longest}
	if err := c.send(r); err != nil {
		return false, false, err
	}
	j := &job{c: c, s: s, set: set, events: make(chan event, aheadBands), empty: make(chan *canvas, aheadPages)}
	for range aheadPages {
		j.empty <- &canvas{}
	}
	reading, stop := context.WithCancel(ctx)
	defer c.watch(reading)()
	go j.read(reading)
	broken, err = j.hand(stop, yield)
	if err == nil && !broken && !j.finished {
		err = ctx.Err() // what else it had to say nobody waited for
	}
	if err == nil && j.fault != nil && fresh(j.fault) {
		s.drop() // it came while the loop looked at the page before and was broken off
	}
	return j.finished, broken, err
}

// hand passes on what arrives until there is no more, or the loop was broken off, and ends the reading.
func (j *job) hand(stop func(), yield func(scan.Page, error) bool) (broken bool, err error) {
	defer func() {
		stop()
		for range j.events { // until it has ended
		}
	}()
	for e := range j.events {
		switch {
		case e.err != nil:
			return false, e.err
		case e.page == nil:
			j.set.Lines(e.band)
			continue
		}
		if !yield(e.told, nil) {
			return true, nil
		}
		if j.set.Reuse {
			j.empty <- e.page.next()
		} else {
			j.empty <- &canvas{}
		}
	}
	return false, nil
}

// read takes what the worker says, until it says no more or the context ends, and closes events.
func (j *job) read(ctx context.Context) {
	defer close(j.events)
	for number := 1; ; number++ {
		page, ok := receive(ctx, j.empty)
		if !ok {
			return
		}
		told, err := j.page(ctx, page, number)
		if err == nil && told.Image == nil {
			return
		}
		if !j.tell(ctx, event{page: page, told: told, err: err}) || err != nil {
			return
		}
	}
}

func receive(ctx context.Context, from <-chan *canvas) (*canvas, bool) {
	select {
	case c := <-from:
		return c, true
	case <-ctx.Done():
		return nil, false
	}
}

func (j *job) tell(ctx context.Context, e event) bool {
	select {
	case j.events <- e:
		return true
	case <-ctx.Done():
		return false
	}
}

// page fills the next page; one without an image tells that there is none.
func (j *job) page(ctx context.Context, page *canvas, number int) (p scan.Page, err error) {
	p = scan.Page{Number: number}
	source := j.set.Source
	for {
		kind, payload, err := j.c.receive(ctx, j.s.o.Stall)
		if err != nil {
			return p, err
		}
		if kind == framePixels {
			if err := j.lines(ctx, page, payload, number); err != nil {
				return p, err
			}
			continue
		}
		var m reply
		if err := json.Unmarshal(payload, &m); err != nil {
			return p, fmt.Errorf("%w: %v", errFrame, err)
		}
		switch m.Kind {
		case "frame":
			if m.Frame == nil {
				return p, errFrame
			}
			if err := page.begin(*m.Frame); err != nil {
				return p, err
			}
			p.DPI, source, p.Instead = m.DPI, m.Source, cmp.Or(m.Instead, lesser(j.set.Mode, *m.Frame))
		case "page":
			if page.height == 0 || short(page, source) {
				return p, &shortError{page.height, page.total}
			}
			p.Back = source == scan.ADFDuplex && number%2 == 0
			p.Image = page.strip(0, page.height)
			return p, nil
		case "done":
			j.finished = true
			return p, nil
		case "fault":
			j.finished, j.fault = true, &faultError{m}
			return p, j.fault
		default:
			return p, errFrame
		}
	}
}

// lesser is what pages come in, where that says less than what was asked for: a device without a choice of modes takes no wish.
func lesser(wanted scan.Mode, p params) scan.Mode {
	switch {
	case p.Depth == 1 && (wanted == scan.Gray || wanted == scan.Color):
		return scan.Lineart
	case p.Depth > 1 && p.Format == formatGray && wanted == scan.Color:
		return scan.Gray
	}
	return ""
}

// lines takes pixels, and tells of the lines that are whole by them.
func (j *job) lines(ctx context.Context, page *canvas, pixels []byte, number int) error {
	from := page.rows
	if err := page.write(pixels); err != nil {
		return err
	}
	if j.set.Lines != nil && page.rows > from && page.p.Last {
		j.tell(ctx, event{band: scan.Band{Page: number, Y: from, Height: page.rows - from, Total: page.total,
			Image: page.strip(from, page.rows)}})
	}
	return nil
}

// short reports a page that broke off: a flatbed gives the lines it promised. A feeder may promise more
// than the sheet is long.
func short(c *canvas, source scan.Source) bool {
	return source == scan.Flatbed && c.total > 0 && c.height < c.total*95/100
}

type shortError struct{ lines, of int }

func (e *shortError) Error() string {
	return fmt.Sprintf("the page broke off after %d of %d lines", e.lines, e.of)
}
