package ocr_test

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/png"
	"io"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"codeberg.org/go-pdf/fpdf"

	"motcua/ocr"
	"motcua/ocr/jpeg"
	"motcua/ocr/page"
	"motcua/ocr/paper"
	"motcua/ocr/specimen"
	"motcua/ocr/tess"
	"motcua/ocr/vn"
)

// patience is what a test allows what it waits for: longer than a machine takes that does much else, short of a hang.
const patience = 5 * time.Minute

// The test binary is its own recognition worker, as the program is.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && strings.HasPrefix(os.Args[1], "ocr-worker") {
		var out io.Writer = os.Stdout
		var in io.Reader = os.Stdin
		if at, ok := deaths[os.Args[1]]; ok {
			d := &dying{in: os.Stdin, out: os.Stdout, at: at}
			in, out = d, d
		}
		if start, ok := ocr.SlowStarts[os.Args[1]]; ok {
			start()
		}
		if err := ocr.Serve(context.Background(), in, out); err != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

var worker = []string{os.Args[0], "ocr-worker"}

// dying are the pipes of a worker that is killed in the middle of an answer, every time it is asked that.
type dying struct {
	in, out *os.File
	at      death
	opened  int
	asked   bool
}

// death is what a worker is asked then: after so many files, something that says this.
type death struct {
	files int
	says  string
}

var deaths = map[string]death{
	"ocr-worker-dies":          {1, `"op":"page","page":2`},
	"ocr-worker-dies-worn":     {2, `"op":"open"`},
	"ocr-worker-dies-worn-too": {2, `"op":"page"`},
}

func (d *dying) Read(p []byte) (int, error) {
	n, err := d.in.Read(p)
	d.opened += bytes.Count(p[:n], []byte(`"op":"open"`))
	d.asked = d.asked || d.opened >= d.at.files && bytes.Contains(p[:n], []byte(d.at.says))
	return n, err
}

func (d *dying) Write(p []byte) (int, error) {
	if !d.asked {
		return d.out.Write(p)
	}
	n, err := d.out.Write(p[:len(p)/2])
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	return n, err
}

// near is one warm reader for all tests: in this process, or, with MOTCUA_TEST_CONFINED=1, in locked workers, which shows
// whether the sandbox lets everything through that recognition does on this machine.
var near = sync.OnceValue(func() *ocr.Reader {
	o := ocr.Options{Workers: 2}
	if os.Getenv("MOTCUA_TEST_CONFINED") != "" {
		o.Worker = worker
		o.Forbidden = func(call string) { panic("a worker was ended for the call " + call) }
	}
	r, err := ocr.New(o)
	if err != nil {
		panic(err)
	}
	return r
})

func draw(t testing.TB, kind paper.Kind, seed uint64, turn int) (*image.RGBA, specimen.PaperTruth) {
	t.Helper()
	img, truth, err := specimen.Draw(specimen.Spec{Papers: []specimen.Paper{{Kind: kind, Person: specimen.Invent(seed), Rotation: turn}}},
		seed, specimen.Damage{Set: specimen.Clean, Seed: seed})
	if err != nil {
		t.Fatal(err)
	}
	return img, truth.Papers[0]
}

