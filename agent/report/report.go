// Package report counts submissions the way a ward must report them to its city: by procedure, service
// level, channel, ward and day. In go the queue's records (their labels hold no personal data); out comes a
// Report that writes itself as text, CSV or PDF.
//
// Service levels are given by both names: "toàn trình" and "một phần" of Decree 42/2022/NĐ-CP, and 4
// and 3 of Decree 43/2011/NĐ-CP, because reviews still compare with older years.
package report

import (
	"cmp"
	"encoding/csv"
	"fmt"
	"io"
	"iter"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"motcua/agent/dossier"
	"motcua/agent/procedure"
	"motcua/queue"
)

// Key is what submissions are counted by.
type Key struct {
	Day       string `json:"day"` // YYYY-MM-DD, in the ward's own time
	Ward      string `json:"ward"`
	Procedure string `json:"procedure"`
	Level     string `json:"level"`
	Channel   string `json:"channel"`
}

// Row is the count for one Key.
type Row struct {
	Key
	Name      string `json:"name"`         // of the procedure, Vietnamese; its code where it isn't known any more
	LevelNo   int    `json:"level_number"` // 4 or 3; 0 where the level isn't known
	Accepted  int    `json:"accepted"`
	Delivered int    `json:"delivered"`
	Waiting   int    `json:"waiting"` // queued or being sent
	Held      int    `json:"held"`

	Answers Answers `json:"answers"` // of the office, as far as they came to this kiosk
}

// add counts one more record's worth.
func (r *Row) add(s queue.State) {
	r.Accepted++
	switch s {
	case queue.Delivered, queue.Acknowledged:
		r.Delivered++
	case queue.Held:
		r.Held++
	default:
		r.Waiting++
	}
}

// Report is the counts of a period. From and To are days, both inclusive.
type Report struct {
	From  string  `json:"from"`
	To    string  `json:"to"`
	Rows  []Row   `json:"rows"` // by day, ward, procedure, level, channel
	Total Row     `json:"total"`
	Ways  []Share `json:"papers_not_scanned,omitempty"` // how papers were given without a scan

	Addresses []Share `json:"addresses_of_old_units,omitempty"` // what became of those whose units are no longer there

	Answers Answers `json:"answers"`
}

// DayForm is how days are written and asked for.
const DayForm = "2006-01-02"

// Period turns two days (either may be empty: the first of this month, today) into a span of time:
// since is the first instant, until the first instant after the last day.
func Period(from, to string, now time.Time) (since, until time.Time, err error) {
	year, month, day := now.Date()
	since = time.Date(year, month, 1, 0, 0, 0, 0, now.Location())
	until = time.Date(year, month, day, 0, 0, 0, 0, now.Location())
	for _, d := range []struct {
		text string
		into *time.Time
	}{{from, &since}, {to, &until}} {
		if d.text == "" {
			continue
		}
		if *d.into, err = time.ParseInLocation(DayForm, d.text, now.Location()); err != nil {
			return since, until, fmt.Errorf("day %q: write it as 2026-11-30", d.text)
		}
	}
	if from == "" && to != "" {
		since = time.Date(until.Year(), until.Month(), 1, 0, 0, 0, 0, now.Location())
	}
	if until.Before(since) {
		return since, until, fmt.Errorf("the period ends (%s) before it begins (%s)", until.Format(DayForm), since.Format(DayForm))
	}
	return since, until.AddDate(0, 0, 1), nil
}

