package cli

import (
	"motcua/agent/sign"
	"motcua/drivers/sane"
	"motcua/ocr"
)

// The children of the daemon: third-party code that touches devices or foreign bytes runs in them,
// so that its crash costs one scan, one page or one signature.

type saneWorkerCommand struct{}

func (saneWorkerCommand) Run(p *program) error { return sane.Serve(p.ctx, p.in, p.out) }

type ocrWorkerCommand struct{}

func (ocrWorkerCommand) Run(p *program) error { return ocr.Serve(p.ctx, p.in, p.out) }

type tokenWorkerCommand struct{}

func (tokenWorkerCommand) Run(p *program) error { return sign.Serve(p.in) }
