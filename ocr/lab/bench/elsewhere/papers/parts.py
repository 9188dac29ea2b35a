"""What all papers are made of: texts, ornaments, seals, portraits and codes as HTML.

Every function returns HTML. Places and sizes are in millimetres from the upper left corner of the side.
"""

import math
from typing import NamedTuple

import qrcode

CARD_WIDTH = 85.6
CARD_HEIGHT = 54

SEAL_RED = "#d0212c"
INK_BLUE = "#1b2a7a"
CENTRED = "text-align:center;"
ONE_LINE = "white-space:nowrap;"

# Bar and gap widths of Code 128, by value; 105 starts pairs of digits, 106 stops.
CODE128 = """
212222 222122 222221 121223 121322 131222 122213 122312 132212 221213 221312 231212 112232 122132 122231 113222
123122 123221 223211 221132 221231 213212 223112 312131 311222 321122 321221 312212 322112 322211 212123 212321
232121 111323 131123 131321 112313 132113 132311 211313 231113 231311 112133 112331 132131 113123 113321 133121
313121 211331 231131 213113 213311 213131 311123 311321 331121 312113 312311 332111 314111 221411 431111 111224
111422 121124 121421 141122 141221 112214 112412 122114 122411 142112 142211 241211 221114 413111 241112 134111
111242 121142 121241 114212 124112 124211 411212 421112 421211 212141 214121 412121 111143 111341 131141 114113
114311 411113 411311 113141 114131 311141 411131 211412 211214 211232 2331112
""".split()

MARKS = [
    "Nốt ruồi C:{n}cm dưới sau mép trái",
    "Sẹo chấm C:{n}cm trên sau đuôi mày phải",
    "Nốt ruồi C: {n}cm trước cánh mũi phải",
    "Sẹo C.{n}cm trên trước đầu mày trái",
    "Tàn nhang rải rác hai má",
]


class Code(NamedTuple):
    """A QR symbol ("qr") or machine readable zone ("mrz") on a side, and the fields a reader finds in it."""

    kind: str
    x: float
    y: float
    width: float
    height: float
    fields: dict


class Side(NamedTuple):
    """One side of a paper: its HTML, its size, the true values printed on it for the eye, and its codes."""

    html: str
    width: float
    height: float
    fields: dict
    codes: list


def jitter(rng, most):
    """A small displacement of at most so many millimetres either way."""
    return rng.uniform(-most, most)


def written_date(day):
    """The day as most papers write it: 31/12/2020."""
    return day.strftime("%d/%m/%Y")


def escape(text):
    """The text with the characters that HTML reads as its own replaced."""
    return text.replace("&", "&amp;").replace("<", "&lt;")


def side_html(parts, background, font, width=CARD_WIDTH, height=CARD_HEIGHT, radius=3):
    """One whole side with these parts on it; radius rounds its corners."""
    style = (
        f"width:{width}mm;height:{height}mm;border-radius:{radius}mm;background:{background};font-family:'{font}';"
        "line-height:1.18;color:#1c2230;overflow:hidden;position:relative"
    )
    return f'<div style="{style}">{"".join(parts)}</div>'


def add_on_top(side, html):
    """The same side with one more part above all others."""
    return side._replace(html=side.html.removesuffix("</div>") + html + "</div>")


def text(x, y, content, size, style="", width=None):
    """Text of this font size at a place: on one line, or wrapped within the width if there is one."""
    if width:
        flow = f"white-space:normal;width:{width:.2f}mm;"
    else:
        flow = ONE_LINE
    place = f"position:absolute;left:{x:.2f}mm;top:{y:.2f}mm;font-size:{size:.2f}mm;"
    return f'<div style="{place}{flow}{style}">{content}</div>'


def fitted(x, y, content, size, width, max_height, style=""):
    """Wrapped text whose font shrinks, when the page is drawn, until it fits the width and height."""
    place = f"position:absolute;left:{x:.2f}mm;top:{y:.2f}mm;font-size:{size:.2f}mm;"
    room = f"width:{width:.2f}mm;max-height:{max_height:.2f}mm;"
    return f'<div class="fit" style="{place}{room}{style}">{content}</div>'


def label(vietnamese, english="", separator=" / "):
    """The printed name of a field, with its English translation if there is one."""
    if english:
        return f'<span class="l">{vietnamese}{separator}<i>{english}</i>:</span>'
    return f'<span class="l">{vietnamese}:</span>'