// Tally counts the submissions accepted from since up to but not at until, in since's time zone, and how they were answered (find
// may be nil).
func Tally(submissions iter.Seq[queue.Submission], procedures *procedure.Catalog, find Find, since, until time.Time) Report {
	r := Report{From: since.Format(DayForm), To: until.Add(-time.Nanosecond).Format(DayForm), Rows: []Row{}}
	rows := map[Key]*Row{}
	ways, addresses := map[string]int{}, map[string]int{}
	for s := range submissions {
		if s.Created.Before(since) || !s.Created.Before(until) {
			continue
		}
		k := Key{
			Day:       s.Created.In(since.Location()).Format(DayForm),
			Ward:      s.Labels[dossier.LabelWard],
			Procedure: s.Labels[dossier.LabelProcedure],
			Level:     s.Labels[dossier.LabelLevel],
			Channel:   s.Labels[dossier.LabelChannel],
		}
		row := rows[k]
		if row == nil {
			row = &Row{Key: k, Name: k.Procedure, LevelNo: procedure.Level(k.Level).Number()}
			if k.Level == "" {
				row.LevelNo = 0
			}
			if procedures != nil {
				if p, err := procedures.Get(k.Procedure); err == nil {
					row.Name = p.Name.VI
				}
			}
			rows[k] = row
		}
		row.add(s.State)
		row.Answers.count(s, find)
		r.Total.add(s.State)
		for _, way := range strings.Fields(s.Labels[dossier.LabelWays]) {
			ways[way]++
		}
		for _, one := range strings.Fields(s.Labels[dossier.LabelAddresses]) {
			addresses[one]++
		}
	}
	for _, one := range dossier.Addresses {
		if n := addresses[one]; n > 0 {
			r.Addresses = append(r.Addresses, Share{addressWords[one], n})
		}
	}
	for _, id := range procedure.WayIDs {
		if n := ways[string(id)]; n > 0 {
			r.Ways = append(r.Ways, Share{id.Text().VI, n})
		}
	}
	for _, row := range rows {
		row.Answers.settle()
		r.Answers.add(row.Answers)
		r.Rows = append(r.Rows, *row)
	}
	r.Answers.settle()
	slices.SortFunc(r.Rows, func(a, b Row) int {
		return cmp.Or(cmp.Compare(a.Day, b.Day), cmp.Compare(a.Ward, b.Ward), cmp.Compare(a.Procedure, b.Procedure),
			cmp.Compare(a.Level, b.Level), cmp.Compare(a.Channel, b.Channel))
	})
	return r
}

var addressWords = map[string]string{dossier.AddressMoved: "Đổi sang đơn vị mới, chỉ có một",
	dossier.AddressChosen: "Đơn vị cũ bị chia, người dân đã chọn", dossier.AddressKept: "Giữ như trên giấy tờ"}

// Share is one bar of a chart or one line of a summary.
type Share struct {
	Label string `json:"label"`
	Count int    `json:"count"`
}

// By adds the rows up by one property, greatest first; days stay in their order.
func (r Report) By(property func(Row) string) []Share {
	var shares []Share
	at := map[string]int{}
	for _, row := range r.Rows {
		label := property(row)
		i, ok := at[label]
		if !ok {
			i = len(shares)
			at[label] = i
			shares = append(shares, Share{Label: label})
		}
		shares[i].Count += row.Accepted
	}
	slices.SortStableFunc(shares, func(a, b Share) int { return cmp.Compare(b.Count, a.Count) })
	return shares
}

// Days gives the count of every day of the period, days without any included.
func (r Report) Days() []Share {
	counts := map[string]int{}
	for _, row := range r.Rows {
		counts[row.Day] += row.Accepted
	}
	from, err := time.Parse(DayForm, r.From)
	if err != nil {
		return nil
	}
	var days []Share
	for d := from; d.Format(DayForm) <= r.To; d = d.AddDate(0, 0, 1) {
		label := d.Format(DayForm)
		days = append(days, Share{label, counts[label]})
	}
	return days
}

// ByProcedure, ByLevel, ByChannel and ByWard are the properties that By is asked for.
func ByProcedure(r Row) string { return r.Procedure + " " + r.Name }

// ByLevel gives the level by both its names.
func ByLevel(r Row) string { return levelName(r) }

// ByChannel tells who sat at the screen, in Vietnamese.
func ByChannel(r Row) string { return channelName(r.Channel) }

// ByWard gives the ward.
func ByWard(r Row) string { return r.Ward }

func levelName(r Row) string {
	if r.LevelNo == 0 {
		return "không rõ"
	}
	return fmt.Sprintf("%s (mức %d)", r.Level, r.LevelNo)
}

func channelName(channel string) string {
	switch dossier.Channel(channel) {
	case dossier.Self:
		return "tự làm"
	case dossier.Volunteer:
		return "có người hỗ trợ"
	case dossier.Command:
		return "dòng lệnh"
	}
	return "không rõ"
}

