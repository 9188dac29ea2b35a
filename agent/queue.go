package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"motcua/agent/control"
	"motcua/queue"
)

type queueCommand struct {
	List   queueListCommand   `cmd:"" help:"List submissions, oldest first."`
	Show   queueShowCommand   `cmd:"" help:"Show one submission: its state, and why it waits."`
	Retry  queueRetryCommand  `cmd:"" help:"Make submissions due now; without a daemon, deliver what is due."`
	Export queueExportCommand `cmd:"" help:"Write submissions to files in the clear (noted in the audit log)."`
	Drop   queueDropCommand   `cmd:"" help:"Remove submissions for good."`
	Verify queueVerifyCommand `cmd:"" help:"Read every stored submission and check it against its digest."`
}

type queueListCommand struct {
	State queue.State `enum:"queued,sending,delivered,held," default:"" help:"Only those in this state: queued, sending, delivered or held."`
	Limit int         `default:"0" help:"At most so many (default: all)."`
}

func (c *queueListCommand) Run(p *program) error {
	subs, err := c.list(p)
	if err != nil {
		return err
	}
	if p.json {
		return p.printJSON(subs)
	}
	if len(subs) == 0 {
		fmt.Fprintln(p.out, "no submissions")
		return nil
	}
	t := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "CODE\tSTATE\tPROCEDURE\tACCEPTED\tBYTES\tTRIES\tNEXT\tLAST ERROR")
	for _, s := range subs {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%d\t%d\t%s\t%s\n", s.Code, s.State, s.Labels["procedure"], local8(s.Created), s.Size, s.Attempts, local8(s.NextAttempt), oneLine(s.LastError))
	}
	return t.Flush()
}

func (c *queueListCommand) list(p *program) ([]queue.Submission, error) {
	q, err := p.queue(false)
	if errors.Is(err, errNoData) {
		return []queue.Submission{}, nil
	}
	if err != nil {
		return nil, err
	}
	defer q.Close()
	f := queue.Filter{Limit: c.Limit}
	if c.State != "" {
		f.States = []queue.State{c.State}
	}
	subs, err := q.List(p.ctx, f)
	if subs == nil {
		subs = []queue.Submission{}
	}
	return subs, err
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
	Submissions []string `arg:"" optional:"" name:"submission" help:"Receipt codes or ids."`
}

func (c *queueRetryCommand) Run(p *program) error {
	if c.All == (len(c.Submissions) > 0) {
		return unusable(errors.New("name submissions, or say --all"))
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
	for _, id := range c.Submissions {
		if err := q.Retry(p.ctx, id); err != nil {
			return about(id, err)
		}
	}
	l, alone := q.(*local)
	if !alone {
		return c.say(p, n, nil)
	}
	sink, err := openSink(cfg, logger(p.err, cfg.Log))
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
	Out         string   `short:"o" type:"path" default:"." placeholder:"DIR" help:"Folder for the files (default: here)."`
	Submissions []string `arg:"" name:"submission" help:"Receipt codes or ids."`
}

func (c *queueExportCommand) Run(p *program) error {
	q, err := p.queue(false)
	if err != nil {
		return err
	}
	defer q.Close()
	if err := os.MkdirAll(c.Out, 0o700); err != nil {
		return fmt.Errorf("make folder for the export: %w", err)
	}
	files := []string{}
	for _, id := range c.Submissions {
		name, err := export(p, q, c.Out, id)
		if err != nil {
			return about(id, err)
		}
		files = append(files, name)
		if !p.json {
			fmt.Fprintln(p.out, name)
		}
	}
	if p.json {
		return p.printJSON(files)
	}
	return nil
}

// export writes one bundle, checked, for its owner only, and puts it in place when it is whole.
func export(p *program, q backlog, dir, id string) (string, error) {
	s, err := q.Get(p.ctx, id)
	if err != nil {
		return "", err
	}
	name := filepath.Join(dir, s.ID+".zip")
	if s.Sealed {
		name += ".age"
	}
	f, err := os.CreateTemp(dir, ".export-*")
	if err != nil {
		return "", err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	digest := sha256.New()
	want, err := q.Content(p.ctx, both{f, digest}, s.ID, true)
	if err != nil {
		return "", err
	}
	if got := hex.EncodeToString(digest.Sum(nil)); got != want {
		return "", fmt.Errorf("what was read does not match its digest: the disk is failing, run motcua queue verify")
	}
	if err := f.Sync(); err != nil {
		return "", err
	}
	return name, os.Rename(f.Name(), name)
}

// both writes to a file and a digest.
type both struct {
	file   *os.File
	digest interface{ Write([]byte) (int, error) }
}

func (b both) Write(data []byte) (int, error) {
	_, _ = b.digest.Write(data) // a hash never fails
	return b.file.Write(data)
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
	type damage struct {
		ID    string `json:"id"`
		Code  string `json:"code"`
		Error string `json:"error"`
	}
	result := struct {
		Checked int      `json:"checked"`
		Damaged []damage `json:"damaged"`
	}{Damaged: []damage{}}
	q, err := p.queue(false)
	if errors.Is(err, errNoData) {
		q, err = nil, nil
	}
	if err != nil {
		return err
	}
	if q != nil {
		defer q.Close()
		subs, err := q.List(p.ctx, queue.Filter{})
		if err != nil {
			return err
		}
		for _, s := range subs {
			if s.Wiped {
				continue
			}
			digest := sha256.New()
			want, err := q.Content(p.ctx, digest, s.ID, false)
			switch {
			case errors.Is(err, queue.ErrWiped) || errors.Is(err, queue.ErrNotFound):
				continue // went its way while we looked
			case err != nil:
				result.Damaged = append(result.Damaged, damage{s.ID, s.Code, err.Error()})
			case hex.EncodeToString(digest.Sum(nil)) != want:
				result.Damaged = append(result.Damaged, damage{s.ID, s.Code, "the content does not match its digest"})
			}
			result.Checked++
		}
	}
	if p.json {
		if err := p.printJSON(result); err != nil {
			return err
		}
	} else {
		for _, d := range result.Damaged {
			fmt.Fprintf(p.out, "%s %s: %s\n", d.Code, d.ID, d.Error)
		}
		fmt.Fprintf(p.out, "%d checked, %d damaged\n", result.Checked, len(result.Damaged))
	}
	if len(result.Damaged) > 0 {
		return told(1)
	}
	return nil
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
