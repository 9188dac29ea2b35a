# -*- coding: utf-8 -*-
"""Canvas in millimetres, fonts, and the graphic furniture of the papers."""
import math, functools
import numpy as np, cv2, qrcode
from PIL import Image, ImageDraw, ImageFont, ImageChops, ImageFilter

T = "/usr/share/fonts/truetype/"
O = "/usr/share/fonts/opentype/"
X = "/usr/share/texmf/fonts/opentype/public/tex-gyre/"
SANS = [
    (T + a, T + b)
    for a, b in [
        ("croscore/Arimo-Regular.ttf", "croscore/Arimo-Bold.ttf"),
        ("roboto/unhinted/RobotoTTF/Roboto-Regular.ttf", "roboto/unhinted/RobotoTTF/Roboto-Bold.ttf"),
        ("dejavu/DejaVuSansCondensed.ttf", "dejavu/DejaVuSansCondensed-Bold.ttf"),
        ("noto/NotoSans-Regular.ttf", "noto/NotoSans-Bold.ttf"),
        ("open-sans/OpenSans-Regular.ttf", "open-sans/OpenSans-Semibold.ttf"),
        ("freefont/FreeSans.ttf", "freefont/FreeSansBold.ttf"),
        ("crosextra/Carlito-Regular.ttf", "crosextra/Carlito-Bold.ttf"),
        ("lato/Lato-Medium.ttf", "lato/Lato-Bold.ttf"),
    ]
]
SANS += [(X + "texgyreheros-regular.otf", X + "texgyreheros-bold.otf")]
SERIF = [
    (T + a, T + b)
    for a, b in [
        ("croscore/Tinos-Regular.ttf", "croscore/Tinos-Bold.ttf"),
        ("croscore/Tinos-Regular.ttf", "croscore/Tinos-Bold.ttf"),
        ("noto/NotoSerif-Regular.ttf", "noto/NotoSerif-Bold.ttf"),
        ("gentiumplus/GentiumBookPlus-Regular.ttf", "gentiumplus/GentiumBookPlus-Bold.ttf"),
        ("charis/CharisSIL-Regular.ttf", "charis/CharisSIL-Bold.ttf"),
        ("dejavu/DejaVuSerifCondensed.ttf", "dejavu/DejaVuSerifCondensed-Bold.ttf"),
    ]
]
SERIF += [(X + "texgyretermes-regular.otf", X + "texgyretermes-bold.otf")]
MONO = [
    (T + a, T + b)
    for a, b in [
        ("croscore/Cousine-Regular.ttf", "croscore/Cousine-Bold.ttf"),
        ("noto/NotoSansMono-Regular.ttf", "noto/NotoSansMono-Bold.ttf"),
    ]
]
MONO += [(X + "texgyrecursor-bold.otf", X + "texgyrecursor-bold.otf")]
ITALIC = {
    T + "croscore/Tinos-Regular.ttf": T + "croscore/Tinos-Italic.ttf",
    T + "croscore/Arimo-Regular.ttf": T + "croscore/Arimo-Italic.ttf",
    T + "noto/NotoSerif-Regular.ttf": T + "noto/NotoSerif-Italic.ttf",
    T + "freefont/FreeSerif.ttf": T + "freefont/FreeSerifItalic.ttf",
}
OCRB = O + "ocr-b/OCRB.otf"


@functools.lru_cache(4000)
def font(path, px):
    return ImageFont.truetype(path, px, layout_engine=ImageFont.Layout.BASIC)


class Clash(Exception):
    pass


