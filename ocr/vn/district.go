package vn

import (
	"strings"
	"sync"
)

// districts are the districts, towns and cities under provinces as they were until 30 June 2025, by province
// code, and those that mergers of 2008–2025 took before, which older cards still name. Written from general
// knowledge and checked against the statistics office's list of January 2025: none of its 696 is missing.
// A name that is not here is no error; it may raise doubt.
var districts = map[string]string{
	"001": "Ba Đình, Hoàn Kiếm, Tây Hồ, Long Biên, Cầu Giấy, Đống Đa, Hai Bà Trưng, Hoàng Mai, Thanh Xuân, Hà Đông, Nam Từ Liêm, Bắc Từ " +
		"Liêm, Từ Liêm, Sơn Tây, Ba Vì, Chương Mỹ, Đan Phượng, Đông Anh, Gia Lâm, Hoài Đức, Mê Linh, Mỹ Đức, Phú Xuyên, Phúc Thọ, Quốc Oai, " +
		"Sóc Sơn, Thạch Thất, Thanh Oai, Thanh Trì, Thường Tín, Ứng Hòa",
	"002": "Hà Giang, Bắc Mê, Bắc Quang, Đồng Văn, Hoàng Su Phì, Mèo Vạc, Quản Bạ, Quang Bình, Vị Xuyên, Xín Mần, Yên Minh",
	"004": "Cao Bằng, Bảo Lạc, Bảo Lâm, Hạ Lang, Hà Quảng, Hòa An, Nguyên Bình, Quảng Hòa, Thạch An, Trùng Khánh, Phục Hòa, Quảng Uyên, " +
		"Thông Nông, Trà Lĩnh",
	"006": "Bắc Kạn, Ba Bể, Bạch Thông, Chợ Đồn, Chợ Mới, Na Rì, Ngân Sơn, Pác Nặm",
	"008": "Tuyên Quang, Chiêm Hóa, Hàm Yên, Lâm Bình, Na Hang, Sơn Dương, Yên Sơn",
	"010": "Lào Cai, Sa Pa, Bảo Thắng, Bảo Yên, Bát Xát, Bắc Hà, Mường Khương, Si Ma Cai, Văn Bàn",
	"011": "Điện Biên Phủ, Mường Lay, Điện Biên, Điện Biên Đông, Mường Ảng, Mường Chà, Mường Nhé, Nậm Pồ, Tủa Chùa, Tuần Giáo",
	"012": "Lai Châu, Mường Tè, Nậm Nhùn, Phong Thổ, Sìn Hồ, Tam Đường, Tân Uyên, Than Uyên",
	"014": "Sơn La, Mộc Châu, Bắc Yên, Mai Sơn, Mường La, Phù Yên, Quỳnh Nhai, Sông Mã, Sốp Cộp, Thuận Châu, Vân Hồ, Yên Châu",
	"015": "Yên Bái, Nghĩa Lộ, Lục Yên, Mù Cang Chải, Trạm Tấu, Trấn Yên, Văn Chấn, Văn Yên, Yên Bình",
	"017": "Hòa Bình, Cao Phong, Đà Bắc, Kim Bôi, Kỳ Sơn, Lạc Sơn, Lạc Thủy, Lương Sơn, Mai Châu, Tân Lạc, Yên Thủy",
	"019": "Thái Nguyên, Sông Công, Phổ Yên, Đại Từ, Định Hóa, Đồng Hỷ, Phú Bình, Phú Lương, Võ Nhai",
	"020": "Lạng Sơn, Bắc Sơn, Bình Gia, Cao Lộc, Chi Lăng, Đình Lập, Hữu Lũng, Lộc Bình, Tràng Định, Văn Lãng, Văn Quan",
	"022": "Hạ Long, Cẩm Phả, Móng Cái, Uông Bí, Đông Triều, Quảng Yên, Ba Chẽ, Bình Liêu, Cô Tô, Đầm Hà, Hải Hà, Hoành Bồ, Tiên Yên, Vân Đồn",
	"024": "Bắc Giang, Chũ, Việt Yên, Hiệp Hòa, Lạng Giang, Lục Nam, Lục Ngạn, Sơn Động, Tân Yên, Yên Dũng, Yên Thế",
	"025": "Việt Trì, Phú Thọ, Cẩm Khê, Đoan Hùng, Hạ Hòa, Lâm Thao, Phù Ninh, Tam Nông, Tân Sơn, Thanh Ba, Thanh Sơn, Thanh Thủy, Yên Lập",
	"026": "Vĩnh Yên, Phúc Yên, Bình Xuyên, Lập Thạch, Sông Lô, Tam Dương, Tam Đảo, Vĩnh Tường, Yên Lạc",
	"027": "Bắc Ninh, Từ Sơn, Quế Võ, Thuận Thành, Gia Bình, Lương Tài, Tiên Du, Yên Phong",
	"030": "Hải Dương, Chí Linh, Kinh Môn, Bình Giang, Cẩm Giàng, Gia Lộc, Kim Thành, Nam Sách, Ninh Giang, Thanh Hà, Thanh Miện, Tứ Kỳ",
	"031": "Hồng Bàng, Ngô Quyền, Lê Chân, Hải An, Kiến An, Đồ Sơn, Dương Kinh, An Dương, Thủy Nguyên, An Lão, Bạch Long Vĩ, Cát Hải, Kiến " +
		"Thụy, Tiên Lãng, Vĩnh Bảo",
	"033": "Hưng Yên, Mỹ Hào, Ân Thi, Khoái Châu, Kim Động, Phù Cừ, Tiên Lữ, Văn Giang, Văn Lâm, Yên Mỹ",
	"034": "Thái Bình, Đông Hưng, Hưng Hà, Kiến Xương, Quỳnh Phụ, Thái Thụy, Tiền Hải, Vũ Thư",
	"035": "Phủ Lý, Duy Tiên, Kim Bảng, Bình Lục, Lý Nhân, Thanh Liêm",
	"036": "Nam Định, Giao Thủy, Hải Hậu, Mỹ Lộc, Nam Trực, Nghĩa Hưng, Trực Ninh, Vụ Bản, Xuân Trường, Ý Yên",
	"037": "Ninh Bình, Hoa Lư, Tam Điệp, Gia Viễn, Kim Sơn, Nho Quan, Yên Khánh, Yên Mô",
	"038": "Thanh Hóa, Sầm Sơn, Bỉm Sơn, Nghi Sơn, Bá Thước, Cẩm Thủy, Đông Sơn, Hà Trung, Hậu Lộc, Hoằng Hóa, Lang Chánh, Mường Lát, Nga " +
		"Sơn, Ngọc Lặc, Như Thanh, Như Xuân, Nông Cống, Quan Hóa, Quan Sơn, Quảng Xương, Thạch Thành, Thiệu Hóa, Thọ Xuân, Thường Xuân, Tĩnh " +
		"Gia, Triệu Sơn, Vĩnh Lộc, Yên Định",
	"040": "Vinh, Cửa Lò, Hoàng Mai, Thái Hòa, Anh Sơn, Con Cuông, Diễn Châu, Đô Lương, Hưng Nguyên, Kỳ Sơn, Nam Đàn, Nghi Lộc, Nghĩa Đàn, " +
		"Quế Phong, Quỳ Châu, Quỳ Hợp, Quỳnh Lưu, Tân Kỳ, Thanh Chương, Tương Dương, Yên Thành",
	"042": "Hà Tĩnh, Hồng Lĩnh, Kỳ Anh, Cẩm Xuyên, Can Lộc, Đức Thọ, Hương Khê, Hương Sơn, Lộc Hà, Nghi Xuân, Thạch Hà, Vũ Quang",
	"044": "Đồng Hới, Ba Đồn, Bố Trạch, Lệ Thủy, Minh Hóa, Quảng Ninh, Quảng Trạch, Tuyên Hóa",
	"045": "Đông Hà, Quảng Trị, Cam Lộ, Cồn Cỏ, Đa Krông, Gio Linh, Hải Lăng, Hướng Hóa, Triệu Phong, Vĩnh Linh",
	"046": "Huế, Hương Thủy, Hương Trà, Thuận Hóa, Phú Xuân, Phong Điền, Quảng Điền, Phú Vang, Phú Lộc, Nam Đông, A Lưới",
	"048": "Hải Châu, Thanh Khê, Sơn Trà, Ngũ Hành Sơn, Liên Chiểu, Cẩm Lệ, Hòa Vang, Hoàng Sa",
	"049": "Tam Kỳ, Hội An, Điện Bàn, Bắc Trà My, Duy Xuyên, Đại Lộc, Đông Giang, Hiệp Đức, Nam Giang, Nam Trà My, Nông Sơn, Núi Thành, " +
		"Phú Ninh, Phước Sơn, Quế Sơn, Tây Giang, Thăng Bình, Tiên Phước",
	"051": "Quảng Ngãi, Đức Phổ, Ba Tơ, Bình Sơn, Lý Sơn, Minh Long, Mộ Đức, Nghĩa Hành, Sơn Hà, Sơn Tây, Sơn Tịnh, Trà Bồng, Tây Trà, Tư " +
		"Nghĩa",
	"052": "Quy Nhơn, An Nhơn, Hoài Nhơn, An Lão, Hoài Ân, Phù Cát, Phù Mỹ, Tây Sơn, Tuy Phước, Vân Canh, Vĩnh Thạnh",
	"054": "Tuy Hòa, Sông Cầu, Đông Hòa, Đồng Xuân, Phú Hòa, Sông Hinh, Sơn Hòa, Tây Hòa, Tuy An",
	"056": "Nha Trang, Cam Ranh, Ninh Hòa, Cam Lâm, Diên Khánh, Khánh Sơn, Khánh Vĩnh, Trường Sa, Vạn Ninh",
	"058": "Phan Rang - Tháp Chàm, Bác Ái, Ninh Hải, Ninh Phước, Ninh Sơn, Thuận Bắc, Thuận Nam",
	"060": "Phan Thiết, La Gi, Bắc Bình, Đức Linh, Hàm Tân, Hàm Thuận Bắc, Hàm Thuận Nam, Phú Quý, Tánh Linh, Tuy Phong",
	"062": "Kon Tum, Đăk Glei, Đăk Hà, Đăk Tô, Ia H'Drai, Kon Plông, Kon Rẫy, Ngọc Hồi, Sa Thầy, Tu Mơ Rông",
	"064": "Pleiku, An Khê, Ayun Pa, Chư Păh, Chư Prông, Chư Pưh, Chư Sê, Đak Đoa, Đak Pơ, Đức Cơ, Ia Grai, Ia Pa, Kbang, Kông Chro, Krông " +
		"Pa, Mang Yang, Phú Thiện",
	"066": "Buôn Ma Thuột, Buôn Hồ, Buôn Đôn, Cư Kuin, Cư M'gar, Ea H'leo, Ea Kar, Ea Súp, Krông Ana, Krông Bông, Krông Búk, Krông Năng, " +
		"Krông Pắc, Lắk, M'Đrắk",
	"067": "Gia Nghĩa, Cư Jút, Đắk Glong, Đắk Mil, Đắk R'lấp, Đắk Song, Krông Nô, Tuy Đức",
	"068": "Đà Lạt, Bảo Lộc, Bảo Lâm, Cát Tiên, Di Linh, Đạ Huoai, Đạ Tẻh, Đam Rông, Đơn Dương, Đức Trọng, Lạc Dương, Lâm Hà",
	"070": "Đồng Xoài, Bình Long, Phước Long, Chơn Thành, Bù Đăng, Bù Đốp, Bù Gia Mập, Đồng Phú, Hớn Quản, Lộc Ninh, Phú Riềng",
	"072": "Tây Ninh, Hòa Thành, Trảng Bàng, Bến Cầu, Châu Thành, Dương Minh Châu, Gò Dầu, Tân Biên, Tân Châu",
	"074": "Thủ Dầu Một, Dĩ An, Thuận An, Bến Cát, Tân Uyên, Bàu Bàng, Bắc Tân Uyên, Dầu Tiếng, Phú Giáo",
	"075": "Biên Hòa, Long Khánh, Cẩm Mỹ, Định Quán, Long Thành, Nhơn Trạch, Tân Phú, Thống Nhất, Trảng Bom, Vĩnh Cửu, Xuân Lộc",
	"077": "Vũng Tàu, Bà Rịa, Phú Mỹ, Châu Đức, Côn Đảo, Đất Đỏ, Long Điền, Long Đất, Tân Thành, Xuyên Mộc",
	"079": "Quận 1, Quận 2, Quận 3, Quận 4, Quận 5, Quận 6, Quận 7, Quận 8, Quận 9, Quận 10, Quận 11, Quận 12, Thủ Đức, Bình Thạnh, Gò " +
		"Vấp, Phú Nhuận, Tân Bình, Tân Phú, Bình Tân, Bình Chánh, Cần Giờ, Củ Chi, Hóc Môn, Nhà Bè",
	"080": "Tân An, Kiến Tường, Bến Lức, Cần Đước, Cần Giuộc, Châu Thành, Đức Hòa, Đức Huệ, Mộc Hóa, Tân Hưng, Tân Thạnh, Tân Trụ, Thạnh " +
		"Hóa, Thủ Thừa, Vĩnh Hưng",
	"082": "Mỹ Tho, Gò Công, Cai Lậy, Cái Bè, Châu Thành, Chợ Gạo, Gò Công Đông, Gò Công Tây, Tân Phú Đông, Tân Phước",
	"083": "Bến Tre, Ba Tri, Bình Đại, Châu Thành, Chợ Lách, Giồng Trôm, Mỏ Cày Bắc, Mỏ Cày Nam, Thạnh Phú",
	"084": "Trà Vinh, Duyên Hải, Càng Long, Cầu Kè, Cầu Ngang, Châu Thành, Tiểu Cần, Trà Cú",
	"086": "Vĩnh Long, Bình Minh, Bình Tân, Long Hồ, Mang Thít, Tam Bình, Trà Ôn, Vũng Liêm",
	"087": "Cao Lãnh, Sa Đéc, Hồng Ngự, Châu Thành, Lai Vung, Lấp Vò, Tam Nông, Tân Hồng, Thanh Bình, Tháp Mười",
	"089": "Long Xuyên, Châu Đốc, Tân Châu, Tịnh Biên, An Phú, Châu Phú, Châu Thành, Chợ Mới, Phú Tân, Thoại Sơn, Tri Tôn",
	"091": "Rạch Giá, Hà Tiên, Phú Quốc, An Biên, An Minh, Châu Thành, Giang Thành, Giồng Riềng, Gò Quao, Hòn Đất, Kiên Hải, Kiên Lương, " +
		"Tân Hiệp, U Minh Thượng, Vĩnh Thuận",
	"092": "Ninh Kiều, Bình Thủy, Cái Răng, Ô Môn, Thốt Nốt, Cờ Đỏ, Phong Điền, Thới Lai, Vĩnh Thạnh",
	"093": "Vị Thanh, Ngã Bảy, Long Mỹ, Châu Thành, Châu Thành A, Phụng Hiệp, Vị Thủy",
	"094": "Sóc Trăng, Ngã Năm, Vĩnh Châu, Châu Thành, Cù Lao Dung, Kế Sách, Long Phú, Mỹ Tú, Mỹ Xuyên, Thạnh Trị, Trần Đề",
	"095": "Bạc Liêu, Giá Rai, Đông Hải, Hòa Bình, Hồng Dân, Phước Long, Vĩnh Lợi",
	"096": "Cà Mau, Cái Nước, Đầm Dơi, Năm Căn, Ngọc Hiển, Phú Tân, Thới Bình, Trần Văn Thời, U Minh",
}

