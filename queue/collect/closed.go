package collect

import (
	"io"
	"io/fs"
	"time"
)

// SealedName is the one file of a bundle that stays sealed.
const SealedName = "bundle.zip.age"

// closed is the file system of a bundle that none of the keys opens: the bundle itself.
type closed struct {
	bundle io.ReaderAt
	size   int64
}

// Open opens SealedName.
func (c closed) Open(name string) (fs.File, error) {
	if name != SealedName {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return &closedFile{io.NewSectionReader(c.bundle, 0, c.size)}, nil
}

type closedFile struct{ *io.SectionReader }

func (f *closedFile) Close() error               { return nil }
func (f *closedFile) Stat() (fs.FileInfo, error) { return closedInfo(f.Size()), nil }

type closedInfo int64

func (closedInfo) Name() string       { return SealedName }
func (i closedInfo) Size() int64      { return int64(i) }
func (closedInfo) Mode() fs.FileMode  { return 0o400 }
func (closedInfo) ModTime() time.Time { return time.Time{} }
func (closedInfo) IsDir() bool        { return false }
func (closedInfo) Sys() any           { return nil }
