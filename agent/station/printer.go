package station

import (
	"context"

	"motcua/agent/config"
	"motcua/agent/slip"
	"motcua/drivers/escpos"
)

// paper58 is the narrower of the two widths of receipt paper, in mm.
const paper58 = 58

// ReceiptPrinter gives what prints receipts on the configured printer, or nil where there is none. One that is switched on
// later is found then: it is opened for each receipt.
func ReceiptPrinter(cfg config.Config) func(context.Context, slip.Slip) error {
	if cfg.Web.ReceiptPrinter == "" {
		return nil
	}
	dots := escpos.Dots80
	if cfg.Web.ReceiptPaper == paper58 {
		dots = escpos.Dots58
	}
	return func(ctx context.Context, s slip.Slip) error {
		picture, err := slip.Draw(s, dots)
		if err != nil {
			return err
		}
		return escpos.Print(ctx, cfg.Web.ReceiptPrinter, picture)
	}
}
