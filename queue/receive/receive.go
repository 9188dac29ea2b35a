// Package receive takes submissions from kiosks by tus 1.0.0 and lays each into a folder of its own:
// the receiving side for one office, and for the demo. In go bundles over HTTP; out come
// DIR/<submission id>/ with the bundle's parts, manifest.json and receipt.json.
//
// It promises: DIR/<id>/ appears complete, checked and durable, by one rename, or not at all; the kiosk
// is told "complete" only after that; a submission sent again, also after its folder was taken away by
// the office's own programs, is answered and not unpacked twice; a bundle can't write outside its
// folder. What was begun and never finished is swept. The protocol is tusd's own handler.
package receive

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"filippo.io/age"
	"github.com/tus/tusd/v2/pkg/filestore"
	"github.com/tus/tusd/v2/pkg/handler"
	"github.com/tus/tusd/v2/pkg/memorylocker"
	xslog "golang.org/x/exp/slog"
	"golang.org/x/sys/unix"
)

// Path is where the handler expects to be mounted; kiosks upload to http://host/files/.
const Path = "/files/"

// MostParts is how many parts a bundle may have where nothing else is said.
const MostParts = 2000

// Options say where submissions go and what is let in.
type Options struct {
	Dir        string         // submissions go to Dir/<id>/; Dir/.motcua/ is the receiver's own
	Token      string         // one bearer token for all kiosks; empty = none
	Kiosks     *Kiosks        // who may send, each by a credential of its own; nil and no Token = whoever TLS let in, or anybody
	Unfinished int            // uploads that a kiosk may have begun and not finished; 0 = 32
	Announced  int64          // bytes that these may announce together; 0 = 16 GiB
	MaxSize    int64          // largest bundle in bytes; 0 = 3 GiB
	MaxParts   int            // most parts in a bundle; 0 = MostParts
	MinFree    int64          // bytes that must stay free on the disk; 0 = 64 MiB
	Expire     time.Duration  // an unfinished upload is dropped after so long without a byte; 0 = 7 days
	Remember   time.Duration  // how long a received id is known after its folder was taken away; 0 = 400 days
	Identities []age.Identity // the office's keys; without them a bundle sealed to the office is kept as bundle.zip.age
	Received   func(Receipt)  // called after each new submission, from the request's goroutine; may be nil
	Log        *slog.Logger   // nil = slog.Default()
}

// Receipt says what was received. It lies in each folder as receipt.json.
type Receipt struct {
	ID       string    `json:"id"`
	Code     string    `json:"code"`
	SHA256   string    `json:"sha256"` // of the bundle as it was sent
	Size     int64     `json:"size"`
	Sealed   bool      `json:"sealed,omitempty"` // kept as bundle.zip.age: only the office's key opens it
	Received time.Time `json:"received"`
	Kiosk    string    `json:"kiosk,omitempty"` // who sent it, by its credential; empty where nobody is asked
}

// Receiver is the http.Handler at Path.
type Receiver struct {
	o     Options
	dirs  dirs
	lock  *os.File
	store filestore.FileStore
	tus   http.Handler
	door  *door

	mu   sync.Mutex               // guards busy
	busy map[string]chan struct{} // submission id → closed when the one at work on it is done
}

// dirs are the receiver's own folders, all on the file system of Dir so that rename works.
type dirs struct {
	root     string // Dir
	incoming string // uploads under way, tusd's
	unpack   string // folders being filled
	received string // one small file per received id
}

// ErrLocked says that another receiver works in the folder.
var ErrLocked = errors.New("another receiver works in this folder")

