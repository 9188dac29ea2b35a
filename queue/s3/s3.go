// Package s3 delivers submissions to an S3-compatible store. In goes a bundle; out comes one object
// PREFIX<submission id>.zip (.zip.age where it is sealed to the office) with the bundle's sha256 in its
// metadata.
//
// It promises: the object appears whole or not at all; a large bundle goes in parts, an upload that
// broke goes on with the parts the store has, also after a crash of this process, and at most one part
// is sent again; the store checks the sha256 of every request's bytes; delivering again finds the object
// there; another's object is never overwritten knowingly.
package s3

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"motcua/queue"
	"motcua/queue/line"
)

// Options say which store and bucket.
type Options struct {
	Endpoint   string // "https://s3.example.vn"; path-style addresses are used unless it is Amazon's
	Region     string // "" = us-east-1
	Bucket     string
	Prefix     string // of every object's name, such as "ward-7/"
	AccessKey  string
	SecretKey  string
	Client     *http.Client  // nil = line.NewClient(line.TLS{})
	PartSize   int64         // bundles up to this go in one request; 0 = 8 MiB, the least is 5 MiB
	Limit      line.Limit    // nil = as fast as it goes
	Stall      time.Duration // give up a request in which no byte moved for so long; 0 = 30 s
	AllowPlain bool          // allow http:// to other machines
}

const (
	minPart  = 5 << 20 // S3's least for all parts but the last
	maxParts = 10_000  // S3's most
)

// Sink is a queue.Sink for one bucket.
type Sink struct {
	o      Options
	client *minio.Core
	host   string
}

// New checks the options. It does not touch the network.
func New(o Options) (*Sink, error) {
	u, err := url.Parse(o.Endpoint)
	if err != nil {
		return nil, fmt.Errorf("store address: %w", err)
	}
	switch {
	case u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || strings.Trim(u.Path, "/") != "":
		return nil, fmt.Errorf("store address %q: write it as https://host", u.Redacted())
	case u.Scheme == "http" && !line.Loopback(u.Hostname()) && !o.AllowPlain:
		return nil, fmt.Errorf("store address %q: http:// would send citizens' papers readable to anyone on the way; use https://", o.Endpoint)
	case o.Bucket == "":
		return nil, errors.New("store: no bucket given")
	}
	if o.Region == "" {
		o.Region = "us-east-1"
	}
	if o.PartSize <= 0 {
		o.PartSize = 8 << 20
	}
	o.PartSize = max(o.PartSize, minPart)
	if o.Stall <= 0 {
		o.Stall = 30 * time.Second
	}
	if o.Client == nil {
		if o.Client, err = line.NewClient(line.TLS{}); err != nil {
			return nil, err
		}
	}
	client, err := minio.NewCore(u.Host, &minio.Options{
		Creds:      credentials.NewStaticV4(o.AccessKey, o.SecretKey, ""),
		Secure:     u.Scheme == "https",
		Transport:  listening{transport(o.Client)},
		Region:     o.Region,
		MaxRetries: 1, // the queue waits and tries again
	})
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	return &Sink{o: o, client: client, host: u.Host}, nil
}

// Describe says where submissions go and by which key.
func (s *Sink) Describe(context.Context) (string, error) {
	return fmt.Sprintf("s3 %s %s %s%s key %s", s.o.Endpoint, s.o.Region, s.o.Bucket, s.o.Prefix, s.o.AccessKey), nil
}

func transport(c *http.Client) http.RoundTripper {
	if c.Transport == nil {
		return http.DefaultTransport
	}
	return c.Transport
}

// Hub names the far side, for the queue's circuit breaker.
func (s *Sink) Hub() string { return s.host + "/" + s.o.Bucket }

// Probe reports whether the bucket is there and the keys are good for it.
func (s *Sink) Probe(ctx context.Context) error {
	heard := &voice{}
	there, err := s.client.BucketExists(context.WithValue(ctx, voiceKey{}, heard), s.o.Bucket)
	if err != nil {
		return s.verdict("ask", err)
	}
	if there && !heard.store {
		// A store that names none of its headers here can still list, and then names the bucket.
		list, err := s.client.ListObjectsV2(s.o.Bucket, s.o.Prefix, "", "", "", 1)
		if err == nil && list.Name != s.o.Bucket {
			err = errors.New("the answer is no list")
		}
		if err != nil {
			return fmt.Errorf("ask %s: something between seems to answer in the store's place: %w", s.host, err)
		}
	}
	if !there {
		return fmt.Errorf("ask %s: there is no bucket %s", s.host, s.o.Bucket)
	}
	return nil
}

