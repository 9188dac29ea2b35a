package pdf_test

import (
	"strings"
	"testing"

	"motcua/ocr/pdf"
)

func TestBalance(t *testing.T) {
	for content, want := range map[string]string{
		"":                            "q | Q",
		"q 1 0 0 1 0 0 cm Q":          "q | Q",
		"q q 0.5 0 0 0.5 0 0 cm Q":    "q | Q Q",
		"Q Q q":                       "q q q | Q Q",
		"BT (Q \\) (q) Q) Tj":         "q | ET Q",
		"BT ET q%Q\n[<51> /Q]/q gs":   "q | Q Q",
		"q BI /W 1 ID Q EIQ q EI q<<": "q | Q Q Q",
		"/P <</Q 1>>BDC\nq\rEMC":      "q | Q Q",
		"/P << /A (> Q ) >>BDC q":     "q | Q Q",
	} {
		before, behind := pdf.Balance([]byte(content))
		if got := strings.Join(strings.Fields(before), " ") + " | " + strings.Join(strings.Fields(behind), " "); got != want {
			t.Errorf("%q: %s, want %s", content, got, want)
		}
	}
}
