package ipp

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	goipp "github.com/OpenPrinting/goipp"

	"motcua/drivers/ipp/cupstest"
	"motcua/drivers/printer"
)

// The variables of a program that prints one document, and is killed over it.
const (
	printTo   = "MOTCUA_TEST_PRINT_TO"
	printJobs = "MOTCUA_TEST_PRINT_JOBS"
)

func TestMain(m *testing.M) {
	if to := os.Getenv(printTo); to != "" {
		jobs, err := OpenJobs(os.Getenv(printJobs))
		if err == nil {
			err = New(to, jobs).Print(context.Background(), pdf("of the killed one"))
		}
		_, _ = io.WriteString(os.Stderr, "ended: "+errors.Join(err, errors.New("it was not killed")).Error())
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func pdf(text string) Document {
	return Document{Name: "phieu", MediaType: "application/pdf", Data: []byte("%PDF-1.4\n" + text)}
}

// killed runs a program that prints on a printer without paper, and kills it once the printer has its document.
func killed(t *testing.T, to, queue, file string) {
	t.Helper()
	program := exec.Command(os.Args[0])
	program.Env = append(os.Environ(), printTo+"="+to, printJobs+"="+file)
	var said strings.Builder
	program.Stderr = &said
	if err := program.Start(); err != nil {
		t.Fatal(err)
	}
	if !arrives(t, queue) {
		t.Fatalf("the printer never got it: %s", said.String())
	}
	if err := program.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := program.Wait(); err == nil || said.String() != "" {
		t.Fatalf("it was not killed: %v %s", err, said.String())
	}
}

// waiting gives the names of the jobs that a queue has not printed yet.
func waiting(t *testing.T, queue string) (names []string) {
	t.Helper()
	answer, err := at(queue).ask(t.Context(), goipp.OpGetJobs, nil, nil,
		goipp.MakeAttr("requested-attributes", goipp.TagKeyword, goipp.String("job-id"), goipp.String("job-name")))
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range answer.Groups {
		names = append(names, words(g.Attrs, "job-name")...)
	}
	return names
}

// arrives waits until a queue has a job; it can only be asked again and again.
func arrives(t *testing.T, queue string) bool {
	t.Helper()
	ask := time.NewTicker(20 * time.Millisecond)
	defer ask.Stop()
	late := time.After(time.Minute)
	for len(waiting(t, queue)) == 0 {
		select {
		case <-ask.C:
		case <-late:
			return false
		}
	}
	return true
}

// A program is killed while its document waits for paper: the next one takes it back, by itself or before it prints, and it never
// comes out in front of somebody else.
func TestKilledWhilePrinting(t *testing.T) {
	uri, folder := cupstest.Start(t)
	mark := filepath.Join(folder, "media-empty-error")
	printed := func() string {
		got, _ := os.ReadFile(filepath.Join(folder, cupstest.Printed))
		return string(got)
	}
	run := func(t *testing.T, jobs *Jobs) (told chan error) {
		ctx, stop := context.WithCancel(t.Context())
		told = make(chan error, 8)
		ended := make(chan error)
		go func() { ended <- jobs.Run(ctx, func(_ Late, err error) { told <- err }) }()
		t.Cleanup(func() {
			stop()
			if err := <-ended; err != nil {
				t.Error(err)
			}
		})
		return told
	}
	hears := func(t *testing.T, told chan error) error {
		select {
		case err := <-told:
			return err
		case <-time.After(time.Minute):
			t.Fatal("nothing is told")
			return nil
		}
	}
	begin := func(t *testing.T, to string) (file string) {
		if err := os.WriteFile(mark, nil, 0o644); err != nil {
			t.Fatal(err)
		}
		file = filepath.Join(t.TempDir(), "print-jobs.json")
		killed(t, to, uri, file)
		return file
	}
	reopen := func(t *testing.T, file string) *Jobs {
		jobs, err := OpenJobs(file)
		if err != nil || len(jobs.Late()) != 1 {
			t.Fatalf("%d are known after the restart: %v", len(jobs.Late()), err)
		}
		return jobs
	}
	end := func(t *testing.T, to, file string, jobs *Jobs) {
		if left := waiting(t, uri); len(left) != 0 {
			t.Errorf("%d jobs wait", len(left))
		}
		if err := os.Remove(mark); err != nil {
			t.Fatal(err)
		}
		if err := New(to, jobs).Print(t.Context(), pdf("next after "+t.Name())); err != nil {
			t.Fatal(err)
		}
		if text := printed(); strings.Contains(text, "killed one") || strings.Count(text, "next after "+t.Name()) != 1 {
			t.Error("the killed program's document came out")
		}
		if again, err := OpenJobs(file); err != nil || len(again.Late()) != 0 {
			t.Errorf("%d are still listed: %v", len(again.Late()), err)
		}
	}
	t.Run("by_itself", func(t *testing.T) {
		file := begin(t, uri)
		jobs := reopen(t, file)
		if err := hears(t, run(t, jobs)); err != nil {
			t.Error(err)
		}
		end(t, uri, file, jobs)
	})
	t.Run("given_while_the_clock_stood_at_1970", func(t *testing.T) {
		file := begin(t, uri)
		jobs := reopen(t, file)
		for _, o := range jobs.open {
			o.Given = time.Unix(60, 0)
		}
		if err := hears(t, run(t, jobs)); err != nil {
			t.Error(err)
		}
		end(t, uri, file, jobs)
	})
	t.Run("before_it_prints", func(t *testing.T) {
		file := begin(t, uri)
		jobs := reopen(t, file)
		var f *printer.Fault
		if err := New(uri, jobs).Print(t.Context(), pdf("without paper")); !errors.As(err, &f) || f.Code != printer.NoPaper {
			t.Error(err)
		}
		end(t, uri, file, jobs)
	})
	t.Run("printer_away_meanwhile", func(t *testing.T) {
		var less atomic.Int32
		to := losing(t, uri, &less, &atomic.Bool{})
		file := begin(t, to)
		less.Store(1 << 20)
		jobs := reopen(t, file)
		told := run(t, jobs)
		var f *printer.Fault
		if err := hears(t, told); !errors.As(err, &f) || f.Code != printer.Unreachable {
			t.Error(err)
		}
		if late, err := Overdue(file, time.Now().Add(time.Hour)); err != nil || len(late) != 1 || late[0].Printer != to {
			t.Errorf("%d are told to a technician: %v", len(late), err)
		}
		if err := New(to, jobs).Print(t.Context(), pdf("not tried")); !errors.As(err, &f) || f.Code != printer.Unreachable {
			t.Error(err)
		}
		less.Store(0)
		if err := hears(t, told); err != nil {
			t.Error(err)
		}
		end(t, to, file, jobs)
		if strings.Contains(printed(), "not tried") {
			t.Error("it was printed although an old one might have come out")
		}
	})
}

// A printer that is away while a document is followed is asked for it until it is there again.
func TestAwayWhileFollowed(t *testing.T) {
	uri, folder := cupstest.Start(t)
	mark := filepath.Join(folder, "media-empty-error")
	if err := os.WriteFile(mark, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	var less atomic.Int32
	q := New(losing(t, uri, &less, &atomic.Bool{}), nil)
	q.patience = beat
	ended := make(chan error, 1)
	go func() { ended <- q.Print(t.Context(), pdf("followed")) }()
	if !arrives(t, uri) {
		t.Fatal("the printer never got it")
	}
	less.Store(1 << 20)
	var f *printer.Fault
	if err := <-ended; !errors.As(err, &f) || len(q.jobs.Late()) != 1 {
		t.Fatalf("%v, %d to be taken back", err, len(q.jobs.Late()))
	}
	less.Store(0)
	if err := q.Print(t.Context(), pdf("second")); !errors.As(err, &f) || f.Code != printer.NoPaper || len(q.jobs.Late()) != 0 {
		t.Errorf("%v, %d to be taken back", err, len(q.jobs.Late()))
	}
	if left := waiting(t, uri); slices.ContainsFunc(left, func(n string) bool { return strings.HasPrefix(n, "phieu-") }) {
		t.Errorf("%d jobs wait", len(left))
	}
}

// What can't be noted is not given out; a list that can't be read is set aside, and printing goes on.
func TestJobsFile(t *testing.T) {
	dir := t.TempDir()
	jobs, err := OpenJobs(filepath.Join(dir, "not", "there"))
	if err != nil {
		t.Fatal(err)
	}
	var f *printer.Fault
	if err := New("ipp://"+cupstest.FreePort(t)+"/printers/x", jobs).Print(t.Context(), pdf("x")); err == nil || errors.As(err, &f) {
		t.Errorf("%v, want that it can't be noted", err)
	}
	file := filepath.Join(dir, "print-jobs.json")
	if err := os.WriteFile(file, []byte(`[{"Printer":"ipp://127.0.0.1/printers/x","Na`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Overdue(file, time.Now()); err == nil {
		t.Error("a technician hears nothing of it")
	}
	jobs, err = OpenJobs(file)
	if err == nil || jobs == nil {
		t.Fatalf("%v, want that it is set aside", err)
	}
	if aside, _ := filepath.Glob(file + ".aside-*"); len(aside) != 1 {
		t.Errorf("%d files are set aside", len(aside))
	}
	if err := jobs.give("ipp://127.0.0.1/printers/x", "phieu-1"); err != nil {
		t.Fatal(err)
	}
	again, err := OpenJobs(file)
	if late := again.Late(); err != nil || len(late) != 1 || late[0].Name != "phieu-1" {
		t.Errorf("%v %v", late, err)
	}
}

// "No such job" counts when a printer says so for a while: two answers with a time between them in which it could not be asked are two
// moments.
func TestAbsentIsSaidForAWhile(t *testing.T) {
	jobs, err := OpenJobs(filepath.Join(t.TempDir(), "print-jobs.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := jobs.give("ipp://127.0.0.1:"+cupstest.FreePort(t)+"/printers/x", "phieu-1"); err != nil { // nobody listens there
		t.Fatal(err)
	}
	if jobs.absentLong("phieu-1") {
		t.Fatal("the first answer counts")
	}
	jobs.open[0].absent = time.Now().Add(-2 * settling)
	if settled, err := jobs.settle(t.Context(), Late{jobs.open[0].Printer, "phieu-1", time.Now()}); settled || err == nil {
		t.Fatalf("%v, %v, want that it can't be asked", settled, err)
	}
	if jobs.absentLong("phieu-1") {
		t.Error("the first answer after it was away settles it")
	}
}

// A printer's fault of its own while it takes a document, and a status that nobody knows, say nothing of whether it has the
// document; while it can't list its jobs, nothing else is printed there.
func TestDoubtfulAnswers(t *testing.T) {
	for status, want := range map[goipp.Status]int{
		goipp.StatusErrorInternal: 1, goipp.StatusErrorTemporary: 1, goipp.Status(0x0abc): 1, goipp.Status(0x0300): 1,
		goipp.StatusErrorTimeout: 1, goipp.StatusErrorDocumentFormatNotSupported: 0, goipp.StatusErrorNotAcceptingJobs: 0,
		goipp.StatusErrorBusy: 0, goipp.StatusErrorNotFound: 0, goipp.StatusErrorOperationNotSupported: 0,
	} {
		t.Run(status.String(), func(t *testing.T) {
			var asked []goipp.Op
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				var m goipp.Message
				if err := m.Decode(r.Body); err != nil {
					t.Error(err)
				}
				asked = append(asked, goipp.Op(m.Code))
				_, _ = io.Copy(io.Discard, r.Body)
				w.Header().Set("Content-Type", goipp.ContentType)
				_ = goipp.NewResponse(goipp.DefaultVersion, status, m.RequestID).Encode(w)
			}))
			defer server.Close()
			q := New(strings.Replace(server.URL, "http", "ipp", 1)+"/ipp/print", nil)
			q.patience = beat
			var f *printer.Fault
			if err := q.Print(t.Context(), pdf("x")); !errors.As(err, &f) || len(q.jobs.Late()) != want {
				t.Errorf("%v, %d to be taken back, want %d", err, len(q.jobs.Late()), want)
			}
			if want == 0 {
				return
			}
			asked = nil
			if err := q.Print(t.Context(), pdf("y")); !errors.As(err, &f) || slices.Contains(asked, goipp.OpPrintJob) {
				t.Errorf("%v: it was given another document", err)
			}
		})
	}
}