// Districts lists the districts a province had until July 2025.
func Districts(code string) []string {
	if districts[code] == "" {
		return nil
	}
	return strings.Split(districts[code], ", ")
}

var districtIndex = sync.OnceValue(func() map[string][]string {
	index := map[string][]string{}
	for _, p := range provinces {
		for _, d := range Districts(p.Code) {
			k := Fold(d)
			index[k] = append(index[k], p.Code)
		}
	}
	return index
})

// Place is what the gazetteer makes of an address.
type Place struct {
	Province Province // zero if the last part names none
	District string   // "" if the part before it is no district of that province
	Commune  string   // of that district, or since July 2025 of the province, as the list has it; "" if it has it not
	Twin     bool     // another commune there is written like it but for its marks or one letter
	Near     string   // the commune there that the part is but for its marks or one letter; "" if there is none
}

// Locate takes an address apart from its end: "Tổ 5, Yên Hòa, Cầu Giấy, Hà Nội". Addresses of after July 2025
// have no district, so only an unknown province is reason for doubt.
func Locate(address string) Place {
	parts := strings.Split(address, ",")
	p, ok := ProvinceByName(parts[len(parts)-1])
	if !ok {
		return Place{}
	}
	out := Place{Province: p}
	if len(parts) < 2 {
		return out
	}
	d := strings.TrimSpace(parts[len(parts)-2])
	var names []string
	keys := []string{Fold(d), Fold(trimUnit(d))}
	if OfCommune(d) {
		keys = nil
	}
	for _, key := range keys {
		for _, code := range districtIndex()[key] {
			if q, _ := ProvinceByCode(code); q.Into == p.Into {
				out.District = d
				names = append(names, listed(code+" "+key)...)
			}
		}
		if out.District != "" {
			break
		}
	}
	switch {
	case out.District != "" && len(parts) >= 3:
		out.Commune, out.Twin, out.Near = commune(parts[len(parts)-3], names)
	case out.District == "":
		out.Commune, out.Twin, out.Near = commune(d, CommunesSince2025(p.Into))
	}
	return out
}
