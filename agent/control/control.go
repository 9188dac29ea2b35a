// Package control lets the command line work beside a running daemon, which alone has the queue and the
// audit log open. In go requests over a unix socket in the data folder; out come the queue's own answers
// and errors. It promises that it answers only a process of its own user or of root, in its own process table, that
// whatever shows or changes a submission is given only to who can read the data folder's secret (a process that was
// taken over and can open a socket, but no file, gets nothing), and that errors.Is finds the queue's errors on both sides.
package control

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"filippo.io/age"

	"motcua/agent/staff"
	"motcua/queue"
	"motcua/queue/seal"
)

// SocketName is the socket's name in the data folder.
const SocketName = "motcua.sock"

// secretName is the file with the secret of the running daemon, made anew at each start.
const secretName = "motcua.secret"

// secretHeader carries it; asking how the daemon is needs none.
const secretHeader = "X-Motcua-Secret"

// ErrNoDaemon says that no daemon answers in the data folder.
var ErrNoDaemon = errors.New("no daemon is running")

// Status is what a daemon says of itself.
type Status struct {
	PID     int         `json:"pid"`
	Version string      `json:"version"`
	Started time.Time   `json:"started"`
	Address string      `json:"address"` // of the screen
	Upload  string      `json:"upload"`  // where submissions go: tus, s3, folder, none
	Queue   queue.Stats `json:"queue"`

	// Instead is why the configuration file is not in force but the last one that ran; empty where it is.
	Instead string `json:"instead,omitempty"`

	// Forbidden counts the system calls that recognition's workers were ended for, by name.
	Forbidden map[string]int `json:"forbidden,omitempty"`
}

// StaffChange is what the command line asks of the list of staff.
type StaffChange struct {
	Act  string     `json:"act"` // StaffAdd, StaffPIN or StaffRemove
	Name string     `json:"name"`
	Role staff.Role `json:"role,omitempty"`
	PIN  string     `json:"pin,omitempty"`
}

// The acts.
const (
	StaffAdd    = "add"
	StaffPIN    = "pin"
	StaffRemove = "remove"
)

// String and GoString keep the PIN out of logs.
func (c StaffChange) String() string   { return c.Act + " " + c.Name }
func (c StaffChange) GoString() string { return c.String() }

// fault is an error on its way over the socket.
type fault struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// sentinels are the errors callers branch on, with their code and HTTP status.
var sentinels = []struct {
	code   string
	err    error
	status int
}{
	{"not-found", queue.ErrNotFound, http.StatusNotFound},
	{"state", queue.ErrState, http.StatusConflict},
	{"wiped", queue.ErrWiped, http.StatusGone},
	{"full", queue.ErrFull, http.StatusInsufficientStorage},
	{"bad-name", staff.ErrBadName, http.StatusUnprocessableEntity},
	{"bad-role", staff.ErrBadRole, http.StatusUnprocessableEntity},
	{"weak-pin", staff.ErrWeakPIN, http.StatusUnprocessableEntity},
	{"exists", staff.ErrExists, http.StatusConflict},
	{"no-such-name", staff.ErrNotFound, http.StatusNotFound},
	{"last-technician", staff.ErrLastAdmin, http.StatusConflict},
	{"closed", queue.ErrClosed, http.StatusServiceUnavailable},
	{"read-only", queue.ErrReadOnly, http.StatusServiceUnavailable},
}

// wireError is an error of the daemon as the client sees it.
type wireError struct {
	message string
	is      error
}

func (e *wireError) Error() string { return e.message }
func (e *wireError) Unwrap() error { return e.is }

// short gives a path to the socket that fits into a socket address (107 bytes), whatever the folder is
// called. close must be called once the path was used.
func short(dir string) (path string, close func(), err error) {
	path = filepath.Join(dir, SocketName)
	if len(path) < 100 {
		return path, func() {}, nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return "", nil, err
	}
	return filepath.Join("/proc/self/fd", fmt.Sprint(d.Fd()), SocketName), func() { d.Close() }, nil
}

// Keys opens an export: age identities, or a passphrase.
type Keys struct {
	Text       string `json:"text,omitempty"` // as age writes them: "AGE-SECRET-KEY-1…"
	Passphrase string `json:"passphrase,omitempty"`
}

// String and GoString keep the keys out of logs.
func (Keys) String() string   { return "keys" }
func (Keys) GoString() string { return "keys" }

// Identities parses the keys.
func (k Keys) Identities() ([]age.Identity, error) {
	if k.Passphrase != "" {
		identity, err := seal.FromPassphrase(k.Passphrase)
		if err != nil {
			return nil, err
		}
		return []age.Identity{identity}, nil
	}
	return seal.ParseIdentities(k.Text)
}

// Export says what is exported, and who may open it.
type Export struct {
	To          []string `json:"to,omitempty"` // age recipients: "age1…"
	Passphrase  string   `json:"passphrase,omitempty"`
	Submissions []string `json:"submissions,omitempty"` // ids or codes; none is all that were not delivered
}

// String and GoString keep the passphrase out of logs.
func (Export) String() string   { return "export" }
func (Export) GoString() string { return "export" }

// Recipients parses who may open the export.
func (e Export) Recipients() ([]age.Recipient, error) {
	if e.Passphrase != "" {
		recipient, err := seal.ToPassphrase(e.Passphrase)
		if err != nil {
			return nil, err
		}
		return []age.Recipient{recipient}, nil
	}
	return seal.ParseRecipients(strings.Join(e.To, "\n"))
}
