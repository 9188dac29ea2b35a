// Package exif reads the few tags of a TIFF directory that recognition needs: how the picture is to be turned and how
// fine it is. TIFF files have such directories for pages; JPEG, PNG and WebP carry one as EXIF. In go bytes, out come
// numbers; what is missing or out of bounds is told by ok, never by a panic.
package exif

import (
	"bytes"
	"encoding/binary"
	"math"
)

// The tags, by TIFF 6.0 and EXIF 2.3.
const (
	tagOrientation    = 0x0112
	tagXResolution    = 0x011A
	tagResolutionUnit = 0x0128
)

// Orientation says what must be done to stored pixels to see the picture upright: 1 nothing, 2 mirror from left to right,
// 3 turn by 180°, 4 both, 5 mirror and turn by 270° clockwise, 6 turn by 90°, 7 mirror and turn by 90°, 8 turn by 270°.
type Orientation int

// Upright is the orientation of a picture that is stored as it is seen.
const Upright Orientation = 1

// Steps gives the orientation as a mirroring from left to right and, after it, a clockwise turn in degrees.
func (o Orientation) Steps() (mirror bool, degrees int) {
	switch o {
	case 2:
		return true, 0
	case 3:
		return false, 180
	case 4:
		return true, 180
	case 5:
		return true, 270
	case 6:
		return false, 90
	case 7:
		return true, 90
	case 8:
		return false, 270
	}
	return false, 0
}

// Directory is one directory of tags inside a TIFF.
type Directory struct {
	data  []byte
	order binary.ByteOrder
	at    int64
	big   bool // of a BigTIFF: counts and places have eight bytes
}

// The shape of a directory: how many bytes its count of tags has, each tag, and where in that its value lies.
func (d Directory) count() int64 {
	if d.big {
		return int64(min(d.order.Uint64(d.data[d.at:]), math.MaxUint16)) // no directory has more
	}
	return int64(d.order.Uint16(d.data[d.at:]))
}

func (d Directory) shape() (count, tag, value int64) {
	if d.big {
		return 8, 20, 12
	}
	return 2, 12, 8
}

// place reads where something lies, 0 for what no file of ours is long enough for.
func (d Directory) place(b []byte) uint32 {
	if !d.big {
		return d.order.Uint32(b)
	}
	if at := d.order.Uint64(b); at <= math.MaxUint32 {
		return uint32(at)
	}
	return 0
}

// Open finds the directory at an offset of a TIFF or BigTIFF, or of an EXIF block with or without its marker; the first one where
// at is 0. ok is false for anything else.
func Open(data []byte, at uint32) (d Directory, ok bool) {
	data = bytes.TrimPrefix(data, []byte("Exif\x00\x00"))
	if len(data) < 8 {
		return d, false
	}
	switch string(data[:2]) {
	case "II":
		d.order = binary.LittleEndian
	case "MM":
		d.order = binary.BigEndian
	default:
		return d, false
	}
	d.data, d.at, d.big = data, int64(at), d.order.Uint16(data[2:]) == bigTIFF
	first := data[4:]
	if d.big {
		if len(data) < 16 || d.order.Uint16(data[4:]) != 8 {
			return d, false
		}
		first = data[8:]
	}
	if at == 0 {
		d.at = int64(d.place(first))
	}
	count, _, _ := d.shape()
	return d, d.at >= 8 && d.at+count <= int64(len(data))
}

// bigTIFF stands in a file's head where TIFF has 42.
const bigTIFF = 43

// Big says whether it is a BigTIFF's.
func (d Directory) Big() bool { return d.big }

// Place is where the directory lies.
func (d Directory) Place() uint32 { return uint32(d.at) }

// Next is where the following directory lies; 0: there is none.
func (d Directory) Next() uint32 {
	count, tag, _ := d.shape()
	at, size := d.at+count+tag*d.count(), int64(4)
	if d.big {
		size = 8
	}
	if at+size > int64(len(d.data)) {
		return 0
	}
	return d.place(d.data[at:])
}

// value gives the bytes of a tag in which its value stands, or where that lies.
func (d Directory) value(tag uint16) ([]byte, bool) {
	count, size, value := d.shape()
	for k := range d.count() {
		e := d.at + count + size*k
		if e+size > int64(len(d.data)) {
			break
		}
		if d.order.Uint16(d.data[e:]) == tag {
			return d.data[e+value : e+size], true
		}
	}
	return nil, false
}

// Orientation is Upright where the directory says nothing, or something impossible.
func (d Directory) Orientation() Orientation {
	if v, ok := d.value(tagOrientation); ok {
		if o := Orientation(d.order.Uint16(v)); o >= 1 && o <= 8 {
			return o
		}
	}
	return Upright
}

// DPI is the horizontal resolution in dots an inch; 0 where the directory does not say, or says nonsense.
func (d Directory) DPI() float64 {
	v, ok := d.value(tagXResolution)
	if !ok {
		return 0
	}
	if !d.big { // else it has room where its place would stand
		at := int64(d.place(v))
		if at+8 > int64(len(d.data)) {
			return 0
		}
		v = d.data[at:]
	}
	over, under := d.order.Uint32(v), d.order.Uint32(v[4:])
	if under == 0 {
		return 0
	}
	dpi := float64(over) / float64(under)
	if u, ok := d.value(tagResolutionUnit); ok {
		switch d.order.Uint16(u) {
		case 1: // only the shape of a pixel
			return 0
		case 3:
			dpi *= 2.54
		}
	}
	return Plausible(dpi)
}

// A picture of a page is between these; files that say other than that say nothing (many write 72, or 1).
const (
	leastDPI = 50
	mostDPI  = 2400
)

// Plausible is dpi, or 0 where no scanner has such a resolution.
func Plausible(dpi float64) float64 {
	if dpi < leastDPI || dpi > mostDPI {
		return 0
	}
	return dpi
}
