// Package fields is the table of what papers say of people: one row a field, with its name in both languages and its type. The type
// says how a value is read, tidied, compared and shown, and what makes it trusted; each stage of recognition has one function a
// type (it is read in field/card.go: see reader), and nothing asks for a field by name where its type will do.
package fields

import "motcua/ocr/paper"

// Type is the kind of value a field holds.
type Type int

// The types.
const (
	Text       Type = iota // words that nothing checks
	PersonName             // a person's name
	Personal               // twelve figures, or a CMND's nine
	Serial                 // a paper's own number: a letter or two and 6 to 13 figures, or 9 to 13 figures; no other is read
	Register               // a number in a register, "118/2016"
	Birthday               // a day, or the year alone
	Day                    // a day
	Expiry                 // a day, or "Không thời hạn"
	Sex                    // "Nam" or "Nữ"
	Nation                 // a nationality
	Place                  // an address or a part of one, over several lines perhaps
	People                 // one of the 54 ethnicities
	Faith                  // a religion
	Class                  // of a licence
)

// Row is one field.
type Row struct {
	Name   paper.Name
	VI, EN string
	Type   Type
}

// All are the fields.
var All = []Row{
	{paper.Number, "Số định danh cá nhân", "Personal number", Personal},
	{paper.OldNumber, "Số CMND cũ", "Old identity number", Personal},
	{paper.MotherNumber, "Số giấy tờ của mẹ", "Mother's identity number", Personal},
	{paper.DocumentNumber, "Số giấy tờ", "Number of the paper", Serial},
	{paper.PassportNumber, "Số hộ chiếu", "Passport number", Serial},
	{paper.RegisterNumber, "Số đăng ký", "Number in the register", Register},
	{paper.FullName, "Họ, chữ đệm và tên", "Full name", PersonName},
	{paper.FatherName, "Họ tên cha", "Father's name", PersonName},
	{paper.MotherName, "Họ tên mẹ", "Mother's name", PersonName},
	{paper.WifeName, "Họ tên vợ", "Wife's name", PersonName},
	{paper.HusbandName, "Họ tên chồng", "Husband's name", PersonName},
	{paper.DateOfBirth, "Ngày sinh", "Date of birth", Birthday},
	{paper.WifeBirth, "Ngày sinh của vợ", "Wife's date of birth", Birthday},
	{paper.HusbandBirth, "Ngày sinh của chồng", "Husband's date of birth", Birthday},
	{paper.DateOfDeath, "Ngày chết", "Date of death", Day},
	{paper.DateOfIssue, "Ngày cấp", "Date of issue", Day},
	{paper.ValidFrom, "Giá trị từ ngày", "Valid from", Day},
	{paper.DateOfExpiry, "Có giá trị đến", "Date of expiry", Expiry},
	{paper.Sex, "Giới tính", "Sex", Sex},
	{paper.Nationality, "Quốc tịch", "Nationality", Nation},
	{paper.PlaceOfOrigin, "Quê quán", "Place of origin", Place},
	{paper.PlaceOfResidence, "Nơi thường trú", "Place of residence", Place},
	{paper.PlaceOfBirth, "Nơi đăng ký khai sinh", "Place of birth", Place},
	{paper.Ethnicity, "Dân tộc", "Ethnicity", People},
	{paper.Religion, "Tôn giáo", "Religion", Faith},
	{paper.MaritalStatus, "Tình trạng hôn nhân", "Marital status", Text},
	{paper.Clinic, "Nơi đăng ký khám chữa bệnh ban đầu", "Clinic of first care", Text},
	{paper.LicenceClass, "Hạng", "Class", Class},
}

var types = func() map[paper.Name]Type {
	m := map[paper.Name]Type{}
	for _, r := range All {
		m[r.Name] = r.Type
	}
	return m
}()

// TypeOf gives a field's type; of a field without a row it is Text, which is trusted least.
func TypeOf(n paper.Name) Type { return types[n] }

// IsDate says whether a type is a day.
func (t Type) IsDate() bool { return t == Birthday || t == Day || t == Expiry }
