package tess

import (
	"debug/elf"
	"os"
	"regexp"
	"slices"
	"testing"
)

// The library finds our function in place of its own (ambiguities.c): the program gives the name to others, and the library asks
// for it by name. That it is quicker, BenchmarkOpen shows.
func TestLegacyAmbiguitiesAreLeftOut(t *testing.T) {
	const name = "_ZN9tesseract13UnicharAmbigs13LoadUniversalERKNS_10UNICHARSETEPS1_"
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Fatal(err)
	}
	library := regexp.MustCompile(`/\S*libtesseract\.so\S*`).Find(maps)
	if library == nil {
		t.Fatal("libtesseract is not loaded")
	}
	for _, file := range []string{"/proc/self/exe", string(library)} {
		f, err := elf.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		symbols, err := f.DynamicSymbols()
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(symbols, func(s elf.Symbol) bool { return s.Name == name && s.Section != elf.SHN_UNDEF }) {
			t.Errorf("%s does not have %s", file, name)
		}
	}
}

// BenchmarkOpen is what a worker waits for before it can ask a second time.
func BenchmarkOpen(b *testing.B) {
	for b.Loop() {
		e, err := Open("vie")
		if err != nil {
			b.Fatal(err)
		}
		e.Close()
	}
}
