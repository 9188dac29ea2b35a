package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"time"

	"filippo.io/age"
	"github.com/nats-io/nats.go"
	"golang.org/x/sync/errgroup"

	"motcua/agent/answer"
	"motcua/agent/daemon"
	"motcua/agent/office"
	"motcua/queue/announce"
	"motcua/queue/collect"
	"motcua/queue/line"
	"motcua/queue/receive"
)

// collectFrom says which tusd's store submissions are taken from.
type collectFrom struct {
	TusdDir       string        `name:"tusd-dir" type:"path" placeholder:"DIR" help:"The folder of a tusd that stores on a disk."`
	S3Endpoint    string        `name:"s3-endpoint" placeholder:"URL" help:"Where a tusd keeps its bucket, https://s3.example.vn."`
	S3Bucket      string        `name:"s3-bucket" placeholder:"NAME" help:"Its bucket."`
	S3Prefix      string        `name:"s3-prefix" placeholder:"PREFIX" help:"Before its objects' names: tusd's -s3-object-prefix and a slash."`
	S3Region      string        `name:"s3-region" default:"us-east-1" help:"Its region."`
	S3Credentials string        `name:"s3-credentials" type:"path" placeholder:"FILE" help:"Two lines: access key, secret key."`
	S3CA          string        `name:"s3-ca" type:"path" placeholder:"FILE" help:"PEM; trusted instead of the system's authorities."`
	CollectEvery  time.Duration `name:"collect-every" default:"5s" help:"How often the store is looked through."`
	InsteadOf     string        `name:"instead-of" placeholder:"DESK" help:"Also file what a desk that is lost for good had claimed."`
}

// store opens the tusd's store; nil where none is named.
func (c *collectFrom) store() (collect.Store, error) {
	switch {
	case c.TusdDir != "" && c.S3Endpoint != "":
		return nil, errors.New("--tusd-dir and --s3-endpoint are two stores: name one")
	case c.TusdDir != "":
		return collect.OpenDisk(c.TusdDir)
	case c.S3Endpoint == "":
		return nil, nil
	}
	access, secret, err := daemon.Credentials(c.S3Credentials)
	if err != nil {
		return nil, err
	}
	client, err := line.NewClient(line.TLS{CAFile: c.S3CA})
	if err != nil {
		return nil, err
	}
	return collect.OpenBucket(collect.BucketOptions{Endpoint: c.S3Endpoint, Region: c.S3Region, Bucket: c.S3Bucket, Prefix: c.S3Prefix,
		AccessKey: access, SecretKey: secret, Client: client})
}

// collector files what comes into the store at a desk.
func (c *collectFrom) collector(p *program, from collect.Store, to *office.Store, keys []age.Identity,
	log *slog.Logger) (*collect.Collector, error) {
	return collect.New(collect.Options{
		Store: from, Owner: to.Desk(), InsteadOf: c.InsteadOf, Identities: keys, Every: c.CollectEvery, Log: log,
		File: func(ctx context.Context, r receive.Receipt, parts fs.FS) (bool, error) {
			fresh, err := to.File(ctx, r, parts)
			switch {
			case errors.Is(err, office.ErrOther):
				err = errors.Join(collect.ErrOther, err)
			case errors.Is(err, office.ErrUnproved):
				err = errors.Join(collect.ErrUnproved, err)
			case err == nil && fresh:
				fmt.Fprintf(p.out, "filed %s %s, %d bytes\n", r.Code, r.ID, r.Size)
			}
			return fresh, err
		},
	})
}

// publishTo says where answers are laid out for a province's kiosks.
type publishTo struct {
	NATS          string `name:"nats" placeholder:"URL" help:"The province's NATS, tls://nats.example.vn:4222, for answers to kiosks."`
	NATSWard      string `name:"nats-ward" placeholder:"CODE" help:"The ward's code, as its kiosks have it in answers.ward."`
	NATSCreds     string `name:"nats-creds" type:"path" placeholder:"FILE" help:"NATS credentials."`
	NATSTokenFile string `name:"nats-token-file" type:"path" placeholder:"FILE" help:"Or a token."`
	NATSCA        string `name:"nats-ca" type:"path" placeholder:"FILE" help:"PEM; trusted instead of the system's authorities."`
}

// publisher lays a desk's answers out; nil where no NATS is named.
func (c *publishTo) publisher(from *office.Store, log *slog.Logger) (*answer.Publisher, error) {
	if c.NATS == "" {
		return nil, nil
	}
	token, err := daemon.Secret(c.NATSTokenFile)
	if err != nil {
		return nil, err
	}
	o := announce.Options{URL: c.NATS, CredsFile: c.NATSCreds, Token: token, TLS: line.TLS{CAFile: c.NATSCA}}
	return answer.NewPublisher(func(more ...nats.Option) (*nats.Conn, error) { return announce.Dial(o, more...) }, c.NATSWard, from, log)
}

type collectCommand struct {
	collectFrom `embed:""`
	publishTo   `embed:""`

	Dir      string `required:"" type:"path" help:"The office's folder, as motcua office has it; submissions are filed at its desk."`
	Identity string `type:"path" placeholder:"FILE" help:"The office's age identity; without it sealed submissions are filed sealed."`
	Once     bool   `help:"Look once, file what is finished, and end."`
}

// Run files what is finished in a tusd's store, until it is ended.
func (c *collectCommand) Run(p *program) error {
	from, err := c.store()
	if err != nil {
		return unusable(err)
	}
	if from == nil {
		return unusable(errors.New("say where a tusd stores: --tusd-dir, or --s3-endpoint with --s3-bucket"))
	}
	keys, err := identities(c.Identity)
	if err != nil {
		return unusable(err)
	}
	log := slog.New(slog.NewTextHandler(p.err, nil))
	desk, err := daemon.OpenOffice(p.ctx, daemon.OfficeOptions{Dir: c.Dir, Log: log})
	if errors.Is(err, office.ErrLocked) {
		return fmt.Errorf("the desk in %s is open: give motcua office the same options instead: %w", c.Dir, err)
	}
	if err != nil {
		return err
	}
	defer desk.Close()
	collector, err := c.collector(p, from, desk.Store, keys, log)
	if err != nil {
		return unusable(err)
	}
	if err := unseal(p, desk.Store, c.Identity, log); err != nil {
		return err
	}
	if c.Once {
		_, err := collector.Pass(p.ctx)
		return err
	}
	publisher, err := c.publisher(desk.Store, log)
	if err != nil {
		return unusable(err)
	}
	fmt.Fprintf(p.out, "collecting from %s into %s\n", from, c.Dir)
	group, ctx := errgroup.WithContext(p.ctx)
	group.Go(func() error { return collector.Run(ctx) })
	group.Go(func() error { return desk.Store.Run(ctx) })
	if publisher != nil {
		group.Go(func() error { return publisher.Run(ctx) })
	}
	return daemon.Ended(p.ctx, group.Wait())
}

// identities reads the office's secret keys; none where no file is named.
func identities(file string) ([]age.Identity, error) {
	if file == "" {
		return nil, nil
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("read the office's key: %w", err)
	}
	defer f.Close()
	keys, err := age.ParseIdentities(f)
	if err != nil {
		return nil, fmt.Errorf("read the office's key: %w", err)
	}
	return keys, nil
}
