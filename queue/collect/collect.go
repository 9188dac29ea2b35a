// Package collect takes finished uploads out of a tusd's store, a disk or an S3 bucket, for who files submissions: a
// province's desk behind tusd. In go the store and a way to file; out comes each submission, proved, filed once.
//
// It promises: an upload is removed only after its submission was filed durably, so that a kill at any moment loses nothing;
// of two collectors at one store only one files a submission, whichever dies when: the claim on it is made by the store
// itself, in one step, and stays with who made it; what is not as it was announced (size, digest, seal) is left where it
// lies, noted, and told.
package collect

import (
	"archive/zip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"regexp"
	"sync"
	"time"

	"filippo.io/age"

	"motcua/queue/receive"
)

// Errors that a File function may wrap.
var (
	// ErrOther says that the submission was filed before with other content.
	ErrOther = errors.New("the submission was filed before with other content")
	// ErrUnproved says that the bundle's content is not what its manifest says.
	ErrUnproved = errors.New("the bundle is not what it says it is")
)

// Upload is one that lies in the store.
type Upload struct {
	Key      string    // of the store's own
	Size     int64     // announced
	Finished bool      // all bytes are there
	Since    time.Time // when the last of them came, by the store's clock
	Meta     map[string]string
}

// Bundle is an upload's content, opened.
type Bundle interface {
	io.ReaderAt
	io.Closer
}

// Claim is who files a submission, and how far that is. It lies in the store.
type Claim struct {
	Owner  string    `json:"owner"`
	State  string    `json:"state"` // claimed, filed, or refused
	SHA256 string    `json:"sha256"`
	Upload string    `json:"upload"` // key of the upload that the state is about
	Why    string    `json:"why,omitempty"`
	At     time.Time `json:"at"`
}

// The states of a claim.
const (
	claimed = "claimed"
	filed   = "filed"
	refused = "refused"
)

// Store is where tusd keeps uploads.
type Store interface {
	// Uploads shows all uploads, finished or not, until do fails.
	Uploads(ctx context.Context, do func(Upload) error) error
	Open(ctx context.Context, u Upload) (Bundle, error)
	// Claim lays a claim on a submission unless there is one, in one step, and returns the one that counts.
	Claim(ctx context.Context, submission string, c Claim) (Claim, error)
	// Note replaces a claim; only its owner does.
	Note(ctx context.Context, submission string, c Claim) error
	// Remove removes an upload. One that is not there is no error.
	Remove(ctx context.Context, u Upload) error
	String() string
}

// Options say what to do with what is found.
type Options struct {
	Store Store
	Owner string // the name of who files: that of the desk's store, the same after every restart
	// InsteadOf is an owner that will never come back: what it had claimed and not filed is filed by this one. A person says so,
	// who knows that nothing of what that owner filed without noting it is in use.
	InsteadOf string
	// File files a submission durably; known is true for one that was filed before with the same content. parts are the opened
	// bundle's files, manifest.json among them, or bundle.zip.age alone where receipt.Sealed.
	File       func(ctx context.Context, receipt receive.Receipt, parts fs.FS) (fresh bool, err error)
	Identities []age.Identity
	Every      time.Duration // between two looks; 0 = 5 s
	Rest       time.Duration // how long an upload stays after its last byte came, filed or not; 0 = 2 min, below 0 = not at all
	Count      func(outcome string)
	Clock      func() time.Time
	Log        *slog.Logger
}

// Collector files what comes into one store.
type Collector struct {
	o    Options
	told map[string]bool // uploads that lie there and are not filed, told once

	rest, rested map[string]bool // uploads that are filed and stay for a while, by this look and by the one before
}

// The outcomes that are counted.
const (
	Filed       = "filed"
	Known       = "known"         // a second upload of what is filed
	OtherDigest = "other-digest"  // the bytes are not those that were announced
	BadSeal     = "bad-seal"      // sealed and damaged
	Unproved    = "unproved"      // a part is not what the manifest says
	Other       = "other-content" // filed before with other content
	BadName     = "bad-name"      // the upload names no submission
	Elsewhere   = "elsewhere"     // claimed long ago by another owner, which has not filed it
	Trouble     = "trouble"       // store or disk, tried again
)

// Outcomes lists them.
var Outcomes = []string{Filed, Known, OtherDigest, BadSeal, Unproved, Other, BadName, Elsewhere, Trouble}

var (
	validID   = regexp.MustCompile(`^[0-9A-Za-z_-]{1,64}$`)
	validSum  = regexp.MustCompile(`^[0-9a-f]{64}$`)
	validCode = regexp.MustCompile(`^[0-9A-Z-]{0,20}$`)
)

// restFor is how long an upload stays where it came by default. A kiosk asks for it after the last byte (HEAD), and takes one
// that is not there for lost: it sends all again, and after the second time asks a person.
const restFor = 2 * time.Minute

