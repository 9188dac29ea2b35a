// Package vpcd gives tests a real way to a card: a private pcscd with a virtual reader (vsmartcard's
// vpcd), and a cable from that reader to a Card written in Go. It promises that nothing of it is left
// after Close, and that it meets no other pcscd: the daemon runs in a mount namespace of its own and
// is reached through /proc. What it can't show is a radio field: timing, weak coupling, T=0.
package vpcd

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Card is what lies on the reader.
type Card interface {
	ATR() []byte
	Reset()
	Transmit(apdu []byte) []byte
}

// Daemon is a running pcscd with one virtual reader of two slots.
type Daemon struct {
	Socket string // for pcsc.Service

	port int
	cmd  *exec.Cmd
	log  *os.File
}

// Reader is the name pcscd gives the slot that Insert uses.
const Reader = "Virtual PCD 00 00"

// Start runs a pcscd until Close; dir is an empty folder for its files.
func Start(ctx context.Context, dir string) (*Daemon, error) { return retry(ctx, dir, true) }

// StartEmpty runs a pcscd that has no reader.
func StartEmpty(ctx context.Context, dir string) (*Daemon, error) { return retry(ctx, dir, false) }

func retry(ctx context.Context, dir string, reader bool) (*Daemon, error) {
	var last error
	for range 5 { // another process may take the port between choosing it and pcscd's bind
		d, err := start(ctx, dir, reader)
		if err == nil {
			return d, nil
		}
		if last = err; ctx.Err() != nil {
			break
		}
	}
	return nil, last
}

func start(ctx context.Context, dir string, reader bool) (*Daemon, error) {
	const driver = "/usr/lib/pcsc/drivers/serial/libifdvpcd.so"
	if _, err := os.Stat(driver); err != nil {
		return nil, fmt.Errorf("virtual card reader (apt-get install pcscd vsmartcard-vpcd): %w", err)
	}
	port, err := freePair()
	if err != nil {
		return nil, err
	}
	conf := filepath.Join(dir, "reader.conf.d")
	if err := os.MkdirAll(conf, 0o755); err != nil {
		return nil, err
	}
	text := ""
	if reader {
		text = fmt.Sprintf("FRIENDLYNAME \"Virtual PCD\"\nDEVICENAME /dev/null:%d\nLIBPATH %s\nCHANNELID %d\n", port, driver, port)
	}
	if err := os.WriteFile(filepath.Join(conf, "vpcd"), []byte(text), 0o644); err != nil {
		return nil, err
	}
	log, err := os.Create(filepath.Join(dir, "pcscd.log"))
	if err != nil {
		return nil, err
	}
	// pcscd's socket is compiled in, so it gets a /run of its own. --map-root-user is for accounts that
	// may make user namespaces; root needs none.
	args := []string{"--mount"}
	if os.Getuid() != 0 {
		args = append(args, "--map-root-user")
	}
	args = append(args, "sh", "-c", `mount -t tmpfs none /run && exec pcscd --foreground --debug --config "$1"`, "sh", conf)
	d := &Daemon{port: port, log: log, cmd: exec.Command("unshare", args...)}
	d.cmd.Stdout, d.cmd.Stderr = log, log
	d.cmd.Env = append(os.Environ(), "PATH="+os.Getenv("PATH")+":/usr/sbin:/sbin")
	if err := d.cmd.Start(); err != nil {
		log.Close()
		return nil, fmt.Errorf("start pcscd: %w", err)
	}
	d.Socket = fmt.Sprintf("/proc/%d/root/run/pcscd/pcscd.comm", d.cmd.Process.Pid)
	for deadline := time.Now().Add(10 * time.Second); ; {
		if conn, err := net.Dial("unix", d.Socket); err == nil {
			conn.Close()
			if !reader {
				return d, nil
			}
			if conn, err := net.Dial("tcp", d.address()); err == nil {
				conn.Close()
				return d, nil
			}
		}
		if ctx.Err() != nil || time.Now().After(deadline) {
			said, _ := os.ReadFile(log.Name())
			d.Close()
			return nil, fmt.Errorf("pcscd did not come up (it needs root or unprivileged user namespaces); it said: %s", said)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func (d *Daemon) address() string { return fmt.Sprintf("127.0.0.1:%d", d.port) }

// Close kills the daemon and waits for it.
func (d *Daemon) Close() error {
	d.cmd.Process.Kill()
	d.cmd.Wait()
	return d.log.Close()
}

// freePair finds two free ports in a row: vpcd has two slots.
func freePair() (int, error) {
	for range 100 {
		a, err := net.Listen("tcp", ":0")
		if err != nil {
			return 0, err
		}
		port := a.Addr().(*net.TCPAddr).Port
		b, err := net.Listen("tcp", fmt.Sprintf(":%d", port+1))
		a.Close()
		if err == nil {
			b.Close()
			return port, nil
		}
	}
	return 0, errors.New("no two free ports in a row")
}

// Insert lays the card on the reader. The returned function takes it away, in the middle of whatever it
// is doing, and waits until its cable is gone.
func (d *Daemon) Insert(card Card) (remove func(), err error) {
	conn, err := net.Dial("tcp", d.address())
	if err != nil {
		return nil, fmt.Errorf("reach virtual reader: %w", err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer conn.Close()
		serve(conn, card)
	}()
	return sync.OnceFunc(func() { conn.Close(); <-done }), nil
}

// serve speaks vpcd's protocol: two bytes of length, then one byte of control or an APDU.
func serve(conn net.Conn, card Card) {
	const off, on, reset, getATR = 0, 1, 2, 4
	head := make([]byte, 2)
	// vpcd writes the length and the message in two packets, and its kernel holds the second back until
	// the first is acknowledged: 40 ms for every command, unless acknowledged at once. The option does
	// not last.
	socket, _ := conn.(*net.TCPConn).SyscallConn()
	for {
		socket.Control(func(fd uintptr) { unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_QUICKACK, 1) })
		if _, err := io.ReadFull(conn, head); err != nil {
			return
		}
		message := make([]byte, binary.BigEndian.Uint16(head))
		if _, err := io.ReadFull(conn, message); err != nil {
			return
		}
		var answer []byte
		switch {
		case len(message) == 1 && message[0] == getATR:
			answer = card.ATR()
		case len(message) == 1 && (message[0] == off || message[0] == on || message[0] == reset):
			card.Reset()
			continue
		case len(message) > 1:
			answer = card.Transmit(message)
		}
		if _, err := conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(answer))), answer...)); err != nil {
			return
		}
	}
}