// New opens the folder, finishes what a crash left half done, and returns the handler. Close it.
func New(o Options) (*Receiver, error) {
	if o.Dir == "" {
		return nil, errors.New("receive: no folder given")
	}
	if o.MaxSize <= 0 {
		o.MaxSize = 3 << 30 // more than a kiosk lets into one submission
	}
	if o.MaxParts <= 0 {
		o.MaxParts = MostParts
	}
	if o.MinFree <= 0 {
		o.MinFree = 64 << 20
	}
	if o.Expire <= 0 {
		o.Expire = 7 * 24 * time.Hour
	}
	if o.Remember <= 0 {
		o.Remember = 400 * 24 * time.Hour
	}
	if o.Unfinished <= 0 {
		o.Unfinished = 32
	}
	if o.Announced <= 0 {
		o.Announced = 16 << 30
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	root, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, fmt.Errorf("open folder for received submissions: %w", err)
	}
	own := filepath.Join(root, ".motcua")
	r := &Receiver{o: o, busy: map[string]chan struct{}{}, dirs: dirs{
		root:     root,
		incoming: filepath.Join(own, "incoming"),
		unpack:   filepath.Join(own, "unpack"),
		received: filepath.Join(own, "received"),
	}}
	r.door = &door{r: r, guesses: map[string]*guesser{}, good: map[string]time.Time{}}
	for _, d := range []string{root, r.dirs.incoming, r.dirs.unpack, r.dirs.received} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			return nil, fmt.Errorf("open folder for received submissions: %w", err)
		}
	}
	if r.lock, err = os.OpenFile(filepath.Join(own, "lock"), os.O_CREATE|os.O_RDWR, 0o600); err != nil {
		return nil, fmt.Errorf("open folder for received submissions: %w", err)
	}
	if err := unix.Flock(int(r.lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		r.lock.Close()
		return nil, fmt.Errorf("open %s: %w", root, ErrLocked)
	}
	if err := r.recover(); err != nil {
		r.lock.Close()
		return nil, err
	}
	r.store = filestore.New(r.dirs.incoming)
	r.store.DirModePerm, r.store.FileModePerm = 0o700, 0o600
	composer := handler.NewStoreComposer()
	composer.UseCore(r.store)
	composer.UseTerminater(r.store)
	memorylocker.New().UseIn(composer) // one process by the lock above, so locks need no files
	h, err := handler.NewHandler(handler.Config{
		StoreComposer:             composer,
		BasePath:                  Path,
		MaxSize:                   o.MaxSize,
		DisableDownload:           true,
		DisableConcatenation:      true,
		Cors:                      &handler.CorsConfig{Disable: true},
		Logger:                    xslog.New(xslog.NewTextHandler(io.Discard, nil)),
		PreUploadCreateCallback:   r.admit,
		PreFinishResponseCallback: r.finished,
	})
	if err != nil {
		r.lock.Close()
		return nil, fmt.Errorf("set up tus handler: %w", err)
	}
	r.tus = http.StripPrefix(Path, h)
	return r, nil
}

// Close lets another receiver work in the folder. Stop serving first.
func (r *Receiver) Close() error { return r.lock.Close() }

// once is the extension by which a kiosk learns that creating an upload for a submission that is here
// already, in part or whole, answers with that one; see queue/tus.
const once = "motcua-submission-once"

// uploadID is an upload's place under Path. It follows from what is uploaded, so that a kiosk which
// never got our answer finds its upload again.
func uploadID(id, sum string) string { return id + "-" + sum[:32] }

var (
	validID     = regexp.MustCompile(`^[0-9A-Za-z_][0-9A-Za-z_-]{0,63}$`)
	validSum    = regexp.MustCompile(`^[0-9a-f]{64}$`)
	validCode   = regexp.MustCompile(`^[0-9A-Za-z-]{0,32}$`)
	validUpload = regexp.MustCompile(`^([0-9A-Za-z_][0-9A-Za-z_-]{0,63})-([0-9a-f]{32})$`)
)

