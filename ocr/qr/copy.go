package qr

import (
	"image"
	"regexp"
	"strings"
)

// copyText is the end of what the symbol on a certified copy says: its number in a register, and the digest (SHA-256) of the copy before
// it was signed. The form of the copy before it may have lost its marks in a reader that knows no Vietnamese.
var copyText = regexp.MustCompile(`(?i)^[^|]{1,30}\|\s*(\d{1,9}/\d{4}(?: [^|]{1,60})?)\|sha256:([0-9a-f]{64})\s*$`)

// CopyText is what the symbol on a certified copy says; digest is in hexadecimal.
func CopyText(form, number, digest string) string { return form + "|" + number + "|sha256:" + digest }

// Copy tells whether a symbol's text is that of a certified copy, and which number and digest it names.
func Copy(text string) (number, digest string, ok bool) {
	m := copyText.FindStringSubmatch(text)
	if m == nil {
		return "", "", false
	}
	return strings.TrimSpace(m[1]), strings.ToLower(m[2]), true
}

// FindCopy gives the text of a certified copy's symbol that lies somewhere in a part of a page; "" if there is none. It looks through
// overlapping squares of that side, in pixels, because over a whole page Find steps over symbols that small: the side is to be at least
// twice a symbol's.
func FindCopy(img *image.Gray, within image.Rectangle, side int) string {
	within = within.Intersect(img.Rect)
	for y := within.Min.Y; y < within.Max.Y && side > 1; y += side / 2 {
		for x := within.Min.X; x < within.Max.X; x += side / 2 {
			area := image.Rect(x, y, x+side, y+side).Intersect(within)
			for _, s := range Find(img.SubImage(area).(*image.Gray), QRCode) {
				if _, _, ok := Copy(s.Text); ok {
					return s.Text
				}
			}
		}
	}
	return ""
}

// FindInCorners decodes the QR symbols in the four corners of a sheet, where certified copies have theirs: looking over a whole page,
// Find steps over symbols that small. corner is the side of what is looked at, in pixels.
func FindInCorners(img *image.Gray, corner int) []Symbol {
	b := img.Bounds()
	w, h := min(corner, b.Dx()/2), min(corner, b.Dy()/2)
	if w < 1 || h < 1 {
		return nil
	}
	var out []Symbol
	for _, at := range []image.Point{b.Min, {b.Max.X - w, b.Min.Y}, {b.Min.X, b.Max.Y - h}, {b.Max.X - w, b.Max.Y - h}} {
		part := img.SubImage(image.Rectangle{Min: at, Max: at.Add(image.Pt(w, h))}).(*image.Gray)
		out = append(out, Find(part, QRCode)...)
	}
	return out
}
