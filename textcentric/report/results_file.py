"""`results.json` as the robustness report reads it: arms, scores, differences, changed rows.

What a page can do without has a default; what it cannot (arms, cells, their names and numbers)
is refused with its place in the file. Keys that are not known here are kept as they are. NaN,
which Python writes and JSON does not know, is read as no number.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from textcentric.errors import DataError, quoted
from textcentric.settings import Given

Place = tuple[str, str, float | None, tuple[str, ...]]  # of a cell: no two may share it
CLEAN, MISSING = "clean", "missing"
MAKE = "write it with `textcentric compare` or `textcentric evaluate`"


def _bounds(value: object) -> object:
    """Read an interval with an unknown end as no interval."""
    if not isinstance(value, list | tuple):
        return value
    return None if None in value else value


def _length(value: object) -> object:
    """Read a list of seeds as their number."""
    return len(value) if isinstance(value, list | tuple) else value


Number = Annotated[float, Field(allow_inf_nan=False)] | None
Interval = Annotated[tuple[float, float] | None, BeforeValidator(_bounds)]
Count = Annotated[int, BeforeValidator(_length)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="allow")


class Arm(_Part):
    """One compared method: what it is and what it cost (seconds, requests, tokens).

    What an LLM wrote for it may be shared with others, whose cost it is too.
    """

    what: str = ""
    llm: bool = False
    train_rows: Number = None
    train_seconds: Number = None
    llm_requests: Number = None
    llm_tokens: Number = None
    llm_seconds: Number = None
    llm_shared_with: tuple[str, ...] = ()


class Cell(_Part):
    """The score of one arm on one damage; `missing` names what was removed.

    `level` is in [0, 1], for `audio-noise` in dB.
    """

    arm: str
    corruption: str
    level: Number = None
    missing: tuple[str, ...] | None = None
    n: Count = 0
    seeds: Count = 0
    score: Number
    interval: Interval = None
    other: Mapping[str, Number] = {}
    constant: Number = None
    over_constant: Number = None
    over_constant_interval: Interval = None
    drop_ratio: Number = None
    drop_interval: Interval = None
    drop_left_out: int = 0
    undefined: str = ""

    @property
    def place(self) -> Place:
        """Return what no two cells may share."""
        return self.arm, self.corruption, self.level, self.missing or ()


class Area(_Part):
    """The area under score against level of one arm and corruption, and the mean score there."""

    arm: str
    corruption: str
    levels: tuple[float, ...] = ()
    area: Number
    mean: Number = None
    interval: Interval = None


class Order(_Part):
    """What other orders of the text blocks do to `rows` of the test rows.

    `given` is their score in the order as given, `flips` a share of them in [0, 1].
    """

    arm: str
    rows: Count = 0
    given: Number = None
    mean: Number = None
    worst: Number = None
    flips: Number = None
    orders: Count = 0


class Difference(_Part):
    """The paired difference in area between two arms, seeds pooled; positive favours `arm`."""

    arm: str
    against: str
    corruption: str
    levels: tuple[float, ...] = ()
    difference: Number
    mean: Number = None
    interval: Interval = None
    smallest_detectable: Number = None
    p_positive: Number = None


class Changed(_Part):
    """One row whose prediction changed, with its texts before and after."""

    arm: str
    id: str | int
    corruption: str
    level: Number = None
    target: Any = None
    clean_prediction: Any = None
    corrupted_prediction: Any = None
    clean_parts: Mapping[str, str] = {}
    corrupted_parts: Mapping[str, str] = {}


class Verdict(_Part):
    """What was shown, in a sentence; `cheap_wins` says it where a cheap baseline is best.

    `shown` is None where nothing was to be shown: models were only evaluated. `outcome` is what
    stands beside the title: shown, not shown, or hurt; former versions do not say it.
    """

    shown: bool | None = False
    outcome: str = ""
    sentence: str = ""
    cheap_wins: str = ""

    @property
    def mark(self) -> str:
        """Return the word beside the title, "" where nothing was to be shown."""
        if self.shown is None:
            return ""
        return self.outcome or ("shown" if self.shown else "not shown")


class Results(_Part):
    """Everything that `results.json` holds; `removed` says how much each damage took away."""

    title: str = "Robustness"
    dataset: Given = {}
    task: str = ""
    metric: str
    higher_is_better: bool = True
    rows: Mapping[str, int] = {}
    seeds: Sequence[int] = ()
    arms: Mapping[str, Arm]
    cells: tuple[Cell, ...]
    areas: tuple[Area, ...] = ()
    orders: tuple[Order, ...] = ()
    differences: tuple[Difference, ...] = ()
    changed: tuple[Changed, ...] = ()
    removed: Mapping[str, str] = {}
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    llm_total: Arm | None = None
    verdict: Verdict = Verdict()
    reproduce: tuple[str, ...] = ()
    versions: Given = {}
    machine: Any = ""


def read_results(path: Path) -> Results:
    """Read and check `results.json`; `path` names it or the folder that holds it.

    Raises DataError where it is absent, is not JSON, lacks what a report needs, names an arm
    that it does not describe, or holds one cell twice.
    """
    path = path / "results.json" if path.is_dir() else path
    if not path.is_file():
        raise DataError(f"there is no {str(path)!r}; expected the figures of a comparison; {MAKE}")
    try:
        text = path.read_text(encoding="utf-8")
        results = Results.model_validate(json.loads(text, parse_constant=lambda _: None))
    except ValidationError as error:
        raise DataError(_first(path, error)) from None
    except (ValueError, RecursionError) as error:
        raise DataError(
            f"{str(path)!r} does not parse as JSON ({error}); it may be half written: {MAKE} again"
        ) from None
    _check(path, results)
    return results


def _first(path: Path, error: ValidationError) -> str:
    """Say what is wrong first, and where."""
    first = error.errors(include_url=False)[0]
    place = ".".join(str(step) for step in first["loc"]) or "the whole"
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    value = "" if first["type"] == "missing" else f", got {quoted(first['input'])}"
    return f"{str(path)!r}: {place}: {first['msg']}{value}{more}; {MAKE}"


def _check(path: Path, results: Results) -> None:
    if not results.cells:
        raise DataError(f"{str(path)!r} holds no cells; expected one score at least; {MAKE}")
    parts: list[Cell | Area | Order | Changed] = [*results.cells, *results.areas]
    for part in (*parts, *results.orders, *results.changed):
        if part.arm not in results.arms:
            known = ", ".join(results.arms) or "none"
            raise DataError(
                f"{str(path)!r}: {type(part).__name__.lower()} of arm {part.arm!r}, which is not"
                f" among the arms ({known}); {MAKE}"
            )
    places: set[Place] = set()
    for cell in results.cells:
        if cell.place in places:
            raise DataError(f"{str(path)!r} holds the cell {cell.place} twice; {MAKE}")
        places.add(cell.place)
