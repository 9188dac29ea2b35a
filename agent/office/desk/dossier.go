package desk

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/draw"
	"image/jpeg"
	_ "image/png" // previews
	"io"
	"mime"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"

	"motcua/agent/answer"
	"motcua/agent/audit"
	"motcua/agent/dossier"
	"motcua/agent/office"
)

// form is form.json as the desk shows it: plain texts, so that what a kiosk of a later version says is shown all the same.
type form struct {
	Channel  string
	Operator string
	Official *struct{ Title, PDF, DOCX, Fault string } `json:"official_form"`
	Values   []value
	Ways     []struct{ Name, Words, Law string } `json:"papers_not_scanned"`
	Pages    []sheet
	Copies   []struct{ Name, Title string }
	Fault    string `json:"copy_fault"`
}

type value struct {
	ID, Label, Value, Source, Old string
	Doubts                        []string
	Place                         *dossier.Place
	Looked                        bool
	LookedBy                      string `json:"looked_by"`
}

// Doubted tells whether nobody has yet looked at what recognition doubted.
func (v value) Doubted() bool { return len(v.Doubts) > 0 && !v.Looked }

// sheet is a page file.
type sheet struct {
	Name      string
	MediaType string `json:"media_type"`
	Turn      int
	Kind      string
	From      string // the supplement that brought it
	Marks     []mark `json:"-"`
}

// mark is a value's place in thousandths of the page, as an SVG has it.
type mark struct {
	ID         string
	X, Y, W, H int
}

type dossierBody struct {
	office.Dossier
	Form   form
	Sheets []sheet
	Next   []answer.State
	List   map[answer.State][]answer.Reason
	Chosen answer.State // of a form that was refused
	Typed  string
	Ticked []string
	Wrong  string // key of what was wrong with it
	Twins  []uint64
	Same   []uint64 // dossiers with a certified copy of the same number
	PDFs   []office.File
	Others []office.File
	Token  bool // a token is in the desk's machine
	Signer string
	Forms  []string
}

func (b dossierBody) title(c catalogue, lang string) string {
	return c.say(lang, "dossier.heading", "n", b.Number)
}

// Has tells whether a reason was ticked.
func (b dossierBody) Has(code string) bool { return slices.Contains(b.Ticked, code) }

// found gives the dossier that an address names.
func (d *Desk) found(w http.ResponseWriter, r *http.Request) (office.Dossier, bool) {
	n, err := strconv.ParseUint(r.PathValue("number"), 10, 64)
	if err == nil {
		var one office.Dossier
		if one, err = d.o.Store.ByNumber(n); err == nil {
			return one, true
		}
	}
	d.fail(w, r, http.StatusNotFound, "fault.unknown", Path)
	return office.Dossier{}, false
}

func (d *Desk) dossier(w http.ResponseWriter, r *http.Request, s *session) {
	one, ok := d.found(w, r)
	if !ok {
		return
	}
	d.note(audit.Event{Actor: "officer:" + s.officer, Act: audit.DossierOpened, Submission: one.ID, Procedure: one.Procedure})
	why := refusal{status: http.StatusOK}
	s.mu.Lock()
	if told, ok := s.refused[one.Number]; ok {
		why = told
		delete(s.refused, one.Number)
	}
	s.mu.Unlock()
	d.show(w, r, why.status, one, dossierBody{Wrong: why.key})
}

// revision tells a page whether it is still true.
func (d *Desk) revision(w http.ResponseWriter, r *http.Request, _ *session) {
	if one, ok := d.found(w, r); ok {
		w.Header().Set("Content-Type", "text/plain")
		fmt.Fprint(w, one.Revision)
	}
}

// show renders a dossier; b holds what was typed, if a form was refused.
func (d *Desk) show(w http.ResponseWriter, r *http.Request, status int, one office.Dossier, b dossierBody) {
	b.Dossier, b.Twins = one, d.o.Store.Twins(one)
	b.Same = d.o.Store.SameNumber(one)
	b.Next, b.Token, b.Signer, b.Forms = office.Next(one.State), d.o.Sign != nil, d.o.Signer, copyForms
	b.List = map[answer.State][]answer.Reason{}
	for _, state := range b.Next {
		b.List[state] = answer.ReasonsFor(state)
	}
	b.Form = d.formOf(one, "form.json")
	for _, p := range b.Form.Pages {
		for _, v := range b.Form.Values {
			if v.Place != nil && v.Place.Page == p.Name {
				const thousand = 1000
				p.Marks = append(p.Marks, mark{v.ID, int(v.Place.X * thousand), int(v.Place.Y * thousand), int(v.Place.W * thousand),
					int(v.Place.H * thousand)})
			}
		}
		b.Sheets = append(b.Sheets, p)
	}
	for _, more := range one.Added {
		for _, p := range d.formOf(one, more.ID+"-form.json").Pages {
			p.From, p.Name = more.ID, more.ID+"-"+p.Name
			b.Sheets = append(b.Sheets, p)
		}
	}
	for _, f := range one.Files {
		switch ext := path.Ext(f.Name); {
		case ext == ".pdf" && !slices.ContainsFunc(b.Sheets, func(p sheet) bool { return p.Name == f.Name }):
			b.PDFs = append(b.PDFs, f)
		case ext == ".docx":
			b.Others = append(b.Others, f)
		}
	}
	d.render(w, r, status, "dossier", b)
}

