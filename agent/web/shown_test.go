package web

import (
	"encoding/json"
	"testing"
	"time"

	"motcua/agent/web/screen"
)

// The browser's keeper is told how many browsers were started since a page was last seen, and how long none of ours may be: briefly where
// nobody sits, as long as a visit may be silent where somebody does.
func TestWhatTheScreenShows(t *testing.T) {
	k := newKiosk(t, patient)
	away := func(query string) (now screen.Shown) {
		t.Helper()
		h := k.hand(t).get("/away" + query)
		if err := json.Unmarshal([]byte(h.body), &now); err != nil {
			t.Fatalf("%q: %v", h.body, err)
		}
		return now
	}
	for n, query := range []string{"", "?" + screen.Begun, "?" + screen.Begun, ""} {
		if got := away(query); got.Ever || got.Tries != []int{0, 1, 2, 2}[n] {
			t.Errorf("at %d: %+v", n, got)
		}
	}
	h := k.hand(t)
	h.get("/")
	h.get("/shown")
	if got := away(""); !got.Ever || got.Tries != 0 || got.Limit != time.Minute+10*time.Second {
		t.Errorf("at the first page: %+v", got)
	}
	h.toScan("2.000815")
	h.get("/shown")
	if got := away(""); got.Limit != k.site.Options.Citizen.Silence+10*time.Second {
		t.Errorf("in a visit: %+v", got)
	}
}
