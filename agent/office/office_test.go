package office

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"filippo.io/age"
	bolt "go.etcd.io/bbolt"

	"motcua/agent/answer"
	"motcua/agent/audit"
	"motcua/agent/dossier"
	"motcua/ocr/paper"
	"motcua/queue"
	"motcua/queue/receive"
	"motcua/queue/seal"
)

// ward is a desk with its audit log. Every person in it is invented.
type ward struct {
	dir   string
	store *Store
	log   *audit.Log
}

func open(t testing.TB, dir string, change ...func(*Options)) ward {
	t.Helper()
	log, err := audit.Open(filepath.Join(dir, "audit"), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Vault: seal.NewFile(filepath.Join(dir, "key")), AuditLog: log, Log: slog.New(slog.DiscardHandler)}
	for _, f := range change {
		f(&o)
	}
	store, err := Open(t.Context(), filepath.Join(dir, "desk"), o)
	if err != nil {
		log.Close()
		t.Fatal(err)
	}
	return ward{dir, store, log}
}

func (w ward) close(t testing.TB) {
	t.Helper()
	if err := errors.Join(w.store.Close(), w.log.Close()); err != nil {
		t.Fatal(err)
	}
}

// reopened is the desk after the machine was switched on again.
func (w ward) reopened(t testing.TB, change ...func(*Options)) ward {
	t.Helper()
	w.close(t)
	return open(t, w.dir, change...)
}

// submission makes what a kiosk sends of a person.
func submission(t testing.TB, id, name, number string, change ...func(*dossier.Form)) (receive.Receipt, fstest.MapFS) {
	t.Helper()
	form := dossier.Form{Schema: dossier.Schema, Procedure: dossier.FormProcedure{Code: "2.000815", Name: "Chứng thực bản sao"},
		Ward: "Phường Mẫu", Kiosk: "kiosk-1", Values: []dossier.FormValue{
			{ID: "applicant_name", Label: "Họ và tên", Value: name, Source: paper.QR, From: "applicant.full_name"},
			{ID: "applicant_number", Label: "Số định danh", Value: number, Source: paper.QR, From: "applicant.number"},
			{ID: "applicant_birth", Label: "Ngày sinh", Value: "1990-02-03", Source: paper.QR, From: "applicant.date_of_birth"},
		}}
	for _, f := range change {
		f(&form)
	}
	text, err := json.Marshal(form)
	if err != nil {
		t.Fatal(err)
	}
	parts := fstest.MapFS{"form.json": {Data: text}, "page-0001.jpg": {Data: bytes.Repeat([]byte("page of "+id), 5000)}}
	r := receive.Receipt{ID: id, Code: code(id), Kiosk: "kiosk-1", Received: time.Now().UTC().Truncate(time.Second)}
	parts["manifest.json"] = &fstest.MapFile{Data: []byte(manifestOf(t, r, parts))}
	sum := sha256.Sum256([]byte(id))
	r.SHA256 = hex.EncodeToString(sum[:])
	return r, parts
}

