package cli

import (
	"fmt"
	"slices"
	"strings"

	"motcua/agent/daemon"
	"motcua/agent/doctor"
)

type doctorCommand struct {
	Areas []string `arg:"" optional:"" name:"area" help:"Look only at these, such as queue, key or \"audit log\"; without any, at everything."`
}

func (c doctorCommand) Run(p *program) error {
	cfg, err := p.configuration()
	var findings []doctor.Finding
	if err != nil {
		findings = []doctor.Finding{{Area: "configuration", State: doctor.Broken,
			What: err.Error(), Mend: "correct the lines named; motcua config check FILE tells when all is well"}}
	} else {
		checks, err := c.chosen(daemon.Checks(cfg, nil))
		if err != nil {
			return unusable(err)
		}
		findings = doctor.Examine(p.ctx, checks)
	}
	if p.json {
		err = p.printJSON(struct {
			State    doctor.State     `json:"state"`
			Findings []doctor.Finding `json:"findings"`
		}{doctor.Worst(findings), findings})
	} else {
		err = doctor.Text(p.out, findings)
	}
	if err == nil && doctor.Worst(findings) == doctor.Broken {
		err = told(1)
	}
	return err
}

// chosen are the checks of the areas that were named.
func (c doctorCommand) chosen(all []doctor.Check) (some []doctor.Check, err error) {
	if len(c.Areas) == 0 {
		return all, nil
	}
	var areas []string
	for _, check := range all {
		areas = append(areas, check.Area)
		if slices.Contains(c.Areas, check.Area) {
			some = append(some, check)
		}
	}
	for _, name := range c.Areas {
		if !slices.Contains(areas, name) {
			return nil, fmt.Errorf("there is no area %q; there are %s", name, strings.Join(slices.Compact(areas), ", "))
		}
	}
	return some, nil
}
