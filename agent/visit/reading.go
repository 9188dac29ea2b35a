package visit

import (
	"fmt"
	"log/slog"
	"time"

	"motcua/ocr/paper"
)

// Reading is what a device without a picture read off a card: a chip reader, a QR reader.
type Reading struct {
	Source paper.Source
	Values map[paper.Name]string
	Alone  bool // may fill the form without a scan of its card: there was no doubt whose visit it is
}

// String names the reading without its values.
func (r Reading) String() string {
	return fmt.Sprintf("reading(%s, %d values)", r.Source, len(r.Values))
}

// GoString is String, for %#v.
func (r Reading) GoString() string { return r.String() }

// LogValue keeps values out of logs.
func (r Reading) LogValue() slog.Value { return slog.StringValue(r.String()) }

// maxReadings bounds the memory that a code held before a reader for an hour can take.
const maxReadings = 20

// Hold keeps a reading for the form, beside the papers. Like a paper it needs consent first.
func (v *Visit) Hold(now time.Time, r Reading) error {
	return v.act(now, func() error {
		if err := v.mayScan(); err != nil {
			return err
		}
		if len(v.readings) == maxReadings {
			v.readings = v.readings[1:]
		}
		v.readings = append(v.readings, r)
		return nil
	})
}
