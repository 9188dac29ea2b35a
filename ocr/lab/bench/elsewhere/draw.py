"""Draws pages with identity papers of invented people, damages them and writes the true values beside them.

Run it with --help for the options. For every page it writes NNN-kind.jpg (or .png) and NNN-kind.json.
"""

import argparse
import json
import random
import subprocess
import tempfile
from pathlib import Path

import cv2
from PIL import Image

import damage
from papers import draw_paper
from papers.parts import add_on_top, seal
from people import FORGERIES, forge, lies, random_person

SETS = ["clean", "office", "bad", "photo"]

# The kinds come in this order, over and over.
KINDS = [
    "cccd", "can-cuoc", "cmnd", "cccd", "passport", "can-cuoc", "cccd-2016", "cccd", "khai-sinh", "can-cuoc", "cmnd",
    "ct07",
]
PAGE_KINDS = ("khai-sinh", "ct07")
# Cards that bear a QR symbol, for forged ones.
CODED_KINDS = ["cccd", "cccd", "can-cuoc"]

CSS_PIXELS_PER_MM = 96 / 25.4
CSS_DPI = 96

HEAD = """<meta charset=utf-8>
<style>
* { margin: 0; padding: 0; box-sizing: border-box }
body { background: transparent }
.l i { font-size: .95em }
</style>
<script>
// Shrinks the font of each .fit element until its text fits.
window.addEventListener('load', () => {
  for (const element of document.querySelectorAll('.fit')) {
    const style = getComputedStyle(element);
    const size = parseFloat(style.fontSize);
    const maxHeight = parseFloat(style.maxHeight) || 1e9;
    const spans = [...element.querySelectorAll('span')].filter(span => span.style.fontSize);
    const spanSizes = spans.map(span => parseFloat(getComputedStyle(span).fontSize));
    const overflows = () =>
      element.scrollWidth > element.clientWidth + 1 || element.scrollHeight > maxHeight + 1;
    let factor = 1;
    while (factor > .55 && overflows()) {
      factor -= .03;
      element.style.fontSize = size * factor + 'px';
      spans.forEach((span, i) => span.style.fontSize = spanSizes[i] * factor + 'px');
    }
  }
});
</script>
"""


def render(sides, work_dir):
    """Draws the sides with chromium: their pictures (BGRA, transparent outside) and the dots per inch."""
    dpi = 300 if sides[0].width > 200 else 600
    scale = dpi / CSS_DPI
    heights = [int(side.height * CSS_PIXELS_PER_MM) + 3 for side in sides]
    width = int(max(side.width for side in sides) * CSS_PIXELS_PER_MM) + 2
    html = HEAD
    for side, height in zip(sides, heights):
        html += f'<div style="height:{height}px;overflow:hidden">{side.html}</div>'
    source = work_dir / "page.html"
    source.write_text(html, encoding="utf-8")
    target = work_dir / "page.png"
    target.unlink(missing_ok=True)
    command = [
        "chromium",
        "--headless",
        # As root, in a container, chromium does not start with its sandbox.
        "--no-sandbox",
        "--disable-gpu",
        "--hide-scrollbars",
        f"--force-device-scale-factor={scale}",
        f"--window-size={max(width, 500)},{sum(heights) + 120}",
        "--default-background-color=00000000",
        f"--user-data-dir={work_dir / 'profile'}",
        f"--screenshot={target}",
        source.as_uri(),
    ]
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=90, check=True)
    screenshot = cv2.imread(str(target), cv2.IMREAD_UNCHANGED)
    pictures = []
    top = 0
    for side, height in zip(sides, heights):
        first_row = int(top * scale)
        rows = int(side.height * CSS_PIXELS_PER_MM * scale)
        columns = int(side.width * CSS_PIXELS_PER_MM * scale)
        pictures.append(screenshot[first_row : first_row + rows, :columns].copy())
        top += height
    return pictures, dpi


