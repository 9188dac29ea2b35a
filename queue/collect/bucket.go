package collect

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/tus/tusd/v2/pkg/handler"

	"motcua/queue/line"
)

// BucketOptions say which bucket a tusd stores in.
type BucketOptions struct {
	Endpoint   string // "https://s3.example.vn"
	Region     string // "" = us-east-1
	Bucket     string
	Prefix     string // tusd's -s3-object-prefix, such as "ward-7/"
	AccessKey  string
	SecretKey  string
	Client     *http.Client `json:"-"` // nil = line.NewClient(line.TLS{})
	AllowPlain bool         // allow http:// to other machines
}

// Bucket is the S3 bucket of a tusd. Claims are objects written with If-None-Match, which the store decides in one step.
type Bucket struct {
	o      BucketOptions
	client *minio.Client
}

// OpenBucket checks the options. It does not touch the network.
func OpenBucket(o BucketOptions) (*Bucket, error) {
	u, err := url.Parse(o.Endpoint)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.User != nil || o.Bucket == "" {
		return nil, errors.New("collect: a bucket and its store's address (https://host) are needed")
	}
	if u.Scheme == "http" && !o.AllowPlain && !line.Loopback(u.Hostname()) {
		return nil, errors.New("collect: the store's address is http:// to another machine: use https://")
	}
	if o.Region == "" {
		o.Region = "us-east-1"
	}
	if o.Client == nil {
		if o.Client, err = line.NewClient(line.TLS{}); err != nil {
			return nil, err
		}
	}
	client, err := minio.New(u.Host, &minio.Options{
		Creds: credentials.NewStaticV4(o.AccessKey, o.SecretKey, ""), Secure: u.Scheme == "https", Region: o.Region,
		Transport: o.Client.Transport,
	})
	if err != nil {
		return nil, fmt.Errorf("collect: %w", err)
	}
	return &Bucket{o, client}, nil
}

// String names the store in logs: its address, bucket and prefix, no key.
func (b *Bucket) String() string { return b.o.Endpoint + "/" + b.o.Bucket + "/" + b.o.Prefix }

// Uploads lists the bucket.
func (b *Bucket) Uploads(ctx context.Context, do func(Upload) error) error {
	ctx, cancel := context.WithCancel(ctx) // ends the listing where do fails
	defer cancel()
	sizes, since, infos := map[string]int64{}, map[string]time.Time{}, []string{}
	for object := range b.client.ListObjects(ctx, b.o.Bucket, minio.ListObjectsOptions{Prefix: b.o.Prefix, Recursive: true}) {
		if object.Err != nil {
			return fmt.Errorf("list bucket: %w", object.Err)
		}
		if key, ok := strings.CutSuffix(object.Key, infoSuffix); ok {
			infos = append(infos, key)
		} else {
			sizes[object.Key], since[object.Key] = object.Size, object.LastModified
		}
	}
	for _, key := range infos {
		text, err := b.read(ctx, key+infoSuffix)
		if missing(err) {
			continue // removed meanwhile
		}
		var info handler.FileInfo
		if err != nil {
			return fmt.Errorf("read %s%s: %w", key, infoSuffix, err)
		}
		if json.Unmarshal(text, &info) != nil {
			continue // not tusd's
		}
		size, there := sizes[key] // tusd's store makes the object when the last part is there
		if err := do(Upload{Key: key, Size: info.Size, Meta: info.MetaData, Since: since[key],
			Finished: there && !info.SizeIsDeferred && size == info.Size}); err != nil {
			return err
		}
	}
	return nil
}

// read reads a small object whole.
func (b *Bucket) read(ctx context.Context, key string) ([]byte, error) {
	object, err := b.client.GetObject(ctx, b.o.Bucket, key, minio.GetObjectOptions{})
	if err != nil {
		return nil, err
	}
	defer object.Close()
	return io.ReadAll(io.LimitReader(object, infoLimit))
}

func missing(err error) bool {
	return err != nil && minio.ToErrorResponse(err).StatusCode == http.StatusNotFound && minio.ToErrorResponse(err).Code == minio.NoSuchKey
}

// Open reads an upload from the store as it is asked for: nothing of it is laid on this machine's disk.
func (b *Bucket) Open(ctx context.Context, u Upload) (Bundle, error) {
	return b.client.GetObject(ctx, b.o.Bucket, u.Key, minio.GetObjectOptions{})
}

func (b *Bucket) claim(submission string) string {
	return b.o.Prefix + claimsDir + "/" + submission + ".json"
}

// Claim writes a claim that the store takes only where there is none. An empty claim only asks.
func (b *Bucket) Claim(ctx context.Context, submission string, c Claim) (Claim, error) {
	is, err := b.claimed(ctx, submission)
	if !missing(err) || c.Owner == "" {
		if missing(err) {
			err = nil
		}
		return is, err
	}
	var once minio.PutObjectOptions
	once.SetMatchETagExcept("*")
	err = b.put(ctx, submission, c, once)
	if status := minio.ToErrorResponse(err).StatusCode; err != nil &&
		(status == http.StatusPreconditionFailed || status == http.StatusConflict) {
		return b.claimed(ctx, submission)
	}
	return c, err
}

func (b *Bucket) claimed(ctx context.Context, submission string) (c Claim, err error) {
	text, err := b.read(ctx, b.claim(submission))
	if err != nil {
		return c, err
	}
	if json.Unmarshal(text, &c) != nil {
		return c, errors.New("the claim is damaged")
	}
	return c, nil
}

// Note puts another claim in its place.
func (b *Bucket) Note(ctx context.Context, submission string, c Claim) error {
	return b.put(ctx, submission, c, minio.PutObjectOptions{})
}

func (b *Bucket) put(ctx context.Context, submission string, c Claim, o minio.PutObjectOptions) error {
	text, err := json.Marshal(c)
	if err != nil {
		return err
	}
	o.ContentType = "application/json"
	_, err = b.client.PutObject(ctx, b.o.Bucket, b.claim(submission), bytes.NewReader(text), int64(len(text)), o)
	return err
}

// Remove removes the upload's object, then its info: what is left of a kill between is found by the info.
func (b *Bucket) Remove(ctx context.Context, u Upload) error {
	for _, key := range []string{u.Key, u.Key + infoSuffix} {
		if err := b.client.RemoveObject(ctx, b.o.Bucket, key, minio.RemoveObjectOptions{}); err != nil && !missing(err) {
			return err
		}
	}
	return nil
}
