package daemon

import (
	"fmt"
	"motcua/agent/config"
	"motcua/agent/staff"
	"motcua/ocr"
	"path/filepath"
	"time"
)

// OpenReader makes a recogniser whose parsers run in child processes.
func OpenReader(cfg config.Config) (*ocr.Reader, error) {
	r, err := ocr.New(ocr.Options{
		Worker:  []string{"/proc/self/exe", "ocr-worker"}, // this very binary, also after its file was replaced by an update,
		Workers: cfg.Reading.Workers,
		Limits: ocr.Limits{
			Bytes: int64(cfg.Reading.MaxBytes), Pages: cfg.Reading.MaxPages,
			Pixels: cfg.Reading.MaxPixels, Time: cfg.Reading.PageTime.D(),
		},
	})
	if err != nil {
		return nil, fmt.Errorf("start recognition: %w", err)
	}
	return r, nil
}

const rosterFile = "staff.json"

func OpenRoster(cfg config.Config) (*staff.Roll, error) {
	if err := MakeDataFolder(cfg.Data); err != nil {
		return nil, err
	}
	roll, err := staff.Open(filepath.Join(cfg.Data, rosterFile), time.Now)
	if err != nil {
		return nil, fmt.Errorf("read the list of staff: %w", err)
	}
	return roll, nil
}
