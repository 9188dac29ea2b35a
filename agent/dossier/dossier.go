// Package dossier packs a confirmed form for the queue. In go a procedure, its values as a person
// confirmed them, the pages as they came from the scanner, and the consent; out comes a queue.Draft of
// form.json, the official form as PDF and DOCX, and the page files, unchanged byte for byte. It promises that
// nothing unconfirmed gets in (Draft refuses a form that does not validate) and that no personal data stands in
// the labels.
package dossier

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"time"

	"motcua/agent/form"
	"motcua/agent/procedure"
	"motcua/ocr/page"
	"motcua/ocr/paper"
	"motcua/queue"
)

// Schema names the layout of form.json.
const Schema = "motcua/form/1"

// Channel is who sat at the screen.
type Channel string

// The channels.
const (
	Self      Channel = "self"      // the citizen alone
	Volunteer Channel = "volunteer" // a volunteer helped
	Command   Channel = "command"   // motcua submit
)

// Label keys of a submission in the queue; none of them ever holds personal data.
const (
	LabelProcedure = "procedure"
	LabelLevel     = "level" // "toàn trình" or "một phần"
	LabelChannel   = "channel"
	LabelWard      = "ward"
	LabelKiosk     = "kiosk"
	LabelWays      = "ways" // how papers were given without a scan: "lookup number number"

	LabelAddresses = "addresses" // what became of addresses with units of before July 2025: "chosen moved"

	LabelSupplements = "supplements" // id of the submission that this one adds papers to
)

// Page is one scanned page or attached file.
type Page struct {
	Data      []byte
	MediaType string // one of page.MediaTypes
	Pages     int    // of a file that has several; 0 counts as 1
	Turn      int    // clockwise degrees a person turned it for reading: 0, 90, 180, 270
	Paper     string // id of the required paper it belongs to, if known
	Kind      paper.Kind
}

// Copy is the digitised copy (PDF/A) of one paper.
type Copy struct {
	Data  []byte
	Kind  paper.Kind
	Title string
	Pages []int // on which the paper lies, counted through all Pages of the dossier

	Signature *Signature // whose Data is signed, and as what; nil: it is not
}

// Signature is what form.json says of a copy that an officer signed; the signature itself is in the file.
type Signature struct {
	Form    string `json:"form"`             // "SAO Y", …
	Number  string `json:"number,omitempty"` // of the register of certifications
	Officer string `json:"officer"`          // the sign-in name
}

// Consent is what the citizen agreed to, and when.
type Consent struct {
	Version  string    `json:"version"` // of the text that was shown
	Purpose  string    `json:"purpose"` // the text itself, in the language it was shown in
	Language string    `json:"language"`
	Given    time.Time `json:"given"`
}

// Dossier is a confirmed form with its pages.
type Dossier struct {
	ID string // "" lets the queue make one; the same ID again gives the same submission
	// Supplements is the submission that this one adds papers to; its procedure is a Supplement then, without a form. "": none.
	Supplements string
	Procedure   *procedure.Procedure
	Form        *form.Layout // the official form; nil where the procedure has none
	Values      map[string]procedure.Answer
	Ways        map[string]procedure.WayID // how papers are given that were not scanned, by the paper's id
	Documents   []paper.Document           // what was recognised; only kinds and pages are kept beside the form
	Places      map[string]Place           // where values were read, by the field's id
	Pages       []Page
	Copies      []Copy // digitised copies of the papers on the pages
	CopyFault   error  // why there are none
	Consent     Consent
	Channel     Channel
	Operator    string // the volunteer's user name, where Channel is Volunteer
	Ward        string
	Kiosk       string
	Started     time.Time
	Confirmed   time.Time
}

// String gives kind and counts only.
func (d Dossier) String() string {
	code := ""
	if d.Procedure != nil {
		code = d.Procedure.Code
	}
	return fmt.Sprintf("dossier(%s, %d values, %d pages)", code, len(d.Values), len(d.Pages))
}

// GoString is String, for %#v.
func (d Dossier) GoString() string { return d.String() }

// LogValue keeps values out of logs.
func (d Dossier) LogValue() slog.Value { return slog.StringValue(d.String()) }

// InvalidError is a form that may not be submitted yet.
type InvalidError struct {
	Complaints []procedure.Complaint
}

