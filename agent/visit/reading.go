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

// Card is what is known of a card in an open visit: its chip opens by what is printed on it.
type Card struct {
	Number, Birth, Expiry string // as in paper.Field; empty where not read
}

// String names the card without what stands on it.
func (Card) String() string { return "card" }

// GoString is String, for %#v.
func (c Card) GoString() string { return c.String() }

// LogValue keeps values out of logs.
func (c Card) LogValue() slog.Value { return slog.StringValue(c.String()) }

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
