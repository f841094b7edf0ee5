"""The table in a folder that somebody points at, or which tables there are to choose from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from textcentric.data.inspection.kinds import kind_of_file
from textcentric.data.tables.compression import ENDINGS
from textcentric.data.tables.formats import FORMATS
from textcentric.data.tables.table import open_table
from textcentric.errors import DataError

DEEP = 2  # folders below the one that is named
SHOWN = 10
MOST = 20_000  # files that are looked at


def table_in(path: Path) -> Path:
    """Return the table that `path` is, or the only one in that folder.

    Raises DataError for a folder of several, which are listed, the largest first, and for one of
    none.
    """
    if not path.is_dir() or _is_whole(path):
        return path
    found = sorted(tables_in(path), key=lambda table: -table.stat().st_size)
    if len(found) == 1:
        return found[0]
    raise DataError(f"folder {str(path)!r} {_several(found) if found else _none(path)}")


def _is_whole(folder: Path) -> bool:
    """Say whether a folder is one table: a saved data set, or Parquet files of the same columns."""
    if any((folder / name).is_file() for name in ("state.json", "dataset_dict.json")):
        return True
    shards = list(folder.glob("*.parquet"))
    others = [path for path in _entries(folder) if path not in shards and path.is_file()]
    if not shards or any(_is_named_like_a_table(path.name.lower()) for path in others):
        return False
    try:
        return len({open_table(shard).columns for shard in shards}) == 1
    except DataError:  # told where the folder itself is opened
        return True


def tables_in(folder: Path, deep: int = DEEP) -> Iterator[Path]:
    """Yield the tables in a folder, and in those so many levels below it."""
    for entry in sorted(_entries(folder)):
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            if _is_whole(entry):
                yield entry
            elif deep:
                yield from tables_in(entry, deep - 1)
        elif _is_named_like_a_table(entry.name.lower()):
            yield entry


def _entries(folder: Path) -> list[Path]:
    try:
        return list(islice(folder.iterdir(), MOST))
    except OSError:
        return []  # that may not be looked into


def _is_named_like_a_table(name: str) -> bool:
    name = next((name.removesuffix(end) for end in ENDINGS if name.endswith(end)), name)
    text = name.endswith(".txt")  # may be prose
    return name.endswith((*FORMATS,)) and not text


def _several(found: list[Path]) -> str:
    listed = [f"{str(path)!r}" for path in found[:SHOWN]]
    more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    parts = {path.name.split(".")[0].lower() for path in found}
    hint = ""
    if "train" in parts and parts & {"test", "valid", "validation", "val", "dev"}:
        hint = "; of tables of one data set make one, with a column that says the split"
    return f"holds {len(found)} tables; name one of {', '.join(listed)}{more}{hint}"


def _none(folder: Path) -> str:
    files = [path for path in folder.rglob("*") if path.is_file()][:MOST]
    media = [path for path in files if kind_of_file(path.name)]
    kinds = Counter(filter(None, (kind_of_file(path.name) for path in media)))
    classes = sorted({path.parent.name for path in media})
    said = {"image": "pictures", "audio": "sounds"}
    held = " and ".join(f"{count:,} {said[kind]}" for kind, count in kinds.items())
    return (
        f"holds {held or 'no table'}{' and no table' if held else ''}; write a table beside them:"
        " a column of file names (`file`), and columns of what is known of each"
        + (f" (its folder: {', '.join(classes[:SHOWN])}?)" if len(classes) > 1 else "")
    )
