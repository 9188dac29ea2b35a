#!/usr/bin/python3
# -*- coding: utf-8 -*-
"""Draws the four sets: gen.py [--seed 11] [--n 40] [--sets clean,office,bad,photo] --out DIR"""
import argparse, json, os, time, math, unicodedata
import numpy as np, cv2
from PIL import Image
import people as pp, papers
from draw import stamp, signature, font, SERIF, SANS

cv2.setNumThreads(1)

MIX = (
    ["cccd"] * 10
    + ["can-cuoc"] * 7
    + ["cccd-2016"] * 5
    + ["cmnd9"] * 4
    + ["cmnd12"] * 2
    + ["passport"] * 4
    + ["khai-sinh"] * 4
    + ["ct07"] * 4
)
SHEETS = ("khai-sinh", "ct07")


# ------------------------------------------------------------------ what happens to a paper itself
def alpha_corner(h, w, S, rad):
    m = np.zeros((h, w), np.uint8)
    R = int(rad * S)
    if R < 1:
        m[:] = 255
        return m
    cv2.rectangle(m, (R, 0), (w - R - 1, h), 255, -1)
    cv2.rectangle(m, (0, R), (w, h - R - 1), 255, -1)
    for x in (R, w - R - 1):
        for y in (R, h - R - 1):
            cv2.circle(m, (x, y), R, 255, -1, cv2.LINE_AA)
    return m


def wear(r, a, S, level):
    """Scratches, rubbed places and dirt on a card; level 0..1."""
    h, w = a.shape[:2]
    f = a.astype(np.float32)
    lay = np.zeros((h, w), np.uint8)
    for _ in range(int(r.U(2, 6 + 22 * level))):
        p = np.array([r.U(0, w), r.U(0, h)])
        an = r.U(0, 6.28)
        L = r.U(3, 30) * S
        pts = [
            p + np.array([math.cos(an + 0.2 * t * t), math.sin(an + 0.2 * t * t)]) * L * t for t in np.linspace(0, 1, 8)
        ]
        cv2.polylines(
            lay, [np.array(pts, np.int32)], False, r.I(70, 215), max(1, round(r.U(0.03, 0.13) * S)), cv2.LINE_AA
        )
    al = (lay.astype(np.float32) / 255 * (0.35 + 0.4 * level))[..., None]
    f = f * (1 - al) + (r.P(0.8) and 242 or 120) * al
    z = cv2.resize(
        cv2.GaussianBlur(r.g.random((40, 60)).astype(np.float32), (0, 0), 2.5), (w, h), interpolation=cv2.INTER_CUBIC
    )
    z = (z - z.min()) / (z.max() - z.min() + 1e-6)
    rub = np.clip((z - 0.62) * 3, 0, 1)[..., None] * (0.1 + 0.24 * level)  # ink rubbed off
    f = f * (1 - rub) + 228 * rub
    dirt = np.clip((0.35 - z) * 2, 0, 1)[..., None] * (0.1 + 0.2 * level)
    f = f * (1 - dirt * np.array([0.6, 0.75, 1.0]))
    return f.clip(0, 255).astype(np.uint8)


def crease(r, a, S, n):
    h, w = a.shape[:2]
    f = a.astype(np.float32)
    yy, xx = np.mgrid[0:h, 0:w].astype(np.float32)
    for _ in range(n):
        hor = r.P(0.6)
        c = (r.pick([1 / 3, 0.5, 2 / 3]) + r.U(-0.02, 0.02)) * (h if hor else w)
        sl = r.U(-0.012, 0.012)
        d = ((yy - c - sl * xx) if hor else (xx - c - sl * yy)) / S
        f *= (1 - r.U(0.05, 0.13) * np.exp(-((d - 0.5) ** 2) / r.U(2, 10)))[..., None]
        z = cv2.resize(
            r.g.random((1, 80) if hor else (80, 1)).astype(np.float32), (w, h), interpolation=cv2.INTER_LINEAR
        )
        k = (np.exp(-((d / r.U(0.12, 0.25)) ** 2)) * np.clip(z * 1.4 - 0.3, 0, 1) * 0.6)[..., None]
        f = f * (1 - k) + 250 * k
    return f.clip(0, 255).astype(np.uint8)


