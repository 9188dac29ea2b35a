package sign

import (
	"slices"
	"strconv"
	"time"
)

// Month says whether an entry was made in a month ("2026-11") of Hà Nội's calendar.
func (c Certified) Month(month string) bool { return MonthOf(c.At) == month }

// MonthOf is the month ("2026-11") in which what is certified at a time stands in the register: by Vietnam's clock, whatever this
// machine's is.
func MonthOf(at time.Time) string { return at.In(Hanoi).Format("2006-01") }

// exportHeads are the columns of a register as a table, under which the tables of several kiosks of a ward can be laid one after the other:
// kiosk and book stand in each row. There is no column for who asked: the register names no person.
var exportHeads = []string{"máy", "quyển số", "số", "năm", "ngày", "giấy tờ", "số trang", "hình thức", "người ký", "mã hồ sơ", "sha256"}

// Table is a register's lines as rows with their heads; code gives the receipt code of a submission, "" for one that isn't known (any
// more): its number may never have been used.
func (r *Register) Table(kiosk string, lines []Certified, code func(submission string) string) [][]string {
	rows := [][]string{slices.Clone(exportHeads)}
	for _, c := range lines {
		rows = append(rows, []string{kiosk, r.bookOf(c), strconv.Itoa(c.Number), strconv.Itoa(c.Year), c.At.In(Hanoi).Format(time.DateOnly),
			c.Title, strconv.Itoa(c.Pages), c.Form, c.Officer, code(c.Submission), c.Digest})
	}
	return rows
}
