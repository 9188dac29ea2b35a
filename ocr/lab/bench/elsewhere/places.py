"""Where the invented people live: provinces, districts, wards and how Vietnamese addresses are written."""

from typing import NamedTuple

# The three digits that open a personal number stand for a province (as it was before July 2025).
PROVINCES = {
    "001": "Hà Nội",
    "002": "Hà Giang",
    "004": "Cao Bằng",
    "006": "Bắc Kạn",
    "008": "Tuyên Quang",
    "010": "Lào Cai",
    "011": "Điện Biên",
    "012": "Lai Châu",
    "014": "Sơn La",
    "015": "Yên Bái",
    "017": "Hòa Bình",
    "019": "Thái Nguyên",
    "020": "Lạng Sơn",
    "022": "Quảng Ninh",
    "024": "Bắc Giang",
    "025": "Phú Thọ",
    "026": "Vĩnh Phúc",
    "027": "Bắc Ninh",
    "030": "Hải Dương",
    "031": "Hải Phòng",
    "033": "Hưng Yên",
    "034": "Thái Bình",
    "035": "Hà Nam",
    "036": "Nam Định",
    "037": "Ninh Bình",
    "038": "Thanh Hóa",
    "040": "Nghệ An",
    "042": "Hà Tĩnh",
    "044": "Quảng Bình",
    "045": "Quảng Trị",
    "046": "Thừa Thiên Huế",
    "048": "Đà Nẵng",
    "049": "Quảng Nam",
    "051": "Quảng Ngãi",
    "052": "Bình Định",
    "054": "Phú Yên",
    "056": "Khánh Hòa",
    "058": "Ninh Thuận",
    "060": "Bình Thuận",
    "062": "Kon Tum",
    "064": "Gia Lai",
    "066": "Đắk Lắk",
    "067": "Đắk Nông",
    "068": "Lâm Đồng",
    "070": "Bình Phước",
    "072": "Tây Ninh",
    "074": "Bình Dương",
    "075": "Đồng Nai",
    "077": "Bà Rịa - Vũng Tàu",
    "079": "TP Hồ Chí Minh",
    "080": "Long An",
    "082": "Tiền Giang",
    "083": "Bến Tre",
    "084": "Trà Vinh",
    "086": "Vĩnh Long",
    "087": "Đồng Tháp",
    "089": "An Giang",
    "091": "Kiên Giang",
    "092": "Cần Thơ",
    "093": "Hậu Giang",
    "094": "Sóc Trăng",
    "095": "Bạc Liêu",
    "096": "Cà Mau",
}

CITIES = {"001", "031", "048", "079", "092"}

