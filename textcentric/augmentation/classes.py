"""How many variants a row of each class gets, where classes are to have as many as others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from textcentric.errors import ConfigError, option
from textcentric.rows import Record, Target


@dataclass(frozen=True)
class Shares:
    """Variants by each prompt: of a class in all, and of a row of it.

    The rows of a class share its variants: each has as many as `each` says, those in `more` one
    above. Rows without a label have `others`.
    """

    rows: Mapping[Target, int]
    total: Mapping[Target, int]
    more: frozenset[str]
    others: int = 1

    def of(self, record: Record) -> int:
        """Return how many variants each prompt owes for a row."""
        rows = self.rows.get(record.target, 0)
        if not rows:
            return self.others
        return self.total[record.target] // rows + (record.id in self.more)

    @property
    def mean(self) -> float:
        """Return the mean number of variants of a row by each prompt."""
        return sum(self.total.values()) / max(1, sum(self.rows.values()))

    def words(self) -> str:
        """Return rows and variants of each class, the most frequent first."""
        classes = sorted(self.rows, key=lambda target: (-self.rows[target], str(target)))
        return ", ".join(
            f"class {_named(target)} {self.total[target]} (rows {self.rows[target]})"
            for target in classes
        )


def shares(drawn: Iterable[tuple[int, Record]], *, samples: int, per_class: int | None) -> Shares:
    """Return the variants of each class of the rows that are perturbed.

    `drawn` gives each row with a number that says which rows of a class have one more. Each class
    has `per_class` variants by each prompt; without, as many as the most frequent one has of
    `samples` a row.
    Raises ConfigError where no row has a class.
    """
    found: dict[Target, list[tuple[int, str]]] = {}
    for number, record in drawn:
        if record.target is not None:
            found.setdefault(record.target, []).append((number, record.id))
    if not found:
        raise ConfigError(
            f"{option('per_class')} and {option('balance', True)} count the variants of each class,"
            " but no row that is perturbed has one: name the column of the target"
        )
    rows = {target: len(ids) for target, ids in found.items()}
    wanted = per_class or samples * max(rows.values())
    more = (
        row_id
        for target, ids in found.items()
        for _, row_id in sorted(ids)[: wanted % rows[target]]
    )
    return Shares(rows, dict.fromkeys(rows, wanted), frozenset(more), samples)


def check_classes(task: str | None) -> None:
    """Raise ConfigError where targets are numbers, of which none is rare."""
    if task == "regression":
        raise ConfigError(
            f"{option('per_class')} and {option('balance', True)} need classes, and the target is a"
            " number: leave them out, or say `task: classification` in the schema"
        )


def _named(target: Target) -> str:
    return f"{target:g}" if isinstance(target, float) else str(target)
