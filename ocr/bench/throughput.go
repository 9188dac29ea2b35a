package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sync/errgroup"
)

// throughput times a batch, two pages at a time as the daemon reads them, and the tesseract program page by
// page on the same files.
func throughput(ctx context.Context, w io.Writer, first *child, paths []string) error {
	second, err := startReader(ctx)
	if err != nil {
		return err
	}
	defer second.stop()
	pages := make([][]byte, len(paths))
	for i, p := range paths {
		if pages[i], err = os.ReadFile(p); err != nil {
			return fmt.Errorf("read page: %w", err)
		}
	}
	if len(pages) == 0 {
		return nil
	}
	if _, _, err := second.read(pages[0], "warm"); err != nil {
		return err
	}
	next := make(chan []byte)
	start := time.Now()
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		defer close(next)
		for _, p := range pages {
			select {
			case next <- p:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	for _, r := range []*child{first, second} {
		g.Go(func() error {
			for p := range next {
				if _, _, err := r.read(p, "batch"); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	ours := time.Since(start)
	var theirs time.Duration
	for _, p := range paths {
		took, err := tesseract(context.WithoutCancel(ctx), p)
		if err != nil {
			return err
		}
		theirs += took
	}
	fmt.Fprintf(w, "batch of %d pages: motcua %.1f s, tesseract page by page %.1f s, %.1f times the throughput\n\n",
		len(paths), ours.Seconds(), theirs.Seconds(), theirs.Seconds()/ours.Seconds())
	return nil
}
