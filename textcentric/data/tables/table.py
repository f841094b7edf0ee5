"""Tables as streams of rows, from files of all formats and from Hugging Face sets.

Nothing guesses types here: a CSV value is the text that stands in the file ("007" stays "007"),
the other formats give the values they store.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from textcentric.data.schema import ROW_NUMBER, Schema
from textcentric.data.tables.arrow_files import open_arrow, open_parquet
from textcentric.data.tables.columns import Batch, gathered
from textcentric.data.tables.content import BATCH as BATCH
from textcentric.data.tables.content import Content
from textcentric.data.tables.content import Part as Part
from textcentric.data.tables.delimited import Delimited
from textcentric.data.tables.features import in_words
from textcentric.data.tables.formats import USED, Format, format_of
from textcentric.data.tables.hugging_face import SPLIT, Loaded, content_of, in_memory, on_hub, saved
from textcentric.data.tables.json_files import Row as Row
from textcentric.data.tables.json_files import open_json
from textcentric.data.tables.left_out import LeftOut
from textcentric.data.tables.workbooks import open_workbook
from textcentric.errors import ConfigError, DataError
from textcentric.security.foreign import foreign

if TYPE_CHECKING:
    import pyarrow as pa

T = TypeVar("T")


@dataclass(frozen=True)
class Table:
    """A table that can be read again and again, row by row.

    `files` are those whose bytes are the content; `split_column` names the split if the format
    knows one; for `names`, `orders`, `form` and `notes` see `Content`. `read` gives rows, or
    batches of them, and counts in its argument the lines that give none.
    """

    path: str
    columns: tuple[str, ...]
    read: Callable[[LeftOut], Iterator[Part]] = field(repr=False)
    files: tuple[Path, ...] = ()
    fingerprint: str | None = None
    split_column: str | None = None
    names: Mapping[str, Sequence[str]] = field(default_factory=dict)
    orders: Mapping[str, Sequence[str | int]] = field(default_factory=dict)
    form: str = ""
    notes: tuple[str, ...] = ()

    def rows(self, left_out: LeftOut | Counter[str] | None = None) -> Iterator[Row]:
        """Yield each readable row; count in `left_out` the lines that give none, by reason."""
        if not isinstance(left_out, LeftOut):
            left_out = LeftOut() if left_out is None else LeftOut(left_out)
        yield from self._explained(_rows_of(self.read(left_out)))

    def batches(self, left_out: LeftOut | None = None) -> Iterator[Batch]:
        """Yield the rows in batches, those of Arrow as Arrow's; else like `rows`."""
        read = self.read(LeftOut() if left_out is None else left_out)
        yield from self._explained(gathered(read))

    def _explained(self, parts: Iterator[T]) -> Iterator[T]:
        with foreign(f"the rest of table {self.path!r}", cure="; write it again"):
            yield from parts

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

    def in_words(self, columns: Sequence[str]) -> Table:
        """Return it with words for the numbered classes of `columns`."""
        if not columns:
            return self
        features = {name: {"_type": "ClassLabel", "names": self.names[name]} for name in columns}

        def read(left_out: LeftOut) -> Iterator[Part]:
            for part in self.read(left_out):
                yield part if isinstance(part, dict) else in_words(part, features)

        return replace(self, read=read)

    def renamed(self, names: Mapping[str, str]) -> Table:
        """Return it with other names for some of its columns: {the name it has: its new one}."""
        if all(old == new for old, new in names.items()):
            return self

        def read(left_out: LeftOut) -> Iterator[Part]:
            for part in self.read(left_out):
                if isinstance(part, dict):
                    yield {names.get(name, name): value for name, value in part.items()}
                else:
                    yield part.rename_columns([names.get(n, n) for n in part.schema.names])

        columns = tuple(names.get(name, name) for name in self.columns)
        words = {names.get(name, name): labels for name, labels in self.names.items()}
        orders = {names.get(name, name): classes for name, classes in self.orders.items()}
        return replace(self, columns=columns, read=read, names=words, orders=orders)


