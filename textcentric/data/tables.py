"""Tables as streams of rows: CSV, Parquet, Arrow, JSON (lines, or one list), Hugging Face sets.

Nothing guesses types here: a CSV value is the text that stands in the file ("007" stays "007"),
the other formats give the values they store.
"""

from __future__ import annotations

import csv
import json
import lzma
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from textcentric.data.columns import Batch, gathered
from textcentric.data.delimited import Delimited
from textcentric.data.encodings import COMPRESSED
from textcentric.data.json_files import Row as Row
from textcentric.data.json_files import open_json
from textcentric.data.left_out import LeftOut
from textcentric.data.schema import ROW_NUMBER, TEXT, Schema
from textcentric.errors import ConfigError, DataError

if TYPE_CHECKING:
    import datasets
    import pyarrow as pa

Loaded: TypeAlias = "datasets.Dataset | datasets.DatasetDict"
Part: TypeAlias = "Row | pa.RecordBatch"
BATCH = 1000
BUFFER = 2**20  # bytes of a column of Parquet that are read at once
JSON = (".jsonl", ".json", ".ndjson")
BINARY = (".parquet", ".feather", ".arrow")
_BROKEN = (OSError, EOFError, csv.Error, zlib.error, lzma.LZMAError, UnicodeError)


@dataclass(frozen=True)
class Table:
    """A table that can be read again and again, row by row.

    `files` are those whose bytes are the content; `split_column` names the split if the format
    knows one; `names` has the words for columns of numbered classes; `form` says how a text is
    written, `notes` what is out of the ordinary. `read` gives rows, or batches of them, and counts
    in its argument the lines that give none.
    """

    path: str
    columns: tuple[str, ...]
    read: Callable[[LeftOut], Iterator[Part]] = field(repr=False)
    files: tuple[Path, ...] = ()
    fingerprint: str | None = None
    split_column: str | None = None
    names: Mapping[str, Sequence[str]] = field(default_factory=dict)
    form: str = ""
    notes: tuple[str, ...] = ()

    def rows(self, left_out: LeftOut | Counter[str] | None = None) -> Iterator[Row]:
        """Yield each readable row; count in `left_out` the lines that give none, by reason."""
        if not isinstance(left_out, LeftOut):
            left_out = LeftOut() if left_out is None else LeftOut(left_out)
        for part in self._parts(left_out):
            yield from [part] if isinstance(part, dict) else part.to_pylist()

    def batches(self, left_out: LeftOut | None = None) -> Iterator[Batch]:
        """Yield the rows in batches, those of Arrow as Arrow's; else like `rows`."""
        return gathered(self._parts(LeftOut() if left_out is None else left_out))

    def _parts(self, left_out: LeftOut) -> Iterator[Part]:
        try:
            yield from self.read(left_out)
        except (*_BROKEN, ValueError, NotImplementedError) as error:  # the last two are Arrow's
            raise DataError(f"table {self.path!r} breaks off: {error}; write it again") from error

    def numbered(self) -> Table:
        """Return it with a column of numbers, 1 for the first row that it gives."""

        def read(left_out: LeftOut) -> Iterator[Part]:
            first = 1
            for part in self.read(left_out):
                if isinstance(part, dict):
                    yield {ROW_NUMBER: first, **part}
                    first += 1
                else:
                    yield part.add_column(0, ROW_NUMBER, _numbers(first, len(part)))
                    first += len(part)

        note = (
            "ids are row numbers, 1 for the first row read; a row put in above changes those below"
        )
        columns = (ROW_NUMBER, *self.columns)
        return replace(self, columns=columns, read=read, notes=(*self.notes, note))


def _numbers(first: int, count: int) -> pa.Array:
    import pyarrow as pa

    return pa.array(range(first, first + count))


def open_table(path: Path, schema: Schema | None = None) -> Table:
    """Open a table file, a folder of Parquet files or a Hugging Face data set on disk.

    `schema` may say how a text is written. Raises DataError if there is nothing to read, the
    format is unknown, or a text can be read in several ways.
    """
    if path.is_dir():
        return _open_folder(path)
    if not path.is_file():
        raise DataError(f"table {str(path)!r} does not exist; {_nearest_file(path)}")
    name = path.name.lower()
    name = next((name.removesuffix(end) for end in COMPRESSED if name.endswith(end)), name)
    for suffix, opened in _FORMATS.items():
        if name.endswith(suffix):
            return _guarded(path, partial(opened, schema=_of_text(path, schema, suffix)))
    raise DataError(
        f"table {str(path)!r} has an unknown format; known endings: {', '.join(_FORMATS)}"
        f" (text formats also with {', '.join(COMPRESSED)})"
    )


