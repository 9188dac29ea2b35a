package collect

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/tus/tusd/v2/pkg/handler"
)

const (
	infoSuffix = ".info"
	claimsDir  = ".motcua-claims" // beside the uploads, so that all collectors of a store see them
	infoLimit  = 64 << 10
)

// Disk is the folder of a tusd that stores on a disk. Claims are made by linking a file, which a local disk and NFS do in one step.
type Disk struct{ dir string }

// OpenDisk names the folder.
func OpenDisk(dir string) (*Disk, error) {
	if err := os.MkdirAll(filepath.Join(dir, claimsDir), 0o700); err != nil {
		return nil, fmt.Errorf("open tusd's folder: %w", err)
	}
	return &Disk{dir}, nil
}

// String is the folder.
func (d *Disk) String() string { return d.dir }

// Uploads reads the folder.
func (d *Disk) Uploads(ctx context.Context, do func(Upload) error) error {
	entries, err := os.ReadDir(d.dir)
	if err != nil {
		return fmt.Errorf("list tusd's folder: %w", err)
	}
	for _, e := range entries {
		key, ok := strings.CutSuffix(e.Name(), infoSuffix)
		if !ok || e.IsDir() {
			continue
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		info, err := readInfo(filepath.Join(d.dir, e.Name()))
		if errors.Is(err, fs.ErrNotExist) {
			continue // removed meanwhile
		}
		if err != nil {
			continue // being written; one that is damaged is tusd's to tell
		}
		u := Upload{Key: key, Size: info.Size, Meta: info.MetaData}
		if st, err := os.Stat(filepath.Join(d.dir, key)); err == nil {
			u.Finished, u.Since = !info.SizeIsDeferred && st.Size() == info.Size, st.ModTime()
		}
		if err := do(u); err != nil {
			return err
		}
	}
	return nil
}

func readInfo(name string) (info handler.FileInfo, err error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return info, err
	}
	return info, json.Unmarshal(text, &info)
}

// Open opens an upload's file.
func (d *Disk) Open(_ context.Context, u Upload) (Bundle, error) {
	return os.Open(filepath.Join(d.dir, u.Key))
}

func (d *Disk) claim(submission string) string {
	return filepath.Join(d.dir, claimsDir, submission+".json")
}

// Claim links a claim into its place, unless one is there. An empty claim only asks.
func (d *Disk) Claim(_ context.Context, submission string, c Claim) (Claim, error) {
	name := d.claim(submission)
	is, err := readClaim(name)
	if !errors.Is(err, fs.ErrNotExist) || c.Owner == "" {
		if errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
		return is, err
	}
	written, err := d.write(c)
	if err != nil {
		return Claim{}, err
	}
	defer os.Remove(written)
	err = os.Link(written, name)
	if errors.Is(err, fs.ErrExist) {
		return readClaim(name)
	}
	if err != nil {
		return Claim{}, err
	}
	return c, syncDir(filepath.Dir(name))
}

// Note puts another claim in its place.
func (d *Disk) Note(_ context.Context, submission string, c Claim) error {
	written, err := d.write(c)
	if err != nil {
		return err
	}
	name := d.claim(submission)
	if err := os.Rename(written, name); err != nil {
		return err
	}
	return syncDir(filepath.Dir(name))
}

// write writes a claim durably, under a name of its own.
func (d *Disk) write(c Claim) (name string, err error) {
	text, err := json.Marshal(c)
	if err != nil {
		return "", err
	}
	f, err := os.CreateTemp(filepath.Join(d.dir, claimsDir), ".new-*")
	if err != nil {
		return "", err
	}
	if _, err = f.Write(text); err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		os.Remove(f.Name())
		return "", err
	}
	return f.Name(), nil
}

func readClaim(name string) (c Claim, err error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return c, err
	}
	if err := json.Unmarshal(text, &c); err != nil {
		return c, fmt.Errorf("claim %s is damaged", filepath.Base(name))
	}
	return c, nil
}

// Remove removes the upload's file, then its info: what is left of a kill between is found by the info.
func (d *Disk) Remove(_ context.Context, u Upload) error {
	for _, name := range []string{u.Key, u.Key + ".lock", u.Key + infoSuffix} {
		if err := os.Remove(filepath.Join(d.dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

func syncDir(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
