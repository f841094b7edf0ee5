"""The image expert: all pictures of a row as one short text.

What is recognised comes from a function (a classifier or a captioner); colours, light,
sharpness and size are always added, because they are right where recognition is not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from textcentric.data.media.digests import digest_files
from textcentric.data.media.pictures import open_picture
from textcentric.errors import DataError
from textcentric.experts.clean import clean_line
from textcentric.experts.pixels import describe_looks, look_at
from textcentric.experts.protocol import GUESSED, MEASURED, Description, silence
from textcentric.security.foreign import foreign

if TYPE_CHECKING:
    from PIL.Image import Image

MOST_PICTURES = 4  # described of a row; the rest is counted
_SURENESS = ((0.4, "perhaps"), (0.75, "probably"))


@dataclass(frozen=True, slots=True)
class Sight:
    """Something seen in a picture: a noun phrase with a confidence, or a caption without one."""

    phrase: str
    confidence: float | None = None


See = Callable[[Sequence[Sequence["Image"]]], list[list[Sight]]]


class ImageExpert:
    """Describe the pictures of a row: what `see` recognises in them, and how they look.

    `see` takes the RGB pictures of each row and returns the sights of each row, surest first;
    without it only the look is told. Where `measured`, they are sure enough to be told, and a row
    without any is noted. Paths are read inside `root` alone.
    """

    modality = "image"

    def __init__(
        self,
        name: str,
        version: str,
        see: See | None = None,
        root: str | Path | None = None,
        *,
        measured: bool = False,
    ):
        self.name = name
        self.version = f"{version}-{MEASURED if measured else GUESSED}"
        self._measured = measured
        self._see = see or _see_nothing
        self._root = root

    def describe(self, values: Sequence[Sequence[str]]) -> list[Description]:
        """Return one description a row of picture paths; broken pictures become notes."""
        albums = [read_album(paths, self._root) for paths in values]
        albums, sights = self._seen(albums)
        told = [merge_album(*pair) for pair in zip(albums, sights, strict=True)]
        if not self._measured:
            return told
        return [one if seen else _noted(one) for one, seen in zip(told, sights, strict=True)]

    def digest(self, value: Sequence[str]) -> str:
        """Return a digest of the files' bytes."""
        return digest_files(value, self._root)

    def _seen(self, albums: list[Album]) -> tuple[list[Album], list[list[Sight]]]:
        """Return what is seen in each row; where the model chokes on one, nothing and a note."""
        try:
            with foreign(f"what is in the pictures, by {self.name},"):
                return albums, self._see([album.pictures for album in albums])
        except DataError as error:
            if len(albums) == 1:
                return [replace(albums[0], notes=(*albums[0].notes, str(error)))], [[]]
        each = [self._seen([album]) for album in albums]
        return [one for (one,), _ in each], [sights for _, (sights,) in each]


@dataclass(frozen=True, slots=True)
class Album:
    """The readable pictures of a row with their places among all `total`, and what failed."""

    pictures: tuple[Image, ...]
    paths: tuple[str, ...]
    total: int
    notes: tuple[str, ...] = ()


def read_album(paths: Sequence[str], root: str | Path | None) -> Album:
    """Read pictures until `MOST_PICTURES` are found readable; broken ones become notes."""
    pictures: list[Image] = []
    read: list[str] = []
    notes: list[str] = []
    for path in paths:
        if len(pictures) == MOST_PICTURES:
            break
        try:
            pictures.append(open_picture(path, root))
            read.append(str(path))
        except DataError as error:
            notes.append(str(error))
    return Album(tuple(pictures), tuple(read), len(paths), tuple(notes))


def merge_album(album: Album, sights: Sequence[Sight]) -> Description:
    """Put what was seen in the pictures of one row, and how they look, into one text."""
    if not album.pictures:
        return Description("", notes=album.notes or ("the row has no picture",))
    labels = [sight for sight in sights if sight.confidence is not None]
    captions = dict.fromkeys(_sentence(s.phrase) for s in sights if s.confidence is None)
    looks = describe_looks([look_at(picture) for picture in album.pictures])
    parts = [_count_words(album), _label_words(labels), *captions, looks]
    return Description(
        " ".join(part for part in parts if part),
        confidence=labels[0].confidence if labels else None,
        notes=album.notes,
    )


def _noted(told: Description) -> Description:
    """Return a description with the note that nothing was recognised, where there is a picture."""
    note = (silence("image"),) if told.text else ()
    return replace(told, notes=(*told.notes, *note))


def _see_nothing(albums: Sequence[Sequence[Image]]) -> list[list[Sight]]:
    return [[] for _ in albums]


def _count_words(album: Album) -> str:
    described = len(album.pictures)
    if described == album.total:
        return "1 photo." if described == 1 else f"{described} photos."
    return f"{album.total} photos, {described} of them described."


def _label_words(labels: Sequence[Sight]) -> str:
    """Return `Seen: probably a dog (0.62), perhaps a pug (0.21).`"""
    phrases = [
        f"{_sureness(label.confidence or 0.0)} {label.phrase} ({label.confidence:.2f})"
        for label in labels
    ]
    return f"Seen: {', '.join(phrases)}." if phrases else ""


def _sureness(confidence: float) -> str:
    return next((word for limit, word in _SURENESS if confidence < limit), "clearly")


def _sentence(caption: str) -> str:
    words = clean_line(caption)
    words = words[:1].upper() + words[1:]
    return words if not words or words[-1] in ".!?…" else f"{words}."
