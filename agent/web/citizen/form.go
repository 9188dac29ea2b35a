package citizen

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"motcua/agent/counter"
	"motcua/agent/form"
	"motcua/agent/visit"
	"motcua/agent/web/screen"
)

// The official form as it will be sent, to be looked at by the citizen, and to be printed, signed or edited by the
// volunteer. It is made anew for each look, and kept nowhere.

type formBody struct {
	Pages []int
	Files bool // PDF and DOCX may be had: a volunteer sits here
}

// sheet is the official form of the visit as it stands; false where the procedure has none.
func (s *Pages) sheet(ctx context.Context, at screen.Seat) (form.Sheet, bool) {
	if at.Proc == nil || len(at.State.Form) == 0 {
		return form.Sheet{}, false
	}
	matter := counter.Matter{Procedure: at.Proc, Confirmed: s.Now(), Ways: counter.Ways(at.Proc, at.State)}
	return s.Office().Pack(ctx, matter, at.State.Form, nil).Sheet()
}

func (s *Pages) formPage(w http.ResponseWriter, r *http.Request, at screen.Seat) {
	sheet, ok := s.sheet(r.Context(), at)
	if !ok {
		http.Redirect(w, r, s.WhereTo(at.State), http.StatusSeeOther)
		return
	}
	pdf, err := sheet.PDF()
	if err != nil {
		s.Log.Error("print form", "visit", at.State.ID, "error", err)
		s.Fail(w, r, http.StatusInternalServerError, "fault")
		return
	}
	b := formBody{Files: at.State.Channel == visit.Volunteer}
	for n := range form.Pages(pdf) {
		b.Pages = append(b.Pages, n+1)
	}
	s.Render(w, r, http.StatusOK, "form", screen.View{Steps: s.Steps(at.Lang, visit.Confirm),
		Back: "/confirm", Path: "/confirm/form", Body: b})
}

// formWidth is the width of a form's picture in pixels: A4 at 120 dpi, as the largest screen shows it.
const formWidth = 1000

func (s *Pages) formPicture(w http.ResponseWriter, r *http.Request, at screen.Seat) {
	n, err := strconv.Atoi(r.PathValue("n"))
	sheet, ok := s.sheet(r.Context(), at)
	if err != nil || !ok {
		http.NotFound(w, r)
		return
	}
	s.sendPicture(w, r, at, fmt.Sprintf("form/%d/%d", n, at.Visit.Changes()), func(ctx context.Context) ([]byte, error) {
		pdf, err := sheet.PDF()
		if err != nil {
			return nil, err
		}
		return s.Options.Reader.Preview(ctx, pdf, n, formWidth)
	})
}

// formFile gives the form to a volunteer; a citizen's kiosk has no place to put a file.
func (s *Pages) formFile(w http.ResponseWriter, r *http.Request, at screen.Seat) {
	sheet, ok := s.sheet(r.Context(), at)
	if !ok || at.State.Channel != visit.Volunteer {
		http.NotFound(w, r)
		return
	}
	make, kind := sheet.PDF, "application/pdf"
	if strings.HasSuffix(r.URL.Path, ".docx") {
		make, kind = sheet.DOCX, "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
	}
	data, err := make()
	if err != nil {
		s.Log.Error("print form", "visit", at.State.ID, "error", err)
		s.Fail(w, r, http.StatusInternalServerError, "fault")
		return
	}
	w.Header().Set("Content-Type", kind)
	extension := r.URL.Path[strings.LastIndexByte(r.URL.Path, '.'):]
	w.Header().Set("Content-Disposition", fmt.Sprintf("attachment; filename=to-khai-%s%s", at.Proc.Code, extension))
	_, _ = w.Write(data)
}
