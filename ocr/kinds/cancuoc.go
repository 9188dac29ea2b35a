package kinds

import "motcua/ocr/paper"

// canCuoc is the card of the Law on Identification. QR symbol and MRZ stand on its back.
var canCuoc = Kind{
	ID: paper.CanCuoc, VI: "Thẻ căn cước", EN: "Identity card (2024)", Shape: Card,
	Titles: []Title{{Text: "CANCUOCIDENTITYCARD", Side: "front"}, {Text: "IDENTITYCARD", Side: "front", Shared: true}},
	Marks: []Mark{
		{"SODINHDANHCANHAN", "PERSONALIDENTIFICATIONNUMBER"}, {"HOCHUDEMVATENKHAISINH", "HOCHUDEMVATEN"}, {"NGAYTHANGNAMSINHDATEOFBIRTH"},
		{"NOIDANGKYKHAISINH", "NOIDANGKYKHAISINHPLACEOFBIRTH"}, {"NOICUTRUPLACEOFRESIDENCE"}, {"NGAYTHANGNAMHETHAN"}, {"NGAYTHANGNAMCAP"},
		{"BOCONGANMINISTRYOFPUBLICSECURITY", "MINISTRYOFPUBLICSECURITY"},
	},
	Labels:   identityLabels,
	Required: []paper.Name{paper.Number, paper.FullName, paper.DateOfBirth},
	Optional: []paper.Name{paper.Sex, paper.Nationality, paper.PlaceOfResidence, paper.PlaceOfBirth, paper.DateOfExpiry, paper.DateOfIssue,
		paper.OldNumber},
	CodeSide: "back",
	Beside: map[string][]paper.Name{
		"front": {paper.Number, paper.FullName, paper.DateOfBirth, paper.Sex},
		"back":  {paper.PlaceOfResidence, paper.DateOfIssue},
	},
	Identity: true, English: true, EndsOnBirthday: true, First: "2024-07-01",
	Source: "Circular 16/2024/TT-BCA; Law 26/2023/QH15, in force since 1 July 2024",
}
