package cli

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"motcua/agent/answer"
	"motcua/agent/person"
	"motcua/queue"
)

type personCommand struct {
	Out   string   `short:"o" required:"" type:"path" placeholder:"FILE" help:"The ZIP file to write; only its owner may read it."`
	Files bool     `help:"Also the forms and scans. They may name other people: look through them before they are handed out."`
	Codes []string `arg:"" optional:"" name:"submission" help:"Receipt codes the person showed (default: a number, or a name, is asked for)."`
}

// Run writes what this kiosk keeps of one person. Who it is never stands on the command line, where other users would see it.
func (c *personCommand) Run(p *program) error {
	if _, err := os.Lstat(c.Out); err == nil {
		return unusable(fmt.Errorf("%s is there already: name another file", c.Out))
	}
	q := person.Query{Codes: c.Codes}
	if len(c.Codes) == 0 {
		text, err := p.readLine("Personal number, or full name and date of birth")
		if err != nil {
			return err
		}
		if q, err = person.Parse(text); err != nil {
			return unusable(err)
		}
	}
	cfg, err := p.configuration()
	if err != nil {
		return err
	}
	b, err := p.openBacklog(cfg, false)
	if err != nil {
		return err
	}
	defer b.Close()
	found, err := b.Person(p.ctx, q)
	if errors.Is(err, queue.ErrNotFound) {
		return unusable(err)
	}
	if err != nil {
		return err
	}
	answers, _, err := answer.Held(filepath.Join(cfg.Data, "answers"))
	if err != nil {
		return err
	}
	for i := range found.Records {
		found.Records[i].Answered = slices.Contains(answers, found.Records[i].ID)
	}
	told := personAnswer{Schema: "motcua/person/1", Made: time.Now().UTC().Truncate(time.Second), Kiosk: cfg.Kiosk.ID, Ward: cfg.Kiosk.Ward,
		SentBy: string(cfg.Upload.To), KeptAfterDelivery: cfg.Queue.Keep.String(), Found: found}
	if err := c.write(p, b, told); err != nil {
		return err
	}
	if p.json {
		return p.printJSON(struct {
			File       string `json:"file"`
			Records    int    `json:"records"`
			Looked     int    `json:"looked_into"`
			Sealed     int    `json:"sealed_to_office"`
			Wiped      int    `json:"wiped"`
			Unreadable int    `json:"unreadable"`
		}{c.Out, len(found.Records), found.Looked, found.Sealed, found.Wiped, found.Unreadable})
	}
	return c.tell(p.out, found)
}

// personAnswer is report.json in the file.
type personAnswer struct {
	Schema            string    `json:"schema"`
	Made              time.Time `json:"made"`
	Kiosk             string    `json:"kiosk"`
	Ward              string    `json:"ward,omitempty"`
	SentBy            string    `json:"sent_by"` // the configured way to the office: tus, s3, folder or none
	KeptAfterDelivery string    `json:"kept_after_delivery"`
	person.Found
}

func (c *personCommand) tell(w io.Writer, f person.Found) error {
	var err error
	say := func(format string, args ...any) {
		if err == nil {
			_, err = fmt.Fprintf(w, format+"\n", args...)
		}
	}
	say("%d submissions name this person; %d were looked into", len(f.Records), f.Looked)
	for _, r := range f.Records {
		say("%s  %s  %s  %s  %d values", r.Code, local8(r.Accepted), r.Procedure, r.State, len(r.Values))
	}
	if len(f.Perhaps) > 0 {
		say("%d more bear this name, without a date of birth; if they are this person's, name them: %s", len(f.Perhaps),
			strings.Join(f.Perhaps, " "))
	}
	if f.Sealed > 0 {
		say("%d are sealed to the office, which alone can look into them: ask there too", f.Sealed)
	}
	if f.Wiped > 0 {
		say("of %d nothing is left here but code, procedure and times: the office has them", f.Wiped)
	}
	if f.Unreadable > 0 {
		say("%d could not be read: motcua queue verify", f.Unreadable)
	}
	say("written to %s: hand it to nobody but this person, and delete it then", c.Out)
	return err
}

// write makes the file whole or not at all.
func (c *personCommand) write(p *program, b backlog, told personAnswer) error {
	if err := whole(c.Out, func(f *os.File) error { return c.pack(p, b, f, told) }); err != nil {
		return fmt.Errorf("write %s: %w", c.Out, err)
	}
	return nil
}

func (c *personCommand) pack(p *program, b backlog, f *os.File, told personAnswer) error {
	z := zip.NewWriter(f)
	data, err := z.Create("report.json")
	if err != nil {
		return err
	}
	lines := json.NewEncoder(data)
	lines.SetEscapeHTML(false)
	lines.SetIndent("", "  ")
	if err := lines.Encode(told); err != nil {
		return err
	}
	text, err := z.Create("report.txt")
	if err != nil {
		return err
	}
	if err := person.Explain(text, told.Ward, told.Made, told.Found); err != nil {
		return err
	}
	for _, r := range told.Records {
		if !c.Files || r.NoContent != "" {
			continue
		}
		if err := c.copyFiles(p, b, z, r); err != nil {
			return fmt.Errorf("submission %s: %w", r.Code, err)
		}
	}
	return z.Close()
}

// copyFiles adds the files of a submission, proved against their digest before they are.
func (c *personCommand) copyFiles(p *program, b backlog, z *zip.Writer, r person.Record) error {
	var bundle bytes.Buffer // in memory: personal data never lies in the clear in a file that nobody named
	want, err := b.Content(p.ctx, &bundle, r.ID)
	if err != nil {
		return err
	}
	if sum := sha256.Sum256(bundle.Bytes()); hex.EncodeToString(sum[:]) != want {
		return errors.New("what was read does not match its digest: the disk is failing, run motcua queue verify")
	}
	from, err := zip.NewReader(bytes.NewReader(bundle.Bytes()), int64(bundle.Len()))
	if err != nil {
		return err
	}
	for _, f := range from.File {
		f.Name = r.Code + "/" + f.Name
		if err := z.Copy(f); err != nil {
			return err
		}
	}
	return nil
}