class Canvas:
    def __init__(s, w, h, S, bg=(255, 255, 255)):
        s.w, s.h, s.S = w, h, S
        s.im = Image.new("RGB", (round(w * S), round(h * S)), bg)
        s.d = ImageDraw.Draw(s.im)
        s.boxes = []

    def put(s, arr):
        s.im = arr if isinstance(arr, Image.Image) else Image.fromarray(arr)
        s.d = ImageDraw.Draw(s.im)

    def px(s, pt):
        return max(4, round(pt * 0.35278 * s.S))

    def width(s, t, f, pt, track=0.0):
        return font(f, s.px(pt)).getlength(t) / s.S + track * max(0, len(t) - 1)

    def claim(s, x0, y0, x1, y1, what="", loose=0.2):
        """A region no other text may enter; all in mm."""
        if x0 < 0.6 or y0 < 0.4 or x1 > s.w - 0.6 or y1 > s.h - 0.4:
            raise Clash("off the paper: " + what)
        for a, b, c, d, o in s.boxes:
            if min(x1, c) - max(x0, a) > loose and min(y1, d) - max(y0, b) > loose:
                raise Clash("%s over %s" % (what, o))
        s.boxes.append((x0, y0, x1, y1, what))

    def text(s, x, y, t, f, pt, col=(20, 20, 20), a="l", track=0.0, claim=True, jit=None):
        """Baseline at y. a is l, m or r. Returns the x at the end."""
        fo = font(f, s.px(pt))
        w = s.width(t, f, pt, track)
        if a == "m":
            x -= w / 2
        if a == "r":
            x -= w
        if claim:
            if t.strip():
                b = fo.getbbox(t, anchor="ls")
                s.claim(x, y + b[1] / s.S, x + w, y + b[3] / s.S, t)
        if track == 0 and jit is None:
            s.d.text((x * s.S, y * s.S), t, font=fo, fill=col, anchor="ls")
        else:
            cx = x
            for ch in t:
                dy = jit.U(-0.05, 0.07) if jit else 0
                s.d.text((cx * s.S, (y + dy) * s.S), ch, font=fo, fill=col, anchor="ls")
                cx += fo.getlength(ch) / s.S + track
        return x + w

    def fit(s, t, f, pt, maxw, track=0.0, low=0.62):
        while s.width(t, f, pt, track) > maxw:
            pt *= 0.97
            if pt < low * 100 and pt < 2.6:
                raise Clash("too long: " + t)
        return pt

    def wrap(s, t, f, pt, w1, w2):
        """Greedy lines: the first of width w1, the rest w2."""
        lines, cur, w = [], "", w1
        for word in t.split(" "):
            n = (cur + " " + word).strip()
            if s.width(n, f, pt) <= w:
                cur = n
                continue
            lines.append(cur)
            cur, w = word, w2
            if s.width(word, f, pt) > w:
                raise Clash("word too long")
        lines.append(cur)
        return lines

    def wrapfit(s, t, f, pt, w1, w2, n, low=0.78):
        p = pt
        while p >= pt * low:
            l = s.wrap(t, f, p, w1, w2)
            if len(l) <= n:
                return l, p
            p *= 0.97
        raise Clash("does not fit: " + t)

    def paste(s, img, x, y, w=None, h=None, alpha=None, mul=False, claim=None):
        """img (RGB or RGBA) with its upper left corner at x, y mm, w x h mm."""
        if w:
            img = img.resize((round(w * s.S), round((h or w * img.height / img.width) * s.S)), Image.LANCZOS)
        if claim:
            s.claim(x, y, x + img.width / s.S, y + img.height / s.S, claim)
        at = (round(x * s.S), round(y * s.S))
        if mul:
            box = (
                max(0, at[0]),
                max(0, at[1]),
                min(s.im.width, at[0] + img.width),
                min(s.im.height, at[1] + img.height),
            )
            if box[2] <= box[0] or box[3] <= box[1]:
                return
            crop = img.crop((box[0] - at[0], box[1] - at[1], box[2] - at[0], box[3] - at[1]))
            base = s.im.crop(box)
            if crop.mode == "RGBA":
                white = Image.new("RGB", crop.size, (255, 255, 255))
                white.paste(crop.convert("RGB"), mask=crop.split()[3])
                crop = white
            s.im.paste(ImageChops.multiply(base, crop), box)
        elif img.mode == "RGBA":
            s.im.paste(img.convert("RGB"), at, img.split()[3])
        else:
            s.im.paste(img, at)


def lerp(a, b, t):
    return tuple(a[i] + (b[i] - a[i]) * t for i in range(3))


