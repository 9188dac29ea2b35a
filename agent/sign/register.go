package sign

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// Register is the register of certifications (sổ chứng thực) of one kiosk: numbers that run through the year (Decree
// 23/2015/NĐ-CP, article 13), one a signed copy. It names no person: who asked stands in the submission. A number is written
// down, and on the disk, before anything is signed with it; asked for again, after a crash or a wrong PIN, a copy gets the
// same one, and its line is written anew where it says something else by now: the last line of a copy counts. So none stands on
// two copies; one whose copy was never sent stays as it is and says nothing. Kiosks count each for itself, and call their books what
// their ward calls them, so the name of a kiosk's book bears the kiosk's own id: over the ward, too, a number stands on one copy.
type Register struct {
	path  string
	name  string // of the book as it is configured: lines of before books bore the kiosk's id are of it
	kiosk string

	mu      sync.Mutex // guards entries and the file
	entries []Certified
}

// Certified is one line of the register.
type Certified struct {
	Year       int       `json:"year"`
	Number     int       `json:"number"`
	Submission string    `json:"submission"`
	Copy       int       `json:"copy"` // of the submission, from 1
	Title      string    `json:"title"`
	Pages      int       `json:"pages"`
	Form       string    `json:"form"`
	Officer    string    `json:"officer"`          // sign-in name
	Digest     string    `json:"digest,omitempty"` // SHA-256 of the copy before it was signed, in hexadecimal; older lines have none
	Book       string    `json:"book,omitempty"`   // as the mark shows it; older lines have none, they are of the configured name
	At         time.Time `json:"at"`
}

// OpenRegister opens the register of a kiosk; name is its book's, such as "SCT/BS". Lines that a crash cut short were answered to
// nobody and are left where they are.
func OpenRegister(path, name, kiosk string) (*Register, error) {
	r := &Register{path: path, name: name, kiosk: kiosk}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return r, nil
	}
	if err != nil {
		return nil, fmt.Errorf("open the register of certifications: %w", err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		var c Certified
		if json.Unmarshal(lines.Bytes(), &c) == nil && c.Number > 0 {
			r.put(c)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read the register of certifications: %w", err)
	}
	return r, nil
}

// Number gives a copy its number: "12/2026" and the book's name. c is the line to be, without year and number.
func (r *Register) Number(c Certified) (string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c.Year = c.At.In(Hanoi).Year()
	if i := r.index(c); i >= 0 {
		e := r.entries[i]
		c.Year, c.Number, c.Book = e.Year, e.Number, e.Book
		if c.says(e) {
			return r.shown(e), nil
		}
	} else {
		for _, e := range r.entries {
			if e.Year == c.Year {
				c.Number = max(c.Number, e.Number)
			}
		}
		c.Number++
		c.Book = r.Book()
	}
	line, err := json.Marshal(c)
	if err != nil {
		return "", fmt.Errorf("write the register of certifications: %w", err)
	}
	if err := r.append(line); err != nil {
		return "", fmt.Errorf("write the register of certifications: %w", err)
	}
	r.put(c)
	return r.shown(c), nil
}

// says tells whether two lines say the same of a copy; of its time, the day.
func (c Certified) says(e Certified) bool {
	day := func(t time.Time) string { return t.In(Hanoi).Format(time.DateOnly) }
	return c.Title == e.Title && c.Pages == e.Pages && c.Form == e.Form && c.Officer == e.Officer &&
		c.Digest == e.Digest && day(c.At) == day(e.At)
}

// Standing is what a register can say of the symbol on a printed copy.
type Standing string

// What it can say. None of it is said of the paper: a symbol is easily copied from one print to another.
const (
	NotHere   Standing = "not-here"  // no such number in this register: it may be another office's
	OtherCopy Standing = "other"     // the number is another copy's
	Entered   Standing = "entered"   // the number is there, from a time when digests were not kept
	SameCopy  Standing = "same-copy" // number and digest are those of one line
)

// Look looks a printed copy's number and digest up; the line is given with Entered and SameCopy.
func (r *Register) Look(number, digest string) (Certified, Standing) {
	r.mu.Lock()
	defer r.mu.Unlock()
	spaced := strings.Join(strings.Fields(number), " ")
	i := slices.IndexFunc(r.entries, func(e Certified) bool { return strings.EqualFold(r.shown(e), spaced) })
	switch {
	case i < 0:
		return Certified{}, NotHere
	case r.entries[i].Digest == "":
		return r.entries[i], Entered
	case !strings.EqualFold(r.entries[i].Digest, digest):
		return Certified{}, OtherCopy
	}
	return r.entries[i], SameCopy
}

// index is where a copy's line is, -1 where it has none.
func (r *Register) index(c Certified) int {
	return slices.IndexFunc(r.entries, func(e Certified) bool { return e.Submission == c.Submission && e.Copy == c.Copy })
}

// put takes a line in, in place of the copy's line before.
func (r *Register) put(c Certified) {
	if i := r.index(c); i >= 0 {
		r.entries[i] = c
	} else {
		r.entries = append(r.entries, c)
	}
}

func (r *Register) shown(c Certified) string {
	return strings.TrimSpace(fmt.Sprintf("%d/%d %s", c.Number, c.Year, r.bookOf(c)))
}

// bookOf is the book that a line stands in.
func (r *Register) bookOf(c Certified) string { return cmp.Or(c.Book, r.name) }

// append puts a line on the disk. What a crash left of the line before it is ended first.
func (r *Register) append(line []byte) error {
	f, err := os.OpenFile(r.path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	end, err := f.Seek(0, 2)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	last := []byte{'\n'}
	if end > 0 {
		if _, err := f.ReadAt(last, end-1); err != nil {
			return err
		}
	}
	if last[0] != '\n' {
		b.WriteByte('\n')
	}
	b.Write(line)
	b.WriteByte('\n')
	_, err = f.WriteAt(b.Bytes(), end)
	if err == nil {
		err = f.Sync()
	}
	if err != nil { // its number is given to the next one: it must not be found here as well
		return errors.Join(err, f.Truncate(end))
	}
	if end > 0 {
		return nil
	}
	dir, err := os.Open(filepath.Dir(r.path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// Book is the name of the book that new lines stand in, as the mark on a copy shows it: what is configured and the kiosk's id, but where
// that is a word of it already ("SCT/BS-K1" of the kiosk k1).
func (r *Register) Book() string {
	if r == nil {
		return ""
	}
	word := regexp.MustCompile(`(?i)(^|[^\pL\pN])` + regexp.QuoteMeta(r.kiosk) + `([^\pL\pN]|$)`)
	if word.MatchString(r.name) {
		return r.name
	}
	return strings.TrimSpace(r.name + " " + r.kiosk)
}

// In are the lines of a month ("2026-11"), in the order of their numbers.
func (r *Register) In(month string) []Certified {
	if r == nil {
		return nil
	}
	lines := slices.DeleteFunc(r.Entries(), func(c Certified) bool { return !c.Month(month) })
	slices.SortStableFunc(lines, func(a, b Certified) int { return cmp.Or(a.Year-b.Year, a.Number-b.Number) })
	return lines
}

// Entries are the register's lines, the newest last.
func (r *Register) Entries() []Certified {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]Certified(nil), r.entries...)
}
