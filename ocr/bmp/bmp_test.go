package bmp

import (
	"encoding/binary"
	"errors"
	"image"
	"image/color"
	"testing"
)

// The picture of the tests: five columns, two rows, as the file's bottom row and its top row say.
//
//	top:    black red green blue white
//	bottom: white white red red black
var (
	black, white     = color.RGBA{0, 0, 0, 255}, color.RGBA{255, 255, 255, 255}
	red, green, blue = color.RGBA{255, 0, 0, 255}, color.RGBA{0, 255, 0, 255}, color.RGBA{0, 0, 255, 255}
	colours          = []color.RGBA{black, red, green, blue, white}
	want             = [2][5]color.RGBA{{black, red, green, blue, white}, {white, white, red, red, black}}
	indices          = [2][5]uint8{{0, 1, 2, 3, 4}, {4, 4, 1, 1, 0}}
)

type file struct {
	head        int // its size
	depth       uint16
	compression uint32
	masks       []uint32
	topDown     bool
	pixels      []byte
}

// bytes puts a file together; where depth is eight or less the palette is colours.
func (f file) bytes() []byte {
	le := binary.LittleEndian
	b := make([]byte, fileHead+f.head)
	copy(b, "BM")
	le.PutUint32(b[fileHead:], uint32(f.head))
	height := int32(2)
	if f.topDown {
		height = -2
	}
	if f.head == os21Head {
		le.PutUint16(b[18:], 5)
		le.PutUint16(b[20:], uint16(height))
		le.PutUint16(b[22:], 1)
		le.PutUint16(b[24:], f.depth)
	} else {
		h := make([]byte, v5Head)
		le.PutUint32(h[4:], 5)
		le.PutUint32(h[8:], uint32(height))
		le.PutUint16(h[12:], 1)
		le.PutUint16(h[14:], f.depth)
		le.PutUint32(h[16:], f.compression)
		le.PutUint32(h[24:], 11811)
		if f.depth <= 8 {
			le.PutUint32(h[32:], uint32(len(colours)))
		}
		for i, m := range f.masks {
			le.PutUint32(h[infoHead+4*i:], m)
		}
		copy(b[fileHead+4:], h[4:f.head])
		if f.head == infoHead {
			b = append(b, h[infoHead:infoHead+4*len(f.masks)]...)
		}
	}
	if f.depth <= 8 {
		n := len(colours)
		if f.head == os21Head {
			n = 1 << f.depth
		}
		for i := range n {
			c := color.RGBA{}
			if i < len(colours) {
				c = colours[i]
			}
			b = append(b, c.B, c.G, c.R)
			if f.head != os21Head {
				b = append(b, 0)
			}
		}
	}
	le.PutUint32(b[10:], uint32(len(b)))
	return append(b, f.pixels...)
}

// lay gives rows of the picture as the file has them, each put by pixel into whole words.
func lay(topDown bool, pixel func(row []byte, x, y int) []byte) []byte {
	var out []byte
	for k := range 2 {
		y := 1 - k
		if topDown {
			y = k
		}
		var row []byte
		for x := range 5 {
			row = pixel(row, x, y)
		}
		for len(row)%4 != 0 {
			row = append(row, 0)
		}
		out = append(out, row...)
	}
	return out
}

func byte8(row []byte, x, y int) []byte { return append(row, indices[y][x]) }

func half4(row []byte, x, y int) []byte {
	if x%2 == 0 {
		return append(row, indices[y][x]<<4)
	}
	row[len(row)-1] |= indices[y][x]
	return row
}

func bgr(row []byte, x, y int) []byte {
	c := want[y][x]
	return append(row, c.B, c.G, c.R)
}

// by32 and by16 put colours where masks say.
func by32(masks []uint32) func(row []byte, x, y int) []byte {
	return func(row []byte, x, y int) []byte {
		return binary.LittleEndian.AppendUint32(row, masksOf(masks, want[y][x]))
	}
}

