"""Tables as streams of plain dicts: CSV, Parquet, JSON (lines, or one list), Hugging Face sets.

Nothing guesses types: a CSV value is the string that stands in the file ("007" stays "007"),
the other formats give the values they store. Python's own csv module is used rather than
Arrow's, because it keeps line breaks in values, names a ragged line and never fails a block.
"""

from __future__ import annotations

import csv
import gzip
import json
import re
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeAlias

from textcentric.errors import ConfigError, DataError
from textcentric.values import Cell

if TYPE_CHECKING:
    import datasets

Row = dict[str, Cell]
Loaded: TypeAlias = "datasets.Dataset | datasets.DatasetDict"
BATCH = 1000
_LONGEST_FIELD = 64 * 2**20  # characters; a forgotten quote otherwise swallows the whole file
_SURROGATE = re.compile("[\ud800-\udfff]")
_BROKEN = (OSError, EOFError, csv.Error, zlib.error, UnicodeDecodeError)


@dataclass(frozen=True)
class Table:
    """A table that can be read again and again, row by row.

    `files` are those whose bytes are the content; `split_column` names the split if the format
    knows one. `rows` counts in its argument why lines could not be read.
    """

    path: str
    columns: tuple[str, ...]
    read: Callable[[Counter[str]], Iterator[Row]] = field(repr=False)
    files: tuple[Path, ...] = ()
    fingerprint: str | None = None
    split_column: str | None = None

    def rows(self, unreadable: Counter[str] | None = None) -> Iterator[Row]:
        """Yield each readable row; count the others in `unreadable` by reason."""
        try:
            yield from self.read(Counter() if unreadable is None else unreadable)
        except (*_BROKEN, ValueError, NotImplementedError) as error:  # the last two are Arrow's
            raise DataError(f"table {self.path!r} breaks off: {error}; write it again") from error


def open_table(path: Path) -> Table:
    """Open a table file, a folder of Parquet files or a Hugging Face data set on disk.

    Raises DataError if there is nothing to read or the format is unknown.
    """
    if path.is_dir():
        return _open_folder(path)
    if not path.is_file():
        raise DataError(f"table {str(path)!r} does not exist; {_nearest_file(path)}")
    name = path.name.lower().removesuffix(".gz")
    for suffix, reader in _FORMATS.items():
        if name.endswith(suffix):
            return _guarded(path, reader)
    raise DataError(
        f"table {str(path)!r} has an unknown format; known endings: {', '.join(_FORMATS)}"
        " (text formats also with .gz)"
    )


def _guarded(path: Path, reader: Callable[[Path], Table]) -> Table:
    try:
        if path.stat().st_size == 0:
            raise DataError(f"table {str(path)!r} is empty (0 bytes); expected a header and rows")
        return reader(path)
    except (*_BROKEN, ValueError, NotImplementedError) as error:
        raise DataError(f"table {str(path)!r} cannot be read: {error}") from error


def _nearest_file(path: Path) -> str:
    from difflib import get_close_matches

    siblings = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
    nearest = get_close_matches(path.name, siblings, n=1)
    return f"did you mean {str(path.parent / nearest[0])!r}?" if nearest else "check the path"


def _text(path: Path) -> IO[str]:
    # A stray byte becomes U+FFFD and is counted by the scan; it must not cost the whole table.
    if path.name.lower().endswith(".gz"):
        return gzip.open(path, "rt", encoding="utf-8-sig", errors="replace", newline="")
    return open(path, encoding="utf-8-sig", errors="replace", newline="")


def _open_csv(path: Path) -> Table:
    csv.field_size_limit(_LONGEST_FIELD)
    delimiter = "\t" if ".tsv" in path.name.lower() else ","
    with _text(path) as lines:
        header = next(csv.reader(lines, delimiter=delimiter), [])
    columns = tuple(name.strip() for name in header)
    doubled = sorted(name for name, n in Counter(columns).items() if n > 1)
    if doubled:
        raise DataError(f"table {str(path)!r} has column {doubled[0]!r} twice; rename one")

    def read(unreadable: Counter[str]) -> Iterator[Row]:
        with _text(path) as lines:
            reader = csv.reader(lines, delimiter=delimiter)
            next(reader, None)
            for fields in reader:
                if len(fields) == len(columns):
                    yield dict(zip(columns, fields, strict=True))
                elif fields:
                    unreadable[f"line(s) without exactly {len(columns)} fields"] += 1

    return Table(str(path), columns, read, (path,))


def _open_json(path: Path) -> Table:
    """Open a file that is one list of objects, which is read whole, or has one object a line."""
    with _text(path) as lines:
        start = lines.read(BATCH).lstrip()[:1]
    return _open_json_list(path) if start == "[" else _open_json_lines(path)


