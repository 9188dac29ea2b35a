package exif_test

import (
	"encoding/binary"
	"testing"

	"motcua/ocr/exif"
)

// block is a TIFF with one directory: orientation, 300 dots a unit, the unit.
func block(order binary.AppendByteOrder, orientation, unit uint16, over, under uint32) []byte {
	mark := "II*\x00"
	if order == binary.AppendByteOrder(binary.BigEndian) {
		mark = "MM\x00*"
	}
	b := order.AppendUint32([]byte(mark), 8)
	b = order.AppendUint16(b, 3)
	short := func(tag, v uint16) {
		b = order.AppendUint16(order.AppendUint16(b, tag), 3)
		b = order.AppendUint16(order.AppendUint16(order.AppendUint32(b, 1), v), 0)
	}
	const behind = 8 + 2 + 3*12 + 4
	short(0x0112, orientation)
	b = order.AppendUint32(order.AppendUint32(order.AppendUint16(order.AppendUint16(b, 0x011A), 5), 1), behind)
	short(0x0128, unit)
	b = order.AppendUint32(b, 0)
	return order.AppendUint32(order.AppendUint32(b, over), under)
}

// bigBlock is block as a BigTIFF.
func bigBlock(order binary.AppendByteOrder, orientation, unit uint16, over, under uint32) []byte {
	mark := "II+\x00"
	if order == binary.AppendByteOrder(binary.BigEndian) {
		mark = "MM\x00+"
	}
	b := order.AppendUint64(order.AppendUint16(order.AppendUint16([]byte(mark), 8), 0), 16)
	b = order.AppendUint64(b, 3)
	tag := func(tag, kind uint16) {
		b = order.AppendUint64(order.AppendUint16(order.AppendUint16(b, tag), kind), 1)
	}
	tag(0x0112, 3)
	b = append(order.AppendUint16(b, orientation), make([]byte, 6)...)
	tag(0x011A, 5)
	b = order.AppendUint32(order.AppendUint32(b, over), under)
	tag(0x0128, 3)
	b = append(order.AppendUint16(b, unit), make([]byte, 6)...)
	return order.AppendUint64(b, 0)
}

// TIFF 6.0 (page 36) says of each orientation at which side of the scene the first row and the first column of the stored
// pixels lie. Steps must bring every pixel there.
func TestSteps_follow_TIFF(t *testing.T) {
	const w, h = 3, 2 // of the stored pixels
	sides := [][2]string{{"top", "left"}, {"top", "right"}, {"bottom", "right"}, {"bottom", "left"},
		{"left", "top"}, {"right", "top"}, {"right", "bottom"}, {"left", "bottom"}}
	for i, side := range sides {
		o := exif.Orientation(i + 1)
		mirror, degrees := o.Steps()
		for y := range h {
			for x := range w {
				wantX, wantY := seen(side[0], y, h, side[1], x, w)
				gotX, gotY, gw, gh := x, y, w, h
				if mirror {
					gotX = gw - 1 - gotX
				}
				for range degrees / 90 {
					gotX, gotY, gw, gh = gh-1-gotY, gotX, gh, gw
				}
				if gotX != wantX || gotY != wantY {
					t.Errorf("orientation %d: pixel (%d,%d) is seen at (%d,%d), not at (%d,%d)", o, x, y, gotX, gotY, wantX, wantY)
				}
			}
		}
	}
}

// seen is where row y of h, whose first lies at rowSide, and column x of w, whose first lies at columnSide, meet.
func seen(rowSide string, y, h int, columnSide string, x, w int) (int, int) {
	var at [2]int
	put := func(side string, n, of int) {
		switch side {
		case "top":
			at[1] = n
		case "bottom":
			at[1] = of - 1 - n
		case "left":
			at[0] = n
		case "right":
			at[0] = of - 1 - n
		}
	}
	put(rowSide, y, h)
	put(columnSide, x, w)
	return at[0], at[1]
}

func TestDirectory(t *testing.T) {
	for _, c := range []struct {
		name              string
		orientation, unit uint16
		over, under       uint32
		dpi               float64
		turned            exif.Orientation
	}{
		{"inches", 6, 2, 300, 1, 300, 6},
		{"centimetres", 8, 3, 11811, 100, 299.9994, 8},
		{"shape_of_a_pixel_only", 1, 1, 300, 1, 0, 1},
		{"nothing_divided", 1, 2, 300, 0, 0, 1},
		{"nonsense_says_nothing", 9, 2, 1, 1, 0, exif.Upright},
		{"no_orientation", 0, 2, 2401, 1, 0, exif.Upright},
	} {
		for name, order := range map[string]binary.AppendByteOrder{"little": binary.LittleEndian, "big": binary.BigEndian} {
			t.Run(c.name+"_"+name, func(t *testing.T) {
				b := block(order, c.orientation, c.unit, c.over, c.under)
				big := bigBlock(order, c.orientation, c.unit, c.over, c.under)
				for _, data := range [][]byte{b, append([]byte("Exif\x00\x00"), b...), big} {
					d, ok := exif.Open(data, 0)
					if !ok {
						t.Fatal("not opened")
					}
					if got := d.DPI(); got < c.dpi-0.01 || got > c.dpi+0.01 {
						t.Errorf("%v dpi, not %v", got, c.dpi)
					}
					if got := d.Orientation(); got != c.turned {
						t.Errorf("orientation %d, not %d", got, c.turned)
					}
					if d.Next() != 0 {
						t.Error("another directory was made up")
					}
				}
			})
		}
	}
}

// Every cut, and every byte changed to the ends of its range, gives numbers within bounds or nothing.
func TestDirectory_damaged(t *testing.T) {
	look := func(data []byte) {
		for _, at := range []uint32{0, 8, uint32(len(data)), 1 << 31} {
			d, ok := exif.Open(data, at)
			if !ok {
				continue
			}
			if o := d.Orientation(); o < 1 || o > 8 {
				t.Errorf("orientation %d", o)
			}
			if dpi := d.DPI(); dpi != 0 && (dpi < 50 || dpi > 2400) {
				t.Errorf("%v dpi", dpi)
			}
			d.Next()
		}
	}
	for _, whole := range [][]byte{block(binary.LittleEndian, 6, 2, 300, 1), bigBlock(binary.BigEndian, 6, 2, 300, 1)} {
		for n := range whole {
			look(whole[:n])
			for _, v := range []byte{0, 1, 0x7f, 0x80, 0xff} {
				broken := append([]byte{}, whole...)
				broken[n] = v
				look(broken)
			}
		}
	}
}
