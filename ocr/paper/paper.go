// Package paper is the vocabulary of recognition: the kinds of paper, the fields read from them, and
// how far each value can be trusted. It is plain data; package ocr fills it, the agent uses it.
//
// The promise of the project lives in one flag: Field.Review is true unless the value may be used
// without a person having looked at it.
package paper

import (
	"fmt"
	"log/slog"
	"slices"
)

// Kind is a kind of paper a ward office takes. The values are part of the CLI contract.
type Kind string

// The kinds that are recognised (package kinds has a row of each); Other is any paper that nothing tells: it is only attached.
const (
	CCCD     Kind = "cccd"      // chip card "CĂN CƯỚC CÔNG DÂN", 2021–2024
	CanCuoc  Kind = "can-cuoc"  // "CĂN CƯỚC", from 1 July 2024
	CCCD2016 Kind = "cccd-2016" // barcode card "CĂN CƯỚC CÔNG DÂN", 2016–2021
	CMND     Kind = "cmnd"      // "GIẤY CHỨNG MINH NHÂN DÂN", 9 or 12 digits
	Passport Kind = "passport"  // TD3
	KhaiSinh Kind = "khai-sinh" // birth certificate, A4
	CT07     Kind = "ct07"      // residence confirmation, A4

	GPLX             Kind = "gplx"                // driver's licence
	BHYT             Kind = "bhyt"                // health insurance card
	TheTamTru        Kind = "the-tam-tru"         // foreigner's temporary residence card
	TheThuongTru     Kind = "the-thuong-tru"      // foreigner's permanent residence card
	KetHon           Kind = "ket-hon"             // marriage certificate
	HonNhan          Kind = "hon-nhan"            // certificate of marital status
	ChungSinh        Kind = "chung-sinh"          // birth notice
	BaoTu            Kind = "bao-tu"              // death notice
	TrichLucKhaiSinh Kind = "trich-luc-khai-sinh" // extracts of registers
	TrichLucKetHon   Kind = "trich-luc-ket-hon"
	TrichLucKhaiTu   Kind = "trich-luc-khai-tu"

	// Separator is a sheet of the office's own between the papers of two submissions in a stack; see qr.Separator.
	Separator Kind = "separator"

	Other Kind = "other"
)

// Source is where a value was read. Chip outranks QR outranks MRZ outranks OCR; User is what a
// person typed or confirmed.
type Source string

// The sources, spelled as in `motcua read --json`.
const (
	Chip Source = "chip"
	QR   Source = "qr"
	MRZ  Source = "mrz"
	OCR  Source = "ocr"
	User Source = "user"

	// ChipUnchecked is a chip that nobody known here has signed. It outranks nothing and confirms nothing: what it says alone
	// wants a look, and so does what it says otherwise.
	ChipUnchecked Source = "chip-unchecked"
)

// Name is a field's name. Dates are ISO 8601 (YYYY-MM-DD), text is Unicode NFC.
type Name string

// The fields of identity papers.
const (
	Number           Name = "number"
	OldNumber        Name = "old_number"
	FullName         Name = "full_name"
	DateOfBirth      Name = "date_of_birth"
	Sex              Name = "sex" // "Nam" or "Nữ"
	Nationality      Name = "nationality"
	PlaceOfOrigin    Name = "place_of_origin"
	PlaceOfResidence Name = "place_of_residence"
	DateOfIssue      Name = "date_of_issue"
	DateOfExpiry     Name = "date_of_expiry" // ISO date, or "Không thời hạn"
	PlaceOfBirth     Name = "place_of_birth" // where the birth was registered
	Ethnicity        Name = "ethnicity"
	Religion         Name = "religion"
	DocumentNumber   Name = "document_number" // of a passport, a licence, an insurance or residence card; an identity card's number is Number
	RegisterNumber   Name = "register_number" // in a register of births, marriages or deaths
	FatherName       Name = "father_name"
	MotherName       Name = "mother_name"
	MotherNumber     Name = "mother_number" // of the identity paper on a birth notice
	WifeName         Name = "wife_name"
	WifeBirth        Name = "wife_date_of_birth"
	HusbandName      Name = "husband_name"
	HusbandBirth     Name = "husband_date_of_birth"
	MaritalStatus    Name = "marital_status"
	DateOfDeath      Name = "date_of_death"
	LicenceClass     Name = "licence_class"   // of a driver's licence: "A1", "B2, C"
	Clinic           Name = "clinic"          // of first care, on a health insurance card
	ValidFrom        Name = "valid_from"      // of a health insurance card
	PassportNumber   Name = "passport_number" // on a foreigner's residence card
)

