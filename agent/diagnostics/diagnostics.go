// Package diagnostics packs what a maker of Motcua needs to find a fault from afar. In go what the
// program knows of itself; out comes a ZIP of text files. It promises that nothing a citizen gave is in
// it: no values, no pages, no receipt codes, no account numbers; ids of submissions are random.
package diagnostics

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"time"

	"golang.org/x/sys/unix"

	"motcua/agent/config"
	"motcua/agent/doctor"
	"motcua/agent/recent"
	"motcua/queue"
)

// Input is what goes into the bundle; nil and zero members are left out.
type Input struct {
	Time        time.Time
	Config      config.Config
	Findings    []doctor.Finding
	Log         []recent.Line
	Devices     any
	Stats       *queue.Stats
	Submissions []queue.Submission
	AuditHead   string
}

// submission is what of a submission helps to find a fault.
type submission struct {
	ID        string      `json:"id"`
	State     queue.State `json:"state"`
	Procedure string      `json:"procedure"`
	Parts     int         `json:"parts"`
	Size      int64       `json:"size"`
	Created   time.Time   `json:"created"`
	Attempts  int         `json:"attempts"`
	Next      time.Time   `json:"next,omitzero"`
	LastError string      `json:"last_error,omitempty"`
	Wiped     bool        `json:"wiped,omitempty"`
}

// maxSubmissions bounds the bundle of a kiosk with a long backlog.
const maxSubmissions = 1000

// Write packs the bundle.
func Write(w io.Writer, in Input) error {
	z := zip.NewWriter(w)
	add := func(name string, data []byte) error {
		f, err := z.CreateHeader(&zip.FileHeader{Name: "motcua-diagnostics/" + name, Method: zip.Deflate, Modified: in.Time})
		if err != nil {
			return err
		}
		_, err = f.Write(data)
		return err
	}
	addJSON := func(name string, v any) error {
		data, err := json.MarshalIndent(v, "", "  ")
		if err != nil {
			return err
		}
		return add(name, append(data, '\n'))
	}

	c := in.Config
	c.Payment = config.Payment{}
	var findings bytes.Buffer
	if err := doctor.Text(&findings, in.Findings); err != nil {
		return err
	}
	var lines bytes.Buffer
	for _, l := range in.Log {
		fmt.Fprintf(&lines, "%s %-5s %s\n", l.Time.Format(time.RFC3339Nano), l.Level, l.Text)
	}
	var routines bytes.Buffer
	if err := pprof.Lookup("goroutine").WriteTo(&routines, 1); err != nil {
		return err
	}
	var subs []submission
	for _, s := range in.Submissions[:min(len(in.Submissions), maxSubmissions)] {
		subs = append(subs, submission{s.ID, s.State, s.Labels["procedure"], len(s.Parts), s.Size, s.Created, s.Attempts, s.NextAttempt,
			s.LastError, s.Wiped})
	}
	for _, step := range []func() error{
		func() error { return addJSON("system.json", system(in.Time)) },
		func() error { return addJSON("config.json", c) },
		func() error { return add("doctor.txt", findings.Bytes()) },
		func() error { return add("log.txt", lines.Bytes()) },
		func() error { return addJSON("devices.json", in.Devices) },
		func() error { return addJSON("queue.json", in.Stats) },
		func() error { return addJSON("submissions.json", subs) },
		func() error { return add("audit-head.txt", []byte(in.AuditHead+"\n")) },
		func() error { return add("goroutines.txt", routines.Bytes()) },
	} {
		if err := step(); err != nil {
			return fmt.Errorf("pack diagnostics: %w", err)
		}
	}
	if err := z.Close(); err != nil {
		return fmt.Errorf("pack diagnostics: %w", err)
	}
	return nil
}

// system is the machine and the build.
func system(now time.Time) map[string]any {
	s := map[string]any{
		"time": now, "go": runtime.Version(), "cpus": runtime.NumCPU(), "goroutines": runtime.NumGoroutine(),
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		settings := map[string]string{}
		for _, b := range info.Settings {
			settings[b.Key] = b.Value
		}
		s["build"] = settings
	}
	var u unix.Utsname
	if unix.Uname(&u) == nil {
		s["kernel"] = unix.ByteSliceToString(u.Release[:])
		s["machine"] = unix.ByteSliceToString(u.Machine[:])
	}
	var memory unix.Sysinfo_t
	if unix.Sysinfo(&memory) == nil {
		unit := uint64(memory.Unit)
		s["memory_bytes"], s["memory_free_bytes"] = uint64(memory.Totalram)*unit, uint64(memory.Freeram)*unit
		s["uptime_seconds"] = memory.Uptime
	}
	if release, err := os.ReadFile("/etc/os-release"); err == nil {
		s["os"] = string(release)
	}
	return s
}