def stain(r, a, S, n, tone=None):
    h, w = a.shape[:2]
    f = a.astype(np.float32)
    for _ in range(n):
        R = r.U(5, 24) * S
        cx, cy = r.U(0, w), r.U(0, h)
        x0, x1, y0, y1 = (
            int(max(0, cx - 1.4 * R)),
            int(min(w, cx + 1.4 * R)),
            int(max(0, cy - 1.4 * R)),
            int(min(h, cy + 1.4 * R)),
        )
        if x1 <= x0 or y1 <= y0:
            continue
        yy, xx = np.mgrid[y0:y1, x0:x1].astype(np.float32)
        th = np.arctan2(yy - cy, xx - cx)
        d = np.hypot(xx - cx, yy - cy) / (R * (1 + 0.1 * np.sin(3 * th + r.U(0, 6)) + 0.05 * np.sin(7 * th)))
        m = 0.09 * (d < 1) + 0.2 * np.exp(-(((d - 1) / 0.05) ** 2))
        m = cv2.GaussianBlur(m.astype(np.float32), (0, 0), max(0.6, 0.15 * S))[..., None]
        f[y0:y1, x0:x1] *= 1 - m * np.array(tone or (0.55, 0.8, 1.2))
    return f.clip(0, 255).astype(np.uint8)


def glare(r, a, n, amount):
    h, w = a.shape[:2]
    f = a.astype(np.float32)
    yy, xx = np.mgrid[0:h, 0:w].astype(np.float32)
    for _ in range(n):
        cx, cy, sx, sy, t = r.U(0, w), r.U(0, h), r.U(0.05, 0.2) * w, r.U(0.03, 0.16) * w, r.U(0, 3.14)
        u, v = (xx - cx) * math.cos(t) + (yy - cy) * math.sin(t), -(xx - cx) * math.sin(t) + (yy - cy) * math.cos(t)
        m = (np.exp(-((u / sx) ** 2) - (v / sy) ** 2) * amount * r.U(0.6, 1))[..., None]
        f = f * (1 - m) + 255 * m
    return f.clip(0, 255).astype(np.uint8)


def crossing(r, c):
    """A red or blue mark of an office, or a signature, over the text of a sheet."""
    k = r.I(0, 2)
    f = r.pick(SERIF)[1]
    if k == 0:
        d = r.U(30, 36)
        c.paste(stamp(r, d, ["ỦY BAN NHÂN DÂN", "CHỨNG THỰC"], f=f, K=12), r.U(20, 150), r.U(70, 200), d, d, mul=True)
    elif k == 1:
        from PIL import ImageDraw

        col = r.pick([(200, 30, 60), (40, 50, 170)])
        im = Image.new("RGBA", (860, 210), col + (0,))
        D = ImageDraw.Draw(im)
        D.rectangle([6, 6, 853, 203], outline=col + (170,), width=7)
        D.text(
            (430, 75),
            r.pick(["SAO Y BẢN CHÍNH", "CHỨNG THỰC BẢN SAO", "ĐÃ THU LỆ PHÍ"]),
            font=font(f, 80),
            fill=col + (180,),
            anchor="mm",
        )
        D.text((430, 155), "Ngày ..... tháng ..... năm 20...", font=font(f, 44), fill=col + (180,), anchor="mm")
        im = im.rotate(r.U(-12, 12), Image.BICUBIC, expand=True)
        c.paste(im, r.U(22, 110), r.U(85, 190), r.U(58, 72), mul=True)
    else:
        w = r.U(40, 60)
        c.paste(
            signature(r, w, 18, col=r.pick([(30, 50, 160), (50, 60, 90)])), r.U(25, 130), r.U(90, 190), w, 18, mul=True
        )