// manifestOf lists parts.
func manifestOf(t testing.TB, r receive.Receipt, parts fstest.MapFS) string {
	t.Helper()
	m := manifest{ID: r.ID, Code: r.Code}
	for name, f := range parts {
		if name == manifestName {
			continue
		}
		sum := sha256.Sum256(f.Data)
		m.Parts = append(m.Parts, struct {
			Name      string `json:"name"`
			MediaType string `json:"media_type"`
			Size      int64  `json:"size"`
			SHA256    string `json:"sha256"`
		}{name, "application/octet-stream", int64(len(f.Data)), hex.EncodeToString(sum[:])})
	}
	text, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// code is a receipt code of a submission: four signs, a hyphen, four signs.
func code(id string) string {
	sum := sha256.Sum256([]byte(id))
	text := strings.ToUpper(hex.EncodeToString(sum[:4]))
	return text[:4] + "-" + text[4:]
}

func (w ward) file(t testing.TB, id, name, number string, change ...func(*dossier.Form)) Dossier {
	t.Helper()
	r, parts := submission(t, id, name, number, change...)
	if filed, err := w.store.File(t.Context(), r, parts); err != nil || !filed {
		t.Fatalf("filed %t, %v", filed, err)
	}
	d, err := w.store.Get(id)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func (w ward) act(t testing.TB, d Dossier, s answer.State, text string) Dossier {
	t.Helper()
	d, err := w.store.Act(t.Context(), d.ID, Act{By: "hoa", Revision: d.Revision, State: s, Text: text})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// entries lists the audit log's acts on a submission.
func (w ward) entries(t testing.TB) (all []string) {
	t.Helper()
	if _, _, err := audit.Verify(t.Context(), filepath.Join(w.dir, "audit"), nil, func(e audit.Entry) {
		all = append(all, fmt.Sprint(e.Act, " ", e.Submission, " ", e.Reason))
	}); err != nil {
		t.Fatal(err)
	}
	return all
}

// A dossier goes from the kiosk to the end, over restarts, and the kiosks are told.
func TestDossierFromFilingToItsEnd(t *testing.T) {
	w := open(t, t.TempDir())
	d := w.file(t, "s1", "Nguyễn Thị Thử", "079190012345")
	if d.Number != 1 || d.State != answer.Received || d.Initials() != "N.T.T." || len(d.Files) != 3 || d.Revision != 1 {
		t.Fatalf("filed as %v: %+v", d.Number, d.State)
	}
	d = w.act(t, d, answer.NeedsMore, "Còn thiếu giấy chứng sinh.")
	w = w.reopened(t)
	r, parts := submission(t, "s2", "Nguyễn Thị Thử", "079190012345", func(f *dossier.Form) { f.Supplements = d.Code })
	if filed, err := w.store.File(t.Context(), r, parts); err != nil || !filed {
		t.Fatal(err)
	}
	d, err := w.store.Get("s2")
	if err != nil || d.ID != "s1" || d.State != answer.Received || len(d.Files) != 6 || d.Text != "" {
		t.Fatalf("with its supplement: %v, %d files, %v", d, len(d.Files), err)
	}
	if data, err := w.store.Read(d, "s2-page-0001.jpg"); err != nil || !bytes.HasPrefix(data, []byte("page of s2")) {
		t.Errorf("the supplement's page: %v", err)
	}
	d = w.act(t, d, answer.Eligible, "")
	d, f, err := w.store.Attach(t.Context(), d.ID, Attachment{By: "hoa", Revision: d.Revision, Name: "ket-qua.pdf",
		MediaType: "application/pdf", Result: true,
		Content: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("%PDF-1.7 kết quả")), nil }})
	if err != nil || f.Name != "ket-qua.pdf" {
		t.Fatal(err)
	}
	w.act(t, d, answer.Done, "")
	w = w.reopened(t)
	list, err := w.store.Answers(t.Context(), 0, 10)
	if err != nil || len(list) != 1 || list[0].State != answer.Done || list[0].Result == nil || len(list[0].Supplements) != 1 ||
		list[0].Number != 5 {
		t.Fatalf("answers: %v, %v", list, err)
	}
	if err := list[0].Validate(); err != nil {
		t.Error(err)
	}
	result, err := w.store.Result(t.Context(), list[0].Number)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(result)
	if err != nil || string(text) != "%PDF-1.7 kết quả" || result.Close() != nil {
		t.Errorf("the result is %q, %v", text, err)
	}
	want := []string{"dossier.filed s1 ", "dossier.answered s1 needs-more/2", "dossier.supplemented s2 ", "dossier.answered s1 eligible/4",
		"dossier.attached s1 file/5", "dossier.answered s1 done/6"}
	if got := w.entries(t); !slices.Equal(got, want) {
		t.Errorf("audit log:\n%s", strings.Join(got, "\n"))
	}
	w.close(t)
}

// What is filed a second time, and what is not what it says, changes nothing.
func TestFilingIsOnceAndProved(t *testing.T) {
	w := open(t, t.TempDir())
	defer w.close(t)
	w.file(t, "s1", "Trần Văn Thử", "079090012345")
	r, parts := submission(t, "s1", "Trần Văn Thử", "079090012345")
	if filed, err := w.store.File(t.Context(), r, parts); filed || err != nil {
		t.Errorf("a second time: %t, %v", filed, err)
	}
	other := r
	other.SHA256 = strings.Repeat("0", 64)
	if _, err := w.store.File(t.Context(), other, parts); !errors.Is(err, ErrOther) {
		t.Errorf("other content: %v", err)
	}
	r, parts = submission(t, "s2", "Trần Văn Thử", "079090012345")
	parts["page-0001.jpg"].Data[0] ^= 1
	if _, err := w.store.File(t.Context(), r, parts); !errors.Is(err, ErrUnproved) {
		t.Errorf("a page was changed: %v", err)
	}
	r, parts = submission(t, "s3", "Trần Văn Thử", "079090012345")
	parts["more.jpg"] = &fstest.MapFile{Data: []byte("x")}
	if _, err := w.store.File(t.Context(), r, parts); !errors.Is(err, ErrUnproved) {
		t.Errorf("a file nobody vouches for: %v", err)
	}
	if n := len(w.store.List(Filter{})); n != 1 {
		t.Errorf("%d dossiers", n)
	}
}

// A submission whose id reads like the code of another's receipt is filed, not taken for that one.
func TestIDThatReadsLikeACode(t *testing.T) {
	w := open(t, t.TempDir())
	defer w.close(t)
	w.file(t, "s1", "Trần Văn Thử", "079090012345")
	r, parts := submission(t, code("s1"), "Lê Thị Thử", "079190012345")
	filed, err := w.store.File(t.Context(), r, parts)
	if err != nil || !filed || len(w.store.List(Filter{})) != 2 {
		t.Errorf("filed %t, %v: %d dossiers", filed, err, len(w.store.List(Filter{})))
	}
	if filed, err := w.store.File(t.Context(), r, parts); filed || err != nil {
		t.Errorf("a second time: %t, %v", filed, err)
	}
}

// Of two officers who saw the same dossier one is told that it changed; every one of many acts at once is kept or refused.
func TestOfficersNeverOverwriteEachOther(t *testing.T) {
	w := open(t, t.TempDir())
	defer w.close(t)
	d := w.file(t, "s1", "Lê Thị Thử", "079190012345")
	var group sync.WaitGroup
	results := make([]error, 20)
	for i := range results {
		group.Go(func() {
			_, results[i] = w.store.Act(t.Context(), d.ID, Act{By: fmt.Sprint("officer-", i), Revision: d.Revision, State: answer.Eligible})
		})
	}
	group.Wait()
	won := 0
	for _, err := range results {
		if err == nil {
			won++
		} else if !errors.Is(err, ErrStale) {
			t.Error(err)
		}
	}
	if after, _ := w.store.Get(d.ID); won != 1 || after.Revision != d.Revision+1 {
		t.Errorf("%d of 20 acts on one revision were taken", won)
	}
}

func TestActsThatAreRefused(t *testing.T) {
	w := open(t, t.TempDir())
	defer w.close(t)
	d := w.file(t, "s1", "Lê Thị Thử", "079190012345")
	try := func(a Act) error {
		a.Revision = d.Revision
		_, err := w.store.Act(t.Context(), d.ID, a)
		return err
	}
	for name, c := range map[string]struct {
		act  Act
		want error
	}{
		"needs more without saying what": {Act{State: answer.NeedsMore}, ErrNoReason},
		"refused without a reason":       {Act{State: answer.Refused}, ErrNoReason},
		"back to received":               {Act{State: answer.Received}, ErrNotNow},
		"a result that is not there":     {Act{State: answer.Done, Result: "x.pdf"}, ErrUnknown},
	} {
		if err := try(c.act); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := try(Act{State: answer.NeedsMore, Text: strings.Repeat("x", answer.TextLimit+1)}); err == nil {
		t.Error("a text without an end was taken")
	}
	if after, _ := w.store.Get(d.ID); after.Revision != 1 || len(w.entries(t)) != 1 {
		t.Error("a refused act left something")
	}
}

func TestSearch(t *testing.T) {
	w := open(t, t.TempDir())
	defer w.close(t)
	w.file(t, "s1", "NGUYỄN VĂN AN", "079090012345")
	w.file(t, "s2", "Nguyễn Thị Ân", "079190054321")
	w.file(t, "s3", "Trần Bình", "001090077777")
	for text, want := range map[string][]string{
		"nguyen":          {"s1", "s2"},
		"an nguyen":       {"s1", "s2"},
		"Nguyễn Thị Ân":   {"s2"},
		"079090012345":    {"s1"},
		"0790 9001":       {"s1"},
		"77777":           {"s3"},
		"3":               {"s3"},
		"#2":              {"s2"},
		code("s1"):        {"s1"},
		"s2":              {"s2"},
		"khong co ai":     nil,
		"n":               nil,
		"079":             nil,
		"  trần   bình  ": {"s3"},
	} {
		var got []string
		for _, d := range w.store.List(Filter{Text: text}) {
			got = append(got, d.ID)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q finds %v, not %v", text, got, want)
		}
	}
}

// Nothing of a person lies on the disk in the clear.
func TestNothingInTheClear(t *testing.T) {
	w := open(t, t.TempDir())
	d := w.file(t, "s1", "Phạm Thị Riêng", "079190012345")
	w.act(t, d, answer.NeedsMore, "Chị Riêng cần bổ sung.")
	w.close(t)
	for _, secret := range []string{"Riêng", "079190012345", "page of s1"} {
		if out, err := exec.Command("grep", "-r", "-a", "-l", secret, w.dir).Output(); err == nil {
			t.Errorf("in the clear: %s", out)
		}
	}
}

// The index is lost, and is built again from the cards; a desk without its key says so and makes none.
func TestLostIndexAndLostKey(t *testing.T) {
	w := open(t, t.TempDir())
	d := w.file(t, "s1", "Lê Thị Thử", "079190012345")
	d = w.act(t, d, answer.NeedsMore, "Thiếu trang sau.")
	w.file(t, "s2", "Lê Văn Thử", "079090012345")
	w.close(t)
	if err := os.Remove(filepath.Join(w.dir, "desk", indexName)); err != nil {
		t.Fatal(err)
	}
	w = open(t, w.dir)
	back, err := w.store.Get("s1")
	if err != nil || back.State != d.State || back.Text != d.Text || back.Number != d.Number || len(w.store.List(Filter{})) != 2 {
		t.Errorf("after the index was lost: %v, %v", back, err)
	}
	if data, err := w.store.Read(back, "page-0001.jpg"); err != nil || len(data) == 0 {
		t.Error(err)
	}
	w.close(t)
	if err := os.Rename(filepath.Join(w.dir, "key"), filepath.Join(w.dir, "elsewhere")); err != nil {
		t.Fatal(err)
	}
	vault := seal.NewFile(filepath.Join(w.dir, "key"))
	if _, err := Open(t.Context(), filepath.Join(w.dir, "desk"), Options{Vault: vault}); !errors.Is(err, ErrNoKey) {
		t.Errorf("without its key: %v", err)
	}
}

// What the desk knows of the kiosks outlives its index, lost or put back from an older copy: a revoked kiosk stays out, and a stolen
// credential alone finds the kiosk's own key bound.
func TestLostIndexKeepsKiosks(t *testing.T) {
	w := open(t, t.TempDir())
	bound, thief := identity(t).Recipient().String(), identity(t).Recipient().String()
	enrol := func(kiosk, key string, want error) {
		t.Helper()
		if err := w.store.Enrol(t.Context(), kiosk, key); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", kiosk, err, want)
		}
	}
	enrol("kiosk-1", bound, nil)
	enrol("kiosk-2", bound, nil)
	index := filepath.Join(w.dir, "desk", indexName)
	w.close(t)
	older, err := os.ReadFile(index)
	if err != nil {
		t.Fatal(err)
	}
	w = open(t, w.dir)
	if err := w.store.Revoke(t.Context(), nil, "kiosk-2", "hoa"); err != nil {
		t.Fatal(err)
	}
	for name, lose := range map[string]func() error{
		"lost":       func() error { return os.Remove(index) },
		"older copy": func() error { return os.WriteFile(index, older, 0o600) },
	} {
		w.close(t)
		if err := lose(); err != nil {
			t.Fatal(err)
		}
		w = open(t, w.dir)
		t.Log(name)
		enrol("kiosk-1", thief, answer.ErrOtherKey)
		enrol("kiosk-1", bound, nil)
		enrol("kiosk-2", bound, answer.ErrTurnedOut)
	}
	// A cut between index and register: the index counts. A register that is damaged is set aside, and the index counts.
	file := filepath.Join(w.dir, "desk", registerName)
	before, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.store.Allow(t.Context(), nil, "kiosk-2", "", "hoa"); err != nil {
		t.Fatal(err)
	}
	for name, left := range map[string][]byte{"cut": before, "damaged": []byte("damaged")} {
		w.close(t)
		if err := os.WriteFile(file, left, 0o600); err != nil {
			t.Fatal(err)
		}
		w = open(t, w.dir)
		t.Log(name)
		enrol("kiosk-2", thief, answer.ErrOtherKey)
		enrol("kiosk-2", bound, nil)
	}
	w.close(t)
	if err := os.Remove(index); err != nil {
		t.Fatal(err)
	}
	w = open(t, w.dir)
	defer w.close(t)
	enrol("kiosk-2", bound, nil)
	enrol("kiosk-2", thief, answer.ErrOtherKey)
	if out, err := exec.Command("grep", "-r", "-a", "-l", bound, file).Output(); err == nil {
		t.Errorf("in the clear: %s", out)
	}
}

// A code is what a kiosk says. One that was another dossier's leads there first, says that there are two, and takes no supplement.
func TestCodeOfAnotherDossier(t *testing.T) {
	w := open(t, t.TempDir())
	defer func() { w.close(t) }()
	victim := w.file(t, "z-first", "Lê Thị Thử", "079190012345")
	claims := func(f *dossier.Form) { f.Kiosk = "kiosk-2" }
	r, parts := submission(t, "a-later", "Trần Văn Thử", "079090054321", claims)
	r.Code, r.Kiosk = victim.Code, "kiosk-2"
	parts[manifestName] = &fstest.MapFile{Data: []byte(manifestOf(t, r, parts))}
	if filed, err := w.store.File(t.Context(), r, parts); err != nil || !filed {
		t.Fatalf("filed %t, %v", filed, err)
	}
	other, err := w.store.Get("a-later")
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time after a restart
		if d, err := w.store.Get(victim.Code); err != nil || d.ID != victim.ID {
			t.Errorf("the code leads to %v, %v", d, err)
		}
		list := w.store.List(Filter{Text: victim.Code})
		if len(list) != 2 || list[0].ID != victim.ID {
			t.Errorf("a search finds %v", list)
		}
		if a, b := w.store.Twins(victim), w.store.Twins(other); !slices.Equal(a, []uint64{2}) || !slices.Equal(b, []uint64{1}) {
			t.Errorf("twins %v, %v", a, b)
		}
		w = w.reopened(t)
	}
	more := w.file(t, "m1", "Lê Thị Thử", "079190012345", func(f *dossier.Form) { f.Supplements = victim.Code })
	if more.Number != 3 || more.History[0].File != victim.Code {
		t.Errorf("more papers for a code of two dossiers: dossier %d, history %v", more.Number, more.History)
	}
	byID := w.file(t, "m2", "Lê Thị Thử", "079190012345", func(f *dossier.Form) { f.Supplements = victim.ID })
	if byID.ID != victim.ID || len(byID.Added) != 1 {
		t.Errorf("more papers for its id: %v", byID)
	}
}

