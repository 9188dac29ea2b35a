"""Invented people: names, dates, numbers and the machine readable zones made of them."""

import unicodedata
import unicodedata
from dataclasses import dataclass, replace
from datetime import date, timedelta

from places import AREAS, PROVINCES, Area, address, area_text, new_address

SURNAMES = [
    *["Nguyễn"] * 30,
    *["Trần"] * 11,
    *["Lê"] * 10,
    *["Phạm"] * 7,
    *["Hoàng"] * 4,
    *["Huỳnh"] * 4,
    *["Phan"] * 4,
    *["Vũ"] * 4,
    *["Võ"] * 4,
    *["Đặng"] * 3,
    *["Bùi"] * 3,
    *["Đỗ"] * 3,
    "Hồ", "Ngô", "Dương", "Lý", "Đinh", "Đoàn", "Lâm", "Mai", "Trịnh", "Đào", "Cao", "Hà", "Lương", "Lưu", "Tạ",
    "Tô", "Tống", "Thái", "Trương", "Quách", "Vương", "Nghiêm", "Khổng", "Doãn", "Phùng", "Chu", "Kiều", "Thạch",
    "Triệu", "Giáp", "Ông", "Văn", "Từ", "La", "Tăng", "Ninh", "Châu", "Quang",
]

MALE_MIDDLE_NAMES = [
    *["Văn"] * 8,
    "Đức", "Hữu", "Quốc", "Minh", "Công", "Xuân", "Đình", "Thanh", "Ngọc", "Trọng", "Bá", "Duy", "Gia", "Hoàng",
    "Tuấn", "Viết", "Thế", "Mạnh", "Anh", "Nhật", "Khắc", "Phước", "Tấn", "Chí", "Việt", "Quang", "Hải", "",
]

MALE_GIVEN_NAMES = [
    "Anh", "Bình", "Cường", "Dũng", "Duy", "Đạt", "Đông", "Giang", "Hải", "Hiếu", "Hòa", "Hoàng", "Hùng", "Huy",
    "Khánh", "Khoa", "Kiên", "Lâm", "Long", "Lộc", "Lực", "Mạnh", "Minh", "Nam", "Nghĩa", "Nhân", "Phong", "Phúc",
    "Quân", "Quý", "Quyết", "Sáng", "Sơn", "Sỹ", "Tài", "Tâm", "Thắng", "Thịnh", "Thành", "Thuận", "Tiến", "Toàn",
    "Trí", "Trung", "Tú", "Tuấn", "Tùng", "Tuyên", "Việt", "Vinh", "Vũ", "Xuân", "Thủy", "Ước", "Ỷ", "Đệ",
    "Bảo Long", "Minh Quyền", "Nhật Huy", "Thiên Ân", "Hoài Nam", "Trường Giang",
]

FEMALE_MIDDLE_NAMES = [
    *["Thị"] * 9,
    "Thị Ngọc", "Thị Thanh", "Thị Hồng", "Thị Bích", "Thị Kim", "Thị Mỹ", "Thị Thu", "Thị Phương", "Ngọc",
    "Thanh", "Thu", "Hồng", "Kim", "Bích", "Mỹ", "Phương", "Khánh", "Hoài", "Diệu", "Bảo", "Tường", "Cẩm",
    "Quỳnh", "Lan", "Tuyết", "Như", "",
]

FEMALE_GIVEN_NAMES = [
    "Anh", "Ánh", "Bích", "Chi", "Châu", "Cúc", "Diễm", "Dung", "Duyên", "Đào", "Giang", "Hà", "Hạnh", "Hằng",
    "Hiền", "Hoa", "Hòa", "Hồng", "Huệ", "Hương", "Hường", "Huyền", "Khuê", "Lan", "Lệ", "Liên", "Linh", "Loan",
    "Ly", "Lý", "Mai", "Mơ", "My", "Mỹ", "Nga", "Ngân", "Nghĩa", "Ngọc", "Nguyệt", "Nhàn", "Nhi", "Nhung", "Oanh",
    "Phượng", "Quyên", "Quỳnh", "Sen", "Tâm", "Thảo", "Thắm", "Thơm", "Thoa", "Thu", "Thúy", "Thủy", "Thương",
    "Thùy", "Tiên", "Trang", "Trinh", "Tuyền", "Tuyết", "Uyên", "Vân", "Vy", "Xuân", "Yến", "Ngoãn",
    "Phương Thảo", "Bảo Ngọc", "Ngọc Trâm", "Tường Vy", "Khánh Ly",
]

