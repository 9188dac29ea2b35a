package screen

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// messages of a log are its calls' first words.
var messages = regexp.MustCompile(`[lL]og(?:ger)?(?:\(\))?\.(?:Info|Warn|Error)(?:Context)?\((?:[a-zA-Z.]+, )?"([^"]+)"[,)]`)

// notTheKiosks are rooms whose log no kiosk's technician reads: the office's end, commands, what draws and trains.
var notTheKiosks = []string{"agent/office", "agent/cli", "agent/attack", "queue/receive", "ocr/lab"}

// Whatever a kiosk's log says the technician's page says in Vietnamese, too.
func TestLogSpeaksVietnamese(t *testing.T) {
	p, err := loadPhrases()
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, room := range []string{"agent", "drivers", "queue", "ocr"} {
		root := filepath.Join("../../..", room)
		err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			within, _ := filepath.Rel("../../..", file)
			for _, not := range notTheKiosks {
				if within == not {
					return filepath.SkipDir
				}
			}
			if d.IsDir() || filepath.Ext(file) != ".go" || strings.HasSuffix(file, "_test.go") {
				return nil
			}
			code, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			for _, call := range messages.FindAllSubmatch(code, -1) {
				message := string(call[1])
				if found[message] = true; p.logged[message] == "" {
					t.Errorf("%s: no words for %q", within, message)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(found) < 100 {
		t.Fatalf("only %d messages were found", len(found))
	}
	h := &Host{phrases: p}
	for line, want := range map[string]string{
		`"visit ended" visit=01M why=left`: "kết thúc lượt", "running address=x": "máy đang chạy", "unheard of": "",
	} {
		if got := h.Logged("vi", line); got != want {
			t.Errorf("%s: %q, want %q", line, got, want)
		}
	}
	if got := h.Logged("en", "running"); got != "" {
		t.Errorf("in English: %q", got)
	}
}