# province code | kind of district | district | kind of ward | wards
WARD_TABLE = """
001 | Quận | Cầu Giấy | Phường | Trung Hòa, Dịch Vọng Hậu, Nghĩa Đô, Yên Hòa, Mai Dịch
001 | Quận | Đống Đa | Phường | Láng Hạ, Ô Chợ Dừa, Khương Thượng, Kim Liên
001 | Huyện | Đông Anh | Xã | Uy Nỗ, Vĩnh Ngọc, Hải Bối, Xuân Nộn
001 | Huyện | Thạch Thất | Xã | Hữu Bằng, Chàng Sơn, Bình Yên
001 | Thị xã | Sơn Tây | Phường | Viên Sơn, Phú Thịnh, Ngô Quyền
001 | Quận | Hoàng Mai | Phường | Định Công, Đại Kim, Tân Mai
079 | Quận | 3 | Phường | Võ Thị Sáu, 9, 11, 14
079 | Quận | Bình Thạnh | Phường | 13, 22, 25, 26
079 | Quận | Gò Vấp | Phường | 5, 10, 17
079 | Huyện | Củ Chi | Xã | Tân Thạnh Đông, Phước Vĩnh An, Trung Lập Hạ
079 | Thành phố | Thủ Đức | Phường | Hiệp Bình Chánh, Linh Trung, Thảo Điền
079 | Huyện | Hóc Môn | Xã | Bà Điểm, Xuân Thới Thượng
036 | Huyện | Hải Hậu | Xã | Hải Minh, Hải Anh, Hải Đường
036 | Huyện | Xuân Trường | Xã | Xuân Kiên, Xuân Ninh, Thọ Nghiệp
036 | Huyện | Ý Yên | Xã | Yên Ninh, Yên Tiến, Yên Cường
038 | Huyện | Quảng Xương | Xã | Quảng Nham, Quảng Thái, Tiên Trang
038 | Huyện | Thọ Xuân | Xã | Xuân Hòa, Bắc Lương, Thọ Hải
038 | Huyện | Mường Lát | Xã | Pù Nhi, Trung Lý, Mường Chanh
040 | Huyện | Quỳnh Lưu | Xã | Quỳnh Đôi, Quỳnh Nghĩa, Tiến Thủy
040 | Huyện | Kỳ Sơn | Xã | Na Ngoi, Huồi Tụ, Mường Lống
040 | Thành phố | Vinh | Phường | Hưng Bình, Lê Lợi, Bến Thủy
042 | Huyện | Hương Sơn | Xã | Sơn Trường, Sơn Tây
042 | Huyện | Kỳ Anh | Xã | Kỳ Phong, Kỳ Xuân
034 | Huyện | Thái Thụy | Xã | Thụy Xuân, Thái Thượng
034 | Huyện | Tiền Hải | Xã | Đông Minh, Nam Phú
030 | Huyện | Tứ Kỳ | Xã | Quang Phục, Nguyên Giáp
030 | Thành phố | Chí Linh | Phường | Sao Đỏ, Phả Lại
031 | Quận | Lê Chân | Phường | Vĩnh Niệm, An Dương, Dư Hàng Kênh
031 | Huyện | Thủy Nguyên | Xã | Lập Lễ, Kênh Giang
022 | Thành phố | Hạ Long | Phường | Bãi Cháy, Cao Xanh, Hồng Gai
022 | Huyện | Bình Liêu | Xã | Đồng Văn, Húc Động
002 | Huyện | Mèo Vạc | Xã | Sủng Máng, Lũng Pù, Pả Vi
002 | Huyện | Đồng Văn | Xã | Sà Phìn, Lũng Cú, Phố Cáo
004 | Huyện | Trùng Khánh | Xã | Đàm Thủy, Phong Nặm
004 | Huyện | Bảo Lạc | Xã | Cốc Pàng, Sơn Lập
010 | Thị xã | Sa Pa | Xã | Tả Phìn, Bản Hồ, Mường Hoa
010 | Huyện | Bắc Hà | Xã | Na Hối, Lùng Phình
011 | Huyện | Tuần Giáo | Xã | Quài Nưa, Tỏa Tình
011 | Huyện | Mường Chà | Xã | Ma Thì Hồ, Sa Lông
014 | Huyện | Mộc Châu | Xã | Tân Lập, Lóng Sập
014 | Huyện | Thuận Châu | Xã | Chiềng Pấc, É Tòng
017 | Huyện | Lạc Sơn | Xã | Ân Nghĩa, Quý Hòa
017 | Huyện | Mai Châu | Xã | Chiềng Châu, Hang Kia
019 | Thành phố | Thái Nguyên | Phường | Túc Duyên, Hoàng Văn Thụ
019 | Huyện | Phú Lương | Xã | Động Đạt, Yên Ninh
020 | Huyện | Bắc Sơn | Xã | Hưng Vũ, Vũ Lăng
020 | Huyện | Văn Quan | Xã | Tri Lễ, Điềm He
024 | Huyện | Lục Ngạn | Xã | Phượng Sơn, Hồng Giang
024 | Huyện | Yên Thế | Xã | Đồng Kỳ, Tam Hiệp
025 | Huyện | Thanh Ba | Xã | Ninh Dân, Đồng Xuân
025 | Thành phố | Việt Trì | Phường | Gia Cẩm, Nông Trang
027 | Thành phố | Từ Sơn | Phường | Đồng Kỵ, Đình Bảng
027 | Huyện | Quế Võ | Xã | Việt Hùng, Phượng Mao
033 | Huyện | Khoái Châu | Xã | Dạ Trạch, Đông Tảo
033 | Huyện | Văn Giang | Xã | Xuân Quan, Phụng Công
037 | Huyện | Kim Sơn | Xã | Lưu Phương, Cồn Thoi
037 | Huyện | Nho Quan | Xã | Quỳnh Lưu, Kỳ Phú
044 | Huyện | Lệ Thủy | Xã | Phong Thủy, Ngư Thủy Bắc
044 | Huyện | Bố Trạch | Xã | Hưng Trạch, Cự Nẫm
045 | Huyện | Hướng Hóa | Xã | Tân Hợp, Hướng Phùng
045 | Huyện | Vĩnh Linh | Xã | Vĩnh Ô, Hiền Thành
046 | Thành phố | Huế | Phường | Vỹ Dạ, Thuận Lộc, Kim Long
046 | Huyện | Phú Lộc | Xã | Vinh Hiền, Lộc Bổn
048 | Quận | Hải Châu | Phường | Thạch Thang, Hòa Cường Bắc
048 | Quận | Liên Chiểu | Phường | Hòa Khánh Bắc, Hòa Minh
048 | Huyện | Hòa Vang | Xã | Hòa Phước, Hòa Nhơn
049 | Thị xã | Điện Bàn | Xã | Điện Quang, Điện Phước
049 | Huyện | Tây Giang | Xã | A Xan, Bhalêê
051 | Huyện | Mộ Đức | Xã | Đức Phong, Đức Chánh
052 | Thành phố | Quy Nhơn | Phường | Ghềnh Ráng, Nhơn Phú
052 | Huyện | Phù Mỹ | Xã | Mỹ Thành, Mỹ Đức
054 | Huyện | Tuy An | Xã | An Mỹ, An Chấn
054 | Thành phố | Tuy Hòa | Xã | Bình Kiến, Hòa Kiến
056 | Thành phố | Nha Trang | Phường | Vĩnh Hải, Phước Long, Lộc Thọ
056 | Thị xã | Ninh Hòa | Xã | Ninh Quang, Ninh Thượng
060 | Huyện | Tuy Phong | Xã | Vĩnh Hảo, Phước Thể
060 | Thành phố | Phan Thiết | Phường | Mũi Né, Đức Long
062 | Huyện | Đăk Hà | Xã | Đăk Mar, Ngọk Wang
062 | Huyện | Sa Thầy | Xã | Rờ Kơi, Ya Xiêr
064 | Huyện | Chư Sê | Xã | Ia Blang, Kông HTok
064 | Thành phố | Pleiku | Phường | Diên Hồng, Hoa Lư
066 | Thành phố | Buôn Ma Thuột | Phường | Tân Lợi, Ea Tam, Thành Nhất
066 | Huyện | Krông Pắc | Xã | Ea Kly, Hòa Đông
066 | Huyện | Cư M'gar | Xã | Ea H'đing, Cuôr Đăng
068 | Thành phố | Đà Lạt | Phường | 9, Xuân Thọ, 12
068 | Huyện | Di Linh | Xã | Bảo Thuận, Gung Ré
074 | Thành phố | Thủ Dầu Một | Phường | Phú Lợi, Chánh Nghĩa
074 | Thành phố | Dĩ An | Phường | Tân Đông Hiệp, Đông Hòa
075 | Thành phố | Biên Hòa | Phường | Long Bình, Trảng Dài, Hố Nai
075 | Huyện | Định Quán | Xã | Phú Túc, La Ngà
077 | Thành phố | Vũng Tàu | Phường | Thắng Tam, Rạch Dừa, 9
077 | Huyện | Xuyên Mộc | Xã | Bưng Riềng, Hòa Hiệp
080 | Huyện | Đức Hòa | Xã | Mỹ Hạnh Nam, Hựu Thạnh
080 | Huyện | Cần Giuộc | Xã | Phước Lý, Long Hậu
082 | Huyện | Cái Bè | Xã | Hòa Khánh, Mỹ Lợi A
082 | Thành phố | Mỹ Tho | Phường | 5, 10, Tân Long
083 | Huyện | Châu Thành | Xã | Tân Thạch, Quới Sơn
083 | Huyện | Ba Tri | Xã | An Ngãi Trung, Bảo Thuận
084 | Huyện | Trà Cú | Xã | Ngãi Xuyên, Đại An
084 | Huyện | Cầu Ngang | Xã | Mỹ Long Bắc, Thuận Hòa
087 | Thành phố | Sa Đéc | Phường | An Hòa, Tân Quy Đông
087 | Huyện | Tháp Mười | Xã | Mỹ Quý, Đốc Binh Kiều
089 | Huyện | Chợ Mới | Xã | Kiến An, Hòa An
089 | Huyện | Tri Tôn | Xã | Ô Lâm, Núi Tô
091 | Thành phố | Phú Quốc | Phường | Dương Đông, An Thới
091 | Huyện | Gò Quao | Xã | Định An, Vĩnh Phước B
092 | Quận | Ninh Kiều | Phường | Xuân Khánh, An Khánh, Hưng Lợi
092 | Huyện | Cờ Đỏ | Xã | Thới Hưng, Trung An
094 | Huyện | Mỹ Xuyên | Xã | Tham Đôn, Ngọc Tố
094 | Thị xã | Vĩnh Châu | Xã | Lạc Hòa, Vĩnh Hải
096 | Huyện | Ngọc Hiển | Xã | Đất Mũi, Viên An Đông
096 | Huyện | Trần Văn Thời | Xã | Khánh Bình Tây, Phong Lạc
"""

