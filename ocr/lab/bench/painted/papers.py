# -*- coding: utf-8 -*-
"""The papers. Each function returns (canvas, fields printed there, dict of regions in mm)."""
import datetime as D, math
from draw import *
import people as pp

CW, CH, CS = 85.6, 53.98, 24
INK = (22, 22, 26)


class Style:
    """What the sides of one paper share."""

    def __init__(s, r, kind):
        s.r = r
        s.lab, s.labb = r.pick(SANS if r.P(0.75) else SERIF)
        if r.P(0.6):
            s.val, s.valb = s.lab, s.labb
        else:
            s.val, s.valb = r.pick(SANS if r.P(0.6) else SERIF)
        s.bold = r.P(0.35)
        s.v = s.valb if s.bold else s.val
        s.sl = r.pick([" / ", " / ", "/", "/ "])
        s.col = r.pick([INK, (30, 25, 60), (15, 15, 15), (45, 40, 40)])
        s.lcol = r.pick([(30, 60, 95), (25, 25, 25), (20, 80, 70), (60, 50, 70)])
        s.red = r.pick([(200, 25, 40), (185, 20, 30), (215, 40, 40)])
        s.colon = r.P(0.85)

    def L(s, v, e):
        return v + s.sl + e + (":" if s.colon else "")


def head(c, st, cx, y, w, en=True, size=6.2, gap=2.75, motto=True):
    """Name of the state, motto; returns the next free baseline."""
    r = st.r
    t = "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM"
    pt = c.fit(t, st.labb, size, w)
    c.text(cx, y, t, st.labb, pt, INK, "m")
    y += gap
    if motto:
        m = r.pick(["Độc lập - Tự do - Hạnh phúc", "Độc lập – Tự do – Hạnh phúc"])
        c.text(cx, y, m, st.labb, pt * 0.88, INK, "m")
        mw = c.width(m, st.labb, pt * 0.88)
        c.d.line(
            [(cx - mw * 0.45) * c.S, (y + 0.7) * c.S, (cx + mw * 0.45) * c.S, (y + 0.7) * c.S],
            fill=INK,
            width=max(1, round(0.12 * c.S)),
        )
        y += gap * 0.95
    if en:
        c.text(cx, y, "SOCIALIST REPUBLIC OF VIET NAM", st.lab, pt * 0.72, INK, "m")
        y += gap * 0.78
        c.text(cx, y, "Independence - Freedom - Happiness", st.lab, pt * 0.72, INK, "m")
        y += gap * 0.8
    return y


def value(c, st, x, y, label, val, f, pt, lpt, right, gap, nlines, below=False, col=None, x2=None):
    """A label, and its value on the same line and on below (or all below). Returns the next baseline."""
    end = c.text(x, y, label, st.lab, lpt, st.lcol) + st.r.U(0.7, 1.6)
    x2 = x if x2 is None else x2
    if below:
        lines, p = c.wrapfit(val, f, pt, right - x2, right - x2, nlines)
        for l in lines:
            y += gap
            c.text(x2, y, l, f, p, col or st.col)
    else:
        lines, p = c.wrapfit(val, f, pt, right - end, right - x2, nlines)
        if lines[0]:
            c.text(end, y, lines[0], f, p, col or st.col)
        for l in lines[1:]:
            y += gap
            c.text(x2, y, l, f, p, col or st.col)
    return y + gap


def destroy(r, im, x, y, w, S):
    """Wears a QR symbol away beyond what its error correction (at most 15 %) can restore: a corner with its finder
    pattern is rubbed off and so are stripes, until 32 % of the dark modules are gone."""
    a = np.asarray(im).copy()
    x0, y0, n = int(x * S), int(y * S), int(w * S)
    dark = lambda: int((a[y0 : y0 + n, x0 : x0 + n].mean(2) < 100).sum())
    d0 = dark()
    fx, fy = r.pick([(0, 0), (1, 0), (0, 1)])
    tone = lambda: tuple(int(v) for v in r.g.integers(212, 242, 3))
    cv2.ellipse(
        a,
        (x0 + int(n * (0.12 + 0.76 * fx)), y0 + int(n * (0.12 + 0.76 * fy))),
        (int(n * 0.24), int(n * 0.2)),
        r.U(0, 90),
        0,
        360,
        tone(),
        -1,
        cv2.LINE_AA,
    )
    for _ in range(80):
        if dark() < 0.68 * d0:
            break
        an, c = r.U(0, 3.14), (x0 + r.U(0.1, 0.9) * n, y0 + r.U(0.1, 0.9) * n)
        L = r.U(0.2, 0.6) * n
        p, q = [(int(c[0] + s * L * math.cos(an)), int(c[1] + s * L * math.sin(an))) for s in (-1, 1)]
        k = 18
        p, q = [(min(max(v[0], x0 - k), x0 + n + k), min(max(v[1], y0 - k), y0 + n + k)) for v in (p, q)]
        cv2.line(a, p, q, tone(), r.I(6, 18), cv2.LINE_AA)
    return a


# ------------------------------------------------------------------ chip card 2021
G_CCCD = [
    ((206, 228, 214), (232, 240, 218), (238, 226, 206)),
    ((214, 234, 226), (240, 240, 222), (222, 230, 240)),
    ((224, 236, 214), (245, 238, 220), (214, 230, 226)),
]
L_CCCD = [(176, 212, 196), (214, 206, 170), (190, 214, 222), (222, 196, 190)]
G_CC = [
    ((204, 230, 238), (226, 240, 242), (240, 224, 232)),
    ((212, 230, 244), (240, 240, 246), (228, 240, 226)),
    ((222, 236, 240), (210, 230, 236), (246, 234, 226)),
]
L_CC = [(160, 204, 220), (206, 190, 214), (176, 212, 196), (186, 196, 226)]
G_16 = [((202, 226, 214), (224, 238, 232), (206, 226, 236)), ((212, 232, 208), (232, 240, 224), (220, 232, 228))]
L_16 = [(160, 204, 190), (172, 206, 164), (196, 206, 226)]
G_9 = [
    ((206, 228, 222), (222, 236, 228), (214, 226, 236)),
    ((218, 230, 212), (230, 236, 224), (206, 224, 216)),
    ((226, 232, 226), (214, 228, 232), (234, 232, 218)),
]
L_9 = [(164, 204, 196), (180, 204, 214), (188, 206, 180)]


def ncol(r):
    return r.pick([(200, 25, 35), INK, INK, (30, 25, 60)])


def qr_text(r, p, kind):
    p = getattr(p, "forged", p)
    f = [p.number, p.old, p.name, p.dob.strftime("%d%m%Y"), p.sex, p.residence, p.issue.strftime("%d%m%Y")]
    if kind == "can-cuoc":
        k = r.I(0, 2)
        if k == 1:
            f += ["", p.father, p.mother]
        if k == 2:
            f += [p.father, p.mother, "", ""]
    return "|".join(f)


