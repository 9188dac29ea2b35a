"""The papers of card size: the citizen cards of 2016 and 2021, the card of 2024 and the old CMND.

Every public function takes a random source and a Person and returns the list [front, back] of Side.
"""

from dataclasses import dataclass

from papers import parts
from papers.parts import CARD_HEIGHT, CARD_WIDTH, CENTRED, ONE_LINE, Code, Side, jitter, label, written_date
from people import SIGNERS, card_mrz, random_name, random_old_number
from places import CITIES, PROVINCES

FONTS = ["Arimo", "Arimo", "Arimo", "Roboto", "TeX Gyre Heros", "Noto Sans", "Open Sans", "Inter"]
CMND_FONTS = ["Tinos", "TeX Gyre Termes", "FreeSerif"]
TYPEWRITER_FONTS = [
    "Cousine", "FreeMono", "TeX Gyre Cursor", "Tinos", "Tinos", "Arimo", "Arimo", "TeX Gyre Termes",
]
FIXED_WIDTH_FONTS = ("Cousine", "FreeMono", "TeX Gyre Cursor")

REPUBLIC = "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM"
REPUBLIC_ENGLISH = "SOCIALIST REPUBLIC OF VIET NAM"
MOTTO = "Độc lập - Tự do - Hạnh phúc"
MOTTO_ENGLISH = "Independence - Freedom - Happiness"
NATIONALITY = "Việt Nam"
NO_EXPIRY = "Không thời hạn"
BOLD = "font-weight:bold;"
TITLE_RED = "color:#c22026;"
VALUE_COLOUR = "#10131c"
LABEL_STYLE = "<style>.l{color:#30443f}</style>"


@dataclass
class _Look:
    """What the two sides of one card share; sizes in millimetres."""

    font: str
    background: str
    colours: list
    label_size: float
    value_size: float = 0
    value_weight: int = 400
    dx: float = 0
    dy: float = 0

    def value(self, content):
        style = f"font-size:{self.value_size:.2f}mm;color:{VALUE_COLOUR};font-weight:{self.value_weight}"
        return f'<span style="{style}">{parts.escape(content)}</span>'

    def lines(self, rng, least, most):
        return parts.guilloche(rng, CARD_WIDTH, CARD_HEIGHT, self.colours, rng.uniform(least, most))

    def side(self, content, fields, codes):
        html = parts.side_html(content, self.background, self.font)
        return Side(html, CARD_WIDTH, CARD_HEIGHT, fields, codes)


def _front_fields(person):
    return {
        "number": person.number,
        "full_name": person.name.upper(),
        "date_of_birth": person.born.isoformat(),
        "sex": person.sex,
        "nationality": NATIONALITY,
    }


def _with_expiry(fields, person):
    if person.expires:
        fields["date_of_expiry"] = person.expires.isoformat()
    return fields


def _qr_fields(person):
    person = person.coded or person
    return [
        person.number,
        person.old_number,
        person.name,
        person.born.strftime("%d%m%Y"),
        person.sex,
        person.residence,
        person.issued.strftime("%d%m%Y"),
    ]


# ---- citizen cards of 2016 and 2021


def cccd(rng, person):
    """The citizen card with a chip: QR symbol on the front, machine readable zone on the back."""
    look = _cccd_look(rng)
    front = _cccd_front(rng, person, look, chip_card=True)
    back = _cccd_back(rng, person, look)
    return [front, back]


def cccd_2016(rng, person):
    """The citizen card of 2016: Vietnamese only, with a bar code on the back."""
    look = _cccd_look(rng)
    front = _cccd_front(rng, person, look, chip_card=False)
    back = _cccd_2016_back(rng, person, look)
    return [front, back]


def _cccd_look(rng):
    return _Look(
        font=rng.choice(FONTS),
        label_size=rng.uniform(2.05, 2.35),
        dx=jitter(rng, 0.8),
        dy=jitter(rng, 0.6),
        background=rng.choice(
            [
                "linear-gradient(120deg,#dcebe0,#eaf1dc 45%,#d5e6ee)",
                "linear-gradient(100deg,#cfe6ea,#e6efd9 50%,#dbe7f1)",
                "linear-gradient(140deg,#e3efe6,#f1efd7 50%,#d9eaf0)",
            ]
        ),
        colours=["#9cc7b4", "#b9cf98", "#9fc3d8", "#e0b8a0", "#d7cf8e"],
    )