def marks(rng):
    """A sentence on scars and moles as the police write it."""
    return rng.choice(MARKS).format(n=rng.choice(["1", "1,5", "2", "0,5", "3"]))


def _svg(x, y, width, height, view_box, content, style="", attributes=""):
    return (
        f'<svg style="position:absolute;left:{x}mm;top:{y}mm;{style}" width="{width}mm" height="{height}mm" '
        f'viewBox="{view_box}" {attributes}>{content}</svg>'
    )


def _waves(rng, width, height, colours, pen):
    colour = rng.choice(colours)
    middle = rng.uniform(0, height)
    amplitude = rng.uniform(3, 11)
    frequency = rng.uniform(0.05, 0.2)
    amplitude2 = rng.uniform(1, 4)
    frequency2 = rng.uniform(0.1, 0.4)
    lines = []
    for line in range(9):
        phase = line * 0.28
        points = []
        for step in range(0, int(width * 2) + 2):
            x = step * 0.5
            wave = amplitude * math.sin(frequency * x + phase)
            wave2 = amplitude2 * math.sin(frequency2 * x - phase * 1.7)
            points.append(f"{x:.1f},{middle + wave + wave2 + line * 0.5:.2f}")
        lines.append(f'<polyline points="{" ".join(points)}" fill="none" stroke="{colour}" {pen}/>')
    return "".join(lines)


def _drum(rng, width, height, colours, opacity):
    centre_x = width * rng.uniform(0.5, 0.7)
    centre_y = height * rng.uniform(0.45, 0.6)
    shapes = []
    for ring in range(14):
        thickness = 0.12 if ring % 3 else 0.3
        shapes.append(
            f'<circle cx="{centre_x}" cy="{centre_y}" r="{2 + ring * 1.5}" fill="none" stroke="{rng.choice(colours)}" '
            f'stroke-width="{thickness}" opacity="{opacity * 0.9}"/>'
        )
    points = []
    for corner in range(28):
        radius = 5 if corner % 2 else 2
        angle = corner * math.pi / 14
        points.append(f"{centre_x + radius * math.cos(angle):.2f},{centre_y + radius * math.sin(angle):.2f}")
    shapes.append(f'<polygon points="{" ".join(points)}" fill="{rng.choice(colours)}" opacity="{opacity * 0.5}"/>')
    return "".join(shapes)


def _rosette(rng, width, height, colours, pen):
    size = rng.uniform(12, 22)
    petals = rng.randint(7, 15)
    centre_x = rng.uniform(0, width)
    centre_y = rng.uniform(0, height)
    colour = rng.choice(colours)
    points = []
    for step in range(127):
        angle = step * 0.05
        radius = size * (1 + 0.3 * math.cos(petals * angle))
        points.append(f"{centre_x + radius * math.cos(angle):.2f},{centre_y + radius * math.sin(angle):.2f}")
    return f'<polyline points="{" ".join(points)}" fill="none" stroke="{colour}" {pen}/>'


def guilloche(rng, width, height, colours, opacity, bundles=5, stroke=0.09, drum=True):
    """The fine lines behind the text of a side: bundles of waves, three rosettes, perhaps a bronze drum."""
    pen = f'stroke-width="{stroke}" opacity="{opacity}"'
    content = [_waves(rng, width, height, colours, pen) for _ in range(bundles)]
    if drum:
        content.append(_drum(rng, width, height, colours, opacity))
    content.extend(_rosette(rng, width, height, colours, pen) for _ in range(3))
    return _svg(0, 0, width, height, f"0 0 {width} {height}", "".join(content))


def _star(centre_x, centre_y, radius):
    points = []
    for corner in range(10):
        reach = radius if corner % 2 == 0 else radius * 0.4
        angle = corner * math.pi / 5
        points.append(f"{centre_x + reach * math.sin(angle):.2f},{centre_y - reach * math.cos(angle):.2f}")
    return " ".join(points)