// formOf reads a form; one that can't be read is empty: the papers can be looked at all the same.
func (d *Desk) formOf(one office.Dossier, name string) (f form) {
	if _, ok := one.File(name); !ok {
		return f
	}
	text, err := d.o.Store.Read(one, name)
	if err == nil {
		err = json.Unmarshal(text, &f)
	}
	if err != nil {
		d.log.Error("read a dossier's form", "dossier", one.Number, "error", err)
		return form{}
	}
	f.show()
	return f
}

// show makes what can't be seen in a form visible. Kiosks refuse such signs; a hostile one may send them, and a name whose
// writing turns reads as another one.
func (f *form) show() {
	for i := range f.Values {
		v := &f.Values[i]
		v.Label, v.Value, v.Source, v.Old, v.LookedBy = visible(v.Label), visible(v.Value), visible(v.Source), visible(v.Old), visible(v.LookedBy)
	}
	for i := range f.Ways {
		w := &f.Ways[i]
		w.Name, w.Words, w.Law = visible(w.Name), visible(w.Words), visible(w.Law)
	}
	for i := range f.Pages {
		f.Pages[i].Kind, f.Pages[i].From = visible(f.Pages[i].Kind), visible(f.Pages[i].From)
	}
	for i := range f.Copies {
		f.Copies[i].Title = visible(f.Copies[i].Title)
	}
	if f.Official != nil {
		f.Official.Title, f.Official.Fault = visible(f.Official.Title), visible(f.Official.Fault)
	}
	f.Channel, f.Operator, f.Fault = visible(f.Channel), visible(f.Operator), visible(f.Fault)
}

// visible puts U+FFFD in the place of control characters but line ends and tabs, and of signs without width or that turn the
// direction of writing (categories Cc, Cf, Zl, Zp of Unicode).
func visible(s string) string {
	return strings.Map(func(r rune) rune {
		if r != '\n' && r != '\t' && unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) {
			return unicode.ReplacementChar
		}
		return r
	}, s)
}

const (
	pictureWidth  = 1700 // px of a page: its print can be read when it is enlarged
	picturesMost  = 16   // kept in memory
	pictureLasts  = 2 * time.Minute
	cropMargin    = 0.012 // share of the page around a value
	cropQuality   = 85
	previewsEvery = 2 // at once
)

// pictures keeps the pages that are on officers' screens: each value's crop is cut out of one.
type pictures struct {
	mu   sync.Mutex // guards all
	all  map[string]*picture
	room chan struct{}
}

type picture struct {
	once sync.Once
	data []byte
	err  error
	used time.Time
}

func newPictures() *pictures {
	return &pictures{all: map[string]*picture{}, room: make(chan struct{}, previewsEvery)}
}

func (p *pictures) get(key string, now time.Time) *picture {
	p.mu.Lock()
	defer p.mu.Unlock()
	one, ok := p.all[key]
	if !ok {
		for len(p.all) >= picturesMost {
			oldest := ""
			for k, v := range p.all {
				if oldest == "" || v.used.Before(p.all[oldest].used) {
					oldest = k
				}
			}
			delete(p.all, oldest)
		}
		one = &picture{}
		p.all[key] = one
	}
	one.used = now
	return one
}

func (p *pictures) sweep(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for k, v := range p.all {
		if now.Sub(v.used) > pictureLasts {
			delete(p.all, k)
		}
	}
}

func (p *pictures) clear() { p.sweep(time.Unix(1<<40, 0)) }

var errNoPicture = errors.New("no such page")

