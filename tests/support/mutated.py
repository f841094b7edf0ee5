"""Small files of every format, and strategies that damage them as a stranger or a disk does."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from io import BytesIO

import numpy as np
import soundfile
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from PIL import Image

# The same examples each time, and none by the clock.
BOUNDED = settings(
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=150,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
FEW = settings(BOUNDED, max_examples=50)
TAGS = [0x0100, 0x0101, 0x0102, 0x0103, 0x010E, 0x0110, 0x0111, 0x0112, 0x0117, 0x011A, 0x0128]
TAGS += [0x0132, 0x013B, 0x8298, 0x8769, 0x8825, 0x927C, 0x9286, 0xA005, 0xC4A5]
TYPES = range(1, 14)  # of values


@st.composite
def flipped(draw: Callable[..., int], content: bytes, first: int | None = None) -> bytes:
    """Return `content` with a few bytes changed, put in, taken out, or cut at the end.

    `first` is of how many bytes those at the head are changed more often.
    """
    changed = bytearray(content)
    for _ in range(draw(st.integers(1, 6))):
        ends = [len(changed) - 1] if first is None else [len(changed) - 1, first]
        at = draw(st.integers(0, max(0, min(draw(st.sampled_from(ends)), len(changed) - 1))))
        how = draw(st.integers(0, 9))
        if how < 7:
            sign = st.one_of(st.integers(0, 255), st.sampled_from([0, 1, 127, 128, 255]))
            changed[at : at + 1] = bytes([draw(sign)])
        elif how == 7:
            changed[at:at] = bytes([draw(st.integers(0, 255))] * draw(st.integers(1, 9)))
        elif how == 8:
            del changed[at : at + draw(st.integers(1, 9))]
        else:
            del changed[draw(st.integers(at, len(changed))) :]
    return bytes(changed)


@st.composite
def exif(draw: Callable[..., int]) -> bytes:
    """Return EXIF whose tags have values of whatever type; a picture with it is mostly turned."""
    entries = [struct.pack("<HHIHH", 0x0112, 3, 1, draw(st.integers(0, 9)), 0)]
    for _ in range(draw(st.integers(1, 5))):
        tag = draw(st.one_of(st.sampled_from(TAGS), st.integers(0, 65535)))
        kind = draw(st.one_of(st.sampled_from(TYPES), st.integers(0, 65535)))
        count = draw(st.one_of(st.just(1), st.integers(0, 9), st.integers(0, 2**32 - 1)))
        value = draw(st.one_of(st.integers(0, 300), st.integers(0, 2**32 - 1)))
        entries.append(struct.pack("<HHII", tag, kind, count, value))
    draw_tail = draw(st.integers(0, 2**32 - 1))
    head = b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<H", len(entries))
    return head + b"".join(entries) + struct.pack("<I", draw_tail)


def picture(kind: str, exif_bytes: bytes = b"", mode: str = "RGB") -> bytes:
    """Return the bytes of a small picture."""
    drawn = Image.fromarray(np.arange(24 * 16 * 3, dtype=np.uint8).reshape(16, 24, 3)).convert(mode)
    written = BytesIO()
    options = {"exif": exif_bytes} if exif_bytes else {}
    drawn.save(written, kind, **options)
    return written.getvalue()


def sound(kind: str, subtype: str) -> bytes:
    """Return the bytes of a fifth of a second of sound."""
    times = np.arange(3200) / 16_000
    written = BytesIO()
    samples = np.stack([0.3 * np.sin(2 * np.pi * pitch * times) for pitch in (440, 660)], 1)
    soundfile.write(written, samples, 16_000, format=kind, subtype=subtype)
    return written.getvalue()


def words(least: int = 0) -> st.SearchStrategy[str]:
    """Return texts of all signs, half surrogate pairs and zeros among them."""
    odd = st.sampled_from(["\0", "\ud800", "\ufeff", "\n", "\r", '"', "'", ",", "[", "{", "=", "/"])
    return st.lists(st.one_of(st.characters(), odd), min_size=least, max_size=30).map("".join)


def cells() -> st.SearchStrategy[object]:
    """Return values of JSON, of every kind and nested."""
    plain = st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.integers(10**300, 10**310),
        st.floats(),
        words(),
        st.sampled_from(ODD),
    )
    return st.recursive(
        plain,
        lambda inner: st.one_of(
            st.lists(inner, max_size=4), st.dictionaries(words(), inner, max_size=4)
        ),
        max_leaves=8,
    )


ODD: Sequence[str] = (
    "{[]: 1}",
    "[" * 300,
    "[1" + "+1" * 3000 + "]",
    "9" * 5000,
    "[{'role': 'user', 'content': 3}]",
    '[{"role": ["user"], "content": {}}]',
    "data:image/png;base64,@@@@",
    "1e999",
    "2024-13-01",
    "../../etc/passwd",
    "a" * 300 + ".jpg",
    "",
    "NaN",
)
