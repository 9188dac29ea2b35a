package technician

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/goccy/go-yaml"

	"motcua/agent/web/screen"
)

// phrases puts the sentences of doctor, which its checks say in English, into Vietnamese: words/doctor.vi.yaml.
type phrases struct {
	whole    map[string]string
	patterns []phrase
}

type phrase struct {
	english    *regexp.Regexp
	vietnamese string
}

func loadPhrases() (*phrases, error) {
	data, err := screen.Files.ReadFile("words/doctor.vi.yaml")
	if err != nil {
		return nil, fmt.Errorf("read doctor's words: %w", err)
	}
	var ordered yaml.MapSlice
	if err := yaml.Unmarshal(data, &ordered); err != nil {
		return nil, fmt.Errorf("read doctor's words: %w", err)
	}
	p := &phrases{whole: map[string]string{}}
	for _, item := range ordered {
		english, vietnamese := fmt.Sprint(item.Key), fmt.Sprint(item.Value)
		if !strings.Contains(english, "*") {
			p.whole[english] = vietnamese
			continue
		}
		parts := strings.Split(english, "*")
		for i := range parts {
			parts[i] = regexp.QuoteMeta(parts[i])
		}
		p.patterns = append(p.patterns, phrase{regexp.MustCompile(`(?s)^` + strings.Join(parts, `(.+?)`) + `$`), vietnamese})
	}
	return p, nil
}

// say gives a sentence in Vietnamese; one that is not known stays as it is.
func (p *phrases) say(english string) string {
	if out, ok := p.whole[english]; ok {
		return out
	}
	for _, one := range p.patterns {
		found := one.english.FindStringSubmatch(english)
		if found == nil {
			continue
		}
		out := one.vietnamese
		for i, part := range found[1:] {
			out = strings.ReplaceAll(out, fmt.Sprintf("{%d}", i+1), part)
		}
		return out
	}
	return english
}

// finding puts one finding, "area: what is so", into Vietnamese.
func (p *phrases) finding(f screen.Finding) screen.Finding {
	area, what, ok := strings.Cut(f.What, ": ")
	if ok && p.whole[area] != "" {
		f.What = p.say(area) + ": " + p.say(what)
	}
	f.Mend = p.say(f.Mend)
	return f
}
