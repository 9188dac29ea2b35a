package web

import (
	"context"
	"crypto"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"motcua/agent/sign"
	"motcua/agent/web/screen"
	"motcua/queue"
)

// dying is the moment at which the program is killed while an officer signs.
type dying string

const (
	afterSigning dying = "signed" // the copy has its number, is signed and lies in memory
	afterStoring dying = "stored" // it is accepted, and nobody was told
)

const dyingAt = "MOTCUA_OFFICER_DIES"

func die() {
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {} // the signal is on its way
}

type deadlyToken struct {
	*token
	at dying
}

func (k deadlyToken) Sign(digest []byte, hash crypto.Hash) ([]byte, error) {
	value, err := k.token.Sign(digest, hash)
	if k.at == afterSigning {
		die()
	}
	return value, err
}

type deadlyQueue struct {
	*queue.Queue
	at dying
}

func (q deadlyQueue) Enqueue(ctx context.Context, d queue.Draft) (queue.Submission, error) {
	s, err := q.Queue.Enqueue(ctx, d)
	if q.at == afterStoring {
		die()
	}
	return s, err
}

// officersKiosk is a kiosk whose drafts, queue and register lie in a folder, to be found by the next one there.
func officersKiosk(t *testing.T, dir string, at dying) (*kiosk, *token) {
	t.Helper()
	q, _, err := queue.Open(t.Context(), filepath.Join(dir, "queue"), queue.Options{MinFree: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { q.Close() })
	tok := newToken(t)
	if err := os.MkdirAll(filepath.Join(dir, "drafts"), 0o700); err != nil {
		t.Fatal(err)
	}
	k := newKiosk(t, func(o *screen.Options) { o.Queue = deadlyQueue{q, at} }, withStaff(t), draftsIn(t, filepath.Join(dir, "drafts")),
		withOfficerIn(t, dir, tok))
	open := tok.open
	k.site.Options.Console.Signing.Open = func(ctx context.Context, pin string, mark sign.Mark) (*sign.Signer, func(), error) {
		s, done, err := open(ctx, pin, mark)
		if err == nil {
			s.Key = deadlyToken{tok, at}
		}
		return s, done, err
	}
	k.queue = q
	return k, tok
}

// Killed between signature, acceptance and answer: nothing is half signed, nothing is lost, nothing comes twice, and
// the copy keeps its number.
func TestOfficerIsKilled(t *testing.T) {
	if at := dying(os.Getenv(dyingAt)); at != "" { // this is the one to be killed
		k, _ := officersKiosk(t, os.Getenv(dyingAt+"_IN"), at)
		h := k.hand(t).officer().toConfirm().compared()
		h.post("/officer/sign", "visit", h.waiting()[0], "form", "SAO Y", "pin", tokenPIN)
		t.Fatal("still alive")
	}
	for _, at := range []dying{afterSigning, afterStoring} {
		t.Run(string(at), func(t *testing.T) {
			dir := t.TempDir()
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			child := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestOfficerIsKilled$")
			child.Env = append(os.Environ(), dyingAt+"="+string(at), dyingAt+"_IN="+dir, "TMPDIR="+t.TempDir())
			out, err := child.CombinedOutput()
			if status, ok := child.ProcessState.Sys().(syscall.WaitStatus); err == nil || !ok || status.Signal() != syscall.SIGKILL {
				t.Fatalf("%v: %s", err, out)
			}
			k, tok := officersKiosk(t, dir, "")
			h := k.hand(t).officer()
			if at != afterStoring {
				if n := len(k.submissions(t)); n != 0 {
					t.Fatalf("%d were accepted", n)
				}
				ids := h.waiting()
				if len(ids) != 1 {
					t.Fatalf("%d wait for the PIN", len(ids))
				}
				h.post("/officer/sign", "visit", ids[0], "form", "SAO Y", "pin", tokenPIN).want(200, "/officer/signed")
			} else if len(h.waiting()) != 0 {
				t.Error("what was accepted waits again")
			}
			all := k.submissions(t)
			if len(all) != 1 {
				t.Fatalf("%d were accepted", len(all))
			}
			if at == afterStoring {
				tok = nil // the token of the one that was killed
			}
			if numbers := k.certified(t, tok, all[0].ID); len(numbers) != 1 || !strings.HasPrefix(numbers[0], "1/") {
				t.Errorf("numbers %v", numbers)
			}
		})
	}
}