func (e *InvalidError) Error() string {
	var b bytes.Buffer
	b.WriteString("the form is not complete:")
	for _, c := range e.Complaints {
		fmt.Fprintf(&b, " %s (%s)", c.Field, c.Code)
	}
	return b.String()
}

// Form is the layout of form.json. Form readers on the far side rely on it.
type Form struct {
	Schema    string        `json:"schema"`
	Procedure FormProcedure `json:"procedure"`
	// Supplements is the submission, by its id or receipt code, that this one adds papers to; empty for one of its own.
	Supplements string `json:"supplements,omitempty"`

	Ward      string            `json:"ward,omitempty"`
	Kiosk     string            `json:"kiosk,omitempty"`
	Channel   Channel           `json:"channel"`
	Operator  string            `json:"operator,omitempty"`
	Fee       int64             `json:"fee"` // đồng
	Official  *FormOfficial     `json:"official_form,omitempty"`
	Values    []FormValue       `json:"values"`
	Ways      []FormWay         `json:"papers_not_scanned,omitempty"`
	Pages     []FormPage        `json:"pages"`
	Papers    []FormPaper       `json:"papers"`
	Copies    []FormCopy        `json:"copies,omitempty"`
	CopyFault string            `json:"copy_fault,omitempty"` // why there are none; the pages are whole
	Consent   Consent           `json:"consent"`
	Times     map[string]string `json:"times"` // started, confirmed; RFC 3339
}

// FormProcedure identifies the procedure.
type FormProcedure struct {
	Code  string          `json:"code"`
	Name  string          `json:"name"`
	Level procedure.Level `json:"level"`
}

// FormValue is one field of the form, in the order of the procedure.
type FormValue struct {
	ID         string        `json:"id"`
	Label      string        `json:"label"`
	Value      string        `json:"value"`
	Source     paper.Source  `json:"source"`
	From       string        `json:"from,omitempty"`
	Old        string        `json:"old,omitempty"` // an address as the paper has it, with units of before July 2025
	Confidence float64       `json:"confidence"`
	Doubts     []paper.Doubt `json:"doubts,omitempty"`    // what was doubted before a person confirmed it
	Place      *Place        `json:"place,omitempty"`     // where it was read
	Looked     bool          `json:"looked"`              // a person looked at this very value and said that it is right, or wrote it
	LookedBy   string        `json:"looked_by,omitempty"` // "citizen", or the sign-in name of who helped
}

// Place is a region of a page file, in shares of its width and height as it is seen upright, from the upper left corner.
type Place struct {
	Page string  `json:"page"` // name of the page file
	X    float64 `json:"x"`
	Y    float64 `json:"y"`
	W    float64 `json:"w"`
	H    float64 `json:"h"`
}

// PageName is the pattern of the names of page files: their number from 1, and how the name ends.
const PageName = "page-%04d%s"

// SourceDefault is the source of a value that the procedure proposes and nobody has touched.
const SourceDefault paper.Source = "default"

// FormOfficial says which official form (tờ khai) the submission carries, and by which rule it looks so.
type FormOfficial struct {
	Layout   string        `json:"layout"`
	Title    string        `json:"title"`
	Sources  []string      `json:"sources"`
	LookedUp procedure.Day `json:"looked_up"`
	PDF      string        `json:"pdf,omitempty"` // names of parts
	DOCX     string        `json:"docx,omitempty"`
	Fault    string        `json:"fault,omitempty"` // why there is no PDF; the DOCX and the values are whole
}

// FormWay says how a required paper is given without a scan, and by which law.
type FormWay struct {
	Paper string          `json:"paper"`
	Name  string          `json:"name"`
	Way   procedure.WayID `json:"way"`
	Words string          `json:"words"`
	Law   string          `json:"law,omitempty"`
}

// FormPage describes a page file of the submission.
type FormPage struct {
	Name      string     `json:"name"`
	MediaType string     `json:"media_type"`
	Size      int        `json:"size"`
	SHA256    string     `json:"sha256"`
	Turn      int        `json:"turn,omitempty"` // clockwise degrees to turn it for reading; the bytes are as scanned
	Paper     string     `json:"paper,omitempty"`
	Kind      paper.Kind `json:"kind,omitempty"`
}

