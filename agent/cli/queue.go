package cli

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
	"unicode/utf8"

	"motcua/agent/control"
	"motcua/agent/daemon"
	"motcua/queue"
)

type queueCommand struct {
	List   queueListCommand   `cmd:"" help:"List submissions, oldest first."`
	Show   queueShowCommand   `cmd:"" help:"Show one submission: its state, and why it waits."`
	Retry  queueRetryCommand  `cmd:"" help:"Make submissions due now; without a daemon, deliver what is due."`
	Found  queueFoundCommand  `cmd:"" help:"What was set aside because the index does not know it: list, show, take in, drop."`
	Export queueExportCommand `cmd:"" help:"Take submissions off a kiosk that has no network, sealed to somebody."`
	Import queueImportCommand `cmd:"" help:"Queue the submissions of an export."`
	Key    queueKeyCommand    `cmd:"" help:"The kiosk key's way back when the machine dies."`
	Rekey  queueRekeyCommand  `cmd:"" help:"Make a new kiosk key; the old one opens nothing any more."`
	Drop   queueDropCommand   `cmd:"" help:"Remove submissions for good."`
	Verify queueVerifyCommand `cmd:"" help:"Read every stored submission and check it against its digest."`
}

type queueListCommand struct {
	State queue.State `enum:"queued,sending,delivered,acknowledged,held," default:"" help:"Only those in this state: ${enum}"`
	Limit int         `default:"0" help:"At most so many (default: all)."`
}

func (c *queueListCommand) Run(p *program) error {
	q, err := p.queue(false)
	if err != nil && !errors.Is(err, errNoData) {
		return err
	}
	f := queue.Filter{Limit: c.Limit, Brief: !p.json}
	if c.State != "" {
		f.States = []queue.State{c.State}
	}
	out := bufio.NewWriterSize(p.out, 64<<10)
	shown := &listing{out: out, json: p.json}
	if q != nil {
		defer q.Close()
		if err := q.Each(p.ctx, f, shown.add); err != nil {
			return errors.Join(err, out.Flush())
		}
	}
	return errors.Join(shown.end(), out.Flush())
}

// listing prints submissions as they come: a backlog of 100,000 is never held in memory.
type listing struct {
	out  io.Writer
	json bool
	n    int
	line []byte // used again for each line
}

// listingHead names the columns; a negative width is that of a column whose values stand at its right.
var listingHead = []struct {
	name  string
	width int
}{{"CODE", 9}, {"STATE", 12}, {"PROCEDURE", 12}, {"ACCEPTED", 19}, {"BYTES", -10}, {"TRIES", -5}, {"NEXT", 19}, {"LAST ERROR", 0}}

// print writes one line: cells in the order of listingHead.
func (l *listing) print(cells ...string) error {
	l.line = l.line[:0]
	for i, h := range listingHead {
		fill := max(h.width, -h.width) - utf8.RuneCountInString(cells[i])
		if h.width > 0 {
			l.line = append(l.line, cells[i]...)
		}
		for ; fill > 0; fill-- {
			l.line = append(l.line, ' ')
		}
		if h.width <= 0 {
			l.line = append(l.line, cells[i]...)
		}
		if i < len(listingHead)-1 {
			l.line = append(l.line, "  "...)
		}
	}
	_, err := l.out.Write(append(l.line, '\n'))
	return err
}

func (l *listing) add(s queue.Submission) error {
	l.n++
	if l.json {
		lead := ",\n  "
		if l.n == 1 {
			lead = "[\n  "
		}
		data, err := json.MarshalIndent(s, "  ", "  ")
		if err == nil {
			_, err = fmt.Fprintf(l.out, "%s%s", lead, data)
		}
		return err
	}
	if l.n == 1 {
		var names []string
		for _, h := range listingHead {
			names = append(names, h.name)
		}
		if err := l.print(names...); err != nil {
			return err
		}
	}
	return l.print(s.Code, string(s.State), s.Labels["procedure"], local8(s.Created), strconv.FormatInt(s.Size, 10), strconv.Itoa(s.Attempts),
		local8(s.NextAttempt), oneLine(s.LastError))
}

