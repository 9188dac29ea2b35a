package field_test

import (
	"slices"
	"testing"

	"motcua/ocr/field"
	"motcua/ocr/kinds"
	"motcua/ocr/paper"
)

// What each kind of paper says, laid out as it is printed; persons are invented.
func TestKinds(t *testing.T) {
	type values = map[paper.Name]string
	for _, c := range []struct {
		kind  paper.Kind
		lines []string
		want  values
	}{
		{paper.GPLX, []string{
			"BỘ GTVT          CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "MOT                  Độc lập - Tự do - Hạnh phúc",
			"GIẤY PHÉP LÁI XE / DRIVER'S LICENSE", "Số/No: 790105004321", "Họ tên/Full name: LƯƠNG THỊ BÍCH",
			"Ngày sinh/Date of Birth: 02/09/1991",
			"Quốc tịch/Nationality: VIỆT NAM", "Nơi cư trú/Address: P. Tân Định, Q. 1, TP. Hồ Chí Minh", "Hạng/Class: B2",
			"Có giá trị đến/Expires: 12/05/2030",
		}, values{paper.DocumentNumber: "790105004321", paper.FullName: "LƯƠNG THỊ BÍCH", paper.DateOfBirth: "1991-09-02",
			paper.Nationality:  "Việt Nam",
			paper.LicenceClass: "B2", paper.DateOfExpiry: "2030-05-12"}},
		{paper.Passport, []string{ // whose title, photo and MRZ are beyond its outline
			"Họ và tên / Full name", "LƯƠNG THỊ BÍCH", "Quốc tịch / Nationality", "VIỆT NAM / VIETNAMESE",
			"Ngày sinh / Date of birth      Nơi sinh / Place of birth", "02/09/1991      TRÀ VINH",
			"Giới tính / Sex      Số GCMND / ID card No", "NỮ / F      084191550640",
			"Ngày cấp / Date of issue      Có giá trị đến / Date of expiry", "28/11/2020      28/11/2030",
		}, values{paper.FullName: "LƯƠNG THỊ BÍCH", paper.DateOfBirth: "1991-09-02", paper.DateOfIssue: "2020-11-28"}},
		{paper.CanCuoc, []string{ // both sides read as one sheet, their edges unseen
			"CĂN CƯỚC", "IDENTITY CARD", "Số định danh cá nhân / Personal identification number:", "080214268266",
			"Họ, chữ đệm và tên khai sinh / Full name:", "VŨ ĐỨC HUY", "Ngày, tháng, năm sinh / Date of birth:", "24/01/2014",
			"Nơi cư trú / Place of residence: Tổ 36, Phường Ninh Xá, Bắc Ninh",
			"Ngày, tháng, năm cấp / Date of issue:", "14/01/2026", "Ngày, tháng, năm hết hạn / Date of expiry:", "24/01/2028",
			"BỘ CÔNG AN", "MINISTRY OF PUBLIC SECURITY",
		}, values{paper.Number: "080214268266", paper.FullName: "VŨ ĐỨC HUY", paper.DateOfIssue: "2026-01-14",
			paper.DateOfExpiry: "2028-01-24"}},
		{paper.CanCuoc, []string{ // its title and the ends of its labels worn away
			"CĂM CƯ7", "Số định", "Person: 048054196232", "Họ, chữ đệm và têt", "HỒ NGỌC ĐẠT",
			"Giới tính / Sex: Nam", "Ngày, tháng, năm sinh / Date of birth: 09/08/1954", "Quốc tịch / Nationality: Việt Nam",
		}, values{paper.FullName: "HỒ NGỌC ĐẠT", paper.DateOfBirth: "1954-08-09"}},
		{paper.CCCD, []string{ // the title's end worn away
			"CĂN CƯỚC", "Số / No: 080214268266", "Họ và tên / Full name:", "VŨ ĐỨC HUY", "Ngày sinh / Date of birth: 24/01/2014",
			"Quê quán / Place of origin: Ninh Xá, Bắc Ninh", "Có giá trị đến / Date of expiry: 24/01/2028",
		}, values{paper.Number: "080214268266", paper.DateOfExpiry: "2028-01-24"}},
		{paper.CCCD, []string{ // its labels worn away: no other card of this title has English on it
			"CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "SOCIALIST REPUBLUIC OF", "CĂN CƯỚC CÔNG DÂN", "n Identity Card", "031165641537",
			"QUÀNG THỊ ỌI", "07/03/1965",
		}, values{paper.Number: "031165641537"}},
		{"", []string{ // of a passport or of a chip card: what both bear
			"Họ và tên / Full name", "LƯƠNG THỊ BÍCH", "Có giá trị đến / Date of expiry", "28/11/2030",
		}, values{}},
		{paper.GPLX, []string{ // the pink card, its title worn away
			"Số/No: 010223998877", "Họ tên/Full name: LƯƠNG THỊ BÍCH", "Ngày sinh/Date of Birth: 02/09/1991",
			"Ngày cấp/Date of issue: 03/06/2025",
			"Ngày hết hạn/Expiration date: 03/06/2035", "Cơ quan cấp/Issuing authority: Cục Cảnh sát giao thông",
			"Nơi cư trú/Address: Xã Ia Blang, Gia Lai", "Hạng/Class: C1",
		}, values{paper.DocumentNumber: "010223998877", paper.DateOfIssue: "2025-06-03", paper.DateOfExpiry: "2035-06-03",
			paper.LicenceClass: "C1"}},
		{paper.BHYT, []string{
			"BẢO HIỂM XÃ HỘI VIỆT NAM", "THẺ BẢO HIỂM Y TẾ", "Mã số: 7912345670", "Họ và tên: LƯƠNG THỊ BÍCH",
			"Ngày sinh: 02/09/1991      Giới tính: Nữ",
			"Nơi ĐK KCB BĐ: Bệnh viện Quận 4", "Giá trị sử dụng: từ ngày 01/01/2024",
			"Thời điểm đủ 05 năm liên tục: từ ngày 01/05/2027",
		}, values{paper.DocumentNumber: "7912345670", paper.FullName: "LƯƠNG THỊ BÍCH", paper.DateOfBirth: "1991-09-02", paper.Sex: "Nữ",
			paper.ValidFrom: "2024-01-01"}},
		{paper.TheTamTru, []string{
			"CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM      LĐ", "THẺ TẠM TRÚ", "TEMPORARY RESIDENCE CARD", "Số: AB123456",
			"Họ tên: PARK SORA",
			"Giới tính: Nữ",
			"Ngày sinh: 02/09/1991", "Quốc tịch: HÀN QUỐC", "Hộ chiếu số: M12345678", "Có giá trị đến ngày: 05/06/2027",
		}, values{paper.DocumentNumber: "AB123456", paper.FullName: "PARK SORA", paper.Sex: "Nữ", paper.DateOfBirth: "1991-09-02",
			paper.PassportNumber: "M12345678", paper.DateOfExpiry: "2027-06-05"}},
		{paper.TheThuongTru, []string{
			"THẺ THƯỜNG TRÚ", "Số: 000123456", "Cục Quản lý xuất nhập cảnh cấp cho:", "Họ tên: PARK SORA",
			"Giới tính: Nữ",
			"Sinh ngày 02 tháng 09 năm 1991",
			"Mang hộ chiếu của: HÀN QUỐC", "Thường trú tại: Phường Tân Định, TP Hồ Chí Minh",
			"Thẻ này có giá trị đến ngày 05/06/2030",
			"Cấp ngày 05/06/2020",
		}, values{paper.FullName: "PARK SORA", paper.DateOfBirth: "1991-09-02", paper.DateOfExpiry: "2030-06-05",
			paper.DateOfIssue: "2020-06-05"}},
		{paper.KetHon, []string{
			"CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "GIẤY CHỨNG NHẬN KẾT HÔN", "Số: 45/2019",
			"Họ, chữ đệm, tên vợ: LƯƠNG THỊ BÍCH",
			"Ngày, tháng, năm sinh: 02/09/1991",
			"Dân tộc: Kinh     Quốc tịch: Việt Nam", "Họ, chữ đệm, tên chồng: ĐỖ VĂN KỶ",
			"Ngày, tháng, năm sinh: 11/11/1988",
			"Nơi đăng ký kết hôn: UBND phường Tân Định",
			"Ngày, tháng, năm đăng ký: 20/10/2019", "NGƯỜI KÝ GIẤY CHỨNG NHẬN KẾT HÔN",
		}, values{paper.RegisterNumber: "45/2019", paper.WifeName: "LƯƠNG THỊ BÍCH", paper.WifeBirth: "1991-09-02",
			paper.HusbandName: "ĐỖ VĂN KỶ", paper.HusbandBirth: "1988-11-11",
			paper.DateOfIssue: "2019-10-20", paper.FullName: ""}},
		{paper.KetHon, []string{ // of 2010: the husband first
			"GIẤY CHỨNG NHẬN KẾT HÔN", "Số: 7      Quyển số: 01", "Họ và tên chồng: ĐỖ VĂN KỶ",
			"Ngày, tháng, năm sinh: 11/11/1978",
			"Họ và tên vợ: LƯƠNG THỊ BÍCH",
			"Ngày, tháng, năm sinh: 02/09/1981", "Ngày, tháng, năm đăng ký: 20/10/2011",
		}, values{paper.RegisterNumber: "7", paper.HusbandName: "ĐỖ VĂN KỶ", paper.HusbandBirth: "1978-11-11",
			paper.WifeName:  "LƯƠNG THỊ BÍCH",
			paper.WifeBirth: "1981-09-02"}},
		{paper.HonNhan, []string{
			"GIẤY XÁC NHẬN TÌNH TRẠNG HÔN NHÂN", "Xét đề nghị của ông/bà: TRẦN VĂN TÁM", "XÁC NHẬN:",
			"Họ, chữ đệm, tên: LƯƠNG THỊ BÍCH",
			"Ngày, tháng, năm sinh: 02/09/1991",
			"Giới tính: Nữ     Dân tộc: Kinh     Quốc tịch: Việt Nam",
			"Nơi cư trú: Tổ 5, Phường Tân Định, Thành phố Hồ Chí Minh",
			"Tình trạng hôn nhân: Chưa kết hôn với ai",
			"Giấy này có giá trị sử dụng trong thời hạn 6 tháng, kể từ ngày cấp",
		}, values{paper.FullName: "LƯƠNG THỊ BÍCH", paper.DateOfBirth: "1991-09-02", paper.Sex: "Nữ",
			paper.MaritalStatus: "Chưa kết hôn với ai"}},
		{paper.TrichLucKhaiSinh, []string{
			"TRÍCH LỤC KHAI SINH", "(BẢN SAO)", "Họ, chữ đệm, tên: ĐỖ GIA MẪN", "Ngày, tháng, năm sinh: 11/11/2018",
			"Giới tính: Nữ",
			"Họ, chữ đệm, tên người mẹ: LƯƠNG THỊ BÍCH",
			"Họ, chữ đệm, tên người cha: ĐỖ VĂN KỶ", "Đăng ký khai sinh tại: UBND phường Tân Định",
		}, values{paper.FullName: "ĐỖ GIA MẪN", paper.DateOfBirth: "2018-11-11", paper.MotherName: "LƯƠNG THỊ BÍCH",
			paper.FatherName: "ĐỖ VĂN KỶ"}},
		{paper.TrichLucKhaiTu, []string{
			"TRÍCH LỤC KHAI TỬ", "(BẢN SAO)", "Họ, chữ đệm, tên: ĐỖ VĂN ỔN", "Ngày, tháng, năm sinh: 1938",
			"Giới tính: Nam",
			"Số định danh cá nhân: 079038001234",
			"Đã chết vào lúc: 04 giờ 15 phút, ngày 21 tháng 11 năm 2023", "Nơi chết: Tại nhà riêng",
			"Giấy báo tử số: 12/GBT",
			"Họ, chữ đệm, tên người đi khai tử: ĐỖ VĂN KỶ",
		}, values{paper.FullName: "ĐỖ VĂN ỔN", paper.DateOfBirth: "1938", paper.Number: "079038001234", paper.DateOfDeath: "2023-11-21"}},
		{paper.BaoTu, []string{
			"GIẤY BÁO TỬ", "Số: 12/GBT", "Họ và tên người tử vong: ĐỖ VĂN ỔN", "Ngày, tháng, năm sinh: 02/03/1938",
			"Giới tính: Nam",
			"Vào cơ sở KCB lúc: 10 giờ, ngày 19 tháng 11 năm 2023",
			"Tử vong lúc: 04 giờ 15 phút, ngày 21 tháng 11 năm 2023",
		}, values{paper.RegisterNumber: "12/GBT", paper.FullName: "ĐỖ VĂN ỔN", paper.DateOfBirth: "1938-03-02",
			paper.DateOfDeath: "2023-11-21"}},
		{paper.ChungSinh, []string{
			"GIẤY CHỨNG SINH", "Số: 204", "Họ và tên mẹ/Người nuôi dưỡng: LƯƠNG THỊ BÍCH", "Năm sinh: 1991",
			"Nơi đăng ký thường trú: Phường Tân Định", "Giấy CMND/Thẻ căn cước/Hộ chiếu số: 079191004321",
			"Họ và tên cha: ĐỖ VĂN KỶ", "Đã sinh con vào lúc: 07 giờ 30 phút, ngày 11 tháng 11 năm 2024",
			"Giới tính của con: Nữ     Cân nặng: 3100", "Dự định đặt tên con là: ĐỖ GIA MẪN",
		}, values{paper.MotherName: "LƯƠNG THỊ BÍCH", paper.MotherNumber: "079191004321", paper.FatherName: "ĐỖ VĂN KỶ",
			paper.DateOfBirth: "2024-11-11", paper.Sex: "Nữ",
			paper.FullName: "ĐỖ GIA MẪN", paper.Number: ""}},
		{paper.KhaiSinh, []string{ // by typewriter
			"Tỉnh, TP: Cửu Long                CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM",
			"Xã, phường: Tân Ngãi                            Số: 77",
			"                                                Quyển số: 02",
			"GIẤY KHAI SINH", "(BẢN CHÍNH)", "Họ và tên: LƯƠNG THỊ BÍCH                Nam, Nữ: Nữ",
			"Sinh ngày: 02 tháng 09 năm 1986",
			"(Viết bằng chữ): Mồng hai tháng chín", "Dân tộc: Kinh",
			"PHẦN KHAI VỀ CHA, MẸ", "Họ và tên cha: LƯƠNG VĂN ỔN", "Tuổi: 32   Dân tộc: Kinh",
			"Họ và tên mẹ: TẠ THỊ KỶ",
			"Đăng ký ngày 10 tháng 09 năm 1986",
		}, values{paper.RegisterNumber: "77", paper.FullName: "LƯƠNG THỊ BÍCH", paper.Sex: "Nữ", paper.DateOfBirth: "1986-09-02",
			paper.FatherName: "LƯƠNG VĂN ỔN", paper.MotherName: "TẠ THỊ KỶ",
			paper.DateOfIssue: "1986-09-10"}},
		{paper.KhaiSinh, []string{ // a name that is a letter from another label
			"GIẤY KHAI SINH", "Số: 9/2017", "Họ, chữ đệm, tên: PHẠM TÀI", "Ngày, tháng, năm sinh: 02/09/2017", "Giới tính: Nam",
			"Họ, chữ đệm, tên người mẹ: CHU THỊ MẺ",
		}, values{paper.FullName: "PHẠM TÀI", paper.DateOfBirth: "2017-09-02", paper.Sex: "Nam", paper.MotherName: "CHU THỊ MẺ"}},
	} {
		runs := field.Runs(page(c.lines...))
		k, _ := kinds.Of(c.kind)
		s := field.Card(runs)
		if k.Shape == kinds.Sheet {
			s = field.Sheet(runs)
		}
		if s.Kind != c.kind {
			t.Errorf("%s is told as %q", c.kind, s.Kind)
			continue
		}
		for n, want := range c.want {
			if got := s.Values[n].Text; got != want {
				t.Errorf("%s, %s: %q, want %q", c.kind, n, got, want)
			}
		}
	}
}