# Kind of ward, ward, province: since July 2025 there are no districts.
NEW_WARDS = [
    ("Phường", "Ba Đình", "Thành phố Hà Nội"),
    ("Xã", "Đông Anh", "Thành phố Hà Nội"),
    ("Phường", "Cầu Giấy", "Thành phố Hà Nội"),
    ("Phường", "Sài Gòn", "Thành phố Hồ Chí Minh"),
    ("Phường", "Vũng Tàu", "Thành phố Hồ Chí Minh"),
    ("Phường", "Thủ Dầu Một", "Thành phố Hồ Chí Minh"),
    ("Xã", "Củ Chi", "Thành phố Hồ Chí Minh"),
    ("Xã", "Hải Hậu", "Tỉnh Ninh Bình"),
    ("Phường", "Nam Định", "Tỉnh Ninh Bình"),
    ("Xã", "Mèo Vạc", "Tỉnh Tuyên Quang"),
    ("Phường", "Buôn Ma Thuột", "Tỉnh Đắk Lắk"),
    ("Phường", "Hải Châu", "Thành phố Đà Nẵng"),
    ("Xã", "Quỳnh Lưu", "Tỉnh Nghệ An"),
    ("Phường", "Ninh Kiều", "Thành phố Cần Thơ"),
    ("Phường", "Nha Trang", "Tỉnh Khánh Hòa"),
    ("Xã", "Cái Bè", "Tỉnh Đồng Tháp"),
    ("Phường", "Hạc Thành", "Tỉnh Thanh Hóa"),
    ("Phường", "Vỹ Dạ", "Thành phố Huế"),
    ("Xã", "Thái Thụy", "Tỉnh Hưng Yên"),
    ("Phường", "Chí Linh", "Thành phố Hải Phòng"),
    ("Xã", "Đất Mũi", "Tỉnh Cà Mau"),
    ("Xã", "Bắc Hà", "Tỉnh Lào Cai"),
]

