# -*- coding: utf-8 -*-
"""Invented people, real place names, document numbers and machine readable zones."""
import unicodedata, datetime as D
import numpy as np


class Rnd:
    def __init__(s, *seed):
        s.g = np.random.default_rng([int(x) for x in seed])

    def U(s, a, b):
        return float(s.g.uniform(a, b))

    def I(s, a, b):
        return int(s.g.integers(a, b + 1))

    def P(s, p):
        return bool(s.g.random() < p)

    def pick(s, l):
        return l[int(s.g.integers(0, len(l)))]

    def digits(s, n):
        return "".join(str(s.I(0, 9)) for _ in range(n))

    def date(s, a, b):
        return a + D.timedelta(days=s.I(0, (b - a).days))


SUR = "Nguyễn Nguyễn Nguyễn Nguyễn Nguyễn Trần Trần Trần Lê Lê Phạm Phạm Hoàng Huỳnh Phan Vũ Võ Đặng Bùi Đỗ Hồ Ngô Dương Lý Đinh Đoàn Lương Trịnh Mai Đào Tô Lâm Tạ Chu Hà Quách Thái Cao Nghiêm Kiều La Lục Nông Vi Thạch Châu Từ Tăng Khuất Ông".split()
MM = [
    "Văn",
    "Văn",
    "Văn",
    "Đức",
    "Hữu",
    "Minh",
    "Quốc",
    "Xuân",
    "Công",
    "Đình",
    "Trọng",
    "Thanh",
    "Anh",
    "Hoàng",
    "Ngọc",
    "Bá",
    "Viết",
    "Thế",
    "Quang",
    "Duy",
    "Gia",
    "Nhật",
    "Tuấn",
    "Mạnh",
]
MF = [
    "Thị",
    "Thị",
    "Thị",
    "Thị Ngọc",
    "Thị Thu",
    "Thị Thanh",
    "Ngọc",
    "Thùy",
    "Thu",
    "Khánh",
    "Bảo",
    "Phương",
    "Minh",
    "Kim",
    "Hoàng",
    "Thị Kim",
    "Thị Mỹ",
    "Quỳnh",
    "Hồng",
    "Diệu",
    "Như",
    "Thị Hồng",
    "Bích",
    "Tuyết",
]
GM = "An Anh Bình Bảo Chiến Cường Công Dũng Duy Dương Đạt Đức Đông Giang Hải Hiếu Hòa Hoàng Hùng Huy Hưng Khánh Khoa Kiên Lâm Linh Long Lộc Mạnh Minh Nam Nghĩa Nguyên Nhân Phong Phú Phúc Quân Quang Quyền Sơn Tài Tâm Thắng Thành Thịnh Thiện Tiến Toàn Trung Tú Tuấn Tùng Việt Vinh Vũ Vỹ Khôi Sáng Thưởng Ước Đẩu Lẫm Hợi Kỷ Lĩnh Nhật Quỳ Rạng Sự Ưng".split()
GF = "An Anh Ánh Châu Chi Diễm Diệp Dung Duyên Giang Hà Hạnh Hằng Hiền Hoa Hồng Huệ Huyền Hương Hường Khuê Lan Lê Liên Linh Loan Ly Mai Mơ My Mỹ Nga Ngân Ngọc Nguyệt Nhã Nhi Nhung Oanh Phương Phượng Quyên Quỳnh Sen Tâm Thảo Thắm Thoa Thơ Thu Thúy Thủy Thư Thương Trang Trâm Trinh Trúc Tuyền Tuyết Uyên Vân Vi Xuân Yến Ý Nguyên Điệp Ngần Lựu Vẻ".split()

