// Command train draws single lines of print for the training of ocr/ctc: names, addresses, numbers, labels and
// syllables that no list holds, in many fonts, as a scanner, a copier or a phone sees them and as ocr/find cuts them
// out. train.py, which it feeds, learns from them.
//
//	go run ./ocr/ctc/train FONT… | python3 ocr/ctc/train/train.py -o ocr/ctc/network.bin
//
// To standard output go samples without end, each of them: width (uint16, little endian), number of letters (uint16),
// the letters' classes (uint8 each), then ctc.Height rows of width bytes.
package main

import (
	"bufio"
	"encoding/binary"
	"flag"
	"image"
	"log"
	"math/rand/v2"
	"os"
	"strings"

	"motcua/ocr/ctc"
)

func main() {
	ocrB := flag.String("machine", "", "fonts for machine readable zones, comma separated")
	seed := flag.Uint64("seed", 1, "what is drawn follows from it")
	count := flag.Int("n", 0, "how many samples; 0: without end")
	flag.Parse()
	fonts, err := load(flag.Args(), string(ctc.Signs[:200]))
	if err != nil {
		log.Fatal(err)
	}
	var machine []typeface
	if *ocrB != "" {
		if machine, err = load(strings.Split(*ocrB, ","), "<0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"); err != nil {
			log.Fatal(err)
		}
	}
	class := map[rune]byte{}
	for i, r := range ctc.Signs {
		class[r] = byte(i + 1)
	}
	rng := rand.New(rand.NewPCG(*seed, 0x637463))
	out := bufio.NewWriterSize(os.Stdout, 1<<20)
	defer out.Flush()
	for i := 0; *count == 0 || i < *count; {
		face, text := fonts[rng.IntN(len(fonts))], compose(rng)
		if len(machine) > 0 && rng.IntN(14) == 0 {
			face, text = machine[rng.IntN(len(machine))], zone(rng)
		}
		text = face.fit(text, 11)
		strip := draw(face, text, rng)
		if strip == nil {
			continue
		}
		if err := write(out, strip, text, class); err != nil {
			return // the trainer has enough
		}
		i++
	}
}

// write drops what cannot be a sample: lines with other signs, or with more letters than the network has places for.
func write(out *bufio.Writer, strip *image.Gray, text string, class map[rune]byte) error {
	var letters []byte
	for _, r := range text {
		c, ok := class[r]
		if !ok {
			return nil
		}
		letters = append(letters, c)
	}
	w := strip.Rect.Dx()
	if len(letters)*5 > w || w > 320 {
		return nil
	}
	head := binary.LittleEndian.AppendUint16(nil, uint16(w))
	head = binary.LittleEndian.AppendUint16(head, uint16(len(letters)))
	if _, err := out.Write(append(head, letters...)); err != nil {
		return err
	}
	_, err := out.Write(strip.Pix)
	return err
}
