package receive

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"filippo.io/age"
	"golang.org/x/sys/unix"
)

type file struct {
	name    string
	content []byte
	method  uint16
}

// pack makes a ZIP of files; the manifest, unless given, names all of them truly.
func pack(t testing.TB, id string, files ...file) []byte {
	t.Helper()
	if n := len(files); n == 0 || files[n-1].name != manifestName {
		var parts []map[string]any
		for _, f := range files {
			sum := sha256.Sum256(f.content)
			parts = append(parts, map[string]any{"name": f.name, "media_type": "image/jpeg", "size": len(f.content),
				"sha256": hex.EncodeToString(sum[:])})
		}
		text, err := json.Marshal(map[string]any{"format": "motcua-bundle-1", "id": id, "parts": parts})
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file{name: manifestName, content: text})
	}
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for _, f := range files {
		w, err := z.CreateHeader(&zip.FileHeader{Name: f.name, Method: f.method})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(f.content); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

var page = file{name: "page-0001.jpg", content: bytes.Repeat([]byte("page"), 5000)}

const id = "01JCTEST000000000000000001"

func receiver(t testing.TB, o Options) *Receiver {
	t.Helper()
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	o.Log = slog.New(slog.DiscardHandler)
	r, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

func serve(t testing.TB, h http.Handler) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

func sumOf(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func metadata(id, sum string) string {
	return "submission " + base64.StdEncoding.EncodeToString([]byte(id)) + ",sha256 " + base64.StdEncoding.EncodeToString([]byte(sum))
}

func request(t testing.TB, method, url string, body []byte, headers ...string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequest(method, url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Tus-Resumable", "1.0.0")
	if body != nil {
		req.Header.Set("Content-Type", "application/offset+octet-stream")
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(text)
}

// upload sends a bundle in one request.
func upload(t testing.TB, url, id string, bundle []byte) (*http.Response, string) {
	t.Helper()
	return request(t, http.MethodPost, url+Path, bundle, "Upload-Length", strconv.Itoa(len(bundle)), "Upload-Metadata",
		metadata(id, sumOf(bundle)))
}

// tree lists all files below a folder, without the receiver's own lock and markers.
func tree(t testing.TB, dir string) (out []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if name, _ := filepath.Rel(dir, path); !d.IsDir() && !strings.HasPrefix(name, ".motcua/lock") &&
			!strings.HasPrefix(name, ".motcua/received/") {
			out = append(out, name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestReceive(t *testing.T) {
	dir := t.TempDir()
	var got []Receipt
	r := receiver(t, Options{Dir: dir, Received: func(r Receipt) { got = append(got, r) }})
	url := serve(t, r)
	bundle := pack(t, id, page, file{name: "form.json", content: []byte(`{"a":1}`)})
	for range 2 {
		resp, text := upload(t, url, id, bundle)
		if resp.StatusCode != http.StatusCreated || resp.Header.Get("Upload-Offset") != strconv.Itoa(len(bundle)) ||
			resp.Header.Get("Repr-Digest") != reprDigest(sumOf(bundle)) {
			t.Fatalf("%d %q %v", resp.StatusCode, text, resp.Header)
		}
	}
	want := []string{id + "/form.json", id + "/manifest.json", id + "/page-0001.jpg", id + "/receipt.json"}
	if files := tree(t, dir); !slices.Equal(files, want) {
		t.Errorf("files %v, want %v", files, want)
	}
	if content, err := os.ReadFile(filepath.Join(dir, id, page.name)); err != nil || !bytes.Equal(content, page.content) {
		t.Errorf("page has %d bytes, %v", len(content), err)
	}
	if info, err := os.Stat(filepath.Join(dir, id, page.name)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("page's mode %v, %v", info.Mode(), err)
	}
	if len(got) != 1 || got[0].ID != id || got[0].Size != int64(len(bundle)) {
		t.Errorf("told of %+v, want one receipt", got)
	}
	resp, _ := upload(t, url, id, pack(t, id, file{name: "page-0001.jpg", content: []byte("other")}))
	if resp.StatusCode != http.StatusConflict {
		t.Errorf("other content under the same id: %d, want conflict", resp.StatusCode)
	}
}

// TestBadBundles: each is refused for good, and nothing of it stays anywhere.
func TestBadBundles(t *testing.T) {
	whole := pack(t, id, page)
	sum := sha256.Sum256(page.content)
	truth := fmt.Sprintf(`{"name":"page-0001.jpg","size":%d,"sha256":"%x"}`, len(page.content), sum)
	text := func(s string) file { return file{name: manifestName, content: []byte(s)} }
	manifest := func(parts string) file { return text(`{"id":"` + id + `","parts":[` + parts + `]}`) }
	damaged := bytes.Clone(whole)
	damaged[100] ^= 1
	many := make([]file, 11)
	for i := range many {
		many[i] = file{name: fmt.Sprintf("p%d", i)}
	}
	cases := map[string][]byte{
		"no_zip":                    []byte("hello, this is no zip file"),
		"cut_short":                 whole[:len(whole)-30],
		"nothing_in_it":             pack(t, id, text(`{}`))[:22],
		"climbs_out":                pack(t, id, file{name: "../../evil", content: []byte("x")}),
		"absolute":                  pack(t, id, file{name: "/etc/evil", content: []byte("x")}),
		"climbs_out_on_windows":     pack(t, id, file{name: `..\evil`, content: []byte("x")}),
		"drive":                     pack(t, id, file{name: `C:evil`, content: []byte("x")}),
		"in_a_folder":               pack(t, id, file{name: "a/b.jpg", content: []byte("x")}),
		"a_folder":                  pack(t, id, file{name: "a/"}),
		"dots":                      pack(t, id, file{name: "..", content: []byte("x")}),
		"hidden":                    pack(t, id, file{name: ".profile", content: []byte("x")}),
		"control_character":         pack(t, id, file{name: "a\nb", content: []byte("x")}),
		"no_utf8":                   pack(t, id, file{name: "a\xffb", content: []byte("x")}),
		"long_name":                 pack(t, id, file{name: strings.Repeat("x", 300), content: []byte("x")}),
		"c1_control":                pack(t, id, file{name: "a\u0085b", content: []byte("x")}),
		"turns_the_writing":         pack(t, id, file{name: "don\u202egpj.exe", content: []byte("x")}),
		"no_width":                  pack(t, id, file{name: "page\u200b.jpg", content: []byte("x")}),
		"device_of_windows":         pack(t, id, file{name: "Con.jpg", content: []byte("x")}),
		"no_name_on_windows":        pack(t, id, file{name: "a?.jpg", content: []byte("x")}),
		"label_turns_the_writing":   pack(t, id, page, text(`{"id":"`+id+`","labels":{"ward":"a\u202eb"},"parts":[`+truth+`]}`)),
		"label_controls_a_terminal": pack(t, id, page, text(`{"id":"`+id+`","labels":{"\u001b[2J":"a"},"parts":[`+truth+`]}`)),
		"huge_label": pack(t, id, page, text(`{"id":"`+id+`","labels":{"ward":"`+strings.Repeat("x",
			5000)+`"},"parts":[`+truth+`]}`)),
		"code_controls_a_terminal":  pack(t, id, page, text(`{"id":"`+id+`","code":"\u001b[2J","parts":[`+truth+`]}`)),
		"media_type_with_a_line":    pack(t, id, page, manifest(strings.Replace(truth, `"size":`, `"media_type":"a\nb","size":`, 1))),
		"poses_as_receipt":          pack(t, id, file{name: "Receipt.JSON", content: []byte("x")}),
		"same_name_twice":           pack(t, id, page, page),
		"same_name_in_capitals":     pack(t, id, page, file{name: "PAGE-0001.jpg", content: []byte("x")}),
		"compressed":                pack(t, id, file{name: "page-0001.jpg", content: page.content, method: zip.Deflate}),
		"part_damaged":              damaged,
		"manifest_not_last":         pack(t, id, manifest(truth), page, file{name: "z"}),
		"no_manifest":               pack(t, id, page, manifest(truth), file{name: "z"}),
		"manifest_unreadable":       pack(t, id, page, text("{")),
		"manifest_of_another":       pack(t, id, page, text(`{"id":"another","parts":[`+truth+`]}`)),
		"manifest_lacks_part":       pack(t, id, page, manifest("")),
		"manifest_names_more":       pack(t, id, page, manifest(truth+`,{"name":"b","size":0,"sha256":""}`)),
		"manifest_names_part_twice": pack(t, id, page, file{name: "b", content: []byte("b")}, manifest(truth+","+truth)),
		"manifest_names_other_sum":  pack(t, id, page, manifest(strings.Replace(truth, `"sha256":"`, `"sha256":"0`, 1))),
		"manifest_names_other_size": pack(t, id, page, manifest(strings.Replace(truth, `"size":`, `"size":1`, 1))),
		"manifest_too_large":        pack(t, id, page, text(strings.Repeat(" ", manifestLimit+1))),
		"too_many_parts":            pack(t, id, many...),
		"sealed_and_damaged":        append([]byte(ageMagic), bytes.Repeat([]byte("x"), 500)...),
	}
	key, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	for name, bundle := range cases {
		t.Run(name, func(t *testing.T) {
			top := t.TempDir()
			dir := filepath.Join(top, "a", "b")
			url := serve(t, receiver(t, Options{Dir: dir, MaxParts: 10, Identities: []age.Identity{key}}))
			resp, text := upload(t, url, id, bundle)
			if resp.StatusCode != http.StatusUnprocessableEntity {
				t.Errorf("%d %q, want 422", resp.StatusCode, text)
			}
			if files := tree(t, dir); len(files) != 0 {
				t.Errorf("left %v", files)
			}
			if entries, _ := os.ReadDir(top); len(entries) != 1 {
				t.Errorf("climbed out: %v", entries)
			}
			// The same submission, whole, is welcome after that.
			if resp, text := upload(t, url, id, whole); resp.StatusCode != http.StatusCreated {
				t.Errorf("whole bundle after that: %d %q", resp.StatusCode, text)
			}
		})
	}
}

func TestSealed(t *testing.T) {
	key, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	other, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	var sealed bytes.Buffer
	w, err := age.Encrypt(&sealed, key.Recipient())
	if err != nil {
		t.Fatal(err)
	}
	w.Write(pack(t, id, page))
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		keys []age.Identity
		want []string
	}{
		"opened":      {[]age.Identity{other, key}, []string{"manifest.json", "page-0001.jpg", "receipt.json"}},
		"kept":        {nil, []string{"bundle.zip.age", "receipt.json"}},
		"another_key": {[]age.Identity{other}, []string{"bundle.zip.age", "receipt.json"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			url := serve(t, receiver(t, Options{Dir: dir, Identities: c.keys}))
			if resp, text := upload(t, url, id, sealed.Bytes()); resp.StatusCode != http.StatusCreated {
				t.Fatalf("%d %q", resp.StatusCode, text)
			}
			got := tree(t, filepath.Join(dir, id))
			if !slices.Equal(got, c.want) {
				t.Errorf("files %v, want %v", got, c.want)
			}
		})
	}
}

func TestWrongDigestBeginsAnew(t *testing.T) {
	dir := t.TempDir()
	url := serve(t, receiver(t, Options{Dir: dir}))
	bundle := pack(t, id, page)
	spoilt := bytes.Clone(bundle)
	spoilt[50] ^= 1
	resp, _ := request(t, http.MethodPost, url+Path, spoilt, "Upload-Length", strconv.Itoa(len(bundle)), "Upload-Metadata",
		metadata(id, sumOf(bundle)))
	if resp.StatusCode != statusSum {
		t.Errorf("%d, want %d", resp.StatusCode, statusSum)
	}
	if files := tree(t, dir); len(files) != 0 {
		t.Errorf("left %v", files)
	}
	if resp, text := upload(t, url, id, bundle); resp.StatusCode != http.StatusCreated {
		t.Errorf("%d %q", resp.StatusCode, text)
	}
}

// TestAnyClient uses the protocol as a client would that knows nothing of ours: create, HEAD, PATCH.
func TestAnyClient(t *testing.T) {
	dir := t.TempDir()
	url := serve(t, receiver(t, Options{Dir: dir}))
	bundle := pack(t, id, page)
	create := func() string {
		resp, text := request(t, http.MethodPost, url+Path, nil, "Upload-Length", strconv.Itoa(len(bundle)), "Upload-Metadata",
			metadata(id, sumOf(bundle)))
		if resp.StatusCode != http.StatusCreated {
			t.Fatalf("create: %d %q", resp.StatusCode, text)
		}
		if _, err := http.ParseTime(resp.Header.Get("Upload-Expires")); err != nil && resp.Header.Get("Repr-Digest") == "" {
			t.Errorf("Upload-Expires: %v", err)
		}
		at, err := resp.Location()
		if err != nil {
			t.Fatal(err)
		}
		return at.String()
	}
	at := create()
	half := len(bundle) / 2
	if resp, _ := request(t, http.MethodPatch, at, bundle[:half], "Upload-Offset", "0"); resp.StatusCode != http.StatusNoContent {
		t.Fatalf("first half: %d", resp.StatusCode)
	}
	// Creating again, as after a lost answer, keeps what is there.
	if again := create(); again != at {
		t.Errorf("created again at %s, before at %s", again, at)
	}
	resp, _ := request(t, http.MethodHead, at, nil)
	if resp.Header.Get("Upload-Offset") != strconv.Itoa(half) {
		t.Fatalf("offset %q after half of %d", resp.Header.Get("Upload-Offset"), len(bundle))
	}
	if resp, _ := request(t, http.MethodGet, at, nil); resp.StatusCode == http.StatusOK {
		t.Error("papers can be downloaded")
	}
	if resp, text := request(t, http.MethodPatch, at, bundle[half:], "Upload-Offset",
		strconv.Itoa(half)); resp.StatusCode != http.StatusNoContent {
		t.Fatalf("second half: %d %q", resp.StatusCode, text)
	}
	if _, err := os.Stat(filepath.Join(dir, id, page.name)); err != nil {
		t.Error(err)
	}
	resp, _ = request(t, http.MethodHead, at, nil)
	if resp.Header.Get("Upload-Offset") != strconv.Itoa(len(bundle)) || resp.Header.Get("Repr-Digest") == "" {
		t.Errorf("HEAD of what is received: %v", resp.Header)
	}
	if resp, _ := request(t, http.MethodDelete, at, nil); resp.StatusCode/100 == 2 {
		t.Error("what is received can be deleted")
	}
	if _, err := os.Stat(filepath.Join(dir, id, page.name)); err != nil {
		t.Error(err)
	}
}

func TestRefusedAtTheDoor(t *testing.T) {
	bundle := pack(t, id, page)
	length := strconv.Itoa(len(bundle))
	good := metadata(id, sumOf(bundle))
	for name, c := range map[string]struct {
		o       Options
		headers []string
		path    string
		want    int
	}{
		"no_metadata":     {Options{}, []string{"Upload-Length", length}, Path, 400},
		"bad_id":          {Options{}, []string{"Upload-Length", length, "Upload-Metadata", metadata("../../x", sumOf(bundle))}, Path, 400},
		"bad_sum":         {Options{}, []string{"Upload-Length", length, "Upload-Metadata", metadata(id, "00")}, Path, 400},
		"length_not_said": {Options{}, []string{"Upload-Defer-Length", "1", "Upload-Metadata", good}, Path, 501},
		"empty":           {Options{}, []string{"Upload-Length", "0", "Upload-Metadata", good}, Path, 400},
		"too_large":       {Options{MaxSize: 100}, []string{"Upload-Length", length, "Upload-Metadata", good}, Path, 413},
		"disk_full":       {Options{MinFree: 1 << 60}, []string{"Upload-Length", length, "Upload-Metadata", good}, Path, 507},
		"no_token":        {Options{Token: "s3cret"}, []string{"Upload-Length", length, "Upload-Metadata", good}, Path, 401},
		"wrong_token": {Options{Token: "s3cret"}, []string{"Authorization", "Bearer other", "Upload-Length", length, "Upload-Metadata",
			good}, Path, 401},
		"right_token": {Options{Token: "s3cret"}, []string{"Authorization", "Bearer s3cret", "Upload-Length", length, "Upload-Metadata",
			good}, Path, 201},
		"another_path":     {Options{}, []string{"Upload-Length", length, "Upload-Metadata", good}, "/", 404},
		"another_protocol": {Options{}, []string{"Tus-Resumable", "0.2.2", "Upload-Length", length, "Upload-Metadata", good}, Path, 412},
		"concatenation":    {Options{}, []string{"Upload-Concat", "final;/files/a /files/b", "Upload-Metadata", good}, Path, 400},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			c.o.Dir = dir
			url := serve(t, receiver(t, c.o))
			resp, text := request(t, http.MethodPost, url+c.path, nil, c.headers...)
			if resp.StatusCode != c.want {
				t.Errorf("%d %q, want %d", resp.StatusCode, text, c.want)
			}
			if resp.StatusCode == 507 && resp.Header.Get("Retry-After") == "" {
				t.Error("a full disk does not say when to come back")
			}
			if files := tree(t, dir); c.want != 201 && len(files) != 0 {
				t.Errorf("left %v", files)
			}
		})
	}
	url := serve(t, receiver(t, Options{}))
	for _, upload := range []string{"x", "..%2f..%2fetc%2fpasswd", id + "-" + strings.Repeat("0", 32), ".motcua"} {
		for _, method := range []string{http.MethodHead, http.MethodPatch, http.MethodDelete, http.MethodGet} {
			if resp, _ := request(t, method, url+Path+upload, nil, "Upload-Offset", "0", "Content-Type",
				"application/offset+octet-stream"); resp.StatusCode/100 != 4 {
				t.Errorf("%s %s: %d", method, upload, resp.StatusCode)
			}
		}
	}
}

// TestCrash puts the folder into the state that a loss of power leaves behind after each write, and
// goes on from there: the submission is there once and the kiosk hears "complete".
func TestCrash(t *testing.T) {
	bundle := pack(t, id, page)
	name := uploadID(id, sumOf(bundle))
	receipt := Receipt{ID: id, SHA256: sumOf(bundle), Size: int64(len(bundle)), Received: time.Now()}
	text, err := json.Marshal(receipt)
	if err != nil {
		t.Fatal(err)
	}
	put := func(t *testing.T, path string, content []byte) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	// What lies there when all bytes have come; each case adds what was written after.
	complete := func(t *testing.T, own string) {
		info, err := json.Marshal(map[string]any{"ID": name, "Size": len(bundle),
			"MetaData": map[string]string{"submission": id, "sha256": sumOf(bundle), "code": ""},
			"Storage":  map[string]string{"Type": "filestore", "Path": filepath.Join(own, "incoming", name)}})
		if err != nil {
			t.Fatal(err)
		}
		put(t, filepath.Join(own, "incoming", name), bundle)
		put(t, filepath.Join(own, "incoming", name+".info"), info)
	}
	unpacked := func(t *testing.T, dir string) {
		z, err := zip.NewReader(bytes.NewReader(bundle), int64(len(bundle)))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range z.File {
			in, err := f.Open()
			if err != nil {
				t.Fatal(err)
			}
			content, err := io.ReadAll(in)
			if err != nil {
				t.Fatal(err)
			}
			put(t, filepath.Join(dir, f.Name), content)
		}
		put(t, filepath.Join(dir, receiptName), text)
	}
	for step, make := range map[string]func(t *testing.T, dir, own string){
		"all_bytes_stored": func(t *testing.T, dir, own string) { complete(t, own) },
		"half_unpacked": func(t *testing.T, dir, own string) {
			complete(t, own)
			put(t, filepath.Join(own, "unpack", name, page.name), page.content[:100])
		},
		"unpacked": func(t *testing.T, dir, own string) {
			complete(t, own)
			unpacked(t, filepath.Join(own, "unpack", name))
		},
		"marker_half_written": func(t *testing.T, dir, own string) {
			complete(t, own)
			unpacked(t, filepath.Join(own, "unpack", name))
			put(t, filepath.Join(own, "received", id+".json.part"), text[:10])
		},
		"marked": func(t *testing.T, dir, own string) {
			complete(t, own)
			unpacked(t, filepath.Join(own, "unpack", name))
			put(t, filepath.Join(own, "received", id+".json"), text)
		},
		"in_place": func(t *testing.T, dir, own string) {
			complete(t, own)
			unpacked(t, filepath.Join(dir, id))
			put(t, filepath.Join(own, "received", id+".json"), text)
		},
		"upload_removed": func(t *testing.T, dir, own string) {
			unpacked(t, filepath.Join(dir, id))
			put(t, filepath.Join(own, "received", id+".json"), text)
		},
		"markers_lost_with_a_disk": func(t *testing.T, dir, own string) {
			complete(t, own)
			unpacked(t, filepath.Join(dir, id))
		},
	} {
		for _, ask := range []string{http.MethodHead, http.MethodPost, http.MethodPatch} {
			t.Run(step+"/"+ask, func(t *testing.T) {
				dir := t.TempDir()
				make(t, dir, filepath.Join(dir, ".motcua"))
				told := 0
				url := serve(t, receiver(t, Options{Dir: dir, Received: func(Receipt) { told++ }}))
				size := strconv.Itoa(len(bundle))
				var resp *http.Response
				switch ask {
				case http.MethodHead:
					resp, _ = request(t, ask, url+Path+name, nil)
				case http.MethodPost:
					resp, _ = request(t, ask, url+Path, nil, "Upload-Length", size, "Upload-Metadata", metadata(id, sumOf(bundle)))
				case http.MethodPatch:
					resp, _ = request(t, ask, url+Path+name, []byte{}, "Upload-Offset", size)
				}
				if resp.StatusCode/100 != 2 || resp.Header.Get("Upload-Offset") != size {
					t.Errorf("%d, offset %q, want %s", resp.StatusCode, resp.Header.Get("Upload-Offset"), size)
				}
				content, err := os.ReadFile(filepath.Join(dir, id, page.name))
				if err != nil || !bytes.Equal(content, page.content) {
					t.Errorf("page has %d bytes, %v", len(content), err)
				}
				for _, f := range tree(t, dir) {
					if strings.HasPrefix(f, ".motcua/unpack/") {
						t.Errorf("left %s", f)
					}
				}
			})
		}
	}
}

func TestTwoAtOnce(t *testing.T) {
	dir := t.TempDir()
	var mu sync.Mutex
	told := 0
	url := serve(t, receiver(t, Options{Dir: dir, Received: func(Receipt) { mu.Lock(); told++; mu.Unlock() }}))
	bundle := pack(t, id, page)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for {
				resp, text := upload(t, url, id, bundle)
				switch resp.StatusCode {
				case http.StatusCreated:
					return
				case http.StatusLocked:
					time.Sleep(10 * time.Millisecond)
				default:
					t.Errorf("%d %q", resp.StatusCode, text)
					return
				}
			}
		})
	}
	all.Wait()
	if told != 1 {
		t.Errorf("told %d times of one submission", told)
	}
}

func TestOneProcess(t *testing.T) {
	dir := t.TempDir()
	r := receiver(t, Options{Dir: dir})
	if _, err := New(Options{Dir: dir}); !errors.Is(err, ErrLocked) {
		t.Errorf("second receiver in one folder: %v, want ErrLocked", err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	receiver(t, Options{Dir: dir})
}

func TestSweep(t *testing.T) {
	dir := t.TempDir()
	r := receiver(t, Options{Dir: dir, Expire: time.Hour, Remember: 24 * time.Hour})
	url := serve(t, r)
	for i, name := range []string{"STALE1", "TAKEN1", "STAYS1"} {
		bundle := pack(t, name, page)
		length := strconv.Itoa(len(bundle))
		resp, text := request(t, http.MethodPost, url+Path, bundle[:len(bundle)*min(i, 1)], "Upload-Length", length, "Upload-Metadata",
			metadata(name, sumOf(bundle)))
		if resp.StatusCode != http.StatusCreated {
			t.Fatalf("%d %q", resp.StatusCode, text)
		}
	}
	if err := os.RemoveAll(filepath.Join(dir, "TAKEN1")); err != nil {
		t.Fatal(err)
	}
	if u, m, err := r.Sweep(time.Now()); u+m != 0 || err != nil {
		t.Errorf("swept %d uploads and %d markers at once, %v", u, m, err)
	}
	if u, _, err := r.Sweep(time.Now().Add(2 * time.Hour)); u != 2 || err != nil { // its bytes and its info
		t.Errorf("swept %d files of uploads, %v", u, err)
	}
	if _, _, err := r.Sweep(time.Now().Add(48 * time.Hour)); err != nil {
		t.Error(err)
	}
	for name, want := range map[string]bool{"TAKEN1": false, "STAYS1": true} {
		known, err := r.known(name)
		if err != nil || (known != nil) != want {
			t.Errorf("%s known: %v, %v, want %v", name, known != nil, err, want)
		}
	}
}

// TestDiskIsFull unpacks onto a real file system that is too small, then onto one that has room.
func TestDiskIsFull(t *testing.T) {
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=300k"); err != nil {
		t.Skipf("mounting needs root: %v", err)
	}
	defer unix.Unmount(dir, unix.MNT_DETACH)
	r := receiver(t, Options{Dir: dir, MinFree: 1})
	url := serve(t, r)
	bundle := pack(t, id, file{name: page.name, content: bytes.Repeat([]byte("x"), 100_000)})
	// Somebody else fills the disk while the upload runs.
	at := url + Path + uploadID(id, sumOf(bundle))
	if resp, text := request(t, http.MethodPost, url+Path, nil, "Upload-Length", strconv.Itoa(len(bundle)), "Upload-Metadata",
		metadata(id, sumOf(bundle))); resp.StatusCode != http.StatusCreated {
		t.Fatalf("%d %q", resp.StatusCode, text)
	}
	other := filepath.Join(dir, "other")
	if err := os.WriteFile(other, bytes.Repeat([]byte("x"), 120_000), 0o600); err != nil {
		t.Fatal(err)
	}
	if resp, text := request(t, http.MethodPatch, at, bundle, "Upload-Offset", "0"); resp.StatusCode != http.StatusInsufficientStorage {
		t.Errorf("%d %q, want 507", resp.StatusCode, text)
	}
	if resp, _ := request(t, http.MethodHead, at, nil); resp.StatusCode != http.StatusInsufficientStorage {
		t.Errorf("HEAD of what has no room: %d, want 507 and not \"complete\"", resp.StatusCode)
	}
	if err := os.Remove(other); err != nil {
		t.Fatal(err)
	}
	if resp, _ := request(t, http.MethodHead, at, nil); resp.StatusCode != http.StatusOK ||
		resp.Header.Get("Upload-Offset") != strconv.Itoa(len(bundle)) {
		t.Errorf("HEAD when there is room: %d %v", resp.StatusCode, resp.Header)
	}
	if _, err := os.Stat(filepath.Join(dir, id, page.name)); err != nil {
		t.Error(err)
	}
}

// FuzzUnzip: no bytes make the receiver crash or write outside its folder.
func FuzzUnzip(f *testing.F) {
	f.Add(pack(f, id, page))
	f.Add(pack(f, id, file{name: "../x", content: []byte("x")}))
	f.Fuzz(func(t *testing.T, bundle []byte) {
		top, err := os.MkdirTemp("/dev/shm", "motcua-fuzz-") // in memory: each part is fsynced
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(top)
		dir := filepath.Join(top, "in")
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		r := &Receiver{o: Options{MaxParts: 10}}
		_ = r.unzip(dir, id, bytes.NewReader(bundle), int64(len(bundle)))
		if entries, _ := os.ReadDir(top); len(entries) != 1 {
			t.Errorf("climbed out: %v", entries)
		}
	})
}
