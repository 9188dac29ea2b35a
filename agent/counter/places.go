package counter

import (
	"bytes"
	"fmt"
	"image"
	_ "image/jpeg" // pages
	_ "image/png"

	"motcua/agent/dossier"
	"motcua/agent/visit"
	"motcua/ocr/page"
	"motcua/ocr/paper"
)

// places says where on the pages the values were read, as shares of the page as it is seen, so that an officer finds them.
// Of a page whose size is not known without opening it, as of a PDF's, no place is told.
func places(entries []visit.Entry, papers []visit.Paper) map[string]dossier.Place {
	type shown struct {
		file string
		size image.Point // upright, before a person turned it
		turn int
		ok   bool
	}
	pages := map[string]shown{}
	for i, p := range papers {
		extension, ok := page.Extension(p.MediaType)
		one := shown{file: fmt.Sprintf(dossier.PageName, i+1, extension), turn: p.Turn}
		if ok {
			one.size, one.ok = seenSize(p.Data, p.MediaType)
		}
		pages[p.ID] = one
	}
	found := map[string]dossier.Place{}
	for _, e := range entries {
		on, ok := pages[e.Paper]
		if e.Where == nil || !ok || !on.ok || e.Page > 1 {
			continue
		}
		if box, ok := shareOf(*e.Where, on.size, on.turn); ok {
			box.Page = on.file
			found[e.Name] = box
		}
	}
	return found
}

// exifMark begins EXIF data. A photo that has it may be turned by its own mark.
var exifMark = []byte("Exif\x00\x00")

// exifWithin bounds where it is looked for: right after the file's beginning.
const exifWithin = 4096

// seenSize is the size of a picture that is seen as it is stored. It is read in Go, for the bytes are foreign.
func seenSize(data []byte, mediaType string) (image.Point, bool) {
	if mediaType != "image/jpeg" && mediaType != "image/png" || bytes.Contains(data[:min(len(data), exifWithin)], exifMark) {
		return image.Point{}, false
	}
	c, _, err := image.DecodeConfig(bytes.NewReader(data))
	return image.Pt(c.Width, c.Height), err == nil
}

// shareOf is the upright box around a region, in shares of the page after it was turned clockwise; ok is false where the
// region does not lie on the page.
func shareOf(q paper.Quad, size image.Point, turn int) (p dossier.Place, ok bool) {
	if size.X <= 0 || size.Y <= 0 {
		return p, false
	}
	left, top, right, bottom := 1.0, 1.0, 0.0, 0.0
	for _, c := range q {
		x, y := c.X/float64(size.X), c.Y/float64(size.Y)
		switch turn % 360 {
		case 90:
			x, y = 1-y, x
		case 180:
			x, y = 1-x, 1-y
		case 270:
			x, y = y, 1-x
		}
		left, right = min(left, x), max(right, x)
		top, bottom = min(top, y), max(bottom, y)
	}
	left, top, right, bottom = max(left, 0), max(top, 0), min(right, 1), min(bottom, 1)
	return dossier.Place{X: left, Y: top, W: right - left, H: bottom - top}, left < right && top < bottom
}
