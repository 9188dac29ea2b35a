package screen

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"

	"motcua/agent/strict"
	"motcua/drivers/scan"
)

// phrases puts sentences for technicians, which devices, checks and configuration say in English, into Vietnamese:
// words/doctor.vi.yaml and words/faults.vi.yaml.
type phrases struct {
	whole    map[string]string
	logged   map[string]string // what the daemon's log says: words/log.vi.yaml
	patterns []phrase
}

type phrase struct {
	english    *regexp.Regexp
	vietnamese string
}

func loadPhrases() (*phrases, error) {
	p := &phrases{whole: map[string]string{}}
	for _, name := range []string{"words/doctor.vi.yaml", "words/faults.vi.yaml"} {
		if err := p.load(name); err != nil {
			return nil, fmt.Errorf("read the technicians' words: %w", err)
		}
	}
	data, err := Files.ReadFile(logWords)
	if err == nil {
		err = yaml.Unmarshal(data, &p.logged)
	}
	if err != nil {
		return nil, fmt.Errorf("read the log's words: %w", err)
	}
	return p, nil
}

const logWords = "words/log.vi.yaml"

// Logged gives what a line of the daemon's log says in the language of the screen; "" where it has no words there, or needs none.
func (s *Host) Logged(lang, line string) string {
	if lang != "vi" {
		return ""
	}
	message, _, _ := strings.Cut(line, " ")
	if quoted, err := strconv.QuotedPrefix(line); err == nil {
		message, _ = strconv.Unquote(quoted)
	}
	return s.phrases.logged[message]
}

func (p *phrases) load(name string) error {
	data, err := Files.ReadFile(name)
	if err != nil {
		return err
	}
	var ordered yaml.MapSlice
	if err := yaml.Unmarshal(data, &ordered); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	for _, item := range ordered {
		english, vietnamese := fmt.Sprint(item.Key), fmt.Sprint(item.Value)
		p.whole[english] = vietnamese
		if !strings.Contains(english, "*") {
			continue
		}
		parts := strings.Split(english, "*")
		for i := range parts {
			parts[i] = regexp.QuoteMeta(parts[i])
		}
		form := strings.Join(parts, `(.+?)`)
		if strings.HasPrefix(english, "*") && strings.HasSuffix(english, "*") { // found anywhere
			form = `.*` + strings.Join(parts[1:len(parts)-1], `.+`) + `.*`
		}
		p.patterns = append(p.patterns, phrase{regexp.MustCompile(`(?s)^` + form + `$`), vietnamese})
	}
	return nil
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
func (p *phrases) finding(f Finding) Finding {
	area, what, ok := strings.Cut(f.What, ": ")
	if ok && p.whole[area] != "" {
		f.What = p.say(area) + ": " + p.say(what)
	}
	f.Mend = p.say(f.Mend)
	return f
}

// Findings puts doctor's findings into the language of the screen.
func (s *Host) Findings(lang string, found []Finding) []Finding {
	if lang != "vi" {
		return found
	}
	for i := range found {
		found[i] = s.phrases.finding(found[i])
	}
	return found
}

// Phrase gives a technician's sentence in the language of the screen; one that has no words there stays as it is.
func (s *Host) Phrase(lang, english string) string {
	if lang != "vi" {
		return english
	}
	return s.phrases.say(english)
}

// Explain says an error to staff: what is wrong and what to do, in the language of the screen, and the error's own words behind
// it where they say more.
func (s *Host) Explain(lang string, err error) string {
	said := err.Error()
	var f *scan.Fault
	if errors.As(err, &f) {
		said = f.Technician
	}
	if told := s.Unprinted(err); f == nil && told != "" {
		return s.Words.Say(lang, told) + " (" + said + ")"
	}
	switch out := s.Phrase(lang, said); {
	case out != said:
		return out
	case f != nil && lang == "vi" && s.Words.Has(lang, f.Message()): // a driver's own sentence
		return s.Words.Say(lang, f.Message()) + " (" + said + ")"
	case f != nil:
		return said
	}
	return s.Words.Say(lang, "fault.staff") + " (" + said + ")"
}

// Problems puts the mistakes in a file into the language of the screen.
func (s *Host) Problems(lang string, found strict.Problems) strict.Problems {
	out := append(strict.Problems(nil), found...)
	for i := range out {
		out[i].What = s.Phrase(lang, out[i].What)
	}
	return out
}
