package cli

import (
	"errors"
	"fmt"
	"os"

	"motcua/agent/config"
	"motcua/agent/strict"
	"motcua/configs"
)

type configCommand struct {
	Check configCheckCommand `cmd:"" help:"List every mistake in a configuration file at once, with line and column."`
	Show  configShowCommand  `cmd:"" help:"Print the default configuration with its comments, or with --json the one in force."`
}

type configCheckCommand struct {
	File string `arg:"" help:"The file to check."`
}

func (c *configCheckCommand) Run(p *program) error {
	defaults, err := config.Default(configs.FS)
	if err != nil {
		return err
	}
	data, err := os.ReadFile(c.File)
	if err != nil {
		return unusable(fmt.Errorf("read configuration: %w", err))
	}
	_, err = config.Load(defaults, c.File, data)
	var problems strict.Problems
	if err != nil && !errors.As(err, &problems) {
		return err
	}
	if p.json {
		if problems == nil {
			problems = strict.Problems{}
		}
		if err := p.printJSON(struct {
			File     string          `json:"file"`
			OK       bool            `json:"ok"`
			Problems strict.Problems `json:"problems"`
		}{c.File, len(problems) == 0, problems}); err != nil {
			return err
		}
	} else if len(problems) == 0 {
		fmt.Fprintf(p.out, "%s is in order\n", c.File)
	} else {
		fmt.Fprintln(p.out, problems.Error())
	}
	if len(problems) > 0 {
		return told(2)
	}
	return nil
}

type configShowCommand struct{}

func (configShowCommand) Run(p *program) error {
	if p.json {
		c, err := p.configuration()
		if err != nil {
			return err
		}
		return p.printJSON(c)
	}
	data, err := configs.FS.ReadFile(config.DefaultFile)
	if err != nil {
		return err
	}
	_, err = p.out.Write(data)
	return err
}
