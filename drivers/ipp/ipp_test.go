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
	if err := Print(t.Context(), uri, doc("first")); err != nil {
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
			err := Print(t.Context(), uri, doc(reason))
			var f *printer.Fault
			if !errors.As(err, &f) || f.Code != want {
				t.Errorf("%v, want %s", err, want)
			}
			if err := os.Remove(mark); err != nil {
				t.Fatal(err)
			}
			if err := Print(t.Context(), uri, doc("after "+reason)); err != nil { // the queue goes on
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
		if err := Print(t.Context(), losing(t, uri), doc("answer lost")); !errors.As(err, &f) || f.Code != printer.Unreachable {
			t.Error(err)
		}
		if err := os.Remove(mark); err != nil {
			t.Fatal(err)
		}
		if err := Print(t.Context(), uri, doc("after that")); err != nil {
			t.Fatal(err)
		}
		got, _ := os.ReadFile(filepath.Join(folder, cupstest.Printed))
		if text := string(got); strings.Contains(text, "answer lost") || strings.Count(text, "after that") != 1 {
			t.Error("what was told as not printed came out later")
		}
	})
	t.Run("no_such_queue", func(t *testing.T) {
		var f *printer.Fault
		if err := Print(t.Context(), uri+"x", doc("")); !errors.As(err, &f) || f.Code != printer.Unreachable {
			t.Error(err)
		}
	})
	t.Run("no_such_document", func(t *testing.T) {
		var f *printer.Fault
		err := Print(t.Context(), uri, Document{Name: "x", MediaType: "application/x-nothing", Data: []byte("x")})
		if !errors.As(err, &f) || f.Code != printer.Refused {
			t.Error(err)
		}
	})
}

// losing is the way to a printer on which the answer to a document is lost, after the printer took it.
func losing(t *testing.T, uri string) string {
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
		if goipp.Op(binary.BigEndian.Uint16(body[2:4])) != goipp.OpPrintJob {
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
	if err := Print(t.Context(), "ipp://"+cupstest.FreePort(t)+"/printers/x", Document{}); !errors.As(err, &f) ||
		f.Code != printer.Unreachable {
		t.Error(err)
	}
	for _, to := range []string{"", "/dev/usb/lp0", "http://localhost/printers/x", "ipp:///printers/x", "ipp://user:pin@host/printers/x"} {
		if err := Print(t.Context(), to, Document{}); !errors.Is(err, ErrTarget) {
			t.Errorf("%q: %v", to, err)
		}
	}
}
