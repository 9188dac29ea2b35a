// Package breach lists which submissions a kiosk held, and of which days, for the notice that is owed when a kiosk was stolen
// or broken into (Law 91/2025/QH15). In go the queue's records, what was set aside, and the audit log, which still knows what
// the queue forgot; out comes a Report of codes, procedures and times, without personal data. What can't be told is listed
// as held: a person rather hears of it needlessly.
package breach

import (
	"cmp"
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strconv"
	"text/tabwriter"
	"time"

	"motcua/agent/audit"
	"motcua/agent/dossier"
	"motcua/queue"
)

// Content says what of a submission lay on the kiosk.
type Content string

// What there can be.
const (
	Here    Content = "here"             // sealed to the kiosk's key, which the kiosk has
	Sealed  Content = "sealed-to-office" // only the office's key opens it
	Wiped   Content = "wiped"            // was here within the period, and is gone
	Aside   Content = "set-aside"        // a file the index does not know (motcua queue found)
	Unknown Content = "unknown"          // the queue has no record any more; the audit log says that it was accepted
)

// Row is one submission that the kiosk held.
type Row struct {
	ID        string      `json:"id"`
	Code      string      `json:"code,omitempty"`
	Accepted  time.Time   `json:"accepted,omitzero"`
	Procedure string      `json:"procedure,omitempty"`
	Ward      string      `json:"ward,omitempty"`
	State     queue.State `json:"state,omitempty"`
	Delivered time.Time   `json:"delivered,omitzero"` // who it is about can be asked of the office from then on
	Content   Content     `json:"content"`
}

// Day counts the submissions accepted on one day.
type Day struct {
	Day   string `json:"day"` // YYYY-MM-DD
	Held  int    `json:"held"`
	Wiped int    `json:"wiped"` // of them, gone from the kiosk by now
}

// Report is what a kiosk held in a period.
type Report struct {
	Kiosk string    `json:"kiosk"`
	Ward  string    `json:"ward,omitempty"`
	From  time.Time `json:"from,omitzero"` // zero: since the kiosk was set up
	Until time.Time `json:"until"`
	Key   string    `json:"key"` // where the kiosk's key lies: tpm or file
	Days  []Day     `json:"days"`
	Rows  []Row     `json:"submissions"` // oldest first

	// Answers and Results are the dossiers, by their first submissions, of which the office's answer, and a result, lie here now.
	// They may have been handed in at other kiosks.
	Answers []string `json:"answers,omitempty"`
	Results []string `json:"results,omitempty"`
	Visits  int      `json:"unfinished_visits"` // of the last minutes, on the disk now
}

// Book gathers what is needed for a Report.
type Book struct {
	from, until time.Time
	keep        time.Duration // how long content stays after delivery; negative: for ever
	rows        map[string]Row
	gone        map[string]bool // known to the queue, and not held in the period
}

// Open begins a report on from up to but not at until; from may be zero. keep is the queue's retention.
func Open(from, until time.Time, keep time.Duration) *Book {
	return &Book{from: from, until: until, keep: keep, rows: map[string]Row{}, gone: map[string]bool{}}
}

// Submission adds one of the queue's records.
func (b *Book) Submission(s queue.Submission) {
	row := Row{ID: s.ID, Code: s.Code, Accepted: s.Created, Procedure: s.Labels[dossier.LabelProcedure], Ward: s.Labels[dossier.LabelWard],
		State: s.State, Delivered: s.Delivered, Content: Here}
	switch {
	case s.Wiped:
		row.Content = Wiped
	case s.Sealed:
		row.Content = Sealed
	}
	if !s.Created.Before(b.until) || s.Wiped && b.wipedBefore(s) {
		b.gone[s.ID] = true
		return
	}
	b.rows[s.ID] = row
}

// slack is how much later than planned a kiosk may have wiped what was delivered: one that was off wipes when it is on again.
const slack = 31 * 24 * time.Hour

// wipedBefore tells whether a content that is wiped now was so before the period began, at the latest that is likely.
func (b *Book) wipedBefore(s queue.Submission) bool {
	since := s.Delivered
	if s.Acknowledged.After(since) {
		since = s.Acknowledged
	}
	return !b.from.IsZero() && !since.IsZero() && since.Add(max(b.keep, 0)+slack).Before(b.from)
}

