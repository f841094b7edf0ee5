"""The classes of rows: which there are, and which a row has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from textcentric.errors import DataError, listed, option
from textcentric.rows import Record


def classes_of(rows: Sequence[Record], *, unlabelled: bool) -> list[str]:
    """Return the classes of training rows, sorted; raises DataError for fewer than two.

    Rows without a class are refused, except where the variant learns from those `unlabelled` too.
    """
    if not unlabelled:
        check_labelled(rows)
    found = sorted({str(row.target) for row in rows if row.target is not None})
    if len(found) < 2:
        raise DataError(
            f"training rows have {listed(found) or 'no class'}, and a classifier needs two classes;"
            f" fill the target ({option('target')}) of rows of split train"
        )
    return found


def check_labelled(rows: Sequence[Record]) -> None:
    """Raise DataError for a row without a class."""
    missing = [row.id for row in rows if row.target is None]
    if missing:
        raise DataError(
            f"row {missing[0]!r} has no target ({len(missing):,} such rows); name the target column"
            f" ({option('target')}), or leave them out",
            row_id=missing[0],
        )


def place_of(row: Record, places: Mapping[str, int]) -> int:
    """Return the place of a row's class; raises DataError for one that training has not."""
    if str(row.target) not in places:
        raise DataError(
            f"row {row.id!r}: its class {str(row.target)!r} is not one of training"
            f" ({', '.join(places)}); leave it out, or train with it",
            row_id=row.id,
        )
    return places[str(row.target)]
