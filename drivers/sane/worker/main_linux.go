// Command worker is the child process of the SANE driver, as a program of its own: it loads libsane and its backends, answers
// the daemon's requests, and nothing else (package sane says what holds it). It is installed under the name sane.Helper.
package main

import (
	"context"
	"fmt"
	"os"

	"motcua/drivers/sane"
)

func main() {
	if err := sane.Serve(context.Background(), os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "motcua:", err)
		os.Exit(1)
	}
}
