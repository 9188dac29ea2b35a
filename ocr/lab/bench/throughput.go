package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"motcua/ocr"
	"motcua/ocr/specimen"
)

// throughput times one PDF of many pages, as a feeder gives it, and the tesseract program page by page on
// the same pages as files.
func throughput(ctx context.Context, w io.Writer, reader *ocr.Reader, paths []string) error {
	var pages [][]byte
	for _, p := range paths {
		b, err := os.ReadFile(p)
		if err != nil {
			return fmt.Errorf("read page: %w", err)
		}
		pages = append(pages, b)
	}
	if len(pages) == 0 {
		return nil
	}
	pdf, err := specimen.PDF(pages, 300)
	if err != nil {
		return err
	}
	start := time.Now()
	out := reader.Read(ctx, ocr.Input{Name: "batch.pdf", Data: pdf})
	ours := time.Since(start)
	if out.Problem != nil {
		return fmt.Errorf("read batch: %w", out.Problem)
	}
	var theirs time.Duration
	for _, p := range paths {
		took, err := tesseract(ctx, p)
		if err != nil {
			return fmt.Errorf("%s: %w", filepath.Base(p), err)
		}
		theirs += took
	}
	fmt.Fprintf(w, "batch of %d pages in one PDF: motcua %.1f s, tesseract page by page %.1f s: %.1f times the throughput\n\n",
		len(paths), ours.Seconds(), theirs.Seconds(), theirs.Seconds()/ours.Seconds())
	return nil
}
