"""The data sets known by name: one file each in `sets/`, found by listing that folder."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Protocol

from textcentric.data.media.photo_labels import PhotoLabels
from textcentric.data.schema import Schema
from textcentric.data.tables.table import Table
from textcentric.errors import check_known, option


class NamedSet(Protocol):
    """What a file in `sets/` offers: what it is, how to get it, and its layout in a folder."""

    ABOUT: str
    HOW_TO_GET: str

    def layout(self, folder: Path) -> Layout: ...


def names() -> list[str]:
    """Return the names of the known data sets, sorted."""
    folder = Path(__file__).with_name("sets")
    return sorted(path.stem for path in folder.glob("*.py") if path.stem != "__init__")


def how_to_get(name: str) -> str:
    """Return how to get the rows of a data set, and where to say that they are."""
    return f"{named_set(name).HOW_TO_GET} and give the folder with {option('data_dir')}"


def named_set(name: str) -> NamedSet:
    """Return the data set called `name`; raise ConfigError with the nearest name if unknown."""
    check_known("data set", name, names())
    return import_module(f"textcentric.data.sets.{name}")


def places(name: str, environ: Mapping[str, str] = os.environ) -> list[Path]:
    """Return the folders where the data set `name` is looked for, in order."""
    found = [cache_folder(environ) / "data" / name]
    if environ.get("TEXTCENTRIC_DATA"):
        found.insert(0, Path(environ["TEXTCENTRIC_DATA"]) / name)
    return found


def cache_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the user's cache folder for this package; XDG_CACHE_HOME is honoured."""
    base = environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "textcentric"


def embedded_folder() -> Path:
    """Return the folder in the cache that files which stand in cells are written into."""
    return cache_folder() / "embedded"


def is_embedded(file: str | Path) -> bool:
    """Say whether a file was written out of a cell."""
    return Path(file).is_relative_to(embedded_folder())


@dataclass(frozen=True)
class Layout:
    """A table, the schema that reads it and the files beside it.

    `root` is the folder that files must not leave; `side_tables` are tables whose content decides
    what a row says (breed names, say) and so belong to the digest; `photo_labels` reads what a
    vision service saw on the photos, by row id.
    """

    table: Table
    schema: Schema
    root: Path
    side_tables: tuple[Path, ...] = ()
    photo_labels: Callable[[], Mapping[str, tuple[PhotoLabels, ...]]] | None = None
    notes: tuple[str, ...] = field(default=())
