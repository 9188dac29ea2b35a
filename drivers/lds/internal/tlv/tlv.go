// Package tlv reads and writes the BER-TLV objects that cards speak (ISO 7816-4, X.690): bytes in,
// tags and values out. It promises never to read past what it was given, and to refuse what ICAO files
// never hold: indefinite lengths (but for Definite, since messages within them do), tags above three bytes, lengths above three bytes.
package tlv

import "errors"

// ErrCut says that the bytes end before the object does, or are no object.
var ErrCut = errors.New("cut or malformed TLV object")

// Object is one object. Raw is the whole of it, Value what is inside; both alias the input.
type Object struct {
	Tag        uint32
	Value, Raw []byte
}

// Constructed reports whether the value is made of objects itself.
func (o Object) Constructed() bool {
	first := o.Tag
	for first > 0xff {
		first >>= 8
	}
	return first&0x20 != 0
}

// Header reads the tag and length in front of an object whose value may not be there yet.
func Header(b []byte) (tag uint32, header, length int, err error) {
	if len(b) < 2 {
		return 0, 0, 0, ErrCut
	}
	tag, header = uint32(b[0]), 1
	if b[0]&0x1f == 0x1f {
		for {
			if header >= len(b) || header == 3 {
				return 0, 0, 0, ErrCut
			}
			c := b[header]
			tag, header = tag<<8|uint32(c), header+1
			if c&0x80 == 0 {
				break
			}
		}
	}
	if header >= len(b) {
		return 0, 0, 0, ErrCut
	}
	length = int(b[header])
	header++
	if length > 0x80 {
		n := length & 0x7f
		if n > 3 || header+n > len(b) {
			return 0, 0, 0, ErrCut
		}
		length = 0
		for _, c := range b[header : header+n] {
			length = length<<8 | int(c)
		}
		header += n
	} else if length == 0x80 {
		return 0, 0, 0, ErrCut
	}
	return tag, header, length, nil
}

// Next reads the first object of b.
func Next(b []byte) (o Object, rest []byte, err error) {
	tag, header, length, err := Header(b)
	if err != nil || length > len(b)-header {
		return Object{}, nil, ErrCut
	}
	end := header + length
	return Object{tag, b[header:end:end], b[:end:end]}, b[end:], nil
}

// All reads b as objects one after the other.
func All(b []byte) ([]Object, error) {
	var all []Object
	for len(b) > 0 {
		o, rest, err := Next(b)
		if err != nil {
			return all, err
		}
		all, b = append(all, o), rest
	}
	return all, nil
}

// Find follows a path of tags inwards and gives the value of the first object at its end.
func Find(b []byte, path ...uint32) ([]byte, bool) {
	for _, tag := range path {
		found := false
		for !found {
			o, rest, err := Next(b)
			if err != nil {
				return nil, false
			}
			if o.Tag == tag {
				b, found = o.Value, true
			} else {
				b = rest
			}
		}
	}
	return b, true
}

// Append writes an object whose value is the parts joined.
func Append(dst []byte, tag uint32, parts ...[]byte) []byte {
	for shift := 24; shift >= 0; shift -= 8 {
		if tag>>shift != 0 || shift == 0 {
			dst = append(dst, byte(tag>>shift))
		}
	}
	n := 0
	for _, p := range parts {
		n += len(p)
	}
	switch {
	case n < 0x80:
		dst = append(dst, byte(n))
	case n < 0x100:
		dst = append(dst, 0x81, byte(n))
	case n < 0x10000:
		dst = append(dst, 0x82, byte(n>>8), byte(n))
	default:
		dst = append(dst, 0x83, byte(n>>16), byte(n>>8), byte(n))
	}
	for _, p := range parts {
		dst = append(dst, p...)
	}
	return dst
}
