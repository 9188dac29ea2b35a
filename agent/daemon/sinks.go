package daemon

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"

	"motcua/agent/audit"
	"motcua/agent/config"
	"motcua/agent/version"
	"motcua/queue"
	"motcua/queue/announce"
	"motcua/queue/bandwidth"
	"motcua/queue/folder"
	"motcua/queue/line"
	"motcua/queue/s3"
	"motcua/queue/tus"
)

// OpenSink makes the way out that the configuration names; nil where there is none.
func OpenSink(cfg config.Config, log *slog.Logger) (queue.Sink, error) {
	if cfg.Upload.To == config.ToNone {
		return nil, nil
	}
	limit, err := openPace(cfg.Upload)
	if err != nil {
		return nil, fmt.Errorf("upload: %w", err)
	}
	sink, err := makeSink(cfg.Upload, limit, log)
	if err != nil {
		return nil, fmt.Errorf("upload by %s: %w", cfg.Upload.To, err)
	}
	return sink, nil
}

// ways are the ways out, one line each; package queue/sinktest is what every one of them must pass.
var ways = map[string]func(u config.Upload, limit line.Limit, log *slog.Logger) (queue.Sink, error){
	config.ToTus:    openTus,
	config.ToS3:     openS3,
	config.ToFolder: openFolder,
}

func makeSink(u config.Upload, limit line.Limit, log *slog.Logger) (queue.Sink, error) {
	open, ok := ways[u.To]
	if !ok {
		return nil, fmt.Errorf("upload.to: %q is not a way out", u.To)
	}
	return open(u, limit, log)
}

func openTus(u config.Upload, limit line.Limit, log *slog.Logger) (queue.Sink, error) {
	token, err := Secret(u.Tus.TokenFile)
	if err != nil {
		return nil, err
	}
	client, err := line.NewClient(line.TLS{CAFile: u.Tus.CAFile, CertFile: u.Tus.CertFile, KeyFile: u.Tus.KeyFile})
	if err != nil {
		return nil, err
	}
	return tus.New(tus.Options{
		Endpoint: u.Tus.Endpoint, Token: token, Client: client, ChunkSize: int64(u.Tus.Chunk),
		Limit: limit, AllowPlain: u.Tus.AllowPlain, Log: log,
	})
}

func openS3(u config.Upload, limit line.Limit, _ *slog.Logger) (queue.Sink, error) {
	access, secretKey, err := Credentials(u.S3.CredentialsFile)
	if err != nil {
		return nil, err
	}
	client, err := line.NewClient(line.TLS{CAFile: u.S3.CAFile})
	if err != nil {
		return nil, err
	}
	return s3.New(s3.Options{
		Endpoint: u.S3.Endpoint, Region: u.S3.Region, Bucket: u.S3.Bucket, Prefix: u.S3.Prefix,
		AccessKey: access, SecretKey: secretKey, Client: client, Limit: limit,
	})
}

func openFolder(u config.Upload, limit line.Limit, _ *slog.Logger) (queue.Sink, error) {
	return folder.New(folder.Options{Dir: u.Folder.Dir, Mounted: u.Folder.Mounted, Limit: limit})
}

// openAnnouncer makes who tells the province; nil where nobody is told.
func openAnnouncer(cfg config.Config, q *queue.Queue, auditLog *audit.Log, log *slog.Logger) (*announce.Announcer, error) {
	if cfg.Announce.URL == "" {
		return nil, nil
	}
	o, err := announceOptions(cfg, log)
	if err != nil {
		return nil, fmt.Errorf("announce: %w", err)
	}
	o.Outbox, o.Figures = q, func() any {
		stats, err := q.Stats()
		figures := struct {
			Version string      `json:"version"`
			Queue   queue.Stats `json:"queue"`
			Audit   string      `json:"audit"` // the head of the audit log
			Error   string      `json:"error,omitempty"`
		}{Version: version.String(), Queue: stats, Audit: auditLog.Head().String()}
		if err != nil {
			figures.Error = err.Error()
		}
		return figures
	}
	announcer, err := announce.New(o)
	if err != nil {
		return nil, fmt.Errorf("announce: %w", err)
	}
	return announcer, nil
}

// announceOptions are the province's NATS as the configuration names it.
func announceOptions(cfg config.Config, log *slog.Logger) (announce.Options, error) {
	a := cfg.Announce
	token, err := Secret(a.TokenFile)
	if err != nil {
		return announce.Options{}, err
	}
	return announce.Options{
		URL: a.URL, Kiosk: cfg.Kiosk.ID, Stream: a.Stream, CredsFile: a.CredsFile, Token: token,
		TLS:        line.TLS{CAFile: a.CAFile, CertFile: a.CertFile, KeyFile: a.KeyFile},
		AllowPlain: a.AllowPlain, Heartbeat: a.Heartbeat.D(), Log: log,
	}, nil
}

func openPace(u config.Upload) (line.Limit, error) {
	rate, err := bandwidth.ParseRate(u.Rate)
	if err != nil {
		return nil, err
	}
	o := bandwidth.Options{Otherwise: rate}
	for _, text := range u.Plan {
		w, err := bandwidth.ParseWindow(text)
		if err != nil {
			return nil, err
		}
		o.Windows = append(o.Windows, w)
	}
	return bandwidth.New(o)
}

// Credentials reads the two lines of an S3 credentials file.
func Credentials(file string) (access, secretKey string, err error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return "", "", fmt.Errorf("read credentials: %w", err)
	}
	words := strings.Fields(string(data))
	if len(words) != 2 {
		return "", "", fmt.Errorf("read credentials: %s must hold two lines, access key and secret key", file)
	}
	return words[0], words[1], nil
}

// Logger writes to one stream at the configured level. Types with personal data keep themselves out.
func Logger(w io.Writer, c config.Log) *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.Level)); err != nil {
		level = slog.LevelInfo
	}
	o := &slog.HandlerOptions{Level: level}
	if c.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, o))
	}
	return slog.New(slog.NewTextHandler(w, o))
}
