"""What a vision service once saw on each photo, kept as words: the data set's own image expert.

A file has one line a photo: `PetID, ImageNo, labels, colors, crop_confidence, n_faces, n_text`,
where `labels` is "dog:0.97;puppy:0.77" and `colors` is "171310:0.243 a49a86:0.123". The labels are
an extra: what cannot be read of them is warned about and left out.
"""

from __future__ import annotations

import warnings
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from textcentric.data.tables.json_files import Row
from textcentric.data.tables.left_out import LeftOut
from textcentric.data.tables.table import open_table
from textcentric.errors import DataError, cut
from textcentric.security.foreign import foreign

COLUMNS = ("PetID", "ImageNo", "labels", "colors", "crop_confidence", "n_faces", "n_text")
_BYTES = 3  # of a colour


@dataclass(frozen=True, slots=True)
class PhotoLabels:
    """One photo in words: labels with confidence in [0, 1], colours (hex) with share in [0, 1]."""

    photo: str
    labels: tuple[tuple[str, float], ...]
    colors: tuple[tuple[str, float], ...] = ()
    crop_confidence: float | None = None
    faces: int = 0
    text_boxes: int = 0

    @property
    def confidence(self) -> float | None:
        """The confidence of the surest label, None if nothing was seen."""
        return max((score for _, score in self.labels), default=None)


def read_photo_labels(path: Path, suffix: str = ".jpg") -> dict[str, tuple[PhotoLabels, ...]]:
    """Return {row id: labels of its photos in numeric order} from a (gzipped) CSV file.

    Warns of a file that cannot be read and has no labels then, and of lines that are left out.
    """
    try:
        photos, odd = _read(path, suffix)
    except DataError as error:
        warnings.warn(f"photo labels are left out: {error}", stacklevel=2)
        return {}
    if odd:
        first = f"the first: {odd[0]}"
        warnings.warn(f"{path}: left out {len(odd)} line(s) of photo labels, {first}", stacklevel=2)
    return {
        key: tuple(labels for _, labels in sorted(numbered, key=lambda pair: pair[0]))
        for key, numbered in photos.items()
    }


def _read(path: Path, suffix: str) -> tuple[dict[str, list[tuple[int, PhotoLabels]]], list[str]]:
    """Return {row id: (number, labels) of each photo}, and why lines are left out."""
    table, left_out = open_table(path), LeftOut()
    if absent := [name for name in COLUMNS[:3] if name not in table.columns]:
        raise DataError(f"{str(path)!r} lacks column {absent[0]!r}; expected {', '.join(COLUMNS)}")
    found: dict[str, list[tuple[int, PhotoLabels]]] = defaultdict(list)
    odd: list[str] = []
    for row in table.rows(left_out):
        try:
            with foreign(f"the line of {cut(row['PetID'])!r}"):
                photo, labels = _one(row, suffix)
        except DataError as error:
            odd.append(str(error))
        else:
            found[str(row["PetID"])].append((photo, labels))
    return found, [*left_out.notes(), *odd]


def _one(row: Row, suffix: str) -> tuple[int, PhotoLabels]:
    cells = {name: str(value or "") for name, value in row.items()}
    photo, crop = int(float(cells["ImageNo"])), cells.get("crop_confidence")
    colours = _scored(cells.get("colors", ""), " ")
    for code, _ in colours:
        if len(bytes.fromhex(code)) != _BYTES:
            raise ValueError(f"{code!r} is no colour")
    return photo, PhotoLabels(
        photo=f"{cells['PetID']}-{photo}{suffix}",
        labels=_scored(cells["labels"], ";"),
        colors=colours,
        crop_confidence=float(crop) if crop else None,
        faces=int(cells.get("n_faces") or 0),
        text_boxes=int(cells.get("n_text") or 0),
    )


def _scored(text: str, separator: str) -> tuple[tuple[str, float], ...]:
    pairs = (item.rpartition(":") for item in text.split(separator) if item.strip())
    return tuple((word.strip(), _share(score)) for word, _, score in pairs)


def _share(text: str) -> float:
    share = float(text)
    if not 0 <= share <= 1:
        raise ValueError(f"{text!r} is no share from 0 to 1")
    return share