# code: (province, [(district, [wards])])  -- the three levels before July 2025
OLD = {
    "001": (
        "Hà Nội",
        [
            ("Quận Ba Đình", ["Phúc Xá", "Ngọc Hà", "Cống Vị", "Giảng Võ"]),
            ("Quận Đống Đa", ["Láng Hạ", "Ô Chợ Dừa", "Khâm Thiên"]),
            ("Huyện Thanh Trì", ["Tả Thanh Oai", "Ngũ Hiệp", "Đại Áng"]),
            ("Huyện Thạch Thất", ["Bình Yên", "Hương Ngải", "Cần Kiệm"]),
        ],
    ),
    "002": (
        "Hà Giang",
        [("Huyện Vị Xuyên", ["Đạo Đức", "Phú Linh", "Tùng Bá"]), ("Huyện Đồng Văn", ["Lũng Cú", "Sà Phìn"])],
    ),
    "004": (
        "Cao Bằng",
        [("Huyện Trùng Khánh", ["Đàm Thủy", "Phong Châu"]), ("Huyện Hòa An", ["Nam Tuấn", "Hồng Việt"])],
    ),
    "010": ("Lào Cai", [("Huyện Bát Xát", ["Y Tý", "Quang Kim"]), ("Huyện Bảo Thắng", ["Gia Phú", "Xuân Giao"])]),
    "019": ("Thái Nguyên", [("Huyện Đại Từ", ["La Bằng", "Yên Lãng"]), ("Huyện Phú Bình", ["Úc Kỳ", "Kha Sơn"])]),
    "020": (
        "Lạng Sơn",
        [("Huyện Cao Lộc", ["Thụy Hùng", "Hợp Thành"]), ("Huyện Chi Lăng", ["Quang Lang", "Vạn Linh"])],
    ),
    "022": (
        "Quảng Ninh",
        [
            ("Huyện Tiên Yên", ["Đông Ngũ", "Hải Lạng"]),
            ("Thành phố Cẩm Phả", ["Cẩm Thạch", "Mông Dương", "Quang Hanh"]),
        ],
    ),
    "024": (
        "Bắc Giang",
        [("Huyện Lạng Giang", ["Tân Dĩnh", "Nghĩa Hòa"]), ("Huyện Yên Thế", ["Đồng Kỳ", "Xuân Lương"])],
    ),
    "025": ("Phú Thọ", [("Huyện Lâm Thao", ["Tứ Xã", "Phùng Nguyên"]), ("Huyện Hạ Hòa", ["Ấm Hạ", "Gia Điền"])]),
    "026": (
        "Vĩnh Phúc",
        [("Huyện Yên Lạc", ["Đồng Cương", "Trung Nguyên"]), ("Huyện Lập Thạch", ["Tử Du", "Xuân Lôi"])],
    ),
    "027": (
        "Bắc Ninh",
        [("Huyện Thuận Thành", ["Song Hồ", "Trạm Lộ", "Mão Điền"]), ("Huyện Yên Phong", ["Tam Đa", "Đông Thọ"])],
    ),
    "030": (
        "Hải Dương",
        [("Huyện Thanh Hà", ["Thanh Sơn", "Cẩm Chế"]), ("Huyện Gia Lộc", ["Hồng Hưng", "Toàn Thắng"])],
    ),
    "031": (
        "Hải Phòng",
        [("Quận Lê Chân", ["An Dương", "Nghĩa Xá"]), ("Huyện Vĩnh Bảo", ["Cộng Hiền", "Lý Học", "Tam Cường"])],
    ),
    "033": (
        "Hưng Yên",
        [("Huyện Khoái Châu", ["Đông Tảo", "Dạ Trạch"]), ("Huyện Ân Thi", ["Quang Vinh", "Hồng Quang"])],
    ),
    "034": ("Thái Bình", [("Huyện Thái Thụy", ["Thụy Hải", "Mỹ Lộc"]), ("Huyện Vũ Thư", ["Song Lãng", "Nguyên Xá"])]),
    "035": ("Hà Nam", [("Huyện Lý Nhân", ["Nhân Mỹ", "Bắc Lý"]), ("Huyện Bình Lục", ["Vũ Bản", "Ngọc Lũ"])]),
    "036": (
        "Nam Định",
        [("Huyện Hải Hậu", ["Hải Lý", "Hải Phúc", "Hải Đường"]), ("Huyện Ý Yên", ["Yên Chính", "Yên Mỹ"])],
    ),
    "037": (
        "Ninh Bình",
        [("Huyện Yên Khánh", ["Khánh Nhạc", "Khánh Thủy"]), ("Huyện Nho Quan", ["Cúc Phương", "Gia Lâm"])],
    ),
    "038": (
        "Thanh Hóa",
        [
            ("Huyện Hoằng Hóa", ["Hoằng Lộc", "Hoằng Phụ"]),
            ("Huyện Thọ Xuân", ["Xuân Lập", "Thọ Diên"]),
            ("Thị xã Nghi Sơn", ["Hải Thanh", "Nguyên Bình"]),
        ],
    ),
    "040": (
        "Nghệ An",
        [
            ("Huyện Đô Lương", ["Lưu Sơn", "Bồi Sơn"]),
            ("Huyện Yên Thành", ["Hậu Thành", "Sơn Thành"]),
            ("Thành phố Vinh", ["Hưng Bình", "Bến Thủy", "Nghi Phú"]),
        ],
    ),
    "042": ("Hà Tĩnh", [("Huyện Cẩm Xuyên", ["Cẩm Mỹ", "Yên Hòa"]), ("Huyện Đức Thọ", ["Tùng Ảnh", "Quang Vĩnh"])]),
    "044": ("Quảng Bình", [("Huyện Lệ Thủy", ["Lộc Thủy", "Mỹ Thủy"]), ("Thị xã Ba Đồn", ["Quảng Văn", "Quảng Lộc"])]),
    "046": (
        "Thừa Thiên Huế",
        [("Huyện Phú Vang", ["Phú Mỹ", "Vinh Hà"]), ("Thành phố Huế", ["Vỹ Dạ", "Kim Long", "Thuận Lộc"])],
    ),
    "048": (
        "Đà Nẵng",
        [
            ("Huyện Hòa Vang", ["Hòa Tiến", "Hòa Phong", "Hòa Khương"]),
            ("Quận Hải Châu", ["Thuận Phước", "Hòa Cường Bắc", "Bình Hiên"]),
            ("Quận Sơn Trà", ["Mân Thái", "An Hải Bắc"]),
        ],
    ),
    "049": (
        "Quảng Nam",
        [
            ("Huyện Đại Lộc", ["Đại Hiệp", "Ái Nghĩa"]),
            ("Huyện Thăng Bình", ["Bình Quý", "Hà Lam"]),
            ("Thành phố Hội An", ["Cẩm Châu", "Minh An"]),
        ],
    ),
    "051": ("Quảng Ngãi", [("Huyện Mộ Đức", ["Đức Nhuận", "Đức Lân"]), ("Huyện Bình Sơn", ["Bình Chánh", "Bình Hải"])]),
    "052": (
        "Bình Định",
        [
            ("Huyện Tuy Phước", ["Phước Lộc", "Phước Sơn"]),
            ("Thành phố Quy Nhơn", ["Lê Lợi", "Nhơn Bình", "Ghềnh Ráng"]),
        ],
    ),
    "054": ("Phú Yên", [("Huyện Tuy An", ["An Mỹ", "An Chấn"]), ("Huyện Phú Hòa", ["Hòa Thắng", "Hòa Trị"])]),
    "056": (
        "Khánh Hòa",
        [
            ("Huyện Diên Khánh", ["Diên Sơn", "Suối Hiệp"]),
            ("Thành phố Nha Trang", ["Vĩnh Hải", "Phước Tân", "Lộc Thọ"]),
        ],
    ),
    "064": ("Gia Lai", [("Huyện Chư Sê", ["Ia Pal", "Dun"]), ("Thành phố Pleiku", ["Hoa Lư", "Yên Thế", "Trà Bá"])]),
    "066": (
        "Đắk Lắk",
        [
            ("Huyện Cư M'gar", ["Ea Kpam", "Quảng Hiệp"]),
            ("Thành phố Buôn Ma Thuột", ["Tân Lợi", "Ea Tam", "Thành Nhất"]),
        ],
    ),
    "068": (
        "Lâm Đồng",
        [("Huyện Đức Trọng", ["Hiệp Thạnh", "Liên Hiệp"]), ("Thành phố Bảo Lộc", ["Lộc Phát", "Lộc Sơn"])],
    ),
    "070": ("Bình Phước", [("Huyện Lộc Ninh", ["Lộc Thuận", "Lộc Hưng"]), ("Huyện Bù Đăng", ["Đức Liễu", "Thọ Sơn"])]),
    "074": (
        "Bình Dương",
        [("Thành phố Dĩ An", ["Tân Đông Hiệp", "An Bình", "Đông Hòa"]), ("Huyện Dầu Tiếng", ["Thanh An", "Long Hòa"])],
    ),
    "075": (
        "Đồng Nai",
        [("Huyện Xuân Lộc", ["Suối Cát", "Xuân Hiệp"]), ("Thành phố Biên Hòa", ["Tân Phong", "Trảng Dài", "Bửu Long"])],
    ),
    "079": (
        "TP. Hồ Chí Minh",
        [
            ("Quận Bình Thạnh", ["Phường 12", "Phường 25", "Phường 3"]),
            ("Quận Gò Vấp", ["Phường 5", "Phường 17"]),
            ("Huyện Củ Chi", ["Tân Thạnh Đông", "Phước Vĩnh An", "Trung Lập Thượng"]),
            ("Quận Tân Phú", ["Tân Sơn Nhì", "Phú Thọ Hòa", "Tây Thạnh"]),
        ],
    ),
    "080": (
        "Long An",
        [("Huyện Cần Giuộc", ["Long Thượng", "Phước Lý"]), ("Huyện Đức Hòa", ["Mỹ Hạnh Nam", "Hựu Thạnh"])],
    ),
    "082": (
        "Tiền Giang",
        [("Huyện Cái Bè", ["Mỹ Đức Đông", "Hậu Thành"]), ("Huyện Gò Công Tây", ["Thạnh Nhựt", "Bình Nhì"])],
    ),
    "083": (
        "Bến Tre",
        [("Huyện Ba Tri", ["An Hiệp", "Vĩnh Hòa", "Mỹ Thạnh"]), ("Huyện Mỏ Cày Nam", ["An Thạnh", "Định Thủy"])],
    ),
    "084": ("Trà Vinh", [("Huyện Cầu Kè", ["Phong Phú", "An Phú Tân"]), ("Huyện Trà Cú", ["Ngãi Xuyên", "Hàm Giang"])]),
    "087": (
        "Đồng Tháp",
        [("Huyện Lấp Vò", ["Bình Thành", "Tân Mỹ"]), ("Thành phố Sa Đéc", ["Tân Quy Đông", "An Hòa"])],
    ),
    "089": ("An Giang", [("Huyện Chợ Mới", ["Kiến An", "Mỹ Hội Đông"]), ("Huyện Tri Tôn", ["Ô Lâm", "Lương Phi"])]),
    "091": (
        "Kiên Giang",
        [("Huyện Giồng Riềng", ["Thạnh Lộc", "Bàn Thạch"]), ("Thành phố Rạch Giá", ["Vĩnh Lạc", "An Hòa"])],
    ),
    "092": (
        "Cần Thơ",
        [
            ("Quận Ninh Kiều", ["Xuân Khánh", "An Khánh", "Hưng Lợi"]),
            ("Huyện Phong Điền", ["Giai Xuân", "Trường Long"]),
        ],
    ),
    "094": (
        "Sóc Trăng",
        [("Huyện Kế Sách", ["Nhơn Mỹ", "An Lạc Tây"]), ("Huyện Mỹ Xuyên", ["Tham Đôn", "Thạnh Quới"])],
    ),
    "096": (
        "Cà Mau",
        [("Huyện Đầm Dơi", ["Tạ An Khương", "Quách Phẩm"]), ("Huyện Cái Nước", ["Lương Thế Trân", "Tân Hưng"])],
    ),
}
NEW = {  # two levels, since July 2025
    "Hà Nội": [
        "Phường Hoàn Kiếm",
        "Phường Cửa Nam",
        "Phường Ngọc Hà",
        "Phường Giảng Võ",
        "Phường Vĩnh Tuy",
        "Phường Ô Chợ Dừa",
        "Phường Láng",
        "Phường Nghĩa Đô",
        "Xã Thanh Trì",
        "Xã Đại Thanh",
        "Xã Sóc Sơn",
    ],
    "TP. Hồ Chí Minh": [
        "Phường Sài Gòn",
        "Phường Bến Thành",
        "Phường Nhiêu Lộc",
        "Phường Chợ Lớn",
        "Phường Thủ Dầu Một",
        "Phường Vũng Tàu",
        "Xã Củ Chi",
        "Xã Bình Chánh",
    ],
    "Đà Nẵng": [
        "Phường Hải Châu",
        "Phường Hòa Cường",
        "Phường Thanh Khê",
        "Phường Ngũ Hành Sơn",
        "Phường Tam Kỳ",
        "Xã Hòa Vang",
        "Xã Đại Lộc",
    ],
    "Huế": ["Phường Thuận Hóa", "Phường Phú Xuân", "Phường Kim Long", "Phường Vỹ Dạ"],
    "Hải Phòng": ["Phường Hồng Bàng", "Phường Lê Chân", "Phường Kiến An", "Phường Hải Dương"],
    "Cần Thơ": ["Phường Ninh Kiều", "Phường Cái Khế", "Phường Ô Môn", "Phường Sóc Trăng"],
    "Lâm Đồng": ["Phường Xuân Hương - Đà Lạt", "Phường Phan Thiết", "Phường 1 Bảo Lộc", "Xã Đức Trọng"],
    "Nghệ An": ["Phường Thành Vinh", "Phường Vinh Hưng", "Xã Diễn Châu", "Xã Đô Lương"],
    "Thanh Hóa": ["Phường Hạc Thành", "Phường Sầm Sơn", "Xã Thọ Xuân", "Xã Hoằng Hóa"],
    "Quảng Ninh": ["Phường Hồng Gai", "Phường Bãi Cháy", "Phường Cẩm Phả"],
    "Bắc Ninh": ["Phường Kinh Bắc", "Phường Võ Cường", "Phường Đa Mai"],
    "Ninh Bình": ["Phường Hoa Lư", "Phường Nam Định", "Phường Phủ Lý"],
    "Gia Lai": ["Phường Quy Nhơn", "Phường Pleiku", "Xã Chư Sê"],
    "Đắk Lắk": ["Phường Buôn Ma Thuột", "Phường Tuy Hòa", "Xã Ea Kar"],
    "Khánh Hòa": ["Phường Nha Trang", "Phường Phan Rang", "Xã Diên Khánh"],
    "Đồng Nai": ["Phường Trấn Biên", "Phường Long Khánh", "Xã Long Thành"],
    "Vĩnh Long": ["Phường Long Châu", "Phường Trà Vinh", "Xã Ba Tri"],
    "An Giang": ["Phường Long Xuyên", "Phường Rạch Giá", "Xã Chợ Mới"],
    "Đồng Tháp": ["Phường Mỹ Tho", "Phường Cao Lãnh", "Xã Lấp Vò"],
}
STREETS = [
    "Nguyễn Trãi",
    "Lê Lợi",
    "Trần Hưng Đạo",
    "Hai Bà Trưng",
    "Phan Bội Châu",
    "Nguyễn Thị Định",
    "Lý Thường Kiệt",
    "Điện Biên Phủ",
    "Ngô Quyền",
    "Quang Trung",
    "Võ Thị Sáu",
    "Hoàng Hoa Thám",
    "Tôn Đức Thắng",
    "Cách Mạng Tháng Tám",
]
HAMLET = [
    "Thôn Đông",
    "Thôn 4",
    "Thôn Thượng",
    "Ấp 3",
    "Ấp Tân Thuận",
    "Xóm 7",
    "Xóm Mới",
    "Tổ 12",
    "Khu 5",
    "Khối 9",
    "Tổ dân phố số 6",
    "Thôn An Lạc",
    "Ấp Vĩnh Hưng",
    "Đội 2",
    "Buôn Kô Sir",
    "Thôn Phú Mỹ",
]
ETH = ["Kinh"] * 12 + ["Tày", "Thái", "Mường", "Nùng", "Khmer", "Hoa", "Ê Đê", "Dao"]
REL = ["Không"] * 8 + ["Phật giáo", "Công giáo", "Cao Đài", "Tin Lành"]
MARKS = [
    "Nốt ruồi C: 1cm trên trước đầu lông mày trái",
    "Sẹo chấm C: 2cm dưới sau đuôi mắt phải",
    "Nốt ruồi C: 0,5cm dưới mép trái",
    "Sẹo thẳng 1,5cm giữa trán",
    "Nốt ruồi C: 3cm sau cánh mũi phải",
    "Tàn nhang hai gò má",
    "Sẹo tròn C: 1cm trên đuôi lông mày phải",
]