func (l *listing) end() (err error) {
	switch {
	case l.json && l.n == 0:
		_, err = fmt.Fprintln(l.out, "[]")
	case l.json:
		_, err = fmt.Fprintln(l.out, "\n]")
	case l.n == 0:
		_, err = fmt.Fprintln(l.out, "no submissions")
	}
	return err
}

func (p *program) queue(create bool) (backlog, error) {
	cfg, err := p.configuration()
	if err != nil {
		return nil, err
	}
	return p.openBacklog(cfg, create)
}

type queueShowCommand struct {
	Submission string `arg:"" help:"Receipt code or id."`
}

func (c *queueShowCommand) Run(p *program) error {
	q, err := p.queue(false)
	if err != nil {
		return err
	}
	defer q.Close()
	s, err := q.Get(p.ctx, c.Submission)
	if err != nil {
		return about(c.Submission, err)
	}
	if p.json {
		return p.printJSON(s)
	}
	t := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
	line := func(name string, value any) {
		if text := fmt.Sprint(value); text != "" && text != "0" {
			fmt.Fprintf(t, "%s\t%s\n", name, text)
		}
	}
	line("code", s.Code)
	line("id", s.ID)
	line("state", s.State)
	for _, label := range []string{"procedure", "level", "channel", "ward", "kiosk"} {
		line(label, s.Labels[label])
	}
	line("accepted", local8(s.Created))
	line("tries", s.Attempts)
	line("next try", local8(s.NextAttempt))
	line("last error", s.LastError)
	line("delivered", local8(s.Delivered))
	line("acknowledged", local8(s.Acknowledged))
	if s.Wiped {
		line("content", "wiped after delivery")
	}
	line("bytes", s.Size)
	line("sha256", s.SHA256)
	for _, part := range s.Parts {
		line("part", fmt.Sprintf("%s  %s  %d bytes  %s", part.Name, part.MediaType, part.Size, part.SHA256))
	}
	return t.Flush()
}

type queueRetryCommand struct {
	All         bool     `help:"All that wait or are held."`
	Held        bool     `help:"All that are held, or with --reason those whose reason contains a text."`
	Reason      string   `placeholder:"TEXT" help:"With --held: such as 'certificate' or '413'."`
	Submissions []string `arg:"" optional:"" name:"submission" help:"Receipt codes or ids."`
}

func (c *queueRetryCommand) Run(p *program) error {
	ways := 0
	for _, way := range []bool{c.All, c.Held, len(c.Submissions) > 0} {
		if way {
			ways++
		}
	}
	if ways != 1 {
		return unusable(errors.New("name submissions, or say --all or --held"))
	}
	if c.Reason != "" && !c.Held {
		return unusable(errors.New("--reason goes with --held"))
	}
	cfg, err := p.configuration()
	if err != nil {
		return err
	}
	q, err := p.openBacklog(cfg, false)
	if err != nil {
		return err
	}
	defer q.Close()
	n := len(c.Submissions)
	if c.All {
		if n, err = q.RetryAll(p.ctx); err != nil {
			return err
		}
	}
	if c.Held {
		if n, err = q.RetryHeld(p.ctx, c.Reason); err != nil {
			return err
		}
	}
	for _, id := range c.Submissions {
		if err := q.Retry(p.ctx, id); err != nil {
			return about(id, err)
		}
	}
	l, alone := q.(*local)
	if !alone {
		return c.say(p, n, nil)
	}
	sink, err := daemon.OpenSink(cfg, daemon.Logger(p.err, cfg.Log))
	if err != nil {
		return err
	}
	if sink == nil {
		return errors.New("there is nowhere to deliver to: set upload.to in the configuration")
	}
	pass, err := l.queue.DeliverDue(p.ctx, sink)
	if saying := c.say(p, n, &pass); err == nil {
		err = saying
	}
	if err == nil && pass.Failed+pass.Held > 0 {
		err = told(1)
	}
	return err
}

