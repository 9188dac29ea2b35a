package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"motcua/agent/station"
	"motcua/agent/tether"
	"motcua/drivers/escl/printer"
	"motcua/drivers/pcsc/vpcd"

	"golang.org/x/sys/unix"
)

// TestWatchTellsWithinTwoSeconds holds `motcua devices --watch` against devices that are plugged in and pulled out: a
// virtual card reader with its pcscd, a serial reader on a pseudo-terminal, a network scanner whose server is killed.
func TestWatchTellsWithinTwoSeconds(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("dll.conf", "") // this machine's own scanners must not matter
	// An address of its own: the other tests' connections take ports of 127.0.0.1.
	free, err := net.Listen("tcp", "127.0.0.2:0")
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr().String()
	free.Close()
	scanner := "escl:http://" + address + "/eSCL"
	line, socket := filepath.Join(dir, "usb-Reader"), filepath.Join(dir, "pcscd.comm")
	write("motcua.yaml", fmt.Sprintf("data: %s\nscanner: {device: %q}\nreaders: {chip: true, serial: [{port: %q}]}\n",
		filepath.Join(dir, "data"), scanner, line))

	ctx, end := context.WithCancel(t.Context())
	defer end()
	cmd := exec.CommandContext(ctx, built(t), "--config", filepath.Join(dir, "motcua.yaml"), "--json", "devices", "--watch")
	cmd.Env = append(os.Environ(), "SANE_CONFIG_DIR="+dir, "PCSCLITE_CSOCK_NAME="+socket)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := tether.Start(cmd); err != nil {
		t.Fatal(err)
	}
	type change struct {
		Change string
		Device station.Device
	}
	changes := make(chan change, 100)
	go func() {
		defer close(changes)
		text := json.NewDecoder(bufio.NewReader(out))
		var listed []station.Device
		if err := text.Decode(&listed); err != nil {
			return
		}
		changes <- change{Change: "listed"}
		for {
			var c change
			if text.Decode(&c) != nil {
				return
			}
			changes <- c
		}
	}()
	next := func(what, id string) {
		t.Helper()
		began := time.Now()
		for limit := time.After(patience); ; {
			select {
			case c, ok := <-changes:
				if !ok {
					t.Fatalf("it ended before %s was %s", id, what)
				}
				if c.Change == what && c.Device.ID == id {
					t.Logf("%s %s after %v; 2 s are promised on a machine with nothing else to do", id, what, time.Since(began).Round(10*time.Millisecond))
					return
				}
			case <-limit:
				t.Fatalf("%s was not told as %s", id, what)
			}
		}
	}
	next("listed", "")

	server := &http.Server{Handler: printer.New(printer.Habits{})}
	plugIn := func() {
		l, err := net.Listen("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		go server.Serve(l)
	}
	plugIn()
	next("plugged", scanner)
	server.Close()
	next("unplugged", scanner)

	_, port := terminal(t)
	if err := os.Symlink(port, line); err != nil {
		t.Fatal(err)
	}
	next("plugged", "serial:"+line)
	os.Remove(line)
	next("unplugged", "serial:"+line)

	reader, err := vpcd.Start(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	if err := os.Symlink(reader.Socket, socket); err != nil {
		t.Fatal(err)
	}
	next("plugged", "pcsc:"+vpcd.Reader)
	reader.Close()
	next("unplugged", "pcsc:"+vpcd.Reader)

	end()
	for range changes {
	}
	cmd.Wait()
}

// terminal is a pseudo-terminal in the place of a serial reader: what is written to master comes out of port.
func terminal(t *testing.T) (master *os.File, port string) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { master.Close() })
	fd := int(master.Fd())
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	return master, fmt.Sprintf("/dev/pts/%d", n)
}