def add_stray_seal(rng, sides, person):
    """Puts the seal of a certified copy somewhere on one of the sides, in the list itself."""
    index = rng.randrange(len(sides))
    side = sides[index]
    diameter = rng.uniform(22, 33)
    x = rng.uniform(0.25, 0.75) * side.width - diameter / 2
    y = rng.uniform(0.3, 0.7) * side.height - diameter / 2
    rim = f"UBND PHƯỜNG {person.residence_area.ward.upper()}"
    stamp = seal(rng, x, y, diameter, rim, "CHỨNG THỰC", rng.uniform(0.45, 0.75))
    sides[index] = add_on_top(side, stamp)


def choose_sides(rng, set_name, kind, count):
    """Which of the sides of the paper the page shows, and whether a scan is cut to the one side it shows."""
    if count == 1:
        return [0], kind == "passport" and rng.random() < 0.5
    choice = rng.random()
    if set_name == "photo":
        shown = [rng.choice([0, 0, 1])] if rng.random() < 0.8 else [0, 1]
    elif choice < 0.6:
        shown = [0, 1]
    elif choice < 0.82:
        shown = [0]
    else:
        shown = [1]
    return shown, len(shown) == 1 and rng.random() < 0.7


def codes_to_ruin(rng, kind, side):
    """The codes, or parts of them, that are made unreadable where a page shall have no intact code."""
    if kind != "passport":
        return [code for code in side.codes if code.kind == "qr"]
    # Part of the zone is enough: its check digits no longer hold.
    codes = []
    for code in side.codes:
        x = code.x + rng.uniform(0, 60)
        codes.append(code._replace(x=x, width=rng.uniform(25, 50)))
    return codes


def true_values(sides, intact_codes):
    """The values a reader can find on these sides; what is printed goes before what a code says."""
    values = {}
    for source in [*sides, *intact_codes]:
        for name, value in source.fields.items():
            values.setdefault(name, value)
    return values


def scan(rng, kind, pictures, drawn_dpi, dpi, skew, white, crop):
    """Puts the sides on the scanner; skew is the most degrees askew, white the grey level of empty glass."""
    pictures = [damage.resize(picture, dpi / drawn_dpi) for picture in pictures]
    if kind in PAGE_KINDS:
        return damage.scan_whole_page(rng, pictures[0], skew, white)
    if crop:
        return damage.scan_cropped(rng, pictures[0], dpi, skew, white)
    return damage.scan_on_a4(rng, pictures, dpi, skew, white)


def clean_page(rng, kind, pictures, drawn_dpi, crop):
    """A good scan: (page, its dots per inch, degrees to turn it by, JPEG quality or None for a PNG of two levels)."""
    page = scan(rng, kind, pictures, drawn_dpi, 300, 0.4, rng.randint(246, 255), crop)
    page = damage.add_noise(rng, page, 1.5)
    return page, 300, 0, 92


def office_page(rng, kind, pictures, drawn_dpi, crop):
    """A scan as offices make them, some of a grey copy, some turned; returns what clean_page returns."""
    page = scan(rng, kind, pictures, drawn_dpi, 300, 5, rng.randint(236, 254), crop)
    page = damage.blur(page, rng.uniform(0.45, 0.85))
    page = damage.add_noise(rng, page, rng.uniform(1.5, 3.5))
    if rng.random() < 0.25:
        page = damage.photocopy(rng, page)
    rotation = rng.choice([0, 0, 0, 0, 0, 90, 180, 270])
    return page, 300, rotation, rng.randint(60, 85)


def bad_page(rng, kind, pictures, drawn_dpi, crop):
    """A poor scan of a worn paper, some of 200 dpi or of two levels; returns what clean_page returns."""
    for picture in pictures:
        damage.wear_out(rng, picture, drawn_dpi)
    dpi = 200 if rng.random() < 0.3 else 300
    page = scan(rng, kind, pictures, drawn_dpi, dpi, 10, rng.randint(225, 252), crop)
    page = damage.blur(page, rng.uniform(0.5, 0.95) * dpi / 300)
    page = damage.add_noise(rng, page, rng.uniform(3, 7))
    rotation = rng.choice([0, 0, 0, 0, 90, 180, 270])
    quality = rng.randint(55, 80)
    copy = rng.random()
    if copy < 0.2:
        return damage.to_black_and_white(rng, page), dpi, rotation, None
    if copy < 0.4:
        page = damage.photocopy(rng, page)
    return page, dpi, rotation, quality


