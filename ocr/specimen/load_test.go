package specimen

import (
	"strings"
	"testing"
	"testing/fstest"

	"motcua/configs"
	"motcua/ocr/paper"
)

func TestLoadDemoSpecimens(t *testing.T) {
	sheets, err := Load(configs.FS, "specimens")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range sheets {
		s.Front.DPI = 75 // the truth does not depend on it, the time does
		p, err := s.DrawFront()
		if err != nil {
			t.Errorf("%s: %v", s.Name, err)
			continue
		}
		if len(p.Truth.Papers) != len(s.Front.Papers) || len(p.Truth.Papers[0].Fields) == 0 && p.Truth.Papers[0].Kind != paper.Other {
			t.Errorf("%s: truth is empty", s.Name)
		}
	}
}

func TestLoadNamesTheMistake(t *testing.T) {
	for _, c := range []struct{ yaml, says string }{
		{"papers: []", "no papers"},
		{"papers: [{kind: cccd}]\ndamage: flood", "damage"},
		{"papers: [{kind: cccd, values: {shoe_size: 42}}]", "shoe_size"},
		{"papers: [{kind: cccd, values: {date_of_birth: 14/05/1990}}]", "YYYY-MM-DD"},
		{"paper: [{kind: cccd}]", "paper"},
	} {
		_, err := Load(fstest.MapFS{"s/a.yaml": {Data: []byte(c.yaml)}}, "s")
		if err == nil || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), "a.yaml") {
			t.Errorf("%q: %v", c.yaml, err)
		}
	}
}
