package ipp

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

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

func TestNoPrinter(t *testing.T) {
	var f *printer.Fault
	if err := Print(t.Context(), "ipp://"+cupstest.FreePort(t)+"/printers/x", Document{}); !errors.As(err, &f) || f.Code != printer.Unreachable {
		t.Error(err)
	}
	for _, to := range []string{"", "/dev/usb/lp0", "http://localhost/printers/x", "ipp:///printers/x", "ipp://user:pin@host/printers/x"} {
		if err := Print(t.Context(), to, Document{}); !errors.Is(err, ErrTarget) {
			t.Errorf("%q: %v", to, err)
		}
	}
}