// FormCopy describes a digitised copy.
type FormCopy struct {
	Name   string     `json:"name"`
	Title  string     `json:"title"`
	Size   int        `json:"size"`
	SHA256 string     `json:"sha256"`
	Kind   paper.Kind `json:"kind"`
	Pages  []int      `json:"pages"` // on which the paper lies, counted through all page files

	Signature *Signature `json:"signature,omitempty"` // nil: the copy is not signed
}

// FormPaper says which papers were recognised on the pages.
type FormPaper struct {
	Type  paper.Kind `json:"type"`
	Page  int        `json:"page"`
	Sides []string   `json:"sides,omitempty"`
}

// Draft is the submission for the queue. It fails with *InvalidError if the form may not be submitted.
func (d Dossier) Draft() (queue.Draft, error) {
	if len(d.Pages) == 0 && len(d.Ways) == 0 {
		return queue.Draft{}, fmt.Errorf("pack dossier: there is no page, and no paper is given in another way")
	}
	if complaints := d.Procedure.Validate(d.Values, d.Confirmed); len(complaints) > 0 {
		return queue.Draft{}, &InvalidError{complaints}
	}
	written, err := d.form()
	if err != nil {
		return queue.Draft{}, err
	}
	official, err := d.official(&written)
	if err != nil {
		return queue.Draft{}, err
	}
	body, err := json.MarshalIndent(written, "", "  ")
	if err != nil {
		return queue.Draft{}, fmt.Errorf("pack dossier: %w", err)
	}
	parts := []queue.Part{part("form.json", "application/json", append(body, '\n'))}
	parts = append(parts, official...)
	for i, p := range d.Pages {
		parts = append(parts, part(written.Pages[i].Name, p.MediaType, p.Data))
	}
	for i, c := range d.Copies {
		parts = append(parts, part(written.Copies[i].Name, "application/pdf", c.Data))
	}
	labels := map[string]string{
		LabelProcedure: d.Procedure.Code,
		LabelLevel:     string(d.Procedure.Level),
		LabelChannel:   string(d.Channel),
	}
	if ways := d.wayLabel(); ways != "" {
		labels[LabelWays] = ways
	}
	if addresses := d.addressLabel(); addresses != "" {
		labels[LabelAddresses] = addresses
	}
	if d.Supplements != "" {
		labels[LabelSupplements] = d.Supplements
	}
	if d.Ward != "" {
		labels[LabelWard] = d.Ward
	}
	if d.Kiosk != "" {
		labels[LabelKiosk] = d.Kiosk
	}
	return queue.Draft{ID: d.ID, Labels: labels, Parts: parts}, nil
}

// The names of the official form's parts.
const (
	FormPDF  = "form.pdf"
	FormDOCX = "form.docx"
)

// Sheet is the official form, filled; false where the procedure has none.
func (d Dossier) Sheet() (form.Sheet, bool) {
	if d.Form == nil {
		return form.Sheet{}, false
	}
	sheet := d.Form.Fill(d.Procedure, d.Values, d.Ward, d.Confirmed)
	var lines []string
	for _, w := range d.ways() {
		line := w.Name + " – " + w.Words
		if rule := (procedure.Way{Law: w.Law}).Rule(); rule != "" {
			line += " (" + rule + ")"
		}
		lines = append(lines, line)
	}
	sheet.Attach("Giấy tờ không nộp bản quét:", lines)
	return sheet, true
}

// official prints the form. A form that can't be printed never holds up a submission: its values are whole.
func (d Dossier) official(f *Form) ([]queue.Part, error) {
	sheet, ok := d.Sheet()
	if !ok {
		return nil, nil
	}
	f.Official = &FormOfficial{Layout: d.Form.Name, Title: d.Form.Title, Sources: d.Form.Sources, LookedUp: d.Form.LookedUp, DOCX: FormDOCX}
	docx, err := sheet.DOCX()
	if err != nil {
		return nil, err
	}
	var parts []queue.Part
	pdf, err := sheet.PDF()
	var overflow *form.OverflowError
	switch {
	case errors.As(err, &overflow):
		f.Official.Fault = err.Error()
	case err != nil:
		return nil, err
	default:
		f.Official.PDF = FormPDF
		parts = append(parts, part(FormPDF, "application/pdf", pdf))
	}
	return append(parts, part(FormDOCX, "application/vnd.openxmlformats-officedocument.wordprocessingml.document", docx)), nil
}

