package escl

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"motcua/drivers/escl/printer"
	"motcua/drivers/scan"
)

func TestFinder_device_switched_off_and_on_shows_in_time(t *testing.T) {
	p := printer.New(printer.Habits{})
	first := httptest.NewServer(p)
	at := first.Listener.Addr().String()
	announced := httptest.NewServer(printer.New(printer.Habits{}))
	defer announced.Close()
	announce(t, "_uscan._tcp", announced.URL, "ty=Acme Announced", "rs=eSCL", "uuid=1")

	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var second *httptest.Server
	began := time.Now()
	steps := []struct {
		id      string
		present bool
		within  time.Duration
		next    func()
	}{
		{"escl:" + first.URL + "/eSCL", true, 3 * time.Second, func() { first.Close() }},
		{"escl:" + first.URL + "/eSCL", false, 2 * time.Second, func() {
			l, err := net.Listen("tcp", at)
			if err != nil {
				t.Error(err)
				cancel()
				return
			}
			second = &httptest.Server{Listener: l, Config: &http.Server{Handler: p}}
			second.Start()
		}},
		{"escl:" + first.URL + "/eSCL", true, 3 * time.Second, cancel},
	}
	seen := false
	for c := range scan.Watch(ctx, Finder(Options{Interface: "lo"}, first.URL)) {
		if c.Info.ID == "escl:"+announced.URL+"/eSCL" {
			seen = c.Present
			continue
		}
		step := steps[0]
		if c.Err != nil || c.Info.ID != step.id || c.Present != step.present {
			t.Fatalf("%+v, want %s present %v", c, step.id, step.present)
		}
		t.Logf("present %v seen after %v, %v are promised on a machine with nothing else to do", step.present, time.Since(began), step.within)
		steps = steps[1:]
		step.next()
		began = time.Now()
	}
	if second != nil {
		second.Close()
	}
	if len(steps) > 0 || !seen {
		t.Errorf("%d steps left, announced device seen: %v", len(steps), seen)
	}
}
