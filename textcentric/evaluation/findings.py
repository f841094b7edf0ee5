"""What the predictions of all arms add up to: scores, drop ratios, areas, differences.

Everything is paired: one draw of test rows scores every arm, the constant prediction, every seed
and cell (`intervals`). What is said of these figures in sentences is in `sentences`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypedDict

from textcentric.corruption.grid import CLEAN, Cell
from textcentric.errors import DataError
from textcentric.metrics.drop_ratio import (
    Area,
    area_estimate,
    drop_estimate,
    smallest_detectable,
)
from textcentric.metrics.intervals import Estimate, Resampled
from textcentric.metrics.scores import find_score, score
from textcentric.rows import Target

OTHERS = {
    "quadratic_kappa": ("accuracy", "macro_f1"),
    "accuracy": ("macro_f1",),
    "macro_f1": ("accuracy",),
    "r2": ("rmse",),
    "rmse": ("r2",),
}
ByCell = Mapping[str, Mapping[str, Target]]  # cell name -> row id -> prediction


class Scored(TypedDict):
    """The score of an arm in one cell, with its interval, and that of the constant predictor.

    `over_constant` is the paired difference to it, positive in favour of the arm. `drop_left_out`
    is in how many resamples the drop ratio is undefined; none of these are in its interval.
    """

    arm: str
    corruption: str
    level: float | None
    missing: list[str] | None
    n: int
    seeds: int
    score: float
    interval: list[float]
    seed_scores: list[float]
    other: dict[str, float]
    constant: float
    over_constant: float
    over_constant_interval: list[float]
    drop_ratio: float | None
    drop_interval: list[float] | None
    drop_left_out: int
    undefined: str


class AreaOf(TypedDict):
    """The area under an arm's scores against the level of a corruption, and the mean score there.

    Both are over `levels`; the area grows with their range, so that only areas over the same
    levels can be compared.
    """

    arm: str
    corruption: str
    levels: list[float]
    area: float
    mean: float
    interval: list[float]


class Difference(TypedDict):
    """The paired difference in area of two arms; positive is in favour of `arm`."""

    arm: str
    against: str
    corruption: str
    levels: list[float]
    difference: float
    mean: float
    interval: list[float]
    smallest_detectable: float
    p_positive: float


@dataclass(frozen=True)
class Findings:
    """Predictions of every arm and seed on every cell, and what they are worth.

    `predicted` maps arm -> seed -> cell name -> row id -> prediction; an arm may lack cells, a
    cell may lack rows (those with nothing left). `constants` holds the best constant
    prediction of each row: that of the rows which the models that were tested on it have learnt.
    """

    metric: str
    targets: Mapping[str, Target]
    groups: Mapping[str, str | None]
    cells: Sequence[Cell]
    predicted: Mapping[str, Mapping[int, ByCell]]
    constants: Mapping[str, Target]
    others: tuple[str, ...] = ()
    resamples: int = 1000

    @property
    def higher_is_better(self) -> bool:
        """Say whether more of the metric is better."""
        return find_score(self.metric).higher_is_better

    def cells_of(self, arm: str) -> list[Cell]:
        """Return the cells on which every seed of `arm` has predictions."""
        seeds = self.predicted[arm].values()
        return [cell for cell in self.cells if all(cell.name in by_cell for by_cell in seeds)]

    def estimate(self, arm: str, cell: Cell, rows_of: Cell | None = None) -> Estimate:
        """Return the score of `arm` in `cell`, on the rows that `rows_of` (or `cell`) has."""
        ids = self.rows_of(rows_of or cell)
        by_seed = [
            [by_cell[cell.name][row] for row in ids] for by_cell in self.predicted[arm].values()
        ]
        return self._drawn(ids).estimate(self.metric, [self.targets[row] for row in ids], by_seed)

    def constant_estimate(self, cell: Cell) -> Estimate:
        """Return the score of the constant prediction on the rows of `cell`."""
        ids = self.rows_of(cell)
        if ids not in self._constants:
            targets, told = [self.targets[row] for row in ids], [[self.constants[i] for i in ids]]
            self._constants[ids] = self._drawn(ids).estimate(self.metric, targets, told)
        return self._constants[ids]

    def over_constant(self, arm: str, cell: Cell) -> Estimate:
        """Return by how much `arm` is better than the constant prediction in `cell`."""
        return self._gain(self.estimate(arm, cell), self.constant_estimate(cell))

    def area(self, arm: str, corruption: str, levels: Sequence[float]) -> Area:
        """Return the area under the score of `arm` from the clean row to the last of `levels`."""
        cells = [CLEAN, *(Cell(corruption, level) for level in levels)]
        return area_estimate([0.0, *levels], [self.estimate(arm, cell) for cell in cells])

    def area_over_constant(self, arm: str, corruption: str, levels: Sequence[float]) -> Estimate:
        """Return by how much the area of `arm` is better than that of the constant prediction."""
        cells = [CLEAN, *(Cell(corruption, level) for level in levels)]
        constant = area_estimate([0.0, *levels], [self.constant_estimate(cell) for cell in cells])
        return self._gain(self.area(arm, corruption, levels), constant)

    def _gain(self, ours: Estimate, theirs: Estimate) -> Estimate:
        return ours - theirs if self.higher_is_better else theirs - ours

    @property
    def units(self) -> int:
        """Return how many clean test rows, or groups of them, the intervals rest on."""
        return self._drawn(self.rows_of(CLEAN)).units

    def levels(self, corruption: str, *arms: str) -> list[float]:
        """Return the levels of `corruption` that all `arms` have predictions for."""
        common = [set(self.cells_of(arm)) for arm in arms]
        return sorted(
            float(cell.level or 0.0)
            for cell in self.cells
            if cell.corruption == corruption and all(cell in has for has in common)
        )

    @cached_property
    def corruptions(self) -> list[str]:
        """Return the corruptions whose level is a share from 0 to 1, in the grid's order."""
        names = dict.fromkeys(cell.corruption for cell in self.cells)
        return [name for name in names if name not in ("clean", "missing", "audio-noise")]

    def table(self) -> list[Scored]:
        """Return one entry an arm and cell."""
        return [self._entry(arm, cell) for arm in self.predicted for cell in self.cells_of(arm)]

    def areas(self) -> list[AreaOf]:
        """Return one entry an arm and corruption, over the levels that all arms share there.

        Arms without a level of a corruption are left out of it; areas over other levels than
        those of the rest could not be compared.
        """
        entries: list[AreaOf] = []
        for corruption in self.corruptions:
            arms = [arm for arm in self.predicted if self.levels(corruption, arm)]
            if levels := self.levels(corruption, *arms):
                for arm in arms:
                    found = self.area(arm, corruption, levels)
                    entries.append(
                        {
                            "arm": arm,
                            "corruption": corruption,
                            "levels": [0.0, *levels],
                            "area": found.value,
                            "mean": found.mean,
                            "interval": list(found.interval),
                        }
                    )
        return entries

    def difference(self, arm: str, against: str, corruption: str) -> Difference | None:
        """Return the paired difference in area, None where an arm is absent or they share no level.

        Positive is in favour of `arm`, also for a metric that is better when lower.
        """
        known = arm in self.predicted and against in self.predicted
        if not known or not (levels := self.levels(corruption, arm, against)):
            return None
        ours, theirs = (self.area(name, corruption, levels) for name in (arm, against))
        found = ours - theirs if self.higher_is_better else theirs - ours  # of the same levels
        return {
            "arm": arm,
            "against": against,
            "corruption": corruption,
            "levels": [0.0, *levels],
            "difference": found.value,
            "mean": found.mean,
            "interval": list(found.interval),
            "smallest_detectable": smallest_detectable(found),
            "p_positive": found.p_positive,
        }

    def _entry(self, arm: str, cell: Cell) -> Scored:
        ids = self.rows_of(cell)
        damaged, clean = self.estimate(arm, cell), self.estimate(arm, CLEAN, rows_of=cell)
        constant, over = self.constant_estimate(cell), self.over_constant(arm, cell)
        drop = drop_estimate(clean, damaged, self.higher_is_better, constant)
        return {
            "arm": arm,
            "corruption": cell.corruption,
            "level": cell.level,
            "missing": list(cell.missing) or None,
            "n": len(ids),
            "seeds": len(self.predicted[arm]),
            "score": damaged.value,
            "interval": self._interval(damaged, ids),
            "seed_scores": self._seed_scores(arm, cell, ids, self.metric),
            "other": {name: self._mean_score(arm, cell, ids, name) for name in self.others},
            "constant": constant.value,
            "over_constant": over.value,
            "over_constant_interval": list(over.interval),
            "drop_ratio": drop.value,
            "drop_interval": list(drop.interval) if drop.interval else None,
            "drop_left_out": drop.left_out,
            "undefined": drop.why,
        }

    def _interval(self, score: Estimate, ids: tuple[str, ...]) -> list[float]:
        """Return the interval of a score: Wilson's of an accuracy whose draws are alike."""
        if self.metric == "accuracy":
            return self._drawn(ids).interval_of_share(score)
        return list(score.interval)

    def _seed_scores(self, arm: str, cell: Cell, ids: Sequence[str], metric: str) -> list[float]:
        targets = [self.targets[row] for row in ids]
        seeds = self.predicted[arm].values()
        return [score(metric, targets, [seed[cell.name][row] for row in ids]) for seed in seeds]

    def _mean_score(self, arm: str, cell: Cell, ids: Sequence[str], metric: str) -> float:
        scores = self._seed_scores(arm, cell, ids, metric)
        return sum(scores) / len(scores)

    def rows_of(self, cell: Cell) -> tuple[str, ...]:
        """Return the rows that every arm with this cell predicted, in the targets' order."""
        found = self._rows.get(cell.name)
        if found is None:
            having = [
                by_cell[cell.name]
                for seeds in self.predicted.values()
                for by_cell in seeds.values()
                if cell.name in by_cell
            ]
            found = tuple(row for row in self.targets if all(row in has for has in having))
            if not found or not having:
                raise DataError(f"no row was predicted in the cell {cell.name!r}")
            self._rows[cell.name] = found
        return found

    @cached_property
    def _rows(self) -> dict[str, tuple[str, ...]]:
        return {}

    def _drawn(self, ids: tuple[str, ...]) -> Resampled:
        """Return the resamples of these rows: all test rows are drawn once, whatever is scored."""
        if ids not in self._draws:
            self._draws[ids] = self._resampled.among([self._places[row] for row in ids])
        return self._draws[ids]

    @cached_property
    def _resampled(self) -> Resampled:
        groups = [self.groups.get(row) for row in self.targets]
        grouped = groups if any(groups) else None
        return Resampled(len(self.targets), groups=grouped, resamples=self.resamples)

    @cached_property
    def _places(self) -> dict[str, int]:
        return {row: place for place, row in enumerate(self.targets)}

    @cached_property
    def _constants(self) -> dict[tuple[str, ...], Estimate]:
        return {}

    @cached_property
    def _draws(self) -> dict[tuple[str, ...], Resampled]:
        return {}
