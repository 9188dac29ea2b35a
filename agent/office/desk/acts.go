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
	b.Wrong = "wrong.fault"
	status := http.StatusInternalServerError
	var signing *sign.Error
	switch {
	case errors.Is(err, office.ErrStale):
		b.Wrong, status = "wrong.stale", http.StatusConflict
	case errors.Is(err, office.ErrNoReason):
		b.Wrong, status = "wrong.no-reason", http.StatusUnprocessableEntity
	case errors.Is(err, office.ErrNotNow):
		b.Wrong, status = "wrong.not-now", http.StatusUnprocessableEntity
	case errors.Is(err, office.ErrUnknown), errors.Is(err, errNoPDF):
		b.Wrong, status = "wrong.file", http.StatusUnprocessableEntity
	case errors.As(err, &signing):
		b.Wrong, status = "sign."+string(signing.Failure), http.StatusUnprocessableEntity
	default:
		d.log.Error("act on a dossier", "dossier", one.Number, "error", err)
	}
	if now, err := d.o.Store.ByNumber(one.Number); err == nil {
		one = now
	}
	d.show(w, r, status, one, b)
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
		d.refuse(w, r, one, errNoPDF, dossierBody{})
		return
	}
	mark := r.PostFormValue("form")
	if !slices.Contains(copyForms, mark) {
		mark = ""
	}
	signer, done, err := d.o.Sign(r.Context(), r.PostFormValue("pin"), mark)
	if err != nil {
		d.refuse(w, r, one, err, dossierBody{})
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
			d.refuse(w, r, one, err, dossierBody{})
			return
		}
		revision = one.Revision
	}
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
