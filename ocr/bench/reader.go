package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"motcua/ocr"
)

// The reader runs in a process of its own, so that its memory can be told from the drawing's.
const childArg = "bench-reader"

type reply struct {
	Result ocr.Result
	MS     float64
}

// serve answers length-prefixed pages with length-prefixed replies until r ends.
func serve(r io.Reader, w io.Writer) error {
	ctx := context.Background()
	reader, err := ocr.New(ocr.Options{})
	if err != nil {
		return err
	}
	defer reader.Close()
	if err := reader.Warm(ctx); err != nil {
		return err
	}
	in := bufio.NewReader(r)
	for {
		data, err := receive(in)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		start := time.Now()
		out := reader.Read(ctx, ocr.Input{Name: "page", Data: data})
		b, err := json.Marshal(reply{out, float64(time.Since(start).Microseconds()) / 1000})
		if err != nil {
			return fmt.Errorf("encode reply: %w", err)
		}
		if err := send(w, b); err != nil {
			return err
		}
	}
}

func send(w io.Writer, b []byte) error {
	if err := binary.Write(w, binary.BigEndian, uint32(len(b))); err != nil {
		return fmt.Errorf("send: %w", err)
	}
	if _, err := w.Write(b); err != nil {
		return fmt.Errorf("send: %w", err)
	}
	return nil
}

func receive(r io.Reader) ([]byte, error) {
	var n uint32
	if err := binary.Read(r, binary.BigEndian, &n); err != nil {
		return nil, err
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(r, b); err != nil {
		return nil, fmt.Errorf("receive: %w", err)
	}
	return b, nil
}

type child struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

func startReader(ctx context.Context) (*child, error) {
	cmd := exec.CommandContext(ctx, "/proc/self/exe", childArg)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("start reader: %w", err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start reader: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start reader: %w", err)
	}
	return &child{cmd, in, bufio.NewReader(out)}, nil
}

func (c *child) read(data []byte, name string) (ocr.Result, time.Duration, error) {
	if err := send(c.in, data); err != nil {
		return ocr.Result{}, 0, err
	}
	b, err := receive(c.out)
	if err != nil {
		return ocr.Result{}, 0, err
	}
	var r reply
	if err := json.Unmarshal(b, &r); err != nil {
		return ocr.Result{}, 0, fmt.Errorf("decode reply: %w", err)
	}
	r.Result.File = name
	return r.Result, time.Duration(r.MS * float64(time.Millisecond)), nil
}

// peak is the most memory the reader ever had resident, in bytes.
func (c *child) peak() (int64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.cmd.Process.Pid))
	if err != nil {
		return 0, fmt.Errorf("read peak memory: %w", err)
	}
	for _, l := range strings.Split(string(b), "\n") {
		if rest, ok := strings.CutPrefix(l, "VmHWM:"); ok {
			kb, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(rest, "kB")), 10, 64)
			return kb << 10, err
		}
	}
	return 0, fmt.Errorf("read peak memory: no VmHWM")
}

func (c *child) stop() {
	c.in.Close()
	c.cmd.Wait()
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
