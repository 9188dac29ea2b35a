package screen

import "strings"

// BadFile is one of several files that were handed in, and is no paper.
type BadFile struct {
	Name string // safe to show
	Why  string // key of the sentence
}

// mostNamed is how many of them a page names.
const mostNamed = 3

// SayBad says of each file by its name why it wasn't taken: of several, "this file" says nothing.
func (s *Host) SayBad(lang string, files []BadFile) string {
	var all []string
	for _, f := range files[:min(len(files), mostNamed)] {
		all = append(all, s.Words.Say(lang, "file.named", "name", f.Name, "why", s.Words.Say(lang, f.Why)))
	}
	if n := len(files) - mostNamed; n > 0 {
		all = append(all, s.Words.Say(lang, "file.more", "n", n))
	}
	return strings.Join(all, " ")
}
