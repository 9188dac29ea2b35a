package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"motcua/agent/counter"
	"motcua/agent/procedure"
	"motcua/agent/visit"
	"motcua/ocr/paper"
)

type papersBody struct {
	Papers []shownPaper
	Wanted []wantedPaper
	Hint   string // key of a sentence: the back of the card is missing, nothing was recognised, …
	Full   bool
	Others []waiting // persons in the volunteers' line, to whom a sheet may be moved
	Undo   bool      // a paper was taken out and can be put back
}

type shownPaper struct {
	ID      string
	Number  int
	Names   []string // keys of what was recognised on it
	Sides   []string
	Pages   int
	Turn    int
	Problem string // key
	First   bool
	Last    bool
}

type wantedPaper struct {
	Name     procedure.Text
	Hint     procedure.Text
	Optional bool
	Here     bool // recognised among the papers
}

func (s *CitizenPages) papers(w http.ResponseWriter, r *http.Request, at seat) {
	if !needProcedure(w, r, at) {
		return
	}
	if at.state.Busy {
		http.Redirect(w, r, "/scan", http.StatusSeeOther)
		return
	}
	if err := at.visit.Go(s.now(), visit.Papers); err != nil {
		s.turnAway(w, r, at, err)
		return
	}
	if len(at.state.Papers) == 0 && !at.state.Binned {
		http.Redirect(w, r, "/scan", http.StatusSeeOther)
		return
	}
	b := lookThrough(at.state, at.proc)
	if at.session.staffed() {
		for _, t := range s.sessions.lined() {
			b.Others = append(b.Others, s.waiting(t, at.lang))
		}
	}
	s.render(w, r, http.StatusOK, "papers", view{Steps: s.steps(at.lang, visit.Papers), Back: "/scan", Body: b})
}

// lookThrough says what is known of the papers that lie here, and what the procedure still wants.
func lookThrough(state visit.State, p *procedure.Procedure) papersBody {
	b := papersBody{Undo: state.Binned, Full: len(state.Papers) >= visit.MaxPapers}
	sides := map[paper.Kind][]string{}
	recognised := false
	for i, one := range state.Papers {
		shown := shownPaper{ID: one.ID, Number: i + 1, Pages: one.Pages, Turn: one.Turn,
			First: i == 0, Last: i == len(state.Papers)-1}
		for _, d := range one.Documents {
			sides[d.Type] = append(sides[d.Type], d.Sides...)
			if d.Type != paper.Other {
				recognised = true
			}
			if key := "paper." + string(d.Type); !slices.Contains(shown.Names, key) {
				shown.Names = append(shown.Names, key)
			}
			for _, side := range d.Sides {
				if key := "side." + side; !slices.Contains(shown.Sides, key) {
					shown.Sides = append(shown.Sides, key)
				}
			}
		}
		if len(shown.Names) == 0 {
			shown.Names = []string{"paper.other"}
		}
		if one.Problem != "" {
			shown.Problem = "problem." + one.Problem
		}
		b.Papers = append(b.Papers, shown)
	}
	for _, want := range counter.Wanted(p, state) {
		b.Wanted = append(b.Wanted, wantedPaper{want.Paper.Name, want.Paper.Hint, want.Paper.Optional, want.Here || want.Way.ID != ""})
	}
	switch {
	case !recognised:
		b.Hint = "papers.unknown"
	default:
		for _, k := range []paper.Kind{paper.CCCD, paper.CanCuoc, paper.CCCD2016, paper.CMND} {
			if has := sides[k]; len(has) > 0 && !(slices.Contains(has, "front") && slices.Contains(has, "back")) {
				b.Hint = "papers.other-side"
			}
		}
	}
	return b
}

