package volunteer

import (
	"bytes"
	"net/http"
	"slices"
	"time"

	"motcua/agent/audit"
	"motcua/agent/report"
	"motcua/agent/staff"
	"motcua/agent/web/screen"
	"motcua/queue"
)

type reportBody struct {
	Report   report.Report
	Days     []bar
	Parts    []reportPart
	From, To string
	Widest   int
}

type reportPart struct {
	Key  string
	Bars []bar
}

// bar is one bar of a chart: the lengths are the parts of 100 that SVG attributes take, since the policy
// of the pages forbids inline styles.
type bar struct {
	Label string
	Count int
	Len   int  // 0 to 100
	Rest  int  // 100 - Len
	X     int  // place in the row
	Mark  bool // its label is shown below
}

func (s *Pages) tally(r *http.Request) (report.Report, error) {
	ask := r.URL.Query()
	since, until, err := report.Period(ask.Get("from"), ask.Get("to"), s.Now())
	if err != nil {
		return report.Report{}, err
	}
	list, err := s.Options.Console.Backlog.List(queue.Filter{Since: since, Until: until})
	if err != nil {
		return report.Report{}, err
	}
	var find report.Find
	if s.Options.Inquiry != nil {
		find = s.Options.Inquiry.Stands
	}
	return report.Tally(slices.Values(list), s.Options.Procedures(), find, since, until), nil
}

func (s *Pages) reportPage(w http.ResponseWriter, r *http.Request, m staff.Member) {
	if s.Options.Console.Backlog == nil {
		s.NotFound(w, r)
		return
	}
	v := screen.ConsoleView{Member: m}
	rep, err := s.tally(r)
	if err != nil {
		v.Fault = s.Explain(s.Session(w, r).Language(), err)
		v.Body = reportBody{}
		s.RenderConsole(w, r, http.StatusUnprocessableEntity, "report", v)
		return
	}
	days := bars(rep.Days())
	for i := range days {
		days[i].X = i * 10
		days[i].Mark = i == 0 || i == len(days)-1
		if t, err := time.Parse(report.DayForm, days[i].Label); err == nil {
			days[i].Label = t.Format("02/01")
		}
	}
	v.Body = reportBody{Report: rep, From: rep.From, To: rep.To, Days: days, Widest: len(days) * 10, Parts: []reportPart{
		{"report.procedures", bars(rep.By(report.ByProcedure))},
		{"report.levels", bars(rep.By(report.ByLevel))},
		{"report.channels", bars(rep.By(report.ByChannel))},
		{"report.wards", bars(rep.By(report.ByWard))},
		{"report.ways", bars(rep.Ways)},
		{"report.addresses", bars(rep.Addresses)},
	}}
	s.RenderConsole(w, r, http.StatusOK, "report", v)
}

func bars(shares []report.Share) []bar {
	most := 1
	for _, one := range shares {
		most = max(most, one.Count)
	}
	list := make([]bar, len(shares))
	for i, one := range shares {
		n := one.Count * 100 / most
		list[i] = bar{Label: one.Label, Count: one.Count, Len: n, Rest: 100 - n}
	}
	return list
}

// reportFile gives the report as CSV or PDF. A printed report carries the head of the audit log.
func (s *Pages) reportFile(w http.ResponseWriter, r *http.Request, m staff.Member) {
	file := r.PathValue("file")
	if s.Options.Console.Backlog == nil || (file != "report.csv" && file != "report.pdf") {
		s.NotFound(w, r)
		return
	}
	rep, err := s.tally(r)
	var b bytes.Buffer
	kind := "text/csv; charset=utf-8"
	switch {
	case err != nil:
	case file == "report.csv":
		err = rep.CSV(&b)
	default:
		kind = "application/pdf"
		note := ""
		if s.Options.Console.AuditDir != "" {
			if _, last, e := audit.Verify(r.Context(), s.Options.Console.AuditDir, nil, nil); e == nil {
				note = "audit " + last.String()
			}
		}
		err = rep.PDF(&b, s.Options.Console.Office, note, s.Now())
	}
	if err != nil {
		s.RenderConsole(w, r, http.StatusUnprocessableEntity, "report",
			screen.ConsoleView{Member: m, Fault: s.Explain(s.Session(w, r).Language(), err), Body: reportBody{}})
		return
	}
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("Content-Disposition", `attachment; filename="motcua-`+rep.From+`-`+rep.To+file[len("report"):]+`"`)
	_, _ = w.Write(b.Bytes()) // the browser may have gone
}
