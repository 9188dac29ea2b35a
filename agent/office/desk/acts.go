package desk

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"

	"motcua/agent/answer"
	"motcua/agent/office"
	"motcua/agent/sign"
)

// copyForms are the marks of copies that the decree knows.
var copyForms = sign.Forms

// seen is the revision that the officer's page showed.
func seen(r *http.Request) uint64 {
	n, err := strconv.ParseUint(r.PostFormValue("revision"), 10, 64)
	if err != nil {
		return 0 // no dossier has it
	}
	return n
}

func (d *Desk) act(w http.ResponseWriter, r *http.Request, s *session) {
	one, ok := d.found(w, r)
	if !ok {
		return
	}
	a := office.Act{By: s.officer, Revision: seen(r), State: answer.State(r.PostFormValue("state")),
		Text: strings.TrimSpace(strings.ReplaceAll(r.PostFormValue("text"), "\r\n", "\n")), Result: r.PostFormValue("result")}
	for _, reason := range answer.ReasonsFor(a.State) {
		if slices.Contains(r.PostForm["reason"], reason.Code) {
			a.Reasons = append(a.Reasons, reason.Code)
		}
	}
	after, err := d.o.Store.Act(r.Context(), one.ID, a)
	if err == nil {
		d.done(w, r, s, d.next(after), "acted."+string(a.State), "n", after.Number)
		return
	}
	d.refuse(w, r, one, err, dossierBody{Chosen: a.State, Typed: a.Text, Ticked: a.Reasons})
}

// refuse shows the dossier as it is now, with what the officer had typed, and says why nothing was done.
func (d *Desk) refuse(w http.ResponseWriter, r *http.Request, one office.Dossier, err error, b dossierBody) {
	why := d.reason(one, err)
	b.Wrong = why.key
	if now, err := d.o.Store.ByNumber(one.Number); err == nil {
		one = now
	}
	d.show(w, r, why.status, one, b)
}

// reason is what is told of an error.
func (d *Desk) reason(one office.Dossier, err error) refusal {
	var signing *sign.Error
	switch {
	case errors.Is(err, office.ErrStale):
		return refusal{http.StatusConflict, "wrong.stale"}
	case errors.Is(err, office.ErrNoReason):
		return refusal{http.StatusUnprocessableEntity, "wrong.no-reason"}
	case errors.Is(err, office.ErrNotNow):
		return refusal{http.StatusUnprocessableEntity, "wrong.not-now"}
	case errors.Is(err, office.ErrUnknown), errors.Is(err, errNoPDF):
		return refusal{http.StatusUnprocessableEntity, "wrong.file"}
	case errors.Is(err, errNoPIN):
		return refusal{http.StatusUnprocessableEntity, "sign.no-pin"}
	case errors.Is(err, errSigning):
		return refusal{http.StatusConflict, "sign.under-way"}
	case errors.As(err, &signing):
		return refusal{http.StatusUnprocessableEntity, "sign." + string(signing.Failure)}
	}
	d.log.Error("act on a dossier", "dossier", one.Number, "error", err)
	return refusal{http.StatusInternalServerError, "wrong.fault"}
}

// Refusals of signing before the token is asked: it may count each as a wrong PIN.
var (
	errNoPIN   = errors.New("desk: no PIN was typed")
	errSigning = errors.New("desk: signing is under way")
)

// refuseSigned sends the browser back to the dossier, which tells once why nothing was signed. The answer to a PIN is never a page:
// one that is loaded again sends its PIN again, and a token locks itself after a few wrong ones.
func (d *Desk) refuseSigned(w http.ResponseWriter, r *http.Request, s *session, one office.Dossier, err error) {
	s.mu.Lock()
	if s.refused == nil {
		s.refused = map[uint64]refusal{}
	}
	s.refused[one.Number] = d.reason(one, err)
	s.mu.Unlock()
	http.Redirect(w, r, fmt.Sprintf("/desk/d/%d", one.Number), http.StatusSeeOther)
}

