package answer

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"filippo.io/age"
)

// Path is where the handler expects to be mounted.
const Path = "/answers/"

// Header says that it is the desk itself that speaks: in every answer of a Server, as Tus-Resumable is in a hub's.
const Header = "Motcua-Answers"

// recipientHeader is in a kiosk's requests: the age recipient that is sealed to.
const recipientHeader = "Motcua-Recipient"

const (
	version   = "1"
	batch     = 200              // answers in one response
	waitMost  = 30 * time.Second // a request without news is answered after so long
	pageLimit = batch * 2 * answerLimit
)

// Source is the desk's store of answers.
type Source interface {
	// Desk is the random name of the store, made with it or by Renew.
	Desk() string
	// Last is the highest number that was given.
	Last(ctx context.Context) (uint64, error)
	// Renew gives the store another random name: a kiosk has seen numbers that it does not know, so it was set back to an
	// older copy and would give them a second time.
	Renew(ctx context.Context) error
	// Answers gives up to most answers with numbers above after, in their order, of each dossier only the newest.
	Answers(ctx context.Context, after uint64, most int) ([]Answer, error)
	// Result opens an answer's result; ErrUnknown where a newer answer took its place, or it has none.
	Result(ctx context.Context, number uint64) (io.ReadCloser, error)
	// Enrol binds a kiosk to the first age recipient that comes with its credential; nil for that one ever after. Another is
	// ErrOtherKey until an officer allows it, any of a kiosk that was revoked ErrTurnedOut.
	Enrol(ctx context.Context, kiosk, recipient string) error
	// Recipients gives the recipients that kiosks are bound to, by their names; none of those that were revoked.
	Recipients(ctx context.Context) (map[string]string, error)
	// HandedOver notes that a kiosk handed the result of that digest to its citizen, so that the others wipe it; ErrUnknown where
	// the dossier has no such result any more.
	HandedOver(ctx context.Context, kiosk, submission, sha256 string) error
	// Changed is closed at the next answer, and when Recipients change.
	Changed() <-chan struct{}
	// Wait returns when there is an answer with a number above after, or ctx ends.
	Wait(ctx context.Context, after uint64)
}

// Why a kiosk that has a good credential gets no answers.
var (
	ErrOtherKey  = errors.New("the desk seals to another key of this kiosk: an officer has to allow the new one")
	ErrTurnedOut = errors.New("this kiosk was revoked at the desk")
)

// Fingerprint names a recipient for people: 64 bits of its digest, as officer and technician compare them.
func Fingerprint(recipient string) string {
	sum := sha256.Sum256([]byte(recipient))
	text := strings.ToUpper(hex.EncodeToString(sum[:8]))
	return strings.Join([]string{text[:4], text[4:8], text[8:12], text[12:]}, "-")
}

// listing is a response: answers by their numbers, each sealed to the kiosk that asked.
type listing struct {
	Schema  string   `json:"schema"`
	Desk    string   `json:"desk"`
	After   uint64   `json:"after"` // ask for what comes after this next
	More    bool     `json:"more"`  // there may be more at once
	Answers [][]byte `json:"answers"`
}

// NewServer gives a desk's answers to kiosks. who tells which kiosk a request is from, or answers it and says no.
func NewServer(src Source, who func(http.ResponseWriter, *http.Request) (kiosk string, ok bool), log *slog.Logger) http.Handler {
	s := &server{src: src, who: who, log: log}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+Path+"{$}", s.list)
	mux.HandleFunc("GET "+Path+"{number}/result", s.result)
	mux.HandleFunc("POST "+Path+handedPath, s.handed)
	return mux
}

type server struct {
	src Source
	who func(http.ResponseWriter, *http.Request) (string, bool)
	log *slog.Logger
}

// enter tells which kiosk asks, and what to seal to.
func (s *server) enter(w http.ResponseWriter, r *http.Request) (kiosk string, to age.Recipient, ok bool) {
	kiosk, ok = s.who(w, r)
	if !ok {
		return "", nil, false
	}
	h := w.Header()
	h.Set(Header, version)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	if kiosk == "" {
		http.Error(w, "answers are given to kiosks that are known by a credential of their own", http.StatusForbidden)
		return "", nil, false
	}
	own, err := age.ParseX25519Recipient(r.Header.Get(recipientHeader))
	if err != nil {
		http.Error(w, recipientHeader+" must name an age recipient", http.StatusBadRequest)
		return "", nil, false
	}
	// Asked each time: who has a stolen credential, and not the kiosk's own key, gets nothing that could be read.
	switch err := s.src.Enrol(r.Context(), kiosk, own.String()); {
	case errors.Is(err, ErrOtherKey):
		http.Error(w, err.Error(), http.StatusConflict)
	case errors.Is(err, ErrTurnedOut):
		http.Error(w, err.Error(), http.StatusForbidden)
	case err != nil:
		s.fail(w, r, fmt.Errorf("enrol kiosk %s: %w", kiosk, err))
	default:
		return kiosk, own, true
	}
	return "", nil, false
}

