// Package backend makes SANE backends to test against: in goes the description of a device (what it is called, its
// options, its habits), out comes a folder from which libsane loads a backend that plays it. What lies in its feeder and
// what goes wrong next is told while it runs. testdata/backend.c says what a description may hold.
package backend

import (
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
)

//go:embed testdata/backend.c
var source []byte

// Device is a device that is played. Its folder holds the library, the configuration and the state.
type Device struct {
	Env []string // for the process that loads libsane
	ID  string   // as SANE names it
	dir string
}

// Play builds a backend of that name in the folder, which must be empty, and makes it the only one libsane finds there.
func Play(dir, name, description string) (*Device, error) {
	for file, text := range map[string]string{"dll.conf": name + "\n", "device": description, "backend.c": string(source)} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
			return nil, fmt.Errorf("write the backend: %w", err)
		}
	}
	library, err := built(dir, name)
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, "libsane-"+name+".so.1"), library, 0o700); err != nil {
		return nil, fmt.Errorf("write the backend: %w", err)
	}
	return &Device{ID: name + ":one", dir: dir, Env: []string{
		"SANE_CONFIG_DIR=" + dir, "LD_LIBRARY_PATH=" + dir, "MOTCUA_DEVICE=" + filepath.Join(dir, "device"), "MOTCUA_STATE=" + dir,
	}}, nil
}

var (
	libraries   = map[string][]byte{} // by the backend's name
	librariesMu sync.Mutex            // guards libraries
)

// built gives the library of a backend, built once in a process.
func built(dir, name string) ([]byte, error) {
	librariesMu.Lock()
	defer librariesMu.Unlock()
	if library, ok := libraries[name]; ok {
		return library, nil
	}
	file := filepath.Join(dir, "built.so")
	gcc := exec.Command("gcc", "-shared", "-fPIC", "-O1", "-DBACKEND="+name, "-o", file, filepath.Join(dir, "backend.c"))
	if out, err := gcc.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build the backend: %w: %s", err, out)
	}
	library, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("build the backend: %w", err)
	}
	libraries[name] = library
	return library, nil
}

// Load lays so many sides into the feeder.
func (d *Device) Load(sides int) error { return d.write("feeder", strconv.Itoa(sides)) }

// Fail breaks the next scan in the middle of a page: "jam", "cover", "io", "hang" or "crash".
func (d *Device) Fail(kind string, page int) error {
	return d.write("fault", fmt.Sprintf("%s %d", kind, page))
}

// Hold keeps pages from getting past their middle.
func (d *Device) Hold(on bool) error { return d.mark("hold", on) }

// Away pulls the device out, or plugs it in again.
func (d *Device) Away(on bool) error { return d.mark("away", on) }

// Move plugs the device in elsewhere: its name changes, as that of a device at USB does ("libusb:001:007").
func (d *Device) Move(place string) error { return d.write("place", place) }

// Sleep has the device fail to open so many times.
func (d *Device) Sleep(times int) error { return d.write("asleep", strconv.Itoa(times)) }

func (d *Device) mark(name string, on bool) error {
	if on {
		return d.write(name, "")
	}
	if err := os.Remove(filepath.Join(d.dir, name)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

func (d *Device) write(name, text string) error {
	file := filepath.Join(d.dir, name)
	if err := os.WriteFile(file+".new", []byte(text), 0o600); err != nil {
		return err
	}
	return os.Rename(file+".new", file)
}
