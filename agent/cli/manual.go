package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// The manual page and the shell completion are made from the command line itself, so that they can't
// fall behind it. The package's build calls both.

type manualCommand struct{}

// Run prints motcua(1) in roff.
func (manualCommand) Run(p *program, k *kong.Kong) error {
	var b strings.Builder
	model := k.Model
	fmt.Fprintf(&b, ".TH MOTCUA 1\n.SH NAME\nmotcua \\- paper in, checked form out, nothing lost\n")
	fmt.Fprintf(&b, ".SH SYNOPSIS\n.B motcua\n.I command\n.RI [ flags ]\n")
	fmt.Fprintf(&b, ".SH DESCRIPTION\n%s\n", roff("The program on the kiosk PC of a Vietnamese ward office. It takes papers from scanners "+
		"and card "+
		"readers, reads them, fills the forms of administrative procedures, and keeps confirmed submissions sealed on the disk until they are "+
		"delivered."))
	fmt.Fprintf(&b, ".SH COMMANDS\n")
	for _, leaf := range model.Leaves(true) {
		fmt.Fprintf(&b, ".TP\n.B motcua %s\n%s\n", roff(commandPath(leaf)), roff(sentence(leaf)))
		for _, arg := range leaf.Positional {
			fmt.Fprintf(&b, ".br\n.I %s\n%s\n", roff(arg.Summary()), roff(arg.Help))
		}
		for _, f := range leaf.Flags {
			if !f.Hidden {
				fmt.Fprintf(&b, ".br\n.B %s\n%s\n", roff(flagText(f)), roff(f.Help))
			}
		}
	}
	fmt.Fprintf(&b, ".SH FLAGS OF EVERY COMMAND\n")
	for _, f := range model.Flags {
		fmt.Fprintf(&b, ".TP\n.B %s\n%s\n", roff(flagText(f)), roff(f.Help))
	}
	fmt.Fprintf(&b, ".SH EXIT STATUS\n0: done. 1: it could not be done (a device, the disk, the queue, the far side), or\n.B doctor\nfound "+
		"something broken. "+
		"2: unusable input (the command line, a file, a form).\n")
	fmt.Fprintf(&b, ".SH FILES\n.TP\n.I %s\nThe configuration.\n.B motcua config show\nprints every key with its default.\n"+
		".TP\n.I /var/lib/motcua\nQueue, audit log, staff. Removing it loses submissions that were not delivered.\n", systemConfig)
	_, err := p.out.Write([]byte(b.String()))
	return err
}

// commandPath is a command without the program's name and its arguments: "queue list".
func commandPath(n *kong.Node) string {
	var names []string
	for ; n != nil && n.Type == kong.CommandNode; n = n.Parent {
		names = append(names, n.Name)
	}
	slices.Reverse(names)
	return strings.Join(names, " ")
}

func sentence(n *kong.Node) string {
	if n.Detail != "" {
		return n.Help + " " + n.Detail
	}
	return n.Help
}

func flagText(f *kong.Flag) string {
	text := "--" + f.Name
	if f.Short != 0 {
		text = "-" + string(f.Short) + ", " + text
	}
	if !f.IsBool() {
		text += "=" + f.FormatPlaceHolder()
	}
	return text
}

// roff keeps text from being taken for requests and hyphens from becoming typographic ones.
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, `-`, `\-`).Replace(strings.Join(strings.Fields(text), " "))
	if strings.HasPrefix(text, ".") || strings.HasPrefix(text, "'") {
		text = `\&` + text
	}
	return text
}

type completionCommand struct{}

// Run prints a bash completion script.
func (completionCommand) Run(p *program, k *kong.Kong) error {
	var b strings.Builder
	b.WriteString("# bash completion of motcua, made by `motcua completion`\n_motcua() {\n" +
		"\tlocal word=${COMP_WORDS[COMP_CWORD]} path= w\n" +
		"\tfor w in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do [[ $w == -* ]] || path=\"$path $w\"; done\n\tlocal words=\n\tcase \"$path\" in\n")
	var commands []*kong.Node
	var walk func(n *kong.Node)
	walk = func(n *kong.Node) {
		if n.Hidden {
			return
		}
		for _, child := range n.Children {
			walk(child)
		}
		commands = append(commands, n) // the deeper first: the first pattern that fits is taken
	}
	walk(k.Model.Node)
	for _, n := range commands {
		var words []string
		for _, child := range n.Children {
			if !child.Hidden {
				words = append(words, child.Name)
			}
		}
		for _, f := range append(slices.Clone(n.Flags), k.Model.Flags...) {
			if !f.Hidden && !slices.Contains(words, "--"+f.Name) {
				words = append(words, "--"+f.Name)
			}
		}
		path := commandPath(n)
		if path != "" {
			path = " " + path
		}
		fmt.Fprintf(&b, "\t\"%s\"*) words=%q ;;\n", path, strings.Join(words, " "))
	}
	b.WriteString("\tesac\n\tmapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\")\n" +
		"\t[[ $word == -* || ${#COMPREPLY[@]} -gt 0 ]] || mapfile -t COMPREPLY < <(compgen -f -- \"$word\")\n}\n" +
		"complete -o filenames -F _motcua motcua\n")
	_, err := p.out.Write([]byte(b.String()))
	return err
}
