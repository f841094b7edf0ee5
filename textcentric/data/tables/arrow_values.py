"""Values of Arrow that have no counterpart in Python, or in our columns, as texts.

Bytes that are no text, days past the year 9999, zones that nobody knows, intervals and unions: each
is read by what it says, and none ends the reading of a table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from textcentric.data.readings import in_text
from textcentric.errors import DataError
from textcentric.security.foreign import foreign

if TYPE_CHECKING:
    import pyarrow as pa

_A_DAY = 86_400
_DAYS = (-719_161, 2_932_895)  # from the year 1 to 9999, a day less at both ends for zones
_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
Reading = Callable[["pa.Array"], "pa.Array"]


def sound(column: pa.Array) -> pa.Array:
    """Return a column whose parts fit together; bytes in it that are no text become U+FFFD.

    Raises what Arrow raises where a file is damaged: its values would be read from anywhere.
    """
    import pyarrow as pa

    try:
        column.validate(full=True)
    except pa.ArrowInvalid as error:
        if "acceptable range" in str(error):  # a time past midnight
            return sound(column.cast(_in_numbers(column.type)))
        if "UTF8" not in str(error):
            raise
        return _decoded(column)
    return column


def readable(column: pa.Array, plain: Reading) -> pa.Array:
    """Return a column as `plain` makes it, as texts where Python cannot hold what that gives."""
    with suppress(DataError), foreign("a column"):
        if _in_range(column) and _has_counterpart(made := plain(column)):
            return made
    for read in (_as_python_writes, _as_stored):
        with suppress(DataError), foreign("a column"):
            return read(column)
    raise DataError(f"values of the type {column.type} are not read; store them as texts")


def _in_range(column: pa.Array) -> bool:
    """Say whether all days of a column are days of Python, too."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = column.type
    if pa.types.is_timestamp(kind):
        scale, numbers = _A_DAY * _PER_SECOND[kind.unit], column.cast(pa.int64())
    elif pa.types.is_date32(kind):
        scale, numbers = 1, column.cast(pa.int32())
    elif pa.types.is_date64(kind):
        scale, numbers = _A_DAY * 1000, column.cast(pa.int64())
    else:
        return True
    ends = pc.min_max(numbers).as_py()
    least, most = ends["min"] or 0, ends["max"] or 0
    return bool(_DAYS[0] * scale <= least and most <= _DAYS[1] * scale)


def _has_counterpart(column: pa.Array) -> bool:
    """Say whether Python can hold all values; those of plain types are not tried."""
    if not _is_plain(column.type):
        column.to_pylist()
    return True


@lru_cache(maxsize=1024)
def _is_plain(kind: pa.DataType, within: bool = False) -> bool:
    """Say whether Python holds all values of a type; days `within` lists are not looked at."""
    import pyarrow as pa

    types = pa.types
    if types.is_list(kind) or types.is_struct(kind):
        return all(_is_plain(kind.field(at).type, True) for at in range(kind.num_fields))
    if within and types.is_temporal(kind):
        return False
    if types.is_timestamp(kind):
        return kind.tz in (None, "UTC")
    numbers = types.is_integer(kind) or types.is_floating(kind) or types.is_boolean(kind)
    texts = types.is_string(kind) or types.is_binary(kind) or types.is_fixed_size_binary(kind)
    dates = types.is_date(kind) or types.is_duration(kind)
    return bool(numbers or texts or dates or types.is_null(kind) or types.is_decimal(kind))


def _as_python_writes(column: pa.Array) -> pa.Array:
    import pyarrow as pa

    return pa.array([None if v is None else in_text(v) for v in column.to_pylist()], pa.string())


def _as_stored(column: pa.Array) -> pa.Array:
    """Return values as texts in which days and times are the numbers that stand for them."""
    return _as_python_writes(column.cast(_in_numbers(column.type)))


def _in_numbers(kind: pa.DataType) -> pa.DataType:
    import pyarrow as pa

    types = pa.types
    if types.is_date32(kind) or types.is_time32(kind):
        return pa.int32()
    if types.is_temporal(kind):
        return pa.int64()
    if types.is_struct(kind):
        return pa.struct([(field.name, _in_numbers(field.type)) for field in kind])
    if types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        return pa.list_(_in_numbers(kind.value_type))
    return kind


def _decoded(column: pa.Array) -> pa.Array:
    """Return a column of texts whose bytes are read as UTF-8 as far as they are."""
    import pyarrow as pa

    inside = column.cast(_in_bytes(column.type))
    inside.validate(full=True)
    words = [_words(value, column.type) for value in inside.to_pylist()]
    return pa.array(words, _without_dictionaries(column.type))


def _in_bytes(kind: pa.DataType) -> pa.DataType:
    """Return a type with bytes in place of texts."""
    import pyarrow as pa

    types = pa.types
    if types.is_dictionary(kind):
        return _in_bytes(kind.value_type)
    if types.is_string(kind) or types.is_string_view(kind):
        return pa.binary()
    if types.is_large_string(kind):
        return pa.large_binary()
    if types.is_struct(kind):
        return pa.struct([(field.name, _in_bytes(field.type)) for field in kind])
    if types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        return pa.list_(_in_bytes(kind.value_type))
    return kind


def _without_dictionaries(kind: pa.DataType) -> pa.DataType:
    import pyarrow as pa

    types = pa.types
    if types.is_dictionary(kind):
        return _without_dictionaries(kind.value_type)
    if types.is_struct(kind):
        return pa.struct([(field.name, _without_dictionaries(field.type)) for field in kind])
    if types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        return pa.list_(_without_dictionaries(kind.value_type))
    return kind


def _words(value: Any, kind: pa.DataType) -> Any:
    import pyarrow as pa

    types = pa.types
    if types.is_dictionary(kind):
        return _words(value, kind.value_type)
    if isinstance(value, bytes) and (types.is_string(kind) or types.is_large_string(kind)):
        return value.decode("utf-8", "replace")
    if isinstance(value, Mapping):
        return {name: _words(value[name], kind.field(name).type) for name in value}
    if isinstance(value, list):
        return [_words(item, kind.value_type) for item in value]
    return value
