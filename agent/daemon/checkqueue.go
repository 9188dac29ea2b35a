package daemon

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"motcua/agent/config"
	"motcua/agent/doctor"
	"motcua/queue"
	"motcua/queue/line"
	"motcua/queue/seal"
)

// waitsLong is how long a submission may wait before somebody should look.
const waitsLong = 12 * time.Hour

// checkBacklog looks at what a running daemon says of its queue.
func checkBacklog(s queue.Stats) (findings []doctor.Finding) {
	if held := s.Count[queue.Held]; held > 0 {
		findings = append(findings, doctor.Doubt(fmt.Sprintf("%d submissions are held", held),
			"motcua queue list --state held tells why; once the cause is mended they are tried again by themselves, or at once by motcua queue "+
				"retry --held"))
	}
	if !s.WayBack {
		findings = append(findings, doctor.Doubt("the kiosk key has no way back: if this machine's board dies, what waits on its disk can't "+
			"be read",
			"motcua queue key backup --to age1… -o FILE seals it to the office's key; --words prints it for a safe"))
	}
	if waiting := time.Since(s.Oldest); !s.Oldest.IsZero() && waiting > waitsLong {
		findings = append(findings, doctor.Doubt(fmt.Sprintf("a submission waits since %s", local(s.Oldest)), "motcua queue list tells why"))
	}
	return findings
}

// checkQueue looks at the queue's folder itself, with or without a daemon.
func checkQueue(cfg config.Config) []doctor.Finding {
	dir := filepath.Join(cfg.Data, "queue")
	var findings []doctor.Finding
	if err := unix.Access(dir, unix.W_OK); err == unix.EROFS {
		findings = append(findings, doctor.Bad("the disk of the queue is read-only: nothing is accepted, what waits is safe and can be read",
			"carry out what waits (motcua queue export), then change the disk; dmesg tells what it found"))
	}
	if n := queue.CountFound(dir); n > 0 {
		findings = append(findings, doctor.Doubt(fmt.Sprintf("%d files were set aside: the index does not know them", n),
			"motcua queue found lists them and says what to do with each"))
	}
	if len(findings) == 0 {
		findings = append(findings, doctor.Good("nothing was set aside"))
	}
	return findings
}

// checkKey looks at whether the kiosk key is bound to what is booted as the configuration says.
func checkKey(ctx context.Context, cfg config.Config) []doctor.Finding {
	vault, ok := Vault(cfg).(*seal.TPM)
	if !ok {
		return []doctor.Finding{doctor.Good("the kiosk key lies in a file")}
	}
	bound, err := vault.Bindings(ctx)
	var boot *seal.BootError
	switch {
	case errors.As(err, &boot):
		return []doctor.Finding{doctor.Bad(fmt.Sprintf("the kiosk key is bound to what was booted, and registers %v have changed", boot.Changed),
			"after an update put the key back: motcua queue key restore; "+
				"if nobody updated this machine, take it out of service and tell the office")}
	case err != nil:
		return []doctor.Finding{doctor.Doubt("what the kiosk key is bound to can't be seen: "+err.Error(),
			"run motcua doctor as the user that the service runs as (motcua), or as root")}
	case slices.Equal(bound, vault.Binds()) && len(bound) == 0:
		return []doctor.Finding{doctor.Good("the kiosk key lies in the TPM, whatever is booted")}
	case slices.Equal(bound, vault.Binds()):
		return []doctor.Finding{doctor.Good("the kiosk key opens only while registers %v of the TPM are as they are now", bound)}
	}
	return []doctor.Finding{doctor.Doubt(fmt.Sprintf("the kiosk key is bound to registers %v, and queue.boot says %v", bound, vault.Binds()),
		"motcua queue key reseal binds it as queue.boot says, once it has a way back")}
}

// A certificate that ends stops every delivery: somebody is told a month before, and again when it is urgent.
const (
	certificateSoon   = 30 * 24 * time.Hour
	certificateUrgent = 7 * 24 * time.Hour
)

// certificates lists those of this kiosk and of the authorities that it trusts, for every way that leads out.
func certificates(cfg config.Config) []line.Certificate {
	var all []line.Certificate
	add := func(t line.TLS) { all = append(all, t.Certificates()...) }
	switch cfg.Upload.To {
	case config.ToTus:
		add(line.TLS{CAFile: cfg.Upload.Tus.CAFile, CertFile: cfg.Upload.Tus.CertFile})
	case config.ToS3:
		add(line.TLS{CAFile: cfg.Upload.S3.CAFile})
	}
	if cfg.Announce.URL != "" {
		add(line.TLS{CAFile: cfg.Announce.CAFile, CertFile: cfg.Announce.CertFile})
	}
	return all
}

func checkCertificates(cfg config.Config, now time.Time) []doctor.Finding {
	var findings []doctor.Finding
	for _, c := range certificates(cfg) {
		left := c.Ends.Sub(now)
		what := fmt.Sprintf("%s (%s) ends on %s", c.What, c.File, c.Ends.Local().Format("2006-01-02"))
		mend := "ask whoever runs the hub for a new one and put it in the same place: no restart is needed"
		switch {
		case c.Err != nil:
			findings = append(findings, doctor.Bad(c.Err.Error(), "put the right file there, or correct upload in the configuration"))
		case left <= 0:
			findings = append(findings, doctor.Bad(fmt.Sprintf("%s (%s) ended on %s: nothing can be delivered", c.What, c.File,
				c.Ends.Local().Format("2006-01-02")), mend))
		case left <= certificateUrgent:
			findings = append(findings, doctor.Bad(what+", in less than a week", mend))
		case left <= certificateSoon:
			findings = append(findings, doctor.Doubt(what, mend))
		default:
			findings = append(findings, doctor.Good("%s", what))
		}
	}
	if len(findings) == 0 {
		findings = append(findings, doctor.Good("no certificate of this kiosk's own is in use"))
	}
	return findings
}
