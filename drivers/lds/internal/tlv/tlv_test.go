package tlv

import (
	"bytes"
	"testing"
)

func FuzzObjects(f *testing.F) {
	f.Add([]byte{0x60, 0x14, 0x5f, 0x01, 0x04})
	f.Add([]byte{0x7f, 0x49, 0x82, 0x00, 0x02, 0x06, 0x00})
	f.Add([]byte{0x5f, 0x1f, 0x83, 0xff, 0xff, 0xff})
	f.Add([]byte{0x30, 0x80, 0x00, 0x00})
	f.Fuzz(func(t *testing.T, data []byte) {
		all, err := All(data)
		var joined []byte
		for _, o := range all {
			joined = append(joined, o.Raw...)
			back, rest, err := Next(Append(nil, o.Tag, o.Value))
			if err != nil || len(rest) > 0 || back.Tag != o.Tag || !bytes.Equal(back.Value, o.Value) {
				t.Errorf("written and read again: %v, %v", back, err)
			}
			if o.Constructed() {
				All(o.Value)
			}
		}
		if err == nil && !bytes.Equal(joined, data) {
			t.Error("objects are not the whole input")
		}
		Find(data, 0x7f61, 0x7f60)
		told, err := Definite(data)
		if err != nil {
			return
		}
		if again, err := Definite(told); err != nil || !bytes.Equal(again, told) {
			t.Errorf("lengths told twice: %v", err)
		}
	})
}

func TestDefinite(t *testing.T) {
	const (
		loose = "\x30\x80\x02\x01\x07\xa0\x80\x24\x80\x04\x02ab\x04\x01c\x00\x00\x00\x00\x00\x00\x05\x00"
		told  = "\x30\x0a\x02\x01\x07\xa0\x05\x04\x03abc\x05\x00"
		whole = "\x30\x81\x03\x02\x01\x07" // not in DER, and left as it came
	)
	if got, err := Definite([]byte(loose)); err != nil || string(got) != told {
		t.Errorf("% x, %v; want % x", got, err, told)
	}
	if got, err := Definite([]byte(whole)); err != nil || string(got) != whole {
		t.Errorf("% x, %v", got, err)
	}
	if got, err := Definite([]byte("\x7f\x49\x80\x04\x01a\x00\x00")); err != nil || string(got) != "\x7f\x49\x03\x04\x01a" {
		t.Errorf("% x, %v", got, err)
	}
	for _, bad := range []string{"\x30\x80", "\x30\x80\x02\x01\x07", "\x24\x80\x02\x01\x07\x00\x00", "\x7f", "\x1f\xff\xff",
		string(bytes.Repeat([]byte{0x30, 0x80}, 1000))} {
		if got, err := Definite([]byte(bad)); err == nil {
			t.Errorf("% x was taken for % x", bad, got)
		}
	}
}

func TestFind(t *testing.T) {
	inner := Append(nil, 0x5f1f, []byte("MRZ"))
	file := Append(nil, 0x61, Append(nil, 0x02, []byte{1}), inner)
	if v, ok := Find(file, 0x61, 0x5f1f); !ok || string(v) != "MRZ" {
		t.Errorf("got %q, %v", v, ok)
	}
	if _, ok := Find(file, 0x61, 0x5f20); ok {
		t.Error("found what is not there")
	}
	for n := range file {
		if _, _, err := Next(file[:n]); err == nil {
			t.Errorf("took an object cut at %d", n)
		}
	}
	for _, n := range []int{0, 127, 128, 255, 256, 65535, 65536} {
		o, rest, err := Next(Append(nil, 0x53, make([]byte, n)))
		if err != nil || len(rest) > 0 || len(o.Value) != n {
			t.Errorf("length %d: %v", n, err)
		}
	}
}
