"""Batches of Arrow with plain values: words for dictionaries, one kind of text, times in full.

What is stored in a compact or exact way (categories, nanoseconds, 32-bit floats) is given as what
a person wrote: 0.1 and not 0.10000000149.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textcentric.data.tables.arrow_values import readable, sound
from textcentric.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

INDEX = "__index_level_"  # what pandas calls its index in a table of Arrow


def plain_batch(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return a batch of the same values in plain types."""
    import pyarrow as pa

    columns = [readable(sound(column), _plain) for column in batch.columns]
    return pa.RecordBatch.from_arrays(columns, names=batch.schema.names)


def _plain(column: pa.Array) -> pa.Array:
    import pyarrow as pa
    import pyarrow.compute as pc

    if isinstance(column, pa.ExtensionArray):
        return _plain(column.storage)
    if pa.types.is_dictionary(column.type):
        return _plain(column.dictionary).take(column.indices)
    if pa.types.is_run_end_encoded(column.type):
        return _plain(pc.run_end_decode(column))
    if pa.types.is_float32(column.type) or pa.types.is_float16(column.type):
        return column.cast(pa.string()).cast(pa.float64())
    wanted = _plain_type(column.type)
    return column if wanted == column.type else column.cast(wanted, safe=False)


def _plain_type(kind: pa.DataType) -> pa.DataType:
    import pyarrow as pa

    types = pa.types
    if types.is_large_string(kind) or types.is_string_view(kind):
        return pa.string()
    if types.is_large_binary(kind) or types.is_binary_view(kind):
        return pa.binary()
    if types.is_timestamp(kind):
        return pa.timestamp("us", kind.tz)
    if types.is_duration(kind):
        return pa.duration("us")
    if types.is_time(kind):
        return pa.time64("us")
    if types.is_dictionary(kind):
        return _plain_type(kind.value_type)
    if types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        return pa.list_(_plain_type(kind.value_type))
    if types.is_struct(kind):
        return pa.struct([(field.name, _plain_type(field.type)) for field in kind])
    if types.is_map(kind):
        return pa.map_(_plain_type(kind.key_type), _plain_type(kind.item_type))
    if types.is_union(kind):
        raise DataError("values of several types in one column")
    return kind


def indexes(schema: pa.Schema) -> list[str]:
    """Return the columns of whole numbers that are an index of pandas without a name."""
    import pyarrow as pa

    names = [name for name in schema.names if name.startswith(INDEX)]
    return [name for name in names if pa.types.is_integer(schema.field(name).type)]


def has_orders(schema: pa.Schema) -> bool:
    """Say whether a column has categories in an order."""
    import pyarrow as pa

    return any(pa.types.is_dictionary(kind) and kind.ordered for kind in schema.types)


def orders_of(batch: pa.RecordBatch) -> dict[str, Sequence[str | int]]:
    """Return the categories, in their order, of columns whose categories have one."""
    import pyarrow as pa

    columns = zip(batch.schema.names, batch.columns, strict=True)
    kept = [(n, c) for n, c in columns if pa.types.is_dictionary(c.type) and c.type.ordered]
    return {name: [*map(_category, column.dictionary.to_pylist())] for name, column in kept}


def _category(value: object) -> str | int:
    return value if isinstance(value, str | int) else str(value)
