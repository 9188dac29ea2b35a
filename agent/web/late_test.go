package web

import (
	"net/http"
	"testing"
)

// What a page had asked for when it was left is answered after the next page came. It gives the browser no other session: that page's
// first touch would be told that its visit is over.
func TestLateAnswerGivesNoSession(t *testing.T) {
	t.Parallel()
	k := newKiosk(t)
	for path, mode := range map[string]string{
		"/check/applicant_name/crop": "no-cors", "/papers/p1/picture": "no-cors", "/scan/strip/0": "no-cors", "/scan/live?new": "cors",
		"/receipt/live": "cors", "/receipt/code.svg": "no-cors", "/check/applicant_name/whole": "no-cors", "/stick/state": "cors",
		"/desk/face/1": "no-cors", "/": "no-cors", // where those without a visit are led to
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, k.server.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		r.Header.Set("Sec-Fetch-Mode", mode)
		answer, err := (&http.Transport{}).RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if given := answer.Cookies(); len(given) > 0 {
			t.Errorf("%s, answered with %d, gives the browser a %s", path, answer.StatusCode, given[0].Name)
		}
	}
	h := k.hand(t).get("/")
	h.post("/begin").want(200, "/choose")
}
