"""How many rows a source has, how many of them are given, and why the others are not.

`rows in the source = rows given + rows left out`, as plain data: runs and model folders keep it.
"""

from __future__ import annotations

from collections.abc import Mapping

from textcentric.data.left_out import EXAMPLES, LeftOut
from textcentric.rows import Balance, Left


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
    return f"{sums} + {total:,} left out{why}"


def count_left(left: dict[str, Left], reason: str, example: str) -> None:
    """Count a row that is left out, and keep the first three of each reason."""
    of = left.setdefault(reason, {"rows": 0, "examples": []})
    of["rows"] += 1
    if len(of["examples"]) < EXAMPLES:
        of["examples"].append(example)


def reasons(left: Mapping[str, Left]) -> str:
    """Say for each reason how many rows are left out, and the first of them.

    >>> reasons({"without text": {"rows": 1200, "examples": ["'p3'", "'p9'"]}})
    "1,200 without text ('p3'; 'p9')"
    """
    return ", ".join(
        f"{of['rows']:,} {reason}" + (f" ({'; '.join(of['examples'])})" if of["examples"] else "")
        for reason, of in left.items()
    )
