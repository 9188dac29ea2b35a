// Package attack holds the attacks that were made on a started kiosk, as tests that print what they tried: by hostile files,
// by somebody at the screen, by a process on the machine, by a volunteer who was dismissed. `make attack` runs them;
// `make attack FILES=DIR` also takes every file of a folder through the reader and the upload.
package attack

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"image"
	"image/jpeg"
	"io"
	"io/fs"
	"maps"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"motcua/ocr/paper"
	"motcua/ocr/sandbox"
	"motcua/ocr/specimen"
)

// The parser is taken over: the worker of the program as it is shipped runs the probe in the parser's place.
func TestTakenOverParser(t *testing.T) {
	t.Parallel()
	binary, err := program()
	if err != nil {
		t.Fatal(err)
	}
	tried, err := sandbox.Try(t.Context(), []string{binary, "ocr-worker"})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range tried {
		t.Logf("%-16s %s: held %v", p.Name, p.Detail, p.Active)
		if !p.Active {
			t.Errorf("%s: %s", p.Name, p.Detail)
		}
	}
}

// Under the daemon's unit /proc shows a process nothing of others (ProtectProc=invisible): the worker starts there all the same, and
// is held.
func TestWorkerUnderTheUnitsProc(t *testing.T) {
	t.Parallel()
	binary, err := program()
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.MkdirTemp("", "mo")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(data) })
	for _, err := range []error{os.Chmod(filepath.Dir(binary), 0o755), os.Chmod(data, 0o777)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	const asUnit = `mount -t proc -o hidepid=invisible proc /proc && cd / && exec setpriv --reuid=65534 --regid=65534 --clear-groups \
		--no-new-privs --inh-caps=-all --bounding-set=-all "$@"`
	cmd := exec.CommandContext(ctx, "unshare", "-m", "sh", "-c", asUnit, "sh", binary, "--data", data, "doctor", "recognition")
	out, err := cmd.CombinedOutput()
	held := strings.Count(string(out), "ok      hostile files")
	t.Logf("%d claims hold", held)
	if err != nil || held < 15 || strings.Contains(string(out), "not so") {
		t.Errorf("%v\n%s", err, out)
	}
}

// A process of the daemon's own user that can open the control socket and no file.
func TestControlSocket(t *testing.T) {
	t.Parallel()
	d := start(t)
	for _, path := range []string{"/submissions", "/export", "/diagnostics", "/staff", "/verify"} {
		out, err := exec.Command("sh", "-c", `exec 3>&1; curl -sS --max-time 20 -o /dev/null -w '%{http_code}' --unix-socket "$1" "$2"; exit $?`,
			"sh",
			filepath.Join(d.dir, "motcua.sock"), "http://daemon"+path).CombinedOutput()
		t.Logf("GET %s without the secret: %s", path, out)
		if err != nil || string(out) != "403" && string(out) != "405" {
			t.Errorf("GET %s without the secret: %s, %v", path, out, err)
		}
	}
	worker := d.workers()[0]
	out, err := exec.Command("nsenter", "-t", fmt.Sprint(worker), "-U", "-p", "-n", "--preserve-credentials", "curl", "-sS", "--max-time",
		"20",
		"--unix-socket", filepath.Join(d.dir, "motcua.sock"), "http://daemon/status").CombinedOutput()
	t.Logf("from the worker's own namespaces: %v %s", err, bytes.TrimSpace(out))
	if err == nil {
		t.Errorf("the daemon answered a process in the worker's namespaces: %s", out)
	}
	d.well()
}

