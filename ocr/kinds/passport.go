package kinds

import (
	"slices"

	"motcua/ocr/paper"
)

// passport is the data page of Vietnam's passports, green or blue. Its MRZ (TD3) begins with P<VNM; another country's is no paper of
// ours. The labels of the blue one of since 2023 part family name and given names.
var passport = Kind{
	ID: paper.Passport, VI: "Hộ chiếu", EN: "Passport", Shape: Booklet,
	Titles: []Title{{Text: "HOCHIEUPASSPORT"}},
	Marks: []Mark{{"SOHOCHIEUPASSPORTNO", "SOHOCHIEU"}, {"SOGCMNDIDCARDNO", "SOGCMND", "SODDCNCMND", "SODDCNCMNDIDNO"}, {"NOICAPPLACEOFISSUE"},
		{"HOSURNAME"}, {"CHUDEMVATENGIVENNAMES"}, {"NOISINHPLACEOFBIRTH"}, nameMark, expiryMark}, // the last two stand on the chip card, too
	Labels: slices.Concat(
		labels(paper.DocumentNumber, "SOHOCHIEUPASSPORTNO", "SOHOCHIEUPASSPORT", "SOHOCHIEU", "PASSPORTNO", "HOCHIEUSO"),
		labels(paper.Number, "SOGCMND", "IDCARDNO", "SODDCNCMND", "SODINHDANHCANHAN", "PERSONALNO"),
		labels(paper.FullName, "HOVATEN", "FULLNAME"),
		labels(Surname, "HOSURNAME", "SURNAME"), labels(Given, "CHUDEMVATENGIVENNAMES", "GIVENNAMES"),
		labels(paper.DateOfBirth, "NGAYSINH", "DATEOFBIRTH"),
		labels(paper.Sex, "GIOITINH", "SEX"),
		labels(paper.Nationality, "QUOCTICH", "NATIONALITY"),
		labels(paper.PlaceOfBirth, "NOISINH", "PLACEOFBIRTH"),
		labels(paper.DateOfIssue, "NGAYCAP", "DATEOFISSUE"),
		labels(paper.DateOfExpiry, "COGIATRIDEN", "DATEOFEXPIRY", "NGAYHETHAN"),
		stop("NOICAP", "PLACEOFISSUE", "HOCHIEUPASSPORT", "LOAITYPE", "MASOCODE"), heads,
	),
	Required: []paper.Name{paper.DocumentNumber, paper.FullName, paper.DateOfBirth},
	Optional: []paper.Name{paper.Number, paper.Sex, paper.Nationality, paper.PlaceOfBirth, paper.DateOfIssue, paper.DateOfExpiry},
	Identity: true,
	Source:   "Circular 31/2023/TT-BCA, article 2; ICAO 9303 part 4; a public label list for the passport of 2023",
}