def _guarded(path: Path, opened: Callable[[Path], Table]) -> Table:
    try:
        if path.stat().st_size == 0:
            raise DataError(f"table {str(path)!r} is empty (0 bytes); expected a header and rows")
        return opened(path)
    except (*_BROKEN, ValueError, NotImplementedError) as error:
        raise DataError(f"table {str(path)!r} cannot be read: {error}") from error


def _nearest_file(path: Path) -> str:
    from difflib import get_close_matches

    siblings = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
    nearest = get_close_matches(path.name, siblings, n=1)
    return f"did you mean {str(path.parent / nearest[0])!r}?" if nearest else "check the path"


def _open_text(path: Path, schema: Schema) -> Table:
    text = Delimited(path, schema)
    return Table(str(path), text.columns, text.read, (path,), form=text.form, notes=text.notes())


def _open_json(path: Path, schema: Schema) -> Table:
    columns, read = open_json(path, schema.encoding)
    return Table(str(path), columns, read, (path,))


def _open_arrow(path: Path, schema: Schema) -> Table:
    """Open a Feather file, which is Arrow's own format."""
    import pyarrow as pa

    def read(left_out: LeftOut) -> Iterator[Part]:
        with pa.memory_map(str(path)) as source, pa.ipc.open_file(source) as reader:
            for at in range(reader.num_record_batches):
                yield reader.get_batch(at)

    with pa.memory_map(str(path)) as source, pa.ipc.open_file(source) as reader:
        return Table(str(path), tuple(reader.schema.names), read, (path,))


def _open_parquet(*paths: Path) -> Table:
    import pyarrow.parquet as pq

    def read(left_out: LeftOut) -> Iterator[Part]:
        for path in paths:
            with pq.ParquetFile(path, buffer_size=BUFFER, pre_buffer=False) as shard:
                yield from shard.iter_batches(batch_size=BATCH, use_threads=False)

    schemas = [pq.read_schema(path) for path in paths]
    columns = dict.fromkeys(name for schema in schemas for name in schema.names)
    names = class_names(schemas[0].metadata or {})
    return Table(str(paths[0]), tuple(columns), read, tuple(paths), names=names)


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

    def read(left_out: LeftOut) -> Iterator[Part]:
        for key, part in plain.items():
            for batch in part.with_format("arrow").iter(BATCH):
                for row in batch.to_pylist():
                    yield row if column is None else {**row, column: key}

    names = dict.fromkeys(name for part in plain.values() for name in part.column_names)
    if column:
        names[column] = None
    prints = "-".join(part._fingerprint for part in plain.values())
    words = {
        name: tuple(feature.names)
        for part in plain.values()
        for name, feature in part.features.items()
        if isinstance(feature, _datasets().ClassLabel)
    }
    return Table(name, tuple(names), read, files, prints, column, words)


def class_names(metadata: Mapping[bytes, bytes]) -> dict[str, Sequence[str]]:
    """Return the words for classes that `datasets` writes into the metadata of a file.

    >>> class_names({b"huggingface": b'{"info": {"features": {"kind": {"names": ["owl"]}}}}'})
    {'kind': ['owl']}
    """
    try:
        features = json.loads(metadata.get(b"huggingface", b"{}")).get("info", {})["features"]
        named = {name: feature["names"] for name, feature in features.items() if "names" in feature}
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}
    return named


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


def _used_of(suffix: str) -> set[str]:
    return {"encoding"} if suffix in JSON else set() if suffix in BINARY else set(TEXT)


def _of_text(path: Path, schema: Schema | None, suffix: str) -> Schema:
    """Return the schema, or one without keys; refuse keys that the format has no use for."""
    schema = schema or Schema()
    if idle := sorted(schema.of_text() - _used_of(suffix)):
        raise ConfigError(f"schema: {idle[0]} says nothing about {path.name}; leave it out")
    return schema


_FORMATS: dict[str, Callable[..., Table]] = {
    ".csv": _open_text,
    ".tsv": _open_text,
    ".tab": _open_text,
    ".txt": _open_text,
    ".jsonl": _open_json,
    ".json": _open_json,
    ".ndjson": _open_json,
    ".parquet": lambda path, schema: _open_parquet(path),
    ".feather": _open_arrow,
    ".arrow": _open_arrow,
}
ENDINGS = (*_FORMATS,)  # of the names of tables