func by16(masks []uint32) func(row []byte, x, y int) []byte {
	return func(row []byte, x, y int) []byte {
		return binary.LittleEndian.AppendUint16(row, uint16(masksOf(masks, want[y][x])))
	}
}

func masksOf(masks []uint32, c color.RGBA) (v uint32) {
	for i, on := range []bool{c.R > 0, c.G > 0, c.B > 0, true} {
		if on && i < len(masks) {
			v |= masks[i]
		}
	}
	return v
}

var (
	xrgb   = []uint32{0xFF0000, 0xFF00, 0xFF}
	rgb555 = []uint32{0x7C00, 0x3E0, 0x1F}
	rgb565 = []uint32{0xF800, 0x7E0, 0x1F}
	deep   = []uint32{0x3FF, 0x3FF << 10, 0x3FF << 20, 3 << 30}
)

func TestDecode(t *testing.T) {
	for name, f := range map[string]file{
		"os2_1_4_bits":             {head: os21Head, depth: 4, pixels: lay(false, half4)},
		"os2_1_8_bits":             {head: os21Head, depth: 8, pixels: lay(false, byte8)},
		"os2_1_24_bits":            {head: os21Head, depth: 24, pixels: lay(false, bgr)},
		"os2_2":                    {head: os22Head, depth: 8, pixels: lay(false, byte8)},
		"os2_2_run_lengths_of_24":  {head: os22Head, depth: 24, compression: 4, pixels: runs24Bits()},
		"windows_3":                {head: infoHead, depth: 8, pixels: lay(false, byte8)},
		"windows_3_top_down":       {head: infoHead, depth: 8, topDown: true, pixels: lay(true, byte8)},
		"windows_3_4_bits":         {head: infoHead, depth: 4, pixels: lay(false, half4)},
		"windows_3_16_bits":        {head: infoHead, depth: 16, pixels: lay(false, by16(rgb555))},
		"windows_3_16_bits_masked": {head: infoHead, depth: 16, compression: masked, masks: rgb565, pixels: lay(false, by16(rgb565))},
		"windows_3_24_bits":        {head: infoHead, depth: 24, pixels: lay(false, bgr)},
		"windows_3_32_bits":        {head: infoHead, depth: 32, pixels: lay(false, by32(xrgb))},
		"windows_3_alpha_mask":     {head: infoHead, depth: 32, compression: alphaMasked, masks: deep, pixels: lay(false, by32(deep))},
		"two_masks_heads":          {head: v2Head, depth: 32, compression: masked, masks: deep[:3], pixels: lay(false, by32(deep[:3]))},
		"three_masks_heads":        {head: v3Head, depth: 32, compression: masked, masks: deep, pixels: lay(false, by32(deep))},
		"windows_4":                {head: v4Head, depth: 24, pixels: lay(false, bgr)},
		"windows_5":                {head: v5Head, depth: 32, compression: masked, masks: deep, pixels: lay(false, by32(deep))},
		"alpha_of_nothing_is_none": {head: v5Head, depth: 32, compression: masked, masks: append(xrgb[:3:3], 0xFF000000),
			pixels: lay(false, by32(xrgb))},
		"run_lengths_of_8": {head: infoHead, depth: 8, compression: rle8, pixels: []byte{
			2, 4, 2, 1, 1, 0, 0, endOfRow, 0, 5, 0, 1, 2, 3, 4, 0, 0, endOfPicture}},
		"run_lengths_that_move": {head: infoHead, depth: 8, compression: rle8, pixels: []byte{
			2, 4, 2, 1, 0, endOfRow, 0, move, 1, 0, 1, 1, 1, 2, 1, 3, 1, 4, 0, endOfPicture}},
		"run_lengths_of_4": {head: infoHead, depth: 4, compression: rle4, pixels: []byte{
			2, 0x44, 2, 0x11, 1, 0, 0, endOfRow, 0, 5, 0x01, 0x23, 0x40, 0, 0, endOfPicture}},
	} {
		t.Run(name, func(t *testing.T) {
			img, err := Decode(f.bytes(), 10)
			if err != nil {
				t.Fatal(err)
			}
			for y, row := range want {
				for x, c := range row {
					if got := color.RGBAModel.Convert(img.At(x, y)); got != c {
						t.Errorf("%v at %d, %d, want %v", got, x, y, c)
					}
				}
			}
			if per := DotsPerMetre(f.bytes()); f.head >= infoHead && per != 11811 || f.head == os21Head && per != 0 {
				t.Errorf("%d dots a metre", per)
			}
		})
	}
}

