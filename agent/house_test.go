package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const (
	leastDocumented = 0.95  // share of exported names with a comment of their own or of their group
	mostLines       = 60    // of a function
	mostLong        = 0.015 // share of functions with more
	leastTested     = 0.46  // lines of tests for a line of recognition's code: the house's share when recognition had 0.21
)

// What a newcomer reads: exported names say what they give, and functions are short enough to be read at once. A share is
// held, so that one exception stops nobody.
func TestHouseIsReadable(t *testing.T) {
	names, bare, functions, long := 0, []string{}, 0, []string{}
	files := token.NewFileSet()
	for _, f := range sources(t, files, "..") {
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok {
				functions++
				if from := files.Position(fn.Pos()); files.Position(fn.End()).Line-from.Line >= mostLines {
					long = append(long, from.String()+" "+fn.Name.Name)
				}
			}
			if f.Name.Name == "main" {
				continue // nobody can import it
			}
			for name, documented := range exported(d) {
				if names++; !documented {
					bare = append(bare, files.Position(name.Pos()).String()+" "+name.Name)
				}
			}
		}
	}
	if names < 1000 || functions < 2000 {
		t.Fatalf("only %d exported names and %d functions found", names, functions)
	}
	documented := 1 - float64(len(bare))/float64(names)
	t.Logf("%.1f %% of %d exported names are documented", 100*documented, names)
	if documented < leastDocumented {
		t.Errorf("these say nothing:\n%s", strings.Join(bare, "\n"))
	}
	share := float64(len(long)) / float64(functions)
	t.Logf("%.2f %% of %d functions have more than %d lines", 100*share, functions, mostLines)
	if share > mostLong {
		t.Errorf("these are too long:\n%s", strings.Join(long, "\n"))
	}
}

// What puts the papers' values together is what can do most harm unseen: its tests keep pace with it.
func TestRecognitionIsTested(t *testing.T) {
	files, err := filepath.Glob("../ocr/*.go")
	if err != nil {
		t.Fatal(err)
	}
	lines := map[bool]int{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		lines[strings.HasSuffix(file, "_test.go")] += strings.Count(string(text), "\n")
	}
	share := float64(lines[true]) / float64(lines[false])
	t.Logf("ocr has %d lines of tests for %d of code: %.2f", lines[true], lines[false], share)
	if lines[false] < 1000 || share < leastTested {
		t.Errorf("less than %.2f", leastTested)
	}
}

// sources parses all files under root but tests and what they read.
func sources(t *testing.T, files *token.FileSet, root string) []*ast.File {
	var all []*ast.File
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "testdata" || d.Name() != ".." && strings.HasPrefix(d.Name(), ".")):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		f, err := parser.ParseFile(files, path, nil, parser.ParseComments|parser.SkipObjectResolution)
		all = append(all, f)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// exported are the names that a declaration gives to other packages, each with whether a comment stands at it or at its group.
// Methods of types that are not exported are not among them.
func exported(d ast.Decl) map[*ast.Ident]bool {
	names := map[*ast.Ident]bool{}
	note := func(name *ast.Ident, comments ...*ast.CommentGroup) {
		if name.IsExported() {
			names[name] = slices.ContainsFunc(comments, func(c *ast.CommentGroup) bool { return c != nil })
		}
	}
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Recv == nil || receiver(d.Recv.List[0].Type).IsExported() {
			note(d.Name, d.Doc)
		}
	case *ast.GenDecl:
		for _, s := range d.Specs {
			switch s := s.(type) {
			case *ast.TypeSpec:
				note(s.Name, d.Doc, s.Doc, s.Comment)
			case *ast.ValueSpec:
				for _, name := range s.Names {
					note(name, d.Doc, s.Doc, s.Comment)
				}
			}
		}
	}
	return names
}

// receiver is the name of a method's type.
func receiver(t ast.Expr) *ast.Ident {
	for {
		switch of := t.(type) {
		case *ast.StarExpr:
			t = of.X
		case *ast.IndexExpr:
			t = of.X
		case *ast.IndexListExpr:
			t = of.X
		case *ast.Ident:
			return of
		default:
			return ast.NewIdent("_")
		}
	}
}
