package sign

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// Register is the register of certifications (sổ chứng thực) of one kiosk: numbers that run through the year (Decree
// 23/2015/NĐ-CP, article 13), one a signed copy. It names no person: who asked stands in the submission. A number is written
// down, and on the disk, before anything is signed with it; asked for again, after a crash or a wrong PIN, a copy gets the
// same one. So none stands on two copies; one whose copy was never sent stays as it is and says nothing.
type Register struct {
	path string
	book string

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
	Officer    string    `json:"officer"` // sign-in name
	At         time.Time `json:"at"`
}

// OpenRegister opens a register; book is its name as the mark on a copy shows it, such as "SCT/BS". Lines that a crash cut
// short were answered to nobody and are left where they are.
func OpenRegister(path, book string) (*Register, error) {
	r := &Register{path: path, book: book}
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
			r.entries = append(r.entries, c)
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
	c.Year = c.At.In(hanoi).Year()
	for _, e := range r.entries {
		if e.Submission == c.Submission && e.Copy == c.Copy {
			return r.shown(e), nil
		}
		if e.Year == c.Year {
			c.Number = max(c.Number, e.Number)
		}
	}
	c.Number++
	line, err := json.Marshal(c)
	if err != nil {
		return "", fmt.Errorf("write the register of certifications: %w", err)
	}
	if err := r.append(line); err != nil {
		return "", fmt.Errorf("write the register of certifications: %w", err)
	}
	r.entries = append(r.entries, c)
	return r.shown(c), nil
}

func (r *Register) shown(c Certified) string {
	if r.book == "" {
		return fmt.Sprintf("%d/%d", c.Number, c.Year)
	}
	return fmt.Sprintf("%d/%d %s", c.Number, c.Year, r.book)
}

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
	if _, err := f.WriteAt(b.Bytes(), end); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
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

// Entries are the register's lines, the newest last.
func (r *Register) Entries() []Certified {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]Certified(nil), r.entries...)
}
