package screen

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
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
	// What the checks say and how to mend it: all of it has words.
	seen := 0
	for _, pattern := range []string{"../../daemon/*.go", "../../station/*.go", "../../doctor/*.go"} {
		names, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			for _, example := range findings(t, name) {
				if seen++; p.say(example) == example {
					t.Errorf("%s says %q, which has no Vietnamese", filepath.Base(name), example)
				}
			}
		}
	}
	if seen < 100 {
		t.Errorf("only %d sentences were found in the sources", seen)
	}
}

// findings gives what a source file says in findings, with a 7 wherever something is put in.
func findings(t *testing.T, name string) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var said []string
	ast.Inspect(file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || !slices.Contains([]string{"Good", "Doubt", "Bad"}, called(call)) {
			return true
		}
		for i, arg := range call.Args {
			example := example(arg)
			if called(call) == "Good" {
				if i > 0 {
					break
				}
				example = verb.ReplaceAllString(example, "7")
			}
			if strings.Trim(example, "7:, ()") != "" { // else it is said elsewhere
				said = append(said, example)
			}
		}
		return true
	})
	return said
}

var verb = regexp.MustCompile(`%[a-z]`)

// example is a text as the program may build it.
func example(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		if text, err := strconv.Unquote(e.Value); err == nil {
			return text
		}
	case *ast.BinaryExpr:
		return example(e.X) + example(e.Y)
	case *ast.CallExpr:
		if called(e) == "Sprintf" {
			return verb.ReplaceAllString(example(e.Args[0]), "7")
		}
	}
	return "7"
}

// called is the name of a function, without its package.
func called(call *ast.CallExpr) string {
	switch f := call.Fun.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		return f.Sel.Name
	}
	return ""
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