// Forty uploads that are half sent, with and without a session.
func TestHalfSentUploads(t *testing.T) {
	t.Parallel()
	d := start(t)
	before := d.resident()
	var open []net.Conn
	defer func() {
		for _, c := range open {
			c.Close()
		}
	}()
	u, err := url.Parse(d.base)
	if err != nil {
		t.Fatal(err)
	}
	for n := range 40 {
		var cookie, csrf string
		if n%2 == 1 {
			v := d.visitor().toScan()
			cookie, csrf = v.http.Jar.Cookies(u)[0].String(), v.csrf
		}
		c, err := net.Dial("tcp", u.Host)
		if err != nil {
			t.Fatal(err)
		}
		open = append(open, c)
		go func() { // the daemon may hang up at any moment
			_, _ = fmt.Fprintf(c, "POST /upload HTTP/1.1\r\nHost: %s\r\nOrigin: %s\r\nCookie: %s\r\nContent-Type: multipart/form-data; "+
				"boundary=b\r\nContent-Length: 31000000\r\n\r\n"+
				"--b\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\n%s\r\n--b\r\nContent-Disposition: form-data; name=\"file\"; "+
				"filename=\"a.jpg\"\r\n\r\n", u.Host, d.base, cookie, csrf)
			_, _ = io.CopyN(c, endless{}, 29_000_000)
		}()
	}
	most := 0
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		most = max(most, d.resident())
	}
	t.Logf("40 half-sent uploads of 29 MB: %d MB before, %d MB at most", before>>20, most>>20)
	if most > 700<<20 {
		t.Errorf("the daemon and its workers took %d MB", most>>20)
	}
	d.well()
	if v := d.visitor().toScan(); v.code != http.StatusOK {
		t.Errorf("the next citizen: %d", v.code)
	}
}

// Uploads that are whole, of hundreds of thousands of files without a byte: each must not take what a file takes.
func TestUploadsOfManyParts(t *testing.T) {
	t.Parallel()
	d := start(t)
	before := d.resident()
	var all sync.WaitGroup
	for range 4 {
		v := d.visitor().toScan()
		var b bytes.Buffer
		fmt.Fprintf(&b, "--b\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\n%s\r\n", v.csrf)
		const part = "--b\r\nContent-Disposition:form-data;name=file;filename=a\r\n\r\n\r\n"
		b.WriteString(strings.Repeat(part, 29_000_000/len(part)) + "--b--\r\n")
		all.Go(func() {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, d.base+"/upload", &b)
			if err != nil {
				t.Error(err)
				return
			}
			r.Header.Set("Content-Type", "multipart/form-data; boundary=b")
			r.Header.Set("Origin", d.base)
			if answer, err := v.http.Do(r); err == nil { // or the daemon hangs up
				t.Logf("answered with %s", answer.Status)
				answer.Body.Close()
			}
		})
	}
	done := make(chan struct{})
	go func() { all.Wait(); close(done) }()
	most := 0
	for waiting := true; waiting; {
		most = max(most, d.resident())
		select {
		case <-done:
			waiting = false
		case <-time.After(20 * time.Millisecond):
		}
	}
	t.Logf("4 uploads of 29 MB of files without a byte: %d MB before, %d MB at most", before>>20, most>>20)
	if most > 500<<20 {
		t.Errorf("the daemon and its workers took %d MB", most>>20)
	}
	d.well()
}

type endless struct{}

func (endless) Read(b []byte) (int, error) { return len(b), nil }

// Two people hand in long files of slow pages; the third wants a card read.
func TestSlowFiles(t *testing.T) {
	d := start(t)
	slow := slowPDF(40)
	for range 2 {
		v := d.visitor().toScan()
		if v.upload("slow.pdf", slow); v.code != http.StatusOK {
			t.Fatalf("upload: %d", v.code)
		}
	}
	time.Sleep(time.Second) // both have a worker by now; if not, the third has it easier
	begun := time.Now()
	v := d.visitor().toScan().upload("card.jpg", card(t, 7))
	const bound = 3 * time.Minute // a page has 20 s, a file a minute; the rest is for a machine that tests run on beside
	if !v.read(bound) {
		t.Fatalf("a card was not read within %v beside two files of 40 slow pages (%d kB)", bound, len(slow)>>10)
	}
	t.Logf("beside two files of 40 slow pages a card is read after %v", time.Since(begun).Round(time.Millisecond))
	d.well()
}

