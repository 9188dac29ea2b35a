package web

import (
	"strings"
	"testing"
)

// Two windows of one browser: what the page of the visit before sends is not done to the visit that is open now, and the
// person is told so.
func TestPageOfTheVisitBeforeSaysSo(t *testing.T) {
	k := newKiosk(t, withStaff(t), withDrafts(t))
	first := k.hand(t).toScan("2.000815")
	first.get("/help?from=/scan").want(200, "/help")
	second := *first
	second.get("/").want(200, "/")
	second.post("/begin", "lang", "vi").want(200, "/choose")
	second.post("/choose/1.010041").want(200, "/consent")
	second.post("/consent", "agreed", "yes").want(200, "/scan")
	now := k.site.Sessions.Visits()
	if len(now) != 1 {
		t.Fatalf("%d visits", len(now))
	}
	told := k.site.Words.Say("vi", "elsewhere.title")
	for path, form := range map[string][]string{
		"/leave": {"why", "silence"}, "/without": nil, "/scan": nil, "/call": {"to", "/scan"}, "/choose/2.000815": nil, "/stay": nil,
	} {
		stale := *first // its page, and its token, are as they were
		stale.post(path, form...).want(409, path, told, `href="/scan"`)
	}
	stale := *first
	stale.upload("a.png", onePixel(t)).want(409, "/upload", told)
	state := now[0].Visit.State()
	if state.Step != "scan" || state.Procedure != "1.010041" || len(state.Papers) > 0 || !state.Called.IsZero() || state.Begun() {
		t.Errorf("the open visit was changed: %v", state)
	}
	stale = *first
	stale.post("/language", "lang", "en", "to", "/").want(200, "/")
	stale.post("/language", "lang", "vi", "to", "/").want(200, "/")
	stale.get("/elsewhere").want(409, "/elsewhere", told)
	if strings.Contains(stale.body, "2.000815") {
		t.Error("the page shows the visit before")
	}
}
