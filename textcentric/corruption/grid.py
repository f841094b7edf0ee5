"""The robustness grid: which damage at which level, and the rows that carry it.

A cell is one kind of damage at one level. Its rows have ids of their own (`ROW~CELL`), so that
experts and LLM answer for the damaged row as they would for any other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from textcentric.corruption.files import SNRS, file_corruptions
from textcentric.corruption.rows import (
    CORRUPTIONS,
    MISSPELLING,
    Corruption,
    check_absent,
    counts,
    missing_subsets,
    say_counts,
    without,
)
from textcentric.data.rows import Rows
from textcentric.data.schema import Schema
from textcentric.errors import ConfigError, check_known
from textcentric.fields import LEVELS
from textcentric.rows import Balance, Record

NAMES = (*CORRUPTIONS, "image-noise", "audio-noise")  # of the last one the levels are `SNRS`
MARK = "~"  # between a row's id and its cell
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Cell:
    """One kind of damage: "clean", "missing" (of modalities) or a corruption at a level."""

    corruption: str = "clean"
    level: float | None = 0.0
    missing: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Return a name that tells it from every other cell.

        >>> Cell("word-dropout", 0.3).name, Cell("missing", None, ("image", "table")).name
        ('word-dropout-0.3', 'missing-image+table')
        """
        if self.missing:
            return f"{_MISSING}{'+'.join(self.missing)}"
        return (
            self.corruption if self.corruption == "clean" else f"{self.corruption}-{self.level:g}"
        )


CLEAN = Cell()
_REMOVING = [name for name in CORRUPTIONS if name not in MISSPELLING]
_MISSING = "missing-"  # begins the name of a cell without some modalities


def removed(cell_name: str) -> tuple[str, ...]:
    """Return the modalities that the cell of this name removes.

    >>> removed("missing-image+table"), removed("all-0.3")
    (('image', 'table'), ())
    """
    head, found, names = cell_name.partition(_MISSING)
    return tuple(names.split("+")) if found and not head else ()


def check_damaged(damaged_id: str, parts: Mapping[str, str]) -> None:
    """Raise DataError where a damaged row has words of a modality that its cell removed."""
    row_id, _, cell = damaged_id.rpartition(MARK)
    check_absent(parts, removed(cell), row_id)


def by_cell(values: Iterable[tuple[str, Value]]) -> dict[str, dict[str, Value]]:
    """Return {cell name: {row id: value}} of the values of damaged rows.

    >>> by_cell([("a~clean", 1), ("b~clean", 2), ("a~all-0.3", 3)])
    {'clean': {'a': 1, 'b': 2}, 'all-0.3': {'a': 3}}
    """
    cells: dict[str, dict[str, Value]] = {}
    for damaged_id, value in values:
        row_id, _, cell = damaged_id.rpartition(MARK)
        cells.setdefault(cell, {})[row_id] = value
    return cells


def words_by_cell(
    rows: Iterable[tuple[str, Mapping[str, str]]],
) -> dict[str, dict[str, Mapping[str, str]]]:
    """Return {cell name: {row id: parts}} of the words of damaged rows.

    Raises DataError where a row has words of a modality that its cell removed.
    """
    rows = list(rows)
    for damaged_id, parts in rows:
        check_damaged(damaged_id, parts)
    return by_cell(rows)


def idle_cells(words: Mapping[str, Mapping[str, Mapping[str, str]]]) -> list[str]:
    """Return the damaged cells in which every row reads as its clean one: nothing is tested there.

    Such is damage to a modality that no row has, or to words that the chosen expert does not read.
    """
    clean = words.get(CLEAN.name, {})
    return [
        cell
        for cell, by_row in words.items()
        if cell != CLEAN.name and all(clean.get(row) == parts for row, parts in by_row.items())
    ]


def side_by_side(
    words: Iterable[Mapping[str, Mapping[str, Mapping[str, str]]]],
) -> Mapping[str, Mapping[str, Mapping[str, str]]]:
    """Return the words of all folds together."""
    found: dict[str, dict[str, Mapping[str, str]]] = {}
    for by_cell in words:
        for cell, by_row in by_cell.items():
            found.setdefault(cell, {}).update(by_row)
    return found


