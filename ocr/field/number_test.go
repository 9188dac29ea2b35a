package field

import (
	"strings"
	"testing"
)

// Of a comb's cells an edge may be left beside a figure, and a nought may look like a letter, which is doubted.
func TestNumberOfAComb(t *testing.T) {
	for text, sure := range map[string]bool{"0 0 41 5_ 6 3 0 9 8 1 3": true, "o 0 41 5_ 6 3 0 9 8 1 3": false} {
		var p []piece
		for _, w := range strings.Fields(text) {
			p = append(p, piece{text: w, conf: 0.99, low: 0.99})
		}
		v, ok := number(p)
		if !ok || v.Text != "004156309813" || (v.Conf > 0.9) != sure {
			t.Errorf("%q gives %q with %.2f, %t", text, v.Text, v.Conf, ok)
		}
	}
}
