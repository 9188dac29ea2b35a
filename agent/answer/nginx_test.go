package answer

import (
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"motcua/queue/line/linetest"
	"motcua/queue/receive"
)

// Behind a real nginx that ends TLS and asks kiosks for certificates, the desk knows each by its own name (queue/receive/README.md
// has the lines for nginx): answers come, another kiosk's name gets nothing, a revoked one is out, and what nginx itself says of
// a certificate that has run out is not taken for the desk's word.
func TestAnswersThroughNginxWithCertificates(t *testing.T) {
	list := filepath.Join(t.TempDir(), "kiosks")
	if err := os.WriteFile(list, []byte("kiosk-1 invented-token-of-kiosk-1\nkiosk-2 invented-token-of-kiosk-2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	kiosks, err := receive.OpenKiosks(list)
	if err != nil {
		t.Fatal(err)
	}
	receiver, err := receive.New(receive.Options{Dir: t.TempDir(), Kiosks: kiosks, Log: quiet})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { receiver.Close() })
	d := newDesk("desk-1")
	desk := httptest.NewServer(NewServer(d, receiver.Enter, quiet))
	t.Cleanup(desk.Close)

	front := linetest.NewFront(t, "desk.example.vn")
	for name, until := range map[string]time.Duration{"kiosk-1": time.Hour, "kiosk-2": time.Hour, "kiosk-3": time.Hour, "late": -time.Hour} {
		front.Issue(t, name, time.Now().Add(until))
	}
	// The lines of the README.
	front.Start(t, `map $ssl_client_s_dn $kiosk_token {
		default "";
		"CN=kiosk-1" invented-token-of-kiosk-1;
		"CN=kiosk-2" invented-token-of-kiosk-2;
	}`, fmt.Sprintf(`location /answers/ { proxy_pass %s; proxy_http_version 1.1; proxy_read_timeout 60s;
			proxy_set_header Authorization "Bearer $kiosk_token"; }`, desk.URL))
	asks := func(name string) (*Puller, *Store, *string) {
		t.Helper()
		s, cause := openAt(t, t.TempDir()), new(string)
		p, err := NewPuller(PullOptions{URL: "https://" + front.Host + "/answers/", Client: front.Client(t, name), Wait: time.Second},
			&Intake{Store: s, Queue: delivered(t), Log: quiet, Clock: func() time.Time { return noon }, Wrong: func(c string) { *cause = c }})
		if err != nil {
			t.Fatal(err)
		}
		return p, s, cause
	}
	d.answers("A", Done, []byte("invented result"))
	first, store, cause := asks("kiosk-1")
	if _, err := first.Round(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, data, err := store.Result("A"); err != nil || string(data) != "invented result" {
		t.Errorf("the result: %q, %v", data, err)
	}
	if d.kiosks["kiosk-1"] != store.Recipient().String() {
		t.Errorf("the desk knows %v", d.kiosks)
	}
	if p, _, cause := asks("kiosk-3"); true { // of the authority, and in no list
		if _, err := p.Round(t.Context()); err == nil || *cause != "refused" {
			t.Errorf("a kiosk that is in no list: %v, %s", err, *cause)
		}
	}
	if p, s, cause := asks("late"); true {
		if _, err := p.Round(t.Context()); err == nil || *cause == "" || s.Cursor() != (Cursor{}) || errors.Is(err, ErrTurnedOut) {
			t.Errorf("a certificate that has run out: %v, %s", err, *cause)
		}
	}
	if err := kiosks.Revoke("kiosk-1", "hoa", noon); err != nil {
		t.Fatal(err)
	}
	d.answers("B", Received, nil)
	if _, err := first.Round(t.Context()); err == nil || *cause != "refused" {
		t.Errorf("revoked: %v, %s", err, *cause)
	}
	second, store, _ := asks("kiosk-2")
	if _, err := second.Round(t.Context()); err != nil {
		t.Error(err)
	}
	if r, err := store.ByCode(codeOf("B")); err != nil || r.State != Received {
		t.Errorf("the other kiosk: %v, %v", r, err)
	}
}