// note is what must be remembered of a multipart upload over a crash.
type note struct {
	Endpoint string `json:"endpoint"`
	Bucket   string `json:"bucket"`
	Object   string `json:"object"`
	Upload   string `json:"upload"`
	SHA256   string `json:"sha256"`
	Part     int64  `json:"part"` // bytes in each part but the last
}

// Deliver uploads the bundle, or goes on with an upload that was begun before.
func (s *Sink) Deliver(ctx context.Context, sub queue.Submission, b queue.Bundle, n queue.Notes) error {
	object := s.o.Prefix + sub.ID + ".zip"
	if sub.Sealed {
		object += ".age"
	}
	there, err := s.there(ctx, object, b)
	if err != nil || there {
		return s.wrap(sub.ID, err)
	}
	if b.Size() <= s.o.PartSize {
		return s.wrap(sub.ID, s.put(ctx, object, b))
	}
	return s.wrap(sub.ID, s.multipart(ctx, object, b, n))
}

func (s *Sink) wrap(id string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("upload %s: %w", id, err)
}

// sumKey is the user metadata that names a bundle's sha256.
const sumKey = "Sha256"

// there reports whether the object is in the store already.
func (s *Sink) there(ctx context.Context, object string, b queue.Bundle) (bool, error) {
	ctx, watch := s.watch(ctx)
	defer watch.Stop()
	heard := &voice{}
	ctx = context.WithValue(ctx, voiceKey{}, heard)
	info, err := s.client.StatObject(ctx, s.o.Bucket, object, minio.StatObjectOptions{Checksum: true})
	if err != nil {
		if minio.ToErrorResponse(err).StatusCode == http.StatusNotFound && minio.ToErrorResponse(err).Code != "NoSuchBucket" {
			return false, nil
		}
		return false, s.verdict("ask", watch.Reason(err))
	}
	if !heard.store {
		return false, queue.RetryAfter(fmt.Errorf("ask %s: something between answered in the store's place, such as the login page of a network",
			s.host), slow)
	}
	if info.Size != b.Size() || info.UserMetadata[sumKey] != b.SHA256() {
		return false, queue.Permanent(fmt.Errorf("%s holds another object %s", s.host, object))
	}
	// Of an object that came in one request many stores tell what they computed themselves.
	if sum := info.ChecksumSHA256; sum != "" && !strings.Contains(sum, "-") && sum != base64Sum(b) {
		return false, fmt.Errorf("%s holds other bytes of %s than were sent", s.host, object)
	}
	return true, nil
}

// voice notes whether a store itself answered: a store names headers of its own, which nobody else does.
type voice struct{ store bool }

type voiceKey struct{}

type listening struct{ http.RoundTripper }

func (l listening) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := l.RoundTripper.RoundTrip(req)
	if v, ok := req.Context().Value(voiceKey{}).(*voice); ok && err == nil {
		for name := range resp.Header {
			v.store = v.store || strings.HasPrefix(name, "X-Amz-")
		}
	}
	return resp, err
}

func base64Sum(b queue.Bundle) string {
	sum, err := hex.DecodeString(b.SHA256())
	if err != nil {
		return ""
	}
	return base64.StdEncoding.EncodeToString(sum)
}

// proved takes the store's 200 to a request with a body for no more than "somebody answered": what counts is what the
// store then shows of the object.
func (s *Sink) proved(ctx context.Context, object string, b queue.Bundle) error {
	there, err := s.there(ctx, object, b)
	if err == nil && !there {
		err = queue.RetryAfter(fmt.Errorf("%s does not show the object that it seems to have taken: perhaps something between answered in its "+
			"place", s.host), slow)
	}
	return err
}

func (s *Sink) watch(ctx context.Context) (context.Context, *line.Watch) {
	return line.NewWatch(ctx, line.Patience{Stall: s.o.Stall})
}

