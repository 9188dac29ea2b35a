package office

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/fstest"

	"filippo.io/age"

	"motcua/agent/answer"
	"motcua/agent/dossier"
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

// More papers that came sealed join their dossier when they are opened, under its key, and leave nothing of what they were before;
// with an officer's act on them they stay what they were, and name it. Cut after the index was written, the next start clears up.
func TestSealedSupplementJoins(t *testing.T) {
	key := identity(t)
	w := open(t, t.TempDir())
	defer func() { w.close(t) }()
	first := w.act(t, w.file(t, "z-first", "Lê Thị Thử", "079190012345"), answer.NeedsMore, "Thiếu trang sau.")
	adds := func(id string) {
		t.Helper()
		w.sealedFor(t, key.Recipient(), id, "Lê Thị Thử", func(parts fstest.MapFS) {
			r, added := submission(t, id, "Lê Thị Thử", "079190012345", func(f *dossier.Form) { f.Supplements = first.ID })
			added[manifestName] = &fstest.MapFile{Data: []byte(manifestOf(t, r, added))}
			maps.Copy(parts, added)
		})
	}
	adds("a-more")
	adds("b-more")
	own, err := w.store.Get("b-more")
	if err != nil {
		t.Fatal(err)
	}
	w.act(t, own, answer.Eligible, "")
	folder := filepath.Join(w.dir, "desk", filesName, "a-more")
	card, err := os.ReadFile(filepath.Join(folder, cardName))
	if err != nil {
		t.Fatal(err)
	}
	opened, err := w.store.Unseal(t.Context(), []age.Identity{key})
	if err != nil || !slices.Equal(opened, []string{first.Code, code("b-more")}) {
		t.Fatalf("opened %v, %v", opened, err)
	}
	if d, err := w.store.Get("b-more"); err != nil || d.ID != "b-more" || d.Sealed || d.History[len(d.History)-1].File != first.Code {
		t.Errorf("one that an officer acted on: %v, %v", d, err)
	}
	if err := os.WriteFile(filepath.Join(folder, cardName), card, 0o600); err != nil { // as a cut leaves it
		t.Fatal(err)
	}
	w = w.reopened(t)
	for _, lost := range []bool{false, true} {
		if lost {
			w.close(t)
			if err := os.Remove(filepath.Join(w.dir, "desk", indexName)); err != nil {
				t.Fatal(err)
			}
			w = open(t, w.dir)
		}
		d, err := w.store.Get("a-more")
		if err != nil || d.ID != first.ID || d.State != answer.Received || len(d.Added) != 1 || len(w.store.List(Filter{})) != 2 {
			t.Fatalf("index lost %t: %v, %d added, %d dossiers, %v", lost, d, len(d.Added), len(w.store.List(Filter{})), err)
		}
		if byNumber, err := w.store.ByNumber(2); err != nil || byNumber.ID != first.ID {
			t.Errorf("the number it had leads to %v, %v", byNumber, err)
		}
		for _, name := range []string{"a-more-page-0001.jpg", "a-more-form.json", "a-more-" + sealedName} {
			if data, err := w.store.Read(d, name); err != nil || len(data) == 0 {
				t.Errorf("%s: %d bytes, %v", name, len(data), err)
			}
		}
	}
	if _, err := os.Stat(filepath.Join(folder, cardName)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the card of what it was is still there: %v", err)
	}
	if opened, err := w.store.Unseal(t.Context(), []age.Identity{key}); err != nil || len(opened) != 0 {
		t.Errorf("opened twice: %v, %v", opened, err)
	}
}

// More papers that came sealed, to which others were added before they could be opened, keep what was added.
func TestSealedSupplementWithPapersOfItsOwn(t *testing.T) {
	key := identity(t)
	w := open(t, t.TempDir())
	defer func() { w.close(t) }()
	first := w.file(t, "a-first", "Lê Thị Thử", "079190012345")
	w.sealedFor(t, key.Recipient(), "b-more", "Lê Thị Thử", func(parts fstest.MapFS) {
		r, added := submission(t, "b-more", "Lê Thị Thử", "079190012345", func(f *dossier.Form) { f.Supplements = first.ID })
		added[manifestName] = &fstest.MapFile{Data: []byte(manifestOf(t, r, added))}
		maps.Copy(parts, added)
	})
	certified := func(f *dossier.Form) {
		signed := &dossier.Signature{Form: "SAO Y", Number: "7/2026 SCT/BS", Officer: "hoa"}
		f.Copies = append(f.Copies, dossier.FormCopy{Name: "copy.pdf", Signature: signed})
	}
	w.file(t, "c-more", "Lê Thị Thử", "079190012345", certified, func(f *dossier.Form) { f.Supplements = "b-more" })
	other := w.file(t, "d-other", "Trần Văn Thử", "079090054321", certified)
	if _, err := w.store.Unseal(t.Context(), []age.Identity{key}); err != nil {
		t.Fatal(err)
	}
	w = w.reopened(t)
	if got := w.store.SameNumber(other); len(got) != 1 {
		t.Errorf("its number of a certification stands in %v too, want the dossier that was sealed", got)
	}
	for _, id := range []string{"b-more", "c-more"} {
		d, err := w.store.Get(id)
		if err != nil || d.Sealed {
			t.Fatalf("%s: %v, sealed %t, %v", id, d, d.Sealed, err)
		}
		for _, f := range d.Files {
			if data, err := w.store.Read(d, f.Name); err != nil || len(data) == 0 {
				t.Errorf("%s: %s: %d bytes, %v", id, f.Name, len(data), err)
			}
		}
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