# ------------------------------------------------------------------ the glass
def place(page, art, alpha, S, dpi, cx, cy, deg, shadow):
    """Puts art (S px a mm) on the page with its middle at cx, cy (mm), turned clockwise by deg."""
    k = dpi / 25.4 / S
    h, w = art.shape[:2]
    nw, nh = max(1, round(w * k)), max(1, round(h * k))
    a = cv2.resize(art, (nw, nh), interpolation=cv2.INTER_AREA)
    m = cv2.resize(alpha, (nw, nh), interpolation=cv2.INTER_AREA)
    P = dpi / 25.4
    t = math.radians(deg)
    co, si = math.cos(t), math.sin(t)
    X, Y = cx * P, cy * P
    M = np.array([[co, -si, X - co * nw / 2 + si * nh / 2], [si, co, Y - si * nw / 2 - co * nh / 2]], np.float64)
    R = math.hypot(nw, nh) / 2 + 1.5 * P
    x0, y0, x1, y1 = (
        int(max(0, X - R)),
        int(max(0, Y - R)),
        int(min(page.shape[1], X + R)),
        int(min(page.shape[0], Y + R)),
    )
    M[0, 2] -= x0
    M[1, 2] -= y0
    size = (x1 - x0, y1 - y0)
    wa = cv2.warpAffine(a, M, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    wm = cv2.warpAffine(m, M, size, flags=cv2.INTER_LINEAR)
    reg = page[y0:y1, x0:x1].astype(np.float32)
    if shadow:
        s = (
            cv2.GaussianBlur(np.roll(wm, (int(0.4 * P), int(0.3 * P)), (0, 1)), (0, 0), 0.5 * P).astype(np.float32)[
                ..., None
            ]
            / 255
        )
        reg *= 1 - shadow * s
    mm = wm.astype(np.float32)[..., None] / 255
    page[y0:y1, x0:x1] = (reg * (1 - mm) + wa * mm).clip(0, 255).astype(np.uint8)


def box(w, h, deg):
    t = math.radians(deg)
    return abs(w * math.cos(t)) + abs(h * math.sin(t)), abs(w * math.sin(t)) + abs(h * math.cos(t))


def glass(r, arts, sheet, dpi, turn, skew, lid):
    """Lays the sides on the glass; each art is (image, alpha, S, w mm, h mm)."""
    if sheet:
        a, m, S, w, h = arts[0]
        d = turn + skew()
        land = turn in (90, 270)
        W, H = (297, 210) if land else (210, 297)
        bw, bh = box(w, h, d - turn)
        g = r.U(0, 6) if r.P(0.4) else 0
        over = max(0, max(bw - 210, bh - 297)) * 0.55 + g
        W += over
        H += over
        page = np.full((round(H * dpi / 25.4), round(W * dpi / 25.4), 3), lid, np.uint8)
        place(page, a, m, S, dpi, W / 2 + r.U(-1.2, 1.2), H / 2 + r.U(-1.2, 1.2), d, 0.25)
        return page
    ds = [turn + skew() for _ in arts]
    bs = [box(a[3], a[4], d) for a, d in zip(arts, ds)]
    mode = "glass" if r.P(0.6) else "crop"
    if len(arts) == 1:
        if mode == "glass":
            W, H = (210, 297) if r.P(0.85) else (297, 210)
        else:
            m = r.U(4, 18)
            W, H = bs[0][0] + 2 * m, bs[0][1] + 2 * m
        pos = [(r.U(bs[0][0] / 2 + 1.5, W - bs[0][0] / 2 - 1.5), r.U(bs[0][1] / 2 + 1.5, H - bs[0][1] / 2 - 1.5))]
    else:
        gap = r.U(3, 9)
        stack = r.P(0.75)
        if mode == "crop":
            m = r.U(5, 15)
            if stack:
                W, H = max(b[0] for b in bs) + 2 * m, sum(b[1] for b in bs) + gap + 2 * m
            else:
                W, H = sum(b[0] for b in bs) + gap + 2 * m, max(b[1] for b in bs) + 2 * m
        else:
            W, H = (210, 297)
        for t in range(800):
            pos = [(r.U(b[0] / 2 + 1.5, W - b[0] / 2 - 1.5), r.U(b[1] / 2 + 1.5, H - b[1] / 2 - 1.5)) for b in bs]
            (x, y), (u, v) = pos
            if abs(x - u) > (bs[0][0] + bs[1][0]) / 2 + 2 or abs(y - v) > (bs[0][1] + bs[1][1]) / 2 + 2:
                break
        else:
            if mode == "crop" or True:
                if sum(b[1] for b in bs) + 12 < H:
                    pos = [(W / 2, H / 4 + 1), (W / 2, H * 3 / 4)]
                else:
                    W = sum(b[0] for b in bs) + 14
                    H = max(H, max(b[1] for b in bs) + 8)
                    pos = [(bs[0][0] / 2 + 4, H / 2), (W - bs[1][0] / 2 - 4, H / 2)]
    page = np.full((round(H * dpi / 25.4), round(W * dpi / 25.4), 3), lid, np.uint8)
    for a, d, (x, y) in zip(arts, ds, pos):
        place(page, a[0], a[1], a[2], dpi, x, y, d, 0.35)
    return page


# ------------------------------------------------------------------ the scanner, the copier, the telephone
def noise(r, f, s, col=0.5):
    h, w = f.shape[:2]
    n = np.empty((h, w), np.float32)
    cv2.setRNGSeed(r.I(0, 2**30))
    cv2.randn(n, 0, s)
    if f.ndim == 2:
        return f + n
    f = f + n[..., None]
    if col:
        m = np.empty((h, w, 3), np.float32)
        cv2.randn(m, 0, s * col)
        f += m
    return f


def curve(f, contrast, bright, gamma=1.0):
    f = ((f - 128) * contrast + 128 + bright).clip(0, 255)
    return f if gamma == 1 else 255 * (f / 255) ** gamma


def streaks(r, f, n, dark):
    h, w = f.shape[:2]
    for _ in range(n):
        x = r.I(0, w - 4)
        k = r.I(1, 3)
        f[:, x : x + k] = f[:, x : x + k] * (1 - dark) + (40 if r.P(0.6) else 250) * dark
    return f


def specks(r, f, n, dpi):
    h, w = f.shape[:2]
    for _ in range(n):
        cv2.circle(
            f,
            (r.I(0, w), r.I(0, h)),
            max(1, round(r.U(0.03, 0.16) * dpi / 25.4)),
            (r.U(20, 110),) * 3 if f.ndim == 3 else r.U(20, 110),
            -1,
        )
    return f


def desk(r, w, h):
    k = r.I(0, 4)
    yy, xx = np.mgrid[0:h, 0:w].astype(np.float32)
    base = np.array(
        r.pick(
            [
                (150, 108, 70),
                (96, 62, 40),
                (188, 150, 110),
                (70, 72, 78),
                (200, 200, 196),
                (120, 126, 130),
                (58, 84, 96),
            ]
        ),
        np.float32,
    )
    if k <= 1:  # wood
        n = cv2.resize(
            cv2.GaussianBlur(r.g.normal(0, 1, (h // 3 + 2, 14)).astype(np.float32), (0, 0), 1.2),
            (w, h),
            interpolation=cv2.INTER_CUBIC,
        )
        g = np.sin(yy / r.U(9, 26) * 1200 / h + n * 5) * 9 + n * 12
    elif k == 2:  # stone
        n = cv2.resize(r.g.normal(0, 1, (h // 4 + 1, w // 4 + 1)).astype(np.float32), (w, h))
        g = n * 16
    elif k == 3:  # cloth
        g = (np.sin(xx * r.U(0.6, 1.4)) + np.sin(yy * r.U(0.6, 1.4))) * 8
    else:
        g = cv2.resize(r.g.normal(0, 1, (30, 40)).astype(np.float32), (w, h), interpolation=cv2.INTER_CUBIC) * 4
    f = base + g[..., None] * np.array([1, 0.9, 0.8], np.float32)
    if r.P(0.35):  # a sheet of paper peeks out
        p = np.array(
            [
                [r.U(-0.2, 0.2) * w, r.U(-0.2, 0.1) * h],
                [r.U(0.5, 1.2) * w, r.U(-0.2, 0.1) * h],
                [r.U(0.5, 1.2) * w, r.U(0.5, 0.9) * h],
                [r.U(-0.1, 0.3) * w, r.U(0.6, 1) * h],
            ],
            np.int32,
        )
        m = np.zeros((h, w), np.uint8)
        cv2.fillConvexPoly(m, p, 255, cv2.LINE_AA)
        m = m.astype(np.float32)[..., None] / 255
        f = f * (1 - m) + np.array([222, 220, 214]) * m
    if r.P(0.3):  # a pen
        a = np.array([r.U(0, 1) * w, r.pick([0.04, 0.96]) * h])
        b = a + np.array([r.U(-0.3, 0.3) * w, r.U(-0.04, 0.04) * h])
        cv2.line(
            f,
            tuple(int(v) for v in a),
            tuple(int(v) for v in b),
            tuple(float(v) for v in r.g.integers(20, 140, 3)),
            max(4, w // 90),
            cv2.LINE_AA,
        )
    return f


def photograph(r, arts, sheet, turn):
    mp = r.U(5, 12) if sheet else r.U(2, 12) if len(arts) == 1 else r.U(4, 12)
    if len(arts) == 2:  # one below the other on the desk, as one flat picture
        g = r.U(4, 10)
        S = arts[0][2]
        G = round(g * S)
        h1, w1 = arts[0][0].shape[:2]
        h2, w2 = arts[1][0].shape[:2]
        a = np.zeros((h1 + G + h2, max(w1, w2), 3), np.uint8)
        m = np.zeros(a.shape[:2], np.uint8)
        dx = 0
        a[:h1, dx : dx + w1] = arts[0][0]
        m[:h1, dx : dx + w1] = arts[0][1]
        a[h1 + G :, :w2] = arts[1][0]
        m[h1 + G :, :w2] = arts[1][1]
    else:
        a, m, S = arts[0][:3]
    if turn:
        k = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}[turn]
        a, m = cv2.rotate(a, k), cv2.rotate(m, k)
    h, w = a.shape[:2]
    asp = r.pick([4 / 3, 4 / 3, 16 / 9, 1.5])
    asp = asp if (w >= h) == (not r.P(0.15 if not sheet else 0)) else 1 / asp
    W = round(math.sqrt(mp * 1e6 * asp))
    H = round(W / asp)
    fill = r.U(0.62, 0.9) if len(arts) == 1 and not sheet else r.U(0.82, 0.95)
    s = min(W * fill / w, H * fill / h)
    lo = 9.6 if not sheet else 6.9  # at least about 245 or 175 dots an inch
    if s * S < lo:
        s = lo / S
    W, H = max(W, int(w * s * 1.08)), max(H, int(h * s * 1.08))
    cw, ch = w * s, h * s
    deg = math.radians(r.U(-8, 8))
    tilt = r.U(0.0, 0.07)
    q = np.array([[-cw, -ch], [cw, -ch], [cw, ch], [-cw, ch]], np.float64) / 2
    q[0] *= 1 - tilt * r.U(0, 1)
    q[1] *= 1 - tilt * r.U(0, 1)
    q[2] *= 1 + tilt * r.U(-1, 0.3)
    q[3] *= 1 + tilt * r.U(-1, 0.3)
    R = np.array([[math.cos(deg), -math.sin(deg)], [math.sin(deg), math.cos(deg)]])
    q = q @ R.T
    ext = q.max(0) - q.min(0)
    k = min(1, 0.97 * W / ext[0], 0.97 * H / ext[1])
    q *= k
    lo_, hi_ = -q.min(0) + 6, np.array([W, H]) - q.max(0) - 6
    c = np.array([r.U(min(lo_[i], hi_[i]), max(lo_[i], hi_[i])) * 0.5 + (W, H)[i] / 2 * 0.5 for i in (0, 1)])
    q = q + c
    k = s * k * 1.0
    nw, nh = max(2, round(w * k)), max(2, round(h * k))
    if k < 1:
        a2, m2 = cv2.resize(a, (nw, nh), interpolation=cv2.INTER_AREA), cv2.resize(
            m, (nw, nh), interpolation=cv2.INTER_AREA
        )
    else:
        a2, m2, nw, nh = a, m, w, h
    M = cv2.getPerspectiveTransform(np.array([[0, 0], [nw, 0], [nw, nh], [0, nh]], np.float32), q.astype(np.float32))
    wa = cv2.warpPerspective(a2, M, (W, H), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    wm = cv2.warpPerspective(m2, M, (W, H)).astype(np.float32)
    f = desk(r, W, H)
    d = max(2, W // 220)
    sh = cv2.GaussianBlur(np.roll(wm, (d, d), (0, 1)), (0, 0), d * 1.1)[..., None] / 255
    f *= 1 - 0.45 * sh
    mm = wm[..., None] / 255
    f = (f * (1 - mm) + wa * mm).astype(np.float32)
    # uneven light, a soft shadow, a shine, the colour of the lamp
    yy, xx = np.mgrid[0:40, 0:40].astype(np.float32) / 39
    an = r.U(0, 6.28)
    l = (
        r.U(0.84, 1.02)
        + r.U(0.04, 0.22) * (np.cos(an) * (xx - 0.5) + np.sin(an) * (yy - 0.5))
        - r.U(0, 0.3) * ((xx - 0.5) ** 2 + (yy - 0.5) ** 2)
    )
    if r.P(0.55):
        p = np.zeros((40, 40), np.float32)
        b = np.array([[r.U(-20, 60), r.U(-20, 60)] for _ in range(4)], np.int32)
        cv2.fillConvexPoly(p, cv2.convexHull(b), 1)
        l *= 1 - r.U(0.12, 0.36) * cv2.GaussianBlur(p, (0, 0), r.U(1, 3.5))
    f *= cv2.resize(l.astype(np.float32), (W, H), interpolation=cv2.INTER_CUBIC)[..., None]
    f *= np.array(r.pick([(1, 1, 1), (1.03, 1, 0.9), (0.95, 1, 1.05), (1.05, 0.99, 0.88), (1, 1, 1)]), np.float32)
    if r.P(0.45):
        f = glare(r, f.clip(0, 255), r.I(1, 2), r.U(0.2, 0.5)).astype(np.float32)
    sg = r.U(0.4, 1.0) * max(1, W / 2600) * (0.8 if sheet else 1)
    f = cv2.GaussianBlur(f, (0, 0), sg)
    if r.P(0.2):
        n = r.I(2, 3)
        kk = np.zeros((n, n), np.float32)
        kk[n // 2, :] = 1 / n
        f = cv2.filter2D(f, -1, kk)
    f = noise(r, f, r.U(1.5, 5), 0.6)
    return f.clip(0, 255).astype(np.uint8), r.I(72, 92)


def page(seed, si, name, i, what, lie=None):
    r = pp.Rnd(seed, si, i)
    sheet = what in SHEETS
    card = not sheet and what != "passport"
    if not card:
        which = [0]
    elif name == "photo":
        u = r.U(0, 1)
        which = [0] if u < 0.45 else [1] if u < 0.62 else [0, 1]
    else:
        u = r.U(0, 1)
        which = [0] if u < 0.23 else [1] if u < 0.36 else [0, 1]
    dmg = what in ("cccd", "can-cuoc") and r.P({"clean": 0, "office": 0.1, "bad": 0.45, "photo": 0.1}[name])
    if lie:
        which = [0] if what == "cccd" and len(which) == 1 else [0, 1]
        dmg = False
    kind, cs, F, code, wrong = papers.make(r, what, which, dmg, lie)
    if sheet and name != "clean" and r.P({"office": 0.55, "bad": 0.4, "photo": 0.3}[name]):
        crossing(r, cs[0])
    fax = name == "bad" and r.P(0.3)
    arts = []
    lam = r.P(0.5) and not fax
    for c in cs:
        a = np.asarray(c.im)
        if card:
            if name == "office" and r.P(0.45):
                a = wear(r, a, c.S, r.U(0.05, 0.4))
            if name == "bad":
                a = wear(r, a, c.S, r.U(0.2, 0.75) if not fax else r.U(0, 0.2))
            if name == "photo" and r.P(0.4):
                a = wear(r, a, c.S, r.U(0, 0.3))
            if name == "bad" and lam:
                a = glare(r, a, r.I(1, 3), r.U(0.2, 0.42))
        elif name == "bad":
            if sheet and r.P(0.6):
                a = crease(r, a, c.S, r.I(1, 3))
            if r.P(0.6):
                a = stain(r, a, c.S, r.I(1, 4))
        elif name == "photo" and sheet and r.P(0.5):
            a = crease(r, a, c.S, r.I(1, 2))
        rad = (
            r.U(2.6, 3.4)
            if card and not what.startswith("cmnd9")
            else r.U(0, 3)
            if card
            else 2
            if what == "passport"
            else 0
        )
        arts.append((a, alpha_corner(a.shape[0], a.shape[1], c.S, rad), c.S, c.w, c.h))
    dpi, turn, bw = 300, 0, False
    if name == "photo":
        turn = r.pick([90, 180, 270]) if r.P(0.25) else 0
        img, q = photograph(r, arts, sheet, turn)
        dpi = 72
    else:
        if name == "clean":
            skew = lambda: r.U(-0.35, 0.35)
            lid = r.pick([(250, 250, 250), (255, 255, 255), (244, 245, 246)])
        elif name == "office":
            dpi = r.pick([200, 240, 300, 300]) if not card else r.pick([200, 300, 300, 250])
            turn = r.pick([0, 0, 90, 180, 270]) if not sheet else r.pick([0, 0, 0, 180, 90, 270])
            skew = lambda: r.g.normal(0, 1.1)
            lid = r.pick([(250, 250, 250), (240, 240, 238), (228, 230, 232), (252, 252, 255)])
        else:
            dpi = 200 if not card or r.P(0.6) else 300
            turn = r.pick([0, 0, 0, 90, 180, 270]) if not sheet else r.pick([0, 0, 0, 180])
            mx = 10 if not sheet else 4
            skew = lambda: r.U(-mx, mx)
            lid = r.pick(
                [(248, 248, 248), (235, 235, 232), (205, 205, 202), (70, 70, 70) if r.P(0.4) else (240, 240, 240)]
            )
            bw = fax
            if bw and card:
                dpi = 300
        if name != "clean" and sheet:
            s0 = skew()
            skew = lambda: max(-4, min(4, s0))
        f = glass(r, arts, sheet, dpi, turn, skew, lid).astype(np.float32)
        P = dpi / 25.4
        q = 93
        if name == "clean":
            f = noise(r, f, r.U(0.8, 2.2), 0.4)
        elif name == "office":
            gray = r.P(0.3)
            f = cv2.GaussianBlur(f, (0, 0), r.U(0.3, 0.75))
            if gray:
                f = f @ np.array([0.299, 0.587, 0.114], np.float32)
            copy = r.P(0.25)
            if copy:
                f = curve(f, r.U(1.1, 1.35), r.U(6, 26), r.U(0.9, 1.1))
                f = specks(r, f, r.I(5, 50), dpi)
            else:
                f = curve(f, r.U(0.92, 1.1), r.U(-10, 12), r.U(0.9, 1.15))
            f = noise(r, f, r.U(1, 4), 0.4)
            q = r.I(60, 85)
        else:
            gray = bw or r.P(0.5)
            f = cv2.GaussianBlur(f, (0, 0), r.U(0.5, 1.05) * dpi / 200 * (0.6 if bw else 1))
            if gray:
                f = f @ np.array([0.299, 0.587, 0.114], np.float32)
            if gray and not bw and r.P(0.6):
                f = curve(f, r.U(1.2, 1.55), r.U(-2, 26))
                f = specks(r, f, r.I(30, 250), dpi)
            elif not bw:
                f = curve(f, r.U(0.75, 1.05), r.U(-18, 15), r.U(0.9, 1.3))
            if r.P(0.4):
                f = streaks(r, np.ascontiguousarray(f), r.I(1, 5), r.U(0.2, 0.5))
            f = noise(r, f, r.U(4, 10) if not bw else r.U(2, 6), 0.5)
            q = r.I(45, 72)
            if bw:
                loc = cv2.GaussianBlur(f, (0, 0), 5 * P)
                t = np.minimum(loc * r.U(0.77, 0.83), 190) if card or what == "passport" else np.minimum(loc * 0.8, 190)
                f = specks(r, np.where(f > t, 255.0, 0.0).astype(np.float32), r.I(10, 150), dpi)
        img = f.clip(0, 255).astype(np.uint8)
    F = {k: unicodedata.normalize("NFC", v) for k, v in F.items()}
    t = dict(type=kind, fields=F, rotation=turn, code_intact=bool(code))
    if lie:
        t["lies"] = wrong
    return img, q, dpi, bw, t, what


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=11)
    ap.add_argument("--n", type=int, default=40)
    ap.add_argument("--sets", default="clean,office,bad,photo")
    ap.add_argument("--out", required=True)
    ap.add_argument("--only", type=int, default=-1)
    ap.add_argument("--forged", action="store_true", help="chip cards with a forged symbol only")
    o = ap.parse_args()
    for name in o.sets.split(","):
        si = ["clean", "office", "bad", "photo"].index(name)
        d = os.path.join(o.out, name)
        os.makedirs(d, exist_ok=True)
        if o.only < 0:
            for x in os.listdir(d):
                if x.endswith((".jpg", ".png", ".json")):
                    os.remove(os.path.join(d, x))
        mix = ["cccd", "cccd", "can-cuoc"] if o.forged else MIX
        order = [mix[j % len(mix)] for j in range(o.n)]
        pp.Rnd(o.seed, si, 10**6).g.shuffle(order)
        t0 = time.time()
        for i, what in enumerate(order):
            if o.only >= 0 and i != o.only:
                continue
            lie = pp.LIES[i % len(pp.LIES)] if o.forged else None
            img, q, dpi, bw, t, what = page(o.seed, si, name, i, what, lie)
            base = os.path.join(d, "%s-%02d-%s" % (name, i, what))
            im = Image.fromarray(img)
            if bw:
                im.convert("1").save(base + ".png", dpi=(dpi, dpi))
            elif name == "clean" and i % 8 == 0:
                im.save(base + ".png", dpi=(dpi, dpi), compress_level=3)
            else:
                im.save(base + ".jpg", quality=q, dpi=(dpi, dpi))
            json.dump(t, open(base + ".json", "w"), ensure_ascii=False, indent=1)
        print(name, len(order), "pages, %.1f s a page" % ((time.time() - t0) / max(1, len(order))), flush=True)
    if papers.CLASH:
        print("layouts drawn again:", sum(papers.CLASH.values()), sorted(papers.CLASH.items(), key=lambda x: -x[1])[:8])


if __name__ == "__main__":
    main()
