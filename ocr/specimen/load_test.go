package specimen

import (
	"testing"

	"motcua/configs"
)

func TestLoadDemoSpecimens(t *testing.T) {
	sheets, err := Load(configs.FS, "specimens")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range sheets {
		p, err := s.DrawFront()
		if err != nil {
			t.Errorf("%s: %v", s.Name, err)
			continue
		}
		if len(p.Truth.Papers) != len(s.Front.Papers) || len(p.Truth.Papers[0].Fields) == 0 {
			t.Errorf("%s: truth is empty", s.Name)
		}
	}
}
