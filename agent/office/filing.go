package office

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"filippo.io/age"
	bolt "go.etcd.io/bbolt"

	"motcua/agent/answer"
	"motcua/agent/audit"
	"motcua/agent/dossier"
	"motcua/queue/receive"
)

const (
	manifestName = "manifest.json"
	formName     = "form.json"
	receiptName  = "receipt.json"
	numberMost   = 200     // bytes of a number in a register of certifications: its book's name is a line of a mark at most
	textLimit    = 4 << 20 // bytes of manifest.json or form.json
)

// manifest is what the desk goes by of manifest.json.
type manifest struct {
	ID     string            `json:"id"`
	Code   string            `json:"code"`
	Labels map[string]string `json:"labels"`
	Parts  []struct {
		Name      string `json:"name"`
		MediaType string `json:"media_type"`
		Size      int64  `json:"size"`
		SHA256    string `json:"sha256"`
	} `json:"parts"`
}

// form is what the desk goes by of form.json. It is less than dossier.Form on purpose: a kiosk of a later version may say
// more, and its submission is filed all the same.
type form struct {
	Procedure   struct{ Code, Name string }
	Ward        string
	Kiosk       string
	Supplements string
	Values      []struct{ ID, Value, From string }
	Copies      []struct{ Signature struct{ Number string } }
}

// LabelSupplements names, in manifest.json, the submission (its id or code) that this one adds papers to.
const LabelSupplements = "supplements"

var validCode = regexp.MustCompile(`^[0-9A-Za-z-]{1,16}$`)

var validID = regexp.MustCompile(`^[0-9A-Za-z_][0-9A-Za-z_-]{0,63}$`)

// File files a submission once; filed is false where it was filed before. parts are the files of its bundle, proved here
// against manifest.json; one that nobody here can open is the single file bundle.zip.age, and r.Sealed.
//
// It fails with ErrOther, or with ErrUnproved; nothing is filed then.
func (s *Store) File(ctx context.Context, r receive.Receipt, parts fs.FS) (filed bool, err error) {
	s.acting.Lock()
	defer s.acting.Unlock()
	if !validID.MatchString(r.ID) {
		return false, fmt.Errorf("%w: its id is none", ErrUnproved)
	}
	known, err := s.filed(r)
	if err != nil || known {
		return false, err
	}
	if err := s.ready(); err != nil {
		return false, err
	}
	in := &incoming{receipt: r}
	if err := in.read(parts); err != nil {
		return false, err
	}
	first := s.supplemented(in)
	rec := &record{}
	if first != nil {
		rec = first.clone()
	} else if err := rec.begin(in); err != nil {
		return false, err
	}
	staging, err := s.stage(ctx, rec, in, parts)
	if err != nil {
		return false, err
	}
	e := s.take(rec, in)
	if err := s.place(staging, r.ID, rec); err != nil {
		return false, errors.Join(err, os.RemoveAll(staging))
	}
	return true, s.save(rec, &e)
}

// take makes a submission the newest step of its dossier. More papers put it back into the line, unless it is closed:
// an officer then sees that something came.
func (s *Store) take(rec *record, in *incoming) audit.Event {
	e := audit.Event{Actor: "system", Act: audit.DossierFiled, Submission: in.receipt.ID, Procedure: rec.Procedure}
	step := Step{At: s.o.Now().UTC(), State: answer.Received}
	if rec.Number == 0 {
		rec.Number = s.lastNumber + 1
		if named := in.supplements(); validID.MatchString(named) { // a dossier that is not here, or not one alone
			step.File = named
		}
	} else {
		rec.certify(in.form)
		r := in.receipt
		rec.Added = append(rec.Added, Supplement{ID: r.ID, Code: r.Code, SHA256: r.SHA256, Kiosk: r.Kiosk, Received: r.Received})
		e.Act = audit.DossierSupplemented
		step.File = r.ID
		if rec.State.Final() {
			step.State = rec.State
		}
	}
	if step.State == answer.Received {
		rec.Reasons, rec.Text = nil, ""
	}
	s.step(rec, step, true)
	return e
}

// step adds a change to a record; told gives it a new answer for the kiosks.
func (s *Store) step(rec *record, step Step, told bool) {
	rec.Revision++
	step.Revision = rec.Revision
	rec.State, rec.Changed = step.State, step.At
	rec.History = append(rec.History, step)
	if told {
		rec.Answer = s.lastAnswer + 1
	}
}

