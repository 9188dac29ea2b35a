package office

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"motcua/agent/answer"
	"motcua/agent/audit"
	"motcua/agent/tether"
)

// crashing names the folder that a child process works in until it is killed.
const crashing = "MOTCUA_OFFICE_CRASHING"

// TestCrashingChild is the child of TestKilledAtAnyMoment; alone it does nothing.
func TestCrashingChild(t *testing.T) {
	dir := os.Getenv(crashing)
	if dir == "" {
		t.Skip("runs as a child only")
	}
	w := open(t, dir)
	for n := len(w.store.List(Filter{})) + 1; ; n++ {
		id := fmt.Sprintf("s%d", n)
		r, parts := submission(t, id, "Lê Thị Thử", "079190012345")
		if _, err := w.store.File(t.Context(), r, parts); err != nil {
			t.Fatal(err)
		}
		fmt.Println("did filed", id)
		d, err := w.store.Get(id)
		if err != nil {
			t.Fatal(err)
		}
		d = w.act(t, d, answer.NeedsMore, "Thiếu trang sau.")
		fmt.Println("did answered", id)
		r, parts = submission(t, id+"-more", "Lê Thị Thử", "079190012345")
		parts["form.json"].Data = []byte(strings.Replace(string(parts["form.json"].Data), `{`, `{"supplements":"`+id+`",`, 1))
		parts["manifest.json"].Data = []byte(manifestOf(t, r, parts))
		if _, err := w.store.File(t.Context(), r, parts); err != nil {
			t.Fatal(err)
		}
		fmt.Println("did supplemented", id)
		if d, err = w.store.Get(id); err != nil {
			t.Fatal(err)
		}
		d, _, err = w.store.Attach(t.Context(), id, Attachment{By: "hoa", Revision: d.Revision, Name: "ket-qua.pdf", Result: true,
			Content: func() (io.ReadCloser, error) {
				return io.NopCloser(strings.NewReader(strings.Repeat("%PDF", 9999))), nil
			}})
		if err != nil {
			t.Fatal(err)
		}
		fmt.Println("did attached", id)
		w.act(t, d, answer.Done, "")
		fmt.Println("did done", id)
	}
}

// A desk is killed again and again, wherever it is. What it said was done is there, once, and stands in the audit log, once.
func TestKilledAtAnyMoment(t *testing.T) {
	dir := t.TempDir()
	told := map[string]bool{}
	for range 12 {
		for _, line := range killed(t, dir, time.Duration(50+rand.IntN(900))*time.Millisecond) {
			told[line] = true
		}
		w := open(t, dir)
		noted := map[string]int{}
		for _, e := range w.entries(t) {
			if !strings.HasPrefix(e, string(audit.LogRepaired)) {
				noted[strings.TrimSpace(e)]++
			}
		}
		steps := 0
		for _, d := range w.store.List(Filter{}) {
			steps += len(d.History)
			if len(d.History) == 0 || d.Revision != uint64(len(d.History)) || sent(d) != 3*(1+len(d.Added)) {
				t.Errorf("dossier %d has revision %d, %d steps, %d files", d.Number, d.Revision, len(d.History), len(d.Files))
			}
			for _, f := range d.Files {
				if data, err := w.store.Read(d, f.Name); err != nil || int64(len(data)) != f.Size {
					t.Errorf("a file of dossier %d: %v", d.Number, err)
				}
			}
		}
		for what, n := range noted {
			if n != 1 {
				t.Errorf("%s stands in the audit log %d times", what, n)
			}
		}
		if len(noted) != steps {
			t.Errorf("%d entries in the audit log for %d steps", len(noted), steps)
		}
		for line := range told {
			var what, id string
			if _, err := fmt.Sscanf(line, "did %s %s", &what, &id); err != nil {
				t.Fatal(err)
			}
			d, err := w.store.Get(id)
			least := map[string]int{"filed": 1, "answered": 2, "supplemented": 3, "attached": 4, "done": 5}[what]
			if err != nil || len(d.History) < least {
				t.Errorf("%s was told and is lost: %d steps, %v", line, len(d.History), err)
			}
		}
		w.close(t)
	}
	if len(told) < 20 {
		t.Errorf("the child did only %d things before it was killed", len(told))
	}
	t.Logf("%d things were told as done over 12 kills", len(told))
}

// sent counts the files that came from kiosks.
func sent(d Dossier) (n int) {
	for _, f := range d.Files {
		if f.By == "" {
			n++
		}
	}
	return n
}

// killed runs the child for so long from its first word on, kills it, and gives what it said it had done.
func killed(t *testing.T, dir string, after time.Duration) (lines []string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	child := exec.CommandContext(t.Context(), self, "-test.run=^TestCrashingChild$", "-test.timeout=2m")
	child.Env = append(os.Environ(), crashing+"="+dir)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := tether.Start(child); err != nil {
		t.Fatal(err)
	}
	text := bufio.NewScanner(out)
	for text.Scan() {
		if len(lines) == 0 {
			time.AfterFunc(after, func() { _ = child.Process.Kill() })
		}
		if strings.HasPrefix(text.Text(), "did ") {
			lines = append(lines, text.Text())
		} else {
			t.Logf("child: %s", text.Text())
		}
	}
	if err := child.Wait(); err == nil {
		t.Error("the child ended by itself")
	}
	if _, err := os.Stat(filepath.Join(dir, "desk", indexName)); err != nil {
		t.Fatal(err)
	}
	return lines
}
