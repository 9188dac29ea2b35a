// Package vpcd gives tests a real way to a card: a private pcscd with a virtual reader (vsmartcard's
// vpcd), and a cable from that reader to a Card written in Go. It promises that nothing of it is left
// after Close, and that it meets no other pcscd: the daemon runs in a mount namespace of its own and
// is reached through /proc. Where that is forbidden (some containers) it takes the machine's place for
// pcscd under a lock. What it can't show is a radio field: timing, weak coupling, T=0.
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
	conf string
	cmd  *exec.Cmd
	log  *os.File
	turn *os.File // the lock on the machine's place, where no namespace could be had
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

const (
	driver = "/usr/lib/pcsc/drivers/serial/libifdvpcd.so"
	place  = "/run/pcscd" // compiled into pcscd
)

func start(ctx context.Context, dir string, reader bool) (*Daemon, error) {
	if _, err := os.Stat(driver); err != nil {
		return nil, fmt.Errorf("virtual card reader (apt-get install pcscd vsmartcard-vpcd): %w", err)
	}
	port, err := freePair()
	if err != nil {
		return nil, err
	}
	d := &Daemon{port: port, conf: filepath.Join(dir, "reader.conf.d")}
	if err := os.MkdirAll(d.conf, 0o755); err != nil {
		return nil, err
	}
	if reader {
		if err := d.configure(); err != nil {
			return nil, err
		}
	}
	if d.log, err = os.Create(filepath.Join(dir, "pcscd.log")); err != nil {
		return nil, err
	}
	if d.cmd, err = d.command(ctx); err != nil {
		d.log.Close()
		return nil, err
	}
	d.cmd.Stdout, d.cmd.Stderr = d.log, d.log
	d.cmd.Env = append(os.Environ(), "PATH="+os.Getenv("PATH")+":/usr/sbin:/sbin")
	if err := d.cmd.Start(); err != nil {
		d.log.Close()
		return nil, fmt.Errorf("start pcscd: %w", err)
	}
	if d.Socket = place + "/pcscd.comm"; d.turn == nil {
		d.Socket = fmt.Sprintf("/proc/%d/root%s", d.cmd.Process.Pid, d.Socket)
	}
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
			said, _ := os.ReadFile(d.log.Name())
			_ = d.Close()
			return nil, fmt.Errorf("pcscd did not come up (it needs root or unprivileged user namespaces); it said: %s", said)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// configure names the virtual reader to pcscd.
func (d *Daemon) configure() error {
	text := fmt.Sprintf("FRIENDLYNAME \"Virtual PCD\"\nDEVICENAME /dev/null:%d\nLIBPATH %s\nCHANNELID %d\n", d.port, driver, d.port)
	return os.WriteFile(filepath.Join(d.conf, "vpcd"), []byte(text), 0o644)
}

// command is pcscd in a namespace where /run is its own, or in the machine's place for it. With
// --map-root-user an account may do so that may make user namespaces; root needs none.
func (d *Daemon) command(ctx context.Context) (*exec.Cmd, error) {
	pcscd := []string{"pcscd", "--foreground", "--debug", "--config", d.conf}
	namespace := []string{"--mount"}
	if os.Getuid() != 0 {
		namespace = append(namespace, "--map-root-user")
	}
	const ownRun = `mount -t tmpfs none /run && exec "$@"`
	if exec.CommandContext(ctx, "unshare", append(namespace, "sh", "-c", ownRun, "sh", "true")...).Run() == nil {
		return exec.Command("unshare", append(append(namespace, "sh", "-c", ownRun, "sh"), pcscd...)...), nil
	}
	turn, err := os.OpenFile(filepath.Join(os.TempDir(), "motcua-pcscd.lock"), os.O_CREATE|os.O_RDWR, 0o666)
	if err != nil {
		return nil, err
	}
	for wait := time.After(2 * time.Minute); unix.Flock(int(turn.Fd()), unix.LOCK_EX|unix.LOCK_NB) != nil; {
		select {
		case <-ctx.Done():
			turn.Close()
			return nil, ctx.Err()
		case <-wait:
			turn.Close()
			return nil, errors.New("another test keeps the only place for a pcscd on this machine")
		case <-time.After(50 * time.Millisecond):
		}
	}
	d.turn = turn
	for _, left := range []string{"pcscd.comm", "pcscd.pid"} { // of a daemon that was killed
		if conn, err := net.Dial("unix", place+"/pcscd.comm"); err == nil {
			conn.Close()
			break // it lives: pcscd will say so itself
		}
		os.Remove(filepath.Join(place, left))
	}
	path, err := exec.LookPath("pcscd")
	if err != nil {
		path = "/usr/sbin/pcscd" // not on every account's path
	}
	return exec.Command(path, pcscd[1:]...), nil
}

func (d *Daemon) address() string { return fmt.Sprintf("127.0.0.1:%d", d.port) }

// Close kills the daemon and waits for it.
func (d *Daemon) Close() error {
	_ = d.cmd.Process.Kill()
	_ = d.cmd.Wait()
	if d.turn != nil {
		d.turn.Close()
	}
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
		_ = socket.Control(func(fd uintptr) { _ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_QUICKACK, 1) })
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
