package desk

import (
	"fmt"
	"net/http"
	"slices"
	"time"

	"motcua/agent/answer"
	"motcua/agent/office"
)

// rowsMost are shown of the line; a search finds the others.
const rowsMost = 200

// tabs of the line, and the states each of them shows.
var tabs = []struct {
	Name   string
	States []answer.State
}{
	{"received", []answer.State{answer.Received}},
	{"needs-more", []answer.State{answer.NeedsMore}},
	{"eligible", []answer.State{answer.Eligible}},
	{"closed", []answer.State{answer.Done, answer.Refused}},
	{"all", nil},
}

type lineBody struct {
	Tab    string
	Text   string
	Tabs   []tab
	Rows   []lineRow
	More   int
	Today  string
	Search bool
}

type lineRow struct {
	office.Dossier
	Twins []uint64 // other dossiers with its receipt code
	Same  []uint64 // dossiers with a certified copy of the same number
}

type tab struct {
	Name  string
	Count int
	Now   bool
}

// line shows what came, the oldest first; what is closed, the newest first.
func (d *Desk) line(w http.ResponseWriter, r *http.Request, _ *session) {
	q := r.URL.Query()
	b := lineBody{Tab: q.Get("tab"), Text: q.Get("q"), Today: d.now().Format(time.DateOnly)}
	if b.Text != "" && b.Tab == "" {
		b.Tab = "all"
	}
	i := slices.IndexFunc(tabs, func(t struct {
		Name   string
		States []answer.State
	}) bool {
		return t.Name == b.Tab
	})
	if i < 0 {
		i = 0
	}
	b.Tab, b.Search = tabs[i].Name, b.Text != ""
	counts := d.o.Store.Counts()
	for _, t := range tabs {
		n := 0
		for state, have := range counts {
			if t.States == nil || slices.Contains(t.States, state) {
				n += have
			}
		}
		b.Tabs = append(b.Tabs, tab{t.Name, n, t.Name == b.Tab})
	}
	list := d.o.Store.List(office.Filter{States: tabs[i].States, Text: b.Text})
	if !b.Search && (b.Tab == "closed" || b.Tab == "all") {
		slices.Reverse(list)
	}
	if len(list) > rowsMost {
		b.More = len(list) - rowsMost
		list = list[:rowsMost]
	}
	for _, one := range list {
		b.Rows = append(b.Rows, lineRow{one, d.o.Store.Twins(one), d.o.Store.SameNumber(one)})
	}
	d.render(w, r, http.StatusOK, "line", b)
}

// next is where an officer goes on after a dossier: the oldest that waits, or the line.
func (d *Desk) next(after office.Dossier) string {
	waiting := d.o.Store.List(office.Filter{States: []answer.State{answer.Received}})
	for _, one := range waiting {
		if one.Number > after.Number {
			return fmt.Sprintf("/desk/d/%d", one.Number)
		}
	}
	if len(waiting) > 0 {
		return fmt.Sprintf("/desk/d/%d", waiting[0].Number)
	}
	return Path
}

// changed tells a page when something changes: the line loads itself anew, a dossier says that it was overtaken.
func (d *Desk) changed(w http.ResponseWriter, r *http.Request, _ *session) {
	w.Header().Set("Content-Type", "text/event-stream")
	rc := http.NewResponseController(w)
	_ = rc.SetWriteDeadline(time.Time{})
	if _, err := fmt.Fprint(w, "retry: 2000\n\n"); err != nil || rc.Flush() != nil {
		return
	}
	const calm = 500 * time.Millisecond // many come at once after a break
	for next := d.o.Store.Changed(); ; {
		select {
		case <-next:
		case <-r.Context().Done():
			return
		}
		select {
		case <-time.After(calm):
		case <-r.Context().Done():
			return
		}
		next = d.o.Store.Changed() // before the page looks: what comes while it does is told next
		if _, err := fmt.Fprint(w, "data: changed\n\n"); err != nil || rc.Flush() != nil {
			return
		}
	}
}

func (d *Desk) export(w http.ResponseWriter, r *http.Request, s *session) {
	day, err := time.ParseInLocation(time.DateOnly, r.PostFormValue("day"), d.now().Location())
	if err != nil {
		d.fail(w, r, http.StatusUnprocessableEntity, "fault.day", Path)
		return
	}
	w.Header().Set("Content-Type", "application/zip")
	w.Header().Set("Content-Disposition", `attachment; filename="motcua-`+day.Format(time.DateOnly)+`.zip"`)
	if _, err := d.o.Store.Export(r.Context(), day, s.officer, w); err != nil {
		d.log.Error("export a day", "error", err)
		panic(http.ErrAbortHandler) // half a ZIP must not look whole
	}
}
