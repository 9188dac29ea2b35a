package stick_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"motcua/agent/stick"
	"motcua/agent/stick/sticktest"
)

// hang mounts a stick that answers nothing, as a real FUSE file system; asked tells each question (fuse.h's opcodes) after the first,
// which is the kernel's own.
func hang(t *testing.T, dir string) (asked <-chan uint32) {
	t.Helper()
	dev, err := unix.Open("/dev/fuse", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Skipf("no FUSE here: %v", err)
	}
	end := func() { _ = unix.Close(dev) } // what waits for an answer gets an error
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	options := fmt.Sprintf("fd=%d,rootmode=40000,user_id=%d,group_id=%d", dev, os.Getuid(), os.Getgid())
	if err := unix.Mount("stick", dir, "fuse", unix.MS_RDONLY|unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, options); err != nil {
		end()
		t.Skipf("no FUSE here: %v", err)
	}
	const header, out, initOpcode = 16, 64, 26 // bytes of fuse_out_header and fuse_init_out, FUSE_INIT
	questions, served := make(chan uint32, 64), make(chan struct{})
	go func() {
		defer close(served)
		for b := make([]byte, 1<<17); ; {
			n, err := unix.Read(dev, b)
			if err != nil || n < 40 {
				return
			}
			if opcode := binary.NativeEndian.Uint32(b[4:]); opcode != initOpcode {
				questions <- opcode
				continue
			}
			answer := make([]byte, header+out)
			binary.NativeEndian.PutUint32(answer, header+out)
			copy(answer[8:16], b[8:16]) // which question
			binary.NativeEndian.PutUint32(answer[header:], 7)
			binary.NativeEndian.PutUint32(answer[header+4:], 31)
			binary.NativeEndian.PutUint32(answer[header+20:], 4096) // max_write
			if _, err := unix.Write(dev, answer); err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() {
		_ = unix.Unmount(dir, unix.MNT_FORCE|unix.MNT_DETACH) // ends the reading
		<-served
		end()
	})
	return questions
}

// A stick that answers nothing holds up who lists it, and no one else: whether sticks came and went is told without asking them.
func TestStickThatHangs(t *testing.T) {
	if !sticktest.CanMount(t) {
		return
	}
	folder := t.TempDir()
	f := stick.New(folder, limit, time.Now)
	began := time.Now()
	none := f.State()
	asked := hang(t, filepath.Join(folder, "sdb1"))
	state := func() {
		t.Helper()
		told := make(chan string, 1)
		go func() { told <- f.State() }()
		select {
		case s := <-told:
			if s == none {
				t.Error("the stick is not seen")
			}
		case opcode := <-asked:
			t.Fatalf("State asks the stick (question %d), and waits for it", opcode)
		}
	}
	state()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	listed := make(chan error, 1)
	go func() {
		_, err := f.List(ctx, "visit", began)
		listed <- err
	}()
	select {
	case <-asked: // it waits for the stick now
	case err := <-listed:
		t.Fatalf("List did not ask the stick: %v", err)
	}
	state()
	cancel()
	if err := <-listed; err == nil {
		t.Error("a listing of a stick that answered nothing")
	}
	state()
}
