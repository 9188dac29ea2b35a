package scan

import (
	"bytes"
	"encoding/binary"

	"golang.org/x/sync/errgroup"
)

// One thread that codes JPEGs is what bounds a stack from a feeder and a page's way to the first field. So a page is cut into strips
// that are coded side by side and joined by restart markers (ITU T.81, B.2.4.4 and E.1.4): each strip is one restart interval,
// with which every decoder begins anew, and the picture is the same to the pixel.

const (
	leastStrip   = 64        // lines: below, joining costs more than it gains
	mostInterval = 1<<16 - 1 // MCUs in a restart interval: DRI has 16 bits
	mostLines    = 1<<16 - 1 // of a picture: so has the frame header
	stripsEach   = 2         // strips for a processor, since ink takes longer than paper
)

// compressSideBySide is compress by so many processors.
func compressSideBySide(pix []byte, stride, width, height int, color bool, quality, processors int) ([]byte, error) {
	lines := stripLines(width, height, color, processors)
	if lines == 0 {
		return compress(pix, stride, width, height, color, quality)
	}
	strips := make([][]byte, (height+lines-1)/lines)
	var coding errgroup.Group
	coding.SetLimit(processors)
	for i := range strips {
		coding.Go(func() (err error) {
			strips[i], err = compress(pix[i*lines*stride:], stride, width, min(lines, height-i*lines), color, quality)
			return err
		})
	}
	if err := coding.Wait(); err != nil {
		return nil, err
	}
	if whole := joinStrips(strips, height, lines/mcu(color)*mcusAcross(width, color)); whole != nil {
		return whole, nil
	}
	return compress(pix, stride, width, height, color, quality)
}

// mcu is the side of the squares that compress codes: colour is halved in both directions.
func mcu(color bool) int {
	if color {
		return 16
	}
	return 8
}

func mcusAcross(width int, color bool) int { return (width + mcu(color) - 1) / mcu(color) }

// stripLines gives how many lines each strip but the last has, 0 where the page is better coded whole.
func stripLines(width, height int, color bool, processors int) int {
	if processors < 2 || width <= 0 || height < 2*leastStrip || height > mostLines {
		return 0
	}
	side := mcu(color)
	most := mostInterval / mcusAcross(width, color) * side
	even := (height + processors*stripsEach - 1) / (processors * stripsEach)
	return min((max(even, leastStrip)+side-1)/side*side, most)
}

// joinStrips makes one picture of strips that were coded alike, nil if they were not.
func joinStrips(strips [][]byte, height, interval int) []byte {
	var out bytes.Buffer
	var tables []byte
	for i, s := range strips {
		frame, scan := jpegSegments(s)
		if frame == 0 || scan == 0 || !bytes.HasSuffix(s, []byte{0xff, 0xd9}) {
			return nil
		}
		binary.BigEndian.PutUint16(s[frame+5:], uint16(height)) // behind marker, length and precision
		data := scan + 2 + int(binary.BigEndian.Uint16(s[scan+2:]))
		if i == 0 {
			tables = s[:data]
			out.Grow(len(s) * (len(strips) + 1))
			out.Write(s[:scan])
			out.Write([]byte{0xff, 0xdd, 0, 4, byte(interval >> 8), byte(interval)})
			out.Write(s[scan:data])
		} else {
			if !bytes.Equal(tables, s[:data]) {
				return nil
			}
			out.Write([]byte{0xff, 0xd0 + byte(i-1)&7})
		}
		out.Write(s[data : len(s)-2])
	}
	out.Write([]byte{0xff, 0xd9})
	return out.Bytes()
}

// jpegSegments finds where a baseline picture's frame header and its first scan's header begin; 0 where there is none.
func jpegSegments(data []byte) (frame, scan int) {
	for at := 2; at+4 <= len(data) && data[at] == 0xff; {
		length := int(binary.BigEndian.Uint16(data[at+2:]))
		if at+2+length > len(data) {
			return 0, 0
		}
		switch data[at+1] {
		case 0xc0, 0xc1:
			frame = at
		case 0xdd: // intervals of its own
			return 0, 0
		case 0xda:
			return frame, at
		}
		at += 2 + length
	}
	return 0, 0
}
