package field

import (
	"slices"
	"testing"

	"motcua/ocr/paper"
)

func TestTidy(t *testing.T) {
	for _, c := range []struct {
		name           paper.Name
		read, want     string
		flagged, doubt bool
	}{
		{paper.PlaceOfOrigin, "Nghi Phú, Vinh, Nghệ An", "Nghi Phú, Vinh, Nghệ An", false, false},
		{paper.PlaceOfResidence, "12/4 Lê Lợi, Phường 5, Gò Vấp, Hồ Chí Minh",
			"12/4 Lê Lợi, Phường 5, Gò Vấp, Hồ Chí Minh", false, false},
		{paper.PlaceOfResidence, "Tổ 18, Xã Văn Quán, Hà Nội", "Tổ 18, Xã Văn Quán, Hà Nội", false, false},
		{paper.PlaceOfResidence, "of residence Tổ 18, Xã Văn Quán, Hà Nội", "Tổ 18, Xã Văn Quán, Hà Nội", true, false},
		{paper.PlaceOfBirth, "P|ace of binh Tân Thành, Cà Mau, Cà Mau", "Tân Thành, Cà Mau, Cà Mau", true, false},
		{paper.PlaceOfOrigin, "Bình An, Quy Nhơn, Bình Định", "Bình An, Quy Nhơn, Bình Định", false, false},
		{paper.PlaceOfOrigin, "Place of oriowr Tân Phú, Đồng Xoài, Bình Phước Nơi thường 7 ước",
			"Tân Phú, Đồng Xoài, Bình Phước", true, false},
		{paper.PlaceOfOrigin, "Phú Thịnh, Lạc Thủy, Hòa Bình II. Công an xác nhận thông tin về cư trú",
			"Phú Thịnh, Lạc Thủy, Hòa Bình", true, false},
		{paper.PlaceOfResidence, "Xóm 17, Phú Thịnh, Lạc Thủy, Hòa Bình 2. Nơi tạm trú Không 3. Nơi ở",
			"Xóm 17, Phú Thịnh, Lạc Thủy, Hòa Bình", true, false},
		{paper.PlaceOfResidence, "Ấp Hạ, Ea. Tam, Buôn. Ma. Thuột, Đắk Lắk", "Ấp Hạ, Ea Tam, Buôn Ma Thuột, Đắk Lắk",
			true, false},
		{paper.PlaceOfResidence, "Xóm 16, Quyết Thắng, Kon Tum. Kon Tum", "Xóm 16, Quyết Thắng, Kon Tum, Kon Tum", true, false},
		{paper.PlaceOfResidence, "Ấp Hạ, Ea Tam, Buôn Ma Thuột Đắk Lắk", "Ấp Hạ, Ea Tam, Buôn Ma Thuột, Đắk Lắk", true,
			false},
		{paper.PlaceOfOrigin, "Trực Thái, Trực Ninh, Nam Đình", "Trực Thái, Trực Ninh, Nam Định", true, false},
		{paper.PlaceOfOrigin, "Tân Thông Hội, Củ Chỉ, Hồ Chí Minh", "Tân Thông Hội, Củ Chi, Hồ Chí Minh", true, false},
		{paper.PlaceOfBirth, "Tân Quy Tây, Sa Đéc, Đồng cái lái PP Tháp", "Tân Quy Tây, Sa Đéc, Đồng Tháp", true, false},
		{paper.PlaceOfBirth, "VINH LONG", "VĨNH LONG", true, false},
		{paper.PlaceOfResidence, "22/6 Lý Thường Kiệt, Ÿ La, Tuyên Quang, Tuyên Quang",
			"22/6 Lý Thường Kiệt, Ỷ La, Tuyên Quang, Tuyên Quang", true, false},
		{paper.PlaceOfBirth, "Tân Biên, Biên Hòa, Đồng Nai DD vo", "Tân Biên, Biên Hòa, Đồng Nai", true, false},
		{paper.PlaceOfBirth, "Ninh Xuân, Vĩnh Bảo, Hải Phòng iø", "Ninh Xuân, Vĩnh Bảo, Hải Phòng", true, false},
		{paper.PlaceOfOrigin, "Đô Vinh, Phan Rang Tháp Chàm, Ninh Thuận", "Đô Vinh, Phan Rang - Tháp Chàm, Ninh Thuận", false, false},
		{paper.PlaceOfOrigin, "Đạ M Rong, Đam Rông, Lâm Đồng", "Đạ M' Rong, Đam Rông, Lâm Đồng", false, false},
		{paper.PlaceOfOrigin, "Long Sơn, Vũng Tàu, Bà Rịa Vũng Tàu", "Long Sơn, Vũng Tàu, Bà Rịa - Vũng Tàu", false, false},
		{paper.PlaceOfOrigin, "Long Sơn, Vũng Tàu, Bà Ria Vũng Tàu", "Long Sơn, Vũng Tàu, Bà Rịa - Vũng Tàu", true, false},
		{paper.PlaceOfOrigin, "Xã Hòa Hiệp, Huyện Xuyên Mộc, Tỉnh Bà Rịa Vũng Tàu",
			"Xã Hòa Hiệp, Huyện Xuyên Mộc, Tỉnh Bà Rịa - Vũng Tàu", false, false},
		{paper.PlaceOfOrigin, "Xã Mỹ Thành Huyện Phù Mỹ, Tỉnh Bình Định",
			"Xã Mỹ Thành, Huyện Phù Mỹ, Tỉnh Bình Định", true, false},
		{paper.PlaceOfOrigin, "Mỹ Thành Phù Mỹ, Bình Định", "Mỹ Thành, Phù Mỹ, Bình Định", true, false},
		{paper.PlaceOfResidence, "Ấp Bình Hòa Hòa Khánh, Cái Bè, Tiền Giang", "Ấp Bình Hòa, Hòa Khánh, Cái Bè, Tiền Giang",
			true, false},
		{paper.PlaceOfResidence, "Số 12 Lê Lợi, Hòa Khánh, Cái Bè, Tiền Giang",
			"Số 12 Lê Lợi, Hòa Khánh, Cái Bè, Tiền Giang", false, false},
		{paper.PlaceOfResidence, "Tổ 5, Xã Cái Bè, Tỉnh Đồng Tháp", "Tổ 5, Xã Cái Bè, Tỉnh Đồng Tháp", false, false},
		{paper.PlaceOfBirth, "Bệnh viện Phụ sản Kon Tum", "Bệnh viện Phụ sản Kon Tum", false, true},
		{paper.PlaceOfBirth, "regisratn Xã Quỳnh Nghĩa, Huyện Quỳnh Lưu, Tỉnh Nghệ An",
			"Xã Quỳnh Nghĩa, Huyện Quỳnh Lưu, Tỉnh Nghệ An", true, false},
		{paper.PlaceOfOrigin, "1a Blang, Nghĩa Hành, Quảng Ngãi", "Ia Blang, Nghĩa Hành, Quảng Ngãi", true, false},
		{paper.PlaceOfBirth, "Xuân Hương Đà Lạt, Lâm Đồng", "Xuân Hương - Đà Lạt, Lâm Đồng", false, false},
		{paper.PlaceOfResidence, "Tổ 3, Phường Xuân Hương Đà Lạt, Tỉnh Lâm Đồng",
			"Tổ 3, Phường Xuân Hương - Đà Lạt, Tỉnh Lâm Đồng", false, false},
		{paper.PlaceOfBirth, "la Blang, Chư Sê, Gia Lai", "Ia Blang, Chư Sê, Gia Lai", true, false},
		{paper.PlaceOfBirth, "Phúc Xá, Ba Đình, Hà Nội o", "Phúc Xá, Ba Đình, Hà Nội", true, false},
		{paper.PlaceOfBirth, "UBND Phú Linh, Vị Xuyên, Hà Giang", "UBND Phú Linh, Vị Xuyên, Hà Giang", false, false},
		{paper.PlaceOfBirth, "Trạm Y tế xã Thọ Sơn, Huyện Bù Đăng, Tỉnh Bình Phước",
			"Trạm Y tế xã Thọ Sơn, Huyện Bù Đăng, Tỉnh Bình Phước", false, false},
		{paper.PlaceOfBirth, "Trung tâm Y tế Vị Xuyên, Huyện Vị Xuyên, Tỉnh Hà Giang",
			"Trung tâm Y tế Vị Xuyên, Huyện Vị Xuyên, Tỉnh Hà Giang", false, false},
		{paper.PlaceOfOrigin, "KHÔI", "KHÔI", false, true},
		{paper.PlaceOfResidence, "Xóm 6, Hội", "Xóm 6, Hội", false, true},
		{paper.PlaceOfResidence, "Tp. Vinh, Nghệ An", "Tp. Vinh, Nghệ An", false, false},
		{paper.FullName, "NGUYÊN ĐÌNH CƯỜNG", "NGUYÊN ĐÌNH CƯỜNG", true, false},
		{paper.FullName, "PHAM ÁNH HUYỀN", "PHAM ÁNH HUYỀN", true, false},
		{paper.FullName, "H'BIA NIÊ", "H'BIA NIÊ", true, false},
		{paper.FullName, "H HÙNG", "H HÙNG", true, false},
		{paper.FullName, "GIÀNG A PÁO", "GIÀNG A PÁO", false, false},
		{paper.FullName, "TRỊNH GIA MẪN", "TRỊNH GIA MẪN", false, false},
		{paper.FatherName, "TRỊNH VĂN KỶ", "TRỊNH VĂN KỶ", false, false},
		{paper.FullName, "LÊ HOÀNG VĨ OÁNH", "LÊ HOÀNG VĨ OÁNH", false, false},
		{paper.FullName, "VÕ THỊ KIM LOAN", "VÕ THỊ KIM LOAN", false, false},
		{paper.Ethnicity, "Kính", "Kinh", true, false},
		{paper.Ethnicity, "Ba Na", "Ba Na", false, false},
		{paper.Ethnicity, "Kxyz", "Kxyz", false, true},
	} {
		values := map[paper.Name]Value{c.name: {Text: c.read, Conf: 0.995, Low: 0.995}}
		tidy(values)
		v := values[c.name]
		if v.Text != c.want {
			t.Errorf("%q became %q, want %q", c.read, v.Text, c.want)
		}
		if flagged := slices.Contains(v.Doubts, paper.LowConfidence); flagged != c.flagged {
			t.Errorf("%q: confidence %.3f, doubts %v", c.read, v.Conf, v.Doubts)
		}
		if doubt := slices.Contains(v.Doubts, paper.Unknown) || slices.Contains(v.Doubts, paper.Incomplete); doubt != c.doubt {
			t.Errorf("%q: doubts %v", c.read, v.Doubts)
		}
	}
}

