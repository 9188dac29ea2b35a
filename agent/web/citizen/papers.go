package citizen

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
	"motcua/agent/web/screen"
	"motcua/ocr/paper"
)

type papersBody struct {
	Papers []shownPaper
	Wanted []wantedPaper
	Hint   string // key of a sentence: the back of the card is missing, nothing was recognised, …
	Full   bool
	Room   string           // key of a sentence: there was no room for a paper
	Others []screen.Waiting // persons in the volunteers' line, to whom a sheet may be moved
	Doubt  string           // key: why somebody must look whether these are all of one person's
	Staff  bool             // a volunteer works here, who may insert a sheet, too
	Undo   bool             // a paper was taken out and can be put back
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

func (s *Pages) papers(w http.ResponseWriter, r *http.Request, at screen.Seat) {
	if !screen.NeedProcedure(w, r, at) {
		return
	}
	if at.State.Busy {
		http.Redirect(w, r, "/scan", http.StatusSeeOther)
		return
	}
	if err := at.Visit.Go(s.Now(), visit.Papers); err != nil {
		s.TurnAway(w, r, at, err)
		return
	}
	if len(at.State.Papers) == 0 && !at.State.Binned {
		http.Redirect(w, r, "/scan", http.StatusSeeOther)
		return
	}
	b := lookThrough(at.State, at.Proc)
	switch {
	case r.URL.Query().Get("full") == "other":
		b.Room = "papers.full.other"
	case b.Full, r.URL.Query().Has("full"):
		b.Room = "papers.full"
	}
	if b.Staff = at.Session.Staffed(); b.Staff {
		if at.Table.Doubt != "" {
			b.Doubt = "doubt." + at.Table.Doubt
		}
		for _, t := range s.Sessions.Lined() {
			b.Others = append(b.Others, s.Waiting(t, at.Lang))
		}
	}
	s.Render(w, r, http.StatusOK, "papers", screen.View{Steps: s.Steps(at.Lang, visit.Papers), Back: "/scan", Body: b})
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

func (s *Pages) changePaper(w http.ResponseWriter, r *http.Request, at screen.Seat) {
	if !screen.NeedProcedure(w, r, at) {
		return
	}
	id, now := r.PathValue("id"), s.Now()
	var err error
	switch r.PathValue("act") {
	case "turn":
		err = at.Visit.Turn(now, id)
	case "up":
		err = at.Visit.Move(now, id, -1)
	case "down":
		err = at.Visit.Move(now, id, +1)
	case "remove":
		if err = at.Visit.Remove(now, id); err == nil {
			at.Table.Pictures.Forget()
			err = counter.Fill(at.Visit, at.Proc, s.Now())
		}
	case "undo":
		if err = at.Visit.PutBack(now); err == nil {
			err = counter.Fill(at.Visit, at.Proc, now)
		}
	default:
		s.NotFound(w, r)
		return
	}
	if err != nil {
		s.TurnAway(w, r, at, err)
		return
	}
	http.Redirect(w, r, "/papers#"+id, http.StatusSeeOther)
}

// moveSheet gives a sheet that lies with the wrong person to another one in the line.
func (s *Pages) moveSheet(w http.ResponseWriter, r *http.Request, at screen.Seat) {
	if !screen.NeedProcedure(w, r, at) {
		return
	}
	lined := s.Sessions.Lined()
	i := slices.IndexFunc(lined, func(t *screen.Table) bool { return t.Visit.ID == r.PostForm.Get("to") })
	if !at.Session.Staffed() || i < 0 {
		http.Redirect(w, r, "/papers", http.StatusSeeOther)
		return
	}
	to, now := lined[i], s.Now()
	var sheet visit.Paper
	err := at.Visit.Use(func(papers []visit.Paper) error {
		at := slices.IndexFunc(papers, func(p visit.Paper) bool { return p.ID == r.PathValue("id") })
		if at < 0 {
			return visit.ErrNoPaper
		}
		sheet = papers[at]
		sheet.Data = slices.Clone(sheet.Data) // those bytes are wiped with it
		return nil
	})
	if err == nil {
		if _, err = to.Visit.Add(now, sheet); errors.Is(err, visit.ErrFull) {
			clear(sheet.Data)
			http.Redirect(w, r, screen.PapersFull+"=other", http.StatusSeeOther)
			return
		}
	}
	if err == nil {
		s.refill(to)
		s.Keep(to, nil) // it lies there safely before it goes from here
		err = at.Visit.Discard(now, r.PathValue("id"))
	}
	if err != nil {
		s.TurnAway(w, r, at, err)
		return
	}
	at.Table.Pictures.Forget()
	s.refill(at.Table)
	http.Redirect(w, r, "/papers", http.StatusSeeOther)
}

// refill lays what a visit's papers say into its form again.
func (s *Pages) refill(t *screen.Table) {
	proc := s.ProcedureOf(t.Visit.State())
	if proc == nil {
		return
	}
	if err := counter.Fill(t.Visit, proc, s.Now()); err != nil {
		s.Log.Error("fill form", "visit", t.Visit.ID, "error", err)
	}
}

// smallWidth is the width in pixels of a paper's picture in the list.
const smallWidth = 480

// picture shows a page of a paper, small or at reading size.
func (s *Pages) picture(w http.ResponseWriter, r *http.Request, at screen.Seat) {
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
		err := at.Visit.Use(func(papers []visit.Paper) error {
			for _, p := range papers {
				if p.ID == id {
					var err error
					out, err = s.Options.Reader.Preview(ctx, p.Data, page, width)
					return err
				}
			}
			return visit.ErrNoPaper
		})
		return out, err
	})
}

func (s *Pages) sendPicture(w http.ResponseWriter, r *http.Request, at screen.Seat, key string,
	make func(context.Context) ([]byte, error)) {
	data, err := at.Table.Pictures.Get(key, func() ([]byte, error) { return make(r.Context()) })
	switch {
	case errors.Is(err, visit.ErrNoPaper), errors.Is(err, visit.ErrNoField), errors.Is(err, visit.ErrOver):
		http.NotFound(w, r)
		return
	case err != nil:
		if r.Context().Err() == nil {
			s.Log.Warn("picture", "visit", at.State.ID, "error", err)
		}
		http.Error(w, http.StatusText(http.StatusNotFound), http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "image/jpeg")
	w.Header().Set("Content-Length", strconv.Itoa(len(data)))
	_, _ = w.Write(data)
}
