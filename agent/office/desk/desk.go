// Package desk is the officer's desk: server-rendered pages over a ward's dossiers (package office). In go HTTP requests of
// officers' browsers; out come acts on dossiers, signed files, and pages that show form and papers side by side.
//
// It promises: nobody sees anything who has not signed in by PIN or with a client certificate of the officers' authority;
// what an officer looked at and did stands in the audit log; a page that was overtaken by another officer's act changes
// nothing; every page works by keys alone, and without JavaScript but for signing on the officer's own PC.
package desk

import (
	"context"
	"crypto/x509"
	"errors"
	"io/fs"
	"log/slog"
	"net/http"
	"time"

	"motcua/agent/audit"
	"motcua/agent/office"
	"motcua/agent/sign"
	"motcua/queue/receive"
)

// Path is where the desk expects to be mounted.
const Path = "/desk/"

// DefaultSigner is where the government's signer listens on an officer's PC.
const DefaultSigner = "wss://127.0.0.1:8987"

// Options is what the desk needs.
type Options struct {
	Store  *office.Store
	Roster *Roster // who may sign in
	// Officers is the authority of the officers' client certificates; a certificate's common name is a sign-in name of the
	// roster. Nil: by PIN only.
	Officers *x509.CertPool
	Kiosks   *receive.Kiosks // whose credentials can be revoked; nil: none

	// Preview shows a page of a file as a picture; *ocr.Reader has it. Foreign bytes are opened there, not here.
	Preview func(ctx context.Context, data []byte, page, maxWidth int) ([]byte, error)

	// Sign opens the token in the desk's machine; nil: there is none.
	Sign func(ctx context.Context, pin, form string) (s *sign.Signer, done func(), err error)
	// Signer is where the government's signer listens on an officer's PC, such as DefaultSigner; "": it is not used.
	Signer string
	Trust  *sign.Trust // authorities of signatures; nil: none is known

	Ward  string
	Hosts []string // names of this desk besides loopback's, where it is not served with TLS
	Demo  string   // a line for the sign-in page of the demo; "": it is none
	Now   func() time.Time
	Log   *slog.Logger
}

// Desk is the http.Handler at Path.
type Desk struct {
	o        Options
	log      *slog.Logger
	now      func() time.Time
	words    catalogue
	pages    map[string]map[string]page // language, page
	sums     map[string]string
	sessions *sessions
	pictures *pictures
	tickets  *tickets
	handler  http.Handler
}

// New builds the desk; it fails only on a mistake in the program's own templates and words.
func New(o Options) (*Desk, error) {
	if o.Store == nil || o.Roster == nil {
		return nil, errors.New("the desk needs a store and a roster")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	d := &Desk{o: o, log: o.Log, now: o.Now, sessions: newSessions(), tickets: newTickets(), pictures: newPictures()}
	var err error
	if d.words, err = loadWords(); err != nil {
		return nil, err
	}
	if d.sums, err = sumStatic(); err != nil {
		return nil, err
	}
	if d.pages, err = d.loadPages(); err != nil {
		return nil, err
	}
	static, err := fs.Sub(files, "static")
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("GET /desk/static/", http.StripPrefix("/desk/static/", kept(http.FileServerFS(static))))
	mux.HandleFunc("GET /desk/signin", d.signInPage)
	mux.HandleFunc("POST /desk/signin", d.signIn)
	mux.HandleFunc("POST /desk/out", d.signOut)
	mux.HandleFunc("POST /desk/language", d.language)
	mux.HandleFunc("GET /desk/{$}", d.officer(d.line))
	mux.HandleFunc("GET /desk/d/{number}", d.officer(d.dossier))
	mux.HandleFunc("GET /desk/d/{number}/revision", d.officer(d.revision))
	mux.HandleFunc("GET /desk/d/{number}/page/{file}", d.officer(d.picture))
	mux.HandleFunc("GET /desk/d/{number}/crop/{value}", d.officer(d.crop))
	mux.HandleFunc("GET /desk/d/{number}/file/{file}", d.officer(d.download))
	mux.HandleFunc("POST /desk/d/{number}/act", d.officer(d.act))
	mux.HandleFunc("POST /desk/d/{number}/result", d.officer(d.result))
	mux.HandleFunc("POST /desk/d/{number}/sign", d.officer(d.sign))
	mux.HandleFunc("POST /desk/d/{number}/ticket", d.officer(d.ticket))
	mux.HandleFunc("GET /desk/signer/{ticket}/{name}", d.signerTakes)
	mux.HandleFunc("POST /desk/signer/{ticket}", d.signerGives)
	mux.HandleFunc("GET /desk/kiosks", d.officer(d.kiosks))
	mux.HandleFunc("POST /desk/kiosks", d.officer(d.changeKiosk))
	mux.HandleFunc("GET /desk/figures", d.officer(d.figures))
	mux.HandleFunc("GET /desk/figures.csv", d.officer(d.figuresTable))
	mux.HandleFunc("POST /desk/export", d.officer(d.export))
	mux.HandleFunc("GET /desk/changed", d.officer(d.changed))
	d.handler = d.guard(mux)
	return d, nil
}

// ServeHTTP answers one request.
func (d *Desk) ServeHTTP(w http.ResponseWriter, r *http.Request) { d.handler.ServeHTTP(w, r) }

// Run forgets sessions, pictures and tickets that nobody uses any more, until ctx ends; then all of them.
func (d *Desk) Run(ctx context.Context) error {
	tick := time.NewTicker(time.Second * 10)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			now := d.now()
			d.sessions.sweep(now)
			d.tickets.sweep(now)
			d.pictures.sweep(now)
		case <-ctx.Done():
			d.pictures.clear()
			return nil
		}
	}
}

// note records an act; the log is told where that could not be done.
func (d *Desk) note(e audit.Event) {
	if err := d.o.Store.Note(e); err != nil {
		d.log.Error("audit", "act", string(e.Act), "error", err)
	}
}
