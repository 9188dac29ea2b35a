"""Makes the fonts that `go run ./ocr/lab/lines` draws with.

    python3 ocr/lab/lines/fonts.py DEBIAN FONTSOURCE OUT

DEBIAN is a folder of unpacked font packages (`dpkg -x`), FONTSOURCE a node_modules/@fontsource; fonts.lock names the
packages with versions and hashes. Of each face that has the letters, OUT gets a TrueType font with these alone: web fonts
come in pieces by script, which are laid together, and cubic outlines become quadratic.
Needs Debian's python3-fonttools and python3-brotli.
"""
import multiprocessing
import pathlib
import re
import sys

from fontTools.fontBuilder import FontBuilder
from fontTools.pens.cu2quPen import Cu2QuPen
from fontTools.pens.recordingPen import DecomposingRecordingPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont

VIETNAMESE = "àáảãạăằắẳẵặâầấẩẫậđèéẻẽẹêềếểễệìíỉĩịòóỏõọôồốổỗộơờớởỡợùúủũụưừứửữựỳýỷỹỵ"
SIGNS = ("".join(map(chr, range(32, 127))) + VIETNAMESE + VIETNAMESE.upper() + "°№’“”–")
# Judges and benchmark's fonts and their kin (FreeSans and FreeSerif are Nimbus, as Heros and Termes are; Lato is Carlito;
# Public Sans is Libre Franklin; Droid became Noto and Open Sans): never learned.
HELD = re.compile("Gelasio|Plex|BeVietnam|STIX|Franklin|Public|WorkSans|Literata|Carlito|Lato|FreeS|heros|termes|Noto|OpenSans|Droid|Roboto", re.I)
# Faces of the Debian packages that are worth their room: no thin, black, or second cut of the same design.
KEPT = re.compile(r"""(Andika|Arimo|Tinos|Cousine|Caladea|CharisSIL|Gentium(Book)?Plus|Hack|Liberation(Sans|Serif|Mono)|JetBrainsMono|Vollkorn|DoulosSIL)
    -(Regular|Bold|Italic|BoldItalic)
    |Cabin-(Regular|Bold|Italic)|Cantarell-(Regular|Bold|Light)|Courier[ ]Prime([ ](Bold|Italic|Code))?|DejaVu(Sans|Serif|SansMono|SansCondensed|SerifCondensed)(-Bold)?
    |FreeMono(Bold|Oblique)?|Inter-(Regular|Bold|Medium|Italic)|JunicodeTwoBeta-(Regular|Bold|Italic|Condensed)|Lin(Libertine|Biolinum)_(R|RB|RI)
    |Manrope-(Regular|Bold|Light)|Play-(Regular|Bold)|Tuffy(_Bold)?|cmun(rm|bx|ti|ss|sx|tt|tb|vt|bmr)|lm(roman10-(regular|bold|italic)|roman8-regular|mono10-(regular|italic)
    |monolt10-(regular|bold)|sans10-(regular|bold))|texgyre(adventor|bonum|cursor|pagella|schola)-(regular|bold|italic)""", re.X)
WEB = [("400", "normal"), ("700", "normal"), ("400", "italic"), ("600", "normal"), ("500", "normal")]
PIECES = ("vietnamese", "latin-ext", "latin")


def glyph(font, name):
    """The outline of one glyph without components, in quadratic curves, at 2048 units an em."""
    scale = 2048 / font["head"].unitsPerEm
    glyphs = font.getGlyphSet()
    record = DecomposingRecordingPen(glyphs)
    glyphs[name].draw(record)
    pen = TTGlyphPen(None)
    quad = pen if "glyf" in font else Cu2QuPen(pen, 2.0)
    for op, args in record.value:
        getattr(quad, op)(*[None if a is None else (a[0] * scale, a[1] * scale) for a in args])
    return pen.glyph(), round(font["hmtx"][name][0] * scale)


def build(sources, out):
    """Lays the pieces of one face together. False if it lacks letters."""
    fonts = [TTFont(s) for s in sources]
    maps = [f.getBestCmap() for f in fonts]
    names, chars, glyphs, widths = [".notdef"], {}, {}, {}
    glyphs[".notdef"], widths[".notdef"] = TTGlyphPen(None).glyph(), (1024, 0)
    missing = 0
    for sign in SIGNS:
        for font, cmap in zip(fonts, maps):
            if ord(sign) in cmap:
                name = f"u{ord(sign):04X}"
                names.append(name)
                chars[ord(sign)] = name
                g, width = glyph(font, cmap[ord(sign)])
                glyphs[name], widths[name] = g, (width, 0)
                break
        else:
            missing += sign not in "№’“”–°"
    if missing > 4:
        return False
    b = FontBuilder(2048, isTTF=True)
    b.setupGlyphOrder(names)
    b.setupCharacterMap(chars)
    b.setupGlyf(glyphs)
    table = b.font["glyf"]
    b.setupHorizontalMetrics({n: (w, getattr(table[n], "xMin", 0)) for n, (w, _) in widths.items()})
    b.setupHorizontalHeader(ascent=1900, descent=-500)
    b.setupNameTable({"familyName": out.stem, "styleName": "Regular"})
    b.setupOS2()
    b.setupPost(keepGlyphNames=False)
    b.save(out)
    return True


def faces(debian, web):
    """Name and source files of each face."""
    for p in sorted([*debian.rglob("*.ttf"), *debian.rglob("*.otf")]):
        if KEPT.fullmatch(p.stem) and not HELD.search(p.stem):
            yield p.stem.replace(" ", ""), [p]
    for family in sorted(web.iterdir()):
        if HELD.search(family.name.replace("-", "")):
            continue
        for weight, style in WEB:
            pieces = [family / "files" / f"{family.name}-{s}-{weight}-{style}.woff2" for s in PIECES]
            if pieces[0].exists():
                yield f"{family.name}-{weight}-{style}", [p for p in pieces if p.exists()]


def main():
    debian, web, out = map(pathlib.Path, sys.argv[1:])
    out.mkdir(parents=True, exist_ok=True)
    made = list(faces(debian, web))
    with multiprocessing.Pool(6) as pool:
        whole = pool.starmap(build, [(sources, out / f"{name}.ttf") for name, sources in made], chunksize=4)
    for (name, _), has in zip(made, whole):
        if not has:
            print("left out, lacks letters:", name, file=sys.stderr)


if __name__ == "__main__":
    main()