def cccd_front(r, st, p, dmg):
    c = Canvas(CW, CH, CS)
    c.put(ground(r, CW, CH, CS, r.pick(G_CCCD), L_CCCD))
    es = r.U(10, 12.5)
    c.paste(emblem(r, es), r.U(3, 5.5), r.U(2.8, 4.5), es, claim="emblem")
    qs = r.U(12.2, 14.2)
    qx, qy = CW - qs - r.U(2.6, 5), r.U(2.2, 4.2)
    q = qr(qr_text(r, p, "cccd"), r.pick(["M", "M", "L"]))
    wl = Image.new("RGB", (10, 10), (250, 250, 250))
    c.paste(wl, qx - 0.6, qy - 0.6, qs + 1.2, qs + 1.2)
    c.paste(q, qx, qy, qs, qs, claim="QR")
    if dmg:
        c.put(destroy(r, c.im, qx, qy, qs, CS))
    cx = (17 + qx) / 2 + r.U(-0.8, 0.8)
    y = head(c, st, cx, r.U(3.9, 4.9), qx - 19, size=r.U(5.6, 6.5), gap=r.U(2.4, 2.7))
    y += r.U(1.9, 2.3)
    c.text(cx, y, "CĂN CƯỚC CÔNG DÂN", st.labb, c.fit("CĂN CƯỚC CÔNG DÂN", st.labb, r.U(9, 11), qx - 22), st.red, "m")
    y += r.U(2.3, 2.7)
    c.text(cx, y, "Citizen Identity Card", st.labb, r.U(5.2, 6.2), st.red, "m")
    x0 = r.U(25.5, 29)
    right = r.U(82, 83.6)
    pw = r.U(19, 21)
    ph = pw * r.U(1.25, 1.36)
    px, py = r.U(2.8, 3.8), r.U(17, 18.4)
    c.paste(face(r, pw, ph), px, py, pw, ph, claim="photo")
    y = max(y + 3.9, r.U(21.2, 22.6))
    lp, vp = r.U(4.7, 5.6), r.U(6.3, 7.4)
    g = r.U(3.15, 3.5)
    e = c.text(x0, y, st.L("Số", "No."), st.lab, lp + 0.6, st.lcol)
    c.text(e + r.U(1, 2.2), y, p.number, st.valb, r.U(9.5, 11.5), ncol(r), track=r.U(0, 0.16))
    y += g + r.U(0.1, 0.5)
    c.text(x0, y, st.L("Họ và tên", "Full name"), st.lab, lp, st.lcol)
    y += g
    N = p.name.upper()
    c.text(x0, y, N, st.valb if r.P(0.7) else st.v, c.fit(N, st.valb, r.U(7.2, 8.6), right - x0), st.col)
    y += g
    y = value(c, st, x0, y, st.L("Ngày sinh", "Date of birth"), pp.vn(p.dob), st.v, vp, lp, right, g, 1)
    e = c.text(x0, y, st.L("Giới tính", "Sex"), st.lab, lp, st.lcol)
    e = c.text(e + r.U(0.8, 1.6), y, p.sex, st.v, vp, st.col)
    xn = max(e + r.U(2.5, 4), x0 + r.U(22, 25))
    e = c.text(xn, y, st.L("Quốc tịch", "Nationality"), st.lab, lp, st.lcol)
    c.text(e + r.U(0.8, 1.4), y, "Việt Nam", st.v, c.fit("Việt Nam", st.v, vp, right + 0.8 - e - 1.4), st.col)
    y += g
    y = value(c, st, x0, y, st.L("Quê quán", "Place of origin"), p.origin, st.v, vp, lp, right, g, 1, below=True)
    y = value(c, st, x0, y, st.L("Nơi thường trú", "Place of residence"), p.residence, st.v, vp, lp, right, g, 2)
    ev = pp.vn(p.exp) if p.exp else "Không thời hạn"
    ey = py + ph + r.U(2, 2.4)
    ep = r.U(3.9, 4.4)
    if r.P(0.5):
        e1 = c.text(px, ey, "Có giá trị đến" + (":" if st.colon else ""), st.lab, ep, st.lcol)
        c.text(px, ey + 1.9, "Date of expiry", st.lab, ep, st.lcol)
        c.text(e1 + 0.5, ey, ev, st.v, c.fit(ev, st.v, ep + 0.4, x0 - e1 - 0.8), st.col)
    else:
        t = "Có giá trị đến" + st.sl + "Date of expiry" + (":" if st.colon else "")
        c.text(px, ey, t, st.lab, c.fit(t, st.lab, ep, x0 - px - 0.6), st.lcol)
        c.text(px + r.U(0, 2), ey + 2.5, ev, st.v, ep + r.U(0.4, 1), st.col)
    F = dict(
        number=p.number,
        full_name=N,
        date_of_birth=p.dob.isoformat(),
        sex=p.sex,
        nationality="Việt Nam",
        place_of_origin=p.origin,
        place_of_residence=p.residence,
        date_of_expiry=p.exp.isoformat() if p.exp else ev,
    )
    if p.old and not dmg:
        F["old_number"] = p.old
    return c, F, not dmg


def mrzfields(p):
    F = dict(number=p.number, date_of_birth=p.dob.isoformat(), sex=p.sex)
    F["date_of_expiry"] = p.exp.isoformat() if p.exp else None
    return {k: v for k, v in F.items() if v}


def td1_zone(c, r, p):
    pitch = r.U(2.5, 2.58)
    x = (CW - pitch * 30) / 2 + r.U(-1, 1)
    y = r.U(39.6, 41)
    gap = r.U(4.0, 4.35)
    mrz(c, pp.td1(p), x, y, pitch, gap, r.U(9.6, 10.4))
    return y - 2.5


def sign_block(c, st, cx, y, w, lines, pt, gap, seal, signer):
    for l in lines:
        c.text(cx, y, l, st.lab, c.fit(l, st.lab, pt, w), INK, "m")
        y += gap
    r = st.r
    h = r.U(5, 7)
    sw = r.U(11, 17)
    c.paste(signature(r, sw, h), cx - sw / 2 + r.U(-1, 3), y - 0.8, sw, h, mul=True)
    if seal:
        c.paste(seal[0], cx - seal[1] * r.U(0.75, 1.0), y - seal[1] * r.U(0.25, 0.45), seal[1], seal[1], mul=True)
    y += h * 0.9
    c.text(cx + r.U(0, 2), y, signer, st.labb, pt * 1.05, INK, "m")


def police(r):
    if r.P(0.75):
        return ["CỤC TRƯỞNG CỤC CẢNH SÁT", "QUẢN LÝ HÀNH CHÍNH VỀ TRẬT TỰ XÃ HỘI"], [
            "DIRECTOR GENERAL OF THE POLICE DEPARTMENT",
            "FOR ADMINISTRATIVE MANAGEMENT OF SOCIAL ORDER",
        ]
    return ["CỤC TRƯỞNG CỤC CẢNH SÁT ĐKQL CƯ TRÚ", "VÀ DLQG VỀ DÂN CƯ"], [
        "GENERAL DIRECTOR OF THE POLICE DEPARTMENT",
        "FOR RESIDENTIAL REGISTRATION AND DATA",
    ]


def cccd_back(r, st, p, dmg):
    c = Canvas(CW, CH, CS)
    c.put(ground(r, CW, CH, CS, r.pick(G_CCCD), L_CCCD))
    td1_zone(c, r, p)
    x0 = r.U(3.5, 5.5)
    lp, vp = r.U(4.6, 5.4), r.U(5.4, 6.4)
    g = r.U(2.7, 3.1)
    fx = r.U(57.5, 60)
    y = r.U(4.4, 5.6)
    y = value(
        c,
        st,
        x0,
        y,
        st.L("Đặc điểm nhân dạng", "Personal identification"),
        p.mark,
        st.v,
        vp,
        lp,
        fx - 1.5,
        g,
        2,
        below=True,
    )
    y = max(y, r.U(12, 13.4))
    cw = r.U(10.5, 12.5)
    c.paste(chip(r, cw, cw * 0.8), x0, y - 1.5, cw, cw * 0.8, claim="chip")
    xd = x0 + cw + r.U(1.6, 2.6)
    lb = r.pick([st.L("Ngày, tháng, năm", "Date, month, year"), st.L("Ngày, tháng, năm cấp", "Date of issue")])
    lp2 = c.fit(lb, st.lab, lp, fx - xd - 12.5)
    e = c.text(xd, y, lb, st.lab, lp2, st.lcol)
    c.text(e + 0.9, y, pp.vn(p.issue), st.v, c.fit(pp.vn(p.issue), st.v, vp, fx - e - 1.6), st.col)
    vn_, en_ = police(r)
    signer = pp.name(r, "Nam")
    seal = (stamp(r, 11, ["BỘ CÔNG AN", "CỤC CẢNH SÁT"], f=st.labb, gaps=r.P(0.4)), r.U(10, 12.5))
    sign_block(
        c, st, (xd + fx) / 2 - 0.5, y + g, fx - xd - 1.5, [t for t in vn_ + en_], r.U(3.7, 4.2), 1.75, seal, signer
    )
    fw, fh = r.U(10.6, 11.6), r.U(14, 16)
    gy = r.U(9, 11.5)
    gx = fx + 0.6
    for i, (a, b) in enumerate([("Ngón trỏ trái", "Left index finger"), ("Ngón trỏ phải", "Right index finger")]):
        xx = gx + i * (fw + 1.4)
        c.text(xx + fw / 2, gy - 3.2, a, st.lab, c.fit(a, st.lab, 4.4, fw), st.lcol, "m")
        c.text(xx + fw / 2, gy - 1.2, b, st.lab, c.fit(b, st.lab, 3.9, fw), st.lcol, "m")
        c.paste(finger(r, fw, fh, (40, 40, 50)), xx, gy, fw, fh, claim="finger")
    F = mrzfields(p)
    F["date_of_issue"] = p.issue.isoformat()
    return c, F, True


