package sane

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"motcua/drivers/scan"
)

// remote runs SANE's network daemon before the options' backends, and gives options that reach them by the net backend, and its
// address. The net backend knows one port; the address is the test's own.
func remote(t *testing.T, behind Options) (Options, string) {
	t.Helper()
	var l *net.TCPListener
	for l == nil {
		address := fmt.Sprintf("127.%d.%d.%d:6566", 1+rand.IntN(254), rand.IntN(256), 1+rand.IntN(254))
		if got, err := net.Listen("tcp", address); err == nil {
			l = got.(*net.TCPListener)
		} else if t.Context().Err() != nil {
			t.Fatal(err)
		}
	}
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		for {
			c, err := l.AcceptTCP()
			if err != nil {
				return
			}
			running.Go(func() { serveRemote(ctx, t, behind, c) })
		}
	})
	t.Cleanup(func() {
		stop()
		l.Close()
		running.Wait()
	})
	host, _, _ := net.SplitHostPort(l.Addr().String())
	o := backends(t, []string{"net"}, "")
	for _, e := range o.Env {
		if dir, is := strings.CutPrefix(e, "SANE_CONFIG_DIR="); is {
			write(t, filepath.Join(dir, "net.conf"), host+"\n")
		}
	}
	return o, host
}

// serveRemote has saned serve one connection, as a superserver does.
func serveRemote(ctx context.Context, t *testing.T, behind Options, c *net.TCPConn) {
	defer c.Close()
	f, err := c.File()
	if err != nil {
		t.Error(err)
		return
	}
	defer f.Close()
	program, err := exec.LookPath("saned")
	if err != nil {
		program = "/usr/sbin/saned" // which is on no user's path but root's
	}
	saned := exec.CommandContext(ctx, program)
	saned.Env = append(os.Environ(), behind.Env...)
	saned.Stdin, saned.Stdout = f, f
	if err := saned.Run(); err != nil && ctx.Err() == nil {
		t.Logf("saned: %v", err) // the worker was killed in the middle
	}
}

// A scanner at another machine that runs SANE is scanned from by the net backend, within the worker's bounds: the page is the
// same as from the backend here.
func TestNet_in_bounds(t *testing.T) {
	here := testBackend(t, "test-picture=Color pattern")
	set := scan.Settings{DPI: 75, Mode: scan.Gray}
	want, err := all(t.Context(), open(t, here, "sane:test:0"), set)
	if err != nil || len(want) != 1 {
		t.Fatal(len(want), err)
	}
	o, host := remote(t, here)
	o.Set = here.Set
	s := open(t, o, "sane:net:"+host+":test:0")
	got, err := all(t.Context(), s, set)
	if err != nil || len(got) != 1 || hash(got[0].Image) != hash(want[0].Image) {
		t.Fatalf("%d pages, %v", len(got), err)
	}
	if note := s.Info().Note; note != "" {
		t.Errorf("it says: %s", note)
	}
	infos, err := List(t.Context(), o)
	if err != nil || len(infos) != 2 || infos[0].ID != "sane:net:"+host+":test:0" {
		t.Errorf("listed %+v, %v", infos, err)
	}
	set.Source, set.MaxPages = scan.ADF, 3
	if got, err = all(t.Context(), s, set); err != nil || len(got) != 3 {
		t.Errorf("%d pages, %v", len(got), err)
	}
}
