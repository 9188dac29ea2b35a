package page

import "encoding/binary"

// still is a WebP as a decoder of single pictures takes it: of one that moves (what telephones' stickers and some galleries
// write) the first picture, any other as it is.
func still(data []byte) []byte {
	frame, ok := chunk(data[min(12, len(data)):], "ANMF")
	const head = 16 // place, size, duration, flags
	if !ok || len(frame) < head {
		return data
	}
	out := []byte("RIFF\x00\x00\x00\x00WEBP")
	add := func(name string, body []byte) {
		out = append(binary.LittleEndian.AppendUint32(append(out, name...), uint32(len(body))), body...)
		if len(body)%2 != 0 {
			out = append(out, 0)
		}
	}
	parts := frame[head:]
	if alpha, ok := chunk(parts, "ALPH"); ok {
		const hasAlpha = 0x10
		add("VP8X", append([]byte{hasAlpha, 0, 0, 0}, frame[6:12]...)) // width and height, of three bytes each
		add("ALPH", alpha)
	}
	for _, name := range []string{"VP8 ", "VP8L"} {
		if body, ok := chunk(parts, name); ok {
			add(name, body)
		}
	}
	binary.LittleEndian.PutUint32(out[4:], uint32(len(out)-8))
	return out
}

// chunk finds the first chunk of a name among those that stand one after the other.
func chunk(data []byte, name string) ([]byte, bool) {
	for len(data) >= 8 {
		n := int64(binary.LittleEndian.Uint32(data[4:]))
		if n > int64(len(data)-8) {
			return nil, false
		}
		if string(data[:4]) == name {
			return data[8 : 8+n], true
		}
		data = data[min(8+(n+1)&^1, int64(len(data))):]
	}
	return nil, false
}
