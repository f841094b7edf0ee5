"""Where the parts of one data set lie: what a named set's file answers when given a folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from textcentric.data.photo_labels import PhotoLabels
from textcentric.data.schema import Schema
from textcentric.data.tables import Table


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
