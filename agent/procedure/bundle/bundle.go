// Package bundle installs procedures that a province has signed. In go a ZIP of YAML files and its minisign
// signature (made by `minisign -Sm procedures.zip`); out comes a folder of procedures that is wholly the
// new one or wholly the one before, also after a power cut.
//
// It promises that nothing is installed that the configured key didn't sign, that has a mistake, or that is
// older than what is installed: a kiosk can't be sent back to yesterday's fees by replaying a bundle.
package bundle

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"aead.dev/minisign"

	"motcua/agent/address"
	"motcua/agent/form"
	"motcua/agent/procedure"
	"motcua/configs"
)

// Limits of a bundle; all procedures of the country are under a megabyte.
const (
	MaxSize  = 8 << 20 // bytes of the ZIP, and of its files together
	maxFiles = 1000
)

// The reasons to refuse.
var (
	ErrSignature = errors.New("the bundle is not signed by the configured key")
	ErrOlder     = errors.New("the bundle is not newer than what is installed")
	ErrContent   = errors.New("the bundle holds something other than procedures")
)

// Store is a folder that keeps installed bundles, each in a folder of its own, with `current` a link to
// the one in force.
type Store struct {
	dir string
	key minisign.PublicKey
}

// Open names the folder; key is the text of a minisign public key ("RW…"), as its .pub file or its second line.
func Open(dir, key string) (*Store, error) {
	s := &Store{dir: dir}
	if err := s.key.UnmarshalText([]byte(key)); err != nil {
		return nil, fmt.Errorf("public key of procedures: %w", err)
	}
	return s, nil
}

// Current is the installed procedures and when they were signed; nil where none is installed.
func Current(dir string) (fs.FS, time.Time, error) {
	name, err := os.Readlink(filepath.Join(dir, "current"))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) { // what is wrong with the folder others say better
		return nil, time.Time{}, nil
	}
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("installed procedures: %w", err)
	}
	seconds, err := strconv.ParseInt(name, 10, 64)
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("installed procedures: %q is no bundle of ours", name)
	}
	return os.DirFS(filepath.Join(dir, name)), time.Unix(seconds, 0), nil
}

// signedAt is where minisign notes the time, in the part of the comment that the signature covers.
var signedAt = regexp.MustCompile(`(?:^|\s)timestamp:(\d{1,12})(?:\s|$)`)

// Install checks a bundle and puts it in force. It gives the procedures and the time they were signed.
func (s *Store) Install(archive, signature []byte) (*procedure.Catalog, time.Time, error) {
	var none time.Time
	if !minisign.Verify(s.key, archive, signature) {
		return nil, none, ErrSignature
	}
	var parts minisign.Signature
	if err := parts.UnmarshalText(signature); err != nil {
		return nil, none, ErrSignature
	}
	stamp := signedAt.FindStringSubmatch(parts.TrustedComment)
	if stamp == nil {
		return nil, none, fmt.Errorf("%w: its signature names no time", ErrSignature)
	}
	seconds, err := strconv.ParseInt(stamp[1], 10, 64)
	if err != nil {
		return nil, none, fmt.Errorf("%w: its signature names no time", ErrSignature)
	}
	signed := time.Unix(seconds, 0)
	_, installed, err := Current(s.dir)
	if err != nil {
		return nil, none, err
	}
	if !signed.After(installed) {
		return nil, signed, fmt.Errorf("%w: signed %s, installed %s", ErrOlder, signed.Format(time.DateTime), installed.Format(time.DateTime))
	}
	catalog, err := s.unpack(archive, strconv.FormatInt(seconds, 10))
	if err != nil {
		return nil, signed, err
	}
	return catalog, signed, nil
}