STREETS = [
    "Trần Hưng Đạo",
    "Lê Lợi",
    "Nguyễn Trãi",
    "Lý Thường Kiệt",
    "Trần Duy Hưng",
    "Nguyễn Đình Chiểu",
    "Lê Văn Sỹ",
    "Hai Bà Trưng",
    "Quang Trung",
    "Hoàng Diệu",
    "Phan Đình Phùng",
    "Nguyễn Thị Minh Khai",
    "Cách Mạng Tháng Tám",
    "Lạc Long Quân",
    "Điện Biên Phủ",
    "Võ Văn Tần",
    "Tôn Đức Thắng",
    "Xô Viết Nghệ Tĩnh",
]

# {n} is replaced by a house or hamlet number.
HAMLETS = [
    "Thôn {n}",
    "Thôn Đông",
    "Thôn Thượng",
    "Xóm {n}",
    "Ấp {n}",
    "Ấp Bình Hòa",
    "Ấp Phú Thạnh",
    "Bản Nà Khoang",
    "Bản Huổi Lướng",
    "Thôn Tả Súng",
    "Buôn Ea Mấp",
    "Làng Pơ Nang",
    "Tổ {n}, Ấp Mỹ Lợi",
    "Thôn Ngọc Trì",
    "Đội {n}",
    "Khóm {n}",
    "Thôn Vĩnh Phước",
    "Xóm Trại",
]