// Found adds a file that was set aside.
func (b *Book) Found(f queue.Found) {
	id := f.Submission.ID
	if id == "" {
		id = f.Name // its card can't be read: that it is there counts
	}
	if created := f.Submission.Created; !created.IsZero() && !created.Before(b.until) {
		return
	}
	if row, ok := b.rows[id]; ok && row.Content != Wiped {
		return
	}
	delete(b.gone, id)
	b.rows[id] = Row{ID: id, Code: f.Submission.Code, Accepted: f.Submission.Created, Procedure: f.Submission.Labels[dossier.LabelProcedure],
		Ward: f.Submission.Labels[dossier.LabelWard], Content: Aside}
}

// Entry adds what the audit log says, after all of the queue's records: submissions that were dropped or forgotten since.
func (b *Book) Entry(e audit.Entry) {
	if e.Act != audit.SubmissionAccepted && e.Act != audit.SubmissionDropped || e.Submission == "" || !e.Time.Before(b.until) ||
		b.gone[e.Submission] {
		return
	}
	row, known := b.rows[e.Submission]
	switch {
	case known && row.Content != Unknown:
	case e.Act == audit.SubmissionAccepted:
		b.rows[e.Submission] = Row{ID: e.Submission, Accepted: e.Time, Procedure: e.Procedure, Content: Unknown}
	case !b.from.IsZero() && e.Time.Before(b.from): // dropped before the period: its content was not here
		delete(b.rows, e.Submission)
	}
}

// Report gives what was gathered, in loc's days.
func (b *Book) Report(kiosk, ward, key string, loc *time.Location) Report {
	r := Report{Kiosk: kiosk, Ward: ward, From: b.from, Until: b.until, Key: key, Days: []Day{}, Rows: []Row{}}
	for _, row := range b.rows {
		r.Rows = append(r.Rows, row)
	}
	slices.SortFunc(r.Rows, func(x, y Row) int { return cmp.Or(x.Accepted.Compare(y.Accepted), cmp.Compare(x.ID, y.ID)) })
	for _, row := range r.Rows {
		day := day(row.Accepted, loc)
		if n := len(r.Days); n == 0 || r.Days[n-1].Day != day {
			r.Days = append(r.Days, Day{Day: day})
		}
		d := &r.Days[len(r.Days)-1]
		d.Held++
		if row.Content == Wiped {
			d.Wiped++
		}
	}
	return r
}

func day(t time.Time, loc *time.Location) string {
	if t.IsZero() {
		return "?"
	}
	return t.In(loc).Format(time.DateOnly)
}

// Text writes the report for a terminal.
func (r Report) Text(w io.Writer, loc *time.Location) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	since := "it was set up"
	if !r.From.IsZero() {
		since = r.From.In(loc).Format("2006-01-02 15:04")
	}
	fmt.Fprintf(t, "kiosk %s held %d submissions between %s and %s\n", r.Kiosk, len(r.Rows), since, r.Until.In(loc).Format("2006-01-02 15:04"))
	fmt.Fprintf(t, "their contents are sealed to the kiosk's key, which lies in its %s\n",
		map[string]string{"tpm": "TPM", "file": "data folder"}[r.Key])
	fmt.Fprintf(t, "answers of the office to %d dossiers lie here, with %d results; %d visits were not finished\n", len(r.Answers),
		len(r.Results), r.Visits)
	fmt.Fprintf(t, "\nDAY\tHELD\tOF THEM WIPED\n")
	for _, d := range r.Days {
		fmt.Fprintf(t, "%s\t%d\t%d\n", d.Day, d.Held, d.Wiped)
	}
	fmt.Fprintf(t, "\nCODE\tACCEPTED\tPROCEDURE\tSTATE\tCONTENT\tID\n")
	for _, row := range r.Rows {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\n", row.Code, day(row.Accepted, loc), row.Procedure, row.State, row.Content, row.ID)
	}
	for _, id := range r.Results {
		fmt.Fprintf(t, "\t\t\t\tresult\t%s\n", id)
	}
	if err := t.Flush(); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

// CSV writes one line a submission.
func (r Report) CSV(w io.Writer, loc *time.Location) error {
	out := csv.NewWriter(w)
	_ = out.Write([]string{"kiosk", "code", "id", "day", "accepted", "procedure", "ward", "state", "delivered", "content"})
	for _, row := range r.Rows {
		_ = out.Write([]string{plain(r.Kiosk), row.Code, row.ID, day(row.Accepted, loc), stamp(row.Accepted), plain(row.Procedure),
			plain(row.Ward),
			string(row.State), stamp(row.Delivered), string(row.Content)})
	}
	out.Flush()
	if err := out.Error(); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// plain disarms a cell that a spreadsheet would take for a formula.
func plain(cell string) string {
	if cell != "" && (cell[0] == '=' || cell[0] == '+' || cell[0] == '-' || cell[0] == '@') {
		return strconv.Quote(cell)
	}
	return cell
}
