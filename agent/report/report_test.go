package report

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"motcua/agent/dossier"
	"motcua/agent/procedure"
	"motcua/queue"
)

var hanoi = time.FixedZone("+07", 7*3600)

func at(day, hour int) time.Time { return time.Date(2026, 11, day, hour, 0, 0, 0, hanoi) }

func sample(when time.Time, code, level, channel, ward string, state queue.State) queue.Submission {
	return queue.Submission{Created: when.UTC(), State: state, Labels: map[string]string{
		dossier.LabelProcedure: code, dossier.LabelLevel: level, dossier.LabelChannel: channel, dossier.LabelWard: ward}}
}

func tally(t *testing.T) Report {
	t.Helper()
	since, until, err := Period("2026-11-02", "2026-11-04", at(20, 8))
	if err != nil {
		t.Fatal(err)
	}
	procedures := &procedure.Catalog{All: []*procedure.Procedure{{Code: "2.000815",
		Name: procedure.Text{VI: "Chứng thực bản sao từ bản chính"}}}}
	return Tally(slices.Values([]queue.Submission{
		sample(at(1, 23), "2.000815", "toàn trình", "self", "Bến Nghé", queue.Delivered), // the day before
		sample(at(2, 0), "2.000815", "toàn trình", "self", "Bến Nghé", queue.Delivered),  // 17:00 the day before in UTC
		sample(at(2, 9), "2.000815", "toàn trình", "self", "Bến Nghé", queue.Queued),
		sample(at(2, 9), "2.000815", "toàn trình", "volunteer", "Bến Nghé", queue.Held),
		sample(at(4, 23), "9.999999", "một phần", "command", "=cmd()", queue.Sending),
		sample(at(5, 0), "2.000815", "toàn trình", "self", "Bến Nghé", queue.Delivered), // the day after
	}), procedures, nil, since, until)
}

func TestTallyCountsThePeriodInTheWardsTime(t *testing.T) {
	r := tally(t)
	if r.From != "2026-11-02" || r.To != "2026-11-04" || len(r.Rows) != 3 {
		t.Fatalf("%+v", r)
	}
	if got := r.Rows[0]; got.Accepted != 2 || got.Delivered != 1 || got.Waiting != 1 || got.Name != "Chứng thực bản sao từ bản chính" ||
		got.LevelNo != 4 {
		t.Errorf("first row %+v", got)
	}
	if got := r.Rows[2]; got.Name != "9.999999" || got.LevelNo != 3 || got.Waiting != 1 {
		t.Errorf("a procedure that was taken away: %+v", got)
	}
	if r.Total.Accepted != 4 || r.Total.Delivered != 1 || r.Total.Held != 1 || r.Total.Waiting != 2 {
		t.Errorf("total %+v", r.Total)
	}
	if days := r.Days(); len(days) != 3 || days[0].Count != 3 || days[1].Count != 0 || days[2].Count != 1 {
		t.Errorf("days %v", days)
	}
	if by := r.By(ByChannel); by[0] != (Share{"tự làm", 2}) || len(by) != 3 {
		t.Errorf("channels %v", by)
	}
}

func TestPeriod(t *testing.T) {
	now := at(20, 8)
	for _, c := range []struct{ from, to, since, until string }{
		{"", "", "2026-11-01", "2026-11-21"},
		{"2026-10-05", "", "2026-10-05", "2026-11-21"},
		{"", "2026-02-28", "2026-02-01", "2026-03-01"},
		{"2026-11-20", "2026-11-20", "2026-11-20", "2026-11-21"},
	} {
		since, until, err := Period(c.from, c.to, now)
		if err != nil || since.Format(DayForm) != c.since || until.Format(DayForm) != c.until {
			t.Errorf("%+v: %v %v %v", c, since, until, err)
		}
	}
	for _, c := range [][2]string{{"5.11.2026", ""}, {"", "2026-13-01"}, {"2026-11-20", "2026-11-19"}} {
		if _, _, err := Period(c[0], c[1], now); err == nil {
			t.Errorf("%v accepted", c)
		}
	}
}

