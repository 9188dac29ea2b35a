// Package configs carries the data files of this folder inside the binary; it has no other code.
package configs

import "embed"

// FS holds the default configuration, the procedures, the device profiles and the demo's specimen papers; what belongs to a package
// of the operating system (packaging/) stays outside the binary.
//
//go:embed motcua.yaml procedures specimens devices
var FS embed.FS
