"""The papers larger than a card: the data page of a passport, the birth certificate and the form CT07.

Every public function takes a random source and a Person and returns a list with one Side.
"""

from datetime import date

from papers import parts
from papers.parts import CENTRED, ONE_LINE, Code, Side, jitter, written_date
from people import SIGNERS, passport_mrz, random_day, random_name
from places import PROVINCES, long_province

PASSPORT_FONTS = ["Arimo", "Tinos", "Roboto", "TeX Gyre Heros", "Noto Sans"]
PASSPORT_WIDTH = 125
PASSPORT_HEIGHT = 88
PAGE_WIDTH = 210
PAGE_HEIGHT = 297

REPUBLIC = "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM"
MOTTO = "Độc lập - Tự do - Hạnh phúc"
NATIONALITY = "Việt Nam"
BOLD = "font-weight:bold;"
PASSPORT_RED = "color:#7a1f22;"
GAP = "&emsp;&emsp;"

DIGITS = ["không", "một", "hai", "ba", "bốn", "năm", "sáu", "bảy", "tám", "chín"]


# ---- passport


def passport(rng, person):
    """The data page of a passport, in one of two forms: with the name in one field or in two."""
    font = rng.choice(PASSPORT_FONTS)
    dy = jitter(rng, 0.6)
    new_form = rng.random() < 0.4
    background = rng.choice(
        [
            "linear-gradient(120deg,#e9f0e2,#f3eedc 50%,#dfeaf0)",
            "linear-gradient(100deg,#f3e8e0,#e5efe6 50%,#e1e6f3)",
        ]
    )
    colours = ["#9cc7b4", "#d7b98e", "#9fb3d8", "#e0b0a8"]
    opacity = rng.uniform(0.3, 0.5)
    content = [parts.guilloche(rng, PASSPORT_WIDTH, PASSPORT_HEIGHT, colours, opacity, bundles=8)]
    label_size = rng.uniform(1.95, 2.2)
    value_size = rng.uniform(3.1, 3.5)
    weight = rng.choice([400, 600, 700])

    def field(x, y, vietnamese, english, value, width=50):
        words = f'<span style="color:#3a4a63">{vietnamese} / <i>{english}</i></span>'
        content.append(parts.text(x, y, words, label_size))
        value_html = f'<span style="font-weight:{weight};color:#141414">{parts.escape(value)}</span>'
        content.append(parts.fitted(x, y + label_size * 1.2, value_html, value_size, width, 4.5, ONE_LINE))

    country = f"{REPUBLIC} / <i>SOCIALIST REPUBLIC OF VIET NAM</i>"
    content.append(parts.text(0, 3 + dy, country, 2.5, CENTRED + BOLD + PASSPORT_RED, PASSPORT_WIDTH))
    title = "HỘ CHIẾU / <i>PASSPORT</i>"
    content.append(parts.fitted(6, 7.6 + dy, title, 3.5, 35, 5, ONE_LINE + BOLD + PASSPORT_RED))
    content.append(parts.portrait(rng, 6, 15 + dy, 32, 42, person.sex))

    x = 43
    right = x + 45
    y = 9 + dy
    field(x, y, "Loại", "Type", "P")
    field(x + 18, y, "Mã số", "Code", "VNM")
    field(right, y, "Số hộ chiếu", "Passport N°", person.passport_number, 34)
    y += 8
    name = person.name.upper()
    if new_form:
        surname, *given = name.split(" ")
        field(x, y, "Họ", "Surname", surname, 76)
        y += 7.6
        field(x, y, "Chữ đệm và tên", "Given names", " ".join(given), 76)
        y += 7.6
    else:
        field(x, y, "Họ và tên", "Full name", name, 78)
        y += 8.2
    field(x, y, "Quốc tịch", "Nationality", rng.choice(["VIỆT NAM / VIETNAMESE", "VIỆT NAM"]))
    born = written_date(person.born)
    if rng.random() < 0.3:
        born = born.replace("/", " / ")
    field(right, y, "Ngày sinh", "Date of birth", born, 34)
    y += 8
    birthplace = PROVINCES[person.province_code].replace("TP ", "").upper()
    field(x, y, "Nơi sinh", "Place of birth", birthplace)
    sex_letter = "M" if person.sex == "Nam" else "F"
    field(right, y, "Giới tính", "Sex", f"{person.sex.upper()} / {sex_letter}", 34)
    y += 8
    if new_form:
        field(x, y, "Số định danh cá nhân", "Personal N°", person.number)
    else:
        field(x, y, "Số GCMND", "ID card N°", person.number)
    field(right, y, "Ngày cấp", "Date of issue", written_date(person.issued), 34)
    y += 8
    field(x, y, "Nơi cấp", "Place of issue", "Cục Quản lý xuất nhập cảnh", 43)
    field(right, y, "Có giá trị đến", "Date of expiry", written_date(person.expires), 34)
    if rng.random() < 0.4:
        content.append(parts.seal(rng, 30, 44, 18, "BỘ CÔNG AN", "XNC", 0.4))
    zone_y = 71.5
    content.append(parts.mrz(passport_mrz(person), 6.2 + jitter(rng, 0.6), zone_y, 3.6, 6.2))

    fields = {
        "document_number": person.passport_number,
        "number": person.number,
        "full_name": name,
        "date_of_birth": person.born.isoformat(),
        "sex": person.sex,
        "nationality": NATIONALITY,
        "place_of_birth": birthplace,
        "date_of_issue": person.issued.isoformat(),
        "date_of_expiry": person.expires.isoformat(),
    }
    # All that the zone says is printed above it as well.
    zone = Code("mrz", 3, zone_y - 0.5, 119, 13, {})
    html = parts.side_html(content, background, font, PASSPORT_WIDTH, PASSPORT_HEIGHT, radius=2.5)
    return [Side(html, PASSPORT_WIDTH, PASSPORT_HEIGHT, fields, [zone])]