func runs24Bits() []byte {
	return []byte{2, 255, 255, 255, 2, 0, 0, 255, 1, 0, 0, 0, 0, endOfRow,
		0, 5, 0, 0, 0, 0, 0, 255, 0, 255, 0, 255, 0, 0, 255, 255, 255, 0, 0, endOfPicture}
}

func TestDecodeRefuses(t *testing.T) {
	whole := file{head: infoHead, depth: 8, pixels: lay(false, byte8)}.bytes()
	for name, c := range map[string]struct {
		data []byte
		err  error
	}{
		"cut_off":            {whole[:len(whole)-6], ErrDamaged},
		"cut_run_lengths":    {file{head: infoHead, depth: 8, compression: rle8, pixels: []byte{2, 4, 2, 1, 1, 0}}.bytes(), ErrDamaged},
		"no_pixels":          {file{head: infoHead, depth: 24}.bytes(), ErrDamaged},
		"head_of_other_size": {file{head: 41, depth: 24}.bytes(), ErrDamaged},
		"jpeg_inside":        {file{head: v5Head, depth: 24, compression: jpegInside, pixels: make([]byte, 99)}.bytes(), ErrUnsupported},
		"png_inside":         {file{head: v5Head, depth: 24, compression: pngInside, pixels: make([]byte, 99)}.bytes(), ErrUnsupported},
		"fax":                {file{head: os22Head, depth: 1, compression: masked, pixels: make([]byte, 99)}.bytes(), ErrUnsupported},
		"64_bits":            {file{head: infoHead, depth: 64, pixels: make([]byte, 99)}.bytes(), ErrUnsupported},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := Decode(c.data, 10); !errors.Is(err, c.err) {
				t.Errorf("got %v, want %v", err, c.err)
			}
		})
	}
	if _, err := Decode(whole, 9); !errors.Is(err, ErrTooLarge) {
		t.Errorf("ten pixels, nine allowed: %v", err)
	}
}

func TestDecodeWhatEncodeWrote(t *testing.T) {
	g := image.NewGray(image.Rect(0, 0, 3, 2))
	copy(g.Pix, []uint8{1, 2, 3, 250, 251, 252})
	img, err := Decode(Encode(g, 300), 6)
	if err != nil {
		t.Fatal(err)
	}
	for y := range 2 {
		for x := range 3 {
			if got := color.GrayModel.Convert(img.At(x, y)); got != g.At(x, y) {
				t.Errorf("%v at %d, %d", got, x, y)
			}
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(file{head: infoHead, depth: 8, compression: rle8, pixels: []byte{2, 4, 0, move, 1, 0, 0, 5, 0, 1, 2, 3, 4, 0}}.bytes())
	f.Add(file{head: os22Head, depth: 24, compression: 4, pixels: runs24Bits()}.bytes())
	f.Add(file{head: os21Head, depth: 4, pixels: lay(false, half4)}.bytes())
	f.Add(file{head: v3Head, depth: 32, compression: masked, masks: deep, pixels: lay(false, by32(deep))}.bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		img, err := Decode(data, 1<<16)
		if err != nil {
			return
		}
		if b := img.Bounds(); b.Empty() || b.Dx()*b.Dy() > 1<<16 {
			t.Errorf("a picture of %v", b)
		}
		if p, ok := img.(*image.Paletted); ok {
			for _, v := range p.Pix {
				if int(v) >= len(p.Palette) {
					t.Fatalf("index %d of %d colours", v, len(p.Palette))
				}
			}
		}
	})
}