// filed tells whether a submission is known.
func (s *Store) filed(r receive.Receipt) (bool, error) {
	if rec := s.of(r.ID); rec != nil {
		for _, one := range rec.submissions() {
			if one.ID == r.ID && one.SHA256 != r.SHA256 {
				return false, ErrOther
			}
		}
		return true, nil
	}
	var sum []byte
	err := s.db.View(func(tx *bolt.Tx) error {
		sum = bytes.Clone(tx.Bucket(bucketGone).Get([]byte(r.ID)))
		return nil
	})
	if err == nil && sum != nil && string(sum) != r.SHA256 {
		err = ErrOther
	}
	return sum != nil, err
}

// of finds the dossier that a submission is to, by its id alone: the code of another's receipt may read like it.
func (s *Store) of(id string) *record {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if seq, ok := s.ids[id]; ok {
		return s.records[seq]
	}
	return nil
}

// supplemented finds the dossier that a submission adds papers to; nil for one of its own, and where more than one dossier came
// with the code that it names: an officer has to look which.
func (s *Store) supplemented(in *incoming) *record {
	named := in.supplements()
	if r := s.of(named); r != nil {
		return r
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if holders := s.codes[foldCode(named)]; len(holders) == 1 {
		return s.records[holders[0]]
	}
	return nil
}

// record finds a dossier by the id or code of any submission to it; of more that came with one code, the one that was first.
func (s *Store) record(idOrCode string) *record {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if idOrCode == "" {
		return nil
	}
	if seq, ok := s.ids[idOrCode]; ok {
		return s.records[seq]
	}
	if holders := s.codes[foldCode(idOrCode)]; len(holders) > 0 {
		return s.records[holders[0]]
	}
	return nil
}

// incoming is a submission on its way in.
type incoming struct {
	receipt  receive.Receipt
	manifest manifest
	form     form
	text     []byte // of form.json
	names    []string
}

// read looks at what tells the rest: manifest and form.
func (in *incoming) read(parts fs.FS) error {
	entries, err := fs.ReadDir(parts, ".")
	if err != nil {
		return fmt.Errorf("list a submission's files: %w", err)
	}
	for _, e := range entries {
		if e.Name() != receiptName {
			in.names = append(in.names, e.Name())
		}
	}
	if in.receipt.Sealed {
		return nil
	}
	text, err := readSmall(parts, manifestName)
	if err != nil {
		return err
	}
	if json.Unmarshal(text, &in.manifest) != nil || in.manifest.ID != in.receipt.ID {
		return fmt.Errorf("%w: manifest.json can't be read, or names another submission", ErrUnproved)
	}
	if len(in.manifest.Parts) != len(in.names)-1 {
		return fmt.Errorf("%w: manifest.json names %d files, there are %d", ErrUnproved, len(in.manifest.Parts), len(in.names)-1)
	}
	if !slices.Contains(in.names, formName) {
		return nil
	}
	if in.text, err = readSmall(parts, formName); err != nil {
		return err
	}
	if err := json.Unmarshal(in.text, &in.form); err != nil {
		in.form = form{} // it is filed all the same: a person can look at the papers
	}
	return nil
}

func readSmall(parts fs.FS, name string) ([]byte, error) {
	f, err := parts.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %s is not there", ErrUnproved, name)
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, textLimit+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	if len(text) > textLimit {
		return nil, fmt.Errorf("%w: %s is too large", ErrUnproved, name)
	}
	return text, nil
}

// supplements is the submission that this one adds to, "" for one of its own.
func (in *incoming) supplements() string {
	if in.form.Supplements != "" {
		return in.form.Supplements
	}
	return in.manifest.Labels[LabelSupplements]
}

// begin makes the record of a first submission.
func (r *record) begin(in *incoming) error {
	key, err := age.GenerateX25519Identity()
	if err != nil {
		return fmt.Errorf("make a dossier's key: %w", err)
	}
	f := in.form
	r.Key = key.String()
	r.Dossier = Dossier{ID: in.receipt.ID, Code: in.receipt.Code, SHA256: in.receipt.SHA256, Kiosk: in.receipt.Kiosk,
		Received: in.receipt.Received, Sealed: in.receipt.Sealed, Procedure: f.Procedure.Code, Title: f.Procedure.Name, Ward: f.Ward}
	if r.Procedure == "" {
		r.Procedure = in.manifest.Labels[dossier.LabelProcedure]
	}
	if r.Code == "" && validCode.MatchString(in.manifest.Code) { // else it is a kiosk's word that would name a folder of an export
		r.Code = in.manifest.Code
	}
	if r.Kiosk == "" {
		r.Kiosk = f.Kiosk
	}
	r.Born = answer.Born(in.text)
	r.people(f)
	r.certify(f)
	return nil
}

// certify notes the numbers of the copies that officers signed at a kiosk.
func (r *record) certify(f form) {
	for _, c := range f.Copies {
		if n := strings.Join(strings.Fields(c.Signature.Number), " "); n != "" && len(n) <= numberMost {
			r.Certified = append(r.Certified, n)
		}
	}
}

// people gathers names and personal numbers, for the search. The first person on the form is whose dossier it is.
func (r *record) people(f form) {
	for _, v := range f.Values {
		of := func(part, field string) bool {
			return strings.HasSuffix(v.ID, "_"+part) || strings.HasSuffix(v.From, "."+field)
		}
		switch {
		case v.Value == "":
		case of("name", "full_name"):
			r.Names = append(r.Names, v.Value)
		case of("number", "number"):
			r.Numbers = append(r.Numbers, v.Value)
		}
	}
	if len(r.Names) > 0 && r.Person == "" {
		r.Person = r.Names[0]
	}
}

// stage seals the parts into a folder beside their place, each proved on the way.
func (s *Store) stage(ctx context.Context, rec *record, in *incoming, parts fs.FS) (staging string, err error) {
	key, err := age.ParseX25519Identity(rec.Key)
	if err != nil {
		return "", fmt.Errorf("read a dossier's key: %w", err)
	}
	staging = filepath.Join(s.dir, filesName, ".new-"+in.receipt.ID)
	if err := os.RemoveAll(staging); err != nil {
		return "", fmt.Errorf("clear what was left half filed: %w", err)
	}
	if err := os.Mkdir(staging, 0o700); err != nil {
		return "", fmt.Errorf("file a submission: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(staging))
		}
	}()
	for i, name := range in.names {
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		f, err := sealFile(filepath.Join(staging, fmt.Sprint(i+1)), key.Recipient(), func() (io.ReadCloser, error) { return parts.Open(name) })
		if err != nil {
			return "", err
		}
		f.Name, f.Place, f.Added = name, filepath.Join(in.receipt.ID, fmt.Sprint(i+1)), s.o.Now().UTC()
		if err := in.prove(&f); err != nil {
			return "", err
		}
		rec.put(f, in.receipt.ID)
	}
	return staging, nil
}

// prove holds a file against the manifest.
func (in *incoming) prove(f *File) error {
	if in.receipt.Sealed || f.Name == manifestName {
		return nil
	}
	for _, p := range in.manifest.Parts {
		if p.Name == f.Name {
			f.MediaType = p.MediaType
			if p.Size == f.Size && p.SHA256 == f.SHA256 {
				return nil
			}
		}
	}
	return fmt.Errorf("%w: a file is not what manifest.json says", ErrUnproved)
}

// sealFile writes a sealed file durably, and says what was in it.
func sealFile(to string, key age.Recipient, open func() (io.ReadCloser, error)) (f File, err error) {
	from, err := open()
	if err != nil {
		return f, fmt.Errorf("read a submission's file: %w", err)
	}
	defer from.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return f, fmt.Errorf("seal a file: %w", err)
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	sealed, err := age.Encrypt(out, key)
	if err != nil {
		return f, fmt.Errorf("seal a file: %w", err)
	}
	sum := sha256.New()
	if f.Size, err = io.Copy(io.MultiWriter(sealed, sum), from); err != nil {
		return f, fmt.Errorf("seal a file: %w", err)
	}
	if err := sealed.Close(); err != nil {
		return f, fmt.Errorf("seal a file: %w", err)
	}
	if err := out.Sync(); err != nil {
		return f, fmt.Errorf("seal a file: %w", err)
	}
	f.SHA256 = hex.EncodeToString(sum.Sum(nil))
	return f, nil
}