# ------------------------------------------------------------------ card of 2024
def cc_front(r, st, p, dmg):
    c = Canvas(CW, CH, CS)
    c.put(ground(r, CW, CH, CS, r.pick(G_CC), L_CC))
    es = r.U(10.5, 13)
    c.paste(emblem(r, es), r.U(3.5, 6.5), r.U(2.6, 4), es, claim="emblem")
    cx = r.U(49, 53)
    y = head(c, st, cx, r.U(3.9, 4.8), 60, size=r.U(6.2, 7.2), gap=r.U(2.5, 2.75))
    y += r.U(2.2, 2.7)
    c.text(cx, y, "CĂN CƯỚC", st.labb, r.U(10, 12), st.red, "m")
    y += r.U(2.4, 2.8)
    c.text(cx, y, "IDENTITY CARD", st.labb, r.U(5.6, 6.6), st.red, "m")
    pw = r.U(20, 22.5)
    ph = pw * r.U(1.28, 1.36)
    px, py = r.U(2.8, 4), r.U(18, 20)
    c.paste(face(r, pw, ph), px, py, pw, ph, claim="photo")
    x0 = px + pw + r.U(2.4, 4.4)
    right = 83.4
    lp, vp = r.U(4.9, 5.7), r.U(6.8, 8)
    g = r.U(3.3, 3.65)
    y = max(y + 3.6, r.U(22.5, 24))
    lab = st.L("Số định danh cá nhân", "Personal identification number")
    c.text(x0, y, lab, st.lab, c.fit(lab, st.lab, lp, right - x0), st.lcol)
    y += g + 0.5
    c.text(x0, y, p.number, st.valb, r.U(9.5, 12), ncol(r), track=r.U(0, 0.2))
    y += g + 0.1
    lab = st.L("Họ, chữ đệm và tên khai sinh", "Full name")
    N = p.name.upper()
    c.text(x0, y, lab, st.lab, c.fit(lab, st.lab, lp, right - x0), st.lcol)
    y += g
    c.text(x0, y, N, st.valb if r.P(0.7) else st.v, c.fit(N, st.valb, vp + 0.8, right - x0), st.col)
    y += g
    lab, l2 = st.L("Ngày, tháng, năm sinh", "Date of birth"), st.L("Giới tính", "Sex")
    if r.P(0.6):
        e = c.text(x0, y, lab, st.lab, lp, st.lcol)
        xs = max(e + 3, r.U(66, 69))
        c.text(xs, y, l2, st.lab, lp, st.lcol)
        y += g
        c.text(x0, y, pp.vn(p.dob), st.v, vp, st.col)
        c.text(xs, y, p.sex, st.v, vp, st.col)
        y += g
        lab = st.L("Quốc tịch", "Nationality")
        e = c.text(x0, y, lab, st.lab, lp, st.lcol)
        if r.P(0.5):
            c.text(e + 1.2, y, "Việt Nam", st.v, vp, st.col)
        else:
            c.text(x0, y + g - 0.2, "Việt Nam", st.v, vp, st.col)
    else:
        y = value(c, st, x0, y, lab, pp.vn(p.dob), st.v, vp, lp, right, g, 1)
        y = value(c, st, x0, y, l2, p.sex, st.v, vp, lp, right, g, 1)
        value(c, st, x0, y, st.L("Quốc tịch", "Nationality"), "Việt Nam", st.v, vp, lp, right, g, 1)
    return (
        c,
        dict(number=p.number, full_name=N, date_of_birth=p.dob.isoformat(), sex=p.sex, nationality="Việt Nam"),
        False,
    )


def cc_back(r, st, p, dmg):
    c = Canvas(CW, CH, CS)
    c.put(ground(r, CW, CH, CS, r.pick(G_CC), L_CC))
    td1_zone(c, r, p)
    qs = r.U(13, 15.5)
    qx, qy = CW - qs - r.U(3, 5), r.U(3, 4.5)
    c.paste(Image.new("RGB", (10, 10), (250, 250, 250)), qx - 0.6, qy - 0.6, qs + 1.2, qs + 1.2)
    c.paste(qr(qr_text(r, p, "can-cuoc"), "L" if r.P(0.5) else "M"), qx, qy, qs, qs, claim="QR")
    if dmg:
        c.put(destroy(r, c.im, qx, qy, qs, CS))
    x0 = r.U(3.6, 5.4)
    right = qx - r.U(1.6, 2.6)
    lp, vp = r.U(4.6, 5.3), r.U(5.9, 6.8)
    g = r.U(2.75, 3.05)
    y = value(
        c,
        st,
        x0,
        r.U(4.2, 5.2),
        st.L("Nơi cư trú", "Place of residence"),
        p.residence,
        st.v,
        vp,
        lp,
        right,
        g,
        2,
        below=True,
    )
    pb = p.birthreg
    y = value(
        c, st, x0, y + 0.3, st.L("Nơi đăng ký khai sinh", "Place of birth"), pb, st.v, vp, lp, right, g, 2, below=True
    )
    y = max(y + 1.2, 21.5)
    cw = r.U(11, 12.5)
    ct = y - 2
    c.paste(chip(r, cw, cw * 0.8), x0, ct, cw, cw * 0.8, claim="chip")
    xd = x0 + cw + r.U(2, 3.4)
    ev = pp.vn(p.exp) if p.exp else "Không thời hạn"
    r2 = 83.5
    if r.P(0.6):
        y = value(
            c,
            st,
            xd,
            y,
            st.L("Ngày, tháng, năm cấp", "Date of issue"),
            pp.vn(p.issue),
            st.v,
            vp,
            lp,
            min(r2, qx - 1) if y < qy + qs + 3 else r2,
            g,
            1,
        )
        y = value(c, st, xd, y, st.L("Ngày, tháng, năm hết hạn", "Date of expiry"), ev, st.v, vp, lp, r2, g, 1)
    else:
        y = value(
            c,
            st,
            xd,
            y,
            st.L("Ngày, tháng, năm cấp", "Date of issue"),
            pp.vn(p.issue),
            st.v,
            vp,
            lp,
            r2,
            g,
            1,
            below=True,
        )
        y = value(
            c, st, xd, y, st.L("Ngày, tháng, năm hết hạn", "Date of expiry"), ev, st.v, vp, lp, r2, g, 1, below=True
        )
    y = max(y + 0.6, 30)
    if y < 36.6:
        c.text(r.U(55, 62), y, "BỘ CÔNG AN", st.labb, r.U(5.6, 6.4), INK, "m")
        if y < 34.4:
            c.text(c.boxes[-1][0] + 5.5, y + 2, "MINISTRY OF PUBLIC SECURITY", st.lab, 3.9, INK, "m")
    F = mrzfields(p)
    F.update(
        place_of_residence=p.residence,
        place_of_birth=pb,
        date_of_issue=p.issue.isoformat(),
        date_of_expiry=p.exp.isoformat() if p.exp else ev,
    )
    if p.old and not dmg:
        F["old_number"] = p.old
    return c, F, True


