// Package chromiumtest starts Chromium for tests: headless, with nothing asked of the network, and with nothing of it left
// behind on the disk.
//
// A test of pages gets the headless shell (Debian package chromium-headless-shell): the same engine without the browser's
// own windows, for a third less of the processor. Where it isn't there, and for what only the whole browser has (an
// extension), it is Chromium itself.
package chromiumtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

const (
	patience = 10 * time.Minute // until Chromium has started, on a machine that has other work
	longest  = 40 * time.Minute // for a whole walk in it

	// How soon a page is asked again what it was asked: each answer takes three processes, so that a wait that lasts is asked less often.
	soon   = 10 * time.Millisecond
	seldom = 200 * time.Millisecond
)

// Flag is a further option of the command line: its name without dashes, and its value.
type Flag struct {
	Name  string
	Value any
}

// browser is a started Chromium.
type browser struct {
	ctx context.Context
	end func() // ends it and takes its files away
}

// shell is the headless shell's path, or nothing where it is not installed.
var shell = sync.OnceValue(func() string {
	name, err := exec.LookPath("chromium-headless-shell")
	if err != nil {
		return ""
	}
	return name
})

// start starts the headless shell, or where whole is asked for, the whole browser.
func start(whole bool, flags []Flag) (*browser, error) {
	// Chromium leaves its sockets' folders behind when it is ended; a short path, because a socket's may have 107 signs.
	temp, err := os.MkdirTemp("", "mo")
	if err != nil {
		return nil, fmt.Errorf("make a folder for Chromium: %w", err)
	}
	options := slices.Concat(chromedp.DefaultExecAllocatorOptions[:], []chromedp.ExecAllocatorOption{
		chromedp.Env("TMPDIR=" + temp), chromedp.WSURLReadTimeout(patience), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.UserDataDir(filepath.Join(temp, "profile")), chromedp.WindowSize(1920, 1080),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true), chromedp.Flag("hide-scrollbars", true)})
	for _, f := range flags {
		options = append(options, chromedp.Flag(f.Name, f.Value))
	}
	if path := shell(); path != "" && !whole {
		options = append(options, chromedp.ExecPath(path))
	}
	alloc, endAlloc := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, end := chromedp.NewContext(alloc)
	b := &browser{ctx, func() { end(); endAlloc(); os.RemoveAll(temp) }}
	if err := chromedp.Do(ctx); err != nil {
		b.end()
		return nil, fmt.Errorf("start Chromium (Debian packages chromium and chromium-headless-shell): %w", err)
	}
	return b, nil
}

// Whole starts the whole browser for one test, with further flags, and gives its first tab.
func Whole(t testing.TB, flags ...Flag) context.Context {
	t.Helper()
	b, err := start(true, flags)
	if err != nil {
		t.Fatal(err)
	}
	ctx, endTime := context.WithTimeout(b.ctx, longest)
	t.Cleanup(func() { endTime(); b.end() })
	return ctx
}

// Pool are the started browsers of a package. A test has one to itself, since the windows of one share its touches and its
// focus; the next test takes it over. The zero Pool is ready; its Close is for TestMain.
type Pool struct {
	Flags []Flag
	Whole bool // the whole browser, as a kiosk has it

	mu   sync.Mutex // guards idle
	idle []*browser
}

// Window opens a window that knows nothing of any other, with a screen of so many pixels, until the test ends. A browser
// that a test failed in is not given to another.
func (p *Pool) Window(t testing.TB, width, height int64) context.Context {
	t.Helper()
	ctx, end := chromedp.NewContext(p.take(t).ctx, chromedp.WithNewBrowserContext())
	ctx, endTime := context.WithTimeout(ctx, longest)
	t.Cleanup(func() { endTime(); end() })
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(width, height)); err != nil {
		t.Fatal(err)
	}
	return ctx
}

func (p *Pool) take(t testing.TB) *browser {
	t.Helper()
	var b *browser
	p.mu.Lock()
	if n := len(p.idle); n > 0 {
		b, p.idle = p.idle[n-1], p.idle[:n-1]
	}
	p.mu.Unlock()
	if b == nil {
		var err error
		if b, err = start(p.Whole, p.Flags); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		if t.Failed() {
			b.end()
			return
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		p.idle = append(p.idle, b)
	})
	return b
}

// Close ends the browsers that no test has.
func (p *Pool) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, b := range p.idle {
		b.end()
	}
	p.idle = nil
}

// Extension are the flags of a browser that has the unpacked extension in dir, and finds hosts as the rules say ("MAP *:443
// 127.0.0.1:1234"), whatever certificate is shown there.
func Extension(dir, hosts string) []Flag {
	return []Flag{{"disable-extensions", false}, {"load-extension", dir}, {"disable-extensions-except", dir},
		{"disable-features", "DisableLoadExtensionCommandLineSwitch,HttpsUpgrades"},
		{"host-resolver-rules", hosts}, {"ignore-certificate-errors", true}}
}

// ErrNever is that a page did not come to say yes.
var ErrNever = errors.New("never came true")

// Until waits until a script says yes on a page that is fully there. Between two pages it cannot be asked.
func Until(ctx context.Context, script string) error {
	whole := `document.readyState === "complete" && !!(` + script + `)`
	end := time.Now().Add(patience)
	for pause := soon; ; pause = min(pause*3/2, seldom) {
		yes, err := chromedp.Run(ctx, chromedp.Evaluate[bool](whole))
		switch {
		case err == nil && yes:
			return nil
		case ctx.Err() != nil:
			return fmt.Errorf("the browser ended: %w", ctx.Err())
		case time.Now().After(end):
			return ErrNever
		}
		time.Sleep(pause)
	}
}
