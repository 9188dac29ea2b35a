"""What happens to a drawn paper on its way to a file: wear, scanner glass, copier, camera.

Pictures are numpy arrays of bytes as cv2 has them: BGRA for one cut-out side, BGR for a page, one channel for grey.
"""

import cv2
import numpy as np

A4_WIDTH = 210
A4_HEIGHT = 297
MM_PER_INCH = 25.4


def _numpy_random(rng, end=2**31):
    return np.random.default_rng(rng.randint(0, end))


def _split_alpha(image):
    return image[:, :, :3].astype(np.float32), image[:, :, 3:4].astype(np.float32) / 255


def _to_bytes(values):
    return values.clip(0, 255).astype(np.uint8)


def _rotate(image, degrees, border):
    """Turns the picture and enlarges it so that no corner is cut off."""
    height, width = image.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1)
    cosine = abs(matrix[0, 0])
    sine = abs(matrix[0, 1])
    new_width = int(height * sine + width * cosine)
    new_height = int(width * sine + height * cosine)
    matrix[0, 2] += new_width / 2 - width / 2
    matrix[1, 2] += new_height / 2 - height / 2
    return cv2.warpAffine(
        image,
        matrix,
        (new_width, new_height),
        flags=cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=border,
    )


def _shadow(alpha, down, right, blur):
    moved = np.roll(np.roll(alpha[:, :, 0], down, 0), right, 1)
    return cv2.GaussianBlur(moved, (0, 0), blur)[:, :, None]


def _paste(page, image, x, y):
    """Lays a cut-out picture with a slight shadow on the page, at these pixels or as near as it fits."""
    height, width = image.shape[:2]
    x = max(0, min(x, page.shape[1] - width))
    y = max(0, min(y, page.shape[0] - height))
    colour, alpha = _split_alpha(image)
    below = page[y : y + height, x : x + width].astype(np.float32)
    below = below * (1 - 0.28 * _shadow(alpha, 4, 3, 3) * (1 - alpha))
    page[y : y + height, x : x + width] = _to_bytes(below * (1 - alpha) + colour * alpha)


