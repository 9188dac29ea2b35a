package tlv

import "bytes"

// deepest is how deep objects may lie within one another: a signed message has about twelve levels.
const deepest = 32

// Definite gives objects with their lengths told where they came with an end in its place (X.690, 8.1.3.6), and octet strings whole
// that came in pieces. What holds neither stays as it came, to the byte, since it may have been signed so.
func Definite(b []byte) ([]byte, error) {
	out, _, err := definite(b, 0, false)
	return out, err
}

// definite reads objects up to the end, or, within one of unknown length, up to its end, behind which rest begins.
func definite(b []byte, depth int, open bool) (out, rest []byte, err error) {
	if depth > deepest {
		return nil, nil, ErrCut
	}
	for len(b) > 0 {
		if open && len(b) > 1 && b[0] == 0 && b[1] == 0 {
			return out, b[2:], nil
		}
		size, known := tagSize(b)
		if !known {
			return nil, nil, ErrCut
		}
		var value []byte
		raw := b
		if b[size] == 0x80 && b[0]&0x20 != 0 {
			if value, b, err = definite(b[size+1:], depth+1, true); err != nil {
				return nil, nil, err
			}
		} else {
			var o Object
			if o, b, err = Next(b); err != nil {
				return nil, nil, err
			}
			if o.Constructed() {
				value, _, err = definite(o.Value, depth+1, false)
			}
			if err != nil || !o.Constructed() || raw[0] != inPieces && bytes.Equal(value, o.Value) {
				out = append(out, o.Raw...)
				continue
			}
		}
		if raw[0] == inPieces {
			value, err = joined(value)
			out = Append(out, octetString, value)
		} else {
			out = append(append(out, raw[:size]...), Append(nil, octetString, value)[1:]...)
		}
		if err != nil {
			return nil, nil, err
		}
	}
	if open {
		return nil, nil, ErrCut
	}
	return out, nil, nil
}

const (
	octetString = 0x04
	inPieces    = 0x24 // an octet string made of others
)

// joined is what the pieces of an octet string hold.
func joined(pieces []byte) (whole []byte, err error) {
	all, err := All(pieces)
	for _, p := range all {
		if p.Tag != octetString {
			return nil, ErrCut
		}
		whole = append(whole, p.Value...)
	}
	return whole, err
}

// tagSize is how many bytes the first object's tag has; a length is behind it.
func tagSize(b []byte) (size int, ok bool) {
	size = 1
	if b[0]&0x1f == 0x1f {
		for ; size < len(b) && b[size]&0x80 != 0; size++ {
		}
		size++
	}
	return size, size < len(b)
}
