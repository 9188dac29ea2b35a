package kinds

import "motcua/ocr/paper"

// cmnd is the card before 2016, of nine figures or (since 2012, in some provinces) twelve. None is valid since 1 January 2025; people
// still show it as evidence.
var cmnd = Kind{
	ID: paper.CMND, VI: "Giấy chứng minh nhân dân", EN: "Old identity card", Shape: Card,
	Titles: []Title{{Text: "GIAYCHUNGMINHNHANDAN", Side: "front"}, {Text: "CHUNGMINHNHANDAN", Side: "front"}},
	Marks: []Mark{{"NGUYENQUAN"}, {"NOIDKHKTHUONGTRU", "NOIDANGKYHOKHAUTHUONGTRU", "NOIDKNKTHUONGTRU", "NOIDKTHUONGTRU"}, originMark,
		residenceMark,
		{"DAUVETRIENGVADIHINH", "DAUVETRIENG"}, {"DANTOC"}, {"TONGIAO"}, fingersMark},
	Labels:   identityLabels,
	Required: []paper.Name{paper.Number, paper.FullName},
	Optional: []paper.Name{paper.DateOfBirth, paper.Sex, paper.PlaceOfOrigin, paper.PlaceOfResidence, paper.DateOfIssue, paper.DateOfExpiry,
		paper.Ethnicity, paper.Religion},
	Identity: true,
	Source:   "Decree 05/1999/ND-CP; Circular 57/2013/TT-BCA for the twelve-figure card; Law 26/2023/QH15, article 46",
}
