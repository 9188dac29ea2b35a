package vn

import "strings"

// Share is a syllable or name with its rough share among Vietnamese people, in thousandths.
type Share struct {
	Text  string
	Share int
}

// families are family names; the first dozen cover about nine people in ten.
var families = []Share{
	{"Nguyễn", 384}, {"Trần", 110}, {"Lê", 95}, {"Phạm", 70}, {"Hoàng", 38}, {"Huỳnh", 25}, {"Phan", 45},
	{"Vũ", 25}, {"Võ", 22}, {"Đặng", 21}, {"Bùi", 20}, {"Đỗ", 14}, {"Hồ", 13}, {"Ngô", 13}, {"Dương", 10}, {"Lý", 5},
	{"Đinh", 6}, {"Đào", 6}, {"Đoàn", 6}, {"Lâm", 5}, {"Trịnh", 5}, {"Trương", 9}, {"Mai", 5}, {"Cao", 4}, {"Hà", 4},
	{"Tạ", 3}, {"Lương", 4}, {"Phùng", 3}, {"Tô", 3}, {"Tống", 2}, {"Thái", 3}, {"Châu", 2}, {"Quách", 2}, {"Kiều", 2},
	{"La", 1}, {"Lại", 1}, {"Lưu", 3}, {"Nông", 2}, {"Vi", 1}, {"Lò", 2}, {"Lường", 1}, {"Quàng", 1}, {"Giàng", 1},
	{"Vàng", 1}, {"Sùng", 1}, {"Thào", 1}, {"Hầu", 1}, {"Chu", 2}, {"Tăng", 1}, {"Từ", 1}, {"Triệu", 1}, {"Doãn", 1},
	{"Khuất", 1}, {"Nghiêm", 1}, {"Ninh", 1}, {"Ông", 1}, {"Phí", 1}, {"Thạch", 1}, {"Thân", 1}, {"Tôn", 1}, {"Uông", 1},
	{"Văn", 1}, {"Viên", 1}, {"Vương", 3}, {"Y", 1}, {"Rơ", 1}, {"H'", 1}, {"Điểu", 1}, {"Danh", 1}, {"Kim", 1}, {"Sơn", 1},
	{"Ma", 1}, {"Mạc", 1}, {"Mã", 1}, {"Mông", 1}, {"Cù", 1}, {"Cung", 1}, {"Bạch", 1}, {"Bế", 1}, {"Âu", 1}, {"An", 1},
	{"Giáp", 1}, {"Hứa", 1}, {"Khổng", 1}, {"Lục", 1}, {"Nhâm", 1}, {"Ngụy", 1}, {"Diệp", 1}, {"Đàm", 1}, {"Đậu", 1}, {"Đường", 1},
}

var maleMiddle = []Share{
	{"Văn", 260}, {"Đức", 70}, {"Hữu", 50}, {"Minh", 80}, {"Quang", 60}, {"Công", 40}, {"Xuân", 40}, {"Quốc", 40},
	{"Đình", 40}, {"Thanh", 40}, {"Ngọc", 40}, {"Trọng", 20}, {"Tuấn", 30}, {"Anh", 20}, {"Gia", 25}, {"Bảo", 20}, {"Duy", 25},
	{"Hoàng", 30}, {"Huy", 15}, {"Mạnh", 15}, {"Nhật", 15}, {"Phúc", 10}, {"Tiến", 15}, {"Trung", 15}, {"Viết", 10}, {"Thế", 15},
	{"Bá", 10}, {"Chí", 10}, {"Hải", 10}, {"Khắc", 8}, {"Sỹ", 5}, {"Tấn", 10}, {"Thiện", 8}, {"Việt", 8}, {"Vĩnh", 8},
}

var femaleMiddle = []Share{
	{"Thị", 330}, {"Ngọc", 80}, {"Thanh", 70}, {"Thu", 50}, {"Minh", 40}, {"Phương", 40}, {"Kim", 35}, {"Hồng", 35}, {"Mỹ", 25},
	{"Bích", 20}, {"Diệu", 15}, {"Khánh", 20}, {"Hoài", 15}, {"Thùy", 25}, {"Quỳnh", 25}, {"Như", 20}, {"Tuyết", 15}, {"Cẩm", 10},
	{"Ánh", 10}, {"Bảo", 15}, {"Hà", 15}, {"Lan", 15}, {"Linh", 10}, {"Mai", 15}, {"Thảo", 10}, {"Thúy", 20}, {"Xuân", 15}, {"Yến", 10},
	{"Hải", 8}, {"Huyền", 10}, {"Kiều", 10}, {"Trúc", 8}, {"Tường", 6}, {"Vân", 10}, {"Việt", 5}, {"Gia", 8}, {"An", 8},
}

