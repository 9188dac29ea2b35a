package kinds

import "motcua/ocr/paper"

// cccd is the chip card of 2021 to 2024. Its QR symbol stands on the front, its MRZ (TD1) on the back.
var cccd = Kind{
	ID: paper.CCCD, VI: "Căn cước công dân gắn chip", EN: "Citizen identity card with chip", Shape: Card,
	Titles:   []Title{{Text: "CITIZENIDENTITYCARD", Side: "front", Shared: true}},
	Marks:    []Mark{originMark, residenceMark, nameMark, expiryMark, fingersMark, marksMark, policeMark, issueMark},
	Labels:   identityLabels,
	Required: []paper.Name{paper.Number, paper.FullName, paper.DateOfBirth},
	Optional: []paper.Name{paper.Sex, paper.Nationality, paper.PlaceOfOrigin, paper.PlaceOfResidence, paper.DateOfExpiry, paper.DateOfIssue,
		paper.OldNumber},
	CodeSide: "front",
	Beside: map[string][]paper.Name{
		"front": {paper.Number, paper.FullName, paper.DateOfBirth, paper.Sex, paper.PlaceOfResidence},
		"back":  {paper.DateOfIssue},
	},
	Identity: true, EndsOnBirthday: true, First: "2021-01-01",
	Source: "Circular 59/2021/TT-BCA; first issued by Decision 1368/QĐ-TTg of 3 September 2020",
}