// preview is a page of a dossier's file as a picture.
func (d *Desk) preview(ctx context.Context, one office.Dossier, name string, n int) ([]byte, error) {
	f, ok := one.File(name)
	if !ok || d.o.Preview == nil {
		return nil, errNoPicture
	}
	shown := d.pictures.get(fmt.Sprintf("%s/%d", f.Place, n), d.now())
	shown.once.Do(func() {
		select {
		case d.pictures.room <- struct{}{}:
			defer func() { <-d.pictures.room }()
		case <-ctx.Done():
			shown.err = ctx.Err()
			return
		}
		var data []byte
		if data, shown.err = d.o.Store.Read(one, name); shown.err == nil {
			// Another browser may wait for the same page: this one's going away must not take it from it.
			shown.data, shown.err = d.o.Preview(context.WithoutCancel(ctx), data, n, pictureWidth)
			clear(data)
		}
	})
	if shown.err != nil {
		d.pictures.mu.Lock()
		delete(d.pictures.all, fmt.Sprintf("%s/%d", f.Place, n)) // the next one tries again
		d.pictures.mu.Unlock()
	}
	return shown.data, shown.err
}

func (d *Desk) picture(w http.ResponseWriter, r *http.Request, _ *session) {
	one, ok := d.found(w, r)
	if !ok {
		return
	}
	n, err := strconv.Atoi(r.URL.Query().Get("n"))
	if err != nil || n < 1 {
		n = 1
	}
	data, err := d.preview(r.Context(), one, r.PathValue("file"), n)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	d.picturesHead(w, data)
	_, _ = w.Write(data)
}

// picturesHead lets the officer's browser keep a picture while the page is open, and nobody between.
func (d *Desk) picturesHead(w http.ResponseWriter, data []byte) {
	w.Header().Set("Content-Type", http.DetectContentType(data))
	w.Header().Set("Cache-Control", "private, max-age=60")
}

// crop cuts a value's place out of its page.
func (d *Desk) crop(w http.ResponseWriter, r *http.Request, _ *session) {
	one, ok := d.found(w, r)
	if !ok {
		return
	}
	f := d.formOf(one, "form.json")
	i := slices.IndexFunc(f.Values, func(v value) bool { return v.ID == r.PathValue("value") && v.Place != nil })
	if i < 0 {
		http.NotFound(w, r)
		return
	}
	at := f.Values[i].Place
	data, err := d.preview(r.Context(), one, at.Page, 1)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	out, err := cut(data, at)
	if err != nil {
		d.log.Error("cut a value out of its page", "dossier", one.Number, "error", err)
		http.NotFound(w, r)
		return
	}
	d.picturesHead(w, out)
	_, _ = w.Write(out)
}

func cut(data []byte, at *dossier.Place) ([]byte, error) {
	whole, _, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	b := whole.Bounds()
	w, h := float64(b.Dx()), float64(b.Dy())
	box := image.Rect(int((at.X-cropMargin)*w), int(at.Y*h-cropMargin*w), int((at.X+at.W+cropMargin)*w),
		int((at.Y+at.H)*h+cropMargin*w)).Add(b.Min).Intersect(b)
	if box.Empty() {
		return nil, errNoPicture
	}
	part := image.NewRGBA(image.Rectangle{Max: box.Size()})
	draw.Draw(part, part.Bounds(), whole, box.Min, draw.Src)
	var out bytes.Buffer
	err = jpeg.Encode(&out, part, &jpeg.Options{Quality: cropQuality})
	return out.Bytes(), err
}

// download gives a file as it is, for the officer to keep.
func (d *Desk) download(w http.ResponseWriter, r *http.Request, s *session) {
	one, ok := d.found(w, r)
	if !ok {
		return
	}
	name := r.PathValue("file")
	f, ok := one.File(name)
	if !ok {
		d.fail(w, r, http.StatusNotFound, "fault.unknown", Path)
		return
	}
	d.note(audit.Event{Actor: "officer:" + s.officer, Act: audit.DossierOpened, Submission: one.ID, Procedure: one.Procedure, Reason: "file"})
	from, err := d.o.Store.Open(one, name)
	if err != nil {
		d.log.Error("open a dossier's file", "dossier", one.Number, "error", err)
		d.fail(w, r, http.StatusInternalServerError, "fault", Path)
		return
	}
	defer from.Close()
	media := mime.TypeByExtension(path.Ext(name))
	if media == "" || strings.HasPrefix(media, "text/html") || strings.Contains(media, "svg") {
		media = "application/octet-stream"
	}
	w.Header().Set("Content-Type", media)
	w.Header().Set("Content-Length", strconv.FormatInt(f.Size, 10))
	w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": fmt.Sprintf("%d-%s", one.Number,
		name)}))
	if _, err := io.Copy(w, from); err != nil {
		panic(http.ErrAbortHandler) // half a file must not look whole
	}
}
