package sandbox

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// The test binary is the parser that was taken over: locked as the worker is, or, called "open", not locked at all.
func TestMain(m *testing.M) {
	if name := os.Getenv(TryEnv); name != "" {
		networkAtStart = sendNothing()
		var err error
		if len(os.Args) > 1 && os.Args[1] == "open" {
			err = attemptNamed(name, os.Stdout)
		} else {
			err = Attempt(os.Stdout)
		}
		if err != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// lacking are guards that some kernels, containers and units do not give; doctor tells of them.
var lacking = []string{"own processes", "own network"}

func TestTry(t *testing.T) {
	got, err := Try(t.Context(), []string{os.Args[0]})
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != len(attempts) {
		t.Fatalf("%d of %d attempts", len(got), len(attempts))
	}
	for _, p := range got {
		switch {
		case !p.Active && apart() != nil && strings.Contains(strings.Join(lacking, " "), p.Name):
			t.Logf("%s (%v)", p.Detail, apart())
		case !p.Active:
			t.Errorf("%s: %s", p.Name, p.Detail)
		}
	}
}

// An attempt that would fail anyway proves nothing: in a process that is not locked each must come through.
func TestTry_sees_an_open_process(t *testing.T) {
	anyway := map[string]string{
		"kernel rings": "many machines switch them off",
		"x32 calls":    "most kernels are built without",
		foreignCalls:   "some kernels are built without",
		"file modes":   "older kernels do not have the call",
		"namespaces":   "some machines give none",
		"other memory": "some machines let only a parent look",
	}
	bare := func(cmd *exec.Cmd, env ...string) error {
		cmd.Env = env
		return cmd.Start()
	}
	for _, a := range attempts {
		t.Run(a.name, func(t *testing.T) {
			p, err := a.try(t.Context(), []string{os.Args[0], "open"}, bare)
			if err != nil {
				t.Fatal(err)
			}
			why, may := anyway[a.name]
			if p.Active && !may {
				t.Errorf("%s: an open process did not come through", p.Detail)
			} else if p.Active {
				t.Log(why)
			}
		})
	}
}

// A machine whose libraries want another call must be told which.
func TestNamedCall(t *testing.T) {
	cmd := exec.Command(os.Args[0])
	var said bytes.Buffer
	cmd.Stderr = &said
	if err := Start(cmd, nil, TryEnv+"=sockets", TellEnv+"=1"); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil {
		t.Error("a forbidden call was survived")
	}
	if got := NamedCall(said.String()); got != "socket" {
		t.Errorf("named %q from %q", got, said.String())
	}
	if got := NamedCall("panic: something else"); got != "" {
		t.Errorf("named %q from nothing", got)
	}
}

// What doctor says of Landlock names what a kernel's version of it cannot rule, so that nobody takes it for more.
func TestWithoutRules(t *testing.T) {
	for abi, want := range map[int][2]string{
		0: {"", ""},
		2: {"ABI 2 has no rules for truncating, TCP, commands to devices, signals and abstract sockets", "moving"}, // Linux 6.1
		5: {"for signals and abstract sockets:", "TCP"},
		6: {"", "rules"},
	} {
		if got := withoutRules(abi); !strings.Contains(got, want[0]) || want[1] != "" && strings.Contains(got, want[1]) {
			t.Errorf("ABI %d: %q", abi, got)
		}
	}
}
