package web

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"testing"

	"motcua/agent/dossier"
	"motcua/agent/form"
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
	k := newKiosk(t, func(o *Options) { o.Form = layouts.Layout })
	h := k.hand(t).toScan("1.010041").want(200, "/scan", "Tôi không có giấy để quét")
	h.post("/without").want(200, "/wanted/applicant_identity", "Cơ quan tự tra cứu", "cơ sở dữ liệu", "Tôi mang ra quầy")
	if strings.Contains(h.body, "Có trong các trang đã quét") {
		t.Error("nothing was scanned, and a page is offered")
	}
	h.get("/confirm").want(200, "/check") // not before the form is filled
	h.post("/wanted/applicant_identity", "way", "vneid").want(200, "/wanted/applicant_identity")
	h.post("/wanted/applicant_identity", "way", "lookup").want(200, "/check")
	h.fillIn()
	h.get("/confirm").want(200, "/confirm", "Cơ quan tự tra cứu", "/confirm/form")
	h.get("/confirm/form").want(200, "/confirm/form", "/confirm/form/1")
	h.get("/confirm/form.pdf").want(404, "/confirm/form.pdf") // for volunteers
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
