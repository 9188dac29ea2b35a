package receive

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Kiosks is a file that says who may send, one kiosk a line, read again whenever it changes:
//
//	# name     what it shows
//	ward-7-a   3f0c…                      a token, as it is in the kiosk's upload.tus.token_file
//	ward-7-b   sha256:9f86d081884c7d65…   the same as a digest, so that who reads this file can't send
//	ward-8     certificate                a client certificate whose common name is this one
//
// A line that is taken away revokes that kiosk and no other.
type Kiosks struct {
	path string

	mu    sync.Mutex // guards what follows
	mtime time.Time
	size  int64
	list  []kiosk
}

type kiosk struct {
	name        string
	token       [sha256.Size]byte
	certificate bool
}

var kioskName = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z._-]{0,63}$`)

// tokenLeast is the fewest characters of a token: 16 random ones are beyond guessing.
const tokenLeast = 16

// OpenKiosks reads the file. Every mistake in it is told with its line.
func OpenKiosks(path string) (*Kiosks, error) {
	k := &Kiosks{path: path}
	if err := k.refresh(); err != nil {
		return nil, err
	}
	return k, nil
}

// refresh reads the file if it changed. What can't be read leaves the list as it was.
func (k *Kiosks) refresh() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	info, err := os.Stat(k.path)
	if err != nil {
		return fmt.Errorf("read the list of kiosks: %w", err)
	}
	if info.ModTime().Equal(k.mtime) && info.Size() == k.size {
		return nil
	}
	data, err := os.ReadFile(k.path)
	if err != nil {
		return fmt.Errorf("read the list of kiosks: %w", err)
	}
	list, err := parseKiosks(data)
	if err != nil {
		return fmt.Errorf("read the list of kiosks: %s: %w", k.path, err)
	}
	k.list, k.mtime, k.size = list, info.ModTime(), info.Size()
	return nil
}

func parseKiosks(data []byte) ([]kiosk, error) {
	var list []kiosk
	seen := map[string]bool{}
	lines := bufio.NewScanner(bytes.NewReader(data))
	for n := 1; lines.Scan(); n++ {
		words := strings.Fields(lines.Text())
		if len(words) == 0 || strings.HasPrefix(words[0], "#") {
			continue
		}
		// What a line shows is a secret and never repeated.
		switch {
		case len(words) != 2:
			return nil, fmt.Errorf("line %d: write a name and a token, sha256:DIGEST or certificate", n)
		case !kioskName.MatchString(words[0]):
			return nil, fmt.Errorf("line %d: a name is of letters, digits, dots and hyphens", n)
		case seen[words[0]]:
			return nil, fmt.Errorf("line %d: %s is there twice", n, words[0])
		}
		one := kiosk{name: words[0]}
		digest, digested := strings.CutPrefix(words[1], "sha256:")
		switch raw, err := hex.DecodeString(digest); {
		case words[1] == "certificate":
			one.certificate = true
		case digested && (err != nil || len(raw) != sha256.Size):
			return nil, fmt.Errorf("line %d: sha256: wants 64 hexadecimal digits", n)
		case digested:
			copy(one.token[:], raw)
		case len(words[1]) < tokenLeast:
			return nil, fmt.Errorf("line %d: a token has at least %d characters; openssl rand -hex 24 makes one", n, tokenLeast)
		default:
			one.token = sha256.Sum256([]byte(words[1]))
		}
		seen[one.name] = true
		list = append(list, one)
	}
	return list, lines.Err()
}

// ErrNoKiosk says that no kiosk of that name is in the list.
var ErrNoKiosk = errors.New("no kiosk of that name is in the list")

// Names lists the kiosks that may send, in the order of the file.
func (k *Kiosks) Names() ([]string, error) {
	if err := k.refresh(); err != nil {
		return nil, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	names := make([]string, len(k.list))
	for i, one := range k.list {
		names[i] = one.name
	}
	return names, nil
}

// Revoke takes a kiosk out of the list, at once and in the file: its line becomes a comment that says who did it and when,
// with a digest where a token stood, so that the kiosk can be let in again by taking that away.
func (k *Kiosks) Revoke(name, by string, now time.Time) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	data, err := os.ReadFile(k.path)
	if err != nil {
		return fmt.Errorf("revoke a kiosk: %w", err)
	}
	lines := strings.SplitAfter(string(data), "\n")
	found := false
	for i, line := range lines {
		words := strings.Fields(line)
		if len(words) != 2 || words[0] != name {
			continue
		}
		found = true
		if words[1] != "certificate" && !strings.HasPrefix(words[1], "sha256:") {
			sum := sha256.Sum256([]byte(words[1]))
			words[1] = "sha256:" + hex.EncodeToString(sum[:])
		}
		lines[i] = fmt.Sprintf(revokedMark+"%s by %s: %s %s\n", now.UTC().Format(time.RFC3339), by, words[0], words[1])
	}
	if !found {
		return fmt.Errorf("revoke %s: %w", name, ErrNoKiosk)
	}
	return k.replace(strings.Join(lines, ""))
}

// revokedMark begins the line of a kiosk that Revoke took out.
const revokedMark = "# revoked "

// Restore puts a kiosk back that Revoke took out of the list, with the credential that was taken from it last. One that was given a
// credential since keeps that one, and has no other.
func (k *Kiosks) Restore(name string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	data, err := os.ReadFile(k.path)
	if err != nil {
		return fmt.Errorf("let a kiosk in again: %w", err)
	}
	lines := strings.SplitAfter(string(data), "\n")
	last, at := -1, time.Time{}
	for i, line := range lines {
		if words := strings.Fields(line); len(words) == 2 && words[0] == name {
			return nil
		}
		head, entry, _ := strings.Cut(line, ": ")
		head, marked := strings.CutPrefix(head, revokedMark)
		words := strings.Fields(entry)
		if !marked || len(words) != 2 || words[0] != name {
			continue
		}
		day, _, _ := strings.Cut(head, " ")
		revoked, _ := time.Parse(time.RFC3339, day) // a time that a person spoilt is the oldest
		if last < 0 || !revoked.Before(at) {        // lines lie in the order in which kiosks were let in
			last, at = i, revoked
		}
	}
	if last < 0 {
		return fmt.Errorf("let %s in again: %w", name, ErrNoKiosk)
	}
	_, entry, _ := strings.Cut(lines[last], ": ")
	lines[last] = strings.Join(strings.Fields(entry), " ") + "\n"
	return k.replace(strings.Join(lines, ""))
}

// replace writes the list anew, if it is one; mu is held.
func (k *Kiosks) replace(text string) error {
	list, err := parseKiosks([]byte(text))
	if err != nil {
		return fmt.Errorf("change the list of kiosks: %s: %w", k.path, err)
	}
	if err := replaceFile(k.path, []byte(text)); err != nil {
		return fmt.Errorf("change the list of kiosks: %w", err)
	}
	k.list = list
	k.mtime = time.Time{} // read anew at the next request
	return nil
}

// replaceFile writes a file durably in place of the one before, with its rights.
func replaceFile(path string, data []byte) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if err := os.Remove(path + ".part"); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := writeFile(path+".part", bytes.NewReader(data)); err != nil {
		return err
	}
	if err := os.Chmod(path+".part", info.Mode().Perm()); err != nil {
		return err
	}
	if err := os.Rename(path+".part", path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// byToken finds the kiosk that a token is of.
func (k *Kiosks) byToken(sum [sha256.Size]byte) (name string, ok bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, one := range k.list {
		if !one.certificate && subtle.ConstantTimeCompare(one.token[:], sum[:]) == 1 {
			name, ok = one.name, true
		}
	}
	return name, ok
}

// byCertificate reports whether a kiosk may come with a certificate.
func (k *Kiosks) byCertificate(name string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, one := range k.list {
		if one.name == name && one.certificate {
			return true
		}
	}
	return false
}

// door tells who a request is from and slows down who guesses.
type door struct {
	r *Receiver

	mu      sync.Mutex // guards what follows
	guesses map[string]*guesser
	good    map[string]time.Time // address and digest of a token that was right there lately
}

// guesser is an address from which wrong tokens came.
type guesser struct {
	allowed *rate.Limiter
	wrong   int
	last    time.Time
}

const (
	guessEvery  = 2 * time.Second // a wrong token an address, when the burst is used up
	guessBurst  = 10
	guessForget = time.Hour
	guessMost   = 10_000 // addresses remembered
)

// enter returns the kiosk's name ("" where nobody is asked who he is); ok is false when the request was answered.
func (d *door) enter(w http.ResponseWriter, req *http.Request) (kiosk string, ok bool) {
	o := d.r.o
	if o.Kiosks != nil {
		if err := o.Kiosks.refresh(); err != nil {
			o.Log.Error("the list of kiosks stays as it was", "error", err)
		}
	}
	if req.TLS != nil && len(req.TLS.VerifiedChains) > 0 {
		name := req.TLS.PeerCertificates[0].Subject.CommonName
		if kioskName.MatchString(name) && (o.Kiosks == nil || o.Kiosks.byCertificate(name)) {
			return name, true
		}
		o.Log.Warn("kiosk refused: its certificate is good, its name is not in the list", "address", req.RemoteAddr)
		http.Error(w, "this kiosk is not let in any more: ask the office", http.StatusUnauthorized)
		return "", false
	}
	if o.Kiosks == nil && o.Token == "" {
		return "", true
	}
	address, _, err := net.SplitHostPort(req.RemoteAddr)
	if err != nil {
		address = req.RemoteAddr
	}
	token, _ := strings.CutPrefix(req.Header.Get("Authorization"), "Bearer ")
	sum := sha256.Sum256([]byte(token))
	seat := address + " " + hex.EncodeToString(sum[:])
	if wait := d.slowed(address, seat); wait > 0 {
		w.Header().Set("Retry-After", fmt.Sprint(int(wait/time.Second)+1))
		http.Error(w, "too many wrong tokens from this address: wait", http.StatusTooManyRequests)
		return "", false
	}
	if name, ok := d.known(token, sum); ok {
		d.right(seat)
		return name, true
	}
	d.wrong(address)
	w.Header().Set("WWW-Authenticate", `Bearer realm="motcua"`)
	http.Error(w, "token missing or wrong", http.StatusUnauthorized)
	return "", false
}

func (d *door) known(token string, sum [sha256.Size]byte) (string, bool) {
	if token == "" {
		return "", false
	}
	if t := d.r.o.Token; t != "" {
		if want := sha256.Sum256([]byte(t)); subtle.ConstantTimeCompare(want[:], sum[:]) == 1 {
			return "", true
		}
	}
	if d.r.o.Kiosks == nil {
		return "", false
	}
	return d.r.o.Kiosks.byToken(sum)
}

// allowed tells whether a kiosk that was let in under this name by the list is in it still.
func (d *door) allowed(kiosk string) bool {
	k := d.r.o.Kiosks
	if k == nil || kiosk == "" {
		return true
	}
	names, err := k.Names()
	return err != nil || slices.Contains(names, kiosk) // a list that can't be read stays as it was
}

// slowed says how long an address has to wait from which too many wrong tokens came. Its token is then not even looked
// at, unless it was right there lately: kiosks of one office share an address.
func (d *door) slowed(address, seat string) time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	g := d.guesses[address]
	if g == nil || time.Since(d.good[seat]) < guessForget {
		return 0
	}
	if g.allowed.Tokens() >= 1 {
		return 0
	}
	return guessEvery
}

func (d *door) right(seat string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.good) >= guessMost {
		clear(d.good)
	}
	d.good[seat] = time.Now()
}

// wrong counts a guess, and tells of it when the count doubles.
func (d *door) wrong(address string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.guesses) >= guessMost {
		for a, g := range d.guesses {
			if time.Since(g.last) > guessForget {
				delete(d.guesses, a)
			}
		}
	}
	g := d.guesses[address]
	if g == nil {
		g = &guesser{allowed: rate.NewLimiter(rate.Every(guessEvery), guessBurst)}
		d.guesses[address] = g
	}
	g.allowed.Allow()
	g.wrong++
	g.last = time.Now()
	if g.wrong&(g.wrong-1) == 0 {
		d.r.o.Log.Warn("wrong token", "address", address, "count", g.wrong)
	}
}

// A body that comes slower than this is cut off, so that nobody holds a connection for nothing.
const (
	slowest   = 256              // bytes a second, on average
	slowGrace = 60 * time.Second // before that is asked for
	slowStall = 60 * time.Second // no byte at all
)

// steady reads a request's body and gives up on one that only drips.
type steady struct {
	body    interface{ Read([]byte) (int, error) }
	control *http.ResponseController
	begun   time.Time
	n       int64
	grace   time.Duration
	stall   time.Duration

	allowed func() bool // whether its kiosk may still send; asked now and then
	asked   time.Time

	turnedOut bool
}

// end keeps the rest of a body whose kiosk was turned out from being read, to be thrown away, once it is answered.
func (s *steady) end() {
	if s.turnedOut {
		_ = s.control.SetReadDeadline(time.Now())
	}
}

// askEvery is how soon a kiosk that is let in no more is cut off in the middle of a body.
const askEvery = 500 * time.Millisecond

func (s *steady) Read(p []byte) (int, error) {
	// A connection that knows no deadline is not one of a kiosk.
	_ = s.control.SetReadDeadline(time.Now().Add(s.stall))
	n, err := s.body.Read(p)
	s.n += int64(n)
	if now := time.Now(); s.allowed != nil && now.Sub(s.asked) >= askEvery {
		if s.asked = now; !s.allowed() {
			s.turnedOut = true
			return 0, errors.New("this kiosk is not let in any more")
		}
	}
	if lasted := time.Since(s.begun); err == nil && lasted > s.grace && float64(s.n) < slowest*(lasted-s.grace).Seconds() {
		return n, fmt.Errorf("the body comes slower than %d bytes a second", slowest)
	}
	return n, err
}

// Enter tells which kiosk a request is from, by its credential ("" where nobody is asked who he is), for what else an office
// gives to kiosks; where ok is false the request was answered.
func (r *Receiver) Enter(w http.ResponseWriter, req *http.Request) (kiosk string, ok bool) {
	return r.door.enter(w, req)
}
