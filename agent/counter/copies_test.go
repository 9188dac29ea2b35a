package counter

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"motcua/agent/dossier"
	"motcua/agent/ecopy"
	"motcua/agent/visit"
	"motcua/ocr"
	"motcua/ocr/jpeg"
	"motcua/ocr/paper"
	"motcua/ocr/pdfa"
	"motcua/ocr/specimen"
)

// patience is what a test allows what it waits for: longer than a machine takes that does much else, short of a hang.
const patience = 5 * time.Minute

// A submission carries one PDF/A of each paper beside its pages; one that cannot be made holds nothing up.
func TestSubmissionCarriesCopies(t *testing.T) {
	reader, err := ocr.New(ocr.Options{Workers: 1, Limits: ocr.Limits{Time: patience, FileTime: patience}})
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	scan := func(kind paper.Kind) visit.Paper {
		img, _, err := specimen.Draw(specimen.Spec{Papers: []specimen.Paper{{Kind: kind, Person: specimen.Invent(5)}}}, 5, specimen.Damage{})
		if err != nil {
			t.Fatal(err)
		}
		data, err := jpeg.Encode(img, 85)
		if err != nil {
			t.Fatal(err)
		}
		return visit.Paper{ID: "p", Data: jpeg.WithDensity(data, 300), MediaType: "image/jpeg", Size: len(data), Pages: 1}
	}
	papers := []visit.Paper{scan(paper.KhaiSinh), scan(paper.CCCD)}
	copier := Copier{Reader: reader, Options: ecopy.Options{Level: pdfa.A2b, Tool: "Motcua test"}}
	p := catalog(t).All[0]
	pack := func(copies MakeCopies) dossier.Dossier {
		return Office{Copies: copies}.Pack(t.Context(), Matter{ID: "V1", Procedure: p, Channel: dossier.Self, Started: day, Confirmed: day}, nil,
			papers)
	}
	d := pack(copier.Copies)
	if d.CopyFault != nil || len(d.Copies) != 2 || d.Copies[0].Kind != paper.KhaiSinh || d.Copies[1].Kind != paper.CCCD ||
		d.Copies[1].Pages[0] != 2 || d.Copies[1].Title != "Căn cước công dân" {
		t.Fatalf("%v: %d copies", d.CopyFault, len(d.Copies))
	}
	for _, c := range d.Copies {
		if !bytes.HasPrefix(c.Data, []byte("%PDF-1.7")) {
			t.Error("no PDF")
		}
	}
	d = pack(func(context.Context, []visit.Paper, time.Time) ([]dossier.Copy, error) {
		return nil, errors.New("copy paper 1: damaged")
	})
	if len(d.Pages) != 2 || len(d.Copies) != 0 || !strings.Contains(d.CopyFault.Error(), "damaged") {
		t.Errorf("%v", d.CopyFault)
	}
}

// A person who turns a sheet knows better than recognition which way is up.
func TestTurnedByAPerson(t *testing.T) {
	q := paper.Quad{{X: 0, Y: 0}, {X: 10, Y: 0}, {X: 10, Y: 20}, {X: 0, Y: 20}}
	docs := []paper.Document{{Type: paper.Other, Rotation: 0, Parts: []paper.Part{{Where: q}}},
		{Type: paper.CCCD, Parts: []paper.Part{{Where: q}}},
		{Type: paper.Other, Rotation: 270, Parts: []paper.Part{{Where: q}}}}
	turned(docs, 90)
	if docs[0].Parts[0].Where[0] != q[3] || docs[1].Parts[0].Where != q || docs[2].Parts[0].Where != q {
		t.Errorf("%v", docs)
	}
}
