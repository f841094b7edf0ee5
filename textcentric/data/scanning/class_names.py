"""What the names of classes give away: several labels in one, or one class written in two ways."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import combinations

SIGNS = "|;,"  # stand between labels in a cell


def written_twice(numbers: Mapping[str, float | int | None]) -> tuple[str, str] | None:
    """Return two classes that are one number, {name: number}; None where there are none.

    >>> written_twice({"3": 3, "4": 4, "3.0": 3})
    ('3', '3.0')
    """
    first: dict[float | int, str] = {}
    for name, value in numbers.items():
        if value is not None and first.setdefault(value, name) != name:
            return first[value], name
    return None


def several_labels(names: Collection[str]) -> tuple[str, str] | None:
    """Return two classes that show that cells hold several labels, None where none do.

    They are the same labels in another order, or several labels that are classes by themselves.

    >>> several_labels(["comedy|drama", "drama|comedy"]), several_labels(["S", "M", "S/M", "a, b"])
    (('comedy|drama', 'drama|comedy'), None)
    """
    for sign in SIGNS:
        labels = {name: tuple(part.strip() for part in name.split(sign)) for name in names}
        mixed = {name: parts for name, parts in labels.items() if len(parts) > 1 and all(parts)}
        for (one, parts), (other, others) in combinations(mixed.items(), 2):
            if parts != others and sorted(parts) == sorted(others):
                return one, other
        single = {parts[0]: name for name, parts in labels.items() if len(parts) == 1}
        for name, parts in mixed.items():
            if all(part in single for part in parts):
                return name, single[parts[0]]
    return None
