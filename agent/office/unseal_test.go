package office

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"maps"
	"slices"
	"testing"
	"testing/fstest"

	"filippo.io/age"

	"motcua/agent/answer"
)

// sealedFor files a submission as it comes to a desk that lacks the key it is sealed to.
func (w ward) sealedFor(t *testing.T, to age.Recipient, id, name string, spoil func(fstest.MapFS)) {
	t.Helper()
	r, parts := submission(t, id, name, "079190012345")
	if spoil != nil {
		spoil(parts)
	}
	var bundle, sealed bytes.Buffer
	z := zip.NewWriter(&bundle)
	names := slices.DeleteFunc(slices.Sorted(maps.Keys(parts)), func(n string) bool { return n == manifestName })
	for _, name := range append(names, manifestName) { // the manifest stands last
		part, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store})
		if err != nil {
			t.Fatal(err)
		}
		part.Write(parts[name].Data)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	in, err := age.Encrypt(&sealed, to)
	if err != nil {
		t.Fatal(err)
	}
	in.Write(bundle.Bytes())
	if err := in.Close(); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(sealed.Bytes())
	r.Sealed, r.SHA256 = true, hex.EncodeToString(sum[:])
	if filed, err := w.store.File(t.Context(), r, fstest.MapFS{sealedName: {Data: sealed.Bytes()}}); err != nil || !filed {
		t.Fatalf("filed %t, %v", filed, err)
	}
}

// A desk that is given the office's key later opens what it had to file sealed: once, proved, and the kiosks are told.
func TestKeyGivenLater(t *testing.T) {
	key, other := identity(t), identity(t)
	w := open(t, t.TempDir())
	w.sealedFor(t, key.Recipient(), "s1", "Lê Thị Thử", nil)
	w.sealedFor(t, other.Recipient(), "s2", "Trần Văn Thử", nil)
	w.sealedFor(t, key.Recipient(), "s3", "Ngô Thị Thử", func(parts fstest.MapFS) {
		parts["form.json"] = &fstest.MapFile{Data: append(bytes.Clone(parts["form.json"].Data), ' ')}
	})
	if d, err := w.store.Get("s1"); err != nil || !d.Sealed || d.Person != "" {
		t.Fatalf("%v, sealed %t, %v", d, d.Sealed, err)
	}
	if opened, err := w.store.Unseal(t.Context(), nil); err != nil || len(opened) != 0 {
		t.Errorf("without a key: %v, %v", opened, err)
	}
	before, _ := w.store.Last(t.Context())
	opened, err := w.store.Unseal(t.Context(), []age.Identity{key})
	if err == nil || len(opened) != 1 {
		t.Fatalf("opened %v; the one that lies: %v", opened, err)
	}
	if last, _ := w.store.Last(t.Context()); last != before+1 {
		t.Errorf("the kiosks are told %d times", last-before)
	}
	if opened, _ := w.store.Unseal(t.Context(), []age.Identity{key}); len(opened) != 0 {
		t.Errorf("opened twice: %v", opened)
	}
	w = w.reopened(t)
	defer w.close(t)
	d, err := w.store.Get("s1")
	if err != nil || d.Sealed || d.Person != "Lê Thị Thử" || d.Procedure == "" || d.State != answer.Received || len(d.Born) == 0 {
		t.Fatalf("%v, sealed %t, %q, procedure %q, born %v, %v", d, d.Sealed, d.Person, d.Procedure, d.Born, err)
	}
	f, err := w.store.Open(d, "form.json")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if text, err := io.ReadAll(f); err != nil || !bytes.Contains(text, []byte("Lê Thị Thử")) {
		t.Errorf("form.json: %d bytes, %v", len(text), err)
	}
	if _, ok := d.File(sealedName); !ok {
		t.Error("what was sent is gone")
	}
	for _, id := range []string{"s2", "s3"} {
		if d, err := w.store.Get(id); err != nil || !d.Sealed || len(d.Files) != 1 {
			t.Errorf("%s: sealed %t, %d files, %v", id, d.Sealed, len(d.Files), err)
		}
	}
	if list := w.store.List(Filter{Text: "le thi thu"}); len(list) != 1 {
		t.Errorf("found by name: %d", len(list))
	}
}

func identity(t *testing.T) *age.X25519Identity {
	t.Helper()
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	return id
}
