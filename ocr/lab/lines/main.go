// Command train draws single lines of print for the training of ocr/ctc: names, addresses, numbers, labels and
// syllables that no list holds, in many fonts, as a scanner, a copier or a phone sees them and as ocr/find cuts them
// out. train.py, which it feeds, learns from them.
//
//	python3 ocr/lab/lines/train.py -o ocr/ctc/network.bin -- ./draw FONT…   # draw is this program, built
//
// To standard output go samples without end, each of them: width (uint16, little endian), number of letters (uint16),
// the letters' classes (uint8 each), then ctc.Height rows of width bytes.
package main

import (
	"bufio"
	"encoding/binary"
	"flag"
	"image"
	"io"
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
	judged := flag.Int("judge", 0, "read so many lines, or letters, with the networks there are and say how much is wrong")
	marks := flag.Bool("marks", false, "draw letters with their marks for marks.py rather than lines")
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
	for curly, plain := range alike {
		class[curly] = class[plain]
	}
	d := drawer{rng: rand.New(rand.NewPCG(*seed, 0x637463)), fonts: fonts, machine: machine, class: class}
	if *judged > 0 {
		judge := d.judge
		if *marks {
			judge = d.judgeMarks
		}
		if err := judge(os.Stdout, *judged); err != nil {
			log.Fatal(err)
		}
		return
	}
	out := bufio.NewWriterSize(os.Stdout, 1<<20)
	if *marks {
		if err := d.drawMarks(out, *count); err != nil {
			log.Fatal(err)
		}
		return
	}
	for i := 0; *count == 0 || i < *count; i++ {
		if err := write(out, d.next()); err != nil {
			return // the trainer has enough
		}
	}
	if err := out.Flush(); err != nil {
		log.Fatal("write lines: ", err)
	}
}

// sample is a drawn line.
type sample struct {
	strip   *image.Gray
	text    string
	letters []byte // classes
}

type drawer struct {
	rng            *rand.Rand
	fonts, machine []typeface
	class          map[rune]byte
}

// next draws one line. What cannot be a sample is dropped: lines with other signs, or with more letters than the network has
// places for.
func (d drawer) next() sample {
	for {
		face := d.fonts[d.rng.IntN(len(d.fonts))]
		text, most := compose(d.rng)
		if len(d.machine) > 0 && d.rng.IntN(24) == 0 {
			face, text, most = d.machine[d.rng.IntN(len(d.machine))], mrzPart(d.rng), narrow
		}
		text = face.fit(text, most)
		cut := draw(face, text, most > narrow, d.rng)
		if cut == nil {
			continue
		}
		strip := ctc.Prepare(cut)
		if strip == nil {
			continue
		}
		s := sample{strip: strip, text: text}
		known := true
		for _, r := range text {
			c, ok := d.class[r]
			known = known && ok
			s.letters = append(s.letters, c)
		}
		if w := strip.Rect.Dx(); known && len(s.letters)*5 <= w && w <= widest {
			return s
		}
	}
}

// judge reads so many lines with the network that the program carries.
func (d drawer) judge(w io.Writer, lines int) error {
	n, err := ctc.Load()
	if err != nil {
		return err
	}
	var j judgement
	for range lines {
		s := d.next()
		for i, v := range s.strip.Pix { // the network takes ink on paper
			s.strip.Pix[i] = 255 - v
		}
		j.add(n, s)
	}
	j.print(w, "drawn lines")
	return nil
}

// alike are signs of print that the network reads as plain ones.
var alike = map[rune]rune{'’': '\'', '“': '"', '”': '"', '–': '-'}

// widest is how many pixels a line may have, as train.py takes them.
const widest = 1120

func write(out *bufio.Writer, s sample) error {
	head := binary.LittleEndian.AppendUint16(nil, uint16(s.strip.Rect.Dx()))
	head = binary.LittleEndian.AppendUint16(head, uint16(len(s.letters)))
	if _, err := out.Write(append(head, s.letters...)); err != nil {
		return err
	}
	_, err := out.Write(s.strip.Pix)
	return err
}
