"""Pictures and sounds that lie beside a table, and the rule by which its rows find them."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

from textcentric.data.inspection.columns import ColumnProfile, TableProfile, shown
from textcentric.data.inspection.kinds import kind_of_file
from textcentric.data.schema import Files

Modality = Literal["image", "audio"]
MOST_FOLDERS = 50  # that are looked into
TRIED = 100  # names of a column
MOST_FILES = 100_000  # of a folder that are looked at
LEAST = 0.5  # share of the files of a folder that belong to rows, or of rows that have one
FEW = 3  # rows with files, which may be an accident
APART = "-_. "  # what may part an id from a number in the name of a file


@dataclass(frozen=True)
class Media:
    """A rule by which rows find their files: how many rows do, of how many that name one.

    `id` is the column whose values the names of the files begin with, where no column holds names.
    """

    modality: Modality
    files: Files
    rows: int
    of: int
    absent: str = ""
    id: str | None = None

    @property
    def reason(self) -> str:
        """Why the rule is taken."""
        if self.files.column and self.rows < self.of:
            return f"{self.rows:,} of {self.of:,} rows that name a file have it; {self.absent}"
        return f"{self.rows:,} of {self.of:,} rows have one"


@dataclass(frozen=True)
class Folder:
    """A folder of files of one modality; `place` is its path from the data folder.

    `beside` says that it lies beside the folder of the table, not in it.
    """

    place: str
    modality: Modality
    names: tuple[str, ...]
    beside: bool = False

    @cached_property
    def by_stem(self) -> dict[str, list[str]]:
        """The files by their name without its end."""
        stems: dict[str, list[str]] = defaultdict(list)
        for name in self.names:
            stems[name.rpartition(".")[0]].append(name)
        return stems


def folders_of_files(root: Path, beside: bool = False) -> list[Folder]:
    """Return the folders of pictures and of sounds in `root` and below it.

    With `beside` a table lies in one of them, and those below `root` lie beside that.
    """
    places = _names_of_folders(root) if beside else ["", *_names_of_folders(root)]
    return [folder for place in places for folder in _folders(root, place, beside)]


def _names_of_folders(root: Path) -> list[str]:
    try:
        with os.scandir(root) as found:
            names = sorted(e.name for e in found if e.is_dir() and not e.name.startswith("."))
    except OSError:
        return []
    return names[:MOST_FOLDERS]


def _folders(root: Path, place: str, beside: bool) -> Iterator[Folder]:
    names: dict[Modality, list[str]] = {"image": [], "audio": []}
    try:
        with os.scandir(root / place) as found:
            for _, entry in zip(range(MOST_FILES), found, strict=False):
                if (modality := kind_of_file(entry.name)) and entry.is_file():
                    names[modality].append(entry.name)
    except OSError:
        return
    for modality, held in names.items():
        if held:
            yield Folder(place, modality, tuple(sorted(held)), beside)


def media_of(profile: TableProfile, root: Path, beside: bool = False) -> list[Media]:
    """Return rules for pictures and for sounds, the one that most rows follow first."""
    folders = folders_of_files(root, beside)
    columns = profile.of_kind("id", "counter", "number", "words", "class")
    ids = sorted(columns, key=lambda column: not column.unique)
    found = [_embedded(column) for column in profile.of_kind("picture", "sound")]
    found += [_named(column, root, folders) for column in profile.of_kind("path")]
    taken = {media.modality for media in found if media.rows}
    rest = [folder for folder in folders if folder.modality not in taken]
    found += [media for folder in rest if (media := _by_id(folder, ids, profile))]
    return sorted(found, key=lambda media: -media.rows)


def _embedded(column: ColumnProfile) -> Media:
    modality: Modality = "image" if column.kind == "picture" else "audio"
    return Media(modality, Files(column=column.name), column.values, column.values)


def _named(column: ColumnProfile, root: Path, folders: Iterable[Folder]) -> Media:
    """Return the rule for a column of paths, from the folder that holds the most of them."""
    modality = Counter(map(kind_of_file, column.counts)).most_common(1)[0][0] or "image"
    below = _names_of_folders(root)
    deeper = [f"{name}/{inner}" for name in below for inner in _names_of_folders(root / name)]
    places = dict.fromkeys(["", *(f.place for f in folders), *below, *deeper])
    here = {place: _those_in(root / place, column.counts) for place in places}
    place = max(here, key=lambda place: len(here[place]))
    rows = sum(column.counts[name] for name in here[place])
    absent = next((name for name in column.counts if name not in here[place]), "")
    lacks = f"{shown(absent)} is not in {os.path.normpath(root / place)}" if absent else ""
    if not rows and (found := _by_last_part(absent, folders)):
        lacks += f"; {found} is: keep the last part of the names in the column"
    return Media(
        modality, Files(column=column.name, folder=place or None), rows, column.values, lacks
    )


def _those_in(folder: Path, names: Iterable[str]) -> list[str]:
    """Return those of `names` that are files in `folder`; none where the first hundred are not."""
    names = list(names)
    if not any(_is_in(folder, name) for name in names[:TRIED]):
        return []
    return [name for name in names if _is_in(folder, name)]


def _by_last_part(name: str, folders: Iterable[Folder]) -> str:
    """Return the place of a file that is called like the end of a path of another machine."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return next((f"{f.place}/{last}".lstrip("/") for f in folders if last in f.names), "")


def _is_in(folder: Path, name: str) -> bool:
    return any(os.path.isfile(folder / path) for path in {name, name.replace("\\", "/")})


def _by_id(folder: Folder, keys: Iterable[ColumnProfile], profile: TableProfile) -> Media | None:
    """Return the rule for files that are called like the values of a column."""
    for column in keys:
        if folder.beside and not column.unique:
            continue  # few words and small numbers name many things
        exact = [stem for stem in folder.by_stem if stem in column.counts]
        begun = [stem for stem in folder.by_stem if _beginning(stem) in column.counts]
        several = column.unique and len(begun) > len(exact)
        stems = begun if several else exact
        values = {_beginning(stem) if several else stem for stem in stems}
        rows = sum(column.counts[value] for value in values)
        if _is_sure(column, rows / profile.rows, len(stems) / len(folder.by_stem)):
            name = None if column.unique else column.name
            what = "{id}" if column.unique else "{value}"
            pattern = what + _after(folder, stems, several)
            rule = Files(column=name, folder=folder.place or None, pattern=pattern)
            own = column.name if column.unique else None
            return Media(folder.modality, rule, rows, profile.rows, id=own)
    return None


def _is_sure(column: ColumnProfile, of_rows: float, of_files: float) -> bool:
    """Say whether it is no accident that some files are called like values of a column."""
    if of_rows * len(column.cells) < FEW and of_rows < LEAST:
        return False
    if column.unique and not column.codes:
        return of_rows >= LEAST or of_files >= LEAST
    return of_rows >= LEAST and of_files >= LEAST


def _beginning(stem: str) -> str:
    """Return what stands before the last part of a name: "pet" of "pet-2"."""
    at = max(stem.rfind(sign) for sign in APART)
    return stem[:at] if at > 0 else ""


def _after(folder: Folder, stems: list[str], several: bool) -> str:
    """Return what stands behind the value in the names of its files: ".jpg", "-*.jpg"."""
    ends = {name.rpartition(".")[2] for stem in stems for name in folder.by_stem[stem]}
    end = next(iter(ends)) if len(ends) == 1 else "*"
    parted = Counter(stem[len(_beginning(stem))] for stem in stems) if several else Counter[str]()
    return f"{parted.most_common(1)[0][0]}*.{end}" if several else f".{end}"