# Names of other build than the usual surname, middle name and given name: (name, sex, ethnicity).
RARE_NAMES = [
    ("Giàng A Páo", "Nam", "Mông"),
    ("Vàng Thị Mỷ", "Nữ", "Mông"),
    ("Sùng Thị Dế", "Nữ", "Mông"),
    ("Lò Văn Ín", "Nam", "Thái"),
    ("Lường Thị Ơn", "Nữ", "Thái"),
    ("Cà Văn Hặc", "Nam", "Thái"),
    ("Quàng Thị Xương", "Nữ", "Thái"),
    ("Nông Văn Dếnh", "Nam", "Tày"),
    ("Hoàng Thị Nình", "Nữ", "Tày"),
    ("Bế Văn Đệm", "Nam", "Tày"),
    ("Vi Thị Eng", "Nữ", "Nùng"),
    ("Lục Văn Páo", "Nam", "Nùng"),
    ("Đinh Công Ửng", "Nam", "Mường"),
    ("Bùi Thị Ỉn", "Nữ", "Mường"),
    ("Phàn Tả Mẩy", "Nữ", "Dao"),
    ("Chảo Láo Sử", "Nam", "Dao"),
    ("H'Bia Niê", "Nữ", "Ê Đê"),
    ("Y Thớm Êban", "Nam", "Ê Đê"),
    ("Y Blơn Ksor", "Nam", "Gia Rai"),
    ("Rơ Châm H'Yéo", "Nữ", "Gia Rai"),
    ("Siu Blơh", "Nam", "Gia Rai"),
    ("A Xây", "Nam", "Xơ Đăng"),
    ("Y Lếch", "Nữ", "Ba Na"),
    ("K'Brếp", "Nam", "Cơ Ho"),
    ("Ka Nhẻm", "Nữ", "Cơ Ho"),
    ("Thạch Sô Phia", "Nữ", "Khmer"),
    ("Danh Ướm", "Nam", "Khmer"),
    ("Kim Sóc Kha", "Nam", "Khmer"),
    ("Thập Thị Ái Mỹ", "Nữ", "Chăm"),
    ("Báo Văn Trập", "Nam", "Chăm"),
    ("Alăng Bhuốch", "Nam", "Cơ Tu"),
    ("Tôn Nữ Diệu Hằng", "Nữ", "Kinh"),
    ("Công Tằng Tôn Nữ Quỳnh Dao", "Nữ", "Kinh"),
    ("Âu Dương Kiệt", "Nam", "Hoa"),
    ("Trầm Mỹ Phụng", "Nữ", "Hoa"),
]

RELIGIONS = [*["Không"] * 6, "Phật giáo", "Công giáo", "Tin lành", "Cao Đài", "Phật giáo Hòa Hảo", "Hồi giáo"]

# Names that sign papers: plainly not those of officials.
SIGNERS = ["Phạm Quang Thử", "Lê Thử Nghiệm", "Trần Văn Mẫu", "Đỗ Minh Giả"]

AGES = [14, 15, 17, 18, 20, 22, 24, 27, 30, 33, 36, 39, 42, 46, 50, 55, 59, 63, 70, 78]

ISSUE_YEARS = {
    "cccd": (date(2021, 3, 1), date(2024, 6, 30)),
    "can-cuoc": (date(2024, 7, 1), date(2026, 5, 1)),
    "cccd-2016": (date(2016, 2, 1), date(2020, 12, 31)),
    "cmnd": (date(1999, 1, 1), date(2015, 12, 1)),
    "passport": (date(2018, 1, 1), date(2026, 1, 1)),
    "ct07": (date(2022, 1, 1), date(2026, 3, 1)),
    "khai-sinh": (date(2016, 6, 1), date(2026, 3, 1)),
}

MRZ_CHARACTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass
class Person:
    """One invented person with all that any kind of paper may print; sex is "Nam" or "Nữ"."""

    name: str
    sex: str
    ethnicity: str
    religion: str
    born: date
    issued: date
    expires: date | None
    number: str
    old_number: str
    passport_number: str
    province_code: str
    origin: str
    origin_area: Area
    birthplace: str
    residence: str
    residence_area: Area
    # Whom the QR symbol speaks of, if it is another's stuck over this person's.
    coded: "Person | None" = None


def random_name(rng, sex=None):
    """A full name: (name, sex, ethnicity). Without a sex given, one in eight names is a rare one."""
    if sex is None and rng.random() < 0.12:
        return rng.choice(RARE_NAMES)
    sex = sex or rng.choice(["Nam", "Nữ"])
    male = sex == "Nam"
    parts = [
        rng.choice(SURNAMES),
        rng.choice(MALE_MIDDLE_NAMES if male else FEMALE_MIDDLE_NAMES),
        rng.choice(MALE_GIVEN_NAMES if male else FEMALE_GIVEN_NAMES),
    ]
    ethnicity = "Kinh" if rng.random() < 0.92 else rng.choice(["Hoa", "Tày", "Mường"])
    return " ".join(part for part in parts if part), sex, ethnicity


