package kinds

import (
	"slices"

	"motcua/ocr/paper"
)

// gplx is a driver's licence: the yellow card of 2012 to 2024, that of 2025 and the pink one since March 2025. It looks much like an
// identity card and its twelve figures may even fit a personal number's rules, but they are the licence's number. No source tells the order
// of the fields in its QR symbol, so nothing is taken from it.
var gplx = Kind{
	ID: paper.GPLX, VI: "Giấy phép lái xe", EN: "Driver's licence", Shape: Card,
	Titles: []Title{{Text: "GIAYPHEPLAIXEDRIVERSLICENSE", Side: "front"}, {Text: "GIAYPHEPLAIXE", Side: "front"},
		{Text: "DRIVERSLICENSE", Side: "front", Shared: true}, {Text: "CLASSIFICATIONOFMOTORVEHICLES", Side: "back", Shared: true}},
	Marks: []Mark{{"HANGCLASS"}, {"NOICUTRUADDRESS"}, {"COGIATRIDENEXPIRES", "NGAYHETHANEXPIRATIONDATE"}, {"BOGTVT"}, {"CUCCANHSATGIAOTHONG",
		"SOGIAOTHONGVANTAI"},
		{"CACLOAIXECOGIOIDUONGBODUOCDIEUKHIEN"}, {"NGAYTRUNGTUYEN"}},
	Labels: slices.Concat(
		labels(paper.DocumentNumber, "SONO", "SO"),
		labels(paper.FullName, "HOTENFULLNAME", "HOTEN", "FULLNAME", "HOVATEN"),
		labels(paper.DateOfBirth, "NGAYSINHDATEOFBIRTH", "NGAYSINH", "DATEOFBIRTH"),
		labels(paper.Nationality, "QUOCTICHNATIONALITY", "QUOCTICH", "NATIONALITY"),
		labels(paper.PlaceOfResidence, "NOICUTRUADDRESS", "NOICUTRU"),
		labels(paper.LicenceClass, "HANGCLASS", "HANG"),
		labels(paper.DateOfExpiry, "COGIATRIDENEXPIRES", "COGIATRIDEN", "NGAYHETHANEXPIRATIONDATE", "NGAYHETHAN"),
		labels(paper.DateOfIssue, "NGAYCAPDATEOFISSUE", "NGAYCAP"),
		stop("COQUANCAPISSUINGAUTHORITY", "COQUANCAP", "BOGTVT", "GIAYPHEPLAIXE", "NGAYDATE"), heads,
	),
	Required: []paper.Name{paper.DocumentNumber, paper.FullName},
	Optional: []paper.Name{paper.DateOfBirth, paper.Nationality, paper.PlaceOfResidence, paper.LicenceClass, paper.DateOfIssue,
		paper.DateOfExpiry},
	Source: "Circulars 35/2024/TT-BGTVT (form 1) and 12/2025/TT-BCA; public label lists",
}