func (s *CitizenPages) changePaper(w http.ResponseWriter, r *http.Request, at seat) {
	if !needProcedure(w, r, at) {
		return
	}
	id, now := r.PathValue("id"), s.now()
	var err error
	switch r.PathValue("act") {
	case "turn":
		err = at.visit.Turn(now, id)
	case "up":
		err = at.visit.Move(now, id, -1)
	case "down":
		err = at.visit.Move(now, id, +1)
	case "remove":
		if err = at.visit.Remove(now, id); err == nil {
			at.table.pictures.forget()
			err = counter.Fill(at.visit, at.proc, s.now())
		}
	case "undo":
		if err = at.visit.PutBack(now); err == nil {
			err = counter.Fill(at.visit, at.proc, now)
		}
	default:
		s.notFound(w, r)
		return
	}
	if err != nil {
		s.turnAway(w, r, at, err)
		return
	}
	http.Redirect(w, r, "/papers#"+id, http.StatusSeeOther)
}

// moveSheet gives a sheet that lies with the wrong person to another one in the line.
func (s *CitizenPages) moveSheet(w http.ResponseWriter, r *http.Request, at seat) {
	if !needProcedure(w, r, at) {
		return
	}
	lined := s.sessions.lined()
	i := slices.IndexFunc(lined, func(t *table) bool { return t.visit.ID == r.PostForm.Get("to") })
	if !at.session.staffed() || i < 0 {
		http.Redirect(w, r, "/papers", http.StatusSeeOther)
		return
	}
	to, now := lined[i], s.now()
	var sheet visit.Paper
	err := at.visit.Use(func(papers []visit.Paper) error {
		at := slices.IndexFunc(papers, func(p visit.Paper) bool { return p.ID == r.PathValue("id") })
		if at < 0 {
			return visit.ErrNoPaper
		}
		sheet = papers[at]
		sheet.Data = slices.Clone(sheet.Data) // those bytes are wiped with it
		return nil
	})
	if err == nil {
		_, err = to.visit.Add(now, sheet)
	}
	if err == nil {
		s.refill(to)
		s.keep(to, nil) // it lies there safely before it goes from here
		err = at.visit.Discard(now, r.PathValue("id"))
	}
	if err != nil {
		s.turnAway(w, r, at, err)
		return
	}
	at.table.pictures.forget()
	s.refill(at.table)
	http.Redirect(w, r, "/papers", http.StatusSeeOther)
}

// refill lays what a visit's papers say into its form again.
func (s *CitizenPages) refill(t *table) {
	proc := s.procedureOf(t.visit.State().Procedure)
	if proc == nil {
		return
	}
	if err := counter.Fill(t.visit, proc, s.now()); err != nil {
		s.log.Error("fill form", "visit", t.visit.ID, "error", err)
	}
}

// smallWidth is the width in pixels of a paper's picture in the list.
const smallWidth = 480

// picture shows a page of a paper, small or at reading size.
func (s *CitizenPages) picture(w http.ResponseWriter, r *http.Request, at seat) {
	width := smallWidth
	if r.URL.Query().Get("size") == "large" {
		width = 1600
	}
	page, err := strconv.Atoi(r.URL.Query().Get("page"))
	if err != nil || page < 1 {
		page = 1
	}
	id := r.PathValue("id")
	s.sendPicture(w, r, at, fmt.Sprintf("%s/%d/%d", id, page, width), func(ctx context.Context) ([]byte, error) {
		var out []byte
		err := at.visit.Use(func(papers []visit.Paper) error {
			for _, p := range papers {
				if p.ID == id {
					var err error
					out, err = s.o.Reader.Preview(ctx, p.Data, page, width)
					return err
				}
			}
			return visit.ErrNoPaper
		})
		return out, err
	})
}

func (s *CitizenPages) sendPicture(w http.ResponseWriter, r *http.Request, at seat, key string, make func(context.Context) ([]byte, error)) {
	data, err := at.table.pictures.get(key, func() ([]byte, error) { return make(r.Context()) })
	switch {
	case errors.Is(err, visit.ErrNoPaper), errors.Is(err, visit.ErrNoField), errors.Is(err, visit.ErrOver):
		http.NotFound(w, r)
		return
	case err != nil:
		if r.Context().Err() == nil {
			s.log.Warn("picture", "visit", at.state.ID, "error", err)
		}
		http.Error(w, http.StatusText(http.StatusNotFound), http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "image/jpeg")
	w.Header().Set("Content-Length", strconv.Itoa(len(data)))
	_, _ = w.Write(data)
}
