package kinds

// Unlike are titles and heads of papers that look like a known kind and are none: cards of the same size with a name, a birth date
// and often twelve figures, and declarations, which quote the titles of what they ask for. A paper that bears one is paper.Other,
// unless a known kind's own title fits better. The list only helps: what is not in it is told by nothing, and is Other as well.
var Unlike = []string{
	// cards
	"THESINHVIEN", "THEHOCSINH", "STUDENTCARD", "THEHOCVIEN", "THENHANVIEN", "THECANBO", "THECONGCHUC", "THECONGCHUCVIENCHUC", "STAFFCARD",
	"EMPLOYEECARD",
	"THEDANGVIEN", "DANGCONGSANVIETNAM", "THEDOANVIEN", "THENHABAO", "PRESSCARD", "THECUTRI", "THELUATSU", "THETHUVIEN", "LIBRARYCARD",
	"THETHANHVIEN",
	"MEMBERCARD", "CHUNGMINHSIQUAN", "GIAYCHUNGMINHSIQUAN", "CHUNGMINHQUANNHANCHUYENNGHIEP", "CHUNGMINHCONGANNHANDAN",
	"GIAYCHUNGMINHCONGANNHANDAN",
	"CHUNGNHANCANCUOC", "GIAYCHUNGNHANCANCUOC", "CHUNGNHANDANGKYXE", "GIAYDANGKYXE", "THEDULICH", "THEHUONGDANVIEN", "THETHUONGBINH",
	"THENGUOICAOTUOI",
	"GIAYXACNHANKHUYETTAT", "RESIDENCEPERMIT", "DRIVINGLICENCE", "DRIVINGLICENSE", "CARTENATIONALEDIDENTITE", "PERSONALAUSWEIS",
	// sheets
	"TOKHAI", "PHIEUYEUCAU", "PHIEUKHAIBAO", "DONDENGHI", "DONXIN", "GIAYHEN", "GIAYTIEPNHANHOSO", "BIENNHAN", "BIENLAI", "HOADON", "GIAYMOI",
	"QUYETDINH",
	"GIAYUYQUYEN", "GIAYPHEPLAODONG", "WORKPERMIT", "HOPDONG", "CONGVAN", "GIAYGIOITHIEU", "SOHOKHAU", "CANCUOCDIENTU",
	// a screen, with the labels of the card of 2024
	"VNEID",
}

// Common are marks of identity cards that stand on other papers about a person, too: of themselves they tell little.
var Common = []string{
	"QUEQUAN", "NGUYENQUAN", "NOITHUONGTRU", "NOIDKHKTHUONGTRU", "NOIDANGKYHOKHAUTHUONGTRU", "NOIDKNKTHUONGTRU", "NOIDKTHUONGTRU", "DANTOC",
	"TONGIAO", "SODINHDANHCANHAN", "HOCHUDEMVATENKHAISINH", "HOCHUDEMVATEN", "NOIDANGKYKHAISINH",
}

// Strange are labels that stand on no identity card: who names a card's number, a calling or a telephone is another paper.
var Strange = []string{
	"SOCCCD", "SOCMND", "SOCMNDCCCD", "CMNDSO", "CCCDSO", "SOCANCUOCCONGDAN", "SOCHUNGMINHNHANDAN", "NGHENGHIEP",
	"NGHENGHIEPNOILAMVIEC", "CHUCVU",
	"CHUCDANH", "DONVI", "DONVICONGTAC", "SODIENTHOAI", "DIENTHOAI", "NOIOHIENNAY", "NOIOHIENTAI", "NOITAMTRU", "QUANHEVOICHUHO", "NOILAMVIEC",
	"TRINHDOVANHOA", "TRINHDOHOCVAN", "BIENSO",
}