func (c *queueRetryCommand) say(p *program, n int, pass *queue.Pass) error {
	if p.json {
		return p.printJSON(struct {
			Due  int         `json:"due"`
			Pass *queue.Pass `json:"pass,omitempty"`
		}{n, pass})
	}
	if pass == nil {
		fmt.Fprintf(p.out, "%d due now; the daemon delivers them\n", n)
		return nil
	}
	fmt.Fprintf(p.out, "%d delivered, %d held, %d failed (see motcua queue list)\n", pass.Delivered, pass.Held, pass.Failed)
	return nil
}

type queueExportCommand struct {
	Out         string   `short:"o" type:"path" required:"" placeholder:"FILE|DIR" help:"The file to make, or with --clear the folder."`
	To          []string `placeholder:"AGE1" help:"Who may open the file: an age recipient (age1…). May be repeated."`
	Passphrase  bool     `help:"Seal the file by a passphrase, asked for or read from standard input."`
	Clear       bool     `help:"Write plain ZIP files that anybody can open, one a submission."`
	Submissions []string `arg:"" optional:"" name:"submission" help:"Receipt codes or ids (default: all that were not delivered)."`
}

// Run takes submissions off a kiosk that has no network. Both ways are noted in the audit log.
func (c *queueExportCommand) Run(p *program) error {
	ways := 0
	for _, way := range []bool{len(c.To) > 0, c.Passphrase, c.Clear} {
		if way {
			ways++
		}
	}
	if ways != 1 {
		return unusable(errors.New("say who may open the export: --to age1…, --passphrase, or --clear for anybody"))
	}
	if c.Clear && len(c.Submissions) == 0 {
		return unusable(errors.New("--clear needs the submissions by name"))
	}
	e := control.Export{To: c.To, Submissions: c.Submissions}
	if c.Passphrase {
		var err error
		if e.Passphrase, err = p.readSecret("Passphrase"); err != nil {
			return err
		}
	}
	if !c.Clear {
		if _, err := e.Recipients(); err != nil {
			return unusable(err)
		}
	}
	q, err := p.queue(false)
	if err != nil {
		return err
	}
	defer q.Close()
	files := []string{}
	if c.Clear {
		for _, id := range c.Submissions {
			name, err := exportClear(p, q, c.Out, id)
			if err != nil {
				return about(id, err)
			}
			files = append(files, name)
		}
	} else {
		if err := whole(c.Out, func(f *os.File) error { return q.Export(p.ctx, f, e) }); err != nil {
			return fmt.Errorf("export: %w", err)
		}
		files = append(files, c.Out)
	}
	if p.json {
		return p.printJSON(files)
	}
	for _, name := range files {
		fmt.Fprintln(p.out, name)
	}
	return nil
}

// exportClear writes one bundle, checked, for its owner only.
func exportClear(p *program, q backlog, dir, id string) (string, error) {
	s, err := q.Get(p.ctx, id)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	name := filepath.Join(dir, s.ID+".zip")
	if s.Sealed {
		name += ".age"
	}
	return name, whole(name, func(f *os.File) error {
		digest := sha256.New()
		want, err := q.Content(p.ctx, io.MultiWriter(f, digest), s.ID)
		if err == nil && hex.EncodeToString(digest.Sum(nil)) != want {
			err = errors.New("what was read does not match its digest: the disk is failing, run motcua queue verify")
		}
		return err
	})
}

