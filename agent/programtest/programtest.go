// Package programtest builds Motcua's programs for tests, as `make build` does: each is linked once, whichever packages' tests run it.
// It stays in .make/test, where the go command knows a program that is up to date.
package programtest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"syscall"
)

// Build gives a program of ours, by its package, as name in dir. Only one at a time is built, of whatever process.
func Build(dir, name, source string) (string, error) {
	root, err := root()
	if err != nil {
		return "", err
	}
	all := filepath.Join(root, ".make", "test")
	if err := os.MkdirAll(all, 0o755); err != nil {
		return "", fmt.Errorf("make a folder for programs: %w", err)
	}
	lock, err := os.Create(filepath.Join(all, "lock"))
	if err != nil {
		return "", fmt.Errorf("make a lock for programs: %w", err)
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return "", fmt.Errorf("lock %s: %w", lock.Name(), err)
	}
	shared, binary := filepath.Join(all, path.Base(source)), filepath.Join(dir, name)
	if out, err := exec.Command("go", "build", "-o", shared, source).CombinedOutput(); err != nil {
		return "", fmt.Errorf("build %s: %w\n%s", source, err, out)
	}
	// By another process: a file that this one has written may still be open in a child that it starts beside, and then can't be run.
	if out, err := exec.Command("cp", shared, binary).CombinedOutput(); err != nil {
		return "", fmt.Errorf("copy %s: %w\n%s", shared, err, out)
	}
	return binary, nil
}

// root is the folder of our go.mod: a test begins in its package's.
func root() (string, error) {
	dir, err := os.Getwd()
	for ; err == nil; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", errors.New("no go.mod above the test's folder")
		}
	}
	return "", err
}
