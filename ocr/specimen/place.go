package specimen

import (
	"math/rand/v2"

	"motcua/ocr/vn"
)

type place struct {
	ward, district string
	Province       vn.Province
}

func (p place) String() string {
	return p.ward + ", " + p.district + ", " + p.Province.Name
}

// places are real communes; who lives there is invented.
var places = [][3]string{
	{"Phúc Xá", "Ba Đình", "001"}, {"Yên Hòa", "Cầu Giấy", "001"}, {"Tân Lập", "Đan Phượng", "001"}, {"Kim Chung", "Đông Anh", "001"},
	{"Văn Quán", "Hà Đông", "001"}, {"Xuân Hồng", "Xuân Trường", "036"}, {"Trực Thái", "Trực Ninh", "036"}, {"Hải Hậu", "Hải Hậu", "036"},
	{"Quỳnh Lưu", "Nho Quan", "037"}, {"Gia Sinh", "Gia Viễn", "037"}, {"Đông Hải", "An Dương", "031"}, {"Minh Tân", "Thủy Nguyên", "031"},
	{"Hòa Khánh Nam", "Liên Chiểu", "048"}, {"Thanh Khê Tây", "Thanh Khê", "048"}, {"Vĩnh Ninh", "Huế", "046"}, {"Phú Mậu", "Phú Vang", "046"},
	{"Phường 5", "Gò Vấp", "079"}, {"Phường 12", "Bình Thạnh", "079"}, {"Bến Nghé", "Quận 1", "079"}, {"Tân Thông Hội", "Củ Chi", "079"},
	{"Diễn Thịnh", "Diễn Châu", "040"}, {"Nghi Phú", "Vinh", "040"}, {"Hưng Lộc", "Hậu Lộc", "038"}, {"Quảng Thắng", "Thanh Hóa", "038"},
	{"Cẩm Bình", "Cẩm Xuyên", "042"}, {"Ea Tam", "Buôn Ma Thuột", "066"}, {"Cư Né", "Krông Búk", "066"}, {"Hội Thương", "Pleiku", "064"},
	{"Lộc Thọ", "Nha Trang", "056"}, {"Xuân Khánh", "Ninh Kiều", "092"}, {"Mỹ Khánh", "Phong Điền", "092"}, {"Tân Thành", "Cà Mau", "096"},
	{"Vĩnh Thạnh Vân", "Rạch Giá", "091"}, {"Bình Khánh", "Long Xuyên", "089"}, {"Tân Quy Tây", "Sa Đéc", "087"}, {"An Hội", "Bến Tre", "083"},
	{"Đạo Thạnh", "Mỹ Tho", "082"}, {"Thạnh Hóa", "Thạnh Hóa", "080"}, {"Ninh Sơn", "Tây Ninh", "072"}, {"Thuận Giao", "Thuận An", "074"},
	{"Tân Biên", "Biên Hòa", "075"}, {"Long Sơn", "Vũng Tàu", "077"}, {"Nghĩa Chánh", "Quảng Ngãi", "051"}, {"Nhơn Lý", "Quy Nhơn", "052"},
	{"Hòa Hiệp Trung", "Đông Hòa", "054"}, {"Cẩm Nam", "Hội An", "049"}, {"Điện Ngọc", "Điện Bàn", "049"}, {"Đồng Lê", "Tuyên Hóa", "044"},
	{"Triệu Đại", "Triệu Phong", "045"}, {"Bãi Cháy", "Hạ Long", "022"}, {"Quán Triều", "Thái Nguyên", "019"}, {"Đồng Kỵ", "Từ Sơn", "027"},
	{"Ninh Xá", "Bắc Ninh", "027"}, {"Tân Hưng", "Hải Dương", "030"}, {"Bảo Khê", "Hưng Yên", "033"}, {"Vũ Chính", "Thái Bình", "034"},
	{"Liêm Tuyền", "Phủ Lý", "035"}, {"Gia Cẩm", "Việt Trì", "025"}, {"Tích Sơn", "Vĩnh Yên", "026"}, {"Dĩnh Kế", "Bắc Giang", "024"},
	{"Chi Lăng", "Lạng Sơn", "020"}, {"Cốc Lếu", "Lào Cai", "010"}, {"Sông Hiến", "Cao Bằng", "004"}, {"Mường Thanh", "Điện Biên Phủ", "011"},
	{"Chiềng Lề", "Sơn La", "014"}, {"Phương Lâm", "Hòa Bình", "017"}, {"Đồng Tâm", "Yên Bái", "015"}, {"Nguyễn Trãi", "Hà Giang", "002"},
	{"Ỷ La", "Tuyên Quang", "008"}, {"Đức Xuân", "Bắc Kạn", "006"}, {"Đoàn Kết", "Lai Châu", "012"}, {"Quyết Thắng", "Kon Tum", "062"},
	{"Nghĩa Trung", "Gia Nghĩa", "067"}, {"Lộc Phát", "Bảo Lộc", "068"}, {"Tân Phú", "Đồng Xoài", "070"},
	{"Đô Vinh", "Phan Rang - Tháp Chàm", "058"},
	{"Mũi Né", "Phan Thiết", "060"}, {"Long Đức", "Trà Vinh", "084"}, {"Tân Ngãi", "Vĩnh Long", "086"}, {"Vị Tân", "Vị Thanh", "093"},
	{"Đại Tâm", "Mỹ Xuyên", "094"}, {"Hiệp Thành", "Bạc Liêu", "095"},
}

