package attack

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"motcua/agent/programtest"
	"motcua/agent/tether"
)

// patience bounds everything that is waited for; a machine that is busy may need it.
const patience = 10 * time.Minute

// scratch is where programs are built; TestMain makes and removes it.
var scratch string

// program builds motcua once, packer what packs the portal's extension.
var program, packer = builds("motcua", "motcua/agent"), builds("pack", "motcua/agent/portal/pack")

func builds(name, source string) func() (string, error) {
	return sync.OnceValues(func() (string, error) { return programtest.Build(scratch, name, source) })
}

func TestMain(m *testing.M) {
	var err error
	if scratch, err = os.MkdirTemp("", "motcua-attack"); err != nil {
		panic(err)
	}
	code := m.Run()
	os.RemoveAll(scratch)
	os.Exit(code)
}

// daemon is a started `motcua run`, as it is shipped, without a scanner.
type daemon struct {
	t       *testing.T
	binary  string
	dir     string // data folder
	config  string
	base    string // of its screen
	process *os.Process
	said    *lines
	ended   chan struct{}
}

// lines keeps what the daemon says.
type lines struct {
	mu   sync.Mutex // guards text
	text bytes.Buffer
}

func (l *lines) add(line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text.WriteString(line + "\n")
}

// Write takes what a process says as it comes.
func (l *lines) Write(said []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(said)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func start(t *testing.T) *daemon {
	t.Helper()
	return startWith(t, "")
}

// startWith starts one with more lines in its configuration's part "web".
func startWith(t *testing.T, web string) *daemon {
	t.Helper()
	binary, err := program()
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "mo") // short: a socket lies in it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	d := &daemon{t: t, binary: binary, dir: filepath.Join(dir, "data"), config: filepath.Join(dir, "motcua.yaml")}
	text := "data: " + d.dir + "\nweb:\n  listen: 127.0.0.1:0\n" + web +
		"scanner:\n  device: none\nqueue:\n  key: file\n  min_free: 1 MB\nupload:\n  " +
		"to: none\n"
	if err := os.WriteFile(d.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	d.run()
	t.Cleanup(d.stop)
	return d
}

func (d *daemon) run() {
	d.t.Helper()
	cmd := exec.Command(d.binary, "--config", d.config, "run")
	cmd.Env = append(os.Environ(), unitEnvironment(d.t, "motcua.service")...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		d.t.Fatal(err)
	}
	cmd.Stderr = cmd.Stdout
	if err := tether.Start(cmd); err != nil {
		d.t.Fatal(err)
	}
	d.process, d.said, d.ended = cmd.Process, &lines{}, make(chan struct{})
	address := make(chan string, 1)
	go func() {
		defer close(d.ended)
		scanner := bufio.NewScanner(out)
		for scanner.Scan() {
			d.said.add(scanner.Text())
			if _, at, ok := strings.Cut(scanner.Text(), "Motcua is at "); ok {
				address <- strings.TrimSuffix(at, "/")
			}
		}
		_ = cmd.Wait()
	}()
	select {
	case d.base = <-address:
	case <-d.ended:
		d.t.Fatalf("the daemon ended:\n%s", d.said)
	case <-time.After(patience):
		d.t.Fatalf("the daemon told no address:\n%s", d.said)
	}
	// Recognition's workers start beside; the attacks want them there.
	for end := time.Now().Add(patience); len(d.workers()) < 1; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			d.t.Fatal("no worker started")
		}
	}
}

// unitEnvironment gives what a shipped unit puts into its program's environment.
func unitEnvironment(t *testing.T, unit string) (all []string) {
	t.Helper()
	text, err := os.ReadFile(packaging + unit)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if set, ok := strings.CutPrefix(strings.TrimSpace(line), "Environment="); ok {
			all = append(all, strings.Fields(set)...)
		}
	}
	return all
}

func (d *daemon) stop() {
	_ = d.process.Signal(syscall.SIGTERM)
	select {
	case <-d.ended:
	case <-time.After(patience):
		_ = d.process.Kill()
		<-d.ended
		d.t.Error("the daemon did not end when it was told to")
	}
}

// well fails if the daemon is not there any more, or does not answer.
func (d *daemon) well() {
	d.t.Helper()
	select {
	case <-d.ended:
		d.t.Fatalf("the daemon ended:\n%s", d.said)
	default:
	}
	answer, err := http.Get(d.base + "/healthz")
	if err != nil {
		d.t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		d.t.Fatalf("health: %s", answer.Status)
	}
}

