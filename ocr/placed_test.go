package ocr

import (
	"testing"
	"time"

	"motcua/ocr/paper"
)

// A QR symbol on a side that has none is a sticker: what it alone says must be looked at, what print says, too, need not.
func TestMisplacedCodeIsDoubted(t *testing.T) {
	for _, c := range []struct {
		kind    paper.Kind
		side    string
		doubted bool
	}{{paper.CCCD, "front", false}, {paper.CanCuoc, "front", true}, {paper.CMND, "front", true}, {paper.CanCuoc, "back", false}} {
		f := &readSide{Kind: c.kind, Side: c.side, Page: 1, CodeOf: paper.CCCD, Sure: true, Readings: map[paper.Name][]paper.Evidence{}}
		for n, v := range map[paper.Name]string{paper.Number: "079192000001", paper.FullName: "TRẦN THỊ HÀ", paper.OldNumber: "024513687"} {
			f.add(n, paper.Evidence{Value: v, Source: paper.QR, Conf: certainty(paper.QR)})
		}
		f.add(paper.Number, paper.Evidence{Value: "079192000001", Source: paper.OCR, Conf: 0.99, Reread: true, Second: true})
		d := assemble([]*readSide{f}, time.Now())[0]
		if d.Fields[paper.OldNumber].Review != c.doubted || d.Fields[paper.Number].Review {
			t.Errorf("%s on its %s: old number %t, number %t", c.kind, c.side, d.Fields[paper.OldNumber].Review, d.Fields[paper.Number].Review)
		}
	}
}

// Where nothing says what a side's symbol says, nothing of the symbol is believed, whether the side is legible or so worn that nothing
// beside the symbol can be read.
func TestCodeThatNothingConfirmsIsDoubted(t *testing.T) {
	for _, labels := range []int{0, 1, 5} {
		f := &readSide{Kind: paper.CCCD, Side: "front", Page: 1, CodeOf: paper.CCCD, Sure: true, Labels: labels,
			Readings: map[paper.Name][]paper.Evidence{}}
		for n, v := range map[paper.Name]string{paper.Number: "079192000001", paper.FullName: "TRẦN THỊ HÀ",
			paper.DateOfIssue: "2022-05-03"} {
			f.add(n, paper.Evidence{Value: v, Source: paper.QR, Conf: certainty(paper.QR)})
		}
		for n, field := range assemble([]*readSide{f}, time.Now())[0].Fields {
			if !field.Review {
				t.Errorf("with %d labels: %s is used without a look", labels, n)
			}
		}
	}
}