# ---- birth certificate


def _number_in_words(number):
    """A number below 100."""
    if number < 10:
        return DIGITS[number]
    tens, units = divmod(number, 10)
    words = "mười" if tens == 1 else DIGITS[tens] + " mươi"
    if units == 0:
        return words
    if units == 5:
        return words + " lăm"
    if units == 1 and tens > 1:
        return words + " mốt"
    return words + " " + DIGITS[units]


def _date_in_words(day):
    words = [_number_in_words(number) for number in (day.day, day.month, day.year % 100)]
    return f"Ngày {words[0]} tháng {words[1]} năm hai nghìn không trăm {words[2]}"


def _province_in_sentence(code):
    name = long_province(code)
    return name[0].lower() + name[1:]


def _birth_places(area):
    """The hospitals and health stations where a child of this ward may have been born."""
    district = f"{area.district_kind.lower()} {area.district}"
    province = PROVINCES[area.province].replace("TP ", "")
    return [
        f"Bệnh viện đa khoa {district}, {_province_in_sentence(area.province)}",
        f"Trạm y tế {area.ward_kind.lower()} {area.ward}, {district}, {long_province(area.province)}",
        f"Bệnh viện Phụ sản {province}",
    ]


def khai_sinh(rng, person):
    """The birth certificate, an A4 page."""
    font = rng.choice(["Tinos", "Tinos", "TeX Gyre Termes", "FreeSerif"])
    # This draw decides nothing; without it every seed would give other pictures than before.
    rng.random()
    value_font = font if rng.random() < 0.7 else rng.choice(["Arimo", "Cousine", "Noto Serif"])
    background = rng.choice(["#fdf6ea", "#fffdf6", "#fbf3f1", "#fff"])
    colours = ["#f0cfc4", "#f3dcae", "#e8d6c0"]
    lines = parts.guilloche(rng, PAGE_WIDTH, PAGE_HEIGHT, colours, 0.45, bundles=10, stroke=0.15)
    size = rng.uniform(4.2, 4.8)
    left = 24 + jitter(rng, 2)

    mother, _, mother_ethnicity = random_name(rng, "Nữ")
    father, _, father_ethnicity = random_name(rng, "Nam")
    if rng.random() < 0.8 and person.ethnicity == "Kinh":
        surname = person.name.split(" ")[0]
        father = " ".join([surname] + father.split(" ")[1:])
    year = person.issued.year
    register_number = rng.choice(
        [f"{rng.randint(1, 420)}/{year}", f"{rng.randint(1, 420)}", f"{rng.randint(1, 99):02d}/{year}"]
    )
    area = person.origin_area
    birthplace = rng.choice(_birth_places(area))
    name = person.name.upper()

    def value(words, weight=400):
        style = f"font-family:'{value_font}';color:#15161c;font-weight:{weight}"
        return f'<span style="{style}">{parts.escape(words)}</span>'

    frame = "position:absolute;left:9mm;top:9mm;width:191mm;height:278mm;border:1mm double #c96"
    content = [lines, f'<div style="{frame}"></div>', parts.emblem(95, 14, 20)]
    underlined = "text-decoration:underline"
    content.append(parts.text(0, 37, REPUBLIC, 4.8, CENTRED + BOLD, PAGE_WIDTH))
    content.append(parts.text(0, 43.5, MOTTO, 4.8, CENTRED + BOLD + underlined, PAGE_WIDTH))
    content.append(parts.text(0, 54, "GIẤY KHAI SINH", 9, CENTRED + BOLD + "color:#c22026", PAGE_WIDTH))
    if rng.random() < 0.6:
        edition = "(BẢN SAO)" if rng.random() < 0.3 else "(BẢN CHÍNH)"
        content.append(parts.text(0, 65.5, edition, 4, CENTRED, PAGE_WIDTH))
    content.append(parts.text(150 + jitter(rng, 3), 47, f"Số: {value(register_number)}", size))

    rows = []
    space = '<div style="height:2mm"></div>'

    def row(words):
        rows.append(f'<div style="margin-bottom:{rng.uniform(1.6, 2.2):.2f}mm">{words}</div>')

    mother_year = person.born.year - rng.randint(19, 38)
    father_year = mother_year - rng.randint(0, 7)
    row(f"Họ, chữ đệm, tên: {value(name, 700)}")
    born_words = value(_date_in_words(person.born))
    row(f"Ngày, tháng, năm sinh: {value(written_date(person.born))}{GAP}Ghi bằng chữ: {born_words}")
    row(
        f"Giới tính: {value(person.sex)}{GAP}{GAP}Dân tộc: {value(person.ethnicity)}{GAP}{GAP}"
        f"Quốc tịch: {value(NATIONALITY)}"
    )
    row(f"Nơi sinh: {value(birthplace)}")
    row(f"Quê quán: {value(person.origin)}")
    # Children have personal numbers from birth since 2016.
    has_number = person.born.year >= 2016
    if has_number:
        row(f"Số định danh cá nhân: {value(person.number)}")
    rows.append(space)
    parents = [
        ("mẹ", mother, mother_year, mother_ethnicity),
        ("cha", father, father_year, father_ethnicity),
    ]
    for role, parent, parent_year, ethnicity in parents:
        parent_name = parent.upper() if rng.random() < 0.8 else parent
        row(f"Họ, chữ đệm, tên người {role}: {value(parent_name, 700)}")
        nationality = f"Quốc tịch: {value(NATIONALITY)}"
        row(f"Năm sinh: {value(str(parent_year))}{GAP}Dân tộc: {value(ethnicity)}{GAP}{nationality}")
        row(f"Nơi cư trú: {value(person.residence)}")
        rows.append(space)
    row(f"Họ, chữ đệm, tên người đi khai sinh: {value(rng.choice([mother, father]))}")
    if year >= 2023:
        card_number = f"0{rng.randint(10**10, 9 * 10**10)}"
        card_issued = written_date(random_day(rng, date(2021, 4, 1), date(2023, 1, 1)))
        card = f"Thẻ CCCD số {card_number} do Cục Cảnh sát QLHC về TTXH cấp ngày {card_issued}"
        row(f"Giấy tờ tùy thân: {value(card)}")
    office = f"Ủy ban nhân dân {area.ward_kind.lower()} {area.ward}, {area.district_kind.lower()} {area.district}"
    row(f"Nơi đăng ký khai sinh: {value(f'{office}, {_province_in_sentence(area.province)}')}")
    row(f"Ngày, tháng, năm đăng ký: {value(written_date(person.issued))}")
    content.append(parts.fitted(left, 72, "".join(rows), size, PAGE_WIDTH - left - 20, 168, "line-height:1.35;"))

    content.append(parts.text(105, 240, "NGƯỜI KÝ GIẤY KHAI SINH", 4.2, CENTRED + BOLD, 90))
    signing = "(Ký, ghi rõ họ, chữ đệm, tên, chức vụ và đóng dấu)"
    content.append(parts.text(105, 246, signing, 3.4, CENTRED + "font-style:italic", 90))
    rim = f"UBND {area.ward_kind.upper()} {area.ward.upper()}"
    content.append(parts.seal(rng, 112, 246, 33, rim, "CHỦ TỊCH"))
    content.append(parts.signature(rng, 140, 250, 38, 18))
    content.append(parts.text(105, 272, rng.choice(SIGNERS), 4.4, CENTRED + BOLD, 90))

    fields = {
        "full_name": name,
        "date_of_birth": person.born.isoformat(),
        "sex": person.sex,
        "ethnicity": person.ethnicity,
        "nationality": NATIONALITY,
        "place_of_birth": birthplace,
        "place_of_origin": person.origin,
        "mother_name": mother,
        "father_name": father,
        "register_number": register_number,
        "date_of_issue": person.issued.isoformat(),
    }
    if has_number:
        fields["number"] = person.number
    html = parts.side_html(content, background, font, PAGE_WIDTH, PAGE_HEIGHT, radius=0)
    return [Side(html, PAGE_WIDTH, PAGE_HEIGHT, fields, [])]


