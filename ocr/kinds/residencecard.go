package kinds

import (
	"slices"

	"motcua/ocr/paper"
)

// theTamTru and theThuongTru are the cards of foreigners who live in Vietnam. Current forms, their MRZ and their symbol are not
// published: an MRZ on one is a foreigner's, and nothing is taken from it.
var (
	theTamTru = Kind{
		ID: paper.TheTamTru, VI: "Thẻ tạm trú (người nước ngoài)", EN: "Foreigner's temporary residence card", Shape: Card,
		Titles:   []Title{{Text: "THETAMTRU", Side: "front"}, {Text: "TEMPORARYRESIDENCECARD", Side: "front", Shared: true}},
		Marks:    residenceCardMarks,
		Labels:   residenceCardLabels,
		Required: []paper.Name{paper.DocumentNumber, paper.FullName},
		Optional: residenceCardFields,
		Source:   residenceCardSource,
	}
	theThuongTru = Kind{
		ID: paper.TheThuongTru, VI: "Thẻ thường trú (người nước ngoài)", EN: "Foreigner's permanent residence card", Shape: Card,
		Titles:   []Title{{Text: "THETHUONGTRU", Side: "front"}, {Text: "PERMANENTRESIDENCECARD", Side: "front", Shared: true}},
		Marks:    residenceCardMarks,
		Labels:   residenceCardLabels,
		Required: []paper.Name{paper.DocumentNumber, paper.FullName},
		Optional: residenceCardFields,
		Source:   residenceCardSource,
	}
)

const residenceCardSource = "Circulars 04/2015/TT-BCA, article 4, and 70/2026/TT-BCA; labels of the older permanent card"

var (
	residenceCardMarks = []Mark{{"MANGHOCHIEUCUA", "HOCHIEUSO"}, {"CUCQUANLYXUATNHAPCANHCAPCHO", "CUCQUANLYXUATNHAPCANH"},
		{"THENAYCOGIATRIDENNGAY"}, {"TRUONGPHONGQUANLYXNC"}}
	residenceCardFields = []paper.Name{paper.DateOfBirth, paper.Sex, paper.Nationality, paper.PassportNumber, paper.PlaceOfResidence,
		paper.DateOfIssue, paper.DateOfExpiry}
	residenceCardLabels = slices.Concat(
		[]Label{{Field: paper.DocumentNumber, Text: "SO", Behind: "MANGHOCHIEUCUA", There: paper.PassportNumber}},
		labels(paper.DocumentNumber, "SONO", "SOTHE"),
		labels(paper.FullName, "HOTEN", "HOVATEN", "FULLNAME"),
		labels(paper.Sex, "GIOITINH", "SEX"),
		labels(paper.DateOfBirth, "SINHNGAY", "NGAYSINH", "DATEOFBIRTH"),
		labels(paper.Nationality, "QUOCTICH", "NATIONALITY", "MANGHOCHIEUCUA"),
		labels(paper.PassportNumber, "HOCHIEUSO", "SOHOCHIEU", "PASSPORTNO"),
		labels(paper.PlaceOfResidence, "THUONGTRUTAI", "TAMTRUTAI", "DIACHI"),
		labels(paper.DateOfExpiry, "THENAYCOGIATRIDENNGAY", "COGIATRIDEN", "COGIATRIDENNGAY", "DATEOFEXPIRY"),
		labels(paper.DateOfIssue, "CAPNGAY", "NGAYCAP", "DATEOFISSUE"),
		stop("CUCQUANLYXUATNHAPCANHCAPCHO", "TRUONGPHONGQUANLYXNC", "THETAMTRU", "THETHUONGTRU"), heads,
	)
)
