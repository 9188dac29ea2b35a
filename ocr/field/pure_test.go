package field_test

import (
	"os/exec"
	"strings"
	"testing"
)

// Telling and extracting stand on words alone, whoever read them: nothing of it is in C, so that another engine needs none of ours.
func TestExtractionNeedsNoC(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "-f", "{{if .CgoFiles}}{{.ImportPath}}{{end}}", "motcua/ocr/field").Output()
	if err != nil {
		t.Fatalf("list dependencies: %v", err)
	}
	for _, p := range strings.Fields(string(out)) {
		if strings.HasPrefix(p, "motcua/") || strings.Contains(strings.SplitN(p, "/", 2)[0], ".") {
			t.Errorf("extraction depends on %s, which is in C", p)
		}
	}
}
