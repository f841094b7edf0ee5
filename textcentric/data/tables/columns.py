"""Columns of a batch of rows: Arrow arrays, or lists of Python's values where a source gives rows.

What is asked of a column is asked of all its values together. The answers are those that
`readings.plain` gives for one value.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import numpy as np

from textcentric.data.readings import identifier, plain
from textcentric.data.tables.json_files import Row
from textcentric.values import Cell

if TYPE_CHECKING:
    import pyarrow as pa

Batch: TypeAlias = "pa.RecordBatch | list[Row]"
Values: TypeAlias = "pa.Array | list[Cell]"
Mask: TypeAlias = "np.ndarray[Any, np.dtype[np.bool_]]"
ROWS, BYTES = 10_000, 2**23  # of a batch that waits for no more
BLANKS = "".join(map(chr, (*range(9, 14), *range(28, 33), 0x85, 0xA0, 0x1680)))
BLANKS += "".join(map(chr, (*range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000)))
UNREADABLE = "\ufffd"  # stands for bytes that are no text
PLAIN = r"^-?[0-9]{1,15}(\.([0-9]{1,2}|[0-9]{4,}))?$"  # a number without a sign between thousands


def gathered(parts: Iterable[Row | pa.RecordBatch]) -> Iterator[Batch]:
    """Put rows, and small batches of Arrow, together into batches of some thousand rows."""
    for are_rows, some in groupby(parts, lambda part: isinstance(part, dict)):
        if not are_rows:
            yield from _put_together(cast("Iterator[pa.RecordBatch]", some))
            continue
        yield from _by_size(cast("Iterator[Row]", some))


def _by_size(rows: Iterator[Row]) -> Iterator[list[Row]]:
    """Yield rows in lists that hold enough of them, or enough bytes."""
    held: list[Row] = []
    size = 0
    for row in rows:
        held.append(row)
        size += _size(row)
        if len(held) >= ROWS or size >= BYTES:
            yield held
            held, size = [], 0
    if held:
        yield held


def _size(row: Row) -> int:
    """Return about how many bytes a row takes, however its values are nested."""
    size, inside = 0, [*row.values()]
    while inside:
        value = inside.pop()
        if isinstance(value, str | bytes):
            size += len(value)
        elif isinstance(value, Mapping):
            inside.extend(value.values())
        elif isinstance(value, list | tuple):
            inside.extend(value)
        size += 50
    return size


def _put_together(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa

    waiting: list[pa.RecordBatch] = []
    for batch in batches:
        if waiting and (batch.schema != waiting[0].schema or _are_enough(waiting)):
            yield from pa.Table.from_batches(waiting).combine_chunks().to_batches()
            waiting = []
        waiting.append(batch)
    yield from pa.Table.from_batches(waiting).combine_chunks().to_batches()


def _are_enough(batches: Sequence[pa.RecordBatch]) -> bool:
    return sum(map(len, batches)) >= ROWS or sum(batch.nbytes for batch in batches) >= BYTES


def column_of(batch: Batch, name: str) -> Values:
    """Return the values of column `name`, None for each row that lacks it."""
    if isinstance(batch, list):
        return [row.get(name) for row in batch]
    import pyarrow as pa

    at = batch.schema.get_field_index(name)
    return pa.nulls(len(batch)) if at < 0 else batch.column(at)


def rows_of(batch: Batch) -> list[Row]:
    """Return the rows of a batch."""
    return batch if isinstance(batch, list) else batch.to_pylist()


def cells(values: Values) -> list[Cell]:
    """Return values as Python's own."""
    return values if isinstance(values, list) else values.to_pylist()


def texts_in(values: Values) -> pa.Array | None:
    """Return values without blanks around them as an array of texts, None if they are none."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if isinstance(values, list):
        return None
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if pa.types.is_null(values.type) or pa.types.is_string_view(values.type):
        values = values.cast(pa.string())
    if not (pa.types.is_string(values.type) or pa.types.is_large_string(values.type)):
        return None
    return pc.utf8_trim(values, characters=BLANKS)


def numbers_in(values: Values) -> Any:
    """Return values as an array of float64 (NaN where there is none), None if they are no numbers.

    Whole numbers past 2**53 lose their last digits.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if isinstance(values, list):
        return None
    if not (pa.types.is_integer(values.type) or pa.types.is_floating(values.type)):
        return None
    return pc.cast(values, pa.float64(), safe=False).to_numpy(zero_copy_only=False)


@dataclass(frozen=True, slots=True)
class PlainNumbers:
    """Numbers (n,) that are written plainly, else NaN; `decimals` marks those with a point."""

    amounts: Any
    decimals: Mask