def make_grid(
    corruptions: Sequence[str] = (),
    levels: Sequence[float] = LEVELS,
    modalities: Sequence[str] = (),
    most_missing: int | None = None,
) -> tuple[Cell, ...]:
    """Return the clean cell, every corruption at every level, every subset of modalities missing.

    `most_missing` leaves out subsets of more modalities. Raises ConfigError for an unknown
    corruption, a level outside (0, 1], and damage that is named twice.
    """
    for name in corruptions:
        check_known("corruption", name, NAMES)
    for level in levels:
        if not 0 < level <= 1:
            raise ConfigError(f"corruption level {level} is outside (0, 1]; 0 is the clean row")
    damaged = [
        Cell(name, level)
        for name in corruptions
        for level in (SNRS if name == "audio-noise" else levels)
    ]
    names = [cell.name for cell in damaged]
    if doubled := [name for name in names if names.count(name) > 1]:
        raise ConfigError(
            f"{doubled[0]!r} would be made twice: give each corruption and each level once"
        )
    subsets = [s for s in missing_subsets(modalities) if len(s) <= (most_missing or len(s))]
    return (CLEAN, *damaged, *(Cell("missing", None, subset) for subset in subsets))


@dataclass(frozen=True)
class CorruptedRows:
    """Every row of `rows` once for every cell, made when it is asked for.

    In the shape of a loaded data set. A row that has nothing left in a cell is not in it.
    Damaged pictures and sounds are written below `folder`.
    """

    rows: Rows
    cells: tuple[Cell, ...]
    folder: Path
    seed: int = 0
    origin: str = "corrupted"
    notes: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[Record]:
        return self.remaining()

    def remaining(self, finished: Container[str] = frozenset()) -> Iterator[Record]:
        """Yield the damaged rows whose id is not `finished`."""
        for record in self.rows:
            for cell in self.cells:
                row_id = f"{record.id}{MARK}{cell.name}"
                if row_id in finished:
                    continue
                damaged = damage(record, cell, self.seed, self._corruptions)
                if damaged.inputs:
                    yield replace(damaged, id=row_id)

    def removals(self) -> dict[str, str]:
        """Return, for every damaged cell, how many pieces of all rows together went, in words.

        Noise and misspelling take none away, so their cells are not among them.
        """
        said = {}
        for cell in self.cells:
            if cell.missing or cell.corruption in _REMOVING:
                pairs = ((row, damage(row, cell, self.seed, CORRUPTIONS)) for row in self.rows)
                gone = {kind: some for kind, some in counts(pairs).items() if some[0]}
                said[cell.name] = say_counts(gone) or "nothing"
        return said

    @cached_property
    def _corruptions(self) -> dict[str, Corruption]:
        return {**CORRUPTIONS, **file_corruptions(self.folder)}

    @cached_property
    def _count(self) -> int:
        return sum(1 for _ in self)

    def count(self) -> int:
        """Return how many damaged rows there are; the first call makes them all."""
        return self._count

    @property
    def balance(self) -> Balance:
        """Return the balance of the rows before damage."""
        return self.rows.balance

    @property
    def name(self) -> str:
        """Return the name of the rows before damage."""
        return str(self.rows.name)

    @property
    def path(self) -> Path:
        """Return where the rows before damage lie."""
        return Path(self.rows.path)

    @property
    def schema(self) -> Schema:
        """Return the schema of the rows before damage."""
        return self.rows.schema

    @cached_property
    def digest(self) -> str:
        """Return a digest of the rows, the cells and the seed."""
        names = ",".join(cell.name for cell in self.cells)
        known = f"{self.rows.digest}\0{names}\0{self.seed}\0{sorted_ids(self.rows)}"
        return hashlib.sha256(known.encode()).hexdigest()


def sorted_ids(rows: Iterable[Record]) -> str:
    """Return a digest of which rows these are."""
    ids = "\0".join(sorted(record.id for record in rows))
    return hashlib.sha256(ids.encode("utf-8", "surrogatepass")).hexdigest()


def damage(record: Record, cell: Cell, seed: int, corruptions: Mapping[str, Corruption]) -> Record:
    """Return `record` as `cell` leaves it; one that loses all it has comes without inputs."""
    if cell.missing:
        left = {name.removesuffix("_labels") for name in record.inputs} - set(cell.missing)
        return without(record, cell.missing) if left else replace(record, inputs={})
    if cell.corruption == "clean":
        return record
    return corruptions[cell.corruption](record, float(cell.level or 0.0), seed)
