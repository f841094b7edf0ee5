"""What a vision service once saw on each photo, kept as words: the data set's own image expert.

A file has one line a photo: `PetID, ImageNo, labels, colors, crop_confidence, n_faces, n_text`,
where `labels` is "dog:0.97;puppy:0.77" and `colors` is "171310:0.243 a49a86:0.123".
"""

from __future__ import annotations

import csv
import gzip
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from textcentric.errors import DataError

COLUMNS = ("PetID", "ImageNo", "labels", "colors", "crop_confidence", "n_faces", "n_text")


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

    Raises DataError if a column is absent or a line does not parse.
    """
    found: dict[str, list[tuple[int, PhotoLabels]]] = defaultdict(list)
    opener = gzip.open if path.name.endswith(".gz") else open
    try:
        with opener(path, "rt", encoding="utf-8-sig", newline="") as lines:
            for row in csv.DictReader(lines):
                photo = int(float(row["ImageNo"]))
                found[row["PetID"]].append((photo, _one(row, f"{row['PetID']}-{photo}{suffix}")))
    except KeyError as error:
        raise DataError(
            f"photo labels {str(path)!r} lack column {error}; expected {', '.join(COLUMNS)}"
        ) from None
    except (OSError, EOFError, csv.Error, ValueError, TypeError) as error:
        raise DataError(f"photo labels {str(path)!r} cannot be read: {error}") from error
    return {
        key: tuple(labels for _, labels in sorted(photos, key=lambda pair: pair[0]))
        for key, photos in found.items()
    }


def _one(row: dict[str, str], photo: str) -> PhotoLabels:
    crop = row.get("crop_confidence")
    return PhotoLabels(
        photo=photo,
        labels=_scored(row["labels"], ";"),
        colors=_scored(row.get("colors") or "", " "),
        crop_confidence=float(crop) if crop else None,
        faces=int(row.get("n_faces") or 0),
        text_boxes=int(row.get("n_text") or 0),
    )


def _scored(text: str, separator: str) -> tuple[tuple[str, float], ...]:
    pairs = (item.rpartition(":") for item in text.split(separator) if item.strip())
    return tuple((word.strip(), float(score)) for word, _, score in pairs)
