// Package configs carries the data files of this folder inside the binary; it has no other code.
package configs

import "embed"

// FS holds the default configuration, procedures, device profiles, specimen persons and packaging files.
//
//go:embed all:*
var FS embed.FS