var errNoPDF = errors.New("desk: not a PDF")

// pdfMark begins every PDF.
var pdfMark = []byte("%PDF-")

// result attaches the file that the citizen gets.
func (d *Desk) result(w http.ResponseWriter, r *http.Request, s *session) {
	one, ok := d.found(w, r)
	if !ok {
		return
	}
	file, head, err := r.FormFile("file")
	if err != nil {
		d.refuse(w, r, one, errNoPDF, dossierBody{})
		return
	}
	defer file.Close()
	begin := make([]byte, len(pdfMark))
	if _, err := io.ReadFull(file, begin); err != nil || !bytes.Equal(begin, pdfMark) || head.Size > answer.ResultLimit {
		d.refuse(w, r, one, errNoPDF, dossierBody{})
		return
	}
	after, f, err := d.o.Store.Attach(r.Context(), one.ID, office.Attachment{By: s.officer, Revision: seen(r), Name: resultName,
		MediaType: pdfType, Result: true,
		Content: func() (io.ReadCloser, error) {
			_, err := file.Seek(0, io.SeekStart)
			return io.NopCloser(file), err
		}})
	if err != nil {
		d.refuse(w, r, one, err, dossierBody{})
		return
	}
	d.done(w, r, s, fmt.Sprintf("/desk/d/%d#act", after.Number), "attached", "file", f.Name)
}

const (
	resultName = "ket-qua.pdf"
	pdfType    = "application/pdf"
	signedMark = "-da-ky"
)

// signedName is how a file is called once it is signed.
func signedName(name string) string {
	ext := path.Ext(name)
	return strings.TrimSuffix(name, ext) + signedMark + ext
}

// sign signs files by the token in the desk's machine, all with one PIN.
func (d *Desk) sign(w http.ResponseWriter, r *http.Request, s *session) {
	one, ok := d.found(w, r)
	if !ok {
		return
	}
	names := r.PostForm["file"]
	if d.o.Sign == nil || len(names) == 0 {
		d.refuseSigned(w, r, s, one, errNoPDF)
		return
	}
	mark := r.PostFormValue("form")
	if !slices.Contains(copyForms, mark) {
		mark = ""
	}
	pin := r.PostFormValue("pin")
	if pin == "" {
		d.refuseSigned(w, r, s, one, errNoPIN)
		return
	}
	if !s.signing.TryLock() {
		d.refuseSigned(w, r, s, one, errSigning)
		return
	}
	defer s.signing.Unlock()
	signer, done, err := d.o.Sign(r.Context(), pin, mark)
	if err != nil {
		d.refuseSigned(w, r, s, one, err)
		return
	}
	defer done()
	revision := seen(r)
	for _, name := range names {
		data, err := d.o.Store.Read(one, name)
		if err == nil && !bytes.HasPrefix(data, pdfMark) {
			err = errNoPDF
		}
		var out bytes.Buffer
		if err == nil {
			err = signer.Sign(r.Context(), data, &out)
		}
		if err == nil {
			one, _, err = d.attachSigned(r, one, revision, s.officer, name, out.Bytes())
		}
		if err != nil {
			d.refuseSigned(w, r, s, one, err)
			return
		}
		revision = one.Revision
	}
	s.mu.Lock()
	delete(s.refused, one.Number) // of a try before that no page has told of
	s.mu.Unlock()
	d.done(w, r, s, fmt.Sprintf("/desk/d/%d#files", one.Number), "signed", "n", len(names))
}

func (d *Desk) attachSigned(r *http.Request, one office.Dossier, revision uint64, by, name string, data []byte,
) (office.Dossier, office.File, error) {
	after, f, err := d.o.Store.Attach(r.Context(), one.ID, office.Attachment{By: by, Revision: revision, Name: signedName(name),
		MediaType: pdfType, Of: name,
		Content: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }})
	if err != nil {
		return one, f, err
	}
	return after, f, nil
}
