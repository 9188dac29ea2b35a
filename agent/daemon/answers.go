package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"path/filepath"
	"time"

	"github.com/nats-io/nats.go"

	"motcua/agent/answer"
	"motcua/agent/config"
	"motcua/agent/dossier"
	"motcua/agent/metrics"
	"motcua/queue"
	"motcua/queue/announce"
	"motcua/queue/line"
)

// answers is what the daemon knows of the office's answers; nil where its store can't be opened.
type answers struct {
	*answer.Inquiry
	store *answer.Store
	run   func(context.Context) error // takes answers until ctx ends
}

// openAnswers opens the store of answers and the way they come. Without the store the counter works on: citizens then ask at
// the counter where their dossier stands.
func openAnswers(ctx context.Context, cfg config.Config, q *queue.Queue, figures *metrics.Metrics, log *slog.Logger) (*answers, error) {
	store, err := (*answer.Store)(nil), makeStore(ctx, cfg, answerStore, log)
	if err == nil {
		store, err = answer.OpenStore(ctx, filepath.Join(cfg.Data, answerStore), keysOf(cfg, answerStore), log)
	}
	if err != nil {
		log.Error("answers of the office are not taken", "error", err)
		return nil, nil
	}
	store.KeepResults(time.Duration(cfg.Answers.ResultDays) * 24 * time.Hour)
	figures.Answers(func() map[string]int {
		out := map[string]int{}
		for state, n := range store.Counts() {
			out[string(state)] = n
		}
		return out
	})
	a := &answers{Inquiry: answer.NewInquiry(store, time.Now), store: store}
	in := &answer.Intake{Store: store, Queue: q, Log: log, Wrong: figures.AnswerFailed,
		Taken: func(a answer.Answer) { figures.Answered(string(a.State)) }, Heard: figures.AnswersHeard}
	if a.run, err = wayOfAnswers(cfg, in, log); err != nil {
		return nil, fmt.Errorf("answers: %w", err)
	}
	return a, nil
}

// wayOfAnswers is how answers come; nil where they don't.
func wayOfAnswers(cfg config.Config, in *answer.Intake, log *slog.Logger) (func(context.Context) error, error) {
	switch cfg.Answers.From {
	case config.FromDesk:
		p, err := openPuller(cfg, in)
		if err != nil {
			return nil, err
		}
		return p.Run, nil
	case config.FromNATS:
		o, err := announceOptions(cfg, log)
		if err != nil {
			return nil, err
		}
		s, err := answer.NewSubscriber(func(more ...nats.Option) (*nats.Conn, error) { return announce.Dial(o, more...) },
			cfg.Answers.Ward, cfg.Kiosk.ID, in)
		if err != nil {
			return nil, err
		}
		return s.Run, nil
	}
	return nil, nil
}

// openPuller asks the desk that submissions go to, by the same credential.
func openPuller(cfg config.Config, in *answer.Intake) (*answer.Puller, error) {
	t := cfg.Upload.Tus
	token, err := Secret(t.TokenFile)
	if err != nil {
		return nil, err
	}
	client, err := line.NewClient(line.TLS{CAFile: t.CAFile, CertFile: t.CertFile, KeyFile: t.KeyFile})
	if err != nil {
		return nil, err
	}
	address := cfg.Answers.URL
	if address == "" {
		u, err := url.Parse(t.Endpoint)
		if err != nil {
			return nil, fmt.Errorf("upload.tus.endpoint: %w", err)
		}
		address = u.Scheme + "://" + u.Host + answer.Path
	}
	return answer.NewPuller(answer.PullOptions{URL: address, Token: token, Client: client, AllowPlain: t.AllowPlain}, in)
}

// expect notes a submission that was accepted, so that it can be looked up before the office answers. What it can't note is
// told at the counter instead: the submission itself is safe.
func (a *answers) expect(s queue.Submission, d queue.Draft) error {
	if a == nil {
		return nil
	}
	known := answer.Answer{Submission: s.ID, Code: s.Code, Procedure: s.Labels["procedure"], Received: s.Created, At: s.Created}
	for _, p := range d.Parts {
		if p.Name != "form.json" {
			continue
		}
		form, err := readPart(p)
		if err != nil {
			return err
		}
		known.Born = answer.Born(form)
		clear(form)
	}
	if first := d.Labels[dossier.LabelSupplements]; first != "" {
		known.Born = a.store.Born(first) // it has no values of its own
	}
	return a.store.Expect(known)
}

func readPart(p queue.Part) ([]byte, error) {
	in, err := p.Open()
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", p.Name, err)
	}
	data, err := io.ReadAll(in)
	return data, errors.Join(err, in.Close())
}

// settle acknowledges what was answered before its delivery was noted here.
func (a *answers) settle(ctx context.Context, q *queue.Queue, id string, log *slog.Logger) {
	if a == nil || !a.store.Answered(id) {
		return
	}
	if err := q.Acknowledge(ctx, id); err != nil && ctx.Err() == nil {
		log.Warn("acknowledge", "submission", id, "error", err)
	}
}

// ReadAnswers reads what is known of the office's answers, by every submission that they are for, beside a daemon that may be
// running.
func ReadAnswers(ctx context.Context, cfg config.Config) (map[string]answer.Record, error) {
	out := map[string]answer.Record{}
	err := answer.Each(ctx, filepath.Join(cfg.Data, answerStore), keysOf(cfg, answerStore), func(r answer.Record) {
		for _, id := range r.IDs() {
			out[id] = r
		}
	})
	return out, err
}
