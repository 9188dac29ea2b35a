package pdfa

import (
	"encoding/binary"
	"math"
	"slices"
)

// sRGB is an ICC profile, version 2.1, of the colours of IEC 61966-2-1, made from that standard's numbers: primaries adapted to
// D50 (Bradford) and the transfer curve. PDF/A-1 takes no newer version.
func sRGB() []byte {
	be := binary.BigEndian
	fixed := func(v ...float64) []byte { // s15Fixed16
		var b []byte
		for _, x := range v {
			b = be.AppendUint32(b, uint32(int32(math.Round(x*65536))))
		}
		return b
	}
	xyz := func(x, y, z float64) []byte { return slices.Concat([]byte("XYZ \x00\x00\x00\x00"), fixed(x, y, z)) }
	const steps = 256 // between two of them a straight line is off by less than half a step of 16 bits
	curve := slices.Concat([]byte("curv\x00\x00\x00\x00"), be.AppendUint32(nil, steps))
	for i := range steps {
		v := float64(i) / (steps - 1)
		if v <= 0.04045 {
			v /= 12.92
		} else {
			v = math.Pow((v+0.055)/1.055, 2.4)
		}
		curve = be.AppendUint16(curve, uint16(math.Round(v*65535)))
	}
	const name = "sRGB IEC61966-2.1"
	description := slices.Concat([]byte("desc\x00\x00\x00\x00"), be.AppendUint32(nil, uint32(len(name)+1)), []byte(name+"\x00"),
		make([]byte, 4+4+2+1+67)) // no Unicode and no Macintosh name
	right := []byte("text\x00\x00\x00\x00No copyright, use freely\x00")
	tags := []struct {
		name string
		data []byte
	}{
		{"desc", description},
		{"cprt", right},
		{"wtpt", xyz(0.9642, 1, 0.8249)},
		{"rXYZ", xyz(0.4360747, 0.2225045, 0.0139322)},
		{"gXYZ", xyz(0.3850649, 0.7168786, 0.0971045)},
		{"bXYZ", xyz(0.1430804, 0.0606169, 0.7141733)},
		{"rTRC", curve}, {"gTRC", nil}, {"bTRC", nil}, // one curve for all
	}
	table, body := be.AppendUint32(nil, uint32(len(tags))), []byte(nil)
	start, at, size := 128+4+12*len(tags), 0, 0
	for _, t := range tags {
		if t.data != nil {
			body = append(body, make([]byte, -len(body)&3)...)
			at, size = start+len(body), len(t.data)
			body = append(body, t.data...)
		}
		table = append(table, t.name...)
		table = be.AppendUint32(table, uint32(at))
		table = be.AppendUint32(table, uint32(size))
	}
	body = append(body, make([]byte, -len(body)&3)...)
	head := slices.Concat(be.AppendUint32(nil, uint32(start+len(body))), make([]byte, 4), []byte{2, 0x10, 0, 0}, []byte("mntrRGB XYZ "),
		[]byte{0x07, 0xE8, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0}, []byte("acsp"), make([]byte, 28), fixed(0.9642, 1, 0.8249), make([]byte, 48))
	return slices.Concat(head, table, body)
}