def photo_page(rng, kind, pictures):
    """A photograph, which has no dots per inch; else returns what clean_page returns."""
    picture = damage.put_together(rng, pictures) if len(pictures) == 2 else pictures[0]
    page = damage.photograph(rng, picture, upright=kind in PAGE_KINDS)
    quality = rng.randint(78, 92)
    return page, None, rng.choice([*[0] * 7, 90, 180, 270]), quality


def save_page(page, dpi, quality, path):
    """Writes the page to the path with .jpg or, without a JPEG quality, .png added."""
    options = {"dpi": (dpi, dpi)} if dpi else {}
    if page.ndim == 3:
        page = cv2.cvtColor(page, cv2.COLOR_BGR2RGB)
    image = Image.fromarray(page)
    if quality is None:
        image.convert("1").save(f"{path}.png", **options)
    else:
        image.save(f"{path}.jpg", quality=quality, **options)


def choose_forged_sides(rng, kind):
    """Both sides, or, of the card whose symbol is in front, often the front alone."""
    return [0] if kind == "cccd" and rng.random() < 0.5 else [0, 1]


def draw_page(set_name, index, seed, out_dir, work_dir, forged=False):
    """Draws page number index (from 0) of a set and writes picture and truth to out_dir."""
    rng = random.Random(f"{set_name}-{seed}-{index}")
    kinds = CODED_KINDS if forged else KINDS
    kind = kinds[index % len(kinds)]
    person = random_person(rng, kind)
    if forged:
        person.coded = forge(rng, person, FORGERIES[index % len(FORGERIES)])
    sides = draw_paper(rng, kind, person)
    bad = set_name == "bad"
    if bad and rng.random() < 0.35:
        add_stray_seal(rng, sides, person)
    pictures, drawn_dpi = render(sides, work_dir)

    shown, crop = choose_sides(rng, set_name, kind, len(sides))
    if forged:
        shown, crop = choose_forged_sides(rng, kind), False
    has_codes = any(sides[i].codes for i in shown) and not forged
    ruin = bad and has_codes and rng.random() < 0.5
    intact = []
    ruined = []
    for i in shown:
        gone = codes_to_ruin(rng, kind, sides[i]) if ruin else []
        for code in gone:
            damage.ruin_code(rng, pictures[i], code, drawn_dpi)
        ruined += gone
        gone_kinds = [code.kind for code in gone]
        intact += [code for code in sides[i].codes if code.kind not in gone_kinds]

    pictures = [pictures[i] for i in shown]
    if set_name == "photo":
        page, dpi, rotation, quality = photo_page(rng, kind, pictures)
    else:
        make_page = {"clean": clean_page, "office": office_page, "bad": bad_page}[set_name]
        page, dpi, rotation, quality = make_page(rng, kind, pictures, drawn_dpi, crop)
    path = out_dir / f"{index + 1:03d}-{kind}"
    save_page(damage.turn(page, rotation), dpi, quality, path)
    said = [code for code in intact if not forged or code.kind != "qr"]
    truth = {
        "type": kind,
        "fields": true_values([sides[i] for i in shown], said),
        "rotation": rotation,
        "code_intact": bool(intact) and not ruined,
    }
    if forged:
        truth["lies"] = [name for name in lies(person) if name in truth["fields"]]
    path.with_suffix(".json").write_text(json.dumps(truth, ensure_ascii=False, indent=1), encoding="utf-8")


def main():
    """Reads the command line and draws the pages."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--set", required=True, choices=SETS, help="how the pages are damaged")
    parser.add_argument("--count", type=int, default=40, help="number of pages (default 40)")
    parser.add_argument("--seed", type=int, default=1, help="the same seed draws the same pages (default 1)")
    parser.add_argument("--out", required=True, type=Path, help="directory for the pages, made if missing")
    parser.add_argument("--forged", action="store_true", help="draw cards with a forged QR symbol only")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as work_dir:
        for index in range(options.count):
            draw_page(options.set, index, options.seed, options.out, Path(work_dir), options.forged)


if __name__ == "__main__":
    main()
