package specimen

import (
	"image/png"
	"os"
	"testing"

	"motcua/ocr/paper"
)

func TestMRZ(t *testing.T) {
	p := Person{Number: "079204659924", FullName: "Kiều Minh Quyền Long", Sex: "Nam"}
	l := td1(p)
	if l[0] != "IDVNM2046599247079204659924<<7" {
		t.Error(l[0])
	}
	if l[2] != "KIEU<<MINH<QUYEN<LONG<<<<<<<<<" {
		t.Error(l[2])
	}
}

func TestDraw(t *testing.T) {
	for i, p := range []Paper{{Kind: paper.CCCD, Person: Invent(1)}, {Kind: paper.CCCD, Person: Invent(2), Rotation: 180, Skew: 3}} {
		img, truth, err := Draw(Spec{Papers: []Paper{p}}, uint64(i), Damage{})
		if err != nil {
			t.Fatal(err)
		}
		if n := len(truth.Papers[0].Fields); n != 9 {
			t.Errorf("%d fields", n)
		}
		if dir := os.Getenv("SPECIMEN_OUT"); dir != "" {
			f, _ := os.Create(dir + "/" + t.Name() + string(rune('a'+i)) + ".png")
			png.Encode(f, img)
			f.Close()
		}
	}
}