// Papers that look like ours and are none, and declarations, which quote the titles of ours.
func TestUnlike(t *testing.T) {
	person := []string{"Họ và tên: LƯƠNG THỊ BÍCH", "Ngày sinh: 02/09/1991", "Giới tính: Nữ", "Số: 079191004321"}
	for name, lines := range map[string][]string{
		"student card": append([]string{"TRƯỜNG ĐẠI HỌC CỬU LONG", "THẺ SINH VIÊN"}, person...),
		"untitled staff card": append([]string{"CÔNG TY CỔ PHẦN AN BÌNH", "Chức vụ: Kế toán", "Có giá trị đến: 31/12/2026"},
			person...),
		"party card": append([]string{"ĐẢNG CỘNG SẢN VIỆT NAM", "THẺ ĐẢNG VIÊN", "Quê quán: Tân Ngãi, Vĩnh Long",
			"Ngày vào Đảng: 03/02/2015"}, person...),
		"bank card": {"NGÂN HÀNG MẪU", "9704 0012 3456 7890", "VALID THRU 05/28", "LUONG THI BICH"},
		"visiting card": {"LƯƠNG THỊ BÍCH", "Kế toán trưởng", "Nơi làm việc: Số 5 Lê Lợi, Quận 1",
			"Điện thoại: 0901234567"},
		"press card": append([]string{"THẺ NHÀ BÁO", "Cơ quan báo chí: Báo Mẫu"}, person...),
		"foreign TD1": {"UTOPIA", "Name/Nom: ERIKSSON", "Sex/Sexe F", "Nationality/Nationalité UTO", "Date of birth 12 AUG 74",
			"Place of birth: ZENITH", "Date of expiry 15 APR 12"},
		"foreign card": {"UTOPIA", "CITIZEN IDENTITY CARD", "Full name: ANNA ERIKSSON", "Date of birth: 12/08/1974",
			"Place of birth: ZENITH"},
		"foreign licence": {"DRIVING LICENCE", "1. ERIKSSON", "3. 12.08.1974 ZENITH", "4a. 15.04.2012"},
		"officer's card":  append([]string{"CHỨNG MINH SĨ QUAN", "Cấp bậc: Đại úy"}, person...),
		"vehicle paper": {"CHỨNG NHẬN ĐĂNG KÝ XE", "Tên chủ xe: LƯƠNG THỊ BÍCH", "Địa chỉ: Phường Tân Định",
			"Nhãn hiệu: MẪU"},
		"origin certificate": append([]string{"CHỨNG NHẬN CĂN CƯỚC", "Quê quán: Tân Ngãi, Vĩnh Long",
			"Nơi ở hiện tại: Tân Ngãi"}, person...),
		"reader's card": append([]string{"THƯ VIỆN TỈNH THANH HÓA", "THẺ BẠN ĐỌC", "Nơi thường trú: Mỹ Xuyên, An Giang",
			"Có giá trị đến: 31/12/2026"}, person...),
		"untitled card with one label of ours": append([]string{"Nơi thường trú: Mỹ Xuyên, An Giang"}, person...),
		"declaration for the card": append([]string{"Mẫu CC02", "TỜ KHAI CĂN CƯỚC CÔNG DÂN", "Quê quán: Tân Ngãi, Vĩnh Long",
			"Nơi thường trú: Mỹ Xuyên, An Giang"}, person...),
		"appointment": append([]string{"GIẤY HẸN TRẢ THẺ", "CĂN CƯỚC CÔNG DÂN", "Nơi thường trú: Mỹ Xuyên, An Giang"},
			person...),
		"appointment that names the card": append([]string{"CÔNG AN TỈNH NINH BÌNH",
			"Loại thủ tục: Cấp đổi thẻ Căn cước công dân sang thẻ căn cước"}, person...),
		"contract": {"Bên A: Ông LƯƠNG VĂN BẢO, sinh ngày 02/09/1991,", "Căn cước công dân số 079191004321 do công an cấp",
			"Nơi thường trú: Mỹ Xuyên, An Giang"},
		"insurance receipt":              append([]string{"BẢO HIỂM XÃ HỘI VIỆT NAM", "BIÊN LAI THU TIỀN", "Mã số: 7912345678"}, person...),
		"insurance book":                 append([]string{"BẢO HIỂM XÃ HỘI VIỆT NAM", "SỔ BẢO HIỂM XÃ HỘI", "Số sổ: 7912345678"}, person...),
		"untitled letter of the insurer": append([]string{"BẢO HIỂM XÃ HỘI VIỆT NAM", "Về việc giải quyết hưu trí"}, person...),
		"book of benefits": append([]string{"SỞ LAO ĐỘNG",
			"SỔ ƯU ĐÃI GIÁO DỤC", "Quê quán: Tân Ngãi", "Nơi thường trú: Mỹ Xuyên"}, person...),
		"application": append([]string{"ĐƠN TRÌNH BÁO MẤT HỘ CHIẾU",
			"Số hộ chiếu / Passport No: B1234567", "Nơi cấp / Place of issue: Hà Nội"}, person...),
		"work permit": {"GIẤY PHÉP LAO ĐỘNG", "WORK PERMIT", "Họ và tên / Full name: LUONG THI BICH", "Số hộ chiếu/Passport number: B1234567",
			"Ngày sinh/Date of birth: 02/09/1991", "Quốc tịch/Nationality: Việt Nam"},
		"page of a household book": append([]string{"CHỦ HỘ", "Nguyên quán: Tân Ngãi, Vĩnh Long", "Dân tộc: Kinh      Tôn giáo: Không",
			"CMND số: 331234567", "Nghề nghiệp, nơi làm việc: Làm ruộng"}, person...),
		"screen of an application": append([]string{"VNeID", "Căn cước điện tử", "Số định danh cá nhân / Personal identification number",
			"Nơi cư trú / Place of residence"}, person...),
		"form of a clinic": append([]string{"Phòng khám đa khoa", "Số CCCD: 079191004321", "Quê quán: Tân Ngãi",
			"Nơi thường trú: Mỹ Xuyên"}, person...),
		"membership card": append([]string{"HỘI NGƯỜI CAO TUỔI", "THẺ HỘI VIÊN", "Quê quán: Tân Ngãi, Vĩnh Long"}, person...),
	} {
		if s := field.Card(field.Runs(page(lines...))); s.Kind != "" && s.Kind != paper.Other {
			t.Errorf("%s is told as %s", name, s.Kind)
		}
		// What the stage behind takes for proof without a title.
		if s := field.Card(field.Runs(page(lines...))); s.Kind == "" && s.Marks > 1 && !s.Weak {
			t.Errorf("%s bears %d marks of a kind", name, s.Marks)
		}
	}
	for name, lines := range map[string][]string{
		"declaration of birth":   append([]string{"TỜ KHAI ĐĂNG KÝ KHAI SINH", "Đề nghị cấp: GIẤY KHAI SINH"}, person...),
		"request for an extract": append([]string{"TỜ KHAI CẤP BẢN SAO", "TRÍCH LỤC KHAI SINH"}, person...),
		"receipt": append([]string{"GIẤY TIẾP NHẬN HỒ SƠ VÀ HẸN TRẢ KẾT QUẢ", "1. GIẤY CHỨNG SINH",
			"2. GIẤY CHỨNG NHẬN KẾT HÔN"},
			person...),
		"land certificate":            append([]string{"GIẤY CHỨNG NHẬN", "QUYỀN SỬ DỤNG ĐẤT", "Số: CS 01123"}, person...),
		"policy":                      append([]string{"GIẤY CHỨNG NHẬN BẢO HIỂM XE MÁY", "Số: 01123"}, person...),
		"wounds":                      append([]string{"GIẤY CHỨNG THƯƠNG", "Số: 112"}, person...),
		"examination":                 append([]string{"GIẤY BÁO THI", "Số: 112/GB"}, person...),
		"examination of a university": append([]string{"GIẤY BÁO DỰ THI", "Số: 112/GB"}, person...),
		"church's":                    {"GIẤY CHỨNG NHẬN KẾT HÔN CÔNG GIÁO", "Họ và tên vợ: LƯƠNG THỊ BÍCH", "Họ và tên chồng: TRẦN VĂN TÁM"},
		"admission":                   append([]string{"GIẤY BÁO TRÚNG TUYỂN", "Số: 112/GB"}, person...),
		"decision":                    {"QUYẾT ĐỊNH", "Về việc thu hồi", "GIẤY KHAI SINH"},
		"letter": {"Kính gửi: Ủy ban nhân dân phường",
			"Tôi xin gửi kèm giấy khai sinh của con tôi và một số giấy tờ khác như giấy báo tử của bố tôi"},
	} {
		if s := field.Sheet(field.Runs(page(lines...))); s.Kind != paper.Other {
			t.Errorf("%s is told as %s", name, s.Kind)
		}
	}
}

