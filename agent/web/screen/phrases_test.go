package screen

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"motcua/agent/config"
	"motcua/agent/strict"
	"motcua/drivers/scan"
)

func TestDoctorSpeaksVietnamese(t *testing.T) {
	p, err := loadPhrases()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ in, mend, what, mended string }{
		{"procedures: 21 procedures are offered", "", "Thủ tục: có 21 thủ tục", ""},
		{"recognition: a specimen card is read in 52 ms, 9 fields right", "", "Nhận dạng: đọc thẻ mẫu trong 52 ms, đúng 9 mục", ""},
		{"hub: the hub cannot be used: no route to host", "correct upload in the configuration",
			"Nơi nhận: không dùng được nơi nhận: no route to host", "sửa mục upload trong cấu hình"},
		{"queue: what nobody has put into words yet", "", "Hồ sơ chờ gửi: what nobody has put into words yet", ""},
		{"no area at all", "", "no area at all", ""},
	} {
		if got := p.finding(Finding{What: c.in, Mend: c.mend}); got.What != c.what || got.Mend != c.mended {
			t.Errorf("%q, %q", got.What, got.Mend)
		}
	}
	// What the checks say when all is well is what a technician reads every day: all of it has words.
	said := regexp.MustCompile(`doctor\.Good\("([^"]+)"`)
	seen := 0
	for _, pattern := range []string{"../../daemon/*.go", "../../station/*.go"} {
		names, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			source, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range said.FindAllStringSubmatch(string(source), -1) {
				example := regexp.MustCompile(`%[a-z]`).ReplaceAllString(m[1], "7")
				if seen++; example != "7" && p.say(example) == example {
					t.Errorf("%s says %q, which has no Vietnamese", filepath.Base(name), m[1])
				}
			}
		}
	}
	if seen < 10 {
		t.Errorf("only %d sentences were found in the sources", seen)
	}
}

// What a scanner's fault and a mistake in the configuration say to a technician has words in Vietnamese.
func TestFaultsSpeakVietnamese(t *testing.T) {
	p, err := loadPhrases()
	if err != nil {
		t.Fatal(err)
	}
	for _, code := range append(constants(t, "../../../drivers/scan", "Code", ""), "something-new") {
		said := scan.NewFault("x", scan.Code(code), nil).Technician
		if p.say(said) == said {
			t.Errorf("fault %s says %q, which has no Vietnamese", code, said)
		}
	}
	verb := regexp.MustCompile(`%[a-z]`)
	seen := 0
	for name, said := range map[string]*regexp.Regexp{
		"../../config/config.go": regexp.MustCompile(`f\.Problem\([^\n]*?, ("(?:[^"\\]|\\.)*"(?:\+\s*"(?:[^"\\]|\\.)*")*)[,)]`),
		"../../strict/strict.go": regexp.MustCompile(`f\.add\([^\n]*?, ("[a-z][^"]*")\)`),
		"../../report/report.go": regexp.MustCompile(`fmt\.Errorf\(("(?:day|the period)(?:[^"\\]|\\.)*")`),
	} {
		source, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		text := strings.ReplaceAll(string(source), "\" +\n\t\t\t\"", "")
		for _, m := range said.FindAllStringSubmatch(text, -1) {
			example := verb.ReplaceAllString(strings.Trim(m[1], `"`), "7")
			if seen++; example != "7" && p.say(example) == example {
				t.Errorf("%s says %q, which has no Vietnamese", filepath.Base(name), example)
			}
		}
	}
	if seen < 60 {
		t.Errorf("only %d sentences were found in the sources", seen)
	}
}

// A whole mistaken configuration is told in Vietnamese, and an error nobody knows with what to do next.
func TestExplain(t *testing.T) {
	words, err := loadCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	p, err := loadPhrases()
	if err != nil {
		t.Fatal(err)
	}
	s := &Host{Words: words, phrases: p}
	_, err = config.Load(config.Config{}, "motcua.yaml",
		[]byte("web:\n  listen: 0.0.0.0:80\n  warnin: 5s\n  silence: lang\nqueue:\n  workers: 99\n"))
	var problems strict.Problems
	if !errors.As(err, &problems) {
		t.Fatal(err)
	}
	for _, one := range s.Problems("vi", problems) {
		if regexp.MustCompile(`\b(must|is|not|known|between)\b`).MatchString(one.What) {
			t.Errorf("%s: %q", one.Path, one.What)
		}
	}
	if len(problems) < 4 {
		t.Errorf("%d mistakes", len(problems))
	}
	for lang, next := range map[string]string{"vi": "Hãy thử lại", "en": "Try again"} {
		if got := s.Explain(lang, errors.New("whatever")); !strings.Contains(got, next) || !strings.Contains(got, "whatever") {
			t.Errorf("%s: %q", lang, got)
		}
	}
	jam := fmt.Errorf("scan: %w", scan.NewFault("x", scan.Jammed, errors.New("cause")))
	if got := s.Explain("vi", jam); !strings.HasPrefix(got, "Giấy kẹt") || strings.Contains(got, "stuck") {
		t.Errorf("%q", got)
	}
	own := &scan.Fault{Code: scan.AccessDenied, Device: "x", Technician: "The driver's own sentence."}
	if got := s.Explain("vi", own); !strings.HasPrefix(got, words.Say("vi", "fault.access-denied")) || !strings.Contains(got, "own sentence") {
		t.Errorf("%q", got)
	}
	if got := s.Explain("en", own); got != own.Technician {
		t.Errorf("%q", got)
	}
}
