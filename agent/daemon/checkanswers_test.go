package daemon

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"motcua/agent/answer"
	"motcua/agent/config"
	"motcua/agent/doctor"
	"motcua/agent/office"
	"motcua/queue"
	"motcua/queue/seal"
)

// What the doctor says of answers is what a real desk's own words made of it.
func TestAnswersFinding(t *testing.T) {
	log := slog.New(slog.DiscardHandler)
	dir := t.TempDir()
	store, err := office.Open(t.Context(), dir, office.Options{Vault: seal.NewFile(filepath.Join(dir, "key")), Log: log})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	status := http.StatusOK
	desk := httptest.NewServer(answer.NewServer(store, func(w http.ResponseWriter, r *http.Request) (string, bool) {
		if status != http.StatusOK {
			w.WriteHeader(status)
		}
		return "kiosk-1", status == http.StatusOK
	}, log))
	defer desk.Close()
	q, _, err := queue.Open(t.Context(), t.TempDir(), queue.Options{MinFree: -1, Retention: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()

	cfg := config.Config{Data: t.TempDir()}
	finds := func(later time.Duration, want doctor.State, words string) {
		t.Helper()
		got := checkAnswers(t.Context(), cfg, time.Now().Add(later))
		if len(got) != 1 || got[0].State != want || !strings.Contains(got[0].What+got[0].Mend, words) || want != doctor.OK && got[0].Mend == "" {
			t.Errorf("%+v, want %s, %s", got, want, words)
		}
	}
	cfg.Answers.From = config.FromNone
	finds(0, doctor.OK, "not taken")
	cfg.Answers.From = config.FromDesk
	finds(0, doctor.Look, "no key")

	asks := func(data string) (ask func(), key string) {
		answers := filepath.Join(data, "answers")
		own, err := answer.OpenStore(t.Context(), answers, vaultIn(cfg, answers), log)
		if err != nil {
			t.Fatal(err)
		}
		p, err := answer.NewPuller(answer.PullOptions{URL: desk.URL + answer.Path, Wait: time.Second},
			&answer.Intake{Store: own, Queue: q, Log: log})
		if err != nil {
			t.Fatal(err)
		}
		return func() { p.Round(t.Context()) }, answer.Fingerprint(own.Recipient().String())
	}
	ask, key := asks(cfg.Data)
	finds(0, doctor.Broken, "never heard")
	ask()
	finds(time.Minute, doctor.OK, key)
	finds(2*time.Hour, doctor.Look, "last heard at")
	finds(4*24*time.Hour, doctor.Broken, "the line")
	status = http.StatusUnauthorized
	ask()
	finds(0, doctor.Broken, "revoked")
	status = http.StatusOK
	ask()
	finds(0, doctor.OK, key)

	cfg.Data = t.TempDir() // set up anew: the desk knows the first key
	ask, key = asks(cfg.Data)
	ask()
	finds(0, doctor.Broken, "allow the key "+key)
}