def _smooth_noise(rng, height, width, grain, amplitude):
    """Spots of about grain pixels, as an array of floats around zero."""
    shape = (max(2, height // grain), max(2, width // grain))
    noise = _numpy_random(rng).normal(0, 1, shape).astype(np.float32)
    return cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC) * amplitude


def blur(image, sigma):
    """Gaussian blur; sigma in pixels."""
    return cv2.GaussianBlur(image, (0, 0), sigma)


def add_noise(rng, image, sigma):
    """Noise of each pixel, the same for all colours or different; sigma in grey levels."""
    generator = _numpy_random(rng)
    height, width = image.shape[:2]
    same_for_all = rng.random() < 0.5
    channels = 1 if same_for_all or image.ndim == 2 else image.shape[2]
    noise = generator.normal(0, sigma, (height, width, channels))
    if image.ndim == 2:
        noise = noise.reshape(image.shape)
    return _to_bytes(image.astype(np.float32) + noise)


def ruin_code(rng, image, code, dpi):
    """Makes the code on a side unreadable, in place, by scratches, blur or glare."""
    scale = dpi / MM_PER_INCH
    x, y, width, height = (int(value * scale) for value in (code.x, code.y, code.width, code.height))
    view = image[y : y + height, x : x + width, :3]
    # cv2 cannot draw on a view with gaps between its rows.
    region = np.ascontiguousarray(view)
    height, width = region.shape[:2]

    def point():
        return rng.randint(0, width), rng.randint(0, height)

    how = rng.random()
    if how < 0.4:
        for _ in range(rng.randint(6, 12)):
            start = point()
            end = point()
            colour = (235, 235, 235) if rng.random() < 0.7 else (60, 70, 70)
            cv2.line(region, start, end, colour, rng.randint(6, 22), cv2.LINE_AA)
    elif how < 0.7:
        region = blur(region, width / 28)
    else:
        region = (region.astype(np.float32) * 0.25 + 170).astype(np.uint8)
        cv2.circle(region, point(), width // 2, (225, 225, 228), -1, cv2.LINE_AA)
    view[:] = region


def _scratch(rng, image, scale):
    height, width = image.shape[:2]
    x = rng.randint(0, width)
    y = rng.randint(0, height)
    length = rng.uniform(5, 40) * scale
    angle = rng.uniform(-0.6, 0.6) + rng.choice([0, 1.57, 0])
    colour = (240, 242, 240) if rng.random() < 0.75 else (90, 95, 95)
    points = []
    for step in range(6):
        point_x = x + length * np.cos(angle) * step / 5 + rng.uniform(-0.3, 0.3) * scale
        point_y = y + length * np.sin(angle) * step / 5 + rng.uniform(-0.3, 0.3) * scale
        points.append([point_x, point_y])
    points = np.array(points, np.int32)
    thickness = max(1, int(rng.uniform(0.04, 0.16) * scale))
    margin = thickness + 3
    left = max(0, points[:, 0].min() - margin)
    top = max(0, points[:, 1].min() - margin)
    right = min(width, points[:, 0].max() + margin)
    bottom = min(height, points[:, 1].max() + margin)
    opacity = rng.uniform(0.5, 0.95)
    if right <= left or bottom <= top:
        return
    region = np.ascontiguousarray(image[top:bottom, left:right, :3])
    scratched = region.copy()
    cv2.polylines(scratched, [points - [left, top]], False, colour, thickness, cv2.LINE_AA)
    image[top:bottom, left:right, :3] = (region * (1 - opacity) + scratched * opacity).astype(np.uint8)


def wear_out(rng, image, dpi):
    """Fades, stains and scratches a side, in place."""
    height, width = image.shape[:2]
    contrast = rng.uniform(0.5, 0.8)
    colour = image[:, :, :3].astype(np.float32)
    colour = colour * contrast + (1 - contrast) * rng.uniform(190, 225)
    colour += _smooth_noise(rng, height, width, int(dpi * 0.2), rng.uniform(4, 10))[:, :, None]
    image[:, :, :3] = _to_bytes(colour)
    for _ in range(rng.randint(4, 16)):
        _scratch(rng, image, dpi / MM_PER_INCH)


def turn(image, degrees):
    """The picture turned clockwise by 0, 90, 180 or 270 degrees."""
    turns = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}
    return cv2.rotate(image, turns[degrees]) if degrees else image


# ---- scanner


def resize(image, factor):
    """The picture made larger or smaller by a factor."""
    if factor == 1:
        return image
    method = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    return cv2.resize(image, None, fx=factor, fy=factor, interpolation=method)


def scan_whole_page(rng, side, skew, white):
    """Scans a paper as large as the glass, askew by up to six tenths of skew (degrees); white is a grey level."""
    colour, alpha = _split_alpha(side)
    page = (colour * alpha + white * (1 - alpha)).astype(np.uint8)
    height, width = page.shape[:2]
    turned = _rotate(page, rng.uniform(-skew, skew) * 0.6, (white, white, white))
    top = (turned.shape[0] - height) // 2
    left = (turned.shape[1] - width) // 2
    return turned[top : top + height, left : left + width]


def scan_cropped(rng, side, dpi, skew, white):
    """Scans one side that is smaller than the glass, cut to it with a margin of 2 to 8 mm."""
    side = _rotate(side, rng.uniform(-skew, skew), (0, 0, 0, 0))
    margin = int(rng.uniform(2, 8) * dpi / MM_PER_INCH)
    page = np.full((side.shape[0] + 2 * margin, side.shape[1] + 2 * margin, 3), white, np.uint8)
    _paste(page, side, margin, margin)
    return page


def scan_on_a4(rng, sides, dpi, skew, white):
    """Scans one or two sides, below or beside each other, on an A4 page."""
    mm = dpi / MM_PER_INCH
    width = int(A4_WIDTH * mm)
    height = int(A4_HEIGHT * mm)
    page = np.full((height, width, 3), white, np.float32)
    page += _smooth_noise(rng, height, width, 200, 1.2)[:, :, None]
    page = _to_bytes(page)
    beside = len(sides) > 1 and rng.choice([False, False, True])
    common_skew = rng.uniform(-skew, skew)
    x = int(rng.uniform(8, 60) * mm)
    y = int(rng.uniform(8, 40) * mm)
    if beside:
        x = int(rng.uniform(3, 9) * mm)
    for side in sides:
        turned = _rotate(side, common_skew + rng.uniform(-0.8, 0.8), (0, 0, 0, 0))
        _paste(page, turned, x, y)
        if beside:
            x += turned.shape[1] + int(rng.uniform(2, 8) * mm)
            y += int(rng.uniform(-3, 3) * mm)
        else:
            y += turned.shape[0] + int(rng.uniform(4, 30) * mm)
            x += int(rng.uniform(-4, 4) * mm)
    return page


def photocopy(rng, page):
    """A grey copy of the page with more contrast."""
    grey = cv2.cvtColor(page, cv2.COLOR_BGR2GRAY).astype(np.float32)
    contrast = rng.uniform(1.15, 1.5)
    grey = (grey - rng.uniform(120, 150)) * contrast + rng.uniform(140, 165)
    return add_noise(rng, _to_bytes(grey), 4)


def to_black_and_white(rng, page):
    """A page of only black and white pixels, by a threshold that follows the brightness around each pixel."""
    grey = cv2.cvtColor(page, cv2.COLOR_BGR2GRAY)
    grey = blur(add_noise(rng, grey, 3), 0.6)
    around = cv2.resize(grey, None, fx=0.125, fy=0.125, interpolation=cv2.INTER_AREA)
    # The lightest pixel near each one is paper, even amid text.
    around = blur(cv2.dilate(around, np.ones((5, 5))), 6)
    around = cv2.resize(around, (grey.shape[1], grey.shape[0]), interpolation=cv2.INTER_LINEAR)
    threshold = around.astype(np.float32) * rng.uniform(0.70, 0.82)
    return np.where(grey < threshold, 0, 255).astype(np.uint8)


# ---- camera


def _wood(rng, height, width):
    base = np.array(rng.choice([(60, 95, 140), (40, 62, 96), (110, 150, 190), (90, 120, 150)]), np.float32)
    streaks = _numpy_random(rng).normal(0, 1, (height // 6, max(2, width // 160))).astype(np.float32)
    streaks = cv2.resize(streaks, (width, height), interpolation=cv2.INTER_CUBIC)
    bends = _smooth_noise(rng, height, width, 300, 2)
    grain = np.sin(np.linspace(0, 60, height)[:, None] + streaks * 2 + bends)
    return (base + grain[:, :, None] * 12 + streaks[:, :, None] * 7).clip(0, 255)


def _cloth(rng, height, width):
    base = np.array(rng.choice([(120, 60, 50), (70, 70, 140), (150, 160, 165), (60, 90, 60)]), np.float32)
    y, x = np.mgrid[0:height, 0:width]
    weave = ((x // 4 + y // 4) % 2) * 10 - 5 + np.sin(x * 0.8) * 4
    folds = _smooth_noise(rng, height, width, 150, 8)
    return (base + weave[:, :, None] + folds[:, :, None]).clip(0, 255)


def _desk(rng, height, width):
    base = np.array(rng.choice([(205, 212, 216), (225, 225, 222), (70, 72, 78), (150, 160, 172)]), np.float32)
    stains = _smooth_noise(rng, height, width, 400, 7)
    dust = _numpy_random(rng, 9**9).normal(0, 3, (height, width, 1))
    return (base + stains[:, :, None] + dust).clip(0, 255)


def _light(rng, x, y, width, height):
    """Brightness of each pixel: uneven lamp light and in half of the photographs the shadow of a hand."""
    angle = rng.uniform(0, 6.28)
    across = (x / width - 0.5) * np.cos(angle) + (y / height - 0.5) * np.sin(angle) + 0.5
    light = 1 - rng.uniform(0.08, 0.3) * across
    if rng.random() < 0.5:
        distance = x * np.cos(angle + 1) + y * np.sin(angle + 1)
        edge = np.quantile(distance[::50, ::50], rng.uniform(0.15, 0.85))
        depth = rng.uniform(0.15, 0.35)
        softness = rng.uniform(15, 120)
        # More than 80 would only overflow.
        light *= 1 - depth / (1 + np.exp(np.minimum((distance - edge) / softness, 80)))
    return light


def _glare(rng, x, y, centre, half_size, width):
    """Light added to each pixel by the reflection of a lamp on the paper."""
    glare_x = centre[0] + rng.uniform(-0.9, 0.9) * half_size[0]
    glare_y = centre[1] + rng.uniform(-0.9, 0.9) * half_size[1]
    radius = rng.uniform(0.05, 0.14) * width
    strength = rng.uniform(50, 170)
    flatness = rng.uniform(0.4, 1)
    return strength * np.exp(-(((x - glare_x) / radius) ** 2 + ((y - glare_y) / (radius * flatness)) ** 2))


def _shake(rng, image):
    """Blurs as a hand does that moves during the exposure, by 3 to 5 pixels."""
    size = rng.choice([3, 4, 5])
    angle = rng.uniform(0, 3.14)
    kernel = np.zeros((size, size), np.float32)
    middle = size / 2
    reach_x = np.cos(angle) * size / 2
    reach_y = np.sin(angle) * size / 2
    start = (int(middle - reach_x), int(middle - reach_y))
    end = (int(middle + reach_x), int(middle + reach_y))
    cv2.line(kernel, start, end, 1, 1)
    return cv2.filter2D(image, -1, kernel / max(kernel.sum(), 1))


def _corners(rng, centre, half_size, angle):
    """Where the four corners of a paper held not quite parallel to the camera appear."""
    corners = []
    for side_x, side_y in ((-1, -1), (1, -1), (1, 1), (-1, 1)):
        x = side_x * half_size[0] * (1 + rng.uniform(-0.06, 0.03))
        y = side_y * half_size[1] * (1 + rng.uniform(-0.07, 0.03))
        corner_x = centre[0] + x * np.cos(angle) - y * np.sin(angle)
        corner_y = centre[1] + x * np.sin(angle) + y * np.cos(angle)
        corners.append([corner_x, corner_y])
    return np.float32(corners)


def put_together(rng, sides):
    """Two sides, one below the other, as one cut-out picture."""
    row_height = max(side.shape[0] for side in sides)
    width = max(side.shape[1] for side in sides) + 60
    both = np.zeros((row_height * 2 + 90, width, 4), np.uint8)
    for row, side in enumerate(sides):
        left = rng.randint(0, 50)
        top = row * (row_height + 80)
        both[top : top + side.shape[0], left : left + side.shape[1]] = side
    return both


def photograph(rng, image, upright):
    """A photograph of 5 to 8 megapixels of the cut-out picture on some surface.

    upright is for a whole page, which fills an upright photograph; cards are photographed from farther away.
    """
    long_side = rng.choice([3024, 3264, 2592])
    short_side = long_side * 3 // 4
    width, height = (short_side, long_side) if upright else (long_side, short_side)
    surface = rng.choice([_wood, _cloth, _desk])(rng, height // 2, width // 2)
    surface = cv2.resize(surface.astype(np.float32), (width, height))

    image_height, image_width = image.shape[:2]
    filled = rng.uniform(0.84, 0.95) if upright else rng.uniform(0.62, 0.88)
    scale = filled * min(width / image_width, height / image_height)
    angle = np.radians(rng.uniform(-7, 7))
    half_size = (image_width * scale / 2, image_height * scale / 2)
    off_centre_x = rng.uniform(-0.04, 0.04)
    off_centre_y = rng.uniform(-0.05, 0.05)
    if upright:
        centre = (width / 2, height / 2)
    else:
        centre = (width / 2 + off_centre_x * width, height / 2 + off_centre_y * height)
    flat = np.float32([[0, 0], [image_width, 0], [image_width, image_height], [0, image_height]])
    matrix = cv2.getPerspectiveTransform(flat, _corners(rng, centre, half_size, angle))
    if scale <= 0.6:
        image = blur(image, 0.35 / scale)
    seen = cv2.warpPerspective(
        image,
        matrix,
        (width, height),
        flags=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=(0, 0, 0, 0),
    )
    colour, alpha = _split_alpha(seen)
    photo = surface * (1 - 0.5 * _shadow(alpha, 18, 12, 14) * (1 - alpha))
    photo = photo * (1 - alpha) + colour * alpha

    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    photo *= _light(rng, x, y, width, height)[:, :, None]
    if rng.random() < 0.5:
        photo += _glare(rng, x, y, centre, half_size, width)[:, :, None]
    tint = np.array([rng.uniform(0.78, 0.95), rng.uniform(0.92, 0.98), 1.0], np.float32)
    photo = _to_bytes(photo * (tint * rng.uniform(0.88, 1.05)))
    if rng.random() < 0.4:
        photo = _shake(rng, photo)
    else:
        photo = blur(photo, rng.uniform(0.4, 1.0))
    return add_noise(rng, photo, rng.uniform(2, 6))
