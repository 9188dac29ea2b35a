package tether

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// patience bounds what a sound machine does at once.
const patience = time.Minute

// parent names, in the environment, the test binary that is killed.
const parent = "MOTCUA_TETHER_PARENT"

// TestParent is the process that starts one, and is killed.
func TestParent(t *testing.T) {
	if os.Getenv(parent) == "" {
		t.Skip("a process of TestEndsWithAKilledTest")
	}
	child := exec.Command("cat") // ends by itself with its standard input only, which the test that kills this one holds open
	child.ExtraFiles = []*os.File{os.NewFile(3, "alive")}
	child.Stdin, child.Stdout = os.Stdin, os.Stderr
	if err := Start(child); err != nil {
		t.Fatal(err)
	}
	fmt.Println("started")
	_ = child.Wait()
}

// A test binary that is killed runs no cleanup: what it started is gone all the same.
func TestEndsWithAKilledTest(t *testing.T) {
	alive, held, err := os.Pipe() // its end is read once nobody holds held
	if err != nil {
		t.Fatal(err)
	}
	defer alive.Close()
	stdin, open, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	defer open.Close()
	test := exec.Command(os.Args[0], "-test.run=^TestParent$")
	test.Env = append(os.Environ(), parent+"=yes")
	test.Stdin, test.ExtraFiles = stdin, []*os.File{held}
	out, err := test.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := Start(test); err != nil {
		t.Fatal(err)
	}
	held.Close()
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "started\n" {
		t.Fatalf("%q, %v", line, err)
	}
	_ = test.Process.Kill()
	_ = test.Wait()
	if err := alive.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if _, err := alive.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("it lives on after the test that started it: %v", err)
	}
}

// The thread that a test ran on may end at any moment: what the test started stays.
func TestStaysWhenAThreadEnds(t *testing.T) {
	child := exec.Command("cat")
	in, err := child.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	thread, started := make(chan int, 1), make(chan error, 1)
	go func() {
		runtime.LockOSThread() // and not unlocked: the thread ends with this function
		thread <- unix.Gettid()
		started <- Start(child)
	}()
	if err := <-started; err != nil {
		t.Fatal(err)
	}
	task := fmt.Sprintf("/proc/self/task/%d", <-thread)
	for end := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		if _, err := os.Stat(task); os.IsNotExist(err) {
			break
		}
		if time.Now().After(end) {
			t.Skip("the thread does not end (the process's first one stays)")
		}
	}
	if _, err := io.WriteString(in, "here\n"); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "here\n" {
		t.Errorf("it ended with a thread: %q, %v", line, err)
	}
	in.Close()
	if err := child.Wait(); err != nil {
		t.Error(err)
	}
}