func (s *Sink) about(b queue.Bundle) minio.PutObjectOptions {
	return minio.PutObjectOptions{ContentType: "application/zip", DisableContentSha256: true,
		UserMetadata: map[string]string{sumKey: b.SHA256()}}
}

// put sends a small bundle in one request.
func (s *Sink) put(parent context.Context, object string, b queue.Bundle) error {
	ctx, watch := s.watch(parent)
	defer watch.Stop()
	body := watch.Body(io.NewSectionReader(b, 0, b.Size()), b.Size(), s.o.Limit)
	// The signature covers the sha256, so the store takes these bytes or none.
	about := s.about(b)
	about.UserMetadata["x-amz-checksum-sha256"] = base64Sum(b) // kept by the store and told by HEAD
	if _, err := s.client.PutObject(ctx, s.o.Bucket, object, body, b.Size(), "", b.SHA256(), about); err != nil {
		return s.verdict("send to", watch.Reason(err))
	}
	watch.Stop()
	return s.proved(parent, object, b)
}

// multipart goes on with the upload in the note, or begins one.
func (s *Sink) multipart(ctx context.Context, object string, b queue.Bundle, n queue.Notes) error {
	kept, parts, err := s.resume(ctx, object, b, n)
	if err != nil {
		return err
	}
	if kept.Upload == "" {
		// The part size is fixed when the upload begins: it must fit until the end.
		kept = note{Endpoint: s.o.Endpoint, Bucket: s.o.Bucket, Object: object, SHA256: b.SHA256(),
			Part: max(s.o.PartSize, (b.Size()+maxParts-1)/maxParts)}
		ctx, watch := s.watch(ctx)
		kept.Upload, err = s.client.NewMultipartUpload(ctx, s.o.Bucket, object, s.about(b))
		err = watch.Reason(err)
		watch.Stop()
		if err == nil && kept.Upload == "" {
			err = errors.New("no upload was begun: something between answered in the store's place")
		}
		if err != nil {
			return s.verdict("begin upload to", err)
		}
		text, err := json.Marshal(kept)
		if err != nil {
			return err
		}
		if err := n.Save(string(text)); err != nil {
			return fmt.Errorf("note upload: %w", err)
		}
	}
	var done []minio.CompletePart
	for number, from := 1, int64(0); from < b.Size(); number, from = number+1, from+kept.Part {
		size := min(kept.Part, b.Size()-from)
		etag, have := parts[number]
		if !have || etag.Size != size {
			if etag, err = s.part(ctx, kept, number, b, from, size); err != nil {
				return err
			}
		}
		done = append(done, minio.CompletePart{PartNumber: number, ETag: etag.ETag})
	}
	finishing, watch := s.watch(ctx)
	defer watch.Stop()
	if _, err := s.client.CompleteMultipartUpload(finishing, s.o.Bucket, object, kept.Upload, done, minio.PutObjectOptions{}); err != nil {
		if lost(err) {
			return s.anew(n, err)
		}
		return s.verdict("finish upload to", watch.Reason(err))
	}
	return s.proved(ctx, object, b)
}

// resume reads the note and asks the store for the parts it has.
func (s *Sink) resume(ctx context.Context, object string, b queue.Bundle, n queue.Notes) (kept note, parts map[int]minio.ObjectPart,
	err error) {
	text, err := n.Load()
	if err != nil {
		return note{}, nil, fmt.Errorf("read upload note: %w", err)
	}
	if json.Unmarshal([]byte(text), &kept) != nil || kept.Upload == "" || kept.Endpoint != s.o.Endpoint ||
		kept.Bucket != s.o.Bucket || kept.Object != object || kept.SHA256 != b.SHA256() || kept.Part < minPart {
		return note{}, nil, nil
	}
	parts = map[int]minio.ObjectPart{}
	for after := 0; ; {
		ctx, watch := s.watch(ctx)
		page, err := s.client.ListObjectParts(ctx, s.o.Bucket, object, kept.Upload, after, 1000)
		err = watch.Reason(err)
		watch.Stop()
		if lost(err) {
			return note{}, nil, nil // the store let it lapse
		}
		if err != nil {
			return note{}, nil, s.verdict("resume upload to", err)
		}
		for _, p := range page.ObjectParts {
			parts[p.PartNumber] = p
		}
		if !page.IsTruncated || page.NextPartNumberMarker <= after {
			return kept, parts, nil
		}
		after = page.NextPartNumberMarker
	}
}

