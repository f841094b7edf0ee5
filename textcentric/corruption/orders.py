"""The orders in which a row can say its parts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import permutations
from math import factorial

from textcentric.corruption.rows import refuse_doubles, rng_of
from textcentric.rows import DERIVED, MODALITIES, Target

ORDER = "order-"  # begins the name of a cell in which the parts stand in another order
Parts = Mapping[str, str]
MOST_ORDERS = 24


def told_in_orders(
    rows: Mapping[str, Parts],
    tell: Callable[[Sequence[Parts]], Sequence[Target]],
    read: Sequence[str] | None = None,
) -> dict[str, dict[str, Target]]:
    """Return {`order-N`: {row id: prediction}} of `rows` in every order of their parts.

    `tell` predicts rows of parts as they are ordered; `read` are the parts that it reads, if not
    all. Empty where all rows together have fewer than two parts.
    """
    names = part_names(rows.values(), read)
    if len(names) < 2:
        return {}
    found = {}
    for number, order in enumerate(part_orders(names, seed=0)):
        parts = [{name: row[name] for name in order if name in row} for row in rows.values()]
        found[f"{ORDER}{number}"] = dict(zip(rows, tell(parts), strict=True))
    return found


def part_names(rows: Iterable[Parts], read: Sequence[str] | None = None) -> list[str]:
    """Return the parts that `rows` have in the order of a clean row, whichever row comes first.

    >>> part_names([{"text": "calm"}, {"summary": "A dog.", "table": "Kind: dog."}])
    ['table', 'text', 'summary']
    """
    found = {name for parts in rows for name in parts}
    known = (*MODALITIES, *DERIVED) if read is None else tuple(read)
    rest = found.difference(known) if read is None else ()
    return [*(name for name in known if name in found), *sorted(rest)]


def in_another_order(parts: Parts, seed: int, row_id: str) -> dict[str, str]:
    """Return a row's parts in one of the other `part_orders`, as they are where there is one alone.

    >>> list(in_another_order({"table": "Kind: dog.", "text": "calm"}, 0, "r1"))
    ['text', 'table']
    """
    first, *others = part_orders(part_names([parts]), seed=0)
    order = rng_of(seed, row_id, "order").choice(others) if others else first
    return {name: parts[name] for name in order}


def part_orders(names: Sequence[str], seed: int) -> list[tuple[str, ...]]:
    """Return all orders of `names` up to `MOST_ORDERS`, else so many of them; `names` first."""
    refuse_doubles("parts", names)
    if factorial(len(names)) <= MOST_ORDERS:
        return list(permutations(names))
    rng = rng_of(seed, "\0".join(names), "order")
    orders = {tuple(names): None}
    while len(orders) < MOST_ORDERS:
        orders[tuple(rng.sample(names, len(names)))] = None
    return list(orders)