# ---- form CT07


def _boxed_digits(number):
    style = (
        "display:inline-block;width:5.6mm;height:6mm;border:.25mm solid #333;text-align:center;margin-right:-.25mm"
    )
    return "".join(f'<span style="{style}">{digit}</span>' for digit in number)


def _household_table(rng, province_code):
    members = [random_name(rng) for _ in range(rng.randint(1, 4))]
    headings = [
        "TT", "Họ, chữ đệm và tên", "Ngày, tháng, năm sinh", "Giới tính", "Số định danh cá nhân", "Quan hệ",
    ]
    lines = ["".join(f"<th>{heading}</th>" for heading in headings)]
    for position, (name, sex, _) in enumerate(members, start=1):
        born = written_date(random_day(rng, date(1960, 1, 1), date(2019, 1, 1)))
        number = f"{province_code}{rng.randint(0, 3)}{rng.randint(10, 99)}{rng.randint(100000, 999999)}"
        relation = rng.choice(["Con", "Vợ", "Mẹ", "Em"])
        cells = [position, name, born, sex, number, relation]
        lines.append("".join(f"<td>{cell}</td>" for cell in cells))
    body = "".join(f"<tr>{line}</tr>" for line in lines)
    return f'<table style="border-collapse:collapse;font-size:3.4mm;width:100%" border="1">{body}</table>'