func asJPEG(t testing.TB, img image.Image) []byte {
	t.Helper()
	b, err := jpeg.Encode(img, 90)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func asPNG(t testing.TB, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// asPDF makes a PDF with one full-page JPEG a page, as scanners do.
func asPDF(t testing.TB, pages ...[]byte) []byte {
	t.Helper()
	doc := fpdf.New("P", "mm", "A4", "")
	for i, p := range pages {
		doc.AddPage()
		name := fmt.Sprint(i)
		doc.RegisterImageOptionsReader(name, fpdf.ImageOptions{ImageType: "JPG"}, bytes.NewReader(p))
		doc.ImageOptions(name, 0, 0, 210, 297, false, fpdf.ImageOptions{ImageType: "JPG"}, 0, "")
	}
	var b bytes.Buffer
	if err := doc.Output(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

var ten = []paper.Name{paper.Number, paper.OldNumber, paper.FullName, paper.DateOfBirth, paper.Sex, paper.Nationality,
	paper.PlaceOfOrigin, paper.PlaceOfResidence, paper.DateOfIssue, paper.DateOfExpiry}

// compare fails for a wrong value that is not flagged, and for a missing field.
func compare(t *testing.T, d paper.Document, truth specimen.PaperTruth, wanted []paper.Name) {
	t.Helper()
	for _, n := range wanted {
		want, stands := truth.Fields[n]
		f, read := d.Fields[n]
		switch {
		case !stands:
		case !read:
			t.Errorf("%s was not read", n)
		case !vn.Same(f.Value, want) && !f.Review:
			t.Errorf("%s is wrong and not flagged", n)
		case !vn.Same(f.Value, want):
			t.Logf("%s is wrong but flagged", n)
		case f.Agrees == nil:
			t.Errorf("%s: agrees is nil", n)
		}
	}
}

func TestRead(t *testing.T) {
	t.Parallel()
	for _, turn := range []int{0, 90, 180, 270} {
		t.Run(fmt.Sprintf("chip_card_turned_by_%d_gives_ten_fields", turn), func(t *testing.T) {
			img, truth := draw(t, paper.CCCD, 40+uint64(turn), turn)
			res := near().Read(t.Context(), ocr.Input{Name: "scan.jpg", Data: asJPEG(t, img)})
			if res.Problem != nil || len(res.Documents) != 1 {
				t.Fatalf("problem %v, %d documents", res.Problem, len(res.Documents))
			}
			d := res.Documents[0]
			if d.Type != paper.CCCD || len(d.Sides) != 2 || d.Rotation != turn {
				t.Errorf("%v, sides %v, turned by %d", d.Type, d.Sides, d.Rotation)
			}
			compare(t, d, truth, ten)
		})
	}
	t.Run("png_named_jpg", func(t *testing.T) {
		img, truth := draw(t, paper.CCCD, 51, 0)
		res := near().Read(t.Context(), ocr.Input{Name: "scan.jpg", Data: asPNG(t, img)})
		if res.Problem != nil || len(res.Documents) != 1 {
			t.Fatalf("problem %v, %d documents", res.Problem, len(res.Documents))
		}
		compare(t, res.Documents[0], truth, ten)
	})
	t.Run("pdf_of_two_pages_with_two_persons", func(t *testing.T) {
		a, truthA := draw(t, paper.CCCD, 52, 0)
		b, truthB := draw(t, paper.CCCD, 53, 180)
		res := near().Read(t.Context(), ocr.Input{Name: "scan", Data: asPDF(t, asJPEG(t, a), asJPEG(t, b))})
		if res.Problem != nil || len(res.Documents) != 2 || res.Pages != 2 {
			t.Fatalf("problem %v, %d documents, %d pages", res.Problem, len(res.Documents), res.Pages)
		}
		compare(t, res.Documents[0], truthA, ten)
		compare(t, res.Documents[1], truthB, ten)
		if p := res.Documents[1].Page; p != 2 {
			t.Errorf("second document on page %d", p)
		}
	})
	t.Run("value_stands_where_it_says", func(t *testing.T) {
		img, truth := draw(t, paper.CCCD, 54, 180)
		data := asJPEG(t, img)
		res := near().Read(t.Context(), ocr.Input{Data: data})
		f := res.Documents[0].Fields[paper.PlaceOfOrigin]
		if f.Where == nil {
			t.Fatal("no place")
		}
		want := truth.Fields2D[paper.PlaceOfOrigin]
		for i := range want {
			if d := max(want[i].X-f.Where[i].X, f.Where[i].X-want[i].X, want[i].Y-f.Where[i].Y, f.Where[i].Y-want[i].Y); d > 60 {
				t.Errorf("corner %d is %.0f pixels off", i, d)
			}
		}
		cut, err := ocr.Crop(data, 1, *f.Where, 300)
		if err != nil {
			t.Fatal(err)
		}
		if h, err := jpeg.ReadHeader(cut); err != nil || h.Width > 300 || h.Width < 50 || h.Height >= h.Width {
			t.Errorf("cutting is %+v, %v", h, err)
		}
	})
}

func TestBadInput(t *testing.T) {
	blank := image.NewGray(image.Rect(0, 0, 400, 300))
	whole := asJPEG(t, blank)
	busy := image.NewGray(blank.Rect)
	for i := range busy.Pix {
		busy.Pix[i] = byte(i * i >> 3)
	}
	noisy := asJPEG(t, busy)
	bomb := bytes.Replace(whole, []byte{0xFF, 0xC0, 0, 0x0B, 8, 300 >> 8, 300 & 255, 400 >> 8, 400 & 255},
		[]byte{0xFF, 0xC0, 0, 0x0B, 8, 20000 >> 8, 20000 & 255, 20000 >> 8, 20000 & 255}, 1)
	empty := []byte("%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\n" +
		"trailer<</Root 1 0 R>>\n%%EOF")
	endless := []byte("%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 2000000000>>endobj\n" +
		"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF")
	locked := func() []byte {
		doc := fpdf.New("P", "mm", "A4", "")
		doc.SetProtection(0, "secret", "owner")
		doc.AddPage()
		var b bytes.Buffer
		if err := doc.Output(&b); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}()
	for name, c := range map[string]struct {
		data []byte
		code string
	}{
		"empty_file":                 {nil, ocr.EmptyFile},
		"text_renamed_jpg":           {[]byte("Just some text that somebody named scan.jpg.\n"), ocr.NotAnImage},
		"word_document":              {[]byte("PK\x03\x04 and so on"), ocr.Unsupported},
		"pdf_without_pages":          {empty, ocr.NoPages},
		"encrypted_pdf":              {locked, ocr.EncryptedPDF},
		"picture_of_20000_by_20000":  {bomb, ocr.TooLarge},
		"jpeg_cut_off_in_its_header": {whole[:30], ocr.Damaged},
		"jpeg_cut_off_in_the_middle": {noisy[:len(noisy)/2], ocr.Damaged},
		"png_cut_off":                {asPNG(t, blank)[:60], ocr.Damaged},
		"pdf_of_2000000000_pages":    {endless, ocr.TooLarge},
		"pdf_of_nothing":             {[]byte("%PDF-1.7\n%%EOF"), ocr.Damaged},
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			res := far(t).Read(t.Context(), ocr.Input{Name: "x.jpg", Data: c.data})
			if res.Problem == nil {
				t.Fatalf("no problem; %d documents", len(res.Documents))
			}
			if res.Problem.Code != c.code || !strings.HasSuffix(res.Problem.Message, ".") {
				t.Errorf("%s: %s", res.Problem.Code, res.Problem.Message)
			}
			if res.Documents == nil {
				t.Error("documents is nil")
			}
			if res.Pages > 1 { // whoever keeps something a page would keep that many
				t.Errorf("%d pages", res.Pages)
			}
			if d := time.Since(start); d > 25*time.Second {
				t.Errorf("took %v", d)
			}
		})
	}
}

var farOnce = sync.OnceValue(func() *ocr.Reader {
	r, err := ocr.New(ocr.Options{Worker: worker, Workers: 1, Limits: ocr.Limits{Time: patience, FileTime: patience}})
	if err != nil {
		panic(err)
	}
	return r
})

// far is a reader whose parsers run in a child process.
func far(testing.TB) *ocr.Reader { return farOnce() }

var fourCardsDrawn struct {
	once sync.Once
	file []byte
}

// fourCards is a file of four cards, drawn once: this test is run hundreds of times.
func fourCards(t *testing.T) []byte {
	t.Helper()
	fourCardsDrawn.once.Do(func() {
		var pages [][]byte
		for seed := uint64(62); seed < 66; seed++ {
			img, _ := draw(t, paper.CCCD, seed, 0)
			pages = append(pages, asJPEG(t, img))
		}
		fourCardsDrawn.file = asPDF(t, pages...)
	})
	return fourCardsDrawn.file
}

func TestWorker(t *testing.T) {
	t.Parallel()
	t.Run("reads_what_the_process_itself_reads", func(t *testing.T) {
		img, truth := draw(t, paper.CCCD, 60, 0)
		res := far(t).Read(t.Context(), ocr.Input{Data: asJPEG(t, img)})
		if res.Problem != nil || len(res.Documents) != 1 {
			t.Fatalf("problem %v, %d documents", res.Problem, len(res.Documents))
		}
		compare(t, res.Documents[0], truth, ten)
	})
	t.Run("is_confined", func(t *testing.T) {
		ps, err := far(t).Protections(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if len(ps) < 15 {
			t.Fatalf("%d protections", len(ps))
		}
		for _, p := range ps {
			if !p.Active && strings.Contains(p.Detail, "not available") {
				t.Logf("%s: %s", p.Name, p.Detail)
			} else if !p.Active {
				t.Errorf("%s: %s", p.Name, p.Detail)
			}
		}
	})
	t.Run("its_crop_needs_no_files", func(t *testing.T) {
		img, _ := draw(t, paper.CCCD, 61, 0)
		if _, err := far(t).Preview(t.Context(), asJPEG(t, img), 1, 600); err != nil {
			t.Fatal(err)
		}
	})
	t.Run("killed_child_costs_one_page", func(t *testing.T) {
		r, err := ocr.New(ocr.Options{Worker: []string{os.Args[0], "ocr-worker-dies"}, Workers: 1,
			Limits: ocr.Limits{Time: patience, FileTime: patience}})
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		res := r.Read(t.Context(), ocr.Input{Data: fourCards(t)})
		if res.Problem == nil || res.Problem.Code != ocr.WorkerDied || !strings.HasPrefix(res.Problem.Message, "Page 2 ") {
			t.Fatalf("%v", res.Problem)
		}
		if len(res.Documents) != 3 {
			t.Errorf("%d documents of 3 other pages", len(res.Documents))
		}
	})
	// Public test files did this: each is read alone, and one of them ended the worker after a score of others.
	for _, how := range []string{"ocr-worker-dies-worn", "ocr-worker-dies-worn-too"} {
		t.Run("no_file_pays_for_the_one_before/"+how, func(t *testing.T) {
			r, err := ocr.New(ocr.Options{Worker: []string{os.Args[0], how}, Workers: 1, Limits: ocr.Limits{Time: patience, FileTime: patience}})
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			img, _ := draw(t, paper.CCCD, 62, 0)
			page := asJPEG(t, img)
			for n := range 3 {
				if res := r.Read(t.Context(), ocr.Input{Data: page}); res.Problem != nil || len(res.Documents) != 1 {
					t.Errorf("file %d: %v, %d documents", n+1, res.Problem, len(res.Documents))
				}
			}
		})
	}
	t.Run("cannot_start", func(t *testing.T) {
		r, err := ocr.New(ocr.Options{Worker: []string{"/bin/false"}, Workers: 1})
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		res := r.Read(t.Context(), ocr.Input{Data: []byte("x")})
		if res.Problem == nil || res.Problem.Code != ocr.WorkerDied {
			t.Errorf("%v", res.Problem)
		}
	})
}

// A long file keeps nobody waiting for longer than a page, and ends at its bound.
func TestFairness(t *testing.T) {
	img, _ := draw(t, paper.KhaiSinh, 70, 0)
	sheet := asJPEG(t, img)
	long := make([][]byte, 4)
	for i := range long {
		long[i] = sheet
	}
	file := asPDF(t, long...)
	card, _ := draw(t, paper.CCCD, 71, 0)
	t.Run("who_used_less_comes_between_two_pages", func(t *testing.T) {
		r, err := ocr.New(ocr.Options{Workers: 1, Limits: ocr.Limits{Time: patience, FileTime: patience}})
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		ended := make(chan ocr.Result, 1)
		greedy := new(ocr.Share)
		go func() { ended <- r.Read(ocr.WithShare(t.Context(), greedy), ocr.Input{Data: file}) }()
		for greedy.Used() == 0 { // it has the only worker
			time.Sleep(time.Millisecond)
		}
		res := r.Read(ocr.WithShare(t.Context(), new(ocr.Share)), ocr.Input{Data: asJPEG(t, card)})
		if res.Problem != nil || len(res.Documents) != 1 {
			t.Errorf("problem %v, %d documents", res.Problem, len(res.Documents))
		}
		select {
		case <-ended:
			t.Error("the long file was read to its end first")
		default:
		}
		if res := <-ended; res.Problem != nil || res.Pages != len(long) || len(res.Documents) == 0 {
			t.Errorf("the long file: problem %v, %d pages, %d documents", res.Problem, res.Pages, len(res.Documents))
		}
	})
	t.Run("a_file_has_its_bound", func(t *testing.T) {
		r, err := ocr.New(ocr.Options{Workers: 1, Limits: ocr.Limits{FileTime: time.Millisecond}})
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		if res := r.Read(t.Context(), ocr.Input{Data: file}); res.Problem == nil || res.Problem.Code != ocr.TimedOut {
			t.Errorf("problem %v", res.Problem)
		}
	})
	t.Run("closing_turns_waiters_away", func(t *testing.T) {
		r, err := ocr.New(ocr.Options{Workers: 1, Limits: ocr.Limits{Time: patience, FileTime: patience}})
		if err != nil {
			t.Fatal(err)
		}
		busy := new(ocr.Share)
		var all sync.WaitGroup
		all.Go(func() { r.Read(ocr.WithShare(t.Context(), busy), ocr.Input{Data: file}) })
		for busy.Used() == 0 {
			time.Sleep(time.Millisecond)
		}
		for range 3 {
			all.Go(func() { r.Read(ocr.WithShare(t.Context(), busy), ocr.Input{Data: file}) })
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
		all.Wait()
		if res := r.Read(t.Context(), ocr.Input{Data: file}); res.Problem == nil {
			t.Error("a closed reader reads")
		}
	})
}

// MuPDF brings its own libjpeg; linked carelessly it takes the place of the system's, and Leptonica then reads
// no JPEG.
func TestSystemLibjpegIsUsed(t *testing.T) {
	data := asJPEG(t, image.NewGray(image.Rect(0, 0, 64, 48)))
	if f, err := page.Open(asPDF(t, data), 1e6); err != nil || f.Pages() != 1 { // links MuPDF for certain
		t.Fatal(err)
	}
	w, h, err := tess.LeptonicaReads(data)
	if err != nil || w != 64 || h != 48 {
		t.Fatalf("%d × %d, %v", w, h, err)
	}
}
