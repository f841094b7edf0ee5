"""Tables that a program holds: data frames, lists of mappings, tables of Arrow, Hugging Face sets.

They are read like the table of a file: a schema says which column plays which role. Frames become
batches of Arrow, whoever made them. pandas and Polars are not imported for it: a frame is one where
the program has imported them.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard, cast

from textcentric.data.media.pictures import as_png, is_picture
from textcentric.data.tables.arrow_content import of_arrow
from textcentric.data.tables.batches import INDEX
from textcentric.data.tables.content import Content, refuse_doubled
from textcentric.data.tables.hugging_face import Loaded
from textcentric.data.tables.json_files import Row
from textcentric.data.tables.left_out import LeftOut
from textcentric.data.tables.table import Table, from_datasets, table_of
from textcentric.errors import ConfigError, DataError
from textcentric.security.foreign import foreign
from textcentric.values import Cell, Cells

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

ROWS = 10_000  # of a batch
FRAME = "the data frame"
_OWN = (str, bytes, int, float, type(None))
_NEARLY = {"LazyFrame": "collect()", "Series": "to_frame()"}  # of Polars and pandas
_SETS = ("Dataset", "DatasetDict", "IterableDataset", "IterableDatasetDict")


def table_in_hand(rows: object) -> Table | None:
    """Return what a program holds as a table; None for records, names, paths and other things.

    Raises DataError where two columns have one name or the values of one cannot be told, and
    ConfigError for what is nearly a frame, with what to do.
    """
    if isinstance(rows, Table):
        return rows
    if _is_loaded(rows):
        return from_datasets("data set", rows)
    if is_frame(rows):
        return _of_arrow(*_from_pandas(rows))
    if hasattr(rows, "__arrow_c_stream__") and type(rows).__name__ != "Series":
        return _of_arrow(_from_others(rows))
    if (remedy := _NEARLY.get(type(rows).__name__)) and hasattr(rows, remedy.removesuffix("()")):
        raise ConfigError(f"rows are a {type(rows).__name__}, not a data frame; give rows.{remedy}")
    return _of_mappings(rows) if _are_mappings(rows) else None


def is_frame(rows: object) -> TypeGuard[pd.DataFrame]:
    """Say whether `rows` are a data frame of pandas."""
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(rows, pandas.DataFrame)


def _is_loaded(rows: object) -> TypeGuard[Loaded]:
    datasets = sys.modules.get("datasets")
    return datasets is not None and isinstance(rows, tuple(getattr(datasets, n) for n in _SETS))


def _are_mappings(rows: object) -> TypeGuard[Sequence[Cells]]:
    if not isinstance(rows, Sequence) or isinstance(rows, str | bytes):
        return False
    return len(rows) > 0 and all(isinstance(row, Mapping) for row in rows)


def _of_arrow(table: pa.Table, notes: Sequence[str] = ()) -> Table:
    """Return a table of Arrow as ours; the same rows give the same fingerprint."""

    def batches() -> Iterator[pa.RecordBatch]:
        for start in range(0, len(table), ROWS):
            yield from table.slice(start, ROWS).combine_chunks().to_batches()

    content = of_arrow(table.schema, batches, FRAME)
    content = replace(content, notes=(*content.notes, *notes))
    with foreign(FRAME):
        return table_of("rows", content, fingerprint=_fingerprint(content))


def _fingerprint(content: Content) -> str:
    known = repr((content.columns, dict(content.orders)))
    digest = hashlib.sha256(known.encode("utf-8", "surrogatepass"))
    for batch in content.read(LeftOut()):
        digest.update(cast("pa.RecordBatch", batch).serialize())
    return digest.hexdigest()


def _from_others(rows: object) -> pa.Table:
    """Return a frame of Polars, or of whoever else speaks Arrow, as a table of Arrow."""
    import pyarrow as pa

    with foreign(f"rows of {type(rows).__name__}, by Arrow,"):
        return pa.table(rows)


def _from_pandas(frame: pd.DataFrame) -> tuple[pa.Table, list[str]]:
    """Return a frame of pandas as a table of Arrow, and what was read otherwise than it stands."""
    import pyarrow as pa

    refuse_doubled(tuple(map(str, frame.columns)), FRAME)
    frame = _with_index(frame)
    names = [str(name) for name in frame.columns]
    columns, notes = [], []
    for at, name in enumerate(names):
        column, kinds = _column(frame.iloc[:, at])
        columns.append(column)
        if kinds:
            notes.append(f"column {name!r:.80} holds {' and '.join(kinds)}; it is read as text")
    return pa.Table.from_arrays(columns, names=names), notes


def _with_index(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame whose index is columns; one of whole numbers without a name is dropped."""
    levels = range(frame.index.nlevels)
    names = [name or f"{INDEX}{at}__" for at, name in enumerate(frame.index.names)]
    known = [names[at] in frame.columns for at in levels]
    mute = [
        frame.index.names[at] is None and frame.index.get_level_values(at).dtype.kind in "iu"
        for at in levels
    ]
    dropped = [at for at in levels if known[at] or mute[at]]
    if len(dropped) == len(levels):
        return frame.reset_index(drop=True)
    frame = frame.rename_axis(index=names)
    return (frame.reset_index(level=dropped, drop=True) if dropped else frame).reset_index()


