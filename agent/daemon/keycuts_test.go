package daemon

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"motcua/agent/config"
	"motcua/agent/tether"
	"motcua/configs"
	"motcua/queue/seal"
)

// What the child of TestKeysMovedKilled is told.
const (
	moveEnv   = "MOTCUA_TEST_KEY_MOVE"
	folderEnv = "MOTCUA_TEST_KEY_FOLDER"
)

// keyMoves are the ways on which keys move. Each is run by a process of its own that is killed in the middle; afterwards ends is what
// the technician has then.
var keyMoves = map[string]struct {
	move, ends func(t *testing.T, cfg config.Config)
}{
	"an upgrade, then another kiosk key": {
		move: func(t *testing.T, cfg config.Config) {
			settleKeys(t.Context(), cfg, start(t, cfg), slog.New(slog.DiscardHandler))
			rekey(t, cfg, Vault(cfg), nil)
			opens(t, cfg)
		},
		ends: func(t *testing.T, cfg config.Config) { start(t, cfg); rekey(t, cfg, Vault(cfg), nil) },
	},
	"the kiosk key is lost and comes back": {
		move: func(t *testing.T, cfg config.Config) {
			settleKeys(t.Context(), cfg, start(t, cfg), slog.New(slog.DiscardHandler))
			copyFile(t, kioskKey(cfg), kioskKey(cfg)+".safe")
			if err := Vault(cfg).Save(t.Context(), []seal.Key{seal.NewKey()}); err != nil {
				t.Fatal(err)
			}
			for _, store := range []string{draftStore, answerStore, staffStore} {
				wrapOne(t, cfg, store)
				if err := keysOf(cfg, store).Save(t.Context(), []seal.Key{seal.NewKey()}); err != nil { // it begins anew
					t.Fatal(err)
				}
			}
			restoreKiosk(t, cfg)
			start(t, cfg)
		},
		ends: func(t *testing.T, cfg config.Config) { restoreKiosk(t, cfg) },
	},
}

// restoreKiosk puts the key that lies in the safe, if it was put there, before what the kiosk has.
func restoreKiosk(t *testing.T, cfg config.Config) {
	t.Helper()
	safe, err := seal.NewFile(kioskKey(cfg) + ".safe").Load(t.Context())
	if err != nil || len(safe) == 0 {
		return // the copy itself was cut: the kiosk's key is untouched then
	}
	now, err := Vault(cfg).Load(t.Context())
	if err == nil {
		err = Vault(cfg).Save(t.Context(), append(safe, without(now, safe)...))
	}
	if err != nil {
		t.Fatal(err)
	}
}

func inFolder(t *testing.T, dir string) config.Config {
	t.Helper()
	cfg, err := config.Default(configs.FS)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Data, cfg.Queue.Key, cfg.Queue.MinFree = dir, "file", 0
	return cfg
}

// TestKeyMoveChild is the process that is killed.
func TestKeyMoveChild(t *testing.T) {
	m, ok := keyMoves[os.Getenv(moveEnv)]
	if !ok {
		t.Skip("only as the child of TestKeysMovedKilled")
	}
	m.move(t, inFolder(t, os.Getenv(folderEnv)))
}

// A process that moves keys is killed after each change of a file, of every store, on the way to the end: all opens afterwards, once the
// daemon was started again. In the soak after every one, else after some.
func TestKeysMovedKilled(t *testing.T) {
	step := 29
	if os.Getenv("MOTCUA_SOAK") != "" {
		step = 1
	}
	template := older(t).Data
	for name, m := range keyMoves {
		t.Run(name, func(t *testing.T) {
			cuts := 0
			for n := 1; ; n += step {
				dir := filepath.Join(t.TempDir(), "data")
				if err := os.CopyFS(dir, os.DirFS(template)); err != nil {
					t.Fatal(err)
				}
				private(t, dir)
				killed := moveAndKill(t, name, dir, n)
				cfg := inFolder(t, dir)
				m.ends(t, cfg)
				settleKeys(t.Context(), cfg, start(t, cfg), slog.New(slog.DiscardHandler))
				opens(t, cfg)
				if t.Failed() {
					t.Fatalf("killed at change %d", n)
				}
				if !killed {
					break
				}
				cuts++
			}
			t.Logf("killed at %d places", cuts)
			if cuts < 3 {
				t.Error("the move was hardly cut")
			}
		})
	}
}

// private gives a copied folder the modes that keys must have.
func private(t *testing.T, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if e.IsDir() {
			return os.Chmod(path, 0o700)
		}
		return os.Chmod(path, 0o600)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// moveAndKill runs a move in a process of its own and kills it at the n-th change that the kernel tells of below dir; false: it came to its
// end before.
func moveAndKill(t *testing.T, name, dir string, n int) (killed bool) {
	t.Helper()
	watch, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(watch)
	for _, folder := range []string{dir, filepath.Join(dir, draftStore), filepath.Join(dir, answerStore), filepath.Join(dir, "queue")} {
		if err := os.MkdirAll(folder, 0o700); err != nil {
			t.Fatal(err)
		}
		const changes = unix.IN_CREATE | unix.IN_MODIFY | unix.IN_MOVED_TO | unix.IN_DELETE | unix.IN_MOVED_FROM
		if _, err := unix.InotifyAddWatch(watch, folder, changes); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	child := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestKeyMoveChild$")
	child.Env = append(os.Environ(), moveEnv+"="+name, folderEnv+"="+dir)
	child.WaitDelay = time.Second
	out := &said{}
	child.Stdout, child.Stderr = out, out
	if err := tether.Start(child); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- child.Wait() }()
	buf := make([]byte, 64<<10)
	for seen := 0; ; {
		select {
		case err := <-ended:
			if err != nil {
				t.Fatalf("the move itself: %v\n%s", err, out.text)
			}
			return false
		default:
		}
		wait := []unix.PollFd{{Fd: int32(watch), Events: unix.POLLIN}}
		if _, err := unix.Poll(wait, 10); err != nil && !errors.Is(err, unix.EINTR) {
			t.Fatal(err)
		}
		got, err := unix.Read(watch, buf)
		if err != nil {
			continue
		}
		if seen += inotifyEvents(buf[:got]); seen >= n {
			_ = child.Process.Signal(syscall.SIGKILL)
			return killedOf(<-ended)
		}
	}
}

// killedOf reports whether a process was killed before it had ended by itself.
func killedOf(err error) bool {
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return false
	}
	status, ok := exit.Sys().(syscall.WaitStatus)
	return ok && status.Signaled()
}

// inotifyEvents counts the records in what was read of inotify(7).
func inotifyEvents(b []byte) (n int) {
	const head = unix.SizeofInotifyEvent
	for len(b) >= head {
		name := int(b[12]) | int(b[13])<<8 | int(b[14])<<16 | int(b[15])<<24
		b = b[min(len(b), head+name):]
		n++
	}
	return n
}

// said keeps what a child says; only its own goroutine of exec writes to it.
type said struct{ text []byte }

func (s *said) Write(b []byte) (int, error) {
	s.text = append(s.text, b...)
	return len(b), nil
}