def _ct07_heading(rng, person):
    area = person.residence_area
    issued = person.issued
    circular = "66/2023/TT-BCA" if issued.year > 2023 else "56/2021/TT-BCA"
    district = f"CÔNG AN {area.district_kind.upper()} {area.district.upper()}"
    ward = f"CÔNG AN {area.ward_kind.upper()} {area.ward.upper()}"
    place = f"{area.ward_kind} {area.ward}" if area.ward.isdigit() else area.ward
    day = f"{place}, ngày {issued.day:02d} tháng {issued.month:02d} năm {issued.year}"
    return [
        parts.text(165, 10, f"Mẫu CT07 ban hành kèm theo TT số {circular}", 2.6, "", 38),
        parts.text(18, 20, f"{district}<br><b>{ward}</b>", 4.1, CENTRED, 68),
        parts.text(86, 20, f"<b>{REPUBLIC}<br><u>{MOTTO}</u></b>", 4.1, CENTRED, 108),
        parts.text(18, 36, f"Số: {rng.randint(10, 4000)}/XN", 4.1, CENTRED, 68),
        parts.text(86, 36, f"<i>{day}</i>", 4.1, CENTRED, 108),
        parts.text(0, 48, "XÁC NHẬN THÔNG TIN VỀ CƯ TRÚ", 5.4, CENTRED + BOLD, PAGE_WIDTH),
    ]


