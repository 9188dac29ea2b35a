package receive

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// said collects a receiver's log.
type said struct{ bytes.Buffer }

func startKiosks(t *testing.T, lines string, o Options) (r *Receiver, url, file string, log *said) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "kiosks")
	if err := os.WriteFile(file, []byte(lines), 0o600); err != nil {
		t.Fatal(err)
	}
	var err error
	if o.Kiosks, err = OpenKiosks(file); err != nil {
		t.Fatal(err)
	}
	log = &said{}
	o.Dir, o.Log = t.TempDir(), slog.New(slog.NewTextHandler(log, nil))
	if r, err = New(o); err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(r)
	t.Cleanup(func() { s.Close(); r.Close() })
	return r, s.URL + Path, file, log
}

// begin announces an upload of n bytes and returns the status, and where it goes.
func begin(t *testing.T, url, token, id string, n int64) (int, string) {
	t.Helper()
	b64 := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	req, err := http.NewRequest(http.MethodPost, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Tus-Resumable", "1.0.0")
	req.Header.Set("Upload-Length", fmt.Sprint(n))
	req.Header.Set("Upload-Metadata", "submission "+b64(id)+",sha256 "+b64(strings.Repeat("ab", 32)))
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, resp.Header.Get("Location")
}

const (
	tokenA = "token-of-ward-7-a-0001"
	tokenB = "token-of-ward-7-b-0002"
)

// TestKiosksHaveTheirOwnCredentials: each is known by its own, one is revoked without the others, and none can go on with
// what another began.
func TestKiosksHaveTheirOwnCredentials(t *testing.T) {
	r, url, file, _ := startKiosks(t, "# ward 7\nward-7-a "+tokenA+"\nward-7-b "+tokenB+"\n", Options{})
	status, at := begin(t, url, tokenA, "S1", 100)
	if status != http.StatusCreated {
		t.Fatal(status)
	}
	info, ok := r.partial(uploadID("S1", strings.Repeat("ab", 32)))
	if !ok || info.MetaData[kioskField] != "ward-7-a" {
		t.Fatalf("%+v", info.MetaData)
	}
	head := func(token string) int {
		req, _ := http.NewRequest(http.MethodHead, strings.TrimSuffix(url, Path)+strings.TrimPrefix(at, strings.TrimSuffix(url, Path)), nil)
		req.Header.Set("Tus-Resumable", "1.0.0")
		req.Header.Set("Authorization", "Bearer "+token)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.StatusCode
	}
	if a, b := head(tokenA), head(tokenB); a != http.StatusOK || b != http.StatusNotFound {
		t.Fatalf("its own kiosk %d, another %d", a, b)
	}
	if err := os.WriteFile(file, []byte("ward-7-b "+tokenB+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if a, b := head(tokenA), head(tokenB); a != http.StatusUnauthorized || b != http.StatusNotFound {
		t.Fatalf("revoked %d, the other %d", a, b)
	}
	// A mistake in the file locks nobody out and nobody in.
	if err := os.WriteFile(file, []byte("ward-7-b\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if a, b := head(tokenA), head(tokenB); a != http.StatusUnauthorized || b != http.StatusNotFound {
		t.Fatalf("after a mistake: revoked %d, the other %d", a, b)
	}
}

// TestGuessesAreSlowed: after a few wrong tokens an address waits, even with the right one; who was right there before
// goes on. It is logged with address and count.
func TestGuessesAreSlowed(t *testing.T) {
	_, url, _, log := startKiosks(t, "a "+tokenA+"\nb "+tokenB+"\n", Options{})
	if status, _ := begin(t, url, tokenB, "S0", 100); status != http.StatusCreated {
		t.Fatal(status)
	}
	codes := map[int]int{}
	for i := range 200 {
		status, _ := begin(t, url, fmt.Sprintf("guess-number-%06d", i), "S1", 100)
		codes[status]++
	}
	if codes[http.StatusUnauthorized] > guessBurst+5 || codes[http.StatusTooManyRequests] < 150 {
		t.Fatalf("answers %v", codes)
	}
	if status, _ := begin(t, url, tokenA, "S1", 100); status != http.StatusTooManyRequests {
		t.Fatalf("a token guessed right after 200 guesses: %d", status)
	}
	if status, _ := begin(t, url, tokenB, "S2", 100); status != http.StatusCreated {
		t.Fatalf("a kiosk behind the same address: %d", status)
	}
	if !strings.Contains(log.String(), "address=127.0.0.1 count=8") || strings.Contains(log.String(), "guess-number") {
		t.Fatal(log.String())
	}
}

// TestUnfinishedUploadsHaveAQuota: for each kiosk its own.
func TestUnfinishedUploadsHaveAQuota(t *testing.T) {
	_, url, _, _ := startKiosks(t, "a "+tokenA+"\nb "+tokenB+"\n", Options{Unfinished: 3, Announced: 1000})
	for i, want := range []int{201, 201, 201, 503} {
		if status, _ := begin(t, url, tokenA, fmt.Sprint("S", i), 10); status != want {
			t.Fatalf("upload %d: %d, want %d", i, status, want)
		}
	}
	for i, want := range []int{201, 503, 201} {
		if status, _ := begin(t, url, tokenB, fmt.Sprint("T", i), []int64{600, 600, 300}[i]); status != want {
			t.Fatalf("upload of %d bytes: %d, want %d", i, status, want)
		}
	}
}

// TestSlowBodies: what drips is cut off, by its rate and by silence.
func TestSlowBodies(t *testing.T) {
	drip, in := io.Pipe()
	s := &steady{body: drip, control: http.NewResponseController(httptest.NewRecorder()), begun: time.Now().Add(-10 * time.Second),
		grace: time.Second, stall: time.Minute}
	go func() { _, _ = in.Write([]byte("x")) }()
	if _, err := s.Read(make([]byte, 10)); err == nil || !strings.Contains(err.Error(), "slower than") {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, err := io.Copy(io.Discard, &steady{body: r.Body, control: http.NewResponseController(w), begun: time.Now(), grace: time.Minute,
			stall: 50 * time.Millisecond})
		ended <- err
	}))
	defer server.Close()
	silent, writer := io.Pipe()
	defer writer.Close()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL, silent)
	if err != nil {
		t.Fatal(err)
	}
	req.ContentLength = 1000
	go func() {
		if resp, err := http.DefaultClient.Do(req); err == nil {
			resp.Body.Close()
		}
	}()
	if err := <-ended; !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatal(err)
	}
}