# ------------------------------------------------------------------ barcode card 2016, and CMND of 12 digits
def bar_front(r, st, p, dmg, cmnd=False):
    c = Canvas(CW, CH, CS)
    c.put(ground(r, CW, CH, CS, r.pick(G_16), L_16))
    es = r.U(11, 13.5)
    c.paste(emblem(r, es), r.U(5, 7.5), r.U(2.8, 4), es, claim="emblem")
    cx = r.U(51, 55)
    y = head(c, st, cx, r.U(4.6, 5.6), 58, en=False, size=r.U(6.6, 7.6), gap=r.U(3.1, 3.5))
    y += r.U(1.9, 2.7)
    t = "GIẤY CHỨNG MINH NHÂN DÂN" if cmnd else "CĂN CƯỚC CÔNG DÂN"
    c.text(cx, y, t, st.labb, c.fit(t, st.labb, r.U(11, 12.5), 54), st.red, "m")
    y += r.U(4, 4.5)
    pt = r.U(10, 11.5)
    tr = r.U(0.05, 0.3)
    lw = c.width("Số:", st.labb, 8) + 1.4
    nw = c.width(p.number, st.valb, pt, tr)
    sx = cx - (lw + nw) / 2
    c.text(sx, y, "Số:", st.labb, 8, INK)
    c.text(sx + lw, y, p.number, st.valb, pt, r.pick([(200, 25, 35), (200, 25, 35), INK]), track=tr)
    pw = r.U(19, 21)
    ph = pw * r.U(1.3, 1.36)
    px, py = r.U(3, 4.2), r.U(18, 19.4)
    c.paste(face(r, pw, ph), px, py, pw, ph, claim="photo")
    x0 = px + pw + r.U(2, 3.6)
    right = r.U(82.6, 83.8)
    lp, vp = r.U(5.6, 6.4), r.U(6.4, 7.5)
    co = ":"
    y += r.U(3.8, 4.3)
    N = p.name.upper()
    ev = pp.vn(p.exp) if p.exp else "Không thời hạn"
    F = dict(
        number=p.number,
        full_name=N,
        date_of_birth=p.dob.isoformat(),
        sex=p.sex,
        place_of_origin=p.origin,
        place_of_residence=p.residence,
    )
    if p.exp or not cmnd:
        F["date_of_expiry"] = p.exp.isoformat() if p.exp else ev
    n = 8.2
    g = (CH - 2.4 - y) / (8 if not cmnd else 8.4)
    y = value(
        c,
        st,
        x0,
        y,
        ("Họ và tên khai sinh" if cmnd else "Họ và tên") + co,
        N,
        st.valb if r.P(0.7) else st.v,
        vp + 0.6,
        lp,
        right,
        g,
        1 if cmnd else 1,
    )
    if cmnd and r.P(0.5):
        y = value(c, st, x0, y, "Họ và tên gọi khác" + co, "", st.v, vp, lp, right, g, 1)
    y = value(c, st, x0, y, "Ngày, tháng, năm sinh" + co, pp.vn(p.dob), st.v, vp, lp, right, g, 1)
    e = c.text(x0, y, "Giới tính" + co, st.lab, lp, st.lcol)
    e = c.text(e + 1, y, p.sex, st.v, vp, st.col)
    xn = max(e + 3, x0 + r.U(20, 25))
    if cmnd:
        e = c.text(xn, y, "Dân tộc" + co, st.lab, lp, st.lcol)
        c.text(e + 1, y, p.eth, st.v, vp, st.col)
        F["ethnicity"] = p.eth
    else:
        e = c.text(xn, y, "Quốc tịch" + co, st.lab, lp, st.lcol)
        c.text(e + 1, y, "Việt Nam", st.v, vp, st.col)
        F["nationality"] = "Việt Nam"
    y += g
    y = value(c, st, x0, y, "Quê quán" + co, p.origin, st.v, vp, lp, right, g, 2)
    y = value(c, st, x0, y, "Nơi thường trú" + co, p.residence, st.v, vp, lp, right, g, 2)
    if "date_of_expiry" in F:
        ey = py + ph + r.U(2.3, 3)
        ep = r.U(4.2, 4.8)
        t = "Có giá trị đến:"
        if r.P(0.6):
            e = c.text(px, ey, t, st.lab, ep, st.lcol)
            c.text(e + 0.5, ey, ev, st.v, c.fit(ev, st.v, ep, x0 - e - 0.9), st.col)
        else:
            c.text(px, ey, t, st.lab, ep, st.lcol)
            c.text(px, ey + 2.4, ev, st.v, ep + 0.5, st.col)
    return c, F, False


def bar_back(r, st, p, dmg, cmnd=False):
    c = Canvas(CW, CH, CS)
    c.put(ground(r, CW, CH, CS, r.pick(G_16), L_16))
    bw = r.U(42, 56)
    bx = CW - bw - r.U(3, 6) if r.P(0.5) else (CW - bw) / 2
    by = r.U(2.6, 3.6)
    bh = r.U(5.5, 7)
    c.paste(Image.new("RGB", (9, 9), (252, 252, 252)), bx - 1.5, by - 0.4, bw + 3, bh + 0.8)
    c.paste(code128(p.number), bx, by, bw, bh, claim="barcode")
    F = dict(date_of_issue=p.issue.isoformat())
    lp, vp = r.U(5.4, 6.2), r.U(6.2, 7)
    g = r.U(3.3, 3.7)
    y = by + bh + r.U(4, 4.8)
    x0 = r.U(4, 6)
    y = value(
        c,
        st,
        x0,
        y,
        r.pick(["Đặc điểm nhân dạng:", "Đặc điểm nhận dạng:", "ĐẶC ĐIỂM NHÂN DẠNG:"]),
        p.mark,
        st.v,
        vp,
        lp,
        82,
        g,
        2,
        below=r.P(0.5),
    )
    fw, fh = r.U(12.5, 14.5), r.U(17, 19)
    fy = max(y + 2.6, r.U(23, 26))
    if fy + fh > 52.8:
        fh = 52.8 - fy
    left = r.P(0.7)
    fx = x0 if left else 82 - 2 * fw - 2
    for i, a in enumerate(["Ngón trỏ trái", "Ngón trỏ phải"]):
        xx = fx + i * (fw + 2)
        c.text(xx + fw / 2, fy - 0.9, a, st.lab, 4.8, st.lcol, "m")
        c.d.rectangle([xx * CS, fy * CS, (xx + fw) * CS, (fy + fh) * CS], outline=(120, 120, 120), width=3)
        c.paste(finger(r, fw - 1, fh - 1, (45, 40, 50)), xx + 0.5, fy + 0.5, fw - 1, fh - 1, claim="finger")
    a, b = (fx + 2 * fw + 4, 83.5) if left else (x0, fx - 2)
    cx = (a + b) / 2
    d = p.issue
    if r.P(0.6):
        t = "Ngày %02d tháng %02d năm %d" % (d.day, d.month, d.year)
    else:
        t = "Ngày, tháng, năm: " + pp.vn(d)
    yy = max(y + 1.6, fy - 1.5)
    c.text(cx, yy, t, st.v, c.fit(t, st.v, r.U(5.6, 6.4), b - a), st.col, "m")
    lines = r.pick(
        [
            ["CỤC TRƯỞNG CỤC CẢNH SÁT", "ĐKQL CƯ TRÚ VÀ DLQG VỀ DÂN CƯ"],
            ["CỤC TRƯỞNG CỤC CẢNH SÁT", "QUẢN LÝ HÀNH CHÍNH", "VỀ TRẬT TỰ XÃ HỘI"],
        ]
    )
    if cmnd:
        lines = r.pick(
            [["GIÁM ĐỐC CÔNG AN", strip(p.prov).upper()], ["CỤC TRƯỞNG CỤC CẢNH SÁT", "ĐKQL CƯ TRÚ VÀ DLQG VỀ DÂN CƯ"]]
        )
    seal = (stamp(r, 14, ["BỘ CÔNG AN" if not cmnd else "CÔNG AN", "CỤC CẢNH SÁT"], f=st.labb), r.U(12, 15))
    sign_block(c, st, cx, yy + 2.9, b - a, lines, r.U(4.6, 5.2), 2.2, seal, pp.name(r, "Nam"))
    return c, F, False


def strip(x):
    return x


