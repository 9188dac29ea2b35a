// Package strict reads YAML written by people. In goes one file and a pointer to a struct; out come
// all its mistakes at once, each with line and column: unknown keys (with the nearest known one),
// duplicate keys, and values of the wrong type. It promises that a file without problems has set
// exactly what it says, and that nothing in it was ignored.
package strict

import (
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Problem is one mistake in a file.
type Problem struct {
	File   string `json:"file"`
	Line   int    `json:"line"`
	Column int    `json:"column"`
	Path   string `json:"path,omitempty"` // "upload.retry.first", "fields[2].type"
	What   string `json:"message"`        // one sentence, with the mend in it
}

// String is "FILE:LINE:COLUMN: PATH: what is wrong", which editors can jump to.
func (p Problem) String() string {
	where := fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
	if p.Path == "" {
		return where + ": " + p.What
	}
	return where + ": " + p.Path + ": " + p.What
}

// Problems is every mistake of one or more files; as an error it prints one per line.
type Problems []Problem

func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// Err is nil if there are no problems.
func (ps Problems) Err() error {
	if len(ps) == 0 {
		return nil
	}
	return ps
}

// File is a decoded file: its mistakes so far, and where each of its values stands, so that checks of
// meaning can point at the line too.
type File struct {
	name     string
	at       map[string]*token.Position
	problems Problems
}

// MaxSize bounds a file: the parser's time grows with the square of it.
const MaxSize = 64 << 10

// Decode reads data into the struct that v points to. Keys are the fields' yaml tags. Values already in
// v stay where the file is silent.
func Decode(name string, data []byte, v any) *File {
	f := &File{name: name, at: map[string]*token.Position{}}
	if len(data) > MaxSize {
		f.add(nil, "", fmt.Sprintf("is larger than %d kB; no such file is", MaxSize>>10))
		return f
	}
	tree, err := parser.ParseBytes(data, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		f.syntax(err)
		return f
	}
	if len(tree.Docs) > 1 {
		f.add(tree.Docs[1].GetToken().Position, "", "a second document begins here; one file holds one document")
	}
	if len(tree.Docs) == 0 || tree.Docs[0].Body == nil {
		return f
	}
	body := tree.Docs[0].Body
	if _, only := body.(*ast.CommentGroupNode); only {
		return f
	}
	f.decode(body, "", reflect.ValueOf(v).Elem())
	return f
}

// Problem notes a mistake of meaning at the value named by path, or at its nearest parent in the file.
func (f *File) Problem(path, format string, args ...any) {
	at := path
	for f.at[at] == nil && at != "" {
		at = at[:max(strings.LastIndexAny(at, ".["), 0)]
	}
	f.add(f.at[at], path, fmt.Sprintf(format, args...))
}

// Has tells whether the file itself sets the value named by path.
func (f *File) Has(path string) bool { return f.at[path] != nil }

// Problems gives all mistakes in the order of the lines.
func (f *File) Problems() Problems {
	slices.SortStableFunc(f.problems, func(a, b Problem) int {
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Column - b.Column
	})
	return f.problems
}

func (f *File) add(p *token.Position, path, what string) {
	if p == nil {
		p = &token.Position{Line: 1, Column: 1}
	}
	f.problems = append(f.problems, Problem{f.name, p.Line, p.Column, path, what})
}

func (f *File) syntax(err error) {
	var located yaml.Error
	if errors.As(err, &located) && located.GetToken() != nil {
		f.add(located.GetToken().Position, "", "not YAML: "+located.GetMessage())
		return
	}
	f.add(nil, "", "not YAML: "+err.Error())
}

const noValue = "has no value; write one, or remove the key"

func (f *File) decode(n ast.Node, path string, v reflect.Value) {
	for {
		switch wrapped := n.(type) {
		case *ast.AnchorNode, *ast.AliasNode:
			f.add(n.GetToken().Position, path, "anchors and aliases are not used here; write the value out")
			return
		case *ast.TagNode:
			f.add(n.GetToken().Position, path, "tags are not used here; write the plain value")
			return
		case *ast.MappingKeyNode:
			n = wrapped.Value
			continue
		}
		break
	}
	f.at[path] = n.GetToken().Position
	if pairs, ok := mapping(n); ok && len(pairs) > 0 {
		f.at[path] = pairs[0].Key.GetToken().Position
	}

	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		v = v.Elem()
	}
	if _, null := n.(*ast.NullNode); null {
		f.add(n.GetToken().Position, path, noValue)
		return
	}
	if text, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		s, scalar := plain(n)
		if !scalar {
			f.want(n, path, "a single value")
			return
		}
		if err := text.UnmarshalText([]byte(s)); err != nil {
			f.add(n.GetToken().Position, path, err.Error())
		}
		return
	}

	switch v.Kind() {
	case reflect.Struct:
		f.structure(n, path, v)
	case reflect.Map:
		f.dictionary(n, path, v)
	case reflect.Slice:
		f.list(n, path, v)
	default:
		f.scalar(n, path, v)
	}
}

