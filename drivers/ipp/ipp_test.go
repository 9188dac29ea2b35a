package ipp

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	goipp "github.com/OpenPrinting/goipp"

	"motcua/drivers/ipp/cupstest"
	"motcua/drivers/printer"
)

// A document comes out of a queue of CUPS whole; where there is no paper the fault says so, and the document does not come out
// when there is some again.
func TestPrintsByCUPS(t *testing.T) {
	uri, folder := cupstest.Start(t)
	doc := func(text string) Document {
		return Document{Name: "phieu", MediaType: "application/pdf", Data: []byte("%PDF-1.4\n" + text)}
	}
	if err := New(uri, nil).Print(t.Context(), doc("first")); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(filepath.Join(folder, cupstest.Printed)); string(got) != "%PDF-1.4\nfirst" {
		t.Fatalf("%d bytes are printed", len(got))
	}
	for reason, want := range map[string]printer.Code{
		"media-empty-error": printer.NoPaper, "media-jam-warning": printer.Jammed, "cover-open-error": printer.CoverOpen,
	} {
		t.Run(reason, func(t *testing.T) {
			mark := filepath.Join(folder, reason)
			if err := os.WriteFile(mark, nil, 0o644); err != nil {
				t.Fatal(err)
			}
			err := New(uri, nil).Print(t.Context(), doc(reason))
			var f *printer.Fault
			if !errors.As(err, &f) || f.Code != want {
				t.Errorf("%v, want %s", err, want)
			}
			if err := os.Remove(mark); err != nil {
				t.Fatal(err)
			}
			if err := New(uri, nil).Print(t.Context(), doc("after "+reason)); err != nil { // the queue goes on
				t.Fatal(err)
			}
			got, _ := os.ReadFile(filepath.Join(folder, cupstest.Printed))
			if text := string(got); strings.Contains(text, "\n"+reason) || strings.Count(text, "after "+reason) != 1 {
				t.Error("what was told as not printed came out later")
			}
		})
	}
	t.Run("answer_lost", func(t *testing.T) {
		mark := filepath.Join(folder, "media-empty-error")
		if err := os.WriteFile(mark, nil, 0o644); err != nil {
			t.Fatal(err)
		}
		var f *printer.Fault
		err := New(losing(t, uri, &atomic.Int32{}, nil), nil).Print(t.Context(), doc("answer lost"))
		if !errors.As(err, &f) || f.Code != printer.Unreachable {
			t.Error(err)
		}
		if err := os.Remove(mark); err != nil {
			t.Fatal(err)
		}
		if err := New(uri, nil).Print(t.Context(), doc("after that")); err != nil {
			t.Fatal(err)
		}
		got, _ := os.ReadFile(filepath.Join(folder, cupstest.Printed))
		if text := string(got); strings.Contains(text, "answer lost") || strings.Count(text, "after that") != 1 {
			t.Error("what was told as not printed came out later")
		}
	})
	t.Run("answer_lost_and_printer_away", func(t *testing.T) { away(t, uri, folder) })
	t.Run("no_such_queue", func(t *testing.T) {
		var f *printer.Fault
		if err := New(uri+"x", nil).Print(t.Context(), doc("")); !errors.As(err, &f) || f.Code != printer.Unreachable {
			t.Error(err)
		}
	})
	t.Run("no_such_document", func(t *testing.T) {
		var f *printer.Fault
		err := New(uri, nil).Print(t.Context(), Document{Name: "x", MediaType: "application/x-nothing", Data: []byte("x")})
		if !errors.As(err, &f) || f.Code != printer.Refused {
			t.Error(err)
		}
	})
}

// away prints where the printer takes a document and is then not to be asked: a moment long, and until the next document.
func away(t *testing.T, uri, folder string) {
	doc := func(text string) Document {
		return Document{Name: "phieu", MediaType: "application/pdf", Data: []byte("%PDF-1.4\n" + text)}
	}
	mark := filepath.Join(folder, "media-empty-error")
	if err := os.WriteFile(mark, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	const forLong = 1 << 20
	var less atomic.Int32
	var loses atomic.Bool
	q := New(losing(t, uri, &less, &loses), nil)
	loses.Store(true)
	var f *printer.Fault
	less.Store(2)
	if err := q.Print(t.Context(), doc("away a moment")); !errors.As(err, &f) || f.Code != printer.Unreachable || len(q.jobs.Late()) != 0 {
		t.Errorf("%v, %d still to be taken back", err, len(q.jobs.Late()))
	}
	less.Store(forLong)
	q.patience = 3 * beat
	if err := q.Print(t.Context(), doc("away for long")); !errors.As(err, &f) || f.Code != printer.Unreachable || len(q.jobs.Late()) != 1 {
		t.Errorf("%v, %d still to be taken back", err, len(q.jobs.Late()))
	}
	if err := q.Print(t.Context(), doc("not tried")); !errors.As(err, &f) || f.Code != printer.Unreachable || len(q.jobs.Late()) != 1 {
		t.Errorf("%v, %d still to be taken back", err, len(q.jobs.Late()))
	}
	less.Store(0)
	loses.Store(false) // the way is mended
	if err := q.Print(t.Context(), doc("without paper")); !errors.As(err, &f) || f.Code != printer.NoPaper || len(q.jobs.Late()) != 0 {
		t.Errorf("%v, %d still to be taken back", err, len(q.jobs.Late()))
	}
	if err := os.Remove(mark); err != nil {
		t.Fatal(err)
	}
	if err := q.Print(t.Context(), doc("at last")); err != nil {
		t.Fatal(err)
	}
	got, _ := os.ReadFile(filepath.Join(folder, cupstest.Printed))
	if text := string(got); strings.Count(text, "at last") != 1 {
		t.Error("the last one is not printed once")
	}
	for _, not := range []string{"away a moment", "away for long", "not tried", "without paper"} {
		if strings.Contains(string(got), not) {
			t.Errorf("%q was told as not printed and came out later", not)
		}
	}
}

// losing is the way to a printer on which the answer to a document is lost, after the printer took it.
// It answers so many other questions less. Where loses says that it loses none, it is a way like any other.
func losing(t *testing.T, uri string, less *atomic.Int32, loses *atomic.Bool) string {
	t.Helper()
	to, err := url.Parse(strings.Replace(uri, "ipp", "http", 1))
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: to.Host})
	way := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		if goipp.Op(binary.BigEndian.Uint16(body[2:4])) != goipp.OpPrintJob || loses != nil && !loses.Load() {
			if less.Add(-1) >= 0 {
				panic(http.ErrAbortHandler)
			}
			proxy.ServeHTTP(w, r)
			return
		}
		taken := httptest.NewRecorder()
		proxy.ServeHTTP(taken, r)
		if taken.Code != http.StatusOK {
			t.Errorf("the printer did not take it: %d", taken.Code)
		}
		panic(http.ErrAbortHandler)
	}))
	t.Cleanup(way.Close)
	return strings.Replace(way.URL, "http", "ipp", 1) + to.Path
}

func TestNoPrinter(t *testing.T) {
	var f *printer.Fault
	if err := New("ipp://"+cupstest.FreePort(t)+"/printers/x", nil).Print(t.Context(), Document{}); !errors.As(err, &f) ||
		f.Code != printer.Unreachable {
		t.Error(err)
	}
	for _, to := range []string{"", "/dev/usb/lp0", "http://localhost/printers/x", "ipp:///printers/x", "ipp://user:pin@host/printers/x"} {
		if err := New(to, nil).Print(t.Context(), Document{}); !errors.Is(err, ErrTarget) {
			t.Errorf("%q: %v", to, err)
		}
	}
}