def _cccd_heading(rng, dy, chip_card):
    x = 15.5
    title = "CĂN CƯỚC CÔNG DÂN"
    if not chip_card:
        width = 68
        return [
            parts.text(x, 2.6 + dy, REPUBLIC, 2.8, CENTRED + ONE_LINE + BOLD, width),
            parts.text(x, 5.3 + dy, MOTTO, 2.2, CENTRED + BOLD + "text-decoration:underline", width),
            parts.text(x, 9 + dy, title, rng.uniform(4.4, 5.1), CENTRED + BOLD + TITLE_RED, width),
        ]
    width = 54
    content = [
        parts.text(x, 2.6 + dy, REPUBLIC, 2.35, CENTRED + ONE_LINE + BOLD, width),
        parts.text(x, 5.3 + dy, MOTTO, 2.2, CENTRED + BOLD, width),
        parts.text(x, 7.9 + dy, REPUBLIC_ENGLISH, 1.75, CENTRED, width),
        parts.text(x, 9.9 + dy, MOTTO_ENGLISH, 1.7, CENTRED, width),
        parts.text(x, 12.2 + dy, title, rng.uniform(3.7, 4.3), CENTRED + BOLD + TITLE_RED, width),
    ]
    english_title = "<i>Citizen Identity Card</i>" if rng.random() < 0.5 else "Citizen Identity Card"
    content.append(parts.text(x, 16.8 + dy, english_title, 2, CENTRED + "color:#b33", width))
    return content


def _cccd_number_and_name(rng, person, look, x, y, width, english):
    """Returns the parts and the place of the next line."""
    number_label = label("Số", english("No."), rng.choice([" / ", "/"]))
    number_style = f"font-size:{rng.uniform(3.9, 4.5):.2f}mm;{BOLD}color:#111;"
    number_style += f"letter-spacing:{rng.choice([0, 0, 0.25])}mm"
    number = f'{number_label} <span style="{number_style}">{person.number}</span>'
    content = [parts.text(x, y, number, look.label_size)]

    y += 5.2
    content.append(parts.text(x, y, label("Họ và tên", english("Full name")), look.label_size))
    y += look.label_size * 1.22
    name_style = f"color:{VALUE_COLOUR};font-weight:{rng.choice([400, 600, 700])}"
    name = f'<span style="{name_style}">{parts.escape(person.name.upper())}</span>'
    content.append(parts.fitted(x, y, name, look.value_size * 1.08, width, 4, ONE_LINE))
    y += look.value_size * 1.3 + 0.2
    return content, y


def _cccd_origin(rng, person, look, x, y, width, chip_card):
    """Returns the parts and the place of the next line."""
    size = look.label_size
    origin = look.value(person.origin)
    if chip_card or rng.random() < 0.3:
        heading = label("Quê quán", "Place of origin" if chip_card else "")
        content = [
            parts.text(x, y, heading, size),
            parts.fitted(x, y + size * 1.25, origin, look.value_size, width, 3.4, ONE_LINE),
        ]
        return content, y + size * 1.25 + look.value_size * 1.25 + 0.2
    content = [parts.fitted(x, y, label("Quê quán") + " " + origin, size, width, look.value_size * 2.6)]
    lines = 1 if len(person.origin) < 38 else 2
    return content, y + size * 1.3 * lines + 0.6


def _cccd_residence(rng, person, look, english):
    heading = label("Nơi thường trú", english("Place of residence"))
    residence = person.residence
    form = rng.random()
    comma = residence.find(", ")
    if form < 0.45 and 0 < comma < 26:
        first_end = comma if rng.random() < 0.3 else comma + 1
        first = look.value(residence[:first_end])
        return f"{heading} {first}<br>{look.value(residence[comma + 2:])}"
    gap = " " if form < 0.9 else "<br>"
    return heading + gap + look.value(residence)


