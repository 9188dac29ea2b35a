package cli

import (
	"motcua/agent/daemon"
	"motcua/agent/doctor"
)

type doctorCommand struct{}

func (doctorCommand) Run(p *program) error {
	cfg, err := p.configuration()
	var findings []doctor.Finding
	if err != nil {
		findings = []doctor.Finding{{Area: "configuration", State: doctor.Broken,
			What: err.Error(), Mend: "correct the lines named; motcua config check FILE tells when all is well"}}
	} else {
		findings = doctor.Examine(p.ctx, daemon.Checks(cfg, nil))
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
