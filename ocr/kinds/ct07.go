package kinds

import (
	"slices"

	"motcua/ocr/paper"
)

// ct07 is the police's confirmation of residence.
var ct07 = Kind{
	ID: paper.CT07, VI: "Xác nhận thông tin về cư trú (CT07)", EN: "Confirmation of residence", Shape: Sheet,
	Titles: []Title{{Text: "XACNHANTHONGTINVECUTRU"}, {Text: "MAUCTBANHANHKEMTHEO"}},
	Labels: slices.Concat(
		labels(paper.FullName, "HOCHUDEMVATEN", "HOVATEN"),
		of(Somebody, stop("HOCHUDEMVATENCHUHO", "HOVATENCHUHO", "QUANHEVOICHUHO", "SODINHDANHCANHANCUACHUHO", "SODINHDANHCANHANCHUHO",
			"THONGTINCACTHANHVIENKHACTRONGHOGIADINH")),
		labels(paper.DateOfBirth, "NGAYTHANGNAMSINH"), labels(paper.Sex, "GIOITINH"),
		labels(paper.Number, "SODINHDANHCANHAN", "SODINHDANHCANHANCMND"),
		labels(paper.Ethnicity, "DANTOC"), labels(paper.Religion, "TONGIAO"), labels(paper.Nationality, "QUOCTICH"), labels(paper.PlaceOfOrigin,
			"QUEQUAN"),
		labels(paper.PlaceOfResidence, "NOITHUONGTRU"),
		stop("NOIDANGKYKHAISINH", "NOITAMTRU", "NOIOHIENTAI", "THOIHANCUAXACNHAN", "CONGANXACNHANTHONGTIN", "THEODENGHICUA"),
	),
	Required: []paper.Name{paper.FullName, paper.Number},
	Optional: []paper.Name{paper.DateOfBirth, paper.Sex, paper.Ethnicity, paper.Religion, paper.Nationality, paper.PlaceOfOrigin,
		paper.PlaceOfResidence, paper.DateOfIssue},
	Source: "Circular 66/2023/TT-BCA, form CT07",
}
