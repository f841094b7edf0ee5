"""Tables of Arrow, from a file or in hand, with what their metadata says of the columns."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from textcentric.data.tables.batches import has_orders, indexes, orders_of, plain_batch
from textcentric.data.tables.bounds import refuse_nested, within
from textcentric.data.tables.content import Content, refuse_doubled
from textcentric.data.tables.features import Features, class_names, features_of, with_words
from textcentric.data.tables.left_out import LeftOut
from textcentric.data.tables.unnamed import LOOKED_AT, without_data

if TYPE_CHECKING:
    import pyarrow as pa


def of_arrow(
    schema: pa.Schema,
    batches: Callable[[], Iterable[pa.RecordBatch]],
    where: str,
    *,
    mentioned: Collection[str] = (),
    features: Features | None = None,
) -> Content:
    """Return the content of `batches`, which can be asked for again and again.

    `where` says in messages what they are of. An index of pandas that only counts rows is left
    out, unless it is `mentioned`. `features` are those of `datasets`, if not the metadata's.
    """
    refuse_nested(schema)
    refuse_doubled(schema.names, where)
    left = {
        name: f"column {name!r}, an index of pandas without a name,"
        for name in indexes(schema)
        if name not in mentioned
    }
    left |= without_data(
        schema.names, {*mentioned, *left}, lambda some: _first(batches, some), where
    )
    columns = tuple(name for name in schema.names if name not in left)
    known = features_of(schema.metadata) if features is None else features

    def read(left_out: LeftOut) -> Iterator[pa.RecordBatch]:
        for batch in batches():
            own = [name for name in columns if name in batch.schema.names]
            for piece in within(batch.select(own)):
                yield with_words(plain_batch(piece), known)

    first = next(iter(batches()), None) if has_orders(schema) else None
    orders = {} if first is None else orders_of(first)
    notes = [f"{what} is left out" for what in left.values()]
    return Content(columns, read, class_names(known), orders, notes=tuple(notes))


def _first(
    batches: Callable[[], Iterable[pa.RecordBatch]], names: Sequence[str]
) -> dict[str, list[str]]:
    """Return the first values of columns, as texts."""
    batch = next(iter(batches()), None)
    if batch is None:
        return {name: [] for name in names}
    firsts = batch.slice(0, LOOKED_AT).select([n for n in names if n in batch.schema.names])
    firsts = plain_batch(next(within(firsts)))
    known = {name: firsts[name].to_pylist() for name in firsts.schema.names}
    return {name: [*map(str, known.get(name, ()))] for name in names}
