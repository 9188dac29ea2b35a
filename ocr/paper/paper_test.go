package paper_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"motcua/ocr/paper"
)

// Whoever prints or logs what was read, on purpose or with a careless %v, tells nobody whose paper it is.
func TestNothingPrintsWhatWasRead(t *testing.T) {
	const secret = "LƯƠNG THỊ MẪU"
	field := paper.Field{Value: secret, Source: paper.OCR, Choices: []string{secret}, Evidence: []paper.Evidence{{Value: secret}}}
	word := paper.Word{Text: secret}
	part := paper.Part{Page: 1, Words: []paper.Word{word}}
	for name, v := range map[string]any{
		"field": field, "evidence": field.Evidence[0], "word": word, "part": part,
		"document": paper.Document{Type: paper.CCCD, Text: secret, Copy: secret, Parts: []paper.Part{part},
			Fields: map[paper.Name]paper.Field{paper.FullName: field}},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
				fmt.Fprintf(&out, format+"\n", v)
				fmt.Fprintf(&out, format+"\n", []any{v})
			}
			slog.New(slog.NewTextHandler(&out, nil)).Info("read", "what", v)
			slog.New(slog.NewJSONHandler(&out, nil)).Info("read", "what", v)
			for _, w := range strings.Fields(secret) {
				if strings.Contains(out.String(), w) {
					t.Fatal("a word of what was read is printed")
				}
			}
			if !strings.Contains(out.String(), name+"(") {
				t.Errorf("nothing says what it is: %s", out.String())
			}
		})
	}
}

// A document's pages are counted on where it joins others; the one it came from, which somebody may still hold, stays as it was.
func TestMovedLeavesTheOriginal(t *testing.T) {
	f := paper.Field{Page: 1, Evidence: []paper.Evidence{{Page: 1}, {}}}
	m := f.Moved(3)
	if m.Page != 4 || m.Evidence[0].Page != 4 || m.Evidence[1].Page != 0 {
		t.Errorf("moved to %d, %d, %d", m.Page, m.Evidence[0].Page, m.Evidence[1].Page)
	}
	if f.Page != 1 || f.Evidence[0].Page != 1 {
		t.Errorf("the original moved to %d, %d", f.Page, f.Evidence[0].Page)
	}
}

// Programs read `motcua read --json`: agrees is a list even where nobody agrees, and review is always said.
func TestFieldAsJSON(t *testing.T) {
	b, err := json.Marshal(paper.Field{Value: "Nam", Source: paper.OCR, Agrees: []paper.Source{}})
	if err != nil || !strings.Contains(string(b), `"agrees":[]`) || !strings.Contains(string(b), `"review":false`) {
		t.Errorf("%s, %v", b, err)
	}
}
