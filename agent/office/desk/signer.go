package desk

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"motcua/agent/answer"
	"motcua/agent/office"
	"motcua/agent/sign"
)

// The government's signer (VGCA) runs on the officer's PC and listens on wss://127.0.0.1:8987. The page sends it a request; it
// fetches the PDF from FileName, signs it with the officer's token, and posts it as the field "uploadfile" to
// FileUploadHandler, which answers {Status, Message, FileName, FileServer}. It has no session of ours: a ticket, good once and
// for minutes, stands in both addresses.
//
// Known from public pages at second hand and not tried against the real program: whether Status 0 is success for every
// version, what it sends back over the socket (the page goes by what was uploaded, not by that), and whether it adds to the
// file or writes it anew. A file that doesn't begin with the bytes it was given can't be held against them and is refused.

const (
	signerPath   = "/desk/signer/"
	ticketLasts  = 10 * time.Minute
	ticketsMost  = 1000
	uploadField  = "uploadfile"
	signCopy     = "/SignCopy"     // copies of papers
	signApproved = "/SignApproved" // what the office itself wrote
)

// request is what the page sends to the signer.
type request struct {
	FileUploadHandler string
	SessionID         string `json:"SessionId"`
	JWTToken          string
	FileName          string
	DocNumber         string
	MetaData          []metaData
}

type metaData struct{ Key, Value string }

// reply is what the signer wants for an upload.
type reply struct {
	Status     int
	Message    string
	FileName   string
	FileServer string
}

// ticket lets a signer fetch one file and give it back signed.
type ticket struct {
	dossier  uint64
	revision uint64
	file     string
	officer  string
	until    time.Time
}

type tickets struct {
	mu  sync.Mutex // guards all
	all map[string]ticket
}

func newTickets() *tickets { return &tickets{all: map[string]ticket{}} }

func (t *tickets) sweep(now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for key, one := range t.all {
		if now.After(one.until) {
			delete(t.all, key)
		}
	}
}

func (t *tickets) get(key string, now time.Time) (ticket, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	one, ok := t.all[key]
	return one, ok && now.Before(one.until)
}

// ticketOf is the ticket that a request shows; one of an officer who is on the roster no more is none.
func (d *Desk) ticketOf(r *http.Request) (ticket, bool) {
	t, ok := d.tickets.get(r.PathValue("ticket"), d.now())
	if !ok {
		return ticket{}, false
	}
	_, known, err := d.o.Roster.Officer(t.officer)
	if err != nil {
		d.log.Error("read the list of officers", "error", err)
	}
	return t, known && err == nil
}

// ticket gives the page what it sends to the signer on the officer's PC.
func (d *Desk) ticket(w http.ResponseWriter, r *http.Request, s *session) {
	one, ok := d.found(w, r)
	if !ok {
		return
	}
	name := r.PostFormValue("file")
	if _, ok := one.File(name); !ok || d.o.Signer == "" {
		http.NotFound(w, r)
		return
	}
	if one.Revision != seen(r) {
		http.Error(w, "stale", http.StatusConflict)
		return
	}
	key := rand.Text()
	t := d.tickets
	t.mu.Lock()
	full := len(t.all) >= ticketsMost
	if !full {
		t.all[key] = ticket{one.Number, one.Revision, name, s.officer, d.now().Add(ticketLasts)}
	}
	t.mu.Unlock()
	if full {
		http.Error(w, "too many files wait for a signature", http.StatusTooManyRequests)
		return
	}
	base := scheme(r) + "://" + r.Host + signerPath + key
	way := signApproved
	if slices.ContainsFunc(d.formOf(one, "form.json").Copies, func(c struct{ Name, Title string }) bool { return c.Name == name }) {
		way = signCopy
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(struct {
		Socket  string
		Request request
	}{d.o.Signer + way, request{FileUploadHandler: base, FileName: base + "/" + url.PathEscape(name), JWTToken: key,
		DocNumber: fmt.Sprint(one.Number),
		MetaData:  []metaData{{"DocNumber", fmt.Sprint(one.Number)}}}})
}

// signerTakes gives the file to the signer.
func (d *Desk) signerTakes(w http.ResponseWriter, r *http.Request) {
	t, ok := d.ticketOf(r)
	if !ok || r.PathValue("name") != t.file {
		http.NotFound(w, r)
		return
	}
	one, err := d.o.Store.ByNumber(t.dossier)
	if err == nil {
		var data []byte
		if data, err = d.o.Store.Read(one, t.file); err == nil {
			w.Header().Set("Content-Type", pdfType)
			_, _ = w.Write(data)
			return
		}
	}
	http.NotFound(w, r)
}

// signerGives takes the signed file. The signer wants JSON, whatever came of it.
func (d *Desk) signerGives(w http.ResponseWriter, r *http.Request) {
	answerWith := func(status int, words, name string) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(reply{Status: status, Message: words, FileName: name})
	}
	key := r.PathValue("ticket")
	t, ok := d.ticketOf(r)
	if !ok {
		answerWith(1, "Yêu cầu ký đã hết hạn: mở lại hồ sơ và ký lại.", "")
		return
	}
	signed, err := uploaded(w, r)
	if err != nil {
		answerWith(1, "Không nhận được tệp đã ký.", "")
		return
	}
	one, err := d.o.Store.ByNumber(t.dossier)
	if err != nil {
		answerWith(1, "Hồ sơ không còn ở bàn làm việc.", "")
		return
	}
	if err := d.proveSigned(one, t.file, signed); err != nil {
		d.log.Warn("a signer gave back a file that is not taken", "dossier", one.Number, "error", err)
		answerWith(1, "Tệp gửi về không phải là tệp đã giao để ký, hoặc chưa có chữ ký số nguyên vẹn.", "")
		return
	}
	_, f, err := d.attachSigned(r, one, t.revision, t.officer, t.file, signed)
	switch {
	case errors.Is(err, office.ErrStale):
		answerWith(1, "Hồ sơ vừa có thay đổi: mở lại và ký lại.", "")
		return
	case err != nil:
		d.log.Error("keep a signed file", "dossier", one.Number, "error", err)
		answerWith(1, "Chưa lưu được tệp đã ký.", "")
		return
	}
	d.tickets.mu.Lock()
	delete(d.tickets.all, key)
	d.tickets.mu.Unlock()
	answerWith(0, "", f.Name)
}

// uploaded reads the signed file out of the signer's form, in memory.
func uploaded(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(2 * time.Minute))
	r.Body = http.MaxBytesReader(w, r.Body, answer.ResultLimit+formLimit)
	parts, err := r.MultipartReader()
	if err != nil {
		return nil, err
	}
	for {
		p, err := parts.NextPart()
		if err != nil {
			return nil, err
		}
		if strings.EqualFold(p.FormName(), uploadField) {
			return io.ReadAll(p)
		}
	}
}

// proveSigned holds a signed file against the one that was given to be signed.
func (d *Desk) proveSigned(one office.Dossier, name string, signed []byte) error {
	given, err := d.o.Store.Read(one, name)
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(signed, given) {
		return errors.New("it does not begin with the file that was given")
	}
	found, err := sign.Verify(signed, d.o.Trust)
	if err != nil {
		return err
	}
	if len(found) == 0 || !found[len(found)-1].Intact || !found[len(found)-1].Whole {
		return errors.New("it has no whole signature")
	}
	return nil
}
