package receive

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"filippo.io/age"
	"github.com/tus/tusd/v2/pkg/handler"
	"golang.org/x/sys/unix"
)

const (
	manifestName = "manifest.json"
	receiptName  = "receipt.json"
	sealedName   = "bundle.zip.age"
	ageMagic     = "age-encryption.org/v1\n"

	manifestLimit = 1 << 20
	nameLimit     = 200 // bytes of a part's name
	statusSum     = 460 // "Checksum Mismatch" of the tus protocol
)

// finish turns a complete upload into DIR/<id>/. The order of writes: the folder beside its place, each
// file and the folder fsynced; then the marker that says "received"; then the rename. A crash before
// the marker leaves an upload that is finished again; one after it leaves a rename that recover makes up for.
func (r *Receiver) finish(id string, info handler.FileInfo) error {
	sum := info.MetaData["sha256"]
	if done, err := r.received(id, sum); err != nil {
		return err
	} else if done {
		return r.remove(info.ID)
	}
	bundle, err := os.Open(filepath.Join(r.dirs.incoming, info.ID))
	if err != nil {
		return fmt.Errorf("open received bundle: %w", err)
	}
	defer bundle.Close()
	size, err := r.checkSum(info, bundle, sum)
	if err != nil {
		return err
	}
	receipt := Receipt{ID: id, Code: receiptCode.FindString(info.MetaData["code"]), SHA256: sum, Size: size,
		Received: time.Now().UTC().Truncate(time.Second), Kiosk: info.MetaData[kioskField]}
	staging := filepath.Join(r.dirs.unpack, info.ID)
	if err := os.RemoveAll(staging); err != nil {
		return fmt.Errorf("clear %s: %w", staging, err)
	}
	if err := os.Mkdir(staging, 0o700); err != nil {
		return fmt.Errorf("unpack submission: %w", err)
	}
	if receipt.Sealed, err = r.unpack(staging, id, bundle, size); err != nil {
		if err := os.RemoveAll(staging); err != nil {
			r.o.Log.Error("clear half unpacked submission", "submission", id, "error", err)
		}
		return r.notUnpacked(info, err)
	}
	if err := r.settleReceipt(staging, receipt); err != nil {
		return err
	}
	r.o.Log.Info("received", "submission", id, "kiosk", receipt.Kiosk, "bytes", size, "sealed", receipt.Sealed)
	if r.o.Received != nil {
		r.o.Received(receipt)
	}
	return r.remove(info.ID)
}

// received reports whether a submission with this content is here already; with other content, or where its name is taken,
// the upload is refused.
func (r *Receiver) received(id, sum string) (done bool, err error) {
	other := refuse(http.StatusConflict, "submission "+id+" was received before with other content")
	known, err := r.known(id)
	switch {
	case err != nil:
		return false, err
	case known != nil && known.SHA256 != sum:
		return false, other
	case known != nil:
		return true, nil
	}
	there, err := readReceipt(filepath.Join(r.dirs.root, id))
	switch {
	case err == nil && there.SHA256 != sum:
		return false, other
	case err == nil:
		// The folder is there and the marker is gone, as after a restore from a backup.
		return true, r.mark(there)
	case !errors.Is(err, os.ErrNotExist):
		return false, fmt.Errorf("look into folder %s: %w", id, err)
	}
	if _, err := os.Lstat(filepath.Join(r.dirs.root, id)); err == nil {
		return false, refuse(http.StatusConflict, "a folder "+id+" is there that this receiver did not make")
	}
	return false, nil
}

// checkSum reads a received bundle and removes one that is not what was announced: there is no telling which bytes are wrong.
func (r *Receiver) checkSum(info handler.FileInfo, bundle io.Reader, sum string) (size int64, err error) {
	hash := sha256.New()
	if size, err = io.Copy(hash, bundle); err != nil {
		return 0, fmt.Errorf("check received bundle: %w", err)
	}
	if size == info.Size && hex.EncodeToString(hash.Sum(nil)) == sum {
		return size, nil
	}
	if err := r.remove(info.ID); err != nil {
		return 0, err
	}
	return 0, refuse(statusSum, "the bundle's sha256 is not the one announced")
}

// notUnpacked is the answer for a bundle that could not be unpacked; one that is bad is removed.
func (r *Receiver) notUnpacked(info handler.FileInfo, cause error) error {
	var bad *badBundle
	if errors.As(cause, &bad) {
		if err := r.remove(info.ID); err != nil {
			return err
		}
		return refuse(http.StatusUnprocessableEntity, bad.Error())
	}
	if errors.Is(cause, unix.ENOSPC) {
		full := refuse(http.StatusInsufficientStorage, "the receiver's disk is full")
		full.HTTPResponse.Header["Retry-After"] = "300"
		return full
	}
	return fmt.Errorf("unpack submission: %w", cause)
}

