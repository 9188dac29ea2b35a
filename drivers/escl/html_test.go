package escl

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"motcua/drivers/scan"
)

// A device that shows a page for people where its capabilities should be is no broken cable: what is to be switched on is said.
func TestPageForPeopleInPlaceOfCapabilities(t *testing.T) {
	for _, page := range []string{
		"<!doctype html><html><head><script>if (a<b) {}</script></head><body>Please sign in</body></html>",
		"<html><body>Scanning from the network is switched off</body></html>", "", "off",
		"<html>\n<head><link rel=stylesheet href=a.css><meta charset=utf-8></head><body src><br></body></html>", // NAPS2 689, 874
	} {
		h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			_, _ = io.WriteString(w, page)
		}))
		s, err := Open(Options{}, "escl:"+h.URL+"/eSCL")
		if err != nil {
			t.Fatal(err)
		}
		_, err = all(t.Context(), s, scan.Settings{})
		var f *scan.Fault
		if !errors.As(err, &f) || f.Code != scan.NoDevice || !strings.Contains(f.Technician, "switch on eSCL") {
			t.Errorf("%q: %v", page, err)
		}
		if _, err := s.Probe(t.Context()); !errors.Is(err, &scan.Fault{Code: scan.NoDevice}) {
			t.Errorf("%q, asked what it can do: %v", page, err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		h.Close()
	}
}
