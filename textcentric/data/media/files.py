"""The files of a row: found by a column or by a pattern over the id, never outside the folder."""

from __future__ import annotations

import base64
import glob
import hashlib
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from textcentric.data.media.pictures import as_png, is_inside, is_picture
from textcentric.data.readings import plain
from textcentric.data.schema import Files
from textcentric.errors import ConfigError, cut, option
from textcentric.folders import written
from textcentric.values import Cells

# A data URI, or the first bytes in base64, longer than names are, of JPEG, PNG, GIF, WebP or WAV,
# TIFF, JPEG 2000, AVIF or HEIC, MP3, FLAC and Ogg.
_STARTS = "/9j/|iVBORw0KGgo|R0lGOD|UklGR|SUkqA|TU0AK|AAAADGpQIC|AAAA..Z0eXB|SUQz|ZkxhQ|T2dnUw"
_ENCODED = re.compile(rf"(?P<uri>data:[\w/+.;=-]*;base64,)|(?:{_STARTS})[A-Za-z0-9+/\s]{{60}}")

_NUMBER = re.compile(r"#\d+\Z")


class Look(NamedTuple):
    """The files of a row, refused paths, and those that are named and do not exist.

    `other_case` has those of the files whose names a row has in another case.
    """

    files: tuple[Path, ...]
    refused: list[str]
    absent: list[str]
    other_case: list[str]


@dataclass(frozen=True)
class FileFinder:
    """Find the files of one modality; `refused` are those that leave the data folder."""

    rule: Files
    root: Path
    cache: Path
    missing: tuple[str, ...]
    roots: tuple[str, ...]
    index: Mapping[str, tuple[Path, ...]] | None = field(default=None, repr=False)
    listings: dict[str, dict[str, list[str]]] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, rule: Files, root: Path, cache: Path, missing: tuple[str, ...]) -> FileFinder:
        """Return a finder; where one folder holds the files of all rows it is listed once.

        Raises ConfigError where the rule's folder is not inside of `root`.
        """
        rule = rule.model_copy(update={"folder": _inside(rule.folder, root)})
        folder, pattern = root / (rule.folder or ""), rule.pattern or ""
        listed = not rule.column and any(c in pattern for c in "*?[") and "/" not in pattern
        index = _index(folder, pattern) if listed else None
        # A folder of files may be a link that lies in `root`, to another disk; its files may not.
        roots = tuple(os.path.realpath(place) for place in (root, folder, cache))
        return cls(rule, root, cache, missing, roots, index)

    @property
    def folder(self) -> Path:
        """The folder that relative paths start from."""
        return self.root / (self.rule.folder or "")

    def find(self, row_id: str, row: Cells) -> tuple[tuple[Path, ...], list[str], list[str]]:
        """Return (files, refused paths, paths that are named and do not exist)."""
        return self.look(row_id, row)[:3]

    def look(self, row_id: str, row: Cells) -> Look:
        """Look for the files of a row; a name in another case does where one file alone has it."""
        found, refused, absent, other_case = [], [], [], []
        for path in self._named(row_id, row):
            if not is_inside(path, self.roots):
                refused.append(str(path))
            elif os.path.isfile(path):
                found.append(path)
            elif other := self._in_other_case(path):
                found.append(other)
                other_case.append(str(other))
            else:
                absent.append(str(path))
        return Look(tuple(found), refused, absent, other_case)

    def _in_other_case(self, path: Path) -> Path | None:
        """Return the one file whose name differs from that of `path` by case only."""
        folder = str(path.parent)
        if folder not in self.listings:
            names = self.listings.setdefault(folder, {})
            with suppress(OSError):  # no folder, or one that may not be read
                for name in os.listdir(folder):
                    names.setdefault(name.casefold(), []).append(name)
        others = self.listings[folder].get(path.name.casefold(), [])
        other = path.with_name(others[0]) if len(others) == 1 else path
        return other if os.path.isfile(other) and is_inside(other, self.roots) else None

    def named(self, row_id: str, row: Cells) -> str:
        """Return what a row calls its files, as a message shows it."""
        if self.rule.column:
            return f"{str(row.get(self.rule.column))!r:.60}"
        pattern = (self.rule.pattern or "").replace("{id}", row_id)
        return f"{os.path.join(self.rule.folder or '', pattern)!r:.60}"

    def _named(self, row_id: str, row: Cells) -> tuple[Path, ...]:
        if self.rule.column:
            return self._in_column(row.get(self.rule.column))
        if self.index is not None:
            return self.index.get(row_id, ())
        pattern = (self.rule.pattern or "").replace("{id}", glob.escape(row_id))
        if not any(c in (self.rule.pattern or "") for c in "*?["):
            return (self.folder / (self.rule.pattern or "").replace("{id}", row_id),)
        found = glob.glob(str(self.folder / pattern))
        return tuple(sorted((Path(path) for path in found), key=_natural))

    def _in_column(self, raw: Any) -> tuple[Path, ...]:
        values = raw if isinstance(raw, (list, tuple)) else [raw]
        paths = []
        for value in values:
            name = plain(named_file(value, self.cache), self.missing)
            if name is not None:
                name = (self.rule.pattern or "{value}").replace("{value}", str(name))
                paths.append(self._on_this_system(name))
        return tuple(paths)

    def _on_this_system(self, name: str) -> Path:
        """Return the path of a file; one written on Windows has backslashes for slashes.

        A caption's number behind the name of its picture (`a.jpg#0`) is no part of it.
        """
        path = self.folder / name
        if "\\" in name and not os.path.lexists(path):
            return self.folder / name.replace("\\", "/")
        if "#" in name and not os.path.lexists(path):
            file = self.folder / _NUMBER.sub("", name)
            return file if os.path.lexists(file) else path
        return path


