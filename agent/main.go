// Command motcua is the program on the kiosk PC of a ward office's one-stop counter: paper in, checked
// form out, nothing lost. Its commands stand in package cli, what runs all day in package daemon.
package main

import (
	"os"

	"motcua/agent/cli"
)

func main() { os.Exit(cli.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }
