package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"

	"motcua/ocr/paper"
	"motcua/ocr/specimen"
)

// truth of a page that was drawn elsewhere, as NAME.json beside NAME.jpg or NAME.png.
type truth struct {
	Type     paper.Kind            `json:"type"`
	Fields   map[paper.Name]string `json:"fields"` // in the form of motcua read: dates in ISO 8601
	Rotation int                   `json:"rotation"`
	Code     bool                  `json:"code_intact"` // a QR symbol or machine readable zone is shown and was not destroyed
	Lies     []paper.Name          `json:"lies"`        // of a forged symbol: the printed fields of which it says something else
}

// elsewhere lists the pages of a directory that another program drew, one paper a page.
func elsewhere(dir string) ([]page, error) {
	var out []page
	for _, pattern := range []string{"*.jpg", "*.png"} {
		names, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			return nil, fmt.Errorf("list pages: %w", err)
		}
		for _, n := range names {
			out = append(out, page{set: filepath.Base(dir), file: n})
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("no page in %s; give a directory of NAME.jpg or NAME.png, each with its NAME.json", dir)
	}
	return out, nil
}

// read gives a page that was drawn elsewhere and what stands on it.
func (c page) read() ([]byte, specimen.Truth, error) {
	data, err := os.ReadFile(c.file)
	if err != nil {
		return nil, specimen.Truth{}, fmt.Errorf("read page: %w", err)
	}
	b, err := os.ReadFile(strings.TrimSuffix(c.file, filepath.Ext(c.file)) + ".json")
	if err != nil {
		return nil, specimen.Truth{}, fmt.Errorf("read truth: %w", err)
	}
	var t truth
	if err := json.Unmarshal(b, &t); err != nil {
		return nil, specimen.Truth{}, fmt.Errorf("read truth of %s: %w", c.file, err)
	}
	printed := maps.Clone(t.Fields)
	if t.Type == paper.CCCD || t.Type == paper.CanCuoc {
		delete(printed, paper.OldNumber) // stands in the QR symbol only
	}
	// Which sides are shown is not told: one, so that what a code says besides is not taken for invented.
	p := specimen.PaperTruth{Kind: t.Type, Sides: []string{""}, Rotation: t.Rotation, Fields: t.Fields, Printed: printed, Code: t.Code,
		Lies: t.Lies}
	return data, specimen.Truth{Papers: []specimen.PaperTruth{p}}, nil
}