def _cccd_expiry(rng, person, look, value_x, chip_card):
    x = 2.6 + look.dx
    y = 45.2 + look.dy
    width = value_x - x - 1.3
    size = look.label_size * 0.8
    # This draw decides nothing; without it every seed would give other pictures than before.
    rng.random()
    in_line = rng.random() < 0.5 or not chip_card
    two_lines = "Có giá trị đến:<br><i>Date of expiry:</i>"
    if person.expires is None:
        if not chip_card:
            heading = label("Có giá trị đến")
        elif in_line:
            heading = label("Có giá trị đến", "Date of expiry")
        else:
            heading = f'<span class="l">{two_lines}</span>'
        content = f'{heading}<br><b style="font-weight:500">{NO_EXPIRY}</b>'
        return parts.fitted(x, y, content, size, width, 8)
    expiry = written_date(person.expires)
    if in_line:
        if chip_card:
            heading = '<span class="l">Có giá trị đến /<br><i>Date of expiry:</i></span>'
        else:
            heading = label("Có giá trị đến")
        content = f'{heading} <span style="font-size:{size * 1.08:.2f}mm;color:{VALUE_COLOUR}">{expiry}</span>'
        return parts.fitted(x, y, content, size, width, 5, ONE_LINE)
    content = (
        f'<div style="display:flex;align-items:center;gap:.6mm"><div class="l">{two_lines}</div>'
        f'<div style="color:{VALUE_COLOUR};font-size:1.12em">{expiry}</div></div>'
    )
    return parts.fitted(x, y, content, size, width, 5.5, ONE_LINE)


def _cccd_front(rng, person, look, chip_card):
    def english(words):
        return words if chip_card else ""

    size = look.label_size
    content = [look.lines(rng, 0.35, 0.65), LABEL_STYLE]
    content.append(parts.emblem(4 + look.dx, 2.6 + look.dy, rng.uniform(10.5, 12)))
    content += _cccd_heading(rng, look.dy, chip_card)
    content.append(parts.portrait(rng, 3.4 + look.dx, 17.5 + look.dy, 20.5, 26.5, person.sex))

    x = 26 + look.dx
    width = CARD_WIDTH - x - 2.2
    look.value_size = size * rng.uniform(1.12, 1.25)
    look.value_weight = rng.choice([400, 500, 400, 600])
    y = (19.2 if chip_card else 15.2) + look.dy
    lines, y = _cccd_number_and_name(rng, person, look, x, y, width, english)
    content += lines

    born_words = "Ngày sinh" if chip_card else rng.choice(["Ngày, tháng, năm sinh", "Ngày sinh"])
    born = label(born_words, english("Date of birth")) + " " + look.value(written_date(person.born))
    content.append(parts.text(x, y, born, size))
    y += size * 1.45
    gap = rng.choice(["&emsp;", "&emsp;&ensp;", "&ensp;"])
    sex = label("Giới tính", english("Sex")) + " " + look.value(person.sex)
    nationality = label("Quốc tịch", english("Nationality")) + " " + look.value(NATIONALITY)
    content.append(parts.fitted(x, y, sex + gap + nationality, size, width, 4, ONE_LINE))
    y += size * 1.5

    lines, y = _cccd_origin(rng, person, look, x, y, width, chip_card)
    content += lines
    residence = _cccd_residence(rng, person, look, english)
    content.append(parts.fitted(x, y, residence, size, width, max(53.2 - y, 6)))
    content.append(_cccd_expiry(rng, person, look, x, chip_card))

    fields = {
        **_front_fields(person),
        "place_of_origin": person.origin,
        "place_of_residence": person.residence,
    }
    codes = []
    if chip_card:
        symbol_size = rng.uniform(12.8, 14.2)
        symbol_x = CARD_WIDTH - symbol_size - 2.2 + jitter(rng, 0.4)
        symbol_y = 2.6 + jitter(rng, 0.4)
        content.append(parts.qr_symbol("|".join(_qr_fields(person)), symbol_x, symbol_y, symbol_size))
        qr_fields = {"date_of_issue": person.issued.isoformat()}
        if person.old_number:
            qr_fields["old_number"] = person.old_number
        codes.append(Code("qr", symbol_x, symbol_y, symbol_size, symbol_size, qr_fields))
    return look.side(content, _with_expiry(fields, person), codes)


