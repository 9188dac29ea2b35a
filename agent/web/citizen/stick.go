package citizen

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"motcua/agent/stick"
	"motcua/agent/visit"
	"motcua/agent/web/screen"
	"motcua/ocr"
)

// stickBody is the page that lists what lies on a USB stick.
type stickBody struct {
	stick.Listing
	Shown   []stickFile // of Files, on this page
	Refused []stickFile
	Fault   string
	State   string // changes when a stick comes or goes
	Again   string // this page
	Post    string
	Before  string // the page of newer files; empty: there is none
	After   string
}

type stickFile struct {
	ID, Name, About, Why string
}

const (
	perPage      = 12               // files with their pictures on a page of them
	stickWidth   = 320              // pixels of a file's picture
	pictureShare = 20 * time.Second // of workers' time for a visit's pictures: pages made to hurt are then listed by name alone
)

func (s *Pages) stickPage(w http.ResponseWriter, r *http.Request, at screen.Seat) {
	if s.Options.Sticks == nil || !screen.NeedProcedure(w, r, at) {
		http.Redirect(w, r, "/scan", http.StatusSeeOther)
		return
	}
	if err := at.Visit.Go(s.Now(), visit.Scan); err != nil {
		s.TurnAway(w, r, at, err)
		return
	}
	if at.State.Busy {
		http.Redirect(w, r, "/scan", http.StatusSeeOther)
		return
	}
	s.showStick(w, r, at, http.StatusOK, "")
}

