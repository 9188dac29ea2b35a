package cli

import (
	"cmp"
	"fmt"
	"time"

	"motcua/agent/version"
)

type versionCommand struct{}

// Run prints the release, the commit with its date, and the compiler: what a technician is asked for first.
func (versionCommand) Run(p *program) error {
	b := version.Of()
	if p.json {
		return p.printJSON(b)
	}
	fmt.Fprintf(p.out, "motcua %s\n", cmp.Or(b.Release, "without a release number"))
	if b.Commit != "" {
		changed := ""
		if b.Modified {
			changed = ", with changes"
		}
		fmt.Fprintf(p.out, "commit %s of %s%s\n", b.Commit, b.Date.UTC().Format(time.DateTime)+" UTC", changed)
	}
	fmt.Fprintln(p.out, b.Go)
	return nil
}