// Names lists all fields that recognition may give.
func Names() []Name {
	return []Name{Number, OldNumber, FullName, DateOfBirth, Sex, Nationality, PlaceOfOrigin, PlaceOfResidence, DateOfIssue, DateOfExpiry,
		PlaceOfBirth, Ethnicity, Religion, DocumentNumber, RegisterNumber, FatherName, MotherName, MotherNumber, WifeName, WifeBirth, HusbandName,
		HusbandBirth, MaritalStatus, DateOfDeath, LicenceClass, Clinic, ValidFrom, PassportNumber}
}

// Doubt is a reason why a value needs a look, as a stable code (for the interface to put in words).
type Doubt string

// The reasons recognition gives.
const (
	Disagreement   Doubt = "disagreement"    // two sources read different values
	CheckDigit     Doubt = "check-digit"     // an MRZ check digit failed
	ImpossibleDate Doubt = "impossible-date" // no such day, or not in the order birth < issue < expiry
	NumberMismatch Doubt = "number-mismatch" // province, century, sex or year of the number does not fit
	LowConfidence  Doubt = "low-confidence"
	Unknown        Doubt = "unknown-value" // not in the closed list (sex, province, nationality)
	Incomplete     Doubt = "incomplete"    // part of the value is missing or was cut
	Unseen         Doubt = "unseen"        // only a code says it, and no print that says the same was seen
)

// Point is a position in page pixels, as the page was scanned.
type Point struct {
	X float64 `json:"x"`
	Y float64 `json:"y"`
}

// Quad is a region of the page: top-left, top-right, bottom-right, bottom-left as a reader holding the
// paper upright sees it (so a card turned by 180° has its first corner at the lower right of the page).
type Quad [4]Point

// Field is one value with its provenance.
type Field struct {
	Value      string   `json:"value"`
	Source     Source   `json:"source"`
	Agrees     []Source `json:"agrees"`     // other sources that read the same value; never nil
	Confidence float64  `json:"confidence"` // calibrated: right in that share of cases
	Review     bool     `json:"review"`     // a person must look before it is used
	Doubts     []Doubt  `json:"doubts,omitempty"`
	Choices    []string `json:"choices,omitempty"` // of a value in review: others that may be meant, never put in its place by themselves
	Page       int      `json:"page,omitempty"`    // 1-based page Where lies on
	Where      *Quad    `json:"where,omitempty"`

	// Evidence is what each source said, in order of rank. Documents of before December 2026 have none.
	Evidence []Evidence `json:"evidence,omitempty"`
}

// Moved gives the field with its pages counted on by so many, for inputs that are numbered through.
func (f Field) Moved(pages int) Field {
	if f.Page > 0 {
		f.Page += pages
	}
	f.Evidence = slices.Clone(f.Evidence)
	for i := range f.Evidence {
		if f.Evidence[i].Page > 0 {
			f.Evidence[i].Page += pages
		}
	}
	return f
}

// Evidence is what one source said of a field: a value, and what speaks for it. It keeps this shape from where it was read to the
// document, so that another source can be laid over it at any time.
type Evidence struct {
	Value   string   `json:"value"`
	Source  Source   `json:"source"`
	Conf    float64  `json:"conf"`              // of print the probability of the least sure letter, of a code what its proof is worth
	Reread  bool     `json:"reread,omitempty"`  // the network read the same in the value's rows alone
	Second  bool     `json:"second,omitempty"`  // and so did Tesseract
	Marks   Marks    `json:"marks,omitempty"`   // of a name or a place: how clearly the marks of its letters were told
	Settled bool     `json:"settled,omitempty"` // made of a field that kept no evidence: Conf is that field's confidence
	Fits    []string `json:"fits,omitempty"`    // values of codes on the page that the pixels read here may as well be
	Doubts  []Doubt  `json:"doubts,omitempty"`
	Choices []string `json:"choices,omitempty"` // others that may be meant
	Code    Kind     `json:"code,omitempty"`    // of which kind of paper the QR symbol is that gave it; "" for other sources
	Page    int      `json:"page,omitempty"`
	Where   *Quad    `json:"where,omitempty"`
}