def noacc(s):
    s = s.replace("Đ", "D").replace("đ", "d")
    return "".join(c for c in unicodedata.normalize("NFD", s) if not unicodedata.combining(c))


def strip_unit(s):
    for p in ("Quận ", "Huyện ", "Thành phố ", "Thị xã ", "Xã ", "Phường "):
        if s.startswith(p) and not s[len(p) :][0].isdigit():
            return s[len(p) :]
    return s


def name(r, sex, surname=None):
    s = surname or r.pick(SUR)
    while True:
        m, g = (r.pick(MM), r.pick(GM)) if sex == "Nam" else (r.pick(MF), r.pick(GF))
        if g not in m.split() and g != s:
            break
    if r.P(0.06):
        m = ""
    if r.P(0.05):
        m = (m + " " + r.pick(["Tôn", "Phước", "Hải", "Nhật", "Thiên"])).strip()
    return " ".join(x for x in (s, m, g) if x)


def old_area(r, code=None, short=True):
    code = code or r.pick(sorted(OLD))
    prov, ds = OLD[code]
    d, ws = r.pick(ds)
    w = r.pick(ws)
    if short:
        return code, ", ".join([w, strip_unit(d), prov])
    pre = "" if w.startswith("Phường") else ("Phường " if d.startswith(("Quận", "Thành phố")) else "Xã ")
    pp = (
        prov
        if prov.startswith("TP.")
        else ("Thành phố " if prov in ("Hà Nội", "Hải Phòng", "Đà Nẵng", "Cần Thơ") else "Tỉnh ") + prov
    )
    return code, ", ".join([pre + w, d, pp if r.P(0.5) else prov])