def _cccd_back(rng, person, look):
    size = look.label_size
    content = [look.lines(rng, 0.3, 0.55)]
    x = 4 + look.dx
    y = 3 + look.dy
    marks = parts.marks(rng)
    content.append(parts.text(x, y, label("Đặc điểm nhân dạng", "Personal identification"), size))
    content.append(parts.text(x, y + size * 1.3, look.value(marks), look.value_size))
    y += size * 3
    content.append(parts.chip(5 + look.dx, y + 3.5))
    issued = label("Ngày, tháng, năm", "Date, month, year") + " " + look.value(written_date(person.issued))
    content.append(parts.fitted(22, y + 0.3, issued, size, 43, 4, ONE_LINE))

    office = "CỤC TRƯỞNG CỤC CẢNH SÁT<br>QUẢN LÝ HÀNH CHÍNH VỀ TRẬT TỰ XÃ HỘI"
    office_english = "DIRECTOR GENERAL OF THE POLICE DEPARTMENT<br>FOR ADMINISTRATIVE MANAGEMENT OF SOCIAL ORDER"
    content.append(parts.text(22, y + 3.2, office, 1.6, CENTRED + BOLD, 38))
    content.append(parts.text(22, y + 7.2, office_english, 1.2, CENTRED, 38))
    content.append(parts.seal(rng, 28, y + 10, 13.5, "BỘ CÔNG AN", "CỤC CẢNH SÁT"))
    content.append(parts.signature(rng, 33, y + 10.5, 17, 8))
    content.append(parts.text(22, y + 21, rng.choice(SIGNERS), 1.9, CENTRED, 38))
    fingers = ["Ngón trỏ trái / <i>Left index finger</i>", "Ngón trỏ phải / <i>Right index finger</i>"]
    for row, finger in enumerate(fingers):
        content.append(parts.fingerprint(rng, 66, 2.5 + row * 18, 13, 14))
        content.append(parts.text(60, 16.4 + row * 18, finger, 1.35, CENTRED, 25))

    zone_y = 39.2 + jitter(rng, 0.3)
    content.append(parts.mrz(card_mrz(person), 4.4 + jitter(rng, 0.6), zone_y, 3.5, 4.1))
    zone_fields = {"number": person.number, "date_of_birth": person.born.isoformat(), "sex": person.sex}
    zone = Code("mrz", 3, zone_y - 0.5, 80, 13, _with_expiry(zone_fields, person))
    return look.side(content, {"date_of_issue": person.issued.isoformat()}, [zone])


def _cccd_2016_back(rng, person, look):
    size = look.label_size
    content = [look.lines(rng, 0.3, 0.55)]
    x = 4 + look.dx
    y = 3 + look.dy
    marks = parts.marks(rng)
    content.append(parts.text(x, y, label("Đặc điểm nhận dạng"), size))
    content.append(parts.text(x, y + size * 1.3, look.value(marks), look.value_size))
    y += size * 3
    issued = person.issued
    if rng.random() < 0.6:
        issued_line = f"Ngày {issued.day:02d} tháng {issued.month:02d} năm {issued.year}"
    else:
        issued_line = label("Ngày, tháng, năm") + " " + look.value(written_date(issued))
    content.append(parts.text(26, y + 1, issued_line, size, CENTRED, 32))

    office = "CỤC TRƯỞNG CỤC CẢNH SÁT<br>ĐKQL CƯ TRÚ VÀ DLQG VỀ DÂN CƯ"
    content.append(parts.text(26, y + 4, office, 1.7, CENTRED + BOLD, 32))
    if rng.random() < 0.7:
        content.append(parts.code128(person.number, 5, 46, 48, 6))
    else:
        content.append(parts.code128(person.number, 5, 44.5, 70, 7.5))
    content.append(parts.seal(rng, 26, y + 8, 15, "BỘ CÔNG AN", "CỤC CẢNH SÁT"))
    content.append(parts.signature(rng, 32, y + 9, 18, 9))
    content.append(parts.text(26, y + 20, rng.choice(SIGNERS), 1.9, CENTRED, 32))
    for row, finger in enumerate(["Ngón trỏ trái", "Ngón trỏ phải"]):
        content.append(parts.fingerprint(rng, 64, 3 + row * 21, 15, 17))
        content.append(parts.text(62, 20.6 + row * 21, finger, 1.6, CENTRED, 19))
    return look.side(content, {"date_of_issue": issued.isoformat()}, [])


