package seal

import (
	"bytes"
	"strings"
	"testing"

	"filippo.io/age"
)

func TestPhrase(t *testing.T) {
	for range 200 {
		k := NewKey()
		words := k.Phrase()
		if groups := strings.Fields(words); len(groups) != 12 || strings.ContainsAny(words, "ILOU") {
			t.Fatal(words)
		}
		got, err := ParsePhrase(strings.ToLower(strings.ReplaceAll(strings.ReplaceAll(words, "0", "o"), "1", "l")))
		if err != nil || got != k {
			t.Fatal(err)
		}
		// One wrong sign is told, wherever it is.
		for i := range len(words) - 2 { // the last two hold what fills up the group
			if strings.ContainsAny(words[i:i+1], " \n") {
				continue
			}
			with := "7"
			if words[i] == '7' {
				with = "8"
			}
			if got, err := ParsePhrase(words[:i] + with + words[i+1:]); err == nil && got != k {
				t.Fatalf("a slip at %d gave another key", i)
			}
		}
	}
	for _, text := range []string{"", "ABCDE", strings.Repeat("A", 61), strings.Repeat("!", 60)} {
		if _, err := ParsePhrase(text); err == nil || text != "" && strings.Contains(err.Error(), text) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestSealKeys(t *testing.T) {
	office, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	keys := []Key{NewKey(), NewKey()}
	var file bytes.Buffer
	if err := SealKeys(&file, keys, office.Recipient()); err != nil {
		t.Fatal(err)
	}
	got, err := OpenKeys(bytes.NewReader(file.Bytes()), office)
	if err != nil || len(got) != 2 || got[0] != keys[0] || got[1] != keys[1] {
		t.Fatal(err)
	}
	stranger, _ := age.GenerateX25519Identity()
	if _, err := OpenKeys(&file, stranger); err == nil {
		t.Fatal("a stranger opened it")
	}
}
