package daemon

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"golang.org/x/sys/unix"
	"image/jpeg"
	"motcua/agent/audit"
	"motcua/agent/config"
	"motcua/agent/control"
	"motcua/agent/doctor"
	"motcua/agent/station"
	"motcua/agent/stick"
	"motcua/configs"
	"motcua/ocr"
	"motcua/ocr/paper"
	"motcua/ocr/specimen"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Checks lists what to look at. The daemon gives its reader, so that its own workers are tried.
func Checks(cfg config.Config, reader *ocr.Reader) []doctor.Check {
	return []doctor.Check{
		{Area: "configuration", Look: func(context.Context) []doctor.Finding { return checkConfiguration(cfg) }},
		{Area: "recognition", Limit: recognitionTime, Look: func(ctx context.Context) []doctor.Finding {
			return checkRecognition(ctx, cfg, reader)
		}},
		{Area: "scanner", Limit: time.Minute, Look: func(ctx context.Context) []doctor.Finding { return station.CheckScanner(ctx, cfg) }},
		{Area: "readers", Look: func(ctx context.Context) []doctor.Finding { return station.CheckReaders(ctx, cfg) }},
		{Area: "printers", Look: func(context.Context) []doctor.Finding { return station.CheckPrinters(cfg, time.Now()) }},
		{Area: "sticks", Look: func(context.Context) []doctor.Finding { return checkSticks(cfg) }},
		doctor.Disk(cfg.Data, int64(cfg.Queue.MinFree)),
		doctor.Clock(time.Now),
		doctor.Swap(),
		{Area: "daemon", Look: func(ctx context.Context) []doctor.Finding { return checkDaemon(ctx, cfg) }},
		{Area: "queue", Look: func(context.Context) []doctor.Finding { return checkQueue(cfg) }},
		{Area: "key", Look: func(ctx context.Context) []doctor.Finding { return checkKey(ctx, cfg) }},
		{Area: "certificates", Look: func(context.Context) []doctor.Finding { return checkCertificates(cfg, time.Now()) }},
		{Area: "signing", Look: func(context.Context) []doctor.Finding { return checkSigning(cfg) }},
		{Area: "hub", Look: func(ctx context.Context) []doctor.Finding { return checkHub(ctx, cfg) }},
		{Area: "answers", Look: func(ctx context.Context) []doctor.Finding { return checkAnswers(ctx, cfg, time.Now()) }},
		{Area: "audit log", Look: func(ctx context.Context) []doctor.Finding { return checkAudit(ctx, cfg.Data) }},
	}
}

// recognitionTime is for what has bounds of its own: two workers that start, a page that is read, and the attempts on their guards. A
// kiosk takes five seconds; an emulated machine a quarter of an hour.
const recognitionTime = 30 * time.Minute

func checkConfiguration(cfg config.Config) []doctor.Finding {
	catalog, err := LoadProcedures(cfg)
	if err != nil {
		return []doctor.Finding{doctor.Bad(err.Error(), "correct the procedure files, or leave procedures.dir empty for the built-in ones")}
	}
	findings := []doctor.Finding{doctor.Good("%d procedures are offered", len(catalog.All))}
	if profiles, err := station.LoadProfiles(cfg); err != nil {
		findings = append(findings, doctor.Bad(err.Error(), "correct the files in devices.profiles, or leave that key empty for the built-in "+
			"ones"))
	} else {
		findings = append(findings, doctor.Good("%d makes of devices are known", len(profiles)))
	}
	if cfg.Kiosk.Ward == "" {
		findings = append(findings, doctor.Doubt("the kiosk does not know its ward", "set kiosk.ward: reports are counted by it"))
	}
	return findings
}

