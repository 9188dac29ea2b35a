package scan

import "fmt"

// Code names a device fault for programs.
type Code string

// The faults a person at the counter can do something about.
const (
	Jammed       Code = "jammed"
	NoDocuments  Code = "no-documents"
	CoverOpen    Code = "cover-open"
	Busy         Code = "busy"
	AccessDenied Code = "access-denied"
	IOError      Code = "io-error"
	OutOfMemory  Code = "out-of-memory"
	Unplugged    Code = "unplugged"
	NoDevice     Code = "no-device"
	Unsupported  Code = "unsupported"
	TimedOut     Code = "timed-out"
	DoubleFeed   Code = "double-feed"
	Insecure     Code = "insecure"  // a network device whose connection cannot be trusted
	Cancelled    Code = "cancelled" // by a button at the device; a cancelled context is no fault
)

// Fault is a device error that a person can mend. It carries a code for programs, a sentence for the
// technician, and a key into the citizen's message catalogue (agent's i18n, "fault.<code>"): the
// citizen's sentence says what to do, not what broke.
type Fault struct {
	Code       Code
	Device     string
	Technician string // one sentence with the mend in it
	Err        error  // the cause, for the log
}

func (f *Fault) Error() string {
	if f.Err != nil {
		return fmt.Sprintf("%s: %s: %v", f.Device, f.Technician, f.Err)
	}
	return fmt.Sprintf("%s: %s", f.Device, f.Technician)
}

// Unwrap gives the cause.
func (f *Fault) Unwrap() error { return f.Err }

// Message is the key of the citizen's sentence.
func (f *Fault) Message() string { return "fault." + string(f.Code) }

// Is reports two faults with the same code as the same, so that callers can ask
// errors.Is(err, &scan.Fault{Code: scan.Jammed}).
func (f *Fault) Is(target error) bool {
	t, ok := target.(*Fault)
	return ok && t.Code == f.Code
}