def _column(series: pd.Series[Any]) -> tuple[pa.Array, list[str]]:
    """Return a column, and the types that are mixed in it if it had to be read as text.

    Whole numbers that pandas made floats of, because one is missing, are whole.
    """
    import pandas as pd
    import pyarrow as pa

    if isinstance(series.dtype, pd.CategoricalDtype):
        series = _plain_categories(series)
    try:
        column = pa.array(series, from_pandas=True)
    except Exception:  # values of several types, or of one that Arrow does not know
        return _cells(series)
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    if isinstance(column, pa.ExtensionArray):  # intervals, periods
        return pa.array([None if pd.isna(value) else str(value) for value in series]), []
    return _whole(column), []


def _plain_categories(series: pd.Series[Any]) -> pd.Series[Any]:
    """Return categories that are neither texts nor numbers, such as those of `cut`, as texts."""
    if series.cat.categories.dtype.kind in "iufb":
        return series
    return series.cat.rename_categories(list(map(str, series.cat.categories)))


def _whole(column: pa.Array) -> pa.Array:
    import pyarrow as pa
    import pyarrow.compute as pc

    if not pa.types.is_floating(column.type) or not column.null_count:
        return column
    whole = pc.all(pc.equal(column, pc.round(column))).as_py()
    small = pc.max(pc.abs(column)).as_py()
    return column.cast(pa.int64()) if whole and small < 2**53 else column


def _cells(series: pd.Series[Any]) -> tuple[pa.Array, list[str]]:
    """Return a column of objects: pictures as files, and values of several types as texts."""
    import pandas as pd
    import pyarrow as pa

    values = [_cell(value) for value in series]
    try:
        return pa.array(values), []
    except Exception:
        missing = [
            value is None or (pd.api.types.is_scalar(value) and pd.isna(value)) for value in values
        ]
        pairs = zip(values, missing, strict=True)
        texts = [None if gone else _written(value) for value, gone in pairs]
        kinds = {type(v).__name__ for v, gone in zip(values, missing, strict=True) if not gone}
        return pa.array(texts), sorted(kinds)


def _written(value: object) -> str:
    """Return a value as a text that can be written."""
    with suppress(DataError), foreign("a value"):
        return str(value).encode("utf-8", "replace").decode()
    return object.__repr__(value)


def _of_mappings(rows: Sequence[Cells]) -> Table:
    kept: list[Row] = [{str(name): _cell(value) for name, value in row.items()} for row in rows]
    names = tuple(dict.fromkeys(name for row in kept for name in row))
    content = hashlib.sha256()
    for row in kept:
        content.update(f"{sorted(row.items())!r}\n".encode("utf-8", "surrogatepass"))

    def read(left_out: LeftOut) -> Iterator[Row]:
        return iter(kept)

    return table_of("rows", Content(names, read), fingerprint=content.hexdigest())


def _cell(value: Any) -> Cell:
    """Return a value as a cell holds it: paths as texts, pictures as files, scalars as Python's."""
    if isinstance(value, Mapping) or (isinstance(value, _OWN) and not hasattr(value, "dtype")):
        return value
    if is_picture(value):
        return {"bytes": as_png(value), "path": None}
    if isinstance(value, list | tuple):
        return [_cell(item) for item in value]
    if type(value).__name__ in ("NAType", "NaTType"):
        return None
    if hasattr(value, "dtype") and hasattr(value, "tolist"):  # a scalar, or an array, of NumPy
        cell: Cell = value.tolist()
        return cell
    return str(value) if isinstance(value, Path) else value
