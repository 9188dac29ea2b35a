// Package cli is the command line: one file a command, which reads its flags, asks the packages that do the work, and
// prints what came of it. What stands here is words and columns; the work stands elsewhere.
//
// Exit codes: 0 done, 1 could not be done (a device, the disk, the queue, the far side), 2 unusable
// input (the command line, a file, a form).
package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
	"golang.org/x/sys/unix"

	"motcua/agent/config"
	"motcua/agent/sign"
	"motcua/agent/version"
	"motcua/configs"
)

type commandLine struct {
	Config string `type:"path" placeholder:"FILE" help:"Configuration file (default: /etc/motcua/motcua.yaml, else the built-in one)."`
	Data   string `help:"Data folder instead of the configured one." type:"path" placeholder:"DIR"`
	JSON   bool   `name:"json" help:"Print JSON for programs."`

	VersionFlag kong.VersionFlag `name:"version" help:"Print the version."`

	Run          runCommand       `cmd:"" help:"Run the daemon: screen, scanner, recognition, queue and upload."`
	Read         readCommand      `cmd:"" help:"Recognise papers in images or PDFs."`
	PDF          pdfCommand       `cmd:"" name:"pdf" help:"Make digitised copies of scans: PDF/A of true size with the words of the paper."`
	Verify       verifyCommand    `cmd:"" help:"Say who signed a PDF, when, and whether it is unchanged since."`
	Scan         scanCommand      `cmd:"" help:"Scan pages to files."`
	Submit       submitCommand    `cmd:"" help:"The main job without a screen: read, prefill, check, queue; prints the receipt code."`
	Form         formCommand      `cmd:"" help:"Fill the official form of a procedure, as PDF to sign or as DOCX to edit."`
	Queue        queueCommand     `cmd:"" help:"The backlog of submissions."`
	Status       statusCommand    `cmd:"" help:"Ask the running daemon how it is."`
	Devices      devicesCommand   `cmd:"" help:"List what is plugged in, and its state."`
	Doctor       doctorCommand    `cmd:"" help:"Look at everything the kiosk needs, and say how to mend what is not in order."`
	Report       reportCommand    `cmd:"" help:"Count submissions by procedure, level, channel, ward and day."`
	Certified    certifiedCommand `cmd:"" help:"The register of certifications of this kiosk: the numbers of the copies that officers signed."`
	Staff        staffCommand     `cmd:"" help:"Who may sign in at the kiosk, with a PIN."`
	Audit        auditCommand     `cmd:"" help:"The log of who did what and when."`
	ExportPerson personCommand    `cmd:"" name:"export-person" help:"Write what this kiosk keeps of one person, for a person who asks."`
	BreachReport breachCommand    `cmd:"" name:"breach-report" help:"List what submissions were on this kiosk, for the notice of a breach."`

	Diagnostics diagnosticsCommand `cmd:"" help:"Make a file for the makers of Motcua, without personal data."`
	Conf        configCommand      `cmd:"" name:"config" help:"Check or show the configuration."`
	Receive     receiveCommand     `cmd:"" help:"Receive submissions: an embedded tus receiver for one office."`
	Collect     collectCommand     `cmd:"" help:"Take submissions out of a tusd's store (disk or S3 bucket) and file them at a desk."`
	Office      officeCommand      `cmd:"" help:"Receive submissions and show them to officers: receiver and desk of one office."`

	Version versionCommand `cmd:"" help:"Print which build this is, with its commit and date."`

	Procedure  procedureCommand  `cmd:"" help:"For those who write procedures: check them, list names, a schema for editors."`
	Procedures proceduresCommand `cmd:"" help:"List the procedures, or take a signed update of them."`

	Manual     manualCommand     `cmd:"" hidden:"" help:"Print the manual page, motcua(1)."`
	Completion completionCommand `cmd:"" hidden:"" help:"Print a completion script for bash."`
	Screen     screenCommand     `cmd:"" hidden:"" help:"Wait until the daemon serves the screen, and nobody else; then keep a browser at it."`
	SaneWorker saneWorkerCommand `cmd:"" hidden:"" help:"Child process that holds libsane."`
	OCRWorker  ocrWorkerCommand  `cmd:"" hidden:"" name:"ocr-worker" help:"Child process that decodes and recognises pages."`

	TokenWorker tokenWorkerCommand `cmd:"" hidden:"" name:"token-worker" help:"Child process that holds a token's library."`
}

