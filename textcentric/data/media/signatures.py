"""What a file is by its first bytes, whatever its name says: for messages that name it rightly."""

from __future__ import annotations

from pathlib import Path

HEAD = 512  # bytes that a kind is told from
_STARTS = {
    b"PAR1": "Parquet",
    b"ARROW1": "Arrow",
    b"\xff\xff\xff\xff": "an Arrow stream",
    b"\xd0\xcf\x11\xe0": "an Excel file of before 2007",
    b"SQLite format 3": "an SQLite database",
    b"\x89HDF\r\n": "HDF5",
    b"\x93NUMPY": "a NumPy array",
    b"\x80\x02": "a pickle",
    b"\x80\x03": "a pickle",
    b"\x80\x04": "a pickle",
    b"\x80\x05": "a pickle",
    b"PK\x03\x04": "a zip archive",
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ": "xz",
    b"\x28\xb5\x2f\xfd": "Zstandard",
    b"7z\xbc\xaf": "a 7z archive",
    b"Rar!": "a RAR archive",
    b"\xff\xd8\xff": "JPEG",
    b"\x89PNG": "PNG",
    b"GIF8": "GIF",
    b"\xff\x0a": "JPEG XL",
    b"\x00\x00\x00\x0cJXL": "JPEG XL",
    b"8BPS": "Photoshop",
    b"fLaC": "FLAC",
    b"OggS": "Ogg",
    b"ID3": "MP3",
    b"#!AMR": "AMR",
    b"\xff\xf1": "AAC",
    b"\xff\xf9": "AAC",
    b"\x1a\x45\xdf\xa3": "Matroska or WebM",
    b"0&\xb2u\x8ef\xcf\x11": "WMA or WMV",
}
_TEXT_STARTS = {
    b"<!doctype html": "an HTML page",
    b"<html": "an HTML page",
    b"%pdf-": "a PDF",
    b"version https://git-lfs": "a pointer of Git LFS, whose file `git lfs pull` fetches",
    b"{": "JSON",
    b"[": "JSON",
}
_HEIC = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_BRANDS = {**dict.fromkeys(_HEIC, "HEIC"), b"avif": "AVIF", b"avis": "AVIF", b"M4A ": "M4A (AAC)"}
_FORMS = {b"WAVE": "WAV", b"WEBP": "WebP", b"AVI ": "AVI"}


def kind_of(path: Path) -> str:
    """Return what a file is, in words after "is": "HEIC", "an HTML page"; "" where it is unknown.

    >>> kind_of_bytes(b"%PDF-1.7"), kind_of_bytes(b"id;name"), kind_of_bytes(b"\\x01\\x02")
    ('a PDF', 'a text', '')
    """
    with path.open("rb") as file:
        return kind_of_bytes(file.read(HEAD))


def kind_of_bytes(head: bytes) -> str:
    """Return what a file is that begins with `head`; see `kind_of`."""
    if head[4:8] == b"ftyp":
        return _BRANDS.get(head[8:12], "MP4 or QuickTime")
    if head[:4] == b"RIFF":
        return _FORMS.get(head[8:12], "RIFF")
    if text := _kind_of_text(head):
        return text
    return next((kind for start, kind in _STARTS.items() if head.startswith(start)), "")


def _kind_of_text(head: bytes) -> str:
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    for sign, kind in _TEXT_STARTS.items():
        if start.startswith(sign):
            return kind
    if b"<svg" in start and start.startswith(b"<"):
        return "SVG"
    if any(sign < 32 and sign not in b"\t\n\r\f" for sign in head):
        return ""
    return "XML" if start.startswith(b"<?xml") else "a text" if start else ""
