package bundle

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"motcua/agent/address"
	"motcua/agent/strict"
	"motcua/configs"
)

// province signs as a province would: with the minisign program.
type province struct {
	t   *testing.T
	dir string
	key string
}

func newProvince(t *testing.T) province {
	t.Helper()
	p := province{t: t, dir: t.TempDir()}
	p.run("-G", "-W", "-p", "key.pub", "-s", "key.sec")
	pub, err := os.ReadFile(filepath.Join(p.dir, "key.pub"))
	if err != nil {
		t.Fatal(err)
	}
	p.key = string(pub)
	return p
}

func (p province) run(args ...string) {
	p.t.Helper()
	c := exec.Command("minisign", args...)
	c.Dir = p.dir
	if out, err := c.CombinedOutput(); err != nil {
		p.t.Fatalf("minisign (Debian package minisign) %v: %v: %s", args, err, out)
	}
}

func (p province) sign(archive []byte, at time.Time) []byte {
	p.t.Helper()
	if err := os.WriteFile(filepath.Join(p.dir, "procedures.zip"), archive, 0o600); err != nil {
		p.t.Fatal(err)
	}
	p.run("-Sm", "procedures.zip", "-s", "key.sec", "-t", fmt.Sprintf("timestamp:%d\tfile:procedures.zip", at.Unix()))
	signature, err := os.ReadFile(filepath.Join(p.dir, "procedures.zip.minisig"))
	if err != nil {
		p.t.Fatal(err)
	}
	return signature
}

func pack(t *testing.T, files map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, text := range files {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, text); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func shipped(t *testing.T, code string) string {
	t.Helper()
	data, err := fs.ReadFile(configs.FS, "procedures/"+code+".yaml")
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

var (
	monday  = time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	tuesday = monday.AddDate(0, 0, 1)
)

func TestInstallAndReplace(t *testing.T) {
	p := newProvince(t)
	dir := filepath.Join(t.TempDir(), "procedures")
	s, err := Open(dir, p.key)
	if err != nil {
		t.Fatal(err)
	}
	if files, _, err := Current(dir); files != nil || err != nil {
		t.Fatalf("before the first: %v %v", files, err)
	}
	first := pack(t, map[string]string{"2.000815.yaml": shipped(t, "2.000815")})
	if _, at, err := s.Install(first, p.sign(first, monday)); err != nil || !at.Equal(monday) {
		t.Fatalf("%v %v", at, err)
	}
	second := pack(t, map[string]string{"set/2.000815.yaml": shipped(t, "2.000815"), "set/1.001193.yaml": shipped(t, "1.001193")})
	catalog, _, err := s.Install(second, p.sign(second, tuesday))
	if err != nil || len(catalog.All) != 2 {
		t.Fatal(err)
	}
	files, at, err := Current(dir)
	if err != nil || !at.Equal(tuesday) {
		t.Fatalf("%v %v", at, err)
	}
	if names, err := fs.Glob(files, "*.yaml"); err != nil || len(names) != 2 {
		t.Fatalf("%v %v", names, err)
	}
	if _, _, err := s.Install(first, p.sign(first, monday)); !errors.Is(err, ErrOlder) {
		t.Errorf("an old bundle was taken: %v", err)
	}
	if _, _, err := s.Install(second, p.sign(second, tuesday)); !errors.Is(err, ErrOlder) {
		t.Errorf("the same bundle was taken twice: %v", err)
	}
}

// The table of administrative units and the forms come by the same way as the procedures, and are checked like them.
func TestUnitsAndFormsComeWithTheBundle(t *testing.T) {
	p := newProvince(t)
	dir := filepath.Join(t.TempDir(), "procedures")
	s, err := Open(dir, p.key)
	if err != nil {
		t.Fatal(err)
	}
	units, err := fs.ReadFile(configs.Units(), address.FileName)
	if err != nil {
		t.Fatal(err)
	}
	for name, files := range map[string]map[string]string{
		"a table that is none": {"2.000815.yaml": shipped(t, "2.000815"), address.FileName: "x"},
		"a form with mistakes": {"1.001193.yaml": shipped(t, "1.001193"), "form.khai-sinh.yaml": "name: khai-sinh\ntitle: X\n"},
	} {
		archive := pack(t, files)
		if _, _, err := s.Install(archive, p.sign(archive, monday)); err == nil {
			t.Errorf("%s was installed", name)
		}
	}
	good := pack(t, map[string]string{"2.000815.yaml": shipped(t, "2.000815"), address.FileName: string(units)})
	if _, _, err := s.Install(good, p.sign(good, monday)); err != nil {
		t.Fatal(err)
	}
	files, _, err := Current(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := address.Load(files); err != nil {
		t.Error(err)
	}
}

func TestNothingIsInstalledThatIsNotRight(t *testing.T) {
	p, stranger := newProvince(t), newProvince(t)
	good := pack(t, map[string]string{"2.000815.yaml": shipped(t, "2.000815")})
	signed := p.sign(good, monday)
	bomb := pack(t, map[string]string{"2.000815.yaml": strings.Repeat("#", MaxSize+1)})
	var problems strict.Problems
	for name, c := range map[string]struct {
		archive, signature []byte
		want               func(error) bool
	}{
		"signed by somebody else": {good, stranger.sign(good, monday), is(ErrSignature)},
		"changed after signing":   {append(bytes.Clone(good), 0), signed, is(ErrSignature)},
		"comment changed":         {good, bytes.Replace(signed, []byte("timestamp:1"), []byte("timestamp:2"), 1), is(ErrSignature)},
		"no signature":            {good, nil, is(ErrSignature)},
		"no zip":                  sealed(p, []byte("hello"), is(ErrContent)),
		"empty":                   sealed(p, pack(t, nil), is(ErrContent)),
		"path out of the folder":  sealed(p, pack(t, map[string]string{"../2.000815.yaml": shipped(t, "2.000815")}), is(ErrContent)),
		"a program in it":         sealed(p, pack(t, map[string]string{"run.sh": "true"}), is(ErrContent)),
		"a bomb":                  sealed(p, bomb, is(ErrContent)),
		"a procedure with mistakes": sealed(p, pack(t, map[string]string{"2.000815.yaml": shipped(t, "2.000815") + "\nno_such_key: 1\n"}),
			func(err error) bool { return errors.As(err, &problems) }),
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "procedures")
			s, err := Open(dir, p.key)
			if err != nil {
				t.Fatal(err)
			}
			if _, _, err := s.Install(c.archive, c.signature); err == nil || !c.want(err) {
				t.Fatalf("%v", err)
			}
			if files, _, err := Current(dir); files != nil || err != nil {
				t.Errorf("something was installed: %v", err)
			}
			if left, _ := os.ReadDir(dir); len(left) != 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

func is(want error) func(error) bool { return func(err error) bool { return errors.Is(err, want) } }

func sealed(p province, archive []byte, want func(error) bool) struct {
	archive, signature []byte
	want               func(error) bool
} {
	return struct {
		archive, signature []byte
		want               func(error) bool
	}{archive, p.sign(archive, monday), want}
}

func TestAKeyThatIsNone(t *testing.T) {
	if _, err := Open(t.TempDir(), "RWnonsense"); err == nil {
		t.Fatal("accepted")
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte("PK\x05\x06" + strings.Repeat("\x00", 18)))
	f.Fuzz(func(t *testing.T, archive []byte) {
		files, err := read(archive)
		for name := range files {
			if err == nil && (name != filepath.Base(name) || filepath.Ext(name) != ".yaml") {
				t.Errorf("file name %q", name)
			}
		}
	})
}
