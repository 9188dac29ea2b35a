package counter

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"motcua/agent/dossier"
	"motcua/agent/ecopy"
	"motcua/agent/visit"
	"motcua/ocr"
	"motcua/ocr/paper"
)

// PaperReader reads papers with all their words and cuts them out of their pages; *ocr.Reader is one.
type PaperReader interface {
	ecopy.Cutter
	Read(ctx context.Context, in ocr.Input) ocr.Result
}

// MakeCopies makes the digitised copies of papers, which must have their bytes.
type MakeCopies func(ctx context.Context, papers []visit.Paper, now time.Time) ([]dossier.Copy, error)

// Copier makes the digitised copies that go with a submission.
type Copier struct {
	Reader  PaperReader
	Options ecopy.Options // but Now
}

// copying bounds how long a person waits for copies at the screen. A page takes about a tenth of a second.
const copying = 30 * time.Second

// Copies makes one PDF/A of each paper. Papers are read once more, because a copy wants every word, and a visit keeps only
// the fields. A copy that cannot be made is an error: then there are none, and the pages are sent as they came.
func (c Copier) Copies(ctx context.Context, papers []visit.Paper, now time.Time) ([]dossier.Copy, error) {
	ctx, cancel := context.WithTimeout(ctx, copying)
	defer cancel()
	o := c.Options
	o.Now = now
	var out []dossier.Copy
	results := ecopy.ReadAll(len(papers), func(i int) ocr.Result {
		return c.Reader.Read(ctx, ocr.Input{Name: papers[i].ID, Data: papers[i].Data, Words: true})
	})
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("copy papers: %w", err)
	}
	before := 0
	for n, p := range papers {
		r := results[n]
		if r.Problem != nil {
			return nil, fmt.Errorf("copy paper %d: %s", n+1, r.Problem.Code)
		}
		turned(r.Documents, p.Turn)
		for _, one := range ecopy.Of(fmt.Sprintf("paper %d", n+1), func() ([]byte, error) { return p.Data, nil }, r.Documents) {
			var b bytes.Buffer
			if err := ecopy.Write(ctx, &b, c.Reader, one, o); err != nil {
				return nil, err
			}
			copied := dossier.Copy{Data: b.Bytes(), Kind: one.Kinds()[0], Title: one.Title}
			for _, part := range one.Sheets[0].Parts {
				copied.Pages = append(copied.Pages, before+part.Page)
			}
			out = append(out, copied)
		}
		before += max(r.Pages, 1)
	}
	return out, nil
}

// turned lays sheets of no known kind as a person turned them, who knows better than recognition.
func turned(docs []paper.Document, by int) {
	if by == 0 {
		return
	}
	for _, d := range docs {
		if d.Type != paper.Other {
			continue
		}
		for i, p := range d.Parts {
			for range (by + d.Rotation) / 90 % 4 {
				p.Where = paper.Quad{p.Where[3], p.Where[0], p.Where[1], p.Where[2]}
			}
			d.Parts[i] = p
		}
	}
}
