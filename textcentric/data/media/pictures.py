"""Pictures read safely: inside the data folder, whole, an image, and of a sane size.

A picture in the wild may be cut off, empty, an HTML error page or a decompression bomb; each is
told apart here, and nothing else in the package opens a picture.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, TypeGuard

import numpy as np

from textcentric.data.media.signatures import kind_of
from textcentric.data.media.silence import say_nothing
from textcentric.errors import DataError, TextCentricError
from textcentric.security.foreign import foreign, reason, trace

if TYPE_CHECKING:
    from PIL.Image import Image


class PictureError(DataError):
    """A picture that cannot be used; `reason` is the kind of fault in a few words."""

    def __init__(self, path: Path, reason: str, details: str = ""):
        super().__init__(f"picture {str(path)!r} {reason}{details}", field="image")
        self.reason = reason


MAX_PIXELS = 50_000_000
MAX_SIDE = 16_384  # pixels
TOO_LARGE = "is too large"
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "JPEG2000", "PPM")
_READ = ("JPEG", "PNG", "GIF", "WebP", "AVIF")
_UNREAD = ("HEIC", "JPEG XL", "SVG", "Photoshop", "a PDF")  # pictures that can be converted
_MOVING = ("GIF", "WEBP", "PNG", "TIFF", "AVIF")
# Modes of more than 8 bits, and the white of what is saved in them: the least that none exceeds.
_WHITES = {"I;16": (65535,), "I": (65535, 2**31 - 1), "F": (1, 255, 65535)}
_STRIP = 2**20  # values that are scaled at once
DAMAGED = "is cut off or damaged"
_ORIENTATION = 0x0112  # the tag of EXIF
_TURNS = {  # names of `Image.Transpose` by orientation
    2: "FLIP_LEFT_RIGHT",
    3: "ROTATE_180",
    4: "FLIP_TOP_BOTTOM",
    5: "TRANSPOSE",
    6: "ROTATE_270",
    7: "TRANSVERSE",
    8: "ROTATE_90",
}
_EXIF = ("exif", "Raw profile type exif", "xmp", "XML:com.adobe.xmp")  # say orientations, too


def open_picture(path: str | Path, root: str | Path | None = None) -> Image:
    """Open a picture as RGB on white, turned the way its EXIF orientation says.

    More than 8 bits are scaled, not cut. Of several frames the first is opened, and
    `info["frames"]` says how many there are.

    With `root`, a path that leaves that folder is refused. Raises PictureError, a DataError, if
    the file is absent, empty, not an image, cut off, or larger than `MAX_SIDE` pixels a side or
    `MAX_PIXELS` in all.

    >>> open_picture("photos/17-1.jpg", root="photos").mode  # doctest: +SKIP
    'RGB'
    """
    from PIL import Image

    path = Path(path)
    _refuse_unfit_file(path, root)
    say_nothing()
    with _decoding(path), Image.open(path, formats=FORMATS) as picture:
        _refuse_unfit_size(path, picture.size)
        picture.draft("RGB", None)
        frames = _count_frames(picture)
        picture.load()
        opened = as_rgb(turned(picture))
        opened.info["frames"] = frames
        return opened


@contextmanager
def _decoding(path: Path) -> Iterator[None]:
    """Turn whatever a decoder raises into what is wrong with the picture."""
    from PIL import Image, UnidentifiedImageError

    try:
        yield
    except TextCentricError:
        raise
    except UnidentifiedImageError:
        raise _no_image(path) from None
    except Image.DecompressionBombError:
        raise PictureError(path, TOO_LARGE, f": over {MAX_PIXELS:,} pixels; shrink it") from None
    except Exception as error:  # decoders promise no list of exceptions
        trace(path, error)
        raise PictureError(path, DAMAGED, f" ({reason(error)})") from error


def turned(picture: Image) -> Image:
    """Return a picture turned the way its EXIF says, as it lies where that cannot be read."""
    from PIL import Image

    orientation = None
    with suppress(DataError), foreign("the EXIF of a picture"):
        orientation = picture.getexif().get(_ORIENTATION)
    turn = _TURNS.get(orientation) if isinstance(orientation, int) else None
    if turn is None:
        return picture
    upright = picture.transpose(Image.Transpose[turn])
    for name in _EXIF:
        upright.info.pop(name, None)
    return upright


def as_rgb(picture: Image) -> Image:
    """Return a picture as RGB: transparent parts are white, more than 8 bits are scaled to 8."""
    from PIL import Image

    if picture.mode[:4] in _WHITES:
        picture = _eight_bits(picture)
    if picture.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in picture.info:
        seen = picture.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", seen.size, "white"), seen).convert("RGB")
    return picture.convert("RGB")


def is_picture(value: object) -> TypeGuard[Image | np.ndarray]:
    """Say whether `value` is a picture of Pillow, or an array that may be one."""
    if isinstance(value, np.ndarray):
        return value.ndim in (2, 3)
    return hasattr(value, "save") and hasattr(value, "getbands")


def as_png(picture: Image | np.ndarray) -> bytes:
    """Return the bytes of a PNG file of a picture, or of values (H, W), (H, W, 3) or (H, W, 4).

    Floats are shares of white up to 1, or up to 255. Raises DataError for an array of another
    shape.
    """
    if isinstance(picture, np.ndarray):
        picture = _of_array(picture)
    written = BytesIO()
    with foreign("a picture"):
        as_rgb(turned(picture)).save(written, "PNG")
    return written.getvalue()


def _of_array(values: np.ndarray) -> Image:
    from PIL import Image

    if values.ndim == 3 and values.shape[2] == 1:
        values = values[:, :, 0]
    if values.size == 0 or (values.ndim == 3 and values.shape[2] not in (3, 4)):
        raise DataError(
            f"an array of shape {values.shape} is no picture; expected (height, width), or"
            " (height, width, 3 or 4)",
            field="image",
        )
    if values.dtype == np.uint8:
        return Image.fromarray(values)
    whites = {"u": (65535, 2**32), "b": (1,)}.get(values.dtype.kind, (1, 255, 65535))
    return Image.fromarray(_scaled(values, whites))


def _eight_bits(picture: Image) -> Image:
    """Return a grey picture of more than 8 bits as one of 8; the value that is clear is white."""
    from PIL import Image

    clear = picture.info.get("transparency")
    known = clear if isinstance(clear, int) else None
    return Image.fromarray(_scaled(np.asarray(picture), _WHITES[picture.mode[:4]], known))


def _scaled(values: np.ndarray, whites: tuple[float, ...], clear: int | None = None) -> np.ndarray:
    """Return values of more than 8 bits in 8; white is the least of `whites` that none exceeds."""
    highest = max(float(strip.max()) for strip, _ in _strips(values, values))
    white = next((top for top in whites if highest <= top), highest)
    scaled = np.empty(values.shape, np.uint8)
    for strip, into in _strips(values, scaled):
        if clear is not None:
            strip[strip == clear] = white
        into[:] = (strip / white * 255).clip(0, 255)
    return scaled


def _strips(values: np.ndarray, into: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield some lines of an array at a time as finite floats, and the same lines of another.

    As floats the whole of a large picture would take more than a gigabyte.
    """
    lines = max(1, _STRIP // max(1, values[0].size))
    for start in range(0, len(values), lines):
        strip = values[start : start + lines].astype(np.float64)
        yield np.nan_to_num(strip, posinf=0.0, neginf=0.0), into[start : start + lines]


def _count_frames(picture: Image) -> int:
    """Return how many frames or pages there are; the second image of a phone's JPEG is none."""
    return int(getattr(picture, "n_frames", 1)) if picture.format in _MOVING else 1


def is_inside(path: str | Path, roots: tuple[str, ...]) -> bool:
    """Say whether `path`, its links followed, lies under one of `roots` (real paths)."""
    try:
        real = _real_path(path)
    except ValueError:  # a NUL or half a surrogate pair: no file can have this name
        return False
    return any(real == root or real.startswith(root.rstrip(os.sep) + os.sep) for root in roots)


def _real_path(path: str | Path) -> str:
    """Follow the links of `path`; those of its folder are remembered."""
    folder, name = os.path.split(os.path.join(os.getcwd(), path))
    real = os.path.join(_real_folder(folder), name)
    if name in ("", ".", "..") or os.path.islink(real):
        real = os.path.realpath(real)
    return real


@lru_cache(maxsize=4096)
def _real_folder(folder: str) -> str:
    return os.path.realpath(folder)


def _refuse_unfit_file(path: Path, root: str | Path | None) -> None:
    if root is not None and not is_inside(path, (os.path.realpath(root),)):
        raise PictureError(path, "leaves the data folder", f" {str(root)!r}; move it inside")
    if not path.is_file():
        raise PictureError(path, "does not exist")
    if path.stat().st_size == 0:
        raise PictureError(path, "is empty (0 bytes)")


def _refuse_unfit_size(path: Path, size: tuple[int, int]) -> None:
    width, height = size
    if max(size) > MAX_SIDE or width * height > MAX_PIXELS:
        raise PictureError(
            path,
            TOO_LARGE,
            f": {width:,} by {height:,} pixels, more than {MAX_SIDE:,} a side or"
            f" {MAX_PIXELS:,} in all; shrink it",
        )


def _no_image(path: Path) -> PictureError:
    kind = kind_of(path)
    if kind in _UNREAD:
        return PictureError(path, f"is {kind}, which is not read here; convert it to JPEG or PNG")
    if kind in _READ:
        return PictureError(path, DAMAGED, f" (it begins as {kind})")
    return PictureError(path, f"is {kind}, not an image" if kind else "is not an image")
