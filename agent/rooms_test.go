package main

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// What a room must not know, by folder; deeper folders are bound by the rules of those above them too. agent/README.md
// draws the picture.
var unknown = []struct {
	room string
	to   []string
	why  string
}{
	{"drivers", []string{"ocr", "queue", "agent"}, "drivers give pages and readings; what they are for is not known there"},
	{"ocr", []string{"drivers", "queue", "agent"}, "ocr turns pages into documents; where they come from and go to is not known there"},
	{"queue", []string{"drivers", "ocr", "agent"}, "the queue does not know what is inside a submission"},
	{"configs", []string{"drivers", "ocr", "queue", "agent"}, "configs is data only"},
	{"agent/counter", []string{"agent/web", "agent/cli", "agent/office", "agent/daemon", "agent/station", "drivers"},
		"the main job has no screen and no device"},
	{"agent/station", []string{"agent/web", "agent/cli", "agent/office", "agent/daemon", "agent/counter"},
		"devices do not know who asks them"},
	{"agent/web", []string{"agent/cli", "agent/office", "agent/daemon", "agent/station"}, "the screens are given what they work on"},
	{"agent/web/screen", []string{"agent/web/citizen", "agent/web/volunteer", "agent/web/officer", "agent/web/technician"},
		"what all roles stand on knows no role"},
	{"agent/web/citizen", []string{"agent/web/volunteer", "agent/web/officer", "agent/web/technician"}, "no role's pages know another's"},
	{"agent/web/volunteer", []string{"agent/web/citizen", "agent/web/officer", "agent/web/technician"}, "no role's pages know another's"},
	{"agent/web/officer", []string{"agent/web/citizen", "agent/web/volunteer", "agent/web/technician"}, "no role's pages know another's"},
	{"agent/web/technician", []string{"agent/web/citizen", "agent/web/volunteer", "agent/web/officer"}, "no role's pages know another's"},
	{"agent/office", []string{"agent/cli", "agent/web", "agent/daemon", "agent/station", "drivers"}, "the officer's desk is not at the kiosk"},
	{"agent/daemon", []string{"agent/cli"}, "commands stand on the daemon, never the other way"},
}

// above are the rooms that stand on the agent's other packages: those know nothing of them.
var above = []string{"agent/cli", "agent/daemon", "agent/web", "agent/office", "agent/station", "agent/counter"}

// drivers are named by the station alone; others speak of pages, faults and line settings.
var driversFor = map[string][]string{
	"agent/cli": {"drivers/scan", "drivers/sane"}, // the hidden command that is SANE's child process
}

// words may be known everywhere in the agent: what all drivers share, which drivers there are, the settings of a serial line.
var words = []string{"drivers/scan", "drivers/all", "drivers/serial"}

// shared are the folders below drivers that any driver may know.
var shared = []string{"scan", "feed", "printer", "kept"}

// exceptions are imports that break a rule until they are mended. The list only shrinks.
var exceptions = map[string]bool{}

func TestRoomsKeepTheirOrder(t *testing.T) {
	root := ".."
	imports := imported(t, root)
	if len(imports) < 30 {
		t.Fatalf("only %d packages found", len(imports))
	}
	used := map[string]bool{}
	fault := func(from, to, why string) {
		if edge := from + " → " + to; exceptions[edge] {
			used[edge] = true
		} else {
			t.Errorf("%s must not import %s: %s", from, to, why)
		}
	}
	for from, all := range imports {
		for _, to := range all {
			for _, rule := range unknown {
				if within(from, rule.room) && slices.ContainsFunc(rule.to, func(r string) bool { return within(to, r) }) {
					fault(from, to, rule.why)
				}
			}
			if within(from, "agent") && from != "agent" && !slices.ContainsFunc(above, func(r string) bool { return within(from, r) }) &&
				slices.ContainsFunc(above, func(r string) bool { return within(to, r) }) {
				fault(from, to, "the rooms above stand on it")
			}
			if within(from, "agent") && within(to, "drivers") && !within(from, "agent/station") &&
				!slices.Contains(words, to) && !slices.Contains(driversFor[from], to) {
				fault(from, to, "drivers are opened by agent/station")
			}
			played := within(from, "drivers/escl/printer") && to == "drivers/zoo" // a device that is played as the zoo describes it
			if a, b := driver(from), driver(to); a != "" && b != "" && a != b && a != "all" && !slices.Contains(shared, b) && !played {
				fault(from, to, "no driver knows another; only drivers/all names them")
			}
		}
	}
	for edge := range exceptions {
		if !used[edge] {
			t.Errorf("the exception %q is not needed any more: delete it", edge)
		}
	}
}

// driver is the package right below drivers that a folder belongs to.
func driver(folder string) string {
	rest, ok := strings.CutPrefix(folder, "drivers/")
	if !ok {
		return ""
	}
	name, _, _ := strings.Cut(rest, "/")
	return name
}

func within(folder, room string) bool { return folder == room || strings.HasPrefix(folder, room+"/") }

// imported lists what each package of the module imports of the module, without its tests.
func imported(t *testing.T, root string) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	err := fs.WalkDir(os.DirFS(root), ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if e.IsDir() && (strings.HasPrefix(e.Name(), ".") && name != "." || e.Name() == "testdata" || e.Name() == "var") {
			return fs.SkipDir
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, name), nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, i := range f.Imports {
			to, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				return err
			}
			if to, ours := strings.CutPrefix(to, "motcua/"); ours && !slices.Contains(found[path.Dir(name)], to) {
				found[path.Dir(name)] = append(found[path.Dir(name)], to)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}
