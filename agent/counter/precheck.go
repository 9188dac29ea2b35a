package counter

import (
	"bytes"
	"crypto/sha256"
	"image"
	"slices"
	"strings"
	"time"

	"motcua/agent/visit"
	"motcua/ocr/paper"
	"motcua/ocr/vn"
)

// What may be wrong with papers that are about to be sent, as far as it is known. None of it forbids sending: a person
// looks again.
const (
	NoteExpired = "expired"     // the paper's date of expiry has passed
	NoteDoubled = "doubled"     // the same paper was scanned twice
	NoteNames   = "two-names"   // two papers with one number name the person differently
	NoteUnread  = "unread-page" // recognition broke off
	NoteEmpty   = "empty-page"
	NoteDark    = "dark-page"
)

// Note is one thing to look at again before sending.
type Note struct {
	Code  string
	Paper string // id of the paper here
	Sheet int    // its number as the screen counts, 1-based
}

// Precheck looks at papers with their bytes before they are sent; small gives a small picture of a paper's first page,
// or nil where there is none.
func Precheck(papers []visit.Paper, now time.Time, small func(id string) image.Image) []Note {
	var notes []Note
	sums := map[[sha256.Size]byte]bool{}
	type sides struct {
		kind         paper.Kind
		number, side string
	}
	seen := map[sides]bool{}
	names := map[string]string{} // by personal number
	for i, p := range papers {
		add := func(code string) {
			if n := (Note{code, p.ID, i + 1}); !slices.Contains(notes, n) {
				notes = append(notes, n)
			}
		}
		if sum := sha256.Sum256(p.Data); len(p.Data) > 0 && sums[sum] {
			add(NoteDoubled)
		} else {
			sums[sum] = true
		}
		if p.Problem != "" {
			add(NoteUnread)
		}
		for _, d := range p.Documents {
			number := d.Fields[paper.Number].Value
			if expiry, err := time.Parse(time.DateOnly, d.Fields[paper.DateOfExpiry].Value); err == nil && expiry.AddDate(0, 0, 1).Before(now) {
				add(NoteExpired)
			}
			if number == "" {
				continue
			}
			for _, side := range d.Sides {
				if at := (sides{d.Type, number, side}); seen[at] {
					add(NoteDoubled)
				} else {
					seen[at] = true
				}
			}
			if name := d.Fields[paper.FullName].Value; name != "" {
				if other := names[number]; other != "" && !vn.Same(other, name) && !strings.EqualFold(other, name) {
					add(NoteNames)
				}
				names[number] = name
			}
		}
		if len(p.Documents) == 0 || slices.ContainsFunc(p.Documents, func(d paper.Document) bool { return d.Type == paper.Other }) {
			if code := lightness(small(p.ID)); code != "" {
				add(code)
			}
		}
	}
	return notes
}

// What tells a page that shows nothing, of its grey values from 0 (black) to 255.
const (
	darkMean   = 45.0 // mean of a page whose print can't be told from its paper
	emptyRange = 24   // between the darkest and the lightest hundredth of a page without print
)

// lightness tells an empty or a dark page by a small picture of it.
func lightness(img image.Image) string {
	if img == nil {
		return ""
	}
	b := img.Bounds()
	var counts [256]int
	sum, all := 0, 0
	for y := b.Min.Y; y < b.Max.Y; y += 2 {
		for x := b.Min.X; x < b.Max.X; x += 2 {
			r, g, bl, _ := img.At(x, y).RGBA()
			grey := int((299*r + 587*g + 114*bl) / 1000 >> 8)
			counts[grey]++
			sum += grey
			all++
		}
	}
	if all == 0 {
		return ""
	}
	part := func(share float64) int {
		left := int(share * float64(all))
		for grey, n := range counts {
			if left -= n; left < 0 {
				return grey
			}
		}
		return 255
	}
	switch {
	case float64(sum)/float64(all) < darkMean:
		return NoteDark
	case part(0.995)-part(0.005) < emptyRange:
		return NoteEmpty
	}
	return ""
}

// Picture decodes a small picture; nil if it doesn't open.
func Picture(data []byte) image.Image {
	img, _, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		return nil
	}
	return img
}
