package bmp

// Behind a zero in run lengths stands what is to be done, or how many pixels follow as they are.
const (
	endOfRow     = 0
	endOfPicture = 1
	move         = 2
)

// pen is where the next pixel goes.
type pen struct {
	x, y, w, h int
	row        func(y int) []uint8
}

// put draws a pixel; beyond the end of a row nothing is drawn.
func (p *pen) put(v ...uint8) {
	if p.x < p.w && p.y < p.h {
		row := p.row(p.y)
		copy(row[len(row)/p.w*p.x:], v)
	}
	p.x++
}

// room is how many of n pixels are drawn: a file of 64 MB of runs beyond one row would else keep a worker for its whole time.
func (p *pen) room(n int) int { return min(n, max(p.w-p.x, 0)) }

// whole says whether the last row was come to the end of.
func (p *pen) whole() bool { return p.y >= p.h || p.y == p.h-1 && p.x >= p.w }

// runs decodes run lengths of 4, 8 or 24 bits, bytes a pixel; what no run covers stays as it is. ok is false for data that end early.
func (h *head) runs(data []byte, bytes int, row func(y int) []uint8) (ok bool) {
	p := pen{w: h.w, h: h.h, row: row}
	for len(data) >= 2 && p.y < p.h {
		n, what := int(data[0]), data[1]
		switch {
		case n > 0 && bytes == 3:
			if len(data) < 4 {
				return p.whole()
			}
			drawn := p.room(n)
			for range drawn {
				p.put(data[3], data[2], data[1])
			}
			p.x += n - drawn
			data = data[4:]
			continue
		case n > 0:
			drawn := p.room(n)
			for i := range drawn {
				p.put(h.half(what, i))
			}
			p.x += n - drawn
		case what == endOfRow:
			p.x, p.y = 0, p.y+1
		case what == endOfPicture:
			return true
		case what == move:
			if len(data) < 4 {
				return p.whole()
			}
			p.x, p.y = p.x+int(data[2]), p.y+int(data[3])
			data = data[2:]
		default:
			data = h.literal(data[2:], int(what), bytes, &p)
			continue
		}
		data = data[2:]
	}
	return p.whole()
}

// half is the index of the i-th pixel of a run: of four bits the upper and the lower half by turns.
func (h *head) half(v uint8, i int) uint8 {
	if h.depth != 4 {
		return v
	}
	if i%2 == 0 {
		return v >> 4
	}
	return v & 15
}

// literal draws n pixels that stand as they are, filled up to whole words of two bytes, and gives what follows.
func (h *head) literal(data []byte, n, bytes int, p *pen) []byte {
	for i := range n {
		at := i * bytes
		if h.depth == 4 {
			at = i / 2
		}
		if at+bytes > len(data) {
			return nil
		}
		if bytes == 3 {
			p.put(data[at+2], data[at+1], data[at])
		} else {
			p.put(h.half(data[at], i))
		}
	}
	used := ((n*h.depth+7)/8 + 1) &^ 1
	return data[min(used, len(data)):]
}