// checkRecognition reads a specimen through the very way citizens' papers go: native libraries, language
// data, worker and sandbox are then known to be good.
func checkRecognition(ctx context.Context, cfg config.Config, reader *ocr.Reader) []doctor.Finding {
	const mend = "install what the package depends on: apt install tesseract-ocr-vie libtesseract5 liblept5 libzxing2 libheif1 libtiff6"
	sheets, err := specimen.Load(configs.FS, "specimens")
	if err != nil {
		return []doctor.Finding{doctor.Bad(err.Error(), "the binary is damaged: install it again")}
	}
	page, truth, err := specimen.Draw(sheets[0].Front, sheets[0].Seed, specimen.Damage{})
	if err != nil {
		return []doctor.Finding{doctor.Bad(err.Error(), "the binary is damaged: install it again")}
	}
	var data bytes.Buffer
	if err := jpeg.Encode(&data, page, &jpeg.Options{Quality: 90}); err != nil {
		return []doctor.Finding{doctor.Bad(err.Error(), "the binary is damaged: install it again")}
	}
	var forbidden []string
	if reader == nil {
		own, err := OpenReader(cfg, func(call string) { forbidden = append(forbidden, call) })
		if err != nil {
			return []doctor.Finding{doctor.Bad(err.Error(), mend)}
		}
		defer own.Close()
		reader = own
	}
	if err := reader.Warm(ctx); err != nil && len(forbidden) > 0 {
		return []doctor.Finding{endedFor(forbidden[0])}
	} else if err != nil {
		return []doctor.Finding{doctor.Bad("recognition does not start: "+err.Error(), mend)}
	}
	result := reader.Read(ctx, ocr.Input{Name: "specimen", Data: data.Bytes()})
	if len(forbidden) > 0 {
		return []doctor.Finding{endedFor(forbidden[0])}
	}
	if result.Problem != nil {
		return []doctor.Finding{doctor.Bad("a specimen card cannot be read: "+result.Problem.Message, mend)}
	}
	right, wrong := compare(result.Documents, truth)
	if right == 0 {
		return []doctor.Finding{doctor.Bad("nothing is recognised on a specimen card", mend)}
	}
	findings := []doctor.Finding{doctor.Good("a specimen card is read in %d ms, %d fields right", result.ElapsedMS, right)}
	guards, err := reader.Protections(ctx)
	if err != nil {
		findings = append(findings, doctor.Bad("recognition's workers do not answer: "+err.Error(), mend))
	}
	for _, g := range guards {
		if g.Active {
			findings = append(findings, doctor.Good("hostile files, %s: %s", g.Name, g.Detail))
		} else {
			findings = append(findings, doctor.Doubt(fmt.Sprintf("hostile files, %s: %s", g.Name, g.Detail),
				"run Debian 12's kernel or a newer one, let kernel.unprivileged_userns_clone be 1, and use the unit as it was shipped (its "+
					"RestrictNamespaces); the other guards stay"))
		}
	}
	if wrong > 0 {
		findings = append(findings, doctor.Bad(fmt.Sprintf("%d fields of a specimen card are read wrong without a mark", wrong),
			"stop using this build: report it with `motcua diagnostics`"))
	}
	return findings
}

// endedFor is the finding about a worker that the kernel ended for a call.
func endedFor(call string) doctor.Finding {
	return doctor.Bad("recognition's worker was ended for the system call "+call+", which is not on its list",
		"a library on this machine wants it: report its name to the makers of Motcua with `motcua diagnostics`, and go back to the libraries "+
			"that Debian 12 ships")
}

// compare counts fields that are right, and those that are wrong and not flagged.
func compare(docs []paper.Document, truth specimen.Truth) (right, wrong int) {
	for _, d := range docs {
		for _, t := range truth.Papers {
			if t.Kind != d.Type {
				continue
			}
			for name, want := range t.Fields {
				got, ok := d.Fields[name]
				switch {
				case ok && strings.EqualFold(got.Value, want):
					right++
				case ok && !got.Review && got.Value != "":
					wrong++
				}
			}
		}
	}
	return right, wrong
}

