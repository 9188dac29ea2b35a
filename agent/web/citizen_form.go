package web

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"motcua/agent/counter"
	"motcua/agent/form"
	"motcua/agent/visit"
)

// The official form as it will be sent, to be looked at by the citizen, and to be printed, signed or edited by the
// volunteer. It is made anew for each look, and kept nowhere.

type formBody struct {
	Pages []int
	Files bool // PDF and DOCX may be had: a volunteer sits here
}

// sheet is the official form of the visit as it stands; false where the procedure has none.
func (s *CitizenPages) sheet(ctx context.Context, at seat) (form.Sheet, bool) {
	if at.proc == nil || len(at.state.Form) == 0 {
		return form.Sheet{}, false
	}
	return s.office().Pack(ctx, counter.Matter{Procedure: at.proc, Confirmed: s.now(), Ways: counter.Ways(at.proc, at.state)}, at.state.Form, nil).Sheet()
}

func (s *CitizenPages) formPage(w http.ResponseWriter, r *http.Request, at seat) {
	sheet, ok := s.sheet(r.Context(), at)
	if !ok {
		http.Redirect(w, r, s.whereTo(at.state), http.StatusSeeOther)
		return
	}
	pdf, err := sheet.PDF()
	if err != nil {
		s.log.Error("print form", "visit", at.state.ID, "error", err)
		s.fail(w, r, http.StatusInternalServerError, "fault")
		return
	}
	b := formBody{Files: at.state.Channel == visit.Volunteer}
	for n := range form.Pages(pdf) {
		b.Pages = append(b.Pages, n+1)
	}
	s.render(w, r, http.StatusOK, "form", view{Steps: s.steps(at.lang, visit.Confirm), Back: "/confirm", Path: "/confirm/form", Body: b})
}

// formWidth is the width of a form's picture in pixels: A4 at 120 dpi, as the largest screen shows it.
const formWidth = 1000

func (s *CitizenPages) formPicture(w http.ResponseWriter, r *http.Request, at seat) {
	n, err := strconv.Atoi(r.PathValue("n"))
	sheet, ok := s.sheet(r.Context(), at)
	if err != nil || !ok {
		http.NotFound(w, r)
		return
	}
	s.sendPicture(w, r, at, fmt.Sprintf("form/%d/%d", n, at.visit.Changes()), func(ctx context.Context) ([]byte, error) {
		pdf, err := sheet.PDF()
		if err != nil {
			return nil, err
		}
		return s.o.Reader.Preview(ctx, pdf, n, formWidth)
	})
}

// formFile gives the form to a volunteer; a citizen's kiosk has no place to put a file.
func (s *CitizenPages) formFile(w http.ResponseWriter, r *http.Request, at seat) {
	sheet, ok := s.sheet(r.Context(), at)
	if !ok || at.state.Channel != visit.Volunteer {
		http.NotFound(w, r)
		return
	}
	make, kind := sheet.PDF, "application/pdf"
	if strings.HasSuffix(r.URL.Path, ".docx") {
		make, kind = sheet.DOCX, "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
	}
	data, err := make()
	if err != nil {
		s.log.Error("print form", "visit", at.state.ID, "error", err)
		s.fail(w, r, http.StatusInternalServerError, "fault")
		return
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Disposition", fmt.Sprintf("attachment; filename=to-khai-%s%s", at.proc.Code, r.URL.Path[strings.LastIndexByte(r.URL.Path, '.'):]))
	_, _ = w.Write(data)
}