// stickState tells the page when to look again; asking is no sign of life.
func (s *Pages) stickState(w http.ResponseWriter, _ *http.Request, _ screen.Seat) {
	if s.Options.Sticks == nil {
		http.Error(w, http.StatusText(http.StatusNotFound), http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "text/plain")
	fmt.Fprint(w, s.Options.Sticks.State())
}

func (s *Pages) showStick(w http.ResponseWriter, r *http.Request, at screen.Seat, status int, fault string) {
	b := stickBody{Fault: fault, State: s.Options.Sticks.State()}
	var err error
	if b.Listing, err = s.Options.Sticks.List(r.Context(), at.Visit.ID, at.State.Started); err != nil {
		if b.Fault == "" {
			b.Fault = s.Words.Say(at.Lang, stickFault(err))
		}
		s.Log.Warn("list a stick", "visit", at.State.ID, "error", err)
	}
	to := query(placing(r.URL.Query(), at.State))
	b.Post, b.Again = "/stick"+to, "/stick"+to
	page, _ := strconv.Atoi(r.URL.Query().Get("page")) // 0: the first
	page = max(0, min(page, (len(b.Files)-1)/perPage))
	link := func(n int) string {
		v, _ := url.ParseQuery(strings.TrimPrefix(to, "?")) // made above
		v.Set("page", strconv.Itoa(n))
		return "/stick?" + v.Encode()
	}
	if page > 0 {
		b.Before, b.Again = link(page-1), link(page)
	}
	if (page+1)*perPage < len(b.Files) {
		b.After = link(page + 1)
	}
	for _, f := range b.Files[min(page*perPage, len(b.Files)):min((page+1)*perPage, len(b.Files))] {
		b.Shown = append(b.Shown, stickFile{ID: f.ID, Name: f.Name, About: about(at.Lang, f)})
	}
	for _, f := range b.Listing.Refused {
		why := s.Words.Say(at.Lang, "stick.why."+string(f.Why))
		if f.Why == stick.WhyTooLarge {
			why = s.Words.Say(at.Lang, "stick.why.too-large", "most", megabytes(at.Lang, s.Options.UploadLimit))
		}
		b.Refused = append(b.Refused, stickFile{Name: f.Name, Why: why})
	}
	s.Render(w, r, status, "stick", screen.View{Steps: s.Steps(at.Lang, visit.Scan), Back: "/scan" + to, Path: b.Again, Body: b})
}

// about is what stands below a file's name.
func about(lang string, f stick.File) string {
	parts := []string{f.Changed.Local().Format("02/01/2006"), megabytes(lang, f.Size)}
	if f.Folder != "" {
		parts = append(parts, f.Folder)
	}
	return strings.Join(parts, " · ")
}

// megabytes writes a size as people read it.
func megabytes(lang string, n int64) string {
	text := strconv.FormatFloat(max(0.1, float64(n)/1e6), 'f', 1, 64)
	if lang == "vi" {
		text = strings.Replace(text, ".", ",", 1)
	}
	return text + " MB"
}

// stickFault is the sentence for what a stick did not give.
func stickFault(err error) string {
	switch {
	case errors.Is(err, stick.ErrChanged):
		return "stick.changed"
	case errors.Is(err, stick.ErrTooLarge):
		return "stick.too-much"
	case errors.Is(err, stick.ErrSlow), errors.Is(err, context.DeadlineExceeded):
		return "stick.slow"
	}
	return "stick.gone"
}

// stickTake takes the files that were chosen, in the way of files that are handed in.
func (s *Pages) stickTake(w http.ResponseWriter, r *http.Request, at screen.Seat) {
	if s.Options.Sticks == nil || !screen.NeedProcedure(w, r, at) {
		http.Redirect(w, r, "/scan", http.StatusSeeOther)
		return
	}
	refuse := func(status int, key string) { s.showStick(w, r, at, status, s.Words.Say(at.Lang, key)) }
	ids := r.PostForm["file"]
	if len(ids) == 0 {
		refuse(http.StatusBadRequest, "stick.none-chosen")
		return
	}
	select {
	case s.Uploads <- struct{}{}:
		defer func() { <-s.Uploads }()
	default:
		refuse(http.StatusServiceUnavailable, "stick.slow")
		return
	}
	var all [][]byte
	drop := func() {
		for _, data := range all {
			clear(data)
		}
	}
	var names []string
	var sum int64
	for _, id := range ids[:min(len(ids), perPage)] {
		data, err := s.Options.Sticks.Take(r.Context(), at.Visit.ID, id)
		all, names = append(all, data), append(names, s.Options.Sticks.NameOf(at.Visit.ID, id))
		if sum += int64(len(data)); err == nil && sum > 2*s.Options.UploadLimit { // as much memory as two that are sent
			err = stick.ErrTooLarge
		}
		if err != nil {
			drop()
			s.Log.Warn("take a file from a stick", "visit", at.State.ID, "error", err)
			refuse(http.StatusUnprocessableEntity, stickFault(err))
			return
		}
	}
	if why := s.noPapers(at.Lang, all, names); why != "" {
		drop()
		s.showStick(w, r, at, http.StatusUnprocessableEntity, why)
		return
	}
	s.takeIn(w, r, at, all, names)
}

// stickPicture shows a file of a stick, small, as the confined reader sees it.
func (s *Pages) stickPicture(w http.ResponseWriter, r *http.Request, at screen.Seat) {
	id := r.URL.Query().Get("file")
	if s.Options.Sticks == nil || id == "" || at.Table.Worked() > pictureShare {
		http.Error(w, http.StatusText(http.StatusNotFound), http.StatusNotFound)
		return
	}
	sum := sha256.Sum256([]byte(id))
	s.sendPicture(w, r, at, "stick/"+hex.EncodeToString(sum[:]), func(ctx context.Context) ([]byte, error) {
		data, err := s.Options.Sticks.Take(ctx, at.Visit.ID, id)
		if err != nil {
			return nil, err
		}
		defer clear(data)
		if refusal(data) != "" {
			return nil, &ocr.Problem{Code: ocr.Unsupported}
		}
		work, cancel := context.WithCancel(at.Table.Context) // what it costs counts to the visit
		defer cancel()
		defer context.AfterFunc(ctx, cancel)()
		return s.Options.Reader.Preview(work, data, 1, stickWidth)
	})
}