// program is what every command is given: the streams, and what the global flags say.
type program struct {
	ctx      context.Context
	in       io.Reader
	out, err io.Writer
	json     bool
	config   string // --config
	data     string // --data
}

// Main runs the command that args (without the program's name) ask for, and returns the exit code.
func Main(args []string, in io.Reader, out, errs io.Writer) (code int) {
	withoutCoreDumps()
	time.Local = sign.Hanoi // what is told, counted and decided by the day goes by the law's zone, whatever the machine was set to
	var line commandLine
	type exited int
	defer func() {
		// Kong leaves by its Exit function after --help; deferred work must still run, so no os.Exit there.
		if r := recover(); r != nil {
			e, ok := r.(exited)
			if !ok {
				panic(r)
			}
			code = int(e)
		}
	}()
	parser, err := kong.New(&line,
		kong.Name("motcua"),
		kong.Description("Paper in, checked form out, nothing lost: the program on the kiosk of a ward's one-stop counter."),
		kong.Writers(out, errs),
		kong.Vars{"version": version.String()},
		kong.Exit(func(c int) { panic(exited(c)) }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
	)
	if err != nil {
		panic(err) // a mistake in the struct tags above
	}
	parsed, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintf(errs, "motcua: %v (see motcua --help)\n", err)
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	p := &program{ctx: ctx, in: in, out: out, err: errs, json: line.JSON, config: line.Config, data: line.Data}
	if err := parsed.Run(p); err != nil {
		if text := err.Error(); text != "" {
			fmt.Fprintf(errs, "motcua: %s\n", text)
		}
		var e *exitError
		if errors.As(err, &e) {
			return e.code
		}
		if errors.Is(err, config.ErrUnusable) {
			return 2
		}
		return 1
	}
	return 0
}

// withoutCoreDumps keeps pages and keys in memory from being written to the disk by a crash, or read by
// another process of the same user. Where the kernel refuses, nothing is worse than before.
func withoutCoreDumps() {
	_ = unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{})
	_ = unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0)
}

// exitError is an exit code whose reason was told to the user already.
type exitError struct{ code int }

func (*exitError) Error() string { return "" }

// unusable marks an error as the input's: exit code 2.
func unusable(err error) error { return config.Unusable(err) }

// told ends the program with a code when everything was said already.
func told(code int) error { return &exitError{code} }

// printJSON writes one value, indented, for people who look and programs that parse.
func (p *program) printJSON(v any) error {
	e := json.NewEncoder(p.out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

const systemConfig = "/etc/motcua/motcua.yaml"

// configuration loads what --config names, or the machine's file, or the built-in default.
func (p *program) configuration() (config.Config, error) {
	c, err := config.Default(configs.FS)
	if err != nil {
		return c, fmt.Errorf("the built-in configuration is broken:\n%w", err)
	}
	name := p.config
	if name == "" {
		name = systemConfig
	}
	data, err := os.ReadFile(name)
	switch {
	case err == nil:
		if c, err = config.Load(c, name, data); err != nil {
			return c, unusable(err)
		}
	case p.config != "" || !errors.Is(err, fs.ErrNotExist):
		return c, unusable(fmt.Errorf("read configuration: %w", err))
	}
	if p.data != "" {
		if c.Data, err = filepath.Abs(p.data); err != nil {
			return c, unusable(err)
		}
	}
	return c, nil
}
