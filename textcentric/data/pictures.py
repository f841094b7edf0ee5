"""Pictures read safely: inside the data folder, whole, an image, and of a sane size.

A picture in the wild may be cut off, empty, an HTML error page or a decompression bomb; each is
told apart here, and nothing else in the package opens a picture.
"""

from __future__ import annotations

import os
import warnings
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from textcentric.errors import DataError

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_PIXELS = 50_000_000
MAX_SIDE = 16_384  # pixels
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "MPO")


def open_picture(path: str | Path, root: str | Path | None = None) -> Image:
    """Open a picture as RGB, turned the way its EXIF orientation says.

    With `root`, a path that leaves that folder is refused. Raises DataError (field "image") if
    the file is absent, empty, not an image, cut off, or larger than `MAX_SIDE` pixels a side or
    `MAX_PIXELS` in all.

    >>> open_picture("photos/17-1.jpg", root="photos").mode  # doctest: +SKIP
    'RGB'
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    path = Path(path)
    _refuse_unfit_file(path, root)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of sizes that are refused just below
            with Image.open(path, formats=FORMATS) as picture:
                _refuse_unfit_size(path, picture.size)
                picture.draft("RGB", None)
                return ImageOps.exif_transpose(picture).convert("RGB")
    except UnidentifiedImageError:
        raise _fault(path, f"is not an image{_looks_like(path)}") from None
    except Image.DecompressionBombError:
        raise _fault(path, f"is larger than {MAX_PIXELS:,} pixels; shrink it") from None
    except (OSError, SyntaxError, ValueError, EOFError, IndexError, TypeError) as error:
        raise _fault(path, f"is cut off or damaged ({error})") from None


def is_inside(path: str | Path, roots: tuple[str, ...]) -> bool:
    """Say whether `path`, its links followed, lies under one of `roots` (real paths)."""
    folder, name = os.path.split(path)
    real = os.path.join(_real_folder(folder), name)
    if name in ("", ".", "..") or os.path.islink(real):
        real = os.path.realpath(real)
    return any(real == root or real.startswith(root.rstrip(os.sep) + os.sep) for root in roots)


@lru_cache(maxsize=4096)
def _real_folder(folder: str) -> str:
    return os.path.realpath(folder)


def _refuse_unfit_file(path: Path, root: str | Path | None) -> None:
    if root is not None and not is_inside(path, (os.path.realpath(root),)):
        raise _fault(path, f"leaves the data folder {str(root)!r}; move it inside")
    if not path.is_file():
        raise _fault(path, "does not exist")
    if path.stat().st_size == 0:
        raise _fault(path, "is empty (0 bytes)")


def _refuse_unfit_size(path: Path, size: tuple[int, int]) -> None:
    width, height = size
    if max(size) > MAX_SIDE or width * height > MAX_PIXELS:
        raise _fault(
            path,
            f"is {width:,} by {height:,} pixels, more than {MAX_SIDE:,} a side or"
            f" {MAX_PIXELS:,} in all; shrink it",
        )


def _looks_like(path: Path) -> str:
    with path.open("rb") as file:
        start = file.read(512).lstrip().lower()
    return " but an HTML page" if start.startswith((b"<!doctype html", b"<html")) else ""


def _fault(path: Path, what: str) -> DataError:
    return DataError(f"picture {str(path)!r} {what}", field="image")
