package sign_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"motcua/agent/sign"
)

func TestRegister(t *testing.T) {
	path := filepath.Join(t.TempDir(), "register")
	open := func() *sign.Register {
		t.Helper()
		r, err := sign.OpenRegister(path, "SCT/BS")
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	number := func(r *sign.Register, submission string, n int, at time.Time) string {
		t.Helper()
		got, err := r.Number(sign.Certified{Submission: submission, Copy: n, At: at})
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	// The year is Hà Nội's: this is seven in the morning of New Year's Day there.
	year26, year27 := time.Date(2026, 12, 31, 9, 0, 0, 0, time.UTC), time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	r := open()
	for i, c := range []struct {
		submission string
		copy       int
		at         time.Time
		want       string
	}{
		{"A", 1, year26, "1/2026 SCT/BS"}, {"A", 2, year26, "2/2026 SCT/BS"}, {"B", 1, year26, "3/2026 SCT/BS"},
		{"A", 2, year26, "2/2026 SCT/BS"}, // asked again
		{"C", 1, year27, "1/2027 SCT/BS"}, {"A", 1, year27, "1/2026 SCT/BS"},
	} {
		if got := number(r, c.submission, c.copy, c.at); got != c.want {
			t.Errorf("%d: %q, not %q", i, got, c.want)
		}
		r = open() // each is on the disk when it is given
	}
	if n := len(r.Entries()); n != 4 {
		t.Errorf("%d lines", n)
	}
	// The power fails while a line is written.
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = f.WriteString(`{"year":2027,"number":2,"subm`)
	f.Close()
	if got := number(open(), "D", 1, year27); got != "2/2027 SCT/BS" {
		t.Error(got)
	}
	if got := number(open(), "D", 1, year27); got != "2/2027 SCT/BS" {
		t.Errorf("after a torn line: %s", got)
	}
}
