package web

import (
	"strings"
	"testing"
	"time"

	"motcua/agent/web/screen"
)

// What the law has people told can be read before they agree, from the consent page and back to it, and without a visit.
func TestPrivacy(t *testing.T) {
	k := newKiosk(t, func(o *screen.Options) {
		o.Privacy = screen.Privacy{Controller: "UBND phường Mẫu", Processor: "Công ty Vận Hành Thử", Contact: "quầy số 2",
			Recipients: []string{"Sở Tư pháp Thử"}, Kept: 24 * time.Hour}
	})
	k.hand(t).get("/privacy").want(200, "/privacy", "UBND phường Mẫu quyết định", `class="button back" href="/"`)
	h := k.hand(t).get("/")
	h.post("/begin").want(200, "/choose")
	h.post("/choose/2.000815").want(200, "/consent", `href="/privacy"`)
	h.get("/privacy").want(200, "/privacy", `class="button back" href="/consent"`, "UBND phường Mẫu quyết định",
		"Công ty Vận Hành Thử vận hành",
		"được gửi đến Phường Bến Nghé", "Sở Tư pháp Thử", "24 giờ sau khi gửi", "Điều 4", "đến quầy số 2", "người giám hộ", "người làm chứng",
		"72 giờ")
	h.post("/language", "lang", "en", "to", "/privacy").want(200, "/privacy", "24 hours after it has been sent", "go to quầy số 2",
		"guardians", "72 hours")
	for _, lang := range []string{"vi", "en"} {
		h := newKiosk(t).hand(t).get("/") // a kiosk that is told nothing says it in general words
		h.post("/language", "lang", lang, "to", "/privacy").want(200, "/privacy")
		if page := h.body; strings.ContainsAny(page[strings.Index(page, "<main"):strings.Index(page, "</main>")], "{}") {
			t.Errorf("%s: a gap is left open", lang)
		}
	}
}