// What stands in every curriculum vitae makes no identity card, unless a card's edges, its motto or what is left of its title do.
func TestCommonMarksAreWeak(t *testing.T) {
	labels := []string{"Họ và tên: LƯƠNG THỊ BÍCH", "Ngày, tháng, năm sinh: 02/09/1991", "Giới tính: Nữ", "Quê quán: Tân Ngãi, Vĩnh Long",
		"Nơi thường trú: Mỹ Xuyên, An Giang", "Số: 079191004321"}
	head := []string{"CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "Độc lập - Tự do - Hạnh phúc"}
	for name, c := range map[string]struct {
		lines       []string
		weak, motto bool
	}{
		"curriculum vitae": {append([]string{"Thông tin cá nhân"}, labels...), true, false},
		"under the motto":  {append(head, labels...), true, true},
		"with what only a card has": {append([]string{"Đặc điểm nhận dạng: Nốt ruồi cách 1 cm dưới mép trái", "Ngón trỏ trái", "Ngón trỏ phải"},
			labels...), false, false},
	} {
		s := field.Card(field.Runs(page(c.lines...)))
		if s.Weak != c.weak || s.Motto != c.motto || s.Weak && s.Kind != "" {
			t.Errorf("%s: told as %q by %d marks, weak %t, motto %t", name, s.Kind, s.Marks, s.Weak, s.Motto)
		}
	}
}

// A translation beside the card of 2016 makes no chip card of it.
func TestTranslationBesideACard(t *testing.T) {
	s := field.Card(field.Runs(page("CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "CĂN CƯỚC CÔNG DÂN", "Số: 079191004321", "Họ và tên: LƯƠNG THỊ BÍCH",
		"Ngày, tháng, năm sinh: 02/09/1991", "Giới tính: Nữ      Quốc tịch: Việt Nam", "Quê quán: Tân Ngãi, Vĩnh Long",
		"Nơi thường trú: Mỹ Xuyên, An Giang", "Có giá trị đến: 02/09/2031",
		"SOCIALIST REPUBLIC OF VIETNAM", "Full name: LUONG THI BICH", "Date of birth: 2 September 1991", "Nationality: Vietnamese",
		"Place of origin: Tan Ngai, Vinh Long")))
	if s.Kind != paper.CCCD2016 {
		t.Errorf("told as %q", s.Kind)
	}
}

// "Số" stands twice on a foreigner's card: its own number and the passport's are not each other's, though one be of no known form.
func TestNumbersOfAResidenceCard(t *testing.T) {
	lines := []string{"THẺ THƯỜNG TRÚ", "Số: 679697", "Họ tên: MARIE CLAIRE DUBOIS", "Mang hộ chiếu của: Pháp",
		"Số: A44834851"}
	s := field.Card(field.Runs(page(lines...)))
	if own, passport := s.Values[paper.DocumentNumber].Text, s.Values[paper.PassportNumber].Text; own != "" || passport != "A44834851" {
		t.Errorf("own number %q, the passport's %q", own, passport)
	}
	lines[3] = "Mnng hxchieu cua: Pháp" // nothing says which of the two it is
	s = field.Card(field.Runs(page(lines...)))
	if v := s.Values[paper.DocumentNumber]; v.Text != "" && len(v.Doubts) == 0 {
		t.Errorf("%q is taken for the card's own without a doubt", v.Text)
	}
}

// The day of issue of a licence of 2012 to 2024 stands under no label, in two languages.
func TestDayAboveTheSignature(t *testing.T) {
	for _, day := range []string{"ngày/date 28 tháng/month 10 năm/year 2015", "ngày/ date 28 tháng/ month 10 năm/year 2015"} {
		s := field.Card(field.Runs(page("GIẤY PHÉP LÁI XE/DRIVER'S LICENSE", "Số/No: 790105004321",
			"Họ tên/Full name: LƯƠNG THỊ BÍCH", "An Giang, "+day, "Hạng/Class: B2", "Có giá trị đến/Expires: 28/10/2025")))
		if got := s.Values[paper.DateOfIssue].Text; got != "2015-10-28" {
			t.Errorf("%s: issued %q", day, got)
		}
	}
}

// What looks like the title of another paper, and is a name or half of ours, keeps no card from being told by its marks.
func TestNoForeignTitle(t *testing.T) {
	for name, c := range map[string]struct {
		lines  []string
		likely paper.Kind
	}{
		"title that lost its end": {[]string{"GIẤY CHỨNG MINH", "Số: 331234567", "Họ tên: TRẦN THỊ MẪU",
			"Nguyên quán: Tân Ngãi, Vĩnh Long",
			"Nơi ĐKHK thường trú: Mỹ Xuyên, An Giang"}, paper.CMND},
		"Tô Khải": {[]string{"Họ và tên / Full name:", "TÔ KHẢI MINH", "Quê quán / Place of origin: Tân Ngãi, Vĩnh Long",
			"Nơi thường trú / Place of residence: Mỹ Xuyên, An Giang"}, paper.CCCD},
		"Chung Chí": {[]string{"Họ và tên / Full name:", "CHUNG CHÍ HÀO", "Quê quán / Place of origin: Tân Ngãi, Vĩnh Long",
			"Nơi thường trú / Place of residence: Mỹ Xuyên, An Giang"}, paper.CCCD},
	} {
		if s := field.Card(field.Runs(page(c.lines...))); s.Kind == paper.Other || s.Marks < 2 || s.Likely != c.likely {
			t.Errorf("%s: told as %q, likely %q, by %d marks", name, s.Kind, s.Likely, s.Marks)
		}
	}
}

// Of two values under one label one is another field's, whichever was read the more surely.
func TestTwoValuesUnderOneLabel(t *testing.T) {
	for _, sure := range []int{3, 4} {
		words := page("GIẤY PHÉP LÁI XE/DRIVER'S LICENSE", "Số/No: 790105004321", "Họ tên/Full name: LƯƠNG THỊ BÍCH",
			"Có giá trị đến/Expires: 28/10/2025", "Có giá trị đến/Expires: 28/10/2035", "Hạng/Class: B2")
		runs := field.Runs(words)
		for i := range runs {
			for j := range runs[i].Words {
				runs[i].Words[j].Conf = 0.8
				if i == sure {
					runs[i].Words[j].Conf = 0.99
				}
			}
		}
		if v := field.Card(runs).Values[paper.DateOfExpiry]; !slices.Contains(v.Doubts, paper.Disagreement) {
			t.Errorf("line %d is the surer: %q, doubts %v", sure, v.Text, v.Doubts)
		}
	}
}

// Whoever certifies a copy of a licence writes a day below it: no day of issue to be believed.
func TestDayOfACertifiedCopy(t *testing.T) {
	s := field.Card(field.Runs(page("GIẤY PHÉP LÁI XE/DRIVER'S LICENSE", "Số/No: 790105004321",
		"Họ tên/Full name: LƯƠNG THỊ BÍCH", "Hạng/Class: B2", "Có giá trị đến/Expires: 28/10/2025",
		"Ngày 05 tháng 03 năm 2026")))
	if v := s.Values[paper.DateOfIssue]; v.Text != "" && len(v.Doubts) == 0 {
		t.Errorf("issued %q without a doubt", v.Text)
	}
}

// A date beside two labels, one under the other, begins right of them and is whole all the same; of a name its first word may be lost.
func TestOnlyWordsAreLostFromARow(t *testing.T) {
	words := slices.Concat(at(0, 300, 6, "CĂN CƯỚC CÔNG DÂN"), at(1, 20, 6, "Date of expiry:"), at(2, 300, 6, "14/01/2044"),
		at(4, 20, 6, "Họ và tên:"), at(5, 160, 6, "MINH LONG"))
	s := field.Card(field.Runs(words))
	if v := s.Values[paper.DateOfExpiry]; v.Text != "2044-01-14" || len(v.Doubts) > 0 {
		t.Errorf("%q, doubts %v", v.Text, v.Doubts)
	}
	if v := s.Values[paper.FullName]; !slices.Contains(v.Doubts, paper.Incomplete) {
		t.Errorf("%q, doubts %v", v.Text, v.Doubts)
	}
}