// whole makes a file that is there when write succeeded, and not at all otherwise.
func whole(name string, write func(*os.File) error) error {
	f, err := os.CreateTemp(filepath.Dir(name), ".motcua-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	if err := write(f); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}

type queueImportCommand struct {
	Identity   string `type:"path" placeholder:"FILE" help:"File with the age identity that opens the export."`
	Passphrase bool   `help:"The export opens by a passphrase, asked for or read from standard input."`
	File       string `arg:"" type:"path" help:"The export."`
}

// Run queues the submissions of an export, under the ids and codes they had.
func (c *queueImportCommand) Run(p *program) error {
	if c.Passphrase == (c.Identity != "") {
		return unusable(errors.New("say what opens the export: --identity FILE or --passphrase"))
	}
	var keys control.Keys
	var err error
	if c.Passphrase {
		keys.Passphrase, err = p.readSecret("Passphrase")
	} else {
		var data []byte
		data, err = os.ReadFile(c.Identity)
		keys.Text = string(data)
	}
	if err == nil {
		_, err = keys.Identities()
	}
	if err != nil {
		return unusable(fmt.Errorf("read keys: %w", err))
	}
	f, err := os.Open(c.File)
	if err != nil {
		return unusable(fmt.Errorf("read export: %w", err))
	}
	defer f.Close()
	q, err := p.queue(true)
	if err != nil {
		return err
	}
	defer q.Close()
	done, err := q.Import(p.ctx, f, keys)
	if err != nil {
		err = fmt.Errorf("import: %w", err)
	}
	if p.json {
		return errors.Join(err, p.printJSON(struct {
			Accepted []string `json:"accepted"`
			Known    int      `json:"known"`
		}{append([]string{}, done.Accepted...), done.Known}))
	}
	fmt.Fprintf(p.out, "%d queued, %d were here already\n", len(done.Accepted), done.Known)
	return err
}

type queueRekeyCommand struct {
	To string `enum:"file,tpm," default:"" help:"Move the key: file or tpm (set queue.key in the configuration accordingly)."`
}

// Run makes a new kiosk key; the old one opens nothing any more.
func (c *queueRekeyCommand) Run(p *program) error {
	q, err := p.queue(false)
	if err != nil {
		return err
	}
	defer q.Close()
	n, err := q.Rekey(p.ctx, c.To)
	if err != nil {
		return fmt.Errorf("make a new kiosk key: %w", err)
	}
	if p.json {
		return p.printJSON(struct {
			Wrapped int `json:"wrapped"`
		}{n})
	}
	fmt.Fprintf(p.out, "%d submissions are sealed under a new kiosk key\n", n)
	return nil
}

type queueDropCommand struct {
	Yes         bool     `help:"Really remove: there is no way back."`
	Submissions []string `arg:"" name:"submission" help:"Receipt codes or ids."`
}

func (c *queueDropCommand) Run(p *program) error {
	if !c.Yes {
		return unusable(errors.New("a dropped submission is gone for good: say --yes if that is meant"))
	}
	q, err := p.queue(false)
	if err != nil {
		return err
	}
	defer q.Close()
	for _, id := range c.Submissions {
		if err := q.Drop(p.ctx, id); err != nil {
			return about(id, err)
		}
	}
	if p.json {
		return p.printJSON(struct {
			Dropped int `json:"dropped"`
		}{len(c.Submissions)})
	}
	fmt.Fprintf(p.out, "%d dropped\n", len(c.Submissions))
	return nil
}

type queueVerifyCommand struct{}

func (queueVerifyCommand) Run(p *program) error {
	q, err := p.queue(false)
	verified := queue.Verified{}
	switch {
	case errors.Is(err, errNoData):
	case err != nil:
		return err
	default:
		defer q.Close()
		if verified, err = q.Verify(p.ctx); err != nil {
			return fmt.Errorf("verify queue: %w", err)
		}
	}
	if verified.Faults == nil {
		verified.Faults = []queue.Fault{}
	}
	if p.json {
		err = p.printJSON(verified)
	} else {
		for _, f := range verified.Faults {
			fmt.Fprintf(p.out, "%s: %s\n", f.ID, f.What)
		}
		_, err = fmt.Fprintf(p.out, "%d checked, %d wiped after delivery, %d damaged\n", verified.Checked, verified.Wiped, len(verified.Faults))
	}
	if len(verified.Faults) > 0 {
		return told(1)
	}
	return err
}

// about says which submission an error is of, and that a mistyped code is the input's mistake.
func about(id string, err error) error {
	err = fmt.Errorf("submission %s: %w", id, err)
	if errors.Is(err, queue.ErrNotFound) {
		return unusable(err)
	}
	return err
}

// local8 is a time as it stands on the office's wall; nothing for no time.
func local8(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Local().Format("2006-01-02 15:04:05")
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

var _ backlog = (*control.Client)(nil)