def _inside(folder: str | None, root: Path) -> str | None:
    """Return the way from `root` to a folder that a schema names; raises ConfigError if outside.

    Whoever wrote the schema, or the model that keeps it, need not be the one who opens the rows.
    """
    if folder is None:
        return None
    way = os.path.normpath(folder)
    if os.path.isabs(way):
        way = os.path.relpath(way, os.path.abspath(root))
    if way == ".." or way.startswith(f"..{os.sep}"):
        raise ConfigError(
            f"schema: the folder {cut(folder)!r} leads out of the data folder {str(root)!r}, and"
            " files are read only from inside it; give a folder that holds both"
            f" ({option('data_dir')}), and in the schema the way from there"
        )
    return None if way == "." else way


def named_file(value: object, cache: Path) -> Any:
    """Return what names the file of a cell; one that the cell holds is written into `cache` first.

    A cell holds a file as {"bytes", "path"}, as bytes, in base64, or as a picture of Pillow or
    NumPy.
    """
    if isinstance(value, Mapping) and "bytes" in value:
        return _written(value["bytes"], cache) if value["bytes"] else value.get("path")
    if is_picture(value):
        return _written(as_png(value), cache)
    content = embedded(value)
    return _written(content, cache) if content else value


def _written(content: bytes, cache: Path) -> str:
    """Write a file into the cache once, named by its content, and return its path."""
    path = cache / hashlib.sha256(content).hexdigest()[:32]
    if not path.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with written(path) as draft:
            draft.write_bytes(content)
    return str(path)


def embedded(value: Any) -> bytes | None:
    """Return the file that a cell holds, as bytes, base64 or a data URI; None for its name."""
    if isinstance(value, bytes | bytearray):
        return bytes(value) or None
    if not isinstance(value, str) or not (start := _ENCODED.match(value)):
        return None
    try:
        return base64.b64decode(value[start.end("uri") :] if start["uri"] else value)
    except ValueError:
        return None


def _index(folder: Path, pattern: str) -> dict[str, tuple[Path, ...]]:
    """List `folder` once as {id: its files in natural order}; the id takes as much as it can."""
    before, after = (_as_regex(part) for part in pattern.split("{id}", 1))
    shape = re.compile(f"(?s:{before}(?P<id>.+){after})\\Z")
    found: dict[str, list[Path]] = {}
    if folder.is_dir():
        for name in os.listdir(folder):
            match = shape.match(name)
            if match:
                found.setdefault(match["id"], []).append(folder / name)
    return {key: tuple(sorted(paths, key=_natural)) for key, paths in found.items()}


def _as_regex(pattern: str) -> str:
    return re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")


def _natural(path: Path) -> list[tuple[int, str]]:
    """Order "pet-2.jpg" before "pet-10.jpg"."""
    steps = re.split(r"(\d+)", path.name)
    return [(int(step), "") if step.isdigit() else (-1, step) for step in steps]
