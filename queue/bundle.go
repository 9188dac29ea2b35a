package queue

import (
	"archive/zip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"strings"
	"time"
	"unicode"
)

// manifestName is the last file of a bundle. It repeats what the office needs to file the parts when
// nothing but the bundle is at hand.
const manifestName = "manifest.json"

// manifest is versioned by Format so that an office's program can tell what it reads.
type manifest struct {
	Format  string            `json:"format"` // "motcua-bundle-1"
	ID      string            `json:"id"`
	Code    string            `json:"code"`
	Created time.Time         `json:"created"`
	Labels  map[string]string `json:"labels,omitempty"`
	Parts   []PartInfo        `json:"parts"`
}

// writeBundle writes the ZIP of a submission to w and returns what was in it. The same parts, id, code
// and time always give the same bytes: nothing is compressed (pages are JPEG) and no other time is
// written.
func writeBundle(ctx context.Context, w io.Writer, s Submission, parts []Part) ([]PartInfo, error) {
	z := zip.NewWriter(w)
	infos := make([]PartInfo, 0, len(parts))
	buf := make([]byte, 64<<10)
	defer clear(buf) // a citizen's page
	for _, p := range parts {
		out, err := z.CreateHeader(&zip.FileHeader{Name: p.Name, Method: zip.Store})
		if err != nil {
			return nil, fmt.Errorf("add part %s: %w", p.Name, err)
		}
		in, err := p.Open()
		if err != nil {
			return nil, fmt.Errorf("open part %s: %w", p.Name, err)
		}
		sum := sha256.New()
		n, err := io.CopyBuffer(struct{ io.Writer }{io.MultiWriter(out, sum)}, struct{ io.Reader }{withContext{ctx, in}}, buf)
		if err = errors.Join(err, in.Close()); err != nil {
			return nil, fmt.Errorf("store part %s: %w", p.Name, err)
		}
		infos = append(infos, PartInfo{Name: p.Name, MediaType: p.MediaType, Size: n, SHA256: hexSum(sum)})
	}
	out, err := z.CreateHeader(&zip.FileHeader{Name: manifestName, Method: zip.Store})
	if err != nil {
		return nil, fmt.Errorf("add manifest: %w", err)
	}
	m, err := json.MarshalIndent(manifest{
		Format: "motcua-bundle-1", ID: s.ID, Code: s.Code, Created: s.Created, Labels: s.Labels, Parts: infos,
	}, "", "\t")
	if err != nil {
		return nil, fmt.Errorf("write manifest: %w", err)
	}
	if _, err := out.Write(append(m, '\n')); err != nil {
		return nil, fmt.Errorf("write manifest: %w", err)
	}
	if err := z.Close(); err != nil {
		return nil, fmt.Errorf("close bundle: %w", err)
	}
	return infos, nil
}

// checkDraft refuses what could not be stored, named or unpacked later.
func checkDraft(d Draft) error {
	if d.ID != "" && !validID(d.ID) {
		return errors.New("submission id must be 1 to 64 letters, digits, '-' or '_'")
	}
	if len(d.Parts) == 0 {
		return errors.New("submission has no parts")
	}
	seen := map[string]bool{manifestName: true}
	for i, p := range d.Parts {
		switch {
		case !plainName(p.Name):
			// The name is not repeated: a careless caller may have made it of a citizen's file name.
			return fmt.Errorf("part %d has no plain file name", i+1)
		case seen[p.Name]:
			return fmt.Errorf("part %d has a name that is taken", i+1)
		case p.Open == nil:
			return fmt.Errorf("part %d has no content", i+1)
		}
		seen[p.Name] = true
	}
	if len(d.Labels) > 32 {
		return errors.New("submission has more than 32 labels")
	}
	for k, v := range d.Labels {
		if len(k) > 64 || len(v) > 256 {
			return errors.New("a label is longer than 64 bytes, or its value than 256")
		}
		if strings.ContainsFunc(k+v, unseen) {
			return errors.New("a label has signs that can't be seen")
		}
	}
	return nil
}

// validID accepts a ULID and whatever else is safe as a file name, in a URL and on a command line.
func validID(id string) bool {
	if len(id) == 0 || len(id) > 64 || id[0] == '-' {
		return false
	}
	for _, c := range []byte(id) {
		switch {
		case c >= '0' && c <= '9', c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c == '-', c == '_':
		default:
			return false
		}
	}
	return true
}

func plainName(name string) bool {
	return name != "" && name != "." && name != ".." && len(name) <= 128 &&
		!strings.ContainsAny(name, `/\:<>"|?*`) && !strings.ContainsFunc(name, unseen)
}

// unseen is a sign that can't be seen, or turns the direction of writing: no receiver takes a name with one.
func unseen(r rune) bool {
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co, unicode.Zl, unicode.Zp, unicode.Noncharacter_Code_Point)
}

func hexSum(h hash.Hash) string { return hex.EncodeToString(h.Sum(nil)) }

// withContext breaks off a copy when the caller gives up.
type withContext struct {
	ctx context.Context
	r   io.Reader
}

func (r withContext) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(p)
}
