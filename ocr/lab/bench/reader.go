package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// worker is the argument with which this program runs as the confined child that the daemon reads in, too.
const worker = "bench-ocr-worker"

// peak is the most memory the reading processes ever had resident together, in bytes: the sum of the
// peaks of this program's children.
func peak() (int64, error) {
	dirs, err := os.ReadDir("/proc")
	if err != nil {
		return 0, fmt.Errorf("read peak memory: %w", err)
	}
	var sum int64
	for _, d := range dirs {
		if _, err := strconv.Atoi(d.Name()); err != nil {
			continue
		}
		b, err := os.ReadFile("/proc/" + d.Name() + "/status")
		if err != nil {
			continue // ended in the meantime
		}
		field := map[string]int64{}
		for _, l := range strings.Split(string(b), "\n") {
			name, rest, _ := strings.Cut(l, ":")
			if words := strings.Fields(rest); len(words) > 0 {
				if n, err := strconv.ParseInt(words[0], 10, 64); err == nil {
					field[name] = n
				}
			}
		}
		if field["PPid"] == int64(os.Getpid()) {
			sum += field["VmHWM"] << 10
		}
	}
	return sum, nil
}

// tesseract times the stock program on one page: what an office without this project would run.
func tesseract(ctx context.Context, path string) (time.Duration, error) {
	start := time.Now()
	cmd := exec.CommandContext(ctx, "tesseract", path, "stdout", "-l", "vie")
	var errs bytes.Buffer
	cmd.Stderr = &errs
	if err := cmd.Run(); err != nil {
		return 0, fmt.Errorf("run tesseract: %w: %s", err, strings.TrimSpace(errs.String()))
	}
	return time.Since(start), nil
}
