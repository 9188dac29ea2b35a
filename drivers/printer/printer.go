// Package printer has the words that all printers share: what a person can mend when nothing comes out.
package printer

import "fmt"

// Code names a printer's fault for programs.
type Code string

// The faults a person at the counter can do something about.
const (
	NoPaper     Code = "no-paper"
	Jammed      Code = "jammed"
	CoverOpen   Code = "cover-open"
	NoInk       Code = "no-ink"
	Stopped     Code = "stopped"     // somebody has stopped its queue
	Unreachable Code = "unreachable" // switched off, unplugged, or no such printer
	Refused     Code = "refused"     // it does not take such a document
	Silent      Code = "silent"      // it takes nothing in, and does not say why: mostly out of paper, or open
)

// Fault is a printer's error that a person can mend.
type Fault struct {
	Code Code
	Err  error // the cause, for the log; nil where the printer itself said it
}

func (f *Fault) Error() string {
	if f.Err == nil {
		return "printer: " + string(f.Code)
	}
	return fmt.Sprintf("printer: %s: %v", f.Code, f.Err)
}

// Unwrap gives the cause.
func (f *Fault) Unwrap() error { return f.Err }

// Message is the key of the sentence for whoever waits for the paper.
func (f *Fault) Message() string { return "print." + string(f.Code) }
