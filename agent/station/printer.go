package station

import (
	"context"
	"fmt"
	"log/slog"
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

// PrintJobs is the list of what printers were given, and may still print.
type PrintJobs struct {
	list *ipp.Jobs
	log  *slog.Logger
}

func printJobsFile(cfg config.Config) string { return filepath.Join(cfg.Data, "print-jobs.json") }

// OpenPrintJobs gives the list. Without what stood in its file nothing is taken back, and the rest works.
func OpenPrintJobs(cfg config.Config, log *slog.Logger) *PrintJobs {
	list, err := ipp.OpenJobs(printJobsFile(cfg))
	if err != nil {
		log.Error("what printers were given", "error", err)
	}
	return &PrintJobs{list, log}
}

// kept is nil where no list is kept.
func (j *PrintJobs) kept() *ipp.Jobs {
	if j == nil {
		return nil
	}
	return j.list
}

// Run takes back what nobody waits for any more, until ctx ends.
func (j *PrintJobs) Run(ctx context.Context) error {
	return j.list.Run(ctx, func(l ipp.Late, err error) {
		if err != nil {
			j.log.Warn("what a printer was given can't be taken back yet, and nothing else is printed there", "printer", l.Printer, "job", l.Name,
				"error", err)
			return
		}
		j.log.Info("what a printer was given is taken back", "printer", l.Printer, "job", l.Name)
	})
}

// ReceiptPrinter gives what prints receipts on the configured printer, or nil where there is none. One that is switched on
// later is found then: it is opened for each receipt. Its errors wrap a *printer.Fault where a person can mend it.
func ReceiptPrinter(cfg config.Config, jobs *PrintJobs) func(context.Context, slip.Slip) error {
	to := cfg.Web.ReceiptPrinter
	if to == "" {
		return nil
	}
	dots := escpos.Dots80
	if cfg.Web.ReceiptPaper == paper58 {
		dots = escpos.Dots58
	}
	queue := ipp.New(to, jobs.kept())
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
func SheetPrinter(cfg config.Config, jobs *PrintJobs) func(context.Context, []byte) error {
	to := cfg.Web.Printer
	if to == "" {
		return nil
	}
	queue := ipp.New(to, jobs.kept())
	return func(ctx context.Context, pdf []byte) error {
		return queue.Print(ctx, ipp.Document{Name: "motcua", MediaType: "application/pdf", Data: pdf, Sides: "two-sided-long-edge"})
	}
}

// CheckPrinters tells what may still come out of a printer though nobody waits for it any more.
func CheckPrinters(cfg config.Config, now time.Time) []doctor.Finding {
	late, err := ipp.Overdue(printJobsFile(cfg), now)
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
