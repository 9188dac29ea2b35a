package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"time"

	"motcua/agent/config"
	"motcua/agent/station"
)

// trial is how long a configuration that never ran has to bring the daemon up, and then to keep it well, before it counts as
// one that runs.
const trial = time.Minute

// errNotWell ends a daemon that a new configuration did not bring up in time.
var errNotWell = errors.New("the daemon was not well within a minute")

// Attempt is what is known of the configuration that a daemon is started with.
type Attempt struct {
	Unproven bool   // it never ran, and there is another one to go back to
	Well     func() // called once it has run well for a minute
	Instead  string // why the file's own configuration does not run but this one; empty where it is the file's
}

// limit ends the daemon if it is not ready in time. Whoever sees it ready closes the channel.
func (a Attempt) limit(end context.CancelCauseFunc) chan struct{} {
	ready := make(chan struct{})
	if !a.Unproven {
		return ready
	}
	time.AfterFunc(trial, func() {
		select {
		case <-ready:
		default:
			end(errNotWell) // harmless where the daemon has ended before
		}
	})
	return ready
}

// prove waits until the daemon has been ready for a while.
func (a Attempt) prove(ctx context.Context, ready <-chan struct{}, log *slog.Logger) error {
	if a.Instead != "" {
		log.Error("the configuration file does not work; the last configuration that ran is used", "why", a.Instead)
	}
	if provenWell(ctx, ready) && a.Well != nil {
		a.Well()
	}
	return nil
}

// provenWell waits until the daemon has been ready for the time of a trial; false where it ends before.
func provenWell(ctx context.Context, ready <-chan struct{}) bool {
	select {
	case <-ready:
	case <-ctx.Done():
		return false
	}
	select {
	case <-time.After(trial):
		return true
	case <-ctx.Done():
		return false
	}
}

// TryConfig checks what a configuration names, beside a daemon that runs with another: files, folders, certificates, tokens,
// and addresses that it would have to take.
func TryConfig(cfg, running config.Config, log *slog.Logger) error {
	var errs []error
	try := func(what string, err error) {
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", what, err))
		}
	}
	_, err := LoadProcedures(cfg)
	try("procedures", err)
	_, err = station.LoadProfiles(cfg)
	try("devices.profiles", err)
	_, err = OpenSink(cfg, log)
	try("upload", err)
	if cfg.Announce.URL != "" {
		_, err = Secret(cfg.Announce.TokenFile)
		try("announce.token_file", err)
		for name, file := range map[string]string{"announce.creds_file": cfg.Announce.CredsFile, "announce.ca_file": cfg.Announce.CAFile,
			"announce.cert_file": cfg.Announce.CertFile, "announce.key_file": cfg.Announce.KeyFile} {
			try(name, readable(file))
		}
	}
	try("readers.csca", readable(cfg.Readers.CSCA))
	try("sticks.folder", readable(cfg.Sticks.Folder))
	try("sign.module", readable(cfg.Sign.Module))
	if cfg.Data != running.Data {
		try("data", MakeDataFolder(cfg.Data))
	}
	if cfg.Web.Listen != running.Web.Listen {
		try("web.listen", free(cfg.Web.Listen))
	}
	if cfg.Metrics.Listen != "" && cfg.Metrics.Listen != running.Metrics.Listen {
		try("metrics.listen", free(cfg.Metrics.Listen))
	}
	return errors.Join(errs...)
}

// readable tells whether a file or folder that is named can be opened.
func readable(name string) error {
	if name == "" {
		return nil
	}
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	return f.Close()
}

// free tells whether an address can be listened at.
func free(address string) error {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	return l.Close()
}
