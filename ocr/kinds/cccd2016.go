package kinds

import "motcua/ocr/paper"

// cccd2016 is the card of 2016 to 2021, without English, chip or QR symbol. By the circular a two-dimensional barcode stands on its
// back; no reader of it is known.
var cccd2016 = Kind{
	ID: paper.CCCD2016, VI: "Căn cước công dân mã vạch", EN: "Citizen identity card with barcode", Shape: Card,
	Titles:   []Title{{Text: "CANCUOCCONGDAN", Side: "front"}}, // and the chip card, if anything English stands on it
	Marks:    []Mark{originMark, residenceMark, fingersMark, marksMark, policeMark},
	Labels:   identityLabels,
	Required: []paper.Name{paper.Number, paper.FullName, paper.DateOfBirth},
	Optional: []paper.Name{paper.Sex, paper.Nationality, paper.PlaceOfOrigin, paper.PlaceOfResidence, paper.DateOfExpiry, paper.DateOfIssue},
	Identity: true, EndsOnBirthday: true, First: "2016-01-01",
	Source: "Circular 61/2015/TT-BCA; Law 59/2014/QH13, in force since 1 January 2016",
}
