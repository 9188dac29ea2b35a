package desk

import (
	"bytes"
	"net/http"
	"time"

	"motcua/agent/report"
)

// figuresWeeks is how many weeks are shown unless other days are asked for, this one with them.
const figuresWeeks = 4

type figuresBody struct {
	report.Report
	Weeks      []report.Week
	Procedures []report.Group
	Wrong      bool
}

// period is the days that are asked for; those of the last weeks where there are none, or none that can be.
func (d *Desk) period(r *http.Request) (since, until time.Time, err error) {
	now := d.now()
	monday := now.AddDate(0, 0, -(int(now.Weekday())+6)%7-7*(figuresWeeks-1)).Format(report.DayForm)
	from, to := r.FormValue("from"), r.FormValue("to")
	if from == "" && to == "" {
		from = monday
	}
	if since, until, err = report.Period(from, to, now); err != nil {
		since, until, _ = report.Period(monday, "", now)
	}
	return since, until, err
}

// figures shows by weeks what came, what was answered and how long it took.
func (d *Desk) figures(w http.ResponseWriter, r *http.Request, _ *session) {
	since, until, err := d.period(r)
	rep := d.o.Store.Figures(since, until)
	status := http.StatusOK
	if err != nil {
		status = http.StatusUnprocessableEntity
	}
	d.render(w, r, status, "figures", figuresBody{rep, rep.Weeks(), rep.AnswersBy(report.ByProcedure), err != nil})
}

// figuresTable gives the weeks as CSV.
func (d *Desk) figuresTable(w http.ResponseWriter, r *http.Request, _ *session) {
	since, until, err := d.period(r)
	if err != nil {
		d.fail(w, r, http.StatusUnprocessableEntity, "fault.day", "/desk/figures")
		return
	}
	rep := d.o.Store.Figures(since, until)
	var table bytes.Buffer
	if err := rep.WeeksCSV(&table); err != nil {
		d.log.Error("figures", "error", err)
		d.fail(w, r, http.StatusInternalServerError, "fault", "/desk/figures")
		return
	}
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="motcua-`+rep.From+"-"+rep.To+`.csv"`)
	_, _ = w.Write(table.Bytes()) // the browser may have gone
}
