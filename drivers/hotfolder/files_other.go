//go:build !linux

package hotfolder

import (
	"errors"
	"fmt"
	"os"
)

// Elsewhere than on Linux nobody has tried whether a folder can be held alone and a file be known to be whole, without
// which pages are lost or doubled: the folder does not open.

func lockAlone(*os.File) error {
	return fmt.Errorf("hold the folder alone: %w on this system", errors.ErrUnsupported)
}

func openSeen(path string) (*os.File, error) { return os.Open(path) }

func usable(string) bool { return false }

func beingWritten(string) bool { return true }

func syncDir(string) error { return errors.ErrUnsupported }
