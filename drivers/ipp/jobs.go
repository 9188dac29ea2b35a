package ipp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"sync"
	"time"

	"motcua/drivers/kept"
)

const (
	retry    = 10 * time.Second    // between two tries to reach a printer that may still print what nobody waits for
	keepJobs = 30 * 24 * time.Hour // a printer that was not met for so long is gone, and so is what it was given

	// leastTried is how long a printer is asked at least, whatever the clock says: one that stood at 1970 makes every document old.
	leastTried = time.Hour
)

// Jobs is the list of documents that were given to printers, and of which it is not known yet that they came out or were taken
// back. It stands in a file, and a document stands in it before the printer has it: what a killed program had given out is
// taken back by the next one (Run), and does not come out in front of somebody else.
type Jobs struct {
	file string // empty: they are kept in memory only

	mu   sync.Mutex // guards open and the file
	open []*job     // oldest first

	left chan struct{} // a document was left to Run
}

// job is a document that a printer may have.
type job struct {
	Printer string    // its address
	Name    string    // which no other job has, and nobody's
	Given   time.Time // by the kiosk's clock

	waited bool      // Print waits for it
	absent time.Time // since when the printer says that it has no such job
}

// OpenJobs reads the list that stands in a file, which need not be there. One that can't be read is set aside, and the list is
// empty then: the error says so, and the list can be used all the same.
func OpenJobs(file string) (*Jobs, error) {
	open, err := readJobs(file)
	j := &Jobs{file: file, open: open, left: make(chan struct{}, 1)}
	if err != nil {
		aside := fmt.Sprintf("%s.aside-%d", file, time.Now().Unix())
		err = fmt.Errorf("set aside as %s, nothing of it is taken back: %w", aside, errors.Join(err, os.Rename(file, aside)))
	}
	return j, err
}

func readJobs(file string) (open []*job, err error) {
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err == nil {
		err = json.Unmarshal(data, &open)
	}
	if err != nil {
		return nil, fmt.Errorf("read what was given to printers: %w", err)
	}
	return slices.DeleteFunc(open, func(o *job) bool { return o == nil || Check(o.Printer) != nil || o.Name == "" }), nil
}

// Overdue gives what stands in a file of Jobs for longer than any Print takes: it may come out late.
func Overdue(file string, now time.Time) (late []Late, err error) {
	open, err := readJobs(file)
	for _, o := range open {
		if now.Sub(o.Given) > printTime+2*cancelTime {
			late = append(late, Late{o.Printer, o.Name, o.Given})
		}
	}
	return late, err
}

// Late is a document that a printer may still print though nobody waits for it.
type Late struct {
	Printer, Name string
	Given         time.Time
}

// Late gives what may still come out, the oldest first.
func (j *Jobs) Late() (late []Late) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, o := range j.open {
		if !o.waited {
			late = append(late, Late{o.Printer, o.Name, o.Given})
		}
	}
	return late
}

// Run takes back what may come out late, as soon as its printer can be asked, until ctx ends. told is called once for each document
// whose printer can't be asked, with the error, and once for each that is taken back, with nil.
func (j *Jobs) Run(ctx context.Context, told func(Late, error)) error {
	complained, begun := map[string]bool{}, time.Now()
	for {
		pause := retry
		for _, l := range j.Late() {
			settled, err := j.settle(ctx, l)
			switch {
			case ctx.Err() != nil:
				return nil
			case settled:
				told(l, nil)
			case err == nil:
				pause = beat
			case time.Since(l.Given) > keepJobs && time.Since(begun) > leastTried:
				j.done(l.Name)
			case !complained[l.Name]:
				complained[l.Name] = true
				told(l, err)
			}
		}
		t := time.NewTimer(pause)
		select {
		case <-t.C:
		case <-j.left:
			t.Stop()
		case <-ctx.Done():
			t.Stop()
			return nil
		}
	}
}

// settle asks a printer to give up a document. It is settled where it was given up, or where the printer says for a while that it
// has no such job: what was on its way when the program ended may come after the first question.
func (j *Jobs) settle(ctx context.Context, l Late) (settled bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, cancelTime)
	defer cancel()
	p := at(l.Printer)
	defer p.client.CloseIdleConnections()
	had, err := p.takeBackNamed(ctx, l.Name)
	if err != nil {
		j.unheard(l.Name)
		return false, err
	}
	if had || j.absentLong(l.Name) {
		j.done(l.Name)
		return true, nil
	}
	return false, nil
}

// absentLong notes that a printer has no such job, and reports whether it has said so for long enough.
func (j *Jobs) absentLong(name string) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	i := j.at(name)
	if i < 0 {
		return true // somebody else has settled it
	}
	o := j.open[i]
	if o.absent.IsZero() {
		o.absent = time.Now()
	}
	return time.Since(o.absent) >= settling
}

// unheard notes that a printer could not be asked: what it said before and says next is no "for a while".
func (j *Jobs) unheard(name string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if i := j.at(name); i >= 0 {
		j.open[i].absent = time.Time{}
	}
}

// settleAll settles what a printer may still print, or says why that can't be done.
func (j *Jobs) settleAll(ctx context.Context, printer string) error {
	tick := time.NewTicker(beat)
	defer tick.Stop()
	for {
		open := 0
		for _, l := range j.Late() {
			if l.Printer != printer {
				continue
			}
			settled, err := j.settle(ctx, l)
			if err != nil {
				return err
			}
			if !settled {
				open++
			}
		}
		if open == 0 {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// give notes a document before a printer gets it.
func (j *Jobs) give(printer, name string) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.open = append(j.open, &job{Printer: printer, Name: name, Given: time.Now(), waited: true})
	if err := j.save(); err != nil {
		j.open = j.open[:len(j.open)-1]
		return fmt.Errorf("note what is given to the printer: %w", err)
	}
	return nil
}

// done forgets a document that came out, or never will.
func (j *Jobs) done(name string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if i := j.at(name); i >= 0 {
		j.open = slices.Delete(j.open, i, i+1)
		_ = j.save() // a line too many is asked for in vain by the next program
	}
}

// leave leaves a document to Run and to the next Print.
func (j *Jobs) leave(name string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if i := j.at(name); i >= 0 {
		j.open[i].waited = false
	}
	select {
	case j.left <- struct{}{}:
	default: // it has been told already
	}
}

// at is the place of a document in the list, -1 where it is not there. The caller holds mu.
func (j *Jobs) at(name string) int {
	return slices.IndexFunc(j.open, func(o *job) bool { return o.Name == name })
}

// save writes the list so that after a power cut either the old or the new one is there. The caller holds mu.
func (j *Jobs) save() error {
	if j.file == "" {
		return nil
	}
	data, err := json.MarshalIndent(j.open, "", "  ")
	if err != nil {
		return err
	}
	return kept.Write(j.file, append(data, '\n'))
}