// workers are the daemon's children that recognise.
func (d *daemon) workers() []int {
	var found []int
	data, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", d.process.Pid, d.process.Pid))
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", d.process.Pid))
	for _, task := range tasks {
		more, _ := os.ReadFile(task)
		data = append(append(data, ' '), more...)
	}
	seen := map[string]bool{}
	for _, pid := range strings.Fields(string(data)) {
		line, _ := os.ReadFile("/proc/" + pid + "/cmdline")
		if n, err := strconv.Atoi(pid); err == nil && !seen[pid] && bytes.Contains(line, []byte("ocr-worker")) {
			seen[pid] = true
			found = append(found, n)
		}
	}
	return found
}

// resident is the memory of the daemon and its workers, in bytes.
func (d *daemon) resident() int {
	sum := 0
	for _, pid := range append(d.workers(), d.process.Pid) {
		status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		for line := range strings.Lines(string(status)) {
			if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
				kb, _ := strconv.Atoi(strings.Fields(rest)[0])
				sum += kb << 10
			}
		}
	}
	return sum
}

func (d *daemon) command(stdin string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(d.t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, d.binary, append([]string{"--config", d.config}, args...)...)
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// visitor is somebody's browser without JavaScript.
type visitor struct {
	d    *daemon
	http *http.Client
	csrf string
	body string
	at   string
	code int
}

func (d *daemon) visitor() *visitor {
	jar, err := cookiejar.New(nil)
	if err != nil {
		d.t.Fatal(err)
	}
	return &visitor{d: d, http: &http.Client{Jar: jar, Timeout: patience}}
}

var token = regexp.MustCompile(`name="csrf" value="([^"]+)"`)

func (v *visitor) do(method, path, media string, body io.Reader) *visitor {
	v.d.t.Helper()
	r, err := http.NewRequestWithContext(v.d.t.Context(), method, v.d.base+path, body)
	if err != nil {
		v.d.t.Fatal(err)
	}
	if media != "" {
		r.Header.Set("Content-Type", media)
		r.Header.Set("Origin", v.d.base)
	}
	answer, err := v.http.Do(r)
	if err != nil {
		v.d.t.Fatal(err)
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(answer.Body)
	if err != nil {
		v.d.t.Fatal(err)
	}
	v.body, v.code, v.at = string(data), answer.StatusCode, answer.Request.URL.Path
	if m := token.FindStringSubmatch(v.body); m != nil {
		v.csrf = m[1]
	}
	return v
}

func (v *visitor) get(path string) *visitor {
	v.d.t.Helper()
	return v.do(http.MethodGet, path, "", nil)
}

func (v *visitor) post(path string, pairs ...string) *visitor {
	v.d.t.Helper()
	form := url.Values{"csrf": {v.csrf}}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	return v.do(http.MethodPost, path, "application/x-www-form-urlencoded", strings.NewReader(form.Encode()))
}

func (v *visitor) toScan() *visitor {
	v.d.t.Helper()
	v.get("/").post("/begin", "lang", "vi").post("/choose/2.000815").post("/consent", "agreed", "yes")
	if v.at != "/scan" {
		v.d.t.Fatalf("at %s (%d)", v.at, v.code)
	}
	return v
}

func (v *visitor) upload(name string, data []byte) *visitor {
	v.d.t.Helper()
	var b bytes.Buffer
	form := multipart.NewWriter(&b)
	_ = form.WriteField("csrf", v.csrf)
	part, err := form.CreateFormFile("file", name)
	if err != nil {
		v.d.t.Fatal(err)
	}
	_, _ = part.Write(data)
	_ = form.Close()
	return v.do(http.MethodPost, "/upload", form.FormDataContentType(), &b)
}

// read waits until the visit's files are read, or the visit is over, as its screen does: by the page's stream of what happens.
func (v *visitor) read(within time.Duration) bool {
	v.d.t.Helper()
	ctx, cancel := context.WithTimeout(v.d.t.Context(), within)
	defer cancel()
	for ctx.Err() == nil {
		if v.get("/scan"); v.at != "/scan" || !strings.Contains(v.body, "/scan/stop") {
			return true
		}
		v.hears(ctx)
	}
	return false
}

// hears follows the scan's stream until that says that the scan has ended, or ends itself.
func (v *visitor) hears(ctx context.Context) {
	v.d.t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, v.d.base+"/scan/live", nil)
	if err != nil {
		v.d.t.Fatal(err)
	}
	answer, err := (&http.Client{Jar: v.http.Jar}).Do(r)
	if err != nil {
		return // too late, or the daemon is gone: get says which
	}
	defer answer.Body.Close()
	for lines := bufio.NewScanner(answer.Body); lines.Scan(); {
		var e struct{ Kind string }
		data, is := strings.CutPrefix(lines.Text(), "data: ")
		if is && json.Unmarshal([]byte(data), &e) == nil && slices.Contains([]string{"done", "full", "fault", "over"}, e.Kind) {
			return
		}
	}
}