// settleReceipt writes the receipt and puts the unpacked submission in its place, durably.
func (r *Receiver) settleReceipt(staging string, receipt Receipt) error {
	text, err := json.MarshalIndent(receipt, "", "  ")
	if err != nil {
		return err
	}
	if err := writeFile(filepath.Join(staging, receiptName), bytes.NewReader(append(text, '\n'))); err != nil {
		return fmt.Errorf("write receipt: %w", err)
	}
	if err := syncDir(staging); err != nil {
		return err
	}
	if err := r.mark(receipt); err != nil {
		return err
	}
	return r.settle(staging, receipt.ID)
}

// badBundle says what is wrong with a bundle that arrived as it was sent: sending it again won't help.
type badBundle struct{ what string }

func (e *badBundle) Error() string { return e.what }

func bad(format string, args ...any) error { return &badBundle{fmt.Sprintf(format, args...)} }

// unpack fills dir from a bundle; sealed reports that it was kept closed.
func (r *Receiver) unpack(dir, id string, bundle *os.File, size int64) (sealed bool, err error) {
	head := make([]byte, len(ageMagic))
	if _, err := bundle.ReadAt(head, 0); err != nil && err != io.EOF {
		return false, fmt.Errorf("read received bundle: %w", err)
	}
	var from io.ReaderAt = bundle
	if string(head) == ageMagic {
		if len(r.o.Identities) == 0 {
			return true, writeFile(filepath.Join(dir, sealedName), io.NewSectionReader(bundle, 0, size))
		}
		opened, n, err := age.DecryptReaderAt(bundle, size, r.o.Identities...)
		if err != nil {
			var other *age.NoIdentityMatchError
			if errors.As(err, &other) {
				return true, writeFile(filepath.Join(dir, sealedName), io.NewSectionReader(bundle, 0, size))
			}
			return false, bad("the sealed bundle can't be opened")
		}
		from, size = opened, n
	}
	return false, r.unzip(dir, id, from, size)
}

// manifest is the part of manifest.json that is checked here.
type manifest struct {
	ID     string            `json:"id"`
	Code   string            `json:"code"`
	Labels map[string]string `json:"labels"`
	Parts  []struct {
		Name      string `json:"name"`
		MediaType string `json:"media_type"`
		Size      int64  `json:"size"`
		SHA256    string `json:"sha256"`
	} `json:"parts"`
}

// mostLabel is how many bytes a label or its value may have; a kiosk's queue takes 64 and 256.
const mostLabel = 256

// odd says what in the words of a manifest is not as any kiosk writes it. Lists, tables and file names show them to people.
func (m manifest) odd() error {
	if oddText(m.Code) || len(m.Code) > mostLabel {
		return bad("the receipt code is none")
	}
	for name, value := range m.Labels {
		if oddText(name) || oddText(value) || len(name) > mostLabel || len(value) > mostLabel {
			return bad("a label has signs that can't be seen, or is too long")
		}
	}
	for i, p := range m.Parts {
		if oddText(p.MediaType) || len(p.MediaType) > mostLabel {
			return bad("part %d has no proper media type", i+1)
		}
	}
	return nil
}

// Plain reports what in a bundle's list of files no kiosk writes: parts that are compressed, or larger in all than the bundle (size,
// in bytes), names that lead elsewhere or look other than they are, a name twice, no manifest.json at the end, more than most parts.
// The error repeats no name.
func Plain(z *zip.Reader, size int64, most int) error {
	switch n := len(z.File); {
	case n == 0 || z.File[n-1].Name != manifestName:
		return bad("the bundle's last file is not %s", manifestName)
	case n-1 > most:
		return bad("the bundle has %d parts, at most %d are taken", n-1, most)
	}
	folded := map[string]bool{}
	total := int64(0)
	for _, f := range z.File {
		if why := badName(f.Name); why != "" {
			return bad("a part's name %s", why)
		}
		if folded[strings.ToLower(f.Name)] {
			return bad("two parts have one name")
		}
		folded[strings.ToLower(f.Name)] = true
		if f.Method != zip.Store || f.UncompressedSize64 != f.CompressedSize64 || !f.Mode().IsRegular() {
			return bad("a part is not a plainly stored file")
		}
		// Entries may overlap in a crafted file; what is written stays within what was sent.
		n := int64(f.UncompressedSize64)
		if n < 0 || n > size-total {
			return bad("the parts are larger than the bundle")
		}
		total += n
	}
	return nil
}

