package screen

import (
	"context"
	"crypto/subtle"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"motcua/agent/stick"
)

// What one request may weigh and how long its sender may take. A form comes in one piece; a file from a stick or another
// browser of the office may take its time, but not for ever.
const (
	FormLimit  = 64 << 10 // bytes of a form without a file
	TokenLimit = 256      // bytes of the part that carries the form's token
	PartsLimit = 256      // files and fields of one form: each takes half a kilobyte at least, also one without a byte
	FormTime   = 10 * time.Second
	UploadTime = 2 * time.Minute
	AnswerTime = time.Minute // to read our answer; a live stream sets its own
	// uploadsAtOnce bounds the memory that files on their way can take, whoever sends them.
	UploadsAtOnce = 4
)

// file is one that was handed in with a form.
type file struct {
	field, name string
	Data        []byte
}

// Name is what it is called, safe to show.
func (f file) Name() string { return stick.Shown(f.name) }

type filesKey struct{}

// FilesOf gives what the request's form handed in under a name.
func FilesOf(r *http.Request, field string) []file {
	all, _ := r.Context().Value(filesKey{}).([]file)
	var found []file
	for _, f := range all {
		if f.field == field {
			found = append(found, f)
		}
	}
	return found
}

// What Receive refuses a body for.
var (
	ErrBadToken   = errors.New("form token")
	ErrNoRoom     = errors.New("too many uploads at once")
	ErrMediaType  = errors.New("media type")
	ErrManyParts  = errors.New("too many files and fields")
	ErrOddText    = errors.New("control characters")
	ErrOtherVisit = errors.New("form of another visit") // of this browser: another window has begun or opened one since
)

// Receive reads the body of a request that changes something, and gives the request with its form and files. Whose it is
// is known before: sess is the browser's session. Of a form with files only its first part, the token, is read before
// the token is right; of no session more than one such form is read at a time. All of it stays in memory, since a temporary
// file would hold personal data in the clear.
func (s *Host) Receive(w http.ResponseWriter, r *http.Request, sess *Session) (*http.Request, error) {
	rc := http.NewResponseController(w)
	token := r.Header.Get("X-CSRF-Token")
	if token != "" && !sess.owns(token) {
		return r, ErrBadToken
	}
	media, parameters, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case media == "multipart/form-data" && TakesFiles(r.URL.Path):
		if !sess.sending.CompareAndSwap(false, true) {
			return r, ErrNoRoom
		}
		defer sess.sending.Store(false)
		select {
		case s.Uploads <- struct{}{}:
			defer func() { <-s.Uploads }()
		default:
			return r, ErrNoRoom
		}
		_ = rc.SetReadDeadline(time.Now().Add(UploadTime))
		r.Body = http.MaxBytesReader(w, r.Body, s.Options.UploadLimit+FormLimit)
		var files []file
		var err error
		if r.PostForm, files, err = readParts(multipart.NewReader(r.Body, parameters["boundary"]), sess, token != ""); err != nil {
			return r, err
		}
		r.Form = r.PostForm
		r = r.WithContext(context.WithValue(r.Context(), filesKey{}, files))
	case media == "application/x-www-form-urlencoded" || r.ContentLength == 0:
		_ = rc.SetReadDeadline(time.Now().Add(FormTime))
		r.Body = http.MaxBytesReader(w, r.Body, FormLimit)
		if err := r.ParseForm(); err != nil {
			return r, err
		}
		if token == "" && !sess.owns(r.PostForm.Get("csrf")) {
			return r, ErrBadToken
		}
	default:
		return r, ErrMediaType
	}
	if token == "" {
		token = r.PostForm.Get("csrf")
	}
	if !anyVisits(r.URL.Path) && sess.elsewhere(token) {
		return r, ErrOtherVisit
	}
	for _, values := range r.PostForm {
		if slices.ContainsFunc(values, OddText) {
			return r, ErrOddText
		}
	}
	_ = rc.SetReadDeadline(time.Time{}) // a deadline that passes while the answer is made would end it
	return r, nil
}

// OddText finds what nobody types and what makes text look other than it is: control characters but line ends and tabs, signs
// that turn the direction of writing (Unicode TR 9), and bytes that are no text.
func OddText(s string) bool {
	return !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool {
		return unicode.IsControl(r) && r != '\n' && r != '\r' && r != '\t' || unicode.Is(unicode.Bidi_Control, r) ||
			unicode.Is(unicode.Noncharacter_Code_Point, r) || r == '\ufeff' || r == '\u2028' || r == '\u2029'
	})
}

// TakesFiles tells the addresses whose forms may carry files.
func TakesFiles(path string) bool {
	return path == "/upload" || path == "/console/procedures" || path == "/verify"
}

// anyVisits tells the addresses whose forms do the same whichever visit their page was made for.
func anyVisits(path string) bool {
	return path == "/begin" || path == "/language" || path == "/size" || path == "/speak" || path == "/verify"
}

// form is the token of the forms of a page: the session's secret, and the visit that the page shows.
func (s *Session) form(t *Table) string {
	if t == nil {
		return s.CSRF
	}
	return s.CSRF + "." + t.Visit.ID
}

func (s *Session) owns(token string) bool {
	secret, _, _ := strings.Cut(token, ".")
	return subtle.ConstantTimeCompare([]byte(secret), []byte(s.CSRF)) == 1
}

// elsewhere tells whether a form's page shows another visit than sits here now.
func (s *Session) elsewhere(token string) bool {
	_, of, named := strings.Cut(token, ".")
	t := s.Sitting()
	return named && t != nil && t.Visit.ID != of
}

// readParts reads a form with files; known says that the token was right already. What was read of a form that breaks off
// is overwritten.
func readParts(parts *multipart.Reader, sess *Session, known bool) (values url.Values, files []file, err error) {
	defer func() {
		if err != nil {
			for _, f := range files {
				clear(f.Data)
			}
		}
	}()
	values = url.Values{}
	for n := 0; ; n++ {
		p, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			if !known {
				return nil, files, ErrBadToken
			}
			return values, files, nil
		}
		if err != nil {
			return nil, files, err
		}
		if n == PartsLimit {
			return nil, files, ErrManyParts
		}
		name := p.FormName()
		if !known {
			b, err := io.ReadAll(io.LimitReader(p, TokenLimit))
			if err != nil {
				return nil, files, err
			}
			if name != "csrf" || !sess.owns(string(b)) {
				return nil, files, ErrBadToken
			}
			known = true
			values.Set("csrf", string(b))
			continue
		}
		data, err := io.ReadAll(p)
		if err != nil {
			clear(data)
			return nil, files, err
		}
		if p.FileName() == "" {
			values.Add(name, string(data))
			continue
		}
		files = append(files, file{name, p.FileName(), data})
	}
}
