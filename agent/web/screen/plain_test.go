package screen

import (
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"motcua/agent/procedure"
	"motcua/configs"
)

// What an old person reads standing at a screen. Twenty-five words a sentence is the bar of GOV.UK's content guide; Vietnamese
// words are counted by syllables, as they are written, so it is stricter here.
const (
	longestSentence = 25 // syllables
	usualSentence   = 10 // the mean
)

var (
	endOfSentence = regexp.MustCompile(`[.!?:;…]\s+|\n`)
	syllable      = regexp.MustCompile(`[\p{L}\p{N}{}]+`)
)

// officialese are words of programs and offices that a citizen's page has plainer ones for.
var officialese = []string{"hệ thống", "dữ liệu", "truy cập", "xác thực", "phiên làm việc", "máy chủ", "kết nối", "thực hiện",
	"thông qua", "quý khách",
	"vui lòng", "định dạng", "người dùng", "tác vụ", "tham số", "kích hoạt", "người hỗ trợ"}

func sentences(text string) [][]string {
	var out [][]string
	for _, s := range endOfSentence.Split(text, -1) {
		if words := syllable.FindAllString(s, -1); len(words) > 0 {
			out = append(out, words)
		}
	}
	return out
}

// citizens gives the sentences of the citizen's own catalogue.
func citizens(t *testing.T) map[string]string {
	t.Helper()
	data, err := Files.ReadFile("words/vi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{}
	if err := yaml.Unmarshal(data, &texts); err != nil {
		t.Fatal(err)
	}
	return texts
}

// The citizen's sentences are short and plain, those of the procedures too.
func TestCitizensReadPlainSentences(t *testing.T) {
	texts := citizens(t)
	sub, err := fs.Sub(configs.FS, "procedures")
	if err != nil {
		t.Fatal(err)
	}
	catalog, err := procedure.Load(sub)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range catalog.All {
		add := func(of string, text procedure.Text) { texts[p.Code+" "+of] = text.In("vi") }
		add("plain", p.Plain)
		add("summary", p.Summary)
		for _, one := range p.Papers {
			add(one.ID, one.Name)
			add(one.ID+" hint", one.Hint)
		}
		for _, f := range p.Fields {
			add(f.ID, f.Label)
			add(f.ID+" hint", f.Hint)
		}
	}
	all, count := 0, 0
	for key, text := range texts {
		for _, s := range sentences(text) {
			all, count = all+len(s), count+1
			if len(s) > longestSentence {
				t.Errorf("%s: a sentence of %d syllables: %s", key, len(s), strings.Join(s, " "))
			}
		}
		plain := strings.ReplaceAll(strings.ToLower(text), "luật bảo vệ dữ liệu cá nhân", "")
		for _, word := range officialese {
			if strings.Contains(plain, word) {
				t.Errorf("%s says %q", key, word)
			}
		}
	}
	mean := fmt.Sprintf("%d sentences of %.1f syllables", count, float64(all)/float64(count))
	if t.Log(mean); all > usualSentence*count || count < 500 {
		t.Error(mean)
	}
}

// Whatever goes wrong, the citizen is told what to do next.
func TestFaultsSayWhatToDo(t *testing.T) {
	next := []string{"hãy", "xin", "có thể", "chạm", "không cần"}
	for key, text := range citizens(t) {
		family, _, _ := strings.Cut(key, ".")
		if !slices.Contains([]string{"fault", "problem", "print"}, family) || key == "fault.title" || key == "fault.start" {
			continue
		}
		if !slices.ContainsFunc(next, func(w string) bool { return strings.Contains(strings.ToLower(text), w) }) {
			t.Errorf("%s leaves the person alone: %s", key, text)
		}
	}
}
