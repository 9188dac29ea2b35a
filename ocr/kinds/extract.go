package kinds

import (
	"slices"

	"motcua/ocr/paper"
)

// Extracts from the registers of civil status, with the labels of the certificates and the number and day of the registration.
var (
	trichLucKhaiSinh = Kind{
		ID: paper.TrichLucKhaiSinh, VI: "Trích lục khai sinh", EN: "Extract of a birth registration", Shape: Sheet,
		Titles: []Title{{Text: "TRICHLUCKHAISINH"}}, Labels: slices.Concat(birthLabels, stop("NGUOIKYTRICHLUC")),
		Required: khaiSinh.Required, Optional: khaiSinh.Optional, Source: extractSource,
	}
	trichLucKetHon = Kind{
		ID: paper.TrichLucKetHon, VI: "Trích lục kết hôn", EN: "Extract of a marriage registration", Shape: Sheet,
		Titles: []Title{{Text: "TRICHLUCKETHON"}}, Labels: marriageLabels,
		Required: ketHon.Required, Optional: ketHon.Optional, Source: extractSource,
	}
	trichLucKhaiTu = Kind{
		ID: paper.TrichLucKhaiTu, VI: "Trích lục khai tử", EN: "Extract of a death registration", Shape: Sheet,
		Titles: []Title{{Text: "TRICHLUCKHAITU"}, {Text: "GIAYCHUNGTU"}}, Labels: deathLabels,
		Required: []paper.Name{paper.FullName, paper.DateOfDeath},
		Optional: []paper.Name{paper.RegisterNumber, paper.DateOfBirth, paper.Sex, paper.Ethnicity, paper.Nationality, paper.Number,
			paper.PlaceOfResidence},
		Source: extractSource,
	}
)

const extractSource = "Circulars 15/2015/TT-BTP and 04/2020/TT-BTP, extracts"

// deathLabels are those of an extract of a death registration and of a death notice.
var deathLabels = slices.Concat(
	labels(paper.RegisterNumber, "SO"), stop("QUYENSO"),
	labels(paper.FullName, "HOCHUDEMTEN", "HOVATEN", "HOVATENNGUOITUVONG", "HOCHUDEMTENNGUOICHET", "HOVATENNGUOICHET"),
	labels(paper.DateOfBirth, "NGAYTHANGNAMSINH", "SINHNGAY"), labels(paper.Sex, "GIOITINH"), labels(paper.Ethnicity, "DANTOC"),
	labels(paper.Nationality, "QUOCTICH"),
	labels(paper.Number, "SODINHDANHCANHAN"), stop("GIAYTOTUYTHAN"),
	labels(paper.PlaceOfResidence, "NOITHUONGTRU", "NOICUTRU", "NOICUTRUCUOICUNG", "NOITHUONGTRUTAMTRUCUOICUNG"),
	stop("VAOCOSOKCBLUC", "VAOCOSOKHAMBENHCHUABENHLUC"),
	labels(paper.DateOfDeath, "DACHETVAOLUC", "TUVONGLUC", "CHETVAOLUC"),
	stop("GHIBANGCHU", "NOICHET", "NGUYENNHANCHET", "NGUYENNHANTUVONG", "GIAYBAOTUGIAYTOHOPLETHAYTHE"),
	of(Somebody, stop("HOCHUDEMTENNGUOIDIKHAITU", "HOVATENNGUOIDIKHAITU")),
	stop("DAUOCDANGKYKHAITUTAI", "DADUOCDANGKYKHAITUTAI", "DANGKYKHAITUTAI", "GHICHU", "NGUOIKYTRICHLUC"),
)

// baoTu is a death notice, by a hospital (two times stand on it: of admission and of death) or by a commune.
var baoTu = Kind{
	ID: paper.BaoTu, VI: "Giấy báo tử", EN: "Death notice", Shape: Sheet,
	Titles: []Title{{Text: "GIAYBAOTU"}}, Labels: deathLabels,
	Required: []paper.Name{paper.FullName, paper.DateOfDeath},
	Optional: []paper.Name{paper.RegisterNumber, paper.DateOfBirth, paper.Sex, paper.Ethnicity, paper.Nationality, paper.Number,
		paper.PlaceOfResidence},
	Source: "Circular 24/2020/TT-BYT; communes' notices",
}

// chungSinh is a birth notice, by which a birth is registered. All numbers on it are the mother's.
var chungSinh = Kind{
	ID: paper.ChungSinh, VI: "Giấy chứng sinh", EN: "Birth notice", Shape: Sheet,
	Titles: []Title{{Text: "GIAYCHUNGSINH"}},
	Labels: slices.Concat(
		labels(paper.RegisterNumber, "SO"), stop("QUYENSO"),
		labels(paper.MotherName, "HOVATENMENGUOINUOIDUONG", "HOVATENME", "HOCHUDEMTENME"), stop("NAMSINH", "NGAYTHANGNAMSINH"),
		stop("NOIDANGKYTHUONGTRU", "NOITHUONGTRU", "NOICUTRU", "MASOBHXHTHEBHYTSO", "NGAYCAP", "NOICAP", "DANTOC"),
		labels(paper.MotherNumber, "GIAYCMNDTHECANCUOCHOCHIEUSO", "SODINHDANHCANHAN", "CMNDHOCHIEUSO", "GIAYCMNDHOCHIEUSO"),
		labels(paper.FatherName, "HOVATENCHA", "HOCHUDEMTENCHA"),
		labels(paper.DateOfBirth, "DASINHCONVAOLUC"),
		labels(paper.PlaceOfBirth, "TAI"), stop("SOCONTRONGLANSINHNAY"),
		labels(paper.Sex, "GIOITINHCUACON", "GIOITINH"), stop("CANNANG"),
		labels(paper.FullName, "DUDINHDATTENCONLA", "DUDINHDATTENCON"),
		stop("GHICHU", "CHAMENGUOINUOIDUONG", "NGUOIDODE", "NGUOIGHIPHIEU"),
	),
	Required: []paper.Name{paper.MotherName, paper.DateOfBirth},
	Optional: []paper.Name{paper.RegisterNumber, paper.MotherNumber, paper.FatherName, paper.PlaceOfBirth, paper.Sex, paper.FullName},
	Source:   "Circular 56/2017/TT-BYT, form; 22/2025/TT-BYT since October 2025, of which the labels are not published",
}