// Marks is how clearly the marks of a value's letters were told; "" where that was not asked, or in between.
type Marks string

// Sure is when every letter stood out and both networks see the same marks on it, open when others may as well stand there.
const (
	MarksSure Marks = "sure"
	MarksOpen Marks = "open"
)

// LogValue keeps the value out of logs.
func (e Evidence) LogValue() slog.Value { return slog.StringValue(e.String()) }

// String tells the source and the length alone.
func (e Evidence) String() string {
	return fmt.Sprintf("evidence(%s, %d bytes)", e.Source, len(e.Value))
}

// GoString is String, for %#v.
func (e Evidence) GoString() string { return e.String() }

// LogValue keeps the value out of logs.
func (f Field) LogValue() slog.Value {
	return slog.StringValue(f.String())
}

// String gives kind and length only: a careless %v leaks nothing.
func (f Field) String() string {
	return fmt.Sprintf("field(%s, %d bytes, review=%t)", f.Source, len(f.Value), f.Review)
}

// GoString is String, for %#v.
func (f Field) GoString() string { return f.String() }

// Document is one paper of one person: a card with both sides found is one document.
type Document struct {
	Type     Kind           `json:"type"`
	Page     int            `json:"page"`     // 1-based page of the first side
	Sides    []string       `json:"sides"`    // "front", "back"; empty for sheets
	Rotation int            `json:"rotation"` // clockwise degrees the paper was turned on the page: 0, 90, 180, 270
	Fields   map[Name]Field `json:"fields"`
	Where    *Quad          `json:"where,omitempty"` // outline of the first side
	Text     string         `json:"text,omitempty"`  // whole-page text of an Other sheet; of a Separator the procedure it names
	Copy     string         `json:"copy,omitempty"`  // what the symbol on a certified copy says; see qr.Copy
	Parts    []Part         `json:"-"`               // its sides, front first, for a copy of the paper; see ocr.Input.Words
}

// Part is one side of a paper as it lies on a page.
type Part struct {
	Page  int     // 1-based
	Side  string  // "front", "back", "" for sheets
	Where Quad    // its outline; of a sheet that was fed straight the whole page
	DPI   float64 // of the page; 0 where nothing says
	Words []Word  // in reading order
}

// String names the part without what stands on it.
func (p Part) String() string {
	return fmt.Sprintf("part(page %d, %s, %d words)", p.Page, p.Side, len(p.Words))
}

// GoString is String, for %#v.
func (p Part) GoString() string { return p.String() }

// LogValue keeps words out of logs.
func (p Part) LogValue() slog.Value { return slog.StringValue(p.String()) }

// Word is one word as read from print, whoever it belongs to.
type Word struct {
	Text  string // Unicode NFC
	Line  int    // words of one line, side by side without a wide gap, share it
	Where Quad   // on the page
}

// String tells the length alone.
func (w Word) String() string { return fmt.Sprintf("word(%d bytes)", len(w.Text)) }

// GoString is String, for %#v.
func (w Word) GoString() string { return w.String() }

// LogValue keeps the word out of logs.
func (w Word) LogValue() slog.Value { return slog.StringValue(w.String()) }

// String names the paper without any value.
func (d Document) String() string {
	return fmt.Sprintf("document(%s, page %d, %d fields)", d.Type, d.Page, len(d.Fields))
}

// GoString is String, for %#v.
func (d Document) GoString() string { return d.String() }

// LogValue keeps values out of logs.
func (d Document) LogValue() slog.Value { return slog.StringValue(d.String()) }