func TestListOfKiosksTellsMistakes(t *testing.T) {
	for text, want := range map[string]string{
		"a":                             "line 1: write a name",
		"\n\na short":                   "line 3: a token has at least 16",
		"a/b " + tokenA:                 "line 1: a name is of letters",
		"a " + tokenA + "\na " + tokenB: "line 2: a is there twice",
		"a sha256:12":                   "line 1: sha256: wants 64",
	} {
		if _, err := parseKiosks([]byte(text)); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "token-of") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// TestRestoreGivesTheNewestCredential: of a kiosk that was revoked twice the stolen credential stays out, wherever its line lies, and
// one that was given a new credential by hand keeps it.
func TestRestoreGivesTheNewestCredential(t *testing.T) {
	file := filepath.Join(t.TempDir(), "kiosks")
	stolen, given := sha256.Sum256([]byte(tokenA)), sha256.Sum256([]byte(tokenB))
	old := fmt.Sprintf("# revoked 2026-03-01T08:00:00Z by hoa: a sha256:%x\n", stolen)
	open := func(text string) *Kiosks {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		k, err := OpenKiosks(file)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	for where, text := range map[string]string{"above": "a " + tokenB + "\n" + old, "below": old + "a " + tokenB + "\n"} {
		k := open(text)
		if err := k.Restore("a"); err != nil {
			t.Errorf("%s, with a credential of its own: %v", where, err)
		}
		if err := k.Revoke("a", "hoa", time.Date(2026, 4, 2, 8, 0, 0, 0, time.UTC)); err != nil {
			t.Fatal(err)
		}
		if err := k.Restore("a"); err != nil {
			t.Fatal(err)
		}
		if name, ok := k.byToken(stolen); ok {
			t.Errorf("%s: the stolen credential lets %s in", where, name)
		}
		if name, _ := k.byToken(given); name != "a" {
			t.Errorf("%s: the credential that was taken last lets in %q", where, name)
		}
	}
	if err := open("b " + tokenB + "\n").Restore("a"); !errors.Is(err, ErrNoKiosk) {
		t.Errorf("one that was never there: %v", err)
	}
}
