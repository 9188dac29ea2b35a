package station

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"motcua/agent/config"
	"motcua/agent/doctor"
	"motcua/agent/slip"
	"motcua/drivers/escpos"
	"motcua/drivers/ipp"
)

const (
	paper58  = 58    // mm: the narrower of the two widths of receipt paper
	slipDots = 203.0 // an inch, of a receipt printer's head
)

// PrintJobs is the file of what printers were given, and may still print.
func PrintJobs(cfg config.Config) string { return filepath.Join(cfg.Data, "print-jobs.json") }

// ReceiptPrinter gives what prints receipts on the configured printer, or nil where there is none. One that is switched on
// later is found then: it is opened for each receipt. Its errors wrap a *printer.Fault where a person can mend it.
func ReceiptPrinter(cfg config.Config, jobs *ipp.Jobs) func(context.Context, slip.Slip) error {
	to := cfg.Web.ReceiptPrinter
	if to == "" {
		return nil
	}
	dots := escpos.Dots80
	if cfg.Web.ReceiptPaper == paper58 {
		dots = escpos.Dots58
	}
	queue := ipp.New(to, jobs)
	return func(ctx context.Context, s slip.Slip) error {
		picture, err := slip.Draw(s, dots)
		if err != nil {
			return err
		}
		if !strings.HasPrefix(to, "ipp") {
			return escpos.Print(ctx, to, picture)
		}
		document, err := slip.PDF(picture, slipDots)
		if err != nil {
			return err
		}
		return queue.Print(ctx, ipp.Document{Name: "phieu", MediaType: "application/pdf", Data: document})
	}
}

// SheetPrinter gives what prints PDFs of A4 sheets, both their sides, on the configured printer, or nil where there is none.
func SheetPrinter(cfg config.Config, jobs *ipp.Jobs) func(context.Context, []byte) error {
	to := cfg.Web.Printer
	if to == "" {
		return nil
	}
	queue := ipp.New(to, jobs)
	return func(ctx context.Context, pdf []byte) error {
		return queue.Print(ctx, ipp.Document{Name: "motcua", MediaType: "application/pdf", Data: pdf, Sides: "two-sided-long-edge"})
	}
}

// CheckPrinters tells what may still come out of a printer though nobody waits for it any more.
func CheckPrinters(cfg config.Config, now time.Time) []doctor.Finding {
	late, err := ipp.Overdue(PrintJobs(cfg), now)
	if err != nil {
		return []doctor.Finding{doctor.Doubt(err.Error(),
			"restart the daemon, which sets the file aside, and see that no old job waits at the printers")}
	}
	var findings []doctor.Finding
	for _, l := range late {
		findings = append(findings, doctor.Doubt(
			fmt.Sprintf("%s may still print what it was given at %s, and nobody waits for it", l.Printer, l.Given.Format("15:04 02/01/2006")),
			"switch the printer on while the daemon runs: it is taken back then; or cancel the job at the printer"))
	}
	return findings
}
