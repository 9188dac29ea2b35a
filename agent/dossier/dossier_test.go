package dossier

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"motcua/agent/form"
	"motcua/agent/procedure"
	"motcua/ocr/paper"
	"motcua/queue"
)

var morning = time.Date(2026, 3, 2, 9, 0, 0, 0, time.FixedZone("ICT", 7*3600))

func confirmed(t *testing.T) Dossier {
	t.Helper()
	catalog, err := procedure.Load(os.DirFS("../../configs/procedures"))
	if err != nil {
		t.Fatal(err)
	}
	p, err := catalog.Get("2.000815")
	if err != nil {
		t.Fatal(err)
	}
	values := p.Prefill(nil, nil)
	for id, text := range map[string]string{
		"applicant_name": "Lê Thị Mẫu", "applicant_number": "001199000001", "applicant_birth": "1999-01-02",
		"applicant_residence": "1 Hàng Thử",
		"pages":               "3", "copies": "2",
	} {
		values[id] = procedure.Answer{Text: text, Source: paper.User, Document: -1}
	}
	return Dossier{
		Procedure: p, Values: values, Channel: Volunteer, Operator: "minh", Ward: "Phường Mẫu", Kiosk: "mau-1",
		Pages: []Page{{Data: []byte("first page"), MediaType: "image/jpeg", Kind: paper.CCCD},
			{Data: []byte("second"), MediaType: "application/pdf"}},
		Documents: []paper.Document{{Type: paper.CCCD, Page: 1, Sides: []string{"front"}}},
		Consent:   Consent{Version: "1", Purpose: "…", Language: "vi", Given: morning},
		Started:   morning, Confirmed: morning.Add(time.Minute),
	}
}