# ------------------------------------------------------------------ CMND of 9 digits
def nine_front(r, st, p, dmg):
    c = Canvas(CW, CH, CS)
    c.put(ground(r, CW, CH, CS, r.pick(G_9), L_9))
    es = r.U(11, 13.5)
    c.paste(emblem(r, es, None if r.P(0.5) else (60, 120, 110)), r.U(6, 9), r.U(2.8, 4.4), es, claim="emblem")
    cx = r.U(52, 55)
    y = head(c, st, cx, r.U(4.6, 5.6), 58, en=False, size=r.U(6.4, 7.4), gap=r.U(3, 3.4))
    y += r.U(1.7, 2.6)
    t = "GIẤY CHỨNG MINH NHÂN DÂN"
    c.text(cx, y, t, st.labb, c.fit(t, st.labb, r.U(9.5, 11.5), 54), st.red if r.P(0.7) else INK, "m")
    y += r.U(4.3, 4.8)
    lab = r.pick(["SỐ", "Số", "SỐ:", "Số:"])
    pt = r.U(11, 13)
    tr = r.U(0.2, 0.8)
    n = p.nine
    lw = c.width(lab, st.labb, 8) + r.U(1, 2.5)
    sx = cx - (lw + c.width(n, st.valb, pt, tr)) / 2
    c.text(sx, y, lab, st.labb, 8, INK)
    c.text(sx + lw, y, n, st.valb, pt, (200, 30, 45), track=tr)
    pw = r.U(19, 21)
    ph = pw * r.U(1.3, 1.38)
    px, py = r.U(3, 4.4), r.U(18.6, 21)
    c.paste(face(r, pw, ph, mono=r.P(0.5)), px, py, pw, ph, claim="photo")
    if r.P(0.6):
        c.paste(stamp(r, 12, ["CÔNG AN", ""], f=st.labb), px - 2, py + ph - 8, 12, 12, mul=True)
    x0 = px + pw + r.U(2, 3.4)
    right = r.U(82.6, 83.8)
    lp = r.U(5.8, 6.6)
    f, fb = r.pick(MONO) if r.P(0.35) else (st.val, st.valb)
    mono = f in [m[0] for m in MONO]
    if r.P(0.4):
        f = fb
    vp = r.U(6.2, 7.1) * (0.92 if mono else 1)
    col = r.pick([INK, (35, 40, 90), (50, 45, 50)])
    y += r.U(4.2, 4.7)
    g = (CH - 2.3 - y) / 5.02
    sep = r.pick(["-", "-", "/"])
    N = p.name.upper()
    dob = pp.vn(p.dob, sep)
    dots = r.P(0.75)
    jit = r if r.P(0.3) else None

    def row(label, val, y, nl):
        e = c.text(x0, y, label, st.lab, lp, st.lcol) + r.U(0.5, 1.4)
        lines, q = c.wrapfit(val, f, vp, right - e, right - x0, nl)
        if dots:
            dotline(c, e, right, y + 0.55)
        if lines[0]:
            c.text(e, y, lines[0], f, q, col, jit=jit)
        for i in range(1, nl):
            y += g
            if dots:
                dotline(c, x0, right, y + 0.55)
            if i < len(lines):
                c.text(x0, y, lines[i], f, q, col, jit=jit)
        return y + g

    k = r.P(0.8)
    y = row(r.pick(["Họ tên:", "Họ tên", "Họ và tên:"]), N, y, 1)
    y = row(r.pick(["Sinh ngày:", "Sinh ngày", "Sinh ngày"]), dob, y, 1)
    y = (
        row(
            r.pick(["Nguyên quán:", "Nguyên quán", "Quê quán:"]),
            p.origin,
            y,
            1 if c.width(p.origin, f, vp) < right - x0 - 19 else 2,
        )
        if False
        else row(
            r.pick(["Nguyên quán:", "Nguyên quán"]),
            p.origin,
            y,
            2 if c.width(p.origin, f, vp) > right - x0 - 17.5 else 1,
        )
    )
    y = row(r.pick(["Nơi ĐKHK thường trú:", "Nơi ĐKHK thường trú"]), p.residence, y, 2)
    return (
        c,
        dict(
            number=n,
            full_name=N,
            date_of_birth=p.dob.isoformat(),
            place_of_origin=p.origin,
            place_of_residence=p.residence,
        ),
        False,
    )


def nine_back(r, st, p, dmg):
    c = Canvas(CW, CH, CS)
    c.put(ground(r, CW, CH, CS, r.pick(G_9), L_9))
    lp = r.U(6, 6.8)
    f, fb = r.pick(MONO) if r.P(0.3) else (st.val, st.valb)
    vp = r.U(6.2, 7)
    dots = r.P(0.7)
    x0, right, y = r.U(4, 6), r.U(81, 83), r.U(5.6, 7)
    e = c.text(x0, y, "Dân tộc:", st.lab, lp, st.lcol)
    c.text(e + 1.5, y, p.eth, f, vp, st.col)
    xm = r.U(40, 45)
    if dots:
        dotline(c, e + 1, xm - 2, y + 0.55)
    e = c.text(xm, y, "Tôn giáo:", st.lab, lp, st.lcol)
    c.text(e + 1.5, y, p.rel, f, vp, st.col)
    if dots:
        dotline(c, e + 1, right, y + 0.55)
    ty = y + r.U(1.6, 2.4)
    fw = r.U(17, 20)
    fh = (51.6 - ty) / 2
    for i, t in enumerate(["NGÓN TRỎ TRÁI", "NGÓN TRỎ PHẢI"]):
        yy = ty + i * (fh + 0.4)
        c.d.rectangle([x0 * CS, yy * CS, (x0 + fw) * CS, (yy + fh) * CS], outline=(70, 90, 90), width=3)
        c.paste(finger(r, fw - 4, fh - 4, (40, 40, 50)), x0 + 2, yy + 0.6, fw - 4, fh - 4, claim="finger")
        c.text(x0 + fw / 2, yy + fh - 0.9, t, st.lab, 4.6, st.lcol, "m")
    a = x0 + fw + r.U(1.5, 3)
    y = ty + r.U(2.2, 2.8)
    cx = (a + right) / 2
    c.text(cx, y, r.pick(["DẤU VẾT RIÊNG VÀ DỊ HÌNH", "ĐẶC ĐIỂM NHẬN DẠNG"]), st.labb, r.U(5.6, 6.4), st.lcol, "m")
    g = r.U(4, 4.5)
    y += g
    lines, q = c.wrapfit(p.mark, f, vp, right - a, right - a, 2)
    for i in range(2):
        if dots:
            dotline(c, a, right, y + 0.55)
        if i < len(lines):
            c.text(a, y, lines[i], f, q, st.col)
        y += g
    d = p.issue
    t = "Ngày %02d tháng %02d năm %d" % (d.day, d.month, d.year)
    y += 0.6
    xs = c.text(cx - c.width(t, st.lab, 6.4) / 2, y, t, st.lab, 6.4, INK)
    seal = (stamp(r, 16, ["CÔNG AN", p.prov.upper()], f=st.labb), r.U(15, 18))
    sign_block(
        c,
        st,
        cx,
        y + 3.4,
        right - a,
        [
            r.pick(["GIÁM ĐỐC CA ", "GIÁM ĐỐC CÔNG AN ", "TRƯỞNG CÔNG AN "])
            + ("" if p.prov.startswith("TP.") else "TỈNH ")
            + p.prov.upper()
        ],
        r.U(5.4, 6),
        2.6,
        seal,
        pp.name(r, "Nam"),
    )
    return c, dict(ethnicity=p.eth, religion=p.rel, date_of_issue=p.issue.isoformat()), False


