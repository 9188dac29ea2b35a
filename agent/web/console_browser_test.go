package web

import (
	"context"
	"errors"
	"testing"

	"github.com/chromedp/chromedp"

	"motcua/agent/dossier"
	"motcua/agent/web/screen"
	"motcua/queue"
)

// A technician signs in by touch, walks the console by keys alone, and makes a test scan.
func TestBrowser_technician(t *testing.T) {
	t.Parallel()
	c := newCounter(t)
	for i := range 9 {
		if _, err := c.queue.Enqueue(t.Context(), queue.Draft{Labels: map[string]string{
			dossier.LabelProcedure: "2.000815", dossier.LabelLevel: "toàn trình", dossier.LabelWard: "Phường Thử",
			dossier.LabelChannel: []string{"self", "volunteer"}[i%2]},
			Parts: []queue.Part{queue.FromBytes("form.json", "application/json", make([]byte, 1000*i))}}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.queue.DeliverDue(t.Context(), refusing{}); err != nil {
		t.Fatal(err)
	}
	ctx := browser(t, 1920, 1080)
	if err := chromedp.Do(ctx, chromedp.Navigate(c.url+"/staff")); err != nil {
		t.Fatal(err)
	}
	for _, key := range "tech" {
		click(t, ctx, `.key[data-letter="`+string(key)+`"]`)
	}
	click(t, ctx, "#pin")
	for _, digit := range techPIN {
		click(t, ctx, `.key[data-digit="`+string(digit)+`"]`)
	}
	shot(t, ctx, "console/signin")
	click(t, ctx, ".signin .go")
	arrive(t, ctx, "/console")
	for _, page := range []struct{ key, path, name string }{
		{"1", "/console", "home"}, {"2", "/console/devices", "devices"}, {"3", "/console/queue", "queue"}, {"4", "/console/doctor", "doctor"},
		{"5", "/console/log", "log"}, {"6", "/console/config", "config"}, {"7", "/console/staff", "staff"},
		{"8", "/console/audit", "audit"}, {"9", "/report", "report"}, {"0", "/console/diagnostics", "diagnostics"},
	} {
		if err := chromedp.Do(ctx, chromedp.KeyEvent(page.key)); err != nil {
			t.Fatal(err)
		}
		arrive(t, ctx, page.path)
		if page.name == "config" { // the path of this test's own file has no place in a picture
			eval[string](t, ctx, `document.querySelector("label code").textContent = "/etc/motcua/motcua.yaml"`)
		}
		shot(t, ctx, "console/"+page.name)
	}
	if err := chromedp.Do(ctx, chromedp.KeyEvent("2")); err != nil {
		t.Fatal(err)
	}
	arrive(t, ctx, "/console/devices")
	click(t, ctx, `form[action="/console/devices/scan"] button`)
	arrive(t, ctx, "/console/devices/scan")
	if !eval[bool](t, ctx, `!!document.querySelector("img.test") && document.querySelector("img.test").naturalWidth > 0`) {
		t.Error("the test scan shows no picture")
	}
	c.mu.Lock()
	c.devices = append(c.devices, screen.Device{ID: "serial:/dev/ttyACM0", Kind: "serial port", Name: "QR reader", State: "ready", OK: true})
	c.mu.Unlock()
	if err := chromedp.Do(ctx, chromedp.KeyEvent("2")); err != nil {
		t.Fatal(err)
	}
	arrive(t, ctx, "/console/devices")
	c.mu.Lock()
	c.devices = c.devices[:1:1]
	c.mu.Unlock()
	holds(t, ctx, "the device that was pulled out to go from the page",
		`document.querySelector("[data-live] tbody tr") && !/ttyACM0/.test(document.querySelector("[data-live]").textContent)`)
}

// refusing is a hub that takes nothing, so that the queue has something to show.
type refusing struct{}

func (refusing) Probe(context.Context) error { return nil }

func (refusing) Deliver(_ context.Context, s queue.Submission, _ queue.Bundle, _ queue.Notes) error {
	if s.Size < 6000 {
		return queue.Permanent(errRefused)
	}
	return nil
}

var errRefused = errors.New("409 Conflict: the office has a dossier of that number already")
