package screen

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
)

//go:embed static templates words
var Files embed.FS

// Languages in the order of the switch; the first is what a newcomer sees. A further language is one more file
// words/CODE.yaml; the staff's pages are Vietnamese and English.
var Languages = languagesIn(Files)

// languagesIn finds the catalogues: Vietnamese first, English second, then the others by their codes.
func languagesIn(from fs.FS) []string {
	found := []string{"vi", "en"}
	names, _ := fs.Glob(from, "words/*.yaml") // fails only on a bad pattern
	for _, name := range names {
		code := strings.TrimSuffix(path.Base(name), ".yaml")
		if !strings.Contains(code, ".") && !slices.Contains(found, code) {
			found = append(found, code)
		}
	}
	return found
}

// catalogue holds every sentence of the pages in every language, by key.
type catalogue struct {
	words  map[string]map[string]string
	office string // the office's own name, which fills {office}; empty: the word of the catalogue
}

func loadCatalogue() (*catalogue, error) {
	c := &catalogue{words: map[string]map[string]string{}}
	for _, lang := range Languages {
		c.words[lang] = map[string]string{}
		for _, part := range []string{"", "staff."} {
			data, err := Files.ReadFile("words/" + part + lang + ".yaml")
			if part != "" && errors.Is(err, fs.ErrNotExist) {
				data, err = Files.ReadFile("words/" + part + "en.yaml")
			}
			if err != nil {
				return nil, fmt.Errorf("read catalogue: %w", err)
			}
			words := map[string]string{}
			if err := yaml.UnmarshalWithOptions(data, &words, yaml.DisallowUnknownField()); err != nil {
				return nil, fmt.Errorf("read catalogue %s%s: %w", part, lang, err)
			}
			for key, sentence := range words {
				if _, taken := c.words[lang][key]; taken {
					return nil, fmt.Errorf("read catalogue %s%s: %s is there twice", part, lang, key)
				}
				c.words[lang][key] = sentence
			}
		}
	}
	return c, nil
}

// Has tells whether the catalogue holds a key.
func (c *catalogue) Has(lang, key string) bool {
	_, ok := c.words[lang][key]
	return ok
}

// Say gives the sentence of a key; pairs fill its {gaps}. A key without a sentence is a mistake of the
// program: the citizen gets the general sentence, never the key.
func (c *catalogue) Say(lang, key string, pairs ...any) string {
	s, ok := c.words[lang][key]
	if !ok {
		if s, ok = c.words["vi"][key]; !ok {
			s = c.words[lang]["fault"]
		}
	}
	if strings.Contains(s, "{office}") {
		office := c.office
		if office == "" {
			office = c.words[lang]["office"]
		}
		s = strings.ReplaceAll(s, "{office}", office)
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		s = strings.ReplaceAll(s, "{"+fmt.Sprint(pairs[i])+"}", fmt.Sprint(pairs[i+1]))
	}
	return s
}

// word is a code in words: key family.code, where a code's spaces are hyphens and what follows a colon is left out. A code
// that the catalogue has no word for stands for itself: better a technician's word than none.
func (c *catalogue) word(lang, family, code string) string {
	plain, _, _ := strings.Cut(strings.ToLower(code), ":")
	key := family + "." + strings.ReplaceAll(plain, " ", "-")
	if c.Has(lang, key) {
		return c.words[lang][key]
	}
	return code
}