// unpack writes the files beside the others, checks them there, and only then lets `current` point to them.
func (s *Store) unpack(archive []byte, name string) (*procedure.Catalog, error) {
	files, err := read(archive)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(s.dir, 0o755); err != nil {
		return nil, fmt.Errorf("install procedures: %w", err)
	}
	part, err := os.MkdirTemp(s.dir, ".part-*")
	if err != nil {
		return nil, fmt.Errorf("install procedures: %w", err)
	}
	defer os.RemoveAll(part) // nothing there after the rename
	for name, data := range files {
		if err := write(filepath.Join(part, name), data); err != nil {
			return nil, fmt.Errorf("install procedures: %w", err)
		}
	}
	catalog, err := procedure.Check(os.DirFS(part))
	if err == nil && files[address.FileName] != nil {
		_, err = address.Load(os.DirFS(part))
	}
	if err == nil {
		_, err = form.Load(catalog, os.DirFS(part), configs.Procedures())
	}
	if err != nil {
		return nil, fmt.Errorf("the bundle is signed, but has mistakes:\n%w", err)
	}
	at := filepath.Join(s.dir, name)
	if err := os.RemoveAll(at); err != nil { // left by an install that a power cut broke off
		return nil, fmt.Errorf("install procedures: %w", err)
	}
	link := filepath.Join(s.dir, ".current")
	_ = os.Remove(link)
	for _, step := range []func() error{
		func() error { return syncDir(part) },
		func() error { return os.Chmod(part, 0o755) },
		func() error { return os.Rename(part, at) },
		func() error { return os.Symlink(name, link) },
		func() error { return os.Rename(link, filepath.Join(s.dir, "current")) },
		func() error { return syncDir(s.dir) },
	} {
		if err := step(); err != nil {
			return nil, fmt.Errorf("install procedures: %w", err)
		}
	}
	return catalog, s.prune(name)
}

// prune keeps what is in force and the one before it.
func (s *Store) prune(current string) error {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return fmt.Errorf("remove old procedures: %w", err)
	}
	var old []string
	for _, e := range entries {
		if _, err := strconv.ParseInt(e.Name(), 10, 64); err == nil && e.IsDir() && e.Name() != current {
			old = append(old, e.Name())
		}
	}
	for _, name := range old[:max(0, len(old)-1)] { // ReadDir sorts; the names are of one length until 2286
		if err := os.RemoveAll(filepath.Join(s.dir, name)); err != nil {
			return fmt.Errorf("remove old procedures: %w", err)
		}
	}
	return nil
}

// read takes the YAML files out of the ZIP. They lie at its top, or together in one folder.
func read(archive []byte) (map[string][]byte, error) {
	if len(archive) > MaxSize {
		return nil, fmt.Errorf("%w: it is larger than %d MB", ErrContent, MaxSize>>20)
	}
	z, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrContent, err)
	}
	if len(z.File) > maxFiles {
		return nil, fmt.Errorf("%w: more than %d files", ErrContent, maxFiles)
	}
	files := map[string][]byte{}
	room := int64(MaxSize)
	folder := ""
	for _, f := range z.File {
		if strings.HasSuffix(f.Name, "/") {
			continue
		}
		dir, name := path.Split(f.Name)
		if len(files) == 0 {
			folder = dir
		}
		if dir != folder || strings.Count(dir, "/") > 1 || !fs.ValidPath(path.Clean(f.Name)) || path.Ext(name) != ".yaml" &&
			name != address.FileName || strings.ContainsAny(name, `\:`) {
			return nil, fmt.Errorf("%w: %q", ErrContent, f.Name)
		}
		in, err := f.Open()
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrContent, err)
		}
		data, err := io.ReadAll(io.LimitReader(in, room+1))
		in.Close()
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrContent, err)
		}
		if room -= int64(len(data)); room < 0 {
			return nil, fmt.Errorf("%w: its files are larger than %d MB", ErrContent, MaxSize>>20)
		}
		files[name] = data
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%w: there is none in it", ErrContent)
	}
	return files, nil
}

func write(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}