// One number of a register of certifications on two copies is told on both dossiers, also after a restart.
func TestOneNumberOnTwoCopies(t *testing.T) {
	w := open(t, t.TempDir())
	defer func() { w.close(t) }()
	with := func(numbers ...string) func(*dossier.Form) {
		return func(f *dossier.Form) {
			for _, n := range numbers {
				f.Copies = append(f.Copies, dossier.FormCopy{Name: "copy.pdf", Signature: &dossier.Signature{Form: "SAO Y", Number: n, Officer: "hoa"}})
			}
			f.Copies = append(f.Copies, dossier.FormCopy{Name: "unsigned.pdf"})
		}
	}
	a := w.file(t, "s1", "Lê Thị Thử", "079190012345", with("1/2026 SCT/BS", "2/2026 SCT/BS"))
	b := w.file(t, "s2", "Trần Văn Thử", "079090054321", with("2/2026  sct/bs"))
	c := w.file(t, "s3", "Trần Văn Thử", "079090054321", with("2/2026 SCT/BS kiosk-2", "3/2026 SCT/BS", "3/2026 SCT/BS"))
	d := w.file(t, "s4", "Trần Văn Thử", "079090054321", with("4/2026 SCT/BS"))
	for range 2 {
		for _, one := range []struct {
			d    Dossier
			want []uint64
		}{{a, []uint64{b.Number}}, {b, []uint64{a.Number}}, {c, []uint64{c.Number}}, {d, nil}} {
			if got := w.store.SameNumber(one.d); !slices.Equal(got, one.want) {
				t.Errorf("%v: the same number in %v, want %v", one.d, got, one.want)
			}
		}
		w = w.reopened(t)
	}
	more := w.file(t, "m1", "Trần Văn Thử", "079090054321", with("1/2026 SCT/BS"), func(f *dossier.Form) { f.Supplements = d.ID })
	if got := w.store.SameNumber(more); !slices.Equal(got, []uint64{a.Number}) {
		t.Errorf("more papers: the same number in %v", got)
	}
}