def emblem(x, y, diameter, grey=False):
    """Something like the national emblem: a star and ears of rice on a disc."""
    field, gold = ("#555", "#ddd") if grey else ("#b22", "#fc3")
    content = [
        f'<circle cx="10" cy="10" r="8" fill="{field}"/>',
        f'<polygon points="{_star(10, 8, 4)}" fill="{gold}"/>',
    ]
    for grain in range(23):
        angle = grain * 0.22 - 0.9
        grain_x = 10 + 8.6 * math.cos(angle)
        grain_y = 10 + 8.6 * math.sin(angle)
        content.append(
            f'<ellipse cx="{grain_x}" cy="{grain_y}" rx="1.5" ry=".6" '
            f'transform="rotate({math.degrees(angle) + 60} {grain_x} {grain_y})" '
            f'fill="{gold}" stroke="#a70" stroke-width=".15"/>'
        )
    content.append(
        f'<circle cx="10" cy="16" r="2" fill="none" stroke="{gold}" stroke-width=".7" stroke-dasharray=".6 .4"/>'
        f'<rect x="6" y="17.6" width="8" height="1.6" fill="{field}"/>'
    )
    return _svg(x, y, diameter, diameter, "0 0 20 20", "".join(content))


def portrait(rng, x, y, width, height, sex, grey=False):
    """A drawn face, of nobody, in the place of the photograph."""
    background = rng.choice(["#dfe8ef", "#cfe0ee", "#e8eef2", "#b9d3ea"])
    skin = rng.choice(["#d9a883", "#e4b999", "#c89270", "#efcbb0"])
    clothes = rng.choice(["#f4f4f4", "#2c3a55", "#7b2d35", "#3d5a45", "#222"])
    if sex == "Nữ":
        hair = "M26 50 Q22 20 50 18 Q78 20 74 50 L80 95 L70 95 L72 50 Q50 28 28 44 L30 95 L20 95 Z"
    else:
        hair = "M26 50 Q22 20 50 18 Q78 20 74 50 L72 44 Q50 28 28 44  Z"
    gradient = f"s{int(x * 97 + y)}"
    content = (
        f'<defs><radialGradient id="{gradient}"><stop offset="0" stop-color="{skin}"/>'
        f'<stop offset="1" stop-color="{skin}" stop-opacity=".82"/></radialGradient></defs>'
        f'<rect width="100" height="140" fill="{background}"/>'
        f'<path d="M5 140 Q8 104 40 98 L60 98 Q92 104 95 140 Z" fill="{clothes}"/>'
        f'<rect x="41" y="78" width="18" height="26" fill="{skin}"/>'
        f'<ellipse cx="50" cy="57" rx="22" ry="30" fill="url(#{gradient})"/>'
        f'<path d="{hair}" fill="#1d1714"/>'
        '<ellipse cx="41" cy="55" rx="3.4" ry="1.5" fill="#222"/>'
        '<ellipse cx="59" cy="55" rx="3.4" ry="1.5" fill="#222"/>'
        '<path d="M36 50 q5 -3 9 0 M55 50 q5 -3 9 0" stroke="#2b1d16" stroke-width="1.6" fill="none"/>'
        '<path d="M50 57 l-3 9 h5" stroke="#9a6a4c" fill="none"/>'
        '<path d="M43 73 q7 3 14 0" stroke="#a2443f" stroke-width="2.2" fill="none"/>'
    )
    style = "filter:grayscale(1)" if grey else ""
    box = f"0 0 100 {100 * height / width:.0f}"
    return _svg(x, y, width, height, box, content, style, 'preserveAspectRatio="none"')


def fingerprint(rng, x, y, width, height):
    """Broken rings that pass for a fingerprint."""
    slant = rng.uniform(-3, 3)
    rings = []
    for ring in range(11):
        dash = f"{rng.randint(7, 30)} {rng.uniform(0.6, 2):.1f}"
        rings.append(
            f'<ellipse cx="{20 + slant * ring * 0.2}" cy="{27 + ring * 0.4}" '
            f'rx="{1 + ring * 1.75}" ry="{1.5 + ring * 2.2}" stroke-dasharray="{dash}"/>'
        )
    content = f'<g fill="none" stroke="#333" stroke-width="1" opacity=".75">{"".join(rings)}</g>'
    return _svg(x, y, width, height, "0 0 40 50", content)


def chip(x, y):
    """The contacts of a chip, 12 by 10 mm."""
    content = (
        '<rect width="12" height="10" rx="1.6" fill="#d9b45a"/>'
        '<g stroke="#7b6120" stroke-width=".18" fill="none">'
        '<path d="M0 3.3h4M0 6.6h4M8 3.3h4M8 6.6h4M4 0v10M8 0v10M4 5h4"/>'
        '<rect x="4" y="2.2" width="4" height="5.6" rx="1"/></g>'
    )
    return _svg(x, y, 12, 10, "0 0 12 10", content)


