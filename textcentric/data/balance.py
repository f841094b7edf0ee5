"""How many rows a source has, how many of them are given, and why the others are not.

`rows in the source = rows given + rows left out`, as plain data: runs and model folders keep it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from textcentric.data.tables.left_out import EXAMPLES, LeftOut
from textcentric.errors import Caution
from textcentric.rows import Balance, Example, Left

UNREAD = "row(s) with files that cannot be read, used without them"


def left_out(*counts: LeftOut) -> dict[str, Left]:
    """Return what several counts say of rows that are left out, by reason."""
    return {
        reason: {"rows": rows, "examples": list(of.examples.get(reason, ()))}
        for of in counts
        for reason, rows in of.lines.items()
    }


def balance_of(given: int, left: Mapping[str, Left]) -> Balance:
    """Return the balance of rows given and left out.

    >>> balance_of(7, {"row(s) without text": {"rows": 2, "examples": ["'p3'", "'p9'"]}})["source"]
    9
    """
    source = given + sum(of["rows"] for of in left.values())
    return {"source": source, "given": given, "left_out": dict(left)}


def in_words(balance: Balance, given: str = "given") -> str:
    """Say a balance in one line; `given` is what became of the rows that are not left out.

    >>> in_words(balance_of(7, {"row(s) without text": {"rows": 2, "examples": ["'p3'", "'p9'"]}}))
    "9 rows in the source = 7 given + 2 left out: 2 row(s) without text ('p3'; 'p9')"
    """
    total = balance["source"] - balance["given"]
    sums = f"{balance['source']:,} rows in the source = {balance['given']:,} {given}"
    why = f": {reasons(balance['left_out'])}" if total else ""
    unread = balance.get("unread")
    without = f"; {reasons({UNREAD: unread})}" if unread else ""
    return f"{sums} + {total:,} left out{why}{without}"


def count_left(left: dict[str, Left], reason: str, example: str) -> None:
    """Count a row that is left out, and keep the first three of each reason."""
    of = left.setdefault(reason, {"rows": 0, "examples": []})
    of["rows"] += 1
    if len(of["examples"]) < EXAMPLES:
        of["examples"].append(example)


def unread(ids: Iterable[str], faults: Iterable[Sequence[str]]) -> Left | None:
    """Count the rows that have `faults`, files that cannot be read; None where none has.

    >>> unread(["r1", "r2"], [[], ["picture 'a.png' is empty (0 bytes)"]])
    {'rows': 1, 'examples': ["'r2': picture 'a.png' is empty (0 bytes)"]}
    """
    left: dict[str, Left] = {}
    for row_id, why in zip(ids, faults, strict=True):
        if why:
            count_left(left, UNREAD, f"{row_id!r}: {'; '.join(why)}")
    return left.get(UNREAD)


def unread_of(examples: Iterable[Example]) -> Left | None:
    """Count the rows in words of which a file could not be read."""
    spoken = [example for example in examples if example.parts]
    return unread((one.id for one in spoken), (one.faults for one in spoken))


def with_unread(balance: Balance, of: Left | None) -> Balance:
    """Return a balance that says also of how many rows a file cannot be read."""
    return {**balance, "unread": of} if of else balance


def unread_notes(of: Left | None) -> list[Caution]:
    """Say of how many rows a file cannot be read, where there are any."""
    return [Caution(reasons({UNREAD: of}))] if of else []


def reasons(left: Mapping[str, Left]) -> str:
    """Say for each reason how many rows are left out, and the first of them.

    >>> reasons({"without text": {"rows": 1200, "examples": ["'p3'", "'p9'"]}})
    "1,200 without text ('p3'; 'p9')"
    """
    return ", ".join(
        f"{of['rows']:,} {reason}" + (f" ({'; '.join(of['examples'])})" if of["examples"] else "")
        for reason, of in left.items()
    )
