package sign

import (
	"fmt"
	"strings"
	"time"

	"github.com/go-fonts/liberation/liberationserifregular"

	"motcua/ocr/pdfa"
)

// Mark is what is seen of a signature: text only, no picture, at the top right of page 1 (Decree 30/2020/NĐ-CP, annex I, on
// digitised copies of paper documents).
type Mark struct {
	Form         string // "SAO Y", "SAO LỤC" or "TRÍCH SAO"; empty: nothing is seen
	Organisation string
	Number       string // of the register of certifications, if there is one
}

// Forms are the forms of copy that the decree knows.
var Forms = []string{"SAO Y", "SAO LỤC", "TRÍCH SAO"}

// The decree's type: Times New Roman, upright, size 10, black. Liberation Serif has the same measures.
const (
	markFont    = "LiberationSerif"
	markSize    = 10.0
	markLeading = 12.0
	markMargin  = 14.0 // points from the page's edges, 5 mm
	markWidest  = 220.0
)

// hanoi is the zone in which the law's times are given.
var hanoi = time.FixedZone("ICT", 7*3600)

// lines are the mark's lines, each no wider than a page's corner has room for.
func (m Mark) lines(now time.Time, wide func(string) float64) []string {
	text := []string{m.Form}
	if m.Number != "" {
		text = append(text, "Số: "+m.Number)
	}
	text = append(text, m.Organisation, now.In(hanoi).Format("2006-01-02T15:04:05-07:00"))
	var out []string
	for _, t := range text {
		line := ""
		for _, word := range strings.Fields(t) {
			if longer := strings.TrimSpace(line + " " + word); line == "" || wide(longer)*markSize <= markWidest {
				line = longer
				continue
			}
			out = append(out, line)
			line = word
		}
		if line != "" {
			out = append(out, line)
		}
	}
	return out
}

// appearance is the mark drawn, with its font.
type appearance struct {
	font          *pdfa.Subset
	content       string
	width, height float64
}

func (m Mark) draw(now time.Time) (appearance, error) {
	letters := m.Form + "Số: " + m.Number + m.Organisation + "0123456789-T:+ "
	font, err := pdfa.NewSubset(markFont, liberationserifregular.TTF, letters)
	if err != nil {
		return appearance{}, fmt.Errorf("draw the signature's mark: %w", err)
	}
	a := appearance{font: font}
	rows := m.lines(now, font.Width)
	a.height = markLeading*float64(len(rows)) + 2
	var b strings.Builder
	fmt.Fprintf(&b, "BT 0 g /F %g Tf %g TL 0 %g Td\n", markSize, markLeading, a.height-markSize)
	for _, row := range rows {
		a.width = max(a.width, font.Width(row)*markSize)
		fmt.Fprintf(&b, "%s Tj T*\n", font.Show(row))
	}
	b.WriteString("ET\n")
	a.content = b.String()
	return a, nil
}
