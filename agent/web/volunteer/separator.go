package volunteer

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"time"

	"codeberg.org/go-pdf/fpdf"
	"github.com/go-fonts/dejavu/dejavusanscondensed"
	"github.com/go-fonts/dejavu/dejavusanscondensedbold"
	"github.com/skip2/go-qrcode"

	"motcua/agent/staff"
	"motcua/ocr/qr"
)

// A separator sheet, printed once and used for years, lies in a stack before the papers of one submission. Its code says of
// which procedure they are. Both sides bear it, so that it counts whichever lies under the lamp.

// Of the sheet, in mm.
const (
	sheetWidth    = 210
	sheetMargin   = 20
	symbolSize    = 110 // a code that a stamp and a fold leave readable
	symbolPixels  = 512 // of its picture
	titleSize     = 34  // points
	procedureSize = 22
	leadSize      = 14
)

// separators sends the separator sheet of a procedure, both its sides, as PDF.
func (s *Pages) separators(w http.ResponseWriter, r *http.Request, _ staff.Member) {
	pdf, ok := s.separator(w, r, r.URL.Query().Get("procedure"))
	if !ok {
		return
	}
	w.Header().Set("Content-Type", "application/pdf")
	w.Header().Set("Content-Disposition", `attachment; filename="to-ngan.pdf"`)
	_, _ = w.Write(pdf) // the browser may have gone
}

// printSeparator prints it on the kiosk's printer.
func (s *Pages) printSeparator(w http.ResponseWriter, r *http.Request, _ staff.Member) {
	pdf, ok := s.separator(w, r, r.PostForm.Get("procedure"))
	if !ok {
		return
	}
	if s.Options.PrintSheet == nil {
		s.NotFound(w, r)
		return
	}
	if err := s.Options.PrintSheet(r.Context(), pdf); err != nil {
		s.Log.Error("print separator sheet", "error", err)
		why, ok := strings.CutPrefix(s.Unprinted(err), "print.")
		if !ok {
			why = "failed"
		}
		http.Redirect(w, r, "/desk?print="+why, http.StatusSeeOther)
		return
	}
	http.Redirect(w, r, "/desk?done=printed", http.StatusSeeOther)
}

// separator draws a procedure's sheet, or one that names none; where it can't, it has answered.
func (s *Pages) separator(w http.ResponseWriter, r *http.Request, code string) (pdf []byte, ok bool) {
	name := s.Words.Say("vi", "separator.any")
	if code != "" {
		p := s.Procedure(code)
		if p == nil {
			s.NotFound(w, r)
			return nil, false
		}
		name = p.Plain.In("vi") + " (" + p.Code + ")"
	}
	var b bytes.Buffer
	if err := s.drawSeparator(&b, code, name); err != nil {
		s.Log.Error("draw separator sheet", "procedure", code, "error", err)
		s.Fail(w, r, http.StatusInternalServerError, "fault")
		return nil, false
	}
	return b.Bytes(), true
}

// drawSeparator draws a sheet in Vietnamese, whatever the screen's language: it is the office's.
func (s *Pages) drawSeparator(out *bytes.Buffer, code, name string) error {
	symbol, err := qrcode.New(qr.SeparatorText(code), qrcode.High)
	if err != nil {
		return fmt.Errorf("code of a separator sheet: %w", err)
	}
	picture, err := symbol.PNG(symbolPixels)
	if err != nil {
		return fmt.Errorf("code of a separator sheet: %w", err)
	}
	doc := fpdf.New("P", "mm", "A4", "")
	doc.SetCreationDate(time.Unix(0, 0)) // a sheet is the same whenever it is printed
	doc.SetModificationDate(time.Unix(0, 0))
	doc.AddUTF8FontFromBytes("sans", "", dejavusanscondensed.TTF)
	doc.AddUTF8FontFromBytes("sans", "B", dejavusanscondensedbold.TTF)
	doc.SetTitle(s.Words.Say("vi", "separator.title"), true)
	doc.SetMargins(sheetMargin, sheetMargin, sheetMargin)
	doc.RegisterImageOptionsReader("code", fpdf.ImageOptions{ImageType: "PNG"}, bytes.NewReader(picture))
	line := func(style string, size float64, text string) {
		doc.SetFont("sans", style, size)
		doc.MultiCell(0, size*0.5, text, "", "C", false)
		doc.Ln(4)
	}
	for range 2 { // its two sides
		doc.AddPage()
		line("B", titleSize, s.Words.Say("vi", "separator.title"))
		line("B", procedureSize, name)
		doc.ImageOptions("code", (sheetWidth-symbolSize)/2, doc.GetY()+6, symbolSize, symbolSize, true, fpdf.ImageOptions{ImageType: "PNG"}, 0,
			"")
		doc.Ln(10)
		line("", leadSize, s.Words.Say("vi", "separator.lead"))
		line("", leadSize, s.Options.Ward)
	}
	if err := doc.Output(out); err != nil {
		return fmt.Errorf("separator sheet as PDF: %w", err)
	}
	return nil
}