func checkDaemon(ctx context.Context, cfg config.Config) []doctor.Finding {
	client, err := control.Dial(ctx, cfg.Data)
	if err != nil && errors.Is(unix.Access(cfg.Data, unix.W_OK), unix.EROFS) {
		return []doctor.Finding{doctor.Doubt("whether a daemon runs can't be asked on a disk that is read-only", "systemctl status motcua tells")}
	}
	if err != nil {
		l, err := net.Listen("tcp", cfg.Web.Listen)
		if err != nil {
			return []doctor.Finding{doctor.Bad("no daemon is running, and another program has "+cfg.Web.Listen,
				"end that program (ss -ltnp shows it), or change web.listen")}
		}
		l.Close()
		return []doctor.Finding{doctor.Doubt("no daemon is running", "systemctl start motcua, or motcua run")}
	}
	defer client.Close()
	s, err := client.Status(ctx)
	if err != nil {
		return []doctor.Finding{doctor.Bad("the daemon does not answer: "+err.Error(), "systemctl restart motcua")}
	}
	findings := []doctor.Finding{doctor.Good("the daemon runs at %s since %s", s.Address, local(s.Started))}
	if s.Instead != "" {
		findings = append(findings, doctor.Bad("the configuration file is not in force but the last one that ran: "+s.Instead,
			"correct the file, then systemctl restart motcua"))
	}
	for call, n := range s.Forbidden {
		findings = append(findings, doctor.Doubt(fmt.Sprintf("recognition's workers were ended %d times for the system call %s", n, call),
			"a hostile file does that; if ordinary papers do, a library of this machine wants the call: report it with `motcua diagnostics`"))
	}
	return append(findings, checkBacklog(s.Queue)...)
}

// checkSticks looks at where citizens' USB sticks are mounted.
func checkSticks(cfg config.Config) []doctor.Finding {
	if cfg.Sticks.Folder == "" {
		return nil
	}
	wrong, err := stick.New(cfg.Sticks.Folder, 0, time.Now).Check()
	if err != nil {
		return []doctor.Finding{doctor.Bad("USB sticks can't be listed: "+err.Error(),
			"switch the package's rule on (agent/README.md, Sticks): it mounts sticks in /run/motcua-sticks")}
	}
	if len(wrong) > 0 {
		return []doctor.Finding{doctor.Doubt(fmt.Sprintf("%d USB sticks are not mounted read-only, without devices, programs and privileges, "+
			"and are not listed", len(wrong)), "mount them by the package's rule, and let no other program mount them")}
	}
	return []doctor.Finding{doctor.Good("citizens' USB sticks are listed from %s", cfg.Sticks.Folder)}
}

func checkHub(ctx context.Context, cfg config.Config) []doctor.Finding {
	sink, err := OpenSink(cfg, Logger(os.Stderr, cfg.Log))
	if err != nil {
		return []doctor.Finding{doctor.Bad(err.Error(), "correct upload in the configuration")}
	}
	if sink == nil {
		return []doctor.Finding{doctor.Doubt("submissions are not sent anywhere (upload.to: none)", "set upload.to once the office has a hub")}
	}
	if err := sink.Probe(ctx); err != nil {
		return []doctor.Finding{doctor.Bad("the hub cannot be used: "+err.Error(),
			"check the network, the address under upload, and its certificate and token; submissions wait meanwhile and none is lost")}
	}
	return []doctor.Finding{doctor.Good("the hub answers (%s)", cfg.Upload.To)}
}

func checkAudit(ctx context.Context, data string) []doctor.Finding {
	dir := filepath.Join(data, "audit")
	var kept audit.Kept // without a daemon the chain alone is looked at: motcua audit verify asks the queue
	if client, err := control.Dial(ctx, data); err == nil {
		defer client.Close()
		if kept, err = client.Audit(ctx); err != nil {
			return []doctor.Finding{doctor.Doubt("what was kept of the audit log can't be asked for: "+err.Error(),
				"run motcua doctor as the user that the service runs as, or as root")}
		}
	}
	if _, err := os.Stat(dir); err != nil && kept.Head == "" {
		return []doctor.Finding{doctor.Good("there is no audit log yet")}
	}
	_, last, err := audit.VerifyKept(ctx, dir, kept, false, nil)
	if err != nil {
		return []doctor.Finding{doctor.Bad("the audit log was changed: "+err.Error(),
			"keep a copy of "+dir+" and tell whoever is responsible for personal data")}
	}
	return []doctor.Finding{doctor.Good("the audit log's chain holds, %d entries", last.Seq)}
}

// local is a time as it stands on the office's wall.
func local(t time.Time) string { return t.Local().Format("2006-01-02 15:04:05") }