// Wards count their certifications each for itself; a dossier that names no ward may be of any.
func TestOneNumberInTwoWards(t *testing.T) {
	w := open(t, t.TempDir())
	defer func() { w.close(t) }()
	of := func(ward string) func(*dossier.Form) {
		return func(f *dossier.Form) {
			f.Ward = ward
			f.Copies = []dossier.FormCopy{{Name: "copy.pdf", Signature: &dossier.Signature{Form: "SAO Y", Number: "1/2026 SCT/BS kiosk-1"}}}
		}
	}
	var filed []Dossier
	for i, ward := range []string{"Phường Mẫu", "Xã Mẫu", "phường  mẫu", ""} {
		filed = append(filed, w.file(t, fmt.Sprintf("s%d", i), "Lê Thị Thử", "079190012345", of(ward)))
	}
	for i, want := range [][]uint64{{3, 4}, {4}, {1, 4}, {1, 2, 3}} {
		if got := w.store.SameNumber(filed[i]); !slices.Equal(got, want) {
			t.Errorf("%q: the same number in %v, want %v", filed[i].Ward, got, want)
		}
	}
}

// Dossiers that an older program filed without the numbers of their copies get them when the desk runs, once.
func TestNumbersOfOlderDossiers(t *testing.T) {
	with := func(number string) func(*dossier.Form) {
		return func(f *dossier.Form) {
			f.Copies = []dossier.FormCopy{{Name: "copy.pdf", Signature: &dossier.Signature{Form: "SAO Y", Number: number}}}
		}
	}
	w := open(t, t.TempDir())
	defer func() { w.close(t) }()
	a := w.file(t, "s1", "Lê Thị Thử", "079190012345", with("1/2026 SCT/BS"))
	w.file(t, "s2", "Lê Thị Thử", "079190012345", with("2/2026 SCT/BS"), func(f *dossier.Form) { f.Supplements = a.ID })
	w.file(t, "s3", "Trần Văn Thử", "079090054321", with("3/2026 SCT/BS"))
	for _, id := range []string{"s1", "s3"} { // as the older program kept them
		r := w.store.record(id).clone()
		w.store.mu.Lock()
		w.store.forget(w.store.records[r.Number])
		w.store.mu.Unlock()
		r.Certified = nil
		if err := w.store.merge(r, nil); err != nil {
			t.Fatal(err)
		}
	}
	if lost := w.store.record("s3"); os.WriteFile(filepath.Join(w.dir, "desk", filesName, lost.Files[0].Place), nil, 0o600) != nil {
		t.Fatal("a file can't be damaged")
	}
	w = w.reopened(t)
	if err := w.store.noteCertified(t.Context()); err != nil {
		t.Fatal(err)
	}
	b := w.file(t, "s4", "Trần Văn Thử", "079090054321", with("2/2026 SCT/BS"))
	for range 2 {
		if got := w.store.SameNumber(b); !slices.Equal(got, []uint64{a.Number}) {
			t.Errorf("the same number in %v", got)
		}
		if d, err := w.store.Get("s1"); err != nil || len(d.Certified) != 2 || len(d.History) != 2 {
			t.Errorf("%d numbers, %d steps, %v", len(d.Certified), len(d.History), err)
		}
		w = w.reopened(t)
	}
	r := w.store.record("s1").clone() // what was looked through is not looked through again
	r.Certified = r.Certified[:1]
	if err := errors.Join(w.store.merge(r, nil), w.store.noteCertified(t.Context())); err != nil {
		t.Fatal(err)
	}
	if d, _ := w.store.Get("s1"); len(d.Certified) != 1 {
		t.Error("the forms were read twice")
	}
}