# ------------------------------------------------------------------ passport
def passport(r, st, p, dmg):
    W, H, S = 125.0, 88.0, 18
    full = r.P(0.35)
    oy = 90 if full else 0
    c = Canvas(W, H + oy, S, (240, 238, 228))
    a = ground(
        r,
        W,
        H,
        S,
        r.pick(
            [
                ((238, 226, 214), (226, 236, 226), (232, 226, 240)),
                ((214, 228, 240), (240, 236, 222), (226, 240, 228)),
                ((240, 230, 200), (230, 236, 220), (236, 220, 224)),
            ]
        ),
        [(214, 196, 170), (186, 206, 196), (206, 190, 216)],
    )
    if full:
        b = ground(r, W, oy, S, [(236, 238, 230), (240, 232, 226), (230, 236, 240)], [(206, 212, 200), (214, 204, 214)])
        b[-int(S * 1.2) :] = (b[-int(S * 1.2) :] * np.linspace(1, 0.72, int(S * 1.2))[:, None, None]).astype(np.uint8)
        a = np.concatenate([b, a])
    c.put(a)
    if full:
        t = "Hộ chiếu này có giá trị đi đến tất cả các nước trên thế giới."
        c.text(W / 2, 40, t, st.lab, 8, (80, 70, 70), "m")
        c.text(W / 2, 45, "This passport is valid for all countries.", st.lab, 7.5, (80, 70, 70), "m")
        c.text(W / 2, 82, p.passno, OCRB, 11, (120, 30, 40), "m", track=1)
    new = p.issue >= D.date(2022, 7, 1)
    lp, vp = r.U(5.6, 6.6), r.U(8, 9.2)
    sl = st.sl
    y = oy + r.U(5.2, 6.4)
    t = r.pick(
        ["CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM / SOCIALIST REPUBLIC OF VIET NAM", "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM"]
    )
    c.text(W / 2 + r.U(-4, 8), y, t, st.labb, c.fit(t, st.labb, 8.4, 100), (120, 30, 40), "m")
    y += r.U(4.6, 5.4)
    lx = r.U(5, 7.5)
    x1 = lx + r.U(35, 39)
    e = c.text(lx, y, "HỘ CHIẾU", st.labb, 10, (120, 30, 40))
    c.text(lx, y + 4.3, "PASSPORT", st.labb, 8, (120, 30, 40))
    xc = [x1, x1 + r.U(16, 19), x1 + r.U(42, 45)]
    for x, l, v, s in [
        (xc[0], "Loại" + sl + "Type", "P", vp),
        (xc[1], "Mã số" + sl + "Code", "VNM", vp),
        (xc[2], "Số hộ chiếu" + sl + "Passport N°", p.passno, vp + 2.2),
    ]:
        c.text(x, y, l, st.lab, lp, st.lcol)
        c.text(x, y + 4.4, v, st.valb if s > vp else st.v, s, st.col, track=0.1 if s > vp else 0)
    pw, ph = r.U(31, 34), r.U(41, 44)
    py = y + 6.6
    c.paste(face(r, pw, ph, bg=(245, 245, 245)), lx, py, pw, ph, claim="photo")
    mz = oy + r.U(74.6, 76)
    pitch = r.U(2.5, 2.57)
    gap = r.U(6, 6.6)
    y += r.U(8.6, 9.2)
    xr = 121.5
    x2 = x1 + r.U(39, 43)
    N = p.name.upper()
    rows = mz - 4 - y
    g = rows / 6.0
    gv = min(3.9, g * 0.47)

    def cell(x, y, l, v, right, f=None, pt=None):
        c.text(x, y, l, st.lab, c.fit(l, st.lab, lp, right - x), st.lcol)
        c.text(x, y + gv, v, f or st.v, c.fit(v, f or st.v, pt or vp, right - x), st.col)

    cell(x1, y, "Họ và tên" + sl + "Full name", N, xr, st.valb if r.P(0.6) else None, vp + 0.6)
    y += g
    nat = r.pick(["VIỆT NAM / VIETNAMESE", "Việt Nam / Vietnamese", "VIỆT NAM/VIETNAMESE"])
    cell(x1, y, "Quốc tịch" + sl + "Nationality", nat, xr)
    y += g
    ds = r.pick(["/", " / ", "/"])
    dt = lambda d: pp.vn(d, ds)
    pob = p.pob if r.P(0.5) else p.pob.upper()
    has = not (p.issue >= D.date(2022, 7, 1) and p.issue < D.date(2023, 1, 1))
    cell(x1, y, "Ngày sinh" + sl + "Date of birth", dt(p.dob), x2 - 1)
    if has:
        cell(x2, y, "Nơi sinh" + sl + "Place of birth", pob, xr)
    y += g
    sx = ("NAM" if p.sex == "Nam" else "NỮ") if r.P(0.5) else p.sex
    sx += r.pick([" / ", "/"]) + ("M" if p.sex == "Nam" else "F")
    cell(x1, y, "Giới tính" + sl + "Sex", sx, x2 - 1)
    cell(x2, y, ("Số ĐDCN/CMND" if new else "Số GCMND") + sl + "ID card N°", p.idno, xr)
    y += g
    cell(x1, y, "Ngày cấp" + sl + "Date of issue", dt(p.issue), x2 - 1)
    cell(x2, y, "Có giá trị đến" + sl + "Date of expiry", dt(p.exp), xr)
    y += g
    cell(
        x1,
        y,
        "Nơi cấp" + sl + "Place of issue",
        r.pick(["Cục Quản lý xuất nhập cảnh", "CỤC QUẢN LÝ XUẤT NHẬP CẢNH", "Hà Nội"]),
        xr,
    )
    x = (W - pitch * 44) / 2
    mrz(c, pp.td3(p), x, mz, pitch, gap, r.U(9.6, 10.4))
    F = dict(
        document_number=p.passno,
        full_name=N,
        nationality="Việt Nam",
        date_of_birth=p.dob.isoformat(),
        sex=p.sex,
        number=p.idno,
        date_of_issue=p.issue.isoformat(),
        date_of_expiry=p.exp.isoformat(),
    )
    if has:
        F["place_of_birth"] = p.pob
    return c, F, True


# ------------------------------------------------------------------ sheets, A4
def sheet(r):
    return Canvas(210, 297, 12.5, r.pick([(255, 255, 255), (253, 252, 248), (250, 250, 246)]))


class Ink:
    def __init__(s, r):
        fam = r.pick(SERIF if r.P(0.8) else SANS)
        s.lab, s.labb = fam
        s.val, s.valb = fam if r.P(0.7) else r.pick(SERIF + SANS[:4])
        s.it = ITALIC.get(s.lab)
        k = r.I(0, 3)
        s.v = s.valb if k == 0 else (ITALIC.get(s.val) or s.val) if k == 1 else s.val
        s.col = r.pick([(10, 10, 10), (25, 25, 30), (20, 25, 90)])
        s.lcol = r.pick([(10, 10, 10), (30, 30, 30)])
        s.r = r
        s.colon = True


def run(c, st, x, y, items, pt, right, dots=False):
    """Several labelled values on one line; the values start where the label ends."""
    n = len(items)
    for i, (l, v, at) in enumerate(items):
        x = max(x, at) if at else x
        e = c.text(x, y, l, st.lab, pt, st.lcol) + st.r.U(1.2, 2.2)
        stop = (items[i + 1][2] - 2) if i + 1 < n else right
        if v:
            x2 = c.text(e, y, v, st.v, c.fit(v, st.v, pt, stop - e), st.col)
        else:
            x2 = e
        if dots:
            dotline(c, e if not v else x2 + 0.5, stop, y + 0.3, step=1.1, r=0.14)
        x = stop + 2


def para(c, st, x, y, label, val, pt, right, gap, nl=2, dots=False, f=None):
    e = c.text(x, y, label, st.lab, pt, st.lcol) + st.r.U(1.2, 2.2)
    lines, q = c.wrapfit(val, f or st.v, pt, right - e, right - x, nl, 0.85)
    xe = e
    if lines[0]:
        xe = c.text(e, y, lines[0], f or st.v, q, st.col)
    if dots and len(lines) == 1:
        dotline(c, xe + 0.5, right, y + 0.3, step=1.1, r=0.14)
    for l in lines[1:]:
        y += gap
        xe = c.text(x, y, l, f or st.v, q, st.col)
        if dots and l is lines[-1]:
            dotline(c, xe + 0.5, right, y + 0.3, step=1.1, r=0.14)
    return y + gap