// A volunteer is dismissed while signed in.
func TestDismissedVolunteer(t *testing.T) {
	t.Parallel()
	d := start(t)
	for _, m := range [][2]string{{"lan", "technician"}, {"minh", "volunteer"}} {
		if out, err := d.command("730264\n", "staff", "add", m[0], m[1]); err != nil {
			t.Fatalf("%v %s", err, out)
		}
	}
	minh := d.visitor()
	minh.get("/staff").post("/staff", "name", "minh", "pin", "730264")
	if minh.get("/desk"); minh.at != "/desk" {
		t.Fatalf("signed in, minh is at %s", minh.at)
	}
	if out, err := d.command("", "staff", "remove", "minh"); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	if minh.get("/desk"); minh.at == "/desk" {
		t.Error("a removed volunteer still sees the desk")
	}
	// A wrong PIN of somebody else has the daemon write its list: the removed one must not come back by it.
	d.visitor().get("/staff").post("/staff", "name", "lan", "pin", "111999")
	if minh.get("/staff").post("/staff", "name", "minh", "pin", "730264"); minh.at != "/staff" {
		t.Errorf("a removed volunteer signs in again, to %s", minh.at)
	}
	out, err := d.command("", "staff", "list")
	t.Logf("after the removal: %s", strings.TrimSpace(out))
	if err != nil || strings.Contains(out, "minh") {
		t.Errorf("%v %s", err, out)
	}
	out, err = d.command("", "audit", "show")
	if err != nil || !strings.Contains(out, "removed:minh") {
		t.Errorf("the audit log does not tell of it: %v %s", err, out)
	}
	d.stop()
	d.run()
	if minh.get("/staff").post("/staff", "name", "minh", "pin", "730264"); minh.at != "/staff" {
		t.Error("after a restart the removed volunteer signs in")
	}
}

// Somebody who can write the data folder cuts the end off the audit log, and the daemon goes on writing it.
func TestAuditLogCut(t *testing.T) {
	t.Parallel()
	d := start(t)
	for range 4 {
		d.visitor().toScan().post("/leave", "why", "")
	}
	d.stop()
	if out, err := d.command("", "audit", "verify"); err != nil {
		t.Fatalf("before: %v %s", err, out)
	}
	names, err := filepath.Glob(filepath.Join(d.dir, "audit", "*.jsonl"))
	if err != nil || len(names) == 0 {
		t.Fatalf("%v %v", names, err)
	}
	path := names[len(names)-1]
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(data), "\n")
	if err := os.WriteFile(path, []byte(strings.Join(lines[:len(lines)-8], "")), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, when := range []string{"after the cut", "while the daemon writes on", "after it has"} {
		out, err := d.command("", "audit", "verify")
		t.Logf("%s: %s", when, strings.TrimSpace(out))
		if err == nil || !strings.Contains(out, "cut off") {
			t.Errorf("%s: %v %s", when, err, out)
		}
		switch when {
		case "after the cut":
			d.run()
			for range 6 { // the chain grows past what was cut
				d.visitor().toScan().post("/leave", "why", "")
			}
		case "while the daemon writes on":
			d.stop()
		}
	}
}

