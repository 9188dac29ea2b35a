package specimen

import "image"

// The sets of damage.
const (
	Clean  = "clean"  // a good flatbed
	Office = "office" // what a busy counter scans: worn cards, skew, JPEG, a stamp
	Bad    = "bad"    // photocopies, faxes, dirt, low resolution
	Photo  = "photo"  // a phone held over the table
)

// Damage is what happened to a paper between the printing press and the file.
type Damage struct {
	Set  string // "", clean, office, bad, photo
	Seed uint64
}

// wear is a damage with all its dice thrown.
type wear struct{ d Damage }

func wearOf(d Damage) wear { return wear{d} }

func (w wear) page(img *image.RGBA, dpi float64) (*image.RGBA, *homography) { return img, nil }
