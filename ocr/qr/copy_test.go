package qr_test

import (
	"strings"
	"testing"

	"motcua/ocr/qr"
)

func TestCopy(t *testing.T) {
	digest := strings.Repeat("0f", 32)
	for name, c := range map[string]struct {
		text, number string
		ok           bool
	}{
		"ours":              {qr.CopyText("SAO LỤC", "12/2026 SCT/BS", digest), "12/2026 SCT/BS", true},
		"without_a_book":    {qr.CopyText("SAO Y", "7/2026", digest), "7/2026", true},
		"marks_lost":        {qr.CopyText("SAO LUC", "12/2026 SCT/BS", strings.ToUpper(digest)), "12/2026 SCT/BS", true},
		"capitals":          {strings.ToUpper(qr.CopyText("SAO Y", "7/2026", digest)), "7/2026", true},
		"digest_cut_off":    {qr.CopyText("SAO Y", "7/2026", digest[:60]), "", false},
		"a_card":            {"001199000001|012345678|Lê Thị Mẫu|02011999|Nữ|1 Hàng Thử, Hà Nội|10052021", "", false},
		"no_number":         {qr.CopyText("SAO Y", "", digest), "", false},
		"something_follows": {qr.CopyText("SAO Y", "7/2026", digest) + "|x", "", false},
	} {
		t.Run(name, func(t *testing.T) {
			number, got, ok := qr.Copy(c.text)
			if ok != c.ok || number != c.number || ok && got != digest {
				t.Errorf("%q %q %v", number, got, ok)
			}
		})
	}
}
