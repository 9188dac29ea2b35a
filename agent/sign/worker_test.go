package sign_test

import (
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"motcua/agent/sign"
	"motcua/ocr/pdfa"
)

// library builds a token's library that does this when it is loaded.
func library(t *testing.T, does string) string {
	t.Helper()
	dir := t.TempDir()
	source := filepath.Join(dir, "lib.c")
	if err := os.WriteFile(source, []byte("#include <unistd.h>\n#include <stdlib.h>\nunsigned long C_GetFunctionList(void *list) { "+does+
		" return 5; }\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "lib.so")
	command(t, "gcc", "-shared", "-fPIC", "-o", out, source)
	return out
}

// A maker's library may do what it likes in its own process: here it is a sentence.
func TestLibraryMisbehaves(t *testing.T) {
	for name, does := range map[string]string{
		"crashes":             "*(volatile int *)0 = 1;",
		"aborts":              "abort();",
		"ends_the_process":    "_exit(0);",
		"is_none":             "",
		"writes_over_answers": `write(1, "what a nice day\n", 16); _exit(1);`,
	} {
		t.Run(name, func(t *testing.T) {
			tok, err := sign.Open(t.Context(), sign.TokenConfig{Module: library(t, does)}, pin)
			if !sign.Is(err, sign.TokenFault) && !sign.Is(err, sign.NoModule) || tok != nil || strings.Contains(err.Error(), pin) {
				t.Errorf("%v", err)
			}
		})
	}
	t.Run("hangs", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		tok, err := sign.Open(ctx, sign.TokenConfig{Module: library(t, "for (;;) pause();")}, pin)
		if !sign.Is(err, sign.TokenFault) || tok != nil {
			t.Errorf("%v", err)
		}
	})
}

// The library breaks down between two signatures: the second is a sentence, and nothing of it is written.
func TestLibraryBreaksDownLater(t *testing.T) {
	o := newOffice(t)
	conf := o.token(t, keyEC(t), same)
	pidFile := filepath.Join(t.TempDir(), "pid")
	conf.Worker = []string{"sh", "-c", `echo $$ >"$0"; exec "$1" token-worker`, pidFile, os.Args[0]}
	s := &sign.Signer{Key: opened(t, conf), Now: time.Now, Mark: mark}
	pdf := scan(t, pdfa.A2b, 595, 842)
	signed(t, s, pdf)
	pid, err := os.ReadFile(pidFile)
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("kill", "-SEGV", strings.TrimSpace(string(pid))).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var wrote counter
	if err := s.Sign(t.Context(), pdf, &wrote); !sign.Is(err, sign.TokenFault) || wrote > 0 {
		t.Errorf("%v, %d bytes written", err, wrote)
	}
}

type counter int

func (c *counter) Write(b []byte) (int, error) { *c += counter(len(b)); return len(b), nil }

var _ io.Writer = (*counter)(nil)

// TestLibraryThatTalks has the token's process write to both its outputs, as some makers' libraries do.
func TestLibraryThatTalks(t *testing.T) {
	o := newOffice(t)
	conf := o.token(t, keyEC(t), same)
	conf.Worker = []string{"sh", "-c", `echo '{"Failure":"pin"}'; echo noise >&2; exec "$0" token-worker`, os.Args[0]}
	signed(t, &sign.Signer{Key: opened(t, conf), Now: time.Now, Mark: mark}, scan(t, pdfa.A2b, 595, 842))
}