func (f *File) structure(n ast.Node, path string, v reflect.Value) {
	pairs, ok := mapping(n)
	if !ok {
		f.want(n, path, "a group of keys: "+strings.Join(keys(v.Type()), ", "))
		return
	}
	seen := map[string]bool{}
	for _, pair := range pairs {
		key := pair.Key.GetToken().Value
		at := pair.Key.GetToken().Position
		child := join(path, key)
		if seen[key] {
			f.add(at, child, "is set twice; keep one of the two lines")
			continue
		}
		seen[key] = true
		field, known := field(v, key)
		if !known {
			f.add(at, child, "is not a key known here"+Meant(key, keys(v.Type())))
			continue
		}
		if _, null := pair.Value.(*ast.NullNode); null {
			// "key:" with nothing behind it is how people comment out a value's only line.
			f.add(at, child, noValue)
			continue
		}
		f.decode(pair.Value, child, field)
	}
}

func (f *File) dictionary(n ast.Node, path string, v reflect.Value) {
	pairs, ok := mapping(n)
	if !ok {
		f.want(n, path, "a group of keys")
		return
	}
	if v.IsNil() {
		v.Set(reflect.MakeMap(v.Type()))
	}
	seen := map[string]bool{}
	for _, pair := range pairs {
		key := pair.Key.GetToken().Value
		child := join(path, key)
		if seen[key] {
			f.add(pair.Key.GetToken().Position, child, "is set twice; keep one of the two lines")
			continue
		}
		seen[key] = true
		value := reflect.New(v.Type().Elem()).Elem()
		f.decode(pair.Value, child, value)
		v.SetMapIndex(reflect.ValueOf(key).Convert(v.Type().Key()), value)
	}
}

func (f *File) list(n ast.Node, path string, v reflect.Value) {
	sequence, ok := n.(*ast.SequenceNode)
	if !ok {
		f.want(n, path, "a list, one item a line after \"- \", or [a, b]")
		return
	}
	out := reflect.MakeSlice(v.Type(), len(sequence.Values), len(sequence.Values))
	for i, item := range sequence.Values {
		f.decode(item, fmt.Sprintf("%s[%d]", path, i), out.Index(i))
	}
	v.Set(out)
}

var durationType = reflect.TypeFor[time.Duration]()

func (f *File) scalar(n ast.Node, path string, v reflect.Value) {
	s, ok := plain(n)
	if !ok {
		f.want(n, path, "a single value")
		return
	}
	if v.Type() == durationType {
		d, err := time.ParseDuration(s)
		if err != nil {
			f.want(n, path, "a duration such as 30s, 5m or 24h")
			return
		}
		v.SetInt(int64(d))
		return
	}
	switch v.Kind() {
	case reflect.String:
		switch n.(type) {
		case *ast.StringNode, *ast.LiteralNode, *ast.IntegerNode, *ast.FloatNode:
			// A code such as 2.000815 or 0790 is text even where nobody put quotes around it.
			v.SetString(s)
		default:
			f.want(n, path, "text; put it in quotes")
		}
	case reflect.Bool:
		b, isBool := n.(*ast.BoolNode)
		if !isBool {
			f.want(n, path, "true or false")
			return
		}
		v.SetBool(b.Value)
	case reflect.Int, reflect.Int64:
		if _, quoted := n.(*ast.StringNode); quoted {
			f.want(n, path, "a whole number")
			return
		}
		i, err := strconv.ParseInt(strings.ReplaceAll(s, "_", ""), 10, 64)
		if err != nil {
			f.want(n, path, "a whole number")
			return
		}
		v.SetInt(i)
	case reflect.Float64:
		x, err := strconv.ParseFloat(s, 64)
		if err != nil {
			f.want(n, path, "a number")
			return
		}
		v.SetFloat(x)
	default:
		panic(fmt.Sprintf("strict: %s has a type that is not read: %s", path, v.Type()))
	}
}

func (f *File) want(n ast.Node, path, what string) {
	got := "a list"
	if s, ok := plain(n); ok {
		got = strconv.Quote(s)
	} else if _, ok := mapping(n); ok {
		got = "a group of keys"
	}
	f.add(n.GetToken().Position, path, fmt.Sprintf("must be %s, not %s", what, got))
}

// mapping gives the pairs of a block or flow mapping; the parser has a type of its own for one pair.
func mapping(n ast.Node) ([]*ast.MappingValueNode, bool) {
	switch m := n.(type) {
	case *ast.MappingNode:
		return m.Values, true
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{m}, true
	}
	return nil, false
}

func plain(n ast.Node) (string, bool) {
	switch s := n.(type) {
	case *ast.LiteralNode:
		return s.Value.Value, true
	case *ast.StringNode:
		return s.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return n.GetToken().Value, true
	}
	return "", false
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// keys lists the yaml keys of a struct type in the order of its fields.
func keys(t reflect.Type) []string {
	var names []string
	for i := range t.NumField() {
		if name := t.Field(i).Tag.Get("yaml"); name != "" && name != "-" {
			names = append(names, name)
		}
	}
	return names
}

func field(v reflect.Value, key string) (reflect.Value, bool) {
	for i := range v.NumField() {
		if v.Type().Field(i).Tag.Get("yaml") == key && key != "-" {
			return v.Field(i), true
		}
	}
	return reflect.Value{}, false
}