// ServeHTTP answers what concerns submissions that are known by id, and leaves the rest to tusd.
func (r *Receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	h := w.Header()
	h.Set("Tus-Resumable", "1.0.0")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	kiosk, ok := r.door.enter(w, req)
	if !ok {
		return
	}
	req = req.WithContext(context.WithValue(req.Context(), kioskKey{}, kiosk))
	if req.Body != nil && req.Body != http.NoBody {
		body := &steady{body: req.Body, control: http.NewResponseController(w), begun: time.Now(), grace: slowGrace, stall: slowStall,
			allowed: func() bool { return r.door.allowed(kiosk) }}
		defer body.end()
		req.Body = struct {
			io.Reader
			io.Closer
		}{body, req.Body}
	}
	upload, ok := strings.CutPrefix(req.URL.Path, Path)
	if !ok {
		http.NotFound(w, req)
		return
	}
	method := req.Method
	if o := req.Header.Get("X-HTTP-Method-Override"); o != "" && method == http.MethodPost {
		method = o
	}
	switch {
	case method == http.MethodOptions:
		h.Set("Tus-Version", "1.0.0")
		h.Set("Tus-Extension", "creation,creation-with-upload,termination,expiration,"+once)
		h.Set("Tus-Max-Size", strconv.FormatInt(r.o.MaxSize, 10))
		w.WriteHeader(http.StatusNoContent)
	case upload == "" && method == http.MethodPost:
		r.create(w, req)
	case upload == "":
		h.Set("Allow", "OPTIONS, POST")
		http.Error(w, "create uploads here with POST", http.StatusMethodNotAllowed)
	default:
		r.continueUpload(w, req, method, upload)
	}
}

// kioskKey is where a request's context holds the name of the kiosk that it is from.
type kioskKey struct{}

func sender(ctx context.Context) string {
	name, _ := ctx.Value(kioskKey{}).(string)
	return name
}

// create answers for a submission that is here already, whole or in part; else it lets tusd begin.
func (r *Receiver) create(w http.ResponseWriter, req *http.Request) {
	meta := handler.ParseMetadataHeader(req.Header.Get("Upload-Metadata"))
	id, sum := meta["submission"], meta["sha256"]
	if !validID.MatchString(id) || !validSum.MatchString(sum) || !validCode.MatchString(meta["code"]) {
		http.Error(w, "Upload-Metadata must name submission (its id) and sha256 (lower-case hex)", http.StatusBadRequest)
		return
	}
	// Two requests for one upload at once: an old one may hang on a dead line. Creating empties the
	// file, so the second has to come back later.
	release, ok := r.take(id)
	if !ok {
		w.Header().Set("Retry-After", "5")
		http.Error(w, "this submission is being created by another request", http.StatusLocked)
		return
	}
	defer release()
	known, err := r.known(id)
	if err != nil {
		r.fail(w, id, err)
		return
	}
	location := Path + uploadID(id, sum)
	switch {
	case known != nil && known.SHA256 != sum:
		http.Error(w, "submission "+id+" was received before with other content", http.StatusConflict)
		return
	case known != nil:
		w.Header().Set("Location", location)
		complete(w, *known)
		w.WriteHeader(http.StatusCreated)
		return
	}
	// What another kiosk began is begun anew by this one: the name goes with who finishes.
	if info, ok := r.partial(uploadID(id, sum)); ok && info.MetaData[kioskField] == sender(req.Context()) &&
		req.Header.Get("Upload-Length") == strconv.FormatInt(info.Size, 10) {
		if info.Offset == info.Size {
			if err := r.finish(id, info); err != nil {
				r.fail(w, id, err)
				return
			}
		}
		w.Header().Set("Location", location)
		w.Header().Set("Upload-Offset", strconv.FormatInt(info.Offset, 10))
		r.expires(w)
		w.WriteHeader(http.StatusCreated)
		return
	}
	r.expires(w)
	r.tus.ServeHTTP(w, req)
}

