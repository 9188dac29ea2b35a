package daemon

import (
	"motcua/agent/config"
	"motcua/agent/counter"
	"motcua/agent/ecopy"
	"motcua/agent/version"
)

// CopyOptions are those of the office's digitised copies.
func CopyOptions(cfg config.Config) ecopy.Options {
	return ecopy.Options{Level: cfg.PDF.Level, MaxPage: int(cfg.PDF.MaxPage), Tool: "Motcua " + version.String()}
}

// Copies makes the digitised copies of a submission's papers; nil where the configuration sends none.
func Copies(cfg config.Config, reader counter.PaperReader) counter.MakeCopies {
	if !cfg.PDF.Attach {
		return nil
	}
	return counter.Copier{Reader: reader, Options: CopyOptions(cfg)}.Copies
}
