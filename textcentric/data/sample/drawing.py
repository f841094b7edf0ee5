"""The drawn pictures of the samples: an animal, a house or a thing, in a chosen light and focus.

What a picture says about its row lies in what a plain image expert can put into words: how light
it is, how sharp, and the colour of the backdrop that fills most of it.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING

from textcentric.data.sample.rule import BACKDROP, LIGHT, SHARPNESS, Look

if TYPE_CHECKING:
    import numpy as np
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw

Color = tuple[int, int, int]
SIZES = ((160, 120), (120, 160), (192, 144), (176, 176), (224, 168), (168, 224), (256, 192))
LUMA = {"dark": (34, 46), "normal": (116, 134), "bright": (214, 226)}  # mean luma, 0..255
BACKDROPS: dict[str, tuple[Color, ...]] = {
    "warm": ((235, 120, 30), (226, 96, 24), (240, 140, 40)),
    "cool": ((50, 120, 215), (40, 150, 80), (60, 110, 200)),
}
COATS: dict[str, Color] = {
    "black": (40, 38, 40),
    "brown": (118, 74, 40),
    "golden": (204, 148, 62),
    "cream": (232, 214, 178),
    "gray": (132, 134, 138),
    "white": (240, 240, 236),
    "ginger": (206, 112, 48),
}


def draw(subject: str, look: Look, coat: str, rng: Random) -> Image:
    """Draw one picture of `subject` ("dog", "cat", "house" or "thing") in a given look."""
    from PIL import Image, ImageDraw

    size = rng.choice(SIZES)
    base = rng.choice(BACKDROPS[look.backdrop])
    picture = Image.new("RGB", size, base)
    canvas = ImageDraw.Draw(picture)
    _background(canvas, size, base, rng)
    SUBJECTS[subject](canvas, _frame(size, rng), COATS[coat], rng)
    return _developed(picture, look, rng)


def random_look(rng: Random) -> Look:
    """Draw a look: light normal in four of ten rows, focus and backdrop even."""
    light = rng.choices(list(LIGHT), (3, 4, 3))[0]
    return Look(light, rng.choice(list(SHARPNESS)), rng.choice(list(BACKDROP)))


def _frame(size: tuple[int, int], rng: Random) -> Callable[[float, float], tuple[float, float]]:
    """Return a map from the unit square to a part of the picture, mirrored half of the time."""
    side = min(size) * rng.uniform(0.42, 0.6)
    left = rng.uniform(0.05, 0.95) * (size[0] - side)
    top = rng.uniform(0.5, 1.0) * (size[1] - side)
    mirrored = rng.random() < 0.5
    return lambda x, y: (left + side * (1 - x if mirrored else x), top + side * y)


def _background(canvas: ImageDraw, size: tuple[int, int], base: Color, rng: Random) -> None:
    """Paint a floor line, a few stripes and spots, all close to the base colour."""
    width, height = size
    floor = rng.uniform(0.6, 0.85) * height
    canvas.rectangle((0, floor, width, height), fill=_shade(base, 0.9))
    for _ in range(rng.randint(2, 6)):
        x, y = rng.uniform(0, width), rng.uniform(0, height)
        reach = rng.uniform(0.03, 0.12) * width
        fill = _shade(base, rng.uniform(0.82, 1.12))
        shape = rng.choice((canvas.ellipse, canvas.rectangle))
        shape((x, y, x + reach, y + reach), fill=fill)


def _shade(color: Color, factor: float) -> Color:
    red, green, blue = (max(0, min(255, round(channel * factor))) for channel in color)
    return red, green, blue


def _box(at: Callable, x: float, y: float, right: float, bottom: float) -> list[float]:
    """Return the corners of a box of the unit square in picture coordinates, in order."""
    (x0, y0), (x1, y1) = at(x, y), at(right, bottom)
    return [min(x0, x1), y0, max(x0, x1), y1]


def _dog(canvas: ImageDraw, at: Callable, coat: Color, rng: Random) -> None:
    dark = _shade(coat, 0.7)
    canvas.line([at(0.1, 0.5), at(rng.uniform(-0.05, 0.05), 0.25)], fill=dark, width=4)
    for x in (0.18, 0.3, 0.55, 0.66):
        canvas.rectangle(_box(at, x, 0.65, x + 0.08, 0.98), fill=dark)
    canvas.ellipse(_box(at, 0.08, 0.42, 0.78, 0.78), fill=coat)
    canvas.ellipse(_box(at, 0.6, 0.15, 0.98, 0.52), fill=coat)
    canvas.ellipse(_box(at, 0.58, 0.18, 0.68, 0.5), fill=dark)
    canvas.ellipse(_box(at, 0.86, 0.3, 1.06, 0.46), fill=_shade(coat, 1.1))
    _face(canvas, at, 0.8, 0.26, 1.02, 0.34)


def _cat(canvas: ImageDraw, at: Callable, coat: Color, rng: Random) -> None:
    dark = _shade(coat, 0.75)
    canvas.arc(_box(at, -0.05, 0.3, 0.4, 0.95), 90, 250, fill=dark, width=4)
    canvas.ellipse(_box(at, 0.25, 0.42, 0.72, 0.98), fill=coat)
    canvas.ellipse(_box(at, 0.33, 0.12, 0.73, 0.5), fill=coat)
    for x in (0.35, 0.58):
        tip = at(x + 0.06, rng.uniform(-0.04, 0.02))
        canvas.polygon([at(x, 0.24), tip, at(x + 0.14, 0.2)], fill=dark)
    for y in (0.34, 0.38):
        canvas.line([at(0.3, y), at(0.76, y + 0.02)], fill=(250, 250, 250))
    _face(canvas, at, 0.45, 0.25, 0.53, 0.35)
    _face(canvas, at, 0.6, 0.25, 0.53, 0.35)


def _face(canvas: ImageDraw, at: Callable, x: float, y: float, nose: float, low: float) -> None:
    canvas.ellipse(_box(at, x - 0.03, y - 0.03, x + 0.03, y + 0.03), fill=(20, 20, 20))
    canvas.ellipse(_box(at, nose - 0.03, low - 0.02, nose + 0.03, low + 0.03), fill=(60, 30, 30))


def _house(canvas: ImageDraw, at: Callable, coat: Color, rng: Random) -> None:
    canvas.rectangle(_box(at, 0.1, 0.45, 0.9, 1.0), fill=coat)
    canvas.polygon(
        [at(0.02, 0.45), at(0.5, rng.uniform(0, 0.2)), at(0.98, 0.45)], fill=(96, 44, 38)
    )
    canvas.rectangle(_box(at, 0.42, 0.68, 0.58, 1.0), fill=(70, 50, 40))
    for x in (0.18, 0.68):
        canvas.rectangle(_box(at, x, 0.55, x + 0.14, 0.7), fill=(220, 232, 240))


def _thing(canvas: ImageDraw, at: Callable, coat: Color, rng: Random) -> None:
    """Draw a cupboard, a bicycle or a lamp."""
    kind = rng.randrange(3)
    if kind == 0:
        canvas.rectangle(_box(at, 0.15, 0.1, 0.85, 0.98), fill=coat, outline=_shade(coat, 0.6))
        canvas.line([at(0.5, 0.1), at(0.5, 0.98)], fill=_shade(coat, 0.5), width=2)
    elif kind == 1:
        for x in (0.0, 0.6):
            canvas.ellipse(_box(at, x, 0.55, x + 0.4, 0.95), outline=coat, width=4)
        corners = [at(0.2, 0.75), at(0.4, 0.35), at(0.8, 0.75), at(0.45, 0.75), at(0.4, 0.35)]
        canvas.line(corners, fill=coat, width=4)
    else:
        canvas.polygon([at(0.3, 0.1), at(0.7, 0.1), at(0.9, 0.5), at(0.1, 0.5)], fill=coat)
        canvas.rectangle(_box(at, 0.46, 0.5, 0.54, 0.95), fill=_shade(coat, 0.6))


def _hang_frame(pixels: np.ndarray, value: int, rng: Random) -> None:
    """Hang an empty frame on the wall: one edge of full contrast, by which focus can be told."""
    height, width = pixels.shape[:2]
    side = round(0.2 * min(height, width))
    top, left = rng.randint(2, height // 6), rng.randint(2, width - side - 2)
    pixels[top : top + side, left : left + side] = value


def _developed(picture: Image, look: Look, rng: Random) -> Image:
    """Give the picture its mean luma, then blur it or lay sharp grain over it."""
    import numpy as np
    from PIL import Image, ImageFilter

    pixels = np.asarray(picture, dtype=np.float64)  # (height, width, 3)
    wanted = rng.uniform(*LUMA[look.light])
    luma = float((pixels @ np.array([0.299, 0.587, 0.114])).mean())
    if wanted <= luma:
        pixels = pixels * (wanted / luma)
    else:
        pixels = 255 - (255 - pixels) * ((255 - wanted) / (255 - luma))
    _hang_frame(pixels, 45 if look.light == "bright" else 215, rng)
    if look.sharpness == "sharp":
        grain = np.random.default_rng(rng.getrandbits(32)).normal(0, 14, pixels.shape[:2])
        pixels = pixels + grain[..., None]
    image = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
    blurred = look.sharpness == "blurred"
    return image.filter(ImageFilter.GaussianBlur(rng.uniform(4, 5))) if blurred else image


SUBJECTS = {"dog": _dog, "cat": _cat, "house": _house, "thing": _thing}