func content(t *testing.T, p queue.Part) []byte {
	t.Helper()
	r, err := p.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	data, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestDraft(t *testing.T) {
	d := confirmed(t)
	draft, err := d.Draft()
	if err != nil {
		t.Fatal(err)
	}
	names := ""
	for _, p := range draft.Parts {
		names += p.Name + " " + p.MediaType + ";"
	}
	if want := "form.json application/json;page-0001.jpg image/jpeg;page-0002.pdf application/pdf;"; names != want {
		t.Errorf("parts are %s", names)
	}
	for i, page := range d.Pages {
		if !bytes.Equal(content(t, draft.Parts[i+1]), page.Data) {
			t.Errorf("page %d is not what was scanned", i+1)
		}
	}
	var form Form
	if err := json.Unmarshal(content(t, draft.Parts[0]), &form); err != nil {
		t.Fatal(err)
	}
	if form.Schema != Schema || form.Procedure.Code != "2.000815" || form.Fee != 10000 || form.Operator != "minh" {
		t.Errorf("form is %+v", form)
	}
	if first := form.Values[0]; first.ID != "applicant_name" || first.Value != "Lê Thị Mẫu" || first.Label != "Họ, chữ đệm, tên" {
		t.Errorf("first value is %+v", form.Values[0])
	}
	if form.Times["confirmed"] != "2026-03-02T02:01:00Z" || form.Pages[0].Size != 10 || len(form.Papers) != 1 {
		t.Errorf("form is %+v", form)
	}
	// The same dossier gives the same bytes: a retry after a lost answer must not differ.
	again, err := d.Draft()
	if err != nil || !bytes.Equal(content(t, draft.Parts[0]), content(t, again.Parts[0])) {
		t.Errorf("a second draft differs: %v", err)
	}
}

func TestOfficialFormAndWays(t *testing.T) {
	d := confirmed(t)
	d.Form = &form.Layout{Name: "thu", Title: "TỜ KHAI THỬ", Sources: []string{"Thử"}, LookedUp: "2026-11-29",
		Body: []form.Block{{Line: "Tên: {applicant_name}"}}}
	d.Ways = map[string]procedure.WayID{"applicant_identity": procedure.InVNeID, "original": procedure.ByNumber}
	d.Pages = nil
	draft, err := d.Draft()
	if err != nil {
		t.Fatal(err)
	}
	names := ""
	for _, p := range draft.Parts {
		names += p.Name + ";"
	}
	if names != "form.json;form.pdf;form.docx;" {
		t.Errorf("parts are %s", names)
	}
	var written Form
	if err := json.Unmarshal(content(t, draft.Parts[0]), &written); err != nil {
		t.Fatal(err)
	}
	if o := written.Official; o == nil || o.PDF != "form.pdf" || o.Layout != "thu" || o.Fault != "" {
		t.Errorf("official form: %+v", written.Official)
	}
	// A way that the procedure does not open for a paper is none.
	if len(written.Ways) != 1 || written.Ways[0].Way != procedure.InVNeID || !strings.Contains(written.Ways[0].Law, "280/2025") {
		t.Errorf("ways: %+v", written.Ways)
	}
	if draft.Labels[LabelWays] != "vneid" {
		t.Errorf("label: %q", draft.Labels[LabelWays])
	}
	d.Ways = nil
	if _, err := d.Draft(); err == nil {
		t.Error("a submission with neither page nor another way was packed")
	}
}

// The official form, which the person reads before it is sent, names the law of each way without the numbers that only officers look
// up; form.json, which the desk reads, keeps them.
func TestFormNamesLawInPlainWords(t *testing.T) {
	sources := os.DirFS("../../configs/procedures")
	catalog, err := procedure.Load(sources)
	if err != nil {
		t.Fatal(err)
	}
	layouts, err := form.Load(catalog, sources)
	if err != nil {
		t.Fatal(err)
	}
	number := regexp.MustCompile(`KQ\d`)
	lines, kept := 0, 0
	for _, p := range catalog.All {
		d := confirmed(t)
		d.Procedure, d.Form, d.Ways = p, layouts.Layout(p), map[string]procedure.WayID{}
		for _, paper := range p.Papers {
			d.Ways[paper.ID] = paper.Offers()[0].ID
		}
		sheet, ok := d.Sheet()
		if !ok {
			continue
		}
		for _, block := range sheet.Blocks {
			paragraph, ok := block.(form.Paragraph)
			if !ok {
				continue
			}
			for _, run := range paragraph.Runs {
				if lines++; number.MatchString(run.Text) {
					t.Errorf("%s: the form says %q", p.Code, run.Text)
				}
			}
		}
		for _, w := range d.ways() {
			if number.MatchString(w.Law) {
				kept++
			}
		}
	}
	if lines == 0 || kept == 0 {
		t.Errorf("%d lines looked at, %d laws with numbers", lines, kept)
	}
}

func TestLabelsHoldNoPersonalData(t *testing.T) {
	draft, err := confirmed(t).Draft()
	if err != nil {
		t.Fatal(err)
	}
	want := "map[channel:volunteer kiosk:mau-1 level:một phần procedure:2.000815 ward:Phường Mẫu]"
	if got := fmt.Sprint(draft.Labels); got != want {
		t.Errorf("labels are %s", got)
	}
}

func TestDraftRefuses(t *testing.T) {
	t.Run("what nobody has looked at", func(t *testing.T) {
		d := confirmed(t)
		v := d.Values["applicant_name"]
		v.Review = true
		d.Values["applicant_name"] = v
		_, err := d.Draft()
		var invalid *InvalidError
		if !errors.As(err, &invalid) || invalid.Complaints[0].Code != procedure.Unreviewed {
			t.Errorf("got %v", err)
		}
		if strings.Contains(err.Error(), "Mẫu") {
			t.Errorf("the error tells a value: %v", err)
		}
	})
	t.Run("no page", func(t *testing.T) {
		d := confirmed(t)
		d.Pages = nil
		if _, err := d.Draft(); err == nil {
			t.Error("accepted")
		}
	})
	t.Run("a page that is no page", func(t *testing.T) {
		d := confirmed(t)
		d.Pages[1].MediaType = "text/html"
		if _, err := d.Draft(); err == nil {
			t.Error("accepted")
		}
	})
}

func TestDossierDoesNotLeakIntoLogs(t *testing.T) {
	d := confirmed(t)
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		if s := fmt.Sprintf(format, d); strings.Contains(s, "Mẫu") || strings.Contains(s, "first page") {
			t.Errorf("%s prints %s", format, s)
		}
	}
}

// What became of an address whose units are no longer there stands in the form beside the old text, and as a count in the label.
func TestOldAddressesAreCounted(t *testing.T) {
	d := confirmed(t)
	for text, want := range map[string]string{"Xã Cũ, Tỉnh Cũ": AddressKept, "Phường Mới, Tỉnh Mới": AddressMoved} {
		d.Values["applicant_residence"] = procedure.Answer{Text: text, Old: "Xã Cũ, Tỉnh Cũ", Source: paper.OCR}
		draft, err := d.Draft()
		if err != nil {
			t.Fatal(err)
		}
		if draft.Labels[LabelAddresses] != want || !bytes.Contains(content(t, draft.Parts[0]), []byte(`"old": "Xã Cũ, Tỉnh Cũ"`)) {
			t.Errorf("%s: label %q", text, draft.Labels[LabelAddresses])
		}
	}
	chosen := d.Values["applicant_residence"]
	chosen.Text, chosen.Offers = "Phường Một, Tỉnh Mới", []string{"Phường Một, Tỉnh Mới", "Phường Hai, Tỉnh Mới"}
	d.Values["applicant_residence"] = chosen
	draft, err := d.Draft()
	if err != nil || draft.Labels[LabelAddresses] != AddressChosen {
		t.Errorf("%q %v", draft.Labels[LabelAddresses], err)
	}
	d.Values["applicant_residence"] = procedure.Answer{Text: "1 Hàng Thử", Source: paper.OCR}
	if draft, err := d.Draft(); err != nil || draft.Labels[LabelAddresses] != "" {
		t.Errorf("%q %v", draft.Labels[LabelAddresses], err)
	}
}