// What is read twice must not change twice, and nothing may crash.
func FuzzTidy(f *testing.F) {
	f.Add("Tân Quy Tây, Sa Đéc, Đồng cái lái PP Tháp")
	f.Add(". . II. 2. of birth")
	f.Fuzz(func(t *testing.T, s string) {
		for _, n := range []paper.Name{paper.PlaceOfOrigin, paper.FullName, paper.Ethnicity, paper.Religion} {
			tidy(map[paper.Name]Value{n: {Text: s}})
		}
	})
}

func TestDateForgivesSlashes(t *testing.T) {
	for _, c := range []struct {
		read, want string
		sure       bool
	}{
		{"14/07/2024", "2024-07-14", true}, {"14 / 07 / 2024", "2024-07-14", true}, {"14107/2024", "2024-07-14", false},
		{"14/0712024", "2024-07-14", false}, {"15/07/4979", "1979-07-15", false}, {"1410712024", "2024-07-14", false},
		{"1/08/1974", "1974-08-01", false}, {"12345", "", false},
	} {
		v, ok := day([]piece{{text: c.read, conf: 0.99, low: 0.99}}, false)
		if v.Text != c.want || ok != (c.want != "") || ok && c.sure != (v.Conf > 0.9) {
			t.Errorf("%q: %q %t, confidence %.2f", c.read, v.Text, ok, v.Conf)
		}
	}
}
