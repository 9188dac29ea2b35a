// Bench measures recognition against papers of invented persons whose true values are known.
//
// In go the names of damage sets and how many pages of each; out comes, per kind of paper and field, how
// much was exactly right, the character error rate, how much was flagged for a look, and above all what was
// wrong and not flagged; then the time per page beside the tesseract program on the same pages in the same
// run, and the reading process's peak memory. Everything follows from the seeds: the same flags give the
// same pages. Seeds from 1,000,000 on are held back from tuning and used only with -heldout. Pages
// that another program drew are read with -pages; elsewhere and painted have such programs.
//
//	go run ./ocr/lab/bench -sets clean,office,bad,photo -n 50
//	go run ./ocr/lab/bench -pages DIR/office,DIR/bad
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"time"

	"motcua/ocr"
	"motcua/ocr/paper"
	"motcua/ocr/specimen"
)

const heldBack = 1_000_000

// patience is how long a page may take: what a busy machine is slow at is not what is measured.
const patience = 5 * time.Minute

type flags struct {
	sets      []string
	kinds     []string
	n         int
	from      uint64
	dpi       int
	cache     string
	failures  string
	fonts     string
	tesseract int
	batch     int
	verbose   bool
	draw      bool
	forged    bool
	rare      bool
	unlike    bool
	here      bool
	tight     bool
	pages     []string
	keep      string
	calibrate string
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == worker {
		if err := ocr.Serve(context.Background(), os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, "bench worker:", err)
			os.Exit(1)
		}
		return
	}
	var f flags
	sets := flag.String("sets", "clean,office,bad,photo", "damage sets, comma separated")
	kinds := flag.String("kinds", "", "kinds of paper, comma separated; empty: a mixture with many chip cards")
	flag.IntVar(&f.n, "n", 20, "pages per set")
	flag.Uint64Var(&f.from, "from", 0, "first seed")
	flag.IntVar(&f.dpi, "dpi", 0, "resolution; 0: mostly 300, some 200, 400 and 600")
	flag.StringVar(&f.cache, "cache", "", "keep drawn pages in this directory between runs")
	flag.StringVar(&f.failures, "failures", "", "save pages with wrong fields in this directory")
	flag.StringVar(&f.fonts, "fonts", "", "directory of further fonts NAME-Regular.ttf, NAME-Bold.ttf to print with")
	flag.IntVar(&f.tesseract, "tesseract", 10, "how many pages of each set the tesseract program reads for comparison")
	flag.IntVar(&f.batch, "batch", 0, "also time a PDF of this many pages beside tesseract page by page")
	flag.BoolVar(&f.verbose, "v", false, "print every field that is not exactly right")
	flag.BoolVar(&f.draw, "draw", false, "only draw the pages into -cache")
	flag.BoolVar(&f.forged, "forged", false, "stick forged QR symbols on chip cards, from one digit to another person's")
	flag.BoolVar(&f.rare, "rare", false, "give persons names with rare tones")
	flag.BoolVar(&f.unlike, "lookalikes", false, "draw cards and sheets that look like ours and are none")
	flag.BoolVar(&f.tight, "tight", false, "cut pages close about their papers: such are drawn in a fraction of the time")
	flag.BoolVar(&f.here, "here", false, "read in this process rather than in confined children: times and memory are not the daemon's then")
	flag.StringVar(&f.keep, "keep", "", "append what each set gave to this file, as a line of JSON")
	flag.StringVar(&f.calibrate, "calibrate", "", "write how often values of each class were right to this file, of all sets together")
	rendered := flag.String("render", "", "read nothing, but render a file of -keep as RESULTS.md beside it")
	dirs := flag.String("pages", "", "directories of pages drawn elsewhere, comma separated, instead of -sets")
	heldout := flag.Bool("heldout", false, "use the seeds held back from tuning")
	flag.Parse()
	if *rendered != "" {
		if err := render(*rendered); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(1)
		}
		return
	}
	f.sets = strings.Split(*sets, ",")
	if *dirs != "" {
		f.sets, f.pages = nil, strings.Split(*dirs, ",")
	}
	if *kinds != "" {
		f.kinds = strings.Split(*kinds, ",")
	}
	if *heldout {
		f.from += heldBack
	} else if f.from+uint64(f.n) > heldBack {
		fmt.Fprintln(os.Stderr, "bench: seeds from 1,000,000 on need -heldout")
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, f); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run reads every set and prints, and where wanted keeps, what came of it.
func run(ctx context.Context, f flags) error {
	series, err := plans(f)
	if err != nil {
		return err
	}
	if f.draw {
		return drawAll(series, f.cache)
	}
	options := ocr.Options{Worker: []string{"/proc/self/exe", worker}, Limits: ocr.Limits{Time: patience, FileTime: patience}}
	if f.here {
		options.Worker = nil
	}
	reader, err := ocr.New(options)
	if err != nil {
		return err
	}
	defer reader.Close()
	if err := reader.Warm(ctx); err != nil {
		return fmt.Errorf("warm reader: %w", err)
	}
	dir, err := os.MkdirTemp("", "motcua-bench-")
	if err != nil {
		return fmt.Errorf("make directory: %w", err)
	}
	defer os.RemoveAll(dir)
	fmt.Printf("command: go run ./ocr/lab/bench %s\n", strings.Join(os.Args[1:], " "))
	m := measuring{f, reader, dir}
	classes := map[string]ocr.Count{}
	for _, pages := range series {
		tally, err := m.set(ctx, pages)
		if err != nil {
			return err
		}
		for class, n := range tally.classes {
			c := classes[class]
			classes[class] = ocr.Count{Values: c.Values + n.Values, Right: c.Right + n.Right}
		}
		if f.keep != "" {
			if err := tally.record(f).keep(f.keep); err != nil {
				return err
			}
		}
	}
	if f.calibrate != "" {
		return calibrate(f.calibrate, classes)
	}
	return nil
}

