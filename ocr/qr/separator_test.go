package qr

import "testing"

func TestSeparator(t *testing.T) {
	for text, want := range map[string]struct {
		procedure string
		ok        bool
	}{
		SeparatorText("2.000815"):                      {"2.000815", true},
		SeparatorText(""):                              {"", true},
		"motcua:separator:2.000815 ":                   {"", false},
		"motcua:separator:../../etc":                   {"", false},
		"motcua:separator:" + string(make([]byte, 40)): {"", false},
		"079090012345||Trần An|01011990|Nam||":         {"", false},
		"":                                             {"", false},
	} {
		if procedure, ok := Separator(text); procedure != want.procedure || ok != want.ok {
			t.Errorf("%q: %q, %t", text, procedure, ok)
		}
	}
}
