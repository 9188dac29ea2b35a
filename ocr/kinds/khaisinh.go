package kinds

import (
	"slices"

	"motcua/ocr/paper"
)

// khaiSinh is a birth certificate: the forms of 2016 and later ("Họ, chữ đệm, tên"), of about 2006 to 2015 ("Họ và tên", father first), and
// those before, by typewriter, of which the labels vary.
var khaiSinh = Kind{
	ID: paper.KhaiSinh, VI: "Giấy khai sinh", EN: "Birth certificate", Shape: Sheet,
	Titles:   []Title{{Text: "GIAYKHAISINH"}},
	Marks:    []Mark{{"NGUOIKYGIAYKHAISINH"}, {"NGUOIDIKHAISINH"}},
	Labels:   birthLabels,
	Required: []paper.Name{paper.FullName, paper.DateOfBirth},
	Optional: []paper.Name{paper.RegisterNumber, paper.Sex, paper.Ethnicity, paper.Nationality, paper.PlaceOfBirth, paper.PlaceOfOrigin,
		paper.Number,
		paper.MotherName, paper.FatherName, paper.DateOfIssue},
	Source: "Circulars 15/2015/TT-BTP and 04/2020/TT-BTP; form TP/HT-2010 for the years before; typewritten forms of 1976 to 2005",
}

// birthLabels are those of a birth certificate of any time and of an extract of one.
var birthLabels = slices.Concat(
	labels(paper.RegisterNumber, "SO"), stop("QUYENSO"),
	labels(paper.FullName, "HOCHUDEMTEN", "HOVATEN", "HOCHUDEMVATEN"),
	labels(paper.DateOfBirth, "NGAYTHANGNAMSINH", "SINHNGAY"), stop("GHIBANGCHU", "VIETBANGCHU", "BANGCHU", "NAMSINH"),
	labels(paper.Sex, "GIOITINH", "NAMNU", "NAMHAYNU"),
	labels(paper.Ethnicity, "DANTOC"), labels(paper.Nationality, "QUOCTICH"),
	labels(paper.PlaceOfBirth, "NOISINH"), labels(paper.PlaceOfOrigin, "QUEQUAN"), labels(paper.Number, "SODINHDANHCANHAN"),
	of(Mother, labels(paper.MotherName, "HOCHUDEMTENNGUOIME", "HOVATENNGUOIME", "HOCHUDEMVATENNGUOIME", "HOVATENME", "HOTENME",
		"HOCHUDEMTENME")),
	of(Father, labels(paper.FatherName, "HOCHUDEMTENNGUOICHA", "HOVATENNGUOICHA", "HOCHUDEMVATENNGUOICHA", "HOVATENCHA", "HOTENCHA",
		"HOCHUDEMTENCHA")),
	of(Somebody, stop("PHANKHAIVECHAME", "HOCHUDEMTENNGUOIDIKHAISINH", "HOVATENNGUOIDIKHAISINH", "HOVATENNGUOIDUNGKHAI")),
	stop("GIAYTOTUYTHAN", "NOICUTRU", "TUOI", "NGHENGHIEP", "NOIDKTT", "NOITHUONGTRU", "NOIDKNKTT", "NOIDANGKYKHAISINH", "DANGKYKHAISINHTAI",
		"NOIDANGKY", "GHICHU"),
	labels(paper.DateOfIssue, "NGAYTHANGNAMDANGKY", "DANGKYNGAY"),
	stop("NGUOIKYGIAYKHAISINH", "NGUOITHUCHIEN", "CHUTICH", "GIAYKHAISINH", "TINHTP", "QUANHUYEN", "XAPHUONG"),
)