// part sends one part. It is read twice: the signature, which stands before the body, covers its sha256.
func (s *Sink) part(ctx context.Context, kept note, number int, b queue.Bundle, from, size int64) (minio.ObjectPart, error) {
	hash := sha256.New()
	if _, err := io.CopyBuffer(hash, io.NewSectionReader(b, from, size), make([]byte, 256<<10)); err != nil {
		return minio.ObjectPart{}, fmt.Errorf("read bundle: %w", err)
	}
	ctx, watch := s.watch(ctx)
	defer watch.Stop()
	body := watch.Body(io.NewSectionReader(b, from, size), size, s.o.Limit)
	p, err := s.client.PutObjectPart(ctx, kept.Bucket, kept.Object, kept.Upload, number, body, size,
		minio.PutObjectPartOptions{Sha256Hex: hex.EncodeToString(hash.Sum(nil)), DisableContentSha256: true})
	if err == nil && p.ETag == "" {
		err = errors.New("a part was taken without a name: something between answered in the store's place")
	}
	if err != nil {
		return p, s.verdict("send to", watch.Reason(err))
	}
	return p, nil
}

// lost reports whether the store does not know the multipart upload (any more).
func lost(err error) bool {
	return err != nil && minio.ToErrorResponse(err).Code == minio.NoSuchUpload
}

// anew drops the note, so that the next try begins again.
func (s *Sink) anew(n queue.Notes, err error) error {
	if e := n.Save(""); e != nil {
		return fmt.Errorf("clear upload note: %w", e)
	}
	return fmt.Errorf("%s lost the upload: %w", s.host, err)
}

// slow is how long to leave a store that refuses everybody alone.
const slow = 5 * time.Minute

// finalCodes are what a store itself says of one object that won't heal. Codes come from the store's XML; what a
// proxy or a login page says has none of them.
var finalCodes = []string{"EntityTooLarge", "KeyTooLongError", "MetadataTooLarge", "InvalidArgument", "InvalidRequest", "InvalidObjectName"}

// soonCodes pass by themselves.
var soonCodes = []string{"RequestTimeout", "XAmzContentSHA256Mismatch", "XAmzContentChecksumMismatch", "BadDigest", "IncompleteBody",
	"OperationAborted", "SlowDown", "InvalidPart", "InvalidPartOrder"}

// verdict says what the queue shall do about an error. Wrong keys, a wrong clock or a missing bucket
// concern all submissions and heal for all at once, and what is no store's word is not final: all that is
// waited out, not held.
func (s *Sink) verdict(op string, err error) error {
	var closed interface{ RetryIn() time.Duration }
	if errors.As(err, &closed) {
		return queue.RetryAfter(fmt.Errorf("%s %s: %w", op, s.host, err), closed.RetryIn())
	}
	r := minio.ToErrorResponse(err)
	if r.StatusCode == 0 {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err
		}
		return fmt.Errorf("%s %s: %w", op, s.host, err)
	}
	who := "store answered"
	if strings.Contains(r.Code, " ") { // the client's stand-in where there was no XML
		who = "not the store but " + strings.TrimSpace(line.Clean(r.Server)+" something between") + " answered"
	}
	said := fmt.Errorf("%s %s: %s %d %s: %s", op, s.host, who, r.StatusCode, r.Code, line.Clean(r.Message))
	switch {
	case r.Code == "RequestTimeTooSkewed":
		return queue.RetryAfter(fmt.Errorf("%w (set this machine's clock)", said), slow)
	case slices.Contains(finalCodes, r.Code):
		return queue.Permanent(said)
	case slices.Contains(soonCodes, r.Code), r.StatusCode/100 != 4, r.StatusCode == http.StatusRequestTimeout,
		r.StatusCode == http.StatusTooManyRequests, r.StatusCode == http.StatusConflict:
		return said
	}
	return queue.RetryAfter(said, slow)
}