// A result that a kiosk handed over is noted once, with the kiosk; what was answered, and how long that took, stays as it was. A newer
// result is another one.
func TestHandedOver(t *testing.T) {
	now := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	clock := func(o *Options) { o.Now = func() time.Time { return now } }
	w := open(t, t.TempDir(), clock)
	defer func() { w.close(t) }()
	d := w.file(t, "s1", "Lê Thị Thử", "079190012345")
	attach := func(text string) File {
		t.Helper()
		var f File
		var err error
		d, f, err = w.store.Attach(t.Context(), d.ID, Attachment{By: "hoa", Revision: d.Revision, Name: "ket-qua.pdf", Result: true,
			Content: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil }})
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	f := attach("first")
	tell := func(kiosk, sum string, want error) {
		t.Helper()
		if err := w.store.HandedOver(t.Context(), kiosk, "s1", sum); !errors.Is(err, want) {
			t.Errorf("%v, want %v", err, want)
		}
	}
	tell("kiosk-1", f.SHA256, errUnbound) // it never had a key that could be sealed to
	for _, kiosk := range []string{"kiosk-1", "kiosk-2"} {
		own, err := age.GenerateX25519Identity()
		if err == nil {
			err = w.store.Enrol(t.Context(), kiosk, own.Recipient().String())
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	tell("kiosk-1", f.SHA256, answer.ErrUnknown) // nobody was told of it yet
	d = w.act(t, d, answer.Done, "")
	closed := d.Changed
	now = now.Add(26 * time.Hour)
	before, _ := w.store.Last(t.Context())
	tell("kiosk-1", f.SHA256, nil)
	tell("kiosk-2", f.SHA256, nil)
	tell("kiosk-1", strings.Repeat("0", 64), answer.ErrUnknown)
	w = w.reopened(t, clock)
	list, err := w.store.Answers(t.Context(), before, 10)
	if err != nil || len(list) != 1 || !list[0].Handed.Equal(now) || !list[0].At.Equal(closed) || list[0].Number != before+1 {
		t.Errorf("the kiosks are told %v, %v", list, err)
	}
	d, _ = w.store.Get("s1")
	if last := d.History[len(d.History)-1]; last.Handed != "kiosk-1" || last.By != "" || !d.since().Equal(closed) {
		t.Errorf("the officers see %+v", last)
	}
	if got := w.entries(t); got[len(got)-1] != "result.wiped s1 kiosk-1" {
		t.Errorf("audit log: %q", got)
	}
	// The kiosk was stolen, and its word may be a thief's.
	last, _ := w.store.Last(t.Context())
	if n, err := w.store.OfferAgain(t.Context(), "kiosk-1", "hoa"); n != 0 || !errors.Is(err, ErrNotNow) {
		t.Errorf("the word of a kiosk in service is taken back: %d, %v", n, err)
	}
	if err := w.store.Revoke(t.Context(), nil, "kiosk-1", "hoa"); err != nil {
		t.Fatal(err)
	}
	if known, err := w.store.Kiosks(nil); err != nil || known[0].Handed != 1 || known[1].Handed != 0 {
		t.Errorf("%+v, %v", known, err)
	}
	now = now.Add(time.Hour)
	gone, leave := context.WithCancel(t.Context())
	leave()
	if n, err := w.store.OfferAgain(gone, "kiosk-1", "hoa"); n != 0 || !errors.Is(err, context.Canceled) {
		t.Errorf("%d are offered again for an officer who has left, %v", n, err)
	}
	for _, want := range []int{1, 0} {
		if n, err := w.store.OfferAgain(t.Context(), "kiosk-1", "hoa"); n != want || err != nil {
			t.Errorf("%d are offered again, want %d, %v", n, want, err)
		}
	}
	tell("kiosk-1", f.SHA256, answer.ErrTurnedOut)
	w = w.reopened(t, clock)
	if list, _ := w.store.Answers(t.Context(), last, 10); len(list) != 1 || !list[0].Handed.IsZero() || !list[0].At.Equal(now) {
		t.Errorf("the kiosks are told %v", list)
	}
	if got := w.entries(t); got[len(got)-1] != "result.offered s1 kiosk-1" {
		t.Errorf("audit log: %q", got)
	}
	before, _ = w.store.Last(t.Context())
	tell("kiosk-2", f.SHA256, nil)
	before++
	d, _ = w.store.Get("s1")
	attach("mended")
	if list, _ := w.store.Answers(t.Context(), before, 10); len(list) != 1 || !list[0].Handed.IsZero() {
		t.Errorf("a newer result passes for one that was handed over: %v", list)
	}
	if err := w.store.Revoke(t.Context(), nil, "kiosk-9", "hoa"); err == nil {
		t.Error("revoked one that nobody knows")
	}
}

// What is past its time goes with all its files, is not filed anew, and leaves its key nowhere on the disk.
func TestRetention(t *testing.T) {
	now := time.Now()
	keep := func(o *Options) {
		o.Now = func() time.Time { return now }
		o.Keep = func(procedure string) time.Duration {
			return map[string]time.Duration{"2.000815": 24 * time.Hour}[procedure]
		}
	}
	w := open(t, t.TempDir(), keep)
	closed := w.act(t, w.file(t, "s1", "Lê Thị Thử", "079190012345"), answer.Done, "")
	w.file(t, "s2", "Lê Văn Thử", "079090012345")
	w.act(t, w.file(t, "s3", "Lê Văn Thử", "079090012345", func(f *dossier.Form) { f.Procedure.Code = "1.000000" }), answer.Done, "")
	now = now.Add(23 * time.Hour)
	if n, err := w.store.Sweep(t.Context()); n != 0 || err != nil {
		t.Fatalf("%d wiped too early, %v", n, err)
	}
	now = now.Add(2 * time.Hour)
	if n, err := w.store.Sweep(t.Context()); n != 1 || err != nil {
		t.Fatalf("%d wiped, %v", n, err)
	}
	if _, err := w.store.Get(closed.ID); !errors.Is(err, ErrUnknown) {
		t.Error("it is still there")
	}
	if _, err := os.Stat(filepath.Join(w.dir, "desk", filesName, closed.ID)); !errors.Is(err, fs.ErrNotExist) {
		t.Error("its files are still there")
	}
	r, parts := submission(t, "s1", "Lê Thị Thử", "079190012345")
	if filed, err := w.store.File(t.Context(), r, parts); filed || err != nil {
		t.Errorf("filed anew: %t, %v", filed, err)
	}
	w = w.reopened(t, keep)
	defer w.close(t)
	if d := w.file(t, "s4", "Lê Thị Thử", "079190012345"); d.Number != 4 || len(w.store.List(Filter{})) != 3 {
		t.Errorf("the next is number %d", d.Number)
	}
}

func TestExportOfADay(t *testing.T) {
	w := open(t, t.TempDir())
	defer w.close(t)
	w.file(t, "s1", "=HYPERLINK(1)", "079190012345")
	var out bytes.Buffer
	if n, err := w.store.Export(t.Context(), time.Now(), "hoa", &out); n != 1 || err != nil {
		t.Fatalf("%d, %v", n, err)
	}
	z, err := zip.NewReader(bytes.NewReader(out.Bytes()), int64(out.Len()))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range z.File {
		names = append(names, f.Name)
	}
	slices.Sort(names)
	folder := "000001-" + code("s1")
	want := []string{folder + "/form.json", folder + "/manifest.json", folder + "/page-0001.jpg", "dossiers.csv"}
	if !slices.Equal(names, want) {
		t.Errorf("the ZIP has %v", names)
	}
	table, err := fs.ReadFile(z, "dossiers.csv")
	if err != nil || !strings.Contains(string(table), "'=HYPERLINK") {
		t.Errorf("the table: %v", err)
	}
	out.Reset()
	if n, err := w.store.Export(t.Context(), time.Now().AddDate(0, 0, -1), "hoa", &out); n != 0 || err != nil {
		t.Errorf("yesterday: %d, %v", n, err)
	}
}

// The receiver's folder empties into the desk; what can't be filed stays.
func TestInbox(t *testing.T) {
	w := open(t, t.TempDir())
	defer w.close(t)
	dir := t.TempDir()
	lay := func(r receive.Receipt, parts fstest.MapFS) {
		if err := os.CopyFS(filepath.Join(dir, r.ID), parts); err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, r.ID, receiptName), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r, parts := submission(t, "s1", "Lê Thị Thử", "079190012345")
	lay(r, parts)
	r, parts = submission(t, "s2", "Lê Thị Thử", "079190012345")
	parts["page-0001.jpg"].Data[0] ^= 1
	lay(r, parts)
	in := NewInbox(dir, w.store, false, slog.New(slog.DiscardHandler))
	if err := in.Take(t.Context()); !errors.Is(err, ErrUnproved) {
		t.Errorf("a damaged one: %v", err)
	}
	if err := in.Take(t.Context()); err != nil {
		t.Errorf("told twice: %v", err)
	}
	if _, err := w.store.Get("s1"); err != nil {
		t.Error(err)
	}
	left, err := filepath.Glob(filepath.Join(dir, "[^.]*"))
	if err != nil || len(left) != 1 || filepath.Base(left[0]) != "s2" {
		t.Errorf("left: %v", left)
	}
}

func TestRevokedKioskIsForgotten(t *testing.T) {
	w := open(t, t.TempDir())
	defer w.close(t)
	path := filepath.Join(w.dir, "kiosks")
	if err := os.WriteFile(path, []byte("# ours\nkiosk-1 0123456789abcdef\nkiosk-123456789 certificate\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	list, err := receive.OpenKiosks(path)
	if err != nil {
		t.Fatal(err)
	}
	const recipient = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"
	for _, k := range []string{"kiosk-1", "kiosk-123456789"} {
		if err := w.store.Enrol(t.Context(), k, recipient); err != nil {
			t.Fatal(err)
		}
		if err := w.store.Revoke(t.Context(), list, k, "hoa"); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.store.Enrol(t.Context(), "kiosk-2", "nonsense"); err == nil {
		t.Error("a key that is none was taken")
	}
	if err := w.store.Revoke(t.Context(), list, "kiosk-1", "hoa"); err != nil { // as after a cut in the middle
		t.Errorf("twice: %v", err)
	}
	if err := w.store.Revoke(t.Context(), list, "kiosk-9", "hoa"); !errors.Is(err, receive.ErrNoKiosk) {
		t.Errorf("one that nobody knows: %v", err)
	}
	if names, err := list.Names(); err != nil || len(names) != 0 {
		t.Errorf("still in the list: %v, %v", names, err)
	}
	if known, err := w.store.Recipients(t.Context()); err != nil || len(known) != 0 {
		t.Errorf("still sealed to: %v, %v", known, err)
	}
	text, err := os.ReadFile(path)
	if err != nil || strings.Contains(string(text), "0123456789abcdef") || strings.Count(string(text), "# revoked") != 2 {
		t.Errorf("the file is now:\n%s", text)
	}
	if got := w.entries(t); !slices.Equal(got, []string{"kiosk.revoked  kiosk-1", "kiosk.revoked  kiosk-12345678.9"}) {
		t.Errorf("audit log: %q", got)
	}
	if err := w.store.Allow(t.Context(), list, "kiosk-1", "", "hoa"); err != nil {
		t.Fatal(err)
	}
	if names, err := list.Names(); err != nil || !slices.Equal(names, []string{"kiosk-1"}) {
		t.Errorf("let in again: %v, %v", names, err)
	}
	if text, err := os.ReadFile(path); err != nil || !strings.Contains(string(text), "\nkiosk-1 sha256:") {
		t.Errorf("the file is now:\n%s", text)
	}
}

// A stolen credential alone reads nothing: answers are sealed to the first key that came with it, until an officer allows another.
func TestStolenCredentialReadsNothing(t *testing.T) {
	w := open(t, t.TempDir())
	defer func() { w.close(t) }()
	d := w.file(t, "s1", "Lê Thị Thử", "079190012345")
	w.act(t, d, answer.Eligible, "")
	who := func(http.ResponseWriter, *http.Request) (string, bool) { return "kiosk-1", true }
	var desk atomic.Pointer[Store]
	desk.Store(w.store)
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		answer.NewServer(desk.Load(), who, slog.New(slog.DiscardHandler)).ServeHTTP(rw, r)
	}))
	defer server.Close()
	genuine, mine := puller(t, server.URL)
	thief, his := puller(t, server.URL)
	asks := func(p *answer.Puller, want error) {
		t.Helper()
		if _, err := p.Round(t.Context()); !errors.Is(err, want) {
			t.Fatalf("asked: %v, want %v", err, want)
		}
	}
	asks(genuine, nil)
	asks(thief, answer.ErrOtherKey)
	if _, err := his.ByCode(d.Code); !errors.Is(err, answer.ErrUnknown) {
		t.Errorf("the thief has the answer: %v", err)
	}
	asks(genuine, nil)
	known, err := w.store.Kiosks(nil)
	if err != nil || len(known) != 1 || known[0].Key != mine.Recipient().String() || known[0].Other != his.Recipient().String() {
		t.Fatalf("the officers see %v, %v", known, err)
	}
	// A key that an officer did not see is not allowed; the one that he saw is, and stays so over a restart.
	if err := w.store.Allow(t.Context(), nil, "kiosk-1", mine.Recipient().String(), "hoa"); !errors.Is(err, ErrStale) {
		t.Errorf("another key was allowed: %v", err)
	}
	if err := w.store.Allow(t.Context(), nil, "kiosk-1", his.Recipient().String(), "hoa"); err != nil {
		t.Fatal(err)
	}
	asks(thief, nil)
	asks(genuine, answer.ErrOtherKey)
	w = w.reopened(t)
	desk.Store(w.store)
	asks(thief, nil)
	asks(genuine, answer.ErrOtherKey)
	// Revoked, neither gets anything; let in again, it is bound to the key of before, whoever comes first, also after a restart.
	if err := w.store.Revoke(t.Context(), nil, "kiosk-1", "hoa"); err != nil {
		t.Fatal(err)
	}
	for _, p := range []*answer.Puller{thief, genuine} {
		if _, err := p.Round(t.Context()); err == nil {
			t.Error("a revoked kiosk was answered")
		}
	}
	w = w.reopened(t)
	desk.Store(w.store)
	if err := w.store.Allow(t.Context(), nil, "kiosk-1", "", "hoa"); err != nil {
		t.Fatal(err)
	}
	asks(genuine, answer.ErrOtherKey)
	asks(thief, nil)
	want := []string{"kiosk.allowed  kiosk-1", "kiosk.revoked  kiosk-1", "kiosk.allowed  kiosk-1"}
	if got := w.entries(t); len(got) < 3 || !slices.Equal(got[len(got)-3:], want) {
		t.Errorf("audit log: %q", got)
	}
}

// puller is a kiosk that asks a desk, with a key of its own.
func puller(t *testing.T, url string) (*answer.Puller, *answer.Store) {
	t.Helper()
	dir := t.TempDir()
	log := slog.New(slog.DiscardHandler)
	store, err := answer.OpenStore(t.Context(), dir, seal.NewFile(filepath.Join(dir, "key")), log)
	if err != nil {
		t.Fatal(err)
	}
	q, _, err := queue.Open(t.Context(), t.TempDir(), queue.Options{MinFree: -1, Retention: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { q.Close() })
	p, err := answer.NewPuller(answer.PullOptions{URL: url + answer.Path, Wait: time.Second}, &answer.Intake{Store: store, Queue: q, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	return p, store
}

// cut fails the audit log's appends once it is told to, as a full disk does.
type cut struct {
	*audit.Log
	failing bool
}

func (c *cut) Append(e audit.Event) error {
	if c.failing {
		return errors.New("no space left on device")
	}
	return c.Log.Append(e)
}

// An act that could not be noted is noted later, once, and nothing more is done before.
func TestNothingIsDoneThatCantBeNoted(t *testing.T) {
	c := &cut{}
	w := open(t, t.TempDir(), func(o *Options) { c.Log = o.AuditLog.(*audit.Log); o.AuditLog = c })
	d := w.file(t, "s1", "Lê Thị Thử", "079190012345")
	c.failing = true
	d = w.act(t, d, answer.Eligible, "")
	if _, err := w.store.Act(t.Context(), d.ID, Act{By: "hoa", Revision: d.Revision, State: answer.Done}); err == nil {
		t.Error("a second act was done although the first is not noted")
	}
	c.failing = false
	w.act(t, d, answer.Done, "")
	// The log had the entry, and the outbox too: the machine stopped between.
	w.store.acting.Lock()
	err := w.store.db.Update(func(tx *bolt.Tx) error {
		return post(tx, audit.Event{Actor: "officer:hoa", Act: audit.DossierAnswered, Submission: "s1", Procedure: "2.000815", Reason: "done/3"})
	})
	w.store.acting.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	w = w.reopened(t)
	defer w.close(t)
	if got := w.entries(t); !slices.Equal(got, []string{"dossier.filed s1 ", "dossier.answered s1 eligible/2", "dossier.answered s1 done/3"}) {
		t.Errorf("audit log: %q", got)
	}
}

func TestWaitForAnswers(t *testing.T) {
	w := open(t, t.TempDir())
	defer w.close(t)
	told := make(chan struct{})
	go func() {
		defer close(told)
		w.store.Wait(t.Context(), 0)
	}()
	w.file(t, "s1", "Lê Thị Thử", "079190012345")
	<-told
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	w.store.Wait(ctx, 1)
}
