package screen

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
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
		{"recognition: a specimen card is read in 52 ms, 9 fields right", "",
			"Nhận dạng: đọc thẻ mẫu trong 52 ms, đúng 9 mục", ""},
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
	for _, pattern := range []string{"../../daemon/*.go", "../../station/*.go", "../../doctor/*.go", "../../../drivers/*/*.go"} {
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

// findings gives what a source file says in findings, with a 7 wherever something is put in. A sentence that is put together in a
// variable first is said in each way the function may put it.
func findings(t *testing.T, name string) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var said []string
	for _, decl := range file.Decls {
		given := assigned(file, decl)
		add := func(e ast.Expr, format bool) {
			for _, example := range examples(e, given) {
				if format {
					example = verb.ReplaceAllString(example, "7")
				}
				if strings.Trim(example, "7:, ()") != "" { // else it is said elsewhere
					said = append(said, example)
				}
			}
		}
		ast.Inspect(decl, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				switch called(n) {
				case "Doubt", "Bad":
					for _, arg := range n.Args {
						add(arg, false)
					}
				case "Good":
					if format := examples(n.Args[0], given)[0]; format == "%s" {
						add(n.Args[1], false)
					}
					add(n.Args[0], true)
				}
			case *ast.KeyValueExpr: // a driver's finding; the part of the machine that a check looks at
				if key, ok := n.Key.(*ast.Ident); ok && (key.Name == "What" || key.Name == "Mend" || key.Name == "Area") {
					add(n.Value, false)
				}
			}
			return true
		})
	}
	return said
}

// assigned gives all that a declaration, or the file's own constants and variables, may give each name.
func assigned(file *ast.File, decl ast.Decl) map[string][]ast.Expr {
	given := map[string][]ast.Expr{}
	look := func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			for i, to := range n.Lhs {
				name, ok := to.(*ast.Ident)
				if !ok || len(n.Lhs) != len(n.Rhs) {
					continue
				}
				if n.Tok != token.ADD_ASSIGN {
					given[name.Name] = append(given[name.Name], n.Rhs[i])
					continue
				}
				for _, before := range slices.Clone(given[name.Name]) {
					given[name.Name] = append(given[name.Name], &ast.BinaryExpr{X: before, Op: token.ADD, Y: n.Rhs[i]})
				}
			}
		case *ast.ValueSpec:
			for i, value := range n.Values {
				given[n.Names[i].Name] = append(given[n.Names[i].Name], value)
			}
		}
		return true
	}
	for _, one := range file.Decls {
		if general, ok := one.(*ast.GenDecl); ok {
			ast.Inspect(general, look)
		}
	}
	ast.Inspect(decl, look)
	return given
}

var verb = regexp.MustCompile(`%[a-z]`)

// examples are the texts that the program may build of an expression.
func examples(e ast.Expr, given map[string][]ast.Expr) []string {
	switch e := e.(type) {
	case *ast.BasicLit:
		if text, err := strconv.Unquote(e.Value); err == nil {
			return []string{text}
		}
	case *ast.BinaryExpr:
		var out []string
		for _, x := range examples(e.X, given) {
			for _, y := range examples(e.Y, given) {
				out = append(out, x+y)
			}
		}
		return out
	case *ast.CallExpr:
		if called(e) == "Sprintf" {
			out := examples(e.Args[0], given)
			for i := range out {
				out[i] = verb.ReplaceAllString(out[i], "7")
			}
			return out
		}
	case *ast.Ident:
		var out []string
		rest := maps.Clone(given)
		delete(rest, e.Name) // what is put together of its own former text is followed once
		for _, value := range given[e.Name] {
			out = append(out, examples(value, rest)...)
		}
		if len(out) > 0 {
			return out
		}
	}
	return []string{"7"}
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
