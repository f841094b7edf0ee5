"""How much of a table is held at once: in bytes, because a thousand rows may be anything.

A file of a few kilobytes can say gigabytes: by compression, by a dictionary whose one long value
stands in every row, by a line without end.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import IO, TYPE_CHECKING

import numpy as np

from textcentric.data.printed import DEEPEST
from textcentric.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

LONGEST = 2**26  # bytes of a row or characters of a line: no text and no picture comes near
BYTES = 2**25  # of a batch
MOST_UNPACKED = 2**30  # bytes of a file that is unpacked into memory as a whole
PIECE = 2**20  # bytes or characters read at once


def within(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """Yield a batch in pieces of at most `BYTES` once its values are written out.

    Raises DataError for a row of more than `LONGEST` bytes.
    """
    size = sum(map(written_out, batch.columns))
    if size <= BYTES or len(batch) < 2:
        if size > LONGEST:
            raise DataError(f"a row has {size:,} bytes, more than {LONGEST:,}; cut its values")
        yield batch
        return
    half = len(batch) // 2
    yield from within(batch.slice(0, half))
    yield from within(batch.slice(half))


def written_out(column: pa.Array) -> int:
    """Return how many bytes a column takes, at most, when all that it refers to is copied."""
    import pyarrow as pa

    kind = column.type
    if not _refers(kind):
        return int(column.nbytes)
    if isinstance(column, pa.ExtensionArray):
        return written_out(column.storage)
    if pa.types.is_dictionary(kind):
        return len(column) * _longest(column.dictionary)
    if pa.types.is_run_end_encoded(kind):
        return len(column) * _longest(column.values)
    if pa.types.is_string_view(kind) or pa.types.is_binary_view(kind):
        return _in_views(column)
    return sum(map(written_out, _children(column)))


def refuse_nested(schema: pa.Schema) -> None:
    """Raise DataError where lists or objects are nested more deeply than anybody needs."""
    kinds = list(schema.types)
    for _ in range(DEEPEST):
        kinds = [inner for kind in kinds for inner in _inner(kind)]
    if kinds:
        raise DataError(f"lists are nested more than {DEEPEST} deep; store them as plain columns")


def read_all(file: IO[bytes], what: str) -> bytes:
    """Return what a file holds once unpacked; raise DataError where that is too much."""
    content = file.read(MOST_UNPACKED + 1)
    if len(content) > MOST_UNPACKED:
        raise DataError(f"{what} holds more than {MOST_UNPACKED:,} bytes; unpack it first")
    return content


@lru_cache(maxsize=1024)
def _refers(kind: pa.DataType) -> bool:
    """Say whether a value of a type may be shorter than what it stands for."""
    import pyarrow as pa

    types = pa.types
    if types.is_list_view(kind) or types.is_large_list_view(kind):
        raise DataError(f"columns of the type {kind} are not read; store them as lists")
    own = types.is_dictionary(kind) or types.is_run_end_encoded(kind)
    views = types.is_string_view(kind) or types.is_binary_view(kind)
    return own or views or any(map(_refers, _inner(kind)))


def _inner(kind: pa.DataType) -> list[pa.DataType]:
    import pyarrow as pa

    if isinstance(kind, pa.BaseExtensionType):
        return [kind.storage_type]
    if pa.types.is_dictionary(kind) or pa.types.is_run_end_encoded(kind):
        return [kind.value_type]
    return [kind.field(at).type for at in range(kind.num_fields)]


def _children(column: pa.Array) -> list[pa.Array]:
    import pyarrow as pa

    if pa.types.is_struct(column.type):
        return list(column.flatten())
    if pa.types.is_map(column.type):
        return [column.keys, column.items]
    if pa.types.is_union(column.type):
        return [column.field(at) for at in range(column.type.num_fields)]
    return [column.flatten()]


def _longest(values: pa.Array) -> int:
    """Return how many bytes the longest of some values takes."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = values.type
    texts = pa.types.is_string(kind) or pa.types.is_large_string(kind)
    if texts or pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return pc.max(pc.binary_length(values)).as_py() or 0
    if pa.types.is_nested(kind) or _refers(kind):
        return max((written_out(values.slice(at, 1)) for at in range(len(values))), default=0)
    return int(values.nbytes) // max(1, len(values)) + 1


def _in_views(column: pa.Array) -> int:
    """Return the sum of the lengths of views: each is four numbers of 32 bits, the first it."""
    views = np.frombuffer(column.buffers()[1], np.int32)[::4]
    return int(views[column.offset : column.offset + len(column)].sum(dtype=np.int64))