# ---- card of 2024


def can_cuoc(rng, person):
    """The identity card of 2024: QR symbol and machine readable zone both on the back."""
    look = _can_cuoc_look(rng)
    front = _can_cuoc_front(rng, person, look)
    back = _can_cuoc_back(rng, person, look)
    return [front, back]


def _can_cuoc_look(rng):
    look = _Look(
        font=rng.choice(FONTS),
        label_size=rng.uniform(2.0, 2.3),
        dx=jitter(rng, 0.8),
        dy=jitter(rng, 0.5),
        background="",
        colours=["#8fc1d8", "#a9cfae", "#e3b9b0", "#c6b3dd", "#d8cf90"],
    )
    look.value_size = look.label_size * rng.uniform(1.15, 1.3)
    look.background = rng.choice(
        [
            "linear-gradient(110deg,#d8ecf3,#f0f3df 55%,#e6dff0)",
            "linear-gradient(130deg,#cde7f0,#e9f3e3 50%,#f3e9d8)",
            "linear-gradient(90deg,#dcebf5,#f5f1e2)",
        ]
    )
    look.value_weight = rng.choice([400, 500, 600])
    return look


def _can_cuoc_birth_and_sex(rng, person, look, x, y):
    size = look.label_size
    born = look.value(written_date(person.born))
    sex = look.value(person.sex)
    nationality = look.value(NATIONALITY)
    born_label = label("Ngày, tháng, năm sinh", "Date of birth")
    sex_label = label("Giới tính", "Sex")
    nationality_label = label("Quốc tịch", "Nationality")
    if rng.random() < 0.55:
        value_y = y + size * 1.25
        last_y = value_y + look.value_size * 1.35
        return [
            parts.fitted(x, y, born_label, size, 35, 3.5, ONE_LINE),
            parts.text(x + 36, y, sex_label, size),
            parts.text(x, value_y, born, look.value_size),
            parts.text(x + 36, value_y, sex, look.value_size),
            parts.text(x, last_y, nationality_label, size),
            parts.text(x, last_y + size * 1.25, nationality, look.value_size),
        ]
    return [
        parts.text(x, y, f"{born_label} {born}", size),
        parts.text(x, y + size * 1.6, f"{sex_label} {sex}", size),
        parts.text(x, y + size * 3.2, f"{nationality_label} {nationality}", size),
    ]


def _can_cuoc_front(rng, person, look):
    dy = look.dy
    size = look.label_size
    content = [look.lines(rng, 0.35, 0.6), LABEL_STYLE, parts.emblem(5 + look.dx, 2.8 + dy, 11.5)]
    content += [
        parts.text(18, 2.6 + dy, REPUBLIC, 2.5, CENTRED + BOLD, 64),
        parts.text(18, 5.5 + dy, MOTTO, 2.2, CENTRED + BOLD, 64),
        parts.text(18, 8.2 + dy, REPUBLIC_ENGLISH, 1.7, CENTRED, 64),
        parts.text(18, 10.2 + dy, MOTTO_ENGLISH, 1.7, CENTRED, 64),
        parts.text(18, 12.4 + dy, "CĂN CƯỚC", rng.uniform(4, 4.6), CENTRED + BOLD + TITLE_RED, 64),
        parts.text(18, 17.2 + dy, "IDENTITY CARD", 2.2, CENTRED + BOLD + TITLE_RED, 64),
        parts.portrait(rng, 4 + look.dx, 19 + dy, 21, 28, person.sex),
    ]
    x = 28 + look.dx
    width = CARD_WIDTH - x - 2.5
    y = 21 + dy
    content.append(parts.text(x, y, label("Số định danh cá nhân", "Personal identification number"), size))
    y += size * 1.25
    number_style = f"{BOLD}color:#111;letter-spacing:{rng.choice([0, 0.2, 0.35])}mm"
    number = f'<span style="{number_style}">{person.number}</span>'
    content.append(parts.text(x, y, number, rng.uniform(3.6, 4.2)))
    y += 5
    content.append(parts.text(x, y, label("Họ, chữ đệm và tên khai sinh", "Full name"), size))
    y += size * 1.25
    name_style = f"color:{VALUE_COLOUR};font-weight:{rng.choice([500, 700])}"
    name = f'<span style="{name_style}">{parts.escape(person.name.upper())}</span>'
    content.append(parts.fitted(x, y, name, look.value_size * 1.08, width, 4, ONE_LINE))
    y += look.value_size * 1.45
    content += _can_cuoc_birth_and_sex(rng, person, look, x, y)
    if rng.random() < 0.3:
        content.append(parts.portrait(rng, 72, 42, 7, 9, person.sex, grey=True))
    return look.side(content, _front_fields(person), [])


