package metrics

import (
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"

	"motcua/ocr"
	"motcua/ocr/paper"
	"motcua/queue"
	"motcua/queue/line"
)

const monitoring = "../../configs/monitoring"

// figures are the names of all figures, of a daemon in which everything has happened once.
func figures(t *testing.T) map[string]bool {
	t.Helper()
	m := New(counters{stats: queue.Stats{}}, "v1")
	m.Watch(func() []line.Certificate { return []line.Certificate{{What: "kiosk", Ends: time.Now()}} })
	m.Answers(func() map[string]int { return map[string]int{"": 1} })
	m.Accepted(queue.Submission{})
	m.Read(ocr.Result{Documents: []paper.Document{{Fields: map[paper.Name]paper.Field{paper.Number: {Review: true}}}}})
	m.ScannerFailed("jammed")
	m.DeliveryFailed("timeout")
	m.Answered("done")
	m.AnswerFailed("line")
	m.AnswersHeard(time.Now())
	families, err := m.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, f := range families {
		names[f.GetName()] = true
		if f.GetType() == dto.MetricType_HISTOGRAM {
			names[f.GetName()+"_bucket"] = true
		}
	}
	return names
}

// Alert rules, their tests and the board name only what a kiosk gives, and every fault that a technician has to hear of.
func TestMonitoringNamesExist(t *testing.T) {
	names := figures(t)
	name := regexp.MustCompile(`\bmotcua_[a-z_]+`)
	used := map[string]bool{}
	for _, file := range []string{"alerts.yaml", "tests.yaml", "board.json"} {
		data, err := os.ReadFile(filepath.Join(monitoring, file))
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range name.FindAllString(string(data), -1) {
			used[n] = true
			if !names[n] {
				t.Errorf("%s names %s, which no kiosk gives", file, n)
			}
		}
	}
	if len(used) < 15 {
		t.Errorf("only %v are used", slices.Sorted(maps.Keys(used)))
	}
}

// Every rule is shown firing, and says what is wrong and what to do.
func TestEveryRuleIsTried(t *testing.T) {
	rules, err := os.ReadFile(filepath.Join(monitoring, "alerts.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	tests, err := os.ReadFile(filepath.Join(monitoring, "tests.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	alerts := regexp.MustCompile(`(?m)- alert: (\w+)`).FindAllStringSubmatch(string(rules), -1)
	if len(alerts) < 10 || strings.Count(string(rules), "summary:") != len(alerts) ||
		strings.Count(string(rules), "description:") != len(alerts) {
		t.Errorf("%d alerts, %d summaries", len(alerts), strings.Count(string(rules), "summary:"))
	}
	for _, a := range alerts {
		if !strings.Contains(string(tests), `alertname="`+a[1]+`"`) {
			t.Errorf("%s is never shown firing", a[1])
		}
	}
}

// Prometheus' own tool takes the rules and finds that they fire when they should.
func TestRules(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("promtool is not installed (Debian package prometheus)")
	}
	for _, args := range [][]string{{"check", "rules", "alerts.yaml"}, {"test", "rules", "tests.yaml"}} {
		cmd := exec.CommandContext(t.Context(), promtool, args...)
		cmd.Dir = monitoring
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
}

// The board is JSON with panels that each ask something of the data source that a person chooses.
func TestBoard(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(monitoring, "board.json"))
	if err != nil {
		t.Fatal(err)
	}
	var board struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(data, &board); err != nil {
		t.Fatal(err)
	}
	for _, p := range board.Panels {
		if p.Title == "" || len(p.Targets) == 0 || p.Targets[0].Expr == "" {
			t.Errorf("panel %q asks nothing", p.Title)
		}
	}
	if len(board.Panels) < 10 || strings.Count(string(data), "${datasource}") < len(board.Panels) {
		t.Errorf("%d panels", len(board.Panels))
	}
}