var heads = []string{"ngày", "phường/xã", "mã thủ tục", "thủ tục", "mức độ", "mức (NĐ 43/2011)", "kênh",
	"tiếp nhận", "đã gửi", "đang chờ", "bị giữ",
	"cơ quan đã trả lời", "chờ bổ sung", "đã xong", "không giải quyết", "giờ giải quyết (trung vị)"}

func (r Row) cells() []string {
	level, number := r.Level, strconv.Itoa(r.LevelNo)
	if r.LevelNo == 0 {
		level, number = "không rõ", ""
	}
	a, median := r.Answers, ""
	if a.Done+a.Refused > 0 {
		median = strconv.FormatFloat(a.Median, 'f', 1, 64)
	}
	return []string{r.Day, r.Ward, r.Procedure, r.Name, level, number, channelName(r.Channel),
		strconv.Itoa(r.Accepted), strconv.Itoa(r.Delivered), strconv.Itoa(r.Waiting), strconv.Itoa(r.Held),
		strconv.Itoa(a.Answered), strconv.Itoa(a.NeedsMore), strconv.Itoa(a.Done), strconv.Itoa(a.Refused), median}
}

// CSV writes the rows by RFC 4180, with a byte-order mark, without which spreadsheet programs on
// Windows show Vietnamese as garbage. A cell that a spreadsheet would take for a formula is
// disarmed by a leading apostrophe (wards and names come from files that others may write).
func (r Report) CSV(w io.Writer) error {
	rows := [][]string{heads}
	for _, row := range r.Rows {
		rows = append(rows, row.cells())
	}
	return WriteCSV(w, rows)
}

// WriteCSV writes a table as CSV does.
func WriteCSV(w io.Writer, rows [][]string) error {
	if _, err := io.WriteString(w, "\ufeff"); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	out := csv.NewWriter(w)
	out.UseCRLF = true
	for _, cells := range rows {
		for i, c := range cells {
			if c != "" && (c[0] == '=' || c[0] == '+' || c[0] == '-' || c[0] == '@') {
				cells[i] = "'" + c
			}
		}
		if err := out.Write(cells); err != nil {
			return fmt.Errorf("write report: %w", err)
		}
	}
	out.Flush()
	if err := out.Error(); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

// Text writes a summary for a terminal: totals, then by procedure, level and channel.
func (r Report) Text(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "%s – %s\n\n", r.From, r.To)
	fmt.Fprintf(t, "tiếp nhận\t%d\nđã gửi\t%d\nđang chờ\t%d\nbị giữ\t%d\n",
		r.Total.Accepted, r.Total.Delivered, r.Total.Waiting, r.Total.Held)
	if a := r.Answers; a.Answered > 0 {
		fmt.Fprintf(t, "\ncơ quan đã trả lời\t%d\n  đã xong\t%d\n  không giải quyết\t%d\n  đang chờ bổ sung\t%d\n",
			a.Answered, a.Done, a.Refused, a.NeedsMore)
		fmt.Fprintf(t, "  thời gian giải quyết (giờ), trung vị / lâu nhất\t%.1f / %.1f\n", a.Median, a.Longest)
	}
	if weeks := r.Weeks(); r.Answers.Answered > 0 && len(weeks) > 1 {
		fmt.Fprintf(t, "\ntheo tuần\ttiếp nhận\tđã trả lời\tđã xong\tkhông giải quyết\tgiờ (trung vị)\n")
		for _, w := range weeks {
			fmt.Fprintf(t, "  %s\t%d\t%d\t%d\t%d\t%s\n", w.Days(), w.Accepted, w.Answered, w.Done, w.Refused, w.Took())
		}
	}
	for _, part := range []struct {
		head string
		by   func(Row) string
	}{{"thủ tục", ByProcedure}, {"mức độ", ByLevel}, {"kênh", ByChannel}, {"phường/xã", ByWard}} {
		fmt.Fprintf(t, "\n%s\n", part.head)
		for _, s := range r.By(part.by) {
			fmt.Fprintf(t, "  %s\t%d\n", s.Label, s.Count)
		}
	}
	if err := t.Flush(); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}
