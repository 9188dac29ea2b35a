package sign

import (
	"fmt"
	"strings"
	"time"

	"github.com/go-fonts/liberation/liberationserifregular"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/types"
	"github.com/skip2/go-qrcode"

	"motcua/ocr/pdfa"
	"motcua/ocr/qr"
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

// Hanoi is the zone in which the law's times are given, whatever zone a machine was set to.
var Hanoi = time.FixedZone("ICT", 7*3600)

// lines are the mark's lines, each no wider than a page's corner has room for.
func (m Mark) lines(now time.Time, wide func(string) float64) []string {
	text := []string{m.Form}
	if m.Number != "" {
		text = append(text, "Số: "+m.Number)
	}
	text = append(text, m.Organisation, now.In(Hanoi).Format("2006-01-02T15:04:05-07:00"))
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

// codeSide is how large the symbol of a numbered copy is, in points: 16 mm, which a telephone reads from paper.
const codeSide = 45.0

// Code is what the symbol on a numbered copy says: form, number in the register, and the digest (SHA-256) of the copy before it
// was signed, so that a print can be held against the file.
func (m Mark) Code(digest [32]byte) string {
	return qr.CopyText(m.Form, m.Number, fmt.Sprintf("%x", digest))
}

// code draws the symbol at the bottom right of the page.
func (m Mark) code(digest [32]byte, box *types.Rectangle) (string, error) {
	q, err := qrcode.New(m.Code(digest), qrcode.Low)
	if err != nil {
		return "", fmt.Errorf("draw the copy's symbol: %w", err)
	}
	q.DisableBorder = true
	rows := q.Bitmap()
	dot := codeSide / float64(len(rows))
	left, top := box.UR.X-markMargin-codeSide, box.LL.Y+markMargin+codeSide
	if box.Height() < smallPage { // above the paper, left of the mark
		left, top = box.LL.X+markMargin/2, box.UR.Y-markMargin/2
	}
	var b strings.Builder
	fmt.Fprintf(&b, "q 1 g %.2f %.2f %.2f %.2f re f 0 g\n", left-2*dot, top-codeSide-2*dot, codeSide+4*dot, codeSide+4*dot)
	for y, row := range rows {
		for x, black := range row {
			if black {
				fmt.Fprintf(&b, "%.3f %.3f %.3f %.3f re\n", left+float64(x)*dot, top-float64(y+1)*dot, dot, dot)
			}
		}
	}
	b.WriteString("f Q")
	return b.String(), nil
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
