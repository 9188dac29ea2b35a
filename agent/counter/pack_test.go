package counter

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"slices"
	"testing"
	"time"

	"motcua/agent/dossier"
	"motcua/agent/procedure"
	"motcua/agent/visit"
	"motcua/configs"
	"motcua/ocr/paper"
	"motcua/queue"
)

func catalog(t *testing.T) *procedure.Catalog {
	t.Helper()
	files, err := fs.Sub(configs.FS, "procedures")
	if err != nil {
		t.Fatal(err)
	}
	all, err := procedure.Load(files)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

var day = time.Date(2026, 11, 29, 9, 0, 0, 0, time.UTC)

// packed gives form.json of papers whose whole form a person answered with what every type of field takes.
func packed(t *testing.T, p *procedure.Procedure, papers ...visit.Paper) dossier.Form {
	t.Helper()
	form := Form(p, papers, nil, day)
	for i := range form {
		f, _ := p.Field(form[i].Name)
		e := &form[i]
		e.Text, e.Source, e.Review, e.Fault = answer(f), paper.User, false, ""
	}
	draft, err := Office{Ward: "Phường Mẫu", Kiosk: "k1"}.Pack(t.Context(), Matter{
		ID: "V1", Procedure: p, Channel: dossier.Self, Started: day, Confirmed: day,
		Consent: dossier.Consent{Version: "1", Purpose: "…", Language: "vi", Given: day},
	}, form, papers).Draft()
	if err != nil {
		t.Fatal(err)
	}
	var out dossier.Form
	for _, part := range draft.Parts {
		if part.Name != "form.json" {
			continue
		}
		r, err := part.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err = errors.Join(err, r.Close(), json.Unmarshal(text, &out)); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

func answer(f *procedure.Field) string {
	switch f.Type {
	case procedure.Date, procedure.PastDate:
		return "1990-02-01"
	case procedure.Person:
		return "079090012345"
	case procedure.Phone:
		return "0912345678"
	case procedure.Email:
		return "a@example.vn"
	case procedure.Integer:
		return "1"
	case procedure.Choice:
		return f.Choices[0].Value
	case procedure.Tick:
		return "yes"
	}
	if f.Example != "" {
		return f.Example
	}
	return "Nguyễn Văn Mẫu"
}

// A page goes with what it is: which of the wanted papers, how it is to be turned, and at the price that was shown.
func TestPackSaysWhatEachPageIs(t *testing.T) {
	p, err := catalog(t).Get("2.000815")
	if err != nil {
		t.Fatal(err)
	}
	card := paper.Document{Type: paper.CCCD, Page: 1, Fields: map[paper.Name]paper.Field{}}
	papers := []visit.Paper{
		{ID: "p1", Data: []byte("\xff\xd8\xff\xe0 card"), MediaType: "image/jpeg", Pages: 1, Turn: 90,
			Documents: []paper.Document{card, {Type: paper.Other, Page: 1}}},
		{ID: "p2", Data: []byte("%PDF-1.7 five pages"), MediaType: "application/pdf", Pages: 5},
	}
	form := packed(t, p, papers...)
	if got := form.Pages[0]; got.Kind != paper.CCCD || got.Paper == "" || got.Turn != 90 {
		t.Errorf("the card's page went as %+v", got)
	}
	if got := form.Pages[1]; got.Kind != paper.Other || got.Turn != 0 {
		t.Errorf("the PDF went as %+v", got)
	}
	// Where nobody is asked for a number of pages, those that were scanned count, also those in one file.
	byPage := *p
	byPage.Fields = slices.DeleteFunc(slices.Clone(p.Fields), func(f procedure.Field) bool { return f.ID == procedure.PagesField })
	shown := byPage.Price(nil, Pages(papers))
	if got := packed(t, &byPage, papers...).Fee; got != shown || shown <= byPage.Price(nil, len(papers)) {
		t.Errorf("the fee is %d đồng, and %d was shown", got, shown)
	}
}

// Where a procedure asks the same kind of paper of several persons, each page goes as the paper of its own.
func TestPackSaysWhosePaperAPageIs(t *testing.T) {
	p, err := catalog(t).Get("1.001193")
	if err != nil {
		t.Fatal(err)
	}
	card := func(id, number, sex string) visit.Paper {
		fields := map[paper.Name]paper.Field{}
		for name, text := range map[paper.Name]string{paper.Number: number, paper.Sex: sex} {
			if text != "" {
				fields[name] = paper.Field{Value: text, Source: paper.OCR, Confidence: 1}
			}
		}
		return visit.Paper{ID: id, Data: []byte("\xff\xd8\xff\xe0 " + id), MediaType: "image/jpeg", Pages: 1,
			Documents: []paper.Document{{Type: paper.CCCD, Page: 1, Fields: fields}}}
	}
	form := packed(t, p, card("p1", "079090012345", "Nam"), card("p2", "001185004567", "Nữ"), card("p3", "079160000001", "Nữ"),
		card("p4", "079090012345", ""), card("p5", "", ""))
	for i, want := range []string{"father_identity", "mother_identity", "applicant_identity", "father_identity", ""} {
		if got := form.Pages[i].Paper; got != want {
			t.Errorf("page %d went as %q, want %q", i+1, got, want)
		}
	}
}

// What the queue did not take is not accepted, and may be sent again.
func TestSubmitOnceAndOnlyWhatWasAccepted(t *testing.T) {
	p, err := catalog(t).Get("2.000815")
	if err != nil {
		t.Fatal(err)
	}
	v := visit.New("01JVISIT", day, visit.Limits{Silence: time.Hour})
	if err := errors.Join(v.Pick(day, p.Code), v.Agree(day)); err != nil {
		t.Fatal(err)
	}
	if _, err := v.Add(day, visit.Paper{Data: []byte("\xff\xd8\xff\xe0"), MediaType: "image/jpeg"}); err != nil {
		t.Fatal(err)
	}
	if err := Fill(v, p, day); err != nil {
		t.Fatal(err)
	}
	office := Office{Ward: "Phường Mẫu"}
	q, _, err := queue.Open(t.Context(), t.TempDir(), queue.Options{MinFree: -1})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := office.Submit(t.Context(), q, v, p, dossier.Consent{}, day); !errors.Is(err, visit.ErrNotYet) {
		t.Errorf("sent from the papers' page: %v", err)
	}
	for _, f := range p.Fields {
		if err := v.Answer(day, f.ID, answer(&f), ""); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(Rest(v, p, day), v.Go(day, visit.Confirm)); err != nil {
		t.Fatal(err)
	}
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := office.Submit(t.Context(), q, v, p, dossier.Consent{}, day); err == nil || v.State().Step != visit.Confirm {
		t.Fatalf("a closed queue took it: %v, step %s", err, v.State().Step)
	}
	if q, _, err = queue.Open(t.Context(), t.TempDir(), queue.Options{MinFree: -1}); err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	s, err := office.Submit(t.Context(), q, v, p, dossier.Consent{}, day)
	if err != nil || s.ID != v.ID || v.State().Code != s.Code {
		t.Fatalf("%v, %v", s, err)
	}
	if _, err := office.Submit(t.Context(), q, v, p, dossier.Consent{}, day); !errors.Is(err, visit.ErrSubmitted) {
		t.Errorf("pressed twice: %v", err)
	}
	if all, err := q.List(queue.Filter{}); err != nil || len(all) != 1 {
		t.Errorf("%d submissions, %v", len(all), err)
	}
}
