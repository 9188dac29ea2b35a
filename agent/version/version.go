// Package version says which build of Motcua this is: the release it is packaged as, and the commit it was built from.
package version

import (
	"cmp"
	"runtime/debug"
	"time"
)

// release is set by the linker when a package is built: -ldflags "-X motcua/agent/version.release=1.2.3".
var release string

// Build is where a binary comes from. What is not known is empty.
type Build struct {
	Release  string    `json:"release"`  // such as 1.2.3; empty where nobody packaged it
	Commit   string    `json:"commit"`   // of the source, 40 hexadecimal digits
	Date     time.Time `json:"date"`     // of the commit
	Modified bool      `json:"modified"` // the source differed from the commit
	Go       string    `json:"go"`       // the compiler
}

// Of gives this binary's build, as the compiler noted it.
func Of() Build {
	b := Build{Release: release}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	b.Go = info.GoVersion
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Commit = s.Value
		case "vcs.time":
			b.Date, _ = time.Parse(time.RFC3339, s.Value) // empty where it is no time
		case "vcs.modified":
			b.Modified = s.Value == "true"
		}
	}
	return b
}

// String is the release, or else the commit, or else that nothing is known.
func String() string {
	b := Of()
	return cmp.Or(b.Release, b.Commit, "unknown")
}
