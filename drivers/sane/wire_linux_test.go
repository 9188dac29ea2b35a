package sane

import (
	"bytes"
	"encoding/json"
	"io"
	"testing"
	"testing/iotest"

	"motcua/drivers/scan"
)

func TestFrames_go_on_after_a_read_that_was_broken_off(t *testing.T) {
	var b bytes.Buffer
	if err := writeMessage(&b, reply{Kind: "page"}); err != nil {
		t.Fatal(err)
	}
	if err := writeFrame(&b, framePixels, []byte("pixels")); err != nil {
		t.Fatal(err)
	}
	// TimeoutReader breaks off its second read; one byte at a time, that is in the middle of a head.
	f := frames{r: iotest.TimeoutReader(iotest.OneByteReader(&b))}
	if _, _, err := f.next(); err != iotest.ErrTimeout {
		t.Fatal(err)
	}
	if kind, payload, err := f.next(); kind != frameMessage || !bytes.Contains(payload, []byte("page")) || err != nil {
		t.Fatal(kind, payload, err)
	}
	if kind, payload, err := f.next(); kind != framePixels || string(payload) != "pixels" || err != nil {
		t.Fatal(kind, payload, err)
	}
	if _, _, err := f.next(); err != io.EOF {
		t.Error(err)
	}
}

// FuzzWorker feeds the daemon's side whatever a worker whose memory a backend has scribbled over might
// send: it must end in an error or in a page, not in a crash or without bounds.
func FuzzWorker(f *testing.F) {
	answer := func(p params, pixels int) []byte {
		var b bytes.Buffer
		writeMessage(&b, reply{Kind: "frame", Frame: &p, DPI: 300})
		writeFrame(&b, framePixels, piece{0, pixels}.bytes())
		writeMessage(&b, reply{Kind: "page"})
		writeMessage(&b, reply{Kind: "done"})
		return b.Bytes()
	}
	f.Add(answer(params{Format: formatRGB, Last: true, BytesPerLine: 30, PixelsPerLine: 10, Lines: 4, Depth: 8}, 120))
	f.Add(answer(params{Format: formatGray, Last: true, BytesPerLine: 2, PixelsPerLine: 10, Lines: -1, Depth: 1}, 9))
	f.Add(answer(params{Format: formatGreen, BytesPerLine: 20, PixelsPerLine: 10, Lines: 4, Depth: 16}, 80))
	f.Add([]byte("M\x00\x00\x00\x02{}"))
	f.Add([]byte("P\x00\x00\x00\x08\x00\x00\x00\x00\xff\xff\xff\xff"))
	mem := make([]byte, 1<<16)
	f.Fuzz(func(t *testing.T, data []byte) {
		in := frames{r: bytes.NewReader(data)}
		page := &canvas{}
		for {
			kind, payload, err := in.next()
			if err != nil {
				return
			}
			if kind == framePixels {
				there, err := pixels(mem, payload)
				if err != nil || page.write(there) != nil {
					return
				}
				continue
			}
			var m reply
			if json.Unmarshal(payload, &m) != nil {
				return
			}
			if m.Kind == "frame" && m.Frame != nil {
				if m.Frame.Lines > 10000 || m.Frame.PixelsPerLine > 10000 {
					return // allowed, and too slow to fuzz
				}
				if page.begin(*m.Frame) != nil {
					return
				}
			}
			if m.Kind == "page" && page.height > 0 {
				if _, _, err := scan.Encode(scan.Page{Image: page.strip(0, page.height)}); err != nil {
					t.Error(err)
				}
				page = &canvas{}
			}
		}
	})
}

// What a worker says of pixels is held against the memory there is.
func TestPixels(t *testing.T) {
	mem := []byte("0123456789")
	if got, err := pixels(mem, piece{2, 10}.bytes()); err != nil || string(got) != "23456789" {
		t.Errorf("%q, %v", got, err)
	}
	for _, told := range [][]byte{nil, []byte("short"), piece{2, 11}.bytes(), piece{10, 10}.bytes(),
		piece{5, 4}.bytes(), piece{0, 1 << 31}.bytes(),
		piece{1<<32 - 1, 0}.bytes(), append(piece{0, 1}.bytes(), 0)} {
		if got, err := pixels(mem, told); err == nil {
			t.Errorf("%x gives %q", told, got)
		}
	}
}

func FuzzNames(f *testing.F) {
	for _, s := range []string{"Flatbed", "ADF Duplex", "Automatic Document Feeder(left aligned,Duplex)", "24bit Color[Fast]", "Lineart",
		"True Gray", "ADF Back"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		sourceNamed(name)
		modeNamed(name)
	})
}

func TestCanvas_refuses_impossible_pages(t *testing.T) {
	for name, p := range map[string]params{
		"no width":             {Format: formatGray, Depth: 8, BytesPerLine: 10, Lines: 1},
		"lines too short":      {Format: formatRGB, Depth: 8, PixelsPerLine: 10, BytesPerLine: 29, Lines: 1},
		"too many pixels":      {Format: formatGray, Depth: 8, PixelsPerLine: 60000, BytesPerLine: 60000, Lines: 1 << 30},
		"an unknown format":    {Format: 11, Depth: 8, PixelsPerLine: 10, BytesPerLine: 10},
		"color of one bit":     {Format: formatRGB, Depth: 1, PixelsPerLine: 8, BytesPerLine: 3},
		"twelve bits a sample": {Format: formatGray, Depth: 12, PixelsPerLine: 8, BytesPerLine: 16},
	} {
		if err := new(canvas).begin(p); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
	endless := new(canvas)
	if err := endless.begin(params{Format: formatGray, Depth: 8, PixelsPerLine: 60000, BytesPerLine: 60000, Lines: -1}); err != nil {
		t.Fatal(err)
	}
	endless.height, endless.rows = maxPixels/60000, maxPixels/60000
	if err := endless.write(make([]byte, 60000)); err == nil {
		t.Error("a page without an end was taken")
	}
}