def khai_sinh(r, st, p, dmg):
    c = sheet(r)
    st = Ink(r)
    if r.P(0.6):  # the printed form with a coloured ground and a border
        m = r.U(8, 12)
        a = np.asarray(c.im).copy()
        W, H = 210 - 2 * m, 297 - 2 * m
        g = ground(
            r,
            W,
            H,
            12.5,
            [(252, 240, 236), (250, 246, 240), (246, 244, 250)],
            [(246, 222, 216), (240, 228, 206), (232, 226, 240)],
        )
        x, y = round(m * 12.5), round(m * 12.5)
        a[y : y + g.shape[0], x : x + g.shape[1]] = g
        c.put(a)
        for k, w in ((0, 8), (1.4, 3)):
            c.d.rectangle(
                [x + k * 12.5, y + k * 12.5, x + g.shape[1] - k * 12.5, y + g.shape[0] - k * 12.5],
                outline=(190, 60, 60),
                width=w,
            )
    x0, right = r.U(22, 28), r.U(188, 194)
    pt = r.U(11.5, 13.2)
    g = r.U(7.4, 8.4)
    dots = r.P(0.5)
    red = r.pick([(200, 30, 40), (10, 10, 10)])
    y = r.U(24, 32)
    cx = 105 + r.U(-3, 3)
    c.text(cx, y, "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", st.labb, pt + 0.5, INK, "m")
    y += 6.2
    c.text(cx, y, "Độc lập - Tự do - Hạnh phúc", st.labb, pt + 0.5, INK, "m")
    c.d.line([(cx - 26) * 12.5, (y + 1.6) * 12.5, (cx + 26) * 12.5, (y + 1.6) * 12.5], fill=INK, width=4)
    y += r.U(4, 5)
    es = r.U(17, 21)
    if r.P(0.7):
        c.paste(emblem(r, es), cx - es / 2, y, es, es, claim="emblem")
        y += es + 8
    else:
        y += 12
    t = r.pick(["GIẤY KHAI SINH", "GIẤY KHAI SINH", "GIẤY KHAI SINH (BẢN SAO)"])
    c.text(cx, y, t, st.labb, r.U(18, 22), red, "m")
    y += r.U(7, 8)
    rn = r.pick(["%d/%d", "%02d/%d", "%d/%d"]) % (r.I(1, 480), p.issue.year)
    nl = r.pick(["Số:", "Số: "])
    e = c.text(cx - 16, y, nl.strip(), st.lab, pt, st.lcol)
    c.text(e + 2, y, rn, st.v, pt, st.col)
    y += g + r.U(1, 4)
    N = p.name.upper()
    dn = r.pick([" ", ""])
    lab_name = "Họ, chữ đệm, tên"
    y = para(c, st, x0, y, lab_name + ":", N, pt, right, g, 1, dots, st.valb)
    y = para(c, st, x0, y, "Ngày, tháng, năm sinh:", pp.vn(p.dob), pt, right, g, 1, dots)
    y = para(
        c,
        st,
        x0 + (8 if r.P(0.3) else 0),
        y,
        r.pick(["Ghi bằng chữ:", "ghi bằng chữ:"]),
        pp.words(p.dob),
        pt,
        right,
        g,
        2,
        dots,
    )
    xs = x0 + r.U(48, 52), x0 + r.U(102, 108)
    run(
        c,
        st,
        x0,
        y,
        [("Giới tính:", p.sex, 0), ("Dân tộc:", p.eth, xs[0]), ("Quốc tịch:", "Việt Nam", xs[1])],
        pt,
        right,
        dots,
    )
    y += g
    y = para(c, st, x0, y, "Nơi sinh:", p.pob, pt, right, g, 2, dots)
    y = para(c, st, x0, y, "Quê quán:", p.origin, pt, right, g, 2, dots)
    y = para(c, st, x0, y, "Số định danh cá nhân:", p.number, pt, right, g, 1, dots)
    y += r.U(0, 2)
    base = p.dob.year
    people_ = [("mẹ", p.mother, p.residence), ("cha", p.father, p.residence)]
    if r.P(0.3):
        people_.reverse()
    for who, n, res in people_:
        y = para(
            c,
            st,
            x0,
            y,
            "Họ, chữ đệm, tên người %s:" % who,
            n.upper() if r.P(0.7) else n,
            pt,
            right,
            g,
            2,
            dots,
            st.valb if r.P(0.5) else None,
        )
        run(
            c,
            st,
            x0,
            y,
            [
                ("Năm sinh:", str(base - r.I(20, 38)), 0),
                ("Dân tộc:", r.pick([p.eth, "Kinh"]), xs[0]),
                ("Quốc tịch:", "Việt Nam", xs[1]),
            ],
            pt,
            right,
            dots,
        )
        y += g
        y = para(c, st, x0, y, "Nơi cư trú:", res, pt, right, g, 2, dots)
        y += r.U(0, 1)
    dec = r.pick([p.mother, p.father])
    y = para(c, st, x0, y, "Họ, chữ đệm, tên người đi khai sinh:", dec, pt, right, g, 2, dots)
    y = para(
        c,
        st,
        x0,
        y,
        "Giấy tờ tùy thân:",
        "Căn cước công dân số %s" % (pp.number12(r, p.code, "Nữ", D.date(base - 27, 5, 5))),
        pt,
        right,
        g,
        2,
        dots,
    )
    y = para(c, st, x0, y, "Nơi đăng ký khai sinh:", "Ủy ban nhân dân " + p.area, pt, right, g, 2, dots)
    y = para(c, st, x0, y, "Ngày, tháng, năm đăng ký:", pp.vn(p.issue), pt, right, g, 1, dots)
    cxs = r.U(146, 156)
    y += r.U(1, 3)
    t = r.pick(["NGƯỜI KÝ GIẤY KHAI SINH", "CÁN BỘ TƯ PHÁP - HỘ TỊCH   ", "NGƯỜI KÝ GIẤY KHAI SINH"]).strip()
    if t.startswith("CÁN"):
        t = "NGƯỜI KÝ GIẤY KHAI SINH"
    c.text(cxs, y, t, st.labb, pt * 0.92, INK, "m")
    y += 5.6
    c.text(cxs, y, r.pick(["CHỦ TỊCH", "PHÓ CHỦ TỊCH"]), st.labb, pt * 0.92, INK, "m")
    y += 3
    sw = r.U(24, 34)
    c.paste(signature(r, sw, 12), cxs - sw / 2 + r.U(-3, 8), y, sw, 12, mul=True)
    sd = r.U(32, 36)
    c.paste(
        stamp(r, sd, ["ỦY BAN NHÂN DÂN", p.area.split(", ")[0].upper()], f=st.labb, K=12.5),
        cxs - sd * r.U(0.85, 1.05),
        y - sd * r.U(0.3, 0.5),
        sd,
        sd,
        mul=True,
    )
    y += 17
    c.text(cxs, y, pp.name(r, "Nam"), st.labb, pt, INK, "m")
    F = dict(
        register_number=rn,
        full_name=N,
        date_of_birth=p.dob.isoformat(),
        sex=p.sex,
        ethnicity=p.eth,
        nationality="Việt Nam",
        place_of_birth=p.pob,
        place_of_origin=p.origin,
        number=p.number,
        mother_name=p.mother,
        father_name=p.father,
        date_of_issue=p.issue.isoformat(),
    )
    return c, F, False


