"""What one value of a table looks like, before anything says what its column is for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from math import isfinite
from typing import Literal

from textcentric.data.media.files import embedded
from textcentric.data.notation import COMMA, parse
from textcentric.data.pairs.messages import is_conversation
from textcentric.data.printed import printed
from textcentric.values import Cell

Shape = Literal[
    "number", "date", "boolean", "list", "conversation", "object", "picture", "sound", "path",
    "url", "text", "words",
]  # fmt: skip
PICTURES = tuple("jpg jpeg png webp gif bmp tif tiff avif heic heif jp2 ppm svg".split())
SOUNDS = tuple("wav mp3 flac ogg m4a aac opus aiff".split())
BOOLEANS = (  # words of two-valued columns, no first
    ("false", "true"), ("f", "t"), ("no", "yes"), ("n", "y"), ("nein", "ja"), ("non", "oui"),
    ("no", "si"), ("no", "sí"), ("não", "sim"), ("нет", "да"), ("off", "on"),
)  # fmt: skip
WORDY = 5  # words that make a text
LONG = 60  # characters that make one
UNPARTED = 25  # characters of a script that has no blanks
_FILE = re.compile(rf"[^\n<>|\"*?]{{1,250}}\.({'|'.join((*PICTURES, *SOUNDS))})", re.IGNORECASE)
_NUMBER = re.compile(r"-?\d+(\.\d+)?", re.ASCII)
_URL = re.compile(r"(https?|ftp|s3|gs)://\S+", re.IGNORECASE)
_MONTH = "jan|feb|mar|mär|apr|may|mai|jun|jul|aug|sep|oct|okt|nov|dec|dez"
_DATE = re.compile(
    r"\d{4}([-/.])\d{1,2}\1\d{1,2}([T ]\d{1,2}:\d{2}.*)?"
    r"|\d{1,2}([-/.])\d{1,2}\3\d{2,4}( \d{1,2}:\d{2}.*)?"
    rf"|\d{{1,2}}\.? ({_MONTH})[a-z]*\.?,? \d{{4}}|({_MONTH})[a-z]*\.? \d{{1,2}},? \d{{4}}",
    re.IGNORECASE,
)


def shape_of(value: Cell) -> Shape:
    """Return what a value that is there looks like.

    >>> [shape_of(v) for v in ("1.234,50", "3.4.2021", "['a', 'b']", "a/b.png", "A calm dog.")]
    ['number', 'date', 'list', 'path', 'words']
    """
    if isinstance(value, str):
        return _shape_of_text(value.strip())
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float | Decimal):
        return "number" if _is_finite(value) else "words"
    if isinstance(value, date):
        return "date"
    if isinstance(value, bytes | bytearray):
        return _shape_of_bytes(bytes(value))
    if isinstance(value, Mapping):
        return _shape_of_mapping(value)
    if isinstance(value, list | tuple):
        return "conversation" if is_conversation(list(value)) else "list"
    return "words"


def _is_finite(value: float | Decimal) -> bool:
    if isinstance(value, Decimal):
        return value.is_finite()  # a signalling NaN is no float
    return isinstance(value, int) or isfinite(value)  # not every int fits into a float


def kind_of_file(name: str) -> Literal["image", "audio"] | None:
    """Return the modality of a file by the end of its name, None for others."""
    end = name.rpartition(".")[2].lower()
    return "image" if end in PICTURES else "audio" if end in SOUNDS else None


def _shape_of_text(text: str) -> Shape:
    if _NUMBER.fullmatch(text) or parse(text) is not None or parse(text, COMMA) is not None:
        return "number"
    if _DATE.fullmatch(text):
        return "date"
    if _URL.fullmatch(text):
        return "url"
    if content := embedded(text):
        return _shape_of_bytes(content)
    if _FILE.fullmatch(text):
        return "path"
    if text[:1] in "[{" and (printed := _printed(text)):
        return printed
    return "text" if _is_wordy(text) else "words"


def _is_wordy(text: str) -> bool:
    foreign = len(text) > UNPARTED and not text.isascii() and " " not in text
    return foreign or len(text) > LONG or len(text.split()) >= WORDY


def _printed(text: str) -> Shape | None:
    """Return the shape of a list or an object that is printed, None where it is none."""
    value = printed(text)
    return shape_of(value) if isinstance(value, list | dict) else None


def _shape_of_mapping(value: Mapping[str, Cell]) -> Shape:
    content = value.get("bytes")
    if isinstance(content, bytes):
        return _shape_of_bytes(content)
    named = value.get("path")
    return "path" if isinstance(named, str) and kind_of_file(named) else "object"


def _shape_of_bytes(content: bytes) -> Shape:
    heard = content[:4] in (b"fLaC", b"OggS") or content[8:12] == b"WAVE" or content[:3] == b"ID3"
    return "sound" if heard else "picture"
