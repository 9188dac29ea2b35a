package sign_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"motcua/agent/sign"
)

func TestRegister(t *testing.T) {
	path := filepath.Join(t.TempDir(), "register")
	open := func() *sign.Register {
		t.Helper()
		r, err := sign.OpenRegister(path, "SCT/BS", "")
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

// A copy that was numbered, not signed, and is another paper when it is signed at last: the register says what was signed.
func TestRegisterSaysWhatWasSigned(t *testing.T) {
	path := filepath.Join(t.TempDir(), "register")
	at := time.Date(2026, 11, 30, 2, 0, 0, 0, time.UTC)
	r, err := sign.OpenRegister(path, "", "")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []sign.Certified{
		{Submission: "A", Copy: 1, Title: "Giấy khai sinh", Pages: 1, Form: "SAO Y", Officer: "hoa", At: at},
		{Submission: "B", Copy: 1, Title: "Hợp đồng", Pages: 2, Form: "SAO Y", Officer: "hoa", At: at},
		{Submission: "A", Copy: 1, Title: "Căn cước", Pages: 2, Form: "SAO LỤC", Officer: "minh", At: at.AddDate(0, 0, 1)},
		{Submission: "A", Copy: 1, Title: "Căn cước", Pages: 2, Form: "SAO LỤC", Officer: "minh", At: at.AddDate(0, 0, 1).Add(time.Minute)},
	} {
		want := "1/2026"
		if c.Submission == "B" {
			want = "2/2026"
		}
		if got, err := r.Number(c); err != nil || got != want {
			t.Fatalf("%q, %v", got, err)
		}
	}
	again, err := sign.OpenRegister(path, "", "")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []*sign.Register{r, again} {
		all := r.Entries()
		if len(all) != 2 || all[0].Title != "Căn cước" || all[0].Pages != 2 || all[0].Officer != "minh" || all[0].Form != "SAO LỤC" ||
			!all[0].At.Equal(at.AddDate(0, 0, 1)) || all[1].Submission != "B" {
			t.Errorf("%+v", all)
		}
	}
}

// Kiosks of a ward call their book the same: no number of it stands on two copies all the same, and what a register held before its
// book bore the kiosk's id is found as it was printed.
func TestNumbersOfAWard(t *testing.T) {
	at := time.Date(2026, 11, 30, 2, 0, 0, 0, time.UTC)
	old := `{"year":2026,"number":7,"submission":"A","copy":1,"title":"Giấy khai sinh","pages":1,"form":"SAO Y","officer":"hoa",` +
		`"digest":"ab","at":"2026-11-29T09:00:00+07:00"}` + "\n"
	given := map[string]string{}
	for kiosk, book := range map[string]string{"kiosk-1": "SCT/BS", "kiosk-10": "SCT/BS", "kiosk-2": "", "k3": "SCT/BS-K3", "k": "SCT/BS"} {
		path := filepath.Join(t.TempDir(), "register")
		if err := os.WriteFile(path, []byte(old), 0o600); err != nil {
			t.Fatal(err)
		}
		r, err := sign.OpenRegister(path, book, kiosk)
		if err != nil {
			t.Fatal(err)
		}
		number, err := r.Number(sign.Certified{Submission: "B", Copy: 1, At: at, Digest: "cd"})
		if err != nil {
			t.Fatal(err)
		}
		if of := given[number]; of != "" {
			t.Errorf("%s and %s both gave %s", of, kiosk, number)
		}
		given[number] = kiosk
		again, err := sign.OpenRegister(path, book, kiosk)
		if err != nil {
			t.Fatal(err)
		}
		if line, standing := again.Look(number, "cd"); standing != sign.SameCopy || line.Submission != "B" {
			t.Errorf("%s: %q is %s", kiosk, number, standing)
		}
		before := strings.TrimSpace("7/2026 " + book)
		if line, standing := again.Look(before, "ab"); standing != sign.SameCopy || line.Submission != "A" {
			t.Errorf("%s: the line of before is %s", kiosk, standing)
		}
		if got, err := again.Number(sign.Certified{Submission: "A", Copy: 1, At: at}); err != nil || got != before {
			t.Errorf("%s: asked again, the copy of before has %q, %v", kiosk, got, err)
		}
	}
	if given["8/2026 SCT/BS kiosk-1"] == "" || given["8/2026 kiosk-2"] == "" || given["8/2026 SCT/BS-K3"] == "" {
		t.Errorf("%v", given)
	}
}
