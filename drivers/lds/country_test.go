package lds

import (
	"slices"
	"testing"
)

func TestCountries(t *testing.T) {
	for state, want := range map[string][]string{
		"VNM": {"VN"}, "LAO": {"LA"}, "KHM": {"KH"}, "D": {"DE"}, "GBR": {"GB"}, "GBN": {"GB"}, "CHN": {"CN", "HK", "MO"}, "TWN": {"TW"},
		"UNO": {"UN"}, "": nil, "VN": nil, "XXX": nil, "UTO": nil, "419": nil, "ZZZ": nil,
	} {
		if got := countries(state); !slices.Equal(got, want) {
			t.Errorf("%q: %v, want %v", state, got, want)
		}
	}
}