def qr_symbol(data, x, y, size):
    """A QR symbol of the data with a narrow white margin."""
    symbol = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_L, border=0)
    # All in one segment of UTF-8 bytes.
    symbol.add_data(data.encode("utf-8"), optimize=0)
    symbol.make(fit=True)
    matrix = symbol.get_matrix()
    modules = []
    for row, cells in enumerate(matrix):
        modules.extend(f"M{column} {row}h1v1h-1z" for column, dark in enumerate(cells) if dark)
    box = f"-1.5 -1.5 {len(matrix) + 3} {len(matrix) + 3}"
    content = f'<path d="{"".join(modules)}" fill="#111"/>'
    return _svg(x, y, size, size, box, content, "background:#fff", 'shape-rendering="crispEdges"')


def code128(digits, x, y, width, height):
    """A Code 128 bar code of an even number of digits."""
    values = [105]
    values.extend(int(digits[i : i + 2]) for i in range(0, len(digits), 2))
    values.append((values[0] + sum(i * value for i, value in enumerate(values))) % 103)
    values.append(106)
    bars = []
    position = 0
    for value in values:
        for element, module in enumerate(CODE128[value]):
            if element % 2 == 0:
                bars.append(f"M{position} 0h{module}v10h-{module}z")
            position += int(module)
    content = f'<path d="{"".join(bars)}" fill="#111"/>'
    return _svg(x, y, width, height, f"0 0 {position} 10", content, "", 'preserveAspectRatio="none"')


def mrz(lines, x, y, size, line_distance):
    """A machine readable zone with ten characters to the inch (2.54 mm, here 2.56)."""
    # The advance of OCR B is 0.723 of its size; the rest of the pitch goes between the letters.
    spacing = 2.56 - size * 0.723
    style = f"font-family:'OCR B';letter-spacing:{spacing:.3f}mm;color:#111;line-height:1"
    return "".join(text(x, y + i * line_distance, escape(line), size, style) for i, line in enumerate(lines))


def seal(rng, x, y, diameter, rim, middle, opacity=0.85):
    """A round red seal, turned a little, with text along the rim and in the middle."""
    path = f"p{rng.randint(0, 10**8)}"
    turn = f"{rng.uniform(-25, 25):.0f}"
    letters = f'fill="{SEAL_RED}" font-family="Arimo" font-weight="bold"'
    content = (
        f'<g fill="none" stroke="{SEAL_RED}"><circle cx="50" cy="50" r="48" stroke-width="2"/>'
        '<circle cx="50" cy="50" r="45" stroke-width=".8"/><circle cx="50" cy="50" r="28" stroke-width="1"/></g>'
        f'<polygon points="{_star(50, 42, 9)}" fill="{SEAL_RED}"/>'
        f'<defs><path id="{path}" d="M 16 58 A 35 35 0 1 1 84 58"/></defs>'
        f'<text {letters} font-size="9">'
        f'<textPath href="#{path}" startOffset="50%" text-anchor="middle">{rim}</textPath></text>'
        f'<text {letters} x="50" y="64" font-size="8" text-anchor="middle">{middle}</text>'
    )
    style = f"mix-blend-mode:multiply;transform:rotate({turn}deg)"
    return _svg(x, y, diameter, diameter, "0 0 100 100", content, style, f'opacity="{opacity}"')


def signature(rng, x, y, width, height):
    """A scribble in blue ink."""
    pen_x = 5
    pen_y = 30
    path = f"M{pen_x} {pen_y}"
    for _ in range(rng.randint(6, 10)):
        next_x = pen_x + rng.uniform(4, 16)
        next_y = rng.uniform(8, 48)
        control = f"{pen_x + rng.uniform(-5, 15):.0f} {next_y + rng.uniform(-20, 20):.0f}"
        control2 = f"{next_x - 8:.0f} {pen_y + rng.uniform(-20, 20):.0f}"
        path += f" C{control} {control2} {next_x:.0f} {next_y:.0f}"
        pen_x = next_x
        pen_y = next_y
    content = f'<path d="{path}" fill="none" stroke="{INK_BLUE}" stroke-width="1.6"/>'
    return _svg(x, y, width, height, "0 0 110 56", content, "mix-blend-mode:multiply")
