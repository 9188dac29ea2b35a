package station

import (
	"context"
	"strings"

	"motcua/agent/config"
	"motcua/agent/slip"
	"motcua/drivers/escpos"
	"motcua/drivers/ipp"
)

const (
	paper58  = 58    // mm: the narrower of the two widths of receipt paper
	slipDots = 203.0 // an inch, of a receipt printer's head
)

// ReceiptPrinter gives what prints receipts on the configured printer, or nil where there is none. One that is switched on
// later is found then: it is opened for each receipt. Its errors wrap a *printer.Fault where a person can mend it.
func ReceiptPrinter(cfg config.Config) func(context.Context, slip.Slip) error {
	to := cfg.Web.ReceiptPrinter
	if to == "" {
		return nil
	}
	dots := escpos.Dots80
	if cfg.Web.ReceiptPaper == paper58 {
		dots = escpos.Dots58
	}
	queue := ipp.New(to)
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
func SheetPrinter(cfg config.Config) func(context.Context, []byte) error {
	to := cfg.Web.Printer
	if to == "" {
		return nil
	}
	queue := ipp.New(to)
	return func(ctx context.Context, pdf []byte) error {
		return queue.Print(ctx, ipp.Document{Name: "motcua", MediaType: "application/pdf", Data: pdf, Sides: "two-sided-long-edge"})
	}
}
