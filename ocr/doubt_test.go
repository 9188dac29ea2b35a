package ocr

import (
	"testing"

	"motcua/ocr/paper"
)

// The day of expiry read under the label of the day of issue is a day like any other: only that it is the bearer's
// birthday gives it away.
func TestIssueOnABirthdayIsDoubted(t *testing.T) {
	read := func(v string) []paper.Evidence {
		return []paper.Evidence{{Value: v, Source: paper.OCR, Conf: 0.96, Second: true}}
	}
	for issue, doubted := range map[string]bool{"2041-03-21": true, "2025-02-28": false} {
		f := settle(paper.CCCD, map[paper.Name][]paper.Evidence{paper.DateOfBirth: read("2001-03-21"), paper.DateOfIssue: read(issue)})
		if f[paper.DateOfIssue].Review != doubted || f[paper.DateOfBirth].Review {
			t.Errorf("issued %s: review %t, doubts %v", issue, f[paper.DateOfIssue].Review, f[paper.DateOfIssue].Doubts)
		}
	}
}