def random_day(rng, first, last):
    """A day from first to last, both included."""
    return first + timedelta(days=rng.randint(0, (last - first).days))


def random_old_number(rng):
    """A number of nine digits as identity papers had before 2016."""
    return f"{rng.choice('0123')}{rng.randint(10000000, 99999999)}"


def _birthday(day, years):
    try:
        return day.replace(year=day.year + years)
    except ValueError:  # 29 February
        return day.replace(year=day.year + years, day=28)


def _birth_date(rng, kind, issued):
    if kind == "khai-sinh":
        return issued - timedelta(days=rng.randint(4, 300))
    if kind in ("cccd-2016", "cmnd"):
        age = rng.uniform(15, 75)
        if kind == "cmnd":
            age = rng.uniform(15, 60)
    else:
        age = rng.choice(AGES) + rng.random()
    born = issued - timedelta(days=int(age * 365.25) + 3)
    # Since 2024 small children get cards too.
    if kind == "can-cuoc" and rng.random() < 0.08:
        born = issued - timedelta(days=rng.randint(900, 4500))
    return born


def _personal_number(rng, province_code, sex, born):
    century_and_sex = (0 if sex == "Nam" else 1) + (2 if born.year >= 2000 else 0)
    return f"{province_code}{century_and_sex}{born.year % 100:02d}{rng.randint(1, 39999):06d}"


def _expiry(kind, born, issued):
    if kind == "passport":
        return _birthday(issued, 10 if (issued - born).days > 14 * 365 + 4 else 5)
    # A card is good until the birthday that ends an age band; a card of the last two years of a band
    # is good to the end of the next one, and after the last band for good.
    for age in (14, 25, 40, 60) if kind == "can-cuoc" else (25, 40, 60):
        end = _birthday(born, age)
        if (end - issued).days > 730:
            return end
    return None


def _passport_number(rng, issued):
    prefix = rng.choice(["B", "C", "C", "P", "P0", "E0", "C0"])
    length = 9 if len(prefix) == 2 and issued.year >= 2022 else 8
    return prefix + "".join(rng.choice("0123456789") for _ in range(length - len(prefix)))


def random_person(rng, kind):
    """Invents the holder of a paper of this kind, with dates that fit the years in which the kind was issued."""
    name, sex, ethnicity = random_name(rng)
    issued = random_day(rng, *ISSUE_YEARS[kind])
    born = _birth_date(rng, kind, issued)

    origin_area = rng.choice(AREAS)
    province_code = origin_area.province if rng.random() < 0.8 else rng.choice(list(PROVINCES))
    number = _personal_number(rng, province_code, sex, born)
    had_old_number = born.year < 2004 and rng.random() < 0.75
    old_number = random_old_number(rng) if had_old_number else ""

    long = rng.random() < 0.35
    origin = area_text(origin_area, long)
    residence_area = origin_area if rng.random() < 0.5 else rng.choice(AREAS)
    residence = address(rng, residence_area, long)
    birthplace = area_text(origin_area, True)
    if kind == "can-cuoc" and issued >= date(2025, 7, 1):
        residence, new_area = new_address(rng)
        if rng.random() < 0.5:
            birthplace = new_area
    elif kind == "can-cuoc" and rng.random() < 0.5:
        birthplace = origin

    return Person(
        name=name,
        sex=sex,
        ethnicity=ethnicity,
        born=born,
        issued=issued,
        expires=_expiry(kind, born, issued),
        number=number,
        old_number=old_number,
        passport_number=_passport_number(rng, issued),
        religion=rng.choice(RELIGIONS),
        province_code=province_code,
        origin=origin,
        origin_area=origin_area,
        birthplace=birthplace,
        residence=residence,
        residence_area=residence_area,
    )


FORGERIES = ["digit", "word", "tone", "house", "street", "birth", "issue", "all"]
TONES = ("", "\u0300", "\u0301", "\u0309", "\u0303", "\u0323")


