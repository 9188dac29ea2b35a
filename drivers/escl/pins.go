package escl

import (
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"

	"motcua/drivers/kept"
)

// pins remembers the key each device showed when it was first met, as ssh does: a scanner signs its own
// certificate, so nothing else could vouch for it. The file has a line for each: host and SHA-256 of the
// public key.
type pins struct {
	file string
	host func() string // the device that is spoken to; a connection knows it only where it is a name

	mu    sync.Mutex // guards the fields below
	known map[string]string
	lost  error // why the file could not be read or written
}

// filesMu keeps two devices that are met at once from writing over each other.
var filesMu sync.Mutex

// check is called in the handshake, before anything is sent. A device can be used without a place to keep its key: it is
// met anew by the next process then, which Check tells.
func (p *pins) check(c tls.ConnectionState) error {
	if len(c.PeerCertificates) == 0 {
		return errors.New("the device showed no certificate")
	}
	sum := sha256.Sum256(c.PeerCertificates[0].RawSubjectPublicKeyInfo)
	key, host := hex.EncodeToString(sum[:]), p.host()
	p.mu.Lock()
	defer p.mu.Unlock()
	filesMu.Lock()
	defer filesMu.Unlock()
	p.load()
	switch p.known[host] {
	case key:
		return nil
	case "":
		p.known[host] = key
		p.lost = p.save()
		return nil
	}
	return &pinError{host, p.file}
}

// mayBePlain refuses to speak in the clear to a device that was once met over TLS.
func (p *pins) mayBePlain(u *url.URL) error {
	if u.Scheme == "https" {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	filesMu.Lock()
	defer filesMu.Unlock()
	p.load()
	if p.known[u.Hostname()] != "" {
		return &plainError{u.Hostname(), p.file}
	}
	return nil
}

// notKept is why keys are not kept, if they are not.
func (p *pins) notKept() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.lost
}

// load reads the file anew, for others write to it; what this process has seen it knows without it.
func (p *pins) load() {
	if p.known == nil {
		p.known = map[string]string{}
	}
	if p.file == "" {
		return
	}
	data, err := os.ReadFile(p.file)
	if err != nil {
		if !errors.Is(err, os.ErrNotExist) {
			p.lost = fmt.Errorf("read known scanners: %w", err)
		}
		return
	}
	if p.lost == nil {
		clear(p.known) // a line that was deleted is forgotten
	}
	for line := range strings.Lines(string(data)) {
		if f := strings.Fields(line); len(f) == 2 && !strings.HasPrefix(line, "#") {
			p.known[f[0]] = f[1]
		}
	}
}

func (p *pins) save() error {
	if p.file == "" {
		return nil
	}
	var b strings.Builder
	b.WriteString("# Scanners that were met over TLS, and the SHA-256 of their public keys. Delete a line to meet one anew.\n")
	for _, host := range slices.Sorted(maps.Keys(p.known)) {
		fmt.Fprintln(&b, host, p.known[host])
	}
	if err := kept.Write(p.file, []byte(b.String())); err != nil {
		return fmt.Errorf("remember a scanner: %w", err)
	}
	return nil
}

// pinError says that a device is not the one that was first met.
type pinError struct{ host, file string }

func (e *pinError) Error() string {
	return fmt.Sprintf("the certificate of %s has changed", e.host)
}

func (e *pinError) mend() string {
	where := "restart the program"
	if e.file != "" {
		where = fmt.Sprintf("delete the line of %s in %s", e.host, e.file)
	}
	return "The scanner shows another certificate than when it was first used: it was reset or replaced, or something stands between. If " +
		"you know why, " + where + " and scan again."
}
