package cli

import (
	"errors"
	"fmt"
	"slices"
	"text/tabwriter"

	"motcua/queue"
)

type queueFoundCommand struct {
	List foundListCommand `cmd:"" default:"1" help:"List what was set aside (the default)."`
	Show foundShowCommand `cmd:"" help:"Show one file that was set aside, and whether it can be taken in."`
	Take foundTakeCommand `cmd:"" help:"Take submissions in again: they are proved against their digests and queued."`
	Drop foundDropCommand `cmd:"" help:"Destroy files that were set aside."`
}

type foundListCommand struct{}

func (foundListCommand) Run(p *program) error {
	found, err := p.found()
	if err != nil {
		return err
	}
	if p.json {
		return p.printJSON(append([]queue.Found{}, found...))
	}
	if len(found) == 0 {
		fmt.Fprintln(p.out, "nothing was set aside")
		return nil
	}
	t := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "NAME\tCODE\tACCEPTED\tPROCEDURE\tBYTES\tADVICE")
	for _, f := range found {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%d\t%s\n", f.Name, f.Submission.Code, local8(f.Submission.Created), f.Submission.Labels["procedure"],
			f.Size, advice(f))
	}
	return t.Flush()
}

func (p *program) found() ([]queue.Found, error) {
	q, err := p.queue(false)
	if errors.Is(err, errNoData) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer q.Close()
	return q.Found(p.ctx)
}

// advice says what to do with a file that was set aside.
func advice(f queue.Found) string {
	switch {
	case f.Fault != "":
		return "can't be taken in: " + oneLine(f.Fault)
	case f.HereWiped:
		return "was delivered and wiped: drop it"
	case f.Here != "":
		return fmt.Sprintf("the same submission is in the queue (%s): drop this one if motcua queue verify finds that one whole", f.Here)
	}
	return "whole: take it in if its receipt was given out; the hub keeps one copy"
}

type foundShowCommand struct {
	Name string `arg:"" help:"Name, receipt code or id."`
}

func (c *foundShowCommand) Run(p *program) error {
	found, err := p.found()
	if err != nil {
		return err
	}
	code, isCode := queue.ParseCode(c.Name)
	i := slices.IndexFunc(found, func(f queue.Found) bool {
		return f.Name == c.Name || f.Submission.ID == c.Name || isCode && f.Submission.Code == code
	})
	if i < 0 {
		return about(c.Name, fmt.Errorf("%w among what was set aside", queue.ErrNotFound))
	}
	f := found[i]
	if p.json {
		return p.printJSON(f)
	}
	t := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "name\t%s\nwhy\t%s\nbytes\t%d\n", f.Name, f.Why, f.Size)
	if s := f.Submission; s.ID != "" {
		fmt.Fprintf(t, "code\t%s\nid\t%s\naccepted\t%s\nprocedure\t%s\n", s.Code, s.ID, local8(s.Created), s.Labels["procedure"])
		for _, part := range s.Parts {
			fmt.Fprintf(t, "part\t%s  %s  %d bytes\n", part.Name, part.MediaType, part.Size)
		}
	}
	fmt.Fprintf(t, "advice\t%s\n", advice(f))
	return t.Flush()
}

type foundTakeCommand struct {
	All   bool     `help:"All that can be."`
	Names []string `arg:"" optional:"" name:"name" help:"Names, receipt codes or ids."`
}

func (c *foundTakeCommand) Run(p *program) error {
	if c.All == (len(c.Names) > 0) {
		return unusable(errors.New("name what to take in (motcua queue found), or say --all"))
	}
	q, err := p.queue(false)
	if err != nil {
		return err
	}
	defer q.Close()
	if c.All {
		found, err := q.Found(p.ctx)
		if err != nil {
			return err
		}
		for _, f := range found {
			if f.Fault == "" && f.Here == "" {
				c.Names = append(c.Names, f.Name)
			}
		}
	}
	taken := []queue.Submission{}
	for _, name := range c.Names {
		s, err := q.TakeFound(p.ctx, name)
		if err != nil {
			return about(name, err)
		}
		if taken = append(taken, s); !p.json {
			fmt.Fprintf(p.out, "%s is queued\n", s.Code)
		}
	}
	if p.json {
		return p.printJSON(taken)
	}
	return nil
}

type foundDropCommand struct {
	Yes   bool     `help:"Really destroy: there is no way back."`
	Names []string `arg:"" name:"name" help:"Names, receipt codes or ids."`
}

func (c *foundDropCommand) Run(p *program) error {
	if !c.Yes {
		return unusable(errors.New("what is dropped is gone for good: say --yes if that is meant"))
	}
	q, err := p.queue(false)
	if err != nil {
		return err
	}
	defer q.Close()
	for _, name := range c.Names {
		if _, err := q.DropFound(p.ctx, name); err != nil {
			return about(name, err)
		}
	}
	if p.json {
		return p.printJSON(struct {
			Dropped int `json:"dropped"`
		}{len(c.Names)})
	}
	fmt.Fprintf(p.out, "%d dropped\n", len(c.Names))
	return nil
}