// unzip writes the parts of a store-only ZIP and checks them against the manifest, its last entry.
func (r *Receiver) unzip(dir, id string, from io.ReaderAt, size int64) error {
	z, err := zip.NewReader(from, size)
	if err != nil {
		return bad("the bundle is no ZIP file")
	}
	if err := Plain(z, size, r.o.MaxParts); err != nil {
		return err
	}
	parts := map[string]unzipped{}
	for _, f := range z.File {
		in, err := f.Open()
		if err != nil {
			return bad("a part can't be read")
		}
		hash := sha256.New()
		src := &countedReader{r: io.TeeReader(in, hash)}
		if err := writeFile(filepath.Join(dir, f.Name), src); err != nil {
			if src.err != nil {
				return bad("a part is damaged")
			}
			return err
		}
		parts[f.Name] = unzipped{sha256: hex.EncodeToString(hash.Sum(nil)), size: src.n}
	}
	text, err := readLimited(filepath.Join(dir, manifestName), manifestLimit)
	if err != nil {
		return err
	}
	return vouched(text, id, parts)
}

// unzipped is a part as it came out of the bundle.
type unzipped struct {
	sha256 string
	size   int64
}

// vouched says what is wrong with a manifest, as a badBundle, unless it names exactly the parts that were unzipped.
func vouched(text []byte, id string, parts map[string]unzipped) error {
	var m manifest
	if json.Unmarshal(text, &m) != nil {
		return bad("%s can't be read", manifestName)
	}
	if m.ID != id {
		return bad("%s names another submission", manifestName)
	}
	if err := m.odd(); err != nil {
		return err
	}
	if len(m.Parts) != len(parts)-1 {
		return bad("%s names %d parts, the bundle has %d", manifestName, len(m.Parts), len(parts)-1)
	}
	for i, p := range m.Parts {
		if p.Name == manifestName || p.SHA256 == "" || parts[p.Name] != (unzipped{p.SHA256, p.Size}) {
			return bad("part %d is not what %s says", i+1, manifestName)
		}
		delete(parts, p.Name) // named twice, it would leave another part that nobody vouches for
	}
	return nil
}

// badName says what is wrong with a part's name; a good one is a plain file name on any system. The
// name itself is not repeated: it was made elsewhere.
func badName(name string) string {
	switch {
	case name == "" || len(name) > nameLimit || !utf8.ValidString(name):
		return "is empty, too long or not UTF-8"
	case strings.ContainsAny(name, "/\\:\x00") || !filepath.IsLocal(name):
		return "leads out of its folder"
	case strings.HasPrefix(name, ".") || strings.HasSuffix(name, ".") || strings.TrimSpace(name) != name:
		return "begins or ends with a dot or space"
	case oddText(name):
		return "has a control character, or one that turns the direction of writing"
	case strings.ContainsAny(name, `<>"|?*`) || reservedName.MatchString(name):
		return "is none that Windows takes" // where the office's folder is a share
	case strings.EqualFold(name, receiptName) || strings.EqualFold(name, sealedName):
		return "is one of the receiver's own"
	}
	return ""
}

// reservedName is what Windows takes for a device, whatever the ending ("Naming Files, Paths, and Namespaces").
var reservedName = regexp.MustCompile(`(?i)^(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?$`)

// oddText finds what can't be seen and what makes text look other than it is: control characters, signs that turn the direction
// of writing or have no width (general category Cf of Unicode), line and paragraph separators, letters of private use.
func oddText(s string) bool {
	return !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool {
		return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co, unicode.Zl, unicode.Zp, unicode.Noncharacter_Code_Point)
	})
}

// receiptCode is what a receipt code looks like; what a sender gives else is not shown to anybody.
var receiptCode = regexp.MustCompile(`^[0-9A-Za-z-]{1,16}$`)

// countedReader tells a damaged source from a full disk.
type countedReader struct {
	r   io.Reader
	n   int64
	err error
}

func (c *countedReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	if err != nil && err != io.EOF {
		c.err = err
	}
	return n, err
}

func readLimited(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(text)) > limit {
		return nil, bad("%s is too large", filepath.Base(path))
	}
	return text, err
}

// writeFile writes and fsyncs a new file that only the receiver's user may read.
func writeFile(path string, from io.Reader) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if _, err := io.Copy(f, from); err != nil {
		f.Close()
		return err
	}
	if err := f.Sync(); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("sync folder: %w", err)
	}
	defer d.Close()
	if err := d.Sync(); err != nil {
		return fmt.Errorf("sync folder %s: %w", path, err)
	}
	return nil
}

