package doctor

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"motcua/drivers/scan"
)

func TestExamineKeepsTheOrderAndOutlivesAnyCheck(t *testing.T) {
	hang := make(chan struct{})
	defer close(hang)
	last := make(chan struct{})
	findings := Examine(t.Context(), []Check{
		{Area: "slow", Look: func(context.Context) []Finding { <-last; return []Finding{Good("a")} }},
		{Area: "hangs", Limit: 10 * time.Millisecond, Look: func(context.Context) []Finding { <-hang; return nil }},
		{Area: "panics", Look: func(context.Context) []Finding { panic("boom") }},
		{Area: "driver", Look: func(context.Context) []Finding {
			defer close(last)
			return From([]scan.Finding{{OK: true, What: "b"}, {What: "c", Mend: "d"}})
		}},
	})
	var text strings.Builder
	if err := Text(&text, findings); err != nil {
		t.Fatal(err)
	}
	want := `slow
  ok      a
hangs
  broken  did not answer within 10ms
          → unplug the device or restart the service that hangs, then run motcua doctor again
panics
  broken  the check itself broke: boom
          → report this to the makers of Motcua with ` + "`motcua diagnostics`" + `
driver
  ok      b
  broken  c
          → d
2 in order, 0 to look at, 3 broken
`
	if text.String() != want {
		t.Errorf("got\n%s", text.String())
	}
	if Worst(findings) != Broken || Worst(findings[:1]) != OK {
		t.Error("the worst state is wrong")
	}
}

func TestDisk(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		dir   string
		free  int64
		worst State
		what  string
	}{
		{"plenty", dir, 1, OK, "free"},
		{"too little", dir, 1 << 60, Broken, "new submissions are refused"},
		{"not there yet", filepath.Join(dir, "later"), 1, Look, "not there yet"},
		{"a file in its place", os.Args[0], 1, Broken, "not a folder"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := disk(c.dir, c.free)
			if Worst(got) != c.worst || !strings.Contains(got[len(got)-1].What, c.what) {
				t.Errorf("got %v", got)
			}
		})
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if got := disk(dir, 1); Worst(got) != Look {
		t.Errorf("a folder open to others: %v", got)
	}
}

func TestClock(t *testing.T) {
	if got := clock(time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC)); Worst(got) != Broken {
		t.Errorf("got %v", got)
	}
	hanoi := time.FixedZone("ICT", 7*3600)
	got := clock(time.Date(2026, 1, 1, 0, 0, 0, 0, hanoi))
	if got[len(got)-1].State != OK {
		t.Errorf("got %v", got)
	}
}

func TestSwap(t *testing.T) {
	const heading = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"
	for name, c := range map[string]struct {
		table, uuid string
		want        State
	}{
		"none":      {heading, "", OK},
		"plain":     {heading + "/dev/sda2                               partition\t8388604\t0\t-2\n", "", Look},
		"file":      {heading + "/swapfile                               file\t8388604\t0\t-2\n", "", Look},
		"lvm":       {heading + "/dev/dm-1                               partition\t8388604\t0\t-2\n", "LVM-abc", Look},
		"encrypted": {heading + "/dev/dm-1                               partition\t8388604\t0\t-2\n", "CRYPT-PLAIN-swap", OK},
		"zram":      {heading + "/dev/zram0                              partition\t8388604\t0\t100\n", "", OK},
	} {
		t.Run(name, func(t *testing.T) {
			if got := swap(c.table, func(string) string { return c.uuid }); Worst(got) != c.want {
				t.Errorf("%+v", got)
			}
		})
	}
}
