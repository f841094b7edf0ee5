"""What pixels alone say of pictures, in words: colours, light, sharpness and size.

These words need no model, mean the same on photos and on drawings, and are what the picture
contributes where nothing in it is recognised.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from textcentric.data.media.pictures import as_rgb

if TYPE_CHECKING:
    from PIL.Image import Image

# Several shades stand for one name: the nearest shade names the pixel.
_SHADES = {
    "black": "000000 141414 1c1a1a 0d1018",
    "grey": "404040 606060 808080 a0a0a0 bcbcbc 58585c",
    "white": "ffffff f0f0f0 e4e4e4 f6f2ec",
    "red": "d01818 a01010 ff2020 700c10 c03038",
    "orange": "ff8c00 f07820 e06414 ffa040 c87830 d08040",
    "yellow": "ffe000 f0d020 fff060 d8b800 e8d858",
    "green": "20a020 106010 60c040 408040 80b060 708040 0c3a14 a0e080 54643c 80906c",
    "turquoise": "20c0c0 108080 60e0d8 4898a0",
    "blue": "2040d0 1020a0 3080f0 80b8f0 0c1850 5078b0 b0d0f8",
    "purple": "8020c0 602090 a060d0 401060 b898e0",
    "pink": "ff80b0 f0a8c0 e04098 ffc0d0 d87890",
    "brown": "805020 603818 a06838 402410 704830 8c6c4c 5c4634 a88058 74604e 483c30",
    "beige": "d8c09c e8d8bc c4a884 f0e0c8 b8a088 c8b8a4 a89680",
}
_COLOUR_SIDE = 64  # pixels: shares of colours do not need more
_SHARPNESS_SIDE = 256  # pixels: the scale at which edges are judged; never enlarged to it
_LEAST_SHARE = 0.1
_LIGHTS = ((28, "very dark"), (85, "dark"), (170, "normal"), (232, "bright"))
_EDGES = ((0.07, "blurred"), (0.25, "soft"))
_SIZES = ((300, "small"), (1000, "medium"))


@dataclass(frozen=True, slots=True)
class Look:
    """How one picture looks; `colours` maps names to shares that sum to 1."""

    colours: Mapping[str, float]
    light: str
    sharpness: str | None
    width: int
    height: int
    frames: int = 1


def look_at(image: Image) -> Look:
    """Measure one picture; transparent parts count as white."""
    frames = image.info.get("frames", 1)
    image = as_rgb(image)
    luma = _luma(_shrunk(image, _COLOUR_SIDE)).mean()
    light = next((word for limit, word in _LIGHTS if luma < limit), "very bright")
    return Look(_colour_shares(image), light, _sharpness(image), *image.size, frames)


def describe_looks(looks: Sequence[Look]) -> str:
    """Describe several pictures at once, saying once what they share; colours are averaged."""
    shares: Counter[str] = Counter()
    for look in looks:
        shares.update({name: share / len(looks) for name, share in look.colours.items()})
    statements = {
        "Colours": colour_words(shares),
        "Light": _tally([look.light for look in looks]),
        "Sharpness": _tally([look.sharpness for look in looks if look.sharpness]),
        "Size": _tally([_size_words(look) for look in looks]),
        "Frames": _tally([_frame_words(look) for look in looks if look.frames > 1]),
    }
    return " ".join(f"{label}: {words}." for label, words in statements.items() if words)


def colour_words(shares: Mapping[str, float]) -> str:
    """Name up to three colours of at least a tenth, the largest first.

    >>> colour_words({"brown": 0.3, "grey": 0.6, "red": 0.05})
    'mainly grey, then brown'
    """
    ranked = sorted(shares, key=lambda name: -shares[name])
    names = [name for name in ranked[:3] if shares[name] >= _LEAST_SHARE] or ranked[:1]
    first = f"mainly {names[0]}" if shares[names[0]] >= 0.5 else names[0]
    return f"{first}, then {' and '.join(names[1:])}" if names[1:] else first


def name_colour(code: str) -> str:
    """Return the name of an sRGB colour given as six hex digits.

    >>> name_colour("7a4a20")
    'brown'
    """
    return _NAMES[int(_nearest(np.array([list(bytes.fromhex(code))]))[0])]


def _tally(words: Sequence[str]) -> str:
    """Say a word once; where pictures differ, say how many look so."""
    counts = Counter(words).most_common(3)
    if len(counts) <= 1:
        return "".join(word for word, _ in counts)
    return "; ".join(f"{word} ({times})" for word, times in counts)


def _size_words(look: Look) -> str:
    longer = max(look.width, look.height)
    word = next((word for limit, word in _SIZES if longer < limit), "large")
    return f"{look.width} by {look.height} pixels, {word}"


def _frame_words(look: Look) -> str:
    return f"{look.frames}, of which the first is described"


def _colour_shares(image: Image) -> dict[str, float]:
    pixels = np.asarray(_shrunk(image, _COLOUR_SIDE)).reshape(-1, 3)
    counts = np.bincount(_nearest(pixels), minlength=len(_NAMES)) / len(pixels)
    return {name: float(share) for name, share in zip(_NAMES, counts, strict=True) if share}


def _nearest(pixels: np.ndarray) -> np.ndarray:
    """Return the place in `_NAMES` of each sRGB pixel, shape (n, 3) -> (n,)."""
    # |p - s|² without |p|², which is the same for every shade s
    distance = (_SHADE_POINTS**2).sum(axis=1) - 2 * _oklab(pixels) @ _SHADE_POINTS.T
    nearest: np.ndarray = _SHADE_OWNER[distance.argmin(axis=1)]
    return nearest


def _sharpness(image: Image) -> str | None:
    """Judge the strongest edges (Laplacian) against the contrast; None without contrast.

    The variance of the whole Laplacian would call every flat drawing blurred and every busy
    one sharp; the strongest half percent of it, over the range of luma, does not.
    """
    luma = _luma(_shrunk(image, _SHARPNESS_SIDE))
    if min(luma.shape) < 3:
        return None
    low, high = np.percentile(luma, [1, 99])
    if high - low < 16:
        return None
    middle = luma[1:-1, 1:-1]
    edges = luma[:-2, 1:-1] + luma[2:, 1:-1] + luma[1:-1, :-2] + luma[1:-1, 2:] - 4 * middle
    strength = np.percentile(np.abs(edges), 99.5) / (high - low)
    return next((word for limit, word in _EDGES if strength < limit), "sharp")


def _shrunk(image: Image, side: int) -> Image:
    from PIL import Image as pillow

    scale = side / max(image.size)
    if scale >= 1:
        return image
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return image.resize(size, pillow.Resampling.BOX)


def _luma(image: Image) -> np.ndarray:
    """Return ITU-R BT.601 luma in 0..255 as floats, shape (height, width)."""
    return np.asarray(image, dtype=np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)


def _oklab(rgb: np.ndarray) -> np.ndarray:
    """Turn sRGB in 0..255, shape (n, 3), into OKLab (Ottosson 2020), hue weighed up."""
    share = rgb.astype(np.float64) / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    cones = np.cbrt(linear @ _LINEAR_TO_CONES.T)
    lab: np.ndarray = (cones @ _CONES_TO_LAB.T) * np.array([1.0, 2.5, 2.5])
    return lab


_LINEAR_TO_CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_CONES_TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)
_NAMES = tuple(_SHADES)
_SHADE_OWNER = np.array([i for i, line in enumerate(_SHADES.values()) for _ in line.split()])
_SHADE_POINTS = _oklab(
    np.array([list(bytes.fromhex(h)) for line in _SHADES.values() for h in line.split()])
)