func readReceipt(dir string) (Receipt, error) {
	var got Receipt
	text, err := os.ReadFile(filepath.Join(dir, receiptName))
	if err != nil {
		return got, err
	}
	return got, json.Unmarshal(text, &got)
}

// mark notes durably that a submission is received.
func (r *Receiver) mark(receipt Receipt) error {
	text, err := json.Marshal(receipt)
	if err != nil {
		return err
	}
	path := r.marker(receipt.ID)
	if err := os.Remove(path + ".part"); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("mark submission received: %w", err)
	}
	if err := writeFile(path+".part", bytes.NewReader(text)); err != nil {
		return fmt.Errorf("mark submission received: %w", err)
	}
	if err := os.Rename(path+".part", path); err != nil {
		return fmt.Errorf("mark submission received: %w", err)
	}
	return syncDir(r.dirs.received)
}

// settle puts the filled folder in its place.
func (r *Receiver) settle(staging, id string) error {
	if err := os.Rename(staging, filepath.Join(r.dirs.root, id)); err != nil {
		return fmt.Errorf("put submission in place: %w", err)
	}
	return syncDir(r.dirs.root)
}

// remove drops an upload's own files.
func (r *Receiver) remove(upload string) error {
	for _, p := range []string{upload, upload + ".info"} {
		if err := os.Remove(filepath.Join(r.dirs.incoming, p)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("remove upload: %w", err)
		}
	}
	return nil
}

// recover makes up for a crash: a folder whose marker is written gets its place, others are unpacked
// again when their kiosk asks.
func (r *Receiver) recover() error {
	entries, err := os.ReadDir(r.dirs.unpack)
	if err != nil {
		return fmt.Errorf("recover received submissions: %w", err)
	}
	for _, e := range entries {
		path := filepath.Join(r.dirs.unpack, e.Name())
		if m := validUpload.FindStringSubmatch(e.Name()); m != nil {
			known, err := r.known(m[1])
			if err != nil {
				return err
			}
			if known != nil && known.SHA256[:32] == m[2] {
				if err := r.settle(path, m[1]); err != nil {
					return err
				}
				r.o.Log.Info("received before a crash, put in place", "submission", m[1])
				continue
			}
		}
		if err := os.RemoveAll(path); err != nil {
			return fmt.Errorf("recover received submissions: %w", err)
		}
	}
	return nil
}

// Sweep drops uploads nobody goes on with and markers past their time. It returns how many of each.
func (r *Receiver) Sweep(now time.Time) (uploads, markers int, err error) {
	old := func(dir string, than time.Duration, drop func(name string) error) (n int, err error) {
		entries, err := os.ReadDir(dir)
		if err != nil {
			return 0, err
		}
		for _, e := range entries {
			info, err := e.Info()
			if errors.Is(err, os.ErrNotExist) {
				continue
			}
			if err != nil {
				return n, err
			}
			if now.Sub(info.ModTime()) < than {
				continue
			}
			if err := drop(e.Name()); err != nil && !errors.Is(err, os.ErrNotExist) {
				return n, err
			}
			n++
		}
		return n, nil
	}
	uploads, err = old(r.dirs.incoming, r.o.Expire, func(name string) error {
		if info, young := strings.CutSuffix(name, ".info"); young {
			// An upload's info is written once; its age is that of its bytes.
			if data, err := os.Stat(filepath.Join(r.dirs.incoming, info)); err == nil && now.Sub(data.ModTime()) < r.o.Expire {
				return nil
			}
		}
		return os.Remove(filepath.Join(r.dirs.incoming, name))
	})
	if err != nil {
		return uploads, 0, fmt.Errorf("sweep uploads: %w", err)
	}
	markers, err = old(r.dirs.received, r.o.Remember, func(name string) error {
		if _, err := os.Lstat(filepath.Join(r.dirs.root, strings.TrimSuffix(name, ".json"))); err == nil {
			return nil // its folder is still here
		}
		return os.Remove(filepath.Join(r.dirs.received, name))
	})
	if err != nil {
		return uploads, markers, fmt.Errorf("sweep markers: %w", err)
	}
	return uploads, markers, nil
}

// Run sweeps now and every hour until ctx ends.
func (r *Receiver) Run(ctx context.Context) error {
	tick := time.NewTicker(time.Hour)
	defer tick.Stop()
	for {
		uploads, markers, err := r.Sweep(time.Now())
		switch {
		case err != nil:
			r.o.Log.Error("sweep received submissions", "error", err)
		case uploads+markers > 0:
			r.o.Log.Info("swept", "uploads", uploads, "markers", markers)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}
