package daemon

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"motcua/agent/config"
	"motcua/agent/draft"
	"motcua/agent/staff"
	"motcua/configs"
	"motcua/queue"
	"motcua/queue/seal"
)

const testPIN = "482915"

// older lays down what a build before this one kept: a draft and an answer under keys in files of their own, a plain list of staff.
func older(t *testing.T) config.Config {
	t.Helper()
	cfg, err := config.Default(configs.FS)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Data, cfg.Queue.Key, cfg.Queue.MinFree = t.TempDir(), "file", 0
	for _, store := range []string{draftStore, answerStore} {
		dir := filepath.Join(cfg.Data, store)
		s, err := draft.Open(t.Context(), dir, seal.NewFile(filepath.Join(dir, keyFile)))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Keep("one", "kept by an older build"); err != nil {
			t.Fatal(err)
		}
	}
	roster, err := staff.Open(filepath.Join(cfg.Data, rosterFile), time.Now, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := roster.Add("lan", staff.Technician, testPIN); err != nil {
		t.Fatal(err)
	}
	return cfg
}

// start opens what a daemon does, checks that all of it opens, and gives the list of staff.
func start(t *testing.T, cfg config.Config) *staff.Roster {
	t.Helper()
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	q, _, err := OpenQueue(t.Context(), cfg, log)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(keyRoster(t.Context(), cfg, log), q.Close()); err != nil {
		t.Fatal(err)
	}
	return opens(t, cfg)
}

// opens checks that everything that was kept opens.
func opens(t *testing.T, cfg config.Config) *staff.Roster {
	t.Helper()
	for _, store := range []string{draftStore, answerStore} {
		if err := makeStore(t.Context(), cfg, store, slog.New(slog.NewTextHandler(t.Output(), nil))); err != nil {
			t.Fatal(err)
		}
		s, err := draft.Open(t.Context(), filepath.Join(cfg.Data, store), keysOf(cfg, store))
		if err != nil {
			t.Fatal(err)
		}
		var text string
		if err := s.Take("one", &text); err != nil || text != "kept by an older build" {
			t.Fatalf("%s: %q, %v", store, text, err)
		}
	}
	roster, err := OpenRoster(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := roster.SignIn("lan", testPIN, "kiosk"); err != nil {
		t.Fatal(err)
	}
	return roster
}

// settled is a kiosk of this build, for which nothing is left of an older one.
func settled(t *testing.T) config.Config {
	t.Helper()
	cfg := older(t)
	settleKeys(t.Context(), cfg, start(t, cfg), slog.New(slog.NewTextHandler(t.Output(), nil)))
	return cfg
}

// thief gives what opens of the stores with kiosk keys: drafts, answers, the list of staff.
func thief(t *testing.T, cfg config.Config) (n int) {
	t.Helper()
	for _, store := range []string{draftStore, answerStore} {
		keys, err := keysOf(cfg, store).Load(t.Context())
		if err != nil || len(keys) == 0 {
			continue
		}
		s, err := draft.Open(t.Context(), filepath.Join(cfg.Data, store), keysOf(cfg, store))
		if err != nil {
			t.Fatal(err)
		}
		var text string
		if s.Take("one", &text) == nil {
			n++
		}
	}
	if roster, err := OpenRoster(t.Context(), cfg); err == nil && len(roster.Members()) > 0 {
		n++
	}
	return n
}

func kioskKey(cfg config.Config) string { return filepath.Join(cfg.Data, "queue", keyFile) }

// What an older build kept opens, and stays where that one looks for it until this one has run well; then nothing of it opens without
// the kiosk key.
func TestKeysOfAnOlderBuild(t *testing.T) {
	cfg := older(t)
	roster := start(t, cfg)
	before := filepath.Join(cfg.Data, draftStore, keyFile)
	if !exists(before) || !roster.Plain() {
		t.Error("a build that is gone back to could not open what it kept")
	}
	start(t, cfg) // again, before it was settled
	settleKeys(t.Context(), cfg, roster, slog.Default())
	if exists(before) || exists(filepath.Join(cfg.Data, answerStore, keyFile)) || roster.Plain() {
		t.Error("keys lie beside the kiosk key still")
	}
	opens(t, cfg)
	if n := thief(t, cfg); n != 3 {
		t.Fatalf("with the kiosk key %d of 3 open", n)
	}
	if err := os.Rename(kioskKey(cfg), filepath.Join(t.TempDir(), "key")); err != nil {
		t.Fatal(err)
	}
	if n := thief(t, cfg); n != 0 {
		t.Errorf("without the kiosk key %d of 3 open", n)
	}
}

// Who goes back to an older build, by hand and late, and comes again, loses nothing that was kept meanwhile: the older one made a
// key of its own, which is taken over, too, before it is removed.
func TestKeysOfAnOlderBuildThatRanAgain(t *testing.T) {
	cfg := settled(t)
	dir := filepath.Join(cfg.Data, draftStore)
	older, err := draft.Open(t.Context(), dir, seal.NewFile(filepath.Join(dir, keyFile)))
	if err != nil {
		t.Fatal(err)
	}
	if err := older.Keep("two", "kept meanwhile"); err != nil {
		t.Fatal(err)
	}
	for range 2 { // before and after the older one's key is removed
		roster := start(t, cfg)
		s, err := draft.Open(t.Context(), dir, keysOf(cfg, draftStore))
		if err != nil {
			t.Fatal(err)
		}
		var text string
		if err := s.Take("two", &text); err != nil || text != "kept meanwhile" {
			t.Errorf("%q, %v", text, err)
		}
		settleKeys(t.Context(), cfg, roster, slog.New(slog.NewTextHandler(t.Output(), nil)))
	}
	if exists(filepath.Join(dir, keyFile)) {
		t.Error("the older build's key lies beside the kiosk key still")
	}
}

// Wherever the power fails while the keys move, all opens afterwards: a file is there whole or not at all, and the old one goes only
// once the new one is there. These are all the states that can lie on the disk.
func TestKeysMovedPartly(t *testing.T) {
	for name, cut := range map[string]func(t *testing.T, cfg config.Config){
		"before the first is written": func(t *testing.T, cfg config.Config) {},
		"in the middle of writing": func(t *testing.T, cfg config.Config) {
			for _, dir := range []string{draftStore, answerStore, "."} {
				if err := os.WriteFile(filepath.Join(cfg.Data, dir, ".key-123"), []byte("half"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
		},
		"one store is done": func(t *testing.T, cfg config.Config) { wrapOne(t, cfg, draftStore) },
		"all are wrapped": func(t *testing.T, cfg config.Config) {
			wrapOne(t, cfg, draftStore)
			wrapOne(t, cfg, answerStore)
		},
		"one old key is overwritten, not removed": func(t *testing.T, cfg config.Config) {
			wrapOne(t, cfg, draftStore)
			file := filepath.Join(cfg.Data, draftStore, keyFile)
			info, err := os.Stat(file)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, make([]byte, info.Size()), 0o600); err != nil {
				t.Fatal(err)
			}
		},
		"one old key is removed": func(t *testing.T, cfg config.Config) {
			wrapOne(t, cfg, draftStore)
			if err := keysOf(cfg, draftStore).settle(t.Context()); err != nil {
				t.Fatal(err)
			}
		},
		"the list of staff has its key and is plain": func(t *testing.T, cfg config.Config) {
			if err := keyRoster(t.Context(), cfg, slog.Default()); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := older(t)
			q, _, err := OpenQueue(t.Context(), cfg, slog.New(slog.DiscardHandler)) // makes the kiosk key
			if err != nil {
				t.Fatal(err)
			}
			if err := q.Close(); err != nil {
				t.Fatal(err)
			}
			cut(t, cfg)
			roster := start(t, cfg)
			settleKeys(t.Context(), cfg, roster, slog.Default())
			opens(t, cfg)
			if exists(filepath.Join(cfg.Data, draftStore, keyFile)) || roster.Plain() {
				t.Error("the move did not come to its end")
			}
		})
	}
}

func wrapOne(t *testing.T, cfg config.Config, store string) {
	t.Helper()
	if err := keysOf(cfg, store).adopt(t.Context(), slog.Default()); err != nil {
		t.Fatal(err)
	}
}

// cutting is a vault whose n-th Save is cut: before it, or right after.
type cutting struct {
	seal.Vault
	n     int
	after bool
}

var errCut = errors.New("cut")

func (c *cutting) Save(ctx context.Context, keys []seal.Key) error {
	if c.n--; c.n != 0 {
		return c.Vault.Save(ctx, keys)
	}
	if c.after {
		return errors.Join(c.Vault.Save(ctx, keys), errCut)
	}
	return errCut
}

// A change of the kiosk key takes the stores' keys along, wherever it is cut; what was copied with the old key opens nothing new.
func TestStoresFollowTheKioskKey(t *testing.T) {
	t.Run("rekey", func(t *testing.T) {
		cfg := settled(t)
		old := t.TempDir()
		copyFile(t, kioskKey(cfg), filepath.Join(old, "kiosk"))
		copyFile(t, filepath.Join(cfg.Data, draftStore, wrappedFile), filepath.Join(old, "drafts"))
		rekey(t, cfg, Vault(cfg), nil)
		opens(t, cfg)
		stolen := seal.NewWrapped(filepath.Join(old, "drafts"), draftStore, seal.NewFile(filepath.Join(old, "kiosk")))
		keys, err := stolen.Load(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		now := seal.NewWrapped(filepath.Join(cfg.Data, draftStore, wrappedFile), draftStore, seal.NewFile(filepath.Join(old, "kiosk")))
		if _, err := now.Load(t.Context()); !errors.Is(err, seal.ErrWrongKey) {
			t.Errorf("the old kiosk key opens the stores' keys: %v", err)
		}
		fresh, err := keysOf(cfg, draftStore).Load(t.Context())
		if err != nil || len(fresh) != 2 || fresh[0].ID() == keys[0].ID() || fresh[1].ID() != keys[0].ID() {
			t.Errorf("drafts go on with the key that was copied: %v, %v", fresh, err)
		}
	})
	for n := 1; n <= 2; n++ {
		for _, after := range []bool{false, true} {
			t.Run("cut", func(t *testing.T) {
				cfg := settled(t)
				rekey(t, cfg, &cutting{Vault(cfg), n, after}, errCut)
				opens(t, cfg)
				rekey(t, cfg, Vault(cfg), nil) // again, to its end
				opens(t, cfg)
			})
		}
	}
	t.Run("lost, and back by the words", func(t *testing.T) {
		cfg := settled(t)
		keys, err := Vault(cfg).Load(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		words := keys[0].Phrase()
		if err := os.Remove(kioskKey(cfg)); err != nil {
			t.Fatal(err)
		}
		back, err := seal.ParsePhrase(words)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := queue.RestoreKey(t.Context(), Vault(cfg), []seal.Key{back}); err != nil {
			t.Fatal(err)
		}
		opens(t, cfg)
	})
	t.Run("another one, and the old one comes back", func(t *testing.T) {
		cfg := settled(t)
		file := filepath.Join(cfg.Data, draftStore, wrappedFile)
		copyFile(t, kioskKey(cfg), kioskKey(cfg)+".old")
		if err := Vault(cfg).Save(t.Context(), []seal.Key{seal.NewKey()}); err != nil {
			t.Fatal(err)
		}
		wrapOne(t, cfg, draftStore)
		aside, err := filepath.Glob(file + ".aside-*")
		if err != nil || len(aside) != 1 || exists(file) {
			t.Fatalf("keys that can't be opened are not set aside: %q, %v", aside, err)
		}
		// A store that begins anew under the other kiosk key keeps what it takes meanwhile, too: both come back.
		between, err := draft.Open(t.Context(), filepath.Join(cfg.Data, draftStore), keysOf(cfg, draftStore))
		if err == nil {
			err = between.Keep("two", "kept meanwhile")
		}
		if err := errors.Join(err, os.Rename(kioskKey(cfg), kioskKey(cfg)+".meanwhile"),
			os.Rename(kioskKey(cfg)+".old", kioskKey(cfg))); err != nil {
			t.Fatal(err)
		}
		opens(t, cfg)
		if exists(aside[0]) {
			t.Error("keys that open again lie aside still")
		}
		later, err := seal.NewFile(kioskKey(cfg) + ".meanwhile").Load(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		now, err := Vault(cfg).Load(t.Context())
		if err == nil {
			err = Vault(cfg).Save(t.Context(), append(now, later...))
		}
		if err != nil {
			t.Fatal(err)
		}
		opens(t, cfg)
		both, err := draft.Open(t.Context(), filepath.Join(cfg.Data, draftStore), keysOf(cfg, draftStore))
		var text string
		if err == nil {
			err = both.Take("two", &text)
		}
		if err != nil || text != "kept meanwhile" {
			t.Errorf("%q, %v", text, err)
		}
	})
	t.Run("lost for good, and the queue begun anew", func(t *testing.T) {
		cfg := settled(t)
		if err := os.RemoveAll(filepath.Join(cfg.Data, "queue")); err != nil {
			t.Fatal(err)
		}
		log := slog.New(slog.DiscardHandler)
		q, _, err := OpenQueue(t.Context(), cfg, log)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(keyRoster(t.Context(), cfg, log), q.Close()); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenRoster(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), "rename "+rosterFile+" and add") {
			t.Fatalf("a list of staff that no key opens: %v", err)
		}
		if err := os.Rename(filepath.Join(cfg.Data, rosterFile), filepath.Join(cfg.Data, rosterFile+".old")); err != nil {
			t.Fatal(err)
		}
		roster, err := OpenRoster(t.Context(), cfg)
		if err == nil {
			err = roster.Add("lan", staff.Technician, testPIN)
		}
		if err != nil {
			t.Fatal(err)
		}
	})
}

// rekey changes the kiosk key as motcua queue rekey does without a daemon.
func rekey(t *testing.T, cfg config.Config, vault seal.Vault, want error) {
	t.Helper()
	q, _, err := queue.Open(t.Context(), filepath.Join(cfg.Data, "queue"),
		queue.Options{Vault: vault, Stores: wrappedStores(cfg), MinFree: -1})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := q.Rekey(t.Context(), nil); !errors.Is(err, want) {
		t.Errorf("rekey: %v", err)
	}
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	data, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, data, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}
