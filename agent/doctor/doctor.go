// Package doctor looks at everything a kiosk needs and says how to mend what is not as it should be. In
// go checks, each with a name and a time limit; out come findings in the order of the checks, whatever
// became of any one of them. It promises that a check that hangs or panics is a finding, not the end of
// the examination, and that no finding holds personal data.
package doctor

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"motcua/drivers/scan"
)

// State is how bad a finding is.
type State string

// The states. Only Broken makes `motcua doctor` exit with 1.
const (
	OK     State = "ok"
	Look   State = "look"   // works, but somebody should look
	Broken State = "broken" // something citizens need does not work
)

// Finding is one thing that was looked at.
type Finding struct {
	Area  string `json:"area"` // system, configuration, recognition, scanner, …
	State State  `json:"state"`
	What  string `json:"what"`           // what is so, as a sentence
	Mend  string `json:"mend,omitempty"` // what to do, as a sentence; empty where OK
}

// Check looks at one area.
type Check struct {
	Area  string
	Limit time.Duration // 0: 20 s
	Look  func(ctx context.Context) []Finding
}

// Good, Doubt and Bad make findings.
func Good(format string, args ...any) Finding {
	return Finding{State: OK, What: fmt.Sprintf(format, args...)}
}

// Doubt is for what works but wants a look.
func Doubt(what, mend string) Finding { return Finding{State: Look, What: what, Mend: mend} }

// Bad is for what does not work.
func Bad(what, mend string) Finding { return Finding{State: Broken, What: what, Mend: mend} }

// From takes a driver's findings over.
func From(findings []scan.Finding) []Finding {
	var out []Finding
	for _, f := range findings {
		state := OK
		if !f.OK {
			state = Broken
		}
		out = append(out, Finding{State: state, What: f.What, Mend: f.Mend})
	}
	return out
}

// Examine runs all checks side by side and gives their findings in the order of the checks.
func Examine(ctx context.Context, checks []Check) []Finding {
	results := make([][]Finding, len(checks))
	var wait sync.WaitGroup
	for i, c := range checks {
		wait.Go(func() { results[i] = c.run(ctx) })
	}
	wait.Wait()
	var all []Finding
	for i, findings := range results {
		for _, f := range findings {
			f.Area = checks[i].Area
			all = append(all, f)
		}
	}
	return all
}

func (c Check) run(ctx context.Context) []Finding {
	limit := c.Limit
	if limit == 0 {
		limit = 20 * time.Second
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	done := make(chan []Finding, 1)
	go func() { // a check that ignores its context is left behind; the process ends soon after
		defer func() {
			if r := recover(); r != nil {
				done <- []Finding{Bad(fmt.Sprintf("the check itself broke: %v", r), "report this to the makers of Motcua with `motcua diagnostics`")}
			}
		}()
		done <- c.Look(ctx)
	}()
	select {
	case findings := <-done:
		return findings
	case <-time.After(limit + time.Second):
		return []Finding{Bad(fmt.Sprintf("did not answer within %s", limit),
			"unplug the device or restart the service that hangs, then run motcua doctor again")}
	}
}

// Worst is the worst state among findings.
func Worst(findings []Finding) State {
	worst := OK
	for _, f := range findings {
		if f.State == Broken || (f.State == Look && worst == OK) {
			worst = f.State
		}
	}
	return worst
}

// Text prints findings for a terminal, grouped by area.
func Text(w io.Writer, findings []Finding) error {
	var b strings.Builder
	area := ""
	for _, f := range findings {
		if f.Area != area {
			area = f.Area
			fmt.Fprintf(&b, "%s\n", area)
		}
		fmt.Fprintf(&b, "  %-6s  %s\n", f.State, f.What)
		if f.Mend != "" {
			fmt.Fprintf(&b, "          → %s\n", f.Mend)
		}
	}
	count := map[State]int{}
	for _, f := range findings {
		count[f.State]++
	}
	fmt.Fprintf(&b, "%d in order, %d to look at, %d broken\n", count[OK], count[Look], count[Broken])
	_, err := io.WriteString(w, b.String())
	return err
}