def _can_cuoc_dates(rng, person, look, y):
    size = look.label_size
    issued_label = label("Ngày, tháng, năm cấp", "Date of issue")
    expiry_label = label("Ngày, tháng, năm hết hạn", "Date of expiry")
    issued = look.value(written_date(person.issued))
    expiry = look.value(written_date(person.expires) if person.expires else NO_EXPIRY)
    if rng.random() < 0.5:
        return [
            parts.text(21, y, f"{issued_label} {issued}", size * 0.95),
            parts.text(21, y + size * 1.5, f"{expiry_label} {expiry}", size * 0.95),
        ]
    return [
        parts.fitted(20, y, issued_label, size * 0.85, 30, 3, ONE_LINE),
        parts.text(21, y + size * 1.1, issued, look.value_size),
        parts.fitted(51, y, expiry_label, size * 0.85, 33, 3, ONE_LINE),
        parts.text(51, y + size * 1.1, expiry, look.value_size),
    ]


def _can_cuoc_qr(rng, person):
    fields = _qr_fields(person)
    # The symbol of this card may have more fields than the seven known ones; a reader must bear with them.
    if rng.random() < 0.5:
        parents = ["", random_name(rng, "Nam")[0], random_name(rng, "Nữ")[0], ""]
        fields += rng.choice([["", ""], ["", "", "", ""], parents])
    return "|".join(fields)


def _can_cuoc_back(rng, person, look):
    content = [look.lines(rng, 0.3, 0.55)]
    symbol_size = rng.uniform(12.8, 15)
    symbol_x = CARD_WIDTH - symbol_size - 3 + jitter(rng, 0.4)
    symbol_y = 2.8 + jitter(rng, 0.4)
    x = 4 + look.dx
    y = 2.8 + look.dy

    gap = "<br>" if rng.random() < 0.6 else " "
    residence = label("Nơi cư trú", "Place of residence") + gap + look.value(person.residence)
    birthplace = label("Nơi đăng ký khai sinh", rng.choice(["Place of birth", "Place of birth registration"]))
    birthplace += rng.choice(["<br>", " "]) + look.value(person.birthplace)
    places = f'{residence}<div style="height:.5mm"></div>{birthplace}'
    content.append(parts.fitted(x, y, places, look.label_size, symbol_x - x - 2, 17.5))
    y += 18.5
    content.append(parts.chip(5 + look.dx, y + 3))
    content += _can_cuoc_dates(rng, person, look, y)
    y += look.label_size * 3

    ministry = "BỘ CÔNG AN<br><span style='font-weight:400;font-size:1.6mm'>MINISTRY OF PUBLIC SECURITY</span>"
    content.append(parts.text(30, y + 0.4, ministry, 2.1, CENTRED + BOLD, 36))
    content.append(parts.seal(rng, 44, y + 3, 9.5, "BỘ CÔNG AN", "", 0.6))
    content.append(parts.qr_symbol(_can_cuoc_qr(rng, person), symbol_x, symbol_y, symbol_size))
    zone_y = 40 + jitter(rng, 0.3)
    content.append(parts.mrz(card_mrz(person), 4.4 + jitter(rng, 0.6), zone_y, 3.5, 4.0))

    fields = {
        "place_of_residence": person.residence,
        "place_of_birth": person.birthplace,
        "date_of_issue": person.issued.isoformat(),
    }
    both_codes = {"number": person.number, "date_of_birth": person.born.isoformat(), "sex": person.sex}
    qr_fields = {**both_codes, "full_name": person.name.upper()}
    if person.old_number:
        qr_fields["old_number"] = person.old_number
    codes = [
        Code("qr", symbol_x, symbol_y, symbol_size, symbol_size, qr_fields),
        Code("mrz", 3, zone_y - 0.5, 80, 13, _with_expiry(both_codes, person)),
    ]
    return look.side(content, _with_expiry(fields, person), codes)


