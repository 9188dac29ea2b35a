package ocr

import (
	"image"
	"testing"

	"motcua/ocr/find"
	"motcua/ocr/paper"
)

func lying(lines ...image.Rectangle) *card {
	q := paper.Quad{{X: 0, Y: 0}, {X: 1000, Y: 0}, {X: 1000, Y: 630}, {X: 0, Y: 630}}
	return &card{plane: find.NewPlane(q, 1000, 630), lines: lines}
}

// The rows of an MRZ begin and end together; an address, however wide, has ragged ends, and must neither be
// taken for one nor turn the card over.
func TestAddressIsNoMRZ(t *testing.T) {
	address := []image.Rectangle{image.Rect(50, 44, 790, 91), image.Rect(42, 95, 768, 129), image.Rect(49, 132, 640, 178)}
	mrzRows := []image.Rectangle{image.Rect(48, 479, 948, 513), image.Rect(46, 525, 957, 559), image.Rect(48, 575, 956, 606)}
	back := lying(append(append([]image.Rectangle{}, address...), mrzRows...)...)
	if got := back.wide(back.lines); len(got) != 3 || got[0] != mrzRows[0] || !back.level(got) {
		t.Errorf("of an address and an MRZ the MRZ is %v", got)
	}
	if up, sure := back.upright(); !up || !sure {
		t.Errorf("an MRZ at the foot: up %t, sure %t", up, sure)
	}
	if _, sure := lying(address...).upright(); sure {
		t.Error("an address alone says nothing of which way up it lies")
	}
	if up, sure := lying(image.Rect(44, 30, 954, 61), image.Rect(43, 77, 954, 111), image.Rect(52, 123, 952, 157)).upright(); up || !sure {
		t.Errorf("an MRZ at the head: up %t, sure %t", up, sure)
	}
}

// The last lines of a paragraph, set to both edges, are no MRZ and turn no page over.
func TestParagraphIsNoMRZ(t *testing.T) {
	var lines []image.Rectangle
	for i := range 9 {
		lines = append(lines, image.Rect(50, 20+30*i, 950, 42+30*i))
	}
	c := lying(append(lines, image.Rect(50, 290, 300, 312))...)
	if _, sure := c.upright(); sure {
		t.Error("a paragraph at the head says which way up the page lies")
	}
}

// A row that a scratch has parted counts as one.
func TestScratchPartsARow(t *testing.T) {
	c := lying(image.Rect(54, 470, 358, 505), image.Rect(398, 471, 944, 505), image.Rect(55, 517, 945, 551))
	if got := c.wide(c.lines); len(got) != 0 {
		t.Errorf("the rows as they were found: %v", got)
	}
	mrzRows, rest := c.mrzOf(rows(c.lines))
	if len(mrzRows) != 3 || len(rest) != 0 || !c.level(c.wide(rows(c.lines))) {
		t.Errorf("MRZ %v, rest %v", mrzRows, rest)
	}
}