// A configuration that can't work is put into the file by hand; the counter opens all the same, and doctor tells.
func TestConfigurationThatCannotWork(t *testing.T) {
	t.Parallel()
	d := start(t)
	d.stop()
	good, err := os.ReadFile(d.config)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(d.config+".proven", good, 0o600); err != nil { // the daemon keeps it after a minute
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"no YAML":           "data: [",
		"unknown key":       string(good) + "webb:\n  listen: x\n",
		"missing procedure": string(good) + "procedures:\n  dir: /nowhere\n",
		"missing token": strings.Replace(string(good), "to: none",
			"to: tus\n  tus:\n    endpoint: https://hub.example.vn/files/\n    token_file: /nowhere", 1),
		"address taken": strings.Replace(string(good), "127.0.0.1:0", "192.0.2.1:80", 1),
	} {
		if err := os.WriteFile(d.config, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		d.run()
		d.well()
		if v := d.visitor().toScan(); v.code != http.StatusOK {
			t.Errorf("%s: %d", name, v.code)
		}
		if !strings.Contains(d.said.String(), "going back to the last one that ran") {
			t.Errorf("%s: nothing is told of it:\n%s", name, d.said)
		}
		t.Logf("%-18s the counter is open", name)
		if after, err := os.ReadFile(d.config); err != nil || string(after) != text {
			t.Errorf("%s: the file was changed (%v)", name, err)
		}
		d.stop()
	}
	if err := os.WriteFile(d.config, good, 0o600); err != nil {
		t.Fatal(err)
	}
	d.run()
	if strings.Contains(d.said.String(), "going back") {
		t.Error("a good configuration is not taken")
	}
}

// Sixty sign-ins at once, for names that are there and names that are not.
func TestSignInFlood(t *testing.T) {
	t.Parallel()
	d := start(t)
	if out, err := d.command("730264\n", "staff", "add", "lan", "technician"); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	before := d.resident()
	var all sync.WaitGroup
	for n := range 60 {
		v := d.visitor().get("/staff")
		all.Go(func() { v.post("/staff", "name", []string{"lan", "nobody"}[n%2], "pin", "111999") })
	}
	done := make(chan struct{})
	go func() { all.Wait(); close(done) }()
	most := 0
	for waiting := true; waiting; {
		select {
		case <-done:
			waiting = false
		case <-time.After(20 * time.Millisecond):
			most = max(most, d.resident())
		}
	}
	t.Logf("60 sign-ins at once: %d MB before, %d MB at most", before>>20, most>>20)
	if most > before+300<<20 {
		t.Errorf("%d MB more", (most-before)>>20)
	}
	d.well()
}

// Files that were made to hurt, and, with FILES, a folder of public ones: no crash, no hang past its bound, no file left.
func TestNastyFiles(t *testing.T) {
	d := start(t)
	files := map[string][]byte{
		"empty":     {},
		"zeros.jpg": make([]byte, 1<<20),
		"gif-65535.gif": []byte("GIF89a" +
			"\xff\xff\xff\xff\x80\x00\x00\x00\x00\x00\xff\xff\xff,\x00\x00\x00\x00\xff\xff\xff\xff\x00\x02\x02D\x01\x00;"),
		"png-huge.png": []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x7f\xff\xff\xff\x7f\xff\xff\xff\x08\x06\x00\x00\x00\x00\x00\x00\x00"),
		"bmp-huge.bmp": append([]byte("BM\x00\x00\x00\x00\x00\x00\x00\x006"+
			"\x00\x00\x00(\x00\x00\x00\xff\xff\xff\x7f\xff\xff\xff\x7f\x01\x00\x18\x00"), make([]byte, 64)...),
		"pdf-recursive.pdf": []byte("%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[2 0 R]/Count " +
			"1000000>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF"),
		"xps.xps":  []byte("PK\x03\x04\x14\x00\x00\x00\x00\x00[Content_Types].xml"),
		"half.jpg": card(t, 3)[:20000],
		// 32 by 32,800: made up to a sheet's width it took a thousand million pixels, and its worker with it.
		"strip.jpg": strip(t),
		"svg.svg":   []byte(`<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>`),
	}
	if dir := os.Getenv("FILES"); dir != "" {
		if err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
			if err != nil || !e.Type().IsRegular() {
				return err
			}
			if info, err := e.Info(); err != nil || info.Size() > 30<<20 {
				return err
			}
			files[path] = nil // read when its turn comes
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	before := leftBehind(t)
	outcomes, report := throughTheUpload(t, d, files)
	d.well()
	for name, outcome := range outcomes {
		if outcome == endedWorker && files[name] != nil { // a file of FILES is told only: each is a find to be mended, none harms others
			t.Errorf("%s ended its worker", name)
		}
	}
	t.Logf("%d files through the upload, %d visits at a time: %s, %d MB resident", len(files), visitsAtOnce, report, d.resident()>>20)
	// A file that workers die of is told as one: what is counted above could else be nothing whatever happens.
	fatal := d.visitor().toScan()
	stop := d.killWorkers()
	outcome := handIn(t, fatal, "fatal.jpg", card(t, 9))
	if stop(); outcome != endedWorker {
		t.Errorf("a file whose workers are killed is told as %q", outcome)
	}
	fatal.post("/leave", "why", "")
	if now := leftBehind(t); len(now) > len(before) {
		t.Errorf("files were left: %v", now)
	}
	if v := d.visitor().toScan().upload("card.jpg", card(t, 8)); !v.read(patience) {
		t.Error("the next card is not read")
	}
}

// visitsAtOnce is how many hand in nasty files at the same time: as many as there are workers.
const visitsAtOnce = 2

// filesAVisit is how many files one visitor hands in: each visit ends with its workers, and what one file leaves in a worker must
// not harm the next.
const filesAVisit = 8

// throughTheUpload hands in all files, and says what came of each and in words of all. A file without bytes is read from its name.
func throughTheUpload(t *testing.T, d *daemon, files map[string][]byte) (of map[string]string, report string) {
	var mu sync.Mutex // guards what follows
	slowest, slowestName := time.Duration(0), ""
	outcomes := map[string]int{}
	of = map[string]string{}
	names := make(chan string, len(files))
	for _, name := range slices.Sorted(maps.Keys(files)) {
		names <- name
	}
	close(names)
	var all sync.WaitGroup
	for range visitsAtOnce {
		all.Go(func() {
			var v *visitor
			n := 0
			defer func() {
				if v != nil {
					v.post("/leave", "why", "")
				}
			}()
			for name := range names {
				begun := time.Now()
				if n++; n%filesAVisit == 1 || v.at != "/scan" {
					if v != nil {
						v.post("/leave", "why", "")
					}
					v = d.visitor().toScan()
				}
				outcome := handIn(t, v, name, files[name])
				mu.Lock()
				outcomes[outcome]++
				of[name] = outcome
				if took := time.Since(begun); took > slowest {
					slowest, slowestName = took, filepath.Base(name)
				}
				mu.Unlock()
			}
		})
	}
	all.Wait()
	return of, fmt.Sprintf("%v, slowest %v (%s)", outcomes, slowest.Round(time.Millisecond), slowestName)
}

// handIn takes one file through the upload and until it is read.
func handIn(t *testing.T, v *visitor, name string, data []byte) (outcome string) {
	if data == nil && filepath.IsAbs(name) {
		var err error
		if data, err = os.ReadFile(name); err != nil {
			t.Error(err)
			return "not there"
		}
	}
	before := workerDeaths(v)
	if v.upload(filepath.Base(name), data); v.code >= 500 {
		t.Errorf("%s: %d", name, v.code)
	}
	outcome = "taken"
	if v.code != http.StatusOK {
		outcome = "refused at once"
	}
	// A file has 60 s of a worker, and a page under way is let finish: 80 s, and more where the machine does much else. What hangs has no end.
	const most, bound = 80 * time.Second, 10 * time.Minute
	begun := time.Now()
	if !v.read(bound) {
		t.Errorf("%s: not done within %v", name, bound)
	}
	if took := time.Since(begun); took > most {
		t.Logf("%s took %v", name, took.Round(time.Second))
	}
	if workerDeaths(v) > before {
		outcome = endedWorker
		t.Logf("%s ended its worker", name)
	}
	v.get("/scan")
	return outcome
}

// strip is a picture a thousand times as long as wide.
func strip(t *testing.T) []byte {
	t.Helper()
	img := image.NewGray(image.Rect(0, 0, 32, 32800))
	for i := range img.Pix {
		img.Pix[i] = byte(i * 7)
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// endedWorker is the outcome of a file that recognition's worker died of.
const endedWorker = "ended its worker"

// workerDeaths counts the papers of a visit that a worker died of, as they are told to the citizen.
func workerDeaths(v *visitor) int {
	v.get("/papers")
	return strings.Count(v.body, "Máy chưa đọc được trang này.") // the words of problem.worker-died
}

// killWorkers ends recognition's workers as soon as there are any, until it is told to stop, which waits for it.
func (d *daemon) killWorkers() (stop func()) {
	ended, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			for _, pid := range d.workers() {
				_ = syscall.Kill(pid, syscall.SIGKILL)
			}
			select {
			case <-ended:
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	}()
	return func() { close(ended); <-done }
}

// leftBehind lists what lies in the folder for temporary files and is no folder of a test's.
func leftBehind(t *testing.T) []string {
	t.Helper()
	entries, err := os.ReadDir(os.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		if !e.IsDir() && (strings.HasPrefix(e.Name(), "multipart") || strings.HasPrefix(e.Name(), "magick") ||
			strings.HasPrefix(e.Name(), "mupdf")) {
			names = append(names, e.Name())
		}
	}
	return names
}

// A page of another site in the kiosk's browser, and addresses that lead away.
func TestForeignPages(t *testing.T) {
	t.Parallel()
	d := start(t)
	v := d.visitor().get("/")
	for _, to := range []string{"/\t/evil.example", "/\n/evil.example", "//evil.example", "/\\evil.example", "https://evil.example/"} {
		v.http.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
			if r.URL.Host != strings.TrimPrefix(d.base, "http://") {
				t.Errorf("%q leads to %s", to, r.URL.Host)
			}
			return http.ErrUseLastResponse
		}
		v.post("/size", "size", "l", "to", to)
		t.Logf("redirect to %q: %d", to, v.code)
	}
	d.well()
}

// Whoever asks without a cookie gets one session, not one for each part of the page that asks for it: their number is bounded.
func TestOneSessionAPage(t *testing.T) {
	t.Parallel()
	d := start(t)
	for _, path := range []string{"/", "/status", "/staff", "/verify", "/resume", "/privacy", "/papers"} {
		answer, err := http.Get(d.base + path)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if given := answer.Header.Values("Set-Cookie"); len(given) > 1 {
			t.Errorf("%s gives %d sessions", path, len(given))
		}
	}
	d.well()
}

// The process is killed in the middle: nobody else may read its memory while it runs, nor its data folder.
func TestNeighbourOnTheMachine(t *testing.T) {
	t.Parallel()
	d := start(t)
	info, err := os.Stat(d.dir)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the data folder: %v, %v", info.Mode(), err)
	}
	cmd := exec.Command("sh", "-c", `cat "/proc/$1/environ" "/proc/$1/mem" "$2/queue/kiosk.key" "$2/motcua.secret" | head -c 1; ls "$2"`, "sh",
		fmt.Sprint(d.process.Pid), d.dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	if os.Geteuid() != 0 {
		t.Skip("only root can play another user")
	}
	out, err := cmd.Output()
	t.Logf("another user reads the daemon's memory and data: %d bytes, %v", len(out), err)
	if err == nil || len(out) > 0 {
		t.Errorf("another user read %d bytes", len(out))
	}
}

// Somebody takes the kiosk's memory after a visit has ended: by a crash, a debugger, a cold boot.
func TestMemoryForgets(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root can read the daemon's memory")
	}
	d := start(t)
	person := specimen.InventFor(paper.CCCD, 21)
	picture := card(t, 21)
	pieces := needles{}
	pieces.add("number", []byte(person.Number))
	sampled := 0
	for at := 4000; at+48 < len(picture); at += len(picture) / 190 {
		pieces.add("picture", picture[at:at+48])
		sampled++
	}
	count := func() map[string]int {
		found := map[string]int{}
		for _, pid := range append(d.workers(), d.process.Pid) {
			where := "worker"
			if pid == d.process.Pid {
				where = "daemon"
			}
			for _, kind := range pieces.inMemoryOf(t, pid) {
				found[where+" "+kind]++
			}
		}
		return found
	}
	v := d.visitor().toScan().upload("card.jpg", picture)
	if !v.read(patience) {
		t.Fatal("the card was not read")
	}
	during := count()
	t.Logf("during the visit, of %d pieces: %v", sampled+1, during)
	if during["daemon picture"] == 0 {
		t.Error("nothing is found during the visit: the search sees nothing")
	}
	v.post("/leave", "why", "")
	// A connection that is kept has the last 4 kB that came over it, until something else comes.
	const mayStay = 4 // of about 190 pieces, each one of some kB
	var after map[string]int
	forgotten := func() bool {
		after = count()
		return len(after) == 0 || len(after) == 1 && after["daemon picture"] > 0 && after["daemon picture"] <= mayStay
	}
	for end := time.Now().Add(patience); !forgotten(); time.Sleep(500 * time.Millisecond) {
		if time.Now().After(end) {
			t.Errorf("%v after the visit", patience)
			break
		}
	}
	t.Logf("after it: %v", after)
}

// needles are what is looked for in a process's memory, all in one pass: by their first eight bytes, and by the first two of those.
type needles struct {
	begins [1 << 16]bool
	all    map[uint64][]needle
}

type needle struct {
	kind  string
	bytes []byte
}

func (n *needles) add(kind string, b []byte) {
	if n.all == nil {
		n.all = map[uint64][]needle{}
	}
	n.begins[binary.LittleEndian.Uint16(b)] = true
	first := binary.LittleEndian.Uint64(b)
	n.all[first] = append(n.all[first], needle{kind, b})
}

// in marks the pieces that stand in memory; it knows each by its first byte.
func (n *needles) in(memory []byte, seen map[*byte]string) {
	for at := 0; at+8 <= len(memory); at++ {
		if !n.begins[binary.LittleEndian.Uint16(memory[at:])] {
			continue
		}
		for _, one := range n.all[binary.LittleEndian.Uint64(memory[at:])] {
			if bytes.HasPrefix(memory[at:], one.bytes) {
				seen[&one.bytes[0]] = one.kind
			}
		}
	}
}

// inMemoryOf looks through what of a process's memory can be written, and gives the kind of each piece found, once a piece.
func (n *needles) inMemoryOf(t *testing.T, pid int) []string {
	t.Helper()
	mappings, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", pid))
	if err != nil {
		return nil // a worker that ended meanwhile
	}
	mem, err := os.Open(fmt.Sprintf("/proc/%d/mem", pid))
	if err != nil {
		return nil
	}
	defer mem.Close()
	const overlap = 64 // bytes; more than a piece has
	seen := map[*byte]string{}
	buf := make([]byte, 1<<20)
	for line := range strings.Lines(string(mappings)) {
		var from, to int64
		var mode string
		if n, _ := fmt.Sscanf(line, "%x-%x %s", &from, &to, &mode); n != 3 || !strings.HasPrefix(mode, "rw") || to-from > 1<<30 {
			continue
		}
		for kept := 0; from < to; {
			got, err := mem.ReadAt(buf[kept:min(int64(len(buf)), int64(kept)+to-from)], from)
			n.in(buf[:kept+got], seen)
			if err != nil || got == 0 { // a part that isn't there ends the mapping
				break
			}
			from += int64(got)
			end := kept + got
			kept = copy(buf, buf[max(0, end-overlap):end])
		}
	}
	return slices.Collect(maps.Values(seen))
}

// card is a scan of one invented card.
func card(t *testing.T, seed uint64) []byte {
	t.Helper()
	img, _, err := specimen.Draw(specimen.Spec{Papers: []specimen.Paper{{Kind: paper.CCCD, Person: specimen.InventFor(paper.CCCD, seed)}}},
		seed, specimen.Damage{Set: specimen.Clean, Seed: seed})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: 90}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// slowPDF has pages that take a rasteriser seconds each: many wide, half transparent, dashed curves.
func slowPDF(pages int) []byte {
	var content bytes.Buffer
	content.WriteString("/G gs 40 w [0.3 0.2] 0 d\n")
	for i := range 1200 {
		fmt.Fprintf(&content, "%d 0 m %d 900 %d -60 595 %d c S\n", i%595, (i*7)%595, (i*13)%595, (i*3)%842)
	}
	var b bytes.Buffer
	var at []int
	object := func(format string, args ...any) {
		at = append(at, b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n"+format+"\nendobj\n", append([]any{len(at)}, args...)...)
	}
	b.WriteString("%PDF-1.4\n")
	object("<</Type/Catalog/Pages 2 0 R>>")
	var kids strings.Builder
	for i := range pages {
		fmt.Fprintf(&kids, "%d 0 R ", 5+i)
	}
	object("<</Type/Pages/Kids[%s]/Count %d>>", kids.String(), pages)
	object("<</Length %d>>stream\n%s\nendstream", content.Len(), content.String())
	object("<</Type/ExtGState/CA 0.4/ca 0.4/BM/Multiply>>")
	for range pages {
		object("<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 3 0 R/Resources<</ExtGState<</G 4 0 R>>>>>>")
	}
	xref := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(at)+1)
	for _, a := range at {
		fmt.Fprintf(&b, "%010d 00000 n \n", a)
	}
	fmt.Fprintf(&b, "trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n", len(at)+1, xref)
	return b.Bytes()
}