// fail answers that the desk can't now. What is wrong stays in its log.
func (s *server) fail(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() == nil {
		s.log.Error("give answers", "error", err)
	}
	http.Error(w, "the desk can't answer now", http.StatusInternalServerError)
}

func (s *server) list(w http.ResponseWriter, r *http.Request) {
	_, to, ok := s.enter(w, r)
	if !ok {
		return
	}
	after, err := s.from(r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	desk := s.src.Desk()
	if wait := waitOf(r); wait > 0 && after > 0 {
		ctx, cancel := context.WithTimeout(r.Context(), wait)
		s.src.Wait(ctx, after)
		cancel()
		// Who was turned out meanwhile gets nothing more.
		if _, _, ok := s.enter(w, r); !ok {
			return
		}
	}
	list, err := s.src.Answers(r.Context(), after, batch)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	out := listing{Schema: schema, Desk: desk, After: after, More: len(list) == batch, Answers: [][]byte{}}
	for _, a := range list {
		out.After = max(out.After, a.Number)
		data, err := Seal(a, to)
		if err != nil { // one that can't be told holds up none of the others
			s.log.Error("seal answer", "number", a.Number, "submission", a.Submission, "error", err)
			continue
		}
		out.Answers = append(out.Answers, data)
	}
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(out); err != nil {
		s.log.Debug("give answers", "error", err)
	}
}

// from is after which number a kiosk asks: 0, for everything, where it comes from another desk or for the first time.
func (s *server) from(r *http.Request) (uint64, error) {
	after, err := strconv.ParseUint(r.FormValue("after"), 10, 64)
	if err != nil || r.FormValue("desk") != s.src.Desk() {
		return 0, nil
	}
	last, err := s.src.Last(r.Context())
	if err != nil || after <= last {
		return after, err
	}
	s.log.Warn("a kiosk has seen later answers than this desk has: the desk was set back to an older copy", "after", after, "last", last)
	return 0, s.src.Renew(r.Context())
}

// handedPath is where kiosks tell what they handed over.
const handedPath = "handed"

// handedOver is what a kiosk tells: which result its citizen has in hand.
type handedOver struct {
	Submission string `json:"submission"`
	SHA256     string `json:"sha256"`
}

// handedLimit bounds the bytes of that.
const handedLimit = 1 << 10

func (s *server) handed(w http.ResponseWriter, r *http.Request) {
	kiosk, _, ok := s.enter(w, r)
	if !ok {
		return
	}
	var told handedOver
	err := json.NewDecoder(http.MaxBytesReader(w, r.Body, handedLimit)).Decode(&told)
	if err != nil || !validID.MatchString(told.Submission) || !validSum.MatchString(told.SHA256) {
		http.Error(w, "submission or sha256 is none", http.StatusBadRequest)
		return
	}
	switch err := s.src.HandedOver(r.Context(), kiosk, told.Submission, told.SHA256); {
	case errors.Is(err, ErrUnknown):
		http.Error(w, "no such result any more", http.StatusGone)
	case err != nil:
		s.fail(w, r, fmt.Errorf("note what was handed over: %w", err))
	default:
		w.WriteHeader(http.StatusNoContent)
	}
}

func waitOf(r *http.Request) time.Duration {
	seconds, err := strconv.Atoi(r.FormValue("wait"))
	if err != nil || seconds < 0 {
		return 0
	}
	return min(time.Duration(seconds)*time.Second, waitMost)
}

func (s *server) result(w http.ResponseWriter, r *http.Request) {
	_, to, ok := s.enter(w, r)
	if !ok {
		return
	}
	number, err := strconv.ParseUint(strings.TrimSpace(r.PathValue("number")), 10, 64)
	if err != nil {
		http.Error(w, "no such answer", http.StatusNotFound)
		return
	}
	from, err := s.src.Result(r.Context(), number)
	if errors.Is(err, ErrUnknown) {
		http.Error(w, "no such result any more", http.StatusGone)
		return
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	defer from.Close()
	w.Header().Set("Content-Type", "application/octet-stream")
	if err := SealTo(w, from, to); err != nil {
		if r.Context().Err() == nil {
			s.log.Error("give result", "number", number, "error", err)
		}
		panic(http.ErrAbortHandler) // the kiosk must not take it for whole; age would show it, too
	}
}
