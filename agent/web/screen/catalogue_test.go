package screen

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"motcua/agent/procedure"
	"motcua/ocr/paper"
	"motcua/queue"
)

// constants gives the values of all string constants of a package whose type is named so, or, with an
// empty type, those of the block whose comment begins with about.
func constants(t *testing.T, dir, typeName, about string) []string {
	t.Helper()
	var values []string
	sources, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(sources) == 0 {
		t.Fatalf("no source in %s: %v", dir, err)
	}
	for _, source := range sources {
		file, err := parser.ParseFile(token.NewFileSet(), source, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			block, ok := d.(*ast.GenDecl)
			if !ok || block.Tok != token.CONST || about != "" && !strings.HasPrefix(block.Doc.Text(), about) {
				continue
			}
			for _, s := range block.Specs {
				spec := s.(*ast.ValueSpec)
				id, _ := spec.Type.(*ast.Ident)
				if typeName != "" && (id == nil || id.Name != typeName) {
					continue
				}
				for _, v := range spec.Values {
					if lit, ok := v.(*ast.BasicLit); ok && lit.Kind == token.STRING {
						text, _ := strconv.Unquote(lit.Value)
						values = append(values, text)
					}
				}
			}
		}
	}
	if len(values) == 0 {
		t.Fatalf("no constants %s %q in %s", typeName, about, dir)
	}
	return values
}

var gap = regexp.MustCompile(`\{[a-z]+\}`)

func TestCatalogue(t *testing.T) {
	c, err := loadCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	t.Run("all_languages_have_the_same_keys_and_gaps", func(t *testing.T) {
		for _, lang := range Languages {
			for key, vi := range c.words["vi"] {
				other, ok := c.words[lang][key]
				if !ok {
					t.Errorf("%s: nothing for %s", lang, key)
					continue
				}
				a, b := gap.FindAllString(vi, -1), gap.FindAllString(other, -1)
				slices.Sort(a)
				slices.Sort(b)
				if !slices.Equal(a, b) {
					t.Errorf("%s, %s: gaps %v and %v", lang, key, a, b)
				}
			}
			for key := range c.words[lang] {
				if !c.Has("vi", key) {
					t.Errorf("%s: %s is not in Vietnamese", lang, key)
				}
			}
		}
	})
	t.Run("a_further_language_is_one_file", func(t *testing.T) {
		more := fstest.MapFS{"words/vi.yaml": {}, "words/en.yaml": {}, "words/tay.yaml": {},
			"words/staff.vi.yaml": {}, "words/doctor.vi.yaml": {}}
		if got := languagesIn(more); !slices.Equal(got, []string{"vi", "en", "tay"}) {
			t.Error(got)
		}
	})
	t.Run("every_code_a_citizen_can_meet_has_a_sentence", func(t *testing.T) {
		var keys []string
		need := func(prefix string, codes []string) {
			for _, code := range codes {
				keys = append(keys, prefix+code)
			}
		}
		need("fault.", constants(t, "../../../drivers/scan", "Code", ""))
		need("problem.", constants(t, "../../../ocr", "", "The codes of a Problem"))
		need("doubt.", constants(t, "../../../ocr/paper", "Doubt", ""))
		need("doubt.", []string{string(procedure.OtherPerson), string(procedure.DoesNotFit),
			string(procedure.SplitUnit), string(procedure.UnsureUnit)})
		need("complaint.", constants(t, "../../procedure", "", "What is wrong with a value"))
		need("paper.", constants(t, "../../../ocr/paper", "Kind", ""))
		need("note.", constants(t, "../../counter", "", "What may be wrong"))
		need("act.", constants(t, "../../audit", "Act", ""))
		need("device.", constants(t, "../../../drivers/scan", "Code", ""))
		need("source.", constants(t, "../../../ocr/paper", "Source", ""))
		need("sign.", constants(t, "../../sign", "Failure", ""))
		need("verify.why.", constants(t, "../../sign", "Blame", ""))
		need("stick.why.", constants(t, "../../stick", "Why", ""))
		for _, s := range queue.States {
			keys = append(keys, "stands."+string(s), "stands."+string(s)+".text")
		}
		for _, topic := range helpTopics {
			keys = append(keys, "help."+topic, "help."+topic+".text")
		}
		for _, lang := range Languages {
			for _, key := range keys {
				if !c.Has(lang, key) {
					t.Errorf("words/%s.yaml: no sentence for %s", lang, key)
				}
			}
		}
		_ = paper.CCCD
	})
	t.Run("no_template_speaks_in_one_language", func(t *testing.T) {
		own := map[string]bool{"Motcua": true, "English": true, "Tiếng Việt": true, "ID": true, "sudo motcua staff add NAME technician": true}
		code := regexp.MustCompile(`(?s)\{\{.*?\}\}|<!--.*?-->|<script.*?</script>|<style.*?</style>`)
		word := regexp.MustCompile(`\pL{2}`)
		err := fs.WalkDir(Files, "templates", func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			source, err := Files.ReadFile(name)
			text := regexp.MustCompile(`<[^>]*>`).ReplaceAllString(code.ReplaceAllString(string(source), ""), "\n")
			for line := range strings.Lines(text) {
				if line = strings.Trim(line, " \t\n·"); word.MatchString(line) && !own[line] {
					t.Errorf("%s says %q itself: give it a key in words/*.yaml and write {{t \"key\"}}", name, line)
				}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	})
	t.Run("every_key_a_template_names_is_there", func(t *testing.T) {
		named := regexp.MustCompile(`\bt "([a-z0-9.-]+)"`)
		err := fs.WalkDir(Files, "templates", func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			source, err := Files.ReadFile(name)
			for _, m := range named.FindAllStringSubmatch(string(source), -1) {
				if !c.Has("vi", m[1]) {
					t.Errorf("%s names %s, which words/vi.yaml has not", name, m[1])
				}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	})
	t.Run("no_sentence_is_left_over", func(t *testing.T) {
		var used strings.Builder
		for _, pattern := range []string{"*.go", "../*.go", "../*/*.go", "templates/*.html", "templates/*/*.html", "static/*.js"} {
			for _, name := range must(filepath.Glob(pattern)) {
				if !strings.HasSuffix(name, "_test.go") {
					used.Write(must(os.ReadFile(name)))
				}
			}
		}
		all := used.String()
		// Families whose last part comes from a code are checked above.
		families := regexp.MustCompile(`^(fault|problem|doubt|complaint|paper|source|stands|answer|state|help|side|note|act|reason|device|` +
			`level|actor|privacy)\.|\.(title|lead)$`)
		for _, key := range slices.Sorted(maps.Keys(c.words["vi"])) {
			if families.MatchString(key) || strings.Contains(all, `"`+key+`"`) {
				continue
			}
			if cut := strings.LastIndexByte(key, '.'); cut > 0 && strings.Contains(all, `"`+key[:cut+1]+`"`) {
				continue
			}
			t.Errorf("nobody says %s", key)
		}
	})
	t.Run("a_key_without_a_sentence_never_shows", func(t *testing.T) {
		if got := c.Say("vi", "fault.something-new"); got != c.words["vi"]["fault"] {
			t.Errorf("the citizen would read %q", got)
		}
	})
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