def ct07(r, st, p, dmg):
    c = sheet(r)
    st = Ink(r)
    S = c.S
    x0, right = r.U(23, 28), r.U(188, 193)
    pt = r.U(11.3, 12.8)
    g = r.U(7.2, 8.2)
    dots = r.P(0.5)
    y = r.U(19, 26)
    w, d = p.area.split(", ")[-2] if not p.two else p.area.split(", ")[0], ""
    ward = p.area.split(", ")[0]
    over = p.area.split(", ")[1]
    if r.P(0.6):
        c.text(
            right,
            y - 8,
            r.pick(["Mẫu CT07 ban hành kèm theo TT số 56/2021/TT-BCA", "Mẫu CT07 ban hành theo TT số 66/2023/TT-BCA"]),
            st.it or st.lab,
            9,
            INK,
            "r",
        )
    lx, rx = x0 + r.U(28, 32), r.U(138, 144)
    t1, t2 = ("CÔNG AN " + over).upper(), ("CÔNG AN " + ward).upper()
    c.text(lx, y, t1, st.lab, c.fit(t1, st.lab, pt * 0.9, 66), INK, "m")
    t = "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM"
    c.text(rx, y, t, st.labb, c.fit(t, st.labb, pt * 0.92, 93), INK, "m")
    y += 5.4
    c.text(lx, y, t2, st.labb, c.fit(t2, st.labb, pt * 0.9, 66), INK, "m")
    c.text(rx, y, "Độc lập - Tự do - Hạnh phúc", st.labb, pt * 0.95, INK, "m")
    c.d.line([(rx - 24) * S, (y + 1.5) * S, (rx + 24) * S, (y + 1.5) * S], fill=INK, width=4)
    y += r.U(7.4, 8.6)
    c.text(lx, y, "Số: %d/XN" % r.I(20, 4800), st.lab, pt, INK, "m")
    dd = p.issue
    t = "%s, ngày %02d tháng %02d năm %d" % (pp.strip_unit(ward), dd.day, dd.month, dd.year)
    c.text(rx, y, t, st.it or st.lab, c.fit(t, st.it or st.lab, pt, 90), INK, "m")
    y += r.U(12, 16)
    c.text(105, y, "XÁC NHẬN THÔNG TIN VỀ CƯ TRÚ", st.labb, r.U(13.5, 16), INK, "m")
    y += r.U(10, 12)
    N = p.name.upper() if r.P(0.7) else p.name
    c.text(x0, y, r.pick(["I. Theo đề nghị của Ông/Bà:", "I. Theo đề nghị của ông/bà:"]), st.labb, pt, st.lcol)
    y += g
    y = para(c, st, x0, y, "1. Họ, chữ đệm và tên:", N, pt, right, g, 1, dots)
    run(
        c,
        st,
        x0,
        y,
        [("2. Ngày, tháng, năm sinh:", pp.vn(p.dob), 0), ("3. Giới tính:", p.sex, x0 + r.U(98, 106))],
        pt,
        right,
        dots,
    )
    y += g
    lab = r.pick(["4. Số định danh cá nhân:", "4. Số định danh cá nhân/CMND:"])
    if r.P(0.6):
        e = c.text(x0, y, lab, st.lab, pt, st.lcol) + 2
        bw = r.U(5.6, 6.8)
        bh = 6.2
        for i, ch in enumerate(p.number):
            c.d.rectangle(
                [(e + i * bw) * S, (y - 4.7) * S, (e + (i + 1) * bw) * S, (y - 4.7 + bh) * S],
                outline=(40, 40, 40),
                width=3,
            )
            c.text(e + (i + 0.5) * bw, y, ch, st.v, pt, st.col, "m")
        y += g + 0.6
    else:
        y = para(c, st, x0, y, lab, p.number, pt, right, g, 1, dots)
    y = para(c, st, x0, y, "5. Quê quán:", p.origin, pt, right, g, 2, dots)
    run(
        c,
        st,
        x0,
        y,
        [
            ("6. Dân tộc:", p.eth, 0),
            ("7. Tôn giáo:", p.rel, x0 + r.U(50, 54)),
            ("8. Quốc tịch:", "Việt Nam", x0 + r.U(106, 112)),
        ],
        pt,
        right,
        dots,
    )
    y += g + 1
    y = para(c, st, x0, y, "II. Công an " + ward, "xác nhận thông tin như sau:", pt, right, g, 2, False, st.lab)
    y = para(c, st, x0, y, "1. Nơi thường trú:", p.residence, pt, right, g, 2, dots)
    y = para(c, st, x0, y, "2. Nơi tạm trú:", r.pick(["Không", "", "không"]), pt, right, g, 1, dots)
    y = para(c, st, x0, y, "3. Nơi ở hiện tại:", p.residence, pt, right, g, 2, dots)
    head_ = r.P(0.5)
    hs = p.name.split()[0]
    chu = p.name if head_ else pp.name(r, "Nam", hs)
    hrel = "Chủ hộ" if head_ else r.pick(["Con", "Vợ" if p.sex == "Nữ" else "Em", "Cháu"])
    y = para(c, st, x0, y, "4. Họ, chữ đệm và tên chủ hộ:", chu.upper() if r.P(0.5) else chu, pt, right, g, 1, dots)
    hnum = p.number if head_ else pp.number12(r, p.code, "Nam", D.date(r.I(1955, 1985), r.I(1, 12), r.I(1, 28)))
    run(c, st, x0, y, [("5. Quan hệ với chủ hộ:", hrel, 0)], pt, right, dots)
    y += g
    run(c, st, x0, y, [("6. Số định danh cá nhân của chủ hộ:", hnum, 0)], pt, right, dots)
    y += g
    y = para(c, st, x0, y, "7. Thông tin các thành viên khác trong hộ gia đình:", "", pt, right, g, 1)
    cols = [0, 11, 62, 88, 106, 137, right - x0]
    hd = ["TT", "Họ, chữ đệm và tên", "Ngày sinh", "Giới tính", "Số định danh", "Quan hệ"]
    n = r.I(1, 3)
    rh = r.U(6.4, 7.4)
    y -= g * 0.45
    tp = pt * 0.82
    for k in range(n + 1):
        for j in range(6):
            a, b = x0 + cols[j], x0 + cols[j + 1]
            c.d.rectangle([a * S, (y + k * rh) * S, b * S, (y + (k + 1) * rh) * S], outline=(30, 30, 30), width=3)
        if k == 0:
            vals = hd
        else:
            sx = r.pick(["Nam", "Nữ"])
            dob = D.date(r.I(1960, 2019), r.I(1, 12), r.I(1, 28))
            vals = [
                str(k),
                pp.name(r, sx, hs if sx == "Nam" else None),
                pp.vn(dob),
                sx,
                pp.number12(r, p.code, sx, dob),
                r.pick(["Con", "Cháu", "Em"] if dob.year > 1985 else ["Em", "Mẹ" if sx == "Nữ" else "Bố"]),
            ]
        for j, v in enumerate(vals):
            a, b = x0 + cols[j], x0 + cols[j + 1]
            f = st.labb if k == 0 else st.val
            c.text((a + b) / 2, y + k * rh + rh * 0.66, v, f, c.fit(v, f, tp, b - a - 1.6), INK, "m")
    y += (n + 1) * rh + g * 0.8
    y = para(c, st, x0, y, "8. Nội dung xác nhận khác:", r.pick(["", "Không"]), pt, right, g, 1, dots)
    until = pp.years_on(p.issue, 1)
    t = "Xác nhận này có giá trị đến hết ngày %02d tháng %02d năm %d." % (until.day, until.month, until.year)
    c.text(x0, y, t, st.lab, c.fit(t, st.lab, pt, right - x0), st.lcol)
    y += g + r.U(0, 3)
    cxs = r.U(146, 154)
    c.text(
        cxs,
        y,
        r.pick(["TRƯỞNG CÔNG AN", "THỦ TRƯỞNG CƠ QUAN ĐĂNG KÝ CƯ TRÚ", "PHÓ TRƯỞNG CÔNG AN"]),
        st.labb,
        pt * 0.92,
        INK,
        "m",
    )
    y += 3
    sw = r.U(24, 34)
    c.paste(signature(r, sw, 12), cxs - sw / 2 + r.U(-2, 8), y, sw, 12, mul=True)
    sd = r.U(32, 36)
    c.paste(
        stamp(r, sd, ["CÔNG AN " + over.upper(), ward.upper()], f=st.labb, K=12.5),
        cxs - sd * r.U(0.85, 1.05),
        y - sd * r.U(0.3, 0.5),
        sd,
        sd,
        mul=True,
    )
    y += 17
    c.text(
        cxs, y, r.pick(["Thiếu tá ", "Trung tá ", "Đại úy ", "Thượng tá "]) + pp.name(r, "Nam"), st.labb, pt, INK, "m"
    )
    F = dict(
        full_name=N,
        date_of_birth=p.dob.isoformat(),
        sex=p.sex,
        number=p.number,
        place_of_origin=p.origin,
        ethnicity=p.eth,
        religion=p.rel,
        nationality="Việt Nam",
        place_of_residence=p.residence,
        date_of_issue=p.issue.isoformat(),
    )
    return c, F, False


KIND = {
    "cccd": ("cccd", [cccd_front, cccd_back]),
    "can-cuoc": ("can-cuoc", [cc_front, cc_back]),
    "cccd-2016": ("cccd-2016", [bar_front, bar_back]),
    "cmnd9": ("cmnd", [nine_front, nine_back]),
    "cmnd12": ("cmnd", [lambda *a: bar_front(*a, cmnd=True), lambda *a: bar_back(*a, cmnd=True)]),
    "passport": ("passport", [passport]),
    "khai-sinh": ("khai-sinh", [khai_sinh]),
    "ct07": ("ct07", [ct07]),
}

CLASH = {}


def make(r, what, which, dmg, lie=None):
    """Draws the wanted sides of an invented person's paper: kind, canvases, fields, code. With a lie, its symbol is forged, the truth is
    the print's, and the lies are the last of what is returned."""
    kind, fs = KIND[what]
    for t in range(400):
        p = pp.person(r, what)
        p.prov = pp.OLD[p.code][0]
        hosp = r.pick(["Bệnh viện Đa khoa %s", "Trạm Y tế xã %s", "Bệnh viện Phụ sản %s", "Trung tâm Y tế %s"])
        a = p.area.split(", ")
        p.birthreg = pp.old_area(r, p.code)[1] if r.P(0.7) or not p.two else pp.new_area(r)
        if r.P(0.15):
            p.birthreg = "UBND " + p.birthreg
        p.pob = (
            p.prov
            if what == "passport"
            else (hosp % pp.strip_unit(a[0] if "xã" in hosp else a[-2] if len(a) > 2 else a[0])).replace("xã ", "xã ")
            + ", "
            + ", ".join(a[-2:] if len(a) > 2 else a[-1:])
        )
        if what == "passport":
            p.passno = r.pick(["B", "C", "C", "P", "N", "E"]) + r.digits(7) if r.P(0.85) else "P" + r.digits(8)
            p.idno = p.nine if p.issue.year < 2019 and r.P(0.6) else p.number
            p.exp = pp.years_on(p.issue, 10 if (p.issue - p.dob).days > 14 * 365.25 else 5)
        if what == "cmnd12":
            p.exp = pp.years_on(p.issue, 15)
        if lie:
            p.forged = pp.forge(r, p, lie)
        st = Style(r, what)
        cs, F, code = [], {}, False
        try:
            for i in which:
                c, f, k = fs[i](r, st, p, dmg)
                cs.append(c)
                for n, v in f.items():
                    if n in F and F[n] != v and not (n == "date_of_expiry"):
                        raise RuntimeError("sides disagree: " + n)
                    if n == "date_of_expiry" and "place_of_residence" not in f and n in F:
                        continue
                    F[n] = v
                code = code or k
            wrong = []
            if lie:
                F.pop("old_number", None)
                if 1 not in which:  # the day of issue stands behind
                    F.pop("date_of_issue", None)
                wrong = [n for n in pp.lies(p, p.forged) if n in F]
            return kind, cs, F, code, wrong
        except Clash as e:
            last = e
            CLASH[str(e)[:60]] = CLASH.get(str(e)[:60], 0) + 1
    raise RuntimeError("%s: %s" % (what, last))