def plain_numbers(values: Values, codes: Collection[str] = ()) -> PlainNumbers | None:
    """Return the values that are plainly written numbers and none of `codes`.

    None where values have to be looked at one by one.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    amounts = numbers_in(values)
    if amounts is not None:
        return None if codes else PlainNumbers(amounts, np.zeros(len(values), bool))
    texts = texts_in(values)
    if texts is None:
        return None
    chosen = pc.if_else(pc.match_substring_regex(texts, PLAIN), texts, None)
    if codes:
        coded = pc.is_in(texts, value_set=pa.array([*codes], texts.type))
        chosen = pc.if_else(pc.or_(coded, pc.ends_with(texts, ".0")), None, chosen)
    read = pc.cast(chosen, pa.float64()).to_numpy(zero_copy_only=False)
    return PlainNumbers(read, _mask(pc.match_substring(chosen, ".")))


def missing(values: Values, markers: Sequence[str]) -> Mask:
    """Say of each value whether it stands for nothing: none at all, blank, or one of `markers`."""
    import pyarrow as pa
    import pyarrow.compute as pc

    texts = texts_in(values)
    if texts is not None:
        nothing = pa.array(["", None, *markers], texts.type)
        return _mask(pc.is_in(texts, value_set=nothing))
    amounts = numbers_in(values)
    if amounts is not None:
        found: Mask = np.isnan(amounts)
        return found
    if not isinstance(values, list) and _are_simple(values.type):
        return _mask(values.is_null())
    marked = tuple(markers)
    return np.array([plain(value, marked) is None for value in cells(values)], bool)


def _are_simple(kind: pa.DataType) -> bool:
    import pyarrow as pa

    return bool(
        pa.types.is_temporal(kind) or pa.types.is_boolean(kind) or pa.types.is_decimal(kind)
    )


def identifiers(values: Values, markers: Sequence[str]) -> list[str | None]:
    """Return each value as an id, None where it stands for nothing."""
    import pyarrow as pa
    import pyarrow.compute as pc

    texts = texts_in(values)
    if texts is None:
        marked = tuple(markers)
        return [identifier(value, marked) for value in cells(values)]
    nothing = pc.is_in(texts, value_set=pa.array(["", *markers], texts.type))
    found: list[str | None] = pc.if_else(nothing, None, texts).to_pylist()
    return found


def row_hashes(batch: Batch, without: Collection[str | None]) -> Any:
    """Return a hash of each row (n,), all its values but those of columns `without`.

    Hashes are alike for rows that are alike, within this process only.
    """
    if isinstance(batch, list):
        rows = [[cell for name, cell in row.items() if name not in without] for row in batch]
        return np.fromiter((hash(repr(row)) for row in rows), np.int64, len(rows))
    import pyarrow as pa

    columns = [
        list(map(repr, column.to_pylist())) if pa.types.is_nested(column.type) else cells(column)
        for name, column in zip(batch.schema.names, batch.columns, strict=True)
        if name not in without
    ]
    return np.fromiter(map(hash, zip(*columns, strict=True)), np.int64, len(batch))


def garbled(batch: Batch) -> Mask:
    """Say of each row whether a text in it has bytes that are no text."""
    found = np.zeros(len(batch), bool)
    if isinstance(batch, list):
        texts = ((v for v in row.values() if isinstance(v, str)) for row in batch)
        return np.array([any(UNREADABLE in text for text in row) for row in texts], bool)
    import pyarrow as pa
    import pyarrow.compute as pc

    for column in batch.columns:
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            found |= _mask(pc.match_substring(column, UNREADABLE))
    return found


def _mask(values: pa.Array) -> Mask:
    found: Mask = values.fill_null(False).to_numpy(zero_copy_only=False)
    return found


def where(values: Values, kept: Mask) -> Values:
    """Return the values that `kept` marks."""
    if kept.all():
        return values
    if isinstance(values, list):
        return [value for value, wanted in zip(values, kept, strict=True) if wanted]
    import pyarrow as pa

    return values.filter(pa.array(kept))


@dataclass(frozen=True, slots=True)
class Distinct:
    """The different values of a column, and for each row (n,) the place of its own among them."""

    values: list[Cell]
    places: Any

    def __iter__(self) -> Iterator[tuple[Cell, int, int]]:
        """Yield each value with how many rows have it and the first of them."""
        if not self.values:
            return
        counts = np.bincount(self.places, minlength=len(self.values))
        firsts = np.unique(self.places, return_index=True)[1]
        yield from zip(self.values, counts.tolist(), firsts.tolist(), strict=True)


def distinct(values: Values) -> Distinct:
    """Return the different values of a column; 1, 1.0 and "1" are three, a list is its words."""
    import pyarrow as pa

    if not isinstance(values, list) and not (
        pa.types.is_nested(values.type) or pa.types.is_dictionary(values.type)
    ):
        encoded = values.dictionary_encode(null_encoding="encode")
        return Distinct(encoded.dictionary.to_pylist(), encoded.indices.to_numpy())
    known: dict[object, int] = {}
    kept: list[Cell] = []
    places = np.empty(len(values), np.int64)
    for at, value in enumerate(cells(values)):
        nan = isinstance(value, float) and math.isnan(value)
        key = (type(value), repr(value) if nan or isinstance(value, list | dict) else value)
        place = known.setdefault(key, len(kept))
        if place == len(kept):
            kept.append(value)
        places[at] = place
    return Distinct(kept, places)