def _rows_of(parts: Iterator[Part]) -> Iterator[Row]:
    for part in parts:
        yield from [part] if isinstance(part, dict) else part.to_pylist()


def _numbers(first: int, count: int) -> pa.Array:
    import pyarrow as pa

    return pa.array(range(first, first + count))


def open_table(path: Path, schema: Schema | None = None) -> Table:
    """Open a table file, a folder of Parquet files or a Hugging Face data set on disk.

    `schema` may say how a text is written, and which sheet of a workbook is meant. Raises DataError
    if there is nothing to read, the format is unknown, or it can be read in several ways.
    """
    schema = schema or Schema()
    if path.is_dir():
        return _open_folder(path, schema)
    file, sheet = _parted(path)
    if not file.is_file():
        raise DataError(f"table {str(path)!r} does not exist; {_nearest_file(path)}")
    with foreign(f"table {str(path)!r}"):
        if file.stat().st_size == 0:
            raise DataError(f"table {str(path)!r} is empty (0 bytes); expected a header and rows")
        kind = format_of(file)
        _refuse_idle_keys(file, schema, kind)
        sheet = sheet or schema.sheet
        return table_of(str(path), _opened(file, kind, sheet, schema), (file,))


def table_of(
    path: str,
    content: Content,
    files: tuple[Path, ...] = (),
    fingerprint: str | None = None,
    split_column: str | None = None,
) -> Table:
    """Return a table of some content; see `Table` for the others."""
    known = {field.name: getattr(content, field.name) for field in fields(content)}
    return Table(path, **known, files=files, fingerprint=fingerprint, split_column=split_column)


def from_hub(name: str) -> Table:
    """Load a data set from the Hugging Face hub by `name` ("owner/name" or "owner/name:config")."""
    return from_datasets(name, on_hub(name))


def from_datasets(name: str, loaded: Loaded, files: tuple[Path, ...] = ()) -> Table:
    """Wrap a data set of Hugging Face; pictures stay bytes, the splits become a column."""
    parts = in_memory(loaded)
    fingerprint = "-".join(part._fingerprint for part in parts.values())
    split = None if None in parts else SPLIT
    return table_of(name, content_of(parts), files, fingerprint, split)


def _open_folder(path: Path, schema: Schema) -> Table:
    if any((path / name).is_file() for name in ("state.json", "dataset_dict.json")):
        return from_datasets(str(path), saved(path), tuple(sorted(path.rglob("*.arrow"))))
    shards = sorted(path.glob("*.parquet"))
    if not shards:
        raise DataError(
            f"folder {str(path)!r} is no table; expected Parquet files or a saved data set in it"
        )
    with foreign(f"table {str(path)!r}"):
        return table_of(str(path), open_parquet(shards, schema), tuple(shards))


def _opened(path: Path, kind: Format, sheet: str | None, schema: Schema) -> Content:
    if kind == "workbook":
        return open_workbook(path, sheet, schema)
    if kind == "Parquet":
        return open_parquet([path], schema)
    if kind == "Arrow":
        return open_arrow(path, schema)
    if kind == "JSON":
        return Content(*open_json(path, schema.encoding))
    text = Delimited(path, schema)
    return Content(text.columns, text.read, form=text.form, notes=text.notes())


def _parted(path: Path) -> tuple[Path, str | None]:
    """Return the file and the sheet of `book.xlsx:Sheet`."""
    name, colon, sheet = path.name.rpartition(":")
    if not colon or path.is_file() or not path.with_name(name).is_file():
        return path, None
    return path.with_name(name), sheet


def _nearest_file(path: Path) -> str:
    from difflib import get_close_matches

    siblings = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
    nearest = get_close_matches(path.name, siblings, n=1)
    return f"did you mean {str(path.parent / nearest[0])!r}?" if nearest else "check the path"


def _refuse_idle_keys(path: Path, schema: Schema, kind: Format) -> None:
    """Refuse keys that say how a file is written where the format has no use for them."""
    if idle := sorted(schema.of_text() - USED[kind]):
        raise ConfigError(f"schema: {idle[0]} says nothing about {path.name}; leave it out")
