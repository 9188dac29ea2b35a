package kinds

import (
	"slices"

	"motcua/ocr/paper"
)

// ketHon is a marriage certificate, of 2016 and later with the wife first, or of 2010 with the husband first.
var ketHon = Kind{
	ID: paper.KetHon, VI: "Giấy chứng nhận kết hôn", EN: "Marriage certificate", Shape: Sheet,
	Titles: []Title{{Text: "GIAYCHUNGNHANKETHON"}}, Labels: marriageLabels,
	Required: []paper.Name{paper.WifeName, paper.HusbandName},
	Optional: []paper.Name{paper.RegisterNumber, paper.WifeBirth, paper.HusbandBirth, paper.DateOfIssue},
	Source:   "Circulars 15/2015/TT-BTP and 04/2020/TT-BTP; form TP/HT-2010-KH2",
}

var marriageLabels = slices.Concat(
	labels(paper.RegisterNumber, "SO"), stop("QUYENSO"),
	of(Wife, labels(paper.WifeName, "HOCHUDEMTENVO", "HOVATENVO", "HOCHUDEMVATENVO")),
	of(Husband, labels(paper.HusbandName, "HOCHUDEMTENCHONG", "HOVATENCHONG", "HOCHUDEMVATENCHONG")),
	labels(Birth, "NGAYTHANGNAMSINH", "NGAYSINH"),
	stop("DANTOC", "QUOCTICH", "NOICUTRU", "GIAYTOTUYTHAN", "NOITHUONGTRUTAMTRU", "SOGIAYCMNDHOCHIEU", "NOIDANGKYKETHON", "DANGKYKETHONTAI",
		"NOIDANGKY", "GHICHU"),
	labels(paper.DateOfIssue, "NGAYTHANGNAMDANGKY"),
	stop("NGUOIKYGIAYCHUNGNHANKETHON", "NGUOIKYTRICHLUC", "NGUOITHUCHIEN"),
)

// honNhan is a certificate of marital status. The first name on it is the applicant's, who may be another.
var honNhan = Kind{
	ID: paper.HonNhan, VI: "Giấy xác nhận tình trạng hôn nhân", EN: "Certificate of marital status", Shape: Sheet,
	Titles: []Title{{Text: "GIAYXACNHANTINHTRANGHONNHAN"}},
	Labels: slices.Concat(
		labels(paper.RegisterNumber, "SO"),
		stop("XETDENGHICUAONGBA", "VEVIECCAPGIAYXACNHANTINHTRANGHONNHANCHO", "XACNHAN"),
		labels(paper.FullName, "HOCHUDEMTEN", "HOVATEN", "HOCHUDEMVATEN"),
		labels(paper.DateOfBirth, "NGAYTHANGNAMSINH"), labels(paper.Sex, "GIOITINH"), labels(paper.Ethnicity, "DANTOC"),
		labels(paper.Nationality, "QUOCTICH"),
		stop("GIAYTOTUYTHAN"),
		labels(paper.PlaceOfResidence, "NOICUTRU"), stop("TRONGTHOIGIANCUTRUTAI"),
		labels(paper.MaritalStatus, "TINHTRANGHONNHAN"),
		stop("GIAYNAYCOGIATRISUDUNGTRONGTHOIHAN", "NGUOIKYGIAYXACNHAN", "GIAYXACNHANTINHTRANGHONNHAN"),
	),
	Required: []paper.Name{paper.FullName, paper.MaritalStatus},
	Optional: []paper.Name{paper.RegisterNumber, paper.DateOfBirth, paper.Sex, paper.Ethnicity, paper.Nationality, paper.PlaceOfResidence,
		paper.DateOfIssue},
	Source: "Circular 04/2020/TT-BTP",
}
