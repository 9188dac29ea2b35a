// Package kept writes the small lists that drivers keep between two starts: the documents that a printer holds, the keys of scanners that
// were met. In go a name and bytes; afterwards the file is the old one or the new one whole, also after a power cut.
package kept

import (
	"errors"
	"os"
	"path/filepath"
)

// Write puts data in place of a file, readable by its owner only.
func Write(file string, data []byte) error {
	dir := filepath.Dir(file)
	f, err := os.CreateTemp(dir, "."+filepath.Base(file)+"-*") // 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(data)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), file); err != nil {
		return err
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
