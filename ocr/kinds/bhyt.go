package kinds

import (
	"slices"

	"motcua/ocr/paper"
)

// bhyt is a health insurance card: since April 2021 with ten figures of social insurance, before with fifteen signs. Its QR symbol is
// taken apart by qr.Insurance.
var bhyt = Kind{
	ID: paper.BHYT, VI: "Thẻ bảo hiểm y tế", EN: "Health insurance card", Shape: Card,
	Titles: []Title{{Text: "THEBAOHIEMYTE", Side: "front"}},
	// Whoever issues it heads receipts, books and letters, too: a mark, and no title.
	Marks: []Mark{{"BAOHIEMXAHOIVIETNAM"}, {"NOIDKKCBBD", "NOIDANGKYKCBBD", "NOIDANGKYKHAMCHUABENHBANDAU"}, {"GIATRISUDUNG"},
		{"THOIDIEMDUNAMLIENTUC"}, {"NOICAPDOITHEBHYT"}, {"MAMUCHUONG"}},
	Labels: slices.Concat(
		labels(paper.DocumentNumber, "MASO", "SOTHE"),
		labels(paper.FullName, "HOVATEN", "HOTEN"),
		labels(paper.DateOfBirth, "NGAYSINH"), labels(paper.Sex, "GIOITINH"),
		labels(paper.PlaceOfResidence, "DIACHI"),
		labels(paper.Clinic, "NOIDKKCBBD", "NOIDANGKYKCBBD", "NOIDANGKYKHAMCHUABENHBANDAU"),
		labels(paper.ValidFrom, "GIATRISUDUNG", "GIATRISUDUNGTUNGAY"),
		stop("THOIDIEMDUNAMLIENTUC", "NOICAPDOITHEBHYT", "MAMUCHUONG", "BAOHIEMXAHOIVIETNAM", "THEBAOHIEMYTE", "MAMUC"), heads,
	),
	Required: []paper.Name{paper.DocumentNumber, paper.FullName},
	Optional: []paper.Name{paper.DateOfBirth, paper.Sex, paper.PlaceOfResidence, paper.Clinic, paper.ValidFrom},
	CodeSide: "front",
	Beside:   map[string][]paper.Name{"front": {paper.DocumentNumber, paper.FullName, paper.DateOfBirth, paper.Sex, paper.ValidFrom}},
	Source:   "Decision 1666/QĐ-BHXH of 3 December 2020; the symbol's fields from public decoders",
}