def _open_json_list(path: Path) -> Table:
    def read(unreadable: Counter[str]) -> Iterator[Row]:
        with _text(path) as file:
            found = json.load(file)
        rows = [_json_row(json.dumps(row)) for row in found]
        if wrong := rows.count(None):
            unreadable["item(s) that are not one JSON object"] += wrong
        yield from (row for row in rows if row is not None)

    columns = dict.fromkeys(name for row in read(Counter()) for name in row)
    if not columns:
        raise DataError(
            f"table {str(path)!r} has no row; expected one JSON object a line, or a list"
        )
    return Table(str(path), tuple(columns), read, (path,))


def _open_json_lines(path: Path) -> Table:
    def read(unreadable: Counter[str]) -> Iterator[Row]:
        with _text(path) as lines:
            for line in lines:
                row = _json_row(line)
                if row is not None:
                    yield row
                elif line.strip():
                    unreadable["line(s) that are not one JSON object"] += 1

    first: dict[str, None] = {}
    for row in islice(read(Counter()), BATCH):
        first |= dict.fromkeys(row)
    if not first:
        raise DataError(f"table {str(path)!r} has no row; expected one JSON object a line")
    return Table(str(path), tuple(first), read, (path,))


def _json_row(line: str) -> Row | None:
    try:
        row = json.loads(line)
        if "\\ud" in line.lower():  # half a surrogate pair cannot be written to any file again
            row = json.loads(_SURROGATE.sub("\ufffd", json.dumps(row, ensure_ascii=False)))
    except (ValueError, RecursionError):
        return None
    return row if isinstance(row, dict) else None


def _open_parquet(*paths: Path) -> Table:
    import pyarrow.parquet as pq

    def read(unreadable: Counter[str]) -> Iterator[Row]:
        for path in paths:
            with pq.ParquetFile(path) as shard:
                for batch in shard.iter_batches(batch_size=BATCH):
                    yield from batch.to_pylist()

    columns = dict.fromkeys(name for path in paths for name in pq.read_schema(path).names)
    return Table(str(paths[0]), tuple(columns), read, tuple(paths))


def _open_folder(path: Path) -> Table:
    if any((path / name).is_file() for name in ("state.json", "dataset_dict.json")):
        try:
            saved = _datasets().load_from_disk(str(path))
        except (OSError, ValueError, KeyError) as error:
            raise DataError(f"data set {str(path)!r} cannot be loaded: {error}") from error
        return from_datasets(str(path), saved, tuple(sorted(path.rglob("*.arrow"))))
    shards = sorted(path.glob("*.parquet"))
    if not shards:
        raise DataError(
            f"folder {str(path)!r} is no table; expected Parquet files or a saved data set in it"
        )
    return _guarded(path, lambda _: _open_parquet(*shards))


def from_hub(name: str) -> Table:
    """Load a data set from the Hugging Face hub by `name` ("owner/name" or "owner/name:config")."""
    repository, _, config = name.partition(":")
    try:
        loaded = _datasets().load_dataset(repository, config or None)
    except (OSError, ValueError, RuntimeError, ImportError) as error:
        raise DataError(
            f"data set {name!r} cannot be loaded from the hub:"
            f" {str(error).splitlines()[0] if str(error) else type(error).__name__};"
            " check the name and the network, or give the path of a table"
        ) from error
    return from_datasets(name, loaded)


def from_datasets(name: str, loaded: Loaded, files: tuple[Path, ...] = ()) -> Table:
    """Wrap a `datasets.Dataset` or `DatasetDict`; pictures stay bytes, the splits a column."""
    splits = {None: loaded} if hasattr(loaded, "features") else dict(loaded)
    plain = {key: _undecoded(part) for key, part in splits.items()}
    column = None if None in plain else "split"

    def read(unreadable: Counter[str]) -> Iterator[Row]:
        for key, part in plain.items():
            for batch in part.with_format("arrow").iter(BATCH):
                for row in batch.to_pylist():
                    yield row if column is None else {**row, column: key}

    names = dict.fromkeys(name for part in plain.values() for name in part.column_names)
    if column:
        names[column] = None
    prints = "-".join(part._fingerprint for part in plain.values())
    return Table(name, tuple(names), read, files, prints, column)


def _datasets() -> Any:
    try:
        import datasets
    except ImportError as error:
        raise ConfigError(
            f"the package `datasets` is needed for this data set ({error}); pip install datasets"
        ) from error
    return datasets


def _undecoded(part: datasets.Dataset) -> datasets.Dataset:
    media = (_datasets().Image, _datasets().Audio)
    for name, feature in part.features.items():
        if isinstance(feature, media):
            part = part.cast_column(name, type(feature)(decode=False))
    return part


_FORMATS: dict[str, Callable[[Path], Table]] = {
    ".csv": _open_csv,
    ".tsv": _open_csv,
    ".jsonl": _open_json_lines,
    ".json": _open_json,
    ".ndjson": _open_json_lines,
    ".parquet": _open_parquet,
}
