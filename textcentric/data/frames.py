"""Tables that a program holds: data frames, lists of mappings, tables of Arrow, Hugging Face sets.

They are read like the table of a file: a schema says which column plays which role. pandas is not
imported for it; a frame is one where the program has imported it.
"""

from __future__ import annotations

import hashlib
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, TypeGuard

from textcentric.data.json_files import Row
from textcentric.data.left_out import LeftOut
from textcentric.data.tables import Table, from_datasets
from textcentric.errors import DataError
from textcentric.values import Cells

if TYPE_CHECKING:
    import pandas as pd


def table_in_hand(rows: object) -> Table | None:
    """Return what a program holds as a table; None for records, names, paths and other things.

    Raises DataError where two columns have one name.
    """
    if isinstance(rows, Table):
        return rows
    if hasattr(rows, "to_pylist"):
        return _of_mappings(rows.to_pylist())
    if hasattr(rows, "column_names"):
        return from_datasets("data set", rows)
    if is_frame(rows):
        return _of_frame(rows)
    return _of_mappings(rows) if _are_mappings(rows) else None


def is_frame(rows: object) -> TypeGuard[pd.DataFrame]:
    """Say whether `rows` are a data frame of pandas."""
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(rows, pandas.DataFrame)


def _are_mappings(rows: object) -> TypeGuard[Sequence[Cells]]:
    if not isinstance(rows, Sequence) or isinstance(rows, str | bytes):
        return False
    return len(rows) > 0 and all(isinstance(row, Mapping) for row in rows)


def _of_frame(frame: pd.DataFrame) -> Table:
    """Return a frame as a table; what pandas calls missing is None."""
    names = tuple(map(str, frame.columns))
    doubled = sorted(name for name, count in Counter(names).items() if count > 1)
    if doubled:
        raise DataError(f"the data frame has column {doubled[0]!r} twice; rename one")
    values = frame.set_axis(names, axis=1).astype(object)
    return _of_mappings(values.where(values.notna(), None).to_dict("records"), names)


def _of_mappings(rows: Sequence[Cells], columns: Sequence[str] = ()) -> Table:
    kept: list[Row] = [{str(name): value for name, value in row.items()} for row in rows]
    names = columns or tuple(dict.fromkeys(name for row in kept for name in row))
    content = hashlib.sha256()
    for row in kept:
        content.update(f"{sorted(row.items())!r}\n".encode("utf-8", "surrogatepass"))

    def read(left_out: LeftOut) -> Iterator[Row]:
        return iter(kept)

    return Table("rows", tuple(names), read, fingerprint=content.hexdigest())
