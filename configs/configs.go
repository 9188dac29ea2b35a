// Package configs carries the data files of this folder inside the binary; it has no other code.
package configs

import (
	"embed"
	"io/fs"
)

// FS holds the default configuration, the procedures, the device profiles and the demo's specimen papers; what belongs to a package
// of the operating system (packaging/) stays outside the binary.
//
//go:embed motcua.yaml procedures portal specimens devices units
var FS embed.FS

// Procedures is the procedures and forms of this build.
func Procedures() fs.FS { return folder("procedures") }

// Units is the table of administrative units (see package address).
func Units() fs.FS { return folder("units") }

// Portal is the maps from our fields to the portal's.
func Portal() fs.FS { return folder("portal") }

func folder(name string) fs.FS {
	sub, err := fs.Sub(FS, name)
	if err != nil {
		panic(err) // the folders are named above
	}
	return sub
}