// ways lists how papers are given without a scan, in the order of the procedure.
func (d Dossier) ways() []FormWay {
	var out []FormWay
	for _, p := range d.Procedure.Papers {
		if w, ok := p.Way(d.Ways[p.ID]); ok {
			out = append(out, FormWay{p.ID, p.Name.VI, w.ID, w.ID.Text().VI, w.Law})
		}
	}
	return out
}

func (d Dossier) wayLabel() string {
	var ids []string
	for _, w := range d.ways() {
		ids = append(ids, string(w.Way))
	}
	slices.Sort(ids)
	return strings.Join(ids, " ")
}

// What becomes of an address whose units are no longer there.
const (
	AddressMoved  = "moved"  // one unit of today is sure
	AddressChosen = "chosen" // a person said which of several it is
	AddressKept   = "kept"   // as the paper has it
)

// Addresses lists them, in the order in which a report counts them.
var Addresses = []string{AddressMoved, AddressChosen, AddressKept}

func (d Dossier) addressLabel() string {
	var all []string
	for _, v := range d.Procedure.Complete(d.Values) {
		switch {
		case v.Old == "" || v.Text == "":
		case v.Text == v.Old:
			all = append(all, AddressKept)
		case len(v.Offers) > 0:
			all = append(all, AddressChosen)
		default:
			all = append(all, AddressMoved)
		}
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

func (d Dossier) form() (Form, error) {
	scanned := 0
	for _, p := range d.Pages {
		scanned += max(p.Pages, 1)
	}
	form := Form{
		Schema:    Schema,
		Procedure: FormProcedure{d.Procedure.Code, d.Procedure.Name.VI, d.Procedure.Level},
		Ward:      d.Ward, Kiosk: d.Kiosk, Supplements: d.Supplements, Channel: d.Channel, Operator: d.Operator,
		Fee:    d.Procedure.Price(d.Values, scanned),
		Values: []FormValue{}, Ways: d.ways(), Pages: []FormPage{}, Papers: []FormPaper{},
		Consent: d.Consent,
		Times: map[string]string{
			"started":   d.Started.UTC().Format(time.RFC3339),
			"confirmed": d.Confirmed.UTC().Format(time.RFC3339),
		},
	}
	complete := d.Procedure.Complete(d.Values)
	for _, f := range d.Procedure.Fields {
		v := complete[f.ID]
		if v.Text == "" && !d.Procedure.Asked(f.ID, d.Values) {
			continue
		}
		if v.Source == paper.User && v.Looked == "" && v.Text != "" {
			v.Source, v.Confidence = SourceDefault, 0
		}
		var at *Place
		if place, ok := d.Places[f.ID]; ok && v.Text != "" {
			at = &place
		}
		form.Values = append(form.Values, FormValue{ID: f.ID, Place: at, Label: f.Label.VI, Value: v.Text, Source: v.Source, From: v.From,
			Old: v.Old, Confidence: v.Confidence, Doubts: v.Doubts, Looked: v.Looked != "", LookedBy: v.Looked})
	}
	for i, p := range d.Pages {
		extension, ok := page.Extension(p.MediaType)
		if !ok {
			return Form{}, fmt.Errorf("pack dossier: page %d is of a type that is not sent: %q", i+1, p.MediaType)
		}
		sum := sha256.Sum256(p.Data)
		form.Pages = append(form.Pages, FormPage{
			Name: fmt.Sprintf(PageName, i+1, extension), MediaType: p.MediaType, Size: len(p.Data),
			SHA256: hex.EncodeToString(sum[:]), Turn: p.Turn, Paper: p.Paper, Kind: p.Kind,
		})
	}
	for _, doc := range d.Documents {
		form.Papers = append(form.Papers, FormPaper{doc.Type, doc.Page, doc.Sides})
	}
	for i, c := range d.Copies {
		sum := sha256.Sum256(c.Data)
		form.Copies = append(form.Copies, FormCopy{Name: fmt.Sprintf("copy-%04d-%s.pdf", i+1, c.Kind), Title: c.Title, Size: len(c.Data),
			SHA256: hex.EncodeToString(sum[:]), Kind: c.Kind, Pages: c.Pages, Signature: c.Signature})
	}
	if d.CopyFault != nil {
		form.CopyFault = d.CopyFault.Error()
	}
	return form, nil
}

func part(name, mediaType string, data []byte) queue.Part {
	return queue.Part{Name: name, MediaType: mediaType, Open: func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(data)), nil
	}}
}