// plans are the pages of every set.
func plans(f flags) ([][]page, error) {
	families, err := loadFamilies(f.fonts)
	if err != nil {
		return nil, err
	}
	for _, d := range []string{f.cache, f.failures} {
		if d != "" {
			if err := os.MkdirAll(d, 0o700); err != nil {
				return nil, fmt.Errorf("make directory: %w", err)
			}
		}
	}
	var series [][]page
	for _, set := range f.sets {
		var pages []page
		for i := range f.n {
			pages = append(pages, plan(set, f.from+uint64(i), f, families))
		}
		series = append(series, pages)
	}
	for _, dir := range f.pages {
		pages, err := elsewhere(dir)
		if err != nil {
			return nil, err
		}
		series = append(series, pages)
	}
	return series, nil
}

func drawAll(series [][]page, cache string) error {
	for _, pages := range series {
		for _, c := range pages {
			if _, _, err := c.page(cache); err != nil {
				return err
			}
		}
	}
	return nil
}

// measuring reads sets of pages with one reader; dir is for what other programs read.
type measuring struct {
	flags
	reader *ocr.Reader
	dir    string
}

// set reads the pages of one set, and prints what came of it.
func (m measuring) set(ctx context.Context, pages []page) (*tally, error) {
	tally := newTally(pages[0].set)
	var paths []string
	for i, c := range pages {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		data, err := m.page(ctx, tally, c)
		if err != nil {
			return nil, err
		}
		if i < m.tesseract || i < m.batch {
			p := filepath.Join(m.dir, c.name()+extension(data))
			if err := os.WriteFile(p, data, 0o600); err != nil {
				return nil, fmt.Errorf("write page: %w", err)
			}
			paths = append(paths, p)
		}
	}
	for _, p := range paths[:min(len(paths), m.tesseract)] {
		took, err := tesseract(ctx, p)
		if err != nil {
			return nil, err
		}
		tally.beside(took)
	}
	memory, err := peak()
	if err != nil {
		return nil, err
	}
	tally.print(os.Stdout, memory)
	if m.batch > 0 && tally.set != specimen.Photo {
		err = throughput(ctx, os.Stdout, m.reader, paths[:min(len(paths), m.batch)])
	}
	return tally, err
}

// page reads one page and scores it.
func (m measuring) page(ctx context.Context, tally *tally, c page) ([]byte, error) {
	data, truth, err := c.page(m.cache)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.name(), err)
	}
	start := time.Now()
	out := m.reader.Read(ctx, ocr.Input{Name: c.name(), Data: data})
	wrong := tally.add(c, truth, out, time.Since(start))
	if m.verbose {
		for _, w := range wrong {
			fmt.Printf("  %s %s\n", c.name(), w)
		}
	}
	if len(wrong) > 0 && m.failures != "" {
		err = c.keep(m.failures, data, wrong, out)
	}
	return data, err
}

func extension(data []byte) string {
	if len(data) > 0 && data[0] == 0x89 {
		return ".png"
	}
	return ".jpg"
}

// loadFamilies pairs the fonts of a directory.
func loadFamilies(dir string) ([]*specimen.Family, error) {
	if dir == "" {
		return nil, nil
	}
	names, err := filepath.Glob(filepath.Join(dir, "*-Regular.ttf"))
	if err != nil {
		return nil, fmt.Errorf("list fonts: %w", err)
	}
	var out []*specimen.Family
	for _, n := range names {
		regular, err := os.ReadFile(n)
		if err != nil {
			return nil, fmt.Errorf("read font: %w", err)
		}
		bold, err := os.ReadFile(strings.TrimSuffix(n, "Regular.ttf") + "Bold.ttf")
		if err != nil {
			return nil, fmt.Errorf("read font: %w", err)
		}
		out = append(out, specimen.NewFamily(filepath.Base(n), regular, bold))
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("no NAME-Regular.ttf in %s", dir)
	}
	return out, nil
}

var mixture = []paper.Kind{paper.CCCD, paper.CCCD, paper.CCCD, paper.CCCD, paper.CanCuoc, paper.CanCuoc, paper.CCCD2016,
	paper.CMND, paper.Passport, paper.CCCD, paper.CanCuoc, paper.KhaiSinh, paper.CT07, paper.CMND, paper.CCCD, paper.Other}
