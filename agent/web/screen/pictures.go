package screen

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sync"

	"motcua/agent/visit"
	"motcua/ocr/paper"
)

// pictures keeps the small pictures of one visit, so that going back and forth does not cut them out of
// the page again. They are wiped with the visit.
type pictures struct {
	mu   sync.Mutex // guards the rest
	made map[string][]byte
	over bool
}

// Get gives a picture by its key, making it where it is not kept.
func (p *pictures) Get(key string, make func() ([]byte, error)) ([]byte, error) {
	p.mu.Lock()
	data, ok := p.made[key]
	if ok {
		data = slices.Clone(data)
	}
	p.mu.Unlock()
	if ok {
		return data, nil
	}
	data, err := make()
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.over {
		if p.made == nil {
			p.made = map[string][]byte{}
		}
		p.made[key] = slices.Clone(data)
	}
	return data, nil
}

// Forget wipes what is kept: the papers have changed.
func (p *pictures) Forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, data := range p.made {
		clear(data)
	}
	clear(p.made)
}

// Wipe forgets all for good: nothing is kept after it.
func (p *pictures) Wipe() {
	p.Forget()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.over = true
}

// CropKey names the picture of a value among those that are kept.
func CropKey(e visit.Entry) string {
	return fmt.Sprintf("crop/%s/%d/%v", e.Paper, e.Page, *e.Where)
}

// Cut cuts the picture of a value out of its page.
func (s *Host) Cut(ctx context.Context, v *visit.Visit, e visit.Entry) (jpeg []byte, err error) {
	err = v.Use(func(papers []visit.Paper) error {
		for _, p := range papers {
			if p.ID == e.Paper {
				jpeg, err = s.Options.Reader.Crop(ctx, p.Data, e.Page, roomy(*e.Where), 900)
				return err
			}
		}
		return visit.ErrNoPaper
	})
	return jpeg, err
}

// cutAhead cuts all pictures of the form while the person still looks at the papers.
func (s *Host) cutAhead(t *Table) {
	t.Run(func() {
		for _, e := range t.Visit.State().Form {
			if e.Where == nil || t.Context.Err() != nil {
				continue
			}
			// One that can't be cut shows as missing when it is asked for.
			_, _ = t.Pictures.Get(CropKey(e), func() ([]byte, error) { return s.Cut(t.Context, t.Visit, e) })
		}
	})
}

// roomy widens a region by a part of its height on every side: print that fills its zone to the edge
// reads badly, and a letter that was cut off shows.
func roomy(q paper.Quad) paper.Quad {
	across := paper.Point{X: q[1].X - q[0].X, Y: q[1].Y - q[0].Y}
	down := paper.Point{X: q[3].X - q[0].X, Y: q[3].Y - q[0].Y}
	width, height := math.Hypot(across.X, across.Y), math.Hypot(down.X, down.Y)
	if width == 0 || height == 0 {
		return q
	}
	side, rise := 0.5*height/width, 0.15 // parts of across and down
	if height > width/3 {                // a whole card: nothing of its surroundings
		return q
	}
	move := func(p paper.Point, a, d float64) paper.Point {
		return paper.Point{X: p.X + a*across.X + d*down.X, Y: p.Y + a*across.Y + d*down.Y}
	}
	return paper.Quad{move(q[0], -side, -rise), move(q[1], side, -rise), move(q[2], side, rise), move(q[3], -side, rise)}
}