// communes are names that many districts have a commune or ward of.
var communes = []string{"An Bình", "An Hòa", "An Phú", "Bình An", "Bình Minh", "Bình Thành", "Cẩm Sơn", "Chiềng Ly", "Cộng Hòa", "Dân Chủ",
	"Đại Đồng", "Đại Thắng", "Đông Phong", "Đông Sơn", "Đồng Tâm", "Đức Thịnh", "Ea Wer", "Gia Hòa", "Hải Đường", "Hiệp Hòa", "Hòa Bình",
	"Hòa Hưng",
	"Hòa Thạnh", "Hồng Kỳ", "Hưng Đạo", "Hùng Sơn", "Hương Sơn", "Ia Blang", "Khánh Hòa", "Kim Long", "Kỳ Phú", "Lam Sơn", "Liên Châu",
	"Long Điền",
	"Long Hưng", "Lộc An", "Lương Sơn", "Lý Thường Kiệt", "Minh Khai", "Minh Đức", "Mỹ An", "Mỹ Lộc", "Mường Lạn", "Nam Thái", "Nậm Cắn",
	"Nghĩa Hòa",
	"Ngọc Thanh", "Nhơn Hậu", "Ninh Xuân", "Phong Phú", "Phú Cường", "Phú Thịnh", "Phước Thuận", "Phường 2", "Phường 8", "Phường 14",
	"Quang Trung",
	"Quảng Phú", "Quế Thọ", "Quỳnh Thạch", "Sơn Hà", "Tà Lèng", "Tam Hiệp", "Tân An", "Tân Hòa", "Tân Thạnh Đông", "Thạch Bằng", "Thanh Bình",
	"Thanh Lương", "Thành Công", "Thạnh Mỹ", "Thiện Hưng", "Thới An", "Thuận Lợi", "Thượng Lâm", "Tiên Cảnh", "Trung Hưng", "Trường Sơn",
	"Vạn Phúc", "Vĩnh Hảo", "Vĩnh Phú", "Xuân Hòa", "Xuân Lộc", "Xuyên Tây", "Yên Bình", "Yên Trung", "Ỷ Tịch"}

// somePlace is half the time one of the real communes and otherwise a common name in any district.
func somePlace(rng *rand.Rand) place {
	if rng.IntN(2) == 0 {
		t := places[rng.IntN(len(places))]
		p, _ := vn.ProvinceByCode(t[2])
		return place{t[0], t[1], p}
	}
	all := vn.Provinces()
	p := all[rng.IntN(len(all))]
	d := vn.Districts(p.Code)
	return place{communes[rng.IntN(len(communes))], d[rng.IntN(len(d))], p}
}

// since2025 is the address after the districts were abolished and provinces merged.
func (p place) since2025(rng *rand.Rand) string {
	return []string{"Phường ", "Xã ", ""}[rng.IntN(3)] + p.ward + ", " + p.Province.Into
}