// continueUpload answers for uploads that are complete; those under way are tusd's.
func (r *Receiver) continueUpload(w http.ResponseWriter, req *http.Request, method, upload string) {
	m := validUpload.FindStringSubmatch(upload)
	if m == nil {
		http.Error(w, "no such upload", http.StatusNotFound)
		return
	}
	id := m[1]
	if info, ok := r.partial(upload); ok && info.MetaData[kioskField] != sender(req.Context()) {
		http.Error(w, "no such upload of this kiosk", http.StatusNotFound)
		return
	}
	known, err := r.known(id)
	if err == nil && known == nil && (method == http.MethodHead || method == http.MethodPatch) {
		// All bytes are here and yet it is not received: a crash or a full disk came between. tusd would
		// now say "complete".
		if info, ok := r.partial(upload); ok && info.Offset == info.Size {
			err = r.finishAlone(req.Context(), id, info)
			if err == nil {
				known, err = r.known(id)
			}
		}
	}
	if err != nil {
		r.fail(w, id, err)
		return
	}
	if known != nil && known.SHA256[:32] == m[2] {
		switch method {
		case http.MethodHead:
			complete(w, *known)
			w.WriteHeader(http.StatusOK)
		case http.MethodPatch:
			complete(w, *known)
			w.WriteHeader(http.StatusNoContent)
		default:
			http.Error(w, "submission is received", http.StatusForbidden)
		}
		return
	}
	r.expires(w)
	r.tus.ServeHTTP(w, req)
}

// complete says that all bytes are here, and which.
func complete(w http.ResponseWriter, known Receipt) {
	size := strconv.FormatInt(known.Size, 10)
	w.Header().Set("Upload-Offset", size)
	w.Header().Set("Upload-Length", size)
	w.Header().Set("Repr-Digest", reprDigest(known.SHA256))
	w.Header().Set(acknowledged, known.Received.UTC().Format(time.RFC3339))
}

// acknowledged tells a kiosk that the dossier lies whole and unpacked before the office; see queue/tus.
const acknowledged = "Motcua-Acknowledged"

// kioskField is where an upload's metadata holds who began it.
const kioskField = "kiosk"

// reprDigest is the form of RFC 9530.
func reprDigest(sum string) string {
	raw, err := hex.DecodeString(sum)
	if err != nil {
		return ""
	}
	return "sha-256=:" + base64.StdEncoding.EncodeToString(raw) + ":"
}

func (r *Receiver) expires(w http.ResponseWriter) {
	w.Header().Set("Upload-Expires", time.Now().Add(r.o.Expire).UTC().Format(http.TimeFormat))
}

// fail answers with an error of ours. What is not made for the kiosk's eyes stays in the log.
func (r *Receiver) fail(w http.ResponseWriter, id string, err error) {
	var told handler.Error
	if !errors.As(err, &told) {
		r.o.Log.Error("receive submission", "submission", id, "error", err)
		told = refuse(http.StatusInternalServerError, "the receiver can't store this now")
	}
	for k, v := range told.HTTPResponse.Header {
		w.Header().Set(k, v)
	}
	w.WriteHeader(told.HTTPResponse.StatusCode)
	if _, err := io.WriteString(w, told.HTTPResponse.Body); err != nil {
		r.o.Log.Debug("answer kiosk", "submission", id, "error", err)
	}
}

func refuse(status int, words string) handler.Error {
	return handler.NewError("MOTCUA", words, status)
}

// admit decides on a new upload before a byte is stored.
func (r *Receiver) admit(e handler.HookEvent) (handler.HTTPResponse, handler.FileInfoChanges, error) {
	none, change := handler.HTTPResponse{}, handler.FileInfoChanges{}
	if e.Upload.SizeIsDeferred || e.Upload.Size == 0 {
		return none, change, refuse(http.StatusBadRequest, "the length must be said when an upload is created")
	}
	var fs unix.Statfs_t
	if err := unix.Statfs(r.dirs.incoming, &fs); err != nil {
		return none, change, fmt.Errorf("look for free space: %w", err)
	}
	// Twice: the bundle and what is unpacked from it.
	if free := int64(fs.Bavail) * fs.Bsize; free-2*e.Upload.Size < r.o.MinFree {
		full := refuse(http.StatusInsufficientStorage, "the receiver's disk is full")
		full.HTTPResponse.Header["Retry-After"] = "300"
		return none, change, full
	}
	kiosk := sender(e.Context)
	if err := r.quota(kiosk, e.Upload.Size); err != nil {
		return none, change, err
	}
	id, sum := e.Upload.MetaData["submission"], e.Upload.MetaData["sha256"]
	change.ID = uploadID(id, sum)
	change.MetaData = handler.MetaData{"submission": id, "sha256": sum, "code": e.Upload.MetaData["code"], kioskField: kiosk,
		"filename": id + ".zip", "filetype": "application/zip"}
	return none, change, nil
}