# ---- CMND


def cmnd(rng, person):
    """The paper of nine digits that was issued until 2015, filled in by typewriter or printer."""
    look = _Look(
        font=rng.choice(CMND_FONTS),
        background="",
        colours=["#b3c9a0", "#c9cf9c", "#a8c4ac"],
        label_size=0,
    )
    value_font = rng.choice(TYPEWRITER_FONTS)
    look.label_size = rng.uniform(2.7, 3.0)
    look.value_size = look.label_size * rng.uniform(0.98, 1.1)
    look.dx = jitter(rng, 0.8)
    look.dy = jitter(rng, 0.6)
    look.background = rng.choice(["#dfe9d6", "#e2e8cf", "#d6e4da", "#e6ead8"])
    front = _cmnd_front(rng, person, look, value_font)
    back = _cmnd_back(rng, person, look, value_font)
    return [front, back]


def _cmnd_value(look, font, content):
    style = f"font-family:'{font}';font-size:{look.value_size:.2f}mm;color:#151515"
    return f'<span style="{style}">{parts.escape(content)}</span>'


def _cmnd_side(look, content, fields):
    html = parts.side_html(content, look.background, look.font, radius=1.5)
    return Side(html, CARD_WIDTH, CARD_HEIGHT, fields, [])


def _split_value(value, room):
    """Splits a value for two lines, the first of about so many characters, at a comma if possible."""
    comma = value[: room + 4].rfind(", ")
    if comma > 3:
        return value[: comma + 1], value[comma + 2:]
    rest = value.split(" ")
    first = []
    while rest and len(" ".join(first + [rest[0]])) <= room:
        first.append(rest.pop(0))
    return " ".join(first), " ".join(rest)


def _cmnd_front(rng, person, look, value_font):
    dx = look.dx
    dy = look.dy
    size = look.label_size
    number = person.old_number or random_old_number(rng)
    born = person.born.strftime(rng.choice(["%d-%m-%Y", "%d/%m/%Y", "%d-%m-%Y"]))
    residence = person.residence
    if rng.random() < 0.3:
        residence = residence.replace("Thành phố ", "TP ")

    content = [look.lines(rng, 0.4, 0.7)]
    heading = CENTRED + ONE_LINE + BOLD
    content.append(parts.fitted(24.5, 2.6 + dy, REPUBLIC, 2.55, 59.5, 4, heading))
    content.append(parts.text(24, 5.6 + dy, MOTTO, 2.4, CENTRED + BOLD + "text-decoration:underline", 60))
    title_size = rng.uniform(3.6, 4.1)
    content.append(parts.fitted(24.5, 9.3 + dy, "GIẤY CHỨNG MINH NHÂN DÂN", title_size, 59.5, 5.5, heading))
    number_style = f"color:#c0282d;font-family:'{rng.choice(['Tinos', 'Cousine', 'Arimo'])}';"
    number_style += f"letter-spacing:{rng.choice([0.2, 0.5, 0.8])}mm"
    number_line = f'SỐ <span style="{number_style}">{number}</span>'
    content.append(parts.text(24, 14 + dy, number_line, rng.uniform(4, 4.7), CENTRED + BOLD, 60))
    content.append(parts.emblem(7 + dx, 3 + dy, 13.5, grey=rng.random() < 0.3))
    content.append(parts.portrait(rng, 4 + dx, 19 + dy, 20, 29, person.sex, grey=rng.random() < 0.4))
    if rng.random() < 0.6:
        content.append(parts.seal(rng, 2, 40, 13, "CÔNG AN", "", 0.5))

    x = 26.5 + dx
    width = CARD_WIDTH - x - 2
    dots = '<div style="position:absolute;left:0;right:0;bottom:.2mm;border-bottom:.25mm dotted #555"></div>'

    def row(y, words, value):
        style = (
            f"position:absolute;left:{x}mm;top:{y}mm;width:{width}mm;font-size:{size:.2f}mm;{ONE_LINE}"
            f"height:{size * 1.35}mm"
        )
        value_html = _cmnd_value(look, value_font, value)
        content.append(f'<div class="fit" style="{style}">{dots}<span class="l">{words}</span> {value_html}</div>')

    def two_rows(y, words, value, room):
        first, second = _split_value(value, room)
        row(y, words, first)
        row(y + size * 1.42, "", second)

    y = 19.8 + dy
    step = size * 1.45
    wide = value_font in FIXED_WIDTH_FONTS
    row(y, rng.choice(["Họ tên:", "Họ tên", "Họ và tên:"]), person.name.upper())
    row(y + step, rng.choice(["Sinh ngày:", "Sinh ngày"]), born)
    two_rows(y + step * 2, rng.choice(["Nguyên quán:", "Nguyên quán"]), person.origin, 20 if wide else 28)
    residence_words = rng.choice(["Nơi ĐKHK thường trú:", "Nơi ĐKHK thường trú"])
    two_rows(y + step * 4, residence_words, residence, 12 if wide else 17)
    fields = {
        "number": number,
        "full_name": person.name.upper(),
        "date_of_birth": person.born.isoformat(),
        "place_of_origin": person.origin,
        "place_of_residence": residence,
    }
    return _cmnd_side(look, content, fields)