def ct07(rng, person):
    """The confirmation of residence on form CT07, an A4 page."""
    font = rng.choice(["Tinos", "Tinos", "TeX Gyre Termes", "Arimo"])
    size = rng.uniform(4.3, 4.8)
    left = 26 + jitter(rng, 3)
    area = person.residence_area
    office = f"Công an {area.ward_kind.lower()} {area.ward}"
    head, _, _ = random_name(rng)
    is_head = rng.random() >= 0.6
    if is_head:
        head = person.name
    content = _ct07_heading(rng, person)

    def value(words):
        return f'<span style="color:#111">{parts.escape(words)}</span>'

    number = _boxed_digits(person.number) if rng.random() < 0.5 else value(person.number)
    name = person.name.upper() if rng.random() < 0.6 else person.name
    born = value(written_date(person.born))
    temporary = rng.choice(["", "Không", "................................"])
    if is_head:
        relation = "Chủ hộ"
        head_number = person.number
    else:
        relation = rng.choice(["Con", "Vợ", "Chồng", "Cháu ruột"])
        head_number = f"{person.province_code}065{rng.randint(100000, 999999)}"
    lines = [
        "<b>I. Theo đề nghị của Ông/Bà:</b>",
        f"1. Họ, chữ đệm và tên: {value(name)}",
        f"2. Ngày, tháng, năm sinh: {born}{GAP}3. Giới tính: {value(person.sex)}",
        f"4. Số định danh cá nhân/CMND: {number}",
        f"5. Dân tộc: {value(person.ethnicity)}{GAP}6. Tôn giáo: {value(person.religion)}{GAP}"
        f"7. Quốc tịch: {value(NATIONALITY)}",
        f"8. Quê quán: {value(person.origin)}",
        f"<b>II. {office} xác nhận thông tin về cư trú như sau:</b>",
        f"1. Nơi thường trú: {value(person.residence)}",
        f"2. Nơi tạm trú: {temporary}",
        f"3. Nơi ở hiện tại: {value(person.residence)}",
        f"4. Họ, chữ đệm và tên chủ hộ: {value(head)}{GAP}5. Quan hệ với chủ hộ: {relation}",
        f"6. Số định danh cá nhân của chủ hộ: {head_number}",
        "7. Thông tin các thành viên khác trong hộ gia đình:",
    ]
    rows = [f'<div style="margin-bottom:1.7mm">{line}</div>' for line in lines]
    rows.append(_household_table(rng, person.province_code))
    content.append(parts.fitted(left, 60, "".join(rows), size, PAGE_WIDTH - left - 18, 160, "line-height:1.35;"))

    signing = "<b>TRƯỞNG CÔNG AN</b><br><i style='font-size:3.4mm'>(Ký, ghi rõ họ tên và đóng dấu)</i>"
    content.append(parts.text(110, 224, signing, 4.2, CENTRED, 80))
    content.append(parts.seal(rng, 112, 232, 33, office.upper(), ""))
    content.append(parts.signature(rng, 138, 236, 36, 17))
    content.append(parts.text(110, 262, rng.choice(SIGNERS), 4.4, CENTRED + BOLD, 80))
    fields = {
        "number": person.number,
        "full_name": name,
        "date_of_birth": person.born.isoformat(),
        "sex": person.sex,
        "ethnicity": person.ethnicity,
        "religion": person.religion,
        "nationality": NATIONALITY,
        "place_of_origin": person.origin,
        "place_of_residence": person.residence,
        "date_of_issue": person.issued.isoformat(),
    }
    html = parts.side_html(content, "#fff", font, PAGE_WIDTH, PAGE_HEIGHT, radius=0)
    return [Side(html, PAGE_WIDTH, PAGE_HEIGHT, fields, [])]
