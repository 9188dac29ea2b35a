// Package slip draws what a receipt printer prints: in go the words of a receipt, out comes a grey picture of the paper's
// width. It knows no printer and no language; every letter is in its own fonts, whatever the printer has.
package slip

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"strings"
	"sync"

	"github.com/go-fonts/dejavu/dejavusanscondensed"
	"github.com/go-fonts/dejavu/dejavusanscondensedbold"
	"github.com/skip2/go-qrcode"
	"golang.org/x/image/font"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
)

// Slip is one receipt.
type Slip struct {
	Office string   // who received
	Title  string   // what happened
	Code   string   // by which the person asks; also drawn as a QR symbol; empty: a test of the printer
	Lines  []string // what else stands on it
	Foot   string
}

// String names the slip without what stands on it: initials and a code are a person's.
func (s Slip) String() string { return fmt.Sprintf("slip(%d lines)", len(s.Lines)) }

// GoString is String, for %#v.
func (s Slip) GoString() string { return s.String() }

// Sizes in parts of the paper's width.
const (
	margin   = 0.02
	office   = 0.050 // letter heights
	title    = 0.066
	code     = 0.095
	text     = 0.050
	symbol   = 0.62
	interval = 1.3 // lines, in letter heights
)

// face is a font at a size in pixels.
func face(f *opentype.Font, size float64) font.Face {
	made, err := opentype.NewFace(f, &opentype.FaceOptions{Size: size, DPI: 72, Hinting: font.HintingFull})
	if err != nil {
		panic("slip: " + err.Error()) // only for options that are none
	}
	return made
}

var fonts = sync.OnceValues(func() (plain, bold *opentype.Font) {
	parse := func(data []byte) *opentype.Font {
		f, err := opentype.Parse(data)
		if err != nil {
			panic("slip: an embedded font is broken: " + err.Error()) // our own file, tested
		}
		return f
	}
	return parse(dejavusanscondensed.TTF), parse(dejavusanscondensedbold.TTF)
})

// sheet is the paper as it grows.
type sheet struct {
	width int
	img   *image.Gray
	y     int
}

func (s *sheet) room(height int) {
	if s.y+height <= s.img.Rect.Dy() {
		return
	}
	taller := image.NewGray(image.Rect(0, 0, s.width, 2*(s.y+height)))
	draw.Draw(taller, taller.Rect, image.White, image.Point{}, draw.Src)
	draw.Draw(taller, s.img.Rect, s.img, image.Point{}, draw.Src)
	s.img = taller
}

// write sets words in as many lines as they need, in the middle or from the left.
func (s *sheet) write(f *opentype.Font, height float64, words string, middle bool) {
	if words == "" {
		return
	}
	size := height * float64(s.width)
	step := int(size * interval)
	left := int(margin * float64(s.width))
	set := face(f, size)
	for _, line := range wrap(set, words, s.width-2*left) {
		s.room(step)
		x := left
		if middle {
			x = (s.width - font.MeasureString(set, line).Ceil()) / 2
		}
		d := font.Drawer{Dst: s.img, Src: image.Black, Face: set, Dot: fixed.P(x, s.y+int(size))}
		d.DrawString(line)
		s.y += step
	}
}

// wrap breaks words into lines that fit; a word that is too long by itself is broken between letters.
func wrap(set font.Face, words string, width int) (lines []string) {
	line := ""
	for _, word := range strings.Fields(words) {
		next := strings.TrimSpace(line + " " + word)
		if font.MeasureString(set, next).Ceil() <= width {
			line = next
			continue
		}
		if line != "" {
			lines = append(lines, line)
		}
		line = ""
		for _, r := range word {
			if line != "" && font.MeasureString(set, line+string(r)).Ceil() > width {
				lines = append(lines, line)
				line = ""
			}
			line += string(r)
		}
	}
	return append(lines, line)
}

// Draw draws a slip for paper of so many dots.
func Draw(s Slip, width int) (*image.Gray, error) {
	plain, bold := fonts()
	p := &sheet{width: width, img: image.NewGray(image.Rect(0, 0, width, 1))}
	p.img.SetGray(0, 0, color.Gray{Y: 255})
	draw.Draw(p.img, p.img.Rect, image.White, image.Point{}, draw.Src)
	gap := int(0.03 * float64(width))
	p.write(plain, office, s.Office, true)
	p.y += gap
	p.write(bold, title, s.Title, true)
	p.y += gap
	if s.Code != "" {
		p.write(bold, code, s.Code, true)
		q, err := qrcode.New(s.Code, qrcode.Medium)
		if err != nil {
			return nil, fmt.Errorf("draw receipt: %w", err)
		}
		side := int(symbol * float64(width))
		p.room(side)
		at := image.Rect((width-side)/2, p.y, (width-side)/2+side, p.y+side)
		draw.Draw(p.img, at, q.Image(side), image.Point{}, draw.Src)
		p.y += side
	}
	for _, line := range s.Lines {
		p.write(plain, text, line, false)
	}
	p.y += gap
	p.write(plain, text, s.Foot, true)
	p.y += gap
	p.room(0)
	return p.img.SubImage(image.Rect(0, 0, width, p.y)).(*image.Gray), nil
}