def _cmnd_back(rng, person, look, value_font):
    def value(content):
        return _cmnd_value(look, value_font, content)

    dy = look.dy
    size = look.label_size
    opacity = rng.uniform(0.3, 0.55)
    content = [parts.guilloche(rng, CARD_WIDTH, CARD_HEIGHT, look.colours, opacity, drum=False)]
    ethnicity = f'<span class="l">Dân tộc:</span> {value(person.ethnicity)}'
    religion = f'<span class="l">Tôn giáo:</span> {value(person.religion)}'
    content.append(parts.text(4, 2.5 + dy, f"{ethnicity}&emsp;&emsp;&emsp;{religion}", size))
    line = ".25mm solid #556"
    content.append(
        f'<div style="position:absolute;left:3mm;top:{7.2 + dy}mm;width:79.6mm;height:43.5mm;border:{line}"></div>'
        f'<div style="position:absolute;left:22mm;top:{7.2 + dy}mm;height:43.7mm;border-left:{line}"></div>'
        f'<div style="position:absolute;left:3mm;top:{29 + dy}mm;width:19mm;border-top:{line}"></div>'
    )
    for row, finger in enumerate(["NGÓN TRỎ TRÁI", "NGÓN TRỎ PHẢI"]):
        content.append(parts.fingerprint(rng, 6, 10.5 + dy + row * 21.5, 13, 17))
        content.append(parts.text(3, 7.8 + dy + row * 21.7, finger, 1.7, CENTRED, 19))
    content.append(parts.text(23, 8 + dy, "DẤU VẾT RIÊNG VÀ DỊ HÌNH", 2.4, CENTRED + BOLD, 59))
    content.append(parts.text(24, 12 + dy, value(parts.marks(rng)), look.value_size))

    issued = person.issued
    day, month, year = value(f"{issued.day:02d}"), value(f"{issued.month:02d}"), value(f"{issued.year}")
    content.append(parts.text(34, 22 + dy, f"Ngày {day} tháng {month} năm {year}", size, CENTRED, 47))
    code = person.residence_area.province
    province = PROVINCES[code]
    office = f'{rng.choice(["GIÁM ĐỐC CA", "GIÁM ĐỐC CA TỈNH"])} {value(province)}'
    content.append(parts.text(34, 26 + dy, office, 2.4, CENTRED + BOLD, 47))
    rim = "CÔNG AN " + ("" if code in CITIES else "TỈNH ") + province.upper()
    content.append(parts.seal(rng, 38, 28 + dy, 20, rim, "GIÁM ĐỐC"))
    content.append(parts.signature(rng, 48, 30 + dy, 24, 12))
    content.append(parts.text(34, 45 + dy, rng.choice(SIGNERS), 2.4, CENTRED, 47))
    fields = {
        "ethnicity": person.ethnicity,
        "religion": person.religion,
        "date_of_issue": issued.isoformat(),
    }
    return _cmnd_side(look, content, fields)
