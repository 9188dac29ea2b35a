package procedure

import (
	"fmt"
	"slices"
	"strings"

	"motcua/agent/strict"
	"motcua/ocr/paper"
)

// Kind and Issuer are what a paper itself says of a person's identity paper, besides its fields: which kind
// it is, and who issues that kind. They stand in `from:` like the names of recognised fields.
const (
	Kind   paper.Name = "kind"
	Issuer paper.Name = "issuer"
)

// issuers are the authorities as the national portal words them. Cards of 2016 and older papers were
// issued by several: they are not guessed.
var issuers = map[paper.Kind]string{
	paper.CCCD:    "Cục Cảnh sát quản lý hành chính về trật tự xã hội",
	paper.CanCuoc: "Bộ Công an",
}

// part is one thing a form asks of a person.
type part struct {
	name     string
	field    Field // ID, Group and From are set by expand
	from     paper.Name
	required bool // where the entry says required
}

// parts in the order of the civil-status forms' blocks on a person.
var parts = []part{
	{"name", Field{Label: Text{"Họ, chữ đệm, tên", "Full name"}, Type: Name, MinLength: 2, MaxLength: 100}, paper.FullName, true},
	{"birth", Field{Label: Text{"Ngày, tháng, năm sinh", "Date of birth"}, Type: PastDate}, paper.DateOfBirth, true},
	{"sex", Field{Label: Text{"Giới tính", "Sex"}, Type: Choice, Choices: []Option{
		{Value: "Nam", Label: Text{"Nam", "Male"}}, {Value: "Nữ", Label: Text{"Nữ", "Female"}},
	}}, paper.Sex, true},
	{"ethnicity", Field{Label: Text{"Dân tộc", "Ethnic group"}, Type: Line, Default: "Kinh", MaxLength: 40}, paper.Ethnicity, true},
	{"nationality", Field{Label: Text{"Quốc tịch", "Nationality"}, Type: Line, MaxLength: 60}, paper.Nationality, true},
	{"origin", Field{Label: Text{"Quê quán", "Place of origin"}, Type: Address}, paper.PlaceOfOrigin, true},
	{"residence", Field{Label: Text{"Nơi cư trú", "Place of residence"}, Type: Address, Hint: Text{
		"Nơi thường trú; nếu không có thì nơi tạm trú, nơi đang ở", "Permanent, else temporary, else present residence"}}, paper.PlaceOfResidence,
		true},
	{"number", Field{Label: Text{"Số định danh cá nhân (12 số) hoặc CMND (9 số)", "Personal number (12 digits) or old card number (9 digits)"},
		Type: Person}, paper.Number, true},
	{"paper", Field{Label: Text{"Loại giấy tờ tùy thân", "Kind of identity paper"}, Type: Choice, Choices: []Option{
		{Value: "can-cuoc", Label: Text{"Thẻ căn cước", "Identity card of 2024"}},
		{Value: "cccd", Label: Text{"Thẻ căn cước công dân", "Citizen's identity card"}},
		{Value: "cccd-2016", Label: Text{"Thẻ căn cước công dân (mã vạch)", "Citizen's identity card (barcode)"}, Form: "Thẻ căn cước công dân"},
		{Value: "cmnd", Label: Text{"Chứng minh nhân dân", "Old identity card"}},
		{Value: "passport", Label: Text{"Hộ chiếu", "Passport"}},
	}}, Kind, false},
	{"issued", Field{Label: Text{"Ngày cấp giấy tờ", "Date of issue of the paper"}, Type: PastDate}, paper.DateOfIssue, false},
	{"issuer", Field{Label: Text{"Nơi cấp giấy tờ", "Issuer of the paper"}, Type: Line, MaxLength: 120}, Issuer, false},
	{"phone", Field{Label: Text{"Số điện thoại (nếu có)", "Telephone number (if any)"}, Type: Phone, Example: "0912 345 678"}, "", false},
	{"email", Field{Label: Text{"Email (nếu có)", "E-mail (if any)"}, Type: Email}, "", false},
}

// PartNames lists what an entry for a person may ask.
func PartNames() []string {
	names := make([]string, len(parts))
	for i, p := range parts {
		names[i] = p.name
	}
	return names
}

// expand replaces each entry for a person by its fields, in the order the entry names them, and notes where
// in the file every field stands.
func (p *Procedure) expand(f *strict.File) {
	var fields []Field
	for i, entry := range p.Fields {
		entry.at = fmt.Sprintf("fields[%d]", i)
		if entry.Person == "" {
			if len(entry.Parts)+len(entry.UnlessNumber)+len(entry.FromRoles) > 0 {
				f.Problem(entry.at, "parts, unless_number and from_roles belong to an entry with person")
			}
			fields = append(fields, entry)
			continue
		}
		fields = append(fields, p.person(entry, f)...)
	}
	p.Fields = fields
}

// allAsk tells whether the form asks a part of each of these persons: what it asks of one alone is known of none that stands for it.
func (p *Procedure) allAsk(roles []string, part string) bool {
	for _, role := range roles {
		if !slices.ContainsFunc(p.Fields, func(f Field) bool { return f.Person == role && slices.Contains(f.Parts, part) }) {
			return false
		}
	}
	return true
}

func (p *Procedure) person(entry Field, f *strict.File) []Field {
	if entry.ID != "" || entry.Type != "" {
		f.Problem(entry.at, "an entry with person takes its id, label and type from its parts")
	}
	if len(entry.Parts) == 0 {
		f.Problem(entry.at+".parts", "needs parts, some of %s", strings.Join(PartNames(), ", "))
	}
	for k, name := range entry.UnlessNumber {
		if !slices.Contains(entry.Parts, name) {
			f.Problem(fmt.Sprintf("%s.unless_number[%d]", entry.at, k), "%q is not among the parts", name)
		}
	}
	roles := entry.FromRoles
	if len(roles) == 0 {
		roles = []string{entry.Person}
	}
	var fields []Field
	for k, name := range entry.Parts {
		n := slices.IndexFunc(parts, func(one part) bool { return one.name == name })
		if n < 0 {
			f.Problem(fmt.Sprintf("%s.parts[%d]", entry.at, k), "%q is nothing a form asks of a person%s", name, strict.Meant(name, PartNames()))
			continue
		}
		one := parts[n]
		field := one.field
		field.ID, field.Group, field.at = entry.Person+"_"+name, entry.Person, entry.at
		field.Required = entry.Required && one.required
		field.When = slices.Clone(entry.When)
		if slices.Contains(entry.UnlessNumber, name) {
			field.When = append(field.When, Condition{Field: entry.Person + "_number", Op: Empty})
		}
		if role, ok := p.Role(entry.Person); ok && role.Same != nil && p.allAsk(role.Same.roles(), name) {
			field.When = append(field.When, role.Same.When.not())
		}
		if one.from != "" {
			for _, role := range roles {
				field.From = append(field.From, Source{role, one.from})
			}
		}
		fields = append(fields, field)
	}
	return fields
}