def ground(r, w, h, S, cols, lines, strength=1.0):
    """Coloured ground with fine wavy lines, an array."""
    W, H = round(w * S), round(h * S)
    yy, xx = np.mgrid[0:24, 0:36].astype(np.float32)
    xx /= 35
    yy /= 23
    t = 0.5 + 0.5 * np.sin(xx * r.U(1.5, 4.5) + yy * r.U(-2.5, 2.5) + r.U(0, 6))
    u = 0.5 + 0.5 * np.sin(yy * r.U(1.5, 4) + r.U(0, 6) + xx * r.U(-1, 1))
    c = [np.array(k, np.float32) for k in cols]
    g = c[0] * (1 - t)[..., None] + c[1] * t[..., None]
    g = g * (1 - 0.45 * u)[..., None] + c[2] * (0.45 * u)[..., None]
    im = cv2.resize(g, (W, H), interpolation=cv2.INTER_CUBIC).clip(0, 255).astype(np.uint8)
    lay = im.copy()
    xs = np.linspace(0, W, max(60, W // 14))
    for fam in range(r.I(2, 3)):
        col = tuple(int(v) for v in r.pick(lines))
        A, A2 = r.U(0.6, 4) * S, r.U(0.2, 1.6) * S
        L, L2 = r.U(12, 45) * S, r.U(6, 20) * S
        ph, dp, sp = r.U(0, 6), r.U(0.05, 0.5), r.U(0.6, 1.5) * S
        th = max(1, round(r.U(0.06, 0.11) * S))
        vertical = r.P(0.35)
        n = int((W if vertical else H) / sp) + 8
        for k in range(-4, n):
            v = k * sp + A * np.sin(2 * np.pi * xs / L + ph + k * dp) + A2 * np.sin(2 * np.pi * xs / L2 + k * dp * 0.7)
            p = np.stack([v, xs] if vertical else [xs, v], 1)
            cv2.polylines(lay, [(p * 8).astype(np.int32)], False, col, th, cv2.LINE_AA, 3)
    for _ in range(r.I(1, 3)):  # rosettes
        cx, cy, R = r.U(0.1, 0.9) * W, r.U(0.1, 0.9) * H, r.U(6, 17) * S * (w / 85.6 if w < 150 else 1.7)
        m, a, n = r.I(5, 14), r.U(0.1, 0.35), r.I(10, 22)
        th = np.linspace(0, 2 * np.pi, 500)
        col = tuple(int(v) for v in r.pick(lines))
        for k in range(n):
            rr = R * (k + 3) / n * (1 + a * np.sin(m * th + k * 0.22))
            p = np.stack([cx + rr * np.cos(th), cy + rr * np.sin(th)], 1)
            cv2.polylines(lay, [(p * 8).astype(np.int32)], True, col, max(1, round(0.07 * S)), cv2.LINE_AA, 3)
    return cv2.addWeighted(lay, strength, im, 1 - strength, 0)


def face(r, w, h, mono=False, bg=None):
    """A drawn head and shoulders."""
    K = 12
    W, H = int(w * K), int(h * K)
    bg = bg or r.pick([(236, 240, 244), (250, 250, 250), (120, 160, 205), (225, 232, 240)])
    im = Image.new("RGB", (W, H), bg)
    d = ImageDraw.Draw(im)
    skin = lerp((238, 205, 178), (186, 138, 104), r.U(0, 1))
    hair = lerp((20, 18, 18), (70, 60, 55), r.U(0, 1))
    cx, cy, rx, ry = W * r.U(0.48, 0.52), H * r.U(0.42, 0.47), W * r.U(0.2, 0.25), H * r.U(0.2, 0.24)
    I = lambda c: tuple(int(v) for v in c)
    shirt = r.pick([(245, 245, 245), (40, 50, 80), (120, 40, 50), (200, 210, 225), (60, 60, 60)])
    if r.P(0.5):
        d.ellipse([cx - rx * 1.35, cy - ry * 1.3, cx + rx * 1.35, cy + ry * r.U(1.2, 2.4)], fill=I(hair))
    d.rectangle([cx - rx * 0.5, cy + ry * 0.5, cx + rx * 0.5, H], fill=I(lerp(skin, (0, 0, 0), 0.12)))
    d.ellipse([cx - W * 0.46, cy + ry * 1.35, cx + W * 0.46, H * 1.5], fill=shirt)
    d.polygon(
        [(cx - rx * 0.5, cy + ry * 1.38), (cx, cy + ry * 2), (cx + rx * 0.5, cy + ry * 1.38)],
        fill=I(lerp(skin, (0, 0, 0), 0.1)),
    )
    d.ellipse([cx - rx * 1.1, cy - ry * 1.25, cx + rx * 1.1, cy + ry * 0.6], fill=I(hair))
    d.ellipse([cx - rx, cy - ry * 0.95, cx + rx, cy + ry * 1.08], fill=I(skin))
    d.pieslice([cx - rx * 1.04, cy - ry * 1.2, cx + rx * 1.04, cy + ry * 0.3], 185, 355, fill=I(hair))
    for sx in (-1, 1):
        ex = cx + sx * rx * 0.42
        d.ellipse([ex - rx * 0.16, cy - ry * 0.06, ex + rx * 0.16, cy + ry * 0.07], fill=(245, 240, 238))
        d.ellipse([ex - rx * 0.08, cy - ry * 0.06, ex + rx * 0.08, cy + ry * 0.07], fill=(30, 22, 20))
        d.arc(
            [ex - rx * 0.26, cy - ry * 0.3, ex + rx * 0.26, cy + ry * 0.1],
            200,
            340,
            fill=I(hair),
            width=max(2, W // 60),
        )
    d.arc(
        [cx - rx * 0.18, cy + ry * 0.1, cx + rx * 0.18, cy + ry * 0.38],
        20,
        160,
        fill=I(lerp(skin, (60, 20, 10), 0.45)),
        width=max(1, W // 90),
    )
    d.ellipse([cx - rx * 0.3, cy + ry * 0.55, cx + rx * 0.3, cy + ry * 0.68], fill=I(lerp(skin, (150, 40, 50), 0.5)))
    a = np.asarray(im.filter(ImageFilter.GaussianBlur(W / 110))).astype(np.float32)
    yy, xx = np.mgrid[0:H, 0:W]
    a *= (1.08 - 0.22 * ((xx / W - r.U(0.3, 0.6)) ** 2 + (yy / H - 0.4) ** 2) * 2)[..., None]
    a += r.g.normal(0, 4, a.shape[:2])[..., None]
    a = a.clip(0, 255).astype(np.uint8)
    if mono:
        g = a.mean(2)
        t = np.array(r.pick([(1, 1, 1), (1, 0.98, 0.93)]))
        a = (g[..., None] * t).clip(0, 255).astype(np.uint8)
    return Image.fromarray(a)


def finger(r, w, h, col):
    K = 16
    W, H = int(w * K), int(h * K)
    yy, xx = np.mgrid[0:H, 0:W].astype(np.float32)
    x, y = (xx - W * r.U(0.4, 0.6)) / K, (yy - H * r.U(0.4, 0.6)) / K
    warp = 0.8 * np.sin(x * r.U(0.3, 0.7) + r.U(0, 6)) + 0.8 * np.sin(y * r.U(0.3, 0.6) + r.U(0, 6))
    f = np.sin(np.sqrt((x * 1.25) ** 2 + (y * 0.85 + 0.05 * x * x) ** 2) * 2 * np.pi / r.U(0.48, 0.62) + warp * 2)
    n = cv2.GaussianBlur(r.g.normal(0, 1, (H, W)).astype(np.float32), (0, 0), 5) * 5
    m = (((xx / W - 0.5) / 0.47) ** 2 + ((yy / H - 0.5) / 0.48) ** 2 < 1 + 0.1 * np.sin(np.arctan2(y, x) * 3)) * (
        n > -1.1
    )
    a = (
        (cv2.GaussianBlur(((f + 0.3 * n) > 0).astype(np.float32), (0, 0), 0.9) * m * r.U(0.6, 0.95) * 255)
        .clip(0, 255)
        .astype(np.uint8)
    )
    im = Image.new("RGBA", (W, H), col + (0,))
    im.putalpha(Image.fromarray(a))
    return im


def emblem(r, d, mono=None):
    K = 30
    n = int(d * K)
    im = Image.new("RGBA", (n, n), (0, 0, 0, 0))
    D = ImageDraw.Draw(im)
    red, gold = mono or (205, 30, 35), mono or (235, 190, 50)
    D.ellipse(
        [1, 1, n - 2, n - 2],
        fill=(gold if not mono else (255, 255, 255)) + (255,),
        outline=red + (255,),
        width=max(1, n // 40),
    )
    for k in range(40):
        a = k / 40 * 2 * math.pi
        D.line(
            [
                n / 2 + 0.4 * n * math.cos(a),
                n / 2 + 0.4 * n * math.sin(a),
                n / 2 + 0.48 * n * math.cos(a + 0.1),
                n / 2 + 0.48 * n * math.sin(a + 0.1),
            ],
            fill=red + (255,),
            width=max(1, n // 60),
        )
    D.ellipse(
        [n * 0.13, n * 0.1, n * 0.87, n * 0.84],
        fill=(red if not mono else (255, 255, 255)) + (255,),
        outline=red + (255,),
        width=max(1, n // 50),
    )
    D.polygon(star(n / 2, n * 0.38, n * 0.2), fill=gold + (255,))
    D.ellipse([n * 0.4, n * 0.62, n * 0.6, n * 0.82], outline=gold + (255,), width=max(2, n // 26))
    D.rectangle([n * 0.2, n * 0.82, n * 0.8, n * 0.93], fill=red + (255,))
    return im


def star(cx, cy, R, rot=-90):
    return [
        (
            cx + (R if k % 2 == 0 else R * 0.382) * math.cos(math.radians(rot + 36 * k)),
            cy + (R if k % 2 == 0 else R * 0.382) * math.sin(math.radians(rot + 36 * k)),
        )
        for k in range(10)
    ]


def chip(r, w, h):
    K = 30
    im = Image.new("RGBA", (int(w * K), int(h * K)), (0, 0, 0, 0))
    d = ImageDraw.Draw(im)
    W, H = im.size
    g = r.pick([(214, 186, 110), (200, 200, 196), (222, 196, 130)])
    l = tuple(int(v * 0.62) for v in g)
    d.rounded_rectangle([0, 0, W - 1, H - 1], K, fill=g + (255,), outline=l + (255,), width=3)
    for k in (1, 2, 3):
        d.line([0, H * k / 4, W * 0.34, H * k / 4], fill=l, width=3)
        d.line([W * 0.66, H * k / 4, W, H * k / 4], fill=l, width=3)
    d.rounded_rectangle([W * 0.34, H * 0.2, W * 0.66, H * 0.8], K // 2, outline=l + (255,), width=3)
    d.line([W / 2, 0, W / 2, H * 0.2], fill=l, width=3)
    d.line([W / 2, H * 0.8, W / 2, H], fill=l, width=3)
    return im


def stamp(r, d, around, col=None, f=None, gaps=True, centre=None, K=20):
    """A round seal; text along the upper and the lower arc."""
    col = col or r.pick([(205, 30, 50), (190, 25, 40), (215, 50, 60)])
    n = int(d * K)
    im = Image.new("RGBA", (n, n), col + (0,))
    D = ImageDraw.Draw(im)
    D.ellipse([2, 2, n - 3, n - 3], outline=col + (255,), width=max(2, n // 45))
    D.ellipse([n * 0.035, n * 0.035, n * 0.965, n * 0.965], outline=col + (255,), width=max(1, n // 120))
    D.ellipse([n * 0.27, n * 0.27, n * 0.73, n * 0.73], outline=col + (255,), width=max(1, n // 90))
    if centre:
        fo = font(f, int(n * 0.085))
        for i, line in enumerate(centre):
            D.text(
                (n / 2, n * (0.5 + 0.1 * (i - (len(centre) - 1) / 2))), line, font=fo, fill=col + (255,), anchor="mm"
            )
    else:
        D.polygon(star(n / 2, n / 2, n * 0.17), fill=col + (255,))
    for t, top in zip(around, (True, False)):
        size = int(n * 0.105)
        fo = font(f, size)
        R = n * 0.385
        ws = [fo.getlength(c) + n * 0.006 for c in t]
        total = sum(ws) / R
        if total > math.pi * (1.25 if top else 0.6):
            k = math.pi * (1.25 if top else 0.6) / total
            fo = font(f, max(5, int(size * k)))
            ws = [fo.getlength(c) + n * 0.004 for c in t]
            total = sum(ws) / R
        a = -math.pi / 2 - total / 2 if top else math.pi / 2 + total / 2
        for c, w in zip(t, ws):
            da = w / R
            m = a + (da / 2 if top else -da / 2)
            a += da if top else -da
            g = Image.new("RGBA", (size * 2, size * 2), col + (0,))
            ImageDraw.Draw(g).text((size, size), c, font=fo, fill=col + (255,), anchor="mm")
            g = g.rotate(-math.degrees(m) - 90 if top else -math.degrees(m) + 90, Image.BICUBIC)
            im.alpha_composite(g, (int(n / 2 + R * math.cos(m)) - size, int(n / 2 + R * math.sin(m)) - size))
    a = np.asarray(im.split()[3]).astype(np.float32)
    if gaps:
        z = cv2.resize(
            r.g.random((max(4, n // 6), max(4, n // 6))).astype(np.float32), (n, n), interpolation=cv2.INTER_CUBIC
        )
        a *= np.clip(0.55 + 0.8 * z, 0, 1)
    im.putalpha(Image.fromarray((a * r.U(0.65, 0.92)).clip(0, 255).astype(np.uint8)))
    return im.rotate(r.U(-14, 14), Image.BICUBIC)


def signature(r, w, h, col=None, K=20):
    col = col or r.pick([(25, 40, 140), (20, 20, 30), (40, 60, 170)])
    W, H = int(w * K), int(h * K)
    m = np.zeros((H, W), np.uint8)
    n = r.I(7, 12)
    xs = np.sort(r.g.uniform(0.06, 0.94, n)) + r.g.uniform(-0.06, 0.06, n)
    ys = r.g.uniform(0.12, 0.88, n)
    P = np.stack([xs * W, ys * H], 1)
    pts = []
    for i in range(n - 1):
        p0, p1, p2, p3 = P[max(0, i - 1)], P[i], P[i + 1], P[min(n - 1, i + 2)]
        for t in np.linspace(0, 1, 18):
            pts.append(
                0.5
                * (
                    (2 * p1)
                    + (p2 - p0) * t
                    + (2 * p0 - 5 * p1 + 4 * p2 - p3) * t * t
                    + (3 * p1 - p0 - 3 * p2 + p3) * t**3
                )
            )
    cv2.polylines(
        m, [(np.array(pts) * 8).astype(np.int32)], False, 255, max(1, round(r.U(0.3, 0.55) * K)), cv2.LINE_AA, 3
    )
    im = Image.new("RGBA", (W, H), col + (0,))
    im.putalpha(Image.fromarray(m))
    return im


def qr(data, err="M"):
    q = qrcode.QRCode(error_correction=getattr(qrcode.constants, "ERROR_CORRECT_" + err), box_size=8, border=0)
    q.add_data(data.encode("utf-8"))
    q.make(fit=True)
    return q.make_image().get_image().convert("RGB")


C128 = "212222 222122 222221 121223 121322 131222 122213 122312 132212 221213 221312 231212 112232 122132 122231 113222 123122 123221 223211 221132 221231 213212 223112 312131 311222 321122 321221 312212 322112 322211 212123 212321 232121 111323 131123 131321 112313 132113 132311 211313 231113 231311 112133 112331 132131 113123 113321 133121 313121 211331 231131 213113 213311 213131 311123 311321 331121 312113 312311 332111 314111 221411 431111 111224 111422 121124 121421 141122 141221 112214 112412 122114 122411 142112 142211 241211 221114 413111 241112 134111 111242 121142 121241 114212 124112 124211 411212 421112 421211 212141 214121 412121 111143 111341 131141 114113 114311 411113 411311 113141 114131 311141 411131 211412 211214 211232 2331112".split()
assert len(C128) == 107 and all(sum(map(int, p)) == 11 for p in C128[:106])


def code128(num):
    v = [105] + [int(num[i : i + 2]) for i in range(0, len(num), 2)]
    v += [(v[0] + sum(i * x for i, x in enumerate(v[1:], 1))) % 103, 106]
    bits = ""
    for x in v:
        for i, w in enumerate(C128[x]):
            bits += ("1" if i % 2 == 0 else "0") * int(w)
    a = np.array([[0 if b == "1" else 255 for b in bits]], np.uint8)
    return Image.fromarray(np.repeat(np.repeat(a, 6, 1), 120, 0)).convert("RGB")


def dotline(c, x0, x1, y, col=(90, 90, 90), r=0.11, step=0.75):
    x = x0
    while x < x1:
        c.d.ellipse([(x - r) * c.S, (y - r) * c.S, (x + r) * c.S, (y + r) * c.S], fill=col)
        x += step


def mrz(c, lines, x, y, pitch, gap, pt, col=(15, 15, 15)):
    fo = font(OCRB, c.px(pt))
    for k, l in enumerate(lines):
        yy = y + k * gap
        c.claim(x, yy - 2.3, x + pitch * len(l), yy + 0.2, "MRZ")
        for i, ch in enumerate(l):
            c.d.text(((x + (i + 0.5) * pitch) * c.S, yy * c.S), ch, font=fo, fill=col, anchor="ms")