func TestCSVOpensInSpreadsheets(t *testing.T) {
	var out bytes.Buffer
	if err := tally(t).CSV(&out); err != nil {
		t.Fatal(err)
	}
	text, ok := strings.CutPrefix(out.String(), "\ufeff")
	if !ok {
		t.Error("no byte-order mark")
	}
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil || len(rows) != 4 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	if ward := rows[3][1]; ward != "'=cmd()" {
		t.Errorf("formula not disarmed: %q", ward)
	}
}

func TestJSONOfAnEmptyReportHasRows(t *testing.T) {
	since, until, _ := Period("", "", at(20, 8))
	data, err := json.Marshal(Tally(slices.Values([]queue.Submission(nil)), &procedure.Catalog{}, nil, since, until))
	if err != nil || !strings.Contains(string(data), `"rows":[]`) {
		t.Fatalf("%s %v", data, err)
	}
}

// The PDF is read back by poppler, as whoever receives it would.
func TestPDFSaysWhatTheReportSays(t *testing.T) {
	r := tally(t)
	for i := range 60 { // on to further pages
		r.Rows = append(r.Rows, Row{Key: Key{Day: "2026-11-04", Ward: "Bến Nghé", Procedure: "2.000815"}, Name: "Chứng thực", Accepted: i})
	}
	path := filepath.Join(t.TempDir(), "report.pdf")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.PDF(f, "UBND phường Bến Nghé", "nhật ký 12:abcd", at(20, 8)); err != nil {
		t.Fatal(err)
	}
	f.Close()
	text, err := exec.Command("pdftotext", "-layout", path, "-").Output()
	if err != nil {
		t.Fatalf("pdftotext (package poppler-utils): %v", err)
	}
	for _, want := range []string{"UBND phường Bến Nghé", "Từ 02/11/2026 đến 04/11/2026", "tự làm", "toàn trình (mức 4)", "nhật ký 12:abcd",
		"3/3"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%q is not in the PDF:\n%s", want, text)
		}
	}
	if keep := os.Getenv("MOTCUA_KEEP_PDF"); keep != "" {
		data, _ := os.ReadFile(path)
		os.WriteFile(keep, data, 0o600)
	}
}

func TestTextSummary(t *testing.T) {
	var out bytes.Buffer
	if err := tally(t).Text(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"2026-11-02 – 2026-11-04", "tiếp nhận  4", "có người hỗ trợ", "Bến Nghé"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q missing in\n%s", want, out.String())
		}
	}
}

// Addresses with units that are no longer there are counted by what became of them.
func TestOldAddresses(t *testing.T) {
	one := sample(at(2, 9), "2.000815", "toàn trình", "self", "Bến Nghé", queue.Delivered)
	one.Labels[dossier.LabelAddresses] = "chosen moved moved"
	two := sample(at(3, 9), "2.000815", "toàn trình", "self", "Bến Nghé", queue.Delivered)
	two.Labels[dossier.LabelAddresses] = "moved kept"
	since, until, err := Period("2026-11-02", "2026-11-04", at(20, 8))
	if err != nil {
		t.Fatal(err)
	}
	r := Tally(slices.Values([]queue.Submission{one, two}), nil, nil, since, until)
	want := []Share{{addressWords["moved"], 3}, {addressWords["chosen"], 1}, {addressWords["kept"], 1}}
	if !slices.Equal(r.Addresses, want) {
		t.Errorf("%v, want %v", r.Addresses, want)
	}
	var b bytes.Buffer
	if err := r.PDF(&b, "Phường Mẫu", "nhật ký", at(20, 8)); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "report.pdf")
	if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), "pdftotext", "-layout", file, "-").CombinedOutput()
	for _, words := range []string{"Địa chỉ theo đơn vị hành chính cũ", addressWords["chosen"]} {
		if err != nil || !strings.Contains(string(out), words) {
			t.Errorf("%v: no %q in %s", err, words, out)
		}
	}
}