def new_area(r, short=True):
    prov = r.pick(sorted(NEW))
    w = r.pick(NEW[prov])
    return ", ".join([strip_unit(w) if short else w, prov])


def door(r):
    k = r.I(0, 5)
    if k <= 1:
        return r.pick(HAMLET)
    if k == 2:
        return "%d %s" % (r.I(2, 480), r.pick(STREETS))
    if k == 3:
        return "%d/%d %s" % (r.I(2, 300), r.I(1, 60), r.pick(STREETS))
    if k == 4:
        return "Số %d ngõ %d %s" % (r.I(1, 90), r.I(2, 250), r.pick(STREETS))
    return "%s, %s" % (
        r.pick(["Tổ 3", "Tổ 15", "Tổ 21A", "Số 8"]),
        r.pick(["Khu phố 2", "Khu phố 5", "Thôn Trung", "Ấp 6"]),
    )


def number12(r, code, sex, dob):
    g = (dob.year // 100 - 19) * 2 + (sex == "Nữ")
    return "%s%d%02d%s" % (code, g, dob.year % 100, r.digits(6))


def vn(d, sep="/"):
    return sep.join(["%02d" % d.day, "%02d" % d.month, "%04d" % d.year])


def years_on(d, n):
    try:
        return d.replace(year=d.year + n)
    except ValueError:
        return d.replace(year=d.year + n, day=28)


def expiry(dob, issue):
    age = (issue - dob).days / 365.25
    for lim in (25, 40, 60):
        if age < lim - 2:
            return years_on(dob, lim)
    return None


class Person:
    pass


def person(r, kind):
    p = Person()
    p.sex = r.pick(["Nam", "Nữ"])
    two = False
    if kind == "cccd":
        p.issue = r.date(D.date(2021, 3, 1), D.date(2024, 6, 28))
        lo, hi = 14, 82
    elif kind == "can-cuoc":
        p.issue = r.date(D.date(2024, 7, 2), D.date(2026, 2, 20))
        lo, hi = 14, 82
        two = p.issue >= D.date(2025, 7, 1)
    elif kind == "cccd-2016":
        p.issue = r.date(D.date(2016, 5, 4), D.date(2020, 12, 30))
        lo, hi = 14, 80
    elif kind == "cmnd9":
        p.issue = r.date(D.date(1999, 6, 1), D.date(2016, 11, 30))
        lo, hi = 15, 60
    elif kind == "cmnd12":
        p.issue = r.date(D.date(2013, 1, 5), D.date(2016, 4, 20))
        lo, hi = 15, 60
    elif kind == "passport":
        p.issue = r.date(D.date(2016, 2, 1), D.date(2025, 12, 30))
        lo, hi = 15, 75
    elif kind == "khai-sinh":
        p.issue = r.date(D.date(2016, 2, 1), D.date(2025, 12, 30))
        lo, hi = 0, 1
        two = p.issue >= D.date(2025, 7, 1)
    else:
        p.issue = r.date(D.date(2021, 8, 1), D.date(2026, 2, 20))
        lo, hi = 18, 78
        two = p.issue >= D.date(2025, 7, 1)
    if kind == "khai-sinh":
        p.dob = p.issue - D.timedelta(days=r.I(5, 55))
    else:
        p.dob = r.date(years_on(p.issue, -hi), years_on(p.issue, -lo) - D.timedelta(days=30))
    while p.issue.weekday() == 6:
        p.issue += D.timedelta(days=1)
    p.two = two
    p.name = name(r, p.sex)
    code, p.origin = old_area(r, short=r.P(0.8) and kind != "khai-sinh")
    p.code = code
    same = r.P(0.65)
    if two:
        a = new_area(r, short=r.P(0.5))
        p.residence = door(r) + ", " + a
        p.area = a
    else:
        _, a = old_area(r, code if same else None, short=r.P(0.7) and kind not in ("khai-sinh", "ct07"))
        p.residence = door(r) + ", " + a
        p.area = a
    p.number = number12(r, code, p.sex, p.dob)
    p.old = r.digits(9) if (p.dob.year < 2001 and r.P(0.65)) else ""
    if p.old:
        p.old = r.pick(["0", "1", "2", "3"]) + p.old[1:]
    p.nine = r.pick(["0", "1", "2", "3"]) + r.digits(8)
    p.eth, p.rel, p.mark = r.pick(ETH), r.pick(REL), r.pick(MARKS)
    p.exp = expiry(p.dob, p.issue)
    fs = p.name.split()[0]
    p.father = name(r, "Nam", fs)
    p.mother = name(r, "Nữ")
    return p


# ---- forged symbols
LIES = ["number", "given", "tone", "house", "ward", "dob", "issue", "everything"]
MARKS5 = "\u0300\u0301\u0309\u0303\u0323"


def retone(r, n):
    """Another tone on one syllable that bears one, or a falling one on a bare syllable."""
    ws = n.split()
    i = r.I(0, len(ws) - 1)
    w = unicodedata.normalize("NFD", ws[i])
    has = [c for c in w if c in MARKS5]
    shut = noacc(ws[i]).lower().endswith(("c", "ch", "p", "t"))
    if has:
        w = w.replace(has[0], r.pick([c for c in ("\u0301\u0323" if shut else MARKS5) if c != has[0]]), 1)
    else:
        k = max(j for j, c in enumerate(w) if c.lower() in "aeiouy" and (j < 1 or w[:j].lower() not in ("q", "g")))
        while k + 1 < len(w) and unicodedata.combining(w[k + 1]):
            k += 1
        w = w[: k + 1] + "\u0300" + w[k + 1 :]
    ws[i] = unicodedata.normalize("NFC", w)
    return " ".join(ws)


def redigit(r, t, a):
    i = r.pick([j for j in range(a, len(t)) if t[j].isdigit()])
    return t[:i] + r.pick([c for c in "123456789" if c != t[i]]) + t[i + 1 :]


def forge(r, p, what):
    """Whom a forged symbol names: p with one thing other than printed, or a stranger."""
    q = Person()
    q.__dict__.update(p.__dict__)
    if what == "number":
        q.number = redigit(r, p.number, 5)
    if what == "given":
        q.name = " ".join(p.name.split()[:-1] + [r.pick([g for g in GM + GF if g not in p.name])])
    if what == "tone":
        q.name = retone(r, p.name)
    if what == "house":
        h, rest = p.residence.split(", ", 1)
        q.residence = (redigit(r, h, 0) if any(c.isdigit() for c in h) else r.pick([x for x in HAMLET if x != h])) + ", " + rest
    if what == "ward":
        a = p.residence.split(", ")
        k = len(a) - (2 if p.two else 3)
        a[k] = r.pick([w for w in (new_area(r) for _ in range(9)) if w.split(", ")[0] not in a[k]]).split(", ")[0]
        q.residence = ", ".join(a)
    if what == "dob":
        q.dob = p.dob - D.timedelta(days=r.I(1, 900))
    if what == "issue":
        q.issue = p.issue - D.timedelta(days=r.I(1, 50))
    if what == "everything":
        s = person(r, "cccd")
        q.number, q.old, q.name, q.dob, q.sex, q.residence = s.number, s.old, s.name, s.dob, s.sex, s.residence
        q.issue = p.issue - D.timedelta(days=r.I(1, 50))
    return q


def lies(p, q):
    same = dict(number=p.number == q.number, full_name=p.name.upper() == q.name.upper(), date_of_birth=p.dob == q.dob, sex=p.sex == q.sex,
                place_of_residence=p.residence == q.residence, date_of_issue=p.issue == q.issue)
    return [n for n in same if not same[n]]


# ---- machine readable zone
def chk(s):
    v = 0
    for i, c in enumerate(s):
        n = 0 if c == "<" else int(c) if c.isdigit() else ord(c) - 55
        v += n * (7, 3, 1)[i % 3]
    return str(v % 10)


def yymmdd(d):
    return d.strftime("%y%m%d")


def mrz_name(n, w):
    a = noacc(n).upper().split()
    return (a[0] + "<<" + "<".join(a[1:])).ljust(w, "<")[:w]


def td1(p):
    n9 = p.number[-9:]
    l1 = "IDVNM" + n9 + chk(n9) + p.number + "<<" + chk(p.number)
    e = yymmdd(p.exp) if p.exp else "991231"
    b = yymmdd(p.dob)
    l2 = b + chk(b) + ("M" if p.sex == "Nam" else "F") + e + chk(e) + "VNM" + "<" * 11
    l2 += chk(l1[5:30] + l2[0:7] + l2[8:15] + l2[18:29])
    return [l1, l2, mrz_name(p.name, 30)]


def td3(p):
    l1 = "P<VNM" + mrz_name(p.name, 39)
    n = p.passno.ljust(9, "<")
    b, e = yymmdd(p.dob), yymmdd(p.exp)
    o = p.idno.ljust(14, "<")
    l2 = n + chk(n) + "VNM" + b + chk(b) + ("M" if p.sex == "Nam" else "F") + e + chk(e) + o + chk(o)
    l2 += chk(l2[0:10] + l2[13:20] + l2[21:43])
    return [l1, l2]


# ---- dates in words
D1 = ["không", "một", "hai", "ba", "bốn", "năm", "sáu", "bảy", "tám", "chín", "mười"]


def w2(n):
    if n <= 10:
        return D1[n]
    t, u = divmod(n, 10)
    s = "mười" if t == 1 else D1[t] + " mươi"
    if u == 0:
        return s
    if u == 1 and t > 1:
        return s + " mốt"
    if u == 5:
        return s + " lăm"
    return s + " " + D1[u]


def words(d):
    y = d.year
    k, h, t = y // 1000, y // 100 % 10, y % 100
    s = D1[k] + " nghìn " + D1[h] + " trăm"
    if t:
        s += (" linh " + D1[t]) if t < 10 else " " + w2(t)
    return "Ngày %s tháng %s năm %s" % (w2(d.day), "tư" if d.month == 4 else w2(d.month), s)


if __name__ == "__main__":
    assert chk("079204659924") == "7"
    p = Person()
    p.number = "079204659924"
    p.dob = D.date(2004, 1, 14)
    p.exp = D.date(2029, 1, 14)
    p.sex = "Nam"
    p.name = "Kiều Minh Quyền Long"
    print(td1(p))
    assert td1(p)[0] == "IDVNM2046599247079204659924<<7" and td1(p)[1] == "0401146M2901145VNM<<<<<<<<<<<6"
    print(words(D.date(2015, 4, 21)), words(D.date(2005, 12, 5)))