var maleGiven = []Share{
	{"An", 14}, {"Anh", 30}, {"Bình", 20}, {"Cường", 24}, {"Chiến", 10}, {"Chung", 6}, {"Công", 8}, {"Dũng", 26}, {"Duy", 20},
	{"Dương", 14}, {"Đạt", 22}, {"Đông", 8}, {"Đức", 30}, {"Giang", 12}, {"Hải", 22}, {"Hiếu", 24}, {"Hiệp", 10}, {"Hòa", 12},
	{"Hoàng", 28}, {"Hùng", 32}, {"Huy", 32}, {"Hưng", 20}, {"Khánh", 14}, {"Khang", 14}, {"Khoa", 16}, {"Khôi", 10}, {"Kiên", 16},
	{"Lâm", 14}, {"Linh", 10}, {"Long", 28}, {"Lộc", 12}, {"Luân", 6}, {"Mạnh", 16}, {"Minh", 34}, {"Nam", 26}, {"Nghĩa", 12},
	{"Nguyên", 12}, {"Nhân", 12}, {"Phong", 16}, {"Phú", 10}, {"Phúc", 18}, {"Phương", 10}, {"Quân", 20}, {"Quang", 20}, {"Quốc", 8},
	{"Quý", 10}, {"Quyền", 6}, {"Sang", 8}, {"Sơn", 24}, {"Tài", 14}, {"Tâm", 10}, {"Tân", 8}, {"Thái", 14}, {"Thành", 28},
	{"Thắng", 22}, {"Thiện", 8}, {"Thịnh", 14}, {"Thọ", 6}, {"Thuận", 8}, {"Tiến", 18}, {"Toàn", 14}, {"Trí", 12}, {"Trung", 24},
	{"Trường", 14}, {"Tú", 14}, {"Tuấn", 34}, {"Tùng", 20}, {"Vinh", 14}, {"Việt", 16}, {"Vũ", 14}, {"Vượng", 4}, {"Xuân", 4}, {"Ý", 2},
	{"Khải", 6}, {"Bảo", 10}, {"Bách", 6}, {"Hậu", 8}, {"Hoan", 3}, {"Huynh", 3}, {"Khiêm", 3}, {"Kỳ", 3}, {"Lĩnh", 3}, {"Lực", 4},
	{"Nhật", 6}, {"Ninh", 3}, {"Phát", 8}, {"Sỹ", 3}, {"Thưởng", 3}, {"Tín", 5}, {"Triết", 3}, {"Tường", 4}, {"Văn", 6}, {"Vỹ", 3},
}

var femaleGiven = []Share{
	{"An", 12}, {"Anh", 38}, {"Ánh", 10}, {"Bích", 6}, {"Châu", 12}, {"Chi", 18}, {"Diễm", 6}, {"Diệp", 8}, {"Dung", 16}, {"Duyên", 14},
	{"Đào", 6}, {"Giang", 14}, {"Hà", 26}, {"Hạnh", 18}, {"Hằng", 20}, {"Hiền", 24}, {"Hoa", 22}, {"Hòa", 8}, {"Hoài", 6}, {"Hồng", 16},
	{"Huệ", 14}, {"Huyền", 22}, {"Hương", 34}, {"Hường", 8}, {"Khánh", 8}, {"Kiều", 6}, {"Lan", 24}, {"Lệ", 6}, {"Liên", 14}, {"Linh", 36},
	{"Loan", 14}, {"Ly", 12}, {"Mai", 24}, {"Mến", 3}, {"Minh", 10}, {"My", 14}, {"Mỹ", 6}, {"Nga", 18}, {"Ngân", 18}, {"Ngọc", 26},
	{"Nguyên", 6}, {"Nguyệt", 8}, {"Nhàn", 6}, {"Nhi", 20}, {"Nhung", 18}, {"Như", 14}, {"Oanh", 12}, {"Phượng", 14}, {"Phương", 30},
	{"Quyên", 14}, {"Quỳnh", 20}, {"Sương", 4}, {"Tâm", 12}, {"Thanh", 14}, {"Thảo", 28}, {"Thắm", 4}, {"Thoa", 8}, {"Thơ", 4}, {"Thu", 14},
	{"Thủy", 22}, {"Thúy", 14}, {"Thùy", 10}, {"Thư", 16}, {"Thương", 10}, {"Tiên", 8}, {"Trang", 32}, {"Trâm", 14}, {"Trinh", 10},
	{"Trúc", 8},
	{"Tuyết", 14}, {"Tươi", 4}, {"Uyên", 14}, {"Vân", 22}, {"Vi", 6}, {"Vy", 14}, {"Xuân", 8}, {"Yến", 20}, {"Ý", 2}, {"Lụa", 3}, {"Mận", 3},
	{"Hậu", 6}, {"Huê", 2}, {"Là", 2}, {"Luyến", 4}, {"Mơ", 3}, {"Na", 3}, {"Nụ", 2}, {"Phấn", 2}, {"Thêu", 3}, {"Bé", 3}, {"Út", 2},
	{"Gấm", 2},
}

// Names of the peoples of the highlands and the north, which are known but not drawn: what begins them, and the clans and words that
// stand behind (Ê Đê, Gia Rai, Ba Na, Cơ Ho, Cơ Tu, Hmông). H' and K' are written with an apostrophe, of which nothing but the letter
// may be left.
var (
	highlandHeads = strings.Fields("Y A H' K' Ka Ksor Nay Kpă Siu Rơ Rmah Rahlan Kra Păng Điểu Zơ Pơ A Alăng Giàng Sùng Thào Vừ Mùa Lầu Cứ " +
		"Hờ Thò Vàng Sồng")
	highlandWords = strings.Fields("Niê Mlô Êban Ayun Kbuôr Kđăm Byă Buôn Yă Châm Rchom Jăn Ting Lăng Râm Loong Siu Ksor Kpă Nay Rmah A " +
		"Thị Pó Lử Mỷ")
)

// Families, Middles and Givens list the parts of names with their shares; sex is "Nam" or "Nữ".
func Families() []Share { return append([]Share(nil), families...) }

// Middles lists what stands between family and given name.
func Middles(sex string) []Share {
	if sex == "Nữ" {
		return append([]Share(nil), femaleMiddle...)
	}
	return append([]Share(nil), maleMiddle...)
}

// Givens lists given names.
func Givens(sex string) []Share {
	if sex == "Nữ" {
		return append([]Share(nil), femaleGiven...)
	}
	return append([]Share(nil), maleGiven...)
}
