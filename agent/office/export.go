package office

import (
	"archive/zip"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"motcua/agent/audit"
)

// Export writes what came or was changed on a day as a ZIP: dossiers.csv, and a folder with all files of each dossier.
// It is in the clear, for the office's own archive.
func (s *Store) Export(ctx context.Context, day time.Time, by string, w io.Writer) (dossiers int, err error) {
	from := time.Date(day.Year(), day.Month(), day.Day(), 0, 0, 0, 0, day.Location())
	to := from.AddDate(0, 0, 1)
	within := func(t time.Time) bool { return !t.Before(from) && t.Before(to) }
	var list []Dossier
	for _, d := range s.List(Filter{}) {
		if within(d.Received) || slices.ContainsFunc(d.History, func(h Step) bool { return within(h.At) }) {
			list = append(list, d)
		}
	}
	if err := s.Note(audit.Event{Actor: actor(by), Act: audit.DossiersExported, Reason: from.Format(time.DateOnly)}); err != nil {
		return 0, fmt.Errorf("nothing is exported that can't be noted: %w", err)
	}
	z := zip.NewWriter(w)
	if err := writeTable(z, list, day.Location()); err != nil {
		return 0, err
	}
	for _, d := range list {
		for _, f := range d.Files {
			if ctx.Err() != nil {
				return 0, ctx.Err()
			}
			if err := s.exportFile(z, d, f); err != nil {
				return 0, fmt.Errorf("export dossier %d: %w", d.Number, err)
			}
		}
	}
	if err := z.Close(); err != nil {
		return 0, fmt.Errorf("export a day: %w", err)
	}
	return len(list), nil
}

func (s *Store) exportFile(z *zip.Writer, d Dossier, f File) error {
	from, err := s.Open(d, f.Name)
	if err != nil {
		return err
	}
	defer from.Close()
	out, err := z.CreateHeader(&zip.FileHeader{Name: path.Join(fmt.Sprintf("%06d-%s", d.Number, d.Code), f.Name), Method: zip.Store,
		Modified: f.Added})
	if err != nil {
		return err
	}
	_, err = io.Copy(out, from)
	return err
}

// writeTable lists dossiers as a table that a spreadsheet opens, with the mark by which it knows UTF-8.
func writeTable(z *zip.Writer, list []Dossier, zone *time.Location) error {
	out, err := z.CreateHeader(&zip.FileHeader{Name: "dossiers.csv", Method: zip.Deflate})
	if err != nil {
		return fmt.Errorf("export a day: %w", err)
	}
	if _, err := io.WriteString(out, "\ufeff"); err != nil {
		return fmt.Errorf("export a day: %w", err)
	}
	t := csv.NewWriter(out)
	rows := [][]string{{"so", "ma", "thu_tuc", "ten_thu_tuc", "kiosk", "nguoi_nop", "tiep_nhan", "trang_thai", "ly_do", "noi_dung",
		"can_bo", "luc"}}
	for _, d := range list {
		by := ""
		if n := len(d.History); n > 0 {
			by = d.History[n-1].By
		}
		rows = append(rows, []string{strconv.FormatUint(d.Number, 10), d.Code, plainCell(d.Procedure), plainCell(d.Title), plainCell(d.Kiosk),
			plainCell(d.Person), d.Received.In(zone).Format(time.RFC3339), string(d.State), strings.Join(d.Reasons, " "), plainCell(d.Text), by,
			d.Changed.In(zone).Format(time.RFC3339)})
	}
	if err := t.WriteAll(rows); err != nil {
		return fmt.Errorf("export a day: %w", err)
	}
	return nil
}

// plainCell keeps a spreadsheet from taking what a citizen typed for a formula.
func plainCell(text string) string {
	if strings.ContainsAny(text[:min(1, len(text))], "=+-@\t\r") {
		return "'" + text
	}
	return text
}
