package web

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"motcua/agent/dossier"
	"motcua/agent/form"
	"motcua/agent/portal"
	"motcua/agent/visit"
	"motcua/agent/web/screen"
	"motcua/configs"
	"motcua/queue"
)

// A required paper that isn't there is asked for, with the ways that the law opens for it, and the answer goes into
// the form and the submission. Nothing is scanned here: number and looked-up data are enough.
func TestRequiredPapersAreAskedFor(t *testing.T) {
	all := procedures(t)
	layouts, err := form.Load(all(), configs.Procedures())
	if err != nil {
		t.Fatal(err)
	}
	k := newKiosk(t, func(o *screen.Options) { o.Form = layouts.Layout })
	h := k.hand(t).toScan("1.010041").want(200, "/scan", "Tôi không có giấy để quét")
	h.post("/without").want(200, "/wanted/applicant_identity", "Cơ quan tự tra cứu", "cơ sở dữ liệu", "Tôi mang ra quầy")
	if strings.Contains(h.body, "Có trong các trang đã quét") {
		t.Error("nothing was scanned, and a page is offered")
	}
	h.get("/confirm").want(200, "/check") // not before the form is filled
	h.post("/wanted/applicant_identity", "way", "vneid").want(422, "/wanted/applicant_identity")
	h.post("/wanted/applicant_identity", "way", "lookup").want(200, "/check")
	h.fillIn()
	h.get("/confirm").want(200, "/confirm", "Cơ quan tự tra cứu", "/confirm/form")
	h.get("/confirm/form").want(200, "/confirm/form", "/confirm/form/1")
	h.get("/confirm/form.pdf").want(404, "/confirm/form.pdf") // for volunteers
	volunteers := k.hand(t).toScan("1.010041")
	volunteers.post("/without")
	volunteers.fillIn()
	for _, one := range k.site.Sessions.Visits() {
		if err := one.Visit.TakeOver(time.Now(), "minh", visit.Limits{Silence: time.Hour}); err != nil {
			t.Fatal(err)
		}
	}
	for name, start := range map[string]string{"form.pdf": "%PDF-", "form.docx": "PK"} {
		if volunteers.get("/confirm/"+name).want(200, "/confirm/"+name); !strings.HasPrefix(volunteers.body, start) {
			t.Errorf("%s is none", name)
		}
	}
	h.get("/confirm")
	h.post("/confirm").want(200, "/receipt")
	subs, err := k.queue.List(queue.Filter{})
	if err != nil || len(subs) != 1 {
		t.Fatalf("%d submissions, %v", len(subs), err)
	}
	if subs[0].Labels[dossier.LabelWays] != "lookup" {
		t.Errorf("labels: %v", subs[0].Labels)
	}
	content, err := k.queue.Content(t.Context(), subs[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	defer content.Close()
	z, err := zip.NewReader(content, content.Size())
	if err != nil {
		t.Fatal(err)
	}
	parts := map[string][]byte{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if parts[f.Name[strings.LastIndexByte(f.Name, '/')+1:]], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
	}
	var written dossier.Form
	if err := json.Unmarshal(parts["form.json"], &written); err != nil {
		t.Fatal(err)
	}
	if len(written.Ways) != 1 || written.Ways[0].Law == "" || !bytes.HasPrefix(parts["form.pdf"], []byte("%PDF-")) {
		t.Errorf("form.json says %+v", written.Ways)
	}
}

// The law that opens a way stands beside it without the numbers that only officers look up; they are told those.
func TestLawInPlainWords(t *testing.T) {
	h := newKiosk(t).hand(t).toScan("1.001193")
	h.post("/without")
	for _, id := range []string{"birth_notice", "applicant_identity"} {
		h.get("/wanted/"+id).want(200, "/wanted/"+id, "163/QĐ-BTP")
		if regexp.MustCompile(`KQ\d`).MatchString(h.body) {
			t.Errorf("the page of %s shows a number of officers' lists", id)
		}
	}
}

// The code on the screen gives the extension, and nobody else, this visit's answers and papers, once.
func TestPortalCode(t *testing.T) {
	all := procedures(t)
	maps, err := portal.Load(configs.Portal(), all())
	if err != nil {
		t.Fatal(err)
	}
	c := newClock()
	k := newKiosk(t, func(o *screen.Options) { o.Portal, o.Scanner, o.Clock = maps, nil, c.now })
	h := k.hand(t).toScan("2.000635")
	h.upload("giấy.png", onePixel(t))
	if e := h.follow("done", "fault"); e.Kind != "done" {
		t.Fatalf("ended with %s: %s", e.Kind, e.Text)
	}
	h.fillIn()
	h.get("/confirm").want(200, "/confirm", "Điền trên Cổng")
	ask := func(path, body, origin string) *http.Response {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, k.server.URL+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", origin)
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		return answer
	}
	claim := func(code, origin string) (int, portal.Work) {
		t.Helper()
		answer := ask("/portal/claim", "code="+code, origin)
		defer answer.Body.Close()
		var w portal.Work
		if answer.StatusCode == http.StatusOK {
			if err := json.NewDecoder(answer.Body).Decode(&w); err != nil {
				t.Fatal(err)
			}
		}
		return answer.StatusCode, w
	}
	shown := func() string {
		t.Helper()
		h.get("/confirm")
		h.post("/confirm/portal").want(200, "/confirm/portal", "Mã dùng một lần")
		return strings.ReplaceAll(regexp.MustCompile(`class="code">([0-9 ]+)<`).FindStringSubmatch(h.body)[1], " ", "")
	}
	code := shown()
	if status, _ := claim(code, k.server.URL); status != http.StatusForbidden {
		t.Errorf("the kiosk's own pages are answered: %d", status)
	}
	status, work := claim(code, portal.Origin)
	if status != http.StatusOK || work.Procedure != "2.000635" || len(work.Pages) != 2 || len(work.Files) != 1 ||
		len(work.Files[0].Data) == 0 {
		t.Fatalf("%d: %v with %d pages and %d files", status, work, len(work.Pages), len(work.Files))
	}
	if status, _ := claim(code, portal.Origin); status != http.StatusNotFound {
		t.Errorf("the code works twice: %d", status)
	}
	// In the kiosk's own browser the visit is held while its person does something on the portal, and three minutes longer.
	here := func(token, acted string) (status, left int) {
		t.Helper()
		answer := ask("/portal/here", "token="+token+"&acted="+acted, portal.Origin)
		defer answer.Body.Close()
		var told struct{ Left int }
		_ = json.NewDecoder(answer.Body).Decode(&told) // nothing is told of a visit that is over
		return answer.StatusCode, told.Left
	}
	if status, _ := here("another", "1"); status != http.StatusGone {
		t.Errorf("a stranger holds the visit: %d", status)
	}
	for range 20 {
		c.pass(20 * time.Second)
		k.site.Sweep()
		if status, left := here(work.Token, "1"); status != http.StatusOK || left != 180 {
			t.Fatalf("who fills the form: %d, %d s left", status, left)
		}
	}
	held := 0
	for ; ; held++ {
		c.pass(5 * time.Second)
		k.site.Sweep()
		status, left := here(work.Token, "")
		if status != http.StatusOK {
			break
		}
		if want := 180 - 5*(held+1); left < want || left > want+5 {
			t.Fatalf("after %d s of silence %d s are left", 5*(held+1), left)
		}
	}
	if held < 34 || held > 36 {
		t.Errorf("a silent visit was held for %d s", 5*held)
	}
	h = k.hand(t).toScan("2.000635")
	h.upload("giấy.png", onePixel(t))
	if e := h.follow("done", "fault"); e.Kind != "done" {
		t.Fatalf("ended with %s: %s", e.Kind, e.Text)
	}
	h.fillIn()
	code = shown()
	h.get("/confirm")
	h.post("/confirm").want(200, "/receipt")
	if status, _ := claim(code, portal.Origin); status != http.StatusGone {
		t.Errorf("a visit that was sent is given out: %d", status)
	}
}