// New checks the options.
func New(o Options) (*Collector, error) {
	if o.Store == nil || o.File == nil || !validID.MatchString(o.Owner) {
		return nil, errors.New("collect: store, owner and a way to file are needed")
	}
	if o.Every <= 0 {
		o.Every = 5 * time.Second
	}
	if o.Rest == 0 {
		o.Rest = restFor
	}
	if o.Count == nil {
		o.Count = func(string) {}
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return &Collector{o: o, told: map[string]bool{}, rest: map[string]bool{}}, nil
}

// Run collects until ctx ends. A store that is away is waited for.
func (c *Collector) Run(ctx context.Context) error {
	tick := time.NewTicker(c.o.Every)
	defer tick.Stop()
	for {
		if _, err := c.Pass(ctx); err != nil && ctx.Err() == nil {
			c.o.Log.Error("collect", "store", c.o.Store.String(), "error", err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// Pass looks once at all uploads and files what is finished; it returns how many it filed. What goes wrong with one upload
// holds up none of the others.
func (c *Collector) Pass(ctx context.Context) (n int, err error) {
	c.rested, c.rest = c.rest, map[string]bool{} // what is gone is forgotten
	err = c.o.Store.Uploads(ctx, func(u Upload) error {
		outcome, err := c.one(ctx, u)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			c.o.Count(Trouble)
			c.o.Log.Error("collect upload", "upload", u.Key, "submission", clean(u.Meta["submission"]), "error", err)
		case outcome == Filed:
			n++
			c.o.Count(outcome)
		case outcome != "" && !c.told[u.Key]:
			c.told[u.Key] = outcome != Known
			c.o.Count(outcome)
			c.o.Log.Warn("collect upload", "upload", u.Key, "submission", clean(u.Meta["submission"]), "outcome", outcome)
		}
		return nil
	})
	return n, err
}

// clean is an id fit for a log; what is none was written by anybody.
func clean(id string) string {
	if validID.MatchString(id) {
		return id
	}
	return "(none)"
}

// one files an upload, or says why not; "" is for what is not this collector's, or told already.
func (c *Collector) one(ctx context.Context, u Upload) (outcome string, err error) {
	id, sum := u.Meta["submission"], u.Meta["sha256"]
	if !validID.MatchString(id) || !validSum.MatchString(sum) || !validCode.MatchString(u.Meta["code"]) {
		return BadName, nil
	}
	mine := Claim{Owner: c.o.Owner, State: claimed, SHA256: sum, Upload: u.Key, At: c.o.Clock().UTC()}
	if !u.Finished {
		return "", c.leftover(ctx, u, id)
	}
	if c.rested[u.Key] && c.resting(u) {
		c.rest[u.Key] = true
		return "", nil
	}
	is, err := c.o.Store.Claim(ctx, id, mine)
	if err != nil {
		return "", fmt.Errorf("claim: %w", err)
	}
	switch {
	case is.State == filed && is.SHA256 == sum:
		return c.clear(ctx, u, is)
	case is.Owner != c.o.Owner && is.Owner != c.o.InsteadOf:
		if mine.At.Sub(is.At) < longClaimed {
			return "", nil
		}
		return Elsewhere, nil
	case is.State == filed:
		return Other, nil
	case is.State == refused && is.Upload == u.Key:
		return "", nil
	}
	return c.file(ctx, u, mine)
}

// resting tells whether an upload is to stay where it lies for now.
func (c *Collector) resting(u Upload) bool { return c.o.Clock().Sub(u.Since) < c.o.Rest }

// clear removes an upload of what is filed, once its kiosk had time to see that it arrived.
func (c *Collector) clear(ctx context.Context, u Upload, is Claim) (outcome string, err error) {
	if c.resting(u) {
		c.rest[u.Key] = true
		return "", nil
	}
	if err := c.o.Store.Remove(ctx, u); err != nil {
		return "", fmt.Errorf("remove what is filed: %w", err)
	}
	if is.Upload == u.Key {
		return "", nil
	}
	return Known, nil
}

// longClaimed is after how long a claim that was not filed is told: its owner may be gone, as after a desk's index was lost and
// made anew under another name. Only a person can know (Options.InsteadOf).
const longClaimed = time.Hour

// leftover removes what is left of an upload that was filed: a kill came between the removal of its two files.
func (c *Collector) leftover(ctx context.Context, u Upload, id string) error {
	is, err := c.o.Store.Claim(ctx, id, Claim{})
	if err != nil || is.State != filed || is.Upload != u.Key {
		return err
	}
	return c.o.Store.Remove(ctx, u)
}

// file proves and files an upload that is claimed by us. The order: filed durably, noted, removed. A kill before the note
// leaves an upload that is filed again, and known then.
func (c *Collector) file(ctx context.Context, u Upload, mine Claim) (string, error) {
	id := u.Meta["submission"]
	opened, err := c.o.Store.Open(ctx, u)
	if err != nil {
		return "", fmt.Errorf("open: %w", err)
	}
	bundle := &watched{Bundle: opened}
	defer bundle.Close()
	outcome, why, err := c.prove(ctx, u, bundle)
	if fault := bundle.err(); fault != nil && outcome != Filed && outcome != Known {
		return "", fmt.Errorf("read: %w", fault) // says nothing about the bundle
	}
	if err != nil {
		return "", err
	}
	if outcome != Filed && outcome != Known {
		mine.State, mine.Why = refused, why
		if err := c.o.Store.Note(ctx, id, mine); err != nil {
			return "", fmt.Errorf("note: %w", err)
		}
		return outcome, nil
	}
	mine.State = filed
	if err := c.o.Store.Note(ctx, id, mine); err != nil {
		return "", fmt.Errorf("note: %w", err)
	}
	_, err = c.clear(ctx, u, mine)
	return outcome, err
}

// watched remembers that the store could not be read: what follows from that is no verdict on the bundle.
type watched struct {
	Bundle
	mu    sync.Mutex // guards fault
	fault error
}

func (w *watched) ReadAt(p []byte, off int64) (int, error) {
	n, err := w.Bundle.ReadAt(p, off)
	if err != nil && err != io.EOF {
		w.mu.Lock()
		w.fault = err
		w.mu.Unlock()
	}
	return n, err
}

func (w *watched) err() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.fault
}

// prove holds a bundle against its digest and opens it, then files it.
func (c *Collector) prove(ctx context.Context, u Upload, bundle Bundle) (outcome, why string, err error) {
	hash := sha256.New()
	if n, err := io.Copy(hash, io.NewSectionReader(bundle, 0, u.Size)); err != nil {
		return "", "", fmt.Errorf("read: %w", err)
	} else if n != u.Size || hex.EncodeToString(hash.Sum(nil)) != u.Meta["sha256"] {
		return OtherDigest, "the bytes are not those that were announced: let the kiosk send it again", nil
	}
	receipt := receive.Receipt{ID: u.Meta["submission"], Code: u.Meta["code"], SHA256: u.Meta["sha256"], Size: u.Size,
		Received: c.o.Clock().UTC().Truncate(time.Second)}
	parts, sealed, err := open(bundle, u.Size, c.o.Identities)
	if err != nil {
		return BadSeal, err.Error(), nil
	}
	receipt.Sealed = sealed
	if !sealed {
		receipt.Kiosk = kioskOf(parts)
	}
	fresh, err := c.o.File(ctx, receipt, parts)
	switch {
	case errors.Is(err, ErrOther):
		return Other, ErrOther.Error(), nil
	case errors.Is(err, ErrUnproved):
		return Unproved, err.Error(), nil
	case err != nil:
		return "", "", fmt.Errorf("file: %w", err)
	case !fresh:
		return Known, "", nil
	}
	return Filed, "", nil
}

const ageMagic = "age-encryption.org/v1\n"

// open opens a bundle; sealed is for one that none of the keys opens: it is filed as it is.
func open(bundle io.ReaderAt, size int64, with []age.Identity) (parts fs.FS, sealed bool, err error) {
	head := make([]byte, len(ageMagic))
	if _, err := bundle.ReadAt(head, 0); err != nil && err != io.EOF {
		return nil, false, fmt.Errorf("read: %w", err)
	}
	if string(head) == ageMagic {
		if len(with) == 0 {
			return closed{bundle, size}, true, nil
		}
		plain, n, err := age.DecryptReaderAt(bundle, size, with...)
		var other *age.NoIdentityMatchError
		switch {
		case errors.As(err, &other):
			return closed{bundle, size}, true, nil
		case err != nil:
			return nil, false, errors.New("the sealed bundle can't be opened")
		}
		bundle, size = plain, n
	}
	z, err := zip.NewReader(bundle, size)
	if err != nil {
		return nil, false, errors.New("the bundle is no ZIP file")
	}
	if err := receive.Plain(z, size, receive.MostParts); err != nil { // anybody may have laid it into a tusd
		return nil, false, err
	}
	return z, false, nil
}

// kioskOf is what the bundle says of its kiosk: tusd asks nobody who he is, so it is the kiosk's own word.
func kioskOf(parts fs.FS) string {
	text, err := fs.ReadFile(parts, "manifest.json")
	var m struct {
		Labels map[string]string `json:"labels"`
	}
	if err != nil || json.Unmarshal(text, &m) != nil || !validID.MatchString(m.Labels["kiosk"]) {
		return ""
	}
	return m.Labels["kiosk"]
}
