package strict

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

type sample struct {
	Text   string            `yaml:"text"`
	Number int               `yaml:"number"`
	Share  float64           `yaml:"share"`
	On     bool              `yaml:"on"`
	Wait   time.Duration     `yaml:"wait"`
	List   []string          `yaml:"list"`
	Groups []inner           `yaml:"groups"`
	Map    map[string]string `yaml:"map"`
	Inner  inner             `yaml:"inner"`
	Maybe  *inner            `yaml:"maybe"`
}

type inner struct {
	A string `yaml:"a"`
	B int    `yaml:"b"`
}

func TestDecodeTakesWhatPeopleWrite(t *testing.T) {
	var got sample
	f := Decode("f", []byte(`
text: 2.000815       # a code is text without quotes
number: 1_000
share: 0.5
on: true
wait: 1m30s
list: [a, "b", 'c']
groups:
  - {a: x, b: 1}
  - a: |
      two
      lines
map:
  k: v
  "2": w
inner: {a: 0790}
maybe: {b: 2}
`), &got)
	if ps := f.Problems(); len(ps) > 0 {
		t.Fatal(ps)
	}
	want := sample{
		Text: "2.000815", Number: 1000, Share: .5, On: true, Wait: 90 * time.Second, List: []string{"a", "b", "c"},
		Groups: []inner{{"x", 1}, {A: "two\nlines\n"}}, Map: map[string]string{"k": "v", "2": "w"}, Inner: inner{A: "0790"}, Maybe: &inner{B: 2},
	}
	if g, w := fmt.Sprintf("%+v %+v", got, *got.Maybe), fmt.Sprintf("%+v %+v", want, *want.Maybe); stripPointers(g) != stripPointers(w) {
		t.Errorf("got  %s\nwant %s", g, w)
	}
	if !f.Has("groups[1].a") || f.Has("groups[1].b") {
		t.Error("Has does not know what the file says")
	}
}

// stripPointers takes addresses out of a printed struct.
func stripPointers(s string) string {
	words := strings.Fields(s)
	return strings.Join(slices.DeleteFunc(words, func(w string) bool { return strings.HasPrefix(w, "Maybe:0x") }), " ")
}

func TestDecodeRefuses(t *testing.T) {
	for _, c := range []struct{ name, yaml, want string }{
		{"unknown key", "texd: a", `f:1:1: texd: is not a key known here; did you mean "text"?`},
		{"nothing near", "zzzzzz: a", "f:1:1: zzzzzz: is not a key known here; known are text, number"},
		{"unknown key deep down", "groups:\n  - a: x\n  - {a: y, c: z}", "f:3:12: groups[1].c: is not a key known here"},
		{"twice", "on: true\non: false", "f:2:1: on: is set twice"},
		{"twice in a map", "map:\n  a: b\n  a: c", "f:3:3: map.a: is set twice"},
		{"text for a number", "number: many", `f:1:9: number: must be a whole number, not "many"`},
		{"a quoted number", `number: "5"`, `must be a whole number, not "5"`},
		{"a fraction", "number: 1.5", `must be a whole number, not "1.5"`},
		{"yes for true", "on: yes", `f:1:5: on: must be true or false, not "yes"`},
		{"a bool for text", "text: true", `f:1:7: text: must be text; put it in quotes, not "true"`},
		{"a list for text", "text: [a]", "must be a single value, not a list"},
		{"text for a list", "list: a", `must be a list, one item a line after "- ", or [a, b], not "a"`},
		{"text for a group", "inner: a", "must be a group of keys: a, b, not \"a\""},
		{"a group for a list", "list: {a: b}", "not a group of keys"},
		{"no value", "text:", "f:1:1: text: has no value; write one, or remove the key"},
		{"a duration without unit", "wait: 30", "must be a duration"},
		{"an anchor", "text: &a b", "anchors and aliases are not used here"},
		{"a tag", "text: !!str b", "tags are not used here"},
		{"two documents", "text: a\n---\ntext: b", "a second document begins here"},
		{"no mapping at all", "- a", "must be a group of keys"},
		{"not YAML", "text: [a", "f:1:"},
		{"larger than any such file", strings.Repeat("# x\n", MaxSize), "is larger than 64 kB"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var v sample
			got := Decode("f", []byte(c.yaml), &v).Problems().Error()
			if !strings.Contains(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestProblemPointsAtTheNearestPlace(t *testing.T) {
	var v sample
	f := Decode("f", []byte("on: true\ngroups:\n  - a: x\ninner:\n  a: y\n"), &v)
	f.Problem("groups[0].b", "is missing")
	f.Problem("inner.a", "is bad")
	f.Problem("wait", "is missing")
	want := "f:1:1: wait: is missing\nf:3:5: groups[0].b: is missing\nf:5:6: inner.a: is bad"
	if got := f.Problems().Error(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestNear(t *testing.T) {
	known := []string{"listen", "hosts", "silence", "2.000815", "2.000884"}
	for word, want := range map[string]string{
		"lisen": "listen", "LISTEN": "listen", "hotss": "hosts", "silense": "silence", "2.000851": "2.000815", "x": "", "": "",
	} {
		if got := Nearest(word, known); got != want {
			t.Errorf("%q: %q, want %q", word, got, want)
		}
	}
	if got := Near("2.00081", known, 3); len(got) != 2 || got[0] != "2.000815" {
		t.Errorf("got %v", got)
	}
}
