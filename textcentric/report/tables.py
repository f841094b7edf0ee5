"""The figures of `results.json` arranged for reading: one table a corruption, best first.

A score never stands without its interval, n, seeds and the constant predictor's score: a model
near chance has a small drop ratio and is useless.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypedDict

from textcentric.report.results_file import CLEAN, MISSING, Area, Arm, Cell, Difference, Results

NONE = "\u2013"
DECIBEL = "audio-noise"  # its level is a signal-to-noise ratio in dB: the lower, the worse


class Line(TypedDict):
    """One arm in a table: its clean score, its area, and its scores level by level."""

    arm: str
    clean: Cell | None
    area: Area | None
    drops: list[Cell | None]
    about: Cell | None


class Table(TypedDict):
    """One corruption: its levels as they are written, and one line an arm.

    `span` is the range of levels that all areas of the table are over, '' where there are none or
    several, which cannot be compared (`mixed`).
    """

    name: str
    levels: list[str]
    lines: list[Line]
    span: str
    mixed: bool
    uneven: bool
    undefined: list[str]
    left_out: list[str]


class Drawn(TypedDict):
    """A paired difference, with the places of its drawing in percent."""

    one: Difference
    dot: float
    ends: list[float]
    blind: float


def exact(value: float | None) -> str:
    """Write a score with three decimals, large ones with fewer."""
    if value is None:
        return NONE
    digits = 3 if abs(value) < 10 else 2 if abs(value) < 100 else 0
    return f"{round(value, digits) + 0.0:,.{digits}f}".replace("-", "\u2212")  # no minus before 0


def signed(value: float | None) -> str:
    """Write a difference with its sign."""
    return exact(value) if value is None or value < 0 else f"+{exact(value)}"


def percent(ratio: float | None) -> str:
    """Write a ratio in percent; a negative one stays negative."""
    return NONE if ratio is None else f"{_percent(ratio)}\u00a0%"


def to(interval: tuple[float, float] | None) -> str:
    """Write an interval of scores.

    >>> to((0.2, 0.35))
    '0.200 to 0.350'
    """
    return _ends(interval, exact)


def signed_to(interval: tuple[float, float] | None) -> str:
    """Write an interval of differences."""
    return _ends(interval, signed)


def percents(interval: tuple[float, float] | None) -> str:
    """Write an interval of ratios in percent."""
    return _ends(interval, _percent)


def span(levels: Sequence[float]) -> str:
    """Write the range of levels that an area is over; '' where it is not known.

    >>> span((0.0, 0.3, 0.7))
    '0 to 0.7'
    """
    return f"{levels[0]:g} to {levels[-1]:g}" if levels else ""


def written(corruption: str, level: float | None) -> str:
    """Write a level with its unit; '' where there is none."""
    return "" if level is None else f"{level:g}\u00a0dB" if corruption == DECIBEL else f"{level:g}"


def _severity(cell: Cell) -> float:
    return -(cell.level or 0.0) if cell.corruption == DECIBEL else cell.level or 0.0


def _percent(ratio: float) -> str:
    return f"{100 * ratio:.0f}".replace("-0", "0").replace("-", "\u2212")


def _ends(interval: tuple[float, float] | None, write: Callable[[float], str]) -> str:
    return f"{write(interval[0])} to {write(interval[1])}" if interval else ""


class Scores:
    """Look-ups in the cells and areas of `results`, and the tables made of them."""

    def __init__(self, results: Results):
        self.results = results
        self.clean = {cell.arm: cell for cell in results.cells if cell.corruption == CLEAN}
        self.corruptions = self._corruptions()
        self._areas = {(area.arm, area.corruption): area for area in results.areas}
        self._cells: dict[tuple[str, str], list[Cell]] = {}
        for cell in sorted(results.cells, key=_severity):
            self._cells.setdefault((cell.arm, cell.corruption), []).append(cell)

    def _corruptions(self) -> list[str]:
        """Return the corruptions, that of the primary comparison first, else `all`."""
        found = [cell.corruption for cell in self.results.cells]
        found += [area.corruption for area in self.results.areas]
        names = [name for name in dict.fromkeys(found) if name not in (CLEAN, MISSING)]
        first = next((one.corruption for one in self.results.differences), "all")
        return sorted(names, key=lambda name: (name != first, name != "all"))

    def levels_of(self, arm: str, corruption: str) -> list[Cell]:
        """Return the cells of an arm and a corruption, the mildest first."""
        return self._cells.get((arm, corruption), [])

    def levels(self, corruption: str) -> list[float]:
        """Return the levels of `corruption` that any arm was scored at, the mildest first."""
        cells = [cell for cell in self.results.cells if cell.corruption == corruption]
        levels = {cell.level for cell in cells if cell.level is not None}
        return sorted(levels, reverse=corruption == DECIBEL)

    def ticks(self, corruption: str) -> dict[float | None, tuple[float, str]]:
        """Return level -> its place on an axis and how it is written; clean is None, at 0.

        Shares stand where they are, ratios in dB at equal distances from the clean rows on.
        """
        levels = self.levels(corruption)
        places = range(1, len(levels) + 1) if corruption == DECIBEL else levels
        ticks: dict[float | None, tuple[float, str]] = {
            level: (float(place), f"{level:g}") for level, place in zip(levels, places, strict=True)
        }
        return {None: (0.0, "clean" if corruption == DECIBEL else "0"), **ticks}

    def constant(self, corruption: str) -> float | None:
        """Return the constant predictor's score on most rows, None where nothing says it."""
        cells = [cell for cell in self.results.cells if cell.corruption in (CLEAN, corruption)]
        known = [cell for cell in cells if cell.constant is not None]
        return max(known, key=lambda cell: cell.n).constant if known else None

    def table(self, corruption: str) -> Table:
        """Return one line an arm that was scored on `corruption`, the best area first."""
        cells = [cell for cell in self.results.cells if cell.corruption == corruption]
        levels = self.levels(corruption)
        arms = {cell.arm for cell in cells} | {arm for arm, of in self._areas if of == corruption}
        lines = [self._line(arm, corruption, levels) for arm in self.results.arms if arm in arms]
        over = {line["area"].levels for line in lines if line["area"]}
        mixed = len(over) > 1

        def rank(line: Line) -> tuple[bool, float]:
            return self._rank(None if mixed else line["area"], line["clean"])

        return {
            "name": corruption,
            "levels": [written(corruption, level) for level in levels],
            "lines": sorted(lines, key=rank),
            "span": "" if mixed else "".join(map(span, over)),
            "mixed": mixed,
            "uneven": any(None in line["drops"] for line in lines),
            "undefined": _undefined(cells),
            "left_out": _left_out(cells),
        }

    def _line(self, arm: str, corruption: str, levels: Sequence[float]) -> Line:
        by_level = {cell.level: cell for cell in self.levels_of(arm, corruption)}
        clean = self.clean.get(arm) or next(iter(by_level.values()), None)
        return {
            "arm": arm,
            "clean": self.clean.get(arm),
            "area": self._areas.get((arm, corruption)),
            "drops": [by_level.get(level) for level in levels],
            "about": clean,
        }

    def _rank(self, area: Area | None, clean: Cell | None) -> tuple[bool, float]:
        value = area.area if area else clean.score if clean else None
        sign = -1 if self.results.higher_is_better else 1
        return (area is None or value is None), sign * (value or 0.0)

    def removed(self) -> dict[tuple[str, ...], dict[str, Cell]]:
        """Return removed modalities -> arm -> cell, few modalities before many."""
        cells = [cell for cell in self.results.cells if cell.corruption == MISSING and cell.missing]
        subsets = dict.fromkeys(cell.missing or () for cell in cells)
        return {
            subset: {cell.arm: cell for cell in cells if cell.missing == subset}
            for subset in sorted(subsets, key=len)
        }

    def differences(self) -> list[Drawn]:
        """Return the paired differences, with the places of their drawing in percent."""
        known = [one for one in self.results.differences if one.difference is not None]
        ends = [end for one in known for end in (*(one.interval or ()), one.difference or 0.0)]
        reach = 1.08 * max(map(abs, ends), default=0.0) or 1.0

        def place(value: float) -> float:
            return round(50 + 50 * value / reach, 2)

        return [
            {
                "one": one,
                "dot": place(one.difference or 0.0),
                "ends": [place(end) for end in one.interval or ()],
                "blind": min(one.smallest_detectable or 0.0, reach) / reach * 50,
            }
            for one in known
        ]

    def shared_cost(self) -> str:
        """Say it where methods share what an LLM wrote; '' where none do."""
        total = self.results.llm_total
        shared = [name for name, arm in self.results.arms.items() if arm.llm_shared_with]
        if not shared or total is None:
            return ""
        return (
            f"{', '.join(shared)} share what an LLM wrote: it was asked once and stands in the line"
            f" of each. All methods together: {total.llm_requests or 0:,.0f} requests,"
            f" {total.llm_tokens or 0:,.0f} tokens."
        )

    def costs(self) -> list[tuple[str, Arm]]:
        """Return the arms with a known cost, the cheapest in LLM tokens first."""
        known = [
            (name, arm)
            for name, arm in self.results.arms.items()
            if arm.llm_tokens or arm.llm_requests or arm.llm_seconds or arm.train_seconds
        ]
        return sorted(known, key=lambda pair: (pair[1].llm_tokens or 0, pair[1].llm_seconds or 0))

    def disagreements(self) -> list[str]:
        """Say what to know of the scores, and where the verdict claims more than they show."""
        known = [one.interval for one in self.results.differences if one.interval]
        clear = [low for low, _ in known if low > 0]
        notices = [*self.results.warnings]
        notices += [f"{note[:1].upper()}{note[1:]}." for note in self.results.notes]
        if self.results.verdict.shown and not clear:
            notices.append(
                "The verdict says that an effect was shown, but no difference listed here has an"
                " interval above 0."
            )
        most = max((arm.train_rows or 0 for arm in self.results.arms.values()), default=0)
        for name, arm in self.results.arms.items():
            if arm.train_rows and arm.train_rows < most:
                notices.append(
                    f"{name} was trained on {arm.train_rows:,.0f} rows, others on {most:,.0f}."
                )
        if absent := [arm for arm in self.results.arms if arm not in self.clean]:
            notices.append(f"Without a clean score: {', '.join(absent)}.")
        return notices


def _undefined(cells: Sequence[Cell]) -> list[str]:
    """Say why drops are undefined, and of which methods."""
    arms: dict[str, dict[str, None]] = {}
    for cell in cells:
        if cell.undefined:
            arms.setdefault(cell.undefined, {})[cell.arm] = None
    return [f"{reason} ({', '.join(names)})" for reason, names in arms.items()]


def _left_out(cells: Sequence[Cell]) -> list[str]:
    """Say in how many resamples a drop that is shown has no value."""
    return [
        f"{cell.arm} at {written(cell.corruption, cell.level)}: {cell.drop_left_out:,}"
        for cell in cells
        if cell.drop_ratio is not None and cell.drop_left_out
    ]
