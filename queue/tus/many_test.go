package tus

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"motcua/queue"
	"motcua/queue/line"
)

// tusJS is the client that the protocol's authors keep, at the version that is compared with.
const tusJS = "tus-js-client@4.3.1"

const tusJSScript = `
const tus = require('tus-js-client'), fs = require('fs'), path = require('path');
const [,, url, dir, workers] = process.argv;
const files = fs.readdirSync(dir);
const one = (name) => new Promise((done, fail) => {
	const file = path.join(dir, name);
	new tus.Upload(fs.createReadStream(file), {endpoint: url, uploadSize: fs.statSync(file).size, metadata: {filename: name},
		onSuccess: done, onError: fail}).start();
});
const begun = process.hrtime.bigint();
Promise.all(Array.from({length: +workers}, async () => { for (let f; (f = files.pop()); ) await one(f); }))
	.then(() => console.log(Number(process.hrtime.bigint() - begun)), (e) => { console.error(e); process.exit(1); });
`

// BenchmarkManySmall sends many submissions of 200 kB out of a real, sealed queue to one tusd, and the same number of plain
// files with tus-js-client at its default options, turn about, with the bytes of as many travelling at once. What is delivered
// is kept, as it is by default: wiping is no part of an upload. The bar: 1.2 times as fast.
func BenchmarkManySmall(b *testing.B) {
	const size, many, workers = 200 << 10, 250, 4
	node, err := exec.LookPath("node")
	if err != nil {
		b.Skip("node is not installed")
	}
	js := b.TempDir()
	install := exec.Command("npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", js, tusJS)
	if out, err := install.CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	script := filepath.Join(js, "many.js")
	plain := filepath.Join(js, "plain")
	if err := os.WriteFile(script, []byte(tusJSScript), 0o600); err != nil {
		b.Fatal(err)
	}
	if err := os.Mkdir(plain, 0o700); err != nil {
		b.Fatal(err)
	}
	data := make([]byte, size)
	for i := range many {
		_, _ = rand.NewChaCha8([32]byte{byte(i), byte(i >> 8)}).Read(data)
		if err := os.WriteFile(filepath.Join(plain, fmt.Sprint(i)), data, 0o600); err != nil {
			b.Fatal(err)
		}
	}
	hub := startTusdProcess(b)
	client, err := line.NewClient(line.TLS{})
	if err != nil {
		b.Fatal(err)
	}
	client.Transport.(*http.Transport).MaxIdleConnsPerHost = 8 * workers // prepared, sent and proved
	defer client.CloseIdleConnections()
	s, err := New(Options{Endpoint: hub.url, Client: client})
	if err != nil {
		b.Fatal(err)
	}
	q, _, err := queue.Open(b.Context(), b.TempDir(), queue.Options{MinFree: -1, Parallel: workers, Retention: 24 * time.Hour})
	if err != nil {
		b.Fatal(err)
	}
	defer q.Close()
	var ours, theirs time.Duration
	clearHub := func() {
		old, _ := filepath.Glob(filepath.Join(hub.dir, "*"))
		for _, f := range old {
			os.Remove(f)
		}
	}
	for round := 0; b.Loop(); round++ {
		for turn := range 2 {
			clearHub()
			if (round+turn)%2 == 0 {
				out, err := exec.Command(node, script, hub.url, plain, strconv.Itoa(workers)).Output()
				if err != nil {
					b.Fatal(err)
				}
				took, err := strconv.ParseInt(strings.TrimSpace(string(out)), 10, 64)
				if err != nil {
					b.Fatal(err)
				}
				theirs += time.Duration(took)
				continue
			}
			for i := range many {
				_, _ = rand.NewChaCha8([32]byte{byte(i), byte(i >> 8)}).Read(data)
				if _, err := q.Enqueue(b.Context(), queue.Draft{Parts: []queue.Part{queue.FromBytes("page-0001.jpg", "image/jpeg",
					data)}}); err != nil {
					b.Fatal(err)
				}
			}
			begun := time.Now()
			if pass, err := q.DeliverDue(b.Context(), s); err != nil || pass.Delivered != many {
				b.Fatal(pass, err)
			}
			ours += time.Since(begun)
		}
	}
	rate := func(d time.Duration) float64 { return float64(b.N) * many / d.Seconds() }
	b.ReportMetric(rate(ours), "submissions/s")
	b.ReportMetric(rate(theirs), "tus-js/s")
	b.ReportMetric(rate(ours)/rate(theirs), "x-tus-js")
	b.ReportMetric(0, "ns/op")
}