class Area(NamedTuple):
    """One ward of the country as it was before July 2025."""

    province: str
    district_kind: str
    district: str
    ward_kind: str
    ward: str


def _read_wards(table):
    areas = []
    for line in table.strip().splitlines():
        province, district_kind, district, ward_kind, wards = line.split(" | ")
        for ward in wards.split(", "):
            areas.append(Area(province, district_kind, district, ward_kind, ward))
    return areas


AREAS = _read_wards(WARD_TABLE)


def long_province(code):
    """Name of the province with this three-digit code, with the word for city or province before it."""
    name = PROVINCES[code].removeprefix("TP ")
    kind = "Thành phố" if code in CITIES else "Tỉnh"
    return f"{kind} {name}"


def area_text(area, long):
    """Ward, district and province as written on a paper: with the kind of each (long) or the bare names."""
    if long:
        return (
            f"{area.ward_kind} {area.ward}, {area.district_kind} {area.district}, {long_province(area.province)}"
        )
    # A ward or district that is only a number cannot stand without its kind.
    ward = f"{area.ward_kind} {area.ward}" if area.ward.isdigit() else area.ward
    district = f"{area.district_kind} {area.district}" if area.district.isdigit() else area.district
    return f"{ward}, {district}, {PROVINCES[area.province]}"


def house(rng, urban):
    """The part of an address before the ward: house and street in a town, hamlet elsewhere."""
    if not urban:
        return rng.choice(HAMLETS).format(n=rng.randint(1, 14))
    form = rng.random()
    street = rng.choice(STREETS)
    if form < 0.3:
        return f"Số {rng.randint(1, 300)} {street}"
    if form < 0.5:
        return f"{rng.randint(1, 400)}/{rng.randint(1, 90)} {street}"
    if form < 0.6:
        return (
            f"{rng.randint(1, 400)}/{rng.randint(1, 60)}/{rng.randint(1, 20)} {street}, Khu phố {rng.randint(1, 9)}"
        )
    if form < 0.75:
        return f"Số {rng.randint(1, 90)}, Ngõ {rng.randint(2, 200)} {street}"
    if form < 0.9:
        return f"Tổ {rng.randint(1, 60)}"
    return f"Tổ dân phố {rng.randint(1, 25)}"


def address(rng, area, long):
    """A full address in the area."""
    return f"{house(rng, area.ward_kind == 'Phường')}, {area_text(area, long)}"


def new_address(rng):
    """An address of the division since July 2025: (house, ward and province; ward and province alone)."""
    ward_kind, ward, province = rng.choice(NEW_WARDS)
    area = f"{ward_kind} {ward}, {province}"
    return f"{house(rng, ward_kind == 'Phường')}, {area}", area