def _other_tone(rng, name):
    """The name with one syllable in another tone; where a syllable ends in a stop only two tones are possible."""
    words = name.split()
    at = rng.randrange(len(words))
    letters = unicodedata.normalize("NFD", words[at])
    now = next((mark for mark in TONES[1:] if mark in letters), "")
    stopped = letters.replace(now, "").endswith(("c", "ch", "p", "t")) if now else letters.endswith(("c", "ch", "p", "t"))
    others = [mark for mark in (("\u0301", "\u0323") if stopped else TONES) if mark != now]
    mark = rng.choice(others)
    if now:
        letters = letters.replace(now, mark, 1)
    else:
        vowels = [i for i, c in enumerate(letters) if c.lower() in "aeiouy"]
        end = vowels[-1] if stopped or len(vowels) == 1 else vowels[0]
        while end + 1 < len(letters) and unicodedata.combining(letters[end + 1]):
            end += 1
        letters = letters[: end + 1] + mark + letters[end + 1 :]
    words[at] = unicodedata.normalize("NFC", letters)
    return " ".join(words)


def _other_digit(rng, text):
    places = [i for i, c in enumerate(text) if c.isdigit()]
    at = rng.choice(places)
    return text[:at] + rng.choice([d for d in "123456789" if d != text[at]]) + text[at + 1 :]


def forge(rng, person, how):
    """Who stands in a forged symbol on the person's card: the person with one thing changed, or somebody else."""
    if how == "digit":
        return replace(person, number=person.number[:6] + _other_digit(rng, person.number[6:]))
    if how == "word":
        words = person.name.split()
        names = [name for name in MALE_GIVEN_NAMES + FEMALE_GIVEN_NAMES if name != words[-1]]
        return replace(person, name=" ".join(words[:-1] + [rng.choice(names)]))
    if how == "tone":
        return replace(person, name=_other_tone(rng, person.name))
    if how == "house" and any(c.isdigit() for c in person.residence.split(",")[0]):
        first, *rest = person.residence.split(",")
        return replace(person, residence=",".join([_other_digit(rng, first), *rest]))
    if how in ("house", "street"):
        area = person.residence_area
        while area.ward == person.residence_area.ward:
            area = rng.choice(AREAS)
        parts = person.residence.split(", ")
        parts[-3 if len(parts) > 3 else -2] = area.ward
        return replace(person, residence=", ".join(parts))
    if how == "birth":
        return replace(person, born=person.born - timedelta(days=rng.randint(1, 2000)))
    if how == "issue":
        return replace(person, issued=person.issued - timedelta(days=rng.randint(1, 60)))
    other = random_person(rng, "cccd")
    return replace(other, issued=person.issued - timedelta(days=rng.randint(1, 60)))


def lies(person):
    """The fields of which the forged symbol says something else than the card."""
    said = person.coded
    pairs = {
        "number": (person.number, said.number),
        "full_name": (person.name.upper(), said.name.upper()),
        "date_of_birth": (person.born, said.born),
        "sex": (person.sex, said.sex),
        "place_of_residence": (person.residence, said.residence),
        "date_of_issue": (person.issued, said.issued),
    }
    return [name for name, (a, b) in pairs.items() if a != b]


def _check_digit(text):
    total = 0
    for position, character in enumerate(text):
        value = 0 if character == "<" else MRZ_CHARACTERS.index(character)
        total += value * (7, 3, 1)[position % 3]
    return str(total % 10)


def _checked(text):
    return text + _check_digit(text)


def _mrz_name(name, width):
    # Đ has no decomposition, so it would survive the removal of accents.
    letters = unicodedata.normalize("NFD", name.replace("Đ", "D").replace("đ", "d"))
    plain = "".join(letter for letter in letters if not unicodedata.combining(letter))
    surname, *given = plain.upper().replace("'", "").replace("-", " ").split()
    text = surname + "<<" + "<".join(given) if given else surname
    return text[:width].ljust(width, "<")


def _mrz_date(day):
    return day.strftime("%y%m%d")


def _mrz_sex(person):
    return "M" if person.sex == "Nam" else "F"


def card_mrz(person):
    """The three lines of 30 characters in the machine readable zone of a card."""
    filler = "<" * 11
    first = "IDVNM" + _checked(person.number[3:]) + person.number + "<<" + _check_digit(person.number)
    born = _checked(_mrz_date(person.born))
    expires = _checked(_mrz_date(person.expires) if person.expires else "991231")
    second = born + _mrz_sex(person) + expires + "VNM" + filler
    second += _check_digit(first[5:30] + born + expires + filler)
    return [first, second, _mrz_name(person.name, 30)]


def passport_mrz(person):
    """The two lines of 44 characters in the machine readable zone of a passport."""
    first = "P<VNM" + _mrz_name(person.name, 39)
    document = _checked(person.passport_number.ljust(9, "<"))
    born = _checked(_mrz_date(person.born))
    expires = _checked(_mrz_date(person.expires))
    number = _checked(person.number.ljust(14, "<"))
    second = document + "VNM" + born + _mrz_sex(person) + expires + number
    second += _check_digit(document + born + expires + number)
    return [first, second]
