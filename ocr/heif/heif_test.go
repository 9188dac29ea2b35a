package heif_test

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"motcua/ocr/heif"
)

// picture is a file of heif-enc (Debian package libheif-examples): black at the left, transparent at the right.
func picture(t *testing.T, args ...string) []byte {
	t.Helper()
	dir := t.TempDir()
	img := image.NewNRGBA(image.Rect(0, 0, 160, 96))
	for y := range 96 {
		for x := range 80 {
			img.SetNRGBA(x, y, color.NRGBA{A: 255})
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	in, out := filepath.Join(dir, "in.png"), filepath.Join(dir, "out")
	if err := os.WriteFile(in, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	if said, err := exec.CommandContext(t.Context(), "heif-enc", append(args, in, "-o", out)...).CombinedOutput(); err != nil {
		t.Fatalf("heif-enc: %v: %s", err, said)
	}
	data, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// A page without a colour of its own is white, as on the telephone that made it: transparent black would be a page of ink.
func TestTransparentIsWhite(t *testing.T) {
	for name, args := range map[string][]string{"heic": {"-q", "90"}, "avif": {"-A", "-q", "90", "-p", "speed=9"}} {
		t.Run(name, func(t *testing.T) {
			img, err := heif.Decode(picture(t, args...), 1<<20)
			if err != nil {
				t.Fatal(err)
			}
			if img.Rect != image.Rect(0, 0, 160, 96) || !img.Opaque() {
				t.Fatalf("%v, opaque %t", img.Rect, img.Opaque())
			}
			ink, bare := img.RGBAAt(20, 48), img.RGBAAt(140, 48)
			if ink.R > 20 || bare.R < 235 || bare.G < 235 || bare.B < 235 {
				t.Errorf("ink is %v, bare is %v", ink, bare)
			}
		})
	}
}

// What a picture claims to be is held against the bound before anything is decoded.
func TestTooManyPixels(t *testing.T) {
	data := picture(t)
	if _, err := heif.Decode(data, 160*96-1); !errors.Is(err, heif.ErrTooLarge) {
		t.Errorf("a picture above the bound: %v", err)
	}
	if _, err := heif.Decode(data, 160*96); err != nil {
		t.Errorf("a picture at the bound: %v", err)
	}
}

// A file that was cut off or changed on its way gives an error or a picture within the bound; it never takes the worker with it.
func TestDamagedFiles(t *testing.T) {
	data := picture(t)
	const bound = 1 << 16
	try := func(b []byte) {
		if img, err := heif.Decode(b, bound); err == nil && img.Rect.Dx()*img.Rect.Dy() > bound {
			t.Errorf("%v is above the bound", img.Rect)
		}
	}
	if _, err := heif.Decode(nil, bound); err == nil {
		t.Error("nothing was decoded")
	}
	if _, err := heif.Decode(data[:len(data)/8], bound); err == nil {
		t.Error("an eighth of a file was decoded")
	}
	for cut := 0; cut < len(data); cut += 1 + len(data)/40 {
		try(data[:cut])
		changed := bytes.Clone(data)
		changed[cut] ^= 0xFF
		try(changed)
	}
}