// finished is called by tusd when the last byte is stored and before the kiosk is told.
func (r *Receiver) finished(e handler.HookEvent) (handler.HTTPResponse, error) {
	id, sum := e.Upload.MetaData["submission"], e.Upload.MetaData["sha256"]
	var err error
	if e.HTTPRequest.Method == http.MethodPost {
		err = r.finish(id, e.Upload) // create holds the submission already
	} else {
		err = r.finishAlone(e.Context, id, e.Upload)
	}
	var told handler.Error
	if err != nil && !errors.As(err, &told) {
		r.o.Log.Error("receive submission", "submission", id, "error", err)
		err = refuse(http.StatusInternalServerError, "the receiver can't store this now")
	}
	return handler.HTTPResponse{Header: handler.HTTPHeader{"Repr-Digest": reprDigest(sum),
		acknowledged: time.Now().UTC().Format(time.RFC3339)}}, err
}

// quota refuses an upload beyond what one kiosk may have begun and not finished. It is told to wait: what it does not
// go on with expires.
func (r *Receiver) quota(kiosk string, size int64) error {
	entries, err := os.ReadDir(r.dirs.incoming)
	if err != nil {
		return fmt.Errorf("look for unfinished uploads: %w", err)
	}
	count, announced := 0, size
	for _, e := range entries {
		name, isInfo := strings.CutSuffix(e.Name(), ".info")
		if !isInfo {
			continue
		}
		if info, ok := r.partial(name); ok && info.MetaData[kioskField] == kiosk {
			count++
			announced += info.Size
		}
	}
	if count < r.o.Unfinished && announced <= max(r.o.Announced, size) {
		return nil
	}
	r.o.Log.Warn("kiosk has too many unfinished uploads", "kiosk", kiosk, "uploads", count, "bytes", announced)
	full := refuse(http.StatusServiceUnavailable, "this kiosk has too many unfinished uploads here: finish or leave them")
	full.HTTPResponse.Header["Retry-After"] = "300"
	return full
}

// take makes the caller the only one at work on a submission, if nobody is.
func (r *Receiver) take(id string) (release func(), ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, taken := r.busy[id]; taken {
		return nil, false
	}
	done := make(chan struct{})
	r.busy[id] = done
	return func() {
		r.mu.Lock()
		delete(r.busy, id)
		r.mu.Unlock()
		close(done)
	}, true
}

// finishAlone waits until nobody else is at work on the submission and finishes it.
func (r *Receiver) finishAlone(ctx context.Context, id string, info handler.FileInfo) error {
	for {
		release, ok := r.take(id)
		if ok {
			defer release()
			return r.finish(id, info)
		}
		r.mu.Lock()
		done := r.busy[id]
		r.mu.Unlock()
		if done == nil {
			continue
		}
		select {
		case <-done:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// partial returns what is stored of an upload that is not received yet.
func (r *Receiver) partial(upload string) (handler.FileInfo, bool) {
	u, err := r.store.GetUpload(context.Background(), upload)
	if err != nil {
		return handler.FileInfo{}, false
	}
	info, err := u.GetInfo(context.Background())
	return info, err == nil
}

// known returns the receipt of a submission that was received before, nil if it was not.
func (r *Receiver) known(id string) (*Receipt, error) {
	text, err := os.ReadFile(r.marker(id))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look up received submission: %w", err)
	}
	var got Receipt
	if err := json.Unmarshal(text, &got); err != nil || !validSum.MatchString(got.SHA256) {
		return nil, fmt.Errorf("look up received submission: %s is damaged", r.marker(id))
	}
	return &got, nil
}

func (r *Receiver) marker(id string) string { return filepath.Join(r.dirs.received, id+".json") }
